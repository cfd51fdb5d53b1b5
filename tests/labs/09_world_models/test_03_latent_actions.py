"""Grader of lab 09.3, latent actions.

Oracles are loops in double precision. The model is a formula, and every part of it has weights of its own.
"""

import itertools
import math
from collections import Counter

import pytest
import torch

from common.course.graders import Call, attempt, latents, number, outcomes, record, tensor, theorems
from common.course.graders.latents import codebooks, error_after, films, labelled, part_of, tables, updated
from common.course.graders.values import noise, whole

exercise = pytest.mark.exercise


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: lambda *args, w=how, **given: oracle(*args, **given | w) for message, how in wrong.items()}


nearest = Call("vector_quantize", takes={"z": "b d", "codebook": "k d"},
               gives=record("tuple", codes=tensor("b d", "same"), indices=tensor("b", torch.int64)))  # fmt: skip
DISTANCES = {
    "euclid": lambda z, e: ((z - e) ** 2).sum(),
    "blocks": lambda z, e: (z - e).abs().sum(),
    "dot": lambda z, e: -(z * e).sum(),
    "angle": lambda z, e: -(z * e).sum() / e.norm(),
    "far": lambda z, e: -((z - e) ** 2).sum(),
}


def looked_up(z, codebook, *, by="euclid", last=False):
    """Oracle: row by row and code by code; and ways to do it wrong."""
    found = []
    for row in z.detach().double():
        costs = [DISTANCES[by](row, code).item() for code in codebook.detach().double()]
        found.append(len(costs) - 1 - costs[::-1].index(min(costs)) if last else costs.index(min(costs)))
    return torch.tensor(found)


@exercise("vector_quantize", points=3, hint="torch.cdist(z, codebook).argmin(dim=1), then codebook[indices]")
def test_nearest(lab, seed, look):
    """each row of z becomes the codebook's row at the least Euclidean distance, of equally near ones the first"""
    rows = [(noise(seed + k, b, d), noise(seed + 9 + k, n, d)) for k, (b, d, n) in enumerate(((40, 3, 7), (30, 5, 4)))]
    rows += [(torch.tensor([[0.0, 0.0], [3.0, 1.0]]), torch.tensor([[2.0, 1.0], [1.0, 0.0], [0.0, -1.0], [4.0, 1.0]]))]
    rows += [(noise(seed, 6, 2), noise(seed + 1, 1, 2))]
    answers = nearest.table(lab, rows, looked_up, ways(looked_up, {
        "the farthest code is chosen. It is the nearest": {"by": "far"},
        "distances are Euclidean, not sums of absolute differences": {"by": "blocks"},
        "the largest product is not the least distance: long codes win": {"by": "dot"},
        "the smallest angle is not the least distance": {"by": "angle"},
        "of equally near codes the first is chosen": {"last": True},
    }), part="indices", because="it is the number of the nearest code", tolerance=0)  # fmt: skip
    for row in rows:
        due = row[1][looked_up(*row)]
        nearest(lab, *row)["codes"].near(due, because="the codes are the codebook's rows of these numbers")
    look(target=looked_up(*rows[0])[:12], yours=answers[0].value[:12], about="the numbers of twelve codes")
    theorems.owes(nearest, lab, *rows[0], other=rows[1], dtypes=[torch.float64])


@exercise("vector_quantize", points=2, hint="z + (codebook[indices] - z).detach()")
def test_straight_through(lab, seed):
    """whatever comes from above reaches z as it is, and nothing reaches the codebook"""
    z, codebook, above = noise(seed, 6, 3), noise(seed + 1, 4, 3), noise(seed + 2, 6, 3)
    answer = nearest(lab, z.requires_grad_(), codebook.requires_grad_())
    codes = answer["codes"].value
    assert codes.requires_grad, f"{answer.said}: the codes carry no gradient, so the encoder never learns"
    given = [answer.given["z"], answer.given["codebook"]]
    mine, books = torch.autograd.grad((codes * above).sum(), given, allow_unused=True)
    words = f"{answer.said}: a gradient reaches the codebook. It follows by running means instead: detach"
    assert books is None or not books.any(), words
    words = f"{answer.said}: the gradient of z should be that of the codes, as if nothing had been replaced"
    assert mine is not None and (mine - above).abs().max() < 1e-6, words


