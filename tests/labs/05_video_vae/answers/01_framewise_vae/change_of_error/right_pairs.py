"""Pair by pair, collecting sums.
"""


def change_of_error(preds, target, flow=None, visible=None, *, data_range=2.0):
    if preds.shape != target.shape:
        raise ValueError("not the same shape")
    num_frames = preds.shape[2]
    if num_frames < 2:
        raise ValueError("one frame does not change")
    error = preds - target
    total, count = preds.new_zeros(len(preds)), preds.new_zeros(len(preds))
    for t in range(num_frames - 1):
        after = error[:, :, t + 1] if flow is None else warp(error[:, :, t + 1], flow[:, :, t])
        change = (after - error[:, :, t]).abs().mean(dim=1)  # (B, H, W)
        seen = torch.ones_like(change) if visible is None else visible[:, t].to(change)
        total, count = total + (change * seen).sum(dim=(1, 2)), count + seen.sum(dim=(1, 2))
    return 255 * total / count / data_range
