"""Who holds a key is found by comparing with all of them; a file that changes changes rights."""

import hmac
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.errors import InvalidSettings, NotAllowed, Overloaded
from mira.server.key_file import MAX_KEYS
from mira.server.keys import EVERYTHING, Keys
from mira.settings import Settings

ONE, TWO, THREE = (f"{name}-0123456789abcdef" for name in ("one", "two", "three"))


def keys(path: Path | None = None, **secrets: str) -> Keys:
    return Keys(Settings.model_validate({"api_keys": secrets, "api_keys_file": path}))


def write(path: Path, text: str) -> None:
    """As an editor does: another file in its place."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


def test_without_keys_anybody_may_do_everything() -> None:
    none = keys()
    assert (none.needed, len(none), none.holder([ONE])) == (False, 0, None)
    assert (none.stranger.grant, none.stranger.owner) == (EVERYTHING, "")


def test_the_settings_keys_may_do_everything_and_strangers_nothing() -> None:
    two = keys(phone=ONE, web=TWO)
    assert two.needed and len(two) == 2
    holder = two.holder([TWO])
    assert holder is not None and (holder.name, holder.grant) == ("web", EVERYTHING)
    assert two.holder(["", ONE + " ", ONE.upper()]) is None
    assert two.holder([THREE, ONE]) is two.holder([ONE])
    for right in EVERYTHING.may:
        holder.check_may(right)
        with pytest.raises(NotAllowed, match=f"lacks the right `{right}`"):
            two.stranger.check_may(right)


@given(st.lists(st.text(max_size=30)))
def test_no_other_text_is_a_key(secrets: list[str]) -> None:
    assert keys(phone=ONE).holder(secrets) is None


@pytest.mark.parametrize("secret", [ONE, TWO, THREE, "x", ""])
def test_every_key_is_compared_with_whichever_matches(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Digests of one length, in the library's constant time, and no sooner an end for a hit."""
    three = keys(a=ONE, b=TWO, c=THREE)
    compared: list[tuple[bytes, bytes]] = []
    constant_time = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return constant_time(one, other)

    monkeypatch.setattr("hmac.compare_digest", compare)
    three.holder([secret, "y"])
    assert len(compared) == 6
    assert {len(each) for pair in compared for each in pair} == {32}


@pytest.mark.parametrize(
    ("secrets", "wrong"),
    [
        ({"phone": "short"}, "api_keys: phone: the key has 5 characters"),
        ({"a b": ONE}, "api_keys: a key's name has"),
        ({"phone": ONE, "Phone": TWO}, "phone and Phone have the same name"),
        ({"phone": ONE, "web": ONE}, "phone and web have the same secret"),
        ({f"n{number}": f"{ONE}{number}" for number in range(MAX_KEYS + 1)}, "1001 API keys"),
    ],
)
def test_keys_that_can_not_be_used_stop_the_start(secrets: dict[str, str], wrong: str) -> None:
    with pytest.raises(InvalidSettings, match=wrong) as refused:
        keys(**secrets)
    assert ONE not in str(refused.value)


def test_a_file_that_changes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "keys.toml"
    path.write_text(f'[phone]\nkey = "{ONE}"\ncharacters_a_minute = 10\n')
    both = keys(path, web=TWO)
    phone, web = both.holder([ONE]), both.holder([TWO])
    assert phone is not None and web is not None and len(both) == 2
    phone.say(10)
    both.refresh()
    assert not caplog.messages, "nothing has changed"

    write(path, f'[phone]\nkey = "{THREE}"\ncharacters_a_minute = 15\n')
    both.refresh()
    assert both.holder([ONE]) is None
    with pytest.raises(NotAllowed):
        phone.say(1)  # the old secret may have leaked: on an open socket it is out as well
    phone = both.holder([THREE])
    assert phone is not None
    phone.say(5)
    with pytest.raises(Overloaded):  # for the key has used what it has used
        phone.say(1)

    write(path, f'[phone]\nkey = "{THREE}"\ncharacters_a_minute = 16\n')
    both.refresh()
    assert both.holder([THREE]) is phone
    phone.say(1)

    write(path, f'[shop]\nkey = "{ONE}"\n')
    both.refresh()
    assert both.holder([THREE]) is None
    assert both.holder([TWO]) is web
    with pytest.raises(NotAllowed):
        phone.check_may("speak")  # whoever has a socket open still
    assert len(caplog.messages) == 3
    assert ONE not in caplog.text and THREE not in caplog.text


@pytest.mark.parametrize(
    "content", ["", "[phone", "[phone]\n", f'[web]\nkey = "{THREE}"', f'[phone]\nkey = "{TWO}"']
)
def test_a_bad_change_is_said_once_and_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(f'[phone]\nkey = "{ONE}"\n')
    both = keys(path, web=TWO)
    for _ in range(3):
        write(path, content)
        both.refresh()
        assert both.holder([ONE]) is not None and both.holder([TWO]) is not None
    path.unlink()
    both.refresh()
    assert both.holder([ONE]) is not None
    assert len(caplog.messages) == 2
    assert all(said.endswith("Until then it stays as it was.") for said in caplog.messages)
    assert not {ONE, TWO, THREE} & set(caplog.text.split())


def test_a_bad_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"api_keys_file: .* is no file"):
        keys(tmp_path / "absent.toml")


def test_sockets_and_contexts_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(f'[phone]\nkey = "{ONE}"\nsockets = 1\ncontexts = 2\nown_voices = true\n')
    phone = keys(path).holder([ONE])
    assert phone is not None and phone.owner == "phone"
    with phone.socket(), phone.context(), phone.context():
        for one_more in (phone.socket, phone.context):
            with pytest.raises(Overloaded):
                one_more().__enter__()
    with phone.socket(), phone.context():
        pass
