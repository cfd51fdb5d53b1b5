"""Grader of lab 02.3, the tiny video GAN.

Every test has its own oracle: counting by hand, a closed form, the layers one by one, or the same step with every
gradient taken by name. The library's parts are off limits while this file runs.
"""

import copy
import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F

from common.course.grader_tools import attempt, refuses

exercise = pytest.mark.exercise

# Outcome of `test_step_trains`: how far a generator stays from its data, see calibrate_03_tiny_video_gan.py.
FAR = 0.45


def shape(x):
    return tuple(x.shape) if hasattr(x, "shape") else type(x).__name__


def noise(seed, *size):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


def same(a, b, tolerance=1e-5):
    return a.shape == b.shape and torch.allclose(a.double(), b.double(), rtol=tolerance, atol=tolerance)


def scalar(said, got):
    """The learner's scalar tensor."""
    assert torch.is_tensor(got), f"{said} returned {type(got).__name__}; a tensor is asked for"
    assert got.shape == (), f"{said} should be one number, a tensor of shape (); yours is {shape(got)}"
    assert torch.isfinite(got), f"{said} is {got.item()}"
    return got


def is_near(got, want, tolerance=1e-4):
    return abs(float(got) - want) <= tolerance * max(1.0, abs(want))


# ---------------------------------------------------------------------------------------------- mode_report

MEASURES = ("known", "coverage", "entropy", "recall")


def report_answer(lab, samples, data):
    said = f"mode_report of {len(samples)} samples and {len(data)} clips"
    kept = list(samples), list(data)
    got = attempt(said, lab.mode_report, samples, data)
    assert (list(samples), list(data)) == kept, "the lists you were given have changed: work on copies"
    for name in MEASURES:
        value = getattr(got, name, None)
        assert isinstance(value, (int, float)), (
            f"{said} should give a ModeReport whose {name} is a number; yours has {type(value).__name__}"
        )
        assert math.isfinite(value), f"{name} is {value}; where nothing is known every number is 0"
    return got


def counted(samples, data):
    """Oracle: by going through the lists, mode by mode."""
    modes = sorted(set(data))
    n = {m: sum(s == m for s in samples) for m in modes}
    d = {m: sum(x == m for x in data) for m in modes}
    total = sum(n.values())
    entropy = sum(n[m] / total * math.log(total / n[m]) for m in modes if n[m])
    recall = sum(min(n[m] / len(samples), d[m] / len(data)) for m in modes)
    return {
        "known": total / len(samples),
        "coverage": sum(n[m] > 0 for m in modes) / len(modes),
        "entropy": entropy,
        "recall": recall,
    }


def lists(seed, num_samples, num_data):
    """Samples of modes "a" to "g" and unread ones; data of modes "c" to "h", some of them rare."""
    generator = torch.Generator().manual_seed(seed)
    picks = torch.randint(8, (num_samples,), generator=generator).tolist()
    samples = [None if k == 7 else "abcdefg"[k] for k in picks]
    data = ["cdefgh"[k] for k in (torch.rand(num_data, generator=generator) ** 2 * 6).long().tolist()]
    return [*samples, "c", "d", None, "a", "b"], data + list("cdefgh")


@exercise("mode_report", points=2, hint="wanted = Counter(data); found = Counter(m for m in samples if m in wanted)")
def test_report_counts(lab, seed):
    """known samples, and how many of the data's modes they have"""
    samples, data = lists(seed, 60, 41)
    got, want = report_answer(lab, samples, data), counted(samples, data)
    read = sum(s is not None for s in samples) / len(samples)
    assert not is_near(got.known, read), (
        f"known is {got.known:.3f}, the part of the samples that could be read; a sample whose mode the data does not "
        f"have is not known either, which leaves {want['known']:.3f}"
    )
    assert not is_near(got.known, want["known"] * len(samples)), (
        "known is a number of samples; a part of all samples is asked for"
    )
    known_only = want["known"] * len(samples) / sum(s is not None for s in samples)
    assert not is_near(got.known, known_only), (
        "known was divided by the samples that could be read: what could not be read counts against the model too"
    )
    assert is_near(got.known, want["known"]), f"known should be {want['known']:.3f} here, not {got.known:.3f}"
    kinds = len(set(data))
    foreign = len({s for s in samples if s is not None}) / kinds
    assert not is_near(got.coverage, foreign) and not is_near(got.coverage, len(set(samples)) / kinds), (
        f"coverage is {got.coverage:.3f}: modes that the data does not have were counted too. Count only the data's"
    )
    of_samples = len(set(samples) & set(data)) / len({s for s in samples if s is not None})
    assert not is_near(got.coverage, of_samples) or is_near(of_samples, want["coverage"]), (
        "coverage was divided by the samples' modes; it is a part of the data's modes"
    )
    assert not is_near(got.coverage, want["coverage"] * kinds), (
        "coverage is a number of modes; a part of the data's modes is asked for"
    )
    assert is_near(got.coverage, want["coverage"]), (
        f"{round(want['coverage'] * kinds)} of the data's {kinds} modes are among the samples, so coverage is "
        f"{want['coverage']:.3f}, not {got.coverage:.3f}"
    )


