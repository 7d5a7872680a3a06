"""Logits of one step in, the token picked out.

Knows nothing about models or what the tokens mean: it picks among the columns it is given. The
order is that of transformers and LMDeploy: repetition penalty, temperature, top-k, top-p, min-p.
Source: transformers' logits processors; min-p is arXiv:2407.01082.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from mira.errors import SynthesisFailed
from mira.types import Sampling

Logits = npt.NDArray[np.float32]


class Sampler:
    """Picks one stream's tokens; knows which were picked before.

    Args:
        sampling: How to pick.
        num_tokens: Columns of the logits.
        seen: Columns that the prompt holds: the repetition penalty counts them too.
    """

    def __init__(self, sampling: Sampling, num_tokens: int, seen: Iterable[int] = ()) -> None:
        self._sampling = sampling
        self._seen = np.zeros(num_tokens, bool)
        self._seen[list(seen)] = True
        # One generator for all backends and devices, so that a seed means the same on each.
        self._random = np.random.default_rng(sampling.seed)

    def pick(self, logits: Logits) -> int:
        """Pick a column of [num_tokens] logits.

        Raises:
            SynthesisFailed: A logit is not finite: the model has overflowed.
        """
        if not np.isfinite(logits).all():
            raise SynthesisFailed("the language model's output is not finite")
        logits = penalise(logits, self._seen, self._sampling.repetition_penalty)
        if self._sampling.temperature == 0:
            picked = int(logits.argmax())
        else:
            candidates, probabilities = distribution(logits, self._sampling)
            drawn = int(np.searchsorted(probabilities.cumsum(), self._random.random(), "right"))
            picked = int(candidates[min(drawn, len(candidates) - 1)])  # sums may round below 1
        self._seen[picked] = True
        return picked


def penalise(logits: Logits, seen: npt.NDArray[np.bool_], penalty: float) -> Logits:
    """Make the columns that were seen less likely, once, however often they were."""
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
    probabilities = weights / weights.sum()
    # Keep what it takes to reach top_p, of what top-k has left; then all but the far less likely
    # than the likeliest. Both keep the first.
    before = probabilities.cumsum() - probabilities
    kept = (before < sampling.top_p) & (probabilities >= sampling.min_p * probabilities[0])
    kept[0] = True
    probabilities = probabilities[kept]
    return candidates[kept], probabilities / probabilities.sum()
