"""An audio file's bytes in, its samples out: bounded, whatever the bytes claim.

Knows nothing about what is recorded. unpack.py does the work, in processes of its own.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mira.errors import InvalidRequest
from mira.progress import amount
from mira.types import Samples

MAX_BYTES = 10 << 20  # OpenAI's own limit for a recording of a voice
MAX_SECONDS = 60.0
LIMIT_S = 75.0
"""Wall clock for one recording: longer than unpack.py's own limits, which a process that somebody
stopped does not keep."""

_UNPACK = Path(__file__).with_name("unpack.py")


@dataclass(frozen=True, slots=True)
class Recording:
    """What was heard in a file."""

    samples: Samples
    sample_rate: int
    """Hz, 4000 to 192000."""
    suffix: str
    """What the file is, whatever it was called: wav, mp3, ogg, flac, m4a (also mp4), webm, aac."""


class Reader:
    """Reads recordings one after another, in a process that the first starts and the others find.

    Safe to use from several threads at once. The process ends with this, and with its own parent
    whichever way that ends.
    """

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._finalizer: Any = weakref.finalize(self, dict)  # nothing to end yet

    def read(
        self, data: bytes, max_bytes: int = MAX_BYTES, max_seconds: float = MAX_SECONDS
    ) -> Recording:
        """Read a recording of any common format, mixed down to mono: the mean of its channels.

        Takes some 40 ms for ten seconds, and half a second more the first time.

        Args:
            data: A whole file, from anybody.
            max_bytes: A larger one is not even opened.
            max_seconds: More than that is refused, as soon as it is decoded so far.

        Returns:
            Samples that are finite and at most 24 dB over full scale, at least one.

        Raises:
            InvalidRequest: Too large, too long, no sound in it, damaged, or of no known format.
        """
        if len(data) > max_bytes:
            raise _refused(f"The recording is over {amount(max_bytes)}: send a shorter part.")
        with self._one_at_a_time:
            said = self._ask(data, max_seconds)
        line, _, samples = said.partition(b"\n")
        if not line:  # the kernel ended it: over a limit, or FFmpeg fell over the file
            raise _refused(
                "The recording can't be read: it is damaged, or takes too long to read. "
                "Save it again as plain WAV or MP3."
            )
        answer = json.loads(line)
        if "failed" in answer:
            raise RuntimeError(answer["failed"])
        if "refused" in answer:
            raise _refused(answer["refused"])
        # Copied: what others read is theirs to change.
        return Recording(np.frombuffer(samples, np.float32).copy(), **answer)

    def close(self) -> None:
        """End the process; the next recording starts another."""
        with self._one_at_a_time:
            if self._process is not None:
                _end(self._process)
            self._process = None

    def _ask(self, data: bytes, max_seconds: float) -> bytes:
        try:
            return self._ask_once(data, max_seconds)
        except RuntimeError:  # whatever ended it, another one may do better
            return self._ask_once(data, max_seconds)

    def _ask_once(self, data: bytes, max_seconds: float) -> bytes:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        watch = threading.Timer(LIMIT_S, _kill, [process])
        watch.daemon = True
        watch.start()
        try:
            asked = {"bytes": len(data), "seconds": max_seconds}
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.write(data)
            process.stdin.flush()
            size = int(process.stdout.readline())
            if len(said := process.stdout.read(size)) < size:
                raise EOFError
            return said
        except (OSError, ValueError, EOFError) as error:  # its end, or half an answer
            _end(process)
            raise RuntimeError(f"{_UNPACK.name} ended with {process.returncode}") from error
        finally:
            watch.cancel()

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            # It forks; NumPy may have threads, and Python warns of that, but no child uses them.
            command = [sys.executable, "-P", "-W", "ignore::DeprecationWarning", str(_UNPACK)]
            self._finalizer()  # what is left of the one before
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
            )
            self._finalizer = weakref.finalize(self, _end, self._process)
        return self._process


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill it and the child that reads for it, stopped or not."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _end(process: "subprocess.Popen[bytes]") -> None:
    _kill(process)  # first: a pipe that nobody reads from may not close
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def read_recording(
    data: bytes, max_bytes: int = MAX_BYTES, max_seconds: float = MAX_SECONDS
) -> Recording:
    """Read a single recording: see `Reader.read`."""
    with closing(Reader()) as reader:
        return reader.read(data, max_bytes, max_seconds)


def decode(data: bytes, max_seconds: float = MAX_SECONDS) -> tuple[Samples, int]:
    """`read_recording` for whom its format does not matter: samples and their rate in Hz."""
    recording = read_recording(data, max_seconds=max_seconds)
    return recording.samples, recording.sample_rate


def decode_file(path: Path, reader: Reader | None = None) -> tuple[Samples, int]:
    """`decode` for a file of one's own.

    Args:
        path: The file.
        reader: Reads it, for whom there will be others. None: one for this file alone.

    Raises:
        InvalidRequest: It can't be opened, or `decode` can't read it.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidRequest(f"{path}: can't be read: {error.strerror}.", "audio") from error
    if reader is None:
        return decode(data)
    recording = reader.read(data)
    return recording.samples, recording.sample_rate


def _refused(reason: str) -> InvalidRequest:
    return InvalidRequest(reason, "audio")
