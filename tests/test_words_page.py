"""The examples of docs/words.md do what they say."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mira.engine import Engine
from mira.types import Block, Samples
from tests.ears import fits, heard_until
from tests.recogniser import Recogniser

PAGE = (Path(__file__).parent.parent / "docs" / "words.md").read_text("utf-8")


def test_the_examples_print_what_they_say(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a recogniser hears that what was spoken when it was cut off is true."""
    names: dict[str, Any] = {}
    played: list[Samples] = []
    speak = Engine.blocks

    def blocks(engine: Engine, text: str, *more: Any) -> Iterator[Block]:
        for block in speak(engine, text, *more):
            if text == names.get("TEXT"):
                played.append(block.samples)
            yield block

    monkeypatch.setattr(Engine, "blocks", blocks)
    examples = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for example in examples:
        exec(example, names)
    printed = capsys.readouterr().out
    for said in re.findall(r"^ *print\(.*\)  # (.*)$", "".join(examples), re.MULTILINE):
        assert said in printed
    rate, spoken = names["engine"].sample_rate, names["spoken"]
    heard = heard_until(Recogniser(), names["TEXT"], np.concatenate(played)[: 2 * rate], rate)
    assert fits(names["TEXT"], spoken.chars, heard), heard
