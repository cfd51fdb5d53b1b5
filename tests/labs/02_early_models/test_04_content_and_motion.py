"""Grader of lab 02.4. Its oracles are the learner's own layers, torch.distributions, and a model of a few numbers."""

import math
from functools import partial

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

from common.course.graders import Call, attempt, outcomes, record, stand_ins, tensor, theorems, values
from common.course.graders.wording import brief
from common.data.walks import straight_walks
from common.models.content_motion import ContentMotion
from common.models.gaussian import DiagonalGaussian
from common.models.motion_prior import Mixture
from common.models.outputs import DecoderOutput

exercise = pytest.mark.exercise
RESHAPED = "the codes are reshaped, which mixes numbers with frames. Swap the two axes (transpose, or rearrange)"


F, DC, DM = 7, 4, 3
split = Call("heads", takes={"features": "b t f"}, sizes=lambda given: {"c": 2 * DC, "m": 2 * DM},
             gives=record("tuple", content=tensor("b c", "same"), motion=tensor("b m t", "same")))  # fmt: skip


def made_heads(lab, seed):
    """The learner's heads in double precision, with weights and biases that are not zero."""
    return stand_ins.fill(attempt(f"SplitHeads({F}, {DC}, {DM})", lab.SplitHeads, F, DC, DM), seed, 1.0).double()


def doubles(seed, *size):
    return values.noise(seed, *size, dtype=torch.float64)


@exercise("SplitHeads", points=5, hint="Content: features.mean(dim=1), axis 1 is the frames. Motion: swap two axes.")
def test_split(lab, seed, look):
    """the content code comes from the mean of the features over the frames, each motion code from its own frame"""
    heads = made_heads(lab, seed)
    rows = [(doubles(seed + k, *size, F),) for k, size in enumerate(((3, 5), (2, 9), (4, 1), (1, 2)))]
    mistakes = {
        "the features are summed, not averaged: a longer clip has a larger content": lambda x: heads.content(x.sum(1)),
        "the content looks at the first frame alone": lambda x: heads.content(x[:, 0]),
        "the mean is taken over the batch too": lambda x: heads.content(x.mean((0, 1)).expand(len(x), -1)),
    }
    because = "it is self.content of the mean over the frames, for each clip by itself"
    split.table(heads, rows, lambda x: heads.content(x.mean(1)), mistakes, part="content", because=because)
    mistakes = {
        RESHAPED: lambda x: heads.motion(x).reshape(len(x), 2 * DM, -1),
        "the mean over the frames is subtracted before self.motion": lambda x: heads.motion(x - x.mean(1, True)).mT,
        "they come from differences of frames": lambda x: heads.motion(x.diff(dim=1, prepend=x[:, :1])).mT,
    }
    because = "it is self.motion of the frame's own features"
    answers = split.table(heads, rows, lambda x: heads.motion(x).mT, mistakes, part="motion", because=because)
    look(target=heads.motion(rows[1][0])[0, :, 0].detach(), yours=answers[1].value[0, 0].detach())


@exercise("SplitHeads", points=2, hint="No axis but the frames' is averaged, and nothing is detached.")
def test_split_owes(lab, seed):
    """gradients reach every frame and both heads; clips do not mix; memory layout and earlier calls do not matter"""
    heads, x = made_heads(lab, seed), doubles(seed, 3, 5, F)
    theorems.gradient_is_whole("heads(features)", lambda features: split(heads, features).value, {"features": x})
    for part in split(heads, x):
        theorems.learns(part.said, part.value, dict(getattr(heads, part.said.split()[0]).named_parameters()))
    theorems.batch_is_samples(split, heads, x)
    theorems.owes(split, heads, x, other=[doubles(seed + 1, 1, 8, F)])
    split(heads.float(), x.float())


elbo = Call("negative_elbo", takes={"restored": "b 3 n h w", "target": "b 3 n h w"},
            gives=record("mapping", pixels=tensor("b", finite=False), content=tensor("b"), motion=tensor("b"))
            )  # fmt: skip


