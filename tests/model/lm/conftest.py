"""A prompt for the tiny checkpoint, and the reference backend on it."""

from pathlib import Path

import pytest

from mira.model.checkpoint.layout import Checkpoint
from mira.model.lm.prompt import PromptBuilder
from tests.model.lm.reference import Reference

GLOBAL_TOKENS = list(range(0, 4096, 128))


@pytest.fixture(scope="session")
def prompts(mira: Checkpoint) -> PromptBuilder:
    return PromptBuilder(mira.language / "tokenizer.json", mira.tokens)


@pytest.fixture(scope="session")
def prompt(prompts: PromptBuilder) -> list[int]:
    return prompts.build("hello the world", GLOBAL_TOKENS)


@pytest.fixture(scope="session")
def reference(mira: Checkpoint) -> Reference:
    return Reference(Path(mira.language), mira.tokens)
