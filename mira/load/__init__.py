"""Settings in, an engine ready to speak out.

With convert.py the only importer of concrete backends.
"""

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from mira.engine import Engine
from mira.errors import InvalidRequest, InvalidSettings, one_line
from mira.load.facts import facts_here, short
from mira.load.plan import Plan, extra_of, install, needed_libraries, plan
from mira.progress import Report, quiet
from mira.settings import Settings
from mira.synthesizer import Synthesizer
from mira.types import Sampling, Voice

if TYPE_CHECKING:
    from mira.model.checkpoint import Checkpoint
    from mira.model.checkpoint.converted import Converted
    from mira.model.codec.base import Codec
    from mira.model.codec.look_ahead import LookAheadError
    from mira.model.codec.semantic import SpeechTokenizer
    from mira.model.codec.weights import Tensors
    from mira.model.lm.base import LanguageModel
    from mira.model.lm.prompt import PromptBuilder

log = logging.getLogger(__name__)

# Imports of backends stand in the functions: their libraries take seconds, `mira --help` needs
# none, and those of Mira's are an extra.

FINGERPRINT_DIGITS = 32  # 128 bits; it is part of files' names
LOOK_AHEAD_ATTEMPTS = 5  # at an utterance that is long enough to measure on
CODEC_SPEAKS_AT_MOST = 32  # streams that share one pass
MOST_CPU_STREAMS = 16  # of a converted model, unless the settings say otherwise
MOST_GPU_STREAMS = 64
GOING_ON_CONTEXT = 6144  # tokens of a stream whose prompt holds a minute of speech


def load_engine(settings: Settings, report: Report = quiet) -> Engine:
    """Load the model that the settings name and speak a warm-up sentence; takes seconds.

    A Hugging Face id is downloaded first, and a model as published converted, where a processor
    is to run it; both only the first time.

    Args:
        settings: Name the model.
        report: Told what is being done, and how far it is.

    Raises:
        CheckpointError: The model's files can't be used.
        InvalidSettings: The settings ask for what the model can't do.
        SynthesisFailed: The warm-up sentence could not be spoken.
    """
    synthesizer = _mira(settings, report) if settings.model else _builtin(settings)
    engine = Engine(synthesizer, settings.lead_s, settings.pause_at_end)
    warm_up = "Hello from Mira."
    with _closing_unless_done(engine):
        for _ in engine.speak(warm_up, engine.voices[0], Sampling(seed=0)):
            pass
    return engine


@contextmanager
def _closing_unless_done(opened: "Engine | Parts") -> Iterator[None]:
    try:
        yield
    except BaseException:
        opened.close()
        raise


def _builtin(settings: Settings) -> Synthesizer:
    from mira.builtin.synthesizer import BuiltinSynthesizer

    return BuiltinSynthesizer(settings.builtin_threads)


