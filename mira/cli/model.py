"""mira model download | inspect | convert | look-ahead: gets, shows and converts checkpoints.

Knows nothing of what their files hold.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    help="Download, look into, convert or measure a model's checkpoint.", no_args_is_help=True
)

Model = Annotated[str, typer.Argument(help="MiraTTS or Spark-TTS: a directory or Hugging Face id.")]

CodecModel = Annotated[str, typer.Option(help="Another one's codec, as the setting of this name.")]


@app.command()
def download(
    model: Annotated[str, typer.Argument(help="A Hugging Face id, such as YatharthS/MiraTTS.")],
    revision: Annotated[str, typer.Option(help="A branch, tag or commit of it.")] = "main",
    part: Annotated[
        Literal["model", "codec", "wav2vec2"],
        typer.Option(help="What of it: for the setting model, codec_model or semantic_model."),
    ] = "model",
) -> None:
    """Download a model, or what has changed of it since: a start only downloads what is missing."""
    from mira.load.models import download
    from mira.progress import progress_bar

    with progress_bar(sys.stderr) as report:
        print(download(model, revision, part, report))


@app.command()
def inspect(directory: Model, codec_model: CodecModel = "") -> None:
    """Print what a checkpoint holds."""
    from mira.load.models import inspect
    from mira.progress import progress_bar

    with progress_bar(sys.stderr) as report:
        layout, files = inspect(directory, codec_model, report)
    rows = [
        (
            row.file,
            row.title,
            f"{row.tensors or ''}",
            f"{row.parameters:,}" if row.parameters else "",
            row.dtype,
            f"{row.num_bytes / 2**20:.1f} MiB",
        )
        for row in files
    ]
    _print(f"{layout} layout", ("file", "what", "tensors", "parameters", "", ""), rows)


@app.command()
def convert(
    model: Model,
    output: Annotated[Path, typer.Argument(help="A new directory, or what an earlier run made.")],
    weights: Annotated[
        Literal["auto", "int4", "int8", "bf16"],
        typer.Option(
            help="How the language model's are stored: int4 is fastest, bf16 exact; auto: the "
            "fewest bits that agree with the original."
        ),
    ] = "auto",
    codec_model: CodecModel = "",
) -> None:
    """Make a directory that a CPU speaks from: what a start does by itself, in a place of yours."""
    from mira.load.models import convert
    from mira.progress import progress_bar

    with progress_bar(sys.stderr) as report:
        kind, found = convert(model, output, weights, codec_model, report)
    print(f"{output}: weights in {kind}; {found}")
    if not found.good and weights in ("int4", "int8"):
        print("That is little. Compare with --weights auto, and listen to both.")


@app.command("look-ahead")
def look_ahead(
    directory: Model,
    codec_model: CodecModel = "",
    text: Annotated[str, typer.Option(help="What to say.")] = (
        "Thanks for calling, I have found your booking and I can change it for you right now."
    ),
    seed: Annotated[int, typer.Option(help="Of the sampling.")] = 0,
) -> None:
    """Measure how many frames must be known before one is final, with these weights."""
    from mira.load.models import measure_look_ahead
    from mira.progress import progress_bar

    with progress_bar(sys.stderr) as report:
        measured = measure_look_ahead(directory, text, seed, codec_model, report)
    rows = [
        (
            f"{row.look_ahead}",
            f"{row.delay_ms:.0f}",
            f"{row.snr_db:.1f}",
            f"{row.seam_snr_db:.1f}",
            f"{row.distance_db:.2f}",
            "recommended" if row.recommended else "",
        )
        for row in measured
    ]
    columns = ("look-ahead", "delay ms", "SNR dB", "SNR dB at seams", "spectral distance dB", "")
    _print("error against rendering the whole at once", columns, rows)


def _print(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, title=title, box=box.SIMPLE)
    for row in rows:
        table.add_row(*row)
    Console(width=None if Console().is_terminal else 140).print(table)
