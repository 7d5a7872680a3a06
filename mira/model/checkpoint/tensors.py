"""Safetensors in, float32 arrays by name out.

Knows nothing about which model the names belong to. Source: the safetensors format,
https://huggingface.co/docs/safetensors.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mira.errors import CheckpointError, one_line

Array = npt.NDArray[np.float32]
Shape = tuple[int, ...]

READABLE = ("F32", "F16", "BF16")
"""Weights stored as anything else are quantised, and need the code that quantised them."""

LARGEST = 1e8
"""No weight of a network that speaks comes near it."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """What a file says about one tensor without reading it."""

    shape: Shape
    dtype: str


def unexpected(where: object, what: str, expected: object, found: object) -> CheckpointError:
    """Make an error of a file, or of something in it, that is not what it has to be."""
    return CheckpointError(f"{where}: {what}: expected {expected}; found {short(str(found))}")


def short(text: str) -> str:
    """Cut what a message is to show of a file: it may be anything, of any length."""
    return text if len(text) <= 60 else f"{text[:60]} ..."


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say of a file that it is missing or damaged, whatever its content leads to.

    One bit may make anything of a table of contents, and so any exception of a library.
    """
    try:
        yield
    except CheckpointError:
        raise
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such file") from error
    except Exception as error:
        raise CheckpointError(
            f"{path}: damaged or incomplete ({one_line(error)}); copy or download the file again"
        ) from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from safetensors import safe_open  # an extra; finding files needs none

    with reading(path), safe_open(path, framework="numpy") as file:
        yield file


def read_header(path: Path) -> dict[str, TensorInfo]:
    """List a file's tensors without reading their values.

    Raises:
        CheckpointError: The file is missing, cut short, or no safetensors file.
    """
    with _opened(path) as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        return {
            name: TensorInfo(tuple(part.get_shape()), str(part.get_dtype()))
            for name, part in slices.items()
        }


def require_readable(where: object, name: str, info: TensorInfo) -> None:
    """Raise CheckpointError if a tensor is quantised."""
    if info.dtype not in READABLE:
        raise unexpected(where, name, f"dtype {', '.join(READABLE)}", info.dtype)


def read_tensors(path: Path, wanted: Callable[[str], bool] = lambda _: True) -> dict[str, Array]:
    """Read the wanted tensors as float32, in the file's own names.

    Raises:
        CheckpointError: As `read_header`; or a tensor is quantised or not finite.
    """
    header = {name: info for name, info in read_header(path).items() if wanted(name)}
    for name, info in header.items():
        require_readable(path, name, info)
    tensors: dict[str, Array] = {}
    with _opened(path) as file:
        bits = _bfloat16_bits(path) if any(i.dtype == "BF16" for i in header.values()) else None
        for name, info in header.items():
            if bits is not None and info.dtype == "BF16":
                tensors[name] = from_bfloat16(bits(name)).reshape(info.shape)
            else:
                tensors[name] = file.get_tensor(name).astype(np.float32, copy=False)
    require_plausible(path, tensors)
    return tensors


def _bfloat16_bits(path: Path) -> Callable[[str], npt.NDArray[np.uint16]]:
    """Map a file's bfloat16 tensors, which NumPy has no type for.

    The library has checked the table by now: each tensor lies within the file.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        table = json.loads(file.read(length))
    data = np.memmap(path, np.uint8, "r", 8 + length)

    def bits(name: str) -> npt.NDArray[np.uint16]:
        start, end = table[name]["data_offsets"]
        return np.frombuffer(data[start:end], "<u2")

    return bits


def require_plausible(path: Path, tensors: Mapping[str, Array]) -> None:
    """Raise CheckpointError naming the first tensor with a NaN, an infinity or an absurd value.

    One flipped bit of an exponent makes such a value, and it alone would drown all others.
    """
    for name, values in tensors.items():
        finite = int(np.isfinite(values).sum())
        if finite < values.size:
            found = f"{values.size - finite} of {values.size} not finite"
            raise unexpected(path, name, "finite values", found)
        if values.size and (largest := max(values.max(), -values.min())) > LARGEST:
            raise unexpected(path, name, f"values up to {LARGEST:.0e}", f"{largest:.0e}")


def from_bfloat16(bits: npt.NDArray[np.uint16]) -> Array:
    """bfloat16 as bits to float32, exactly."""
    return (bits.astype("<u4") << 16).view("<f4")


def to_bfloat16(values: Array) -> npt.NDArray[np.uint16]:
    """Round finite float32 to bfloat16, to nearest even; as bits, since NumPy has no such type."""
    bits = np.ascontiguousarray(values, dtype="<f4").view("<u4")
    rounded: npt.NDArray[np.uint16] = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")
    return rounded
