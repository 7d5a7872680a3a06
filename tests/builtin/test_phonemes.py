"""Every text is read or refused, and none takes longer than its share."""

import contextlib
import itertools
import re
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.builtin.phonemes import _SILENT, MAX_DIGITS, MAX_PHONEMES, Phonemizer, Spoken, readable
from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.errors import NothingToSay
from mira.text import Dictionary, split_sentences
from mira.text.sounds import ipa
from mira.types import Sentence, Span, Word
from tools.corpus import categories

MOST_CALLS = 1_000_000
"""Of functions, for one piece: a measure of time that does not depend on what else the machine
does. The worst text known takes 0.46 million and 66 ms; without bounds, "b-b-b-…" took 5 s."""


@pytest.fixture(scope="session")
def phonemizer(builtin: BuiltinSynthesizer) -> Phonemizer:
    return builtin._phonemize


def ids(phonemizer: Phonemizer, sentence: Sentence) -> list[list[int]]:
    """What the network is given, part for part."""
    return [part.ids for part in phonemizer(sentence)]


def pieces(builtin: BuiltinSynthesizer, text: str) -> list[str]:
    """What an engine would ask for."""
    said = [piece.sentence.text for piece in split_sentences(text, builtin.max_chars)]
    return [words for words in said if words]


def most_calls(builtin: BuiltinSynthesizer, text: str) -> int:
    """For any of its pieces."""
    calls = [0]

    def count(frame: object, event: str, argument: object) -> None:
        calls[-1] += event in ("call", "c_call")

    for piece in pieces(builtin, text):
        calls.append(0)
        with contextlib.suppress(NothingToSay):
            sys.setprofile(count)
            try:
                builtin._phonemize(Sentence.of(piece))
            finally:
                sys.setprofile(None)
    return max(calls)


@pytest.mark.parametrize(
    "unit",
    ["b-", "A-", "xq-", "é-", "'s", "-b'", "I'm", "1.", "1.1", "1-1", "-1", "1a", "Ab", "aB", "a'",
     "(a)", "a.", "a,b", "a:", "a/", "a_b", "a@b.c ", "~a", "&b", "$1", "x", "Q", "zyzzog ",
     "ab-cd ",
     "a ", "::B",
     "-,", " -,", " ,1", "...a", "б-", "1б", "٣-", "日1", "-", "'", "“a”", "a—", "1,",
     "a\u0301-", "ﷺ", "㎯-"],
)  # fmt: skip
def test_no_pattern_takes_longer_than_its_share(builtin: BuiltinSynthesizer, unit: str) -> None:
    assert most_calls(builtin, (unit * 1024)[:512]) < MOST_CALLS


@settings(max_examples=40)
@given(
    unit=st.text("aB1é-'’.,/@_ :$(&…–🎉б", min_size=1, max_size=6),
    salt=st.text("aB1-'. ", max_size=3),
)
def test_nor_does_any_other(builtin: BuiltinSynthesizer, unit: str, salt: str) -> None:
    assert most_calls(builtin, salt + unit * (220 // len(unit))) < MOST_CALLS


def test_parts_fit_the_network(phonemizer: Phonemizer) -> None:
    for text in ("QXZ" * 70, "zyzzogeton " * 20, "1234567 " * 27, "w" * 220):
        assert max(map(len, ids(phonemizer, Sentence.of(text)))) <= MAX_PHONEMES + 2


@given(text=st.text("abAB019-'.,/ ", max_size=80))
def test_cutting_words_loses_nothing_but_hyphens(text: str) -> None:
    kept, cut = (
        "".join(char for char in said if char.isalnum()) for said in (text, readable(text))
    )
    assert kept == cut
    assert readable(readable(text)) == readable(text)


@pytest.mark.parametrize(
    "text",
    ["My mother-in-law's state-of-the-art, jack-of-all-trades kit isn't O'Neill's.",
     "It costs $1,234,567.89 (20% off)!", "naïve café, Łódź, ½, π",
     "Rock-'n'-roll, forget-me-nots."],
)  # fmt: skip
def test_ordinary_text_is_read_as_it_is(text: str) -> None:
    assert readable(text).replace("1/2", "½") == text


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("Donaudampfschifffahrtsgesellschaft", "Donaudampfschifff ahrtsgesellschaft"),
        ("Electroencephalographically's", "Electroencepha lographically's"),
        ("electroencephalographically", "electroencepha lographically"),
        ("“Jack-In-The-Box's”", "“Jack In The Box's”"),
        ("Lady-Of-The-Lake's", "Lady Of The Lake's"),
        ("Out-Of-The-Box’s", "Out Of The Box’s"),
        ("“Will-o'-the-Wisp's”", "“Will o'-the Wisp's”"),
        ("I-didn't-know-you-couldn't", "I didn't know you couldn't"),
        ("getMyAppStoreConnectKey's", "getMyAppStoreConnect Key's"),
    ],
)
def test_a_cut_leaves_words_their_capitals_and_their_s(
    phonemizer: Phonemizer, word: str, read: str
) -> None:
    assert readable(word) == read
    assert ids(phonemizer, Sentence.of(word)) == ids(phonemizer, Sentence.of(read))


