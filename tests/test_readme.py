"""What the README shows, run as it stands there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from mira.bench.service import running

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(python|sh)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
RUNNABLE = [(kind, code) for kind, code in BLOCKS if not code.startswith("make ")]


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service as `make serve` starts it, on a free port."""
    folder = tmp_path_factory.mktemp("voices")
    with running("--set", f"voices_dir={folder}") as service:
        yield f"{service.host}:{service.port}"


def test_the_readme_has_examples_of_each_kind() -> None:
    assert {kind for kind, _ in RUNNABLE} == {"python", "sh"}
    assert len(RUNNABLE) >= 5


@pytest.mark.parametrize(("kind", "code"), RUNNABLE, ids=[code[:30] for _, code in RUNNABLE])
def test_example_runs_and_speaks(
    kind: str, code: str, base_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    code = code.replace("localhost:5100", base_url)
    code = code.replace("mira/voices/sample", str(ROOT / "mira" / "voices" / "sample"))
    code = code.replace("/tmp/clara.voice", f"{tmp_path_factory.mktemp('else')}/clara.voice")
    code = code.replace(". .venv/bin/activate\n", "")  # the tests run in that environment
    command = [sys.executable, "-c", code] if kind == "python" else ["bash", "-euc", code]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=tmp_path, env={"PATH": path}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    made = [path for path in tmp_path.iterdir() if path.is_file()]
    assert made or "seconds are ready" in done.stdout
    for file in made:
        assert seconds(file) > 0.5, file


def seconds(file: Path) -> float:
    """How long it plays; raw formats are 8 kHz here."""
    if file.suffix in (".ulaw", ".s16le"):
        return file.stat().st_size / {".ulaw": 8000, ".s16le": 16000}[file.suffix]
    with av.open(str(file)) as container:
        frames = list(container.decode(audio=0))
        return sum(frame.samples for frame in frames) / frames[0].sample_rate


def test_every_link_leads_somewhere_and_nothing_is_left_open() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        text = page.read_text("utf-8")
        assert not re.search(r"@[A-Z]+@|TODO|TBD", text), page
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert (page.parent / target).exists() or "://" in target, (page, target)


def test_every_endpoint_is_in_the_table() -> None:
    from mira.load import load_engine
    from mira.server.app import create_app
    from mira.settings import Settings

    paths = create_app(Settings(), load_engine).openapi()["paths"]
    described = README[README.index("## Endpoints") : README.index("Formats:")]
    for path in paths:
        short = re.sub(r"{\w+_id}", "{id}", path)
        tail = short[short.rindex("/") :] if short.endswith("{id}") else short
        assert short == "/" or f"{tail}`" in described, short


def test_every_dependency_is_in_the_table() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    table = README[README.index("## What it stands on") :]
    for requirement in project["dependencies"]:
        name = re.split(r"[\[=<>~]", requirement)[0]
        assert name in table, name


def test_the_code_map_names_what_exists() -> None:
    layout = README[README.index("```\nmira/") : README.index("tests/          the same tree")]
    for name in re.findall(r"^  ([\w/.]+) ", layout, re.MULTILINE):
        assert (ROOT / "mira" / name).exists(), name
