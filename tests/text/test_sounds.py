"""The laws: one form for each pronunciation, however it is written, and that form is its own."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.errors import InvalidRequest
from mira.text import sounds

# A word for each phoneme of CMUdict, and what it sounds like.
_CMU_WORDS = {
    "AA1 D": "ˈɑd", "AE1 T": "ˈæt", "HH AH1 T": "hˈʌt", "AO1 T": "ˈɔt", "K AW1": "kˈaʊ",
    "HH AY1 D": "hˈaɪd", "B IY1": "bˈi", "CH IY1 Z": "tʃˈiz", "D IY1": "dˈi", "DH IY1": "ðˈi",
    "EH1 D": "ˈɛd", "HH ER1 T": "hˈɜɹt", "EY1 T": "ˈeɪt", "F IY1": "fˈi", "G R IY1 N": "ɡɹˈin",
    "IH1 T": "ˈɪt", "IY1 T": "ˈit", "JH IY1": "dʒˈi", "K IY1": "kˈi", "L IY1": "lˈi",
    "M IY1": "mˈi", "N IY1": "nˈi", "P IH1 NG": "pˈɪŋ", "OW1 T": "ˈoʊt", "T OY1": "tˈɔɪ",
    "R IY1 D": "ɹˈid", "S IY1": "sˈi", "SH IY1": "ʃˈi", "TH EY1 T AH0": "θˈeɪtə",
    "HH UH1 D": "hˈʊd", "T UW1": "tˈu", "V IY1": "vˈi", "W IY1": "wˈi", "Y IY1 L D": "jˈild",
    "Z IY1": "zˈi", "S IY1 ZH ER0": "sˈiʒəɹ",
}  # fmt: skip


@pytest.mark.parametrize(("written", "canonical"), _CMU_WORDS.items())
def test_every_phoneme_of_cmudict(written: str, canonical: str) -> None:
    assert sounds.cmu(written) == canonical == sounds.ipa(canonical)
    assert sounds.cmu(f"{{{written.lower()}}}") == canonical


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("HH AH0 L OW1", "həlˈoʊ"),
        ("P R AH0 N AH2 N S IY0 EY1 SH AH0 N", "pɹənˌʌnsiˈeɪʃən"),
        ("DH AH0", "ðə"),
        ("W IH N", "wˈɪn"),  # one vowel, and nobody said that it has no stress
        ("D R AO1 IH0 NG", "dɹˈɔiŋ"),
        ("B AO1 DX AXR", "bˈɔɾəɹ"),
        ("B AH1 Q EN", "bˈʌʔən"),
    ],
)
def test_stress_of_cmudict(written: str, canonical: str) -> None:
    assert sounds.cmu(written) == canonical


@pytest.mark.parametrize(
    ("canonical", "ways"),
    [
        ("həlˈoʊ", "həˈloʊ həˈləʊ hə'lou hə’low həlˈoʊ /həˈləʊ/ [həˈlo̞ʊ̯] hə.ˈloʊ hə-ˈlo"),
        ("ʃəvˈɔn", "ʃəˈvɔːn ʃəˈvɔn ʃə'vɔ:n ʃəˈvɔˑn"),
        ("wˈɪn", "wɪn ˈwɪn /wɪn/ ˌˈwɪn wɪnˈ"),
        ("ɹˈɛd", "rɛd red ɹed ʁed ˈɻɛd"),
        ("ɡɹˈin", "gɹin ɡriːn ˈgriːn"),
        ("tʃˈɜɹtʃ", "tʃɜːtʃ t͡ʃɜːt͡ʃ t͜ʃɝt͜ʃ ʧɝʧ tʃɜɹtʃ tʃɜːrtʃ tʃɜ˞tʃ"),
        ("dʒˈʌdʒ", "dʒʌdʒ d͡ʒʌd͡ʒ ʤʌʤ dʒɐdʒ"),
        ("lˈɛɾəɹ", "ˈlɛɾɚ ˈleɾə˞ ˈlɛɾər ˈlɛ.ɾɚ"),
        ("bˈʌʔən", "ˈbʌʔn̩ ˈbʌʔᵊn ˈbʌʔən"),
        ("bˈɑɾəl", "ˈbɒɾɫ̩ ˈbɑɾl̩ ˈbɒː.ɾəl"),
        ("nˈaɪt", "naɪt nait najt nʌɪt nɑɪt"),
        ("bˈɔɪ", "bɔɪ bɔɪ̯ boɪ boj"),
        ("nˈaʊ", "naʊ nau naw næʊ"),
        ("dˈeɪ", "deɪ dei dej deː de: de"),
        ("nˈɔɹθ", "nɔːrθ noɹθ noːrθ nɔɹθ"),
        ("kˈɑɹ", "kɑːr kɑː(r) kɑɹ kaɹ kɒɹ"),
        ("hwɑkˈin", "hwɑˈkin hwaˈkiːn hwa.ˈkin"),
        ("hoʊsˈeɪ", "hoˈse hoʊˈseɪ ho.ˈse"),
        ("dɹˈɔiŋ", "ˈdrɔːɪŋ ˈdrɔ.ɪŋ"),
        ("nɑˈiv", "nɑˈiːv na.ˈiv nɑ.ˈiv"),
        ("ɪŋɡlɪʃ", "ɪŋglɪʃ"),
        ("sˌʌmθɪŋ ˈɛls", "ˌsʌmθɪŋ\u00a0els"),
        ("ɑnjˈoʊ", "ɑˈɲo"),
        ("pˈɪt", "pʰɪt̚"),
    ],
)  # fmt: skip
def test_the_ways_in_which_people_write_ipa(canonical: str, ways: str) -> None:
    assert {way: sounds.ipa(way) for way in ways.split(" ")} == dict.fromkeys(
        ways.split(" "), canonical
    )
    assert sounds.ipa(canonical) == canonical


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("wyn", "'y' (U+0079)"),
        ("WIN", "'W' (U+0057)"),
        ("lɒx", "'x' (U+0078)"),
        ("ɡaɾˈçon", "'ç' (U+00E7)"),
        ("xo\u0301", "'x' (U+0078)"),
        ("hose\u0301", "'é' (U+00E9)"),
        ("\u0303a", "'\u0303' (U+0303)"),
        ("ˈeɪ1", "'1' (U+0031)"),
        ("wɪn, nwɪn", "',' (U+002C)"),
        ("wɪn/nwɪn", "'/' (U+002F)"),
        ("w\x00n", "'\\x00' (U+0000)"),
        ("ши", "'ш' (U+0448)"),
        ("x" + "\u0308" * 150, "(U+1E8D" + " U+0308" * 7 + ") is"),
    ],
)
def test_a_symbol_that_is_unknown_is_named(written: str, named: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        sounds.ipa(written)
    assert named in str(error.value)


@pytest.mark.parametrize(
    "written", ["JH IH1 X", "JH1 IH", "ˈwɪn", "AA3", "AA11", "1", "-", "W,IH1"]
)
def test_a_symbol_that_is_not_cmudicts_is_named(written: str) -> None:
    with pytest.raises(InvalidRequest, match=r"is no sound of English in CMUdict's alphabet"):
        sounds.cmu(written)


@pytest.mark.parametrize("written", ["", " ", "//", "[ ]", "ˈ", ".", "()"])
def test_a_pronunciation_is_not_empty(written: str) -> None:
    with pytest.raises(InvalidRequest, match="is empty"):
        sounds.ipa(written)


def test_a_pronunciation_is_not_long() -> None:
    assert len(sounds.ipa("ə" * sounds.MAX_CHARS)) == sounds.MAX_CHARS
    for written in ("ə" * (sounds.MAX_CHARS + 1), "ɚ" * sounds.MAX_CHARS):
        with pytest.raises(InvalidRequest, match=f"more than the limit of {sounds.MAX_CHARS}"):
            sounds.ipa(written)
    with pytest.raises(InvalidRequest, match="more than the limit"):
        sounds.cmu("AA " * 100)


@pytest.mark.parametrize(
    ("word", "ended"),
    [
        ("Ann's", "z"),
        ("Pat's", "s"),
        ("Bush's", "ɪz"),
        ("Pat'd", "əd"),
        ("Ann'd", "d"),
        ("Ann'll,", "əl"),
        ("Ann've?", "əv"),
        ("(Ann're)", "əɹ"),
    ],
)
def test_a_name_with_an_ending(word: str, ended: str) -> None:
    sound = {"A": "ˈæn", "P": "pˈæt", "B": "bˈʊʃ"}[word.strip("(")[0]]
    ending = sounds.ENDING.search(word)
    assert ending and sounds.with_ending(sound, ending[1]) == sound + ended


@pytest.mark.parametrize("word", ["O'Neill", "'s", "Ann'sa", "don't", "rock'n"])
def test_what_is_no_ending(word: str) -> None:
    assert not sounds.ENDING.search(word)


_LETTERS = st.sampled_from([*sounds._SYMBOLS, *sounds._DETAIL, *sounds.PHONEMES])


@given(written=st.lists(_LETTERS, max_size=30).map("".join))
def test_the_canonical_form_is_its_own(written: str) -> None:
    try:
        canonical = sounds.ipa(written)
    except InvalidRequest:
        return
    assert sounds.ipa(canonical) == canonical
    assert sounds.ipa(unicodedata.normalize("NFC", written)) == canonical
    assert canonical == " ".join(canonical.split())
    assert_speakable(canonical)


@given(written=st.lists(st.sampled_from([*sounds._CMU, "0", "1", "2", " "]), max_size=30))
def test_both_alphabets_lead_to_the_same_form(written: list[str]) -> None:
    try:
        canonical = sounds.cmu(" ".join(written).replace(" 0", "0").replace(" 1", "1"))
    except InvalidRequest:
        return
    assert sounds.ipa(canonical) == canonical
    assert_speakable(canonical)


def assert_speakable(canonical: str) -> None:
    """It is phonemes, and marks that stand before vowels."""
    rest = canonical
    for stress in sounds.STRESSES:
        for vowel in sounds.VOWELS:
            rest = rest.replace(stress + vowel, vowel)
    for phoneme in sorted(sounds.PHONEMES, key=len, reverse=True):
        rest = rest.replace(phoneme, " ")
    assert not rest.strip()
