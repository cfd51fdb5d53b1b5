"""Grader of the diagnostic, items 00.1 to 00.12.

Each item has its own oracle in double precision: a closed form, a count of real blocks, torch's attention, the whole
batch at once. Where an answer equals what a usual mistake gives, the message names the mistake.
"""

import math
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch.nn import functional

from common.course.graders import Call, anything, judge, number, record, stand_ins, tensor, theorems
from common.course.graders.values import noise

exercise = pytest.mark.exercise
PICTURES = "b c h w"
DTYPES = (torch.float32, torch.float64)


def doubles(seed, *size, scale=1.0):
    return noise(seed, *size, scale=scale, dtype=torch.float64)


def batch(seed, per_sample, width=None):
    """Two batches of pictures, as many as a picture is wide unless `width` is given, and a number for each picture."""
    size = len(per_sample), 2, 4, width or len(per_sample)
    return doubles(seed, *size), doubles(seed + 1, *size), torch.tensor(per_sample).double()


def wide(per_sample):
    """(B,) to (B, 1, 1, 1)."""
    return per_sample.double()[:, None, None, None]


def draw(look, answers, wanted):
    """The first sample's numbers as two curves: the right ones and the learner's."""
    look(target=wanted[:1].flatten().float(), yours=answers[0].value[:1].detach().flatten().float())


diffuse = Call("diffuse", takes={"x0": PICTURES, "eps": PICTURES, "alpha_bar": "b"}, gives=tensor(PICTURES, "same"))


def left(x):
    return (1 - x).sqrt()


def diffused(x0, eps, alpha_bar, keep=torch.sqrt, add=left):
    """x0 and eps with the factors `keep` and `add`, functions of ᾱ (B, 1, 1, 1)."""
    return keep(wide(alpha_bar)) * x0.double() + add(wide(alpha_bar)) * eps.double()


@exercise("diffuse", points=3, hint="Noise is multiplied by a standard deviation; alpha_bar[:, None, None, None].")
def test_diffuse_is_the_closed_form(lab, seed, look):
    """mean and standard deviation are those of q(x_t | x_0), each picture at its own ᾱ, 0 and 1 included"""
    rows = [batch(seed, levels) for levels in ([0.81, 0.3, 0.06], [0.9, 1.0, 0.5, 0.0, 0.1], [0.2])]
    mistakes = {
        "it uses variances: the roots are missing": partial(diffused, keep=torch.abs, add=lambda a: 1 - a),
        "data and noise have each other's factors": partial(diffused, keep=left, add=torch.sqrt),
        "the data are not scaled down. In DDPM they fade by √ᾱ": partial(diffused, keep=torch.ones_like),
        "every picture gets the ᾱ of the first one": lambda x0, eps, a: diffused(x0, eps, a[:1].expand(len(a))),
        "each *column* of a picture has its own ᾱ: plain broadcasting lines (B,) up with the last axis":
            lambda x0, eps, a: a.sqrt() * x0 + left(a) * eps,
    }  # fmt: skip
    because = "it is √ᾱ x0 + √(1 - ᾱ) eps, and each picture has its own ᾱ, from 0 (noise) to 1 (data)"
    draw(look, diffuse.table(lab, rows, diffused, mistakes, because=because), diffused(*rows[0]))
    theorems.owes(diffuse, lab, *batch(seed, [0.81, 0.3, 0.06], width=6), truth=diffused, dtypes=DTYPES)


ddim = Call("ddim_step", takes={"x": PICTURES, "eps": PICTURES}, gives=tensor(PICTURES, "same"),
            parameters=("x", "eps", "alpha_bar", "alpha_bar_next"))  # fmt: skip


def clean(x, eps, a):
    return (x.double() - math.sqrt(1 - a) * eps.double()) / math.sqrt(a)


def stepped(x, eps, here, there, clean=clean, noise=math.sqrt):
    """Oracle; and, with another x0 or factor of the noise, ways to do it wrong."""
    return math.sqrt(there) * clean(x, eps, here) + noise(1 - there) * eps.double()