@pytest.mark.parametrize(
    "word", ["Supercalifragilisticexpialidocious", "floccinaucinihilipilification",
             "antidisestablishmentarianism's"],
)  # fmt: skip
def test_long_words_of_the_lexicon_are_read_whole(phonemizer: Phonemizer, word: str) -> None:
    said = phonemizer._front_end(word)
    expected = [0, *(phonemizer._vocabulary[symbol] for symbol in said), 0]
    assert ids(phonemizer, Sentence.of(word)) == [expected]


@pytest.mark.parametrize(
    "text", ["日本語です。", "Привет, мир!", "你好，世界。", "مرحبا بالعالم", "नमस्ते दुनिया।",
             "한국어", "Γειά σου", "שלום", "ไทย", "ⴰⴱ", "—", "日、本"]
)  # fmt: skip
def test_what_it_cannot_read_is_said(phonemizer: Phonemizer, text: str) -> None:
    with pytest.raises(NothingToSay, match="it speaks English"):
        phonemizer(Sentence.of(text))


@pytest.mark.parametrize(
    ("mixed", "plain"),
    [
        ("Hello 日本 friend.", "Hello friend."),
        ("У меня 5 яблок", "5"),
        ("“Привет”, said he.", "said he."),
        ("Call Anna Иванова today", "Call Anna today"),
        ("٣٤", "34"),
        ("我有½", "1/2"),
    ],
)
def test_what_it_can_read_is_read(phonemizer: Phonemizer, mixed: str, plain: str) -> None:
    sounds = [
        [number for number in part if number > 16]
        for text in (mixed, plain)
        for part in ids(phonemizer, Sentence.of(text))
    ]
    assert sounds[0] == sounds[1]


ODD = [
    char
    for char in map(chr, range(sys.maxunicode + 1))
    if char not in "0123456789"
    and (char.isnumeric() or char.isdigit() or unicodedata.category(char) in ("Nd", "Nl", "No"))
]
CONTEXTS = [
    "{}", "{0}{0}", "www.{}", "www.{}.com/{}", "me@{}.x.y", "a{}@b.c", "#{}", "#a{}", "@{}",
    "${}", "${}.5", "{}%", "{}st", "{}/{}", "1{}", "{}1", "1.{}", "{}.1", "1-{}", "{}-{}",
    "{}:{}", "10:{}", "{} pm", "May {}", "{} May", "v{}", "v1.{}", "code {}", "room {}",
    "order #A{}B", "+1 {}{}{}{}{}{}{}{}", "A{}B{}", "{}kg", "{}°C", "-{}", ".{}", "{}'s", "{}s",
    "x{}", "{}x", "2**{}", "2 * {}", "{} = {}", "Chapter {}", "{}th", "$1{}k", "USD {}", "1 {}/2",
    "file{}.txt", "{},000", "https://a.b/{}?{}", "{}. item", "No. {}", "р {}", "日{}",
]  # fmt: skip


