"""Samples in, bytes of an audio format out, as they come.

Knows nothing about text, voices, files or HTTP.
"""

from mira.audio.effects import PACE_RANGE, VOLUME_RANGE, Effects
from mira.audio.encode import Encoder
from mira.audio.formats import FORMATS, SAMPLE_RATES, Format, format_of_suffix
from mira.audio.pipeline import AudioStream
from mira.audio.wav import WAV_HEADER_BYTES, wav_header

__all__ = [
    "FORMATS",
    "PACE_RANGE",
    "SAMPLE_RATES",
    "VOLUME_RANGE",
    "WAV_HEADER_BYTES",
    "AudioStream",
    "Effects",
    "Encoder",
    "Format",
    "format_of_suffix",
    "wav_header",
]
