"""Grader of lab 05.4, a MAGVIT-v2-style tokenizer.

Oracles in double precision: formulas, distributions written out over all codes, closed forms. Options make them do
known mistakes. The library's parts of this lab are off limits while this file runs.
"""

import itertools
import math
from functools import lru_cache, partial

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from common.course.graders import Call, attempt, number, outcomes, record, tensor, theorems, values
from common.zoo.sprites_fsq.patch_study import sprite_patches, train_patches

exercise = pytest.mark.exercise
OUTCOMES = outcomes.load(__file__)
cut = lru_cache(maxsize=1)(lambda: (sprite_patches(20), sprite_patches(6, "held_out")))


def named(mistakes, oracle, *args):
    """Message to a function that makes this mistake: the oracle with other options."""
    return {message: partial(oracle, *args, **options) for message, options in mistakes.items()}


rounding = Call("round_straight_through", takes={"z": "..."}, gives=tensor("...", "same"))


def rounded(z, rule=np.round):
    """Oracle: NumPy's rule."""
    return torch.as_tensor(rule(z.detach().double().numpy()))


ROUND_WRONG = {
    "that cuts digits off. Round to the nearest integer": {"rule": np.trunc},
    "halves go to the even integer, as with torch.round": {"rule": lambda z: np.floor(z + 0.5)},
}


@exercise("round_straight_through", points=2, hint="z + (z.round() - z).detach()")
def test_rounding_values(lab, seed, look):
    """the nearest integer, in any shape; halves go to the even one"""
    rows = [(values.noise(seed, 3, 4, 2, 5, scale=3),), (torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5, 3.0]),)]
    rows += [(values.noise(seed + 1, 7, 2, scale=40),), (torch.tensor(-2.3),)]
    answers = rounding.table(lab, rows, rounded, named(ROUND_WRONG, rounded), because="it is round(z)", tolerance=0)
    look(target=rounded(*rows[1]), yours=answers[1].value)


@exercise("round_straight_through", points=2, hint="Only (z.round() - z) is detached; z itself is in the sum.")
def test_rounding_gradient(lab, seed):
    """the gradient passes unchanged: whatever comes from above reaches z as it is"""
    for size, scale in (((5,), 2.0), ((3, 2, 4), 0.2), ((1, 6, 2), 30.0)):
        z, weight = values.noise(seed, *size, scale=scale), values.noise(seed + 1, *size)
        answer = rounding(lab, z.requires_grad_())
        assert answer.value.requires_grad, f"{answer.said} carries no gradient. It should pass as if nothing was done"
        (slope,) = torch.autograd.grad((answer.value * weight).sum(), answer.given["z"])
        assert slope.abs().sum() > 0, (
            f"the gradient of {answer.said} is 0. That is rounding alone: z must be in the sum"
        )
        assert values.same(slope, weight), f"{answer.said}: the gradient should pass as if nothing had been done"
    theorems.owes(rounding, lab, values.noise(seed, 4, 3, 5, scale=3), dtypes=(torch.float64,), batch_of_one=False)


@exercise("round_straight_through", points=2, hint="Is there any way for a gradient to get from y back to z?")
def test_rounding_trains(lab, seed):
    """50 steps of a small tokenizer around your rounding: its encoder learns, and pictures come back"""
    said = "50 training steps of a small tokenizer, around your rounding"
    OUTCOMES["rounding_trains"].judge(said, attempt(said, psnr_with, lab.round_straight_through, seed))


def psnr_with(function, seed, steps=50):
    """PSNR of a small tokenizer whose codes are 1,000 points, rounded by this function."""

    def quantize(z):
        codes = function(true_bound(z, (8, 5, 5, 5)).float()) / torch.tensor([4.0, 2.0, 2.0, 2.0])
        return codes, codes.sum(dim=1), 0.0

    return train_patches(quantize, 4, *cut(), steps, seed).psnr


