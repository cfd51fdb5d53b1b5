"""What a data set hands out: a window of a clip, and a batch of windows."""

from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True)
class Window:
    """A piece of one clip.

    Attributes:
        pixels: `(C, T, H, W)`, float32 in [-1, 1].
        fps: frames per second of `pixels`.
        name: the clip it was taken from.
        start: seconds from the beginning of that clip to the first frame.
    """

    pixels: torch.Tensor
    fps: float
    name: str
    start: float


@dataclass(frozen=True)
class Batch:
    """Windows of one size, stacked.

    Attributes:
        pixels: `(B, C, T, H, W)`, float in [-1, 1].
        fps: `(B,)`, frames per second.
        start: `(B,)`, seconds.
        names: the clips they were taken from.
    """

    pixels: torch.Tensor
    fps: torch.Tensor
    start: torch.Tensor
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def to(self, device=None, dtype=None) -> "Batch":
        """The same batch elsewhere; `dtype` is for the pixels alone, times keep theirs."""
        return replace(
            self,
            pixels=self.pixels.to(device=device, dtype=dtype),
            fps=self.fps.to(device=device),
            start=self.start.to(device=device),
        )


def collate(windows: list[Window]) -> Batch:
    """Stack windows of one size: give it to a `DataLoader` as `collate_fn`.

    Raises:
        ValueError: there is no window, or their pixels differ in shape.
    """
    shapes = {tuple(window.pixels.shape) for window in windows}
    if len(shapes) != 1:
        raise ValueError(f"a batch holds windows of one size; these have {sorted(shapes)}")
    return Batch(
        pixels=torch.stack([window.pixels for window in windows]),
        fps=torch.tensor([window.fps for window in windows]),
        start=torch.tensor([window.start for window in windows]),
        names=tuple(window.name for window in windows),
    )
