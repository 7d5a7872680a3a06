"""The hub of the tests is one: the library that its users have downloads from it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.model.checkpoint.hub_server import serving_hub

DOWNLOAD = """
import sys
from huggingface_hub import snapshot_download
print(snapshot_download("owner/name", cache_dir=sys.argv[1]))
"""


def test_the_library_downloads_from_it(mira_directory: Path, tmp_path: Path) -> None:
    with serving_hub(owner__name=mira_directory) as hub:
        done = subprocess.run(
            [sys.executable, "-c", DOWNLOAD, str(tmp_path)],
            env={**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        files = [path for path in mira_directory.rglob("*") if path.is_file()]
        snapshot = Path(done.stdout.strip())
        for path in files:
            name = path.relative_to(mira_directory)
            assert (snapshot / name).read_bytes() == path.read_bytes()
            assert hub.sent[name.as_posix()] == path.stat().st_size
