"""What agents say again and again: prepared before it is said, counted, dropped.

Knows nothing about how it is kept: see `mira.stream.phrases`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from anyio import move_on_after
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from mira.errors import MiraError, NotAllowed
from mira.server.auth import Asking, may
from mira.server.keys import Caller
from mira.server.openai.requests import VoiceName, Words
from mira.server.state import Running, Service
from mira.server.utterance import Delivery, Manner, Utterance
from mira.types import Voice
from mira.voices import owner_of, shown_name

MOST_AT_ONCE = 100
LONGEST_CHARS = 200
PREPARE_S = 60.0  # for a whole list
NO_ROOM = (
    "It is not kept: spoken it is too long, it didn't come out well, or phrases_mb is used up."
)

Text = Annotated[str, Field(min_length=1, max_length=LONGEST_CHARS)]

router = APIRouter(prefix="/v1/phrases", tags=["phrases"])


class PhrasesRequest(BaseModel):
    """What will be said again and again."""

    model_config = ConfigDict(strict=True, extra="ignore")

    phrases: list[Text] = Field(
        min_length=1,
        max_length=MOST_AT_ONCE,
        description=f"Texts, each of up to {LONGEST_CHARS} characters.",
    )
    voice: VoiceName | None = Field(None, description="Who says them; the default voice.")
    dictionary: Words | None = Field(
        None, description="As requests that say them have it: see `/v1/audio/speech`."
    )


def about_phrases(service: Service) -> dict[str, object]:
    """Describe what is kept."""
    phrases = service.phrases
    return {
        "kept": len(phrases),
        "bytes": phrases.num_bytes,
        "max_bytes": phrases.max_bytes,
        "hits": phrases.hits,
        "misses": phrases.misses,
    }


@router.get("", dependencies=[may("operate")])
async def show(service: Running) -> dict[str, object]:
    """Show how many sentences are kept, in how many bytes, and how often that spared computing."""
    return about_phrases(service)


@router.delete("", dependencies=[may("voices")])
async def clear(service: Running, caller: Asking) -> dict[str, object]:
    """Drop all that is kept; of a key with voices of its own, what those said."""
    owner = caller.owner
    return {"cleared": service.phrases.forget(lambda voice: owner in ("", owner_of(voice.name)))}


@router.post("", dependencies=[may("speak")])
async def prepare(
    service: Running, caller: Asking, request: Request, body: PhrasesRequest
) -> dict[str, object]:
    """Compute phrases that are not kept yet, one after another, so that they are said at once.

    Nobody stands in for a voice that can't speak. The answer says of each phrase whether it is
    ready, and if not, why.
    """
    if not service.phrases.max_bytes:
        raise NotAllowed("No phrases are kept here: the setting phrases_mb is 0.")
    _, voices = service.speaking(caller.owner)
    voice = await service.search(voices.exactly, body.voice or service.settings.default_voice)
    manner = Manner(dictionary=await service.dictionary(body.dictionary), keep=True)
    texts = tuple(dict.fromkeys(body.phrases))
    problems = dict.fromkeys(texts, "There was no time for it. Ask again.")
    with move_on_after(PREPARE_S):
        for text in texts:
            if await request.is_disconnected():
                break
            problems[text] = await _prepare(service, caller, text, voice, manner)
    kept = await _kept(service, texts, voice, manner)
    told = [
        {"text": text, "ready": True}
        if text in kept
        else {"text": text, "ready": False, "error": problems[text] or NO_ROOM}
        for text in texts
    ]
    return {"voice": shown_name(voice.name), "ready": len(kept) == len(texts), "phrases": told}


async def _prepare(
    service: Service, caller: Caller, text: str, voice: Voice, manner: Manner
) -> str:
    """Have a phrase spoken to nobody, unless it is kept; say what was in the way, if anything."""
    if await _kept(service, [text], voice, manner):
        return ""
    try:
        caller.say(len(text))
        delivery = Delivery("pcm", service.settings.stream_sample_rate, words=True)
        async with Utterance(service, text, voice, delivery, manner).speaking() as chunks:
            async for _ in chunks:
                pass
    except MiraError as error:
        return str(error)
    return ""


async def _kept(
    service: Service, texts: Sequence[str], voice: Voice, manner: Manner
) -> frozenset[str]:
    """Find those that could be said now without computing anything."""
    engine, _ = service.speaking()

    def look() -> frozenset[str]:
        keeps = partial(engine.keeps, voice=voice, dictionary=manner.dictionary)
        return frozenset(filter(keeps, texts))

    return await service.on("words", look)
