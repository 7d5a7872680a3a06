"""What the driver and PyTorch say of GPUs, and what that means for who is to speak.

Both are asked in processes of their own: importing PyTorch can end the one that does, and a driver
can hang.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mira.cli.doctor.report import Row, State, gib
from mira.load.plan import BFLOAT16, Plan, install
from mira.machine import read

TIMEOUT_S = 60.0
DRIVER = (
    "install NVIDIA's driver (Debian: apt install nvidia-driver; Ubuntu: ubuntu-drivers install) "
    "and restart; a container has to be started with its GPUs (docker run --gpus all)"
)
# As long as any build of torch is there, pip leaves it there.
ANOTHER_TORCH = install("torch", before="uninstall -y torch")
TORCH_ERRORS = {  # what is in one -> what helps
    "too old": "update NVIDIA's driver, or take a torch for the CUDA version that nvidia-smi names",
    "No CUDA GPUs": "CUDA_VISIBLE_DEVICES hides them from Mira: unset it",
}
# The name comes last, because it alone may hold a comma.
FIELDS = ("index", "uuid", "driver_version", "memory.total", "memory.free", "compute_cap", "name")

Smi = list[dict[str, str]] | str
"""FIELDS of each card that nvidia-smi lists, or why it lists none."""


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU as PyTorch sees it."""

    name: str
    capability: tuple[int, int]
    uuid: str = ""


@dataclass(frozen=True, slots=True)
class Torch:
    """What PyTorch says of itself."""

    version: str = ""  # empty: it can't be imported
    cuda: str = ""  # that it was built for
    devices: tuple[Device, ...] = ()
    error: str = ""


_TORCH = """
import json, warnings
warnings.simplefilter("ignore")
import torch
found, devices, error = (torch.__version__, torch.version.cuda or ""), [], ""
try:
    torch.cuda.init()
    for index in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(index)
        devices.append([card.name, [card.major, card.minor], str(getattr(card, "uuid", ""))])
except Exception as raised:
    error = str(raised).strip().partition("\\n")[0]
print(json.dumps([*found, devices, error]))
"""


