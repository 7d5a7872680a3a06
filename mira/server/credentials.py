"""A request or a socket's handshake in, the secrets that it was sent with out.

Each in the place that some protocol has for it: OpenAI's and Cartesia's `Authorization: Bearer`,
Deepgram's `Authorization: Token`, ElevenLabs' `xi-api-key`, Cartesia's `X-API-Key`; and for
browsers, whose sockets can't send headers, Cartesia's and ElevenLabs' query parameters and
Deepgram's subprotocols. Knows nothing about keys.
"""

from urllib.parse import parse_qsl

from starlette.requests import HTTPConnection

SCHEMES = ("bearer", "token")  # of the header `authorization`, and among subprotocols
HEADERS = ("xi-api-key", "x-api-key")
PARAMETERS = ("api_key", "access_token", "xi-api-key", "authorization")
MOST = 4  # secrets that are looked at; a client has one
MOST_PARAMETERS = 100


def credentials(connection: HTTPConnection) -> list[str]:
    """Find the secrets in a request's headers and query, the first `MOST` of them."""
    headers = connection.headers
    found = [_secret(value) for value in headers.getlist("authorization")]
    for name in HEADERS:
        found += map(str.strip, headers.getlist(name))
    found += _asked(connection.scope.get("query_string", b""))
    if subprotocol(connection):  # `token, SECRET` and `bearer, SECRET`
        found.append(headers["sec-websocket-protocol"].partition(",")[2].strip())
    return [secret for secret in found if secret][:MOST]


def subprotocol(connection: HTTPConnection) -> str | None:
    """Name the subprotocol to accept, of a browser that sent a secret as one: it would leave."""
    scheme, *secret = connection.headers.get("sec-websocket-protocol", "").split(",", 1)
    return scheme.strip() if secret and scheme.strip().lower() in SCHEMES else None


def _secret(value: str) -> str:
    """Take the scheme off; "" for another scheme than ours, such as a proxy's Basic."""
    scheme, _, secret = value.strip().partition(" ")
    return secret.strip() if scheme.lower() in SCHEMES else ""


def _asked(query: bytes) -> list[str]:
    try:
        pairs = parse_qsl(query.decode("latin-1"), max_num_fields=MOST_PARAMETERS)
    except ValueError:  # more than that
        return []
    found = []
    for name, value in pairs:
        if name.lower() in PARAMETERS:
            found.append(_secret(value) or value.strip())
    return found
