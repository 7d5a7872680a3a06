"""Logits of one step in, the tokens picked out, for all streams of the step together.

Knows nothing about models or what the tokens mean: it picks among the columns it is given. The
order is that of transformers and LMDeploy: repetition penalty, temperature, top-k, top-p, min-p.
Source: transformers' logits processors; min-p is arXiv:2407.01082.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mira.types import Sampling

Logits = npt.NDArray[np.float32]
Columns = npt.NDArray[np.intp]

_GROUPS = 256  # of columns, see `_least_likely`


class Sampler:
    """One stream's random numbers, and what it has picked before.

    Args:
        sampling: How to pick.
        num_tokens: Columns of the logits.
        seen: Columns that the prompt holds: the repetition penalty counts them too.
    """

    def __init__(self, sampling: Sampling, num_tokens: int, seen: Iterable[int] = ()) -> None:
        self.greedy = sampling.temperature == 0
        if self.greedy:
            sampling = replace(sampling, temperature=1.0, top_k=1)
        self.sampling = sampling
        # One generator for all backends and devices, so that a seed means the same on each.
        self._random = np.random.default_rng(sampling.seed)
        self._known = bytearray(num_tokens)
        self._seen = np.empty(num_tokens, np.intp)
        self._num_seen = 0
        for column in seen:
            self.see(column)

    @property
    def seen(self) -> Columns:
        """What the prompt holds and what was picked, each column once."""
        return self._seen[: self._num_seen]

    def draw(self) -> float:
        """Draw from [0, 1). 0 if the likeliest is asked for: the first of those alike."""
        return 0.0 if self.greedy else self._random.random()

    def see(self, column: int) -> None:
        """Count a column as seen."""
        if not self._known[column]:
            self._known[column] = True
            self._seen[self._num_seen] = column
            self._num_seen += 1


def pick_all(samplers: Sequence[Sampler], logits: Logits) -> list[int | None]:
    """Pick a column of each of [rows, num_tokens] logits, whoever else picks with it.

    Returns:
        A column of each row; None where a logit is not finite: the model has overflowed.
    """
    picked: list[int | None] = [None] * len(samplers)
    finite = np.flatnonzero(np.isfinite(logits).all(axis=1)).tolist()
    # Few keep more than a fraction of the columns; they would make the others' rows as long.
    narrow = [row for row in finite if 0 < samplers[row].sampling.top_k <= _GROUPS // 2]
    for rows in (narrow, [row for row in finite if row not in set(narrow)]):
        if rows:
            chosen = [samplers[row] for row in rows]
            columns, probabilities = distribution(chosen, logits[rows])
            random = _column([sampler.draw() for sampler in chosen])
            drawn = (probabilities.cumsum(axis=1) <= random).sum(axis=1)
            drawn = np.minimum(drawn, np.count_nonzero(probabilities, axis=1) - 1)  # sums round
            for row, column in zip(rows, columns[range(len(rows)), drawn].tolist(), strict=True):
                samplers[row].see(column)
                picked[row] = column
    return picked


def distribution(
    samplers: Sequence[Sampler], logits: Logits
) -> tuple[Columns, npt.NDArray[np.float64]]:
    """Compute what can be drawn, and how likely.

    Sums are made one addition after the other, so that zeros don't change how they round: a row is
    to the last bit what it is alone.

    Args:
        samplers: Of each row.
        logits: [rows, num_tokens], finite.

    Returns:
        [rows, the most of a row] columns, the likeliest first, and their probabilities, which add
        up to 1. Behind a row's own columns are others, whose probabilities are 0.
    """
    samplings = [sampler.sampling for sampler in samplers]
    num_tokens = logits.shape[1]
    top_k = np.array([min(sampling.top_k or num_tokens, num_tokens) for sampling in samplings])
    columns, values = _likely(_penalised(samplers, logits), top_k)
    scaled = values / _column([sampling.temperature for sampling in samplings]).astype(np.float32)
    row = np.arange(len(samplers))[:, None]
    order = np.argsort(-scaled, axis=1, kind="stable")
    columns, scaled = columns[row, order], scaled[row, order]
    ranked = scaled.astype(np.float64)
    weights = np.exp(ranked - ranked[:, :1])
    weights *= scaled >= scaled[row, top_k[:, None] - 1]  # keeps all that tie with the last
    probabilities = weights / weights.cumsum(axis=1)[:, -1:]
    # Keep what it takes to reach top_p, of what top-k has left; then all but the far less likely
    # than the likeliest. Both keep the first.
    before = probabilities.cumsum(axis=1) - probabilities
    least = _column([sampling.min_p for sampling in samplings]) * probabilities[:, :1]
    kept = (before < _column([sampling.top_p for sampling in samplings])) & (probabilities >= least)
    kept[:, 0] = True
    probabilities *= kept
    return columns, probabilities / probabilities.cumsum(axis=1)[:, -1:]


def _penalised(samplers: Sequence[Sampler], logits: Logits) -> Logits:
    """Make the columns that were seen less likely; each once, however often it was."""
    seen = [row * logits.shape[1] + sampler.seen for row, sampler in enumerate(samplers)]
    penalties = [sampler.sampling.repetition_penalty for sampler in samplers]
    penalty = np.repeat(np.array(penalties, np.float32), [len(columns) for columns in seen])
    flat, where = logits.flatten(), np.concatenate(seen)
    chosen = flat[where]
    flat[where] = np.where(chosen > 0, chosen / penalty, chosen * penalty)
    return flat.reshape(logits.shape)


def _likely(logits: Logits, top_k: Columns) -> tuple[Columns, Logits]:
    """Find each row's columns of the `top_k` largest, and of some that are nearly as large.

    Returns:
        [rows, the most of a row] columns in ascending order, and their logits; filled up with
        column 0 and minus infinity.
    """
    rows, num_tokens = logits.shape
    least = _least_likely(logits, top_k)
    # Divided by a temperature, what is smaller may tie with it.
    large = np.flatnonzero(logits >= least - np.abs(least) * np.float32(1e-6))
    row, column = np.divmod(large, num_tokens)
    counts = np.bincount(row, minlength=rows)
    place = np.arange(len(large)) - np.repeat(counts.cumsum() - counts, counts)
    columns = np.zeros((rows, counts.max()), np.intp)
    values = np.full(columns.shape, -np.inf, np.float32)
    columns[row, place] = column
    values[row, place] = logits.reshape(-1)[large]
    return columns, values


def _least_likely(logits: Logits, top_k: Columns) -> Logits:
    """[rows, 1]: what the `top_k` largest of a row are at least."""
    rows, num_tokens = logits.shape
    grouped = num_tokens // _GROUPS * _GROUPS
    if not grouped or top_k.max() > _GROUPS:
        return np.sort(logits, axis=1)[np.arange(rows), -top_k, None]
    # The k groups with the largest maxima have k values that are as large as the least of those.
    maxima = np.sort(logits[:, :grouped].reshape(rows, -1, _GROUPS).max(axis=1), axis=1)
    found: Logits = maxima[np.arange(rows), -top_k, None]
    return found


def _column(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """[rows, 1]"""
    return np.array(values)[:, None]
