"""Settings in, an engine ready to speak out.

The only importer of concrete backends.
"""

import logging
import threading
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mira.engine import Engine
from mira.errors import CheckpointError, InvalidRequest, InvalidSettings
from mira.sample import SAMPLE_VOICE, sample_recording, sample_transcript
from mira.settings import Settings
from mira.synth.base import Synthesizer
from mira.types import Sampling, Voice

if TYPE_CHECKING:
    from mira.checkpoint import Checkpoint
    from mira.codec.base import Codec
    from mira.codec.look_ahead import LookAheadError
    from mira.codec.semantic import SpeechTokenizer
    from mira.codec.weights import Tensors
    from mira.lm.base import LanguageModel
    from mira.lm.prompt import PromptBuilder

log = logging.getLogger(__name__)

# Imports of backends stand in the functions: their libraries take seconds, `mira --help` needs
# none, and those of Mira's are an extra.

FINGERPRINT_DIGITS = 32  # 128 bits; it is part of files' names
LOOK_AHEAD_ATTEMPTS = 5  # at an utterance that is long enough to measure on
CODEC_SPEAKS_AT_MOST = 32  # streams that share one pass
MOST_CPU_STREAMS = 16  # of a converted model, unless the settings say otherwise
MOST_GPU_STREAMS = 64
GOING_ON_CONTEXT = 6144  # tokens of a stream whose prompt holds a minute of speech


