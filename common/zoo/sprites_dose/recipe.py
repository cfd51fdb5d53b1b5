"""How `sprites-dose` is trained: `sprites-svd` told two doses of motion more, on clips at many speeds.

    flipbook train sprites-dose

Stable Video Diffusion is told one number for all motion, its motion bucket. This model is told two besides: how fast
the object goes over the background, and how fast the background goes over the picture. Their weights begin at zero, so
at first it is `sprites-svd`. `ARMS` are the same training run with other doses: the controls of lab 03.4.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file

from common.data.sprites import caption
from common.data.sprites.paths import DIRECTIONS
from common.data.sprites.render import SpriteBatch, render
from common.diffusion.image_to_video import added_time_ids, i2v_loss
from common.evaluation.sprite_reader import SceneReading, read_sprites
from common.flow.opencv import dis
from common.models.frame_vae import FrameVAE
from common.models.inflated_model import InflatedUNet
from common.models.shipped import WEIGHTS, find
from common.pipelines.image_to_video import ImageToVideoPipeline
from common.training import Recipe, Settings, Stage, muon
from common.zoo.captioned import VAE, CaptionedLatents
from common.zoo.sprites_dose.clips import NUM_FRAMES, PANS, ManySpeeds, buckets, dosed_clips
from common.zoo.sprites_image.recipe import RECIPE as IMAGE_RECIPE
from common.zoo.sprites_svd.recipe import AUGMENT_MEAN, AUGMENT_STD, BASE, FPS, GAIN, SIGMA_MEAN, SIGMA_STD, dropped

TEACHER = "sprites-svd"
NUM_CLIPS = {"ci": 16, "cpu": 4000, "gpu": 20_000}
NUM_ASKED = {"ci": 1, "cpu": 8, "gpu": 24}  # pictures when it measures
ARMS = ("two", "one", "shuffled")  # which doses: two scores, their sum, or those of another clip


def build_model(preset: str) -> InflatedUNet:
    """`sprites-svd` with two more numbers that say nothing yet, or under "ci" a fresh model."""
    base = IMAGE_RECIPE.build_model("ci") if preset == "ci" else BASE
    model = InflatedUNet.of(base, in_channels=32, num_frames=NUM_FRAMES, num_ids=5)
    if preset == "ci":
        return model
    state = {name: tensor.float() for name, tensor in load_file(Path(find(TEACHER)) / WEIGHTS).items()}
    name = "add_embedding.linear_1.weight"
    state[name] = torch.cat(
        [state[name], torch.zeros(len(state[name]), 2 * model.config.addition_time_embed_dim)], dim=1
    )
    model.load_state_dict(state)
    return model


def training_clips(preset: str) -> CaptionedLatents:
    """The clips that it learns from.

    Raises:
        WeightsError: weights that it begins with are not there, which is said before clips are drawn.
    """
    if preset != "ci":
        find(BASE), find(TEACHER)
    return dosed_clips(NUM_CLIPS[preset])


def ids_of(doses: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
    """The added ids `(B, 5)` of doses `(B, 2)`, buckets from 0 to 255, and of the noise on the pictures `(B,)`."""
    usual = added_time_ids(torch.full_like(strength, FPS), torch.full_like(strength, 127), strength)
    return torch.cat([usual, doses.to(usual)], dim=1)


def doses_for(scores: torch.Tensor, arm: str) -> torch.Tensor:
    """The doses `(B, 2)` that an arm is told of clips with these scores."""
    if arm == "one":  # one number for all motion, as Stable Video Diffusion is told; the second says nothing
        total = buckets(scores.sum(dim=1, keepdim=True).expand_as(scores) / 2)
        return torch.stack([total[:, 0], torch.zeros_like(total[:, 0])], dim=1)
    return buckets(scores.roll(1, dims=0) if arm == "shuffled" else scores)


def compute_loss(model, batch, noise, arm: str = "two"):
    """EDM's loss of clips beside their first frames, told their doses."""
    x0, states = batch["latents"], batch["states"]
    strength = (AUGMENT_MEAN + AUGMENT_STD * noise.normal("augment")).exp()  # (B,)
    picture = x0[:, :, 0] + GAIN * strength[:, None, None, None] * noise.normal("picture", x0[:, :, 0].shape[1:])
    sigma = (SIGMA_MEAN + SIGMA_STD * noise.normal("sigma")).exp()
    drop_picture, drop_text = dropped(noise)
    loss = i2v_loss(
        model, x0, noise.normal("eps", x0.shape[1:]), sigma, picture, states[:-1],
        ids_of(doses_for(batch["scores"], arm), strength), states[-1:], drop_picture, drop_text,
    )  # fmt: skip
    return {"loss": loss.mean()}


