"""Layers that let an image U-Net see time, as Stable Video Diffusion has them (arXiv:2311.15127).

    x = spatial(x)                          every frame alone, as the image model does it
    x = blend(x, temporal(x), alpha)        beside it, the same place in all frames

Names of weights are diffusers', so that they load both ways. Fresh layers are the identity.
"""

import math

import torch
from einops import rearrange
from torch import nn
from torch.nn import functional as F

GROUPS = 32  # of every group norm


class TemporalResnetBlock(nn.Module):
    """A temporal residual block: twice group norm, SiLU and a convolution over three frames, at each place alone.

        h = conv1(SiLU(norm1(x))) + time_emb_proj(SiLU(temb))
        x + conv2(SiLU(norm2(h)))

    Group norm takes its mean and variance over all frames and places of a clip, in each of its 32 groups of channels. A
    convolution reads a frame, the one before and the one after, zeros at both ends, and never another place. At first
    conv2 is zero, and the block is the identity.

    Args:
        num_channels: C, a multiple of 32.
        temb_channels: of the noise level's embedding.
        eps: of the norms.
    """

    def __init__(self, num_channels: int, temb_channels: int, eps: float = 1e-5):
        super().__init__()
        conv = lambda: nn.Conv3d(num_channels, num_channels, (3, 1, 1), padding=(1, 0, 0))  # noqa: E731
        self.norm1, self.conv1 = nn.GroupNorm(GROUPS, num_channels, eps), conv()
        self.time_emb_proj = nn.Linear(temb_channels, num_channels)
        self.norm2, self.conv2 = nn.GroupNorm(GROUPS, num_channels, eps), conv()
        zero(self.conv2)

    def forward(self, x: torch.Tensor, temb: torch.Tensor) -> torch.Tensor:
        """The block's output.

        Args:
            x: floats `(B, C, T, H, W)`; T may be 1.
            temb: embedding of each frame's noise level, `(B, T, temb_channels)`. What `time_emb_proj` makes of a
                frame's embedding is added to that frame, the same at every place.

        Returns:
            `(B, C, T, H, W)`, in the dtype of x and of the weights.
        """
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + rearrange(self.time_emb_proj(F.silu(temb)), "b t c -> b c t 1 1")
        return x + self.conv2(F.silu(self.norm2(h)))


