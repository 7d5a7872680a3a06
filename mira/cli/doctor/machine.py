"""What there is to compute with beside GPUs: /proc and limits in, findings out."""

import platform
from collections.abc import Iterator
from contextlib import suppress

import psutil

from mira.cli.doctor.report import Row, gib
from mira.machine import ARM, Limits, Processor, cores
from mira.settings import Settings


def machine_rows(
    settings: Settings, engine: str, processor: Processor, limits: Limits, left_bytes: int
) -> Iterator[Row]:
    """What there is to compute with."""
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
