"""What `time_to_quality.py` takes away from the recipe of `sprites-vae`, one at a time."""

from dataclasses import replace

import torch
from torch import nn
from torch.nn import functional as F

from common.layers import CausalConv3d, ChannelNorm
from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.training.recipe import adamw
from common.zoo.sprites_vae.recipe import IMAGE_WEIGHT, KL_WEIGHT, RECIPE, through

MEASURE = "psnr_sprites"  # dB
SETTINGS = {}  # as the recipe has them


class WholeBlock(nn.Module):
    """What `FactorizedBlock` stands for: 3×3×3 kernels in place of 3×3 over space and 3 over time."""

    def __init__(self, num_channels: int):
        super().__init__()
        self.norms = nn.ModuleList(ChannelNorm(num_channels) for _ in range(2))
        self.convs = nn.ModuleList(CausalConv3d(num_channels, num_channels, (3, 3, 3)) for _ in range(2))
        nn.init.zeros_(self.convs[1].conv.weight)
        nn.init.zeros_(self.convs[1].conv.bias)

    def forward(self, x, cache=None):
        h, caches = x, []
        for norm, conv, past in zip(self.norms, self.convs, cache or (None, None)):
            h, past = conv(F.silu(norm(h)), past)
            caches.append(past)
        return x + h, caches


def with_whole_blocks(preset: str):
    model = RECIPE.build_model(preset)
    for part in (model.encoder.fine, model.encoder.coarse, model.decoder.fine, model.decoder.coarse):
        part.blocks = nn.ModuleList(WholeBlock(block.space.conv.in_channels) for block in part.blocks)
    return model


def plain_loss(model, pixels, noise):
    """Mean absolute and mean squared error over the whole batch, in place of each clip's root mean square."""
    clips = pixels.float() / 127.5 - 1
    restored, kl = through(model, clips, noise, "clip")
    l1, mse = F.l1_loss(restored, clips), F.mse_loss(restored, clips)
    change = F.l1_loss(restored.diff(dim=2), clips.diff(dim=2))
    images = clips[torch.arange(len(clips)), :, noise.integers("frame", clips.shape[2])][:, :, None]
    restored_images, _ = through(model, images, noise, "image")
    image = F.l1_loss(restored_images, images) + 2 * F.mse_loss(restored_images, images)
    return {"loss": l1 + 2 * mse + 0.5 * change + IMAGE_WEIGHT * image + KL_WEIGHT * kl}


def wide(preset: str):
    """The preset `gpu`, three times as many weights."""
    return CausalVideoVAE(**PRESETS["gpu"])


TRICKS = {
    "muon": (lambda r, s: (replace(r, optimizer=adamw), replace(s, learning_rate=1.5e-3)), "AdamW at 1.5e-3"),
    "bf16": (lambda r, s: (r, replace(s, precision="fp32")), "float32"),
    "running mean": (lambda r, s: (r, replace(s, ema_decay=0.0)), "the weights themselves"),
    "small model": (lambda r, s: (replace(r, build_model=wide), s), "3.2 times the weights"),
    "loss by clip": (lambda r, s: (replace(r, compute_loss=plain_loss), s), "L1 + 2 MSE"),
    "(2+1)D": (lambda r, s: (replace(r, build_model=with_whole_blocks), s), "3x3x3 kernels"),
}
