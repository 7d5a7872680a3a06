"""The codec for a CUDA card: in 16 bits, and in passes of few shapes that streams share.

It runs on a CPU as well, to be tested there. Knows nothing about files or streams.
"""

import copy
import logging
import threading
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn

from mira.errors import InvalidSettings, SynthesisFailed
from mira.model.codec.base import GLOBAL_TOKENS, SPEECH_CODES, Span, Speaker
from mira.model.codec.look_ahead import snr_db
from mira.model.codec.pytorch import TorchCodec
from mira.model.codec.semantic import SpeechTokenizer
from mira.model.codec.torch_padded import Item, Padded
from mira.model.codec.weights import Tensors
from mira.model.cuda import Passes, full_memory_as
from mira.types import Samples

log = logging.getLogger(__name__)

LEAST_SNR_DB = 30.0  # that numbers of 16 bits have to leave, or they are not used
VOICES_KEPT = 256  # on the card; 20 kB each
RECORDING_S = 20.0

# Frames that items are filled up to, of the prenet, which gets 67 of context, and of the others.
# The first ones fit a first chunk, the last but one of the prenet's the largest of a stream.
PRENET_FRAMES = (24, 48, 96, 160, 224)
WAVE_FRAMES = (12, 24, 48, 96)
_TRIED_FRAMES = 24  # to see what numbers of 16 bits leave
FRAMES_AT_ONCE = 768  # keep a large card busy, and are over in time for who waits in silence

_FULL = "the card has no room for the codec: set max_streams lower, or free some of its memory"


class CardCodec(TorchCodec):
    """A `Codec`; until `prepare` it computes what `TorchCodec` does, as it does.

    Args:
        tensors: As for `TorchCodec`.
        upsampler: As for `TorchCodec`.
        device: Such as "cuda:0".
        speech_tokenizer: Finds the speech tokens of a recording. None: it has none.

    Raises:
        CheckpointError: A tensor is missing, left over or of another shape.
        InvalidSettings: The card's memory is too small.
    """

    def __init__(
        self,
        tensors: Tensors,
        upsampler: Tensors | None = None,
        device: str | torch.device = "cuda",
        speech_tokenizer: SpeechTokenizer | None = None,
    ) -> None:
        with full_memory_as(InvalidSettings, _FULL):
            super().__init__(tensors, upsampler, device, torch.float32, speech_tokenizer)
        self._passes = Passes(self._device, "codec")
        self._padded: dict[nn.Module, Padded] = {}
        self._turn = threading.Lock()  # its passes have one set of tensors
        self._kept_voice = lru_cache(VOICES_KEPT)(super()._voice)

    def prepare(
        self,
        dtype: torch.dtype = torch.float16,
        limit_s: float = RECORDING_S,
        prenet_frames: Sequence[int] = PRENET_FRAMES,
        wave_frames: Sequence[int] = WAVE_FRAMES,
    ) -> None:
        """Get ready to serve many streams; once.

        Args:
            dtype: Of the decoder from now on, if that is exact enough.
            limit_s: About how long recording passes may take. What isn't recorded by then is
                slower.
            prenet_frames: Lengths of its passes.
            wave_frames: Lengths of those of the wave generator and of the upsampler.

        Raises:
            InvalidSettings: The card's memory is too small.
        """
        with full_memory_as(InvalidSettings, _FULL), self._passes.stream():
            self._narrow(dtype)
            with torch.inference_mode():
                self._padded = self._shared(prenet_frames, wave_frames)
                shapes = chain.from_iterable(part.shapes() for part in self._padded.values())
                # Those of one stream first, of all networks: they decide when it is heard.
                few_first = sorted(shapes, key=lambda shape: shape[0].rows)
                self._passes.record(few_first, limit_s)

    def _render(self, spans: Sequence[Span]) -> list[Samples]:
        with self._turn, self._passes.stream(), full_memory_as(SynthesisFailed, _FULL):
            return super()._render(spans)

    def _run(
        self, network: nn.Module, items: Sequence[Item], ending: Sequence[bool] = ()
    ) -> list[Tensor]:
        padded = self._padded.get(network)
        if padded is None:
            return super()._run(network, items)
        # The upsampler takes the last sample to go on where an utterance ends, and what fills up
        # its items is none. Those are few: the last chunk of a sentence.
        alone = [number for number, ends in enumerate(ending) if ends]
        shared = [number for number in range(len(items)) if number not in alone]
        outputs = dict(zip(shared, padded([items[number] for number in shared])))
        outputs |= zip(alone, super()._run(network, [items[number] for number in alone]))
        return [outputs[number] for number in range(len(items))]

    def _voice(self, speaker: Speaker) -> tuple[Tensor, ...]:
        return self._kept_voice(speaker)

    def _narrow(self, dtype: torch.dtype) -> None:
        """Decode in `dtype` from now on, unless too much is lost."""
        tokens = np.random.default_rng(0).integers(0, SPEECH_CODES, _TRIED_FRAMES).tolist()
        span = Span(tokens, self.speaker(range(GLOBAL_TOKENS)), 0, _TRIED_FRAMES)
        (exact,) = self.decode([span])
        networks = [self._prenet, self._wave_generator, *filter(None, [self._upsampler])]
        wide = [copy.deepcopy(network.state_dict()) for network in networks]
        self._compute_in(dtype, networks)
        (narrow,) = self.decode([span])
        found_db = snr_db(exact, narrow) if np.isfinite(narrow).all() else -np.inf
        if found_db >= LEAST_SNR_DB:
            log.info("codec: %s leaves the error %.0f dB below the signal", dtype, found_db)
            return
        log.warning("codec: it stays in float32: %s would leave %.0f dB", dtype, found_db)
        self._compute_in(torch.float32, networks)
        for network, state in zip(networks, wide, strict=True):
            network.load_state_dict(state)

    def _compute_in(self, dtype: torch.dtype, networks: Sequence[nn.Module]) -> None:
        for network in networks:
            network.to(dtype)
        self._dtype = dtype
        self._kept_voice.cache_clear()

    def _shared(
        self, prenet_frames: Sequence[int], wave_frames: Sequence[int]
    ) -> dict[nn.Module, Padded]:
        """The networks, run in passes that streams share."""
        span = Span([0], self.speaker([0] * GLOBAL_TOKENS), 0, 1)
        tokens = self._prenet_inputs(span)
        frames = tokens[1][:, None]  # the prenet's output has as many channels as a voice
        wave = self._wave_generator
        shared: dict[nn.Module, Padded] = {
            self._prenet: Padded(self._prenet, tokens, prenet_frames, FRAMES_AT_ONCE, self._passes),
            wave: Padded(wave, (frames,), wave_frames, FRAMES_AT_ONCE, self._passes),
        }
        if self._upsampler is not None:
            hop = wave.samples_per_frame
            shared[self._upsampler] = Padded(
                self._upsampler,
                (frames[0],),
                [count * hop for count in wave_frames],
                FRAMES_AT_ONCE * hop,
                self._passes,
                cut=False,
            )
        return shared
