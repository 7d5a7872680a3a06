"""The audio formats that can be asked for, as a table.

Knows nothing about samples; `encode` does what the table says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from mira.audio.pcm import WAV_ALAW, WAV_F32, WAV_S16, WAV_ULAW, WavCoding
from mira.errors import InvalidRequest

SAMPLE_RATES = (8000, 16000, 22050, 24000, 32000, 44100, 48000)
"""Hz; every format can be asked for at each of them."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How FFmpeg makes a format: an encoder, and a muxer that needs no seeking.

    `bit_rates` maps each rate in Hz that the encoder takes to the bits per second it gets; empty
    means that any rate will do and the codec decides (lossless, or a fixed size per sample).
    `silent_packets` come before the audio: players that look at a live stream's first packet to
    learn what it is, and then drop it (LiveKit's), would lose the beginning of the first word.
    `unsaid_samples` come before them: the encoder's delay, where its format has no way to say that
    players are to leave it out.
    """

    encoder: str
    muxer: str
    sample_format: Literal["s16", "flt", "fltp"]
    bit_rates: Mapping[int, int] = field(default_factory=dict)
    encoder_options: Mapping[str, str] = field(default_factory=dict)
    muxer_options: Mapping[str, str] = field(default_factory=dict)
    silent_packets: int = 0
    unsaid_samples: int = 0


@dataclass(frozen=True, slots=True)
class Format:
    """One way to deliver audio. `codec` is None where bytes are made without FFmpeg."""

    name: str
    media_type: str
    suffixes: tuple[str, ...]
    codec: Codec | None = None
    silence: bytes = b""
    """A silent sample, in a format that is nothing but samples; empty: it is more."""
    wav: WavCoding | None = None
    """How samples are written, in one that is a WAV file."""

    @property
    def sample_bytes(self) -> int | None:
        """Bytes of a sample, in a format that is nothing but samples; None: it is more."""
        return len(self.silence) or None

    def encoded_rate(self, sample_rate: int) -> int:
        """Return the rate that is really encoded: `sample_rate`, or the next the codec takes.

        Raises:
            InvalidRequest: `sample_rate` is none of `SAMPLE_RATES`.
        """
        if sample_rate not in SAMPLE_RATES:
            rates = ", ".join(map(str, SAMPLE_RATES))
            raise InvalidRequest(
                f"The sample rate {sample_rate} Hz can't be made. Use one of: {rates}.",
                "sample_rate",
            )
        if self.codec is None or not self.codec.bit_rates:
            return sample_rate
        return min(rate for rate in self.codec.bit_rates if rate >= sample_rate)


def _at_each_rate(*bit_rates: int) -> Mapping[int, int]:
    return dict(zip(SAMPLE_RATES, bit_rates, strict=True))


# Bit rates are for one person speaking: the least at which the codec is transparent for speech of
# that bandwidth, going by the encoders' own recommendations, and not so low that a second encoding
# (a phone network's) would hurt.
_MP3 = Codec(
    encoder="libmp3lame",
    muxer="mp3",
    sample_format="fltp",
    bit_rates=_at_each_rate(32_000, 48_000, 64_000, 64_000, 80_000, 96_000, 96_000),
    # Without the bit reservoir a frame never waits for a later one: first bytes after two frames
    # and not three. No Xing frame, because it is written by seeking back; no tags.
    # Level 5 takes half the time of FFmpeg's default for a mono voice; from 7 on LAME shapes no
    # noise at all.
    encoder_options={"reservoir": "0", "compression_level": "5"},
    muxer_options={"write_xing": "0", "id3v2_version": "0"},
    unsaid_samples=1105,
)
_OPUS = Codec(
    encoder="libopus",
    muxer="ogg",
    sample_format="flt",
    bit_rates={8000: 16_000, 16000: 24_000, 24000: 32_000, 48000: 48_000},
    # Complexity 5 of 10: the rest buys music, at twice the time.
    encoder_options={"application": "voip", "frame_duration": "20", "compression_level": "5"},
    # One page per packet. FFmpeg's default page is a second long, and so would be the wait; the
    # price is 28 bytes per page, 11 kbit/s.
    muxer_options={"page_duration": "20000"},
    silent_packets=1,
)
_AAC = Codec(
    encoder="aac",
    muxer="adts",
    sample_format="fltp",
    bit_rates=_at_each_rate(24_000, 48_000, 64_000, 64_000, 80_000, 96_000, 96_000),
    unsaid_samples=1024,
)
_FLAC = Codec(
    encoder="flac",
    muxer="flac",
    sample_format="s16",
    # Level 2 is the highest with blocks of 27 ms; above, they are 105 ms, for 2 % fewer bytes.
    encoder_options={"compression_level": "2"},
    # Otherwise 8 KiB of room for tags are sent first.
    muxer_options={"metadata_header_padding": "0"},
    silent_packets=1,
)
_ULAW = Codec(encoder="pcm_mulaw", muxer="mulaw", sample_format="s16")
_ALAW = Codec(encoder="pcm_alaw", muxer="alaw", sample_format="s16")
_F32 = Codec(encoder="pcm_f32le", muxer="f32le", sample_format="flt")

_ALL = (
    Format("pcm", "audio/pcm", (".pcm", ".raw"), None, b"\0\0"),
    Format("wav", "audio/wav", (".wav",), wav=WAV_S16),
    Format("mp3", "audio/mpeg", (".mp3",), _MP3),
    Format("opus", "audio/opus", (".opus", ".ogg"), _OPUS),
    Format("aac", "audio/aac", (".aac",), _AAC),
    Format("flac", "audio/flac", (".flac",), _FLAC),
    Format("ulaw", "audio/PCMU", (".ulaw", ".ul"), _ULAW, b"\xff"),
    Format("alaw", "audio/PCMA", (".alaw", ".al"), _ALAW, b"\xd5"),
    Format("f32", "application/octet-stream", (".f32",), _F32, b"\0\0\0\0"),
    Format("wav_ulaw", "audio/wav", (), _ULAW, wav=WAV_ULAW),
    Format("wav_alaw", "audio/wav", (), _ALAW, wav=WAV_ALAW),
    Format("wav_f32", "audio/wav", (), _F32, wav=WAV_F32),
)
FORMATS: Mapping[str, Format] = MappingProxyType({format.name: format for format in _ALL})
"""Formats by name. `pcm` is s16le; `wav` the same with a header; `opus` in Ogg, `aac` in ADTS;
`f32` is float32 in little-endian order, nothing else. `wav_ulaw`, `wav_alaw` and `wav_f32` are WAV
files with samples of that kind."""


def find_format(name: str) -> Format:
    """Look a format up by its name.

    Raises:
        InvalidRequest: There is none of this name.
    """
    if name not in FORMATS:
        formats = ", ".join(FORMATS)
        message = f"There is no audio format {name!r}. Use one of: {formats}."
        raise InvalidRequest(message, "response_format")
    return FORMATS[name]


def format_of_suffix(suffix: str) -> Format | None:
    """Tell the format from the end of a file's name, with its dot, in any case."""
    return next((made for made in FORMATS.values() if suffix.lower() in made.suffixes), None)
