"""Audio files on standard input, their samples on standard output: a process of its own.

FFmpeg reads strangers' files here and takes what they claim: 3 MB of compressed pictures cost it
3 GiB, other files end the process. So each is read in a child, which has no more than the kernel
lends it; this process has loaded all that they need, which takes longer than most recordings.
Imports nothing of Mira; decode.py starts it.

Asked: a line of JSON, `seconds` and `bytes`; then so many bytes, a file. Answered: a number of
bytes on a line, 0 if the file ended the child; then these: a line of JSON, `refused`, `failed`, or
`suffix` and `sample_rate`, then float32 samples. Ends when its standard input does.
"""

import json
import math
import os
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import av
import av.subtitles.codeccontext  # PyAV would import these two when it meets their kind, and by
import av.subtitles.stream  # then this process can't open a file any more
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard

Samples = npt.NDArray[np.float32]
"""[num_samples] mono, as in Mira's own types."""

SUFFIXES = {
    "wav": "wav",
    "mp3": "mp3",
    "ogg": "ogg",
    "flac": "flac",
    "mov,mp4,m4a,3gp,3g2,mj2": "m4a",
    "matroska,webm": "webm",
    "aac": "aac",
}
"""FFmpeg's names of what a recording may be stored in, and how such a file is called."""

_PCM = "u8 s8 s16le s24le s32le f32le f64le s16be s24be s32be f32be f64be alaw mulaw"
CODECS = {f"pcm_{width}" for width in _PCM.split()} | {
    *("mp3", "mp3float", "aac", "alac", "flac", "vorbis", "opus")
}
"""What may be decoded, by FFmpeg's names: no pictures, no video, nothing that nobody records in."""

SAMPLE_RATES = (4000, 192000)  # Hz, inclusive; less has no voice in it, more no microphone gives
MAX_CHANNELS = 8  # PyAV 18 looks for the ninth plane of a frame beyond the end of its list
LOUDEST = 16.0  # 24 dB over full scale; a decoder overshoots by 6, integers saved as floats by 90
MAX_STREAMS = 32
JITTER_S = 0.5  # as far back as the clock of one recording may go

PATIENCE_S = 60  # it may have ten of a processor that others keep busy
CPU_SECONDS = 5  # for each minute; of anything it takes less than two
MEMORY = 256 << 20  # bytes, beside the libraries and the samples
NICENESS = 10  # whoever is being spoken to comes first

_WIDTHS: dict[str, tuple[np.dtype[np.generic], float, float]] = {
    "u8": (np.dtype(np.uint8), 128, 1 / 128),
    "s16": (np.dtype(np.int16), 0, 1 / 32768),
    "s32": (np.dtype(np.int32), 0, 1 / 2147483648),
    "flt": (np.dtype(np.float32), 0, 1),
    "dbl": (np.dtype(np.float64), 0, 1),
}
"""FFmpeg's sample formats: the type, its zero, its scale."""


class Refused(Exception):
    """The recording can't be used; the message is for whoever sent it."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What was heard in a file."""

    samples: Samples
    """At least one, finite and up to LOUDEST."""
    sample_rate: int
    """Hz, within SAMPLE_RATES: what the first samples have, whatever the header says."""
    suffix: str
    """What the file is, whatever it was called: one of SUFFIXES."""


def unpack(data: bytes, max_seconds: float) -> Recording:
    """Decode a whole file to the mean of its channels.

    Args:
        data: Anything.
        max_seconds: More than that is refused as soon as it is decoded so far.

    Raises:
        Refused: It is too long, has no sound in it, or is no recording that can be read.
    """
    options = {
        # No lists of other files to open, and nothing that opens them in any other way.
        "format_whitelist": ",".join(SUFFIXES),
        "protocol_whitelist": "none",
        # Opening decodes a little of every stream, pictures too, unless told not to.
        "codec_whitelist": ",".join(sorted(CODECS)),
        "max_streams": str(MAX_STREAMS),
    }
    try:
        # Tags are in any encoding, and nobody reads them.
        with av.open(BytesIO(data), "r", options=options, metadata_errors="ignore") as container:
            samples, sample_rate = _listen(_frames(container, _sound(container)), max_seconds)
            return Recording(samples, sample_rate, SUFFIXES[container.format.name])
    except MemoryError as error:  # FFmpeg's own is one, too
        raise Refused(
            "Reading the recording takes too much memory: save it again as plain WAV or MP3."
        ) from error
    except (av.FFmpegError, ValueError) as error:
        raise Refused(
            "The recording can't be read: it is damaged, or not audio. "
            "Send WAV, MP3, Ogg, FLAC, M4A or WebM."
        ) from error


