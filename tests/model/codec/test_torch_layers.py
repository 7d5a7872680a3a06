"""What networks keep of their tensors, and what fills an item up is never heard."""

import numpy as np
import pytest
import torch
from torch import Tensor

from mira.model.codec.torch_layers import TorchLayers, TorchNetwork

TENSORS = {"a.weight": np.ones((2, 2), np.float32), "a.bias": np.zeros(2, np.float32)}


def doubled(nn: TorchLayers, x: Tensor) -> Tensor:
    return nn.linear(x, "a") * nn.at("b").constant("two", lambda: np.array([2.0]))


def test_a_network_has_its_own_copy_of_what_it_needs() -> None:
    tensors = {name: values.copy() for name, values in TENSORS.items()}
    network = TorchNetwork(doubled, tensors, [torch.zeros(1, 2)])
    tensors["a.weight"][:] = np.nan
    assert network(torch.ones(1, 2)).tolist() == [[4, 4]]
    assert not network._tensors


def test_another_precision_is_another_network() -> None:
    network = TorchNetwork(doubled, TENSORS, [torch.zeros(1, 2)])
    half = network.to(torch.device("cpu"), torch.float16)
    assert half(torch.ones(1, 2).half()).dtype == torch.float16
    assert network(torch.ones(1, 2)).dtype == torch.float32


@pytest.mark.parametrize("dilation", [1, 3])
def test_a_convolution_keeps_the_length(dilation: int) -> None:
    layers = TorchLayers({"x.weight": np.ones((4, 3, 7)), "x.bias": np.ones(4)})
    assert layers.convolution(torch.ones(1, 3, 9), "x", dilation).shape == (1, 4, 9)


@pytest.mark.parametrize(("kernel", "stride"), [(16, 8), (11, 5), (8, 4), (4, 2)])
def test_a_transposed_one_raises_it_exactly(kernel: int, stride: int) -> None:
    layers = TorchLayers({"x.weight": np.ones((3, 4, kernel)), "x.bias": np.ones(4)})
    assert layers.transposed(torch.ones(1, 3, 9), "x", stride).shape == (1, 4, 9 * stride)
