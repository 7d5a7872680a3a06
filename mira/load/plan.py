"""Settings and facts in; what would speak, where, what has to be there first, and what forbids it.

Pure: imports no backend and looks at nothing. `load` carries a plan out, `mira doctor` shows it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from mira.settings import Settings

Place = Literal["none", "directory", "converted", "hub"]
"""What a name of a model is here: nothing was asked for, a model on this machine as published or
converted, or a Hugging Face id whose files have to be downloaded."""

BFLOAT16 = (8, 0)  # compute capability from which a card has it

LIBRARIES = {  # by the names they are imported by -> the extra that brings them
    "openvino": "cpu",
    "safetensors": "cpu",
    "tokenizers": "cpu",
    "huggingface_hub": "cpu",
    "httpx2": "cpu",
    "torch": "torch",
    "transformers": "torch",
    "lmdeploy": "cuda",
}
_ENGINES = {
    "openvino": ("openvino", "tokenizers"),
    "torch": ("torch", "safetensors", "tokenizers"),
    "lmdeploy": ("torch", "safetensors", "tokenizers", "lmdeploy"),
    "lmdeploy-pytorch": ("torch", "safetensors", "tokenizers", "lmdeploy"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a machine has, as far as it decides what would speak."""

    libraries: frozenset[str] = frozenset()  # of LIBRARIES, those that are installed
    cards: tuple[tuple[int, int], ...] = ()  # compute capability of each GPU that PyTorch can use
    broken: str = ""  # why PyTorch, though it is installed, can't be imported
    model: Place = "none"
    codec_model: Place = "none"
    semantic_model: Place = "none"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a start would fail."""

    setting: str
    reason: str

    def __str__(self) -> str:
        """Say so in one line."""
        return f"{self.setting}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What would speak, where, and what has to be done first."""

    engine: str  # builtin, openvino, torch, lmdeploy or lmdeploy-pytorch
    device: str = "cpu"  # or cuda:0
    libraries: tuple[str, ...] = ()  # that are imported, of LIBRARIES
    downloads: tuple[str, ...] = ()  # Hugging Face ids
    converts: bool = False  # to what OpenVINO runs, unless an earlier start did
    refusals: tuple[Refusal, ...] = ()

    @property
    def published(self) -> bool:
        """Whether it is a model as published, which takes PyTorch."""
        return self.engine not in ("builtin", "openvino")

    @property
    def gpu(self) -> int | None:
        """Number of the GPU as PyTorch counts them, if it is one."""
        kind, _, number = self.device.partition(":")
        return int(number) if kind == "cuda" and number.isdecimal() else None


def plan(settings: Settings, facts: Facts) -> Plan:
    """Decide what would speak.

    A GPU runs a model as published: LMDeploy's own kernels are the quickest for the cards that they
    know; what it can't use, PyTorch can. A processor runs it converted, in OpenVINO; PyTorch is far
    slower there, so it is taken only when nothing else is installed, when it is asked for, or for a
    semantic prompt, which a conversion can't have.
    """
    if facts.model == "none":
        return Plan("builtin")
    device = "cuda:0" if settings.model_device == "cuda" else settings.model_device
    if device == "auto":
        device = "cuda:0" if facts.cards else "cpu"
    if facts.model == "converted":
        engine, device = "openvino", "cpu"
    elif settings.lm_engine != "auto":
        engine = settings.lm_engine
    elif device.startswith("cuda"):
        engine = "torch"  # the one that was measured on a card
    else:
        has_torch = "torch" in facts.libraries and not facts.broken
        only_torch = has_torch and "openvino" not in facts.libraries
        engine = "torch" if only_torch or settings.semantic_model else "openvino"
    converts = engine == "openvino" and facts.model != "converted"
    asked = {
        settings.model: facts.model,
        settings.codec_model: facts.codec_model,
        settings.semantic_model: facts.semantic_model,
    }
    downloads = tuple(name for name, place in asked.items() if place == "hub")
    libraries = (
        *_ENGINES[engine],
        *(("transformers",) if settings.semantic_model else ()),  # has wav2vec2
        *(("safetensors",) if converts else ()),
        *(("huggingface_hub", "httpx2") if downloads else ()),
    )
    planned = Plan(engine, device, libraries, downloads, converts)
    return replace(planned, refusals=tuple(_refusals(settings, facts, planned)))