def ask_smi(program: str = "nvidia-smi", timeout_s: float = TIMEOUT_S) -> Smi | None:
    """Ask the driver which GPUs there are; None if there is no such program."""
    path = shutil.which(program)
    if path is None:
        return None
    query = [path, f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader,nounits"]
    said, error = _run(query, timeout_s)
    return read_cards(said) or error or _last_line(said) or "it says nothing"


def read_cards(table: str) -> list[dict[str, str]]:
    """Understand what nvidia-smi printed; lines that are none of its table are left out."""
    lines = (line.split(",", len(FIELDS) - 1) for line in table.splitlines())
    rows = (dict(zip(FIELDS, map(str.strip, line))) for line in lines)
    return [row for row in rows if len(row) == len(FIELDS) and row["index"].isdecimal()]


def ask_torch(python: str = sys.executable) -> Torch:
    """Ask PyTorch what it sees."""
    said, error = _run([python, "-P", "-c", _TORCH], TIMEOUT_S)
    try:
        version, cuda, devices, failure = json.loads(_last_line(said))
    except ValueError:
        return Torch(error=error or "it says nothing")
    found = (Device(name, (major, minor), uuid) for name, (major, minor), uuid in devices)
    return Torch(version, cuda, tuple(found), failure)


def _run(command: list[str], timeout_s: float) -> tuple[str, str]:
    """Return what a command says, and why it failed; empty if it didn't."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer within {timeout_s:g} s"
    except OSError as error:
        return "", f"it can't be started: {error.strerror}"
    said, complaint = (data.decode("utf-8", "replace") for data in (done.stdout, done.stderr))
    if done.returncode < 0:
        return "", f"it ends with signal {-done.returncode}"
    if done.returncode == 0:
        return said, ""
    last = _last_line(complaint) or _last_line(said)
    return said, last or f"it ends with status {done.returncode}"


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1].strip()


def free_on(gpu: int, smi: Smi | None, torch: Torch | None) -> int | None:
    """Find a card's free bytes; PyTorch and the driver may count cards in different orders."""
    if not isinstance(smi, list) or torch is None or gpu >= len(torch.devices):
        return None
    uuid = torch.devices[gpu].uuid
    same = [card for card in smi if card["uuid"].removeprefix("GPU-") == uuid or len(smi) == 1]
    return _bytes(same[0]["memory.free"]) if same else None


def _bytes(mib: str) -> int | None:
    return int(mib) << 20 if mib.isdecimal() else None  # or "[N/A]", "[Insufficient Perm...]"


def has_nvidia_card(sys_folder: Path) -> bool:
    """Tell whether the system has a card of NVIDIA's, driver or not."""
    return any(
        read(card / "vendor").strip() == "0x10de" and read(card / "class").startswith("0x03")
        for card in (sys_folder / "bus" / "pci" / "devices").glob("*")
    )


def gpu_rows(planned: Plan, smi: Smi | None, has_card: bool, torch: Torch | None) -> Iterator[Row]:
    """Say which GPUs there are, and whether PyTorch can compute on them.

    Args:
        planned: What is to speak.
        smi: The driver's answer; None: it has none to ask.
        has_card: The system has a card of NVIDIA's, driver or not.
        torch: PyTorch's answer; None: it is missing or was not asked.
    """
    devices = torch.devices if torch else ()
    fails: State = "problem" if planned.gpu is not None and not devices else "note"
    if isinstance(smi, str):
        yield Row("driver", f"nvidia-smi: {smi}", fails, DRIVER)
    elif smi:
        yield from map(_card, smi)
    elif has_card:
        yield Row("driver", "there is an NVIDIA GPU, and no nvidia-smi", fails, DRIVER)
    elif fails == "problem":
        yield Row("NVIDIA GPU", "none", fails, f"{planned.device} needs one: set model_device=auto")
    elif not devices:
        yield Row("NVIDIA GPU", "none")
    if torch:
        yield _torch(planned, torch, bool(smi or has_card), fails)
    for index, found in enumerate(devices):
        yield _device(planned, index, found)
    if devices and (planned.gpu or 0) >= len(devices):
        last = f"set model_device=cuda:{len(devices) - 1}, or one below"
        yield Row(planned.device, "not there", "problem", last)


def _torch(planned: Plan, torch: Torch, has_card: bool, fails: State) -> Row:
    if not torch.version:
        state: State = "problem" if planned.published else "note"
        return Row("torch", f"can't be imported: {torch.error}", state, ANOTHER_TORCH)
    if torch.devices:
        return Row("torch", f"{torch.version}, for CUDA {torch.cuda}")
    if not has_card:
        return Row("torch", f"{torch.version}, which sees no GPU")
    if not torch.cuda:
        return Row("torch", f"{torch.version}, built without CUDA", fails, ANOTHER_TORCH)
    advice = next((help for word, help in TORCH_ERRORS.items() if word in torch.error), DRIVER)
    return Row("torch", f"{torch.version}, for CUDA {torch.cuda}: {torch.error}", fails, advice)


def _card(card: dict[str, str]) -> Row:
    name = f"GPU {card['index']}"
    value = f"{card['name']}, driver {card['driver_version']}"
    if "N/A" not in card["compute_cap"]:
        value += f", compute capability {card['compute_cap']}"
    total, free = _bytes(card["memory.total"]), _bytes(card["memory.free"])
    if total is None or free is None:
        return Row(name, f"{value}, memory not known")
    value += f", {gib(free)} free of {gib(total)}"
    if free >= total / 2:
        return Row(name, value)
    return Row(name, value, "note", f"{gib(total - free)} of it are taken: nvidia-smi says by whom")


def _device(planned: Plan, index: int, found: Device) -> Row:
    value = f"{found.name}, compute capability {'{}.{}'.format(*found.capability)}"
    if found.capability >= BFLOAT16:
        return Row(f"cuda:{index}", f"{value}, bfloat16")
    lmdeploy = planned.engine.startswith("lmdeploy") and planned.gpu == index
    advice = "a language model speaks in float32 there, and LMDeploy can't be used: lm_engine=torch"
    state: State = "problem" if lmdeploy else "note"
    return Row(f"cuda:{index}", f"{value}, no bfloat16", state, advice)
