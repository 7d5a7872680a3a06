"""A piece of marked-up text in, plain text of the same words out.

Removes what has no sound: Markdown, HTML, emoji, invisible characters. Knows nothing about
how what is left is read; what people say aloud (1/2, 5 > 3, C#) is left as it is.
"""

import html
import re
import unicodedata

# A piece with none of these is clean already, save for its white space.
_SUSPECT = re.compile(r"[^\x20-\x25\x27-\x29\x2b-\x3b=?-Za-z]|\A\s*[-+#]|[-=]{3}")

_HTML_TAGS = (
    "a abbr article aside audio b big blockquote body br button caption center cite code dd del "
    "details dfn div dl dt em figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr "
    "html i iframe img input ins kbd label li link main mark meta nav ol p pre q s samp script "
    "section small source span speak strike strong style sub summary sup svg table tbody td tfoot "
    "th thead title tr tt u ul var video wbr break prosody emphasis say-as voice"
)
_TAG = re.compile(rf"</?(?:{_HTML_TAGS.replace(' ', '|')})(?=[\s/>])[^<>]{{0,500}}>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.{0,2000}?-->", re.DOTALL)
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,2000}|[\w.+-]{1,64}@[\w.-]{1,255})>")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")

# No sound and no meaning for a voice: controls, directions, joiners outside the scripts that
# spell with them, variation selectors, tags, surrogates, private use.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\uffff\U000e0000-\U0010ffff]"
    "|(?<![\u0600-\u0dff])[\u200c\u200d]"
)
# NFKC for these alone. Everywhere else it destroys meaning: 2² becomes 22, ½ becomes 1⁄2 glued to
# the number before it, and Chinese punctuation becomes Latin.
_COMPATIBLE = re.compile(
    "[\uff04\uff05\uff0b\uff10-\uff19\uff1d\uff20-\uff3a\uff41-\uff5a\uff65-\uff9f\uffe0-\uffe6"
    "\ufb00-\ufb06\u2100-\u2101\u2103\u2109-\u2113\u2115\u2119-\u211d\u2121\u2124\u2126-\u2134"
    "\u2160-\u217f\u2460-\u24ff\u3300-\u33ff\U0001d400-\U0001d7ff]"
)
_SAME = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʼ＇´", "'"),
        **dict.fromkeys("“”„‟″〃＂", '"'),
        **dict.fromkeys("‐‑‒−﹣－", "-"),
        **dict.fromkeys("―⸺⸻", "—"),
        **dict.fromkeys("\u00a0\u1680\u202f\u205f\u3000\x85", " "),
        **dict.fromkeys(map(chr, range(0x2000, 0x200B)), " "),
        "‥": "…",
        "⁄": "/",
        "∕": "/",
        "μ": "µ",
        "№": "No. ",
        "‼": "!!",
        "⁇": "??",
        "⁈": "?!",
        "⁉": "!?",
    }
)
_GREEK_MU_WORD = re.compile(r"(?<=[\u0370-\u03ff])µ|µ(?=[\u0370-\u03ff])")
_PICTURES = re.compile(
    "[\u00a9\u00ae\u203c\u2049\u20e3\u2117\u2122\u2139\u2194-\u21ff\u2300-\u23ff\u2400-\u243f"
    "\u2500-\u27bf\u2900-\u2982\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff\U0001fb00-\U0001fbff]+"
)

