"""How far a start is, is told to whoever asks too early, and when to ask again."""

import pytest

from mira.server import starting
from mira.server.starting import MOST_S, SOON_S, UNKNOWN_S, Starting


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(starting.time, "monotonic", lambda: now[0])
    return now


def test_the_time_that_is_left_is_foreseen_from_the_speed(clock: list[float]) -> None:
    found = Starting()
    assert (found.retry_after_s, found.left_s) == (SOON_S, None)
    assert "still starting. Try again in a second." in str(found)
    found.report("downloading a/b to /home/me/cache", 300, 1000)  # 300 were here before
    assert (found.retry_after_s, found.left_s) == (UNKNOWN_S, None)
    clock[0] += 5
    found.report("downloading a/b to /home/me/cache", 400, 1000)
    assert found.left_s == pytest.approx(30)
    clock[0] += 10
    assert found.left_s == pytest.approx(20)
    assert found.retry_after_s == 20
    assert str(found) == (
        "The engine is still starting: downloading a/b, 40 %. Try again in 20 seconds."
    )
    clock[0] += 100
    assert (found.left_s, found.retry_after_s) == (0, SOON_S)


def test_another_thing_begins_anew(clock: list[float]) -> None:
    found = Starting()
    found.report("downloading a/b to /c", 0, 10**9)
    clock[0] += 10
    found.report("downloading a/b to /c", 10**6, 10**9)
    assert found.retry_after_s == MOST_S  # clients wait no longer
    found.report("converting a/b to /c", 0, 10**9)
    assert found.retry_after_s == UNKNOWN_S
    found.report("loading a/b from /c", 0, 0)
    assert "loading a/b. Try again in 10 seconds." in str(found)
    assert "/c" not in str(found)
    found.report("looking for a/b at https://me:secret@hub.example", 0, 0)
    assert "starting: looking for a/b. Try again" in str(found)
