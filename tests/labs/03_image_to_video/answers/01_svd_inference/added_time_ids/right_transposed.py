"""Rows, then turned around."""


def added_time_ids(fps, motion_bucket_id, noise_aug_strength):
    rows = [fps, motion_bucket_id, noise_aug_strength]
    if any(row.dim() != 1 for row in rows) or len({len(row) for row in rows}) > 1:
        raise ValueError(f"got {[row.shape for row in rows]}")
    stacked = torch.stack([row.to(torch.float32) for row in rows])
    return (stacked - torch.tensor([[1.0], [0.0], [0.0]], device=stacked.device)).T