_RULE = re.compile(
    r"\s*(?:[-*_=~]\s?){3,}\s*|\s*(?:```|~~~)\s?[\w+#.-]*\s*|[\s|:+-]*-[\s|:+-]*\|[\s|:+-]*"
)
_REFERENCE = re.compile(r"\s*\[[^\]\[]{1,200}\]:\s+(?:https?://|/|#|<)\S*.*")
_LINE_MARKS = re.compile(
    r"\s*(?:>\s?)*\s*(?:#{1,6}\s+|[-*+•‣▪◦·–—]\s+(?:\[[ xX]\]\s+)?|\[\^[^\]\[\s]{1,50}\]:\s*)?"
)
_CLOSING_HASHES = re.compile(r"(?<=\s)#{1,6}\s*\Z")
_IMAGE_OR_LINK = re.compile(
    r"!?\[([^\[\]]{0,1000})\](?:\([^()\s]{0,2000}(?:\([^()\s]{0,200}\)[^()\s]{0,200})?"
    r"(?:\s+[\"'][^\"']{0,200}[\"'])?\s?\)|\[[^\[\]]{0,200}\])"
)
_FOOTNOTE = re.compile(r"\[\^[^\]\[\s]{1,50}\]")
_STARS_OPEN = re.compile(r"(?<![\w*\\])\*{1,3}(?=[^\s*])")
_STARS_CLOSE = re.compile(r"(?<=[^\s*\\])\*{1,3}(?![\w*])")
_BARS_OPEN = re.compile(r"(?<![\w\\])_{1,3}(?=[^\s_])")
_BARS_CLOSE = re.compile(r"(?<=[^\s_\\])_{1,3}(?!\w)")
_LONG_STARS = re.compile(r"(?<=[^\s*])\*\*\*?(?=[^\s*])")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|~>])")
_SPACE_BEFORE = re.compile(r" ([,.;:!?…])(?![\w.])")
_SPACE_IN_BRACKET = re.compile(r"([(\[]) | ([)\]])")
_EMPTY_BRACKETS = re.compile(r"\(\s?\)|\[\s?\]")


def clean(text: str) -> str:
    """Strip everything that is not spoken from one piece of text."""
    if _SUSPECT.search(text):
        text = _unmark_html(text)
        text = _characters(text)
        text = " ".join(filter(None, map(_line, _lines(text))))
        text = _inline(text)
    return " ".join(text.split())


def _unmark_html(text: str) -> str:
    if "<" in text:
        text = _COMMENT.sub(" ", text)
        text = _AUTOLINK.sub(r"\1", text)
        text = _TAG.sub(_tag, text)
    return _ENTITY.sub(lambda m: html.unescape(m[0]), text) if "&" in text else text


def _tag(match: re.Match[str]) -> str:
    # A tag inside a word is styling ("H<sub>2</sub>O"); around one it is a space at most.
    inline = re.match(r"</?(?:a|b|em|i|s|strong|sub|sup|u|span|code|mark|small|wbr)\b", match[0])
    return "" if inline else " "


def _characters(text: str) -> str:
    if text.isascii():
        return _INVISIBLE.sub("", text)
    text = _COMPATIBLE.sub(lambda m: unicodedata.normalize("NFKC", m[0]), text)
    text = _INVISIBLE.sub("", text)
    text = unicodedata.normalize("NFC", text)
    text = _GREEK_MU_WORD.sub("μ", text.translate(_SAME)) if "μ" in text else text.translate(_SAME)
    return _PICTURES.sub(" ", text)


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not _RULE.fullmatch(line)]


def _line(line: str) -> str:
    if _REFERENCE.fullmatch(line):
        return ""
    marks = _LINE_MARKS.match(line)
    assert marks is not None
    if "#" in marks[0]:
        line = _CLOSING_HASHES.sub("", line)
    line = line[marks.end() :].strip()
    if len(line) > 1 and line[0] == "|":
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        return ", ".join(filter(None, cells))
    return line


def _inline(text: str) -> str:
    if "[" in text:
        text = _FOOTNOTE.sub("", _IMAGE_OR_LINK.sub(r"\1", _IMAGE_OR_LINK.sub(r"\1", text)))
    text = text.replace("`", "").replace("~~", "")
    if "*" in text:
        text = _STARS_CLOSE.sub("", _STARS_OPEN.sub("", text))
        text = _LONG_STARS.sub(_long_stars, text)
    if "_" in text:
        text = _BARS_CLOSE.sub("", _BARS_OPEN.sub("", text))
    text = _EMPTY_BRACKETS.sub("", _ESCAPE.sub(r"\1", text))
    text = " ".join(text.split())
    return _SPACE_BEFORE.sub(r"\1", _SPACE_IN_BRACKET.sub(lambda m: m[1] or m[2], text))


def _long_stars(match: re.Match[str]) -> str:
    # 2**3 is a power; any other pair between two words was emphasis.
    return match[0] if match.string[match.end()].isdigit() else ""
