"""Self-rollout contexts: a student of a world model learns from pasts that it made itself. For lab 09.5."""

import torch

from common.streaming.world import push, sample_next


def self_rollout(
    model, clip: torch.Tensor, actions: torch.Tensor, eps: torch.Tensor, chosen: torch.Tensor
) -> torch.Tensor:
    """Self-rollout contexts, against drift: in some samples the past is the model's own, as at play.

    At play a model sees its own frames, with its own mistakes in them. In training on real pasts it never does (Self
    Forcing, Huang et al. 2025, arXiv:2506.08009). So begin with K real frames, and let the model make the next K. Each
    is made in one step, `sample_next(model, past, keys, num_steps=1, eps=…)` without noise on the past, from the K
    frames before it: real ones first, then more and more of its own. Frame K + k is made with actions k to k + K - 1
    and the noise `eps[:, :, k]`.

    Args:
        model: as for `sample_next`, with `config.context`, K.
        clip: real frames, `(B, C, 2 K, H, W)` in [-1, 1].
        actions: int64 `(B, 2 K - 1)`; `actions[:, t]` leads from frame t to frame t + 1.
        eps: standard normal noise, `(B, C, K, H, W)`.
        chosen: bool `(B,)`, the samples whose past the model makes. The model only sees these samples, and is not
            called if there are none.

    Returns:
        `(B, C, K, H, W)`, a new tensor: the model's K frames where chosen, else the last K of the clip. No gradient is
        recorded.
    """
    num_past = model.config.context
    result = clip[:, :, num_past:].clone()
    past, pressed, noise = clip[chosen][:, :, :num_past], actions[chosen], eps[chosen]
    with torch.no_grad():
        for k in range(num_past if len(past) else 0):
            frame = sample_next(model, past, pressed[:, k : k + num_past], 1, eps=noise[:, :, k])
            past = push(past, frame)
    result[chosen] = past
    return result
