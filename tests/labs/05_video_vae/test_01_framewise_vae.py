"""Grader of lab 05.1, a 2D VAE, frame by frame.

Oracles: frames coded one at a time in a loop, exact fractions, a loop over pairs of frames in double precision.
"""

import math
from fractions import Fraction
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from einops import rearrange

from common.course.graders import Call, number, stand_ins, tensor, theorems, values
from common.flow import warp

exercise = pytest.mark.exercise


class ImageVAE(stand_ins.Keeps, torch.nn.Module, logs=("draws",)):
    """An image VAE of known formulas that refuses clips of more than one frame; 2 times fewer rows and columns."""

    def __init__(self, seed, channels=5):
        super().__init__()
        self.down = torch.nn.Conv2d(3, channels, 2, stride=2)
        self.up = torch.nn.ConvTranspose2d(channels, 3, 2, stride=2)
        self.channels, self.draws = channels, []  # the generators that it drew with
        stand_ins.fill(self, seed)

    def encode(self, sample):
        latents = self.down(self.image(sample, 3)).tanh()[:, :, None]
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: latents, sample=partial(self.draw, latents)))

    def decode(self, z):
        return SimpleNamespace(sample=3 * self.up(self.image(z, self.channels))[:, :, None])

    def draw(self, latents, generator=None):
        self.draws.append(generator)
        return latents + 3 * torch.randn(latents.shape, generator=generator)

    def image(self, clips, channels):
        if clips.ndim != 5 or clips.shape[1:3] != (channels, 1):
            raise ValueError(f"the image VAE takes (N, {channels}, 1, H, W) here, not {tuple(clips.shape)}")
        return clips[:, :, 0]


encoding = Call("encode_frames", parameters=("vae", "clips", "generator"), gives=tensor("b c t h w"))
decoding = Call("decode_frames", parameters=("vae", "latents"), gives=tensor("b c t h w"))
SIZES = ((2, 4, 6, 10), (3, 2, 4, 6), (1, 5, 2, 8), (4, 1, 8, 4), (3, 3, 4, 4))  # b t h w
RUN = {"encode": lambda vae, images: vae.encode(images).latent_dist.mode(),
       "decode": lambda vae, latents: vae.decode(latents).sample}  # fmt: skip


def one_by_one(way):
    """Oracle: one frame of one clip after the other."""

    def coded(vae, clip):
        return torch.cat([RUN[way](vae, clip[None, :, t : t + 1])[0] for t in range(clip.shape[1])], dim=1)

    return lambda vae, x: torch.stack([coded(vae, clip) for clip in x])


def disc(size):
    """A disc that moves to the right, to look at: `(1, 3, 4, size, size)`."""
    t, y, x = torch.meshgrid(torch.arange(4.0), *2 * (torch.linspace(0, 1, size),), indexing="ij")
    inside = (x - 0.2 - 0.2 * t).square() + (y - 0.5).square() < 0.04
    return torch.where(inside, torch.tensor([0.9, 0.3, -0.6])[:, None, None, None], -0.7 * y)[None]


FOLD = {axes: partial(rearrange, pattern=f"b c t h w -> {axes} c 1 h w") for axes in ("(b t)", "(t b)")}
FOLD["reshape"] = lambda x: x.reshape(-1, x.shape[1], 1, *x.shape[3:])
UNFOLD = {axes: partial(rearrange, pattern=f"{axes} c 1 h w -> b c t h w") for axes in ("(b t)", "(t b)")}
UNFOLD["reshape"] = lambda z, b: z.reshape(b, z.shape[1], -1, *z.shape[3:])
SCRAMBLED = {
    "reshape keeps the numbers in their old order, where channels come before frames": ("reshape", "(b t)"),
    "it is unfolded by reshape, which mixes channels with frames. Use rearrange": ("(b t)", "reshape"),
    "it is folded as (t b) and unfolded as (b t), which mixes clips with frames": ("(t b)", "(b t)"),
    "it is folded as (b t) and unfolded as (t b), which mixes clips with frames": ("(b t)", "(t b)"),
}


