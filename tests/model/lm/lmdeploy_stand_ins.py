"""What runs where LMDeploy's engines would: as asynchronous, and says what no model computed.

None of them runs without a GPU. These say codes that depend on the prompt and the seed as a model's
would: an engine of this file's own, and, where LMDeploy can be imported, the same talk behind the
request paths and instances of its two engines.
"""

import asyncio
import enum
import importlib
import threading
import warnings
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from mira.model.checkpoint.language import EMBEDDING, LanguageDims
from mira.model.checkpoint.layout import Checkpoint, open_checkpoint
from mira.model.codec.base import SPEECH_CODES
from mira.model.lm.lmdeploy import LMDeployLM
from mira.model.lm.lmdeploy_dialects import MOST_BANNED, cut_dialect, published_dialect
from mira.model.lm.lmdeploy_engine import load
from tools.tiny.language import write_language_model

STREAMS = 4
SESSION_TOKENS = 2048
UNSKIP = "`pip install -e '.[cuda,dev]'` brings it, and needs no GPU"


def imported(name: str) -> Any:
    """A module of LMDeploy's, or the test is skipped."""
    try:
        with warnings.catch_warnings():  # of what it imports
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError as error:
        pytest.skip(f"LMDeploy can't be imported ({error}); {UNSKIP}")


def on_a_gpu(checkpoint: Checkpoint, engine: str) -> LMDeployLM:
    """One of LMDeploy's engines itself, or the test is skipped."""
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU with bfloat16, and the extra `cuda`")
    imported("lmdeploy.turbomind" if engine == "lmdeploy" else "lmdeploy.pytorch.engine")
    with TemporaryDirectory() as directory:
        return load(wide(checkpoint, Path(directory)), engine, max_streams=STREAMS)


def wide(checkpoint: Checkpoint, directory: Path) -> Checkpoint:
    """Of the same vocabulary, with heads for which engines have kernels: the true model's."""
    for path in checkpoint.directory.iterdir():
        if path.name not in ("config.json", "generation_config.json", "model.safetensors"):
            (directory / path.name).symlink_to(path.resolve())
    dims = LanguageDims(checkpoint.dims.vocab_rows, 256, 2, 4, 2, 64, 512, tied=True)
    write_language_model(directory, dims, checkpoint.tokens.end_ids, "BF16", seed=0)
    return open_checkpoint(directory)


def embedding(checkpoint: Checkpoint) -> torch.Tensor:
    """[vocabulary, hidden]."""
    with safe_open(checkpoint.language_weights[0], "pt") as file:
        found: torch.Tensor = file.get_tensor(EMBEDDING)
    return found


class Status(enum.Enum):
    """As far as they matter here, LMDeploy's `ResponseType`."""

    SUCCESS = enum.auto()
    FINISH = enum.auto()
    CANCEL = enum.auto()
    OUT_OF_MEMORY = enum.auto()
    INTERNAL_ENGINE_ERROR = enum.auto()


@dataclass
class Output:
    status: Status
    token_ids: list[int] = field(default_factory=list)


def talk(read: Sequence[int], config: Any, first: int) -> Iterator[int]:
    """What a model would say after `read`: codes, and an end after 130 on average.

    Args:
        read: Numbers that stand for the prompt.
        config: LMDeploy's `GenerationConfig`.
        first: The id of the first code of speech.
    """
    likeliest = config.top_k == 1
    random = np.random.default_rng([*read, 0 if likeliest else config.random_seed])
    for _ in range(config.max_new_tokens):
        if not likeliest and random.random() < 1 / 130:
            yield config.stop_token_ids[0]
            return
        yield first + int(random.integers(SPEECH_CODES))


class ToyEngine:
    """Steps all its streams, whether anybody takes what they say or not."""

    def __init__(self, first: int = 0, step_s: float = 0.0) -> None:
        self.first, self.step_s = first, step_s
        self.alive, self.closed, self.started = True, False, False
        self.deaf = False  # an interruption is lost, as one that comes before its stream is
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.died_of: Exception | None = None
        self.answer: Output | Exception | None = None  # in place of what a stream would say
        self.steps = self.waits_cancelled = self.wrongly_interrupted = 0
        self.speaking: list[int] = []

    def start_loop(self) -> bool:
        self.loop, self.started = asyncio.get_running_loop(), True
        return True

    def go_on(self) -> None:
        self.loop.call_soon_threadsafe(self.goes_on.set)

    def create_instance(self) -> "ToyInstance":
        return ToyInstance(self)

    async def get_health_status(self) -> dict[str, Any]:
        return {"alive": self.alive, "message": "", "schedule_metrics": None}

    async def wait_tasks(self) -> None:
        if self.died_of:
            raise self.died_of

    def close(self) -> None:
        self.closed = True


