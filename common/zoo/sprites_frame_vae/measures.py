"""How good `sprites-frame-vae` is: all that the card of `sprites-vae` says, and how much it flickers beside that one.

Flicker is the change of error: the mean of |e(t + 1) - e(t)| along the true flow, with e = restored - original, in
levels of 255. It is measured on new clips of known combinations as they are (`clean`), and on still ones, the first
frame of each repeated, with sensor noise of 0, 1, 3 and 6 levels. The coder gets the noisy clip, the error is that to
the clean one. Both coders get the same clips and the same noise.
"""

from collections.abc import Callable

import torch

from common.data.sprites import SpriteData
from common.evaluation.flicker import NOISE_LEVELS, change_of_error
from common.evaluation.reconstruction import GREY_LEVELS
from common.models.autoencoder import CausalVideoVAE
from common.zoo.settings import pick_setting
from common.zoo.sprites_vae import measures as reconstruction
from common.zoo.sprites_vae.measures import restored

SETTINGS = {"small": 8, "full": 96}  # setting -> clips on which flicker is measured
VIDEO = "sprites-vae"
BATCH = 8


@torch.no_grad()
def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: with `encode` and `decode` as in diffusers.
        setting: "small" or "full".
        progress: called with the part that is done.

    Returns:
        What `common.zoo.sprites_vae.measures` finds; and, for `clean` and each `noise_N`, the change of error:
        `clean/frames` of this model, `clean/video` of `sprites-vae`, and `clean/ratio`, the one over the other.

    Raises:
        ValueError: there is no such setting.
    """
    num_clips = pick_setting(SETTINGS, setting)
    advance = progress or (lambda part: None)
    found = reconstruction.measure(model, setting, lambda part: advance(0.7 * part))
    coders = {"frames": model, "video": CausalVideoVAE.from_pretrained(VIDEO).float().eval().to(model.device)}
    data = SpriteData("test", *reconstruction.SHAPE)
    sums: dict[str, dict[str, float]] = {}
    for start in range(0, num_clips, BATCH):
        indices = range(start, min(start + BATCH, num_clips))
        for name, changes in flicker_of(coders, data, indices).items():
            for side, change in changes.items():
                sums.setdefault(name, {}).setdefault(side, 0.0)
                sums[name][side] += float(change.sum()) / num_clips
        advance(0.7 + 0.3 * indices.stop / num_clips)
    for name, means in sums.items():
        found |= {f"{name}/{side}": mean for side, mean in means.items()}
        found[f"{name}/ratio"] = means["frames"] / means["video"]
    return found


def flicker_of(coders: dict, data: SpriteData, indices: range) -> dict[str, dict[str, torch.Tensor]]:
    """Name of the kind of clips -> name of the coder -> change of error of each clip `(B,)`, levels."""
    clips, truth = data.batch(indices).clips(), data.truth(indices)
    still = clips[:, :, :1].expand_as(clips)
    noise = torch.stack([torch.randn(clips.shape[1:], generator=torch.Generator().manual_seed(i)) for i in indices])
    along = (truth.flow, truth.flow_visible)
    found = {"clean": {side: change_of_error(restored(coder, clips), clips, *along) for side, coder in coders.items()}}
    for level in NOISE_LEVELS:
        noisy = still + noise * (2 * level / GREY_LEVELS)
        found[f"noise_{level}"] = {
            side: change_of_error(restored(coder, noisy), still) for side, coder in coders.items()
        }
    return found