def scrambled(way):
    """Mistakes of folding."""
    return {message: lambda vae, x, fold=fold, unfold=unfold: UNFOLD[unfold](RUN[way](vae, FOLD[fold](x)), b=len(x))
            for message, (fold, unfold) in SCRAMBLED.items()}  # fmt: skip


@exercise("encode_frames", points=3, hint='rearrange(clips, "b c t h w -> (b t) c 1 h w"), and the same way back')
@torch.no_grad()
def test_encode_is_every_frame_alone(lab, seed, look):
    """the most likely latent of frame t of clip b is that of the image alone, and is at [b, :, t]"""
    vae, truth = ImageVAE(seed), one_by_one("encode")
    rows = [(vae, values.uniform(seed + i, b, 3, *size)) for i, (b, *size) in enumerate(SIZES)]
    said = encoding(lab, *rows[0]).said
    assert not vae.draws, f"{said} draws from the posterior. Without a generator take mode()"
    encoding.table(lab, rows, truth, scrambled("encode"), because="this frame alone has another latent")
    shown = (ImageVAE(seed, 3), disc(48))
    look(target=truth(*shown)[0], yours=encoding(lab, *shown).value[0], about="three latent channels, as colours")
    encoding.table(lab, [(ImageVAE(seed, c), values.uniform(seed, 2, 3, 3, 6, 4)) for c in (1, 3, 4)], truth)
    theorems.owes(encoding, lab, *rows[0], other=rows[1], batch_of_one=False)


@exercise("encode_frames", points=2, hint="posterior.mode() if generator is None else posterior.sample(generator)")
@torch.no_grad()
def test_encode_draws(lab, seed):
    """with a generator the latents are drawn from the posterior by it, with noise of its own for every frame"""
    vae, truth = ImageVAE(seed), one_by_one("encode")

    def drawn(clips, k=seed):
        of = lab, vae, clips, torch.Generator().manual_seed(k)
        return theorems.leaves_random_numbers_alone("encode_frames(vae, clips, generator)", encoding, *of)

    for b, *size in reversed(SIZES):  # one frame, one clip, several of both
        clips = values.uniform(seed, b, 3, *size)
        answer = drawn(clips)
        said, noise = answer.said, answer.value - truth(vae, clips)
        assert vae.draws and noise.abs().mean() > 1, f"{said}: with a generator, use latent_dist.sample(generator)"
    assert all(generator is not None for generator in vae.draws), f"{said}: hand the generator on to sample"
    drawn(clips).near(answer.value, because="the same generator should give the same latents")
    assert not values.same(drawn(clips, seed + 1).value, answer.value), f"{said}: another seed gives the same latents"
    theorems.moves_on(said, lambda given: encoding(lab, vae, clips, given).value, torch.Generator().manual_seed(seed))
    each = noise.transpose(1, 2).flatten(0, 1)  # (B T, C, H', W')
    shared = any(values.same(each[0], other, 1e-3) for other in each[1:])
    assert not shared, f"{said}: frames share their noise. Each frame is an image, with a draw of its own"
    assert abs(noise.std() - 3) < 0.5, f"{said} spreads {noise.std():.2f} around the mode, and the posterior's std is 3"


