"""The U-Net of a neural world model: the next frame of a game, from the last few frames and the keys.

GameNGen (Valevski et al. 2024, arXiv:2408.14837) and DIAMOND (Alonso et al. 2024, arXiv:2405.12399) in small: the past
frames are stacked onto the noisy next one as further channels; the keys, the noise level and the noise on the past
steer every block by FiLM. Pixels are folded 2×2 into channels first (pixel unshuffle), so that no convolution works at
full height. The network is raw: EDM's preconditioning goes around it, in `common.streaming.world`.
"""

from collections.abc import Sequence

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.layers.modulation import timestep_features
from common.models.shipped import Shipped
from common.tensor_ops import append_dims

PRESETS = {
    "ci": {"channels": [16, 24, 32], "num_blocks": [1, 1, 1], "cond_channels": 32},
    "cpu": {"channels": [48, 96, 128], "num_blocks": [1, 2, 4], "cond_channels": 128},
    "gpu": {"channels": [96, 192, 256], "num_blocks": [2, 3, 4], "cond_channels": 256},
}
NOISE_UNITS, CONTEXT_UNITS = 100.0, 1000.0  # what `timestep_features` gets per unit of c_noise, and of context noise
HEAD_DIM = 32


class FiLMBlock(nn.Module):
    """A residual block that a signal steers: norm, SiLU, convolution; norm, FiLM, SiLU, convolution; the input added.

    Args:
        in_channels: of the input.
        out_channels: C of the output. Where the two differ, a 1×1 convolution fits the input to the sum.
        cond_channels: of the signal.
    """

    def __init__(self, in_channels: int, out_channels: int, cond_channels: int):
        super().__init__()
        self.norm_first, self.norm_second = group_norm(in_channels), group_norm(out_channels)
        self.first = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.film = nn.Linear(cond_channels, 2 * out_channels)
        self.fit = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)

    def init_weights(self) -> None:
        """The block begins as its `fit` alone, and no signal changes anything."""
        for layer in (self.second, self.film):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def forward(self, x: torch.Tensor, cond: torch.Tensor) -> torch.Tensor:
        """FiLM (Perez et al. 2017, arXiv:1709.07871) inside a residual block.

        In this order: `norm_first`, SiLU, `first`; then `norm_second`, FiLM, SiLU, `second`. In the end `fit` of the
        input is added. FiLM turns h into h · (1 + scale) + shift, with one scale and one shift per channel of each
        sample. `film` of the signal gives both: its first C numbers are the scales, the other C the shifts.

        Args:
            x: `(B, in_channels, H, W)`.
            cond: the signal, `(B, cond_channels)`.

        Returns:
            `(B, C, H, W)`.
        """
        h = self.first(F.silu(self.norm_first(x)))
        scale, shift = self.film(cond).chunk(2, dim=1)  # (B, C) each
        h = self.norm_second(h) * (1 + append_dims(scale, h)) + append_dims(shift, h)
        return self.fit(x) + self.second(F.silu(h))


class ActionEmbedding(nn.Module):
    """The keys as one vector: a table for each place in the past, and a row more in each for "no action is told".

    `table` has K (A + 1) rows. The first A + 1 belong to the oldest place, the next A + 1 to the place after it, and so
    on. Within a place, row a belongs to action a, and the last row to the null action, whose index is A.

    Args:
        num_actions: A. Index A is the null action, for action dropout and for guidance.
        context: K, frames of the past, and so of actions.
        cond_channels: of the vector.
    """

    def __init__(self, num_actions: int, context: int, cond_channels: int):
        super().__init__()
        self.null, self.context = num_actions, context
        self.table = nn.Embedding(context * (num_actions + 1), cond_channels)

    def forward(self, actions: torch.Tensor) -> torch.Tensor:
        """The sum of the K actions' rows: the same action has another row at each place.

        Args:
            actions: int64 `(B, K)`, from 0 to A, oldest first.

        Returns:
            `(B, cond_channels)`.
        """
        place = torch.arange(self.context, device=actions.device) * (self.null + 1)
        return self.table(place + actions).sum(dim=1)

    def drop(self, actions: torch.Tensor, dropped: torch.Tensor) -> torch.Tensor:
        """Action dropout: some samples are not told any action. All K of theirs become the null action.

        Args:
            actions: int64 `(B, K)`.
            dropped: bool `(B,)`: which samples.

        Returns:
            int64 `(B, K)`, a new tensor.
        """
        return actions.masked_fill(dropped[:, None], self.null)


