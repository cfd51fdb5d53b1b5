"""Grader of lab 05.2, a small 3D VAE.

Oracles in double precision: loops over places and clips, the layers of the learner's own objects, torch.distributions,
and an autoencoder that is two matrices. The library's parts of this lab are off limits while this file runs.
"""

from functools import partial

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from common.course.graders import Call, attempt, mapping, number, outcomes, record, stand_ins, tensor, theorems, values

exercise = pytest.mark.exercise


# ---------------------------------------------------------------------------------------------- DiagonalGaussian

divergence = Call("DiagonalGaussian(moments).kl", takes={"moments": "b ..."}, gives=tensor("b", torch.float32))


def each_kl(moments):
    """Oracle: the divergence of every number of the latent."""
    mean, logvar = moments.double().chunk(2, dim=1)
    return kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0))


def true_kl(moments):
    return each_kl(moments).flatten(1).sum(dim=1)


def by_parts(each):
    """A formula of mean and log variance, summed over the latent."""
    return lambda moments: each(*moments.double().chunk(2, dim=1)).flatten(1).sum(dim=1) / 2


KL_WRONG = {
    "that is a mean over the latent. It is a sum over all of it": lambda m: each_kl(m).flatten(1).mean(dim=1),
    "only the channels are summed. All axes but the batch are": lambda m: each_kl(m).sum(1).flatten(1).mean(1),
    "the factor ½ is missing": lambda m: 2 * true_kl(m),
    "std is there in the place of the variance, std²": by_parts(lambda mean, v: mean**2 + (v / 2).exp() - 1 - v),
    "the means are missing: a mean away from 0 costs ½ mean²": by_parts(lambda mean, v: v.exp() - 1 - v),
    "the sign is turned around: a divergence is never negative": lambda m: -true_kl(m),
}


@exercise("DiagonalGaussian", points=3, hint="0.5 * (mean² + std² - 1 - logvar), then .flatten(1).sum(dim=1)")
def test_kl_sums_the_latent(lab, seed, look):
    """the divergence of each sample, summed over C, T, H, W, and over the axes of any other latent"""
    sizes = ((3, 4, 2, 5, 7), (2, 8, 6, 3), (1, 2, 3, 1, 5), (5, 2, 1, 4, 3), (2, 4, 2, 3, 5, 2))
    rows = [(values.noise(seed + k, *size),) for k, size in enumerate(sizes)]
    answers = divergence.table(lambda m: lab.DiagonalGaussian(m).kl(), rows, true_kl, KL_WRONG,
                               because="it is ½ Σ (mean² + variance - 1 - log variance)")  # fmt: skip
    look(target=true_kl(*rows[0]), yours=answers[0].value)


@exercise("DiagonalGaussian", points=1, hint="self.mean, self.std and self.logvar; nothing is detached or kept.")
def test_kl_owes(lab, seed):
    """gradients reach means and variances; tiny variances and half precision are no problem; samples do not mix"""
    kl, moments = (lambda moments: lab.DiagonalGaussian(moments).kl()), values.noise(seed, 3, 6, 2, 4, 5)
    leaf = moments.clone().requires_grad_()
    (slope,) = torch.autograd.grad(true_kl(leaf).sum(), leaf)
    divergence(kl, moments.clone().requires_grad_()).gradients({"moments": slope})
    narrow = torch.cat([moments[:, :3], moments[:, 3:] - 22], dim=1)
    rows = [(narrow,), (5 * moments,), (moments[..., 0, 0, 0],)]
    divergence.table(kl, rows, true_kl, because="the log variance is self.logvar itself")
    theorems.batch_is_samples(divergence, kl, moments)
    theorems.owes(divergence, kl, moments)
    theorems.owes(divergence, kl, moments.half(), truth=true_kl)


# ---------------------------------------------------------------------------------------------- reconstruction_loss

loss = Call("reconstruction_loss", takes={"restored": "b c t h w", "target": "b c t h w"},
            gives=tensor("", torch.float32))  # fmt: skip


def by_clip(restored, target, root=lambda mean: (mean + 1e-6).sqrt()):
    """Oracle: a loop over clips."""
    means = [((a - b) ** 2).mean() for a, b in zip(restored.double(), target.double())]
    return sum(map(root, means)) / len(means)


