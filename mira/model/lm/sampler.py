"""Logits of one step in, the tokens picked out, for one stream or for many together.

Knows nothing about models or what the tokens mean: it picks among the columns it is given. The
order is that of transformers and LMDeploy: repetition penalty, temperature, top-k, top-p, min-p.
Source: transformers' logits processors; min-p is arXiv:2407.01082.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from mira.errors import SynthesisFailed
from mira.types import Sampling

Logits = npt.NDArray[np.float32]
Columns = npt.NDArray[np.intp]

FEWEST = 4  # rows that are quicker together: operations on many rows cost hardly more than on one
_GROUPS = 256  # of columns, see `_likely`


class Sampler:
    """Picks one stream's tokens; knows which were picked before.

    Args:
        sampling: How to pick.
        num_tokens: Columns of the logits.
        seen: Columns that the prompt holds: the repetition penalty counts them too.
    """

    def __init__(self, sampling: Sampling, num_tokens: int, seen: Iterable[int] = ()) -> None:
        self.sampling = sampling
        # One generator for all backends and devices, so that a seed means the same on each.
        self.random = np.random.default_rng(sampling.seed)
        self._known = bytearray(num_tokens)
        self._seen = np.empty(num_tokens, np.intp)
        self._num_seen = 0
        for column in seen:
            self.see(column)

    @property
    def seen(self) -> Columns:
        """What the prompt holds and what was picked, each column once."""
        return self._seen[: self._num_seen]

    def see(self, column: int) -> None:
        """Count a column as seen."""
        if not self._known[column]:
            self._known[column] = True
            self._seen[self._num_seen] = column
            self._num_seen += 1

    def pick(self, logits: Logits) -> int:
        """Pick a column of [num_tokens] logits.

        Raises:
            SynthesisFailed: A logit is not finite: the model has overflowed.
        """
        if not np.isfinite(logits).all():
            raise SynthesisFailed("the language model's output is not finite")
        logits = penalise(logits, self.seen, self.sampling.repetition_penalty)
        if self.sampling.temperature == 0:
            picked = int(logits.argmax())
        else:
            candidates, probabilities = distribution(logits, self.sampling)
            drawn = int(np.searchsorted(probabilities.cumsum(), self.random.random(), "right"))
            picked = int(candidates[min(drawn, len(candidates) - 1)])  # sums may round below 1
        self.see(picked)
        return picked


def pick_all(samplers: Sequence[Sampler], logits: Logits) -> list[int | SynthesisFailed]:
    """Pick a column of each of [rows, num_tokens] logits: what each sampler would pick by itself.

    Returns:
        A column of each row, or what its sampler would raise.
    """
    picked: dict[int, int | SynthesisFailed] = {}
    if len(samplers) >= FEWEST and logits.shape[1] >= _GROUPS:
        # Times zero whatever is finite is zero, and the sum with anything else is no number.
        with np.errstate(invalid="ignore"):
            finite = (logits @ np.zeros(logits.shape[1], np.float32) == 0).tolist()
        together = [
            row
            for row, sampler in enumerate(samplers)
            if finite[row]
            and sampler.sampling.temperature > 0
            and 0 < sampler.sampling.top_k <= _GROUPS // 2
        ]
        if together:
            chosen = [samplers[row] for row in together]
            picked |= zip(together, _draw_together(chosen, logits[together]), strict=True)
    for row, sampler in enumerate(samplers):
        if row not in picked:
            try:
                picked[row] = sampler.pick(logits[row])
            except SynthesisFailed as error:
                picked[row] = error
    return [picked[row] for row in range(len(samplers))]


def penalise(logits: Logits, seen: Columns, penalty: float | npt.NDArray[np.float32]) -> Logits:
    """Make the columns that were seen less likely; each is given once, however often it was."""
    penalised = logits.copy()
    chosen = penalised[seen]
    penalised[seen] = np.where(chosen > 0, chosen / penalty, chosen * penalty)
    return penalised


def distribution(
    logits: Logits, sampling: Sampling
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """What can be drawn, and how likely.

    Args:
        logits: [num_tokens], after the repetition penalty.
        sampling: Its temperature is above 0.

    Returns:
        Columns [candidates], the likeliest first, and their probabilities, which add up to 1.
    """
    scaled = logits / np.float32(sampling.temperature)
    if 0 < sampling.top_k < len(scaled):
        floor = np.partition(scaled, -sampling.top_k)[-sampling.top_k]
        candidates = np.flatnonzero(scaled >= floor)  # keeps all that tie with the last
    else:
        candidates = np.arange(len(scaled))
    candidates = candidates[np.argsort(-scaled[candidates], kind="stable")]
    ranked = scaled[candidates].astype(np.float64)
    weights = np.exp(ranked - ranked[0])
    probabilities = weights / weights.cumsum()[-1]  # not sum(): it adds up in another order
    # Keep what it takes to reach top_p, of what top-k has left; then all but the far less likely
    # than the likeliest. Both keep the first.
    before = probabilities.cumsum() - probabilities
    kept = (before < sampling.top_p) & (probabilities >= sampling.min_p * probabilities[0])
    kept[0] = True
    probabilities = probabilities[kept]
    return candidates[kept], probabilities / probabilities.cumsum()[-1]


def _draw_together(samplers: Sequence[Sampler], logits: Logits) -> list[int]:
    """What `Sampler.pick` does, on all rows at once. Zeros stand behind a row's own candidates.

    Sums are made one addition after the other, so that zeros don't change how they round: a row is
    to the last bit what it is alone.
    """
    samplings = [sampler.sampling for sampler in samplers]
    top_k = np.array([sampling.top_k for sampling in samplings])
    columns, values = _likely(_penalise_together(samplers, logits), top_k)
    scaled = values / _column([sampling.temperature for sampling in samplings]).astype(np.float32)
    row = np.arange(len(samplers))[:, None]
    order = np.argsort(-scaled, axis=1, kind="stable")
    columns, scaled = columns[row, order], scaled[row, order]
    ranked = scaled.astype(np.float64)
    weights = np.exp(ranked - ranked[:, :1])
    weights *= scaled >= scaled[row, top_k[:, None] - 1]
    probabilities = weights / weights.cumsum(axis=1)[:, -1:]
    before = probabilities.cumsum(axis=1) - probabilities
    least = _column([sampling.min_p for sampling in samplings]) * probabilities[:, :1]
    kept = (before < _column([sampling.top_p for sampling in samplings])) & (probabilities >= least)
    kept[:, 0] = True
    kept &= probabilities > 0
    probabilities *= kept
    probabilities /= probabilities.cumsum(axis=1)[:, -1:]
    random = _column([sampler.random.random() for sampler in samplers])
    drawn = (probabilities.cumsum(axis=1) <= random).sum(axis=1)
    drawn = np.minimum(drawn, kept.sum(axis=1) - 1)
    picked: list[int] = columns[row[:, 0], drawn].tolist()
    for sampler, column in zip(samplers, picked, strict=True):
        sampler.see(column)
    return picked


def _penalise_together(samplers: Sequence[Sampler], logits: Logits) -> Logits:
    width = logits.shape[1]
    seen = np.concatenate([row * width + sampler.seen for row, sampler in enumerate(samplers)])
    penalty = np.repeat(
        np.array([sampler.sampling.repetition_penalty for sampler in samplers], np.float32),
        [len(sampler.seen) for sampler in samplers],
    )
    return penalise(logits.reshape(-1), seen, penalty).reshape(logits.shape)


def _likely(logits: Logits, top_k: Columns) -> tuple[Columns, Logits]:
    """Of each row, the columns of the `top_k` largest, and of some that are nearly as large.

    Returns:
        [rows, the most of a row] columns in ascending order, and their logits; filled up with
        column 0 and minus infinity.
    """
    rows, num_tokens = logits.shape
    grouped = num_tokens // _GROUPS * _GROUPS
    # The k groups with the largest maxima have k values that are as large as the least of those,
    # so what is smaller is not among the k largest. Divided by a temperature, it may tie with it.
    maxima = np.sort(logits[:, :grouped].reshape(rows, -1, _GROUPS).max(axis=1), axis=1)
    least = maxima[np.arange(rows), -top_k, None]
    large = np.flatnonzero(logits >= least - np.abs(least) * np.float32(1e-6))
    row, column = np.divmod(large, num_tokens)
    counts = np.bincount(row, minlength=rows)
    place = np.arange(len(large)) - np.repeat(counts.cumsum() - counts, counts)
    columns = np.zeros((rows, counts.max()), np.intp)
    values = np.full(columns.shape, -np.inf, np.float32)
    columns[row, place] = column
    values[row, place] = logits.reshape(-1)[large]
    return columns, values


def _column(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """[rows, 1]"""
    return np.array(values)[:, None]
