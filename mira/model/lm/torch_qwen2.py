"""Token ids and a way to attend in, logits of what can be said out: Qwen2 in few operations.

A step of a small model on a card takes as long as its operations are many. So matrices that read
the same input are joined, and norms and rotations written in the fewest operations: under half of
those that transformers needs. Knows nothing about caches, streams or files. Source: Qwen2,
arXiv:2407.10671, as transformers computes it.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from mira.model.checkpoint.language import EMBEDDING, HEAD, LanguageDims

Take = Callable[[str], Tensor]
"""A tensor by the name that transformers gives it; on its device, and asked for once."""


class Attend(Protocol):
    """Mixes the values of what a token may look at."""

    def __call__(self, layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Args: [rows, tokens, heads, dim] each. Returns: [rows, tokens, query heads * dim]."""


class Qwen2:
    """A language model whose head is cut to what can be said.

    That is 8192 rows and a few instead of 166,000, which is over a quarter of what a step reads.

    Args:
        take: Hands out its tensors; all of one dtype, on one device.
        dims: Their dimensions.
        rows: Vocabulary ids that can be said, in the order of the logits.
        longest: Positions are in [0, longest).
    """

    def __init__(self, take: Take, dims: LanguageDims, rows: Sequence[int], longest: int) -> None:
        self.dims = dims
        self._embedding = take(EMBEDDING)
        head = self._embedding if dims.tied else take(HEAD)
        self.head = head[torch.tensor(rows, device=head.device)]
        self._norm = take("model.norm.weight")
        self._layers = [_Layer(take, f"model.layers.{number}") for number in range(dims.layers)]
        frequencies = 1 / dims.rope_theta ** (torch.arange(0, dims.head_dim, 2) / dims.head_dim)
        angles = torch.arange(longest)[:, None, None] * frequencies
        cos, sin = angles.cos(), angles.sin()
        # The rotation adds each half of a head, negated for the first, to the other: with the
        # sign in the sines that is rolling by half a head.
        self._cos = torch.cat([cos, cos], dim=-1).to(head)
        self._sin = torch.cat([-sin, sin], dim=-1).to(head)

    def __call__(self, ids: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        """[rows, tokens] ids and their positions -> [rows, tokens, hidden]."""
        x = F.embedding(ids, self._embedding)
        rotation = self._cos[positions], self._sin[positions]
        for number, layer in enumerate(self._layers):
            qkv = F.linear(self._normed(x, layer.before), layer.qkv, layer.qkv_bias)
            x = x + F.linear(self._attention(number, qkv, rotation, attend), layer.out)
            gate, up = F.linear(self._normed(x, layer.between), layer.gate_up).chunk(2, dim=-1)
            x = x + F.linear(F.silu(gate) * up, layer.down)
        return x

    def logits(self, x: Tensor) -> Tensor:
        """[..., hidden] -> [..., rows]"""
        return F.linear(self._normed(x, self._norm), self.head)

    def _attention(
        self, layer: int, qkv: Tensor, rotation: tuple[Tensor, Tensor], attend: Attend
    ) -> Tensor:
        dim, kv_heads = self.dims.head_dim, self.dims.kv_heads
        heads = qkv.view(*qkv.shape[:2], -1, dim)
        straight, value = heads[:, :, :-kv_heads], heads[:, :, -kv_heads:]
        cos, sin = rotation
        turned = torch.addcmul(straight * cos, straight.roll(dim // 2, -1), sin)
        query, key = turned[:, :, : self.dims.heads], turned[:, :, self.dims.heads :]
        return attend(layer, query, key, value)

    def _normed(self, x: Tensor, weight: Tensor) -> Tensor:
        return F.rms_norm(x, weight.shape, weight, self.dims.norm_epsilon)


class _Layer:
    def __init__(self, take: Take, name: str) -> None:
        attention, mlp = f"{name}.self_attn", f"{name}.mlp"
        self.before = take(f"{name}.input_layernorm.weight")
        self.qkv = torch.cat([take(f"{attention}.{part}_proj.weight") for part in "qkv"])
        self.qkv_bias = torch.cat([take(f"{attention}.{part}_proj.bias") for part in "qkv"])
        self.out = take(f"{attention}.o_proj.weight")
        self.between = take(f"{name}.post_attention_layernorm.weight")
        self.gate_up = torch.cat([take(f"{mlp}.{part}_proj.weight") for part in ("gate", "up")])
        self.down = take(f"{mlp}.down_proj.weight")
