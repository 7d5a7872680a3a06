"""mira bench NAME: what docs/benchmarks.md states, measured here and now.

Knows the benches' options, and nothing about how they measure.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from mira.errors import InvalidRequest

app = typer.Typer(
    help="Measure: each prints a table, then one JSON line. Settings come from MIRA_ variables.",
    no_args_is_help=True,
)

Number = TypeVar("Number", int, float)

Model = Annotated[
    str, typer.Option(help="Of a service of its own: a directory or Hugging Face id.")
]
ModelDirectory = Annotated[
    str, typer.Argument(help="MiraTTS or Spark-TTS, or what was converted from it.")
]


@app.command()
def load(
    url: Annotated[
        str, typer.Argument(help="Of any service with OpenAI's API; a service of its own.")
    ] = "",
    model: Model = "",
    rates: Annotated[str, typer.Option(help="Requests a second, one after another.")] = "0.5,1,2,4",
    seconds: Annotated[float, typer.Option(min=0.1, help="At each rate.")] = 30.0,
    short: Annotated[float, typer.Option(min=0, max=1, help="Share of short replies.")] = 0.7,
    seed: Annotated[int, typer.Option(help="Of the arrivals and texts.")] = 0,
    max_open: Annotated[
        int, typer.Option(min=1, max=1000, help="Open requests that are too many: the load ends.")
    ] = 128,
    voice: Annotated[str, typer.Option(help="To ask for.")] = "alloy",
    model_name: Annotated[str, typer.Option(help="To ask for.")] = "tts-1",
    response_format: Annotated[str, typer.Option(help="To ask for.")] = "pcm",
    sample_rate: Annotated[int, typer.Option(min=8000, help="Hz that pcm is in.")] = 24000,
    api_key: Annotated[str, typer.Option(help="If the service wants one.")] = "",
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for a whole answer.")] = 60.0,
    plot: Annotated[Path | None, typer.Option(help="Draw it into this PNG file.")] = None,
) -> None:
    """Callers who don't wait their turn: how a service holds up as more of them come."""
    from mira.bench.client import Request
    from mira.bench.load import Load, main

    if url and model:
        raise InvalidRequest("--model is for a service of its own: leave out the URL.")
    main(
        url,
        Request(model_name, voice, response_format, sample_rate, api_key, timeout),
        Load(_numbers("--rates", rates, float), seconds, short, seed, max_open),
        plot,
        *_serve(model),
    )


@app.command()
def lm(
    model: ModelDirectory,
    calls: Annotated[str, typer.Option(help="Simultaneous, one after another.")] = "1,4,8",
    tokens: Annotated[int, typer.Option(min=1, max=1000, help="That each call takes.")] = 200,
) -> None:
    """The language model alone: tokens a second, time to the first."""
    from mira.bench.lm import main

    main(model, _numbers("--calls", calls, int), tokens)


@app.command()
def codec(
    model: ModelDirectory,
    seconds: Annotated[float, typer.Option(min=1, max=60, help="Of audio.")] = 10.0,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """The codec alone: real-time factor in windows and whole, with and without upsampler."""
    from mira.bench.codec import main

    main(model, seconds, rounds)


@app.command()
def ttfa(model: Model = "") -> None:
    """One caller: when the first audio is heard."""
    from mira.bench.ttfa import main

    main(*_serve(model))


@app.command()
def listeners(
    model: Model = "",
    counts: Annotated[str, typer.Option(help="At once, one after another.")] = "1,8,32",
) -> None:
    """Many callers in the same moment, who listen in real time."""
    from mira.bench.listeners import main

    main(_numbers("--counts", counts, int), *_serve(model))


@app.command()
def cancel(model: Model = "") -> None:
    """Callers who hang up in the middle: how soon the service has their places back."""
    from mira.bench.cancel import main

    main(*_serve(model))


@app.command()
def gpu(
    model: ModelDirectory,
    engines: Annotated[str, typer.Option(help="As lm_engine.")] = "lmdeploy,lmdeploy-pytorch,torch",
    streams: Annotated[str, typer.Option(help="At once, one after another.")] = "1,8,32,64",
) -> None:
    """Everything that is stated of a card, in one call; takes a quarter of an hour."""
    from mira.bench.gpu import main

    main(model, tuple(engines.split(",")), _numbers("--streams", streams, int))


@app.command()
def memory(model: Model = "") -> None:
    """A busy hour in two minutes: start, memory, threads."""
    from mira.bench.memory import main

    main(*_serve(model))


@app.command()
def voices(
    model: Model = "",
    counts: Annotated[str, typer.Option(help="In the folder, one after another.")] = "1,1000",
) -> None:
    """A folder of many voices; one that changes while calls speak."""
    from mira.bench.voices import main

    main(_numbers("--counts", counts, int), *_serve(model))


@app.command()
def say() -> None:
    """`mira say` on long text."""
    from mira.bench.say import main

    main()


def _serve(model: str) -> tuple[str, ...]:
    """Arguments of `mira serve`."""
    return ("--set", f"model={model}") if model else ()


def _numbers(option: str, text: str, kind: Callable[[str], Number]) -> tuple[Number, ...]:
    try:
        found = tuple(map(kind, text.split(",")))
    except ValueError as error:
        raise InvalidRequest(f"{option} {text}: write numbers with commas between.") from error
    if not all(0 < number < float("inf") for number in found):
        raise InvalidRequest(f"{option} {text}: each must be more than 0.")
    return found
