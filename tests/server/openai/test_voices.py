"""The life of a voice over HTTP, as OpenAI's clients and strangers' forms ask for it."""

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import openai
import pytest

from mira.audio import wav_header
from tests.server.conftest import Start
from tests.server.serving import Served, wait_until
from tests.server.uploading import CONSENT, speak, upload
from tests.server.wire import Wire
from tests.toys import ToySynthesizer
from tests.voices.bringing import ALLISON, CARLO, CORRUPT, JUNE, bring


def test_openais_cousin_lists_objects(cloning: Served) -> None:
    assert cloning.get("/v1/audio/voices").json() == {
        "voices": [{"id": "anna", "name": "anna"}, {"id": "ben", "name": "ben"}]
    }


def test_the_whole_life_of_a_voice(cloning: Served, tmp_path: Path) -> None:
    made = upload(cloning, name="نورة", transcript="Ciao.")
    assert made.status_code == 200
    voice = made.json()
    assert voice["object"] == "audio.voice"
    assert voice["id"] == voice["name"] == "نورة"
    assert (voice["transcript"], voice["consent"], voice["note"]) == (True, True, None)
    assert voice["quality"]["grade"] in {"good", "fair", "poor"}
    assert voice["quality"]["duration_s"] == pytest.approx(5.7, abs=0.1)
    assert all(verdict["words"] for verdict in voice["quality"]["verdicts"])
    for path in ("/voices/نورة", "/v1/audio/voices/نورة"):
        found = cloning.get(path).json()
        assert {key: found[key] for key in found} == {key: voice[key] for key in found}
    assert (tmp_path / "voices" / "نورة.voice").exists()

    spoken = speak(cloning, "نورة")
    assert spoken.headers["x-voice-used"] == "%D9%86%D9%88%D8%B1%D8%A9"
    assert cloning.get("/voices/نورة").json()["cached"]
    preview = cloning.get("/v1/audio/voices/نورة/preview")
    assert preview.headers["content-type"] == "audio/mpeg"
    assert len(preview.content) > 1000

    other = upload(cloning, JUNE, name="نورة")
    assert other.json()["version"] != voice["version"]
    assert [path.name for path in (tmp_path / "voices").glob("*.*")] != []
    assert cloning.post("/voices/clear-cache").json() == {"cleared": 1}

    with cloning.client() as client:
        gone = client.delete("/v1/audio/voices/نورة")
    deleted = {"object": "audio.voice.deleted", "deleted": True, "kept": []}
    assert gone.json() == {"id": "نورة", **deleted}
    assert cloning.get("/voices/نورة").status_code == 404
    assert [path for path in (tmp_path / "voices").rglob("*") if path.is_file()] == []


def test_openais_own_client(cloning: Served) -> None:
    with openai.OpenAI(base_url=f"{cloning.url}/v1", api_key="unused", max_retries=0) as client:
        voice = client.audio.voices.create(name="clara", audio_sample=ALLISON, consent=CONSENT)
        assert (voice.object, voice.id, voice.type) == ("audio.voice", "clara", "audio_sample")
        heard = client.audio.speech.create(model="mira", voice={"id": voice.id}, input="Hello.")
        assert heard.response.headers["x-voice-used"] == "clara"
        gone = client.audio.voices.delete(voice.id)
        assert (gone.deleted, gone.object) == (True, "audio.voice.deleted")


@pytest.mark.parametrize(
    ("recording", "fields", "param", "why"),
    [
        (CARLO, {"consent": ""}, "consent", "who consents"),
        (CARLO, {"consent": "cons_0123"}, "consent", "no consent 'cons_0123'"),
        (CARLO, {"name": ""}, "name", "required"),
        (CARLO, {"name": "../anna"}, "name", "begins with"),
        (CARLO, {"name": "anna"}, "name", "engine's own voice"),
        (CARLO, {"name": "a" * 300}, "name", "256"),
        (CARLO, {"transcript": "a" * 1501}, "transcript", "1500"),
        (CARLO, {"consent": "a" * 2001}, "consent", "2000"),
        (CARLO, {"type": "prompt"}, "type", "audio_sample"),
        (CORRUPT, {}, "audio_sample", "damaged, or not audio"),
    ],
)
def test_what_cant_be_uploaded_says_why(
    cloning: Served, recording: Path, fields: dict[str, str], param: str, why: str
) -> None:
    answer = upload(cloning, recording, **fields)
    assert answer.status_code in {400, 404}
    error = answer.json()["error"]
    assert error["param"] == param
    assert why in error["message"]
    assert cloning.get("/voices").json()["total"] == 2


