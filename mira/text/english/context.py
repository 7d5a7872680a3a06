"""A number in its sentence in, what it is out: a code, the name of a place, something counted.

Looks back at most 60 characters and not over the end of a clause, ahead at most three words.
Knows nothing about how any of them is read.
"""

# ruff: noqa: SIM905  (long word lists read best as text)

import re
from collections.abc import Callable
from enum import Enum, auto
from functools import partial

_LOOK = 60
_LOOK_WORDS = 16


class Kind(Enum):
    """What a number is, by the words around it."""

    CODE = auto()
    """Named digit by digit."""
    PLACE = auto()
    """The name of a room, a road, a flight: read in pairs."""


def _phrases(text: str) -> list[str]:
    return [phrase.strip() for phrase in text.replace("\n", ",").split(",") if phrase.strip()]


# What comes after one of these is named digit by digit, however short it is.
_ALWAYS = _phrases(
    """
    code, codes, pin, pins, otp, zip, postcode, passcode, password, ending in, ending with, ends in,
    ends with, end in, end with, ending, extension, ext, pnr, cvv, cvc, last four, last 4,
    last three, last five, last four digits, last 4 digits, last three digits, last five digits,
    first six, first six digits, sort code, area code, prefix, combination, passphrase, token
    """
)
# After one of these, three digits or more.
_NAMED = _phrases(
    """
    account, accounts, acct, a/c, order, orders, ticket, tickets, case, cases, reference, ref,
    confirmation, tracking, serial, invoice, booking, id, policy, member, membership, customer,
    client, card, reservation, claim, permit, licence, license, plate, tag, registration, reg, vin,
    sku, routing, iban, aba, bic, ssn, ein, social, social security, tax id, part, item, loyalty,
    flyer, visa, mastercard, amex, american express, discover, passport, docket, batch, locator,
    badge, meter, fax, hotline, imei, isbn, rma, po, purchase order, work order, request, incident,
    file, port, shipment, package, parcel, receipt, transaction, barcode, dial, enter, type,
    type in, key in, punch in, short code, model, phone, caller id, call, calls, calling, called,
    dialed, dialing, ring, text, texted, call us at, reach us at, call us on, call me at,
    call me on, p n, s n, p / n, s / n
    """
)
# After one of these, four.
_NUMBERS = ("number", "numbers", "no")
# "Text STOP to 70707": the word "to" stands before the number.
_SEND = ("text", "txt", "message", "msg", "sms", "send", "reply", "texting", "sending")
# Two numerals read as one name: "room two oh four".
_PLACES = _phrases(
    """
    room, rooms, rm, suite, suites, ste, apartment, apartments, apt, flat, flight, flights, gate,
    gates, floor, floors, exit, exits, bus, buses, train, trains, platform, bay, bays, seat, seats,
    row, rows, highway, highways, hwy, route, routes, rte, interstate, freeway, terminal, lot,
    locker, lockers, building, bldg, dock, track, pier, aisle, stop, cabin, berth, hall, table,
    tables, unit, units, mile marker, county road, state road, road, ward, door, stall, booth, bed,
    box, slip, hangar, studio, lane, sector, space, channel
    """
)
# Of the words above, these are verbs as well, or things that are counted.
_DOUBTFUL = frozenset(
    """
    order orders case cases text texted call calls calling called ring dial enter type request
    number numbers no part file item model ticket tickets exit train trains seat seats row rows
    table tables unit units stop bus buses floors rooms road lot space box card social discover
    claim permit phone package tag reg po units door channel bed accounts buildings tracking booking
    reference invoice batch fax plate badge member customer client pin pins zip port send sending
    sent reply
    """.split()
)
_SHORTEST = {
    **dict.fromkeys(_ALWAYS, 1),
    **dict.fromkeys(_NAMED, 3),
    **dict.fromkeys(_NUMBERS, 4),
}
_IS_PLACE = frozenset(_PLACES)
_ONLY_DIRECT = frozenset(
    """
    call calls calling called dial dialed dialing ring text texted enter type phone model part item
    file package request send reply message
    """.split()
).union(_PLACES)
_CUES = frozenset([*_SHORTEST, *_SEND, *_PLACES])
# The last word of a cue: how many words such cues are, the most first.
_PHRASES = {
    last: sorted({len(cue.split()) for cue in _CUES if cue.split()[-1] == last}, reverse=True)
    for last in {cue.split()[-1] for cue in _CUES}
}

