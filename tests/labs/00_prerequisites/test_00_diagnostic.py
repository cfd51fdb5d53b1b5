"""Grader of the diagnostic, items 00.1 to 00.12.

Each test has its own oracle: a closed form in float64, a count of real blocks, the padding cut off, the whole batch at
once. Where an answer equals what a well-known mistake gives, the message names the mistake.
"""

import numbers

import numpy as np
import pytest
import torch

from common.course.grader_tools import attempt

exercise = pytest.mark.exercise
B, C, H, W = 3, 2, 4, 5


def noise(seed, *shape):
    """Normal numbers, float64, the same in each run with the same seed."""
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def tensor_of(said, got, shape, dtype=torch.float64):
    """The answer must be a tensor of this shape and dtype, all of it finite."""
    assert isinstance(got, torch.Tensor), f"{said} returned {type(got).__name__}; a tensor is asked for"
    assert tuple(got.shape) == tuple(shape), f"{said} has the shape {tuple(got.shape)} instead of {tuple(shape)}"
    assert got.dtype == dtype, f"{said} is {got.dtype} where its inputs are {dtype}: nothing should change the dtype"
    bad = int((~got.isfinite()).sum())
    assert not bad, f"{said} holds {bad} numbers that are infinite or NaN"
    return got.detach()


def same(got, want):
    return got.shape == want.shape and torch.allclose(got, want.to(got.dtype), rtol=1e-6, atol=1e-9)


def expect(said, got, want, mistakes=()):
    """`got` must equal `want`; if it equals what one of the `mistakes` (message, value) gives, the message says so."""
    if same(got, want):
        return
    for message, value in mistakes:
        if same(got, value):
            pytest.fail(f"{said}: {message}")
    off = (got - want).abs().max().item()
    pytest.fail(f"{said} is off by up to {off:.3g}")


def untouched(said, *pairs):
    for name, now, before in pairs:
        assert torch.equal(now, before), f"{said} changes its input {name} in place"


def wide(values):
    return values[:, None, None, None]


# ---------------------------------------------------------------------------------------------- 00.1 diffuse


def diffuse_answer(lab, x0, eps, alpha_bar):
    said = "diffuse(x0, eps, alpha_bar)"
    before = x0.clone(), eps.clone(), alpha_bar.clone()
    got = attempt(said, lab.diffuse, x0, eps, alpha_bar)
    untouched(said, ("x0", x0, before[0]), ("eps", eps, before[1]), ("alpha_bar", alpha_bar, before[2]))
    return tensor_of(said, got, x0.shape, x0.dtype)


@exercise("diffuse", points=2, hint="N(mean, variance): noise is multiplied by a standard deviation.")
def test_diffuse_is_the_closed_form(lab, seed):
    """mean and standard deviation are those of q(x_t | x_0), each picture at its own ᾱ"""
    x0, eps = noise(seed, B, C, H, W), noise(seed + 1, B, C, H, W)
    alpha_bar = torch.tensor([0.81, 0.3, 0.06], dtype=torch.float64)
    a, first = wide(alpha_bar), alpha_bar[0]
    root, rest = a.sqrt(), (1 - a).sqrt()
    mistakes = [
        ("it uses the variance where the standard deviation belongs: the roots are missing", a * x0 + (1 - a) * eps),
        ("the root over 1 - ᾱ is missing: that is the variance of the noise", root * x0 + (1 - a) * eps),
        ("the root over ᾱ is missing before x0", a * x0 + rest * eps),
        ("data and noise have each other's factors: at ᾱ = 1 there should be only data", rest * x0 + root * eps),
        ("the data are not scaled down; in DDPM they fade by √ᾱ while the noise grows", x0 + rest * eps),
        (
            "the noise has the factor 1 - √ᾱ; the *variances* add up to 1, so it is √(1 - ᾱ)",
            root * x0 + (1 - root) * eps,
        ),
        (
            "every picture gets the ᾱ of the first one",
            first.sqrt() * x0 + (1 - first).sqrt() * eps,
        ),
        (
            "every picture gets the mean of all ᾱ",
            alpha_bar.mean().sqrt() * x0 + (1 - alpha_bar.mean()).sqrt() * eps,
        ),
        ("the noise is subtracted", root * x0 - rest * eps),
        ("the noise is not in it", root * x0),
    ]
    expect("diffuse(x0, eps, alpha_bar)", diffuse_answer(lab, x0, eps, alpha_bar), root * x0 + rest * eps, mistakes)


@exercise("diffuse", points=1, hint="alpha_bar[:, None, None, None] lines up with the first axis.")
def test_diffuse_keeps_pictures_apart(lab, seed):
    """a batch as large as a picture is wide: still one ᾱ a picture; and float32 stays float32"""
    x0, eps = noise(seed, 5, 2, 3, 5).float(), noise(seed + 1, 5, 2, 3, 5).float()
    alpha_bar = torch.tensor([0.9, 0.7, 0.5, 0.2, 0.1])
    got = diffuse_answer(lab, x0, eps, alpha_bar)
    by_column = alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * eps
    assert not torch.allclose(got, by_column, atol=1e-5), (
        "each *column* of a picture has its own ᾱ: plain broadcasting lines (B,) up with the last axis, W"
    )
    for b in range(5):
        want = alpha_bar[b].sqrt() * x0[b] + (1 - alpha_bar[b]).sqrt() * eps[b]
        assert torch.allclose(got[b], want, atol=1e-5), f"picture {b} of a batch of 5 is not noised by its own ᾱ"


# -------------------------------------------------------------------------------------------- 00.2 ddim_step


def step_answer(lab, x, eps, here, there):
    said = f"ddim_step(x, eps, {here:g}, {there:g})"
    before = x.clone(), eps.clone()
    got = attempt(said, lab.ddim_step, x, eps, here, there)
    untouched(said, ("x", x, before[0]), ("eps", eps, before[1]))
    return tensor_of(said, got, x.shape)


