"""Consents, as OpenAI's own client asks for them, and what ties them to voices."""

from collections.abc import Iterator

import openai
import pytest

from tests.server.serving import Served
from tests.voices.bringing import ALLISON, CARLO, CORRUPT, JUNE

Client = openai.OpenAI


@pytest.fixture
def client(cloning: Served) -> Iterator[Client]:
    with Client(base_url=f"{cloning.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


def test_the_life_of_a_consent(client: Client) -> None:
    consents = client.audio.voice_consents
    made = consents.create(name="Anna Smith", language="en-US", recording=JUNE)
    assert made.id.startswith("cons_")
    assert (made.object, made.name, made.language) == ("audio.voice_consent", "Anna Smith", "en-US")
    assert consents.retrieve(made.id) == made
    assert consents.update(made.id, name="Anna").name == "Anna"
    assert consents.retrieve(made.id).name == "Anna"
    gone = consents.delete(made.id)
    assert (gone.id, gone.deleted, gone.object) == (made.id, True, "audio.voice_consent")
    for ask in (consents.retrieve, consents.delete):
        with pytest.raises(openai.NotFoundError, match="no consent"):
            ask(made.id)


def test_they_come_in_pages(client: Client) -> None:
    consents = client.audio.voice_consents
    made = {consents.create(name=name, language="it", recording=CARLO).id for name in "abc"}
    assert {consent.id for consent in consents.list(limit=2)} == made
    assert len(consents.list(limit=2).data) == 2
    with pytest.raises(openai.BadRequestError, match="limit"):
        consents.list(limit=1000)


def test_one_that_a_voice_was_made_with_goes_with_the_voice(client: Client) -> None:
    consent = client.audio.voice_consents.create(name="Anna", language="en-US", recording=JUNE)
    for name in ("clara", "clara two"):
        client.audio.voices.create(name=name, audio_sample=ALLISON, consent=consent.id)
    with pytest.raises(openai.BadRequestError, match="'clara' was made with this consent"):
        client.audio.voice_consents.delete(consent.id)
    client.audio.voices.delete("clara")
    assert client.audio.voice_consents.retrieve(consent.id) == consent
    client.audio.voices.delete("clara two")
    with pytest.raises(openai.NotFoundError):
        client.audio.voice_consents.retrieve(consent.id)


def test_what_is_no_recording_is_no_consent(client: Client) -> None:
    with pytest.raises(openai.BadRequestError, match="damaged, or not audio") as refused:
        client.audio.voice_consents.create(name="Anna", language="en-US", recording=CORRUPT)
    assert refused.value.param == "recording"
    assert client.audio.voice_consents.list().data == []


@pytest.mark.parametrize("id", ["cons_", "..%2Fx", "cons_" + "g" * 24, "%00", "a" * 500])
def test_no_id_leads_astray(cloning: Served, id: str) -> None:
    with cloning.client() as client:
        for method in ("GET", "DELETE"):
            answer = client.request(method, f"/v1/audio/voice_consents/{id}")
            assert answer.status_code == 404
            assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