def drawn(seed, num_drawn=4, batch=2):
    """Restored clips, beyond [-1, 1] here and there, their targets, and codes."""
    target = values.uniform(seed, batch, 3, num_drawn, 6, 5)
    moments = values.noise(seed + 1, batch, 14), values.noise(seed + 2, batch, 16, num_drawn)
    codes = ContentMotion(*map(DiagonalGaussian, moments))
    return target + values.noise(seed + 3, *target.shape, scale=0.3), target, codes


def pixels(restored, target, codes, num_frames, pixel_std=0.1, error=torch.square, mean=False):
    """Oracle, and ways to do it wrong."""
    total = error(restored.double() - target.double()).flatten(1).sum(dim=1)
    count = target[0].numel() if mean else 1
    return num_frames / target.shape[2] * total / (2 * pixel_std**2) / count


def divergence(name, restored, target, codes, num_frames, pixel_std=0.1, times=lambda num_frames, drawn: 1):
    """The oracle of a code's cost, a sum over all its numbers, times what `times` makes of the numbers of frames."""
    dist, drawn = getattr(codes, name), target.shape[2]
    each = kl_divergence(Normal(dist.mean.double(), dist.std.double()), Normal(0.0, 1.0)).flatten(1).sum(1)
    return each * (1 if name == "content" else num_frames / drawn) * times(num_frames, drawn)


content, motion = partial(divergence, "content"), partial(divergence, "motion")
COSTS = {"pixels": pixels, "content": content, "motion": motion}


def case(seed, num_frames, num_drawn=4, batch=2, **options):
    return *drawn(seed, num_drawn, batch), {"num_frames": num_frames} | options


@exercise("negative_elbo", points=3, hint="squares.sum over all axes but the batch, times share / (2 * pixel_std**2)")
def test_elbo_pixels(lab, seed, look):
    """the pixels cost the sum of their squared errors over 2 pixel_std², times num_frames / n"""
    mistakes = {
        "that is the mean of the squared errors. The costs of all pixels add up": partial(pixels, mean=True),
        "pixel_std is not used": lambda r, t, c, num_frames, pixel_std=0.1: pixels(r, t, c, num_frames),
        "those are absolute errors. Square them": partial(pixels, error=torch.abs),
        "clamped? What is beyond [-1, 1] is an error too": lambda r, *rest, **o: pixels(r.clamp(-1, 1), *rest, **o),
    }
    rows = [case(seed, 9, pixel_std=0.3), case(seed + 4, 4, pixel_std=0.7), case(seed + 8, 8, 3), case(seed, 7, 1, 3)]
    because = "it is num_frames / n times the sum of (restored - target)² / (2 pixel_std²), for each clip"
    answers = elbo.table(lab, rows, pixels, mistakes, part="pixels", because=because)
    look(target=torch.cat([pixels(*row[:3], **row[3]) for row in rows]), yours=torch.cat([a.value for a in answers]))
    names = {name for row in rows for name in elbo(lab, *row[:3], **row[3]).value}
    assert names == {"pixels", "content", "motion"}, f"{answers[0].said} has other keys, and the sum of all is the cost"


@exercise("negative_elbo", points=4, hint="codes.content.kl() and codes.motion.kl() are sums already: (B,)")
def test_elbo_codes(lab, seed):
    """each code costs its KL divergence, a sum over its numbers: the content once, the motion times num_frames / n"""
    rows = [case(seed, 9), case(seed + 4, 4), case(seed + 8, 8, 3, pixel_std=0.5), case(seed + 12, 7, 1, 3)]
    mistakes = {
        "the content is paid for in every frame. It is paid once": partial(content, times=lambda T, n: T),
        "the content is multiplied by num_frames / n. It is paid once": partial(content, times=lambda T, n: T / n),
        "that is a mean over the code's numbers. Their costs add up": partial(content, times=lambda T, n: 1 / 7),
        "from n frames the sum over all is estimated: times num_frames / n": partial(motion, times=lambda T, n: n / T),
        "that is a mean over the frames. Each frame pays for its own code": partial(motion, times=lambda T, n: 1 / T),
        "that is a mean over each code's numbers. Their costs add up": partial(motion, times=lambda T, n: 1 / 8),
    }
    for name, times in (("content", "once"), ("motion", "times num_frames / n")):
        because = f"it is the KL divergence of the {name} code, {times}"
        elbo.table(lab, rows, COSTS[name], mistakes, part=name, because=because)


