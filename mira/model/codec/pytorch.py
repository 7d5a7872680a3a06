"""The codec in PyTorch, on any device: what every other implementation is measured against.

On a card it computes in 16 bits, and in passes of few shapes that streams share; that runs on a CPU
as well, to be tested there. Knows nothing about files or streams.
"""

import logging
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mira.errors import InvalidSettings, SynthesisFailed
from mira.model.codec.base import GLOBAL_TOKENS, SAMPLES_PER_FRAME, SPEECH_CODES, Span, Speaker
from mira.model.codec.decoder import prenet, speaker_vector, wave_generator
from mira.model.codec.encoder import speaker_encoder
from mira.model.codec.layers import Tensors
from mira.model.codec.networks import Item, Network, NetworkCodec
from mira.model.codec.reference import MELS
from mira.model.codec.semantic import SpeechTokenizer
from mira.model.codec.torch_layers import TorchNetwork
from mira.model.codec.torch_padded import Padded, exactly
from mira.model.codec.upsampler import upsampler as upsampler_network
from mira.model.cuda import Passes, full_memory_as
from mira.model.snr import snr_db
from mira.types import Samples

log = logging.getLogger(__name__)

LEAST_SNR_DB = 30.0  # that numbers of 16 bits have to leave, or they are not used
VOICES_KEPT = 256  # where the prenet is; 20 kB each
RECORDING_S = 20.0  # about; what isn't recorded by then is slower

# Frames that items are filled up to, of the prenet, which gets 67 of context, and of the others.
# The first ones fit a first chunk, the last but one of the prenet's the largest of a stream.
PRENET_FRAMES = (24, 48, 96, 160, 224)
WAVE_FRAMES = (12, 24, 48, 96)
FRAMES_AT_ONCE = 768  # keep a large card busy, and are over in time for who waits in silence
_TRIED_FRAMES = 24  # to see what numbers of 16 bits leave
_ROUNDED: tuple[Network, ...] = ("prenet", "wave_generator", "upsampler")

_FULL = "the card has no room for the codec: set max_streams lower, or free some of its memory"


