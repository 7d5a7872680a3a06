"""What long work tells whoever waits for it: what is being done, and how much of it is done.

Knows nothing of the work, nor of who is told.
"""

from collections.abc import Callable

Report = Callable[[str, int, int], None]
"""Called with what is being done, how many bytes of it are done, and of how many.

What is being done is a phrase that a number can follow: `downloading owner/name to /folder`. Bytes
include those of an earlier attempt, begin anew with another phrase, and may fall when something has
to be done again; a total of 0 is not known. Called from any thread, some times a second at most,
first before the work begins. What it raises ends the work and is raised there; what was done stays
for the next attempt.
"""


def quiet(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def amount(num_bytes: int) -> str:
    """Write a number of bytes for people: `1.1 GB`, `24 MB`, `3 kB`."""
    if num_bytes >= 10**9:
        return f"{num_bytes / 10**9:.1f} GB"
    if num_bytes >= 10**6:
        return f"{num_bytes / 10**6:.0f} MB"
    return f"{-(-num_bytes // 1000)} kB"
