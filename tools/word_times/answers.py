"""A service's answer with word times, as the audio that is in it."""

import base64
import json
from collections.abc import Generator
from contextlib import closing

from mira.cli.bench.client import DEFAULTS, Client, Problem


def audio(client: Client, text: str, words: bool) -> Generator[tuple[float, bytes], None, None]:
    """Ask for speech, and yield the pieces of audio, each with when it came; see `Client.speak`.

    Args:
        words: Whether to ask for word times too.
    """
    if not words:
        yield from client.speak(text)
        return
    line = b""
    with closing(client.speak(text, {**DEFAULTS, "word_timestamps": True})) as pieces:
        for at, data in pieces:
            *lines, line = (line + data).split(b"\n")
            for said in map(json.loads, lines):
                if "error" in said:
                    raise Problem("broken off", str(said["error"]))
                if "audio" in said:
                    yield at, base64.b64decode(said["audio"])
