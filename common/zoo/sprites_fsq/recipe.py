"""How `sprites-fsq` is trained: the autoencoder `sprites-vae`, taught to pass its latents through 64,000 codes.

    flipbook train sprites-fsq                     stage "main": a constant learning rate
    flipbook train sprites-fsq --stage anneal      from there: the rate falls to zero
    flipbook train sprites-fsq --stage further     from the shipped weights: the same once more, longer
    flipbook train sprites-fsq --stage objects     from there: errors on objects count more
    flipbook train sprites-fsq --stage "objects again"     from there: twice as long

It begins as `sprites-vae`, weight for weight, with two small matrices fitted around the quantizer. Data and optimizer
are those of that recipe, and the loss is that of its last stage, without the KL term: FSQ needs no loss of its own.
"""

from functools import partial

import torch
from torch.nn import functional as F

from common.evaluation.codebook import codebook_perplexity
from common.models.autoencoder import CausalVideoVAE
from common.models.token_autoencoder import PRESETS, CausalVideoFSQ
from common.tensor_ops import from_uint8
from common.training import Recipe, Settings, Stage, muon
from common.training.losses import log_rms
from common.zoo.sprites_fsq.objects import ClipsAndObjects, importance
from common.zoo.sprites_vae import recipe as vae_recipe
from common.zoo.sprites_vae.recipe import IMAGE_WEIGHT, SIZES, SpritesAndFilm, sheet

BEGIN = "sprites-vae"
NUM_FITTED = 64  # clips to which the matrices around the quantizer are fitted at the beginning
CHANGE_WEIGHT, STILL_WEIGHT = 4.0, 0.7


def build_model(preset: str) -> CausalVideoFSQ:
    """The model before the first step: for "cpu" the shipped autoencoder with FSQ, otherwise fresh weights."""
    if preset != "cpu":
        return CausalVideoFSQ(**PRESETS[preset])
    vae = CausalVideoVAE.from_pretrained(BEGIN).float().eval()
    return CausalVideoFSQ.from_vae(vae, from_uint8(SpritesAndFilm(*SIZES[preset]).batch(range(NUM_FITTED))))


def compute_loss(model, pixels, noise, error=log_rms, change_weight=CHANGE_WEIGHT, still_weight=STILL_WEIGHT):
    """Error of the clip, of its change from frame to frame, and of one frame as an image. There is no KL term.

    Args:
        model: encodes and decodes.
        pixels: uint8 `(B, 3, T, H, W)`; with a fourth channel that says where objects are, errors there count more.
        noise: says which frame is the image.
        error: of clips, from the difference to the original `(B, 3, T, H, W)`.
        change_weight: of the change from frame to frame.
        still_weight: of the change where there is none in the original, besides.
    """
    clips = from_uint8(pixels[:, :3])
    weight = importance(pixels) if pixels.shape[1] > 3 else torch.ones_like(clips[:, :1])
    weight = weight.sqrt()  # (B, 1, T, H, W): it multiplies an error that is squared
    restored = model(clips).sample.float()
    chosen = noise.integers("frame", clips.shape[2])  # (B,)
    images = clips[torch.arange(len(clips)), :, chosen][:, :, None]  # (B, 3, 1, H, W)
    restored_images = model(images).sample.float()
    image_weight = weight[torch.arange(len(clips)), :, chosen][:, :, None]
    change, made = clips.diff(dim=2), restored.diff(dim=2)  # (B, 3, T - 1, H, W)
    parts = {
        "error": error(weight * (restored - clips)),
        "change": F.l1_loss(made, change),
        "still": (made.abs() * (change == 0)).mean(),
        "image": error(image_weight * (restored_images - images)),
    }
    weights = {"error": 1.0, "change": change_weight, "still": still_weight, "image": IMAGE_WEIGHT}
    return {"loss": sum(weights[name] * part for name, part in parts.items()), **parts}


def measure(model, preset):
    """What `sprites-vae` measures, and the perplexity of the codes of a few training clips."""
    tokens = model.tokenize(from_uint8(SpritesAndFilm(*SIZES[preset]).batch(range(64))))
    return vae_recipe.measure(model, preset) | {"perplexity": codebook_perplexity(tokens, model.codebook_size)}


ENDS = (*vae_recipe.ENDS, "quant_conv", "post_quant_conv")  # the layers that touch pixels, latents and codes
COMMON = vae_recipe.COMMON | {"learning_rate": 2e-3}
OFTEN = {"measure_every": 400, "checkpoint_every": 25}


def objects(preset: str) -> ClipsAndObjects:
    """The clips of the other stages, with the places of their objects."""
    return ClipsAndObjects(*SIZES[preset])


def settings(steps: int, first_sample: int, **more) -> Settings:
    """Of a stage on the preset cpu, whose learning rate falls to zero unless told otherwise."""
    return Settings(steps=steps, first_sample=first_sample, **{"decay": "linear"} | COMMON | OFTEN | more)


RECIPE = Recipe(
    name="sprites-fsq",
    build_model=build_model,
    data=lambda preset: SpritesAndFilm(*SIZES[preset]),
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=ENDS),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=20, warmup_steps=5, decay="none", **COMMON),
                "cpu": settings(1050, 5 * 10**6, warmup_steps=25, decay="none"),
            }
        ),
        "anneal": Stage(
            {
                "ci": Settings(steps=10, decay="linear", first_sample=10**6, **COMMON),
                "cpu": settings(950, 6 * 10**6),
            },
            start="main",
        ),
        "further": Stage({"cpu": settings(1700, 7 * 10**6, warmup_steps=50)}, start="sprites-fsq"),
        "objects": Stage({"cpu": settings(700, 8 * 10**6, warmup_steps=25)}, start="further", data=objects),
        "objects again": Stage({"cpu": settings(1400, 9 * 10**6, warmup_steps=25)}, start="objects", data=objects),
    },
    sheet=sheet,
    measure=measure,
)
