"""An error in, the JSON out in which the protocol of its request says so, OpenAI's mostly.

The only place that knows how a failure looks on HTTP.
"""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from mira import errors
from mira.errors import InvalidRequest, MiraError, NotReady, Overloaded, StorageFailed
from mira.server.families import Family, family_of
from mira.server.request_id import request_id

log = logging.getLogger(__name__)

MAX_PARTS = 8  # of a path that is looked at for a hint
CALLER, SERVICE = "invalid_request_error", "server_error"

# HTTP status, OpenAI's error type, the field and the code, unless the error has its own.
RESPONSES: dict[type[MiraError], tuple[int, str, str | None, str | None]] = {
    InvalidRequest: (400, CALLER, None, None),
    errors.VoiceNotFound: (404, CALLER, "voice", "voice_not_found"),
    errors.ModelNotFound: (404, CALLER, "model", "model_not_found"),
    errors.ConsentNotFound: (404, CALLER, "consent", "consent_not_found"),
    errors.InvalidKey: (401, CALLER, None, "invalid_api_key"),
    errors.NotAllowed: (403, "permission_error", None, None),
    Overloaded: (429, "rate_limit_error", None, "rate_limit_exceeded"),
    NotReady: (503, SERVICE, None, None),
    errors.SynthesisFailed: (500, SERVICE, None, None),
    StorageFailed: (507, SERVICE, None, None),
    errors.InvalidSettings: (500, SERVICE, None, None),
    errors.CheckpointError: (500, SERVICE, None, None),
    errors.PlaybackFailed: (500, SERVICE, None, None),
}


def _elevenlabs(problem: Mapping[str, object]) -> dict[str, object]:
    status = problem["code"] or problem["type"]
    return {"detail": {"status": status, "message": problem["message"]}}


def _cartesia(problem: Mapping[str, object]) -> dict[str, object]:
    code = problem["code"] or problem["type"]
    title = str(code).replace("_", " ").capitalize()
    return {
        "error_code": code,
        "title": title,
        "message": problem["message"],
        "request_id": request_id(),
    }


def _deepgram(problem: Mapping[str, object]) -> dict[str, object]:
    code = str(problem["code"] or problem["type"]).upper()
    return {"err_code": code, "err_msg": problem["message"], "request_id": request_id()}


SHAPES: Mapping[Family, Callable[[Mapping[str, object]], dict[str, object]]] = {
    Family.ELEVENLABS: _elevenlabs,
    Family.CARTESIA: _cartesia,
    Family.DEEPGRAM: _deepgram,
}
"""What other families than OpenAI's make of its error."""
SAID_IN: Mapping[Family, str] = {Family.DEEPGRAM: "dg-error"}
"""Headers that say it too, for clients that show nothing else of a refused WebSocket."""


class Refusal(JSONResponse):
    """A failure, said as the clients of a request's family read it.

    Args:
        problem: OpenAI's error object.
    """

    def __init__(
        self,
        problem: Mapping[str, object],
        status: int,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__({"error": problem}, status, headers)
        self._problem = problem
        self._further = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        family = family_of(scope)
        shape = SHAPES.get(family)
        if shape is None:
            return await super().__call__(scope, receive, send)
        shaped = JSONResponse(shape(self._problem), self.status_code, self._further)
        if family in SAID_IN:
            said = str(self._problem["message"])
            printable = "".join(char if " " <= char <= "~" else "?" for char in said)
            shaped.headers[SAID_IN[family]] = printable
        await shaped(scope, receive, send)


class Problem(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class Failure(BaseModel):
    """OpenAI's shape of an error."""

    error: Problem


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Failure, "description": "The request is refused; `param` names the field."},
    "5XX": {"model": Failure, "description": "The service can't do it, or not yet."},
}
"""What `/docs` says of failures, instead of FastAPI's own 422."""


