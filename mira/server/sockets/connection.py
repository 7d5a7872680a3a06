"""One WebSocket, whatever is spoken on it: messages in and out, and the turns that run meanwhile.

    async with (
        connected(service, websocket) as connection,
        Turns(service, connection.caller, MOST).open() as turns,
    ):
        async for message in connection.messages(IDLE_S, refuse, turns):
            ...  # begin, push to, flush or cancel a turn

A protocol finds the voices that `connection.caller` sees, and has it `say` what is pushed. Knows
nothing about any protocol.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field

from anyio import CancelScope, move_on_after
from starlette.websockets import WebSocket, WebSocketDisconnect

from mira.errors import InvalidRequest, MiraError, Overloaded, one_line
from mira.server.auth import caller_of
from mira.server.credentials import subprotocol
from mira.server.keys import Caller
from mira.server.state import Service
from mira.server.stopping import REASON
from mira.server.telemetry import Outcome, Telemetry
from mira.server.turn import Done, Event, Interrupted, Tell, Turn

log = logging.getLogger(__name__)

POLICY_VIOLATION = 1008  # of RFC 6455
# Of a service that stops. Clients take 1000 and 1001 for the end of what was to be said; after
# this one they connect again.
SERVICE_RESTART = 1012
LOOK_S = 0.05  # between two looks whether all was said, then

Message = dict[str, object]
Refuse = Callable[[InvalidRequest], Awaitable[object]]
Failed = Callable[[Exception], Awaitable[object]]


class Connection:
    """A client's WebSocket, accepted.

    Args:
        service: That it came to.
    """

    def __init__(self, websocket: WebSocket, service: Service) -> None:
        self.caller = caller_of(websocket)
        """Who opened it."""
        self._websocket = websocket
        self._telemetry = service.telemetry
        self._stopping = service.stopping
        self._patience = CancelScope()
        self._gone = False
        self._used_at = time.monotonic()  # by either side

    async def messages(
        self, idle_s: float, refuse: Refuse, turns: "Turns"
    ) -> AsyncIterator[Message]:
        """Yield JSON objects until the client leaves, or nothing was said for too long.

        Whoever may not speak any more has one answered, and is let go. When the service stops, it
        is closed as soon as nothing is left to say, or not in time.

        Args:
            idle_s: How long neither side may say anything, in seconds.
            refuse: Told of a message that is none, before the next is read.
            turns: What is said.
        """
        while (data := await self._next(idle_s, turns)) is not None:
            try:
                message = read(data)
            except InvalidRequest as error:
                await refuse(error)
            else:
                yield message
            if not self.caller.may("speak"):  # nor hold a socket, once it was told so
                await self.close(POLICY_VIOLATION, "this key may not speak any more")
            await asyncio.sleep(0)  # however many have come, other clients are served between them
        if self._stopping.under_way:
            await self.close(SERVICE_RESTART, REASON)

    async def send(self, message: Mapping[str, object] | bytes) -> None:
        """Send JSON, or bytes; waits while the client takes nothing. To one that left, nothing."""
        if self._gone:
            return
        self._used_at = time.monotonic()
        try:
            if isinstance(message, bytes):
                await self._websocket.send_bytes(message)
            else:
                await self._websocket.send_text(json.dumps(message, separators=(",", ":")))
        except (WebSocketDisconnect, RuntimeError):
            self._gone = True

    def refused(self, error: Exception) -> None:
        """Count a message that its protocol refuses."""
        self._telemetry.failed(type(error).__name__)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it, unless it is closed."""
        if self._gone:
            return
        self._gone = True
        try:
            await self._websocket.close(code, reason)
        except (WebSocketDisconnect, RuntimeError):
            return

    def look(self) -> None:
        """Wait no longer, but look whether to."""
        self._patience.cancel()

    async def _next(self, idle_s: float, turns: "Turns") -> str | bytes | None:
        while (left_s := self._left_s(idle_s, turns)) > 0 and not self._gone:
            with move_on_after(left_s) as self._patience:
                message = await self._websocket.receive()
            if self._patience.cancelled_caught:
                continue
            if message["type"] == "websocket.disconnect":
                self._gone = True
                return None
            self._used_at = time.monotonic()
            text = message.get("text")
            return message["bytes"] if text is None else text  # type: ignore[no-any-return]
        return None

    def _left_s(self, idle_s: float, turns: "Turns") -> float:
        """Return for how long to wait for a message, at most; 0: not any more."""
        left_s = self._used_at + idle_s - time.monotonic()
        if not self._stopping.under_way:
            return left_s
        return min(left_s, self._stopping.left_s, LOOK_S) if turns.speaking else 0.0


@asynccontextmanager
async def connected(service: Service, websocket: WebSocket) -> AsyncIterator[Connection]:
    """Accept a WebSocket; close it in the end."""
    await websocket.accept(subprotocol(websocket))
    connection = Connection(websocket, service)
    try:
        with service.stopping.telling(connection.look):
            yield connection
    finally:
        await connection.close()


