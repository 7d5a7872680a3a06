"""What names of models are here is found without a download, and PyTorch is asked if it decides."""

import subprocess
import sys
from pathlib import Path

import pytest

from mira.errors import CheckpointError
from mira.load.facts import facts_here, place_of
from mira.settings import Settings


def test_names_are_what_they_are_here(tmp_path: Path) -> None:
    def place(name: str) -> str:
        return place_of("model", Settings(model=name))

    published, converted = tmp_path / "published", tmp_path / "converted"
    published.mkdir()
    converted.mkdir()
    (converted / "mira.json").touch()
    assert place("") == "none"
    assert place(str(published)) == "directory"
    assert place(str(converted)) == "converted"
    assert place("nobody/nothing") == "hub"
    with pytest.raises(CheckpointError, match="no such directory"):
        place("/no/where")


def test_wav2vec2_may_lie_inside_the_model(tmp_path: Path) -> None:
    (tmp_path / "wav2vec2").mkdir()
    inside = Settings(model=str(tmp_path), semantic_model="wav2vec2")
    assert place_of("semantic_model", inside) == "directory"


def test_this_machine(tmp_path: Path) -> None:
    found = facts_here(Settings(model=str(tmp_path)))
    assert {"torch", "openvino", "tokenizers"} <= found.libraries
    assert found.broken == ""


@pytest.mark.parametrize("settings", ["", "model='{path}', model_device='cpu'"])
def test_torch_is_not_asked_where_it_decides_nothing(settings: str, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from mira.load.facts import facts_here\n"
        "from mira.settings import Settings\n"
        f"facts_here(Settings({settings.format(path=tmp_path)}))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_torch_that_cant_be_imported_is_a_fact(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise OSError('libtorch.so: not there')")
    code = (
        "from mira.load.facts import facts_here\n"
        "from mira.settings import Settings\n"
        f"print(facts_here(Settings(model={str(tmp_path)!r})).broken)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "OSError: libtorch.so: not there\n", done.stderr
