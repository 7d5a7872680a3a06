"""What tests of several rooms share: a real voice, a toy, tiny checkpoints, and servers."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fcntl import LOCK_EX, flock
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import hypothesis
import pytest

from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.model.checkpoint.layout import Checkpoint, open_checkpoint
from mira.synthesizer import Synthesizer
from tests.server.serving import Load, Served, quick, serving, speaking
from tests.toys import ToySynthesizer
from tools.tiny.write import write_tiny

Serve = Callable[..., Served]

# Here and in every process that a test starts: tensors of a tiny model lose time in a pool of
# threads, above all when two tests run side by side. PyTorch reads it when it is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# One for the run and all its processes: models, and what they are converted to. Never the cache of
# whoever runs the tests.
if "SHARED_BY_TESTS" not in os.environ:
    _SHARED = TemporaryDirectory(prefix="mira-tests-")
    os.environ["SHARED_BY_TESTS"] = _SHARED.name
SHARED = Path(os.environ["SHARED_BY_TESTS"])
os.environ["XDG_CACHE_HOME"] = str(SHARED / "cache")

# No deadlines, because the machines are small and shared. The same examples each time, so that a
# commit that passed goes on passing; `pytest --hypothesis-profile=default` looks for new ones.
hypothesis.settings.register_profile("mira", deadline=None, derandomize=True)
hypothesis.settings.load_profile("mira")


def _tiny(layout: Literal["mira", "spark"]) -> Path:
    directory = SHARED / f"tiny-{layout}"
    with (SHARED / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not directory.exists():
            write_tiny(SHARED / "writing" / layout, layout).rename(directory)
    return directory


@pytest.fixture(scope="session")
def mira_directory() -> Path:
    """A tiny checkpoint as MiraTTS is published, for tests that leave it as they found it."""
    return _tiny("mira")


@pytest.fixture(scope="session")
def spark_directory() -> Path:
    """The same as Spark-TTS is published."""
    return _tiny("spark")


@pytest.fixture(scope="session")
def mira(mira_directory: Path) -> Checkpoint:
    """The tiny checkpoint in MiraTTS' layout, opened."""
    return open_checkpoint(mira_directory)


@pytest.fixture(scope="session")
def spark(spark_directory: Path) -> Checkpoint:
    """The tiny checkpoint in Spark's layout, opened."""
    return open_checkpoint(spark_directory)


@pytest.fixture(scope="session")
def converted_directory(mira: Checkpoint) -> Path:
    """The tiny checkpoint converted to bf16, for tests that leave it as they found it.

    Without integers, for whose choice test_export.py stands: it takes long.
    """
    from mira.model import convert

    directory = SHARED / "converted"
    with (SHARED / "lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        flock(lock, LOCK_EX)
        patch.setattr(convert, "_utterances", lambda *arguments: [])
        convert.convert(mira, directory, "bf16")
    return directory


@pytest.fixture(scope="session")
def builtin() -> BuiltinSynthesizer:
    """The real voice; loading it takes a second."""
    return BuiltinSynthesizer()


@pytest.fixture
def toy() -> ToySynthesizer:
    """A fresh toy, to be told what to do."""
    return ToySynthesizer()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that stop when the test ends.

    serve(synthesizer, **settings) waits until it is ready; serve(load=..., **settings) does not.
    """
    with ExitStack() as stack:

        def start(
            synthesizer: Synthesizer | None = None, *, load: Load | None = None, **settings: object
        ) -> Served:
            if synthesizer is not None:
                return stack.enter_context(serving(*speaking(synthesizer, **settings)))
            assert load is not None
            return stack.enter_context(serving(load, quick(**settings), ready=False))

        yield start


@pytest.fixture(scope="session")
def speaker(builtin: BuiltinSynthesizer) -> Iterator[Served]:
    """A server with the real voice, for tests that leave it as they found it."""
    with serving(*speaking(builtin)) as served:
        yield served


@pytest.fixture(scope="session")
def shared_toy() -> ToySynthesizer:
    """The toy behind `shared`."""
    return ToySynthesizer()


@pytest.fixture(scope="session")
def shared(shared_toy: ToySynthesizer) -> Iterator[Served]:
    """A server with a toy voice, for tests that leave it as they found it."""
    with serving(*speaking(shared_toy)) as served:
        yield served
