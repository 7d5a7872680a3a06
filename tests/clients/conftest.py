"""Other people's clients, in the environment that `make clients` installs for them."""

import json
import subprocess
from collections.abc import Callable

import pytest

from tests.recogniser import Recogniser
from tools.clients import ENVIRONMENT, installed

PYTHON = ENVIRONMENT / "bin" / "python"
LONGEST_S = 120
pytest.register_assert_rewrite("tests.clients.hearing")

Run = Callable[..., object]


@pytest.fixture(scope="session")
def run_client() -> Run:
    """Runs a program with the clients' Python: run_client(code, *arguments, **environment) returns
    what it prints last, as JSON."""
    if not installed():
        pytest.skip("`make clients` installs the clients")

    def run(code: str, *arguments: str, **environment: str) -> object:
        done = subprocess.run(
            [PYTHON, "-c", code, *arguments],
            env={"PATH": "/usr/bin:/bin", **environment},
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="session")
def ears() -> Recogniser:
    """Hears what was said."""
    return Recogniser()