STATE = {"codebook": tensor("k d"), "counts": tensor("k"), "sums": tensor("k d"), "revived": number(whole=True)}
updates = Call("update", takes={"codebook": "k d", "counts": "k", "sums": "k d", "z": "b d", "indices": "b"},
               parameters=("codebook", "counts", "sums", "z", "indices", "candidates", "decay", "least"),
               gives=record("tuple", **STATE))  # fmt: skip


def one_update(codebook, counts, sums, z, indices, candidates, decay, least, *, swap=False, mean=False, early=False,
               same=False, keep=(), revive=True, add=False, jump=False):  # fmt: skip
    """Oracle: code by code; and ways to do it wrong."""
    given = (codebook, counts, sums, z, candidates)
    codebook, counts, sums, z, candidates = (x.detach().double().clone() for x in given)
    old, new = (1, 1) if add else (1 - decay, decay) if swap else (decay, 1 - decay)
    for k in range(len(codebook)):
        mine, before = z[indices == k], counts[k].clone()
        total = mine.sum(dim=0) / (max(len(mine), 1) if mean else 1)
        counts[k], sums[k] = old * counts[k] + new * len(mine), old * sums[k] + new * total
        codebook[k] = mine.mean(dim=0) if jump and len(mine) else sums[k] / (before if early else counts[k])
    dead = [k for k in range(len(codebook)) if counts[k] < least][: len(candidates)] if revive else []
    for place, k in enumerate(dead):
        fresh = candidates[0 if same else place]
        for name, buffer, value in zip(latents.BUFFERS, (codebook, counts, sums), (fresh, 1.0, fresh)):
            if name not in keep:
                buffer[k] = value
    return codebook, counts, sums, len(dead)


@exercise("VectorQuantizer", points=6, hint="counts.lerp_(n, 1 - γ), sums.lerp_(s, 1 - γ), codebook = sums / counts")
def test_update(lab, seed, look):
    """running means of counts and sums, their ratio, then the revival of dead codes"""
    sizes = ((7, 3, 20, 6, 0.9, 0.5), (10, 2, 9, 2, 0.5, 1.2), (5, 4, 12, 5, 0.98, 0.25), (4, 6, 3, 0, 0.7, 0.3))
    rows, learned = [codebooks(seed + 20 * k, *size) for k, size in enumerate(sizes)], updated(lab.VectorQuantizer)
    mistakes = {
        "decay and 1 - decay are swapped. The old mean counts γ": {"swap": True},
        "the new ones are added whole. A running mean is γ times the old plus 1 - γ times the new": {"add": True},
        "s is the mean of the vectors. It is their sum": {"mean": True},
        "e = m / N takes the counts after their step": {"early": True},
        "the codebook jumps to the batch's means. It is the ratio of the two running means": {"jump": True},
        "the sums of a revived code stay. At the next step it goes back": {"keep": ("sums",)},
        "no code is revived": {"revive": False},
        "every dead code gets the first candidate. They get one each, in order": {"same": True},
    }
    for place, name in enumerate(STATE):
        truth = part_of(one_update, place)
        answers = updates.table(learned, rows, truth, ways(truth, mistakes), part=name,
                                because="first the running means, then the revival")  # fmt: skip
        if name == "counts":
            look(target=truth(*rows[0]).float(), yours=answers[0].value, about="how often each code is chosen")


