"""What README and CONTRIBUTING say, held against the code. tools/stranger.py runs the examples."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_the_examples_can_be_read() -> None:
    """Those of other frameworks too: they stand in docs/agents.md as well, where they are run."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert {language for language, _ in blocks} == {"sh", "python", "py"}
    for language, code in blocks:
        if language == "sh":
            subprocess.run(["bash", "-n", "-c", code], check=True)
        else:
            ast.parse(code)


def test_every_link_leads_somewhere_and_nothing_is_left_open() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
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
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    table = CONTRIBUTING[CONTRIBUTING.index("## What it stands on") :]
    for requirement in project["dependencies"]:
        name = re.split(r"[\[=<>~]", requirement)[0]
        assert name in table, name


def test_the_code_map_names_what_exists() -> None:
    begin, end = (CONTRIBUTING.index(words) for words in ("```\nmira/", "tests/          the same"))
    layout = CONTRIBUTING[begin:end]
    for name in re.findall(r"^  ([\w/.]+) ", layout, re.MULTILINE):
        assert (ROOT / "mira" / name).exists(), name
