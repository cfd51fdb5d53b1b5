"""Grader of lab 02.3, the tiny video GAN.

Oracles: counting by hand, closed forms, the layers one by one, and the same step with every gradient taken by name.
"""

import copy
import math
from collections import Counter

import pytest
import torch
import torch.nn.functional as F

from common.course.graders import Call, attempt, judge, number, outcomes, record, tensor, theorems, values

exercise = pytest.mark.exercise


report = Call("mode_report", parameters=("samples", "data"),
              gives=record("object", known=number(), coverage=number(), entropy=number(), recall=number()))  # fmt: skip


# Oracles, of samples s and data d, mode by mode.
TRUTH = {
    "known": lambda s, d: sum(m in d for m in s) / len(s),
    "coverage": lambda s, d: sum(m in s for m in set(d)) / len(set(d)),
    "recall": lambda s, d: sum(min(s.count(m) / len(s), d.count(m) / len(d)) for m in set(d)),
}


def entropy(s, d):
    """Oracle: -sum p log p over the data's modes, p a fraction of the known samples."""
    counts = [s.count(m) for m in set(d) if m in s]
    return sum(n / sum(counts) * math.log(sum(counts) / n) for n in counts)


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
    mistakes = {
        "that is the fraction of samples that could be read. One whose mode the data does not have is not known": (
            lambda s, d: (len(s) - s.count(None)) / len(s)
        ),
        "you divide by the samples that could be read. Unread samples count in N too": (
            lambda s, d: TRUTH["known"]([m for m in s if m is not None], d)
        ),
    }
    report.table(lab, random_rows(seed), TRUTH["known"], mistakes, part="known", tolerance=1e-9)
    mistakes = {"modes that the data does not have are counted": lambda s, d: len({*s} - {None}) / len({*d})}
    because = "it is the number of the data's modes that some sample has, over the number of the data's modes"
    report.table(lab, random_rows(seed), TRUTH["coverage"], mistakes, part="coverage", because=because, tolerance=1e-9)
    data = ["c"] * 6 + ["d"] * 3 + ["e"]
    rows = [(["d"] * 40, data), (["c", "c", "c", "d", None], data), (["e"], data), *random_rows(seed)]
    mistakes = {
        "the counts are compared as they are. N and D differ, so scale n(m) by D / N": (
            lambda s, d: sum(min(n, d.count(m)) for m, n in Counter(s).items()) / len(d)
        ),
    }
    because = "for each of the data's modes it counts the smaller of n(m) D / N and d(m)"
    report.table(lab, rows, TRUTH["recall"], mistakes, part="recall", because=because, tolerance=1e-9)


@exercise("mode_report", points=2, hint="p = n / sum of n, over the known samples; -sum of p log p with math.log.")
def test_report_entropy(lab, seed, look):
    """entropy of the known samples alone, natural logarithm: 0 for one mode, log K for K"""
    equal = [(list("cdefgh"[:k]) * 4 + [None, "z", "z"][: k - 1], list("cdefghij")) for k in range(1, 7)]
    yours = [float(report(lab, *row)["entropy"]) for row in equal]
    look(target=torch.tensor([math.log(k) for k in range(1, 7)]), yours=torch.tensor(yours))
    mistakes = {
        "that is in bits. The natural logarithm is asked for": lambda s, d: entropy(s, d) / math.log(2),
        "p is a fraction of all samples. It should be one of the known samples, so that all p sum to 1": (
            lambda s, d: sum(n / len(s) * math.log(len(s) / n) for m, n in Counter(s).items() if m in d)
        ),
    }
    because = "it is -sum p log p as it stands: 0 for one mode, log K for K equally frequent ones"
    rows = equal[2:] + random_rows(seed)
    report.table(lab, rows, entropy, mistakes, part="entropy", because=because, tolerance=1e-9)
    report.table(lab, equal[:2], entropy, part="entropy", because=because, tolerance=1e-9)


