"""Grader of lab 09.1, action-conditioned video.

Oracles are loops. Frames and actions carry their numbers, so that a pairing which is off by one is found.
"""

import itertools
from collections import Counter
from functools import partial

import pytest
import torch
from torch.nn import functional as F

from common.course.graders import Call, attempt, record, stand_ins, tensor, theorems
from common.course.graders.values import coins, distinct, noise, uniform, whole

exercise = pytest.mark.exercise


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: lambda *args, w=how, **given: oracle(*args, **given | w) for message, how in wrong.items()}


kinds = {"past": tensor("n c k h w", "same"), "actions": tensor("n k", torch.int64)}
kinds["target"] = tensor("n c h w", "same")
cut = Call("transitions", takes={"clips": "b c t h w", "actions": "b u"}, gives=record("tuple", **kinds))


def plays(seed, batch, channels, frames, height, width):
    """Clips, and actions of which no two are equal."""
    actions = torch.randperm(1000, generator=torch.Generator().manual_seed(seed))[: batch * (frames - 1)]
    return distinct(seed, batch, channels, frames, height, width), actions.reshape(batch, frames - 1)


def one_by_one(clips, actions, context, *, stride=1, backwards=False, by_time=False, ahead=0):
    """Oracle: transition by transition; and ways to do it wrong."""
    batch, frames = len(clips), clips.shape[2]
    starts = range(0, frames - context, stride)
    order = sorted(itertools.product(range(batch), starts), key=lambda at: at[::-1] if by_time else at)
    places = range(context)[::-1] if backwards else range(context)
    past = torch.stack([torch.stack([clips[b, :, n + ahead + k] for k in places], dim=1) for b, n in order])
    pressed = torch.stack([torch.stack([actions[b, n + k] for k in places]) for b, n in order])
    return past, pressed, torch.stack([clips[b, :, n + context] for b, n in order])


ROWS = (((2, 3, 6, 4, 5), 2), ((3, 1, 5, 2, 3), 1), ((1, 2, 7, 3, 2), 4), ((2, 2, 4, 1, 3), 3))


@exercise("transitions", points=3, hint="Transition n: frames n … n + K - 1, the actions of these numbers, frame n + K")
def test_pairing(lab, seed, look):
    """the last action of a row is the one that leads to its next frame; no action is off by one"""
    for size, context in ROWS:
        shown = torch.arange(size[2]).reshape(1, 1, -1, 1, 1).expand(size).float().contiguous()  # frame t shows t
        answer = cut(lab, shown, torch.arange(size[2] - 1).repeat(size[0], 1), context)  # action t is called t
        target, pressed = answer["target"].value, answer["actions"].value
        if pressed.ndim == 2 and len(pressed) == len(target) and pressed.numel():
            lag, count = Counter((pressed[:, -1] + 1 - target[:, 0, 0, 0]).tolist()).most_common(1)[0]
            off = (
                f"{answer.said}: the actions are off by one. A frame has the action {'after' if lag > 0 else 'before'} "
            )
            off += "the one that made it. Action t is pressed while frame t is shown, and leads to frame t + 1"
            assert abs(lag) != 1 or 2 * count <= len(pressed), off
    clips, actions = plays(seed, 2, 1, 5, 2, 3)
    right, got = one_by_one(clips, actions, 2), cut(lab, clips, actions, 2)
    got["actions"].equal(right[1], because="row n has the actions pressed while its past's frames are shown")
    look(target=right[1].flatten(), yours=got["actions"].value.flatten(), about="the actions, row after row")


@exercise("transitions", points=4, hint='clips[:, :, :-1].unfold(2, context, 1), then "b c n h w k -> (b n) c k h w"')
def test_transitions(lab, seed):
    """every frame with K frames before it, first play first, oldest frame first; what does not fit is refused"""
    mistakes = ways(one_by_one, {
        "windows do not overlap: every frame with K frames before it is a next frame": {"stride": 2},
        "the past is newest first. The oldest frame comes first": {"backwards": True},
        "the plays are interleaved. All transitions of the first play come first": {"by_time": True},
        "the past holds the next frame itself. It ends with the frame before": {"ahead": 1},
    })  # fmt: skip
    rows = [(*plays(seed + k, *size), context) for k, (size, context) in enumerate(ROWS)]
    for index, part in ((2, "target"), (0, "past"), (1, "actions")):
        made = {words: lambda *row, m=mistake, i=index: m(*row)[i] for words, mistake in mistakes.items()}
        cut.table(lab, rows, lambda *row, i=index: one_by_one(*row)[i], made, part=part, tolerance=0)
    clips, actions = plays(seed, 2, 3, 5, 4, 3)
    for wrong in (actions[:, :-1], actions[:1], torch.cat([actions, actions[:, :1]], dim=1)):
        cut.refuses(lab, clips, wrong, 2, because="5 frames have 4 actions between them, in each of 2 plays")
    for context in (0, -1, 5, 6):
        cut.refuses(lab, clips, actions, context, because="a past has 1 to T - 1 frames")
    theorems.owes(cut, lab, clips, actions, 2, dtypes=[torch.float64, torch.float16])