class TorchCodec(NetworkCodec):
    """A `Codec`.

    Args:
        tensors: BiCodec's, as `mira.model.checkpoint.codec_weights` returns them. Those that
            speaking doesn't need may be there or not.
        upsampler: FlashSR's, as `upsampler_weights` returns them: 48 kHz. None: 16 kHz.
        device: Where to compute, such as "cuda:0".
        speech_tokenizer: Finds the speech tokens of a recording. None: it has none.

    Raises:
        InvalidSettings: The card's memory is too small.
    """

    def __init__(
        self,
        tensors: Tensors,
        upsampler: Tensors | None = None,
        device: str | torch.device = "cpu",
        speech_tokenizer: SpeechTokenizer | None = None,
    ) -> None:
        super().__init__(upsampler is not None)
        self._device, self._dtype = torch.device(device), torch.float32
        with full_memory_as(InvalidSettings, _FULL):
            networks = load_networks(tensors, upsampler)
            self._networks = {name: network.to(self._device) for name, network in networks.items()}
        if self._device.type == "cuda":
            # A token of the speaker is one side of a threshold or the other: not for rounding.
            torch.backends.cudnn.allow_tf32 = False
        self._speech_tokenizer = speech_tokenizer
        self._passes = Passes(self._device, "codec")
        self._padded: dict[Network, Padded] = {}
        self._turn = threading.Lock()  # passes of one shape have one set of tensors
        self._kept_voice = lru_cache(VOICES_KEPT)(self._voice)

    def prepare(self, dtype: torch.dtype = torch.float16) -> None:
        """Get ready to serve many streams on a card; once.

        Args:
            dtype: Of the decoder from now on, if that is exact enough. float16 is safe here, unlike
                in the language model; recognising a speaker is float32 always.

        Raises:
            InvalidSettings: The card's memory is too small.
        """
        with full_memory_as(InvalidSettings, _FULL), self._passes.stream(), torch.inference_mode():
            self._narrow(dtype)
            self._padded = self._shared()
            shapes = [shape for part in self._padded.values() for shape in part.shapes()]
            # Those of one stream first, of all networks: they decide when it is heard.
            shapes.sort(key=lambda shape: shape[0].rows)
            self._passes.record(shapes, RECORDING_S)

    def speech_tokens(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        """Find the speech tokens of a reference recording: see `Codec`."""
        if self._speech_tokenizer is None:
            return ()
        return self._speech_tokenizer.encode(samples, sample_rate)

    def _compute(self, network: Network, *inputs: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        batch = (torch.from_numpy(part).to(self._device)[None] for part in inputs)
        outputs = self._networks[network](*batch)
        parts = outputs if isinstance(outputs, tuple) else (outputs,)
        return [part[0].cpu().numpy() for part in parts]

    @torch.inference_mode()
    def _render(self, spans: Sequence[Span]) -> list[Samples]:
        try:
            with self._turn, self._passes.stream(), full_memory_as(SynthesisFailed, _FULL):
                blocks = self._blocks(spans)
                joined = torch.cat(blocks).float().cpu().numpy()  # one copy, if it is off a card
        except RuntimeError as error:
            raise SynthesisFailed(f"the codec broke: {error}") from error
        return np.split(joined, np.cumsum([len(block) for block in blocks[:-1]]))

    def _run(self, network: Network, items: Sequence[Item], ending: Sequence[bool]) -> list[Tensor]:
        if network in self._padded:
            return self._padded[network](items, ending)
        return exactly(self._networks[network], items)

    def _prenet_item(self, span: Span) -> Item:
        tokens = torch.tensor(list(span.tokens), device=self._device)
        return (tokens, *self._kept_voice(span.speaker))

    def _voice(self, speaker: Speaker) -> tuple[Tensor, ...]:
        """Put what the prenet knows of a voice where the prenet is."""
        vectors = (speaker.d_vector, speaker.scale, speaker.shift)
        return tuple(torch.from_numpy(vector).to(self._device, self._dtype) for vector in vectors)

    def _narrow(self, dtype: torch.dtype) -> None:
        """Decode in `dtype` from now on, unless too much is lost."""
        tokens = np.random.default_rng(0).integers(0, SPEECH_CODES, _TRIED_FRAMES).tolist()
        span = Span(tokens, self.speaker(range(GLOBAL_TOKENS)), 0, _TRIED_FRAMES)
        (exact,) = self.decode([span])
        wide = self._networks
        rounded = {name: wide[name].to(self._device, dtype) for name in _ROUNDED if name in wide}
        self._compute_in(dtype, wide | rounded)
        (narrow,) = self.decode([span])
        found_db = snr_db(exact, narrow) if np.isfinite(narrow).all() else -np.inf
        if found_db >= LEAST_SNR_DB:
            log.info("codec: %s leaves the error %.0f dB below the signal", dtype, found_db)
            return
        log.warning("codec: it stays in float32: %s would leave %.0f dB", dtype, found_db)
        self._compute_in(torch.float32, wide)

    def _compute_in(self, dtype: torch.dtype, networks: dict[Network, TorchNetwork]) -> None:
        self._dtype, self._networks = dtype, networks
        self._kept_voice.cache_clear()

    def _shared(self) -> dict[Network, Padded]:
        """Make of the networks what runs them in passes that streams share."""
        item = self._prenet_item(Span([0], self.speaker([0] * GLOBAL_TOKENS), 0, 1))
        frames = item[1][:, None]  # the prenet's output has as many channels as a voice
        of_each: dict[Network, tuple[Item, Sequence[int], int]] = {
            "prenet": (item, PRENET_FRAMES, 1),
            "wave_generator": ((frames,), WAVE_FRAMES, 1),
            "upsampler": ((frames[0],), WAVE_FRAMES, SAMPLES_PER_FRAME),
        }
        return {
            name: Padded(
                self._networks[name],
                example,
                [count * hop for count in lengths],
                FRAMES_AT_ONCE * hop,
                self._passes,
                cut=name != "upsampler",
            )
            for name, (example, lengths, hop) in of_each.items()
            if name in self._networks
        }


def load_networks(
    tensors: Tensors, upsampler: Tensors | None = None
) -> dict[Network, TorchNetwork]:
    """Build the networks, in float32 on the CPU; see `TorchCodec`."""
    nobody = torch.zeros(1, GLOBAL_TOKENS, dtype=torch.int64)
    mel = torch.zeros(1, 1, MELS)
    speaker = TorchNetwork(speaker_vector, tensors, [nobody])
    item = (nobody[:, :1], *speaker(nobody))
    networks: dict[Network, TorchNetwork] = {
        "speaker_encoder": TorchNetwork(speaker_encoder, tensors, [mel]),
        "speaker": speaker,
        "prenet": TorchNetwork(prenet, tensors, item),
    }
    frames = networks["prenet"](*item)
    networks["wave_generator"] = TorchNetwork(wave_generator, tensors, [frames])
    if upsampler is not None:
        wave = networks["wave_generator"](frames)
        networks["upsampler"] = TorchNetwork(upsampler_network, upsampler, [wave])
    return networks
