"""A video diffusion transformer (DiT) with 3D RoPE, AdaLN-Zero and cross-attention, trained by flow matching.

Latents, a text and a noise level for each latent frame go in, a velocity comes out.

Because every frame has a noise level of its own, one model serves text to video (all frames equally noisy), image to
video (the first frame clean) and streams (the past clean, and its keys and values cached).
"""

from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from einops import rearrange
from torch import nn

from common.layers.attention import CrossAttention, KeyValues, SelfAttention, frame_causal_mask
from common.layers.modulation import AdaLNZero, timestep_features
from common.layers.norm import plain_norm
from common.layers.rope import rotations
from common.models.shipped import Shipped
from common.tensor_ops import patchify, unpatchify

PRESETS = {
    "ci": {"dim": 64, "num_layers": 2, "num_heads": 2, "ffn_dim": 128},
    "cpu": {"dim": 256, "num_layers": 7, "num_heads": 4, "ffn_dim": 896},
    "gpu": {"dim": 256, "num_layers": 7, "num_heads": 4, "ffn_dim": 896},
}  # as float16 none is larger than 16 MB; what a GPU has trained a processor can train further

NUM_BRANCHES = 3  # of a block: attention, text, feed-forward


@dataclass
class VideoDiTOutput(BaseOutput):
    """What the model gives.

    Attributes:
        sample: the velocity `(B, C, T', H', W')`.
        caches: of each block the keys and values of all tokens up to the last.
    """

    sample: torch.Tensor
    caches: list[KeyValues]


class DiTBlock(nn.Module):
    """A DiT block: self-attention, cross-attention to the text, feed-forward, each with its own AdaLN-Zero modulation.

    Args:
        dim: D of a token.
        num_heads: of both attentions.
        ffn_dim: width of the feed-forward network.
    """

    def __init__(self, dim: int, num_heads: int, ffn_dim: int):
        super().__init__()
        self.modulation = AdaLNZero(dim, NUM_BRANCHES)
        self.attention = SelfAttention(dim, num_heads)
        self.cross_attention = CrossAttention(dim, num_heads)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(), nn.Linear(ffn_dim, dim))

    def forward(self, x, signal, text, text_mask=None, rotation=None, mask=None, cache: KeyValues | None = None):
        """Three residual branches, in this order: self-attention, cross-attention, feed-forward.

        `self.modulation(signal)` gives the modulations of the branches in the same order. Each branch computes
        `modulation.enter(x)`, then its network, then `x = modulation.leave(x, out)`: the next branch sees its result.
        Both attentions take the tokens of all frames as one sequence, `(B, T' · S, D)`, frame by frame.

        Args:
            x: tokens `(B, T', S, D)`, S in each frame.
            signal: `(B, T' or 1, 9 D)`, from the noise levels.
            text: `(B, L, D)`.
            text_mask: for the cross-attention: `(B, L)`, True for a token; None for all.
            rotation: for the self-attention, as there.
            mask: for the self-attention, as there.
            cache: for the self-attention, as there.

        Returns:
            Tokens of the same shape, and the cache that the self-attention gives.
        """
        num_frames = x.shape[1]
        own, cross, ffn = self.modulation(signal)
        out, cache = self.attention(rearrange(own.enter(x), "b t s d -> b (t s) d"), rotation, mask, cache)
        x = own.leave(x, rearrange(out, "b (t s) d -> b t s d", t=num_frames))
        out = self.cross_attention(rearrange(cross.enter(x), "b t s d -> b (t s) d"), text, text_mask)
        x = cross.leave(x, rearrange(out, "b (t s) d -> b t s d", t=num_frames))
        return ffn.leave(x, self.ffn(ffn.enter(x))), cache


