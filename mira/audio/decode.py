"""An audio file's bytes in, its samples out: bounded, whatever the bytes claim.

Knows nothing about what is recorded.
"""

from io import BytesIO
from pathlib import Path

import av
import numpy as np

from mira.errors import InvalidRequest
from mira.types import Samples

MAX_BYTES = 10 << 20  # OpenAI's own limit for a recording of a voice
MAX_SECONDS = 60.0
DEMUXERS = ("wav", "mp3", "ogg", "flac", "mov", "matroska", "aac")
"""What a recording may be stored in; `mov` reads m4a and mp4, `matroska` webm."""


def decode(data: bytes, max_seconds: float = MAX_SECONDS) -> tuple[Samples, int]:
    """Read a recording of any common format, mixed down to mono.

    Args:
        data: A whole file, at most MAX_BYTES.
        max_seconds: More than that is refused, as soon as it is decoded so far.

    Returns:
        [num_samples] float32, nominally in [-1, 1], and the sample rate in Hz.

    Raises:
        InvalidRequest: Too large, too long, no audio in it, or not a format that is known.
    """
    if len(data) > MAX_BYTES:
        raise InvalidRequest(f"The recording is over {MAX_BYTES >> 20} MiB.", "audio")
    try:
        return _decode(data, max_seconds)
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise InvalidRequest(
            "The recording can't be read: it is damaged, or not audio. Use WAV, MP3, Ogg, FLAC, "
            f"M4A or WebM. ({error})",
            "audio",
        ) from error


def decode_file(path: Path) -> tuple[Samples, int]:
    """`decode` for a file of one's own.

    Raises:
        InvalidRequest: It can't be opened, or `decode` can't read it.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidRequest(f"{path}: can't be read: {error.strerror}.", "audio") from error
    return decode(data)


def _decode(data: bytes, max_seconds: float) -> tuple[Samples, int]:
    # The whitelist keeps FFmpeg from formats that are lists of other files to open.
    options = {"format_whitelist": ",".join(DEMUXERS)}
    with av.open(BytesIO(data), "r", options=options) as container:
        if not container.streams.audio:
            raise InvalidRequest("The recording has no sound in it.", "audio")
        stream = container.streams.audio[0]
        rate = stream.rate
        # Planar floats, and the mean of all channels: FFmpeg's own mix of two is 3 dB too loud.
        planar = av.AudioResampler("fltp")
        blocks: list[Samples] = []
        num_samples = 0
        for packet in container.demux(stream):
            for frame in packet.decode():
                for channels in planar.resample(frame):
                    blocks.append(channels.to_ndarray().mean(axis=0))
                    num_samples += channels.samples
                    if num_samples > max_seconds * rate:
                        raise InvalidRequest(
                            f"The recording is longer than {max_seconds:.0f} seconds.", "audio"
                        )
        if not num_samples:
            raise InvalidRequest("The recording has no sound in it.", "audio")
        return np.concatenate(blocks), rate
