"""What is hard to find words in: odd sentences, and speech that something was done to."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from mira.types import Samples
from tools.word_times.spoken import Speech, by_telephone

SENTENCES: Mapping[str, tuple[str, ...]] = {
    "one word": ("Yes.", "Goodbye.", "Unfortunately.", "A.", "Seventeen."),
    "as long as one may be": (
        "If the parcel has not arrived by the end of the week then please write to us again with "
        "the number of your order and the name on the label so that we can ask the courier where "
        "it was last seen and send another",
    ),
    "repeated words": (
        "No, no, no, no, no.",
        "It was very very very good.",
        "That that is is.",
        "Ten ten ten ten.",
    ),
    "digits": (
        "It is four, four, seven, nine, two, zero, zero, one.",
        "Dial 0 8 0 0, 5 5 5, 0 1 8 2.",
    ),
    "names": (
        "Siobhan Nguyen and Xiomara Oyelaran met Giuseppe Krzyzewski.",
        "Please ask for Mrs. Featherstonehaugh in Llanelli.",
        "Ms. Szczepanski flew from Reykjavik to Ouagadougou.",
    ),
    "letters": ("That is spelt A B C, then X Y Z.", "Her code is Q W 7 K, not Q V 7 K."),
    "small words": (
        "It is as if it were to be had by the one or the other of us.",
        "I'd've had it if he'd let me at it.",
    ),
}


def _quiet(speech: Speech) -> Speech:
    return _scaled(speech, 10 ** (-30 / 20))


def _clipped(speech: Speech) -> Speech:
    loud = _scaled(speech, 10.0)
    return replace(loud, samples=np.clip(loud.samples, -1, 1))


def _noisy(speech: Speech) -> Speech:
    """Add white noise, 10 dB softer than the speech is where it speaks."""
    dice = np.random.default_rng(0)
    noise = dice.standard_normal(len(speech.samples)).astype(np.float32)
    return replace(speech, samples=speech.samples + noise * np.float32(_level(speech) * 10**-0.5))


def _with_music(speech: Speech) -> Speech:
    """Add a chord of three tones that swells, 10 dB softer than the speech."""
    at = np.arange(len(speech.samples)) / speech.sample_rate
    chord: Samples = sum(
        (np.sin(2 * np.pi * pitch * at) for pitch in (261.6, 329.6, 392.0)),
        start=np.zeros(len(at)),
    ).astype(np.float32)
    swell = (1 + np.sin(2 * np.pi * 0.5 * at)).astype(np.float32)
    softer = np.float32(_level(speech) * 10**-0.5 / 1.5)
    return replace(speech, samples=speech.samples + chord * swell * softer)


def _scaled(speech: Speech, factor: float) -> Speech:
    return replace(speech, samples=speech.samples * np.float32(factor))


def _level(speech: Speech) -> float:
    loud = speech.samples[np.abs(speech.samples) > 0.01]
    return float(np.sqrt(np.mean(np.square(loud))))


CHANGES: Mapping[str, Callable[[Speech], Speech]] = {
    "30 dB softer": _quiet,
    "20 dB louder, clipped": _clipped,
    "white noise, 10 dB softer": _noisy,
    "a chord, 10 dB softer": _with_music,
    "8 kHz mu-law and 30 dB softer": lambda speech: by_telephone(_quiet(speech)),
}
"""What may happen to speech before the aligner hears it."""
SPEEDS = (0.5, 0.75, 1.5, 2.0)
"""How many times quicker the network speaks than it would."""
