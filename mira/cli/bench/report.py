"""Rows in, a table and one JSON line out.

Knows nothing about what was measured.
"""

import json
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from mira.machine import cores, processor_here


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Interpolate between neighbours; None of no values."""
    return float(np.percentile(np.asarray(values), percent)) if values else None


def report(name: str, rows: Sequence[Mapping[str, object]], about: Mapping[str, object]) -> None:
    """Print a table for people, then a line for scripts.

    Args:
        name: Of the bench.
        rows: At least one; all have the same columns.
        about: What was measured, for the line above the table and the JSON.
    """
    where = {
        "cpu": processor_here().name,
        "cores": cores(),
        "python": platform.python_version(),
        "version": version("mira-speech"),
        "commit": _commit(),
    }
    told = "".join(f", {key} {value}" for key, value in about.items() if value != "")
    print(f"\n{name}: {where['cpu']}, {where['cores']} cores, commit {where['commit']}{told}")
    columns = list(rows[0])
    shown = [[_show(row[column]) for column in columns] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(columns, *shown)]
    for cells in [columns, *shown]:
        print("  ".join(cell.rjust(width) for cell, width in zip(cells, widths)))
    print(json.dumps({"bench": name, **where, **about, "rows": rows}), flush=True)


def _commit() -> str:
    """Find the commit of the checkout that this file is in, if it is in one."""
    checkout = Path(__file__).parents[3]
    git = shutil.which("git") if (checkout / ".git").exists() else None
    if git is None:
        return "unknown"
    command = [git, "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def _show(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return ", ".join(f"{count} {kind}" for kind, count in value.items()) or "0"
        case float():
            return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
        case _:
            return str(value)
