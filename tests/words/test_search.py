"""The likeliest way through a sentence, on scores that say what is heard."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pocketsphinx
import pytest

from mira.words.acoustic import SILENCE, AcousticModel
from mira.words.chain import chain
from mira.words.search import Search

MODEL = AcousticModel(Path(pocketsphinx.get_model_path("en-us/en-us")))
WORDS = ((("AA", "B"),), (("IY", "D"),), (("UW", "G"),), (("EY", "M"),))
STATES = chain(MODEL, WORDS, (True,) * 5)
LENGTH = 12  # frames that a word takes here
SILENT, NOISY = -1, -2


def scores(*heard: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames in which exactly these words fit, LENGTH frames each."""
    rows, best = [], []
    silence = {MODEL.phone_of(m) for m in MODEL.anywhere(MODEL.number(SILENCE))}
    of = [{MODEL.number(phone) for phone in ways[0]} for ways in WORDS]
    for word in heard:
        for frame in range(LENGTH):
            half = [MODEL.number(phone) for phone in WORDS[word][0]][frame * 2 // LENGTH :][:1]
            phones = silence if word == SILENT else {*half} & of[word] if word >= 0 else set()
            rows.append([0.0 if MODEL.phone_of(m) in phones else -40.0 for m in STATES.mixtures])
            best.append(-40.0 if word == SILENT else 0.0)
    return np.array(rows, np.float32), np.array(best, np.float32)


def way(*heard: int) -> list[tuple[int, int, int]]:
    search = Search(STATES)
    search.push(*scores(*heard))
    path = search.whole_path()
    kinds = [
        word if word >= 0 else NOISY if noise else SILENT
        for word, noise in zip(STATES.words, STATES.is_noise)
    ]
    return [(kinds[stretch.unit], stretch.start, stretch.stop) for stretch in path]


@pytest.mark.parametrize(
    "heard",
    [
        (0, 1, 2, 3),
        (SILENT, 0, 1, SILENT, 2, 3, SILENT),
        (0, 1, 3),
        (0, 3),
        (0, 1),
        (2, 3),
        (0, 1, 2, 3, 1, 2, 3),
        (0, 1, NOISY, NOISY, 2, 3),
        (NOISY, NOISY, NOISY),
    ],
    ids=str,
)
def test_what_was_heard_is_found_when_it_was_heard(heard: tuple[int, ...]) -> None:
    found = way(*heard)
    said = [(word, start, stop) for word, start, stop in found if word >= 0]
    wanted = [(word, at * LENGTH, (at + 1) * LENGTH) for at, word in enumerate(heard) if word >= 0]
    assert [word for word, _, _ in said] == [word for word, _, _ in wanted]
    for (_, start, stop), (_, begins, ends) in zip(said, wanted):
        assert abs(start - begins) <= 3 and abs(stop - ends) <= 3
    assert (NOISY in heard) == any(word == NOISY for word, _, _ in found)


def test_stretches_follow_each_other() -> None:
    found = way(0, SILENT, 1, 2, 1, 2, NOISY, 3)
    assert found[0][1] == 0 and found[-1][2] == 8 * LENGTH
    assert all(one[2] == two[1] for one, two in pairwise(found))


def test_frames_may_come_one_by_one() -> None:
    rows, best = scores(0, 1, SILENT, 3)
    search, whole = Search(STATES), Search(STATES)
    for at in range(len(rows)):
        search.push(rows[at : at + 1], best[at : at + 1])
    whole.push(rows, best)
    assert search.whole_path() == whole.whole_path()
    assert search.frames == len(rows)


def test_a_word_that_is_not_over_is_on_the_way() -> None:
    rows, best = scores(0, 1)
    search = Search(STATES)
    search.push(rows[:-4], best[:-4])
    assert [STATES.words[stretch.unit] for stretch in search.path()] == [0, 1]
