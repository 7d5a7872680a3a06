"""What somebody may send by mistake or malice: one symbol, or a few, over and over.

Knows nothing about what it may cost.
"""

import time

from mira.text import split_sentences

MARK_UP = (
    *("<a ", "<a>", "</a", "</", "&#", "&a", "&amp;", "&lt;", "[pause", "[pause:", "[pause:1s]"),
    *("<!--", "<![CDATA[", "<break", "<break ", "<break/>", "<p>", "<b>x", "<td>a", "<s>a</s>"),
    *("?<a", "[pause:9s]a", '="', "<x y=", "<a ='", '<a b="', "<a b='\"", "<spell>", "</spell>"),
    *('<sub alias="x">', "<say-as interpret-as='date'>1/"),
    *("<spell>a</spell>", "<spell>A1</spell> "),
)
UNITS = (
    *"!\"#$%&'()*+,-./0589:;<=>?@AaXx[\\]^_`{|}~ \n",  # one character
    *"–—…“’•€£½²①№°™π你。é🎉",
    *("\u0301", "e\u0301", "\u200b", "\u200d", "\ue000", "👍🏽", "1️⃣"),
    *("1,", "1.", "1-", "1:", "1/", "1 ", "1'", '1"', "1x", "1 x ", "1%-", "$1-", "$1 ", "+1 "),
    *("a@", "a.", "a-", "a/", "a_", "aB", "a b ", "A1", "A. ", "AB1-", "#a", "@a ", "x=1 ", "-- "),
    *MARK_UP,
    *("[a](", "[[", "**", "__", "~~", "```", "| ", "|-", "- ", "* ", "1) ", "> ", "# "),
    *("www.", "http://", "a.co/", "v1.", "0x", "IV ", "St. ", "Dr. ", "NY ", "P.O. ", "ext. "),
    *("May ", "Mon-", "Mon, ", "am ", "5 km ", "9-5 ", "No. ", "code ", "number is ", "order #"),
    *("word ", "e.g. ", "A B ", "1st ", "1 2 ", "12 ", "1/2 ", "1:1 ", "$.5", "-1", "((1", "'s "),
)  # fmt: skip


def ms_per_hundred(unit: str, num_chars: int = 4096) -> float:
    """Read so many characters of it; ms of processor time for each hundred."""
    text = (unit * (num_chars // len(unit) + 1))[:num_chars]
    began = time.process_time()
    for _ in split_sentences(text):
        pass
    return (time.process_time() - began) * 1000 / (num_chars / 100)