def test_a_form_without_a_recording_or_that_is_none(cloning: Served) -> None:
    fields = {"name": (None, "anna2"), "consent": (None, CONSENT)}
    missing = cloning.post("/v1/audio/voices", files=fields)
    assert missing.json()["error"]["param"] == "audio_sample"
    headers = {"content-type": "multipart/form-data"}  # and no boundary
    answer = cloning.post("/v1/audio/voices", content=b"{}", headers=headers)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("path", ["/v1/audio/voices", "/v1/audio/voice_consents"])
def test_what_is_no_form_with_a_file_is_not_read(cloning: Served, path: str) -> None:
    for kind in ("application/x-www-form-urlencoded", "application/json", "text/plain", ""):
        with Wire(cloning) as wire:
            wire.write_head(path, "content-length: 1000000", f"content-type: {kind}", kind=None)
            assert wire.read_head() == 415
            assert "multipart/form-data" in str(wire.json()["error"]["message"])


@pytest.mark.parametrize("path", ["/v1/audio/voices", "/v1/audio/voice_consents"])
def test_a_strangers_form_is_not_read(start: Start, path: str) -> None:
    form = "content-type: multipart/form-data; boundary=XX"
    served = start()
    with Wire(served) as wire:
        wire.write_head(path, "content-length: 1000000", form, "origin: https://a.b", kind=None)
        assert wire.read_head() == 403
    served = start(change_voices=False)
    with Wire(served) as wire:
        wire.write_head(path, "content-length: 1000000", form, kind=None)
        assert wire.read_head() == 403


@pytest.mark.parametrize("path", ["/v1/audio/voices", "/v1/audio/voice_consents"])
def test_no_spelling_of_an_uploads_path_leads_past_its_checks(start: Start, path: str) -> None:
    """A route matches its path with a line break at the end too."""
    served = start(change_voices=False)
    data = {"name": "anna2", "consent": CONSENT, "language": "it"}
    files = dict.fromkeys(("audio_sample", "recording"), (CARLO.name, CARLO.read_bytes()))
    for end in ("%0A", "%0a", "%0D", "%00", "%0A%0A", "%0A/"):
        assert served.post(path + end, data=data, files=files).status_code == 404
        with Wire(served) as wire:  # nor is a body awaited
            wire.write_head(path + end, "content-length: 100000")
            assert wire.read_head() == 404
    for end, status in (("/", 404), ("%20", 404), ("?a", 403)):
        assert served.post(path + end, data=data, files=files).status_code == status


def test_a_form_has_few_parts(cloning: Served) -> None:
    many = [("audio_sample", ("a.wav", b"a"))] * 500
    answer = cloning.post("/v1/audio/voices", data={"name": "x"}, files=many)
    assert (answer.status_code, "Too many files" in answer.text) == (400, True)
    fields = [(f"field{number}", (None, "a")) for number in range(500)]
    answer = cloning.post("/v1/audio/voices", files=fields)
    assert (answer.status_code, "Too many fields" in answer.text) == (400, True)


def test_an_upload_may_be_larger_than_other_bodies_but_not_endless(start: Start) -> None:
    served = start(max_recording_bytes=100_000, max_body_bytes=2000)
    assert upload(served).status_code == 200
    answer = upload(served, ALLISON)
    assert answer.status_code == 413
    assert "over the limit" in answer.json()["error"]["message"]
    assert speak(served, "ben", "a" * 3000).status_code == 413


@pytest.fixture(params=["full", "gone"])
def useless_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """One that holds half a megabyte, and one that is not there."""
    folder = tmp_path / "temporary"
    if request.param == "gone":
        yield folder
        return
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system can be mounted by root alone, where that is allowed")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_temporary_folder_is_said(
    cloning: Served, monkeypatch: pytest.MonkeyPatch, useless_folder: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(useless_folder))
    large = wav_header(48000, 1_000_000) + bytes(2_000_000)
    for path, field in (("voices", "audio_sample"), ("voice_consents", "recording")):
        answer = cloning.post(
            f"/v1/audio/{path}",
            data={"name": "anna2", "consent": CONSENT, "language": "en-US"},
            files={field: ("a.wav", large)},
        )
        assert answer.status_code == 507
        error = answer.json()["error"]
        assert (error["type"], set(error)) == ("server_error", {"message", "type", "param", "code"})
        assert "temporary folder can't be written" in error["message"]
        assert str(useless_folder) not in answer.text
    assert upload(cloning).status_code == 200, "a small one needs no temporary file"


def test_consent_need_not_be_stated_if_the_settings_say_so(start: Start) -> None:
    assert upload(start(require_consent=False), consent="").json()["consent"] is False