@exercise("mode_report", points=2, hint="Nothing may be divided by 0 known samples; only None is no mode.")
def test_report_edges(lab, seed):
    """no known sample: every number is 0. Any hashable value but None is a mode. No samples or no data: ValueError"""
    for samples in ([None, None, None], ["y", None], [("a", "blue star")]):
        for part in report(lab, samples, ["c", "d", "d"]):
            part.equal(0, because="no sample is known, so every number is 0")
    samples, data = [0, "", None, (), 0, "5", ("red", 1), 0], [0, "", "", (), 5, ("red", 2)]
    names = {None: None, 0: "a", "": "b", (): "c", 5: "d", ("red", 1): "e", ("red", 2): "f", "5": "g"}
    renamed = report(lab, [names[m] for m in samples], [names[m] for m in data])
    for odd, plain in zip(report(lab, samples, data), renamed):
        odd.near(plain.value, because="0, the empty string and the empty tuple are modes like any other")
    samples, data = lists(seed, 30, 20)
    whole = theorems.owes(report, lab, samples, data, other=lists(seed + 3, 10, 11))
    for order in ((tuple(samples), tuple(data)), (samples[::-1], data[::-1])):
        for part, same in zip(report(lab, *order), whole):
            part.near(same.value, because="as tuples, or in another order, they should give the same")
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
        "that is one mean over all scores. Real and fake ones have a mean each": (
            lambda r, f: torch.cat([F.relu(1 - r).flatten(), F.relu(1 + f).flatten()]).mean()
        ),
        "the mean is taken before the hinge: one sample far beyond the margin pays for the others": (
            lambda r, f: F.relu(1 - r.mean()) + F.relu(1 + f.mean())
        ),
    }
    scores = torch.linspace(-3, 3, 25)
    yours = [float(hinge(lab, score.reshape(1), torch.tensor([-2.0])).value) for score in scores]
    look(target=F.relu(1 - scores), yours=torch.tensor(yours))
    fixed = torch.tensor([4.5, 0.25, -1.0]), torch.tensor([-3.0, 0.5, -0.75, 2.0, 0.0])
    far = torch.tensor([[3.0, 0.5]]), torch.tensor([-6.0, -1.5, 0.25])
    noise = values.noise(seed, 6, 2, scale=2), values.noise(seed + 1, 5, 3, scale=2)
    because = "it is mean max(0, 1 - D(x)) + mean max(0, 1 + D(G(z))), every score alike"
    hinge.table(lab, [fixed, far, noise], slow_hinge, mistakes, because=because)
    edges = [(torch.tensor(0.5), torch.tensor(-0.25)), (torch.tensor([2.0]), torch.full((3, 1, 2), -1.5))]
    hinge.table(lab, edges, slow_hinge, because=because)


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
    theorems.owes(hinge, lab, real, fake, truth=slow_hinge)
    for real, fake in ((torch.zeros(0, 2), torch.zeros(3, 2)), (torch.zeros(3), torch.zeros(0)), (torch.zeros(0),) * 2):
        hinge.refuses(lab, real, fake)


scores = Call("discriminator", takes={"clips": "b c t h w"}, gives=tensor("b", "same"))


def built(lab, channels=(4, 6), normalized=False):
    """The learner's discriminator, with weights that make scores of any size and biases that count."""
    torch.manual_seed(11)
    net = attempt("VideoDiscriminator(…)", lab.VideoDiscriminator, *channels, normalized=normalized)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            parameter.mul_(2.5 if "score" not in name else 5)
    return net


def layer_by_layer(net, halve=lambda x: F.avg_pool3d(x, (1, 2, 2)), slope=0.2, last=0.2):
    """Oracle, with a part replaced on request: a function of clips, in double precision."""

    def judged(clips):
        x = halve(clips.double())
        for layer, below in ((net.first, slope), (net.second, slope), (net.third, last)):
            x = F.conv3d(x, layer.weight.double(), layer.bias.double(), stride=layer.stride, padding=layer.padding)
            x = torch.where(x > 0, x, below * x)
        return x.sum((2, 3, 4)) @ net.score.weight[0].double() + net.score.bias.double()

    return judged