# Between a cue and its number: "account number is: 1234", "code (like 482913)".
_WORD = re.compile(r"a/c\b|[A-Za-z]+(?:'(?!s\b)[A-Za-z]+)?|'s\b|[0-9](?:[\w.-]*\w)?|[^\w\s]")
_LINKS = frozenset(
    """
    number numbers num no nos id ids is are was were be like it 's and or to & # : ( " ' , - = .
    the digits code card line at on now
    """.split()
)
_QUOTES = ('"', "'", "#")
# The last word before a number that is some way from its cue.
_COPULAS = frozenset("is are was were be like 's : ( = reads says shows namely as".split())
# Between the two, or after the number: something is counted.
_MEASURES = frozenset(
    """
    total balance amount limit price cost costs fee count size sum value rate
    payment charge worth about around over under than least most nearly almost roughly
    approximately only just another weight length height width score temperature average minimum
    maximum quantity capacity budget income salary population
    """.split()
)
# "The code is 4821, and the year is 2024", "page 911".
_OWNERS = frozenset("year years page pages chapter section verse line lines paragraph age".split())
_EXAMPLE = re.compile(r"(?i)[,(]? ?\(?(?:for example|for instance|such as),? ?\Z")
_NEW_THOUGHT = (",", "and", "but", "so", "(")
# "Transaction, 1999", "number 4, 1968": what a comma sets apart is a year.
_CITED_YEAR = re.compile(r"(?:[a-z]|\b[0-9]{1,3}), (?:1[89]|20)[0-9]{2}\Z")
_LETTERS = re.compile("[A-Za-z]")
_ENDS_CLAUSE = re.compile(r"[.!?;]\s")
_ABBREVIATED = re.compile(r"(?i)\b(?:no|nos|acct|ref|ext|conf|apt|ste|rm|bldg|hwy|rte|tel|num)\.\s")

_COUNTED = frozenset(
    """
    people men women children feet percent hundred thousand million billion trillion dozen more
    less fewer kids staff folks euro yen dollar pound each apiece strong times square cubic
    degrees mph km kg lbs lb ft oz mi cm mm ml pm am
    """.split()
)
_NOT_COUNTED = frozenset(
    """
    is was has does expires ships arrives departs leaves works goes comes shows needs requires
    belongs begins starts ends gets stands appears matches means lets contains includes remains
    takes makes opens closes boards lands covers unlocks activates gives looks seems says runs stops
    serves fails reopens renews resets clears refers connects applies and or to for in on at with
    from by as but if when so then now this of out his its us the a an your our my that were are be
    before after until please today tomorrow yours ours hers theirs via which who because into
    always plus yes operates perhaps status address access
    """.split()
)
_UPTO = re.compile(r" ?(?:to|or|and|-|–) ?[0-9]{1,9}(?![\w.])")
_AFTER = re.compile(r"[ -]?([A-Za-z']+)")
# "482913 is your verification code", "use 4821 as your PIN", "the 212 area code".
_OWNED = r",?\s(?:is|are|was|were|as)\s(?:your|the|my|our|a|an|his|her|their)\s"
_CUE_AFTER = re.compile(
    rf"(?:{_OWNED}(?:(?!number)[A-Za-z-]{{1,15}}\s){{0,3}}?"
    r"(?:account|order|tracking|confirmation|reference|case|ticket|booking|phone|routing|zip|ZIP)?\s?"
    r"|\s(?:(?i:zip|area|pin|postal|country|access|security|verification|confirmation|dialing)\s)?"
    r"(?:(?:account|order|tracking|confirmation|reference|case|policy|phone|routing)\s)?)"
    r"(?i:code|pin|otp|passcode|password|id|extension|zip|number|last four(?: digits)?|prefix)"
    r"(?=$|[.,;:!?)\"']|\s(?:is|and|or|for|to|in|on|has|was|if|when|we|you|i)\b)"
)
# "The 405 freeway", "the 38 bus".
_PLACE_AFTER = re.compile(
    r" (?:freeway|highway|expressway|interstate|bus|train|tram|flight|exit|turnpike|room|block)\b"
)


def around(match: re.Match[str], chars: int = _LOOK) -> tuple[str, str]:
    """Cut out what stands directly before and directly after a match."""
    text, (start, stop) = match.string, match.span()
    return text[max(0, start - chars) : start], text[stop : stop + chars]


def own_stop(match: re.Match[str]) -> str:
    """Return the full stop that a short form at the end of a text shares with its sentence."""
    return "." if match[0].endswith(".") and match.end() == len(match.string) else ""


def is_counted(text: str, at: int) -> bool:
    """Tell whether the words after `at` are what a number counts: "1234 happy customers"."""
    if text.startswith(" of ", at):
        return True
    if upto := _UPTO.match(text, at):
        at = upto.end()
    for _ in range(3):
        word = _AFTER.match(text, at)
        if not word:
            return False
        plain = word[1].lower()
        if plain == "i" or (word[1].istitle() if word[1] != plain else plain in _NOT_COUNTED):
            return False
        if plain in _COUNTED or (plain.endswith("s") and plain[-2:] not in ("ss", "us", "is")):
            return True
        at = word.end()
    return False


