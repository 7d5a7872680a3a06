"""Who may ask, and who may change voices.

A web page can send requests to every service that its reader's browser reaches, and read the
answers if a name of its own leads there. Knows nothing about endpoints.
"""

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from mira.errors import InvalidKey, InvalidSettings, NotAllowed
from mira.server.credentials import credentials
from mira.server.errors import respond
from mira.server.key_file import Right
from mira.server.keys import Caller, Keys
from mira.server.state import Running
from mira.settings import Settings

PRIVATE = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".svc", ".test")
"""Endings of names that no public name server has: nobody else can let one lead here."""
LONGEST_NAME_CHARS = 253  # of DNS
OPEN = frozenset({"/", "/health", "/health/ready", "/docs", "/openapi.json"})
"""Paths that need no key: balancers and browsers ask for them; and what is below /docs/."""
NEEDS_KEY = (
    "This service needs an API key that it knows. Send it as `Authorization: Bearer KEY`, or as "
    "your protocol does: `Authorization: Token KEY`, `xi-api-key`, `X-API-Key`."
)


def check_reach(address: str, settings: Settings) -> None:
    """Refuse to serve other machines without keys, unless the settings say so in words.

    Args:
        address: Of this machine, to be listened on.

    Raises:
        InvalidSettings: It can be reached from others, and anybody there could do everything.
    """
    if settings.api_keys or settings.api_keys_file or settings.open_to_everybody:
        return
    found = ip_address(address)
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if not found.is_loopback:
        raise InvalidSettings(
            f"Other machines reach {address}, and there are no API keys: whoever does could have "
            "everything spoken and change voices. Set api_keys to a secret (openssl rand -hex 32 "
            "prints one) or api_keys_file, or open_to_everybody=true in a network that you trust."
        )


def key_check(app: ASGIApp, keys: Keys, count: Callable[[str], None]) -> ASGIApp:
    """Find out who asks, before anything of a request is read; 401 to who has no key but needs one.

    A socket's handshake is refused in the same way.

    Args:
        count: Called with the kind of each refusal, for the metrics.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await app(scope, receive, send)
        caller = keys.holder(credentials(HTTPConnection(scope))) if keys.needed else None
        if caller is None and keys.needed and not _is_open(scope):
            error = InvalidKey(NEEDS_KEY)
            count(type(error).__name__)
            return await respond(error)(scope, receive, send)
        scope.setdefault("state", {})["caller"] = caller or keys.stranger
        await app(scope, receive, send)

    return answer


def _is_open(scope: Scope) -> bool:
    # A browser asks with OPTIONS what it may send, and can't send a key with that.
    path = scope["path"]
    return path in OPEN or path.startswith("/docs/") or scope.get("method") == "OPTIONS"


def caller_of(connection: HTTPConnection) -> Caller:
    """Tell who sent a request or opened a socket, as `key_check` found."""
    caller = connection.state.caller
    assert isinstance(caller, Caller)
    return caller


async def _asking(connection: HTTPConnection) -> Caller:
    return caller_of(connection)


Asking = Annotated[Caller, Depends(_asking)]
"""Whoever sent a request."""


def may(right: Right) -> Any:
    """Guard an endpoint, or all of a router: 403 to callers without this right."""

    async def check(caller: Asking) -> None:
        caller.check_may(right)

    return Depends(check)


def host_check(app: ASGIApp, names: tuple[str, ...]) -> ASGIApp:
    """Answer 403 to requests, and sockets' handshakes, to a host name that somebody else may have
    pointed here.

    A browser sends the name in the page's address. Those of this machine, IP addresses, names
    without a dot (a container's, say) and names that only private networks have are let in.

    Args:
        names: Others to let in; ".example.com" for all below it, "*" for every name.
    """
    known = {name.lower() for name in names}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            name = _host_name(Headers(scope=scope).get("host", ""))
            if not _lets_in(name, known):
                error = NotAllowed(
                    f"This service does not know the host name {name!r}. "
                    "If it is its own, add it to the setting allowed_hosts."
                )
                return await respond(error)(scope, receive, send)
        await app(scope, receive, send)

    return answer


def _lets_in(name: str, known: set[str]) -> bool:
    if len(name) > LONGEST_NAME_CHARS:
        return False
    if "." not in name or name.endswith(PRIVATE) or _is_address(name):
        return True
    ends = {name[dot:] for dot, char in enumerate(name) if char == "."}
    return bool(known & {"*", name, *ends})


def check_may_change(settings: Settings, connection: HTTPConnection) -> None:
    """Refuse who may not add, remove or recompute voices; asked before an upload's body is read.

    Raises:
        NotAllowed: The key or the settings say no, or a web page of somebody else asks: a form in
            one could be sent here by every browser that can reach this service.
    """
    caller_of(connection).check_may("voices")
    headers = connection.headers
    if not settings.change_voices:
        raise NotAllowed("Voices can't be changed over HTTP here: the setting change_voices.")
    check_origin(settings, headers, "change voices")


def check_origin(settings: Settings, headers: Headers, to_do: str) -> None:
    """Raise NotAllowed for a web page of somebody else, unless it may do as our own pages do."""
    origin = headers.get("origin", "")
    allowed = {origin, "*"} & {*settings.cors_origins}
    if origin and not allowed and not is_own(origin, headers.get("host", "")):
        raise NotAllowed(f"Web pages of other origins can't {to_do}: see cors_origins.")


async def may_change(service: Running, connection: HTTPConnection) -> None:
    """Guard an endpoint with `check_may_change`."""
    check_may_change(service.settings, connection)


def is_own(origin: str, host: str) -> bool:
    """Tell whether a web page came from this service.

    Args:
        origin: What the browser says of the page.
        host: What the request calls this service; `host_check` let it in.
    """
    try:
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def _host_name(host: str) -> str:
    """Strip port, brackets and a final dot; leave what can't be read as it is."""
    try:
        return (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return host


def _is_address(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return False
