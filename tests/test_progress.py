"""The report that tells nobody has the form of every other."""

from mira.progress import Report, quiet


def test_quiet_takes_what_every_report_takes() -> None:
    report: Report = quiet
    report("downloading owner/name to /folder", 5, 9)
    report("preparing", 0, 0)
