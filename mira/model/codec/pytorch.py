"""The codec in PyTorch, on any device: what every other implementation is measured against.

`torch_card.py` makes it quick on a card. Knows nothing about files, streams or how weights were
stored. Source: BiCodec, Spark-TTS, arXiv:2503.01710.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mira.errors import CheckpointError, SynthesisFailed
from mira.model.codec.base import (
    UPSAMPLER_CONTEXT,
    WAVE_CONTEXT,
    Span,
    Speaker,
    check_global_tokens,
    check_speech_tokens,
)
from mira.model.codec.bicodec import Prenet, SpeakerVector, WaveGenerator
from mira.model.codec.reference import SAMPLE_RATE, mel_of
from mira.model.codec.semantic import SpeechTokenizer
from mira.model.codec.speaker import SpeakerEncoder
from mira.model.codec.torch_padded import Item, exactly
from mira.model.codec.upsampler import FACTOR, Upsampler
from mira.model.codec.weights import Tensors, bicodec
from mira.types import Samples


class TorchCodec:
    """A `Codec`.

    Args:
        tensors: BiCodec's, by the names of Spark-TTS' `BiCodec/model.safetensors`, weight norm
            fused. Those that speaking doesn't need may be there or not.
        upsampler: FlashSR's, by the names of its `upsampler.pth`, weight norm fused: 48 kHz.
            None: 16 kHz.
        device: Where to compute.
        dtype: Of the decoder. float16 is safe here, unlike in the language model; recognising
            a speaker is float32 always.
        speech_tokenizer: Finds the speech tokens of a recording. None: it has none.

    Raises:
        CheckpointError: A tensor is missing, left over or of another shape.
    """

    def __init__(
        self,
        tensors: Tensors,
        upsampler: Tensors | None = None,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
        speech_tokenizer: SpeechTokenizer | None = None,
    ) -> None:
        networks = load_networks(tensors)
        self._encoder, speaker_vector, prenet, wave_generator = networks
        self._encoder.to(device)
        self._speaker_vector = speaker_vector.to(device)
        self._prenet = prenet.to(device, dtype)
        self._wave_generator = wave_generator.to(device, dtype)
        self._upsampler = Upsampler(upsampler).to(device, dtype) if upsampler is not None else None
        self._device, self._dtype = torch.device(device), dtype
        if self._device.type == "cuda":
            # A token of the speaker is one side of a threshold or the other: not for rounding.
            torch.backends.cudnn.allow_tf32 = False
        self._speech_tokenizer = speech_tokenizer
        factor = FACTOR if self._upsampler else 1
        self.sample_rate = SAMPLE_RATE * factor
        self.samples_per_frame = wave_generator.samples_per_frame * factor

    def encode(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        """Find the global tokens of whoever speaks in a reference recording: see `Codec`."""
        return tuple(self.encode_mel(mel_of(samples, sample_rate)).tolist())

    def speech_tokens(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        """Find the speech tokens of a reference recording: see `Codec`."""
        if self._speech_tokenizer is None:
            return ()
        return self._speech_tokenizer.encode(samples, sample_rate)

    @torch.inference_mode()
    def speaker(self, global_tokens: Sequence[int]) -> Speaker:
        """Compute what depends on the voice alone: see `Codec`."""
        check_global_tokens(global_tokens)
        vectors = self._speaker_vector(torch.tensor([list(global_tokens)], device=self._device))
        return Speaker(*(vector[0].cpu().numpy() for vector in vectors))

    @torch.inference_mode()
    def encode_mel(self, mel: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        """[mel frames, 128] magnitudes -> [32] global tokens: `encode` behind its spectrogram."""
        tokens: npt.NDArray[np.int64] = (
            self._encoder(torch.from_numpy(mel).to(self._device)[None])[0].cpu().numpy()
        )
        return tokens

    @torch.inference_mode()
    def prenet(
        self, speech_tokens: npt.NDArray[np.int64], global_tokens: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """[frames] speech tokens, [32] global tokens -> [channels, frames]: half of `decode`."""
        check_speech_tokens(speech_tokens.tolist())
        tokens, speaker = speech_tokens.tolist(), self.speaker(global_tokens.tolist())
        span = Span(tokens, speaker, 0, len(tokens))
        inputs = [tensor[None] for tensor in self._prenet_inputs(span)]
        frames: npt.NDArray[np.float32] = self._prenet(*inputs)[0].float().cpu().numpy()
        return frames

    @torch.inference_mode()
    def decode(self, spans: Sequence[Span]) -> list[Samples]:
        """Render spans of any streams, speakers and lengths together: see `Codec`."""
        for span in spans:
            check_speech_tokens(span.tokens)
        try:
            return self._render(spans) if spans else []
        except RuntimeError as error:
            raise SynthesisFailed(f"the codec broke: {error}") from error

    @property
    def failure(self) -> str:
        """None: a pass that breaks leaves nothing behind. See `Codec`."""
        return ""

    def close(self) -> None:
        """Nothing runs for it: see `Codec`."""

    def _render(self, spans: Sequence[Span]) -> list[Samples]:
        blocks = self._decode(spans)
        joined = torch.cat(blocks).float().cpu().numpy()  # one copy, if it is off a card
        return np.split(joined, np.cumsum([len(block) for block in blocks[:-1]]))

    def _decode(self, spans: Sequence[Span]) -> list[Tensor]:
        # Two rates: the cheap prenet sees all the context, the dear wave generator only its own.
        frames = self._run(self._prenet, [self._prenet_inputs(span) for span in spans])
        firsts = [max(0, span.start - WAVE_CONTEXT) for span in spans]
        waves = self._run(
            self._wave_generator,
            [
                (frame[:, first : span.stop + WAVE_CONTEXT],)
                for frame, first, span in zip(frames, firsts, spans, strict=True)
            ],
        )
        hop = self._wave_generator.samples_per_frame
        edges = [
            ((span.start - first) * hop, (span.stop - first) * hop)
            for span, first in zip(spans, firsts, strict=True)
        ]
        if self._upsampler is None:
            return [wave[start:stop] for wave, (start, stop) in zip(waves, edges, strict=True)]
        return self._upsample(self._upsampler, waves, edges)

    def _upsample(
        self, upsampler: Upsampler, waves: Sequence[Tensor], edges: Sequence[tuple[int, int]]
    ) -> list[Tensor]:
        firsts = [max(0, start - UPSAMPLER_CONTEXT) for start, _ in edges]
        blocks = self._run(
            upsampler,
            [
                (wave[first : stop + UPSAMPLER_CONTEXT],)
                for wave, first, (_, stop) in zip(waves, firsts, edges, strict=True)
            ],
            [stop + UPSAMPLER_CONTEXT > len(wave) for wave, (_, stop) in zip(waves, edges)],
        )
        return [
            block[(start - first) * FACTOR : (stop - first) * FACTOR]
            for block, first, (start, stop) in zip(blocks, firsts, edges, strict=True)
        ]

    def _run(
        self, network: nn.Module, items: Sequence[Item], ending: Sequence[bool] = ()
    ) -> list[Tensor]:
        """Run one of the networks.

        Args:
            ending: Of the upsampler's items, whether the end of one can be heard: nothing but
                silence follows it.
        """
        return exactly(network, items)

    def _prenet_inputs(self, span: Span) -> Item:
        tokens = torch.tensor(list(span.tokens), device=self._device)
        return (tokens, *self._voice(span.speaker))

    def _voice(self, speaker: Speaker) -> tuple[Tensor, ...]:
        """What the prenet knows of it, where the prenet is."""
        vectors = (speaker.d_vector, speaker.scale, speaker.shift)
        return tuple(torch.from_numpy(vector).to(self._device, self._dtype) for vector in vectors)


def load_networks(tensors: Tensors) -> tuple[SpeakerEncoder, SpeakerVector, Prenet, WaveGenerator]:
    """Build BiCodec's networks, in float32 on the CPU.

    Raises:
        CheckpointError: A tensor is missing, left over or of another shape.
    """
    weights = bicodec(tensors)
    networks = (
        SpeakerEncoder(weights),
        SpeakerVector(weights),
        Prenet(weights),
        WaveGenerator(weights),
    )
    weights.finish()
    _, speaker_vector, prenet, wave_generator = networks
    joints = {
        "speaker_encoder.project": speaker_vector.project.out_features,
        "prenet.linear": prenet.linear.out_features,
        "decoder.model.0": wave_generator.first.in_channels,
    }
    if len(set(joints.values())) > 1:
        raise CheckpointError(f"expected as many channels in each of these, found {joints}")
    return networks
