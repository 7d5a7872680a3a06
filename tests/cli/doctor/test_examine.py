"""What a machine says of itself is understood, whatever it says; what is wrong is a finding."""

import io
import os
import platform
import shutil
import signal
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis
import psutil
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from mira.cli.doctor import doctor, examine
from mira.cli.doctor.examine import HERE, Sources
from mira.cli.doctor.gpu import (
    Device,
    Smi,
    Torch,
    ask_smi,
    ask_torch,
    gpu_rows,
    read_cards,
)
from mira.cli.doctor.machine import library_rows, machine_rows
from mira.cli.doctor.report import Report, Row, problems, show
from mira.cli.doctor.speaker import mira_rows
from mira.errors import CheckpointError, InvalidSettings
from mira.load import load_engine
from mira.load.facts import place_of
from mira.load.plan import Plan
from mira.machine import Limits, processor_here
from mira.model.checkpoint.converted import TOKENIZER, Manifest
from mira.model.checkpoint.tokens import TokenMap
from mira.settings import Settings
from tests.processors import AMD, ARM, INTEL, OLD
from tests.voices.bringing import ALLISON, CARLO, bring

ROOT = Path(__file__).parents[3]
GIB = 1 << 30
NO_LIMITS = Limits()
INSTALL = ".venv/bin/pip install -c constraints.txt -e"


def rows_of(report: Report, title: str) -> dict[str, Row]:
    return {row.name: row for row in report[title]}


# ---------------------------------------------------------------- processors


def machine(settings: Settings, text: str, limits: Limits = NO_LIMITS) -> dict[str, Row]:
    engine = "openvino" if place_of("model", settings) == "converted" else "builtin"
    with TemporaryDirectory() as proc:
        (Path(proc) / "cpuinfo").write_text(text)
        processor = processor_here(Path(proc))
    found = machine_rows(engine, settings.cpu_threads, processor, limits, GIB)
    return {row.name: row for row in found}


def test_a_converted_model_needs_avx2_and_the_builtin_voice_does_not(tmp_path: Path) -> None:
    (tmp_path / "mira.json").touch()
    converted = Settings(model=str(tmp_path))
    assert machine(converted, OLD)["instructions"].state == "problem"
    assert machine(Settings(), OLD)["instructions"].state == "note"
    assert machine(converted, AMD)["instructions"].state == "note"  # neither VNNI nor bf16
    assert machine(converted, ARM)["instructions"].state == "note"
    assert machine(converted, INTEL)["instructions"] == Row(
        "instructions", "AVX2, AVX-512, VNNI, bf16, AMX"
    )


def test_threads_are_as_many_as_a_container_has_time_for(tmp_path: Path) -> None:
    (tmp_path / "mira.json").touch()
    half = Limits(cpus=0.5)
    row = machine(Settings(model=str(tmp_path)), INTEL, half)["cores"]
    assert (row.state, "cpu_threads=1" in row.advice) == ("note", True)
    assert "time of 0.5" in row.value
    fitting = Settings(model=str(tmp_path), cpu_threads=1)
    assert machine(fitting, INTEL, half)["cores"].state == "ok"
    assert machine(Settings(), INTEL, half)["cores"].state == "ok"


# ---------------------------------------------------------------- control groups


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")


