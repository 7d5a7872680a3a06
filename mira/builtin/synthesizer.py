"""The built-in English voice: one sentence in, 24 kHz blocks out, no download, any CPU.

Uses hibari's text-to-phoneme front end and its network, which is cut in two: the half that needs
the whole sentence (phonemes to pitch and features) runs once, the half that hears 27 frames to
either side (features to spectrum) runs in windows, and so does the rendering of the spectrum. The
first quarter second leaves before the rest exists, however long the sentence. Knows nothing about
streams, formats or sockets.

Source: hibari-tts 0.2.1 (Apache-2.0), pinned exactly because its network is taken apart here.
"""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
from hibari import dsp
from hibari.voices import DEFAULT, voice_path
from onnx.utils import Extractor

from mira.builtin.phonemes import Part, Phonemizer
from mira.builtin.times import Times
from mira.errors import InvalidRequest, SynthesisFailed, VoiceNotFound
from mira.machine import cores
from mira.stream.cancel import Cancel
from mira.stream.joining import SILENCE, Joiner
from mira.stream.playback import Playback
from mira.stream.turns import Turns
from mira.types import Block, Samples, Sampling, Sentence, TimedWord, Voice, Word

Floats = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]
Turn = Callable[[], AbstractContextManager[None]]

HOP = dsp.HOP  # samples per frame: 12.5 ms at 24 kHz
DURATIONS = "/Clip_output_0"  # the network's node with the duration of each id
DURATION_FRAMES = 2  # which it counts in pairs of frames
OVERLAP_FRAMES = dsp.N_FFT // HOP  # an inverse STFT frame reaches this far to either side
DECODER_FRAMES = 12
"""Context of a window on each side. The network's nine convolutions reach 27 frames, but from 12 on
windows differ from the whole by no more than the 8-bit network's own rounding: 29 dB below the
signal with 12, 20 or 27 alike."""
WINDOW_FRAMES = (36, 72, 240)
"""The first holds the 0.3 s of silence that a sentence begins with, and a little of its speech: it
decides time-to-first-audio. While its 0.12 s are heard, the second may have to wait for a long one
of another stream, and so is short itself. The others are 3 s long."""
NOISE_FRAMES = 1024  # 12.8 s, then it comes again: too long to be noticed

GAIN = 1.8  # the network speaks about 5 dB below the level that telephony expects
LEAD_MS = 2  # kept of the silence before: every one of them delays the first audible sample
PAUSE_S = 0.23  # within a piece that the network can't speak at once
NOTHING: Samples = np.zeros(0, np.float32)


