"""Logits of one step in, the token picked out.

Knows nothing about models or what the tokens mean: it picks among the columns it is given. The
order is that of transformers and LMDeploy: repetition penalty, temperature, top-k, top-p, min-p.
Source: transformers' logits processors; min-p is arXiv:2407.01082.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from mira.errors import SynthesisFailed
from mira.types import Sampling


class Sampler:
    """Picks one stream's tokens; knows which were picked before.

    Args:
        sampling: How to pick.
        num_tokens: Columns of the logits.
        seen: Columns that the prompt holds: the repetition penalty counts them too.
    """

    def __init__(self, sampling: Sampling, num_tokens: int, seen: Iterable[int] = ()) -> None:
        self._sampling = sampling
        self._seen = torch.zeros(num_tokens, dtype=torch.bool)
        self._seen[list(seen)] = True
        # On the CPU wherever the model is, so that a seed means the same on every device.
        self._random = torch.Generator()
        if sampling.seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(sampling.seed)

    def pick(self, logits: Tensor) -> int:
        """Pick a column of [num_tokens] logits.

        Raises:
            SynthesisFailed: A logit is not finite: the model has overflowed.
        """
        logits = logits.to("cpu", torch.float32)
        if not torch.isfinite(logits).all():
            raise SynthesisFailed("the language model's output is not finite")
        logits = penalise(logits, self._seen, self._sampling.repetition_penalty)
        if self._sampling.temperature == 0:
            picked = int(logits.argmax())
        else:
            candidates, probabilities = distribution(logits, self._sampling)
            drawn = torch.multinomial(probabilities, 1, generator=self._random)
            picked = int(candidates[drawn])
        self._seen[picked] = True
        return picked


def penalise(logits: Tensor, seen: Tensor, penalty: float) -> Tensor:
    """Make the columns that were seen less likely, once, however often they were."""
    worse = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(seen, worse, logits)


def distribution(logits: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """What can be drawn, and how likely.

    Args:
        logits: [num_tokens] float32, after the repetition penalty.
        sampling: Its temperature is above 0.

    Returns:
        Columns [candidates], the likeliest first, and their probabilities, which add up to 1.
    """
    scaled = logits / sampling.temperature
    if 0 < sampling.top_k < len(scaled):
        floor = scaled.topk(sampling.top_k).values[-1]
        candidates = (scaled >= floor).nonzero().squeeze(1)  # keeps all that tie with the last
        scaled = scaled[candidates]
    else:
        candidates = torch.arange(len(scaled))
    scaled, order = scaled.sort(descending=True, stable=True)
    candidates = candidates[order]
    probabilities = scaled.softmax(dim=0)
    # Keep what it takes to reach top_p, of what top-k has left; then all but the far less likely
    # than the likeliest. Both keep the first.
    before = probabilities.cumsum(0) - probabilities
    kept = (before < sampling.top_p) & (probabilities >= sampling.min_p * probabilities[0])
    kept[0] = True
    probabilities = probabilities[kept]
    return candidates[kept], probabilities / probabilities.sum()
