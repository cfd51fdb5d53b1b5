"""PixArt's block in diffusers, given the weights of a spatial `STDiTBlock`: Open-Sora 1.2 began with PixArt-Sigma.

diffusers has no class of STDiT. But its `BasicTransformerBlock` is PixArt's, and a spatial block of STDiT is that and
QK-norm. So the two must agree, number by number.
"""

from types import MappingProxyType

import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from einops import rearrange

from common.models.stdit import STDiTBlock

SPLIT = MappingProxyType(
    {
        "attn1.to_q attn1.to_k attn1.to_v": "attention.to_qkv",
        "attn1.to_out.0": "attention.to_out",
        "attn2.to_q": "cross_attention.to_q",
        "attn2.to_k attn2.to_v": "cross_attention.to_kv",
        "attn2.to_out.0": "cross_attention.to_out",
        "ff.net.0.proj": "ffn.0",
        "ff.net.2": "ffn.2",
    }
)  # theirs -> ours


def pixart_block(block: STDiTBlock) -> BasicTransformerBlock:
    """diffusers' block with the same weights, in evaluation mode. Call it by `pixart_forward`."""
    heads, dim = block.attention.num_heads, block.table.shape[1]
    sizes = {"heads": heads, "dim_head": dim // heads, "bias": True}
    peer = BasicTransformerBlock(
        dim,
        heads,
        dim // heads,
        cross_attention_dim=dim,
        activation_fn="gelu-approximate",
        attention_bias=True,
        norm_type="ada_norm_single",
        norm_elementwise_affine=False,
        norm_eps=1e-6,
        ff_inner_dim=block.get_parameter("ffn.0.bias").numel(),
    )
    peer.attn1 = Attention(dim, **sizes, qk_norm="rms_norm", eps=1e-6)  # PixArt has no QK-norm
    peer.load_state_dict(_renamed(block.state_dict()))
    return peer.to(block.table).eval()


def pixart_forward(peer: BasicTransformerBlock, x: torch.Tensor, signal: torch.Tensor, text: torch.Tensor):
    """Tokens `(B, T', S, D)`, a signal `(B, 6, D)` and a text `(B, L, D)` to tokens, each frame as a picture alone."""
    num_frames = x.shape[1]
    out = peer(
        rearrange(x, "b t s d -> (b t) s d"),
        encoder_hidden_states=text.repeat_interleave(num_frames, dim=0),
        timestep=signal.flatten(1).repeat_interleave(num_frames, dim=0),
    )
    return rearrange(out, "(b t) s d -> b t s d", t=num_frames)


def _renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights of a spatial `STDiTBlock` under diffusers' names; what is one matrix here may be two or three there."""
    found = {"scale_shift_table": state["table"]}
    for name in ("norm_q", "norm_k"):
        found[f"attn1.{name}.weight"] = state[f"attention.{name}.weight"]
    for theirs, ours in SPLIT.items():
        names = theirs.split()
        for end in ("weight", "bias"):
            for name, part in zip(names, state[f"{ours}.{end}"].chunk(len(names))):
                found[f"{name}.{end}"] = part
    return found
