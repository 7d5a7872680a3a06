"""Voices that one key alone may see: to every other key they are as voices that aren't there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.keyed import ask
from tests.server.serving import Served, serving, speaking, wait_until
from tests.toys import ToySynthesizer
from tests.voices.bringing import ALLISON, CARLO, CORRUPT, JUNE, bring

ONE, TWO, ALL = (f"{name}-0123456789abcdef" for name in ("one", "two", "all"))
EVERY = '["speak", "read", "voices", "operate"]'
KEYS = "".join(
    f'[{secret[:3]}]\nkey = "{secret}"\nmay = {EVERY}\nown_voices = {own}\n'
    for secret, own in ((ONE, "true"), (TWO, "true"), (ALL, "false"))
)
CONSENTS = "/v1/audio/voice_consents"
VOICES = "/v1/audio/voices"
CARTESIA = {"cartesia-version": "2025-04-16"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A service with two keys that have voices of their own, and one that has none."""
    path = tmp_path / "keys.toml"
    path.write_text(KEYS)
    options = {"api_keys_file": path, "voices_dir": tmp_path / "voices", "strict_voices": True}
    with serving(*speaking(ToySynthesizer(fingerprint="c0ffee"), **options)) as running:
        yield running


def upload(served: Served, key: str, name: str, recording: Path = CARLO, **data: str) -> Any:
    form = {"name": name, "consent": "Anna agreed.", **data}
    files = {"audio_sample": (recording.name, recording.read_bytes())}
    return ask(served, "POST", VOICES, key, data=form, files=files)


def names(served: Served, key: str) -> tuple[set[str], set[str]]:
    """What the lists tell this key."""
    theirs = ask(served, "GET", "/v1/voices", key).json()["voices"]
    pages = ask(served, "GET", "/v2/voices", key).json()
    cartesia = ask(served, "GET", "/voices", key, headers=CARTESIA).json()["data"]
    assert [each["name"] for each in pages["voices"]] == [each["id"] for each in cartesia]
    assert {each["voice_id"] for each in theirs} == {each["name"] for each in cartesia}
    whole = ask(served, "GET", "/voices", key).json()
    brief = ask(served, "GET", VOICES, key).json()
    assert whole["total"] == len(whole["voices"])
    assert {each["id"] for each in whole["voices"]} == {each["id"] for each in cartesia}
    return {each["id"] for each in whole["voices"]}, {each["name"] for each in brief["voices"]}


def attempts(served: Served, key: str, name: str) -> dict[str, httpx.Response]:
    """Everything that can be asked of a voice."""
    speech = {"input": "Hi.", "voice": name, "response_format": "pcm"}
    spoken = {
        "transcript": "Hi.",
        "voice": {"id": name},
        "output_format": {"container": "raw", "sample_rate": 8000},
    }
    return {
        "elevenlabs": ask(served, "GET", f"/v1/voices/{name}", key),
        "elevenlabs speak": ask(
            served, "POST", f"/v1/text-to-speech/{name}", key, json={"text": "Hi."}
        ),
        "cartesia": ask(served, "GET", f"/voices/{name}", key, headers=CARTESIA),
        "cartesia speak": ask(served, "POST", "/tts/bytes", key, json=spoken),
        "deepgram": ask(
            served, "POST", "/v1/speak", key, params={"model": name}, json={"text": "Hi."}
        ),
        "speak": ask(served, "POST", "/v1/audio/speech", key, json=speech),
        "stream": ask(served, "POST", "/v1/audio/speech-stream", key, json=speech),
        "preview": ask(served, "GET", f"{VOICES}/{name}/preview", key),
        "show": ask(served, "GET", f"/voices/{name}", key),
        "openai": ask(served, "GET", f"{VOICES}/{name}", key),
        "delete": ask(served, "DELETE", f"{VOICES}/{name}", key),
    }


def said(answer: httpx.Response) -> str:
    """All of an answer but the request's id."""
    return answer.text.replace(answer.headers["x-request-id"], "")


