"""A checkpoint's codec as the plain functions that `onnx_selfcheck` takes."""

from collections.abc import Mapping

import numpy as np
import torch

from mira.model.checkpoint.selfcheck import Ids, Prenet, SpeakerEncoder
from mira.model.checkpoint.tensors import Array
from mira.model.codec.pytorch import load_networks


def codec_functions(weights: Mapping[str, Array]) -> tuple[Prenet, SpeakerEncoder]:
    encoder, speaker_vector, prenet, _ = load_networks(weights)

    @torch.inference_mode()
    def run_prenet(speech: Ids, speaker: Ids) -> Array:
        vectors = speaker_vector(torch.from_numpy(speaker)[None])
        return np.asarray(prenet(torch.from_numpy(speech)[None], *vectors)[0].numpy())

    @torch.inference_mode()
    def run_encoder(mel: Array) -> Ids:
        return np.asarray(encoder(torch.from_numpy(mel)[None])[0].numpy())

    return run_prenet, run_encoder
