"""Tensors of a codec in, a directory that OpenVINO renders from out; needs no PyTorch.

Knows nothing about where the tensors come from or who else writes to the directory.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as op

from mira.model.checkpoint.schema import WAVE_RATES
from mira.model.codec.base import GLOBAL_CODES, GLOBAL_TOKENS, SPEECH_CODES, Span
from mira.model.codec.decoder import UNIT_DILATIONS, prenet, speaker_vector, wave_generator
from mira.model.codec.encoder import speaker_encoder
from mira.model.codec.layers import Array, Tensors
from mira.model.codec.openvino import INT8, KEPT, KEPT_OF_EACH, WAVE, OpenVINOCodec
from mira.model.codec.openvino_layers import OpenVINOLayers
from mira.model.codec.quantize import Quantized, quantize
from mira.model.codec.reference import MELS
from mira.model.codec.upsampler import upsampler as upsampler_network

log = logging.getLogger(__name__)

INT8_SNR_DB = 30.0  # less exact than this, integers aren't used

_KEPT_FRAMES = 50  # of an utterance

Utterance = tuple[Sequence[int], Sequence[int]]
"""Speech tokens, and the global tokens of who says them."""


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


def export_measured(
    directory: Path, utterances: Sequence[Utterance] | None = None
) -> Quantized | None:
    """Write, beside the graphs, what they say in float32, and the wave generator in integers.

    The former is for `mira.model.codec.openvino`: it compares bf16 with it before it takes bf16.

    Args:
        directory: Of `export_codec`.
        utterances: Two or more that are like those to be spoken. The first half decides how
            integers are rounded; the second half measures them, and a second of each is kept.
            None: tokens at random. Empty: the same, and no integers.

    Returns:
        The wave generator in integers, as far as they are exact enough; None: they never are.

    Raises:
        OSError: A file can't be written.
    """
    codec = OpenVINOCodec(directory, upsample=False, exact=True)
    said = utterances or _at_random()
    seen, unseen = said[: len(said) // 2], said[len(said) // 2 :]
    kept: dict[str, Any] = {}
    for number, (speech, speaker) in enumerate(unseen):
        # Not its beginning: that may be next to silence.
        first = max(0, (len(speech) - _KEPT_FRAMES) // 2)
        speech = speech[first : first + _KEPT_FRAMES]
        (samples,) = codec.decode([Span(speech, codec.speaker(speaker), 0, len(speech))])
        of_each = (np.array(speech), np.array(speaker), samples)
        kept |= {f"{name}{number}": of for name, of in zip(KEPT_OF_EACH, of_each, strict=True)}
    np.savez(directory / KEPT, **kept)
    for stale in directory.glob(f"{INT8}.*"):  # of a run that was interrupted
        stale.unlink()
    if utterances is not None and not utterances:
        return None

    def frames(of: Sequence[Utterance]) -> list[Array]:
        return [codec.prenet(np.array(speech), np.array(speaker))[None] for speech, speaker in of]

    wave = ov.Core().read_model(directory / f"{WAVE}.xml")
    order = _worthiest_first(len(WAVE_RATES))
    int8 = quantize(wave, order, frames(seen), frames(unseen), INT8_SNR_DB)
    if int8:
        log.info("%d convolutions in integers leave %.1f dB", int8.layers, int8.snr_db)
        int8.graph.set_friendly_name(INT8)
        _save(int8.graph, directory)
    return int8


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
    yield ov.Model([wave_generator(nn, frames)], [frames], WAVE)
    if upsampler is not None:
        samples = op.parameter([1, -1], np.float32, name="samples")
        raised = upsampler_network(OpenVINOLayers(upsampler), samples)
        yield ov.Model([raised], [samples], "upsampler")


def _worthiest_first(blocks: int) -> list[int]:
    """Sort the wave generator's convolutions by the time they cost over the noise they'd add.

    Those in the residual units add least, because the signal also goes past them, and the wide
    ones take most of the time; noise from a late block has the least way to grow. The first and
    the last convolution are cheap.
    """
    units = len(UNIT_DILATIONS)
    starts = [1 + block * (1 + 2 * units) for block in reversed(range(blocks))]
    wide = [start + 1 + 2 * unit for start in starts for unit in range(units)]
    return [*wide, *(layer + 1 for layer in wide), *starts]


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
