"""What people see in a browser: `/`, and `/docs` with its scripts.

Nothing on these pages comes from another machine. Knows nothing about what the service does.
"""

from html import escape
from importlib.metadata import version
from importlib.resources import files
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response

from mira.server.state import Running

router = APIRouter(tags=["status"])

HOME = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Mira</title>
<style>body {{ font: 1rem/1.5 system-ui; max-width: 44rem; margin: 3rem auto; padding: 0 1rem }}
pre {{ overflow-x: auto; padding: 1rem; background: #8882 }}</style>
<h1>Mira</h1>
<p>Mira {version} turns text into speech. {state}</p>
<pre>curl -N {base}v1/audio/speech \\
  -H 'content-type: application/json' \\{key}
  -d '{{"model": "mira", "input": "Hello there."}}' -o hello.mp3</pre>
<p>OpenAI clients use the base URL <code>{base}v1</code>.{clients}</p>
<p><a href="docs">Documentation, to try it out</a> · {links}<a href="health/ready">Health</a></p>
</html>
"""


KEY_HEADER = """-H 'authorization: Bearer KEY'"""
NEEDS_KEY = " They need an API key: whoever runs this service has it."
LINKS = '<a href="voices">Voices</a> · <a href="stats">Statistics</a> · '
"""To what a browser can't show where keys are needed: a link sends none."""


@router.get("/")
async def root(service: Running, request: Request) -> Response:
    """Say what this is, and where to read on: a page for browsers, JSON for others."""
    if "text/html" not in request.headers.get("accept", ""):
        found = {"name": "Mira", "version": version("mira-speech"), "docs": "/docs"}
        return JSONResponse(found | {"key": "needed" if service.keys.needed else "none"})
    state = service.obstacle or ("It is ready." if service.ready else str(service.starting))
    needed = service.keys.needed
    page = HOME.format(
        version=version("mira-speech"),
        state=escape(state),
        base=escape(str(request.base_url)),
        key=f"\n  {KEY_HEADER} \\" if needed else "",
        clients=NEEDS_KEY if needed else "",
        links="" if needed else LINKS,
    )
    return HTMLResponse(page, headers={"vary": "accept"})


@router.get("/docs", include_in_schema=False)
async def docs() -> HTMLResponse:
    """Show every endpoint, to try in a browser."""
    return get_swagger_ui_html(
        openapi_url="openapi.json",
        title="Mira",
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="data:,",
    )


@router.get("/docs/{name}", include_in_schema=False)
async def docs_file(name: Literal["swagger-ui-bundle.js", "swagger-ui.css"]) -> FileResponse:
    """Give out a script or style of that page, from the package that has them."""
    return FileResponse(str(files("fastapi_offline") / "static" / name))
