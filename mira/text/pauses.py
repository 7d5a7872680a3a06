"""What ends a piece and what separates it from the next in, the pause between them out.

Knows nothing about how either sounds.
"""

from enum import IntEnum


class Break(IntEnum):
    """What white space or mark-up separates a piece from the one before it."""

    NONE = 0
    LINE = 1
    PARAGRAPH = 2


SENTENCE_CUT, LINE_CUT, PARAGRAPH_CUT = "\ue000\ue001\ue002"
"""Characters that mark-up becomes where it ends a sentence, a line, a paragraph."""
CUTS = "\ue000-\uf8ff"
"""Range, for a pattern, of these and those of `pause_cut`: the private-use characters. The
sender's own never get this far."""
MAX_PAUSE_S = 10.0
"""Longest pause that a sender may ask for in one place."""
MAX_SILENCE_S = 120.0
"""Most that all pauses of a text may ask for: else a page of them would be an hour of silence."""
_SHORTEST_PAUSE = 0xE100

_MARKS_S = {
    **dict.fromkeys(".!。！।۔።", 0.41),
    **dict.fromkeys("?？؟", 0.43),
    **dict.fromkeys(":：", 0.33),
    **dict.fromkeys(";；؛", 0.29),
    **dict.fromkeys(",，、،-–—", 0.2),
}
_ELLIPSIS_S = 0.48
_UNMARKED_S = 0.23
_BREAKS_S = {Break.NONE: 0.0, Break.LINE: 0.36, Break.PARAGRAPH: 0.65}
_CLOSERS = "\"'”’»)]}」』）】 "


def pause_s(piece: str, following: Break) -> float:
    """Return the silence between a piece and the next, in seconds.

    Args:
        piece: As it is spoken.
        following: What stands between the two.
    """
    bare = piece.rstrip(_CLOSERS)
    marked_s = _MARKS_S.get(bare[-1:], _UNMARKED_S)
    return max(_ELLIPSIS_S if bare.endswith(("...", "…")) else marked_s, _BREAKS_S[following])


def pause_cut(asked_s: float) -> str:
    """Return the character that stands for a pause that was asked for, to the hundredth."""
    return chr(_SHORTEST_PAUSE + round(100 * min(max(asked_s, 0.0), MAX_PAUSE_S)))


def asked_s(cut: str) -> float | None:
    """Return the pause that a character of `pause_cut` stands for; None: it is another one."""
    hundredths = ord(cut) - _SHORTEST_PAUSE
    return hundredths / 100 if 0 <= hundredths <= 100 * MAX_PAUSE_S else None


def together_s(one_s: float | None, other_s: float | None) -> float | None:
    """Return the pause where two were asked for; None: where none was."""
    if one_s is None or other_s is None:
        return one_s if other_s is None else other_s
    return min(one_s + other_s, MAX_PAUSE_S)
