"""The examples of docs/words.md do what they say."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mira.engine import Engine
from mira.types import Block, Samples
from tests.ears import fits, heard_until
from tests.recogniser import Recogniser
from tests.server.serving import Served

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


def test_the_requests_are_answered_as_it_says(speaker: Served) -> None:
    """Each example's answer has lines as those below it, the first and the last there as here."""
    examples = re.findall(r"^```sh\n(curl [^`]*)^```\n\n((?:    .*\n)+)", PAGE, re.MULTILINE)
    assert len(examples) == 2
    described = json.loads(re.findall(r'^`({"word".*})`$', PAGE, re.MULTILINE)[0])
    begins = re.compile(r'^ *((?:data: )?{"\w+": (?:"speech[\w.]+"|true)?)', re.MULTILINE)
    for command, answer in examples:
        run = command.replace("localhost:5100", speaker.url)
        done = subprocess.run(["bash", "-c", run], capture_output=True, check=True, text=True)
        lines, told = begins.findall(done.stdout), begins.findall(answer)
        assert ({*lines}, lines[0], lines[-1]) == ({*told}, told[0], told[-1])
        first = json.loads(done.stdout.splitlines()[0].removeprefix("data: "))
        (word,) = (word for word in first["words"] if word["char_start"] == 9)
        assert word.keys() == described.keys()
        assert all(word[key] == described[key] for key in described if key not in ("start", "end"))