@exercise("ddim_step", points=2, hint="First the x0 that the noise stands for, then noise it again for the next ᾱ.")
def test_ddim_lands_on_the_same_noise(lab, seed):
    """told the true noise, it lands exactly where the forward process would be at the next ᾱ"""
    x0, eps = noise(seed, B, C, H, W), noise(seed + 1, B, C, H, W)
    for here, there in ((0.2, 0.55), (0.04, 0.9)):
        x = here**0.5 * x0 + (1 - here) ** 0.5 * eps
        got = step_answer(lab, x, eps, here, there)
        undivided = x - (1 - here) ** 0.5 * eps
        rough = (x - (1 - here) * eps) / here
        half = (x - (1 - here) * eps) / here**0.5
        keep, add = there**0.5, (1 - there) ** 0.5
        mistakes = [
            ("x0 is not divided by √ᾱ after the noise is taken off", keep * undivided + add * eps),
            ("it stops at x0: the noise of the next time is not put back", x0),
            ("the noise of the next time is not put back, only x0 is scaled", keep * x0),
            ("both lines use the same ᾱ, so nothing has moved: x0 comes from this one, the noise is for the *next*", x),
            ("variances stand where standard deviations belong (no roots in x0)", keep * rough + add * eps),
            ("the root over 1 - ᾱ is missing in x0", keep * half + add * eps),
            ("the noise put back has the variance for a factor: the root is missing", keep * x0 + (1 - there) * eps),
            ("all roots are missing", there * rough + (1 - there) * eps),
            ("x0 and the noise have each other's factors in the second line", add * x0 + keep * eps),
        ]
        want = keep * x0 + add * eps
        expect(f"ddim_step(x, eps, {here:g}, {there:g})", got, want, mistakes)


@exercise("ddim_step", points=1, hint="DDIM draws nothing; fresh noise is DDPM's.")
def test_ddim_draws_nothing(lab, seed):
    """twice the same call gives twice the same; and a step to ᾱ = 1 gives x0 itself, however large"""
    x0, eps = 9 * noise(seed, 2, 3, 4, 5), noise(seed + 1, 2, 3, 4, 5)
    x = 0.5 * x0 + 0.75**0.5 * eps
    once, again = step_answer(lab, x, eps, 0.25, 0.5), step_answer(lab, x, eps, 0.25, 0.5)
    assert torch.equal(once, again), (
        "two calls with the same arguments differ: it draws fresh noise, as DDPM does; DDIM uses the eps it is given"
    )
    got = step_answer(lab, x, eps, 0.25, 1.0)
    assert not same(got, x0.clamp(-1, 1)), "x0 is clamped to [-1, 1]; latents have no such range"
    expect("a step to alpha_bar_next = 1, which is x0 itself,", got, x0)


# ------------------------------------------------------------------------------------------------ 00.3 guide


@exercise("guide", points=2, hint="Start at uncond; the direction is cond - uncond.")
def test_guide_is_a_straight_line(lab, seed):
    """0 is without the prompt, 1 the prompt's own prediction, and beyond it goes straight on"""
    uncond, cond = noise(seed, B, C, H, W), noise(seed + 1, B, C, H, W)
    before = uncond.clone(), cond.clone()
    for g in (7.5, 0.0, 1.0, 3.0, 0.4):
        said = f"guide(uncond, cond, {g:g})"
        got = tensor_of(said, attempt(said, lab.guide, uncond, cond, g), cond.shape)
        untouched(said, ("uncond", uncond, before[0]), ("cond", cond, before[1]))
        want = uncond + g * (cond - uncond)
        long = want * (cond.std() / want.std().clamp(min=1e-9))
        mistakes = [
            ("g is held at 1 or above; below 1 the prompt counts for less", uncond + max(g, 1.0) * (cond - uncond)),
            (
                "it starts at cond, the paper's (1 + w) cond - w uncond; here g = 1 must give cond itself",
                cond + g * (cond - uncond),
            ),
            ("uncond and cond have changed places", cond + g * (uncond - cond)),
            ("it walks away from the prompt: the direction is cond - uncond", uncond + g * (uncond - cond)),
            ("cond is only multiplied by g; the direction is cond - uncond", g * cond),
            ("the whole of cond is added; the direction is cond - uncond", uncond + g * cond),
            ("only the direction is left, without where it starts", g * (cond - uncond)),
            ("that is the plain mean of the two, whatever g is", (uncond + cond) / 2),
            ("it divides by 1 + g: an average never goes beyond cond", (uncond + g * cond) / (1 + g)),
            ("g is held at 1 or below; guidance is what lies beyond 1", uncond + min(g, 1.0) * (cond - uncond)),
            ("the result is clamped to [-1, 1]; a prediction of noise has no such range", want.clamp(-1, 1)),
            ("the result is scaled back to cond's spread, which is another method (rescaled guidance)", long),
        ]
        expect(said, got, want, mistakes)


# ---------------------------------------------------------------------------------------- 00.4 from_velocity


def velocity_answer(lab, x, velocity, s):
    said = "from_velocity(x, velocity, s)"
    before = x.clone(), velocity.clone(), s.clone()
    got = attempt(said, lab.from_velocity, x, velocity, s)
    untouched(said, ("x", x, before[0]), ("velocity", velocity, before[1]), ("s", s, before[2]))
    assert isinstance(got, (tuple, list)) and len(got) == 2, f"{said} should return two tensors, x0 and eps"
    return [tensor_of(f"{name} of {said}", part, x.shape) for name, part in zip(("x0", "eps"), got)]


