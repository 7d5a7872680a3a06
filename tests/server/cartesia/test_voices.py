"""The life of a voice, as Cartesia's clients live it, and whose list is whose."""

from typing import Any

import httpx
import pytest

from tests.server.serving import Served
from tests.server.uploading import CONSENT
from tests.voices.bringing import CARLO, CORRUPT

VERSION = {"cartesia-version": "2026-08-14"}


def clone(served: Served, recording: bytes, **fields: str) -> httpx.Response:
    data = {"name": "carlo", "language": "en", **fields}
    return served.post("/voices/clone", data=data, files={"clip": ("clip.wav", recording)})


@pytest.mark.parametrize(
    "how", [{"headers": VERSION}, {"params": {"cartesia_version": "2025-04-16"}}]
)
def test_the_list_is_told_apart(shared: Served, how: dict[str, Any]) -> None:
    ours, theirs = shared.get("/voices").json(), shared.get("/voices", **how).json()
    assert "voices" in ours and "data" not in ours
    assert [voice["id"] for voice in theirs["data"]] == ["anna", "ben"]
    assert theirs["has_more"] is False


def test_pages_have_every_voice_once(shared: Served) -> None:
    def page(**params: str) -> tuple[list[str], bool]:
        found = shared.get("/voices", params={"limit": "1", **params}, headers=VERSION).json()
        return [voice["id"] for voice in found["data"]], found["has_more"]

    assert page() == (["anna"], True)
    assert page(starting_after="anna") == (["ben"], False)
    assert page(ending_before="ben") == (["anna"], False)
    assert page(q="EN") == (["ben"], False)


def test_the_whole_life_of_a_voice(cloning: Served) -> None:
    made = clone(cloning, CARLO.read_bytes(), consent=CONSENT)
    assert (made.status_code, made.json()["id"]) == (200, "carlo")
    assert made.json()["is_owner"] is True
    listed = cloning.get("/voices", headers=VERSION).json()["data"]
    assert [voice["id"] for voice in listed] == ["anna", "ben", "carlo"]
    shown = cloning.get("/voices/carlo", headers=VERSION).json()
    assert shown == made.json()
    with cloning.client(headers=VERSION) as client:
        assert client.delete("/voices/carlo").status_code == 204
        gone = client.delete("/voices/carlo")
    assert (gone.status_code, gone.json()["error_code"]) == (404, "voice_not_found")


def test_what_can_not_be_a_voice_is_refused(cloning: Served) -> None:
    failed = clone(cloning, CORRUPT.read_bytes(), consent=CONSENT)
    assert failed.status_code == 400 and failed.json()["message"]
    assert clone(cloning, CARLO.read_bytes()).status_code == 400  # nobody consented
    assert cloning.post("/voices/clone", json={}).status_code == 415
