"""What FFmpeg holds is let go, and what it complains of is translated.

What it makes is tested through `Encoder`.
"""

import gc

import psutil
import pytest

from mira.audio.container import ContainerWriter
from mira.audio.formats import FORMATS
from mira.errors import SynthesisFailed
from tests.audio.streams import noise

CODECS = {name: made.codec for name, made in FORMATS.items() if made.codec is not None}


@pytest.mark.parametrize("format", CODECS)
def test_the_abandoned_leave_no_memory_behind(format):
    """Even if the garbage collector never runs: a busy server can't wait for it."""

    def abandon(times: int) -> None:
        for _ in range(times):
            ContainerWriter(CODECS[format], 24000).push(samples)

    samples = noise(1300)
    gc.collect()
    gc.disable()
    try:
        abandon(30)
        before = psutil.Process().memory_info().rss
        abandon(300)
        grown = psutil.Process().memory_info().rss - before
    finally:
        gc.enable()
    assert grown < 4 * 2**20


@pytest.mark.parametrize("format", CODECS)
def test_nothing_is_printed(format, capfd):
    finished = ContainerWriter(CODECS[format], 24000)
    finished.push(noise(5000))
    finished.flush()
    ContainerWriter(CODECS[format], 48000).push(noise(5000))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("format", ["mp3", "opus", "aac", "flac"])
def test_ffmpeg_s_refusal_is_translated(format):
    writer = ContainerWriter(CODECS[format], 24000)
    writer.push(noise(5000))
    writer.flush()
    with pytest.raises(SynthesisFailed, match="could not be encoded"):
        writer.push(noise(5000))
