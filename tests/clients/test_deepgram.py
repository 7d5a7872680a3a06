"""Deepgram's own SDK, unchanged but for its environment: it speaks, and a recogniser hears it."""

import base64
from typing import Any

import numpy as np

from tests.clients.conftest import Run
from tests.recogniser import Recogniser, word_errors
from tests.server.serving import Served

TEXT = "Hello there. Your table for two is booked at half past seven."
LONG = "Your table for two is booked for half past seven, and we look forward to it. " * 5

# Of kinds, because the SDK makes one class of Flushed and Cleared.
COMMON = """
import asyncio, base64, json, sys
from deepgram import AsyncDeepgramClient, DeepgramClient
from deepgram.environment import DeepgramClientEnvironment
url = sys.argv[1]
sockets = url.replace("http:", "ws:")
here = DeepgramClientEnvironment(base=url, production=sockets, agent=sockets, agent_rest=url)
client = DeepgramClient(api_key="secret", environment=here)
TEXT, LONG = "@", "#"
PCM = dict(encoding="linear16", sample_rate=24000)
def said(chunks):
    return base64.b64encode(b"".join(chunks)).decode()
def hear(socket, last):
    audio, kinds = [], []
    for message in socket:
        if isinstance(message, bytes):
            audio.append(message)
        else:
            kinds.append(message.type)
            if message.type == last:
                break
    return audio, kinds, message
def hear_some(socket, seconds):
    left = seconds * 48000
    for message in socket:
        left -= len(message) if isinstance(message, bytes) else 0
        if left < 0:
            return
""".replace("@", TEXT).replace("#", LONG)

HTTP = f"""{COMMON}
async def in_turns():
    other = AsyncDeepgramClient(api_key="secret", environment=here)
    how = dict(model="aura-2-thalia-en", container="none", **PCM)
    return [chunk async for chunk in other.speak.v1.audio.generate(text=TEXT, **how)]
try:
    [*client.speak.v1.audio.generate(text="...")]
except Exception as error:
    refused = [error.status_code, error.body["err_msg"]]
flux = dict(model="flux-alexis-en", container="none", **PCM)
print(json.dumps({{
    "mp3": said(client.speak.v1.audio.generate(text=TEXT)),
    "pcm": said(asyncio.run(in_turns())),
    "flux": said(client.speak.v2.audio.generate(text=TEXT, **flux)),
    "refused": refused,
}}))
"""

AURA = f"""{COMMON}
from deepgram.speak.v1.types import SpeakV1Text
with client.speak.v1.connect(model="aura-2-thalia-en", **PCM) as socket:
    for word in TEXT.split():
        socket.send_text(SpeakV1Text(text=word + " "))
    socket.send_flush()
    first, kinds, _ = hear(socket, "Flushed")
    socket.send_text(SpeakV1Text(text=LONG))
    socket.send_flush()
    hear_some(socket, 0.7)
    socket.send_clear()
    _, cleared, _ = hear(socket, "Cleared")
    for word in TEXT.split():
        socket.send_text(SpeakV1Text(text=word + " "))
    socket.send_flush()
    socket.send_close()
    again, more, _ = hear(socket, None)
print(json.dumps({{
    "first": said(first), "again": said(again), "kinds": kinds, "cleared": cleared, "more": more
}}))
"""

FLUX = f"""{COMMON}
from deepgram.speak.v2.types import (
    SpeakV2Interrupt, SpeakV2InterruptPlaybackOffset, SpeakV2Speak
)
with client.speak.v2.connect(model="flux-alexis-en", **PCM) as socket:
    for word in TEXT.split():
        socket.send_speak(SpeakV2Speak(text=word + " "))
    socket.send_flush()
    first, kinds, _ = hear(socket, "Flushed")
    played = round(len(b"".join(first)) / 48) + 600
    socket.send_speak(SpeakV2Speak(text=LONG))
    socket.send_flush()
    hear_some(socket, 0.7)
    offset = SpeakV2InterruptPlaybackOffset(value=played)
    socket.send_interrupt(SpeakV2Interrupt(playback_offset=offset))
    _, interrupted, told = hear(socket, "SpeechInterrupted")
    for word in TEXT.split():
        socket.send_speak(SpeakV2Speak(text=word + " "))
    socket.send_flush()
    socket.send_close()
    again, more, _ = hear(socket, None)
print(json.dumps({{
    "first": said(first), "again": said(again), "kinds": kinds, "more": more,
    "interrupted": interrupted, "spoken": told.text_spoken, "left": told.text_remaining,
    "played": [played, told.audio_played_ms],
}}))
"""


def check_heard(ears: Recogniser, audio: str) -> None:
    samples = np.frombuffer(base64.b64decode(audio), "<i2").astype(np.float32) / 32768
    words = ears.transcribe(samples, 24000)
    assert word_errors(TEXT, words)[0] == 0, words


def test_http(speaker: Served, run_client: Run, ears: Recogniser) -> None:
    found: Any = run_client(HTTP, speaker.url)
    check_heard(ears, found["pcm"])
    assert found["flux"] == found["pcm"]
    assert base64.b64decode(found["mp3"])[:1] == b"\xff"
    status, said = found["refused"]
    assert status == 400 and "nothing to say" in said


def test_aura_speaks_is_interrupted_and_speaks_again(
    speaker: Served, run_client: Run, ears: Recogniser
) -> None:
    found: Any = run_client(AURA, speaker.url)
    check_heard(ears, found["first"])
    assert found["again"] == found["first"]  # nothing of the interrupted one, nothing is missing
    assert found["kinds"] == ["Metadata", "Flushed"]
    assert (found["cleared"], found["more"]) == (["Cleared"], ["Flushed"])
    speaker.wait_idle()


def test_flux_speaks_is_interrupted_and_speaks_again(
    speaker: Served, run_client: Run, ears: Recogniser
) -> None:
    found: Any = run_client(FLUX, speaker.url)
    check_heard(ears, found["first"])
    assert found["again"] == found["first"]
    turn = ["SpeechStarted", "SpeechMetadata", "Flushed"]
    assert found["kinds"] == ["Connected", *turn]
    assert found["interrupted"] == ["SpeechInterrupted"]
    assert found["more"] == [*turn, "SessionMetadata"]
    assert found["played"][0] == found["played"][1]
    assert found["spoken"] + found["left"] == LONG
    assert 0 < len(found["spoken"].split()) < 5  # of 0.6 s
    speaker.wait_idle()