def test_there_are_many_odd_digits() -> None:
    assert len(ODD) > 1500


def test_no_digit_of_any_script_breaks_the_reading() -> None:
    """Each of them in an eighth of the contexts: each kind has hundreds, and so meets all."""
    for number, char in enumerate(ODD):
        for context in CONTEXTS[number % 8 :: 8]:
            list(split_sentences(context.replace("{0}", char).replace("{}", char)))


@pytest.mark.parametrize("repeated", [1, 3, 36, 37, 400, 5000])
@pytest.mark.parametrize("context", ["{}", "р{}", "www.{}", "1{}", "{}.{}", "{},{}", "-{}", "{}%"])
def test_nor_the_voice(phonemizer: Phonemizer, repeated: int, context: str) -> None:
    """One of each kind, as many times as no number has digits."""
    kinds = {(char.isdecimal(), char.isdigit(), unicodedata.category(char)): char for char in ODD}
    for char in kinds.values():
        said = split_sentences(context.replace("{}", char * repeated)[:5000])
        for piece in itertools.islice(said, 3):
            with contextlib.suppress(NothingToSay):
                phonemizer(Sentence.of(piece.sentence.text))


@settings(max_examples=150)
@given(
    parts=st.lists(
        st.sampled_from(ODD) | st.sampled_from([*"0179.,:-/@#$%+ aZ", "www.", "日", "я", " May "]),
        max_size=60,
    )
)
def test_nor_any_mixture(phonemizer: Phonemizer, parts: list[str]) -> None:
    written = "".join(parts)
    for text in (written, *(piece.sentence.text for piece in split_sentences(written))):
        with contextlib.suppress(NothingToSay):
            phonemizer(Sentence.of(text))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("They all voted no.", "They all voted no!"),
        ("Gen Z likes it.", "Jen Z likes it."),
        ("I will ask Jan.", "I will ask Jan!"),
        ("Tell Mark I said so.", "Tell Mark, I said so."),
        ("The room near Del Mar.", "The room near Del Mar!"),
    ],
)
def test_words_are_no_short_forms(phonemizer: Phonemizer, text: str, plain: str) -> None:
    """A text has been read when it comes here: what is written out in it would be said wrongly."""
    one, other = (
        [re.sub(r"\W", "", token.phonemes or "") for token in phonemizer._read(Sentence.of(each))]
        for each in (text, plain)
    )
    assert "".join(one) == "".join(other)


def test_long_numbers_are_named_digit_by_digit() -> None:
    for digits in ("7" * 37, "٧" * 37, "7,777" * 9):
        assert set(readable(digits).split()) == {"7"}
    assert readable("1" * MAX_DIGITS) == "1" * MAX_DIGITS


def test_it_reads_the_same_on_many_threads(phonemizer: Phonemizer) -> None:
    """It has no lock that one could wait for."""
    texts = [
        f"{name} reads {thing} at {hour}:30."
        for name, thing, hour in itertools.product(("Zyzzo", "Anna"), ("xq-ab", "books"), (3, 9))
    ]
    alone = [phonemizer(Sentence.of(text)) for text in texts]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            assert list(threads.map(phonemizer, map(Sentence.of, texts))) == alone