@pytest.mark.parametrize(
    ("path", "field", "headers", "id"),
    [
        ("/v1/voices/add", "files", {}, "voice_id"),
        ("/voices/clone", "clip", CARTESIA, "id"),
    ],
)
def test_what_is_brought_another_way_is_its_own_too(
    served: Served, path: str, field: str, headers: dict[str, str], id: str
) -> None:
    consent = {"consent": "Anna agreed."}
    form = {"name": "clara", **consent, "labels": json.dumps(consent)}
    files = {field: (CARLO.name, CARLO.read_bytes())}
    made = ask(served, "POST", path, ONE, data=form, files=files, headers=headers)
    assert (made.status_code, made.json()[id], made.json().get("name")) in (
        (200, "clara", None),
        (200, "clara", "clara"),
    )
    assert "@" not in made.text
    assert names(served, ONE) == ({"anna", "ben", "clara"},) * 2
    assert names(served, TWO) == ({"anna", "ben"},) * 2
    gone = path.replace("/add", "/clara").replace("/clone", "/clara")
    assert ask(served, "DELETE", gone, TWO, headers=headers).status_code == 404
    assert ask(served, "DELETE", gone, ONE, headers=headers).is_success
    assert names(served, ONE) == ({"anna", "ben"},) * 2


def test_another_key_gets_what_it_gets_for_a_voice_that_is_not_there(
    served: Served, tmp_path: Path
) -> None:
    made = upload(served, ONE, "clara")
    assert (made.status_code, made.json()["id"], made.json()["name"]) == (200, "clara", "clara")
    assert (tmp_path / "voices" / "clara@one.voice").exists()
    assert names(served, ONE) == ({"anna", "ben", "clara"},) * 2
    for key in (TWO, ALL):
        assert names(served, key) == ({"anna", "ben"},) * 2
        absent = attempts(served, key, "zzzzz")
        for name in ("clara", "clara@one", "clara@two", "clara@", "@one"):
            for what, answer in attempts(served, key, name).items():
                expected = said(absent[what]).replace("zzzzz", name)
                assert (answer.status_code, said(answer)) == (404, expected), (what, name)
    found = attempts(served, ONE, "clara")
    assert {answer.status_code for answer in found.values()} == {200}
    assert found["speak"].headers["x-voice-used"] == "clara"
    assert names(served, ONE) == ({"anna", "ben"},) * 2
    for answer in (found["show"], found["elevenlabs"], found["cartesia"]):
        assert "clara@one" not in answer.text


def test_two_keys_have_voices_of_the_same_name(served: Served) -> None:
    versions = [
        upload(served, key, "clara", recording).json()["version"]
        for key, recording in ((ONE, CARLO), (TWO, JUNE), (ALL, ALLISON))
    ]
    assert len(set(versions)) == 3
    for _ in range(2):
        speech = {"input": "Hi.", "voice": "clara"}
        ask(served, "POST", "/v1/audio/speech-stream", ONE, json=speech)
    for key, version, uses in zip((ONE, TWO, ALL), versions, (2, 0, 0), strict=True):
        shown = ask(served, "GET", "/voices/clara", key).json()
        assert (shown["version"], shown["usage_count"]) == (version, uses)
    assert ask(served, "DELETE", f"{VOICES}/clara", TWO).status_code == 200
    assert ask(served, "GET", "/voices/clara", TWO).json()["version"] == versions[2], "that of all"
    refused = ask(served, "DELETE", f"{VOICES}/clara", TWO)
    assert refused.status_code == 403 and "its own voices only" in refused.text
    assert ask(served, "DELETE", f"{VOICES}/clara", ALL).status_code == 200
    assert ask(served, "GET", "/voices/clara", ONE).json()["version"] == versions[0]
    assert ask(served, "DELETE", f"{VOICES}/clara", TWO).status_code == 404


def test_no_key_can_bring_a_voice_into_anothers(served: Served) -> None:
    for key in (TWO, ALL, ONE):
        for name in ("clara@one", "@one", "a@b@one"):
            refused = upload(served, key, name)
            assert refused.status_code == 400, name
            assert refused.json()["error"]["param"] == "name"
    refused = upload(served, ONE, "anna")
    assert refused.status_code == 400 and "engine's own" in refused.text


