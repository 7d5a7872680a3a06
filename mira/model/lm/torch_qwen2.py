"""Token ids and a way to attend in, hidden states out: Qwen2 in under half of the operations.

A step of a small model on a card takes as long as its operations are many. So matrices that read
the same input are joined, and norms and rotations written in the fewest operations. Knows nothing
about caches, streams or files. Source: Qwen2, arXiv:2407.10671, as transformers computes it.
"""

from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from mira.errors import CheckpointError


class Attend(Protocol):
    """Mixes the values of what a token may look at."""

    def __call__(self, layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Args: [rows, tokens, heads, dim] each. Returns: [rows, tokens, query heads * dim]."""


class Qwen2:
    """The layers of a model of transformers, in its dtype and on its device.

    Args:
        model: A Qwen2ForCausalLM; its weights are copied, so it can be dropped.
        longest: Positions are in [0, longest).

    Raises:
        CheckpointError: It is no Qwen2, or one with windowed attention.
    """

    def __init__(self, model: Any, longest: int) -> None:
        config, body = model.config, model.get_decoder()
        attention = set(getattr(config, "layer_types", ()))
        if config.model_type != "qwen2" or attention != {"full_attention"}:
            found = ", ".join([config.model_type, *sorted(attention)])
            raise CheckpointError(f"expected a qwen2 with full_attention; found {found}")
        self.kv_heads: int = config.num_key_value_heads
        self.head_dim: int = body.layers[0].self_attn.head_dim
        self._heads: int = config.num_attention_heads
        self._epsilon: float = config.rms_norm_eps
        self.embedding: Tensor = body.embed_tokens.weight.detach()
        self._norm: Tensor = body.norm.weight.detach()
        self._layers = [_Layer(layer) for layer in body.layers]
        positions = torch.arange(longest, device=self.embedding.device)[None]
        cos, sin = body.rotary_emb(self.embedding, positions)
        # The rotation adds each half of a head, negated for the first, to the other: with the
        # sign in the sines that is rolling by half a head.
        half = self.head_dim // 2
        self._cos: Tensor = cos[0, :, None]
        self._sin: Tensor = torch.cat([-sin[0, :, :half], sin[0, :, half:]], dim=-1)[:, None]

    @property
    def num_layers(self) -> int:
        """That ask to attend."""
        return len(self._layers)

    def __call__(self, ids: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        """[rows, tokens] ids and their positions -> [rows, tokens, hidden]."""
        x = F.embedding(ids, self.embedding)
        rotation = self._cos[positions], self._sin[positions]
        for number, layer in enumerate(self._layers):
            qkv = F.linear(self._normed(x, layer.before), layer.qkv, layer.qkv_bias)
            x = x + F.linear(self._attention(number, qkv, rotation, attend), layer.out)
            gate, up = F.linear(self._normed(x, layer.between), layer.gate_up).chunk(2, dim=-1)
            x = x + F.linear(F.silu(gate) * up, layer.down)
        return x

    def finish(self, x: Tensor) -> Tensor:
        """The last norm: what the head reads."""
        return self._normed(x, self._norm)

    def _attention(
        self, layer: int, qkv: Tensor, rotation: tuple[Tensor, Tensor], attend: Attend
    ) -> Tensor:
        heads = qkv.view(*qkv.shape[:2], -1, self.head_dim)
        straight, value = heads[:, :, : -self.kv_heads], heads[:, :, -self.kv_heads :]
        cos, sin = rotation
        turned = torch.addcmul(straight * cos, straight.roll(self.head_dim // 2, -1), sin)
        query, key = turned[:, :, : self._heads], turned[:, :, self._heads :]
        return attend(layer, query, key, value)

    def _normed(self, x: Tensor, weight: Tensor) -> Tensor:
        return F.rms_norm(x, weight.shape, weight, self._epsilon)


class _Layer:
    def __init__(self, layer: Any) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        projections = (attention.q_proj, attention.k_proj, attention.v_proj)
        self.before: Tensor = layer.input_layernorm.weight.detach()
        self.qkv = torch.cat([part.weight.detach() for part in projections])
        self.qkv_bias = torch.cat([part.bias.detach() for part in projections])
        self.out: Tensor = attention.o_proj.weight.detach()
        self.between: Tensor = layer.post_attention_layernorm.weight.detach()
        self.gate_up = torch.cat([mlp.gate_proj.weight.detach(), mlp.up_proj.weight.detach()])
        self.down: Tensor = mlp.down_proj.weight.detach()
