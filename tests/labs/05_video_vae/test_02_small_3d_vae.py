"""Grader of lab 05.2, a small 3D VAE.

Oracles in double precision: loops over places and clips, the layers of the learner's own objects, torch.distributions,
and an autoencoder that is two matrices. The library's parts of this lab are off limits while this file runs.
"""

import copy
import math
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from common.course.graders import Call, attempt, judge, mapping, number, outcomes, record, stand_ins, tensor, theorems, values

exercise = pytest.mark.exercise


# ---------------------------------------------------------------------------------------------- DiagonalGaussian

kl = Call("DiagonalGaussian(moments).kl", takes={"moments": "b ..."}, gives=tensor("b", torch.float32))


def kl_of(lab):
    """The learner's method as a function of the moments."""
    return lambda moments: lab.DiagonalGaussian(moments).kl()


def each_kl(moments):
    """Oracle: the divergence of every number of the latent, in double precision."""
    mean, logvar = moments.double().chunk(2, dim=1)
    return kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0))


def true_kl(moments):
    return each_kl(moments).flatten(1).sum(dim=1)


def halves(moments):
    return moments.double().chunk(2, dim=1)


def summed(each):
    return each.flatten(1).sum(dim=1)


KL_WRONG = {
    "the mean over the latent is taken. It is a sum: a latent of twice as many numbers may cost twice as much": (
        lambda m: each_kl(m).flatten(1).mean(dim=1)
    ),
    "only the channels are summed, and the other axes averaged. All axes but the batch are summed": (
        lambda m: each_kl(m).sum(dim=1).flatten(1).mean(dim=1)
    ),
    "the batch is summed too, or averaged: each sample has a number of its own": (
        lambda m: true_kl(m).mean().expand(len(m))
    ),
    "the factor ½ is missing": lambda m: 2 * true_kl(m),
    "the variance is exp(logvar), and its root is there in its place": (
        lambda m: summed(0.5 * (halves(m)[0] ** 2 + (halves(m)[1] / 2).exp() - 1 - halves(m)[1]))
    ),
    "the means are missing: a mean away from 0 costs ½ mean²": (
        lambda m: summed(0.5 * (halves(m)[1].exp() - 1 - halves(m)[1]))
    ),
    "that is the divergence the other way round, from the standard normal to this one": (
        lambda m: summed(0.5 * ((1 + halves(m)[0] ** 2) / halves(m)[1].exp() - 1 + halves(m)[1]))
    ),
    "the sign is turned around: a divergence is never negative": lambda m: -true_kl(m),
}


@exercise("DiagonalGaussian", points=3, hint="0.5 * (mean² + std² - 1 - logvar), then .flatten(1).sum(dim=1)")
def test_kl_sums_the_latent(lab, seed, look):
    """the divergence of each sample, summed over C, T, H, W, and over the axes of any other latent"""
    sizes = ((3, 4, 2, 5, 7), (2, 8, 6, 3), (4, 6), (1, 2, 3, 1, 5), (5, 2, 1, 4, 3))
    rows = [(values.noise(seed + k, *size),) for k, size in enumerate(sizes)]
    answers = kl.table(kl_of(lab), rows, true_kl, KL_WRONG, because="it is ½ Σ (mean² + variance - 1 - log variance)")
    look(target=true_kl(*rows[0]), yours=answers[0].value)


@exercise("DiagonalGaussian", points=1, hint="self.mean, self.std and self.logvar; nothing is detached or rounded.")
def test_kl_owes(lab, seed):
    """gradients reach means and variances; it holds for tiny variances and half precision; samples do not mix"""
    moments = values.noise(seed, 3, 6, 2, 4, 5)
    leaf = moments.clone().requires_grad_()
    (slope,) = torch.autograd.grad(true_kl(leaf).sum(), leaf)
    kl(kl_of(lab), moments.requires_grad_()).gradients({"moments": slope})
    moments = moments.detach()
    narrow = torch.cat([moments[:, :3], moments[:, 3:] - 20], dim=1)
    kl.table(kl_of(lab), [(narrow,), (40 * moments[:, :3].repeat(1, 2, 1, 1, 1) * 0.25,)], true_kl,
             because="for a variance near 0, log variance is self.logvar, not the log of something")  # fmt: skip
    theorems.batch_is_samples(kl, kl_of(lab), moments)
    theorems.owes(kl, kl_of(lab), moments, dtypes=(torch.float16,), tolerance=2e-3)


