"""Grader of lab 05.2, a small 3D VAE.

Oracles in double precision: formulas, the layers of the learner's own objects, an autoencoder that is two matrices.
Options make them do known mistakes. The library's parts of this lab are off limits while this file runs.
"""

from functools import partial

import pytest
import torch
from einops import rearrange
from torch.nn import functional as F

from common.course.graders import Call, attempt, mapping, number, outcomes, record, stand_ins, tensor, theorems, values

exercise = pytest.mark.exercise
CLIP = "b c t h w"


def named(mistakes, oracle, *args):
    """Message to a function that makes this mistake: the oracle with other options."""
    return {message: partial(oracle, *args, **options) for message, options in mistakes.items()}


divergence = Call("DiagonalGaussian(moments).kl", takes={"moments": "b ..."}, gives=tensor("b", torch.float32))


def true_kl(moments, mean=1.0, variance=torch.exp, total=lambda kl: kl.flatten(1).sum(dim=1)):
    """Oracle: the divergence of every number of the latent, then their sum."""
    mu, logvar = moments.double().chunk(2, dim=1)
    return total((mean * mu**2 + variance(logvar) - 1 - logvar) / 2)


KL_WRONG = {
    "that is a mean over the latent. It is a sum over all of it": {"total": lambda kl: kl.flatten(1).mean(dim=1)},
    "only the channels are summed. All axes but the batch are": {"total": lambda kl: kl.sum(1).flatten(1).mean(1)},
    "std is there in the place of the variance, std²": {"variance": lambda logvar: (logvar / 2).exp()},
    "the means are missing: a mean away from 0 costs ½ mean²": {"mean": 0.0},
}


@exercise("DiagonalGaussian", points=3, hint="0.5 * (mean² + std² - 1 - logvar), then .flatten(1).sum(dim=1)")
def test_kl_sums_the_latent(lab, seed, look):
    """the divergence of each sample, summed over C, T, H, W, and over the axes of any other latent"""
    sizes = ((3, 4, 2, 5, 7), (2, 8, 6, 3), (1, 2, 3, 1, 5), (5, 2, 1, 4, 3), (2, 4, 2, 3, 5, 2))
    rows = [(values.noise(seed + k, *size),) for k, size in enumerate(sizes)]
    answers = divergence.table(lambda m: lab.DiagonalGaussian(m).kl(), rows, true_kl, named(KL_WRONG, true_kl),
                               because="it is ½ Σ (mean² + variance - 1 - log variance)")  # fmt: skip
    look(target=true_kl(*rows[0]), yours=answers[0].value)


@exercise("DiagonalGaussian", points=1, hint="self.mean, self.std and self.logvar; nothing is detached or kept.")
def test_kl_owes(lab, seed):
    """gradients reach means and variances; tiny variances and half precision are no problem; samples do not mix"""
    kl, moments = (lambda moments: lab.DiagonalGaussian(moments).kl()), values.noise(seed, 3, 6, 2, 4, 5)
    gradient_is_true(divergence, kl, true_kl, moments)
    narrow = torch.cat([moments[:, :3], moments[:, 3:] - 22], dim=1)
    rows = [(narrow,), (5 * moments,), (moments[..., 0, 0, 0],)]
    divergence.table(kl, rows, true_kl, because="the log variance is self.logvar itself")
    theorems.owes(divergence, kl, moments.half(), truth=true_kl)


def gradient_is_true(call, where, truth, *args):
    """The gradient that reaches the first input is that of the oracle."""
    leaf = args[0].clone().requires_grad_()
    (slope,) = torch.autograd.grad(truth(leaf, *args[1:]).sum(), leaf)
    call(where, leaf, *args[1:]).gradients({next(iter(call.takes)): slope})


loss = Call("reconstruction_loss", takes={"restored": CLIP, "target": CLIP}, gives=tensor("", torch.float32))


