"""What every synthesizer promises, asked of every one there is."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.synthesizer import Synthesizer
from mira.types import Samples, Sentence, TimedWord, Voice
from tests.toys import ToySynthesizer

SENTENCE = "The quick brown fox jumps over the lazy dog, and the dog does not mind at all."
SENTENCES = ("Hello there.", SENTENCE, "Who?", "A zyzzogeton, and another zyzzogeton!")


@pytest.fixture(params=["toy", "letters", "builtin"])
def synthesizer(request: pytest.FixtureRequest, builtin: BuiltinSynthesizer) -> Synthesizer:
    toys = {"toy": ToySynthesizer(), "letters": ToySynthesizer(reads_phonemes=False)}
    return toys.get(request.param, builtin)


@pytest.fixture
def voice(synthesizer: Synthesizer) -> Voice:
    return synthesizer.voices[0]


def spoken(synthesizer: Synthesizer, sentence: str, voice: Voice) -> Samples:
    return np.concatenate(list(blocks_of(synthesizer, sentence, voice)))


def blocks_of(synthesizer: Synthesizer, sentence: str, voice: Voice) -> Iterator[Samples]:
    return (block.samples for block in synthesizer.synthesize(Sentence.of(sentence), voice))


def test_it_says_what_it_is(synthesizer: Synthesizer) -> None:
    assert synthesizer.sample_rate in (8000, 16000, 24000, 44100, 48000)
    assert len({voice.name for voice in synthesizer.voices}) == len(synthesizer.voices) > 0


@pytest.mark.parametrize("sentence", SENTENCES)
def test_blocks_are_sound(synthesizer: Synthesizer, voice: Voice, sentence: str) -> None:
    blocks = list(blocks_of(synthesizer, sentence, voice))
    for block in blocks:
        assert block.dtype == np.float32
        assert block.ndim == 1
        assert np.isfinite(block).all()
    whole = np.concatenate(blocks)
    assert 0.05 < np.abs(whole).max() <= 1.5
    assert 0.02 < len(whole) / synthesizer.sample_rate / len(sentence) < 0.25


def test_phonemes_count_where_it_says_so_and_nowhere_else(
    synthesizer: Synthesizer, voice: Voice
) -> None:
    plain = Sentence.of("Hello, Ann.")
    sounded = replace(plain, words=(plain.words[0], replace(plain.words[1], phonemes="bˈɔb")))
    one, other = (
        np.concatenate([block.samples for block in synthesizer.synthesize(sentence, voice)])
        for sentence in (plain, sounded)
    )
    assert np.array_equal(one, other) is not synthesizer.reads_phonemes


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_word_has_a_time(synthesizer: Synthesizer, voice: Voice, sentence: str) -> None:
    known: dict[int, TimedWord] = {}
    told_s: dict[int, float] = {}  # where the block begins that it first came with
    words, audio_s = Sentence.of(sentence).words, 0.0
    for block in synthesizer.synthesize(Sentence.of(sentence), voice):
        for word in block.words:
            known[word.index] = word
            told_s.setdefault(word.index, audio_s)
        audio_s += len(block.samples) / synthesizer.sample_rate
    assert [*told_s] == [*range(len(words))]
    assert [known[index].word for index in told_s] == [*words]
    assert all(told_s[index] <= known[index].start_s + 1e-9 for index in told_s)
    assert not any(word.estimated for word in known.values())
    times_s = [s for index in told_s for s in (known[index].start_s, known[index].stop_s)]
    assert times_s == sorted(times_s)
    assert 0 <= times_s[0] < 0.01 and 0.8 * audio_s - 0.5 < times_s[-1] <= audio_s + 1e-9


def test_a_longer_sentence_takes_longer(synthesizer: Synthesizer, voice: Voice) -> None:
    short, long = (len(spoken(synthesizer, text, voice)) for text in (SENTENCES[0], SENTENCE))
    assert long > 2 * short


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_same_sentence_sounds_the_same(
    synthesizer: Synthesizer, voice: Voice, sentence: str
) -> None:
    assert np.array_equal(*(spoken(synthesizer, sentence, voice) for _ in "ab"))


def test_blocks_already_given_do_not_change(synthesizer: Synthesizer, voice: Voice) -> None:
    """Each is handed to another thread, so it must not be a buffer that is used again."""
    blocks, copies = [], []
    for block in blocks_of(synthesizer, SENTENCE, voice):
        blocks.append(block)
        copies.append(block.copy())
    assert all(map(np.array_equal, blocks, copies))


def test_a_long_sentence_comes_in_several_blocks(synthesizer: Synthesizer, voice: Voice) -> None:
    blocks = list(filter(len, blocks_of(synthesizer, SENTENCE, voice)))
    assert len(blocks) >= 3
    assert len(blocks[0]) / synthesizer.sample_rate <= 1.0


def test_closing_early_stops_the_work(synthesizer: Synthesizer, voice: Voice) -> None:
    blocks = synthesizer.synthesize(Sentence.of(SENTENCE), voice)
    next(blocks)
    began = time.perf_counter()
    blocks.close()
    assert time.perf_counter() - began < 0.5
    assert next(blocks, None) is None
    synthesizer.synthesize(Sentence.of(SENTENCE), voice).close()  # one that never began, too


def test_together_they_sound_as_alone(synthesizer: Synthesizer, voice: Voice) -> None:
    alone = {sentence: spoken(synthesizer, sentence, voice) for sentence in SENTENCES}
    asked = SENTENCES * 3
    with ThreadPoolExecutor(len(SENTENCES)) as threads:
        found = threads.map(lambda sentence: spoken(synthesizer, sentence, voice), asked)
        for sentence, samples in zip(asked, found, strict=True):
            assert np.array_equal(samples, alone[sentence])


def test_closing_may_be_repeated(synthesizer: Synthesizer) -> None:
    synthesizer.close()
    synthesizer.close()


def test_every_voice_sounds_different(synthesizer: Synthesizer) -> None:
    heard = {spoken(synthesizer, SENTENCES[0], voice).tobytes() for voice in synthesizer.voices}
    assert len(heard) == len(synthesizer.voices)
