"""STDiT, the spatio-temporal transformer of Open-Sora 1.2: attention inside frames and along time, by turns.

The layout is that of the published model (hpcaitech/Open-Sora, Apache-2.0), so its weights fit after
`common.models.open_sora.convert_keys`. The code is this course's own, and small models of the class train on a CPU.
"""

import math
from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from einops import rearrange, repeat
from torch import nn

from common.layers.attention import KeyValues, attend, check_heads
from common.layers.modulation import timestep_features
from common.layers.norm import plain_norm
from common.layers.rope import rotate
from common.models.shipped import Shipped
from common.tensor_ops import patchify, unpatchify

PATCH = (1, 2, 2)
NUM_MODULATIONS = 6  # of a block: shift, scale, gate of the attention, then of the feed-forward network


@dataclass
class STDiTOutput(BaseOutput):
    """What the model gives.

    Attributes:
        sample: the velocity `(B, C, T', H', W')`, eps - x0.
    """

    sample: torch.Tensor


class FactoredAttention(nn.Module):
    """Self-attention with root mean square QK-norm, over one axis of the tokens at a time.

    Args:
        dim: D of a token.
        num_heads: divides D.
    """

    def __init__(self, dim: int, num_heads: int):
        super().__init__()
        check_heads(dim, num_heads)
        self.num_heads = num_heads
        self.to_qkv, self.to_out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.norm_q, self.norm_k = (nn.RMSNorm(dim // num_heads, eps=1e-6) for _ in range(2))

    def forward(self, x: torch.Tensor, rotation: torch.Tensor | None = None) -> torch.Tensor:
        """`(B, N, D)` to the same; `rotation` `(N, head_dim / 2)` turns queries and keys, None for none."""
        q, k, v = rearrange(self.to_qkv(x), "b n (three h d) -> three b n h d", three=3, h=self.num_heads)
        full = self.norm_q.weight.dtype  # float32 also where autocast made queries and keys bfloat16
        q, k = self.norm_q(q.to(full)).to(v.dtype), self.norm_k(k.to(full)).to(v.dtype)
        if rotation is not None:
            q, k = rotate(q, rotation), rotate(k, rotation)
        return self.to_out(attend(q, KeyValues(*(rearrange(part, "b n h d -> b h n d") for part in (k, v))), None))


class PlainCrossAttention(nn.Module):
    """Cross-attention to a text, without QK-norm and without places.

    Args:
        dim: D of a token and of a token of the text.
        num_heads: divides D.
    """

    def __init__(self, dim: int, num_heads: int):
        super().__init__()
        check_heads(dim, num_heads)
        self.num_heads = num_heads
        self.to_q, self.to_kv, self.to_out = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim), nn.Linear(dim, dim)

    def forward(self, x: torch.Tensor, text: torch.Tensor, text_mask: torch.Tensor | None = None) -> torch.Tensor:
        """`(B, N, D)` and a text `(B, L, D)` to `(B, N, D)`; `text_mask` `(B, L)` is True for a token."""
        q = rearrange(self.to_q(x), "b n (h d) -> b n h d", h=self.num_heads)
        k, v = rearrange(self.to_kv(text), "b l (two h d) -> two b h l d", two=2, h=self.num_heads)
        mask = None if text_mask is None else text_mask[:, None, None, :].bool()
        return self.to_out(attend(q, KeyValues(k, v), mask))


class STDiTBlock(nn.Module):
    """A block of STDiT: attention along one axis, cross-attention to the text, feed-forward network.

    Args:
        dim: D of a token.
        num_heads: of both attentions.
        ffn_dim: width of the feed-forward network.
        temporal: attention along time at each place; else inside each frame.
    """

    def __init__(self, dim: int, num_heads: int, ffn_dim: int, temporal: bool = False):
        super().__init__()
        self.temporal = temporal
        self.table = nn.Parameter(torch.zeros(NUM_MODULATIONS, dim))
        self.attention = FactoredAttention(dim, num_heads)
        self.cross_attention = PlainCrossAttention(dim, num_heads)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(approximate="tanh"), nn.Linear(ffn_dim, dim))

    def forward(self, x, signal, text, text_mask=None, rotation=None, noisy=None, clean_signal=None):
        """Three residual branches: attention, cross-attention, feed-forward.

        Signal plus `self.table` are six rows: shift, scale and gate of the attention, then of the feed-forward
        network `self.ffn`. These two branches compute x + gate · network(plain_norm(x) · (1 + scale) + shift). The
        cross-attention between them reads x as it is: it has no norm and no rows, and its output is added to x. All
        tokens of a clip read the same text.

        A spatial block (`self.temporal` is False) attends inside each frame, without a rotation. A temporal block
        attends along time: the T' tokens of each place see each other, turned by `rotation`.

        Args:
            x: tokens `(B, T', S, D)`.
            signal: `(B, 6, D)`, from the noise level.
            text: `(B, L, D)`.
            text_mask: `(B, L)`, True for a token; None for all.
            rotation: `(T', head_dim / 2)`, for temporal blocks; None for no places.
            noisy: `(B, T')`, False for a frame of level 0, which takes its six rows from `clean_signal`; None for a
                clip whose frames are all noisy.
            clean_signal: `(B, 6, D)`, the signal of level 0; needed with `noisy`.

        Returns:
            Tokens of the same shape and dtype.
        """
        rows = (signal + self.table)[:, None, :, None]  # (B, 1, 6, 1, D)
        if noisy is not None:
            # pyrefly: ignore [bad-argument-type, unsupported-operation]  # comes with noisy
            clean = (clean_signal + self.table)[:, None, :, None]
            rows = torch.where(noisy[:, :, None, None, None], rows, clean)  # (B, T', 6, 1, D)
        shift, scale, gate, ffn_shift, ffn_scale, ffn_gate = rows.unbind(2)  # (B, 1 or T', 1, D) each
        batch, num_frames = x.shape[:2]
        h = (plain_norm(x) * (1 + scale) + shift).to(x.dtype)
        if self.temporal:
            h = self.attention(rearrange(h, "b t s d -> (b s) t d"), rotation)
            h = rearrange(h, "(b s) t d -> b t s d", b=batch)
        else:
            h = self.attention(rearrange(h, "b t s d -> (b t) s d"))
            h = rearrange(h, "(b t) s d -> b t s d", b=batch)
        x = x + (gate * h).to(x.dtype)
        h = self.cross_attention(rearrange(x, "b t s d -> b (t s) d"), text, text_mask)
        x = x + rearrange(h, "b (t s) d -> b t s d", t=num_frames)
        h = (plain_norm(x) * (1 + ffn_scale) + ffn_shift).to(x.dtype)
        return x + (ffn_gate * self.ffn(h)).to(x.dtype)