def squares(restored, target):
    return (restored.double() - target.double()) ** 2


LOSS_WRONG = {
    "that is one root over all clips together. Take the root of each clip, then the mean": (
        lambda r, t: (squares(r, t).mean() + 1e-6).sqrt()
    ),
    "the root is missing: that is the mean squared error": lambda r, t: squares(r, t).mean(),
    "those are absolute errors, not squared ones": lambda r, t: squares(r, t).sqrt().mean(),
    "each frame has a root of its own. The root is that of a whole clip": (
        lambda r, t: (squares(r, t).mean(dim=(1, 3, 4)) + 1e-6).sqrt().mean()
    ),
    "the clips are summed. Take their mean": lambda r, t: by_clip(r, t) * len(r),
    "the restored clip is clamped. What is beyond [-1, 1] is an error too": lambda r, t: by_clip(r.clamp(-1, 1), t),
    "1e-6 belongs under the root of each clip": partial(by_clip, root=lambda mean: mean.sqrt()),
}


def pair(seed, *size, scale=0.5):
    """Clips whose errors differ from clip to clip and from frame to frame, and go beyond [-1, 1]; their targets."""
    target, grows = values.uniform(seed, *size), (torch.arange(n) + 1.0 for n in (size[0], size[2]))
    by_clips, by_frames = (n / len(n) for n in grows)
    weight = (by_clips**2)[:, None, None, None, None] * by_frames[:, None, None]
    return target + scale * weight * values.noise(seed + 1, *size), target


@exercise("reconstruction_loss", points=3, hint="squares.flatten(1).mean(dim=1), then + 1e-6, sqrt, mean")
def test_loss_by_clip(lab, seed, look):
    """the root mean square error of each clip, then the mean over clips; 1e-6 is under the root"""
    sizes = ((3, 2, 5, 4, 6), (2, 3, 4, 7, 5), (1, 1, 3, 2, 4), (4, 3, 1, 5, 2), (2, 3, 4, 5, 6))
    rows = [pair(seed + k, *size, scale=s) for k, (size, s) in enumerate(zip(sizes, (0.5, 2.0, 0.1, 1.0, 1e-3)))]
    rows.append((rows[0][1], rows[0][1]))
    answers = loss.table(lab, rows, by_clip, LOSS_WRONG, tolerance=1e-6,
                         because="it is the mean over clips of √(mean squared error + 1e-6)")  # fmt: skip
    look(target=by_clip(*rows[0]), yours=answers[0].value)


@exercise("reconstruction_loss", points=2, hint="Compare the two shapes first; .float() both; no .detach().")
def test_loss_owes(lab, seed):
    """other shapes are refused; half precision is computed in float32; gradients are whole, and finite at no error"""
    restored, target = pair(seed, 3, 2, 5, 4, 6)
    for wrong in (target[:1], target[:, :, :1], target[:, :1], target[..., :1], target[:2], target[:, :, :4]):
        loss.refuses(lab, restored, wrong, because="such clips would be broadcast in silence, or crash later")
        loss.refuses(lab, wrong, restored, because="such clips would be broadcast in silence, or crash later")
    for scale, shift in ((1, 100), (400, 0)):  # in float16 the differences are rounded, the squares too large
        theorems.computes_in_float32(loss, lab, scale * restored + shift, scale * target + shift, truth=by_clip)
    theorems.computes_in_float32(loss, lab, 0 * restored + 1001, 0 * target + 0.4, truth=by_clip)  # 1000.6 is no half
    leaves = {"restored": restored.clone().requires_grad_(), "target": target}
    (slope,) = torch.autograd.grad(by_clip(*leaves.values()), leaves["restored"])
    loss(lab, *leaves.values()).gradients({"restored": slope})
    same = target.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(lab, same, target).value, same, allow_unused=True)
    assert slope is None or torch.isfinite(slope).all(), (
        "reconstruction_loss(target, target): its gradient is not finite. √ has no slope at 0: add 1e-6 under the root"
    )
    theorems.owes(loss, lab, restored, target, batch_of_one=False)


# ---------------------------------------------------------------------------------------------- FactorizedBlock

C = 5
block = Call("block", takes={"x": "b c t h w"}, parameters=("x", "cache"), sizes=lambda given: {"p": 2},
             gives=record("tuple", out=tensor("b c t h w", "same"), cache=tensor("b c p h w", "same")))  # fmt: skip


