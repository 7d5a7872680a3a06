"""Damaged files, at random: each is refused in one line that names it, or harmed nothing.

A published checkpoint has no checksums, so that a number which became another one can't be seen. It
is accepted only if it is the one thing that changed.
"""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mira.errors import CheckpointError
from mira.model.checkpoint.converted import CODEC, MANIFEST, TOKENIZER, Manifest, open_converted
from mira.model.checkpoint.language import find_language_model
from mira.model.checkpoint.layout import Checkpoint, open_checkpoint
from mira.model.checkpoint.tensors import LARGEST, Array
from mira.model.checkpoint.weights import codec_weights, language_weights, upsampler_weights

JSON_NONSENSE = ("", "[" * 100_000, '{"a":' * 50_000, "null", "[]", '"x"', "{", "\ufffe", "1e999")
VALUES = (None, "NaN", -1, 0, 10**30, float("nan"), [], {"a": 1})


def whole(checkpoint: Checkpoint) -> dict[str, Array]:
    """All weights of a checkpoint, as every backend is given them."""
    tensors = language_weights(checkpoint) | codec_weights(checkpoint)
    return tensors | (upsampler_weights(checkpoint) or {})


def assert_refused_or_unharmed(
    directory: Path, file: Path, checkpoint: Checkpoint, expected: dict[str, Array]
) -> bool:
    """Return whether it was refused."""
    try:
        opened = open_checkpoint(directory)
        found = whole(opened)
    except CheckpointError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1000
        # What a configuration says of the weights may as well be wrong in these.
        suspects = files_of(directory) if file.suffix == ".json" else [file]
        assert any(str(path) in str(error) for path in suspects), f"{error}: it was {file}"
        return True
    assert vars_of(opened) == vars_of(checkpoint)
    before, after = asdict(checkpoint.tokens), asdict(opened.tokens)
    assert sum(before[name] != after[name] for name in before) <= 1
    assert found.keys() == expected.keys()
    changed = [name for name, values in expected.items() if not np.array_equal(values, found[name])]
    assert len(changed) <= 1
    assert all(abs(found[name]).max() <= LARGEST for name in changed)
    return False


def vars_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """What has to be as it was, but for two numbers that can be any, and where the files are."""
    dims = replace(checkpoint.dims, rope_theta=1.0, norm_epsilon=1.0)
    return {"dims": dims, "roles": set(checkpoint.files), "layout": checkpoint.layout}


def files_of(directory: Path) -> list[Path]:
    """Those that are read."""
    read = ("config.json", "generation_config.json", "tokenizer.json", ".safetensors", ".pth")
    read += ("processer.onnx", "s_encoder.onnx")
    unread = "tokenizer_config.json"
    return [
        path
        for path in sorted(directory.rglob("*"))
        if path.name.endswith(read) and path.name != unread
    ]


@pytest.fixture(params=["mira", "spark"])
def damaged(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[str, Callable[[bytes], bytes]], bool]]:
    """Damages a file of a checkpoint, asserts what comes of it, and mends it."""
    checkpoint: Checkpoint = request.getfixturevalue(request.param)
    directory = shutil.copytree(checkpoint.directory, tmp_path / "copy")
    expected = whole(checkpoint)

    def damage(name: str, how: Callable[[bytes], bytes]) -> bool:
        path = directory / name
        before = path.read_bytes()
        path.write_bytes(how(before))
        try:
            return assert_refused_or_unharmed(directory, path, checkpoint, expected)
        finally:
            path.write_bytes(before)

    damage.directory = directory  # type: ignore[attr-defined]
    damage.files = [path.relative_to(directory).as_posix() for path in files_of(directory)]  # type: ignore[attr-defined]
    yield damage


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    return bytes(changed)


def test_random_bits_and_ends(damaged: Any) -> None:
    dice = random.Random(1)
    for name in damaged.files:
        for _ in range(6):
            place = dice.random()
            damaged(name, lambda content, at=place: flipped(content, int(at * len(content) * 8)))
            # Most of a file is numbers; what says where they are stands at one end of it.
            damaged(name, lambda content, at=place: flipped(content, int(at * 8 * 300)))
            damaged(name, lambda content, at=place: flipped(content, -1 - int(at * 8 * 300)))
        for part in (0.0, 0.3, 0.99):
            assert damaged(name, lambda content, part=part: content[: int(part * len(content))])


