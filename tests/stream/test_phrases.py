"""What is said again is what was said before, wherever it stands; and nothing else is kept."""

import threading
import tracemalloc
from collections.abc import Generator
from contextlib import closing
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.errors import SynthesisFailed
from mira.stream.phrases import LONGEST_CHARS, REMEMBERED, Phrase, Phrases
from mira.stream.playback import Playback
from mira.types import Block, Sampling, Sentence, Span, Voice, Word
from tests.toys import ANNA, BEN, ToySynthesizer

MOMENT = Sentence.of("One moment, please.")
WORDS, NO_WORDS = Playback(), Playback(words=False)
MB = 1 << 20


def say(
    phrases: Phrases,
    toy: ToySynthesizer,
    sentence: Sentence = MOMENT,
    voice: Voice = ANNA,
    sampling: Sampling = Sampling(),
    playback: Playback = WORDS,
) -> Generator[Block, None, None]:
    """As the engine has it."""
    compute = partial(toy.synthesize, sentence, voice, sampling, playback)
    flaws = toy.incidents.total
    return phrases.speak(sentence, voice, sampling, playback, compute, flaws)


def said(*options: object, **named: object) -> list[Block]:
    """All of it."""
    with closing(say(*options, **named)) as blocks:  # type: ignore[arg-type]
        return list(blocks)


def moved(sentence: Sentence, by: int) -> Sentence:
    """The same, later in a text."""
    words = (
        Word(word.text, Span(word.source.start + by, word.source.stop + by), word.phonemes)
        for word in sentence.words
    )
    return Sentence(sentence.text, tuple(words))


def same(one: list[Block], other: list[Block]) -> bool:
    """Block for block."""
    return len(one) == len(other) and all(
        np.array_equal(a.samples, b.samples) and a.words == b.words for a, b in zip(one, other)
    )


@settings(deadline=None, max_examples=60)
@given(
    text=st.text("abc ,", min_size=1, max_size=40).map(lambda text: f"A{text}."),
    by=st.integers(0, 1000),
    block_s=st.sampled_from([0.01, 0.1, 10.0]),
    words=st.booleans(),
)
def test_what_is_kept_is_what_would_be_computed(
    text: str, by: int, block_s: float, words: bool
) -> None:
    """Wherever it stands, and its words stand there."""
    phrases, toy = Phrases(MB), ToySynthesizer(block_s=block_s, s_per_char=0.01)
    for _ in range(2):
        said(phrases, toy, Sentence.of(text))
    assert toy.opened == 2
    elsewhere, playback = moved(Sentence.of(text), by), Playback(words=words)
    again = said(phrases, toy, elsewhere, playback=playback)
    assert (toy.opened, phrases.hits, phrases.misses) == (2, 1, 2)
    computed = [*toy.synthesize(elsewhere, ANNA)]
    if words:
        assert same(again, computed)
    else:
        assert same(again, [Block(block.samples) for block in computed])


@pytest.mark.parametrize("keep", [False, True])
def test_it_is_kept_when_it_is_said_twice_or_when_it_is_asked_for(
    toy: ToySynthesizer, keep: bool
) -> None:
    phrases = Phrases(MB)
    said(phrases, toy, playback=Playback(keep=keep))
    assert (len(phrases), phrases.num_bytes > 0) == (keep, keep)
    said(phrases, toy)
    said(phrases, toy)
    assert toy.opened == 2 - keep
    assert len(phrases) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"voice": BEN},
        {"voice": Voice("anna", transcript="Another recording.")},
        {"sentence": Sentence.of("One moment please.")},
        {"sentence": Sentence(MOMENT.text, (Word("One", Span(0, 3), "w"), *MOMENT.words[1:]))},
        {"sampling": Sampling(temperature=0.5)},
    ],
    ids=["voice", "recording", "text", "sound", "sampling"],
)
def test_another_one_is_computed(other: dict[str, object]) -> None:
    toy = ToySynthesizer(voices=(ANNA, BEN, Voice("anna", transcript="Another recording.")))
    phrases = Phrases(MB)
    said(phrases, toy, playback=Playback(keep=True))
    said(phrases, toy, **other)
    assert toy.opened == 2


