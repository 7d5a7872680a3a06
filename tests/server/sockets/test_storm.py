"""However clients come and go, nothing is left of them."""

import asyncio
import gc
import threading

import psutil

from mira.cli.bench.service import Service
from tests.conftest import Serve
from tests.server.serving import Served, wait_until
from tests.toys import ANNA, ToySynthesizer
from tools.sockets.storm import ENDS, Storm

CLIENTS, AT_ONCE = 100, 25


def left(served: Served) -> dict[str, object]:
    """What a service holds for its sockets: nothing of it may stay."""
    telemetry, admission = served.service.telemetry, served.service.admission
    wait_until(lambda: served.connections == 0)
    num_open = psutil.Process().num_fds()
    gc.collect()
    # Workers of AnyIO stay for some seconds, in case that there is more to do.
    names = sorted(name for thread in threading.enumerate() if "AnyIO" not in (name := thread.name))
    return {
        "sockets": telemetry.sockets.total(),
        "contexts": telemetry.contexts,
        "places": admission.active,
        "tasks": served.get("/stats").json()["tasks"],
        "threads": names,
        "open files": num_open,
    }


def test_nothing_is_left_of_them(serve: Serve) -> None:
    toy = ToySynthesizer(compute_s=0.002)
    served = serve(toy)
    service = Service("127.0.0.1", served.port, psutil.Process())
    asyncio.run(Storm(service, 0, ANNA.name).blow(5, 5))  # what is made once is made
    wait_until(lambda: toy.opened == toy.closed and served.connections == 0)
    before = left(served)
    storm = Storm(service, 1, ANNA.name)

    async def blow() -> None:
        did = await storm.blow(CLIENTS, AT_ONCE)
        assert did.total() == CLIENTS
        assert {*did} <= {*ENDS}, "none was refused, none waited in vain"
        assert len(did) > 6
        storm.leave()

    asyncio.run(blow())
    wait_until(lambda: left(served) == before)
    assert toy.opened == toy.closed
    assert served.service.telemetry.failures["Internal"] == 0
    assert {"interrupted", "dropped"} <= {*served.service.telemetry.turns}
