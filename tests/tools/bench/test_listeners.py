"""Two listeners of a toy, in real time."""

import asyncio
import time

import pytest

from mira.cli.bench.service import Service
from tests.toys import ToySynthesizer
from tools.bench.listeners import listen


def test_they_listen_in_real_time(toy_service: Service) -> None:
    async def both() -> list[float]:
        found = await asyncio.gather(*(listen(toy_service, "Hello. " * 8) for _ in range(2)))
        assert all(one and 0 < one.ttfa_ms < 2000 for one in found)
        return [one.heard_s for one in found if one]

    began = time.perf_counter()
    first, second = asyncio.run(both())
    toy = ToySynthesizer()
    spoken_s = len(toy.whole("Hello. " * 8)) / toy.sample_rate
    assert first == second == pytest.approx(spoken_s, abs=0.5)
    assert time.perf_counter() - began > first - 1.3  # about a second is ahead
