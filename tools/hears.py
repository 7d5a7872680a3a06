"""Listens to what tools/stranger.py saved, and fails unless it hears what was said.

.venv/bin/python tools/hears.py FOLDER      (in the environment that `make test` makes)
"""

import json
import sys
from pathlib import Path

import av
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from mira.audio.decode import decode_file
from tests.recogniser import Recogniser, Samples, word_errors

RAW = {".s16le": ("s16le", 8000), ".ulaw": ("mulaw", 8000)}
ALLOWED = 0.1  # wrong words


def decoded(path: Path) -> tuple[Samples, int]:
    """Read a file's samples and their rate; raw formats are 8 kHz here."""
    if path.suffix not in RAW:
        return decode_file(path)
    name, rate = RAW[path.suffix]
    with av.open(str(path), format=name, options={"sample_rate": str(rate)}) as container:
        frames = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
        return np.concatenate(frames).astype(np.float32) / 32768, rate


def main() -> None:
    """Listen to each; exit with 1 if too much was misheard."""
    folder, ears = Path(sys.argv[1]), Recogniser()
    for name, said in json.loads((folder / "said.json").read_text()).items():
        heard = ears.transcribe(*decoded(folder / name))
        wrong, words = word_errors(said, heard)
        print(f"{name}: {heard!r}, {wrong} of {words} words wrong")
        if wrong > ALLOWED * words:
            sys.exit(f"{name} should say {said!r}")


if __name__ == "__main__":
    main()