embed = Call("embedding", takes={"actions": "b k"}, parameters=("layer", "actions"), gives=tensor("b d"))
drop = Call("drop", takes={"actions": "b k", "dropped": "b"}, parameters=("layer", "actions", "dropped"),
            gives=tensor("b k", torch.int64), fresh=True)  # fmt: skip


def filled(kind, seed, *size):
    """The learner's layer with random weights in double precision."""
    return stand_ins.fill(attempt(f"{kind.__name__}(…)", kind, *size), seed).double().requires_grad_(False)


def called(layer, *given):
    return layer(*given)


def row_sum(layer, actions, *, gap=1, backwards=False, first=0, shared=False, mean=False):
    """Oracle: adds the rows one by one; and ways to do it wrong."""
    table, count, places = layer.table.weight.detach(), actions.shape[1], list(range(actions.shape[1]))
    places = [0] * count if shared else places[::-1] if backwards else places
    width = len(table) // count - 1 + gap
    rows = [torch.stack([table[places[k] * width + row[k]] for k in range(count)][first:]) for row in actions.tolist()]
    return torch.stack([one.mean(dim=0) if mean else one.sum(dim=0) for one in rows])


@exercise("ActionEmbedding", points=4, hint="self.table(torch.arange(K) * (A + 1) + actions).sum(dim=1)")
def test_embedding(lab, seed, look):
    """the sum of the K actions' rows; each place has rows of its own, and one more for the null action"""
    mistakes = ways(row_sum, {
        "the same action has the same row at every place. Each place has its own": {"shared": True},
        "a place has A + 1 rows: one more for the null action": {"gap": 0},
        "the places are in reverse. The first rows belong to the oldest": {"backwards": True},
        "only the last action counts. It is the sum over all K": {"first": -1},
        "the rows are averaged. It is their sum": {"mean": True},
    })  # fmt: skip
    sizes = ((3, 2, 5, 4), (6, 4, 8, 3), (2, 3, 6, 5))
    rows = [(filled(lab.ActionEmbedding, seed, a, k, d), whole(seed, b, k, below=a + 1)) for a, k, d, b in sizes]
    answers = embed.table(called, rows, row_sum, mistakes, because="it is the sum of one row per place")
    look(target=row_sum(*rows[0])[0], yours=answers[0].value[0], about="one sample's vector")
    layer, actions = rows[0]
    theorems.owes(embed, called, layer, actions, other=(layer, actions.flip(1)))
    layer.requires_grad_()
    theorems.learns("embedding(actions)", embed(called, layer, actions).value.square(), {"table": layer.table.weight})


def nulled(layer, actions, dropped, *, null=None, flip=False, place=slice(None)):
    """Oracle: row by row; and ways to do it wrong."""
    found, null = actions.clone(), len(layer.table.weight) // actions.shape[1] - 1 if null is None else null
    for b, out in enumerate(dropped.tolist()):
        found[b, place] = null if out != flip else found[b, place]
    return found


@exercise("ActionEmbedding", points=2, hint="actions.masked_fill(dropped[:, None], self.null)")
def test_drop(lab, seed):
    """a dropped sample is told none of its K actions, the others all of theirs"""
    rows = []
    for k, (count, context, batch) in enumerate(((3, 2, 7), (6, 4, 5), (2, 3, 4))):
        layer, actions = filled(lab.ActionEmbedding, seed, count, context, 3), whole(seed, batch, context, below=count)
        rows += [(layer, actions, out) for out in (coins(seed + k, batch), torch.arange(batch) < 0)]
    drop.table(lambda layer, actions, out: layer.drop(actions, out), rows, nulled, ways(nulled, {
        "the last action alone became null. A dropped sample is told none of its K": {"place": slice(-1, None)},
        "the wrong samples are dropped: True is for those that are": {"flip": True},
        "0 is a key like the others. The null action is A": {"null": 0},
    }), because="all K actions of a dropped sample become the null action, A", tolerance=0)  # fmt: skip