@exercise("from_velocity", points=2, hint="Back to the data it is s · velocity, on to the noise (1 - s) · velocity.")
def test_velocity_finds_both_ends(lab, seed):
    """both ends of the straight path, each picture from its own s"""
    x0, eps = noise(seed, B, C, H, W), noise(seed + 1, B, C, H, W)
    s = torch.tensor([0.2, 0.7, 0.45], dtype=torch.float64)
    w = wide(s)
    x, v = (1 - w) * x0 + w * eps, eps - x0
    got_x0, got_eps = velocity_answer(lab, x, v, s)
    if same(got_x0, eps) and same(got_eps, x0):
        pytest.fail("x0 and eps are right and in the wrong order: x0 comes first")
    first, curve = s[0], (1 - w**2).sqrt()
    expect("x0", got_x0, x0, [
        ("the velocity has the other sign: here it is eps - x0, so the data lie *behind* you", x + w * v),
        ("time runs the other way round: here s = 0 is data", x - (1 - w) * v),
        ("it goes back by the whole velocity, as if s were 1", x - v),
        ("every picture gets the s of the first one", x - first * v),
        ("the velocity is taken for the data: that is what an x0-prediction would be", v),
        ("the velocity is taken for the noise: that is an eps-prediction", (x - w * v) / (1 - w)),
        ("that is DDPM's v-prediction, on a circle; this path is straight", curve * x - w * v),
    ])  # fmt: skip
    expect("eps", got_eps, eps, [
        ("the velocity has the other sign: here it is eps - x0, so the noise lies *ahead*", x - (1 - w) * v),
        ("time runs the other way round: here s = 1 is noise", x + w * v),
        ("every picture gets the s of the first one", x + (1 - first) * v),
        ("the velocity is taken for the noise; it is eps - x0", v),
        ("it goes on by the whole velocity, as if s were 0", x + v),
        ("that is DDPM's v-prediction, on a circle; this path is straight", w * x + curve * v),
    ])  # fmt: skip


@exercise("from_velocity", points=1, hint="Neither end needs a division.")
def test_velocity_at_the_ends(lab, seed):
    """at s = 0 and s = 1 both are finite and right, and a batch as large as a picture is wide keeps its order"""
    x0, eps = noise(seed, 5, 2, 3, 5), noise(seed + 1, 5, 2, 3, 5)
    s = torch.tensor([0.0, 1.0, 0.5, 0.25, 0.9], dtype=torch.float64)
    w = wide(s)
    got_x0, got_eps = velocity_answer(lab, (1 - w) * x0 + w * eps, eps - x0, s)
    assert not same(got_x0, (1 - w) * x0 + w * eps - s * (eps - x0)), (
        "each *column* has its own s: plain broadcasting lines (B,) up with the last axis, W"
    )
    expect("x0 at s = 0 to 1", got_x0, x0)
    expect("eps at s = 0 to 1", got_eps, eps)


# ------------------------------------------------------------------------------------------ 00.5 edm_factors


@exercise("edm_factors", points=3, hint="Variances add up: x has the variance sigma_data² + sigma².")
def test_edm_wishes_come_true(lab, seed):
    """what the network reads and must answer has variance 1, with the smallest c_out there is"""
    sigma = torch.tensor([0.002, 0.3, 1.7, 40.0], dtype=torch.float64)
    for sigma_data in (0.5, 1.3):
        said = f"edm_factors(sigma, {sigma_data:g})"
        before = sigma.clone()
        got = attempt(said, lab.edm_factors, sigma, sigma_data)
        untouched(said, ("sigma", sigma, before))
        assert isinstance(got, (tuple, list)) and len(got) == 3, f"{said} should return c_skip, c_out, c_in"
        skip, out, into = (
            tensor_of(f"{n} of {said}", c, sigma.shape) for n, c in zip(("c_skip", "c_out", "c_in"), got)
        )
        d, total = sigma_data, (sigma**2 + sigma_data**2).sqrt()
        want_skip, want_out, want_into = d**2 / total**2, sigma * d / total, 1 / total
        if same(out, want_into) and same(into, want_out):
            pytest.fail(f"{said}: c_out and c_in have changed places; the order is c_skip, c_out, c_in")
        expect(f"c_in of {said}", into, want_into, [
            ("it divides by sigma alone; the data have a variance too, and at a small sigma this explodes", 1 / sigma),
            ("standard deviations do not add up, variances do: √(sigma² + sigma_data²)", 1 / (sigma + d)),
            ("it divides by the variance of x; dividing by its root gives variance 1", 1 / total**2),
            ("it multiplies by the standard deviation of x instead of dividing", total),
            ("sigma_data is taken to be 0.5; it is an argument", 1 / (sigma**2 + 0.25).sqrt()),
            ("sigma_data is taken to be 1; it is an argument", 1 / (sigma**2 + 1).sqrt()),
        ])  # fmt: skip
        expect(f"c_skip of {said}", skip, want_skip, [
            ("it is the share of the *noise*: x would pass through where there is nothing but noise",
             sigma**2 / total**2),
            ("it is the root of the data's share of the variance; the best multiple of x is the share itself",
             d / total),
            ("x goes through whole: then c_out is not as small as it can be", torch.ones_like(sigma)),
            ("nothing of x goes through: with hardly any noise x is nearly the answer", torch.zeros_like(sigma)),
            ("standard deviations do not add up, variances do", d / (sigma + d)),
            ("the share of a variance needs squares: sigma_data² / (sigma² + sigma_data²)", d / total**2),
        ])  # fmt: skip
        expect(f"c_out of {said}", out, want_out, [
            ("it is the variance of what is left; c_out is a standard deviation, its root", (sigma * d / total) ** 2),
            ("it is sigma: right only if all of x goes through", sigma),
            ("it is sigma_data: right only if nothing of x goes through", torch.full_like(sigma, d)),
            ("it divides by the variance of x instead of its standard deviation", sigma * d / total**2),
            ("it is the standard deviation of x: the network would have to answer with all of it", total),
            ("it is the noise's share of the standard deviation; sigma_data is missing", sigma / total),
            ("its sign: c_out is asked for positive", -want_out),
        ])  # fmt: skip


