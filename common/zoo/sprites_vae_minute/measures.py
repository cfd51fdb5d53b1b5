"""How good `sprites-vae-minute` is: on held-out clips in which something moves, beside each clip's mean frame.

Latents are the most likely ones, and pixels are held in [-1, 1] as a file would hold them.
"""

from collections.abc import Callable

import torch

from common.data.sprites import SpriteData
from common.evaluation.posterior import active_channels, channel_kl
from common.evaluation.reconstruction import clip_psnr, mean_frame
from common.zoo.settings import pick_setting
from common.zoo.sprites_vae.measures import restored

SETTINGS = {"small": 24, "full": 256}  # setting -> clips
SHAPE = (17, 64)  # frames, rows and columns
BATCH = 8


def moving_clips(count: int, num_frames: int = 17, size: int = 64, split: str = "held_out") -> torch.Tensor:
    """The first clips of a split in which something moves: `(count, 3, T, H, W)` in [-1, 1].

    A clip in which nothing moves is its own mean frame. A single one would lift that baseline by decibels.
    """
    data, found, start = SpriteData(split, num_frames, size), [], 0
    while sum(map(len, found)) < count:
        clips = data.batch(range(start, start + BATCH)).clips()
        found.append(clips[(clips.diff(dim=2) != 0).flatten(1).any(dim=1)])
        start += BATCH
    return torch.cat(found)[:count]


@torch.no_grad()
def mean_psnr(model, clips: torch.Tensor) -> float:
    """PSNR after encode and decode of clips `(B, 3, T, H, W)` in [-1, 1]: the mean over clips, in dB."""
    back = torch.cat([restored(model, part) for part in clips.split(BATCH)])
    return clip_psnr(back, clips, data_range=2.0).mean().item()


def mean_frame_psnr(clips: torch.Tensor) -> float:
    """The same of the baseline that gives each clip's mean frame."""
    return clip_psnr(mean_frame(clips), clips, data_range=2.0).mean().item()


@torch.no_grad()
def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: with `encode` and `decode` as in diffusers.
        setting: "small" or "full".
        progress: called with the part that is done.

    Returns:
        `psnr` and `psnr_mean_frame` in dB, `kl` in nats per number of the latent, `active_channels`.

    Raises:
        ValueError: there is no such setting.
    """
    clips = moving_clips(pick_setting(SETTINGS, setting), *SHAPE)
    psnr, means, logvars = 0.0, [], []
    for done, part in enumerate(clips.split(BATCH), start=1):
        dist = model.encode(part).latent_dist
        back = model.decode(dist.mode()).sample.clamp(-1, 1)
        psnr += clip_psnr(back, part, data_range=2.0).sum().item() / len(clips)
        means.append(dist.mean)
        logvars.append(dist.logvar)
        if progress is not None:
            progress(min(1.0, done * BATCH / len(clips)))
    mean, logvar = torch.cat(means), torch.cat(logvars)
    return {
        "psnr": psnr,
        "psnr_mean_frame": mean_frame_psnr(clips),
        "kl": channel_kl(mean, logvar).mean().item(),
        "active_channels": float(active_channels(mean).sum()),
    }
