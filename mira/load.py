"""Settings in, an engine ready to speak out.

The only importer of concrete backends.
"""

import logging
from typing import TYPE_CHECKING

import numpy as np

from mira.engine import Engine
from mira.errors import InvalidRequest, InvalidSettings
from mira.settings import Settings
from mira.synth.base import Synthesizer
from mira.types import Samples, Sampling, Voice

if TYPE_CHECKING:
    from mira.checkpoint import Checkpoint
    from mira.codec.look_ahead import LookAheadError
    from mira.codec.semantic import SpeechTokenizer
    from mira.codec.weights import Tensors

log = logging.getLogger(__name__)

# Imports of backends stand in the functions: their libraries take seconds, `mira --help` needs
# none, and those of Mira's are an extra.

SAMPLE_VOICE = "heart"
"""Known from the start with every model: nobody's recording, but the built-in voice itself."""
SAMPLE_TEXT = (
    "Hello, my name is Clara. It is a pleasure to talk to you today. Whenever you are ready, we "
    "can begin with the first question."
)
LOOK_AHEAD_ATTEMPTS = 5  # at an utterance that is long enough to measure on
CODEC_SPEAKS_AT_MOST = 32  # streams that share one pass


def load_engine(settings: Settings) -> Engine:
    """Load the model that the settings name and speak a warm-up sentence; takes seconds.

    Raises:
        CheckpointError: The model's files can't be used.
        InvalidSettings: The settings ask for what the model can't do.
        SynthesisFailed: The warm-up sentence could not be spoken.
    """
    synthesizer = _mira(settings) if settings.model else _builtin(settings)
    engine = Engine(synthesizer, settings.lead_s)
    # An unknown word, so that the network for those is loaded too.
    warm_up = "Hello from Mira, zyzzogeton."
    try:
        for _ in engine.speak(warm_up, engine.voices[0], Sampling(seed=0)):
            pass
    except BaseException:
        engine.close()
        raise
    return engine


def _builtin(settings: Settings) -> Synthesizer:
    from mira.synth.builtin import BuiltinSynthesizer

    return BuiltinSynthesizer(settings.builtin_threads)


def _mira(settings: Settings) -> Synthesizer:
    model = _Model(settings)
    from mira.codec.batch import BatchingCodec
    from mira.codec.stream import Window
    from mira.synth.mira import MiraSynthesizer

    codec, recording = model.codec, _sample_recording()
    sample = Voice(
        SAMPLE_VOICE, codec.encode(*recording), codec.speech_tokens(*recording), SAMPLE_TEXT
    )
    return MiraSynthesizer(
        model.language_model,
        model.prompts,
        BatchingCodec(codec, max_spans=CODEC_SPEAKS_AT_MOST),
        Window(look_ahead=settings.look_ahead_frames),
        voices=(sample,),
    )


class _Model:
    """The parts of a Mira model, loaded and checked against each other."""

    def __init__(self, settings: Settings) -> None:
        try:
            import torch  # noqa: F401
            import transformers  # noqa: F401
        except ImportError as error:
            raise InvalidSettings(
                "model: a Mira model needs PyTorch. In Mira's folder: "
                f".venv/bin/pip install -c constraints.txt -e '.[torch]' ({error})."
            ) from error
        from mira.checkpoint import codec_weights, locate, open_checkpoint, upsampler_weights
        from mira.checkpoint.selfcheck import onnx_selfcheck
        from mira.codec.pytorch import TorchCodec
        from mira.lm.prompt import PromptBuilder
        from mira.lm.transformers import TransformersLM

        model = locate(settings.model, settings.model_revision or None)
        other = locate(settings.codec_model, part="codec") if settings.codec_model else None
        checkpoint = open_checkpoint(model, other)
        has_upsampler = "upsampler" in checkpoint.files  # Spark's own files have none
        upsampler = upsampler_weights(checkpoint) if settings.upsample and has_upsampler else None
        weights = codec_weights(checkpoint, semantic=bool(settings.semantic_model))
        self.codec = TorchCodec(
            weights,
            upsampler,
            settings.model_device,
            speech_tokenizer=_speech_tokenizer(settings, checkpoint, weights),
        )
        if checkpoint.codec_layout == "mira":  # Spark's has no second opinion to compare with
            found = onnx_selfcheck(checkpoint, self.codec.prenet, self.codec.encode_mel)
            log.info("the codec agrees with its ONNX files: error %.1e", found.prenet_error)
        self.language_model = TransformersLM.load(
            checkpoint.language, checkpoint.tokens, settings.model_device, settings.model_dtype
        )
        self.prompts = PromptBuilder(checkpoint.language / "tokenizer.json", checkpoint.tokens)


def _speech_tokenizer(
    settings: Settings, checkpoint: "Checkpoint", weights: "Tensors"
) -> "SpeechTokenizer | None":
    if not settings.semantic_model:
        return None
    from mira.checkpoint import load_wav2vec2, locate
    from mira.codec.semantic import WAV2VEC2_LAYERS, SemanticEncoder, SpeechTokenizer

    inside = checkpoint.directory / settings.semantic_model  # where Spark's own files have it
    directory = inside if inside.is_dir() else locate(settings.semantic_model, part="wav2vec2")
    device = settings.model_device
    return SpeechTokenizer(
        load_wav2vec2(directory, WAV2VEC2_LAYERS, device),
        SemanticEncoder(weights).to(device),
        device,
    )


def measure_look_ahead(
    model: str, text: str, seed: int, codec_model: str = ""
) -> list["LookAheadError"]:
    """Let a checkpoint say `text`, and render that with every look-ahead.

    Raises:
        CheckpointError: The model's files can't be used.
        InvalidRequest: It said too little to measure on.
    """
    from mira.codec.look_ahead import look_ahead_error

    loaded = _Model(Settings(model=model, codec_model=codec_model))
    voice = loaded.codec.encode(*_sample_recording())
    prompt = loaded.prompts.build(text, voice)
    speaker = loaded.codec.speaker(voice)
    for attempt in range(seed, seed + LOOK_AHEAD_ATTEMPTS):
        tokens = list(loaded.language_model.generate(prompt, Sampling(seed=attempt)))
        try:
            return look_ahead_error(loaded.codec, tokens, speaker)
        except ValueError as error:
            too_short = str(error)
    raise InvalidRequest(f"{too_short}. Give a longer --text.")


def _sample_recording() -> tuple[Samples, int]:
    """The built-in voice, as a recording to clone."""
    from mira.synth.builtin import BuiltinSynthesizer

    builtin = BuiltinSynthesizer()
    blocks = builtin.synthesize(SAMPLE_TEXT, builtin.voices[0])
    return np.concatenate(list(blocks)), builtin.sample_rate