def test_a_seed_is_computed(toy: ToySynthesizer) -> None:
    phrases = Phrases(MB)
    for _ in range(3):
        said(phrases, toy, sampling=Sampling(seed=7), playback=Playback(keep=True))
    assert (toy.opened, len(phrases), phrases.hits, phrases.misses) == (3, 0, 0, 0)


def test_a_long_sentence_is_not_kept(toy: ToySynthesizer) -> None:
    phrases = Phrases(MB)
    for chars, kept in ((LONGEST_CHARS, 1), (LONGEST_CHARS + 1, 1)):
        said(phrases, toy, Sentence.of("a" * chars), playback=Playback(keep=True))
        assert len(phrases) == kept


def test_without_memory_nothing_is_kept(toy: ToySynthesizer) -> None:
    phrases = Phrases(0)
    for _ in range(3):
        said(phrases, toy, playback=Playback(keep=True))
    assert (toy.opened, len(phrases), phrases.num_bytes) == (3, 0, 0)


def test_words_that_nobody_timed_are_computed(toy: ToySynthesizer) -> None:
    """And kept then, so that both are served from then on."""
    phrases = Phrases(MB)
    said(phrases, toy, playback=Playback(words=False, keep=True))
    phrase = Phrase.of(MOMENT, ANNA)
    assert phrases.has(phrase, words=False)
    assert not phrases.has(phrase, words=True)
    said(phrases, toy)
    assert toy.opened == 2
    assert phrases.has(phrase, words=True)
    said(phrases, toy)
    said(phrases, toy, playback=NO_WORDS)
    assert (toy.opened, len(phrases)) == (2, 1)


def test_what_was_not_said_to_its_end_is_not_kept(toy: ToySynthesizer) -> None:
    phrases = Phrases(MB)
    with closing(say(phrases, toy, playback=Playback(keep=True))) as blocks:
        next(blocks)
    broken = ToySynthesizer(fail_at=3)
    with pytest.raises(SynthesisFailed):
        said(phrases, broken, playback=Playback(keep=True))
    assert (len(phrases), phrases.num_bytes) == (0, 0)
    assert (toy.closed, broken.closed) == (1, 1)


def test_what_came_out_wrong_is_not_kept() -> None:
    def stumble(number: int) -> None:
        toy.incidents["words not heard"] += number == 2

    toy = ToySynthesizer(before_block=stumble)
    phrases = Phrases(MB)
    said(phrases, toy, playback=Playback(keep=True))
    assert len(phrases) == 0


def test_what_is_forgotten_while_it_is_said_is_not_kept(toy: ToySynthesizer) -> None:
    phrases = Phrases(MB)
    blocks = say(phrases, toy, playback=Playback(keep=True))
    next(blocks)
    assert phrases.forget(lambda voice: voice == BEN) == 0
    list(blocks)
    assert len(phrases) == 0


def test_a_voice_that_has_gone_leaves_nothing(toy: ToySynthesizer) -> None:
    phrases = Phrases(MB)
    for voice in (ANNA, BEN):
        said(phrases, toy, voice=voice, playback=Playback(keep=True))
    assert phrases.forget(lambda voice: voice == ANNA) == 1
    assert not phrases.has(Phrase.of(MOMENT, ANNA), words=False)
    assert phrases.has(Phrase.of(MOMENT, BEN), words=True)
    phrases.lasts = lambda voice: voice != ANNA
    said(phrases, toy, playback=Playback(keep=True))  # by a call that has it still
    assert len(phrases) == 1
    assert phrases.forget() == 1
    assert (len(phrases), phrases.num_bytes) == (0, 0)


def test_those_said_last_are_kept_within_bounds() -> None:
    toy = ToySynthesizer(s_per_char=0.01)
    numbers = [Sentence.of(f"Number {number:03}.") for number in range(40)]
    one = Phrases(MB)
    said(one, toy, numbers[0], playback=Playback(keep=True))
    phrases = Phrases(10 * one.num_bytes)
    for sentence in numbers:
        said(phrases, toy, sentence, playback=Playback(keep=True))
        said(phrases, toy, numbers[0], playback=Playback(keep=True))
        assert phrases.num_bytes <= phrases.max_bytes
    kept = [phrases.has(Phrase.of(sentence, ANNA), words=True) for sentence in numbers]
    assert kept == [True] + [False] * 30 + [True] * 9
    assert toy.opened == 41


