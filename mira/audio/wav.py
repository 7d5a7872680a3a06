"""The 44 bytes in front of 16-bit mono PCM that make it a WAV file.

Knows nothing about samples. Source: Multimedia Programming Interface and Data Specifications 1.0,
IBM and Microsoft, 1991.
"""

import struct

WAV_HEADER_BYTES = 44

# A stream can't know its length when it writes its header. These sizes are the largest that fit a
# *signed* 32-bit integer, are even, and agree with each other (RIFF = data + 36), so readers that
# check any of it are content; all of FFmpeg (hence browsers), libsndfile and Python's `wave` then
# read to the end of the bytes. Rejected: 0, which libsndfile takes for an empty file, and the
# customary 0xFFFFFFFF, an odd size that `wave` reports as two thousand million frames.
_ENDLESS = 0x7FFFFFFE - 36


def wav_header(sample_rate: int, num_samples: int | None = None) -> bytes:
    """Build the header of a 16-bit mono file.

    Args:
        sample_rate: Hz.
        num_samples: How many follow, if that is known; otherwise "as many as come". A writer that
            can seek replaces the first `WAV_HEADER_BYTES` bytes when it has counted them.
    """
    num_bytes = _ENDLESS if num_samples is None else min(2 * num_samples, _ENDLESS)
    return struct.pack(
        "<4sI4s 4sIHHIIHH 4sI",
        b"RIFF",
        num_bytes + WAV_HEADER_BYTES - 8,
        b"WAVE",
        b"fmt ",
        16,  # bytes in this chunk
        1,  # integer PCM
        1,  # channel
        sample_rate,
        2 * sample_rate,  # bytes per second
        2,  # bytes per sample of all channels
        16,  # bits per sample
        b"data",
        num_bytes,
    )