bounding = Call("bound", takes={"z": "b c ..."}, parameters=("z", "levels"), gives=tensor("b c ...", "same"))


def true_bound(z, levels, *, width=lambda n: (n - 1) * 1.001 / 2, move=0.5, shift=torch.atanh, after=1.0):
    """Oracle."""
    count = torch.tensor(levels).double().reshape(-1, *[1] * (z.ndim - 2))
    half, offset = width(count), move * (count % 2 == 0)
    return half * torch.tanh(z.double() + shift(offset / half)) - after * offset


BOUND_WRONG = {
    "even levels need the half step o: without it there is one level too many or too few": {"move": 0.0},
    "the range is as wide as L, not L - 1: that has room for one level more": {"width": lambda n: n / 2},
    "the range is 1e-3 wider than L - 1: the outermost levels must be reached": {"width": lambda n: (n - 1) / 2},
    "the shift inside the tanh is missing: bound(0) should be 0": {"shift": lambda x: 0 * x},
    "the shift inside the tanh is artanh(o / h), not o / h": {"shift": lambda x: x},
    "the half step o is taken away after the tanh, not added": {"after": -1.0},
}
LEVELS = ((8, 5, 3), (4, 7), (3, 6, 16, 5), (5,), (8, 8, 8, 5, 5, 5))
SHAPES = ((2, 4), (3,), (2, 5, 1, 3), (), (3, 2, 4))


