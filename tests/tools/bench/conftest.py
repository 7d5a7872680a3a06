"""The services that `mira bench load` is tested with, for the benches too."""

from tests.cli.bench.conftest import answering, toy_service  # noqa: F401
