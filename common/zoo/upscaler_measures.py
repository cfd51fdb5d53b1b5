"""How good an upscaler is: on true small clips, at edges, and on what `sprites-t2v` drew.

Everything starts from the same small latents, 64 pixels coded by `sprites-vae`. Beside the model stand `bicubic/`, the
small clip decoded and enlarged by bicubic interpolation; `coded/`, the model's condition, decoded; `one_step/`, the
model's first guess, the mean of all answers; `other/`, the model with another clip's condition; and `vae/`, the true
large clip coded and decoded.
"""

from collections.abc import Callable, Sequence

import torch
from einops import rearrange
from torch.nn import functional as F

from common.data.sprites import SpriteData, SpriteScene, render
from common.diffusion.super_resolution import Preconditioned, super_resolve, upsample_condition
from common.evaluation.edges import edge_profiles, edge_scenes, edge_width
from common.evaluation.reconstruction import Reconstruction
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.evaluation.temporal import motion_score
from common.models.autoencoder import CausalVideoVAE
from common.pipelines import TextToVideoPipeline
from common.pipelines.latent_upscale import code_enlarged
from common.zoo.captioned import VAE
from common.zoo.settings import pick_setting
from common.zoo.sprites_t2v.measures import SAMPLER, seeds
from common.zoo.sprites_t2v.prompts import evaluation_prompts
from common.zoo.upscaler_arm import LARGE, NUM_FRAMES, SMALL

# setting -> true clips, clips with clean edges, generated clips
SETTINGS = {"small": (2, 2, 2), "full": (12, 4, 16)}
STEPS = 3
TRUE_LEVEL, GENERATED_LEVEL = 0.0, 0.2  # noise on the condition: none for a true clip
BATCH = 4


class Upscaler:
    """A model with the autoencoder, as the measures need it.

    Args:
        model: a `SuperResolutionDiT`.
    """

    def __init__(self, model):
        self.model = model
        self.vae = CausalVideoVAE.from_pretrained(VAE).float().eval().to(model.device)

    def small(self, clips: torch.Tensor) -> torch.Tensor:
        """Normalised latents of clips in [-1, 1]."""
        return self.vae.normalize(self.vae.encode(clips).latent_dist.mode())

    def pixels(self, latents: torch.Tensor) -> torch.Tensor:
        """Normalised latents to clips in [-1, 1]."""
        return self.vae.decode(self.vae.denormalize(latents)).sample.clamp(-1, 1)

    def __call__(self, small: torch.Tensor, first: int, noise_level: float, steps: int = STEPS) -> torch.Tensor:
        """Clips of twice the size. The noise of clip `first + i` has the seed `first + i`."""
        large = code_enlarged(self.vae, small)
        condition = upsample_condition(large, *self.model.statistics("condition"), scale_factor=1)
        draws = [torch.randn(2, *condition.shape[1:], generator=seed) for seed in seeds(first, len(small))]
        noise, condition_noise = torch.stack(draws, dim=1)
        large = super_resolve(Preconditioned(self.model), condition, noise, condition_noise, noise_level, steps)
        return self.pixels(self.model.denormalize(large))


def bicubic(clips: torch.Tensor) -> torch.Tensor:
    """The baseline: every frame twice as large, `(B, 3, T, H, W)`."""
    frames = rearrange(clips, "b c t h w -> (b t) c h w")
    large = F.interpolate(frames, scale_factor=2, mode="bicubic", align_corners=False).clamp(-1, 1)
    return rearrange(large, "(b t) c h w -> b c t h w", b=len(clips))