# ---------------------------------------------------------------------------------------------- reconstruction_loss

loss = Call("reconstruction_loss", takes={"restored": "b c t h w", "target": "b c t h w"},
            gives=tensor("", torch.float32))  # fmt: skip


def by_clip(restored, target, clip=lambda m: (m + 1e-6).sqrt()):
    """Oracle: a loop over clips."""
    means = [((a - b) ** 2).mean() for a, b in zip(restored.double(), target.double())]
    return sum(clip(m) for m in means) / len(means)


def squares(restored, target):
    return (restored.double() - target.double()) ** 2


LOSS_WRONG = {
    "that is one root over all clips together: a hard clip outvotes the easy ones. Take each clip's root first": (
        lambda r, t: (squares(r, t).mean() + 1e-6).sqrt()
    ),
    "the root is missing: that is the mean squared error": lambda r, t: squares(r, t).mean(),
    "those are absolute errors, not squared ones": lambda r, t: squares(r, t).sqrt().mean(),
    "each frame has a root of its own. The root is that of a whole clip": (
        lambda r, t: (squares(r, t).mean(dim=(1, 3, 4)) + 1e-6).sqrt().mean()
    ),
    "the clips are summed. Take their mean": lambda r, t: by_clip(r, t) * len(r),
    "the restored clip is clamped. What is beyond [-1, 1] is an error too": (
        lambda r, t: by_clip(r.clamp(-1, 1), t)
    ),
    "1e-6 is added outside the root, or to every clip's root": lambda r, t: by_clip(r, t, lambda m: m.sqrt() + 1e-6),
}


def restored_and_target(seed, *size, scale=0.5):
    """Clips whose errors differ from clip to clip, from frame to frame, and go beyond [-1, 1]."""
    target = values.uniform(seed, *size)
    clips, frames = torch.arange(1, size[0] + 1) / size[0], torch.arange(1, size[2] + 1) / size[2]
    weight = (clips**2)[:, None, None, None, None] * frames[:, None, None]
    return target + scale * weight * values.noise(seed + 1, *size), target


@exercise("reconstruction_loss", points=3, hint="squares.flatten(1).mean(dim=1), then + 1e-6, sqrt, mean")
def test_loss_by_clip(lab, seed, look):
    """the root mean square error of each clip, then the mean over clips; 1e-6 is under the root"""
    sizes = ((3, 2, 5, 4, 6), (2, 3, 4, 7, 5), (1, 1, 3, 2, 4), (4, 3, 1, 5, 2))
    rows = [restored_and_target(seed + k, *size, scale=s) for k, (size, s) in enumerate(zip(sizes, (0.5, 2.0, 0.1, 1.0)))]
    rows.append((rows[0][1], rows[0][1]))
    rows.append(restored_and_target(seed, 2, 3, 4, 5, 6, scale=1e-3))
    answers = loss.table(lab, rows, by_clip, LOSS_WRONG, tolerance=1e-6,
                         because="it is the mean over clips of √(mean squared error + 1e-6)")  # fmt: skip
    look(target=by_clip(*rows[0]), yours=answers[0].value)


@exercise("reconstruction_loss", points=2, hint="Compare the two shapes first; .float() both; no .detach().")
def test_loss_owes(lab, seed):
    """other shapes are refused; half precision is computed in float32; gradients are whole, and finite at no error"""
    restored, target = restored_and_target(seed, 3, 2, 5, 4, 6)
    for wrong in (target[:1], target[:, :, :1], target[:, :1], target.flip(-1)[..., :1], target[:2]):
        loss.refuses(lab, restored, wrong, because="Python would broadcast such clips in silence, or crash later")
    theorems.computes_in_float32(loss, lab, 100 + restored, 100 + target, truth=by_clip)
    theorems.computes_in_float32(loss, lab, 400 * restored, 400 * target, truth=by_clip)
    leaf = restored.clone().requires_grad_()
    (slope,) = torch.autograd.grad(by_clip(leaf, target), leaf)
    loss(lab, restored.clone().requires_grad_(), target).gradients({"restored": slope})
    same = target.clone().requires_grad_()
    value = attempt("reconstruction_loss(target, target)", lab.reconstruction_loss, same, target)
    (slope,) = torch.autograd.grad(value, same)
    assert torch.isfinite(slope).all(), (
        "reconstruction_loss(target, target): its gradient is not finite. √ has no slope at 0: add 1e-6 under the root"
    )
    theorems.owes(loss, lab, restored, target, batch_of_one=False)


