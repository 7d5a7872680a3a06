"""The published files of wav2vec2 give the network they were written from, or an error."""

import json
from pathlib import Path

import pytest
import torch

from mira.errors import CheckpointError
from mira.model.checkpoint.wav2vec2 import load_wav2vec2
from tests.wav2vec2 import LAYERS, write_wav2vec2

RECORDING = torch.randn(1, 3000, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_wav2vec2(tmp_path)
    return tmp_path


def configure(directory: Path, **values: object) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")


@torch.inference_mode()
@pytest.mark.parametrize("safetensors", [False, True])
def test_it_hears_what_the_whole_hears(tmp_path: Path, safetensors: bool) -> None:
    whole = write_wav2vec2(tmp_path)
    if safetensors:
        (tmp_path / "pytorch_model.bin").unlink()
        whole.wav2vec2.save_pretrained(tmp_path)
    part = load_wav2vec2(tmp_path, LAYERS - 1)
    assert not part.training
    assert len(part.encoder.layers) == LAYERS - 1
    found = part(RECORDING, output_hidden_states=True).hidden_states
    expected = whole.wav2vec2(RECORDING, output_hidden_states=True).hidden_states
    for layer in range(LAYERS - 1):
        assert torch.equal(found[layer], expected[layer])


def test_code_in_the_pickle_does_not_run(directory: Path) -> None:
    class Attack:
        def __reduce__(self):  # type: ignore[no-untyped-def]
            return Path.touch, (directory / "ran",)

    torch.save({"wav2vec2.x": Attack()}, directory / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="refused"):
        load_wav2vec2(directory, 17)
    assert not (directory / "ran").exists()


def test_missing_files_are_named(directory: Path) -> None:
    (directory / "pytorch_model.bin").unlink()
    with pytest.raises(CheckpointError, match=r"no model\.safetensors nor pytorch_model\.bin\. Co"):
        load_wav2vec2(directory, 17)
    write_wav2vec2(directory)
    (directory / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"config\.json: no such file"):
        load_wav2vec2(directory, 17)


def test_damaged_files_are_named(directory: Path) -> None:
    path = directory / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin: (damaged|refused)"):
        load_wav2vec2(directory, 17)
    torch.save({"wav2vec2.masked_spec_embed": torch.tensor([torch.nan])}, path)
    with pytest.raises(CheckpointError, match="masked_spec_embed: expected finite values"):
        load_wav2vec2(directory, 17)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"model_type": "hubert"}, "model_type: expected 'wav2vec2'; found 'hubert'"),
        ({"num_hidden_layers": 12}, "num_hidden_layers: expected at least 17; found 12"),
        ({"num_attention_heads": 5}, r"config\.json: no such model can be built"),
        ({"intermediate_size": 20}, r"intermediate_dense.*: expected shape \(20"),
        ({"num_hidden_layers": 30}, None),
    ],
)
def test_configuration(directory: Path, values: dict[str, object], says: str | None) -> None:
    configure(directory, **values)
    if says is None:
        load_wav2vec2(directory, LAYERS)
        with pytest.raises(CheckpointError, match=r"tensors missing, expected encoder\.layers\.18"):
            load_wav2vec2(directory, LAYERS + 1)
    else:
        with pytest.raises(CheckpointError, match=says):
            load_wav2vec2(directory, 17)
