"""The built wheel, installed into empty environments, serves from an empty directory.

python3 tools/wheel.py [VERSION ...]       (default: 3.11 3.12 3.13)

Of the versions named, those that are installed here are tried; others are named as left out. It
fails if one fails, or if there is none.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from service import Failed, running

ROOT = Path(__file__).parent.parent
VERSIONS = ("3.11", "3.12", "3.13")
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")


def interpreter(version: str) -> Path | None:
    """Find a Python of this version, on the path or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = shutil.which(f"python{version}")
    candidates = [
        *([Path(found)] if found else []),
        *pyenv.glob(f"{version}.*/bin/python{version}"),
    ]
    for candidate in candidates:
        code = f"import sys; sys.exit(sys.version_info[:2] != ({version.replace('.', ', ')}))"
        if subprocess.run([candidate, "-c", code], capture_output=True).returncode == 0:
            return Path(candidate)
    return None


def build(folder: Path) -> Path:
    """Make the wheel of a copy of what git tracks, so that nothing else can get into it."""
    source = folder / "source"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    subprocess.run([sys.executable, "-m", "venv", folder / "builder"], check=True)
    python = folder / "builder" / "bin" / "python"
    command = [python, *PIP, "wheel", "--no-deps", "-w", folder, source]
    subprocess.run(command, check=True, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def check(python: Path, wheel: Path, folder: Path) -> str:
    """Install the wheel for one Python, serve, and say something."""
    subprocess.run([python, "-m", "venv", folder / "env"], check=True)
    binaries, empty = folder / "env" / "bin", folder / "empty"
    empty.mkdir()
    constraints = ROOT / "constraints.txt"
    command = [binaries / "python", *PIP, "install", "-c", constraints, wheel]
    subprocess.run(command, check=True, cwd=empty)
    with running([str(binaries / "mira"), "serve"], empty, folder / "log") as service:
        status, _, audio = service.speak("Hello there.", response_format="pcm")
        if status != 200 or len(audio) < 20_000:
            raise Failed(f"status {status}, {len(audio)} bytes of audio")
        return f"ready {service.ready_s:.1f} s after it listened"


def main() -> None:
    """Try all versions; exit with 1 if one fails."""
    tried = 0
    with tempfile.TemporaryDirectory(prefix="mira-wheel-") as name:
        folder = Path(name)
        wheel = build(folder)
        for version in sys.argv[1:] or VERSIONS:
            python = interpreter(version)
            if python is None:
                print(f"Python {version}: left out, none is installed here")
                continue
            place = folder / version
            place.mkdir()
            try:
                print(f"Python {version}: {check(python, wheel, place)}", flush=True)
            except (Failed, subprocess.CalledProcessError) as error:
                sys.exit(f"Python {version}: {error}")
            tried += 1
    if not tried:
        sys.exit("No Python was found to try the wheel with.")


if __name__ == "__main__":
    main()
