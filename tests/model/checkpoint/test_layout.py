"""Both layouts are found, wherever their files may lie; what is missing is named."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mira.errors import CheckpointError
from mira.model.checkpoint.layout import open_checkpoint
from mira.model.checkpoint.weights import codec_weights


def test_a_mira_checkpoint(mira, mira_directory: Path) -> None:
    assert mira.layout == "mira"
    assert mira.language == mira_directory
    assert mira.files.keys() == {
        "prenet",
        "wave_generator",
        "speaker_encoder",
        "semantic_encoder",
        "upsampler",
    }
    assert mira.tokens.naming == "mira"


def test_a_spark_checkpoint(spark, spark_directory: Path) -> None:
    assert spark.layout == "spark"
    assert spark.language == spark_directory / "LLM"
    assert spark.files.keys() == {"codec"}
    assert spark.tokens.naming == "spark"


def test_decoder_files_may_lie_in_the_root(mira_directory: Path, copy) -> None:
    directory = copy(mira_directory)
    for path in (directory / "decoders").iterdir():
        path.rename(directory / path.name)
    checkpoint = open_checkpoint(directory)
    assert checkpoint.file("prenet") == directory / "processer.onnx"
    codec_weights(checkpoint)


@pytest.mark.parametrize("name", ["processer.onnx", "detokenizer.safetensors", "s_encoder.onnx"])
def test_a_missing_file_is_named(mira_directory: Path, copy, name: str) -> None:
    directory = copy(mira_directory)
    (directory / "decoders" / name).unlink()
    with pytest.raises(CheckpointError, match=f"no decoders/{name} nor {name}"):
        open_checkpoint(directory)


@pytest.mark.parametrize("role", ["upsampler", "semantic_encoder"])
def test_what_speaking_can_do_without_may_be_missing(mira_directory: Path, copy, role) -> None:
    directory = copy(mira_directory)
    open_checkpoint(directory).file(role).unlink()
    checkpoint = open_checkpoint(directory)
    assert role not in checkpoint.files
    with pytest.raises(CheckpointError, match="no decoders/"):
        checkpoint.file(role)


def test_spark_without_its_codec(spark_directory: Path, copy) -> None:
    directory = copy(spark_directory)
    (directory / "BiCodec" / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"BiCodec: no BiCodec/model\.safetensors"):
        open_checkpoint(directory)


@pytest.fixture
def language_alone(mira_directory: Path, copy) -> Path:
    """As fine-tunes are published."""
    directory = copy(mira_directory)
    shutil.rmtree(directory / "decoders")
    return directory


def test_a_language_model_alone_is_told_where_a_codec_may_come_from(language_alone: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r"no decoders/processer\.onnx .*set codec_model"
    ) as e:
        open_checkpoint(language_alone)
    assert "\n" not in str(e.value)


def test_one_file_missing_is_not_a_codec_missing(mira_directory: Path, copy) -> None:
    directory = copy(mira_directory)
    (directory / "decoders" / "processer.onnx").unlink()
    with pytest.raises(CheckpointError) as raised:
        open_checkpoint(directory)
    assert "codec_model" not in str(raised.value)


@pytest.mark.parametrize("layout", ["mira", "spark"])
def test_the_codec_may_be_another_models(language_alone: Path, request, layout: str) -> None:
    other: Path = request.getfixturevalue(f"{layout}_directory")
    checkpoint = open_checkpoint(language_alone, other)
    assert (checkpoint.layout, checkpoint.codec_layout) == ("mira", layout)
    assert checkpoint.language == language_alone
    assert all(path.is_relative_to(other) for path in checkpoint.files.values())
    expected = codec_weights(open_checkpoint(other))
    for name, values in codec_weights(checkpoint).items():
        np.testing.assert_array_equal(values, expected[name])


def test_a_codec_needs_no_language_model_beside_it(
    language_alone: Path, mira_directory: Path, tmp_path: Path
) -> None:
    decoders = shutil.copytree(mira_directory / "decoders", tmp_path / "codec" / "decoders")
    checkpoint = open_checkpoint(language_alone, decoders.parent)
    assert checkpoint.file("prenet") == decoders / "processer.onnx"


def test_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"found neither"):
        open_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match="no such directory"):
        open_checkpoint(tmp_path / "absent")