@exercise("mode_report", points=2, hint="p = n / sum of n, over the known samples; -sum of p log p with math.log.")
def test_report_entropy(lab, seed):
    """entropy of the known samples alone, natural logarithm: 0 for one mode, log K for K"""
    for number in (1, 3, 5):
        samples = list("cdefg"[:number]) * 4 + [None, "z"]
        got = report_answer(lab, samples, list("cdefghi")).entropy
        want = math.log(number)
        assert not (number > 1 and is_near(got, math.log2(number))), (
            "the entropy is in bits: the logarithm asked for is the natural one"
        )
        assert not (number > 1 and is_near(got, want / math.log(7))) and not (
            number > 1 and is_near(got, want / math.log(number))
        ), "the entropy was divided by its largest value; it is asked for as it is"
        assert not (number > 1 and is_near(got, -want)), "the sign: entropy is MINUS the sum of p log p, never below 0"
        parts = [4 / (4 * number + 2)] * number
        outside = -sum(p * math.log(p) for p in parts)
        with_rest = outside - 2 / (4 * number + 2) * math.log(1 / (4 * number + 2))
        assert not is_near(got, outside) and not is_near(got, with_rest), (
            f"{number} equally frequent modes have an entropy of log {number} = {want:.3f}, and yours is {got:.3f}: p "
            "is the part of the KNOWN samples, so that the p of all modes sum to 1"
        )
        assert is_near(got, want), f"{number} equally frequent modes have the entropy {want:.3f}, not {got:.3f}"
    samples, data = lists(seed + 1, 50, 30)
    got, want = report_answer(lab, samples, data).entropy, counted(samples, data)["entropy"]
    assert is_near(got, want), f"for modes of unequal frequency the entropy should be {want:.4f}, not {got:.4f}"


@exercise("mode_report", points=3, hint="scale = len(data) / len(samples); sum of min(n * scale, d), / len(data)")
def test_report_recall(lab, seed):
    """recall compares frequencies, whatever the numbers of samples and of clips"""
    data = ["c"] * 6 + ["d"] * 3 + ["e"]
    collapsed = report_answer(lab, ["d"] * 40, data).recall
    assert not is_near(collapsed, 1 / 3), (
        "forty samples of one mode out of three: your recall is 1/3, the part of the MODES that were found. Recall is "
        "the part of the clips, and that mode has 3 of 10"
    )
    assert is_near(collapsed, 0.3), (
        f"all samples have a mode that 3 of 10 clips have, so recall is 0.3; yours is {collapsed:.3f}"
    )
    few = report_answer(lab, ["c", "c", "c", "d", "e"], data).recall
    assert not is_near(few, 0.5), (
        "five samples for ten clips: the counts were compared as they are. Scale them, n(m) D / N, so that the numbers "
        "of samples and of clips need not be equal"
    )
    assert is_near(few, 0.6 + 0.2 + 0.1), (
        f"3, 1 and 1 of 5 samples for 6, 3 and 1 of 10 clips: recall is (6 + 2 + 1) / 10, not {few:.3f}"
    )
    for k, (num_samples, num_data) in enumerate(((30, 70), (80, 25))):
        samples, data = lists(seed + 2 + k, num_samples, num_data)
        got, want = report_answer(lab, samples, data).recall, counted(samples, data)["recall"]
        read = [s for s in samples if s in set(data)]
        assert not is_near(got, counted(read, data)["recall"]) or is_near(counted(read, data)["recall"], want), (
            "n(m) was divided by the KNOWN samples; N counts all of them, and an unread clip recalls nothing"
        )
        assert is_near(got, want), (
            f"{len(samples)} samples, {len(data)} clips: recall should be {want:.3f}, not {got:.3f}. For each of the "
            "data's modes, the smaller of n(m) D / N and d(m)"
        )


@exercise("mode_report", points=1, hint="if num_known is 0 nothing may be divided by it")
def test_report_nothing_known(lab):
    """where no sample is known, every number is 0"""
    for samples in ([None, None, None], ["y", None], [("a", "blue star")]):
        got = report_answer(lab, samples, ["c", "d", "d"])
        for name in MEASURES:
            assert getattr(got, name) == 0, f"no sample is known, so {name} is 0; yours is {getattr(got, name):.3f}"


@exercise("mode_report", points=1, hint="if not samples or not data: raise ValueError(...), the same if None in data")
def test_report_refuses_nonsense(lab):
    """no samples, no data, or data without a mode, are a ValueError"""
    refuses("mode_report of no samples", 0, lab.mode_report, [], ["c"])
    refuses("mode_report with no data", 0, lab.mode_report, ["c"], [])
    refuses("mode_report with 2 unread clips in the data", 2, lab.mode_report, ["c"], ["c", None, "d", None])


# ---------------------------------------------------------------------------------------------- the hinge loss


def hinge_answer(lab, real, fake):
    said = f"discriminator_hinge_loss of {shape(real)} real and {shape(fake)} fake scores"
    return scalar(said, attempt(said, lab.discriminator_hinge_loss, real, fake))


def hinge(real, fake):
    """Oracle: one score after the other."""
    real, fake = real.flatten().tolist(), fake.flatten().tolist()
    return sum(max(0, 1 - s) for s in real) / len(real) + sum(max(0, 1 + s) for s in fake) / len(fake)


