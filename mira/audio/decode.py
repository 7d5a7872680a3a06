"""An audio file's bytes in, its samples out: bounded, whatever the bytes claim.

Knows nothing about what is recorded. unpack.py does the work, in processes of its own. Rejected:
the standard library's fork server. Each of its children imports the main script again, which starts
a user's script anew unless it guards its main part; and asking one that hangs has no time limit.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import closing, nullcontext, suppress
from pathlib import Path

import numpy as np

from mira.audio.unpack import Recording
from mira.errors import InvalidRequest
from mira.progress import amount
from mira.types import Samples

MAX_BYTES = 10 << 20  # OpenAI's own limit for a recording of a voice
MAX_SECONDS = 60.0
LIMIT_S = 75.0
"""Longest wait for the answer to one recording: longer than unpack.py's own limits, which a process
that somebody stopped does not keep."""

_UNPACK = Path(__file__).with_name("unpack.py")


class Reader:
    """Reads recordings one after another, in a process that the first starts and the others find.

    Safe to use from several threads at once. The process ends with this, and with its own parent
    whichever way that ends.
    """

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None  # its standard input and output
        self._end: Callable[[], object] = lambda: None  # there is nothing to end yet

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
            try:
                said = self._ask(data, max_seconds)
            except RuntimeError:  # whatever ended the process, another one may do better
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
            self._end()

    def _ask(self, data: bytes, max_seconds: float) -> bytes:
        process, pipe = self._started()
        pipe.settimeout(LIMIT_S)
        try:
            pipe.sendall(json.dumps({"bytes": len(data), "seconds": max_seconds}).encode() + b"\n")
            pipe.sendall(data)
            with pipe.makefile("rb") as answer:
                size = int(answer.readline())
                if len(said := answer.read(size)) == size:
                    return said
        except (OSError, ValueError):  # its end, half an answer or none in time
            pass
        self._end()
        raise RuntimeError(f"{_UNPACK.name} ended with {process.returncode}")

    def _started(self) -> tuple["subprocess.Popen[bytes]", socket.socket]:
        if self._process is None or self._socket is None or self._process.poll() is not None:
            self._end()
            # It forks; NumPy may have threads, and Python warns of that, but no child uses them.
            command = [sys.executable, "-P", "-W", "ignore::DeprecationWarning", str(_UNPACK)]
            self._socket, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    command, stdin=theirs.fileno(), stdout=theirs.fileno(), process_group=0
                )
            self._end = weakref.finalize(self, _end, self._process, self._socket)
        return self._process, self._socket


def _end(process: "subprocess.Popen[bytes]", pipe: socket.socket) -> None:
    """Kill it and the child that reads for it, stopped or not."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    pipe.close()


def decode(
    data: bytes, max_seconds: float = MAX_SECONDS, reader: Reader | None = None
) -> tuple[Samples, int]:
    """Read a recording: samples and their rate in Hz; see `Reader.read`.

    Args:
        data: A whole file.
        max_seconds: More is refused.
        reader: Reads it, for whom there will be others. None: one for this recording alone.
    """
    with nullcontext(reader) if reader else closing(Reader()) as reading:
        recording = reading.read(data, max_seconds=max_seconds)
    return recording.samples, recording.sample_rate


def decode_file(path: Path, reader: Reader | None = None) -> tuple[Samples, int]:
    """`decode` a file, or raise InvalidRequest if it can't be opened."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidRequest(f"{path}: can't be read: {error.strerror}.", "audio") from error
    return decode(data, reader=reader)


def _refused(reason: str) -> InvalidRequest:
    return InvalidRequest(reason, "audio")