@exercise("negative_elbo", points=2, hint=".float() before the difference; no detach, no torch.no_grad().")
def test_elbo_owes(lab, seed):
    """half precision goes in and float32 is computed; gradients reach the restored clips and both codes"""
    for size, tolerance in (((2, 3, 3, 60, 70), 2e-4), ((2, 3, 1, 2, 3), 1e-5)):  # large sums, and exact ones
        clips = values.uniform(seed, *size, low=0.5), values.uniform(seed + 1, *size, high=-0.5)
        for dtype in (torch.float16, torch.bfloat16):
            row = *(x.to(dtype) for x in clips), drawn(seed, size[2])[2], {"num_frames": 5, "pixel_std": 0.5}
            because = "half precision ends at 65504 and rounds differences: convert to float32 first"
            elbo.table(lab, [row], pixels, part="pixels", because=because, tolerance=tolerance)
    restored, target, _ = drawn(seed)
    moments = {"content": values.noise(seed + 5, 2, 14), "motion": values.noise(seed + 6, 2, 16, 4)}
    leaves = {name: leaf.requires_grad_() for name, leaf in ({"restored": restored} | moments).items()}
    row, options = (restored, target, ContentMotion(*map(DiagonalGaussian, moments.values()))), {"num_frames": 8}
    for name, cost in COSTS.items():
        total = cost(*row, **options).sum()
        slopes = torch.autograd.grad(total, leaves.values(), retain_graph=True, materialize_grads=True)
        elbo(lab, *row, **options)[name].gradients(dict(zip(leaves, slopes)), of=moments)
    theorems.owes(elbo, lab, *drawn(seed), num_frames=6, batch_of_one=False)


swap = Call("swap_motion", takes={"content_of": "b c s h w", "motion_of": "b c t h w"},
            gives=tensor("b c t h w", "same"), parameters=("model", "content_of", "motion_of"))  # fmt: skip


def code(value):
    """A distribution whose most likely value is known, and whose draws are far from it."""
    return DiagonalGaussian(torch.cat([value, torch.full_like(value, 9.0)], dim=1))


class Toy(torch.nn.Module):
    """Content: a clip's mean colour, `(B, 3)`. Motion: each frame's largest red, `(B, 1, T)`. A clip is their sum."""

    __name__ = "model"  # as messages call it

    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(scale))
        self.lift = torch.nn.Parameter(torch.zeros(()))  # of the decoder: it learns, and so shows where gradients go

    def encode(self, sample):
        return ContentMotion(code(self.scale * sample.mean((2, 3, 4))), code(self.scale * sample[:, :1].amax((3, 4))))

    def decode(self, content, motion):
        shapes = tuple(content.shape), tuple(motion.shape)
        assert content.ndim == 2 and motion.ndim == 3, f"decode takes content (B, Dc), motion (B, Dm, T), not {shapes}"
        return DecoderOutput(sample=(content[:, :, None] + motion + self.lift)[..., None, None].repeat(1, 1, 1, 4, 6))


def swapped(model, content_of, motion_of, limit=1.0):
    """Oracle."""
    content, motion = model.encode(content_of).content.mean, model.encode(motion_of).motion.mean
    return model.decode(content, motion).sample.detach().clamp(-limit, limit)


def two(seed, first, second, batch=2):
    """Clips of two lengths, dark to bright in their three colours."""
    colors = torch.tensor([-0.4, 0.02, 0.4])[:, None, None, None]
    return (0.1 * values.noise(seed + k, batch, 3, n, 4, 6) + (1 - k) * colors for k, n in enumerate((first, second)))