def made(lab, name, seed, *channels):
    """The learner's layer in double precision, with weights and biases that matter."""
    said = f"{name}({', '.join(map(str, channels))})"
    return stand_ins.fill(attempt(said, getattr(lab, name), *channels), seed, 0.5).double()


def convolved(block, x, cache=None, order=("space", "time"), norms=("norm_space", "norm_time"), act=F.silu, skip=1.0,
              late=False, part="out"):  # fmt: skip
    """Oracle, from the block's own layers; and ways to do it wrong."""
    h = x
    for name, norm in zip(order, norms):
        h = getattr(block, norm)(h) if norm else h
        h, new = getattr(block, name)(h if late else act(h), cache if name == "time" else None)
        h = act(h) if late else h
        kept = new if name == "time" else None
    return skip * x + h if part == "out" else kept


BLOCK_WRONG = {
    "the input is not added: a residual block gives x + what the convolutions make of it": {"skip": 0.0},
    "the input is added twice": {"skip": 2.0},
    "time comes before space": {"order": ("time", "space"), "norms": ("norm_time", "norm_space")},
    "norm_space is used twice. The temporal convolution has norm_time": {"norms": ("norm_space", "norm_space")},
    "SiLU is missing": {"act": lambda h: h},
    "that is ReLU. It should be SiLU": {"act": F.relu},
    "the norms are missing": {"norms": (None, None)},
    "SiLU comes after each convolution. It comes before, after the norm": {"late": True},
}


@exercise("FactorizedBlock", points=4, hint="h, _ = self.space(F.silu(self.norm_space(x))), then time, then x + h")
def test_block_forward(lab, seed, look):
    """norm, SiLU, space; norm, SiLU, time; and the input added once"""
    layer = made(lab, "FactorizedBlock", seed, C)
    sizes = ((2, C, 4, 3, 6), (3, C, 1, 5, 2), (1, C, 7, 4, 3))
    rows = [(values.noise(seed + k, *size).double(),) for k, size in enumerate(sizes)]
    mistakes = {message: partial(convolved, layer, **wrong) for message, wrong in BLOCK_WRONG.items()}
    answers = block.table(layer, rows, partial(convolved, layer), mistakes, part="out",
                          because="it is x + time(SiLU(norm_time(space(SiLU(norm_space(x))))))")  # fmt: skip
    look(target=convolved(layer, *rows[0])[0, 0, 0].detach(), yours=answers[0].value[0, 0, 0].detach())


@exercise(
    "FactorizedBlock", points=3, hint="h, cache = self.time(F.silu(self.norm_time(h)), cache); return x + h, cache"
)
def test_block_cache(lab, seed):
    """the cache goes into `time` and comes out of it: a clip in pieces gives what the whole clip gives"""
    layer, x = made(lab, "FactorizedBlock", seed, C), values.noise(seed, 3, C, 7, 2, 4).double()
    given = values.noise(seed + 1, 3, C, 2, 2, 4).double()
    ignored = {"the cache that is given is not used: hand it to self.time": lambda x, cache=None: convolved(layer, x)}
    block.table(layer, [(x[:, :, :1], given), (x[:, :, 2:], 2 * given)], partial(convolved, layer), ignored, part="out",
                because="self.time gets the cache")  # fmt: skip
    rows = [(x[:, :, :4],), (x[:, :, :1],), (x[:, :, :3], given), (x[:, :, :1], given)]
    block.table(layer, rows, partial(convolved, layer, part="cache"), part="cache",
                because="the cache to return is the one that self.time gives")  # fmt: skip
    pieces, cache = [], ()
    for piece in x.split([1, 4, 1, 1], dim=2):
        out, state = block(layer, piece, *cache).value
        pieces, cache = [*pieces, out.detach()], (state.detach(),)
    theorems.streams(convolved(layer, x).detach(), pieces, 2, "block(x)")
    answer = block(layer, x)["out"]
    theorems.learns(answer.said, answer.value.square(), dict(layer.named_parameters()))
    leaf = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(convolved(layer, leaf).sum(), leaf)
    block(layer, x.clone().requires_grad_())["out"].gradients({"x": slope})
    theorems.batch_is_samples(block, layer, x)
    theorems.owes(block, layer, x, other=[values.noise(seed + 2, 1, C, 3, 4, 2).double()])
    block(layer.float(), x.float())


