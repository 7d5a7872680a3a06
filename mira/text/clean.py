"""A piece of marked-up text in, plain text of the same words out.

Removes what has no sound: Markdown, emoji, invisible characters. Knows nothing about how what is
left is read; what people say aloud (1/2, 5 > 3, C#) is left as it is, and so is what looks like a
tag: it was written as text.
"""

import re
import unicodedata

from mira.text.traced import Traced, rule

_SYMBOL = r"[\"-+/:-@\[-^`{-~]"
# A piece with none of these is clean already, save for its white space.
_SUSPECT = re.compile(
    r"[^\x20-\x25\x27-\x29\x2b-\x3b=?-Za-z]|\A\s*[-+#]|[-=]{3}|==|([^\w\s.,!?…–—-])\1{4}"
    r"|[:;=]['-]{0,2}[()DPpOo/|]|:[a-z+]|[xX]D\b"
    rf"|{_SYMBOL}{{8}}"
)

# No sound and no meaning for a voice: controls, directions, joiners outside the scripts that
# spell with them, variation selectors, tags, surrogates, private use.
_INVISIBLE = rule(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\uffff\U000e0000-\U0010ffff]"
    "|(?<![\u0600-\u0dff])[\u200c\u200d]",
    "",
)
# NFKC for these alone. Everywhere else it destroys meaning: 2² becomes 22, ½ becomes 1⁄2 glued to
# the number before it, and Chinese punctuation becomes Latin.
_COMPATIBLE = rule(
    "[\uff04\uff05\uff0b\uff10-\uff19\uff1d\uff20-\uff3a\uff41-\uff5a\uff65-\uff9f\uffe0-\uffe6"
    "\ufb00-\ufb06\u2100-\u2101\u2103\u2109-\u2113\u2115\u2119-\u211d\u2121\u2124\u2126-\u2134"
    "\u2160-\u217f\u2460-\u24ff\u3300-\u33ff\U0001d400-\U0001d7ff]",
    lambda m: unicodedata.normalize("NFKC", m[0]),
)
# Faces and hearts typed in marks, and emoji by name: no part of a word, a time or a list.
_EMOTICONS = (
    rule(
        r"(?:(?<!\S)|(?<=[a-z!?.,]))(?:[:;=]['’]?-?[)(]{1,5}|[:;]-[DPpOo/|*\]\[])(?![\w(])",
        " ",
    ),
    rule(
        r"(?<!\S)(?:[:;=][DPpoO/|*\]\[]|[xX]D|<{1,2}3{1,5}|</3|\^_{0,3}\^|[oO]_[oO]|[-T]_[-T])(?![\w/])",
        " ",
    ),
    rule(r"(?<![\w:]):(?=[a-z+-])[a-z0-9_+-]{1,30}:(?![\w:])", " "),
)
# A letter and its accents.
_COMPOSED = rule(
    r"(?:[\u1100-\u11ff\uac00-\ud7a3]+|\S)[^\w\s]*", lambda m: unicodedata.normalize("NFC", m[0])
)
_SAME = {
    **dict.fromkeys("‘’‚‛′ʼ＇´", "'"),
    **dict.fromkeys("“”„‟″〃＂", '"'),
    **dict.fromkeys("‐‑‒−﹣－", "-"),
    **dict.fromkeys("―⸺⸻", "—"),
    **dict.fromkeys("\u00a0\u1680\u202f\u205f\u3000\x85", " "),
    **dict.fromkeys(map(chr, range(0x2000, 0x200B)), " "),
    "‥": "…",
    "⁄": "/",
    "∕": "/",
    "№": "No. ",
    "⌘": "Command ",
    "⌥": "Option ",
    "⇧": "Shift ",
    "⌃": "Control ",
    "⏎": "Enter ",
    "‼": "!!",
    "⁇": "??",
    "⁈": "?!",
    "⁉": "!?",
}
_LOOKALIKES = (
    rule(f"[{''.join(_SAME)}]", lambda m: _SAME[m[0]]),
    rule(r"\b[Nn][º°] ?(?=[0-9])", "No. "),
    rule(r"(?<=[Cc]opyright )©\s?", ""),
    rule(r"©\s?(?=(?:19|20)[0-9]{2}\b)", "copyright "),
    # A unit's, not that of a Greek word.
    rule(r"(?<![\u0370-\u03bb\u03bd-\u03ff])μ(?![\u0370-\u03bb\u03bd-\u03ff])", "µ"),
    rule(
        "[\u00a9\u00ae\u203c\u2049\u20e3\u2117\u2122\u2139\u2194-\u21ff\u2300-\u23ff\u2400-\u243f"
        "\u2500-\u27bf\u2900-\u2982\u2b00-\u2bff\u3030\u303d\u3297\u3299"
        "\U0001f000-\U0001faff\U0001fb00-\U0001fbff]+",
        " ",
    ),
)
# A line, a frame, a slip of the hand, a curse: nobody says "dollars" five times, nor eight symbols.
_OVER_AND_OVER = rule(rf"([^\w\s.,!?…–—-])\1{{4,}}|{_SYMBOL}{{8,}}", " ")
# Of the piece before, which was cut before its mark: "Hello <break/>, world".
_LEFT_OVER = rule(r"\A[,.;:!?] ", "")
_ONE_SPACE = rule(r"\s{2,}|[^\S ]", " ")
_SPACES = (_ONE_SPACE, rule(r"\A | \Z", ""))

