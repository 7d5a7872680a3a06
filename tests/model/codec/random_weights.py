"""Small random BiCodec weights in canonical names, drawn so that activations are of order one."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

DIM, LATENT, WIDE, VOICE, MELS, PERCEIVER = 24, 32, 40, 20, 128, 16
CHANNELS = (48, 24, 12, 6, 4)
KERNELS = (16, 11, 8, 4)


def random_weights(
    seed: int = 0, backbone_blocks: int = 12, semantic: bool = False
) -> dict[str, Array]:
    """Everything that the codec reads, of small sizes; with the true kernels and context."""
    source = _Source(np.random.default_rng(seed))
    tensors = dict(
        [
            *_quantizer(source),
            *_prenet(source, backbone_blocks),
            *_decoder(source),
            *_speaker(source),
        ]
    )
    if semantic:
        tensors |= dict(_semantic(source))
    return tensors


class _Source:
    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def normal(self, *shape: int, scale: float = 1.0, mean: float = 0.0) -> Array:
        return (mean + scale * self.rng.standard_normal(shape)).astype(np.float32)

    def layer(self, name: str, *shape: int, gain: float = 1.0) -> Iterator[tuple[str, Array]]:
        """A weight [out, in, ...] that keeps the variance, and a bias."""
        yield f"{name}.weight", self.normal(*shape, scale=gain / float(np.prod(shape[1:])) ** 0.5)
        yield f"{name}.bias", self.normal(shape[0], scale=0.1)

    def norm(self, name: str, dim: int) -> Iterator[tuple[str, Array]]:
        yield f"{name}.weight", self.normal(dim, scale=0.1, mean=1)
        yield f"{name}.bias", self.normal(dim, scale=0.1)

    def backbone(
        self, name: str, dim_in: int, dim: int, blocks: int, voice: int = 0
    ) -> Iterator[tuple[str, Array]]:
        yield from self.layer(f"{name}.embed", dim, dim_in, 7)
        for inner in [name, *(f"{name}.convnext.{i}" for i in range(blocks))]:
            if voice:
                yield from self.layer(f"{inner}.norm.scale", dim, voice)
                yield from self.layer(f"{inner}.norm.shift", dim, voice, gain=0.3)
            else:
                yield from self.norm(f"{inner}.norm", dim)
        for i in range(blocks):
            block = f"{name}.convnext.{i}"
            yield from self.layer(f"{block}.dwconv", dim, 1, 7)
            yield from self.layer(f"{block}.pwconv1", WIDE, dim)
            yield from self.layer(f"{block}.pwconv2", dim, WIDE)
            yield f"{block}.gamma", self.normal(dim, scale=0.1, mean=0.5)
        yield from self.norm(f"{name}.final_layer_norm", dim)


def _quantizer(source: _Source) -> Iterator[tuple[str, Array]]:
    yield "quantizer.codebook.weight", source.normal(8192, 8)
    yield from source.layer("quantizer.out_project", LATENT, 8, 1)


def _prenet(source: _Source, blocks: int) -> Iterator[tuple[str, Array]]:
    yield from source.layer("prenet.linear_pre", DIM, LATENT)
    for i in (0, 1):
        yield from source.backbone(f"prenet.downsample.{i}.1", DIM, DIM, 2)
    yield from source.backbone("prenet.vocos_backbone", DIM, DIM, blocks, VOICE)
    yield from source.layer("prenet.linear", VOICE, DIM)


def _decoder(source: _Source) -> Iterator[tuple[str, Array]]:
    model = "decoder.model"
    yield from source.layer(f"{model}.0", CHANNELS[0], VOICE, 7)
    for i, (before, after, kernel) in enumerate(zip(CHANNELS, CHANNELS[1:], KERNELS), start=1):
        block = f"{model}.{i}.block"
        yield f"{block}.0.alpha", source.normal(1, before, 1, scale=0.1, mean=1)
        scale = (2 * before) ** -0.5  # two taps of each kernel reach a sample
        yield f"{block}.1.weight", source.normal(before, after, kernel, scale=scale)
        yield f"{block}.1.bias", source.normal(after, scale=0.1)
        for j in (2, 3, 4):
            unit = f"{block}.{j}.block"
            yield f"{unit}.0.alpha", source.normal(1, after, 1, scale=0.1, mean=1)
            yield from source.layer(f"{unit}.1", after, after, 7)
            yield f"{unit}.2.alpha", source.normal(1, after, 1, scale=0.1, mean=1)
            yield from source.layer(f"{unit}.3", after, after, 1, gain=0.3)
    yield f"{model}.5.alpha", source.normal(1, CHANNELS[-1], 1, scale=0.1, mean=1)
    yield from source.layer(f"{model}.6", 1, CHANNELS[-1], 7, gain=0.3)


def _speaker(source: _Source) -> Iterator[tuple[str, Array]]:
    root, channels, width = "speaker_encoder.speaker_encoder", 32, 4
    yield from _conv_norm(source, f"{root}.layer1", channels, MELS, 5)
    for layer in (2, 3, 4):
        block = f"{root}.layer{layer}.se_res2block"
        yield from _conv_norm(source, f"{block}.0", channels, channels, 1)
        for i in range(7):
            yield from source.layer(f"{block}.1.convs.{i}", width, width, 3, gain=0.6)
            yield from _batch_norm(source, f"{block}.1.bns.{i}", width)
        yield from _conv_norm(source, f"{block}.2", channels, channels, 1)
        yield from source.layer(f"{block}.3.linear1", 8, channels)
        yield from source.layer(f"{block}.3.linear2", channels, 8)
    yield from source.layer(f"{root}.conv", 48, 3 * channels, 1)
    perceiver = "speaker_encoder.perceiver_sampler"
    yield from source.layer(f"{perceiver}.proj_context", PERCEIVER, 48, gain=0.5)
    yield f"{perceiver}.latents", source.normal(32, PERCEIVER)
    for i in (0, 1):
        layer = f"{perceiver}.layers.{i}"
        yield f"{layer}.0.to_q.weight", source.normal(32, PERCEIVER, scale=PERCEIVER**-0.5)
        yield f"{layer}.0.to_kv.weight", source.normal(64, PERCEIVER, scale=PERCEIVER**-0.5)
        yield f"{layer}.0.to_out.weight", source.normal(PERCEIVER, 32, scale=32**-0.5)
        yield from source.layer(f"{layer}.1.0", 84, PERCEIVER)
        yield from source.layer(f"{layer}.1.2", PERCEIVER, 42, gain=0.5)
    yield f"{perceiver}.norm.gamma", source.normal(PERCEIVER, scale=0.1, mean=1)
    yield from source.layer("speaker_encoder.quantizer.project_in", 6, PERCEIVER)
    yield from source.layer("speaker_encoder.quantizer.project_out", PERCEIVER, 6)
    yield from source.layer("speaker_encoder.project", VOICE, 32 * PERCEIVER)


def _conv_norm(
    source: _Source, name: str, out: int, in_: int, kernel: int
) -> Iterator[tuple[str, Array]]:
    yield from source.layer(f"{name}.conv", out, in_, kernel)
    yield from _batch_norm(source, f"{name}.bn", out)


def _batch_norm(source: _Source, name: str, dim: int) -> Iterator[tuple[str, Array]]:
    yield from source.norm(name, dim)
    yield f"{name}.running_mean", source.normal(dim, scale=0.1, mean=0.4)
    yield f"{name}.running_var", source.rng.uniform(0.2, 0.6, dim).astype(np.float32)
    yield f"{name}.num_batches_tracked", np.asarray(7)


def _semantic(source: _Source) -> Iterator[tuple[str, Array]]:
    yield from source.backbone("encoder.encoder", LATENT, DIM, 12)
    for i in (0, 1):
        yield from source.backbone(f"encoder.downsample.{i}.1", DIM, DIM, 2)
    yield from source.layer("encoder.project", LATENT, DIM)
    yield from source.layer("quantizer.in_project", 8, LATENT, 1)


def random_upsampler(seed: int = 0, dim: int = 4) -> dict[str, Array]:
    """Everything in FlashSR's file, weight norm fused."""
    source = _Source(np.random.default_rng(seed))
    half = [0.00202896, 0.00938947, -0.02554346, -0.05765738, 0.12857258, 0.4432098]
    taps = np.asarray([*half, *half[::-1]], np.float32)[None, None]

    def activation(name: str) -> Iterator[tuple[str, Array]]:
        yield f"{name}.act.alpha", source.normal(dim, scale=0.1)
        yield f"{name}.act.beta", source.normal(dim, scale=0.1)
        yield f"{name}.upsample.filter", taps
        yield f"{name}.downsample.lowpass.filter", taps

    def generator() -> Iterator[tuple[str, Array]]:
        yield from source.layer("dec.conv_pre", dim, 1, 7)
        for i, kernel in enumerate((3, 7, 11)):
            block = f"dec.resblocks.{i}"
            for j in range(3):
                yield from source.layer(f"{block}.convs1.{j}", dim, dim, kernel, gain=0.5)
                yield from source.layer(f"{block}.convs2.{j}", dim, dim, kernel, gain=0.5)
            for j in range(6):
                yield from activation(f"{block}.activations.{j}")
        yield from activation("dec.activation_post")
        yield "dec.conv_post.weight", source.normal(1, dim, 7, scale=0.2 * dim**-0.5)

    return dict(generator())
