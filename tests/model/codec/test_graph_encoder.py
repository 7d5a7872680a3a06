"""The speaker encoder's graph against its module, on recordings of several lengths."""

import numpy as np
import openvino as ov
import torch

from mira.model.codec.graph_encoder import encoder_graph
from mira.model.codec.pytorch import load_networks
from mira.model.codec.weights import bicodec
from tests.model.codec.random_weights import random_weights


def test_same_tokens() -> None:
    network, *_ = load_networks(random_weights())
    graph = encoder_graph(bicodec(random_weights()))
    run = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    rng = np.random.default_rng(0)
    for frames in (20, 301):
        mel = np.abs(rng.standard_normal((1, frames, 128))).astype(np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(mel)).numpy()
        found = run([mel])[0]
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, expected)
        assert len(np.unique(found)) > 5
