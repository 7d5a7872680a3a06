"""The library face on a tiny checkpoint: true files, true loaders, random weights."""

import threading
import wave
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.engine import Engine
from mira.errors import (
    CheckpointError,
    InvalidRequest,
    InvalidSettings,
    SynthesisFailed,
    VoiceNotFound,
)
from mira.load import load_engine
from mira.settings import Settings
from mira.tts import BATCH_AT_ONCE, MiraTTS
from mira.types import Samples, Sampling, Sentence, Voice
from mira.words import Said
from tests.toys import ANNA, BEN, ToySynthesizer
from tools.tiny.write import write_tiny

TEXT = "Hello there. This is a test."
REFERENCE = Settings(lm_engine="torch")
EXACT = Settings(lm_engine="torch", look_ahead_frames=67)


@pytest.fixture(scope="module")
def loaded(mira_directory: Path) -> Iterator[MiraTTS]:
    with MiraTTS(mira_directory, EXACT) as tts:
        yield tts


@pytest.fixture
def tts(loaded: MiraTTS) -> MiraTTS:
    """As loaded, whatever the test before has set."""
    loaded.set_params(**asdict(Sampling()))
    return loaded


@pytest.fixture
def toy_tts(toy: ToySynthesizer, monkeypatch: pytest.MonkeyPatch) -> MiraTTS:
    """The same face before a model that does as it is told."""
    monkeypatch.setattr("mira.tts.load_engine", lambda settings: Engine(toy))
    return MiraTTS("a toy")


