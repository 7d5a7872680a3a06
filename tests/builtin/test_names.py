"""Names as people say them, and the letter A."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mira.builtin.phonemes import Phonemizer
from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.text import split_sentences
from mira.text.sounds import cmu
from mira.types import Sentence
from tests.recogniser import Recogniser

GOAL = 0.98

VOWELS = "iɪɛæɑɔʊuʌəɜAIOWY"
# What an American hears no difference in, or hardly any.
_ALIKE = [
    *(("eɪ", "A"), ("aɪ", "I"), ("oʊ", "O"), ("aʊ", "W"), ("ɔɪ", "Y"), ("tʃ", "ʧ"), ("dʒ", "ʤ")),
    *((" ", ""), ("ˌ", ""), ("ᵊ", "ə"), ("ᵻ", "ɪ"), ("ɐ", "ə"), ("[ɾT]", "t"), ("hw", "w")),
    *(("ɔɹ", "Oɹ"), ("[iɪ]ɹ", "iɹ"), ("[æA]ɹ", "ɛɹ"), ("uɹ", "ʊɹ"), ("(?:ɜ|ə|ʌ)ɹ+", "R")),
    *(("ɔ", "ɑ"), ("([nt])ju", "\\1u"), ("n([kɡ])", "ŋ\\1"), ("nts", "ns")),
    (f"(?<!ˈ)[iɪ](?=ˈ?[{VOWELS}R])", "j"),  # "Nathan-yel"
    (f"(?<=[iAIY])j(?=ˈ?[{VOWELS}R])", ""),
    ("(?<!ˈ)[əɪʌɛ]", "ə"),  # weak vowels
    ("ˈʌ", "ˈə"),
]


def heard(sounds: str) -> tuple[str, int]:
    """What is heard, and how many vowels from the end the main stress is."""
    for pattern, alike in _ALIKE:
        sounds = re.sub(pattern, alike, sounds)
    _, _, after = sounds.rpartition("ˈ")
    num_vowels = len(re.findall(f"[{VOWELS}R]", sounds))
    after_stress = len(re.findall(f"[{VOWELS}R]", after))
    return sounds.replace("ˈ", ""), after_stress if num_vowels > 1 else 1


def expected() -> Iterator[tuple[str, str, list[str]]]:
    for line in (Path(__file__).parent / "names.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, name, sounds = line.split("\t")
            yield kind, name, [cmu(sound.replace("# ", "")) for sound in sounds.split(" | ")]


@pytest.fixture(scope="session")
def phonemizer(builtin: BuiltinSynthesizer) -> Phonemizer:
    return builtin._phonemize


def said(phonemizer: Phonemizer, text: str) -> str:
    return phonemizer.phonemes(Sentence.of(text))


def test_names_are_said_as_people_say_them(phonemizer: Phonemizer) -> None:
    names = list(expected())
    assert len(names) > 500
    wrong = [
        f"{name}: {said(phonemizer, name)}, not {sounds[0]}"
        for _, name, sounds in names
        if heard(said(phonemizer, name)) not in map(heard, sounds)
    ]
    right = len(names) - len(wrong)
    assert right >= GOAL * len(names), f"{right} of {len(names)}\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    "name", ["Sean", "Jose", "Joaquin", "Siobhan", "Nguyen", "Patel", "O'Neill"]
)
@pytest.mark.parametrize(
    "context", ["{}", "This is {}.", "Hi {}, how are you?", "(Ms. {})", "“{}”", "To: {}!", "{}—yes"]
)
def test_wherever_they_stand(phonemizer: Phonemizer, name: str, context: str) -> None:
    assert said(phonemizer, name) in said(phonemizer, context.format(name))


@pytest.mark.parametrize(
    ("written", "sounds"),
    [
        ("Siobhan's", "ʃɪvˈɔnz"),
        ("Nguyen’s", "wˈɪnz"),
        ("Ortiz's", "ˌɔɹtˈizᵻz"),
        ("Huynh'll", "hwˈɪnᵊl"),
        ("the Nguyens", "ðə wˈɪnz"),
        ("NGUYEN", "wˈɪn"),
        ("SIOBHAN O'NEILL'S", "ʃɪvˈɔn Onˈilz"),
        ("GONZALEZ", "ɡɑnzˈɑləz"),
        ("García-López", "ɡˌɑɹsˈiəlˈOpɛz"),
        ("de la Cruz", "dˈA lˌɑ kɹˈuz"),
        ("McIntyre", "mˈækˌɪntˌIɹ"),
        ("PayPal", "pˈApˌæl"),
        ("WordPress", "wˈɜɹdpɹˌɛs"),
        ("HubSpot's", "hˈʌbspˌɑts"),
        ("DeWitt", "dəwˈɪt"),
        ("McCoy", "məkˈY"),
        ("JoAnn", "ʤˌOˈæn"),
        ("Ibañez", "ɪbˈɑnjɛz"),
        ("Quiñones", "kinjˈOnɛs"),
    ],
)
def test_as_they_are_written(phonemizer: Phonemizer, written: str, sounds: str) -> None:
    assert said(phonemizer, written) == sounds


@pytest.mark.parametrize(
    "text",
    [
        "The morale of the team, and the prices of flowers.",
        "FBI, USAA, HTML, IRS, ZIP, ATM, HVAC and UPS",
        "She saw Rose, Will, Mark, Faith and Miles at Chase.",
        "Rooms and Flowers. Read me what I read. The record will record.",
        "It's John's and the dogs' bowl; they'll say we've won.",
        "1990s, 3rd, 20%, $5, a.m., U.S., www.example.com, C++, é",
    ],
)
def test_what_the_voice_knows_stays(phonemizer: Phonemizer, text: str) -> None:
    assert said(phonemizer, text) == phonemizer._front_end(text)


@pytest.mark.parametrize(
    "text",
    ["Plan A works.", "grade A", "Your code is A four seven two.", "A four B, seven", "A, B and C.",
     "B A four", "A", "the hepatitis A vaccine", "Jose A. Garcia", "row A, seat 4", "X, A, nine",
     "A B test", "Press A to continue", "A one two three", "A four two is your code.",
     "Code: A four."],
)  # fmt: skip
def test_the_letter_a_is_named(phonemizer: Phonemizer, text: str) -> None:
    assert re.search(r"(?<!\S)ˈA(?!\w)", said(phonemizer, text))


@pytest.mark.parametrize(
    "written",
    ["Your order A4B-729X is here.", "A4B-729X", "<spell>A12</spell>", "<spell>a_b</spell>",
     "Code AA11.", "Ticket number A-7.", "PNR: XA4A9Z"],
)  # fmt: skip
def test_so_it_is_in_a_code(phonemizer: Phonemizer, written: str) -> None:
    for piece in split_sentences(written):
        assert "ɐ" not in phonemizer.phonemes(piece.sentence)
        assert "ˈA" in phonemizer.phonemes(piece.sentence)


@pytest.mark.parametrize(
    "text",
    ["A dash of salt.", "A dog barked.", "He said: A dog barked.", "“A dog,” he said.",
     "How to Buy A House", "THIS IS A TEST", "A nine one one call is free.", "A one-time code",
     "A five star hotel",
     "Is it a B or a C?", "She is (A fact) right.", "a four door car"],
)  # fmt: skip
def test_the_article_is_not(phonemizer: Phonemizer, text: str) -> None:
    assert re.search(r"(?<!\S)[(“]?ɐ(?!\w)", said(phonemizer, text))


HEARD = (
    "Sean Jose Joaquin Siobhan Patel O'Neill Garcia Michelle Nicole Chloe Andre Cohen Gonzalez "
    "Sanchez Ramirez Schneider Russo Hussein Levine Verizon Geico Hyundai Volkswagen Uber Ikea"
)


@pytest.mark.slow
def test_names_are_heard(builtin: BuiltinSynthesizer) -> None:
    """By a recogniser, nine at once: it takes nearly as long for one."""
    ears, names = Recogniser(), HEARD.split()
    pause = np.zeros(builtin.sample_rate // 2, np.float32)
    missed = []
    for together in (names[at : at + 9] for at in range(0, len(names), 9)):
        parts = []
        for name in together:
            blocks = builtin.synthesize(Sentence.of(f"My name is {name}."), builtin.voices[0])
            parts += [*(block.samples for block in blocks), pause]
        heard_as = ears.transcribe(np.concatenate(parts), builtin.sample_rate)
        missed += [name for name in together if _letters(name) not in _letters(heard_as)]
    assert len(missed) <= 2, missed


def _letters(text: str) -> str:
    text = unicodedata.normalize("NFD", text.lower())
    return "".join(char for char in text if "a" <= char <= "z")
