"""Items of any lengths in, passes of few shapes over a network, and each item's output out.

Every length is another shape to prepare kernels for, and a pass that nobody shares. So items are
filled up to one of few lengths, and what fills them up is made zero before each convolution, which
takes zeros to be beyond the end anyway: each item comes out as if it were alone.

Knows nothing about what the networks compute.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from mira.model.codec.networks import Item
from mira.model.codec.torch_layers import TorchNetwork
from mira.model.cuda import Passes


def exactly(network: Callable[..., Tensor], items: Sequence[Item]) -> list[Tensor]:
    """Run `network` once for each length among the items."""
    groups: dict[int, list[int]] = {}
    for index, (first, *_) in enumerate(items):
        groups.setdefault(first.shape[-1], []).append(index)
    outputs: dict[int, Tensor] = {}
    for group in groups.values():
        batch = [torch.stack(tensors) for tensors in zip(*(items[i] for i in group), strict=True)]
        outputs |= zip(group, network(*batch), strict=True)
    return [outputs[index] for index in range(len(items))]


class Padded:
    """The same, of items that are filled up: fewer passes, and of shapes that can be recorded.

    Not safe to use from several threads.

    Args:
        network: Its convolutions keep the length, or multiply it.
        example: An item.
        lengths: To fill up to, ascending; an item that is longer than all is run as it is.
        at_once: The most that a pass takes, rows times length.
        passes: Where its passes are recorded.
        cut: What fills up is made zero. Without, what is used of an output must be further away
            than the network looks.
    """

    def __init__(
        self,
        network: TorchNetwork,
        example: Item,
        lengths: Sequence[int],
        at_once: int,
        passes: Passes,
        cut: bool = True,
    ) -> None:
        self._network = network
        self._passes = passes
        self._cut = cut
        self._batches = {  # by length, those of few rows first
            length: [Batch(rows, length, example) for rows in _rows(at_once // length)]
            for length in lengths
        }

    def __call__(self, items: Sequence[Item], ending: Sequence[bool]) -> list[Tensor]:
        """Compute the output of each item; it stays what it is.

        Args:
            ending: Whether an item's end can be heard; without `cut`, it is run as it is then.
        """
        groups: dict[int | None, list[int]] = {}
        for index, (first, *_) in enumerate(items):
            fits = (length for length in self._batches if length >= first.shape[-1])
            as_it_is = not self._cut and ending[index]
            groups.setdefault(None if as_it_is else next(fits, None), []).append(index)
        outputs: dict[int, Tensor] = {}
        for length, group in groups.items():
            if length is None:
                outputs |= zip(group, exactly(self._network, [items[index] for index in group]))
                continue
            most = self._batches[length][-1].rows
            for start in range(0, len(group), most):
                sharing = group[start : start + most]
                outputs |= zip(sharing, self._together(length, [items[i] for i in sharing]))
        return [outputs[index] for index in range(len(items))]

    def shapes(self) -> Iterator[tuple["Batch", Callable[[], None]]]:
        """Yield what can be recorded."""
        for batches in self._batches.values():
            yield from ((batch, partial(self._pass, batch)) for batch in batches)

    def _together(self, length: int, items: Sequence[Item]) -> list[Tensor]:
        batch = next(batch for batch in self._batches[length] if batch.rows >= len(items))
        batch.fill(items)
        self._passes.run(batch, partial(self._pass, batch))
        made = batch.output
        assert made is not None
        factor = made.shape[-1] // length
        # The next pass of this shape overwrites it.
        return [
            output[..., : first.shape[-1] * factor].clone()
            for output, (first, *_) in zip(made, items)
        ]

    def _pass(self, batch: "Batch") -> None:
        output = self._network(*batch.inputs, beyond=batch.beyond if self._cut else None)
        if batch.output is None:
            batch.output = torch.zeros_like(output)
        batch.output.copy_(output)


class Batch:
    """The tensors of passes of one shape."""

    def __init__(self, rows: int, length: int, example: Item) -> None:
        self.rows = rows
        first, *others = example
        self.inputs = [first.new_zeros(rows, *first.shape[:-1], length)]
        self.inputs += [other.new_zeros(rows, *other.shape) for other in others]
        # [rows, 1, length]: whether it only fills up.
        self.beyond = torch.zeros((rows, 1, length), dtype=torch.bool, device=first.device)
        self.output: Tensor | None = None  # of the last pass; it stays where it is

    def fill(self, items: Sequence[Item]) -> None:
        """Take the items of the next pass, of this length at most, and as many as rows at most."""
        padded, *others = self.inputs
        ends = torch.zeros(self.rows, 1, 1, dtype=torch.int64)
        for number, (first, *_) in enumerate(items):
            padded[number, ..., : first.shape[-1]] = first
            ends[number] = first.shape[-1]
        for number, other in enumerate(others, 1):
            other[: len(items)] = torch.stack([item[number] for item in items])
        self.beyond.copy_(torch.arange(padded.shape[-1]) >= ends, non_blocking=True)


def _rows(most: int) -> list[int]:
    """Powers of two up to `most`, one at least."""
    return [1 << power for power in range(max(1, most).bit_length())]
