"""mira bench load: its options.

Knows nothing about how it measures.
"""

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

from mira.errors import InvalidRequest

app = typer.Typer(
    help="Measure a service: a table, then one JSON line. Settings come from MIRA_ variables.",
    no_args_is_help=True,
)

LONGEST_KEY_CHARS = 1000  # by far

Number = TypeVar("Number", int, float)

Model = Annotated[
    str, typer.Option(help="Of a service of its own: a directory or Hugging Face id.")
]


@app.callback()
def _bench() -> None:
    """Keep `load` a command of its own, though it is the only one."""


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
    response_format: Annotated[
        Literal["pcm", "wav", "mp3", "opus", "aac", "flac"], typer.Option(help="To ask for.")
    ] = "pcm",
    sample_rate: Annotated[int, typer.Option(min=8000, help="Hz that pcm is in.")] = 24000,
    api_key_file: Annotated[
        Path | None, typer.Option(help="Has the API key, if the service wants one.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for a whole answer.")] = 60.0,
    picture: Annotated[
        Path | None, typer.Option("--plot", help="Draw it into this PNG file.")
    ] = None,
) -> None:
    """Callers who don't wait their turn: how a service holds up as more of them come."""
    from mira.cli.bench.client import Client
    from mira.cli.bench.load import Load, main
    from mira.cli.bench.plot import check_plot, plot
    from mira.cli.bench.service import running

    if url and model:
        raise InvalidRequest("--model is for a service of its own: leave out the URL.")
    if picture:
        check_plot(picture)
    asked = {"model": model_name, "voice": voice, "response_format": response_format}
    offered = numbers("--rates", rates, float)
    api_key = read_key(api_key_file) if api_key_file else ""
    with ExitStack() as stack:
        address = url or stack.enter_context(running(*serve_arguments(model))).url
        client = stack.enter_context(closing(Client(address, api_key, timeout)))
        load = Load(offered, seconds, short, seed, max_open, asked, sample_rate)
        rows = main(client, load, {"url": url and client.url, "model": model})
    if picture:
        plot(rows, picture)


def serve_arguments(model: str) -> tuple[str, ...]:
    """Write the arguments of `mira serve`."""
    return ("--set", f"model={model}") if model else ()


def read_key(path: Path) -> str:
    """Read an API key. Not an option's value: whoever lists processes would see it.

    Args:
        path: A file, a pipe or /dev/stdin.

    Raises:
        InvalidRequest: There is none in it.
    """
    try:
        with path.open(encoding="utf-8") as file:
            key = file.read(LONGEST_KEY_CHARS + 1).strip()
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InvalidRequest(f"--api-key-file {path}: {why}.") from error
    if not key or len(key) > LONGEST_KEY_CHARS:
        raise InvalidRequest(f"--api-key-file {path}: the key alone should be in it.")
    return key


def numbers(option: str, text: str, kind: Callable[[str], Number]) -> tuple[Number, ...]:
    """Read numbers with commas between.

    Raises:
        InvalidRequest: One is none, or not more than 0.
    """
    try:
        found = tuple(map(kind, text.split(",")))
    except ValueError as error:
        raise InvalidRequest(f"{option} {text}: write numbers with commas between.") from error
    if not all(0 < number < float("inf") for number in found):
        raise InvalidRequest(f"{option} {text}: each must be more than 0.")
    return found