def by_clip(restored, target, axes=(1, 2, 3, 4), square=torch.square, root=lambda mean: (mean + 1e-6).sqrt(),
            total=torch.mean, limit=torch.inf):  # fmt: skip
    """Oracle: the root of the mean squared error of each clip, then the mean over clips."""
    errors = restored.double().clamp(-limit, limit) - target.double()
    return total(root(square(errors).mean(dim=axes)))


LOSS_WRONG = {
    "that is one root over all clips together. Take the root of each clip, then the mean": {"axes": (0, 1, 2, 3, 4)},
    "the root is missing: that is the mean squared error": {"root": lambda mean: mean},
    "those are absolute errors, not squared ones": {"square": torch.abs, "root": lambda mean: mean},
    "each frame has a root of its own. The root is that of a whole clip": {"axes": (1, 3, 4)},
    "the clips are summed. Take their mean": {"total": torch.sum},
    "the restored clip is clamped. What is beyond [-1, 1] is an error too": {"limit": 1},
    "1e-6 belongs under the root of each clip": {"root": torch.sqrt},
}


def pair(seed, *size, scale=0.5):
    """Clips whose errors differ from clip to clip and from frame to frame, and go beyond [-1, 1]; their targets."""
    target, (clips, frames) = values.uniform(seed, *size), (torch.arange(1, n + 1) / n for n in (size[0], size[2]))
    weight = clips.square().reshape(-1, 1, 1, 1, 1) * frames.reshape(-1, 1, 1)
    return target + scale * weight * values.noise(seed + 1, *size), target


@exercise("reconstruction_loss", points=3, hint="squares.flatten(1).mean(dim=1), then + 1e-6, sqrt, mean")
def test_loss_by_clip(lab, seed, look):
    """the root mean square error of each clip, then the mean over clips; 1e-6 is under the root"""
    sizes = ((3, 2, 5, 4, 6), (2, 3, 4, 7, 5), (1, 1, 3, 2, 4), (4, 3, 1, 5, 2), (2, 3, 4, 5, 6))
    rows = [pair(seed + k, *size, scale=s) for k, (size, s) in enumerate(zip(sizes, (0.5, 2.0, 0.1, 1.0, 1e-3)))]
    rows.append((rows[0][1], rows[0][1]))
    answers = loss.table(lab, rows, by_clip, named(LOSS_WRONG, by_clip), tolerance=1e-6,
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
    gradient_is_true(loss, lab, by_clip, restored, target)
    same = target.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(lab, same, target).value, same, allow_unused=True)
    assert slope is None or torch.isfinite(slope).all(), (
        "reconstruction_loss(target, target): its gradient is not finite. √ has no slope at 0: add 1e-6 under the root"
    )
    theorems.owes(loss, lab, restored, target, batch_of_one=False)


block_gives = record("tuple", out=tensor(CLIP, "same"), cache=tensor("b c 2 h w", "same"))
block = Call("block", takes={"x": CLIP}, parameters=("x", "cache"), gives=block_gives)


def made(lab, name, seed, *channels):
    """The learner's layer in double precision, with weights and biases that matter."""
    said = f"{name}({', '.join(map(str, channels))})"
    return stand_ins.fill(attempt(said, getattr(lab, name), *channels), seed, 0.5).double()


def convolved(block, x, cache=None, order=("space", "time"), norms=("norm_space", "norm_time"), act=F.silu, skip=1.0,
              late=False, part="out"):  # fmt: skip
    """Oracle, from the block's own layers."""
    h = x
    for name, norm in zip(order, norms):
        h = getattr(block, norm)(h)
        h, new = getattr(block, name)(h if late else act(h), cache if name == "time" else None)
        h = act(h) if late else h
        kept = new if name == "time" else None
    return skip * x + h if part == "out" else kept


