"""Compare the codec with the published one, stage by stage, at true dimensions.

    python -m tools.bench parity CHECKOUT [--flashsr FOLDER]

CHECKOUT is a clone of github.com/SparkAudio/Spark-TTS; its modules need einops, einx, omegaconf and
torchaudio (or librosa, then used for the mel spectrogram). FOLDER holds `upsampler.pth` and
`model.onnx` of github.com/ysharma3501/FlashSR.

Both sides get the same random weights, drawn so that activations are of order one; the reference
gets them with weight norm, as published, and ours through the fusion that loading a checkpoint
goes through.

    stage          what is compared; a part gets what the reference's part before it put out
    max abs error  the largest difference of one value
    SNR dB         energy of the reference over energy of the difference; 200 means equal
    note           for tokens: how many are the same
"""

import json
import platform
import sys
import types
import warnings
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from mira.model.checkpoint.fusion import fuse_weight_norm
from mira.model.checkpoint.schema import CodecDims
from mira.model.codec import reference as ours_reference
from mira.model.codec.encoder import quantized, speaker_latents
from mira.model.codec.pytorch import TorchCodec, load_networks
from mira.model.codec.semantic import semantic_network
from mira.model.codec.stream import Window, decode_stream
from mira.model.codec.torch_layers import TorchLayers, TorchNetwork
from mira.model.codec.upsampler import upsampler
from mira.model.snr import snr_db
from tools.tiny.codec import codec_noise

FRAMES = 150
CONFIG: dict[str, dict[str, Any]] = {
    "mel_params": {
        "sample_rate": 16000,
        "n_fft": 1024,
        "win_length": 640,
        "hop_length": 320,
        "mel_fmin": 10,
        "mel_fmax": None,
        "num_mels": 128,
    },
    "encoder": {
        "input_channels": 1024,
        "vocos_dim": 384,
        "vocos_intermediate_dim": 2048,
        "vocos_num_layers": 12,
        "out_channels": 1024,
        "sample_ratios": [1, 1],
    },
    "quantizer": {
        "input_dim": 1024,
        "codebook_size": 8192,
        "codebook_dim": 8,
        "commitment": 0.25,
    },
    "prenet": {
        "input_channels": 1024,
        "vocos_dim": 384,
        "vocos_intermediate_dim": 2048,
        "vocos_num_layers": 12,
        "out_channels": 1024,
        "condition_dim": 1024,
        "sample_ratios": [1, 1],
    },
    "decoder": {
        "input_channel": 1024,
        "channels": 1536,
        "rates": [8, 5, 4, 2],
        "kernel_sizes": [16, 11, 8, 4],
    },
    "speaker_encoder": {
        "input_dim": 128,
        "out_dim": 1024,
        "latent_dim": 128,
        "token_num": 32,
        "fsq_levels": [4] * 6,
        "fsq_num_quantizers": 1,
    },
}


@dataclass
class Report:
    """Prints each row as it comes and keeps it for the last line."""

    rows: list[dict[str, object]] = field(default_factory=list)

    def add(self, stage: str, expected: ArrayLike, found: ArrayLike, note: str = "") -> None:
        expected, found = np.asarray(expected, np.float64), np.asarray(found, np.float64)
        assert expected.shape == found.shape, (stage, expected.shape, found.shape)
        error = float(np.abs(expected - found).max())
        snr = snr_db(expected, found)
        print(f"{stage:28} {error:13.2e} {snr:8.1f}  {note}")
        self.rows.append({"stage": stage, "max_abs_error": error, "snr_db": snr, "note": note})

    def add_tokens(self, stage: str, expected: torch.Tensor, found: torch.Tensor) -> None:
        same = int((expected.flatten() == found.flatten()).sum())
        self.add(stage, expected.flatten(), found.flatten(), f"{same} of {expected.numel()} equal")


