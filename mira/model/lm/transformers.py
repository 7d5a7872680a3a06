"""Prompt ids in, speech tokens out, through PyTorch and transformers: the reference backend.

Runs on any device, one stream's step at a time; the backends for production batch streams. Knows
nothing about text or audio. Source: Qwen2 as transformers computes it.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from mira.errors import CheckpointError, InvalidSettings, MiraError, SynthesisFailed, one_line
from mira.model.checkpoint.tensors import LARGEST
from mira.model.checkpoint.tokens import TokenMap
from mira.model.codec.base import SPEECH_CODES
from mira.model.cuda import full_memory_as
from mira.model.lm.base import check_prompt, sayable
from mira.model.lm.sampler import Sampler
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.types import Sampling

Dtype = Literal["auto", "bfloat16", "float32", "float16"]


class TransformersLM:
    """A `LanguageModel` around a causal model of transformers.

    Streams may run in several threads: each has its own cache and random numbers, and one lock
    lets them take turns step by step, so that they share the cores instead of fighting for them.

    Args:
        model: In bfloat16 or float32, on its device.
        vocabulary: Where its tokens are.

    Raises:
        InvalidSettings: The model is in float16.
    """

    max_streams = 4096  # each brings its own memory

    def __init__(self, model: Any, vocabulary: TokenMap) -> None:
        self._head = speech_head(model, vocabulary)
        self._body = model.get_decoder().eval()
        self._device = model.device
        self._vocab_rows = model.get_input_embeddings().weight.shape[0]
        self._vocabulary = vocabulary
        self._columns = {row: column for column, row in enumerate(sayable(vocabulary))}
        self._turn = Lock()

    @classmethod
    def load(
        cls,
        directory: Path,
        vocabulary: TokenMap,
        device: str = "cpu",
        dtype: Dtype = "auto",
    ) -> "TransformersLM":
        """Load a language model's directory.

        Args:
            directory: Holds config.json and safetensors.
            vocabulary: Where its tokens are.
            device: Such as "cpu" or "cuda:0".
            dtype: "auto" is bfloat16 on a GPU that has it, and float32 elsewhere.

        Raises:
            InvalidSettings: The dtype is float16.
            CheckpointError: The files can't be loaded, or hold a value that is not finite.
        """
        return cls(load_model(directory, device, dtype), vocabulary)

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[int, None, None]:
        """See `LanguageModel`."""
        check_prompt(prompt, self._vocab_rows)
        seen = [self._columns[i] for i in prompt if i in self._columns]
        sampler = Sampler(sampling, len(self._columns), seen)
        ids, cache, cancel = list(prompt), None, cancel or Cancel()
        for _ in range(sampling.max_new_tokens):
            cancel.check()
            logits, cache = self._step(ids, cache)
            picked = sampler.pick(logits)
            if picked >= SPEECH_CODES:
                return
            yield picked
            ids = [self._vocabulary.first_speech + picked]

    @torch.inference_mode()
    def logits(self, prompt: Sequence[int], ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """[ids + 1, 8192 + ends]: what may come after the prompt, and after each of `ids`."""
        whole = torch.tensor([[*prompt, *ids]], device=self._device)
        hidden = self._body(input_ids=whole, use_cache=False).last_hidden_state[0]
        scores: npt.NDArray[np.float32] = (
            (hidden[len(prompt) - 1 :] @ self._head.T).float().cpu().numpy()
        )
        return scores

    @property
    def ready(self) -> bool:
        """Always: a step that breaks leaves nothing behind. See `LanguageModel`."""
        return True

    @property
    def failure(self) -> str:
        """None, for the same reason."""
        return ""

    def close(self) -> None:
        """Nothing runs for it: see `LanguageModel`."""

    # Around the step alone: a generator that yielded inside it would leave its caller's thread
    # in inference mode.
    @torch.inference_mode()
    def _step(self, ids: list[int], cache: Any) -> tuple[npt.NDArray[np.float32], Any]:
        """Read `ids` after what the cache holds; the logits [8192 + ends] of what comes next."""
        try:
            with self._turn:
                output = self._body(
                    input_ids=torch.tensor([ids], device=self._device),
                    past_key_values=cache,
                    use_cache=True,
                )
                logits = torch.mv(self._head, output.last_hidden_state[0, -1]).float().cpu().numpy()
        except RuntimeError as error:  # such as no memory left for the cache
            raise SynthesisFailed(f"the language model broke: {error}") from error
        return logits, output.past_key_values


def load_model(directory: Path, device: str | torch.device, dtype: Dtype) -> Any:
    """A causal model of transformers: see `TransformersLM.load`."""
    from transformers import AutoConfig, AutoModelForCausalLM

    torch_dtype = _torch_dtype(dtype, torch.device(device))
    full = f"the card has no room for the language model: free some, or set model_device ({device})"
    file = directory / "config.json"
    try:
        with _no_progress_bar(), full_memory_as(InvalidSettings, full):
            config = AutoConfig.from_pretrained(directory, local_files_only=True)
            file = _weights(directory)
            model: Any = AutoModelForCausalLM.from_pretrained(
                directory,
                config=config,
                dtype=torch_dtype,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
            )
            model.to(device)
    except MiraError:
        raise
    except Exception as error:  # whatever the values of a configuration lead to
        raise CheckpointError(f"{file}: can't be loaded ({one_line(error)})") from error
    for name, values in model.named_parameters():
        if not values.abs().max() <= LARGEST:  # so that NaN fails as well
            raise CheckpointError(f"{file}: {name}: expected finite values up to {LARGEST:.0e}")
    return model


def _weights(directory: Path) -> Path:
    """The file of the weights, or the one that names theirs."""
    whole = directory / "model.safetensors"
    return whole if whole.is_file() else directory / "model.safetensors.index.json"


def speech_head(model: Any, vocabulary: TokenMap) -> torch.Tensor:
    """[8192 + ends, hidden]: what of a model's output head may be said.

    Nothing but speech and its end may be, so nothing else is computed: 8192 rows and a few instead
    of 166,000, which is over a quarter of what a step reads.

    Raises:
        InvalidSettings: The model is in float16.
    """
    if model.dtype == torch.float16:
        refuse_float16("float16")
    head: torch.Tensor = model.get_output_embeddings().weight.detach()
    return head[torch.tensor(sayable(vocabulary), device=head.device)]


def refuse_float16(dtype: str) -> None:
    """Raise InvalidSettings if a dtype is float16, saying why."""
    if dtype in ("float16", "fp16", "half"):
        raise InvalidSettings(
            "The language model can't run in float16: its activations overflow and it speaks "
            '"!!!!". Use bfloat16, or float32 on a GPU without it.'
        )


def _torch_dtype(dtype: str, device: torch.device) -> torch.dtype:
    refuse_float16(dtype)
    if dtype == "auto":
        has_bfloat16 = device.type == "cuda" and torch.cuda.is_bf16_supported(False)
        return torch.bfloat16 if has_bfloat16 else torch.float32
    known = {"bfloat16": torch.bfloat16, "float32": torch.float32}
    if dtype not in known:
        raise InvalidSettings(f"dtype: expected auto, bfloat16 or float32; found {dtype!r}")
    return known[dtype]


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    from transformers.utils import logging

    was_enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if was_enabled:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
