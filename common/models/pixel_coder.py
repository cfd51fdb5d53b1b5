"""The coder that compresses nothing: patches of pixels take the place of latents, so one diffusion model fits both."""

from dataclasses import dataclass

import torch
from einops import rearrange


@dataclass(frozen=True)
class PixelCoder:
    """Patch embedding without the embedding: each patch of a frame becomes one vector (ViT, arXiv:2010.11929, eq. 1).

    Attributes:
        patch_size: p, rows and columns of a patch.
    """

    patch_size: int = 8

    def encode(self, clips: torch.Tensor) -> torch.Tensor:
        """Clips to "latents" of p times fewer rows and columns. No number is lost, and none is changed.

        Args:
            clips: `(B, 3, T, H, W)`, any dtype.

        Returns:
            `(B, 3 p p, T, H / p, W / p)`. In channels the colour is outermost, then the row inside the patch, then the
            column: `(c row column)` in einops' notation.

        Raises:
            ValueError: p does not divide H or W.
        """
        p = self.patch_size
        height, width = clips.shape[-2:]
        if height % p or width % p:
            raise ValueError(f"a patch of {p}x{p} does not divide a frame of {height}x{width}")
        return rearrange(clips, "b c t (h row) (w column) -> b (c row column) t h w", row=p, column=p)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """The way back, exactly: `(B, 3 p p, T, H', W')` to `(B, 3, T, p H', p W')`."""
        p = self.patch_size
        return rearrange(latents, "b (c row column) t h w -> b c t (h row) (w column)", row=p, column=p)
