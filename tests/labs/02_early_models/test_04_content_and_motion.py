"""Grader of lab 02.4, content and motion apart.

Every test has its own oracle: a loop, a formula of torch.distributions, a model made of a few numbers, or a theorem (a
mean does not know the order; what comes later does not move what came before). The library's parts are off limits
while this file runs.
"""

import math

import pytest
import torch

from common.course.grader_tools import attempt
from common.models.content_motion import ContentMotion
from common.models.gaussian import DiagonalGaussian
from common.models.motion_prior import Mixture

exercise = pytest.mark.exercise


def shape(x):
    return tuple(x.shape) if hasattr(x, "shape") else type(x).__name__


def randn(seed, *size):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


def same(a, b, tolerance=1e-4):
    return shape(a) == shape(b) and bool((a.double() - b.double()).abs().max() < tolerance)


# ---------------------------------------------------------------------------------------------- SplitHeads

F, DC, DM = 7, 4, 3


def make_heads(lab, seed):
    """The learner's class, with weights and biases that are not zero."""
    heads = attempt("SplitHeads(7, 4, 3)", lab.SplitHeads, F, DC, DM)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in heads.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return heads


def split_answer(heads, features):
    said = f"SplitHeads(7, 4, 3)(features {shape(features)})"
    got = attempt(said, heads, features)
    assert isinstance(got, (tuple, list)) and len(got) == 2, (
        f"{said} should return two things, the content's moments and the motion's; yours returned {shape(got)}"
    )
    batch, num_frames, _ = features.shape
    want = (batch, 2 * DC), (batch, 2 * DM, num_frames)
    assert (shape(got[0]), shape(got[1])) != want[::-1], "content and motion changed places: the content comes first"
    assert shape(got[1]) != (batch, num_frames, 2 * DM), (
        f"the motion's moments are {shape(got[1])}; frames come last, {want[1]}: let the last two axes change places"
    )
    assert shape(got[0]) != (batch, num_frames, 2 * DC), (
        f"there is a content code for every frame, {shape(got[0])}; one for the whole clip is asked for, {want[0]}: "
        "take the mean over the frames"
    )
    assert shape(got[0]) == want[0], f"the content's moments should be {want[0]}, not {shape(got[0])}"
    assert shape(got[1]) == want[1], f"the motion's moments should be {want[1]}, not {shape(got[1])}"
    return got


@exercise("SplitHeads", points=2, hint="self.content(features.mean(dim=1)): axis 1 is the frames.")
def test_split_content(lab, seed):
    """the content code comes from the mean of the features over the frames"""
    heads, features = make_heads(lab, seed), randn(seed + 1, 3, 5, F)
    got, _ = split_answer(heads, features)
    with torch.no_grad():
        known = {
            "the features were added up, not averaged: a longer clip then has a larger content": features.sum(1),
            "the content looks at the first frame alone": features[:, 0],
            "the content looks at the last frame alone": features[:, -1],
            "the content looks at the middle frame alone": features[:, 2],
            "the largest feature over the frames was taken; the mean is asked for": features.amax(1),
            "the median of the features was taken; the mean is asked for": features.median(1).values,
        }
        for message, pooled in known.items():
            assert not same(got, heads.content(pooled)), message
        assert not same(got, heads.content(features.mean((0, 1))).expand(3, -1)), (
            "the mean was taken over the batch too: every clip has the same content"
        )
        want = torch.stack([sum(heads.content(frame) for frame in clip) / 5 for clip in features])
    assert same(got, want), (
        "the content's moments should be self.content of the mean over the frames, for each clip by itself; yours are "
        f"off by up to {(got - want).abs().max():.3f}"
    )


@exercise("SplitHeads", points=2, hint='rearrange(self.motion(features), "b t d -> b d t")')
def test_split_motion(lab, seed):
    """each motion code comes from its own frame, through self.motion"""
    heads, features = make_heads(lab, seed), randn(seed + 2, 2, 5, F)
    _, got = split_answer(heads, features)
    with torch.no_grad():
        every = heads.motion(features)  # (B, T, 2 Dm)
        assert not same(got, every.reshape(2, 2 * DM, 5)), (
            "the motion codes were reshaped, which mixes numbers with frames: let the two axes change places "
            "(transpose, or rearrange)"
        )
        means = heads.motion(features.mean(1, keepdim=True)).expand(-1, 5, -1).transpose(1, 2)
        assert not same(got, means), (
            "every frame has the same motion code: each comes from its own frame, without a mean"
        )
        away = heads.motion(features - features.mean(1, keepdim=True)).transpose(1, 2)
        assert not same(got, away), (
            "the mean over the frames was taken off before self.motion: then every motion code depends on all frames"
        )
        steps = heads.motion(features.diff(dim=1, prepend=features[:, :1])).transpose(1, 2)
        assert not same(got, steps), "the motion codes come from differences of frames; each comes from its own frame"
        want = torch.stack([torch.stack([heads.motion(frame) for frame in clip], dim=1) for clip in features])
    assert same(got, want), (
        "frame t's motion moments should be self.motion of frame t's features; yours are off by up to "
        f"{(got - want).abs().max():.3f}"
    )


@exercise("SplitHeads", points=2, hint="A mean does not know the order; nothing else may look at more than one frame.")
def test_split_order(lab, seed):
    """frames in another order: the same content, and the motion codes in that order; any number of frames"""
    heads, features = make_heads(lab, seed), randn(seed + 3, 2, 9, F)
    content, motion = split_answer(heads, features)
    order = torch.tensor([3, 8, 0, 5, 1, 7, 4, 2, 6])
    content2, motion2 = split_answer(heads, features[:, order])
    assert same(content, content2), (
        "the frames in another order give another content, so the content knows the order (and with it the motion)"
    )
    assert same(motion[..., order], motion2), (
        "the frames in another order should give the same motion codes in that order"
    )
    content3, _ = split_answer(heads, features.repeat(1, 2, 1))
    assert same(content, content3), (
        "a clip shown twice over has another content: it depends on how many frames there are. take the mean, no sum"
    )
    split_answer(heads, features[:, :1])


