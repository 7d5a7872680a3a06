"""What there is to compute with beside GPUs: /proc and control groups in, findings out."""

import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from mira.doctor.report import Row, gib
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


@dataclass(frozen=True, slots=True)
class Limits:
    """Of this process's control groups, all of them together: what a container may use."""

    cpus: float | None = None  # processors' time
    memory_bytes: int | None = None
    memory_left_bytes: int | None = None  # files that are only cached don't count as used


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


def read_limits(groups: str, root: Path) -> Limits:
    """Find what control groups allow, in either version.

    Args:
        groups: /proc/self/cgroup.
        root: Where they are mounted.
    """
    of: dict[str, str] = {}  # controller -> its group; "" is version 2's one for all
    for line in groups.splitlines():
        _, controllers, group = (*line.split(":", 2), "", "")[:3]
        of |= dict.fromkeys(controllers.split(","), group)
    cpus: list[float] = []
    memory: list[tuple[int, int]] = []  # limit, left of it
    for folder in _levels(root, of.get("")):
        cpus += _share(_numbers(folder / "cpu.max"))
        memory += _memory(folder, "memory.max", "memory.current", "inactive_file")
    for folder in _levels(root / "cpu", of.get("cpu")):
        quota = _numbers(folder / "cpu.cfs_quota_us") + _numbers(folder / "cpu.cfs_period_us")
        cpus += _share(quota)
    for folder in _levels(root / "memory", of.get("memory")):
        memory += _memory(
            folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
        )
    return Limits(
        min(cpus, default=None),
        min((limit for limit, _ in memory), default=None),
        min((left for _, left in memory), default=None),
    )


def _levels(root: Path, group: str | None) -> Iterator[Path]:
    """A group and those around it: each may be the tightest.

    In a container the group's name may be the host's; then only the root is there.
    """
    if group is not None:
        own = root / group.strip("/")
        yield from (path for path in (own, *own.parents) if path.is_relative_to(root))


def _numbers(path: Path) -> list[int]:
    try:
        return [int(word) for word in path.read_text().split() if word.lstrip("-").isdigit()]
    except (OSError, ValueError):
        return []


def _share(quota_and_period: list[int]) -> list[float]:
    quota, period = (*quota_and_period, 0, 0)[:2]  # "max", of version 2, is no number
    return [quota / period] if quota > 0 and period > 0 else []


def _memory(folder: Path, limit: str, usage: str, cached: str) -> list[tuple[int, int]]:
    most, used = (*_numbers(folder / limit), 0)[0], (*_numbers(folder / usage), 0)[0]
    if not 0 < most < 1 << 60:  # version 1 says nearly 2**63 for none
        return []
    with suppress(OSError, ValueError):
        files = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        used -= int(files.get(cached, 0))
    return [(most, max(0, most - used))]


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
