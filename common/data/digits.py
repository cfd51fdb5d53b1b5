"""Moving MNIST: two handwritten digits that drift through a black square and bounce off its walls, by number.

The rules are those of the benchmark (Srivastava et al. 2015, arXiv:1502.04681) as its published generator has them:

- 20 frames of 64x64 pixels, two digits of 28x28; where they overlap, the brighter pixel is seen.
- A digit's corner moves in the square that leaves it whole, 36 pixels wide. It begins anywhere in it, with a direction
  drawn evenly from the full circle and a step of a tenth of that width, 3.6 pixels per frame. (The paper's words have
  the step drawn "over a fixed range"; its generator, and all work that followed, keep it fixed.)
- First the step, then the frame. A coordinate that would leave is set onto the wall and its velocity turns round: what
  the step would have gone beyond the wall is lost.
- A digit is drawn at whole pixels, its place rounded down.

The digits are real, 10,000 of MNIST (LeCun, Cortes; CC BY-SA 3.0), one in ten of them seen in the test split alone.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from common.data.download import DataError
from common.data.sources import datasets_dir, file_sha256
from common.data.sprites.dice import Dice
from common.tensor_ops import from_uint8

NUM_FRAMES, SIZE, NUM_DIGITS = 20, 64, 2
DIGIT = 28  # pixels, both ways
STEP = 0.1  # a frame, as a part of the width that a digit's corner moves in
SPLITS = ("train", "test")
TEST_SET = range(10_000)  # the numbers of the test split: all there is of it
FOLDER = "digits"
LICENCE, CREDIT = "CC-BY-SA-3.0", "MNIST, Yann LeCun and Corinna Cortes"


@dataclass(frozen=True)
class DigitBatch:
    """Rendered clips.

    Attributes:
        pixels: uint8 `(B, 1, T, H, W)`.
        labels: int64 `(B, K)`, which digits are seen, 0 to 9.
    """

    pixels: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.pixels)

    def clips(self, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """The pixels as clips `(B, 1, T, H, W)` in [-1, 1]."""
        return from_uint8(self.pixels, dtype)

    def to(self, device=None) -> "DigitBatch":
        """The same batch elsewhere."""
        return replace(self, pixels=self.pixels.to(device), labels=self.labels.to(device))


@dataclass(frozen=True)
class DigitTruth:
    """What is true about clips of K digits.

    Attributes:
        labels: int64 `(B, K)`, from 0 to 9.
        digits: int64 `(B, K)`, which digit of the split each one is.
        positions: float64 `(B, K, T, 2)`, x and y of each digit's upper left corner, in pixels, exactly.
        corners: int64 `(B, K, T, 2)`, the same as it was drawn: whole pixels, rounded down.
    """

    labels: torch.Tensor
    digits: torch.Tensor
    positions: torch.Tensor
    corners: torch.Tensor


@dataclass(frozen=True)
class DigitData:
    """Moving MNIST by number: the same number gives the same clip, on any machine, whatever it is asked for with.

    The train split has no last clip. The test split has those of `TEST_SET`; with the other attributes left as they
    are, they are this library's fixed test set (the published one has other digits).

    Attributes:
        split: `train` or `test`. No digit is in both.
        num_frames, size, num_digits: of the clips; the benchmark's if not given.
        seed: of the choices.
    """

    split: str = "train"
    num_frames: int = NUM_FRAMES
    size: int = SIZE
    num_digits: int = NUM_DIGITS
    seed: int = 0
    key: str = field(init=False)

    def __post_init__(self):
        if self.split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {self.split!r}")
        if self.size < DIGIT or self.num_frames < 1 or self.num_digits < 1 or self.seed < 0:
            raise ValueError(
                f"a clip has at least {DIGIT} rows, one frame and one digit, and a seed is not negative; got "
                f"size={self.size}, num_frames={self.num_frames}, num_digits={self.num_digits}, seed={self.seed}"
            )
        shape = f"{self.num_frames}x{self.size}, {self.num_digits} digits"
        object.__setattr__(self, "key", f"moving mnist {self.split}, {shape}, seed {self.seed}")

    def batch(self, indices: Iterable[int]) -> DigitBatch:
        """The clips with these numbers.

        Raises:
            ValueError: there is no number, one is negative, or one lies beyond the test set.
            DataError: the digits are not there, as in a library that was installed without its repository.
        """
        known = self.truth(indices)
        digits = handwritten(self.split)[0][known.digits]  # (B, K, 28, 28)
        frames = np.zeros((len(digits), self.num_frames, self.size, self.size), dtype=np.uint8)
        places = np.lib.stride_tricks.sliding_window_view(frames, (DIGIT, DIGIT), axis=(2, 3), writeable=True)
        clip, frame = np.ogrid[: len(digits), : self.num_frames]
        for k in range(self.num_digits):
            x, y = known.corners[:, k].numpy().transpose(2, 0, 1)  # (B, T) each
            places[clip, frame, y, x] = np.maximum(places[clip, frame, y, x], digits[:, k, None])
        return DigitBatch(torch.from_numpy(frames[:, None]), known.labels)

    def truth(self, indices: Iterable[int]) -> DigitTruth:
        """The truth about `batch(indices)`; it raises the same."""
        dice = self._throw(list(map(int, indices)))  # (B, K, 4)
        labels = handwritten(self.split)[1]
        digits = (dice[..., 0] * len(labels)).astype(np.int64)  # (B, K)
        positions = (self.size - DIGIT) * bounce(dice[..., 1:3], 2 * np.pi * dice[..., 3], self.num_frames)
        return DigitTruth(
            labels=torch.from_numpy(labels[digits].astype(np.int64)),
            digits=torch.from_numpy(digits),
            positions=torch.from_numpy(positions),
            corners=torch.from_numpy(positions.astype(np.int64)),
        )

    def _throw(self, indices: list[int]) -> np.ndarray:
        """The four numbers in [0, 1) that each digit of each clip is made of, `(B, K, 4)`."""
        last = TEST_SET[-1] if self.split == "test" else 2**63
        if not indices or min(indices) < 0 or max(indices) > last:
            raise ValueError(f"a {self.split} clip has a number from 0 to {last}; got {indices[:20]}")
        world = len(SPLITS) * self.seed + SPLITS.index(self.split)
        thrown = [Dice(index, world).numbers(4 * self.num_digits) for index in indices]
        return np.stack(thrown).reshape(len(indices), self.num_digits, 4)


def bounce(start: np.ndarray, angle: np.ndarray, num_frames: int) -> np.ndarray:
    """Straight paths through the unit square that bounce off its walls.

    Args:
        start: `(..., 2)`, x and y before the first step, in [0, 1].
        angle: `(...)`, direction, radians.
        num_frames: T.

    Returns:
        `(..., T, 2)`, x and y after each of T steps, in [0, 1].
    """
    place, velocity = start, STEP * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    path = []
    for _ in range(num_frames):
        place = place + velocity
        velocity = np.where((place <= 0) | (place >= 1), -velocity, velocity)
        place = place.clip(0, 1)
        path.append(place)
    return np.stack(path, axis=-2)


def handwritten(split: str) -> tuple[np.ndarray, np.ndarray]:
    """The digits of a split by themselves: pixels uint8 `(N, 28, 28)`, white on black, and labels uint8 `(N,)`.

    Raises:
        DataError: they are not there, or not as they should be.
    """
    arrays = _load(datasets_dir() / FOLDER)
    return arrays[f"{split}_pixels"], arrays[f"{split}_labels"]


def status() -> str:
    """`ok`, `absent` or `damaged`: the file of digits, compared with its checksum."""
    return _status(datasets_dir() / FOLDER)


def _status(folder: Path) -> str:
    path, about = folder / "digits.npz", folder / "digits.json"
    if not (path.is_file() and about.is_file()):
        return "absent"
    return "ok" if file_sha256(path) == json.loads(about.read_text(encoding="utf-8"))["sha256"] else "damaged"


@lru_cache(maxsize=1)
def _load(folder: Path) -> dict[str, np.ndarray]:
    found = _status(folder)
    if found != "ok":
        raise DataError(f"the digits in {folder} are {found}. Bring them back: git checkout -- datasets")
    with np.load(folder / "digits.npz") as file:
        return {name: file[name] for name in file.files}
