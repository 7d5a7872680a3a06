"""The real voice: rendered in windows as in one piece, without silence that delays it."""

import contextlib
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from contextlib import closing, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hibari import dsp
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.builtin import synthesizer as module
from mira.builtin.phonemes import Part
from mira.builtin.synthesizer import BuiltinSynthesizer, Floats
from mira.errors import NothingToSay, SynthesisFailed
from mira.stream.cancel import Cancel, Cancelled
from mira.stream.playback import Playback
from mira.stream.turns import Turns
from mira.types import Samples, Sentence

SILENT = 10 ** (-48 / 20)

LONG = (
    "When the sunlight strikes raindrops in the air they act as a prism and form a rainbow and "
    "the rainbow is a division of white light into many beautiful colors and these take the shape "
    "of a long round arch with its path high above and its two ends apparently beyond the horizon "
    "and there is according to legend a boiling pot of gold at one end and people look but no one "
    "ever finds it and when a man looks for something beyond his reach his friends say he is "
    "looking for the pot of gold at the end of the rainbow and throughout the centuries people "
    "have explained the rainbow in various ways."
)


def speak(synthesizer: BuiltinSynthesizer, text: str) -> Samples:
    blocks = synthesizer.synthesize(Sentence.of(text), synthesizer.voices[0])
    return np.concatenate([block.samples for block in blocks])


def edges_ms(samples: Samples) -> tuple[float, float]:
    """The silence before and after."""
    loud = np.flatnonzero(np.abs(samples) > SILENT)
    return 1000 * loud[0] / dsp.SR, 1000 * (len(samples) - 1 - loud[-1]) / dsp.SR


def sound_s(samples: Samples) -> float:
    """How long it is, without the silence at its edges."""
    return len(samples) / dsp.SR - sum(edges_ms(samples)) / 1000


