"""Recordings of real people, spoken by a model: their words come with the blocks they are in.

What is held back, begun anew and faded is tested in test_synthesizer.py.
"""

import threading
import time
from collections.abc import Iterator
from itertools import count, pairwise
from typing import Any

import numpy as np
import pytest

from mira.engine import Engine
from mira.model.attempt import Ears
from mira.model.synthesizer import MiraSynthesizer
from mira.stream.cancel import Cancel, Cancelled
from mira.stream.playback import Playback
from mira.types import Block, Samples, Sentence, TimedWord
from mira.words.align import Aligner, Findings
from mira.words.follow import Follower, Following
from tests.ears import heard_until
from tests.recogniser import Recogniser
from tests.recorded import ALLISON, RATE, TEXT, Clip, clips, cut, recorded_synthesizer
from tests.words.test_follow import ScriptedAligner

SAID = clips()[2]
(GOOD,) = SAID.takes
BAD = cut("allison", 1.48, 7.0)  # another sentence


@pytest.fixture(scope="module")
def ears() -> Ears:
    return Ears(Follower(Aligner()))


def busy(left_s: float) -> Playback:
    """Somebody who has so much to play, and does not play it."""
    playback = Playback(now=lambda: 0.0)
    playback.takes(left_s)
    return playback


def joined(blocks: Iterator[Block]) -> tuple[Samples, dict[int, TimedWord], dict[int, float]]:
    """All samples, each word as it was told last, and where the block begins that it came with."""
    samples, known, came, begins = [], dict[int, TimedWord](), dict[int, float](), 0
    for block in blocks:
        for word in block.words:
            known[word.index] = word
            came.setdefault(word.index, begins / RATE)
        samples.append(block.samples)
        begins += len(block.samples)
    return np.concatenate(samples), known, came


@pytest.mark.parametrize("playback", [Playback(), Playback(live=False)], ids=["live", "file"])
def test_all_words_of_a_text_come_before_their_audio_or_with_it(
    ears: Ears, playback: Playback
) -> None:
    engine = Engine(recorded_synthesizer(ears=ears))
    samples, known, came = joined(engine.blocks(TEXT, ALLISON, playback=playback))
    assert [known[index].word.text for index in range(len(known))] == TEXT.split()
    words = [known[index] for index in range(len(known))]
    assert all(a.start_s <= b.start_s for a, b in pairwise(words))
    assert all(word.start_s <= word.stop_s <= len(samples) / RATE for word in words)
    assert max(came[word.index] - word.start_s for word in words) < 0.1
    assert sum(word.estimated for word in words) <= 1


def test_each_word_is_heard_where_it_is_said_to_be(ears: Ears) -> None:
    """Of recordings that end where a word does, that word is the last that is heard."""
    recogniser, engine = Recogniser(), Engine(recorded_synthesizer(ears=ears))
    samples, known, _ = joined(engine.blocks(TEXT, ALLISON))
    off = []
    for index in range(1, len(known), 5):
        heard = samples[: round((known[index].stop_s + 0.03) * RATE)]
        off.append(heard_until(recogniser, TEXT, heard, RATE).words - index - 1)
    assert max(map(abs, off)) <= 1
    assert off.count(0) >= 0.6 * len(off)


@pytest.mark.parametrize("language", ["it", "fr"])
def test_a_language_that_nobody_follows_is_guessed_at(ears: Ears, language: str) -> None:
    said = clips(language)
    engine = Engine(recorded_synthesizer(*said, ears=ears))
    text = " ".join(clip.text for clip in said)
    samples, known, _ = joined(engine.blocks(text, ALLISON))
    assert [known[index].word.text for index in range(len(known))] == text.split()
    starts = [known[index].start_s for index in range(len(known))]
    assert starts == sorted(starts)
    assert known[len(known) - 1].stop_s <= len(samples) / RATE


