"""What ElevenLabs' clients ask for is understood; what isn't is said."""

import pytest

from mira.audio import AudioStream
from mira.errors import InvalidRequest
from mira.server.elevenlabs.requests import OUTPUTS, TextToSpeech, find_output
from mira.server.utterance import Delivery

SDK_OUTPUTS = """mp3_22050_32 mp3_24000_48 mp3_44100_32 mp3_44100_64 mp3_44100_96 mp3_44100_128
mp3_44100_192 pcm_8000 pcm_16000 pcm_22050 pcm_24000 pcm_32000 pcm_44100 pcm_48000
ulaw_8000 alaw_8000
opus_48000_32 opus_48000_64 opus_48000_96 opus_48000_128 opus_48000_192"""
"""Of the SDK 2.78.0."""


def test_every_output_of_the_sdk_is_known() -> None:
    assert set(SDK_OUTPUTS.split()) <= set(OUTPUTS)


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_can_be_made(name: str) -> None:
    output = find_output(name)
    AudioStream(24000, output.format, output.sample_rate, bit_rate=output.bit_rate)
    assert output.media_type.startswith("audio/")
    assert name.startswith(f"{output.format}_{output.sample_rate}")


def test_a_bit_rate_is_delivered() -> None:
    found = find_output("mp3_44100_192").delivery(1.2, words=True)
    assert found == Delivery("mp3", 44100, 1.2, words=True, bit_rate=192_000)
    assert find_output("pcm_8000").delivery(None) == Delivery("pcm", 8000)


@pytest.mark.parametrize("name", ["", "pcm", "pcm_11025", "mp3_44100", "../secret", "PCM_24000"])
def test_an_unknown_output_is_told_the_others(name: str) -> None:
    with pytest.raises(InvalidRequest, match="ulaw_8000") as raised:
        find_output(name)
    assert raised.value.param == "output_format"


def test_nothing_is_a_null_and_what_means_nothing_is_ignored() -> None:
    body = {"text": "Hi.", "voice_settings": None, "seed": None, "model_id": None, "more": [1]}
    assert TextToSpeech.model_validate(body) == TextToSpeech(text="Hi.")
    settings = {"stability": 0.5, "style": None, "speed": None, "use_speaker_boost": True}
    assert TextToSpeech.model_validate({"text": "Hi.", "voice_settings": settings}).speed is None
    assert TextToSpeech.model_validate({"text": "", "voice_settings": {"speed": 1}}).speed == 1.0
