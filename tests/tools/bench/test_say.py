"""The command line's speed, measured on one paragraph."""

from tools.bench.say import say


def test_one_run() -> None:
    found = say(0.5, "wav")
    assert 0.3 < float(str(found["audio min"])) < 2
    assert 0 < float(str(found["wall/audio"])) < 2
    assert float(str(found["peak RSS MB"])) > 50
