"""MiraTTS: one sentence and a cloned voice in, blocks of samples out, token by token.

Joins prompt, language model and streaming decoder; knows nothing about which implementations
they are, nor about files or sockets.
"""

import logging
import threading
from collections import Counter
from collections.abc import Generator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from mira.errors import SynthesisFailed, VoiceNotFound
from mira.model.attempt import Attempt, Ears
from mira.model.codec.base import Codec
from mira.model.codec.stream import StreamingDecoder, Window
from mira.model.guard import Degenerate
from mira.model.lm.base import LanguageModel
from mira.model.lm.prompt import PromptBuilder
from mira.model.pace import SENTENCE, measure
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.types import Block, Samples, Sampling, Sentence, Voice, check_transcript

log = logging.getLogger(__name__)

MAX_CHARS = 150  # 10 s of ordinary speech; slow speech of it still ends before 1024 tokens do
RETRIES = 3  # for a sentence of which nothing was heard yet
SPEAKERS_CACHED = 256
_ANOTHER_SEED = 0x9E3779B1  # spreads the seeds of retries


class MiraSynthesizer:
    """A `Synthesizer` that speaks in any voice it was shown.

    Args:
        language_model: Makes speech tokens.
        prompts: Make it speak a text in a voice.
        codec: Makes samples of the tokens.
        window: How many tokens are rendered at a time.
        voices: Those that are known from the start.
        fingerprint: Names the weights that recognise a speaker; see `Synthesizer`.
        ears: Listen to what it says; without them, times of words are guesses.
    """

    max_chars = MAX_CHARS
    reads_phonemes = False
    at_once = 1024  # its generators wait for a model that batches by itself

    def __init__(
        self,
        language_model: LanguageModel,
        prompts: PromptBuilder,
        codec: Codec,
        window: Window | None = None,
        voices: tuple[Voice, ...] = (),
        fingerprint: str = "0",
        ears: Ears | None = None,
    ) -> None:
        self.voices = voices
        self.fingerprint = fingerprint
        self._language_model = language_model
        self._prompts = prompts
        self._codec = codec
        self._window = window or Window()
        self._ears = ears or Ears()
        self._speaker = lru_cache(SPEAKERS_CACHED)(codec.speaker)
        self.incidents: Counter[str] = Counter()
        self._counting = threading.Lock()

    @property
    def sample_rate(self) -> int:
        """Sample rate of the codec, in Hz."""
        return self._codec.sample_rate

    @property
    def max_streams(self) -> int:
        """Number that the language model has places for; see `Synthesizer`."""
        return self._language_model.max_streams

    @property
    def ready(self) -> bool:
        """Whether model and codec can speak now; see `Synthesizer`."""
        return self._language_model.ready and not self._codec.failure

    @property
    def failure(self) -> str:
        """Failure of the language model or of the codec; see `Synthesizer`."""
        return self._language_model.failure or self._codec.failure

    def measure(self, most: int) -> int:
        """Step the model and render windows; the first chunk becomes as long as it has to be."""
        voice = self.voices[0]
        pace = measure(
            self._language_model,
            self._codec,
            self._prompt(SENTENCE, voice),
            self._speaker(voice.global_tokens),
            self._window.steady,
            most,
        )
        if pace.real_time_factor > 1:
            log.warning(
                "this machine is too slow for a conversation with this model: %.1f s of work for "
                "a second of speech",
                pace.real_time_factor,
            )
        self._window = replace(self._window, first=pace.first_frames)
        return pace.calls

    def clone(self, name: str, samples: Samples, sample_rate: int, transcript: str = "") -> Voice:
        """Make a voice of a recording; see `Synthesizer`."""
        check_transcript(transcript)
        return Voice(
            name,
            self._codec.encode(samples, sample_rate),
            self._codec.speech_tokens(samples, sample_rate),
            transcript,
        )

    def synthesize(
        self,
        sentence: Sentence,
        voice: Voice,
        sampling: Sampling = Sampling(),
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[Block, None, None]:
        """Yield the sentence; see `Synthesizer`.

        A sentence that comes out as anything but speech is begun anew with another seed as long
        as nothing of it was heard, and faded out after that. Both are counted in `incidents`, and
        so are sentences of which not all words were heard, if anybody listens.
        """
        if not voice.global_tokens:
            raise VoiceNotFound(f"{voice.name!r} was not cloned for this model.")
        speaker = self._speaker(voice.global_tokens)
        playback, cancel = playback or Playback(), cancel or Cancel()
        yield Block(np.zeros(0, np.float32))
        for number in range(RETRIES + 1):
            decoder = StreamingDecoder(self._codec, speaker, self._window, playback, cancel)
            prompt = self._prompt(sentence.text, voice)
            tokens = self._language_model.generate(prompt, sampling, playback, cancel)
            ears = replace(self._ears, last=number == RETRIES)
            attempt = Attempt(sentence, self.sample_rate, playback, cancel, ears, self._count)
            try:
                yield from attempt.blocks(tokens, decoder, sampling.max_new_tokens)
                return
            except Degenerate as degenerate:  # nothing was heard
                log.warning("%s in attempt %d at a sentence", degenerate, number + 1)
                self._count(f"retried: {degenerate}")
                if sampling.seed is not None:
                    seed = (sampling.seed + _ANOTHER_SEED) % 2**32
                    sampling = replace(sampling, seed=seed)
        raise SynthesisFailed(f"The model said nothing intelligible in {RETRIES + 1} attempts.")

    def close(self) -> None:
        """Stop the model, then the codec that renders what it said; see `Synthesizer`."""
        self._language_model.close()
        self._codec.close()

    def _count(self, incident: str) -> None:
        with self._counting:
            self.incidents[incident] += 1

    def _prompt(self, sentence: str, voice: Voice) -> list[int]:
        """Build the prompt of a sentence, after what the recording says if all of that is known.

        In training, the speech behind a prompt says all the text in it, and nothing else. So a
        transcript without its speech would be read aloud, and speech without its transcript would
        be taken for the beginning of the sentence: either alone is left out, as Spark-TTS does.
        """
        check_transcript(voice.transcript)
        said = " ".join(voice.transcript.split())
        if not (said and voice.speech_tokens):
            return self._prompts.build(sentence, voice.global_tokens)
        return self._prompts.build(sentence, voice.global_tokens, voice.speech_tokens, f"{said} ")
