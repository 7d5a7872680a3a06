"""Codec noise: the same for a name whatever is drawn beside it, in the published shapes."""

import numpy as np
import pytest

from mira.model.checkpoint.fusion import fuse_weight_norm
from mira.model.checkpoint.schema import CodecDims, codec_shapes, infer_dims
from tools.tiny.codec import TINY, TRUE_UPSAMPLER, codec_noise, upsampler_noise


def test_shapes() -> None:
    noise = codec_noise(TINY, seed=0)
    shapes = {name: values.shape for name, values in noise.items()}
    assert shapes == codec_shapes(TINY, semantic=True)
    assert infer_dims(shapes) == TINY
    assert all(np.isfinite(values).all() for values in noise.values())


def test_depth_codebooks_and_geometry_are_the_published_ones() -> None:
    published = CodecDims()
    for field in ("code", "layers", "mel", "perceiver_layers"):
        assert getattr(TINY, field) == getattr(published, field)


def test_a_tensor_depends_on_seed_and_name_alone() -> None:
    with_encoder, without = codec_noise(TINY, 3), codec_noise(TINY, 3, semantic=False)
    for name, values in without.items():
        np.testing.assert_array_equal(values, with_encoder[name])
    other = codec_noise(TINY, 4, semantic=False)
    assert not any(np.array_equal(other[name], values) for name, values in without.items())


@pytest.mark.parametrize("channels", [4, TRUE_UPSAMPLER])
def test_the_upsampler_has_the_published_names(channels: int) -> None:
    noise = upsampler_noise(channels, seed=0)
    assert len(noise) == 134
    assert noise["dec.conv_pre.weight_g"].shape == (channels, 1, 1)
    assert noise["dec.conv_pre.weight_v"].shape == (channels, 1, 7)
    assert noise["dec.resblocks.2.convs1.0.weight_v"].shape == (channels, channels, 11)
    assert noise["dec.conv_post.weight"].shape == (1, channels, 7)
    assert np.isclose(noise["dec.activation_post.upsample.filter"].sum(), 1, atol=1e-4)
    fuse_weight_norm(noise, "noise")


def test_the_upsampler_has_the_published_size() -> None:
    assert sum(values.size for values in upsampler_noise(TRUE_UPSAMPLER, 0).values()) == 132_360
