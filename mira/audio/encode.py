"""Samples in, bytes of one audio format out, as soon as they exist.

Knows nothing about who asks or where the bytes go.
"""

from mira.audio.container import ContainerWriter
from mira.audio.effects import Effects
from mira.audio.formats import Format, check_sample_rate, find_format
from mira.audio.pcm import to_s16le
from mira.audio.wav import wav_header
from mira.types import Samples


class Encoder:
    """One stream of bytes: `push` samples until there are no more, `flush`, drop it.

    The joined bytes depend only on the joined samples, never on how they were cut. What is over
    full scale is clipped; NaN and infinities become silence. A stream without any sample has no
    bytes either, save that a WAV file has its header.

    Opus carries 8, 16, 24 and 48 kHz only, so 22.05 kHz is raised to 24 and 44.1 to 48 first, and
    decoders play all of it at 48 kHz. MP3 and AAC can't say where in their first and last frames
    the audio starts and ends: up to three frames of silence around it, 85 ms at 24 kHz, and 150 ms
    (MP3) or 260 ms (AAC) at 8 kHz. Opus and FLAC begin with a packet of silence, because some
    players lose the first: 20 ms of Opus; of FLAC 16 ms at 16 kHz, 26 at 22.05 and 44.1, else 24.
    All other formats decode to exactly the samples' duration.

    An object is used by one thread at a time, not always the same; it may be dropped at any time.

    Args:
        format: A name in `FORMATS`.
        sample_rate: Of the samples, Hz, one of `SAMPLE_RATES`.

    Raises:
        InvalidRequest: There is no such format or rate.
    """

    def __init__(self, format: str, sample_rate: int) -> None:
        check_sample_rate(sample_rate)
        found = find_format(format)
        encoded_rate = found.encoded_rate(sample_rate)
        self._resampler = Effects(sample_rate, target_rate=encoded_rate)
        self._writer = _writer(found, encoded_rate)

    def push(self, samples: Samples) -> bytes:
        """Encode [num_samples] float32, any number of them; return the bytes that are ready.

        Raises:
            SynthesisFailed: The encoder broke.
        """
        return self._writer.push(self._resampler.push(samples))

    def flush(self) -> bytes:
        """End the stream and return what is left of it."""
        return self._writer.push(self._resampler.flush()) + self._writer.flush()


class _PcmWriter:
    """16-bit samples as they are, after an optional header."""

    def __init__(self, header: bytes = b"", empty: bytes = b"") -> None:
        self._header = header
        self._empty = empty

    def push(self, samples: Samples) -> bytes:
        if len(samples) == 0:
            return b""
        header, self._header, self._empty = self._header, b"", b""
        return header + to_s16le(samples)

    def flush(self) -> bytes:
        return self._empty


def _writer(format: Format, sample_rate: int) -> _PcmWriter | ContainerWriter:
    if format.codec is not None:
        return ContainerWriter(format.codec, sample_rate)
    if format.name == "wav":
        return _PcmWriter(header=wav_header(sample_rate), empty=wav_header(sample_rate, 0))
    return _PcmWriter()
