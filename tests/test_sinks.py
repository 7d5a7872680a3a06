"""A file is whole or absent; a player that is missing is said so."""

import os
import stat
import threading
import wave
from pathlib import Path

import pytest

from mira.audio import AudioStream
from mira.errors import InvalidRequest
from mira.sinks import file_sink, player_sink


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


def test_a_player_speaks_what_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = tmp_path / "heard"
    player = tmp_path / "aplay"
    player.write_text(f"#!/bin/sh\ncat > {heard}\n")
    player.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with player_sink() as sink:
        sink.write(b"RIFF...")
    assert heard.read_bytes() == b"RIFF..."


def test_no_player_is_an_error_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with (
        pytest.raises(InvalidRequest, match=r"Install one of aplay, .* or write a file"),
        player_sink(),
    ):
        pass


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
