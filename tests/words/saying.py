"""Texts and when their words are said, made up."""

import re

from hypothesis import strategies as st

from mira.types import Span
from mira.words.said import SaidWord


def evenly(text: str, word_s: float = 0.3, pause_s: float = 0.0) -> list[SaidWord]:
    """Each word of a text as long, with a pause after a full stop."""
    words, clock_s = [], 0.0
    for found in re.finditer(r"\S+", text):
        words.append(SaidWord(Span(*found.span()), clock_s, clock_s + word_s, estimated=False))
        clock_s += word_s + pause_s * (found[0][-1] in ".?!" and found[0] != "Dr.")
    return words


_WORDS = st.one_of(st.text("aeé.,<>&*[]-😀\0", max_size=12), st.text(max_size=5))
_SPACES = st.sampled_from([" ", " ", " ", "  ", "\n", "\n\n", " --> ", "\u2028"])
_SECONDS = st.one_of(st.sampled_from([0.0, 0.0004, 0.05, 0.3, 0.3, 1.5]), st.floats(0, 2))


@st.composite
def said(draw: st.DrawFn) -> tuple[str, list[SaidWord], float]:
    """A text, its words, and how long it takes: starts never go back, stops may overlap."""
    text = "".join(draw(st.lists(st.tuples(_WORDS, _SPACES).map("".join), max_size=15)))
    clock_s, words = 0.0, []
    for found in re.finditer(r"\S+", text):
        clock_s += draw(_SECONDS)
        stop_s = clock_s + draw(_SECONDS)
        words.append(SaidWord(Span(*found.span()), clock_s, stop_s, draw(st.booleans())))
        clock_s = draw(st.sampled_from([clock_s, stop_s]))
    duration_s = max([clock_s, *(word.stop_s for word in words)]) + draw(_SECONDS)
    return text, words, duration_s
