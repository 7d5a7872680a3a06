"""A request's path and headers in, whose protocol its client speaks out.

Some paths are the same in several protocols, and each has its own way to say that something is
wrong. Knows nothing about what is asked.
"""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope


class Family(Enum):
    """A protocol that clients speak already."""

    OPENAI = "OpenAI"
    ELEVENLABS = "ElevenLabs"
    CARTESIA = "Cartesia"
    DEEPGRAM = "Deepgram"


@dataclass(frozen=True, slots=True)
class _Marks:
    """What a request of one family may be known by."""

    paths: tuple[str, ...]
    """Beginnings."""
    header: str = ""
    """That its clients send and no others do."""
    query: str = ""
    """The same, as a parameter of the query."""


_MARKS: Mapping[Family, _Marks] = {
    Family.OPENAI: _Marks(("/v1/audio/",)),  # whichever of the places its key was sent in
    Family.ELEVENLABS: _Marks(
        ("/v1/text-to-", "/v1/voices", "/v2/voices", "/v1/user"), header="xi-api-key"
    ),
    Family.CARTESIA: _Marks(
        ("/tts/", "/voices/clone"), header="cartesia-version", query="cartesia_version"
    ),
    Family.DEEPGRAM: _Marks(("/v1/speak", "/v2/speak")),
}


def family_of(scope: Scope) -> Family:
    """Tell the family of a request or a socket: by its path, else by a header or a parameter, else
    OpenAI's."""
    for family, marks in _MARKS.items():
        if scope["path"].startswith(marks.paths):
            return family
    headers, query = Headers(scope=scope), scope.get("query_string", b"").decode("latin-1")
    for family, marks in _MARKS.items():
        if marks.header and marks.header in headers:
            return family
        if marks.query and f"&{marks.query}=" in f"&{query}":
            return family
    return Family.OPENAI


def only(family: Family) -> type[APIRoute]:
    """Make a class of routes that answer one family alone, so that another's are looked at next."""

    class Only(APIRoute):
        def matches(self, scope: Scope) -> tuple[Match, MutableMapping[str, Any]]:
            found, child = super().matches(scope)
            if found is not Match.NONE and family_of(scope) is not family:
                return Match.NONE, {}
            return found, child

    return Only
