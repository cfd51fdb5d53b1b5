"""Windows of the bundled film shots by number, for training: small, cropped, mirrored, all by the number."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch
from torch.nn import functional as F

from common.data.bundled import Clip, clips
from common.video import read_frames

HELD_OUT = ("glade", "leap", "wing_dance")  # shots never trained on
KEPT_HEIGHT = 96  # pixels: the shots are kept in memory at this height
SPLITS = ("train", "test")


@dataclass(frozen=True)
class FilmWindow:
    """Where a clip was cut out: everything that its number has decided.

    Attributes:
        shot: the bundled clip.
        frames: of the shot, one for each frame of the clip.
        top, left, side: of the square that is kept, in pixels of the shot at `KEPT_HEIGHT`.
        is_mirrored: left and right are exchanged.
    """

    shot: Clip
    frames: range
    top: int
    left: int
    side: int
    is_mirrored: bool

    def cut(self, frames: np.ndarray) -> np.ndarray:
        """The window's own pixels, before they are mirrored and scaled: `(T, side, side, 3)` of `(F, H, W, 3)`."""
        chosen = slice(self.frames.start, self.frames.stop, self.frames.step)
        return frames[chosen, self.top : self.top + self.side, self.left : self.left + self.side]


@dataclass(frozen=True)
class FilmData:
    """Clips cut out of the bundled shots. The same number gives the same clip, whatever it is asked for with.

    For windows of other proportions, or at the film's own resolution, there is `common.data.ClipDataset`.

    A window begins anywhere in a shot, and takes every frame or every second or third one. Of its pictures a square is
    kept, the same in all frames: as high as the picture or down to two thirds of it, anywhere, mirrored half the time,
    and scaled to the size asked for.

    Attributes:
        split: `train`, or `test` for the shots of `HELD_OUT`.
        num_frames, size: of the clips.
        seed: of the choices.
    """

    split: str = "train"
    num_frames: int = 17
    size: int = 64
    seed: int = 0
    key: str = field(init=False)

    def __post_init__(self):
        if self.split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {self.split!r}")
        if not 1 <= self.size <= KEPT_HEIGHT * 2 // 3:
            raise ValueError(f"size must be from 1 to {KEPT_HEIGHT * 2 // 3} pixels, got {self.size}")
        object.__setattr__(self, "key", f"film {self.split}, {self.num_frames}x{self.size}, seed {self.seed}")

    def batch(self, indices) -> torch.Tensor:
        """The clips with these numbers: uint8 `(B, 3, T, H, W)`."""
        return torch.stack([self.clip(int(index)) for index in indices])

    def clip(self, index: int) -> torch.Tensor:
        """One clip: uint8 `(3, T, H, W)`."""
        window = self.window(index)
        pixels = torch.from_numpy(window.cut(_frames(window.shot))).permute(3, 0, 1, 2)  # (3, T, side, side)
        if window.is_mirrored:
            pixels = pixels.flip(-1)
        small = F.interpolate(pixels.float(), size=(self.size, self.size), mode="bilinear", antialias=True)
        return small.round().clamp(0, 255).to(torch.uint8)

    def window(self, index: int) -> FilmWindow:
        """Where clip `index` comes from.

        Raises:
            ValueError: no shot is that long.
        """
        shots = _shots(self.split, self.num_frames)
        if not shots:
            raise ValueError(f"no shot of the {self.split} split has {self.num_frames} frames")
        random = np.random.default_rng([self.seed, SPLITS.index(self.split), index])
        shot = shots[random.integers(len(shots))]
        height, width, _ = _frames(shot).shape[1:]
        step = int(random.integers(1, 1 + min(3, (shot.num_frames - 1) // max(self.num_frames - 1, 1))))
        span = (self.num_frames - 1) * step + 1
        first = int(random.integers(shot.num_frames - span + 1))
        side = int(random.integers(self.size, height + 1))
        top, left = int(random.integers(height - side + 1)), int(random.integers(width - side + 1))
        frames = range(first, first + span, step)
        return FilmWindow(shot, frames, top, left, side, is_mirrored=bool(random.integers(2)))


@lru_cache(maxsize=8)
def _shots(split: str, num_frames: int) -> tuple[Clip, ...]:
    """The shots of a split that are long enough, in the order of their names."""
    chosen = [shot for shot in clips() if (shot.name in HELD_OUT) == (split == "test")]
    return tuple(sorted((shot for shot in chosen if shot.num_frames >= num_frames), key=lambda shot: shot.name))


@lru_cache(maxsize=16)
def _frames(shot: Clip) -> np.ndarray:
    """A whole shot, uint8 `(T, KEPT_HEIGHT, W, 3)`, decoded once."""
    return read_frames(shot.path, range(shot.num_frames), size=KEPT_HEIGHT)
