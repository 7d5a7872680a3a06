"""One small codec with random weights, shared by all tests of this folder."""

from pathlib import Path

import pytest

from mira.model.codec.base import Speaker
from mira.model.codec.pytorch import TorchCodec
from tests.model.codec.random_weights import random_upsampler, random_weights

GLOBAL_TOKENS = tuple(range(0, 4096, 128))


@pytest.fixture(scope="session")
def codec() -> TorchCodec:
    """At 16 kHz."""
    return TorchCodec(random_weights())


@pytest.fixture(scope="session")
def upsampling_codec() -> TorchCodec:
    """The same at 48 kHz."""
    return TorchCodec(random_weights(), random_upsampler())


@pytest.fixture(scope="session")
def speaker(codec: TorchCodec) -> Speaker:
    return codec.speaker(GLOBAL_TOKENS)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The upsampling codec as graphs, exact ones alone, and what they say."""
    from mira.model.codec.export import export_codec, export_measured

    directory = tmp_path_factory.mktemp("exported")
    export_codec(random_weights(), random_upsampler(), directory)
    export_measured(directory, [])
    return directory
