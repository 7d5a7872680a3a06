"""A file of keys is read whole or refused, and no refusal quotes a secret."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.errors import InvalidSettings
from mira.server.key_file import MIN_SECRET_CHARS, Grant, entry_of, read_key_file

SECRET = "s3cr3t-0123456789"
DIGEST = hashlib.sha256(SECRET.encode()).hexdigest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def test_a_file_of_keys(path: Path) -> None:
    path.write_text(
        f"""
        [phone]
        key = "{SECRET}"
        [shop-2]
        sha256 = "{DIGEST.upper()}"
        may = ["speak", "read", "voices", "operate"]
        sockets = 2
        contexts = 0
        characters_a_minute = 600
        own_voices = true
        [off]
        key = "{SECRET}!"
        may = []
        """
    )
    phone, shop, off = read_key_file(path)
    assert (phone.name, phone.grant) == ("phone", Grant(frozenset({"speak", "read"})))
    assert phone.digest == shop.digest == bytes.fromhex(DIGEST)
    everything = frozenset({"speak", "read", "voices", "operate"})
    assert (shop.name, shop.grant) == ("shop-2", Grant(everything, 2, 0, 600, own_voices=True))
    assert (off.name, off.grant) == ("off", Grant(frozenset()))
    assert SECRET not in repr([phone, shop, off])


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("", "has no key. Write each key as"),
        (f'[phone]\nkey = "{SECRET}', "is not valid TOML: Unterminated string"),
        (f'phone = "{SECRET}"', "phone is no section"),
        (f'["{SECRET} "]\nkey = "x"', "a key's name has 1 to 32 letters"),
        (f'["a@b"]\nkey = "{SECRET}"', "a key's name has 1 to 32 letters"),
        (f'["{"a" * 33}"]\nkey = "{SECRET}"', "a key's name has 1 to 32 letters"),
        ("[phone]\n", "phone: write its `key`, or the `sha256`"),
        (f'[phone]\nkey = "{SECRET}"\nsha256 = "{DIGEST}"', "phone: write its `key`, or"),
        (f'[phone]\nkey = "{SECRET[:15]}"', "phone: the key has 15 characters. Take 16 to"),
        (f'[phone]\nkey = "{SECRET * 40}"', "phone: the key has 680 characters"),
        (f'[phone]\nkey = "{SECRET} {SECRET}"', "phone: the key has a space"),
        (f'[phone]\nkey = "{SECRET}é"', "phone: the key has a space or a letter that is not"),
        (f'[phone]\nkey = ["{SECRET}"]', "phone: key: Input should be a valid string"),
        (f'[phone]\nsha256 = "{SECRET}"', "phone: sha256: "),
        (f'[phone]\n{SECRET} = true', "phone: there can be key, sha256, may, sockets, contexts, "),
        (f'[phone]\nkey = "{SECRET}"\nmay = ["talk"]', "phone: may: Input should be 'speak', "),
        (f'[phone]\nkey = "{SECRET}"\nmay = "speak"', "phone: may: "),
        (f'[phone]\nkey = "{SECRET}"\nsockets = -1', "phone: sockets: "),
        (f'[phone]\nkey = "{SECRET}"\nsockets = "1"', "phone: sockets: "),
        (f'[phone]\nkey = "{SECRET}"\nown_voices = 1', "phone: own_voices: "),
    ],
)  # fmt: skip
def test_what_can_not_be_used_is_named_and_not_quoted(path: Path, content: str, wrong: str) -> None:
    path.write_text(content, "utf-8")
    with pytest.raises(InvalidSettings, match=wrong) as refused:
        read_key_file(path)
    assert str(refused.value).startswith(f"api_keys_file: {path}")
    error: BaseException | None = refused.value
    while error is not None:  # what a traceback would print
        assert SECRET[:15] not in str(error)
        error = error.__cause__


def test_what_is_no_file_is_named(path: Path) -> None:
    for absent in (path, path.parent):
        with pytest.raises(InvalidSettings, match=r"api_keys_file: .* is no file"):
            read_key_file(absent)


@given(st.text(max_size=60))
def test_a_secret_is_taken_if_every_client_can_send_it(secret: str) -> None:
    fine = len(secret) >= MIN_SECRET_CHARS and all("!" <= char <= "~" for char in secret)
    try:
        entry = entry_of("api_keys", "key", secret, Grant(frozenset()))
    except InvalidSettings as error:
        assert not fine
        assert len(secret) < 3 or secret not in str(error)
    else:
        assert fine
        assert entry.digest == hashlib.sha256(secret.encode()).digest()
