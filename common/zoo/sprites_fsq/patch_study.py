"""A study of quantizers in seconds: patches of sprite frames, a small network in and out, one token for each patch.

The network is the same for every quantizer, and so are its first weights, its batches and its learning rate. What
differs is how the numbers between the two halves become a token.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.data.sprites import SpriteData

PATCH = 8  # rows and columns of a patch
EVERY = 4  # of a clip's frames, one in so many is cut up
WIDTH = 128
LEARNING_RATE = 3e-3
BATCH = 256
# Numbers of patches (N, C) to codes (N, C), tokens (N,) and what the quantizer adds to the loss.
Quantize = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor, torch.Tensor | float]]


def patches(clips: torch.Tensor) -> torch.Tensor:
    """Clips `(B, 3, T, H, W)` to the patches of every fourth frame, `(N, 192)`."""
    return rearrange(clips[:, :, ::EVERY], "b c t (h p) (w q) -> (b t h w) (c p q)", p=PATCH, q=PATCH)


def pictures(cut: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Patches `(N, 192)` back to frames of so many pixels, `(3, F, H, W)`: a clip of all of them."""
    sizes = {"h": height // PATCH, "w": width // PATCH, "p": PATCH, "q": PATCH}
    return rearrange(cut, "(f h w) (c p q) -> c f (h p) (w q)", **sizes)


def sprite_patches(count: int, split: str = "train") -> torch.Tensor:
    """The patches of the first clips of a split, 320 of each clip, `(320 count, 192)` in [-1, 1]."""
    return patches(SpriteData(split, 17, 64).batch(range(count)).clips())


class PatchCoder(nn.Module):
    """Two small networks, `encoder` and `decoder`, with C numbers between them.

    Args:
        num_channels: C.
        seed: of the first weights.
    """

    def __init__(self, num_channels: int, seed: int = 0):
        super().__init__()
        numbers = 3 * PATCH * PATCH
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder, self.decoder = perceptron(numbers, num_channels), perceptron(num_channels, numbers)


def perceptron(inputs: int, outputs: int) -> nn.Sequential:
    """Three matrices."""
    return nn.Sequential(
        nn.Linear(inputs, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, outputs)
    )


@dataclass(frozen=True)
class Trained:
    """What a run gave.

    Attributes:
        restored: the held-out patches after encoder, quantizer and decoder, `(N, 192)`.
        tokens: of the held-out patches, `(N,)`.
        psnr: of all held-out patches together, dB.
        moved: how far the run moved the encoder: the largest change of one of its weights.
    """

    restored: torch.Tensor
    tokens: torch.Tensor
    psnr: float
    moved: float


def train_patches(
    quantize: Quantize, num_channels: int, cut: torch.Tensor, held_out: torch.Tensor, steps: int, seed: int = 0
) -> Trained:
    """Train a patch coder around a quantizer: squared error, AdamW, a rate that rises for ten steps and falls to zero.

    Args:
        quantize: called with `(N, C)`; gives codes, tokens, and what is added to the loss.
        num_channels: C.
        cut: patches to train on, `(N, 192)`.
        held_out: patches to measure on, likewise.
        steps: of 256 patches each.
        seed: of weights and batches.
    """
    coder, generator = PatchCoder(num_channels, seed), torch.Generator().manual_seed(seed)
    start = [weight.detach().clone() for weight in coder.encoder.parameters()]
    optimizer = torch.optim.AdamW(coder.parameters(), lr=LEARNING_RATE, weight_decay=0.0)
    with torch.enable_grad():
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * min(1, (step + 1) / 10, 2 * (1 - step / steps))
            batch = cut[torch.randint(len(cut), (BATCH,), generator=generator)]
            codes, _, extra = quantize(coder.encoder(batch))
            optimizer.zero_grad()
            (F.mse_loss(coder.decoder(codes), batch) + extra).backward()
            optimizer.step()
    with torch.no_grad():
        codes, tokens, _ = quantize(coder.encoder(held_out))
        restored = coder.decoder(codes)
    moved = max((new - old).abs().max().item() for new, old in zip(coder.encoder.parameters(), start))
    return Trained(restored, tokens, patch_psnr(restored, held_out), moved)


def patch_psnr(preds: torch.Tensor, target: torch.Tensor) -> float:
    """PSNR of all patches together, pixels in [-1, 1], in dB."""
    return (10 * torch.log10(4 / F.mse_loss(preds, target))).item()


def mean_patch_psnr(cut: torch.Tensor, held_out: torch.Tensor) -> float:
    """The same of the baseline that gives the mean patch of the training patches for every patch: a single code."""
    return patch_psnr(cut.mean(dim=0).expand_as(held_out), held_out)


def draw_tokens(codes: torch.Tensor, title: str):
    """The codes of one clip `(C, T', H', W')` in [-1, 1] as small pictures, one per latent frame: a matplotlib figure.

    Red, green and blue are the first three channels: equal tokens have equal colours.
    """
    import matplotlib.pyplot as plt

    colours = rearrange((codes[:3].float() + 1) / 2, "c t h w -> t h w c").clamp(0, 1)
    figure, axes = plt.subplots(1, len(colours), figsize=(7.6, 2.1), layout="constrained", squeeze=False)
    for t, (axis, frame) in enumerate(zip(axes[0], colours)):
        axis.imshow(frame)
        axis.set(xticks=[], yticks=[], xlabel=f"latent frame {t}")
    figure.suptitle(title, fontsize=10)
    plt.close(figure)
    return figure


def draw_steps(functions: Mapping[str, Callable], title: str, reach: float = 4.0):
    """Functions of one number and what rounding makes of them, as a matplotlib figure.

    Args:
        functions: name to a function of `(N, 1)`.
        title: of the figure.
        reach: from -reach to reach.
    """
    import matplotlib.pyplot as plt

    z = torch.linspace(-reach, reach, 801)[:, None]
    figure, axes = plt.subplots(1, len(functions), figsize=(7.6, 2.7), layout="constrained", sharey=True, squeeze=False)
    for axis, (name, function) in zip(axes[0], functions.items()):
        y = function(z).detach()
        levels = y.round().unique()
        axis.hlines(levels, -reach, reach, color="0.88", linewidth=1)
        axis.plot(z[:, 0], y[:, 0], color="#1f6f8b", label="before rounding")
        axis.plot(z[:, 0], y[:, 0].round(), color="#b3541e", linewidth=1, label="rounded")
        axis.set_title(f"{name}: {len(levels)} levels", fontsize=10)
        axis.set_xlabel("z, from the encoder")
    axes[0, 0].set_ylabel("level")
    axes[0, 0].legend(fontsize=8, frameon=False)
    figure.suptitle(title, fontsize=10)
    plt.close(figure)
    return figure
