"""A service that can't start is not waited for."""

import pytest

from mira.cli.bench.service import running
from mira.errors import NotReady


def test_a_service_that_ends_says_why() -> None:
    because = "ended before it was ready: /no/such: no such directory"
    with pytest.raises(NotReady, match=because), running("--set", "model=/no/such"):
        pass


def test_it_is_found_wherever_the_environment_wants_it_to_listen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MIRA_HOST", "::1")
    with running() as service:
        assert service.url.startswith("http://127.0.0.1:")
