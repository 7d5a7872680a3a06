"""mira config: every setting, its value and where that came from."""

import sys

from mira.cli.options import Config, Set, parse
from mira.settings import SECRET, Settings, load_settings


def show_config(config: Config = None, settings_flags: Set = None) -> None:
    """Print every setting, its value and where that came from."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    settings, sources = load_settings(config, parse(settings_flags))
    table = Table("setting", "value", "from", "what it is", box=box.SIMPLE)
    for name, field in Settings.model_fields.items():
        shown = value = getattr(settings, name)
        if name in SECRET:
            shown = f"{len(value)} set" if value else "none"
        elif isinstance(value, tuple):
            shown = ", ".join(value)
        elif isinstance(value, dict):
            shown = ", ".join(f"{name}={other}" for name, other in value.items())
        elif value is None:
            shown = ""
        table.add_row(name, str(shown), sources.get(name, "default"), field.description)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
