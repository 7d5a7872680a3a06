"""Weight-normalised tensors in, plain ones out.

Knows nothing about files. Source: Salimans and Kingma, Weight Normalization, arXiv:1602.07868.
"""

from collections.abc import Mapping

import numpy as np

from mira.model.checkpoint.tensors import Array, unexpected


def fuse_weight_norm(tensors: Mapping[str, Array], where: str) -> dict[str, Array]:
    """Replace every `*.weight_g`, `*.weight_v` by `*.weight` = v * g / |v|.

    The norm runs over every axis but the first, for transposed convolutions too, so there g is
    [channels in, 1, 1].

    Args:
        tensors: By name; the plain ones among them are passed on.
        where: The file to name in an error.

    Raises:
        CheckpointError: One half of a pair is missing, of another shape, or v has length zero.
    """
    fused: dict[str, Array] = {}
    for name, values in tensors.items():
        stem, _, half = name.rpartition(".weight_")
        if half not in ("g", "v") or not stem:
            fused[name] = values
            continue
        other = f"{stem}.weight_{'v' if half == 'g' else 'g'}"
        if other not in tensors:
            raise unexpected(where, other, f"a tensor beside {name}", "none")
        if half == "v":
            fused[f"{stem}.weight"] = _fuse(tensors[other], values, where, stem)
    return fused


def _fuse(g: Array, v: Array, where: str, stem: str) -> Array:
    expected = (v.shape[0], *(1 for _ in v.shape[1:]))
    if g.shape != expected:
        raise unexpected(where, f"{stem}.weight_g", f"shape {expected}", g.shape)
    norm = np.sqrt(np.square(v).sum(axis=tuple(range(1, v.ndim)), keepdims=True))
    if not norm.all():
        raise unexpected(where, f"{stem}.weight_v", "directions", "a zero vector")
    return np.asarray(v * (g / norm), dtype=np.float32)
