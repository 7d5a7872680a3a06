"""Words that somebody shouts or stretches in, the same as they are usually written out.

A voice would spell NOW, and say every o of "sooo". Knows nothing about what the words mean.
"""

# ruff: noqa: SIM905  (long word lists read best as text)

import re
from itertools import product

from mira.text.english.abbreviations import PREPOSITIONS, STARTERS, SUBORDINATORS
from mira.text.english.context import around
from mira.text.traced import rule

MAY_MATTER = re.compile(r"[A-Z]['’]?[A-Z]|([A-Za-z])\1\1")
"""What a text must contain for these rules to have any work."""

# Short words that people shout: longer ones are known by their shape.
_COMMON = (
    STARTERS
    | PREPOSITIONS
    | SUBORDINATORS
    | frozenset(
        """
        able abuse act add address after again age agent ago ahead aid air alarm alert all almost
        alone along already amen amount and any apply april are area arm army ask august away
        awesome awful aww awww baby back bad bag bake ball ban bank bar base bath be bean bear beat
        bed beef been beer beg begin bell belt best bet better big bike bill bird bit bite black
        block blood blow blue boat body bone bonus book boot born boss both bottle box boy brand
        bread break bring brown build burn busy buy bye cake call calm came camp cancel cap car card
        care case cash cat catch cell center chair chance change charge chat cheap check chef chess
        chip city claim class clean clear click clock close cloud club coat code coin cold come cook
        cool cop copy corn cost count coupon cow crazy cream credit cross cry cup cure cut cute
        daily damage danger dark date day dead deal dear death debt deep demo deny desk did die diet
        dinner dirt discount dish dog done door double draw dream dress drink drive drop dry due
        duty each ear early earn east easy eat egg eight else email empty end enjoy enter epic error
        even ever every exit extra eye face fact fail fair fake fall false fan far farm fast fat
        fear fee feed feel feet fell few file fill final find fine fire first fish fit five fix flag
        flat flight floor flow fly fold follow food fool foot form four free fresh friday friend
        front fruit full fun game gas gate gave gear get gift girl give glad glass goal god goes
        gold golf gone good got grand great green grew grid group grow guess guest guide gun guy
        hair half hall hand hang happy hard hat hate head heal hear heart heat heavy hello help her
        hero hey hide high hill him hire hit hmm hold hole holiday home hope horse host hot hotel
        hour house hug huge hurry hurt ice idea ill inside issue item jail job join joke july jump
        june junk just keep kept key kid kill kind king kiss knee knew know known label lady lake
        land large last late laugh law lead leaf learn lease least leave left leg less lesson level
        lie life light like limit limited line link lion list listen live loan lock lol long look
        lose loss lost lot loud love low lower luck lunch made mail main major make male man march
        math maybe meal mean meat meet member men menu met mice mile milk mind mine miss mix model
        mom money month moon more morning mouth move much mud music must nail name near neck need
        nest net never new news next nice night nine noise none noon nope north nose notice number
        nurse nut odd off offer office oil old one online ooh open order other our out over own pack
        page paid pain pair park part party pass past path pay peace pen pet phone photo pick pie
        piece pig pink pizza place plan plane plant play please plus point pool poor port post power
        press price print prize problem proof pull push quick quiet quit race radio rain ran rate
        read ready real really red refund rent reply rest rice rich ride right ring rise risk road
        rock roll roof room rope rule run rush sad safe said sale salt same sand sat save saw say
        scam school score sea seat second secure see seem seen self sell send sent set seven shame
        ship shirt shoe shop short show shut sick side sign silly silver sing sir sister sit site
        six size skin sky sleep slow small smart smell smile smoke snow soap sold song soon sorry
        sort soul sound soup south space speak special speed spend spot spring staff stage stairs
        stamp stand star start state stay step stick stock stone stop store storm story street
        strong stuff such sugar suit summer sun super sure sweet swim system table take talk tall
        tax tea teach team tear tell ten term test text than thank thanks them thing think third
        three thursday ticket tie tight till time tiny tip tired title toe told tone too took tool
        top total touch tour town toy track trade train trash travel tree trial trick trip truck
        true trust truth try turn twelve twenty twice two type ugh ugly under unit update upper
        urgent us use used user vacation valid value van very view visit voice void vote wage wait
        wake walk wall want war warm warn warning wash waste watch water wave way weak wear week
        weird well went west wet wheel white whoa whole wide wife win wind window wine winner winter
        wise wish woman won wonder wood word work world worry worse worst worth wow write wrong yard
        yay yeah year yell yellow yep yesterday yet young your zero zone
        """.split()
    )
)
# Acronyms, states and names that look like words, or are.
_AMBIGUOUS = frozenset(
    """
    a i am it us or me who in hi ok oh as an at be he so pin aid all can sat act
    art ram rom sim gas nut cat ice who led age bar ban fan pet tip app ace ago ads mud pen van
    """.split()
)
# After "the" they are the country, the department and the organisation.
_SAID_OF = ("us", "it", "who")
_ARTICLES = ("THE", "OUR", "YOUR", "MY", "AN", "A", "IN", "ALL")
_ACRONYMS = frozenset(
    """
    aspca usaid naacp https aarp asap hipaa nafta cobra ascii basic cobol fema osha ikea nasa nato
    opec fifa uefa json iban faq covid nasdaq unesco unicef lasik bios sars
    id pa la ma al pm aids epa irs fbi cia fda
    usps ups dmv mit ucla usda atm ceo cfo cto coo apr ira iou eta api
    """.split()
)
_SUFFIX = re.compile(r"['’](?:T|RE|LL|VE|D|M|S)\Z")
_BEFORE = re.compile(r"([A-Z][A-Z'’]{0,23})[ ,!?;:—-]{1,3}\Z")
_AFTER = re.compile(r"[ ,!?;:—-]{1,3}([A-Z][A-Z'’]{0,23})(?![\w])")
_CONSONANTS = "[BCDFGHJKLMNPQRSTVWXZ]"
_ONSETS = (
    "BL BR CH CL CR DR DW FL FR GH GL GN GR KL KN KR PH PL PR PS QU RH SC SCH SCR SH SHR SK SL SM "
    "SN SP SPH SPL SPR SQU ST STR SW TH THR TR TW WH WR"
).replace(" ", "|")
_CODAS = (
    "CK CT DTH FT GH GHT GHTS HN HNS KS LCH LD LDS LF LK LKS LL LLS LM LP LPS LSE LT LTH LTS MB MN "
    "MP MPS MPT NCH ND NDS NG NGS NGTH NK NKS NN NS NT NTH NTHS NTS PS PT PTS RB RBS RC RCH RD RDS "
    "RF RG RK RKS RL RLS RM RMS RN RNS RP RPS RS RST RT RTH RTS RTY SH SK SKS SM SMS SP SS ST STS "
    "TCH TH THS TS WD WDS WL WLS WN WNS WS XT XTS ZZ CKS CTS FF FFS FTS LS MS BS DS GS PH CH"
).replace(" ", "|")
# What can be pronounced: how an English word may begin, go on and end.
_WORD = re.compile(
    rf"(?:{_ONSETS}|{_CONSONANTS})?[AEIOUY]{{1,3}}(?:{_CONSONANTS}{{1,4}}[AEIOUY]{{1,3}}){{0,6}}"
    rf"(?:{_CODAS}|{_CONSONANTS})?"
)


