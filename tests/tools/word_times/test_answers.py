"""With its words or without, an answer has the same audio."""

from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler

import pytest

from mira.cli.bench.client import Client, Problem
from mira.cli.bench.service import Service
from tests.cli.bench.conftest import answering, begin, chunk, toy_service  # noqa: F401
from tools.word_times.answers import audio


def test_the_audio_is_the_same(toy_service: Service) -> None:  # noqa: F811
    with closing(Client(toy_service.url)) as client:
        without, within = (
            b"".join(data for _, data in audio(client, "Hello there. One moment.", words))
            for words in (False, True)
        )
    assert without == within != b""


def test_lines_may_be_cut_anywhere(
    answering: Callable[[Callable[[BaseHTTPRequestHandler], None]], str],  # noqa: F811
) -> None:
    def answer(to: BaseHTTPRequestHandler) -> None:
        begin(to, kind="application/x-ndjson")
        for data in (b'{"words": []}\n{"aud', b'io": "AAE="', b"}\n", b'{"error": "tired"}\n', b""):
            chunk(to, data)

    with closing(Client(answering(answer))) as client:
        pieces = audio(client, "Hello.", words=True)
        assert next(pieces)[1] == b"\x00\x01"
        with pytest.raises(Problem, match="tired"):
            next(pieces)
