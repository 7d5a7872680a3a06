"""Pickles: only tensors come in, nothing in them runs, and PyTorch is not needed."""

import io
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mira.errors import CheckpointError
from mira.model.checkpoint.pickles import read_pickle


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
    with pytest.raises(CheckpointError, match=r"a: expected a float tensor; found int64"):
        read_pickle(path, "model")
    torch.save({"model": {"a": 3}}, path)
    with pytest.raises(CheckpointError, match="a: expected a float tensor; found int"):
        read_pickle(path, "model")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_every_float_is_what_torch_reads(tmp_path: Path, dtype: torch.dtype) -> None:
    base = torch.randn(6, 8).to(dtype)
    kept = {
        "whole": base,
        "part": base[2:4, ::3],
        "turned": base.T,
        "parameter": torch.nn.Parameter(base[1]),
        "empty": base[:0],
        "number": base[0, 0],
    }
    torch.save({"model": kept, "steps": torch.arange(3)}, tmp_path / "x.pth")
    read = read_pickle(tmp_path / "x.pth", "model")
    assert read.keys() == kept.keys()
    for name, values in kept.items():
        np.testing.assert_array_equal(read[name], values.detach().float().numpy())
        assert read[name].dtype == np.float32


def test_a_training_state_beside_the_model_is_no_obstacle(tmp_path: Path) -> None:
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(3)).sum().backward()
    optimizer.step()
    content = {"model": network.state_dict(), "optimizer": optimizer.state_dict(), "iteration": 7}
    torch.save(content, tmp_path / "x.pth")
    assert read_pickle(tmp_path / "x.pth", "model").keys() == {"weight", "bias"}


def repacked(path: Path, pickle: bytes, compression: int = zipfile.ZIP_STORED) -> None:
    """Put another pickle into a file, or the same with its entries compressed."""
    with zipfile.ZipFile(path) as archive:
        entries = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(name, pickle if name.endswith("/data.pkl") else data)


def pickle_of(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        return archive.read(name)


@pytest.fixture(scope="module")
def saved() -> bytes:
    buffer = io.BytesIO()
    torch.save({"model": OrderedDict(a=torch.ones(2), b=torch.zeros(3))}, buffer)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # strings of a protocol nobody writes
@given(st.data())
@hypothesis.settings(max_examples=80, suppress_health_check=list(hypothesis.HealthCheck))
def test_a_flipped_pickle_is_refused_or_read(saved: bytes, tmp_path: Path, data: Any) -> None:
    """Whatever stands there, it ends in tensors or in one line that names the file."""
    path = tmp_path / "x.pth"
    path.write_bytes(saved)
    pickle = bytearray(pickle_of(path))
    for _ in range(data.draw(st.integers(1, 4))):
        pickle[data.draw(st.integers(0, len(pickle) - 1))] = data.draw(st.integers(0, 255))
    repacked(path, bytes(pickle))
    try:
        read = read_pickle(path, "model")
    except CheckpointError as error:
        assert str(path) in str(error)
    else:
        assert all(values.dtype == np.float32 for values in read.values())


def test_a_tensor_may_not_be_larger_than_what_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    torch.save({"model": {"a": torch.ones(1).expand(1 << 40)}}, path)
    with pytest.raises(CheckpointError, match="more numbers than are stored"):
        read_pickle(path, "model")
    torch.save({"model": {"a": torch.ones(4)}}, path)
    pickle = pickle_of(path)
    repacked(path, pickle.replace(b"K\x04\x85", b"K\x05\x85"))  # its shape
    with pytest.raises(CheckpointError, match="damaged or incomplete"):
        read_pickle(path, "model")


NAME, TENSOR = b"ctorch._utils\n_rebuild_parameter\n", b"ctorch._utils\n_rebuild_tensor_v2\n"
STORAGE = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\1\0\0\x000X\3\0\0\0cpuK\2tQ"

SHAPED = TENSOR + b"(" + STORAGE + b"K\0"  # and then its shape and strides
DOUBLED = b")" + b"".join(b"q%ch%c\x86" % (n, n) for n in range(60))
"""Nested 60 times, each twice the one before."""


@pytest.mark.parametrize(
    ("instructions", "said"),
    [
        (b"cos\nsystem\nX\4\0\0\0true\x85R", "refused.*a call of os system"),
        (b"(X\4\0\0\0trueios\nsystem\n", "refused.*the instruction INST"),
        (b"cbuiltins\ndict\n)\x81", "refused.*the instruction NEWOBJ"),
        (b"\x82\1", "refused.*the instruction EXT1"),
        (NAME + b"}X\4\0\0\0nameX\1\0\0\0xsb", "damaged.*no attribute"),
        (STORAGE + b"N}X\5\0\0\0dtypeX\6\0\0\0objects\x86b", "damaged.*attribute"),
        (TENSOR + b"(NK\0)ttR", "damaged"),
        (TENSOR + b"(}K\0))tR", "refused.*something else than numbers"),
        (b"(X\x07\0\0\0storagecos\nsystem\nX\1\0\0\x000X\3\0\0\0cpuK\2tQ", "refused"),
        (b"}r\xff\xff\xff\x7f", "expected tensors under"),
        (b"}" + DOUBLED + b"Ns", "refused.*no text"),
        (b"}(" + DOUBLED + b"Nu", "refused.*no text"),
        (b"ccollections\nOrderedDict\n]" + DOUBLED + b"N\x86a\x85R", "refused.*no text"),
        # What would be endless to hash, to show or to multiply.
        (b"(X\x07\0\0\0storage" + DOUBLED + b"NNNtQ", "refused.*numbers from elsewhere"),
        (b"(X\x07\0\0\0storagectorch\nFloatStorage\n" + DOUBLED + b"NNtQ", "refused.*elsewhere"),
        (
            b"}X\5\0\0\0model}K\0" + SHAPED + b"(X\1\0\0\0xJ\xff\xff\xff\x7ftK\1\x85tRss",
            "damaged.*str",
        ),
    ],
)
def test_no_instruction_makes_more_than_tensors(
    saved: bytes, tmp_path: Path, instructions: bytes, said: str
) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(saved)
    repacked(path, b"\x80\2" + instructions + b".")
    with pytest.raises(CheckpointError, match=said):
        read_pickle(path, "model")


def test_a_compressed_file_is_refused(tmp_path: Path, saved: bytes) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(saved)
    repacked(path, pickle_of(path), zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="a compressed archive"):
        read_pickle(path, "model")


def test_a_file_from_before_the_format_is_read_by_torch(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    torch.save({"a": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    assert read_pickle(path)["a"].tolist() == [1, 1]
