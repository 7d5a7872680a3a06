"""Tensors of a codec in, a directory that OpenVINO renders from without PyTorch out.

Knows nothing about where the tensors come from or who else writes to the directory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
import torch

from mira.codec.base import GLOBAL_CODES, GLOBAL_TOKENS, SPEECH_CODES
from mira.codec.graph import prenet_graph, speaker_graph, wave_graph
from mira.codec.graph_encoder import encoder_graph
from mira.codec.graph_upsampler import upsampler_graph
from mira.codec.pytorch import load_networks
from mira.codec.quantize import Quantized, quantize
from mira.codec.upsampler import Upsampler
from mira.codec.weights import Tensors

INT8_SNR_DB = 30.0  # less exact than this, integers aren't used

Utterance = tuple[Sequence[int], Sequence[int]]
"""Speech tokens, and the global tokens of who says them."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written beside the graphs that are always there."""

    int8_layers: int  # of the wave generator, computed in 8-bit integers; 0: no such graph
    int8_snr_db: float | None  # signal over error of that graph


@torch.no_grad()
def export_codec(
    tensors: Tensors,
    upsampler: Tensors | None,
    directory: Path,
    utterances: Sequence[Utterance] | None = None,
) -> Exported:
    """Write a graph for each network, for `mira.codec.openvino.OpenVINOCodec`.

    Args:
        tensors: As for `mira.codec.pytorch.TorchCodec`.
        upsampler: The same; None: none is written.
        directory: Made if it isn't there.
        utterances: Two or more that are like those to be spoken; on them it is decided how much
            of the wave generator may be computed in integers. None: tokens at random. Empty:
            nothing is.

    Raises:
        CheckpointError: A tensor is missing, left over or of another shape.
        OSError: A file can't be written.
    """
    encoder, speaker, prenet, wave_generator = load_networks(tensors)
    voice, frames = speaker_graph(speaker), prenet_graph(prenet)
    wave = wave_graph(wave_generator)
    graphs = [encoder_graph(encoder), voice, frames, wave]
    if upsampler is not None:
        graphs.append(upsampler_graph(Upsampler(upsampler)))
    inputs = _wave_inputs(voice, frames, _at_random() if utterances is None else utterances)
    int8 = _quantized(wave, len(wave_generator.blocks), inputs) if inputs else None
    if int8 is not None:
        int8.graph.set_friendly_name("wave_generator_int8")
        graphs.append(int8.graph)
    for stale in directory.glob("wave_generator_int8.*"):  # of a run that was interrupted
        stale.unlink()
    for graph in graphs:
        _save(graph, directory / f"{graph.get_friendly_name()}.xml")
    return Exported(int8.layers, int8.snr_db) if int8 else Exported(0, None)


def _quantized(
    wave: ov.Model, blocks: int, inputs: Sequence[npt.NDArray[np.float32]]
) -> Quantized | None:
    half = len(inputs) // 2
    return quantize(wave, _worthiest_first(blocks), inputs[:half], inputs[half:], INT8_SNR_DB)


def _worthiest_first(blocks: int) -> list[int]:
    """The wave generator's convolutions by what they cost in time over what they add in noise.

    Those in the residual units add least, because the signal also goes past them, and the wide
    ones take most of the time; noise from a late block has the least way to grow. The first and
    the last convolution are cheap.
    """
    units = 3
    starts = [1 + block * (1 + 2 * units) for block in reversed(range(blocks))]
    wide = [start + 1 + 2 * unit for start in starts for unit in range(units)]
    return [*wide, *(layer + 1 for layer in wide), *starts]


def _wave_inputs(
    voice: ov.Model, frames: ov.Model, utterances: Sequence[Utterance]
) -> list[npt.NDArray[np.float32]]:
    core = ov.Core()
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    speak, prenet = (core.compile_model(graph, "CPU", exact) for graph in (voice, frames))

    def wave_input(speech: Sequence[int], speaker: Sequence[int]) -> Any:
        vectors = speak([np.array([speaker], np.int64)]).values()
        return prenet([np.array([speech], np.int64), *vectors])[0]

    return [wave_input(*utterance) for utterance in utterances]


def _at_random() -> list[Utterance]:
    rng = np.random.default_rng(0)
    shapes = ((SPEECH_CODES, 50), (GLOBAL_CODES, GLOBAL_TOKENS))
    drawn = [[rng.integers(0, codes, count).tolist() for codes, count in shapes] for _ in range(4)]
    return [(speech, speaker) for speech, speaker in drawn]


def _save(graph: ov.Model, path: Path) -> None:
    try:
        ov.save_model(graph, path, compress_to_fp16=False)
    except RuntimeError as error:  # how OpenVINO says that a disk is full
        raise OSError(f"{path}: can't be written: {error}") from error
