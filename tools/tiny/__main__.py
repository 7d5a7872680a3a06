"""python -m tools.tiny DIRECTORY: a checkpoint of random weights."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tools.tiny.write import write_tiny


def tiny(
    directory: Annotated[Path, typer.Argument(help="Where to; must be empty or new.")],
    layout: Annotated[Literal["mira", "spark"], typer.Option(help="Whose files.")] = "mira",
    true_size: Annotated[
        bool, typer.Option("--true-size", help="Full dimensions, for measuring; 1.5 GB or more.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the random weights.")] = 0,
) -> None:
    """Write a checkpoint of random weights: it speaks noise, through the true loaders."""
    write_tiny(directory, layout, true_size, seed)


if __name__ == "__main__":
    typer.run(tiny)
