"""Every failure has one answer, in OpenAI's shape."""

import json
import logging
from collections.abc import Iterator

import pytest

from mira.errors import (
    CheckpointError,
    InvalidRequest,
    MiraError,
    ModelNotFound,
    NotAllowed,
    NothingToSay,
    NotReady,
    Overloaded,
    SynthesisFailed,
    VoiceNotFound,
)
from mira.server.errors import RESPONSES, body, respond


def family(root: type[MiraError] = MiraError) -> Iterator[type[MiraError]]:
    """All that a service may raise: it never imports the command line."""
    for child in root.__subclasses__():
        if not child.__module__.startswith("mira.cli."):
            yield child
        yield from family(child)


def example(kind: type[MiraError]) -> MiraError:
    return NothingToSay() if kind is NothingToSay else kind("what is wrong")


@pytest.mark.parametrize("kind", sorted(set(family()), key=str), ids=lambda kind: kind.__name__)
def test_every_error_has_an_answer(kind: type[MiraError]) -> None:
    assert set(kind.__mro__) & set(RESPONSES), f"add {kind.__name__} to RESPONSES"
    error = example(kind)
    answer = respond(error)
    assert 400 <= answer.status_code < 600
    found = json.loads(bytes(answer.body))
    assert set(found) == {"error"}
    assert set(found["error"]) == {"message", "type", "param", "code"}
    assert found["error"]["message"] == str(error)
    assert body(error)["message"] == str(error)


def test_the_family_is_not_empty() -> None:
    assert {InvalidRequest, NothingToSay, SynthesisFailed, CheckpointError} <= set(family())
    assert all(issubclass(kind, MiraError) for kind in RESPONSES)


@pytest.mark.parametrize(
    ("error", "status", "kind", "param", "code"),
    [
        (InvalidRequest("no", "speed"), 400, "invalid_request_error", "speed", "invalid_value"),
        (NothingToSay(), 400, "invalid_request_error", "input", "invalid_value"),
        (VoiceNotFound("no"), 404, "invalid_request_error", "voice", "voice_not_found"),
        (ModelNotFound("no"), 404, "invalid_request_error", "model", "model_not_found"),
        (Overloaded("no"), 429, "rate_limit_error", None, "rate_limit_exceeded"),
        (NotAllowed("no"), 403, "permission_error", None, None),
        (NotReady("no"), 503, "server_error", None, None),
        (SynthesisFailed("no"), 500, "server_error", None, None),
    ],
)
def test_answers_are_openais(
    error: MiraError, status: int, kind: str, param: str | None, code: str | None
) -> None:
    answer = respond(error)
    assert answer.status_code == status
    assert json.loads(bytes(answer.body))["error"] == {
        "message": str(error),
        "type": kind,
        "param": param,
        "code": code,
    }
    assert body(error)["type"] == kind  # on a socket too


def test_who_may_come_back_is_told_when() -> None:
    assert respond(Overloaded("no", retry_after_s=7)).headers["retry-after"] == "7"
    assert int(respond(NotReady("no")).headers["retry-after"]) >= 1
    assert "retry-after" not in respond(SynthesisFailed("no")).headers


def test_inside_a_stream_strangers_errors_are_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        found = body(ValueError("secret"))
    assert "secret" not in str(found)
    assert found["type"] == "server_error"
