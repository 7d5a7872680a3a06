"""A PyTorch file in, float32 arrays by name out; needs no PyTorch.

Knows nothing about the model. Unpickling can run code, so every name in a pickle stands for an
inert object, and all that those can make are plain containers and tensors. Source: the format of
`torch.save` since PyTorch 1.6, a ZIP file of a pickle and the bytes of each tensor.
"""

import pickle
import pickletools
import zipfile
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from mira.errors import CheckpointError
from mira.model.checkpoint.tensors import Array, from_bfloat16, reading

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

_INSTRUCTIONS = {
    *("PROTO", "FRAME", "STOP", "MARK", "POP", "MEMOIZE", "BINPUT", "LONG_BINPUT"),
    *("BINGET", "LONG_BINGET", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2"),
    *("LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "EMPTY_TUPLE"),
    *("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT"),
    *("SETITEM", "SETITEMS", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "BINPERSID"),
}
"""All that a file of tensors is written with."""


def read_pickle(path: Path, key: str | None = None) -> dict[str, Array]:
    """Read the tensors below one key of the file's top level, or all of them at that level.

    Raises:
        CheckpointError: The file is missing, damaged, or holds anything but tensors there.
    """
    with reading(path):
        try:
            with zipfile.ZipFile(path) as archive:
                return _tensors(path, archive, key)
        except _Refused as error:
            raise CheckpointError(
                f"{path}: refused: it is no PyTorch file, or holds more than tensors ({error})"
            ) from error
        except zipfile.BadZipFile:
            with path.open("rb") as file:
                if file.read(2) == b"PK":  # PyTorch looks at no checksum: damage would be numbers
                    raise
            return _before_zip(path, key)


class _Refused(Exception):
    """The pickle asks for what no file of tensors needs."""


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
    instructions = archive.read(pickles[0])
    for opcode, _, _ in pickletools.genops(instructions):
        if opcode.name not in _INSTRUCTIONS:
            raise _Refused(f"the instruction {opcode.name}")
    content = _Unpickler(BytesIO(instructions)).load()
    named = _named(path, content, key, lambda value: getattr(value, "dtype", type(value).__name__))
    return {name: tensor.read(archive, folder) for name, tensor in named.items()}


def _named(
    path: Path, content: Any, key: str | None, dtype_of: Callable[[Any], str]
) -> Mapping[str, Any]:
    """Find the values under `key`, all of which have to be tensors of floats."""
    tensors = content.get(key) if key and isinstance(content, dict) else content
    if not isinstance(tensors, dict) or not tensors:
        where = f" under {key!r}" if key else ""
        raise CheckpointError(f"{path}: expected tensors{where}; found none")
    for name, value in tensors.items():
        if (found := dtype_of(value)) not in _FLOATS:
            raise CheckpointError(f"{path}: {name}: expected a float tensor; found {found}")
    return tensors


class _Unpickler(pickle._Unpickler):
    """Makes what a pickle describes of objects of this module alone.

    It is the one in Python, whose steps can be replaced, and whose memory is as large as its use.
    """

    stack: list[Any]
    pop_mark: Callable[[], list[Any]]

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        _put(self.stack[-1], ((key, value),))

    def load_setitems(self) -> None:
        items = self.pop_mark()
        _put(self.stack[-1], zip(items[::2], items[1::2]))

    dispatch: ClassVar[Any] = pickle._Unpickler.dispatch | {
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
    }

    def find_class(self, module: str, name: str) -> "_Name":
        return _Name(f"{module} {name}")  # nothing is imported

    def persistent_load(self, pid: Any) -> "_Storage":
        kind, storage, name, _place, _count = pid
        if kind != "storage" or not isinstance(storage, _Name) or not isinstance(name, str):
            raise _Refused("numbers from elsewhere")  # anything nested could be endless to show
        known = storage.name.removeprefix("torch ")
        if known not in _STORAGES:
            raise _Refused(f"a {storage.name}")
        return _Storage(name, _STORAGES[known])


def _put(into: Any, items: Iterable[tuple[Any, Any]]) -> None:
    for key, value in items:
        if not isinstance(key, str | int):  # to hash what is nested could be endless
            raise _Refused("a name that is no text")
        into[key] = value


# Tuples, since a pickle can set an attribute of any object that has one to set.


class _Name(NamedTuple):
    """A name from some module, that a pickle may only call."""

    name: str

    def __call__(self, *arguments: Any) -> object:
        if self.name == "collections OrderedDict":
            ordered = _Dict()
            _put(ordered, *arguments or ((),))
            return ordered
        if self.name == "torch._utils _rebuild_parameter":
            return arguments[0]
        if self.name != "torch._utils _rebuild_tensor_v2":
            raise _Refused(f"a call of {self.name}")
        storage, offset, shape, strides = arguments[:4]
        if not isinstance(storage, _Storage):
            raise _Refused("a tensor of something else than numbers")
        return _Tensor(storage.name, storage.dtype, offset, shape, strides)


class _Dict(dict[Any, Any]):
    """A dictionary to which a pickle can't add attributes."""

    def __setstate__(self, state: object) -> None:
        """Leave out what is added to a state: the versions of its layers."""


class _Storage(NamedTuple):
    name: str  # of its bytes in the archive
    dtype: str


class _Tensor(NamedTuple):
    """Where a tensor lies; read only if it is wanted."""

    storage: str
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self, archive: zipfile.ZipFile, folder: str) -> Array:
        """Read the numbers as float32.

        Raises:
            ValueError: The archive has fewer bytes than the tensor needs.
        """
        half = self.dtype == "bfloat16"
        kind = np.dtype("<u2" if half else self.dtype).newbyteorder("<")
        stored = archive.read(f"{folder}data/{self.storage}")
        steps = [int(step) * kind.itemsize for step in self.strides]
        # A view, which takes no memory; this checks that all of it lies within what is stored.
        found = np.ndarray(self.shape, kind, stored, int(self.offset) * kind.itemsize, steps)
        if found.nbytes > len(stored):  # repeated by its strides
            raise ValueError("a tensor of more numbers than are stored")
        floats = from_bfloat16(np.ascontiguousarray(found)) if half else found
        return np.array(floats, np.float32)


def _before_zip(path: Path, key: str | None) -> dict[str, Array]:
    """Read what PyTorch wrote before 1.6, which it alone can read, with `weights_only`."""
    try:
        import torch
    except ImportError:
        raise CheckpointError(
            f"{path}: damaged, or a file that only PyTorch can read: install torch"
        ) from None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, KeyError) as error:  # KeyError: the first bytes of a text file
        raise CheckpointError(
            f"{path}: refused: it is no PyTorch file, or holds more than tensors"
        ) from error
    named = _named(
        path, content, key, lambda value: str(getattr(value, "dtype", value)).removeprefix("torch.")
    )
    return {name: value.to(torch.float32).numpy() for name, value in named.items()}
