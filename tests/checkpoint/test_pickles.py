"""Pickles: only tensors come in, and nothing in them runs."""

from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from mira.checkpoint.pickles import read_pickle
from mira.errors import CheckpointError


class _Attack:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self):
        return Path.touch, (self._path,)


def test_tensors_come_as_float32(tmp_path: Path) -> None:
    model = OrderedDict(a=torch.ones(2, dtype=torch.float16), b=torch.zeros(3))
    torch.save({"model": model, "iteration": 22, "learning_rate": 1e-4}, tmp_path / "x.pth")
    read = read_pickle(tmp_path / "x.pth", "model")
    assert {name: (values.shape, str(values.dtype)) for name, values in read.items()} == {
        "a": ((2,), "float32"),
        "b": ((3,), "float32"),
    }


def test_code_does_not_run(tmp_path: Path) -> None:
    torch.save({"model": {"a": _Attack(tmp_path / "ran")}}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="refused"):
        read_pickle(tmp_path / "x.pth", "model")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("length", [-1, -100, 300, 10, 0])
def test_a_file_cut_short_is_named(tmp_path: Path, length: int) -> None:
    path = tmp_path / "x.pth"
    torch.save({"model": {"a": torch.ones(100)}}, path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointError, match=r"x\.pth: (damaged|refused)"):
        read_pickle(path, "model")


def test_tensors_may_be_all_there_is(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    torch.save({"a": torch.ones(2)}, path)
    assert read_pickle(path)["a"].tolist() == [1, 1]
    for content in ({}, [torch.ones(1)]):
        torch.save(content, path)
        with pytest.raises(CheckpointError, match="expected tensors; found none"):
            read_pickle(path)


def test_other_contents_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    with pytest.raises(CheckpointError, match="no such file"):
        read_pickle(path, "model")
    path.write_text("hi")
    with pytest.raises(CheckpointError, match="no PyTorch file"):
        read_pickle(path, "model")
    for content in ({"weights": {}}, {"model": {}}, [torch.ones(1)]):
        torch.save(content, path)
        with pytest.raises(CheckpointError, match="expected tensors under 'model'"):
            read_pickle(path, "model")
    torch.save({"model": {"a": torch.ones(1, dtype=torch.int64)}}, path)
    with pytest.raises(CheckpointError, match=r"a: expected a float tensor; found torch\.int64"):
        read_pickle(path, "model")
    torch.save({"model": {"a": 3}}, path)
    with pytest.raises(CheckpointError, match="a: expected a float tensor; found int"):
        read_pickle(path, "model")