def test_nonsense_in_place_of_json(damaged: Any) -> None:
    for name in damaged.files:
        if name.endswith(".json"):
            for nonsense in JSON_NONSENSE:
                assert damaged(name, lambda _, text=nonsense: text.encode("utf-8"))


def test_nonsense_in_a_configuration(damaged: Any) -> None:
    for name in damaged.files:
        if not name.endswith(("/config.json", "generation_config.json")) and name != "config.json":
            continue
        read = json.loads((damaged.directory / name).read_bytes())
        for key in read:
            for value in VALUES:
                content = json.dumps(read | {key: value}).encode()
                damaged(name, lambda _, content=content: content)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("rms_norm_eps", "NaN", "Input should be a valid number; found 'NaN'"),
        ("rms_norm_eps", float("nan"), "Input should be less than 1.*; found nan"),
        ("rope_theta", 0, "Input should be greater than 0; found 0"),
        ("tie_word_embeddings", "maybe", "Input should be a valid boolean; found 'maybe'"),
        ("model_type", "llama", "Input should be 'qwen2'; found 'llama'"),
        ("vocab_size", 7, r"expected \d+, the rows of the embedding; found 7"),
        ("num_hidden_layers", 10**9, "Input should be less than or equal to 1000"),
        ("eos_token_id", ["x"], r"Input should be a valid integer; found \['x'\]"),
        (
            "rope_scaling",
            "x" * 999,
            "Input should be a valid dictionary or instance of Rope; found 'x",
        ),
    ],
)
def test_what_is_wrong_is_said(
    mira_directory: Path, copy: Any, key: str, value: object, said: str
) -> None:
    path = copy(mira_directory) / "config.json"
    content = {k: v for k, v in json.loads(path.read_text()).items() if k != "rope_parameters"}
    path.write_text(json.dumps(content | {key: value}))
    with pytest.raises(CheckpointError, match=rf"config\.json: {key}[.\w]*: {said}"):
        find_language_model(path.parent)


@pytest.mark.parametrize("name", ["../model.safetensors", "a/b", 7, None])
def test_shards_lie_beside_their_index(mira_directory: Path, copy: Any, name: object) -> None:
    directory = copy(mira_directory)
    (directory / "model.safetensors").unlink()
    index = directory / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(CheckpointError, match=r"index\.json: weight_map: expected names of files"):
        find_language_model(directory)


@pytest.fixture
def converted(mira: Checkpoint, tmp_path: Path) -> Path:
    """Complete, of stand-ins for graphs: what they hold is nobody's business here."""
    directory = tmp_path / "converted"
    manifest = Manifest.find(directory, "source", "int4", mira.tokens)
    directory.mkdir(exist_ok=True)
    manifest.begin()
    (directory / CODEC).mkdir()
    for name in ("language.bin", "language.xml", f"{CODEC}/prenet.bin", f"{CODEC}/upsampler.xml"):
        (directory / name).write_bytes(random.Random(name).randbytes(1000))
    (directory / TOKENIZER).write_bytes((mira.language / TOKENIZER).read_bytes())
    manifest.finished("language", weights="int4")
    manifest.complete()
    return directory


def test_of_a_converted_model_every_bit_counts(converted: Path) -> None:
    dice = random.Random(2)
    open_converted(converted)
    for path in [path for path in converted.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        ways = [flipped(content, dice.randrange(len(content) * 8)) for _ in range(12)]
        ways += [content[: dice.randrange(len(content))] for _ in range(3)]
        if path.name == MANIFEST:
            ways += [nonsense.encode("utf-8") for nonsense in JSON_NONSENSE]
        for damaged in ways:
            path.write_bytes(damaged)
            with pytest.raises(CheckpointError) as caught:
                open_converted(converted)
            said = str(caught.value)
            assert str(path) in said or (path.name == MANIFEST and str(converted) in said)
            assert "convert the model again" in said and "\n" not in said
        path.unlink()
        if path.name != MANIFEST:
            with pytest.raises(CheckpointError, match=rf"{path.name}: missing"):
                open_converted(converted)
        path.write_bytes(content)
    open_converted(converted)