@exercise("bound", points=5, hint="half * torch.tanh(z + torch.atanh(offset / half)) - offset")
def test_bound_formula(lab, seed, look):
    """h tanh(z + artanh(o / h)) - o for odd and even L; rounded, each channel has exactly its L levels"""
    rows = [(values.noise(seed, 3, len(n), *size, scale=2), n) for n, size in zip(LEVELS, SHAPES)]
    because = "it is h tanh(z + artanh(o / h)) - o, with h = (L - 1)(1 + 1e-3) / 2, channels on axis 1"
    answers = bounding.table(lab, rows, true_bound, named(BOUND_WRONG, true_bound), because=because)
    look(target=true_bound(*rows[0])[0].flatten(), yours=answers[0].value[0].flatten())
    for count in (3, 4, 5, 8, 16):
        answer = bounding(lab, torch.linspace(-9, 9, 2001, dtype=torch.float64)[:, None], (count,))
        found, want = answer.value.round().unique().tolist(), [float(n - count // 2) for n in range(count)]
        assert found == want, f"{answer.said}, rounded, has the levels {found}, and it should have {want}"


@exercise("bound", points=3, hint="by_channel(z, levels) is (C, 1, ...), and refuses other numbers of levels.")
def test_bound_owes(lab, seed):
    """the gradient is whole; dtypes stay; levels come as a list too; other numbers of levels are refused"""
    z, levels = values.noise(seed, 3, 4, 2, 5), (8, 5, 4, 3)
    theorems.gradient_is_whole("bound(z, (8, 5, 4, 3))", lambda z: [bounding(lab, z, levels).value], {"z": z})
    dtypes = torch.float64, torch.float16, torch.bfloat16
    theorems.owes(bounding, lab, z, levels, other=(values.noise(seed, 2, 2), (3, 4)), dtypes=dtypes)
    bounding(lab, z, list(levels)).near(true_bound(z, levels), because="levels may be a list")
    for wrong in ((8, 5, 4), (8, 5, 4, 3, 3), (5,)):
        bounding.refuses(lab, z, wrong, because="there is one number of levels for each channel, on axis 1")


decoding = Call("indices_to_codes", takes={"indices": "b ..."}, parameters=("indices", "levels"),
                sizes=lambda given: {"c": len(given["levels"])}, gives=tensor("b c ...", torch.float32))  # fmt: skip


def true_codes(indices, levels, *, order=1, centre=lambda n: n // 2, unit=lambda n: n // 2):
    """Oracle: the codes of all numbers are counted up, the first channel fastest; then looked up."""
    grid = np.array(list(itertools.product(*(range(n) for n in levels[::-order]))))[:, ::-order]
    codes = (grid - [centre(n) for n in levels]) / [unit(n) for n in levels]
    return torch.tensor(codes)[indices].movedim(-1, 1)


CODES_WRONG = {
    "the first channel is the lowest digit, and here it is the highest": {"order": -1},
    "those are digits. Take ⌊L / 2⌋ away, and divide by it": {"centre": lambda n: 0, "unit": lambda n: 1},
    "the levels are whole numbers still. Divide them by ⌊L / 2⌋": {"unit": lambda n: 1},
    "⌊L / 2⌋ is not taken away: codes begin at -1": {"centre": lambda n: 0},
    "the unit is ⌊L / 2⌋, not (L - 1) / 2": {"unit": lambda n: (n - 1) / 2},
    "the middle is ⌊L / 2⌋, not (L - 1) / 2": {"centre": lambda n: (n - 1) / 2},
}  # fmt: skip


def some_indices(seed, levels, *shape):
    return values.uniform(seed, *shape, low=0, high=math.prod(levels)).floor().long()


@exercise("indices_to_codes", points=4, hint="index // Π of the levels before c, % L_c; minus half, over half")
def test_codes_of_indices(lab, seed, look):
    """the digits of each number, the first channel lowest, as codes in [-1, 1]; axis 1 holds the channels"""
    rows = [(some_indices(seed, levels, 4, *size), levels) for levels, size in zip((*LEVELS[:2], (2, 3, 8)), SHAPES)]
    because = "code_c is (d_c - ⌊L_c / 2⌋) / ⌊L_c / 2⌋, and d_c the digit of channel c"
    answers = decoding.table(lab, rows, true_codes, named(CODES_WRONG, true_codes), because=because)
    look(target=true_codes(*rows[1])[0], yours=answers[1].value[0])


@exercise("indices_to_codes", points=2, hint="Compare the smallest and largest index with 0 and math.prod(levels) - 1.")
def test_codes_owe(lab, seed):
    """every number has a code of its own, up to the last; numbers outside the codebook are refused"""
    every, small = torch.arange(60).reshape(5, 12), (4, 3, 5)
    decoding(lab, every, list(small)).near(true_codes(every, small), because="every index has a code of its own")
    for wrong in (60, -1, 1000):
        decoding.refuses(lab, torch.tensor([[3, wrong], [5, 59]]), small, because="there are the indices 0 to 59")
    theorems.owes(decoding, lab, some_indices(seed, small, 3, 2, 4), small, other=(torch.tensor([3, 1]), (2, 5)))


perplexing = Call("codebook_perplexity", gives=number(), parameters=("indices", "size"))


def true_perplexity(indices, size, *, log=np.log, end=np.exp, total=None):
    """Oracle, from counts."""
    counts = np.bincount(indices.numpy().ravel(), minlength=size)
    share = counts[counts > 0] / (total(counts) if total else counts.sum())
    return float(end(-(share * log(share)).sum()))


PERPLEXITY_WRONG = {
    "that is the entropy. Perplexity is exp of it": {"end": lambda h: h},
    "exp belongs to the natural logarithm, 2^ to log2": {"log": np.log2},
    "2^ belongs to log2, exp to the natural logarithm": {"end": np.exp2},
    "the sign is wrong: an entropy is not negative": {"end": lambda h: np.exp(-h)},
    "frequencies are counts over the number of indices, not over the size": {"total": len},
}


@exercise("codebook_perplexity", points=4, hint="p = counts / counts.sum(), then exp(-Σ p log p)")
def test_perplexity_formula(lab, seed, look):
    """exp of the entropy of the frequencies, for indices of any shape; outside the codebook, or none, is refused"""
    sizes = (9, 4, 5, 2), (50, 300), (7, 3, 3, 1, 2), (64_000, 2, 5, 8, 8)
    rows = [(some_indices(seed + k, (size,), *shape), size) for k, (size, *shape) in enumerate(sizes)]
    rows += [(torch.tensor([3, 3, 3, 3]), 8), (torch.arange(12).reshape(3, 4), 12), (torch.tensor([0, 0, 0, 5]), 6)]
    because = "it is exp(-Σ p log p), where codes that never occur count 0"
    answers = perplexing.table(lab, rows, true_perplexity, named(PERPLEXITY_WRONG, true_perplexity), because=because)
    look(target=[true_perplexity(*row) for row in rows], yours=[answer.value for answer in answers])
    for wrong, size in (([0, 4], 4), ([-1, 2], 4), ([7], 5), ([], 3)):
        perplexing.refuses(lab, torch.tensor(wrong, dtype=torch.int64), size, because=f"there are 0 to {size - 1}")
    theorems.owes(perplexing, lab, some_indices(seed, (6,), 3, 4), 6, other=(torch.tensor([1, 1]), 3))
    perplexing(lab, some_indices(seed, (6,), 5, 3).int(), 6).near(true_perplexity(some_indices(seed, (6,), 5, 3), 6))


ENTROPIES = {"per_sample": "it is the mean over places of H(q)", "of_mean": "it is H of the mean q of all places",
             "loss": "it is per_sample - γ · of_mean"}  # fmt: skip
entropy = Call("lfq_entropy_loss", takes={"z": "b c ..."}, parameters=("z", "temperature", "gamma"),
               gives=record("object", **dict.fromkeys(ENTROPIES, tensor("", torch.float32))))  # fmt: skip


def entropies(z, temperature=0.5, gamma=1.0, *, part="loss", scale=1.0, over="all", base=1.0, sign=-1, by_bit=False):
    """Oracle: the distribution over all codes, written out."""
    flat = z.double().movedim(1, -1)
    rows = flat.reshape(-1, flat.shape[-1])
    codes = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=rows.shape[1])), dtype=torch.float64)
    logs = (-scale * (rows[:, None] - codes).square().sum(-1) / temperature).log_softmax(dim=1)  # (N, 2^C)
    q = logs.exp()
    each = -(q * logs).sum(dim=1).mean() / base / (rows.shape[1] if by_bit else 1)
    groups = q.reshape(len(z), -1, q.shape[1]).mean(dim=1) if over == "places" else q.mean(dim=0, keepdim=True)
    whole = torch.special.entr(groups).sum(dim=1).mean() / base
    return {"per_sample": each, "of_mean": whole, "loss": each + sign * gamma * whole}[part]


