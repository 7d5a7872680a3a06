"""What would speak is decided of facts alone, and whoever would be refused is told what to do."""

from typing import Any

import pytest

from mira.load.plan import Facts, Place, Plan, install, plan
from mira.settings import Settings

DOWNLOAD = frozenset({"safetensors", "tokenizers", "huggingface_hub", "httpx2"})
CPU = DOWNLOAD | {"openvino"}
TORCH = DOWNLOAD | {"torch"}
ALL = CPU | TORCH | {"lmdeploy", "transformers"}
H100, T4 = (9, 0), (7, 5)


def planned(facts: Facts, **settings: Any) -> Plan:
    return plan(Settings(model="owner/name", **settings), facts)


def on(*cards: tuple[int, int], libraries: frozenset[str] = ALL, **places: Place) -> Facts:
    return Facts(libraries, cards, **{"model": "directory", **places})


def refused(facts: Facts, **settings: Any) -> dict[str, str]:
    return {refusal.setting: refusal.reason for refusal in planned(facts, **settings).refusals}


def test_without_a_model_the_built_in_voice_speaks_and_nothing_is_needed() -> None:
    assert plan(Settings(), Facts()) == Plan("builtin")
    assert plan(Settings(model_device="cuda:3"), Facts(ALL, (H100,))) == Plan("builtin")


@pytest.mark.parametrize(
    ("facts", "settings", "engine", "device"),
    [
        # A processor speaks from a conversion, and PyTorch only where nothing else is installed.
        (on(libraries=CPU), {}, "openvino", "cpu"),
        (on(), {}, "openvino", "cpu"),
        (on(libraries=TORCH), {}, "torch", "cpu"),
        (on(semantic_model="downloaded"), {"semantic_model": "a/b"}, "torch", "cpu"),
        (on(H100), {"model_device": "cpu"}, "openvino", "cpu"),
        (on(), {"lm_engine": "torch", "model_device": "cpu"}, "torch", "cpu"),
        # A card runs the model as published.
        (on(H100), {}, "torch", "cuda:0"),
        (on(H100, libraries=CPU | TORCH), {}, "torch", "cuda:0"),
        (on(H100), {"lm_engine": "lmdeploy"}, "lmdeploy", "cuda:0"),
        (on(H100, T4), {"model_device": "cuda:1"}, "torch", "cuda:1"),  # no bfloat16
        (on(H100), {"model_dtype": "float32"}, "torch", "cuda:0"),
        (on(H100), {"lm_engine": "lmdeploy-pytorch"}, "lmdeploy-pytorch", "cuda:0"),
        # What is converted runs on a processor, whatever else is there.
        (on(H100, model="converted"), {}, "openvino", "cpu"),
    ],
)
def test_what_speaks(facts: Facts, settings: dict[str, Any], engine: str, device: str) -> None:
    found = planned(facts, **settings)
    assert (found.engine, found.device, found.refusals) == (engine, device, ())
    assert found.converts == (engine == "openvino" and facts.model != "converted")


def test_what_has_to_be_downloaded() -> None:
    settings = {"codec_model": "other/codec", "lm_engine": "torch"}
    found = planned(on(model="hub", codec_model="directory"), **settings)
    assert found.downloads == ("owner/name",)
    found = planned(on(codec_model="hub"), **settings)
    assert found.downloads == ("other/codec",)
    assert planned(on()).downloads == ()


def test_a_machine_without_a_gpu_is_never_told_to_install_pytorch() -> None:
    for place in ("directory", "hub", "converted"):
        (reason,) = refused(on(libraries=frozenset(), model=place)).values()
        assert "torch" not in reason
        assert reason.endswith(".venv/bin/pip install -c constraints.txt -e '.[cpu]'")
    only = on(libraries=frozenset({"openvino", "tokenizers"}), model="converted")
    assert not planned(only).refusals


@pytest.mark.parametrize(
    ("facts", "settings", "missing", "extra"),
    [
        (on(libraries=CPU), {"lm_engine": "torch"}, "torch", "torch"),
        (
            on(libraries=CPU | TORCH, semantic_model="hub"),
            {"semantic_model": "a/b"},
            "transformers",
            "torch",
        ),
        (on(libraries=CPU - {"safetensors"}), {}, "safetensors", "cpu"),
        (on(libraries=CPU - {"huggingface_hub"}, model="hub"), {}, "huggingface_hub", "cpu"),
        (on(H100, libraries=TORCH), {"lm_engine": "lmdeploy"}, "lmdeploy", "cuda"),
    ],
)
def test_a_missing_library_is_named_with_the_command(
    facts: Facts, settings: dict[str, Any], missing: str, extra: str
) -> None:
    reason = refused(facts, **settings)["model"]
    assert f"needs {missing}. " in reason
    assert install(extra) in reason


def test_a_torch_that_cant_be_imported_stops_who_needs_it() -> None:
    facts = Facts(ALL, (), "ImportError: libc10.so", "directory")
    assert not planned(facts).refusals
    assert "ImportError: libc10.so" in refused(facts, lm_engine="torch")["model"]


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
@pytest.mark.parametrize("engine", ["auto", "torch", "lmdeploy"])
def test_without_a_pytorch_that_works_nothing_is_said_of_gpus(engine: str, device: str) -> None:
    missing = on(libraries=CPU)
    broken = Facts(ALL, (), "ImportError: libc10.so", "directory")
    for facts, says in ((missing, "needs torch"), (broken, "ImportError: libc10.so")):
        found = refused(facts, lm_engine=engine, model_device=device)
        assert set(found) == {"model"}
        assert says in found["model"]


@pytest.mark.parametrize(
    ("facts", "settings", "setting", "says"),
    [
        (on(), {"model_dtype": "float16"}, "model_dtype", '"!!!!"'),
        (on(H100, model="converted"), {"model_device": "cuda"}, "model_device", "runs on a CPU"),
        (on(model="converted"), {"lm_engine": "torch"}, "lm_engine", "runs on a CPU"),
        (on(model="converted"), {"model_dtype": "float32"}, "model_dtype", "runs on a CPU"),
        (on(model="converted"), {"codec_model": "a/b"}, "codec_model", "has its own codec"),
        (on(), {"model_dtype": "float32"}, "model_dtype", "lm_engine=torch"),
        (on(), {"model_device": "cuda"}, "model_device", "PyTorch sees no GPUs"),
        (on(H100), {"model_device": "cuda:1"}, "model_device", "PyTorch sees 1 GPU)"),
        (on(H100), {"model_device": "tpu"}, "model_device", "'tpu' is not to be had here"),
        (
            on(),
            {"lm_engine": "lmdeploy"},
            "model_device",
            "needs a CUDA GPU, and PyTorch sees none",
        ),
        (on(T4), {"lm_engine": "lmdeploy"}, "lm_engine", "no bfloat16"),
        (
            on(H100, H100),
            {"lm_engine": "lmdeploy-pytorch", "model_device": "cuda:1"},
            "model_device",
            "CUDA_VISIBLE_DEVICES=1",
        ),
        (
            on(H100),
            {"lm_engine": "lmdeploy", "model_dtype": "float32"},
            "model_dtype",
            "LMDeploy has no float32",
        ),
    ],
)
def test_what_stops_a_start(
    facts: Facts, settings: dict[str, Any], setting: str, says: str
) -> None:
    found = refused(facts, **settings)
    assert set(found) == {setting}
    assert says in found[setting]
