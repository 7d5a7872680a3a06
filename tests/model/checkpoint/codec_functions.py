"""A checkpoint's codec as the plain functions that `check_codec` takes."""

from collections.abc import Mapping

from mira.model.checkpoint.selfcheck import Prenet, SpeakerEncoder
from mira.model.checkpoint.tensors import Array
from mira.model.codec.pytorch import TorchCodec


def codec_functions(weights: Mapping[str, Array]) -> tuple[Prenet, SpeakerEncoder]:
    codec = TorchCodec(weights)
    return codec.prenet, codec.encode_mel
