"""A finding: what was found of something, how bad that is, and what helps.

Knows nothing about what is looked at.
"""

from dataclasses import dataclass
from typing import Literal

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


def gib(num_bytes: int) -> str:
    """Write a number of bytes for people."""
    return f"{num_bytes / 2**30:.1f} GiB"