def asked(num_pictures: int, moving: str = "object") -> SpriteBatch:
    """Test clips in which one thing alone moves: the object, or the camera; or both.

    None has stripes: along them nothing can be seen to move.
    """
    ways = {"object": (True, False), "camera": (False, True), "both": (True, True)}[moving]
    found, index = [], 0
    while len(found) < num_pictures:
        scene = ManySpeeds("test").scenes([index])[0]
        if (scene.objects[0].motion in DIRECTIONS, scene.camera in PANS) == ways and scene.background != "stripes":
            found.append(scene)
        index += 1
    return render(found, NUM_FRAMES)


def animate(model, clips: SpriteBatch, doses: torch.Tensor, seed: int = 0, **changed) -> torch.Tensor:
    """Clips `(B, 3, T, H, W)` that begin with the first frames of others and have their captions.

    Args:
        model: an `InflatedUNet` that is told five numbers.
        clips: B of them.
        doses: of object and camera, buckets from 0 to 255, `(B, 2)`.
        seed: of all the noise.
        changed: settings in place of the pipeline's own.
    """
    pipe = ImageToVideoPipeline(model, FrameVAE.from_pretrained(VAE).to(model.device))
    generator = torch.Generator().manual_seed(seed)
    prompts = [caption(scene) for scene in clips.scenes]
    changed = {"num_frames": clips.pixels.shape[2], "fps": FPS, "generator": generator, "more_ids": doses} | changed
    return pipe(clips.clips()[:, :, 0], prompts, **changed).frames


def measured_speeds(clips: torch.Tensor, fps: float = FPS) -> torch.Tensor:
    """How fast object and background go in clips `(B, 3, T, H, W)`: `(B, 2)`, heights per second.

    The background's path is the median of the optical flow over all pixels, from frame to frame. The object's is where
    the reader sees it, minus the background's. A speed is the distance from first to last, by the time between them.
    NaN where the object was not seen twice.
    """
    clips = clips.cpu()
    return torch.tensor([_speeds(clip, reading, fps) for clip, reading in zip(clips, read_sprites(clips, fps))])


def _speeds(clip: torch.Tensor, reading: SceneReading, fps: float) -> list[float]:
    frames, size = clip.movedim(1, 0), clip.shape[-2]
    steps = dis(frames[:-1], frames[1:]).flatten(2).median(dim=2).values.double()  # (T - 1, 2), pixels
    background = torch.cat([steps.new_zeros(1, 2), steps.cumsum(dim=0)])
    camera = float(background[-1].norm()) * fps / (len(steps) * size)
    if not reading.objects:
        return [float("nan"), camera]
    path = torch.as_tensor(reading.objects[0].positions).double() - background
    seen = (~path.isnan().any(dim=1)).nonzero()[:, 0]
    if len(seen) < 2:
        return [float("nan"), camera]
    first, last = int(seen[0]), int(seen[-1])
    return [float((path[last] - path[first]).norm()) * fps / ((last - first) * size), camera]


def measure(model, preset):
    """How far doses reach: the mean speed of objects and cameras at a low, a middle and a high dose."""
    found = {}
    for which, moving in enumerate(("object", "camera")):
        clips = asked(NUM_ASKED[preset], moving)
        for dose in (20, 128, 235):
            doses = torch.zeros(len(clips), 2)
            doses[:, which] = dose
            found[f"{moving}/{dose}"] = float(measured_speeds(animate(model, clips, doses))[:, which].nanmean())
    return found


def recipe_of(arm: str) -> Recipe:
    """The training run of an arm; that of "two" is `RECIPE`."""
    return replace(RECIPE, name=f"sprites-dose-{arm}", compute_loss=partial(compute_loss, arm=arm))


COMMON = {"betas": (0.9, 0.95), "weight_decay": 0.01, "ema_decay": 0.995, "precision": "fp32", "decay": "linear",
          "measure_every": 500, "checkpoint_every": 25, "first_sample": 7 * 10**6}  # fmt: skip
RECIPE = Recipe(
    name="sprites-dose",
    build_model=build_model,
    data=training_clips,
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=("conv_in", "add_embedding", "time_pos_embed.linear_1")),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=4, batch_size=4, learning_rate=5e-3, warmup_steps=2, **COMMON),
                "cpu": Settings(steps=1000, batch_size=16, learning_rate=5e-3, warmup_steps=40, **COMMON),
                "gpu": Settings(steps=6000, batch_size=64, learning_rate=5e-3, warmup_steps=200,
                                **COMMON | {"precision": "bf16"}),
            }
        ),
    },
    measure=measure,
)  # fmt: skip
