"""Samples of a voice in, bytes for a listener out.

Joins `effects` and `encode`; knows nothing about either's insides.
"""

from mira.audio.effects import Effects
from mira.audio.encode import Encoder
from mira.types import Samples


class AudioStream:
    """Everything between an engine's samples and a response's bytes, for one stream.

    `push` until there is no more, `flush`, drop it. The joined bytes depend only on the joined
    samples, never on how they were cut. An object is used by one thread at a time, not always
    the same; it may be dropped at any time.

    Args:
        source_rate: Of the samples pushed, Hz.
        format: A name in `FORMATS`.
        sample_rate: Of the audio made, Hz, one of `SAMPLE_RATES`.
        pace: How many times faster to speak, in `PACE_RANGE`; the pitch stays.
        volume: Factor, in `VOLUME_RANGE`.

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
    ) -> None:
        self._encoder = Encoder(format, sample_rate)
        self._effects = Effects(source_rate, target_rate=sample_rate, pace=pace, volume=volume)

    def push(self, samples: Samples) -> bytes:
        """Take [num_samples] float32, any number of them; return the bytes that are ready.

        Raises:
            SynthesisFailed: A filter or an encoder broke.
        """
        return self._encoder.push(self._effects.push(samples))

    def flush(self) -> bytes:
        """End the stream and return what is left of it."""
        return self._encoder.push(self._effects.flush()) + self._encoder.flush()
