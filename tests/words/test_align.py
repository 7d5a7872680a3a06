"""Words are found in what was spoken, and when."""

import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mira.audio.encode import AudioStream
from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.types import Samples, Sentence, Span, TimedWord, Word
from mira.words.align import CERTAIN_S, Aligner, Alignment
from tests.recorded import RATE, VOICES, recording

TEXTS = (
    "Thank you for calling, your table for two is booked at half past seven on Friday.",
    "The shipment left our warehouse on Tuesday morning and should arrive by Thursday.",
    "If you would like to speak with an agent, just say so.",
    "My brother bought an old sailing boat and painted it bright yellow.",
    "We have three rooms left, and all of them have a view of the lake.",
    "Some of the oldest houses in this street were built by sailors.",
)
VOICE_RATE = 24_000


class Spoken:
    """A sentence of the built-in voice, and what its network says of when its words are said."""

    def __init__(self, voice: BuiltinSynthesizer, text: str) -> None:
        self.sentence = Sentence.of(text)
        blocks = [*voice.synthesize(self.sentence, voice.voices[0])]
        self.samples = np.concatenate([block.samples for block in blocks])
        self.words = {word.index: word for block in blocks for word in block.words}


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return Aligner()


@pytest.fixture(scope="module")
def spoken() -> list[Spoken]:
    voice = BuiltinSynthesizer()
    return [Spoken(voice, text) for text in TEXTS]


def listen(
    alignment: Alignment, samples: Samples, sample_rate: int, block_s: float = 0.1
) -> list[TimedWord]:
    """The last that is told of each word, in order of the words."""
    block = round(block_s * sample_rate)
    told = [alignment.push(samples[at : at + block]) for at in range(0, len(samples), block)]
    told.append(alignment.finish())
    last = {word.index: word for news in told for word in news}
    return [last[index] for index in sorted(last)]


def by_telephone(samples: Samples) -> Samples:
    """Encode as 8 kHz mu-law, and decode that as G.711 says."""
    stream = AudioStream(VOICE_RATE, "ulaw", 8000)
    code = ~np.frombuffer(stream.push(samples) + stream.flush(), np.uint8)
    steps = (((code & 15) * 2 + 33) << ((code >> 4 & 7).astype(np.int32))) - 33
    return (np.where(code & 128, -steps, steps) / 8159).astype(np.float32)


def errors_ms(told: list[TimedWord], spoken: Spoken) -> tuple[list[float], list[float]]:
    starts = [1000 * abs(word.start_s - spoken.words[word.index].start_s) for word in told]
    stops = [1000 * abs(word.stop_s - spoken.words[word.index].stop_s) for word in told]
    return starts, stops


@pytest.mark.parametrize("telephone", [False, True])
def test_words_are_found_when_the_voice_says_that_it_speaks_them(
    aligner: Aligner, spoken: list[Spoken], telephone: bool
) -> None:
    starts, stops = [], []
    for each in spoken:
        rate = 8000 if telephone else VOICE_RATE
        samples = by_telephone(each.samples) if telephone else each.samples
        alignment = aligner.begin(each.sentence, rate)
        told = listen(alignment, samples, rate)
        assert len(told) == len(each.sentence.words)
        assert alignment.findings.missed == () and alignment.findings.repeated == 0
        assert alignment.findings.noise_s < 0.2
        for errors, all_ in zip(errors_ms(told, each), (starts, stops)):
            all_ += errors
    assert np.median(starts) < 20 and np.percentile(starts, 95) < 80
    assert np.median(stops) < 30


@pytest.mark.parametrize("name", ["allison", "allison_other"])
def test_people_are_understood(aligner: Aligner, name: str) -> None:
    text = (VOICES / f"{name}.txt").read_text("utf-8")
    alignment = aligner.begin(Sentence.of(text), RATE)
    told = listen(alignment, recording(name), RATE)
    assert len(told) == len(text.split())
    assert alignment.findings.missed == () and alignment.findings.repeated == 0
    assert alignment.findings.noise_s < 0.3


def test_it_does_not_matter_how_samples_are_cut(aligner: Aligner, spoken: list[Spoken]) -> None:
    each = spoken[0]
    ways = [
        listen(aligner.begin(each.sentence, VOICE_RATE), each.samples, VOICE_RATE, block_s)
        for block_s in (0.013, 0.1, 1.7, 60)
    ]
    for way in ways:
        assert [word.index for word in way] == [word.index for word in ways[0]]
        assert all(abs(a.start_s - b.start_s) < 0.011 for a, b in zip(way, ways[0]))


def test_a_word_is_told_soon_after_it_and_stays(aligner: Aligner, spoken: list[Spoken]) -> None:
    told, moved = 0, 0
    for each in spoken:
        alignment, known = aligner.begin(each.sentence, VOICE_RATE), set[int]()
        block = VOICE_RATE // 20
        for at in range(0, len(each.samples), block):
            heard_s = (at + block) / VOICE_RATE
            for word in alignment.push(each.samples[at : at + block]):
                assert word.stop_s <= heard_s - CERTAIN_S + 0.02
                moved += word.index in known
                known.add(word.index)
            late = [w for w in each.words.values() if w.stop_s + CERTAIN_S + 0.3 < heard_s]
            assert {word.index for word in late} <= known
        told += len(known)
    assert moved <= told / 50


