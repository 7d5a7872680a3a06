"""The words of a sender's text, each with the time at which it is heard.

Knows nothing about voices, models, sockets or files.
"""

from dataclasses import dataclass

from mira.types import Span


@dataclass(frozen=True, slots=True)
class SaidWord:
    """A word of the sender's text, and when it is heard, in seconds of the audio."""

    source: Span
    start_s: float
    stop_s: float
    estimated: bool
    """Whether it was reckoned, not measured."""
