"""Settings lead to the parts of a model that they name, or to one line that says what to do."""

import shutil
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from mira.engine import Engine
from mira.errors import CheckpointError, InvalidSettings, NotDownloaded
from mira.load import load_engine, models
from mira.load.parts import load_parts
from mira.load.plan import LIBRARIES, Facts, install
from mira.model.checkpoint.layout import open_checkpoint
from mira.model.lm.base import LanguageModel
from mira.model.lm.prompt import PromptBuilder
from mira.model.synthesizer import MiraSynthesizer
from mira.progress import quiet
from mira.settings import Settings
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.types import Samples, Sampling, Voice
from mira.voices.sample import SAMPLE
from tests.model.checkpoint.hub_server import pointed_at, serving_hub
from tests.wav2vec2 import write_wav2vec2
from tools.tiny.write import write_tiny

RECORDING = 0.1 * np.random.default_rng(0).standard_normal(24000).astype(np.float32)
SAID = "It rains <|end_text|> again."


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With wav2vec2 where Spark's own files have it."""
    directory = write_tiny(tmp_path_factory.mktemp("tiny") / "spark", "spark")
    write_wav2vec2(directory / "wav2vec2-large-xlsr-53")
    return directory


@pytest.mark.parametrize("engine", ["lmdeploy", "lmdeploy-pytorch"])
def test_lmdeploy_says_what_it_needs(mira_directory: Path, engine: str) -> None:
    settings = Settings(model=str(mira_directory), model_device="cpu")
    with pytest.raises(InvalidSettings, match="LMDeploy needs a CUDA GPU"):
        load_engine(settings.model_copy(update={"lm_engine": engine}))


def test_the_engine_for_cards_speaks_on_a_processor_too(mira_directory: Path) -> None:
    settings = Settings(model=str(mira_directory), lm_engine="torch", max_streams=2)
    with closing(load_engine(settings)) as engine:
        said = engine.speak("Hello there.", engine.voices[0], Sampling(seed=1))
        assert sum(len(block) for block in said) > 0


