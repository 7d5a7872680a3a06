"""ElevenLabs' own SDK, unchanged but for its base URL: it speaks, and a recogniser hears it."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.clients.conftest import Run
from tests.clients.tls import in_tls
from tests.conftest import Serve
from tests.recogniser import Recogniser, word_errors
from tests.server.serving import Served
from tests.toys import ToySynthesizer
from tests.voices.bringing import CARLO

TEXT = "Hello there. Your table for two is booked at half past seven."

COMMON = """
import base64, json, sys
from elevenlabs import ElevenLabs, VoiceSettings
url, *more = sys.argv[1:]
client = ElevenLabs(base_url=url, api_key="secret")
tts = client.text_to_speech
TEXT = "@"
def said(chunks):
    return base64.b64encode(b"".join(chunks)).decode()
""".replace("@", TEXT)

HTTP = f"""{COMMON}
pcm = dict(voice_id="heart", text=TEXT, output_format="pcm_24000")
settings = VoiceSettings(
    stability=0.5, similarity_boost=0.7, style=0.0, use_speaker_boost=True, speed=1.2
)
full = dict(
    model_id="eleven_flash_v2_5", language_code="en", voice_settings=settings, seed=7,
    previous_text="Before.", next_text="After.", apply_text_normalization="auto",
)
one = tts.convert_with_timestamps(**pcm)
lines = list(tts.stream_with_timestamps(**pcm))
print(json.dumps({{
    "convert": said(tts.convert(**pcm)),
    "stream": said(tts.stream(**pcm)),
    "fast": said(tts.stream(**pcm, **full)),
    "mp3": said(tts.convert(voice_id="heart", text=TEXT)),
    "one": one.audio_base_64,
    "characters": one.alignment.characters,
    "ends": one.normalized_alignment.character_end_times_seconds,
    "lines": said(base64.b64decode(line.audio_base_64) for line in lines),
    "told": [c for line in lines if line.alignment for c in line.alignment.characters],
}}))
"""

LISTS = f"""{COMMON}
voices = client.voices
labels = {{"consent": "Anna Smith agreed on 2 May.", "accent": "Italian"}}
made = voices.ivc.create(name="carlo", files=[open(more[0], "rb")], labels=labels)
found = [v.voice_id for v in voices.get_all().voices]
page = voices.search(page_size=2)
one = voices.get(voice_id="carlo")
gone = voices.delete(voice_id="carlo")
try:
    voices.get(voice_id="carlo")
except Exception as error:
    missing = [error.status_code, error.body["detail"]["status"]]
print(json.dumps({{
    "made": made.voice_id, "all": found, "page": [v.voice_id for v in page.voices],
    "more": page.has_more, "total": page.total_count, "one": one.category, "gone": gone.status,
    "missing": missing, "models": [m.model_id for m in client.models.list()],
    "left": client.user.get().subscription.character_limit,
}}))
"""

REALTIME = f"""{COMMON}
if more:
    tts._ws_base_url = more[0]
def written():
    for word in TEXT.split():
        yield word + " "
def speak(voice_id):
    return tts.convert_realtime(
        voice_id=voice_id, text=written(), model_id="eleven_flash_v2_5", output_format="pcm_24000"
    )
first = said(speak("heart"))
interrupted = speak("heart")
next(interrupted)
interrupted.close()
try:
    list(tts.convert_realtime(voice_id="heart", text=iter(["x" * 9000]), output_format="pcm_24000"))
except Exception as error:
    refused = [error.status_code, error.body["error"]]
print(json.dumps({{"first": first, "again": said(speak("heart")), "refused": refused}}))
"""


def heard(ears: Recogniser, audio: str) -> tuple[str, float]:
    """What is said in raw samples at 24 kHz, and how long that takes."""
    samples = np.frombuffer(base64.b64decode(audio), "<i2").astype(np.float32) / 32768
    return ears.transcribe(samples, 24000), len(samples) / 24000


def check_heard(ears: Recogniser, audio: str) -> None:
    words, _ = heard(ears, audio)
    assert word_errors(TEXT, words)[0] == 0, words


def test_http(speaker: Served, run_client: Run, ears: Recogniser) -> None:
    found: Any = run_client(HTTP, speaker.url)
    check_heard(ears, found["convert"])
    assert found["convert"] == found["stream"] == found["one"] == found["lines"]
    assert "".join(found["characters"]) == "".join(found["told"]) == TEXT
    _, duration_s = heard(ears, found["convert"])
    assert found["ends"][-1] == pytest.approx(duration_s, abs=0.001)
    assert heard(ears, found["fast"])[1] == pytest.approx(duration_s / 1.2, rel=0.1)
    assert len(base64.b64decode(found["mp3"])) * 8 / duration_s == pytest.approx(128e3, rel=0.1)


def test_voices_models_and_the_user(serve: Serve, run_client: Run, tmp_path: Path) -> None:
    served = serve(ToySynthesizer(fingerprint="c0ffee"), voices_dir=tmp_path / "voices")
    found: Any = run_client(LISTS, served.url, str(CARLO))
    assert found["made"] == "carlo" and found["all"] == ["anna", "ben", "carlo"]
    assert (found["page"], found["more"], found["total"]) == (["anna", "ben"], True, 3)
    assert (found["one"], found["gone"]) == ("cloned", "ok")
    assert found["missing"] == [404, "voice_not_found"]
    assert "eleven_flash_v2_5" in found["models"] and found["left"] > 10**6


def check_realtime(served: Served, ears: Recogniser, found: Any) -> None:
    check_heard(ears, found["first"])
    assert found["again"] == found["first"]  # nothing of the interrupted one, nothing is missing
    assert found["refused"] == [1008, "string_above_max_length"]
    served.wait_idle()


def test_realtime(speaker: Served, run_client: Run, ears: Recogniser) -> None:
    """Its address is one that the SDK keeps for itself: it makes wss: of whatever it is given."""
    found = run_client(REALTIME, speaker.url, speaker.url.replace("http:", "ws:"))
    check_realtime(speaker, ears, found)


def test_realtime_over_tls(
    speaker: Served, run_client: Run, ears: Recogniser, tmp_path: Path
) -> None:
    with in_tls(speaker.port, tmp_path) as (port, certificate):
        url, trusted = f"https://localhost:{port}", str(certificate)
        check_realtime(speaker, ears, run_client(REALTIME, url, SSL_CERT_FILE=trusted))
