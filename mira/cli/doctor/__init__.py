"""mira doctor: what this machine has, what Mira would use of it, and what is missing."""

import typer

from mira.cli.doctor.examine import examine
from mira.cli.doctor.report import problems, show
from mira.cli.options import Config, Set, settings_of

__all__ = ["doctor", "examine"]


def doctor(config: Config = None, settings_flags: Set = None) -> None:
    """Say what this machine has, what Mira would use of it, and what is missing."""
    report = examine(settings_of(config, settings_flags))
    show(report)
    if problems(report):
        raise typer.Exit(1)
