"""Grader of lab 02.3. Its oracles count by hand, know closed forms, and take every gradient of a step by name."""

import copy
import math
from collections import Counter
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch.nn.utils import parameters_to_vector

from common.course.graders import Call, attempt, judge, number, outcomes, record, stand_ins, tensor, theorems, values

exercise = pytest.mark.exercise


report = Call("mode_report", parameters=("samples", "data"),
              gives=record("object", known=number(), coverage=number(), entropy=number(), recall=number()))  # fmt: skip


def entropy(s, d, total=None):
    """Oracle: -sum p log p over the data's modes, p a fraction of the known samples, or of `total`."""
    counts = torch.tensor([s.count(m) for m in set(d)]).double()
    return torch.special.entr(counts / (total or counts.sum())).sum()


# Oracles, of samples s and data d, mode by mode.
TRUTH = {
    "known": lambda s, d: sum(m in d for m in s) / len(s),
    "coverage": lambda s, d: sum(m in s for m in set(d)) / len(set(d)),
    "recall": lambda s, d: sum(min(s.count(m) / len(s), d.count(m) / len(d)) for m in set(d)),
    "entropy": entropy,
}


def lists(seed, num_samples, num_data):
    """Samples of modes "a" to "g" and unread ones; data of modes "c" to "h", some of them rare."""
    picks, ranks = values.uniform(seed, num_samples, low=0, high=8), values.uniform(seed + 1, num_data, low=0, high=1)
    samples = [None if k == 7 else "abcdefg"[k] for k in picks.long().tolist()]
    return [*samples, *"cdab", None], ["cdefgh"[k] for k in (ranks**2 * 6).long().tolist()] + list("cdefgh")


def random_rows(seed):
    """More samples than clips, fewer, and a mode that no sample has."""
    return [lists(seed, 60, 41), lists(seed + 5, 20, 70), (["d", "d", None, "c", "z", "y", "d"], list("cccdef"))]


@exercise("mode_report", points=5, hint="found = Counter(m for m in samples if m in Counter(data)); scale by D / N")
def test_report_counts(lab, seed):
    """known samples, the fraction of the data's modes that they have, and recall, which compares frequencies"""
    data = ["c"] * 6 + ["d"] * 3 + ["e"]
    rows = [(["d"] * 40, data), (["c", "c", "c", "d", None], data), (["e"], data), *random_rows(seed)]
    mistakes = {
        "that is the fraction of samples that could be read, known or not": lambda s, d: 1 - s.count(None) / len(s),
        "unread samples count in N too. Divide by all": lambda s, d: TRUTH["known"]([m for m in s if m], d),
        "modes that the data does not have are counted": lambda s, d: len({*s} - {None}) / len({*d}),
        "n(m) and d(m) are compared as they are. N and D differ, so scale n(m) by D / N": (
            lambda s, d: (Counter(s) & Counter(d)).total() / len(d)
        ),
    }
    because = {
        "known": "it is the number of samples whose mode the data has, over the number of samples",
        "coverage": "it is the number of the data's modes that some sample has, over the number of the data's modes",
        "recall": "for each of the data's modes it counts the smaller of n(m) D / N and d(m)",
    }
    for part, said in because.items():
        report.table(lab, rows, TRUTH[part], mistakes, part=part, because=said, tolerance=1e-9)


@exercise("mode_report", points=2, hint="p = n / sum of n, over the known samples; -sum of p log p with math.log.")
def test_report_entropy(lab, seed, look):
    """entropy of the known samples alone, natural logarithm: 0 for one mode, log K for K"""
    equal = [(list("cdefgh"[:k]) * 4 + [None, "z", "z"][: k - 1], list("cdefghij")) for k in range(1, 7)]
    yours = [float(report(lab, *row)["entropy"]) for row in equal]
    look(target=torch.tensor([math.log(k) for k in range(1, 7)]), yours=torch.tensor(yours))
    mistakes = {
        "that is in bits. The natural logarithm is asked for": lambda s, d: entropy(s, d) / math.log(2),
        "p is a fraction of all samples. Take it of the known ones": lambda s, d: entropy(s, d, len(s)),
    }
    because = "it is -sum p log p as it stands: 0 for one mode, log K for K equally frequent ones"
    rows = equal + random_rows(seed)
    report.table(lab, rows, entropy, mistakes, part="entropy", because=because, tolerance=1e-9)