@exercise("VectorQuantizer", points=3, hint="Write into the buffers: copy_, lerp_, self.counts[dead] = 1")
def test_update_owes(lab, seed):
    """buffers change in place and carry no gradient; a count of `least` lives; candidates may be few"""
    learned, row = updated(lab.VectorQuantizer), codebooks(seed, 6, 3, 8, 4, 0.5, 0.5)
    counts, chosen = torch.tensor([1.0, 0.9, 2.0, 1.0, 4.0, 0.5]), torch.tensor([2, 4, 4, 2, 4, 4, 2, 2])
    edge = (row[0], counts, *row[2:4], chosen, *row[5:])
    updates(learned, *edge)["revived"].near(one_update(*edge)[3], because="a code with N = least is not dead")
    for count in (0, 1, 2):
        few = codebooks(seed + 2, 7, 3, 12, count, 0.9, 0.5)
        updates(learned, *few)["revived"].near(one_update(*few)[3], because=f"there are {count} candidates")
    quantizer = latents.quantizer_of(lab.VectorQuantizer, *row[:3], 0.5, 0.5)
    held = [getattr(quantizer, name) for name in latents.BUFFERS]
    attempt("quantizer.update(…)", quantizer.update, row[3].clone().requires_grad_(), *row[4:6])
    for name, before, value in zip(latents.BUFFERS, held, one_update(*row)):
        words = f"after update(…) `{name}` is another tensor, or still the old one. It is to be changed in place"
        assert getattr(quantizer, name) is before and (before.double() - value).abs().max() < 1e-4, words
        assert not before.requires_grad, f"after update(…) `{name}` carries a gradient: nothing of it is learned by one"
    theorems.owes(updates, learned, *row, other=codebooks(seed + 1, 6, 3, 8, 4, 0.5, 0.5), batch_of_one=False)


@exercise("VectorQuantizer", points=3, hint="Codes that are far from everything are never chosen: revive them")
def test_codebook_trains(lab, seed):
    """200 steps on eight clouds of points, from codes that all begin in a corner"""
    distance = attempt("200 steps of your codebook", error_after, lab.VectorQuantizer, seed)
    outcomes.load(__file__)["codebook"].judge("200 steps of your codebook", distance)


FOUND = {"loss": tensor(""), "missed": tensor(""), "commitment": tensor(""), "z": tensor("b 3"),
         "indices": tensor("b", torch.int64)}  # fmt: skip
losses = Call("latent_action_loss", takes={"clip": "b c t h w"}, parameters=("model", "clip", "beta"),
              gives=record("tuple", **FOUND))  # fmt: skip


def drawn_loss(model, clip, beta=0.25, *, start=-1, average=False, bypass=False, dims="sum", per_sample=False,
               weight=None, blind=False, twin=None):  # fmt: skip
    """Oracle: with the model's own formula in double precision; and ways to do it wrong."""
    model, clip = twin or model.double_twin(), clip.detach().double()
    past, following = clip[:, :, :-1], clip[:, :, -1]
    z = model.encode(past, past[:, :, -1] if blind else following)
    codes, indices = model.quantize(z)
    error = (model.decode(past, z if bypass else codes) - following) ** 2
    change = (following - (0 if start is None else past[:, :, start])) ** 2
    shares = error.sum(dim=(1, 2, 3)) / change.sum(dim=(1, 2, 3))
    missed = error.mean() if average else shares.mean() if per_sample else error.sum() / change.sum()
    square = (z - codes.detach()) ** 2
    commitment = {"sum": square.sum(dim=1).mean(), "mean": square.mean(), "all": square.sum()}[dims]
    return missed + (beta if weight is None else weight) * commitment, missed, commitment, z, indices


SIZES = ((3, 2, 3, 4, 5), (2, 3, 4, 2, 6, 0.7), (4, 1, 3, 3, 2, 0.05), (2, 2, 2, 5, 3, 2.0))


