"""What the arms of lab 04.4 are asked: clips with faults whose truth is known, at several noise levels.

Faults with a known truth: `sprites-t2v` draws the last part of a true clip's way from noise. What it makes is its own,
and still shows the same scene, so the clip that was drawn large is the truth for it.
"""

from collections.abc import Sequence

import torch

from common.data.sprites import SpriteData
from common.diffusion.guidance import Guidance
from common.diffusion.paths import add_noise, flow_level
from common.diffusion.samplers import last, stochastic
from common.evaluation.reconstruction import Reconstruction
from common.pipelines import TextToVideoPipeline
from common.zoo.sprites_t2v.measures import seeds
from common.zoo.upscaler_arm import LARGE, NUM_FRAMES, SMALL
from common.zoo.upscaler_measures import BATCH, Upscaler, bicubic

REDRAWN_FROM, REDRAWING_STEPS = 0.6, 8


@torch.no_grad()
def redrawn(pipe: TextToVideoPipeline, small: torch.Tensor, captions: Sequence[str], first: int = 0) -> torch.Tensor:
    """True small clips with the faults of `pipe`: noised to a level, and drawn to the end by it.

    Args:
        pipe: the first model.
        small: normalised latents `(B, C, T', H, W)`.
        captions: of the clips.
        first: the noise of clip `i` has the seed `first + i`.
    """
    generators = seeds(first, len(small))
    eps = torch.stack([torch.randn(small.shape[1:], generator=one) for one in generators])
    texts = pipe.encode_prompt(list(captions), [""] * len(captions))
    x = add_noise(small, eps, flow_level(torch.full((len(small),), REDRAWN_FROM)))
    levels = torch.linspace(REDRAWN_FROM, 0, REDRAWING_STEPS + 1)
    return last(stochastic(Guidance(pipe.velocity, *texts, 3.0), x, levels, 1.0, generators))


def with_faults(upscale: Upscaler, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Small latents of test clips as `sprites-t2v` redraws them, and the true large clips."""
    pipe = TextToVideoPipeline.from_pretrained("sprites-t2v", vae=upscale.vae)
    worlds, made, truth = [SpriteData("test", NUM_FRAMES, size) for size in (SMALL, LARGE)], [], []
    for start in range(0, count, BATCH):
        chosen = range(start, min(start + BATCH, count))
        batch = worlds[0].batch(chosen)
        with torch.no_grad():
            made.append(redrawn(pipe, upscale.small(batch.clips()), batch.captions, start))
        truth.append(worlds[1].batch(chosen).clips())
    return torch.cat(made), torch.cat(truth)


@torch.no_grad()
def psnr_by_level(
    upscale: Upscaler, small: torch.Tensor, truth: torch.Tensor, levels: Sequence[float]
) -> dict[str, float]:
    """PSNR of upscaled clips at each noise level of the condition, and of bicubic interpolation."""
    sets = {f"{level:g}": Reconstruction() for level in levels} | {"bicubic": Reconstruction()}
    for start in range(0, len(small), BATCH):
        some, target = small[start : start + BATCH], truth[start : start + BATCH]
        for level in levels:
            sets[f"{level:g}"].add(upscale(some, start, level), target)
        sets["bicubic"].add(bicubic(upscale.pixels(some)), target)
    return {name: one.result()["psnr"] for name, one in sets.items()}