@exercise("mode_report", points=2, hint="Nothing may be divided by 0 known samples; only None is no mode.")
def test_report_edges(lab, seed):
    """no known sample: every number is 0. Any hashable value but None is a mode. No samples or no data: ValueError"""
    for samples in ([None, None, None], ["y", None], [("a", "blue star")]):
        for part in report(lab, samples, ["c", "d", "d"]):
            part.equal(0, because="no sample is known, so every number is 0")
    odd = [0, "", None, (), 0, "5", ("red", 1), 0], [0, "", "", (), 5, ("red", 2)]
    samples, data = lists(seed, 30, 20)
    theorems.owes(report, lab, samples, data, other=lists(seed + 3, 10, 11))
    for part, truth in TRUTH.items():
        report(lab, *odd)[part].near(truth(*odd), because="0, the empty string and the empty tuple are modes too")
        for order in ((tuple(samples), tuple(data)), (samples[::-1], data[::-1])):
            report(lab, *order)[part].near(truth(*order), because="in any order, and as tuples, they give the same")
    for samples, data in (([], ["c"]), (["c"], []), ([], []), (["c"], ["c", None, "d"]), ([None], [None, None])):
        report.refuses(lab, samples, data)


hinge = Call("discriminator_hinge_loss", takes={"real_scores": "...", "fake_scores": "..."},
             gives=tensor("", lambda given: torch.float64 if given == torch.float64 else torch.float32))  # fmt: skip


def pays(each):
    """The mean of `each` over 1 - D(x), and over 1 + D(G(z)), in double precision."""
    return lambda real, fake: each(1 - real.double()).mean() + each(1 + fake.double()).mean()


slow_hinge = pays(lambda x: torch.where(x > 0, x, 0))


@exercise("discriminator_hinge_loss", points=2, hint="F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()")
def test_hinge_values(lab, seed, look):
    """what is told apart with room to spare costs nothing, everything else its distance to the margin"""
    mistakes = {
        "real and fake are swapped: real scores should be high, fake ones low": lambda r, f: slow_hinge(f, r),
        "there is no hinge: max(0, …) keeps what is beyond the margin at 0": pays(lambda x: x),
        "real and fake scores have a mean each": lambda r, f: F.relu(1 - torch.cat([r.view(-1), -f.view(-1)])).mean(),
        "the mean is taken before the hinge": lambda r, f: F.relu(1 - r.mean()) + F.relu(1 + f.mean()),
    }
    scores = torch.linspace(-3, 3, 25)
    yours = [float(hinge(lab, score.reshape(1), torch.tensor([-2.0])).value) for score in scores]
    look(target=F.relu(1 - scores), yours=torch.tensor(yours))
    fixed = torch.tensor([4.5, 0.25, -1.0]), torch.tensor([-3.0, 0.5, -0.75, 2.0, 0.0])
    far = torch.tensor([[3.0, 0.5]]), torch.tensor([-6.0, -1.5, 0.25])
    noise = values.noise(seed, 6, 2, scale=2), values.noise(seed + 1, 5, 3, scale=2)
    because = "it is mean max(0, 1 - D(x)) + mean max(0, 1 + D(G(z))), every score alike"
    edges = [(torch.tensor(0.5), torch.tensor(-0.25)), (torch.tensor([2.0]), torch.full((3, 1, 2), -1.5))]
    hinge.table(lab, [fixed, far, noise, *edges], slow_hinge, mistakes, because=because)


