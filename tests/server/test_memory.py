"""What was freed goes back to the machine."""

import platform
import subprocess
import sys

import pytest

FILLS = """
import psutil
from mira.server.memory import give_back
kept, freed = [], []
for _ in range(200_000):
    freed.append(bytearray(1000))
    kept.append(bytearray(10))
full = psutil.Process().memory_info().rss
freed.clear()
give_back()
print(full - psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_freed_pieces_between_others_go_back_too() -> None:
    run = subprocess.run([sys.executable, "-c", FILLS], capture_output=True, text=True, check=True)
    assert int(run.stdout) > 100 << 20
