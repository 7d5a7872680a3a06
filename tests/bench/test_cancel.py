"""Hanging up on a toy, over HTTP."""

from mira.bench.cancel import hang_up
from mira.bench.service import Service


def test_the_place_is_free_again(toy_service: Service) -> None:
    assert 0 < hang_up(toy_service, 0) < 2000
    assert toy_service.stats()["active_streams"] == 0
