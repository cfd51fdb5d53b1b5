"""Skip frames, code the rest as images, interpolate: what a video model does whose autoencoder knows no time.

Open-Sora 1.0 and 1.1 did it: a VAE of images, and one frame of every three. Version 1.2 put a VAE of videos in its
place, which codes the same number of frames as fewer latents and throws none away.
"""

import torch
from torch.nn import functional as F

from common.models.frame_autoencoder import decode_frames, encode_frames


def encode_skipped(vae, clips: torch.Tensor, stride: int) -> torch.Tensor:
    """Code every `stride`-th frame of a clip as an image.

    Args:
        vae: as for `encode_frames`.
        clips: `(B, 3, T, H, W)` in [-1, 1].
        stride: at least 1.
    """
    return encode_frames(vae, clips[:, :, ::stride])


def decode_skipped(vae, latents: torch.Tensor, stride: int) -> torch.Tensor:
    """Decode the kept frames, and interpolate those between: the clip at its full rate.

    Args:
        vae: as for `decode_frames`.
        latents: `(B, C, K, H', W')`.
        stride: at least 1.

    Returns:
        `(B, 3, (K - 1) * stride + 1, H, W)`.
    """
    kept = decode_frames(vae, latents)
    num_frames = (kept.shape[2] - 1) * stride + 1
    return F.interpolate(kept, (num_frames, *kept.shape[3:]), mode="trilinear", align_corners=True)
