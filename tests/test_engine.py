"""The main path: every sentence, in order, as early as can be, and nothing after a close."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.engine import Engine
from mira.errors import NothingToSay, SynthesisFailed, VoiceNotFound
from mira.stream.cancel import Cancel, Cancelled
from mira.stream.joining import SILENCE, TAIL_S
from mira.stream.phrases import Phrases
from mira.stream.playback import Playback
from mira.stream.turns import Turns
from mira.text import Break, Dictionary, Mark, pause_s, split_sentences
from mira.types import Block, Samples, Sampling, Sentence, Voice
from tests.toys import ANNA, BEN, ToySynthesizer

STORY = "One two three. Four five six! Seven eight nine? Ten eleven twelve."

sentences = st.lists(
    st.text("abcdefgh ", min_size=3, max_size=60).map(lambda words: f"A{words.strip()}b."),
    min_size=1,
    max_size=5,
)


@settings(deadline=None, max_examples=60)
@given(
    text=sentences.map(" ".join),
    voice=st.sampled_from([ANNA, BEN]),
    block_s=st.sampled_from([0.01, 0.1, 10.0]),
    lead_s=st.sampled_from([0.001, 0.3, 600.0]),
)
def test_every_sentence_is_spoken_in_order(
    text: str, voice: Voice, block_s: float, lead_s: float
) -> None:
    toy = ToySynthesizer(block_s=block_s, s_per_char=0.01)
    spoken = np.concatenate(list(Engine(toy, lead_s).speak(text, voice)))
    assert np.array_equal(spoken, toy.whole(text, voice))
    assert toy.opened == toy.closed


def test_the_sentences_are_told_apart() -> None:
    """Otherwise the test above could not see their order."""
    toy = ToySynthesizer()
    assert not np.array_equal(toy.whole("Anna. Bell."), toy.whole("Bell. Anna."))


def test_the_same_text_sounds_the_same_again(builtin: BuiltinSynthesizer) -> None:
    engine = Engine(builtin)
    text = "Hello there. The train to Oslo leaves at 9:45, from platform 3."
    first, second = (np.concatenate(list(engine.speak(text, engine.voices[0]))) for _ in "ab")
    assert np.array_equal(first, second)
    assert 3 < len(first) / engine.sample_rate < 9
    assert np.abs(first).max() > 0.1


def test_it_is_known_by_its_synthesizer(toy: ToySynthesizer) -> None:
    engine = Engine(toy)
    assert engine.sample_rate == toy.sample_rate
    assert engine.voices == toy.voices


@pytest.mark.parametrize("text", ["", "   ", "\n\n\t", "...", "?!", "🎉", "🎉 🎉 — …", "\u200b"])
def test_nothing_to_say(text: str, toy: ToySynthesizer) -> None:
    with pytest.raises(NothingToSay) as caught:
        next(Engine(toy).speak(text, ANNA))
    assert caught.value.param == "input"
    assert toy.opened == 0


def test_nothing_to_say_between_sentences_is_passed_over(toy: ToySynthesizer) -> None:
    spoken = np.concatenate(list(Engine(toy).speak("One two. 🎉🎉\n\n...\n\nThree four.", ANNA)))
    first, last = toy.whole("One two."), toy.whole("Three four.")
    pause = toy.silence(pause_s("One two.", Break.PARAGRAPH))
    assert np.array_equal(spoken, np.concatenate([first, pause, last]))


def silence_after_s(samples: Samples, sample_rate: int) -> float:
    return (len(samples) - 1 - int(np.flatnonzero(np.abs(samples) > SILENCE)[-1])) / sample_rate


def test_no_pause_delays_the_end(builtin: BuiltinSynthesizer) -> None:
    """Of a turn of a conversation: but none of the last word is lost either."""
    engine, with_pause = Engine(builtin), Engine(builtin, pause_at_end=True)
    for text in ("Yes.", "Is it?", "Well, no…", "Stop", "Hello, there. It is me.", "It is half,"):
        spoken = np.concatenate(list(engine.speak(text, engine.voices[0])))
        assert 0 < silence_after_s(spoken, engine.sample_rate) <= TAIL_S
        paused = np.concatenate(list(with_pause.speak(text, engine.voices[0])))
        expected_s = pause_s(text, Break.NONE)
        assert silence_after_s(paused, engine.sample_rate) == pytest.approx(expected_s, abs=0.001)


@pytest.mark.parametrize("pace", [1.0, 0.5, 16.0])
@pytest.mark.parametrize(
    ("text", "pauses_s"),
    [
        ('One two. <break time="1.5s"/> Three four.', [0, 1.5, 0]),
        ("One two [pause: 500 ms] three four", [0, 0.5, 0]),
        ("[pause:1s]One two.", [1, 0]),
        ("One two.\n\n[pause:0.25s]", [0, 0.25]),
        ("One two. [pause:6s] ... [pause:6s]\n\nThree.", [0, 10, 0]),
        ('One two.<break time="0s"/>Three.', [0, 0, 0]),
        (" <break time='2s'/>\n", [2]),
    ],
)
def test_a_pause_that_was_asked_for_is_as_long_at_any_pace(
    text: str, pauses_s: list[float], pace: float
) -> None:
    toy = ToySynthesizer(block_s=60)
    blocks = list(Engine(toy).blocks(text, ANNA, playback=Playback(False, pace)))
    tones = [toy.tone(p.sentence.text, ANNA) for p in split_sentences(text) if p.sentence.text]
    parts = [toy.silence(pauses_s[0] * pace)]
    for tone, asked_s in zip(tones, pauses_s[1:], strict=True):
        parts += [tone, toy.silence(asked_s * pace)]
    heard = np.concatenate([block.samples for block in blocks])
    assert np.array_equal(heard, np.concatenate(parts))
    silent = [len(block.samples) for block in blocks if not block.samples.any()]
    assert max(silent, default=0) <= toy.sample_rate


@pytest.mark.parametrize("text", ["<break time='0s'/>", "[pause:0]", "<speak></speak>"])
def test_no_silence_is_nothing_to_say(text: str, toy: ToySynthesizer) -> None:
    with pytest.raises(NothingToSay):
        next(Engine(toy).blocks(text, ANNA))


def test_a_pause_does_not_make_up_for_what_cannot_be_read(builtin: BuiltinSynthesizer) -> None:
    engine = Engine(builtin)
    with pytest.raises(NothingToSay, match="speaks English"):
        list(engine.blocks("[pause:1s] 日本語です。", engine.voices[0]))


def test_a_pause_can_be_cancelled(toy: ToySynthesizer) -> None:
    cancel = Cancel()
    blocks = Engine(toy).blocks("One. [pause:10s] Two.", ANNA, cancel=cancel)
    while next(blocks).samples.any():
        pass
    cancel()
    with pytest.raises(Cancelled):
        next(blocks)


def test_who_hears_a_pause_does_not_wait() -> None:
    """It is audio like any other: nobody runs dry in it."""
    playback = Playback()
    for _ in Engine(ToySynthesizer(block_s=60)).blocks("[pause:10s]", ANNA, playback=playback):
        pass
    assert (playback.left_s() or 0) > 8 and not playback.silent


@pytest.mark.parametrize(
    ("text", "least_s", "most_s"),
    [
        ("Come here. Go away.", 0.38, 0.48),
        ("Come here.\nGo away.", 0.38, 0.48),
        ("come here\ngo away", 0.33, 0.43),
        ("Come here.\n\nGo away.", 0.6, 0.75),
        ("come here\n\ngo away", 0.6, 0.75),
    ],
)
def test_what_separates_sentences_is_heard(
    builtin: BuiltinSynthesizer, text: str, least_s: float, most_s: float
) -> None:
    engine = Engine(builtin)
    spoken = np.concatenate(list(engine.speak(text, engine.voices[0])))
    loud = np.flatnonzero(np.abs(spoken) > SILENCE)
    assert least_s < np.diff(loud).max() / engine.sample_rate < most_s


def test_a_pause_leaves_before_the_sentence_after_it_is_made() -> None:
    """The listener is not left alone with the time that it takes."""
    second = threading.Event()
    toy = ToySynthesizer(block_s=60, before_block=lambda number: toy.opened < 2 or second.wait(20))
    with closing(Engine(toy).speak("One two.\n\nThree four.", ANNA)) as blocks:
        first = next(blocks)
        assert np.array_equal(first, toy.whole("One two."))
        second.set()
        assert not np.any(next(blocks))


def test_a_sentence_never_waits_for_the_one_after_it() -> None:
    asked = threading.Event()

    def parts() -> Iterator[str]:
        yield "One two. Th"
        asked.set()
        assert more.wait(20)
        yield "ree four."

    more, toy = threading.Event(), ToySynthesizer(block_s=60)
    with closing(Engine(toy).speak(parts(), ANNA, playback=Playback(live=False))) as blocks:
        assert np.array_equal(next(blocks), toy.whole("One two."))
        assert asked.wait(20)
        more.set()
        assert np.array_equal(
            np.concatenate([toy.whole("One two."), *blocks]), toy.whole("One two. Three four.")
        )


@pytest.mark.parametrize(
    ("live", "stall_s", "least_s", "most_s"),
    [(True, 0, 0.41, 0.41), (True, 0.6, 0, 0.3), (True, 2, 0, 0), (False, 2, 0.41, 0.41)],
)
@pytest.mark.parametrize("asked", ["", "[pause:410ms]"])
def test_who_waited_for_text_has_had_the_pause(
    live: bool, stall_s: float, least_s: float, most_s: float, asked: str
) -> None:
    """The first sentence is 0.4 s long: after it, they hear nothing until more text comes."""

    def parts() -> Iterator[str]:
        yield f"One two. {asked}Th"
        time.sleep(stall_s)
        yield "ree four."

    toy = ToySynthesizer(block_s=60)
    spoken = np.concatenate(list(Engine(toy).speak(parts(), ANNA, playback=Playback(live))))
    paused = len(spoken) - len(toy.whole("One two.")) - len(toy.whole("Three four."))
    assert least_s <= paused / toy.sample_rate <= most_s


@given(
    text=sentences.map(" \n".join), cuts=st.lists(st.integers(0, 10**6), max_size=20).map(sorted)
)
def test_text_sounds_the_same_however_it_comes(text: str, cuts: list[int]) -> None:
    toy = ToySynthesizer(s_per_char=0.001)
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    parts = [text[start:stop] for start, stop in pairwise(edges)]
    spoken = np.concatenate(
        list(Engine(toy).speak(iter(parts), ANNA, playback=Playback(live=False)))
    )
    assert np.array_equal(spoken, toy.whole(text, ANNA))


@given(text=sentences.map(" ".join), cuts=st.lists(st.integers(0, 10**6), max_size=20))
def test_to_say_that_more_takes_a_while_changes_nothing(text: str, cuts: list[int]) -> None:
    """Nor does it matter whether a voice ends its sentences with silence."""
    toy = ToySynthesizer(s_per_char=0.001)
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    parts = [part for a, b in pairwise(edges) for part in (Mark.IDLE, text[a:b], Mark.IDLE)]
    for tail_s in (0.0, 0.02, 0.5):
        toy.tail_s = tail_s
        whole, idle = (
            np.concatenate(
                [each.samples for each in Engine(toy).blocks(written, ANNA, playback=playback)]
            )
            for written, playback in ((text, Playback()), (iter(parts), Playback(live=False)))
        )
        assert np.array_equal(whole, idle)


def test_a_flush_speaks_what_there_is_and_says_when_it_has() -> None:
    toy, heard = ToySynthesizer(), list[float]()
    parts = ["One two", Mark.FLUSH, " three. Four", Mark.IDLE, Mark.FLUSH, Mark.FLUSH, "", ". "]
    said = ["One two", "three.", "Four"]
    for block in Engine(toy).blocks(iter(parts), ANNA, playback=Playback(live=False)):
        heard.append(len(block.samples) / toy.sample_rate)
        if block.flushed:
            heard.append(-1.0)
    spoken_s = [len(toy.tone(piece, ANNA)) / toy.sample_rate for piece in said]
    first, second, third, rest = "".join(
        "|" if each < 0 else "." * round(1000 * each) for each in heard
    ).split("|")
    assert len(first) == pytest.approx(1000 * spoken_s[0], abs=1)
    pauses_s = pause_s(said[0], Break.NONE) + pause_s(said[1], Break.NONE)
    assert len(second) == pytest.approx(1000 * (sum(spoken_s[1:]) + pauses_s), abs=2)
    assert not third and not rest


def test_a_flush_of_nothing_is_reached_too(toy: ToySynthesizer) -> None:
    blocks = Engine(toy).blocks(iter([Mark.FLUSH, "  ", Mark.FLUSH, "One."]), ANNA)
    flushes = [block.flushed for block in blocks]
    assert flushes[:2] == [True, True] and not any(flushes[2:])


@pytest.mark.parametrize("leave", ["close", "cancel"])
def test_waiting_for_text_holds_nothing(leave: str) -> None:
    """Neither the only turn to compute, nor whoever hangs up."""
    asked, never = threading.Event(), threading.Event()

    def parts() -> Iterator[str]:
        yield "One two. T"
        asked.set()
        never.wait(60)

    toy = ToySynthesizer(at_once=1)
    engine, cancel = Engine(toy), Cancel()
    waiting = engine.speak(parts(), ANNA, cancel=cancel)
    heard = [next(waiting)]
    while sum(map(len, heard)) < len(toy.whole("One two.")):
        heard.append(next(waiting))
    assert asked.wait(20)
    other = np.concatenate(list(engine.speak("Three four.", BEN)))
    assert np.array_equal(other, toy.whole("Three four.", BEN))
    began = time.perf_counter()
    if leave == "cancel":
        threading.Timer(0.05, cancel).start()
        assert next(waiting, None) is None
    waiting.close()
    assert time.perf_counter() - began < 20
    assert toy.opened == toy.closed
    never.set()


def test_idle_texts_hold_no_turn(
    builtin: BuiltinSynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as may compute at once wait for more text, and another one speaks all the same."""
    monkeypatch.setattr(builtin, "_turns", Turns(2))
    engine, never, (voice, *_) = Engine(builtin), threading.Event(), builtin.voices
    asked = threading.Semaphore(0)

    def parts() -> Iterator[str]:
        yield "Hello there. And"
        asked.release()
        never.wait(60)

    with ExitStack() as stack:
        idle = [stack.enter_context(closing(engine.speak(parts(), voice))) for _ in range(2)]
        for blocks in idle:
            next(blocks)
            assert asked.acquire(timeout=20)
        assert builtin._turns._free == 2
        with ThreadPoolExecutor(1) as third:
            speaks = third.submit(lambda: list(engine.speak("Who is it?", voice)))
            try:
                assert sum(map(len, speaks.result(20))) > 10000
            finally:
                never.set()


