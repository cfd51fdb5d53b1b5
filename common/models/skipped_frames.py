"""Skipped frames: the video coder of a model whose VAE codes images. Most frames are dropped, and interpolated later.

    coder = SkippedFrames(vae, between, num_halvings=2)     keeps frames 0, 4, 8, …
    latents = coder.encode(clips)                           as many as a VAE of 4x temporal compression makes
    clips = coder.decode(latents)                           at the full frame rate again

Open-Sora 1.0 and 1.1 kept one frame of every three, and coded it with a VAE of images. Version 1.2 put a VAE of videos
in its place, which drops no frame (`docs/report_03.md` of hpcaitech/Open-Sora).
"""

from collections.abc import Callable

import torch

from common.flow.between import fill_in
from common.models.frame_autoencoder import decode_frames, encode_frames


class SkippedFrames:
    """A coder of clips, made of a VAE of images and a frame interpolator: every gap of 2^num_halvings frames is one.

    Args:
        vae: of images, as for `encode_frames` and `decode_frames`.
        between: two pictures `(B, 3, H, W)` to the one midway.
        num_halvings: how often every gap is halved; at least 0.
    """

    def __init__(self, vae, between: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], num_halvings: int = 2):
        self.vae, self.between, self.num_halvings = vae, between, num_halvings

    @property
    def stride(self) -> int:
        """Frames from one kept frame to the next."""
        return 2**self.num_halvings

    def encode(self, clips: torch.Tensor) -> torch.Tensor:
        """Keep the frames 0, stride, 2 stride, …, and code each as an image.

        Args:
            clips: `(B, 3, T, H, W)` in [-1, 1].

        Returns:
            The most likely latents, `(B, C, K, H', W')`.

        Raises:
            ValueError: T is not 1 + (K - 1) stride, so that the last frame would be lost.
        """
        if (clips.shape[2] - 1) % self.stride:
            raise ValueError(f"a clip has 1 + k * {self.stride} frames, got {clips.shape[2]}")
        return encode_frames(self.vae, clips[:, :, :: self.stride])

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Decode the kept frames, and fill each gap between neighbours: the middle, then the middles of the halves.

        Args:
            latents: `(B, C, K, H', W')`.

        Returns:
            `(B, 3, 1 + (K - 1) stride, H, W)`, not clamped. Kept frames are as the VAE decodes them.
        """
        kept = decode_frames(self.vae, latents)
        gaps = [
            fill_in(self.between, kept[:, :, k], kept[:, :, k + 1], self.num_halvings)[:, :, :-1]
            for k in range(kept.shape[2] - 1)
        ]
        return torch.cat([*gaps, kept[:, :, -1:]], dim=2)
