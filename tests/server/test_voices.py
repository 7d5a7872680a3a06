"""Who can speak, in each of the shapes that clients ask for."""

import pytest

from tests.conftest import Serve
from tests.server.serving import Served
from tests.toys import ToySynthesizer


@pytest.fixture
def served(serve: Serve, toy: ToySynthesizer) -> Served:
    return serve(toy)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/voices"), ("GET", "/voices/refresh"), ("POST", "/voices/refresh")],
)
def test_the_listing(served: Served, method: str, path: str) -> None:
    with served.client() as client:
        answer = client.request(method, path)
    assert answer.status_code == 200
    found = answer.json()
    assert set(found) == {"total", "default_voice", "voices"}
    assert (found["total"], found["default_voice"]) == (2, "anna")
    assert [voice["name"] for voice in found["voices"]] == ["anna", "ben"]
    for voice in found["voices"]:
        assert set(voice) == {"id", "name", "format", "cached", "usage_count"}


def test_openais_cousin_lists_objects(served: Served) -> None:
    assert served.get("/v1/audio/voices").json() == {
        "voices": [{"id": "anna", "name": "anna"}, {"id": "ben", "name": "ben"}]
    }


def test_uses_are_counted(served: Served) -> None:
    for voice in ("ben", "ben", "zoe"):
        served.post("/v1/audio/speech-stream", json={"input": "Hi.", "voice": voice})
    uses = {voice["id"]: voice["usage_count"] for voice in served.get("/voices").json()["voices"]}
    assert uses == {"anna": 1, "ben": 2}
    assert served.get("/voices/ben").json()["usage_count"] == 2


@pytest.mark.parametrize("name", ["zoe", "Anna", "..%2Fanna", "%00", "%F0%9F%8E%89", "%ED%A0%80"])
def test_an_unknown_voice_is_a_404(served: Served, name: str) -> None:
    answer = served.get(f"/voices/{name}")
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}


def test_it_is_said_to_be_the_voice(served: Served) -> None:
    error = served.get("/voices/zoe").json()["error"]
    assert (error["param"], error["code"]) == ("voice", "voice_not_found")
    assert "'zoe'" in error["message"]


def test_there_is_no_cache_to_clear(served: Served) -> None:
    assert served.post("/voices/clear-cache").json() == {"cleared": 0}
    assert served.get("/voices/clear-cache").status_code == 404, "it changes, so it is no GET"