# ---------------------------------------------------------------------------------------------- FactorizedBlock

C = 5
block = Call("block", takes={"x": "b c t h w", "cache": "b c p h w"}, parameters=("x", "cache"), sizes=lambda given: {"p": 2},
             gives=record("tuple", out=tensor("b c t h w", "same"), cache=tensor("b c p h w", "same")))  # fmt: skip


def made_block(lab, seed):
    """The learner's block in double precision, with weights that matter in every layer."""
    return stand_ins.fill(attempt(f"FactorizedBlock({C})", lab.FactorizedBlock, C), seed, 0.5).double()


def two_convolutions(block, x, cache=None, first=("norm_space", "space"), then=("norm_time", "time"), act=F.silu, skip=1.0,
                     norm=True, late=False):  # fmt: skip
    """Oracle, from the block's own layers; and ways to do it wrong."""
    h = x
    for norm_name, name in (first, then):
        normed = getattr(block, norm_name)(h) if norm else h
        given = cache if name == "time" else None
        h, _ = getattr(block, name)(act(normed) if not late else normed, given)
        h = act(h) if late else h
    return skip * x + h


def carried(block, x, cache=None):
    """Oracle: the frames that the temporal convolution still has to remember."""
    h, _ = block.space(F.silu(block.norm_space(x)))
    h = F.silu(block.norm_time(h))
    before = h[:, :, :1].expand(-1, -1, 2, -1, -1) if cache is None else cache
    return torch.cat([before, h], dim=2)[:, :, -2:]


BLOCK_WRONG = {
    "the input is not added: a residual block gives x + what the convolutions make of it": {"skip": 0.0},
    "the input is added twice": {"skip": 2.0},
    "time comes before space": {"first": ("norm_time", "time"), "then": ("norm_space", "space")},
    "norm_space is used twice. The temporal convolution has norm_time": {"then": ("norm_space", "time")},
    "SiLU is missing": {"act": lambda h: h},
    "that is ReLU. It should be SiLU": {"act": F.relu},
    "the norms are missing": {"norm": False},
    "SiLU comes after each convolution. It comes before, after the norm": {"late": True},
}
BLOCK_ROWS = ((2, 4, 3, 6), (3, 1, 5, 2), (1, 7, 4, 3))


@exercise("FactorizedBlock", points=4, hint="h, _ = self.space(F.silu(self.norm_space(x))), then time, then x + h")
def test_block_forward(lab, seed, look):
    """norm, SiLU, space; norm, SiLU, time; and the input added once"""
    made = made_block(lab, seed)
    rows = [(values.noise(seed + k, b, C, *size).double(),) for k, (b, *size) in enumerate(BLOCK_ROWS)]
    mistakes = {
        message: lambda x, wrong=wrong: two_convolutions(made, x, **wrong) for message, wrong in BLOCK_WRONG.items()
    }
    answers = block.table(made, rows, lambda x: two_convolutions(made, x), mistakes, part="out",
                          because="it is x + time(SiLU(norm_time(space(SiLU(norm_space(x))))))")  # fmt: skip
    look(target=two_convolutions(made, *rows[0])[0, 0, 0].detach(), yours=answers[0].value[0, 0, 0].detach())