@exercise("discriminator_hinge_loss", points=4, hint="scores.to(torch.promote_types(scores.dtype, torch.float32))")
def test_hinge_owes(lab, seed):
    """beyond the margin nothing pulls; half precision is computed in float32; a mean over no scores is a ValueError"""
    for real, fake in (([1.5, 0.5, -4.0, 0.9], [-1.5, 0.5, 3.0]), ([-0.5, 7.0, -1.5], [0.5, -0.5, -9.0, 4.0, -1.01])):
        real, fake = torch.tensor(real, requires_grad=True), torch.tensor(fake, requires_grad=True)
        pulls = {"real_scores": (real < 1) * (-1 / len(real)), "fake_scores": (fake > -1) / len(fake)}
        hinge(lab, real, fake).gradients(pulls)
    many = torch.full((3000,), -40.0), torch.full((2500,), 0.3001)  # in float16 their sum overflows
    theorems.computes_in_float32(hinge, lab, *many, truth=slow_hinge)
    real, fake = values.noise(seed, 7, 2, scale=0.02), values.noise(seed + 1, 5, scale=0.02)
    for dtype in (torch.float16, torch.bfloat16):
        theorems.computes_in_float32(hinge, lab, real, fake, truth=slow_hinge, dtype=dtype)
    theorems.owes(hinge, lab, real.double(), fake.double(), truth=slow_hinge, tolerance=1e-12)
    for real, fake in ((torch.zeros(0, 2), torch.zeros(3, 2)), (torch.zeros(3), torch.zeros(0)), (torch.zeros(0),) * 2):
        hinge.refuses(lab, real, fake)


scores = Call("discriminator", takes={"clips": "b c t h w"}, gives=tensor("b", "same"))


def built(lab, channels=(4, 6), normalized=False):
    """The learner's discriminator, with weights that make scores of any size and biases that count."""
    net = attempt("VideoDiscriminator(…)", lab.VideoDiscriminator, *channels, normalized=normalized)
    return stand_ins.fill(net, 11, 0.15)


def layer_by_layer(net, clips, halve=lambda x: F.avg_pool3d(x, (1, 2, 2)), slope=0.2, last=0.2):
    """Oracle in double precision; a part is replaced on request."""
    x = halve(clips.double())
    for layer, below in ((net.first, slope), (net.second, slope), (net.third, last)):
        x = F.conv3d(x, layer.weight.double(), layer.bias.double(), stride=layer.stride, padding=layer.padding)
        x = F.leaky_relu(x, below)
    return x.sum((2, 3, 4)) @ net.score.weight[0].double() + net.score.bias.double()


@exercise("VideoDiscriminator", points=4, hint="avg_pool3d by (1, 2, 2); three times conv and leaky_relu; sum; score.")
def test_discriminator_layers(lab, seed, look):
    """halved frames, three convolutions with leaky ReLUs, a sum over time and picture, one score per clip"""
    net = built(lab)
    truth = partial(layer_by_layer, net)
    mistakes = {
        "the frames are not halved: average 2 x 2 pixels first": partial(truth, halve=lambda x: x),
        "time is halved too. Average rows and columns only": partial(truth, halve=lambda x: F.avg_pool3d(x, 2)),
        "every second pixel is taken. Average 2 x 2 pixels": partial(truth, halve=lambda x: x[..., ::2, ::2]),
        "0.01 is leaky_relu's own slope. Give it SLOPE, 0.2": partial(truth, slope=0.01, last=0.01),
        "the third convolution has no activation after it": partial(truth, last=1),
    }
    because = "halve; first, second, third, each with a leaky ReLU; sum over time and pixels; score, not squashed"
    clips = values.noise(seed, 6, 4, 7, 12, 16)
    look(target=truth(clips).detach(), yours=scores(net, clips).value.detach())
    moved = scores(net, clips.flip(2)).value - scores(net, clips).value
    assert moved.abs().min() > 1e-6, "a clip and its reverse have the same score: the order of the frames is lost"
    rows = [(clips[:2],), (values.noise(seed + 1, 3, 4, 4, 8, 6),), (values.noise(seed + 2, 2, 4, 5, 10, 8),)]
    scores.table(net, rows, truth, mistakes, because=because, tolerance=1e-4)
    edges = [(values.noise(seed, *size),) for size in ((2, 4, 1, 8, 12), (1, 4, 1, 4, 4), (3, 4, 3, 4, 6))]
    scores.table(net, edges, truth, because="any T will do, and any even H and W from 4 on", tolerance=1e-4)
    net, because = built(lab, normalized=True).eval(), "these layers have spectral norm"
    scores.table(net, rows, partial(layer_by_layer, net), because=because, tolerance=1e-4)


