"""Float samples to 16-bit integers and back.

Knows nothing about containers, codecs or sample rates. Full scale is 32768, as in FFmpeg and
libsndfile, so 16-bit audio survives the round trip bit for bit.
"""

import numpy as np
import numpy.typing as npt

from mira.types import Samples

_FULL_SCALE = 32768
_INT16 = np.iinfo(np.int16)


def finite(samples: Samples) -> Samples:
    """Put silence where there is no number.

    A model that has diverged emits NaN and infinities. Converted as they are, they become
    full-scale noise, inside a filter they spoil their neighbours too, and one NaN makes LAME (MP3)
    end the whole process: `calc_energy: Assertion el >= 0 failed`.

    Args:
        samples: [num_samples], anything.

    Returns:
        [num_samples] float32, contiguous; the argument itself if it is that and finite.
    """
    usable = np.isfinite(samples)
    if usable.all():
        return np.ascontiguousarray(samples, dtype=np.float32)
    return np.where(usable, samples, 0).astype(np.float32)


def to_s16(samples: Samples) -> npt.NDArray[np.int16]:
    """Round to the nearest 16-bit value; what is over full scale is clipped, NaN is 0."""
    scaled = np.rint(finite(samples) * np.float64(_FULL_SCALE))
    return np.clip(scaled, _INT16.min, _INT16.max).astype(np.int16)


def to_s16le(samples: Samples) -> bytes:
    """Encode as signed 16-bit little-endian: two bytes per sample, no header."""
    return to_s16(samples).astype("<i2", copy=False).tobytes()


def from_s16le(pcm: bytes) -> Samples:
    """Decode signed 16-bit little-endian; half a sample at the end is left out.

    Returns:
        [len(pcm) // 2] float32 in [-1, 1).
    """
    return np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2").astype(np.float32) / np.float32(
        _FULL_SCALE
    )