blocks = Call("block", takes={"x": "b i h w", "cond": "b s"}, gives=tensor("b c h w", "same"),
              parameters=("block", "x", "cond"))  # fmt: skip


def film(block, x, cond, *, plus=1.0, swap=False, where="second", fit=True, norm=True):
    """Oracle with the block's own layers; and ways to do it wrong."""

    def steered(h, name):
        scale, shift = F.linear(cond, block.film.weight, block.film.bias).chunk(2, dim=1)[:: -1 if swap else 1]
        return h * (plus + scale[..., None, None]) + shift[..., None, None] if where == name else h

    h = block.norm_first(x)
    h = steered(block.first(h * h.sigmoid()), "before")
    h = steered(block.norm_second(h) if norm else h, "second")
    h = steered(h * h.sigmoid(), "after")
    return steered(block.second(h), "out") + (block.fit(x) if fit else 0)


@exercise("FiLMBlock", points=6, hint="FiLM: self.norm_second(h) * (1 + scale) + shift, with the axes of h; then SiLU")
def test_film(lab, seed, look):
    """norm, SiLU, convolution; norm, FiLM, SiLU, convolution; the input added. Gradients reach x, signal and layers"""
    mistakes = ways(film, {
        "h is multiplied by scale alone. FiLM multiplies by 1 + scale": {"plus": 0.0},
        "scale and shift are swapped. film's first C numbers are the scales": {"swap": True},
        "the signal is not used": {"where": "never"},
        "FiLM comes before norm_second. It comes after it: the norm would undo it": {"where": "before"},
        "FiLM comes after the second SiLU. It comes before it": {"where": "after"},
        "FiLM comes after the second convolution. It comes after norm_second": {"where": "out"},
        "the input is not added": {"fit": False},
        "norm_second is missing": {"norm": False},
    })  # fmt: skip
    sizes = [(8, 16, 5, 2, 4, 6), (16, 16, 3, 3, 5, 2), (24, 8, 7, 1, 3, 4)]
    rows = [(filled(lab.FiLMBlock, seed, *size), *(noise(seed, *of, dtype=torch.float64) for of in ((b, size[0], h, w),
             (b, size[2])))) for *size, b, h, w in sizes]  # fmt: skip
    answers = blocks.table(called, rows, film, mistakes, tolerance=1e-8, because="see the order of the layers")
    look(target=film(*rows[0])[0, 0, 0], yours=answers[0].value[0, 0, 0], about="one row of one channel")
    block, x, cond = filled(lab.FiLMBlock, seed, 8, 16, 5).float(), noise(seed, 3, 8, 4, 2), noise(seed + 1, 3, 5)
    theorems.owes(blocks, called, block, x, cond, other=(block, -x, cond.flip(0)))
    block.requires_grad_()
    answer = blocks(called, block, x.clone().requires_grad_(), cond.clone().requires_grad_())
    learned = {"x": answer.given["x"], "cond": answer.given["cond"]} | dict(block.named_parameters())
    theorems.learns(answer.said, answer.value.square(), learned)


FACTORS = ("c_skip", "c_out", "c_in", "c_noise")
factors = Call("edm_precondition", gives=record("tuple", **{name: tensor(None, "same") for name in FACTORS}),
               parameters=("sigma", "sigma_data"))  # fmt: skip
RIGHT = {"c_skip": lambda s, d: d**2 / (s**2 + d**2), "c_out": lambda s, d: s * d / (s**2 + d**2) ** 0.5,
         "c_in": lambda s, d: (s**2 + d**2) ** -0.5, "c_noise": lambda s, d: s.log() / 4}  # fmt: skip
WRONG = {
    "c_skip": {"it is 1, and then c_out is larger than it could be": lambda s, d: torch.ones_like(s),
               "it is that of sigma_data = 1": lambda s, d: 1 / (s**2 + 1)},
    "c_out": {"it is squared: c_out² is the variance of x0 - c_skip x": lambda s, d: (s * d) ** 2 / (s**2 + d**2),
              "it is negative. Of both signs take the positive one": lambda s, d: -s * d / (s**2 + d**2).sqrt(),
              "it is sigma alone, as with c_skip = 1": lambda s, d: s},
    "c_in": {"the root is missing: it makes a variance 1": lambda s, d: 1 / (s**2 + d**2),
             "standard deviations do not add up, variances do": lambda s, d: 1 / (s + d)},
    "c_noise": {"it is ln(sigma) / 4, not ln(sigma)": lambda s, d: s.log()},
}  # fmt: skip