def spoken(aligner: Any, playback: Playback, cancel: Cancel | None = None) -> Iterator[Block]:
    clip = clips()[2]
    made = recorded_synthesizer(clip, ears=Ears(Follower(aligner)))
    return made.synthesize(Sentence.of(clip.text), ALLISON, playback=playback, cancel=cancel)


def test_nobody_listens_before_the_first_block_has_left() -> None:
    aligner = ScriptedAligner()
    blocks = spoken(aligner, Playback())
    while not (block := next(blocks)).words:
        assert not len(block.samples)
    assert aligner.listened == []
    next(blocks)
    assert len(aligner.listened) > 1


def test_streams_listen_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    aligner: Any = ScriptedAligner()
    made = recorded_synthesizer(SAID, ears=Ears(Follower(aligner)))
    listening, most = [0], [0]
    measure = Following._measure

    def slowly(following: Following, words: list[TimedWord]) -> None:
        listening[0] += 1
        most[0] = max(most[0], listening[0])
        time.sleep(0.005)
        listening[0] -= 1
        measure(following, words)

    monkeypatch.setattr(Following, "_measure", slowly)

    def listen() -> None:
        list(made.synthesize(Sentence.of(SAID.text), ALLISON, playback=Playback(live=False)))

    threads = [threading.Thread(target=listen) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert aligner.closed == 6


def waiting(playback: Playback, cancel: Cancel | None = None) -> Iterator[Block]:
    """Speak while another stream listens all the time."""
    ears = Ears(Follower(Aligner()))
    ears.one_by_one.acquire()
    made = recorded_synthesizer(SAID, ears=ears)
    return made.synthesize(Sentence.of(SAID.text), ALLISON, playback=playback, cancel=cancel)


def test_who_is_almost_dry_does_not_wait_until_others_have_listened() -> None:
    samples, known, _ = joined(waiting(busy(0.1)))  # or it would never end
    assert len(samples) == len(GOOD)
    assert len(known) == len(SAID.text.split())
    assert all(word.estimated for word in known.values())


def test_who_waits_to_listen_can_be_cancelled() -> None:
    cancel = Cancel()
    threading.Timer(0.2, cancel).start()
    with pytest.raises(Cancelled):
        list(waiting(Playback(live=False), cancel))


def test_nobody_listens_where_nobody_asks_for_words() -> None:
    aligner = ScriptedAligner()
    assert not any(block.words for block in spoken(aligner, Playback(words=False)))
    assert aligner.listened == []


def test_what_listens_is_given_back_however_it_ends() -> None:
    aligner, cancel = ScriptedAligner(), Cancel()
    list(spoken(aligner, Playback()))
    assert aligner.closed == 1
    blocks = spoken(aligner, Playback(), cancel)
    for _ in range(3):
        next(blocks)
    cancel()
    with pytest.raises(Cancelled):
        list(blocks)
    assert aligner.closed == 2


def test_another_attempt_is_followed_from_its_beginning(ears: Ears) -> None:
    (first, *_) = clips()
    silence = np.zeros(RATE, np.float32)
    made = recorded_synthesizer(Clip(first.text, (silence, *first.takes)), ears=ears)
    samples, known, _ = joined(made.synthesize(Sentence.of(first.text), ALLISON))
    assert made.incidents == {"retried: no speech": 1}
    assert len(samples) == pytest.approx(1.48 * RATE, abs=320)
    assert known[0].start_s == pytest.approx(0.25, abs=0.08)


def test_a_sentence_that_is_cut_off_has_its_words(ears: Ears) -> None:
    clip = clips()[2]
    (take,) = clip.takes
    fell_silent = np.concatenate([take[: 3 * RATE], np.zeros(4 * RATE, np.float32)])
    made = recorded_synthesizer(Clip(clip.text, (fell_silent,)), ears=ears)
    _, known, _ = joined(made.synthesize(Sentence.of(clip.text), ALLISON))
    assert made.incidents["cut off: silence"] == 1
    assert len(known) == len(clip.text.split())
    assert max(word.stop_s for word in known.values()) < 5.0


def test_guesses_alone_are_near(ears: Ears) -> None:
    measured, guessed = (
        joined(Engine(recorded_synthesizer(ears=made)).blocks(TEXT, ALLISON))[1]
        for made in (ears, Ears())
    )
    off_s = [abs(guessed[index].start_s - word.start_s) for index, word in measured.items()]
    assert all(word.estimated for word in guessed.values())
    assert float(np.median(off_s)) < 0.2


NOTHING_ODD, ODD = Findings(), Findings(missed=(0, 1, 2, 3))


def guarded(*findings: Findings, guard: bool = True) -> MiraSynthesizer:
    """Say it badly, and then well, to somebody who finds so much in each."""
    aligner: Any = ScriptedAligner(findings=findings)
    said = Clip(SAID.text, (BAD, GOOD))
    return recorded_synthesizer(said, ears=Ears(Follower(aligner), guard))


def heard(made: MiraSynthesizer, playback: Playback) -> Samples:
    return joined(made.synthesize(Sentence.of(SAID.text), ALLISON, playback=playback))[0]


def test_a_sentence_without_its_words_is_counted_and_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = guarded(ODD, guard=False)
    assert len(heard(made, Playback(live=False))) == len(BAD)
    assert made.incidents == {"words missed": 1}
    assert "of 18 words 4 were not heard, 0 were said again" in caplog.text


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (ODD, "words missed"),
        (Findings(repeated=3), "words repeated"),
        (Findings(noise_s=1.2), "babble"),
    ],
)
@pytest.mark.parametrize("playback", [Playback(live=False), busy(2.0)], ids=["file", "busy"])
def test_who_has_time_hears_it_said_well(found: Findings, kind: str, playback: Playback) -> None:
    made = guarded(found, NOTHING_ODD)
    assert len(heard(made, playback)) == len(GOOD)
    assert made.incidents == {f"retried: {kind}": 1}


