"""A stream without HTTP: text in parts goes in, chunks come out, and it ends however it is left."""

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from anyio import CancelScope

from mira.audio.pcm import from_s16le
from mira.engine import Engine
from mira.errors import Overloaded, SynthesisFailed
from mira.server import utterance as module
from mira.server.incoming import Incoming
from mira.server.state import Service
from mira.server.utterance import Delivery, Utterance
from mira.stream.cancel import Cancel
from mira.stream.clock import StreamClock
from mira.stream.playback import Playback
from mira.types import Block
from mira.words.said import Spoken
from tests.server.serving import ready_service, wait_until
from tests.toys import ANNA, ToySynthesizer

HELLO = "One two three four five six."
STORY = " ".join(f"Sentence {'abcdefghij'[n % 10] * 3} goes on and on and on." for n in range(60))
PCM = Delivery("pcm", 24000)


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(main(), 30)

    asyncio.run(bounded())


async def hear(utterance: Utterance) -> bytes:
    async with utterance.speaking() as chunks:
        return b"".join([chunk.data async for chunk in chunks])


def check_nothing_is_left(service: Service, toy: ToySynthesizer) -> None:
    """Neither a place nor a thread nor a generator."""
    assert (service.admission.active, toy.opened) == (0, toy.closed)
    wait_until(lambda: "mira-ahead" not in {thread.name for thread in threading.enumerate()}, 1)


def test_words_come_in_and_chunks_go_out() -> None:
    """What is complete is spoken while the rest is not even written."""
    toy = ToySynthesizer()
    service = ready_service(toy)

    async def main() -> None:
        cancel = Cancel()
        words = Incoming(cancel, 1000)
        utterance = Utterance(service, words, ANNA, PCM, cancel=cancel)
        async with utterance.speaking() as chunks:
            for word in ["Hello", "there,", "how", "are", "you?", "I", ""]:
                words.push(word + " ")
            heard = [await anext(chunks)]
            while len(b"".join(chunk.data for chunk in heard)) < 2 * len(
                toy.tone("Hello there, how are you?", ANNA)
            ):
                heard.append(await anext(chunks))
            assert utterance._playback.waits_for_text
            await asyncio.sleep(1)  # nobody writes
            words.push("am well.")
            words.end()
            heard += [chunk async for chunk in chunks]
        samples = from_s16le(b"".join(chunk.data for chunk in heard))
        assert np.abs(samples[:1000] - toy.whole("Hello there, how are you?")[:1000]).max() < 1e-4
        assert len(samples) > len(toy.whole("Hello there, how are you? I am well.")) - 24000
        assert utterance.clock.underruns == 0, "it was the text that was late"
        assert utterance.clock.rtf is not None
        assert utterance.clock.rtf < 0.2

    run(main)
    check_nothing_is_left(service, toy)
    assert service.telemetry.cancelled == 0


@pytest.mark.parametrize("waits", ["for text", "for a chunk", "for the listener"])
@pytest.mark.parametrize("whence", ["the loop", "another thread"])
def test_cancelling_ends_it_in_the_middle(waits: str, whence: str) -> None:
    toy = ToySynthesizer(compute_s=0.01)
    service = ready_service(toy)

    async def main() -> None:
        cancel = Cancel()
        words = Incoming(cancel, 10_000)
        utterance = Utterance(service, words, ANNA, PCM, cancel=cancel)
        words.push(f"{HELLO} And then" if waits == "for text" else STORY)
        async with utterance.speaking() as chunks:
            await anext(chunks)
            began = time.perf_counter()
            if whence == "another thread":
                threading.Timer(0.2, cancel).start()
            else:
                asyncio.get_running_loop().call_later(0.2, cancel)
            async for _ in chunks:
                if waits == "for the listener":
                    await asyncio.sleep(20)
            raise AssertionError("it did not end as a text does")
        assert time.perf_counter() - began < 5

    run(main)
    check_nothing_is_left(service, toy)
    assert (service.telemetry.cancelled, dict(service.telemetry.failures)) == (1, {})


def test_the_end_of_what_is_cancelled_never_passes_for_that_of_the_text() -> None:
    async def main() -> None:
        utterance = Utterance(ready_service(ToySynthesizer()), STORY, ANNA, PCM)
        async with utterance.speaking() as chunks:
            await anext(chunks)
            utterance.cancel()
            async for _ in chunks:
                pass
            raise AssertionError("a polite end")

    run(main)


