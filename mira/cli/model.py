"""mira model download | inspect | convert | look-ahead: gets, shows and converts checkpoints.

Knows nothing of what their files hold.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from mira.errors import InvalidRequest

app = typer.Typer(
    help="Download, look into, convert or measure a model's checkpoint.", no_args_is_help=True
)

Model = Annotated[str, typer.Argument(help="MiraTTS or Spark-TTS: a directory or Hugging Face id.")]

CodecModel = Annotated[
    str | None, typer.Option(help="Another one's codec, as the setting of this name.")
]


@app.command()
def download(
    model: Annotated[str, typer.Argument(help="A Hugging Face id, such as YatharthS/MiraTTS.")],
    revision: Annotated[
        str | None, typer.Option(help="A branch, tag or commit of it; main.")
    ] = None,
    part: Annotated[
        Literal["model", "codec", "wav2vec2"],
        typer.Option(help="What of it: for the setting model, codec_model or semantic_model."),
    ] = "model",
) -> None:
    """Download a model, or what has changed of it since: a start only downloads what is missing."""
    from mira.model.checkpoint import directory_of, locate

    if directory_of(model):
        raise InvalidRequest(f"{model}: is a directory here, which is what speaks. Move it away.")
    from mira.load import require
    from mira.progress import progress_bar

    require("cpu", "huggingface_hub", "httpx2")
    with progress_bar(sys.stderr) as report:
        directory = locate(model, revision, part=part, report=report, anew=True)
    print(directory)


@app.command()
def inspect(directory: Model, codec_model: CodecModel = None) -> None:
    """Print what a checkpoint holds."""
    from mira.model.checkpoint import describe, locate, open_checkpoint
    from mira.progress import progress_bar

    _require_for(directory, codec_model, "safetensors", "tokenizers")
    with progress_bar(sys.stderr) as report:
        codec = locate(codec_model, part="codec", report=report) if codec_model else None
        checkpoint = open_checkpoint(locate(directory, report=report), codec)
    rows = [
        (
            row.file,
            row.title,
            f"{row.tensors or ''}",
            f"{row.parameters:,}" if row.parameters else "",
            row.dtype,
            f"{row.num_bytes / 2**20:.1f} MiB",
        )
        for row in describe(checkpoint)
    ]
    _print(f"{checkpoint.layout} layout", ("file", "what", "tensors", "parameters", "", ""), rows)


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
    codec_model: CodecModel = None,
) -> None:
    """Make a directory that a CPU speaks from: what a start does by itself, in a place of yours."""
    from mira.load.facts import short
    from mira.model.checkpoint import locate, open_checkpoint

    _require_for(model, codec_model, "openvino", "safetensors", "tokenizers")
    from mira.model.convert import convert
    from mira.progress import progress_bar

    with progress_bar(sys.stderr) as report:
        codec = locate(codec_model, part="codec", report=report) if codec_model else None
        checkpoint = open_checkpoint(locate(model, report=report), codec)
        kind, found = convert(checkpoint, output, weights, report, short(model))
    print(f"{output}: weights in {kind}; {found}")
    if not found.good and weights in ("int4", "int8"):
        print("That is little. Compare with --weights auto, and listen to both.")


@app.command("look-ahead")
def look_ahead(
    directory: Model,
    codec_model: CodecModel = None,
    text: Annotated[str, typer.Option(help="What to say.")] = (
        "Thanks for calling, I have found your booking and I can change it for you right now."
    ),
    seed: Annotated[int, typer.Option(help="Of the sampling.")] = 0,
) -> None:
    """Measure how many frames must be known before one is final, with these weights."""
    from mira.load import measure_look_ahead
    from mira.progress import progress_bar

    with progress_bar(sys.stderr) as report:
        measured = measure_look_ahead(directory, text, seed, codec_model or "", report)
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


def _require_for(model: str, codec_model: str | None, *libraries: str) -> None:
    """Check what a command needs, and what a download needs if there may be one."""
    from mira.load import require
    from mira.model.checkpoint import directory_of

    names = (model, codec_model) if codec_model else (model,)
    hub = () if all(map(directory_of, names)) else ("huggingface_hub", "httpx2")
    require("cpu", *libraries, *hub)


def _print(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, title=title, box=box.SIMPLE)
    for row in rows:
        table.add_row(*row)
    Console(width=None if Console().is_terminal else 140).print(table)