@exercise("latent_action_loss", points=6, hint="encode(past, following), quantize(z), decode(past, codes); two sums")
def test_loss(lab, seed, look):
    """the share of the change that is missed, plus beta times the commitment; z and indices as the model gave them"""
    rows = [films(seed + 10 * k, *size) for k, size in enumerate(SIZES)]
    mistakes = {
        "the decoder gets z. It gets the codes: that is the bottleneck": {"bypass": True},
        "the encoder sees the last frame of the past twice. It sees the next one": {"blind": True},
        "missed is a mean squared error. It is divided by the change between the frames": {"average": True},
        "the change is from the first frame of the past. It is from its last one": {"start": 0},
        "missed is divided by the frame, not by the change": {"start": None},
        "missed is a mean of shares. It is one sum over another, over all samples": {"per_sample": True},
        "the commitment is a mean over D. It is a sum over D, and a mean over samples": {"dims": "mean"},
        "the commitment is a sum over samples. It is their mean": {"dims": "all"},
    }
    for place, name in reversed(list(enumerate(FOUND))):
        truth = part_of(drawn_loss, place)
        known = mistakes | ({"the commitment is not weighted by beta": {"weight": 1.0}} if name == "loss" else {})
        answers = losses.table(lab, rows, truth, ways(truth, known), part=name, tolerance=1e-4,
                               because="see who gets what, and what is summed")  # fmt: skip
    look(target=torch.stack([truth(*row).detach() for row in rows]),
         yours=torch.stack([answer.value.detach() for answer in answers]), about="the loss of four clips")  # fmt: skip


@exercise("latent_action_loss", points=4, hint="(z - codes.detach()).square().sum(dim=1).mean()")
def test_loss_gradient(lab, seed):
    """the gradient is whole: through the codes to the encoder, and of the commitment to z alone"""
    for k, size in enumerate(SIZES[:2]):
        model, clip, *beta = films(seed + 10 * k, *size)
        answer, twin = losses(lab, model, clip, *beta), model.double_twin()
        for name, due in zip(("loss", "missed", "commitment"), drawn_loss(model, clip, *beta, twin=twin)):
            value = answer[name].value
            assert value.requires_grad, f"{name} of {answer.said} carries no gradient"
            slopes = [torch.autograd.grad(x, list(of.parameters()), retain_graph=True, allow_unused=True)
                      for x, of in ((value, model), (due, twin))]  # fmt: skip
            for part, a, b in zip(("encode", "encode", "decode", "decode"), *slopes):
                a, b = (torch.zeros(1) if x is None else x.double() for x in (a, b))
                words = f"{answer.said}: the gradient of {name} that reaches {part}(…) is wrong. What is detached?"
                assert a.shape == b.shape and (a - b).abs().max() <= 1e-3 * (1 + b.abs().max()), words
    row, other = films(seed, 3, 2, 3, 4, 5, 0.5), films(seed + 1, 2, 2, 3, 4, 5)
    theorems.owes(losses, lab, *row, other=other, batch_of_one=False, tolerance=1e-4)


surprise = Call("entropy", takes={"counts": "..."}, gives=number())


def bits_of(counts, *, base=2.0, cells=False, factor=0.5, nats=False):
    """Oracle: value by value; and ways to do it wrong."""
    seen = [count for count in counts.flatten().tolist() if count]
    total = sum(seen)
    bias = factor * ((counts.numel() if cells else len(seen)) - 1) / (total * (1 if nats else math.log(2)))
    return bias - sum(n / total * math.log(n / total, base) for n in seen)