def _mira(settings: Settings, report: Report) -> Synthesizer:
    parts = load_parts(settings, report)
    from mira.model.checkpoint.converted import fingerprint
    from mira.model.codec.batch import BatchingCodec
    from mira.model.codec.stream import Window
    from mira.model.synthesizer import MiraSynthesizer
    from mira.voices.sample import SAMPLE_VOICE, sample_recording, sample_transcript

    with _closing_unless_done(parts):
        codec, recording, said = parts.codec, sample_recording(), sample_transcript()
        tokens = codec.encode(*recording), codec.speech_tokens(*recording)
        hears = fingerprint(parts.hears)[:FINGERPRINT_DIGITS]
        # Once nothing else can fail: it runs a thread.
        batching = BatchingCodec(codec, max_spans=parts.spans_at_once, processors=parts.processors)
        return MiraSynthesizer(
            parts.language_model,
            parts.prompts,
            batching,
            Window(look_ahead=settings.look_ahead_frames),
            voices=(Voice(SAMPLE_VOICE, *tokens, said),),
            fingerprint=hears,
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


def load_parts(settings: Settings, report: Report = quiet) -> Parts:
    """Load the model that the settings name, as `plan` decides.

    Raises:
        CheckpointError: The model's files can't be used.
        InvalidSettings: The settings ask for what the model can't do, or a library is missing.
    """
    planned = plan(settings, facts_here(settings))
    if planned.refusals:
        raise InvalidSettings(str(planned.refusals[0]))
    require(extra_of(planned.engine), *needed_libraries(planned.engine))
    from mira.model.checkpoint import open_checkpoint
    from mira.model.checkpoint.converted import is_converted, open_converted

    _check_first(settings, planned, report)
    directory, other, wav2vec2 = _located(settings, report)
    if is_converted(directory):
        return _converted(settings, open_converted(directory), report)
    checkpoint = open_checkpoint(directory, other)
    if planned.converts:
        from mira.load.prepare import prepared

        converted = prepared(checkpoint, settings.model, settings.cache_dir, report)
        return _converted(settings, converted, report)
    return _published(settings, planned, checkpoint, wav2vec2, report)


def _check_first(settings: Settings, planned: Plan, report: Report) -> None:
    """Refuse what can be refused before anything is downloaded."""
    if planned.engine == "openvino":
        from mira.model.lm.openvino import check_processor

        check_processor()
    if planned.converts and settings.model in planned.downloads:  # else it may be converted
        from mira.load.prepare import require_cache

        require_cache(settings.cache_dir)
    from mira.model.checkpoint import check_known

    for name in planned.downloads[1:]:
        check_known(name, report)


def _located(settings: Settings, report: Report) -> tuple[Path, Path | None, Path | None]:
    """Where a model, another one's codec and a wav2vec2 are, once all are on this machine."""
    from mira.model.checkpoint import locate

    codec, semantic = settings.codec_model, settings.semantic_model
    model = locate(settings.model, settings.model_revision or None, report=report)
    other = locate(codec, part="codec", report=report) if codec else None
    if not semantic:
        return model, other, None
    inside = model / semantic  # where Spark's own files have it
    if inside.is_dir():
        return model, other, inside
    return model, other, locate(semantic, part="wav2vec2", report=report)


def _published(
    settings: Settings,
    planned: Plan,
    checkpoint: "Checkpoint",
    wav2vec2: Path | None,
    report: Report,
) -> Parts:
    """On any device that PyTorch knows."""
    from mira.model.lm.prompt import PromptBuilder

    if planned.device == "cpu" and settings.lm_engine == "auto":
        log.warning(
            "OpenVINO is not installed, and PyTorch is far slower on a CPU: %s", install("cpu")
        )
    loading = _Loading(report, settings.model, checkpoint.directory)
    loading.expect(checkpoint.files.values(), checkpoint.language_weights)
    prompts = PromptBuilder(checkpoint.language / "tokenizer.json", checkpoint.tokens)
    hears = _hearing(checkpoint, wav2vec2)
    codec = _torch_codec(settings, planned.device, checkpoint, wav2vec2)
    loading.did()
    # The language model last: it takes what the card has left, and it alone runs a thread, which
    # nobody would stop if another part were missing.
    language_model = _language_model(settings, planned, checkpoint)
    parts = Parts(language_model, codec, prompts, hears, CODEC_SPEAKS_AT_MOST)
    with _closing_unless_done(parts):
        loading.did()
    return parts


class _Loading:
    """Reports the bytes of a model's files that were loaded, in steps."""

    def __init__(self, report: Report, name: str, directory: Path) -> None:
        self._report, self._what = report, f"loading {short(name)} from {directory}"
        self._steps: list[int] = []
        self._done = 0

    def expect(self, *steps: Iterable[Path]) -> None:
        """Files that will be loaded together, in order."""
        self._steps = [sum(path.stat().st_size for path in files) for files in steps]
        self._tell()

    def did(self) -> None:
        """The next step is done."""
        self._done += 1
        self._tell()

    def _tell(self) -> None:
        self._report(self._what, sum(self._steps[: self._done]), sum(self._steps))


def _hearing(checkpoint: "Checkpoint", wav2vec2: Path | None) -> tuple[Path, ...]:
    """The files that its tokens of a recording depend on."""
    if wav2vec2 is None:
        return tuple(
            path for role, path in checkpoint.files.items() if role in ("codec", "speaker_encoder")
        )
    return (*checkpoint.files.values(), *sorted(wav2vec2.glob("*model.*")))


def _language_model(settings: Settings, planned: Plan, checkpoint: "Checkpoint") -> "LanguageModel":
    from mira.model.lm.torch_runner import MAX_CONTEXT, TorchLM
    from mira.model.lm.transformers import TransformersLM

    engine, device = planned.engine, planned.device
    files = checkpoint.language, checkpoint.tokens
    most = settings.max_streams or MOST_GPU_STREAMS
    if engine == "transformers":
        return TransformersLM.load(*files, device, settings.model_dtype)
    if engine == "torch":
        context = GOING_ON_CONTEXT if settings.semantic_model else MAX_CONTEXT
        return TorchLM.load(*files, device, settings.model_dtype, most, context)
    # No `require`: importing LMDeploy changes what the process logs, which `load` undoes.
    from mira.model.lm.lmdeploy_engine import load

    return load(checkpoint, "turbomind" if engine == "lmdeploy" else "pytorch", device, most)


def _torch_codec(
    settings: Settings, device: str, checkpoint: "Checkpoint", wav2vec2: Path | None
) -> "Codec":
    import torch

    from mira.model.checkpoint import codec_weights, onnx_selfcheck, upsampler_weights
    from mira.model.codec.pytorch import TorchCodec
    from mira.model.codec.torch_card import CardCodec

    weights = codec_weights(checkpoint, semantic=wav2vec2 is not None)
    has_upsampler = "upsampler" in checkpoint.files  # Spark's own files have none
    build = CardCodec if device.startswith("cuda") else TorchCodec
    codec = build(
        weights,
        upsampler_weights(checkpoint) if settings.upsample and has_upsampler else None,
        device,
        speech_tokenizer=_speech_tokenizer(wav2vec2, device, weights) if wav2vec2 else None,
    )
    if checkpoint.codec_layout == "mira":  # Spark's has no second opinion to compare with
        found = onnx_selfcheck(checkpoint, codec.prenet, codec.encode_mel)
        log.info("the codec agrees with its ONNX files: error %.1e", found.prenet_error)
    if isinstance(codec, CardCodec):
        # Last: from here on it is rounded.
        codec.prepare(torch.float32 if settings.codec_dtype == "float32" else torch.float16)
    return codec


def _converted(settings: Settings, converted: "Converted", report: Report) -> Parts:
    """In OpenVINO, on a CPU."""
    from mira.model.checkpoint.converted import CODEC
    from mira.model.codec.openvino import OpenVINOCodec
    from mira.model.lm.openvino import GRAPH, OpenVINOLM
    from mira.model.lm.prompt import PromptBuilder

    language, codec_files = converted.directory / GRAPH, converted.directory / CODEC
    loading = _Loading(report, settings.model, converted.directory)
    loading.expect(codec_files.iterdir(), (language, language.with_suffix(".bin")))
    processors = threading.Lock()
    prompts = PromptBuilder(converted.tokenizer, converted.tokens)
    codec = OpenVINOCodec(
        codec_files,
        settings.cpu_threads,
        settings.upsample,
        exact=settings.codec_dtype == "float32",
    )
    loading.did()
    hears = tuple(sorted(codec_files.glob("speaker_encoder.*")))
    # Last: it alone runs a thread, which nobody would stop if another part were missing.
    language_model = OpenVINOLM(
        converted.directory,
        converted.tokens,
        settings.cpu_threads,
        settings.max_streams or MOST_CPU_STREAMS,
        processors,
    )
    # Two windows together take as long as one after the other.
    parts = Parts(language_model, codec, prompts, hears, spans_at_once=1, processors=processors)
    with _closing_unless_done(parts):
        loading.did()
    return parts


def require(extra: str, *libraries: str) -> None:
    """Raise InvalidSettings, saying what to install, if a library is missing or broken.

    Args:
        extra: Of this package, that brings them.
        libraries: By the names that they are imported by.
    """
    for library in libraries:
        try:
            import_module(library)
        except Exception as error:  # whatever a broken installation leads to
            raise InvalidSettings(
                f"model: this Mira model needs {library} ({one_line(error)}). Install it "
                f"{install(extra)}"
            ) from error


def _speech_tokenizer(wav2vec2: Path, device: str, weights: "Tensors") -> "SpeechTokenizer":
    from mira.model.checkpoint import load_wav2vec2
    from mira.model.codec.semantic import WAV2VEC2_LAYERS, SemanticEncoder, SpeechTokenizer

    return SpeechTokenizer(
        load_wav2vec2(wav2vec2, WAV2VEC2_LAYERS, device),
        SemanticEncoder(weights).to(device),
        device,
    )


def measure_look_ahead(
    model: str, text: str, seed: int, codec_model: str = "", report: Report = quiet
) -> list["LookAheadError"]:
    """Let a checkpoint say `text`, and render that with every look-ahead.

    Args:
        model: A directory or Hugging Face id.
        text: Long enough to measure on.
        seed: Of the sampling.
        codec_model: Another one, whose codec is to be measured.
        report: Told of downloads and of what else takes time.

    Raises:
        CheckpointError: The model's files can't be used.
        InvalidRequest: It said too little to measure on.
    """
    settings = Settings(model=model, codec_model=codec_model, codec_dtype="float32")
    facts = facts_here(settings)
    if facts.model != "converted" and {"torch", "transformers"} <= facts.libraries:
        settings = settings.model_copy(update={"lm_engine": "transformers"})  # nothing to convert
    with closing(load_parts(settings, report)) as loaded:
        return _measured_look_ahead(loaded, text, seed)


def _measured_look_ahead(loaded: Parts, text: str, seed: int) -> list["LookAheadError"]:
    from mira.model.codec.look_ahead import look_ahead_error
    from mira.voices.sample import sample_recording

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
