"""python -m mira."""

from mira.cli.main import main

main()
