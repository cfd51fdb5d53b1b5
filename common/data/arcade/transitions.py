"""Which action belongs between which frames: plays cut into transitions."""

from typing import NamedTuple

import torch
from einops import rearrange


class Transitions(NamedTuple):
    """What a world model learns from: (past, actions) -> next frame.

    Attributes:
        past: the K frames before the next one, oldest first, `(N, C, K, H, W)`.
        actions: `(N, K)`; `actions[:, k]` is pressed while past frame k is shown, so the last one leads to the next
            frame.
        target: the next frame, `(N, C, H, W)`.
    """

    past: torch.Tensor
    actions: torch.Tensor
    target: torch.Tensor


def transitions(clips: torch.Tensor, actions: torch.Tensor, context: int) -> Transitions:
    """Transitions: every frame of a play that has K frames before it, with these frames and with K actions.

    The action `actions[:, t]` is pressed while frame t is shown and leads to frame t + 1. So the last of the K
    actions is the one that makes the next frame.

    Args:
        clips: plays of T frames, `(B, C, T, H, W)`.
        actions: int64 `(B, T - 1)`.
        context: K, from 1 to T - 1.

    Returns:
        Three tensors, as a tuple or as `Transitions`, with N = B (T - K) rows. All transitions of the first play come
        first, in the order of time, then those of the second.

        - the past `(N, C, K, H, W)`, oldest frame first,
        - the actions `(N, K)`: those pressed while the past's frames are shown,
        - the next frame `(N, C, H, W)`.

    Raises:
        ValueError: `actions` is not `(B, T - 1)`, or K is not from 1 to T - 1.
    """
    num_frames = clips.shape[2]
    if actions.shape != (len(clips), num_frames - 1):
        raise ValueError(f"plays of {num_frames} frames take {num_frames - 1} actions each, got {tuple(actions.shape)}")
    if not 1 <= context < num_frames:
        raise ValueError(f"the past of a play of {num_frames} frames has 1 to {num_frames - 1}, got {context}")
    past = rearrange(clips[:, :, :-1].unfold(2, context, 1), "b c n h w k -> (b n) c k h w")
    pressed = rearrange(actions.unfold(1, context, 1), "b n k -> (b n) k")
    return Transitions(past, pressed, rearrange(clips[:, :, context:], "b c n h w -> (b n) c h w"))
