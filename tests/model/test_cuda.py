"""What networks on a card share; most of it can be seen without one."""

import logging

import pytest
import torch

from mira.errors import InvalidSettings, SynthesisFailed
from mira.model.cuda import Passes, full_memory_as, is_full
from tests.card import on_card

CPU = torch.device("cpu")
FULL = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
]


@pytest.mark.parametrize("error", FULL)
def test_a_full_memory_is_said_with_what_to_do(error: RuntimeError) -> None:
    assert is_full(error)
    with (
        pytest.raises(InvalidSettings, match=r"^no room: set max_streams lower \([Cc][^\n]*\)\.$"),
        full_memory_as(InvalidSettings, "no room: set max_streams lower"),
    ):
        raise error


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("out of memory")])
def test_other_errors_are_left_as_they_are(error: Exception) -> None:
    assert not is_full(error)
    with pytest.raises(type(error)) as caught, full_memory_as(SynthesisFailed, "no room"):
        raise error
    assert caught.value is error


def test_what_was_recorded_is_repeated_and_the_rest_is_run() -> None:
    passes, done = Passes(CPU, "toy"), []
    passes.record([("a", lambda: done.append("recorded"))], 9)
    with passes.stream():
        passes.run("a", lambda: done.append("a"))
        passes.run("b", lambda: done.append("b"))
    passes.wait()
    assert done == ["recorded", "b"]


def test_recording_ends_when_its_time_is_up(caplog: pytest.LogCaptureFixture) -> None:
    passes, done = Passes(CPU, "toy"), []
    with caplog.at_level(logging.INFO):
        passes.record([("a", lambda: done.append("recorded"))], 0)
    passes.run("a", lambda: done.append("run"))
    assert done == ["run"]
    assert "toy: recording took longer than 0 s" in caplog.text
    assert "toy: 0 passes recorded in 0.0 s" in caplog.text


def refusing(error: RuntimeError) -> Passes:
    """Passes that can't be recorded, as if there were a card."""
    passes = Passes(CPU, "toy")

    def refuse(run: object) -> None:
        raise error

    passes._recorded = refuse  # type: ignore[assignment]
    return passes


def test_what_can_not_be_recorded_is_run(caplog: pytest.LogCaptureFixture) -> None:
    passes, done = refusing(RuntimeError("operation not permitted when stream is capturing")), []
    passes.record([("a", lambda: None)], 9)
    passes.run("a", lambda: done.append("run"))
    assert done == ["run"]
    assert "toy: passes can't be recorded: operation not permitted" in caplog.text


def test_no_room_for_what_is_recorded_is_an_error() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        refusing(FULL[0]).record([("a", lambda: None)], 9)


@on_card
def test_on_a_card_a_recorded_pass_reads_what_its_tensors_hold_by_then() -> None:
    passes = Passes(torch.device("cuda"), "toy", urgent=True)
    given, made = torch.zeros(8, device="cuda"), torch.zeros(8, device="cuda")
    passes.record([("twice", lambda: made.copy_(2 * given))], 9)
    for number in (1.0, 5.0):
        with passes.stream():
            given.fill_(number)
            passes.run("twice", lambda: pytest.fail("it was not recorded"))
        passes.wait()
        assert made.tolist() == [2 * number] * 8
