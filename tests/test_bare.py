"""Every entry point, where nothing can be imported that the installation does not bring."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import mira
from tests import bare
from tests.bare import run
from tests.server.serving import wait_until

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "mira" / "voices" / "sample" / "heart.flac"


@contextmanager
def served(cwd: Path, *arguments: str, extras: tuple[str, ...] = ()) -> Iterator[httpx.Client]:
    """A service, ready; ended by SIGTERM, and well."""
    log = cwd / "log"
    with (
        log.open("w") as file,
        subprocess.Popen(
            [bare.python(*extras), "-m", "mira", "serve", "--port", "0", *arguments],
            cwd=cwd,
            env=bare.environment(),
            stderr=file,
        ) as process,
    ):

        def ready() -> bool:
            assert process.poll() is None, log.read_text()
            return "ready: " in log.read_text()

        try:
            wait_until(ready, 60)
            url = next(
                word for word in log.read_text().split() if word.startswith("http://127.0.0.1:")
            )
            with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
                yield client
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) in (0, -signal.SIGTERM), log.read_text()


def test_only_what_the_installation_brings_is_there(tmp_path: Path) -> None:
    """httpx is for tests, tokenizers for models; numpy is core."""
    code = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', %r]))"
    for library, status in (("numpy", 0), ("httpx", 1), ("tokenizers", 1), ("torch", 1)):
        assert run(tmp_path, "-c", code % f"import {library}").returncode == status, library
    assert run(tmp_path, "-c", "import openvino", extras=("cpu",)).returncode == 0


def test_the_public_names_can_be_imported(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", f"from mira import {', '.join(mira.__all__)}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("say", "Hello there.", "-o", "hello.mp3"),
        ("say", "--explain", "It is $5."),
        ("voices", "list"),
        ("voices", "check", str(SAMPLE)),
        ("voices", "add", str(SAMPLE), "--name", "clara", "--consent", "Nobody's voice."),
        ("doctor",),
        ("config",),
        ("bench", "--help"),
        ("model", "--help"),
        ("--version",),
    ],
    ids=" ".join,
)
def test_the_command_line_needs_the_core_alone(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "mira", *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("bench", "load", "--plot", "load.png"), "bench"),
        (("say", "Hello.", "-o", "x.wav", "--model", "{tiny}"), "cpu"),
        (("model", "convert", "{tiny}", "out"), "cpu"),
    ],
)
def test_what_needs_an_extra_names_it_in_one_line(
    arguments: tuple[str, ...], extra: str, mira_directory: Path, tmp_path: Path
) -> None:
    done = run(tmp_path, "-m", "mira", *(part.format(tiny=mira_directory) for part in arguments))
    assert done.returncode in (1, 2), done.stdout
    last = done.stderr.splitlines()[-1]
    assert f"[{extra}]" in last and "Traceback" not in done.stderr, done.stderr


def test_the_service_needs_the_core_alone(tmp_path: Path) -> None:
    with served(tmp_path) as client:
        body = {"model": "mira", "input": "Hello there.", "voice": "heart"}
        answer = client.post("/v1/audio/speech", json=body)
        assert answer.status_code == 200 and len(answer.content) > 4000
        form = {"name": "clara", "consent": "Nobody's voice."}
        answer = client.post(
            "/v1/audio/voices", data=form, files={"audio_sample": SAMPLE.read_bytes()}
        )
        assert answer.status_code == 200, answer.text


def test_an_example_of_the_library_needs_the_core_alone(tmp_path: Path) -> None:
    code = (
        "from mira import load_engine, load_settings\n"
        "engine = load_engine(load_settings()[0])\n"
        "print(sum(map(len, engine.speak('Hello there.', engine.voices[0]))))"
    )
    done = run(tmp_path, "-c", code)
    assert done.returncode == 0 and int(done.stdout) > 10_000, done.stderr


def test_a_published_model_needs_torch_alone(mira_directory: Path, tmp_path: Path) -> None:
    speak_over_http(mira_directory, tmp_path, "torch")


def test_a_converted_model_needs_cpu_alone(
    mira_directory: Path, converted_directory: Path, tmp_path: Path
) -> None:
    """The command finds it whole; test_first_start.py makes one where there is no more."""
    converted = shutil.copytree(converted_directory, tmp_path / "converted")
    command = ("model", "convert", str(mira_directory), str(converted), "--weights", "bf16")
    done = run(tmp_path, "-m", "mira", *command, extras=("cpu",))
    assert done.returncode == 0, done.stderr
    speak_over_http(converted, tmp_path, "cpu")


def speak_over_http(model: Path, cwd: Path, extra: str) -> None:
    with served(cwd, "--set", f"model={model}", extras=(extra,)) as client:
        body = {"input": "Hello.", "sample_rate": 16000, "seed": 1}
        answer = client.post("/v1/audio/speech-stream", json=body)
        assert answer.status_code == 200 and len(answer.content) > 4000
