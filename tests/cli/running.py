"""The command line in a process of its own, as a person runs it."""

import os
import subprocess
import sys
from io import BytesIO

import av


def mira(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess:
    """Run the installed command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mira", *arguments],
        input=stdin,
        capture_output=True,
        timeout=180,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
        | {"XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"], **environment},
    )


def seconds(data: bytes | str) -> float:
    """How long an audio file plays, by decoding it."""
    with av.open(data if isinstance(data, str) else BytesIO(data)) as container:
        frames = list(container.decode(audio=0))
        return sum(frame.samples for frame in frames) / frames[0].sample_rate
