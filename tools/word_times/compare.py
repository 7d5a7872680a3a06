"""Two ideas of when words are heard in, how far apart they are out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mira.cli.bench.report import percentile
from tools.word_times.listeners import Told
from tools.word_times.spoken import Speech, Times

PAUSE_S = 0.12  # longer than the closure of a stop
_QUIET = 10 ** (-45 / 20)  # of the loudest
NEAR_S = 0.2  # more than that, and it is between other words
_STEP_S = 0.005


@dataclass(frozen=True, slots=True)
class Error:
    """How far off a word was, in seconds; NaN where it can't be said."""

    speech: Speech
    index: int
    start_s: float
    stop_s: float


def errors(speech: Speech, found: Times, truth: Times) -> list[Error]:
    """Compare the words one by one."""
    return [Error(speech, index, *map(float, off)) for index, off in enumerate(found - truth)]


def row(kind: str, found: Sequence[Error], told: Sequence[Told] = ()) -> dict[str, object]:
    """Return a row of a table; what was missed counts no error."""
    made: dict[str, object] = {"compared": kind, "words": len(found)}
    for edge, seconds in (
        ("start", [error.start_s for error in found]),
        ("end", [error.stop_s for error in found]),
    ):
        off = [1000 * value for value in seconds if not np.isnan(value)]
        made[f"{edge}s"] = len(off)
        made[f"{edge} p50 ms"] = _percentile([*map(abs, off)], 50)
        made[f"{edge} p95 ms"] = _percentile([*map(abs, off)], 95)
        made[f"{edge} bias ms"] = _percentile(off, 50)
    return made | _telling(told)


def _telling(told: Sequence[Told]) -> dict[str, object]:
    if not told:
        return dict.fromkeys(("missed", "estimated", "corrected", "told p50 ms", "told p95 ms"))
    after = [
        1000 * float(late)
        for one in told
        for late in one.told_s - one.times[:, 1]
        if not np.isnan(late)
    ]
    return {
        "missed": sum(int(np.isnan(one.times[:, 0]).sum()) for one in told),
        "estimated": sum(one.estimated for one in told),
        "corrected": sum(len(one.corrected) for one in told),
        "told p50 ms": _percentile(after, 50),
        "told p95 ms": _percentile(after, 95),
    }


def _percentile(values: Sequence[float], percent: float) -> float | None:
    """To a tenth of a millisecond."""
    found = percentile(values, percent)
    return None if found is None else round(found, 1) + 0.0


def pauses(speech: Speech, about: Times) -> Times:
    """Return [words, 2] where it is plain: beside a silence.

    Args:
        about: Roughly when the words are heard, to tell between which of them each silence is.
    """
    plain = np.full_like(about, np.nan)
    quiet = _quiet_runs(speech)
    plain[0, 0], plain[-1, 1] = quiet[0][1], quiet[-1][0]
    stops, starts = about[:-1, 1], about[1:, 0]
    stops, starts = (
        np.where(np.isnan(stops), starts, stops),
        np.where(np.isnan(starts), stops, starts),
    )
    between = (stops + starts) / 2
    for start_s, stop_s in quiet[1:-1]:
        if stop_s - start_s < PAUSE_S or np.isnan(between).all():
            continue
        off = np.maximum(np.maximum(start_s - between, between - stop_s), 0)
        place = int(np.nanargmin(off))
        if off[place] < NEAR_S:
            plain[place, 1], plain[place + 1, 0] = start_s, stop_s
    return plain


def _quiet_runs(speech: Speech) -> list[tuple[float, float]]:
    """Return all silences, the first at the beginning and the last at the end, however short."""
    step = int(_STEP_S * speech.sample_rate)
    frames = len(speech.samples) // step
    peaks = np.abs(speech.samples[: frames * step]).reshape(frames, step).max(axis=1)
    loud = np.flatnonzero(peaks > _QUIET * peaks.max())
    steps = [(0, loud[0]), *zip(loud[:-1] + 1, loud[1:]), (loud[-1] + 1, frames)]
    runs = [(a * _STEP_S, b * _STEP_S) for a, b in steps]
    return [runs[0], *(run for run in runs[1:-1] if run[1] > run[0]), runs[-1]]


def unbiased(found: Iterable[Error]) -> list[Error]:
    """Return errors less their median: what is left of a listener who is always late."""
    held = list(found)
    start_s = float(np.nanmedian([error.start_s for error in held]))
    stop_s = float(np.nanmedian([error.stop_s for error in held]))
    return [
        Error(error.speech, error.index, error.start_s - start_s, error.stop_s - stop_s)
        for error in held
    ]
