"""A voice is computed once, for all who want it; what nobody has any more is not kept."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mira.types import Samples
from mira.voices.archive import Clip, VoiceFile
from mira.voices.cache import Cache
from mira.voices.clones import Clones
from mira.voices.folder import Candidate
from mira.voices.known import Recorded
from mira.voices.quality import assess
from tests.toys import ToySynthesizer

RATE = 16000
NOISE = np.random.default_rng(1).standard_normal(RATE).astype(np.float32)


def voice(name: str) -> Recorded:
    file = VoiceFile(name, Clip(name.encode(), ".wav"), "Hello.")
    candidate = Candidate(name, f"{name}.wav", ((0, 0, 0), None))
    return Recorded.of(candidate, file, file.content, assess(NOISE, RATE))


def hear() -> tuple[Samples, int]:
    return NOISE, RATE


ANNA, BEN = voice("anna"), voice("ben")


@pytest.fixture
def toy() -> ToySynthesizer:
    return ToySynthesizer(fingerprint="c0ffee")


def clones(folder: Path, used: tuple[Recorded, ...] = (ANNA, BEN)) -> Clones:
    contents = {each.content for each in used}
    return Clones(Cache(folder, "c0ffee"), threading.Lock(), contents.__contains__)


def test_what_was_made_is_in_memory_and_on_disk(tmp_path: Path, toy: ToySynthesizer) -> None:
    made = clones(tmp_path)
    assert (made.at_hand(ANNA), made.recall(ANNA)) == (False, None)
    anna = made.make(ANNA, toy, hear)
    assert (anna.name, anna.transcript) == ("anna", "Hello.")
    assert made.remembered(ANNA) == made.make(ANNA, toy, hear) == anna
    others = clones(tmp_path)
    assert (others.at_hand(ANNA), others.remembered(ANNA)) == (True, None)
    assert others.recall(ANNA) == others.remembered(ANNA) == anna
    assert toy.clones == 1


def test_of_all_who_want_it_one_computes(tmp_path: Path, toy: ToySynthesizer) -> None:
    made = clones(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        voices = set(pool.map(lambda _: made.make(ANNA, toy, hear), range(8)))
    assert (len(voices), toy.clones) == (1, 1)


def test_what_is_on_disk_waits_for_no_computing(tmp_path: Path, toy: ToySynthesizer) -> None:
    clones(tmp_path).make(ANNA, toy, hear)
    cloning, go_on = threading.Event(), threading.Event()
    toy.while_cloning = lambda name: (cloning.set(), go_on.wait(20))
    made = clones(tmp_path)
    with ThreadPoolExecutor(2) as pool:
        ben = pool.submit(made.make, BEN, toy, hear)
        assert cloning.wait(20)
        assert pool.submit(made.recall, ANNA).result(10) is not None
        assert not ben.done()
        go_on.set()
        assert ben.result().name == "ben"


def test_what_nobody_has_any_more_is_not_kept(tmp_path: Path, toy: ToySynthesizer) -> None:
    made = clones(tmp_path, used=(BEN,))
    assert made.make(ANNA, toy, hear).global_tokens, "who is waiting for it gets it"
    assert not made.at_hand(ANNA)
    assert list(tmp_path.iterdir()) == []


def test_forgetting(tmp_path: Path, toy: ToySynthesizer) -> None:
    made = clones(tmp_path)
    for each in (ANNA, BEN):
        made.make(each, toy, hear)
    made.forget(ANNA.content)
    assert (made.at_hand(ANNA), made.at_hand(BEN)) == (False, True)
    assert made.clear() == 1
    assert not made.at_hand(BEN)
    assert list(tmp_path.iterdir()) == []


def test_who_spoke_longest_ago_leaves_the_memory_first(
    tmp_path: Path, toy: ToySynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mira.voices.clones.IN_MEMORY", 2)
    carl = voice("carl")
    made = clones(tmp_path, used=(ANNA, BEN, carl))
    for each in (ANNA, BEN, ANNA, carl):
        assert made.make(each, toy, hear).name == each.name
    assert [made.remembered(each) is not None for each in (ANNA, BEN, carl)] == [True, False, True]
    assert made.recall(BEN) is not None, "it is on the disk"
    assert made.remembered(ANNA) is None
