"""The forms in which a pipeline gives clips away, each with one meaning."""

import numpy as np
import torch
from einops import rearrange
from PIL import Image

from common.video.sampling import clip_to_frames

# "pt": float32 (B, 3, T, H, W) in [-1, 1], the form of clips everywhere in this library.
# "np": float32 (B, T, H, W, 3) in [0, 1], as diffusers has it: its `export_to_video` takes each clip.
# "pil": for each clip a list of T pictures, as diffusers has it.
# "latent": normalised latents (B, C, T', H', W'), not decoded.
OUTPUTS = ("pt", "np", "pil", "latent")


def demand_output(output_type: str) -> None:
    """Before anything is computed.

    Raises:
        ValueError: it is not one of `OUTPUTS`.
    """
    if output_type not in OUTPUTS:
        raise ValueError(f"output_type is one of {', '.join(OUTPUTS)}; got {output_type!r}")


def as_output(clips: torch.Tensor, output_type: str) -> torch.Tensor | np.ndarray | list[list[Image.Image]]:
    """Clips `(B, 3, T, H, W)` in [-1, 1] as "pt", "np" or "pil"."""
    if output_type == "pt":
        return clips
    if output_type == "np":
        return rearrange((clips.float().cpu() + 1) / 2, "b c t h w -> b t h w c").clamp(0, 1).contiguous().numpy()
    return [[Image.fromarray(frame) for frame in clip_to_frames(clip)] for clip in clips]
