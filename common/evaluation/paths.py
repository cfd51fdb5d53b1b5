"""Where the one thing in a clip is, and whether it gets anywhere: a measure of motion that knows no world.

It asks little of a clip: that most of it is background of one colour, and that one thing is in front of it.
"""

import torch

FAINT = 0.5  # of a pixel's distance from the background, in [-1, 1] summed over channels: less is noise


def object_paths(clips: torch.Tensor) -> torch.Tensor:
    """The middle of what is not background, in every frame.

    The background is each clip's median colour; what differs from it counts by how much.

    Args:
        clips: `(B, 3, T, H, W)` in [-1, 1].

    Returns:
        `(B, T, 2)`: x and y in heights of the picture, from its upper left corner. NaN where a frame shows nothing.

    Raises:
        ValueError: the shape is another one.
    """
    if clips.ndim != 5 or 0 in clips.shape:
        raise ValueError(f"clips are (B, C, T, H, W), got {tuple(clips.shape)}")
    clips = clips.detach().float()
    height, width = clips.shape[-2:]
    background = clips.flatten(2).median(dim=2).values[:, :, None, None, None]  # (B, C, 1, 1, 1)
    weight = (clips - background).abs().sum(dim=1)  # (B, T, H, W)
    weight = torch.where(weight > FAINT, weight, 0)
    total = weight.sum(dim=(2, 3))  # (B, T)
    x = (weight.sum(dim=2) * (torch.arange(width, device=clips.device) + 0.5)).sum(dim=2) / total
    y = (weight.sum(dim=3) * (torch.arange(height, device=clips.device) + 0.5)).sum(dim=2) / total
    return torch.stack([x, y], dim=2) / height


def straightness(paths: torch.Tensor) -> torch.Tensor:
    """How far things get for the way they make: the distance from first to last place over the length of the path.

    1 for straight motion at any speed, 0 for a thing that ends where it began; for one that jumps about at random, less
    the longer the clip.

    Args:
        paths: `(B, T, 2)`.

    Returns:
        `(B,)`, in [0, 1]. 0 for a path that is not known everywhere, or that is no path because nothing moves.

    Raises:
        ValueError: the shape is another one, or there are fewer than 3 places (between 2 every path is straight).
    """
    if paths.ndim != 3 or paths.shape[2] != 2 or paths.shape[1] < 3:
        raise ValueError(f"paths are (B, T, 2) of at least 3 frames, got {tuple(paths.shape)}")
    length = paths.diff(dim=1).norm(dim=2).sum(dim=1)  # (B,)
    ratio = (paths[:, -1] - paths[:, 0]).norm(dim=1) / length
    return torch.where(length > 0, ratio, 0.0).nan_to_num(0.0)  # NaN > 0 is False
