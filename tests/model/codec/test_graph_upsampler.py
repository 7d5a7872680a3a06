"""The upsampler's graph against its module, edges and all."""

import numpy as np
import openvino as ov
import torch

from mira.model.codec.graph_upsampler import upsampler_graph
from mira.model.codec.upsampler import Upsampler
from mira.model.codec.weights import upsampler
from tests.model.codec.random_weights import random_upsampler


def test_same_samples() -> None:
    network = Upsampler(random_upsampler())
    graph = upsampler_graph(upsampler(random_upsampler()))
    run = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    rng = np.random.default_rng(0)
    for num_samples in (1, 5, 100, 333):
        samples = rng.standard_normal((1, num_samples)).astype(np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(samples)).numpy()
        found = run([samples])[0]
        assert found.shape == (1, 3 * num_samples)
        np.testing.assert_allclose(found, expected, atol=3e-5)
