"""Prompt ids in, speech tokens out, for many streams on one CUDA card, through PyTorch alone.

A stream keeps what it has read in a place of its own, and speaks in the row of that place, so that
nothing is gathered: a step is one recorded pass over as many places as are taken, and as far into
them as the longest stream is. Prompts are filled up to few lengths, and so recorded too. Knows
nothing about text or audio. It runs on a processor as well, far slower than OpenVINO.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from mira.errors import InvalidSettings, SynthesisFailed
from mira.model.checkpoint.layout import Checkpoint
from mira.model.checkpoint.weights import language_weights
from mira.model.cuda import Passes, full_memory_as
from mira.model.lm.base import sayable
from mira.model.lm.batching import Row
from mira.model.lm.torch_qwen2 import Qwen2

MAX_CONTEXT = 2048  # tokens of a stream: the longest prompt of a sentence, and 1024 new ones
LENGTHS = (256, 512, 1024)  # tokens that a step looks at, if no stream is longer
READ_AT_ONCE = 512  # tokens of a step, prompts included: few enough not to hold up who speaks
PROMPTS = (64, 96, 128, 192, 256, 384, READ_AT_ONCE)  # tokens that they are filled up to
RECORDING_S = 20.0


@dataclass(frozen=True, slots=True)
class _Attention:
    """Adds what is read to the cache, and mixes what the cache then holds."""

    keys: Tensor  # [layers, places + 1, context, kv heads, dim]
    values: Tensor
    write: Tensor  # [rows * tokens]: where in places * context each token goes
    places: Tensor | slice  # of the rows
    mask: Tensor  # [rows, 1, tokens, length], added to the scores

    def __call__(self, layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        rows, tokens, kv_heads, dim = key.shape
        groups, length = query.shape[2] // kv_heads, self.mask.shape[-1]
        for cache, new in ((self.keys[layer], key), (self.values[layer], value)):
            cache.flatten(0, 1).index_copy_(0, self.write, new.flatten(0, 1))
        keys = self.keys[layer][self.places, :length].transpose(1, 2)
        values = self.values[layer][self.places, :length].transpose(1, 2)
        # The query heads that share a head of the cache ask as if they were further tokens, so
        # that none of the cache is copied for them.
        asked = query.reshape(rows, tokens, kv_heads, groups, dim).permute(0, 2, 3, 1, 4)
        mask = self.mask
        if tokens > 1:
            mask = mask[:, :, None].expand(-1, -1, groups, -1, -1).flatten(2, 3)
        mixed = F.scaled_dot_product_attention(asked.flatten(2, 3), keys, values, mask)
        heads = mixed.view(rows, kv_heads, groups, tokens, dim)
        return heads.permute(0, 3, 1, 2, 4).flatten(2)


class TorchRunner:
    """A `Runner` over a Qwen2, loaded and its steps recorded; its pages are the places of streams.

    Args:
        checkpoint: Its language model is loaded.
        device: Such as "cuda:0" or "cpu".
        dtype: bfloat16 or float32; None: bfloat16 on a card that has it, and float32 elsewhere.
        max_streams: Number of streams that may speak at the same time; a card has to have room for
            all from the start.
        max_context: Tokens of a stream, its prompt and what it says.

    Raises:
        InvalidSettings: The card's memory is too small.
        CheckpointError: The files can't be loaded, or hold a value that is not finite.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str,
        dtype: torch.dtype | None = None,
        max_streams: int = 64,
        max_context: int = MAX_CONTEXT,
    ) -> None:
        self.max_streams = self.num_pages = max_streams
        self.max_context = self.page_tokens = max_context
        self.step_tokens, self.vocab_rows = READ_AT_ONCE, checkpoint.dims.vocab_rows
        self._lengths = [*(length for length in LENGTHS if length < max_context), max_context]
        self._taken = _powers_of_two(max_streams)
        longest = min(READ_AT_ONCE, max_context)
        self._tokens = [*(tokens for tokens in PROMPTS if tokens < longest), longest]
        self._nowhere = max_streams * max_context  # where rows that only fill up a pass are written
        self._advice = (
            f"the card has no room for {max_streams} streams of {max_context} tokens: set "
            "max_streams lower, or free some of its memory"
        )
        self._device = torch.device(device)
        on_card = self._device.type == "cuda"
        if dtype is None:
            has_bfloat16 = on_card and torch.cuda.is_bf16_supported(False)
            dtype = torch.bfloat16 if has_bfloat16 else torch.float32
        if on_card:
            # It plans for each shape anew, which takes seconds at the start.
            torch.backends.cuda.enable_cudnn_sdp(False)
        with full_memory_as(InvalidSettings, self._advice), torch.inference_mode():
            self._net = self._load(checkpoint, dtype)
            self._make_room(max_streams, on_card)
        self._passes = Passes(self._device, "language model", urgent=True)
        self._record()

    def _load(self, checkpoint: Checkpoint, dtype: torch.dtype) -> Qwen2:
        tensors = language_weights(checkpoint)

        def take(name: str) -> Tensor:
            return torch.from_numpy(tensors.pop(name)).to(self._device, dtype)

        rows = sayable(checkpoint.tokens)
        return Qwen2(take, checkpoint.dims, rows, self.max_context)

    def _make_room(self, places: int, on_card: bool) -> None:
        dims, device = self._net.dims, self._device
        # The last place is for the rows that only fill up a pass: nobody looks there.
        shape = dims.layers, places + 1, self.max_context, dims.kv_heads, dims.head_dim
        # Empty, since a place is cleared for each stream: a processor's memory is taken when it
        # is first written.
        self._keys, self._values = self._net.head.new_empty(2, *shape)
        # What a recorded pass reads and writes: of each row the ids, their positions and where
        # they go; then of each its place and its last token.
        rows = max(places, READ_AT_ONCE // self._tokens[0])
        size = 3 * max(places, READ_AT_ONCE) + 2 * rows
        self._inputs = torch.zeros(size, dtype=torch.int64, device=device)
        self._staged = torch.zeros(size, dtype=torch.int64, pin_memory=on_card)
        self._logits = torch.zeros(rows, len(self._net.head), device=device)
        self._heard = torch.zeros(rows, len(self._net.head), pin_memory=on_card)

    @torch.inference_mode()
    def _record(self) -> None:
        """Record steps of one token for each stream, those of short streams first; then prompts."""
        shapes = [
            *((rows, 1, length) for length in self._lengths for rows in self._taken),
            *(
                (rows, tokens, tokens)
                for tokens in self._tokens
                for rows in _powers_of_two(READ_AT_ONCE // tokens)
            ),
        ]
        with full_memory_as(InvalidSettings, self._advice):
            self._passes.record(
                [(shape, partial(self._pass, *shape)) for shape in shapes], RECORDING_S
            )

    @torch.inference_mode()
    def step(self, rows: Sequence[Row]) -> npt.NDArray[np.float32]:
        """See `Runner`."""
        logits = np.empty((len(rows), len(self._net.head)), np.float32)
        speaking = [number for number, row in enumerate(rows) if len(row.ids) == 1]
        reading = [number for number, row in enumerate(rows) if len(row.ids) > 1]
        with full_memory_as(SynthesisFailed, self._advice), self._passes.stream():
            for row in rows:
                if row.past == 0:
                    self._clear(row.pages[0])
            if speaking:
                logits[speaking] = self._speak([rows[number] for number in speaking])
            longest_first = sorted(reading, key=lambda number: -len(rows[number].ids))
            while longest_first:
                tokens = _least(self._tokens, len(rows[longest_first[0]].ids))
                count = READ_AT_ONCE // tokens
                together, longest_first = longest_first[:count], longest_first[count:]
                logits[together] = self._read([rows[number] for number in together], tokens)
        return logits

    @torch.inference_mode()
    def restart(self) -> None:
        """See `Runner`."""
        with self._passes.stream():
            self._clear(self.num_pages)
        self._passes.wait()  # on a card that is lost this raises

    def _clear(self, place: int) -> None:
        # What is masked still counts as zero times what it is, and a stream that overflowed has
        # left something that zero times doesn't make zero.
        self._keys[:, place].zero_()
        self._values[:, place].zero_()

    def _speak(self, rows: Sequence[Row]) -> npt.NDArray[np.float32]:
        """One token of each: [rows, columns]."""
        places = [row.pages[0] for row in rows]
        taken = _least(self._taken, max(places) + 1)
        length = _least(self._lengths, max(row.past for row in rows) + 1)
        return self._run(zip(places, rows, strict=True), taken, 1, length)[places]

    def _read(self, rows: Sequence[Row], tokens: int) -> npt.NDArray[np.float32]:
        """Several tokens of each, such as a prompt: [rows, columns]."""
        filled = _least(_powers_of_two(READ_AT_ONCE // tokens), len(rows))
        seen = tokens  # if nothing was read before; what goes on is rare, and not recorded
        if any(row.past for row in rows):
            # To a multiple of 16, which attention kernels are quick at.
            seen = -(-max(row.past + len(row.ids) for row in rows) // 16) * 16
        found = self._run(enumerate(rows), filled, tokens, min(seen, self.max_context))
        return found[: len(rows)]

    def _run(
        self, numbered: Iterable[tuple[int, Row]], rows: int, tokens: int, length: int
    ) -> npt.NDArray[np.float32]:
        """Compute a pass with some rows at their numbers; what only fills it up goes nowhere.

        Returns:
            [rows, columns], until the next pass.
        """
        end = 3 * rows * tokens
        staged = self._staged.numpy()
        inputs = staged[:end].reshape(3, rows, tokens)
        ends = staged[end : end + 2 * rows].reshape(2, rows)
        inputs[:2], inputs[2], ends[0], ends[1] = 0, self._nowhere, self.num_pages, 0
        for number, row in numbered:
            goes_to = row.pages[0] * self.max_context + row.past
            if tokens == 1:  # as arrays, those of 64 streams would take a twentieth of the step
                inputs[:, number, 0] = row.ids[0], row.past, goes_to
                continue
            counted = np.arange(len(row.ids))
            inputs[:, number, : len(row.ids)] = row.ids, row.past + counted, goes_to + counted
            ends[:, number] = row.pages[0], len(row.ids) - 1
        used = slice(end + 2 * rows)
        self._inputs[used].copy_(self._staged[used], non_blocking=True)
        self._passes.run((rows, tokens, length), partial(self._pass, rows, tokens, length))
        self._heard[:rows].copy_(self._logits[:rows], non_blocking=True)
        self._passes.wait()
        heard: npt.NDArray[np.float32] = self._heard.numpy()
        return heard

    def _pass(self, rows: int, tokens: int, length: int) -> None:
        """Compute so many tokens for each of so many rows, which look `length` tokens back at most.

        Rows of one token are those of the first places, so that nothing is gathered. It is
        recorded: it reads `_inputs` and the cache, and writes `_logits` and the cache.
        """
        end = 3 * rows * tokens
        ids, positions, write = self._inputs[:end].view(3, rows, tokens)
        places, last = self._inputs[end : end + 2 * rows].view(2, rows)
        seen = torch.arange(length, device=self._device) <= positions[:, None, :, None]
        mask = torch.zeros_like(seen, dtype=self._keys.dtype).masked_fill_(~seen, -torch.inf)
        where = slice(rows) if tokens == 1 else places
        attention = _Attention(self._keys, self._values, write.flatten(), where, mask)
        hidden = self._net(ids, positions, attention)
        ending = (
            hidden[:, 0] if tokens == 1 else hidden[torch.arange(rows, device=self._device), last]
        )
        self._logits[:rows] = self._net.logits(ending)


def _powers_of_two(most: int) -> list[int]:
    """List powers of two up to `most`, which is among them."""
    return [*(1 << power for power in range((most - 1).bit_length())), most]


def _least(choices: Sequence[int], needed: int) -> int:
    """Return the first that is enough; `choices` ascend."""
    return next(choice for choice in choices if choice >= needed)
