"""Frame by frame."""


def remove_mean(clip):
    mean = mean_frame(clip)[:, 0]
    return torch.stack([frame - mean for frame in clip.unbind(1)], dim=1)
