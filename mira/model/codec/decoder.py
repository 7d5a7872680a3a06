"""Speech tokens and a speaker in, a waveform at 16 kHz out: BiCodec's decoder.

Three networks of very different cost: `speaker_vector` runs once for each voice, `prenet` is cheap
and looks 57 frames far, `wave_generator` is nineteen times dearer and looks 10 frames.

Knows nothing about windows, batches of streams or what computes. Source: BiCodec, Spark-TTS,
arXiv:2503.01710; the backbone is that of Vocos, arXiv:2306.00814.
"""

from collections.abc import Callable, Sequence

import numpy as np

from mira.model.checkpoint.schema import DOWNSAMPLE_BLOCKS, FSQ_DIGITS, WAVE_RATES
from mira.model.codec.base import GLOBAL_CODES
from mira.model.codec.layers import Array, Floats, Layers, Node

FSQ_LEVELS = 4  # values that each digit of a global token can take
UNIT_DILATIONS = (1, 3, 9)  # of the residual units of each block


def speaker_vector(nn: Layers, global_tokens: Node) -> tuple[Node, Node, Node]:
    """Compute what depends on the voice alone.

    Args:
        global_tokens: [1, GLOBAL_TOKENS] int64.

    Returns:
        d_vector [1, channels]; scale and shift of the prenet's inner norms, each [1, norms, prenet
        channels].
    """
    voice, backbone = nn.at("speaker_encoder"), nn.at("prenet", "vocos_backbone")
    codes = nn.rows(nn.constant("FSQ's codes", fsq_codebook), global_tokens)
    latent = nn.swapped(voice.linear(codes, "quantizer.project_out"))
    d_vector = voice.linear(nn.reshaped(latent, 1, -1), "project")  # the channels outermost

    def of_norms(name: str) -> Node:
        weight = _of_norms(backbone, f"{name}.weight", np.concatenate)
        bias = _of_norms(backbone, f"{name}.bias", np.concatenate)
        return nn.reshaped(nn.product(d_vector, weight, bias), 1, len(_norms(backbone)), -1)

    return d_vector, of_norms("scale"), of_norms("shift")


def prenet(nn: Layers, tokens: Node, d_vector: Node, scale: Node, shift: Node) -> Node:
    """[batch, frames] int64, and what `speaker_vector` returns -> [batch, channels, frames]."""
    prenet = nn.at("prenet")
    x = nn.rows(nn.constant("rows of tokens", lambda: _rows_of_tokens(nn)), tokens)
    x = sampled(prenet.at("downsample"), x)
    x = prenet.linear(backbone(prenet.at("vocos_backbone"), x, scale, shift), "linear")
    return nn.swapped(x + nn.unsqueezed(d_vector, 1))


def wave_generator(nn: Layers, frames: Node) -> Node:
    """[batch, channels, frames] -> [batch, frames * SAMPLES_PER_FRAME], in [-1, 1]."""
    model = nn.at("decoder", "model")
    x = model.convolution(frames, "0")
    for number, rate in enumerate(WAVE_RATES, 1):
        block = model.at(number, "block")
        x = block.transposed(block.snake(x, "0"), "1", rate)
        for inner, dilation in enumerate(UNIT_DILATIONS, 2):
            unit = block.at(inner, "block")
            y = unit.convolution(unit.snake(x, "0"), "1", dilation)
            x = x + unit.convolution(unit.snake(y, "2"), "3")
    x = model.convolution(model.snake(x, f"{len(WAVE_RATES) + 1}"), f"{len(WAVE_RATES) + 2}")
    return nn.squeezed(nn.tanh(x), 1)


def backbone(nn: Layers, x: Node, scale: Node | None = None, shift: Node | None = None) -> Node:
    """[batch, frames, in] -> [batch, frames, channels]: an embedding, ConvNeXt blocks and a norm.

    Args:
        scale: Of the inner norms, [batch, norms, channels]; None: they have their own.
        shift: The same.
    """
    scale = _of_norms(nn, "weight") if scale is None else scale
    shift = _of_norms(nn, "bias") if shift is None else shift
    x = nn.norm(nn.over_time(x, "embed")) * nn.row(scale, 0) + nn.row(shift, 0)
    for number, block in enumerate(nn.each("convnext", "gamma"), 1):
        y = nn.norm(block.over_time(x, "dwconv", depthwise=True))
        y = block.linear(y * nn.row(scale, number) + nn.row(shift, number), "pwconv1")
        x = x + block.linear(nn.gelu(y), "pwconv2") * block.tensor("gamma")
    final = nn.at("final_layer_norm")
    return nn.norm(x) * final.tensor("weight") + final.tensor("bias")


def sampled(nn: Layers, x: Node) -> Node:
    """[batch, frames, channels] -> the same: sampling blocks of ratio 1."""
    for number in range(DOWNSAMPLE_BLOCKS):
        # Each adds its input, its skip and its output: three times x.
        x = backbone(nn.at(number, 1), x * nn.number(3))
    return x


def _norms(nn: Layers) -> list[Layers]:
    """Name a backbone's inner norms: the embedding's, then each block's."""
    return [nn.at("norm"), *(block.at("norm") for block in nn.each("convnext", "gamma"))]


def _of_norms(
    nn: Layers,
    name: str,
    join: Callable[[Sequence[Array]], Array] = lambda rows: np.stack(rows)[None],
) -> Node:
    return nn.constant(f"norms.{name}", lambda: join([norm.take(name) for norm in _norms(nn)]))


def fsq_codebook() -> Array:
    """Make [GLOBAL_CODES, FSQ_DIGITS], in [-1, 0.5]; the first digit is the least significant."""
    digits = np.arange(GLOBAL_CODES)[:, None] // FSQ_LEVELS ** np.arange(FSQ_DIGITS) % FSQ_LEVELS
    return np.asarray(digits / (FSQ_LEVELS // 2) - 1, np.float32)


def _rows_of_tokens(nn: Layers) -> Floats:
    """[SPEECH_CODES, prenet channels]: all that comes before the first look at a neighbour."""
    quantizer, before = nn.at("quantizer"), nn.at("prenet", "linear_pre")
    project = quantizer.at("out_project")
    rows = quantizer.take("codebook.weight") @ project.take("weight")[..., 0].T
    rows = (rows + project.take("bias")) @ before.take("weight").T
    return rows + before.take("bias")
