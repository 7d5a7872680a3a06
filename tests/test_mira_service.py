"""A tiny Mira checkpoint behind the real service: whatever works with the built-in voice works."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from mira.audio.decode import decode_file
from mira.audio.pcm import from_s16le
from mira.cli.bench.client import speech_request
from mira.cli.bench.service import Service, running
from mira.settings import Settings
from mira.tts import MiraTTS
from mira.voices import VoiceStore
from tests.voices.bringing import ALLISON, CARLO, bring, settings_in
from tools.bench.voices import request, upload

TEXT = "Hello there. How are you today?"
FORMATS = ("pcm", "wav", "mp3", "opus", "aac", "flac", "ulaw", "alaw")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("voices")


@pytest.fixture(scope="module")
def service(mira_directory: Path, folder: Path) -> Iterator[Service]:
    settings = {
        "model": mira_directory,
        "lm_engine": "torch",
        "look_ahead_frames": 67,
        "voices_dir": folder,
    }
    flags = [f"--set={name}={value}" for name, value in settings.items()]
    with running(*flags) as service:
        yield service


def speak(service: Service, used: str = "heart", **fields: object) -> bytes:
    with closing(service.connect()) as connection:
        connection.request("POST", "/v1/audio/speech", *speech_request(TEXT, **fields))
        response = connection.getresponse()
        data = response.read()
        assert response.status == 200, data
        assert response.getheader("X-Voice-Used") == used
        return data


def test_a_seed_says_the_same_over_http_and_computed_whole(
    service: Service, mira_directory: Path
) -> None:
    """Chunks are as large as time allows, so the last bit of a sample may differ."""
    streamed, again = (speak(service, seed=5, sample_rate=48000) for _ in "ab")
    with MiraTTS(mira_directory, Settings(look_ahead_frames=67, lm_engine="torch")) as tts:
        tts.set_params(seed=5)
        whole = tts.generate(TEXT, tts.sample_voice)
    for heard in map(from_s16le, (streamed, again)):
        assert len(heard) == len(whole)
        assert np.abs(heard - whole).max() < 2e-4


@pytest.fixture(scope="module")
def whole_s(service: Service) -> float:
    """How long it takes to say the text."""
    return len(speak(service, seed=5)) / 48000


@pytest.mark.parametrize("name", FORMATS)
def test_every_format(service: Service, whole_s: float, name: str) -> None:
    data = speak(service, seed=5, response_format=name)
    raw = {"pcm": "s16le", "ulaw": "mulaw", "alaw": "alaw"}.get(name)
    rate = "24000" if name == "pcm" else "8000"
    options = {"sample_rate": rate, "ch_layout": "mono"} if raw else {}
    with av.open(BytesIO(data), format=raw, options=options) as container:
        frames = list(container.decode(audio=0))
        seconds = sum(frame.samples for frame in frames) / frames[0].sample_rate
    assert seconds == pytest.approx(whole_s, abs=0.3)


def test_hanging_up_frees_the_stream(service: Service) -> None:
    with closing(service.connect()) as connection:
        body, headers = speech_request(TEXT * 50)
        connection.request("POST", "/v1/audio/speech", body, headers)
        connection.getresponse().read1(1024)
    deadline = time.monotonic() + 5
    while status(service)["active_streams"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert status(service)["active_streams"] == 0
    assert service.get("/stats")["cancelled"] >= 1


def test_recordings_speak_each_with_a_voice_of_its_own(service: Service, folder: Path) -> None:
    """Two people have other global tokens; one recording in three formats has nearly the same."""
    samples, rate = decode_file(ALLISON)
    others = {"carlo": CARLO.read_bytes()}
    for name, container, subtype in (("flac", "FLAC", "PCM_16"), ("opus", "OGG", "OPUS")):
        file = BytesIO()
        soundfile.write(file, samples, rate, format=container, subtype=subtype)
        others[name] = file.getvalue()
    bring(folder, ALLISON)
    for name, data in others.items():
        assert upload(service, name, data)
    request(service, "POST", "/voices/refresh")
    for name in ("allison", *others):
        assert speak(service, voice=name, used=name, seed=5)
    store = VoiceStore(settings_in(folder))
    store.refresh()

    def tokens(name: str) -> list[int]:
        (path,) = (folder / ".mira-cache").glob(f"{store.recorded[name].content}.*.tokens.json")
        found: list[int] = json.loads(path.read_text())["global_tokens"]
        return found

    def shared(name: str) -> int:
        return sum(ours == theirs for ours, theirs in zip(tokens("allison"), tokens(name)))

    assert len(tokens("allison")) == 32
    assert shared("flac") == 32
    assert shared("opus") >= 24
    assert shared("carlo") <= 8
    listed = json.loads(request(service, "GET", "/voices"))["voices"]
    assert all(voice["can_speak"] and voice["cached"] for voice in listed)


def status(service: Service) -> dict[str, object]:
    with closing(service.connect()) as connection:
        connection.request("GET", "/health")
        found: dict[str, object] = json.load(connection.getresponse())
        return found
