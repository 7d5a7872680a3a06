"""A model that garbles a sentence is asked again, or faded out: never noise, never a crash.

The language model plays a script and the codec turns each token into a tone or silence, so that
what the listener hears can be told exactly.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from mira.errors import InvalidRequest, SynthesisFailed, VoiceNotFound
from mira.model.attempt import FADE_MS
from mira.model.codec.base import Span, Speaker
from mira.model.codec.stream import Window
from mira.model.synthesizer import RETRIES, MiraSynthesizer
from mira.stream.cancel import Cancel, Cancelled
from mira.stream.playback import Playback
from mira.types import MAX_TRANSCRIPT_CHARS, Samples, Sampling, Sentence, Voice

RATE, HOP = 16000, 320
VOICE = Voice("anna", tuple(range(32)))
NOTHING = 0  # this token is silence, and so are those from here on; all others sound:
SILENT = 4000
SPOKEN = (7, 8, 9)  # in the recording
SPEECH = list(range(1, 60))
TEXT = Sentence.of("Hello there, how are you today?")


@dataclass
class ScriptedModel:
    """Plays one script an attempt, the last again and again; obeys `LanguageModel`."""

    scripts: list[list[int]]
    seeds: list[int | None] = field(default_factory=list)
    open: int = 0
    drawn: int = 0
    closed: bool = False
    ready: bool = True
    failure: str = ""

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[int, None, None]:
        script = self.scripts[min(len(self.seeds), len(self.scripts) - 1)]
        self.seeds.append(sampling.seed)
        self.open += 1
        try:
            for token in script[: sampling.max_new_tokens]:
                self.drawn += 1
                yield token
        finally:
            self.open -= 1

    def close(self) -> None:
        self.closed = True


class ToneCodec:
    """Each frame its own tone, and no context; obeys `Codec`."""

    sample_rate, samples_per_frame = RATE, HOP
    failure = ""
    closed = False

    def encode(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        return tuple(range(32))

    def speech_tokens(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        return SPOKEN

    def close(self) -> None:
        self.closed = True

    def speaker(self, global_tokens: Sequence[int]) -> Speaker:
        nothing = np.zeros(1, np.float32)
        return Speaker(nothing, nothing, nothing)

    def decode(self, spans: Sequence[Span]) -> list[Samples]:
        return [np.concatenate([tone(t) for t in s.tokens[s.start : s.stop]]) for s in spans]


class AnyPrompt:
    """Stands for the prompt, which the script does not read; keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def build(self, *asked: object) -> list[int]:
        self.asked.append(asked)
        return [1]


def tone(token: int) -> Samples:
    level = 0.0 if token == NOTHING or token >= SILENT else 0.3
    return (level * np.sin(np.arange(HOP) * (0.1 + token / 1000))).astype(np.float32)


def synthesizer(*scripts: list[int]) -> tuple[MiraSynthesizer, ScriptedModel]:
    model = ScriptedModel(list(scripts))
    prompts = AnyPrompt()
    return MiraSynthesizer(model, prompts, ToneCodec(), Window(look_ahead=4)), model  # type: ignore[arg-type]


def spoken(made: MiraSynthesizer, sampling: Sampling = Sampling(seed=1)) -> Samples:
    return np.concatenate([block.samples for block in made.synthesize(TEXT, VOICE, sampling)])


def test_every_token_is_heard_once_and_in_order() -> None:
    made, model = synthesizer(SPEECH)
    assert np.array_equal(spoken(made), np.concatenate([tone(token) for token in SPEECH]))
    assert model.open == 0
    assert not made.incidents


def test_the_first_block_leaves_before_the_last_token_is_drawn() -> None:
    made, model = synthesizer(SPEECH)
    blocks = made.synthesize(TEXT, VOICE, Sampling())
    assert len(next(blocks).samples) == model.drawn == 0  # it can be read
    assert len(next(blocks).samples)
    assert model.drawn < 20
    assert model.open == 1
    blocks.close()
    assert model.open == 0


def test_hanging_up_stops_the_model_at_the_next_token_not_at_the_next_chunk() -> None:
    made, model = synthesizer(SPEECH)
    cancel = Cancel()
    blocks = made.synthesize(TEXT, VOICE, Sampling(), cancel=cancel)
    assert len(next(blocks).samples) == 0
    assert len(next(blocks).samples)
    drawn = model.drawn
    cancel()
    with pytest.raises(Cancelled):
        next(blocks)
    assert (model.drawn, model.open) == (drawn + 1, 0)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ([], "no speech"),
        ([NOTHING] * 20, "no speech"),
        ([NOTHING] * 200, "repetition"),
        (list(range(SILENT, SILENT + 90)), "silence"),
    ],
)
def test_unheard_garbage_is_begun_anew_with_another_seed(script: list[int], kind: str) -> None:
    made, model = synthesizer(script, SPEECH)
    assert np.array_equal(spoken(made), np.concatenate([tone(token) for token in SPEECH]))
    assert made.incidents == {f"retried: {kind}": 1}
    assert len(set(model.seeds)) == 2


