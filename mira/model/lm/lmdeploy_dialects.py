"""A vocabulary in, what each of LMDeploy's engines calls its ids out, so that only speech is said.

Neither engine can be told which tokens may be drawn: TurboMind forbids 32 at most, and forbidding
158,000 in the other would cost more than the model. So each gets a head that has no others.
TurboMind takes the width of its head for the size of its vocabulary: there the vocabulary itself is
cut to speech and its ends, and prompts, which hold other ids, are given as embeddings. The engine
in PyTorch keeps the vocabulary, and `speech_logits` computes and admits speech alone.
Knows nothing about streams. Source: LMDeploy 0.18; TurboMind's C++ is 0.16's.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from mira.errors import SynthesisFailed
from mira.model.checkpoint.language import EMBEDDING, HEAD
from mira.model.checkpoint.tokens import TokenMap
from mira.model.codec.base import SPEECH_CODES
from mira.model.lm.base import sayable
from mira.types import Sampling

HOTTEST, MOST_KEPT = 2.0, 1024  # temperature and top-k that its engines take
MOST_BANNED = 32  # tokens that TurboMind can forbid, and ends that it can look for
CUT_ROWS = SPEECH_CODES + MOST_BANNED
"""Rows of the cut vocabulary: codes, ends, and what is left of a round number, unsayable."""

_TOKENIZER_FILES = "tokenizer*", "vocab.json", "merges.txt", "added_tokens.json", "special_tokens*"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an engine calls the ids of the vocabulary."""

    vocab_rows: int  # ids that a prompt can hold are in [0, vocab_rows)
    first_speech: int
    ends: Sequence[int]
    banned: Sequence[int]  # still to be forbidden; for most, the engine has no logits
    inputs: Callable[[Sequence[int]], dict[str, Any]]
    """A prompt, as arguments of `async_stream_infer`."""

    def code(self, said: int) -> int | None:
        """Find the code of speech that the engine calls so; None for an end.

        Raises:
            SynthesisFailed: It is neither.
        """
        code = said - self.first_speech
        if 0 <= code < SPEECH_CODES:
            return code
        if said in self.ends:
            return None
        raise SynthesisFailed(f"the language model said {said}, which is no speech")


def published_dialect(vocabulary: TokenMap, vocab_rows: int) -> Dialect:
    """Keep the vocabulary as it is: of as many rows as the embedding."""

    def inputs(prompt: Sequence[int]) -> dict[str, Any]:
        return {"input_ids": list(prompt)}

    return Dialect(vocab_rows, vocabulary.first_speech, vocabulary.end_ids, (), inputs)


def cut_dialect(vocabulary: TokenMap, embedding: torch.Tensor) -> Dialect:
    """Name the codes of speech, then its ends; everything else is only ever read.

    Args:
        vocabulary: Where its tokens are, before it was cut.
        embedding: [vocabulary, hidden], before it was cut; may be mapped from a file.
    """
    said = sayable(vocabulary)
    unsayable = range(len(said), CUT_ROWS)
    # A repetition penalty counts ids in the prompt, so speech there keeps its own, and all that
    # can't be said is one that nobody says anyway.
    ids = {i: number for number, i in enumerate(said)}

    def inputs(prompt: Sequence[int]) -> dict[str, Any]:
        return {
            "input_ids": [ids.get(i, unsayable[0]) for i in prompt],
            "input_embeddings": [embedding[torch.tensor(prompt)].to(torch.bfloat16)],
            "input_embedding_ranges": [[0, len(prompt)]],
        }

    return Dialect(len(embedding), 0, range(SPEECH_CODES, len(said)), unsayable, inputs)


def generation(sampling: Sampling, dialect: Dialect) -> dict[str, Any]:
    """Say the same in the arguments of LMDeploy's `GenerationConfig`.

    Raises:
        ValueError: Its engines can't sample so.
    """
    if sampling.temperature > HOTTEST or sampling.top_k > MOST_KEPT:
        raise ValueError(
            f"temperature is at most {HOTTEST} and top_k {MOST_KEPT}; found {sampling}"
        )
    # Engines take 32 or 64 bits of a seed. This spreads any number over them all.
    seed = np.random.SeedSequence(sampling.seed).generate_state(1, np.uint64)[0]
    draws = sampling.temperature > 0
    if not draws:
        sampling = replace(sampling, temperature=1.0, top_k=1, top_p=1.0, min_p=0.0)
    names = "max_new_tokens", "temperature", "top_k", "top_p", "min_p", "repetition_penalty"
    return {
        **{name: getattr(sampling, name) for name in names},
        "do_sample": draws,
        "random_seed": int(seed),
        "stop_token_ids": list(dialect.ends),
        "bad_token_ids": list(dialect.banned),
        "skip_special_tokens": False,
    }


def cut(source: Path, weights: Iterable[Path], vocabulary: TokenMap, target: Path) -> torch.Tensor:
    """Write a language model whose vocabulary is `cut_dialect`'s.

    Only the embedding, and the head if there is one of its own, are written: 15 MB. The rest is
    linked to the source.

    Args:
        source: Holds config.json and a tokenizer.
        weights: Its safetensors.
        vocabulary: Where its tokens are.
        target: An empty directory.

    Returns:
        The embedding that it had, mapped from its file.
    """
    where: dict[str, str] = {}
    whole: dict[str, torch.Tensor] = {}
    for number, path in enumerate(weights):
        link = target / f"published-{number}.safetensors"
        link.symlink_to(path.resolve())
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118 - not a dict
                where[name] = link.name
                if name in (EMBEDDING, HEAD):
                    whole[name] = file.get_tensor(name)
                    where[name] = "cut.safetensors"
    save_file(
        {name: _cut(table, vocabulary) for name, table in whole.items()}, target / where[EMBEDDING]
    )
    index = {"metadata": {}, "weight_map": where}
    (target / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
    config = json.loads((source / "config.json").read_text("utf-8"))
    config |= {"vocab_size": CUT_ROWS, "bos_token_id": None, "eos_token_id": SPEECH_CODES}
    (target / "config.json").write_text(json.dumps(config), "utf-8")
    for pattern in _TOKENIZER_FILES:
        for path in source.glob(pattern):
            (target / path.name).symlink_to(path.resolve())
    return whole[EMBEDDING]


def _cut(table: torch.Tensor, vocabulary: TokenMap) -> torch.Tensor:
    rows = table[torch.tensor(sayable(vocabulary))]
    return torch.cat([rows, rows.new_zeros(CUT_ROWS - len(rows), rows.shape[1])])


def speech_logits(
    hidden: torch.Tensor, head: torch.Tensor, rows: torch.Tensor, vocab_rows: int
) -> torch.Tensor:
    """Compute the logits of a model that keeps its vocabulary, of which only speech can be said.

    That reads 8192 rows and a few instead of 166,000, over a quarter of what a step reads.

    Args:
        hidden: [..., hidden]
        head: [rows, hidden], cut to what can be said.
        rows: Its ids.
        vocab_rows: Of the whole head.

    Returns:
        [..., vocab_rows] float32, -inf for what can't be said.
    """
    found = torch.nn.functional.linear(hidden.to(head.dtype), head).float()
    logits = found.new_full((*found.shape[:-1], vocab_rows), -torch.inf)
    return logits.index_copy_(-1, rows, found)
