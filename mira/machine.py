"""What this machine is, and what this process may use of it: /proc and control groups, understood.

Knows nothing of what it is wanted for.
"""

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

PROC, SYS = Path("/proc"), Path("/sys")
X86, ARM = "x86", "arm"
FEATURES = {  # that Mira's libraries make use of -> the kernel's names, of which one is enough
    X86: {
        "AVX2": {"avx2"},
        "AVX-512": {"avx512f"},
        "VNNI": {"avx512_vnni", "avx_vnni"},  # sums of products of 8 bits without overflow
        "bf16": {"avx512_bf16", "amx_bf16"},
        "AMX": {"amx_tile"},
    },
    ARM: {
        "NEON": {"asimd"},
        "dot products": {"asimddp"},
        "8-bit matrices": {"i8mm"},
        "bf16": {"bf16"},
        "SVE": {"sve"},
    },
}


@dataclass(frozen=True, slots=True)
class Processor:
    """What the kernel says of it."""

    name: str
    kind: str = ""  # X86, ARM or not known
    features: tuple[str, ...] = ()  # those of FEATURES that it has
    missing: tuple[str, ...] = ()  # and those that it lacks; where nothing is known, both are empty


@dataclass(frozen=True, slots=True)
class Limits:
    """What this process's control groups allow, all of them together: a container's limits."""

    cpus: float | None = None  # processors' time
    memory_bytes: int | None = None
    memory_left_bytes: int | None = None  # files that are only cached don't count as used


def processor_here(proc: Path = PROC) -> Processor:
    """Find what computes here; all processors are taken to be like the first."""
    first: dict[str, str] = {}
    for line in read(proc / "cpuinfo").splitlines():
        key, _, value = line.partition(":")
        first.setdefault(key.strip(), value.strip())
    name = first.get("model name") or first.get("Model")
    if "flags" in first:
        kind, flags = X86, {*first["flags"].split()}
    elif "Features" in first:
        kind, flags = ARM, {*first["Features"].split()}
        maker, part = first.get("CPU implementer"), first.get("CPU part")
        name = name or f"ARM, implementer {maker}, part {part}"
    else:
        return Processor(name or platform.processor() or platform.machine() or "unknown")
    has = {feature: bool(any_of & flags) for feature, any_of in FEATURES[kind].items()}
    return Processor(
        name or "unknown",
        kind,
        tuple(feature for feature in has if has[feature]),
        tuple(feature for feature in has if not has[feature]),
    )


def cores() -> int:
    """Count the processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory(limits: Limits) -> int:
    """Count the bytes that may be taken here without waiting for anybody to give some back."""
    free = int(psutil.virtual_memory().available)
    left = limits.memory_left_bytes
    return free if left is None else min(free, left)


def limits_here(proc: Path = PROC, sys: Path = SYS) -> Limits:
    """Find what this process's control groups allow, in either version."""
    groups: dict[str, str] = {}  # controller -> its group; "" is version 2's one for all
    for line in read(proc / "self" / "cgroup").splitlines():
        _, controllers, group = (*line.split(":", 2), "", "")[:3]
        groups |= dict.fromkeys(controllers.split(","), group)
    cpus: list[float] = []
    memory: list[tuple[int, int]] = []  # limit, left of it
    for controller in {"", "cpu", "memory"} & groups.keys():
        for folder in _levels(sys / "fs" / "cgroup" / controller, groups[controller]):
            cpus += _share(folder)
            memory += _memory(folder)
    return Limits(
        min(cpus, default=None),
        min((limit for limit, _ in memory), default=None),
        min((left for _, left in memory), default=None),
    )


def read(path: Path) -> str:
    """Read a file of the system's; empty if that can't be done."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _levels(root: Path, group: str) -> Iterator[Path]:
    """Yield a group and those around it: each may be the tightest.

    In a container the group's name may be the host's; then only the root is there.
    """
    own = root / group.strip("/")
    return (path for path in (own, *own.parents) if path.is_relative_to(root))


def _numbers(folder: Path, *files: str) -> list[int]:
    """Read all numbers in files of a group, of which each version has its own; "max" is none."""
    words = " ".join(read(folder / name) for name in files).split()
    return [int(word) for word in words if word.lstrip("-").isdecimal()]


def _share(folder: Path) -> list[float]:
    found = _numbers(folder, "cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us")
    quota, period = (*found, 0, 0)[:2]
    return [quota / period] if quota > 0 and period > 0 else []


def _memory(folder: Path) -> list[tuple[int, int]]:
    most = (*_numbers(folder, "memory.max", "memory.limit_in_bytes"), 0)[0]
    used = (*_numbers(folder, "memory.current", "memory.usage_in_bytes"), 0)[0]
    if not 0 < most < 1 << 60:  # version 1 says nearly 2**63 for none
        return []
    lines = map(str.split, read(folder / "memory.stat").splitlines())
    cached = {line[0]: int(line[1]) for line in lines if len(line) == 2 and line[1].isdecimal()}
    used -= cached.get("total_inactive_file", cached.get("inactive_file", 0))  # version 1 has both
    return [(most, max(0, most - used))]
