"""A video transformer for joint training on images and videos: each frame may have a prompt of its own, and a mask."""

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange

from common.layers.modulation import timestep_features
from common.layers.norm import plain_norm
from common.layers.rope import rotations
from common.models.dit import DiTBlock, VideoDiT, VideoDiTOutput
from common.models.shipped import Shipped
from common.tensor_ops import patchify, unpatchify

JOINT = {"in_channels": 16, "dim": 96, "num_layers": 5, "num_heads": 4, "ffn_dim": 336}


def framewise(block: DiTBlock, x, signal, text, text_mask, rotation, mask):
    """A DiT block in which every frame reads a prompt of its own; arguments as for `DiTBlock.forward`, but:

    Args:
        text: `(B · T, L, D)`, of each frame, or `(B, L, D)`, the same for all.
        text_mask: `(B · T, L)` or `(B, L)`.
    """
    num_frames, num_texts = x.shape[1], len(text) // len(x)
    own, cross, ffn = block.modulation(signal)
    out, _ = block.attention(rearrange(own.enter(x), "b t s d -> b (t s) d"), rotation, mask)
    x = own.leave(x, rearrange(out, "b (t s) d -> b t s d", t=num_frames))
    asking = rearrange(cross.enter(x), "b (n t) s d -> (b n) (t s) d", n=num_texts)
    out = block.cross_attention(asking, text, text_mask)
    x = cross.leave(x, rearrange(out, "(b n) (t s) d -> b (n t) s d", n=num_texts, t=num_frames // num_texts))
    return ffn.leave(x, block.ffn(ffn.enter(x)))


class JointDiT(Shipped, ModelMixin, ConfigMixin):
    """A DiT with packed pictures: the weights of `VideoDiT`, and on clips with one prompt the same velocity.

    All its layers but self-attention act on each frame alone. So with the mask of `present_mask`, pictures packed as a
    clip get what each gets as a clip of one frame: attention sees only differences of places (RoPE), and in one frame
    they are those of a first frame.

    Args:
        in_channels, patch_size, dim, num_layers, num_heads, ffn_dim, text_dim, freq_dim, rope_theta: as for `VideoDiT`.
    """

    @register_to_config
    def __init__(
        self,
        in_channels: int = 16,
        patch_size: int = 2,
        dim: int = 96,
        num_layers: int = 5,
        num_heads: int = 4,
        ffn_dim: int = 336,
        text_dim: int = 384,
        freq_dim: int = 256,
        rope_theta: float = 100.0,
    ):
        super().__init__()
        # Not a subclass: `--mine` cannot swap a base class for the learner's, but it can swap what is called here.
        sizes = (in_channels, patch_size, dim, num_layers, num_heads, ffn_dim, text_dim, freq_dim, rope_theta)
        layers = VideoDiT(*sizes)
        self.patches_in, self.text_in, self.time_in = layers.patches_in, layers.text_in, layers.time_in
        self.to_signal, self.blocks = layers.to_signal, layers.blocks
        self.to_last_signal, self.patches_out = layers.to_last_signal, layers.patches_out

    def forward(self, hidden_states, timestep, encoder_hidden_states, encoder_attention_mask=None, mask=None,
                return_dict=True):  # fmt: skip
        """Predict a velocity.

        Args:
            hidden_states: noisy latents `(B, C, T, H', W')`.
            timestep: 1000 times the noise level, `(B,)`, or `(B, T)` for one per frame.
            encoder_hidden_states: states of the prompts, `(B, L, text_dim)`, or `(B, T, L, text_dim)`, one per frame.
            encoder_attention_mask: `(B, L)` or `(B, T, L)`, True for a token; None for all.
            mask: of the self-attention, bool `(B, 1, N, N)`; None for all.
            return_dict: False for a tuple.

        Returns:
            `.sample`, as `hidden_states`; `.caches` are empty.

        Raises:
            ValueError: the latents or the timesteps have another shape.
        """
        batch, channels, num_frames, height, width = hidden_states.shape
        if channels != self.config.in_channels or timestep.shape not in ((batch,), (batch, num_frames)):
            raise ValueError(
                f"latents are (B, {self.config.in_channels}, T', H', W') and timesteps (B,) or (B, T'), got "
                f"{tuple(hidden_states.shape)} and {tuple(timestep.shape)}"
            )
        p = self.config.patch_size
        grid = (num_frames, height // p, width // p)
        x = rearrange(patchify(hidden_states, (1, p, p)), "b (t s) d -> b t s d", t=num_frames)
        x = self.patches_in(x).to(hidden_states.dtype)
        states, seen = encoder_hidden_states, encoder_attention_mask
        if states.ndim == 4:  # one prompt per frame
            states = rearrange(states, "b t l d -> (b t) l d")
            seen = None if seen is None else rearrange(seen, "b t l -> (b t) l")
        text = self.text_in(plain_norm(states).to(x.dtype))
        levels = timestep[:, None] if timestep.ndim == 1 else timestep
        time = self.time_in(timestep_features(levels, self.config.freq_dim).to(x.dtype))
        signal = self.to_signal(time)
        rotation = rotations(grid, self.config.dim // self.config.num_heads, 0, self.config.rope_theta, x.device)
        for block in self.blocks:
            assert isinstance(block, DiTBlock)
            x = framewise(block, x, signal, text, seen, rotation, mask)
        shift, scale = self.to_last_signal(time)[:, :, None].float().chunk(2, dim=-1)
        x = self.patches_out(torch.addcmul(shift, plain_norm(x), 1 + scale).to(x.dtype)).to(x.dtype)
        sample = unpatchify(rearrange(x, "b t s d -> b (t s) d"), (1, p, p), (num_frames, height, width))
        return VideoDiTOutput(sample=sample, caches=[]) if return_dict else (sample, [])