@exercise("VideoDiscriminator", points=4, hint="Sum over axes 2, 3 and 4 only; no .detach(), no torch.no_grad().")
def test_discriminator_owes(lab, seed):
    """each clip by itself, in any memory layout; gradients reach every weight and every frame, float64 stays float64"""
    net, clips = built(lab), values.noise(seed, 3, 4, 5, 8, 12)
    theorems.batch_is_samples(scores, net, clips, tolerance=1e-4)
    theorems.owes(scores, net, clips, tolerance=1e-4)
    net, clips = built(lab).double(), values.noise(seed, 2, 4, 5, 8, 10, dtype=torch.float64).requires_grad_()
    answer = scores(net, clips).gradients(of=dict(net.named_parameters()))
    (slope,) = torch.autograd.grad(answer.value.sum(), answer.given["clips"])
    assert (slope.abs().amax(dim=(1, 3, 4)) > 0).all(), f"{answer.said}: no gradient reaches some of the frames"


penalty = Call("gradient_penalty", takes={"real": "b ..."}, gives=tensor(""), parameters=("discriminator", "real"))


class Bowl(torch.nn.Module):
    """D(x) = a |x|² + w x, whose slope is 2 a x + w. Several scores per sample on request: D, 2 D, 3 D, …"""

    def __init__(self, w, a=0.0, columns=()):
        super().__init__()
        self.w, self.a = torch.nn.Parameter(w), torch.nn.Parameter(torch.tensor(a))
        self.factors = (torch.arange(math.prod(columns)) + 1.0).reshape(columns)

    def forward(self, x):
        one = (self.a * x.square() + self.w * x).flatten(1).sum(dim=1)
        return one.reshape(-1, *[1] * self.factors.ndim) * self.factors

    def slopes(self, x):
        """The slope of a sample's added scores, one row per sample, in double precision."""
        return ((2 * self.a * x + self.w) * self.factors.sum()).flatten(1).double()


def slow_penalty(bowl, real):
    """Oracle: the closed form."""
    return bowl.slopes(real).square().sum(dim=1).mean()


@exercise("gradient_penalty", points=3, hint="slope.square().flatten(1).sum(dim=1).mean(): sum in a sample, mean over.")
def test_penalty_values(lab, seed, look):
    """the mean over samples of the squared length of the score's slope"""
    mistakes = {
        "the mean score is differentiated. Slopes are B times too small": lambda d, x: slow_penalty(d, x) / len(x) ** 2,
        "the squares are averaged within a sample. Sum them": lambda d, x: d.slopes(x).square().mean(),
        "the slopes are averaged over the samples before squaring": lambda d, x: d.slopes(x).mean(dim=0).square().sum(),
        "that is the slope at 0 and not at the real samples": lambda d, x: slow_penalty(d, 0 * x),
    }
    w, real = values.noise(seed, 2, 3, 4), values.noise(seed + 1, 5, 2, 3, 4)
    steepness = torch.linspace(0, 1, 9)
    yours = [penalty(lab, Bowl(w, a), real).value.detach() for a in steepness.tolist()]
    look(target=torch.stack([slow_penalty(Bowl(w, a), real) for a in steepness.tolist()]), yours=torch.stack(yours))
    because = "it is the mean over samples of the squared length of the slope, at the real samples themselves"
    rows = [(Bowl(w, 0.7), real), (Bowl(w, -0.3), real[:3]), (Bowl(w[0, 0], 0.4), real[:, 0, 0]), (Bowl(w), real),
            (Bowl(w, 0.5), real[:1])]  # fmt: skip
    penalty.table(lab, rows, slow_penalty, mistakes, because=because)


