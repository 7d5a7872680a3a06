"""mira config: values and where they come from."""

from tests.cli.running import mira


def test_config_tells_where_each_value_comes_from() -> None:
    done = mira("config", "--set", "lead_s=3", MIRA_PORT="5200")
    rows = {row[0]: row for row in map(str.split, done.stdout.decode().splitlines()) if row}
    assert rows["port"][1:3] == ["5200", "MIRA_PORT"]
    assert rows["lead_s"][1:3] == ["3.0", "flag"]
    assert rows["host"][1:3] == ["127.0.0.1", "default"]


def test_no_key_is_printed() -> None:
    done = mira("config", MIRA_API_KEYS="phone=s3cr3t-0123456789,web=s3cr3t-9876543210")
    printed = done.stdout.decode() + done.stderr.decode()
    rows = {row[0]: row for row in map(str.split, printed.splitlines()) if row}
    assert rows["api_keys"][1:4] == ["2", "set", "MIRA_API_KEYS"]
    assert "s3cr3t" not in printed
