"""The example answers a call: what the caller hears, an interruption, a hang-up in the middle.

Asterisk's side is played here, message by message; tests/calls has Asterisk itself.
"""

import array
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mira.audio.pcm import from_s16le
from tests.conftest import Serve
from tests.ears import heard_until
from tests.recogniser import Recogniser, Samples
from tests.server.serving import Served, wait_until
from tests.toys import ToySynthesizer

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "audiosocket.py"
GREETING, SECOND = re.findall(r'^    "(.*)",$', EXAMPLE.read_text("utf-8"), re.MULTILINE)
FRAME = 320
QUIET = bytes(FRAME)
LOUD = array.array("h", [8000, -8000] * (FRAME // 4)).tobytes()


class Answering:
    """The example, running."""

    def __init__(self, served: Served) -> None:
        arguments = ["--mira", f"ws://127.0.0.1:{served.port}", "--port", "0"]
        self.process = subprocess.Popen(
            [sys.executable, EXAMPLE, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().split()[-1])

    def close(self) -> str:
        self.process.terminate()
        printed, _ = self.process.communicate(timeout=20)
        return printed


class Line:
    """Asterisk's side of a call: what it hears, and when."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.settimeout(20)
        self._send(0x01, bytes(range(16)))
        self.heard: list[tuple[float, bytes]] = []

    def _send(self, kind: int, data: bytes) -> None:
        self._socket.sendall(struct.pack(">BH", kind, len(data)) + data)

    def _receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            assert more, "the example hung up"
            data += more
        return data

    def listen(self, frames: int, said: bytes = QUIET) -> None:
        """Hear so many frames; say something meanwhile, as a line does all the time."""
        for _ in range(frames):
            self._send(0x10, said)
            kind, size = struct.unpack(">BH", self._receive(3))
            assert (kind, size) == (0x10, FRAME)
            self.heard.append((time.perf_counter(), self._receive(size)))

    def say(self, frames: int, said: bytes) -> None:
        for _ in range(frames):
            self._send(0x10, said)

    def hang_up(self, how: str) -> None:
        """Say so, or just go."""
        if how == "message":
            self._send(0x00, b"")
        else:
            self.close()

    def close(self) -> None:
        self._socket.close()

    def samples(self) -> Samples:
        return from_s16le(b"".join(data for _, data in self.heard))


@pytest.fixture
def answering(speaker: Served) -> Iterator[Answering]:
    running = Answering(speaker)
    yield running
    printed = running.close()
    assert "Traceback" not in printed, printed


@pytest.fixture(scope="module")
def ears() -> Recogniser:
    return Recogniser()


def test_a_caller_hears_it_and_interrupts(
    answering: Answering, speaker: Served, ears: Recogniser
) -> None:
    line = Line(answering.port)
    line.listen(150)
    line.say(10, LOUD)
    line.listen(len(SECOND) * 2)
    line.hang_up("message")
    speaker.wait_idle()
    line.close()
    began = line.heard[0][0]
    for number, (at, _) in enumerate(line.heard[:150], 1):
        assert number * 0.02 - (at - began) <= 0.05 + 0.1  # in time
    heard = heard_until(ears, GREETING, line.samples()[: 150 * 160], 8000)
    assert 6 <= heard.words <= 12
    # What was on its way is heard at most; then the second reply.
    second = ears.transcribe(line.samples()[(150 + 3) * 160 :], 8000).lower()
    assert "of course" in second and "which time" in second
    assert not {"table", "booked", "tomorrow", "evening", "seven"} & {*re.findall("[a-z]+", second)}


@pytest.mark.parametrize("how", ["message", "close"])
def test_a_hang_up_frees_its_place_and_nothing_more_is_computed(serve: Serve, how: str) -> None:
    toy = ToySynthesizer()
    served = serve(toy)
    answering = Answering(served)
    took_s = []
    for _ in range(5):
        line = Line(answering.port)
        line.listen(50)
        assert served.service.admission.active == 1
        line.hang_up(how)
        left = time.perf_counter()
        wait_until(lambda: served.service.admission.active == 0)
        took_s.append(time.perf_counter() - left)
        blocks = toy.blocks
        time.sleep(0.3)
        assert toy.blocks == blocks
        assert toy.opened == toy.closed
        line.close()
    assert min(took_s) < 0.1, took_s  # a busy machine is late now and then
    assert "mira-ahead" not in {thread.name for thread in threading.enumerate()}
    assert "Traceback" not in answering.close()
