"""How sharp edges are: the 10–90 % rise of a profile, and profiles across the edges of drawn objects."""

from collections.abc import Sequence

import torch

from common.data.sprites.attributes import COLORS, SpriteScene
from common.data.sprites.paths import frame_times, picture_path
from common.data.sprites.shapes import EXTENTS
from common.data.sprites.world import SpriteData
from common.tensor_ops import from_uint8

REACH = 6  # pixels of a profile on each side of an edge
SHAPES = ("circle", "square")  # whose left and right ends are vertical edges


def edge_width(profiles: torch.Tensor) -> torch.Tensor:
    """The 10–90 % rise distance: over how many pixels a profile across an edge climbs from 10 % to 90 % of its height.

    A profile begins on one side of an edge and ends on the other. It is scaled so that its first value is 0 and its
    last one 1, whichever is larger, and joined by straight lines from pixel to pixel. There, the edge ends where the
    profile reaches 0.9 for the first time, and it begins where the profile was at 0.1 for the last time before that.

    Args:
        profiles: `(N, W)`, W from 2 on, float32 or float64.

    Returns:
        `(N,)` in the dtype of `profiles`, in pixels.

    Raises:
        ValueError: the profiles have not two axes or fewer than two pixels, or one begins and ends at the same value.
    """
    if profiles.ndim != 2 or profiles.shape[1] < 2:
        raise ValueError(f"profiles are (N, W), with W at least 2; got {tuple(profiles.shape)}")
    first, last = profiles[:, :1], profiles[:, -1:]
    if (first == last).any():
        raise ValueError("a profile that begins and ends at the same value crosses no edge")
    heights = (profiles - first) / (last - first)  # (N, W)
    places = torch.arange(profiles.shape[1], device=profiles.device)
    end = (heights >= 0.9).int().argmax(dim=1)  # the first pixel at 0.9 or above; the last pixel is
    low = (heights <= 0.1) & (places < end[:, None])
    start = (places * low).amax(dim=1)  # the last pixel before it at 0.1 or below; the first pixel is
    found = []
    for left, level in ((end - 1, 0.9), (start, 0.1)):  # where the line from pixel `left` to the next is at the level
        a, b = (heights.gather(1, index[:, None])[:, 0] for index in (left, left + 1))
        found.append(left + (level - a) / (b - a))
    return found[0] - found[1]


def edge_scenes(count: int, num_frames: int = 17, size: int = 128) -> list[SpriteScene]:
    """The first test scenes with a clean edge in every frame: one large circle or square on a plain field, no camera.

    Args:
        count: how many.
        num_frames, size: of the clips; the whole of each profile is inside the picture and reaches into the object.
    """
    world, found, number = SpriteData("test", num_frames, size, num_objects=1), [], 0
    while len(found) < count:
        [scene] = world.scenes([number])
        found += [scene] if _has_clean_edges(scene, num_frames, size) else []
        number += 1
    return found


def edge_profiles(clips: torch.Tensor, scenes: Sequence[SpriteScene]) -> torch.Tensor:
    """Across the left and the right edge of each object, through its middle row, in every frame: from field to object.

    Args:
        clips: `(B, 3, T, H, W)`, H = W, what is measured.
        scenes: B of them, from `edge_scenes`.

    Returns:
        `(2 B T, 12)`: how far each pixel's colour has come along the way from the field's colour to the object's.
    """
    found, size = [], clips.shape[-1]
    for clip, scene in zip(clips, scenes, strict=True):
        [item] = scene.objects
        thing, field = from_uint8(torch.tensor([COLORS[item.color], COLORS[scene.background_color]]))[..., None]
        way = thing - field  # (3, 1)
        for frame, (y, left, right) in zip(clip.unbind(dim=1), _edges(scene, clip.shape[1], size)):
            row = ((frame[:, int(y)] - field) * way).sum(dim=0) / way.square().sum()  # (W,)
            start, end = round(left) - REACH, round(right) + REACH
            found += [row[start : start + 2 * REACH], row[end - 2 * REACH : end].flip(0)]
    return torch.stack(found)


def _edges(scene: SpriteScene, num_frames: int, size: int) -> list[tuple[float, float, float]]:
    """The middle row, the left and the right edge of the object in each frame, in pixels."""
    [item] = scene.objects
    x, y, radius = (size * values for values in picture_path(scene, item, frame_times(num_frames)))
    reach = radius * EXTENTS[item.shape][0]
    return list(zip(y.tolist(), (x - reach).tolist(), (x + reach).tolist()))


def _has_clean_edges(scene: SpriteScene, num_frames: int, size: int) -> bool:
    [item] = scene.objects
    if scene.background != "field" or scene.camera != "still" or item.shape not in SHAPES or item.size != "large":
        return False
    return all(
        left > REACH and right < size - REACH and right - left > 2 * REACH and 0 <= y < size
        for y, left, right in _edges(scene, num_frames, size)
    )
