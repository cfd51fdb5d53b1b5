"""PixArt's block in diffusers, given the weights of a spatial `STDiTBlock`: Open-Sora 1.2 began with PixArt-Sigma.

diffusers has no class of STDiT. But its `BasicTransformerBlock` is PixArt's, and a spatial block of STDiT is that and
QK-norm. So the two must agree, number by number.
"""

import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from einops import rearrange

from common.models.stdit import STDiTBlock


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
        ff_inner_dim=block.ffn[0].out_features,
    )
    peer.attn1 = Attention(dim, **sizes, qk_norm="rms_norm", eps=1e-6)  # PixArt has no QK-norm
    own, cross = block.attention, block.cross_attention
    peer.scale_shift_table = block.table
    peer.attn1.norm_q.weight, peer.attn1.norm_k.weight = own.norm_q.weight, own.norm_k.weight
    _share(zip((peer.attn1.to_q, peer.attn1.to_k, peer.attn1.to_v), _split(own.to_qkv, 3)))
    _share(zip((peer.attn2.to_q, peer.attn2.to_k, peer.attn2.to_v), (_pair(cross.to_q), *_split(cross.to_kv, 2))))
    _share([(peer.attn1.to_out[0], _pair(own.to_out)), (peer.attn2.to_out[0], _pair(cross.to_out))])
    _share([(peer.ff.net[0].proj, _pair(block.ffn[0])), (peer.ff.net[2], _pair(block.ffn[2]))])
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


def _pair(linear) -> tuple[torch.Tensor, torch.Tensor]:
    return linear.weight, linear.bias


def _split(linear, parts: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return list(zip(linear.weight.chunk(parts), linear.bias.chunk(parts)))


def _share(pairs) -> None:
    for linear, (weight, bias) in pairs:
        linear.weight, linear.bias = torch.nn.Parameter(weight.detach()), torch.nn.Parameter(bias.detach())