@exercise("FactorizedBlock", points=2, hint="h, cache = self.time(F.silu(self.norm_time(h)), cache); return x + h, cache")
def test_block_cache(lab, seed):
    """the cache goes into `time` and comes out of it: a clip in pieces gives what the whole clip gives"""
    made = made_block(lab, seed)
    x = values.noise(seed, 2, C, 7, 3, 4).double()
    given = values.noise(seed + 1, 2, C, 2, 3, 4).double()
    block.table(made, [(x[:, :, :4],), (x[:, :, :1],), (x[:, :, :3], given)], lambda x, cache=None: carried(made, x, cache),
                part="cache", because="the cache is the one that self.time gives")  # fmt: skip
    block.table(made, [(x[:, :, :1], given), (x[:, :, 2:], 2 * given)], lambda x, cache: two_convolutions(made, x, cache),
                {"the cache that is given is not used: hand it to self.time": lambda x, cache: two_convolutions(made, x)},
                part="out", because="self.time gets the cache")  # fmt: skip
    pieces, cache = [], None
    for piece in x.split([1, 4, 2], dim=2):
        out, cache = block(made, piece, cache).value if cache is not None else block(made, piece).value
        pieces.append(out.detach())
    theorems.streams(two_convolutions(made, x).detach(), pieces, 2, "block(x)")


@exercise("FactorizedBlock", points=1, hint="Nothing is detached; no axis is averaged; state is returned, never kept.")
def test_block_owes(lab, seed):
    """gradients reach the input and all four layers; clips do not mix; nothing is kept from call to call"""
    made, x = made_block(lab, seed), values.noise(seed, 3, C, 4, 2, 5).double()
    answer = block(made, x)["out"]
    theorems.learns(answer.said, answer.value.square(), dict(made.named_parameters()))
    theorems.gradient_is_whole("block(x)", lambda x: [block(made, x)["out"].value], {"x": x})
    theorems.batch_is_samples(block, made, x)
    theorems.owes(block, made, x, other=[values.noise(seed + 2, 1, C, 3, 4, 2).double()])
    block(made.float(), x.float())


# ---------------------------------------------------------------------------------------------- Downsample, Upsample

