"""A layout in, a checkpoint of random weights with every file of that layout out.

Knows what the published repositories hold. Tiny ones make tests of the true loaders quick; those
of true size make measurements of speed and memory honest where the real weights can't be had. The
published vocabulary, codebooks and frame geometry stay; only widths and depths shrink.
"""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from mira.errors import CheckpointError
from mira.model.checkpoint.layout import Layout
from mira.model.checkpoint.schema import CodecDims
from mira.model.checkpoint.tensors import Array
from tools.tiny import graphs
from tools.tiny.codec import (
    TINY,
    TINY_UPSAMPLER,
    TRUE_UPSAMPLER,
    codec_noise,
    upsampler_noise,
)
from tools.tiny.language import tiny_dims, true_dims, write_language_model
from tools.tiny.tokenizer import write_tokenizer

_SPARK_CONFIG = """\
highpass_cutoff_freq: 40
sample_rate: 16000
segment_duration: 2.4
max_val_duration: 12
latent_hop_length: 320
ref_segment_duration: 6
volume_normalize: true
"""


def write_tiny(
    directory: Path, layout: Layout = "mira", true_size: bool = False, seed: int = 0
) -> Path:
    """Write a random checkpoint.

    Args:
        directory: Where to; made if it is not there, and refused if it holds anything.
        layout: MiraTTS' or Spark-TTS'. One seed gives both the same codec and language model, to
            the precision that they store.
        true_size: Write the published dimensions: about 1.5 GB, or 2.7 GB for Spark.
        seed: Of the noise.

    Returns:
        The directory.

    Raises:
        CheckpointError: The directory is not empty.
    """
    if directory.is_dir() and any(directory.iterdir()):
        raise CheckpointError(f"{directory}: expected an empty or new directory; found files in it")
    language = directory if layout == "mira" else directory / "LLM"
    language.mkdir(parents=True, exist_ok=True)
    num_tokens, ends = write_tokenizer(language, layout, true_size)
    dims = true_dims() if true_size else tiny_dims(num_tokens)
    write_language_model(language, dims, ends, "BF16" if layout == "mira" else "F32", seed)

    codec = CodecDims() if true_size else TINY
    write_codec = _write_mira_codec if layout == "mira" else _write_spark_codec
    write_codec(directory, codec, seed)
    if layout == "mira":
        channels = TRUE_UPSAMPLER if true_size else TINY_UPSAMPLER
        _write_upsampler(directory / "decoders" / "upsampler.pth", upsampler_noise(channels, seed))
    return directory


def _write_mira_codec(directory: Path, dims: CodecDims, seed: int) -> None:
    from safetensors.numpy import save_file

    decoders = directory / "decoders"
    decoders.mkdir()
    weights = codec_noise(dims, seed)
    graphs.write_prenet(decoders / "processer.onnx", weights, dims)
    graphs.write_speaker_encoder(decoders / "s_encoder.onnx", weights, dims)
    graphs.write_semantic_encoder(decoders / "q_encoder.onnx", weights, dims)
    wave = {
        name.removeprefix("decoder."): values
        for name, values in weights.items()
        if name.startswith("decoder.")
    }
    save_file(wave, decoders / "detokenizer.safetensors")


def _write_spark_codec(directory: Path, dims: CodecDims, seed: int) -> None:
    from safetensors.numpy import save_file

    (directory / "BiCodec").mkdir()
    (directory / "config.yaml").write_text(_SPARK_CONFIG, "utf-8")
    published: dict[str, Array] = {}
    for name, values in codec_noise(dims, seed).items():
        is_normed = name.startswith(("decoder.", "quantizer.in_", "quantizer.out_"))
        if is_normed and name.endswith(".weight"):
            norm = np.sqrt(np.square(values).sum(axis=(1, 2), keepdims=True))
            published[f"{name}_g"] = norm
            published[f"{name}_v"] = values * np.float32(0.7)  # its length means nothing
        else:
            published[name] = values
    save_file(published | _training_only(dims), directory / "BiCodec" / "model.safetensors")


def _training_only(dims: CodecDims) -> dict[str, Array]:
    """Make a few of the tensors that the published file has beside those that speak."""
    ecapa = "speaker_encoder.speaker_encoder"
    return {
        "quantizer.cluster_size": np.ones(8192, np.float32),
        "postnet.linear_pre.weight": np.zeros((dims.width, dims.latent), np.float32),
        f"{ecapa}.pool.linear1.bias": np.zeros(128, np.float32),
        f"{ecapa}.bn.weight": np.ones(2 * dims.speaker_features, np.float32),
        f"{ecapa}.linear.bias": np.zeros(dims.latent, np.float32),
    }


def _write_upsampler(path: Path, weights: dict[str, Array]) -> None:
    import torch

    model = OrderedDict((name, torch.from_numpy(values.copy())) for name, values in weights.items())
    optimizer: dict[str, Any] = {"state": {}, "param_groups": []}
    content = {"model": model, "iteration": 22, "optimizer": optimizer, "learning_rate": 1e-4}
    torch.save(content, path)