def _base(word: str) -> str:
    base = _SUFFIX.sub("", word)
    return (base.removesuffix("N") if word.endswith(("'T", "’T")) else base).lower()


def _is_shouted(word: str) -> bool:
    """Tell whether a word in capitals is one without looking at its neighbours."""
    base = _base(word)
    if base in _AMBIGUOUS or base in _ACRONYMS:
        return len(base) < len(word) - 2 and base not in _ACRONYMS  # "CAN'T"
    return base in _COMMON or (len(base) > 4 and bool(_WORD.fullmatch(base.upper())))


def _shouted(match: re.Match[str]) -> str:
    word, text = match[0], match.string
    base = _base(word)
    if _is_shouted(word):
        return word.lower()
    if base in _ACRONYMS or not (base in _AMBIGUOUS or _WORD.fullmatch(base.upper())):
        return word
    # What may be an acronym is a word beside one that is shouted.
    before = _BEFORE.search(around(match, 30)[0])
    if base in _SAID_OF and before and before[1] in _ARTICLES:
        return word
    if base == "am" and not (before and before[1] == "I"):
        return word  # half of the day
    after = _AFTER.match(text, match.end(), match.end() + 30)
    if any(beside and _is_shouted(beside[1]) for beside in (before, after)):
        return word if base == "i" and "'" not in word else word.lower()
    return word


def _stretched(match: re.Match[str]) -> str:
    word = match[0]
    runs = _REPEATED.split(word.lower())  # text, letter, text, letter, ..., text
    letters = runs[1::2]
    if len({*word.lower()}) == 1 or len(letters) > 3 or _ROMAN.fullmatch(word):
        return word
    forms = [
        "".join(part + letter * count for part, letter, count in zip(runs[::2], letters, counts))
        + runs[-1]
        for counts in product((2, 1), repeat=len(letters))
    ]
    said = next((form for form in forms if form in _COMMON), None)
    if not said and word.isupper():
        return word
    said = said or forms[-1 if re.search("[aeiouy]", word.lower()) else 0]
    return said.capitalize() if word[0].isupper() else said


_REPEATED = re.compile(r"([a-z])\1{2,40}")
_ROMAN = re.compile(r"x{0,3}(?:l?x{0,3})v?i{3}")

RULES = (
    rule(
        r"(?<![\w.])(?:[A-Za-z]{0,20}?)([A-Za-z])\1{2,40}[A-Za-z]{0,40}(?![\w-]|\.\w)",
        _stretched,
        re.IGNORECASE,
    ),
    rule(r"(?<![\w.&#@+'’/-])[A-Z]{1,24}(?:['’][A-Z]{1,2})?(?![\w&@+]|[.'’/-]\w)", _shouted),
)