@exercise("swap_motion", points=4, hint="content from content_of, motion from motion_of, both by mode()")
def test_swap(lab, seed, look):
    """content from the first clips, motion and length from the second, by the most likely codes, clamped to [-1, 1]"""
    mistakes = {
        "the roles are swapped: the content is that of motion_of": lambda m, a, b: swapped(m, b, a),
        "nothing is swapped: content and motion are both those of content_of": lambda m, a, b: swapped(m, a, a),
        "content and motion are both those of motion_of": lambda m, a, b: swapped(m, b, b),
        "clamp the result to [-1, 1]": partial(swapped, limit=math.inf),
    }
    rows = [(Toy(scale), *two(seed, 5, 5)) for scale in (1.0, 3.0, -3.0)]
    because = "it is decoded from the mode() of both codes; what lies inside [-1, 1] stays, the rest is clamped"
    answers = swap.table(lab, rows, swapped, mistakes, because=because)
    look(target=swapped(*rows[0])[0], yours=answers[0].value[0])
    rows = [(Toy(), *two(seed, *lengths)) for lengths in ((7, 3), (3, 7), (4, 1), (1, 2))]
    swap.table(lab, rows, swapped, because="all frames of both clips count: nothing is cut before encoding")


@exercise("swap_motion", points=1, hint="@torch.no_grad() above the function")
def test_swap_owes(lab, seed):
    """no gradient, no random numbers; clips do not mix; memory layout and earlier calls do not matter"""
    row = Toy(), *two(seed, 4, 3, batch=3)
    answer = theorems.leaves_random_numbers_alone("swap_motion", swap, lab, *row)
    assert not answer.value.requires_grad, f"{answer.said} carries a gradient: put @torch.no_grad() above the function"
    theorems.owes(swap, lab, *row)
    theorems.batch_is_samples(swap, lab, *row)


log_prob = Call("mixture_log_prob", takes={"motion": "b d t"}, gives=tensor("b t", torch.float32, finite=False),
                parameters=("mixture", "motion"))  # fmt: skip


def mixed(seed, batch=2, num_frames=4, components=3, dim=5, far=0.0, dtype=torch.float32):
    """A mixture whose components overlap, and codes."""
    size = batch, num_frames, components
    parts = values.noise(seed, *size, scale=2), values.noise(seed + 1, *size, dim), values.noise(seed + 2, *size, dim)
    mixture = Mixture(*(part.to(dtype) for part in (*parts[:2], 0.5 * parts[2] - 0.3)))
    return mixture, (values.noise(seed + 3, batch, dim, num_frames) + far).to(dtype)


def peer(mixture, motion):
    """Oracle: torch.distributions."""
    parts = Independent(Normal(mixture.mean.double(), mixture.log_std.double().exp()), 1)
    return MixtureSameFamily(Categorical(logits=mixture.logits.double()), parts).log_prob(motion.double().mT)


def joined(join, mixture, motion):
    """A way to do it wrong: `join` has log shares s `(B, T, K)` and each log-density e `(B, T, K, D)`."""
    normal = Normal(mixture.mean.double(), mixture.log_std.double().exp())
    return join(mixture.logits.double().log_softmax(-1), normal.log_prob(motion.double().mT[:, :, None]))


