"""Words and their times in, as other programs want to have them, out: JSON, lists, characters.

Knows nothing about files or sockets. Times are seconds of the audio as it is heard; words are those
of one text, in its order.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mira.words.said import SaidWord

_SPACE = re.compile(r"\s*")


def word_object(text: str, word: SaidWord) -> dict[str, object]:
    """Return a word of `text` as it is in an answer or a file: JSON, times to a millisecond."""
    return {
        "word": text[word.source.start : word.source.stop],
        "start": round(word.start_s, 3),
        "end": round(word.stop_s, 3),
        "char_start": word.source.start,
        "char_end": word.source.stop,
        "estimated": word.estimated,
    }


def document(text: str, words: Iterable[SaidWord], duration_s: float) -> dict[str, object]:
    """Return all that is known of `text`, spoken in `duration_s` seconds of audio, for JSON."""
    return {
        "text": text,
        "duration": round(duration_s, 3),
        "words": [word_object(text, word) for word in words],
    }


def word_lists(text: str, words: Iterable[SaidWord]) -> dict[str, list[object]]:
    """Return the words as they stand in `text`, and their times, as three lists of one length.

    Source: `word_timestamps` of Cartesia's protocol.
    """
    said = [word_object(text, word) for word in words]
    return {
        "words": [word["word"] for word in said],
        "start": [word["start"] for word in said],
        "end": [word["end"] for word in said],
    }


@dataclass(frozen=True, slots=True)
class TimedCharacters:
    """Characters that follow each other, and when each is heard: three lists of one length."""

    characters: list[str]
    starts_s: list[float]
    stops_s: list[float]

    def extend(self, other: "TimedCharacters") -> None:
        """Add those that follow."""
        self.characters.extend(other.characters)
        self.starts_s.extend(other.starts_s)
        self.stops_s.extend(other.stops_s)

    def pop(self) -> "TimedCharacters":
        """Take the last one out."""
        return TimedCharacters([self.characters.pop()], [self.starts_s.pop()], [self.stops_s.pop()])


class Characters:
    """Times of a text's characters, piece by piece: each character once, in the text's order.

    The letters of a word share its time evenly. What is between two words (white space, lone marks,
    mark-up) shares the time between them. Nothing goes back: what was given can't be corrected, so
    whoever can wait for words that are not `estimated` any more pushes only those.

    Times count from the stream's beginning. A message whose times count from the end of the one
    before has `stops_s[-1]` of that one taken off.

    Source: `alignment` of ElevenLabs' protocol.
    """

    def __init__(self) -> None:
        self._given = 0  # characters
        self._clock_s = 0.0  # when the last of them ends

    def push(self, text: str, words: Iterable[SaidWord]) -> TimedCharacters:
        """Return what new words make known: all up to the last of them and white space after it.

        A reader who takes a word for complete when a space follows has it at once, without waiting
        for the next.

        Args:
            text: All of it, or as much as came so far, and at least up to the last word.
            words: None left out before the last. Of one that comes again, only characters that it
                did not have before are given.
        """
        new = [word for word in words if word.source.stop > self._given]
        new.sort(key=lambda word: word.source.start)
        made = TimedCharacters([], [], [])
        for word, after in pairwise([*new, None]):
            assert word is not None
            stop_s = word.stop_s if after is None else min(word.stop_s, after.start_s)
            made.extend(self._share(text, word.source.start, word.start_s))
            made.extend(self._share(text, word.source.stop, stop_s))
        if new and (space := _SPACE.match(text, self._given)):
            made.extend(self._share(text, space.end(), self._clock_s))
        return made

    def flush(self, text: str, duration_s: float) -> TimedCharacters:
        """Return what is left of `text`, heard until the audio's end."""
        return self._share(text, len(text), duration_s)

    def _share(self, text: str, stop: int, stop_s: float) -> TimedCharacters:
        """Give the characters up to `stop` even parts of the time up to `stop_s`."""
        characters = list(text[self._given : stop])
        begin_s, stop_s = self._clock_s, max(self._clock_s, stop_s)
        self._given, self._clock_s = max(self._given, stop), stop_s
        if not characters:
            return TimedCharacters([], [], [])
        step_s = (stop_s - begin_s) / len(characters)
        edges_s = [begin_s + step_s * count for count in range(len(characters))]
        return TimedCharacters(characters, edges_s, [*edges_s[1:], stop_s])


def characters(text: str, words: Sequence[SaidWord], duration_s: float) -> TimedCharacters:
    """Return the times of all characters of a text that was spoken; see `Characters`."""
    piecewise = Characters()
    made = piecewise.push(text, words)
    made.extend(piecewise.flush(text, duration_s))
    return made
