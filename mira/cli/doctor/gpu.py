"""What the driver and PyTorch say of GPUs in, findings out."""

from collections.abc import Iterator

from mira.cli.doctor.cards import Card, Device, Smi, Torch
from mira.cli.doctor.report import ANOTHER_TORCH, Row, State, gib
from mira.load.plan import BFLOAT16, Plan

DRIVER = (
    "install NVIDIA's driver (Debian: apt install nvidia-driver; Ubuntu: ubuntu-drivers install) "
    "and restart; a container has to be started with its GPUs (docker run --gpus all)"
)


TORCH_ERRORS = {  # what is in one -> what helps
    "too old": "update NVIDIA's driver, or take a torch for the CUDA version that nvidia-smi names",
    "No CUDA GPUs": "CUDA_VISIBLE_DEVICES hides them from Mira: unset it",
}


def gpu_rows(planned: Plan, smi: Smi | None, has_card: bool, torch: Torch | None) -> Iterator[Row]:
    """Which GPUs there are, and whether PyTorch can compute on them.

    Args:
        planned: What is to speak.
        smi: The driver's answer; None: it has none to ask.
        has_card: The system has a card of NVIDIA's, driver or not.
        torch: PyTorch's answer; None: it is missing or was not asked.
    """
    works = bool(torch and torch.devices)
    fails: State = "problem" if planned.gpu is not None and not works else "note"
    if smi and smi.error:
        yield Row("driver", f"nvidia-smi: {smi.error}", fails, DRIVER)
    elif smi:
        yield from map(_card, smi.cards)
    elif has_card:
        yield Row("driver", "there is an NVIDIA GPU, and no nvidia-smi", fails, DRIVER)
    elif fails == "problem":
        yield Row("NVIDIA GPU", "none", fails, f"{planned.device} needs one: set model_device=auto")
    elif not works:
        yield Row("NVIDIA GPU", "none")
    if torch and torch.devices:
        yield Row("torch", f"{torch.version}, for CUDA {torch.cuda}")
        for index, found in enumerate(torch.devices):
            yield _device(planned, index, found)
        if (planned.gpu or 0) >= len(torch.devices):
            last = f"set model_device=cuda:{len(torch.devices) - 1}, or one below"
            yield Row(planned.device, "not there", "problem", last)
    elif torch:
        yield _useless_torch(planned, torch, bool(smi or has_card), fails)


def _useless_torch(planned: Plan, torch: Torch, has_card: bool, fails: State) -> Row:
    """Why PyTorch sees no GPU."""
    if not torch.version:
        state: State = "problem" if planned.published else "note"
        return Row("torch", f"can't be imported: {torch.error}", state, ANOTHER_TORCH)
    if not has_card:
        return Row("torch", f"{torch.version}, which sees no GPU")
    if not torch.cuda:
        return Row("torch", f"{torch.version}, built without CUDA", fails, ANOTHER_TORCH)
    advice = next((help for word, help in TORCH_ERRORS.items() if word in torch.error), DRIVER)
    return Row("torch", f"{torch.version}, for CUDA {torch.cuda}: {torch.error}", fails, advice)


def _card(card: Card) -> Row:
    parts = [card.name, f"driver {card.driver}"]
    if card.capability:
        parts.append("compute capability {}.{}".format(*card.capability))
    total, free = card.total_bytes, card.free_bytes
    if total is None or free is None:
        return Row(f"GPU {card.index}", ", ".join([*parts, "memory not known"]))
    value = ", ".join([*parts, f"{gib(free)} free of {gib(total)}"])
    if free >= total / 2:
        return Row(f"GPU {card.index}", value)
    taken = f"{gib(total - free)} of it are taken: nvidia-smi says by whom"
    return Row(f"GPU {card.index}", value, "note", taken)


def _device(planned: Plan, index: int, found: Device) -> Row:
    name = f"cuda:{index}"
    value = f"{found.name}, compute capability {'{}.{}'.format(*found.capability)}"
    if found.capability >= BFLOAT16:
        return Row(name, f"{value}, bfloat16")
    state: State = (
        "problem" if planned.engine.startswith("lmdeploy") and planned.gpu == index else "note"
    )
    advice = "a language model speaks in float32 there, and LMDeploy can't be used: lm_engine=torch"
    return Row(name, f"{value}, no bfloat16", state, advice)
