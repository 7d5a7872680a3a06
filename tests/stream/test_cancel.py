"""One call ends a stream, whoever waits for it and whenever they began to."""

import threading

import pytest

from mira.stream.cancel import Cancel, Cancelled


def test_it_is_cancelled_once_and_for_ever() -> None:
    cancel, woken = Cancel(), []
    cancel.check()
    with cancel.waking(lambda: woken.append(1)):
        cancel()
        cancel()
        assert (cancel.cancelled, woken) == (True, [1])
    with pytest.raises(Cancelled):
        cancel.check()


def test_all_who_wait_are_woken_and_nobody_who_left() -> None:
    cancel, woken = Cancel(), []
    with cancel.waking(lambda: woken.append("left")):
        pass
    with cancel.waking(lambda: woken.append("outer")), cancel.waking(lambda: woken.append("inner")):
        cancel()
    assert woken == ["outer", "inner"]


def test_who_comes_late_is_woken_at_once() -> None:
    cancel, woken = Cancel(), threading.Event()
    cancel()
    with cancel.waking(woken.set):
        assert woken.is_set()


def test_it_wakes_another_thread() -> None:
    for _ in range(200):  # whichever of the two is first
        cancel, woken = Cancel(), threading.Event()
        canceller = threading.Thread(target=cancel)
        canceller.start()
        with cancel.waking(woken.set):
            assert woken.wait(10)
        canceller.join()