@exercise("ddim_step", points=3, hint="First the x0 that the noise stands for, then noise it again for the next ᾱ.")
def test_ddim_lands_on_the_same_noise(lab, seed, look):
    """told the true noise, it lands where the forward process would be at the next ᾱ; it draws and clamps nothing"""
    x, eps = doubles(seed, 3, 2, 4, 5), doubles(seed + 1, 3, 2, 4, 5)
    rows = [
        (x, eps, 0.2, 0.55),
        (x, eps, 0.04, 0.9),
        (x[:2], eps[1:], 0.5, 0.51),
        (x, eps, 0.7, 0.95),
        (9 * x, eps, 0.25, 1.0),
    ]
    mistakes = {
        "x0 is not divided by √ᾱ": partial(stepped, clean=lambda x, e, a: x - (1 - a) ** 0.5 * e),
        "it stops at x0: the noise of the next time is not put back": lambda x, e, here, there: clean(x, e, here),
        "the noise of the next time is not put back, only x0 is scaled": partial(stepped, noise=lambda share: 0),
        "x0 is clamped to [-1, 1]. Latents have no such range":
            partial(stepped, clean=lambda x, e, a: clean(x, e, a).clamp(-1, 1)),
        "both lines use the same ᾱ, so nothing moves. The noise is for the *next* one": lambda x, e, here, there: x,
        "the root over 1 - ᾱ is missing in x0": partial(stepped, clean=lambda x, e, a: (x - (1 - a) * e) / a**0.5),
    }  # fmt: skip
    because = "first x0 = (x - √(1 - ᾱ) eps) / √ᾱ, then the forward process at the next ᾱ, with the same eps"
    draw(look, ddim.table(lab, rows, stepped, mistakes, because=because), stepped(*rows[0]))
    theorems.owes(ddim, lab, x, eps, 0.25, 0.5, dtypes=DTYPES, truth=stepped, other=(x[:1], eps[:1], 0.1, 0.2))


guide = Call("guide", takes={"uncond": PICTURES, "cond": PICTURES}, gives=tensor(PICTURES, "same"),
             parameters=("uncond", "cond", "guidance_scale"))  # fmt: skip


def guided(uncond, cond, g):
    return uncond.double() + g * (cond.double() - uncond.double())


@exercise("guide", points=2, hint="Start at uncond; the direction is cond - uncond.")
def test_guide_is_a_straight_line(lab, seed, look):
    """0 is without the prompt, 1 the prompt's own prediction, and beyond it goes straight on"""
    uncond, cond = doubles(seed, 3, 2, 4, 5), doubles(seed + 1, 3, 2, 4, 5)
    rows = [(uncond, cond, g) for g in (7.5, 0.0, 1.0, 3, 0.4, 0, 1.5)]
    mistakes = {
        "it starts at cond, the paper's (1 + w) cond - w uncond": lambda u, c, g: c + g * (c - u),
        "it walks away from the prompt: the direction is cond - uncond": lambda u, c, g: u + g * (u - c),
        "the whole of cond is added. The direction is cond - uncond": lambda u, c, g: u + g * c,
        "only the direction is left, without where it starts": lambda u, c, g: g * (c - u),
        "g is held at 1 or above. Below 1 the prompt counts for less": lambda u, c, g: guided(u, c, max(g, 1)),
        "g is held at 1 or below. Guidance is what lies beyond 1": lambda u, c, g: guided(u, c, min(g, 1)),
        "it is clamped to [-1, 1]. A prediction has no such range": lambda u, c, g: guided(u, c, g).clamp(-1, 1),
    }
    because = "a straight line: uncond at g = 0, cond at g = 1, and on in the same direction"
    draw(look, guide.table(lab, rows, guided, mistakes, because=because), guided(*rows[0]))
    theorems.owes(guide, lab, *rows[0], dtypes=DTYPES, truth=guided, other=rows[4])


ends = Call("from_velocity", takes={"x": PICTURES, "velocity": PICTURES, "s": "b"},
            gives=record("tuple", x0=tensor(PICTURES, "same"), eps=tensor(PICTURES, "same")))  # fmt: skip


def data_end(x, velocity, s):
    return x - wide(s) * velocity


def noise_end(x, velocity, s):
    return x + (1 - wide(s)) * velocity


