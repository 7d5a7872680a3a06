"""/proc and control groups in, what this process may use of the machine, out.

Knows nothing of what it is wanted for.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Limits:
    """Of this process's control groups, all of them together: what a container may use."""

    cpus: float | None = None  # processors' time
    memory_bytes: int | None = None
    memory_left_bytes: int | None = None  # files that are only cached don't count as used


def limits_here(proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> Limits:
    """Find what this process's control groups allow."""
    try:
        groups = (proc / "self" / "cgroup").read_text("utf-8", "replace")
    except OSError:  # not Linux
        groups = ""
    return read_limits(groups, sys / "fs" / "cgroup")


def free_memory(limits: Limits) -> int:
    """Bytes that may be taken here without waiting for anybody to give some back."""
    free = int(psutil.virtual_memory().available)
    left = limits.memory_left_bytes
    return free if left is None else min(free, left)


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