@exercise("edm_precondition", points=6, hint="c_in = 1 / √v, c_skip = sigma_data² / v, c_out = sigma sigma_data / √v")
def test_factors(lab, seed, look):
    """the four factors at many levels, for several sigma_data; any shape and dtype"""
    levels = uniform(seed, 7, low=-4, high=2).exp()
    rows = [(levels, 0.5), (levels, 0.23), (levels, 1.7), (levels[:2, None], 1.0), (torch.tensor([1e-4, 3e-4]), 0.5)]
    for name in FACTORS:
        answers = factors.table(lab, rows, lambda s, d, n=name: RIGHT[n](s.double(), d), WRONG[name], part=name,
                                because=f"{name} has to do what the docstring asks")  # fmt: skip
    look(target=RIGHT["c_noise"](levels, 0.5), yours=answers[0].value, about="c_noise at seven noise levels")
    usual = factors(lab, levels)
    for name in FACTORS:
        usual[name].near(RIGHT[name](levels, 0.5), because="sigma_data is 0.5 where it is not given")
    levels = uniform(seed, 3, 2, 4, low=0.1, high=3)
    for some in (levels, levels[0, 1], levels[0, 0, 0]):
        theorems.owes(factors, lab, some, 0.4, dtypes=[torch.float64], meta=True)


matrices = Call("action_matrix", takes={"past": "b c k h w", "actions": "b k", "eps": "b c h w"},
                parameters=("next_frame", "past", "actions", "eps", "num_actions"),
                sizes=lambda given: {"a": given["num_actions"]}, gives=tensor("b a c h w", "same"))  # fmt: skip


class World(torch.nn.Module):
    """A world that is one formula, of any number of rows. It learns, so a gradient shows."""

    def __init__(self, context):
        super().__init__()
        self.gain = torch.nn.Parameter(1 + torch.arange(context, dtype=torch.float32))

    def forward(self, eps, past, actions):
        assert len(eps) == len(past) == len(actions), f"{len(eps)} noises, {len(past)} pasts, {len(actions)} actions"
        assert actions.dtype == torch.int64, f"the world takes int64 actions, not {actions.dtype}"
        told = (self.gain * actions.float().sin()).sum(dim=1)[:, None, None, None]
        return 0.5 * eps + (past * self.gain[:, None, None]).sum(dim=2) + told


def all_futures(next_frame, past, actions, eps, num_actions, *, place=-1, other_noise=False, first=0):
    """Oracle: past by past and action by action; and ways to do it wrong."""
    futures = []
    for b, a in itertools.product(range(len(past)), range(num_actions)):
        pressed = actions[b : b + 1].clone()
        pressed[:, place] = a + first
        draw = eps[(b + (a if other_noise else 0)) % len(eps)][None]
        futures.append(next_frame(draw, past[b : b + 1], pressed)[0].detach())
    return torch.stack(futures).unflatten(0, (len(past), num_actions))


def asked(seed, batch, channels, context, height, width, count):
    past, eps = noise(seed, batch, channels, context, height, width), noise(seed + 1, batch, channels, height, width)
    return World(context), past, whole(seed, batch, context, below=count), eps, count


@exercise("action_matrix", points=6, hint="pressed = actions.clone(); pressed[:, -1] = action; next_frame(…)")
def test_matrix(lab, seed, look):
    """entry [b, a]: the next frame of past b when a is pressed last, with the noise that is given; no gradient"""
    sizes = ((2, 3, 4, 5, 6, 3), (3, 1, 2, 4, 2, 5), (2, 2, 3, 2, 3, 2))
    rows = [asked(seed + k, *size) for k, size in enumerate(sizes)]
    mistakes = ways(all_futures, {
        "the first action is replaced. The last one leads to the next frame": {"place": 0},
        "the action before the last is replaced: off by one": {"place": -2},
        "all K actions are replaced. Those before the last were pressed": {"place": slice(None)},
        "each action gets another noise. Then futures differ by chance too": {"other_noise": True},
        "the actions are counted from 1. The first is 0": {"first": 1},
    })  # fmt: skip
    answers = matrices.table(lab, rows, all_futures, mistakes, because="only the last action differs between futures")
    look(target=all_futures(*rows[0])[0, :, 0, 0, 0], yours=answers[0].value[0, :, 0, 0, 0], about="a pixel, by action")
    row = asked(seed, 3, 2, 2, 3, 4, 3)
    answer = theorems.leaves_random_numbers_alone("action_matrix(…)", partial(matrices, lab), *row)
    assert not answer.value.requires_grad, f"{answer.said} keeps gradients: put @torch.no_grad() above the function"
    theorems.owes(matrices, lab, *row, other=asked(seed + 1, 3, 2, 2, 3, 4, 3))


