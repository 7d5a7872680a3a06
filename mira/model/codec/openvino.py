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
from mira.model.codec.base import GLOBAL_TOKENS, Span
from mira.model.codec.networks import Item, Network, NetworkCodec
from mira.model.snr import snr_db
from mira.types import Samples

log = logging.getLogger(__name__)

LEAST_SNR_DB = 30.0  # that bf16 has to leave on this processor, or it is not used
KEPT = "float32.npz"
"""In a codec's directory: utterances, and what the graphs make of them in float32."""
KEPT_OF_EACH = ("speech", "speaker", "samples")

WAVE, INT8 = "wave_generator", "wave_generator_int8"


class OpenVINOCodec(NetworkCodec):
    """A `Codec`. It finds no speech tokens in a recording: that takes PyTorch.

    The decoder computes in bf16 where the processor has it, if that leaves the error LEAST_SNR_DB
    below what the same graphs said in float32 when they were made. Where it doesn't, and on
    processors without, integers are next, which were measured when they were made.

    Args:
        directory: Holds the graphs.
        threads: For one pass; 0: one for each core.
        upsample: To 48 kHz, if there is a graph that does; otherwise 16 kHz.
        exact: Compute in float32, whatever else the processor has.

    Raises:
        CheckpointError: A file is missing or can't be read.
    """

    def __init__(
        self, directory: Path, threads: int = 0, upsample: bool = True, *, exact: bool = False
    ) -> None:
        super().__init__(upsample and (directory / "upsampler.xml").exists())
        core = ov.Core()

        def load(name: str, precision: str = "f32") -> _Graph:
            return _Graph(core, directory / f"{name}.xml", precision, threads)

        # A token of the speaker is one side of a threshold or the other: not for rounding.
        self._graphs: dict[Network, _Graph] = {
            "speaker_encoder": load("speaker_encoder"),
            "speaker": load("speaker"),
        }
        if self._upsamples:
            self._graphs["upsampler"] = load("upsampler")  # in bf16: one and a half times as long
        self.precision: Literal["bf16", "integers", "float32"] = "float32"
        """What most of the decoder is computed in."""
        if _has_bf16(core) and not exact:
            kept = _kept(directory / KEPT)
            self._graphs |= {
                "prenet": load("prenet", "bf16"),
                "wave_generator": load(WAVE, "bf16"),
            }
            if self._is_exact_enough(kept):
                self.precision = "bf16"
        if self.precision == "float32":
            if not exact and _has_vnni() and (directory / f"{INT8}.xml").exists():
                self.precision = "integers"
            wave = load(INT8 if self.precision == "integers" else WAVE)
            self._graphs |= {"prenet": load("prenet"), "wave_generator": wave}
        log.info("the codec computes in %s", self.precision)
        # The first pass also prepares what later ones of any length reuse.
        self._waves([Span([0], self.speaker([0] * GLOBAL_TOKENS), 0, 1)])

    def _compute(self, network: Network, *inputs: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        return [part[0] for part in self._graphs[network](*(part[None] for part in inputs))]

    def _render(self, spans: Sequence[Span]) -> list[Samples]:
        # One after another: a single one keeps all threads busy, so sharing a pass would gain
        # nothing, and would take the memory of all at once.
        return [self._blocks([span])[0] for span in spans]

    def _run(
        self, network: Network, items: Sequence[Item], ending: Sequence[bool]
    ) -> list[npt.NDArray[np.float32]]:
        return [self._compute(network, *item)[0] for item in items]

    def _prenet_item(self, span: Span) -> Item:
        speaker = span.speaker
        return (np.array(span.tokens), speaker.d_vector, speaker.scale, speaker.shift)

    def _is_exact_enough(self, kept: "Sequence[_Kept]") -> bool:
        """Tell whether the decoder, as it is loaded, says what it said in float32."""
        spans = [Span(speech, self.speaker(speaker), 0, len(speech)) for speech, speaker, _ in kept]
        waves, _ = self._waves(spans)
        found_db = min(snr_db(samples, wave) for (_, _, samples), wave in zip(kept, waves))
        log.info("bf16 leaves the codec's error %.1f dB below the signal here", found_db)
        return found_db >= LEAST_SNR_DB


class _Graph:
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
        """Compute the outputs, in the graph's order; each is the caller's own.

        Raises:
            SynthesisFailed: The computation broke.
        """
        with self._lock:
            try:
                contiguous = [np.ascontiguousarray(part) for part in inputs]
                return list(self._request.infer(contiguous).values())
            except RuntimeError as error:
                raise SynthesisFailed(f"the codec broke: {last_line(error)}") from error


_Kept = tuple[list[int], list[int], Samples]
"""Speech tokens, global tokens and samples of an utterance."""


def _kept(path: Path) -> list[_Kept]:
    """Read what the graphs say in float32.

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


def _has_bf16(core: ov.Core) -> bool:
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _has_vnni() -> bool:
    """Tell whether the processor adds up products of 8-bit integers without overflow.

    Without, OpenVINO would still compute them, but in sums of 16 bits that are cut off. Where
    there is no telling, there is none.
    """
    return "VNNI" in processor_here().features


def last_line(error: Exception) -> str:
    """Find the reason in an error of OpenVINO: last, after each place that it went through."""
    return str(error).strip().splitlines()[-1]
