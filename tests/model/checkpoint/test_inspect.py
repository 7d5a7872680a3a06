"""Rows for `mira model inspect`: every file once, with its true numbers."""

from pathlib import Path

from mira.model.checkpoint.inspect import describe
from mira.model.checkpoint.layout import open_checkpoint


def test_a_mira_checkpoint(mira, mira_directory: Path) -> None:
    rows = {row.file: row for row in describe(mira)}
    assert list(rows) == [
        "model.safetensors",
        "tokenizer.json",
        "decoders/processer.onnx",
        "decoders/detokenizer.safetensors",
        "decoders/s_encoder.onnx",
        "decoders/q_encoder.onnx",
        "decoders/upsampler.pth",
    ]
    for name, row in rows.items():
        assert row.num_bytes == (mira_directory / name).stat().st_size
    assert rows["model.safetensors"].dtype == "BF16"
    assert rows["tokenizer.json"].tensors == 0
    assert rows["decoders/upsampler.pth"].tensors == 134
    assert rows["decoders/processer.onnx"].dtype == "F32"


def test_a_spark_checkpoint(spark) -> None:
    rows = describe(spark)
    assert [row.file for row in rows] == [
        "LLM/model.safetensors",
        "LLM/tokenizer.json",
        "BiCodec/model.safetensors",
    ]
    language = rows[0]
    assert language.parameters * 4 < language.num_bytes < language.parameters * 4 + 10_000
    assert language.dtype == "F32"


def test_another_ones_codec(mira_directory: Path, spark_directory: Path) -> None:
    rows = describe(open_checkpoint(mira_directory, spark_directory))
    assert [row.file for row in rows] == [
        "model.safetensors",
        "tokenizer.json",
        "BiCodec/model.safetensors",
    ]
