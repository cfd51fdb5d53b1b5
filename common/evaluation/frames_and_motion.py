"""What is right in single frames, and what is right in motion: two numbers that a clip's quality falls apart into."""

import torch

from common.evaluation.modes import clip_modes
from common.evaluation.paths import object_paths, straightness
from common.evaluation.sprite_reader import read_sprites


def frames_and_motion(clips: torch.Tensor, fps: float) -> tuple[float, float]:
    """How often a single frame shows one object of the sprites world, and how straight the objects' paths are.

    Args:
        clips: `(B, 3, T, H, W)` in [-1, 1]. Of clip b the frame `b % T` is read by itself.
        fps: frames per second.

    Returns:
        The fraction of those frames in which the reader names one shape and colour, and the mean over clips of
        `straightness`: 1 for things that go straight on.
    """
    each = torch.arange(len(clips))
    frames = clips[each, :, each % clips.shape[2]][:, :, None]  # (B, 3, 1, H, W)
    looks = clip_modes(read_sprites(frames, fps), ("shape", "color"))
    return sum(look is not None for look in looks) / len(clips), float(straightness(object_paths(clips)).mean())
