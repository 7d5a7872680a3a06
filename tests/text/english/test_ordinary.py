"""The law: what is called ordinary is read the same with all rules looking at it."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mira.text
from mira.text import normalize
from mira.text.english.ordinary import is_ordinary
from mira.text.traced import Traced
from tools.corpus import categories

# Whatever word the rules know of, and those of the sentences that they were written for.
_RULES = " ".join(path.read_text("utf-8") for path in Path(mira.text.__path__[0]).rglob("*.py"))
_SENTENCES = [pair.written for category in categories().values() for pair in category]
_WORDS = sorted(
    {*re.findall("[a-z]{1,10}", _RULES.lower()), *re.findall("[a-z]{1,10}", " ".join(_SENTENCES))}
)
_WORD = st.sampled_from(_WORDS)
_SHAPED = st.tuples(
    _WORD.flatmap(lambda word: st.sampled_from([word, word.capitalize()])),
    st.sampled_from(["", "", "", ",", "'s", "'ll", "-like", ";"]),
).map("".join)


def read(text: str) -> str:
    traced = Traced(text)
    normalize.speakable(traced)
    return traced.text


@settings(max_examples=600, deadline=None)
@given(words=st.lists(_SHAPED, min_size=1, max_size=6), end=st.sampled_from(["", ".", "?", "!"]))
def test_is_read_as_if_all_rules_had_looked(words: list[str], end: str) -> None:
    text = " ".join(words) + end
    ordinary = read(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normalize, "is_ordinary", lambda text: False)
        assert read(text) == ordinary


def test_every_word_that_the_rules_know_is_read_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [word for word in _WORDS if is_ordinary(word)]
    apart = len(known) // 6 + 1
    texts = [f"{' '.join(known[at::apart]).capitalize()}." for at in range(apart)]
    said = [read(text) for text in texts]
    monkeypatch.setattr(normalize, "is_ordinary", lambda text: False)
    assert [read(text) for text in texts] == said


def test_sentences_of_the_corpus_too(monkeypatch: pytest.MonkeyPatch) -> None:
    ordinary = [text for text in _SENTENCES if is_ordinary(text)]
    assert ordinary
    said = [read(text) for text in ordinary]
    monkeypatch.setattr(normalize, "is_ordinary", lambda text: False)
    assert [read(text) for text in ordinary] == said


@pytest.mark.parametrize(
    ("text", "ordinary"),
    [
        ("Thanks for calling, how can I help you this morning?", True),
        ("I'll send it, and they won't mind.", True),
        ("A well-known place; isn't it?", True),
        ("See you on Mon", False),
        ("It is 5.", False),
        ("Ask Dr Lee.", False),
        ("The FBI called.", False),
        ("Yes.No.", False),
        ("Plan B works.", False),
        ("Привет", False),
        ("", False),
    ],
)
def test_most_sentences_are(text: str, ordinary: bool) -> None:
    assert is_ordinary(text) is ordinary