class _LibrosaMel(torch.nn.Module):
    """torchaudio's MelSpectrogram, where only librosa can be had."""

    def __init__(self, rate: int, fft: int, win: int, hop: int, fmin: float, fmax: None, **_: Any):
        super().__init__()
        filters = import_module("librosa").filters.mel
        self.filters = torch.tensor(filters(sr=rate, n_fft=fft, n_mels=128, fmin=fmin, fmax=fmax))
        self.sizes = (fft, hop, win)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        window = torch.hann_window(self.sizes[2])
        spectrum = torch.stft(samples, *self.sizes, window, return_complex=True).abs()
        return self.filters @ spectrum


def import_reference(checkout: Path) -> tuple[Any, Any]:
    """Import the reference's BiCodec and audio modules, without what it only plays with."""
    for name in ("soxr", "torchaudio", "torchaudio.transforms"):
        try:
            import_module(name)
        except (ImportError, OSError):
            stand_in = types.ModuleType(name)
            stand_in.__dict__["MelSpectrogram"] = _LibrosaMel
            sys.modules[name] = stand_in
    sys.path.insert(0, str(checkout))
    return import_module("sparktts.models.bicodec"), import_module("sparktts.utils.audio")


def build_reference(module: Any) -> Any:
    """Build the reference at true dimensions, full of noise, before its weight norm is removed."""
    parts = {name: values for name, values in CONFIG.items() if name != "mel_params"}
    classes = {
        "encoder": module.Encoder,
        "quantizer": module.FactorizedVectorQuantize,
        "prenet": module.Decoder,
        "decoder": module.WaveGenerator,
        "speaker_encoder": module.SpeakerEncoder,
    }
    modules = {name: classes[name](**values) for name, values in parts.items()}
    model = module.BiCodec(
        mel_params=CONFIG["mel_params"], postnet=torch.nn.Identity(), **modules
    ).eval()
    noise = {n: torch.from_numpy(a) for n, a in codec_noise(CodecDims(), seed=1).items()}
    state = model.state_dict()
    for name in state:
        stem, _, half = name.rpartition("_")
        if name in noise:
            state[name] = noise[name]
        elif half in ("g", "v") and stem in noise:
            weight = noise[stem]
            norm = weight.flatten(1).norm(dim=1).view(-1, *[1] * (weight.ndim - 1))
            state[name] = norm if half == "g" else 3 * weight  # a length that fusion must undo
    model.load_state_dict(state, strict=True)
    return model


