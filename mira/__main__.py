"""python -m mira."""

from mira.cli import main

main()
