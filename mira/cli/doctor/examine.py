"""Settings in; what this machine has, what Mira would use of it, and what is missing, out.

Only looks: nothing is written, downloaded, or loaded into this process. What can't be found out is
a finding, not a failure. Imports no backend: their libraries may be what is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mira.cli.doctor.gpu import Smi, Torch, ask_smi, ask_torch, free_on, gpu_rows, has_nvidia_card
from mira.cli.doctor.machine import library_rows, machine_rows, requirements, version
from mira.cli.doctor.report import Report, Row
from mira.cli.doctor.speaker import mira_rows
from mira.errors import CheckpointError
from mira.load.facts import MODELS, place_of
from mira.load.plan import LIBRARIES, Facts, Place, plan
from mira.machine import PROC, SYS, free_memory, limits_here, processor_here
from mira.settings import Settings


@dataclass(frozen=True, slots=True)
class Sources:
    """Where facts come from."""

    proc: Path = PROC
    sys: Path = SYS
    smi: Callable[[], Smi | None] = ask_smi
    torch: Callable[[], Torch] = ask_torch
    version_of: Callable[[str], str | None] = version
    requirements: Callable[[], list[str]] = requirements


HERE = Sources()


def examine(settings: Settings, sources: Sources = HERE) -> Report:
    """Look at this machine, its libraries, and what these settings would make of both."""
    processor = processor_here(sources.proc)
    limits = limits_here(sources.proc, sources.sys)
    smi, has_card = sources.smi(), has_nvidia_card(sources.sys)
    places, wrong = _places(settings)
    # It takes seconds: not where the answer would change nothing.
    asks = smi or has_card or places["model"] not in ("none", "converted")
    torch = sources.torch() if asks and sources.version_of("torch") else None
    planned = plan(
        settings,
        Facts(
            frozenset(name for name in LIBRARIES if sources.version_of(name.replace("_", "-"))),
            tuple(device.capability for device in torch.devices) if torch else (),
            torch.error if torch and not torch.version else "",
            **places,
        ),
    )
    left = free_memory(limits)
    left_there = left if planned.gpu is None else free_on(planned.gpu, smi, torch)
    engine = planned.engine
    return {
        "Machine": list(machine_rows(engine, settings.cpu_threads, processor, limits, left)),
        "GPU": list(gpu_rows(planned, smi, has_card, torch)),
        **library_rows(engine, sources.requirements(), sources.version_of),
        "Mira": [*wrong, *mira_rows(settings, planned, left_there, wrong)],
    }


def _places(settings: Settings) -> tuple[dict[str, Place], list[Row]]:
    """Find what each name of a model is here, and which is neither a directory nor an id."""
    places: dict[str, Place] = {}
    wrong: list[Row] = []
    for setting in MODELS:
        try:
            places[setting] = place_of(setting, settings)
        except CheckpointError as error:
            places[setting] = "directory"
            wrong.append(Row(setting, str(error), "problem"))
    return places, wrong