def test_a_container_has_no_more_memory_than_its_limit(tmp_path: Path) -> None:
    groups = {"proc/self/cgroup": "0::/", "proc/cpuinfo": INTEL}
    write(tmp_path, {**groups, "sys/fs/cgroup/memory.max": str(GIB // 4)})
    report = examine(Settings(), replace(QUICK, proc=tmp_path / "proc", sys=tmp_path / "sys"))
    assert rows_of(report, "Machine")["memory"].value.startswith("0.2 GiB free of 0.2 GiB, which")
    assert rows_of(report, "Mira")["memory"].state == "note"
    assert not problems(report)


# ---------------------------------------------------------------- nvidia-smi

TWO = """\
0, GPU-5e5c2d1a-0000-4f00-8000-0123456789ab, 550.54.15, 81559, 81008, 9.0, NVIDIA H100 80GB HBM3
1, GPU-7a1b9c3d-0000-4f00-8000-0123456789ab, 550.54.15, 15360, 2048, 7.5, Tesla T4
"""
H100, T4 = read_cards(TWO)
UNKNOWN = "0, [N/A], 535.98, [N/A], [Insufficient Permissions], [N/A], GRID, of \t some kind\n"
FAILED = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that "
    "the latest NVIDIA driver is installed and running.\n"
)


def test_cards_are_read_whatever_a_driver_does_not_tell() -> None:
    assert (T4["index"], T4["memory.free"], T4["compute_cap"]) == ("1", "2048", "7.5")
    (unknown,) = read_cards(UNKNOWN)
    assert (unknown["name"], unknown["compute_cap"]) == ("GRID, of \t some kind", "[N/A]")
    for nothing in (
        FAILED,
        "No devices were found\n",
        "",
        "0, GPU-1, 550",
        "index, uuid, a, b, c, d, name",
    ):
        assert read_cards(nothing) == []


@given(st.text("01, .-[]NGPU\n"))
@hypothesis.settings(max_examples=50)
def test_any_answer_of_the_driver_is_survived(text: str) -> None:
    for card in read_cards(text):
        assert card["index"].isdecimal()


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_the_driver_is_asked(tmp_path: Path) -> None:
    (tmp_path / "table").write_text(TWO)
    assert ask_smi(program(tmp_path / "good", f"cat {tmp_path}/table")) == [H100, T4]
    assert ask_smi(str(tmp_path / "absent")) is None


def test_a_driver_that_fails_is_a_finding(tmp_path: Path) -> None:
    failed = ask_smi(program(tmp_path / "failed", f'echo "{FAILED.strip()}"; exit 9'))
    assert failed == FAILED.strip()
    assert ask_smi(program(tmp_path / "status", "exit 3")) == "it ends with status 3"
    assert ask_smi(program(tmp_path / "silent", "")) == "it says nothing"
    hanging = ask_smi(program(tmp_path / "hanging", "exec sleep 60"), timeout_s=0.1)
    assert hanging == "no answer within 0.1 s"
    broken = tmp_path / "broken"
    program(broken, "")
    broken.write_bytes(b"\x7fELF nothing")
    assert str(ask_smi(str(broken))).startswith("it can't be started")


# ---------------------------------------------------------------- PyTorch

STAND_IN = """
__version__ = "2.13.0"
class version: cuda = "13.0"
class Card: name, major, minor, uuid = "Tesla T4", 7, 5, "7a1b"
class cuda:
    def init(): {init}
    def device_count(): return 2
    def get_device_properties(index): return Card
"""


def python_with(folder: Path, torch: str) -> str:
    """A Python in which this is torch."""
    folder.mkdir()
    (folder / "torch.py").write_text(torch)
    return program(folder / "python", f'PYTHONPATH={folder} exec {sys.executable} "$@"')


def test_torch_is_asked_in_a_process_of_its_own(tmp_path: Path) -> None:
    good = python_with(tmp_path / "good", STAND_IN.format(init="print('noise')"))
    t4 = Device("Tesla T4", (7, 5), "7a1b")
    assert ask_torch(good) == Torch("2.13.0", "13.0", (t4, t4))
    error = "raise RuntimeError('Found no NVIDIA driver.\\nMore.')"
    bad = python_with(tmp_path / "bad", STAND_IN.format(init=error))
    assert ask_torch(bad) == Torch("2.13.0", "13.0", (), "Found no NVIDIA driver.")


def test_a_torch_that_cant_be_imported_is_a_finding(tmp_path: Path) -> None:
    broken = python_with(tmp_path / "broken", "raise ImportError('libcudart.so.13: not there')")
    assert ask_torch(broken) == Torch(error="ImportError: libcudart.so.13: not there")
    killed = ask_torch(program(tmp_path / "killed", "kill -ILL $$"))
    assert killed == Torch(error=f"it ends with signal {signal.SIGILL.value}")


@pytest.mark.slow  # importing it takes seconds
def test_the_real_torch_answers() -> None:
    found = ask_torch()
    assert found.version.partition("+")[0] == metadata.version("torch").partition("+")[0]
    assert found.devices or found.error


ONE: Smi = [H100]


def gpu(
    torch: Torch | None,
    smi: Smi | None = ONE,
    engine: str = "torch",
    device: str = "cuda:0",
    has_card: bool = True,
) -> dict[str, Row]:
    found = gpu_rows(Plan(engine, device), smi, has_card, torch)
    return {row.name: row for row in found}


CUDA = Torch("2.13.0", "13.0", (Device("NVIDIA H100", (9, 0)), Device("Tesla T4", (7, 5))))


def test_a_gpu_that_works() -> None:
    found = gpu(CUDA)
    assert {name: row.state for name, row in found.items()} == {
        "GPU 0": "ok",
        "torch": "ok",
        "cuda:0": "ok",
        "cuda:1": "note",
    }
    assert found["GPU 0"].value == (
        "NVIDIA H100 80GB HBM3, driver 550.54.15, compute capability 9.0, 79.1 GiB free of 79.6 GiB"
    )
    assert "bfloat16" in found["cuda:0"].value


def test_without_bfloat16_lmdeploy_cant_be_used() -> None:
    assert "float32" in gpu(CUDA, device="cuda:1")["cuda:1"].advice
    assert gpu(CUDA, device="cuda:1")["cuda:1"].state == "note"
    assert gpu(CUDA, device="cuda:1", engine="lmdeploy")["cuda:1"].state == "problem"
    assert gpu(CUDA, device="cuda:0", engine="lmdeploy")["cuda:1"].state == "note"


def test_a_gpu_that_is_not_there() -> None:
    assert gpu(CUDA, device="cuda:2")["cuda:2"].state == "problem"
    without = gpu(Torch("2.13.0+cpu"), smi=None, has_card=False)
    assert (without["NVIDIA GPU"].state, without["torch"].state) == ("problem", "ok")
    assert "model_device=auto" in without["NVIDIA GPU"].advice
    assert gpu(None, None, "builtin", "cpu", False) == {"NVIDIA GPU": Row("NVIDIA GPU", "none")}


@pytest.mark.parametrize(
    ("torch", "smi", "row", "advice"),
    [
        (
            Torch("2.13.0+cpu", error="not compiled"),
            [H100],
            "torch",
            "-y torch && .venv/bin/pip install",
        ),
        (
            Torch("2.13.0", "13.0", (), "driver is too old"),
            [H100],
            "torch",
            "update NVIDIA's",
        ),
        (
            Torch("2.13.0", "13.0", (), "No CUDA GPUs are"),
            [H100],
            "torch",
            "CUDA_VISIBLE_DEV",
        ),
        (Torch("2.13.0", "13.0", (), "unknown"), [H100], "torch", "install NVIDIA's driver"),
        (Torch(error="ImportError: x"), [H100], "torch", f"{INSTALL} '.[torch]'"),
        (None, FAILED, "driver", "install NVIDIA's driver"),
        (None, None, "driver", "docker run --gpus all"),
    ],
)
def test_what_is_wrong_with_a_gpu_is_said_with_what_helps(
    torch: Torch | None, smi: Smi | None, row: str, advice: str
) -> None:
    found = gpu(torch, smi)[row]
    assert found.state == "problem"
    assert advice in found.advice
    # Who doesn't want it is told, too.
    assert gpu(torch, smi, "builtin", "cpu")[row].state == "note"


def test_a_gpu_whose_memory_is_taken() -> None:
    row = gpu(CUDA, [T4])["GPU 1"]
    assert (row.state, "13.0 GiB" in row.advice) == ("note", True)
    (unknown,) = read_cards(UNKNOWN)
    assert "memory not known" in gpu(CUDA, [unknown])["GPU 0"].value


def test_a_card_without_a_driver_is_found(tmp_path: Path) -> None:
    bus = "bus/pci/devices/0000:00"
    audio = {f"{bus}:1e.1/vendor": "0x10de", f"{bus}:1e.1/class": "0x040300"}
    write(tmp_path, {f"{bus}:01.0/vendor": "0x8086", f"{bus}:01.0/class": "0x030000", **audio})
    sources = replace(QUICK, sys=tmp_path)
    assert rows_of(examine(Settings(), sources), "GPU")["NVIDIA GPU"].value == "none"
    write(tmp_path, {f"{bus}:1e.0/vendor": "0x10de", f"{bus}:1e.0/class": "0x030200"})
    assert rows_of(examine(Settings(), sources), "GPU")["driver"].state == "note"


# ---------------------------------------------------------------- libraries

REQUIREMENTS = [
    "av>=18,<19",
    "uvicorn[standard]<1,>=0.32",
    'torch<3,>=2.6; extra == "torch"',
    'openvino (<2026.5,>=2026.4) ; extra == "cpu"',
    "lmdeploy<0.19,>=0.18; extra == 'cuda'",
    'mira-speech[torch]; extra == "cuda"',
    'pytest<10,>=8.3; extra == "dev"',
]


def libraries(engine: str, **versions: str) -> dict[str, dict[str, Row]]:
    found = library_rows(engine, REQUIREMENTS, versions.get)
    return {title: {row.name: row for row in rows} for title, rows in found.items()}


def test_a_library_that_is_missing_is_shown_with_the_command() -> None:
    found = libraries("openvino", av="18.1.0", uvicorn="0.40", torch="2.13.0+cpu")
    assert {title: set(rows) for title, rows in found.items()} == {
        "Libraries": {"av", "uvicorn"},
        "Libraries of the extra torch": {"torch"},
        "Libraries of the extra cpu": {"openvino"},
        "Libraries of the extra cuda": {"lmdeploy"},
    }
    assert found["Libraries"]["av"] == Row("av", "18.1.0")
    assert found["Libraries of the extra torch"]["torch"] == Row("torch", "2.13.0+cpu")
    openvino = found["Libraries of the extra cpu"]["openvino"]
    assert (openvino.state, openvino.value) == ("problem", "missing (<2026.5,>=2026.4)")
    assert openvino.advice.endswith(f"{INSTALL} '.[cpu]'")
    lmdeploy = found["Libraries of the extra cuda"]["lmdeploy"]
    assert lmdeploy.state == "note"
    assert lmdeploy.advice.endswith("-c constraints-cuda.txt -e '.[cuda]'")


def test_what_is_needed_depends_on_the_engine() -> None:
    def missing(engine: str) -> set[str]:
        found = libraries(engine, av="18.1.0", uvicorn="0.40").values()
        return {name for rows in found for name, row in rows.items() if row.state == "problem"}

    assert missing("builtin") == set()
    assert missing("torch") == {"torch"}
    assert missing("lmdeploy") == {"torch", "lmdeploy"}
    assert libraries("builtin")["Libraries"]["av"].advice.endswith(f"{INSTALL} .")


def test_a_library_of_another_version_than_was_tested() -> None:
    old = libraries("builtin", av="17.0")["Libraries"]["av"]
    assert (old.state, old.value) == ("note", "17.0, tested with <19,>=18")
    assert library_rows("builtin", [], {}.get)["Libraries"][0].state == "note"


def test_every_requirement_of_ours_is_understood() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert HERE.requirements()[: len(project["dependencies"])] == project["dependencies"]
    lines = [line for line in HERE.requirements() if 'extra == "dev"' not in line]
    asked: list[str] = []
    found = library_rows("builtin", lines, lambda name: asked.append(name))
    required = [Requirement(line) for line in lines]
    own = "mira-speech"
    assert asked == [library.name for library in required if library.name != own]
    assert sum(map(len, found.values())) == len(asked) > 16
    assert all(str(library.specifier) for library in required if library.name != own)


# ---------------------------------------------------------------- Mira

QUICK = Sources(
    sys=Path("/nowhere"),
    smi=lambda: None,
    torch=lambda: Torch("2.13.0+cpu"),
    version_of=lambda name: "1.0",
    requirements=list,
)


def mira(settings: Settings, sources: Sources = QUICK) -> dict[str, Row]:
    return rows_of(examine(settings, sources), "Mira")


def test_a_published_model(spark_directory: Path, tmp_path: Path) -> None:
    settings = Settings(model=str(spark_directory), voices_dir=tmp_path)
    found = mira(settings)
    assert found["model"] == Row("model", f"{spark_directory}, spark layout")
    assert found["speaks"].value == "a converted model, in OpenVINO on the processor"
    assert (found["converted"].state, "first start" in found["converted"].advice) == ("note", True)
    slow = mira(settings.model_copy(update={"lm_engine": "torch"}))
    assert "'.[cpu]'" in slow["speaks"].advice
    assert found["memory"].state == "ok"
    assert not problems(examine(settings, QUICK))
    damaged = Path(shutil.copytree(spark_directory, tmp_path / "damaged"))
    (damaged / "BiCodec" / "model.safetensors").unlink()
    found = mira(settings.model_copy(update={"model": str(damaged)}))
    assert "BiCodec" in found["model"].value
    assert found["model"].state == "problem"


@pytest.mark.parametrize(
    ("asked", "row"),
    [
        ({"model_dtype": "float16"}, "model_dtype"),
        ({"model_dtype": "float32", "lm_engine": "lmdeploy"}, "model_dtype"),
        ({"model_device": "cpu", "lm_engine": "lmdeploy"}, "model_device"),
        ({"model_device": "cuda:1", "lm_engine": "lmdeploy-pytorch"}, "model_device"),
    ],
)
def test_settings_that_would_stop_the_start(
    spark_directory: Path, asked: dict[str, Any], row: str
) -> None:
    cards = [H100, {**H100, "uuid": "GPU-2"}]
    torch = Torch("2.13.0", "13.0", tuple(map(device_of, cards)))
    sources = replace(QUICK, smi=lambda: cards, torch=lambda: torch)
    fitting = {name: value for name, value in asked.items() if name == "model_device"}
    for settings, names in (asked, [row]), (fitting, []):
        report = examine(Settings(model=str(spark_directory), **settings), sources)
        assert [row.name for row in problems(report)] == names


def test_what_a_start_fails_with_is_said_in_the_same_words(spark_directory: Path) -> None:
    settings = Settings(model=str(spark_directory), model_device="cuda:7", model_dtype="float16")
    with pytest.raises(InvalidSettings) as raised:
        load_engine(settings)
    (first, *_) = problems(examine(settings, QUICK))[-2:]
    assert str(raised.value) == f"{first.name}: {first.value}"
    with pytest.raises(CheckpointError) as wrong:
        load_engine(Settings(model="/no/where"))
    assert str(wrong.value) == mira(Settings(model="/no/where"))["model"].value


def test_a_torch_that_cant_be_imported_stops_who_needs_it(spark_directory: Path) -> None:
    broken = replace(QUICK, torch=lambda: Torch(error="ImportError: libc10.so"))
    settings = Settings(model=str(spark_directory))
    assert not problems(examine(settings, broken))
    asked = settings.model_copy(update={"lm_engine": "torch"})
    assert [row.name for row in problems(examine(asked, broken))] == ["torch", "model"]


def test_its_memory_is_that_of_the_card_it_goes_to(spark_directory: Path) -> None:
    settings = Settings(model=str(spark_directory), model_device="cuda:0")
    # The driver counts them otherwise than PyTorch does.
    torch = Torch("2.13.0", "13.0", tuple(map(device_of, (T4, H100))))
    sources = replace(QUICK, smi=lambda: [H100, T4], torch=lambda: torch)
    assert mira(settings, sources)["memory of cuda:0"].value.endswith(" 2.0 GiB free")


def device_of(card: dict[str, str]) -> Device:
    major, minor = card["compute_cap"].split(".")
    return Device(card["name"], (int(major), int(minor)), card["uuid"].removeprefix("GPU-"))


@pytest.mark.parametrize(("left", "state"), [(8 * GIB, "ok"), (GIB, "note"), (1000, "problem")])
def test_whether_there_is_memory_for_a_model(spark_directory: Path, left: int, state: str) -> None:
    settings = Settings(model=str(spark_directory))
    found = {row.name: row for row in mira_rows(settings, Plan("torch"), left)}
    assert found["memory"].state == state


def test_a_model_that_is_not_there() -> None:
    assert mira(Settings(model="/no/where"))["model"].state == "problem"
    settings = {"semantic_model": "nobody/else", "lm_engine": "torch"}
    later = mira(Settings(model="nobody/nothing", **settings))
    assert "nobody/nothing: not on this machine" in later["model"].value
    assert "nobody/else: not on this machine" in later["semantic_model"].value
    assert "memory" not in later


@pytest.fixture
def converted(tmp_path: Path) -> Path:
    """What the beginning and the end of a conversion leave."""
    directory = tmp_path / "converted"
    tokens = TokenMap("mira", 0, 0, 0, 0, 0, 0, 0, 0, (1,))  # type: ignore[arg-type]
    manifest = Manifest.find(directory, "source", "int4", tokens)
    directory.mkdir(exist_ok=True)
    manifest.begin()
    (directory / TOKENIZER).write_text("{}")
    manifest.finished("language", weights="int4")
    manifest.complete()
    return directory


def test_a_converted_model(converted: Path) -> None:
    settings = Settings(model=str(converted))
    assert mira(settings)["model"] == Row("model", f"{converted}, converted, weights in int4")
    others = {
        "codec_model": "x",
        "semantic_model": "y",
        "model_device": "cuda",
        "lm_engine": "torch",
    }
    refused = mira(settings.model_copy(update=others))
    assert {name for name, row in refused.items() if row.state == "problem"} == {*others}
    (converted / TOKENIZER).unlink()
    assert mira(settings)["model"].state == "problem"


def test_a_conversion_needs_a_place_and_memory(
    spark_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    settings = Settings(model=str(spark_directory), cache_dir=tmp_path / "file" / "cache")
    row = mira(settings)["converted"]
    assert (row.state, "set cache_dir" in row.advice) == ("problem", True)
    with pytest.raises(InvalidSettings, match=r"cache_dir: .*file/cache"):
        load_engine(settings)
    settings = settings.model_copy(update={"cache_dir": tmp_path / "new" / "cache"})
    assert mira(settings)["converted"].state == "note"
    assert not (tmp_path / "new").exists()
    monkeypatch.setattr("mira.model.room.limits_here", lambda: Limits(memory_left_bytes=10))
    row = mira(settings)["converted"]
    assert row.state == "problem"
    assert "GB of memory; there are 0.0 GB here." in row.advice


def test_a_model_in_ones_home(
    converted: Path, spark_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for model, says in ((converted, "weights in int4"), (spark_directory, "spark layout")):
        monkeypatch.setenv("HOME", str(model.parent))
        found = mira(Settings(model=f"~/{model.name}"))
        assert (found["model"].state, found["disk"].state) == ("ok", "ok")
        assert f"{model}, " in found["model"].value
        assert says in found["model"].value


def test_voices_are_counted_and_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "voices"
    settings = Settings(voices_dir=folder)
    assert "not there until" in mira(settings)["voices"].value
    assert not folder.exists()
    bring(folder, ALLISON, CARLO)
    (folder / "refresh.wav").write_text("whatever")
    (folder / f"{ALLISON.stem}.flac").write_text("in the shadow of the other")
    (folder / ".part-1.wav").write_text("unfinished")
    rows = examine(settings, QUICK)["Mira"]
    values = [row.value for row in rows if row.name in ("voices", "")]
    assert values[0].startswith(f"{folder}: 4 recordings; mira voices list says how good")
    assert values[1:] == ["none of them speaks"]
    assert mira(Settings(voices_dir=ALLISON))["voices"].state == "problem"


def test_the_dictionary_is_read(tmp_path: Path) -> None:
    path = tmp_path / "words.toml"
    assert "dictionary" not in mira(Settings())
    missing = mira(Settings(dictionary=path))["dictionary"]
    assert (missing.state, missing.value) == (
        "problem",
        f"{path} is no file. Write one, or unset it.",
    )
    path.write_text('Nguyen = { cmu = "W IH1 N" }')
    found = mira(Settings(dictionary=path))["dictionary"]
    assert (found.state, found.value) == ("ok", f"1 entries in {path}")
    letters = mira(Settings(dictionary=path, model=str(tmp_path)))["dictionary"]
    assert letters.state == "problem" and "reads letters" in letters.value


def test_keys_are_counted_and_their_lack_is_said(tmp_path: Path) -> None:
    secret = "s3cr3t-0123456789"
    assert mira(Settings())["keys"] == Row("keys", "none: this machine alone is served")
    exposed = mira(Settings(host="0.0.0.0"))["keys"]
    assert exposed.state == "problem" and "no API keys" in exposed.value
    assert mira(Settings(host="::"))["keys"].state == "problem"
    assert mira(Settings(host="0.0.0.0", open_to_everybody=True))["keys"].state == "note"
    path = tmp_path / "keys.toml"
    missing = mira(Settings(api_keys_file=path))["keys"]
    assert missing.state == "problem" and "is no file" in missing.value
    path.write_text(f'[phone]\nkey = "{secret}"')
    found = mira(Settings.model_validate({"api_keys_file": path, "api_keys": {"a": f"{secret}1"}}))
    assert found["keys"] == Row("keys", "2; nobody is served without one")
    assert secret not in repr(found)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere: run it as somebody else")
def test_a_folder_that_cant_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert mira(Settings(voices_dir=tmp_path / "voices"))["voices"].state == "note"


# ---------------------------------------------------------------- all of it


def test_this_machine(tmp_path: Path) -> None:
    report = examine(Settings(voices_dir=tmp_path))
    found = rows_of(report, "Machine")
    assert found["Python"].value == platform.python_version()
    assert found["cores"].value.split(",")[0] == str(len(os.sched_getaffinity(0)))
    free, whole = (float(word) for word in found["memory"].value.split() if word[0].isdigit())
    memory = psutil.virtual_memory()
    assert whole <= memory.total / GIB + 0.05
    assert free <= min(whole, memory.available / GIB + 1)
    assert shutil.disk_usage(tmp_path).free / GIB == pytest.approx(
        float(rows_of(report, "Mira")["disk"].value.split()[0]), abs=1
    )
    assert rows_of(report, "Libraries")["numpy"].value == metadata.version("numpy")
    flags = Path("/proc/cpuinfo").read_text().split()
    assert ("avx2" in flags) == found["instructions"].value.startswith("AVX2")


def test_a_report_is_printed_for_copying() -> None:
    command = f"{INSTALL} '.[cpu]' " + 30 * "long "
    rows = [Row("a", "1"), Row("b", "[red]", "note", command), Row("c", "", "problem", command)]
    out = io.StringIO()
    show({"Things": rows}, out)
    lines = out.getvalue().splitlines()
    assert lines[0] == "Things"
    assert [line.split() for line in lines[1:4]] == [
        ["a", "1"],
        ["note", "b", "[red]"],
        ["problem", "c"],
    ]
    assert [line.strip() for line in lines if "pip" in line] == [command.strip()]
    assert lines[-1].startswith("1 problem:")


def test_the_exit_status(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    doctor(settings_flags=[f"voices_dir={tmp_path}"])
    assert "Nothing found" in capsys.readouterr().out
    with pytest.raises(typer.Exit) as exit_:
        doctor(settings_flags=[f"voices_dir={ALLISON}"])
    assert exit_.value.exit_code == 1


CORE = """
import os, sys
extras = "torch transformers tokenizers safetensors huggingface_hub openvino lmdeploy".split()
sys.modules |= dict.fromkeys(extras)

def watch(event, arguments):
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (
        os.O_WRONLY | os.O_RDWR | os.O_CREAT) and arguments[0] != os.devnull
    if writes or event.startswith(("socket.", "os.mk", "os.re", "os.un", "os.rm", "os.tr")):
        os.write(2, f"{event} {arguments}".encode())
        os._exit(9)

from dataclasses import replace
from mira.cli.doctor.examine import HERE, examine
from mira.cli.doctor.report import problems
from mira.errors import CheckpointError, InvalidSettings
from mira.load.facts import place_of
from mira.machine import Limits, processor_here
from mira.load.plan import Plan
from mira.load import load_engine
from mira.settings import Settings
sources = replace(HERE, version_of=lambda name: None if name in extras else HERE.version_of(name))
sys.addaudithook(watch)
for model in sys.argv[1:]:
    for row in problems(examine(Settings(model=model), sources)):
        print(row.name, row.value, row.advice, sep="|")
for library in "huggingface_hub safetensors".split():
    del sys.modules[library]
quick = replace(sources, requirements=list)
assert "not on this machine" in str(examine(Settings(model="nobody/nothing"), quick))
assert not {"lmdeploy", "onnxruntime"} & {name for name, found in sys.modules.items() if found}
"""


def test_the_core_install_looks_and_touches_nothing(converted: Path, spark_directory: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", CORE, str(converted), str(spark_directory)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = [line.split("|") for line in done.stdout.splitlines()]
    said = {name: advice.split()[-1] for name, _, advice in found if name != "model"}
    extras = {"openvino": "'.[cpu]'"}
    assert said.items() >= extras.items()
    words = ("missing", "without", "needs")
    assert all(any(word in value for word in words) for _, value, _ in found)