@exercise("mixture_log_prob", points=6, hint="torch.logsumexp(logits.log_softmax(-1) + each.sum(-1), dim=-1)")
def test_mixture(lab, seed, look):
    """one component: a normal log-density; several: the log of the sum of shares times densities; far away too"""
    mistakes = {
        "the constant, ½ log 2π each, is missing": lambda m, z: peer(m, z) + z.shape[1] * math.log(2 * math.pi) / 2,
        "log_std is log(std), not log(variance)": lambda m, z: peer(Mixture(m.logits, m.mean, m.log_std / 2), z),
        RESHAPED: lambda m, z: peer(m, z.reshape(z.mT.shape).mT),
        "take log_softmax of the logits first": lambda m, z: peer(m, z) + m.logits.double().logsumexp(-1),
        "each number has a mixture of its own. Sum over D first": (
            partial(joined, lambda s, e: (s[..., None] + e).logsumexp(2).sum(-1))
        ),
        "it is the log of the averaged densities": partial(joined, lambda s, e: (s.exp() * e.sum(-1)).sum(-1)),
        "only the best component counts. All add up": partial(joined, lambda s, e: (s + e.sum(-1)).amax(-1)),
    }
    rows = [mixed(seed, components=1), mixed(seed + 4, 3, 6, 1, 2), mixed(seed), mixed(seed + 4, 3, 6, 2, 4),
            mixed(seed + 8, 1, 1, 5, 2)]  # fmt: skip
    because = "it is log Σ_k π_k N(z_t; μ_k, σ_k), and log N adds up -½ ((z - mean) / std)² - log_std - ½ log 2π"
    answers = log_prob.table(lab, rows, peer, mistakes, because=because)
    look(target=peer(*rows[3])[0], yours=answers[3].value[0])
    far = [mixed(seed, far=60.0), mixed(seed, far=-500.0)]
    log_prob.table(lab, far, peer, because="far away too: exp underflows to 0 in float32, torch.logsumexp does not")
    for dtype in (torch.float16, torch.bfloat16):
        log_prob.table(lab, [mixed(seed, dtype=dtype)], peer, because="from half precision, compute in float32")


@exercise("mixture_log_prob", points=1, hint="No sum over the frames, none over the batch, no detach.")
def test_mixture_owes(lab, seed):
    """gradients reach the codes and all of the mixture; memory layout and earlier calls do not matter"""
    mixture, motion = mixed(seed)
    leaves = {name: part.requires_grad_() for name, part in vars(mixture).items()}
    leaf = motion.clone().requires_grad_()
    slopes = torch.autograd.grad(peer(mixture, leaf).sum(), [leaf, *leaves.values()])
    log_prob(lab, mixture, leaf).gradients(dict(zip(("motion", *leaves), slopes)), of=leaves)
    theorems.owes(log_prob, lab, *mixed(seed + 4), batch_of_one=False)


D, K = 3, 4
foretells = Call("prior", takes={"motion": "b d t"}, sizes=lambda given: {"k": K},
                 gives=record("object", mean=tensor("b t k d"), logits=tensor("b t k"), log_std=tensor("b t k d"))
                 )  # fmt: skip
sampled = Call("prior.sample", parameters=("num_clips", "num_frames", "generator"), gives=tensor("b d t"),
               sizes=lambda given: {"b": given["num_clips"], "d": D, "t": given["num_frames"]})  # fmt: skip


def made_prior(lab, seed, log_std=0.0, dtype=torch.float32):
    """The learner's prior in double precision: weights that matter, and a start that is not zero."""
    prior = stand_ins.fill(attempt(f"MotionPrior({D}, 6, {K})", lab.MotionPrior, D, 6, K), seed, 0.6).to(dtype)
    with torch.no_grad():
        prior.mixture.bias.view(K, 1 + 2 * D)[:, 1 + D :] += log_std
    return prior


def fronted(prior, motion, front=1, z=None):
    """What the frames meet: `front` times the start, then the codes."""
    z = motion.mT if z is None else z
    start = prior.start.expand(len(z), 1, -1)
    return torch.cat([front * start, z], dim=1)[:, : z.shape[1]]


def foretold(prior, part, motion, before=fronted, memory=True, base=None):
    """Oracle of one part, by the prior's own layers; and ways to do it wrong."""
    codes = before(prior, motion)
    states = prior.rnn(codes)[0] if memory else torch.cat([prior.rnn(code)[0] for code in codes.split(1, dim=1)], dim=1)
    logits, step, log_std = prior.mixture(states).unflatten(-1, (K, 1 + 2 * D)).split([1, D, D], dim=-1)
    base = codes if base is None else base(motion)
    return {"logits": logits[..., 0], "mean": base[:, :, None] + step, "log_std": log_std.clamp(-5.0, 2.0)}[part]


