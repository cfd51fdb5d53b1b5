"""Short studies of the small 3D VAE: made of other parts, and a few more steps with one thing changed."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from diffusers.models.modeling_outputs import AutoencoderKLOutput

from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.models.gaussian import DiagonalGaussian
from common.training import muon
from common.zoo.sprites_vae.recipe import ENDS, SpritesAndFilm
from common.zoo.sprites_vae_minute.recipe import RECIPE

LEARNING_RATE = 1e-3


class Assembled(CausalVideoVAE):
    """The autoencoder with another posterior: `posterior` is called with the moments `(B, 2 C, T, H, W)`."""

    posterior = DiagonalGaussian

    def encode(self, sample: torch.Tensor, return_dict: bool = True):
        dist = super().encode(sample).latent_dist
        dist = self.posterior(torch.cat([dist.mean, dist.logvar], dim=1))
        return AutoencoderKLOutput(latent_dist=dist) if return_dict else (dist,)


def assembled(parts: Sequence[type], posterior: type = DiagonalGaussian) -> Assembled:
    """A fresh autoencoder of the size of `sprites-vae`, made of other classes.

    Args:
        parts: each takes the place of the library's class of the same name, with its weights: same layers, another
            `forward`.
        posterior: made of the moments.
    """
    vae = Assembled(**PRESETS["cpu"])
    vae.posterior = posterior
    for module in vae.modules():
        for part in parts:
            if type(module).__name__ == part.__name__:
                module.__class__ = part
    return vae


def go_on(
    model, train_step: Callable, num_steps: int, batch_size: int, learning_rate: float = LEARNING_RATE, **options
) -> dict[str, float]:
    """A few steps of a model that has the weights of second 60, at a constant learning rate.

    Args:
        model: a `CausalVideoVAE`; it is changed.
        train_step: called as `common.training.vae.train_step`.
        num_steps, batch_size: of the steps. Step k has the same clips and the same draw in every study.
        learning_rate: of Muon, constant.
        options: for `train_step`.

    Returns:
        What the last step said.
    """
    settings = replace(RECIPE.at("settle", "cpu")[1], learning_rate=learning_rate)
    optimizer, data, said = muon(model, settings, ends=ENDS), SpritesAndFilm(17, 64), {}
    for k in range(num_steps):
        clips = data.batch(range(batch_size * k, batch_size * (k + 1))).to(model.device) / 127.5 - 1
        said = train_step(model, optimizer, clips, torch.Generator().manual_seed(k), **options)
    return said
