"""What `time_to_quality.py` takes away from the recipe of `sprites-t2v`, one at a time.

A processor sees in minutes what would take it hours: the transformer has a sixth of the weights, the batches are half
as large and the running mean is short. The measure is the part of the attributes, in per cent, that the reader of the
world finds as the prompts asked: seven attributes of 48 clips of one object, all with the same noise. Two random
captions agree in about 23; a clip in which no object can be told counts nothing for its object.
"""

from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from common.data.sprites import SpriteData
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.models.autoencoder import CausalVideoVAE
from common.models.dit import PRESETS, VideoDiT
from common.text import TextEncoder
from common.training.recipe import adamw
from common.zoo.captioned import VAE
from common.zoo.sprites_t2v import recipe as own
from common.zoo.sprites_t2v.prompts import evaluation_prompts

MEASURE = "right"
NUM_PROMPTS = 48
SETTINGS = {"batch_size": 16, "ema_decay": 0.995}  # of a short training
SMALL = {"dim": 128, "num_layers": 4, "num_heads": 2, "ffn_dim": 448}
ATTRIBUTES = ("shape", "color", "motion", "size", "background", "background_color", "camera")


def measure(model, preset):
    asked, noise = evaluation_prompts("one_object")[:NUM_PROMPTS], torch.Generator().manual_seed(0)
    clips = own.pipeline(model)(asked, generator=noise).frames
    right = accuracy(asked, read_sprites(clips))
    return {MEASURE: 100 * sum(right[name] for name in ATTRIBUTES) / len(ATTRIBUTES)}


RECIPE = replace(own.RECIPE, measure=measure, build_model=lambda preset: VideoDiT(**SMALL))


@dataclass(frozen=True)
class Numbers:
    """The captioned clips of the recipe as numbers alone: they are drawn and encoded in the loss, and so timed."""

    num_clips: int
    key: str = "sprites, encoded in the loop"

    def batch(self, indices) -> dict:
        return {"indices": [index % self.num_clips for index in indices]}


def encoded_each_time(recipe):
    """The recipe without its cache."""
    vae, text_encoder = CausalVideoVAE.from_pretrained(VAE).float().eval(), TextEncoder.installed()

    @torch.no_grad()
    def encoded(indices) -> dict:
        drawn = SpriteData().batch(indices)
        text = text_encoder([*drawn.captions, ""])
        latents = vae.normalize(vae.encode(drawn.clips()).latent_dist.mode())
        return {"latents": latents, "states": text.states, "mask": text.mask}

    def compute_loss(model, batch, noise):
        return own.compute_loss(model, encoded(batch["indices"]), noise)

    return replace(recipe, data=lambda preset: Numbers(own.NUM_CLIPS[preset]), compute_loss=compute_loss)


def without_qk_norm(preset: str) -> VideoDiT:
    model = RECIPE.build_model(preset)
    for block in model.blocks:
        for attention in (block.attention, block.cross_attention):
            attention.norm_q = attention.norm_k = nn.Identity()
    return model


def large(preset: str) -> VideoDiT:
    """The recipe's own size."""
    return VideoDiT(**PRESETS[preset])


TRICKS = {
    "muon": (lambda r, s: (replace(r, optimizer=adamw), replace(s, learning_rate=2e-3)), "AdamW at 2e-3"),
    "running mean": (lambda r, s: (r, replace(s, ema_decay=0.0)), "the weights themselves"),
    "cached latents": (lambda r, s: (encoded_each_time(r), s), "clips drawn and encoded in the loop"),
    "QK norm": (lambda r, s: (replace(r, build_model=without_qk_norm), s), "queries and keys as they are"),
    "logit-normal levels": (
        lambda r, s: (replace(r, compute_loss=partial(own.compute_loss, levels=torch.special.ndtr)), s),
        "uniform levels",
    ),
    "small model": (lambda r, s: (replace(r, build_model=large), s), "six times the weights: the size that ships"),
}