@exercise("gradient_penalty", points=3, hint="grad(discriminator(real).sum(), real, create_graph=True)")
def test_penalty_can_be_learned_from(lab, seed):
    """several scores per sample are added, any callable is a discriminator, its weights learn from the penalty"""
    w, real = values.noise(seed, 2, 7), values.noise(seed + 1, 3, 2, 7)
    for a, columns in ((0.3, ()), (-0.6, (2,)), (0.4, (1,)), (0.4, (3, 2))):
        bowl = Bowl(w, a, columns)
        want, of = slow_penalty(bowl, real), {"the discriminator's w": bowl.w, "its a": bowl.a}
        mistakes = {"only the first score of each sample counts. Add all of them": slow_penalty(Bowl(w, a), real)}
        for discriminator in (bowl, bowl.forward):  # a method is no module
            answer = penalty(lab, discriminator, real).near(want, mistakes)
        why = "carries no gradient, so the discriminator would never feel it: take the slope with create_graph=True"
        assert answer.value.requires_grad, f"{answer.said} {why}"
        answer.gradients(dict(zip(of, torch.autograd.grad(want, list(of.values())))), of=of)
    theorems.owes(penalty, lab, bowl, real, truth=slow_penalty)


@exercise("gradient_penalty", points=3, hint="real = real.detach().requires_grad_(True) makes a leaf of your own.")
def test_penalty_leaves_things_alone(lab, seed):
    """the samples stay as they are, and no .grad is written; no sample at all is a ValueError"""
    bowl, leaf = Bowl(values.noise(seed, 3), 0.5), values.noise(seed + 1, 4, 3).requires_grad_()
    bowl.w.grad = torch.tensor([1.0, 2.0, 3.0])
    answer = penalty(lab, bowl, leaf.detach())
    assert bowl.w.grad is not None and bowl.w.grad.tolist() == [1, 2, 3], (
        f"{answer.said} changes .grad of the discriminator's weights: torch.autograd.grad gives the slope alone"
    )
    given = answer.given["real"]
    assert not given.requires_grad, f"{answer.said}: the real samples now require a gradient. Work on real.detach()"
    for real in (leaf, 2 * leaf):
        answer, plain = penalty(lab, bowl, real), penalty(lab, bowl, real.detach())
        answer.near(plain.value, because="the same samples without a gradient of their own give another answer")
        torch.autograd.grad(answer.value, bowl.w)
        given = leaf if answer.given["real"] is real else answer.given["real"]
        assert given.grad is None and given.requires_grad, f"{answer.said} changes the gradient of the real samples"
    for size in ((0, 3), (0, 2, 4, 5)):
        penalty.refuses(lab, Bowl(torch.ones(size[1:])), torch.zeros(size))


step = Call("adversarial_step", parameters=("generator", "discriminator", "optimizers", "real", "latents"),
            gives=record("mapping", discriminator=tensor(""), generator=tensor(""), penalty=tensor("")))  # fmt: skip
PLAYERS = {"the discriminator": 1, "the generator": 0}  # in the order of their moves
hinged = ("discriminator_hinge_loss",)
both = ("discriminator_hinge_loss", "gradient_penalty")