@exercise("MotionPrior", points=5, hint="before = torch.cat([start, z[:, :-1]], dim=1): frame t meets code t - 1.")
def test_prior_foretells(lab, seed, look):
    """frame t's mixture comes from the start and the codes before t, all of them, in their order"""
    prior = made_prior(lab, seed, dtype=torch.float64)
    rows = [(doubles(seed, batch, D, num_frames),) for batch, num_frames in ((2, 7), (3, 4), (1, 1), (4, 2))]
    mistakes = {
        "the network sees its own target: shift the codes by one frame": {"before": lambda p, m: m.mT},
        "frame 0 meets zeros. It should meet self.start, which is learned": {"before": partial(fronted, front=0)},
        "the state starts anew in every frame. The network remembers all frames before": {"memory": False},
        RESHAPED: {"before": lambda p, m: fronted(p, m, z=m.reshape(m.mT.shape))},
        "read_out is given the codes. Its means are steps away from the code before": {"base": lambda m: m.mT},
    }
    for part in ("logits", "log_std", "mean"):
        told = partial(foretold, prior, part)
        made = {message: partial(told, **wrong) for message, wrong in mistakes.items()}
        because = "it is what the GRU says that reads start, code 0, code 1, …"
        answers = foretells.table(prior, rows, told, made, part=part, because=because)
    look(target=told(*rows[0])[0, :, 0, 0].detach(), yours=answers[0].value[0, :, 0, 0].detach())


@exercise("MotionPrior", points=2, hint="self.start.expand(len(z), 1, -1), not self.start.data; nothing is detached.")
def test_prior_owes(lab, seed):
    """gradients reach the codes, self.start and every weight; clips do not mix; earlier calls do not matter"""
    prior, z = made_prior(lab, seed, dtype=torch.float64), doubles(seed, 3, D, 5)
    theorems.gradient_is_whole("prior(motion)", lambda motion: [part.value for part in foretells(prior, motion)],
                               {"motion": z})  # fmt: skip
    mean = foretells(prior, z)["mean"]
    theorems.learns(mean.said, mean.value, dict(prior.named_parameters()))
    theorems.batch_is_samples(foretells, prior, z)
    theorems.owes(foretells, prior, z, other=[doubles(seed + 1, 1, D, 8)])
    foretells(prior.float(), z.float())


def draw(prior, num_clips, num_frames, seed):
    return sampled(prior.sample, num_clips, num_frames, torch.Generator().manual_seed(seed))


def scatter(prior, codes, **wrong):
    """How far codes `(B, D, T)` are from every component, in standard deviations: `(B, T, K, D)`."""
    with torch.no_grad():
        mean, log_std = (foretold(prior, part, codes, **wrong) for part in ("mean", "log_std"))
        return (codes.mT[:, :, None] - mean) / log_std.exp()


@exercise("MotionPrior", points=3, hint="code goes back in, and so does state: out, state = self.rnn(code, state)")
def test_prior_sample_follows(lab, seed):
    """each drawn code lies on a component of its mixture, given the codes drawn before it"""
    prior = made_prior(lab, seed, log_std=-9.0)  # narrow components

    def follows(codes, **wrong):
        return bool((scatter(prior, codes, **wrong).abs().amax(-1).amin(-1) < 7).all())

    for num_clips, num_frames in ((5, 6), (1, 9), (3, 1)):
        answer = draw(prior, num_clips, num_frames, seed)
        got, why = answer.value, "feed back the code that was drawn, and the state"
        if values.same(got[:, :, 0], prior.start.expand(num_clips, -1)):
            why = "its first frame is self.start. That is what frame 0 meets: draw frame 0 from its mixture"
        elif follows(got, memory=False):
            why = "the state starts anew in every frame. Carry it along"
        elif follows(got, before=partial(fronted, front=0)):
            why = "it begins with zeros. The network meets self.start before frame 0"
        assert follows(got), f"{answer.said}: a code lies on no component of the mixture of its frame: {why}"


