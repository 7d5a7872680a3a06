"""mira doctor: prints a report."""

from typing import TYPE_CHECKING

import typer

from mira.cli.doctor.examine import examine
from mira.cli.doctor.report import Report, problems
from mira.cli.options import Config, Set, settings_of

if TYPE_CHECKING:
    from rich.console import Console


def doctor(config: Config = None, settings_flags: Set = None) -> None:
    """Say what this machine has, what Mira would use of it, and what is missing."""
    from rich.console import Console

    report = examine(settings_of(config, settings_flags))
    show(report, Console())
    if problems(report):
        raise typer.Exit(1)


def show(report: Report, console: "Console") -> None:
    """Print a report; commands stay in one line, to be copied."""
    from rich.text import Text

    def put(text: str, style: str = "", end: str = "\n") -> None:
        # As a Text, or '.[cpu]' would be taken for markup.
        console.print(Text(text, style), end=end, soft_wrap=True)

    styles = {"ok": "", "note": "yellow", "problem": "bold red"}
    for title, rows in report.items():
        put(title, "bold")
        wide = max(len(row.name) for row in rows)
        following = [*[row.advice for row in rows[1:]], ""]
        for row, next_advice in zip(rows, following):
            put(f"  {'' if row.state == 'ok' else row.state:8}", styles[row.state], end="")
            put(f"{row.name:{wide}}  {row.value}".rstrip())
            if row.advice and row.advice != next_advice:  # else it is said once, after the last
                put(f"{'':{wide + 12}}{row.advice}", "cyan")
        put("")
    count = len(problems(report))
    found = f"{count} problem{'' if count == 1 else 's'}: what the settings ask for can't work."
    put(found if count else "Nothing found that keeps Mira from what the settings ask for.")