@exercise("discriminator_hinge_loss", points=2, hint="F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()")
def test_hinge_values(lab, seed):
    """what is told apart with room to spare costs nothing, everything else its distance to the margin"""
    real, fake = torch.tensor([4.5, 0.25, -1.0]), torch.tensor([-3.0, 0.5, -0.75, 2.0, 0.0])
    got, want = float(hinge_answer(lab, real, fake)), hinge(real, fake)
    known = (
        (hinge(fake, real), "real and fake are exchanged: real scores should be high, fake ones low"),
        (hinge(-real, -fake), "the signs are turned around: real scores should be ABOVE 1, fake ones below -1"),
        (float(2 - real.mean() + fake.mean()), "there is no hinge: max(0, ...) keeps what is beyond the margin at 0"),
        (float(fake.mean() - real.mean()), "these are plain means, without margin and hinge"),
        (
            float(F.relu(-real).mean() + F.relu(fake).mean()),
            "the margin is missing: real scores should be above 1, not 0",
        ),
        (want / 2, "the sum of the two means was halved; it is asked for as it is"),
        (
            float(F.softplus(-real).mean() + F.softplus(fake).mean()),
            "this is the logistic loss of the first GANs; the hinge loss is piecewise straight",
        ),
        (
            float(F.relu(1 - real).square().mean() + F.relu(1 + fake).square().mean()),
            "the distances to the margin are squared; the hinge loss takes them as they are",
        ),
        (float(F.relu(1 - real).sum() + F.relu(1 + fake).sum()), "these are sums over the scores; means are asked for"),
        (
            float(torch.cat([F.relu(1 - real), F.relu(1 + fake)]).mean()),
            "one mean over all scores together: each of the two has a mean of its own, whatever their numbers",
        ),
        (
            float(F.relu(1 - real.mean()) + F.relu(1 + fake.mean())),
            "the mean was taken before the hinge: then one sample far beyond the margin pays for others before it",
        ),
        (float(F.relu(1 - real).mean()), "the fake scores are missing"),
        (float(F.relu(1 + fake).mean()), "the real scores are missing"),
    )
    for value, message in known:
        assert not is_near(got, value), message
    assert is_near(got, want), f"real scores {real.tolist()}, fake {fake.tolist()}: expected {want:.4f}, not {got:.4f}"
    real, fake = 2 * noise(seed, 6, 2), 2 * noise(seed + 1, 5, 3)
    got = float(hinge_answer(lab, real, fake))
    assert is_near(got, hinge(real, fake)), (
        f"scores (6, 2) and (5, 3): expected {hinge(real, fake):.4f}, not {got:.4f}. Every score counts alike"
    )


@exercise("discriminator_hinge_loss", points=2, hint="F.relu is flat below zero: that is the whole trick.")
def test_hinge_gradient(lab):
    """beyond the margin nothing pulls; before it every score pulls alike"""
    real = torch.tensor([1.5, 0.5, -4.0, 0.9], requires_grad=True)
    fake = torch.tensor([-1.5, 0.5, 3.0], requires_grad=True)
    loss = hinge_answer(lab, real, fake)
    assert loss.requires_grad, "the loss has no gradient: was .item(), .detach() or no_grad used?"
    loss.backward()
    assert real.grad is not None and fake.grad is not None, "the loss has a gradient for one kind of score only"
    assert real.grad[0] == 0 and fake.grad[0] == 0, (
        "a real score of 1.5 and a fake one of -1.5 are beyond the margin, and yours still pulls at them"
    )
    assert same(real.grad[1:], torch.full((3,), -0.25)) and same(fake.grad[1:], torch.full((2,), 1 / 3)), (
        f"scores before the margin pull alike: -1/4 on each of 4 real ones, 1/3 on each of 3 fake ones; yours pull "
        f"{[round(g, 3) for g in real.grad.tolist()]} and {[round(g, 3) for g in fake.grad.tolist()]}"
    )


@exercise("discriminator_hinge_loss", points=1, hint="scores.to(torch.promote_types(scores.dtype, torch.float32))")
def test_hinge_dtypes(lab):
    """half precision is computed in float32; float64 stays what it is"""
    half, single, double = torch.float16, torch.float32, torch.float64
    for dtype, want in ((half, single), (torch.bfloat16, single), (double, double)):
        real, fake = torch.tensor([0.5, 0.25], dtype=dtype), torch.tensor([0.5], dtype=dtype)
        got = hinge_answer(lab, real, fake)
        assert got.dtype == want, f"of scores in {dtype} the loss should be {want}, not {got.dtype}"
    real = torch.full((3000,), -40.0, dtype=half)
    got = float(hinge_answer(lab, real, real))
    assert is_near(got, 41.0), f"3000 scores of -40 in float16: expected 41, not {got:.2f}"


@exercise("discriminator_hinge_loss", points=1, hint="if scores.numel() == 0: raise ValueError(...)")
def test_hinge_refuses_nothing(lab):
    """a mean over no scores is a ValueError that names their shape"""
    refuses("real scores of shape (0, 2)", "0, 2", lab.discriminator_hinge_loss, torch.zeros(0, 2), torch.zeros(3, 2))
    refuses("fake scores of shape (0,)", "0,", lab.discriminator_hinge_loss, torch.zeros(3), torch.zeros(0))


# ---------------------------------------------------------------------------------------------- VideoDiscriminator


