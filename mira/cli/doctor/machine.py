"""What there is to compute with beside GPUs: the machine, and the libraries on it.

No library is imported.
"""

import platform
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import psutil

from mira.cli.doctor.report import Row, gib
from mira.load.plan import install
from mira.machine import ARM, Limits, Processor, cores
from mira.settings import Settings

PACKAGE = "mira-speech"
NEEDED_EXTRAS = {  # engine -> extras
    "openvino": {"cpu"},
    "transformers": {"torch"},
    "torch": {"torch"},
    "lmdeploy": {"cuda", "torch"},
    "lmdeploy-pytorch": {"cuda", "torch"},
}


def machine_rows(
    settings: Settings, engine: str, processor: Processor, limits: Limits, left_bytes: int
) -> Iterator[Row]:
    """Say what there is to compute with.

    Args:
        settings: Say how many threads are wanted.
        engine: That is to speak.
        processor: Of this machine.
        limits: Of this container.
        left_bytes: Of memory.
    """
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    with suppress(OSError, KeyError):
        system = f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {system}"
    yield Row("system", system)
    yield Row("Python", platform.python_version())
    yield Row("processor", processor.name)
    yield _cores(settings, engine, limits)
    yield _instructions(engine, processor)
    whole = psutil.virtual_memory().total
    limited = limits.memory_bytes is not None and limits.memory_bytes < whole
    whole = min(whole, limits.memory_bytes or whole)
    by = ", which is this container's limit" if limited else ""
    yield Row("memory", f"{gib(left_bytes)} free of {gib(whole)}{by}")


def _cores(settings: Settings, engine: str, limits: Limits) -> Row:
    allowed = cores()
    if limits.cpus is None or limits.cpus >= allowed:
        return Row("cores", str(allowed))
    value = f"{allowed}, of which a limit of this container leaves the time of {limits.cpus:g}"
    threads = max(1, int(limits.cpus))
    if engine != "openvino" or 0 < settings.cpu_threads <= threads:
        return Row("cores", value)
    return Row("cores", value, "note", f"set cpu_threads={threads}: more only wait for each other")


def _instructions(engine: str, processor: Processor) -> Row:
    if not processor.kind:
        return Row("instructions", "not known on this system")
    there = ", ".join(processor.features) or "none that matter"
    value = there + "".join(f", no {name}" for name in processor.missing)
    converted = engine == "openvino"
    if "AVX2" in processor.missing:
        advice = "a converted model needs AVX2: take another processor"
        return Row("instructions", value, "problem" if converted else "note", advice)
    if converted and processor.kind == ARM:
        return Row("instructions", value, "note", "a converted model was never measured on ARM")
    if converted and {"VNNI", "bf16"} <= set(processor.missing):
        advice = "the codec computes in float32, its slowest: take a processor with VNNI or bf16"
        return Row("instructions", value, "note", advice)
    return Row("instructions", value)


def version(library: str) -> str | None:
    """Find what is installed of a library; None if nothing is."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def requirements() -> list[str]:
    """Read what Mira requires, as Requires-Dist.

    In a checkout, of today: what was installed knows its own day's.
    """
    file = Path(__file__).parents[3] / "pyproject.toml"
    with suppress(OSError, tomllib.TOMLDecodeError, KeyError):
        project = tomllib.loads(file.read_text("utf-8"))["project"]
        if project["name"] == PACKAGE:
            extras = project["optional-dependencies"].items()
            of_extras = [f'{line}; extra == "{extra}"' for extra, lines in extras for line in lines]
            return [*project["dependencies"], *of_extras]
    return (metadata.requires(PACKAGE) or []) if version(PACKAGE) else []


def library_rows(
    engine: str, requirements: Iterable[str], version_of: Callable[[str], str | None]
) -> dict[str, list[Row]]:
    """Compare what is installed with what Mira was tested with, in the core and in each extra.

    Args:
        engine: That is to speak.
        requirements: Lines of Requires-Dist.
        version_of: What is installed of a library; None if nothing is.
    """
    from packaging.requirements import Requirement  # onnxruntime brings it

    found: dict[str, list[Row]] = {"Libraries": []}
    for line in requirements:
        required = Requirement(line)
        extra = (*re.findall(r"extra == \"([\w-]+)\"", str(required.marker)), "")[0]
        if extra == "dev" or required.name == PACKAGE:
            continue
        name, tested, there = required.name, required.specifier, version_of(required.name)
        row = Row(name, there or "")
        if there is None:
            needed = not extra or extra in NEEDED_EXTRAS.get(engine, ())
            row = Row(name, f"missing ({tested})", "problem" if needed else "note", install(extra))
        elif not tested.contains(there, prereleases=True):
            row = Row(name, f"{there}, tested with {tested}", "note", install(extra))
        found.setdefault(f"Libraries of the extra {extra}" if extra else "Libraries", []).append(
            row
        )
    if not found["Libraries"]:
        found["Libraries"] = [Row("libraries", "Mira isn't installed", "note", install())]
    return found
