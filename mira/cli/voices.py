"""mira voices list | show | add | check | prepare | remove | export | import.

Knows nothing that `voices` does not. Works on the folder itself; a service that runs on it takes
notice by itself.
"""

import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mira.cli.options import Config, Set, settings_of
from mira.errors import InvalidRequest, InvalidSettings, VoiceNotFound
from mira.progress import amount

if TYPE_CHECKING:
    from mira.settings import Settings
    from mira.voices import Quality, VoiceStore

app = typer.Typer(
    help="The voices of recordings: add, check, prepare, remove, move to another machine.",
    no_args_is_help=True,
)

Recording = Annotated[Path, typer.Argument(help="WAV, MP3, Ogg, FLAC, M4A or WebM.")]
Name = Annotated[str, typer.Argument(help="Of a voice, as `mira voices list` shows it.")]


@app.command("list")
def list_voices(config: Config = None, settings_flags: Set = None) -> None:
    """Print every voice, and the files in the folder that can't be used."""
    from rich.console import Console
    from rich.table import Table

    from mira.voices.sample import SAMPLE_VOICE

    settings, store = _opened(config, settings_flags)
    table = Table("voice", "format", "seconds", "quality", "version", "speaks", box=None)
    speaks = "yes" if settings.model else "needs a Mira model"
    rows = [(SAMPLE_VOICE, "builtin", "", "", "", "yes")]
    for name, voice in sorted(store.recorded.items()):
        seconds, grade = f"{voice.quality.duration_s:.1f}", voice.quality.grade
        rows.append((name, voice.format, seconds, grade, voice.version, speaks))
    for name, *rest in rows:
        table.add_row(f"{name} (default)" if name == settings.default_voice else name, *rest)
    console = Console(soft_wrap=True)
    console.print(table)
    for filename, why in store.unusable.items():
        console.print(f"unusable: {filename}: {why}", markup=False)


@app.command()
def show(name: Name, config: Config = None, settings_flags: Set = None) -> None:
    """Print what is kept of a voice: what is said in it, who consented, how it suits cloning."""
    voice = _opened(config, settings_flags)[1].recorded.get(name)
    if voice is None:
        raise VoiceNotFound(f"There is no recorded voice {name!r}. See: mira voices list")
    consent = voice.consent
    typer.echo(f"{voice.name} {voice.version} ({voice.candidate.filename})")
    typer.echo(f"transcript: {voice.transcript or 'none'}")
    typer.echo(f"consent: {(consent.statement or consent.name) if consent else 'none'}")
    _print_report(voice.quality)


@app.command()
def add(
    recording: Recording,
    name: Annotated[str | None, typer.Option(help="Instead of the file's.")] = None,
    transcript: Annotated[
        str | None,
        typer.Option(help="What is said in it; else what is in a .txt file beside it."),
    ] = None,
    consent: Annotated[str, typer.Option(help="Who consented to a voice of theirs.")] = "",
    config: Config = None,
    settings_flags: Set = None,
) -> None:
    """Make a voice of a recording, or another version of the one with this name."""
    from mira.voices import MAX_STATEMENT_CHARS, NEEDS_MODEL, Consent

    if len(consent) > MAX_STATEMENT_CHARS:
        raise InvalidRequest(f"consent: say it in {MAX_STATEMENT_CHARS} characters at most.")
    settings, store = _opened(config, settings_flags)
    beside = recording.with_suffix(".txt")
    if transcript is None and beside.is_file():
        transcript = _read(beside, 1 << 16).decode("utf-8-sig", "replace")
    given = Consent(statement=consent, created_at=int(time.time())) if consent else None
    data = _read(recording, settings.max_recording_bytes)
    added = store.add(name or recording.stem, data, transcript or "", given)
    typer.echo(f"{added.name} {added.version}")
    _print_report(added.quality)
    if not settings.model:
        typer.echo(NEEDS_MODEL)


@app.command()
def check(recording: Recording, config: Config = None, settings_flags: Set = None) -> None:
    """Say how well a recording suits cloning."""
    from mira.voices import VoiceStore

    settings = settings_of(config, settings_flags)
    quality = VoiceStore(settings).check(_read(recording, settings.max_recording_bytes))
    _print_report(quality)
    if quality.grade == "unusable":
        raise typer.Exit(2)


@app.command()
def prepare(
    names: Annotated[list[str] | None, typer.Argument(help="All of them, without any.")] = None,
    config: Config = None,
    settings_flags: Set = None,
) -> None:
    """Compute what the model needs of each voice now, so that no call has to wait for it."""
    from mira.load import load_engine
    from mira.voices import open_store

    settings = settings_of(config, settings_flags)
    if not settings.model:
        raise InvalidSettings("Only a Mira model has something to prepare: set `model`.")
    with closing(load_engine(settings)) as engine:
        store = open_store(settings, engine, [voice.name for voice in engine.voices])
        for name in names or sorted(store.recorded):
            if name not in store.recorded:
                raise VoiceNotFound(f"There is no recorded voice {name!r}.")
            store.prepare(store.recorded[name])
            typer.echo(f"{name} is prepared")


@app.command()
def remove(name: Name, config: Config = None, settings_flags: Set = None) -> None:
    """Remove a voice: its recording, transcript and consent, and all that was computed of it.

    Files that you put into the folder by hand are moved to its folder `removed`.
    """
    settings, store = _opened(config, settings_flags)
    if name == settings.default_voice:
        raise InvalidRequest(f"{name!r} is the default voice: set default_voice to another first.")
    for kept in store.remove(name):
        typer.echo(f"kept: {settings.voices_dir / kept}")


@app.command()
def export(
    name: Name,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="NAME.voice if not given.")
    ] = None,
    config: Config = None,
    settings_flags: Set = None,
) -> None:
    """Write a voice into one file."""
    from mira.files import storing, write_whole

    data, path = _opened(config, settings_flags)[1].pack(name), output or Path(f"{name}.voice")
    with storing(f"{path} can't be written"):
        write_whole(path, data, private=True)


@app.command("import")
def import_voice(
    file: Annotated[Path, typer.Argument(help="What `mira voices export` wrote.")],
    name: Annotated[str | None, typer.Option(help="Instead of the one in the file.")] = None,
    config: Config = None,
    settings_flags: Set = None,
) -> None:
    """Add a voice from such a file."""
    from mira.voices import largest

    settings, store = _opened(config, settings_flags)
    added = store.unpack(_read(file, largest(settings.max_recording_bytes)), name)
    typer.echo(f"{added.name} {added.version}")


def _opened(config: Path | None, flags: list[str] | None) -> "tuple[Settings, VoiceStore]":
    """Return the settings, and the folder that they name."""
    from mira.voices import open_store
    from mira.voices.sample import SAMPLE_VOICE

    settings = settings_of(config, flags)
    return settings, open_store(settings, taken=[SAMPLE_VOICE])


def _read(path: Path, at_most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(at_most + 1)
    except OSError as error:
        raise InvalidRequest(f"{path}: can't be read: {error.strerror}.") from error
    if len(data) > at_most:
        raise InvalidRequest(f"{path}: has more than {amount(at_most)}.")
    return data


def _print_report(quality: "Quality") -> None:
    typer.echo(f"quality: {quality.grade}")
    for verdict in quality.verdicts:
        typer.echo(f"  {verdict.grade}: {verdict.words}")