def test_one_that_was_cancelled_before_it_began_speaks_nothing() -> None:
    toy = ToySynthesizer()
    service = ready_service(toy)

    async def main() -> None:
        utterance = Utterance(service, HELLO, ANNA, PCM)
        utterance.cancel()
        assert await hear(utterance) is None

    run(main)
    assert toy.opened == 0
    check_nothing_is_left(service, toy)


def test_leaving_the_block_ends_it() -> None:
    """By an exception of the carrier's, or before the end."""
    toy = ToySynthesizer(compute_s=0.01)
    service = ready_service(toy)

    async def main() -> None:
        for how in ("raise", "break"):
            try:
                async with Utterance(service, STORY, ANNA, PCM).speaking() as chunks:
                    async for _ in chunks:
                        if how == "break":
                            break
                        raise ConnectionError("a broken socket")
            except ConnectionError:
                assert how == "raise"
            check_nothing_is_left(service, toy)

    run(main)
    assert dict(service.telemetry.failures) == {"ConnectionError": 1}


def test_a_failure_says_whether_it_can_still_have_a_status() -> None:
    for fail_at, begun in ((0, False), (3, True)):
        toy = ToySynthesizer(fail_at=fail_at)
        service = ready_service(toy)
        utterance = Utterance(service, HELLO, ANNA, PCM)

        async def main(utterance: Utterance = utterance) -> None:
            with pytest.raises(SynthesisFailed, match="toy is broken"):
                await hear(utterance)

        run(main)
        assert utterance.begun == begun
        assert dict(service.telemetry.failures) == ({"SynthesisFailed": 1} if begun else {})
        check_nothing_is_left(service, toy)


def test_a_block_that_never_comes_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LONGEST_ITEM_S", 0.3)
    computing, go_on = threading.Event(), threading.Event()

    def before_block(number: int) -> None:
        if number == 1:
            computing.set()
            go_on.wait(20)

    toy = ToySynthesizer(before_block=before_block)
    service = ready_service(toy)

    async def main() -> None:
        utterance = Utterance(service, HELLO, ANNA, PCM)
        async with utterance.speaking() as chunks:
            await anext(chunks)
            await asyncio.to_thread(computing.wait, 20)
            utterance.cancel()
            await asyncio.sleep(20)

    began = time.perf_counter()
    run(main)
    assert time.perf_counter() - began < 5
    assert service.admission.active == 0
    assert "left alone" in caplog.text
    go_on.set()
    toy.wait_closed()


