"""The small library face of a Mira model: a recording in, a voice out; text in, samples out.

Knows nothing that the engine does not. Its names are those of the published MiraTTS package.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mira.load import load_engine
from mira.settings import Settings
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.text import Dictionary, dictionary_of
from mira.types import Block, Samples, Sampling, Voice

Words = Mapping[str, object] | str | Path
"""Words and how they are said: entries, `{"Siobhan": "shi vawn"}`, or a TOML file of them."""

BATCH_AT_ONCE = 16  # texts; each holds a cache in the language model


class MiraTTS:
    """A MiraTTS or Spark-TTS model, ready to clone and to speak.

        with MiraTTS("path/to/MiraTTS") as tts:
            voice = tts.encode_audio("someone.wav")
            samples = tts.generate("Hello there.", voice)  # float32, mono, tts.sample_rate Hz

    Args:
        model: A checkpoint's directory, or a Hugging Face id.
        settings: Everything else, see `mira config`; `model` in it is not used.

    Raises:
        CheckpointError: The model's files can't be used.
        InvalidSettings: The settings' dictionary can't.
    """

    def __init__(self, model: str | Path, settings: Settings | None = None) -> None:
        from mira.audio.decode import Reader  # FFmpeg: `import mira` needs none of it

        settings = settings or Settings()
        self._words = dictionary_of(settings.dictionary, reads_phonemes=False)
        self._reader = Reader()
        self._engine = load_engine(settings.model_copy(update={"model": str(model)}))
        self._sampling = Sampling()

    def __enter__(self) -> "MiraTTS":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop what runs for it; it can't speak after that. May be called again."""
        self._engine.close()
        self._reader.close()

    @property
    def sample_rate(self) -> int:
        """Sample rate of everything it speaks, in Hz."""
        return self._engine.sample_rate

    @property
    def sample_voice(self) -> Voice:
        """Synthetic voice, of nobody, to try the model with."""
        return self._engine.voices[0]

    def set_params(self, **params: Any) -> None:
        """Change how everything from now on is drawn; what is not named stays as it is.

        Args:
            params: Fields of `Sampling`: temperature, top_k, top_p, min_p, repetition_penalty,
                max_new_tokens, seed.

        Raises:
            TypeError: There is no such parameter.
            ValueError: A value is out of range.
        """
        self._sampling = replace(self._sampling, **params)

    def encode_audio(self, recording: str | Path, transcript: str = "") -> Voice:
        """Make a voice of a recording, named after the file.

        Args:
            recording: WAV, MP3, Ogg, FLAC, M4A or WebM; three to ten seconds of one person.
            transcript: What is said in it, word for word; see `reference_text` below.

        Raises:
            InvalidRequest: The file can't be read, or holds no usable sound; or the transcript is
                longer than any recording.
        """
        from mira.audio.decode import decode_file

        path = Path(recording)
        return self._engine.clone(path.stem, *decode_file(path, self._reader), transcript)

    def stream_generate(
        self,
        text: str,
        context_tokens: Voice,
        reference_text: str | None = None,
        dictionary: Words | None = None,
    ) -> Iterator[Samples]:
        """Yield `text` as blocks of samples, the first as early as possible; see `Engine.speak`.

        Args:
            text: Any length.
            context_tokens: What `encode_audio` returned.
            reference_text: What is said in the recording, in place of its `transcript`. It counts
                only with the setting `semantic_model`: the model then goes on from the recording.
            dictionary: Words and how they are spelled as they sound, over those of the settings'.

        Raises:
            InvalidRequest: An entry of the dictionary can't be used.
            InvalidSettings: The file of that name can't.
        """
        voice, words = _after(reference_text, context_tokens), self._over(dictionary)
        return self._engine.speak(text, voice, self._sampling, dictionary=words)

    def blocks(
        self,
        text: str,
        context_tokens: Voice,
        reference_text: str | None = None,
        dictionary: Words | None = None,
    ) -> Iterator[Block]:
        """Yield what `stream_generate` does, and with it when each word is heard; see `Block`."""
        voice, words = _after(reference_text, context_tokens), self._over(dictionary)
        return self._engine.blocks_ahead(text, voice, self._sampling, dictionary=words)

    def generate(
        self,
        text: str,
        context_tokens: Voice,
        reference_text: str | None = None,
        dictionary: Words | None = None,
    ) -> Samples:
        """Speak `text` at once, in larger windows than `stream_generate`: [num_samples]."""
        return self.batch_generate([text], [context_tokens], [reference_text], dictionary)[0]

    def batch_generate(
        self,
        texts: Sequence[str],
        contexts: Sequence[Voice],
        reference_texts: Sequence[str | None] | None = None,
        dictionary: Words | None = None,
    ) -> list[Samples]:
        """Speak several texts at the same time; the first failure ends all of them.

        Args:
            texts: What to say.
            contexts: As many voices, or one for all.
            reference_texts: As many; see `stream_generate`.
            dictionary: For all of them; see `stream_generate`.

        Returns:
            The samples of each text, in the order of `texts`.

        Raises:
            ValueError: Not as many of the others as texts.
        """
        if len(contexts) == 1:
            contexts = list(contexts) * len(texts)
        references = [None] * len(texts) if reference_texts is None else reference_texts
        cancel, words = Cancel(), self._over(dictionary)

        def speak(text: str, voice: Voice, reference: str | None) -> Samples:
            voice, file = _after(reference, voice), Playback(live=False, words=False)
            blocks = self._engine.blocks(text, voice, self._sampling, file, cancel, words)
            return np.concatenate([block.samples for block in blocks])

        jobs = list(zip(texts, contexts, references, strict=True))
        with ThreadPoolExecutor(BATCH_AT_ONCE, "mira-batch") as pool:
            spoken = [pool.submit(speak, *job) for job in jobs]
            try:
                ended, _ = wait(spoken, return_when=FIRST_EXCEPTION)
                # All of them, or those up to a failure, which is raised here.
                return [future.result() for future in spoken if future in ended]
            finally:  # also when somebody presses Ctrl-C
                cancel()  # those that have not begun yet then never do

    def _over(self, dictionary: Words | None) -> Dictionary:
        return dictionary_of(dictionary, reads_phonemes=False).over(self._words)


def _after(reference_text: str | None, voice: Voice) -> Voice:
    """Return the voice, with another transcript of its recording if one is given."""
    return voice if reference_text is None else replace(voice, transcript=reference_text)
