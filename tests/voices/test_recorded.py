"""What a recorded voice is known by, and what can't be one."""

import numpy as np
import pytest

from mira.errors import InvalidRequest
from mira.voices.archive import Clip, VoiceFile
from mira.voices.cache import Tokens
from mira.voices.folder import Candidate
from mira.voices.quality import assess
from mira.voices.recorded import limits_of, recorded_of, usable, voice_of
from tests.server.serving import quick

SILENCE = assess(np.zeros(16000, np.float32), 16000)
CANDIDATE = Candidate("anna", "anna.wav", ((1, 2, 3), None))


def version(recording: bytes, transcript: str) -> str:
    voice = VoiceFile("anna", Clip(recording, ".wav"), transcript)
    return recorded_of(CANDIDATE, voice, voice.content, SILENCE).version


def test_a_version_is_of_recording_and_transcript() -> None:
    assert version(b"a", "Hi.") == version(b"a", "Hi.")
    assert len({version(b"a", "Hi."), version(b"b", "Hi."), version(b"a", "Ho.")}) == 3


def test_a_voice_is_what_was_heard_and_what_was_said() -> None:
    voice = VoiceFile("anna", Clip(b"a", ".mp3"), "Hi.")
    recorded = recorded_of(CANDIDATE, voice, voice.content, SILENCE)
    assert recorded.format == "mp3"
    spoken = voice_of(recorded, Tokens(global_tokens=(1, 2), speech_tokens=(3,)))
    assert (spoken.name, spoken.global_tokens, spoken.speech_tokens) == ("anna", (1, 2), (3,))
    assert spoken.transcript == "Hi."


def test_what_cant_be_used_says_why() -> None:
    with pytest.raises(InvalidRequest, match="can't be used: no speech found"):
        usable(SILENCE)


def test_limits_are_settings() -> None:
    limits = limits_of(quick(max_recording_bytes=2000, max_recording_s=3, max_voices=4))
    assert (limits.max_bytes, limits.max_seconds, limits.max_voices) == (2000, 3, 4)
