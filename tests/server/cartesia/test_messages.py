"""What Cartesia's clients are told: each word once, in order, before its audio."""

import base64
import json

from mira.server.cartesia.messages import Steps, WordTimes, chunk, done, events, flush_done
from mira.server.utterance import Chunk
from mira.types import Span
from mira.words.said import SaidWord

TEXT = "One, two three."


def word(start: int, stop: int, at_s: float) -> SaidWord:
    return SaidWord(Span(start, stop), at_s, at_s + 0.2, False)


def test_a_word_is_told_with_its_audio_and_once() -> None:
    words = WordTimes()
    assert words.push(TEXT, (word(0, 3, 0.1), word(5, 8, 0.6)), 0.5)[0]["word_timestamps"] == {
        "words": ["One"],
        "start": [0.1],
        "end": [0.3],
    }
    assert words.push(TEXT, (word(0, 4, 0.1),), 0.5) == []  # corrected, but told
    assert words.push(TEXT, (word(5, 8, 0.4),), 0.5)[0]["word_timestamps"] == {
        "words": ["two"],
        "start": [0.4],  # as it was corrected
        "end": [0.6],
    }
    words.push(TEXT, (word(9, 15, 0.8),), 0.7)
    assert [m["word_timestamps"]["words"] for m in words.flush(TEXT)] == [["three."]]  # type: ignore[index]
    assert words.flush(TEXT) == []


def test_each_message_says_whether_there_is_more() -> None:
    assert [m["done"] for m in (chunk(b"a", 1.0), flush_done(1), done())] == [False, False, True]
    assert [m["status_code"] for m in (chunk(b"a", 1.0), flush_done(1), done())] == [206, 206, 200]
    assert Steps().next_ms() >= 0


def test_events_carry_the_same() -> None:
    framing = events(TEXT, "C")
    made = framing.chunk(Chunk(b"abc", 0.5, words=(word(0, 4, 0.1),)))
    told = [json.loads(part.split(b"data: ")[1]) for part in made.strip().split(b"\n\n")]
    assert [message["type"] for message in told] == ["timestamps", "chunk"]
    assert {message["context_id"] for message in told} == {"C"}
    assert base64.b64decode(told[1]["data"]) == b"abc"
    assert b'"status_code": 500' in framing.failure(ZeroDivisionError())
