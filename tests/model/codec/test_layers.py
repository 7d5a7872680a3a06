"""The networks read exactly the tensors that loading a checkpoint requires."""

import numpy as np
import pytest
import torch

from mira.model.checkpoint.schema import codec_shapes, upsampler_shapes
from mira.model.codec.decoder import prenet, speaker_vector, wave_generator
from mira.model.codec.encoder import semantic_scores, speaker_encoder
from mira.model.codec.layers import Array
from mira.model.codec.torch_layers import TorchLayers
from mira.model.codec.upsampler import upsampler
from tools.tiny.codec import TINY


class Recorded(TorchLayers):
    """Knows what was taken."""

    def __init__(self, names: dict[str, tuple[int, ...]]) -> None:
        super().__init__({name: np.ones(shape, np.float32) for name, shape in names.items()})
        self.taken: set[str] = set()

    def take(self, name: str) -> Array:
        self.taken.add(self._path + name)
        return super().take(name)


@pytest.mark.parametrize("semantic", [False, True])
def test_every_tensor_that_a_codec_must_have_counts(semantic: bool) -> None:
    shapes = codec_shapes(TINY, semantic)
    layers, nobody = Recorded(shapes), torch.zeros(1, 32, dtype=torch.int64)
    frames = prenet(layers, nobody, *speaker_vector(layers, nobody))
    assert wave_generator(layers, frames).shape == (1, 32 * 320)
    assert speaker_encoder(layers, torch.zeros(1, 5, TINY.mel)).shape == (1, 32, 1)
    if semantic:
        semantic_scores(layers, torch.zeros(1, 5, TINY.features))
    assert layers.taken == set(shapes)


def test_every_tensor_that_an_upsampler_must_have_counts() -> None:
    """But those of the block that is left out."""
    shapes = upsampler_shapes(4)
    layers = Recorded(shapes)
    assert upsampler(layers, torch.zeros(1, 20)).shape == (1, 60)
    assert layers.taken == {name for name in shapes if "resblocks.1." not in name}


def test_parts_are_found_by_number_without_a_gap() -> None:
    names = ["x.0.a", "x.1.a", "x.1.b", "x.3.a", "x.y.a", "xx.2.a", "z.x.0.a"]
    layers = TorchLayers({name: np.full(1, number) for number, name in enumerate(names)})
    assert [part.take("a").tolist() for part in layers.each("x", "a")] == [[0], [1]]
    assert [part.take("a").tolist() for part in layers.at("z").each("x", "a")] == [[6]]
    assert layers.at("x", 1).take("b").dtype == np.float32
