"""Hanging up on a toy, over HTTP."""

from mira.cli.bench.service import Service
from tools.bench.cancel import hang_up


def test_the_place_is_free_again(toy_service: Service) -> None:
    assert 0 < hang_up(toy_service, 0) < 2000
    assert toy_service.get("/stats")["active_streams"] == 0
