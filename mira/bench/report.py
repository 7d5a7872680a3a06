"""Rows in, a table and one JSON line out."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence

import numpy as np


def machine() -> dict[str, object]:
    """Where and of what this was measured."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in open("/proc/cpuinfo", encoding="utf-8")  # noqa: PTH123, SIM115
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "commit": commit.stdout.strip() or "unknown",
    }


def percentile(values: Sequence[float], percent: float) -> float:
    """Linear between neighbours; values must not be empty."""
    return float(np.percentile(np.asarray(values), percent))


def report(name: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Print the table for people, then the line for scripts."""
    where = machine()
    print(f"\n{name}: {where['cpu']}, {where['cores']} cores, commit {where['commit']}")
    columns = list(rows[0])
    shown = [[_show(row[column]) for column in columns] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(columns, *shown)]
    for cells in [columns, *shown]:
        print("  ".join(cell.rjust(width) for cell, width in zip(cells, widths)))
    print(json.dumps({"bench": name, **where, "rows": rows}), flush=True)


def _show(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) and abs(value) < 100 else _whole(value)


def _whole(value: object) -> str:
    return f"{value:.0f}" if isinstance(value, float) else str(value)
