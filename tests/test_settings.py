"""Settings: every source, every refusal."""

from pathlib import Path

import pytest

from mira.errors import InvalidSettings
from mira.settings import Settings, load_settings


def test_defaults_need_nothing() -> None:
    settings, sources = load_settings(environment={})
    assert settings == Settings()
    assert sources == {}


def test_later_sources_win_and_are_named(tmp_path: Path) -> None:
    config = tmp_path / "mira.toml"
    config.write_text('port = 1\nhost = "a"\nlead_s = 1.5\ncors_origins = ["x", "y"]\n')
    settings, sources = load_settings(
        config, {"port": 3, "host": None}, {"MIRA_PORT": "2", "MIRA_STRICT_VOICES": "true"}
    )
    assert (settings.port, settings.host, settings.lead_s) == (3, "a", 1.5)
    assert settings.strict_voices is True
    assert settings.cors_origins == ("x", "y")
    assert sources == {
        "port": "flag",
        "host": str(config),
        "lead_s": str(config),
        "cors_origins": str(config),
        "strict_voices": "MIRA_STRICT_VOICES",
    }


def test_the_environment_may_name_the_file(tmp_path: Path) -> None:
    config = tmp_path / "mira.toml"
    config.write_text("port = 7\n")
    assert load_settings(environment={"MIRA_CONFIG": str(config)})[0].port == 7


def test_the_voices_folder_stays_where_the_command_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings, _ = load_settings(environment={})
    named, _ = load_settings(environment={"MIRA_VOICES_DIR": "a/b"})
    home, _ = load_settings(environment={"MIRA_VOICES_DIR": "~/voices"})
    monkeypatch.chdir("/")
    assert settings.voices_dir == tmp_path / "voices"
    assert named.voices_dir == tmp_path / "a" / "b"
    assert home.voices_dir == Path.home() / "voices"


def test_so_does_the_dictionary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    named, _ = load_settings(environment={"MIRA_DICTIONARY": "words.toml"})
    none, _ = load_settings(environment={"MIRA_DICTIONARY": ""})
    monkeypatch.chdir("/")
    assert named.dictionary == tmp_path / "words.toml"
    assert none.dictionary is None is load_settings(environment={})[0].dictionary


def test_so_does_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    named, _ = load_settings(environment={"MIRA_CACHE_DIR": "a/b"})
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    users, _ = load_settings(environment={})
    monkeypatch.delenv("XDG_CACHE_HOME")
    without_a_home(monkeypatch)
    nobodys, _ = load_settings(environment={})
    monkeypatch.chdir("/")
    assert named.cache_dir == tmp_path / "a" / "b"
    assert users.cache_dir == tmp_path / "cache" / "mira"
    assert nobodys.cache_dir == tmp_path / "mira-cache"


@pytest.mark.parametrize("variable", ["MIRA_CACHE_DIR", "MIRA_VOICES_DIR"])
def test_a_folder_in_a_home_that_is_not_there(variable: str) -> None:
    with pytest.raises(InvalidSettings, match="~nobody-of-this-name/x leads to no folder"):
        load_settings(environment={variable: "~nobody-of-this-name/x"})


def without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be somebody of whom the system knows nothing but a number, as in many containers."""

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)


def test_lists_are_separated_by_commas() -> None:
    settings, _ = load_settings(environment={"MIRA_CORS_ORIGINS": "https://a, https://b,"})
    assert settings.cors_origins == ("https://a", "https://b")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"MIRA_LEED_S": "1"}, "MIRA_LEED_S: there is no such setting. Did you mean MIRA_LEAD_S?"),
        ({"MIRA_ZQXW": "1"}, "`mira config` lists them all"),
        ({"MIRA_PORT": "http"}, "MIRA_PORT: port can't be 'http'"),
        ({"MIRA_PORT": "70000"}, "MIRA_PORT: port can't be '70000'"),
        ({"MIRA_LEAD_S": "nan"}, "MIRA_LEAD_S: lead_s can't be 'nan'"),
        ({"MIRA_CONFIG": "/does/not/exist"}, "/does/not/exist: can't be read: No such file"),
    ],
)
def test_what_cannot_be_used_stops_the_start(environment: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidSettings) as raised:
        load_settings(environment=environment)
    assert message in str(raised.value)


@pytest.mark.parametrize("name", ["*.example.com", "example.com:8443", "https://example.com"])
def test_a_host_that_could_never_match_stops_the_start(name: str) -> None:
    with pytest.raises(InvalidSettings, match=r"MIRA_ALLOWED_HOSTS: .* leave out scheme and port"):
        load_settings(environment={"MIRA_ALLOWED_HOSTS": f".example.org,{name}"})


def test_hosts_may_be_names_endings_addresses_or_all() -> None:
    found, _ = load_settings(environment={"MIRA_ALLOWED_HOSTS": "a.b,.example.org,::1,*"})
    assert found.allowed_hosts == ("a.b", ".example.org", "::1", "*")


def test_a_file_with_an_unknown_name_or_no_toml_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "mira.toml"
    config.write_text("prt = 1\n")
    with pytest.raises(InvalidSettings, match=r"prt: there is no such setting. Did you mean port"):
        load_settings(config, environment={})
    config.write_text("port = \n")
    with pytest.raises(InvalidSettings, match="not valid TOML"):
        load_settings(config, environment={})


def test_settings_never_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]


SECRET = "s3cr3t-0123456789/+abc=="


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (SECRET, {"key": SECRET}),
        (f"phone={SECRET}", {"phone": SECRET}),
        (f" phone = {SECRET}, web=x ,", {"phone": SECRET, "web": "x"}),
        ("", {}),
        ("phone=", {"key": "phone="}),
    ],
)
def test_keys_have_names_or_one_has_none(given: str, found: dict[str, str]) -> None:
    settings, _ = load_settings(environment={"MIRA_API_KEYS": given})
    assert {name: key.get_secret_value() for name, key in settings.api_keys.items()} == found


def test_keys_may_be_a_table(tmp_path: Path) -> None:
    config = tmp_path / "mira.toml"
    config.write_text(f'[api_keys]\nphone = "{SECRET}"\n')
    settings, _ = load_settings(config, environment={"MIRA_API_KEYS_FILE": ""})
    assert settings.api_keys["phone"].get_secret_value() == SECRET
    assert settings.api_keys_file is None


@pytest.mark.parametrize("given", [f"{SECRET},{SECRET}", f"a={SECRET},a=x"])
def test_no_key_is_shown_by_settings_or_their_errors(given: str) -> None:
    settings, _ = load_settings(environment={"MIRA_API_KEYS": f"phone={SECRET}"})
    assert SECRET not in f"{settings!r}{settings}{settings.model_dump()}"
    with pytest.raises(InvalidSettings, match="api_keys can't be what was given") as refused:
        load_settings(environment={"MIRA_API_KEYS": given})
    for error in (refused.value, refused.value.__cause__):
        assert SECRET not in str(error)


def test_no_key_of_a_wrong_kind_is_shown(tmp_path: Path) -> None:
    config = tmp_path / "mira.toml"
    for wrong in (f'api_keys = ["{SECRET}"]', f'api_keys = {{ phone = ["{SECRET}"] }}'):
        config.write_text(wrong)
        with pytest.raises(InvalidSettings, match="api_keys can't be what was given") as refused:
            load_settings(config, environment={})
        for error in (refused.value, refused.value.__cause__):
            assert SECRET not in str(error)
