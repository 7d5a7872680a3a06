"""A checkpoint's language model in, one of LMDeploy's engines with it on a GPU out, warm.

The only module that imports LMDeploy, its model in `lmdeploy_qwen2.py` apart. Knows nothing about
streams. Source: LMDeploy 0.18.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from mira.errors import InvalidSettings, one_line
from mira.model.checkpoint.layout import Checkpoint
from mira.model.checkpoint.tensors import read_tensors
from mira.model.codec.base import GLOBAL_TOKENS
from mira.model.lm.lmdeploy import LMDeployLM
from mira.model.lm.lmdeploy_dialects import Dialect, cut, cut_dialect, published_dialect

log = logging.getLogger(__name__)

SESSION_TOKENS = 8192  # of one stream: a minute of somebody's speech, its words, and 1024 new ones
USUAL_TOKENS = 1280  # of one stream: the longest prompt of a sentence, and 1024 new ones
BLOCK_TOKENS = 64
WORKING_BYTES = 1 << 30  # a guess at what a step needs beside weights and cache
SPARE = 1.2  # of the cache: TurboMind is told its share of memory that can only be estimated here
_MODEL = "mira.model.lm.lmdeploy_qwen2.SpeechQwen2"


def load(checkpoint: Checkpoint, engine: str, gpu: int = 0, max_streams: int = 64) -> LMDeployLM:
    """Load a language model in bfloat16 and let it speak once, as many streams as may.

    Prompts aren't cached: the text comes before the voice in them, so that two which differ in
    their text share two tokens, of the 64 that would have to be equal to be found again.

    Args:
        checkpoint: Of a Qwen2.
        engine: "lmdeploy" is TurboMind, "lmdeploy-pytorch" the engine in PyTorch, for GPUs that
            TurboMind has no kernels for.
        gpu: Has bfloat16; number 0 for the engine in PyTorch.
        max_streams: Number of streams that may speak at the same time; their cache is taken now.

    Raises:
        InvalidSettings: The GPU has too little memory, or LMDeploy is missing or can't use it.
        CheckpointError: The files can't be loaded, or hold a value that is not finite.
        SynthesisFailed: It could not speak.
    """
    began = time.perf_counter()
    for path in checkpoint.language_weights:
        read_tensors(path)  # for what it refuses: LMDeploy would speak noise
    # So that no stream is ever stopped for want of cache, unless many are unusually long.
    cache_tokens = SESSION_TOKENS + max_streams * USUAL_TOKENS
    share = _cache_share(checkpoint, gpu, cache_tokens, max_streams)
    with _translated(engine, max_streams):
        with _logging_as_before():
            from lmdeploy.messages import GenerationConfig
        common = {
            "dtype": "bfloat16",
            "session_len": SESSION_TOKENS,
            "max_batch_size": max_streams,
            "enable_prefix_caching": False,
            "enable_metrics": False,
        }
        if engine == "lmdeploy":
            loaded, dialect = _turbomind(checkpoint, gpu, share, common)
        else:
            blocks = cache_tokens // BLOCK_TOKENS + max_streams
            loaded, dialect = _pytorch(checkpoint, blocks, common)
        log.info("%s loaded in %.1f s", engine, time.perf_counter() - began)
        model = LMDeployLM(loaded, dialect, GenerationConfig, max_streams, SESSION_TOKENS)
    try:
        model.warm_up([checkpoint.tokens.first_global] * 2 * GLOBAL_TOKENS)
    except BaseException:
        model.close()
        raise
    return model


def _cache_share(checkpoint: Checkpoint, gpu: int, cache_tokens: int, max_streams: int) -> float:
    """Compute which share the cache gets of the memory that the weights leave free.

    Asked before anything is loaded: TurboMind aborts the process when it gets no memory.

    Raises:
        InvalidSettings: There isn't enough.
    """
    dims = checkpoint.dims
    token_bytes = 2 * 2 * dims.layers * dims.kv_heads * dims.head_dim  # a key, a value; bfloat16
    cache_bytes = SPARE * cache_tokens * token_bytes
    weight_bytes = sum(path.stat().st_size for path in checkpoint.language_weights)
    needed_bytes = weight_bytes + cache_bytes + WORKING_BYTES
    free_bytes = torch.cuda.mem_get_info(gpu)[0]
    if free_bytes < needed_bytes:
        raise InvalidSettings(
            f"max_streams: for {max_streams} streams the language model needs "
            f"{needed_bytes / 2**30:.1f} GiB, of which cuda:{gpu} has {free_bytes / 2**30:.1f} "
            "free. Lower it, or free memory there."
        )
    return cache_bytes / (free_bytes - weight_bytes)


def _turbomind(
    checkpoint: Checkpoint, gpu: int, share: float, common: dict[str, Any]
) -> tuple[Any, Dialect]:
    from lmdeploy import turbomind
    from lmdeploy.messages import TurbomindEngineConfig

    if not turbomind.is_available():
        raise ImportError(turbomind._import_error)
    config = TurbomindEngineConfig(
        devices=[gpu],
        cache_max_entry_count=share,
        cache_block_seq_len=BLOCK_TOKENS,
        **common,
    )
    vocabulary = checkpoint.tokens
    with TemporaryDirectory(prefix="mira-") as directory:
        files = checkpoint.language, checkpoint.language_weights
        whole = cut(*files, vocabulary, Path(directory))
        engine: Any = turbomind.TurboMind.from_pretrained(directory, engine_config=config)
    if engine.engine_config.dtype != "bfloat16":  # it says so in a warning, and goes on
        engine.close()
        raise RuntimeError(f"it would compute in {engine.engine_config.dtype}")
    return engine, cut_dialect(vocabulary, whole)


def _pytorch(checkpoint: Checkpoint, blocks: int, common: dict[str, Any]) -> tuple[Any, Dialect]:
    from lmdeploy.messages import PytorchEngineConfig
    from lmdeploy.pytorch.engine import Engine as PytorchEngine
    from lmdeploy.pytorch.models.module_map import CUSTOM_MODULE_MAP

    # There is an option for this, custom_module_map; in 0.18 nothing reads it.
    CUSTOM_MODULE_MAP["Qwen2ForCausalLM"] = _MODEL
    vocabulary = checkpoint.tokens
    config = PytorchEngineConfig(
        num_gpu_blocks=blocks,
        block_size=BLOCK_TOKENS,
        hf_overrides={
            "mira_first_speech": vocabulary.first_speech,
            "mira_end_ids": list(vocabulary.end_ids),
        },
        **common,
    )
    engine: Any = PytorchEngine.from_pretrained(str(checkpoint.language), engine_config=config)
    return engine, published_dialect(vocabulary, checkpoint.dims.vocab_rows)


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
def _translated(engine: str, max_streams: int) -> Iterator[None]:
    """Say in terms of settings what LMDeploy says in its own."""
    try:
        yield
    except ImportError as error:
        raise InvalidSettings(
            f"lm_engine: {engine} can't be loaded ({error}). In Mira's folder: .venv/bin/pip "
            "install -c constraints-cuda.txt -e '.[cuda]'. Or set another."
        ) from error
    # SystemExit is how the engine in PyTorch says that it dislikes what it was installed with.
    except (RuntimeError, ValueError, AssertionError, OSError, KeyError, SystemExit) as error:
        reason = one_line(error)
        if "out of memory" in reason.lower() or "enough gpu memory" in reason.lower():
            raise InvalidSettings(
                f"max_streams: cuda has no memory for a language model of {max_streams} streams "
                f"({reason}). Lower it, or free memory there."
            ) from error
        other = "lmdeploy-pytorch" if engine == "lmdeploy" else "torch"
        raise InvalidSettings(
            f"lm_engine: {engine} can't start ({reason}). Set it to {other}."
        ) from error
