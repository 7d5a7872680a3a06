"""Settings in; what this machine has, as far as it decides what would speak, out.

Only looks, unless asked to download. The decision itself is made in plan.py.
"""

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from mira.errors import CheckpointError, NotDownloaded, one_line
from mira.load.plan import LIBRARIES, Facts, Place
from mira.model.checkpoint.converted import is_converted
from mira.model.checkpoint.hub import Part, locate
from mira.progress import Report, quiet
from mira.settings import Settings

MODELS: dict[str, Part] = {"model": "model", "codec_model": "codec", "semantic_model": "wav2vec2"}
"""Settings that name a model, and what is wanted of it."""


def facts_here(settings: Settings) -> Facts:
    """Look at this machine, and import PyTorch if it decides anything: that takes seconds.

    Raises:
        CheckpointError: A name of a model is neither a directory nor an id.
    """
    places = {setting: place_of(setting, settings) for setting in MODELS}
    found = frozenset(name for name in LIBRARIES if find_spec(name) is not None)
    cards: tuple[tuple[int, int], ...] = ()
    broken = ""
    published = places["model"] not in ("none", "converted")
    if published and settings.model_device != "cpu" and "torch" in found:
        cards, broken = _cards()
    return Facts(found, cards, broken, **places)


def located(
    setting: str, settings: Settings, report: Report = quiet, offline: bool = False
) -> Path | None:
    """Find the directory of a model that the settings name; None if they name none.

    Args:
        setting: One of MODELS.
        settings: Name the model.
        report: Told how far a download is.
        offline: Download nothing.

    Raises:
        CheckpointError: The name is neither a directory nor a Hugging Face id.
        NotDownloaded: Not all of its files are here, or can be had.
    """
    name: str = getattr(settings, setting)
    if not name:
        return None
    if setting == "semantic_model":
        with suppress(CheckpointError, ImportError):  # the model's own, told elsewhere
            model = located("model", settings, offline=True)
            if model and (model / name).is_dir():
                return model / name  # where Spark's own files have it
    revision = settings.model_revision if setting == "model" else ""
    return locate(name, revision, offline=offline, part=MODELS[setting], report=report)


def place_of(setting: str, settings: Settings) -> Place:
    """Find what the model that a setting names is on this machine.

    Raises:
        CheckpointError: It is neither a directory nor a Hugging Face id.
    """
    try:
        directory = located(setting, settings, offline=True)
    except (NotDownloaded, ImportError):
        return "hub"
    if directory is None:
        return "none"
    return "converted" if is_converted(directory) else "directory"


def short(name: str) -> str:
    """Name a model to others: by its id, or as its directory is called."""
    path = Path(name).expanduser()
    return path.resolve().name if path.is_dir() else name


def _cards() -> tuple[tuple[tuple[int, int], ...], str]:
    """Ask PyTorch for the compute capability of each GPU; or find why it can't be asked."""
    try:
        import torch
    except Exception as error:  # noqa: BLE001 - whatever a broken installation leads to
        return (), one_line(error)
    if not torch.cuda.is_available():
        return (), ""
    return tuple(map(torch.cuda.get_device_capability, range(torch.cuda.device_count()))), ""