def test_what_somebody_puts_into_the_folder_for_a_key(served: Served, tmp_path: Path) -> None:
    bring(tmp_path / "voices", ALLISON, name="clara@one")
    bring(tmp_path / "voices", CORRUPT, name="broken@one")
    ask(served, "POST", "/voices/refresh", ALL)
    wait_until(lambda: "clara" in names(served, ONE)[0])
    assert list(ask(served, "GET", "/voices", ONE).json()["unusable"]) == ["broken@one.wav"]
    for key in (TWO, ALL):
        listed = ask(served, "GET", "/voices", key)
        assert listed.json()["unusable"] == {} and "@" not in listed.text
    assert ask(served, "DELETE", f"{VOICES}/broken", TWO).status_code == 404
    gone = ask(served, "DELETE", f"{VOICES}/broken", ONE)
    assert gone.status_code == 200 and (tmp_path / "voices/removed/broken@one.wav").exists()


def test_consents_are_each_keys_own(served: Served) -> None:
    form = {"name": "Anna Smith", "language": "en-US"}
    files = {"recording": (JUNE.name, JUNE.read_bytes())}
    made = ask(served, "POST", CONSENTS, ONE, data=form, files=files).json()["id"]
    for key in (TWO, ALL):
        assert ask(served, "GET", CONSENTS, key).json()["data"] == []
        for method in ("GET", "POST", "DELETE"):
            body = {"json": {"name": "Ben"}} if method == "POST" else {}
            assert ask(served, method, f"{CONSENTS}/{made}", key, **body).status_code == 404
        refused = upload(served, key, "clara", consent=made)
        assert refused.status_code == 404 and "Anna" not in refused.text
    assert [each["id"] for each in ask(served, "GET", CONSENTS, ONE).json()["data"]] == [made]
    assert upload(served, ONE, "clara", consent=made).status_code == 200
    for key in (TWO, ALL):
        refused = ask(served, "DELETE", f"{CONSENTS}/{made}", key)
        assert refused.status_code == 404 and "clara" not in refused.text
    kept = ask(served, "DELETE", f"{CONSENTS}/{made}", ONE)
    assert kept.status_code == 400 and "'clara'" in kept.text
    assert ask(served, "DELETE", f"{VOICES}/clara", ONE).status_code == 200
    assert ask(served, "GET", f"{CONSENTS}/{made}", ONE).status_code == 404


def test_what_is_of_all_voices_is_for_keys_without_their_own(served: Served) -> None:
    assert ask(served, "POST", "/voices/clear-cache", ONE).status_code == 403
    assert ask(served, "POST", "/voices/clear-cache", ALL).status_code == 200
    listed = ask(served, "POST", "/voices/refresh", ONE).json()
    assert {each["id"] for each in listed["voices"]} == {"anna", "ben"}


def test_what_was_said_is_told_to_keys_that_may_change_voices(
    served: Served, tmp_path: Path, cloning: Served
) -> None:
    reader, keeper = "reader-0123456789abcdef", "keeper-0123456789abcdef"
    sections = (
        f'''[reader]\nkey = "{reader}"\n[keeper]\nkey = "{keeper}"\nmay = ["read", "voices"]\n'''
    )
    (tmp_path / "keys.toml").write_text(KEYS + sections)
    served.service.keys.refresh()
    made = upload(served, ALL, "clara", transcript="Ciao a tutti.", consent="Anna agreed.").json()
    assert (made["said"], made["consented"]) == ("Ciao a tutti.", "Anna agreed.")
    for path in ("/voices/clara", f"{VOICES}/clara"):
        told = ask(served, "GET", path, keeper).json()
        assert (told["said"], told["consented"]) == ("Ciao a tutti.", "Anna agreed.")
        shown = ask(served, "GET", path, reader)
        assert shown.json()["transcript"] is shown.json()["consent"] is True
        assert "Ciao" not in shown.text and "agreed" not in shown.text
    ask(cloning, "POST", "/voices/refresh")  # a service without keys on the same folder
    free = ask(cloning, "GET", "/voices/clara")
    assert free.json()["transcript"] is True and "Ciao" not in free.text
