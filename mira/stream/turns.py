"""Streams that want to compute in, one after another out: whoever's listener runs dry first.

Knows nothing about what is computed.
"""

import threading

from mira.stream.listening import Listener, rank


class Ticket:
    """One stream's place in the queue; made when the stream begins."""

    def __init__(self, turns: "Turns", listener: Listener | None = None) -> None:
        self._turns = turns
        self._called = threading.Event()
        self.listener = listener or Listener()
        self.cancelled = False
        self._granted = False

    def wait(self) -> bool:
        """Wait for a turn; False if the stream was cancelled instead. Else `done` must follow."""
        self._called.clear()
        self._turns.join(self)
        self._called.wait()
        # Not `cancelled`: who was called and cancelled in the same moment has a turn to give back.
        return self._granted

    def done(self) -> None:
        """The turn is over."""
        self._turns.leave()

    def cancel(self) -> None:
        """Nobody listens any more: stop waiting, now and ever."""
        self._turns.cancel(self)

    def call(self, *, granted: bool) -> None:
        """Wake the waiter: granted or cancelled."""
        self._granted = granted
        self._called.set()


class Turns:
    """Lets some compute at once, and the others wait. Safe to use from several threads at once.

    Args:
        at_once: How many.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: list[Ticket] = []
        self._lock = threading.Lock()

    def join(self, ticket: Ticket) -> None:
        """Call the ticket when its turn has come."""
        with self._lock:
            if ticket.cancelled:
                ticket.call(granted=False)
                return
            self._waiting.append(ticket)
            self._call_next()

    def leave(self) -> None:
        """A turn is over: call whoever is next."""
        with self._lock:
            self._free += 1
            self._call_next()

    def cancel(self, ticket: Ticket) -> None:
        """Take the ticket out of the queue."""
        with self._lock:
            ticket.cancelled = True
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                ticket.call(granted=False)

    def _call_next(self) -> None:
        if self._free and self._waiting:
            ticket = min(self._waiting, key=lambda waiting: rank(waiting.listener))
            self._waiting.remove(ticket)
            self._free -= 1
            ticket.call(granted=True)
