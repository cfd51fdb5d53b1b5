"""Three frames in a row, for an interpolator: the outer two are what it is given, the inner one is the truth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from common.data.bundled import clip_path, find_clip
from common.data.film import HELD_OUT, FilmData
from common.data.sprites import SpriteData
from common.tensor_ops import from_uint8
from common.video import read_frames

SOURCE_SIZE = 64  # pixels: what a training sample is cut out of
LARGEST_STEP = 3  # every frame, every second or every third one


@dataclass(frozen=True)
class TripletData:
    """Training samples by number: film where the number does not leave 3 when divided by 4, and sprites where it does.

    Three frames, 1 to 3 frames of the original apart, and of each the same square; in half of the samples the square
    slides along, by the same whole number of pixels from frame to frame, as if the camera were panned. Half of them are
    turned upside down, half run backwards, and in half rows and columns are swapped.

    Attributes:
        size: of the square, in pixels, at most `SOURCE_SIZE`.
        largest_pan: pixels from frame to frame, along x and along y, that the square slides at most; the margin around
            the square (`SOURCE_SIZE - size` in all) must hold it twice.
        seed: of the choices.
    """

    size: int = 48
    largest_pan: int = 8
    seed: int = 0
    key: str = field(init=False)

    def __post_init__(self):
        if not 1 <= self.size <= SOURCE_SIZE:
            raise ValueError(f"size must be from 1 to {SOURCE_SIZE} pixels, got {self.size}")
        if not 0 <= 2 * self.largest_pan <= SOURCE_SIZE - self.size:
            raise ValueError(
                f"the pan may be from 0 to half of the {SOURCE_SIZE - self.size} pixels around the square, got "
                f"{self.largest_pan}"
            )
        object.__setattr__(self, "key", f"triplets {self.size}, pan {self.largest_pan}, seed {self.seed}")

    def batch(self, indices: Iterable[int]) -> torch.Tensor:
        """The samples with these numbers: uint8 `(B, 3, 3, size, size)`, as clips `(B, C, T, H, W)`."""
        return torch.stack([self.clip(int(index)) for index in indices])

    def clip(self, index: int) -> torch.Tensor:
        """One sample: uint8 `(3, 3, size, size)`, as a clip `(C, T, H, W)`."""
        random = np.random.default_rng([self.seed, index])
        if index % 4 == 3:
            step = int(random.integers(1, LARGEST_STEP + 1))
            world = SpriteData(num_frames=2 * step + 1, size=SOURCE_SIZE, seed=self.seed)
            frames = world.batch([index]).pixels[0, :, ::step]  # (3, 3, 64, 64)
        else:
            frames = FilmData("train", 3, SOURCE_SIZE, self.seed).clip(index)
        return _turned(self._panned(frames, random), random)

    def _panned(self, frames: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
        """The square of each frame; it slides or it does not."""
        largest = self.largest_pan * int(random.integers(2))
        margin, squares = SOURCE_SIZE - self.size, []
        pans = random.integers(-largest, largest + 1, size=2)  # rows, columns
        middles = [int(random.integers(abs(pan), margin - abs(pan) + 1)) for pan in pans]
        for k in (-1, 0, 1):
            top, left = (middle + k * int(pan) for middle, pan in zip(middles, pans))
            squares.append(frames[:, k + 1, top : top + self.size, left : left + self.size])
        return torch.stack(squares, dim=1)


def _turned(frames: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """Backwards, upside down, rows for columns: each or none."""
    backwards, upside_down, transposed = random.integers(2, size=3)
    axes = [1] * int(backwards) + [2] * int(upside_down)
    frames = frames.flip(axes) if axes else frames
    return (frames.mT if transposed else frames).contiguous()


@dataclass(frozen=True)
class Triplets:
    """Whole frames, three by three.

    Attributes:
        pixels: uint8 `(N, 3, 3, H, W)`, as clips `(N, C, T, H, W)`: first, middle, last.
        names: of the shot, N of them.
        frames: number of the middle frame in its shot.
        steps: frames of the shot from the first to the middle, and from there to the last.
    """

    pixels: torch.Tensor
    names: tuple[str, ...]
    frames: tuple[int, ...]
    steps: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.names)

    def pictures(self, indices: Sequence[int] | slice) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """First, middle and last of some of them, `(n, 3, H, W)` each, float in [-1, 1]."""
        return from_uint8(self.pixels[indices]).unbind(dim=2)


def film_triplets(
    shots: Sequence[str] = HELD_OUT, steps: Sequence[int] = (1, 2, 3), *, height: int = 96, every: int = 1
) -> Triplets:
    """All triplets of some bundled shots that are so many frames apart.

    Args:
        shots: names of bundled shots; unless told otherwise, the three never trained on. One width for all.
        steps: frames of the shot between neighbours of a triplet.
        height: of the pictures.
        every: middle frames are this many frames apart.

    Raises:
        DataError: no shot has such a name, or its file is missing.
        ValueError: no shot is long enough.
    """
    pixels, labels = [], []
    for name in shots:
        shot = torch.from_numpy(read_frames(clip_path(name), range(find_clip(name).num_frames), size=height))
        shot = shot.permute(0, 3, 1, 2)  # (F, 3, H, W)
        for step in steps:
            for middle in range(step, len(shot) - step, every):
                pixels.append(shot[[middle - step, middle, middle + step]].transpose(0, 1))  # (3, 3, H, W)
                labels.append((name, middle, step))
    if not labels:
        raise ValueError(f"no shot of {', '.join(shots)} has a triplet of frames {', '.join(map(str, steps))} apart")
    return Triplets(torch.stack(pixels), *zip(*labels))