@exercise("entropy", points=5, hint="p = counts[counts > 0] / N; -(p * p.log2()).sum() + (m - 1) / (2 N ln 2)")
def test_entropy(lab, seed, look):
    """-Σ p log2 p plus the Miller-Madow correction, of counts of any shape"""
    rows = [(torch.tensor(c),) for c in ([3, 1, 0, 5], [40, 2, 7, 0, 0, 11], [1, 1], [[2, 0, 1], [4, 0, 9]], [0, 6, 0])]
    rows += [(whole(seed, *size, below=high),) for high, size in ((30, (4, 5)), (900, (7,)))]
    answers = surprise.table(lab, rows, bits_of, ways(bits_of, {
        "these are nats. Bits take log2": {"base": math.e},
        "these are nats. Bits take log2, and a correction over ln 2": {"base": math.e, "nats": True},
        "the correction is missing": {"factor": 0},
        "m counts the values that came up, not all there are": {"cells": True},
        "the correction is added: the entropy of few samples is too small": {"factor": -0.5},
        "the correction is (m - 1) / (2 N ln 2): the 2 is missing": {"factor": 1.0},
        "the correction is in nats. In bits it is divided by ln 2": {"nats": True},
    }), because="zeros play no part: 0 log 0 is 0")  # fmt: skip
    look(target=torch.tensor([bits_of(*row) for row in rows]), yours=torch.tensor([float(a) for a in answers]))
    theorems.owes(surprise, lab, whole(seed + 2, 3, 4, below=9), other=(torch.tensor([5, 0]),), batch_of_one=False)


ceiling = Call("action_ceiling", takes={"outcomes": "n a"}, parameters=("outcomes", "probabilities"), gives=number())


def seen_at_most(outcomes, probabilities, *, base=2.0, alike=False, count=False, pooled=False, rest=False, keys=False):
    """Oracle: state by state; and ways to do it wrong."""
    probabilities = [1 / len(probabilities)] * len(probabilities) if alike else [float(p) for p in probabilities]

    def bits(chances):
        kept = [p for p in chances if p > 0]
        return math.log2(len(kept)) if count else -sum(p * math.log(p, base) for p in kept)

    found, everywhere = [], Counter()
    for row in outcomes.tolist():
        chance = Counter()
        for frame, p in zip(row, probabilities):
            chance[frame] += p
            everywhere[frame] += p / len(outcomes)
        found.append(bits(chance.values()))
    mean, total = sum(found) / len(found), bits(probabilities)
    return bits(everywhere.values()) if pooled else total if keys else total - mean if rest else mean


@exercise("action_ceiling", points=6, hint="q of a frame: add up its actions' p. Then -Σ q log2 q, and a mean")
def test_ceiling(lab, seed, look):
    """the mean over states of the entropy of the next frame, in bits"""
    rows = [tables(seed, 9, 4), tables(seed + 5, 5, 6), tables(seed + 9, 1, 3), tables(seed + 3, 7, 5, never=1)]
    rows += [(torch.tensor([[0, 1, 2, 3], [0, 0, 0, 0], [2, 2, 5, 2]]), (0.25, 0.25, 0.25, 0.25))]
    answers = ceiling.table(lab, rows, seen_at_most, ways(seen_at_most, {
        "these are nats. Bits take log2": {"base": math.e},
        "the probabilities are not used: all actions count alike": {"alike": True},
        "the number of different frames is not enough: they are not equally likely": {"count": True},
        "the numbers of one row mean nothing in another. The entropy is per state, and then the mean": {"pooled": True},
        "this is what the frames do not tell. The ceiling is what they do": {"rest": True},
        "this is the entropy of the actions. Those that lead to one frame cannot be told apart": {"keys": True},
    }), because="add up the actions that lead to one frame")  # fmt: skip
    look(target=torch.tensor([seen_at_most(*row) for row in rows]), yours=torch.tensor([float(a) for a in answers]))