def load_engine(settings: Settings) -> Engine:
    """Load the model that the settings name and speak a warm-up sentence; takes seconds.

    Raises:
        CheckpointError: The model's files can't be used.
        InvalidSettings: The settings ask for what the model can't do.
        SynthesisFailed: The warm-up sentence could not be spoken.
    """
    synthesizer = _mira(settings) if settings.model else _builtin(settings)
    engine = Engine(synthesizer, settings.lead_s, settings.pause_at_end)
    warm_up = "Hello from Mira."
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
    parts = load_parts(settings)
    from mira.checkpoint.converted import fingerprint
    from mira.codec.batch import BatchingCodec
    from mira.codec.stream import Window
    from mira.synth.mira import MiraSynthesizer

    codec, recording = parts.codec, sample_recording()
    said = sample_transcript()
    sample = Voice(SAMPLE_VOICE, codec.encode(*recording), codec.speech_tokens(*recording), said)
    return MiraSynthesizer(
        parts.language_model,
        parts.prompts,
        BatchingCodec(codec, max_spans=parts.spans_at_once, processors=parts.processors),
        Window(look_ahead=settings.look_ahead_frames),
        voices=(sample,),
        fingerprint=fingerprint(parts.hears)[:FINGERPRINT_DIGITS],
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """Of a Mira model, loaded and checked against each other."""

    language_model: "LanguageModel"
    codec: "Codec"
    prompts: "PromptBuilder"
    hears: tuple[Path, ...]  # the files of what makes tokens of a recording
    spans_at_once: int  # that a pass of the codec renders better together than one by one
    processors: "threading.Lock | None" = None  # that model and codec have only together, if so

    def close(self) -> None:
        """Stop what runs for them."""
        self.language_model.close()
        self.codec.close()


def load_parts(settings: Settings) -> Parts:
    """Load the model that the settings name: a published checkpoint, or a converted one.

    Raises:
        CheckpointError: The model's files can't be used.
        InvalidSettings: The settings ask for what the model can't do, or a library is missing.
    """
    from mira.checkpoint import directory_of

    for name in filter(None, (settings.model, settings.codec_model)):
        directory_of(name)  # a slip in a path first: no library mends it
    # A published model needs PyTorch as well, a converted one OpenVINO; this one both of them.
    require("cpu" if list(Path(settings.model).glob("codec/*.xml")) else "torch", "safetensors")
    from mira.checkpoint.converted import is_converted

    if is_converted(Path(settings.model)):
        return _converted(settings)
    return _published(settings)


@dataclass(frozen=True, slots=True)
class Plan:
    """What runs a model as published."""

    device: str
    engines: tuple[str, ...]  # of the language model; the first that can be loaded is taken


def plan(settings: Settings) -> Plan:
    """Decide where a model as published runs, and with what. Needs PyTorch.

    LMDeploy's own kernels are the quickest for the cards that they know; what it can't use, PyTorch
    can. On a CPU nothing batches but a converted model.

    Raises:
        InvalidSettings: There is no such device.
    """
    from mira.cuda import device_named

    device = str(device_named(settings.model_device))
    if settings.lm_engine != "auto":
        return Plan(device, (settings.lm_engine,))
    if not device.startswith("cuda"):
        return Plan(device, ("transformers",))
    return Plan(device, ("lmdeploy", "torch") if find_spec("lmdeploy") else ("torch",))


def _published(settings: Settings) -> Parts:
    """On any device that PyTorch knows."""
    require("torch", "torch", "transformers")
    from mira.checkpoint import codec_weights, locate, open_checkpoint
    from mira.lm.prompt import PromptBuilder

    planned = plan(settings)
    model = locate(settings.model, settings.model_revision or None)
    other = locate(settings.codec_model, part="codec") if settings.codec_model else None
    checkpoint = open_checkpoint(model, other)
    weights = codec_weights(checkpoint, semantic=bool(settings.semantic_model))
    # The language model last: it takes what the card has left, and it alone runs a thread, which
    # nobody would stop if another part were missing.
    codec = _torch_codec(settings, planned.device, checkpoint, weights)
    return Parts(
        _language_model(settings, planned, checkpoint),
        codec,
        PromptBuilder(checkpoint.language / "tokenizer.json", checkpoint.tokens),
        _hearing(settings, checkpoint),
        CODEC_SPEAKS_AT_MOST,
    )


def _hearing(settings: Settings, checkpoint: "Checkpoint") -> tuple[Path, ...]:
    """The files that its tokens of a recording depend on."""
    if not settings.semantic_model:
        return tuple(
            path for role, path in checkpoint.files.items() if role in ("codec", "speaker_encoder")
        )
    weights = sorted(_wav2vec2(settings, checkpoint).glob("*model.*"))
    return (*checkpoint.files.values(), *weights)


def _wav2vec2(settings: Settings, checkpoint: "Checkpoint") -> Path:
    from mira.checkpoint import locate

    inside = checkpoint.directory / settings.semantic_model  # where Spark's own files have it
    return inside if inside.is_dir() else locate(settings.semantic_model, part="wav2vec2")


def _language_model(settings: Settings, planned: Plan, checkpoint: "Checkpoint") -> "LanguageModel":
    *others, last = planned.engines
    for engine in others:
        try:
            return _load_language_model(engine, settings, planned.device, checkpoint)
        except InvalidSettings as error:
            log.warning("lm_engine: %s", error)
    return _load_language_model(last, settings, planned.device, checkpoint)


def _load_language_model(
    engine: str, settings: Settings, device: str, checkpoint: "Checkpoint"
) -> "LanguageModel":
    from mira.lm.torch_runner import MAX_CONTEXT, TorchLM
    from mira.lm.transformers import TransformersLM, refuse_float16

    refuse_float16(settings.model_dtype)
    files = checkpoint.language, checkpoint.tokens
    most = settings.max_streams or MOST_GPU_STREAMS
    if engine == "transformers":
        return TransformersLM.load(*files, device, settings.model_dtype)
    if engine == "torch":
        context = GOING_ON_CONTEXT if settings.semantic_model else MAX_CONTEXT
        return TorchLM.load(*files, device, settings.model_dtype, most, context)
    if settings.model_dtype == "float32":
        raise InvalidSettings("model_dtype: LMDeploy has no float32. Set lm_engine to torch.")
    # No `require`: importing LMDeploy changes what the process logs, which `load` undoes.
    from mira.lm.lmdeploy_engine import load

    return load(checkpoint, "turbomind" if engine == "lmdeploy" else "pytorch", device, most)


def _torch_codec(
    settings: Settings, device: str, checkpoint: "Checkpoint", weights: "Tensors"
) -> "Codec":
    import torch

    from mira.checkpoint import onnx_selfcheck, upsampler_weights
    from mira.codec.pytorch import TorchCodec
    from mira.codec.torch_card import CardCodec

    has_upsampler = "upsampler" in checkpoint.files  # Spark's own files have none
    build = CardCodec if device.startswith("cuda") else TorchCodec
    codec = build(
        weights,
        upsampler_weights(checkpoint) if settings.upsample and has_upsampler else None,
        device,
        speech_tokenizer=_speech_tokenizer(settings, device, checkpoint, weights),
    )
    if checkpoint.codec_layout == "mira":  # Spark's has no second opinion to compare with
        found = onnx_selfcheck(checkpoint, codec.prenet, codec.encode_mel)
        log.info("the codec agrees with its ONNX files: error %.1e", found.prenet_error)
    if isinstance(codec, CardCodec):
        # Last: from here on it is rounded.
        codec.prepare(torch.float32 if settings.codec_dtype == "float32" else torch.float16)
    return codec


def _converted(settings: Settings) -> Parts:
    """In OpenVINO, on a CPU."""
    require("cpu", "openvino", "tokenizers")
    from mira.checkpoint.converted import AGAIN, CODEC, open_converted
    from mira.codec.openvino import OpenVINOCodec
    from mira.lm.openvino import OpenVINOLM
    from mira.lm.prompt import PromptBuilder

    for name in ("model_device", "model_dtype", "lm_engine", "model_revision"):
        if (value := getattr(settings, name)) not in ("", "auto", "cpu"):
            raise InvalidSettings(
                f"{name}: a converted model runs on a CPU, as it was converted. {value!r} is for "
                "the model as published."
            )
    if settings.codec_model or settings.semantic_model:
        raise InvalidSettings(
            "codec_model and semantic_model: a converted model has its own codec, and no semantic "
            "prompt. Give them with the model as published, or leave them out."
        )
    converted = open_converted(Path(settings.model))
    processors = threading.Lock()
    try:
        prompts = PromptBuilder(converted.tokenizer, converted.tokens)
        codec = OpenVINOCodec(
            converted.directory / CODEC,
            settings.cpu_threads,
            settings.upsample,
            exact=settings.codec_dtype == "float32",
        )
        # Last: it alone runs a thread, which nobody would stop if another part were missing.
        language_model = OpenVINOLM(
            converted.directory,
            converted.tokens,
            settings.cpu_threads,
            settings.max_streams or MOST_CPU_STREAMS,
            processors,
        )
    except CheckpointError as error:
        raise CheckpointError(f"{error}; {AGAIN}") from error
    # Two windows together take as long as one after the other.
    hears = tuple(sorted((converted.directory / CODEC).glob("speaker_encoder.*")))
    return Parts(language_model, codec, prompts, hears, spans_at_once=1, processors=processors)


def require(extra: str, *libraries: str) -> None:
    """Raise InvalidSettings, saying what to install, if a library is missing.

    Args:
        extra: Of this package, that brings them.
        libraries: By the names that they are imported by.
    """
    for library in libraries:
        try:
            import_module(library)
        except ImportError as error:
            raise InvalidSettings(
                f"model: this Mira model needs {library}. In Mira's folder: "
                f".venv/bin/pip install -c constraints.txt -e '.[{extra}]' ({error})."
            ) from error


def _speech_tokenizer(
    settings: Settings, device: str, checkpoint: "Checkpoint", weights: "Tensors"
) -> "SpeechTokenizer | None":
    if not settings.semantic_model:
        return None
    from mira.checkpoint import load_wav2vec2
    from mira.codec.semantic import WAV2VEC2_LAYERS, SemanticEncoder, SpeechTokenizer

    directory = _wav2vec2(settings, checkpoint)
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
    with closing(load_parts(Settings(model=model, codec_model=codec_model))) as loaded:
        return _measured_look_ahead(loaded, text, seed)


def _measured_look_ahead(loaded: Parts, text: str, seed: int) -> list["LookAheadError"]:
    from mira.codec.look_ahead import look_ahead_error

    voice = loaded.codec.encode(*sample_recording())
    prompt = loaded.prompts.build(text, voice)
    speaker = loaded.codec.speaker(voice)
    for attempt in range(seed, seed + LOOK_AHEAD_ATTEMPTS):
        tokens = list(loaded.language_model.generate(prompt, Sampling(seed=attempt)))
        try:
            return look_ahead_error(loaded.codec, tokens, speaker)
        except ValueError as error:
            too_short = str(error)
    raise InvalidRequest(f"{too_short}. Give a longer --text.")
