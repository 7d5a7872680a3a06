"""Bytes of any of our formats -> samples, with the decoders that listeners have."""

import io

import av
import numpy as np

from mira.audio.formats import FORMATS
from mira.types import Samples

# What has no header is told apart by what was agreed on.
_HEADERLESS = {"pcm": "s16le", "ulaw": "mulaw", "alaw": "alaw", "f32": "f32le"}


class _Socket:
    """Bytes that can be read once, from front to back, as from a response."""

    def __init__(self, encoded: bytes) -> None:
        self._file = io.BytesIO(encoded)

    def read(self, num_bytes: int) -> bytes:
        return self._file.read(num_bytes)


def decode(
    encoded: bytes, format: str, sample_rate: int, options: dict[str, str] | None = None
) -> tuple[Samples, int]:
    """Return samples and their rate (Opus: 48 kHz, whatever was encoded)."""
    demuxer, options = None, options or {}
    if FORMATS[format].name in _HEADERLESS:
        demuxer, options = _HEADERLESS[format], {"sample_rate": str(sample_rate)}
    with av.open(_Socket(encoded), format=demuxer, options=options) as container:
        stream = container.streams.audio[0]
        to_float = av.AudioResampler(format="flt", layout="mono", rate=stream.rate)
        frames = [
            out.to_ndarray()[0]
            for frame in container.decode(stream)
            for out in to_float.resample(frame)
        ]
        return np.concatenate([np.zeros(0, np.float32), *frames]), stream.rate
