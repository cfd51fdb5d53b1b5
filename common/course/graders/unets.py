"""Doubles and oracles of lab 04.1: layers that are formulas, a small image U-Net, a video model that is one formula."""

from collections.abc import Callable
from types import SimpleNamespace

import torch
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from einops import rearrange
from torch import nn

from common.course.graders.stand_ins import fill

SMALL = {"sample_size": 4, "in_channels": 3, "out_channels": 2, "block_out_channels": (8, 16), "layers_per_block": 1,
         "norm_num_groups": 4, "cross_attention_dim": 6, "attention_head_dim": 2,
         "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
         "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D")}  # fmt: skip


class Pictures(nn.Module):
    """A 2D layer that is a formula: it changes channels and size, depends on the embedding, and counts its calls."""

    def __init__(self, channels: int = 3):
        super().__init__()
        self.weight = nn.Parameter(0.3 * torch.arange(1.0, 2 * channels + 1).reshape(2, channels).cos().double())
        self.calls = 0

    def forward(self, x: torch.Tensor, temb: torch.Tensor) -> torch.Tensor:
        """`(N, C, H, W)` and `(N, E)` to `(N, 2, H // 2, W)`."""
        self.calls += 1
        told = temb.double().mean(dim=1)[:, None, None, None]
        mixed = torch.einsum("d c, n c h w -> n d h w", self.weight, x.double())[:, :, : x.shape[2] // 2 * 2]
        mixed = mixed.unflatten(2, (-1, 2)).mean(dim=3)
        return (mixed + 0.5 * mixed.square().mean((2, 3), keepdim=True) * told).to(x.dtype)


class InTime(nn.Module):
    """A 1D layer that is a formula: each frame hears of those before it, and of all embeddings up to its own."""

    def __init__(self):
        super().__init__()
        self.gain, self.calls = nn.Parameter(torch.tensor(0.7, dtype=torch.float64)), 0

    def forward(self, x: torch.Tensor, temb: torch.Tensor) -> torch.Tensor:
        """`(B, C, T, H, W)` and `(B, T, E)` to the same."""
        self.calls += 1
        told = rearrange(temb.double().square().mean(dim=2).cumsum(dim=1), "b t -> b 1 t 1 1")
        return (x.double() + self.gain * x.double().cumsum(dim=2) * told).to(x.dtype)


def in_order(spatial, temporal, x, temb, *, order="b t", told=lambda e: e, swap=False, late=True):
    """Oracle picture by picture, and ways to do it wrong: the frames in another order, other embeddings.

    Args:
        order: how the learner's batch of pictures is counted through.
        told: what the 2D layer gets of the embeddings `(B, T, E)`.
        swap: whether the embeddings alone are counted through in the other order.
        late: whether the 1D layer comes at all.
    """
    size = {"b": len(x), "t": x.shape[2]}
    x64, e = x.double(), temb.double()
    pictures = rearrange(x64, f"b c t h w -> ({order}) c h w")
    own = rearrange(told(e), f"b t e -> ({'t b' if swap else order}) e")
    made = torch.cat([spatial(pictures[k : k + 1], own[k : k + 1]) for k in range(len(pictures))])
    clips = rearrange(made, "(b t) c h w -> b c t h w", **size)
    return temporal(clips, e) if late else clips


def attended(m, x, context=None, *, along="time", heads="first", scale=None, out=True, mask=False,
             prompt=lambda c, b, k: c[b], residual=False, softmax_over=-1):  # fmt: skip
    """Oracle place by place and head by head, and ways to do it wrong."""
    dim = x.shape[-1] // m.num_heads
    made = torch.zeros(x.shape, dtype=torch.float64)
    for b in range(len(x)):
        for place in range(x.shape[2]):
            own = {"time": x[b, :, place], "all": x[b].flatten(0, 1)}[along]
            read = own if context is None else prompt(context, b, b * x.shape[2] + place)
            q, k, v = m.to_q(x[b, :, place]), m.to_k(read), m.to_v(read)
            heard = []
            for h in range(m.num_heads):
                at = slice(h * dim, (h + 1) * dim) if heads == "first" else slice(h, None, m.num_heads)
                scores = q[:, at] @ k[:, at].T / (scale or dim) ** 0.5
                if mask and context is None:
                    scores = scores.masked_fill(torch.ones_like(scores).triu(1) > 0, -torch.inf)
                heard.append(scores.softmax(dim=softmax_over) @ v[:, at])
            heard = torch.stack(heard, dim=1)
            heard = heard.flatten(1) if heads == "first" else heard.mT.flatten(1)
            made[b, :, place] = (m.to_out[0](heard) if out else heard) + residual * x[b, :, place]
    return made


def frames_of_frame(m, x, context=None):
    """The mistake of attention along the places of a frame."""
    if context is not None:
        return attended(m, x, context)
    return attended(m, x.transpose(1, 2)).transpose(1, 2)


def small_unet(seed: int) -> UNet2DConditionModel:
    """An image U-Net of two levels with random weights, every second parameter frozen."""
    unet = fill(UNet2DConditionModel(**SMALL), seed, 0.3).eval()
    for k, parameter in enumerate(unet.parameters()):
        parameter.requires_grad_(k % 2 == 0)
    return unet


class Behind(nn.Module):
    """What makes way for a block: the block, and a weight of its own. It holds further blocks of the same kinds."""

    def __init__(self, block):
        super().__init__()
        self.block, self.weight = block, nn.Parameter(torch.tensor(1.25, device=next(block.parameters()).device))
        self.held = nn.Parameter(torch.tensor(1.0), requires_grad=False)
        self.more = ResnetBlock2D(in_channels=8, temb_channels=4, groups=4)

    def forward(self, *given, **named):
        return self.weight * self.block(*given, **named)


class Formula(nn.Module):
    """A text-to-video model that is one formula of all that it is given, with one weight, `gain`."""

    def __init__(self, gain: float = 0.6):
        super().__init__()
        self.gain, self.calls = nn.Parameter(torch.tensor(gain, dtype=torch.float64)), 0

    def forward(self, sample, timestep, encoder_hidden_states):
        """`.sample` `(B, C, T, H, W)`."""
        self.calls += 1
        told = encoder_hidden_states.double().square().mean((1, 2)) + timestep.double()
        told = rearrange(told, "b -> b 1 1 1 1")
        sample64 = sample.double()
        v = self.gain * sample64 + 0.3 * sample64.cumsum(dim=2) * told + 0.2 * told
        return SimpleNamespace(sample=v.to(sample.dtype))


def loss_of(
    model, x0, eps, sigma, states, no_states, drop_text, *, drops: Callable = lambda d: d,
    empty: Callable = lambda e: e,
    shown: Callable = lambda x, s: x / (s**2 + 1).sqrt(), told: Callable = lambda s: s.log() / 4,
    target: Callable = lambda x, e, s: (e - s * x) / (s**2 + 1).sqrt(), weight: Callable = torch.ones_like,
):  # fmt: skip
    """Oracle, sample by sample in double precision, and ways to do it wrong."""
    losses, dropped = [], drops(drop_text.bool())
    for b in range(len(x0)):
        x, e, s = x0[b : b + 1].double(), eps[b : b + 1].double(), sigma[b : b + 1].double()
        said = empty(no_states) if dropped[b] else states[b : b + 1]
        v = model(shown(x + s * e, s), told(s), said.double()).sample
        losses.append(weight(s)[0] * (v - target(x, e, s)).square().mean())
    return torch.stack(losses).detach()
