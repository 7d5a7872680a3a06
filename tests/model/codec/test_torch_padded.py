"""Law: an item in a pass with others comes out as if it were alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis.strategies import integers, lists
from torch import Tensor

from mira.model.codec.networks import Item
from mira.model.codec.torch_layers import TorchLayers, TorchNetwork
from mira.model.codec.torch_padded import Padded, exactly
from mira.model.cuda import Passes

LENGTHS = (4, 8, 16)
AT_ONCE = 40


SHAPES = {
    "first": (6, 3, 7),
    "depthwise": (6, 1, 7),
    "pointwise": (6, 6, 1),
    "raised": (6, 4, 11),
    "dilated": (2, 4, 7),
}
PASSES: list[tuple[int, ...]] = []


def toy(nn: TorchLayers, x: Tensor, voice: Tensor) -> Tensor:
    """Convolutions of every kind that the codec has, at two rates, with biases."""
    PASSES.append(tuple(x.shape))
    x = nn.convolution(nn.convolution(x, "first"), "depthwise", depthwise=True)
    x = nn.convolution(x.exp(), "pointwise") + voice[..., None]
    return nn.convolution(nn.transposed(x, "raised", 5).tanh(), "dilated", 3)


@pytest.fixture(scope="module")
def network() -> TorchNetwork:
    random = np.random.default_rng(0)
    tensors = {f"{name}.weight": 0.3 * random.standard_normal(s) for name, s in SHAPES.items()}
    outputs = {"raised": 4, "dilated": 2}
    tensors |= {f"{name}.bias": random.standard_normal(outputs.get(name, 6)) for name in SHAPES}
    first, voice = item(1)
    return TorchNetwork(toy, tensors, [first[None], voice[None]])


@pytest.fixture(scope="module")
def padded(network: TorchNetwork) -> Padded:
    passes = Passes(torch.device("cpu"), "toy")
    padded = Padded(network, item(1), LENGTHS, AT_ONCE, passes)
    with torch.inference_mode():
        passes.record(padded.shapes(), 9)
    return padded


def item(length: int) -> Item:
    random = torch.Generator().manual_seed(length)
    return torch.randn(3, length, generator=random), torch.randn(6, generator=random)


def together(padded: Padded, items: list[Item]) -> list[Tensor]:
    return padded(items, [True] * len(items))


@settings(max_examples=30)
@given(lengths=lists(integers(1, 20), max_size=14))
def test_together_as_alone(network: TorchNetwork, padded: Padded, lengths: list[int]) -> None:
    items = [item(length) for length in lengths]
    with torch.inference_mode():
        for found, one in zip(together(padded, items), items, strict=True):
            torch.testing.assert_close(found, exactly(network, [one])[0], atol=1e-5, rtol=1e-5)


def test_few_passes_of_few_shapes(network: TorchNetwork, padded: Padded) -> None:
    """Five share a pass of at most 40 frames by twos; what is too long goes alone."""
    PASSES.clear()
    with torch.inference_mode():
        together(padded, [item(length) for length in (9, 20, 10, 3, 16, 2, 12, 11, 4)])
    assert sorted(PASSES) == [(1, 3, 16), (1, 3, 20), (2, 3, 16), (2, 3, 16), (4, 3, 4)]


def test_what_was_there_before_does_not_matter(network: TorchNetwork, padded: Padded) -> None:
    """Not even what is infinite."""
    loud = torch.full((3, 16), torch.inf)
    with torch.inference_mode():
        (expected,) = together(padded, [item(9)])
        together(padded, [(loud, item(1)[1])])
        (found,) = together(padded, [item(9)])
    torch.testing.assert_close(found, expected, atol=0, rtol=0)


def test_what_it_returns_stays(padded: Padded) -> None:
    with torch.inference_mode():
        (first,) = together(padded, [item(6)])
        before = first.clone()
        together(padded, [item(7)])
    assert torch.equal(first, before)


def test_uncut_only_what_is_near_the_end_differs(network: TorchNetwork) -> None:
    """In frames: 3 + 3 of the convolutions before it is upsampled, and 2 + 1 after that."""
    padded = Padded(network, item(1), (64,), 64, Passes(torch.device("cpu"), "toy"), cut=False)
    with torch.inference_mode():
        (found,) = padded([item(40)], [False])
        (ending,) = padded([item(40)], [True])
        (expected,) = exactly(network, [item(40)])
    torch.testing.assert_close(found[:, : 31 * 5], expected[:, : 31 * 5], atol=1e-5, rtol=1e-5)
    assert (found[:, 37 * 5 :] - expected[:, 37 * 5 :]).abs().max() > 1e-3
    torch.testing.assert_close(ending, expected)