class SelfAttention(nn.Module):
    """Every place of a picture looks at every other one, so that a coin can reach the HUD.

    Args:
        num_channels: C, a multiple of the head's width.
    """

    def __init__(self, num_channels: int):
        super().__init__()
        self.num_heads = max(1, num_channels // HEAD_DIM)
        self.norm = group_norm(num_channels)
        self.qkv, self.out = nn.Conv2d(num_channels, 3 * num_channels, 1), nn.Conv2d(num_channels, num_channels, 1)

    def init_weights(self) -> None:
        """Make it the identity."""
        for parameter in self.out.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(B, C, H, W)` to the same."""
        q, k, v = rearrange(
            self.qkv(self.norm(x)), "b (three head c) h w -> three b head (h w) c", three=3, head=self.num_heads
        )
        h = F.scaled_dot_product_attention(q, k, v)  # (B, heads, H W, c)
        return x + self.out(rearrange(h, "b head (h w) c -> b (head c) h w", h=x.shape[2]))


class WorldUNet(Shipped, ModelMixin, ConfigMixin):
    """The raw network. `from_pretrained("arcade-rooms")` gives the one that plays `rooms`.

    Args:
        num_actions: A, of the game.
        context: K, frames of the past that it sees, each with the action pressed while it was shown.
        height: of the frames it was trained on.
        width: likewise.
        channels: on the grid of half the height, of a quarter, of an eighth.
        num_blocks: on each grid on the way down, and but for the last again on the way up.
        cond_channels: of the signal that steers the blocks.
        sigma_data: standard deviation of the frames' pixels, for EDM's preconditioning.
        sigma_max: noise level at which sampling begins.
        max_context_noise: the most noise on the past in training.
    """

    @register_to_config
    def __init__(
        self,
        num_actions: int = 6,
        context: int = 4,
        height: int = 64,
        width: int = 64,
        channels: Sequence[int] = (48, 96, 128),
        num_blocks: Sequence[int] = (1, 2, 4),
        cond_channels: int = 128,
        sigma_data: float = 0.5,
        sigma_max: float = 5.0,
        max_context_noise: float = 0.5,
    ):
        super().__init__()
        cond, deepest = cond_channels, len(channels) - 1

        def blocks(first: int, level: int) -> nn.ModuleList:
            width = channels[level]
            return nn.ModuleList(FiLMBlock(first if k == 0 else width, width, cond) for k in range(num_blocks[level]))

        self.actions = ActionEmbedding(num_actions, context, cond)
        self.levels = nn.Sequential(nn.Linear(2 * cond, cond), nn.SiLU(), nn.Linear(cond, cond))
        self.frames_in = nn.Conv2d(2 * 2 * 3 * (1 + context), channels[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(4 * channels[k], channels[k + 1], 1) for k in range(deepest))
        self.blocks_down = nn.ModuleList(blocks(channels[k], k) for k in range(deepest))
        self.blocks_deep, self.attention = blocks(channels[-1], deepest), SelfAttention(channels[-1])
        self.up = nn.ModuleList(nn.Conv2d(channels[k + 1], 4 * channels[k], 1) for k in range(deepest))
        self.blocks_up = nn.ModuleList(blocks(2 * channels[k], k) for k in range(deepest))
        self.norm_out, self.frame_out = group_norm(channels[0]), nn.Conv2d(channels[0], 2 * 2 * 3, 3, padding=1)
        self.init_weights()

    def init_weights(self) -> None:
        """Fresh weights: blocks that pass their input on, and an output of zero, which EDM turns into c_skip · x."""
        for module in self.modules():
            if isinstance(module, FiLMBlock | SelfAttention):
                module.init_weights()
        nn.init.normal_(self.actions.table.weight, std=0.5)
        for parameter in self.frame_out.parameters():
            nn.init.zeros_(parameter)

    def condition(self, c_noise: torch.Tensor, actions: torch.Tensor, context_noise: torch.Tensor) -> torch.Tensor:
        """The signal that steers every block, `(B, cond_channels)`. Arguments as for `forward`."""
        width = self.config.cond_channels
        levels = torch.cat(
            [timestep_features(NOISE_UNITS * c_noise, width), timestep_features(CONTEXT_UNITS * context_noise, width)],
            dim=1,
        )
        return F.silu(self.levels(levels.to(self.frames_in.weight.dtype)) + self.actions(actions))

    def forward(
        self,
        sample: torch.Tensor,
        c_noise: torch.Tensor,
        past: torch.Tensor,
        actions: torch.Tensor,
        context_noise: torch.Tensor,
    ) -> torch.Tensor:
        """EDM's F: the network inside the preconditioning.

        Args:
            sample: the noisy next frame, times c_in: `(B, 3, H, W)`; height and width are multiples of 8.
            c_noise: ln(sigma) / 4 of each sample, `(B,)`.
            past: the last K frames, oldest first, with their noise on them: `(B, 3, K, H, W)`, about [-1, 1].
            actions: int64 `(B, K)`; `actions[:, k]` is pressed while past frame k is shown, so the last one leads to
                the next frame. Index `num_actions` is the null action.
            context_noise: standard deviation of the noise on the past, `(B,)`.

        Returns:
            `(B, 3, H, W)`.

        Raises:
            ValueError: the past or the actions are not K.
        """
        if past.ndim != 5 or past.shape[2] != self.config.context or actions.shape != (len(past), past.shape[2]):
            raise ValueError(
                f"the past is (B, 3, {self.config.context}, H, W) and its actions (B, {self.config.context}), "
                f"got {tuple(past.shape)} and {tuple(actions.shape)}"
            )
        cond = self.condition(c_noise, actions, context_noise)
        x = torch.cat([sample, rearrange(past, "b c t h w -> b (t c) h w")], dim=1)  # (B, 3 (1 + K), H, W)
        x = self.frames_in(F.pixel_unshuffle(x, 2).to(self.frames_in.weight.dtype))  # (B, C0, H/2, W/2)
        skips = []
        for blocks, down in zip(self.blocks_down, self.down):
            x = _through(blocks, x, cond)
            skips.append(x)
            x = down(F.pixel_unshuffle(x, 2))
        x = self.blocks_deep[0](x, cond)  # (B, C2, H/8, W/8)
        x = _through(self.blocks_deep[1:], self.attention(x), cond)
        for blocks, up, skip in zip(reversed(self.blocks_up), reversed(self.up), reversed(skips)):
            x = torch.cat([F.pixel_shuffle(up(x), 2), skip], dim=1)
            x = _through(blocks, x, cond)
        return F.pixel_shuffle(self.frame_out(F.silu(self.norm_out(x))), 2)  # (B, 3, H, W)


def group_norm(num_channels: int) -> nn.GroupNorm:
    """Groups of eight channels each."""
    return nn.GroupNorm(num_channels // 8, num_channels)


def _through(blocks, x: torch.Tensor, cond: torch.Tensor) -> torch.Tensor:
    for block in blocks:
        x = block(x, cond)
    return x