@exercise("SplitHeads", points=1, hint="No axis but the frames' is averaged.")
def test_split_perturbed(lab, seed):
    """change one frame of one clip: its own motion code moves, and its clip's content; nothing else"""
    heads, features = make_heads(lab, seed), randn(seed + 4, 3, 5, F)
    changed = features.clone()
    changed[1, 2] += 1.0
    (content, motion), (content2, motion2) = split_answer(heads, features), split_answer(heads, changed)
    moved = (motion2 - motion).abs().amax(dim=1) > 1e-6  # (B, T)
    assert not moved[[0, 2]].any() and same(content[[0, 2]], content2[[0, 2]]), "a clip moved when another one changed"
    assert moved[1, 2], "frame 2 changed, and its motion code did not"
    assert moved.sum() == 1, (
        f"frame 2 changed, and the motion codes of frames {moved[1].nonzero().flatten().tolist()} moved"
    )
    assert not same(content[1], content2[1], 1e-6), "frame 2 changed, and the content did not: all frames count"
    changed.requires_grad_(True)
    for name, out in zip(("content", "motion"), split_answer(heads, changed)):
        grad = torch.autograd.grad(out.sum(), changed, retain_graph=True, allow_unused=True)[0]
        assert grad is not None and (grad.abs().sum(dim=2) > 0).all(), (
            f"no gradient reaches every frame's features from the {name}, so the encoder could not learn from it"
        )


# ---------------------------------------------------------------------------------------------- negative_elbo


def elbo_case(seed, num_drawn=4):
    content = DiagonalGaussian(randn(seed + 1, 2, 14))
    motion = DiagonalGaussian(randn(seed + 2, 2, 16, num_drawn))
    target = randn(seed + 3, 2, 3, num_drawn, 6, 5).clamp(-1, 1)
    return target + 0.3 * randn(seed + 4, *target.shape), target, ContentMotion(content, motion)


def slow_kl(dist):
    """Oracle: torch's own divergence, a sum over everything but the batch."""
    normal = torch.distributions.Normal
    each = torch.distributions.kl_divergence(normal(dist.mean, dist.std), normal(0.0, 1.0))
    return each.flatten(1).sum(1)


def elbo_answer(lab, restored, target, codes, **options):
    said = (
        f"negative_elbo(restored, target {shape(target)}, codes, "
        + ", ".join(f"{k}={v}" for k, v in options.items())
        + ")"
    )
    got = attempt(said, lab.negative_elbo, restored, target, codes, **options)
    assert isinstance(got, dict) and set(got) == {"pixels", "content", "motion"}, (
        f"{said} should return a dictionary of 'pixels', 'content' and 'motion', not "
        f"{sorted(got) if isinstance(got, dict) else shape(got)}"
    )
    for name, cost in got.items():
        assert torch.is_tensor(cost), f"{name} is a {type(cost).__name__}; a tensor (B,) is asked for"
        assert cost.ndim == 1 or cost.numel() > 1, (
            f"{name} is one number for the whole batch; each clip has its own cost: {(len(target),)}"
        )
        assert shape(cost) == (len(target),), (
            f"{name} should be {(len(target),)}, a number for each clip, not {shape(cost)}"
        )
    return got


@exercise("negative_elbo", points=2, hint="squares.sum over all axes but the batch, / (2 * pixel_std**2)")
def test_elbo_pixels(lab, seed):
    """the pixels cost the sum of their squared errors over 2 pixel_std²"""
    restored, target, codes = elbo_case(seed)
    got = elbo_answer(lab, restored, target, codes, num_frames=4, pixel_std=0.3)["pixels"]
    total = torch.stack([sum((a - b) ** 2 for a, b in zip(x.flatten(), y.flatten())) for x, y in zip(restored, target)])
    want, count = total / (2 * 0.3**2), target[0].numel()
    known = {
        "the mean of the squared errors was taken; the costs of all pixels add up: a sum": want / count,
        "pixel_std is not squared": total / (2 * 0.3),
        "the 2 of 2 pixel_std² is missing": total / 0.3**2,
        "pixel_std was not used": total,
        "pixel_std was not used: the default is in its place": total / (2 * 0.1**2),
        "the squared errors are multiplied by pixel_std² where they should be divided": total * 0.3**2 / 2,
        "the sum was multiplied by the number of frames; by num_frames / n, and here all are drawn, so by 1": 4 * want,
        "absolute errors were taken; squared ones are asked for": (restored - target).abs().flatten(1).sum(1)
        / (2 * 0.3**2),
        "the sign is wrong: what is returned are costs, the negative ELBO": -want,
        "the 2 stands inside the square: the errors are divided by 2 pixel_std², not by (2 pixel_std)²": want / 2,
        "the frames drawn are axis 2 of the target; here the channels were counted for them": want * 4 / 3,
        "the restored clips were held in [-1, 1] before they were compared: what is beyond is an error too": (
            restored.clamp(-1, 1) - target
        )
        .square()
        .flatten(1)
        .sum(1)
        / (2 * 0.3**2),
        "the constant of the normal distribution, log(pixel_std √2π) a pixel, is left out of the costs": (
            want + count * math.log(0.3 * math.sqrt(2 * math.pi))
        ),
    }
    for message, values in known.items():
        assert not same(got / want, values / want, 1e-3), message
    assert not same(got / want.sum(), torch.ones(2), 1e-3), "the clips were added up; each has its own cost"
    assert same(got / want, torch.ones(2), 1e-3), (
        f"with all frames drawn the pixels should cost {want.tolist()} nats, not {got.tolist()}"
    )


