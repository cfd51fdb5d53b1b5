"""Column by column into an empty tensor."""


def added_time_ids(fps, motion_bucket_id, noise_aug_strength):
    count = fps.shape[0] if fps.ndim else -1
    for given in (fps, motion_bucket_id, noise_aug_strength):
        if tuple(given.shape) != (count,):
            raise ValueError("three batches of one size")
    ids = torch.empty(count, 3, dtype=torch.float32, device=fps.device)
    ids[:, 0] = fps
    ids[:, 0] -= 1
    ids[:, 1] = motion_bucket_id
    ids[:, 2] = noise_aug_strength
    return ids
