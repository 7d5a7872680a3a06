"""Findings: what was found of something, how bad that is, and what helps.

Knows nothing about what is looked at.
"""

from dataclasses import dataclass
from typing import IO, Literal

State = Literal["ok", "note", "problem"]  # a problem: what the settings ask for can't work


@dataclass(frozen=True, slots=True)
class Row:
    """One finding."""

    name: str
    value: str
    state: State = "ok"
    advice: str = ""  # what helps; where there is a command that does, that


Report = dict[str, list[Row]]
"""Findings, by what they are about."""


def problems(report: Report) -> list[Row]:
    """Pick what keeps Mira from doing what the settings ask for."""
    return [row for rows in report.values() for row in rows if row.state == "problem"]


def show(report: Report, out: IO[str] | None = None) -> None:
    """Print a report, on standard output by default; commands stay in one line, to be copied."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=out)

    def put(text: str, style: str = "", end: str = "\n") -> None:
        # As a Text, or '.[cpu]' would be taken for markup.
        console.print(Text(text, style), end=end, soft_wrap=True)

    styles = {"ok": "", "note": "yellow", "problem": "bold red"}
    for title, rows in report.items():
        put(title, "bold")
        wide = max(len(row.name) for row in rows)
        following = [*(row.advice for row in rows[1:]), ""]
        for row, next_advice in zip(rows, following):
            put(f"  {'' if row.state == 'ok' else row.state:8}", styles[row.state], end="")
            put(f"{row.name:{wide}}  {row.value}".rstrip())
            if row.advice and row.advice != next_advice:  # else it is said once, after the last
                put(f"{'':{wide + 12}}{row.advice}", "cyan")
        put("")
    count = len(problems(report))
    found = f"{count} problem{'' if count == 1 else 's'}: what the settings ask for can't work."
    put(found if count else "Nothing found that keeps Mira from what the settings ask for.")


def gib(num_bytes: int) -> str:
    """Write a number of bytes for people."""
    return f"{num_bytes / 2**30:.1f} GiB"
