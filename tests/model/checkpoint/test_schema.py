"""The published sizes, and that dimensions read off the shapes are those that made them."""

from dataclasses import replace
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.errors import CheckpointError
from mira.model.checkpoint.schema import CodecDims, codec_shapes, infer_dims, require_shapes

WIDTHS = st.integers(1, 9)


def parameters(prefix: str) -> int:
    shapes = codec_shapes(CodecDims(), semantic=True)
    return sum(prod(shape) for name, shape in shapes.items() if name.startswith(prefix))


def test_the_published_sizes() -> None:
    """Bytes of each group of the published file, float32."""
    assert parameters("decoder.") == 52_616_545
    assert parameters("prenet.") == 39_386_112
    assert round(4e-6 * parameters("encoder."), 2) == 121.96
    assert round(4e-6 * parameters("speaker_encoder.project."), 2) == 16.78


def test_the_semantic_encoder_is_extra() -> None:
    extra = codec_shapes(CodecDims(), semantic=True).keys() - codec_shapes(CodecDims()).keys()
    assert {name.split(".")[0] for name in extra} == {"encoder", "quantizer"}
    assert {n for n in extra if n.startswith("quantizer")} == {
        "quantizer.in_project.weight",
        "quantizer.in_project.bias",
    }


@given(
    st.builds(
        CodecDims,
        latent=WIDTHS,
        code=WIDTHS,
        width=WIDTHS,
        hidden=WIDTHS,
        layers=st.integers(1, 3),
        wave=WIDTHS.map(lambda n: 16 * n),
        speaker=WIDTHS.map(lambda n: 8 * n),
        squeeze=WIDTHS,
        speaker_features=WIDTHS,
        perceiver=WIDTHS,
        perceiver_inner=WIDTHS,
        perceiver_hidden=WIDTHS,
        perceiver_layers=st.integers(1, 3),
    )
)
def test_dimensions_are_read_off_the_shapes(dims: CodecDims) -> None:
    assert infer_dims(codec_shapes(dims)) == dims


def test_the_semantic_encoders_input_is_known_where_it_is_read() -> None:
    dims = replace(CodecDims(), features=768)
    assert infer_dims(codec_shapes(dims, semantic=True)) == dims
    assert infer_dims(codec_shapes(dims)) == CodecDims()


def test_a_missing_probe_is_named() -> None:
    shapes = codec_shapes(CodecDims())
    del shapes["prenet.linear_pre.weight"]
    with pytest.raises(CheckpointError, match=r"prenet\.linear_pre\.weight: expected a weight"):
        infer_dims(shapes)


def test_differences_are_named() -> None:
    shapes = {"a": (1, 2), "b": (3,)}
    require_shapes(shapes, dict(shapes), "file")
    with pytest.raises(CheckpointError, match=r"file: 1 tensors missing, expected b \(3,\)"):
        require_shapes(shapes, {"a": (1, 2)}, "file")
    with pytest.raises(CheckpointError, match=r"two: c: no use for this tensor of shape \(4,\)"):
        require_shapes(shapes, shapes | {"c": (4,)}, {"a": "one", "b": "one", "c": "two"})
    with pytest.raises(CheckpointError, match=r"file: a: expected shape \(1, 2\); found \(2, 1\)"):
        require_shapes(shapes, shapes | {"a": (2, 1)}, "file")


def test_another_front_end_is_an_error() -> None:
    """The number of mel bands is the front end's, so a checkpoint can't choose it."""
    shapes = codec_shapes(replace(CodecDims(), mel=80))
    with pytest.raises(CheckpointError, match=r"layer1\.conv\.weight"):
        require_shapes(codec_shapes(infer_dims(shapes)), shapes, "file")
