"""Settings lead to an engine that has already spoken."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mira.errors import SynthesisFailed
from mira.load import load_engine
from mira.settings import Settings
from tests.toys import ToySynthesizer

ROOT = Path(__file__).parent.parent


def test_the_engine_speaks_at_once() -> None:
    engine = load_engine(Settings())
    samples = np.concatenate(list(engine.speak("Hello there.", engine.voices[0])))
    assert 0.6 < len(samples) / engine.sample_rate < 2.0
    assert np.abs(samples).max() > 0.1


def test_an_engine_that_can_not_speak_is_closed(
    toy: ToySynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.fail_at = 0
    monkeypatch.setattr("mira.builtin.synthesizer.BuiltinSynthesizer", lambda threads: toy)
    with pytest.raises(SynthesisFailed, match="The toy is broken"):
        load_engine(Settings())
    assert toy.shut


NO_EXTRAS = """
import sys
extras = "torch transformers tokenizers safetensors huggingface_hub openvino lmdeploy".split()
sys.modules |= dict.fromkeys(extras)
sys.argv = ["mira", "say", "hi", "-o", "x.wav", *sys.argv[1:]]
from mira.cli.main import main
main()
"""


@pytest.mark.parametrize("setting", ["model=/nope", "codec_model=/nope"])
def test_a_wrong_path_is_told_before_a_missing_library(setting: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NO_EXTRAS, "--set", f"model={tmp_path}", "--set", setting],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "mira: /nope: no such directory, nor a Hugging Face id like owner/name.\n"
    assert not list(tmp_path.iterdir())
