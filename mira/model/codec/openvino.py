"""The codec on a CPU, from a directory that `mira.model.codec.export` wrote; needs no PyTorch.

Knows nothing about streams, checkpoints or how graphs were made. Source: BiCodec, Spark-TTS,
arXiv:2503.01710.
"""

import logging
import threading
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import openvino as ov

from mira.errors import CheckpointError, SynthesisFailed
from mira.machine import processor_here
from mira.model.codec.base import (
    GLOBAL_TOKENS,
    UPSAMPLER_CONTEXT,
    WAVE_CONTEXT,
    Span,
    Speaker,
    check_global_tokens,
    check_speech_tokens,
)
from mira.model.codec.look_ahead import snr_db
from mira.model.codec.reference import SAMPLE_RATE, mel_of
from mira.types import Samples

log = logging.getLogger(__name__)

LEAST_SNR_DB = 30.0  # that bf16 has to leave on this processor, or it is not used
KEPT = "float32.npz"
"""In a codec's directory: utterances, and what the graphs make of them in float32."""
KEPT_OF_EACH = ("speech", "speaker", "samples")

_UPSAMPLING = 3
_WAVE, _INT8 = "wave_generator", "wave_generator_int8"


class OpenVINOCodec:
    """A `Codec`. It finds no speech tokens in a recording: that takes PyTorch.

    Args:
        directory: Holds the graphs.
        threads: For one pass; 0: one for each core.
        upsample: To 48 kHz, if there is a graph that does; otherwise 16 kHz.
        exact: Compute in float32, whatever else the processor has.

    Otherwise the decoder computes in bf16 where the processor has it, if that leaves the error
    LEAST_SNR_DB below what the same graphs said in float32 when they were made. Where it doesn't,
    and on processors without, integers are next, which were measured when they were made.

    Raises:
        CheckpointError: A file is missing or can't be read.
    """

    def __init__(
        self,
        directory: Path,
        threads: int = 0,
        upsample: bool = True,
        *,
        exact: bool = False,
    ) -> None:
        core = ov.Core()
        kept = _kept(directory / KEPT) if _has_bf16(core) and not exact else []

        def load(name: str, precision: str = "f32") -> "_Network":
            return _Network(core, _path(directory, name), precision, threads)

        # A token of the speaker is one side of a threshold or the other: not for rounding.
        self._encoder = load("speaker_encoder")
        self._speaker = load("speaker")
        upsample = upsample and _path(directory, "upsampler").exists()
        # In bf16 it takes one and a half times as long.
        self._upsampler = load("upsampler") if upsample else None
        self.precision: Literal["bf16", "integers", "float32"] = "float32"
        """What most of the decoder is computed in."""
        if kept:
            self._prenet, self._wave_generator = load("prenet", "bf16"), load(_WAVE, "bf16")
            if self._is_exact_enough(kept):
                self.precision = "bf16"
        if self.precision == "float32":
            self._prenet = load("prenet")
            if not exact and _has_vnni() and _path(directory, _INT8).exists():
                self.precision = "integers"
            self._wave_generator = load(_INT8 if self.precision == "integers" else _WAVE)
        log.info("the codec computes in %s", self.precision)
        factor = _UPSAMPLING if upsample else 1
        self.sample_rate = SAMPLE_RATE * factor
        # The first pass also prepares what later ones of any length reuse.
        nobody = self.speaker([0] * GLOBAL_TOKENS)
        self._hop = self._wave(Span([0], nobody, 0, 1)).size
        self.samples_per_frame = self._hop * factor

    def encode(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        """Find the global tokens of whoever speaks in a reference recording: see `Codec`."""
        return tuple(self.encode_mel(mel_of(samples, sample_rate)).tolist())

    def encode_mel(self, mel: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        """[mel frames, 128] magnitudes -> [32] global tokens: `encode` behind its spectrogram."""
        ((tokens,),) = self._encoder(mel[None])
        found: npt.NDArray[np.int64] = tokens
        return found

    def prenet(
        self, speech_tokens: npt.NDArray[np.int64], global_tokens: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """[frames] speech tokens, [32] global tokens -> [channels, frames]: half of `decode`."""
        check_speech_tokens(speech_tokens.tolist())
        frames: npt.NDArray[np.float32] = self._frames(
            speech_tokens.tolist(), self.speaker(global_tokens.tolist())
        )[0]
        return frames

    def speech_tokens(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        """None: see `Codec`."""
        return ()

    def speaker(self, global_tokens: Sequence[int]) -> Speaker:
        """Compute what depends on the voice alone: see `Codec`."""
        check_global_tokens(global_tokens)
        vectors = self._speaker(np.array([global_tokens], np.int64))
        return Speaker(*(vector[0] for vector in vectors))

    def decode(self, spans: Sequence[Span]) -> list[Samples]:
        """Render spans of any streams, speakers and lengths together: see `Codec`.

        One after another: a single one keeps all threads busy, so sharing a pass would gain
        nothing, and would take the memory of all at once.
        """
        for span in spans:
            check_speech_tokens(span.tokens)
        return [self._render(span) for span in spans]

    @property
    def failure(self) -> str:
        """None: a pass that breaks leaves nothing behind. See `Codec`."""
        return ""

    def close(self) -> None:
        """Nothing runs for it: see `Codec`."""

    def _is_exact_enough(self, kept: "Sequence[_Kept]") -> bool:
        """Whether the decoder, as it is loaded, says what it said in float32."""
        found_db = min(
            snr_db(samples, self._wave(Span(speech, self.speaker(speaker), 0, len(speech))))
            for speech, speaker, samples in kept
        )
        log.info("bf16 leaves the codec's error %.1f dB below the signal here", found_db)
        return found_db >= LEAST_SNR_DB

    def _render(self, span: Span) -> Samples:
        wave = self._wave(span)
        first = max(0, span.start - WAVE_CONTEXT)
        start, stop = (span.start - first) * self._hop, (span.stop - first) * self._hop
        if self._upsampler is None:
            return wave[start:stop]
        first = max(0, start - UPSAMPLER_CONTEXT)
        (block,) = self._upsampler(
            np.ascontiguousarray(wave[None, first : stop + UPSAMPLER_CONTEXT])
        )
        samples: Samples = block[0, (start - first) * _UPSAMPLING : (stop - first) * _UPSAMPLING]
        return samples

    def _wave(self, span: Span) -> Samples:
        """[samples]: the span at 16 kHz, among as much context as the wave generator needs."""
        frames = self._frames(span.tokens, span.speaker)
        # Two rates: the cheap prenet sees all the context, the dear wave generator only its own.
        first = max(0, span.start - WAVE_CONTEXT)
        heard = np.ascontiguousarray(frames[:, :, first : span.stop + WAVE_CONTEXT])
        (wave,) = self._wave_generator(heard)
        samples: Samples = wave[0]
        return samples

    def _frames(self, tokens: Sequence[int], speaker: Speaker) -> npt.NDArray[np.float32]:
        """[1, channels, frames]: what the wave generator reads."""
        voice = (vector[None] for vector in (speaker.d_vector, speaker.scale, speaker.shift))
        (frames,) = self._prenet(np.array([tokens], np.int64), *voice)
        found: npt.NDArray[np.float32] = frames
        return found


class _Network:
    """One compiled graph that several threads may call; one at a time computes.

    Raises:
        CheckpointError: The file is missing or can't be read.
    """

    def __init__(self, core: Any, path: Path, precision: str, threads: int) -> None:
        options = {
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": precision,
            # Threads that stay on their cores would meet those of the language model there.
            "ENABLE_CPU_PINNING": False,
        }
        if not path.exists():
            raise CheckpointError(f"{path}: missing")
        try:
            model = core.read_model(path)
            compiled = core.compile_model(model, "CPU", options)
        except RuntimeError as error:
            raise CheckpointError(f"{path}: can't be read: {last_line(error)}") from error
        self._request = compiled.create_infer_request()
        self._lock = threading.Lock()

    def __call__(self, *inputs: npt.NDArray[Any]) -> list[Any]:
        """The outputs, in the graph's order; each the caller's own.

        Raises:
            SynthesisFailed: The computation broke.
        """
        with self._lock:
            try:
                return list(self._request.infer(list(inputs)).values())
            except RuntimeError as error:
                raise SynthesisFailed(f"the codec broke: {last_line(error)}") from error


_Kept = tuple[list[int], list[int], Samples]
"""Speech tokens, global tokens and samples of an utterance."""


def _kept(path: Path) -> list[_Kept]:
    """What the graphs say in float32.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            found = range(len(kept) // len(KEPT_OF_EACH))
            of_each = [[kept[f"{name}{number}"] for name in KEPT_OF_EACH] for number in found]
            return [(speech.tolist(), who.tolist(), samples) for speech, who, samples in of_each]
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: missing") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise CheckpointError(f"{path}: can't be read: {error}") from error


def _path(directory: Path, name: str) -> Path:
    return directory / f"{name}.xml"


def _has_bf16(core: ov.Core) -> bool:
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _has_vnni() -> bool:
    """Whether the processor adds up products of 8-bit integers without overflow.

    Without, OpenVINO would still compute them, but in sums of 16 bits that are cut off. Where
    there is no telling, there is none.
    """
    return "VNNI" in processor_here().features


def last_line(error: Exception) -> str:
    """Find the reason in an error of OpenVINO: last, after each place that it went through."""
    return str(error).strip().splitlines()[-1]
