"""Recordings that a service of its own is given, and what it says with them."""

from pathlib import Path

import httpx

from tests.server.serving import Served
from tests.voices.bringing import CARLO

CONSENT = "Anna Smith agreed on 2 May."


def upload(served: Served, recording: Path = CARLO, **fields: str) -> httpx.Response:
    """Make a voice, `anna2` unless it is given a `name`."""
    data = {"name": "anna2", "consent": CONSENT, **fields}
    return served.post(
        "/v1/audio/voices",
        data={key: value for key, value in data.items() if value},
        files={"audio_sample": (recording.name, recording.read_bytes())},
    )


def speak(served: Served, voice: str, text: str = "Hi.") -> httpx.Response:
    """Have something said."""
    return served.post("/v1/audio/speech-stream", json={"input": text, "voice": voice})