@exercise("from_velocity", points=3, hint="Back to the data it is s · velocity, on to the noise (1 - s) · velocity.")
def test_velocity_finds_both_ends(lab, seed, look):
    """both ends of the straight path, each picture from its own s, 0 and 1 included"""
    rows = [batch(seed, s) for s in ([0.2, 0.7, 0.45], [0.9], [0.0, 1.0, 0.5, 0.25, 0.9])]
    answer = ends(lab, *rows[0])
    swapped = all(torch.allclose(part.value, end(*rows[0])) for part, end in zip(answer, (noise_end, data_end)))
    assert not swapped, f"{answer.said} gives x0 and eps in the wrong order: x0 comes first"
    sign = "the velocity has the other sign: here it is eps - x0, from the data to the noise"
    time = "time runs the other way round: here s = 0 is data and s = 1 is noise"
    mistakes = {
        sign: lambda x, v, s: data_end(x, -v, s),
        time: lambda x, v, s: data_end(x, v, 1 - s),
        "every picture gets the s of the first one": lambda x, v, s: x - s[0] * v,
        "that is DDPM's v-prediction, on a circle": lambda x, v, s: left(wide(s) ** 2) * x - wide(s) * v,
        "each *column* has its own s: plain broadcasting lines (B,) up with the last axis": lambda x, v, s: x - s * v,
    }
    because = "the data are s times the velocity behind: x - s · velocity, for s from 0 to 1, both included"
    draw(look, ends.table(lab, rows, data_end, mistakes, part="x0", because=because), data_end(*rows[0]))
    mistakes = {sign: lambda x, v, s: noise_end(x, -v, s), time: lambda x, v, s: noise_end(x, v, 1 - s)}
    because = "the noise is 1 - s times the velocity ahead: x + (1 - s) · velocity"
    ends.table(lab, rows, noise_end, mistakes, part="eps", because=because)
    truth, row = (lambda *row: (data_end(*row), noise_end(*row))), batch(seed, [0.2, 0.7, 0.45], width=5)
    theorems.owes(ends, lab, *row, truth=truth, dtypes=DTYPES)


edm = Call("edm_factors", takes={"sigma": "b"}, parameters=("sigma", "sigma_data"),
           gives=record("tuple", **dict.fromkeys(("c_skip", "c_out", "c_in"), tensor("b", "same"))))  # fmt: skip


def factor(sigma, d, part):
    """Oracle; `spread` is the standard deviation of x."""
    spread = (sigma.double() ** 2 + d**2).sqrt()
    return {"c_skip": d**2 / spread**2, "c_out": sigma * d / spread, "c_in": 1 / spread}[part]


@exercise("edm_factors", points=3, hint="Variances add up: x has the variance sigma_data² + sigma².")
def test_edm_wishes_come_true(lab, look):
    """what the network reads and must answer has variance 1, with the smallest c_out there is"""
    sigmas = [torch.tensor(s).double() for s in ([0.002, 0.3, 1.7, 80.0], [0.9], [1.3, 0.5])]
    rows = [(sigma, d) for sigma in sigmas for d in (0.5, 1.3, 2)]
    add = "standard deviations do not add up, variances do"
    for part, mistakes, because in (
        ("c_in", {
            "it divides by sigma alone. The data have a variance too": lambda s, d: 1 / s,
            add: lambda s, d: 1 / (s + d),
            "it divides by the variance of x. Divide by its root": lambda s, d: factor(s, d, "c_in") ** 2,
        }, "it is 1 / √(sigma² + sigma_data²), so that what the network reads has variance 1"),
        ("c_skip", {
            "it is the share of the *noise*": lambda s, d: 1 - factor(s, d, "c_skip"),
            add: lambda s, d: d / (s + d),
        }, "it is the data's share of the variance of x, sigma_data² / (sigma² + sigma_data²)"),
        ("c_out", {}, "it is sigma · sigma_data / √(sigma² + sigma_data²), the standard deviation of what is left"),
    ):  # fmt: skip
        answers = edm.table(lab, rows, partial(factor, part=part), mistakes, part=part, because=because)
    look(target=factor(*rows[0], "c_out").float(), yours=answers[0].value.float())
    theorems.owes(edm, lab, *rows[0], dtypes=DTYPES, other=rows[4])


