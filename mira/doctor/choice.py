"""Settings and GPUs in; which engine would speak, and where, out: as `load` decides it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mira.doctor.cards import Torch
from mira.settings import Settings

NAMES = {
    "transformers": "PyTorch, a stream at a time,",
    "torch": "PyTorch",
    "lmdeploy": "LMDeploy and PyTorch",
}


BFLOAT16 = (8, 0)  # compute capability from which a card has it


@dataclass(frozen=True, slots=True)
class Choice:
    """What would speak, and where."""

    engine: str  # builtin, openvino, transformers, torch or lmdeploy
    device: str = "cpu"

    @property
    def published(self) -> bool:
        """Whether it is a model as published, which takes PyTorch."""
        return self.engine in NAMES

    @property
    def gpu(self) -> int | None:
        """Which of PyTorch's, if it is one."""
        kind, _, number = self.device.partition(":")
        return (int(number) if number.isdecimal() else 0) if kind == "cuda" else None


def kind_of(settings: Settings) -> Literal["builtin", "openvino", "published"]:
    """Which kind of model the settings name."""
    if not settings.model:
        return "builtin"
    # Not `is_converted`: importing that takes libraries, too.
    return "openvino" if exists(Path(settings.model) / "mira.json") else "published"


def planned(settings: Settings, torch: Torch | None = None, has_lmdeploy: bool = False) -> Choice:
    """What `load.plan` would decide, without importing anything."""
    kind = kind_of(settings)
    if kind != "published":
        return Choice(kind)
    devices = torch.devices if torch else ()
    auto = "cuda" if devices else "cpu"
    device = auto if settings.model_device == "auto" else settings.model_device
    if settings.lm_engine != "auto":
        return Choice(settings.lm_engine.partition("-")[0], device)
    gpu = Choice("torch", device).gpu
    if gpu is None:
        return Choice("transformers", device)
    bfloat16 = gpu < len(devices) and devices[gpu].capability >= BFLOAT16
    suits = has_lmdeploy and bfloat16 and settings.model_dtype != "float32"
    return Choice("lmdeploy" if suits else "torch", device)


def exists(path: Path) -> bool:
    """Whether it does, as far as can be seen."""
    return os.access(path, os.F_OK)
