"""The options that commands share: where settings come from.

Knows nothing about what the settings are.
"""

import logging
from pathlib import Path
from typing import Annotated

import typer

from mira.errors import InvalidRequest
from mira.settings import Settings, load_settings

Config = Annotated[
    Path | None, typer.Option("--config", help="A TOML file with settings.", show_default=False)
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any setting, as NAME=VALUE; repeatable.", show_default=False),
]

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="MiraTTS or Spark-TTS: a directory or Hugging Face id.",
        show_default=False,
    ),
]


def settings_of(config: Path | None, flags: list[str] | None, **named: object) -> Settings:
    """Load the settings that a command was called with, and log as much as they say from now on.

    Args:
        config: `Config`.
        flags: `Set`.
        named: Settings that the command has options of their own for; None is not set.

    Raises:
        InvalidRequest: A flag is not NAME=VALUE.
        InvalidSettings: See `load_settings`.
    """
    given = {name: value for name, value in named.items() if value is not None}
    settings = load_settings(config, parse(flags) | given)[0]
    logging.getLogger("mira").setLevel(settings.log_level.upper())
    return settings


def parse(flags: list[str] | None) -> dict[str, object]:
    """Read NAME=VALUE flags.

    Raises:
        InvalidRequest: One is something else.
    """
    pairs = [flag.partition("=") for flag in flags or ()]
    for name, equals, _ in pairs:
        if not equals:
            raise InvalidRequest(f"--set {name}: write it as NAME=VALUE.")
    return {name: value for name, _, value in pairs}
