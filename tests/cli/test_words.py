"""mira say --words, run as a person runs it: files of when each word is heard."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mira.audio import FORMATS
from mira.types import Samples
from tests.audio.decoding import decode
from tests.cli.conftest import Here
from tests.recogniser import Recogniser, word_errors
from tests.server.serving import wait_until
from tests.toys import ToySynthesizer

TEXT = "Your **table** for $100 is booked. We look forward to seeing you, Dr. Smith!"
WORDS = [*TEXT[:34].split(), *TEXT[35:].split()]


@pytest.fixture
def toy_here(toy: ToySynthesizer, here: Here, monkeypatch: pytest.MonkeyPatch) -> Here:
    """The same, with a voice whose words are heard exactly when it says so."""
    monkeypatch.setattr("mira.builtin.synthesizer.BuiltinSynthesizer", lambda threads: toy)
    return lambda *arguments, **more: here(*arguments, "-v", "anna", **more)


def onsets_s(samples: Samples, sample_rate: int) -> list[float]:
    """When sound begins after 0.1 s of silence, or at first."""
    loud = np.flatnonzero(np.abs(samples) > 0.1)
    begins = np.diff(loud, prepend=-sample_rate) > 0.1 * sample_rate
    return [float(at) / sample_rate for at in loud[begins]]


def test_json_holds_the_text_and_its_words(tmp_path: Path, here: Here) -> None:
    audio, file = tmp_path / "a.wav", tmp_path / "a.json"
    done = here("say", TEXT, "-o", str(audio), "--words", str(file))
    assert (done.status, done.err) == (0, "")
    assert sorted(tmp_path.iterdir()) == [file, audio]
    read = json.loads(file.read_text("utf-8"))
    assert read.keys() == {"text", "duration", "words"}
    assert read["text"] == TEXT
    with av.open(str(audio)) as container:
        assert read["duration"] == pytest.approx((container.duration or 0) / av.time_base, abs=1e-3)
    assert [word["word"] for word in read["words"]] == WORDS
    times = [time for word in read["words"] for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert times[-1] <= read["duration"]
    for word in read["words"]:
        assert TEXT[word["char_start"] : word["char_end"]] == word["word"]
        assert word["estimated"] is False


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("speed", [0.8, 1.0, 2.0])
def test_times_are_those_of_the_file(
    format: str, speed: float, tmp_path: Path, toy_here: Here
) -> None:
    """Whatever a format puts before the first sample, and however fast it is said."""
    file = tmp_path / "a.json"
    options = ("-f", format, "--sample-rate", "24000", "--speed", str(speed))
    done = toy_here("say", "One. Two. Three.", "-o", "-", "--words", str(file), *options)
    assert (done.status, done.err) == (0, "")
    samples, rate = decode(done.out, format, 24000)
    words = json.loads(file.read_text("utf-8"))
    heard = onsets_s(samples, rate)
    assert heard == pytest.approx([word["start"] for word in words["words"]], abs=0.02)
    assert words["duration"] == pytest.approx(len(samples) / rate, abs=0.05)


def test_text_as_it_comes_has_the_times_of_the_whole(tmp_path: Path, here: Here) -> None:
    whole, parts = tmp_path / "whole.json", tmp_path / "parts.json"
    here("say", f"{TEXT}\n", "-o", str(tmp_path / "a.wav"), "--words", str(whole))
    with _process("-", "-o", str(tmp_path / "b.wav"), "--words", str(parts)) as process:
        assert process.stdin is not None
        for part in (TEXT[:20], TEXT[20:40], f"{TEXT[40:]}\n"):
            process.stdin.write(part.encode())
            process.stdin.flush()
            time.sleep(0.1)
        process.stdin.close()
    assert process.returncode == 0
    assert json.loads(parts.read_text()) == json.loads(whole.read_text())


def test_words_that_can_not_be_found_are_estimated(
    tmp_path: Path, here: Here, mira_directory: Path
) -> None:
    """A model of random weights says nothing that anybody understands."""
    audio, file = tmp_path / "a.wav", tmp_path / "a.json"
    model = ("--model", str(mira_directory), "--set", "lm_engine=torch", "--seed", "3")
    done = here("say", TEXT, *model, "-o", str(audio), "--words", str(file))
    assert done.status == 0
    read = json.loads(file.read_text())
    assert [word["word"] for word in read["words"]] == WORDS
    assert {word["estimated"] for word in read["words"]} == {True}
    times = [time for word in read["words"] for time in (word["start"], word["end"])]
    assert times[0] >= 0 and times == sorted(times) and times[-1] <= read["duration"]


@pytest.mark.parametrize("suffix", [".srt", ".VTT"])
def test_the_words_of_a_caption_are_heard_in_its_time(
    suffix: str, tmp_path: Path, here: Here
) -> None:
    text = (
        "Your table for two is ready. The kitchen closes at eleven, but the bar is open all "
        "night, and the night porter will be glad to help you. See you on Friday!"
    )
    audio, file = tmp_path / "a.wav", tmp_path / f"a{suffix}"
    assert here("say", text, "-o", str(audio), "--words", str(file)).status == 0
    samples, rate = decode(audio.read_bytes(), "wav", 24000)
    with av.open(str(file)) as container:
        read = [
            (packet.pts, packet.duration, subtitle.dialogue.decode())
            for packet in container.demux(subtitles=0)
            for subtitle in packet.decode()
        ]
    assert " ".join(caption for *_, caption in read).split() == text.split()
    assert len(read) == 4
    recogniser = Recogniser()
    for start_ms, duration_ms, caption in read:
        part = samples[start_ms * rate // 1000 : (start_ms + duration_ms) * rate // 1000]
        heard = recogniser.transcribe(np.pad(part, rate // 4), rate)
        assert word_errors(caption, heard)[0] == 0, heard


def test_words_are_told_of_what_is_played(tmp_path: Path, toy_here: Here) -> None:
    player, file = tmp_path / "aplay", tmp_path / "a.json"
    player.write_text(f"#!/bin/sh\nexec /usr/bin/cat > {tmp_path}/heard.wav\n")
    player.chmod(0o755)
    done = toy_here("say", "One. Two.", "--play", "--words", str(file), PATH=f"{tmp_path}")
    assert (done.status, done.err) == (0, "")
    samples, rate = decode((tmp_path / "heard.wav").read_bytes(), "wav", 24000)
    words = json.loads(file.read_text())["words"]
    assert [word["word"] for word in words] == ["One.", "Two."]
    assert onsets_s(samples, rate) == pytest.approx([word["start"] for word in words], abs=0.01)


def test_words_that_nobody_heard_are_not_told(tmp_path: Path, here: Here) -> None:
    """A player that is closed takes some of a pipe's 64 KiB, 1.4 s; more words are known then."""
    player, file = tmp_path / "aplay", tmp_path / "a.json"
    player.write_text("#!/bin/sh\n/usr/bin/head -c 48000 > /dev/null\n")
    player.chmod(0o755)
    text = "One two three four five six seven eight nine ten eleven twelve thirteen. " * 6
    done = here("say", text, "--play", "--words", str(file), PATH=f"{tmp_path}")
    assert (done.status, done.err) == (0, "")
    read = json.loads(file.read_text())
    assert 1 <= read["duration"] < 6
    assert 2 < len(read["words"]) < 26
    middles = [(word["start"] + word["end"]) / 2 for word in read["words"]]
    assert max(middles) <= read["duration"]


