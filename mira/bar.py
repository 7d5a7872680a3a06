"""Reports of long work in, a bar on the terminal out, or a line now and then where there is none.

Knows nothing about what is done.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from mira.progress import Report

LINE_EVERY_S = 5.0


@contextmanager
def progress_bar(out: IO[str]) -> Iterator[Report]:
    """Show work on `out`, in bytes, until the block ends."""
    if not out.isatty():
        yield _Lines(out)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    # The words give way: a folder's path alone may be wider than the terminal.
    words = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    columns = (
        TextColumn("{task.description}", markup=False, table_column=words),
        BarColumn(bar_width=20),
        DownloadColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(file=out), expand=True) as bar:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                for task in tasks.values():
                    bar.stop_task(task)
                bar.console.print(what, markup=False, highlight=False, soft_wrap=True)
                tasks[what] = bar.add_task(what)
            bar.update(tasks[what], completed=done, total=total or None)

        yield report


class _Lines:
    """A line when something begins and when it is done, and one every few seconds between."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._what, self._said, self._said_at = "", "", 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        news = what != self._what or (0 < total == done)
        if not news and now - self._said_at < LINE_EVERY_S:
            return
        said = f"{what}{_progress(done, total)}"
        if said != self._said:
            print(said, file=self._out, flush=True)
        self._what, self._said, self._said_at = what, said, now


def _progress(done: int, total: int) -> str:
    if total:
        return f": {done / 1e6:.1f} of {total / 1e6:.1f} MB"
    return f": {done / 1e6:.1f} MB" if done else ""
