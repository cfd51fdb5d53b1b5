"""Each clip by itself, frames as warp's batch, places picked by the mask.
"""


def change_of_error(preds, target, flow=None, visible=None, *, data_range=2.0):
    if preds.shape != target.shape or preds.shape[2] < 2:
        raise ValueError(f"no change in {preds.shape}, {target.shape}")
    results = []
    for b in range(len(preds)):
        error = (preds[b] - target[b]).transpose(0, 1) * 255 / data_range  # (T, C, H, W)
        after = error[1:] if flow is None else warp(error[1:], flow[b].transpose(0, 1))
        change = (after - error[:-1]).abs()
        if visible is not None:
            change = change.movedim(1, -1)[visible[b]]
        results.append(change.mean())
    return torch.stack(results)