@exercise("negative_elbo", points=2, hint="codes.content.kl() and codes.motion.kl() are sums already: (B,)")
def test_elbo_codes(lab, seed):
    """each code costs its KL divergence, summed over all of its numbers"""
    restored, target, codes = elbo_case(seed)
    got = elbo_answer(lab, restored, target, codes, num_frames=4)
    content, motion = slow_kl(codes.content), slow_kl(codes.motion)
    assert not same(got["content"], motion, 1e-2), "the prices of content and motion changed places"
    assert not same(got["motion"], motion / 4, 1e-2), (
        "the motion codes cost the mean over the frames; each frame pays for its own: a sum"
    )
    assert not same(got["content"], content / 7, 1e-2) and not same(got["motion"], motion / 8, 1e-2), (
        "a code's price was averaged over its numbers; the prices of all numbers add up: a sum"
    )
    assert not same(got["content"], 4 * content, 1e-2), (
        "the content was paid in every frame; it is paid once: that is why what does not change ends up in it"
    )
    for name, cost, want in (("content", got["content"], content), ("motion", got["motion"], motion)):
        assert not same(cost, -want, 1e-2), f"{name}: the sign is wrong, a code costs something"
        assert same(cost, want, 1e-2), (
            f"with all frames drawn the {name} should cost its KL divergence, {want.tolist()} nats, not {cost.tolist()}"
        )


@exercise("negative_elbo", points=3, hint="share = num_frames / target.shape[2], times pixels and motion.")
def test_elbo_share(lab, seed):
    """4 of 9 frames: what is summed over frames is multiplied by 9/4, what is paid once is not"""
    restored, target, codes = elbo_case(seed, num_drawn=4)
    all_four = elbo_answer(lab, restored, target, codes, num_frames=4)
    got = elbo_answer(lab, restored, target, codes, num_frames=9)
    ratios = {name: (got[name] / all_four[name]).mean().item() for name in got}
    assert abs(ratios["content"] - 1) < 1e-3, (
        f"from 4 to 9 frames the content's price is multiplied by {ratios['content']:.2f}; it is paid once, however "
        "many "
        "frames there are"
    )
    for name in ("pixels", "motion"):
        assert abs(ratios[name] - 4 / 9) > 1e-3, f"{name}: the share is upside down; 4 frames stand for 9, so it is 9/4"
        assert abs(ratios[name] - 1) > 1e-3, (
            f"{name}: 4 frames stand for 9 (num_frames), so their sum is multiplied by 9/4"
        )
        assert abs(ratios[name] - 9) > 1e-2 and abs(ratios[name] - 9 / 4) < 1e-3, (
            f"{name}: from 4 to 9 frames the price is multiplied by {ratios[name]:.2f}, not by 9/4"
        )


@exercise("negative_elbo", points=1, hint="Average over the drawn frames what you can, and compare.")
def test_elbo_unbiased(lab, seed):
    """the mean over all choices of one frame is the cost of the whole clip"""
    restored, target, codes = elbo_case(seed, num_drawn=5)
    whole = elbo_answer(lab, restored, target, codes, num_frames=5)
    moments = torch.cat([codes.motion.mean, codes.motion.logvar], dim=1)
    ones = []
    for t in range(5):
        part = ContentMotion(codes.content, DiagonalGaussian(moments[:, :, t : t + 1]))
        ones.append(elbo_answer(lab, restored[:, :, t : t + 1], target[:, :, t : t + 1], part, num_frames=5))
    for name in whole:
        mean = torch.stack([one[name] for one in ones]).mean(0)
        assert same(mean / whole[name], torch.ones(2), 1e-3), (
            f"{name}: estimated from one frame at a time the mean is {mean.tolist()}, the whole clip costs "
            f"{whole[name].tolist()}. It should be the same: pixels and motion times num_frames / n, content once"
        )


@exercise("negative_elbo", points=1, hint=".float() before the squares: half precision adds up no thousands of them.")
def test_elbo_gradient(lab, seed):
    """gradients flow, and half precision goes in"""
    _, _, codes = elbo_case(seed, 3)
    target = 0.8 * torch.ones(2, 3, 3, 90, 110, dtype=torch.float16)
    restored = target - torch.tensor([1.0, 1.25], dtype=torch.float16)[:, None, None, None, None]
    got = elbo_answer(lab, restored, target, codes, num_frames=3, pixel_std=0.5)["pixels"]
    want = (restored.double() - target.double()).square().flatten(1).sum(1) / (2 * 0.5**2)
    assert torch.isfinite(got).all() and same(got / want, torch.ones(2), 2e-3), (
        f"in half precision, whose numbers end at 65504, the pixels cost {got.tolist()} nats: compute in float32"
    )
    restored, target, _ = elbo_case(seed)
    moments = {"content": randn(seed + 1, 2, 14), "motion": randn(seed + 2, 2, 16, 4)}
    for leaf in (restored, *moments.values()):
        leaf.requires_grad_(True)
    codes = ContentMotion(*(DiagonalGaussian(leaf) for leaf in moments.values()))
    costs = elbo_answer(lab, restored, target, codes, num_frames=8, pixel_std=0.2)
    assert costs["pixels"].requires_grad, "no gradient reaches the restored clips, so nothing could be trained"
    (grad,) = torch.autograd.grad(costs["pixels"].sum(), restored)
    assert same(grad, 2 * (restored - target) / 0.2**2, 1e-2), (
        "the gradient of the pixels' cost is not 2 (restored - target) / pixel_std² for 4 of 8 frames"
    )
    for name in moments:
        assert costs[name].requires_grad, (
            f"no gradient reaches the {name} codes from their price: they would cost nothing"
        )


