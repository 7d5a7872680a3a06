"""Tests that need a CUDA card are marked with these: where there is none they say so."""

import pytest
import torch

CARD = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="no CUDA card: run `pytest -m gpu` where there is one"
    ),
]


def on_card(test):
    """Mark a test."""
    for mark in CARD:
        test = mark(test)
    return test
