"""A file is whole or absent; a player that is missing is said so."""

import os
import stat
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mira.audio import AudioStream
from mira.cli.sinks import file_sink, player_sink
from mira.errors import InvalidRequest, PlaybackFailed
from tests.server.serving import wait_until


def test_a_file_appears_whole_with_ordinary_rights(tmp_path: Path) -> None:
    target = tmp_path / "a.mp3"
    with file_sink(target, "mp3") as sink:
        sink.write(b"whole")
        assert not target.exists()
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    assert target.read_bytes() == b"whole"
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_a_wav_file_states_its_length(tmp_path: Path) -> None:
    import numpy as np

    target = tmp_path / "a.wav"
    stream = AudioStream(24000, "wav", 24000)
    with file_sink(target, "wav") as sink:
        sink.write(stream.push(np.zeros(2400, np.float32)))
        sink.write(stream.flush())
    with wave.open(str(target)) as read:
        assert (read.getnframes(), read.getframerate()) == (2400, 24000)


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.mp3"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError), file_sink(target, "mp3") as sink:
        sink.write(b"half")
        raise RuntimeError
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(InvalidRequest, match="can't be written: No such file"),
        file_sink(tmp_path / "no" / "a.mp3", "mp3"),
    ):
        pass


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with (
        pytest.raises(InvalidRequest, match="can't be written: Is a directory"),
        file_sink(tmp_path, "mp3"),
    ):
        pass


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Install a player of this name that is a shell script, and say what it writes to."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("mira.cli.sinks.PLAYERS", dict.fromkeys(("aplay", "pw-play", "mpv"), ()))
    monkeypatch.setattr("shutil.which", lambda name: (tmp_path / name).exists())

    def install(name: str, script: str) -> Path:
        player, heard = tmp_path / name, tmp_path / f"{name}.heard"
        player.write_text(f"#!/bin/sh\nheard={heard}\n{script}\n")
        player.chmod(0o755)
        return heard

    return install


Install = Callable[[str, str], Path]
NO_DEVICE = "echo 'ALSA lib confmisc.c:855: no card' >&2; echo aplay: no device >&2; exit 1"


def test_a_player_speaks_what_it_is_given(installed: Install) -> None:
    heard = installed("aplay", "cat > $heard")
    with player_sink() as sink:
        sink.write(b"RIFF...")
    assert heard.read_bytes() == b"RIFF..."


def test_no_player_is_an_error_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with (
        pytest.raises(PlaybackFailed, match=r"Install one of aplay, .* or write a file"),
        player_sink(),
    ):
        pass


@pytest.mark.parametrize("broken", [NO_DEVICE, f"cat > /dev/null; {NO_DEVICE}"])
@pytest.mark.parametrize("blocks", [1, 5])
def test_players_that_fail_are_one_line_that_helps(
    installed: Install, broken: str, blocks: int
) -> None:
    installed("aplay", broken)
    installed("mpv", "exit 3")
    with (
        pytest.raises(
            PlaybackFailed,
            match=r"^The audio .*\(aplay: no device; mpv: exit status 3\)\. .* file with -o\.$",
        ),
        player_sink() as sink,
    ):
        for _ in range(blocks):
            sink.write(b"RIFF" * 4_000)
            time.sleep(0.02)


@pytest.mark.parametrize("broken", [NO_DEVICE, f"head -c 9 > /dev/null; {NO_DEVICE}"])
@pytest.mark.parametrize("blocks", [1, 5])
def test_the_next_player_is_given_all(installed: Install, broken: str, blocks: int) -> None:
    installed("aplay", broken)
    heard = installed("pw-play", "cat > $heard")
    with player_sink() as sink:
        for _ in range(blocks):
            sink.write(b"RIFF" * 10_000)
            time.sleep(0.02)
    assert heard.read_bytes() == b"RIFF" * 10_000 * blocks


def test_what_was_heard_is_not_said_again(installed: Install) -> None:
    """Three seconds at 24 kHz."""
    installed("aplay", "cat > /dev/null; exit 1")
    heard = installed("mpv", "cat > $heard")
    with pytest.raises(PlaybackFailed, match="exit status 1"), player_sink() as sink:
        for _ in range(3):
            sink.write(b"x" * 48_000)
    assert not heard.exists()


def test_a_player_that_is_closed_says_so(installed: Install) -> None:
    installed("aplay", "exit 0")
    heard = installed("mpv", "cat > $heard")
    with pytest.raises(BrokenPipeError), player_sink() as sink:
        for _ in range(50):
            sink.write(b"x" * 100_000)
            time.sleep(0.01)
    assert not heard.exists()


def test_a_failure_ends_the_player(installed: Install) -> None:
    heard = installed("aplay", "echo $$ > $heard; exec cat > /dev/null")
    with pytest.raises(RuntimeError), player_sink() as sink:
        sink.write(b"RIFF")
        wait_until(lambda: heard.exists() and heard.read_text().strip())
        raise RuntimeError
    assert not psutil.pid_exists(int(heard.read_text()))


def test_a_pipe_stays_a_pipe_and_a_link_a_link(tmp_path: Path) -> None:
    pipe, real, link = tmp_path / "pipe", tmp_path / "real.mp3", tmp_path / "link.mp3"
    os.mkfifo(pipe)
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    with file_sink(pipe, "mp3") as sink:
        sink.write(b"whole")
    reader.join(5)
    assert heard == [b"whole"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    link.symlink_to(real)
    with file_sink(link, "mp3") as sink:
        sink.write(b"whole")
    assert link.is_symlink()
    assert real.read_bytes() == b"whole"