# ---------------------------------------------------------------------------------------------- swap_motion


class Draws:
    """A distribution whose most likely value is known, and whose draws are far from it."""

    def __init__(self, value):
        self.value = self.mean = value

    def mode(self):
        return self.value

    def sample(self, generator=None):
        return self.value + 100 + torch.rand(self.value.shape, generator=generator)


class Decoded:
    def __init__(self, sample):
        self.sample = sample


class Toy(torch.nn.Module):
    """Content: a clip's mean colour, `(B, 3)`. Motion: each frame's largest red, `(B, 1, T)`. A clip is their sum."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(scale))

    def encode(self, sample):
        return ContentMotion(Draws(self.scale * sample.mean((2, 3, 4))), Draws(self.scale * sample[:, :1].amax((3, 4))))

    def decode(self, content, motion):
        assert content.ndim == 2 and motion.ndim == 3, (
            "decode takes the content (B, Dc) first and the motion (B, Dm, T) second, not "
            f"{shape(content)}, {shape(motion)}"
        )
        return Decoded((content[:, :, None] + motion)[..., None, None].repeat(1, 1, 1, 4, 6))


def toy_swap(content_of, motion_of):
    """Oracle."""
    frames = []
    for t in range(motion_of.shape[2]):
        frames.append(content_of.mean((2, 3, 4)) + motion_of[:, :1, t].amax((2, 3)))
    return torch.stack(frames, dim=2)[..., None, None].expand(-1, -1, -1, 4, 6)


def swap_answer(lab, model, content_of, motion_of):
    said = f"swap_motion(model, content_of {shape(content_of)}, motion_of {shape(motion_of)})"
    got = attempt(said, lab.swap_motion, model, content_of, motion_of)
    assert torch.is_tensor(got), f"{said} returned {type(got).__name__}; the clips themselves are asked for: .sample"
    return got


@exercise("swap_motion", points=2, hint="content from content_of, motion from motion_of")
def test_swap_roles(lab, seed):
    """content from the first clips, motion from the second"""
    a, b = 0.2 * randn(seed, 2, 3, 5, 4, 6), 0.2 * randn(seed + 1, 2, 3, 5, 4, 6) + 0.1
    got = swap_answer(lab, Toy(), a, b)
    known = {
        "the roles are exchanged: the content is that of motion_of": toy_swap(b, a),
        "nothing was swapped: content and motion are both those of content_of": toy_swap(a, a),
        "content and motion are both those of motion_of": toy_swap(b, b),
    }
    for message, clip in known.items():
        assert not same(got, clip), message
    want = toy_swap(a, b)
    assert (got - want).abs().max() < 50, "a draw of the codes was taken, or held at the border; mode() is asked for"
    assert same(got, want), f"the swapped clips are off by up to {(got - want).abs().max():.2f}"


@exercise("swap_motion", points=1, hint=".mode(), not .sample()")
def test_swap_most_likely(lab, seed):
    """the most likely codes, so the same clips every time"""
    a, b = 0.1 * randn(seed, 1, 3, 4, 4, 6), 0.1 * randn(seed + 1, 1, 3, 4, 4, 6)
    got = swap_answer(lab, Toy(), a, b)
    assert (got < 0.99).any(), "the codes were drawn with sample(), which adds noise: take mode(), the most likely ones"
    assert same(got, swap_answer(lab, Toy(), a, b), 1e-6), "twice the same clips give two results: take mode(), no draw"


@exercise("swap_motion", points=1, hint="Nothing has to be cut: content is (B, Dc), whatever the length.")
def test_swap_lengths(lab, seed):
    """two clips of different lengths: the result is as long as the one that gives the motion"""
    for long, short in ((7, 3), (3, 7)):
        a, b = 0.1 * randn(seed, 2, 3, long, 4, 6), 0.1 * randn(seed + 1, 2, 3, short, 4, 6)
        got = swap_answer(lab, Toy(), a, b)
        assert got.shape[2] == short, (
            f"content of {long} frames, motion of {short}: the result has {got.shape[2]} frames, not {short}"
        )
        assert same(got, toy_swap(a, b)), (
            f"content of {long} frames, motion of {short}: frames were cut off before encoding"
        )


@exercise("swap_motion", points=1, hint=".clamp(-1, 1) at the end, and @torch.no_grad() above the function")
def test_swap_held(lab, seed):
    """held in [-1, 1], without a gradient, and the clips that came in are left alone"""
    colors = torch.tensor([-0.4, 0.02, 0.4])[:, None, None, None]  # far too dark, inside, far too bright
    a, b = colors + 0.1 * randn(seed, 2, 3, 5, 4, 6), 0.05 * randn(seed + 1, 2, 3, 5, 4, 6)
    kept = a.clone(), b.clone()
    got = swap_answer(lab, Toy(5.0), a, b)
    assert got.abs().max() <= 1, f"pixels reach {got.abs().max():.1f}: hold the result in [-1, 1]"
    assert got.min() < -0.5 or got.max() > 0.5, (
        "the result is squeezed together; clamp cuts off what lies outside [-1, 1]"
    )
    assert same(got, torch.clamp(5 * toy_swap(a, b), -1, 1), 1e-3), "what lies inside [-1, 1] should stay as it is"
    assert not got.requires_grad, "the result carries a gradient: put @torch.no_grad() above the function"
    assert torch.equal(a, kept[0]) and torch.equal(b, kept[1]), "swap_motion changed the clips it was given"


# ---------------------------------------------------------------------------------------------- mixture_log_prob


def mixture_case(seed, batch=2, num_frames=4, components=3, dim=5):
    return (
        Mixture(
            2 * randn(seed, batch, num_frames, components),
            randn(seed + 1, batch, num_frames, components, dim),
            0.5 * randn(seed + 2, batch, num_frames, components, dim) - 0.3,
        ),
        randn(seed + 3, batch, dim, num_frames),
    )


def peer_log_prob(mixture, motion):
    """Oracle: torch.distributions, in double precision."""
    from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

    parts = Independent(Normal(mixture.mean.double(), mixture.log_std.double().exp()), 1)
    return MixtureSameFamily(Categorical(logits=mixture.logits.double()), parts).log_prob(
        motion.double().transpose(1, 2)
    )


def log_prob_answer(lab, mixture, motion):
    said = f"mixture_log_prob(mixture, motion {shape(motion)})"
    got = attempt(said, lab.mixture_log_prob, mixture, motion)
    batch, _, num_frames = motion.shape
    assert torch.is_tensor(got), f"{said} returned {type(got).__name__}; a tensor is asked for"
    assert got.ndim != 0, "one number for everything; each frame of each clip has its own, (B, T)"
    assert shape(got) != (batch,), (
        "the frames were added up or averaged; each frame has its own log-probability, (B, T)"
    )
    assert shape(got) == (batch, num_frames), f"{said} should be {(batch, num_frames)}, not {shape(got)}"
    return got


@exercise("mixture_log_prob", points=2, hint="-0.5 * ((z - mean) / std)**2 - log_std - 0.5 * log(2 π), summed over D")
def test_mixture_single(lab, seed):
    """one component: the log-density of a normal distribution"""
    mixture, motion = mixture_case(seed, components=1)
    got, want = log_prob_answer(lab, mixture, motion).double(), peer_log_prob(mixture, motion)
    z = motion.double().transpose(1, 2)
    mean, log_std = mixture.mean[:, :, 0].double(), mixture.log_std[:, :, 0].double()
    square = ((z - mean) / log_std.exp()).square()
    constant = 0.5 * math.log(2 * math.pi)
    known = {
        "the constant, ½ log 2π for each of the D numbers, is missing": (-0.5 * square - log_std).sum(-1),
        "the constant was taken off once; each of the D numbers has its own": want + 4 * constant,
        "the codes were reshaped, which mixes numbers with frames: let the two axes change places (transpose, or "
        "rearrange)": (
            -0.5 * ((motion.double().reshape(2, 4, 5) - mean) / log_std.exp()).square() - log_std - constant
        ).sum(-1),
        "log_std is missing: a wider normal is lower at its middle": (-0.5 * square - constant).sum(-1),
        "log_std was taken for the logarithm of the variance": (
            -0.5 * (z - mean) ** 2 / log_std.exp() - 0.5 * log_std - constant
        ).sum(-1),
        "log_std was taken for the standard deviation itself: it is its logarithm": (
            -0.5 * ((z - mean) / log_std).square() - log_std.abs().log() - constant
        ).sum(-1),
        "the ½ before the square is missing": (-square - log_std - constant).sum(-1),
        "the numbers of a code were averaged; their log-densities add up": (-0.5 * square - log_std - constant).mean(
            -1
        ),
        "the sign is wrong: log-probabilities are asked for, not costs": -want,
        "the sign of log_std is wrong: a wider normal is lower at its middle": (-0.5 * square + log_std - constant).sum(
            -1
        ),
    }
    if same(got, want, 1e-3):
        return
    for message, values in known.items():
        assert not same(got, values, 1e-3), message
    pytest.fail(
        f"with one component the log-probability of frame 0 of clip 0 is {want[0, 0]:.3f} nats, a normal's; yours is "
        f"{got[0, 0]:.3f}"
    )


@exercise("mixture_log_prob", points=3, hint="torch.logsumexp(logits.log_softmax(-1) + each.sum(-1), dim=-1)")
def test_mixture_several(lab, seed):
    """several components: log of the sum of their shares times densities"""
    mixture, motion = mixture_case(seed)
    got, want = log_prob_answer(lab, mixture, motion).double(), peer_log_prob(mixture, motion)
    if same(got, want, 1e-3):
        return
    normal = torch.distributions.Normal(mixture.mean.double(), mixture.log_std.double().exp())
    each = normal.log_prob(motion.double().transpose(1, 2)[:, :, None])  # (B, T, K, D)
    logits = mixture.logits.double()
    shares = logits.log_softmax(-1)
    known = {
        "the logits were added as they are; they are no log-probabilities yet: log_softmax": (
            logits + each.sum(-1)
        ).logsumexp(-1),
        "the softmax is missing its logarithm: add log π, not π": (logits.softmax(-1) + each.sum(-1)).logsumexp(-1),
        "the shares π of the components are missing": each.sum(-1).logsumexp(-1),
        "all components got the same share; π is the softmax of the logits": (each.sum(-1) - math.log(3)).logsumexp(-1),
        "each number of a code got a mixture of its own: sum over D first, then over the components": (
            shares[..., None] + each
        )
        .logsumexp(2)
        .sum(-1),
        "the log-densities were averaged by their shares; it is the log of the averaged densities": (
            shares.exp() * each.sum(-1)
        ).sum(-1),
        "only the best component was counted; all of them add up (logsumexp)": (shares + each.sum(-1)).amax(-1),
        "the logarithm is missing: that is the probability": want.exp(),
        "the softmax of the logits was taken over the frames; it is over the components": (
            logits.log_softmax(1) + each.sum(-1)
        ).logsumexp(-1),
        "the sign is wrong: log-probabilities are asked for, not costs": -want,
        "the log-densities of the components were added up; it is their densities that add up": (
            shares + each.sum(-1)
        ).sum(-1),
    }
    for message, values in known.items():
        assert not same(got, values, 1e-3), message
    pytest.fail(f"frame 0 of clip 0 has the log-probability {want[0, 0]:.3f} nats; yours is {got[0, 0]:.3f}")


@exercise("mixture_log_prob", points=1, hint="torch.logsumexp, and no exp of a log-density anywhere")
def test_mixture_far(lab, seed):
    """a code far from every component is very improbable, and not infinitely so; half precision goes in"""
    mixture, motion = mixture_case(seed)
    far = motion + 60
    got, want = log_prob_answer(lab, mixture, far).double(), peer_log_prob(mixture, far)
    assert torch.isfinite(got).all(), (
        f"60 away from the components the log-probability is {got[0, 0].item()}, where it should be {want[0, 0]:.0f}: "
        "exp of it is 0 in float32, and log(0) is no number. torch.logsumexp takes the largest out first"
    )
    assert same(got / want, torch.ones_like(got), 1e-3), (
        f"far away it should be {want[0, 0]:.0f} nats, not {got[0, 0]:.0f}"
    )
    half = Mixture(*(part.half() for part in (mixture.logits, mixture.mean, mixture.log_std)))
    got = log_prob_answer(lab, half, motion.half())
    want = peer_log_prob(half, motion.half())
    assert got.dtype == torch.float32 and same(got, want, 0.02), (
        f"in half precision the result is off by up to {(got.double() - want).abs().max():.2f}, as {got.dtype}: "
        "compute in float32"
    )


@exercise("mixture_log_prob", points=1, hint="No sum over the frames, and none over the batch.")
def test_mixture_frames(lab, seed):
    """change one frame's code: that frame's log-probability moves, no other one"""
    mixture, motion = mixture_case(seed, batch=3, num_frames=6, components=2, dim=4)
    changed = motion.clone()
    changed[1, :, 4] += 0.7
    moved = (log_prob_answer(lab, mixture, motion) - log_prob_answer(lab, mixture, changed)).abs() > 1e-5
    where = moved.nonzero().tolist()
    assert where == [[1, 4]], f"frame 4 of clip 1 changed, and the log-probabilities at (clip, frame) {where} moved"
    mixture.mean.requires_grad_(True)
    got = log_prob_answer(lab, mixture, motion)
    assert got.requires_grad, "no gradient reaches the mixture, so a prior could not be trained"


# ---------------------------------------------------------------------------------------------- MotionPrior

D, K = 3, 4


def make_prior(lab, seed, spread=1.0, hidden=6):
    """The learner's class, with weights that matter and a start that is not zero."""
    prior = attempt("MotionPrior(3, 6, 4)", lab.MotionPrior, D, hidden, K)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(prior.named_parameters()):
            parameter.copy_(spread * torch.randn(parameter.shape, generator=generator))
            if name == "mixture.bias":
                parameter.view(K, 1 + 2 * D)[:, 1 + D :] -= 9.0  # narrow components
    return prior