ratio = Call("latent_ratio", gives=number())


def counted(answer, want, mistakes, because):
    """The number must be right; a message does not say which it is."""
    got = float(answer)
    for message, value in mistakes.items():
        assert got == want or not math.isclose(got, value, rel_tol=5e-3), f"{answer.said} = {got:g}: {message}"
    assert math.isclose(got, want, rel_tol=1e-4), f"{answer.said} = {got:g} is not right: {because}"


@exercise("latent_ratio", points=2, hint="Count both, with their channels: 3 x 512 x 768 and 4 x 64 x 96.")
def test_latent_ratio(lab, look):
    """numbers of the picture for each number of the latent"""
    picture, latent = torch.empty(3, 512, 768).numel(), torch.empty(4, 512 // 8, 768 // 8).numel()
    answer = ratio(lab)
    look(target=torch.tensor([picture / latent]), yours=torch.tensor([float(answer)]))
    mistakes = {
        "the channels are not counted: 3 in the picture, 4 in the latent": 64,
        "8 times smaller along *each* of two sides is 64 times fewer places": 8,
        "it is upside down": latent / picture,
        "the channels are upside down: the latent has *more* of them": 64 * 4 / 3,
        "the picture has 3 channels, which are not counted": 16,
        "the latent has 4 channels, which are not counted": 192,
    }
    counted(answer, picture / latent, mistakes, "count both, channels included, and give the ratio")


tokens = Call("token_counts", gives=record("tuple", tokens=number(), numbers=number(), factor=number()))


@exercise("token_counts", points=3, hint="Cut the latent into blocks of 1 x 2 x 2 over all channels, and count.")
def test_token_counts(lab, look):
    """tokens, numbers in each, and how the pairs of full attention grow"""
    blocks = torch.empty(8, 5, 32, 56).unfold(1, 1, 1).unfold(2, 2, 2).unfold(3, 2, 2)  # (C, 5, 16, 28, 1, 2, 2)
    places, held = blocks[0, ..., 0, 0, 0].numel(), blocks[:, 0, 0, 0].numel()
    answer = tokens(lab)
    got = [float(part) for part in answer]
    look(target=torch.tensor([places, held, 64.0]), yours=torch.tensor(got))
    assert got[:2] != [held, places], f"{answer.said}: the first two numbers are swapped. Tokens come first"
    mistakes = {
        "channels make no tokens: a block holds all channels of its place": 8 * places,
        "those are the tokens of one frame. The clip has 5": 16 * 28,
    }
    counted(answer["tokens"], places, mistakes, "count the blocks of 1 frame, 2 rows and 2 columns")
    counted(answer["numbers"], held, {}, "a block has 1 x 2 x 2 places, with 8 channels at each of them")
    mistakes = {
        "that is how the tokens grow. Pairs grow with their *square*": 8,
        "pairs go with the square of the tokens, not with the third power": 512,
    }
    counted(answer["factor"], 8**2, mistakes, "three axes double, and pairs grow with the square of the tokens")


block = Call("adaln_zero", takes={"x": "b n d", "shift": "b d", "scale": "b d", "gate": "b d"},
             gives=tensor("b n d", "same"), parameters=("x", "shift", "scale", "gate", "branch"))  # fmt: skip


def layer_norm(x, axis=-1, eps=1e-6):
    centred = x - x.mean(axis, keepdim=True)
    return centred / (centred.square().mean(axis, keepdim=True) + eps).sqrt()


def branch(read):
    """Not linear, and not the same for each channel."""
    return torch.tanh(read * torch.linspace(0.5, 2, read.shape[-1], dtype=read.dtype)) + 0.3


def through(lab, *inputs):
    """The answer, and what the branch read; the branch is called once, on tokens of x's shape."""
    watched = stand_ins.Recorder(does=branch)
    answer = block(lab, *inputs, watched)
    judge(f"the number of times that {answer.said} calls the branch", len(watched.calls), 1, because="once is enough")
    return answer, watched.calls[0][0][0]


@exercise("adaln_zero", points=3, hint="x + gate · branch(norm(x) · (1 + scale) + shift)")
def test_adaln(lab, seed, look):
    """the branch reads norm(x) (1 + scale) + shift, and its output comes in through the gate; at zero x passes alone"""
    x, (shift, scale, gate) = doubles(seed, 2, 5, 6, scale=3) + 1, (doubles(seed + n, 2, 6) for n in (1, 2, 3))
    rows = [(x, *[torch.zeros_like(shift)] * 3), (x, shift, scale, gate)]
    small = 1e-3 * x, torch.ones_like(x), x[:, :1], doubles(seed, 1, 3, 6)
    rows += [(x, *(vector[: len(x)] for vector in (shift, scale, gate))) for x in small]
    for x, *vectors in rows:
        answer, read = through(lab, x, *vectors)
        shift, scale, gate = (vector[:, None] for vector in vectors)
        right, by_token = (layer_norm(x, axis) * (1 + scale) + shift for axis in (-1, 1))
        mistakes = {
            "x is not normed before it is modulated": x * (1 + scale) + shift,
            "the norm runs over the tokens. Layer norm runs over the last axis": by_token,
        }
        because = (
            "norm(x) · (1 + scale) + shift, by each token's mean and variance, eps = 1e-6, each sample's own vectors"
        )
        judge(f"what the branch reads in {answer.said}", read, right, mistakes, because=because)
        out = branch(right)
        mistakes = {
            "with gate = 0 the block is zero. The gate belongs to the branch's output alone": gate * (x + out),
            "with gate = 0 the branch's output is added whole. Multiply it by gate": x + out,
        }
        because = "it is x + gate · branch(…): x itself passes, and the gate belongs to the branch alone"
        draw(look, [answer.near(x + gate * out, mistakes, because=because)], x + gate * out)
    theorems.owes(block, lab, *rows[1], branch, dtypes=DTYPES)


merge = Call("merge_skip", takes={"deep": "b c h w", "skip": "b s tall wide"}, gives=tensor("b c+s tall wide", "same"),
             sizes=lambda given: {"c+s": given["deep"].shape[1] + given["skip"].shape[1]})  # fmt: skip


def merged(deep, skip, between=1.0):
    """Each pixel of `deep` times a block of 2 x 2, then the skip. Another value `between` pixels makes a mistake."""
    block = torch.tensor([[1.0, between], [between, between]]).double()
    return torch.cat([torch.kron(deep.double(), block), skip.double()], dim=1)


@exercise("merge_skip", points=3, hint="Double each pixel along both sides, then torch.cat along the channels.")
def test_merge_skip(lab, seed, look):
    """every deep pixel becomes 2 x 2 equal ones, and the skip's channels come after; nothing is added up"""
    sizes = ((2, 3, 6, 4, 5), (3, 2, 2, 3, 7), (1, 4, 1, 1, 3), (2, 1, 3, 2, 1))
    rows = [(doubles(seed, b, c, h, w), doubles(seed + 1, b, s, 2 * h, 2 * w)) for b, c, s, h, w in sizes]
    mistakes = {
        "skip comes first. The channels of deep are asked for first": lambda d, s: merged(d, s).roll(s.shape[1], 1),
        "copies of the picture are side by side": lambda d, s: torch.cat([d.repeat(1, 1, 2, 2), s], 1),
        "it is interpolated between pixels. Nearest makes blocks of equal ones":
            lambda d, s: torch.cat([functional.interpolate(d, scale_factor=2, mode="bilinear"), s], dim=1),
        "the pixels between are zero. Each should be a block of 2 x 2 equal ones": partial(merged, between=0.0),
    }  # fmt: skip
    because = "first deep with each pixel doubled along both sides, then skip as it came; nothing is added up"
    draw(look, merge.table(lab, rows, merged, mistakes, because=because), merged(*rows[0]))
    theorems.owes(merge, lab, *rows[0], dtypes=DTYPES)


attention = Call("cross_attention", takes={"q": "b n d", "k": "b l d", "v": "b l e", "mask": "b l"},
                 gives=tensor("b n e", "same"))  # fmt: skip


def texts(seed, length=7, size=1.0, queries=5):
    q, k = doubles(seed, 2, queries, 6, scale=size), doubles(seed + 1, 2, length, 6, scale=size)
    lengths = torch.tensor([[min(4, length)], [max(length - 1, 1)]])
    return q, k, doubles(seed + 2, 2, length, 3), torch.arange(length) < lengths


def attended(q, k, v, mask, scale=None):
    """Oracle: torch's own, in double precision. Another `scale` makes a mistake."""
    q, k, v = q.double(), k.double(), v.double()
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None], scale=scale)


