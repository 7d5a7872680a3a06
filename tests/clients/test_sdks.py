"""The vendors' SDKs with keys set, and where they are refused: each raises its own error, with our
reason in it."""

from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Run
from tests.conftest import Serve
from tests.server.serving import Served
from tests.toys import ToySynthesizer

PROGRAM = Path(__file__).parent / "use_sdks.py"
KEY = "sixteen-characters-or-more"
SOCKETS = ("elevenlabs_socket", "cartesia_socket", "deepgram_socket", "flux_socket")


@pytest.fixture
def keyed(serve: Serve) -> Served:
    """Wants a key, and has nobody speak in a missing voice's place."""
    return serve(ToySynthesizer(), api_keys=KEY, strict_voices=True)


@pytest.fixture
def use(keyed: Served, run_client: Run) -> Any:
    """Has all SDKs ask for the same: use(key, voice, text)."""

    def ask(key: str = KEY, voice: str = "anna", text: str = "Hello there.") -> object:
        return run_client(PROGRAM.read_text("utf-8"), keyed.url, key, voice, text)

    return ask


def test_each_sends_its_key_and_speaks(use: Any) -> None:
    found = use()
    assert len(found) == 13
    assert set(found.values()) == {28800, 38400}  # bytes, and those in base64


@pytest.mark.parametrize(
    ("asked", "status", "reason"),
    [
        ({"key": f"{KEY}x"}, 401, "needs an API key"),
        ({"voice": "nobody"}, 404, "There is no voice 'nobody'. Try anna or ben."),
        ({"text": "Hello. " * 1000}, 400, "7000 characters are more than the limit of 4096"),
    ],
)
def test_each_raises_its_own_error_with_the_reason(
    use: Any, asked: dict[str, str], status: int, reason: str
) -> None:
    for name, (kind, found, said) in use(**asked).items():
        assert reason in said.replace("\\'", "'") or "limit of 4096" in said, (name, said)
        if name not in SOCKETS:
            assert kind.split(".")[0] == name.split("_")[0] and found == status, (name, kind)
        elif kind == "websockets.InvalidStatus":
            assert found == status
        else:  # in a message
            assert status == 400 or name == "cartesia_socket"