def prior_answer(prior, motion):
    said = f"MotionPrior(3, 6, 4)(motion {shape(motion)})"
    got = attempt(said, prior, motion)
    assert all(hasattr(got, name) for name in ("logits", "mean", "log_std")), (
        f"{said} should return a Mixture (self.read_out makes one), not {type(got).__name__}"
    )
    batch, _, num_frames = motion.shape
    want = (batch, num_frames, K, D)
    assert shape(got.mean) == want, (
        f"{said}: the means should be {want}, a mixture for each of T frames, not {shape(got.mean)}"
    )
    return got


def moved_frames(a, b, clip):
    """Which frames' mixtures differ."""
    away = (a.mean - b.mean).abs().amax(dim=(2, 3)) + (a.logits - b.logits).abs().amax(2)
    return (away[clip] > 1e-6).nonzero().flatten().tolist()


@exercise("MotionPrior", points=3, hint="before = torch.cat([start, z[:, :-1]], dim=1): frame t meets code t - 1.")
def test_prior_looks_back(lab, seed):
    """change frame k's code: the mixtures up to frame k stay, all later ones move"""
    prior, motion = make_prior(lab, seed, 0.6), randn(seed + 1, 2, D, 7)
    before = prior_answer(prior, motion)
    for k in (3, 0, 6):
        changed = motion.clone()
        changed[1, :, k] += 0.5
        after = prior_answer(prior, changed)
        moved = moved_frames(before, after, 1)
        assert not moved_frames(before, after, 0), f"clip 1 changed in frame {k}, and clip 0's mixtures moved"
        early = [t for t in moved if t < k]
        assert not early, (
            f"frame {k}'s code changed, and the mixtures of earlier frames {early} moved: frame 0 comes from "
            "self.start, "
            "not from the last frame, and time runs forward"
        )
        assert k not in moved, (
            f"frame {k}'s code changed, and its own mixture moved: the network is shown what it should foretell. Shift "
            "the codes by one frame"
        )
        assert k > 4 or moved != list(range(k + 2, 7)), (
            f"frame {k}'s code changed, and frame {k + 1}'s mixture did not: the codes are shifted by two frames. One "
            "is right"
        )
        assert moved == list(range(k + 1, 7)), (
            f"frame {k}'s code changed, and the mixtures of frames {moved} moved; all from {k + 1} to 6 should: the "
            "state "
            "remembers"
        )