class ToyInstance:
    def __init__(self, engine: ToyEngine) -> None:
        self._engine = engine
        self._session: int | None = None
        self._said: list[int] = []
        self._status = Status.SUCCESS
        self._event = asyncio.Event()

    async def async_stream_infer(
        self,
        session_id: int,
        input_ids: list[int],
        gen_config: Any = None,
        stream_output: bool = False,
        **kwargs: Any,
    ) -> AsyncIterator[Output]:
        assert self._session is None, "two streams on one instance"
        assert stream_output
        self._session, self._said, self._status = session_id, [], Status.SUCCESS
        self._event.clear()
        self._engine.speaking.append(session_id)
        speaking = asyncio.create_task(self._speak(talk(input_ids, gen_config, self._engine.first)))
        taken = 0
        try:
            while True:
                await self._event.wait()
                self._event.clear()
                if isinstance(self._engine.answer, Exception):
                    raise self._engine.answer
                if self._engine.answer:
                    yield self._engine.answer
                    return
                status, new = self._status, self._said[taken:]
                taken += len(new)
                yield Output(status, new)
                if status is not Status.SUCCESS:
                    return
        except asyncio.CancelledError:
            self._engine.waits_cancelled += 1
            raise
        finally:
            speaking.cancel()
            await asyncio.sleep(0.001)  # an engine takes a moment to let a stream go
            self._engine.speaking.remove(session_id)
            self._session = None

    async def _speak(self, saying: Iterator[int]) -> None:
        await self._engine.goes_on.wait()
        for said in saying:
            await asyncio.sleep(self._engine.step_s)
            self._engine.steps += 1
            self._said.append(said)
            self._event.set()
        self._status = Status.FINISH
        self._event.set()

    async def async_cancel(self, session_id: int) -> None:
        if session_id != self._session:
            self._engine.wrongly_interrupted += 1
        if self._engine.deaf:
            return
        self._status = Status.CANCEL
        self._event.set()


@dataclass
class Config:
    """As far as it matters here, LMDeploy's `GenerationConfig`."""

    max_new_tokens: int
    do_sample: bool
    temperature: float
    top_k: int
    top_p: float
    min_p: float
    repetition_penalty: float
    random_seed: int
    stop_token_ids: list[int]
    bad_token_ids: list[int]
    skip_special_tokens: bool


def around(engine: Any, checkpoint: Checkpoint, streams: int = STREAMS) -> LMDeployLM:
    """A language model whose engine is `engine`."""
    dialect = published_dialect(checkpoint.tokens, checkpoint.dims.vocab_rows)
    return LMDeployLM(engine, dialect, Config, streams, SESSION_TOKENS)


def toy(checkpoint: Checkpoint) -> LMDeployLM:
    return around(ToyEngine(checkpoint.tokens.first_speech), checkpoint)


def pytorch_requests(checkpoint: Checkpoint) -> LMDeployLM:
    """LMDeploy's requests, sessions and instances; the same talk where a scheduler would be."""
    imported("lmdeploy.pytorch.engine.engine_instance")
    from lmdeploy.messages import GenerationConfig

    dialect = published_dialect(checkpoint.tokens, checkpoint.dims.vocab_rows)
    engine = PytorchRequests(checkpoint.tokens.first_speech)
    return LMDeployLM(engine, dialect, GenerationConfig, STREAMS, SESSION_TOKENS)


class PytorchRequests:
    """As much of LMDeploy's engine in PyTorch as its instances see."""

    max_session_len = SESSION_TOKENS
    engine_config = SimpleNamespace(enable_transfer_obj_ref=False)

    def __init__(self, first: int) -> None:
        from lmdeploy.messages import ResponseType
        from lmdeploy.pytorch.engine.request import RequestManager, RequestType

        self.first, self.kinds = first, ResponseType
        self.sessions: dict[int, asyncio.Task[None] | None] = {}
        self.responses: dict[int, Any] = {}
        self.req_manager = RequestManager()
        self.req_manager.set_main_loop_func(self.main_loop)
        for kind in ("ADD_SESSION", "ADD_MESSAGE", "STOP_SESSION", "END_SESSION"):
            self.req_manager.bind_func(RequestType[kind], getattr(self, kind.lower()))

    def start_loop(self) -> bool:
        self.req_manager.create_loop_task()
        return True

    async def main_loop(self) -> None:
        while True:
            await self.req_manager.step()

    def create_instance(self) -> Any:
        from lmdeploy.pytorch.engine.engine_instance import EngineInstance

        return EngineInstance(self)

    async def get_health_status(self) -> dict[str, Any]:
        return {"alive": self.req_manager.is_loop_alive()}

    def close(self) -> None:
        self.req_manager.stop_loop()

    def answer(self, response: Any, kind: Any, said: Any = None) -> None:
        response.type, response.data = kind, None if said is None else {"token_ids": said}
        self.req_manager.response(response)

    def add_session(self, requests: list[Any], **_: Any) -> None:
        for request in requests:
            self.sessions[request.data["session_id"]] = None

    def add_message(self, requests: list[Any], **_: Any) -> None:
        for request in requests:
            number = request.data["session_id"]
            self.responses[number] = request.resp
            self.sessions[number] = asyncio.create_task(self.speak(request))

    async def speak(self, request: Any) -> None:
        config = request.data["sampling_param"]
        config.stop_token_ids = config.stop_words
        said = np.zeros(0, np.int64)
        for token in talk(request.data["token_ids"], config, self.first):
            await asyncio.sleep(0)
            said = np.append(said, token)
            self.answer(request.resp, self.kinds.SUCCESS, said)
        self.answer(request.resp, self.kinds.FINISH, said)

    def stop_session(self, requests: list[Any], **_: Any) -> None:
        for request in requests:
            number = request.data["session_id"]
            if task := self.sessions.get(number):
                task.cancel()
                self.req_manager.reject_request(self.responses[number])
            self.answer(request.resp, self.kinds.SUCCESS)

    def end_session(self, requests: list[Any], **_: Any) -> None:
        for request in requests:
            if task := self.sessions.pop(request.data["session_id"]):
                task.cancel()
            self.answer(request.resp, self.kinds.SUCCESS)


