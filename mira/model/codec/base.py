"""The seam between tokens and sound: spans of speech tokens in, samples out.

Knows nothing about how the samples are computed. Source of the numbers: BiCodec, Spark-TTS,
arXiv:2503.01710; the contexts follow from its kernels and dilations.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mira.errors import InvalidRequest, SynthesisFailed
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.types import Samples

FRAME_RATE = 50  # speech tokens a second
SAMPLES_PER_FRAME = 320  # at 16 kHz
SPEECH_CODES = 8192  # a speech token is in [0, SPEECH_CODES)
GLOBAL_TOKENS = 32  # tokens that name a speaker
GLOBAL_CODES = 4096  # each is in [0, GLOBAL_CODES)

# How far one output depends on its neighbours, on each side alike. Nothing between tokens and
# samples looks further, so a span with this much context equals the whole.
PRENET_CONTEXT = 57  # frames
WAVE_CONTEXT = 10  # frames
CONTEXT = PRENET_CONTEXT + WAVE_CONTEXT  # frames
UPSAMPLER_CONTEXT = 30  # samples at 16 kHz; 28 leave an error of -221 dB


@dataclass(frozen=True, slots=True, eq=False)
class Speaker:
    """All that the decoder needs to know of a voice: computed once, then passed along."""

    d_vector: npt.NDArray[np.float32] = field(repr=False)  # [channels]
    # Of the prenet's adaptive norms, [norms, prenet channels].
    scale: npt.NDArray[np.float32] = field(repr=False)
    shift: npt.NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Span:
    """Frames to render, among the neighbours that they depend on."""

    tokens: Sequence[int]  # up to CONTEXT frames before `start` and from `stop` on
    speaker: Speaker
    start: int  # the first frame to render, an index into `tokens`
    stop: int  # one past the last
    playback: Playback | None = field(default=None, compare=False)  # who waits for them, if known
    cancel: Cancel | None = field(default=None, compare=False)  # ends their wait, if known

    def __post_init__(self) -> None:
        """Raise ValueError for a span that renders nothing."""
        if not 0 <= self.start < self.stop <= len(self.tokens):
            raise ValueError(
                f"frames {self.start} to {self.stop} of {len(self.tokens)} can't be rendered"
            )


class Codec(Protocol):
    """Renders tokens, and recognises speakers; safe to use from several threads at once."""

    @property
    def sample_rate(self) -> int:
        """Rate of the samples that `decode` returns, in Hz."""

    @property
    def samples_per_frame(self) -> int:
        """Samples in one frame, which lasts 1 / FRAME_RATE s."""

    def encode(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        """Find the global tokens of whoever speaks in a reference recording.

        Args:
            samples: [num_samples] mono, in [-1, 1]; the first six seconds count.
            sample_rate: Of `samples`, in Hz.

        Returns:
            GLOBAL_TOKENS ids, each in [0, GLOBAL_CODES).

        Raises:
            InvalidRequest: The recording is empty, or not made of finite numbers.
        """

    def speech_tokens(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        """Find the speech tokens that a whole reference recording would be spoken with.

        Args:
            samples: [num_samples] mono, in [-1, 1].
            sample_rate: Of `samples`, in Hz.

        Returns:
            FRAME_RATE ids a second, each in [0, SPEECH_CODES); none from a codec that was loaded
            without what finds them.

        Raises:
            InvalidRequest: The recording is shorter than a frame, or not made of finite numbers.
        """

    def speaker(self, global_tokens: Sequence[int]) -> Speaker:
        """Compute what depends on the voice alone.

        Raises:
            InvalidRequest: Not GLOBAL_TOKENS ids in [0, GLOBAL_CODES).
        """

    def decode(self, spans: Sequence[Span]) -> list[Samples]:
        """Render spans of any streams, speakers and lengths together; each as if it were alone.

        Where a span's tokens end, silence is taken to begin, as at the edges of an utterance:
        samples nearer than CONTEXT frames to an edge that isn't one are approximate.

        Returns:
            For each span [(stop - start) * samples_per_frame], nominally in [-1, 1].

        Raises:
            SynthesisFailed: A token is outside its codebook, or the computation broke.
        """

    @property
    def failure(self) -> str:
        """Why only a new process can render again; empty as long as this one may."""

    def close(self) -> None:
        """Stop what runs for it, when nobody needs it any more. May be called again."""


def check_speech_tokens(tokens: Sequence[int]) -> None:
    """Raise SynthesisFailed unless each token is in [0, SPEECH_CODES)."""
    if wrong := [token for token in tokens if not 0 <= token < SPEECH_CODES]:
        raise SynthesisFailed(
            f"speech token {wrong[0]} is outside the codebook of {SPEECH_CODES} rows"
        )


def check_global_tokens(tokens: Sequence[int]) -> None:
    """Raise InvalidRequest unless there are GLOBAL_TOKENS of them, each in [0, GLOBAL_CODES)."""
    if len(tokens) != GLOBAL_TOKENS:
        raise InvalidRequest(
            f"a voice has {GLOBAL_TOKENS} global tokens, found {len(tokens)}", "global_tokens"
        )
    if wrong := [token for token in tokens if not 0 <= token < GLOBAL_CODES]:
        raise InvalidRequest(
            f"global token {wrong[0]} is outside [0, {GLOBAL_CODES})", "global_tokens"
        )
