"""Bytes of audio in; a file, standard output or a loudspeaker out.

For the command line. Knows nothing about how the bytes were made.
"""

import contextlib
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mira.audio import WAV_HEADER_BYTES, wav_header
from mira.errors import InvalidRequest

PLAYERS = {  # each plays a WAV stream from its standard input
    "aplay": ("-q", "-"),
    "pw-play": ("-",),
    "ffplay": ("-nodisp", "-autoexit", "-loglevel", "error", "-"),
    "mpv": ("--no-terminal", "-"),
    "play": ("-q", "-t", "wav", "-"),
}


@contextmanager
def file_sink(path: Path, format_name: str) -> Iterator[IO[bytes]]:
    """A file that appears whole at the end, or not at all.

    Raises:
        InvalidRequest: The folder does not exist or can't be written to.
    """
    path = path.resolve()  # a link stays a link to what is written
    if path.exists() and not path.is_file():  # a device or a pipe takes it as it comes
        with path.open("wb") as special:
            yield special
        return
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        file = part.open("x+b")
    except OSError as error:
        raise InvalidRequest(f"{path}: can't be written: {error.strerror}.") from error
    try:
        with file:
            yield file
            if format_name == "wav":
                _state_size(file)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _state_size(file: IO[bytes]) -> None:
    """A stream's WAV header can't say how long it is; a file's can."""
    num_samples = (file.tell() - WAV_HEADER_BYTES) // 2
    file.seek(0)
    sample_rate = int.from_bytes(file.read(WAV_HEADER_BYTES)[24:28], "little")
    file.seek(0)
    file.write(wav_header(sample_rate, num_samples))


@contextmanager
def stdout_sink() -> Iterator[IO[bytes]]:
    """Standard output; a reader that leaves early is no error."""
    with contextlib.suppress(BrokenPipeError):
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()


@contextmanager
def player_sink() -> Iterator[IO[bytes]]:
    """A player that speaks a WAV stream aloud; waits until it has.

    Raises:
        InvalidRequest: No player is installed.
    """
    name = next((name for name in PLAYERS if shutil.which(name)), None)
    if name is None:
        raise InvalidRequest(
            f"No player found. Install one of {', '.join(PLAYERS)}, or write a file with -o."
        )
    with subprocess.Popen([name, *PLAYERS[name]], stdin=subprocess.PIPE) as player:
        assert player.stdin is not None
        with contextlib.suppress(BrokenPipeError), player.stdin:
            yield player.stdin
