"""Who may ask, and who may change voices.

A web page can send requests to every service that its reader's browser reaches, and read the
answers if a name of its own leads there. Knows nothing about endpoints.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from mira.errors import NotAllowed
from mira.server.errors import respond
from mira.server.state import Running
from mira.settings import Settings

PRIVATE = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".svc", ".test")
"""Endings of names that no public name server has: nobody else can let one lead here."""
LONGEST_NAME_CHARS = 253  # of DNS


def host_check(app: ASGIApp, names: tuple[str, ...]) -> ASGIApp:
    """Answer 403 to requests to a host name that somebody else may have pointed here.

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


def check_may_change(settings: Settings, headers: Headers) -> None:
    """Refuse who may not add, remove or recompute voices; asked before an upload's body is read.

    Raises:
        NotAllowed: The settings say no, or a web page of somebody else asks: a form in one could
            be sent here by every browser that can reach this service.
    """
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
    check_may_change(service.settings, connection.headers)


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
