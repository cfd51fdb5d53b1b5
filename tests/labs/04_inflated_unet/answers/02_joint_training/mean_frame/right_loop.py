"""A loop over frames."""


def mean_frame(clip):
    if len(clip.shape) != 4:
        raise ValueError(f"not a clip: {clip.shape}")
    total = torch.zeros_like(clip[:, 0])
    for frame in clip.unbind(dim=1):
        total = total + frame
    return (total / clip.shape[1]).unsqueeze(1)
