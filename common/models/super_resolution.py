"""A diffusion transformer for super-resolution: noisy large latents and a condition in, a correction out.

The blocks are a DiT's without a text: the condition is no sequence to look at but a picture in register, so it is
concatenated along the channels. Two noise levels steer the blocks: that of the sample, and that of the condition.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from einops import rearrange
from torch import nn

from common.layers.attention import SelfAttention
from common.layers.modulation import AdaLNZero, timestep_features
from common.layers.norm import plain_norm
from common.layers.rope import rotations
from common.models.shipped import Shipped
from common.tensor_ops import patchify, unpatchify

PRESETS = {
    "ci": {"dim": 48, "num_layers": 2, "num_heads": 2, "ffn_dim": 64},
    "cpu": {"dim": 128, "num_layers": 6, "num_heads": 4, "ffn_dim": 384},
    "gpu": {"dim": 192, "num_layers": 8, "num_heads": 6, "ffn_dim": 576},
}
NUM_BRANCHES = 2  # of a block: attention, feed-forward


@dataclass
class SuperResolutionOutput(BaseOutput):
    """What the model gives.

    Attributes:
        sample: the correction `(B, C, T', H, W)`.
    """

    sample: torch.Tensor


class UpscaleBlock(nn.Module):
    """A DiT block without a text: self-attention over all tokens of a clip, feed-forward, each with AdaLN-Zero.

    Args:
        dim: D of a token.
        num_heads: of the attention.
        ffn_dim: width of the feed-forward network.
    """

    def __init__(self, dim: int, num_heads: int, ffn_dim: int):
        super().__init__()
        self.modulation = AdaLNZero(dim, NUM_BRANCHES)
        self.attention = SelfAttention(dim, num_heads)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(), nn.Linear(ffn_dim, dim))

    def forward(self, x: torch.Tensor, signal: torch.Tensor, rotation: torch.Tensor) -> torch.Tensor:
        """Tokens to tokens.

        Args:
            x: `(B, N, D)`.
            signal: `(B, 1, 6 D)`, from the noise levels.
            rotation: the tokens' places, `(N, head_dim / 2)`.
        """
        x = x[:, None]  # a modulation meets (B, T', S, D)
        own, ffn = self.modulation(signal)
        x = own.leave(x, self.attention(own.enter(x)[:, 0], rotation)[0][:, None])
        return ffn.leave(x, self.ffn(ffn.enter(x)))[:, 0]


class SuperResolutionDiT(Shipped, ModelMixin, ConfigMixin):
    """A diffusion transformer that draws large latents, given those of the small clip enlarged.

    Args:
        in_channels: C of the latents, noisy and condition alike.
        patch_size: rows and columns of a latent frame that make one token.
        dim: D of a token.
        num_layers: blocks.
        num_heads: of each attention; divides `dim`.
        ffn_dim: width of the feed-forward networks.
        freq_dim: cosines and sines of a timestep.
        rope_theta: as in `rotations`.
        condition_mean: of each channel of the condition, for `upsample_condition`; None for 0.
        condition_std: likewise; None for 1.
        sample_mean: of each channel of the large latents, which the model sees normalised; None for 0.
        sample_std: likewise; None for 1.
    """

    @register_to_config
    def __init__(
        self,
        in_channels: int = 16,
        patch_size: int = 2,
        dim: int = 128,
        num_layers: int = 6,
        num_heads: int = 4,
        ffn_dim: int = 384,
        freq_dim: int = 128,
        rope_theta: float = 100.0,
        condition_mean: Sequence[float] | None = None,
        condition_std: Sequence[float] | None = None,
        sample_mean: Sequence[float] | None = None,
        sample_std: Sequence[float] | None = None,
    ):
        super().__init__()
        self.patches_in = nn.Linear(2 * in_channels * patch_size**2, dim)
        self.time_in = nn.Linear(freq_dim, dim)
        self.noise_level_in = nn.Linear(freq_dim, dim)
        self.embedding = nn.Sequential(nn.SiLU(), nn.Linear(dim, dim), nn.SiLU())
        self.to_signal = nn.Linear(dim, NUM_BRANCHES * 3 * dim)
        self.blocks = nn.ModuleList(UpscaleBlock(dim, num_heads, ffn_dim) for _ in range(num_layers))
        self.to_last_signal = nn.Linear(dim, 2 * dim)
        self.patches_out = nn.Linear(dim, in_channels * patch_size**2)
        self.init_weights()

    def init_weights(self) -> None:
        """Fresh weights: outputs about as large as inputs; every gate exactly zero, and so is the velocity."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                nn.init.zeros_(module.bias)
        for linear in (self.to_signal, self.to_last_signal, self.patches_out):
            nn.init.zeros_(linear.weight)

    def forward(
        self,
        hidden_states: torch.Tensor,
        timestep: torch.Tensor,
        condition: torch.Tensor,
        condition_timestep: torch.Tensor,
        return_dict: bool = True,
    ):
        """Predict the correction to a velocity.

        1. Check the inputs (`self._check`). Concatenate noisy latents and condition along the channels, noisy latents
           first. Patchify with patches of (1, p, p), where p is `config.patch_size`; `self.patches_in` makes tokens of
           them, `(B, N, D)`.
        2. Two noise levels: `timestep_features` of `timestep`, with `config.freq_dim`, go through `self.time_in`, those
           of `condition_timestep` through `self.noise_level_in`. `self.embedding` of the sum is the embedding `(B, D)`;
           `self.to_signal` makes of it the signal for all blocks, `(B, 1, 6 D)`.
        3. RoPE: `rotations` for the grid of tokens (T', H / p, W / p), with `config.rope_theta`. Then all blocks, one
           after the other.
        4. Out: norm(x) · (1 + scale) + shift with `plain_norm`, where `self.to_last_signal` of the embedding is shift,
           then scale, `2 D`; then `self.patches_out` and `unpatchify`.

        Features and norms are float32. What goes into a layer is brought to the dtype of `hidden_states` first, and so
        is the result.

        Args:
            hidden_states: noisy latents `(B, C, T', H, W)`.
            timestep: 1000 times the noise level of the sample, `(B,)`.
            condition: latents of the enlarged clip, renormalised, noisy from `augment_condition`; as `hidden_states`.
            condition_timestep: 1000 times the noise level of the condition, `(B,)`.
            return_dict: False for a tuple.

        Returns:
            `.sample`, as `hidden_states`. `common.diffusion.super_resolution.Preconditioned` makes it a velocity.

        Raises:
            ValueError: the latents, the condition or a timestep have another shape.
        """
        self._check(hidden_states, timestep, condition, condition_timestep)
        dtype, p = hidden_states.dtype, self.config.patch_size
        num_frames, height, width = hidden_states.shape[2:]
        x = patchify(torch.cat([hidden_states, condition.to(dtype)], dim=1), (1, p, p))
        x = self.patches_in(x).to(dtype)  # (B, N, D), in float32 under autocast too
        time = self.time_in(timestep_features(timestep, self.config.freq_dim).to(dtype))
        level = self.noise_level_in(timestep_features(condition_timestep, self.config.freq_dim).to(dtype))
        embedding = self.embedding(time + level)  # (B, D)
        signal = self.to_signal(embedding)[:, None]  # (B, 1, 6 D)
        head_dim = self.config.dim // self.config.num_heads
        grid = (num_frames, height // p, width // p)
        rotation = rotations(grid, head_dim, theta=self.config.rope_theta, device=x.device)
        for block in self.blocks:
            x = block(x, signal, rotation)
        shift, scale = self.to_last_signal(embedding)[:, None].float().chunk(2, dim=-1)  # (B, 1, D) each
        x = self.patches_out(torch.addcmul(shift, plain_norm(x), 1 + scale).to(dtype)).to(dtype)
        sample = unpatchify(x, (1, p, p), (num_frames, height, width))
        return SuperResolutionOutput(sample=sample) if return_dict else (sample,)

    def statistics(self, of: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of each channel, `(C,)` each, of the "condition" or of the "sample"."""
        mean, std = self.config[f"{of}_mean"], self.config[f"{of}_std"]
        channels = self.config.in_channels
        return torch.tensor(mean or [0.0] * channels), torch.tensor(std or [1.0] * channels)

    def denormalize(self, latents: torch.Tensor) -> torch.Tensor:
        """What the sampler gave, `(B, C, T', H, W)`, in the autoencoder's normalised latents."""
        mean, std = (rearrange(values.to(latents), "c -> c 1 1 1") for values in self.statistics("sample"))
        return latents * std + mean

    def _check(self, latents, timestep, condition, condition_timestep) -> None:
        if latents.ndim != 5 or latents.shape[1] != self.config.in_channels or condition.shape != latents.shape:
            raise ValueError(
                f"latents and condition are (B, {self.config.in_channels}, T', H, W), got {tuple(latents.shape)} and "
                f"{tuple(condition.shape)}"
            )
        if timestep.shape != latents.shape[:1] or condition_timestep.shape != latents.shape[:1]:
            raise ValueError(
                f"timesteps are ({len(latents)},) beside latents {tuple(latents.shape)}, got {tuple(timestep.shape)} "
                f"and {tuple(condition_timestep.shape)}"
            )
