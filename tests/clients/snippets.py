"""The lines of docs/agents.md that point a client at Mira, by the heading that they stand under."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "agents.md"
ADDRESS, KEY = "localhost:5100", '"unused"'


def read_snippets() -> dict[str, str]:
    """Return each client's lines, as they stand on the page."""
    found = re.findall(r"^### ([^\n]+)\n+```py\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    return dict(found)


def pointed_at(code: str, port: int, key: str = "unused") -> str:
    """Point a client's lines at a port of this machine, with a key."""
    assert ADDRESS in code and KEY in code, code
    return code.replace(ADDRESS, f"127.0.0.1:{port}").replace(KEY, repr(key))