@exercise("cross_attention", points=4, hint="Scores by √d, padding to -inf, torch's softmax over the text.")
def test_attention_as_if_padding_were_cut_off(lab, seed, look):
    """the result is what it would be without padding, whatever it holds; finite and right for scores in the hundreds"""
    rows = [texts(seed), texts(seed + 5, length=3), texts(seed + 9, length=1, queries=1), texts(seed + 3, queries=2)]
    rows.append((*rows[0][:3], rows[0][3].flip(1)))  # padding may come first
    q, k, v, mask = texts(seed + 10)
    k[0, 4:], v[0, 4:] = 50.0, -300.0  # and hold anything
    rows.append((q, k, v, mask))
    mistakes = {
        "the scores are not divided by √d": partial(attended, scale=1.0),
        "the scores are divided by d, not by √d": lambda q, k, v, m: attended(q, k, v, m, scale=1 / q.shape[-1]),
        "padding counts: the mask is not used": lambda q, k, v, m: attended(q, k, v, m | True),
        "padding is masked after the softmax, so the weights no longer add up to 1":
            lambda q, k, v, m: ((q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) * m[:, None]) @ v,
        "every text gets the mask of the first one": lambda q, k, v, m: attended(q, k, v, m[:1].expand_as(m)),
    }  # fmt: skip
    because = "it is softmax(q · k / √d) over the tokens of the text, as if the padding were cut off"
    draw(look, attention.table(lab, rows, attended, mistakes, because=because), attended(*rows[0]))
    theorems.owes(attention, lab, *rows[0], dtypes=DTYPES, truth=attended)
    q, k, v, mask = texts(seed + 20, size=30.0)
    low = k.clone()
    low[0] = -400 * q[0, 0] / q[0, 0].norm()  # each token of this text scores far below zero with the first query
    low[0, 1] *= 1.001
    high = low.clone()
    high[0, 4:] *= -1  # and its padding far above
    because = "scores are large here: a softmax subtracts the largest first, and padding needs -inf, not a number"
    for keys in (k, low, 20 * low, high):
        attention(lab, q, keys, v, mask).near(attended(q, keys, v, mask), because=because)


