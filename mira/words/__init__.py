"""When each word is spoken, in the characters of whoever sent the text.

Knows nothing about voices, models, sockets or files.
"""

from mira.words.captions import subrip, webvtt
from mira.words.said import Said, SaidWord, Spoken
from mira.words.views import (
    Characters,
    TimedCharacters,
    characters,
    document,
    word_lists,
    word_object,
)

__all__ = [
    "Characters",
    "Said",
    "SaidWord",
    "Spoken",
    "TimedCharacters",
    "characters",
    "document",
    "subrip",
    "webvtt",
    "word_lists",
    "word_object",
]
