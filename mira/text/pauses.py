"""What ends a piece and what separates it from the next in, the pause between them out.

Knows nothing about how either sounds.
"""

from enum import IntEnum


class Break(IntEnum):
    """What white space separates a piece from the one before it."""

    NONE = 0
    LINE = 1
    PARAGRAPH = 2


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