BLOCK_WRONG = {
    "the input is not added: a residual block gives x + what the convolutions make of it": {"skip": 0.0},
    "time comes before space": {"order": ("time", "space"), "norms": ("norm_time", "norm_space")},
    "norm_space is used twice. The temporal convolution has norm_time": {"norms": ("norm_space", "norm_space")},
    "SiLU is missing": {"act": lambda h: h},
    "that is ReLU. It should be SiLU": {"act": F.relu},
    "SiLU comes after each convolution. It comes before, after the norm": {"late": True},
}


@exercise("FactorizedBlock", points=4, hint="h, _ = self.space(F.silu(self.norm_space(x))), then time, then x + h")
def test_block_forward(lab, seed, look):
    """norm, SiLU, space; norm, SiLU, time; and the input added once"""
    layer = made(lab, "FactorizedBlock", seed, 5)
    sizes = ((2, 5, 4, 3, 6), (3, 5, 1, 4, 2), (1, 5, 7, 4, 3))
    rows = [(values.noise(seed + k, *size).double(),) for k, size in enumerate(sizes)]
    answers = block.table(layer, rows, partial(convolved, layer), named(BLOCK_WRONG, convolved, layer), part="out",
                          because="it is x + time(SiLU(norm_time(space(SiLU(norm_space(x))))))")  # fmt: skip
    look(target=convolved(layer, *rows[0])[0, 0, 0].detach(), yours=answers[0].value[0, 0, 0].detach())


@exercise("FactorizedBlock", points=3, hint="h, cache = self.time(F.silu(self.norm_time(h)), cache), and return both")
def test_block_cache(lab, seed):
    """the cache goes into `time` and comes out of it, so that a clip may come in pieces; gradients are whole"""
    layer, x = made(lab, "FactorizedBlock", seed, 5), values.noise(seed, 3, 5, 7, 2, 4).double()
    given = values.noise(seed + 1, 3, 5, 2, 2, 4).double()
    ignored = {"the cache that is given is not used: hand it to self.time": lambda x, cache=None: convolved(layer, x)}
    rows = [(x[:, :, :4],), (x[:, :, :1],), (x[:, :, :3], given), (x[:, :, :1], 2 * given)]
    block.table(layer, rows, partial(convolved, layer), ignored, part="out", because="self.time gets the cache")
    block.table(layer, rows, partial(convolved, layer, part="cache"), part="cache", because="self.time gives it")
    leaf = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(convolved(layer, leaf).sum(), leaf)
    answer = block(layer, leaf)["out"].gradients({"x": slope})
    theorems.learns(answer.said, answer.value.square(), dict(layer.named_parameters()))
    theorems.owes(block, layer, x, other=[values.noise(seed + 2, 1, 5, 3, 4, 2).double()])
    block(layer.float(), x.float())


def gathered(layer, x, cell="c p q r", frames="(t p)"):
    """Oracle of Downsample."""
    x = rearrange(x, f"b c {frames} (h q) (w r) -> b ({cell}) t h w", p=4, q=2, r=2)
    return F.conv3d(x, layer.weight, layer.bias)


def spread_out(layer, x, cell="c p q r", frames="(t p)"):
    """Oracle of Upsample."""
    x = F.conv3d(x, layer.weight, layer.bias)
    return rearrange(x, f"b ({cell}) t h w -> b c {frames} (h q) (w r)", p=4, q=2, r=2)


CELL_WRONG = {
    "in a cell's values the channel comes last. It comes first, then frame, row, column": {"cell": "p q r c"},
    "rows and columns of a cell are swapped": {"cell": "c p r q"},
    "the frames of a cell come after its rows and columns. They come before": {"cell": "c q r p"},
    "the frames of a cell are a whole clip apart. (t pt) keeps neighbours together": {"frames": "(p t)"},
}