accumulate = Call("accumulate_gradients", takes={"x": "b d", "y": "b e"}, gives=anything(),
                  parameters=("model", "x", "y", "piece"))  # fmt: skip


class Watched(torch.nn.Sequential):
    """A small network with non-zero biases that counts how many samples come through in each call."""

    def __init__(self, seed):
        super().__init__(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3))
        stand_ins.fill(self.double(), seed, scale=1.0)
        self.calls = []

    def forward(self, x):
        self.calls.append(len(x))
        return super().forward(x)


def whole_batch(model, x, y, weights):
    """Oracle: all gradients in one row, everything at once, each sample with its weight."""
    loss = ((model(x) - y).square().mean(dim=1) * torch.tensor(weights)).sum()
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])


def accumulated(lab, model, x, y, piece):
    """What the call is written as, and the gradients that it leaves, in one row."""
    model.calls.clear()
    said = accumulate(lab, model, x, y, piece).said
    assert model.calls, f"{said} never calls the model"
    assert max(model.calls) <= piece, f"{said} sends {max(model.calls)} samples through at once. {piece} is the most"
    assert sum(model.calls) >= len(x), f"{said}: only {sum(model.calls)} of {len(x)} samples go through the model"
    missing = [name for name, p in model.named_parameters() if p.grad is None]
    assert not missing, f"{said} leaves {missing[0]} without a gradient. Was backward called?"
    return f"the gradients after {said}", torch.cat([p.grad.flatten() for p in model.parameters()])


