"""A stranger's recording is read in a process of its own, which may fail without any harm."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from mira.audio import decode as decoding
from mira.audio.decode import (
    MAX_BYTES,
    Reader,
    Recording,
    decode,
    decode_file,
)
from mira.audio.unpack import unpack
from mira.errors import InvalidRequest
from tests.audio.recordings import RATE, encoded, mov, muxed, tone, wav


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with closing(Reader()) as reader:
        yield reader


def assert_alike(recording: Recording, data: bytes) -> None:
    unpacked = unpack(data, 60.0)
    assert (recording.suffix, recording.sample_rate) == (unpacked.suffix, unpacked.sample_rate)
    assert (recording.samples == unpacked.samples).all()


def test_what_is_unpacked_arrives(reader: Reader) -> None:
    data = encoded("opus", 3.0, layout="stereo")
    recording = reader.read(data)
    assert_alike(recording, data)
    assert recording.samples.dtype == np.float32
    assert recording.samples.flags.writeable


def test_a_film_with_subtitles_is_heard(reader: Reader) -> None:
    film = muxed("matroska", "aac", "fltp", tone(), video="mpeg4", subtitles="ass")
    assert_alike(reader.read(film), film)


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(wav(tone(0.1)))  # whatever it is called
    samples, rate = decode_file(tmp_path / "a.mp3")
    assert (len(samples), rate) == (RATE // 10, RATE)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"nobody\.wav: can't be read: No such file"):
        decode_file(tmp_path / "nobody.wav")
    with pytest.raises(InvalidRequest, match="Is a directory"):
        decode_file(tmp_path)


def test_a_refusal_says_why(reader: Reader) -> None:
    with pytest.raises(InvalidRequest, match="damaged, or not audio") as refused:
        reader.read(b"PK\x03\x04" + bytes(1000))
    assert refused.value.param == "audio"
    with pytest.raises(InvalidRequest, match=r"longer than 0\.5 seconds"):
        decode(wav(tone()), max_seconds=0.5)


def test_a_recording_over_the_limit_is_not_even_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_UNPACK", Path("nowhere.py"))
    with pytest.raises(InvalidRequest, match="over 10 MB"):
        Reader().read(bytes(MAX_BYTES + 1))
    with pytest.raises(InvalidRequest, match=r"over 525 kB"):
        Reader().read(bytes((1 << 19) + 1), max_bytes=1 << 19)


def test_a_bomb_hurts_nobody(reader: Reader) -> None:
    with pytest.raises(InvalidRequest):
        reader.read(mov(codec=b"mp4a", num_samples=10**7, num_edits=100))


def test_recordings_are_read_side_by_side(reader: Reader) -> None:
    data = [wav(tone(0.1 * count), RATE) for count in range(1, 9)]
    with ThreadPoolExecutor() as pool:
        for recording, read in zip(data, pool.map(reader.read, data)):
            assert_alike(read, recording)


UNPACKING = """
import os, signal, sys
sys.path.append({folder!r})
import unpack
as_ever = unpack.unpack
def worse(data, max_seconds):
    if data.startswith(b"!"):
        {code}
    return as_ever(data, max_seconds)
unpack.unpack = worse
unpack.PATIENCE_S, unpack.CPU_SECONDS = 2, 1
unpack.main()
"""
CUT = "write = os.write; os.write = lambda fd, said: (write(fd, said[:9]), os.abort())"
ENDS = {
    "os.abort()": (InvalidRequest, "damaged, or takes too long"),
    "os.kill(os.getpid(), signal.SIGXCPU)": (InvalidRequest, "damaged, or takes too long"),
    "while True: pass": (InvalidRequest, "damaged, or takes too long"),
    "signal.pause()": (InvalidRequest, "damaged, or takes too long"),
    CUT: (InvalidRequest, "damaged, or takes too long"),
    "raise ZeroDivisionError('ours')": (RuntimeError, "ZeroDivisionError: ours"),
    "open('/etc/hostname')": (RuntimeError, "Too many open files"),
    r"os.write(1, b'1\n!')": (RuntimeError, "Bad file descriptor"),
    "os.kill(os.getppid(), signal.SIGKILL)": (RuntimeError, "unpack.py ended with -9"),
}


@pytest.mark.parametrize("code", ENDS)
def test_whoever_reads_may_fail_and_the_next_is_read(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Killed by a file, it is the file's fault; otherwise it is ours."""
    folder = str(decoding._UNPACK.parent)
    program = tmp_path / "unpack.py"
    program.write_text(UNPACKING.format(folder=folder, code=code))
    monkeypatch.setattr(decoding, "_UNPACK", program)
    error, reason = ENDS[code]
    data = wav(tone(0.1))
    with closing(Reader()) as reader:
        with pytest.raises(error, match=reason):
            reader.read(b"!" * 200_000)  # more than a pipe holds
        assert_alike(reader.read(data), data)
    assert capfd.readouterr() == ("", "")


