"""RoPE without its frame axis: a video transformer that cannot tell one frame from another.

    with without_time_positions(transformer):
        clip = pipeline(prompt).frames

Attention sums over tokens in any order, and everything else in a DiT works on one token at a time. So without
positions in time, and with one noise level for all frames, the model is equivariant: permute the frames of the noise,
and exactly the frames of the result are permuted.
"""

import contextlib
from collections.abc import Generator

import torch

from common.layers.attention import SelfAttention
from common.layers.rope import axis_dims


@contextlib.contextmanager
def without_time_positions(model: torch.nn.Module) -> Generator[None]:
    """Inside the block every frame has the place 0 in all of the model's self-attentions.

    Args:
        model: with `SelfAttention` layers that are given rotations for a grid of tokens.
    """
    with contextlib.ExitStack() as undo:
        for module in model.modules():
            if isinstance(module, SelfAttention):
                undo.callback(module.register_forward_pre_hook(_at_frame_zero, with_kwargs=True).remove)
        yield


def _at_frame_zero(module, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """A self-attention's arguments, the rotation's pairs of the frame axis not turned."""
    named = dict(zip(("x", "rotation", "mask", "cache"), args)) | kwargs
    if named.get("rotation") is not None:
        turn = named["rotation"].clone()  # (N, head_dim / 2)
        turn[:, : axis_dims(2 * turn.shape[1])[0] // 2] = 1  # e^{i · 0}: the frame's pairs come first
        named["rotation"] = turn
    return (), named
