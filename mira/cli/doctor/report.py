"""What was found of something, how bad that is, and what helps.

Knows nothing about what is looked at.
"""

from dataclasses import dataclass
from typing import Literal

from mira.load.plan import install

State = Literal["ok", "note", "problem"]  # a problem: what the settings ask for can't work


# As long as any build of torch is there, pip leaves it there.
ANOTHER_TORCH = install("torch", before="uninstall -y torch")


@dataclass(frozen=True, slots=True)
class Row:
    """One finding."""

    name: str
    value: str
    state: State = "ok"
    advice: str = ""  # what helps; where there is a command that does, that


@dataclass(frozen=True, slots=True)
class Section:
    """Findings about one thing."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All findings."""

    sections: tuple[Section, ...]

    @property
    def problems(self) -> list[Row]:
        """What keeps Mira from doing what the settings ask for."""
        return [row for part in self.sections for row in part.rows if row.state == "problem"]


def gib(num_bytes: int) -> str:
    """In words."""
    return f"{num_bytes / 2**30:.1f} GiB"
