"""Files in, weights out: finds, reads and verifies a model's checkpoint, or writes a random one.

Knows nothing of speech: what the weights compute is codec/ and lm/.
"""

from mira.checkpoint.hub import check_known, directory_of, locate
from mira.checkpoint.inspect import FileRow, describe
from mira.checkpoint.layout import Checkpoint, Layout, open_checkpoint
from mira.checkpoint.selfcheck import onnx_selfcheck
from mira.checkpoint.tokens import TokenMap
from mira.checkpoint.wav2vec2 import load_wav2vec2
from mira.checkpoint.weights import codec_weights, upsampler_weights

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
