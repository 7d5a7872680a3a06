"""What was computed is found again for the same recording and model, and nothing else is."""

from pathlib import Path

import numpy as np
import pytest

from mira.voices.cache import Cache, Report, Tokens
from mira.voices.quality import assess

TOKENS = Tokens(global_tokens=tuple(range(32)), speech_tokens=(1, 2, 3))
ONE, OTHER, PLACE = "a" * 64, "b" * 64, "c" * 64
REPORT = Report(content=ONE, quality=assess(np.zeros(16000, np.float32), 16000))


def test_what_is_kept_is_found_also_by_the_next(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "new" / "cache", "abc")
    assert cache.tokens(ONE) is None
    assert cache.report(PLACE) is None
    cache.keep_tokens(ONE, TOKENS)
    cache.keep_report(PLACE, REPORT)
    for found in (cache, Cache(tmp_path / "new" / "cache", "abc")):
        assert found.tokens(ONE) == TOKENS
        assert found.report(PLACE) == REPORT
        assert found.at_hand(ONE)
        assert found.tokens(OTHER) is None


def test_another_model_hears_otherwise(tmp_path: Path) -> None:
    Cache(tmp_path, "abc").keep_tokens(ONE, TOKENS)
    other = Cache(tmp_path, "def")
    assert other.tokens(ONE) is None
    assert not other.at_hand(ONE)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"global_tokens": []}', b"\xff" * 100])
def test_what_is_damaged_counts_as_absent(tmp_path: Path, damage: bytes) -> None:
    cache = Cache(tmp_path, "abc")
    cache.keep_tokens(ONE, TOKENS)
    cache.keep_report(PLACE, REPORT)
    for path in tmp_path.iterdir():
        path.write_bytes(damage)
    cache = Cache(tmp_path, "abc")
    assert cache.tokens(ONE) is None
    assert cache.report(PLACE) is None
    assert not cache.at_hand(ONE)


def test_tokens_that_no_codebook_has_count_as_damaged(tmp_path: Path) -> None:
    cache = Cache(tmp_path, "abc")
    cache.keep_tokens(ONE, TOKENS)
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text().replace("31", "4096"))
    assert cache.tokens(ONE) is None


def test_forgetting(tmp_path: Path) -> None:
    for model in ("abc", "def"):
        cache = Cache(tmp_path, model)
        for content in (ONE, OTHER):
            cache.keep_tokens(content, TOKENS)
        cache.keep_report(PLACE, REPORT)
    cache.forget({ONE, PLACE})
    assert (cache.at_hand(ONE), cache.at_hand(OTHER)) == (False, True)
    assert {path.name[:64] for path in tmp_path.iterdir()} == {OTHER}
    cache.keep_report(PLACE, REPORT)
    cache.keep_tokens(ONE, TOKENS)
    cache.keep_only({OTHER, PLACE})
    assert (cache.tokens(OTHER), cache.tokens(ONE)) == (TOKENS, None)
    (tmp_path / "somebody's.json").touch()
    assert cache.clear() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["somebody's.json"]
    assert not cache.at_hand(OTHER)
    assert cache.clear() == 0


def test_a_folder_that_cant_be_written_costs_only_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / "cache", "abc")
    for _ in range(3):
        cache.keep_tokens(ONE, TOKENS)
    assert Cache(tmp_path, "abc").tokens(ONE) is None
    assert len(caplog.records) == 1
    assert "can't be kept" in caplog.text


def test_who_spoke_longest_ago_leaves_the_memory_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mira.voices.cache.IN_MEMORY", 3)
    cache = Cache(tmp_path, "abc")
    for content in "abc":
        cache.remember(content, TOKENS)
    assert cache.remembered("a") == TOKENS  # the oldest, but it has just spoken
    cache.remember("d", TOKENS)
    assert [content for content in "abcde" if cache.at_hand(content)] == ["a", "c", "d"]
    assert cache.remembered("b") is None
    cache.remember("c", TOKENS)  # again
    cache.remember("e", TOKENS)
    assert [content for content in "abcde" if cache.at_hand(content)] == ["c", "d", "e"]
