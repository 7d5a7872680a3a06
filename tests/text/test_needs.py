"""The law: a text that lacks what a pattern needs has no match of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.text.english.reading import rules
from mira.text.needs import had_by, needs
from tools.corpus import categories

RULES = list(rules())
PATTERNS = [
    "a|bc", "(?:ab|cb)+", "a*b?", "(?<=a)b", "(?<!a)b", "a(?=b)", "a(?!b)", "[a-c]{2}", "[^a]",
    r"\d", r"\D", r"\w-", r"\s", ".", "(?i)k", "(?i)[k-l]s", "(?i:s)a", "ſ", "(?i)ſ", "[ſ-ʃ]",
    "(?>a)", r"(a)\1", "(a)?(?(1)b|c)", "a{0,3}b{1,2}", "(?:a|)b", "(?:a|b?)", "[é-ü]", "(?i)é",
    "a++b", "a-?0", "(?:-?a)0", "(?<=-)0", "0(?=-)", "(?:0-){2}", "(?:0|-a)K", r"a?-?0?K", r"\d?-",
    "(?<=(?:a|-))0", "(?:x|(?<=-))0", "a(?=-?0)", "-(?!a)0", "(?:-(?:a|)){1,2}0",
]  # fmt: skip


def lacks(had: int, needed: tuple[int, ...]) -> bool:
    return not all(had & one for one in needed)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(text=st.text("abckKlLsSſʃK éÉ0٣-", max_size=4))
def test_what_lacks_it_has_no_match(pattern: str, text: str) -> None:
    for flags in (0, re.IGNORECASE):
        if lacks(had_by(text), needs(pattern, flags)):
            assert not re.search(pattern, text, flags)


def test_no_rule_is_kept_from_a_text_that_it_reads() -> None:
    texts = [pair.written for pairs in categories().values() for pair in pairs]
    for text in texts[::4]:
        had = had_by(text)
        for rule in RULES:
            assert not (lacks(had, rule.needs) and rule.pattern.search(text)), (rule, text)


def test_most_rules_are_known_to_be_in_vain() -> None:
    had = had_by("It is 5 km away.")
    assert sum(lacks(had, rule.needs) for rule in RULES) > len(RULES) / 2
