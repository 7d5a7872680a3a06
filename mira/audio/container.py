"""Samples in, bytes of a container out, through one FFmpeg encoder and muxer.

Knows nothing about formats' names; never touches a file.
"""

from fractions import Fraction
from typing import cast
from weakref import finalize

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags

from mira.audio.formats import Codec
from mira.audio.pcm import finite, to_s16
from mira.errors import SynthesisFailed
from mira.types import Samples


class _Memory:
    """What the muxer writes into: a file that can't seek."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, written: bytes) -> int:
        self._written.append(written)
        return len(written)

    def take(self) -> bytes:
        taken = b"".join(self._written)
        self._written.clear()
        return taken


class ContainerWriter:
    """One encoder and one muxer for the life of a stream. Used once, then dropped.

    Args:
        codec: Which, and how.
        sample_rate: Hz, one that the codec takes.
    """

    def __init__(self, codec: Codec, sample_rate: int) -> None:
        self._memory = _Memory()
        self._sample_format = codec.sample_format
        self._sample_rate = sample_rate
        self._num_samples = 0
        self._container = av.open(
            self._memory,
            "w",
            format=codec.muxer,
            # Every packet leaves at once, and nothing is written that differs between two runs
            # (Ogg has a random serial number, several have the library's version).
            options={"flush_packets": "1", "fflags": "+bitexact", **codec.muxer_options},
        )
        stream = self._container.add_stream(
            codec.encoder,
            rate=sample_rate,
            options=dict(codec.encoder_options),
            layout="mono",
            format=codec.sample_format,
            bit_rate=codec.bit_rates.get(sample_rate, 0),
        )
        self._stream = cast(AudioStream, stream)  # which type it is depends on the codec's name
        context = self._stream.codec_context
        context.flags |= Flags.bitexact
        context.thread_count = 1  # speech needs no more, and each stream would start its own pool
        self._lead: Samples = np.zeros(0, np.float32)  # what goes before the first samples
        if codec.silent_packets:
            context.open()  # else it doesn't know the size of its frames yet
            self._lead = np.zeros(codec.silent_packets * context.frame_size, np.float32)
        # A container and its streams refer to each other, so one that is dropped half-way would
        # wait for the garbage collector, which sees a few Python objects and not the native memory
        # behind them: 7 MB for FLAC. Closing parts them.
        finalize(self, self._container.close)

    def push(self, samples: Samples) -> bytes:
        """Encode samples; return the bytes that are ready, often none.

        Whole frames of the codec are gathered underneath, so how the samples are cut has no effect.
        (PyAV does it with a filter graph, whose idle threads, one per core and 16 at most, can't
        be turned off; codecs without frames, for phone calls, have none.)

        Raises:
            SynthesisFailed: FFmpeg refused them.
        """
        if len(samples) == 0:
            return b""
        if self._num_samples == 0:
            samples = np.concatenate([self._lead, samples])
        frame = av.AudioFrame.from_ndarray(
            self._as_codec_wants(samples)[np.newaxis], format=self._sample_format, layout="mono"
        )
        frame.sample_rate = self._sample_rate
        frame.time_base = Fraction(1, self._sample_rate)
        frame.pts = self._num_samples
        self._num_samples += len(samples)
        return self._encode(frame)

    def flush(self) -> bytes:
        """End the stream and return its remaining bytes: none, if there were no samples."""
        if self._num_samples == 0:
            return b""  # an Ogg file of headers alone is one that FFmpeg can't open
        tail = self._encode(None)
        self._container.close()
        return tail + self._memory.take()

    def _encode(self, frame: av.AudioFrame | None) -> bytes:
        try:
            self._container.mux(self._stream.encode(frame))
        except av.FFmpegError as error:
            raise SynthesisFailed(f"The audio could not be encoded: {error}") from error
        return self._memory.take()

    def _as_codec_wants(self, samples: Samples) -> np.ndarray:
        if self._sample_format == "s16":
            return to_s16(samples)
        return np.clip(finite(samples), -1, 1)