def judge_of(lab, channels=(4, 6), dtype=torch.float32):
    torch.manual_seed(11)
    judge = attempt("VideoDiscriminator(...)", lab.VideoDiscriminator, *channels, normalized=False).to(dtype)
    with torch.no_grad():
        for parameter in judge.parameters():  # so that every layer's bias and sign count
            parameter.mul_(2.5)
        judge.score.weight.mul_(3)  # and scores are of any size
    return judge


def score_answer(judge, clips):
    said = f"VideoDiscriminator of clips {shape(clips)}"
    got = attempt(said, judge, clips)
    assert torch.is_tensor(got), f"{said} returned {type(got).__name__}; a tensor is asked for"
    assert got.shape == (len(clips),), (
        f"{said} should give one score a clip, shape ({len(clips)},); yours is {shape(got)}"
    )
    assert torch.isfinite(got).all(), f"{said} holds NaN or infinity"
    return got


def layer_by_layer(judge, clips, halve=None, activate=None, last=None, pool=None):
    """Oracle, with a part exchanged on request."""
    halve = halve or (lambda x: F.avg_pool3d(x, (1, 2, 2)))
    activate = activate or (lambda x: torch.where(x > 0, x, 0.2 * x))
    x = halve(clips)
    for k, layer in enumerate((judge.first, judge.second, judge.third)):
        x = F.conv3d(x, layer.weight, layer.bias, stride=layer.stride, padding=layer.padding)
        x = (last or activate)(x) if k == 2 else activate(x)
    x = pool(x) if pool else x.flatten(2).sum(dim=2)
    return x @ judge.score.weight[0] + judge.score.bias


@exercise("VideoDiscriminator", points=3, hint="avg_pool3d by (1, 2, 2); three times conv and leaky_relu; sum; score.")
def test_judge_layers(lab, seed):
    """halved pictures, three convolutions with leaky ReLUs, a sum over time and picture, one score a clip"""
    judge, clips = judge_of(lab), noise(seed, 2, 4, 7, 12, 16).clamp(-1, 1)
    got, want = score_answer(judge, clips), layer_by_layer(judge, clips)

    def looks(**parts):
        try:
            return same(got, layer_by_layer(judge, clips, **parts), 1e-4)
        except RuntimeError:
            return False

    known = (
        ({"halve": lambda x: x}, "the pictures were not halved: the first step is to average 2x2 pixels"),
        ({"halve": lambda x: F.avg_pool3d(x, 2)}, "time was halved too: only rows and columns are, (1, 2, 2)"),
        ({"halve": lambda x: x[..., ::2, ::2]}, "every second pixel was taken; averaging 2x2 sees all of them"),
        ({"halve": lambda x: F.max_pool3d(x, (1, 2, 2))}, "the largest of 2x2 pixels was taken, not their mean"),
        ({"activate": F.relu}, "the activation is a plain ReLU: a leaky one keeps 0.2 of what is below zero"),
        ({"activate": partial(F.leaky_relu, negative_slope=0.01)}, "leaky_relu's own slope is 0.01; SLOPE is 0.2"),
        ({"activate": lambda x: x}, "there is no activation between the layers: all of it is one linear map"),
        ({"last": lambda x: x}, "the third convolution has no activation after it"),
        ({"pool": lambda x: x.flatten(2).mean(dim=2)}, "time and picture were averaged; the sum is asked for"),
        ({"pool": lambda x: x.flatten(2).amax(dim=2)}, "the largest value was taken; the sum is asked for"),
        ({"pool": lambda x: x[:, :, -1].flatten(2).sum(dim=2)}, "only the last frame reaches the score"),
    )
    for parts, message in known:
        assert not looks(**parts), message
    for squash, name in ((torch.sigmoid, "sigmoid"), (torch.tanh, "tanh")):
        assert not same(got, squash(want), 1e-4), (
            f"the scores went through a {name}: a hinge loss needs scores that can be any number"
        )
    assert same(got, want, 1e-4), (
        f"scores should be {[round(s, 3) for s in want.tolist()]}, not {[round(s, 3) for s in got.tolist()]}: halve, "
        "then first, second, third, each with a leaky ReLU of slope SLOPE, then the sum, then score"
    )


@exercise("VideoDiscriminator", points=2, hint="Only the sum at the end may forget where something was.")
def test_judge_sees_time(lab, seed):
    """every frame counts, and so does their order"""
    judge, clips = judge_of(lab), noise(seed, 2, 4, 6, 12, 12)
    before = score_answer(judge, clips)
    for t in range(6):
        changed = clips.clone()
        changed[:, :, t] = noise(seed + 1 + t, 2, 4, 12, 12)
        moved = (score_answer(judge, changed) - before).abs().min()
        assert moved > 1e-6, f"frame {t} of 6 was changed and the score did not move: it is not seen"
    turned = score_answer(judge, clips.flip(2))
    assert (turned - before).abs().min() > 1e-6, (
        "a clip played backwards has the same score: the frames were averaged before the convolutions saw their order"
    )


@exercise("VideoDiscriminator", points=2, hint="The batch is axis 0: sum over axes 2, 3 and 4 only.")
def test_judge_each_clip_alone(lab, seed):
    """a clip's score is its own: what else is in the batch does not matter"""
    judge, clips = judge_of(lab), noise(seed, 3, 4, 5, 8, 12)
    kept = clips.clone()
    together = score_answer(judge, clips)
    assert torch.equal(clips, kept), "the clips you were given have changed: work on a copy"
    for b in range(3):
        alone = score_answer(judge, clips[b : b + 1])[0]
        assert same(alone, together[b], 1e-4), (
            f"clip {b} has the score {together[b].item():.4f} in a batch, {alone.item():.4f} alone: samples were mixed"
        )
    assert (together[1:] - together[:1]).abs().min() > 1e-6, "three different clips have the same score"


