"""Written text in, sentences ready to be spoken out, each word with the characters it stands for.

Knows nothing about audio, models or HTTP.
"""

from mira.text.dictionary import Dictionary
from mira.text.dictionary_file import DictionaryFile, dictionary_of
from mira.text.normalize import prepare
from mira.text.pauses import Break, pause_s, together_s
from mira.text.pieces import Mark, Piece, split_sentences

__all__ = [
    "Break",
    "Dictionary",
    "DictionaryFile",
    "Mark",
    "Piece",
    "dictionary_of",
    "pause_s",
    "prepare",
    "split_sentences",
    "together_s",
]
