"""Written text in, sentences ready to be spoken out.

Knows nothing about audio, models or HTTP.
"""

from mira.text.normalize import speakable
from mira.text.segment import SentenceSplitter, split_sentences

__all__ = ["SentenceSplitter", "speakable", "split_sentences"]
