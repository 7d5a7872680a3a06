"""What the codec in OpenVINO does beyond the contract: files, processors, independence."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mira.errors import CheckpointError
from mira.model.codec import openvino
from mira.model.codec.base import Span
from mira.model.codec.openvino import KEPT, OpenVINOCodec
from mira.model.snr import snr_db
from tests.model.codec.conftest import GLOBAL_TOKENS

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
from mira.model.codec.base import Span
from mira.model.codec.openvino import OpenVINOCodec
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
        OpenVINOCodec(directory, 1, upsample=False)


@pytest.mark.parametrize("name", ["speaker.xml", "prenet.bin", "upsampler.xml"])
def test_damaged_file_is_named(directory: Path, name: str) -> None:
    whole = (directory / name).read_bytes()
    (directory / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=rf"{name.partition('.')[0]}\.xml: can't be read"):
        OpenVINOCodec(directory, 1)


def test_without_an_upsampler_it_speaks_at_16_khz(directory: Path) -> None:
    (directory / "upsampler.xml").unlink()
    assert OpenVINOCodec(directory, 1).sample_rate == 16000


@pytest.fixture(scope="module")
def with_integers(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Any other graph stands for the one in integers: which one is loaded is the question."""
    directory = shutil.copytree(exported, tmp_path_factory.mktemp("integers") / "codec")
    text = (directory / "wave_generator.xml").read_text()
    assert 'type="Tanh"' in text
    (directory / "wave_generator_int8.xml").write_text(text.replace('type="Tanh"', 'type="Sin"'))
    shutil.copy(directory / "wave_generator.bin", directory / "wave_generator_int8.bin")
    return directory


@pytest.fixture(scope="module")
def in_float32(with_integers: Path) -> np.ndarray:
    """What the exact graph says."""
    return render(OpenVINOCodec(with_integers, 1, upsample=False, exact=True))


@pytest.mark.parametrize(
    ("vnni", "bf16", "least_db", "exact", "taken"),
    [
        (False, False, 30, False, "float32"),
        (True, False, 30, False, "integers"),
        (True, True, -np.inf, False, "bf16"),
        (False, True, np.inf, False, "float32"),
        (True, True, np.inf, False, "integers"),
        (True, True, -np.inf, True, "float32"),
    ],
)
def test_the_least_precise_that_is_precise_enough_is_taken(
    with_integers: Path,
    in_float32: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    vnni: bool,
    bf16: bool,
    least_db: float,
    exact: bool,
    taken: str,
) -> None:
    """On any processor: OpenVINO takes float32 where it is asked for what isn't there."""
    monkeypatch.setattr(openvino, "_has_vnni", lambda: vnni)
    monkeypatch.setattr(openvino, "_has_bf16", lambda core: bf16)
    monkeypatch.setattr(openvino, "LEAST_SNR_DB", least_db)
    with caplog.at_level("INFO", "mira.model.codec.openvino"):
        codec = OpenVINOCodec(with_integers, 1, upsample=False, exact=exact)
    assert codec.precision == taken
    assert f"the codec computes in {taken}" in caplog.text
    assert ("dB below the signal here" in caplog.text) == (bf16 and not exact)
    found_db = snr_db(in_float32, render(codec))
    assert (found_db == 200) == (taken == "float32")
    if taken == "integers":
        assert found_db < 20


def test_what_this_processor_takes_is_within_its_bound(exported: Path) -> None:
    exact = render(OpenVINOCodec(exported, 1, upsample=False, exact=True))
    taken = OpenVINOCodec(exported, 1, upsample=False)
    # On other tokens than those that it was chosen by.
    assert snr_db(exact, render(taken)) > (25 if taken.precision == "bf16" else 199)


def test_bf16_that_says_something_else_is_not_taken(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino, "_has_bf16", lambda core: True)
    monkeypatch.setattr(openvino, "_has_vnni", lambda: False)
    with np.load(directory / KEPT) as found:
        kept = dict(found)
    for factor, taken in ((1.0, True), (1.1, False), (np.nan, False)):
        # The first alone: each of them has to be exact enough.
        monkeypatch.setattr(openvino, "LEAST_SNR_DB", 30.0 if factor != 1 else -np.inf)
        np.savez(directory / KEPT, **kept | {"samples0": kept["samples0"] * factor})
        assert (OpenVINOCodec(directory, 1, upsample=False).precision == "bf16") == taken


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped", "other"])
def test_what_bf16_is_compared_with_is_named_if_damaged(
    directory: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setattr(openvino, "_has_bf16", lambda core: True)
    path = directory / KEPT
    whole = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "other":
        np.savez(path, one=np.zeros(3), two=np.zeros(3), three=np.zeros(3))
    else:
        whole[len(whole) // 2] ^= 1
        path.write_bytes({"empty": b"", "cut": whole[:200], "flipped": whole}[damage])
    with pytest.raises(CheckpointError, match=r"float32\.npz: (missing|can't be read)"):
        OpenVINOCodec(directory, 1, upsample=False)


def test_integers_are_as_exact_as_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the file: what was measured in memory is what is loaded."""
    from mira.model.codec import export
    from tests.model.codec.random_weights import random_weights

    monkeypatch.setattr(export, "_worthiest_first", lambda blocks: [23, 25, 27])
    export.export_codec(random_weights(backbone_blocks=1), None, tmp_path)
    found = export.export_measured(tmp_path)
    assert found is not None and found.layers == 3 and found.snr_db >= 30
    exact = render(OpenVINOCodec(tmp_path, 1, exact=True))
    monkeypatch.setattr(openvino, "_has_bf16", lambda core: False)
    if openvino._has_vnni():
        assert 25 < snr_db(exact, render(OpenVINOCodec(tmp_path, 1))) < 50
