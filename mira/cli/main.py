"""The command line: mira say | serve | voices | model | doctor | bench | config.

One module for each command; here they meet, and every failure becomes one line that says what to
do.
"""

import errno
import logging
import os
import sys
import traceback
from importlib.metadata import version
from typing import Annotated

import typer

from mira.cli.bench.command import app as bench_app
from mira.cli.config import show_config
from mira.cli.doctor import doctor
from mira.cli.model import app as model_app
from mira.cli.say import say
from mira.cli.serve import serve
from mira.cli.voices import app as voices_app
from mira.errors import InvalidRequest, MiraError, one_line
from mira.load.plan import install

app = typer.Typer(
    name="mira",
    help="Streaming text-to-speech: a library, this command line, and a service.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
app.command()(say)
app.command()(serve)
app.add_typer(voices_app, name="voices")
app.add_typer(model_app, name="model")
app.command()(doctor)
app.add_typer(bench_app, name="bench")
app.command("config")(show_config)


def main() -> None:
    """Run the command line: every expected failure becomes one line and an exit status."""
    try:
        sys.exit(app(standalone_mode=False))
    except typer.TyperException as error:
        if error.format_message():
            print(f"mira: {error.format_message()} Try: mira --help", file=sys.stderr)
        sys.exit(2)
    except MiraError as error:
        print(f"mira: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InvalidRequest) else 1)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except BrokenPipeError:  # whoever read standard output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - nobody is helped by a traceback
        print(f"mira: {one_line(error)}. {_helps(error)}", file=sys.stderr)
        sys.exit(1)


def _helps(error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"A library is missing or broken: {install()}"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "Free some of that disk, or write to another."
    if logging.getLogger("mira").isEnabledFor(logging.DEBUG):
        traceback.print_exc()
        return "That is a fault of Mira's."
    return "That is a fault of Mira's: --set log_level=debug prints where."


@app.callback(invoke_without_command=True)
def _options(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if show_version:
        print(f"mira {version('mira-speech')}")
        raise typer.Exit
