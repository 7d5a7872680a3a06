"""Tensors of a codec in, a directory that OpenVINO renders from out; needs no PyTorch.

Knows nothing about where the tensors come from or who else writes to the directory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13 as op

from mira.model.codec.base import GLOBAL_CODES, GLOBAL_TOKENS, SPEECH_CODES, Span
from mira.model.codec.decoder import (
    RATES,
    UNIT_DILATIONS,
    prenet,
    speaker_vector,
    wave_generator,
)
from mira.model.codec.encoder import speaker_encoder
from mira.model.codec.layers import Tensors
from mira.model.codec.openvino import KEPT, KEPT_OF_EACH, OpenVINOCodec
from mira.model.codec.openvino_layers import OpenVINOLayers
from mira.model.codec.quantize import Quantized, quantize
from mira.model.codec.reference import MELS
from mira.model.codec.upsampler import upsampler as upsampler_network

INTEGERS = "wave_generator_int8"
INT8_SNR_DB = 30.0  # less exact than this, integers aren't used

_KEPT_FRAMES = 50  # of an utterance

Utterance = tuple[Sequence[int], Sequence[int]]
"""Speech tokens, and the global tokens of who says them."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written beside the graphs that are always there."""

    int8_layers: int  # of the wave generator, computed in 8-bit integers; 0: no such graph
    int8_snr_db: float | None  # signal over error of that graph


def export_codec(tensors: Tensors, upsampler: Tensors | None, directory: Path) -> None:
    """Write a graph for each network, for `mira.model.codec.openvino.OpenVINOCodec`.

    Args:
        tensors: As for `mira.model.codec.pytorch.TorchCodec`.
        upsampler: The same; None: none is written.
        directory: Made if it isn't there.

    Raises:
        OSError: A file can't be written.
    """
    for graph in _graphs(tensors, upsampler):
        _save(graph, directory)


def export_integers(directory: Path, utterances: Sequence[Utterance] | None = None) -> Exported:
    """Write the wave generator in 8-bit integers beside the others, as far as that is exact.

    Args:
        directory: Of `export_codec`.
        utterances: Two or more that are like those to be spoken; on them it is decided how much
            of the wave generator may be computed in integers. None: tokens at random. Empty:
            nothing is.

    Raises:
        OSError: A file can't be written.
    """
    for stale in directory.glob(f"{INTEGERS}.*"):  # of a run that was interrupted
        stale.unlink()
    inputs = _wave_inputs(directory, _at_random() if utterances is None else utterances)
    wave = _read(directory, "wave_generator")
    int8 = _quantized(wave, inputs) if inputs else None
    if int8 is None:
        return Exported(0, None)
    int8.graph.set_friendly_name(INTEGERS)
    _save(int8.graph, directory)
    return Exported(int8.layers, int8.snr_db)


def export_reference(directory: Path, utterances: Sequence[Utterance] | None = None) -> None:
    """Keep, beside the graphs, what they say in float32.

    Where bf16 is at hand, `mira.model.codec.openvino` compares it with this before it takes it.

    Args:
        directory: Of `export_codec`.
        utterances: As for `export_integers`; the second half of them is kept, a second of each.

    Raises:
        OSError: A file can't be written.
    """
    codec = OpenVINOCodec(directory, upsample=False, exact=True)
    utterances = utterances or _at_random()
    kept: dict[str, Any] = {}
    for number, (speech, speaker) in enumerate(utterances[len(utterances) // 2 :]):
        # Not its beginning: that may be next to silence.
        first = max(0, (len(speech) - _KEPT_FRAMES) // 2)
        speech = speech[first : first + _KEPT_FRAMES]
        (samples,) = codec.decode([Span(speech, codec.speaker(speaker), 0, len(speech))])
        of_each = (np.array(speech), np.array(speaker), samples)
        kept |= {f"{name}{number}": of for name, of in zip(KEPT_OF_EACH, of_each, strict=True)}
    np.savez(directory / KEPT, **kept)


def _graphs(tensors: Tensors, upsampler: Tensors | None) -> Iterator[ov.Model]:
    nn = OpenVINOLayers(tensors)
    mel = op.parameter([1, -1, MELS], np.float32, name="mel")
    yield ov.Model([speaker_encoder(nn, mel)], [mel], "speaker_encoder")
    tokens = op.parameter([1, GLOBAL_TOKENS], np.int64, name="tokens")
    vectors = [vector.output(0) for vector in speaker_vector(nn, tokens)]
    yield ov.Model(vectors, [tokens], "speaker")
    tokens = op.parameter([1, -1], np.int64, name="tokens")
    voice = [
        op.parameter(vector.get_partial_shape(), np.float32, name=name)
        for name, vector in zip(("d_vector", "scale", "shift"), vectors)
    ]
    yield ov.Model([prenet(nn, tokens, *voice)], [tokens, *voice], "prenet")
    channels = len(tensors["prenet.linear.weight"])
    frames = op.parameter([1, channels, -1], np.float32, name="frames")
    yield ov.Model([wave_generator(nn, frames)], [frames], "wave_generator")
    if upsampler is not None:
        samples = op.parameter([1, -1], np.float32, name="samples")
        raised = upsampler_network(OpenVINOLayers(upsampler), samples)
        yield ov.Model([raised], [samples], "upsampler")


def _read(directory: Path, name: str) -> ov.Model:
    graph = ov.Core().read_model(directory / f"{name}.xml")
    graph.set_friendly_name(name)
    return graph


def _quantized(wave: ov.Model, inputs: Sequence[npt.NDArray[np.float32]]) -> Quantized | None:
    half = len(inputs) // 2
    return quantize(wave, _worthiest_first(len(RATES)), inputs[:half], inputs[half:], INT8_SNR_DB)


def _worthiest_first(blocks: int) -> list[int]:
    """The wave generator's convolutions by what they cost in time over what they add in noise.

    Those in the residual units add least, because the signal also goes past them, and the wide
    ones take most of the time; noise from a late block has the least way to grow. The first and
    the last convolution are cheap.
    """
    units = len(UNIT_DILATIONS)
    starts = [1 + block * (1 + 2 * units) for block in reversed(range(blocks))]
    wide = [start + 1 + 2 * unit for start in starts for unit in range(units)]
    return [*wide, *(layer + 1 for layer in wide), *starts]


def _wave_inputs(directory: Path, utterances: Sequence[Utterance]) -> list[npt.NDArray[np.float32]]:
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    speak, prenet = (
        ov.Core().compile_model(_read(directory, name), "CPU", exact)
        for name in ("speaker", "prenet")
    )

    def wave_input(speech: Sequence[int], speaker: Sequence[int]) -> Any:
        vectors = speak([np.array([speaker], np.int64)]).values()
        return prenet([np.array([speech], np.int64), *vectors])[0]

    return [wave_input(*utterance) for utterance in utterances]


def _at_random() -> list[Utterance]:
    rng = np.random.default_rng(0)
    shapes = ((SPEECH_CODES, 50), (GLOBAL_CODES, GLOBAL_TOKENS))
    drawn = [[rng.integers(0, codes, count).tolist() for codes, count in shapes] for _ in range(4)]
    return [(speech, speaker) for speech, speaker in drawn]


def _save(graph: ov.Model, directory: Path) -> None:
    path = directory / f"{graph.get_friendly_name()}.xml"
    try:
        ov.save_model(graph, path, compress_to_fp16=False)
    except RuntimeError as error:  # how OpenVINO says that a disk is full
        raise OSError(f"{path}: can't be written: {error}") from error