def test_one_that_is_larger_than_all_there_may_be_is_not_kept(toy: ToySynthesizer) -> None:
    phrases = Phrases(50_000)
    said(phrases, toy, Sentence.of("Short."), playback=Playback(keep=True))
    said(phrases, toy, Sentence.of("a" * 100), playback=Playback(keep=True))
    assert len(phrases) == 1


def test_what_is_being_said_takes_no_more_memory_than_what_is_kept() -> None:
    toy, phrases = ToySynthesizer(), Phrases(MB)
    long = [Sentence.of(f"{number} {'a' * 50}") for number in range(6)]  # 250 kB each
    streams = [say(phrases, toy, sentence, playback=Playback(keep=True)) for sentence in long]
    for _ in zip(*streams):
        assert 0 < phrases._held <= MB
    for stream in streams:
        assert list(stream) == []
    assert 1 <= len(phrases) <= 4
    assert phrases._held == 0
    for sentence in long[:2]:
        broken_off = say(phrases, toy, sentence, BEN, playback=Playback(keep=True))
        next(broken_off)
        assert phrases._held > 0
        broken_off.close()
        assert phrases._held == 0


def test_what_was_said_once_is_remembered_in_bounds() -> None:
    toy, phrases = ToySynthesizer(s_per_char=0.0001), Phrases(MB)
    for number in range(REMEMBERED + 1):
        said(phrases, toy, Sentence.of(f"{number}."))
    said(phrases, toy, Sentence.of("1."))
    assert len(phrases) == 1
    said(phrases, toy, Sentence.of("0."))  # too long ago
    assert len(phrases) == 1
    assert len(phrases._said) == REMEMBERED


def test_two_at_once_both_compute_and_nothing_is_mixed() -> None:
    both = threading.Barrier(2, timeout=20)
    toy = ToySynthesizer(before_block=lambda number: both.wait())
    phrases = Phrases(MB)
    heard: list[list[Block]] = []

    def hear() -> None:
        heard.append(said(phrases, toy, playback=Playback(keep=True)))

    threads = [threading.Thread(target=hear) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (toy.opened, len(phrases)) == (2, 1)
    assert same(heard[0], heard[1])
    assert same(said(phrases, toy), heard[0])


def test_many_at_once_stay_within_bounds() -> None:
    toy = ToySynthesizer(s_per_char=0.001)
    sentences = [Sentence.of(f"Number {number}.") for number in range(30)]
    phrases = Phrases(30_000)
    wrong: list[str] = []

    def work(seed: int) -> None:
        random = np.random.default_rng(seed)
        for _ in range(300):
            sentence = sentences[random.integers(len(sentences))]
            blocks = said(phrases, toy, sentence)
            if not same(blocks, [*toy.synthesize(sentence, ANNA)]):
                wrong.append(sentence.text)
            if random.random() < 0.02:
                phrases.forget()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
    assert phrases.hits > 100
    assert phrases.num_bytes == sum(kept.num_bytes for kept in phrases._kept.values())
    assert 0 <= phrases.num_bytes <= phrases.max_bytes


def test_what_is_kept_can_not_be_changed(toy: ToySynthesizer) -> None:
    phrases = Phrases(MB)
    said(phrases, toy, playback=Playback(keep=True))
    samples = said(phrases, toy)[0].samples
    assert samples.base is None  # the whole that it was a part of is let go
    with pytest.raises(ValueError, match="read-only"):
        samples[0] = 1


def test_the_memory_is_as_much_as_is_said() -> None:
    """With short blocks and many words, where Python's objects weigh most."""
    toy = ToySynthesizer(s_per_char=0.001, block_s=0.002)
    phrases = Phrases(100 * MB)
    sentences = [Sentence.of(f"{number} a b c d e f g h i j k l m.") for number in range(200)]
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for sentence in sentences:
            said(phrases, toy, sentence, playback=Playback(keep=True))
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(phrases) == 200
    assert 0.8 * used < phrases.num_bytes < 1.5 * used