def test_who_waits_for_text_waits_for_no_audio() -> None:
    """In the books of whoever chooses between streams; from the first part on."""
    playback, asked, computed = Playback(), [], []

    def parts() -> Iterator[str]:
        for part in ("One two. Th", "ree four. F", "ive."):
            asked.append(playback.waits_for_text)
            yield part

    toy = ToySynthesizer(before_block=lambda number: computed.append(playback.waits_for_text))
    list(Engine(toy).blocks(parts(), ANNA, playback=playback))
    assert asked == [True] * 3
    assert computed == [False] * toy.blocks
    assert not playback.waits_for_text


def test_text_that_comes_to_a_cancelled_stream_is_not_spoken() -> None:
    cancel, toy = Cancel(), ToySynthesizer()

    def parts() -> Iterator[str]:
        cancel()
        yield "One two. Three four."

    blocks = Engine(toy).blocks(parts(), ANNA, cancel=cancel)
    with pytest.raises(Cancelled):
        next(blocks)
    assert toy.opened == 0


def test_words_are_timed_over_all_of_the_text() -> None:
    """A synthesizer counts from its sentence's first sample; pauses and sentences come before."""
    toy = ToySynthesizer(block_s=0.3)
    first, last = "One two.", "Three four five."
    blocks = list(Engine(toy).blocks(f"{first} {last}", ANNA))
    timed = [word for block in blocks for word in block.words]
    assert [word.word.text for word in timed] == ["One", "two.", "Three", "four", "five."]
    assert [word.index for word in timed] == [0, 1, 2, 3, 4]
    begins_s = len(toy.tone(first, ANNA)) / toy.sample_rate + pause_s(first, Break.NONE)
    for word, text in zip(timed, 2 * [first] + 3 * [last], strict=True):
        offset_s = 0.0 if text == first else begins_s
        start = text.index(word.word.text)
        assert word.start_s == pytest.approx(offset_s + start * toy.s_per_char, abs=1e-3)
        stop_s = (start + len(word.word.text)) * toy.s_per_char
        assert word.stop_s == pytest.approx(offset_s + stop_s, abs=1e-3)
    until_s = 0.0
    for block in blocks:  # each comes with the block in which it begins to sound
        until_s += len(block.samples) / toy.sample_rate
        assert all(word.start_s < until_s for word in block.words)


