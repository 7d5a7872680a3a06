"""Written text in, sentences ready to be spoken out.

Knows nothing about audio, models or HTTP.
"""

from mira.text.normalize import speakable
from mira.text.pauses import Break, pause_s
from mira.text.segment import Piece, SentenceSplitter, split_sentences

__all__ = ["Break", "Piece", "SentenceSplitter", "pause_s", "speakable", "split_sentences"]