@torch.no_grad()
def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: the upscaler.
        setting: "small" or "full".
        progress: called with the part that is done.

    Returns:
        `NAME/psnr` in dB against the clip that was drawn large, and `NAME/edge`, the median 10–90 % rise in pixels,
        with NAME as above, or `true/` for the model on true clips, or `drawn/` for the large clip itself. `true/gain`
        is over bicubic. On generated
        clips the part in which the reader finds the shape that was asked for, `generated/shape`, and
        `generated/change_ratio`, the change from frame to frame over bicubic's; `forgotten/` is the same without noise
        on the condition.

    Raises:
        ValueError: there is no such setting.
    """
    counts = pick_setting(SETTINGS, setting)
    total, done = sum(counts), 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done / total)

    upscale = Upscaler(model)
    found = measure_true(upscale, counts[0], advance) | measure_edges(upscale, counts[1], advance)
    return found | measure_generated(upscale, *small_clips(upscale.vae, counts[2]), advance)


def measure_true(upscale: Upscaler, count: int, advance: Callable[[int], None]) -> dict[str, float]:
    """PSNR on true small clips: of the model, of what it is compared with, and of its controls."""
    names = "true", "one_step", "other", "bicubic", "coded", "vae"
    sets = {name: Reconstruction() for name in names}
    worlds = [SpriteData("test", NUM_FRAMES, size) for size in (SMALL, LARGE)]
    for start in range(0, count, BATCH):
        chosen = range(start, min(start + BATCH, count))
        clips, target = (world.batch(chosen).clips() for world in worlds)
        small = upscale.small(clips)
        sets["true"].add(upscale(small, start, TRUE_LEVEL), target)
        sets["one_step"].add(upscale(small, start, TRUE_LEVEL, 1), target)
        sets["other"].add(upscale(small.roll(1, dims=0), start, TRUE_LEVEL), target)
        sets["bicubic"].add(bicubic(upscale.pixels(small)), target)
        sets["coded"].add(upscale.pixels(code_enlarged(upscale.vae, small)), target)
        sets["vae"].add(upscale.pixels(upscale.small(target)), target)
        advance(len(chosen))
    found = {f"{name}/psnr": one.result()["psnr"] for name, one in sets.items()}
    found["true/gain"] = found["true/psnr"] - found["bicubic/psnr"]
    return found | {f"{name}/change_of_true": sets[name].result()["change_ratio"] for name in ("true", "bicubic")}


def measure_edges(upscale: Upscaler, count: int, advance: Callable[[int], None]) -> dict[str, float]:
    """The median 10–90 % rise across the edges of large circles and squares on plain fields."""
    profiles: dict[str, list] = {}
    scenes = edge_scenes(count)
    for start in range(0, count, BATCH):
        chosen = scenes[start : start + BATCH]
        for name, clips in enlarged(upscale, chosen, start).items():
            profiles.setdefault(name, []).append(edge_profiles(clips, chosen))
        advance(len(chosen))
    return {f"{name}/edge": edge_width(torch.cat(parts)).median().item() for name, parts in profiles.items()}


def enlarged(upscale: Upscaler, scenes: Sequence[SpriteScene], first: int) -> dict[str, torch.Tensor]:
    """Scenes as large clips, by each way there is."""
    target = render(scenes, NUM_FRAMES, LARGE).clips()
    small = upscale.small(render(scenes, NUM_FRAMES, SMALL).clips())
    return {
        "drawn": target,
        "vae": upscale.pixels(upscale.small(target)),
        "bicubic": bicubic(upscale.pixels(small)),
        "coded": upscale.pixels(code_enlarged(upscale.vae, small)),
        "one_step": upscale(small, first, TRUE_LEVEL, 1),
        "true": upscale(small, first, TRUE_LEVEL),
    }


@torch.no_grad()
def small_clips(vae: CausalVideoVAE, count: int) -> tuple[torch.Tensor, list[str]]:
    """Latents that `sprites-t2v` draws for prompts about one object, and the prompts."""
    pipe = TextToVideoPipeline.from_pretrained("sprites-t2v", vae=vae)
    pipe.set_progress_bar_config(disable=True)
    prompts, made = evaluation_prompts("one_object")[:count], []
    for start in range(0, count, BATCH):
        some = prompts[start : start + BATCH]
        made.append(pipe(some, **SAMPLER, generator=seeds(start, len(some)), output_type="latent").frames)
    return torch.cat(made), prompts


def measure_generated(
    upscale: Upscaler, small: torch.Tensor, prompts: Sequence[str], advance: Callable[[int], None]
) -> dict[str, float]:
    """What the reader finds in generated clips, and how much they change from frame to frame beside bicubic's."""
    read: dict[str, list] = {}
    change: dict[str, list] = {}
    for start in range(0, len(small), BATCH):
        some = small[start : start + BATCH]
        ways = {
            "bicubic": bicubic(upscale.pixels(some)),
            "generated": upscale(some, start, GENERATED_LEVEL),
            "forgotten": upscale(some, start, 0.0),
        }
        for name, clips in ways.items():
            read.setdefault(name, []).extend(read_sprites(clips))
            change.setdefault(name, []).append(motion_score(clips))
        advance(len(some))
    found = {f"{name}/shape": accuracy(prompts, seen)["shape"] for name, seen in read.items()}
    base = torch.cat(change.pop("bicubic")).sum()
    return found | {f"{name}/change_ratio": (torch.cat(all_).sum() / base).item() for name, all_ in change.items()}
