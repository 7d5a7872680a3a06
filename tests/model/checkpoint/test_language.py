"""Language model directories: the published size, shards, and every way to be another model."""

import json
from math import prod
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from mira.errors import CheckpointError
from mira.model.checkpoint.language import find_language_model, language_shapes
from tools.tiny.language import true_dims


def edit_json(path: Path, **changes) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def test_the_published_size() -> None:
    assert sum(prod(shape) for shape in language_shapes(true_dims()).values()) == 506_634_112
    fine_tuned = language_shapes(true_dims(vocab_rows=165_161))
    assert sum(prod(shape) for shape in fine_tuned.values()) == 505_882_368


def test_what_is_found(mira_directory: Path) -> None:
    found = find_language_model(mira_directory)
    assert found.weights == (mira_directory / "model.safetensors",)
    assert (found.dims.hidden, found.dims.layers, found.dims.tied) == (64, 2, True)
    assert len(found.declared_ends) == 2


def split(directory: Path) -> Path:
    """Cut the weights in two shards."""
    whole = directory / "model.safetensors"
    tensors = load_file(whole)
    names = sorted(tensors)
    weight_map = {}
    for index, half in enumerate((names[::2], names[1::2]), start=1):
        file = f"model-0000{index}-of-00002.safetensors"
        save_file({name: tensors[name] for name in half}, directory / file)
        weight_map |= dict.fromkeys(half, file)
    whole.unlink()
    (directory / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return directory


def test_shards_are_one_model(mira_directory: Path, copy) -> None:
    directory = split(copy(mira_directory))
    assert find_language_model(directory).dims == find_language_model(mira_directory).dims
    (directory / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"00002\.safetensors: no such file"):
        find_language_model(directory)
    (directory / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(CheckpointError, match="weight_map: expected names of files"):
        find_language_model(directory)


def change(directory: Path, edit) -> None:
    path = directory / "model.safetensors"
    tensors = load_file(path)
    edit(tensors)
    save_file(tensors, path)


def test_a_tied_head_may_be_there_again(mira_directory: Path, copy) -> None:
    directory = copy(mira_directory)
    change(
        directory,
        lambda tensors: tensors.update(
            {"lm_head.weight": tensors["model.embed_tokens.weight"].clone()}
        ),
    )
    find_language_model(directory)
    edit_json(directory / "config.json", tie_word_embeddings=False)
    assert not find_language_model(directory).dims.tied


def test_an_untied_model_needs_its_head(mira_directory: Path, copy) -> None:
    directory = copy(mira_directory)
    edit_json(directory / "config.json", tie_word_embeddings=False)
    with pytest.raises(CheckpointError, match=r"1 tensors missing, expected lm_head\.weight"):
        find_language_model(directory)


def test_differences_are_named(mira_directory: Path, copy) -> None:
    directory = copy(mira_directory)
    edit_json(directory / "config.json", intermediate_size=256)
    with pytest.raises(CheckpointError, match=r"proj\.weight: expected shape .*256.*; found .*128"):
        find_language_model(directory)
    edit_json(directory / "config.json", intermediate_size="128")
    with pytest.raises(CheckpointError, match="intermediate_size: Input should be a valid int"):
        find_language_model(directory)
    edit_json(directory / "config.json", architectures=["LlamaForCausalLM"])
    with pytest.raises(CheckpointError, match=r"architectures\.0: .* 'Qwen2ForCausalLM'"):
        find_language_model(directory)


def test_attention_that_sees_a_window_is_refused(mira_directory: Path, copy) -> None:
    layers = ["full_attention", "sliding_attention"]
    directory = copy(mira_directory)
    for name, wrong in (("layer_types", layers), ("use_sliding_window", True)):
        edit_json(directory / "config.json", **{name: wrong})
        with pytest.raises(CheckpointError, match=rf"config\.json: {name}"):
            find_language_model(directory)
        edit_json(directory / "config.json", **{name: None if name == "layer_types" else False})
    find_language_model(directory)


def test_quantised_weights_are_refused(mira_directory: Path, copy) -> None:
    directory = copy(mira_directory)
    name = "model.layers.0.mlp.up_proj.weight"
    change(directory, lambda tensors: tensors.update({name: tensors[name].char()}))
    with pytest.raises(CheckpointError, match=rf"{name}: expected dtype .*; found I8"):
        find_language_model(directory)


def test_missing_and_damaged_files_are_named(mira_directory: Path, copy) -> None:
    directory = copy(mira_directory)
    weights = directory / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    with pytest.raises(CheckpointError, match=r"model\.safetensors: damaged or incomplete"):
        find_language_model(directory)
    weights.unlink()
    with pytest.raises(CheckpointError, match=r"no such file, nor model\.safetensors\.index\.json"):
        find_language_model(directory)
    for content, match in (("{", "damaged"), ("[]", "a JSON object; found list")):
        (directory / "config.json").write_text(content)
        with pytest.raises(CheckpointError, match=match):
            find_language_model(directory)
    (directory / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"config\.json: no such file"):
        find_language_model(directory)
