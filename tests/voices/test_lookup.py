"""A name leads to a voice, to a visible substitute, or to a clear error."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mira.errors import InvalidRequest, InvalidSettings, VoiceNotFound
from mira.types import Voice
from mira.voices.lookup import OPENAI_VOICES, Voices
from mira.voices.store import NotPrepared, VoiceStore, open_store
from tests.toys import ToySynthesizer
from tests.voices.bringing import ALLISON, CARLO, CORRUPT, JUNE, bring, settings_in

ANNA, BEN = Voice("anna"), Voice("ben")


def own(*names: str, strict: bool = False, **aliases: str) -> Voices:
    """An engine's voices, and no others."""
    voices = [Voice(name) for name in names]
    fields = {"default_voice": names[0], "strict_voices": strict, "voice_aliases": aliases}
    settings = settings_in(Path("/nonexistent"), **fields)
    return Voices(settings, voices, VoiceStore(settings))


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[..., Voices]:
    """The toy's voices and two recordings, and one that can't be used."""

    def build(toy: ToySynthesizer, **settings: object) -> Voices:
        bring(tmp_path, ALLISON, CARLO, CORRUPT)
        fields = {"default_voice": "anna", **settings}
        settings = settings_in(tmp_path, **fields)
        return Voices(settings, toy.voices, open_store(settings, toy))

    return build


def test_an_exact_name_is_found() -> None:
    found = own("anna", "ben").find("ben")
    assert (found.voice, found.instead) == (BEN, "")


@pytest.mark.parametrize("name", ["", "Anna", "zoe", "../anna", "anna\0", "ann" * 1000, "\ud800"])
def test_an_unknown_name_is_visibly_substituted(name: str) -> None:
    found = own("anna", "ben").find(name)
    assert found.voice == ANNA
    assert "no voice" in found.instead


def test_strict_names_near_ones() -> None:
    with pytest.raises(VoiceNotFound, match=r"no voice 'ana'. Try anna"):
        own("anna", "ben", strict=True).find("ana")


def test_the_default_has_to_exist() -> None:
    with pytest.raises(InvalidSettings, match=r"no voice 'zoe', nor .*There is: anna, ben"):
        settings = settings_in(Path("/nonexistent"), default_voice="zoe")
        Voices(settings, [ANNA, BEN], VoiceStore(settings))


def test_there_are_thirteen_openai_names() -> None:
    assert len(set(OPENAI_VOICES)) == 13


def test_openai_names_are_aliases_and_no_substitution() -> None:
    voices = own("anna", "ben", strict=True)
    for name in OPENAI_VOICES:
        for written in (name, name.upper()):
            found = voices.find(written)
            assert found.instead == ""
            assert found.voice.name == voices.aliases[name]


def test_openai_names_lead_to_the_default_voice_until_somebody_says_otherwise() -> None:
    assert own("anna", "ben").aliases == dict.fromkeys(OPENAI_VOICES, "anna")
    voices = own("anna", "ben", alloy="ben")
    assert voices.aliases == {**dict.fromkeys(OPENAI_VOICES, "anna"), "alloy": "ben"}
    for name, meant in {"alloy": BEN, "ALLOY": BEN, "Nova": ANNA}.items():
        assert voices.find(name).voice == meant


def test_no_voice_that_comes_or_goes_moves_openais_names(
    recorded: Callable[..., Voices],
) -> None:
    voices = recorded(ToySynthesizer(fingerprint="toy"))
    for name in ("clara", "nora", "zoe"):
        voices.store.add(name, JUNE.read_bytes())
        assert set(voices.aliases.values()) == {"anna"}
        assert {voices.find(name).voice for name in OPENAI_VOICES} == {ANNA}
    voices.store.add("alloy", JUNE.read_bytes())
    assert voices.find("alloy").voice.name == "alloy", "called so, a voice is meant by its name"
    voices.store.remove("alloy")
    assert voices.find("alloy").voice == ANNA


def test_a_set_alias_comes_before_openais_and_after_real_names() -> None:
    voices = own("anna", "ben", alloy="ben", support="ben", anna="ben", gone="nobody")
    assert voices.find("alloy").voice == voices.find("support").voice == BEN
    assert voices.find("anna").voice == ANNA
    assert voices.find("gone").voice == ANNA
    assert voices.find("gone").instead


def test_a_recording_speaks(recorded: Callable[..., Voices]) -> None:
    voices = recorded(ToySynthesizer(fingerprint="toy"))
    assert voices.names == ("anna", "ben", "allison", "carlo")
    found = voices.find("allison")
    assert found.instead == ""
    assert found.voice.global_tokens
    assert found.voice.transcript.startswith("you can direct") or found.voice.transcript


def test_only_what_is_in_memory_is_found_at_once(recorded: Callable[..., Voices]) -> None:
    voices = recorded(ToySynthesizer(fingerprint="toy"))
    assert voices.at_once("allison") is None
    found = voices.find("allison")
    assert voices.at_once("allison") == found
    assert voices.at_once("ben") is not None
    assert voices.at_once("nobody") is not None


def test_a_voice_that_was_not_looked_at_yet_is_looked_at_when_somebody_calls(
    tmp_path: Path,
) -> None:
    bring(tmp_path, ALLISON, CARLO)
    toy = ToySynthesizer(fingerprint="toy")
    settings = settings_in(tmp_path, default_voice="anna", voice_aliases={"nova": "carlo"})
    store = VoiceStore(settings, toy)
    voices = Voices(settings, toy.voices, store)
    assert store.looking
    assert set(store.recorded) == set(), "an own default needs no recording"
    assert voices.at_once("ben") is not None
    assert voices.at_once("allison") is voices.at_once("nova") is None
    with pytest.raises(NotPrepared):
        voices.find("allison", compute=False)
    assert voices.find("allison").voice.name == "allison"
    assert voices.find("nova").voice.name == "carlo"
    assert voices.find("nobody").instead
    assert store.looking


