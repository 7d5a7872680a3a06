"""A PyTorch pickle in, float32 arrays by name out.

Knows nothing about the model. A pickle can run code while it is read, so it is read with
`weights_only`, which builds tensors and plain containers and refuses everything else.
"""

from pathlib import Path
from pickle import UnpicklingError

from mira.checkpoint.tensors import Array
from mira.errors import CheckpointError


def read_pickle(path: Path, key: str | None = None) -> dict[str, Array]:
    """Read the tensors below one key of the file's top level, or all of them at that level.

    Raises:
        CheckpointError: The file is missing, damaged, or holds anything but tensors there.
    """
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such file") from error
    except (UnpicklingError, KeyError) as error:  # KeyError: the first bytes of a text file
        raise CheckpointError(
            f"{path}: refused: it is no PyTorch file, or holds more than tensors"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path}: damaged or incomplete ({error}); copy or download the file again"
        ) from error
    tensors = content.get(key) if key and isinstance(content, dict) else content
    if not isinstance(tensors, dict) or not tensors:
        where = f" under {key!r}" if key else ""
        raise CheckpointError(f"{path}: expected tensors{where}; found none")
    for name, value in tensors.items():
        if not isinstance(value, torch.Tensor) or not value.is_floating_point():
            found = value.dtype if isinstance(value, torch.Tensor) else type(value).__name__
            raise CheckpointError(f"{path}: {name}: expected a float tensor; found {found}")
    return {name: value.to(torch.float32).numpy() for name, value in tensors.items()}
