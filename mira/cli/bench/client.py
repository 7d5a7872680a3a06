"""A text in, a service's answer out as it comes: any service with OpenAI's /v1/audio/speech.

Knows nothing about when to ask.
"""

import json
import time
from base64 import b64encode
from collections.abc import Generator, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, unquote, urlsplit

from mira.errors import InvalidRequest, MiraError

IDLE_S = 2.0  # a connection is let go before the service does it, which would break a request
# At 24 kHz.
DEFAULTS: Mapping[str, object] = {"model": "mira", "voice": "heart", "response_format": "pcm"}
_AUDIO = ("audio/", "application/octet-stream")
_LINES = ("application/x-ndjson",)  # audio in JSON, where `word_timestamps` were asked for


class Problem(MiraError):
    """Why there is no whole answer; `kind` says it in a word, or is a status other than 200."""

    def __init__(self, kind: str, says: str = "") -> None:
        super().__init__(says or kind)
        self.kind = kind


def speech_request(text: str, **fields: object) -> tuple[str, dict[str, str]]:
    """Write the body and headers of a request; `fields` come instead of those in DEFAULTS."""
    body = json.dumps({**DEFAULTS, "input": text, **fields})
    return body, {"content-type": "application/json"}


class Client:
    """Asks one service for speech; safe to use from several threads at once.

    Connections are kept for the next request, and opened within it where none is free. Nothing is
    taken from the environment, such as a proxy.

    Args:
        url: Of the service: its root, its /v1, or the endpoint itself. A name and password in it
            are sent, and not shown.
        api_key: If it wants one.
        timeout_s: From when a request was due to the last byte of its answer.

    Raises:
        InvalidRequest: The URL is no HTTP address, or no header can hold the key.
    """

    def __init__(self, url: str, api_key: str = "", timeout_s: float = 60.0) -> None:
        parts = urlsplit(url)
        kinds: dict[str, type[HTTPConnection]] = {"http": HTTPConnection, "https": HTTPSConnection}
        kind = kinds.get(parts.scheme)
        try:
            self._at = parts.hostname or "", parts.port
        except ValueError:  # a port that is no number
            kind = None
        login, _, host = parts.netloc.rpartition("@")
        if kind is None or not self._at[0]:
            shown = url.rpartition("@")[2] if login else url
            raise InvalidRequest(f"{shown}: write it as http://HOST:PORT.")
        if not (api_key.isascii() and api_key.isprintable()):
            raise InvalidRequest("The API key has characters that none can have: copy it again.")
        path = quote(parts.path.rstrip("/"), safe="/%")
        if not path.endswith("/audio/speech"):
            path = path.removesuffix("/v1") + "/v1/audio/speech"
        query = quote(parts.query, safe="=&%/?:@+,;")
        self._kind, self._path = kind, path + (f"?{query}" if query else "")
        self.url = f"{parts.scheme}://{host}{self._path}"
        key = f"Bearer {api_key}" if api_key else ""
        if login and not key:
            key = f"Basic {b64encode(unquote(login).encode()).decode()}"
        self._key = {"authorization": key} if key else {}
        self._timeout_s = timeout_s
        self._idle: list[tuple[float, HTTPConnection]] = []

    def close(self) -> None:
        """Let the connections go."""
        while self._idle:
            self._idle.pop()[1].close()

    def speak(
        self, text: str, fields: Mapping[str, object] = DEFAULTS, due_at: float | None = None
    ) -> Generator[tuple[float, bytes], None, None]:
        """Ask, and yield the pieces of the answer, each with when it came, on time.perf_counter.

        Pieces are read when they are asked for: who waits between them listens slowly. Closing it
        before the end hangs up.

        Args:
            text: What to say.
            fields: Of the request, instead of those in DEFAULTS.
            due_at: When the request was due; now.

        Raises:
            Problem: There is no answer, or it is not whole.
        """
        ends_at = (time.perf_counter() if due_at is None else due_at) + self._timeout_s
        body, headers = speech_request(text, **fields)
        connection = self._connected()
        sock, whole = connection.sock, False  # an answer that ends the connection takes the socket
        try:
            sock.settimeout(_left(ends_at))
            connection.request("POST", self._path, body, headers | self._key)
            with connection.getresponse() as answer:
                kind = answer.getheader("content-type", "nothing")
                if answer.status != 200:
                    said = " ".join(answer.read(1000).decode("utf-8", "replace").split())[:200]
                    raise Problem(str(answer.status), f"answers {answer.status}: {said}")
                wanted = _LINES if fields.get("word_timestamps") else _AUDIO
                if not kind.startswith(wanted):
                    raise Problem("not audio", f"answers {kind} instead of audio.")
                while data := answer.read1(1 << 16):
                    yield time.perf_counter(), data
                    sock.settimeout(_left(ends_at))
                if answer.length:
                    raise Problem("broken off")
                whole = not answer.will_close
        except TimeoutError as error:
            raise Problem("timed out") from error
        except (OSError, HTTPException) as error:
            raise Problem("broken off") from error
        finally:
            if whole:
                self._idle.append((time.perf_counter(), connection))
            else:
                connection.close()

    def _connected(self) -> HTTPConnection:
        with suppress(IndexError):  # none is free
            while True:
                since, connection = self._idle.pop()
                if time.perf_counter() < since + IDLE_S:
                    return connection
                connection.close()
        connection = self._kind(*self._at, timeout=self._timeout_s)
        try:
            connection.connect()
        except (OSError, UnicodeError) as error:  # of a name that can't be one
            raise Problem("not connected", f"can't be reached: {error}.") from error
        return connection

    def check(self, fields: Mapping[str, object] = DEFAULTS) -> None:
        """Ask once, so that a wrong address or key is said before any load is made.

        Raises:
            MiraError: It can't be reached, refuses such requests, or answers without audio. What a
                service may answer because it is busy is no reason to stop.
        """
        try:
            for _ in self.speak("Hello.", fields):
                pass
        except Problem as problem:
            busy = problem.kind in ("429", "timed out", "broken off") or problem.kind[0] == "5"
            if not busy:
                raise MiraError(f"{self.url}: {problem}") from problem


def _left(ends_at: float) -> float:
    left_s = ends_at - time.perf_counter()
    if left_s <= 0:
        raise TimeoutError
    return left_s
