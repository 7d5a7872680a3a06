"""The law of streaming: however tokens are cut into chunks, the samples are those of the whole."""

import time
from collections.abc import Sequence
from itertools import cycle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import floats, integers, lists, none, one_of

from mira.model.codec import stream
from mira.model.codec.base import CONTEXT, Codec, Span, Speaker
from mira.model.codec.pytorch import TorchCodec
from mira.model.codec.stream import MARGIN_S, StreamingDecoder, Window, decode_stream
from mira.stream.playback import Playback
from mira.types import Samples

LAW = settings(
    max_examples=15,
    deadline=None,
    # The codec holds no state between examples, so sharing it is sound.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
TOKENS = np.random.default_rng(0).integers(0, 8192, 260).tolist()


def whole(codec: Codec, tokens: Sequence[int], speaker: Speaker) -> Samples:
    return codec.decode([Span(tokens, speaker, 0, len(tokens))])[0]


class Moody(Playback):
    """Has so much left to play, as it says itself, whenever it is asked."""

    def __init__(self, *left_s: float | None) -> None:
        super().__init__()
        self.moods = cycle(left_s)

    def left_s(self) -> float | None:
        return next(self.moods)


def chunks(
    codec: Codec,
    tokens: Sequence[int],
    speaker: Speaker,
    window: Window,
    playback: Playback | None = None,
) -> list[int]:
    """Frames in each chunk."""
    blocks = decode_stream(codec, tokens, speaker, window, playback)
    return [len(block) // codec.samples_per_frame for block in blocks]


@LAW
@given(
    num_tokens=integers(1, 260),
    first=integers(1, 20),
    steady=integers(20, 60),
    left_s=lists(one_of(none(), floats(-1, 5)), min_size=1, max_size=20),
    upsampled=integers(0, 1),
)
def test_streaming_equals_whole(
    codec: TorchCodec,
    upsampling_codec: TorchCodec,
    speaker: Speaker,
    num_tokens: int,
    first: int,
    steady: int,
    left_s: list[float | None],
    upsampled: int,
) -> None:
    either = upsampling_codec if upsampled else codec
    tokens = TOKENS[:num_tokens]
    window = Window(first=first, steady=steady, look_ahead=CONTEXT)
    blocks = decode_stream(either, tokens, speaker, window, Moody(*left_s))
    streamed = np.concatenate(list(blocks))
    np.testing.assert_allclose(streamed, whole(either, tokens, speaker), atol=1e-5, rtol=0)


@LAW
@given(num_tokens=integers(1, 200), first=integers(1, 20), look_ahead=integers(0, CONTEXT))
def test_no_frame_is_lost_at_any_look_ahead(
    codec: TorchCodec, speaker: Speaker, num_tokens: int, first: int, look_ahead: int
) -> None:
    window = Window(first=first, steady=30, look_ahead=look_ahead)
    playback = Moody(None, 9, 0.2)
    assert sum(chunks(codec, TOKENS[:num_tokens], speaker, window, playback)) == num_tokens


@pytest.mark.parametrize("short", ["CONTEXT", "look_ahead"])
def test_one_frame_less_of_context_is_heard(
    codec: TorchCodec, speaker: Speaker, monkeypatch: pytest.MonkeyPatch, short: str
) -> None:
    """So the law above would notice: on either side, the context is as short as it can be.

    The farthest frame counts for less than single precision can show in so deep a network, so
    the codec here says plainly what it was shown.
    """
    shown = _ShownContext()
    window = Window(first=10, steady=10, look_ahead=CONTEXT - (short == "look_ahead"))
    if short == "CONTEXT":
        monkeypatch.setattr(stream, "CONTEXT", CONTEXT - 1)
    streamed = np.concatenate(list(decode_stream(shown, TOKENS, speaker, window)))
    assert not np.array_equal(streamed, whole(shown, TOKENS, speaker))


@LAW
@given(num_tokens=integers(1, 260), first=integers(1, 20), tokens=lists(integers(0, 8191)))
def test_each_frame_is_shown_all_of_its_context(
    speaker: Speaker, num_tokens: int, first: int, tokens: list[int]
) -> None:
    shown = _ShownContext()
    tokens = (tokens + TOKENS)[:num_tokens]
    window = Window(first=first, steady=20, look_ahead=CONTEXT)
    streamed = np.concatenate(list(decode_stream(shown, tokens, speaker, window)))
    np.testing.assert_array_equal(streamed, whole(shown, tokens, speaker))


class _ShownContext:
    """A codec whose frame is the sum of all tokens that it may depend on; exact in float32."""

    sample_rate = 50
    samples_per_frame = 1

    def decode(self, spans: Sequence[Span]) -> list[Samples]:
        return [
            np.array(
                [
                    sum(span.tokens[max(0, i - CONTEXT) : i + CONTEXT + 1])
                    for i in range(span.start, span.stop)
                ],
                np.float32,
            )
            for span in spans
        ]

    def encode(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        raise NotImplementedError

    def speaker(self, global_tokens: Sequence[int]) -> Speaker:
        raise NotImplementedError


def test_a_chunk_is_as_large_as_its_listener_can_wait_for(
    codec: TorchCodec, speaker: Speaker
) -> None:
    window = Window(first=4, steady=30, look_ahead=5)
    tokens = TOKENS[:100]
    assert chunks(codec, tokens, speaker, window, Moody(None))[:3] == [4, 4, 4]  # heard nothing
    assert chunks(codec, tokens, speaker, window, Moody(0.01))[:3] == [4, 4, 4]  # runs dry
    assert chunks(codec, tokens, speaker, window, Moody(60.0)) == [30, 30, 30, 10]
    mood = Moody(None, *[60.0] * 10, 0.01, *[60.0] * 99)
    assert chunks(codec, tokens, speaker, window, mood) == [4, 13, 30, 30, 23]
    assert chunks(codec, tokens, speaker, window) == [30, 30, 30, 10]  # for a file


def test_who_ran_dry_is_given_more_at_once(codec: TorchCodec, speaker: Speaker) -> None:
    """Twice as much each time: a machine that is just fast enough gets ahead in the end."""
    window = Window(first=4, steady=30, look_ahead=5)
    assert chunks(codec, TOKENS[:100], speaker, window, Moody(-0.1)) == [4, 8, 16, 30, 30, 12]


def test_it_wants_to_be_woken_for_the_tokens_that_make_a_chunk(
    codec: TorchCodec, speaker: Speaker
) -> None:
    """A model's thread asks, while whoever renders sleeps."""
    window, playback = Window(first=4, steady=30, look_ahead=5), Moody(None)
    decoder = StreamingDecoder(codec, speaker, window, playback)
    assert [playback.wants(tokens) for tokens in (1, 8, 9, 10)] == [False, False, True, True]
    for token in TOKENS[:9]:
        list(decoder.push(token))
    playback.moods = cycle([60.0])  # the first chunk is there, and plays for long
    assert [playback.wants(tokens) for tokens in (1, 4, 29, 30)] == [False, False, False, True]
    playback.moods = cycle([0.01])  # it runs dry
    assert [playback.wants(tokens) for tokens in (1, 3, 4, 29)] == [False, False, True, True]


def test_what_takes_long_to_render_is_begun_earlier(speaker: Speaker) -> None:
    class Slow(_ShownContext):
        def decode(self, spans: Sequence[Span]) -> list[Samples]:
            time.sleep(0.05)
            return super().decode(spans)

    window = Window(first=4, steady=30, look_ahead=5)
    mood = [None] + [MARGIN_S + 0.08] * 99
    assert chunks(Slow(), TOKENS[:50], speaker, window, Moody(*mood))[1] < 20
    assert chunks(_ShownContext(), TOKENS[:50], speaker, window, Moody(*mood))[1] == 30


def test_first_chunk_comes_with_the_token_that_makes_it_final(
    codec: TorchCodec, speaker: Speaker
) -> None:
    decoder = StreamingDecoder(codec, speaker, Window(first=3, look_ahead=2), Playback())
    arrived = [[len(block) for block in decoder.push(token)] for token in TOKENS[:6]]
    assert arrived == [[], [], [], [], [3 * 320], []]
    assert [len(block) for block in decoder.flush()] == [3 * 320]
    assert list(decoder.flush()) == []


def test_nothing_in_nothing_out(codec: TorchCodec, speaker: Speaker) -> None:
    assert list(StreamingDecoder(codec, speaker).flush()) == []


def test_memory_and_work_do_not_grow_with_the_utterance(speaker: Speaker) -> None:
    class Longest(_ShownContext):
        frames = 0

        def decode(self, spans: Sequence[Span]) -> list[Samples]:
            self.frames = max(self.frames, *(len(span.tokens) for span in spans))
            return super().decode(spans)

    longest = Longest()
    window = Window(first=5, steady=20, look_ahead=8)
    list(decode_stream(longest, TOKENS * 8, speaker, window))
    assert longest.frames == CONTEXT + 20 + 8


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": 0},
        {"first": 90, "steady": 75},
        {"look_ahead": -1},
        {"look_ahead": 68},
    ],
)
def test_window_that_can_not_be_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        Window(**wrong)