def _sound(container: InputContainer) -> AudioStream:
    """Find the first sound in it, or raise Refused; nothing else is looked at."""
    if not container.streams.audio:
        raise Refused("The recording has no sound in it: send one of a voice.")
    stream = container.streams.audio[0]
    codec = stream.codec_context.name if stream.codec_context else "something unknown"
    if codec not in CODECS:
        raise Refused(f"The recording is coded as {codec}: save it as WAV or MP3.")
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all  # not even their parsers are needed
    return stream


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[av.AudioFrame]:
    """Yield what can be decoded: to the end, or to where it was cut off.

    Refuses several recordings; raises FFmpegError if more is damaged than the packet of a cut.
    """
    damaged = 0
    latest = -math.inf
    for count, packet in enumerate(container.demux(stream)):
        if packet.pts is not None and packet.time_base is not None:
            starts = float(packet.pts * packet.time_base)
            if starts < latest - JITTER_S:  # a decoder that isn't told so joins them with a bang
                raise Refused("The file is several recordings, one behind the other: send one.")
            latest = max(latest, starts)
        try:
            yield from packet.decode()
        except MemoryError:
            raise
        except av.FFmpegError:  # of any kind: AAC's decoder says that it has no permission
            damaged += 1
            if damaged > 1 + count // 10:
                raise


def _listen(frames: Iterator[av.AudioFrame], max_seconds: float) -> tuple[Samples, int]:
    """Return the samples, all of which have been looked at, and their rate."""
    lowest, highest = SAMPLE_RATES
    blocks: list[Samples] = []
    sample_rate = num_samples = 0
    for frame in frames:
        sample_rate = sample_rate or frame.sample_rate
        if not lowest <= sample_rate <= highest:
            raise Refused(
                f"The recording has {sample_rate} samples a second: save it with {lowest} to "
                f"{highest}, 24000 for example."
            )
        if frame.sample_rate != sample_rate:  # two recordings, one behind the other
            raise Refused(
                f"The recording changes from {sample_rate} to {frame.sample_rate} samples a "
                "second midway: save it again with one."
            )
        num_samples += frame.samples
        if num_samples > max_seconds * sample_rate:
            raise Refused(f"The recording is longer than {max_seconds:g} seconds: cut out a part.")
        blocks.append(_mono(frame))
        loudest = np.abs(blocks[-1]).max(initial=0)
        # Clipped, it would be a square wave; scaled, a guess at what was meant.
        if not loudest <= LOUDEST:
            raise Refused(
                f"The recording reaches {loudest:.3g}, where 1 is full scale and nan no number: "
                "save it again as 16-bit WAV."
            )
    if not num_samples:
        raise Refused("The recording has no sound in it: send one of a voice.")
    return np.concatenate(blocks), sample_rate


def _mono(frame: av.AudioFrame) -> Samples:
    dtype, zero, scale = _WIDTHS[frame.format.name.removesuffix("p")]
    num_channels = frame.layout.nb_channels
    if num_channels > MAX_CHANNELS:
        raise Refused(f"The recording has {num_channels} channels: save it with one or two.")
    # PyAV's `to_ndarray` ends the process for eight channels in planes: it takes for a ninth what
    # lies behind them. `planes` itself only counts too many.
    planes, stride = (num_channels, 1) if frame.format.is_planar else (1, num_channels)
    # The mean of all: FFmpeg's own mix of two is 3 dB too loud, and it has none for channels that
    # are nowhere. Added one by one, which takes NumPy a tenth of its own mean's time.
    mixed = np.zeros(frame.samples, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # looked for afterwards
        for plane in frame.planes[:planes]:
            values = np.frombuffer(memoryview(plane), dtype)
            for first in range(stride):
                mixed += values[first::stride][: frame.samples].astype(np.float32)
        return (mixed / np.float32(num_channels) - zero) * scale


def confine(max_seconds: float) -> None:
    """Take from this process, for good, what decoding that many seconds does not need."""
    in_use = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    samples = int(max_seconds * SAMPLE_RATES[1]) * np.dtype(np.float32).itemsize
    limits = {
        resource.RLIMIT_AS: in_use + samples + MEMORY,
        resource.RLIMIT_CPU: CPU_SECONDS * math.ceil(max_seconds / 60),
        resource.RLIMIT_NOFILE: 0,  # of files and sockets, those that are open remain
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))
    os.nice(NICENESS)


def answer(data: bytes, max_seconds: float) -> list[bytes | memoryview]:
    """Say of one file what stands at the top of this module."""
    said: dict[str, str | int]
    try:
        heard = unpack(data, max_seconds)
        said = {"suffix": heard.suffix, "sample_rate": heard.sample_rate}
        return [json.dumps(said).encode() + b"\n", heard.samples.view(np.uint8).data]
    except Refused as refused:
        said = {"refused": str(refused)}
    except Exception:  # noqa: BLE001 - a bug, which somebody has to hear of
        said = {"failed": traceback.format_exc()}
    return [json.dumps(said).encode() + b"\n"]


def answer_apart(data: bytes, max_seconds: float) -> bytes:
    """Have a child `answer`; return nothing if the file ends it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.closerange(0, 3)  # whoever breaks in here answers for this file alone
        signal.alarm(PATIENCE_S)
        confine(max_seconds)
        for part in answer(data, max_seconds):
            said = memoryview(part)
            while said:
                said = said[os.write(writing, said) :]
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        heard = pipe.read()
    _, status = os.waitpid(child, 0)
    return heard if status == 0 else b""


def main() -> None:
    """Answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks
    while line := sys.stdin.buffer.readline():
        asked = json.loads(line)
        said = answer_apart(sys.stdin.buffer.read(asked["bytes"]), asked["seconds"])
        sys.stdout.buffer.write(b"%d\n" % len(said))
        sys.stdout.buffer.write(said)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
