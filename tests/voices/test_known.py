"""What is known changes as a whole, name by name."""

import numpy as np

from mira.voices.archive import Clip, Consent, VoiceFile
from mira.voices.folder import Candidate
from mira.voices.known import Known
from mira.voices.quality import assess
from mira.voices.recorded import Recorded, recorded_of

QUALITY = assess(np.zeros(16000, np.float32), 16000)


def found(name: str, number: int = 0, suffix: str = ".wav") -> Candidate:
    return Candidate(name, f"{name}{suffix}", ((number, 0, 0), None))


def voice(name: str, data: bytes = b"a", consent: str = "") -> Recorded:
    file = VoiceFile(name, Clip(data, ".wav"), "", Consent(id=consent) if consent else None)
    return recorded_of(found(name), file, file.content, QUALITY)


def test_who_holds_what_was_known_is_not_disturbed() -> None:
    known = Known()
    before = known.recorded
    known.put(voice("anna"))
    assert (dict(before), set(known.recorded)) == ({}, {"anna"})
    assert known.recorded is known.recorded, "the same until something changes"


def test_a_file_is_one_thing_or_the_other() -> None:
    known = Known()
    assert known.reject(found("anna"), "Noise.")
    assert not known.reject(found("anna"), "Noise."), "no news"
    assert known.reject(found("anna"), "Silence.")
    assert (known.unusable, known.has_rejected) == ({"anna.wav": "Silence."}, True)
    known.put(voice("anna"))
    assert (set(known.recorded), known.unusable, known.has_rejected) == ({"anna"}, {}, False)
    known.reject(found("anna", suffix=".mp3"), "Noise.")
    assert (dict(known.recorded), known.names) == ({}, {"anna"})
    known.drop("anna")
    assert (known.names, known.unusable) == (set(), {})


def test_problems_with_names_are_listed_with_the_others() -> None:
    known = Known()
    known.reject(found("ben"), "Noise.")
    known.problems = {"-rf.wav": "name: it begins with '-'."}
    assert list(known.unusable) == ["-rf.wav", "ben.wav"]
    known.problems = {}
    assert list(known.unusable) == ["ben.wav"]


def test_the_same_file_is_known_and_a_changed_one_is_not() -> None:
    known = Known()
    known.put(voice("anna"))
    known.reject(found("ben"), "Noise.")
    for name in ("anna", "ben"):
        assert known.has(found(name))
        assert not known.has(found(name, number=1))
    assert not known.has(found("zoe"))


def test_what_voices_share() -> None:
    known = Known()
    for name in ("anna", "ben"):
        known.put(voice(name, b"same", "cons_1"))
    known.put(voice("carl"))
    content = known.recorded["anna"].content
    assert known.made_with("cons_1") == ["anna", "ben"]
    known.drop("anna")
    assert known.uses(content)
    known.drop("ben")
    assert not known.uses(content)
    assert known.made_with("cons_1") == []
