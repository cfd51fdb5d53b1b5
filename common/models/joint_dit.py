"""A video transformer for joint training on images and videos: each frame may have a prompt of its own, and a mask."""

import torch
from einops import rearrange

from common.layers.modulation import timestep_features
from common.layers.norm import plain_norm
from common.layers.rope import rotations
from common.models.dit import DiTBlock, VideoDiT, VideoDiTOutput
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


class JointDiT(VideoDiT):
    """`VideoDiT` with packed pictures: the same weights, and on clips with one prompt the same velocity.

    All its layers but self-attention act on each frame alone. So with the mask of `present_mask`, pictures packed as a
    clip get what each gets as a clip of one frame: attention sees only differences of places (RoPE), and in one frame
    they are those of a first frame.
    """

    # pyrefly: ignore [bad-override]  # it has no caches: pictures and clips are whole
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
        """
        self._check(hidden_states, timestep)
        num_frames, height, width = hidden_states.shape[2:]
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
