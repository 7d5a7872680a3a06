"""Settings in, an engine ready to speak out: the one door to the built-in voice and to models.

Backends are imported inside functions, here and in the other modules: their libraries take seconds,
and those of a model are extras.
"""

from mira.engine import Engine
from mira.progress import Report, quiet
from mira.settings import Settings
from mira.synthesizer import Synthesizer
from mira.types import Sampling

WARM_UP = "Hello from Mira."


def load_engine(settings: Settings, report: Report = quiet) -> Engine:
    """Load what the settings ask for and speak a warm-up sentence.

    A model takes seconds. One that is named by its Hugging Face id is downloaded first, and one
    that a processor is to run is converted; both only once.

    Args:
        settings: Name the model; without one, the built-in voice speaks.
        report: Told what is being done, and how far it is.

    Raises:
        CheckpointError: The model's files can't be used.
        InvalidSettings: The settings ask for what the model can't do, or a library is missing.
        SynthesisFailed: The warm-up sentence could not be spoken.
    """
    engine = Engine(_synthesizer(settings, report), settings.lead_s, settings.pause_at_end)
    try:
        # With its words: what finds them takes a while at first, too.
        for _ in engine.blocks_ahead(WARM_UP, engine.voices[0], Sampling(seed=0)):
            pass
    except BaseException:
        engine.close()
        raise
    return engine


def _synthesizer(settings: Settings, report: Report) -> Synthesizer:
    if settings.model:
        from mira.load.parts import load_synthesizer

        return load_synthesizer(settings, report)
    from mira.builtin.synthesizer import BuiltinSynthesizer

    return BuiltinSynthesizer(settings.builtin_threads)
