"""Sums of money in, words out: "$3.50", "1.299,99 €", "Rs. 500", "$2M-$3M", "$5/mo".

The symbol tells that a number is money, so these are read before every other number. Knows
nothing about codes, dates and other quantities.
"""

import re
from functools import lru_cache

from mira.text.english.context import own_stop
from mira.text.english.measures import CURRENCIES, DOTTED_THOUSANDS, PER, SCALES, UNITS
from mira.text.english.modifiers import describes
from mira.text.english.numbers import cardinal, number, plural, standard
from mira.text.traced import Edit, rule

# A few letters at most, which must be in the table.
_UNIT = r"(?:(?:[A-Z]{1,3}|Mex)?[$¥]|[€£₹₩₽₺₪฿₫₱₴₦₵₡₸₾৳]|Rs\.?|kr\.?|zł|Kč|Rp|RM|[A-Z]{3})"
# Words before a number, a room, the language, codes.
_NO_SUM = re.compile(r"(?:TRY|RON|COP|RM )|PHP [5-9](?!\d)|[A-Z]{3} ?0[0-9]")
MAY_MATTER = re.compile(r"[$€£¥₹₩₽₺₪฿₫₱₴₦₵₡₸₾৳¢]|Rs|kr|zł|Kč|R[pM]|\b[A-Z]{3}\b|[0-9]\s?ct")
"""What a text must contain for these rules to have any work."""
_GROUPED = r"[0-9]{1,3}(?: [0-9]{3}){1,4}(?![0-9])"
_DIGITS = (
    r"(?:[0-9]{1,400}(?:[.,][0-9]{1,400}|'[0-9]{3}(?![0-9])){0,7}|\.[0-9]{1,9})(?![0-9]|[.,][0-9])"
)
# A scale with a space before it: not "$20 T-shirt", "$5 k", "$5 M Street" or "$5 M. Lee".
_SCALE = (
    r"(?:[\s-]?(?P<scale%s>(?:hundred|thousand|million|billion|trillion|lakh|crore|mil|bn|mn|tn)"
    r"(?!\w)|(?:mm|Cr)(?![\w-])|(?<!-)[mMBK](?![\w-]|\.\w|\.? [A-Z])|(?<=[0-9])[kKmMbBtT](?!\w)))?"
)
_PERIOD = (
    r"(?P<per>(?:\s?/\s?(?:(?:sq|fl)\.? ?(?:ft|oz|m)|[A-Za-z]{1,12})(?![\w])²?"
    r"(?:(?<=\bmo|\byr|\bhr|\bwk|\blb|\boz|\bft)\.|(?<=\bmin)\.)?){0,2})"
)
_MINUS = r"(?:(?<![\w)])(?P<minus>-))?"
_SAID_AFTER = re.compile(r" (dollars?|euros?|pounds?|rupees?|yen|pesos?)\b")
_START = r"(?<![\w.,$€£])"


def _amount(amount: str, unit: str, scale: str | None) -> str:
    said = number(standard(amount, unit in DOTTED_THOUSANDS))
    return f"{said} {SCALES[scale.lower()]}" if scale else said


@lru_cache(maxsize=1024)
def _sum(unit: str, amount: str, scale: str | None, one_noun: bool) -> str:
    """Say one sum; `one_noun`: before what it describes, "a five dollar bill"."""
    one, many, cent, cents = CURRENCIES[unit]
    if one_noun:
        many, cents = one, cent
    if scale:
        return f"{_amount(amount, unit, scale)} {many}"
    amount = standard(amount, unit in DOTTED_THOUSANDS)
    whole, _, rest = amount.partition(".")
    if not rest or len(rest) > 2 or not cent:
        return f"{number(amount)} {one if amount == '1' else many}"
    hundredths = int(rest.ljust(2, "0"))
    said = []
    whole = whole or "0"
    if int(whole) or not hundredths:
        said.append(f"{number(whole)} {one if int(whole) == 1 else many}")
    if hundredths:
        said.append(f"{cardinal(hundredths)} {cent if hundredths == 1 else cents}")
    return " and ".join(said)


def _per(text: str) -> str:
    """Say what a price is for: "/user/mo." is "per user per month"."""
    if not text:
        return ""
    said = ""
    for part in re.split(r"\s?/\s?", text)[1:]:
        what = part.removesuffix(".")
        name = PER.get(what) or (UNITS[what][0] if what in UNITS else what)
        said += " each" if name == "each" else f" per {name}"
    return said