def test_what_people_said_is_not_told_to_strangers(cloning: Served, tmp_path: Path) -> None:
    bring(tmp_path / "voices", ALLISON)
    said = ALLISON.with_suffix(".txt").read_text("utf-8").strip()
    cloning.post("/voices/refresh")
    answers = [upload(cloning, name="clara", transcript="Ciao."), cloning.get("/voices")]
    for name in ("allison", "clara"):
        answers += [cloning.get(f"{root}/{name}") for root in ("/voices", "/v1/audio/voices")]
    for answer in answers:
        assert answer.status_code == 200
        assert not [words for words in (said, "Ciao", CONSENT) if words in answer.text]
    assert [answer.json()["consent"] for answer in answers[2:]] == [False, False, True, True]


def test_voices_can_be_read_only(start: Start, tmp_path: Path) -> None:
    bring(tmp_path / "voices", CARLO)
    served = start(change_voices=False)
    with served.client() as client:
        answers = [
            upload(served),
            client.delete("/v1/audio/voices/carlo"),
            client.post("/voices/clear-cache"),
            client.get("/v1/audio/voice_consents"),
            client.get("/v1/audio/voice_consents/cons_1"),
            client.post("/v1/audio/voice_consents/cons_1", json={"name": "x"}),
            client.delete("/v1/audio/voice_consents/cons_1"),
        ]
    assert {answer.status_code for answer in answers} == {403}
    assert {answer.json()["error"]["type"] for answer in answers} == {"permission_error"}
    assert served.get("/voices/carlo").status_code == 200


@pytest.mark.parametrize(
    ("origin", "allowed", "status"),
    [
        ("https://evil.example", (), 403),
        ("null", (), 403),
        ("https://app.example", ("https://app.example",), 200),
        ("https://any.example", ("*",), 200),
        ("same", (), 200),
        ("http://[", (), 403),
    ],
)
def test_a_strangers_web_page_cannot_change_voices(
    start: Start, origin: str, allowed: tuple[str, ...], status: int
) -> None:
    served = start(cors_origins=allowed)
    origin = served.url if origin == "same" else origin
    answer = served.post("/voices/clear-cache", headers={"origin": origin})
    assert answer.status_code == status


def test_a_name_that_somebody_pointed_here_is_no_origin_of_ours(cloning: Served) -> None:
    for name, status in (("evil.example", 403), ("localhost", 200)):
        host = f"{name}:{cloning.port}"
        headers = {"host": host, "origin": f"http://{host}"}
        assert cloning.post("/voices/clear-cache", headers=headers).status_code == status


@pytest.mark.parametrize("charset", ["punycode", "utf-16", 'utf-8; charset="punycode"'])
def test_a_form_in_a_slow_charset_is_not_read(cloning: Served, charset: str) -> None:
    kind = f"multipart/form-data; boundary=XX; charset={charset}"
    field = b'--XX\r\nContent-Disposition: form-data; name="name"\r\n\r\n'
    body = field + b"\xff-" * 400_000 + b"\r\n--XX--\r\n"
    began = time.monotonic()
    answer = cloning.post("/v1/audio/voices", content=body, headers={"content-type": kind})
    assert answer.status_code == 415
    assert time.monotonic() - began < 2


def test_a_recording_that_somebody_put_there_is_kept(cloning: Served, tmp_path: Path) -> None:
    bring(tmp_path / "voices", ALLISON)
    cloning.post("/voices/refresh")
    with cloning.client() as client:
        gone = client.delete("/v1/audio/voices/allison").json()
    assert gone["kept"] == ["removed/allison.wav", "removed/allison.txt"]
    assert (tmp_path / "voices" / gone["kept"][0]).read_bytes() == ALLISON.read_bytes()
    cloning.post("/voices/refresh")
    assert cloning.get("/voices/allison").status_code == 404


def test_what_must_stay_stays(start: Start, tmp_path: Path) -> None:
    bring(tmp_path / "voices", CARLO, JUNE)
    served = start(default_voice="carlo")
    with served.client() as client:
        for name, why in {"anna": "own voice", "carlo": "default voice"}.items():
            answer = client.delete(f"/v1/audio/voices/{name}")
            assert (answer.status_code, why in answer.text) == (400, True)


