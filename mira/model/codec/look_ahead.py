"""A codec and an utterance in, the error of each look-ahead out.

The receptive field says how far a frame could hear; how far it does hear is a property of the
weights. So it is measured, on the checkpoint in use.

Knows nothing about checkpoints or how the table is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mira.model.codec.base import CONTEXT, FRAME_RATE, Codec, Span, Speaker
from mira.model.codec.stream import Window, decode_stream
from mira.model.snr import snr_db
from mira.types import Samples

LOOK_AHEADS = (0, 2, 4, 8, 12, 16, 24, 32, CONTEXT)
INAUDIBLE_SNR_DB = 30.0  # at the seams, where the error gathers
INAUDIBLE_DISTANCE_DB = 1.0  # half of what codecs are called transparent at
_CHUNK = 25  # frames between the seams that are measured
_SEAM = 4  # frames before a seam that count as near it
_FFT = 1024


@dataclass(frozen=True, slots=True)
class LookAheadError:
    """One row: streaming with a look-ahead, against rendering the whole utterance at once."""

    look_ahead: int  # frames
    delay_ms: float  # audio that must exist beyond what is played
    snr_db: float  # signal over error, all samples
    seam_snr_db: float  # the same, only the last frames before each seam
    distance_db: float  # log-spectral: RMS over frequency, mean over time
    recommended: bool  # the least that can't be told from the whole


def look_ahead_error(
    codec: Codec,
    tokens: Sequence[int],
    speaker: Speaker,
    look_aheads: Sequence[int] = LOOK_AHEADS,
) -> list[LookAheadError]:
    """Measure what rendering with each look-ahead costs, in rising order.

    Args:
        tokens: Real speech; some seconds of it, so that there are many seams.

    Raises:
        ValueError: The utterance ends before its first seam is final at every look-ahead.
        SynthesisFailed: A token is outside the codebook, or the codec broke.
    """
    frames = len(tokens)
    fewest = _CHUNK + max(look_aheads)
    if frames < fewest:
        raise ValueError(f"expected {fewest} or more speech tokens to measure on; found {frames}")
    (whole,) = codec.decode([Span(tokens, speaker, 0, frames)])
    # Only the seams that there are with every look-ahead, so that the rows can be compared.
    last_seam = (frames - max(look_aheads)) // _CHUNK * _CHUNK
    index = np.arange(frames)
    near = (index % _CHUNK >= _CHUNK - _SEAM) & (index < last_seam)  # after it all context is there
    near_seam = np.repeat(near, codec.samples_per_frame)
    rows: list[LookAheadError] = []
    for look_ahead in sorted(look_aheads):
        window = Window(first=_CHUNK, steady=_CHUNK, look_ahead=look_ahead)
        streamed = np.concatenate(list(decode_stream(codec, tokens, speaker, window)))
        seam_snr = snr_db(whole[near_seam], streamed[near_seam])
        distance = log_spectral_distance_db(whole, streamed)
        good = seam_snr >= INAUDIBLE_SNR_DB and distance <= INAUDIBLE_DISTANCE_DB
        rows.append(
            LookAheadError(
                look_ahead=look_ahead,
                delay_ms=look_ahead * 1000 / FRAME_RATE,
                snr_db=snr_db(whole, streamed),
                seam_snr_db=seam_snr,
                distance_db=distance,
                recommended=good and not any(row.recommended for row in rows),
            )
        )
    return rows


def log_spectral_distance_db(reference: Samples, found: Samples) -> float:
    """Measure the difference of both spectra in dB: RMS over frequency, mean over time."""
    return float(np.mean(np.sqrt(np.mean((_spectrum(reference) - _spectrum(found)) ** 2, axis=1))))


def _spectrum(samples: Samples) -> npt.NDArray[np.float64]:
    """[frames, bins] in dB, floored 80 dB below full scale: less can't be heard."""
    padded = np.pad(samples.astype(np.float64), (0, _FFT))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[:: _FFT // 2]
    magnitudes = np.abs(np.fft.rfft(frames * np.hanning(_FFT))) / (_FFT / 4)
    decibels: npt.NDArray[np.float64] = 20 * np.log10(np.maximum(magnitudes, 1e-4))
    return decibels
