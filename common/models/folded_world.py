"""A world model folded for play: what is constant while a game is played is computed once. For lab 09.5.

At play there is one game, one noise level per step, and one level of noise on the past. So the signal of the levels is
a constant. The FiLM layer of a block and the norm before it are one affine map, and all blocks' FiLM layers are one
matrix times the same signal.
"""

from collections.abc import Callable

import torch
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.models.world_unet import FiLMBlock, WorldUNet


def fold_film(norm: nn.GroupNorm, film: nn.Linear) -> nn.Linear:
    """Fold FiLM into the group norm before it, for one sample at play.

    A `FiLMBlock` computes h · (1 + scale) + shift with h = norm(x) and scale, shift = film(c).chunk(2), C numbers each.
    But norm(x) is itself the plain normalisation n(x), without weights of its own, times `norm.weight` plus
    `norm.bias`. So the whole is n(x) · gain + offset, with one gain and one offset per channel. Both are affine in c:
    one linear layer gives them, and `F.group_norm(x, norm.num_groups, gain, offset, norm.eps)` does all the rest.

    Args:
        norm: of C channels, with weight and bias.
        film: from the signal's D numbers to 2 C, with bias.

    Returns:
        A new `nn.Linear` from D to 2 C, in the dtype of `film`, that gives (gain, offset): first C gains, then C
        offsets. `norm` and `film` stay as they are, and share no memory with it.
    """
    num_channels = norm.num_channels
    folded = nn.Linear(film.in_features, 2 * num_channels, device=film.weight.device, dtype=film.weight.dtype)
    with torch.no_grad():
        gain, offset = norm.weight.to(film.weight), norm.bias.to(film.weight)  # (C,)
        scale, shift = film.weight.split(num_channels)  # (C, D)
        scale_bias, shift_bias = film.bias.split(num_channels)  # (C,)
        folded.weight.copy_(torch.cat([gain[:, None] * scale, offset[:, None] * scale + shift]))
        folded.bias.copy_(torch.cat([gain * (1 + scale_bias), offset * (1 + scale_bias) + shift_bias]))
    return folded


class FoldedWorldUNet(nn.Module):
    """A `WorldUNet` for one game at play, with the same answers up to rounding. It can't be trained.

    Args:
        model: whose weights are taken over.
        fold: called like `fold_film`; None for that itself.

    Attributes:
        config, device: of the model.
    """

    def __init__(self, model: WorldUNet, fold: Callable | None = None):
        super().__init__()
        self.model, self.config = model.eval().requires_grad_(False), model.config
        self.blocks = [block for block in model.modules() if isinstance(block, FiLMBlock)]
        layers = [(fold or fold_film)(block.norm_second, block.film) for block in self.blocks]
        self.sizes = [layer.out_features for layer in layers]
        self.films = nn.Linear(layers[0].in_features, sum(self.sizes)).to(layers[0].weight)
        with torch.no_grad():
            self.films.weight.copy_(torch.cat([layer.weight for layer in layers]))
            self.films.bias.copy_(torch.cat([layer.bias for layer in layers]))
        self.requires_grad_(False)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.films.weight.device

    def forward(self, sample, c_noise, past, actions, context_noise) -> torch.Tensor:
        """As `WorldUNet.forward`, for a batch of one.

        Raises:
            ValueError: there are more samples than one.
        """
        if len(sample) != 1:
            raise ValueError(f"a folded model plays one game, got a batch of {len(sample)}")
        net = self.model
        signal = net.condition(c_noise, actions, context_noise)
        affine = dict(zip(map(id, self.blocks), self.films(signal)[0].split(self.sizes)))

        def through(blocks, x):
            for block in blocks:
                x = folded_block(block, x, *affine[id(block)].chunk(2))
            return x

        x = torch.cat([sample, rearrange(past, "b c t h w -> b (t c) h w")], dim=1)
        x, skips = net.frames_in(F.pixel_unshuffle(x, 2).to(net.frames_in.weight.dtype)), []
        for blocks, down in zip(net.blocks_down, net.down):
            x = through(blocks, x)
            skips.append(x)
            x = down(F.pixel_unshuffle(x, 2))
        x = through(net.blocks_deep[1:], net.attention(through(net.blocks_deep[:1], x)))
        for blocks, up, skip in zip(reversed(net.blocks_up), reversed(net.up), reversed(skips)):
            x = through(blocks, torch.cat([F.pixel_shuffle(up(x), 2), skip], dim=1))
        return F.pixel_shuffle(net.frame_out(F.silu(net.norm_out(x))), 2)


def folded_block(block: FiLMBlock, x: torch.Tensor, gain: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
    """A `FiLMBlock` of one sample, with the folded affine map of its second norm, and no needless copies."""
    norm = block.norm_second
    h = block.first(F.silu(block.norm_first(x), inplace=True))
    h = F.silu(F.group_norm(h, norm.num_groups, gain, offset, norm.eps), inplace=True)
    return block.second(h).add_(block.fit(x))
