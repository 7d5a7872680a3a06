"""Which GPUs there are: the driver's and PyTorch's answers, understood.

Both are asked in processes of their own.
"""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mira.machine import read

SMI_TIMEOUT_S = 10.0


TORCH_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU as its driver sees it; what the driver doesn't tell is None."""

    index: str
    uuid: str
    name: str
    driver: str
    total_bytes: int | None
    free_bytes: int | None
    capability: tuple[int, int] | None  # nvidia-smi tells it since driver 495


@dataclass(frozen=True, slots=True)
class Smi:
    """What nvidia-smi answered."""

    cards: tuple[Card, ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU as PyTorch sees it."""

    name: str
    capability: tuple[int, int]
    uuid: str = ""


@dataclass(frozen=True, slots=True)
class Torch:
    """What PyTorch says of itself, in a process of its own."""

    version: str = ""  # empty: it can't be imported
    cuda: str = ""  # that it was built for
    devices: tuple[Device, ...] = ()
    error: str = ""


# The name comes last: it alone may hold a comma.
_FIELDS = ("index", "uuid", "driver_version", "memory.total", "memory.free", "compute_cap", "name")


def read_cards(table: str, fields: tuple[str, ...] = _FIELDS) -> tuple[Card, ...]:
    """Understand what nvidia-smi printed; lines that are none of its table are left out."""
    cards = []
    for line in table.splitlines():
        values = [value.strip() for value in line.split(",", len(fields) - 1)]
        if len(values) < len(fields) or not values[0].isdecimal():
            continue
        row = dict(zip(fields, values))
        capability = re.fullmatch(r"(\d+)\.(\d+)", row.get("compute_cap", ""))
        cards.append(
            Card(
                index=row["index"],
                uuid=row["uuid"],
                name=row["name"],
                driver=row["driver_version"],
                total_bytes=_mib(row["memory.total"]),
                free_bytes=_mib(row["memory.free"]),
                capability=(int(capability[1]), int(capability[2])) if capability else None,
            )
        )
    return tuple(cards)


def _mib(value: str) -> int | None:
    return int(value) << 20 if value.isdecimal() else None  # or "[N/A]", "[Insufficient Perm...]"


def ask_smi(program: str = "nvidia-smi", timeout_s: float = SMI_TIMEOUT_S) -> Smi | None:
    """Ask the driver which GPUs there are; None if there is no such program."""
    path = shutil.which(program)
    if path is None:
        return None
    error = ""
    for fields in (_FIELDS, tuple(field for field in _FIELDS if field != "compute_cap")):
        query = [path, f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
        found = _run(query, timeout_s)
        if isinstance(found, str):
            return Smi((), found)
        said = found.stdout.strip() or found.stderr.strip()
        if found.returncode == 0 and (cards := read_cards(said, fields)):
            return Smi(cards)
        error = error or _line(said, 0) or f"it ended with status {found.returncode}"
    return Smi((), error)


_TORCH = """
import json, warnings
warnings.simplefilter("ignore")
import torch
found = {"version": torch.__version__, "cuda": torch.version.cuda or "", "devices": []}
try:
    torch.cuda.init()
    for index in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(index)
        uuid = str(getattr(card, "uuid", ""))
        found["devices"].append([card.name, [card.major, card.minor], uuid])
except Exception as error:
    found["error"] = str(error)
print(json.dumps(found))
"""


def ask_torch(python: str = sys.executable) -> Torch:
    """Ask PyTorch what it sees.

    In another process: importing it can end the one that does, and a driver can hang.
    """
    found = _run([python, "-P", "-c", _TORCH], TORCH_TIMEOUT_S)
    if isinstance(found, str):
        return Torch(error=found)
    if found.returncode < 0:
        return Torch(error=f"importing it ends Python with signal {-found.returncode}")
    try:
        content = json.loads(_line(found.stdout, -1))
        devices = [
            Device(name, (major, minor), uuid)
            for name, (major, minor), uuid in content.pop("devices")
        ]
        return Torch(
            **{**content, "devices": tuple(devices), "error": _line(content.get("error", ""), 0)}
        )
    except (ValueError, TypeError, AttributeError, KeyError):
        return Torch(error=_line(found.stderr, -1) or "it says nothing")


def _run(command: list[str], timeout_s: float) -> "subprocess.CompletedProcess[str] | str":
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {timeout_s:g} s"
    except OSError as error:
        return f"it can't be started: {error.strerror}"


def _line(text: str, number: int) -> str:
    return (text.strip().splitlines() or [""])[number].strip()


def free_on(gpu: int, smi: Smi | None, torch: Torch | None) -> int | None:
    """Bytes; PyTorch and the driver may count cards in different orders."""
    if smi and torch and gpu < len(torch.devices):
        uuid = torch.devices[gpu].uuid
        for card in smi.cards:
            if card.uuid.removeprefix("GPU-") == uuid or len(smi.cards) == 1:
                return card.free_bytes
    return None


def has_nvidia_card(sys_folder: Path) -> bool:
    """Whether the system has one of NVIDIA's, driver or not."""
    return any(
        read(card / "vendor").strip() == "0x10de" and read(card / "class").startswith("0x03")
        for card in (sys_folder / "bus" / "pci" / "devices").glob("*")
    )
