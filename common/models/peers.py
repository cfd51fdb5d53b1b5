"""Published video transformers beside ours: a DiT block with the weights of Wan's, and tiny instances of the classes.

    wan = WanTransformer3DModel(**TINY["WanTransformer3DModel"])
    block = copy_wan_block(wan.blocks[0], DiTBlock(24, 2, 48))

The architecture is Wan's (arXiv:2503.20314) but for two things. The norms of queries and keys differ (Wan: RMS norm
over all heads together), and Wan's cross-attention has neither a gate nor a signal from the noise level.
"""

from collections.abc import Callable

import torch
from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed, WanTransformerBlock

from common.layers.rope import rotations
from common.models.dit import DiTBlock

TINY = {
    "WanTransformer3DModel": {
        "patch_size": (1, 2, 2), "num_attention_heads": 2, "attention_head_dim": 12, "text_dim": 32, "freq_dim": 16,
        "ffn_dim": 48, "num_layers": 2, "rope_max_seq_len": 32, "cross_attn_norm": True,
    },
    "CogVideoXTransformer3DModel": {
        "patch_size": 2, "num_attention_heads": 2, "attention_head_dim": 16, "time_embed_dim": 32, "text_embed_dim": 32,
        "num_layers": 2, "sample_width": 8, "sample_height": 8, "sample_frames": 17, "max_text_seq_length": 8,
        "use_rotary_positional_embeddings": True,
    },
}  # fmt: skip


def copy_wan_block(wan: WanTransformerBlock, block: DiTBlock) -> DiTBlock:
    """Give a block Wan's weights, so that both compute the same; returns the block.

    The norms of queries and keys are switched off in both, and Wan's GELU becomes the exact one. Wan's ungated
    cross-attention gets gate 1, and the gain and bias of its norm become scale and shift.

    Args:
        wan: made with `cross_attn_norm=True`; it is changed.
        block: of the same width, number of heads and feed-forward width; it is changed.
    """
    for attention in (wan.attn1, wan.attn2, block.attention, block.cross_attention):
        attention.norm_q = attention.norm_k = torch.nn.Identity()
    wan.ffn.net[0].approximate = "none"
    with torch.no_grad():
        for part in ("weight", "bias"):
            q, k, v = (getattr(getattr(wan.attn1, f"to_{x}"), part) for x in "qkv")
            getattr(block.attention.to_qkv, part).copy_(torch.cat([q, k, v]))
            getattr(block.cross_attention.to_q, part).copy_(getattr(wan.attn2.to_q, part))
            k, v = (getattr(getattr(wan.attn2, f"to_{x}"), part) for x in "kv")
            getattr(block.cross_attention.to_kv, part).copy_(torch.cat([k, v]))
            for name, attention in (("attention", wan.attn1), ("cross_attention", wan.attn2)):
                getattr(getattr(block, name).to_out, part).copy_(getattr(attention.to_out[0], part))
            getattr(block.ffn[0], part).copy_(getattr(wan.ffn.net[0].proj, part))
            getattr(block.ffn[2], part).copy_(getattr(wan.ffn.net[2], part))
        six = wan.scale_shift_table[0]  # (6, D): shift, scale, gate of attention; shift, scale, gate of feed-forward
        cross = torch.stack([wan.norm2.bias, wan.norm2.weight - 1, torch.ones_like(wan.norm2.bias)])
        block.modulation.table.copy_(torch.cat([six[:3], cross, six[3:]]).flatten())
    return block


def run_wan_block(
    wan: WanTransformerBlock, x: torch.Tensor, signal: torch.Tensor, text: torch.Tensor, size: tuple[int, int, int]
) -> torch.Tensor:
    """Wan's block on the tokens of a grid, called as ours is.

    Args:
        wan: the block.
        x: `(B, T', S, D)`.
        signal: `(B, T', 9 D)`, of which Wan has no use for the middle third: its cross-attention gets no signal.
        text: `(B, L, D)`.
        size: T', H', W', of which H' · W' is S.

    Returns:
        `(B, T', S, D)`.
    """
    tokens = x.flatten(1, 2)
    nine = signal.unflatten(-1, (9, -1)).repeat_interleave(x.shape[2], dim=1)  # (B, T' · S, 9, D)
    six = torch.cat([nine[:, :, :3], nine[:, :, 6:]], dim=2)
    rotary = WanRotaryPosEmbed(x.shape[-1] // wan.attn1.heads, (1, 1, 1), max(size))(tokens.new_zeros(1, 1, *size))
    return wan(tokens, text, six, rotary).unflatten(1, x.shape[1:3])


@torch.no_grad()
def distance_from_wan(make_block: Callable[[int, int, int], DiTBlock], seed: int = 0) -> float:
    """The largest difference between Wan's block and one with its weights, on random tokens, text and signal.

    Args:
        make_block: width, heads and feed-forward width to a block, such as `DiTBlock`.
        seed: of the weights and the inputs.
    """
    dim, heads, grid = 24, 2, (3, 2, 4)
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        wan = WanTransformerBlock(dim, 2 * dim, heads, cross_attn_norm=True)
        block = copy_wan_block(wan, make_block(dim, heads, 2 * dim))
        x, text, signal = torch.randn(2, 3, 8, dim), torch.randn(2, 7, dim), torch.randn(2, 3, 9, dim)
    signal[:, :, 3:6] = 0  # Wan's text branch is given none
    signal = signal.flatten(2)
    found, _ = block(x, signal, text, rotation=rotations(grid, dim // heads, theta=10_000.0))
    return float((found - run_wan_block(wan, x, signal, text, grid)).abs().max())
