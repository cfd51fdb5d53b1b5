"""Points that go straight on and bars that glide: the smallest sequences whose next step can be foreseen."""

import math

import torch

NOISE = 0.05  # in each place, standard deviation
SLOWEST, FASTEST = 0.6, 1.0  # per frame


def straight_walks(num_walks: int, num_frames: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Walks from anywhere, each in one direction at one speed, with a little noise.

    From the third frame on one can foresee where a walk goes; before, it may go any way.

    Args:
        num_walks: how many.
        num_frames: places of each.
        generator: draws everything.

    Returns:
        `(num_walks, 2, num_frames)`.
    """
    way = 2 * math.pi * torch.rand(num_walks, generator=generator)
    speed = SLOWEST + (FASTEST - SLOWEST) * torch.rand(num_walks, generator=generator)
    velocity = speed[:, None] * torch.stack([way.cos(), way.sin()], dim=1)  # (N, 2)
    begin = 0.5 * torch.randn(num_walks, 2, generator=generator)
    path = begin[:, :, None] + velocity[:, :, None] * torch.arange(num_frames)
    return path + NOISE * torch.randn(path.shape, generator=generator)


def gliding_bars(count: int, num_frames: int = 4, size: int = 8, generator: torch.Generator | None = None):
    """Clips of a white bar, 2 wide, that glides left or right by 2 pixels per frame, around and around.

    One frame does not tell which way it goes. Two do.

    Args:
        count: how many clips.
        num_frames: of each.
        size: rows and columns.
        generator: draws where each bar begins and which way it goes.

    Returns:
        `(count, 1, num_frames, size, size)`, -1 and 1.
    """
    start = torch.randint(0, size, (count, 1), generator=generator)
    way = 2 * torch.randint(0, 2, (count, 1), generator=generator) - 1
    left = (start + 2 * way * torch.arange(num_frames)) % size  # (count, T)
    column = (torch.arange(size) - left[..., None]) % size  # (count, T, size)
    bars = torch.where(column < 2, 1.0, -1.0)
    return bars[:, None, :, None, :].expand(-1, -1, -1, size, -1).contiguous()
