"""What people bring: real recordings, and folders of them."""

import shutil
from pathlib import Path

from mira.settings import Settings
from tests.server.serving import quick

RECORDINGS = Path(__file__).parent.parent / "data" / "voices"
ALLISON, OTHER, CARLO, JUNE = (
    RECORDINGS / name for name in ("allison.wav", "allison_other.wav", "carlo.ogg", "june.mp3")
)
CORRUPT = RECORDINGS / "corrupt.wav"


def settings_in(folder: Path, **settings: object) -> Settings:
    """Settings with that folder of voices."""
    return quick(voices_dir=folder, **settings)


def bring(folder: Path, *recordings: Path, name: str | None = None) -> None:
    """Put recordings and their transcripts into a folder, as a person does."""
    folder.mkdir(parents=True, exist_ok=True)
    for recording in recordings:
        stem = name or recording.stem
        shutil.copy(recording, folder / f"{stem}{recording.suffix}")
        transcript = recording.with_suffix(".txt")
        if transcript.exists():
            shutil.copy(transcript, folder / f"{stem}.txt")
