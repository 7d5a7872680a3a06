"""Agents of Pipecat on the phone: 8 kHz, mu-law as Twilio has it, and a service that wants keys."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mira.builtin.synthesizer import BuiltinSynthesizer
from tests.clients.conftest import Run
from tests.clients.hearing import AGAIN, FIRST, TURNS, check_heard, check_words, samples_of
from tests.clients.snippets import pointed_at, read_snippets
from tests.recogniser import Recogniser
from tests.server.serving import Served, serving, speaking

PROGRAM = Path(__file__).parent / "speak_pipecat.py"
KEY, WRONG = "a-key-that-the-phone-has", "a-key-that-nobody-has"
SAMPLE_RATE = 8000
SERVICES = [name for name in read_snippets() if name.startswith("Pipecat: ")]
OF_PHONES = [name for name in SERVICES if name != "Pipecat: OpenAI"]  # it has 24 kHz alone
TIMED = [
    "Pipecat: ElevenLabs",
    "Pipecat: ElevenLabs v3",
    "Pipecat: ElevenLabs over HTTP",
    "Pipecat: Cartesia",
]
"""Those that learn when each word is heard."""


@pytest.fixture(scope="module")
def locked(builtin: BuiltinSynthesizer) -> Iterator[Served]:
    with serving(*speaking(builtin, api_keys=f"phone={KEY}")) as served:
        yield served


@pytest.fixture(scope="module")
def speak(locked: Served, run_client: Run) -> Any:
    """Has all services speak: speak(key) returns what the program prints."""

    def run(key: str) -> object:
        snippets = read_snippets()
        asked = {
            "clients": {name: pointed_at(snippets[name], locked.port, key) for name in SERVICES},
            "turns": TURNS,
            "sample_rate": SAMPLE_RATE,
            "phone": True,
        }
        return run_client(PROGRAM.read_text("utf-8"), json.dumps(asked))

    return run


@pytest.fixture(scope="module")
def found(speak: Any) -> Any:
    return speak(KEY)


@pytest.fixture(scope="module")
def refused(speak: Any) -> Any:
    return speak(WRONG)


@pytest.mark.slow
@pytest.mark.parametrize("service", OF_PHONES)
def test_a_caller_hears_it_interrupts_it_and_hears_it_again(
    service: str, found: Any, ears: Recogniser
) -> None:
    its = found[service]
    assert not its["errors"] and its["late_s"] == 0
    for turn, text in (("first", FIRST), ("again", AGAIN)):
        samples = samples_of(its[turn], SAMPLE_RATE, "ulaw")
        check_heard(ears, samples, SAMPLE_RATE, text)
        if service in TIMED:
            # From the first word on: where Pipecat's clock was then is not known exactly.
            first_s = its[turn]["words"][0][1]
            words = [(word, start_s - first_s) for word, start_s in its[turn]["words"]]
            check_words(words, samples, SAMPLE_RATE, text)
        # Pipecat waits three seconds for more unless it is told that there is none.
        assert its[turn]["end_s"] < 1


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
def test_a_wrong_key_is_told(service: str, refused: Any) -> None:
    assert not refused[service].get("first")
    told = refused[service]["errors"][0]
    # Of a handshake Pipecat tells the status, and Deepgram's reason; of a request all that is said.
    assert "HTTP 401" in told or "an API key that it knows" in told
    assert WRONG not in told