@exercise("decode_frames", points=3, hint="The same folding as encode_frames, around vae.decode(…).sample.")
def test_decode_is_every_frame_alone(lab, seed, look):
    """frame t of clip b is the picture of its own latent; nothing is clamped, and gradients pass"""
    vae, truth = ImageVAE(seed), one_by_one("decode")
    mistakes = scrambled("decode")
    mistakes["the pictures are clamped to [-1, 1]. Leave them as they are"] = lambda vae, z: truth(vae, z).clamp(-1, 1)
    rows = [(vae, values.noise(seed + i, b, 5, *size)) for i, (b, *size) in enumerate(SIZES)]
    with torch.no_grad():
        decoding.table(lab, rows, truth, mistakes, because="this latent, decoded alone, gives another picture")
        shown = (ImageVAE(seed, 3), disc(24))
        look(target=truth(*shown)[0] / 4, yours=decoding(lab, *shown).value[0] / 4)
        decoding.table(lab, [(ImageVAE(seed, c), values.noise(seed, 2, c, 4, 3, 2)) for c in (1, 3, 7)], truth)
        theorems.owes(decoding, lab, *rows[0], other=rows[1], batch_of_one=False)
    leaf = rows[0][1].clone().requires_grad_()
    answer = decoding(lab, vae, leaf)
    theorems.learns(answer.said, answer.value.square(), {"the VAE": vae.up.weight, "latents": answer.given["latents"]})


rate = Call("equal_rate", gives=number(whole=True), parameters=(
    "num_frames", "latent_channels", "temporal_compression_ratio", "spatial_compression_ratio"))  # fmt: skip
ROWS = [
    (17, 16), (81, 16), (1, 16), (1, 16, 7), (33, 64, 8), (121, 128, 8, 32), (25, 40, 3), (9, 5, 2, 4), (49, 16, 4, 16),
    (13, 9, 6, 8, {"frame_compression_ratio": 16}), (17, 16, 4, 8, {"frame_compression_ratio": 4}), (5, 30, 1),
    (29, 21, 7, 8, {"frame_compression_ratio": 12}), (7, 33, 6, 3, {"frame_compression_ratio": 5}), (2, 11, 1),
    (9, 90000001, 4), (17, 16, 4, 8, {"frame_compression_ratio": 16}),
]  # fmt: skip


