"""A codec out of networks, whatever computes them: how spans are cut for each of them.

Knows nothing about streams or files. Source: BiCodec, Spark-TTS, arXiv:2503.01710.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mira.model.codec.base import (
    SAMPLES_PER_FRAME,
    UPSAMPLER_CONTEXT,
    WAVE_CONTEXT,
    Span,
    Speaker,
    check_global_tokens,
    check_speech_tokens,
)
from mira.model.codec.reference import SAMPLE_RATE, mel_of
from mira.model.codec.upsampler import FACTOR
from mira.types import Samples

Network = Literal["speaker_encoder", "speaker", "prenet", "wave_generator", "upsampler"]
Item = tuple[Any, ...]
"""Arrays of NumPy or of the library that computes; the last dimension of the first is a length."""
Edges = tuple[int, int]
"""Where something begins in an array, and one past its end."""


class NetworkCodec(ABC):
    """A `Codec` that finds no speech tokens in a recording; a subclass may.

    Args:
        upsamples: To 48 kHz, with the network of this name.
    """

    failure = ""  # a pass that breaks leaves nothing behind

    def __init__(self, upsamples: bool) -> None:
        self._upsamples = upsamples
        factor = FACTOR if upsamples else 1
        self.sample_rate = SAMPLE_RATE * factor
        self.samples_per_frame = SAMPLES_PER_FRAME * factor

    def encode(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        """Find the global tokens of whoever speaks in a reference recording: see `Codec`."""
        return tuple(self.encode_mel(mel_of(samples, sample_rate)).tolist())

    def encode_mel(self, mel: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        """[mel frames, 128] magnitudes -> [32] global tokens: `encode` behind its spectrogram."""
        (tokens,) = self._compute("speaker_encoder", mel)
        return tokens.flatten().astype(np.int64)

    def speech_tokens(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        """Find none: see `Codec`."""
        return ()

    def speaker(self, global_tokens: Sequence[int]) -> Speaker:
        """Compute what depends on the voice alone: see `Codec`."""
        check_global_tokens(global_tokens)
        return Speaker(*self._compute("speaker", np.array(global_tokens, np.int64)))

    def prenet(
        self, speech_tokens: npt.NDArray[np.int64], global_tokens: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """[frames] speech tokens, [32] global tokens -> [channels, frames]: half of `decode`."""
        check_speech_tokens(speech_tokens.tolist())
        voice = self.speaker(global_tokens.tolist())
        (frames,) = self._compute("prenet", speech_tokens, voice.d_vector, voice.scale, voice.shift)
        return frames

    def decode(self, spans: Sequence[Span]) -> list[Samples]:
        """Render spans of any streams, speakers and lengths together: see `Codec`."""
        for span in spans:
            check_speech_tokens(span.tokens)
        return self._render(spans) if spans else []

    def close(self) -> None:  # noqa: B027 - it is what all do
        """Do nothing: nothing runs for it. See `Codec`."""

    @abstractmethod
    def _compute(self, network: Network, *inputs: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Run a network on one item; its outputs are the caller's own."""

    @abstractmethod
    def _render(self, spans: Sequence[Span]) -> list[Samples]:
        """Render spans, one or more: `_blocks`, as NumPy's arrays."""

    @abstractmethod
    def _prenet_item(self, span: Span) -> Item:
        """Gather what the prenet reads."""

    @abstractmethod
    def _run(self, network: Network, items: Sequence[Item], ending: Sequence[bool]) -> list[Any]:
        """Run a network on items of any lengths.

        Args:
            ending: Whether nothing but silence follows an item, so that its end can be heard.
        """

    def _blocks(self, spans: Sequence[Span]) -> list[Any]:
        """Compute the samples of each span."""
        sounds, edges = self._waves(spans)
        if self._upsamples:
            sounds, edges = self._cut("upsampler", sounds, edges, UPSAMPLER_CONTEXT, FACTOR)
        return [sound[start:stop] for sound, (start, stop) in zip(sounds, edges)]

    def _waves(self, spans: Sequence[Span]) -> tuple[list[Any], list[Edges]]:
        """Compute the samples of each span at 16 kHz, some around them, and their edges."""
        # Two rates: the cheap prenet sees all the context, the dear wave generator only its own.
        items = [self._prenet_item(span) for span in spans]
        frames = self._run("prenet", items, [True] * len(items))
        edges = [(span.start, span.stop) for span in spans]
        return self._cut("wave_generator", frames, edges, WAVE_CONTEXT, SAMPLES_PER_FRAME)

    def _cut(
        self,
        network: Network,
        arrays: Sequence[Any],
        edges: Sequence[Edges],
        context: int,
        rate: int,
    ) -> tuple[list[Any], list[Edges]]:
        """Run a network on what lies between edges, and on `context` values on either side.

        Returns:
            Its outputs, each `rate` times as long, and where the edges are in them.
        """
        firsts = [max(0, start - context) for start, _ in edges]
        lasts = [stop + context for _, stop in edges]
        items = [(array[..., i:j],) for array, i, j in zip(arrays, firsts, lasts)]
        ending = [last > array.shape[-1] for array, last in zip(arrays, lasts)]
        return self._run(network, items, ending), [
            ((start - first) * rate, (stop - first) * rate)
            for first, (start, stop) in zip(firsts, edges)
        ]
