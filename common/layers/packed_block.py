"""A DiT block for packed clips: one sequence of tokens, in which no clip sees another one, nor another one's text."""

from collections.abc import Sequence

import torch

from common.layers.packing import pack, unpack


def packed_block(
    block,
    clips: Sequence[torch.Tensor],
    signals: Sequence[torch.Tensor],
    texts: Sequence[torch.Tensor],
    rotations: Sequence[torch.Tensor],
) -> list[torch.Tensor]:
    """Run a `DiTBlock` on several clips of different shapes as one packed sequence (NaViT, arXiv:2307.06304).

    What each token does by itself (modulation, feed-forward) and the self-attention are computed once, for the
    sequence of all N tokens. The block's self-attention gets the mask of `pack`, so that every clip attends to itself
    alone, and the turns of all clips, joined in the same order. Each clip's tokens attend to their own text alone:
    `block.cross_attention`, called clip by clip.

    As in `DiTBlock.forward`, `block.modulation(signal)` gives the modulations of the three branches (self-attention,
    cross-attention, feed-forward), and each branch is `x = modulation.leave(x, net(modulation.enter(x)))`. `enter` and
    `leave` take tokens `(B, T', S, D)` with a signal `(B, T' or 1, 9 D)`. Here every token has a signal of its own, so
    the N tokens are N "frames" of one token each: `(1, N, 1, D)` with `(1, N, 9 D)`.

    Args:
        block: a `DiTBlock`. `block.attention(x, rotation, mask)` takes `(1, N, D)` and gives a pair, the result first;
            `block.cross_attention(x, text)` takes `(1, N_i, D)` and `(1, L_i, D)`; `block.ffn(x)` any tokens.
        clips: tokens of each clip, `(N_i, D)`; the N_i may all differ.
        signals: of each clip's tokens, `(N_i, 9 D)`.
        texts: of each clip, `(L_i, D)`, without padding; the L_i may differ too.
        rotations: of each clip, `(N_i, head_dim / 2)`.

    Returns:
        Tokens of each clip, `(N_i, D)`: what the block gives for that clip alone, up to rounding.

    Raises:
        ValueError: there are not as many signals, texts and rotations as clips; or as `pack`.
    """
    if not len(clips) == len(signals) == len(texts) == len(rotations):
        raise ValueError(
            f"each clip needs a signal, a text and a rotation; got {len(clips)} clips with {len(signals)}, "
            f"{len(texts)} and {len(rotations)}"
        )
    packed = pack(clips)
    x = packed.tokens[:, :, None]  # (1, N, 1, D)
    own, cross, ffn = block.modulation(torch.cat(list(signals))[None])
    out, _ = block.attention(own.enter(x)[:, :, 0], torch.cat(list(rotations)), packed.mask)
    x = own.leave(x, out[:, :, None])
    pieces = unpack(cross.enter(x)[:, :, 0], packed.lengths)
    out = torch.cat([block.cross_attention(piece[None], text[None])[0] for piece, text in zip(pieces, texts)])
    x = cross.leave(x, out[None, :, None])
    x = ffn.leave(x, block.ffn(ffn.enter(x)))
    return unpack(x[:, :, 0], packed.lengths)
