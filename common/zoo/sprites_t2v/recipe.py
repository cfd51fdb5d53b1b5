"""How `sprites-t2v` is trained: flow matching on latents of captioned sprites, from text alone and from images at once.

    flipbook train sprites-t2v                     stage "main": a constant learning rate
    flipbook train sprites-t2v --stage anneal      from there: the rate falls to zero

The clips are encoded once, by the shipped `sprites-vae`, and kept in the user's cache, like the states of the captions.
"""

from functools import partial

import torch

from common.data.sprites import SpriteData
from common.diffusion.losses import flow_matching_loss, logit_normal
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.models.autoencoder import CausalVideoVAE
from common.models.dit import PRESETS, VideoDiT
from common.pipelines import TextToVideoPipeline
from common.show import strips
from common.training import Recipe, Settings, Stage, muon
from common.zoo.captioned import VAE
from common.zoo.sprites_t2v.latents import sprite_latents
from common.zoo.sprites_t2v.prompts import SHOWN, evaluation_prompts

SIZES = {"ci": (5, 32), "cpu": (17, 64), "gpu": (17, 64)}  # frames, pixels
NUM_CLIPS = {"ci": 64, "cpu": 12_000, "gpu": 100_000}
NUM_ASKED = {"ci": 2, "cpu": 32, "gpu": 64}  # prompts of each kind when it measures
IMAGE_PART = 0.25  # of the samples: their first latent frame is given
NO_PROMPT_PART = 0.1  # of the samples: without a prompt, for guidance


def compute_loss(model, batch, noise, levels=logit_normal):
    """Squared error of the velocity. One noise level a clip; where the first frame is given, its level is 0.

    Args:
        model: predicts velocities.
        batch: as `sprite_latents` gives it.
        noise: of the levels and the latents, and which clips have no prompt or a first frame.
        levels: standard normal numbers to noise levels.
    """
    x0, num_clips = batch["latents"], len(batch["latents"])
    frames = torch.arange(x0.shape[2], device=x0.device)  # (T',)
    from_image = noise.uniform("image") < IMAGE_PART  # (B,)
    given = from_image[:, None] & (frames == 0)  # (B, T')
    s = levels(noise.normal("level"))[:, None].expand_as(given).masked_fill(given, 0.0)
    no_prompt = noise.uniform("prompt") < NO_PROMPT_PART
    chosen = torch.arange(num_clips, device=x0.device).masked_fill(no_prompt, num_clips)  # the last text is empty
    states, mask = batch["states"][chosen], batch["mask"][chosen]
    eps = noise.normal("eps", x0.shape[1:])
    velocity = lambda x, timestep: model(x, timestep, states, mask).sample  # noqa: E731
    loss = flow_matching_loss(velocity, x0, eps, s, weights=~given)  # (B,)
    return {"loss": loss.mean(), "text": mean_of(loss, ~from_image), "image": mean_of(loss, from_image)}


def mean_of(loss, chosen):
    """The mean over the chosen clips; over all of them where none is."""
    weights = (chosen | ~chosen.any()).float()  # (B,); no branch, so a GPU need not be waited for
    return (loss * weights).sum() / weights.sum()


def pipeline(model):
    """The model with everything it needs to make clips."""
    pipe = TextToVideoPipeline(model, CausalVideoVAE.from_pretrained(VAE).float().eval().to(model.device))
    pipe.set_progress_bar_config(disable=True)
    return pipe


def measure(model, preset):
    """What a few clips show of what was asked for, as the reader of the world reads them."""
    num_frames, size = SIZES[preset]
    pipe, found = pipeline(model), {}
    for name in ("one_object", "held_out", "two_objects"):
        asked = evaluation_prompts(name)[: NUM_ASKED[preset]]
        noise = torch.Generator().manual_seed(0)
        clips = pipe(asked, None, num_frames, size, size, num_inference_steps=12, generator=noise).frames
        right = accuracy(asked, read_sprites(clips.cpu()))
        found |= {f"{name}/{attribute}": value for attribute, value in right.items()}
    return found


def sheet(model, preset):
    """Some prompts, and the first of them from a given image."""
    num_frames, size = SIZES[preset]
    pipe, prompts = pipeline(model), [prompt for prompt in SHOWN if prompt][:6]
    given = SpriteData("test", num_frames, size, num_objects=1).batch([0])
    clips, image = given.clips(), given.clips()[0, :, 0]
    noise = [torch.Generator().manual_seed(0) for _ in range(2)]
    made = pipe(prompts, None, num_frames, size, size, generator=noise[0]).frames
    begun = pipe(list(given.captions), image, num_frames, size, size, generator=noise[1]).frames
    rows = dict(zip(prompts, made)) | {f"the world: {given.captions[0]}": clips[0], "from its first frame": begun[0]}
    return strips(rows)


# Adam trains the first and the last layers, Muon the rest.
ENDS = ("patches_in", "patches_out", "text_in.0", "time_in.0", "to_signal", "to_last_signal")
COMMON = {"batch_size": 32, "betas": (0.9, 0.95), "weight_decay": 0.01, "ema_decay": 0.999, "precision": "auto"}
RECIPE = Recipe(
    name="sprites-t2v",
    build_model=lambda preset: VideoDiT(**PRESETS[preset]),
    data=lambda preset: sprite_latents(NUM_CLIPS[preset], *SIZES[preset]),
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=ENDS),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=30, learning_rate=5e-3, warmup_steps=5, decay="none",
                               **COMMON | {"batch_size": 8, "precision": "fp32"}),
                "cpu": Settings(
                    steps=6000, learning_rate=5e-3, warmup_steps=200, decay="none", measure_every=1000,
                    sheet_every=1000, checkpoint_every=100, **COMMON,
                ),
                "gpu": Settings(
                    steps=11_000, learning_rate=5e-3, warmup_steps=500, decay="none", measure_every=2000,
                    sheet_every=2000, checkpoint_every=500, **COMMON | {"batch_size": 128, "ema_decay": 0.9995},
                ),
            }
        ),
        "anneal": Stage(
            {
                "ci": Settings(steps=10, learning_rate=5e-3, decay="linear", first_sample=10**6,
                               **COMMON | {"batch_size": 8, "precision": "fp32"}),
                "cpu": Settings(
                    steps=2000, learning_rate=5e-3, decay="linear", first_sample=10**6, measure_every=500,
                    sheet_every=500, checkpoint_every=100, **COMMON,
                ),
                "gpu": Settings(
                    steps=4_300, learning_rate=5e-3, decay="linear", first_sample=10**7, measure_every=1000,
                    sheet_every=1000, checkpoint_every=500, **COMMON | {"batch_size": 128, "ema_decay": 0.9995},
                ),
            },
            start="main",
        ),
    },
    sheet=sheet,
    measure=measure,
)  # fmt: skip
