"""Stripes that slide: the aperture problem of optical flow."""

import math

import torch


def sliding_stripes(
    degrees: float, shift: float, *, height: int = 72, width: int = 108, wavelength: float = 18.0
) -> torch.Tensor:
    """Stripes on a wall that has slid `shift` pixels to the right: the aperture problem, where one direction is blank.

    Args:
        degrees: the direction in which the brightness changes, clockwise on screen from "to the right".
        shift: pixels.
        wavelength: of the stripes, in pixels.

    Returns:
        `(1, 3, H, W)`, from -0.8 to 0.8.
    """
    y, x = torch.meshgrid(torch.arange(height) * 1.0, torch.arange(width) * 1.0, indexing="ij")
    along = (x - shift) * math.cos(math.radians(degrees)) + y * math.sin(math.radians(degrees))
    return (0.8 * torch.cos(2 * math.pi / wavelength * along)).expand(1, 3, height, width)
