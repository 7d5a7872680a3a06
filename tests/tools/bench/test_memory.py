"""One of each kind of caller."""

import random

from mira.cli.bench.service import Service
from tools.bench.memory import one_call


def test_a_mixed_load(toy_service: Service) -> None:
    before = toy_service.stats()
    for seed in range(6):
        one_call(toy_service, random.Random(seed))
    assert int(str(toy_service.stats()["requests"])) > int(str(before["requests"]))
    assert toy_service.rss_mb() > 10
    assert toy_service.cpu_s() > 0
