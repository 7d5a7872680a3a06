"""LiveKit's plugins in sessions of its agents, as a caller hears them."""

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tests.clients.conftest import Run
from tests.clients.hearing import AGAIN, FIRST, TURNS, check_heard, check_words, samples_of
from tests.conftest import Serve
from tests.recogniser import Recogniser
from tests.server.serving import Served
from tests.toys import ToySynthesizer

pytestmark = pytest.mark.slow
KEY = "sixteen-characters-or-more"
PROGRAM = Path(__file__).parent / "speak_livekit_agents.py"
TIMED = ("elevenlabs", "elevenlabs in mp3", "elevenlabs by word", "elevenlabs v3", "cartesia")
"""Those that say when each word is heard."""
PLUGINS = ("openai", "openai in mp3", *TIMED, "deepgram", "flux")


@pytest.fixture(scope="module")
def found(speaker: Served, run_client: Run) -> Any:
    asked = {"url": speaker.url, "turns": TURNS}
    return run_client(PROGRAM.read_text("utf-8"), json.dumps(asked))


@pytest.mark.parametrize("plugin", PLUGINS)
def test_an_agent_speaks_is_interrupted_and_speaks_again(
    found: Any, ears: Recogniser, plugin: str
) -> None:
    its = found[plugin]
    rate = its["sample_rate"]
    assert its["errors"] == []
    check_heard(ears, samples_of(its["first"], rate), rate, FIRST)
    check_heard(ears, samples_of(its["again"], rate), rate, AGAIN)  # nothing of the interrupted one
    check_heard(ears, samples_of(its["synthesized"], rate), rate, FIRST)
    beginning = samples_of(its["interrupted"], rate)
    assert len(beginning) > 0.9 * rate and its["interrupted_s"] < 0.5


@pytest.mark.parametrize("plugin", TIMED)
def test_an_agent_knows_when_each_word_is_heard(found: Any, plugin: str) -> None:
    turn, rate = found[plugin]["first"], found[plugin]["sample_rate"]
    # Its decoder drops what MP3 puts before the first sample, which times count, as players do.
    delay_s = 0.05 if "mp3" in plugin else 0.0
    words = [(word, start_s - delay_s) for word, start_s in turn["words"]]
    check_words(words, samples_of(turn, rate), rate, FIRST)
    assert [word for word, _ in found[plugin]["interrupted"]["words"]][:3] == [
        "One",
        "two",
        "three",
    ]


LEFT = """
LONG = "One two three four five six seven eight nine ten. " * 12

async def abandon(tts):
    async with tts.stream() as stream:
        stream.push_text(LONG)
        stream.end_input()
        async for event in stream:
            break  # as a task that is cancelled leaves it
    await asyncio.sleep(1)
    async with tts.stream() as stream:
        stream.push_text("Yes.")
        stream.end_input()
        heard_s = sum([event.frame.duration async for event in stream])
    await tts.aclose()
    return heard_s

async def run(url):
    async with http_context.open():
        made = plugins(url, "unused", "heart")
        streaming = [tts for tts in made.values() if tts.capabilities.streaming]
        print(json.dumps(await asyncio.gather(*map(abandon, streaming))))

asyncio.run(run(sys.argv[1]))
"""


def test_little_is_made_for_nobody(speaker: Served, run_client: Run) -> None:
    """Most plugins say nothing when they are interrupted: the text would take 31 s to say."""
    before_s = speaker.service.telemetry.audio_s
    heard: Any = run_client(source() + LEFT, speaker.url)
    assert len(heard) == 7 and all(0.3 < heard_s < 1.5 for heard_s in heard)
    speaker.wait_idle()
    assert speaker.service.telemetry.audio_s - before_s < 7 * 8


