"""mira say: text in; a file, standard output or a loudspeaker out.

Knows nothing that the library does not.
"""

import os
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Annotated

import typer

from mira.cli.explain import explain
from mira.cli.options import Config, Model, Set, settings_of
from mira.errors import InvalidRequest
from mira.progress import progress_bar
from mira.settings import Settings
from mira.stream.playback import Playback
from mira.text import Dictionary, Mark, dictionary_of
from mira.types import Sampling, Voice

if TYPE_CHECKING:
    from mira.audio import AudioStream
    from mira.cli.sinks import Sink
    from mira.engine import Engine
    from mira.types import Block

CHARS_PER_S = 17.0  # of English speech, roughly: for the progress bar
LONG_TEXT_CHARS = 600  # from here on it takes long enough to want one


def say(
    text: Annotated[str, typer.Argument(help="What to say; - speaks standard input as it comes.")],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="File (its suffix is the format); - is stdout."),
    ] = None,
    play: Annotated[bool, typer.Option("--play", help="Speak aloud.")] = False,
    words_file: Annotated[
        Path | None,
        typer.Option("--words", help="When each word is heard: .json, .srt, .vtt."),
    ] = None,
    format_name: Annotated[
        str | None, typer.Option("--format", "-f", help="Instead of the suffix; wav for stdout.")
    ] = None,
    voice: Annotated[str | None, typer.Option("--voice", "-v")] = None,
    clone: Annotated[
        Path | None, typer.Option(help="A recording; its speaker says it. Needs a Mira model.")
    ] = None,
    transcript: Annotated[
        str, typer.Option(help="What that recording says; needs the setting semantic_model.")
    ] = "",
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, help="Say it the same way again.")
    ] = None,
    speed: Annotated[float, typer.Option(min=0.25, max=4, help="The pitch stays.")] = 1.0,
    volume: Annotated[float, typer.Option(min=0, max=10)] = 1.0,
    sample_rate: Annotated[int | None, typer.Option(help="Hz; the voice's own.")] = None,
    model: Model = None,
    config: Config = None,
    settings_flags: Set = None,
    explained: Annotated[
        bool, typer.Option("--explain", help="Print the words that would be said; say nothing.")
    ] = False,
) -> None:
    """Speak TEXT into a file, standard output or the loudspeaker."""
    if text == "-" and sys.stdin is None:
        raise InvalidRequest("Standard input is closed: give it text, or the text instead of -.")
    written = _standard_input() if text == "-" else text
    _check_output(output, play, words_file, explained)
    if explained:
        explain(written, _dictionary(settings_of(config, settings_flags, model=model)))
        return

    from mira.audio import AudioStream
    from mira.cli.sinks import file_sink
    from mira.cli.words import Account, form_of
    from mira.load import load_engine

    if transcript and not clone:
        raise InvalidRequest("--transcript is what a recording says: name it with --clone FILE.")
    format_name = format_name or _format_of(output)
    # Refuses what can't be had before any work is done.
    AudioStream(48000, format_name, sample_rate or 48000)
    account = Account(written, form_of(words_file)) if words_file else None
    settings = settings_of(config, settings_flags, model=model)
    dictionary = _dictionary(settings)

    with ExitStack() as stack:
        with progress_bar(sys.stderr) as report:
            engine = stack.enter_context(closing(load_engine(settings, report)))
        if clone:
            speaker = _clone(engine, clone, transcript)
        else:
            speaker = _find_voice(engine, settings, voice or settings.default_voice)

        def encoder(name: str) -> AudioStream:
            rate = sample_rate or engine.sample_rate
            return AudioStream(engine.sample_rate, name, rate, pace=speed, volume=volume)

        # What is asked for is opened before anything is computed. The words' file appears last,
        # once what it tells of is there, or was played.
        times = stack.enter_context(file_sink(words_file)) if words_file else None
        streams = _open(stack, output, play, format_name, encoder)
        advance, audio = stack.enter_context(_progress(len(text))), streams[0][0]

        def heard(block: "Block") -> None:
            advance(len(block.samples) / engine.sample_rate)
            if account:
                account.takes(block.words, audio)

        live = play or (output == "-" and not S_ISREG(os.fstat(1).st_mode))
        playback = Playback(live, speed, words=account is not None)
        spoken, sampling = account.text if account else written, Sampling(seed=seed)
        blocks = engine.blocks_ahead(spoken, speaker, sampling, playback, dictionary=dictionary)
        stack.enter_context(closing(blocks))
        ended = _write(blocks, streams, heard)
        if account and times:
            times.write(account.written(audio, whole=audio in ended))


