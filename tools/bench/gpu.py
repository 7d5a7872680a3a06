"""Everything that docs/benchmarks.md states of a card, in one call: its floor, then each engine.

The floor is what the card's memory allows: a step of the language model reads all its weights once,
and the cache of every stream.
streams           that speak at the same time
step reads MB     weights and caches
floor ms          that takes at the memory's full speed; a stream needs a step every 20 ms
floor x realtime  seconds of speech in a second, of all streams, if nothing took time but that

Then, for each engine, the benches lm, and of one service ttfa, cancel, listeners and load.
"""

import multiprocessing
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing

from mira.cli.bench.client import Client
from mira.cli.bench.command import numbers
from mira.cli.bench.load import Load
from mira.cli.bench.load import main as load
from mira.cli.bench.report import report
from mira.cli.bench.service import Service, running
from mira.errors import InvalidRequest
from mira.model.checkpoint.hub import locate
from mira.model.checkpoint.language import LanguageDims
from mira.model.checkpoint.layout import open_checkpoint
from tools.bench import cancel, listeners, lm, ttfa

GB_PER_S = {  # of memory, by a part of the card's name, from NVIDIA's data sheets
    "H200": 4800,
    "H100 PCIe": 2000,
    "H100": 3350,
    "A100": 2039,
    "L40S": 864,
    "L4": 300,
    "A10": 600,
    "RTX 4090": 1008,
    "RTX 3090": 936,
}
USUAL_CONTEXT = 400  # tokens that a stream holds in the middle of a sentence


def card() -> str:
    """Find the name of the card.

    Raises:
        InvalidRequest: There is none.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        raise InvalidRequest("There is no NVIDIA card here: nvidia-smi is missing.")
    found = subprocess.run(
        [program, "--query-gpu=name", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if found.returncode or not found.stdout.strip():
        raise InvalidRequest(f"nvidia-smi finds no card: {found.stdout}{found.stderr}".strip())
    return found.stdout.splitlines()[0].strip()


def floor(model: str, name: str, streams: Sequence[int]) -> list[dict[str, object]]:
    """Compute what the card's memory allows; see above."""
    dims = dims_of(model)
    head = 8194 * dims.hidden
    attention = dims.hidden * (dims.heads + 2 * dims.kv_heads) * dims.head_dim
    attention += dims.heads * dims.head_dim * dims.hidden
    layer = attention + 3 * dims.hidden * dims.intermediate
    weights = 2 * (head + dims.layers * layer)
    token = 2 * 2 * dims.layers * dims.kv_heads * dims.head_dim
    speed = next((rate for part, rate in GB_PER_S.items() if part in name), None)
    rows: list[dict[str, object]] = []
    for count in streams:
        reads = weights + count * USUAL_CONTEXT * token
        took_ms = None if speed is None else reads / speed / 1e6
        rows.append(
            {
                "streams": count,
                "step reads MB": reads / 1e6,
                "floor ms": took_ms,
                "floor x realtime": None if took_ms is None else count * 20 / took_ms,
            }
        )
    return rows


def dims_of(model: str) -> LanguageDims:
    """Read the dimensions of its language model."""
    return open_checkpoint(locate(model)).dims


def main(
    model: str, engines: str = "lmdeploy,lmdeploy-pytorch,torch", streams: str = "1,8,32,64"
) -> None:
    """Everything that is stated of a card, in one call; takes a quarter of an hour.

    Args:
        model: As the setting of this name; random weights of true size will do, which
            `python -m tools.tiny DIR --true-size` writes.
        engines: As the setting `lm_engine`, one after another.
        streams: That speak at the same time; one row each.

    Raises:
        InvalidRequest: There is no card.
    """
    name, counts = card(), numbers("--streams", streams, int)
    report("gpu floor", floor(model, name, counts), {"card": name})
    for engine in engines.split(","):
        settings = {"model_device": "cuda", "lm_engine": engine}
        # In a process of its own, because not every engine gives its memory back.
        alone = multiprocessing.get_context("spawn").Process(
            target=lm.measure, args=(model, counts, 200), kwargs=settings
        )
        alone.start()
        alone.join()
        serve = [f"--set={key}={value}" for key, value in {"model": model, **settings}.items()]
        with running(*serve) as service:
            measure(service, {"engine": engine}, counts, Load(rates=(1.0, 5.0, 10.0, 20.0)))


def measure(
    service: Service, about: Mapping[str, str], counts: Sequence[int], offered: Load
) -> None:
    """Measure a service in every way, and print."""
    ttfa.measure(service, about)
    cancel.measure(service, about)
    listeners.measure(service, about, counts)
    with closing(Client(service.url)) as client:
        load(client, offered, about)