REFUSED = """
from livekit.agents import APIConnectOptions, APIError

async def say(tts, streaming):
    once = APIConnectOptions(max_retry=0, timeout=5)
    began = time.monotonic()
    try:
        stream = tts.stream(conn_options=once) if streaming else None
        stream = stream or tts.synthesize("Hello there.", conn_options=once)
        async with stream:
            if streaming:
                stream.push_text("Hello there. ")
                stream.end_input()
            return sum([event.frame.duration async for event in stream])
    except APIError as error:
        took_s = time.monotonic() - began
        said = f"{error}, because of {error.__cause__}"
        return [getattr(error, "status_code", None), error.retryable, said, took_s]

async def run(url, key, voice):
    found = {}
    async with http_context.open():
        for name, tts in plugins(url, key, voice).items():
            found[name] = [await say(tts, False)]
            if tts.capabilities.streaming:
                found[name].append(await say(tts, True))
            await tts.aclose()
    print(json.dumps(found))

asyncio.run(run(*sys.argv[1:]))
"""


def source() -> str:
    return PROGRAM.read_text("utf-8").partition("\nif __name__")[0]


@pytest.fixture
def keyed(serve: Serve) -> Served:
    """Wants a key, and has nobody speak in a missing voice's place."""
    return serve(ToySynthesizer(), api_keys=KEY, strict_voices=True)


def test_a_plugin_sends_its_key_and_says_when_it_is_wrong(keyed: Served, run_client: Run) -> None:
    right: Any = run_client(source() + REFUSED, keyed.url, KEY, "anna")
    assert list(right) == list(PLUGINS)
    assert all(heard_s > 0.2 for its in right.values() for heard_s in its)
    wrong: Any = run_client(source() + REFUSED, keyed.url, f"{KEY}x", "anna")
    for status, again, _, took_s in (answer for its in wrong.values() for answer in its):
        assert (status, again) == (401, False) and took_s < 3


def test_a_plugin_says_that_there_is_no_such_voice(keyed: Served, run_client: Run) -> None:
    found: Any = run_client(source() + REFUSED, keyed.url, KEY, "nobody")
    for name, answers in found.items():
        for status, _, said, took_s in answers:
            assert status == 404 or "nobody" in said, (name, said)
            assert took_s < 3


CHANGED = """
async def said(tts):
    async with tts.synthesize("Hello there.") as stream:
        whole = b"".join([bytes(event.frame.data) async for event in stream])
    if not tts.capabilities.streaming:
        return [whole, whole]
    async with tts.stream() as stream:
        stream.push_text("Hello there. ")
        stream.end_input()
        return [whole, b"".join([bytes(event.frame.data) async for event in stream])]

async def change(tts):
    voice = next(name for name in ("voice_id", "voice", "model") if hasattr(tts._opts, name))
    before = await said(tts)
    tts.update_options(**{voice: "ben"})
    after = await said(tts)
    await tts.aclose()
    return [base64.b64encode(audio).decode() for audio in before + after]

async def run(url, key):
    async with http_context.open():
        found = {name: await change(tts) for name, tts in plugins(url, key, "anna").items()}
        voices = await plugins(url, key, "anna")["elevenlabs"].list_voices()
        print(json.dumps([found, [voice.id for voice in voices]]))

asyncio.run(run(*sys.argv[1:]))
"""


def test_a_plugin_may_change_its_voice(keyed: Served, run_client: Run) -> None:
    found, voices = cast(list[Any], run_client(source() + CHANGED, keyed.url, KEY))
    assert voices == ["anna", "ben"]
    for name, answers in found.items():
        pitches = [pitch_of(answer, 22050 if "mp3" in name else 24000) for answer in answers]
        before, after = pitches[0], pitches[-1]
        assert pitches == pytest.approx([before, before, after, after], abs=15), name
        assert abs(before - after) > 100


def pitch_of(audio: str, sample_rate: int) -> float:
    """The tone of a toy voice, in Hz."""
    samples = samples_of({"audio": audio}, sample_rate)
    strength = np.abs(np.fft.rfft(samples))
    return float(np.argmax(strength) * sample_rate / len(samples))
