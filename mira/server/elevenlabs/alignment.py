"""Words and when they are heard in, ElevenLabs' times of characters out, and how they are written.

Knows nothing about requests or sockets.
"""

import base64
import json
from collections.abc import Iterable
from itertools import takewhile

from mira.server.framing import Framing
from mira.server.utterance import Chunk, Utterance
from mira.words import Characters, SaidWord, TimedCharacters


class Alignment:
    """The characters of one text, each once, with the audio in which they are heard or before.

    A word whose time was only reckoned waits for its audio: until then it may be corrected.
    """

    def __init__(self) -> None:
        self._characters = Characters()
        self._known: list[SaidWord] = []  # that were not given yet, in order of the text

    def takes(self, text: str, words: Iterable[SaidWord], until_s: float) -> TimedCharacters:
        """Return the characters to send with audio that ends at `until_s`.

        Args:
            text: All of it that came so far.
            words: New ones, and corrected ones.
        """
        for word in words:
            begin, end = word.source.start, word.source.stop
            known = [w for w in self._known if w.source.stop <= begin or w.source.start >= end]
            self._known = sorted([*known, word], key=lambda word: word.source.start)
        ready = [*takewhile(lambda word: not word.estimated or word.start_s < until_s, self._known)]
        self._known = self._known[len(ready) :]
        return self._characters.push(text, ready)

    def rest(self, text: str, duration_s: float) -> TimedCharacters:
        """Return what is left, heard until the audio's end."""
        left, self._known = self._known, []
        timed = self._characters.push(text, left)
        timed.extend(self._characters.flush(text, duration_s))
        return timed


def json_lines(text: str) -> Framing:
    """Lines of JSON for `text`, each with audio and the times of the characters in it, counted from
    the beginning.

    The last character follows all audio and is heard until its end: a client that has one text
    spoken after the other takes that for the time at which the next begins.
    """
    alignment, held = Alignment(), list[SaidWord]()
    left, last = len(text), TimedCharacters([], [], [])

    def line(data: bytes, characters: TimedCharacters) -> bytes:
        audio = base64.b64encode(data).decode("ascii")
        return f"{json.dumps({'audio_base64': audio} | _both(_lists(characters)))}\n".encode()

    def chunk(made: Chunk) -> bytes:
        nonlocal left, last
        held.extend(made.words)
        if not made.data:
            return b""  # clients take every line for audio
        characters = alignment.takes(text, held, made.until_s)
        held.clear()
        left -= len(characters.characters)
        if not left and characters.characters:
            last = characters.pop()
        return line(made.data, characters)

    def end(utterance: Utterance) -> bytes:
        last.extend(alignment.takes(text, held, 0.0))
        return line(b"", _until(last, alignment, text, utterance.handed_s))

    return Framing("application/json", chunk, end)


def json_object(text: str) -> Framing:
    """One JSON object with all the audio of `text` and the times of its characters, written as the
    audio is made."""
    alignment, told = Alignment(), list[TimedCharacters]()
    odd, begun = b"", False  # bytes that base64 takes with the next ones

    def chunk(made: Chunk) -> bytes:
        nonlocal odd, begun
        told.append(alignment.takes(text, made.words, made.until_s))
        data = odd + made.data
        whole = len(data) - len(data) % 3
        odd = data[whole:]
        head, begun = b"" if begun else b'{"audio_base64": "', True
        return head + base64.b64encode(data[:whole])

    def end(utterance: Utterance) -> bytes:
        characters = _until(_joined(told), alignment, text, utterance.handed_s)
        rest = json.dumps(_both(_lists(characters)))
        return base64.b64encode(odd) + b'", ' + rest[1:].encode()

    return Framing("application/json", chunk, end)


def _until(
    timed: TimedCharacters, alignment: Alignment, text: str, duration_s: float
) -> TimedCharacters:
    """Add what is left, so that the last character is heard until the audio's end."""
    timed.extend(alignment.rest(text, duration_s))
    timed.stops_s[-1] = max(timed.stops_s[-1], duration_s)
    return timed


def _joined(parts: Iterable[TimedCharacters]) -> TimedCharacters:
    joined = TimedCharacters([], [], [])
    for part in parts:
        joined.characters.extend(part.characters)
        joined.starts_s.extend(part.starts_s)
        joined.stops_s.extend(part.stops_s)
    return joined


def _both(alignment: dict[str, object] | None) -> dict[str, object]:
    """Say it twice: characters are told as they were sent, and clients read one or the other."""
    return {"alignment": alignment, "normalized_alignment": alignment}


def _lists(timed: TimedCharacters) -> dict[str, object] | None:
    if not timed.characters:
        return None
    return {
        "characters": timed.characters,
        "character_start_times_seconds": [round(time_s, 3) for time_s in timed.starts_s],
        "character_end_times_seconds": [round(time_s, 3) for time_s in timed.stops_s],
    }