@pytest.mark.parametrize("playback", [Playback(), busy(0.5)], ids=["begins", "almost dry"])
def test_who_has_no_time_is_not_kept_waiting(playback: Playback) -> None:
    made = guarded(ODD, NOTHING_ODD)
    assert len(heard(made, playback)) == len(BAD)
    assert made.incidents == {"words missed": 1}


def test_a_listeners_patience_ends_before_their_audio() -> None:
    ticks = count()
    playback = Playback(now=lambda: 0.01 * next(ticks))  # each look at the clock takes so long
    playback.takes(2.0)
    made = guarded(ODD)
    blocks = made.synthesize(Sentence.of(SAID.text), ALLISON, playback=playback)
    next(blocks)
    first = next(blocks)
    assert len(first.samples) < len(BAD) - RATE
    assert 0.0 < (playback.left_s() or 0.0) < 1.0
    list(blocks)
    assert made.incidents == {"words missed": 1}


def test_nobody_who_was_patient_for_too_long_waits_for_another_attempt() -> None:
    made, playback = guarded(ODD, NOTHING_ODD), busy(2.0)
    finish = Following.finish

    def late(following: Following) -> tuple[TimedWord, ...]:
        playback.now = lambda: 1.7
        return finish(following)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Following, "finish", late)
        assert len(heard(made, playback)) == len(BAD)
    assert made.incidents == {"words missed": 1}


@pytest.mark.parametrize("words", [True, False])
def test_what_is_never_heard_is_said_all_the_same(words: bool) -> None:
    made = guarded(ODD)
    assert len(heard(made, Playback(live=False, words=words))) == len(GOOD)
    assert made.incidents == {"retried: words missed": 3, "words missed": 1}


def test_what_is_fine_is_said_at_once() -> None:
    made = guarded(NOTHING_ODD)
    assert len(heard(made, Playback(live=False))) == len(BAD)
    assert not made.incidents


