"""A host name that somebody else can point here is refused; the usual ones are not."""

import pytest

from mira.server.auth import is_own
from tests.conftest import Serve
from tests.server.serving import Served
from tests.toys import ToySynthesizer

OURS = [
    *("localhost", "localhost:5100", "LOCALHOST", "127.0.0.1", "127.0.0.1:80", "192.0.2.7:5100"),
    *("[::1]", "[::1]:5100", "mira", "mira:5100", "tts.local", "host.docker.internal:5100"),
    *("mira.default.svc", "mira.default.svc.cluster.local:5100", "nas.home.arpa", "a.localhost."),
]
THEIRS = [
    *("evil.example", "evil.example:5100", "localhost.evil.example", "127.0.0.1.nip.example"),
    *("evil.example.", "local.example", "xlocal.com", "a." * 4000 + "local", "127.0.0.1.x"),
]


@pytest.mark.parametrize("host", OURS)
def test_names_that_nobody_else_has_are_let_in(shared: Served, host: str) -> None:
    assert shared.get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", THEIRS, ids=lambda host: host[:30])
@pytest.mark.parametrize("path", ["/voices", "/", "/nowhere", "/v1/audio/voice_consents"])
def test_other_names_are_refused_with_what_to_do(shared: Served, host: str, path: str) -> None:
    answer = shared.get(path, headers={"host": host})
    assert answer.status_code == 403
    error = answer.json()["error"]
    assert error["type"] == "permission_error"
    assert "allowed_hosts" in error["message"]
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("allowed", "host", "status"),
    [
        ("voice.example", "voice.example", 200),
        ("Voice.Example,other.example", "voice.example:8443", 200),
        ("voice.example", "a.voice.example", 403),
        (".voice.example", "a.b.voice.example", 200),
        (".voice.example", "voice.example", 403),
        (".voice.example", "evilvoice.example", 403),
        ("*", "any.example", 200),
        ("voice.example", "localhost", 200),
    ],
)
def test_a_setting_lets_more_in(serve: Serve, allowed: str, host: str, status: int) -> None:
    served = serve(ToySynthesizer(), allowed_hosts=allowed)
    assert served.get("/health", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://localhost:5100", "localhost:5100", True),
        ("https://Voice.example", "voice.example", True),
        ("http://localhost:5101", "localhost:5100", False),
        ("https://evil.example", "localhost:5100", False),
        ("null", "localhost:5100", False),
        ("null", "", False),
        ("http://[", "[", False),
    ],
)
def test_a_page_is_ours_if_it_came_from_this_address(origin: str, host: str, own: bool) -> None:
    assert is_own(origin, host) == own
