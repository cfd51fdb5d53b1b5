"""How `sprites-svd` is trained: `sprites-image` inflated and frozen, its new layers taught to make a picture move.

    flipbook train sprites-svd                     stage "main": clips of 8 frames, a constant learning rate
    flipbook train sprites-svd --stage anneal      from there: half of the clips have 14 frames, the rate falls to zero
    flipbook train sprites-svd --stage further     the same once more, longer, from there or --weights sprites-svd

The model is Stable Video Diffusion's, and so is what it is told: noisy latents beside those of the first frame, and
frames per second, amount of motion and noise on the picture as added ids. What Stable Video Diffusion does not have is
the prompt, which its cross-attention reads in place of an embedding of the picture.
"""

from collections.abc import Sequence
from functools import partial

import torch

from common.data.sprites import caption
from common.data.sprites.one_object import OneObject
from common.data.sprites.render import SpriteBatch, render
from common.data.sprites.solo import draw
from common.diffusion.image_to_video import added_time_ids, i2v_loss
from common.evaluation.image import psnr
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.models.frame_vae import FrameVAE
from common.models.inflated_model import InflatedUNet
from common.models.shipped import find
from common.pipelines.image_to_video import SETTINGS, ImageToVideoPipeline
from common.show import strips
from common.training import KeyedNoise, Recipe, Settings, Stage, muon
from common.zoo.captioned import VAE, CaptionedLatents
from common.zoo.sprites_image.recipe import RECIPE as IMAGE_RECIPE
from common.zoo.sprites_svd.clips import captioned_clips

BASE = "sprites-image"
SIZES = {"ci": (15, 32), "cpu": (17, 64), "gpu": (17, 64)}  # frames at eight per second, pixels
NUM_CLIPS = {"ci": 16, "cpu": 8_000, "gpu": 40_000}
NUM_FRAMES, NUM_LONGER = 8, 14  # of what it learns from
NUM_ASKED = {"ci": 2, "cpu": 16, "gpu": 64}  # pictures of each kind when it measures
KINDS = ("large", "any")  # of pictures: see `asked`
JUDGED = ("motion", "shape", "color", "background", "background_color")
FPS, LATEST_START = 8, 3  # of the clips; the last of their frames that may be a first one
# Of all samples, one in ten has no picture and one in ten no prompt; half of those have neither.
WITHOUT_PICTURE, WITHOUT_PROMPT = (0.0, 0.1), (0.05, 0.15)
SIGMA_MEAN, SIGMA_STD = 0.7, 1.6  # of ln(sigma) in training, those of Stable Video Diffusion
AUGMENT_MEAN, AUGMENT_STD = -3.0, 0.5  # of the logarithm of the noise on the picture, likewise
GAIN = 1.7  # the standard deviation of a latent where that of noise on the pixels is 1, as measured up to 0.2


def build_model(preset: str) -> InflatedUNet:
    """The image model inflated: the shipped one, or under "ci" a fresh one."""
    base = IMAGE_RECIPE.build_model("ci") if preset == "ci" else BASE
    return InflatedUNet.of(base, in_channels=32, num_frames=NUM_LONGER)


def training_clips(preset: str) -> CaptionedLatents:
    """The clips that it learns from.

    Raises:
        WeightsError: the image model is not there, which is said before ten minutes go into drawing clips.
    """
    if preset != "ci":
        find(BASE)
    return captioned_clips(NUM_CLIPS[preset], *SIZES[preset])


