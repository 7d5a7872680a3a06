"""No body can be too long or take for ever."""

import threading
import time
from contextlib import ExitStack, suppress

import pytest

from mira.server import middleware
from mira.settings import Settings
from tests.conftest import Serve
from tests.server.serving import Served, wait_until
from tests.server.wire import Wire
from tests.toys import ToySynthesizer

STREAM = "/v1/audio/speech-stream"
LIMIT = Settings().max_body_bytes


def test_an_announced_body_over_the_limit_is_not_awaited(shared: Served) -> None:
    with Wire(shared) as wire:
        wire.write_head(STREAM, f"content-length: {LIMIT + 1}")
        assert wire.read_head() == 413
        error = wire.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["code"]) == ("invalid_request_error", "request_too_large")
    assert "132 kB" in str(error["message"])


def test_a_body_of_unknown_length_is_cut_at_the_limit(shared: Served) -> None:
    with Wire(shared) as wire:
        wire.write_head(STREAM, "transfer-encoding: chunked")
        wire.write(b"%x\r\n" % LIMIT + b" " * LIMIT + b"\r\n")
        wire.write(b"1\r\n \r\n")  # one byte over, and the end is not sent
        assert wire.read_head() == 413
        assert wire.json()["error"]["code"] == "request_too_large"


def test_a_body_of_just_the_limit_is_read(serve: Serve, toy: ToySynthesizer) -> None:
    served = serve(toy, max_body_bytes=2000)
    body = b'{"input": "Hi."}'
    headers = {"content-type": "application/json"}
    for num_bytes, status in ((2000, 200), (2001, 413)):
        padded = body + b" " * (num_bytes - len(body))
        assert served.post(STREAM, content=padded, headers=headers).status_code == status


def test_a_body_may_come_in_pieces(shared: Served) -> None:
    with Wire(shared) as wire:
        wire.write_head(STREAM, "transfer-encoding: chunked")
        for piece in (b'{"input"', b': "One two', b' three."}'):
            wire.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        wire.write(b"0\r\n\r\n")
        assert wire.read_head() == 200
        assert sum(map(len, wire.chunks())) > 1000


def test_a_client_that_leaves_within_its_body_is_forgotten(shared: Served) -> None:
    with Wire(shared) as wire:
        wire.write_head(STREAM, "content-length: 1000")
        wire.write(b'{"inp')
    assert shared.get("/health").status_code == 200


def test_a_body_that_is_too_slow_is_given_up(
    shared: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time grows with what has come, not with each byte."""
    monkeypatch.setattr(middleware, "BODY_GRACE_S", 0.5)
    began = time.monotonic()
    with Wire(shared) as idle, Wire(shared) as trickling:
        idle.write_head(STREAM, "content-length: 10")
        trickling.write_head(STREAM, "content-length: 1000")

        def trickle() -> None:
            with suppress(OSError):
                for _ in range(200):
                    trickling.write(b" ")
                    time.sleep(0.05)

        writing = threading.Thread(target=trickle)
        writing.start()
        for wire in (trickling, idle):
            assert wire.read_head() == 408
            error = wire.json()["error"]
            assert error["code"] == "request_timeout"
            assert "too slow" in str(error["message"])
        assert 0.5 <= time.monotonic() - began < 8
    writing.join()


def test_an_answer_that_is_taken_too_slowly_is_cut_off(
    serve: Serve, toy: ToySynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hold a place of those who are answered."""
    monkeypatch.setattr(middleware, "BODY_GRACE_S", 0.3)
    monkeypatch.setattr(middleware, "SLOWEST_BYTES_PER_S", 64 << 20)
    monkeypatch.setattr(middleware, "MAX_SERVED", 0)
    served = serve(toy, max_streams=1)
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(served, 4096)) for _ in range(2)]
        for wire in wires:
            wire.write(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: mira\r\n\r\n")
            assert wire.read_head() == 200
        wait_until(lambda: served.get("/voices").status_code == 200)
        for wire in wires:
            with pytest.raises(EOFError):
                wire.read(int(wire.headers["content-length"]))


def test_a_large_body_has_longer_than_a_small_one(
    serve: Serve, toy: ToySynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "BODY_GRACE_S", 1.0)
    served = serve(toy, max_body_bytes=1 << 20)
    body = b'{"input": "Hi."}' + b" " * 500_000
    with Wire(served) as wire:
        wire.write_head(STREAM, f"content-length: {len(body)}")
        for start in range(0, len(body), 40_000):  # 1.6 s, 312 kB/s
            wire.write(body[start : start + 40_000])
            time.sleep(0.12)
        assert wire.read_head() == 200


def test_whoever_announces_a_body_takes_no_place_before_it_comes(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an upload nor speech waits for clients that send nothing, or little."""
    monkeypatch.setattr(middleware, "LARGE_AT_ONCE", 2)
    served = serve(ToySynthesizer(), max_body_bytes=1 << 20)
    form = "content-type: multipart/form-data; boundary=XX"
    large = b'{"input": "Hi."}' + b" " * 200_000
    with ExitStack() as stack:
        for _ in range(20):
            wire = stack.enter_context(Wire(served))
            wire.write_head("/v1/audio/voices", "content-length: 900000", form, kind=None)
            wire.write(b"a" * 10_000)
        headers = {"content-type": "application/json"}
        assert served.post(STREAM, content=large, headers=headers).status_code == 200
        files = {"audio_sample": b"a" * 200_000}
        assert served.post("/v1/audio/voices", files=files).status_code == 400


def test_few_large_bodies_are_read_at_once(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "LARGE_AT_ONCE", 1)
    served = serve(ToySynthesizer(), max_body_bytes=1 << 20)
    body = b'{"input": "Hi."}' + b" " * 200_000
    with Wire(served) as first, Wire(served) as second:
        first.write_head(STREAM, f"content-length: {len(body)}")
        first.write(body[:-1])
        time.sleep(0.3)  # it has taken the place
        second.write_head(STREAM, f"content-length: {len(body)}")
        writing = threading.Thread(target=second.write, args=(body,))
        writing.start()
        small = served.post(STREAM, json={"input": "Hi."})
        assert small.status_code == 200
        first.write(body[-1:])
        for wire in (first, second):
            assert wire.read_head() == 200
        writing.join()


def test_a_stream_holds_no_place_of_bodies(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "LARGE_AT_ONCE", 1)
    go_on = threading.Event()
    toy = ToySynthesizer(before_block=lambda number: number == 0 or go_on.wait(20))
    served = serve(toy, max_body_bytes=1 << 20)
    body = b'{"input": "One two three."}' + b" " * 200_000
    with Wire(served) as first, Wire(served) as second:
        for wire in (first, second):
            wire.write_head(STREAM, f"content-length: {len(body)}")
            wire.write(body)
            assert wire.read_head() == 200
        go_on.set()
        for wire in (first, second):
            assert list(wire.chunks())


def test_a_connection_is_used_again_after_every_kind_of_answer(shared: Served) -> None:
    """Clients keep theirs for minutes; a leftover of one request must not poison the next."""
    with Wire(shared) as wire:
        for payload, status in (({"input": "Hi."}, 200), ({"input": ""}, 400)) * 2:
            wire.post(STREAM, payload)
            assert wire.read_head() == status
            if status == 200:
                assert list(wire.chunks())
            else:
                wire.json()
