"""Somebody to clone who is nobody: a recording of the built-in voice, known with every model."""

from pathlib import Path

from mira.types import Samples

SAMPLE_VOICE = "heart"
SAMPLE = Path(__file__).parent / "voices" / "sample" / f"{SAMPLE_VOICE}.flac"


def sample_recording() -> tuple[Samples, int]:
    """The recording, and its rate in Hz."""
    from mira.audio.decode import decode_file

    return decode_file(SAMPLE)


def sample_transcript() -> str:
    """What is said in it."""
    return SAMPLE.with_suffix(".txt").read_text("utf-8").strip()
