"""Samples in, bytes of an audio format out, as they come.

Knows nothing about text, voices, files or HTTP.
"""

from mira.audio.effects import Effects
from mira.audio.encode import AudioStream
from mira.audio.formats import FORMATS, SAMPLE_RATES, format_of_suffix
from mira.audio.pcm import wav_header

__all__ = [
    "FORMATS",
    "SAMPLE_RATES",
    "AudioStream",
    "Effects",
    "format_of_suffix",
    "wav_header",
]
