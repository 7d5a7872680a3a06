"""What a text was said to be is how it is read, unless it can't be that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.text.say_as import say_as, spell


@pytest.mark.parametrize(
    ("kind", "form", "text", "spoken"),
    [
        ("cardinal", "", "1,234", "one thousand two hundred thirty-four"),
        ("cardinal", "", "007", "seven"),
        ("cardinal", "", "0", "zero"),
        ("cardinal", "", "-5.20", "minus five point two zero"),
        ("number", "", "+1999", "plus one thousand nine hundred ninety-nine"),
        ("number", "ordinal", "4", "fourth"),
        ("number", "digits", "40", "four zero"),
        ("cardinal", "", "V", None),
        ("cardinal", "", "", None),
        ("ordinal", "", "1,003rd", "one thousand third"),
        ("ordinal", "", "22", "twenty-second"),
        ("ordinal", "", "x", None),
        ("digits", "", "1 200", "one, two zero zero"),
        ("number-digit", "", "555-01", "five five five, zero one"),
        ("characters", "", "ab1", "A B one"),
        ("characters", "", "Zoë", "Z O Ë"),
        ("spell-out", "", "J.R.R.", "J R R"),
        ("verbatim", "", "a_b@x.com!", "A underscore B at X dot C O M"),
        ("characters", "", "???", None),
        ("telephone", "", "2125550123", "two one two, five five five, zero one two three"),
        ("telephone", "", "(212) 555-0123", "two one two, five five five, zero one two three"),
        ("telephone", "1", "5550123", "five five five, zero one two three"),
        ("telephone", "", "12125550123", "one, two one two, five five five, zero one two three"),
        ("phone", "", "70707", "seven zero seven zero seven"),
        ("telephone", "", "555 12 7", "five five five, one two, seven"),
        ("fraction", "", "2/9", "two ninths"),
        ("fraction", "", "1+1/2", "one and a half"),
        ("fraction", "", "3 3/4", "three and three quarters"),
        ("fraction", "", "1/0", "one over zero"),
        ("fraction", "", "half", None),
        ("date", "mdy", "3/5/2024", "March fifth, twenty twenty-four"),
        ("date", "dmy", "3.5.24", "May third, twenty twenty-four"),
        ("date", "ymd", "1999-12-31", "December thirty-first, nineteen ninety-nine"),
        ("date", "mdy", "2024-03-05", "March fifth, twenty twenty-four"),
        ("date", "yyyymmdd", "20240305", "March fifth, twenty twenty-four"),
        ("date", "", "20240305", "March fifth, twenty twenty-four"),
        ("date", "mmddyyyy", "03052024", "March fifth, twenty twenty-four"),
        ("date", "mdy", "030524", "March fifth, twenty twenty-four"),
        ("date", "md", "Sept 5th", "September fifth"),
        ("date", "dm", "5/3", "March fifth"),
        ("date", "my", "04/27", "April twenty twenty-seven"),
        ("date", "ym", "2027/04", "April twenty twenty-seven"),
        ("date", "d", "5", "fifth"),
        ("date", "m", "5", "May"),
        ("date", "y", "1905", "nineteen oh five"),
        ("date", "mdy", "13/5/2024", None),
        ("date", "mdy", "3/32/2024", None),
        ("date", "mdy", "3/5", None),
        ("date", "mm", "3", "March"),
        ("date", "xyz", "3/5/2024", None),
        ("date", "", "3/5/2024", None),
        ("date", "mdy", "99999999999999999999", None),
        ("time", "hms12", "2:30pm", "two thirty PM"),
        ("time", "hms24", "14:30", "fourteen thirty"),
        ("time", "hms24", "1430", "fourteen thirty"),
        ("time", "hms12", "7", "seven o'clock"),
        ("time", "", "1'21\"", "one minute and twenty-one seconds"),
        ("time", "", "soon", None),
        ("time", "", "77:77", None),
        ("currency", "", "$42.01", None),
        ("currency", "usd", "42.01", "USD 42.01"),
        ("unit", "", "5 km", None),
        ("expletive", "", "damn", "beep"),
        ("bleep", "", "damn", "beep"),
        ("name", "", "Joe", None),
    ],
)
def test_it_is_said_as_what_it_is(kind: str, form: str, text: str, spoken: str | None) -> None:
    assert say_as(kind, form, text) == spoken


_KINDS = ["telephone", "characters", "digits", "cardinal", "number", "ordinal", "fraction", "date"]


@given(
    kind=st.sampled_from([*_KINDS, "time", "currency", "unit", "expletive", "address"]),
    form=st.sampled_from(["", "mdy", "ymd", "dm", "y", "hms12", "ordinal", "usd"]) | st.text(),
    text=st.text(alphabet="0123456789/-:.,+ '\"apmAMarch$½٣é") | st.text(),
    english=st.booleans(),
)
def test_any_text_can_be_said(kind: str, form: str, text: str, english: bool) -> None:
    said = say_as(kind, form, text, english)
    assert said is None or any(map(str.isalnum, said))


def test_digits_are_set_apart_where_english_would_be_wrong() -> None:
    assert spell("AB-12", english=False) == "A B 1 2"
    assert say_as("telephone", "", "12 3", english=False) == "1 2 3"
    assert say_as("date", "mdy", "3/5/2024", english=False) is None
    assert spell("...", english=False) is None