@exercise("VideoDiscriminator", points=1, hint="No .detach(), no torch.no_grad(): both players learn through this.")
def test_judge_gradients(lab, seed):
    """gradients reach every weight, and the clip itself; float64 stays float64"""
    judge = judge_of(lab, dtype=torch.float64)
    clips = noise(seed, 2, 4, 5, 8, 8).double().requires_grad_(True)
    got = score_answer(judge, clips)
    assert got.dtype == torch.float64, f"of clips in float64 the scores should be float64, not {got.dtype}"
    assert got.requires_grad, "the scores have no gradient: neither player could learn"
    got.sum().backward()
    for name, parameter in judge.named_parameters():
        reached = parameter.grad is not None and parameter.grad.abs().max() > 0
        assert reached, f"no gradient reaches {name}: is that layer used?"
    assert clips.grad is not None and (clips.grad.abs().amax(dim=(1, 3, 4)) > 0).all(), (
        "no gradient reaches the clip: the generator learns through the discriminator's judgement of its pixels"
    )


# ---------------------------------------------------------------------------------------------- gradient_penalty


def penalty_answer(lab, judge, real, said="gradient_penalty"):
    return scalar(said, attempt(said, lab.gradient_penalty, judge, real))


class Bowl(torch.nn.Module):
    """D(x) = a |x|^2 + w x: its slope at x is 2 a x + w. Several scores a sample on request."""

    def __init__(self, w, a=0.0, columns=1):
        super().__init__()
        self.w, self.a, self.columns = torch.nn.Parameter(w), a, columns

    def forward(self, x):
        scores = (self.a * x.square() + self.w * x).flatten(1).sum(dim=1)
        return scores if self.columns == 1 else torch.stack([k * scores for k in range(1, self.columns + 1)], dim=1)


@exercise("gradient_penalty", points=3, hint="slope.square().flatten(1).sum(dim=1).mean(): sum in a sample, mean over.")
def test_penalty_values(lab, seed):
    """the mean over samples of the squared length of the score's slope"""
    w, real = noise(seed, 2, 3, 4), noise(seed + 1, 5, 2, 3, 4)
    got, want = float(penalty_answer(lab, Bowl(w), real, "gradient_penalty of a plane")), float(w.square().sum())
    known = (
        (math.sqrt(want), "the length of the slope was not squared: ‖slope‖² is asked for"),
        (5 * want, "the samples were summed; the mean over samples is asked for"),
        (
            want / 25,
            "D's MEAN score was differentiated, which makes every slope B times too small: differentiate the sum, then "
            "each sample's slope is its own",
        ),
        (want / 5, "D's mean score was differentiated: with the sum, each sample's slope is its own"),
        (want / 24, "the squares were averaged over the pixels; within a sample they are summed"),
        ((math.sqrt(want) - 1) ** 2, "this is WGAN-GP's penalty, which wants slopes of length 1; here 0 is wanted"),
        (want / 2, "the half belongs to the loss (γ/2 of the penalty), not to the penalty"),
        (float(w.abs().sum()), "absolute values were summed; squares are asked for"),
    )
    for value, message in known:
        assert not is_near(got, value), message
    assert is_near(got, want), f"of a plane with slope w the penalty is ‖w‖² = {want:.4f}; yours is {got:.4f}"
    slopes = 2 * 0.7 * real + w
    got = float(penalty_answer(lab, Bowl(w, 0.7), real, "gradient_penalty of a bowl"))
    want = float(slopes.square().flatten(1).sum(dim=1).mean())
    pooled = float(slopes.mean(dim=0).square().sum())
    known = (
        (pooled, "the slopes were averaged over the samples before squaring: then opposite ones cancel"),
        (float(slopes[0].square().sum()), "only the first sample counts; the mean over all is asked for"),
        (float(w.square().sum()), "the slope was taken at 0, or at noise, and not at the real samples"),
        (
            float(slopes.flatten(1).norm(dim=1).mean() ** 2),
            "the mean of the lengths was squared: square each sample's length, then take the mean",
        ),
    )
    for value, message in known:
        assert not is_near(got, value), message
    assert is_near(got, want), f"where the slope differs from sample to sample the penalty is {want:.4f}, not {got:.4f}"


@exercise("gradient_penalty", points=1, hint="discriminator(real).sum() adds all scores, whatever their shape.")
def test_penalty_several_scores(lab, seed):
    """a discriminator with two branches: the slope of the sum of a sample's scores"""
    w, real = noise(seed, 2, 7), noise(seed + 1, 3, 2, 7)
    got, want = float(penalty_answer(lab, Bowl(w, columns=2), real)), float((3 * w).square().sum())
    assert not is_near(got, float(w.square().sum())), "only the first of two scores counts; a sample's scores are added"
    assert not is_near(got, want / 4), "a sample's scores were averaged; they are added"
    assert is_near(got, want), f"scores D and 2 D add up to 3 D, with the penalty {want:.3f}; yours is {got:.3f}"


