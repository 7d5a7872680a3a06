"""A checkpoint's language model in, one of LMDeploy's engines with it on a GPU out, warm.

The only module that imports LMDeploy, its model in `lmdeploy_qwen2.py` apart. Knows nothing about
streams. Source: LMDeploy 0.18.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Protocol

import torch
from safetensors import SafetensorError, safe_open

from mira.errors import CheckpointError, InvalidSettings, one_line
from mira.model.checkpoint.tensors import LARGEST
from mira.model.checkpoint.tokens import TokenMap
from mira.model.codec.base import GLOBAL_TOKENS
from mira.model.lm.lmdeploy import Engine, LMDeployLM
from mira.model.lm.lmdeploy_dialects import CutDialect, Dialect, PublishedDialect, cut

log = logging.getLogger(__name__)

Kind = Literal["turbomind", "pytorch"]

SESSION_TOKENS = 8192  # of one stream: a minute of somebody's speech, its words, and 1024 new ones
USUAL_TOKENS = 1280  # of one stream: the longest prompt of a sentence, and 1024 new ones
BLOCK_TOKENS = 64
WORKING_BYTES = 1 << 30  # a guess at what a step needs beside weights and cache
SPARE = 1.2  # of the cache: TurboMind is told its share of memory that can only be estimated here
_MODEL = "mira.model.lm.lmdeploy_qwen2.SpeechQwen2"


class Dims(Protocol):
    """Of a language model."""

    @property
    def vocab_rows(self) -> int:
        """Of the embedding."""

    @property
    def layers(self) -> int:
        """Each has a cache."""

    @property
    def kv_heads(self) -> int:
        """Of a layer."""

    @property
    def head_dim(self) -> int:
        """Of a head."""


class Checkpoint(Protocol):
    """A language model on disk, checked."""

    @property
    def language(self) -> Path:
        """Holds its configuration and tokenizer."""

    @property
    def language_weights(self) -> Sequence[Path]:
        """Its safetensors."""

    @property
    def tokens(self) -> TokenMap:
        """Where its tokens are."""

    @property
    def dims(self) -> Dims:
        """Its dimensions."""


def load(
    checkpoint: Checkpoint, kind: Kind = "turbomind", device: str = "cuda:0", max_streams: int = 64
) -> LMDeployLM:
    """Load a language model in bfloat16 and let it speak once, as many streams as may.

    Prompts aren't cached. The text comes before the voice in them, so that two which differ in
    their text share two tokens, of the 64 that would have to be equal to be found again; and a
    prompt that comes again whole would save the reading of 64 tokens, which takes a GPU about as
    long as that of one.

    Args:
        checkpoint: Of a Qwen2.
        kind: TurboMind, or the engine in PyTorch for GPUs that TurboMind has no kernels for.
        device: Such as "cuda:0".
        max_streams: Number of streams that may speak at the same time; their cache is taken now.

    Raises:
        InvalidSettings: There is no such GPU, it has no bfloat16 or too little memory, or LMDeploy
            is missing or can't use it.
        CheckpointError: The files can't be loaded, or hold a value that is not finite.
        SynthesisFailed: It could not speak.
    """
    began = time.perf_counter()
    gpu = _gpu(device, kind)
    _require_finite(checkpoint.language_weights)
    cache_bytes = _cache_tokens(max_streams) * _token_bytes(checkpoint.dims)
    share = _cache_share(checkpoint, gpu, cache_bytes, max_streams)
    build = _turbomind if kind == "turbomind" else _pytorch
    with _translated(kind, max_streams):
        with _logging_as_before():
            from lmdeploy.messages import GenerationConfig
        engine, dialect = build(checkpoint, gpu, max_streams, share)
        log.info("LMDeploy's %s engine loaded in %.1f s", kind, time.perf_counter() - began)
        model = LMDeployLM(engine, dialect, GenerationConfig, max_streams, SESSION_TOKENS)
    try:
        model.warm_up([checkpoint.tokens.first_global] * 2 * GLOBAL_TOKENS)
    except BaseException:
        model.close()
        raise
    return model


def _gpu(device: str, kind: Kind) -> int:
    """Which one is meant, if it will do."""
    kind_of_device, _, number = device.partition(":")
    index = int(number) if number.isdecimal() else 0
    if (
        kind_of_device != "cuda"
        or not torch.cuda.is_available()
        or index >= torch.cuda.device_count()
    ):
        raise InvalidSettings(f"model_device: LMDeploy needs a CUDA GPU, not {device!r}.")
    if torch.cuda.get_device_capability(index) < (8, 0):
        # LMDeploy would go on in float16, in which this model speaks "!!!!".
        raise InvalidSettings(
            f"model_device: {device} has no bfloat16, and LMDeploy no float32. Set lm_engine to "
            "torch."
        )
    if kind == "pytorch" and index > 0:
        raise InvalidSettings(
            f"model_device: LMDeploy's engine in PyTorch runs on cuda:0 alone. Start Mira with "
            f"CUDA_VISIBLE_DEVICES={index} and model_device=cuda:0."
        )
    return index


def _require_finite(weights: Sequence[Path]) -> None:
    for path in weights:
        try:
            with safe_open(path, "pt") as file:
                for name in file.keys():  # noqa: SIM118 - not a dict
                    if not file.get_tensor(name).abs().max() <= LARGEST:  # nor NaN
                        raise CheckpointError(
                            f"{path}: {name}: expected finite values up to {LARGEST:.0e}"
                        )
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"{path}: can't be loaded ({error})") from error


def _cache_tokens(max_streams: int) -> int:
    """So that no stream is ever stopped for want of cache, unless many are unusually long."""
    return SESSION_TOKENS + max_streams * USUAL_TOKENS


def _token_bytes(dims: Dims) -> int:
    """What the cache keeps of a token: a key and a value of each head, of two bytes a number."""
    return 2 * 2 * dims.layers * dims.kv_heads * dims.head_dim


def _cache_share(checkpoint: Checkpoint, gpu: int, cache_bytes: int, max_streams: int) -> float:
    """The share of memory that the cache gets of what the weights leave free.

    Asked before anything is loaded: TurboMind aborts the process when it gets no memory.

    Raises:
        InvalidSettings: There isn't enough.
    """
    free_bytes = torch.cuda.mem_get_info(gpu)[0]
    left = free_bytes - sum(path.stat().st_size for path in checkpoint.language_weights)
    if left < SPARE * cache_bytes + WORKING_BYTES:
        raise InvalidSettings(
            f"max_streams: for {max_streams} streams the language model needs "
            f"{(free_bytes - left + SPARE * cache_bytes + WORKING_BYTES) / 2**30:.1f} GiB, of "
            f"which cuda:{gpu} has {free_bytes / 2**30:.1f} free. Lower it, or free memory there."
        )
    return SPARE * cache_bytes / left


def _turbomind(
    checkpoint: Checkpoint, gpu: int, max_streams: int, share: float
) -> tuple[Engine, Dialect]:
    from lmdeploy import turbomind
    from lmdeploy.messages import TurbomindEngineConfig

    if not turbomind.is_available():
        raise ImportError(turbomind._import_error)
    config = TurbomindEngineConfig(
        dtype="bfloat16",
        devices=[gpu],
        session_len=SESSION_TOKENS,
        max_batch_size=max_streams,
        cache_max_entry_count=share,
        cache_block_seq_len=BLOCK_TOKENS,
        enable_prefix_caching=False,
        enable_metrics=False,
    )
    with TemporaryDirectory(prefix="mira-") as directory:
        whole = cut(
            checkpoint.language,
            checkpoint.language_weights,
            checkpoint.tokens,
            Path(directory),
        )
        engine: Any = turbomind.TurboMind.from_pretrained(directory, engine_config=config)
    if engine.engine_config.dtype != "bfloat16":  # it says so in a warning, and goes on
        engine.close()
        raise RuntimeError(f"it would compute in {engine.engine_config.dtype}")
    return engine, CutDialect(checkpoint.tokens, whole)


def _pytorch(
    checkpoint: Checkpoint, gpu: int, max_streams: int, share: float
) -> tuple[Engine, Dialect]:
    from lmdeploy.messages import PytorchEngineConfig
    from lmdeploy.pytorch.engine import Engine as PytorchEngine
    from lmdeploy.pytorch.models.module_map import CUSTOM_MODULE_MAP

    # There is an option for this, custom_module_map; in 0.18 nothing reads it.
    CUSTOM_MODULE_MAP["Qwen2ForCausalLM"] = _MODEL
    config = PytorchEngineConfig(
        dtype="bfloat16",
        session_len=SESSION_TOKENS,
        max_batch_size=max_streams,
        num_gpu_blocks=_cache_tokens(max_streams) // BLOCK_TOKENS + max_streams,
        block_size=BLOCK_TOKENS,
        enable_prefix_caching=False,
        enable_metrics=False,
        hf_overrides={
            "mira_first_speech": checkpoint.tokens.first_speech,
            "mira_end_ids": list(checkpoint.tokens.end_ids),
        },
    )
    engine: Any = PytorchEngine.from_pretrained(str(checkpoint.language), engine_config=config)
    return engine, PublishedDialect(checkpoint.tokens, checkpoint.dims.vocab_rows)


@contextmanager
def _logging_as_before() -> Iterator[None]:
    """Undo what importing LMDeploy does to a process's logs.

    It writes a line for each request to standard output, where audio may go, and lets nothing but
    errors through the handlers that were there before it.
    """
    levels = [(handler, handler.level) for handler in logging.root.handlers]
    try:
        yield
    finally:
        for handler, level in levels:
            handler.setLevel(level)
        lmdeploy = logging.getLogger("lmdeploy")
        lmdeploy.handlers.clear()
        lmdeploy.propagate = True
        lmdeploy.setLevel(logging.WARNING)


@contextmanager
def _translated(kind: Kind, max_streams: int) -> Iterator[None]:
    """Say in terms of settings what LMDeploy says in its own."""
    try:
        yield
    except ImportError as error:
        raise InvalidSettings(
            f"lm_engine: LMDeploy's {kind} engine can't be loaded ({error}). In Mira's folder: "
            ".venv/bin/pip install -c constraints-cuda.txt -e '.[cuda]'. Or set another."
        ) from error
    # SystemExit is how the engine in PyTorch says that it dislikes what it was installed with.
    except (RuntimeError, ValueError, AssertionError, OSError, KeyError, SystemExit) as error:
        reason = one_line(error)
        if "out of memory" in reason.lower() or "enough gpu memory" in reason.lower():
            raise InvalidSettings(
                f"max_streams: cuda has no memory for a language model of {max_streams} streams "
                f"({reason}). Lower it, or free memory there."
            ) from error
        other = "lmdeploy-pytorch" if kind == "turbomind" else "torch"
        raise InvalidSettings(
            f"lm_engine: LMDeploy's {kind} engine can't start ({reason}). Set it to {other}."
        ) from error
