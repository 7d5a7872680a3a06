"""python -m tools.bench NAME: what docs/benchmarks.md states, measured here and now.

Each module beside this one is a bench; its `main` takes the options. Settings come from MIRA_
variables.
"""

import sys
from importlib import import_module
from pathlib import Path

import typer

from mira.errors import MiraError

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))

if __name__ == "__main__":
    if sys.argv[1:2] == [] or sys.argv[1] not in NAMES:
        sys.exit(f"python -m tools.bench NAME [--help], where NAME is one of {', '.join(NAMES)}")
    bench = import_module(f"tools.bench.{sys.argv.pop(1)}")
    try:
        typer.run(bench.main)
    except MiraError as error:
        sys.exit(str(error))