class VideoDiT(Shipped, ModelMixin, ConfigMixin):
    """The video diffusion transformer (DiT: arXiv:2212.09748), in the language of flow matching.

    Args:
        in_channels: C of the latents.
        patch_size: rows and columns of a latent frame that make one token. A token never spans two frames.
        dim: D of a token.
        num_layers: blocks.
        num_heads: of each attention; divides `dim`.
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
        dim: int = 256,
        num_layers: int = 7,
        num_heads: int = 4,
        ffn_dim: int = 896,
        text_dim: int = 384,
        freq_dim: int = 256,
        rope_theta: float = 100.0,
    ):
        super().__init__()
        self.patches_in = nn.Linear(in_channels * patch_size**2, dim)
        self.text_in = nn.Sequential(nn.Linear(text_dim, dim), nn.GELU(), nn.Linear(dim, dim))
        self.time_in = nn.Sequential(nn.Linear(freq_dim, dim), nn.SiLU(), nn.Linear(dim, dim), nn.SiLU())
        self.to_signal = nn.Linear(dim, NUM_BRANCHES * 3 * dim)
        self.blocks = nn.ModuleList(DiTBlock(dim, num_heads, ffn_dim) for _ in range(num_layers))
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
        encoder_hidden_states: torch.Tensor,
        encoder_attention_mask: torch.Tensor | None = None,
        caches: list[KeyValues] | None = None,
        frame_offset: int = 0,
        is_causal: bool = False,
        return_dict: bool = True,
    ):
        """Predict a velocity.

        1. Check the inputs (`self._check`). Patchify with patches of (1, p, p), where p is `config.patch_size`:
           `self.patches_in` makes tokens of them, `(B, T', S, D)`.
        2. `self.text_in` makes the text `(B, L, D)` from its states, which go through `plain_norm` first.
        3. `timestep_features` with `config.freq_dim`, then `self.time_in`, make the levels' embedding
           `(B, T' or 1, D)`; `self.to_signal` makes of it the signal for all blocks.
        4. RoPE for the grid of tokens, with `config.rope_theta`; if `is_causal`, the mask of `self._mask`.
        5. All blocks, one after the other, each with its own cache.
        6. Out: norm(x) · (1 + scale) + shift with `plain_norm`, where `self.to_last_signal` of the embedding is shift,
           then scale, `2 D`, for each frame; then `self.patches_out` and `unpatchify`.

        Features and norms are float32. What goes into a layer is brought to the dtype of `hidden_states` first, and
        so are the tokens that come out of `self.patches_in` and the result.

        Args:
            hidden_states: noisy latents `(B, C, T', H', W')`, of mean 0 and standard deviation 1.
            timestep: 1000 times the noise level, `(B,)`, or `(B, T')` for one per frame.
            encoder_hidden_states: states of the text's tokens, `(B, L, text_dim)`.
            encoder_attention_mask: `(B, L)`, True for a token, at least one in each text; None for all.
            caches: of the frames before these, as they came out; None at the beginning.
            frame_offset: number of frames before these.
            is_causal: no frame looks at a later one. Then pieces with caches give what the whole gives.
            return_dict: False for a tuple.

        Returns:
            `.sample`, as `hidden_states`: eps - x0; `.caches`, for the next piece.

        Raises:
            ValueError: the latents or timesteps have another shape.
        """
        self._check(hidden_states, timestep)
        num_frames, height, width = hidden_states.shape[2:]
        p = self.config.patch_size
        grid = (num_frames, height // p, width // p)
        x = rearrange(patchify(hidden_states, (1, p, p)), "b (t s) d -> b t s d", t=num_frames)
        x = self.patches_in(x).to(hidden_states.dtype)  # (B, T', S, D), in float32 under autocast too
        text = self.text_in(plain_norm(encoder_hidden_states).to(x.dtype))  # (B, L, D)
        levels = timestep[:, None] if timestep.ndim == 1 else timestep  # (B, 1) or (B, T')
        time = self.time_in(timestep_features(levels, self.config.freq_dim).to(x.dtype))
        signal = self.to_signal(time)  # (B, T' or 1, 9 D)
        head_dim = self.config.dim // self.config.num_heads
        rotation = rotations(grid, head_dim, frame_offset, self.config.rope_theta, x.device)
        mask = self._mask(grid, caches, x.device) if is_causal else None
        new_caches = []
        for block, cache in zip(self.blocks, caches or [None] * len(self.blocks), strict=True):
            x, cache = block(x, signal, text, encoder_attention_mask, rotation, mask, cache)
            new_caches.append(cache)
        shift, scale = self.to_last_signal(time)[:, :, None].float().chunk(2, dim=-1)  # (B, T' or 1, 1, D) each
        x = self.patches_out(torch.addcmul(shift, plain_norm(x), 1 + scale).to(x.dtype)).to(x.dtype)
        sample = unpatchify(rearrange(x, "b t s d -> b (t s) d"), (1, p, p), (num_frames, height, width))
        return VideoDiTOutput(sample=sample, caches=new_caches) if return_dict else (sample, new_caches)

    def _mask(self, grid: tuple[int, int, int], caches: list[KeyValues] | None, device) -> torch.Tensor:
        num_frames, height, width = grid
        num_past = caches[0].keys.shape[2] if caches else 0
        return frame_causal_mask(num_frames, height * width, num_past, device)

    def _check(self, latents: torch.Tensor, timestep: torch.Tensor) -> None:
        if latents.ndim != 5 or latents.shape[1] != self.config.in_channels:
            raise ValueError(f"latents are (B, {self.config.in_channels}, T', H', W'), got {tuple(latents.shape)}")
        batch, _, num_frames = latents.shape[:3]
        if timestep.shape not in ((batch,), (batch, num_frames)):
            raise ValueError(
                f"timestep is ({batch},) or ({batch}, {num_frames}) beside latents {tuple(latents.shape)}, "
                f"got {tuple(timestep.shape)}"
            )
