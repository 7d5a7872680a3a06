"""How the service is, for people, probes, clients and Prometheus."""

import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Serve
from tests.server.serving import Served, wait_until
from tests.server.sockets.client import Client
from tests.server.wire import Wire
from tests.toys import ToySynthesizer

STREAM = "/v1/audio/speech-stream"


def values(served: Served) -> dict[str, float]:
    """Every sample that Prometheus would read, by its name and labels."""
    answer = served.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture
def served(serve: Serve) -> Served:
    return serve(ToySynthesizer(compute_s=0.005))


def test_health(served: Served) -> None:
    found = served.get("/health").json()
    assert (found["status"], found["ready"], found["active_streams"]) == ("ok", True, 0)
    assert found["uptime_s"] >= 0
    ready = served.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "free_streams": 64, "max_streams": 64, "error": None}
    assert values(served)["mira_max_streams"] == served.get("/stats").json()["max_streams"] == 64


def test_statistics_before_anybody_spoke(served: Served) -> None:
    found = served.get("/stats").json()
    assert (found["requests"], found["active_streams"], found["max_streams"]) == (0, 0, 64)
    assert (found["ttfa_ms"], found["rtf"]) == (None, None)
    assert found["memory_mb"] > 10


def test_statistics_and_metrics_agree(served: Served) -> None:
    for voice in ("ben", "anna", "zoe"):
        served.post(STREAM, json={"input": "One two three.", "voice": voice})
    served.post(STREAM, json={"input": "...", "voice": "anna"})
    served.post(STREAM, json={"input": 5})
    with Wire(served) as wire:
        wire.post(STREAM, {"input": "One two three. " * 20})
        wire.read_head()
    served.wait_idle()
    stats, metrics = served.get("/stats").json(), values(served)
    assert stats["requests"] == 4  # what said nothing was not spoken
    assert stats["voices"] == {"anna": 3, "ben": 1}
    assert metrics["mira_requests_total anna"] == 3
    assert metrics["mira_requests_total ben"] == 1
    assert stats["voice_substitutions"] == metrics["mira_voice_substitutions_total"] == 1
    assert stats["cancelled"] == metrics["mira_cancellations_total"] == 1
    assert stats["failures"] == {"NothingToSay": 1, "InvalidRequest": 1}
    assert metrics["mira_errors_total NothingToSay"] == 1
    assert metrics["mira_errors_total InvalidRequest"] == 1
    assert stats["audio_s"] == pytest.approx(metrics["mira_audio_seconds_total"], abs=0.01)
    assert stats["audio_s"] > 3 * 14 * 0.05
    assert metrics["mira_time_to_first_audio_seconds_count"] == 4
    assert metrics["mira_real_time_factor_count"] == 4
    assert stats["ttfa_ms"]["p50"] / 1000 <= metrics["mira_time_to_first_audio_seconds_sum"]
    assert 0 < stats["ttfa_ms"]["p50"] <= stats["ttfa_ms"]["p95"] <= stats["ttfa_ms"]["p99"]
    assert 0 < stats["rtf"]["p50"] < 2
    assert metrics["mira_active_streams"] == 0


def test_sockets_are_seen_and_what_is_said_on_them(served: Served) -> None:
    with Client(served, "/tts/websocket") as one, Client(served, "/v1/speak?model=anna"):
        one.say({"transcript": "One two.", "context_id": "C"})  # without a format
        assert one.hear()
        raw = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}
        one.say({"transcript": "One two.", "context_id": "C", "output_format": raw})
        one.until(lambda message: message["type"] == "done")
        one.say({"transcript": "One", "context_id": "C", "output_format": raw, "continue": True})
        wait_until(lambda: served.get("/stats").json()["contexts"] == 1)
        stats, metrics = served.get("/stats").json(), values(served)
        assert stats["sockets"] == {"Cartesia": 1, "Deepgram": 1}
        assert metrics["mira_sockets Cartesia"] == metrics["mira_sockets Deepgram"] == 1
        assert stats["failures"] == {"InvalidRequest": 1}
        assert metrics["mira_contexts"] == stats["turns"]["done"] == 1
        assert stats["turn_ttfa_ms"]["p50"] > 0
        assert stats["tasks"] > 3
        assert stats["keys"] == {}  # nobody needs one here
    wait_until(lambda: served.get("/stats").json()["sockets"] == {})
    stats = served.get("/stats").json()
    assert stats["contexts"] == 0
    assert stats["turns"] == {"done": 1, "dropped": 1}


def test_active_streams_are_seen(served: Served, serve: Serve) -> None:
    go_on = threading.Event()
    served = serve(ToySynthesizer(before_block=lambda number: number == 0 or go_on.wait(20)))
    with Wire(served) as wire:
        wire.post(STREAM, {"input": "One two three."})
        wire.read_head()
        assert served.get("/stats").json()["active_streams"] == 1
        assert values(served)["mira_active_streams"] == 1
        go_on.set()
        list(wire.chunks())
    served.wait_idle()
    assert values(served)["mira_active_streams"] == 0
