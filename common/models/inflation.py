"""Inflation: an image autoencoder as a causal 3D one, the beginning of many video models."""

import copy
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

from common.layers import CausalConv3d, inflate_causal


class InflatedConv(nn.Module):
    """A convolution over frames that was one over pictures. It gives its output alone: there is no stream here.

    Args:
        conv: over each frame by itself, with a kernel of one frame.
        num_frames: of the new kernel.
        kernel: makes the kernel `(C_out, C_in, num_frames, kH, kW)` from `(C_out, C_in, kH, kW)` and `num_frames`.
    """

    def __init__(self, conv: nn.Conv3d, num_frames: int, kernel: Callable[[torch.Tensor, int], torch.Tensor]):
        super().__init__()
        self.causal = CausalConv3d(
            conv.in_channels, conv.out_channels, (num_frames, conv.kernel_size[1], conv.kernel_size[2])
        )
        with torch.no_grad():
            self.causal.conv.weight.copy_(kernel(conv.weight[:, :, 0], num_frames))
            self.causal.get_parameter("conv.bias").copy_(conv.get_parameter("bias"))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(B, C_in, T, H, W)` to `(B, C_out, T, H, W)`."""
        return self.causal(x)[0]


def inflate(model: nn.Module, num_frames: int = 3, kernel: Callable | None = None) -> nn.Module:
    """A copy of an image model whose 3×3 convolutions are causal over `num_frames` frames, to be trained on video.

    Before any training it does to each frame what the image model does.

    Args:
        model: such as `FrameAutoencoder`; its layers take `(B, C, T, H, W)` and look at each frame by itself.
        num_frames: of the new kernels.
        kernel: another way to inflate than `inflate_causal`, such as `middle_slice` or `mean_slices`.
    """
    model, kernel = copy.deepcopy(model), kernel or inflate_causal
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv3d) and child.kernel_size[1:] != (1, 1):
                setattr(module, name, InflatedConv(child, num_frames, kernel))
    return model


def middle_slice(weight: torch.Tensor, num_frames: int) -> torch.Tensor:
    """The kernel in the middle slice (central inflation): for layers that look both ways. A causal layer is late."""
    past = num_frames // 2
    return F.pad(weight[:, :, None], (0, 0, 0, 0, past, num_frames - 1 - past))


def mean_slices(weight: torch.Tensor, num_frames: int) -> torch.Tensor:
    """The kernel spread evenly over all slices (average inflation, I3D: arXiv:1705.07750): a mean over time."""
    return weight[:, :, None].expand(-1, -1, num_frames, -1, -1) / num_frames