class AlphaBlender(nn.Module):
    """A learned mix of what the spatial and the temporal layer made: alpha · spatial + (1 - alpha) · temporal.

    alpha is sigmoid(mix_factor), one learned number for the layer. For frames that are pictures by themselves, as in a
    batch of single images, alpha is 1 whatever the mix factor is.

    Args:
        mix_factor: the mix factor at first; 0.5 makes alpha 0.62.
    """

    def __init__(self, mix_factor: float = 0.5):
        super().__init__()
        self.mix_factor = nn.Parameter(torch.tensor([mix_factor]))

    def forward(
        self, spatial: torch.Tensor, temporal: torch.Tensor, image_only_indicator: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The mix.

        Args:
            spatial: the spatial layer's output, floats `(B, T, ...)`, with any further axes or none.
            temporal: the temporal layer's output, of the same shape and dtype.
            image_only_indicator: `(B, T)`, bools or numbers: true, or a number that is not 0, for a frame that is a
                picture by itself; None for none.

        Returns:
            As `spatial`, in its shape and dtype. A picture by itself is `spatial` exactly.
        """
        alpha = self.mix_factor.sigmoid().expand(spatial.shape[:2])  # (B, T)
        if image_only_indicator is not None:
            alpha = alpha.masked_fill(image_only_indicator.bool(), 1.0)
        alpha = alpha.reshape(*alpha.shape, *[1] * (spatial.ndim - 2)).to(spatial)
        return alpha * spatial + (1 - alpha) * temporal


class Attention(nn.Module):
    """Multi-head attention with diffusers' names: queries from x, keys and values from `context`, or from x itself.

    Args:
        dim: of x and of the output.
        num_heads: they share the dim.
        context_dim: of what keys and values come from; None for x.
    """

    def __init__(self, dim: int, num_heads: int, context_dim: int | None = None):
        super().__init__()
        self.num_heads = num_heads
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_k, self.to_v = (nn.Linear(context_dim or dim, dim, bias=False) for _ in range(2))
        self.to_out = nn.ModuleList([nn.Linear(dim, dim), nn.Dropout(0.0)])
        zero(self.to_out[0])

    def forward(self, x: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        """N sequences of L queries `(N, L, dim)` to the same; `context` is `(N, M, context_dim)`, None for x itself."""
        context = x if context is None else context
        q, k, v = (
            rearrange(part, "n l (h d) -> n h l d", h=self.num_heads)
            for part in (self.to_q(x), self.to_k(context), self.to_v(context))
        )
        return self.to_out[0](rearrange(F.scaled_dot_product_attention(q, k, v), "n h l d -> n l (h d)"))


class GEGLU(nn.Module):
    """The first half of a feed-forward layer: a linear map times the GELU of another (arXiv:2002.05202)."""

    def __init__(self, dim: int, inner_dim: int):
        super().__init__()
        self.proj = nn.Linear(dim, 2 * inner_dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(..., dim)` to `(..., inner_dim)`."""
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    """Two linear layers with GEGLU between them, four times as wide inside."""

    def __init__(self, dim: int):
        super().__init__()
        self.net = nn.ModuleList([GEGLU(dim, 4 * dim), nn.Dropout(0.0), nn.Linear(4 * dim, dim)])
        zero(self.net[2])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(..., dim)` to the same."""
        return self.net[2](self.net[0](x))


class TemporalTransformerBlock(nn.Module):
    """A temporal transformer block: attention along the frames of each place, then to the prompt.

        h = x + ff_in(norm_in(x))
        h = h + attn1(norm1(h))                 self-attention along the frames of one place
        h = h + attn2(norm2(h), context)        cross-attention to the prompt
        h + ff(norm3(h))

    There is no mask: a frame sees all frames, earlier and later ones. At first the last layer of each branch is zero,
    and the block is the identity. Its weights have the names of diffusers' `TemporalBasicTransformerBlock`.

    Args:
        dim: channels.
        num_heads: of both attentions.
        context_dim: of the prompt's states.
    """

    def __init__(self, dim: int, num_heads: int, context_dim: int):
        super().__init__()
        self.norm_in, self.ff_in = nn.LayerNorm(dim), FeedForward(dim)
        self.norm1, self.attn1 = nn.LayerNorm(dim), Attention(dim, num_heads)
        self.norm2, self.attn2 = nn.LayerNorm(dim), Attention(dim, num_heads, context_dim)
        self.norm3, self.ff = nn.LayerNorm(dim), FeedForward(dim)

    def forward(self, x: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        """The block's output.

        Args:
            x: floats `(B, T, N, dim)`, N places of T frames. A place sees itself in all frames, and no other place.
            context: states of each clip's prompt, `(B, L, context_dim)`; every place and frame of a clip reads all L
                states of its own clip's prompt.

        Returns:
            `(B, T, N, dim)`, in the dtype of x and of the weights.
        """
        num_places = x.shape[2]
        h = rearrange(x, "b t n c -> (b n) t c")
        told = context.repeat_interleave(num_places, dim=0)  # (B N, L, context_dim)
        h = h + self.ff_in(self.norm_in(h))
        h = h + self.attn1(self.norm1(h))
        h = h + self.attn2(self.norm2(h), told)
        h = h + self.ff(self.norm3(h))
        return rearrange(h, "(b n) t c -> b t n c", n=num_places)


def frame_positions(num_frames: int, dim: int, device: torch.device | str = "cpu") -> torch.Tensor:
    """Sinusoidal positions of frames (Vaswani et al. 2017, arXiv:1706.03762, section 3.5): `(num_frames, dim)` float32.

    The first half are cosines, the second sines, of the frame's number times 10,000^(-2k / dim), k = 0, 1, …

    Args:
        num_frames: T.
        dim: even.
        device: where the numbers are.

    Raises:
        ValueError: dim is odd.
    """
    if dim % 2:
        raise ValueError(f"half of the positions are cosines, half sines: dim is even, got {dim}")
    frequencies = torch.exp(-math.log(10_000) * torch.arange(dim // 2, device=device) / (dim // 2))
    angles = torch.arange(num_frames, device=device)[:, None] * frequencies  # (T, dim / 2)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def zero(layer: nn.Module) -> None:
    """Set a layer's weights to zero: what it is added to stays."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