def kind_of(text: str, start: int, stop: int) -> Kind | None:
    """Tell what the number or code in text[start:stop] is; None: its context does not say."""
    # A code with letters in it is long enough for any cue.
    size = sum(map(str.isdigit, text[start:stop]))
    cited = _CITED_YEAR.search(text, max(0, start - 24), stop)
    # "Your code, 2024, is" is none of these.
    if cited and (cited[0][0].isdigit() or text[stop : stop + 1] != ","):
        return None
    size += 9 * any(map(str.isalpha, text[start:stop]))
    if size < 2:
        return None  # one digit is read in the same way wherever it stands
    example = _EXAMPLE.search(text, max(0, start - 20), start)
    end = example.start() if example else start
    if _LETTERS.search(text, max(0, end - _LOOK), end):
        before = _WORD.findall(text[_clause_start(text, end) : end])[-_LOOK_WORDS:]
        words = [word.lower() for word in before]
        counted = partial(is_counted, text, stop)
        kind = _announced(before, words, size, not text.startswith("00", stop - 2), counted)
        if kind:
            return kind
    if _PLACE_AFTER.match(text, stop) and text[max(0, start - 4) : start].lower() == "the ":
        return Kind.PLACE
    return Kind.CODE if size > 2 and _CUE_AFTER.match(text, stop) else None


def _announced(
    before: list[str], words: list[str], size: int, exact: bool, counted: Callable[[], bool]
) -> Kind | None:
    """Tell what the nearest cue among the words before a number says that it is."""
    if _PHRASES.keys().isdisjoint(words):
        return None
    # The last word, whatever marks or letters of the code follow it.
    last = next((w for w in reversed(before) if w not in _QUOTES and not _is_lettered(w)), "")
    last = last.lower()
    is_direct = True
    for at in range(len(words), 0, -1):
        cue, between = _cue(words, at), words[at:]
        if not cue:
            if is_direct and words[at - 1] in _OWNERS and _owns(between):
                break
            is_direct = is_direct and _links(before[at - 1])
            if not is_direct and last != "to" and last not in _COPULAS:
                break
        elif _names_nothing(cue, words, at):
            continue
        elif is_direct or (last in _COPULAS and cue not in _ONLY_DIRECT):
            is_stated = any(word in _COPULAS or word[0].isdigit() for word in between)
            if is_stated and not _MEASURES.isdisjoint(_thought(words[:at]) + between):
                return None
            return _kind_after(cue, size, exact, is_stated, counted)
        elif last == "to" and cue in _SEND and 4 <= size <= 6:
            return None if counted() else Kind.CODE
    return None


def _owns(between: list[str]) -> bool:
    """Tell whether a year or a page has the number after it: not "last year, is 1234"."""
    return between[:1] != [","] and not any(word[0].isdigit() for word in between)


def _names_nothing(cue: str, words: list[str], at: int) -> bool:
    """Tell whether a cue is none here: "the number of guests", "suite number", "text STOP to"."""
    if words[max(0, at - 3) : at - 1] == ["number", "of"]:
        return True
    following = "".join(words[at : at + 1])
    if cue in _NUMBERS:
        owner = at - 2 if words[at - 2 : at - 1] == ["'s"] else at - 1
        return following == "of" or bool(_cue(words, owner))
    return cue in _IS_PLACE and following == "to"


def _links(word: str) -> bool:
    """Tell whether a word may stand between a cue and what it announces."""
    return word.lower() in _LINKS or word[0].isdigit() or _is_lettered(word)


def _is_lettered(word: str) -> bool:
    return word.isupper() and len(word) < 5


def _cue(words: list[str], at: int) -> str:
    """Return the cue that ends before `words[at]`, the longest; "" if there is none."""
    for length in _PHRASES.get(words[at - 1], ()) if at else ():
        cue = " ".join(words[max(0, at - length) : at])
        if cue in _CUES:
            return cue
    return ""


def _thought(words: list[str]) -> list[str]:
    """Return the words after the last one that begins something new."""
    begins = [at for at, word in enumerate(words) if word in _NEW_THOUGHT]
    return words[begins[-1] :] if begins else words


def _kind_after(
    cue: str, size: int, exact: bool, is_stated: bool, counted: Callable[[], bool]
) -> Kind | None:
    if cue in _IS_PLACE:
        if (cue in _DOUBTFUL or is_stated) and counted():
            return None
        return Kind.CODE if cue == "box" and size > 3 else Kind.PLACE
    if size < _SHORTEST.get(cue, 3):
        return None
    # "Order 48213 fails": so exact a number is no quantity, unless it is called or texted.
    is_name = exact and size > 4 and cue not in _ONLY_DIRECT
    doubtful = (cue in _DOUBTFUL and not is_name) or (cue.startswith("end") and size < 4)
    return None if (is_stated or doubtful) and counted() else Kind.CODE


def _clause_start(text: str, at: int) -> int:
    low = max(0, at - _LOOK)
    for end in _ENDS_CLAUSE.finditer(text, low, at):
        if not _ABBREVIATED.search(text, max(low, end.start() - 5), end.end()):
            low = end.end()
    return low
