"""A directory of wav2vec2 in, the network that listens to a recording out.

Knows nothing about what is read from its layers. The network is transformers' own; the published
weights are those of its pre-training, which has more layers and heads than are wanted here.
Source: facebook/wav2vec2-large-xlsr-53, arXiv:2006.13979.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mira.errors import CheckpointError, one_line
from mira.model.checkpoint.language import read_json
from mira.model.checkpoint.pickles import read_pickle
from mira.model.checkpoint.schema import require_shapes
from mira.model.checkpoint.tensors import Array, read_tensors, require_plausible, unexpected

if TYPE_CHECKING:
    from transformers import Wav2Vec2Model

_PREFIX = "wav2vec2."  # of a model with heads; one without has bare names
_POSITIONS = "encoder.pos_conv_embed.conv"
_TODAY = {  # PyTorch has renamed the two halves of a weight norm since these were published
    f"{_POSITIONS}.weight_g": f"{_POSITIONS}.parametrizations.weight.original0",
    f"{_POSITIONS}.weight_v": f"{_POSITIONS}.parametrizations.weight.original1",
}


def load_wav2vec2(directory: Path, layers: int, device: str = "cpu") -> "Wav2Vec2Model":
    """Build the network, in float32 and in evaluation mode.

    Args:
        directory: Holds config.json and model.safetensors or pytorch_model.bin.
        layers: The first so many of its transformer layers; the others are left out.
        device: Where to.

    Raises:
        CheckpointError: A file is missing or damaged, or a tensor is missing or has another shape
            than the configuration implies.
    """
    import torch

    path, tensors = _read(directory)
    model: Any = _without_weights(directory / "config.json", layers)
    expected = {name: tuple(values.shape) for name, values in model.state_dict().items()}
    tensors = {name: values for name, values in tensors.items() if name in expected}
    found = {name: values.shape for name, values in tensors.items()}
    require_shapes(expected, found, str(path))
    weights = {name: torch.from_numpy(values) for name, values in tensors.items()}
    model.load_state_dict(weights, assign=True)
    network: Wav2Vec2Model = model.eval().requires_grad_(False).to(device)
    return network


def _read(directory: Path) -> tuple[Path, dict[str, Array]]:
    whole, pickle = directory / "model.safetensors", directory / "pytorch_model.bin"
    path = whole if whole.is_file() else pickle
    if not path.is_file():
        raise CheckpointError(
            f"{directory}: wav2vec2: no {whole.name} nor {pickle.name}. Copy the files of "
            "https://huggingface.co/facebook/wav2vec2-large-xlsr-53/tree/main there"
        )
    tensors = read_tensors(path) if path == whole else read_pickle(path)
    require_plausible(path, tensors)
    bare = {name.removeprefix(_PREFIX): values for name, values in tensors.items()}
    return path, {_TODAY.get(name, name): values for name, values in bare.items()}


def _without_weights(path: Path, layers: int) -> "Wav2Vec2Model":
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = read_json(path)
    kind, count = config.get("model_type"), config.get("num_hidden_layers")
    if kind != "wav2vec2":
        raise unexpected(path, "model_type", "'wav2vec2'", repr(kind))
    if not isinstance(count, int) or count < layers:
        raise unexpected(path, "num_hidden_layers", f"at least {layers}", count)
    config["num_hidden_layers"] = layers
    # Masking is for training alone, and would want a tensor of its own.
    config |= {"mask_time_prob": 0.0, "mask_feature_prob": 0.0}
    try:
        with torch.device("meta"):
            return Wav2Vec2Model(Wav2Vec2Config(**config))
    except Exception as error:  # whatever the values of a configuration lead to
        raise CheckpointError(f"{path}: no such model can be built ({one_line(error)})") from error
