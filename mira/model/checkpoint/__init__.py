"""Files in, weights out: finds, reads and verifies a model's checkpoint, or writes a random one.

Knows nothing of speech: what the weights compute is codec/ and lm/.
"""

from mira.model.checkpoint.hub import check_known, directory_of, locate
from mira.model.checkpoint.inspect import FileRow, describe
from mira.model.checkpoint.layout import Checkpoint, Layout, open_checkpoint
from mira.model.checkpoint.selfcheck import onnx_selfcheck
from mira.model.checkpoint.tokens import TokenMap
from mira.model.checkpoint.wav2vec2 import load_wav2vec2
from mira.model.checkpoint.weights import codec_weights, upsampler_weights

__all__ = [
    "Checkpoint",
    "FileRow",
    "Layout",
    "TokenMap",
    "check_known",
    "codec_weights",
    "describe",
    "directory_of",
    "load_wav2vec2",
    "locate",
    "onnx_selfcheck",
    "open_checkpoint",
    "upsampler_weights",
]
