"""Layers keep the length, or raise it exactly; what they are made of is used once."""

import numpy as np
import pytest
import torch

from mira.errors import CheckpointError
from mira.model.codec.torch_layers import conv, conv_transpose, linear
from mira.model.codec.weights import Weights


def weights(**shapes: tuple[int, ...]) -> Weights:
    return Weights({name: np.ones(shape, np.float32) for name, shape in shapes.items()})


@pytest.mark.parametrize("dilation", [1, 3])
def test_a_convolution_keeps_the_length(dilation: int) -> None:
    layer = conv(weights(weight=(4, 3, 7), bias=(4,)), None, 3, 7, dilation=dilation)
    assert layer(torch.ones(1, 3, 9)).shape == (1, 4, 9)


def test_a_transposed_one_raises_it_exactly() -> None:
    for kernel, stride in ((16, 8), (11, 5), (8, 4), (4, 2)):
        layer = conv_transpose(weights(weight=(3, 4, kernel), bias=(4,)), 3, None, kernel, stride)
        assert layer(torch.ones(1, 3, 9)).shape == (1, 4, 9 * stride)


def test_a_second_use_is_an_error() -> None:
    tensors = weights(weight=(2, 2), bias=(2,))
    assert not linear(tensors, None, None).weight.requires_grad
    with pytest.raises(CheckpointError, match="second use"):
        linear(tensors, None, None)