def test_who_waits_too_long_for_a_first_word_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If it waits for those before it; a machine that is only slow is waited for."""
    monkeypatch.setattr(module, "FIRST_AUDIO_S", 0.3)
    go_on = threading.Event()
    toy = ToySynthesizer(before_block=lambda number: go_on.wait(20))
    service = ready_service(toy)

    async def main() -> None:
        first = asyncio.ensure_future(hear(Utterance(service, HELLO, ANNA, PCM)))
        await asyncio.sleep(1)
        assert not first.done()
        late = asyncio.ensure_future(hear(Utterance(service, HELLO, ANNA, PCM)))
        await asyncio.sleep(0.4)
        go_on.set()  # one block that nothing wakes
        with pytest.raises(Overloaded) as caught:
            await late
        assert caught.value.retry_after_s >= 1
        assert await first

    run(main)
    check_nothing_is_left(service, toy)


def test_an_engine_that_hangs_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_AUDIO_S", 0.1)
    monkeypatch.setattr(module, "LONGEST_WAIT_S", 0.5)
    monkeypatch.setattr(module, "LONGEST_ITEM_S", 0.1)
    go_on = threading.Event()
    toy = ToySynthesizer(before_block=lambda number: number == 0 or go_on.wait(20))
    service = ready_service(toy)

    async def main() -> None:
        with pytest.raises(SynthesisFailed, match="No audio came"):
            await hear(Utterance(service, HELLO, ANNA, PCM))

    run(main)
    assert dict(service.telemetry.failures) == {"SynthesisFailed": 1}
    go_on.set()
    toy.wait_closed()


def test_words_that_come_late_do_not_make_a_first_word_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FIRST_AUDIO_S", 0.3)
    monkeypatch.setattr(module, "LONGEST_WAIT_S", 0.6)
    service = ready_service(ToySynthesizer())

    async def main() -> None:
        other = StreamClock()
        await service.admission.enter(other, CancelScope())
        cancel = Cancel()
        words = Incoming(cancel, 1000)
        hearing = asyncio.ensure_future(hear(Utterance(service, words, ANNA, PCM, cancel=cancel)))
        await asyncio.sleep(1)
        words.push(HELLO)
        words.end()
        assert await hearing

    run(main)


async def write(words: Incoming, draw: random.Random) -> None:
    for word in STORY.split()[: draw.randint(5, 60)]:
        words.push(word + " ")
        await asyncio.sleep(draw.choice([0, 0, 0.02]))
    words.end()


async def listen(utterance: Utterance, draw: random.Random) -> str:
    leaves = draw.random() < 0.2
    async with utterance.speaking() as chunks:
        async for _ in chunks:
            await asyncio.sleep(draw.choice([0, 0, 0.05]))
            if leaves and draw.random() < 0.5:
                return "left"
        return "whole"
    return "cancelled"


def interrupt(listening: asyncio.Future[str], cancel: Cancel, draw: random.Random) -> None:
    """In no way, in one, or in two ways at once."""
    after_s = draw.random()
    for way in draw.sample(["loop", "thread", "task"], draw.choice([0, 0, 1, 2])):
        if way == "thread":
            threading.Timer(after_s, cancel).start()
        else:
            end = cancel if way == "loop" else listening.cancel
            asyncio.get_running_loop().call_later(after_s, end)


def test_a_storm_leaves_nothing_behind() -> None:
    """Ended at any moment: in the queue, or while it waits for text, a turn or its listener."""
    draw = random.Random(5)

    def before_block(number: int) -> None:
        if draw.random() < 0.03:
            raise SynthesisFailed("now and then")

    toy = ToySynthesizer(compute_s=0.002, at_once=2, before_block=before_block)
    service = ready_service(toy, max_streams=20, queue_s=0.3, lead_s=0.1)
    ended = Counter[str]()

    async def one() -> None:
        await asyncio.sleep(draw.random())
        cancel = Cancel()
        words = Incoming(cancel, 10_000)
        utterance = Utterance(service, words, ANNA, PCM, cancel=cancel)
        listening = asyncio.ensure_future(listen(utterance, draw))
        interrupt(listening, cancel, draw)
        writing = asyncio.ensure_future(write(words, draw))
        try:
            ended[await listening] += 1
        except (Overloaded, SynthesisFailed, asyncio.CancelledError) as error:
            ended[type(error).__name__] += 1
        await writing

    async def main() -> None:
        await asyncio.gather(*(one() for _ in range(120)))
        await service.admission.idle()

    run(main)
    assert {*ended} >= {"whole", "left", "cancelled", "CancelledError", "SynthesisFailed"}
    check_nothing_is_left(service, toy)
    assert (toy._turns._free, toy._turns._waiting) == (2, [])


@pytest.mark.parametrize("pace", [0.5, 1.0, 4.0])
def test_pace_reaches_the_books(pace: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """At pace 4 what was made lasts a quarter as long: for turns, for the lead and for capacity."""
    books: list[Playback] = []
    blocks = Engine.blocks

    def spy(engine: Engine, text, voice, sampling, playback, *rest):  # type: ignore[no-untyped-def]
        books.append(playback)
        return blocks(engine, text, voice, sampling, playback, *rest)

    monkeypatch.setattr(Engine, "blocks", spy)
    toy = ToySynthesizer(s_per_char=0.1)
    service = ready_service(toy, lead_s=2)

    async def main() -> None:
        utterance = Utterance(service, STORY, ANNA, Delivery("pcm", 24000, pace))
        async with utterance.speaking() as chunks:
            first = await anext(chunks)
            await asyncio.to_thread(toy.wait_idle)
            in_lead_s = (toy.audio_s / pace) - first.audio_s
            (playback,) = books
            left_s = playback.left_s()
            assert left_s is not None
            assert utterance.clock.left_s is not None
            waited_s = time.perf_counter() - playback.began_at
            assert toy.audio_s / pace - left_s == pytest.approx(waited_s, abs=0.3)
            assert 1.0 < in_lead_s < 3.5

    run(main)


# Words and their times

WORDY = Delivery("pcm", 24000, words=True)


def test_it_can_say_how_much_of_a_text_in_parts_was_spoken() -> None:
    """At any time: of all that was handed over, or of what the listener says that it played."""
    toy = ToySynthesizer()
    service = ready_service(toy)

    async def main() -> None:
        cancel = Cancel()
        words = Incoming(cancel, 1000)
        utterance = Utterance(service, words, ANNA, WORDY, cancel=cancel)
        assert utterance.spoken() == Spoken(0, "", 0.0)
        async with utterance.speaking() as chunks:
            for part in ("Hello, th", "ere. It costs $", "100. And", " more"):
                words.push(part)
            first = await anext(chunks)
            assert first.words
            while utterance.handed_s < len(toy.whole("Hello, there. It costs $100.")) / 24000:
                chunk = await anext(chunks)
                assert chunk.data
                assert chunk.until_s == utterance.handed_s
            await asyncio.sleep(0.1)  # nobody writes
            cancel()
            await asyncio.sleep(20)
        assert utterance.said
        assert utterance.said.text == "Hello, there. It costs $100. And more"
        spoken = utterance.spoken()
        assert spoken
        assert (spoken.chars, spoken.words) == (28, "costs $100.")
        assert utterance.spoken(0.2) == Spoken(6, "Hello,", 0.2)

    run(main)
    check_nothing_is_left(service, toy)


def test_who_does_not_ask_for_words_gets_none() -> None:
    async def main() -> None:
        utterance = Utterance(ready_service(ToySynthesizer()), HELLO, ANNA, PCM)
        async with utterance.speaking() as chunks:
            assert not any([chunk.words async for chunk in chunks])
        assert (utterance.said, utterance.spoken()) == (None, None)

    run(main)


class Corrects(ToySynthesizer):
    """Tells a sentence's words a second time, in a block of no samples."""

    def synthesize(self, *arguments):  # type: ignore[no-untyped-def]
        words = []
        for block in super().synthesize(*arguments):
            words += block.words
            yield block
        yield Block(block.samples[:0], tuple(word.later(0.01) for word in words))


