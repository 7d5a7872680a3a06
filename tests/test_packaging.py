"""What is installed is pinned, and for a GPU the same as for a CPU, but for PyTorch itself."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    found = (line.partition("==") for line in lines if not line.startswith("#"))
    return {plain(name): version for name, _, version in found}


def plain(name: str) -> str:
    """As all ways to write it compare."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(*extras: str) -> set[str]:
    """Libraries that the project and some of its extras name."""
    lines = list(PROJECT["dependencies"])
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    names = {plain(re.split(r"[\[=<>~]", line)[0]) for line in lines}
    return names - {PROJECT["name"]}


def test_everything_that_tests_install_is_pinned() -> None:
    missing = wanted("torch", "cpu", "bench", "dev") - pins("constraints.txt").keys()
    assert not missing


def test_a_gpus_versions_are_everybodys_but_for_pytorch() -> None:
    gpu, everybody = pins("constraints-cuda.txt"), pins("constraints.txt")
    assert not wanted("torch", "cuda") - gpu.keys()
    others = {name for name in gpu.keys() & everybody.keys() if gpu[name] != everybody[name]}
    assert others == {"torch"}
