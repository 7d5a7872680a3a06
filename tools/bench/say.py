"""`mira say` on long text: real-time factor and memory, the start of the process included.

RTF          wall seconds / audio seconds
peak RSS     of the whole process
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import psutil

from mira.cli.bench.report import report
from mira.cli.bench.texts import lasting


def say(minutes: float, suffix: str) -> dict[str, object]:
    """One run in a process of its own."""
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
        "RTF": wall_s / audio_s,
        "peak RSS MB": peak / 2**20,
    }


def main() -> None:
    """Measure and print."""
    cases = [(1, "wav"), (10, "wav"), (10, "mp3"), (30, "wav")]
    report("say", [say(minutes, suffix) for minutes, suffix in cases])