@exercise("MotionPrior", points=2, hint="self.start.expand(len(z), 1, -1) is what frame 0 meets.")
def test_prior_start(lab, seed):
    """frame 0 comes from self.start alone: the same mixture for every clip"""
    prior, motion = make_prior(lab, seed, 0.6), randn(seed + 1, 3, D, 4)
    got = prior_answer(prior, motion)
    assert same(got.mean[0, 0], got.mean[2, 0], 1e-5), (
        "frame 0's mixture differs from clip to clip, and nothing was seen yet"
    )
    with torch.no_grad():
        out, _ = prior.rnn(prior.start[None, None])
        step = prior.mixture(out).reshape(K, 1 + 2 * D)[:, 1 : 1 + D]
        zero, _ = prior.rnn(torch.zeros(1, 1, D))
        zero = prior.mixture(zero).reshape(K, 1 + 2 * D)[:, 1 : 1 + D]
    assert not same(got.mean[0, 0], zero, 1e-4), "frame 0 meets zeros; it should meet self.start, which is learned"
    assert same(got.mean[0, 0], prior.start + step, 1e-4), (
        "frame 0's means should be self.start plus the step that the network makes of it: give self.start to the GRU, "
        "and "
        "to read_out as the code before"
    )
    (grad,) = torch.autograd.grad(prior_answer(prior, motion).mean.sum(), prior.start, allow_unused=True)
    assert grad is not None and (grad.abs() > 0).any(), "no gradient reaches self.start, so it could not be learned"


