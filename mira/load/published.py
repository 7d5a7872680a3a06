"""A checkpoint as published in, a model that speaks in PyTorch or LMDeploy out."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from mira.load.parts import Parts, closed_on_failure, loading
from mira.load.plan import Plan, install
from mira.model.checkpoint.layout import Checkpoint
from mira.progress import Report
from mira.settings import Settings

if TYPE_CHECKING:
    from mira.model.codec.base import Codec
    from mira.model.lm.base import LanguageModel

log = logging.getLogger(__name__)

CODEC_SPEAKS_AT_MOST = 32  # streams that share one pass
MOST_STREAMS = 64  # on a card, unless the settings say otherwise
MOST_CPU_STREAMS = 16
GOING_ON_CONTEXT = 6144  # tokens of a stream whose prompt holds a minute of speech


def load_published(
    settings: Settings, planned: Plan, checkpoint: Checkpoint, wav2vec2: Path | None, report: Report
) -> Parts:
    """Load it on any device that PyTorch knows; errors as for `load_parts`.

    Args:
        settings: What `planned` was made of.
        planned: Says where.
        checkpoint: All that speaks.
        wav2vec2: The directory of what listens to recordings that are gone on from, if any are.
        report: Told how far it is.
    """
    from mira.model.lm.prompt import PromptBuilder

    if planned.device == "cpu" and settings.lm_engine == "auto":
        why = "has no semantic prompts" if wav2vec2 else f"is not installed: {install('cpu')}"
        log.warning("PyTorch is far slower on a CPU than OpenVINO, which %s", why)
    steps = checkpoint.files.values(), checkpoint.language_weights
    did = loading(report, settings, checkpoint.directory, *steps)
    prompts = PromptBuilder(checkpoint.language / "tokenizer.json", checkpoint.tokens)
    if wav2vec2:
        hears = (*checkpoint.files.values(), *sorted(wav2vec2.glob("*model.*")))
    else:
        roles = ("codec", "speaker_encoder")
        hears = tuple(path for role, path in checkpoint.files.items() if role in roles)
    codec = _codec(settings, planned.device, checkpoint, wav2vec2)
    did()
    # The language model last: it takes what the card has left, and it alone runs a thread, which
    # nobody would stop if another part were missing.
    language_model = _language_model(settings, planned, checkpoint)
    parts = Parts(language_model, codec, prompts, hears, CODEC_SPEAKS_AT_MOST)
    with closed_on_failure(parts):
        did()
    return parts


def _language_model(settings: Settings, planned: Plan, checkpoint: Checkpoint) -> "LanguageModel":
    import torch

    from mira.model.lm.batching import BatchingLM
    from mira.model.lm.torch_runner import MAX_CONTEXT, TorchRunner

    usual = MOST_CPU_STREAMS if planned.gpu is None else MOST_STREAMS
    most = settings.max_streams or usual
    if planned.engine == "torch":
        asked = settings.model_dtype
        dtype = None if asked == "auto" else getattr(torch, asked)
        context = GOING_ON_CONTEXT if settings.semantic_model else MAX_CONTEXT
        runner = TorchRunner(checkpoint, planned.device, dtype, most, context)
        return BatchingLM(runner, checkpoint.tokens)
    from mira.model.lm.lmdeploy_engine import load

    return load(checkpoint, planned.engine, planned.gpu or 0, most)


def _codec(
    settings: Settings, device: str, checkpoint: Checkpoint, wav2vec2: Path | None
) -> "Codec":
    import torch

    from mira.model.checkpoint.selfcheck import check_codec
    from mira.model.checkpoint.wav2vec2 import load_wav2vec2
    from mira.model.checkpoint.weights import codec_weights, upsampler_weights
    from mira.model.codec.pytorch import TorchCodec
    from mira.model.codec.semantic import WAV2VEC2_LAYERS, SpeechTokenizer

    weights = codec_weights(checkpoint, semantic=wav2vec2 is not None)
    listens = None
    if wav2vec2:
        network = load_wav2vec2(wav2vec2, WAV2VEC2_LAYERS, device)
        listens = SpeechTokenizer(network, weights, device)
    codec = TorchCodec(
        weights,
        upsampler_weights(checkpoint) if settings.upsample else None,
        device,
        speech_tokenizer=listens,
    )
    check_codec(checkpoint, codec.prenet, codec.encode_mel)
    if device.startswith("cuda"):
        # Last: from here on it is rounded.
        codec.prepare(torch.float32 if settings.codec_dtype == "float32" else torch.float16)
    return codec
