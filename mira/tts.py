"""The small library face of a Mira model: a recording in, a voice out; text in, samples out.

Knows nothing that the engine does not.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mira.load import load_engine
from mira.settings import Settings
from mira.types import Samples, Sampling, Voice


class MiraTTS:
    """A MiraTTS or Spark-TTS model, ready to clone and to speak.

        tts = MiraTTS("path/to/MiraTTS")
        voice = tts.encode_audio("someone.wav")
        samples = tts.generate("Hello there.", voice)  # float32, mono, tts.sample_rate Hz

    Args:
        model: A checkpoint's directory, or a Hugging Face id.
        settings: Everything else, see `mira config`; `model` in it is not used.

    Raises:
        CheckpointError: The model's files can't be used.
    """

    def __init__(self, model: str | Path, settings: Settings | None = None) -> None:
        settings = settings or Settings()
        self._engine = load_engine(settings.model_copy(update={"model": str(model)}))

    @property
    def sample_rate(self) -> int:
        """Of everything it speaks, in Hz."""
        return self._engine.sample_rate

    @property
    def sample_voice(self) -> Voice:
        """Nobody's: a synthetic voice to try the model with."""
        return self._engine.voices[0]

    def encode_audio(self, recording: str | Path) -> Voice:
        """Make a voice of a recording, named after the file.

        Raises:
            InvalidRequest: The file can't be read, or holds no usable sound.
        """
        from mira.audio.decode import decode_file  # FFmpeg: `import mira` needs none of it

        path = Path(recording)
        return self._engine.clone(path.stem, *decode_file(path))

    def stream_generate(
        self, text: str, voice: Voice, sampling: Sampling = Sampling()
    ) -> Iterator[Samples]:
        """Yield `text` as blocks of samples, the first as early as possible; see `Engine.speak`."""
        return self._engine.speak(text, voice, sampling)

    def generate(self, text: str, voice: Voice, sampling: Sampling = Sampling()) -> Samples:
        """The whole of `stream_generate`: [num_samples]."""
        return np.concatenate(list(self.stream_generate(text, voice, sampling)))

    def batch_generate(
        self, texts: Sequence[str], voices: Sequence[Voice], sampling: Sampling = Sampling()
    ) -> list[Samples]:
        """Speak each text in the voice beside it, one after another.

        Raises:
            ValueError: Not as many voices as texts.
        """
        return [
            self.generate(text, voice, sampling) for text, voice in zip(texts, voices, strict=True)
        ]
