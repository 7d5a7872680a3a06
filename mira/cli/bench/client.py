"""A text in, what a service answered out: any that speaks OpenAI's /v1/audio/speech.

Knows nothing about when to ask.
"""

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from mira.audio.decode import decode
from mira.audio.pcm import from_s16le
from mira.cli.bench.playing import Played, leading_silence, play
from mira.cli.bench.plot import INSTALL
from mira.errors import InvalidRequest, InvalidSettings, MiraError
from mira.types import Samples

if TYPE_CHECKING:
    import httpx

ENDPOINT = "/v1/audio/speech"
FORMATS = ("pcm", "wav", "mp3", "opus", "aac", "flac")
REFUSED = "429"  # what an answer's problem is called if the service said that it is full
MAX_ANSWER_S = 600.0


@dataclass(frozen=True, slots=True)
class Request:
    """What every request of a load has in common."""

    model: str = "tts-1"
    voice: str = "alloy"
    response_format: str = "pcm"
    sample_rate: int = 24000  # Hz, of `pcm`, which does not say it itself
    api_key: str = ""
    timeout_s: float = 60.0  # to the last byte; later is a failure

    def __post_init__(self) -> None:
        """Raise InvalidRequest for a format that nothing can be measured in."""
        if self.response_format not in FORMATS:
            raise InvalidRequest(
                f"--response-format {self.response_format}: use one of {', '.join(FORMATS)}."
            )


@dataclass(slots=True)
class Answer:
    """One answer as it came in."""

    asked_at: float  # s, time.perf_counter
    late_s: float = 0.0  # that this client, not the service, was late
    pieces: list[tuple[float, bytes]] = field(default_factory=list)  # when, and what
    problem: str = ""
    """What went wrong, in a word or two; for a status other than 200 the number."""


def check_client() -> None:
    """Raise InvalidSettings if httpx is not installed."""
    try:
        import httpx  # noqa: F401
    except ImportError as error:
        raise InvalidSettings(f"mira bench load needs httpx. {INSTALL} ({error}).") from error


class Client:
    """Asks one service; safe to use from several threads at once.

    Connections are kept for the next request, and opened within it where none is free.

    Args:
        url: The endpoint's; see `endpoint`.
        request: What to ask for.
        max_open: Requests at once.
    """

    def __init__(self, url: str, request: Request, max_open: int) -> None:
        import httpx

        self._url, self._request = url, request
        # Let go of an idle connection before the service does, which would break a request.
        limits = httpx.Limits(max_connections=max_open, keepalive_expiry=2.0)
        headers = {"accept-encoding": "identity"}
        if request.api_key:
            headers["authorization"] = f"Bearer {request.api_key}"
        self._http = httpx.Client(
            limits=limits, timeout=request.timeout_s, headers=headers, trust_env=False
        )

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def ask(self, text: str, due_at: float) -> Answer:
        """Ask, and read as fast as it comes.

        Args:
            due_at: When the request was due, on time.perf_counter. Its clock began then: what a
                busy client adds is not hidden.
        """
        import httpx

        answer = Answer(due_at, late_s=time.perf_counter() - due_at)
        try:
            with self._stream(text) as response:
                if response.status_code != 200:
                    answer.problem = str(response.status_code)
                    return answer
                for piece in response.iter_raw():
                    now = time.perf_counter()
                    answer.pieces.append((now, piece))
                    if now > due_at + self._request.timeout_s:
                        answer.problem = "timed out"
                        break
        except httpx.TimeoutException:
            answer.problem = "timed out"
        except httpx.ConnectError:
            answer.problem = "not connected"
        except httpx.HTTPError:
            answer.problem = "broken off"
        return answer

    def check(self) -> None:
        """Ask once, so that a wrong address or key is said before any load is made.

        Whatever a service may answer because it is busy is no reason to stop.

        Raises:
            MiraError: It can't be reached, refuses such requests, or answers without audio.
        """
        import httpx

        url = self._url
        try:
            with self._stream("Hello.") as response:
                status, kind = response.status_code, response.headers.get("content-type", "")
                said = response.read()
        except httpx.TransportError as error:
            if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
                raise MiraError(f"{url}: can't be reached: {error}.") from error
            return
        except (httpx.InvalidURL, ValueError) as error:
            raise InvalidRequest(f"{url}: is no address of a service: {error}.") from error
        if 300 <= status < 500 and status != 429:
            shown = " ".join(said.decode("utf-8", "replace").split())[:200]
            raise MiraError(f"{url}: answers {status}: {shown}")
        if status == 200 and not kind.startswith(("audio/", "application/octet-stream")):
            raise MiraError(f"{url}: answers {kind or 'nothing'} instead of audio.")

    def _stream(self, text: str) -> "AbstractContextManager[httpx.Response]":
        request = self._request
        body = {
            "model": request.model,
            "voice": request.voice,
            "response_format": request.response_format,
            "input": text,
        }
        return self._http.stream("POST", self._url, json=body)


def listen(answer: Answer, request: Request) -> Played | None:
    """Play what came in; None, and the answer's problem is set, if there was nothing to hear.

    A second of a format other than `pcm` has as many bytes as any other second of the answer:
    near enough for those of constant rate.
    """
    data = b"".join(piece for _, piece in answer.pieces)
    try:
        samples, rate = _samples(data, request)
    except InvalidRequest:
        answer.problem = "not audio"
        return None
    silence = leading_silence(samples)
    if silence is None:
        answer.problem = "silent"
        return None
    s_per_byte = len(samples) / rate / len(data)
    arrivals = [(at, len(piece) * s_per_byte) for at, piece in answer.pieces]
    return play(answer.asked_at, arrivals, silence / rate)


def _samples(data: bytes, request: Request) -> tuple[Samples, int]:
    if request.response_format != "pcm":
        return decode(data, MAX_ANSWER_S)
    return from_s16le(data), request.sample_rate


def endpoint(url: str) -> str:
    """Complete the address of a service: its root, its /v1, or the endpoint itself.

    Raises:
        InvalidRequest: It is no HTTP address.
    """
    scheme, host, path, query, _ = urlsplit(url)
    if scheme not in ("http", "https") or not host:
        raise InvalidRequest(f"{url}: write it as http://HOST:PORT.")
    path = path.rstrip("/")
    if not path.endswith("/audio/speech"):
        path = path.removesuffix("/v1") + ENDPOINT
    return urlunsplit((scheme, host, path, query, ""))