@pytest.mark.parametrize("live", [True, False])
def test_babble_ends_early(live: bool) -> None:
    """The sentence is over after half a second, and the speaker goes on."""
    aligner: Any = ScriptedAligner(findings=[NOTHING_ODD])
    text = "Congratulations!"
    takes = (np.concatenate([GOOD, BAD])[: round(4.8 * RATE)], clips()[0].takes[0])
    made = recorded_synthesizer(Clip(text, takes), ears=Ears(Follower(aligner), guard=True))
    blocks = made.synthesize(Sentence.of(text), ALLISON, playback=Playback(live=live))
    samples, known, _ = joined(blocks)
    if live:
        assert made.incidents == {"cut off: babble": 1}
        assert 2.0 < len(samples) / RATE < 4.0
        assert abs(samples[-16:]).max() < 0.02  # it ends softly
    else:
        assert made.incidents == {"retried: babble": 1}
        assert len(samples) == pytest.approx(1.48 * RATE, abs=320)
    assert len(known) == 1


@pytest.mark.parametrize("words", [True, False])
def test_babble_ends_early_in_the_last_attempt_too(words: bool) -> None:
    aligner: Any = ScriptedAligner(findings=[NOTHING_ODD])
    text, babble = "Congratulations!", np.concatenate([GOOD, BAD])[: round(4.8 * RATE)]
    clip = Clip(text, (babble,))
    made = recorded_synthesizer(clip, ears=Ears(Follower(aligner), guard=True))
    playback = Playback(live=False, words=words)
    samples, _, _ = joined(made.synthesize(Sentence.of(text), ALLISON, playback=playback))
    assert made.incidents == {"retried: babble": 3, "cut off: babble": 1}
    assert 2.0 < len(samples) / RATE < 4.0


def part(start_s: float, stop_s: float) -> Samples:
    return GOOD[round(start_s * RATE) : round(stop_s * RATE)]


@pytest.mark.parametrize(
    ("take", "kind"),
    [
        (np.concatenate([part(0.0, 3.65), part(5.2, 7.0)]), "words missed"),  # two of them
        (part(0.0, 5.75), "words missed"),  # the last four
        (BAD, "words missed"),
        (np.concatenate([part(0.0, 3.65), part(2.23, 7.0)]), "words repeated"),  # three of them
        (np.concatenate([part(0.0, 3.42), part(0.5, 2.5)[::-1], part(3.42, 7.0)]), "babble"),
        (np.concatenate([GOOD, GOOD[: -3 * RATE : -1]]), "babble"),
    ],
    ids=["skipped", "ended early", "other", "repeated", "babbled", "went on backwards"],
)
def test_what_a_real_person_did_not_say_is_noticed(ears: Ears, take: Samples, kind: str) -> None:
    sentence = Sentence.of(SAID.text)
    made = recorded_synthesizer(Clip(SAID.text, (take,)), ears=ears)
    joined(made.synthesize(sentence, ALLISON))
    assert kind in made.incidents
    decides = Ears(ears.follower, guard=True)
    made = recorded_synthesizer(Clip(SAID.text, (take, GOOD)), ears=decides)
    samples, _, _ = joined(made.synthesize(sentence, ALLISON, playback=Playback(live=False)))
    assert made.incidents == {f"retried: {kind}": 1}
    np.testing.assert_array_equal(samples, GOOD)


@pytest.mark.parametrize("language", ["en", "it", "fr"])
def test_what_a_real_person_did_say_is_never_taken_for_odd(ears: Ears, language: str) -> None:
    made = recorded_synthesizer(*clips(language), ears=Ears(ears.follower, guard=True))
    for clip in clips(language):
        for playback in (Playback(), Playback(live=False)):
            list(made.synthesize(Sentence.of(clip.text), ALLISON, playback=playback))
    assert not made.incidents