def _process(*arguments: str, path: str = "/usr/bin:/bin") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "mira", "say", *arguments],
        stdin=subprocess.PIPE,
        env={"PATH": path, "OMP_NUM_THREADS": "1"},
    )


def test_what_is_interrupted_leaves_no_file(tmp_path: Path) -> None:
    audio, file = tmp_path / "a.wav", tmp_path / "a.srt"
    with _process("-", "-o", str(audio), "--words", str(file)) as process:
        assert process.stdin is not None
        process.stdin.write(b"Hello there. How")
        process.stdin.flush()
        wait_until(lambda: any(part.stat().st_size > 20_000 for part in tmp_path.iterdir()), 60)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert not list(tmp_path.iterdir())


def test_what_is_interrupted_while_it_is_played_out_leaves_no_file(tmp_path: Path) -> None:
    player, given = tmp_path / "aplay", tmp_path / "given"
    player.write_text(f"#!/bin/sh\n/usr/bin/cat > {given}.part; echo > {given}; exec sleep 60\n")
    player.chmod(0o755)
    audio, file = tmp_path / "a.wav", tmp_path / "a.srt"
    arguments = ("Hello there.", "--play", "-o", str(audio), "--words", str(file))
    with _process(*arguments, path=f"{tmp_path}:/usr/bin:/bin") as process:
        wait_until(given.exists, 60)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert not {audio, file} & {*tmp_path.iterdir()}


@pytest.mark.parametrize("text", ["...", "One. Two. " * 20])
def test_what_fails_leaves_no_file(
    text: str, tmp_path: Path, toy: ToySynthesizer, toy_here: Here
) -> None:
    toy.before_block = lambda number: setattr(toy, "fail_at", 1 if toy.blocks > 30 else None)
    audio, file = tmp_path / "a.wav", tmp_path / "a.vtt"
    done = toy_here("say", text, "-o", str(audio), "--words", str(file))
    assert done.status > 0
    assert not list(tmp_path.iterdir())


def test_only_who_asks_pays_for_words(
    tmp_path: Path, toy: ToySynthesizer, toy_here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, speak = list[bool](), toy.synthesize

    def synthesize(*args: Any) -> object:
        asked.append(args[3].words)
        return speak(*args)

    monkeypatch.setattr(toy, "synthesize", synthesize)
    for more in (), ("--words", str(tmp_path / "a.json")):
        assert toy_here("say", "One.", "-o", str(tmp_path / "a.wav"), *more).status == 0
    warm_up = True
    assert asked == [warm_up, False, warm_up, True]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["-o", "a.wav", "--words", "a.txt"], "--words a.txt: end it in one of .json, .srt, .vtt."),
        (["-o", "a.wav", "--words", "json"], "--words json: end it in one of .json, .srt, .vtt."),
        (["--words", "a.json"], "No output given: use -o FILE, -o - or --play."),
        (
            ["--explain", "--words", "a.json"],
            "--explain says nothing: leave it out, or -o, --play and --words.",
        ),
        (
            ["-f", "wav", "-o", "./a.srt", "--words", "a.srt"],
            "--words and -o are the same file: give it another name.",
        ),
        (
            ["-o", "a.wav", "--words", "no/a.vtt"],
            r".*/no/a.vtt: can't be written: No such file or directory.",
        ),
    ],
)
def test_what_can_not_be_had_is_told_first(
    options: list[str],
    error: str,
    tmp_path: Path,
    toy: ToySynthesizer,
    toy_here: Here,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = toy_here("say", "One. Two.", *options)
    assert done.status == 2
    assert re.fullmatch(f"mira: {error}\n", done.err)
    assert toy.opened <= 1  # it has said no more than its warm-up
    assert not list(tmp_path.iterdir())
