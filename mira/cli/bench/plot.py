"""The rows of `load` in, a picture out: what listeners wait for, and what breaks, over the rate.

Knows nothing about how the rows were measured.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mira.errors import InvalidRequest, InvalidSettings
from mira.load.plan import install


def check_plot(path: Path) -> None:
    """Find out before anything is measured whether `plot` will work.

    Raises:
        InvalidSettings: matplotlib is not installed.
        InvalidRequest: No file can be made there.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise InvalidSettings(f"--plot: {error}. Install it {install('bench')}") from error
    if path.suffix.lower() != ".png":
        raise InvalidRequest(f"--plot {path}: the picture is a PNG: end its name in .png.")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise InvalidRequest(f"--plot {path}: no file can be made in {path.parent}.")


def plot(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the rows of `load.main` into a PNG file."""
    from matplotlib.figure import Figure  # not pyplot: no window, nothing global

    figure = Figure(figsize=(8, 7), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    lines = [
        *((above, f"TTFA p{percent} ms", "o") for percent in (50, 95, 99)),
        *((below, *line) for line in (("underruns", "o"), ("429", "s"), ("errors", "x"))),
    ]
    for axes, column, marker in lines:
        values = [row[column] for row in rows]
        counts = [sum(value.values()) if isinstance(value, dict) else value for value in values]
        drawn = [float("nan") if count is None else count for count in counts]  # leaves a gap
        axes.plot([row["rate"] for row in rows], drawn, marker=marker, label=column)
    above.set(ylabel="audible time to first audio, ms", ylim=(0, None))
    below.set(xlabel="requests a second", ylabel="count", ylim=(0, None))
    for axes in (above, below):
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, format="png", dpi=120)
