"""An engine's samples in, the bytes of one audio format out, as soon as they exist.

Knows nothing about who asks or where the bytes go; never touches a file.
"""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import cast
from weakref import finalize

import av
import numpy as np
from av.audio.stream import AudioStream as EncoderStream
from av.codec.context import Flags

from mira.audio.effects import Effects
from mira.audio.formats import Codec, find_format
from mira.audio.pcm import finite, to_s16, to_s16le, wav_header
from mira.errors import SynthesisFailed
from mira.types import Samples, TimedWord


class AudioStream:
    """Everything between an engine's samples and a response's bytes, for one stream.

    `push` samples until there are no more, `flush`, drop it. The joined bytes depend only on the
    joined samples, never on how they were cut. What is over full scale is clipped; NaN and
    infinities become silence. A stream without any sample has no bytes either, save that a WAV
    file has its header.

    Opus carries 8, 16, 24 and 48 kHz only, so for 22.05 and 44.1 kHz it is made at 24 and 48, and
    decoders play all of it at 48 kHz. MP3 and AAC can't say where in their first and last frames
    the audio starts and ends: up to three frames of silence around it, 85 ms at 24 kHz, and 150 ms
    (MP3) or 260 ms (AAC) at 8 kHz. Opus and FLAC begin with a packet of silence, because some
    players lose the first: 20 ms of Opus; of FLAC 16 ms at 16 kHz, 26 at 22.05 and 44.1, else 24.
    All other formats decode to exactly the samples' duration. `lead_s` is what is before the audio.

    An object is used by one thread at a time, not always the same; it may be dropped at any time.

    Args:
        source_rate: Of the samples pushed, Hz.
        format: A name in `FORMATS`.
        sample_rate: Of the audio made, Hz, one of `SAMPLE_RATES`.
        pace: How many times faster to speak, in `PACE_RANGE`; the pitch stays.
        volume: Factor, in `VOLUME_RANGE`.
        bit_rate: In bits per second, of a format that has any; None for what is enough for speech.

    Raises:
        InvalidRequest: One of them can't be had; `param` says which.
    """

    def __init__(
        self,
        source_rate: int,
        format: str,
        sample_rate: int,
        pace: float = 1.0,
        volume: float = 1.0,
        bit_rate: int | None = None,
    ) -> None:
        found = find_format(format)
        rate = found.encoded_rate(sample_rate)
        self._effects = Effects(source_rate, target_rate=rate, pace=pace, volume=volume)
        self._writer = (
            _CodecWriter(found.codec, rate, bit_rate) if found.codec else _PcmWriter(rate)
        )
        self._header = wav_header(rate, coding=found.wav) if found.wav else b""
        # The whole of a stream without samples.
        self._empty = wav_header(rate, 0, found.wav) if found.wav else b""

    @property
    def lead_s(self) -> float:
        """Duration of the silence that a player hears before the first sample, in seconds."""
        return self._writer.lead_s

    @property
    def returned_s(self) -> float:
        """Duration of what a player hears of the bytes returned so far, in seconds."""
        return self._writer.returned_s

    def heard_s(self, spoken_s: float) -> float:
        """Return when a player gets to a moment of the samples pushed, both in seconds from the
        beginning."""
        return self.lead_s + self._effects.heard_s(spoken_s)

    def heard(self, words: Iterable[TimedWord]) -> list[TimedWord]:
        """Return words of the samples pushed with the times at which a player gets to them."""
        at = self.heard_s
        return [replace(w, start_s=at(w.start_s), stop_s=at(w.stop_s)) for w in words]

    def push(self, samples: Samples) -> bytes:
        """Take [num_samples] float32, any number of them; return the bytes that are ready.

        Raises:
            SynthesisFailed: A filter or an encoder broke.
        """
        return self._headed(self._writer.push(self._effects.push(samples)))

    def flush(self) -> bytes:
        """End the stream and return what is left of it."""
        rest = self._writer.push(self._effects.flush()) + self._writer.flush()
        return self._headed(rest) or self._empty

    def _headed(self, data: bytes) -> bytes:
        """Put the header before the first bytes."""
        if not data:
            return b""
        header, self._header, self._empty = self._header, b"", b""
        return header + data