confuse = Call("action_confusion", takes={"last": "b c h w", "matrix": "b a c h w"}, gives=tensor("a a", torch.float32),
               parameters=("probe", "last", "matrix"))  # fmt: skip


class Probe(torch.nn.Module):
    """Linear in both frames, of any number of pairs. It learns, so a gradient shows."""

    def __init__(self, seed, count, size):
        super().__init__()
        self.before, self.after = (torch.nn.Parameter(noise(seed + k, size, count)) for k in (50, 51))

    def forward(self, before, after):
        assert before.shape == after.shape and before.ndim == 4, f"the probe got {before.shape} and {after.shape}"
        return before.flatten(1) @ self.before + after.flatten(1) @ self.after


def tally(probe, last, matrix, *, swap=False, turned=False, soft=False, total=None, mixed=False):
    """Oracle: counts pair by pair; and ways to do it wrong."""
    (batch, count), table = matrix.shape[:2], torch.zeros(matrix.shape[1], matrix.shape[1], dtype=torch.float64)
    for b, a in itertools.product(range(batch), range(count)):
        after = matrix[(b * count + a) % batch, (b * count + a) // batch] if mixed else matrix[b, a]
        logits = probe(*(x[None] for x in ((after, last[b]) if swap else (last[b], after))))[0].detach().double()
        table[a] += logits.softmax(dim=0) if soft else F.one_hot(logits.argmax(), count)
    table = table.T if turned else table
    return table / {None: batch, "one": 1, "all": batch * count, "columns": table.sum(dim=0).clamp(min=1e-9)}[total]


def seen_by(seed, batch, channels, height, width, count):
    frames = noise(seed + 1, batch, channels, height, width), noise(seed + 2, batch, count, channels, height, width)
    return Probe(seed, count, channels * height * width), *frames


@exercise("action_confusion", points=4, hint="F.one_hot(logits.argmax(1), A).float(), (b told) seen, mean over b")
def test_confusion(lab, seed, look):
    """entry [told, seen]: the share of the pasts in which the probe saw one action where the other was told"""
    rows = [seen_by(seed, 7, 2, 3, 4, 3), seen_by(seed + 5, 5, 1, 4, 2, 4), seen_by(seed + 9, 12, 3, 2, 3, 2)]
    mistakes = ways(tally, {
        "seen is in rows and told in columns. Told comes first": {"turned": True},
        "the probe gets (after, before). It takes the earlier frame first": {"swap": True},
        "these are counts. Divide by the number of pasts": {"total": "one"},
        "the whole table adds up to 1. Every row does": {"total": "all"},
        "the columns add up to 1. Every row does": {"total": "columns"},
        "probabilities are averaged. What the probe sees is its largest logit": {"soft": True},
        "futures and actions are mixed up: (b a) has b outermost, on both ways": {"mixed": True},
    })  # fmt: skip
    answers = confuse.table(lab, rows, tally, mistakes, because="it is the share of the pasts, told and seen")
    look(target=tally(*rows[0]).flatten(), yours=answers[0].value.flatten(), about="the table, row after row")


@exercise("action_confusion", points=2, hint="F.one_hot(…, num_actions): as many columns as rows")
def test_confusion_owes(lab, seed):
    """an action that is never seen keeps its column; one past is enough; no gradient is kept"""
    row = seen_by(seed, 4, 2, 2, 3, 3)
    for always, kind in enumerate((torch.float32, torch.float16, torch.float64)):
        probe = lambda before, _, a=always, k=kind: F.one_hot(torch.full((len(before),), a), 3).to(k)  # noqa: E731
        confuse(lab, probe, *row[1:]).near(F.one_hot(torch.full((3,), always), 3), because=f"all it sees is {always}")
    answer = theorems.owes(confuse, lab, *row, other=seen_by(seed + 3, 4, 2, 2, 3, 3), batch_of_one=False)
    assert not answer.value.requires_grad, f"{answer.said} keeps gradients"
    confuse(lab, row[0], row[1][:1], row[2][:1]).near(tally(row[0], row[1][:1], row[2][:1]), because="of one past")
