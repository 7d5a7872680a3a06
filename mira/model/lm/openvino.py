"""Prompt ids in, speech tokens out, on a CPU, through OpenVINO: the backend without a GPU.

The graph is `openvino_graph.py`'s, read from files; PyTorch is not needed. Source: paged attention
as OpenVINO's CPU plugin implements it.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino._offline_transformations import paged_attention_transformation

from mira.errors import CheckpointError, InvalidSettings, one_line
from mira.machine import processor_here
from mira.model.lm.batching import Row

GRAPH = "language.xml"
MAX_CONTEXT = 1280  # tokens of a stream: the longest prompt of a sentence, and 1024 new ones
STEP_TOKENS = 64  # of a step: a long prompt doesn't hold up who speaks


class OpenVINORunner:
    """A `Runner` over a compiled graph.

    Args:
        graph: Its XML file, or the graph itself, which is changed.
        threads: Of a step; 0 for as many as there are processors.
        max_streams: Number of streams that may speak at the same time; the cache has room for all,
            and takes memory only for what is used.
        processors: Held during a step. None: nothing else needs them alone.
        exact: Compute in float32 throughout, which on some processors is slower.

    Raises:
        CheckpointError: The graph is missing or damaged.
        InvalidSettings: The processor can't run it.
    """

    def __init__(
        self,
        graph: Path | ov.Model,
        threads: int = 0,
        max_streams: int = 1,
        processors: "threading.Lock | None" = None,
        exact: bool = False,
    ) -> None:
        self._processors = processors or threading.Lock()
        check_processor()
        core = ov.Core()
        properties = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            # Where the processor has bfloat16, OpenVINO would take it: not what was compared.
            "INFERENCE_PRECISION_HINT": "f32",
            "KV_CACHE_PRECISION": "f32",
            # What is multiplied by integers is rounded to 8 bits in groups, where the processor
            # adds up such products: part of what a conversion's agreement is measured on.
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0 if exact else 128,
        }
        try:
            model = core.read_model(graph) if isinstance(graph, Path) else graph
            # Here and not before it is saved: what it notes on the nodes isn't stored.
            paged_attention_transformation(model)
            self._compiled = core.compile_model(model, "CPU", properties)
            self.vocab_rows = model.get_rt_info(["mira", "vocab_rows"]).astype(int)
        except RuntimeError as error:
            raise CheckpointError(f"{graph}: can't be loaded ({one_line(error)})") from error
        self._caches = {
            name: [part.get_length() if part.is_static else -1 for part in port.partial_shape]
            for port in self._compiled.inputs
            if "_cache." in (name := port.any_name)
        }
        self.page_tokens = self._caches["value_cache.0"][2]
        self.max_streams, self.step_tokens = max_streams, STEP_TOKENS
        self.num_pages = -(-max_streams * MAX_CONTEXT // self.page_tokens)
        self.max_context = self.num_pages * self.page_tokens
        self.restart()

    def restart(self) -> None:
        """See `Runner`."""
        self._request = self._compiled.create_infer_request()
        for name, shape in self._caches.items():
            dtype = self._compiled.input(name).element_type
            self._request.set_tensor(name, ov.Tensor(dtype, ov.Shape([self.num_pages, *shape[1:]])))

    def step(self, rows: Sequence[Row]) -> npt.NDArray[np.float32]:
        """See `Runner`."""
        lengths = np.array([len(row.ids) for row in rows])
        past = np.array([row.past for row in rows])
        pages = [row.pages[: -(-(row.past + len(row.ids)) // self.page_tokens)] for row in rows]
        ends = np.cumsum(lengths)
        inputs = {
            "input_ids": np.concatenate([row.ids for row in rows]).astype(np.int64),
            "position_ids": np.concatenate(
                [np.arange(row.past, row.past + len(row.ids)) for row in rows]
            ),
            "past_lens": past.astype(np.int32),
            "subsequence_begins": np.concatenate([[0], ends]).astype(np.int32),
            "block_indices": np.concatenate(pages).astype(np.int32),
            "block_indices_begins": np.cumsum([0, *map(len, pages)]).astype(np.int32),
            "max_context_len": np.array((past + lengths).max(), np.int32),
            "last": (ends - 1).astype(np.int64),
        }
        for name, values in inputs.items():
            self._request.set_tensor(name, ov.Tensor(values))
        with self._processors:
            self._request.infer()
        logits: npt.NDArray[np.float32] = self._request.get_output_tensor().data[:, 0]
        return logits.copy()


def check_processor() -> None:
    """Raise InvalidSettings on an x86 processor without AVX2: it would take minutes a sentence."""
    if "AVX2" in processor_here().missing:
        raise InvalidSettings("model: this processor has no AVX2, which a Mira model needs.")
