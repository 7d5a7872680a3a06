"""Recordings of real people in, a `MiraSynthesizer` that speaks them out.

Token k is frame k: 320 samples of a recording. So everything between tokens and samples, and all
above it, is the real thing, and what is heard is known.
"""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import av
import numpy as np

from mira.audio.unpack import unpack
from mira.errors import NothingToSay
from mira.model.attempt import Ears
from mira.model.codec.base import SAMPLES_PER_FRAME, SPEECH_CODES, Span, Speaker
from mira.model.codec.stream import Window
from mira.model.pace import SENTENCE
from mira.model.synthesizer import MiraSynthesizer
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.types import Samples, Sampling, Voice

VOICES = Path(__file__).parent / "data" / "voices"
RATE = 16000
ALLISON = Voice("allison", tuple(range(32)))


@dataclass(frozen=True)
class Clip:
    """A sentence as the text front end makes it, and somebody saying it.

    Args:
        text: `Sentence.text`: a text of several clips is cut into these again.
        takes: [num_samples] at RATE each; the first is spoken first, each attempt the next one.
    """

    text: str
    takes: tuple[Samples, ...]


@cache
def recording(name: str) -> Samples:
    """Read one of tests/data/voices, at RATE."""
    (path,) = (path for path in VOICES.glob(f"{name}.*") if path.suffix != ".txt")
    found = unpack(path.read_bytes(), 60.0)
    frame = av.AudioFrame.from_ndarray(found.samples[None], "flt", "mono")
    frame.sample_rate = found.sample_rate
    resampler = av.AudioResampler("flt", "mono", RATE)
    blocks = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([block.to_ndarray()[0] for block in blocks], dtype=np.float32)


def cut(name: str, start_s: float, stop_s: float) -> Samples:
    """Cut a part out of a recording."""
    return recording(name)[round(start_s * RATE) : round(stop_s * RATE)]


def clips(*languages: str) -> list[Clip]:
    """List all that was recorded in these languages, sentence by sentence; English by default."""
    cuts = {
        "en": [
            ("allison", 0.0, 1.48, "Congratulations!"),
            ("allison", 1.48, 7.0, "You have successfully installed and executed the Asterisk open "
             "source PBX."),
            ("allison_other", 0.0, 7.0, "You have also installed a set of sample sounds and "
             "configuration files that should help you get started."),
        ],
        "it": [
            ("carlo", 0.0, 1.04, "Congratulazioni!"),
            ("carlo", 1.04, 5.7, "Ha installato ed eseguito con successo il PBX open source "
             "Asterisk,"),
        ],
        "fr": [
            ("june", 0.0, 5.1, "Félicitations, vous avez bien installé et exécuté le projet libre "
             "Asterisk."),
            ("june", 5.1, 11.4, "Vous avez aussi installé quelques fichiers audio et les fichiers "
             "de configuration qui devraient vous aider à démarrer."),
        ],
    }  # fmt: skip
    return [
        Clip(text, (cut(name, start_s, stop_s),))
        for language in languages or ("en",)
        for name, start_s, stop_s, text in cuts[language]
    ]


TEXT = " ".join(clip.text for clip in clips())
"""All that is recorded in English: 14 s."""


@dataclass
class RecordedModel:
    """Speaks the frames of a clip one after another; obeys `LanguageModel`.

    Args:
        frames: For each id that a prompt consists of the tokens of its takes.
        token_s: Time that a token takes.
    """

    frames: list[list[range]]
    token_s: float = 0.0
    max_streams: int = 64
    ready: bool = True
    failure: str = ""
    attempts: dict[int, int] = field(default_factory=dict)  # so far, by id

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[int, None, None]:
        """Yield the tokens of the sentence's next take, and again the last one's."""
        (number,) = prompt
        takes = self.frames[number]
        attempt = self.attempts.get(number, 0)
        self.attempts[number] = attempt + 1
        for token in takes[min(attempt, len(takes) - 1)][: sampling.max_new_tokens]:
            time.sleep(self.token_s)
            yield token

    def close(self) -> None:
        """Do nothing: nothing runs."""


class RecordedPrompts:
    """Which clip a sentence is; stands for the prompt."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts

    def build(self, text: str, *voice: object) -> list[int]:
        """Find the clip; a sentence that nobody recorded can't be read."""
        if text not in self._texts:
            raise NothingToSay(f"Nobody recorded {text!r}.")
        return [self._texts.index(text)]


class RecordedCodec:
    """Each token its frame of the recordings, and no context; obeys `Codec`."""

    sample_rate, samples_per_frame = RATE, SAMPLES_PER_FRAME
    failure = ""

    def __init__(self, samples: Samples) -> None:
        self._frames = samples.reshape(-1, SAMPLES_PER_FRAME)

    def encode(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        """Find the one speaker there is."""
        return ALLISON.global_tokens

    def speech_tokens(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        """Find none: nothing is gone on from."""
        return ()

    def speaker(self, global_tokens: Sequence[int]) -> Speaker:
        """Make one that says nothing about the voice, which is the recording's."""
        nothing = np.zeros(1, np.float32)
        return Speaker(nothing, nothing, nothing)

    def decode(self, spans: Sequence[Span]) -> list[Samples]:
        """Look the frames up."""
        tokens = [list(span.tokens[span.start : span.stop]) for span in spans]
        return [self._frames[chosen].reshape(-1) for chosen in tokens]

    def close(self) -> None:
        """Do nothing: nothing runs."""


def recorded_synthesizer(
    *said: Clip, window: Window | None = None, token_s: float = 0.0, ears: Ears | None = None
) -> MiraSynthesizer:
    """Make a synthesizer that says these sentences, and no other.

    Args:
        said: All English ones by default. Together shorter than 160 s.
        window: How many tokens are rendered at a time.
        token_s: Time that a token takes: 0.02 / 3 speaks three times faster than real time.
        ears: Who listens; nobody by default, so that times of words are guesses.
    """
    said = said or tuple(clips())
    frames: list[list[range]] = []
    samples: list[Samples] = []
    num_frames = 0
    for clip in said:
        takes = []
        for take in clip.takes:
            whole = np.pad(take, (0, -len(take) % SAMPLES_PER_FRAME))
            samples.append(whole)
            stop = num_frames + len(whole) // SAMPLES_PER_FRAME
            takes.append(range(num_frames, stop))
            num_frames = stop
        frames.append(takes)
    assert num_frames <= SPEECH_CODES, "there are no more tokens"
    frames.append([range(num_frames)])  # what is measured with can be anything
    return MiraSynthesizer(
        RecordedModel(frames, token_s),
        RecordedPrompts([*(clip.text for clip in said), SENTENCE]),  # type: ignore[arg-type]
        RecordedCodec(np.concatenate(samples)),
        window or Window(),
        voices=(ALLISON,),
        ears=ears,
    )
