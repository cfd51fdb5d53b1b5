"""How close one picture is to another: PSNR and SSIM. Frames of a clip are pictures; time plays no part here."""

import torch
import torch.nn.functional as F


def psnr(preds: torch.Tensor, target: torch.Tensor, *, data_range: float) -> torch.Tensor:
    """Peak signal-to-noise ratio in decibels: `10 log10(data_range^2 / mean squared error)`. Higher is closer.

    The mean runs over everything given, so one number comes back; identical inputs give infinity.

    Args:
        preds: any shape.
        target: the same shape and dtype.
        data_range: largest minus smallest value that a pixel can have: 2 for [-1, 1], 1 for [0, 1], 255 for uint8.

    Returns:
        A scalar, dB.

    Raises:
        ValueError: shapes or dtypes differ, the input is empty, or `data_range` is not above 0.
    """
    preds, target = _pair(preds, target, data_range)
    mean_squared_error = (preds - target).square().mean()
    return 10 * torch.log10(data_range**2 / mean_squared_error)


def ssim(
    preds: torch.Tensor,
    target: torch.Tensor,
    *,
    data_range: float,
    sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> torch.Tensor:
    """Structural similarity (Wang et al. 2004, IEEE TIP 13(4), eq. 13), mean over pixels, channels, frames and samples.

    Local means, variances and covariance are taken under a Gaussian window (cut off at 3.5 sigma), per channel and per
    frame. At the border the frame is continued by reflection, so that every pixel counts.

    Args:
        preds: pictures `(B, C, H, W)` or clips `(B, C, T, H, W)`; in fact any `(..., H, W)`. Height and width are at
            least 6 at the default sigma, or there is not enough to reflect.
        target: the same shape and dtype.
        data_range: largest minus smallest value that a pixel can have: 2 for [-1, 1], 1 for [0, 1], 255 for uint8.
        sigma: width of the Gaussian window, in pixels.
        k1: stabilises the luminance term, `C1 = (k1 data_range)^2`.
        k2: stabilises the contrast term, `C2 = (k2 data_range)^2`.

    Returns:
        A scalar in (-1, 1]; 1 for identical inputs.

    Raises:
        ValueError: shapes or dtypes differ, the input is empty or too small, or `data_range` is not above 0.
    """
    preds, target = _pair(preds, target, data_range)
    window = _gaussian_window(sigma, preds)
    radius = len(window) // 2
    if preds.ndim < 2 or min(preds.shape[-2:]) <= radius:
        raise ValueError(f"SSIM at sigma={sigma} needs more than {radius} rows and columns, got {tuple(preds.shape)}")
    c1, c2 = (k1 * data_range) ** 2, (k2 * data_range) ** 2
    x = preds.reshape(-1, 1, *preds.shape[-2:])  # (N, 1, H, W), one row for every channel of every frame
    y = target.reshape(-1, 1, *target.shape[-2:])

    # Both means, both variances and the covariance in one pass: the windows of x, y, x^2, y^2 and xy.
    moments = _blur(torch.cat([x, y, x * x, y * y, x * y]), window)  # (5N, 1, H, W)
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = moments.chunk(5)
    variance_x = (mean_xx - mean_x**2).clamp(min=0)
    variance_y = (mean_yy - mean_y**2).clamp(min=0)
    covariance = mean_xy - mean_x * mean_y

    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    contrast_and_structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return (luminance * contrast_and_structure).mean()


def _pair(preds: torch.Tensor, target: torch.Tensor, data_range: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Both inputs as floats, once they are known to be comparable."""
    if preds.shape != target.shape:
        raise ValueError(f"preds and target differ in shape: {tuple(preds.shape)} and {tuple(target.shape)}")
    if preds.dtype != target.dtype:
        raise ValueError(f"preds and target differ in dtype: {preds.dtype} and {target.dtype}")
    if preds.numel() == 0:
        raise ValueError(f"nothing to compare: the shape is {tuple(preds.shape)}")
    if data_range <= 0:
        raise ValueError(f"data_range must be above 0 (2 for clips in [-1, 1]), got {data_range}")
    dtype = torch.promote_types(preds.dtype, torch.float32)
    return preds.to(dtype), target.to(dtype)


def _gaussian_window(sigma: float, like: torch.Tensor) -> torch.Tensor:
    """A one-dimensional Gaussian that reaches 3.5 sigma to either side and sums to 1."""
    if sigma <= 0:
        raise ValueError(f"sigma must be above 0, got {sigma}")
    radius = int(3.5 * sigma + 0.5)
    offset = torch.arange(-radius, radius + 1, dtype=like.dtype, device=like.device)
    weight = torch.exp(-(offset**2) / (2 * sigma**2))
    return weight / weight.sum()  # (2 radius + 1,)


def _blur(pictures: torch.Tensor, window: torch.Tensor) -> torch.Tensor:
    """Weighted mean under the window around every pixel, one axis after the other."""
    radius = len(window) // 2
    pictures = F.pad(pictures, (radius, radius, radius, radius), mode="reflect")
    rows = F.conv2d(pictures, window.reshape(1, 1, -1, 1))
    return F.conv2d(rows, window.reshape(1, 1, 1, -1))
