"""Pictures in a video model: as clips of one frame, or packed as the frames of a clip that do not see each other.

Video Diffusion Models (Ho et al. 2022, arXiv:2204.03458, section 3) append pictures to the frames of a clip and mask
temporal attention: a batch then has one shape, and the layers that see time see one frame per picture.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from torch.nn import functional as F


@dataclass(frozen=True)
class PackedImages:
    """Pictures as clips.

    Attributes:
        clips: `(M, C, T, H, W)`.
        present: bool `(M, T)`: False for a place of the last clip that no picture fills.
    """

    clips: torch.Tensor
    present: torch.Tensor


def images_as_clips(images: torch.Tensor, num_frames: int = 1) -> PackedImages:
    """Pictures as clips: each a clip of one frame, or T of them packed as the frames of one clip.

    Picture n becomes frame n mod T of clip n // T, and there are as many clips as that takes. The places that are left
    in the last one are zeros, and not present.

    Args:
        images: floats `(N, C, H, W)`, at least one.
        num_frames: T, at least 1.

    Returns:
        Clips in the dtype of the images, and which of their frames are pictures. `clips.movedim(2, 1)[present]` are
        the images again.

    Raises:
        ValueError: the images do not have four axes, there is none, or T is below 1.
    """
    if images.ndim != 4 or not len(images) or num_frames < 1:
        raise ValueError(f"images are (N, C, H, W), packed 1 or more per clip; got {tuple(images.shape)}, {num_frames}")
    missing = -len(images) % num_frames
    clips = rearrange(F.pad(images, (0, 0, 0, 0, 0, 0, 0, missing)), "(m t) c h w -> m c t h w", t=num_frames)
    present = torch.arange(len(images) + missing, device=images.device) < len(images)
    return PackedImages(clips, rearrange(present, "(m t) -> m t", t=num_frames))


def present_mask(is_image: torch.Tensor, present: torch.Tensor, tokens_per_frame: int = 1) -> torch.Tensor:
    """The attention mask of sequences that hold frames of a clip, packed pictures, or both.

    A frame of the clip sees all present frames of the clip. A picture sees itself alone, and is seen by itself alone.
    A place that is not present is seen by no other frame; it sees itself alone, whatever it is, since a softmax over
    nothing is not a number. The tokens of a frame see and are seen alike, and those of the same frame see each other.

    Args:
        is_image: bool `(B, T)`, True for a frame that is a picture by itself.
        present: bool `(B, T)`, False for a place that nothing fills.
        tokens_per_frame: S, at least 1. Tokens come frame by frame.

    Returns:
        bool `(B, 1, T · S, T · S)`, True where the token of the row may look at that of the column: the mask of
        `SelfAttention`, the same for all heads.

    Raises:
        ValueError: the two are not `(B, T)` alike, or S is below 1.
    """
    if is_image.ndim != 2 or is_image.shape != present.shape or tokens_per_frame < 1:
        raise ValueError(
            f"is_image and present are (B, T), and a frame has a token; got {tuple(is_image.shape)}, "
            f"{tuple(present.shape)}, {tokens_per_frame}"
        )
    of_clip = present & ~is_image  # (B, T)
    own = torch.eye(is_image.shape[1], dtype=torch.bool, device=is_image.device)
    frames = (of_clip[:, :, None] & of_clip[:, None, :]) | own  # (B, T, T)
    tokens = frames.repeat_interleave(tokens_per_frame, dim=1).repeat_interleave(tokens_per_frame, dim=2)
    return tokens[:, None]
