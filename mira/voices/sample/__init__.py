"""Somebody to clone who is nobody: a recording of the built-in voice, known with every model."""

from pathlib import Path

from mira.types import Samples

SAMPLE_VOICE = "heart"
SAMPLE = Path(__file__).with_name(f"{SAMPLE_VOICE}.flac")


def sample_recording() -> tuple[Samples, int]:
    """Read the recording, and its rate in Hz."""
    # In this process: the one that others' files are read in takes half a second to start.
    from mira.audio.decode import MAX_SECONDS
    from mira.audio.unpack import unpack

    found = unpack(SAMPLE.read_bytes(), MAX_SECONDS)
    return found.samples, found.sample_rate


def sample_transcript() -> str:
    """Read what is said in it."""
    return SAMPLE.with_suffix(".txt").read_text("utf-8").strip()
