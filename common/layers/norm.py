"""Normalisation that knows nothing of other places and other frames."""

import torch
from torch import nn
from torch.nn import functional as F


class ChannelNorm(nn.Module):
    """Scale the channels at each place of each frame to a mean square of 1, then by a learned gain each.

    Unlike group or batch norm it takes no mean over the picture or over time: a frame's value cannot depend on a later
    frame, and a clip in pieces is normalised like the whole. Root mean square norm: Zhang, Sennrich 2019,
    arXiv:1910.07467.

    Args:
        num_channels: C.
        eps: added to the mean square.
    """

    def __init__(self, num_channels: int, eps: float = 1e-6):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(num_channels))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(B, C, T, H, W)` to the same; the mean square is taken in float32, whatever the autocast."""
        full = x.float() if x.dtype == torch.float16 else x  # whose squares end at 65504; bfloat16 has float32's range
        square = (full * full).mean(dim=1, keepdim=True, dtype=torch.float32)  # (B, 1, T, H, W)
        return x * torch.rsqrt(square + self.eps).to(x.dtype) * self.gain[:, None, None, None].to(x.dtype)


class HeadNorm(nn.Module):
    """Layer norm over a head's numbers, with a learned gain and no bias: what queries and keys go through.

    Root mean square norm would do as well; on a processor layer norm is one pass, and takes a fifth of the time.

    Args:
        head_dim: of the attention.
        eps: added to the variance.
    """

    def __init__(self, head_dim: int, eps: float = 1e-6):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(head_dim))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(..., head_dim)` to the same; computed in float32, whatever the autocast."""
        return F.layer_norm(x.float(), self.gain.shape, self.gain.float(), None, self.eps).to(x.dtype)


def plain_norm(x: torch.Tensor, eps: float = 1e-6) -> torch.Tensor:
    """Each token to mean 0 and variance 1 over its numbers: `(..., D)`, float32. Gains come from the modulation."""
    return F.layer_norm(x.float(), x.shape[-1:], eps=eps)
