"""MMVideoDiT: a text and a noisy video latent as two streams of one transformer (MMDiT, arXiv:2403.03206)."""

from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from einops import rearrange
from torch import nn

from common.layers.joint_attention import NUM_BRANCHES, MMDiTBlock, joint_mask
from common.layers.modulation import timestep_features
from common.layers.norm import plain_norm
from common.layers.rope import rotations
from common.models.shipped import Shipped
from common.tensor_ops import patchify, unpatchify

PRESETS = {
    "ci": {"dim": 64, "num_layers": 2, "num_heads": 2, "ffn_dim": 128},
    "cpu": {"dim": 192, "num_layers": 6, "num_heads": 4, "ffn_dim": 640},
    "gpu": {"dim": 192, "num_layers": 6, "num_heads": 4, "ffn_dim": 640},
}


@dataclass
class MMVideoDiTOutput(BaseOutput):
    """What the model gives.

    Attributes:
        sample: the velocity `(B, C, T', H', W')`.
    """

    sample: torch.Tensor


class MMVideoDiT(Shipped, ModelMixin, ConfigMixin):
    """A video diffusion transformer whose text is a stream of its own, in the language of flow matching.

    Args:
        in_channels: C of the latents.
        patch_size: rows and columns of a latent frame that make one token. A token never spans two frames.
        dim: D of a token of either stream.
        num_layers: blocks.
        num_heads: of the attention; divides `dim`.
        ffn_dim: width of the feed-forward networks.
        text_dim: of the text encoder's states.
        freq_dim: cosines and sines of a timestep.
        rope_theta: as in `rotations`.
    """

    @register_to_config
    def __init__(
        self,
        in_channels: int = 16,
        patch_size: int = 2,
        dim: int = 192,
        num_layers: int = 6,
        num_heads: int = 4,
        ffn_dim: int = 640,
        text_dim: int = 384,
        freq_dim: int = 256,
        rope_theta: float = 100.0,
    ):
        super().__init__()
        self.patches_in = nn.Linear(in_channels * patch_size**2, dim)
        self.text_in = nn.Sequential(nn.Linear(text_dim, dim), nn.GELU(), nn.Linear(dim, dim))
        self.time_in = nn.Sequential(nn.Linear(freq_dim, dim), nn.SiLU(), nn.Linear(dim, dim), nn.SiLU())
        self.to_signal = nn.Linear(dim, NUM_BRANCHES * 3 * dim)
        self.to_text_signal = nn.Linear(dim, NUM_BRANCHES * 3 * dim)
        self.blocks = nn.ModuleList(
            MMDiTBlock(dim, num_heads, ffn_dim, is_last=number == num_layers - 1) for number in range(num_layers)
        )
        self.to_last_signal = nn.Linear(dim, 2 * dim)
        self.patches_out = nn.Linear(dim, in_channels * patch_size**2)
        self.init_weights()

    def init_weights(self) -> None:
        """Fresh weights: outputs about as large as inputs; every gate exactly zero, and so is the velocity."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                nn.init.zeros_(module.bias)
        for linear in (self.to_signal, self.to_text_signal, self.to_last_signal, self.patches_out):
            nn.init.zeros_(linear.weight)

    def forward(
        self,
        hidden_states: torch.Tensor,
        timestep: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        encoder_attention_mask: torch.Tensor | None = None,
        return_dict: bool = True,
    ):
        """Predict a velocity.

        1. Check the inputs (`self._check`). Patchify with patches of (1, p, p), where p is `config.patch_size`:
           `self.patches_in` makes tokens of them, `(B, T', S, D)`.
        2. `self.text_in` makes the text's stream `(B, L, D)` from its states, which go through `plain_norm` first.
        3. `timestep_features` with `config.freq_dim`, then `self.time_in`, make the levels' embedding
           `(B, T' or 1, D)`; `self.to_signal` makes of it the video's signal for all blocks. The text has one level:
           `self.to_text_signal` of the mean of the embedding over frames, `(B, 1, 6 D)`.
        4. RoPE for the grid of the video's tokens, with `config.rope_theta`; `joint_mask`, where a mask is given.
        5. All blocks, one after the other. Each gets both streams as the one before it left them.
        6. Out of the video's tokens: norm(x) · (1 + scale) + shift with `plain_norm`, where `self.to_last_signal` of
           the embedding is shift, then scale, `2 D`, for each frame; then `self.patches_out` and `unpatchify`.

        Features and norms are float32. What goes into a layer is brought to the dtype of `hidden_states` first, and
        so are the tokens that come out of `self.patches_in` and the result.

        Args:
            hidden_states: noisy latents `(B, C, T', H', W')`, of mean 0 and standard deviation 1.
            timestep: 1000 times the noise level, `(B,)`, or `(B, T')` for one per frame.
            encoder_hidden_states: states of the text's tokens, `(B, L, text_dim)`.
            encoder_attention_mask: `(B, L)`, as in `joint_mask`; None for no padding.
            return_dict: False for a tuple of one.

        Returns:
            `.sample`, as `hidden_states`: eps - x0.

        Raises:
            ValueError: the latents or timesteps have another shape.
        """
        self._check(hidden_states, timestep)
        num_frames, height, width = hidden_states.shape[2:]
        p = self.config.patch_size
        grid = (num_frames, height // p, width // p)
        x = rearrange(patchify(hidden_states, (1, p, p)), "b (t s) d -> b t s d", t=num_frames)
        x = self.patches_in(x).to(hidden_states.dtype)  # (B, T', S, D)
        text = self.text_in(plain_norm(encoder_hidden_states).to(x.dtype))  # (B, L, D)
        levels = timestep[:, None] if timestep.ndim == 1 else timestep  # (B, 1) or (B, T')
        time = self.time_in(timestep_features(levels, self.config.freq_dim).to(x.dtype))
        signal, text_signal = self.to_signal(time), self.to_text_signal(time.mean(dim=1, keepdim=True))
        rotation = rotations(
            grid, self.config.dim // self.config.num_heads, theta=self.config.rope_theta, device=x.device
        )
        mask = None if encoder_attention_mask is None else joint_mask(encoder_attention_mask, x.shape[1] * x.shape[2])
        for block in self.blocks:
            x, text = block(x, text, signal, text_signal, rotation, mask)
        shift, scale = self.to_last_signal(time)[:, :, None].float().chunk(2, dim=-1)  # (B, T' or 1, 1, D) each
        x = self.patches_out(torch.addcmul(shift, plain_norm(x), 1 + scale).to(x.dtype)).to(x.dtype)
        sample = unpatchify(rearrange(x, "b t s d -> b (t s) d"), (1, p, p), (num_frames, height, width))
        return MMVideoDiTOutput(sample=sample) if return_dict else (sample,)

    def _check(self, latents: torch.Tensor, timestep: torch.Tensor) -> None:
        if latents.ndim != 5 or latents.shape[1] != self.config.in_channels:
            raise ValueError(f"latents are (B, {self.config.in_channels}, T', H', W'), got {tuple(latents.shape)}")
        if timestep.shape not in (latents.shape[:1], (latents.shape[0], latents.shape[2])):
            raise ValueError(
                f"timestep is (B,) or (B, T') beside latents {tuple(latents.shape)}, got {tuple(timestep.shape)}"
            )