def install(app: FastAPI, count: Callable[[str], None]) -> None:
    """Answer every failure in the shape of its request's family.

    Args:
        count: Called with the kind of each failure, for the metrics.
    """

    async def on_mira_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, MiraError)
        count(type(error).__name__)
        if isinstance(error, StorageFailed):
            log.error("%s (%s)", error, error.__cause__)  # where, which is nobody else's business
        return respond(error)

    async def on_validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return await on_mira_error(request, first_problem(error.errors()[0]))

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        cause = error.__cause__
        if isinstance(cause, OSError):  # a form's file over 1 MB is kept in one
            full = StorageFailed(f"The temporary folder can't be written: {cause.strerror}.")
            full.__cause__ = cause
            return await on_mira_error(request, full)
        if error.status_code == 400 and cause is not None:  # FastAPI's reader of JSON gave up
            wrong = "The body must be valid UTF-8 JSON, without endless nesting or numbers."
            return await on_mira_error(request, InvalidRequest(wrong, None, "invalid_json"))
        count(f"Http{error.status_code}")
        status = HTTPStatus(error.status_code)
        message, code = str(error.detail), None
        if error.detail == status.phrase:
            hint = _meant(request) if status == 404 else ""
            method = request.scope.get("method", "WebSocket")
            message = f"{status.phrase}: {method} {request.url.path}. {hint or 'See /docs.'}"
        if status == 404:
            code = "not_found"
        return refuse(status, message, code, error.headers)

    async def on_bug(request: Request, error: Exception) -> JSONResponse:
        count("Internal")
        log.error("internal error", exc_info=error)
        # Answered outside of all middleware, so the id has to be added here.
        headers = {"x-request-id": request_id()}
        return Refusal(body(error), 500, headers)

    app.add_exception_handler(MiraError, on_mira_error)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_bug)
    app.router.default = _not_found


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a path that nothing is at: a WebSocket as well, which would be closed otherwise."""
    raise HTTPException(404)


def respond(error: MiraError) -> JSONResponse:
    """Answer a failure before the first audio."""
    headers = {}
    if isinstance(error, Overloaded | NotReady):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, errors.InvalidKey):
        headers["WWW-Authenticate"] = "Bearer"
    return Refusal(body(error), status_of(error), headers)


def status_of(error: Exception) -> int:
    """Return the HTTP status that a failure has, for protocols that tell it in a message."""
    return _response(error)[0] if isinstance(error, MiraError) else 500


def refuse(
    status: int, message: str, code: str | None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Answer a request that is not even read."""
    error = {"message": message, "type": CALLER, "param": None, "code": code}
    return Refusal(error, status, headers)


def body(error: Exception) -> dict[str, object]:
    """Describe a failure as OpenAI does; others' errors are not quoted."""
    if not isinstance(error, MiraError):
        message = "The server made an error; its log says which."
        return {"message": message, "type": SERVICE, "param": None, "code": None}
    _, kind, param, code = _response(error)
    if isinstance(error, InvalidRequest):
        param, code = error.param, error.code
    return {"message": str(error), "type": kind, "param": param, "code": code}


def _response(error: MiraError) -> tuple[int, str, str | None, str | None]:
    return next(RESPONSES[kind] for kind in type(error).__mro__ if kind in RESPONSES)


def _meant(request: Request) -> str:
    """Say which path a client was after whose base URL lacks `/v1`, has it twice, or has more."""
    parts = [part for part in request.url.path.split("/") if part][:MAX_PARTS]
    for first in range(len(parts)):
        rest = "/".join(parts[first:])
        for path in (f"/v1/{rest}", f"/{rest}"):
            scope = {**request.scope, "path": path}
            if any(route.matches(scope)[0] == Match.FULL for route in request.app.routes):
                base = f" A client's base URL here is {request.base_url}v1."
                return f"Did you mean {path}?{base if path.startswith('/v1/') else ''}"
    return ""


def first_problem(first: Mapping[str, Any], within: int = 1) -> InvalidRequest:
    """Say one problem at a time, with the field's name and what to do, in a sentence.

    Args:
        first: Problem, as pydantic tells it.
        within: How many parts of its place say where the field is: body, query, path.
    """
    field = next(iter(map(str, first["loc"][within:])), None)
    if first["type"] == "json_invalid":
        reason = first.get("ctx", {}).get("error", "")
        return InvalidRequest(f"The body is not valid JSON: {reason}.", None, "invalid_json")
    if field is None:
        wrong = "The body must be a JSON object, sent with `content-type: application/json`."
        return InvalidRequest(wrong, None, "invalid_json")
    if first["type"] == "missing":
        return InvalidRequest(f"{field}: this field is required.", field, "missing_required_field")
    if first["type"].startswith("model_"):  # its own words have the names of our classes
        return InvalidRequest(f"{field}: Input should be a JSON object", field)
    return InvalidRequest(f"{field}: {str(first['msg']).removeprefix('Value error, ')}", field)
