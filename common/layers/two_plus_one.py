"""(2+1)D layers: what an image model does to every frame, and then something along time, at each place alone.

    Conv2Plus1d(spatial, temporal)(x, temb)       # 2D convolutions per frame, then 1D convolutions over the frames
    TemporalAttention(dim, num_heads)(x)          # every place attends to itself in all frames

Names of weights are diffusers', so that those of `sprites-svd` fit.
"""

from collections.abc import Callable

import torch
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.layers.temporal import FeedForward, frame_positions


class Conv2Plus1d(nn.Module):
    """(2+1)D convolution (Tran et al. 2018, arXiv:1711.11248): a 2D layer for each frame, then a 1D layer along time.

        h = spatial(x, temb)        every frame alone, as a picture
        temporal(h, temb)           every place alone, over all frames

    The 2D layer is one of an image model and knows pictures only, so the frames of all clips go through it as one batch
    of B T pictures. The 1D layer takes clips. It starts as the identity, and then the whole is the image model's layer.

    Args:
        spatial: the 2D layer. Called once, with pictures `(B T, C, H, W)` and their embeddings `(B T, E)`, it gives
            `(B T, C', H', W')`: other channels, other sizes, or the same.
        temporal: the 1D layer. Called once, with clips `(B, C', T, H', W')` and embeddings `(B, T, E)`, it gives clips
            of the same shape.
    """

    def __init__(self, spatial: nn.Module, temporal: nn.Module):
        super().__init__()
        self.spatial, self.temporal = spatial, temporal

    def forward(self, x: torch.Tensor, temb: torch.Tensor) -> torch.Tensor:
        """The layer's output.

        Args:
            x: floats `(B, C, T, H, W)`; T may be 1.
            temb: an embedding for each frame, `(B, T, E)`. Both layers get it, the 2D layer as `(B T, E)`.

        Returns:
            `(B, C', T, H', W')`. In the batch of pictures a clip's frames follow each other: picture b · T + t is
            frame t of clip b.
        """
        pictures = rearrange(x, "b c t h w -> (b t) c h w")
        h = self.spatial(pictures, rearrange(temb, "b t e -> (b t) e"))
        return self.temporal(rearrange(h, "(b t) c h w -> b c t h w", b=len(x)), temb)


class TemporalAttention(nn.Module):
    """Temporal attention: each place attends to itself in all frames, or to the prompt.

        q = to_q(x),   k = to_k(y),   v = to_v(y)
        to_out[0](softmax(q · k / sqrt(d)) v)

    Here y is x itself, or the context. There are `num_heads` heads, each with d = dim / num_heads numbers of q, k and
    v: head 0 has the first d, head 1 the next d, and so on. There is no mask: a frame sees earlier and later ones.

    Args:
        dim: C, of x and of the output.
        num_heads: of the attention.
        context_dim: D, of the context; None for attention to x itself.
    """

    def __init__(self, dim: int, num_heads: int, context_dim: int | None = None):
        super().__init__()
        self.num_heads = num_heads
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_k, self.to_v = (nn.Linear(context_dim or dim, dim, bias=False) for _ in range(2))
        self.to_out = nn.ModuleList([nn.Linear(dim, dim), nn.Dropout(0.0)])

    def forward(self, x: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        """The attention's output, which its caller adds to x.

        Args:
            x: floats `(B, T, N, C)`, N places of T frames. Without a context, a place reads its own T frames, and no
                other place.
            context: states of each clip's prompt, `(B, L, D)`, or None. With it, every place of every frame reads the L
                states of its own clip, and no frames.

        Returns:
            `(B, T, N, C)`, in the dtype of x and of the weights.
        """
        num_places = x.shape[2]
        queries = rearrange(x, "b t n c -> (b n) t c")
        read = queries if context is None else context.repeat_interleave(num_places, dim=0)  # (B N, L, D)
        q, k, v = (
            rearrange(part, "s l (h d) -> s h l d", h=self.num_heads)
            for part in (self.to_q(queries), self.to_k(read), self.to_v(read))
        )
        seen = rearrange(F.scaled_dot_product_attention(q, k, v), "s h l d -> s l (h d)")
        return rearrange(self.to_out[0](seen), "(b n) t c -> b t n c", n=num_places)


class TemporalLayer(nn.Module):
    """What follows a transformer block of the image model: frame positions, and attention along time and to the prompt.

        h = x + positions
        h = h + ff_in(norm_in(h));   h = h + attn1(norm1(h));   h = h + attn2(norm2(h), context);   h = h + ff(norm3(h))
        x + gate · (h - x)

    The gate is one learned number. At first it is 0, and the layer is the identity.

    Args:
        dim: channels.
        num_heads: of both attentions.
        context_dim: of the prompt's states.
        attention: the class of both attentions, called as `TemporalAttention` is; None for that.
    """

    def __init__(self, dim: int, num_heads: int, context_dim: int, attention: Callable | None = None):
        super().__init__()
        attention = attention or TemporalAttention
        self.gate = nn.Parameter(torch.zeros(1))
        self.positions = nn.ModuleList([nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)])
        self.norm_in, self.ff_in = nn.LayerNorm(dim), FeedForward(dim)
        self.norm1, self.attn1 = nn.LayerNorm(dim), attention(dim, num_heads)
        self.norm2, self.attn2 = nn.LayerNorm(dim), attention(dim, num_heads, context_dim)
        self.norm3, self.ff = nn.LayerNorm(dim), FeedForward(dim)
        for layer in (self.ff_in, self.ff):  # FeedForward starts at zero; behind a gate of 0 that would stay so
            layer.net[2].reset_parameters()  # pyrefly: ignore [not-callable]

    def forward(self, x: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        """`(B, T, N, C)` and the states of each clip's prompt `(B, L, D)` to `(B, T, N, C)`."""
        places = frame_positions(x.shape[1], x.shape[-1], x.device).to(x.dtype)
        h = x + self.positions[1](F.silu(self.positions[0](places)))[None, :, None]
        h = h + self.ff_in(self.norm_in(h))
        h = h + self.attn1(self.norm1(h))
        h = h + self.attn2(self.norm2(h), context)
        h = h + self.ff(self.norm3(h))
        return x + self.gate * (h - x)
