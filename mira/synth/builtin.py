"""The built-in English voice: one sentence in, 24 kHz blocks out, no download, any CPU.

Uses hibari's text-to-phoneme front end and network, which predicts a spectrum for the whole
sentence at once, and renders that spectrum here in windows, so that the first quarter second leaves
before the rest is rendered. Knows nothing about streams, formats or sockets.

Source: hibari-tts 0.2.1 (Apache-2.0), pinned exactly because its spectrum is rendered here.
"""

import json
import threading
import unicodedata
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from hibari import dsp
from hibari.g2p import G2P
from hibari.voices import DEFAULT, voice_path

from mira.errors import SynthesisFailed
from mira.types import Samples, Voice

Floats = npt.NDArray[np.float32]

HOP = dsp.HOP  # samples per frame: 12.5 ms at 24 kHz
CONTEXT_FRAMES = dsp.N_FFT // HOP  # an inverse STFT frame reaches this far to either side
FIRST_WINDOW_FRAMES = 20  # 0.25 s: it decides time-to-first-audio
WINDOW_FRAMES = 160  # 2 s: one cancelled stream holds a core no longer than this takes
MAX_PHONEMES = 400  # the network's own limit on what it was trained to speak at once

GAIN = 1.8  # the network speaks about 5 dB below the level that telephony expects
SILENCE = 0.004  # -48 dB of full scale, after GAIN: below this nothing is heard
LEAD_MS = 2  # kept of the silence before: every one of them delays the first audible sample
TAIL_MS = 30  # kept of the silence after, so that no soft consonant is clipped
PAUSES_MS = {".": 380, "!": 380, "?": 400, "…": 450, ":": 300, ";": 260, ",": 170, "-": 170}
"""After a sentence that ends so, in place of the silence that the network leaves there (about
0.3 s before and 0.5 s after, whatever the punctuation)."""
DEFAULT_PAUSE_MS = 200


