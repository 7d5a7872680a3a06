"""What the library writes is read as float32; damage is named."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch_file

from mira.errors import CheckpointError
from mira.model.checkpoint.tensors import read_header, read_tensors, to_bfloat16

FINITE = st.floats(-(2.0**126), 2.0**126, width=32)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_what_the_library_writes_is_read(tmp_path: Path, dtype: torch.dtype) -> None:
    path = tmp_path / "x.safetensors"
    shapes = {"a": (5, 3), "b.weight": (11,), "c": (2, 1, 4)}
    stored = {name: torch.randn(shape).to(dtype) for name, shape in shapes.items()}
    save_torch_file(stored, path)
    assert {name: info.shape for name, info in read_header(path).items()} == shapes
    read = read_tensors(path)
    for name, values in stored.items():
        np.testing.assert_array_equal(read[name], values.float().numpy())
        assert read[name].dtype == np.float32


@given(arrays.arrays(np.float32, 16, elements=FINITE))
def test_bfloat16_rounds_as_torch_does(values: np.ndarray) -> None:
    expected = torch.from_numpy(values).to(torch.bfloat16).view(torch.int16).numpy()
    np.testing.assert_array_equal(to_bfloat16(values).view(np.int16), expected)


def test_halfway_rounds_to_even() -> None:
    halfway = np.array([0x3F808000, 0x3F818000, 0xBF808000, 0xBF818000], "<u4").view("<f4")
    expected = torch.from_numpy(halfway).to(torch.bfloat16).view(torch.int16).numpy()
    np.testing.assert_array_equal(to_bfloat16(halfway).view(np.int16), expected)


def test_only_what_is_wanted_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a": np.ones(2, np.float32), "steps": np.ones(2, np.int64)}, path)
    assert read_tensors(path, lambda name: name == "a").keys() == {"a"}


def test_a_file_cut_short_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a": np.ones((4, 4), np.float32)}, path)
    whole = path.read_bytes()
    for length in (len(whole) - 1, len(whole) - 64, 20, 4, 0):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"x\.safetensors: damaged or incomplete"):
            read_tensors(path)


def test_another_kind_of_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n" * 9)
    with pytest.raises(CheckpointError, match="damaged or incomplete"):
        read_header(path)
    with pytest.raises(CheckpointError, match="no such file"):
        read_header(tmp_path / "absent.safetensors")


def test_quantised_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a.weight": np.ones(2, np.int8)}, path)
    with pytest.raises(CheckpointError, match=r"a\.weight: expected dtype F32.*found I8"):
        read_tensors(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path: Path, bad: float) -> None:
    values = np.ones(5, np.float32)
    values[3] = bad
    path = tmp_path / "x.safetensors"
    save_file({"a.weight": values}, path)
    with pytest.raises(CheckpointError, match=r"a\.weight: expected finite.*1 of 5"):
        read_tensors(path)
