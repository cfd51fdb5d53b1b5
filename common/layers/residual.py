"""A residual block that works in space and in time, one after the other."""

import torch
from torch import nn
from torch.nn import functional as F

from common.layers.causal_conv import CausalConv3d
from common.layers.norm import ChannelNorm


class FactorizedBlock(nn.Module):
    """A (2+1)D residual block: a 3×3 convolution over each frame, then a causal one over three frames, and the input.

    Before each convolution come a norm and SiLU. The two cost 9 C² + 3 C² multiplications per place, a full 3×3×3
    kernel 27 C². "(2+1)D": Tran et al. 2018, arXiv:1711.11248. The second convolution begins at zero, so the block
    begins as the identity.

    Args:
        num_channels: C.
    """

    def __init__(self, num_channels: int):
        super().__init__()
        self.norm_space = ChannelNorm(num_channels)
        self.space = CausalConv3d(num_channels, num_channels, (1, 3, 3))
        self.norm_time = ChannelNorm(num_channels)
        self.time = CausalConv3d(num_channels, num_channels, (3, 1, 1))

    def init_weights(self) -> None:
        """Make the block the identity."""
        for parameter in self.time.conv.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: torch.Tensor, cache: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Add to the input what the two convolutions make of it.

        In this order: `norm_space`, SiLU, `space`, then `norm_time`, SiLU, `time`, and in the end the input is added
        once. Each convolution is called with a tensor and a cache, which is None at the beginning of a clip, and gives
        its output and the cache for the next piece of the clip. `space` sees one frame at a time, so it needs none.
        `time` gets the block's `cache`, and gives the one that the block returns.

        Args:
            x: `(B, C, T, H, W)`.
            cache: what this block returned for the piece before; None at the beginning of a clip.

        Returns:
            A tuple: `(B, C, T, H, W)`, and the cache for the next piece, `(B, C, 2, H, W)`.
        """
        h, _ = self.space(F.silu(self.norm_space(x)))
        h, cache = self.time(F.silu(self.norm_time(h)), cache)
        return x + h, cache
