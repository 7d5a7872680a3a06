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

from mira.cli.doctor.report import Report, Row, State, gib
from mira.load.plan import extra_of, install
from mira.machine import ARM, Limits, Processor, cores

PACKAGE = "mira-speech"


def machine_rows(
    engine: str, threads: int, processor: Processor, limits: Limits, left_bytes: int
) -> Iterator[Row]:
    """Say what there is to compute with.

    Args:
        engine: That is to speak.
        threads: Of its step, by the settings.
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
    yield _cores(engine, threads, limits)
    yield _instructions(engine, processor)
    whole = psutil.virtual_memory().total
    limit = limits.memory_bytes or whole
    by = ", which is this container's limit" if limit < whole else ""
    yield Row("memory", f"{gib(left_bytes)} free of {gib(min(whole, limit))}{by}")


def _cores(engine: str, threads: int, limits: Limits) -> Row:
    allowed = cores()
    if limits.cpus is None or limits.cpus >= allowed:
        return Row("cores", str(allowed))
    value = f"{allowed}, of which a limit of this container leaves the time of {limits.cpus:g}"
    most = max(1, int(limits.cpus))
    if engine != "openvino" or 0 < threads <= most:
        return Row("cores", value)
    return Row("cores", value, "note", f"set cpu_threads={most}: more only wait for each other")


def _instructions(engine: str, processor: Processor) -> Row:
    if not processor.kind:
        return Row("instructions", "not known on this system")
    there = ", ".join(processor.features) or "none that matter"
    value = there + "".join(f", no {name}" for name in processor.missing)
    converted = engine == "openvino"
    advice = ""
    if "AVX2" in processor.missing:
        advice = "a converted model needs AVX2: take another processor"
        return Row("instructions", value, "problem" if converted else "note", advice)
    if converted and processor.kind == ARM:
        advice = "a converted model was never measured on ARM"
    elif converted and {"VNNI", "bf16"} <= {*processor.missing}:
        advice = "the codec computes in float32, its slowest: take a processor with VNNI or bf16"
    return Row("instructions", value, "note" if advice else "ok", advice)


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
) -> Report:
    """Compare what is installed with what Mira was tested with, in the core and in each extra.

    Args:
        engine: That is to speak.
        requirements: Lines of Requires-Dist.
        version_of: What is installed of a library; None if nothing is.
    """
    from packaging.requirements import Requirement  # onnxruntime brings it

    needed = {"", extra_of(engine)} | ({"torch"} if extra_of(engine) == "cuda" else set())
    found: Report = {"Libraries": []}
    for line in requirements:
        required = Requirement(line)
        name, tested = required.name, required.specifier
        extra = (*re.findall(r'extra == "([\w-]+)"', str(required.marker)), "")[0]
        if extra == "dev" or name == PACKAGE:
            continue
        there = version_of(name)
        row = Row(name, there or "")
        if there is None:
            state: State = "problem" if extra in needed else "note"
            row = Row(name, f"missing ({tested})", state, install(extra))
        elif not tested.contains(there, prereleases=True):
            row = Row(name, f"{there}, tested with {tested}", "note", install(extra))
        title = f"Libraries of the extra {extra}" if extra else "Libraries"
        found.setdefault(title, []).append(row)
    nothing = Row("libraries", "Mira isn't installed", "note", install())
    return found if found["Libraries"] else {"Libraries": [nothing]}
