"""What was expected and what was found in, how far they are apart in dB out."""

import numpy as np
import numpy.typing as npt

EXACT_DB = 200.0
"""Stands for an infinite ratio, which JSON has no word for."""


def snr_db(expected: npt.NDArray[np.floating], found: npt.NDArray[np.floating]) -> float:
    """Compute the energy of what was expected over that of the difference; at most EXACT_DB."""
    error = float(np.sum((expected.astype(np.float64) - found) ** 2))
    signal = float(np.sum(expected.astype(np.float64) ** 2))
    if error <= signal * 10 ** (-EXACT_DB / 10):
        return EXACT_DB
    return 10 * float(np.log10(max(signal, 1e-20) / error))
