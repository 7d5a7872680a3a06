"""The life of a voice, as ElevenLabs' clients live it."""

import json

import pytest

from tests.server.conftest import Start
from tests.server.serving import Served
from tests.server.uploading import CONSENT
from tests.toys import ToySynthesizer
from tests.voices.bringing import CARLO, CORRUPT


def add(served: Served, *recordings: bytes, **fields: str) -> tuple[int, dict[str, object]]:
    files = [("files", ("clip.wav", data)) for data in recordings]
    data = {"name": "carlo", "labels": json.dumps(fields or None)}
    answer = served.post("/v1/voices/add", data=data, files=files)
    return answer.status_code, answer.json()


def test_the_whole_life_of_a_voice(cloning: Served) -> None:
    status, made = add(cloning, CARLO.read_bytes(), consent=CONSENT)
    assert (status, made) == (200, {"voice_id": "carlo", "requires_verification": False})
    listed = cloning.get("/v1/voices").json()["voices"]
    assert {voice["voice_id"]: voice["category"] for voice in listed} == {
        "anna": "premade",
        "ben": "premade",
        "carlo": "cloned",
    }
    assert all(voice["name"] == voice["voice_id"] for voice in listed)
    assert cloning.get("/v1/voices/carlo").json() == listed[-1]
    assert cloning.post("/v1/text-to-speech/carlo", json={"text": "Hi."}).status_code == 200
    with cloning.client() as client:
        assert client.delete("/v1/voices/carlo").json() == {"status": "ok"}
        gone = client.delete("/v1/voices/carlo")
    assert (gone.status_code, gone.json()["detail"]["status"]) == (404, "voice_not_found")
    assert cloning.get("/v1/voices/carlo").status_code == 404


def test_who_consented_and_what_was_said_are_labels(cloning: Served) -> None:
    status, failed = add(cloning, CARLO.read_bytes())
    assert status == 400 and "consent" in str(failed)
    add(cloning, CARLO.read_bytes(), consent=CONSENT, transcript="Ciao.", accent="Italian")
    shown = cloning.get("/voices/carlo").json()
    assert (shown["consent"], shown["transcript"]) == (True, True)


@pytest.mark.parametrize("labels", ["", "null", "[]", "{", '{"consent": 1}', "[" * 3000])
def test_labels_that_say_nothing_are_ignored(start: Start, labels: str) -> None:
    served = start(require_consent=False)
    files = {"files": ("clip.ogg", CARLO.read_bytes())}
    made = served.post("/v1/voices/add", data={"name": "carlo", "labels": labels}, files=files)
    assert made.json()["voice_id"] == "carlo"


def test_pages_have_every_voice_once(shared: Served) -> None:
    found, token = list[str](), ""
    while True:
        params = {"page_size": "1", "next_page_token": token}
        page = shared.get("/v2/voices", params=params).json()
        assert page["total_count"] == 2
        found += [voice["voice_id"] for voice in page["voices"]]
        if not page["has_more"]:
            break
        token = page["next_page_token"]
    assert page["next_page_token"] is None
    assert found == ["anna", "ben"]
    searched = shared.get("/v2/voices", params={"search": "EN"}).json()
    assert [voice["voice_id"] for voice in searched["voices"]] == ["ben"]


def test_what_can_not_be_a_voice_is_refused(cloning: Served) -> None:
    status, failed = add(cloning, CORRUPT.read_bytes(), consent=CONSENT)
    assert status == 400 and "files" not in cloning.get("/v1/voices").text
    assert set(failed["detail"]) == {"status", "message"}  # type: ignore[call-overload]
    for number in (2, 3, 25):
        status, failed = add(cloning, *[b"RIFF"] * number, consent=CONSENT)
        assert status == 400 and f"here are {number} recordings" in str(failed)
        assert set(failed["detail"]) == {"status", "message"}  # type: ignore[call-overload]
    assert add(cloning)[0] == 415
    assert cloning.post("/v1/voices/add", json={}).status_code == 415


def test_who_may_not_change_voices_is_told(start: Start) -> None:
    served = start(change_voices=False)
    status, failed = add(served, CARLO.read_bytes())
    assert status == 403 and failed["detail"]["status"] == "permission_error"  # type: ignore[index]
    with served.client() as client:
        assert client.delete("/v1/voices/anna").status_code == 403


def test_the_engines_own_voice_stays(start: Start) -> None:
    served = start(ToySynthesizer())
    with served.client() as client:
        assert client.delete("/v1/voices/anna").status_code == 400


def test_every_voice_has_the_default_settings(shared: Served) -> None:
    default = shared.get("/v1/voices/settings/default").json()
    assert default["speed"] == 1.0
    assert set(default) >= {"stability", "similarity_boost", "style", "use_speaker_boost"}
    assert shared.get("/v1/voices/anna/settings").json() == default
    unknown = shared.get("/v1/voices/nobody/settings")
    assert (unknown.status_code, unknown.json()["detail"]["status"]) == (404, "voice_not_found")
