"""The command line, run as a person runs it."""

import json
import os
import signal
import subprocess
import sys
import wave
from io import BytesIO
from pathlib import Path

import av
import pytest

from mira.cli import main


def mira(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess:
    """Run the installed command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mira", *arguments],
        input=stdin,
        capture_output=True,
        timeout=180,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
        | {"XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"], **environment},
    )


def seconds(data: bytes | str) -> float:
    """How long an audio file plays, by decoding it."""
    with av.open(data if isinstance(data, str) else BytesIO(data)) as container:
        frames = list(container.decode(audio=0))
        return sum(frame.samples for frame in frames) / frames[0].sample_rate


def test_say_writes_the_format_of_the_suffix(tmp_path: Path) -> None:
    for suffix, kind in {"mp3": "mp3", "ogg": "ogg", "flac": "flac", "wav": "wav"}.items():
        target = tmp_path / f"hello.{suffix}"
        done = mira("say", "Hello there.", "-o", str(target))
        assert (done.returncode, done.stderr) == (0, b"")
        assert 0.6 < seconds(str(target)) < 2.5
        with av.open(str(target)) as container:
            assert container.format.name == kind


def test_say_reads_and_writes_standard_streams() -> None:
    done = mira("say", "-", "-o", "-", "--speed", "2", stdin=b"Hello there. How are you?")
    assert done.returncode == 0
    with wave.open(BytesIO(done.stdout)) as read:
        assert read.getframerate() == 24000
    fast = seconds(done.stdout)
    normal = seconds(mira("say", "-", "-o", "-", stdin=b"Hello there. How are you?").stdout)
    assert fast == pytest.approx(normal / 2, abs=0.1)


def say(*arguments: str) -> subprocess.Popen[bytes]:
    """With pipes to speak through."""
    return subprocess.Popen(
        [sys.executable, "-m", "mira", "say", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
    )


def test_say_speaks_as_the_text_comes() -> None:
    telephone = ("-o", "-", "-f", "ulaw", "--sample-rate", "8000")
    with say("-", *telephone) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("No. Ça".encode()[:-1])
        process.stdin.flush()
        first = process.stdout.read(1500)  # it would wait here for ever
        process.stdin.write("Ça va.".encode()[2:])
        process.stdin.close()
        rest = process.stdout.read()
    assert process.returncode == 0
    assert first + rest == mira("say", "No. Ça va.", *telephone).stdout


def test_say_can_be_interrupted_while_it_waits_for_text() -> None:
    with say("-", "-o", "-", "-f", "pcm") as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"Hello there. How")
        process.stdin.flush()
        process.stdout.read(20_000)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


def test_say_without_a_sound_device_is_one_line(tmp_path: Path) -> None:
    player = tmp_path / "aplay"
    player.write_text("#!/bin/sh\nfor n in 1 2 3; do echo ALSA lib: no card >&2; done; exit 1\n")
    player.chmod(0o755)
    done = mira("say", "Hello.", "--play", PATH=f"{tmp_path}")
    assert done.returncode == 1
    assert done.stderr.decode().startswith("mira: The audio can't be played (aplay: ALSA lib")
    assert len(done.stderr.decode().splitlines()) == 1


def test_say_resamples_and_encodes_for_a_telephone() -> None:
    done = mira("say", "Hello there.", "-o", "-", "-f", "ulaw", "--sample-rate", "8000")
    assert 0.6 * 8000 < len(done.stdout) < 2.5 * 8000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sya"], "No such command 'sya'. Did you mean 'say'?"),
        (["say", "hi"], "No output given: use -o FILE, -o - or --play."),
        (["say", "hi", "-o", "a.xyz"], "a.xyz: end it in one of .pcm"),
        (["say", "hi", "-o", "/no/such/a.wav"], "can't be written: No such file"),
        (["say", "hi", "-o", "-", "-f", "mp9"], "no audio format 'mp9'"),
        (["say", "hi", "-o", "-", "--sample-rate", "11025"], "11025 Hz can't be made"),
        (["say", "hi", "-o", "-", "--speed", "9"], "--speed"),
        (["say", "hi", "-o", "-", "--sped", "1"], "--speed"),
        (["say", "...", "-o", "-"], "nothing to say"),
        (["say", "hi", "-o", "-", "--transcript", "Hi."], "name it with --clone FILE"),
        (["serve", "--port", "x"], "--port"),
        (["config", "--set", "lead_s"], "write it as NAME=VALUE"),
        (["config", "--set", "led_s=1"], "Did you mean lead_s?"),
    ],
)
def test_a_wrong_argument_gets_one_line_that_helps(
    arguments: list[str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process: starting another takes longer than the mistake."""
    monkeypatch.setattr(sys, "argv", ["mira", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert ended.value.code in (1, 2)
    assert printed.out == ""
    assert len(lines) == 1, lines
    assert lines[0].startswith("mira: ")
    assert says in lines[0]


def test_an_unknown_voice_is_said_and_substituted() -> None:
    done = mira("say", "Hi.", "-o", "-", "-v", "zoe")
    assert done.returncode == 0
    assert b"heart speaks instead. There is no voice 'zoe'." in done.stderr


def test_config_tells_where_each_value_comes_from() -> None:
    done = mira("config", "--set", "lead_s=3", MIRA_PORT="5200")
    rows = {row[0]: row for row in map(str.split, done.stdout.decode().splitlines()) if row}
    assert rows["port"][1:3] == ["5200", "MIRA_PORT"]
    assert rows["lead_s"][1:3] == ["3.0", "flag"]
    assert rows["host"][1:3] == ["127.0.0.1", "default"]


def test_version() -> None:
    assert mira("--version").stdout.startswith(b"mira ")


def test_a_taken_port_is_said_in_one_line() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = mira("serve", "--port", str(port))
    assert done.returncode == 1
    assert "Choose another with --port" in done.stderr.decode()
    assert len(done.stderr.decode().splitlines()) == 1
    assert json.dumps(port) in done.stderr.decode()