@exercise("gradient_penalty", points=2, hint="torch.autograd.grad(..., create_graph=True)")
def test_penalty_can_be_learned_from(lab, seed):
    """the penalty is differentiable in the discriminator's weights"""
    w, real = noise(seed, 2, 3), noise(seed + 1, 4, 2, 3)
    judge = Bowl(w, 0.3)
    got = penalty_answer(lab, judge, real)
    assert got.requires_grad, (
        "the penalty has no gradient, so the discriminator would never feel it: the slope needs create_graph=True, and "
        "no .item() or .detach() after it"
    )
    (slope,) = torch.autograd.grad(got, judge.w)
    want = 2 * (2 * 0.3 * real + w).mean(dim=0)
    assert same(slope, want, 1e-4), "the penalty's gradient in the weights is not that of mean ‖slope‖²"


@exercise("gradient_penalty", points=2, hint="real = real.detach().requires_grad_(True) makes a leaf of your own.")
def test_penalty_leaves_things_alone(lab, seed):
    """the samples are left as they are, and no gradient is left in the weights"""
    judge, real = Bowl(noise(seed, 3), 0.5), noise(seed + 1, 4, 3)
    kept = real.clone()
    penalty_answer(lab, judge, real)
    assert torch.equal(real, kept), "the samples were changed"
    assert not real.requires_grad, "the samples you were given now require a gradient: work on real.detach()"
    assert judge.w.grad is None, (
        "a gradient was left in the discriminator's weights: .backward() writes everywhere; torch.autograd.grad gives "
        "the slope and nothing else"
    )
    part = noise(seed + 2, 4, 3).requires_grad_(True)
    got = penalty_answer(lab, judge, 2 * part, "gradient_penalty of samples that come out of a computation")
    assert is_near(got, float((2 * 0.5 * 2 * part + judge.w).square().sum(dim=1).mean())), (
        "for samples that come out of a computation the penalty is another one"
    )
    torch.autograd.grad(got, judge.w)
    assert part.grad is None, "a gradient was left where the samples come from: work on real.detach()"


@exercise("gradient_penalty", points=1, hint="if len(real) == 0: raise ValueError(...)")
def test_penalty_refuses_nothing(lab):
    """no sample is a ValueError that names the shape"""
    refuses("gradient_penalty at no sample", "0, 3", lab.gradient_penalty, Bowl(torch.ones(3)), torch.zeros(0, 3))


# ---------------------------------------------------------------------------------------------- adversarial_step

RATES = 0.1, 0.3  # of the generator, of the discriminator


class Game:
    """Two small players with plain gradient descent, and all that a step needs. B, B' and D differ."""

    def __init__(self, seed, moves=1):
        torch.manual_seed(seed)
        self.generator = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
        self.judge = torch.nn.Sequential(torch.nn.Linear(3, 6), torch.nn.LeakyReLU(0.2), torch.nn.Linear(6, 1))
        self.real, self.latents = noise(seed + 1, 4, 3), noise(seed + 2, 1 + moves, 7, 2)

    def play(self, lab, steps=1, **options):
        """The players after the learner's steps, and what the last one returned."""
        generator, judge = copy.deepcopy(self.generator), copy.deepcopy(self.judge)
        optimizers = [torch.optim.SGD(p.parameters(), lr=lr) for p, lr in zip((generator, judge), RATES)]
        said = f"adversarial_step with latents {shape(self.latents)}"
        for _ in range(steps):
            got = attempt(said, lab.adversarial_step, generator, judge, optimizers, self.real, self.latents, **options)
        return Players(generator, judge), got

    def by_hand(self, steps=1, weight=0.0, **wrong):
        """Oracle: every gradient by name, nothing accumulates. `wrong` makes a known mistake."""
        players = Players(copy.deepcopy(self.generator), copy.deepcopy(self.judge))
        for _ in range(steps):
            losses = players.step(self.real, self.latents, weight, **wrong)
        return players, losses


class Players:
    """A generator and a discriminator that know how to move."""

    def __init__(self, generator, judge):
        self.generator, self.judge = generator, judge

    def step(self, real, latents, weight, order="dg", sign=-1.0, stale=False, same_latents=False, moves=None):
        loss = torch.zeros(())
        for player in order:
            if player == "d":
                loss = self.move_judge(real, latents[0], weight)
            else:
                before = copy.deepcopy(self.judge) if stale else self.judge
                for z in latents[1:][:moves]:
                    last = self.move_generator(before, latents[0] if same_latents else z, sign)
        return {"discriminator": loss, "generator": last}

    def move_judge(self, real, z, weight):
        fake = self.generator(z).detach()
        loss = F.relu(1 - self.judge(real)).mean() + F.relu(1 + self.judge(fake)).mean()
        if weight:
            x = real.clone().requires_grad_(True)
            (slope,) = torch.autograd.grad(self.judge(x).sum(), x, create_graph=True)
            loss = loss + weight / 2 * slope.square().sum(dim=1).mean()
        descend(self.judge, loss, RATES[1])
        return float(loss)

    def move_generator(self, judge, z, sign=-1.0):
        loss = sign * judge(self.generator(z)).mean()
        descend(self.generator, loss, RATES[0])
        return float(loss)

    def equal(self, other):
        return [
            all(same(p, q, 1e-5) for p, q in zip(a.parameters(), b.parameters()))
            for a, b in ((self.generator, other.generator), (self.judge, other.judge))
        ]