@exercise("action_ceiling", points=3, hint="if len(probabilities) != outcomes.shape[1]: raise ValueError(…)")
def test_ceiling_owes(lab, seed):
    """all apart is H(A), all alike is 0; the order of actions does not count; wrong sizes are refused"""
    found, chances = tables(seed, 6, 5)
    total, due = seen_at_most(torch.arange(5)[None], chances), seen_at_most(found, chances)
    ceiling(lab, torch.arange(5).repeat(4, 1), chances).near(total, because="every action shows: it is H(A)")
    ceiling(lab, torch.full((4, 5), 8), chances).near(0, because="no action shows")
    ceiling(lab, 1000 - 3 * found, chances).near(due, because="only which frames are equal counts")
    ceiling(lab, found.flip(1), chances[::-1]).near(due, because="the order of the actions does not count")
    ceiling(lab, found, list(chances)).near(due, because="probabilities may be a list")
    for wrong in (chances[:4], (*chances, 0.0)):
        ceiling.refuses(lab, found, wrong, because=f"there are 5 actions and {len(wrong)} probabilities")
    theorems.owes(ceiling, lab, found, chances, other=(found[:2], chances), batch_of_one=False)


naming = Call("name_codes", takes={"codes": "n", "actions": "n"}, parameters=("codes", "actions", "num_codes"),
              gives=tensor("k", torch.int64), sizes=lambda given: {"k": given["num_codes"]})  # fmt: skip


def named(codes, actions, num_codes, *, late=False, unseen=None, relative=False):
    """Oracle: code by code; and ways to do it wrong."""
    pairs, usual = Counter(zip(codes.tolist(), actions.tolist())), Counter(actions.tolist())

    def best(score):
        return max(range(max(usual) + 1), key=lambda a: (score(a), a if late else -a))

    names = []
    for code in range(num_codes):
        if code in codes:
            names.append(best(lambda a, c=code: pairs[c, a] / (max(usual[a], 1) if relative else 1)))
        else:
            names.append(best(lambda a: usual[a]) if unseen is None else unseen)
    return torch.tensor(names)


@exercise("name_codes", points=4, hint="a table codes × actions by torch.bincount; argmax over actions")
def test_names(lab, seed, look):
    """the most frequent action of every code; ties to the smallest; unseen codes get the most frequent of all"""
    rows = [(torch.tensor([0, 0, 0, 2, 2, 4, 4, 4]), torch.tensor([3, 1, 1, 5, 2, 0, 3, 3]), 6)]
    rows += [labelled(seed + k, *size) for k, size in enumerate(itertools.product((12, 90), (5, 8), (3, 6)))]
    rows += [(torch.tensor([1, 1, 0, 0]), torch.tensor([2, 1, 1, 2]), 3), (torch.tensor([2]), torch.tensor([4]), 3)]
    answers = naming.table(lab, rows, named, ways(named, {
        "of equally frequent actions the one with the smallest number is chosen": {"late": True},
        "a code that was never seen gets the most frequent action of all": {"unseen": 0},
        "an unseen code has no name here. It gets the most frequent action of all": {"unseen": -1},
        "counts are divided by how frequent each action is. The most frequent one is asked for": {"relative": True},
    }), because="count the pairs of each code", tolerance=0)  # fmt: skip
    look(target=named(*rows[0]), yours=answers[0].value, about="the action of each code")


@exercise("name_codes", points=2, hint="if not len(codes) or codes.max() >= num_codes: raise ValueError(…)")
def test_names_owes(lab, seed):
    """no pairs, or a code that is out of range, are refused; the order of the pairs does not count"""
    (codes, actions, _), none = labelled(seed, 60, 7, 4), torch.zeros(0, dtype=torch.int64)
    naming.refuses(lab, none, none, 4, because="there are no pairs")
    naming.refuses(lab, codes, actions, 5, because="there is a code 5, and 5 codes have the numbers 0 to 4")
    naming.refuses(lab, codes - 1, actions, 6, because="there is a code -1")
    naming(lab, codes.flip(0), actions.flip(0), 6).equal(named(codes, actions, 6), because="the order does not count")
    theorems.owes(naming, lab, codes, actions, 6, other=(actions, codes, 6), batch_of_one=False)
