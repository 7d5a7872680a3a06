"""Settings in, who listens to what a model says out: words are found in it, if the library is here.

Without it a model speaks all the same, and times of words are guesses.
"""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from mira.errors import CheckpointError, SynthesisFailed

if TYPE_CHECKING:
    from mira.model.attempt import Ears
    from mira.words.align import Aligner

log = logging.getLogger(__name__)


def load_ears(guard: bool) -> "Ears":
    """Make what listens.

    Args:
        guard: Whether it decides what is begun anew; see `Ears`.
    """
    from mira.model.attempt import Ears
    from mira.words.follow import Follower

    return Ears(Follower(_aligner()), guard)


def _aligner() -> "Aligner | None":
    from mira.words.align import Aligner

    pronounce = _Pronounce()
    try:
        aligner = Aligner(pronounce)
    except (ImportError, CheckpointError) as error:
        log.warning("when words are spoken will be guessed: %s", error)
        return None
    pronounce.load()
    return aligner


class _Pronounce:
    """The built-in voice's way to say a word."""

    def __init__(self) -> None:
        self._said: Callable[[str], str] | None = None
        self._loading = threading.Thread(target=self._load, name="mira-front-end")

    def load(self) -> None:
        """Load it while a start goes on: it takes a second, which no stream can wait for."""
        self._loading.start()

    def _load(self) -> None:
        try:
            from mira.builtin.pronounce import Pronounce

            self._said = Pronounce()
        except (ImportError, OSError, ValueError) as error:  # its files are missing, or damaged
            log.warning("words that no dictionary has will not be found: %s", error)

    def __call__(self, word: str) -> str:
        self._loading.join()
        try:
            return self._said(word) if self._said else ""
        except SynthesisFailed as error:  # nothing is wrong with what a model says
            log.warning("a word will not be found: %s", type(error.__cause__).__name__)
            return ""
