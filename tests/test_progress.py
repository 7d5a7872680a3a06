"""The report that tells nobody has the form of every other."""

from mira.progress import Report, amount, quiet


def test_quiet_takes_what_every_report_takes() -> None:
    report: Report = quiet
    report("downloading owner/name to /folder", 5, 9)
    report("preparing", 0, 0)


def test_amounts_are_for_people() -> None:
    numbers = (0, 1, 2500, 24_300_000, 1_100_000_000)
    assert [amount(n) for n in numbers] == ["0 kB", "1 kB", "3 kB", "24 MB", "1.1 GB"]
