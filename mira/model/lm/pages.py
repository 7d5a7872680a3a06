"""Pages of a cache, lent to streams and given back.

Knows nothing about what is on them.
"""

from collections.abc import Sequence


class Pages:
    """Numbered pages; not safe to use from several threads.

    Args:
        count: How many there are.
        page_tokens: Tokens on one.
    """

    def __init__(self, count: int, page_tokens: int) -> None:
        self._page_tokens = page_tokens
        self._count = count
        # The lowest first: memory is touched, and so paid for, only as far up as it is needed.
        self._free = list(range(count - 1, -1, -1))

    @property
    def used(self) -> int:
        """Pages that are lent."""
        return self._count - len(self._free)

    def take(self, tokens: int) -> list[int] | None:
        """Pages for that many tokens; None while too few are free."""
        needed = -(-tokens // self._page_tokens)
        if needed > len(self._free):
            return None
        return [self._free.pop() for _ in range(needed)]

    def give_back(self, pages: Sequence[int]) -> None:
        """End a loan."""
        self._free += sorted(pages, reverse=True)
