"""How good `sprites-unet-t2v` is: whether clips move as the prompt says, and show the same thing in all frames.

Every clip has the caption of a test clip: of a `large` object before a still camera, or of `any` object of the world.
It has 14 frames, eight per second. `constant`: the part of the clips in which the reader, looking at every frame by
itself, names the same shape, colour, background and background colour in all frames. `flicker`: of all pairs of
neighbouring frames the part in which one of these words changes. Beside them:

- `shuffled/`: the same clips, read against the captions of other clips.
- `start/`: the layers of `sprites-svd` in this model, before a step of its own training.
- `frame_by_frame/`: the image model on each frame, with noise of its own.
- `one_noise/`: the image model on each frame, with the same noise for all.
- `world/`: the test clips themselves, as the autoencoder gives them back: the most that can be read.
"""

from collections.abc import Callable
from functools import partial

import torch
from einops import rearrange, repeat

from common.data.sprites.render import SpriteBatch
from common.diffusion.video_loss import video_loss
from common.evaluation.sprite_reader import SceneReading, accuracy, read_sprites
from common.models.frame_vae import FrameVAE
from common.models.video_unet import VideoUNet, as_pictures
from common.zoo.captioned import VAE
from common.zoo.settings import pick_setting
from common.zoo.sprites_svd.recipe import FPS, JUDGED, KINDS, asked, captions
from common.zoo.sprites_unet_t2v.first_steps import coded, mean_loss
from common.zoo.sprites_unet_t2v.recipe import build_model, drawn

SETTINGS = {"small": 4, "full": 64}  # setting -> clips of each kind
BATCH, NUM_DRAWS = 16, 4  # clips drawn at once; of the noise for the loss, per clip


@torch.no_grad()
def measure(
    model: VideoUNet, setting: str = "small", progress: Callable[[float], None] | None = None
) -> dict[str, float]:
    """Every number of the card: names such as `large/motion` and `one_noise/large/constant`.

    Args:
        model: a `VideoUNet`.
        setting: "small" or "full".
        progress: called with the part that is done.

    Raises:
        ValueError: there is no such setting.
    """
    num_clips, found = pick_setting(SETTINGS, setting), {}
    large, pictures = asked("large", num_clips), as_pictures(model)
    rows = [(kind, partial(made, model), asked(kind, num_clips)) for kind in KINDS] + [
        ("start/large", partial(made, build_model("cpu").to(model.device).eval()), large),
        ("frame_by_frame/large", partial(made, pictures), large),
        ("one_noise/large", partial(made, pictures, one_noise=True), large),
        ("world/large", returned, large),
    ]
    for done, (name, make, clips) in enumerate(rows, start=1):
        seen = make(clips)
        words = [scene.words for scene in clips.scenes]
        found |= prefixed(name, row(words, seen))
        if name == "large":
            right = accuracy(words[1:] + words[:1], read_sprites(seen, FPS))
            found |= prefixed("shuffled/large", {name: right[name] for name in JUDGED})
        if progress is not None:
            progress(done / len(rows))
    given = coded(large)
    losses = {"loss": model, "frame_by_frame/loss": pictures}
    return found | {name: mean_loss(video_loss, one, given, num_draws=NUM_DRAWS) for name, one in losses.items()}


def prefixed(name: str, row: dict[str, float]) -> dict[str, float]:
    """A row's numbers under its name."""
    return {f"{name}/{measure}": value for measure, value in row.items()}


def row(words, clips: torch.Tensor) -> dict[str, float]:
    """What clips show of what was asked for, and whether it stays the same: parts from 0 to 1."""
    right = accuracy(words, read_sprites(clips, FPS))
    return {name: right[name] for name in JUDGED} | content(clips)


def content(clips: torch.Tensor) -> dict[str, float]:
    """Whether the content of clips `(B, 3, T, H, W)` stays the same, frame by frame: `constant` and `flicker`."""
    num_frames = clips.shape[2]
    readings = read_sprites(rearrange(clips, "b c t h w -> (b t) c 1 h w"))
    words = [looks(reading) for reading in readings]
    changes = [[words[k] != words[k + 1] for k in range(start, start + num_frames - 1)]
               for start in range(0, len(words), num_frames)]  # fmt: skip
    each = [change for clip in changes for change in clip]
    return {"constant": sum(not any(clip) for clip in changes) / len(changes), "flicker": sum(each) / max(1, len(each))}


def looks(reading: SceneReading) -> tuple:
    """What a frame shows: shape and colour of each object, and the background."""
    objects = tuple(sorted((str(item.shape), str(item.color)) for item in reading.objects))
    return objects, reading.background, reading.background_color


def made(model, clips: SpriteBatch, one_noise: bool = False, **changed) -> torch.Tensor:
    """What the model makes of the captions of clips, `(B, 3, T, H, W)`, with noise of each frame's own or the same.

    What is `changed` are settings of the pipeline.
    """
    found, size = [], clips.pixels.shape[2]
    for start in range(0, len(clips), BATCH):
        scenes = clips.scenes[start : start + BATCH]
        prompts = captions(SpriteBatch(clips.pixels[start : start + BATCH], scenes, (), clips.fps))
        noise = torch.randn(len(prompts), 16, size, 8, 8, generator=torch.Generator().manual_seed(start))
        if one_noise:
            noise = repeat(noise[:, :, 0], "b c h w -> b c t h w", t=size)
        found.append(drawn(model, prompts, size, latents=noise, **changed).cpu())
    return torch.cat(found)


def returned(clips: SpriteBatch) -> torch.Tensor:
    """Clips as the autoencoder gives them back."""
    frames = FrameVAE.from_pretrained(VAE)(rearrange(clips.clips(), "b c t h w -> (b t) c h w")).sample.clamp(-1, 1)
    return rearrange(frames, "(b t) c h w -> b c t h w", b=len(clips))