def test_one_process_reads_all_and_ends_with_its_reader() -> None:
    reader = Reader()
    data = wav(tone(0.1))
    assert_alike(reader.read(data), data)
    process = reader._process
    with pytest.raises(InvalidRequest):
        reader.read(b"nothing")
    assert_alike(reader.read(data), data)
    assert reader._process is process is not None
    del reader
    assert process.poll() is not None


def test_a_process_that_somebody_killed_is_started_again() -> None:
    data = wav(tone(0.1))
    with closing(Reader()) as reader:
        reader.read(data)
        assert reader._process is not None
        reader._process.kill()
        reader._process.wait()
        assert_alike(reader.read(data), data)


def stopped(process: psutil.Process) -> bool:
    return process.is_running() and process.status() == psutil.STATUS_STOPPED


def test_a_process_that_somebody_stopped_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    data = wav(tone(0.1))
    with closing(Reader()) as reader:
        reader.read(data)
        process = reader._process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        with monkeypatch.context() as patch:
            patch.setattr(decoding, "LIMIT_S", 1.0)
            with suppress(RuntimeError):  # a busy machine starts no other one within a second
                assert_alike(reader.read(data), data)
        assert process.poll() == -signal.SIGKILL
        assert_alike(reader.read(data), data)
        assert reader._process is not None
        os.kill(reader._process.pid, signal.SIGSTOP)  # closing ends it all the same


def test_a_child_that_somebody_stopped_goes_with_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "unpack.py"
    stop = "os.kill(os.getpid(), signal.SIGSTOP)"
    program.write_text(UNPACKING.format(folder=str(decoding._UNPACK.parent), code=stop))
    monkeypatch.setattr(decoding, "_UNPACK", program)
    data = wav(tone(0.1))
    with closing(Reader()) as reader, ThreadPoolExecutor(1) as pool:
        reader.read(data)
        assert reader._process is not None
        parent = psutil.Process(reader._process.pid)
        with monkeypatch.context() as patch:
            patch.setattr(decoding, "LIMIT_S", 2.0)
            reading = pool.submit(reader.read, b"!")
            while not (children := parent.children()) or not stopped(children[0]):
                time.sleep(0.01)
            with pytest.raises(RuntimeError, match="ended with -9"):
                reading.result(60)
        assert not stopped(children[0])
        assert_alike(reader.read(data), data)


def test_a_script_of_ones_own_runs_once(tmp_path: Path) -> None:
    """Also one whose main part is guarded by nothing."""
    (tmp_path / "a.wav").write_bytes(wav(tone(0.1)))
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\nfrom mira.audio.decode import decode_file\n"
        f"print('heard', len(decode_file(Path({str(tmp_path / 'a.wav')!r}))[0]))\n"
    )
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == (f"heard {RATE // 10}\n", "")


def test_it_ends_when_whoever_asks_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom mira.audio.decode import Reader\nreader = Reader()\n"
        "reader.read(sys.stdin.buffer.read())\nprint(reader._process.pid, flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as asking:
        assert asking.stdin is not None and asking.stdout is not None
        asking.stdin.write(wav(tone(0.1)))
        asking.stdin.close()
        reading = psutil.Process(int(asking.stdout.readline()))
        asking.kill()
    deadline = time.monotonic() + 20
    while reading.is_running() and reading.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
