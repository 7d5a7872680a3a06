"""How well each frame fits each state of a sentence in; the likeliest way through it out.

The way may leave words out, go back to words that were said, and pass over sounds that are no
words, each at a price. Knows nothing about samples.

Source: Viterbi's algorithm, its way back kept at the ends of units only.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mira.words.chain import Chain, Prices

Floats = npt.NDArray[np.float32]
Tokens = npt.NDArray[np.int64]

_NEVER = np.float32(-1e30)
_START = -1  # a token's: before it there is nothing


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames [start, stop) of one unit of a chain."""

    unit: int
    start: int
    stop: int


class Search:
    """Goes through one sentence.

    Args:
        chain: Its states.
        prices: Of what it doesn't expect.
    """

    def __init__(self, chain: Chain, prices: Prices = Prices()) -> None:
        self._chain = chain
        self._noise_frame = np.float32(prices.noise_frame)
        self._skip, self._back = np.float32(prices.skip), np.float32(prices.back)
        self._scores = np.full(len(chain.observed), _NEVER)
        # For each state, when its path began which unit: frame * units + unit.
        self._tokens = np.full(len(chain.observed), _START, np.int64)
        self._units, self._gaps = np.arange(len(chain.first)), np.arange(chain.num_gaps)
        self._groups = np.flatnonzero(np.diff(chain.ends, prepend=-1))  # of what ends in a gap
        self._before: list[Tokens] = []
        """For each frame [gaps] the tokens of what ended before a unit could begin there."""

    @property
    def frames(self) -> int:
        """Number of frames heard."""
        return len(self._before)

    def push(self, scores: Floats, best: Floats) -> None:
        """Hear frames.

        Args:
            scores: [frames, mixtures of the chain] logarithms.
            best: [frames] that of any phone of all.
        """
        noise = best + self._noise_frame
        for row in np.concatenate([scores, noise[:, None]], axis=1)[:, self._chain.observed]:
            self._step(row)

    def path(self) -> list[Stretch]:
        """Return the likeliest way so far, whatever comes."""
        return self._way(int(self._tokens[self._scores.argmax()]))

    def whole_path(self) -> list[Stretch]:
        """Return the likeliest way, nothing coming any more: what is left of words was not said."""
        _, tokens = self._entries()
        return self._way(int(tokens[-1]))

    def _step(self, row: Floats) -> None:
        chain = self._chain
        if self._before:
            entries, before = self._entries()
        else:
            entries, before = self._skip * self._gaps, np.full(chain.num_gaps, _START)
        moved, moved_tokens = np.empty_like(self._scores), np.empty_like(self._tokens)
        np.add(self._scores[:-1], chain.moves[:-1], out=moved[1:])
        moved_tokens[1:] = self._tokens[:-1]
        moved[chain.first] = entries[chain.begins] + chain.prices
        moved_tokens[chain.first] = self.frames * len(self._units) + self._units
        stayed = self._scores + chain.stays
        moves = moved > stayed
        self._tokens = np.where(moves, moved_tokens, self._tokens)
        scores = np.where(moves, moved, stayed) + row
        self._scores = scores - scores.max()  # so that they stay small
        self._before.append(before)

    def _entries(self) -> tuple[Floats, Tokens]:
        """Return for each gap the score with which a unit may begin there, and its token."""
        chain = self._chain
        ends = self._scores[chain.last] + chain.moves[chain.last]
        gaps = np.maximum.reduceat(ends, self._groups)
        best = ends == gaps[chain.ends]
        tokens = np.empty_like(self._gaps)
        tokens[chain.ends[best]] = self._tokens[chain.last[best]]
        # As if each word had been paid for: then words left out cost nothing.
        levels, left_out = _highest_up_to(gaps - self._skip * self._gaps)
        ahead, jump = _highest_up_to(gaps[::-1])
        skipped, back = levels + self._skip * self._gaps, ahead[::-1] + self._back
        return np.maximum(skipped, back), tokens[
            np.where(back > skipped, self._gaps[-1] - jump[::-1], left_out)
        ]

    def _way(self, token: int) -> list[Stretch]:
        way: list[Stretch] = []
        stop = self.frames
        while token != _START:
            start, unit = divmod(token, len(self._units))
            way.append(Stretch(unit, start, stop))
            token, stop = int(self._before[start][self._chain.begins[unit]]), start
        return way[::-1]


def _highest_up_to(values: Floats) -> tuple[Floats, Tokens]:
    """Return for each place the highest value up to there, and its place."""
    highest = np.maximum.accumulate(values)
    places = np.maximum.accumulate(np.where(values == highest, np.arange(len(values)), 0))
    return highest, places
