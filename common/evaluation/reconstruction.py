"""How well an autoencoder gives clips back: clip by clip, how much they move, and whether still things keep still.

`Reconstruction` takes in one batch after another, so that a thousand clips need the memory of one batch.
"""

import torch

GREY_LEVELS = 255  # of a pixel, from the darkest to the brightest


def clip_psnr(preds: torch.Tensor, target: torch.Tensor, *, data_range: float) -> torch.Tensor:
    """Peak signal-to-noise ratio of each clip by itself, in dB; equal clips give infinity.

    The mean of these is not the PSNR of all clips together: there one bad clip outweighs many good ones.

    Args:
        preds: `(B, C, T, H, W)`.
        target: the same shape.
        data_range: largest minus smallest value that a pixel can have; 2 for clips in [-1, 1].

    Returns:
        `(B,)`.

    Raises:
        ValueError: the shapes differ, there are no clips, or `data_range` is not above 0.
    """
    _check(preds, target, data_range)
    error = (preds.float() - target.float()).square().flatten(1).mean(dim=1)  # (B,)
    return 10 * torch.log10(data_range**2 / error)


def static_pixels(target: torch.Tensor) -> torch.Tensor:
    """Where a clip never changes, in no frame and no channel: bool `(B, 1, 1, H, W)`, for `(B, C, T, H, W)`.

    Exactly never: this is for clips that were drawn. In filmed ones noise leaves no pixel alone.
    """
    return (target == target[:, :, :1]).all(dim=2, keepdim=True).all(dim=1, keepdim=True)


def mean_frame(target: torch.Tensor) -> torch.Tensor:
    """The baseline that knows everything but motion: each clip's mean over time in every frame, `(B, C, T, H, W)`."""
    return target.mean(dim=2, keepdim=True).expand_as(target)


class Reconstruction:
    """Measures over a set of clips, taken in batch by batch.

    Args:
        data_range: largest minus smallest value that a pixel can have; 2 for clips in [-1, 1].
    """

    def __init__(self, data_range: float = 2.0):
        self.data_range = data_range
        self.psnr: list[float] = []
        self.change_preds = self.change_target = 0.0  # sums of |frame - frame before|
        self.static_change, self.num_static, self.num_changes = 0.0, 0, 0

    def add(self, preds: torch.Tensor, target: torch.Tensor) -> None:
        """Take in `(B, C, T, H, W)` of what came back, and of what it should be.

        Raises:
            ValueError: the shapes differ or there are no clips.
        """
        self.psnr += clip_psnr(preds, target, data_range=self.data_range).tolist()
        change = preds.float().diff(dim=2).abs()  # (B, C, T - 1, H, W)
        still = static_pixels(target).expand_as(change)
        self.change_preds += change.sum(dtype=torch.float64).item()
        self.change_target += target.float().diff(dim=2).abs().sum(dtype=torch.float64).item()
        self.static_change += change[still].sum(dtype=torch.float64).item()
        self.num_static += int(still.sum())
        self.num_changes += change.numel()

    def result(self) -> dict[str, float]:
        """What was found.

        Returns:
            `psnr`: mean over the clips of each clip's PSNR, dB. `psnr_worst`: of the worst clip. Where the clips have
            two frames or more and something moves in them, `change_ratio`: the mean absolute change from frame to
            frame over that of the originals; 1 is right, more is flicker, less is lost motion. Where some pixel never
            changes in its original, `static_change`: its mean absolute change from frame to frame after all, in
            levels of 255; and `static_part`: how many such pixels there are.

        Raises:
            ValueError: nothing was taken in.
        """
        if not self.psnr:
            raise ValueError("nothing was measured yet: no clips were added")
        found = {"psnr": sum(self.psnr) / len(self.psnr), "psnr_worst": min(self.psnr)}
        if self.change_target > 0:
            found["change_ratio"] = self.change_preds / self.change_target
        if self.num_static:
            found["static_change"] = self.static_change / self.num_static / self.data_range * GREY_LEVELS
            found["static_part"] = self.num_static / self.num_changes
        return found


def _check(preds: torch.Tensor, target: torch.Tensor, data_range: float) -> None:
    if preds.shape != target.shape:
        raise ValueError(f"preds and target differ in shape: {tuple(preds.shape)} and {tuple(target.shape)}")
    if preds.ndim != 5 or preds.numel() == 0:
        raise ValueError(f"clips are (B, C, T, H, W), and at least one; got {tuple(preds.shape)}")
    if data_range <= 0:
        raise ValueError(f"data_range must be above 0 (2 for clips in [-1, 1]), got {data_range}")
