"""Downsampling and upsampling in space and time: a rearrangement and a matrix, each the other's mirror image.

Nothing is thrown away before the matrix has seen it, as a strided convolution with a small kernel would do: space to
depth, as in pixel unshuffle (Shi et al. 2016, arXiv:1609.05158), with time as a third axis.
"""

import torch
from einops import rearrange
from torch import nn

FRAMES, ROWS, COLUMNS = 4, 2, 2  # of a cell: the factors by which the axes become shorter


class Downsample(nn.Conv3d):
    """Downsampling: each cell of 4 frames, 2 rows and 2 columns becomes one place.

    The cell's values are stacked on the channel axis, and a 1×1×1 convolution, which is one matrix at every place,
    mixes them. The convolution is this layer itself: `super().forward` takes `16 · in_channels` channels. In their
    order the channel of the input comes first, then the frame, the row and the column within the cell.

    Args:
        in_channels: F, of the fine grid.
        out_channels: K, of the coarse grid.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(FRAMES * ROWS * COLUMNS * in_channels, out_channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shorten all three axes.

        Args:
            x: `(B, F, 4 T, 2 H, 2 W)`.

        Returns:
            `(B, K, T, H, W)`.
        """
        x = rearrange(x, "b c (t pt) (h ph) (w pw) -> b (c pt ph pw) t h w", pt=FRAMES, ph=ROWS, pw=COLUMNS)
        return super().forward(x)


class Upsample(nn.Conv3d):
    """Upsampling: each place becomes a cell of 4 frames, 2 rows and 2 columns.

    A 1×1×1 convolution makes all the values of the cell, and they move from the channel axis to their places. The
    convolution is this layer itself: `super().forward` gives `16 · out_channels` channels. In their order the channel
    of the output comes first, then the frame, the row and the column within the cell.

    Args:
        in_channels: K, of the coarse grid.
        out_channels: F, of the fine grid.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(in_channels, FRAMES * ROWS * COLUMNS * out_channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Lengthen all three axes.

        Args:
            x: `(B, K, T, H, W)`.

        Returns:
            `(B, F, 4 T, 2 H, 2 W)`.
        """
        x = super().forward(x)
        return rearrange(x, "b (c pt ph pw) t h w -> b c (t pt) (h ph) (w pw)", pt=FRAMES, ph=ROWS, pw=COLUMNS)
