"""A model's name on the Hugging Face hub in, the list of its files and their bytes out.

Knows nothing about where they are kept. Says of this machine only which Mira is asking, and asks
for nothing but the model. Source: the hub's HTTP interface, https://huggingface.co/docs/hub/api.

Of `huggingface_hub` only its endpoint, token and cache folder are used. Its own download begins a
file anew at its first byte after each interruption of the process, asks the hub for a list that has
nothing to do with the model, and tells it which PyTorch is installed (2.4.0).
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx2
from huggingface_hub import constants
from huggingface_hub.errors import OIDCError

from mira.errors import NotDownloaded

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 20.0  # without a byte
MAX_LIST_BYTES = 16 << 20
PASSING_STATUSES = (408, 425, 429, 500, 502, 503, 504)

LOG_IN = "log in (.venv/bin/hf auth login) or set HF_TOKEN"

COMMIT = re.compile(r"[0-9a-f]{40}")
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a model, as the hub lists it."""

    name: str
    """Path below the model's folder, with slashes."""
    num_bytes: int
    digest: str
    """SHA-256 of a large file, git's SHA-1 of another; hexadecimal."""

    def __post_init__(self) -> None:
        self.name.encode()  # a ValueError if it is none: JSON may hold half a character
        path = PurePosixPath(self.name)
        if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in self.name:
            raise ValueError(f"a file is called {self.name!r}")
        if self.num_bytes < 0 or not _DIGEST.fullmatch(self.digest):
            raise ValueError(f"{self.name}: {self.num_bytes} bytes, digest {self.digest!r}")


@dataclass(frozen=True, slots=True)
class Revision:
    """A model's files at one commit."""

    commit: str
    files: tuple[HubFile, ...]


class Interrupted(Exception):
    """The hub could not be reached or broke off; the next try may go better."""


