"""mira config: values and where they come from."""

from tests.cli.running import mira


def test_config_tells_where_each_value_comes_from() -> None:
    done = mira("config", "--set", "lead_s=3", MIRA_PORT="5200")
    rows = {row[0]: row for row in map(str.split, done.stdout.decode().splitlines()) if row}
    assert rows["port"][1:3] == ["5200", "MIRA_PORT"]
    assert rows["lead_s"][1:3] == ["3.0", "flag"]
    assert rows["host"][1:3] == ["127.0.0.1", "default"]
