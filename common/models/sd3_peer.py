"""Stable Diffusion 3's joint attention and block beside ours, with the same weights.

    theirs = JointTransformerBlock(48, 3, 16, qk_norm="layer_norm")
    ours = copy_sd3_block(theirs, MMDiTBlock(48, 3, 4 * 48))

What differs is set aside: the biases of their QK-norm become 0, and our GELU becomes their approximation of it. Their
modulations come from a layer in each block, ours from a signal and a table; here the signal is what that layer gives.
"""

from collections.abc import Callable
from typing import Any

import torch
from diffusers.models.attention import JointTransformerBlock
from diffusers.models.attention_processor import Attention

from common.layers.joint_attention import JointAttention, MMDiTBlock, Stream


@torch.no_grad()
def copy_stream(stream: Stream, q, k, v, out, norm_q, norm_k) -> None:
    """Diffusers' layers of one modality into one of our streams."""
    stream.to_qkv.weight.copy_(torch.cat([part.weight for part in (q, k, v)]))
    stream.to_qkv.bias.copy_(torch.cat([part.bias for part in (q, k, v)]))
    stream.to_out.load_state_dict(out.state_dict())
    for ours, theirs in ((stream.norm_q, norm_q), (stream.norm_k, norm_k)):
        theirs.bias.zero_()
        ours.gain.copy_(theirs.weight)


def copy_sd3_attention(theirs: Attention, ours: JointAttention) -> JointAttention:
    """Give our joint attention Stable Diffusion 3's weights; returns it."""
    out: Any = theirs.to_out
    copy_stream(ours.video, theirs.to_q, theirs.to_k, theirs.to_v, out[0], theirs.norm_q, theirs.norm_k)
    added = theirs.add_q_proj, theirs.add_k_proj, theirs.add_v_proj
    copy_stream(ours.text, *added, theirs.to_add_out, theirs.norm_added_q, theirs.norm_added_k)
    return ours


def copy_sd3_block(theirs: JointTransformerBlock, ours: MMDiTBlock) -> MMDiTBlock:
    """Give our block Stable Diffusion 3's weights; returns it.

    Args:
        theirs: made with `qk_norm="layer_norm"`; it is changed.
        ours: of the same width and heads, and four times as wide inside its feed-forward networks; it is changed.
    """
    copy_sd3_attention(theirs.attn, ours.attention)
    pairs: Any = (ours.ffn, theirs.ff), (ours.text_ffn, theirs.ff_context)
    for ffn, feed_forward in pairs:
        ffn[1].approximate = "tanh"
        ffn[0].load_state_dict(feed_forward.net[0].proj.state_dict())
        ffn[2].load_state_dict(feed_forward.net[2].state_dict())
    return ours


@torch.no_grad()
def distance_from_sd3(block_class: Callable[..., MMDiTBlock]) -> float:
    """How far a block's two streams are from those of Stable Diffusion 3's block with the same weights, at most.

    Args:
        block_class: called as `MMDiTBlock`.
    """
    dim, heads, generator = 48, 3, torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(shape, generator=generator)  # noqa: E731
    theirs = JointTransformerBlock(dim, heads, dim // heads, qk_norm="layer_norm").eval()
    for parameter in theirs.parameters():
        parameter.copy_(0.3 * draw(*parameter.shape))
    ours = copy_sd3_block(theirs, block_class(dim, heads, 4 * dim))
    x, text, time = draw(2, 24, dim), draw(2, 5, dim), draw(2, dim)
    signal, text_signal = (norm.linear(norm.silu(time))[:, None] for norm in (theirs.norm1, theirs.norm1_context))
    found, found_text = ours(x[:, None], text, signal, text_signal)
    wanted_text, wanted = theirs(x, text, time)
    pairs = ((found[:, 0], wanted), (found_text, wanted_text))
    return max(((a - b).abs().max() / b.abs().max()).item() for a, b in pairs)
