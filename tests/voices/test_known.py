"""What is known changes as a whole, name by name."""

import numpy as np

from mira.voices.archive import RECORDING, Card, Clip, Consent, VoiceFile
from mira.voices.cache import Report
from mira.voices.folder import Candidate
from mira.voices.known import Known, Recorded, Rejected
from mira.voices.quality import assess

QUALITY = assess(np.zeros(16000, np.float32), 16000)


def found(name: str, number: int = 0) -> Candidate:
    return Candidate(name, f"{name}.wav", ((number, 0, 0), None))


def voice(name: str, data: bytes = b"a", transcript: str = "", consent: str = "") -> Recorded:
    given = Consent(id=consent) if consent else None
    card = Card(name=name, transcript=transcript, consent=given)
    file = VoiceFile(card, {RECORDING: Clip(data, ".mp3")})
    return Recorded.of(found(name), file, Report(content=file.content, quality=QUALITY))


def test_a_version_is_of_recording_and_transcript() -> None:
    assert voice("anna", b"a", "Hi.") == voice("anna", b"a", "Hi.")
    assert voice("anna").format == "mp3"
    heard = [voice("anna", *said) for said in ((b"a", "Hi."), (b"b", "Hi."), (b"a", "Ho."))]
    assert len({each.version for each in heard}) == 3


def test_who_holds_what_was_known_is_not_disturbed() -> None:
    known = Known()
    before = known.recorded
    known.put("anna", voice("anna"))
    assert (dict(before), set(known.recorded)) == ({}, {"anna"})


def test_a_name_is_one_thing_or_the_other() -> None:
    known = Known()
    known.put("anna", Rejected(found("anna"), "Noise."))
    assert (dict(known.recorded), known.unusable) == ({}, {"anna.wav": "Noise."})
    known.put("anna", voice("anna"))
    assert (set(known.recorded), known.unusable) == ({"anna"}, {})
    known.put("anna", Rejected(found("anna"), "Silence."))
    assert (dict(known.recorded), known.unusable) == ({}, {"anna.wav": "Silence."})
    known.put("anna", None)
    assert (dict(known.recorded), known.unusable) == ({}, {})


def test_problems_with_names_are_listed_with_the_others() -> None:
    known = Known()
    known.put("ben", Rejected(found("ben"), "Noise."))
    known.misnamed = {"-rf.wav": "name: it begins with '-'."}
    assert list(known.unusable) == ["-rf.wav", "ben.wav"]


def test_the_same_file_is_known_and_a_changed_one_is_not() -> None:
    known = Known()
    known.put("anna", voice("anna"))
    known.put("ben", Rejected(found("ben"), "Noise."))
    for name in ("anna", "ben"):
        assert known.has(found(name))
        assert not known.has(found(name, number=1))
    assert not known.has(found("zoe"))


def test_what_voices_share() -> None:
    known = Known()
    for name in ("anna", "ben"):
        known.put(name, voice(name, b"same", consent="cons_1"))
    known.put("carl", voice("carl"))
    content = known.recorded["anna"].content
    assert known.made_with("cons_1") == ["anna", "ben"]
    known.put("anna", None)
    assert known.uses(content)
    known.put("ben", None)
    assert not known.uses(content)
    assert known.made_with("cons_1") == []