def save(path: Path, samples: Samples, sample_rate: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, sample_rate, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Somebody, and the same at half the rate: another person, to the ear."""
    builtin = BuiltinSynthesizer()
    said = "The quick brown fox jumps over the lazy dog near the bank of the river."
    samples = np.concatenate(list(Engine(builtin).speak(said, builtin.voices[0])))
    folder = tmp_path_factory.mktemp("voices")
    return save(folder / "high.wav", samples, 24000), save(folder / "low.wav", samples, 12000)


def test_streamed_equals_whole_and_a_seed_repeats(tts: MiraTTS) -> None:
    tts.set_params(seed=3)
    whole = tts.generate(TEXT, tts.sample_voice)
    streamed = np.concatenate(list(tts.stream_generate(TEXT, tts.sample_voice)))
    assert tts.sample_rate == 48000
    np.testing.assert_allclose(streamed, whole, atol=1e-4)
    assert np.array_equal(tts.generate(TEXT, tts.sample_voice), whole)
    assert np.abs(whole).max() > 0.01
    tts.set_params(seed=4)
    other = tts.generate(TEXT, tts.sample_voice)
    assert not np.array_equal(whole[:48000], other[:48000])


def test_two_recordings_are_two_voices(tts: MiraTTS, recordings: tuple[Path, Path]) -> None:
    high, low = map(tts.encode_audio, recordings)
    assert (high.name, low.name) == ("high", "low")
    assert len(high.global_tokens) == len(low.global_tokens) == 32
    assert high.global_tokens != low.global_tokens
    tts.set_params(seed=1)
    spoken = tts.batch_generate(["Hello."] * 2, [high, low])
    assert not np.array_equal(spoken[0][:9600], spoken[1][:9600])
    for samples, voice in zip(spoken, (high, low), strict=True):
        alone = tts.generate("Hello.", voice)
        # Not equal: what is computed together is added up in another order.
        np.testing.assert_allclose(samples, alone, atol=1e-3)


def test_parameters_stay_as_they_were_set(toy_tts: MiraTTS) -> None:
    toy_tts.set_params(temperature=0.5, seed=7)
    toy_tts.set_params(top_p=0.9, top_k=5, min_p=0, repetition_penalty=1.1, max_new_tokens=9)
    assert toy_tts._sampling == Sampling(0.5, 5, 0.9, 0, 1.1, 9, 7)
    with pytest.raises(TypeError, match="top_q"):
        toy_tts.set_params(top_q=1)
    with pytest.raises(ValueError, match="out of range"):
        toy_tts.set_params(top_p=2.0)
    assert toy_tts._sampling.top_p == 0.9


def test_parameters_reach_the_model(toy: ToySynthesizer, toy_tts: MiraTTS) -> None:
    seen: list[Sampling] = []
    speak = toy.synthesize

    def listen(sentence: Sentence, voice: Voice, sampling: Sampling, *more: object) -> object:
        seen.append(sampling)
        return speak(sentence, voice, sampling, *more)  # type: ignore[arg-type]

    toy.synthesize = listen  # type: ignore[method-assign, assignment]
    toy_tts.set_params(temperature=0.5)
    toy_tts.generate("Hello.", ANNA)
    list(toy_tts.stream_generate("Hello.", ANNA))
    toy_tts.batch_generate(["Hello."], [ANNA])
    assert seen == [Sampling(temperature=0.5)] * 3


def test_words_are_said_as_a_dictionary_says(
    toy: ToySynthesizer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("mira.tts.load_engine", lambda settings: Engine(toy))
    file, other = tmp_path / "words.toml", tmp_path / "other.toml"
    file.write_text('Nguyen = "win"\nAnn = "anne"')
    other.write_text('Nguyen = "new win"')
    tts = MiraTTS("a toy", Settings(dictionary=file))
    text = "Nguyen, Ann."
    for words, said in (
        (None, "Win, Anne."),
        ({"Nguyen": "when"}, "When, Anne."),
        (other, "New win, Anne."),
        (str(other), "New win, Anne."),
    ):
        expected = toy.whole(said)
        heard = (
            tts.generate(text, ANNA, dictionary=words),
            np.concatenate(list(tts.stream_generate(text, ANNA, dictionary=words))),
            *tts.batch_generate([text, text], [ANNA], dictionary=words),
        )
        for samples in heard:
            assert np.array_equal(samples[: len(expected)], expected)
    with pytest.raises(InvalidRequest, match=r"dictionary\.Ann: this voice reads letters"):
        tts.stream_generate(text, ANNA, dictionary={"Ann": {"ipa": "æn"}})
    with pytest.raises(InvalidSettings, match="is no file"):
        tts.generate(text, ANNA, dictionary=tmp_path / "none.toml")
    file.write_text("Nguyen = ")
    with pytest.raises(InvalidSettings, match="is not valid TOML"):
        MiraTTS("a toy", Settings(dictionary=file))


def test_blocks_say_when_each_word_is_heard(toy: ToySynthesizer, toy_tts: MiraTTS) -> None:
    text = "**One** two. Three."
    said, samples = Said(text), list[Samples]()
    for block in toy_tts.blocks(text, ANNA):
        said.takes(block.words)
        samples.append(block.samples)
    assert [text[word.source.start : word.source.stop] for word in said.words] == [
        "**One**",
        "two.",
        "Three.",
    ]
    third = said.words[2]
    assert np.array_equal(
        np.concatenate(samples)[round(third.start_s * toy.sample_rate) :],
        toy.tone("Three.", ANNA),
    )


def test_only_who_asks_pays_for_words(toy: ToySynthesizer, toy_tts: MiraTTS) -> None:
    asked, speak = list[bool](), toy.synthesize

    def listen(*args: Any) -> object:
        asked.append(args[3].words)
        return speak(*args)

    toy.synthesize = listen  # type: ignore[method-assign, assignment]
    list(toy_tts.stream_generate("One.", ANNA))
    toy_tts.generate("One.", ANNA)
    list(toy_tts.blocks("One.", ANNA))
    assert asked == [False, False, True]


def test_a_batch_speaks_at_the_same_time_and_keeps_its_order(
    toy: ToySynthesizer, toy_tts: MiraTTS
) -> None:
    texts = [f"Caller {letter} speaks." for letter in "abcd"]
    together = threading.Barrier(len(texts))
    toy.before_block = lambda number: number == 0 and together.wait(20)
    spoken = toy_tts.batch_generate(texts, [ANNA, BEN, BEN, ANNA])
    for samples, text, voice in zip(spoken, texts, [ANNA, BEN, BEN, ANNA], strict=True):
        assert np.array_equal(samples, toy.whole(text, voice))


def test_a_large_batch_takes_turns(toy: ToySynthesizer, toy_tts: MiraTTS) -> None:
    most = 0

    def count(number: int) -> None:
        nonlocal most
        most = max(most, toy.opened - toy.closed)

    toy.before_block = count
    toy.compute_s = 0.001
    assert len(toy_tts.batch_generate(["Hi."] * 3 * BATCH_AT_ONCE, [ANNA])) == 3 * BATCH_AT_ONCE
    assert 1 < most <= BATCH_AT_ONCE


def test_one_voice_speaks_for_all_and_nothing_else_is_stretched(
    toy: ToySynthesizer, toy_tts: MiraTTS
) -> None:
    one, two = toy_tts.batch_generate(["One.", "Two."], [BEN])
    assert np.array_equal(one, toy.whole("One.", BEN))
    assert np.array_equal(two, toy.whole("Two.", BEN))
    assert toy_tts.batch_generate([], []) == []
    for voices, references in ([ANNA, BEN], None), ([ANNA], ["Hi."]), ([], None):
        with pytest.raises(ValueError, match="zip"):
            toy_tts.batch_generate(["One.", "Two.", "Three."], voices, references)


def test_one_failure_ends_the_batch(toy: ToySynthesizer, toy_tts: MiraTTS) -> None:
    toy.block_s, toy.compute_s, toy.s_per_char = 0.01, 0.001, 1  # 2800 blocks a text
    voices = [ANNA, Voice("zoe"), *[ANNA] * 2 * BATCH_AT_ONCE]
    with pytest.raises(VoiceNotFound, match="'zoe'"):
        toy_tts.batch_generate(["This takes a very long time."] * len(voices), voices)
    assert toy.opened == toy.closed <= BATCH_AT_ONCE
    assert toy.blocks < 2800


def test_a_reference_text_stands_in_for_the_transcript(
    toy: ToySynthesizer, toy_tts: MiraTTS
) -> None:
    said = [replace(ANNA, transcript=words) for words in ("", "One.", "Two.")]
    toy.voices = (said[1], said[2])
    for given, counts in ("One.", said[1]), ("Two.", said[2]), (None, said[1]):
        expected = toy.whole("Hello.", counts)
        assert np.array_equal(toy_tts.generate("Hello.", said[1], given), expected)
        assert np.array_equal(
            np.concatenate(list(toy_tts.stream_generate("Hello.", said[1], given))), expected
        )
        assert np.array_equal(toy_tts.batch_generate(["Hello."], [said[1]], [given])[0], expected)
    with pytest.raises(VoiceNotFound):
        toy_tts.generate("Hello.", said[1], "")


def test_closing_ends_every_thread(mira_directory: Path) -> None:
    before = set(threading.enumerate())
    with MiraTTS(mira_directory, REFERENCE) as tts:
        tts.set_params(seed=1)
        tts.batch_generate(["Hello."] * 2, [tts.sample_voice])
        assert any(t.name.startswith("mira-") for t in set(threading.enumerate()) - before)
    assert not [t for t in set(threading.enumerate()) - before if t.name.startswith("mira-")]
    tts.close()
    with pytest.raises(SynthesisFailed, match="closed"):
        tts.generate("Hello.", tts.sample_voice)


def test_the_same_recording_is_the_same_voice(tts: MiraTTS, recordings: tuple[Path, Path]) -> None:
    assert tts.encode_audio(recordings[0]) == tts.encode_audio(recordings[0])


def test_recordings_are_read_in_one_process(tts: MiraTTS, recordings: tuple[Path, Path]) -> None:
    tts.encode_audio(recordings[0])
    process = tts._reader._process
    assert process is not None
    tts.encode_audio(recordings[1])
    assert tts._reader._process is process


def test_a_recording_that_cannot_be_read_is_said_so(tts: MiraTTS, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="No such file"):
        tts.encode_audio(tmp_path / "nobody.wav")
    (tmp_path / "bytes.wav").write_bytes(bytes(range(256)) * 40)
    with pytest.raises(InvalidRequest, match="damaged, or not audio"):
        tts.encode_audio(tmp_path / "bytes.wav")


def test_sparks_layout_speaks_at_16_khz(tmp_path: Path) -> None:
    with MiraTTS(write_tiny(tmp_path / "spark", "spark"), REFERENCE) as tts:
        tts.set_params(seed=1)
        assert tts.sample_rate == 16000
        assert len(tts.generate("Hello there.", tts.sample_voice)) > 1600


def test_without_the_upsampler_it_is_16_khz(mira_directory: Path) -> None:
    with closing(
        load_engine(Settings(model=str(mira_directory), upsample=False, lm_engine="torch"))
    ) as engine:
        assert engine.sample_rate == 16000


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "decoders/processer.onnx",
        "decoders/s_encoder.onnx",
        "decoders/detokenizer.safetensors",
        "decoders/upsampler.pth",
    ],
)
def test_a_file_cut_in_half_is_named(mira_directory: Path, tmp_path: Path, name: str) -> None:
    import shutil

    broken = shutil.copytree(mira_directory, tmp_path / "broken")
    whole = (broken / name).read_bytes()
    (broken / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=name.split("/")[-1].replace(".", r"\.")):
        MiraTTS(broken)


def test_float16_is_refused_with_its_reason(mira_directory: Path) -> None:
    from mira.errors import InvalidSettings

    with pytest.raises(InvalidSettings, match="overflow"):
        MiraTTS(mira_directory, Settings(model_dtype="float16"))
