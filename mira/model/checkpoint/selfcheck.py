"""A checkpoint and the two functions made from its weights in, how far they are off out.

Knows nothing about the functions but what they take and give: a MiraTTS checkpoint holds its own
reference, the ONNX files, and ONNX Runtime computes what the functions should have.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mira.errors import CheckpointError, one_line
from mira.model.checkpoint.graph import read_graph_header
from mira.model.checkpoint.layout import Checkpoint
from mira.model.checkpoint.tensors import Array, reading
from mira.model.codec.base import GLOBAL_CODES, GLOBAL_TOKENS, SPEECH_CODES

log = logging.getLogger(__name__)

Ids = npt.NDArray[np.int64]
Prenet = Callable[[Ids, Ids], Array]
"""(speech tokens [frames], global tokens [32]) -> [channels, frames]."""
SpeakerEncoder = Callable[[Array], Ids]
"""Mel spectrogram [frames, 128], magnitudes -> [32] global tokens."""

MAX_RELATIVE_ERROR = {"float32": 1e-4, "float16": 2e-3}
"""Share of the root mean square, by the type of the output: rounding to float16 alone is 2e-4."""
MAX_WRONG_TOKENS = 1
"""Out of 32: a value that lies on the edge between two levels may round to either."""
MAX_OF_HALF_GRAPH = (1e-2, 4)
"""The same two for a graph that computes in float16 throughout, and rounds after every layer."""

_FRAMES = 40
_MEL_FRAMES, _MEL_BANDS = 120, 128


def check_codec(
    checkpoint: Checkpoint, prenet: Prenet, speaker_encoder: SpeakerEncoder, seed: int = 0
) -> float | None:
    """Compare two functions with the ONNX files that their weights came from.

    Args:
        checkpoint: Of either layout.
        prenet: Stands for processer.onnx.
        speaker_encoder: Stands for s_encoder.onnx.
        seed: Of the random tokens and spectrogram.

    Returns:
        Root mean square of the prenet's error, over that of what it should give. None for Spark's
        layout, which has no ONNX files to compare with.

    Raises:
        CheckpointError: A file is missing or can't be run, or a function is further off than the
            limits above.
    """
    if checkpoint.codec_layout == "spark":
        return None
    random = np.random.default_rng(seed)
    speech = random.integers(0, SPEECH_CODES, _FRAMES)
    speaker = random.integers(0, GLOBAL_CODES, GLOBAL_TOKENS)
    path = checkpoint.file("prenet")
    with reading(path):
        context = speaker.astype(np.int32)[None, None]
        reference = _run(path, context_tokens=context, speech_tokens=speech[None])[0]
        error = _relative_error(reference, prenet(speech, speaker))
        limit = MAX_OF_HALF_GRAPH[0] if _is_half(path) else MAX_RELATIVE_ERROR[str(reference.dtype)]
    if not error <= limit:  # so that NaN fails as well
        raise CheckpointError(
            f"{path}: the prenet differs from this file by {error:.1e} of its loudness; expected "
            f"at most {limit:.0e}"
        )
    path = checkpoint.file("speaker_encoder")
    mel = np.abs(random.standard_normal((_MEL_FRAMES, _MEL_BANDS))).astype(np.float32)
    with reading(path):
        tokens = _run(path, mel_spectrogram=mel[None]).reshape(-1)
        wrong = int(np.sum(tokens != speaker_encoder(mel)))
    most = MAX_OF_HALF_GRAPH[1] if _is_half(path) else MAX_WRONG_TOKENS
    if wrong > most:
        raise CheckpointError(
            f"{path}: the speaker encoder differs from this file in {wrong} of {tokens.size} "
            f"tokens; expected at most {most}"
        )
    log.info("the codec agrees with its ONNX files: error %.1e", error)
    return error


def _is_half(path: Path) -> bool:
    return any(info.dtype == "F16" for info in read_graph_header(path))


def _relative_error(reference: npt.NDArray[Any], found: Array) -> float:
    expected = reference.astype(np.float64)
    if expected.shape != found.shape:
        raise ValueError(f"the prenet gives {found.shape}; expected {expected.shape}")
    return float(np.sqrt(np.mean((found - expected) ** 2) / np.mean(expected**2)))


def _run(path: Path, **inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = 1  # a few frames: more threads would only wait for each other
    options.log_severity_level = 3
    try:
        session = InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        output: npt.NDArray[Any] = session.run(None, inputs)[0]
    except Exception as error:  # ONNX Runtime has a dozen classes of its own
        raise CheckpointError(f"{path}: ONNX Runtime can't run it ({one_line(error)})") from error
    return output
