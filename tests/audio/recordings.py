"""Recordings as strangers send them: of every format, odd, damaged, and made to do harm.

All are made in memory, each in a few milliseconds, and are the same every time.
"""

import io
import struct
import zlib
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np

from mira.types import Samples

RATE = 24000

FORMATS = {
    "wav": ("wav", "pcm_s16le", "s16"),
    "mp3": ("mp3", "libmp3lame", "fltp"),
    "opus": ("ogg", "libopus", "flt"),
    "ogg-flac": ("ogg", "flac", "s16"),
    "flac": ("flac", "flac", "s16"),
    "m4a": ("ipod", "aac", "fltp"),
    "alac": ("ipod", "alac", "s16p"),
    "webm": ("webm", "libopus", "flt"),
    "mka": ("matroska", "aac", "fltp"),
    "aac": ("adts", "aac", "fltp"),
}
"""What recordings come in: the muxer, the encoder, its sample format."""

SUFFIXES = {"opus": "ogg", "ogg-flac": "ogg", "alac": "m4a", "mka": "webm"}
"""How a file of such a format is called, where its name isn't it."""


def tone(seconds: float = 1.0, sample_rate: int = RATE, hertz: float = 440.0) -> Samples:
    """[seconds * sample_rate] at half of full scale."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


@cache
def encoded(
    name: str, seconds: float = 1.0, sample_rate: int = RATE, layout: str = "mono", video: str = ""
) -> bytes:
    """A tone in one of FORMATS, alike in every channel.

    Args:
        name: Of the format.
        seconds: How long.
        sample_rate: Hz; Opus has 48000 only.
        layout: FFmpeg's name of the channels.
        video: An encoder of moving pictures, to have a second of those in front of the sound.
    """
    muxer, encoder, sample_format = FORMATS[name]
    if encoder == "libopus":
        sample_rate = 48000
    return muxed(
        muxer, encoder, sample_format, tone(seconds, sample_rate), sample_rate, layout, video
    )


def muxed(
    muxer: str,
    encoder: str,
    sample_format: str,
    samples: Samples,
    sample_rate: int = RATE,
    layout: str = "mono",
    video: str = "",
    subtitles: str = "",
) -> bytes:
    """What FFmpeg makes of samples; no samples, no sound. Of the subtitles there are none."""
    file = io.BytesIO()
    with av.open(file, "w", format=muxer, options={"fflags": "+bitexact"}) as container:
        pictures = _pictures(container, video) if video else None
        if subtitles:
            container.add_stream(subtitles)
        if len(samples):
            sound: Any = container.add_stream(
                encoder, rate=sample_rate, layout=layout, format=sample_format
            )
        if pictures is not None:
            _film(container, pictures)
        if len(samples):
            frame = _frame(samples, sound.codec_context)
            container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return file.getvalue()


def _frame(samples: Samples, context: Any) -> av.AudioFrame:
    # Not in planes: PyAV counts one too many where there are eight.
    packed = np.repeat(samples, context.layout.nb_channels)[np.newaxis]
    frame = av.AudioFrame.from_ndarray(packed, "flt", context.layout.name)
    frame.sample_rate = context.sample_rate
    frame.time_base = Fraction(1, context.sample_rate)
    frame.pts = 0
    return frame


def _pictures(container: Any, encoder: str) -> Any:
    stream = container.add_stream(encoder, rate=10)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    return stream


def _film(container: Any, stream: Any) -> None:
    for number in range(10):
        picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number * 20, np.uint8))
        picture.pts = number
        container.mux(stream.encode(picture))
    container.mux(stream.encode(None))


_WIDTHS = {  # the format's tag, bits, how a sample in [-1, 1] is written
    "u8": (1, 8, lambda x: (x * 127 + 128).astype("u1")),
    "s16": (1, 16, lambda x: (x * 32767).astype("<i2")),
    "s24": (1, 24, lambda x: (x * 8388607).astype("<i4").view("u1").reshape(-1, 4)[:, :3]),
    "s32": (1, 32, lambda x: (x.astype("<f8") * 2147483647).astype("<i4")),
    "f32": (3, 32, lambda x: x.astype("<f4")),
    "f64": (3, 64, lambda x: x.astype("<f8")),
}


def wav(
    samples: np.ndarray,
    sample_rate: int = RATE,
    width: str = "s16",
    *,
    extensible: bool = False,
    claims: dict[str, int] | None = None,
) -> bytes:
    """A WAV file, written by hand so that it may lie.

    Args:
        samples: [num_samples] or [num_samples, channels].
        sample_rate: Hz.
        width: One of u8, s16, s24, s32, f32, f64.
        extensible: With the longer header that more than two channels ask for.
        claims: What the header says instead: `channels`, `sample_rate`, `bits`, `riff`, `data`,
            the last two in bytes.
    """
    said = claims or {}
    tag, bits, write = _WIDTHS[width]
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    body = write(np.ascontiguousarray(samples).reshape(-1)).tobytes()
    block = channels * bits // 8
    shown = said.get("sample_rate", sample_rate)
    header = struct.pack(
        "<HHIIHH",
        0xFFFE if extensible else tag,
        said.get("channels", channels),
        shown,
        shown * block & 0xFFFFFFFF,
        block,
        said.get("bits", bits),
    )
    if extensible:
        guid = struct.pack("<H", tag) + bytes.fromhex("000000001000800000aa00389b71")
        header += struct.pack("<HHI", 22, bits, 0) + guid
    chunks = b"WAVE" + b"fmt " + struct.pack("<I", len(header)) + header
    chunks += b"data" + struct.pack("<I", said.get("data", len(body))) + body
    return b"RIFF" + struct.pack("<I", said.get("riff", len(chunks))) + chunks


def png(side: int) -> bytes:
    """A black picture of side * side: a thousandth of what it takes when it is looked at."""
    packer = zlib.compressobj(1)
    line = bytes(1 + 3 * side)
    rows = b"".join(packer.compress(line) for _ in range(side)) + packer.flush()
    size = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", size) + _chunk(b"IDAT", rows) + _chunk(b"IEND")


def _chunk(kind: bytes, content: bytes = b"") -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def id3(*frames: bytes) -> bytes:
    """A tag as it stands in front of an MP3."""
    body = b"".join(frames)
    return b"ID3\4\0\0" + _seven_bits(len(body)) + body


def id3_picture(picture: bytes) -> bytes:
    """A cover."""
    content = b"\0image/png\0\3\0" + picture
    return b"APIC" + _seven_bits(len(content)) + b"\0\0" + content


def _seven_bits(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def mov(
    codec: bytes = b"twos",
    num_samples: int = 1,
    num_edits: int = 0,
    body: bytes = bytes(5000),
    elsewhere: Path | None = None,
) -> bytes:
    """An MP4 written by hand, so that it may lie.

    Args:
        codec: Its four letters; `twos` is 16-bit PCM, `mp4a` AAC.
        num_samples: As many of them it claims to hold, of two bytes each; of AAC, packets.
        num_edits: How often it asks for all of them to be played.
        body: What it does hold.
        elsewhere: The file in which it says that its sound is.
    """
    entry = bytes(6) + struct.pack(">H", 1) + bytes(8)
    entry += struct.pack(">HHHHI", 1, 16, 0, 0, RATE << 16)
    if codec == b"mp4a":
        entry += _box(
            b"esds", bytes(4) + bytes.fromhex("031900000004114015" + "00" * 11 + "05021308")
        )
    table = _box(
        b"stbl",
        _box(b"stsd", bytes(4) + struct.pack(">I", 1) + _box(codec, entry)),
        _box(b"stts", struct.pack(">IIII", 0, 1, num_samples, 1024 if codec == b"mp4a" else 1)),
        _box(b"stsc", struct.pack(">IIIII", 0, 1, 1, num_samples, 1)),
        _box(b"stsz", struct.pack(">III", 0, 2, num_samples)),
        _box(b"stco", struct.pack(">III", 0, 1, 0 if elsewhere else 28)),
    )
    place = _box(b"url ", bytes(3) + b"\1") if elsewhere is None else _alias(elsewhere)
    home = _box(b"dinf", _box(b"dref", bytes(4) + struct.pack(">I", 1) + place))
    media = _box(
        b"mdia",
        _box(b"mdhd", struct.pack(">IIIII", 0, 0, 0, RATE, num_samples) + bytes(4)),
        _box(b"hdlr", bytes(8) + b"soun" + bytes(13)),
        _box(b"minf", _box(b"smhd", bytes(8)), home, table),
    )
    edits = struct.pack(">II", 0, num_edits) + struct.pack(">Iii", 1 << 20, 0, 1 << 16) * num_edits
    track = _box(
        b"trak",
        _box(b"tkhd", struct.pack(">IIIIII", 3, 0, 0, 1, 0, num_samples) + bytes(60)),
        _box(b"edts", _box(b"elst", edits)) if num_edits else b"",
        media,
    )
    header = _box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 1000) + bytes(80))
    return _box(b"ftyp", b"M4A \0\0\0\0M4A ") + _box(b"mdat", body) + _box(b"moov", header, track)


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


def _alias(path: Path) -> bytes:
    """Apple's record of where a file is, as far as it is read: its volume, names and path."""
    name, whole = path.name.encode(), str(path).encode()
    record = bytes(4 + 10 + 1 + 27 + 12)
    record += bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16)
    record += struct.pack(">HH", 1, 1) + bytes(16)
    record += struct.pack(">HH", 2, len(whole)) + whole + bytes(len(whole) % 2)
    record += struct.pack(">HH", 0xFFFF, 0)
    return _box(b"alis", record)
