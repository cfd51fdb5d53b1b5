"""A small latent cache for tests: sprites, an encoder that counts what it saw, and a model to train on the latents."""

import os
from pathlib import Path

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config

from common.data.latent_cache import fill
from common.data.sprites import SpriteData

ROOT = Path(__file__).resolve().parents[2]
SPRITES = SpriteData(num_frames=2, size=8)
ELSEWHERE = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


class Counting:
    """An encoder that remembers how many samples it saw: their mean colours, `(B, 3, T)`."""

    def __init__(self):
        self.seen = 0

    def __call__(self, batch):
        self.seen += len(batch)
        return batch.clips().mean(dim=(3, 4))


def filled(folder, num_samples=10, encode=None, data=SPRITES, **options):
    """The cache in `folder`, with so many samples in it; `options` are those of `fill`."""
    options = {"encoder": "mean", "shard_size": 4, "batch_size": 3, "quiet": True} | options
    return fill(folder, data, encode or Counting(), num_samples, **options)


class Scale(ModelMixin, ConfigMixin):
    """A gain for each of three channels."""

    @register_to_config
    def __init__(self, latents_mean: float = 0.0):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(3))

    def forward(self, latents):
        return latents * self.gain[:, None]