class Game:
    """Two small players, their optimizers with momentum, and all that a step needs. B, B' and D differ."""

    def __init__(self, seed, moves=1, batch=7, num_real=4):
        torch.manual_seed(seed)
        makes = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
        judges = torch.nn.Sequential(torch.nn.Linear(3, 6), torch.nn.LeakyReLU(0.2), torch.nn.Linear(6, 1))
        self.players, self.asked_for_slope = (makes, judges), False
        self.optimizers = [torch.optim.SGD(p.parameters(), r, momentum=0.5) for p, r in zip(self.players, (0.1, 0.3))]
        self.real, self.latents = values.noise(seed + 1, num_real, 3), values.noise(seed + 2, 1 + moves, batch, 2)

    def play(self, lab, steps=1, **options):
        """A copy of this game after the learner's steps, and what each of them returned."""
        game = copy.deepcopy(self)

        def generator(latents):
            return game.players[0](latents)

        def discriminator(x):
            game.asked_for_slope |= x.requires_grad and x.shape == self.real.shape
            return game.players[1](x)

        inputs = generator, discriminator, tuple(game.optimizers), self.real, self.latents
        return game, [step(lab, *inputs, **options) for _ in range(steps)]

    def by_hand(self, steps=1, **wrong):
        """Oracle: a copy after as many steps with every gradient taken by name, and the losses of each step."""
        game = copy.deepcopy(self)
        return game, [game.step(**wrong) for _ in range(steps)]

    def step(self, weight=0.0, late=False, stale=False, moves=None):
        """One step. Everything but `weight` makes a known mistake."""
        makes, judges = self.players
        before, losses = copy.deepcopy(judges), {} if late else self.move_discriminator(weight)
        for z in self.latents[1:][:moves]:
            loss = -(before if stale else judges)(makes(z)).mean()
            self.descend(0, loss)
        return losses | (self.move_discriminator(weight) if late else {}) | {"generator": loss.detach()}

    def move_discriminator(self, weight):
        (makes, judges), x = self.players, self.real.clone().requires_grad_()
        (slope,) = torch.autograd.grad(judges(x).sum(), x, create_graph=True)
        squares = slope.square().sum(dim=1).mean()
        loss = slow_hinge(judges(x), judges(makes(self.latents[0]))) + weight / 2 * squares
        self.descend(1, loss)
        return {"discriminator": loss.detach(), "penalty": squares.detach() if weight else 0.0}

    def descend(self, player, loss):
        """One step of a player's optimizer."""
        self.optimizers[player].zero_grad()
        loss.backward(inputs=list(self.players[player].parameters()))
        self.optimizers[player].step()

    def weights(self):
        """Every weight, by player."""
        return {name: parameters_to_vector(self.players[p].parameters()).detach() for name, p in PLAYERS.items()}

    def compare(self, lab, said, got, mistakes=None, because="", **options):
        """Both players must be where they belong. `because` holds where one plain step is right."""
        weights, before, plain = got.weights(), self.weights(), Game(0)
        for name, player in PLAYERS.items():
            still = values.same(weights[name], before[name])
            assert not still, f"{said}: {name} has not moved. optimizers[{player}] is its optimizer"
        made = {m: lambda w=wrong: self.by_hand(**options | w)[0].weights() for m, wrong in (mistakes or {}).items()}
        if options and not values.same(plain.play(lab)[0].weights(), plain.by_hand()[0].weights()):
            because = "One plain step is wrong already, so begin there"
        judge(f"the weights after {said}", weights, self.by_hand(**options)[0].weights(), made, because=because)


@exercise("adversarial_step", points=5, needs=hinged, hint="backward(), step(); for z in latents[1:]: one whole move.")
def test_step_moves_both(lab, seed):
    """the discriminator moves by its loss, then the generator once for each of latents[1:], against it as it is now"""
    mistakes = {
        "the generator moves first. The discriminator's move comes before": {"late": True},
        "the generator moves against the discriminator as it was before its move": {"stale": True},
        "the generator moves once. Each of latents[1:] is a move of its own": {"moves": 1},
    }
    because = "The discriminator moves by its hinge loss. Each of latents[1:] moves the generator by -D(G(z)).mean()"
    for options in ({}, {"batch": 1, "num_real": 1}, {"batch": 3, "num_real": 5}, {"moves": 3}, {"moves": 2}):
        game = Game(seed, **options)
        got, [answer] = game.play(lab)
        game.compare(lab, answer.said, got, mistakes, because)
        answer["generator"].near(game.by_hand()[1][0]["generator"], because="it is the loss of the last move")


