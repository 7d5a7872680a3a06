"""mira say --words: spoken words in; a file that says when each of the text is heard, out.

Knows nothing about how words are found, or who hears them.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from mira.audio import AudioStream
from mira.errors import InvalidRequest
from mira.text import Mark
from mira.types import TimedWord
from mira.words import Said, SaidWord, document, subrip, webvtt

Form = Callable[[str, Sequence[SaidWord], float], str]


def _json(text: str, words: Sequence[SaidWord], duration_s: float) -> str:
    return json.dumps(document(text, words, duration_s), indent=1, ensure_ascii=False) + "\n"


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        ".json": _json,
        ".srt": lambda text, words, _: subrip(text, words),
        ".vtt": lambda text, words, _: webvtt(text, words),
    }
)
"""What a file holds, by its suffix."""


def form_of(path: Path) -> Form:
    """Tell what a file is to hold.

    Raises:
        InvalidRequest: From the end of its name.
    """
    form = FORMS.get(path.suffix.lower())
    if form is None:
        raise InvalidRequest(f"--words {path}: end it in one of {', '.join(FORMS)}.")
    return form


class Account:
    """Words of a text while it is spoken.

    Args:
        text: Whole, or as it comes.
        form: How they are written.
    """

    def __init__(self, text: str | Iterator[str | Mark], form: Form) -> None:
        self._form = form
        self._said = Said(text if isinstance(text, str) else "")
        self.text = text if isinstance(text, str) else self._reading(text)
        """The same, to be spoken."""

    def _reading(self, parts: Iterator[str | Mark]) -> Iterator[str | Mark]:
        for part in parts:
            if isinstance(part, str):
                self._said.reads(part)
            yield part

    def takes(self, words: Sequence[TimedWord], audio: AudioStream) -> None:
        """Add words that are heard in `audio`, or correct them."""
        self._said.takes(audio.heard(words))

    def written(self, audio: AudioStream, whole: bool) -> bytes:
        """Return what the file holds: of audio that is not whole, only words that were heard."""
        self._said.takes(())  # marks that came after the last word are its own
        words, duration_s = self._said.words, audio.returned_s
        if not whole:
            chars = self._said.until(duration_s).chars
            words = tuple(word for word in words if word.source.stop <= chars)
        # An argument may hold bytes that are no text.
        return self._form(self._said.text, words, duration_s).encode("utf-8", "replace")
