"""What there is to compute with beside GPUs: /proc and limits in, findings out."""

import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import psutil

from mira.cli.doctor.report import Row, gib
from mira.machine import Limits
from mira.settings import Settings

# Each feature that Mira's libraries make use of, with the kernel's names of it.
X86 = {
    "AVX2": {"avx2"},
    "AVX-512": {"avx512f"},
    "VNNI": {"avx512_vnni", "avx_vnni"},
    "bf16": {"avx512_bf16", "amx_bf16"},
    "AMX": {"amx_tile"},
}


ARM = {
    "NEON": {"asimd"},
    "dot products": {"asimddp"},
    "8-bit matrices": {"i8mm"},
    "bf16": {"bf16"},
    "SVE": {"sve"},
}


@dataclass(frozen=True, slots=True)
class Processor:
    """What the kernel says of it."""

    model: str
    kind: Literal["x86", "arm", ""]
    features: tuple[str, ...]
    missing: tuple[str, ...]


def read_processor(description: str) -> Processor:
    """Understand /proc/cpuinfo; all its processors are taken to be like the first."""
    first: dict[str, str] = {}
    for line in description.splitlines():
        key, _, value = line.partition(":")
        first.setdefault(key.strip(), value.strip())
    if "flags" in first:
        return _processor(first.get("model name", "unknown"), "x86", first["flags"])
    if "Features" in first:
        part = f"ARM, implementer {first.get('CPU implementer')}, part {first.get('CPU part')}"
        model = first.get("model name") or first.get("Model") or part
        return _processor(model, "arm", first["Features"])
    return Processor(platform.processor() or platform.machine() or "unknown", "", (), ())


def _processor(model: str, kind: Literal["x86", "arm"], flags: str) -> Processor:
    found, known = set(flags.split()), X86 if kind == "x86" else ARM
    features = tuple(name for name, flags in known.items() if flags & found)
    return Processor(model, kind, features, tuple(name for name in known if name not in features))


def machine_rows(
    settings: Settings, engine: str, processor: Processor, limits: Limits, left_bytes: int
) -> Iterator[Row]:
    """What there is to compute with."""
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    with suppress(OSError, KeyError):
        system = f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {system}"
    yield Row("system", system)
    yield Row("Python", platform.python_version())
    yield Row("processor", processor.model)
    yield _cores(settings, engine, limits)
    yield _instructions(engine, processor)
    whole = psutil.virtual_memory().total
    limited = limits.memory_bytes is not None and limits.memory_bytes < whole
    whole = min(whole, limits.memory_bytes or whole)
    by = ", which is this container's limit" if limited else ""
    yield Row("memory", f"{gib(left_bytes)} free of {gib(whole)}{by}")


def _cores(settings: Settings, engine: str, limits: Limits) -> Row:
    allowed = _allowed_cores()
    if limits.cpus is None or limits.cpus >= allowed:
        return Row("cores", str(allowed))
    value = f"{allowed}, of which a limit of this container leaves the time of {limits.cpus:g}"
    threads = max(1, int(limits.cpus))
    if engine != "openvino" or 0 < settings.cpu_threads <= threads:
        return Row("cores", value)
    return Row("cores", value, "note", f"set cpu_threads={threads}: more only wait for each other")


def _allowed_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _instructions(engine: str, processor: Processor) -> Row:
    if not processor.kind:
        return Row("instructions", "not known on this system")
    there = ", ".join(processor.features) or "none that matter"
    value = there + "".join(f", no {name}" for name in processor.missing)
    converted = engine == "openvino"
    if "AVX2" in processor.missing:
        advice = "a converted model needs AVX2: take another processor"
        return Row("instructions", value, "problem" if converted else "note", advice)
    if converted and processor.kind == "arm":
        return Row("instructions", value, "note", "a converted model was never measured on ARM")
    if converted and {"VNNI", "bf16"} <= set(processor.missing):
        advice = "the codec computes in float32, its slowest: take a processor with VNNI or bf16"
        return Row("instructions", value, "note", advice)
    return Row("instructions", value)
