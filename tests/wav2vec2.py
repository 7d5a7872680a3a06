"""A wav2vec2 of random weights and small sizes, in the files of the published one."""

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from tools.tiny.codec import TINY

if TYPE_CHECKING:
    from transformers import Wav2Vec2ForPreTraining

LAYERS = 18  # one more than is read, so that the last is left out


def write_wav2vec2(directory: Path, channels: int = TINY.features) -> "Wav2Vec2ForPreTraining":
    """Write config.json and pytorch_model.bin, with the names of before PyTorch renamed its own.

    Returns:
        What was written: with the heads of pre-training, which the published file has as well.
    """
    from transformers import Wav2Vec2Config, Wav2Vec2ForPreTraining

    config = Wav2Vec2Config(
        hidden_size=channels,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        do_stable_layer_norm=True,
        feat_extract_norm="layer",
        conv_bias=True,
        num_codevectors_per_group=4,
        codevector_dim=8,
        proj_codevector_dim=8,
    )
    torch.manual_seed(0)
    model = Wav2Vec2ForPreTraining(config).eval()
    directory.mkdir(parents=True, exist_ok=True)
    config.save_pretrained(directory)
    old = {"parametrizations.weight.original0": "weight_g"}
    old["parametrizations.weight.original1"] = "weight_v"
    tensors = {}
    for name, values in model.state_dict().items():
        for new, before in old.items():
            name = name.replace(new, before)
        tensors[name] = values
    torch.save(tensors, directory / "pytorch_model.bin")
    return model
