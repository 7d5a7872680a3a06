"""A pause is as long as the mark and the white space before the next sentence ask for."""

from mira.text import Break, pause_s


def test_it_follows_the_mark() -> None:
    comma, stop, question, dots = (
        pause_s(f"Come with me{mark}", Break.NONE) for mark in (",", ".", "?", "...")
    )
    assert comma < pause_s("Come with me", Break.NONE) < stop < question < dots < 0.5
    assert pause_s("He said: (come with me.)", Break.NONE) == stop
    assert pause_s("你好。", Break.NONE) == stop
    assert pause_s("你好，", Break.NONE) == comma
    assert pause_s("", Break.NONE) > 0


def test_it_follows_the_line_and_the_paragraph() -> None:
    """A line is about a full stop, and what has one needs no more; a paragraph is longer."""
    stop = pause_s("Come.", Break.NONE)
    assert stop - 0.1 < pause_s("Come", Break.LINE) < stop == pause_s("Come.", Break.LINE)
    assert pause_s("Come", Break.PARAGRAPH) == pause_s("Come.", Break.PARAGRAPH) > stop + 0.1
