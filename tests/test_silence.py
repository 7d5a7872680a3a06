"""Nothing calls home: whole commands, where every connection and every file left is seen."""

import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import sealed
from tools.tiny.write import write_tiny

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not sealed.possible(), reason="needs network namespaces: Linux, unshare, and the right"
    ),
]

SECONDS = 12  # what was seen to call did so within ten

SERVES = f"""
    import time
    from mira.cli.bench.client import speech_request
    from mira.cli.bench.service import running
    from tools.bench.voices import upload
    from tests.voices.bringing import ALLISON
    began = time.monotonic()
    with running("--set", "voices_dir=voices") as service:
        connection = service.connect()
        connection.request("POST", "/v1/audio/speech", *speech_request("Hello there."))
        assert len(connection.getresponse().read()) > 1000
        upload(service, "anna", ALLISON.read_bytes())
        time.sleep(max(0, began + {SECONDS} - time.monotonic()))
"""
CONVERTS = f"""
    import sys, time
    from mira.cli.main import main
    sys.argv = ["mira", "model", "convert", "tiny", "converted"]
    began = time.monotonic()
    try:
        main()
    finally:
        time.sleep(max(0, began + {SECONDS} - time.monotonic()))
"""
HEARS = f"""
    import time
    import tests.conftest
    import tests.recogniser
    tests.recogniser.Recogniser()
    time.sleep({SECONDS})
"""


def test_the_seal_sees_names_addresses_and_files(tmp_path: Path) -> None:
    """What is to be found missing below would be found."""
    seen = python(
        """
        import socket, pathlib
        try: socket.create_connection(("example.invalid", 80), timeout=0.1)
        except OSError: pass
        try: socket.create_connection(("192.0.2.1", 443), timeout=0.1)
        except OSError: pass
        try: socket.create_connection(("2001:db8::1", 443), timeout=0.1)
        except OSError: pass
        (pathlib.Path.home() / "id").write_text("me")
        """,
        tmp_path,
    )
    assert seen.asked_for[:2] == ["example.invalid", "192.0.2.1:443"]
    assert seen.asked_for[2:] == (["[2001:db8::1]:443"] if sealed.has_ipv6() else [])
    assert seen.left == ["home/id"]


def test_nobody_is_called_and_nothing_is_left_behind(tmp_path: Path) -> None:
    write_tiny(tmp_path / "tiny")
    say = [sys.executable, "-m", "mira", "say", "Hello there. How are you?", "-o", "hello.wav"]
    with ThreadPoolExecutor(4) as pool:
        jobs = {
            "say": pool.submit(sealed.run, say, tmp_path),
            "serve": pool.submit(python, SERVES, tmp_path),
            "convert": pool.submit(python, CONVERTS, tmp_path),
            "the tests' ears": pool.submit(python, HEARS, tmp_path),
        }
        for name, job in jobs.items():
            seen = job.result()
            assert seen.status == 0, seen.output
            assert (name, seen.asked_for, seen.left) == (name, [], [])


def python(code: str, cwd: Path) -> sealed.Seen:
    return sealed.run([sys.executable, "-c", textwrap.dedent(code)], cwd)