def test_a_default_is_looked_at_before_all_others(tmp_path: Path) -> None:
    bring(tmp_path, ALLISON, CARLO)
    toy = ToySynthesizer(fingerprint="toy")
    settings = settings_in(tmp_path, default_voice="carlo")
    store = VoiceStore(settings, toy)
    assert Voices(settings, toy.voices, store).stand_in().name == "carlo"
    assert (set(store.recorded), store.looking) == ({"carlo"}, True)


def test_what_is_in_memory_waits_for_no_default(recorded: Callable[..., Voices]) -> None:
    voices = recorded(ToySynthesizer(fingerprint="toy"), default_voice="carlo")
    assert voices.at_once("ben") == voices.find("ben")
    assert voices.at_once("nobody") is None, "the default has to be read first"
    voices.find("nobody")
    assert voices.at_once("nobody") == voices.find("nobody")


def test_a_voice_that_is_replaced_while_its_call_waits_speaks_in_its_new_version(
    recorded: Callable[..., Voices],
) -> None:
    toy = ToySynthesizer(fingerprint="toy")
    cloning, go_on = threading.Event(), threading.Event()
    toy.while_cloning = lambda name: name == "carlo" and (cloning.set(), go_on.wait(20))
    voices = recorded(toy)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(voices.find, "carlo")
        cloning.wait(20)
        waiting = pool.submit(voices.find, "allison")
        added = voices.store.add("allison", JUNE.read_bytes())
        go_on.set()
        assert first.result().instead == ""
        found = waiting.result()
    assert (found.voice, found.instead) == (voices.store.remembered(added), "")
    assert "allison.wav" not in voices.store.unusable


def test_without_a_model_a_recording_says_what_it_needs(recorded: Callable[..., Voices]) -> None:
    voices = recorded(ToySynthesizer())
    assert voices.names == ("anna", "ben")
    found = voices.find("allison")
    assert found.voice == ANNA
    assert "'allison' is a recording" in found.instead
    assert "needs a Mira model" in found.instead
    assert set(voices.aliases.values()) == {"anna"}
    with pytest.raises(VoiceNotFound, match="needs a Mira model"):
        recorded(ToySynthesizer(), strict_voices=True).find("allison")


def test_what_turns_out_unusable_falls_back(recorded: Callable[..., Voices]) -> None:
    def fail(name: str) -> None:
        raise InvalidRequest("It is all wrong.")

    voices = recorded(ToySynthesizer(fingerprint="toy", while_cloning=fail))
    found = voices.find("carlo")
    assert found.voice == ANNA
    assert "'carlo' can't speak: It is all wrong." in found.instead
    assert "It is all wrong." in voices.store.unusable["carlo.ogg"]
    assert "carlo" not in voices.names


def test_a_recording_can_be_the_default(recorded: Callable[..., Voices]) -> None:
    voices = recorded(ToySynthesizer(fingerprint="toy"), default_voice="carlo")
    assert voices.default == "carlo"
    assert voices.find("nobody").voice.name == "carlo"
    assert (voices.find("alloy").voice.name, voices.find("alloy").instead) == ("carlo", "")
    voices.store.remove("carlo")
    assert voices.default == voices.find("nobody").voice.name == "anna"


def test_a_default_that_is_there_and_unusable_does_not_stop_the_start(
    recorded: Callable[..., Voices],
) -> None:
    voices = recorded(ToySynthesizer(fingerprint="toy"), default_voice="corrupt")
    assert voices.default == "anna"


def test_a_keys_view_has_its_own_first_and_no_others(
    recorded: Callable[..., Voices], tmp_path: Path
) -> None:
    bring(tmp_path, JUNE, name="carlo@phone")
    bring(tmp_path, JUNE, name="june@web")
    voices = recorded(ToySynthesizer(fingerprint="c0ffee"), strict_voices=True)
    phone, web = voices.of("phone"), voices.of("web")
    assert voices.of("") is voices and phone.of("phone") is phone
    assert voices.names == phone.names == ("anna", "ben", "allison", "carlo")
    assert web.names == ("anna", "ben", "allison", "carlo", "june")
    assert phone.find("carlo").voice.name == "carlo@phone"
    assert web.find("carlo").voice.name == "carlo"
    assert web.find("june").voice.name == "june@web"
    for view, hidden in (
        (voices, "june"),
        (phone, "june"),
        (voices, "june@web"),
        (phone, "june@web"),
    ):
        assert view.called(hidden) is None
        with pytest.raises(VoiceNotFound, match=r"Try (?!.*june)"):
            view.find(hidden)
    assert (phone.to_add(" Zoë "), voices.to_add("Zoë")) == ("Zoë@phone", "Zoë")
    with pytest.raises(InvalidRequest, match="has '@' in it"):
        voices.to_add("x@phone")


def test_an_alias_leads_to_no_keys_voice(recorded: Callable[..., Voices], tmp_path: Path) -> None:
    bring(tmp_path, JUNE, name="june@web")
    voices = recorded(ToySynthesizer(fingerprint="c0ffee"), voice_aliases={"echo": "june@web"})
    assert voices.of("phone").find("echo").voice.name == "anna"