@exercise("MotionPrior", points=2, hint="states, _ = self.rnn(before); return self.read_out(states, before)")
def test_prior_steps(lab, seed):
    """all frames at once equal one frame after the other"""
    prior, motion = make_prior(lab, seed, 0.6), randn(seed + 2, 2, D, 5)
    got = prior_answer(prior, motion)
    with torch.no_grad():
        code, state, means, logits = prior.start.expand(2, 1, -1), None, [], []
        for t in range(5):
            out, state = prior.rnn(code, state)
            mixture = prior.mixture(out).reshape(2, K, 1 + 2 * D)
            means.append(code + mixture[..., 1 : 1 + D])
            logits.append(mixture[..., 0])
            code = motion[:, None, :, t]
        means, logits = torch.stack(means, 1), torch.stack(logits, 1)
        mixed = motion.reshape(2, 5, D)  # numbers and frames mixed up
        before = torch.cat([prior.start.expand(2, 1, -1), mixed[:, :-1]], 1)
        mixed = prior.read_out(prior.rnn(before)[0], before)
    assert not same(got.mean, mixed.mean, 1e-3), (
        "the codes were reshaped, which mixes numbers with frames: let the two axes change places (transpose, or "
        "rearrange)"
    )
    own = got.mean - means
    ahead = (
        motion.transpose(1, 2)[:, :, None]
        - torch.cat([prior.start.expand(2, 1, -1), motion.transpose(1, 2)[:, :-1]], 1)[:, :, None]
    )
    assert not same(own, ahead.expand_as(own), 1e-3), (
        "read_out was given the codes themselves; its means are steps away from the code *before*"
    )
    assert same(got.mean, means, 1e-3) and same(got.logits, logits, 1e-3), (
        "the mixtures are not those of the GRU that reads start, code 0, code 1, … frame after frame; the means are "
        "off "
        f"by up to {own.abs().max():.3f}"
    )


def sample_answer(prior, num_clips, num_frames, seed):
    said = f"prior.sample({num_clips}, {num_frames}, generator)"
    got = attempt(said, prior.sample, num_clips, num_frames, torch.Generator().manual_seed(seed))
    assert torch.is_tensor(got), f"{said} returned {type(got).__name__}; a tensor is asked for"
    assert shape(got) != (num_clips, num_frames, D), (
        f"{said} is {shape(got)}; frames come last: {(num_clips, D, num_frames)}"
    )
    assert shape(got) == (num_clips, D, num_frames), f"{said} should be {(num_clips, D, num_frames)}, not {shape(got)}"
    return got


@exercise("MotionPrior", points=3, hint="code goes back in, and so does state: out, state = self.rnn(code, state)")
def test_prior_sample_follows(lab, seed):
    """each drawn code lies on a component of its mixture, given the codes drawn before it"""
    prior = make_prior(lab, seed, 0.6)
    got = sample_answer(prior, 5, 6, seed)
    assert not same(got[:, :, 0], prior.start.expand(5, -1), 1e-4), (
        "sample gives self.start as the first frame; it is only what frame 0 meets: draw frame 0 from its mixture"
    )
    with torch.no_grad():
        mixture = lab.MotionPrior.forward(prior, got)
        away = (got.transpose(1, 2)[:, :, None] - mixture.mean).abs() / mixture.log_std.exp()  # (B, T, K, D)
        off = away.amax(-1).amin(-1) > 7  # (B, T): no component near
        if not off.any():
            return
        first = int(off.any(0).nonzero()[0])
        # What the codes would be with a mistake: a state begun anew, or a code that was not given back.
        before = torch.cat([prior.start.expand(5, 1, -1), got.transpose(1, 2)[:, :-1]], 1)
        anew = torch.stack([prior.rnn(before[:, t : t + 1])[0][:, 0] for t in range(6)], 1)
        forgets = prior.read_out(anew, before)
        near = ((got.transpose(1, 2)[:, :, None] - forgets.mean).abs() / forgets.log_std.exp()).amax(-1).amin(-1) <= 7
        zeros = torch.zeros(5, 1, D)
        zero = prior.read_out(prior.rnn(zeros)[0], zeros)
        near_zero = ((got[:, None, None, :, 0] - zero.mean).abs() / zero.log_std.exp()).amax(-1).amin(-1) <= 7
    assert not near.all(), (
        "in sample the state begins anew in every frame: carry it along, or the motion forgets where it was going"
    )
    assert first or not near_zero.all(), (
        "sample gives zeros to the network before frame 0; it should give it self.start"
    )
    pytest.fail(
        f"from frame {first} on the drawn codes lie on no component of the mixtures that forward gives for the same "
        "codes: "
        "in sample, feed back the code that was drawn, and the state"
    )


