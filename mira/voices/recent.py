"""Tokens of the voices that spoke last, in memory.

Knows nothing about where the others' are.
"""

from collections import OrderedDict

from mira.voices.cache import Tokens

MOST = 1024  # voices, of some 10 kB each


class Recent:
    """Who spoke longest ago goes first. Readers on other threads need no lock; writers hold one."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._tokens: OrderedDict[str, Tokens] = OrderedDict()  # by content

    def __contains__(self, content: str) -> bool:
        return content in self._tokens

    def get(self, content: str) -> Tokens | None:
        """What the model made of a recording, which counts as spoken now."""
        try:
            self._tokens.move_to_end(content)
            return self._tokens[content]
        except KeyError:  # never here, or just taken out
            return None

    def put(self, content: str, tokens: Tokens) -> None:
        """Keep what was computed; the voice that spoke longest ago makes room for it."""
        self._tokens[content] = tokens
        self._tokens.move_to_end(content)
        while len(self._tokens) > self._most:
            self._tokens.popitem(last=False)

    def drop(self, content: str) -> None:
        """Forget a recording."""
        self._tokens.pop(content, None)

    def clear(self) -> None:
        """Forget all."""
        self._tokens.clear()