_LINE = (
    _ONE_SPACE,
    rule(r"\A ", ""),
    rule(r"\A(?:(?:[-*_=~] ?){3,}|(?:```|~~~) ?[\w+#.-]* ?|(?=.*-)(?=.*\|)[ |:+-]+)\Z", ""),
    rule(r"\A\[[^\]\[]{1,200}\]: (?:https?://|/|#|<).*\Z", ""),
    rule(r"\A((?:> ?)*#{1,6} (?:.* )?)#{1,6} ?\Z", r"\1"),
    rule(r"\A(?:> ?)*(?:#{1,6} |[-*+•‣▪◦·–—] (?:\[[ xX]\] )?|\[\^[^\]\[\s]{1,50}\]: ?)?", ""),
)
_ROW = (rule(r"\A[ |]+|(?<![ |])[ |]+\Z", ""), rule(r" ?\|[ |]*", ", "))

_IMAGE_OR_LINK = rule(
    r"!?\[([^\[\]]{0,1000})\](?:\([^()\s]{0,2000}(?:\([^()\s]{0,200}\)[^()\s]{0,200})?"
    r"(?:\s+[\"'][^\"']{0,200}[\"'])?\s?\)|\[[^\[\]]{0,200}\])",
    r"\1",
)
_INLINE = (
    _IMAGE_OR_LINK,
    _IMAGE_OR_LINK,  # an image that is a link
    rule(r"\[\^[^\]\[\s]{1,50}\]", ""),
    rule("`", ""),
    rule("~~", ""),
    rule(r"(?<![\w=])==(?=\w)|(?<=[\w.!?])==(?![\w=])", ""),
    # Not a telephone's key: "dial *67".
    rule(r"(?<![\w*\\])(?<!ial )(?<!ress )\*{1,3}(?=[^\s*])", ""),
    rule(r"(?<=[^\s*\\])\*{1,3}(?![\w*])", ""),
    rule(r"(?<=[^\s*])\*\*\*?(?=[^\s*\d])", ""),  # 2**3 is a power
    rule(r"(?<![\w\\])_{1,3}(?=[^\s_])", ""),
    rule(r"(?<=[^\s_\\])_{1,3}(?!\w)", ""),
    rule(r"\\([\\`*_{}\[\]()#+\-.!|~>])", r"\1"),
    rule(r"\(\s?\)|\[\s?\]|< >", ""),  # "<<name>>" without its name
    *_SPACES,
    rule(r"([(\[]) | ([)\]])", r"\1\2"),
    rule(r" ([,.;:!?…])(?![\w.])", r"\1"),
)

RULES = (
    *(_COMPATIBLE, _INVISIBLE, _COMPOSED, _OVER_AND_OVER, _LEFT_OVER),
    *(*_EMOTICONS, *_LOOKALIKES, *_LINE, *_ROW, *_INLINE, *_SPACES),
)


def clean(text: Traced) -> None:
    """Strip everything that is not spoken from one piece of text."""
    if _SUSPECT.search(text.text):
        text.apply((*_EMOTICONS, _COMPATIBLE, _INVISIBLE))
        if not unicodedata.is_normalized("NFC", text.text):
            text.apply((_COMPOSED,))
        text.apply((_OVER_AND_OVER, *_LOOKALIKES, *_LINE))
        if text.text.lstrip().startswith("|"):
            text.apply(_ROW)
        text.apply(_INLINE)
    text.apply((_LEFT_OVER,))
    collapse(text)


def collapse(text: Traced) -> None:
    """Leave one space where there is white space, and none at the ends."""
    if text.text != " ".join(text.text.split()):
        text.apply(_SPACES)
