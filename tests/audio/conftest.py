import numpy as np
import pytest
from hibari import Hibari

from mira.types import Samples


@pytest.fixture(scope="session")
def speech() -> Samples:
    """Real speech, [about 1.4 s] at 24 kHz."""
    return np.asarray(Hibari()("Hello there."), dtype=np.float32)
