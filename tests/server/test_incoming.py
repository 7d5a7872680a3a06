"""Parts go in on one thread and come out on another, and nobody waits for a sentence for ever."""

import threading
import time
from queue import Empty, SimpleQueue

import pytest

from mira.engine import Engine
from mira.errors import InvalidRequest
from mira.server.incoming import LONGEST_WHOLE_CHARS, Incoming
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.text import Mark
from tests.toys import ANNA, ToySynthesizer


def test_parts_come_as_they_are_and_then_it_says_that_there_are_no_more() -> None:
    text = Incoming(Cancel(), 100)
    for part in ("One", "", " two. "):
        text.push(part)
    text.flush()
    parts = iter(text)
    assert [next(parts) for _ in range(4)] == ["One", " two. ", Mark.FLUSH, Mark.IDLE]
    threading.Timer(0.05, text.push, ("Three",)).start()
    assert [next(parts) for _ in range(2)] == ["Three", Mark.IDLE]
    text.end()
    assert next(parts, None) is None


def test_cancelling_ends_it() -> None:
    cancel = Cancel()
    parts = iter(Incoming(cancel, 100))
    assert next(parts) is Mark.IDLE
    threading.Timer(0.05, cancel).start()
    assert next(parts, None) is None


def test_it_is_bounded() -> None:
    text = Incoming(Cancel(), 10)
    text.push("1234567890")
    for _ in range(1000):
        text.push("")
    assert text._parts.qsize() == 1
    with pytest.raises(InvalidRequest, match="too long"):
        text.push("1")


def test_without_patience_each_part_is_spoken_as_it_stands() -> None:
    text = Incoming(Cancel(), 100, patience_s=0)
    text.push("One two.")
    text.push("Three")
    parts = iter(text)
    assert [next(parts) for _ in range(4)] == ["One two.", Mark.DUE, "Three", Mark.DUE]


class Speaker:
    """A toy that speaks an incoming text on a thread of its own; says which words, and when."""

    def __init__(self, patience_s: float | None) -> None:
        self.text = Incoming(cancel := Cancel(), 1000, patience_s)
        self.cancel = cancel
        self.began = time.perf_counter()
        self.said: list[tuple[float, str]] = []
        self._thread = threading.Thread(target=self._speak)

    def __enter__(self) -> "Speaker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.text.end()
        self._thread.join()

    def wait(self, words: int) -> None:
        deadline = time.perf_counter() + 20
        while len(self.said) < words:
            assert time.perf_counter() < deadline, self.said
            time.sleep(0.005)

    def _speak(self) -> None:
        self.text.playback = playback = Playback()
        for block in Engine(ToySynthesizer()).blocks(self.text, ANNA, playback=playback):
            at = time.perf_counter() - self.began
            self.said += [(at, word.word.text) for word in block.words]


def test_what_is_no_sentence_yet_waits_so_long_and_no_longer() -> None:
    with Speaker(patience_s=0.3) as speaker:
        speaker.text.push("One")
        time.sleep(0.1)
        speaker.text.push(" two")
        speaker.wait(2)
        (first_s, first), (_, second) = speaker.said
        assert (first, second) == ("One", "two")
        assert 0.29 < first_s < 3


def test_it_waits_for_ever_if_it_may() -> None:
    with Speaker(patience_s=None) as speaker:
        speaker.text.push("One two")
        time.sleep(0.5)
        assert not speaker.said
    assert [word for _, word in speaker.said] == ["One", "two"]


def test_what_comes_at_the_moment_in_which_patience_ends_waits_no_longer_than_the_rest() -> None:
    now = 0.0
    text = Incoming(Cancel(), 100, patience_s=1.0, now=lambda: now)

    class Late(SimpleQueue[str | Mark | None]):
        def get(self, block: bool = True, timeout: float | None = None) -> str | Mark | None:
            if timeout is None or not self.empty():
                return super().get(block, timeout)
            text.push("Two")  # by the other thread, just now
            raise Empty

    text._parts = Late()
    text.push("One")
    parts = iter(text)
    assert [next(parts) for _ in range(5)] == ["One", Mark.IDLE, Mark.DUE, "Two", Mark.IDLE]
    assert text._due_in_s() == 1.0


def test_whoever_hears_something_meanwhile_does_not_wait() -> None:
    """So the beginning of a sentence is not torn from its end without need."""
    with Speaker(patience_s=0.05) as speaker:
        speaker.text.push("One two three four five six. Seven")  # 1.4 s of speech
        speaker.wait(6)
        time.sleep(0.3)
        assert len(speaker.said) == 6
        speaker.wait(7)  # but when that is over
        late_s, word = speaker.said[-1]
        assert word == "Seven" and late_s > 0.8


@pytest.mark.parametrize(
    ("said", "patience_s", "whole"),
    [
        (["One ", "moment."], None, "One moment."),
        (["One moment.", Mark.FLUSH], None, "One moment."),
        (["One", Mark.FLUSH, " moment."], None, None),
        (["One", " moment."], 0, None),
        (["One moment."], 0, "One moment."),
        (["a" * LONGEST_WHOLE_CHARS, "b"], None, None),
        (["a" * LONGEST_WHOLE_CHARS], None, "a" * LONGEST_WHOLE_CHARS),
        ([], None, ""),
    ],
)
def test_all_of_a_text_is_seen_once_it_has_ended(
    said: list[str | Mark], patience_s: float | None, whole: str | None
) -> None:
    text = Incoming(Cancel(), 4096, patience_s)
    for part in said:
        if isinstance(part, str):
            text.push(part)
        else:
            text.flush()
        assert text.whole is None
    text.end()
    assert text.whole == whole
