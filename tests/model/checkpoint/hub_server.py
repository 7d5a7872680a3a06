"""Directories in, the Hugging Face hub's HTTP interface on loopback out: the HF_ENDPOINT of tests.

Answers what Mira and `huggingface_hub` ask: a model's information, its tree and its files, of which
weights come by a redirect from a store of another origin. It can cut connections, be slow, refuse,
ask for a token and go away, and keeps what it was asked and how much of each file it sent.
"""

import hashlib
import json
import random
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest

WEIGHTS = (".safetensors", ".onnx", ".pth", ".bin")  # in the store, as Git LFS has it
BLOCK_BYTES = 16 << 10

MODEL_FILES = {
    "config.json": 700,
    "merges.txt": 0,
    "tokenizer.json": 30_000,
    "model.safetensors": 400_000,
    "decoders/s_encoder.onnx": 90_000,
    "README.md": 5_000,
    "decoders/detokenizer.onnx": 60_000,
    "wav2vec2-large-xlsr-53/model.safetensors": 80_000,
}
"""Sizes in bytes; the last three are not wanted."""


@dataclass(frozen=True)
class Request:
    """One that was asked."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case


@dataclass(frozen=True)
class File:
    """One of a revision."""

    path: Path
    size: int
    blob: str  # git's SHA-1 of it
    sha256: str | None  # of weights

    @property
    def etag(self) -> str:
        return self.sha256 or self.blob


@dataclass
class Hub:
    """What is served and how, to be changed at any time."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    """Bytes of each file's content that left, by name."""

    cuts: list[int] = field(default_factory=list)
    """Each is taken by one answer with a file's content, which ends after so many bytes of it."""
    statuses: list[int] = field(default_factory=list)
    """Each is taken by one request, which is answered with it."""
    bytes_per_s: float | None = None
    has_ranges: bool = True
    spoiled: set[str] = field(default_factory=set)
    """Files that arrive with a wrong last byte."""
    surplus: int = 0
    """Bytes that follow each file's content as if they were of it."""
    token: str | None = None
    """Without it no model is there."""
    gated: bool = False
    """Whether files are for nobody who has not agreed to something."""

    _models: dict[str, dict[str, dict[str, File]]] = field(default_factory=dict)
    _revisions: dict[tuple[str, str], str] = field(default_factory=dict)
    _store: str = ""
    _servers: list[ThreadingHTTPServer] = field(default_factory=list)
    _connections: set[socket.socket] = field(default_factory=set)

    def publish(self, model: str, directory: Path, revision: str = "main") -> str:
        """Add a revision, or move it; the directory must stay as it is.

        Returns:
            Its commit.
        """
        files = {
            path.relative_to(directory).as_posix(): _file(path)
            for path in sorted(directory.rglob("*"))
            if path.is_file()
        }
        listing = "".join(f"{name}\0{file.etag}\n" for name, file in files.items())
        commit = hashlib.sha1(listing.encode()).hexdigest()
        self._models.setdefault(model, {})[commit] = files
        self._revisions[model, revision] = self._revisions[model, commit] = commit
        return commit

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [request.path for request in self.requests]

    def stop(self) -> None:
        """Go away: connections break, new ones are refused."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers.clear()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def serving_hub(**models: Path) -> Iterator[Hub]:
    """Run a hub with `owner__name=directory` as owner/name, until the block ends."""
    hub = Hub()
    handler = type("_Bound", (_Handler,), {"hub": hub})
    hub._servers = [_Server(("127.0.0.1", 0), handler) for _ in range(2)]
    hub.url, hub._store = (f"http://127.0.0.1:{server.server_port}" for server in hub._servers)
    for name, directory in models.items():
        hub.publish(name.replace("__", "/"), directory)
    threads = [
        threading.Thread(target=server.serve_forever, args=(0.05,)) for server in hub._servers
    ]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        hub.stop()
        for thread in threads:
            thread.join()


def pointed_at(hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process and those that it starts take it for theirs, with an empty home."""
    environment = {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "NO_PROXY": "127.0.0.1"}
    for name in ("HF_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # Read once, when it is imported; by this process long ago.
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(home / "token"))


def write_model(directory: Path) -> Path:
    """Write files as a small model on the hub has them: MODEL_FILES, of noise."""
    noise = random.Random(0)
    for name, num_bytes in MODEL_FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise.randbytes(num_bytes))
    return directory


