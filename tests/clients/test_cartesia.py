"""Cartesia's own SDK: over HTTP, and on a socket, where it is interrupted and speaks again; and the
voices that it brings."""

from pathlib import Path
from typing import Any

from tests.clients.conftest import Run
from tests.conftest import Serve
from tests.server.serving import Served
from tests.toys import ToySynthesizer
from tests.voices.bringing import CARLO

PROGRAM = Path(__file__).parent / "cartesia_sdk.py"


def test_its_sdk_speaks_is_interrupted_and_speaks_again(speaker: Served, run_client: Run) -> None:
    assert run_client(PROGRAM.read_text("utf-8"), speaker.url) == "heard"


VOICES = """
import json, sys
from cartesia import BadRequestError, Cartesia, NotFoundError

url, path = sys.argv[1:]
voices = Cartesia(base_url=url, api_key="unused", max_retries=0).voices
how = dict(clip=open(path, "rb"), language="en", name="carlo")
try:
    voices.clone(**how)
except BadRequestError as error:
    refused = str(error)
how["clip"].seek(0)
made = voices.clone(**how, extra_body={"consent": "Anna Smith agreed on 2 May."})
listed = [voice.id for voice in voices.list(limit=1)]
shown = voices.get("carlo")
voices.delete("carlo")
try:
    voices.get("carlo")
except NotFoundError as error:
    gone = str(error)
print(json.dumps([refused, made.id, listed, shown.is_owner, gone]))
"""


def test_its_sdk_brings_a_voice_and_removes_it(
    serve: Serve, run_client: Run, tmp_path: Path
) -> None:
    served = serve(ToySynthesizer(fingerprint="c0ffee"), voices_dir=tmp_path / "voices")
    found: Any = run_client(VOICES, served.url, str(CARLO))
    refused, made, listed, owned, gone = found
    assert "consent" in refused and "carlo" in gone
    assert (made, listed, owned) == ("carlo", ["anna", "ben", "carlo"], True)
