"""Settings in, an engine of LMDeploy's out: what refuses to start says which setting to change."""

import ast
import importlib.util
import io
import logging
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mira.errors import CheckpointError, InvalidSettings
from mira.model.checkpoint.language import LanguageDims
from mira.model.checkpoint.layout import Checkpoint
from mira.model.lm import lmdeploy_engine
from mira.model.lm.lmdeploy_dialects import cut_dialect, generation
from mira.model.lm.prompt import PromptBuilder
from mira.types import Sampling
from tests.model.lm.conftest import GLOBAL_TOKENS
from tests.model.lm.lmdeploy_stand_ins import UNSKIP, embedding, imported, on_a_gpu, wide
from tests.model.lm.reference import Reference


def test_too_little_memory(mira: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """At true size a token of the cache takes 12,288 bytes."""
    true = replace(mira, dims=LanguageDims(166_000, 896, 24, 14, 2, 64, 4864, tied=True))
    weight_bytes = sum(path.stat().st_size for path in mira.language_weights)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (3 << 30, 4 << 30))
    share = lmdeploy_engine._cache_share(true, 0, 8192, 4)
    assert share == pytest.approx(1.2 * 8192 * 12_288 / ((3 << 30) - weight_bytes))
    with pytest.raises(InvalidSettings, match=r"max_streams: .* of which cuda:0 has 3\.0 free"):
        lmdeploy_engine._cache_share(true, 0, 200_000, 150)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to\nallocate"), "max_streams: .*Lower"),
        (RuntimeError("No enough gpu memory for kv cache."), "max_streams: .*Lower"),
        (RuntimeError("no executable data type"), "lm_engine: .*Set it to lmdeploy-pytorch"),
        (SystemExit(1), "lm_engine: .*can't start"),
        (ImportError("libcublas.so.12"), r"lm_engine: .*can't be loaded.*\[cuda\]"),
    ],
)
def test_what_lmdeploy_says_names_a_setting(error: BaseException, said: str) -> None:
    translated = lmdeploy_engine._translated("lmdeploy", 64)
    with pytest.raises(InvalidSettings, match=said) as raised, translated:
        raise error
    assert "\n" not in str(raised.value)


def source_of(module: str) -> ast.Module:
    """Parsed, not imported: its dependencies need not be there."""
    spec = importlib.util.find_spec("lmdeploy")
    if spec is None or spec.origin is None:
        pytest.skip(f"LMDeploy is not installed; {UNSKIP}")
    path = Path(spec.origin).parent.joinpath(*module.split(".")).with_suffix(".py")
    return ast.parse(path.read_text("utf-8"))


def arguments_of(module: str, name: str, method: str) -> set[str]:
    tree = source_of(module)
    (found,) = (n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == name)
    (function,) = (n for n in found.body if getattr(n, "name", "") == method)
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    return {argument.arg for argument in function.args.args}


@pytest.mark.parametrize(
    ("module", "engine", "instance"),
    [
        ("turbomind.turbomind", "TurboMind", "TurboMindInstance"),
        ("pytorch.engine.engine", "Engine", "EngineInstance"),
    ],
)
def test_lmdeploys_classes_take_what_they_are_given(
    module: str, engine: str, instance: str
) -> None:
    assert arguments_of(module, engine, "create_instance")
    assert arguments_of(module, engine, "get_health_status") == {"self"}
    assert arguments_of(module, engine, "close") == {"self"}
    where = module.replace("engine.engine", "engine.engine_instance")
    assert {"session_id", "input_ids", "gen_config"} <= arguments_of(
        where, instance, "async_stream_infer"
    )
    assert "session_id" in arguments_of(where, instance, "async_cancel")
    if engine == "TurboMind":
        assert {"stream_output", "input_embeddings", "input_embedding_ranges"} <= arguments_of(
            where, instance, "async_stream_infer"
        )
    else:
        assert arguments_of(module, engine, "start_loop") == {"self"}


def test_lmdeploys_configurations_take_what_they_are_given(mira: Checkpoint) -> None:
    messages = imported("lmdeploy.messages")
    dialect = cut_dialect(mira.tokens, embedding(mira))
    config = messages.GenerationConfig(**generation(Sampling(seed=1), dialect))
    assert config.do_sample and config.bad_token_ids == list(dialect.banned)
    names = {status.name for status in messages.ResponseType}
    assert {"SUCCESS", "FINISH", "CANCEL", "OUT_OF_MEMORY"} <= names
    assert messages.EngineOutput(messages.ResponseType.FINISH, [1]).token_ids == [1]


@pytest.mark.parametrize("engine", ["lmdeploy", "lmdeploy-pytorch"])
def test_a_gpu_says_what_the_reference_would(
    engine: str, mira: Checkpoint, prompts: PromptBuilder, tmp_path: Path
) -> None:
    """All of it likely by logits in float32: in their best hundred, of which fifty may be drawn."""
    prompt = prompts.build("hello the world", GLOBAL_TOKENS, [1, 2, 3])
    with closing(on_a_gpu(mira, engine)) as lm:
        said = [list(lm.generate(prompt, Sampling(seed=seed))) for seed in range(3)]
    reference = Reference(wide(mira, tmp_path).language, mira.tokens)
    for codes in said:
        ids = [mira.tokens.first_speech + code for code in codes]
        logits = reference.logits(prompt, ids)[: len(codes)]
        likelier = (logits > logits[range(len(codes)), codes][:, None]).sum(1)
        assert likelier.max() < 100


def test_the_gpus_checkpoint_is_one(mira: Checkpoint, tmp_path: Path) -> None:
    checkpoint = wide(mira, tmp_path)
    assert checkpoint.dims.head_dim == 64 and checkpoint.tokens == mira.tokens


def test_logs_are_as_before() -> None:
    """Whatever LMDeploy makes of them, a line each for its errors is what is left."""
    handler, lmdeploy = logging.StreamHandler(io.StringIO()), logging.getLogger("lmdeploy")
    logging.root.addHandler(handler)
    try:
        with lmdeploy_engine._logging_as_before():
            handler.setLevel(logging.ERROR)
            lmdeploy.addHandler(logging.StreamHandler())
            lmdeploy.setLevel(logging.INFO)
            lmdeploy.propagate = False
        lmdeploy.info("a request")
        lmdeploy.warning("out of memory")
        assert handler.stream.getvalue() == "out of memory\n"
    finally:
        logging.root.removeHandler(handler)


def test_a_checkpoint_that_is_not_finite(mira: Checkpoint, tmp_path: Path) -> None:
    """LMDeploy would speak noise."""
    path = tmp_path / "model.safetensors"
    save_file({"weight": torch.tensor([1.0, torch.nan])}, path)
    with pytest.raises(CheckpointError, match="weight: expected finite"):
        lmdeploy_engine.load(replace(mira, language_weights=(path,)), "lmdeploy")