class _PcmWriter:
    """16-bit samples as they are."""

    lead_s = 0.0

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._num_samples = 0

    @property
    def returned_s(self) -> float:
        return self._num_samples / self._sample_rate

    def push(self, samples: Samples) -> bytes:
        self._num_samples += len(samples)
        return to_s16le(samples)

    def flush(self) -> bytes:
        return b""


class _Memory(list[bytes]):
    """What the muxer writes into: a file that can't seek."""

    def write(self, written: bytes) -> int:
        self.append(written)
        return len(written)


class _CodecWriter:
    """One FFmpeg encoder and one muxer for the life of a stream.

    Args:
        codec: Which, and how.
        sample_rate: Hz, one that the codec takes.
        bit_rate: In bits per second, of a codec that has any; None for its usual one.
    """

    def __init__(self, codec: Codec, sample_rate: int, bit_rate: int | None = None) -> None:
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
        usual = codec.bit_rates.get(sample_rate, 0)
        stream = self._container.add_stream(
            codec.encoder,
            rate=sample_rate,
            options=dict(codec.encoder_options),
            layout="mono",
            format=codec.sample_format,
            bit_rate=bit_rate or usual if usual else 0,
        )
        self._stream = cast(EncoderStream, stream)  # which type it is depends on the codec's name
        context = self._stream.codec_context
        context.flags |= Flags.bitexact
        context.thread_count = 1  # speech needs no more, and each stream would start its own pool
        self._lead: Samples = np.zeros(0, np.float32)  # what goes before the first samples
        if codec.silent_packets:
            context.open()  # else it doesn't know the size of its frames yet
            self._lead = np.zeros(codec.silent_packets * context.frame_size, np.float32)
        self._unsaid_s = codec.unsaid_samples / sample_rate
        self.lead_s = self._unsaid_s + len(self._lead) / sample_rate
        self.returned_s = 0.0
        # A container and its streams refer to each other, so one that is dropped half-way would
        # wait for the garbage collector, which sees a few Python objects and not the native memory
        # behind them: 7 MB for FLAC. Closing parts them.
        finalize(self, self._container.close)

    def push(self, samples: Samples) -> bytes:
        """Encode samples; return the bytes that are ready, often none.

        Whole frames of the codec are gathered underneath, so how the samples are cut has no effect.
        (PyAV does it with a filter graph, whose idle threads, one per core and 16 at most, can't
        be turned off; codecs without frames, for phone calls, have none.)
        """
        if len(samples) == 0:
            return b""
        if self._num_samples == 0:
            samples = np.concatenate([self._lead, samples])
        in_16_bits = self._sample_format == "s16"
        wanted = to_s16(samples) if in_16_bits else np.clip(finite(samples), -1, 1)
        frame = av.AudioFrame.from_ndarray(
            wanted[np.newaxis], format=self._sample_format, layout="mono"
        )
        frame.sample_rate = self._sample_rate
        frame.time_base = Fraction(1, self._sample_rate)
        frame.pts = self._num_samples
        self._num_samples += len(samples)
        return self._encode(frame)

    def flush(self) -> bytes:
        # An Ogg file of headers alone is one that FFmpeg can't open.
        return self._encode(None) if self._num_samples else b""

    def _encode(self, frame: av.AudioFrame | None) -> bytes:
        try:
            packets = self._stream.encode(frame)
            self._container.mux(packets)
        except av.FFmpegError as error:
            raise SynthesisFailed(f"The audio could not be encoded: {error}") from error
        if frame is None:
            self._container.close()
        for packet in packets:
            if packet.pts is not None and packet.duration and packet.time_base:
                end_s = float((packet.pts + packet.duration) * packet.time_base)
                self.returned_s = end_s + self._unsaid_s
        encoded = b"".join(self._memory)
        self._memory.clear()
        return encoded
