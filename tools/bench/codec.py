"""The codec alone: random speech tokens of a random voice, rendered as streams are, and whole.

Hz              16000 without the upsampler, 48000 with it
way             live: for somebody who listens, with tokens coming at LIVE_TOKENS_PER_S; file: for
                somebody who has time; both with the default `Window`; whole: in one pass
compute/audio   seconds for each second of audio
over whole      compute seconds / those of whole
chunks          rendered, one after another
first chunk ms  to compute it; its tokens are there
prenet frames   frames computed / frames rendered: what the codec is handed, contexts included
wave frames     the same for the wave generator, which needs less context

Medians. Time between tokens is not waited for, only reckoned with. Frames are counted as they are
handed over: a codec that keeps state instead of computing contexts again has a lower `over whole`
than they suggest.
"""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from statistics import median
from typing import cast

from mira.cli.bench.report import report
from mira.load.parts import load_parts
from mira.model.codec.base import (
    FRAME_RATE,
    GLOBAL_CODES,
    GLOBAL_TOKENS,
    SPEECH_CODES,
    WAVE_CONTEXT,
    Codec,
    Span,
    Speaker,
)
from mira.model.codec.stream import StreamingDecoder, Window
from mira.settings import load_settings
from mira.stream.playback import Playback
from mira.types import Samples

LIVE_TOKENS_PER_S = 75.0  # a language model that is one and a half times as fast as it must be

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One run: seconds computed, and frames that were."""

    chunks: int
    compute_s: float
    first_s: float
    prenet_frames: int
    wave_frames: int


@dataclass(slots=True)
class Clock:
    """A clock that is set."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass(slots=True)
class Counted:
    """The half of a `Codec` that renders, and what it was asked for."""

    codec: Codec
    spans: list[Span] = field(default_factory=list)

    def decode(self, spans: Sequence[Span]) -> list[Samples]:
        """See `Codec`."""
        self.spans += spans
        return self.codec.decode(spans)


def main(model: str, seconds: float = 10.0, rounds: int = 3) -> None:
    """Measure the codec alone, in windows and whole, with and without upsampler.

    Args:
        model: As in the setting of this name.
        seconds: Of audio to render.
        rounds: Measured, after one that is not.
    """
    rows: list[Row] = []
    for upsample in (False, True):
        settings = load_settings(flags={"model": model, "upsample": upsample})[0]
        with closing(load_parts(settings)) as parts:
            if rows and parts.codec.sample_rate == rows[0]["Hz"]:
                continue  # it has no upsampler
            rows += measure(parts.codec, round(seconds * FRAME_RATE), rounds)
    report("codec", rows, {"model": model, "seconds": seconds})


def measure(codec: Codec, num_frames: int, rounds: int) -> list[Row]:
    """Measure one codec in every way."""
    dice = random.Random(0)
    tokens = [dice.randrange(SPEECH_CODES) for _ in range(num_frames)]
    speaker = codec.speaker([dice.randrange(GLOBAL_CODES) for _ in range(GLOBAL_TOKENS)])
    ways = {
        "live": (Window(), True),
        "file": (Window(), False),
        "whole": (Window(first=num_frames, steady=num_frames), False),
    }
    found = {
        way: [render(codec, tokens, speaker, *how) for _ in range(rounds + 1)][1:]
        for way, how in ways.items()
    }
    whole_s = median(one.compute_s for one in found["whole"])
    return [
        {
            "Hz": codec.sample_rate,
            "way": way,
            "compute/audio": median(one.compute_s for one in runs) / (num_frames / FRAME_RATE),
            "over whole": median(one.compute_s for one in runs) / whole_s,
            "chunks": median(one.chunks for one in runs),
            "first chunk ms": median(one.first_s for one in runs) * 1000,
            "prenet frames": median(one.prenet_frames for one in runs) / num_frames,
            "wave frames": median(one.wave_frames for one in runs) / num_frames,
        }
        for way, runs in found.items()
    ]


def render(
    codec: Codec, tokens: Sequence[int], speaker: Speaker, window: Window, live: bool
) -> Rendered:
    """Render tokens for a listener whose clock goes on with tokens and with computing alone."""
    clock = Clock()
    counted = Counted(codec)
    playback = Playback(live, now=clock)
    # A stream asks its codec for nothing but `decode`.
    decoder = StreamingDecoder(cast("Codec", counted), speaker, window, playback)
    computed: list[float] = []

    def take(blocks: Iterator[Samples], took_s: float) -> None:
        for block in blocks:
            computed.append(took_s)
            clock.now_s += took_s
            playback.takes(len(block) / codec.sample_rate)

    for number, token in enumerate(tokens, 1):
        clock.now_s = max(clock.now_s, number / LIVE_TOKENS_PER_S)
        began = time.perf_counter()
        blocks = decoder.push(token)
        take(blocks, time.perf_counter() - began)
    began = time.perf_counter()
    blocks = decoder.flush()
    take(blocks, time.perf_counter() - began)
    return Rendered(
        chunks=len(computed),
        compute_s=sum(computed),
        first_s=computed[0],
        prenet_frames=sum(len(span.tokens) for span in counted.spans),
        wave_frames=sum(
            min(span.stop + WAVE_CONTEXT, len(span.tokens)) - max(span.start - WAVE_CONTEXT, 0)
            for span in counted.spans
        ),
    )
