"""What the codec in OpenVINO does beyond the contract: files, processors, independence."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mira.codec import openvino
from mira.codec.base import Span
from mira.codec.look_ahead import snr_db
from mira.codec.openvino import OpenVINOCodec
from mira.errors import CheckpointError
from tests.codec.conftest import GLOBAL_TOKENS

TOKENS = np.random.default_rng(5).integers(0, 8192, 30).tolist()


@pytest.fixture
def directory(exported: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return shutil.copytree(exported, tmp_path / "codec")


def render(codec: OpenVINOCodec) -> np.ndarray:
    (samples,) = codec.decode([Span(TOKENS, codec.speaker(GLOBAL_TOKENS), 0, 30)])
    return samples


def test_it_does_without_torch(exported: Path) -> None:
    script = f"""
import sys
from pathlib import Path
import numpy as np
from mira.codec.base import Span
from mira.codec.openvino import OpenVINOCodec
codec = OpenVINOCodec(Path({str(exported)!r}), 1)
speaker = codec.speaker(codec.encode(np.ones(9000, np.float32), 8000))
codec.decode([Span([1, 2], speaker, 0, 2)])
print(*{{"torch", "onnx", "onnxruntime"}} & set(sys.modules))
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("prenet.xml", r"prenet\.xml: missing"),
        ("wave_generator.xml", r"wave_generator\.xml: missing"),
        ("speaker_encoder.bin", r"speaker_encoder\.xml: can't be read"),
    ],
)
def test_missing_file_is_named(directory: Path, name: str, found: str) -> None:
    (directory / name).unlink()
    with pytest.raises(CheckpointError, match=found):
        OpenVINOCodec(directory, 1)


@pytest.mark.parametrize("name", ["speaker.xml", "prenet.bin", "upsampler.xml"])
def test_damaged_file_is_named(directory: Path, name: str) -> None:
    whole = (directory / name).read_bytes()
    (directory / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=rf"{name.partition('.')[0]}\.xml: can't be read"):
        OpenVINOCodec(directory, 1)


def test_without_an_upsampler_it_speaks_at_16_khz(directory: Path) -> None:
    (directory / "upsampler.xml").unlink()
    assert OpenVINOCodec(directory, 1).sample_rate == 16000


def test_integers_only_where_the_processor_adds_them_up(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Any other graph stands for the one in integers: which one is loaded is the question.
    text = (directory / "wave_generator.xml").read_text()
    assert 'type="Tanh"' in text
    (directory / "wave_generator_int8.xml").write_text(text.replace('type="Tanh"', 'type="Sin"'))
    shutil.copy(directory / "wave_generator.bin", directory / "wave_generator_int8.bin")

    def on_a_processor_with(vnni: bool, bf16: bool) -> np.ndarray:
        monkeypatch.setattr(openvino, "_has_vnni", lambda: vnni)
        monkeypatch.setattr(openvino, "_has_bf16", lambda core: bf16)
        return render(OpenVINOCodec(directory, 1, upsample=False))

    exact = on_a_processor_with(vnni=False, bf16=False)
    assert snr_db(exact, on_a_processor_with(vnni=True, bf16=False)) < 20
    assert snr_db(exact, on_a_processor_with(vnni=True, bf16=True)) > 20


def test_integers_are_as_exact_as_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the file: what was measured in memory is what is loaded."""
    from mira.codec import export
    from tests.codec.random_weights import random_weights

    monkeypatch.setattr(export, "_worthiest_first", lambda blocks: [23, 25, 27])
    export.export_codec(random_weights(backbone_blocks=1), None, tmp_path)
    found = export.export_integers(tmp_path)
    assert found.int8_layers == 3 and found.int8_snr_db is not None and found.int8_snr_db >= 30
    exact = render(OpenVINOCodec(tmp_path, 1, integers=False))
    if openvino._has_vnni() and not openvino._has_bf16(openvino.ov.Core()):
        assert 25 < snr_db(exact, render(OpenVINOCodec(tmp_path, 1))) < 50
