"""Short studies of the small 3D VAE: made of other parts, a few more steps with one thing changed, and figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput

from common.evaluation.posterior import active_channels, channel_kl
from common.evaluation.reconstruction import mean_frame
from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.models.gaussian import DiagonalGaussian
from common.training import muon
from common.zoo.sprites_vae.recipe import ENDS, SpritesAndFilm
from common.zoo.sprites_vae_minute.measures import mean_psnr
from common.zoo.sprites_vae_minute.recipe import RECIPE

LEARNING_RATE = 1e-3
BLUE, RUST, GOLD, GREY = "#1f6f8b", "#b3541e", "#d9a441", "0.6"


class Assembled(CausalVideoVAE):
    """The autoencoder with another posterior: `posterior` is called with the moments `(B, 2 C, T, H, W)`."""

    posterior = DiagonalGaussian

    def encode(self, sample: torch.Tensor, return_dict: bool = True):
        dist = super().encode(sample).latent_dist
        dist = self.posterior(torch.cat([dist.mean, dist.logvar], dim=1))
        return AutoencoderKLOutput(latent_dist=dist) if return_dict else (dist,)


class WrongAxes:
    """The posterior with diffusers' KL divergence, which is made for pictures: on clips one axis is left over."""

    def __init__(self, moments: torch.Tensor):
        gaussian = DiagonalGaussian(moments)
        self.mean, self.logvar, self.std = gaussian.mean, gaussian.logvar, gaussian.std
        self.sample, self.mode = gaussian.sample, gaussian.mode

    def kl(self) -> torch.Tensor:
        """`(B, W)` from latents `(B, C, T, H, W)`."""
        return DiagonalGaussianDistribution(torch.cat([self.mean, self.logvar], dim=1)).kl()


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


def carried(model, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, float]:
    """What the latents of clips `(B, 3, T, H, W)` carry.

    Returns:
        Nats per number of each channel `(C,)`, which channels are active `(C,)`, and the PSNR in dB.
    """
    with torch.no_grad():
        dist = model.encode(clips).latent_dist
    return channel_kl(dist.mean, dist.logvar), active_channels(dist.mean), mean_psnr(model, clips)


def gradient_shares(loss: Callable, clips: torch.Tensor) -> torch.Tensor:
    """How much each clip weighs in the gradient of a loss, where the restored clip is the mean frame.

    Args:
        loss: called with restored clips and clips, both `(B, C, T, H, W)`; a scalar.
        clips: `(B, C, T, H, W)`.

    Returns:
        `(B,)`: the norm of the gradient of each clip, over the sum of these norms.
    """
    restored = mean_frame(clips).clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(restored, clips), restored)
    norms = slope.flatten(1).norm(dim=1)
    return norms / norms.sum()


def draw_gradient_shares(losses: Mapping[str, Callable], clips: torch.Tensor):
    """Bars of `gradient_shares` under two losses, by name, as a matplotlib figure. Give the easiest clip first."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7.2, 2.5), layout="constrained")
    for (name, loss), side, colour in zip(losses.items(), (-0.2, 0.2), (GREY, BLUE)):
        places, shares = torch.arange(len(clips)) + side, gradient_shares(loss, clips)
        axis.bar(places.tolist(), shares.tolist(), 0.36, color=colour, label=name)
    axis.set(xlabel="clips, from the easiest for the mean frame to the hardest", ylabel="part of the gradient")
    axis.set_title("How loud each clip is: the mean frame against its clip", fontsize=10)
    axis.legend(fontsize=9)
    plt.close(figure)
    return figure


def draw_channels(nats: Mapping[str, torch.Tensor], title: str):
    """Nats per number of each channel `(C,)`, from the fullest to the emptiest, as a matplotlib figure."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7.2, 2.8), layout="constrained")
    for (name, each), colour in zip(nats.items(), (BLUE, GREY, GOLD, RUST)):
        axis.plot(each.sort(descending=True).values, color=colour, marker="o", markersize=4, label=name)
    axis.set(xlabel="latent channels, from the fullest to the emptiest", ylabel="nats per number", ylim=(0, None))
    axis.set_title(title, fontsize=10)
    axis.legend(fontsize=9)
    plt.close(figure)
    return figure


def draw_curve(recorded: Sequence, yours: Sequence, baseline: float, shipped: float):
    """PSNR over training time, as a matplotlib figure.

    Args:
        recorded, yours: pairs of core-seconds and dB.
        baseline, shipped: levels to compare with, in dB: of the mean frame and of the shipped weights.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7.2, 3), layout="constrained")
    axis.plot(*zip(*recorded), color=GREY, marker="o", markersize=3, label="measured, running mean")
    axis.plot(*zip(*yours), color=BLUE, marker="o", label="your run")
    axis.axhline(baseline, color=RUST, linestyle="--", label="mean frame")
    axis.axhline(shipped, color=GREY, linestyle=":", label="shipped weights")
    axis.set(xlabel="core-seconds of training", ylabel="PSNR of held-out clips, dB")
    axis.set_title("How soon does it beat the mean frame?", fontsize=10)
    axis.legend(fontsize=9, loc="center left")
    plt.close(figure)
    return figure
