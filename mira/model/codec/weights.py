"""Tensors by name in, each of them used once out, or it is an error.

Names are those of Spark-TTS' `BiCodec/model.safetensors`, weight norm fused. A layer's sizes are
the sizes of its tensors, so a tiny checkpoint takes the same way as the published one.

Knows nothing about files, or what computes with the tensors: PyTorch or OpenVINO.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from mira.errors import CheckpointError

Tensors = Mapping[str, npt.NDArray[np.generic]]
Array = npt.NDArray[np.float32]

FSQ_LEVELS = 4  # values that each dimension of a global token can take
SPEAKER_HEADS = 8  # of the attention that sums a recording up
SPEAKER_DILATIONS = (2, 3, 4)  # of the blocks that hear it
UNIT_DILATIONS = (1, 3, 9)  # of the residual units of a block of the wave generator
UPSAMPLER_DILATIONS = (1, 3, 5)
UPSAMPLER_BLOCKS = (0, 2)
UPSAMPLER_TAPS = 12  # of the filters that double and halve the rate

_NOT_USED = (
    "postnet.",  # training only
    "quantizer.cluster_size",  # training only
    "speaker_encoder.speaker_encoder.pool.",  # these three make an x-vector, which nothing reads
    "speaker_encoder.speaker_encoder.bn.",
    "speaker_encoder.speaker_encoder.linear.",
    "encoder.",  # these two make speech tokens of a recording: semantic.py
    "quantizer.in_project.",
)


class Weights:
    """A mapping of tensors that keeps account of what was taken from it."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self._left = set(tensors)
        self._path = ""

    def at(self, *path: str | int) -> "Weights":
        """The tensors whose names begin with `path`, taken from the same account."""
        inner = Weights({})
        inner._tensors, inner._left = self._tensors, self._left
        inner._path = self._path + "".join(f"{part}." for part in path)
        return inner

    def take(self, name: str, *shape: int | None) -> Array:
        """A float32 copy of one tensor.

        Args:
            shape: The size of each dimension; None accepts any.

        Raises:
            CheckpointError: The tensor is missing, was taken before or has another shape.
        """
        name = self._path + name
        expected = f"[{', '.join('any' if size is None else str(size) for size in shape)}]"
        if name not in self._tensors:
            raise CheckpointError(f"{name}: expected shape {expected}; found none")
        if name not in self._left:
            raise CheckpointError(f"{name}: expected to be used once; found a second use")
        found = self._tensors[name].shape
        if len(found) != len(shape) or any(
            want not in (None, have) for want, have in zip(shape, found, strict=True)
        ):
            raise CheckpointError(f"{name}: expected shape {expected}; found {list(found)}")
        self._left.remove(name)
        return np.array(self._tensors[name], np.float32, order="C")

    def shape(self, name: str, dimensions: int) -> tuple[int, ...]:
        """The sizes of a tensor that is yet to be taken.

        Raises:
            CheckpointError: It is missing or has another number of dimensions.
        """
        name = self._path + name
        found = self._tensors[name].shape if name in self._tensors else ()
        if len(found) != dimensions:
            raise CheckpointError(
                f"{name}: expected {dimensions} dimensions; found {list(found) or 'none'}"
            )
        return found

    def count(self, *path: str | int) -> int:
        """How many children of `path` are numbered 0, 1, 2, …"""
        prefix = self.at(*path)._path
        names = (name[len(prefix) :] for name in self._tensors if name.startswith(prefix))
        children = {name.partition(".")[0] for name in names}
        return next(i for i in range(len(children) + 1) if str(i) not in children)

    def skip(self, *starts: str) -> None:
        """Give up the tensors whose names begin so: published, but of no use here."""
        beginnings = tuple(self._path + start for start in starts)
        self._left -= {name for name in self._left if name.startswith(beginnings)}

    def finish(self) -> None:
        """Raise CheckpointError if a tensor was neither taken nor skipped."""
        if self._left:
            shapes = [f"{name} {list(self._tensors[name].shape)}" for name in sorted(self._left)]
            more = f" and {len(shapes) - 5} more" if len(shapes) > 5 else ""
            raise CheckpointError(
                f"expected no further tensors; found {', '.join(shapes[:5])}{more}"
            )


def bicodec(tensors: Tensors) -> Weights:
    """What speaking and recognising a speaker need; `finish` it when all networks are built."""
    weights = Weights({n: t for n, t in tensors.items() if not n.endswith("num_batches_tracked")})
    weights.skip(*_NOT_USED)
    return weights


def upsampler(tensors: Tensors) -> Weights:
    """FlashSR's; `finish` it when the network is built."""
    weights = Weights(tensors)
    weights.skip("dec.resblocks.1.")  # trained, then left out of the published forward pass
    return weights


def stride_of(kernel: int) -> int:
    """By how much a block of the wave generator raises the rate: 16, 11, 8, 4 by 8, 5, 4, 2."""
    return kernel // 2


def norm_paths(weights: Weights) -> list[tuple[str | int, ...]]:
    """Where a backbone's inner norms are: the embedding's, then each block's."""
    blocks = weights.count("convnext")
    return [("norm",), *(("convnext", i, "norm") for i in range(blocks))]
