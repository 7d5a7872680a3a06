"""Who may import whom: the arrows of the design, read from the code."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "mira").rglob("*.py"))

LEAVES = {"types", "errors", "settings", "files", "progress", "machine"}
MAY_IMPORT = {
    "types": {"errors"},
    "errors": set(),
    "settings": {"errors"},
    "silence": set(),
    "files": {"errors"},
    "progress": set(),
    "machine": set(),
    "text": LEAVES,
    "words": LEAVES | {"text.sounds", "text.weight"},
    "stream": LEAVES,
    "audio": LEAVES,
    "voices": LEAVES | {"audio"},
    "synthesizer": LEAVES | {"stream"},
    "engine": LEAVES | {"stream", "synthesizer", "text"},
    "builtin": LEAVES | {"stream", "synthesizer"},
    "model": LEAVES | {"stream", "synthesizer", "voices.sample", "words"},
    "load": LEAVES | {"builtin", "engine", "model", "synthesizer", "voices.sample", "words"},
    "server": LEAVES | {"audio", "engine", "load", "stream", "text", "voices", "words"},
    "cli": LEAVES | {"audio", "engine", "load", "server", "stream", "text", "voices", "words"},
    "tts": LEAVES | {"audio", "load", "stream", "text"},
    "__main__": {"cli"},
    "__init__": LEAVES | {"engine", "load", "silence", "tts", "words"},
}
"""Beside its own folder. `load` alone knows the built-in voice and the model; it reaches the server
through `server/run.py`."""


def imports_of(path: Path) -> set[str]:
    """Dotted names below `mira`, such as `synth.base`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names = [node.module]
            if node.module == "mira" or node.module.count(".") == 1:
                names += [f"{node.module}.{alias.name}" for alias in node.names]
        found |= {name.removeprefix("mira.") for name in names if name.startswith("mira.")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path: Path) -> None:
    relative = path.relative_to(ROOT / "mira")
    room = relative.parts[0].removesuffix(".py")
    for name in imports_of(path):
        allowed = MAY_IMPORT[room] | {room}
        assert any(f"{name}.".startswith(f"{other}.") for other in allowed), (
            f"{relative} imports mira.{name}"
        )


def test_only_the_server_is_asynchronous() -> None:
    """And one adapter, of a library whose streams are coroutines."""
    for path in MODULES:
        if not {"server", "lmdeploy.py"} & {*path.parts}:
            tree = ast.parse(path.read_text("utf-8"))
            assert not any(isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(tree)), path


def test_importing_mira_loads_no_model_library() -> None:
    code = (
        "import sys, mira;"
        "heavy = {'torch', 'onnxruntime', 'hibari', 'av', 'fastapi', 'pocketsphinx'};"
        "print(*(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


TESTED_THROUGH = {
    **{
        f"cli/doctor/{part}": "cli/doctor/test_examine.py"
        for part in ("gpu", "machine", "report", "speaker")
    },
    "errors": "server/test_errors.py",
    "model/codec/networks": "model/codec/test_base.py",
    "load/models": "cli/test_model.py",
    "load/published": "load/test_parts.py",
    "text/english/abbreviations": "text/test_segment.py",
    "text/boundaries": "text/test_segment.py",
    "text/clauses": "text/test_segment.py",
    "text/elements": "text/test_markup.py",
    "text/tags": "text/test_markup.py",
    "text/weight": "text/test_segment.py",
    "text/english/addresses": "text/test_normalize.py",
    "text/english/amounts": "text/test_normalize.py",
    "text/english/arithmetic": "text/test_normalize.py",
    "text/english/measures": "text/test_normalize.py",
    "text/english/modifiers": "text/test_normalize.py",
    "text/english/money": "text/test_normalize.py",
    "text/english/units": "text/test_normalize.py",
    "text/english/between": "text/test_normalize.py",
    "text/english/designations": "text/test_normalize.py",
    "text/english/codes": "text/test_normalize.py",
    "text/english/dates": "text/test_normalize.py",
    "text/english/identifiers": "text/test_normalize.py",
    "text/english/lexicon": "text/test_normalize.py",
    "text/english/numbers": "text/test_normalize.py",
    "text/english/paths": "text/test_normalize.py",
    "text/english/phones": "text/test_normalize.py",
    "text/english/places": "text/test_normalize.py",
    "text/english/reading": "text/test_normalize.py",
    "text/english/romans": "text/test_normalize.py",
    "text/english/shortforms": "text/test_normalize.py",
    "text/english/shouted": "text/test_normalize.py",
    "text/english/symbols": "text/test_normalize.py",
    "text/english/weekdays": "text/test_normalize.py",
    "text/english/times": "text/test_normalize.py",
    "text/english/words": "text/test_normalize.py",
    "server/sockets/replies": "server/sockets/test_deepgram.py",
    "text/english/years": "text/test_normalize.py",
}
"""Parts and tables of one stage, which is tested as a whole."""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_tests_mirror_the_package(path: Path) -> None:
    """mira/a/b.py is tested by tests/a/test_b.py."""
    relative = path.relative_to(ROOT / "mira")
    if not path.name.startswith("__"):
        test = TESTED_THROUGH.get(
            str(relative.with_suffix("")), relative.with_name(f"test_{path.name}")
        )
        assert (ROOT / "tests" / test).exists()