@exercise("accumulate_gradients", points=3, hint="A piece counts for as many samples as it has: len(piece) / len(x).")
def test_accumulation_equals_the_whole_batch(lab, seed, look):
    """in pieces of any size, the last one shorter, the gradient is the whole batch's, and no earlier one is left"""
    for piece, count in ((4, 10), (3, 10), (1, 10), (20, 10), (5, 5), (2, 1)):
        model, x, y = Watched(seed), doubles(seed + 7, count, 4), doubles(seed + 8, count, 3)
        said, got = accumulated(lab, model, x, y, piece)
        pieces, want = x.split(piece), whole_batch(model, x, y, [1 / count] * count)
        look(target=want.float(), yours=got.float())
        alike = [1 / len(part) / len(pieces) for part in pieces for _ in part]
        mistakes = {
            "each piece counts the same, so the samples of a shorter last piece count for more":
                whole_batch(model, x, y, alike),
            "it divides by `piece`. The mean is over all samples": whole_batch(model, x, y, [1 / piece] * count),
            "squares are summed over a sample's numbers": y.shape[1] * want,
        }  # fmt: skip
        because = "it should be the gradient of the mean squared error over the whole batch"
        judge(said, got, want, mistakes, because=because)
        said, got = accumulated(lab, model, x, y, piece)  # on top of what the first call left
        old = "the gradients of an earlier step are still in it. backward adds, so empty them first"
        judge(said, got, want, {old: 2 * want}, because=old)


flow_error = Call("flow_error", takes={"flow": "b 2 h w", "target": "b 2 h w", "valid": "b h w"},
                  gives=tensor("b", "same"))  # fmt: skip


def mean_length(flow, target, valid, per_pixel=lambda f, t: (f - t).norm(dim=1), count=lambda valid: valid.sum((1, 2))):
    """Oracle. Another measure `per_pixel`, or another `count` to divide by, makes a mistake."""
    return torch.where(valid, per_pixel(flow.double(), target.double()), 0).sum((1, 2)) / count(valid)


@exercise("flow_error", points=3, hint="The length of the difference for each pixel, then a mean over the valid ones.")
def test_flow_error_is_the_mean_length(lab, seed, look):
    """for each flow, the mean over its valid pixels of the length of the difference; NaN elsewhere changes nothing"""
    rows = []
    for b, h, w in ((3, 4, 5), (1, 2, 3), (2, 1, 6)):
        valid = doubles(seed + 2, b, h, w) > -0.4
        valid[:, 0, :2], valid[0, -1, -1] = True, False
        rows.append((doubles(seed, b, 2, h, w, scale=4), doubles(seed + 1, b, 2, h, w, scale=4), valid))
    rows.append((*rows[0][:2], torch.arange(20).reshape(4, 5) == torch.tensor([0, 7, 19])[:, None, None]))
    mistakes = {
        "it adds |u| and |v|, a walk along the grid": partial(mean_length, per_pixel=lambda f, t: (f - t).abs().sum(1)),
        "it is the difference of the two lengths: a flow the wrong way would be right":
            partial(mean_length, per_pixel=lambda f, t: (f.norm(dim=1) - t.norm(dim=1)).abs()),
        "pixels count that are not valid": lambda flow, target, valid: mean_length(flow, target, valid | True),
        "it divides by all pixels, not by how many are valid": partial(mean_length, count=lambda v: v[0].numel()),
    }  # fmt: skip
    because = "it is √(u² + v²) of the difference, averaged over the valid pixels of each flow by itself"
    answers = flow_error.table(lab, rows, mean_length, mistakes, because=because)
    look(target=mean_length(*rows[0]).float(), yours=answers[0].value.float())
    theorems.owes(flow_error, lab, *rows[0], dtypes=DTYPES, truth=mean_length)
    flow, target, valid = rows[0]
    unchecked = replace(flow_error, gives=tensor("b", "same", finite=False))
    for held in (torch.nan, torch.inf, -torch.inf, 1e30):
        because = f"the target holds {held:g} where valid is False. NaN times 0 is NaN: choose pixels, do not multiply"
        spoiled = target.masked_fill(~valid[:, None], held)
        unchecked(lab, flow, spoiled, valid).near(mean_length(flow, target, valid), because=because)