@exercise("MotionPrior", points=2, hint="self.read_out(out, code).sample(generator)")
def test_prior_sample_draws(lab, seed):
    """clips differ from each other, are drawn from the generator alone, and carry no gradient"""
    prior = made_prior(lab, seed)
    answer = theorems.leaves_random_numbers_alone("prior.sample with a generator", draw, prior, 6, 5, seed)
    got, said = answer.value, answer.said
    alike = values.same(got[0], got[1]) or values.same(got[2], got[5])
    assert not alike, f"{said}: all clips have the same motion. Draw a code for each, from the mixture, not its mean"
    draw(prior, 2, 14, seed + 1)
    draw(prior, 6, 5, seed).near(got, because="the same generator should give the same motion: hand it on")
    assert not values.same(draw(prior, 6, 5, seed + 1).value, got), f"{said}: another seed gives the same motion"
    theorems.moves_on(said, lambda g: sampled(prior.sample, 6, 5, g).value, torch.Generator().manual_seed(seed))
    assert not got.requires_grad, f"{said} carries a gradient: leave @torch.no_grad() above sample"
    sampled(prior.sample, 2, 3)
    wide = draw(prior.double(), 2, 3, seed).value
    assert wide.dtype == torch.float64, f"{said}: make what is new in the weights' dtype"


@exercise("MotionPrior", points=1, hint="Mixture.sample draws a component by its share, then a code from that one.")
def test_prior_sample_shares(lab, seed):
    """in every frame each component is drawn as often as its share says, and as wide as its log_std says"""
    prior, shares = made_prior(lab, seed), torch.tensor([0.15, 0.5, 0.05, 0.3])
    log_std = torch.tensor([-1.2, -0.7, -1.0, -0.4])[:, None].expand(K, D)
    with torch.no_grad():
        prior.mixture.weight.zero_()  # the same mixture of steps in every frame, its components far apart
        steps = 12 * torch.arange(K)[:, None] * torch.tensor([1.0, -1.0, 0.5])
        prior.mixture.bias.copy_(torch.cat([shares.log()[:, None], steps, log_std], dim=1).flatten())
    answer = draw(prior, 400, 3, seed)
    eps = scatter(prior, answer.value)  # (400, 3, K, D)
    which = eps.abs().amax(-1).argmin(-1)
    counts = which.flatten().bincount(minlength=K) / 1200
    eps = eps.gather(2, which[..., None, None].expand(-1, -1, 1, D))
    assert counts.max() < 1, f"{answer.said}: only the likeliest component is ever drawn. Draw one by its share"
    text = f"the shares are {brief(shares)}, and in 1200 draws they are {brief(counts)}"
    assert (counts - shares).abs().max() < 0.075, f"{answer.said}: {text}"
    kept = (which[:, 0] == which[:, 1]).float().mean()
    assert kept < 0.55, f"{answer.said}: a clip keeps its component. Each frame draws one of its own"
    spread, together = eps.std(), eps.flatten(0, 2).T.corrcoef().fill_diagonal_(0).abs().max()
    text = f"within a component the draws spread {spread:.2f} times exp(log_std). Add noise of that size"
    assert abs(spread - 1) < 0.1, f"{answer.said}: {text}"
    assert together < 0.2, f"{answer.said}: the numbers of a code share their noise. Each has its own"


@exercise("MotionPrior", points=3, needs=("mixture_log_prob",), hint="Is the likelihood that of the next frame?")
def test_prior_learns(lab, seed):
    """trained by your likelihood, your prior foresees walks that it never saw"""
    said = "60 training steps of your prior with your mixture_log_prob"
    nats = attempt(said, nats_after_training, lab.MotionPrior, lab.mixture_log_prob, seed)
    outcomes.load(__file__)["foresees"].judge(said, nats)


def nats_after_training(prior_class, log_prob, seed, steps=60):
    """Train a prior on walks, and say how surprising frames 2 to 4 of new ones are, in nats per frame.

    From frame 2 on one can know which way a thing goes. The judge is torch.distributions, whatever trained the prior.
    """
    torch.manual_seed(seed)
    prior, generator = prior_class(2, 24, 4), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(prior.parameters(), lr=2e-2, betas=(0.9, 0.95))
    for _ in range(steps):
        batch = straight_walks(48, 5, generator)
        loss = -log_prob(prior(batch), batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        new = straight_walks(300, 5, generator)
        return -peer(prior(new), new)[:, 2:].mean().item()
