"""Short studies from the weights of second 60: a few more steps, with one thing changed."""

from collections.abc import Callable
from dataclasses import replace

import torch

from common.training import muon
from common.zoo.sprites_vae.recipe import ENDS, SpritesAndFilm
from common.zoo.sprites_vae_minute.recipe import RECIPE

LEARNING_RATE = 1e-3


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
