"""Loading uses every tensor once, or names the one that it can't."""

import re

import numpy as np
import pytest

from mira.errors import CheckpointError
from mira.model.codec.pytorch import TorchCodec
from mira.model.codec.torch_layers import conv
from mira.model.codec.upsampler import Upsampler
from mira.model.codec.weights import Weights
from tests.model.codec.random_weights import random_upsampler, random_weights


def test_missing_tensor_is_named() -> None:
    tensors = random_weights()
    del tensors["prenet.vocos_backbone.convnext.3.dwconv.weight"]
    with pytest.raises(
        CheckpointError,
        match=r"prenet.vocos_backbone.convnext.3.dwconv.weight: "
        r"expected shape \[24, 1, 7\]; found none",
    ):
        TorchCodec(tensors)


def test_wrong_shape_is_named_with_both() -> None:
    tensors = random_weights()
    tensors["decoder.model.2.block.3.block.1.weight"] = np.zeros((12, 12, 5), np.float32)
    with pytest.raises(
        CheckpointError,
        match=r"decoder.model.2.block.3.block.1.weight: "
        r"expected shape \[12, 12, 7\]; found \[12, 12, 5\]",
    ):
        TorchCodec(tensors)


def test_leftover_is_named_with_its_shape() -> None:
    tensors = random_weights() | {"prenet.surprise.weight": np.zeros((2, 3), np.float32)}
    with pytest.raises(CheckpointError, match=r"found prenet.surprise.weight \[2, 3\]"):
        TorchCodec(tensors)


def test_every_tensor_counts() -> None:
    """Without any one of them loading fails: none is read by halves or given a default."""
    tensors = random_weights(backbone_blocks=1)
    kinds = {re.sub(r"\d+", "N", name): name for name in tensors}  # one of each, it takes long
    for name in kinds.values():
        if name.endswith("num_batches_tracked"):
            continue
        without = {other: values for other, values in tensors.items() if other != name}
        with pytest.raises(CheckpointError):
            TorchCodec(without)


def test_what_only_training_needs_may_be_there() -> None:
    extra = ["postnet.linear.weight", "quantizer.cluster_size", "encoder.project.bias"]
    extra += ["speaker_encoder.speaker_encoder.pool.linear1.weight"]
    TorchCodec(random_weights() | {name: np.zeros(1, np.float32) for name in extra})


def test_networks_that_do_not_meet_are_refused() -> None:
    """Each fits within itself, so only their joint shows it."""
    tensors = random_weights()
    tensors["decoder.model.0.weight"] = np.zeros((48, 21, 7), np.float32)
    with pytest.raises(CheckpointError, match=r"'decoder.model.0': 21"):
        TorchCodec(tensors)


def test_upsampler_is_as_strict() -> None:
    tensors = random_upsampler()
    del tensors["dec.conv_post.weight"]
    with pytest.raises(CheckpointError, match=r"dec.conv_post.weight: .* found none"):
        Upsampler(tensors)
    tensors = random_upsampler() | {"dec.extra": np.zeros(1, np.float32)}
    with pytest.raises(CheckpointError, match=r"dec\.extra"):
        Upsampler(tensors)


def test_second_use_is_an_error() -> None:
    weights = Weights({"a.weight": np.zeros((1, 1, 1)), "a.bias": np.zeros(1)})
    conv(weights.at("a"), None, None, None)
    with pytest.raises(CheckpointError, match=r"a.weight: .* second use"):
        conv(weights.at("a"), None, None, None)


def test_children_are_counted_from_zero_without_a_gap() -> None:
    names = ["x.0.a", "x.1.a", "x.1.b", "x.3.a", "x.y.a", "xx.2.a"]
    assert Weights({name: np.zeros(1) for name in names}).count("x") == 2
