"""The ways to say each word of a sentence in, the states that it is searched in out.

Between two words, and around all, is a gap. A unit leads from one gap to the next: a word, said in
one of its ways; or back to the same: a silence, or noise. Knows nothing about samples.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mira.words.acoustic import SILENCE, AcousticModel, Place
from mira.words.pronounce import Phones

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

_NOISE = -1


@dataclass(frozen=True, slots=True)
class Prices:
    """Logarithms of chances; zero costs nothing."""

    silence: float = -3.0
    """Of a silence between two words."""
    skip: float = -60.0
    """Of each word that is left out."""
    back: float = -80.0
    """Of going back, however far."""
    noise: float = -20.0
    """Of sounds that are no word of the sentence."""
    noise_frame: float = -4.0
    """Of each of their frames, beside how well the best phone of all fits it."""


@dataclass(frozen=True, slots=True)
class Chain:
    """States in a row, those of a unit side by side. Of the last one, each is gone on to others."""

    mixtures: tuple[int, ...]
    observed: Places
    """[states] which of `mixtures` each is; that of noise is the one after them."""
    stays: Floats
    """[states] logarithms of the chance to stay."""
    moves: Floats
    """[states] logarithms of the chance to go on."""
    first: Places
    """[units] the state that each begins in."""
    last: Places
    """[units] the state that each ends in."""
    begins: Places
    """[units] the gap that each begins in."""
    ends: Places
    """[units] the gap that each ends in, in order."""
    prices: Floats
    """[units] logarithms of the chance to begin each."""
    words: tuple[int, ...]
    """[units] which word it is, or NO_WORD."""

    @property
    def is_noise(self) -> npt.NDArray[np.bool_]:
        """[units] whether each is noise."""
        noise: npt.NDArray[np.bool_] = self.observed[self.first] == len(self.mixtures)
        return noise

    @property
    def num_gaps(self) -> int:
        """Number of words, and one."""
        return int(self.ends[-1]) + 1


NO_WORD = -1


def chain(
    model: AcousticModel,
    words: Sequence[Sequence[Phones]],
    pauses: Sequence[bool],
    unknown: Container[int] = (),
    prices: Prices = Prices(),
) -> Chain:
    """Make the states of a sentence.

    Args:
        model: Knows the sounds.
        words: The ways to say each, at least one.
        pauses: Whether a pause is likely, in each gap.
        unknown: Gaps with words that nobody can say: what they sound like costs little there.
        prices: Of what isn't a word.
    """
    states, silence = _States(model), model.number(SILENCE)
    for gap in range(len(words) + 1):
        if gap:
            before, after = words[gap - 2 : gap - 1], words[gap : gap + 1]
            left = silence if pauses[gap - 1] or not before else model.number(before[0][0][-1])
            right = silence if pauses[gap] or not after else model.number(after[0][0][0])
            for way in words[gap - 1]:
                states.begin(gap - 1, gap, 0.0, gap - 1)
                states.add_word([*map(model.number, way)], left, right)
        states.begin(gap, gap, prices.silence)
        states.add(silence, model.anywhere(silence))
        states.begin(gap, gap, 0.0 if gap in unknown else prices.noise)
        states.add_noise()
    return states.joined()


class _States:
    def __init__(self, model: AcousticModel) -> None:
        self._model = model
        self._mixtures: dict[int, int] = {}
        self._states: list[tuple[int, float, float]] = []
        self._units: list[tuple[int, int, int, float, int]] = []

    def begin(self, begins: int, ends: int, price: float, word: int = NO_WORD) -> None:
        self._units.append((len(self._states), begins, ends, price, word))

    def add_word(self, phones: Sequence[int], left: int, right: int) -> None:
        around = [left, *phones, right]
        for at, phone in enumerate(phones):
            place = _place(at, len(phones))
            self.add(phone, self._model.between(phone, around[at], around[at + 2], place))

    def add(self, phone: int, mixtures: Sequence[int]) -> None:
        model = self._model
        for mixture, stay, move in zip(mixtures, model.stays[phone], model.moves[phone]):
            observed = self._mixtures.setdefault(mixture, len(self._mixtures))
            self._states.append((observed, stay, move))

    def add_noise(self) -> None:
        self._states.append((_NOISE, 0.0, 0.0))

    def joined(self) -> Chain:
        observed, stays, moves = zip(*self._states)
        first, begins, ends, prices, words = zip(*self._units)
        return Chain(
            mixtures=tuple(self._mixtures),
            observed=np.array(observed) % (len(self._mixtures) + 1),  # noise after all others
            stays=np.array(stays, np.float32),
            moves=np.array(moves, np.float32),
            first=np.array(first),
            last=np.array([*first[1:], len(observed)]) - 1,
            begins=np.array(begins),
            ends=np.array(ends),
            prices=np.array(prices, np.float32),
            words=words,
        )


def _place(at: int, count: int) -> Place:
    if count == 1:
        return Place.ALONE
    return Place.FIRST if at == 0 else Place.LAST if at + 1 == count else Place.INSIDE
