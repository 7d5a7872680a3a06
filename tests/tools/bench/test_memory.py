"""One of each kind of caller."""

import random
from contextlib import closing

from mira.cli.bench.client import Client
from mira.cli.bench.service import Service
from tools.bench.memory import one_call


def test_a_mixed_load(toy_service: Service) -> None:
    before = toy_service.get("/stats")
    with closing(Client(toy_service.url)) as client:
        for seed in range(6):
            one_call(client, random.Random(seed))
    assert toy_service.get("/stats")["requests"] > before["requests"]
