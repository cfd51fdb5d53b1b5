"""Normalisation that knows nothing of other places and other frames."""

import torch
from torch import nn


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
        """`(B, C, T, H, W)` to the same; computed in float32, whatever the autocast."""
        full = x.float()
        scale = torch.rsqrt(full.square().mean(dim=1, keepdim=True) + self.eps)  # (B, 1, T, H, W)
        return (full * scale * self.gain[:, None, None, None]).to(x.dtype)
