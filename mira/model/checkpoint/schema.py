"""The dimensions of a BiCodec in, the name and shape of every tensor it speaks with out.

Knows nothing about files. Names are those of the published `BiCodec/model.safetensors` with
weight norm fused. Source: Spark-TTS, arXiv:2503.01710 and its published code.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from mira.errors import CheckpointError
from mira.model.codec.base import GLOBAL_TOKENS, SPEECH_CODES

Shape = tuple[int, ...]

FSQ_DIGITS = 6  # of four levels each: 4**6 == GLOBAL_CODES
WAVE_KERNELS = (16, 11, 8, 4)  # of the transposed convolutions ...
WAVE_RATES = (8, 5, 4, 2)  # ... and their strides: 320 samples a frame
RES2_BRANCHES = 7  # the eighth passes through
DOWNSAMPLE_BLOCKS = 2
DOWNSAMPLE_LAYERS = 2
UPSAMPLER_KERNELS = (3, 7, 11)
UPSAMPLER_FILTERS = ("upsample", "downsample.lowpass")
SPEAKER_BLOCKS = ("layer2", "layer3", "layer4")


@dataclass(frozen=True, slots=True)
class CodecDims:
    """Widths and depths of a BiCodec; the defaults are the published ones."""

    latent: int = 1024  # channels of the codec's frames, and of the speaker vector
    code: int = 8
    width: int = 384  # of the prenet and of the semantic encoder
    hidden: int = 2048
    layers: int = 12
    wave: int = 1536  # channels, halved by every upsampling
    mel: int = 128
    features: int = 1024  # what the semantic encoder reads
    speaker: int = 512  # ECAPA channels
    squeeze: int = 128
    speaker_features: int = 1536
    perceiver: int = 128
    perceiver_inner: int = 512  # all attention heads together
    perceiver_hidden: int = 341
    perceiver_layers: int = 2


def codec_shapes(dims: CodecDims, semantic: bool = False) -> dict[str, Shape]:
    """List every tensor that speaking needs; with `semantic`, also what hears speech tokens."""
    shapes: dict[str, Shape] = {
        "quantizer.codebook.weight": (SPEECH_CODES, dims.code),
        "quantizer.out_project.weight": (dims.latent, dims.code, 1),
        "quantizer.out_project.bias": (dims.latent,),
    }
    shapes |= dict(_speaker(dims)) | dict(_prenet(dims)) | dict(_wave(dims))
    if semantic:
        shapes |= dict(_semantic(dims))
    return shapes


_Named = Iterator[tuple[str, Shape]]


def _affine(name: str, *shape: int) -> _Named:
    """List a weight of this shape, and one bias for each of its outputs."""
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]


def _vocos(name: str, inputs: int, dims: CodecDims, layers: int, condition: int = 0) -> _Named:
    def norm(norm_name: str) -> _Named:
        if condition:
            yield from _affine(f"{norm_name}.scale", dims.width, condition)
            yield from _affine(f"{norm_name}.shift", dims.width, condition)
        else:
            yield from _affine(norm_name, dims.width)

    yield from _affine(f"{name}.embed", dims.width, inputs, 7)
    yield from norm(f"{name}.norm")
    for layer in range(layers):
        block = f"{name}.convnext.{layer}"
        yield f"{block}.gamma", (dims.width,)
        yield from _affine(f"{block}.dwconv", dims.width, 1, 7)
        yield from norm(f"{block}.norm")
        yield from _affine(f"{block}.pwconv1", dims.hidden, dims.width)
        yield from _affine(f"{block}.pwconv2", dims.width, dims.hidden)
    yield from _affine(f"{name}.final_layer_norm", dims.width)


def _downsample(name: str, dims: CodecDims) -> _Named:
    for block in range(DOWNSAMPLE_BLOCKS):
        yield from _vocos(f"{name}.{block}.1", dims.width, dims, DOWNSAMPLE_LAYERS)


def _prenet(dims: CodecDims) -> _Named:
    yield from _affine("prenet.linear_pre", dims.width, dims.latent)
    yield from _downsample("prenet.downsample", dims)
    yield from _vocos("prenet.vocos_backbone", dims.width, dims, dims.layers, dims.latent)
    yield from _affine("prenet.linear", dims.latent, dims.width)


def _wave(dims: CodecDims) -> _Named:
    yield from _affine("decoder.model.0", dims.wave, dims.latent, 7)
    channels = dims.wave
    for index, kernel in enumerate(WAVE_KERNELS, start=1):
        block, channels = f"decoder.model.{index}.block", channels // 2
        yield f"{block}.0.alpha", (1, 2 * channels, 1)
        yield f"{block}.1.weight", (2 * channels, channels, kernel)  # transposed: input first
        yield f"{block}.1.bias", (channels,)
        for unit in (2, 3, 4):
            yield f"{block}.{unit}.block.0.alpha", (1, channels, 1)
            yield from _affine(f"{block}.{unit}.block.1", channels, channels, 7)
            yield f"{block}.{unit}.block.2.alpha", (1, channels, 1)
            yield from _affine(f"{block}.{unit}.block.3", channels, channels, 1)
    yield "decoder.model.5.alpha", (1, channels, 1)
    yield from _affine("decoder.model.6", 1, channels, 7)


def _speaker(dims: CodecDims) -> _Named:
    yield from _ecapa("speaker_encoder.speaker_encoder", dims)
    yield from _perceiver("speaker_encoder.perceiver_sampler", dims)
    yield from _affine("speaker_encoder.quantizer.project_in", FSQ_DIGITS, dims.perceiver)
    yield from _affine("speaker_encoder.quantizer.project_out", dims.perceiver, FSQ_DIGITS)
    yield from _affine("speaker_encoder.project", dims.latent, dims.perceiver * GLOBAL_TOKENS)


def _ecapa(name: str, dims: CodecDims) -> _Named:
    def batch_norm(norm_name: str, channels: int) -> _Named:
        for part in ("weight", "bias", "running_mean", "running_var"):
            yield f"{norm_name}.{part}", (channels,)

    yield from _affine(f"{name}.layer1.conv", dims.speaker, dims.mel, 5)
    yield from batch_norm(f"{name}.layer1.bn", dims.speaker)
    branch = dims.speaker // (RES2_BRANCHES + 1)
    for layer in SPEAKER_BLOCKS:
        block = f"{name}.{layer}.se_res2block"
        for pointwise in (0, 2):
            yield from _affine(f"{block}.{pointwise}.conv", dims.speaker, dims.speaker, 1)
            yield from batch_norm(f"{block}.{pointwise}.bn", dims.speaker)
        for index in range(RES2_BRANCHES):
            yield from _affine(f"{block}.1.convs.{index}", branch, branch, 3)
            yield from batch_norm(f"{block}.1.bns.{index}", branch)
        yield from _affine(f"{block}.3.linear1", dims.squeeze, dims.speaker)
        yield from _affine(f"{block}.3.linear2", dims.speaker, dims.squeeze)
    yield from _affine(f"{name}.conv", dims.speaker_features, 3 * dims.speaker, 1)


def _perceiver(name: str, dims: CodecDims) -> _Named:
    yield from _affine(f"{name}.proj_context", dims.perceiver, dims.speaker_features)
    yield f"{name}.latents", (GLOBAL_TOKENS, dims.perceiver)
    for layer in range(dims.perceiver_layers):
        block = f"{name}.layers.{layer}"
        yield f"{block}.0.to_q.weight", (dims.perceiver_inner, dims.perceiver)
        yield f"{block}.0.to_kv.weight", (2 * dims.perceiver_inner, dims.perceiver)
        yield f"{block}.0.to_out.weight", (dims.perceiver, dims.perceiver_inner)
        yield from _affine(f"{block}.1.0", 2 * dims.perceiver_hidden, dims.perceiver)
        yield from _affine(f"{block}.1.2", dims.perceiver, dims.perceiver_hidden)
    yield f"{name}.norm.gamma", (dims.perceiver,)


def _semantic(dims: CodecDims) -> _Named:
    yield from _vocos("encoder.encoder", dims.features, dims, dims.layers)
    yield from _downsample("encoder.downsample", dims)
    yield from _affine("encoder.project", dims.latent, dims.width)
    yield from _affine("quantizer.in_project", dims.code, dims.latent, 1)


def upsampler_shapes(channels: int) -> dict[str, Shape]:
    """List every tensor of FlashSR's generator, weight norm fused; 32 channels as published."""

    def activation(name: str) -> _Named:
        yield from ((f"{name}.act.{part}", (channels,)) for part in ("alpha", "beta"))
        yield from ((f"{name}.{part}.filter", (1, 1, 12)) for part in UPSAMPLER_FILTERS)

    def generator() -> _Named:
        yield from _affine("dec.conv_pre", channels, 1, 7)
        for block, kernel in enumerate(UPSAMPLER_KERNELS):
            for convs, index in product(("convs1", "convs2"), range(3)):
                name = f"dec.resblocks.{block}.{convs}.{index}"
                yield from _affine(name, channels, channels, kernel)
            for index in range(6):
                yield from activation(f"dec.resblocks.{block}.activations.{index}")
        yield from activation("dec.activation_post")
        yield "dec.conv_post.weight", (1, channels, 7)

    return dict(generator())