def test_starts_are_in_order(aligner: Aligner, spoken: list[Spoken]) -> None:
    twice = np.concatenate([spoken[0].samples[:40_000], spoken[0].samples])
    anew = np.concatenate([spoken[0].samples, spoken[0].samples[:40_000]])
    for samples in (twice, anew, spoken[1].samples):
        words = listen(aligner.begin(spoken[0].sentence, VOICE_RATE), samples, VOICE_RATE)
        starts = [word.start_s for word in words]
        assert starts == sorted(starts)
        assert all(0 <= word.start_s <= word.stop_s for word in words)


def test_what_is_odd_is_found(aligner: Aligner, spoken: list[Spoken]) -> None:
    each = spoken[0]
    from_s, to_s = each.words[7].start_s, each.words[10].start_s  # "two is booked"
    first, middle, last = np.split(
        each.samples, [round(from_s * VOICE_RATE), round(to_s * VOICE_RATE)]
    )

    def found(*parts: Samples) -> Alignment:
        alignment = aligner.begin(each.sentence, VOICE_RATE)
        listen(alignment, np.concatenate(parts), VOICE_RATE)
        return alignment

    assert found(first, last).findings.missed == (7, 8, 9)
    assert found(first, middle, middle, last).findings.repeated == 3
    babble = found(first, middle, spoken[3].samples[12_000:48_000], last).findings
    assert babble.missed == () and babble.noise_s > 0.5
    assert found(first).findings.missed == tuple(range(7, 16))


@pytest.mark.parametrize(
    "text", ["Silence and noise fit none of these words.", "你好 мир", "—", "", "a " * 300]
)
@pytest.mark.parametrize("kind", ["silence", "noise", "nothing", "NaN", "loud"])
def test_nothing_breaks_it(aligner: Aligner, text: str, kind: str) -> None:
    noise = np.random.default_rng(0).standard_normal(VOICE_RATE).astype(np.float32)
    samples = {
        "silence": np.zeros(VOICE_RATE, np.float32),
        "noise": noise / 10,
        "nothing": noise[:0],
        "NaN": np.full(VOICE_RATE, np.nan, np.float32),
        "loud": noise * np.float32(1e20),
    }[kind]
    alignment = aligner.begin(Sentence.of(text), VOICE_RATE)
    words = listen(alignment, samples, VOICE_RATE)
    assert all(0 <= word.start_s <= word.stop_s <= 1.1 for word in words)
    assert set(alignment.findings.missed) <= set(range(len(text.split())))
    alignment.close()
    alignment.close()


def test_a_word_that_is_said_again_keeps_its_time(aligner: Aligner, spoken: list[Spoken]) -> None:
    each = spoken[0]
    begins, ends = (round(each.words[at].start_s * VOICE_RATE) for at in (7, 10))
    twice = np.concatenate([each.samples[:ends], each.samples[begins:]])
    told = listen(aligner.begin(each.sentence, VOICE_RATE), twice, VOICE_RATE)
    assert max(errors_ms(told[:10], each)[0]) < 150


def test_another_sentence_misses_words(aligner: Aligner, spoken: list[Spoken]) -> None:
    for said, wanted in zip(spoken, spoken[1:] + spoken[:1]):
        alignment = aligner.begin(wanted.sentence, VOICE_RATE)
        listen(alignment, said.samples, VOICE_RATE)
        assert len(alignment.findings.missed) >= 2


def test_words_nobody_can_say_are_left_to_others(aligner: Aligner, spoken: list[Spoken]) -> None:
    words = list(spoken[0].sentence.words)
    words[7:8] = [Word("два", Span(0, 1))]
    alignment = aligner.begin(Sentence("", tuple(words)), VOICE_RATE)
    told = listen(alignment, spoken[0].samples, VOICE_RATE)
    assert [word.index for word in told] == [index for index in range(16) if index != 7]
    assert max(errors_ms(told, spoken[0])[0]) < 150
    assert alignment.findings.missed == () and alignment.findings.noise_s < 0.1


def test_known_phonemes_are_listened_for(spoken: list[Spoken]) -> None:
    words = list(spoken[0].sentence.words)
    words[9] = Word("Xyzzq", words[9].source, "bˈʊkt")
    told = listen(
        Aligner().begin(Sentence("", tuple(words)), VOICE_RATE), spoken[0].samples, VOICE_RATE
    )
    assert len(told) == 16


def test_memory_is_given_back_and_bounded(aligner: Aligner, spoken: list[Spoken]) -> None:
    def once() -> None:
        alignment = aligner.begin(spoken[2].sentence, VOICE_RATE)
        alignment.push(spoken[2].samples[:VOICE_RATE])
        alignment.close()

    once()
    tracemalloc.start()
    try:
        once()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(10):
            once()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 50_000


def test_it_does_not_listen_for_ever(aligner: Aligner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mira.words.align.MAX_S", 3.0)
    text = (VOICES / "allison.txt").read_text("utf-8")
    words = listen(aligner.begin(Sentence.of(text), RATE), recording("allison"), RATE)
    assert 2.0 < words[-1].stop_s <= 3.0


def test_threads_do_not_disturb_each_other(aligner: Aligner, spoken: list[Spoken]) -> None:
    def words(each: Spoken) -> list[TimedWord]:
        return listen(aligner.begin(each.sentence, VOICE_RATE), each.samples, VOICE_RATE)

    alone = [*map(words, spoken)]
    with ThreadPoolExecutor(4) as threads:
        assert [*threads.map(words, spoken)] == alone


def test_nothing_is_written() -> None:
    code = (
        "import numpy as np; from mira.types import Sentence; from mira.words.align import Aligner;"
        "a = Aligner().begin(Sentence.of('Hello there'), 16000);"
        "a.push(np.zeros(16000, np.float32)); a.finish(); a.close()"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert run.stdout == run.stderr == b""
