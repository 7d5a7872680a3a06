"""A service that needs keys, and who has which."""

from pathlib import Path
from typing import Any

import httpx

from tests.server.serving import Served

SPEAKER, READER, KEEPER, OPERATOR, NOBODY = (
    f"{name}-0123456789/+abc=" for name in ("speaker", "reader", "keeper", "operator", "nobody")
)
HOLDERS = {
    SPEAKER: ["speak"],
    READER: ["read"],
    KEEPER: ["voices"],
    OPERATOR: ["operate"],
    NOBODY: [],
}
WRONG = "wrong-0123456789/+abc="


def write_keys(path: Path, more: str = "") -> Path:
    """One key for each right, named as its holder, and what else is given."""
    sections = [
        f'[{secret.partition("-")[0]}]\nkey = "{secret}"\nmay = {may}\n'
        for secret, may in HOLDERS.items()
    ]
    path.write_text("\n".join([*sections, more]))
    return path


def ask(
    served: Served, method: str, path: str, secret: str | None = None, **options: Any
) -> httpx.Response:
    """One request, with a key if one is given."""
    headers = {} if secret is None else {"authorization": f"Bearer {secret}"}
    headers |= options.pop("headers", {})
    with served.client() as client:
        return client.request(method, served.url + path, headers=headers, **options)


def code_of(answer: httpx.Response) -> str:
    """What a refusal is called, by whichever protocol its request spoke."""
    problem = answer.json()
    if set(problem) == {"detail"}:  # ElevenLabs'
        assert set(problem["detail"]) == {"status", "message"}
        return str(problem["detail"]["status"])
    if "err_code" in problem:  # Deepgram's
        assert problem["err_msg"] == answer.headers["dg-error"]
        return str(problem["err_code"]).lower()
    if "error_code" in problem:  # Cartesia's
        assert set(problem) == {"error_code", "title", "message", "request_id"}
        return str(problem["error_code"])
    error = problem["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return str(error["code"] or error["type"])
