"""What is told of speech, as Cartesia tells it on a socket and in server-sent events.

Knows nothing about who is told.
"""

import base64
import json
import time
from collections.abc import Iterable

from mira.server.cartesia.requests import failure
from mira.server.framing import Framing
from mira.server.utterance import Chunk, Utterance
from mira.words.said import SaidWord
from mira.words.views import word_lists

Message = dict[str, object]


def chunk(data: bytes, step_ms: float) -> Message:
    """Tell some audio.

    Args:
        data: Of it.
        step_ms: Since what was told before.
    """
    encoded = base64.b64encode(data).decode("ascii")
    return {**_more("chunk"), "data": encoded, "step_time": step_ms}


def flush_done(number: int) -> Message:
    """Tell that all the text up to a flush was spoken; they are counted from 1."""
    return {**_more("flush_done"), "flush_done": True, "flush_id": number}


def cancelled(flushes: int) -> Message:
    """Tell that a context was cancelled.

    In a message that clients of all kinds pass over: Cartesia's SDK would take `done` for the end
    of the context that it listens to by then, which is another.

    Args:
        flushes: Number of them that were told.
    """
    return {**flush_done(flushes), "cancelled": True}


def done() -> Message:
    """Tell that all was told."""
    return {"type": "done", "done": True, "status_code": 200}


def _more(kind: str) -> Message:
    return {"type": kind, "done": False, "status_code": 206}


class Steps:
    """How long each step takes, in milliseconds."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def next_ms(self) -> float:
        """Return how long the step took that ends now."""
        began, self._began = self._began, time.perf_counter()
        return round(1000 * (self._began - began), 1)


class WordTimes:
    """Words as they become known in, messages out: each once and in order, for none can be
    corrected. One whose audio has not come waits for a better time."""

    def __init__(self) -> None:
        self._known: dict[int, SaidWord] = {}  # and not told, by where they begin
        self._told_chars = 0

    def push(self, text: str, words: Iterable[SaidWord], until_s: float) -> list[Message]:
        """Take words, and tell those that begin before `until_s`, in no message or one.

        Args:
            text: Theirs, as much as came so far.
        """
        self._known |= {word.source.start: word for word in words}
        due = sorted(start for start, word in self._known.items() if word.start_s < until_s)
        told = [self._known.pop(start) for start in due]
        told = [word for word in told if word.source.start >= self._told_chars]
        if not told:
            return []
        self._told_chars = told[-1].source.stop
        return [{**_more("timestamps"), "word_timestamps": word_lists(text, told)}]

    def flush(self, text: str) -> list[Message]:
        """Tell the rest."""
        return self.push(text, (), float("inf"))


def events(text: str, context_id: str) -> Framing:
    """Server-sent events for `text`: audio, words where they are asked for, and the end."""
    words, steps = WordTimes(), Steps()

    def event(message: Message) -> bytes:
        return _event({**message, "context_id": context_id})

    def of_chunk(made: Chunk) -> bytes:
        told = words.push(text, made.words, made.until_s)
        if made.data:
            told.append(chunk(made.data, steps.next_ms()))
        return b"".join(map(event, told))

    def of_end(utterance: Utterance) -> bytes:
        return b"".join(map(event, [*words.flush(text), done()]))

    def of_failure(error: Exception) -> bytes:
        return event(failure(error))

    return Framing("text/event-stream", of_chunk, of_end, of_failure)


def _event(message: Message) -> bytes:
    return f"event: {message['type']}\ndata: {json.dumps(message)}\n\n".encode()