def test_pytorch_on_a_processor_is_only_for_who_asks_for_it(
    mira_directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    facts = Facts(frozenset(LIBRARIES) - {"openvino"}, model="directory")
    monkeypatch.setattr("mira.load.parts.facts_here", lambda settings: facts)
    for engine, warns in (("torch", False), ("auto", True)):
        load_parts(Settings(model=str(mira_directory), lm_engine=engine)).close()
        assert (install("cpu") in caplog.text) == warns


class Overheard:
    """A `LanguageModel` that keeps the prompts that another one is given."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self.prompts: list[list[int]] = []

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[int, None, None]:
        self.prompts.append(list(prompt))
        return self._model.generate(prompt, sampling, playback, cancel)

    @property
    def ready(self) -> bool:
        return self._model.ready

    @property
    def failure(self) -> str:
        return self._model.failure

    def close(self) -> None:
        self._model.close()


def say(engine: Engine, voice: Voice) -> Generator[Samples, None, None]:
    return engine.speak("Hello there.", voice, Sampling(seed=1))


def prompt_of(engine: Engine, voice: Voice) -> list[int]:
    """What the model is given to make it say that."""
    synthesizer = engine.synthesizer
    assert isinstance(synthesizer, MiraSynthesizer)
    overheard = Overheard(synthesizer._language_model)
    synthesizer._language_model = overheard
    with closing(say(engine, voice)) as blocks:
        next(blocks)
    return overheard.prompts[0]


@pytest.fixture(scope="module")
def engine(spark: Path) -> Iterator[Engine]:
    settings = Settings(
        model=str(spark), semantic_model="wav2vec2-large-xlsr-53", lm_engine="torch"
    )
    with closing(load_engine(settings)) as engine:
        yield engine


def test_a_recording_is_gone_on_from(engine: Engine, spark: Path) -> None:
    voice = engine.clone("anna", RECORDING, 24000, SAID)
    assert len(voice.speech_tokens) == (16000 - 400) // 320 + 1
    prompt = prompt_of(engine, voice)
    tokens = open_checkpoint(spark).tokens
    builder = PromptBuilder(spark / "LLM" / "tokenizer.json", tokens)
    speech = [tokens.first_speech + token for token in voice.speech_tokens]
    assert prompt[-len(speech) - 1 :] == [tokens.start_speech, *speech]
    words = builder.text_ids(f"{SAID} Hello there.")
    assert prompt[: len(words) + 3] == [tokens.task_tts, tokens.start_text, *words, tokens.end_text]
    assert len(prompt) == len(words) + len(speech) + 38
    # The recording is not said again, and is no part of what the guard measures.
    assert 0.1 < sum(map(len, say(engine, voice))) / engine.sample_rate < 5


def test_without_its_transcript_it_is_not(engine: Engine, spark: Path) -> None:
    voice = engine.clone("anna", RECORDING, 24000)
    assert voice.speech_tokens
    builder = PromptBuilder(spark / "LLM" / "tokenizer.json", open_checkpoint(spark).tokens)
    assert prompt_of(engine, voice) == builder.build("Hello there.", voice.global_tokens)


def test_the_sample_voice_goes_on_from_its_own_recording(engine: Engine) -> None:
    voice = engine.voices[0]
    assert voice.transcript == SAMPLE.with_suffix(".txt").read_text("utf-8").strip()
    assert len(voice.speech_tokens) > 100
    assert len(prompt_of(engine, voice)) > 38 + len(voice.speech_tokens)


def test_going_on_is_off_by_default(mira_directory: Path) -> None:
    with closing(load_engine(Settings(model=str(mira_directory), lm_engine="torch"))) as engine:
        voice = engine.clone("anna", RECORDING, 24000, SAID)
        assert (voice.speech_tokens, voice.transcript) == ((), SAID)
        builder = PromptBuilder(
            mira_directory / "tokenizer.json", open_checkpoint(mira_directory).tokens
        )
        plain = builder.build("Hello there.", voice.global_tokens)
        assert prompt_of(engine, voice) == plain
        assert prompt_of(engine, engine.voices[0])[-1] == plain[-1]


def refusal(**settings: object) -> str:
    with pytest.raises(CheckpointError) as raised:
        fields = {"lm_engine": "torch", **{k: str(v) for k, v in settings.items()}}
        load_engine(Settings.model_validate(fields))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_what_is_missing_for_it_is_said_in_one_line(mira_directory: Path, tmp_path: Path) -> None:
    said = refusal(model=mira_directory, semantic_model="wav2vec2-large-xlsr-53")
    assert "wav2vec2-large-xlsr-53: no such directory, nor a Hugging Face id" in said
    said = refusal(model=mira_directory, semantic_model=tmp_path)
    assert "no model.safetensors nor pytorch_model.bin. Copy the files of https://" in said
    without = shutil.copytree(mira_directory, tmp_path / "without")
    (without / "decoders" / "q_encoder.onnx").unlink()
    write_wav2vec2(tmp_path / "w")
    assert "no decoders/q_encoder.onnx" in refusal(model=without, semantic_model=tmp_path / "w")


def test_a_language_model_alone_speaks_with_another_ones_codec(
    mira_directory: Path, spark: Path, tmp_path: Path
) -> None:
    alone = shutil.copytree(mira_directory, tmp_path / "alone")
    shutil.rmtree(alone / "decoders")
    assert "set codec_model" in refusal(model=alone)
    with closing(
        load_engine(Settings(model=str(alone), codec_model=str(spark), lm_engine="torch"))
    ) as engine:
        assert engine.sample_rate == 16000
        assert 0.1 < sum(map(len, say(engine, engine.voices[0]))) / 16000 < 5


def test_all_that_is_downloaded_is_there_before_anything_is_loaded(
    mira_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wav2vec2(tmp_path / "w")
    said: list[str] = []

    def report(what: str, done: int, total: int) -> None:
        said.append(what.partition(" to ")[0].partition(" from ")[0].partition(" at ")[0])

    settings = Settings(model=str(mira_directory), lm_engine="torch", semantic_model="owner/w")
    with serving_hub(owner__w=tmp_path / "w") as hub:
        pointed_at(hub, tmp_path / "home", monkeypatch)
        with pytest.raises(NotDownloaded):
            load_engine(settings.model_copy(update={"semantic_model": "owner/other"}), report)
        assert set(said) == {"looking for owner/other"}
        said.clear()
        load_engine(settings, report).close()
    in_order = ["looking for owner/w", "downloading owner/w", f"loading {mira_directory.name}"]
    assert list(dict.fromkeys(said)) == in_order


def test_what_no_download_could_mend_is_said_before_it(
    mira_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A processor that is too old, a cache that can't be written, a codec that doesn't exist."""
    (tmp_path / "file").touch()
    settings = Settings(model="owner/m", model_device="cpu", cache_dir=tmp_path / "cache")
    closed = settings.model_copy(update={"cache_dir": tmp_path / "file"})
    with serving_hub(owner__m=mira_directory) as hub:
        pointed_at(hub, tmp_path / "home", monkeypatch)
        with pytest.raises(InvalidSettings, match=r"cache_dir: .* can't be written"):
            load_parts(closed)
        with monkeypatch.context() as patch:
            read, flags = Path.read_text, Path("/proc/cpuinfo")

            def old(path: Path, *rest: object, **named: object) -> str:
                return "flags : sse2" if path == flags else read(path, *rest, **named)

            patch.setattr(Path, "read_text", old)
            with pytest.raises(InvalidSettings, match="no AVX2"):
                load_parts(settings)
            with pytest.raises(InvalidSettings, match="no AVX2"):
                models.convert("owner/m", tmp_path / "out", "auto", "", quiet)
        assert hub.requests == []
        with pytest.raises(NotDownloaded, match="owner/nobody"):
            load_parts(settings.model_copy(update={"codec_model": "owner/nobody"}))
        assert all("owner/nobody" in request.path for request in hub.requests)


@pytest.mark.parametrize("where", ["loading", "fingerprint"])
def test_a_load_that_fails_leaves_nothing_running(
    mira_directory: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(threading.enumerate())
    steps = 0

    def report(what: str, done: int, total: int) -> None:
        nonlocal steps
        steps += done == total
        if where == "loading" and done == total:
            raise KeyboardInterrupt

    def unreadable(files: object) -> str:
        raise KeyboardInterrupt

    if where == "fingerprint":
        monkeypatch.setattr("mira.model.checkpoint.converted.fingerprint", unreadable)
    with pytest.raises(KeyboardInterrupt):
        load_engine(Settings(model=str(mira_directory), lm_engine="torch", max_streams=1), report)
    assert steps == 1
    assert not [thread for thread in set(threading.enumerate()) - before if thread.is_alive()]