def descend(player, loss, rate):
    weights = list(player.parameters())
    for p, g in zip(weights, torch.autograd.grad(loss, weights)):
        p.data -= rate * g


@exercise(
    "adversarial_step",
    points=3,
    needs=("discriminator_hinge_loss",),
    hint="backward() only fills .grad; the optimizer's step() moves, zero_grad() empties.",
)
def test_step_moves_both(lab, seed):
    """the discriminator moves by its loss, then the generator by its own, against the discriminator as it is now"""
    game = Game(seed)
    got, _ = game.play(lab)
    want, _ = game.by_hand()
    start = Players(game.generator, game.judge)
    assert not got.equal(start)[1], "the discriminator did not move: its optimizer is the second of the two"
    assert not got.equal(start)[0], "the generator did not move: its optimizer is the first of the two"
    known = (
        ({"sign": 1.0}, "the generator moved the wrong way: it wants HIGH scores, so its loss is minus their mean"),
        ({"order": "gd"}, "the generator moved first: the discriminator's move comes before"),
        ({"same_latents": True}, "the generator moved with latents[0], the discriminator's; its own follow"),
    )
    for wrong, message in known:
        assert not all(got.equal(game.by_hand(**wrong)[0])), message
    generator_is, judge_is = got.equal(want)
    assert judge_is, (
        "after one step the discriminator's weights are not those of one move against discriminator_hinge_loss(real "
        "scores, scores of generator(latents[0])). Did something else leave a gradient in it, or move it twice?"
    )
    stale = Players(copy.deepcopy(game.generator), game.judge)
    stale.move_generator(copy.deepcopy(game.judge), game.latents[1])
    assert not got.equal(stale)[0], (
        "the generator moved against the discriminator as it was before its move: judge the fakes anew"
    )
    pushed = copy.deepcopy(game.generator)
    fake = pushed(game.latents[0])
    loss = F.relu(1 + game.judge(fake)).mean()
    descend(pushed, loss, RATES[0])
    alone = Players(pushed, game.judge)
    alone.move_generator(want.judge, game.latents[1])
    both = combined(game, want)
    assert not got.equal(alone)[0] and not got.equal(both)[0], (
        "the discriminator's loss moved the generator too: what it made for that loss is given, so make it under "
        "torch.no_grad() or .detach() it, and zero the generator's gradients before its own backward()"
    )
    assert generator_is, (
        "after one step the generator's weights are not those of one move by generator_hinge_loss(scores of "
        "generator(latents[1])) against the discriminator as it is after its own move"
    )


def combined(game, want):
    """The generator moved by the sum of its own gradient and the one that the discriminator's loss left in it."""
    generator = copy.deepcopy(game.generator)
    weights = list(generator.parameters())
    first = torch.autograd.grad(F.relu(1 + game.judge(generator(game.latents[0]))).mean(), weights)
    second = torch.autograd.grad(-want.judge(generator(game.latents[1])).mean(), weights)
    for p, a, b in zip(weights, first, second):
        p.data -= RATES[0] * (a + b)
    return Players(generator, want.judge)


@exercise(
    "adversarial_step",
    points=3,
    needs=("discriminator_hinge_loss",),
    hint="zero_grad() of a player comes before its own backward(), at every move.",
)
def test_step_leaves_nothing_behind(lab, seed):
    """three steps: no gradient of an earlier move, or of the other player's, is still there"""
    game = Game(seed + 10)
    generator_is, judge_is = game.play(lab, steps=2)[0].equal(game.by_hand(steps=2)[0])
    once = game.play(lab)[0].equal(game.by_hand()[0])
    assert judge_is or not all(once), (
        "the first step is right and the second is not: the discriminator moves by gradients that were left in it, by "
        "its last move or by the generator's, whose backward() fills the discriminator's .grad too. Zero them before "
        "backward()"
    )
    assert generator_is or not all(once), (
        "the first step is right and the second is not: the generator moves by gradients of its earlier moves. Zero "
        "them before backward()"
    )
    got, _ = game.play(lab, steps=3)
    assert all(got.equal(game.by_hand(steps=3)[0])), "after three steps the players are not where they should be"


@exercise(
    "adversarial_step",
    points=2,
    needs=("discriminator_hinge_loss",),
    hint="for z in latents[1:]: one whole move of the generator each.",
)
def test_step_several_moves(lab, seed):
    """one move of the generator for each of latents[1], latents[2], ...; one of the discriminator"""
    game = Game(seed + 20, moves=3)
    got, losses = game.play(lab)
    assert not all(got.equal(game.by_hand(moves=1)[0])), (
        "latents (4, B, D) hold three moves of the generator, and yours moved once: every latents[1:] is a move"
    )
    pooled = Players(copy.deepcopy(game.generator), copy.deepcopy(game.judge))
    pooled.move_judge(game.real, game.latents[0], 0.0)
    pooled.move_generator(pooled.judge, game.latents[1:].flatten(0, 1))
    assert not all(got.equal(pooled)), "all latents went into one move of the generator; each of latents[1:] is a move"
    want, right = game.by_hand()
    assert got.equal(want)[1], "with three moves of the generator the discriminator still moves once, before them"
    assert got.equal(want)[0], (
        "after three moves the generator is not where it should be: each is a whole move of its own, with its own "
        "zero_grad(), backward() and step()"
    )
    value = losses.get("generator") if isinstance(losses, dict) else None
    assert torch.is_tensor(value) and is_near(value, right["generator"]), (
        "losses['generator'] should be the loss of the generator's last move"
    )


