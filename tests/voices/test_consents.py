"""Consents are kept, found, renamed and removed; no id leads out of their folder."""

import os
from pathlib import Path

import pytest

from mira.errors import ConsentNotFound, InvalidRequest
from mira.voices.archive import Card, Clip, VoiceFile, pack
from mira.voices.consents import Consents

SPOKEN = Clip(b"I agree.", ".wav")


@pytest.fixture
def consents(tmp_path: Path) -> Consents:
    return Consents(tmp_path / "consents", 1 << 20, at_most=3)


def test_the_life_of_a_consent(consents: Consents) -> None:
    assert consents.all() == []
    second = consents.add("Ben", "de-DE", SPOKEN, 2)
    first = consents.add("Anna", "en-US", SPOKEN, 1)
    assert consents.all() == [first, second]
    assert consents.get(first.id) == (first, SPOKEN)
    assert consents.describe(first.id) == first
    renamed = consents.rename(first.id, "Anna Smith")
    assert (renamed.name, renamed.id, renamed.language) == ("Anna Smith", first.id, "en-US")
    assert consents.get(first.id) == (renamed, SPOKEN)
    consents.remove(first.id)
    assert consents.all() == [second]
    with pytest.raises(ConsentNotFound, match="GET /v1/audio/voice_consents"):
        consents.get(first.id)


def test_there_is_an_end_to_them(consents: Consents) -> None:
    for _ in range(3):
        consents.add("Anna", "en-US", SPOKEN, 1)
    with pytest.raises(InvalidRequest, match="3 consents already"):
        consents.add("Anna", "en-US", SPOKEN, 1)


@pytest.mark.parametrize("id", ["", "cons_", "../x", "cons_../../x", "cons_" + "g" * 24, "a" * 999])
def test_no_id_leads_astray(consents: Consents, tmp_path: Path, id: str) -> None:
    (tmp_path / "x.consent").write_bytes(b"secret")
    consents.add("Anna", "en-US", SPOKEN, 1)
    for ask in (
        consents.get,
        consents.describe,
        consents.remove,
        lambda id: consents.rename(id, "x"),
    ):
        with pytest.raises(ConsentNotFound):
            ask(id)
    assert (tmp_path / "x.consent").exists()


def test_what_is_damaged_is_left_out(consents: Consents, tmp_path: Path) -> None:
    kept = consents.add("Anna", "en-US", SPOKEN, 1)
    damaged = consents.add("Ben", "en-US", SPOKEN, 1)
    path = tmp_path / "consents" / f"{damaged.id}.consent"
    unheard = pack(VoiceFile(Card(name="Ben", consent=kept), {}))
    for damage in (b"PK", unheard):
        path.write_bytes(damage)
        assert consents.all() == [kept]
        for ask in (consents.get, consents.describe):
            with pytest.raises(InvalidRequest, match=f"^The consent {damaged.id} is damaged: del"):
                ask(damaged.id)
    path.unlink()
    path.symlink_to(Path(__file__))
    with pytest.raises(InvalidRequest, match="outside of its folder"):  # and may be whole
        consents.get(damaged.id)
    consents.remove(damaged.id)
    with pytest.raises(ConsentNotFound):
        consents.get(damaged.id)


def test_what_is_no_file_holds_up_nobody(consents: Consents, tmp_path: Path) -> None:
    kept = consents.add("Anna", "en-US", SPOKEN, 1)
    pipe, folder = (f"cons_{letter * 24}" for letter in "ab")
    os.mkfifo(tmp_path / "consents" / f"{pipe}.consent")
    (tmp_path / "consents" / f"{folder}.consent").mkdir()
    assert consents.all() == [kept]
    for id in (pipe, folder):
        with pytest.raises(ConsentNotFound):
            consents.get(id)