def test_without_a_model_recordings_are_listed_and_say_what_they_need(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    served = start(ToySynthesizer())
    made = upload(served, name="clara").json()
    assert (made["can_speak"], made["cached"]) == (False, False)
    assert "needs a Mira model" in made["note"]
    assert "Until then 'anna' speaks." in made["note"]
    for path in ("/voices/clara", "/v1/audio/voices/clara"):
        assert served.get(path).json()["note"] == made["note"]
    answer = speak(served, "clara")
    assert (answer.status_code, answer.headers["x-voice-used"]) == (200, "anna")
    assert "'clara'" in caplog.text
    assert "'anna' speaks instead" in caplog.text
    assert "needs a Mira model" in caplog.text
    assert served.get("/stats").json()["voice_substitutions"] == 1
    preview = served.get("/v1/audio/voices/clara/preview")
    assert preview.status_code == 404
    assert "needs a Mira model" in preview.json()["error"]["message"]
    assert [voice["id"] for voice in served.get("/v1/audio/voices").json()["voices"]] == [
        "anna",
        "ben",
    ]


def test_a_call_finishes_in_the_version_it_began_with(start: Start) -> None:
    go_on = threading.Event()
    toy = ToySynthesizer(
        fingerprint="c0ffee", before_block=lambda number: number == 0 or go_on.wait(20)
    )
    served = start(toy)
    upload(served, CARLO, name="clara")
    with ThreadPoolExecutor(1) as pool:
        began = pool.submit(speak, served, "clara", "Hello there, how are you?")
        toy.wait(lambda toy: toy.blocks == 1)
        upload(served, ALLISON, name="clara")
        with served.client() as client:
            client.delete("/v1/audio/voices/clara")
        upload(served, JUNE, name="clara")
        go_on.set()
        first = began.result().content
    upload(served, CARLO, name="clara")
    assert speak(served, "clara", "Hello there, how are you?").content == first


def test_a_clone_in_progress_holds_up_nobody_else(start: Start) -> None:
    go_on = threading.Event()
    toy = ToySynthesizer(fingerprint="c0ffee", while_cloning=lambda name: go_on.wait(20))
    served = start(toy)
    upload(served, name="clara")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(speak, served, "clara")
        for _ in range(5):
            assert speak(served, "ben").status_code == 200
        assert not waiting.done()
        go_on.set()
        assert waiting.result().headers["x-voice-used"] == "clara"


def test_a_voice_on_disk_waits_for_no_clone(start: Start, tmp_path: Path) -> None:
    """However many calls wait for voices that have to be computed."""
    served = start()
    upload(served, name="clara")
    speak(served, "clara")
    go_on = threading.Event()
    toy = ToySynthesizer(fingerprint="c0ffee", while_cloning=lambda name: go_on.wait(30))
    served = start(toy)
    for number in range(3):
        upload(served, JUNE, name=f"new {number}")
    with ThreadPoolExecutor(24) as pool:
        waiting = [pool.submit(speak, served, f"new {number % 3}") for number in range(24)]
        wait_until(lambda: served.service._workers["clone"].statistics().tasks_waiting == 16)
        assert speak(served, "clara").headers["x-voice-used"] == "clara"
        assert served.get("/v1/audio/voices/clara/preview").status_code == 200
        assert not any(call.done() for call in waiting)
        go_on.set()
        assert {call.result().headers["x-voice-used"] for call in waiting} == {
            "new 0",
            "new 1",
            "new 2",
        }


def test_a_storm_of_changes_while_calls_speak(start: Start, tmp_path: Path) -> None:
    """Uploads, removals and refreshes at once; eight calls go on, and nothing is lost or left."""
    toy = ToySynthesizer(fingerprint="c0ffee", compute_s=0.01)
    served = start(toy)
    upload(served, ALLISON, name="caller")
    text = "Please hold the line, somebody will be with you. " * 3
    with ThreadPoolExecutor(24) as pool:
        calls = [pool.submit(speak, served, "caller", text) for _ in range(8)]
        changes = [
            pool.submit(upload, served, CARLO, name=f"kept {number}") for number in range(12)
        ]
        changes += [pool.submit(upload, served, JUNE, name="busy") for _ in range(6)]
        changes += [pool.submit(served.post, "/voices/refresh") for _ in range(6)]

        def remove(number: int) -> httpx.Response:
            upload(served, CARLO, name=f"gone {number}")
            with served.client() as client:
                return client.delete(f"/v1/audio/voices/gone {number}")

        changes += [pool.submit(remove, number) for number in range(6)]
        statuses = {change.result().status_code for change in changes}
        spoken = {call.result().content for call in calls}
    assert statuses == {200}
    assert len(spoken) == 1
    names = {"caller", "busy", *(f"kept {number}" for number in range(12))}
    served.post("/voices/refresh")
    listing = served.get("/voices").json()
    assert {voice["id"] for voice in listing["voices"]} == names | {"anna", "ben"}
    assert listing["unusable"] == {}
    assert {path.stem for path in (tmp_path / "voices").glob("*.voice")} == names
    assert not list((tmp_path / "voices").rglob(".part-*"))
