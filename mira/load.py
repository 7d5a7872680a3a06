"""Settings in, an engine ready to speak out.

The only importer of concrete backends.
"""

from mira.engine import Engine
from mira.settings import Settings


def load_engine(settings: Settings) -> Engine:
    """Load the model that the settings name and speak a warm-up sentence; takes seconds.

    Raises:
        SynthesisFailed: The warm-up sentence could not be spoken.
    """
    # Imported here: the model's libraries take half a second, and `mira --help` needs none.
    from mira.synth.builtin import BuiltinSynthesizer

    engine = Engine(BuiltinSynthesizer(settings.builtin_threads), settings.lead_s)
    # An unknown word, so that the network for those is loaded too.
    for _ in engine.speak("Hello from Mira, zyzzogeton.", engine.voices[0]):
        pass
    return engine
