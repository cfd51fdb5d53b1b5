"""Convolution over space and time that never looks ahead."""

import torch
from torch import nn


class CausalConv3d(nn.Module):
    """A 3D convolution whose output at frame t depends on the frames up to t, and on none after it.

    In space it pads both sides with zeros, and the size stays. In time it needs `kernel - 1` frames of the past: at the
    beginning of a clip these are copies of the first frame, so that a still picture stays still; after that they are
    the cache. So a clip may come in pieces: with the cache handed on, the pieces give what the whole gives.

    The idea is that of WaveNet (van den Oord et al. 2016, arXiv:1609.03499), for video in MAGVIT-v2 (Yu et al. 2023,
    arXiv:2310.05737).

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: frames, rows and columns; rows and columns are odd.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: tuple[int, int, int] = (3, 3, 3)):
        super().__init__()
        frames, rows, columns = kernel_size
        if frames < 1 or rows % 2 == 0 or columns % 2 == 0:
            raise ValueError(f"a kernel has at least one frame, and odd rows and columns; got {tuple(kernel_size)}")
        self.num_past = frames - 1
        self.conv = nn.Conv3d(in_channels, out_channels, kernel_size, padding=(0, rows // 2, columns // 2))

    def forward(self, x: torch.Tensor, cache: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Convolve a clip, or its next piece.

        Args:
            x: `(B, C_in, T, H, W)`, at least one frame.
            cache: the last `kernel - 1` input frames before `x`, `(B, C_in, kernel - 1, H, W)`; None at the beginning.

        Returns:
            The output `(B, C_out, T, H, W)`, and the cache for the next piece.
        """
        if cache is None:
            cache = x[:, :, :1].expand(-1, -1, self.num_past, -1, -1)  # the first frame has always been there
        x = torch.cat([cache.to(x.dtype), x], dim=2)  # (B, C_in, kernel - 1 + T, H, W)
        cache = x[:, :, x.shape[2] - self.num_past :].contiguous()  # a copy: a view would keep the whole piece alive
        return self.conv(x), cache