class STDiT(Shipped, ModelMixin, ConfigMixin):
    """The spatio-temporal diffusion transformer: `depth` pairs of a spatial and a temporal block.

    Args:
        in_channels: C of the latents.
        out_channels: of the last layer; the published model has 2 C, of which the first C are the velocity.
        dim: D of a token.
        depth: pairs of blocks.
        num_heads: of each attention.
        ffn_dim: width of the feed-forward networks.
        text_dim: of the text encoder's states.
        num_text_tokens: rows of the learned empty text; 0 for none.
        has_fps: an embedding of the frames per second is added to the level's.
        freq_dim: cosines and sines of a number.
        rope_theta: of the places in time.
        base_grid: rows and columns over which places are stretched, whatever the size of a frame, as the published
            model does it with 32; 0 for places that count from 0 in steps of 1.
    """

    @register_to_config
    def __init__(
        self,
        in_channels: int = 16,
        out_channels: int = 16,
        dim: int = 128,
        depth: int = 3,
        num_heads: int = 4,
        ffn_dim: int = 384,
        text_dim: int = 384,
        num_text_tokens: int = 0,
        has_fps: bool = False,
        freq_dim: int = 256,
        rope_theta: float = 10_000.0,
        base_grid: int = 0,
    ):
        super().__init__()
        self.patches_in = nn.Linear(in_channels * 4, dim)
        self.text_in = nn.Sequential(nn.Linear(text_dim, dim), nn.GELU(approximate="tanh"), nn.Linear(dim, dim))
        self.time_in = nn.Sequential(nn.Linear(freq_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.fps_in = nn.Sequential(nn.Linear(freq_dim, dim), nn.SiLU(), nn.Linear(dim, dim)) if has_fps else None
        self.to_signal = nn.Sequential(nn.SiLU(), nn.Linear(dim, NUM_MODULATIONS * dim))
        self.empty_text = nn.Parameter(torch.zeros(num_text_tokens, text_dim)) if num_text_tokens else None
        self.spatial_blocks = nn.ModuleList(STDiTBlock(dim, num_heads, ffn_dim) for _ in range(depth))
        self.temporal_blocks = nn.ModuleList(STDiTBlock(dim, num_heads, ffn_dim, True) for _ in range(depth))
        self.last_table = nn.Parameter(torch.zeros(2, dim))
        self.patches_out = nn.Linear(dim, out_channels * 4)
        self.init_weights()

    def init_weights(self) -> None:
        """Fresh weights: outputs about as large as inputs; what a block adds is zero, and so is the velocity."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                nn.init.zeros_(module.bias)
        for module in self.modules():
            if isinstance(module, PlainCrossAttention):
                nn.init.zeros_(module.to_out.weight)
        nn.init.zeros_(self.patches_out.weight)
        nn.init.zeros_(self.to_signal.get_parameter("1.weight"))

    def forward(
        self,
        hidden_states: torch.Tensor,
        timestep: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        encoder_attention_mask: torch.Tensor | None = None,
        noisy: torch.Tensor | None = None,
        fps: torch.Tensor | None = None,
        return_dict: bool = True,
    ):
        """Predict a velocity.

        Args:
            hidden_states: noisy latents `(B, C, T', H', W')`, H' and W' even.
            timestep: 1000 times the noise level, `(B,)`.
            encoder_hidden_states: `(B, L, text_dim)`.
            encoder_attention_mask: `(B, L)`, True for a token; None for all.
            noisy: `(B, T')`, False for frames of level 0; None for none of them.
            fps: frames per second, `(B,)`; needed where the model has an embedding of them.
            return_dict: False for a tuple.
        """
        num_frames, height, width = hidden_states.shape[2:]
        x = rearrange(patchify(hidden_states, PATCH), "b (t s) d -> b t s d", t=num_frames)
        grid = grid_features(height // 2, width // 2, self.config.dim, x.device, self.config.base_grid)
        x = (self.patches_in(x) + grid).to(hidden_states.dtype)
        text = self.text_in(encoder_hidden_states.to(x.dtype))
        level = self._embed(timestep, fps, x.dtype)
        clean = self._embed(torch.zeros_like(timestep), fps, x.dtype)
        signal, clean_signal = self._signal(level), self._signal(clean)
        rotation = frame_rotations(
            num_frames, self.config.dim // self.config.num_heads, self.config.rope_theta, x.device
        )
        for pair in zip(self.spatial_blocks, self.temporal_blocks, strict=True):
            for block in pair:
                x = block(x, signal, text, encoder_attention_mask, rotation, noisy, clean_signal)
        rows = (level[:, None] + self.last_table)[:, None, :, None]  # (B, 1, 2, 1, D)
        if noisy is not None:
            last = (clean[:, None] + self.last_table)[:, None, :, None]
            rows = torch.where(noisy[:, :, None, None, None], rows, last)
        shift, scale = rows.unbind(2)
        x = self.patches_out((plain_norm(x) * (1 + scale) + shift).to(x.dtype)).to(x.dtype)
        sample = unpatchify(rearrange(x, "b t s d -> b (t s) d"), PATCH, (num_frames, height, width))
        sample = sample[:, : self.config.in_channels]
        return STDiTOutput(sample=sample) if return_dict else (sample,)

    def _embed(self, timestep: torch.Tensor, fps, dtype) -> torch.Tensor:
        features = timestep_features(timestep, self.config.freq_dim).to(dtype)
        embedding = self.time_in(features)
        if self.fps_in is not None:
            embedding = embedding + self.fps_in(timestep_features(fps, self.config.freq_dim).to(dtype))
        return embedding  # (B, D)

    def _signal(self, embedding) -> torch.Tensor:
        return rearrange(self.to_signal(embedding), "b (six d) -> b six d", six=NUM_MODULATIONS)


@torch.no_grad()
def close_temporal_blocks(model: STDiT) -> None:
    """Set the last layer of each branch of the temporal blocks to zero, so that frames are independent."""
    for block in model.temporal_blocks:
        for name in ("attention.to_out", "cross_attention.to_out", "ffn.2"):
            for end in ("weight", "bias"):
                nn.init.zeros_(block.get_parameter(f"{name}.{end}"))


def grid_features(height: int, width: int, dim: int, device=None, base_grid: int = 0) -> torch.Tensor:
    """Sines and cosines of each token's place in its frame: `(height · width, dim)`, the column's half first.

    With a `base_grid` G, row i has the place i · (G / √(height width)) · round(√(height width)) / height, and columns
    likewise: about G places from edge to edge, as in `STDiT3` of Open-Sora 1.2, whose G is 32 tokens of 16 pixels.

    Args:
        height: rows of tokens.
        width: columns.
        dim: a multiple of 4.
        device: of the result.
        base_grid: G; 0 for places 0, 1, 2, ….
    """
    half = dim // 2
    speeds = 10_000.0 ** (-torch.arange(0, half, 2, device=device) / half)
    side = math.sqrt(height * width)

    def encode(length):
        places = torch.arange(length, device=device).float()
        if base_grid:
            places = places * (base_grid / side * round(side) / length)
        angle = places[:, None] * speeds
        return torch.cat([angle.sin(), angle.cos()], dim=-1)

    rows, columns = encode(height), encode(width)
    rows = repeat(rows, "h d -> (h w) d", w=width)
    return torch.cat([repeat(columns, "w d -> (h w) d", h=height), rows], dim=-1)


def frame_rotations(num_frames: int, head_dim: int, theta: float = 10_000.0, device=None) -> torch.Tensor:
    """RoPE along time alone: complex64 `(num_frames, head_dim / 2)`, frame t's pair j turned by t · theta^(-2j/d)."""
    speeds = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
    angle = torch.arange(num_frames, dtype=torch.float64)[:, None] * speeds
    return torch.polar(torch.ones_like(angle), angle).to(torch.complex64).to(device)