def resampled(lab, seed, look, name, oracle, channels, sizes):
    call = Call(f"{name}{channels}", takes={"x": CLIP}, parameters=("x",), gives=tensor("b k u v l", "same"))
    layer = made(lab, name, seed, *channels)
    rows = [(values.noise(seed + k, b, channels[0], *size).double(),) for k, (b, *size) in enumerate(sizes)]
    answers = call.table(layer, rows, partial(oracle, layer), named(CELL_WRONG, oracle, layer),
                         because="a cell of 4 frames, 2 rows and 2 columns belongs to one coarse place")  # fmt: skip
    look(target=oracle(layer, *rows[0])[0, 0, 0].detach(), yours=answers[0].value[0, 0, 0].detach())
    theorems.learns(answers[0].said, answers[0].value.square(), dict(layer.named_parameters()))
    theorems.gradient_is_whole(f"{call.name}(x)", lambda x: [call(layer, x).value], {"x": rows[1][0]})
    theorems.owes(call, layer, *rows[1])
    call(layer.float(), rows[0][0].float())


@exercise("Downsample", points=4, hint='"b c (t pt) (h ph) (w pw) -> b (c pt ph pw) t h w", then super().forward')
def test_downsample(lab, seed, look):
    """each cell of 4 × 2 × 2 places becomes channels, and the layer's matrix mixes them"""
    resampled(lab, seed, look, "Downsample", gathered, (3, 7), ((2, 8, 6, 4), (3, 4, 2, 10), (1, 12, 4, 2)))


@exercise("Upsample", points=4, hint='super().forward, then "b (c pt ph pw) t h w -> b c (t pt) (h ph) (w pw)"')
def test_upsample(lab, seed, look):
    """the layer's matrix makes the 16 values of each cell, and they move to their places"""
    resampled(lab, seed, look, "Upsample", spread_out, (7, 3), ((2, 2, 3, 4), (3, 1, 5, 2), (1, 3, 2, 1)))


SHAPE, LATENTS = (2, 3, 4, 2), 5
step = Call("train_step", takes={"clips": CLIP}, sizes=lambda given: {"keys": ("loss", "error", "kl")},
            gives=record("tuple", said=mapping(number(), "keys"), weights=tensor()))  # fmt: skip


def stepped(train_step, seed, clips, *, moves=1, stale=None, draws_from_generator=True, **options):
    """What the last of some steps says, and the weights after it, by plain descent."""
    coder, generator = stand_ins.MatrixCoder(SHAPE, LATENTS, seed), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.SGD(coder.parameters(), lr=0.5)
    for weight in coder.parameters():
        weight.grad = None if stale is None else torch.full_like(weight, stale)
    for _ in range(moves):
        said = train_step(coder, optimizer, clips, *([generator] if draws_from_generator else ()), **options)
    return said, torch.cat([weight.detach().flatten() for weight in coder.parameters()])


def true_step(coder, optimizer, clips, generator, kl_weight=3e-3, max_grad_norm=1.0, *, draw=True, share=1 / 48,
              total=torch.mean, weighs=True, error=by_clip, keeps=False, clip="whole"):  # fmt: skip
    """Oracle: the gradient is shortened by hand."""
    dist = coder.encode(clips).latent_dist
    restored = coder.decode(dist.sample(generator) if draw else dist.mode()).sample
    found = {"error": error(restored, clips).float(), "kl": share * total(dist.kl())}
    found = {"loss": found["error"] + (kl_weight if weighs else 1.0) * found["kl"]} | found
    if not keeps:
        coder.zero_grad()
    found["loss"].backward()
    slopes = [weight.grad for weight in coder.parameters()]
    whole = torch.stack([slope.norm() for slope in slopes]).norm()
    for slope in slopes:
        norm = {"whole": whole, "each": slope.norm(), "never": torch.tensor(0.0)}[clip]
        slope *= (max_grad_norm / (norm + 1e-6)).clamp(max=1.0)
    optimizer.step()
    return {name: value.item() for name, value in found.items()}


