"""What was computed is found again for the same recording and model, and nothing else is."""

from pathlib import Path

import numpy as np
import pytest

from mira.voices.cache import Cache, Tokens
from mira.voices.quality import assess

TOKENS = Tokens(global_tokens=tuple(range(32)), speech_tokens=(1, 2, 3))
QUALITY = assess(np.zeros(16000, np.float32), 16000)
ONE, OTHER = "a" * 64, "b" * 64


def test_what_is_kept_is_found_also_by_the_next(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "new" / "cache", "abc")
    assert cache.tokens(ONE) is None
    assert cache.quality(ONE) is None
    cache.keep_tokens(ONE, TOKENS)
    cache.keep_quality(ONE, QUALITY)
    for found in (cache, Cache(tmp_path / "new" / "cache", "abc")):
        assert found.tokens(ONE) == TOKENS
        assert found.quality(ONE) == QUALITY
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
    cache.keep_quality(ONE, QUALITY)
    for path in tmp_path.iterdir():
        path.write_bytes(damage)
    cache = Cache(tmp_path, "abc")
    assert cache.tokens(ONE) is None
    assert cache.quality(ONE) is None
    assert not cache.at_hand(ONE)


def test_tokens_that_no_codebook_has_count_as_damaged(tmp_path: Path) -> None:
    cache = Cache(tmp_path, "abc")
    cache.keep_tokens(ONE, TOKENS)
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text().replace("31", "4096"))
    assert cache.tokens(ONE) is None


def test_an_index_is_kept_whole(tmp_path: Path) -> None:
    cache = Cache(tmp_path, "abc")
    for index in ({"a": ONE, "b": OTHER}, {"b": ONE}):
        cache.keep_index(index)
        for found in (cache, Cache(tmp_path, "abc")):
            assert {file: found.content(file) for file in "ab" if found.content(file)} == index
    (tmp_path / "index.json").write_text('{"a": "../x"}')
    assert Cache(tmp_path, "abc").content("a") is None
    cache.keep_index({})
    assert list(tmp_path.iterdir()) == []


def test_forgetting(tmp_path: Path) -> None:
    for model in ("abc", "def"):
        cache = Cache(tmp_path, model)
        for content in (ONE, OTHER):
            cache.keep_tokens(content, TOKENS)
            cache.keep_quality(content, QUALITY)
    cache.forget({ONE})
    assert (cache.at_hand(ONE), cache.at_hand(OTHER)) == (False, True)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(ONE)]
    cache.keep_only({OTHER})
    assert cache.tokens(OTHER) == TOKENS
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
