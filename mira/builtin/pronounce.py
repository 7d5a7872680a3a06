"""A word in, how the built-in voice would say it out: for whoever listens to other voices.

Reads it without the voice's network. Knows nothing about sentences.
"""

from mira.builtin.phonemes import Phonemizer
from mira.builtin.symbols import sounds
from mira.types import Sentence


class Pronounce:
    """Says how any word sounds. Safe on several threads."""

    def __init__(self) -> None:
        """Load the dictionaries; takes a second, and 120 MB."""
        self._front_end = Phonemizer({})

    def __call__(self, word: str) -> str:
        """Return canonical IPA (see mira.text.sounds); "" for what isn't read in English.

        Raises:
            SynthesisFailed: The front end broke.
        """
        said = self._front_end.phonemes(Sentence.of(word))
        heard = "".join(char for char in said if char.isalpha() or char == " ")  # no marks
        return sounds(" ".join(heard.split()))