def _money(match: re.Match[str]) -> str:
    parts = match.groupdict()
    unit, amount, upto = parts["unit"], parts["amount"], parts["upto"]
    scale, scale_upto = parts.get("scale"), parts["scale2"]
    if unit not in CURRENCIES or (unit.isalpha() and _NO_SUM.match(match[0])):
        return match[0]
    unit = parts.get("code") or unit  # $20 CAD
    text, stop, per = match.string, match.end(), parts["per"]
    end = " " if text[stop : stop + 1].isalpha() else own_stop(match)  # "$5bill"
    one_noun = describes(text, match.start(), match.start("per"), price=True)
    named = _SAID_AFTER.match(text, stop)
    low = _amount(amount, unit, scale)
    if named and named[1] in CURRENCIES[unit][1]:
        said = low  # $20 dollars
    elif upto:
        said = f"{low} to {_sum(unit, upto, scale_upto, one_noun)}"
    else:
        said = _sum(unit, amount, scale or scale_upto, one_noun)
    sign = "minus " if parts["minus"] or parts.get("negative") else ""
    return sign + said + _per(per) + end


def _between(match: re.Match[str]) -> str | list[Edit]:
    return [(" to ", *match.span("dash"))] if match["unit"] in CURRENCIES else match[0]


def _negative(match: re.Match[str]) -> str:
    return f"minus {match['sum']}" if match["unit"] in CURRENCIES else match[0]


def _cents(match: re.Match[str]) -> str:
    one = match[1] == "1" or describes(match.string, match.start(), match.start("per"))
    return f"{number(match[1])} {'cent' if one else 'cents'}{_per(match['per'])}"


_UPTO = (
    rf"(?:(?:[-–—]|\s[–—]\s|\sto\s(?=[0-9.,]{{1,20}}\s?(?:million|billion|thousand|[kKMB])\b))"
    rf"(?P<upto>{_DIGITS})(?!\s?%|:[0-9]|[-–][0-9]|(?:st|nd|rd|th|[ap]m)\b){_SCALE % '2'})?"
)
RULES = (
    rule(r"\b(US) (?=\$\s?[0-9])", r"\1"),
    rule(r"(?<![\w.,$/])([1-9])/(?=\$[0-9])", r"\1 for "),  # 3/$5
    # Between two sums; before a noun the first currency isn't said.
    rule(
        rf"(?<=\b[Aa] )([$€£])({_DIGITS})(\s?[-–—]\s?)\1(?={_DIGITS})",
        r"\1\2\3",
    ),
    rule(
        rf"(?<!\w)(?P<unit>{_UNIT})\s?-?{_DIGITS}(?:[kKmMbB]|bn)?(?P<dash>\s?[-–—~]\s?)"
        rf"(?={_UNIT}\s?[0-9.])",
        _between,
    ),
    rule(
        rf"{_START}{_DIGITS}\s?(?P<unit>{_UNIT})(?P<dash>\s?[-–—]\s?)(?={_DIGITS}\s?{_UNIT}(?!\w))",
        _between,
    ),
    # In accounts what is in brackets is negative; elsewhere an aside.
    rule(
        rf"(?:(?<=\bis )|(?<=\bwas )|(?<=\bof )|(?<=: ))\((?P<sum>(?P<unit>{_UNIT})\s?{_DIGITS})\)",
        _negative,
    ),
    rule(rf"(?<![\w$€£])([$€£])\(({_DIGITS})\)", r"minus \1\2"),
    rule(r"\$(1|2|5|10|20|50|100)s\b", lambda m: plural(number(m[1]))),
    # A bill is named by what it is worth: "pay with a $50".
    rule(
        r"(?<=\b[Aa] )\$(1|2|5|10|20|50|100)"
        r"(?=[.!?;)]?\Z|[.!?;)] |,? (?:please|thanks|and|but|or)\b)",
        lambda m: number(m[1]),
    ),
    rule(
        rf"{_MINUS}(?<![\w$])(?P<unit>{_UNIT})\s?(?P<negative>-(?=[0-9.]))?"
        rf"(?P<amount>(?<=[A-Zrł€ ]){_GROUPED}(?:,[0-9]{{2}})?|{_DIGITS})"
        rf"{_SCALE % ''}{_UPTO}(?:\s?(?P<code>USD|CAD|AUD|NZD|SGD|HKD|MXN|EUR|GBP)\b)?"
        rf"(?:/-(?!\w))?{_PERIOD}",
        _money,
    ),
    rule(
        rf"{_MINUS}{_START}(?P<amount>{_GROUPED}(?:,[0-9]{{2}})?|{_DIGITS})"
        rf"(?:[-–](?P<upto>{_DIGITS}))?{_SCALE % '2'}"
        rf"\s?(?P<unit>{_UNIT})(?![\w$€£]|\s?[0-9]){_PERIOD}",
        _money,
    ),
    rule(
        rf"{_START}({_DIGITS})\s?(?:¢|[Cc]ts?\.?(?=\s?/|[ ,]|$)){_PERIOD}",
        _cents,
    ),
    rule(r"(?<=s) ea\b\.?(?=[ ,;]|$)", " each"),
    rule(rf"¢\s?({_DIGITS}){_PERIOD}", _cents),
)
