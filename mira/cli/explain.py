"""A text and a dictionary in, what will be said on standard output, word for word.

Knows nothing about who says it.
"""

import sys
from collections.abc import Iterable, Iterator

from mira.engine import Gap
from mira.errors import NothingToSay
from mira.text import Dictionary, Mark, split_sentences
from mira.types import Word

_COLUMNS = ("said", "stands for", "characters", "sounds")


def explain(text: str | Iterable[str | Mark], dictionary: Dictionary) -> None:
    """Print each piece as soon as it is certain: the pause before it, and its words.

    A word has the characters that it stands for, where these are in the text (the first, and the
    one after the last, counted from 0), and its phonemes if they are known. Tables on a terminal,
    elsewhere lines with tabs.

    Raises:
        NothingToSay: There is no word in it, and no pause was asked for.
    """
    written: list[str] = []
    gap, begun = Gap(1.0), False
    for piece in split_sentences(_kept(text, written), dictionary=dictionary):
        gap.widen(piece)
        if piece.sentence.text:
            whole = "".join(written)
            written[:] = [whole]
            _show(gap.silence_s, [_row(word, whole) for word in piece.sentence.words])
            gap, begun = Gap(1.0, piece.sentence.text), True
    if gap.asked_s is not None:
        _show(gap.silence_s, [])
    elif not begun:
        raise NothingToSay


def _kept(text: str | Iterable[str | Mark], written: list[str]) -> Iterator[str | Mark]:
    for part in [text] if isinstance(text, str) else text:
        if isinstance(part, str):
            written.append(part)
        yield part


def _row(word: Word, written: str) -> tuple[str, ...]:
    source = word.source
    stands_for = " ".join(written[source.start : source.stop].split())
    shown = (word.text, stands_for, f"{source.start}-{source.stop}", word.phonemes)
    return tuple(_printable(part) for part in shown)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _show(pause_s: float, rows: list[tuple[str, ...]]) -> None:
    if not sys.stdout.isatty():
        for row in ((f"pause {pause_s:.2f} s",), *rows):
            print(*row, sep="\t", flush=True)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*_COLUMNS, title=f"pause {pause_s:.2f} s", title_justify="left", box=box.SIMPLE)
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
