"""Extras in; a Python that has only the core's dependencies and theirs out.

A virtual environment whose packages are links to those of this one, so that nothing is installed
twice, and so that child processes, metadata and whatever looks for optional libraries see the same.
"""

import os
import subprocess
import tomllib
import venv
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from tempfile import mkdtemp

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@cache
def python(*extras: str) -> Path:
    """The interpreter of an environment with the core and these extras; made once a process."""
    directory = Path(mkdtemp(prefix="mira-bare-"))
    venv.create(directory, symlinks=True, with_pip=False)
    interpreter = directory / "bin" / "python"
    (packages,) = directory.glob("lib/python3.*/site-packages")
    for name in {PROJECT["name"], *_brought(extras)}:
        for entry in _entries(name):
            link = packages / entry.name
            if not link.exists():
                link.symlink_to(entry)
    (packages / "checkout.pth").write_text(f"{ROOT}\n")
    return interpreter


def run(
    cwd: Path, *arguments: str, extras: tuple[str, ...] = (), timeout_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run that Python with `arguments`."""
    return subprocess.run(
        [python(*extras), *arguments],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )


def environment() -> dict[str, str]:
    """Variables for such a process: none that leads to the packages of this one."""
    kept = {name: os.environ[name] for name in ("PATH", "XDG_CACHE_HOME") if name in os.environ}
    return {**kept, "COLUMNS": "200", "OMP_NUM_THREADS": "1"}


def _brought(extras: tuple[str, ...]) -> set[str]:
    """Names of the distributions that installing the core with `extras` brings."""
    lines = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][e] for e in extras)]
    wanted = set(_needs(line for part in lines for line in part))
    seen: set[tuple[str, str]] = set()
    while left := wanted - seen:
        seen |= left
        for name, extra in left:
            try:
                wanted |= set(_needs(metadata.requires(name) or [], extra))
            except metadata.PackageNotFoundError:  # for another system
                continue
    return {name for name, _ in wanted}


def _needs(requirements: Iterable[str], extra: str = "") -> Iterator[tuple[str, str]]:
    """(distribution, one of its extras or "") for each requirement that counts here."""
    for line in requirements:
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
            for one in ("", *wanted.extras):
                yield canonicalize_name(wanted.name), one


def _entries(name: str) -> set[Path]:
    """The files and folders of a distribution at the top of where it is installed."""
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return set()
    files = distribution.files or []
    tops = {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}
    tops = {top for top in tops if not top.startswith("__editable__")}
    return {Path(str(distribution.locate_file(top))) for top in tops}