@exercise("MotionPrior", points=2, hint="self.read_out(out, code).sample(generator)")
def test_prior_sample_draws(lab, seed):
    """samples differ from each other, are drawn from the generator, and have any length"""
    prior = make_prior(lab, seed, 0.6)
    with torch.no_grad():
        prior.mixture.bias.view(K, 1 + 2 * D)[:, 1 + D :] += 9.0  # wide components
    got = sample_answer(prior, 6, 5, seed)
    assert not same(got[0], got[1], 1e-6) and not same(got[2], got[5], 1e-6), (
        "all clips have the same motion: draw a code for each of num_clips, from the mixture, not its mean"
    )
    assert same(got, sample_answer(prior, 6, 5, seed), 1e-6), (
        "the same generator gives another motion: hand generator on to mixture.sample"
    )
    assert not same(got, sample_answer(prior, 6, 5, seed + 1), 1e-6), (
        "another seed gives the same motion: nothing is drawn"
    )
    assert not got.requires_grad, "the samples carry a gradient: leave @torch.no_grad() above sample"
    sample_answer(prior, 1, 1, seed)
    sample_answer(prior, 2, 14, seed)


@exercise("MotionPrior", points=1, hint="Mixture.sample draws a component by its share, then a code from that one.")
def test_prior_sample_shares(lab, seed):
    """each component is drawn as often as its share says, and as wide as its log_std says"""
    prior, shares, log_std = make_prior(lab, seed), torch.tensor([0.15, 0.5, 0.05, 0.3]), -1.2
    means = 10 * torch.arange(K)[:, None] * torch.tensor([1.0, -1.0, 0.5])  # (K, D): far apart
    with torch.no_grad():
        prior.start.zero_()
        prior.mixture.weight.zero_()
        prior.mixture.bias.copy_(torch.cat([shares.log()[:, None], means, log_std + 0 * means], dim=1).flatten())
    got = sample_answer(prior, 400, 1, seed)[:, :, 0]  # (400, D)
    away = got[:, None] - means
    which = away.square().sum(-1).argmin(1)
    drawn = which.bincount(minlength=K) / 400
    assert drawn[1] < 1, "only the likeliest component is ever drawn: draw one by its share, as mixture.sample does"
    assert (drawn - shares).abs().max() < 0.125, (  # five standard deviations
        f"the components' shares are {shares.tolist()}, and of 400 draws they had {drawn.tolist()}"
    )
    spread = away[torch.arange(400), which].std()
    assert abs(spread / math.exp(log_std) - 1) < 0.15, (
        f"within a component the draws have a spread of {spread:.2f}; its standard deviation, exp(log_std), is "
        f"{math.exp(log_std):.2f}: add noise of that size to its mean"
    )


# ---------------------------------------------------------------------------------------------- the outcome


def walks(generator, num_clips, num_frames=6):
    """Things that go straight on, any way, at one speed each, from anywhere: `(B, 2, T)`, with a little noise."""
    way = 2 * math.pi * torch.rand(num_clips, generator=generator)
    speed = 0.6 + 0.4 * torch.rand(num_clips, generator=generator)
    velocity = speed[:, None] * torch.stack([way.cos(), way.sin()], dim=1)  # (B, 2)
    begin = 0.5 * torch.randn(num_clips, 2, generator=generator)
    path = begin[:, :, None] + velocity[:, :, None] * torch.arange(num_frames)
    return path + 0.05 * torch.randn(path.shape, generator=generator)


def nats_after_training(prior_class, log_prob, seed, steps=60):
    """Train a prior on walks, and say how surprising frames 2 to 4 of new ones are, nats a frame.

    From frame 2 on one can know which way a thing goes. The judge is torch.distributions, whatever trained the prior.
    """
    torch.manual_seed(seed)
    prior = prior_class(2, 24, 4)
    optimizer = torch.optim.AdamW(prior.parameters(), lr=2e-2, betas=(0.9, 0.95))
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        batch = walks(generator, 48, 5)
        loss = -log_prob(prior(batch), batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        new = walks(generator, 300, 5)
        mixture = prior(new)
        one = torch.distributions.Independent(torch.distributions.Normal(mixture.mean, mixture.log_std.exp()), 1)
        every = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=mixture.logits), one)
        return -every.log_prob(new.transpose(1, 2))[:, 2:].mean().item()


ENOUGH = -0.5  # nats a frame; calibration_04_content_and_motion.json


@exercise(
    "MotionPrior",
    points=3,
    needs=("mixture_log_prob",),
    hint="Both parts together: is the likelihood that of the next frame?",
)
def test_prior_learns(lab, seed):
    """trained by your likelihood, your prior foresees walks that it never saw"""
    nats = attempt(
        "training your prior with your mixture_log_prob",
        nats_after_training,
        lab.MotionPrior,
        lab.mixture_log_prob,
        seed,
    )
    assert math.isfinite(nats), "after training the likelihood is no number"
    assert nats < ENOUGH, (
        f"after 60 steps a frame of a new walk costs {nats:.2f} nats; below {ENOUGH} is asked for. A prior that knows "
        "only "
        "where a thing was, and not which way it goes, stays above"
    )