@exercise(
    "adversarial_step",
    points=2,
    needs=("discriminator_hinge_loss",),
    hint="loss + penalty_weight / 2 * gradient_penalty(discriminator, real)",
)
def test_step_returns(lab, seed):
    """the losses by name, as scalars without a graph"""
    game = Game(seed + 30)
    _, losses = game.play(lab)
    assert isinstance(losses, dict), f"adversarial_step returned {type(losses).__name__}; a dictionary is asked for"
    right = game.by_hand()[1] | {"penalty": 0.0}
    for name, want in right.items():
        assert name in losses, f"the dictionary has no {name!r}; it has {', '.join(map(repr, losses)) or 'nothing'}"
        value = losses[name]
        assert torch.is_tensor(value) and value.shape == (), f"{name} should be a scalar tensor"
        assert not value.requires_grad, f"{name} still holds its graph, and with it memory: detach() it"
        assert is_near(value, want), f"{name} should be {want:.4f} here, not {float(value):.4f}"


@exercise(
    "adversarial_step",
    points=2,
    needs=("discriminator_hinge_loss", "gradient_penalty"),
    hint="loss + penalty_weight / 2 * gradient_penalty(discriminator, real)",
)
def test_step_penalty(lab, seed):
    """the discriminator's loss takes half of penalty_weight times the penalty; at 0 it is not computed"""
    game = Game(seed + 40)
    got, losses = game.play(lab, steps=2, penalty_weight=0.8)
    assert not all(got.equal(game.by_hand(steps=2)[0])), "penalty_weight=0.8 changes nothing: the penalty is not used"
    assert not all(got.equal(game.by_hand(steps=2, weight=1.6)[0])), (
        "the penalty counts twice too much: the loss takes penalty_weight / 2 of it"
    )
    want, right = game.by_hand(steps=2, weight=0.8)
    assert got.equal(want)[1], (
        "with penalty_weight=0.8 the discriminator should move by hinge loss + 0.4 * gradient_penalty(discriminator, "
        "real); yours moved elsewhere"
    )
    assert got.equal(want)[0], "the penalty reached the generator; it belongs to the discriminator's loss alone"
    assert is_near(losses["discriminator"], right["discriminator"]), (
        f"losses['discriminator'] counts the penalty's part: {right['discriminator']:.4f}, not "
        f"{float(losses['discriminator']):.4f}"
    )
    assert float(losses["penalty"]) > 0, "losses['penalty'] should be the penalty itself, which is not 0 here"


@exercise("adversarial_step", points=1, hint="if len(latents) < 2: raise ValueError(...)")
def test_step_refuses_nonsense(lab):
    """latents for one player alone are a ValueError that says how many there are"""
    game = Game(0, moves=0)
    optimizers = [torch.optim.SGD(p.parameters(), lr=0.1) for p in (game.generator, game.judge)]
    refuses("adversarial_step with latents (1, 7, 2)", 1, lab.adversarial_step, game.generator, game.judge, optimizers,
            game.real, game.latents)  # fmt: skip


def distance_after(step, seed, num_steps=100):
    """Train a small generator on two spots in the plane; how far the spots of its samples stay from those of the data.

    The energy distance between 256 samples and 256 data points, in the unit of the plane: 0 if they are alike.
    """
    torch.manual_seed(seed)
    generator = torch.nn.Sequential(torch.nn.Linear(2, 24), torch.nn.Tanh(), torch.nn.Linear(24, 2))
    judge = torch.nn.Sequential(torch.nn.Linear(2, 32), torch.nn.LeakyReLU(0.2), torch.nn.Linear(32, 1))
    optimizers = [torch.optim.Adam(p.parameters(), lr=0.02, betas=(0.0, 0.9)) for p in (generator, judge)]
    draw = torch.Generator().manual_seed(seed)

    def data(count):
        side = torch.randint(2, (count, 1), generator=draw) * 2 - 1
        return side * torch.tensor([1.2, -0.8]) + 0.15 * torch.randn(count, 2, generator=draw)

    for _ in range(num_steps):
        step(generator, judge, optimizers, data(32), torch.randn(2, 32, 2, generator=draw), 0.5)
    with torch.no_grad():
        made, real = generator(torch.randn(256, 2, generator=draw)), data(256)
        across, within = torch.cdist(made, real).mean(), torch.cdist(made, made).mean()
        return float(2 * across - within - torch.cdist(real, real).mean())


@exercise(
    "adversarial_step",
    points=2,
    needs=("discriminator_hinge_loss", "gradient_penalty"),
    hint="If every single step is right and this is not: do both players' signs agree with the losses?",
)
def test_step_trains(lab, seed):
    """100 steps: a small generator finds two spots in the plane"""
    distance = attempt("100 steps of adversarial_step", distance_after, lab.adversarial_step, seed)
    assert distance < FAR, (
        f"after 100 steps the samples are {distance:.2f} from the data (energy distance); {FAR} is asked for. Where "
        "one player does not learn, it stays above"
    )
