"""A name that is taken is safe everywhere; one that isn't says what is wrong with it."""

from pathlib import PurePosixPath
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.errors import InvalidRequest
from mira.voices.names import (
    clean_name,
    clean_stored_name,
    owner_of,
    shown_name,
    stored_name,
)


@pytest.mark.parametrize(
    "name", ["anna", "Anna Smith", "anna-2.1_b", "نورة", "हिन्दी", "李雷", "Zoë", "7of9"]
)
def test_a_name_of_any_script_is_kept(name: str) -> None:
    assert clean_name(name) == name
    assert clean_name(f"  {name} ") == name


def test_what_looks_the_same_is_the_same() -> None:
    assert clean_name("Zoe\u0308") == clean_name("Zo\u00eb") == "Zo\u00eb"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("../anna", "begins with '.'"),
        ("a/../b", "has '/' in it"),
        ("a\\b", "in it"),
        (".hidden", "begins with"),
        ("-rf", "begins with '-'"),
        ("a\0b", "in it"),
        ("a\nb", "in it"),
        ("a\u202eb", "in it"),  # turns the direction of what is written after it
        ("a\u200bb", "in it"),  # can't be seen
        ("a\ud800b", "in it"),
        ("🎉", "begins with"),
        ("a%2Fb", "has '%' in it"),
        ("a" * 65, "too long"),
        ("𒀀" * 60, "too long"),
        ("refresh", "reserved"),
        ("clear-cache", "reserved"),
    ],
)
def test_what_is_refused(name: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=f"name: .*{why}") as refused:
        clean_name(name)
    assert refused.value.param == "name"


@given(st.text())
def test_whatever_is_taken_is_a_file_in_its_folder_and_one_part_of_a_url(name: str) -> None:
    try:
        kept = clean_name(name)
    except InvalidRequest:
        return
    assert clean_name(kept) == kept
    assert PurePosixPath("voices", f"{kept}.voice").parts == ("voices", f"{kept}.voice")
    assert len(f"{kept}.voice".encode()) <= 255
    assert unquote(quote(kept, safe="")) == kept
    assert kept.isprintable()


def test_a_stored_name_may_have_an_owner() -> None:
    assert clean_stored_name(" Zoe\u0308@phone-2 ") == "Zo\u00eb@phone-2"
    assert clean_stored_name("anna") == "anna"
    assert (shown_name("anna@phone"), owner_of("anna@phone")) == ("anna", "phone")
    assert (shown_name("anna"), owner_of("anna")) == ("anna", "")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("anna@", "is no API key's name"),
        ("anna@a b", "is no API key's name"),
        ("anna@../x", "is no API key's name"),
        ("anna@a@b", "is no API key's name"),
        (f"anna@{'a' * 33}", "is no API key's name"),
        ("@phone", "it is empty"),
        ("../x@phone", "it begins with '.'"),
        (f"{'नी' * 32}@{'a' * 32}", "too long"),
    ],
)
def test_what_is_no_stored_name(name: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=f"name: .*{why}"):
        clean_stored_name(name)
    with pytest.raises(InvalidRequest):
        clean_name(name)


names = st.text("abzé 0-_.@", max_size=12)


@given(names, names)
def test_no_voice_of_all_can_be_taken_for_a_keys(name: str, owner: str) -> None:
    try:
        whole = clean_stored_name(stored_name(name, owner))
    except InvalidRequest:
        return
    assert stored_name(shown_name(whole), owner_of(whole)) == whole
    assert clean_name(shown_name(whole)) == shown_name(whole)
    assert "@" not in shown_name(whole) + owner_of(whole)
    if owner:
        with pytest.raises(InvalidRequest):
            clean_name(whole)
    assert len(f".{whole}.voice.{'0' * 16}.part".encode()) <= 255, "as it is written"
