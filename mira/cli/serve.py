"""mira serve: settings in, the service until it is told to stop.

Knows nothing about how it serves.
"""

from typing import Annotated

import typer

from mira.cli.options import Config, Model, Set, settings_of


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 picks one.")] = None,
    model: Model = None,
    config: Config = None,
    settings_flags: Set = None,
) -> None:
    """Run the service, until it is told to stop."""
    settings = settings_of(config, settings_flags, host=host, port=port, model=model)

    from mira.server.run import run

    run(settings)
