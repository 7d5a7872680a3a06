"""Mira: text to speech that starts speaking before the sentence is computed.

The engine in three lines:

    from mira import load_engine, load_settings

    engine = load_engine(load_settings()[0])
    for samples in engine.speak("Hello there. How are you today?", engine.voices[0]):
        ...  # float32, mono, engine.sample_rate Hz

`engine.blocks` yields the same with the times of its words; `Said` and `mira.words` tell them in
characters of the text.
"""

import mira.silence  # noqa: F401 - first: libraries report when they are imported
from mira.engine import Engine
from mira.errors import MiraError
from mira.load import load_engine
from mira.settings import Settings, load_settings
from mira.tts import MiraTTS
from mira.types import Block, Samples, Sampling, Voice
from mira.words import Said

__all__ = [
    "Block",
    "Engine",
    "MiraError",
    "MiraTTS",
    "Said",
    "Samples",
    "Sampling",
    "Settings",
    "Voice",
    "load_engine",
    "load_settings",
]
