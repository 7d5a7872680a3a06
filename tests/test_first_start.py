"""One command to a cloned voice: a hub, a download, a conversion, a service; then none of these.

Run where the extra `cpu` is all there is: a machine without a GPU needs no PyTorch.
"""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests import bare
from tests.model.checkpoint.hub_server import Hub, serving_hub
from tests.server.serving import wait_until

MODEL = "owner/name"


@pytest.fixture(scope="module")
def hub(mira_directory: Path) -> Iterator[Hub]:
    with serving_hub(owner__name=mira_directory) as hub:
        yield hub


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


class Started:
    """A service as a process; what it says is in its log."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def said(self) -> str:
        return self.log.read_text()

    def client(self) -> httpx.Client:
        wait_until(lambda: "listening on " in self.said or self.process.poll() is not None, 60)
        (url,) = re.findall(r"http://127\.0\.0\.1:\d+", self.said)[:1] or [self.said]
        return httpx.Client(base_url=url, trust_env=False, verify=False, timeout=60)


@contextmanager
def served(hub: Hub, home: Path, *arguments: str) -> Iterator[Started]:
    log = home / f"log-{time.monotonic_ns()}"
    environment = bare.environment() | {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(home / "hub"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "NO_PROXY": "127.0.0.1",
    }
    command = [bare.python("cpu"), "-m", "mira", "serve", "--port=0", "--model", MODEL, *arguments]
    with (
        log.open("wb") as file,
        subprocess.Popen(command, cwd=home, env=environment, stderr=file) as process,
    ):
        try:
            yield Started(process, log)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(60)


def wait_ready(service: Started, client: httpx.Client) -> list[dict[str, object]]:
    """Until it speaks; what it said on the way, each thing once."""
    seen: list[dict[str, object]] = []

    def ready() -> bool:
        assert service.process.poll() is None, service.said
        answer = client.get("/health/ready")
        if answer.status_code == 200:
            return True
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        if not seen or seen[-1] != answer.json():
            seen.append(answer.json())
        return False

    wait_until(ready, 240)
    return seen


def speak(client: httpx.Client) -> bytes:
    body = {"input": "Hello there.", "sample_rate": 16000, "seed": 1}
    answer = client.post("/v1/audio/speech-stream", json=body)
    assert answer.status_code == 200, answer.text
    return answer.content


def conversions(home: Path) -> dict[str, int]:
    """Every file of them, and when it was written."""
    folder = home / "cache" / "mira" / "converted"
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in files}


def killed_while_converting(hub: Hub, home: Path) -> None:
    """Begin, and end the process in the middle of it without a word."""
    with served(hub, home) as service:

        def begun() -> bool:
            assert service.process.poll() is None, service.said
            return any(name.endswith("mira.json") for name in conversions(home))

        wait_until(begun, 120)
        service.process.kill()


def test_the_first_start_downloads_and_converts_and_the_second_does_neither(
    hub: Hub, home: Path
) -> None:
    killed_while_converting(hub, home)
    downloaded = len(hub.requests)
    assert downloaded > 0

    with served(hub, home) as service, service.client() as client:
        seen = wait_ready(service, client)
        answer = client.post("/v1/audio/speech-stream", json={"input": "Hi."})
        assert answer.status_code == 200
        first = speak(client)
    assert len(first) > 4000
    doing = {str(step["doing"]) for step in seen}
    assert f"converting {MODEL}" in doing
    assert all(step["error"] is None and step["ready"] is False for step in seen)
    assert "Traceback" not in service.said
    for words in (rf"converting {MODEL} to \S+: .* MB", rf"loading {MODEL} from \S+: .* MB"):
        assert re.search(words, service.said), service.said
    assert "weights in " in service.said
    made = conversions(home)
    assert len(hub.requests) == downloaded, "what was downloaded before is asked of nobody"

    hub.stop()
    with served(hub, home) as service, service.client() as client:
        seen = wait_ready(service, client)
        again = speak(client)
    # Chunks are as large as time allows, so that the last bit of a sample may differ.
    heard, before = (np.frombuffer(data, "<i2").astype(float) for data in (again, first))
    assert len(heard) == len(before)
    assert np.corrcoef(heard, before)[0, 1] > 0.99
    assert conversions(home) == made
    assert "converting" not in service.said + json.dumps(seen)
    assert len(hub.requests) == downloaded


def test_the_hub_is_gone_and_nothing_was_downloaded(hub: Hub, tmp_path: Path) -> None:
    with served(hub, tmp_path) as service:
        assert service.process.wait(120) == 1
    last = service.said.splitlines()[-1]
    assert last.startswith(f"mira: {MODEL}: ")
    assert "Traceback" not in service.said
    assert not (tmp_path / "cache" / "mira").exists()
