"""A PyTorch file in, float32 arrays by name out; needs no PyTorch.

Knows nothing about the model. Unpickling can run code, so nothing is unpickled: the instructions
are followed one by one, and all that they can make are numbers, strings, plain containers and
tensors. Source: the format of `torch.save` since PyTorch 1.6, a ZIP file of a pickle and the bytes
of each tensor.
"""

import pickletools
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np

from mira.errors import CheckpointError
from mira.model.checkpoint.tensors import Array, from_bfloat16

MAX_PICKLE_BYTES = 64 << 20  # of the instructions; a whole optimizer's state takes one

_STORAGES = {  # their names in the pickle -> what the bytes are
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "DoubleStorage": "float64",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
_FLOATS = ("float32", "float16", "bfloat16", "float64")


def read_pickle(path: Path, key: str | None = None) -> dict[str, Array]:
    """Read the tensors below one key of the file's top level, or all of them at that level.

    Raises:
        CheckpointError: The file is missing, damaged, or holds anything but tensors there.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            return _tensors(path, archive, key)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such file") from error
    except _Refused as error:
        raise CheckpointError(
            f"{path}: refused: it is no PyTorch file, or holds more than tensors ({error})"
        ) from error
    except zipfile.BadZipFile as error:
        return _before_zip(path, key, error)
    except (OSError, EOFError, ValueError, IndexError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path}: damaged or incomplete ({error}); copy or download the file again"
        ) from error


class _Refused(Exception):
    """The pickle asks for what no file of tensors needs."""


@dataclass(frozen=True, slots=True)
class _Storage:
    name: str  # of its bytes in the archive
    dtype: str
    count: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """Where a tensor lies; read only if it is wanted."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self, archive: zipfile.ZipFile) -> Array:
        """As float32.

        Raises:
            ValueError: The archive has fewer bytes than the tensor needs.
        """
        numbers = (self.offset, self.storage.count, *self.shape, *self.strides)
        if min(numbers) < 0 or len(self.shape) != len(self.strides):
            raise ValueError("a tensor of negative size")
        if prod(self.shape) > self.storage.count:  # repeated by its strides
            raise ValueError("a tensor of more numbers than are stored")
        stored, half = self.storage.dtype, self.storage.dtype == "bfloat16"
        kind = np.dtype("<u2" if half else stored).newbyteorder("<")
        entry = archive.getinfo(self.storage.name)
        if entry.file_size != self.storage.count * kind.itemsize:
            raise ValueError(f"{entry.filename} has {entry.file_size} bytes")
        values = np.frombuffer(archive.read(entry), kind)
        if 0 not in self.shape:
            last = sum((size - 1) * step for size, step in zip(self.shape, self.strides))
            if self.offset + last >= len(values):
                raise ValueError(f"a tensor goes beyond {entry.filename}")
        steps = [step * kind.itemsize for step in self.strides]
        found = np.lib.stride_tricks.as_strided(values[self.offset :], self.shape, steps)
        floats = from_bfloat16(np.ascontiguousarray(found)) if half else found
        return np.array(floats, np.float32)


def _tensors(path: Path, archive: zipfile.ZipFile, key: str | None) -> dict[str, Array]:
    pickles = [entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise _Refused("a ZIP file without one data.pkl")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
        raise _Refused("a compressed archive")  # PyTorch writes none; a small one may hold much
    if pickles[0].file_size > MAX_PICKLE_BYTES:
        raise _Refused(f"a pickle of {pickles[0].file_size} bytes")
    folder = pickles[0].filename.removesuffix("data.pkl")
    order = f"{folder}byteorder"
    if order in archive.namelist() and archive.read(order) != b"little":
        raise _Refused("written on a big-endian machine")
    content = _Machine(folder).run(archive.read(pickles[0]))
    return {
        name: value.read(archive)
        for name, value in _named(path, content, key, _dtype, _FLOATS).items()
    }


def _dtype(value: object) -> str:
    return value.storage.dtype if isinstance(value, _Tensor) else type(value).__name__


def _named(
    path: Path,
    content: Any,
    key: str | None,
    dtype_of: Callable[[object], str],
    floats: tuple[str, ...],
) -> dict[str, Any]:
    """The values under `key`, all of which are tensors of floats."""
    tensors = content.get(key) if key and isinstance(content, dict) else content
    if not isinstance(tensors, dict) or not tensors:
        where = f" under {key!r}" if key else ""
        raise CheckpointError(f"{path}: expected tensors{where}; found none")
    for name, value in tensors.items():
        if (found := dtype_of(value)) not in floats:
            raise CheckpointError(f"{path}: {name}: expected a float tensor; found {found}")
    return tensors


@dataclass(frozen=True, slots=True)
class _Global:
    """A name from some module: nothing is imported for it."""

    name: str


class _Mark:
    """Where on the stack a container's items begin."""


class _Machine:
    """Follows a pickle's instructions.

    Args:
        folder: Of the archive, that everything lies in.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, pickle: bytes) -> Any:
        """What the pickle describes.

        Raises:
            _Refused: It asks for anything else than tensors in plain containers.
        """
        for opcode, argument, _ in pickletools.genops(pickle):
            if opcode.name == "STOP":
                return self._stack.pop()
            step = getattr(self, f"_{opcode.name.lower()}", None)
            if step is not None:
                step(argument)
            elif opcode.name in _VALUES:
                self._stack.append(argument)
            elif opcode.name in _CONSTANTS:
                self._stack.append(_CONSTANTS[opcode.name]())
            elif opcode.name not in _NOTHING:
                raise _Refused(f"the instruction {opcode.name}")
        raise EOFError("the pickle has no end")

    def _items(self) -> list[Any]:
        """Take what lies above the last mark."""
        at = len(self._stack) - 1
        while not isinstance(self._stack[at], _Mark):
            at -= 1
            if at < 0:
                raise ValueError("a container without a beginning")
        items = self._stack[at + 1 :]
        del self._stack[at:]
        return items

    def _mark(self, _: object) -> None:
        self._stack.append(_Mark())

    def _pop(self, _: object) -> None:
        self._stack.pop()

    def _binput(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    _long_binput = _put = _binput

    def _memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _binget(self, index: int) -> None:
        self._stack.append(self._memo[index])

    _long_binget = _get = _binget

    def _tuple(self, _: object) -> None:
        self._stack.append(tuple(self._items()))

    def _tuple1(self, _: object) -> None:
        self._stack[-1:] = [tuple(self._stack[-1:])]

    def _tuple2(self, _: object) -> None:
        self._stack[-2:] = [tuple(self._stack[-2:])]

    def _tuple3(self, _: object) -> None:
        self._stack[-3:] = [tuple(self._stack[-3:])]

    def _append(self, _: object) -> None:
        self._open_list().append(self._stack.pop())

    def _appends(self, _: object) -> None:
        items = self._items()
        self._open_list(0).extend(items)

    def _open_list(self, above: int = 1) -> list[Any]:
        found = self._stack[-1 - above]
        if not isinstance(found, list):
            raise _Refused("items for what is no list")
        return found

    def _setitem(self, _: object) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._open_dict()[key] = value

    def _setitems(self, _: object) -> None:
        items = self._items()
        self._open_dict().update(zip(items[::2], items[1::2], strict=True))

    def _open_dict(self) -> dict[Any, Any]:
        found = self._stack[-1]
        if not isinstance(found, dict):
            raise _Refused("items for what is no dictionary")
        return found

    def _global(self, name: str) -> None:
        self._stack.append(_Global(name))

    def _stack_global(self, _: object) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._stack.append(_Global(f"{module} {name}"))

    def _build(self, _: object) -> None:
        """Attributes of what was made, such as the versions of a state's layers: not needed."""
        self._stack.pop()

    def _binpersid(self, _: object) -> None:
        kind, storage, name, _place, count = self._stack.pop()
        known = isinstance(storage, _Global) and storage.name.removeprefix("torch ")
        if kind != "storage" or known not in _STORAGES:
            raise _Refused(f"a {storage}")
        dtype = _STORAGES[known]
        self._stack.append(_Storage(f"{self._folder}data/{name}", dtype, int(count)))

    def _reduce(self, _: object) -> None:
        arguments, called = self._stack.pop(), self._stack.pop()
        make = _MAKERS.get(called.name) if isinstance(called, _Global) else None
        if make is None:
            raise _Refused(f"a call of {getattr(called, 'name', called)}")
        self._stack.append(make(*arguments))


def _rebuilt(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _Tensor:
    if not isinstance(storage, _Storage):
        raise _Refused("a tensor of something else than numbers")
    numbers = tuple(map(int, shape)), tuple(map(int, strides))
    return _Tensor(storage, int(offset), *numbers)


def _parameter(tensor: object, *_: object) -> object:
    return tensor


_MAKERS: dict[str, Callable[..., object]] = {
    "collections OrderedDict": lambda items=(): dict(items),
    "torch._utils _rebuild_tensor_v2": _rebuilt,
    "torch._utils _rebuild_parameter": _parameter,
}
_CONSTANTS: dict[str, Callable[[], object]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
}
_VALUES = {
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
}
_NOTHING = {"PROTO", "FRAME"}


def _before_zip(path: Path, key: str | None, reason: Exception) -> dict[str, Array]:
    """What PyTorch wrote before 1.6, which it alone can read, with `weights_only`."""
    with path.open("rb") as file:
        if file.read(2) == b"PK":  # PyTorch looks at no checksum, and would take damage for numbers
            raise CheckpointError(
                f"{path}: damaged or incomplete ({reason}); copy or download the file again"
            ) from reason
    try:
        import torch
    except ImportError:
        raise CheckpointError(
            f"{path}: damaged, or a file that only PyTorch can read ({reason})"
        ) from reason
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, KeyError) as error:  # KeyError: the first bytes of a text file
        raise CheckpointError(
            f"{path}: refused: it is no PyTorch file, or holds more than tensors"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path}: damaged or incomplete ({error}); copy or download the file again"
        ) from error
    floats = ("torch.float32", "torch.float16", "torch.bfloat16", "torch.float64")
    tensors = _named(path, content, key, lambda value: str(getattr(value, "dtype", value)), floats)
    return {name: value.to(torch.float32).numpy() for name, value in tensors.items()}
