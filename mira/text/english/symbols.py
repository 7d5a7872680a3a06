"""Marks that are said in, their words out; then one space between words.

The last of the rules: no digit is left. Knows nothing about words.
"""

from mira.text.english.lexicon import SYMBOLS
from mira.text.english.measures import RATES, UNITS
from mira.text.traced import one_of, rule

RULES = (
    rule(r"(?<=[A-Za-z]{2}) > (?=[A-Z])", ", "),  # Settings > Security
    rule(r"(?<=[\w.!?)]) [|•·‣▪] (?=\w)", ", "),
    rule(r"(?<=[a-z])\((e?s)\)", r"\1"),  # ticket(s)
    rule(rf"(?<![\w/]){one_of(list(RATES))}(?![\w/])", lambda m: RATES[m[0]]),
    rule(r"(?<=[a-z])/(mo|yr|hr|min|wk)\b", lambda m: f" per {UNITS[m[1]][0]}"),
    rule(r"(?<= )([A-F])-(?=[\s,.;:!?)]|\Z)(?! (?:and|or) \w{1,20}-)(?! [-–—])", r"\1 minus"),
    rule(r"\.{3,}|…+", "..."),
    rule(r"\s?-{2,3}\s?|\s[–-]\s|(?<=\w)\s?–\s?(?=\w)", " — "),
    rule(
        r"(?<=[a-z])\s?/\s?(?=(?:month|mo|year|yr|day|week|hour|hr|minute|min|night|person)\b)",
        " per ",
    ),
    rule(r"\b([A-Za-z])/(?=[A-Za-z]\b)", r"\1 "),  # A/C
    rule(r"\b([A-Z]{1,5})/(?=[A-Z]{1,5}(?:s?\b))", r"\1 "),  # TCP/IP
    rule(r"(?<=[a-z])/(?=[A-Z][a-z]{1,20}_[A-Z])", ", "),  # America/New_York
    rule(r"(?<=[a-z]) ?/ ?(?=[A-Za-z])", " or "),
    rule(r"/", " slash "),
    rule(r"(?<=\w)_+(?=\w)", " "),
    rule(r"(?:(?<=\bis )|(?<=\bare )|(?<=\bwas ))≈|(?<!\S)≈(?=\S)", "about "),
    rule(one_of(list(SYMBOLS)), lambda m: f" {SYMBOLS[m[0]]} "),
    rule(r"[_*|\\{}\[\]`^<>]+", " "),
    rule(r"\s{2,}", " "),
    rule(r" ([,.;:!?])(?!\w)", r"\1"),
)
