"""`mira say` on long text, the start of the process included.

wall/audio   seconds for each second of audio
peak RSS     of the whole process
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import psutil

from mira.cli.bench.arrivals import REPLIES, sentences
from mira.cli.bench.report import report


def say(minutes: float, suffix: str) -> dict[str, object]:
    """Measure one run, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"speech.{suffix}"
        command = [sys.executable, "-m", "mira", "say", "-", "-o", str(target)]
        began = time.perf_counter()
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            process.stdin.write(lasting(minutes).encode())
            process.stdin.close()
            peak = 0
            while process.poll() is None:
                try:
                    peak = max(peak, psutil.Process(process.pid).memory_info().rss)
                except psutil.Error:
                    break
                time.sleep(0.02)
        wall_s = time.perf_counter() - began
        assert process.returncode == 0
        with av.open(str(target)) as container:
            stream = container.streams.audio[0]
            frames = sum(frame.samples for frame in container.decode(stream))
            audio_s = frames / stream.rate
    return {
        "format": suffix,
        "audio min": audio_s / 60,
        "wall s": wall_s,
        "wall/audio": wall_s / audio_s,
        "peak RSS MB": peak / 2**20,
    }


def lasting(minutes: float) -> str:
    """Write about so many minutes of speech, at 17.4 characters a second."""
    paragraph = sentences(len(REPLIES))
    return "\n\n".join([paragraph] * max(round(minutes * 60 * 17.4 / len(paragraph)), 1))


def main() -> None:
    """`mira say` on long text."""
    cases = [(1, "wav"), (10, "wav"), (10, "mp3"), (30, "wav")]
    report("say", [say(minutes, suffix) for minutes, suffix in cases], {})