def infer_dims(shapes: Mapping[str, Shape]) -> CodecDims:
    """Read the dimensions off the few tensors that tell them.

    Raises:
        CheckpointError: One of those is missing.
    """

    def axis(name: str, index: int) -> int:
        try:
            return shapes[name][index]
        except (KeyError, IndexError):
            found = f"shape {shapes[name]}" if name in shapes else "none"
            raise CheckpointError(f"{name}: expected a weight; found {found}") from None

    def count(pattern: str) -> int:
        index = 0
        while pattern.format(index) in shapes:
            index += 1
        return index

    encoder = "encoder.encoder.embed.weight"  # only there if it was read
    ecapa, sampler = "speaker_encoder.speaker_encoder", "speaker_encoder.perceiver_sampler"
    published = CodecDims()
    return CodecDims(
        latent=axis("prenet.linear_pre.weight", 1),
        code=axis("quantizer.codebook.weight", 1),
        width=axis("prenet.linear_pre.weight", 0),
        hidden=axis("prenet.vocos_backbone.convnext.0.pwconv1.weight", 0),
        layers=count("prenet.vocos_backbone.convnext.{}.gamma"),
        wave=axis("decoder.model.0.weight", 0),
        mel=published.mel,  # fixed by the front end, so another one is an error
        features=axis(encoder, 1) if encoder in shapes else published.features,
        speaker=axis(f"{ecapa}.layer1.conv.weight", 0),
        squeeze=axis(f"{ecapa}.layer2.se_res2block.3.linear1.weight", 0),
        speaker_features=axis(f"{ecapa}.conv.weight", 0),
        perceiver=axis(f"{sampler}.latents", 1),
        perceiver_inner=axis(f"{sampler}.layers.0.0.to_q.weight", 0),
        perceiver_hidden=axis(f"{sampler}.layers.0.1.2.weight", 1),
        perceiver_layers=count(sampler + ".layers.{}.1.2.bias"),
    )


def require_shapes(
    expected: Mapping[str, Shape], found: Mapping[str, Shape], where: Mapping[str, str] | str
) -> None:
    """Raise CheckpointError unless the two agree tensor for tensor.

    Args:
        expected: Every tensor there must be.
        found: Every tensor there is.
        where: The file to name, or the file of each tensor found.
    """
    files = where if isinstance(where, str) else ", ".join(sorted(set(where.values())))
    if missing := sorted(expected.keys() - found.keys()):
        shapes = ", ".join(f"{name} {expected[name]}" for name in missing[:3])
        raise CheckpointError(f"{files}: {len(missing)} tensors missing, expected {shapes}")
    for name, shape in found.items():
        file = where if isinstance(where, str) else where[name]
        if name not in expected:
            raise CheckpointError(f"{file}: {name}: no use for this tensor of shape {shape}")
        if shape != expected[name]:
            raise CheckpointError(f"{file}: {name}: expected shape {expected[name]}; found {shape}")
