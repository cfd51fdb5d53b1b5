"""Causal convolution over space and time, and what goes with it: nothing here looks ahead."""

from collections.abc import Callable

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
            The output `(B, C_out, T, H, W)`, and the cache for the next piece, `(B, C_in, kernel - 1, H, W)`: a copy
            that keeps no other frame in memory. For a kernel of one frame it has no frames.
        """
        if cache is None:
            cache = x[:, :, :1].expand(-1, -1, self.num_past, -1, -1)  # the first frame has always been there
        x = torch.cat([cache.to(x.dtype), x], dim=2)  # (B, C_in, kernel - 1 + T, H, W)
        cache = x[:, :, x.shape[2] - self.num_past :].clone()  # a view would keep the whole piece alive
        return self.conv(x), cache


def inflate_causal(weight: torch.Tensor, num_frames: int) -> torch.Tensor:
    """Inflate the kernel of a 2D convolution to a causal 3D one: the picture's kernel is the last slice, the rest is 0.

    A causal kernel's last slice meets the present frame. So the 3D convolution does to every frame of a clip what the
    2D one does to a picture, and a video model can begin as the image model that it comes from. Open-Sora Plan calls
    it tail initialization (Lin et al. 2024, arXiv:2412.00131).

    Args:
        weight: `(C_out, C_in, kH, kW)`.
        num_frames: of the new kernel, at least 1.

    Returns:
        `(C_out, C_in, num_frames, kH, kW)`, with the dtype and on the device of `weight`.

    Raises:
        ValueError: `weight` has another number of axes, or `num_frames` is below 1.
    """
    if weight.ndim != 4:
        raise ValueError(f"the kernel of a 2D convolution is (C_out, C_in, kH, kW), got {tuple(weight.shape)}")
    if num_frames < 1:
        raise ValueError(f"a kernel has at least one frame, got {num_frames}")
    past = torch.zeros_like(weight)[:, :, None].expand(-1, -1, num_frames - 1, -1, -1)
    return torch.cat([past, weight[:, :, None]], dim=2)


def causal_downsample(
    encoder: Callable, clip: torch.Tensor, caches: object = None, ratio: int = 4
) -> tuple[torch.Tensor, object]:
    """Causal downsampling in time: 1 + 4k frames to 1 + k latents, of which the first sees the first frame alone.

    The encoder makes one latent of every group of `ratio` frames. At the beginning of a clip, the first frame is
    repeated until it fills a group of its own. Later pieces of the clip go to the encoder as they are.

    Args:
        encoder: called once, as `encoder(groups, caches)`, with all groups `(B, C, ratio · T', H, W)` and the caches of
            the piece before (None at the beginning). It returns `(B, M, T', H', W')` and the caches for the next piece.
        clip: `(B, C, T, H, W)`: `1 + ratio · k` frames at the beginning, k at least 0; `ratio · k` frames in later
            pieces, k at least 1.
        caches: what the call for the piece before returned; None at the beginning.
        ratio: frames per latent, at least 1.

    Returns:
        What the encoder returns.

    Raises:
        ValueError: the number of frames is none of these.
    """
    num_frames, begins = clip.shape[2], caches is None
    if num_frames < 1 or num_frames % ratio != (1 % ratio if begins else 0):
        wanted = f"1 + {ratio}k frames (1, {1 + ratio}, ...)" if begins else f"{ratio}k frames ({ratio}, ...)"
        raise ValueError(f"{'a clip' if begins else 'the next piece of a clip'} has {wanted}, got {num_frames}")
    if begins:
        clip = torch.cat([clip[:, :, :1].expand(-1, -1, ratio - 1, -1, -1), clip], dim=2)  # a group of its own
    return encoder(clip, caches)
