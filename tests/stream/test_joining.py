"""Sound passes at once, silence waits until it is known what it is worth."""

from itertools import pairwise

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from mira.stream.joining import FADE_S, LONGEST_S, SILENCE, TAIL_S, Joiner
from mira.types import Samples

RATE = 1000

# Runs of sound and of what is not heard, each with a number of its own as a value.
runs = st.lists(st.tuples(st.booleans(), st.integers(1, 400)), max_size=8)


def samples(described: list[tuple[bool, int]]) -> Samples:
    parts = [
        np.full(length, (0.1 if loud else SILENCE / 100) * (1 + number / 10), np.float32)
        for number, (loud, length) in enumerate(described)
    ]
    return np.concatenate([np.zeros(0, np.float32), *parts])


def cut(whole: Samples, cuts: list[int]) -> list[Samples]:
    edges = [0, *sorted(cut % (len(whole) + 1) for cut in cuts), len(whole)]
    return [whole[start:stop] for start, stop in pairwise(edges)]


def last_sound(whole: Samples) -> int:
    return int(np.flatnonzero(np.abs(whole) > SILENCE)[-1]) + 1


@given(
    pieces=st.lists(st.tuples(runs, st.floats(0, 0.5)), min_size=1, max_size=3),
    cuts=st.lists(st.integers(0, 10**6), max_size=9),
)
def test_how_blocks_are_cut_changes_nothing(
    pieces: list[tuple[list[tuple[bool, int]], float]], cuts: list[int]
) -> None:
    joined = []
    for how in ([], cuts):
        joiner, out = Joiner(RATE), []
        for described, pause_s in pieces:
            out += [joiner.push(block) for block in cut(samples(described), how)]
            out.append(joiner.pause(pause_s))
        joined.append(np.concatenate(out))
    assert np.array_equal(*joined)


@given(described=runs, cuts=st.lists(st.integers(0, 10**6), max_size=9))
def test_all_but_the_silence_after_it_is_kept(
    described: list[tuple[bool, int]], cuts: list[int]
) -> None:
    whole = samples([*described, (True, 7), (False, 300)])
    joiner = Joiner(RATE)
    pushed = np.concatenate([joiner.push(block) for block in cut(whole, cuts)])
    assert np.array_equal(pushed, whole[: last_sound(whole)])
    tail = joiner.flush()
    assert len(tail) == TAIL_S * RATE
    quiet = len(tail) - round(FADE_S * RATE)
    assert np.array_equal(tail[:quiet], whole[last_sound(whole) :][:quiet])
    assert tail[-1] == 0


def test_a_pause_is_the_silence_that_is_there_and_then_none_at_all() -> None:
    for there, wanted in ((300, 200), (100, 200)):
        joiner = Joiner(RATE)
        whole = samples([(True, 50), (False, there)])
        joiner.push(whole)
        pause = joiner.pause(wanted / RATE)
        kept = min(there, wanted)
        faded = kept - round(FADE_S * RATE)
        assert len(pause) == wanted
        assert np.array_equal(pause[:faded], whole[50 : 50 + faded])
        assert np.all(np.diff(pause[faded:kept]) < 0) and not np.any(pause[kept:])
        assert len(joiner.flush()) == 0, "a pause ends a piece"


def test_sound_never_waits_and_silence_not_for_ever() -> None:
    joiner = Joiner(RATE)
    assert len(joiner.push(samples([(True, 50), (False, 10)]))) == 50
    assert len(joiner.push(samples([(False, 10), (True, 1)]))) == 21
    for _ in range(100):
        joiner.push(samples([(False, 100)]))
        assert len(joiner._held) <= LONGEST_S * RATE


@example(described=[], cuts=[], tail=[8], pause_s=None)  # shorter than the fade
@given(
    described=runs,
    cuts=st.lists(st.integers(0, 10**6), max_size=9),
    tail=st.lists(st.integers(0, 400), max_size=2),
    pause_s=st.one_of(st.none(), st.floats(TAIL_S, 0.5)),
)
def test_silence_that_comes_early_is_what_comes_all_the_same(
    described: list[tuple[bool, int]], cuts: list[int], tail: list[int], pause_s: float | None
) -> None:
    joined = []
    for settles in (0, 1, 2):
        joiner = Joiner(RATE)
        out = [joiner.push(block) for block in cut(samples([*described, (True, 3)]), cuts)]
        out += [joiner.push(samples([(False, length)])) for length in tail]
        out += [joiner.settle() for _ in range(settles)]
        out.append(joiner.flush() if pause_s is None else joiner.pause(pause_s))
        out += [joiner.settle(), joiner.push(samples([(True, 5)])), joiner.flush()]
        joined.append(np.concatenate(out))
        assert joiner.joined_s == len(joined[0]) / RATE
    assert np.array_equal(joined[0], joined[1]) and np.array_equal(joined[0], joined[2])


def test_a_client_hears_the_last_sound_of_a_piece_before_the_next_is_known() -> None:
    joiner = Joiner(RATE)
    joiner.push(samples([(True, 50), (False, 300)]))
    assert len(joiner.settle()) == round((TAIL_S - FADE_S) * RATE)
    assert len(joiner.settle()) == 0
    assert len(joiner.pause(0.0)) == round(FADE_S * RATE), "no pause is shorter then"