def _file(path: Path) -> File:
    size = path.stat().st_size
    blob, sha256 = hashlib.sha1(b"blob %d\0" % size), hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            blob.update(block)
            sha256.update(block)
    is_weights = path.suffix in WEIGHTS
    return File(path, size, blob.hexdigest(), sha256.hexdigest() if is_weights else None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away are what many tests are about."""


class _Refused(Exception):
    """An error as the hub words it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def setup(self) -> None:
        super().setup()
        self.hub._connections.add(self.connection)

    def finish(self) -> None:
        self.hub._connections.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.requests.append(Request(self.command, self.path, headers))
        try:
            if self.hub.statuses:
                raise _Refused(self.hub.statuses.pop(0), "", "as it was told to")
            self._answer(urlsplit(self.path).path)
        except _Refused as error:
            body = json.dumps({"error": str(error)}).encode()
            self._begin(
                error.status,
                {"X-Error-Code": error.code, "X-Error-Message": str(error)},
                len(body),
            )
            if self.command != "HEAD":
                self.wfile.write(body)

    def _answer(self, path: str) -> None:
        if found := re.fullmatch(r"/store/(\w+)", path):
            self._serve_stored(found[1])
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?", path):
            self._serve_information(found[1], *self._revision(found[1], found[2]))
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)", path):
            self._serve_tree(self._revision(found[1], found[2])[1])
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._serve_file(*self._revision(found[1], found[2]), unquote(found[3]))
        else:
            raise _Refused(404, "", "there is nothing here")

    def _revision(self, model: str, revision: str | None) -> tuple[str, dict[str, File]]:
        """Its commit and files, for whoever may know of it."""
        said = self.headers.get("Authorization")
        if said not in (None, f"Bearer {self.hub.token}"):
            raise _Refused(401, "", "Invalid credentials in Authorization header")
        if model not in self.hub._models or (self.hub.token and said is None):
            raise _Refused(404 if said else 401, "RepoNotFound", "Repository not found")
        commit = self.hub._revisions.get((model, unquote(revision or "main")))
        if commit is None:
            raise _Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit, self.hub._models[model][commit]

    def _serve_information(self, model: str, commit: str, files: dict[str, File]) -> None:
        has_sizes = "blobs" in parse_qs(urlsplit(self.path).query)
        siblings: list[dict[str, object]] = []
        for name, file in files.items():
            siblings.append({"rfilename": name})
            if has_sizes:
                siblings[-1] |= {"size": file.size, "blobId": file.blob}
            if has_sizes and file.sha256:
                lfs = {"sha256": file.sha256, "size": file.size, "pointerSize": 134}
                siblings[-1]["lfs"] = lfs
        self._write_json(
            {"_id": "1", "id": model, "modelId": model, "sha": commit, "siblings": siblings}
        )

    def _serve_tree(self, files: dict[str, File]) -> None:
        entries: list[dict[str, object]] = []
        for name, file in files.items():
            entries.append({"type": "file", "oid": file.blob, "size": file.size, "path": name})
            if file.sha256:
                lfs = {"oid": file.sha256, "size": file.size, "pointerSize": 134}
                entries[-1]["lfs"] = lfs
        self._write_json(entries)

    def _serve_file(self, commit: str, files: dict[str, File], name: str) -> None:
        if self.hub.gated:
            status = 403 if "Authorization" in self.headers else 401
            raise _Refused(status, "GatedRepo", "Access to this model is restricted")
        if name not in files:
            raise _Refused(404, "EntryNotFound", "Entry not found")
        file = files[name]
        headers = {"X-Repo-Commit": commit, "ETag": f'"{file.etag}"'}
        if file.sha256 is None:
            self._serve_content(name, file, headers)
            return
        headers |= {"X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": str(file.size)}
        headers["Location"] = f"{self.hub._store}/store/{file.sha256}?name={quote(name)}&signed=1"
        self._begin(302, headers, 0)

    def _serve_stored(self, sha256: str) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "Authorization" in self.headers or "signed" not in query:
            raise _Refused(400, "", "Only one auth mechanism allowed")
        for revisions in self.hub._models.values():
            for files in revisions.values():
                for file in files.values():
                    if file.sha256 == sha256:
                        self._serve_content(query["name"][0], file, {"ETag": f'"{sha256}"'})
                        return
        raise _Refused(404, "", "there is nothing here")

    def _serve_content(self, name: str, file: File, headers: dict[str, str]) -> None:
        start = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and self.hub.has_ranges:
            start = int(asked[1])
            if start >= file.size:
                self._begin(416, headers | {"Content-Range": f"bytes */{file.size}"}, 0)
                return
            headers = headers | {"Content-Range": f"bytes {start}-{file.size - 1}/{file.size}"}
        length = file.size - start + self.hub.surplus
        self._begin(206 if "Content-Range" in headers else 200, headers, length)
        if self.command == "HEAD":
            return
        cut = self.hub.cuts.pop(0) if self.hub.cuts else file.size + 1
        with file.path.open("rb") as content:
            content.seek(start)
            while cut > 0 and (block := content.read(min(BLOCK_BYTES, cut))):
                if name in self.hub.spoiled and content.tell() == file.size:
                    block = block[:-1] + bytes([block[-1] ^ 1])
                self.hub.sent[name] += len(block)  # before whoever reads it can look
                self.wfile.write(block)
                cut -= len(block)
                if self.hub.bytes_per_s:
                    time.sleep(len(block) / self.hub.bytes_per_s)
        if cut == 0:
            self.close_connection = True
            return
        for _ in range(0, self.hub.surplus, BLOCK_BYTES):
            self.hub.sent[name] += BLOCK_BYTES
            self.wfile.write(bytes(BLOCK_BYTES))

    def _write_json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self._begin(200, {"Content-Type": "application/json"}, len(body))
        if self.command != "HEAD":
            self.wfile.write(body)

    def _begin(self, status: int, headers: dict[str, str], length: int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
