"""What every network on a CUDA card needs: passes recorded once and replayed, and plain errors.

Leaf: knows nothing about which networks. It works without a card too, so that what is built on it
can be tested on any machine. Source: CUDA graphs, as PyTorch records them.
"""

import logging
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from mira.errors import MiraError

log = logging.getLogger(__name__)


class Passes:
    """Passes over a network, of fixed shapes, each recorded before it is needed.

    Started operation by operation, a pass of hundreds of small kernels takes as long as Python
    takes to start them, and nobody else can run Python meanwhile. A recorded one starts at once.
    It repeats what it did when it was recorded, with whatever its tensors hold by then: it may
    read nothing but tensors that stay where they are, and returns nothing.

    Without a card a pass is merely called again, which has the same effects.

    Args:
        device: Where the network is.
        name: Of the network, for the log.
        urgent: Its operations go before those of others that wait for the card.
    """

    def __init__(self, device: torch.device, name: str, urgent: bool = False) -> None:
        self._on_card = device.type == "cuda"
        self._name = name
        self._replays: dict[Hashable, Callable[[], object]] = {}
        # Of its own: other threads' work is neither waited for nor recorded by accident.
        self._stream: torch.cuda.Stream | None = None
        if self._on_card:
            self._stream = torch.cuda.Stream(device, priority=-urgent)  # type: ignore[no-untyped-call]
            self._pool = torch.cuda.graph_pool_handle()
            torch.cuda.synchronize(device)  # the network was made elsewhere than on this stream

    def stream(self) -> AbstractContextManager[object]:
        """Enter the stream on which what a pass depends on is done, and its results are read."""
        return torch.cuda.stream(self._stream) if self._stream is not None else nullcontext()

    def wait(self) -> None:
        """Return when all that was started has been computed."""
        if self._stream is not None:
            self._stream.synchronize()

    def record(
        self, passes: Iterable[tuple[Hashable, Callable[[], object]]], limit_s: float
    ) -> None:
        """Record passes by key, the most important first, for no longer than about `limit_s`.

        What is not recorded, because time is up or because the driver refuses, can still be run.

        Raises:
            torch.OutOfMemoryError: There is no room for it.
        """
        began = time.perf_counter()
        for key, run in passes:
            if time.perf_counter() - began > limit_s:
                log.warning("%s: recording took longer than %.0f s", self._name, limit_s)
                break
            try:
                self._replays[key] = self._recorded(run)
            except RuntimeError as error:
                if is_full(error):
                    raise
                log.warning("%s: passes can't be recorded: %s", self._name, error)
                break
        took_s = time.perf_counter() - began
        log.info("%s: %d passes recorded in %.1f s", self._name, len(self._replays), took_s)

    def run(self, key: Hashable, otherwise: Callable[[], object]) -> None:
        """Repeat what was recorded by that key; what was not is run as it is."""
        self._replays.get(key, otherwise)()

    def _recorded(self, run: Callable[[], object]) -> Callable[[], object]:
        if not self._on_card:
            return run
        graph = torch.cuda.CUDAGraph()
        with self.stream():
            run()  # the first time, libraries prepare what must not be part of a recording
            # Of this thread alone: another may go on using the card.
            with torch.cuda.graph(graph, self._pool, self._stream, "thread_local"):
                run()
        return graph.replay


def is_full(error: BaseException) -> bool:
    """Tell whether an error means that the card's memory is full: libraries say so in many ways."""
    says = "CUDA error: out of memory", "STATUS_ALLOC_FAILED"
    full = isinstance(error, RuntimeError) and any(part in str(error) for part in says)
    return full or isinstance(error, torch.OutOfMemoryError)


@contextmanager
def full_memory_as(kind: Callable[[str], MiraError], what: str) -> Iterator[None]:
    """Translate the errors of a card whose memory is full; others pass.

    Args:
        kind: The error to raise instead.
        what: Had no room, and what to do about it.
    """
    try:
        yield
    except RuntimeError as error:
        if not is_full(error):
            raise
        reason = str(error).partition("\n")[0].partition(". ")[0]
        raise kind(f"{what} ({reason}).") from error
