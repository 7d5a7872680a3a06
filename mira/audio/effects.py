"""Samples in, samples of another pace, volume and rate out.

Knows nothing about formats. Pace and rate are changed by FFmpeg, in one filter graph for the life
of a stream: a filter that restarts clicks.
"""

import math
from collections.abc import Iterator

import av
import numpy as np
from av.filter import Graph

from mira.audio.pcm import finite
from mira.errors import InvalidRequest, SynthesisFailed
from mira.types import Samples

PACE_RANGE = (0.0625, 16.0)
"""Lowest and highest pace: a speed and a tempo, each 0.25 to 4, multiplied."""

VOLUME_RANGE = (0.0, 10.0)
"""Lowest and highest volume: silence and +20 dB."""

# Half the resampler's filter length is its delay (4 ms at 8 kHz). These leave 3.4 kHz flat within
# 0.01 dB when going to 8 kHz, and 94 dB less of what is above 4 kHz; FFmpeg's defaults leave a
# thousandth of its energy, -31 dB, as a hiss of mirrored consonants.
_RESAMPLER = "filter_size=64:cutoff=0.93:kaiser_beta=8"

_KNEE = 0.8
_NOTHING: Samples = np.zeros(0, np.float32)


class Effects:
    """Pace, volume and sample rate of one stream. `push` until done, `flush`, drop it.

    The joined output depends only on the joined input, never on how it was cut, and has
    round(n / pace * target_rate / source_rate) samples for n. With nothing to change, samples
    pass through as they are. Output lags by 4 ms when resampling; by 60 to 120 ms of input at
    half to double pace, and up to 320 ms at a quarter to four times.

    Args:
        source_rate: Of the samples pushed, Hz.
        target_rate: Of the samples returned, Hz.
        pace: How many times faster, in `PACE_RANGE`; the pitch stays.
        volume: Factor, in `VOLUME_RANGE`. Above 1, what would go over full scale is rounded off
            rather than clipped.

    Raises:
        InvalidRequest: Pace or volume is out of range.
    """

    def __init__(
        self, source_rate: int, *, target_rate: int, pace: float = 1.0, volume: float = 1.0
    ) -> None:
        for name, value, (lowest, highest) in (
            ("pace", pace, PACE_RANGE),
            ("volume", volume, VOLUME_RANGE),
        ):
            if not lowest <= value <= highest:  # NaN fails it too
                raise InvalidRequest(f"{name} is {value}; it must be {lowest} to {highest}.", name)
        self._volume = np.float32(volume)
        self._pace = pace
        self._ahead_s = _ahead_s(source_rate, pace)
        self._source_rate = source_rate
        self._samples_out_per_in = target_rate / source_rate / pace
        # Several `atempo` in a row look for their next splice in what has arrived, so their
        # output depends on how the input was cut. Equal blocks of 20 ms take that away.
        self._block_samples = source_rate // 50 if pace != 1 else None
        self._pending = _NOTHING
        self._num_in = self._num_fed = self._num_out = 0
        changed = pace != 1 or source_rate != target_rate
        self._graph = _build(source_rate, target_rate, pace) if changed else None

    def heard_s(self, spoken_s: float) -> float:
        """Return when a moment of the samples pushed is heard in those returned, in seconds."""
        if self._pace >= 1:
            return spoken_s / self._pace
        return max(spoken_s, (spoken_s - self._ahead_s) / self._pace)

    def push(self, samples: Samples) -> Samples:
        """Change [num_samples] float32; return what is final, often none or fewer."""
        if self._graph is None and self._volume == 1:
            return samples
        samples = finite(samples)
        if self._volume != 1:
            samples = _amplify(samples, self._volume)
        return samples if self._graph is None else self._stretched(self._graph, samples)

    def flush(self) -> Samples:
        """End the stream and return the samples still inside.

        Pushes the last ones out with silence and cuts to the exact number. Ending the graph instead
        would lose up to 60 ms: `atempo` drops part of its last window.
        """
        if self._graph is None:
            return _NOTHING
        missing = round(self._num_in * self._samples_out_per_in) - self._num_out
        silence = np.zeros(self._source_rate // 50, np.float32)
        tail = [_NOTHING]
        while sum(map(len, tail)) < missing:
            tail.append(self._stretched(self._graph, silence))
        return np.concatenate(tail)[: max(missing, 0)]

    def _stretched(self, graph: Graph, samples: Samples) -> Samples:
        self._num_in += len(samples)
        filtered = [_NOTHING]
        for block in self._cut(samples):
            filtered += self._filtered(graph, block)
        joined = np.concatenate(filtered)
        self._num_out += len(joined)
        return joined

    def _cut(self, samples: Samples) -> Iterator[Samples]:
        if self._block_samples is None:
            if len(samples):
                yield samples
            return
        samples = np.concatenate([self._pending, samples])
        num_whole = len(samples) // self._block_samples * self._block_samples
        self._pending = samples[num_whole:].copy()
        yield from samples[:num_whole].reshape(-1, self._block_samples)

    def _filtered(self, graph: Graph, block: Samples) -> Iterator[Samples]:
        frame = av.AudioFrame.from_ndarray(block[np.newaxis], format="flt", layout="mono")
        frame.sample_rate = self._source_rate
        frame.pts = self._num_fed
        self._num_fed += len(block)
        try:
            graph.push(frame)
            while True:
                yield graph.pull().to_ndarray()[0]
        except av.BlockingIOError:
            return  # it has no more until more is pushed
        except av.FFmpegError as error:
            raise SynthesisFailed(f"The audio could not be filtered: {error}") from error


def _build(source_rate: int, target_rate: int, pace: float) -> Graph:
    graph = Graph()
    graph.threads = 1  # no filter here could use more, but a pool would be started
    nodes = [graph.add_abuffer(sample_rate=source_rate, format="flt", layout="mono")]
    num_stages = _num_stages(pace)
    nodes += [graph.add("atempo", f"{pace ** (1 / num_stages):.9f}") for _ in range(num_stages)]
    if target_rate != source_rate:
        nodes.append(graph.add("aresample", f"{target_rate}:{_RESAMPLER}"))
    nodes.append(graph.add("aformat", f"sample_fmts=flt:sample_rates={target_rate}"))
    nodes.append(graph.add("abuffersink"))
    graph.link_nodes(*nodes).configure()
    return graph


def _num_stages(pace: float) -> int:
    """One `atempo` does 0.5 to 2 well: below it is refused, above it leaves words out."""
    return math.ceil(abs(math.log2(pace)))


def _ahead_s(sample_rate: int, pace: float) -> float:
    """Return how much of what should come next is heard already.

    Slowing down, `atempo` reads ahead from its second splice on, by about a quarter of its window,
    which is a power of two of at least 1/24 s; each further stage adds a quarter of that. Measured
    on speech at 1/8 to 0.9 of its pace and four rates. Faster, it keeps time.
    """
    if pace >= 1:
        return 0.0
    window_s = 2.0 ** math.ceil(math.log2(sample_rate // 24)) / sample_rate
    return window_s / 4 * (1 + (_num_stages(pace) - 1) / 4)


def _amplify(samples: Samples, volume: np.float32) -> Samples:
    """Multiply; above 1, bend what is over 0.8 of full scale so that it never exceeds it.

    Sample by sample, so it neither looks ahead nor pumps; only +, * and /, so that a sample's
    neighbours can't change its last bit.
    """
    # The limit keeps the product a number, whatever a model emits.
    louder = np.clip(samples, -1e6, 1e6) * volume
    if volume <= 1:
        return louder
    over = np.maximum(np.abs(louder) - np.float32(_KNEE), 0) / np.float32(1 - _KNEE)
    bent = np.float32(_KNEE) + np.float32(1 - _KNEE) * over / (1 + over)
    return np.where(over > 0, np.copysign(bent, louder), louder)
