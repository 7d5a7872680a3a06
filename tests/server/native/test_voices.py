"""Mira's own view of the voices."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mira.voices import VoiceStore
from tests.server.conftest import Start
from tests.server.serving import Served, wait_until
from tests.server.uploading import speak
from tests.voices.bringing import ALLISON, CARLO, CORRUPT, bring

OWN = {"id", "name", "format", "can_speak", "cached", "usage_count"}
RECORDED = OWN | {"version", "created_at", "transcript", "consent", "quality"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/voices"), ("GET", "/voices/refresh"), ("POST", "/voices/refresh")],
)
def test_the_listing(cloning: Served, tmp_path: Path, method: str, path: str) -> None:
    bring(tmp_path / "voices", ALLISON, CORRUPT)
    cloning.post("/voices/refresh")
    with cloning.client() as client:
        answer = client.request(method, path)
    assert answer.status_code == 200
    found = answer.json()
    assert set(found) == {"total", "default_voice", "voices", "unusable", "aliases", "looking"}
    assert answer.headers["content-type"] == "application/json"
    assert (found["total"], found["default_voice"]) == (3, "anna")
    assert [voice["name"] for voice in found["voices"]] == ["anna", "ben", "allison"]
    assert [set(voice) for voice in found["voices"]] == [OWN, OWN, RECORDED]
    assert list(found["unusable"]) == ["corrupt.wav"]
    assert set(found["aliases"].values()) == {"anna"}


def test_a_listing_is_made_beside_the_loop(
    cloning: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streams go on meanwhile, and one list is made at a time."""
    listing, go_on = threading.Event(), threading.Event()
    asked = 0

    def slow(store: VoiceStore) -> dict[str, str]:
        nonlocal asked
        asked += 1
        listing.set()
        go_on.wait(20)
        return {}

    monkeypatch.setattr(VoiceStore, "unusable", property(slow))
    with ThreadPoolExecutor(4) as pool:
        lists = [pool.submit(cloning.get, "/voices") for _ in range(4)]
        assert listing.wait(20)
        try:
            assert speak(cloning, "ben").status_code == 200
            assert asked == 1
        finally:
            go_on.set()
        assert {answer.result().status_code for answer in lists} == {200}


def test_uses_are_counted(cloning: Served) -> None:
    for voice in ("ben", "ben", "zoe"):
        speak(cloning, voice)
    uses = {voice["id"]: voice["usage_count"] for voice in cloning.get("/voices").json()["voices"]}
    assert uses == {"anna": 1, "ben": 2}
    assert cloning.get("/voices/ben").json()["usage_count"] == 2


@pytest.mark.parametrize("name", ["zoe", "Anna", "..%2Fanna", "%00", "%F0%9F%8E%89", "%ED%A0%80"])
@pytest.mark.parametrize("root", ["/voices", "/v1/audio/voices"])
def test_an_unknown_voice_is_a_404(cloning: Served, root: str, name: str) -> None:
    with cloning.client() as client:
        for method in ("GET", "DELETE"):
            answer = client.request(method, f"{root}/{name}")
            if answer.status_code != 405:
                assert answer.status_code == 404
                assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_it_is_said_to_be_the_voice(cloning: Served) -> None:
    error = cloning.get("/voices/zoe").json()["error"]
    assert (error["param"], error["code"]) == ("voice", "voice_not_found")
    assert "'zoe'" in error["message"]


def test_a_dropped_file_is_noticed(start: Start, tmp_path: Path) -> None:
    """Sooner than by the look every ten seconds."""
    bring(tmp_path / "voices", ALLISON)
    served = start()
    wait_until(lambda: not served.get("/voices").json()["looking"])
    for recording in (CARLO, CORRUPT):
        bring(tmp_path / "voices", recording)
        stem = recording.stem
        wait_until(lambda name=stem: name in served.get("/voices").text, 8.0)
    (tmp_path / "voices" / "carlo.ogg").unlink()
    wait_until(lambda: '"carlo"' not in served.get("/voices").text, 8.0)