def read(data: str | bytes) -> Message:
    """Read a message as a JSON object.

    Raises:
        InvalidRequest: It is none.
    """
    if isinstance(data, bytes):
        wrong = "Messages are JSON text: this one is binary."
        raise InvalidRequest(wrong, None, "invalid_json")
    try:
        message = json.loads(data)
    except (ValueError, RecursionError) as error:
        what = error.msg if isinstance(error, json.JSONDecodeError) else "too much of it"
        wrong = f"The message is not valid JSON: {what}."
        raise InvalidRequest(wrong, None, "invalid_json") from error
    if not isinstance(message, dict):
        raise InvalidRequest("The message must be a JSON object.", None, "invalid_json")
    return message


@dataclass(slots=True)
class _Running:
    turn: Turn
    counted: ExitStack
    """Closed when it is open no more."""
    telemetry: Telemetry
    task: asyncio.Task[None] = field(init=False)
    ended: bool = False

    def end(self, outcome: Outcome) -> None:
        """Count how it ended, once. One that never had anything to say is nobody's turn."""
        if not self.ended and self.turn.begun:
            self.telemetry.turns[outcome] += 1
        self.ended = True


class Turns:
    """Turns that run for one client at the same time, each a task with a name.

    Args:
        caller: Whose contexts they are.
        most: How many may be open.
        in_order: Each begins when the one before has ended, for protocols without contexts.
    """

    def __init__(self, service: Service, caller: Caller, most: int, in_order: bool = False) -> None:
        self._service = service
        self._caller = caller
        self._most = most
        self._in_order = in_order
        self._open: dict[str, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()  # those that are cancelled but not ended, too
        self._last: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._open)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of those that are open, the oldest first."""
        return tuple(self._open)

    @property
    def speaking(self) -> bool:
        """Whether something is left to say, as far as anybody knows."""
        return any(not running.turn.waits for running in self._open.values())

    def get(self, name: str) -> Turn | None:
        """Return the open turn with this name."""
        return running.turn if (running := self._open.get(name)) else None

    def begin(self, name: str, turn: Turn, tell: Tell, failed: Failed) -> None:
        """Run a turn under a name that no open one has.

        Args:
            tell: Told what happens in it.
            failed: Told, instead of the end, why it can't go on.

        Raises:
            NotReady: The service stops.
            Overloaded: Too many are open, here or of the caller's.
        """
        self._service.stopping.check()
        if len(self._open) >= self._most:
            raise Overloaded(f"{self._most} are open on this socket: end one first.")
        counted = ExitStack()
        counted.enter_context(self._caller.context())
        counted.enter_context(self._service.telemetry.context())
        before = self._last if self._in_order else None
        self._open[name] = running = _Running(turn, counted, self._service.telemetry)
        running.task = asyncio.create_task(self._run(name, running, tell, failed, before))
        self._last = running.task
        self._tasks.add(running.task)
        running.task.add_done_callback(self._tasks.discard)

    def cancel(self, name: str, outcome: Outcome = "interrupted") -> Interrupted | None:
        """End a turn at once, and return how far it got; None if there is none with this name.

        Nothing more is told of it, and what waits to be sent is not sent.

        Args:
            outcome: As which it counts, unless it has ended.
        """
        running = self._open.pop(name, None)
        if running is None:
            return None
        running.end(outcome)
        running.counted.close()
        interrupted = running.turn.cancel()
        running.task.cancel()
        if running.task is self._last:
            self._last = None  # the next need not wait until nothing is computed for it
        return interrupted

    async def close(self) -> None:
        """Cancel all; return when nothing runs for them any more."""
        for name in self.names:
            self.cancel(name, "dropped")
        if self._tasks:
            await asyncio.wait(self._tasks)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Turns"]:
        """Close them in the end."""
        try:
            yield self
        finally:
            await self.close()

    async def _run(
        self,
        name: str,
        running: _Running,
        tell: Tell,
        failed: Failed,
        before: asyncio.Task[None] | None,
    ) -> None:
        async def tell_and_count(event: Event) -> None:
            if isinstance(event, Done):
                running.end("done")
            await tell(event)

        try:
            if before is not None:
                await asyncio.wait([before])
            await running.turn.run(tell_and_count)
        except Exception as error:  # noqa: BLE001 - noted, and told
            running.end("failed")
            self._note(error, running.turn)
            running.counted.close()  # a client that takes nothing may not be told for a minute
            await failed(error)
        finally:
            if self._open.get(name) is running:
                del self._open[name]
                running.counted.close()

    def _note(self, error: Exception, turn: Turn) -> None:
        """Count a failure; what breaks a stream after its first audio was counted with it."""
        telemetry = self._service.telemetry
        if not isinstance(error, MiraError | TimeoutError):
            log.error("internal error", exc_info=error)
            telemetry.failed("Internal")
        elif not turn.heard:
            log.warning("a turn failed before its first audio: %s", one_line(error))
            telemetry.failed(type(error).__name__)