def sounded(text: str, **sounds: str) -> Sentence:
    """A sentence some of whose words say how they sound."""
    words = []
    for word in Sentence.of(text).words:
        bare = word.text.strip("“”(),.!?:;'\"—")
        words.append(replace(word, phonemes=ipa(sounds[bare]) if bare in sounds else ""))
    return Sentence(text, tuple(words))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Zyx", "zˈiks"),
        ("Zyx.", "zˈiks."),
        ("Hello, Zyx!", "həlˈO, zˈiks!"),
        ("“Zyx,” she said.", "zˈiks, ʃi sˈɛd."),
        ("(Zyx)", "(zˈiks)"),
        ("Dr. Zyx, Zyx 5 and Zyx", "dˈɑktəɹ zˈiks, zˈiks fˈIv ænd zˈiks"),
    ],
)
def test_a_word_is_spoken_as_its_phonemes_say(phonemizer: Phonemizer, text: str, said: str) -> None:
    assert phonemizer.phonemes(sounded(text, Zyx="ziks")) == said


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Give the Zyx to the Zyx.", "Give the apple to the apple."),
        ("I read a Zyx yesterday.", "I read a book yesterday."),
        ("I want to Zyx it.", "I want to eat it."),
        ("They Zyx the record, to record it.", "They hold the record, to record it."),
        ("Zyx used to live here.", "Anna used to live here."),
    ],
)
def test_its_neighbours_sound_as_they_should(phonemizer: Phonemizer, text: str, plain: str) -> None:
    word = next(word for word in plain.split() if word not in text.split()).strip(".")
    said = phonemizer.phonemes(sounded(text, Zyx=IPA[word]))
    assert said == phonemizer.phonemes(Sentence.of(plain))


IPA = {"apple": "ˈæpəl", "book": "bˈʊk", "eat": "ˈit", "hold": "hˈoʊld", "Anna": "ˈænə"}


def test_all_words_may_have_phonemes(phonemizer: Phonemizer) -> None:
    sentence = sounded("one Two three", one="wˈʌn", Two="tˈu", three="θɹˈi")
    assert phonemizer.phonemes(sentence) == "wˈʌn tˈu θɹˈi"
    assert ids(phonemizer, sentence) == ids(phonemizer, Sentence.of("one Two three"))


def test_phonemes_of_several_words_are_said_as_these(phonemizer: Phonemizer) -> None:
    assert phonemizer.phonemes(sounded("Call QX-9 now", **{"QX-9": "kˈu ˈɛks"})) == (
        "kˈɔl kˈu ˈɛks nˈW"
    )


@pytest.mark.parametrize("count", [1, 3, 9, 30])
@pytest.mark.parametrize("between", ["", "abcdefghijklmno"])
def test_words_without_spaces_stay_apart(phonemizer: Phonemizer, count: int, between: str) -> None:
    text = f"{between}中" * count + between
    pieces = split_sentences(text, dictionary=Dictionary.of({"中": {"ipa": "dʒɔŋ"}}, 1))
    said = " ".join(phonemizer.phonemes(piece.sentence) for piece in pieces)
    assert said.count("ʤˈɔŋ") == count
    assert "θ" not in said.replace("ʤˈɔŋ", ""), "no place is read"


@pytest.mark.parametrize("odd", ["þÿþ", "Þÿþ", "þÿþþÿþ", "a þÿþ", "ÞÿÞÿþþ"])
def test_what_marks_a_place_can_not_be_written(phonemizer: Phonemizer, odd: str) -> None:
    said = phonemizer.phonemes(sounded(f"{odd} Zyx {odd}", Zyx="ziks"))
    plain = odd.replace("ÿ", "y")
    assert said == phonemizer.phonemes(sounded(f"{plain} Zyx {plain}", Zyx="ziks"))
    phonemizer(Sentence.of(odd + " hello"))


@given(
    text=st.text("aB1é-'’.,/@_ :$(“”!?…þÿÞ日\u0301", max_size=30),
    after=st.text("'s.,)-!?” ", max_size=5),
)
def test_nothing_around_it_changes_it(phonemizer: Phonemizer, text: str, after: str) -> None:
    word = f"{text.split(' ')[-1]}Zyx{after.split(' ')[0]}"
    start = len(text) - len(text.split(" ")[-1])
    words = [*Sentence.of(text[:start]).words, Word(word, Span(start, start), "zˈiks")]
    said = phonemizer.phonemes(Sentence(text[:start] + word, tuple(words)))
    assert said.count("zˈiks") == 1