@exercise("VideoDiscriminator", points=4, hint="avg_pool3d by (1, 2, 2); three times conv and leaky_relu; sum; score.")
def test_discriminator_layers(lab, seed, look):
    """halved frames, three convolutions with leaky ReLUs, a sum over time and picture, one score per clip"""
    net = built(lab)
    mistakes = {
        "the frames are not halved: average 2 x 2 pixels first": {"halve": lambda x: x},
        "time is halved too. Average rows and columns only": {"halve": lambda x: F.avg_pool3d(x, 2)},
        "every second pixel is taken. Average 2 x 2 pixels": {"halve": lambda x: x[..., ::2, ::2]},
        "0.01 is leaky_relu's own slope. Give it SLOPE, 0.2": {"slope": 0.01, "last": 0.01},
        "the third convolution has no activation after it": {"last": 1},
    }
    mistakes = {message: layer_by_layer(net, **parts) for message, parts in mistakes.items()}
    because = "halve, then first, second and third, each with a leaky ReLU, then the sum over time, height and width, "
    because += "then score, whose number is not squashed"
    clips = values.noise(seed, 6, 4, 7, 12, 16)
    look(target=layer_by_layer(net)(clips).detach(), yours=scores(net, clips).value.detach())
    moved = scores(net, clips.flip(2)).value - scores(net, clips).value
    assert moved.abs().min() > 1e-6, "a clip and its reverse have the same score: the order of the frames is lost"
    rows = [(clips[:2],), (values.noise(seed + 1, 3, 4, 4, 8, 6),), (values.noise(seed + 2, 2, 4, 5, 10, 8),)]
    scores.table(net, rows, layer_by_layer(net), mistakes, because=because, tolerance=1e-4)
    edges = [(values.noise(seed, *size),) for size in ((2, 4, 1, 8, 12), (1, 4, 1, 4, 4), (3, 4, 3, 4, 6))]
    because = "any T will do, and any even H and W from 4 on"
    scores.table(net, edges, layer_by_layer(net), because=because, tolerance=1e-4)
    net = built(lab, normalized=True).eval()
    scores.table(net, rows, layer_by_layer(net), because="these layers have spectral norm", tolerance=1e-4)


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
        "the mean score is differentiated, so each slope is B times too small": (
            lambda s: s.square().sum(dim=1).mean() / len(s) ** 2
        ),
        "the squares are averaged within a sample. Sum them": lambda s: s.square().mean(),
        "the slopes are averaged over the samples before they are squared": lambda s: s.mean(dim=0).square().sum(),
    }
    mistakes = {m: lambda bowl, real, rule=rule: rule(bowl.slopes(real)) for m, rule in mistakes.items()}
    mistakes["that is the slope at 0 and not at the real samples"] = lambda bowl, real: slow_penalty(bowl, 0 * real)
    w, real = values.noise(seed, 2, 3, 4), values.noise(seed + 1, 5, 2, 3, 4)
    steepness = torch.linspace(0, 1, 9)
    yours = [penalty(lab, Bowl(w, a), real).value.detach() for a in steepness.tolist()]
    look(target=torch.stack([slow_penalty(Bowl(w, a), real) for a in steepness.tolist()]), yours=torch.stack(yours))
    because = "it is the mean over samples of the squared length of the slope, at the real samples themselves"
    rows = [(Bowl(w, 0.7), real), (Bowl(w, -0.3), real[:3]), (Bowl(w[0, 0], 0.4), real[:, 0, 0])]
    penalty.table(lab, rows, slow_penalty, mistakes, because=because)
    penalty.table(lab, [(Bowl(w), real), (Bowl(w, 0.5), real[:1])], slow_penalty, because=because)


@exercise("gradient_penalty", points=3, hint="grad(discriminator(real).sum(), real, create_graph=True)")
def test_penalty_can_be_learned_from(lab, seed):
    """several scores per sample are added, any callable is a discriminator, its weights learn from the penalty"""
    w, real = values.noise(seed, 2, 7), values.noise(seed + 1, 3, 2, 7)
    for columns in ((2,), (1,), (3, 2)):
        bowl = Bowl(w, 0.4, columns)
        first = Bowl(w, 0.4).slopes(real).square().sum(dim=1).mean()
        mistakes = {"only the first score of each sample counts. Add all of them": first}
        for discriminator in (bowl, bowl.forward):  # a method is no module
            penalty(lab, discriminator, real).near(slow_penalty(bowl, real), mistakes)
    theorems.owes(penalty, lab, bowl, real, truth=slow_penalty)
    for a, columns in ((0.3, ()), (-0.6, (2,))):
        bowl, real = Bowl(values.noise(seed, 2, 3), a, columns), values.noise(seed + 1, 4, 2, 3)
        answer = penalty(lab, bowl, real)
        why = "carries no gradient, so the discriminator would never feel it: take the slope with create_graph=True"
        assert answer.value.requires_grad, f"{answer.said} {why}"
        of = {"the discriminator's w": bowl.w, "its a": bowl.a}
        answer.gradients(dict(zip(of, torch.autograd.grad(slow_penalty(bowl, real), list(of.values())))), of=of)


