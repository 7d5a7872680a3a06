"""Laws: rounding is to the nearest level, and OpenVINO reads back what was stored."""

import numpy as np
import numpy.typing as npt
import openvino as ov
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.model.lm.quantize import Grid, Weights, constant, quantize

Matrix = npt.NDArray[np.float32]


def normal(rows: int, columns: int, seed: int = 0, scale: float = 0.03) -> Matrix:
    random = np.random.default_rng(seed)
    return (random.standard_normal((rows, columns)) * scale).astype(np.float32)


def dequantized(grid: Grid) -> Matrix:
    whole = (grid.values.astype(np.float32) - grid.zeros) * grid.scales.astype(np.float32)
    return whole.reshape(len(whole), -1)


@given(st.integers(0, 999), st.sampled_from([4, 8]), st.sampled_from([32, 64]), st.floats(1e-3, 99))
def test_the_error_is_half_a_level(seed: int, bits: int, group: int, scale: float) -> None:
    weights = normal(3, 128, seed, scale)
    grid = quantize(weights, bits, group)
    steps = np.repeat(grid.scales.astype(np.float32)[:, :, 0], group, axis=1)
    # At the ends of the range float16 scales may fall short by a thousandth of it.
    slack = 2.0**bits * 2**-11
    assert (abs(dequantized(grid) - weights) <= steps * (0.5 + slack) + 1e-6).all()


@pytest.mark.parametrize("bits", [4, 8])
def test_what_lies_on_the_grid_is_exact(bits: int) -> None:
    once = dequantized(quantize(normal(8, 128), bits, 128))
    assert np.array_equal(dequantized(quantize(once, bits, 128)), once)


@pytest.mark.parametrize("bits", [4, 8])
def test_rows_of_one_value(bits: int) -> None:
    weights = np.stack([np.zeros(64), np.full(64, 0.5), np.full(64, -0.5)]).astype(np.float32)
    assert np.allclose(dequantized(quantize(weights, bits, 64)), weights, atol=1e-3)


@pytest.mark.parametrize("kind", ["int4", "int8", "bf16"])
@pytest.mark.parametrize("columns", [256, 64, 33])
def test_openvino_reads_it_back(kind: Weights, columns: int) -> None:
    weights = normal(5, columns)
    model = ov.Model([constant(weights, kind)], [], "constant")
    found = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([])[0]
    assert found.shape == weights.shape
    tolerance = {"int4": 0.02, "int8": 0.001, "bf16": 0.0005}[kind]
    assert abs(found - weights).max() < tolerance
    if kind == "int8":
        assert np.allclose(found, dequantized(quantize(weights, 8, columns)), atol=1e-4)