# ----------------------------------------------------------------------------------------- 00.6 latent_ratio


def number(said, got):
    if isinstance(got, torch.Tensor) and got.numel() == 1:
        got = got.item()
    assert isinstance(got, numbers.Real) and not isinstance(got, bool), (
        f"{said} returned {type(got).__name__}; a number is asked for"
    )
    return float(got)


@exercise("latent_ratio", points=2, hint="Count both, with their channels: 3 x 512 x 768 and 4 x 64 x 96.")
def test_latent_ratio(lab):
    """numbers of the picture for each number of the latent"""
    got = number("latent_ratio()", attempt("latent_ratio()", lab.latent_ratio))
    picture, latent = torch.empty(3, 512, 768), torch.empty(4, 512 // 8, 768 // 8)
    want = picture.numel() / latent.numel()
    mistakes = {
        64.0: "the channels are not counted: 3 in the picture, 4 in the latent",
        8.0: "8 times smaller along *each* of two sides is 64 times fewer places",
        6.0: "only one side is 8 times smaller in this count",
        1 / want: "it is upside down: how many numbers of the *picture* for one of the latent",
        64 * 4 / 3: "the channels are upside down: the latent has *more* of them",
        16.0: "the picture has 3 channels, which are not counted",
        192.0: "the latent has 4 channels, which are not counted",
        384.0: "8 x 8 x 8: a picture has two sides to shrink, not three",
        256.0: "the latent's 4 channels make it larger, not smaller; and the picture has 3",
        float(latent.numel()): "that is how many numbers the latent holds; asked for is the ratio",
        float(picture.numel()): "that is how many numbers the picture holds; asked for is the ratio",
        float(picture.numel() - latent.numel()): "that is a difference; asked for is the ratio",
    }
    for value, message in mistakes.items():
        assert abs(got - value) > 0.005 * value, f"latent_ratio() = {got:g}: {message}"
    assert abs(got - want) < 0.01, f"latent_ratio() = {got:g} is not what a count of both gives"


# ----------------------------------------------------------------------------------------- 00.7 token_counts


@exercise("token_counts", points=3, hint="Cut the latent into blocks of 1 x 2 x 2 over all channels, and count.")
def test_token_counts(lab):
    """tokens, numbers in each, and how the pairs of full attention grow"""
    got = attempt("token_counts()", lab.token_counts)
    assert isinstance(got, (tuple, list)) and len(got) == 3, (
        "token_counts() should return three numbers: tokens, numbers in each, factor"
    )
    tokens, inside, factor = (number(f"number {n} of token_counts()", value) for n, value in enumerate(got, 1))
    blocks = torch.empty(8, 5, 32, 56).unfold(1, 1, 1).unfold(2, 2, 2).unfold(3, 2, 2)  # (C, 5, 16, 28, 1, 2, 2)
    places, held = blocks[0, ..., 0, 0, 0].numel(), blocks[:, 0, 0, 0].numel()
    wrong_tokens = {
        8 * places: "channels do not make tokens: a block holds all channels of its place",
        5 * 32 * 56: "that is every place of the latent; a token is a block of 2 x 2 of them",
        16 * 28: "those are the tokens of one frame; the clip has 5",
        places // 5 * 2: "blocks are 1 frame deep here: 5 frames give 5 layers of tokens",
        5 * 16 * 56: "only one side is divided by 2",
        5 * 32 * 28: "only one side is divided by 2",
        places**2: "those are the pairs; asked for first are the tokens",
    }
    if tokens == held and inside == places:
        pytest.fail("tokens and the numbers in each have changed places")
    for value, message in wrong_tokens.items():
        assert tokens != value, f"tokens = {tokens:g}: {message}"
    assert tokens == places, f"tokens = {tokens:g} is not what counting the blocks gives"
    wrong_inside = {
        8: "a token holds all *places* of its block too, 8 channels at each of them",
        1: "a token is a block, and holds all of its numbers",
        4: "each place of the block has 8 channels, and the token holds them all",
        16: "a block has 2 rows *and* 2 columns",
        12: "this latent has 8 channels, not a picture's 3",
        64: "a block is 1 frame deep here",
    }
    assert inside not in wrong_inside, f"numbers = {inside:g}: {wrong_inside.get(inside)}"
    assert inside == held, f"numbers = {inside:g} is not what a block holds"
    wrong_factor = {
        8: "that is how the tokens grow; pairs grow with their *square*",
        16: "frames double too: 8 times the tokens",
        4: "all three axes double, and pairs go with the square",
        2: "all three axes double, and pairs go with the square",
        6: "doubling three times multiplies: 2 · 2 · 2",
        512: "pairs go with the square of the tokens, not with the third power",
        36: "doubling three times is 2 · 2 · 2 = 8, and 8 · 8",
    }
    assert factor not in wrong_factor, f"factor = {factor:g}: {wrong_factor.get(factor)}"
    assert factor == 8**2, f"factor = {factor:g} is not how the pairs grow"


# ------------------------------------------------------------------------------------------- 00.8 adaln_zero


def block_answer(lab, x, shift, scale, gate, branch):
    said = "adaln_zero(x, shift, scale, gate, branch)"
    before = [part.clone() for part in (x, shift, scale, gate)]
    calls = []

    def counted(tokens):
        calls.append(tokens.detach().clone())
        assert tokens.shape == x.shape, f"branch is given {tuple(tokens.shape)} where x is {tuple(x.shape)}"
        return branch(tokens)

    got = attempt(said, lab.adaln_zero, x, shift, scale, gate, counted)
    untouched(said, *zip(("x", "shift", "scale", "gate"), (x, shift, scale, gate), before))
    got = tensor_of(said, got, x.shape)
    assert len(calls) == 1, f"branch is called {len(calls)} times; it should be called once"
    return got, calls[0]


def plain_norm(x, axis=-1, eps=1e-6):
    centred = x - x.mean(axis, keepdim=True)
    return centred / (centred.square().mean(axis, keepdim=True) + eps).sqrt()


def branch(tokens):
    """Not linear, and not the same for each channel."""
    return torch.tanh(tokens * torch.linspace(0.5, 2, tokens.shape[-1], dtype=tokens.dtype)) + 0.3


@exercise("adaln_zero", points=1, hint="With a gate of zero nothing is added to x.")
def test_adaln_starts_as_the_identity(lab, seed):
    """with shift, scale and gate at zero the branch reads the normed tokens, and x comes out as it went in"""
    x, zero = 3 * noise(seed, 2, 5, 6) + 1, torch.zeros(2, 6, dtype=torch.float64)
    got, read = block_answer(lab, x, zero, zero, zero, branch)
    assert not same(read, torch.zeros_like(read)), (
        "with scale = 0 the branch reads nothing but zeros: multiply by 1 + scale, not by scale"
    )
    assert not same(got, torch.zeros_like(got)), (
        "with gate = 0 the block is zero: the gate belongs to the branch's output, x itself passes"
    )
    assert not same(got, x + branch(read)), (
        "with gate = 0 the branch's output is added whole: multiply it by gate, not by 1 + gate"
    )
    assert not same(got, plain_norm(x)), "the *normed* tokens are passed on; x itself is what the branch is added to"
    expect("with shift = scale = gate = 0, what should be x itself", got, x)


@exercise("adaln_zero", points=2, hint="x + gate · branch(norm(x) · (1 + scale) + shift)")
def test_adaln_modulates(lab, seed):
    """the branch reads norm(x) (1 + scale) + shift, and its output comes in through the gate, each sample by its own"""
    x = 3 * noise(seed, 2, 5, 6) + 1
    shift, scale, gate = (noise(seed + n, 2, 6) for n in (1, 2, 3))
    got, read = block_answer(lab, x, shift, scale, gate, branch)
    normed, b, g = plain_norm(x), shift[:, None], scale[:, None]
    expect("what the branch reads", read, normed * (1 + g) + b, [
        ("scale multiplies alone; it should be 1 + scale", normed * g + b),
        ("x is not normed before it is modulated", x * (1 + g) + b),
        ("shift is added before the scaling, so it is scaled too", (normed + b) * (1 + g)),
        ("shift is missing", normed * (1 + g)),
        ("shift is subtracted", normed * (1 + g) - b),
        ("the norm runs over the tokens; layer norm runs over the last axis", plain_norm(x, 1) * (1 + g) + b),
        ("the norm does not subtract the mean: that is RMS norm",
         x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt() * (1 + g) + b),
        ("the norm runs over the tokens and the last axis together", plain_norm(x, (1, 2)) * (1 + g) + b),
        ("shift and scale have changed places", normed * (1 + b) + g),
        ("every sample gets the shift and scale of the first one", normed * (1 + g[:1]) + b[:1]),
        ("scale and shift are as zero", normed),
    ])  # fmt: skip
    out, a = branch(read), gate[:, None]
    expect("the result", got, x + a * out, [
        ("the gate multiplies x as well as the branch; it belongs to the branch alone", a * (x + out)),
        ("x is missing: a branch is *added* to what goes past it", a * out),
        ("the gate is not used", x + out),
        ("the gate is 1 + gate here; then the block is not the identity at the start", x + (1 + a) * out),
        ("the normed tokens are passed on in place of x", normed + a * out),
        ("the modulated tokens are passed on in place of x", read + a * out),
        ("the gate is mixed in both ways, (1 - gate) x + gate · branch; x passes whole", (1 - a) * x + a * out),
        ("the gate goes through a sigmoid, which is 1/2 at zero", x + a.sigmoid() * out),
        ("every sample gets the gate of the first one", x + a[:1] * out),
    ])  # fmt: skip


# ------------------------------------------------------------------------------------------- 00.9 merge_skip


@exercise("merge_skip", points=2, hint="Double each pixel along both sides, then torch.cat along the channels.")
def test_merge_skip(lab, seed):
    """every deep pixel becomes 2 x 2 equal ones, and the skip's channels stand behind"""
    deep, skip = noise(seed, 2, 3, 4, 5), noise(seed + 1, 2, 6, 8, 10)
    merged(lab, deep, skip)


@exercise("merge_skip", points=1, hint="Concatenate: the channels add up, the features do not.")
def test_merge_skip_with_as_many_channels(lab, seed):
    """also where deep and skip have the same number of channels, nothing is added up"""
    deep, skip = noise(seed, 3, 2, 3, 7), noise(seed + 1, 3, 2, 6, 14)
    merged(lab, deep, skip)


def merged(lab, deep, skip):
    said = "merge_skip(deep, skip)"
    before = deep.clone(), skip.clone()
    got = attempt(said, lab.merge_skip, deep, skip)
    untouched(said, ("deep", deep, before[0]), ("skip", skip, before[1]))
    large = deep[:, :, torch.arange(skip.shape[2]) // 2][..., torch.arange(skip.shape[3]) // 2]
    tall = tuple(deep.shape[:2]) + tuple(skip.shape[2:])
    wanted = (deep.shape[0], deep.shape[1] + skip.shape[1], *skip.shape[2:])
    if isinstance(got, torch.Tensor) and tuple(got.shape) == tall and tall != wanted:
        pytest.fail(
            f"{said} has {tall[1]} channels: the skip is added or left out; concatenated, there are {wanted[1]}"
        )
    small = (deep.shape[0], wanted[1], *deep.shape[2:])
    if isinstance(got, torch.Tensor) and tuple(got.shape) == small:
        pytest.fail(f"{said} is as small as deep: not the skip is made smaller, deep is made larger")
    got = tensor_of(said, got, wanted)
    first = got[:, : deep.shape[1]]
    if same(first, skip[:, : deep.shape[1]]) and same(got[:, skip.shape[1] :], large):
        pytest.fail(f"{said}: skip comes first; asked for are the channels of deep, then those of skip")
    rows, columns = torch.arange(skip.shape[2]), torch.arange(skip.shape[3])
    tiled = deep[:, :, rows % deep.shape[2]][..., columns % deep.shape[3]]
    holes = torch.zeros_like(large)
    holes[:, :, ::2, ::2] = deep
    smooth = [
        torch.nn.functional.interpolate(deep, scale_factor=2, mode=mode, align_corners=corners)
        for mode, corners in (("bilinear", False), ("bilinear", True), ("bicubic", False))
    ]
    expect(f"the deep part of {said}", first, large, [
        ("the picture is laid side by side in copies (repeat); each *pixel* should be widened", tiled),
        ("the pixels between are zero; each should be a block of 2 x 2 equal ones", holes),
        ("skip is added to it; concatenated, the two stay apart", large + skip[:, : deep.shape[1]]
         if skip.shape[1] >= deep.shape[1] else large),
        *[("it is interpolated between pixels; nearest makes blocks of equal ones", one) for one in smooth],
        ("it is spread thin: divided by 4, though nothing asks for the sum to stay", large / 4),
    ])  # fmt: skip
    expect(f"the skip part of {said}", got[:, deep.shape[1] :], skip, [
        ("it is not the skip as it came, but deep once more", large),
    ])  # fmt: skip


# ------------------------------------------------------------------------------------- 00.10 cross_attention


def attention_inputs(seed, length=7, size=1.0):
    q, k, v = size * noise(seed, 2, 5, 6), size * noise(seed + 1, 2, length, 6), noise(seed + 2, 2, length, 3)
    mask = torch.arange(length) < torch.tensor([[4], [length]])
    return q, k, v, mask


def attention_answer(lab, q, k, v, mask, said="cross_attention(q, k, v, mask)"):
    before = [part.clone() for part in (q, k, v, mask)]
    got = attempt(said, lab.cross_attention, q, k, v, mask)
    untouched(said, *zip(("q", "k", "v", "mask"), (q, k, v, mask), before))
    return tensor_of(said, got, (*q.shape[:2], v.shape[-1]))


def cut_off(q, k, v, mask):
    """Oracle: each query by itself, against the tokens that are text."""
    rows = []
    for b in range(len(q)):
        keys, values = k[b][mask[b]], v[b][mask[b]]
        for n in range(q.shape[1]):
            weights = (keys @ q[b, n] / q.shape[-1] ** 0.5).softmax(0)
            rows.append(weights @ values)
    return torch.stack(rows).unflatten(0, q.shape[:2])


@exercise("cross_attention", points=2, hint="Scores by √d, padding to -inf, softmax over the text.")
def test_attention_as_if_padding_were_cut_off(lab, seed):
    """the result is what it would be without padding"""
    q, k, v, mask = attention_inputs(seed)
    got = attention_answer(lab, q, k, v, mask)
    raw, keep = q @ k.transpose(1, 2), mask[:, None]
    scores = raw / 6**0.5
    hide = scores.masked_fill(~keep, -torch.inf)
    expect("cross_attention(q, k, v, mask)", got, cut_off(q, k, v, mask), [
        ("the scores are not divided by √d", raw.masked_fill(~keep, -torch.inf).softmax(-1) @ v),
        ("the scores are divided by d, not by √d", (raw / 6).masked_fill(~keep, -torch.inf).softmax(-1) @ v),
        ("the scores are divided by the root of the text's length; it is √d, a head's width",
         (raw / 7**0.5).masked_fill(~keep, -torch.inf).softmax(-1) @ v),
        ("the scores are divided by the root of e, the width of v; it is that of q and k",
         (raw / 3**0.5).masked_fill(~keep, -torch.inf).softmax(-1) @ v),
        ("the scores are multiplied by √d", (raw * 6**0.5).masked_fill(~keep, -torch.inf).softmax(-1) @ v),
        ("padding counts: the mask is not used", scores.softmax(-1) @ v),
        ("padding gets a score of 0, and e⁰ = 1 is a weight; it needs -inf",
         scores.masked_fill(~keep, 0).softmax(-1) @ v),
        ("padding is masked after the softmax, so the weights no longer add up to 1", (scores.softmax(-1) * keep) @ v),
        ("the mask is upside down: True is a token", scores.masked_fill(keep, -torch.inf).softmax(-1).nan_to_num() @ v),
        ("the softmax runs over the queries; the weights of each query must add up to 1",
         hide.softmax(1).nan_to_num() @ v),
        ("there is no softmax", hide.masked_fill(~keep, 0) @ v),
        ("every text gets the mask of the first one", scores.masked_fill(~keep[:1], -torch.inf).softmax(-1) @ v),
        ("the mask is *added* to the scores as 0 and 1; padding needs -inf", (scores + keep).softmax(-1) @ v),
    ])  # fmt: skip


@exercise("cross_attention", points=1, hint="Change the padding: nothing may move.")
def test_attention_does_not_see_padding(lab, seed):
    """what stands in the padding, however large, moves nothing; a token moves its own text's results and no others"""
    q, k, v, mask = attention_inputs(seed + 10)
    base = attention_answer(lab, q, k, v, mask)
    k2, v2 = k.clone(), v.clone()
    k2[0, 4:], v2[0, 4:] = 50.0, -300.0
    moved = (attention_answer(lab, q, k2, v2, mask) - base).abs().max().item()
    assert moved < 1e-9, f"other numbers in the padding move the result by {moved:.3g}: padding counts for something"
    v3 = v.clone()
    v3[1, 6] += 1
    change = (attention_answer(lab, q, k, v3, mask) - base).abs().amax(dim=(1, 2))
    assert change[1] > 1e-6, "the last token of the longer text moves nothing: it is left out"
    assert change[0] < 1e-9, "a token of one text moves the results of another"


@exercise("cross_attention", points=1, hint="torch's softmax subtracts the largest score first; e to the 800 is inf.")
def test_attention_with_large_scores(lab, seed):
    """scores in the hundreds, and padding beside scores far below zero: finite and right"""
    q, k, v, mask = attention_inputs(seed + 20, size=30.0)
    got = attention_answer(lab, q, k, v, mask, "cross_attention of large scores")
    expect("cross_attention of large scores", got, cut_off(q, k, v, mask), hidden_by_numbers(q, k, v, mask))
    k[0] = -400 * q[0, 0] / q[0, 0].norm()  # each token of this text scores far below zero with the first query
    k[0, 1] *= 1.001
    got = attention_answer(lab, q, k, v, mask, "cross_attention of scores far below zero")
    far_below = "cross_attention of scores far below zero"
    expect(far_below, got, cut_off(q, k, v, mask), hidden_by_numbers(q, k, v, mask))


def hidden_by_numbers(q, k, v, mask):
    """What numbers in place of -inf give."""
    scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
    return [
        (
            f"padding is hidden behind a score of {number:g}, and real scores reach below that; it needs -inf",
            scores.masked_fill(~mask[:, None], number).softmax(-1) @ v,
        )
        for number in (-1e2, -1e3, -1e4)
    ]


# -------------------------------------------------------------------------------- 00.11 accumulate_gradients


class Watched(torch.nn.Module):
    """A small network that counts how many samples come through in each call."""

    def __init__(self, seed):
        super().__init__()
        self.first, self.second = torch.nn.Linear(4, 6).double(), torch.nn.Linear(6, 3).double()
        with torch.no_grad():
            for n, p in enumerate(self.parameters()):
                p.copy_(noise(seed + n, *p.shape))
        self.calls = []

    def forward(self, x):
        self.calls.append(len(x))
        return self.second(torch.tanh(self.first(x)))


def gradients(model):
    return [None if p.grad is None else p.grad.clone() for p in model.parameters()]


def whole_batch(model, x, y, weights=None, reduce="mean"):
    """Oracle: the gradients with everything at once; `weights` of each sample instead of a plain mean."""
    errors = (model.second(torch.tanh(model.first(x))) - y).square()
    each = errors.mean(1) if reduce == "mean" else errors.sum(1)
    loss = each.mean() if weights is None else (each * weights).sum()
    return torch.autograd.grad(loss, list(model.parameters()))


def accumulated(lab, model, x, y, piece):
    said = f"accumulate_gradients(model, x, y, {piece}) of {len(x)} samples"
    before = [p.detach().clone() for p in model.parameters()]
    model.calls.clear()
    attempt(said, lab.accumulate_gradients, model, x, y, piece)
    for p, old in zip(model.parameters(), before):
        assert torch.equal(p, old), f"{said} changes the weights: it should leave gradients, and step no optimizer"
    assert model.calls, f"{said} never calls the model"
    assert max(model.calls) <= piece, f"{said} sends {max(model.calls)} samples through at once; {piece} is the most"
    assert sum(model.calls) >= len(x), f"{said}: only {sum(model.calls)} of {len(x)} samples go through the model"
    got = gradients(model)
    assert all(g is not None for g in got), f"{said} leaves parameters without a gradient: was backward called?"
    return said, got


def same_gradients(said, got, want, mistakes=()):
    if all(same(a, b) for a, b in zip(got, want)):
        return
    for message, others in mistakes:
        if all(same(a, b) for a, b in zip(got, others)):
            pytest.fail(f"{said}: {message}")
    ratio = (torch.cat([g.flatten() for g in got]).norm() / torch.cat([w.flatten() for w in want]).norm()).item()
    pytest.fail(f"{said}: the gradient is not the whole batch's; its length is {ratio:.3g} times the right one")


@exercise("accumulate_gradients", points=2, hint="A piece counts for as many samples as it has: len(piece) / len(x).")
def test_accumulation_equals_the_whole_batch(lab, seed):
    """in pieces of any size, the last one shorter, the gradient is the whole batch's"""
    for piece in (4, 3, 1, 20):
        model, x, y = Watched(seed), noise(seed + 7, 10, 4), noise(seed + 8, 10, 3)
        said, got = accumulated(lab, model, x, y, piece)
        sizes = [len(part) for part in x.split(piece)]
        each = torch.cat([torch.full((size,), 1 / size, dtype=torch.float64) for size in sizes])
        last, start = torch.zeros(10, dtype=torch.float64), torch.zeros(10, dtype=torch.float64)
        last[-sizes[-1] :], start[: sizes[0]] = 1 / sizes[-1], 1 / sizes[0]
        share = last * sizes[-1] / 10
        by_size = torch.full((10,), 1.0 / piece, dtype=torch.float64)
        same_gradients(said, got, whole_batch(model, x, y), [
            ("the pieces' means are added up; each is a mean of its own, so the sum is too long",
             whole_batch(model, x, y, each)),
            ("each piece counts the same, so the samples of a shorter last piece count for more",
             whole_batch(model, x, y, each / len(sizes))),
            ("the last piece only: the gradients are emptied inside the loop", whole_batch(model, x, y, last)),
            ("the last piece only: the gradients are emptied inside the loop", whole_batch(model, x, y, share)),
            ("the first piece only", whole_batch(model, x, y, start)),
            ("the number of pieces is rounded down, so the shorter last one is not counted",
             whole_batch(model, x, y, each / max(10 // piece, 1))),
            ("it divides by `piece`; the mean is over all samples", whole_batch(model, x, y, by_size)),
            ("the losses are summed, not averaged over the batch", whole_batch(model, x, y, 1 + 0 * each)),
            ("squares are summed over a sample's numbers, where their mean is asked for",
             whole_batch(model, x, y, reduce="sum")),
            ("its sign is the other one: the gradient points uphill", [-g for g in whole_batch(model, x, y)]),
        ])  # fmt: skip


@exercise("accumulate_gradients", points=1, hint="model.zero_grad() once, before the loop.")
def test_accumulation_starts_from_nothing(lab, seed):
    """what an earlier step left in the gradients is gone, and a second call gives the same again"""
    model, x, y = Watched(seed + 30), noise(seed + 37, 9, 4), noise(seed + 38, 9, 3)
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    want = whole_batch(model, x, y)
    said, got = accumulated(lab, model, x, y, 3)
    old = "the gradients of an earlier step are still in it: backward adds, so empty them first"
    same_gradients(said, got, want, [(old, [g + 1 for g in want])])
    said, got = accumulated(lab, model, x, y, 3)
    same_gradients(said + ", a second time", got, want, [(old, [2 * g for g in want])])


# ------------------------------------------------------------------------------------------ 00.12 flow_error


def flow_answer(lab, flow, target, valid, said="flow_error(flow, target, valid)"):
    before = [part.clone() for part in (flow, target, valid)]
    got = attempt(said, lab.flow_error, flow, target, valid)
    for name, now, old in zip(("flow", "target", "valid"), (flow, target, valid), before):
        assert torch.equal(now.nan_to_num(7.0), old.nan_to_num(7.0)), f"{said} changes its input {name} in place"
    if (isinstance(got, torch.Tensor) and got.ndim == 0) or isinstance(got, numbers.Real):
        pytest.fail(f"{said} is one number for the whole batch; asked for is one for each flow, ({len(flow)},)")
    return tensor_of(said, got, (len(flow),))


@exercise("flow_error", points=2, hint="The length of the difference for each pixel, then a mean over the valid ones.")
def test_flow_error_is_the_mean_length(lab, seed):
    """for each flow, the mean over its valid pixels of the length of the difference"""
    flow, target = 4 * noise(seed, 3, 2, 4, 5), 4 * noise(seed + 1, 3, 2, 4, 5)
    valid = noise(seed + 2, 3, 4, 5) > -0.4
    valid[:, 0, :2], valid[:, 1, 0] = True, False  # some of each, never as many in all three
    valid[1, 2] = False
    got = flow_answer(lab, flow, target, valid)
    off = flow - target
    count = valid.sum((1, 2))
    hit = off.square().sum(1).sqrt()

    def mean(values, number=count):
        return (values * valid).sum((1, 2)) / number

    expect("flow_error(flow, target, valid)", got, mean(hit), [
        ("it is the mean of |u| and |v| errors; the length is √(u² + v²)", mean(off.abs().mean(1))),
        ("it adds |u| and |v| errors: that is a walk along the grid, not the length √(u² + v²)",
         mean(off.abs().sum(1))),
        ("the root is missing: it is a mean of squares", mean(off.square().sum(1))),
        ("the root is taken after the mean: that is a root mean square", mean(off.square().sum(1)).sqrt()),
        ("u² and v² are averaged, not added, under the root", mean(off.square().mean(1).sqrt())),
        ("it is the difference of the two lengths: a flow the wrong way would be right",
         mean((flow.norm(dim=1) - target.norm(dim=1)).abs())),
        ("the signs cancel: u and v errors are added without a length", mean(off.sum(1))),
        ("pixels count that are not valid", hit.mean((1, 2))),
        ("it divides by all pixels, not by how many are valid", mean(hit, 20)),
        ("it is a sum, not a mean", mean(hit, 1)),
        ("valid is upside down: True is a pixel that counts", (hit * ~valid).sum((1, 2)) / (~valid).sum((1, 2))),
        ("it divides by twice the valid pixels: u and v belong to one pixel", mean(hit, 2 * count)),
        ("it divides by the valid pixels of the whole batch", mean(hit, count.sum())),
        ("only u is compared", mean(off[:, 0].abs())),
        ("only v is compared", mean(off[:, 1].abs())),
        ("it is the largest error, not the mean", (hit * valid).amax((1, 2))),
        ("it is divided by the length of the truth: asked for are pixels", mean(hit / target.norm(dim=1))),
    ])  # fmt: skip


@exercise("flow_error", points=1, hint="NaN · 0 is NaN: choose with torch.where or by indexing.")
def test_flow_error_does_not_read_what_is_not_valid(lab, seed):
    """what stands in the other pixels, NaN and infinity too, changes nothing"""
    flow, target = noise(seed + 5, 2, 2, 3, 6), noise(seed + 6, 2, 2, 3, 6)
    valid = torch.ones(2, 3, 6, dtype=torch.bool)
    valid[0, 1, 2:], valid[1, 2, :4] = False, False
    want = torch.stack([(flow[b] - target[b]).norm(dim=0)[valid[b]].mean() for b in range(2)])
    target[0, :, 1, 2:], target[1, :, 2, :4] = torch.nan, torch.inf
    got = attempt("flow_error", lab.flow_error, flow, target, valid)
    assert not (isinstance(got, torch.Tensor) and not got.isfinite().all()), (
        "NaN in a pixel that is not valid ends up in the result: NaN times 0 is NaN, so choose the pixels instead"
    )
    got = flow_answer(lab, flow, target, valid, "flow_error with NaN outside the valid pixels")
    expect("flow_error with NaN outside the valid pixels", got, want, [
        ("NaN is replaced, and then counted; those pixels should not count", torch.stack([
            (flow[b] - target[b].nan_to_num(0, 0, 0)).norm(dim=0).mean() for b in range(2)]))])  # fmt: skip
