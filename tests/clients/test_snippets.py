"""docs/agents.md is a test: each client that it shows speaks, is interrupted and speaks again.

A program for each kind of client reads {"clients": {heading: its lines}, "turns": [first,
interrupted, again], "sample_rate": Hz}, and prints {heading: {"first", "interrupted", "again":
{"audio": 16 bits in base64, "words": [[word, seconds from the turn's first sample], …]}, and where
the client can tell "late_s": heard after the interruption, and "errors": […]}}.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Run
from tests.clients.hearing import AGAIN, FIRST, TURNS, check_heard, samples_of
from tests.clients.snippets import ROOT, pointed_at, read_snippets
from tests.recogniser import Recogniser
from tests.server.serving import Served
from tools.service import blocks

SAMPLE_RATE = 24000
NAMES = ("first", "interrupted", "again")

SDKS, PIPECAT, LIVEKIT = "speak_sdks.py", "speak_pipecat.py", "speak_livekit.py"
PROGRAMS = {
    "OpenAI SDK": SDKS,
    "ElevenLabs SDK": SDKS,
    "Cartesia SDK": SDKS,
    "Deepgram SDK": SDKS,
    "Pipecat: OpenAI": PIPECAT,
    "Pipecat: ElevenLabs": PIPECAT,
    "Pipecat: ElevenLabs over HTTP": PIPECAT,
    "Pipecat: ElevenLabs v3": PIPECAT,
    "Pipecat: Cartesia": PIPECAT,
    "Pipecat: Cartesia over HTTP": PIPECAT,
    "Pipecat: Deepgram": PIPECAT,
    "Pipecat: Deepgram over HTTP": PIPECAT,
    "Pipecat: Deepgram Flux": PIPECAT,
    "LiveKit: OpenAI": LIVEKIT,
    "LiveKit: ElevenLabs": LIVEKIT,
    "LiveKit: Cartesia": LIVEKIT,
    "LiveKit: Deepgram": LIVEKIT,
    "LiveKit: Deepgram Flux": LIVEKIT,
}
"""What is shown on the page -> what has it speak."""


def test_every_snippet_is_tested() -> None:
    assert list(read_snippets()) == list(PROGRAMS)


def test_those_of_the_readme_are_among_them() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert {*blocks(readme, "py")} < {*read_snippets().values()}


@pytest.fixture(scope="module")
def speak(speaker: Served, run_client: Run) -> Any:
    """Has all clients of a program speak: speak(program) returns what it prints."""

    @cache
    def run(program: str) -> object:
        snippets = read_snippets()
        clients = [name for name, its in PROGRAMS.items() if its == program]
        asked = {
            "clients": {name: pointed_at(snippets[name], speaker.port) for name in clients},
            "turns": TURNS,
            "sample_rate": SAMPLE_RATE,
        }
        code = (Path(__file__).parent / program).read_text("utf-8")
        return run_client(code, json.dumps(asked))

    return run


@pytest.mark.slow
@pytest.mark.parametrize("client", PROGRAMS)
def test_it_speaks_is_interrupted_and_speaks_again(
    client: str, speak: Any, speaker: Served, ears: Recogniser
) -> None:
    found = speak(PROGRAMS[client])[client]
    assert not found.get("errors")
    first, beginning, again = (samples_of(found[turn], SAMPLE_RATE) for turn in NAMES)
    check_heard(ears, first, SAMPLE_RATE, FIRST)
    assert len(beginning) > 0.5 * SAMPLE_RATE
    assert found.get("late_s", 0) == 0
    check_heard(ears, again, SAMPLE_RATE, AGAIN)  # and nothing of the interrupted one
    speaker.wait_idle()
