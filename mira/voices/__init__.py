"""Recordings of people in, voices that speak out.

Knows nothing about HTTP, nor about how a model makes a voice of a recording.
"""

from mira.voices.archive import Clip, Consent, largest
from mira.voices.files import write_whole
from mira.voices.lookup import OPENAI_VOICES, Found, Voices, open_voices
from mira.voices.quality import Quality, assess
from mira.voices.store import Limits, Recorded, VoiceStore, limits_of, open_store
from mira.voices.watch import Watcher

__all__ = [
    "OPENAI_VOICES",
    "Clip",
    "Consent",
    "Found",
    "Limits",
    "Quality",
    "Recorded",
    "VoiceStore",
    "Voices",
    "Watcher",
    "assess",
    "largest",
    "limits_of",
    "open_store",
    "open_voices",
    "write_whole",
]
