"""The world in clips of any height, width and length: what a wider picture shows more of lies to the left and right.

Lengths of the world are heights of the picture, as everywhere. So a clip of 48x80 shows what one of 96x160 shows, with
fewer pixels, and a clip of 64x96 shows the things of 64x64 in the same size, and more of the world beside them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from common.data.sprites.attributes import NUM_FRAMES, SpriteObject, SpriteScene
from common.data.sprites.dice import Dice
from common.data.sprites.paths import frame_times, picture_path, view
from common.data.sprites.render import SpriteBatch, render
from common.data.sprites.scenes import SPLITS, draw_scenes, scene_of
from common.data.sprites.shapes import EXTENTS

SHIFTS = 2**61  # the key of the draws below
NUM_PLACES, NUM_VERSIONS = 16, 12  # places tried for the objects of a scene; scenes of the same words tried
INSIDE = 0.6  # share of the frames in which each object is wholly inside


@dataclass(frozen=True)
class ShapedSprites:
    """Clips of one shape by number: those of `SpriteData` with the same number, with their objects moved to fit.

    Attributes:
        num_frames, height, width: of the clips; pixels.
        split, seed, num_objects: as in `SpriteData`.
    """

    num_frames: int
    height: int
    width: int
    split: str = "train"
    seed: int = 0
    num_objects: int | None = None

    def __post_init__(self):
        if self.split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {self.split!r}")

    def scenes(self, indices: Iterable[int]) -> list[SpriteScene]:
        """The scenes with these numbers."""
        given = draw_scenes(indices, seed=self.seed, split=self.split, num_objects=self.num_objects)
        return [fitted(scene, self.width / self.height, self.num_frames) for scene in given]

    def batch(self, indices: Iterable[int]) -> SpriteBatch:
        """The clips with these numbers."""
        return render(self.scenes(indices), self.num_frames, self.height, self.width)


def fitted(scene: SpriteScene, aspect: float, num_frames: int) -> SpriteScene:
    """A scene of the same words whose objects are seen as well as they can be in a picture of this width.

    All objects move sideways by one distance, drawn by the scene's number: as far as the picture has room. Where there
    is no such distance, other geometries of the same words are tried. Seen well means: all of it in the first frame,
    its middle in every frame, and all of it in six tenths of them. If nothing is, what is seen longest is taken.

    Args:
        scene: drawn for a square.
        aspect: width of the picture, in heights.
        num_frames: of the clip; at least those of the standard clip count.
    """
    dice, times, best, found = Dice(scene.index, SHIFTS), frame_times(max(num_frames, NUM_FRAMES)), -1.0, scene
    for version in range(NUM_VERSIONS):
        try:
            candidate = scene if version == 0 else scene_of(scene.words, scene.index + version * 2**40)
        except ValueError:  # no room in a square
            break
        spans = [_span(candidate, item, aspect, times) for item in candidate.objects]
        room = max(0.1, abs(aspect - 1))
        for shift in room * (dice.numbers(NUM_PLACES) - 0.5):
            score = min(_seen(shift, *span) for span in spans)
            if score > best:
                best, found = score, _moved(candidate, shift, scene.index)
            if score >= INSIDE:
                return found
    return found


def _span(scene: SpriteScene, item: SpriteObject, aspect: float, times: np.ndarray):
    """Of an object in each frame, `(T,)`: its middle in the picture, half its size, x and y; the zoom; the width."""
    x, y, radius = picture_path(scene, item, times)
    across, down = EXTENTS[item.shape]
    _, zoom = view(scene.camera, scene.camera_speed, times)
    return x + (aspect - 1) / 2, y, across * radius, down * radius, zoom, aspect


def _seen(shift, x, y, across, down, zoom, aspect) -> float:
    """The share of the frames in which an object is wholly inside; -1 where it is not at first, or lost later."""
    x = x + shift * zoom
    spare = np.minimum(np.minimum(x, aspect - x) - across, np.minimum(y, 1 - y) - down)
    if spare[0] < 0 or np.minimum(np.minimum(x, aspect - x), np.minimum(y, 1 - y))[:NUM_FRAMES].min() < 0:
        return -1.0 + 0.5 * float((spare > 0).mean())
    return float((spare > 0).mean())


def _moved(scene: SpriteScene, shift: float, index: int) -> SpriteScene:
    objects = tuple(replace(item, x=item.x + float(shift)) for item in scene.objects)
    return replace(scene, objects=objects, index=index)