STEP_WRONG = {
    "the latents are the mode. A step draws them: dist.sample(generator)": {"draw": False},
    "the KL divergence is not divided by the C · T · H · W numbers of a clip": {"share": 1.0},
    "the KL divergence is summed over the batch. Take the mean over clips": {"total": torch.sum},
    "the loss does not use kl_weight": {"weighs": False},
    "the error is the mean squared error. Take reconstruction_loss": {"error": F.mse_loss},
    "the gradient is not shortened to max_grad_norm": {"clip": "never"},
    "each parameter's gradient is shortened by itself. max_grad_norm is that of all of them": {"clip": "each"},
    "gradients that were there before count too: optimizer.zero_grad() before backward()": {"keeps": True},
}


def judge_steps(lab, seed, part, because, **start):
    """The answers to steps with several weights and lengths, judged by what they say or by the weights after them."""

    def only(taken):
        return lambda *args, **options: stepped(taken, seed, *args, **start, **options)[part == "weights"]

    options = {}, {"kl_weight": 0.5}, {"kl_weight": 0.0, "max_grad_norm": 0.1}, {"kl_weight": 2.0, "max_grad_norm": 9.0}
    rows = [(values.uniform(seed + k, 4, *SHAPE), given) for k, given in enumerate(options)]
    mistakes = {message: only(wrong) for message, wrong in named(STEP_WRONG, true_step).items()}
    steps = partial(stepped, lab.train_step, seed, **start)
    return step.table(steps, rows, only(true_step), mistakes, part=part, because=because)


@exercise("train_step", points=3, needs=("reconstruction_loss",), hint="kl = dist.kl().mean() / clips[0].numel()")
def test_step_says(lab, seed, look):
    """loss, error and kl of a draw of the latents, before the move, as plain numbers"""
    because = "loss is error + kl_weight · kl, of one draw, before the move; kl is in nats per pixel value"
    answer = judge_steps(lab, seed, "said", because)[1]
    want, _ = stepped(true_step, seed, answer.given["clips"], kl_weight=0.5)
    look(target=torch.tensor(list(want.values())), yours=torch.tensor(list(answer.value.values())))


@exercise("train_step", points=3, needs=("reconstruction_loss",), hint="zero_grad, backward, clip_grad_norm_, step")
def test_step_moves(lab, seed):
    """one move of the optimizer along the gradient of this loss alone, shortened to max_grad_norm where it is longer"""
    because = "one optimizer.step() along the gradient, which is shortened where it is longer than max_grad_norm"
    judge_steps(lab, seed, "weights", because, stale=0.7)
    judge_steps(lab, seed, "weights", because, moves=3)


@exercise("train_step", points=1, needs=("reconstruction_loss",), hint="dist.sample(generator), and no other draw")
def test_step_draws(lab, seed):
    """the draw is the generator's; without one it is the global random state's"""
    steps = partial(stepped, lab.train_step, seed, values.uniform(seed, 4, *SHAPE))
    theorems.leaves_random_numbers_alone("train_step with a generator", steps)
    said, ends = "train_step(model, optimizer, clips)", []
    for draw in (0, 0, 1):
        torch.manual_seed(draw)
        ends.append(attempt(said, partial(steps, draws_from_generator=False))[1])
    assert values.same(ends[0], ends[1]) and not values.same(ends[0], ends[2]), (
        f"{said}: without a generator the draw comes from torch's global random state"
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
    generator, coder = torch.Generator().manual_seed(seed), stand_ins.MatrixCoder(SHAPE, LATENTS, seed)
    optimizer = torch.optim.Adam(coder.parameters(), lr=3e-2)
    for _ in range(steps):
        train_step(coder, optimizer, ripples(generator, 16), generator)
    with torch.no_grad():
        clips = ripples(generator, 200)
        back = coder.decode(coder.encode(clips).latent_dist.sample(generator)).sample
    return (back - clips).square().mean().sqrt().item()
