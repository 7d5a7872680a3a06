"""python -m tools.bench NAME: what docs/benchmarks.md states, measured here and now.

Knows the benches' options, and nothing about how they measure.
"""

from typing import Annotated

import typer

from mira.cli.bench.command import Model, numbers, serve_arguments

app = typer.Typer(
    help="Measure: each prints a table, then one JSON line. Settings come from MIRA_ variables.",
    no_args_is_help=True,
)

ModelDirectory = Annotated[
    str, typer.Argument(help="MiraTTS or Spark-TTS, or what was converted from it.")
]


@app.command()
def lm(
    model: ModelDirectory,
    calls: Annotated[str, typer.Option(help="Simultaneous, one after another.")] = "1,4,8",
    tokens: Annotated[int, typer.Option(min=1, max=1000, help="That each call takes.")] = 200,
) -> None:
    """The language model alone: tokens a second, time to the first."""
    from tools.bench.lm import main

    main(model, numbers("--calls", calls, int), tokens)


@app.command()
def codec(
    model: ModelDirectory,
    seconds: Annotated[float, typer.Option(min=1, max=60, help="Of audio.")] = 10.0,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """The codec alone: real-time factor in windows and whole, with and without upsampler."""
    from tools.bench.codec import main

    main(model, seconds, rounds)


@app.command()
def ttfa(model: Model = "") -> None:
    """One caller: when the first audio is heard."""
    from tools.bench.ttfa import main

    main(*serve_arguments(model))


@app.command()
def listeners(
    model: Model = "",
    counts: Annotated[str, typer.Option(help="At once, one after another.")] = "1,8,32",
) -> None:
    """Many callers in the same moment, who listen in real time."""
    from tools.bench.listeners import main

    main(numbers("--counts", counts, int), *serve_arguments(model))


@app.command()
def cancel(model: Model = "") -> None:
    """Callers who hang up in the middle: how soon the service has their places back."""
    from tools.bench.cancel import main

    main(*serve_arguments(model))


@app.command()
def gpu(
    model: ModelDirectory,
    engines: Annotated[str, typer.Option(help="As lm_engine.")] = "lmdeploy,lmdeploy-pytorch,torch",
    streams: Annotated[str, typer.Option(help="At once, one after another.")] = "1,8,32,64",
) -> None:
    """Everything that is stated of a card, in one call; takes a quarter of an hour."""
    from tools.bench.gpu import main

    main(model, tuple(engines.split(",")), numbers("--streams", streams, int))


@app.command()
def memory(model: Model = "") -> None:
    """A busy hour in two minutes: start, memory, threads."""
    from tools.bench.memory import main

    main(*serve_arguments(model))


@app.command()
def voices(
    model: Model = "",
    counts: Annotated[str, typer.Option(help="In the folder, one after another.")] = "1,1000",
) -> None:
    """A folder of many voices; one that changes while calls speak."""
    from tools.bench.voices import main

    main(numbers("--counts", counts, int), *serve_arguments(model))


@app.command()
def say() -> None:
    """`mira say` on long text."""
    from tools.bench.say import main

    main()


if __name__ == "__main__":
    app()