@exercise("gradient_penalty", points=3, hint="real = real.detach().requires_grad_(True) makes a leaf of your own.")
def test_penalty_leaves_things_alone(lab, seed):
    """the samples stay as they are, and no .grad is written; no sample at all is a ValueError"""
    bowl, real = Bowl(values.noise(seed, 3), 0.5), values.noise(seed + 1, 4, 3)
    for left in (None, torch.tensor([1.0, 2.0, 3.0])):
        bowl.w.grad = left
        answer = penalty(lab, bowl, real)
        assert bowl.w.grad is left and (left is None or left.tolist() == [1, 2, 3]), (
            f"{answer.said} changes .grad of the discriminator's weights: torch.autograd.grad gives the slope alone"
        )
        given = answer.given["real"]
        assert not given.requires_grad, f"{answer.said}: the real samples now require a gradient. Work on real.detach()"
    leaf = values.noise(seed + 2, 4, 3).requires_grad_()
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
PLAYERS = ("generator", "discriminator")
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
        loss = F.relu(1 - judges(x)).mean() + F.relu(1 + judges(makes(self.latents[0]).detach())).mean()
        (slope,) = torch.autograd.grad(judges(x).sum(), x, create_graph=True)
        squares = slope.square().sum(dim=1).mean()
        loss = loss + weight / 2 * squares
        self.descend(1, loss)
        return {"discriminator": loss.detach(), "penalty": squares.detach() if weight else 0.0}

    def descend(self, player, loss):
        """One step of a player's optimizer."""
        weights = list(self.players[player].parameters())
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights)):
            weight.grad = gradient
        self.optimizers[player].step()

    def weights(self, *players):
        return torch.cat([w.detach().flatten() for p in players or (0, 1) for w in self.players[p].parameters()])

    def compare(self, lab, said, got, mistakes=None, because="", **options):
        """Both players must be where they belong. `because` holds where one plain step is right."""
        want, _ = self.by_hand(**options)
        for player, name in enumerate(PLAYERS):
            assert not values.same(got.weights(player), self.weights(player)), (
                f"{said}: the {name} has not moved. optimizers[{player}] is its optimizer"
            )
        off = [f"the {PLAYERS[p]}" for p in (1, 0) if not values.same(got.weights(p), want.weights(p))]
        made = {m: lambda w=wrong: self.by_hand(**options | w)[0].weights() for m, wrong in (mistakes or {}).items()}
        plain = Game(0)
        if off and options and not values.same(plain.play(lab)[0].weights(), plain.by_hand()[0].weights()):
            because = "One plain step is wrong already, so begin there"
        text = f"the weights of {' and '.join(off)} after {said}"
        judge(text, got.weights(), want.weights(), made, because=because)


@exercise("adversarial_step", points=5, needs=hinged, hint="backward(), step(); for z in latents[1:]: one whole move.")
def test_step_moves_both(lab, seed):
    """the discriminator moves by its loss, then the generator once for each of latents[1:], against it as it is now"""
    mistakes = {
        "the generator moves first. The discriminator's move comes before": {"late": True},
        "the generator moves against the discriminator as it was before its move": {"stale": True},
    }
    because = "The discriminator moves by its hinge loss, then the generator by minus the mean score of its own latents"
    for game in (Game(seed), Game(seed + 4, batch=1, num_real=1), Game(seed + 5, batch=3, num_real=5)):
        got, [answer] = game.play(lab)
        game.compare(lab, answer.said, got, mistakes, because)
    mistakes = {"the generator moves once. Each of latents[1:] is a move of its own": {"moves": 1}}
    for moves in (3, 2):
        game = Game(seed + 20, moves)
        got, [answer] = game.play(lab)
        because = f"The discriminator moves once, then the generator {moves} times: each of latents[1:] is a whole move"
        game.compare(lab, answer.said, got, mistakes, because, moves=moves)
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
