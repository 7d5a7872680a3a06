"""A reference recording in, the speech tokens that it would be spoken with out.

They prompt the language model with how the voice was speaking; cloning a voice does without.

Knows nothing about prompts or files. Source: BiCodec, Spark-TTS, arXiv:2503.01710; the features
are those of wav2vec2-large-xlsr-53, arXiv:2006.13979.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mira.errors import CheckpointError, InvalidRequest
from mira.model.codec.base import SPEECH_CODES
from mira.model.codec.reference import prepare
from mira.model.codec.torch_layers import conv, linear, tensor
from mira.model.codec.vocos import Backbone
from mira.model.codec.weights import Tensors, Weights
from mira.types import Samples

_LAYERS = (11, 14, 16)  # of wav2vec2, whose mean BiCodec was trained on; 0 is the embedding
WAV2VEC2_LAYERS = _LAYERS[-1] + 1
"""How many of its 24 layers have to be there. One more than is read: behind the last layer some
versions of transformers hand out what the final norm made of it."""
_SHORTEST = 400  # samples that wav2vec2 makes one frame of


class SemanticEncoder(nn.Module):
    """wav2vec2's features to speech tokens; 57 frames of context on each side.

    Args:
        tensors: `encoder.*` and `quantizer.*` of BiCodec, weight norm fused. Others are ignored:
            the decoder's loader accounts for them.

    Raises:
        CheckpointError: A tensor is missing, left over or of another shape.
    """

    def __init__(self, tensors: Tensors) -> None:
        super().__init__()
        own = ("encoder.", "quantizer.codebook.", "quantizer.in_project.")
        weights = Weights({name: t for name, t in tensors.items() if name.startswith(own)})
        encoder, quantizer = weights.at("encoder"), weights.at("quantizer")
        self.first = Backbone(encoder.at("encoder"))
        self.channels = self.first.adaptive.embed.in_channels  # of the features
        dim = self.first.adaptive.dim
        self.samplers = nn.ModuleList(
            Backbone(encoder.at("downsample", i, 1), dim)
            for i in range(encoder.count("downsample"))
        )
        self.project = linear(encoder.at("project"), None, dim)
        self.in_project = conv(quantizer.at("in_project"), None, self.project.out_features, 1)
        codebook = tensor(quantizer, "codebook.weight", SPEECH_CODES, self.in_project.out_channels)
        self.directions = nn.Parameter(F.normalize(codebook).T.contiguous(), False)
        weights.finish()

    def forward(self, features: Tensor) -> Tensor:
        """[batch, frames, channels] -> [batch, frames] int64, the nearest codes by cosine."""
        x = self.first(features.transpose(1, 2))
        for sampler in self.samplers:
            # A sampling block of ratio 1 adds its input, its skip and its output: three times x.
            x = sampler(3 * x.transpose(1, 2))
        codes = self.in_project(self.project(x).transpose(1, 2)).transpose(1, 2)
        # A row's direction is all that counts, so the longest projection is the nearest row.
        nearest: Tensor = (codes @ self.directions).argmax(-1)
        return nearest


class HiddenStates(Protocol):
    """What is needed of transformers' `Wav2Vec2Model`."""

    @property
    def config(self) -> Any:
        """Has the `hidden_size`."""

    def __call__(self, input_values: Tensor, *, output_hidden_states: bool) -> object: ...


class SpeechTokenizer:
    """A whole recording to speech tokens.

    Args:
        wav2vec2: transformers' `Wav2Vec2Model`, in evaluation mode and on `device`.
        encoder: On `device`.

    Raises:
        CheckpointError: This wav2vec2 has other features than the encoder reads.
    """

    def __init__(
        self,
        wav2vec2: HiddenStates,
        encoder: SemanticEncoder,
        device: str | torch.device = "cpu",
    ) -> None:
        if (found := wav2vec2.config.hidden_size) != encoder.channels:
            raise CheckpointError(
                f"wav2vec2: expected features of {encoder.channels} channels; found {found}"
            )
        self._wav2vec2 = wav2vec2
        self._encoder = encoder
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
        standard = _standardize(recording)
        output = self._wav2vec2(
            torch.from_numpy(standard)[None].to(self._device), output_hidden_states=True
        )
        states: tuple[Tensor, ...] = output.hidden_states  # type: ignore[attr-defined]
        features = torch.stack([states[i] for i in _LAYERS]).mean(0).float()
        return tuple(self._encoder(features)[0].tolist())


def _standardize(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Zero mean and unit variance, as wav2vec2 was trained on."""
    centred = samples - samples.mean()
    standard: npt.NDArray[np.float32] = (centred / np.sqrt(samples.var() + 1e-7)).astype(np.float32)
    return standard
