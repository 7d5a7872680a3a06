"""Settings in, who listens to what a model says out: words are found in it, if the library is here.

Without it a model speaks all the same, and times of words are guesses.
"""

import logging
from typing import TYPE_CHECKING

from mira.errors import CheckpointError

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

    try:
        return Aligner()
    except (ImportError, CheckpointError) as error:
        log.warning("when words are spoken will be guessed: %s", error)
        return None
