"""How far long work is: reported by whoever does it, shown on the terminal by whoever waits.

Knows nothing about the work.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

LINE_EVERY_S = 5.0

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


@contextmanager
def progress_bar(out: IO[str]) -> Iterator[Report]:
    """Show work on `out`, in bytes, until the block ends; without a terminal as lines of text."""
    if not out.isatty():
        yield _lines(out)
        return
    from rich import progress
    from rich.console import Console
    from rich.table import Column

    # The words give way: a folder's path alone may be wider than the terminal.
    words = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    columns = (
        progress.TextColumn("{task.description}", markup=False, table_column=words),
        progress.BarColumn(bar_width=20),
        progress.DownloadColumn(),
        progress.TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with progress.Progress(*columns, console=Console(file=out), expand=True) as bar:
        tasks: dict[str, progress.TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                for task in tasks.values():
                    bar.stop_task(task)
                bar.console.print(what, markup=False, highlight=False, soft_wrap=True)
                tasks[what] = bar.add_task(what)
            bar.update(tasks[what], completed=done, total=total or None)

        yield report


def _lines(out: IO[str]) -> Report:
    """Print a line when something begins and when it is done, and one every few seconds between."""
    doing, said, said_at = "", "", 0.0

    def report(what: str, done: int, total: int) -> None:
        nonlocal doing, said, said_at
        now = time.monotonic()
        if what == doing and not 0 < total == done and now < said_at + LINE_EVERY_S:
            return
        of = f" of {total / 1e6:.1f}" if total else ""
        line = f"{what}: {done / 1e6:.1f}{of} MB" if done or total else what
        if line != said:
            print(line, file=out, flush=True)
        doing, said, said_at = what, line, now

    return report