ENTROPY_WRONG = {
    "the second term's sign is wrong: it is made large, so it is taken away": {"sign": 1},
    "entropies are in nats: take the natural logarithm": {"base": math.log(2)},
    "the logits of the bits are 4 z / τ, not half of that": {"scale": 0.5},
    "the mean over places is one over the whole batch, not clip by clip": {"over": "places"},
    "H(q) is the sum over the bits, not their mean": {"by_bit": True},
}


def latents(seed, *size):
    """Numbers whose means differ from channel to channel and from clip to clip."""
    push = torch.linspace(-0.4, 0.7, size[1]).reshape(-1, *[1] * (len(size) - 2))
    return values.noise(seed, *size, scale=0.5) + push + values.noise(seed + 9, size[0], *[1] * (len(size) - 1)) / 3


@exercise("lfq_entropy_loss", points=4, hint="q = code_probabilities(4 z / τ): H of each row, and of the mean row")
def test_entropy_loss(lab, seed, look):
    """both entropies and the loss, over all places, for several temperatures and weights"""
    options = {}, {"temperature": 1.5}, {"gamma": 0.3}, {"temperature": 0.9, "gamma": 2.0}, {"gamma": 0.0}
    sizes = (3, 4, 5), (2, 3, 2, 3, 4), (9, 5), (4, 2, 3, 2), (5, 1, 3)
    rows = [(latents(seed + k, *size), given) for k, (size, given) in enumerate(zip(sizes, options))]
    for part, because in ENTROPIES.items():
        truth = partial(entropies, part=part)
        mistakes = {text: partial(truth, **how) for text, how in ENTROPY_WRONG.items()}
        answers = entropy.table(lab, rows, truth, mistakes, part=part, because=because)
    look(target=[float(entropies(z, **given)) for z, given in rows], yours=[float(answer) for answer in answers])