def _refusals(settings: Settings, facts: Facts, planned: Plan) -> Iterator[Refusal]:
    """Find all that a start would fail with, in the order in which it would."""
    if facts.model == "converted":
        yield from _of_a_converted_model(settings)
    elif planned.converts and settings.model_dtype in ("bfloat16", "float32"):
        yield Refusal(
            "model_dtype",
            "on a CPU a model speaks in the bits it is converted to. Leave it out, or set "
            "lm_engine=torch: far slower.",
        )
    if settings.model_dtype == "float16":
        yield Refusal(
            "model_dtype",
            "the language model can't run in float16: its activations overflow and it speaks "
            '"!!!!". Use bfloat16, or float32 on a GPU without it.',
        )
    lmdeploy = planned.engine.startswith("lmdeploy")
    if lmdeploy and settings.model_dtype == "float32":
        yield Refusal("model_dtype", "LMDeploy has no float32. Set lm_engine to torch.")
    # Of GPUs only PyTorch can tell: without it, nothing is known of them.
    if not planned.published or ("torch" in facts.libraries and not facts.broken):
        if lmdeploy:
            yield from _of_lmdeploy(facts, planned)
        elif facts.model != "converted":
            yield from _of_a_device(settings, facts, planned)
    yield from _of_libraries(facts, planned)


def _of_a_converted_model(settings: Settings) -> Iterator[Refusal]:
    for name in ("model_device", "model_dtype", "lm_engine", "model_revision"):
        if (value := getattr(settings, name)) not in ("", "auto", "cpu", "float16"):
            yield Refusal(
                name,
                f"a converted model runs on a CPU, as it was converted. {value!r} is for the model "
                "as published.",
            )
    for name in ("codec_model", "semantic_model"):
        if getattr(settings, name):
            yield Refusal(
                name,
                "a converted model has its own codec, and no semantic prompt. Give it with the "
                "model as published, or leave it out.",
            )


def _of_lmdeploy(facts: Facts, planned: Plan) -> Iterator[Refusal]:
    gpu = planned.gpu
    if gpu is None or gpu >= len(facts.cards):
        why = f"{planned.device!r} is none of PyTorch's" if facts.cards else "PyTorch sees none"
        yield Refusal("model_device", f"LMDeploy needs a CUDA GPU, and {why}. Set lm_engine=auto.")
    elif facts.cards[gpu] < BFLOAT16:
        # It would go on in float16, in which this model speaks "!!!!".
        yield Refusal(
            "lm_engine",
            f"{planned.device} has no bfloat16, and LMDeploy no float32. Set lm_engine to torch.",
        )
    elif planned.engine == "lmdeploy-pytorch" and gpu > 0:
        yield Refusal(
            "model_device",
            "LMDeploy's engine in PyTorch runs on cuda:0 alone. Start Mira with "
            f"CUDA_VISIBLE_DEVICES={gpu} and model_device=cuda:0.",
        )


def _of_a_device(settings: Settings, facts: Facts, planned: Plan) -> Iterator[Refusal]:
    gpu = planned.gpu
    if planned.device == "cpu" or (gpu is not None and gpu < len(facts.cards)):
        return
    sees = f"PyTorch sees {len(facts.cards) or 'no'} GPU{'' if len(facts.cards) == 1 else 's'}"
    yield Refusal(
        "model_device",
        f"{settings.model_device!r} is not to be had here ({sees}). Use auto, cpu, or cuda:0 on a "
        "machine with an NVIDIA card and its driver.",
    )


def _of_libraries(facts: Facts, planned: Plan) -> Iterator[Refusal]:
    if missing := [name for name in planned.libraries if name not in facts.libraries]:
        needs = f"this Mira model needs {', '.join(missing)}"
        yield Refusal("model", f"{needs}. Install it {install(extra_of(planned.engine))}")
    elif facts.broken and planned.published:
        yield Refusal(
            "model",
            f"torch can't be imported ({facts.broken}). Install it again {install('torch')}",
        )


def extra_of(engine: str) -> str:
    """Name the extra of this package that brings an engine; empty for the built-in voice."""
    extras = [LIBRARIES[name] for name in _ENGINES.get(engine, ())]
    return max(extras, key=("cpu", "torch", "cuda").index, default="")


def install(extra: str = "", before: str = "") -> str:
    """Name the command that installs the core or an extra, after another command of pip's."""
    what = f"'.[{extra}]'" if extra else "."
    pins = "constraints-cuda.txt" if extra == "cuda" else "constraints.txt"
    first = f".venv/bin/pip {before} && " if before else ""
    return f"in Mira's folder: {first}.venv/bin/pip install -c {pins} -e {what}"
