"""How many listeners one sentence after another keeps fed: on voices whose speed is known."""

from collections.abc import Generator

from mira.synth.alone import calls_of_one
from mira.types import Samples
from tests.toys import ToySynthesizer


def test_one_after_another() -> None:
    """A tenth of a second of audio takes a fiftieth of one: five times real time."""
    assert calls_of_one(ToySynthesizer(compute_s=0.02), 64) in (2, 3, 4)
    assert calls_of_one(ToySynthesizer(), 64) == 64
    assert calls_of_one(ToySynthesizer(compute_s=0.3), 64) == 1


def test_one_that_says_nothing_ends_too() -> None:
    class Mute(ToySynthesizer):
        def synthesize(self, *arguments: object) -> Generator[Samples, None, None]:
            yield from ()

    assert calls_of_one(Mute(), 64) == 1