# ---------------------------------------------------------------------------------------------- Downsample, Upsample

FINE, COARSE, CELL = 3, 7, (4, 2, 2)
gather = Call("down", takes={"x": "b f u v w"}, parameters=("x",), gives=tensor("b k t h l", "same"),
              sizes=lambda given: dict(zip("kthl", (COARSE, *divided(given["x"].shape)))))  # fmt: skip
spread = Call("up", takes={"x": "b k t h l"}, parameters=("x",), gives=tensor("b f u v w", "same"),
              sizes=lambda given: dict(zip("fuvw", (FINE, *multiplied(given["x"].shape)))))  # fmt: skip


def multiplied(shape):
    return [n * p for n, p in zip(shape[2:], CELL)]


def divided(shape):
    return [n // p for n, p in zip(shape[2:], CELL)]


def kernel(matrix, order):
    """A matrix of 16 F rows, whose rows are the cell's values in some order, as `(F, 4, 2, 2, …)`."""
    sizes = dict(zip("fkij", (FINE, *CELL)))
    return torch.einsum(f"{order}o->fkijo", matrix.reshape(*(sizes[axis] for axis in order), -1))


def gathered(layer, x, order="fkij"):
    """Oracle of Downsample: a strided convolution."""
    weight = kernel(layer.weight.flatten(1).T, order).permute(4, 0, 1, 2, 3)
    return F.conv3d(x, weight, layer.bias, stride=CELL)


def spread_out(layer, x, order="fkij"):
    """Oracle of Upsample: a strided transposed convolution, and a bias for each place of a cell."""
    out = F.conv_transpose3d(x, kernel(layer.weight.flatten(1), order).permute(4, 0, 1, 2, 3), stride=CELL)
    return out + kernel(layer.bias[:, None], order)[..., 0].tile((1, *x.shape[2:]))


ORDERS = {
    "the channel comes last in the order of a cell's values. It comes first, then frame, row, column": "kijf",
    "rows and columns of a cell have changed places": "fkji",
    "the frames of a cell come after its rows and columns. They come before": "fijk",
}


def resampled(call, layer, seed, oracle, sizes, apart, look):
    rows = [(values.noise(seed + k, *size).double(),) for k, size in enumerate(sizes)]
    mistakes = {message: partial(oracle, layer, order=order) for message, order in ORDERS.items()}
    mistakes["the frames of a cell are a whole clip apart: (t pt) keeps neighbours together, (pt t) does not"] = apart
    answers = call.table(layer, rows, partial(oracle, layer), mistakes,
                         because="a cell of 4 frames, 2 rows and 2 columns belongs to one coarse place")  # fmt: skip
    look(target=oracle(layer, *rows[0])[0, 0, 0].detach(), yours=answers[0].value[0, 0, 0].detach())
    theorems.learns(answers[0].said, answers[0].value.square(), dict(layer.named_parameters()))
    theorems.gradient_is_whole(f"{call.name}(x)", lambda x: [call(layer, x).value], {"x": rows[1][0]})
    theorems.batch_is_samples(call, layer, *rows[1])
    theorems.owes(call, layer, *rows[1])
    call(layer.float(), rows[0][0].float())


@exercise("Downsample", points=4, hint='"b c (t pt) (h ph) (w pw) -> b (c pt ph pw) t h w", then super().forward')
def test_downsample(lab, seed, look):
    """each cell of 4 × 2 × 2 places becomes channels, and the layer's matrix mixes them"""
    layer = made(lab, "Downsample", seed, FINE, COARSE)
    sizes = ((2, FINE, 8, 6, 4), (3, FINE, 4, 2, 10), (1, FINE, 12, 4, 2))
    far = lambda x: gathered(layer, x.unflatten(2, (4, -1)).transpose(2, 3).flatten(2, 3))  # noqa: E731
    resampled(gather, layer, seed, gathered, sizes, far, look)


@exercise("Upsample", points=4, hint='super().forward, then "b (c pt ph pw) t h w -> b c (t pt) (h ph) (w pw)"')
def test_upsample(lab, seed, look):
    """the layer's matrix makes the 16 values of each cell, and they move to their places"""
    layer = made(lab, "Upsample", seed, COARSE, FINE)
    sizes = ((2, COARSE, 2, 3, 4), (3, COARSE, 1, 5, 2), (1, COARSE, 3, 2, 1))
    far = lambda x: spread_out(layer, x).unflatten(2, (-1, 4)).transpose(2, 3).flatten(2, 3)  # noqa: E731
    resampled(spread, layer, seed, spread_out, sizes, far, look)


# ---------------------------------------------------------------------------------------------- train_step

SHAPE, LATENTS, RATE = (2, 3, 4, 2), 5, 0.5
new_coder = partial(stand_ins.MatrixCoder, SHAPE, LATENTS)
step = Call("train_step", takes={"clips": "b c t h w"}, sizes=lambda given: {"keys": ("loss", "error", "kl")},
            gives=record("tuple", said=mapping(number(), "keys"), inside=tensor(), outside=tensor()))  # fmt: skip


def stepped(train_step, seed, stale=0.0, moves=1):
    """Steps as a pure function: what the last one says, and the weights after it, by plain descent."""

    def run(clips, **options):
        coder, generator = new_coder(seed), torch.Generator().manual_seed(seed)
        optimizer = torch.optim.SGD(coder.parameters(), lr=RATE)
        for weight in coder.parameters():
            weight.grad = torch.full_like(weight, stale) if stale else None
        said = [train_step(coder, optimizer, clips, generator, **options) for _ in range(moves)][-1]
        return said, coder.inside.detach(), coder.outside.detach()

    return run


def true_step(coder, optimizer, clips, generator, kl_weight=3e-3, max_grad_norm=1.0, *, draw=True, share=1 / 48,
              total=torch.mean, weighs=True, error=by_clip, keeps=False, clip="norm"):  # fmt: skip
    """Oracle, and ways to do it wrong."""
    dist = coder.encode(clips).latent_dist
    restored = coder.decode(dist.sample(generator) if draw else dist.mode()).sample
    found = {"error": error(restored, clips).float(), "kl": share * total(dist.kl())}
    found = {"loss": found["error"] + (kl_weight if weighs else 1.0) * found["kl"]} | found
    slopes = torch.autograd.grad(found["loss"], list(coder.parameters()))
    if keeps:
        slopes = [slope + (0 if w.grad is None else w.grad) for slope, w in zip(slopes, coder.parameters())]
    norms = [slope.norm() for slope in slopes]
    whole = torch.stack(norms).norm()
    for weight, slope, norm in zip(coder.parameters(), slopes, norms):
        factor = max_grad_norm / ((norm if clip == "each" else whole) + 1e-6)
        factors = {"none": 1.0, "always": factor, "still": 0.0}
        slope = slope * factors.get(clip, factor.clamp(max=1.0))
        weight.data -= RATE * slope
        weight.grad = slope
    return {name: value.item() for name, value in found.items()}


STEP_WRONG = {
    "the latents are the mode. A step draws them: dist.sample(generator)": {"draw": False},
    "the KL divergence is not divided by the C · T · H · W numbers of a clip": {"share": 1.0},
    "the KL divergence is summed over the batch. Take the mean over clips": {"total": torch.sum},
    "the KL divergence is divided by the latent's numbers. Divide by those of one clip": {"share": 1 / LATENTS},
    "the loss does not use kl_weight": {"weighs": False},
    "the error is the mean squared error. Take reconstruction_loss": {"error": lambda a, b: ((a - b) ** 2).mean()},
}
MOVE_WRONG = {
    "the gradient is not shortened to max_grad_norm": {"clip": "none"},
    "each parameter's gradient is shortened by itself. max_grad_norm is that of all of them": {"clip": "each"},
    "a short gradient is made longer. Only a longer one is shortened": {"clip": "always"},
    "nothing moved: call optimizer.step()": {"clip": "still"},
}
KEPT = {"gradients that were there before count too: optimizer.zero_grad() before backward()": {"keeps": True}}


def step_rows(seed):
    options = ((3e-3, 1.0), (0.5, 1.0), (0.0, 0.1), (2.0, 50.0))
    given = [{}, *({"kl_weight": weight, "max_grad_norm": longest} for weight, longest in options[1:])]
    return [(values.uniform(seed + k, 4, *SHAPE), options) for k, options in enumerate(given)]


def part_of(seed, part, stale=0.0, moves=1, **wrong):
    return lambda clips, **given: stepped(partial(true_step, **wrong), seed, stale, moves)(clips, **given)[part]


@exercise("train_step", points=3, needs=("reconstruction_loss",), hint="kl = dist.kl().mean() / clips[0].numel()")
def test_step_says(lab, seed, look):
    """loss, error and kl of a draw of the latents, before the move, as plain numbers"""
    mistakes = {message: part_of(seed, 0, **wrong) for message, wrong in STEP_WRONG.items()}
    answers = step.table(stepped(lab.train_step, seed), step_rows(seed), part_of(seed, 0), mistakes, part="said",
                         because="loss is error + kl_weight · kl, of one draw, before the move")  # fmt: skip
    want = part_of(seed, 0)(*step_rows(seed)[1][:1], kl_weight=0.5)
    look(target=torch.tensor(list(want.values())), yours=torch.tensor(list(answers[1].value.values())))


@exercise("train_step", points=3, needs=("reconstruction_loss",), hint="zero_grad, backward, clip_grad_norm_, step")
def test_step_moves(lab, seed):
    """one move of the optimizer along the gradient of this loss alone, shortened to max_grad_norm where it is longer"""
    for part, name in ((1, "inside"), (2, "outside")):
        for stale, moves in ((0.0, 1), (0.7, 1), (0.0, 3)):
            wrong = KEPT if stale or moves > 1 else MOVE_WRONG | STEP_WRONG
            mistakes = {message: part_of(seed, part, stale, moves, **kind) for message, kind in wrong.items()}
            step.table(stepped(lab.train_step, seed, stale, moves), step_rows(seed), part_of(seed, part, stale, moves),
                       mistakes, part=name, because="one optimizer.step() along the shortened gradient")  # fmt: skip


@exercise("train_step", points=1, needs=("reconstruction_loss",), hint="dist.sample(generator), and no other draw")
def test_step_draws(lab, seed):
    """the draw is the generator's; without one it is the global random state's"""
    clips = values.uniform(seed, 4, *SHAPE)
    theorems.leaves_random_numbers_alone("train_step with a generator", stepped(lab.train_step, seed), clips)
    ends = []
    for draw in (0, 0, 1):
        torch.manual_seed(draw)
        coder = new_coder(seed)
        optimizer = torch.optim.SGD(coder.parameters(), lr=RATE)
        attempt("train_step(model, optimizer, clips)", lab.train_step, coder, optimizer, clips)
        ends.append(coder.outside)
    assert values.same(ends[0], ends[1]) and not values.same(ends[0], ends[2]), (
        "train_step(model, optimizer, clips): without a generator the draw comes from torch's global random state"
    )


@exercise("train_step", points=2, needs=("reconstruction_loss",), hint="Does backward() start from the whole loss?")
def test_step_trains(lab, seed):
    """60 steps of yours teach a small autoencoder clips of one kind; it restores new ones from drawn latents"""
    said = "60 of your training steps, on an autoencoder of two matrices"
    outcomes.load(__file__)["trains"].judge(said, attempt(said, error_after_training, lab.train_step, seed))


def ripples(generator, count):
    """Clips of two causes: a wave that moves on, of any phase and height. `(B, 2, 3, 4, 2)`."""
    phase, height = torch.rand(2, count, 1, 1, 1, 1, generator=generator)
    c, t, h, w = torch.meshgrid(*map(torch.arange, SHAPE), indexing="ij")
    return height * (6.28 * phase + 1.5 * c + 0.9 * t + 1.1 * h + 0.4 * w).sin()


def error_after_training(train_step, seed, steps=60):
    """The root mean square error of new clips, restored from drawn latents: the judge's own, whatever trained it."""
    torch.manual_seed(seed)
    generator, coder = torch.Generator().manual_seed(seed), new_coder(seed)
    optimizer = torch.optim.Adam(coder.parameters(), lr=3e-2)
    for _ in range(steps):
        train_step(coder, optimizer, ripples(generator, 16), generator)
    with torch.no_grad():
        clips = ripples(generator, 200)
        back = coder.decode(coder.encode(clips).latent_dist.sample(generator)).sample
    return (back - clips).square().mean().sqrt().item()
