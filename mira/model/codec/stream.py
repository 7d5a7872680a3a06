"""Speech tokens in, one at a time; final samples out, a chunk at a time.

The larger a chunk, the less is computed twice for it; the smaller, the sooner it is heard. So the
first one is short, and later ones as large as the listener's patience: a chunk is rendered when
it would otherwise come too late.

Knows nothing about where the tokens come from or who listens. Source: the receptive field of
BiCodec, Spark-TTS, arXiv:2503.01710.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mira.model.codec.base import CONTEXT, WAVE_CONTEXT, Codec, Span, Speaker
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.types import Samples

MARGIN_S = 0.1  # before a listener runs dry, for what can't be foreseen


@dataclass(frozen=True, slots=True)
class Window:
    """How many frames are rendered at a time, and how many must exist beyond them."""

    first: int = 8  # frames in the first chunk, and at least in the others
    steady: int = 75  # frames at most; with these, context costs a third of the work at most
    look_ahead: int = 12  # frames that must follow before one is final; CONTEXT is exact

    def __post_init__(self) -> None:
        """Raise ValueError for a window that nothing can be rendered in."""
        if not (1 <= self.first <= self.steady and 0 <= self.look_ahead <= CONTEXT):
            raise ValueError(f"out of range: {self}")


class StreamingDecoder:
    """Renders one utterance while it is being generated; used once, then dropped.

    With `look_ahead` of CONTEXT frames, what `push` and `flush` return, joined, is what rendering
    all tokens at once returns. With less, frames near the end of a chunk are rendered as if
    silence followed them; `look_ahead_error` measures what that costs.

    Args:
        codec: Renders.
        speaker: Whose voice.
        window: Sizes.
        playback: Who hears it. None: somebody who has all the time in the world.
        cancel: Ends the wait for the codec.
    """

    def __init__(
        self,
        codec: Codec,
        speaker: Speaker,
        window: Window | None = None,
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        self._codec = codec
        self._speaker = speaker
        self._window = window or Window()
        self._playback = playback or Playback(live=False)
        self._cancel = cancel
        self._least = self._window.first  # frames in the next chunk
        self._frame_s = 0.0  # what a frame took to render, last time, context counted
        self._tokens: list[int] = []  # those not yet rendered, and CONTEXT frames before them
        self._rendered = 0  # of `_tokens`
        # A stream that is woken for every token keeps others from Python a thousand times a second.
        self._playback.wants = lambda tokens: self._due(self._final + tokens - self._rendered)

    def push(self, token: int) -> Iterator[Samples]:
        """Take the next token, and yield the chunk that it makes final, if it makes one.

        Raises:
            SynthesisFailed: The token is outside the codebook, or the codec broke.
        """
        self._tokens.append(token)
        if self._due(self._final - self._rendered):
            yield self._render(self._final)

    def flush(self) -> Iterator[Samples]:
        """End the utterance, and yield the chunk of all that `push` held back.

        Raises:
            SynthesisFailed: The codec broke.
        """
        if self._rendered < len(self._tokens):
            yield self._render(len(self._tokens))

    @property
    def _final(self) -> int:
        """Number of tokens that enough others follow."""
        return len(self._tokens) - self._window.look_ahead

    def _due(self, frames: int) -> bool:
        """Tell whether a chunk of so many frames is rendered now, or waits for more."""
        if frames < self._least or not self._playback.live:
            return frames >= self._window.steady
        left_s = self._playback.left_s()
        takes_s = self._frame_s * (frames + 2 * WAVE_CONTEXT)
        return frames >= self._window.steady or left_s is None or left_s < takes_s + MARGIN_S

    def _render(self, stop: int) -> Samples:
        began = time.perf_counter()
        tokens, start = tuple(self._tokens), self._rendered
        span = Span(tokens, self._speaker, start, stop, self._playback, self._cancel)
        (samples,) = self._codec.decode([span])
        computed = stop - self._rendered + 2 * WAVE_CONTEXT
        self._frame_s = (time.perf_counter() - began) / computed
        if (left_s := self._playback.left_s()) is not None and left_s < 0:
            # It has stopped. Larger chunks are less work a frame, so that it stops less often.
            self._least = min(self._window.steady, 2 * self._least)
        # Left context costs compute alone, but a long utterance must not decode all of it again.
        past = max(0, stop - CONTEXT)
        del self._tokens[:past]
        self._rendered = stop - past
        return samples


def decode_stream(
    codec: Codec,
    tokens: Iterable[int],
    speaker: Speaker,
    window: Window | None = None,
    playback: Playback | None = None,
) -> Iterator[Samples]:
    """Render tokens as they come: `StreamingDecoder` as a loop."""
    decoder = StreamingDecoder(codec, speaker, window, playback)
    for token in tokens:
        yield from decoder.push(token)
    yield from decoder.flush()
