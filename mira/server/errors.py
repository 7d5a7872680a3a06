"""An error in, OpenAI's error JSON out. The only place that knows how a failure looks on HTTP."""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from mira.errors import (
    CheckpointError,
    ConsentNotFound,
    InvalidRequest,
    InvalidSettings,
    MiraError,
    ModelNotFound,
    NotAllowed,
    NotReady,
    Overloaded,
    PlaybackFailed,
    StorageFailed,
    SynthesisFailed,
    VoiceNotFound,
)

log = logging.getLogger(__name__)

MAX_PARTS = 8  # of a path that is looked at for a hint

RESPONSES: dict[type[MiraError], tuple[int, str]] = {  # HTTP status, OpenAI's error type
    InvalidRequest: (400, "invalid_request_error"),
    VoiceNotFound: (404, "invalid_request_error"),
    ModelNotFound: (404, "invalid_request_error"),
    ConsentNotFound: (404, "invalid_request_error"),
    NotAllowed: (403, "permission_error"),
    Overloaded: (429, "rate_limit_error"),
    NotReady: (503, "server_error"),
    SynthesisFailed: (500, "server_error"),
    StorageFailed: (507, "server_error"),
    InvalidSettings: (500, "server_error"),
    CheckpointError: (500, "server_error"),
    PlaybackFailed: (500, "server_error"),
}


def install(app: FastAPI, count: Callable[[str], None]) -> None:
    """Answer every failure in OpenAI's shape.

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
        return await on_mira_error(request, _first_problem(error))

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        if isinstance(error.__cause__, OSError):  # a form's file over 1 MB is kept in one
            return await on_mira_error(request, _unwritable(error.__cause__))
        if error.status_code == HTTPStatus.BAD_REQUEST and error.__cause__ is not None:
            return await on_mira_error(request, _unreadable())
        status = HTTPStatus(error.status_code)
        count(f"Http{status.value}")
        code = "not_found" if status == HTTPStatus.NOT_FOUND else None
        message = str(error.detail)
        if error.detail == status.phrase:
            hint = _meant(request) if status == HTTPStatus.NOT_FOUND else None
            message = (
                f"{status.phrase}: {request.method} {request.url.path}. {hint or 'See /docs.'}"
            )
        return _json(status, message, "invalid_request_error", None, code, error.headers)

    async def on_bug(request: Request, error: Exception) -> JSONResponse:
        count("Internal")
        log.error("internal error", exc_info=error)
        message = "The server made an error; its log says which."
        # Answered outside of all middleware, so the id has to be added here.
        headers = {"x-request-id": request.state.request_id}
        return _json(500, message, "server_error", headers=headers)

    app.add_exception_handler(MiraError, on_mira_error)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_bug)


def respond(error: MiraError) -> JSONResponse:
    """The answer to a failure before the first audio."""
    status, kind = next(RESPONSES[cls] for cls in type(error).__mro__ if cls in RESPONSES)
    headers = {}
    if isinstance(error, Overloaded | NotReady):
        headers["Retry-After"] = str(error.retry_after_s)
    return _json(status, str(error), kind, *_param_and_code(error), headers)


def refuse(status: int, message: str, code: str) -> JSONResponse:
    """The answer to a request that is not even read."""
    return _json(status, message, "invalid_request_error", None, code)


def body(error: Exception) -> dict[str, object]:
    """The same, inside a stream that has begun."""
    param, code = _param_and_code(error)
    message = str(error) if isinstance(error, MiraError) else "The server made an error."
    return {"message": message, "type": "server_error", "param": param, "code": code}


def _param_and_code(error: Exception) -> tuple[str | None, str | None]:
    if isinstance(error, InvalidRequest):
        return error.param, error.code
    if isinstance(error, VoiceNotFound):
        return "voice", "voice_not_found"
    if isinstance(error, ModelNotFound):
        return "model", "model_not_found"
    if isinstance(error, ConsentNotFound):
        return "consent", "consent_not_found"
    if isinstance(error, Overloaded):
        return None, "rate_limit_exceeded"
    return None, None


def _json(
    status: int,
    message: str,
    kind: str,
    param: str | None = None,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    error = {"message": message, "type": kind, "param": param, "code": code}
    return JSONResponse({"error": error}, status, headers)


def _meant(request: Request) -> str | None:
    """Which path a client was after whose base URL lacks `/v1`, has it twice, or has more."""
    parts = [part for part in request.url.path.split("/") if part][:MAX_PARTS]
    for first in range(len(parts)):
        rest = "/".join(parts[first:])
        for path in (f"/v1/{rest}", f"/{rest}"):
            scope = {**request.scope, "path": path}
            if any(route.matches(scope)[0] == Match.FULL for route in request.app.routes):
                hint = f"Did you mean {path}?"
                if path.startswith("/v1/"):
                    hint += f" A client's base URL here is {request.base_url}v1."
                return hint
    return None


def _unreadable() -> InvalidRequest:
    """FastAPI's reader gave up on the body for another reason than JSON's grammar."""
    return InvalidRequest(
        "The body must be valid UTF-8 JSON, without endless nesting or numbers.",
        None,
        "invalid_json",
    )


def _unwritable(cause: OSError) -> StorageFailed:
    error = StorageFailed(f"The temporary folder can't be written: {cause.strerror}.")
    error.__cause__ = cause
    return error


def _first_problem(error: RequestValidationError) -> InvalidRequest:
    """One problem at a time, with the field's name and what to do, in a sentence."""
    first: dict[str, Any] = error.errors()[0]
    path = [str(part) for part in first["loc"][1:]]  # the first says where: body, query, path
    if first["type"] == "json_invalid":
        reason = first.get("ctx", {}).get("error", "")
        return InvalidRequest(f"The body is not valid JSON: {reason}.", None, "invalid_json")
    if not path:
        return InvalidRequest(
            "The body must be a JSON object, sent with `content-type: application/json`.",
            None,
            "invalid_json",
        )
    field = path[0]
    if first["type"] == "missing":
        return InvalidRequest(f"{field}: this field is required.", field, "missing_required_field")
    problem = str(first["msg"]).removeprefix("Value error, ")
    return InvalidRequest(f"{field}: {problem}", field)
