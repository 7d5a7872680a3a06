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
from tempfile import TemporaryFile
from typing import IO, Protocol

from mira.audio import FORMATS, wav_header
from mira.errors import InvalidRequest, PlaybackFailed

PLAYERS = {  # each plays a WAV stream from its standard input
    "aplay": ("-q", "-"),
    "pw-play": ("-",),
    "ffplay": ("-nodisp", "-autoexit", "-loglevel", "error", "-"),
    "mpv": ("--no-terminal", "-"),
    "play": ("-q", "-t", "wav", "-"),
}
KEPT_BYTES = 3 << 15
"""What a player has taken at most when another may begin again: 2 s at 24 kHz. A pipe alone takes
two thirds of it, from one that never reads; one that took more was heard."""


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object:
        """Take all of them."""

    def flush(self) -> object:
        """Pass on what was written."""


@contextmanager
def file_sink(path: Path, format_name: str | None = None) -> Iterator[IO[bytes]]:
    """Open a file that appears whole at the end, or not at all; audio, if it has a format.

    Raises:
        InvalidRequest: It can't be written, or its folder does not exist.
    """
    path = path.resolve()  # a link stays a link to what is written
    is_special = path.exists() and not path.is_file()  # a device or a pipe takes it as it comes
    part = path if is_special else path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        file = part.open("wb" if is_special else "x+b")
    except OSError as error:
        raise InvalidRequest(f"{path}: can't be written: {error.strerror}.") from error
    if is_special:
        with file:
            yield file
        return
    try:
        with file:
            yield file
            # A stream's header can't say how long it is.
            if format_name and (coding := FORMATS[format_name].wav):
                num_bytes = file.tell() - len(wav_header(0, 0, coding))
                file.seek(24)
                sample_rate = int.from_bytes(file.read(4), "little")
                file.seek(0)
                file.write(wav_header(sample_rate, num_bytes // coding.sample_bytes, coding))
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def stdout_sink() -> Iterator[IO[bytes]]:
    """Open standard output; a reader that leaves early is no error.

    Raises:
        InvalidRequest: It is closed.
    """
    if sys.stdout is None:
        raise InvalidRequest("Standard output is closed: write to a file with -o FILE.")
    with contextlib.suppress(BrokenPipeError):
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()


@contextmanager
def player_sink() -> Iterator[Sink]:
    """Start a player that speaks a WAV stream aloud; wait until it has.

    Writing to one that was closed by whoever listened raises BrokenPipeError.

    Raises:
        PlaybackFailed: No player is installed, or none that is can play.
    """
    names = [name for name in PLAYERS if shutil.which(name)]
    if not names:
        raise PlaybackFailed(
            f"No player found. Install one of {', '.join(PLAYERS)}, or write a file with -o."
        )
    with TemporaryFile() as complaints:
        player = _Player(names, complaints)
        try:
            yield player
            player.finish()
        finally:
            player.stop()


class _Player:
    """The first of the players that plays: when one fails, the next is given all again."""

    def __init__(self, names: list[str], complaints: IO[bytes]) -> None:
        self._names = names
        self._complaints = complaints  # a file: a pipe that nobody reads would stop the player
        self._failures: list[str] = []
        self._given = bytearray()  # to all of them
        self._taken = 0  # bytes, by the one that plays
        self._process = self._start()

    def write(self, data: bytes, /) -> None:
        if self._taken <= KEPT_BYTES:
            self._given += data
        if not self._took(data):
            self._next()

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def finish(self) -> None:
        """End the stream, and wait until it was played."""
        while self._status() != 0:
            self._next()

    def stop(self) -> None:
        self._process.kill()  # nothing happens to one that has ended
        self._status()

    def _start(self) -> subprocess.Popen[bytes]:
        self._complaints.seek(0)
        self._complaints.truncate()
        command = [self._names[0], *PLAYERS[self._names[0]]]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=self._complaints)

    def _took(self, data: bytes) -> bool:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except BrokenPipeError:
            return False
        self._taken += len(data)
        return True

    def _status(self) -> int:
        """Close its input, and wait until it ends."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        return self._process.wait()

    def _next(self) -> None:
        """Go on with the next player.

        Raises:
            BrokenPipeError: The one before was ended by whoever listened.
            PlaybackFailed: There is none, or something was heard already.
        """
        status, name = self._status(), self._names.pop(0)
        if status == 0:
            raise BrokenPipeError
        self._complaints.seek(0)
        lines = self._complaints.read(1 << 16).decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()] or [f"exit status {status}"]
        # The last line is the reason, those before it are what was tried.
        self._failures.append(f"{name}: {said[-1][-200:].removeprefix(f'{name}: ')}")
        if not self._names or self._taken > KEPT_BYTES:
            raise PlaybackFailed(
                f"The audio can't be played ({'; '.join(self._failures)}). Connect a sound "
                "device, or write a file with -o."
            )
        self._process, self._taken = self._start(), 0
        self._took(bytes(self._given))  # whether it did is seen when more comes, or at the end
