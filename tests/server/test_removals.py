"""What each protocol says to whoever removes a voice that can't be removed."""

from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.server.keyed import KEEPER, SPEAKER, ask, code_of, write_keys
from tests.server.serving import Served
from tests.toys import ToySynthesizer

CARTESIA = {"cartesia-version": "2026-08-14"}
PLACES = {
    "/v1/audio/voices/": {},
    "/v1/voices/": {},
    "/voices/": CARTESIA,
}


def fields_of(answer: object) -> set[str]:
    """Names at the top of an error."""
    assert isinstance(answer, dict)
    return set(answer)


SHAPES = {
    "/v1/audio/voices/": {"error"},
    "/v1/voices/": {"detail"},
    "/voices/": {"error_code", "title", "message", "request_id"},
}


def check(served: Served, name: str, status: int, code: str, secret: str | None = None) -> None:
    for place, headers in PLACES.items():
        answer = ask(served, "DELETE", place + name, secret, headers=headers)
        assert (answer.status_code, code_of(answer)) == (status, code), place
        assert fields_of(answer.json()) == SHAPES[place]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("nobody", 404, "voice_not_found"),
        ("anna", 400, "invalid_value"),  # the engine's own
        ("..%2f..%2fetc", 404, "not_found"),
        ("x" * 3000, 404, "voice_not_found"),
        ("%00", 404, "not_found"),
    ],
)
def test_a_voice_that_can_not_be_removed(
    cloning: Served, name: str, status: int, code: str
) -> None:
    check(cloning, name, status, code)


def test_who_may_not(serve: Serve, tmp_path: Path) -> None:
    served = serve(ToySynthesizer(), api_keys_file=write_keys(tmp_path / "keys.toml"))
    check(served, "anna", 401, "invalid_api_key")
    check(served, "anna", 403, "permission_error", SPEAKER)
    check(served, "anna", 400, "invalid_value", KEEPER)
    closed = serve(ToySynthesizer(), change_voices=False)
    check(closed, "anna", 403, "permission_error")