@exercise("lfq_entropy_loss", points=2, hint="0 · log 0 is 0: clamp probabilities before the logarithm.")
def test_entropy_owes(lab, seed):
    """finite for sure bits; half precision computed in float32; gradients are whole; above 20 channels refused"""
    z = latents(seed, 3, 4, 2, 3)
    for part, far in itertools.product(ENTROPIES, (30, 400)):
        entropy(lab, far * z)[part].near(entropies(far * z, part=part), because="sure bits have entropy 0")
    leaf = z.clone().requires_grad_()
    (slope,) = torch.autograd.grad(entropies(leaf, 0.8, 0.6), leaf)
    entropy(lab, leaf, 0.8, 0.6)["loss"].gradients({"z": slope})
    entropy(lab, z.half())["loss"].near(entropies(z.half()), because="convert to float32 first")
    theorems.owes(entropy, lab, z, other=[latents(seed + 1, 2, 3)], batch_of_one=False)
    entropy.refuses(lab, values.noise(seed, 2, 21), because="21 bits are too many: at most 20 channels")


@exercise("lfq_entropy_loss", points=2, hint="Small: each place's entropy. Large: the entropy of their mean.")
def test_entropy_trains(lab, seed):
    """40 steps of a small LFQ tokenizer with your entropy loss: many codes are in use at the end"""
    said = "40 training steps of a small LFQ tokenizer, with your entropy loss"
    OUTCOMES["entropy_spreads"].judge(said, attempt(said, perplexity_with, lab.lfq_entropy_loss, seed))


def perplexity_with(function, seed, steps=40):
    """Perplexity of the tokens of held-out patches, 8 bits each, after training with this entropy loss."""

    def quantize(z):
        z = F.normalize(z, dim=1) * 8**0.5
        sign = torch.where(z > 0, 1.0, -1.0)
        extra = 0.25 * F.mse_loss(z, sign) + 0.5 * function(z).loss
        return z + (sign - z).detach(), ((z > 0) * 2 ** torch.arange(8)).sum(dim=1), extra

    return true_perplexity(train_patches(quantize, 8, *cut(), steps, seed).tokens, 256)


distance = Call("frechet_distance", gives=number(), parameters=("mean1", "cov1", "mean2", "cov2"),
                takes={"mean1": "d", "cov1": "d d", "mean2": "d", "cov2": "d d"})  # fmt: skip


def true_distance(mean1, cov1, mean2, cov2, *, power=2, weight=1.0, twice=2.0, cross=None, end=lambda d: d):
    """Oracle: the trace of the root from the eigenvalues of Σ1 Σ2, by NumPy."""
    mean1, cov1, mean2, cov2 = (part.double().numpy() for part in (mean1, cov1, mean2, cov2))
    trace = cross(cov1, cov2) if cross else np.sqrt(np.linalg.eigvals(cov1 @ cov2).real.clip(min=0)).sum()
    apart = weight * (np.abs(mean1 - mean2) ** power).sum()
    return float(end(max(0.0, apart + np.trace(cov1) + np.trace(cov2) - twice * trace)))


FRECHET_WRONG = {
    "the means' difference is not squared": {"power": 1},
    "the trace of the root counts twice": {"twice": 1.0},
    "that is d. The distance asked for is d²": {"end": math.sqrt},
    "the root of a matrix is not the root of each entry": {"cross": lambda a, b: np.sqrt(np.diag(a @ b).clip(0)).sum()},
    "the trace of Σ1 Σ2 is there, and not that of its root": {"cross": lambda a, b: np.trace(a @ b)},
    "the means are missing": {"weight": 0.0},
}


