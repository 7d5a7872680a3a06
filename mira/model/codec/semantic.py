"""A reference recording in, the speech tokens that it would be spoken with out.

They prompt the language model with how the voice was speaking; cloning a voice does without.

Knows nothing about prompts or files. Source: BiCodec, Spark-TTS, arXiv:2503.01710; the features
are those of wav2vec2-large-xlsr-53, arXiv:2006.13979.
"""

from typing import Any

import numpy as np
import torch

from mira.errors import CheckpointError, InvalidRequest
from mira.model.codec.encoder import semantic_scores
from mira.model.codec.layers import Tensors
from mira.model.codec.reference import prepare
from mira.model.codec.torch_layers import TorchNetwork
from mira.types import Samples

_LAYERS = (11, 14, 16)  # of wav2vec2, whose mean BiCodec was trained on; 0 is the embedding
WAV2VEC2_LAYERS = _LAYERS[-1] + 1
"""How many of its 24 layers have to be there. One more than is read: behind the last layer some
versions of transformers hand out what the final norm made of it."""
_SHORTEST = 400  # samples that wav2vec2 makes one frame of


class SpeechTokenizer:
    """A whole recording to speech tokens.

    Args:
        wav2vec2: transformers' `Wav2Vec2Model`, in evaluation mode and on `device`.
        tensors: BiCodec's, `encoder.*` among them.
        device: Where to compute.

    Raises:
        CheckpointError: This wav2vec2 has other features than the encoder reads.
    """

    def __init__(self, wav2vec2: Any, tensors: Tensors, device: str | torch.device = "cpu") -> None:
        channels = tensors["encoder.encoder.embed.weight"].shape[1]
        if (found := wav2vec2.config.hidden_size) != channels:
            raise CheckpointError(
                f"wav2vec2: expected features of {channels} channels; found {found}"
            )
        self._wav2vec2 = wav2vec2
        self._scores = semantic_network(tensors).to(torch.device(device))
        self._device = device

    @torch.inference_mode()
    def encode(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        """Find the speech tokens of a recording.

        Args:
            samples: [num_samples] mono, in [-1, 1].
            sample_rate: Of `samples`, in Hz.

        Returns:
            One id for each frame, each in [0, SPEECH_CODES).

        Raises:
            InvalidRequest: The recording is too short, or not made of finite numbers.
        """
        recording = prepare(samples, sample_rate)
        if len(recording) < _SHORTEST:
            raise InvalidRequest("The reference recording is shorter than one frame.", "samples")
        # Zero mean and unit variance, as wav2vec2 was trained on.
        standard = (recording - recording.mean()) / np.sqrt(recording.var() + 1e-7)
        heard = torch.from_numpy(standard.astype(np.float32))[None].to(self._device)
        states = self._wav2vec2(heard, output_hidden_states=True).hidden_states
        features = torch.stack([states[i] for i in _LAYERS]).mean(0).float()
        return tuple(self._scores(features)[0].argmax(-1).tolist())


def semantic_network(tensors: Tensors) -> TorchNetwork:
    """Build the network between wav2vec2's features and the scores of all speech tokens."""
    channels = tensors["encoder.encoder.embed.weight"].shape[1]
    return TorchNetwork(semantic_scores, tensors, [torch.zeros(1, 1, channels)])