def _check_output(output: str | None, play: bool, words_file: Path | None, explained: bool) -> None:
    wanted = output is not None or play
    if explained and (wanted or words_file):
        raise InvalidRequest("--explain says nothing: leave it out, or -o, --play and --words.")
    if not explained and not wanted:
        raise InvalidRequest("No output given: use -o FILE, -o - or --play.")
    if words_file and output and words_file.resolve() == Path(output).resolve():
        raise InvalidRequest("--words and -o are the same file: give it another name.")


def _dictionary(settings: Settings) -> Dictionary:
    """Read the settings' words, before anything that takes longer. A model reads letters."""
    return dictionary_of(settings.dictionary, reads_phonemes=not settings.model)


def _standard_input() -> Iterator[str | Mark]:
    """Yield text as it comes, and raise InvalidRequest if it is not UTF-8."""
    decoder = getincrementaldecoder("utf-8")()
    typed = sys.stdin.isatty()
    try:
        # Not `sys.stdin.read`: an interrupted process could not end while a thread waits in it.
        while data := os.read(sys.stdin.fileno(), 1 << 16):
            yield decoder.decode(data)
            # One who types is done with a line, whatever the next one holds.
            yield Mark.FLUSH if typed and data.endswith(b"\n") else Mark.IDLE
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"Standard input is not UTF-8 text (there is a byte {error.object[error.start]:#04x})."
            " Convert it first, for example with iconv."
        ) from error


def _clone(engine: "Engine", recording: Path, transcript: str) -> Voice:
    from mira.audio.decode import decode_file

    speaker = engine.clone(recording.stem, *decode_file(recording), transcript)
    if transcript and not speaker.speech_tokens:
        typer.echo("mira: the transcript is not used: semantic_model is not set", err=True)
    return speaker


def _find_voice(engine: "Engine", settings: Settings, name: str) -> Voice:
    for own in engine.voices:
        if own.name == name:  # the folder can wait
            return own
    from mira.voices import Voices, open_store

    store = open_store(settings, engine, [own.name for own in engine.voices])
    found = Voices(settings, engine.voices, store).find(name)
    if found.instead:
        print(f"mira: {found.voice.name} speaks instead. {found.instead}", file=sys.stderr)
    return found.voice


def _open(
    stack: ExitStack,
    output: str | None,
    play: bool,
    format_name: str,
    encoder: "Callable[[str], AudioStream]",
) -> "list[tuple[AudioStream, Sink]]":
    """Open what the audio goes to, each with its encoder."""
    from mira.cli.sinks import file_sink, player_sink, stdout_sink

    streams: list[tuple[AudioStream, Sink]] = []
    if output is not None:
        sink = stdout_sink() if output == "-" else file_sink(Path(output), format_name)
        streams.append((encoder(format_name), stack.enter_context(sink)))
    if play:
        streams.append((encoder("wav"), stack.enter_context(player_sink())))
    return streams


def _write(
    blocks: "Iterator[Block]",
    streams: "list[tuple[AudioStream, Sink]]",
    then: "Callable[[Block], None]",
) -> "list[AudioStream]":
    """Write to each until it has had enough, and end when all have; return those that had all."""
    for block in blocks:
        streams = [
            (stream, sink) for stream, sink in streams if _takes(sink, stream.push(block.samples))
        ]
        if not streams:
            return []
        then(block)
    return [stream for stream, sink in streams if _takes(sink, stream.flush())]


def _takes(sink: "Sink", data: bytes) -> bool:
    try:
        sink.write(data)
        sink.flush()  # what comes next may take its time
    except BrokenPipeError:
        return False
    return True


def _format_of(output: str | None) -> str:
    from mira.audio import FORMATS, format_of_suffix

    if output is None or output == "-":
        return "wav"
    found = format_of_suffix(Path(output).suffix)
    if found is None:
        suffixes = ", ".join(suffix for known in FORMATS.values() for suffix in known.suffixes)
        raise InvalidRequest(f"{output}: end it in one of {suffixes}, or give --format.")
    return found.name


@contextmanager
def _progress(chars: int) -> Iterator[Callable[[float], None]]:
    """Show a bar on long text, on the terminal; the audio's length is a guess until it ends."""
    if chars < LONG_TEXT_CHARS or not sys.stderr.isatty():
        yield lambda audio_s: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("speaking", total=chars / CHARS_PER_S)
        yield lambda audio_s: bar.advance(task, audio_s)