TWENTY = (
    "Hello there.", "Sam said so!", "Please pay fifty dollars, or else.", "Who?", "Keep calm.",
    "Tell them that the train to Paris leaves at noon.", "She sells sea shells.", "Shall we?",
    "A zyzzogeton, and another one!", "Fine, thanks.", "Have you seen it?", "It was fun.",
    "Father phoned.", "Two tickets to Tokyo, please.", "My name is Ann.", "Thirteen.",
    "Look at the long list of names: Bob, Ann, and Pete.", "Visit us.", "Yes.",
    "Eight ships left early.",
)  # fmt: skip


@pytest.mark.parametrize(
    ("between", "pace"), [(" ", 1.0), (" [pause:1.5s] ", 1.0), (" [pause:1.5s] ", 1.4)]
)
def test_each_sentence_begins_where_its_first_word_does(
    builtin: BuiltinSynthesizer, between: str, pace: float
) -> None:
    text = between.join(TWENTY)
    blocks = [*Engine(builtin).blocks(text, builtin.voices[0], playback=Playback(pace=pace))]
    known = {word.index: word for block in blocks for word in block.words}
    loud = np.abs(np.concatenate([block.samples for block in blocks])) > SILENCE
    words = [len(piece.sentence.words) for piece in split_sentences(text) if piece.sentence.text]
    assert len(words) == len(TWENTY) and [*sorted(known)] == [*range(sum(words))]
    end_s = 0.0
    for first, num_words in zip(np.cumsum([0, *words]), words, strict=False):
        after = round((end_s + 0.01) * builtin.sample_rate) if first else 0
        sound_s = (after + int(loud[after:].argmax())) / builtin.sample_rate
        assert known[first].start_s == pytest.approx(sound_s, abs=0.001)
        end_s = known[first + num_words - 1].stop_s
        silence = loud[round(end_s * builtin.sample_rate) :][: builtin.sample_rate // 10]
        assert not silence.any(), "a last word ends with its sound"
    times_s = [s for at in sorted(known) for s in (known[at].start_s, known[at].stop_s)]
    assert times_s == sorted(times_s)


def test_words_alone_are_no_audio(toy: ToySynthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was told when a word will be heard has heard nothing yet."""
    speak, begins = toy.synthesize, list[bool]()

    def synthesize(*args: Any) -> Iterator[Block]:
        words = tuple(toy._timed(args[0]))
        yield Block(np.zeros(0, np.float32), words)
        yield from speak(*args)

    monkeypatch.setattr(toy, "synthesize", synthesize)
    playback = Playback()
    for block in Engine(toy).blocks("One two.", ANNA, playback=playback):
        begins.append(playback.begins)
        if not len(block.samples):
            assert block.words and playback.left_s() is None
    assert begins[:2] == [True, False]


def test_blocks_come_with_their_words_when_computed_ahead(toy: ToySynthesizer) -> None:
    made, ahead = (
        [(len(block.samples), block.words) for block in blocks]
        for blocks in (
            Engine(toy).blocks("One two. Three.", ANNA),
            Engine(toy).blocks_ahead("One two. Three.", ANNA),
        )
    )
    assert made == ahead
    assert sum(len(words) for _, words in made) == 3


def test_who_takes_samples_alone_asks_for_no_words(
    toy: ToySynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, speak = list[bool](), toy.synthesize

    def synthesize(*args: Any) -> Iterator[Block]:
        asked.append(args[3].words)
        return speak(*args)

    monkeypatch.setattr(toy, "synthesize", synthesize)
    engine = Engine(toy)
    list(engine.speak("One.", ANNA))
    list(engine.speak("One.", ANNA, playback=Playback()))
    list(engine.blocks("One.", ANNA))
    list(engine.blocks_ahead("One.", ANNA))
    assert asked == [False, True, True, True]


def test_blocks_are_made_by_whoever_asks_for_them(toy: ToySynthesizer) -> None:
    makers = set()
    toy.before_block = lambda number: makers.add(threading.get_ident())
    playback = Playback()
    samples = [block.samples for block in Engine(toy).blocks(STORY, ANNA, playback=playback)]
    assert np.array_equal(np.concatenate(samples), toy.whole(STORY))
    assert makers == {threading.get_ident()}
    heard_s = len(toy.whole(STORY)) / toy.sample_rate
    assert playback.player.runs_dry_at - playback.began_at == pytest.approx(heard_s, abs=0.5)


def test_a_fast_listener_is_no_further_ahead_in_time() -> None:
    """At four times the pace four seconds of speech last one."""
    toy = ToySynthesizer(s_per_char=0.5)
    ahead_s = {}
    for pace in (1.0, 4.0):
        toy.samples = 0
        with closing(Engine(toy, 1.0).speak(STORY, ANNA, playback=Playback(pace=pace))) as blocks:
            next(blocks)
            toy.wait_idle(0.2)
            ahead_s[pace] = toy.audio_s
    assert ahead_s[1.0] == pytest.approx(1.1, abs=0.15)
    assert ahead_s[4.0] == pytest.approx(4.1, abs=0.15)


def test_text_that_fails_to_come_is_a_failure_after_what_came() -> None:
    def parts() -> Iterator[str]:
        yield "One two. Three"
        raise OSError("The line is cut.")

    toy = ToySynthesizer(block_s=60)
    blocks = Engine(toy).speak(parts(), ANNA)
    assert np.array_equal(next(blocks), toy.whole("One two."))
    with pytest.raises(OSError, match="cut"):
        next(blocks)


def test_what_cannot_be_read_is_passed_over_unless_it_is_all(builtin: BuiltinSynthesizer) -> None:
    engine = Engine(builtin)
    mixed, plain = (
        np.concatenate(list(engine.speak(text, engine.voices[0])))
        for text in ("Hello there. 日本語です。 Привет, мир! Good bye.", "Hello there. Good bye.")
    )
    assert np.array_equal(mixed, plain)
    with pytest.raises(NothingToSay, match="speaks English") as caught:
        list(engine.speak("日本語です。 Привет, мир!", engine.voices[0]))
    assert caught.value.param == "input"


def test_an_unknown_voice_is_refused_before_any_work(toy: ToySynthesizer) -> None:
    with pytest.raises(VoiceNotFound, match="'zoe'"):
        next(Engine(toy).speak(STORY, Voice("zoe")))
    assert toy.opened == 0


def test_the_first_block_leaves_before_the_second_is_made() -> None:
    second = threading.Event()
    toy = ToySynthesizer(before_block=lambda number: number == 0 or second.wait(20))
    blocks = Engine(toy).speak(STORY, ANNA)
    assert len(next(blocks)) == 2400
    assert toy.blocks == 1
    second.set()
    blocks.close()


def test_closing_frees_the_synthesizer_at_once() -> None:
    took = []
    for _ in range(5):  # the best of five: the machine may be busy with something else
        toy = ToySynthesizer(compute_s=0.01)
        blocks = Engine(toy).speak(STORY, ANNA)
        next(blocks)
        began = time.perf_counter()
        blocks.close()
        took.append(time.perf_counter() - began)
        assert 1 <= toy.opened == toy.closed
        made = toy.blocks
        time.sleep(0.03)
        assert toy.blocks == made < 20
    assert min(took) < 0.1


def test_closing_from_another_thread_while_nobody_waits() -> None:
    """As the server does: each step of a stream is on whichever worker is free."""
    toy = ToySynthesizer()
    blocks = Engine(toy).speak(STORY, ANNA)
    with ThreadPoolExecutor(1) as other:
        other.submit(next, blocks).result(20)
    blocks.close()
    # The toy is quick: it may have begun the second sentence within its lead by now.
    assert 1 <= toy.opened == toy.closed


@pytest.mark.parametrize("fail_at", [0, 1, 5])
def test_a_failure_comes_after_the_blocks_before_it(fail_at: int) -> None:
    toy = ToySynthesizer(fail_at=fail_at)
    blocks = Engine(toy).speak(STORY, ANNA)
    for _ in range(fail_at):
        next(blocks)
    with pytest.raises(SynthesisFailed):
        next(blocks)
    assert (toy.blocks, toy.opened, toy.closed) == (fail_at, 1, 1)


def test_many_speak_at_once_and_none_hears_another() -> None:
    toy = ToySynthesizer(block_s=0.05, compute_s=0.001)
    engine = Engine(toy, lead_s=0.2)
    texts = [f"Caller {letter}{letter} speaks. And on." for letter in "abcdef"]

    def speak(text: str) -> bool:
        with closing(engine.speak(text, BEN)) as blocks:
            return np.array_equal(np.concatenate(list(blocks)), toy.whole(text, BEN))

    with ThreadPoolExecutor(len(texts)) as callers:
        assert all(callers.map(speak, texts))


def test_each_word_knows_what_it_stands_for_in_all_of_the_text() -> None:
    text = "It costs **$100**.  \n\n Really? See [it](http://a.b)."
    parts = [text[:5], text[5:14], text[14:]]
    blocks = Engine(ToySynthesizer()).blocks(iter(parts), ANNA)
    words = [timed.word for block in blocks for timed in block.words]
    assert [(word.text, text[word.source.start : word.source.stop]) for word in words] == [
        *[("It", "It"), ("costs", "costs")],
        *[("one", "$100"), ("hundred", "$100"), ("dollars.", "$100")],
        *[("Really?", "Really"), ("See", "See"), ("it.", "it")],
    ]


def test_what_grows_when_it_is_written_out_is_cut_again() -> None:
    """A model has a limit on what it can say at once, and a short text may say much."""
    toy = ToySynthesizer(max_chars=80, s_per_char=0.001)
    said: list[str] = []
    toy.before_block = lambda number: None
    speak = toy.synthesize

    def listen(sentence: Sentence, *more: object) -> object:
        said.append(sentence.text)
        return speak(sentence, *more)  # type: ignore[arg-type]

    toy.synthesize = listen  # type: ignore[method-assign, assignment]
    text = "$1,234,567.89 " * 6 + "and https://example.com/a/b/c?x=1, then -77°C " * 4
    list(Engine(toy).speak(text, ANNA))
    assert len(said) > 10
    assert max(map(len, said)) <= 80
    assert " ".join(said).count("dollars") == 6


def test_a_closed_engine_says_so_and_does_not_hang(toy: ToySynthesizer) -> None:
    engine = Engine(toy)
    list(engine.speak("Hello there.", ANNA))
    engine.close()
    engine.close()
    assert toy.shut
    opened = toy.opened
    with pytest.raises(SynthesisFailed, match="The engine is closed"):
        list(engine.speak("Hello there.", ANNA))
    assert toy.opened == opened


def test_closing_under_a_stream_ends_it_at_its_next_sentence() -> None:
    toy = ToySynthesizer()
    engine = Engine(toy, lead_s=0.01)
    with closing(engine.speak(STORY, ANNA)) as blocks:
        next(blocks)
        engine.close()
        with pytest.raises(SynthesisFailed, match="closed"):
            list(blocks)
    assert toy.opened == toy.closed < 4


def test_a_word_of_the_dictionary_sounds_as_it_says(builtin: BuiltinSynthesizer) -> None:
    engine, words = Engine(builtin), {"Zyx": {"cmu": "W IH1 N"}, "Siobhan": "shi vawn"}

    def heard(text: str, dictionary: Dictionary = Dictionary()) -> Samples:
        blocks = engine.speak(text, builtin.voices[0], dictionary=dictionary)
        return np.concatenate(list(blocks))

    dictionary = Dictionary.of(words, len(words))
    said = heard("I see Zyx's car, and Siobhan.", dictionary)
    assert np.array_equal(said, heard("I see win's car, and Shi vawn."))
    for alphabet, phonemes in (("ipa", "wɪn"), ("cmu-arpabet", "W IH1 N")):
        name = f'<phoneme alphabet="{alphabet}" ph="{phonemes}">Zyx</phoneme>'
        assert np.array_equal(said, heard(f"I see {name}'s car, and Shi vawn."))
    assert not np.array_equal(said, heard("I see Zyx's car, and Siobhan."))


# ---------------------------------------------------------------- phrases


def heard(engine: Engine, text: Any, **playback: bool) -> tuple[bytes, list[Any]]:
    """All samples, and all words with their times, as they were told."""
    blocks = [*engine.blocks(text, engine.voices[0], playback=Playback(**playback))]
    samples = np.concatenate([block.samples for block in blocks])
    return samples.tobytes(), [word for block in blocks for word in block.words]


def test_the_real_voice_says_again_what_it_said(builtin: BuiltinSynthesizer) -> None:
    """In another place of another text too; whether its words are timed or not."""
    engine, plain = Engine(builtin), Engine(builtin)
    engine.phrases = Phrases(1 << 24)
    phrase = "One moment, please: it costs $12.50."
    samples, words = heard(engine, phrase, keep=True)
    assert (len(engine.phrases), engine.phrases.hits) == (1, 0)
    assert heard(engine, phrase) == (samples, words) == heard(plain, phrase)
    assert heard(engine, phrase, words=False) == (samples, []) == heard(plain, phrase, words=False)
    longer = f"Well, hello there. {phrase} Thank you!"
    assert heard(engine, longer) == heard(plain, longer)
    assert engine.phrases.hits == 3
    assert heard(engine, iter(longer)) == heard(plain, longer)
    assert engine.phrases.hits == 4


def test_it_knows_whether_it_would_compute_anything(toy: ToySynthesizer) -> None:
    engine = Engine(toy)
    engine.phrases = Phrases(1 << 24)
    text = "One moment. It is seven."
    assert not engine.keeps(text, ANNA)
    heard(engine, "One moment.", keep=True)
    assert engine.keeps("One moment.", ANNA)
    assert not engine.keeps(text, ANNA)
    heard(engine, "It is seven.", keep=True, words=False)
    assert engine.keeps(text, ANNA, words=False)
    assert not engine.keeps(text, ANNA)
    heard(engine, text)
    assert engine.keeps(text, ANNA)
    assert engine.keeps(f"[pause:1s] **{text}**", ANNA)
    assert not engine.keeps(text, BEN)
    assert not engine.keeps(text, ANNA, Sampling(seed=1))
    assert not engine.keeps(text, ANNA, dictionary=Dictionary.of({"moment": "minute"}, 1))
    for nothing in ("", "...", "[pause:1s]"):
        assert not engine.keeps(nothing, ANNA)


def test_one_that_is_cancelled_is_not_kept_and_one_that_is_kept_can_be(
    toy: ToySynthesizer,
) -> None:
    engine = Engine(toy)
    engine.phrases = Phrases(1 << 24)
    for kept in (0, 1):
        cancel = Cancel()
        blocks = engine.blocks("One moment.", ANNA, Sampling(), Playback(keep=True), cancel)
        next(blocks)
        cancel()
        with pytest.raises(Cancelled):
            next(blocks)
        assert len(engine.phrases) == kept
        heard(engine, "One moment.", keep=True)