def gaussian(seed, dim, scale=1.0, rank=None):
    """A mean, and a covariance of this rank."""
    factor = values.noise(seed, dim, rank or dim + 2, dtype=torch.float64)
    return values.noise(seed + 40, dim, dtype=torch.float64) * scale, scale * factor @ factor.T / dim


@exercise("frechet_distance", points=3, hint="root of Σ1 by eigh, then the roots of eigvalsh(root @ Σ2 @ root)")
def test_distance_formula(lab, seed, look):
    """d² of Gaussians whose covariances share no axes, to 1e-6"""
    sizes = (3, 1.0), (5, 0.3), (2, 4.0), (1, 1.0), (12, 1.0)
    rows = [(*gaussian(seed + k, *size), *gaussian(seed + k + 7, size[0])) for k, size in enumerate(sizes)]
    options = {"because": "it is |μ1 - μ2|² + tr(Σ1) + tr(Σ2) - 2 tr((Σ1^½ Σ2 Σ1^½)^½)", "tolerance": 1e-6}
    answers = distance.table(lab, rows, true_distance, named(FRECHET_WRONG, true_distance), **options)
    look(target=[true_distance(*row) for row in rows], yours=[answer.value for answer in answers])


@exercise("frechet_distance", points=3, hint="Clamp eigenvalues at 0 before the root; compute in double precision.")
def test_distance_closed_forms(lab, seed):
    """shared axes: Σ (√a - √b)²; itself: 0; covariances without full rank; double precision; other shapes refused"""
    turn, _ = torch.linalg.qr(values.noise(seed, 6, 6, dtype=torch.float64))
    a, b = (values.uniform(seed + k, 6, low=0.1, high=5.0, dtype=torch.float64) for k in (1, 2))
    b[3] = 0
    mean, zero = values.noise(seed + 3, 6, dtype=torch.float64), torch.zeros(6, dtype=torch.float64)
    want = float((a.sqrt() - b.sqrt()).square().sum() + mean.square().sum())
    first, second = (mean, turn * a @ turn.T), (zero, turn * b @ turn.T)
    distance(lab, *first, *second).near(want, because="it is |μ1 - μ2|² + Σ (√a - √b)²", tolerance=1e-6)
    distance(lab, *second, *first).near(want, because="the distance is symmetric", tolerance=1e-6)
    flat = *gaussian(seed, 7, rank=2), *gaussian(seed + 5, 7, rank=3)
    distance(lab, *flat).near(true_distance(*flat), because="covariances need not have full rank", tolerance=1e-5)
    wide, cov = gaussian(seed, 16, scale=60.0)
    close = [part.float() for part in (wide, cov, wide, 1.02 * cov)]  # d² is a ten-thousandth of the traces
    distance(lab, *close).near(true_distance(*close), because="compute in double precision", tolerance=1e-7)
    answer = distance(lab, *2 * gaussian(seed, 8, rank=3)).near(0, because="it is 0 from itself", tolerance=1e-5)
    assert answer.value >= 0, f"{answer.said} is {answer.value}. It should be at least 0"
    theorems.owes(distance, lab, *gaussian(seed, 4), *gaussian(seed + 2, 4), other=2 * gaussian(seed, 2))
    (mean, cov), (other, wide) = gaussian(seed, 3), gaussian(seed, 4)
    wrong = [(mean, cov, other, wide), (mean, cov, mean[:, None], cov), (mean, cov[:2], mean, cov)]
    wrong += [(mean, cov, mean, wide), (mean, wide, mean, wide), (mean[0], cov, mean, cov), (mean, cov, mean[:1], cov)]
    for parts in wrong:
        distance.refuses(lab, *parts, because="means are (D,) and covariances (D, D)")
