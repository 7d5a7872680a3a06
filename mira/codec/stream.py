"""Speech tokens in, one at a time; final samples out, a chunk at a time.

Knows nothing about where the tokens come from or who listens. Source: the receptive field of
BiCodec, Spark-TTS, arXiv:2503.01710.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mira.codec.base import CONTEXT, Codec, Span, Speaker, check_speech_tokens
from mira.types import Samples


@dataclass(frozen=True, slots=True)
class Window:
    """How many frames are rendered at a time, and how many must exist beyond them."""

    first: int = 8  # frames in the first chunk: it decides the time to first audio
    steady: int = 50  # frames in the chunks that later ones grow to
    growth: float = 1.5  # each chunk over the one before; no faster than tokens outrun the listener
    look_ahead: int = 12  # frames that must follow before one is final; CONTEXT is exact

    def __post_init__(self) -> None:
        """Raise ValueError for a window that nothing can be rendered in."""
        if not (
            1 <= self.first <= self.steady and self.growth >= 1 and 0 <= self.look_ahead <= CONTEXT
        ):
            raise ValueError(f"out of range: {self}")

    def after(self, chunk: int) -> int:
        """Frames in the chunk that follows one of `chunk` frames."""
        return min(self.steady, max(chunk, round(chunk * self.growth)))


class StreamingDecoder:
    """Renders one utterance while it is being generated; used once, then dropped.

    With `look_ahead` of CONTEXT frames, what `push` and `flush` return, joined, is what rendering
    all tokens at once returns. With less, frames near the end of a chunk are rendered as if
    silence followed them; `look_ahead_error` measures what that costs.
    """

    def __init__(self, codec: Codec, speaker: Speaker, window: Window | None = None) -> None:
        self._codec = codec
        self._speaker = speaker
        self._window = window or Window()
        self._wanted = self._window.first  # frames in the next chunk
        self._tokens: list[int] = []  # those not yet rendered, and CONTEXT frames before them
        self._rendered = 0  # of `_tokens`

    def push(self, token: int) -> Iterator[Samples]:
        """Take the next token; the chunk that it makes final, if it makes one.

        Raises:
            SynthesisFailed: The token is outside the codebook, or the codec broke.
        """
        check_speech_tokens((token,))
        self._tokens.append(token)
        final = len(self._tokens) - self._window.look_ahead
        if final - self._rendered < self._wanted:
            return iter(())
        self._wanted = self._window.after(self._wanted)
        return iter((self._render(final),))

    def flush(self) -> Iterator[Samples]:
        """End the utterance; the chunk of all that `push` held back, if it held any.

        Raises:
            SynthesisFailed: The codec broke.
        """
        if self._rendered == len(self._tokens):
            return iter(())
        return iter((self._render(len(self._tokens)),))

    def _render(self, stop: int) -> Samples:
        span = Span(tuple(self._tokens), self._speaker, self._rendered, stop)
        (samples,) = self._codec.decode([span])
        # Left context costs compute alone, but a long utterance must not decode all of it again.
        past = max(0, stop - CONTEXT)
        del self._tokens[:past]
        self._rendered = stop - past
        return samples


def decode_stream(
    codec: Codec, tokens: Iterable[int], speaker: Speaker, window: Window | None = None
) -> Iterator[Samples]:
    """Render tokens as they come: `StreamingDecoder` as a loop."""
    decoder = StreamingDecoder(codec, speaker, window)
    for token in tokens:
        yield from decoder.push(token)
    yield from decoder.flush()