@pytest.mark.parametrize("format", ["pcm", "aac"])
def test_words_never_begin_a_stream_nor_count_as_its_audio(format: str) -> None:
    """AAC holds its first blocks back: the words wait for its first bytes."""
    service = ready_service(Corrects(block_s=0.02))

    async def main() -> None:
        delivery = Delivery(format, 24000, words=True)
        utterance = Utterance(service, f"{HELLO} {HELLO}", ANNA, delivery)
        made = 0
        async with utterance.speaking() as chunks:
            async for chunk in chunks:
                made += bool(chunk.data)
                assert chunk.data or (chunk.words and made)
                assert chunk.data or not (chunk.audio_s or chunk.synthesis_s or chunk.encode_s)
                assert utterance.clock.chunks == made
        assert utterance.clock.audio_s == pytest.approx(
            len(ToySynthesizer().whole(f"{HELLO} {HELLO}")) / 24000
        )

    run(main)


def test_a_word_that_is_corrected_before_it_leaves_comes_once() -> None:
    """AAC holds all of so short a sentence back."""

    async def main() -> None:
        delivery = Delivery("aac", 24000, words=True)
        service = ready_service(Corrects(block_s=0.02, s_per_char=0.005))
        utterance = Utterance(service, "Hi, you.", ANNA, delivery)
        async with utterance.speaking() as chunks:
            words = [word async for chunk in chunks for word in chunk.words]
        assert utterance.said
        assert tuple(words) == utterance.said.words

    run(main)


def test_a_listener_who_does_not_take_words_alone_is_cut_off() -> None:
    """As one who takes no audio is, counted from when they were ready."""
    service = ready_service(Corrects(s_per_char=0.005), stall_timeout_s=0.3)

    async def main() -> None:
        cancel = Cancel()
        text = Incoming(cancel, 1000)
        utterance = Utterance(service, text, ANNA, WORDY, cancel=cancel)
        text.push(f"{HELLO} Then")
        began = time.perf_counter()
        with pytest.raises(TimeoutError):
            async with utterance.speaking() as chunks:
                async for chunk in chunks:
                    if not chunk.data:
                        began = time.perf_counter()
                        await asyncio.sleep(20)
        assert 0.2 < time.perf_counter() - began < 10

    run(main)
    assert dict(service.telemetry.failures) == {"TimeoutError": 1}


def test_the_log_says_how_far_it_came_and_not_a_word(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    async def main(toy: ToySynthesizer) -> None:
        utterance = Utterance(ready_service(toy), HELLO, ANNA, WORDY)
        async with utterance.speaking() as chunks:
            async for _ in chunks:
                if utterance.handed_s >= 0.6 and not toy.fail_at:
                    utterance.cancel()
                    await asyncio.sleep(20)

    with pytest.raises(SynthesisFailed):
        run(lambda: main(ToySynthesizer(fail_at=6)))
    run(lambda: main(ToySynthesizer()))
    said = [record.getMessage() for record in caplog.records if record.name.startswith("mira.")]
    assert said == [
        "stream broken after 0.60 s of audio, at character 13: The toy is broken.",
        "stream interrupted after 0.60 s of audio, at character 13",
    ]
