"""Two classical methods as OpenCV has them, with our tensors at both ends."""

from collections.abc import Callable

import numpy as np
import torch

from common.tensor_ops import to_uint8

MISSING = (
    "OpenCV is not installed; it comes with the course: pip install 'flipbook-video[course]'. "
    "`lucas_kanade` needs no other package."
)


def farneback(first: torch.Tensor, second: torch.Tensor, *, num_levels: int = 4, window: int = 15) -> torch.Tensor:
    """Farnebäck's flow: a quadratic polynomial fitted around each pixel, and how it moved (SCIA 2003).

    Args:
        first: `(B, C, H, W)`, values in [-1, 1], one channel or three: frame t.
        second: the same shape: frame t + 1.
        num_levels: sizes at which to look, each half the one before.
        window: side of the window over which motion is averaged, in pixels.

    Returns:
        `(B, 2, H, W)`: the forward flow, x then y, in pixels per frame.

    Raises:
        ImportError: OpenCV is not installed.
        ValueError: the pictures have not four axes, or their shapes differ.
    """
    cv2 = _opencv()

    def flow(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        options = {"levels": num_levels, "winsize": window, "pyr_scale": 0.5, "iterations": 3}
        return cv2.calcOpticalFlowFarneback(a, b, None, **options, poly_n=5, poly_sigma=1.2, flags=0)

    return _each(flow, first, second)


def dis(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Dense inverse search, medium preset: patches matched from coarse to fine, then refined (arXiv 1603.03590).

    Arguments, result and errors are those of `farneback`.
    """
    cv2 = _opencv()
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return _each(lambda a, b: search.calc(a, b, None), first, second)


def _each(flow: Callable, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    if first.ndim != 4 or first.shape != second.shape:
        raise ValueError(f"two pictures (B, C, H, W) of one shape: got {tuple(first.shape)} and {tuple(second.shape)}")
    found = [flow(_grey(a), _grey(b)).transpose(2, 0, 1) for a, b in zip(first, second)]  # (2, H, W) each
    return torch.from_numpy(np.stack(found)).to(first.device)


def _grey(image: torch.Tensor) -> np.ndarray:
    """A picture `(C, H, W)` in [-1, 1] as the grey bytes `(H, W)` that OpenCV's methods read."""
    if image.shape[0] == 3:
        image = (image * image.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(dim=0, keepdim=True)
    return to_uint8(image[0]).numpy()


def _opencv():
    try:
        import cv2
    except ImportError as error:
        raise ImportError(MISSING) from error
    return cv2