@exercise("adversarial_step", points=3, needs=hinged, hint="zero_grad() before each backward().")
def test_step_leaves_nothing_behind(lab, seed, look):
    """three steps: no gradient of an earlier move, or of the other player's, is still there"""
    game = Game(seed + 10)
    got, answers = game.play(lab, steps=3)
    losses = torch.stack([answer["discriminator"].value.detach() for answer in answers])
    look(target=torch.stack([entry["discriminator"] for entry in game.by_hand(steps=3)[1]]), yours=losses)
    because = "A gradient of an earlier move, its own or the other player's, must not count in a later one: empty them"
    game.compare(lab, "3 steps", got, because=because, steps=3)


@exercise("adversarial_step", points=3, needs=hinged, hint="Return the losses with .detach().")
def test_step_returns(lab, seed):
    """the losses by name, without a graph; no penalty at weight 0; fewer than two batches of latents: ValueError"""
    for game, options in ((Game(seed + 30), {}), (Game(seed + 31, 2, 5, 6), {"penalty_weight": 0})):
        got, answers = theorems.leaves_random_numbers_alone("adversarial_step", game.play, lab, **options)
        check_losses(answers, game.by_hand()[1])
        assert not got.asked_for_slope, f"{answers[0].said}: at penalty_weight 0 the gradient penalty is not computed"
    for count in (1, 0):
        step.refuses(lab, *game.players, game.optimizers, game.real, game.latents[:count])


def check_losses(answers, losses):
    """Every step's losses are right, and have no graph."""
    for answer, right in zip(answers, losses):
        for part, name in zip(answer, answer.kind.parts):
            part.near(right[name])
            assert not part.value.requires_grad, f"{part.said} still holds its graph, and all its memory: detach it"


@exercise("adversarial_step", points=2, needs=both, hint="loss + penalty_weight / 2 * gradient_penalty(…, real)")
def test_step_penalty(lab, seed):
    """the discriminator's loss takes half of penalty_weight times the penalty at the real samples"""
    game = Game(seed + 40)
    for weight in (0.8, 3.0, 0.25):
        got, answers = game.play(lab, steps=2, penalty_weight=weight)
        mistakes = {
            "the penalty is not used": {"weight": 0.0},
            "the penalty counts twice: take penalty_weight / 2 of it": {"weight": 2 * weight},
        }
        because = f"The discriminator's loss is hinge + {weight / 2:g} * gradient_penalty(discriminator, real)"
        game.compare(lab, f"2 steps with penalty_weight={weight:g}", got, mistakes, because, steps=2, weight=weight)
        check_losses(answers, game.by_hand(steps=2, weight=weight)[1])


def distance_after(step, seed, num_steps=100):
    """Train a small generator on two spots in the plane: the energy distance of its samples and the data."""
    torch.manual_seed(seed)
    generator = torch.nn.Sequential(torch.nn.Linear(2, 24), torch.nn.Tanh(), torch.nn.Linear(24, 2))
    discriminator = torch.nn.Sequential(torch.nn.Linear(2, 32), torch.nn.LeakyReLU(0.2), torch.nn.Linear(32, 1))
    optimizers = [torch.optim.Adam(p.parameters(), lr=0.02, betas=(0.0, 0.9)) for p in (generator, discriminator)]
    draw = torch.Generator().manual_seed(seed)

    def data(count):
        side = torch.randint(2, (count, 1), generator=draw) * 2 - 1
        return side * torch.tensor([1.2, -0.8]) + 0.15 * torch.randn(count, 2, generator=draw)

    for _ in range(num_steps):
        step(generator, discriminator, optimizers, data(32), torch.randn(2, 32, 2, generator=draw), 0.5)
    with torch.no_grad():
        made, real = generator(torch.randn(256, 2, generator=draw)), data(256)
        across, within = torch.cdist(made, real).mean(), torch.cdist(made, made).mean()
        return float(2 * across - within - torch.cdist(real, real).mean())


@exercise("adversarial_step", points=2, needs=both, hint="Do the signs agree?")
def test_step_trains(lab, seed):
    """100 steps: a small generator finds two spots in the plane"""
    distance = attempt("100 calls of adversarial_step", distance_after, lab.adversarial_step, seed)
    outcomes.load(__file__)["step_trains"].judge("100 calls of adversarial_step", distance)
