"""A secret is found wherever a protocol puts it, and nothing makes that fail or take long."""

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from mira.server.credentials import MOST, credentials, subprotocol

SECRET = "s3cr3t/0123+456789=="


def asked(*headers: tuple[str, str], query: str = "", kind: str = "http") -> HTTPConnection:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return HTTPConnection(
        {"type": kind, "path": "/", "headers": raw, "query_string": query.encode("latin-1")}
    )


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ([("Authorization", f"Bearer {SECRET}")], ""),
        ([("authorization", f"bearer   {SECRET} ")], ""),
        ([("Authorization", f"Token {SECRET}")], ""),
        ([("Authorization", f"TOKEN {SECRET}")], ""),
        ([("xi-api-key", SECRET)], ""),
        ([("X-API-Key", f" {SECRET}")], ""),
        ([("Authorization", "Basic YTpi"), ("X-API-Key", SECRET)], ""),
        ([("Authorization", "Basic YTpi"), ("Authorization", f"Bearer {SECRET}")], ""),
        ([], f"api_key={quote(SECRET, safe='')}&cartesia_version=2025-04-16"),
        ([], f"model_id=x&access_token={quote(SECRET, safe='')}"),
        ([], f"xi-api-key={quote(SECRET, safe='')}"),
        ([], f"authorization=Bearer%20{quote(SECRET, safe='')}"),
        ([], f"%61pi%5Fkey={quote(SECRET, safe='')}"),
        ([("Sec-WebSocket-Protocol", f"token, {SECRET}")], ""),
        ([("Sec-WebSocket-Protocol", f"bearer,{SECRET}")], ""),
    ],
)
def test_every_protocols_place(headers: list[tuple[str, str]], query: str, kind: str) -> None:
    assert credentials(asked(*headers, query=query, kind=kind)) == [SECRET]


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ([], ""),
        ([("Authorization", SECRET)], ""),
        ([("Authorization", "Bearer")], ""),
        ([("Authorization", "Bearer ")], ""),
        ([("Authorization", f"Basic {SECRET}")], ""),
        ([("Authorization", f"Digest {SECRET}")], ""),
        ([("xi-api-key", "")], ""),
        ([("Cookie", f"api_key={SECRET}")], ""),
        ([("Sec-WebSocket-Protocol", f"chat, {SECRET}")], ""),
        ([], "api_key=&input=x"),
        ([], "&".join(["a=b"] * 1000) + f"&api_key={SECRET}"),
    ],
)
def test_nothing_else_is_taken_for_one(headers: list[tuple[str, str]], query: str) -> None:
    assert credentials(asked(*headers, query=query)) == []


@pytest.mark.parametrize(
    ("sent", "accepted"),
    [
        (f"token, {SECRET}", "token"),
        (f"Bearer,{SECRET}", "Bearer"),
        ("token", None),
        ("", None),
        (f"chat, {SECRET}", None),
    ],
)
def test_a_browser_that_sent_a_subprotocol_gets_one(sent: str, accepted: str | None) -> None:
    assert subprotocol(asked(("Sec-WebSocket-Protocol", sent))) == accepted


latin = st.text(st.characters(max_codepoint=255), max_size=40)
names = st.sampled_from(["authorization", "xi-api-key", "x-api-key", "sec-websocket-protocol"])


@given(st.lists(st.tuples(names, latin | latin.map(lambda text: f"Bearer {text}"))), latin)
def test_any_header_and_query_can_be_read(headers: list[tuple[str, str]], query: str) -> None:
    found = credentials(asked(*headers, query=query))
    assert len(found) <= MOST
    assert all(found)
    for secret in found:
        secret.encode("utf-8")
    sent = " ".join(value for _, value in headers)
    if not query:
        assert all(secret in sent for secret in found)


def test_a_head_full_of_secrets_takes_no_time() -> None:
    many = asked(*[("x-api-key", "x" * 20)] * 500, query="api_key=1&" * 90)
    began = time.perf_counter()
    assert len(credentials(many)) == MOST
    assert time.perf_counter() - began < 0.1