class FrameNoise:
    """Our noise for hibari's own renderer."""

    def standard_normal(self, shape: tuple[int, int], dtype: Any) -> npt.NDArray[np.float32]:
        return np.ascontiguousarray(module._noise()[:, : shape[1] // 2]).view(np.float32)


class Whole:
    """A network that has computed the whole sentence, and is asked for parts of it."""

    def __init__(self, network: module._Network, ids: list[int]) -> None:
        features, self.f0, self.stops = network.features(ids)
        self.whole = network.spectra(features)

    def features(self, ids: list[int]) -> tuple[Floats, Floats, Floats]:
        """Which frame is which, the pitch, and the end of each id."""
        return np.arange(len(self.f0), dtype=np.float32)[None, None], self.f0, self.stops

    def spectra(self, features: Floats) -> list[Floats]:
        """Those of these frames."""
        frames = features[0, 0].astype(int)
        return [spectrum[:, frames] for spectrum in self.whole]

    def rendered(self) -> Samples:
        """By hibari's own renderer, in one piece."""
        samples = dsp.synth(*self.whole, self.f0, FrameNoise()) * np.float32(module.GAIN)
        return np.asarray(samples, np.float32)


@pytest.fixture(scope="session")
def part(builtin: BuiltinSynthesizer) -> Part:
    return builtin._phonemize(Sentence.of("Hello there, how are you today?"))[0]


@pytest.fixture(scope="session")
def whole(builtin: BuiltinSynthesizer, part: Part) -> Whole:
    return Whole(builtin._network, part.ids)


def rendered(network: Any, ids: list[int], widths: Sequence[int]) -> list[Samples]:
    return [block.samples for block in module._render(network, Part(ids, ()), (), widths)]


@settings(deadline=None, max_examples=60)
@given(widths=st.lists(st.integers(1, 300), min_size=1, max_size=4), last=st.integers(6, 300))
def test_rendering_in_windows_is_rendering_whole(
    whole: Whole, widths: list[int], last: int
) -> None:
    assert len(whole.f0) > 100
    expected = whole.rendered()
    windows = rendered(whole, [], [*widths, last])
    assert len(windows[0]) == min(widths[0], len(whole.f0)) * module.HOP
    joined = np.concatenate(windows)
    assert joined.shape == expected.shape
    assert np.abs(joined - expected).max() < 2e-5


@pytest.mark.parametrize("widths", [module.WINDOW_FRAMES, (36, 240), (7, 100)])
def test_the_network_needs_no_wider_windows(
    builtin: BuiltinSynthesizer, whole: Whole, part: Part, widths: tuple[int, ...]
) -> None:
    """But for its rounding, which differs with what is computed at once: below -27 dB."""
    expected = whole.rendered()
    joined = np.concatenate(rendered(builtin._network, part.ids, widths))
    error_db = 20 * np.log10(np.linalg.norm(joined - expected) / np.linalg.norm(expected))
    assert error_db < -27


@pytest.mark.parametrize(
    "text", ["Hello there.", "So, what now?", "Peter picked a peck.", "She sells shells!", "A."]
)
def test_hardly_any_silence_before_the_first_sound(builtin: BuiltinSynthesizer, text: str) -> None:
    assert edges_ms(speak(builtin, text))[0] <= 10


def test_blocks_arrive_early(builtin: BuiltinSynthesizer) -> None:
    blocks = builtin.synthesize(Sentence.of(LONG[:200]), builtin.voices[0])
    assert len(next(blocks).samples) == 0  # it can be read
    assert 0.1 < len(next(blocks).samples) / dsp.SR <= 0.6


def test_a_sentence_beyond_the_networks_limit_is_spoken_whole(builtin: BuiltinSynthesizer) -> None:
    parts = [len(part.ids) for part in builtin._phonemize(Sentence.of(LONG))]
    assert len(parts) > 1
    assert min(parts) > 0.2 * sum(parts), "the sentence is not cut where it would be missed"
    words = LONG.rstrip(".").split()
    phrases = [" ".join(words[start : start + 12]) + "," for start in range(0, len(words), 12)]
    phrases_s = sum(map(sound_s, (speak(builtin, phrase) for phrase in phrases)))
    assert 0.95 < sound_s(speak(builtin, LONG)) / phrases_s < 1.3


@pytest.mark.parametrize(
    "text",
    [
        *("$%&", "—", "()", "*", "日本語です。", "Привет, мир!", "مرحبا", "한국어", "ñandú, café!"),
        *(
            "x" * 100,
            "a b c " * 30,
            "3.14159",
            "\u0000",
            "\u200b",
            "e\u0301",
            "🎉",
            "Ω≈ç√",
            "\x1b¹",
            "①②",
            "x²",
            "٣",
            "İstanbul",
        ),
    ],
)
def test_no_text_breaks_it(builtin: BuiltinSynthesizer, text: str) -> None:
    with contextlib.suppress(NothingToSay):
        samples = speak(builtin, text)
        assert np.isfinite(samples).all()
        assert len(samples) < 120 * dsp.SR


@settings(deadline=None, max_examples=25)
@given(text=st.text(min_size=1, max_size=30))
def test_nor_does_any_other(builtin: BuiltinSynthesizer, text: str) -> None:
    with contextlib.suppress(NothingToSay):
        assert np.isfinite(speak(builtin, text)).all()


def test_what_the_network_refuses_is_a_failure_of_ours(builtin: BuiltinSynthesizer) -> None:
    with pytest.raises(SynthesisFailed, match="built-in voice"):
        list(builtin._render(Part([10**6], ()), (), nullcontext))


def test_it_never_touches_the_network() -> None:
    """In a process of its own, with nothing loaded yet and a hook that nobody can remove."""
    code = """if True:
        import sys
        asked = []
        watched = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname"}
        sys.addaudithook(lambda event, arguments: asked.append(event) if event in watched else None)
        from mira.load import load_engine
        from mira.settings import Settings
        engine = load_engine(Settings())
        text = "A zyzzogeton lives in Llanfairpwll, doesn't it? It costs $4.50 in 1998."
        samples = sum(map(len, engine.speak(text, engine.voices[0])))
        assert samples > 24000, samples
        assert asked == [], asked
        import socket
        try:
            socket.create_connection(("127.0.0.1", 1), 1)
        except OSError:
            pass
        assert "socket.connect" in asked, "the hook does not work"
        print("quiet")
    """
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (run.stdout, run.returncode) == ("quiet\n", 0), run.stderr


def test_a_turn_is_held_while_computing_and_at_no_other_time(
    builtin: BuiltinSynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow listener keeps its stream waiting after each block."""
    turns, free = Turns(2), []
    monkeypatch.setattr(builtin, "_turns", turns)
    window, phonemize = module._window, builtin._phonemize
    monkeypatch.setattr(module, "_window", lambda *a: (free.append(turns._free), window(*a))[1])
    monkeypatch.setattr(
        builtin, "_phonemize", lambda text: (free.append(turns._free), phonemize(text))[1]
    )
    for _ in builtin.synthesize(Sentence.of(LONG[:200]), builtin.voices[0]):
        assert turns._free == 2
    assert len(free) > 3 and set(free) == {1}


def test_one_who_hangs_up_while_others_compute_is_not_computed_for(
    builtin: BuiltinSynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, cancel = Turns(1), Cancel()
    monkeypatch.setattr(builtin, "_turns", turns)
    blocks = builtin.synthesize(Sentence.of(LONG[:200]), builtin.voices[0], cancel=cancel)
    next(blocks)
    with turns.turn(Playback(), Cancel()):
        threading.Timer(0.05, cancel).start()
        with pytest.raises(Cancelled):
            next(blocks)


def test_who_waits_for_a_slow_listener_holds_no_spectrum(builtin: BuiltinSynthesizer) -> None:
    """Each takes three megabytes, and sixty such streams wait at once."""
    made: list[weakref.ref[Floats]] = []

    class Watched(Whole):
        def spectra(self, features: Floats) -> list[Floats]:
            found = [spectrum.copy() for spectrum in super().spectra(features)]
            made.extend(map(weakref.ref, found))
            return found

    ids = builtin._phonemize(Sentence.of(LONG[:200]))[0].ids
    with closing(module._render(Watched(builtin._network, ids), Part(ids, ()))) as blocks:  # type: ignore[arg-type]
        for _ in range(2):
            next(blocks)
            assert made
            assert not any(spectrum() is not None for spectrum in made)


def test_words_are_timed_for_who_wants_them_and_change_no_sample(
    builtin: BuiltinSynthesizer,
) -> None:
    sentence = Sentence.of("Your table for two is booked.")
    spoken = [
        list(builtin.synthesize(sentence, builtin.voices[0], playback=Playback(words=words)))
        for words in (True, False)
    ]
    told, untold = ([word for block in blocks for word in block.words] for blocks in spoken)
    assert {word.index for word in told} == set(range(len(sentence.words)))
    assert untold == []
    for with_words, without in zip(*spoken, strict=True):
        assert np.array_equal(with_words.samples, without.samples)