def test_many_of_them_take_no_longer(builtin: BuiltinSynthesizer) -> None:
    text = "((((((((((Zyx)))))))))) " * 9
    assert len(builtin._phonemize(sounded(text, Zyx="ziks"))) == 1


def check_places(phonemizer: Phonemizer, sentence: Sentence) -> list[Spoken]:
    """Every sound is some word's, and words are in order; returns those that have a place."""
    parts = phonemizer(sentence)
    silent = {phonemizer._vocabulary[mark] for mark in _SILENT}
    for part in parts:
        owned = [at for word in part.words for at in range(word.start, word.stop)]
        assert owned == sorted({*owned})
        assert all(0 < word.start < word.stop < len(part.ids) for word in part.words)
        sounding = {at for at, number in enumerate(part.ids) if number and number not in silent}
        assert sounding <= {*owned}
    words = [word for part in parts for word in part.words]
    indices = [word.index for word in words]
    assert indices == sorted(indices)
    assert {*indices} <= {*range(len(sentence.words))}
    return words


@given(text=st.text("abCIx019-'’.,/@_ :$%&(“”!?…—°é½日þÿ\u0301\t", min_size=1, max_size=60))
def test_every_sound_is_of_a_word(phonemizer: Phonemizer, text: str) -> None:
    sentence = Sentence.of(text)
    with contextlib.suppress(NothingToSay):
        words = check_places(phonemizer, sentence)
        if not any(word.guessed for word in words):
            said = [sentence.words[word.index].text for word in words]
            plain = [word.text for word in sentence.words if re.search("[A-Za-z]", word.text)]
            assert {*plain} - {*said} <= set()


@given(
    words=st.lists(st.sampled_from(["Zyx", "“Zyx”", "Siobhan’s", "isn't,", "QX-9", "ab-cd-ef"])),
    known=st.sets(st.sampled_from(["Zyx", "“Zyx”", "QX-9"])),
)
def test_words_of_known_sounds_have_their_place(
    phonemizer: Phonemizer, words: list[str], known: set[str]
) -> None:
    sentence = sounded(" ".join(["so", *words]), **dict.fromkeys(known, "kˈu zˈɪks"))
    said = check_places(phonemizer, sentence)
    assert {word.index for word in said} == {*range(len(sentence.words))}
    assert not any(word.guessed for word in said)


def test_a_word_that_nobody_can_read_has_no_place(phonemizer: Phonemizer) -> None:
    sentence = Sentence.of("Hello — my 日本 friend, Привет (!) bye")
    words = [sentence.words[word.index].text for word in check_places(phonemizer, sentence)]
    assert words == ["Hello", "my", "friend,", "bye"]


def test_marks_come_after_words(phonemizer: Phonemizer) -> None:
    (part,) = phonemizer(Sentence.of("“Well, it is — so we hope. (Yes!)"))
    assert [word.marked for word in part.words] == [True, False, True, False, False, True, True]


def test_a_word_of_two_parts_has_its_place_in_the_first(phonemizer: Phonemizer) -> None:
    one, two = phonemizer(Sentence.of("1,234,567,891 " * 5))
    assert {word.index for word in one.words} & {word.index for word in two.words} == set()
    assert [word.index for part in (one, two) for word in part.words] == [0, 1, 2, 3, 4]
    assert two.words[0].start > 20


def test_hardly_any_is_guessed(phonemizer: Phonemizer) -> None:
    """Of what agents write, none."""
    for pairs in categories().values():
        for pair in pairs[::7]:
            for piece in split_sentences(pair.written):
                if piece.sentence.text:
                    words = check_places(phonemizer, piece.sentence)
                    assert not any(word.guessed for word in words), pair.written
                    read = {word.index for word in words}
                    assert all(
                        at in read or not re.search(r"\w", word.text)
                        for at, word in enumerate(piece.sentence.words)
                    ), pair.written
