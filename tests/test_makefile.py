"""What make would run: installed once for each kind of machine, whichever was served before."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment has pip and nothing else; its pip and mira do nothing."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "constraints-cuda.txt"):
        shutil.copy(ROOT / name, tmp_path)
        os.utime(tmp_path / name, (1, 1))
    for name in ("pip", "mira"):
        program(tmp_path / ".venv" / "bin" / name, "exit 0")
        os.utime(tmp_path / ".venv" / "bin" / name, (1, 1))
    return tmp_path


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def make(checkout: Path, *arguments: str, smi: str = "exit 9") -> list[str]:
    """What `make` runs, line by line, where nvidia-smi answers so."""
    program(checkout / "bin" / "nvidia-smi", smi)
    done = subprocess.run(
        ["make", *arguments],
        cwd=checkout,
        env={"PATH": f"{checkout / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def installed(lines: list[str]) -> list[str]:
    """What comes after the options of pip."""
    return [line.partition(" -c ")[2] for line in lines if "pip install" in line]


@pytest.mark.skipif(any(Path("/dev").glob("nvidia[0-9]*")), reason="a machine with an NVIDIA card")
def test_a_machine_gets_what_it_needs_for_a_model(checkout: Path) -> None:
    lines = make(checkout, "serve", "MODEL=owner/name")
    assert installed(lines) == ["constraints.txt -e '.[cpu]'"]
    assert lines[-1].endswith("mira serve --model 'owner/name'")
    lines = make(checkout, "serve", "MODEL=owner/name", smi="exit 0")
    assert installed(lines) == ["constraints.txt -e '.[torch]'"]
    lines = make(checkout, "serve", "MODEL=owner/name", "EXTRA=cuda")
    assert installed(lines) == ["constraints-cuda.txt -e '.[cuda]'"]
    lines = make(checkout, "serve", "MODEL=a folder", "EXTRA=cpu", smi="exit 0")
    assert installed(lines) == []
    assert lines[-1].endswith("mira serve --model 'a folder'")


def test_going_back_and_forth_installs_nothing_again(checkout: Path) -> None:
    assert installed(make(checkout, "serve")) == ["constraints.txt -e ."]
    with_model = ("serve", "MODEL=owner/name", "EXTRA=cpu")
    assert len(installed(make(checkout, *with_model))) == 1
    for _ in range(2):
        assert installed(make(checkout, "serve")) == []
        assert installed(make(checkout, *with_model)) == []


def test_what_changes_is_installed_again_for_each(checkout: Path) -> None:
    with_model = ("serve", "MODEL=owner/name", "EXTRA=cpu")
    make(checkout, *with_model)
    (checkout / "pyproject.toml").touch()
    stamps = [checkout / ".venv" / name for name in ("serve", "serve-cpu")]
    for stamp in stamps:
        os.utime(stamp, (2, 2))
    assert installed(make(checkout, "serve")) == ["constraints.txt -e ."]
    assert installed(make(checkout, *with_model)) == ["constraints.txt -e '.[cpu]'"]
    assert installed(make(checkout, "serve")) == []


def test_without_a_model_the_core_is_enough(checkout: Path) -> None:
    lines = make(checkout, "serve", smi="exit 0")
    assert installed(lines) == ["constraints.txt -e ."]
    assert lines[-1].strip().endswith("mira serve")