FINE, COARSE = 3, 7
CELLS = [(k, i, j) for k in range(4) for i in range(2) for j in range(2)]
down = Call("down", takes={"x": "b f u v w"}, parameters=("x",), gives=tensor("b k t h l", "same"),
            sizes=lambda given: dict(zip("kthl", (COARSE, *(n // p for n, p in zip(given["x"].shape[2:], (4, 2, 2)))))))  # fmt: skip
up = Call("up", takes={"x": "b k t h l"}, parameters=("x",), gives=tensor("b f u v w", "same"),
          sizes=lambda given: dict(zip("fuvw", (FINE, *(n * p for n, p in zip(given["x"].shape[2:], (4, 2, 2)))))))  # fmt: skip


def made_layer(lab, name, seed, *channels):
    said = f"{name}({', '.join(map(str, channels))})"
    return stand_ins.fill(attempt(said, getattr(lab, name), *channels), seed, 0.5).double()


def kernel(layer, order="fkij", ins=True):
    """A layer's matrix as (channels outside the cell, F, 4, 2, 2): its 16 F channels in some order."""
    sizes = dict(zip("fkij", (FINE, 4, 2, 2)))
    matrix = layer.weight[:, :, 0, 0, 0] if ins else layer.weight[:, :, 0, 0, 0].T
    parts = matrix.reshape(-1, *(sizes[axis] for axis in order))
    return torch.einsum(f"o{order}->ofkij", parts)


def gathered(layer, x, order="fkij", bias=True):
    """Oracle of Downsample: a strided convolution whose kernel is the layer's matrix."""
    return F.conv3d(x, kernel(layer, order), layer.bias if bias else None, stride=(4, 2, 2))


def spread(layer, x, order="fkij", bias=True):
    """Oracle of Upsample: a loop over the places of a cell."""
    weight = kernel(layer, order, ins=False)
    sizes = dict(zip("fkij", (FINE, 4, 2, 2)))
    offset = torch.einsum(f"{order}->fkij", layer.bias.reshape(*(sizes[axis] for axis in order))) if bias else None
    b, _, t, h, w = x.shape
    out = x.new_zeros(b, FINE, 4 * t, 2 * h, 2 * w)
    for k, i, j in CELLS:
        value = torch.einsum("bcthw,cf->bfthw", x, weight[:, :, k, i, j])
        out[:, :, k::4, i::2, j::2] = value + (offset[:, k, i, j][:, None, None, None] if bias else 0)
    return out


ORDERS = {
    "the channel of the cell's values comes first in their order, then frame, row, column; it comes last here": "kijf",
    "rows and columns of the cell have changed places": "fkji",
    "the frames of the cell come after its rows and columns. They come before": "fijk",
}


def resampled(call, layer, rows, oracle, extra, look):
    mistakes = {message: lambda x, order=order: oracle(layer, x, order) for message, order in ORDERS.items()}
    answers = call.table(layer, rows, lambda x: oracle(layer, x), mistakes | extra,
                         because="each cell of 4 frames, 2 rows and 2 columns belongs to one coarse place")  # fmt: skip
    look(target=oracle(layer, *rows[0])[0, 0, 0].detach(), yours=answers[0].value[0, 0, 0].detach())
    theorems.learns(answers[0].said, answers[0].value.square(), dict(layer.named_parameters()))


def owes(call, layer, x):
    theorems.gradient_is_whole(f"{call.name}(x)", lambda x: [call(layer, x).value], {"x": x})
    theorems.batch_is_samples(call, layer, x)
    theorems.owes(call, layer, x, meta=False)
    call(layer.float(), x.float())


@exercise("Downsample", points=3, hint='"b c (t pt) (h ph) (w pw) -> b (c pt ph pw) t h w", then super().forward')
def test_downsample(lab, seed, look):
    """each cell of 4 × 2 × 2 places becomes channels, and the layer's matrix mixes them"""
    layer = made_layer(lab, "Downsample", seed, FINE, COARSE)
    rows = [(values.noise(seed + k, *size).double(),) for k, size in enumerate(((2, FINE, 8, 6, 4), (3, FINE, 4, 2, 10), (1, FINE, 12, 4, 2)))]
    extra = {
        "the frames are cut into halves of the clip, not into cells of neighbours: (t pt), not (pt t)": (
            lambda x: gathered(layer, x.unflatten(2, (4, -1)).transpose(2, 3).flatten(2, 3))
        ),
    }
    resampled(down, layer, rows, gathered, extra, look)


@exercise("Downsample", points=1, hint="A rearrangement and one convolution; nothing else.")
def test_downsample_owes(lab, seed):
    """gradients are whole; clips do not mix; memory layout and earlier calls do not matter"""
    owes(down, made_layer(lab, "Downsample", seed, FINE, COARSE), values.noise(seed, 3, FINE, 8, 4, 6).double())


@exercise("Upsample", points=3, hint='super().forward, then "b (c pt ph pw) t h w -> b c (t pt) (h ph) (w pw)"')
def test_upsample(lab, seed, look):
    """the layer's matrix makes the 16 values of each cell, and they move to their places"""
    layer = made_layer(lab, "Upsample", seed, COARSE, FINE)
    rows = [(values.noise(seed + k, *size).double(),) for k, size in enumerate(((2, COARSE, 2, 3, 4), (3, COARSE, 1, 5, 2), (1, COARSE, 3, 2, 1)))]
    extra = {
        "the frames of a cell are put a whole clip apart: (t pt), not (pt t)": (
            lambda x: spread(layer, x).unflatten(2, (-1, 4)).transpose(2, 3).flatten(2, 3)
        ),
    }
    resampled(up, layer, rows, spread, extra, look)


@exercise("Upsample", points=1, hint="One convolution and a rearrangement; nothing else.")
def test_upsample_owes(lab, seed):
    """gradients are whole; clips do not mix; memory layout and earlier calls do not matter"""
    owes(up, made_layer(lab, "Upsample", seed, COARSE, FINE), values.noise(seed, 3, COARSE, 2, 4, 3).double())


# ---------------------------------------------------------------------------------------------- train_step

KL_WEIGHT, NUMBERS, LATENTS = 3e-3, 2 * 3 * 4 * 2, 5


class Coder(torch.nn.Module):
    """An autoencoder that is two matrices, on clips of `NUMBERS` numbers."""

    def __init__(self, seed):
        super().__init__()
        self.inside = torch.nn.Parameter(values.noise(seed, 2 * LATENTS, NUMBERS, scale=0.2))
        self.outside = torch.nn.Parameter(values.noise(seed + 1, NUMBERS, LATENTS, scale=0.3))

    def forward(self, *args, **kwargs):
        raise TypeError("a step calls model.encode and model.decode, not the model itself")

    def encode(self, clips):
        return SimpleNamespace(latent_dist=Posterior(*(clips.flatten(1) @ self.inside.T).chunk(2, dim=1)))

    def decode(self, z):
        return SimpleNamespace(sample=(z @ self.outside.T).unflatten(1, (2, 3, 4, 2)))


@dataclass
class Posterior:
    """What the coder's `encode` gives, with all that a `DiagonalGaussian` has."""

    mean: torch.Tensor
    logvar: torch.Tensor
    std: torch.Tensor = field(init=False)

    def __post_init__(self):
        self.std = (self.logvar / 2).exp()

    def sample(self, generator=None):
        return self.mean + self.std * torch.randn(self.mean.shape, generator=generator)

    def mode(self):
        return self.mean

    def kl(self):
        return 0.5 * (self.mean**2 + self.std**2 - 1 - self.logvar).sum(dim=1)


step = Call("train_step", takes={"clips": "b c t h w"}, gives=record("tuple", said=mapping(number(), "keys"), inside=tensor(),
            outside=tensor()), sizes=lambda given: {"keys": ("loss", "error", "kl")})  # fmt: skip


def stepped(train_step, seed, stale=0.0, moves=1):
    """A step as a pure function: what it says, and the weights after it, from known weights by plain descent."""

    def run(clips, **options):
        coder = Coder(seed)
        optimizer = torch.optim.SGD(coder.parameters(), lr=0.5)
        for weight in coder.parameters():
            weight.grad = torch.full_like(weight, stale) if stale else None
        generator = torch.Generator().manual_seed(seed)
        said = [train_step(coder, optimizer, clips, generator, **options) for _ in range(moves)][-1]
        return said, coder.inside.detach(), coder.outside.detach()

    return run


def true_step(coder, optimizer, clips, generator, kl_weight=KL_WEIGHT, max_grad_norm=1.0, *, draw=True, nats=None, stale=False,
              clip="norm", weight_in=True, error=by_clip):  # fmt: skip
    """Oracle, and ways to do it wrong. `nats`: of the batch's divergences, the number that the loss gets."""
    dist = coder.encode(clips).latent_dist
    z = dist.sample(generator) if draw else dist.mode()
    found = {"error": error(coder.decode(z).sample, clips).float(),
             "kl": (nats or (lambda each: each.mean() / NUMBERS))(dist.kl())}  # fmt: skip
    total = found["error"] + (kl_weight if weight_in else 1.0) * found["kl"]
    slopes = list(torch.autograd.grad(total, [coder.inside, coder.outside]))
    if stale:
        slopes = [slope + (0 if weight.grad is None else weight.grad) for slope, weight in zip(slopes, coder.parameters())]
    norms = [slope.norm() for slope in slopes]
    whole = torch.stack(norms).norm()
    if clip == "norm":
        slopes = [slope * min(1.0, max_grad_norm / (whole + 1e-6).item()) for slope in slopes]
    elif clip == "each":
        slopes = [slope * min(1.0, max_grad_norm / (norm + 1e-6).item()) for slope, norm in zip(slopes, norms)]
    elif clip == "value":
        slopes = [slope.clamp(-max_grad_norm, max_grad_norm) for slope in slopes]
    elif clip == "always":
        slopes = [slope * (max_grad_norm / (whole + 1e-6).item()) for slope in slopes]
    with torch.no_grad():
        for weight, slope in zip(coder.parameters(), slopes):
            weight -= 0.5 * slope
            weight.grad = slope
    return {"loss": total.item()} | {name: value.item() for name, value in found.items()}


STEP_WRONG = {
    "the latents are the mode. A step draws them: dist.sample(generator)": {"draw": False},
    "the KL divergence is not divided by the numbers of a clip: it is meant in nats per pixel value": {
        "nats": lambda each: each.mean()
    },
    "the KL divergence is summed over the batch. Take the mean over clips": {"nats": lambda each: each.sum() / NUMBERS},
    "the KL divergence is divided by the latent's numbers. Divide by the pixel values of one clip": {
        "nats": lambda each: each.mean() / LATENTS
    },
    "kl_weight is not used": {"weight_in": False},
    "the error is the mean squared error. Take reconstruction_loss": {"error": lambda a, b: ((a - b) ** 2).mean()},
}
MOVE_WRONG = {
    "gradients that were there before count too: optimizer.zero_grad() before backward()": {"stale": True},
    "the gradient is not shortened to max_grad_norm": {"clip": "none"},
    "each parameter's gradient is shortened by itself. max_grad_norm is that of all of them together": {"clip": "each"},
    "each number of the gradient is clamped. It is the norm of the whole gradient that is at most max_grad_norm": {
        "clip": "value"
    },
    "a short gradient is made longer. Only a longer one is shortened": {"clip": "always"},
}
CLIPS = (4, 2, 3, 4, 2)


def step_rows(seed):
    options = ({}, {"kl_weight": 0.5}, {"kl_weight": 0.0, "max_grad_norm": 0.1}, {"kl_weight": 2.0, "max_grad_norm": 50.0})
    return [(values.uniform(seed + k, *CLIPS), given) for k, given in enumerate(options)]


@exercise("train_step", points=3, needs=("reconstruction_loss",), hint="kl = dist.kl().mean() / clips[0].numel()")
def test_step_says(lab, seed, look):
    """loss, error and kl of a draw of the latents, before the move, as plain numbers"""
    mistakes = {
        message: lambda clips, wrong=wrong, **given: stepped(lambda *a, **k: true_step(*a, **k, **wrong), seed)(clips, **given)[0]
        for message, wrong in STEP_WRONG.items()
    }
    answers = step.table(stepped(lab.train_step, seed), step_rows(seed), lambda *a, **k: stepped(true_step, seed)(*a, **k)[0],
                         mistakes, part="said", because="loss is error + kl_weight · kl, of one draw")  # fmt: skip
    want = stepped(true_step, seed)(*step_rows(seed)[1][:1], kl_weight=0.5)[0]
    look(target=torch.tensor(list(want.values())), yours=torch.tensor(list(answers[1].value.values())))


@exercise("train_step", points=3, needs=("reconstruction_loss",), hint="zero_grad, backward, clip_grad_norm_, step, in this order")
def test_step_moves(lab, seed):
    """one move of the optimizer along the gradient of this loss alone, shortened to max_grad_norm where it is longer"""
    for part in ("inside", "outside"):
        for stale, moves in ((0.0, 1), (0.7, 1), (0.0, 3)):
            wrongs = {k: v for k, v in MOVE_WRONG.items() if stale or "stale" not in v} | {
                k: v for k, v in STEP_WRONG.items() if not stale}  # fmt: skip

            def moved(clips, part=part, stale=stale, moves=moves, wrong=None, **given):
                run = stepped(lambda *a, **k: true_step(*a, **k, **(wrong or {})), seed, stale, moves)
                return run(clips, **given)[1 + (part == "outside")]

            mistakes = {
                message: lambda clips, wrong=wrong, moved=moved, **given: moved(clips, wrong=wrong, **given)
                for message, wrong in wrongs.items()
            } | {"nothing moved: call optimizer.step()": lambda clips, part=part, **given: getattr(Coder(seed), part)}
            step.table(stepped(lab.train_step, seed, stale, moves), step_rows(seed), moved, mistakes, part=part,
                       because="one optimizer.step() along the shortened gradient")  # fmt: skip


@exercise("train_step", points=1, needs=("reconstruction_loss",), hint="dist.sample(generator), and no other draw")
def test_step_draws(lab, seed):
    """the draw is the generator's: the same seed, the same step; without one, the global random numbers"""
    clips, run = values.uniform(seed, *CLIPS), stepped(lab.train_step, seed)
    theorems.leaves_random_numbers_alone("train_step with a generator", run, clips)
    coders = []
    for draw in (0, 0, 1):
        torch.manual_seed(draw)
        coders.append(Coder(seed))
        optimizer = torch.optim.SGD(coders[-1].parameters(), lr=0.5)
        attempt("train_step without a generator", lab.train_step, coders[-1], optimizer, clips)
    first, again, other = (coder.outside for coder in coders)
    assert values.same(first, again) and not values.same(first, other), (
        "train_step(model, optimizer, clips): without a generator the draw comes from torch's global random numbers"
    )
