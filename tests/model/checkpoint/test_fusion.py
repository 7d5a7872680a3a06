"""Weight norm: equal to PyTorch's own, for every kind of layer that has it."""

import numpy as np
import pytest
import torch
from torch import nn

from mira.errors import CheckpointError
from mira.model.checkpoint.fusion import fuse_weight_norm


@pytest.mark.parametrize(
    "layer", [nn.Conv1d(5, 3, 7), nn.ConvTranspose1d(6, 3, 4), nn.Linear(4, 2)]
)
@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_equals_torch(layer: nn.Module) -> None:
    normed = nn.utils.weight_norm(layer)
    with torch.no_grad():
        normed.weight_g.mul_(torch.rand_like(normed.weight_g) + 0.5)
    stored = {f"a.{name}": values.numpy() for name, values in normed.state_dict().items()}
    nn.utils.remove_weight_norm(normed)
    fused = fuse_weight_norm(stored, "file")
    assert fused.keys() == {"a.weight", "a.bias"}
    np.testing.assert_allclose(fused["a.weight"], normed.weight.detach().numpy(), rtol=1e-6)


def test_plain_tensors_pass() -> None:
    plain = {"a.weight": np.ones((2, 2), np.float32), "weight_gain": np.ones(1, np.float32)}
    assert fuse_weight_norm(plain, "file") == plain


@pytest.mark.parametrize("half", ["g", "v"])
def test_half_a_pair_is_named(half: str) -> None:
    other = "v" if half == "g" else "g"
    with pytest.raises(CheckpointError, match=rf"file: a\.weight_{other}: expected a tensor"):
        fuse_weight_norm({f"a.weight_{half}": np.ones((2, 1, 1), np.float32)}, "file")


def test_wrong_lengths_are_named() -> None:
    v = np.ones((2, 3, 4), np.float32)
    with pytest.raises(CheckpointError, match=r"weight_g: expected shape \(2, 1, 1\)"):
        fuse_weight_norm({"a.weight_g": np.ones((1, 3, 1), np.float32), "a.weight_v": v}, "f")
    v[1] = 0
    with pytest.raises(CheckpointError, match="zero vector"):
        fuse_weight_norm({"a.weight_g": np.ones((2, 1, 1), np.float32), "a.weight_v": v}, "f")
