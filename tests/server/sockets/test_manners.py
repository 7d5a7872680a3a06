"""How a text is spoken is the same on every socket: a dictionary's words, and the pace."""

from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.conftest import Serve
from tests.server.serving import Served
from tests.server.sockets.client import Client, Message, audio
from tests.toys import ANNA, ToySynthesizer

PCM = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}
RAW = "output_format=pcm_24000"
Say = Callable[[str, float], tuple[str, list[Message]]]


def single(text: str, speed: float) -> tuple[str, list[Message]]:
    path = f"/v1/text-to-speech/{ANNA.name}/stream-input?{RAW}"
    return path, [{"text": text, "voice_settings": {"speed": speed}}, {"text": ""}]


def contexts(text: str, speed: float) -> tuple[str, list[Message]]:
    path = f"/v1/text-to-speech/{ANNA.name}/multi-stream-input?{RAW}"
    said = {"text": text, "context_id": "C", "voice_settings": {"speed": speed}}
    return path, [said | {"close_context": True}, {"close_socket": True}]


def dialogue(text: str, speed: float) -> tuple[str, list[Message]]:
    _, (said, bye) = contexts(text, speed)
    path = f"/v1/text-to-dialogue/multi-stream-input?{RAW}"
    return path, [said | {"voices": [ANNA.name]}, bye]


def cartesia(text: str, speed: float) -> tuple[str, list[Message]]:
    asked = {"transcript": text, "voice": {"id": ANNA.name}, "output_format": PCM}
    return "/tts/websocket", [{**asked, "generation_config": {"speed": speed}}]


def aura(text: str, speed: float) -> tuple[str, list[Message]]:
    said: list[Message] = [{"type": "Speak", "text": text}, {"type": "Flush"}, {"type": "Close"}]
    return f"/v1/speak?model={ANNA.name}&speed={speed}", said


def flux(text: str, speed: float) -> tuple[str, list[Message]]:
    path, said = aura(text, speed)
    return path.replace("/v1/", "/v2/"), said


def flux_configured(text: str, speed: float) -> tuple[str, list[Message]]:
    path, said = flux(text, 1.0)
    return path, [{"type": "Configure", "speed": speed}, *said]


def spoken_s(served: Served, say: Say, text: str, speed: float = 1.0) -> float:
    """How long it is."""
    path, messages = say(text, speed)
    heard = b""
    with Client(served, path) as client:
        client.say(*messages)
        try:
            while True:
                told = client.hear()
                if isinstance(told, bytes):
                    heard += told
                else:
                    heard += audio([told], "data") + audio([told], "audio")
                    if told.get("type") == "done":
                        break
        except ConnectionClosed:
            pass
    return len(heard) / 48000


@pytest.mark.parametrize("say", [single, contexts, dialogue, cartesia, aura, flux, flux_configured])
def test_the_dictionarys_words_and_the_pace_count(serve: Serve, tmp_path: Path, say: Say) -> None:
    (tmp_path / "words.toml").write_text('xyzzy = "one two three four five six"', "utf-8")
    served = serve(ToySynthesizer(s_per_char=0.03), dictionary=tmp_path / "words.toml")
    whole_s = spoken_s(served, say, "One two three four five six.")
    assert whole_s == pytest.approx(0.03 * 28, abs=0.1)
    assert spoken_s(served, say, "xyzzy.") == pytest.approx(whole_s, abs=0.1)
    assert spoken_s(served, say, "xyzzy.", 2.0) == pytest.approx(whole_s / 2, abs=0.1)
