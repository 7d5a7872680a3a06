"""Whose protocol a request speaks: its path says so, else a header of its own."""

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from mira.server.families import Family, family_of, only
from tests.server.serving import Served


def scope(path: str, *headers: str) -> dict[str, object]:
    sent = [(name.encode(), b"secret") for name in headers]
    path, _, query = path.partition("?")
    found = {"type": "http", "method": "GET", "path": path, "headers": sent}
    return found | {"query_string": query.encode()}


@pytest.mark.parametrize(
    ("path", "headers", "family"),
    [
        ("/v1/models", (), Family.OPENAI),
        ("/v1/models", ("authorization",), Family.OPENAI),
        ("/v1/models", ("xi-api-key",), Family.ELEVENLABS),
        ("/v1/text-to-speech/heart", (), Family.ELEVENLABS),
        ("/v1/voices/heart", ("authorization",), Family.ELEVENLABS),
        ("/v2/voices", (), Family.ELEVENLABS),
        ("/v1/audio/voices", (), Family.OPENAI),
        ("/v1/audio/speech", ("xi-api-key", "cartesia-version"), Family.OPENAI),
        ("/voices", (), Family.OPENAI),
        ("/voices", ("cartesia-version",), Family.CARTESIA),
        ("/voices?limit=1&cartesia_version=2025-04-16", (), Family.CARTESIA),
        ("/voices?my_cartesia_version=1", (), Family.OPENAI),
        ("/tts/bytes", (), Family.CARTESIA),
        ("", (), Family.OPENAI),
    ],
)
def test_the_path_says_it_else_a_header(path: str, headers: list[str], family: Family) -> None:
    assert family_of(scope(path, *headers)) is family


def test_a_route_of_one_family_leaves_the_others_to_the_next() -> None:
    app, router = FastAPI(), APIRouter(route_class=only(Family.ELEVENLABS))

    @router.get("/v1/models")
    async def theirs() -> str:
        return "theirs"

    app.include_router(router)

    @app.get("/v1/models")
    async def ours() -> str:
        return "ours"

    client = TestClient(app)
    assert client.get("/v1/models").json() == "ours"
    assert client.get("/v1/models", headers={"xi-api-key": "any"}).json() == "theirs"


def test_each_reads_its_own_errors(shared: Served) -> None:
    ours = shared.get("/v1/nothing").json()
    assert set(ours["error"]) == {"message", "type", "param", "code"}
    theirs = shared.get("/v1/text-to-nothing").json()
    assert theirs["detail"]["status"] == "not_found"
    assert "/v1/text-to-nothing" in theirs["detail"]["message"]
    assert shared.get("/v1/nothing", headers={"xi-api-key": "any"}).json()["detail"]


def test_what_is_refused_before_it_is_read_is_said_so_too(shared: Served) -> None:
    answer = shared.get("/v1/voices", headers={"host": "evil.example"})
    assert answer.status_code == 403
    assert answer.json()["detail"]["status"] == "permission_error"