def test_recording(seconds: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Make something with pitch, harmonics, noise and pauses, at 16 kHz."""
    rng = np.random.default_rng(3)
    time = np.arange(int(16000 * seconds)) / 16000
    phase = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 0.7 * time)) / 16000
    voiced = sum(np.sin(k * phase) / k for k in range(1, 30))
    loudness = np.maximum(0, np.sin(2 * np.pi * 2.3 * time))
    noise = 0.02 * rng.standard_normal(len(time))
    return np.asarray(0.08 * loudness * voiced + noise, dtype=np.float32)


@torch.inference_mode()
def compare_encoder(model: Any, audio: Any, tensors: dict[str, Any], report: Report) -> Any:
    """Compare recording to global tokens, and features to speech tokens; return the former."""
    recording = test_recording(5.0)
    for gain, kind in ((1.0, ""), (0.1, ", quiet"), (9.0, ", loud")):
        expected = audio.audio_volume_normalize(recording.astype(np.float64) * gain)
        found = ours_reference.normalize_volume(recording.astype(np.float64) * gain)
        report.add(f"volume normalisation{kind}", expected, found)
    clip = ours_reference.reference_clip(audio.audio_volume_normalize(recording.astype(np.float64)))
    mel = model.mel_transformer(torch.from_numpy(clip)[None].float()).transpose(1, 2)
    report.add("mel spectrogram", mel[0], ours_reference.mel_of(recording, 16000))
    encoder, layers = load_networks(tensors)["speaker_encoder"], TorchLayers(tensors)
    voice = model.speaker_encoder
    latents = voice.perceiver_sampler(voice.speaker_encoder(mel, True)[1].transpose(1, 2))
    report.add("speaker latents", voice.quantizer.project_in(latents), speaker_latents(layers, mel))
    global_tokens = voice.tokenize(mel)
    report.add_tokens("global tokens", global_tokens, encoder(mel))
    spread = torch.randn(1, 128, 4096, generator=torch.Generator().manual_seed(1)) * 4
    codes = quantized(layers, voice.quantizer.project_in(spread.transpose(1, 2)))
    report.add_tokens("FSQ, random latents", voice.quantizer(spread)[1], codes)
    features = torch.randn(1, FRAMES, 1024, generator=torch.Generator().manual_seed(2))
    expected = model.quantizer.tokenize(model.encoder(features.transpose(1, 2)))
    report.add_tokens("semantic tokens", expected, semantic_network(tensors)(features).argmax(-1))
    return global_tokens


@torch.inference_mode()
def compare_decoder(
    model: Any, tensors: dict[str, Any], global_tokens: torch.Tensor, report: Report
) -> None:
    """Compare tokens to samples, in parts, whole, and as a stream."""
    tokens = torch.from_numpy(np.random.default_rng(5).integers(0, 8192, (1, FRAMES)))
    networks = load_networks(tensors)
    d_vector = model.speaker_encoder.detokenize(global_tokens)
    vectors = networks["speaker"](global_tokens.flatten(1).long())
    report.add("d-vector", d_vector, vectors[0])
    latent = model.prenet(model.quantizer.detokenize(tokens), d_vector) + d_vector[..., None]
    report.add("prenet", latent, networks["prenet"](tokens, *vectors))
    wave = model.decoder(latent)
    report.add("wave generator", wave[:, 0], networks["wave_generator"](latent))
    whole = model.detokenize(tokens, global_tokens)[0, 0]
    codec = TorchCodec(tensors)
    speaker = codec.speaker(global_tokens.flatten().tolist())
    ids = tokens[0].tolist()
    for name, window in (
        ("whole decode", Window(first=FRAMES, steady=FRAMES)),
        ("streaming, 67 frames ahead", Window(first=5, steady=40, look_ahead=67)),
        ("streaming, 12 frames ahead", Window(first=5, steady=40, look_ahead=12)),
    ):
        found = np.concatenate(list(decode_stream(codec, ids, speaker, window)))
        report.add(name, whole, found)


@torch.inference_mode()
def compare_upsampler(folder: Path, report: Report) -> None:
    """Compare our network with the published weights and the author's export of his."""
    import onnxruntime

    state = torch.load(folder / "upsampler.pth", weights_only=True, map_location="cpu")["model"]
    path = str(folder / "upsampler.pth")
    tensors = fuse_weight_norm({n: t.numpy() for n, t in state.items()}, path)
    network = TorchNetwork(upsampler, tensors, [torch.zeros(1, 1)])
    exact_network = network.to(torch.device("cpu"), torch.float64)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    for seconds in (0.05, 2.0):
        samples = test_recording(2.0)[: int(16000 * seconds)]
        (expected,) = session.run(None, {"x": samples[None, None]})
        found = network(torch.tensor(samples[None]))
        # The export works out in float32 where its samples lie, so its error grows with time.
        exact = exact_network(torch.tensor(samples[None]).double())
        report.add(f"FlashSR, {seconds} s", expected[0], found)
        report.add("  the export and float64", exact, expected[0])
        report.add("  ours and float64", exact, found)


def main(checkout: Path, flashsr: Path | None = None) -> None:
    """Compare the codec with the published one, stage by stage."""
    warnings.simplefilter("ignore")  # the reference's own, about its use of torch
    torch.set_num_threads(1)
    print(f"{platform.machine()}, torch {torch.__version__}, {FRAMES} frames, float32\n")
    print(f"{'stage':28} {'max abs error':>13} {'SNR dB':>8}  note")
    report = Report()
    module, audio = import_reference(checkout)
    model = build_reference(module)
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    tensors = fuse_weight_norm(state, "reference")
    model.remove_weight_norm()
    # The mel window and filters are computed, not read.
    tensors = {n: a for n, a in tensors.items() if not n.startswith("mel_transformer.")}
    global_tokens = compare_encoder(model, audio, tensors, report)
    compare_decoder(model, tensors, global_tokens, report)
    if flashsr is not None:
        compare_upsampler(flashsr, report)
    print(json.dumps({"bench": "parity", "frames": FRAMES, "rows": report.rows}))
