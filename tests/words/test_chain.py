"""The states of a sentence."""

from pathlib import Path

import numpy as np
import pocketsphinx
import pytest

from mira.words.acoustic import AcousticModel
from mira.words.chain import NO_WORD, Chain, Prices, chain

WAYS = ((("AH",), ("EY",)), (("K", "AE", "T"),))
MODEL = AcousticModel(Path(pocketsphinx.get_model_path("en-us/en-us")))


@pytest.fixture(scope="module")
def states() -> Chain:
    return chain(MODEL, WAYS, (True, False, True))


def test_each_way_leads_from_gap_to_gap(states: Chain) -> None:
    of_words = [(w, b, e) for w, b, e in zip(states.words, states.begins, states.ends) if w >= 0]
    assert of_words == [(0, 0, 1), (0, 0, 1), (1, 1, 2)]
    assert states.num_gaps == 3
    assert (np.diff(states.ends) >= 0).all()


def test_each_gap_may_be_silent_or_noisy_or_nothing(states: Chain) -> None:
    for gap in range(3):
        units = [
            noise
            for word, begins, ends, noise in zip(
                states.words, states.begins, states.ends, states.is_noise
            )
            if word == NO_WORD and begins == ends == gap
        ]
        assert sorted(units) == [False, True]


def test_a_phone_has_three_states_side_by_side(states: Chain) -> None:
    lengths = states.last - states.first + 1
    assert [n for n, word in zip(lengths, states.words) if word >= 0] == [3, 3, 9]
    assert states.last[-1] + 1 == len(states.observed) == len(states.stays) == len(states.moves)
    assert states.observed.max() == len(states.mixtures)


def test_sounds_depend_on_those_of_other_words_unless_there_is_a_pause() -> None:
    def first(before: str, pauses: tuple[bool, bool, bool]) -> int:
        states = chain(MODEL, (((before,),), WAYS[1]), pauses)
        return states.mixtures[states.observed[states.first[states.words.index(1)]]]

    assert first("S", (True, False, True)) != first("M", (True, False, True))
    assert first("S", (True, True, True)) == first("M", (True, True, True))


def test_where_a_word_is_that_nobody_can_say_noise_costs_nothing() -> None:
    states = chain(MODEL, WAYS, (True, False, True), {1})
    prices = states.prices[states.is_noise]
    assert prices.tolist() == [Prices().noise, 0.0, Prices().noise]
