"""Float samples to 16-bit integers and back, and the headers that make WAV files.

Knows nothing about codecs. Full scale is 32768, as in FFmpeg and libsndfile, so 16-bit audio
survives the round trip bit for bit.
"""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mira.types import Samples

_FULL_SCALE = 32768

# A stream can't know its length when it writes its header. These sizes are the largest that fit a
# *signed* 32-bit integer, are even, and agree with each other (RIFF = data + what is before it), so
# readers that check any of it are content; all of FFmpeg (hence browsers), libsndfile and Python's
# `wave` then read to the end of the bytes. Rejected: 0, which libsndfile takes for an empty file,
# and the customary 0xFFFFFFFF, an odd size that `wave` reports as two thousand million frames.
_ENDLESS = 0x7FFFFFFE


@dataclass(frozen=True, slots=True)
class WavCoding:
    """How samples are written in a WAV file."""

    tag: int
    """Its number among WAVE formats."""
    sample_bytes: int


WAV_S16 = WavCoding(1, 2)
WAV_F32 = WavCoding(3, 4)
WAV_ALAW = WavCoding(6, 1)
WAV_ULAW = WavCoding(7, 1)


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
    return np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)


def to_s16le(samples: Samples) -> bytes:
    """Encode as signed 16-bit little-endian: two bytes per sample, no header."""
    return to_s16(samples).astype("<i2", copy=False).tobytes()


def from_s16le(pcm: bytes) -> Samples:
    """Decode signed 16-bit little-endian; half a sample at the end is left out.

    Returns:
        [len(pcm) // 2] float32 in [-1, 1).
    """
    integers = np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2")
    return integers.astype(np.float32) / np.float32(_FULL_SCALE)


def wav_header(
    sample_rate: int, num_samples: int | None = None, coding: WavCoding = WAV_S16
) -> bytes:
    """Build the header of a mono file.

    Args:
        sample_rate: Hz.
        num_samples: How many follow, if that is known; otherwise "as many as come". A writer that
            can seek replaces the header, which is as long, when it has counted them.

    Source: Multimedia Programming Interface and Data Specifications 1.0, IBM and Microsoft, 1991;
    New Multimedia Data Types and Data Techniques 3.0, Microsoft, 1994.
    """
    size = coding.sample_bytes
    # One channel, rate, bytes per second, bytes and bits a sample.
    format = struct.pack("<HHIIHH", coding.tag, 1, sample_rate, size * sample_rate, size, 8 * size)
    fact_bytes = 0
    if coding is not WAV_S16:  # whatever is no integer says that it has no further fields, and
        format += struct.pack("<H", 0)
        fact_bytes = 12  # how many samples there are
    parts_bytes = 4 + 8 + len(format) + fact_bytes + 8
    room = (_ENDLESS - parts_bytes) // size
    num_samples = room if num_samples is None else min(num_samples, room)
    fact = struct.pack("<4sII", b"fact", 4, num_samples) if fact_bytes else b""
    riff = struct.pack("<4sI4s", b"RIFF", parts_bytes + num_samples * size, b"WAVE")
    data = struct.pack("<4sI", b"data", num_samples * size)
    return riff + struct.pack("<4sI", b"fmt ", len(format)) + format + fact + data