def channels(rule=round, latents=lambda t, r: 1 + (t - 1) // r, power=2):
    """Oracle, as a fraction made whole by a rule; and ways to do it wrong."""
    return lambda t, c, r=4, s=8, frame_compression_ratio=8: max(
        1, rule(Fraction(c * latents(t, r), t) * Fraction(frame_compression_ratio, s) ** power)
    )


@exercise("equal_rate", points=4, hint="max(1, round(C * (1 + k) * f**2 / (T * s**2))), with k = (T - 1) // r")
def test_rate_formula(lab, look):
    """the whole number nearest to C (1 + k) f² / (T s²), a half to the even one, and at least 1"""
    mistakes = {
        "of T = 1 + k r frames there are 1 + k latents, not T / r": channels(latents=lambda t, r: Fraction(t, r)),
        "there are 1 + k latents, not k": channels(latents=lambda t, r: (t - 1) // r),
        "the fraction is cut off. Take the nearest whole number": channels(math.floor),
        "rows and columns both shrink, so f / s counts squared": channels(power=1),
        "f / s is upside down": channels(power=-2),
    }
    because = "it is the whole number nearest to C (1 + k) f² / (T s²)"
    answers = rate.table(lab, ROWS, channels(), mistakes, because=because, tolerance=0)
    look(target=[channels()(*row) for row in ROWS[:5]], yours=[answer.value for answer in answers[:5]])
    halves = [(1, c, 4, 2, {"frame_compression_ratio": 1}) for c in (6, 10, 14, 18)] + [(5, 25, 4, 16), (5, 35, 4, 16)]
    mistakes = {"halves are rounded up, not to the even one": channels(lambda x: math.floor(x + Fraction(1, 2)))}
    rate.table(lab, halves, channels(), mistakes, because="some of these are halves", tolerance=0)
    few = [(101, 1), (17, 1, 4, 8), (9, 4, 8, 32), (257, 2, 8, 8, {"frame_compression_ratio": 1})]
    rate.table(lab, few, lambda *sizes, **given: 1, because="no coder has less than one channel", tolerance=0)


@exercise("equal_rate", points=2, hint="if min(…) < 1: raise ValueError(…); the rest of (T - 1) / r must be 0.")
def test_rate_refuses(lab):
    """a number below 1, or a clip whose length is not 1 + k r, is a ValueError"""
    for sizes in ((0, 16), (-3, 16), (17, 0), (17, -16), (17, 16, 0), (17, 16, -4), (17, 16, 4, 0), (17, 16, 4, -8)):
        rate.refuses(lab, *sizes)
    rate.refuses(lab, 17, 16, frame_compression_ratio=0)
    for sizes in ((18, 16), (16, 16), (2, 16), (4, 16), (10, 16, 8), (3, 16, 5), (8, 16, 8)):
        rate.refuses(lab, *sizes, because=f"a clip has 1 + k · {(*sizes, 4)[2]} frames")


change = Call("change_of_error", gives=tensor("b", "same", finite=False),
              takes={"preds": "b c t h w", "target": "b c t h w", "flow": "b 2 s h w", "visible": "b s h w"},
              parameters=("preds", "target", "flow", "visible"))  # fmt: skip


def along(now, after, flow):
    """The error of frame t, and that of frame t + 1 where the flow points; each (C, H, W)."""
    return now, warp(after[None], flow[None])[0]


def measured(preds, target, flow=None, visible=None, data_range=2.0, *, error=torch.sub, follow=along, range_of=None,
             pair_means=False, pooled=False, hidden=None):  # fmt: skip
    """Oracle, pair by pair of each clip, in double precision; and ways to do it wrong."""
    found = []
    for b, e in enumerate(error(preds.double(), target.double())):
        pairs = []
        for t in range(e.shape[1] - 1):
            pair = (e[:, t], e[:, t + 1])
            now, after = pair if flow is None else follow(*pair, flow[b, :, t].double())
            each, seen = (after - now).abs().mean(dim=0), slice(None) if visible is None else visible[b, t]
            pairs.append((each[seen] if hidden is None else torch.where(seen, each, hidden)).flatten())
        found.append(torch.stack([pair.mean() for pair in pairs]) if pair_means else torch.cat(pairs))
    means = torch.stack([clip.mean() for clip in found])
    return (torch.cat(found).mean().expand_as(means) if pooled else means) * 255 / (range_of or data_range)


def wrong(**how):
    return partial(measured, **how)


def clips_of(seed, batch=2, channels=3, num_frames=4, height=6, width=9):
    """Restored and true clips whose error differs from clip to clip, a flow of a pixel or two, and what is seen."""
    target = values.noise(seed, batch, channels, num_frames, height, width, scale=0.5)
    size = torch.linspace(0.2, 1.4, batch).reshape(-1, 1, 1, 1, 1)
    preds = target + size * (0.3 + values.noise(seed + 50, *target.shape))
    flow = values.noise(seed + 90, batch, 2, num_frames - 1, height, width, scale=1.3)
    shown = values.uniform(seed + 7, *flow[:, 0].shape) < torch.linspace(-0.7, 0.8, num_frames - 1)[:, None, None]
    shown[0, -1, 1:], shown[..., 0, 0], shown[..., -1, -1] = False, True, False
    return preds, target, flow, shown


@exercise("change_of_error", points=2, hint="e = preds - target; mean of |e(t + 1) - e(t)| of each clip, in levels")
def test_change_of_still_clips(lab, seed):
    """without a flow: the mean of |e(t + 1) - e(t)| of each clip, in levels of 255; 0 for an error that stays"""
    sizes = {2.0: (), 1.0: (3, 1, 2, 5, 4), 255.0: (1, 4, 6, 3, 7), 4.0: (4, 2, 3, 4, 5)}
    rows = [(*clips_of(seed, *size)[:2], {"data_range": value}) for value, size in sizes.items()]
    because = "it is the mean of |e(t + 1) - e(t)| · 255 / data_range, with e = preds - target"
    mistakes = {
        "data_range is not used": wrong(range_of=2.0),
        "that is the change of preds. It is the change of the error, preds - target": wrong(error=lambda p, q: p),
        "absolute values are taken of the error. Take them of its change": wrong(error=lambda p, q: (p - q).abs()),
    }
    change.table(lab, rows, measured, mistakes, because=because)
    target, because = clips_of(seed, 3)[1], "an error that stays the same is blur, not flicker"
    change(lab, target + values.noise(9, 3, 3, 1, 6, 9), target).near(torch.zeros(3), because=because, tolerance=1e-3)


@exercise("change_of_error", points=3, hint="warp(after, flow): look up the error of frame t + 1.")
def test_change_along_the_flow(lab, seed, look):
    """with a flow: e(t + 1) is looked up where the flow of pair t points, and compared with e(t)"""
    mistakes = {
        "the flow is not used": wrong(follow=lambda now, after, v: (now, after)),
        "frame t is warped. Look up frame t + 1, where the flow points": wrong(follow=lambda a, b, v: along(b, a, v)),
        "the flow is followed backwards": wrong(follow=lambda now, after, v: along(now, after, -v)),
    }
    sizes = {2.0: (), 1.0: (3, 1, 3, 8, 5), 255.0: (1, 3, 2, 4, 7), 3.0: (2, 2, 5, 5, 5)}
    rows = [(*clips_of(seed, *size)[:3], {"data_range": value}) for value, size in sizes.items()]
    because = "e(t + 1) is looked up where the flow points, warp(e(t + 1), flow), and e(t) stays where it is"
    answers = change.table(lab, rows, measured, mistakes, because=because)
    look(target=measured(*rows[0][:3]), yours=answers[0].value, about="change of error of two clips, in levels")


@exercise("change_of_error", points=2, hint="(change * visible).sum(dim=(1, 2, 3)) / visible.sum(dim=(1, 2, 3))")
def test_change_where_visible(lab, seed):
    """only visible places count, all of a clip's alike, with a flow and without; NaN where there are none"""
    mistakes = {
        "hidden places count as 0. Divide by the number of visible ones": wrong(hidden=0.0),
        "each pair of frames has a mean of its own. All visible places of a clip count alike": wrong(pair_means=True),
        "every clip has the mean of all. Each clip counts by itself": wrong(pooled=True),
    }
    rows = [clips_of(seed), clips_of(seed + 1, 3, 3, 5, 4, 7), clips_of(seed + 2, 4, 3, 3, 5, 6)]
    change.table(lab, rows, measured, mistakes, because="it is the mean over the clip's visible places")
    change.table(lab, [(p, q, None, s) for p, q, _, s in rows], measured, because="visible counts without a flow too")
    preds, target, flow, shown = clips_of(seed, 3)
    shown[1] = False
    because = "clip 1 has no visible place, so it has no mean (nan), and the others have"
    change(lab, preds, target, flow, shown).near(measured(preds, target, flow, shown), because=because)


@exercise("change_of_error", points=1, hint="Compare the shapes before you subtract: broadcasting hides the mistake.")
def test_change_owes(lab, seed):
    """unequal shapes and a single frame are a ValueError; float64 stays float64; memory layout does not matter"""
    preds, target, flow, shown = clips_of(seed)
    for a, b in ((preds, target[:1]), (preds[:, :1], target), (preds, target[:, :, :1]), (preds[..., :4], target)):
        change.refuses(lab, a, b, because="the shapes differ")
    change.refuses(lab, preds[:, :, :1], target[:, :, :1], because="one frame has no neighbour")
    theorems.owes(change, lab, preds, target, flow, shown, other=clips_of(seed + 3, 3, 2, 3, 5, 4))
    double = [part.double() if part.is_floating_point() else part for part in (preds, target, flow, shown)]
    change(lab, *double).near(measured(*double), tolerance=1e-9, because="from float64, compute in float64")


response = Call("noise_response", takes={"images": "b c h w", "noise": "b c t h w"}, gives=tensor("l b", "same"),
                parameters=("restore", "images", "noise", "levels"))  # fmt: skip
NEEDS = ("change_of_error",)


def fading(clips):
    """A coder that mixes neighbouring frames, and adds something of its own that grows over time."""
    before = torch.cat([clips[:, :, :1], clips[:, :, :-1]], dim=2)
    return 0.6 * clips + 0.3 * before + torch.arange(clips.shape[2]).to(clips)[:, None, None] ** 2 / 40


def answered(restore, images, noise, levels=(0, 1, 3, 6), *, scale=2 / 255, target=lambda noisy, stills: stills,
             given=lambda noisy: noisy, back=lambda clips: clips):  # fmt: skip
    """Oracle; and ways to do it wrong."""
    stills, rows = images[:, :, None].expand_as(noise), []
    for level in levels:
        noisy = stills + noise * level * scale
        rows.append(measured(back(restore(given(noisy))), target(noisy, stills)))
    return torch.stack(rows)


def pictures(seed, batch=2, channels=3, num_frames=5, height=4, width=6):
    images = values.uniform(seed, batch, channels, height, width)
    return images, values.noise(seed + 1, batch, channels, num_frames, height, width)


@exercise("noise_response", points=4, needs=NEEDS, hint="restore(stills + noise * (2 * level / 255)), against stills")
def test_response_formula(lab, seed, look):
    """the change of error of what comes back of the noisy still clip, against the clean one; one row per level"""
    mistakes = {
        "[-1, 1] has 255 levels, so one level is 2 / 255, not 1 / 255": partial(answered, scale=1 / 255),
        "the noise is not in levels. One level is 2 / 255": partial(answered, scale=1.0),
        "the error is taken against the noisy clip. Take the clean one": partial(answered, target=lambda n, stills: n),
        "the noisy clip is clamped. Nothing is clamped": partial(answered, given=lambda noisy: noisy.clamp(-1, 1)),
        "what comes back is clamped. Nothing is clamped": partial(answered, back=lambda clips: clips.clamp(-1, 1)),
    }
    coders = (fading, lambda clips: 1.5 * clips - 0.2)
    rows = [(restore, *pictures(seed), (0, 1, 3, 6)) for restore in coders]
    rows += [(restore, *pictures(seed + 1, 3, 1, 4, 5, 7), (2.5, 0, 40)) for restore in coders]
    rows += [(fading, *pictures(seed + 2, 3, 2, 6, 5, 4)), (fading, *pictures(seed), [7])]
    because = "a row is the change of error of restore(stills + noise · 2 level / 255) against stills"
    answers = response.table(lab, rows, answered, mistakes, because=because)
    look(target=answered(*rows[0])[:, 0], yours=answers[0].value[:, 0], about="change of error at noise 0, 1, 3, 6")


@exercise("noise_response", points=1, needs=NEEDS, hint="Use the noise that is given, for every level.")
def test_response_owes(lab, seed):
    """the given noise at every level, rows in the order of the levels; float64 stays float64; no gradients"""
    images, noise = pictures(seed)
    theorems.leaves_random_numbers_alone("noise_response", response, lab, fading, images, noise)
    response(lab, fading, images, noise, (6, 1, 3)).near(answered(fading, images, noise, (6, 1, 3)))
    theorems.owes(response, lab, fading, images, noise, (1, 4), other=(fading, *pictures(seed + 2, 3, 2, 3), (2,)))
    weight = torch.tensor(0.7, requires_grad=True)
    answer = response(lab, lambda clips: weight * clips, images.double(), noise.double())
    answer.near(answered(lambda clips: 0.7 * clips, images.double(), noise.double()), tolerance=1e-6)
    assert not answer.value.requires_grad, f"{answer.said} carries a gradient: leave @torch.no_grad() above it"
