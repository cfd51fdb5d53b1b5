"""A causal autoencoder's weights under other padding in time: for comparison, and to put other layers in."""

import copy
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

from common.layers import CausalConv3d


class PaddedConv3d(nn.Module):
    """The weights of a `CausalConv3d`, with frames added in front of the clip and behind it.

    Only a layer that looks at the past alone can go on from a cache. The others pad each piece of a clip by itself.

    Args:
        causal: the layer whose weights these are.
        where: "past" (as the causal layer does), "both" (symmetric: half of it looks ahead), or "future".
        mode: "replicate" (the first and the last frame go on) or "constant" (zeros).
    """

    def __init__(self, causal: CausalConv3d, where: str, mode: str):
        super().__init__()
        self.conv, self.mode = causal.conv, mode
        num = causal.num_past
        self.before, self.after = {"past": (num, 0), "both": (num // 2, num - num // 2), "future": (0, num)}[where]

    def forward(self, x: torch.Tensor, cache: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """`(B, C_in, T, H, W)` to `(B, C_out, T, H, W)`, and the cache: the frames before the next piece, if any."""
        if cache is None or self.after:
            padded = F.pad(x, (0, 0, 0, 0, self.before, self.after), mode=self.mode)
        else:
            padded = torch.cat([cache, x], dim=2)
        num_kept = 0 if self.after else self.before
        return self.conv(padded), padded[:, :, padded.shape[2] - num_kept :].clone()


def replace_convs(model: nn.Module, make: Callable[[CausalConv3d], nn.Module]) -> nn.Module:
    """A copy of a model in which every `CausalConv3d` is what `make` gives for it."""
    model = copy.deepcopy(model)
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, CausalConv3d):
                setattr(module, name, make(child))
    return model


def repadded(model: nn.Module, where: str, mode: str = "replicate") -> nn.Module:
    """A copy of a model with the same weights and other padding in time: see `PaddedConv3d`."""
    return replace_convs(model, lambda causal: PaddedConv3d(causal, where, mode))
