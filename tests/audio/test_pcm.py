"""Law: 16 bits survive the round trip. Edge: nothing becomes noise."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mira.audio.pcm import finite, from_s16le, to_s16, to_s16le

ANY_FLOATS = arrays(np.float32, st.integers(0, 100), elements=st.floats(width=32))


@given(st.binary().filter(lambda pcm: len(pcm) % 2 == 0))
def test_integers_survive_the_round_trip(pcm):
    assert to_s16le(from_s16le(pcm)) == pcm


@given(arrays(np.float32, st.integers(0, 100), elements=st.floats(-1, 0.875, width=32)))
def test_rounding_is_off_by_half_a_step_at_most(samples):
    assert np.all(np.abs(from_s16le(to_s16le(samples)) - samples) <= 0.5 / 32768)


@given(ANY_FLOATS)
def test_any_float_gives_one_integer_and_no_warning(samples):
    integers = to_s16(samples)
    assert len(to_s16le(samples)) == 2 * len(samples)
    assert not integers[~np.isfinite(samples)].any()
    assert np.all(integers[np.isfinite(samples) & (samples >= 1)] == 32767)
    assert np.all(integers[np.isfinite(samples) & (samples <= -1)] == -32768)


def test_nothing_is_copied_when_all_is_finite():
    samples = np.zeros(3, np.float32)
    assert finite(samples) is samples
    assert finite(np.array([np.nan, 0.5, -np.inf], np.float32)).tolist() == [0, 0.5, 0]


def test_half_a_sample_is_left_out():
    assert from_s16le(b"\x00\x40\x00\x80\x07").tolist() == [0.5, -1.0]
