"""A small class-conditional DiT in which the attention pattern is the only thing that varies.

Tokens meet in the self-attention and nowhere else. Noise level and words reach all tokens alike, through AdaLN-Zero, as
in the first DiT (Peebles, Xie 2022, arXiv:2212.09748). So what one token can know of another is decided by the pattern.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from einops import rearrange
from torch import nn

from common.layers.attention_patterns import PATTERNS, PatternAttention
from common.layers.modulation import AdaLNZero, timestep_features
from common.layers.norm import plain_norm
from common.layers.rope import rotations
from common.models.shipped import Shipped
from common.tensor_ops import patchify, unpatchify

NUM_BRANCHES = 2  # of a block: attention, feed-forward


@dataclass
class PatternDiTOutput(BaseOutput):
    """What the model gives.

    Attributes:
        sample: the velocity `(B, C, T', H', W')`, eps - x0.
    """

    sample: torch.Tensor


class PatternBlock(nn.Module):
    """A DiT block without a text: self-attention in a pattern, then feed-forward, each with AdaLN-Zero.

    Args:
        dim: D of a token.
        num_heads: of the attention.
        ffn_dim: width of the feed-forward network.
        kind: of the attention, as in `attend_by`.
        window: likewise.
    """

    def __init__(self, dim: int, num_heads: int, ffn_dim: int, kind: str, window):
        super().__init__()
        self.modulation = AdaLNZero(dim, NUM_BRANCHES)
        self.attention = PatternAttention(dim, num_heads, kind, window)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(), nn.Linear(ffn_dim, dim))

    def forward(self, x: torch.Tensor, signal: torch.Tensor, rotation: torch.Tensor | None = None) -> torch.Tensor:
        """Tokens `(B, T', H, W, D)` to the same; `signal` `(B, 1, 6 D)`, `rotation` as in `PatternAttention`."""
        own, ffn = self.modulation(signal)
        grid = {"y": x.shape[2]}
        x = rearrange(x, "b t y x d -> b t (y x) d")
        out = self.attention(rearrange(own.enter(x), "b t (y x) d -> b t y x d", **grid), rotation)
        x = own.leave(x, rearrange(out, "b t y x d -> b t (y x) d"))
        return rearrange(ffn.leave(x, self.ffn(ffn.enter(x))), "b t (y x) d -> b t y x d", **grid)


class PatternDiT(Shipped, ModelMixin, ConfigMixin):
    """The model. Its layers take the kinds of a pattern by turns.

    Args:
        pattern: a name of `PATTERNS`.
        window: frames, rows and columns of a window, in tokens.
        in_channels: C of the latents.
        patch_size: rows and columns of a latent frame that make one token.
        dim: D of a token.
        num_layers: blocks.
        num_heads: of each attention; divides `dim`.
        ffn_dim: width of the feed-forward networks.
        num_words: that a clip may be asked for with.
        freq_dim: cosines and sines of a timestep.
        rope_theta: as in `rotations`.

    Raises:
        ValueError: there is no such pattern.
    """

    @register_to_config
    def __init__(
        self,
        pattern: str = "full",
        window: tuple[int, int, int] = (3, 2, 2),
        in_channels: int = 16,
        patch_size: int = 2,
        dim: int = 64,
        num_layers: int = 6,
        num_heads: int = 4,
        ffn_dim: int = 192,
        num_words: int = 15,
        freq_dim: int = 64,
        rope_theta: float = 100.0,
    ):
        super().__init__()
        if pattern not in PATTERNS:
            raise ValueError(f"the pattern is one of {', '.join(PATTERNS)}; got {pattern!r}")
        kinds = PATTERNS[pattern]
        self.patches_in = nn.Linear(in_channels * patch_size**2, dim)
        self.words_in = nn.Linear(num_words, dim)
        self.time_in = nn.Sequential(nn.Linear(freq_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.to_signal = nn.Sequential(nn.SiLU(), nn.Linear(dim, NUM_BRANCHES * 3 * dim))
        self.blocks = nn.ModuleList(
            PatternBlock(dim, num_heads, ffn_dim, kinds[k % len(kinds)], window) for k in range(num_layers)
        )
        self.to_last_signal = nn.Sequential(nn.SiLU(), nn.Linear(dim, 2 * dim))
        self.patches_out = nn.Linear(dim, in_channels * patch_size**2)
        self.init_weights()

    def init_weights(self) -> None:
        """Fresh weights: outputs about as large as inputs; every gate exactly zero, and so is the velocity."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.words_in.weight, std=1.0)  # a few words of many are there
        for linear in (self.to_signal[1], self.to_last_signal[1], self.patches_out):
            nn.init.zeros_(linear.weight)

    def attend_with(self, attend: Callable | None) -> "PatternDiT":
        """Use another function in the place of `attend_by`, in every layer; None for `attend_by` again."""
        for block in self.blocks:
            block.attention.attend = attend
        return self

    def forward(
        self, hidden_states: torch.Tensor, timestep: torch.Tensor, words: torch.Tensor, return_dict: bool = True
    ):
        """Predict a velocity.

        Args:
            hidden_states: noisy latents `(B, C, T', H', W')`, of mean 0 and standard deviation 1.
            timestep: 1000 times the noise level, `(B,)`.
            words: `(B, num_words)`, 1 for a word that the clip was asked for with, 0 for others.
            return_dict: False for a tuple.

        Returns:
            `.sample`, as `hidden_states`: eps - x0.

        Raises:
            ValueError: the latents have another number of channels.
        """
        if hidden_states.ndim != 5 or hidden_states.shape[1] != self.config.in_channels:
            raise ValueError(
                f"latents are (B, {self.config.in_channels}, T', H', W'), got {tuple(hidden_states.shape)}"
            )
        p, (num_frames, height, width) = self.config.patch_size, hidden_states.shape[2:]
        grid = (num_frames, height // p, width // p)
        axes = dict(zip("tyx", grid))
        x = rearrange(patchify(hidden_states, (1, p, p)), "b (t y x) d -> b t y x d", **axes)
        x = self.patches_in(x).to(hidden_states.dtype)
        time = self.time_in(timestep_features(timestep, self.config.freq_dim).to(x.dtype))
        condition = (time + self.words_in(words.to(x.dtype)))[:, None]  # (B, 1, D)
        signal = self.to_signal(condition)
        rotation = rotations(
            grid, self.config.dim // self.config.num_heads, theta=self.config.rope_theta, device=x.device
        )
        for block in self.blocks:
            x = block(x, signal, rotation)
        shift, scale = self.to_last_signal(condition)[:, :, None, None].float().chunk(2, dim=-1)  # (B, 1, 1, 1, D)
        x = self.patches_out((plain_norm(x) * (1 + scale) + shift).to(hidden_states.dtype)).to(hidden_states.dtype)
        sample = unpatchify(rearrange(x, "b t y x d -> b (t y x) d"), (1, p, p), (num_frames, height, width))
        return PatternDiTOutput(sample=sample) if return_dict else (sample,)
