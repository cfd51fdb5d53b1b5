"""How well frames to come were predicted: the measures of Moving MNIST's benchmark, and predictors that know little.

The benchmark's squared error is a *sum* over the pixels of a frame, with pixels from 0 to 1, averaged over samples and
frames (so it is 4096 times the mean over pixels, at 64×64); its absolute error likewise. PSNR and SSIM are means over
frames, each frame by itself, of predictions held in the range of pixels.
"""

import torch
import torch.nn.functional as F

from common.evaluation.image import ssim


def error_per_frame(preds: torch.Tensor, target: torch.Tensor, *, data_range: float, power: int = 2) -> torch.Tensor:
    """Squared or absolute error of each frame, as the benchmark has it: summed over pixels, averaged over samples.

    Each pixel's error is `|preds - target| / data_range`, to the given power. The sum runs over channels, rows and
    columns, the mean over the batch. The mean over the frames is the number in the tables: "MSE" for power 2, "MAE"
    for power 1. Values outside the range count in full, nothing is clamped.

    Args:
        preds: `(B, C, T, H, W)`, any float dtype, in any memory layout. It is converted to float32 before anything
            is subtracted.
        target: the same shape, likewise.
        data_range: largest minus smallest value that a pixel can have, 2 for clips in [-1, 1].
        power: 2 for squared errors, 1 for absolute ones.

    Returns:
        `(T,)`, float32.

    Raises:
        ValueError: the shapes differ, are not those of clips, or `data_range` is not above 0.
    """
    if preds.shape != target.shape or preds.ndim != 5:
        raise ValueError(f"clips (B, C, T, H, W) of one shape are compared; got {preds.shape} and {target.shape}")
    if not data_range > 0:
        raise ValueError(f"data_range must be above 0 (2 for clips in [-1, 1]), got {data_range}")
    error = (preds.float() - target.float()).abs() / data_range  # (B, C, T, H, W), 0 to 1
    return error.pow(power).sum(dim=(1, 3, 4)).mean(dim=0)


class Prediction:
    """Measures over a set of predicted clips, taken in batch by batch.

    Args:
        data_range: largest minus smallest value that a pixel can have; 2 for clips in [-1, 1].
    """

    def __init__(self, data_range: float = 2.0):
        self.data_range = data_range
        self.num_clips = 0
        self.sums: dict[str, torch.Tensor] = {}  # measure -> (T,), sums over the clips

    def add(self, preds: torch.Tensor, target: torch.Tensor) -> None:
        """Take in `(B, C, T, H, W)` of what was predicted, and of what came. Both have pixels around zero, [-1, 1].

        Raises:
            ValueError: the shapes differ, or are not those of clips.
        """
        half = self.data_range / 2
        held = preds.clamp(-half, half)
        found = {
            "mse": error_per_frame(preds, target, data_range=self.data_range),
            "mae": error_per_frame(preds, target, data_range=self.data_range, power=1),
            "psnr": _psnr_per_frame(held, target, self.data_range),
            "ssim": torch.stack(
                [ssim(a, b, data_range=self.data_range) for a, b in zip(held.unbind(2), target.unbind(2))]
            ),
        }
        for name, value in found.items():  # (T,)
            self.sums[name] = self.sums.get(name, 0.0) + value.double() * len(preds)
        self.num_clips += len(preds)

    def per_frame(self) -> dict[str, list[float]]:
        """`mse`, `mae`, `psnr` (dB) and `ssim` of each predicted frame, means over the clips.

        Raises:
            ValueError: nothing was taken in.
        """
        if not self.num_clips:
            raise ValueError("nothing was measured yet: no clips were added")
        return {name: (total / self.num_clips).tolist() for name, total in self.sums.items()}

    def result(self) -> dict[str, float]:
        """The same, means over the frames too: the numbers of the benchmark's tables."""
        return {name: sum(values) / len(values) for name, values in self.per_frame().items()}


def copy_last(past: torch.Tensor, num_future: int) -> torch.Tensor:
    """Nothing moves any more: the last frame of `(B, C, T, H, W)`, `num_future` times."""
    return past[:, :, -1:].expand(-1, -1, num_future, -1, -1)


def mean_of_past(past: torch.Tensor, num_future: int) -> torch.Tensor:
    """Where things have been: the mean of all frames of `(B, C, T, H, W)`, `num_future` times."""
    return past.mean(dim=2, keepdim=True).expand(-1, -1, num_future, -1, -1)


def constant_velocity(past: torch.Tensor, num_future: int, max_speed: int = 8) -> torch.Tensor:
    """Everything goes on as it went: the last frame, shifted on and on by the step from the frame before.

    One step for the whole picture, in whole pixels: the one at which the last two frames, as brightness over black,
    have the largest product. What comes in from outside is black.

    Args:
        past: `(B, C, T, H, W)` in [-1, 1], two frames or more.
        num_future: frames to predict.
        max_speed: the longest step that is looked for, pixels a frame each way.

    Returns:
        `(B, C, num_future, H, W)` in [-1, 1].

    Raises:
        ValueError: there is no frame before the last.
    """
    if past.shape[2] < 2:
        raise ValueError(f"a velocity takes two frames, got {past.shape[2]}")
    before, last = ((past[:, :, -2:] + 1) / 2).unbind(dim=2)  # (B, C, H, W), black is 0
    steps = _best_shift(before, last, max_speed).tolist()
    futures = [
        torch.stack([_shifted(image, k * dy, k * dx) for k in range(1, num_future + 1)], dim=1)  # (C, num_future, H, W)
        for image, (dy, dx) in zip(last, steps)
    ]
    return 2 * torch.stack(futures) - 1


def _best_shift(before: torch.Tensor, after: torch.Tensor, most: int) -> torch.Tensor:
    """The shift (dy, dx) of `before` whose product with `after` is largest, `(B, 2)`; both are `(B, C, H, W)`."""
    height, width = before.shape[2:]
    size = (height + most, width + most)  # room, so that nothing comes back in on the other side
    spectrum = torch.fft.rfft2(after, s=size) * torch.fft.rfft2(before, s=size).conj()
    product = torch.fft.irfft2(spectrum, s=size).sum(dim=1)  # (B, H + most, W + most): of every shift
    shifts = torch.cartesian_prod(torch.arange(-most, most + 1), torch.arange(-most, most + 1))  # (N, 2)
    return shifts[product[:, shifts[:, 0], shifts[:, 1]].argmax(dim=1)]


def _shifted(image: torch.Tensor, dy: int, dx: int) -> torch.Tensor:
    """`(C, H, W)` moved down by dy and right by dx, zeros where nothing was."""
    height, width = image.shape[1:]
    dy, dx = max(-height, min(height, dy)), max(-width, min(width, dx))
    padded = F.pad(image, (abs(dx), abs(dx), abs(dy), abs(dy)))
    return padded[:, abs(dy) - dy :, abs(dx) - dx :][:, :height, :width]


def _psnr_per_frame(preds: torch.Tensor, target: torch.Tensor, data_range: float) -> torch.Tensor:
    """Mean over the samples of each frame's own PSNR, `(T,)`, dB."""
    error = (preds.float() - target.float()).square().mean(dim=(1, 3, 4))  # (B, T)
    return (10 * torch.log10(data_range**2 / error)).mean(dim=0)