def chosen_frames(noise, num_given: int, num_frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Which frames of each clip it learns from: their numbers `(B, T)`, and how many of them are one second, `(B,)`.

    They are every frame or every second one, as often, where there are enough of them for that.
    """
    stride = 1 + noise.integers("stride", 2)  # (B,)
    room = num_given - 1 - stride * (num_frames - 1)
    stride = torch.where(room < 0, 1, stride)
    room = (num_given - 1 - stride * (num_frames - 1)).clamp(max=LATEST_START)
    start = (noise.uniform("start") * (room + 1)).long()
    return start[:, None] + stride[:, None] * torch.arange(num_frames, device=start.device), FPS / stride


def dropped(noise) -> tuple[torch.Tensor, torch.Tensor]:
    """Which samples have no picture, `(B,)`, and which have no prompt."""
    part = noise.uniform("dropped")
    no_picture, no_prompt = ((part >= low) & (part < high) for low, high in (WITHOUT_PICTURE, WITHOUT_PROMPT))
    return no_picture, no_prompt


def compute_loss(model, batch, noise, num_frames: int = NUM_FRAMES):
    """EDM's loss of clips beside their first frames.

    Args:
        model: an `InflatedUNet`.
        batch: as `captioned_clips` gives it.
        noise: of everything that is drawn.
        num_frames: T.
    """
    clips, states = batch["latents"], batch["states"]
    numbers, fps = chosen_frames(noise, clips.shape[2], num_frames)
    each = torch.arange(len(clips), device=clips.device)[:, None]
    x0 = clips[each, :, numbers].movedim(1, 2)  # (B, C, T, H', W')
    strength = (AUGMENT_MEAN + AUGMENT_STD * noise.normal("augment")).exp()  # (B,)
    picture = x0[:, :, 0] + GAIN * strength[:, None, None, None] * noise.normal("picture", x0[:, :, 0].shape[1:])
    sigma = (SIGMA_MEAN + SIGMA_STD * noise.normal("sigma")).exp()
    drop_picture, drop_text = dropped(noise)
    loss = i2v_loss(
        model, x0, noise.normal("eps", x0.shape[1:]), sigma, picture, states[:-1],
        added_time_ids(fps, batch["motion"], strength), states[-1:], drop_picture, drop_text,
    )  # fmt: skip
    return {"loss": loss.mean()}


def mixed_loss(model, batch, noise):
    """The same of clips of 8 frames, the first half of the batch, and of 14 frames, the others."""
    clips, states, motion = batch["latents"], batch["states"], batch["motion"]
    half = len(clips) // 2
    total = torch.zeros((), device=clips.device)
    for part, num_frames in ((slice(half), NUM_FRAMES), (slice(half, len(clips)), NUM_LONGER)):
        told = torch.cat([states[:-1][part], states[-1:]])  # the last text is the empty one
        own = KeyedNoise(noise.seed, noise.indices[part], noise.device)
        loss = compute_loss(model, {"latents": clips[part], "states": told, "motion": motion[part]}, own, num_frames)
        total = total + loss["loss"] * len(clips[part]) / len(clips)
    return {"loss": total}


def asked(kind: str, num_clips: int, size: int = 64) -> SpriteBatch:
    """Test clips of 14 frames, eight per second: "large" objects before a still camera, or "any" object."""
    return render(_scenes(kind, num_clips), NUM_LONGER, size)


def sparse(kind: str, num_clips: int, size: int = 64) -> SpriteBatch:
    """The same test clips in eight frames, four per second."""
    return draw(_scenes(kind, num_clips), NUM_FRAMES, size)


def _scenes(kind: str, num_clips: int) -> list:
    return OneObject("test").scenes(range(kind == "any", 2 * num_clips, 2))


def animate(model, clips: SpriteBatch, prompts: Sequence[str], seed: int = 0, **changed) -> torch.Tensor:
    """Clips `(B, 3, T, H, W)` that begin with the first frames of others, and are as long and as fast.

    Args:
        model: an `InflatedUNet`.
        clips: whose first frames they are.
        prompts: B of them.
        seed: of all the noise.
        changed: settings in place of the pipeline's own.
    """
    pipe = ImageToVideoPipeline(model, FrameVAE.from_pretrained(VAE).to(model.device))
    generator = torch.Generator().manual_seed(seed)
    num_frames, size = clips.pixels.shape[2], clips.pixels.shape[-1]
    changed = SETTINGS | {"num_frames": num_frames, "fps": clips.fps, "generator": generator} | changed
    return pipe(clips.clips()[:, :, 0], list(prompts), size, size, **changed).frames


def captions(clips: SpriteBatch) -> list[str]:
    """The prompts that belong to clips, worded alike."""
    return [caption(scene) for scene in clips.scenes]


def judge(clips: SpriteBatch, made: torch.Tensor, fps: float = FPS) -> dict[str, float]:
    """What clips show of what was asked for, parts from 0 to 1, and `first_frame`, the mean PSNR of the first, dB."""
    right = accuracy([scene.words for scene in clips.scenes], read_sprites(made.cpu(), fps))
    pairs = zip(made[:, :, 0].cpu(), clips.clips()[:, :, 0])
    first = [float(psnr(found, due, data_range=2)) for found, due in pairs]
    return {name: right[name] for name in JUDGED} | {"first_frame": sum(first) / len(first)}


def measure(model, preset):
    """What a few clips show of what was asked for, as the reader of the world reads them."""
    found = {}
    for kind in KINDS:
        clips = asked(kind, NUM_ASKED[preset], SIZES[preset][1])
        row = judge(clips, animate(model, clips, captions(clips)))
        found |= {f"{kind}/{name}": value for name, value in row.items()}
    return found


def sheet(model, preset):
    """Clips below those whose first frame and caption they got."""
    clips = asked("large", {"ci": 1, "cpu": 4, "gpu": 4}[preset], SIZES[preset][1])
    due, made, rows = clips.clips(), animate(model, clips, captions(clips)).cpu(), {}
    for prompt, true, found in zip(captions(clips), due, made):
        rows |= {f"the world: {prompt}": true, f"made: {prompt}": found}
    return strips(rows)


# Adam trains the first layers, Muon the rest.
ENDS = ("conv_in", "add_embedding", "time_pos_embed.linear_1")
COMMON = {"batch_size": 16, "betas": (0.9, 0.95), "weight_decay": 0.01, "ema_decay": 0.998, "precision": "fp32"}
SMALL, LARGE = COMMON | {"batch_size": 4}, COMMON | {"batch_size": 64, "precision": "bf16"}
AGAIN = {"decay": "linear", "first_sample": 3 * 10**6}  # of stage "further": samples that no other stage has seen
LOOKS = {"measure_every": 1000, "sheet_every": 1000, "checkpoint_every": 50}
RECIPE = Recipe(
    name="sprites-svd",
    build_model=build_model,
    data=training_clips,
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=ENDS),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=6, learning_rate=5e-3, warmup_steps=2, decay="none", **SMALL),
                "cpu": Settings(steps=2000, learning_rate=5e-3, warmup_steps=100, decay="none", **COMMON | LOOKS),
                "gpu": Settings(steps=12_000, learning_rate=5e-3, warmup_steps=300, decay="none", **LARGE | LOOKS),
            }
        ),
        "anneal": Stage(
            {
                "ci": Settings(steps=4, learning_rate=5e-3, decay="linear", first_sample=10**6, **SMALL),
                "cpu": Settings(steps=1100, learning_rate=5e-3, decay="linear", first_sample=10**6, **COMMON | LOOKS),
                "gpu": Settings(steps=4000, learning_rate=5e-3, decay="linear", first_sample=10**7, **LARGE | LOOKS),
            },
            start="main",
            compute_loss=mixed_loss,
        ),
        "further": Stage(
            {
                "ci": Settings(steps=4, learning_rate=5e-3, **AGAIN | SMALL),
                "cpu": Settings(steps=4000, learning_rate=5e-3, **AGAIN | COMMON | LOOKS),
                "gpu": Settings(steps=8000, learning_rate=5e-3, **AGAIN | LARGE | LOOKS),
            },
            start="anneal",
            compute_loss=mixed_loss,
        ),
    },
    sheet=sheet,
    measure=measure,
)