class BuiltinSynthesizer:
    """Speaks as `heart`, the voice inside hibari's wheel. Safe on several threads at once."""

    sample_rate: int = dsp.SR
    voices: tuple[Voice, ...] = (Voice(DEFAULT),)

    def __init__(self, threads: int = 2) -> None:
        """Load the network and the front end; takes about a second.

        Args:
            threads: For one sentence's network pass.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning threads would take the cores from other streams; the arena would keep the
        # longest sentence's memory for ever.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        model = voice_path(DEFAULT, download_missing=False)
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        vocabulary = Path(model).with_name("vocab.json").read_text("utf-8")
        self._vocabulary: dict[str, int] = json.loads(vocabulary)
        self._front_end = G2P()
        self._front_end_lock = threading.Lock()  # it loads its unknown-word network lazily

    def synthesize(self, sentence: str, voice: Voice) -> Generator[Samples, None, None]:
        """Yield 24 kHz blocks; see `Synthesizer`."""
        phonemes = self._phonemize(sentence)
        parts = [ids for part in _at_most(phonemes, MAX_PHONEMES) if (ids := self._ids(part))]
        for ids in parts:
            pause_ms = _pause_ms(sentence) if ids is parts[-1] else DEFAULT_PAUSE_MS
            yield from _shorten_edges(self._render(ids), pause_ms)

    def _phonemize(self, sentence: str) -> str:
        try:
            with self._front_end_lock:
                phonemes: str = self._front_end(_readable(sentence))
        except Exception as error:  # a front end of many rules, each with errors of its own
            raise SynthesisFailed(f"The built-in voice can't read this: {error}") from error
        return phonemes

    def _ids(self, phonemes: str) -> list[int]:
        ids = [self._vocabulary[symbol] for symbol in phonemes if symbol in self._vocabulary]
        return [0, *ids, 0] if ids else []

    def _render(self, ids: list[int]) -> Iterator[Samples]:
        try:
            inputs = {"ids": np.asarray([ids], np.int64), "speed": np.ones(1, np.float32)}
            outputs = self._session.run(None, inputs)
        except Exception as error:  # onnxruntime's errors share no narrower base
            raise SynthesisFailed(f"The built-in voice failed: {error}") from error
        yield from _render_spectrum([np.asarray(output)[0] for output in outputs])


def _render_spectrum(
    outputs: list[Floats], first: int = FIRST_WINDOW_FRAMES, steady: int = WINDOW_FRAMES
) -> Iterator[Samples]:
    """Render the network's five spectra and its pitch curve, a window of frames at a time.

    Each window is rendered with the neighbours that its frames overlap with, so windows join
    exactly as if the whole had been rendered at once.
    """
    *spectra, f0 = outputs
    frames = len(f0)
    half = dsp.N_FFT // 2
    # The pulse train carries its phase from frame to frame, so it is made whole; it is the
    # cheap half of the work.
    pulses = np.pad(dsp.pulses(f0), half, mode="reflect")
    noise = np.random.default_rng(0)  # the same sentence always sounds the same
    noises = np.empty((0, spectra[0].shape[0]), np.complex64)
    start, width = 0, first
    while start < frames:
        stop = min(start + width, frames)
        left, right = max(start - CONTEXT_FRAMES, 0), min(stop + CONTEXT_FRAMES, frames)
        noises = np.concatenate(
            [noises, _noise(noise, right - left - len(noises), noises.shape[1])]
        )
        window = [spectrum[:, left:right] for spectrum in spectra]
        source = pulses[left * HOP : (right - 1) * HOP + dsp.N_FFT]
        samples = dsp.ola(_spectrum(window, source, noises.T))
        yield samples[(start - left) * HOP : (stop - left) * HOP] * np.float32(GAIN)
        next_left = max(stop - CONTEXT_FRAMES, 0)
        noises = noises[next_left - left :]
        # The network begins with a quarter second of silence: growing at once to two seconds would
        # make the first sound wait for all of them.
        start, width = stop, min(2 * width, steady)


def _noise(source: np.random.Generator, frames: int, bins: int) -> npt.NDArray[np.complex64]:
    """[frames, bins]: drawn frame by frame, so that it does not depend on the windows."""
    return source.standard_normal((frames, 2 * bins), dtype=np.float32).view(np.complex64)


def _spectrum(
    window: list[Floats], source: Floats, noise: npt.NDArray[np.complex64]
) -> npt.NDArray[np.complex64]:
    """S = exp(lh) e^{i pi tanh(theta)} STFT(pulses) + exp(ln) noise + exp(lr) e^{i phi}.

    Source: hibari's dsp module, whose networks are trained for this formula.
    """
    harmonic, theta, noise_level, free_level, phi = window
    frames = np.lib.stride_tricks.sliding_window_view(source, dsp.N_FFT)[::HOP] * dsp.WIN_SRC
    spectrum: npt.NDArray[np.complex64] = dsp.rfft(frames, 1).T
    spectrum = spectrum * _polar(dsp.ex(harmonic), np.float32(np.pi) * np.tanh(theta))
    spectrum += noise * dsp.ex(noise_level)
    spectrum += _polar(dsp.ex(free_level), phi)
    return spectrum


def _polar(magnitude: Floats, angle: Floats) -> npt.NDArray[np.complex64]:
    values = np.empty(angle.shape, np.complex64)
    np.cos(angle, out=values.real)
    np.sin(angle, out=values.imag)
    values *= magnitude
    return values


def _readable(text: str) -> str:
    """Replace what the front end stumbles over: it takes ¹ and ① for numbers that it then can't
    read, and expects each letter to be one letter in lower case, which İ is not."""
    strange = {char for char in text if char.isdigit() and not char.isdecimal()}
    plain = {ord(char): str(unicodedata.digit(char)) for char in strange}
    return text.translate({**plain, ord("İ"): "I"})


def _at_most(phonemes: str, limit: int) -> Iterator[str]:
    """Cut a phoneme string at spaces into parts the network can speak."""
    while len(phonemes) > limit:
        cut = phonemes.rfind(" ", 1, limit)
        cut = cut if cut > 0 else limit
        yield phonemes[:cut]
        phonemes = phonemes[cut:].lstrip()
    yield phonemes


def _pause_ms(sentence: str) -> int:
    return PAUSES_MS.get(sentence.rstrip("\"')]” ")[-1:], DEFAULT_PAUSE_MS)


def _shorten_edges(blocks: Iterator[Samples], pause_ms: int) -> Iterator[Samples]:
    """Cut the silence at both edges and end with the pause that the punctuation asks for."""
    lead, tail = LEAD_MS * dsp.SR // 1000, TAIL_MS * dsp.SR // 1000
    held = np.zeros(0, np.float32)  # silence that may turn out to be the end
    spoken = False
    for block in blocks:
        held = np.concatenate([held, block])
        loud = np.flatnonzero(np.abs(held) > SILENCE)
        if not len(loud):
            if not spoken:
                held = held[-lead:]
            continue
        start = 0 if spoken else max(int(loud[0]) - lead, 0)
        stop = min(int(loud[-1]) + tail, len(held))
        spoken = True
        yield held[start:stop]
        held = held[stop:]
    if spoken:
        pause = np.zeros(pause_ms * dsp.SR // 1000, np.float32)
        ringing = held[: len(pause)]  # softer than SILENCE
        pause[: len(ringing)] = ringing * np.linspace(1, 0, len(ringing), dtype=np.float32)
        yield pause
