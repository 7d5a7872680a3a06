"""mira say, run as a person runs it: streams, files, players, and what goes wrong with them."""

import os
import signal
import subprocess
import sys
import time
import wave
from io import BytesIO
from pathlib import Path
from typing import IO

import av
import pytest

from mira.stream.joining import TAIL_S
from tests.cli.conftest import Here
from tests.cli.running import mira, seconds
from tests.server.serving import wait_until


def test_say_writes_the_format_of_the_suffix(tmp_path: Path, here: Here) -> None:
    for suffix in ("mp3", "wav"):
        target = tmp_path / f"hello.{suffix}"
        done = here("say", "Hello there.", "-o", str(target))
        assert (done.status, done.err) == (0, "")
        assert 0.6 < seconds(str(target)) < 2.5
        with av.open(str(target)) as container:
            assert container.format.name == suffix


def test_say_reads_and_writes_standard_streams(here: Here) -> None:
    done = mira("say", "-", "-o", "-", "--speed", "2", stdin=b"Hello there. How are you?")
    assert done.returncode == 0
    with wave.open(BytesIO(done.stdout)) as read:
        assert read.getframerate() == 24000
    fast = seconds(done.stdout)
    normal = seconds(here("say", "Hello there. How are you?", "-o", "-").out)
    assert fast == pytest.approx(normal / 2, abs=0.1)


def say(
    *arguments: str, stdin: int = subprocess.PIPE, stdout: int | IO[bytes] = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """With pipes to speak through."""
    return subprocess.Popen(
        [sys.executable, "-m", "mira", "say", *arguments],
        stdin=stdin,
        stdout=stdout,
        env={"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
    )


def test_say_speaks_as_the_text_comes(tmp_path: Path, here: Here) -> None:
    telephone = ("-o", "-", "-f", "ulaw", "--sample-rate", "8000")
    heard = tmp_path / "heard"
    with heard.open("wb") as file, say("-", *telephone, stdout=file) as process:
        assert process.stdin is not None
        process.stdin.write("No. Ça".encode()[:-1])
        process.stdin.flush()
        wait_until(lambda: heard.stat().st_size >= 1500, 60)
        process.stdin.write("Ça va.".encode()[2:])
        process.stdin.close()
    assert process.returncode == 0
    # A file has nobody who waits: the pauses are those of the whole text.
    assert heard.read_bytes() == here("say", "No. Ça va.", *telephone).out


def test_who_listens_at_a_pipe_is_not_silent_twice(here: Here) -> None:
    telephone = ("-o", "-", "-f", "ulaw", "--sample-rate", "8000")
    with say("-", *telephone) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"Yes. I")
        process.stdin.flush()
        first = process.stdout.read(1500)
        time.sleep(2.5)  # "Yes." is over long before
        process.stdin.write(b" go.")
        process.stdin.close()
        rest = process.stdout.read()
    whole = here("say", "Yes. I go.", *telephone).out
    # All of the pause but what followed the last sound at once.
    assert len(whole) - len(first + rest) == pytest.approx((0.41 - TAIL_S) * 8000, abs=80)


def test_a_line_that_is_typed_is_spoken_when_it_ends() -> None:
    keyboard, terminal = os.openpty()
    with say("-", "-o", "-", "-f", "pcm", stdin=terminal) as process:
        os.close(terminal)
        assert process.stdout is not None
        for line in (
            b"Hello there.\n",
            b"this one is long enough to look as if its width broke it\n",
        ):
            os.write(keyboard, line)
            assert len(process.stdout.read(24_000)) == 24_000  # it would wait here for ever
        os.write(keyboard, b"\x04")  # Ctrl-D
        process.stdout.read()
    os.close(keyboard)
    assert process.returncode == 0


@pytest.mark.parametrize("closed", [0, 1])
def test_a_closed_stream_is_one_line_that_helps(closed: int) -> None:
    """As `<&-` or `>&-` in a shell."""
    done = subprocess.run(
        [sys.executable, "-m", "mira", "say", "-", "-o", "-"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: os.close(closed),
        timeout=180,
    )
    name = ("input", "output")[closed]
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"mira: Standard {name} is closed: ")
    assert len(done.stderr.decode().splitlines()) == 1


@pytest.mark.parametrize(
    "text", ["Hello. A café.".encode("latin-1"), "Hello. A café".encode()[:-1]]
)
def test_text_that_is_not_utf_8_is_refused(text: bytes, tmp_path: Path, here: Here) -> None:
    done = here("say", "-", "-o", str(tmp_path / "a.wav"), stdin=text)
    assert done.status == 2
    assert "mira: Standard input is not UTF-8 text (there is a byte 0x" in done.err
    assert len(done.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_player_that_is_closed_leaves_the_file_whole(tmp_path: Path, here: Here) -> None:
    player = tmp_path / "aplay"
    player.write_text("#!/bin/sh\n/usr/bin/head -c 1000 > /dev/null\n")
    player.chmod(0o755)
    heard, alone = (tmp_path / name for name in ("heard.wav", "alone.wav"))
    text = "One two three four. " * 6
    done = here("say", text, "-o", str(heard), "--play", PATH=f"{tmp_path}")
    assert (done.status, done.err) == (0, "")
    assert here("say", text, "-o", str(alone)).status == 0
    assert heard.read_bytes() == alone.read_bytes()


def test_say_ends_when_nobody_listens_any_more(tmp_path: Path, here: Here) -> None:
    player = tmp_path / "aplay"
    player.write_text("#!/bin/sh\n/usr/bin/head -c 1000 > /dev/null\n")
    player.chmod(0o755)
    done = here("say", "One two three four. " * 6, "--play", PATH=f"{tmp_path}")
    assert (done.status, done.err) == (0, "")


def test_say_can_be_interrupted_while_it_waits_for_text() -> None:
    with say("-", "-o", "-", "-f", "pcm") as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"Hello there. How")
        process.stdin.flush()
        process.stdout.read(20_000)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


def test_say_without_a_sound_device_is_one_line(tmp_path: Path, here: Here) -> None:
    player = tmp_path / "aplay"
    player.write_text("#!/bin/sh\nfor n in 1 2 3; do echo ALSA lib: no card >&2; done; exit 1\n")
    player.chmod(0o755)
    done = here("say", "Hello.", "--play", PATH=f"{tmp_path}")
    assert done.status == 1
    assert done.err.startswith("mira: The audio can't be played (aplay: ALSA lib")
    assert len(done.err.splitlines()) == 1


def test_say_resamples_and_encodes_for_a_telephone(here: Here) -> None:
    done = here("say", "Hello there.", "-o", "-", "-f", "ulaw", "--sample-rate", "8000")
    assert 0.6 * 8000 < len(done.out) < 2.5 * 8000


def test_an_unknown_voice_is_said_and_substituted(here: Here) -> None:
    done = here("say", "Hi.", "-o", "-", "-v", "zoe")
    assert done.status == 0
    assert "heart speaks instead. There is no voice 'zoe'." in done.err
