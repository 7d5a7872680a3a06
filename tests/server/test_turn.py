"""An agent's turn: it speaks as it is written, stops at once, and says how far it got."""

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.errors import InvalidRequest, Overloaded, SynthesisFailed
from mira.server.pacing import Pacing, Piece
from mira.server.state import Service
from mira.server.turn import MOST_TEXTS, Done, Event, Flushed, Turn
from mira.server.utterance import Delivery
from mira.types import Voice
from tests.server.serving import ready_service, wait_until
from tests.toys import ANNA, ToySynthesizer

PCM = Delivery("pcm", 24000)
TEXT = "Your table for two is booked, for $100. We look forward to it! Bye."
LONG = " ".join(f"Sentence {'abcdefghij'[n % 10] * 3} goes on and on and on." for n in range(60))


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(main(), 30)

    asyncio.run(bounded())


class Ears:
    """Told what happens in a turn; keeps all of it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._told = asyncio.Event()

    async def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._told.set()

    @property
    def audio(self) -> bytes:
        return b"".join(event.data for event in self.events if isinstance(event, Piece))

    def words(self, text: str) -> list[str]:
        said = [word.source for e in self.events if isinstance(e, Piece) for word in e.words]
        return [text[source.start : source.stop] for source in dict.fromkeys(said)]

    async def until(self, there: Callable[["Ears"], bool]) -> None:
        while not there(self):
            await self._told.wait()
            self._told.clear()


def hurried(service: Service, voice: Voice = ANNA, **options: float) -> Turn:
    """A turn that is told as fast as it is made."""
    return Turn(service, voice, PCM, pacing=Pacing(PCM, lead_s=600), **options)


def check_nothing_is_left(service: Service, toy: ToySynthesizer | None = None) -> None:
    assert service.admission.active == 0
    assert toy is None or toy.opened == toy.closed
    wait_until(lambda: "mira-ahead" not in {thread.name for thread in threading.enumerate()}, 2)


def spoken(service: Service, parts: list[str], voice: Voice) -> Ears:
    ears = Ears()

    async def main() -> None:
        turn = hurried(service, voice)
        running = asyncio.ensure_future(turn.run(ears))
        for part in parts:
            turn.push(part)
            await asyncio.sleep(0)
        turn.finish()
        await running

    run(main)
    return ears


def test_text_a_character_at_a_time_sounds_as_at_once(builtin: BuiltinSynthesizer) -> None:
    service = ready_service(builtin)
    whole, single = (spoken(service, parts, builtin.voices[0]) for parts in ([TEXT], [*TEXT]))
    assert len(whole.audio) > 2 * 24000 * 3
    assert single.audio == whole.audio
    assert single.words(TEXT) == whole.words(TEXT) == TEXT.split()
    check_nothing_is_left(service)


def test_it_ends_with_what_was_spoken() -> None:
    ears = spoken(ready_service(ToySynthesizer()), [TEXT], ANNA)
    *pieces, done = ears.events
    assert isinstance(done, Done) and all(isinstance(piece, Piece) for piece in pieces)
    assert done.spoken.chars == len(TEXT)
    assert done.spoken.audio_s == pytest.approx(len(ears.audio) / 48000)
    for one, other in pairwise(piece for piece in pieces if isinstance(piece, Piece)):
        assert other.start_s == pytest.approx(one.stop_s)


def test_words_are_told_before_or_with_their_audio() -> None:
    ears = spoken(ready_service(ToySynthesizer()), [TEXT], ANNA)
    pieces = [event for event in ears.events if isinstance(event, Piece)]
    begins = {word.source.start: word.start_s for piece in pieces for word in piece.words}
    told = set[int]()
    for piece in pieces:
        told |= {word.source.start for word in piece.words}
        begun = {start for start, at in begins.items() if at < piece.stop_s - 0.001}
        assert begun <= told
    assert len(told) == len(TEXT.split())


@pytest.mark.parametrize("text", ["", "   ", "\n", "🙂", "<b></b>", "..."])
def test_nothing_to_say_is_done_in_silence(text: str) -> None:
    toy = ToySynthesizer()
    service = ready_service(toy)
    ears = spoken(service, [text], ANNA)
    assert [type(event) for event in ears.events] == [Done]
    check_nothing_is_left(service, toy)


def test_a_flush_is_told_after_its_audio_and_before_the_next() -> None:
    toy, ears = ToySynthesizer(), Ears()
    service = ready_service(toy)

    async def main() -> None:
        turn = hurried(service)
        running = asyncio.ensure_future(turn.run(ears))
        turn.flush()  # nothing yet: at once
        await ears.until(lambda ears: len(ears.events) == 1)
        turn.push("One two")
        turn.flush()
        await ears.until(lambda ears: len([e for e in ears.events if isinstance(e, Flushed)]) == 2)
        assert len(ears.audio) >= 2 * len(toy.tone("One two", ANNA)) - 48
        turn.push(" three")
        turn.flush()
        turn.finish()
        await running

    run(main)
    flushes = [event.number for event in ears.events if isinstance(event, Flushed)]
    assert flushes == [1, 2, 3]
    assert [type(event) for event in ears.events[-2:]] == [Flushed, Done]


def test_all_that_comes_while_its_voice_is_looked_for_is_told_in_order() -> None:
    ears, found = Ears(), asyncio.Event()
    service = ready_service(ToySynthesizer())

    async def find() -> Voice:
        await found.wait()
        return ANNA

    async def main() -> None:
        turn = Turn(service, find, PCM, pacing=Pacing(PCM, lead_s=600))
        running = asyncio.ensure_future(turn.run(ears))
        await asyncio.sleep(0)
        turn.flush()  # of nothing
        turn.push("One two.")
        turn.flush()
        turn.finish()
        await asyncio.sleep(0)
        assert ears.events == [] and service.admission.active == 0
        found.set()
        await running

    run(main)
    first, *pieces, second, done = ears.events
    assert (first, second) == (Flushed(1), Flushed(2)) and isinstance(done, Done)
    assert all(isinstance(piece, Piece) for piece in pieces)


def test_what_waits_for_its_rest_is_spoken_in_the_end() -> None:
    ears = Ears()
    service = ready_service(ToySynthesizer())

    async def main() -> None:
        turn = hurried(service, patience_s=0.1)
        running = asyncio.ensure_future(turn.run(ears))
        turn.push("One two")
        await ears.until(lambda ears: bool(ears.audio))
        turn.cancel()
        await running

    run(main)
    assert not [event for event in ears.events if not isinstance(event, Piece)]


def test_a_turn_without_text_takes_nothing() -> None:
    toy = ToySynthesizer()
    service = ready_service(toy)

    async def main() -> None:
        turns = [Turn(service, ANNA, PCM) for _ in range(500)]
        running = [asyncio.ensure_future(turn.run(Ears())) for turn in turns]
        for turn in turns:
            turn.push("  ")
        await asyncio.sleep(0.1)
        assert service.admission.active == 0 and threading.active_count() <= before
        for turn in turns:
            turn.cancel()
        await asyncio.gather(*running)

    before = threading.active_count()
    run(main)
    assert toy.opened == 0


def test_cancelling_ends_it_at_once_and_says_how_far_it_got() -> None:
    toy, ears = ToySynthesizer(compute_s=0.01), Ears()
    service = ready_service(toy)

    async def main() -> None:
        turn = Turn(service, ANNA, PCM, pacing=Pacing(PCM, lead_s=0.5))
        running = asyncio.ensure_future(turn.run(ears))
        turn.push(LONG)
        await ears.until(lambda ears: len(ears.audio) > 2 * 24000)
        told, began = len(ears.events), time.perf_counter()
        interrupted = turn.cancel()
        assert turn.cancel() == interrupted or turn.cancel().heard.audio_s > 0
        await running
        assert time.perf_counter() - began < 1
        assert len(ears.events) == told
        sent_s = len(ears.audio) / 48000
        assert interrupted.sent.audio_s == pytest.approx(sent_s, abs=0.001)
        assert 0.2 < interrupted.heard.audio_s < interrupted.sent.audio_s
        assert 0 < interrupted.heard.chars < interrupted.sent.chars < len(LONG)
        words = LONG[: interrupted.sent.chars].split()
        assert " ".join(words[-2:]) == interrupted.sent.words

    run(main)
    check_nothing_is_left(service, toy)


def test_no_more_is_heard_than_was_sent_to_a_listener_who_takes_nothing() -> None:
    service, taking = ready_service(ToySynthesizer()), asyncio.Event()

    async def main() -> None:
        told: list[Piece] = []

        async def tell(event: Event) -> None:
            assert isinstance(event, Piece)
            if len(told) == 3:
                taking.set()
                await asyncio.sleep(30)
            told.append(event)

        turn = hurried(service)
        running = asyncio.ensure_future(turn.run(tell))
        turn.push(LONG)
        await taking.wait()
        await asyncio.sleep(1.0)  # in which all that was sent has been played
        interrupted = turn.cancel()
        await running
        assert interrupted.heard.audio_s == interrupted.sent.audio_s == told[-1].stop_s
        assert interrupted.heard.chars == interrupted.sent.chars

    run(main)


def test_what_is_made_is_little_more_than_what_was_heard() -> None:
    toy, ears = ToySynthesizer(), Ears()
    service = ready_service(toy)

    async def main() -> None:
        turn = Turn(service, ANNA, PCM, pacing=Pacing(PCM, lead_s=0.5))
        running = asyncio.ensure_future(turn.run(ears))
        turn.push(LONG)
        await asyncio.sleep(1.5)
        assert 1.5 <= toy.audio_s < 1.5 + 0.5 + 0.3 + 0.7
        turn.cancel()
        await running

    run(main)


def test_too_long_a_text_is_refused_and_what_was_said_goes_on() -> None:
    service, ears = ready_service(ToySynthesizer(), max_text_chars=20), Ears()

    async def main() -> None:
        turn = hurried(service)
        running = asyncio.ensure_future(turn.run(ears))
        for _ in range(MOST_TEXTS):
            turn.push("One two three four. ")
        with pytest.raises(InvalidRequest, match="too long"):
            turn.push(" Four five six.")
        turn.finish()
        await running

    run(main)
    assert isinstance(ears.events[-1], Done)


def test_a_failure_is_raised() -> None:
    toy, ears = ToySynthesizer(fail_at=2), Ears()
    service = ready_service(toy)

    async def main() -> None:
        turn = hurried(service)
        turn.push(TEXT)
        turn.finish()
        with pytest.raises(SynthesisFailed):
            await turn.run(ears)

    run(main)
    assert ears.audio and not isinstance(ears.events[-1], Done)
    check_nothing_is_left(service, toy)


ACTS = st.lists(
    st.one_of(
        st.sampled_from(["flush", "finish", "cancel", "wait"]),
        st.sampled_from(["One two. ", "Three", " ", "", "<br>", "$5", ". A", "🙂", "é" * 30]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(acts=ACTS)
def test_whatever_is_done_it_ends_and_leaves_nothing(acts: list[str]) -> None:
    toy, ears = ToySynthesizer(s_per_char=0.002), Ears()
    service = ready_service(toy)

    async def main() -> None:
        turn = hurried(service, patience_s=0.01)
        running = asyncio.ensure_future(turn.run(ears))
        cancelled = False
        for act in acts:
            if act == "wait":
                await asyncio.sleep(0.01)
            elif act in ("flush", "finish", "cancel"):
                getattr(turn, act)()
                cancelled |= act == "cancel"
            else:
                turn.push(act)
        turn.finish()
        await running
        ended = [event for event in ears.events if isinstance(event, Done)]
        assert len(ended) == 1 or (cancelled and not ended)
        assert not ended or isinstance(ears.events[-1], Done)

    run(main)
    check_nothing_is_left(service, toy)


def test_a_storm_of_turns_leaves_nothing_behind() -> None:
    draw = random.Random(7)
    toy = ToySynthesizer(compute_s=0.001, at_once=2)
    service = ready_service(toy, max_streams=20, queue_s=0.5)

    async def one() -> None:
        await asyncio.sleep(draw.random())
        turn = Turn(service, ANNA, PCM, pacing=Pacing(PCM, lead_s=0.2), patience_s=0.2)
        running = asyncio.ensure_future(turn.run(Ears()))
        for word in LONG.split()[: draw.randint(0, 20)]:
            turn.push(word + " ")
            await asyncio.sleep(draw.choice([0, 0, 0.01]))
        if draw.random() < 0.2:
            running.cancel()
        elif draw.random() < 0.7:
            turn.cancel()
        else:
            turn.finish()
        await asyncio.wait([running])
        if not running.cancelled() and (error := running.exception()):
            assert isinstance(error, Overloaded), error

    async def main() -> None:
        await asyncio.gather(*(one() for _ in range(100)))
        await service.admission.idle()

    run(main)
    check_nothing_is_left(service, toy)


@pytest.mark.parametrize("frame_ms", [None, 20])
def test_what_leaves_as_it_is_played_is_not_taken_for_a_listener_who_is_behind(
    frame_ms: int | None,
) -> None:
    toy = ToySynthesizer(block_s=2.5)
    service = ready_service(toy, full_stall_timeout_s=0.3, max_streams=1, queue_s=0)
    delivery = Delivery("pcm", 24000, frame_ms=frame_ms)
    ears = Ears()

    async def main() -> None:
        turn = Turn(service, ANNA, delivery, pacing=Pacing(delivery, lead_s=0.2))
        turn.push("One two three four five six seven eight nine ten.")
        turn.finish()
        telling = asyncio.create_task(turn.run(ears))
        await ears.until(lambda ears: bool(ears.audio))
        other = hurried(service)
        other.push("Hello.")
        with pytest.raises(Overloaded):  # it finds no place
            await other.run(Ears())
        await telling

    run(main)
    assert isinstance(ears.events[-1], Done)


def test_who_takes_nothing_is_cut_off_all_the_same() -> None:
    service = ready_service(ToySynthesizer(block_s=2.5), stall_timeout_s=0.3)

    async def stalled(event: Event) -> None:
        if isinstance(event, Piece) and event.start_s > 0.5:  # some was kept back before
            await asyncio.Event().wait()

    async def main() -> None:
        turn = Turn(service, ANNA, PCM, pacing=Pacing(PCM, lead_s=0.2))
        turn.push("One two three four five six seven eight nine ten.")
        turn.finish()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await turn.run(stalled)
        assert time.monotonic() - began < 10

    run(main)
    check_nothing_is_left(service)
