"""Settings in; what this machine has, as far as it decides what would speak, out.

Only looks: nothing is downloaded. Source of the decision itself: plan.py.
"""

from importlib.util import find_spec
from pathlib import Path

from mira.errors import NotDownloaded, one_line
from mira.load.plan import LIBRARIES, Facts, Place
from mira.model.checkpoint.converted import is_converted
from mira.model.checkpoint.hub import Part, directory_of, locate
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


def place_of(setting: str, settings: Settings) -> Place:
    """What the name in one of the settings of models is here.

    Raises:
        CheckpointError: It is neither a directory nor a Hugging Face id.
    """
    name = getattr(settings, setting)
    if not name:
        return "none"
    model = directory_of(settings.model) if setting == "semantic_model" and settings.model else None
    if model is not None and (model / name).is_dir():
        return "directory"  # inside the model's, where Spark's own files have it
    if (directory := directory_of(name)) is not None:
        return "converted" if is_converted(directory) else "directory"
    revision = settings.model_revision if setting == "model" else ""
    try:
        locate(name, revision or None, offline=True, part=MODELS[setting])
    except (NotDownloaded, ImportError):
        return "hub"
    return "downloaded"


def short(name: str) -> str:
    """A model's name to tell others: an id, or what its directory is called."""
    path = Path(name).expanduser()
    return path.resolve().name if path.is_dir() else name


def _cards() -> tuple[tuple[tuple[int, int], ...], str]:
    """The compute capability of each GPU that PyTorch can use, or why it can't be asked."""
    try:
        import torch
    except Exception as error:  # noqa: BLE001 - whatever a broken installation leads to
        return (), one_line(error)
    if not torch.cuda.is_available():
        return (), ""
    return tuple(map(torch.cuda.get_device_capability, range(torch.cuda.device_count()))), ""