def turbomind_requests(checkpoint: Checkpoint) -> LMDeployLM:
    """TurboMind's instances and native types; the same talk where its engine would be."""
    turbomind = imported("lmdeploy.turbomind")
    if not turbomind.is_available():
        pytest.skip(
            f"TurboMind's library can't be loaded ({turbomind._import_error}); a CUDA driver and "
            "the extra `cuda` bring what it needs"
        )
    from lmdeploy.messages import GenerationConfig

    dialect = cut_dialect(checkpoint.tokens, embedding(checkpoint))
    return LMDeployLM(TurboMindRequests(), dialect, GenerationConfig, STREAMS, SESSION_TOKENS)


class TurboMindRequests:
    """As much of TurboMind as its instances see."""

    engine_config = SimpleNamespace(empty_init=False, enable_metrics=False, dtype="bfloat16")

    def __init__(self) -> None:
        self.model_comm = SimpleNamespace(create_request=TurboMindRequest)

    def mm_input_converter(self, media: None) -> None:
        return media

    def create_instance(self) -> Any:
        from lmdeploy.turbomind.turbomind import TurboMindInstance

        return TurboMindInstance(self)

    async def get_health_status(self) -> dict[str, Any]:
        return {"alive": True}

    def close(self) -> None:
        pass


class TurboMindRequest:
    """What `_tm.ModelRequest` is to an instance."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def cancel(self) -> None:
        self.cancelled.set()

    def forward(
        self,
        inputs: Any,
        media: None,
        session: Any,
        config: Any,
        stream: bool,
        metrics: bool,
        signal: Callable[[], None],
    ) -> tuple[Any, "TurboMindState", None]:
        from lmdeploy.turbomind import _tm

        assert stream and media is None and not metrics
        read = torch.from_dlpack(inputs["input_ids"]).tolist()
        embeddings = torch.from_dlpack(inputs["input_embeddings"])
        ranges = torch.from_dlpack(inputs["input_embedding_ranges"])
        assert ranges.tolist() == [[0, len(read)]] and len(embeddings) == len(read)
        # Words are written as TurboMind reads them: their ids, and where each ends.
        assert config.bad_ids[1][-1] == len(config.bad_ids[0]) <= MOST_BANNED
        said = SimpleNamespace(
            top_k=config.top_k,
            random_seed=config.random_seed,
            max_new_tokens=config.max_new_tokens,
            stop_token_ids=config.stop_ids[0],
        )
        state = TurboMindState(len(read))
        output_ids = torch.zeros(SESSION_TOKENS, dtype=torch.int32)
        outputs = _tm.TensorMap()
        outputs["output_ids"] = _tm.from_dlpack(output_ids)
        self.cancelled = threading.Event()
        saying = talk([*read, zlib.crc32(embeddings.float().numpy().tobytes())], said, 0)
        speak = (saying, output_ids, self.cancelled, signal)
        threading.Thread(target=state.speak, args=speak, daemon=True).start()
        return outputs, state, None


class TurboMindState:
    """How far a request is; shared by the engine's thread and an instance."""

    def __init__(self, seq_len: int) -> None:
        self.status, self.seq_len = 0, seq_len

    def consume(self) -> SimpleNamespace:
        # The status first: whatever was said before it is there then.
        return SimpleNamespace(status=self.status, seq_len=self.seq_len)

    def speak(
        self,
        saying: Iterator[int],
        output_ids: torch.Tensor,
        cancelled: threading.Event,
        signal: Callable[[], None],
    ) -> None:
        for said in saying:
            if cancelled.is_set():
                break
            output_ids[self.seq_len] = said
            self.seq_len += 1
            signal()
        self.status = 8 if cancelled.is_set() else 7
        signal()
