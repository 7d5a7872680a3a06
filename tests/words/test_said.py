"""Laws over what the text front end really makes of what is written, then the rules one by one."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.text import split_sentences
from mira.types import Span, TimedWord, Word
from mira.words.said import Said, SaidWord, Spoken
from tools.corpus import categories

WRITTEN = [pair.written for pairs in categories().values() for pair in pairs]
MARKED = [
    "**Bold**, _soft_ and `code`.",
    "# A head\n\n- one\n- *two*\n",
    "See [the page](https://example.com/a?b=1), or [pause:1s] wait.",
    "Hi<break time='1s'/>there<b>er</b> &amp; <spell>AB12</spell>!",
    "It’s “quoted” (twice) — really…",
    "你好，世界。再见 hello世界 10%的",
    "| a | b |\n|---|---|\n| 1 | $2.50 |\n",
    "Great 😀 done :) ok!!! ",
    "<sub alias='World Wide Web'>WWW</sub> is <say-as interpret-as='date'>2025-01-02</say-as>.",
    "no-space.Here,and,there 5-10 a/b x=1 ",
]

texts = st.lists(st.sampled_from([*WRITTEN, *MARKED, *MARKED]), min_size=1, max_size=4)


def timed(text: Sequence[str], said: Said) -> Iterator[list[TimedWord]]:
    """What an engine tells while it speaks a text that comes in parts, sentence by sentence."""

    def coming() -> Iterator[str]:
        for part in text:
            said.reads(part)
            yield part

    index = 0
    for piece in split_sentences(coming()):
        words = []
        for word in piece.sentence.words:
            start_s = index * 0.25
            words.append(TimedWord(word, start_s, start_s + 0.2, index))
            index += 1
        yield words


def spoken_whole(text: str) -> Said:
    said = Said()
    for words in timed([text], said):
        said.takes(words)
    said.takes(())
    return said


def written(said: Said) -> list[str]:
    return [said.text[word.source.start : word.source.stop] for word in said.words]


def cut(text: str, draw: random.Random) -> list[str]:
    cuts = sorted(draw.choices(range(len(text) + 1), k=draw.randint(0, 12)))
    return [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]


@given(texts)
def test_words_are_apart_in_order_and_give_the_text_back(parts: list[str]) -> None:
    text = " ".join(parts)
    said = spoken_whole(text)
    words = said.words
    joined, at = "", 0
    for word in words:
        assert at <= word.source.start < word.source.stop <= len(text)
        joined += text[at : word.source.start] + text[word.source.start : word.source.stop]
        at = word.source.stop
    assert joined + text[at:] == text == said.text
    for one, other in pairwise(words):
        assert one.start_s <= other.start_s
    assert all(word.start_s <= word.stop_s for word in words)


@given(texts)
def test_no_spoken_word_is_lost(parts: list[str]) -> None:
    """Each lies in one word, which begins no later than it and ends no sooner."""
    text, said = " ".join(parts), Said()
    every = [word for words in timed([text], said) for word in words]
    said.takes(every)
    words = iter(said.words)
    at: SaidWord | None = next(words, None)
    for word in every:
        source = word.word.source
        while at and at.source.stop <= source.start:
            at = next(words, None)
        assert at is not None
        assert text[at.source.stop : source.stop].isspace() or at.source.stop >= source.stop
        assert at.start_s <= word.start_s < word.stop_s <= at.stop_s


@given(texts, st.randoms(use_true_random=False))
def test_it_is_the_same_however_it_comes(parts: list[str], draw: random.Random) -> None:
    """The text in parts, words one by one or many at once, estimated first and then corrected.
    A listener who replaces what shares characters has the same words as we have."""
    text = " ".join(parts)
    said, heard = Said(), dict[int, SaidWord]()

    def hear(words: Sequence[TimedWord]) -> None:
        for word in said.takes(words):
            for start, other in list(heard.items()):
                if start < word.source.stop and word.source.start < other.source.stop:
                    del heard[start]
            heard[word.source.start] = word

    for words in timed(cut(text, draw), said):
        guessed = [
            TimedWord(w.word, w.start_s + draw.uniform(-0.4, 0.4), w.stop_s + 0.4, w.index, True)
            for w in words
        ]
        at = 0
        while at < len(words):
            step = draw.randint(1, 5)
            hear(guessed[at : at + step])
            if draw.random() < 0.5:  # and again: nothing is new
                assert said.takes(guessed[at : at + step]) == ()
            at += step
        draw.shuffle(words)
        hear(words[: len(words) // 2])
        hear(words[len(words) // 2 :])
    hear(())
    assert said.words == spoken_whole(text).words
    assert tuple(heard[start] for start in sorted(heard)) == said.words


def test_words_may_come_in_any_order() -> None:
    draw = random.Random(3)
    for text in [*MARKED, *draw.sample(WRITTEN, 200)]:
        said = Said()
        every = [word for words in timed([text], said) for word in words]
        draw.shuffle(every)
        for word in every:
            said.takes([word])
        assert said.words == spoken_whole(text).words, text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It costs $100, say.", ["It", "costs", "$100,", "say."]),
        ("Hello, **world**!", ["Hello,", "**world**!"]),
        ("555-1234 or 5-10 a/b", ["555-1234", "or", "5-10", "a/b"]),
        ("Hi<break/>there you", ["Hi", "there", "you"]),
        ("Hi [pause:1s] there[pause:1s]you", ["Hi", "there", "you"]),
        ("[here](https://example.com/a) and", ["[here", "and"]),
        ("你好，世界。", ["你", "好，", "世", "界。"]),
        ("go 世界 10%的", ["go", "世", "界", "10%", "的"]),
        ("AT&amp;T is <b>bold</b>.", ["AT&amp;T", "is", "bold"]),
        ("\N{GRINNING FACE} Hi!\N{GRINNING FACE} ok", ["Hi!\N{GRINNING FACE}", "ok"]),
        ('"Yes," (he) said…', ['"Yes,"', "(he)", "said…"]),
    ],
)
def test_what_is_one_word(text: str, words: list[str]) -> None:
    assert written(spoken_whole(text)) == words


def one(text: str, source: tuple[int, int], start_s: float, index: int, **more: bool) -> TimedWord:
    return TimedWord(Word(text, Span(*source)), start_s, start_s + 1.0, index, **more)


def test_what_is_spoken_as_several_words_is_as_estimated_as_the_least_certain_of_them() -> None:
    said = Said("$100")
    words = [one(word, (0, 4), n, n) for n, word in enumerate(("one", "hundred", "dollars"))]
    told = said.takes(
        [one("one", (0, 4), 0, 0), one("hundred", (0, 4), 1, 1, estimated=True), words[2]]
    )
    assert told == (SaidWord(Span(0, 4), 0, 3, True),)
    assert said.takes(words) == (SaidWord(Span(0, 4), 0, 3, False),)
    assert said.takes(words) == ()


def test_times_never_go_backwards_even_before_they_are_corrected() -> None:
    said = Said("one two three")
    spans = [(0, 3), (4, 7), (8, 13)]
    said.takes([one("x", span, n, n, estimated=True) for n, span in enumerate(spans)])
    told = said.takes([one("x", spans[0], 5, 0)])
    assert [word.start_s for word in told] == [5, 5, 5], "those after it are held up"
    told = said.takes([one("x", spans[0], 0.5, 0)])
    assert [word.start_s for word in told] == [0.5, 1, 2]


@pytest.mark.parametrize(
    ("audio_s", "spoken"),
    [
        (0.0, Spoken(0, "", 0.0)),
        (0.4, Spoken(0, "", 0.4)),
        (0.5, Spoken(6, "Hello,", 0.5)),
        (1.6, Spoken(9, "Hello, it", 1.6)),
        (3.9, Spoken(9, "Hello, it", 3.9)),  # "one hundred" of $100
        (4.5, Spoken(15, "it $100.", 4.5)),
        (99.0, Spoken(15, "it $100.", 99.0)),
    ],
)
def test_how_far_it_was_spoken(audio_s: float, spoken: Spoken) -> None:
    said = Said("Hello, it $100. **")
    spans = [(0, 5), (7, 9), *[(10, 14)] * 3]
    said.takes(one("x", span, n, n) for n, span in enumerate(spans))
    assert said.until(audio_s) == spoken


def test_it_says_so_as_a_person_would() -> None:
    text = "Thank you for calling us today. Your table is now booked at seven."
    said = spoken_whole(text)
    chars = text.index(" seven")
    at_s = next(word.stop_s for word in said.words if word.source.stop == chars)
    assert str(said.until(at_s)) == (
        f"spoken up to character {chars}, 'booked at', {1000 * at_s:,.0f} ms"
    )


def test_what_is_too_long_for_one_word_stays_apart_when_it_is_corrected() -> None:
    text = "x" * 300
    words = [one(text, (0, 220), 0.0, 0), one(text, (220, 300), 1.0, 1)]
    said = Said(text)
    said.takes(words)
    before = said.words
    assert [word.source for word in before] == [Span(0, 220), Span(220, 300)]
    said.takes(words[:1])
    assert said.words == before


def test_marks_may_come_after_their_word() -> None:
    said = Said("Hi")
    assert said.takes([one("Hi", (0, 2), 0, 0)])[0].source == Span(0, 2)
    said.reads("! ")
    assert said.takes(()) == (SaidWord(Span(0, 3), 0, 1, False),)
    said.reads("More")
    assert said.takes(()) == ()


def test_the_text_comes_before_its_words() -> None:
    said = Said("Hi ")
    with pytest.raises(ValueError, match="read that first"):
        said.takes([one("you", (3, 6), 0, 0)])
    said.reads("you")
    assert said.takes([one("you", (3, 6), 0, 0)])


def test_a_mark_may_turn_out_to_be_spoken() -> None:
    said = Said("世+界")
    said.takes([one("世", (0, 1), 0, 0), one("界", (2, 3), 2, 2)])
    assert written(said) == ["世+", "界"]
    said.takes([one("plus", (1, 2), 1, 1)])
    assert written(said) == ["世", "+", "界"]


def fastest_s(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        began = time.thread_time()
        work()
        times.append(time.thread_time() - began)
    return min(times)


@pytest.mark.parametrize("unit", ["word ", "a-", "世", "a" * 40 + " ", "!" * 50 + "a "])
def test_a_text_of_ten_times_the_length_takes_ten_times_as_long(unit: str) -> None:
    def speak(times: int) -> None:
        said, start = Said(), 0
        for index in range(times):
            said.reads(unit)
            said.takes([one("x", (start, start + 1), index, index, estimated=True)])
            said.takes([one("x", (start, start + 1), index, index)])
            said.until(index)
            start += len(unit)

    few, many = (fastest_s(lambda n=n: speak(n)) for n in (150, 1500))  # type: ignore[misc]
    assert many < 25 * few


def test_two_threads_may_use_it() -> None:
    said, over = Said(), []

    def ask() -> None:
        while not over:
            words = said.words
            assert all(a.source.stop <= b.source.start for a, b in pairwise(words))
            said.until(5)

    asking = Thread(target=ask)
    asking.start()
    for index in range(500):
        said.reads("word ")
        said.takes([one("word", (5 * index, 5 * index + 4), index, index)])
    over.append(True)
    asking.join()
    assert len(said.words) == 500
