"""An utterance in, an HTTP body out, while it is being computed.

A failure before the first chunk is raised, and so gets a status; one after it breaks the body,
because a stream that ends politely would pass for whole. Knows nothing about requests' fields.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from urllib.parse import quote

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mira.server.framing import Framing
from mira.server.pacing import Pacing
from mira.server.utterance import Chunk, Utterance
from mira.voices import shown_name


class SpeechResponse(Response):
    """Sends the chunks of an utterance as they are made, and cancels it when the client leaves."""

    def __init__(self, utterance: Utterance, framing: Framing) -> None:
        headers = {
            # As it can stand in a header: percent-encoded, where it isn't printable ASCII.
            "X-Voice-Used": quote(
                shown_name(utterance.voice.name), safe=" !\"#$&'()*+,/:;<=>?@[\\]^`{|}"
            ),
            "X-Sample-Rate": str(utterance.delivery.sample_rate),
            # Proxies that collect a body before they pass it on would undo all the hurry.
            "Cache-Control": "no-cache",
            "X-Accel-Buffering": "no",
            **framing.headers,
        }
        super().__init__(None, 200, headers, framing.media_type)
        del self.headers["content-length"]  # nobody knows it yet
        self._utterance = utterance
        self._framing = framing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the body. One that is not completed is broken off by the server."""

        async def leave_with_client() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            self._utterance.cancel()

        leaving = asyncio.ensure_future(leave_with_client())
        try:
            async with (
                self._utterance.speaking() as chunks,
                aclosing(self._to_send(chunks)) as parts,
            ):
                await self._send(parts, send)
        except Exception:
            if not self._utterance.begun:
                raise
        finally:
            leaving.cancel()

    async def _to_send(self, chunks: AsyncIterator[Chunk]) -> AsyncGenerator[Chunk, None]:
        """Yield chunks as they are, or in frames that leave in time."""
        delivery = self._utterance.delivery
        if delivery.frame_ms is None:
            async for chunk in chunks:
                yield chunk
            return
        keep_back = self._utterance.keep_back
        async with aclosing(Pacing(delivery).pieces(chunks, keep_back)) as pieces:
            async for piece in pieces:
                yield Chunk(piece.data, piece.stop_s, words=piece.words)

    async def _send(self, chunks: AsyncIterator[Chunk], send: Send) -> None:
        async def body(data: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": more})

        begun = False
        try:
            async for chunk in chunks:
                if not begun:
                    begun = True
                    self.headers["Server-Timing"] = _timing(self._utterance)
                    head = {"type": "http.response.start", "status": 200}
                    await send({**head, "headers": self.raw_headers})
                if chunk.data or chunk.words:  # a frame may wait for more
                    await body(self._framing.chunk(chunk))
            await body(self._framing.end(self._utterance), more=False)
        except Exception as error:
            if self._utterance.begun:  # the status is gone, and so is the usual way to say it
                await body(self._framing.failure(error))
            raise


def _timing(utterance: Utterance) -> str:
    """Write the W3C Server-Timing header: what is known when the first chunk leaves. The wait for a
    turn to compute is part of `synthesis`; `queue` is what passed before the stream began."""
    ttfa_s = (utterance.clock.ttfa_ms or 0.0) / 1000
    synthesis_s, encode_s = utterance.first_took_s
    times_s = {
        "queue": max(ttfa_s - synthesis_s - encode_s, 0.0),
        "synthesis": synthesis_s,
        "encode": encode_s,
        "ttfa": ttfa_s,
    }
    return ", ".join(f"{name};dur={1000 * time_s:.1f}" for name, time_s in times_s.items())
