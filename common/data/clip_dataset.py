"""Windows of real clips as a torch data set."""

import math
from collections.abc import Sequence

import torch
from torch.utils.data import Dataset

from common.data.batch import Window
from common.data.bundled import Clip, clips
from common.video import VideoReader, frames_to_clip


class ClipDataset(Dataset):
    """Windows of `num_frames` frames, cut out of clips at even distances and scaled to one size.

    Each frame is scaled until it just covers `(height, width)`; what sticks out is cut off, in the middle or, with
    `random_crop`, at a place drawn anew for each window. A window keeps one crop and one flip for all its frames.

    Args:
        films: the clips to take windows from; the bundled shots if None.
        num_frames: frames in a window.
        height: of the result, in pixels.
        width: of the result, in pixels.
        step: take every `step`-th frame, so that a window spans more time at a lower frame rate.
        hop: frames of the film between the starts of two windows; a window's own length if None, so that they touch.
        random_crop: cut at a random place instead of the middle.
        random_flip: mirror left and right, for every other window on average.
        generator: where the random places come from; torch's own if None.

    Raises:
        ValueError: a size is below 1, or no clip is long enough for one window.
    """

    def __init__(
        self,
        films: Sequence[Clip] | None = None,
        *,
        num_frames: int = 16,
        height: int = 64,
        width: int = 64,
        step: int = 1,
        hop: int | None = None,
        random_crop: bool = False,
        random_flip: bool = False,
        generator: torch.Generator | None = None,
    ):
        span = (num_frames - 1) * step + 1
        hop = span if hop is None else hop
        if min(num_frames, height, width, step, hop) < 1:
            raise ValueError(f"sizes are at least 1, got {num_frames=}, {height=}, {width=}, {step=}, {hop=}")
        films = clips() if films is None else list(films)
        self.num_frames, self.height, self.width, self.step = num_frames, height, width, step
        self.random_crop, self.random_flip, self.generator = random_crop, random_flip, generator
        self.windows = [(film, first) for film in films for first in range(0, film.num_frames - span + 1, hop)]
        if not self.windows:
            longest = max((film.num_frames for film in films), default=0)
            raise ValueError(f"a window spans {span} frames; the longest of {len(films)} clips has {longest}")

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> Window:
        """The window with this number: `pixels` are `(3, num_frames, height, width)`, float32 in [-1, 1]."""
        film, first = self.windows[index]
        frames = [first + k * self.step for k in range(self.num_frames)]
        with VideoReader(film.path) as reader:
            covering = reader.read(frames, size=_shorter_side(film, self.height, self.width))
        pixels = self._crop(frames_to_clip(covering))  # (C, T, H, W)
        if self.random_flip and self._draw(2):
            pixels = pixels.flip(-1)
        return Window(pixels.contiguous(), film.fps / self.step, film.name, first / film.fps)

    def _crop(self, pixels: torch.Tensor) -> torch.Tensor:
        spare_rows, spare_columns = pixels.shape[-2] - self.height, pixels.shape[-1] - self.width
        if self.random_crop:
            top, left = self._draw(spare_rows + 1), self._draw(spare_columns + 1)
        else:
            top, left = spare_rows // 2, spare_columns // 2
        return pixels[..., top : top + self.height, left : left + self.width]

    def _draw(self, count: int) -> int:
        """A whole number from 0 to `count - 1`."""
        return int(torch.randint(count, (), generator=self.generator))


def _shorter_side(film: Clip, height: int, width: int) -> int:
    """Length of the shorter side at which the film's frames just cover `(height, width)`."""
    scale = max(height / film.height, width / film.width)
    return math.ceil(scale * min(film.height, film.width) - 1e-6)  # 1e-6: 90 / 360 * 360 may come out above 90