def test_the_retries_are_bounded() -> None:
    made, model = synthesizer([])
    with pytest.raises(SynthesisFailed, match="nothing intelligible"):
        spoken(made)
    assert len(set(model.seeds)) == RETRIES + 1
    assert model.open == 0


def test_without_a_seed_none_is_made_up() -> None:
    made, model = synthesizer([], SPEECH)
    spoken(made, Sampling())
    assert model.seeds == [None, None]


@pytest.mark.parametrize(
    ("rest", "kind"),
    [
        ([5] * 900, "repetition"),
        (list(range(SILENT, SILENT + 400)), "silence"),
        (list(range(100, 2000)), "run-on"),
    ],
)
def test_heard_garbage_is_faded_out_and_counted(rest: list[int], kind: str) -> None:
    made, model = synthesizer(SPEECH + rest)
    samples = spoken(made)
    assert made.incidents == {f"cut off: {kind}": 1}
    assert model.open == 0
    assert model.drawn < len(SPEECH + rest)
    assert len(samples) / RATE < 12
    fade = samples[-FADE_MS * RATE // 1000 :]
    assert np.abs(fade[-16:]).max() < 0.02  # it ends softly


def test_the_last_word_is_heard_however_long_the_silence_in_its_block() -> None:
    word = [1, 2, 3, 4, 5]
    model = ScriptedModel([word + list(range(SILENT, SILENT + 90))])
    made = MiraSynthesizer(model, AnyPrompt(), ToneCodec(), Window(look_ahead=67))  # type: ignore[arg-type]
    blocks = made.synthesize(TEXT, VOICE, Sampling(seed=1), Playback(live=False))
    samples = np.concatenate([block.samples for block in blocks])
    expected = np.concatenate([tone(token) for token in word])
    np.testing.assert_array_equal(samples[: len(expected)], expected)
    assert len(samples) <= len(expected) + FADE_MS * RATE // 1000
    assert made.incidents == {"cut off: silence": 1}


def test_the_token_limit_ends_the_sentence() -> None:
    made, model = synthesizer(list(range(1, 200)))
    spoken(made, Sampling(max_new_tokens=60))
    assert model.drawn == 60
    assert made.incidents == {"cut off: limit reached": 1}


def test_an_uncloned_voice_is_refused() -> None:
    made, _ = synthesizer(SPEECH)
    with pytest.raises(VoiceNotFound, match="'zoe' was not cloned"):
        list(made.synthesize(TEXT, Voice("zoe")))


def test_a_clone_has_the_tokens_of_its_recording() -> None:
    made, _ = synthesizer(SPEECH)
    recording = np.zeros(10, np.float32)
    assert made.clone("ben", recording, RATE) == Voice("ben", tuple(range(32)), SPOKEN)
    assert made.clone("ben", recording, RATE, "Hi.").transcript == "Hi."


@pytest.mark.parametrize(
    ("voice", "reference"),
    [
        (VOICE, ()),
        (replace(VOICE, transcript="It rains."), ()),
        (replace(VOICE, speech_tokens=SPOKEN), ()),
        (replace(VOICE, speech_tokens=SPOKEN, transcript=" \n"), ()),
        (
            replace(VOICE, speech_tokens=SPOKEN, transcript=" It\nrains. "),
            (SPOKEN, "It rains. "),
        ),
    ],
)
def test_the_recording_is_gone_on_from_only_if_all_of_it_is_known(
    voice: Voice, reference: tuple[object, ...]
) -> None:
    made, _ = synthesizer(SPEECH)
    prompts = AnyPrompt()
    made._prompts = prompts  # type: ignore[assignment]
    list(made.synthesize(TEXT, voice, Sampling(seed=1)))
    assert prompts.asked == [(TEXT.text, VOICE.global_tokens, *reference)]


def test_a_transcript_that_no_recording_can_hold_is_refused() -> None:
    made, model = synthesizer(SPEECH)
    long = "a" * (MAX_TRANSCRIPT_CHARS + 1)
    with pytest.raises(InvalidRequest, match="limit of 1500") as raised:
        made.clone("ben", np.zeros(10, np.float32), RATE, long)
    assert raised.value.param == "transcript"
    with pytest.raises(InvalidRequest, match="limit of 1500"):
        list(made.synthesize(TEXT, replace(VOICE, transcript=long)))
    assert model.seeds == []


def test_closing_closes_its_parts() -> None:
    model, codec = ScriptedModel([]), ToneCodec()
    MiraSynthesizer(model, AnyPrompt(), codec).close()  # type: ignore[arg-type]
    assert (model.closed, codec.closed) == (True, True)