class BuiltinSynthesizer:
    """Speaks as `heart`, the voice inside hibari's wheel. Safe on several threads at once."""

    sample_rate: int = dsp.SR
    ready = True
    failure = ""
    fingerprint = ""
    reads_phonemes = True
    max_streams = 4096
    max_chars = 220  # about 15 s; more at once would only cost memory

    def __init__(self, threads: int = 1) -> None:
        """Load the network and the front end; takes about a second.

        Args:
            threads: For one sentence's network pass.
        """
        self.voices = (Voice(DEFAULT),)
        self.at_once = cores()  # more would only slow each other
        self._turns = Turns(self.at_once)
        self.incidents: Counter[str] = Counter()
        model = Path(voice_path(DEFAULT, download_missing=False))
        self._network = _Network(model, threads)
        vocabulary = json.loads(model.with_name("vocab.json").read_text("utf-8"))
        self._phonemize = Phonemizer(vocabulary)

    def measure(self, most: int) -> int:
        """Return `most`: streams take turns, so that too many only begin late."""
        return most

    def clone(self, name: str, samples: Samples, sample_rate: int, transcript: str = "") -> Voice:
        """Raise InvalidRequest: it can't."""
        raise InvalidRequest("Cloning a voice needs a Mira model: set `model`.", "voice")

    def synthesize(
        self,
        sentence: Sentence,
        voice: Voice,
        sampling: Sampling = Sampling(),
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[Block, None, None]:
        """Yield 24 kHz blocks; see `Synthesizer`. There is nothing to sample."""
        if voice not in self.voices:
            raise VoiceNotFound(
                f"The built-in engine speaks as {DEFAULT!r} only; {voice.name!r} needs a Mira "
                "model: set `model`."
            )
        playback = playback or Playback()
        turn = partial(self._turns.turn, playback, cancel or Cancel())
        with turn():
            *parts, last = self._phonemize(sentence)
            if not playback.words:
                *parts, last = (Part(part.ids, ()) for part in (*parts, last))
        yield Block(NOTHING)
        joiner = Joiner(self.sample_rate)
        for part in parts:
            for block in self._speak(part, sentence.words, joiner.joined_s, turn):
                yield Block(joiner.push(block.samples), block.words)
            yield Block(joiner.pause(PAUSE_S))
        yield from self._speak(last, sentence.words, joiner.joined_s, turn)

    def close(self) -> None:
        """Do nothing: nothing runs for it."""

    def _speak(
        self, part: Part, words: Sequence[Word], begins_s: float, turn: Turn
    ) -> Iterator[Block]:
        """Speak a part of a sentence that begins after so much of it, without silence before it."""
        return _without_lead(self._render(part, words, turn), begins_s)

    def _render(self, part: Part, words: Sequence[Word], turn: Turn) -> Iterator[Block]:
        """Yield the part window by window, each computed in a turn of its own."""
        windows = _render(self._network, part, words)
        while True:
            with turn():
                try:
                    block = next(windows, None)
                except Exception as error:  # onnxruntime's errors share no narrower base
                    raise SynthesisFailed(f"The built-in voice failed: {error}") from error
            if block is None:
                return
            yield block


class _Network:
    """hibari's network in two halves: phonemes to features, features to spectra."""

    def __init__(self, path: Path, threads: int) -> None:
        model = onnx.load(path)
        entry = next(node for node in model.graph.node if "m.dec_in.weight" in node.input)
        cut = entry.input[0]
        channels = next(
            weight.dims[1] for weight in model.graph.initializer if weight.name == entry.input[1]
        )
        shape = [1, channels, "frames"]
        model.graph.value_info.append(
            onnx.helper.make_tensor_value_info(cut, onnx.TensorProto.FLOAT, shape)
        )
        parts = Extractor(model)
        outputs = [output.name for output in model.graph.output]
        self._cut = cut
        self._front = _session(
            parts.extract_model(["ids", "speed"], [cut, "f0", DURATIONS]), threads
        )
        self._back = _session(
            parts.extract_model([cut], [name for name in outputs if name != "f0"]), threads
        )

    def features(self, ids: list[int]) -> tuple[Floats, Floats, Floats]:
        """Return what is spoken, and when.

        Returns:
            [1, channels, frames] for `spectra`; the pitch in Hz at each frame; and when
            each id ends, in seconds.
        """
        inputs = {"ids": np.asarray([ids], np.int64), "speed": np.ones(1, np.float32)}
        features, f0, durations = self._front.run(None, inputs)
        return features, f0[0], np.cumsum(durations) * (DURATION_FRAMES * HOP / dsp.SR)

    def spectra(self, features: Floats) -> list[Floats]:
        """Return the five spectra that `_spectrum` joins, each [bins, frames]."""
        return [output[0] for output in self._back.run(None, {self._cut: features})]


def _session(model: onnx.ModelProto, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads would take the cores from other streams; the arena would keep the longest
    # sentence's memory for ever.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _render(
    network: _Network,
    part: Part,
    words: Sequence[Word] = (),
    widths: Sequence[int] = WINDOW_FRAMES,
) -> Iterator[Block]:
    """Yield a part of a sentence window by window, its words with the first.

    Each window is computed with the neighbours that its frames depend on, so windows join as if
    the whole had been computed at once, but for the rounding of a network whose 8-bit scale is
    found anew in each pass. What a window takes is let go before it is yielded: a slow listener
    keeps this waiting there.
    """
    features, f0, ends_s = network.features(part.ids)
    times = Times(part, words, ends_s)
    frames = len(f0)
    # The pulse train carries its phase from frame to frame, so it can't be made in windows; but
    # the first need not wait for the end of it.
    soon = widths[0] + 2 * OVERLAP_FRAMES
    pulses = _padded_pulses(f0[:soon])
    start = 0
    for width in itertools.chain(widths, itertools.repeat(widths[-1])):
        stop = min(start + width, frames)
        samples = _window(network, features, pulses, range(start, stop))
        yield Block(samples, times.push(samples, last=stop == frames))
        if stop == frames:
            return
        if start == 0:
            pulses = _padded_pulses(f0)
        start = stop


def _window(network: _Network, features: Floats, pulses: Floats, span: range) -> Samples:
    """Render these frames, with the neighbours that they depend on."""
    frames = features.shape[2]
    left, right = max(span.start - OVERLAP_FRAMES, 0), min(span.stop + OVERLAP_FRAMES, frames)
    first, last = max(left - DECODER_FRAMES, 0), min(right + DECODER_FRAMES, frames)
    spectra = network.spectra(np.ascontiguousarray(features[:, :, first:last]))
    window = [spectrum[:, left - first : right - first] for spectrum in spectra]
    source = pulses[left * HOP : (right - 1) * HOP + dsp.N_FFT]
    noise = _noise()[:, np.arange(left, right) % NOISE_FRAMES]
    samples: Samples = dsp.ola(_spectrum(window, source, noise))
    return samples[(span.start - left) * HOP : (span.stop - left) * HOP] * np.float32(GAIN)


def _padded_pulses(f0: Floats) -> Floats:
    """Make the pulses of a pitch curve [frames] in Hz, and half a transform on either side."""
    return np.pad(dsp.pulses(f0), dsp.N_FFT // 2, mode="reflect")


@cache
def _noise() -> Spectrum:
    """Draw the breath in every voice: [bins, NOISE_FRAMES] complex, normally distributed.

    Drawn once, since drawing it takes a tenth of all work; so a sentence always sounds the same.
    """
    bins = dsp.N_FFT // 2 + 1
    drawn = np.random.default_rng(0).standard_normal((bins, 2 * NOISE_FRAMES), dtype=np.float32)
    return drawn.view(np.complex64)


def _spectrum(window: list[Floats], source: Floats, noise: Spectrum) -> Spectrum:
    """Compute exp(lh) e^{i pi tanh(theta)} STFT(pulses) + exp(ln) noise + exp(lr) e^{i phi}.

    Source: hibari's dsp module, whose networks are trained for this formula.
    """
    harmonic, theta, noise_level, free_level, phi = window
    frames = np.lib.stride_tricks.sliding_window_view(source, dsp.N_FFT)[::HOP] * dsp.WIN_SRC
    spectrum: Spectrum = dsp.rfft(frames, 1).T
    spectrum = spectrum * _polar(dsp.ex(harmonic), np.float32(np.pi) * np.tanh(theta))
    spectrum += noise * dsp.ex(noise_level)
    spectrum += _polar(dsp.ex(free_level), phi)
    return spectrum


def _polar(magnitude: Floats, angle: Floats) -> Spectrum:
    values = np.empty(angle.shape, np.complex64)
    np.cos(angle, out=values.real)
    np.sin(angle, out=values.imag)
    values *= magnitude
    return values


def _without_lead(blocks: Iterator[Block], begins_s: float) -> Iterator[Block]:
    """Cut the silence before the first sound; all words come with that, in the sentence's time."""
    lead = LEAD_MS * dsp.SR // 1000
    held, cut = NOTHING, 0
    words: dict[int, TimedWord] = {}
    for block in blocks:
        held = np.concatenate([held, block.samples])
        words.update((word.index, word) for word in block.words)
        loud = np.flatnonzero(np.abs(held) > SILENCE)
        start = max((int(loud[0]) if len(loud) else len(held)) - lead, 0)
        held, cut = held[start:].copy(), cut + start  # a view would keep all of the block
        if len(loud):
            by_s = begins_s - cut / dsp.SR
            yield _later(Block(held, tuple(words.values())), by_s)
            yield from (_later(block, by_s) for block in blocks)
            return


def _later(block: Block, by_s: float) -> Block:
    return Block(block.samples, tuple(word.later(by_s) for word in block.words))