class HubClient:
    """Connections to the hub, for one model; closed by `with`."""

    def __init__(self, model: str) -> None:
        """Open it; nothing is sent yet.

        Args:
            model: Owner and name, `owner/name`.

        Raises:
            NotDownloaded: The environment names a hub, a proxy or a token that can't be used.
        """
        self.model = model
        self.address, login = self._endpoint()
        headers = {"User-Agent": f"mira-speech/{version('mira-speech')}"}
        if token := self._token():  # a redirect to another host leaves it behind
            headers["Authorization"] = f"Bearer {token}"
        try:
            self._client = httpx2.Client(
                auth=login,
                headers=headers,
                follow_redirects=True,
                timeout=httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            )
        except (ValueError, ImportError, httpx2.InvalidURL) as error:
            # What is wrong with an address may be a piece of the password in it.
            why = "it is no address" if isinstance(error, httpx2.InvalidURL) else error
            raise NotDownloaded(
                f"{model}: can't be downloaded: the proxy that the environment names can't be used "
                f"({why}). Correct HTTPS_PROXY, or unset it."
            ) from error

    def _endpoint(self) -> tuple[str, tuple[str, str] | None]:
        """Part the hub's address, which may be shown, from a name and password in it."""
        try:
            url = urlsplit(constants.ENDPOINT)
            _ = url.port
        except ValueError:
            raise self._no_address("HF_ENDPOINT", "it is no address") from None
        if url.scheme not in ("http", "https") or not url.hostname:
            raise self._no_address(constants.ENDPOINT.rpartition("@")[2], "it is no address")
        login, _, host = url.netloc.rpartition("@")
        name, _, password = login.partition(":")
        address = url._replace(netloc=host).geturl()
        return address, (unquote(name), unquote(password)) if login else None

    def _no_address(self, address: str, why: str) -> NotDownloaded:
        return NotDownloaded(
            f"{self.model}: can't be downloaded from {address} ({why}). Set HF_ENDPOINT to an "
            "address like https://huggingface.co, or unset it."
        )

    def _token(self) -> str | None:
        from huggingface_hub import get_token  # can be imported only with an endpoint that is one

        try:
            token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
            if token and not token.isascii():
                raise ValueError("it is none")
        except (OSError, ValueError, OIDCError) as error:
            raise NotDownloaded(
                f"{self.model}: can't be downloaded: the Hugging Face token of this machine can't "
                f"be used ({_words(error)}): {LOG_IN}, or set HF_HUB_DISABLE_IMPLICIT_TOKEN=1."
            ) from error
        return token

    def __enter__(self) -> "HubClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def revision(self, name: str) -> Revision:
        """Ask what a branch, tag or commit holds.

        Raises:
            Interrupted: The hub can't be reached.
            NotDownloaded: It has no such model or revision, or does not give it to us.
        """
        where = f"/api/models/{quote(self.model)}/revision/{quote(name, safe='')}?blobs=true"
        body = b""
        with self._get(where, name) as response:
            for block in response.iter_bytes():
                body += block
                if len(body) > MAX_LIST_BYTES:
                    break
        try:
            if len(body) > MAX_LIST_BYTES:
                raise ValueError("its list of files has no end")
            found = json.loads(body)
            commit, files = str(found["sha"]), tuple(map(_listed, found["siblings"]))
            if not COMMIT.fullmatch(commit):
                raise ValueError(f"commit {commit!r}")
        except (
            *(ValueError, KeyError, TypeError, AttributeError),
            *(RecursionError, OverflowError),
        ) as error:
            raise NotDownloaded(
                f"{self.model}: {self.address} does not answer as a Hugging Face hub does "
                f"({_words(error)}). If HF_ENDPOINT is set, correct it."
            ) from error
        return Revision(commit, files)

    @contextmanager
    def content(
        self, commit: str, file: HubFile, start: int
    ) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Open a file's content from one of its bytes on.

        Yields:
            The byte at which it really begins, which is 0 if the hub can't begin elsewhere, and
            the content from there.

        Raises:
            Interrupted: The hub can't be reached, or breaks off; also while the content is read.
            NotDownloaded: It does not give it to us.
        """
        where = f"/{quote(self.model)}/resolve/{commit}/{quote(file.name)}"
        wanted = {"Range": f"bytes={start}-"} if start else {}
        with self._get(where, commit, **wanted) as response:
            if response.status_code != 206:
                start = 0
            else:
                found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
                if not found or int(found[1]) != start:
                    raise Interrupted("another part of the file came than was asked for")
            yield start, response.iter_bytes()

    @contextmanager
    def _get(self, path: str, revision: str, **headers: str) -> Iterator[httpx2.Response]:
        headers["Accept-Encoding"] = "identity"  # sizes and ranges are of the content
        try:
            with self._client.stream("GET", f"{self.address}{path}", headers=headers) as response:
                if not response.is_success:
                    raise self._refusal(response, revision)
                yield response
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise self._no_address(self.address, _words(error)) from error
        except httpx2.HTTPError as error:
            raise Interrupted(_words(error)) from error

    def _refusal(self, response: httpx2.Response, revision: str) -> Exception:
        status, code = response.status_code, response.headers.get("X-Error-Code", "")
        said = " ".join(response.headers.get("X-Error-Message", "").split())[:200]
        if status in PASSING_STATUSES:
            return Interrupted(f"it answers {status}")
        if code == "GatedRepo":
            terms = f"{self.address}/{self.model}"
            why = f"its owner wants you to agree to terms first: do so at {terms}, then {LOG_IN}"
        elif code == "RevisionNotFound":
            why = (
                f"it has no revision {revision}. Let model_revision be a branch, tag or commit of "
                "it, or leave it out"
            )
        elif status == 401 and code != "RepoNotFound":
            why = f"the Hugging Face token of this machine is refused ({said}): {LOG_IN} anew"
        elif code in ("RepoNotFound", "") and status in (401, 404):
            why = (
                "there is neither a directory of this name here nor a model there. If the name is "
                f"right, the model is private: {LOG_IN}"
            )
        else:
            why = f"it answers {status}" + (f" ({said})" if said else "")
        return NotDownloaded(f"{self.model}: can't be downloaded from {self.address}: {why}.")


def _listed(entry: dict[str, Any]) -> HubFile:
    digest = (entry.get("lfs") or {}).get("sha256") or entry["blobId"]
    return HubFile(str(entry["rfilename"]), int(entry["size"]), str(digest))


def _words(error: Exception) -> str:
    """Put what an error says on one line; if it says nothing, name its kind."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
