"""Recordings of people in, voices that speak out.

Knows nothing about HTTP, nor about how a model makes a voice of a recording.
"""

from mira.voices.archive import MAX_STATEMENT_CHARS, Clip, Consent, largest
from mira.voices.consents import Consents
from mira.voices.folder import check_folder
from mira.voices.known import Recorded
from mira.voices.lookup import OPENAI_VOICES, Found, Voices
from mira.voices.names import KEY_NAME, owner_of, shown_name
from mira.voices.quality import Quality
from mira.voices.store import NEEDS_MODEL, NotPrepared, VoiceStore, open_store
from mira.voices.watch import Watcher

__all__ = [
    "KEY_NAME",
    "MAX_STATEMENT_CHARS",
    "NEEDS_MODEL",
    "OPENAI_VOICES",
    "Clip",
    "Consent",
    "Consents",
    "Found",
    "NotPrepared",
    "Quality",
    "Recorded",
    "VoiceStore",
    "Voices",
    "Watcher",
    "check_folder",
    "largest",
    "open_store",
    "owner_of",
    "shown_name",
]
