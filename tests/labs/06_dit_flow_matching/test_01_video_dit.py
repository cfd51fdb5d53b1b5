"""Grader of lab 06.1, a DiT for video.

Oracles in double precision: slices, angles token by token, block and model written out with the learner's own layers.
"""

import itertools
from functools import partial

import pytest
import torch
from torch.nn import functional as F

from common.course.graders import Call, anything, attempt, each, judge, record, stand_ins, tensor, theorems
from common.course.graders.values import distinct, noise, same, uniform
from common.layers.attention import KeyValues, frame_causal_mask
from common.layers.modulation import timestep_features

exercise = pytest.mark.exercise
D, HEADS = 24, 2
CONFIG = {"in_channels": 3, "patch_size": 2, "dim": D, "num_layers": 2, "num_heads": HEADS, "ffn_dim": 16,
          "text_dim": 5, "freq_dim": 8, "rope_theta": 30.0}  # fmt: skip
BLOCK_ROWS = ({}, {"levels": 1, "rotation": 1}, {"frames": 5, "text_mask": 1, "rotation": 1, "mask": 1},
              {"frames": 2, "batch": 3, "cache": 1, "rotation": 1, "mask": 1}, {"frames": 1, "batch": 1})  # fmt: skip
NEEDS = ("patchify", "rotations", "rotate", "AdaLNZero", "DiTBlock")
patches = Call("patchify", takes={"clip": "b c t h w"}, gives=tensor("b n d", "same"))
turns = Call("rotations", gives=tensor("n p", torch.complex64))
rotates = Call("rotate", takes={"x": "b n h d", "rotation": "n p"}, gives=tensor("b n h d", "same"))
part = tensor("b t 1 d", torch.float32)
modulates = Call("modulation", {"signal": "b t s"}, each(record("object", shift=part, scale=part, gate=part)))
blocks = Call("block", takes={"x": "b t s d", "signal": "b u g", "text": "b l d"},
              gives=record("tuple", tokens=tensor("b t s d", "same"), cache=anything()))  # fmt: skip
models = Call("model", takes={"hidden_states": "b c t h w", "timestep": "...", "encoder_hidden_states": "b l e"},
              gives=record("object", sample=tensor("b c t h w", "same"), caches=anything()))  # fmt: skip


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: lambda *args, w=how, **given: oracle(*args, **given | w) for message, how in wrong.items()}


def filled(kind, seed, *args, scale=0.5, **config):
    """The learner's module in double precision, every weight random."""
    module = attempt(f"{kind.__name__}(…)", kind, *args, **config)
    return stand_ins.fill(module, seed, scale).double().requires_grad_(False)


def normal(x):
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


def cut_out(clip, patch_size, order=(0, 1, 2), inside=(1, 2, 3, 4)):
    """Oracle: every block is sliced out by itself, in this order of the axes."""
    starts = [range(0, n, p) for n, p in zip(clip.shape[2:], patch_size)]
    corners = [[c[order.index(k)] for k in range(3)] for c in itertools.product(*(starts[k] for k in order))]
    found = [clip[(..., *(slice(at, at + p) for at, p in zip(corner, patch_size)))] for corner in corners]
    return torch.stack([block.permute(0, *inside).flatten(1) for block in found], dim=1)


@exercise("patchify", points=4, hint='rearrange(clip, "b c (t pt) (h ph) (w pw) -> b (t h w) (c pt ph pw)", …)')
def test_patchify(lab, seed, look):
    """blocks come frame by frame and row by row; a vector is channel by channel; what does not fit is refused"""
    rows = [(distinct(seed, 2, 3, 4, 6, 10), (2, 3, 5)), (distinct(seed, 1, 5, 3, 4, 8), (1, 2, 2)),
            (distinct(seed, 3, 2, 6, 2, 3), (3, 1, 1)), (distinct(seed, 2, 4, 2, 3, 5), (1, 1, 1))]  # fmt: skip
    mistakes = ways(cut_out, {
        "the channels come last inside a vector. Here the channel is the outermost": {"inside": (2, 3, 4, 1)},
        "the blocks come column by column. The order is time, row, column": {"order": (0, 2, 1)},
        "the blocks come with time innermost. The order is time, row, column": {"order": (1, 2, 0)},
        "inside a vector columns come before rows. It is channel, time, row, column": {"inside": (1, 2, 4, 3)},
        "inside a vector time comes first. It is channel, time, row, column": {"inside": (2, 1, 3, 4)},
    })  # fmt: skip
    mistakes["reshape cuts along memory: use rearrange"] = lambda clip, p: clip.reshape(cut_out(clip, p).shape)
    answers = patches.table(lab, rows, cut_out, mistakes, because="a vector is one block, cut out of the clip")
    look(target=cut_out(*rows[1])[0], yours=answers[1].value[0])
    theorems.owes(patches, lab, *rows[0], dtypes=[torch.float64, torch.float16, torch.int32])
    clip = rows[0][0]
    patches.refuses(lab, clip[0], (1, 1, 1), because="a clip has five axes")
    patches.refuses(lab, clip[None], (1, 1, 1), because="a clip has five axes")
    for patch_size in ((3, 1, 1), (1, 4, 1), (1, 1, 3), (1, 2, 20), (1, 0, 2), (1, -2, 2), (-2, 1, 1)):
        patches.refuses(lab, clip, patch_size, because="these patches do not tile 4 frames of 6 rows and 10 columns")


def turned(size, head_dim, frame_offset=0, theta=100.0, *, speed=lambda theta, j, n, d: theta ** (-2 * j / n),
           offsets=(1, 0, 0), order=(0, 1, 2), sign=1, walk=(0, 1, 2)):  # fmt: skip
    """Oracle, token by token, and ways to do it wrong."""
    third, angles = 2 * (head_dim // 6), []
    for places in itertools.product(*(range(size[k]) for k in walk)):
        at = [places[walk.index(k)] + offsets[k] * frame_offset for k in range(3)]
        shares = (head_dim - 2 * third, third, third)
        row = [[m * speed(theta, j, n, head_dim) for j in range(n // 2)] for m, n in zip(at, shares)]
        angles.append([angle for k in order for angle in row[k]])
    angle = sign * torch.tensor(angles, dtype=torch.float64)
    return torch.polar(torch.ones_like(angle), angle)


@exercise("rotations", points=5, hint="speeds = theta ** (-torch.arange(0, n, 2) / n), with each axis's own n")
def test_rotations(lab, seed, look):
    """each token is turned by its frame, row and column, each in its own share of the pairs, far ones too"""
    rows = [((2, 3, 4), 12, 0, 7.0), ((3, 4, 2), 16, 2, 50.0), ((4, 2, 3), 32, 5, 100.0), ((1, 2, 5), 26, 3, 1e4),
            ((1, 1, 1), 64, 1, 20.0), ((3, 1, 2), 6, 4, 9.0), ((2, 3, 4), 22, 1),
            ((2, 3, 4), 12, 0, 90.0), ((2, 3, 4), 12, 3, 7.0)]  # fmt: skip
    mistakes = ways(turned, {
        "n is the axis's own share, not the whole head": {"speed": lambda theta, j, n, d: theta ** (-2 * j / d)},
        "the speeds are theta^(-j / n). It is theta^(-2j / n)": {"speed": lambda theta, j, n, d: theta ** (-j / n)},
        "frame_offset moves rows and columns too. It belongs to the frames alone": {"offsets": (1, 1, 1)},
        "frame_offset has no effect. The frames' places begin there": {"offsets": (0, 0, 0)},
        "the turn goes the other way: it is e^{+i angle}": {"sign": -1},
        "the shares come as row, column, frame. The frame's pairs come first": {"order": (1, 2, 0)},
        "the tokens come column by column. The order is frame, row, column": {"walk": (0, 2, 1)},
    })  # fmt: skip
    answers = turns.table(lab, rows, turned, mistakes, because="it is e^{i · place · theta^(-2j / n)}")
    look(target=turned(*rows[2]).angle(), yours=answers[2].value.angle())
    theorems.owes(turns, lab, *rows[1], other=rows[0])
    far = [((2, 1, 3), 12, offset) for offset in (5_000, 123_457)]
    turns.table(lab, far, turned, because="far places are not exact: compute the angles in float64")
    answer = turns(lab, (2, 1, 3), 12, device="meta")
    assert answer.value.device.type == "meta", f"{answer.said} is on the device {answer.value.device}"
    for head_dim in (7, 4):
        turns.refuses(lab, (2, 2, 2), head_dim, because="axis_dims refuses such a head")


def in_pairs(x, rotation, half=False, sign=1, apart=False):
    """Oracle: real arithmetic in double precision; and ways to do it wrong."""
    angle, x = sign * rotation.angle().double()[:, None], x.double()  # (N, 1, P)
    a, b = x.chunk(2, dim=-1) if half else (x[..., 0::2], x[..., 1::2])
    a, b = a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()
    return torch.cat([a, b], dim=-1) if half or apart else torch.stack([a, b], dim=-1).flatten(-2)


def to_rotate(seed, batch=2, tokens=5, heads=3, dim=8):
    angle = uniform(seed + 1, tokens, dim // 2, low=-3, high=3)
    return noise(seed, batch, tokens, heads, dim), torch.polar(torch.ones_like(angle), angle)


@exercise("rotate", points=5, hint="view_as_complex of unflatten(-1, (-1, 2)), times rotation[:, None], and back")
def test_rotate(lab, seed, look):
    """neighbouring numbers turn together, as a complex number, all heads alike; gradients turn back"""
    rows = [to_rotate(seed), to_rotate(seed + 2, 1, 4, 2, 12), to_rotate(seed + 4, 3, 1, 4, 6), to_rotate(seed, 2, 3)]
    mistakes = ways(in_pairs, {
        "number j is paired with number j + head_dim / 2. Neighbours 2j and 2j + 1 are a pair": {"half": True},
        "the turn goes the other way": {"sign": -1},
        "the turned pairs are taken apart: real parts, then imaginary ones. Interleave them again": {"apart": True},
        "the input comes back as it was: nothing is turned": {"sign": 0},
    })  # fmt: skip
    answers = rotates.table(lab, rows, in_pairs, mistakes, because="each pair is multiplied by its token's turn")
    look(target=in_pairs(*rows[0])[0, :, 0], yours=answers[0].value[0, :, 0])
    x, rotation = rows[0]
    theorems.owes(rotates, lab, x, rotation, dtypes=[torch.float64, torch.bfloat16, torch.float16])
    theorems.rounds_once(rotates, lab, x, rotation, truth=in_pairs)
    turned_back = in_pairs(torch.ones_like(x), rotation, sign=-1)
    rotates(lab, x.requires_grad_(), rotation).gradients({"x": turned_back})


def parts_of(signal, table, n, pattern="n three d", which=(0, 1, 2), keep=(1, 1), one=0):
    """Oracle `(n, 3, B, T', 1, D)`, and ways to do it wrong."""
    total = keep[0] * signal.double() + keep[1] * table.double()
    sizes, names = {"n": n, "three": 3, "d": signal.shape[-1] // (3 * n)}, pattern.split()
    cut = total.unflatten(-1, [sizes[name] for name in names])
    cut = cut.permute(*(2 + names.index(name) for name in ("n", "three")), 0, 1, 2 + names.index("d"))
    return cut[:, list(which), :, :, None] + one * torch.tensor([0, 1, 0]).reshape(3, 1, 1, 1, 1)


def cut_up(layer, signal):
    """What the learner's layer gives, as one tensor, and the call's answer."""
    answer = modulates(layer, signal)
    return torch.stack([torch.stack([one.shift, one.scale, one.gate]) for one in answer.value]), answer


@exercise("AdaLNZero", points=3, hint='"b t (n three d) -> n three b t 1 d"; the table is added first')
def test_modulation(lab, seed, look):
    """signal plus table, cut by branch, then into shift, scale and gate, then by channel"""
    mistakes = {
        "the table is not added": {"keep": (1, 0)},
        "the signal is not used: all noise levels get the same": {"keep": (0, 1)},
        "the signal is cut part by part. It holds all three of one branch, then of the next": {"pattern": "three n d"},
        "the channels are cut before the parts. In the signal they are innermost": {"pattern": "n d three"},
        "shift and scale are swapped. The order is shift, scale, gate": {"which": (1, 0, 2)},
        "the gate comes first. The order is shift, scale, gate": {"which": (1, 2, 0)},
        "1 is added to the scale. Modulation.enter does that": {"one": 1},
    }
    for k, (dim, n, batch, frames) in enumerate(((4, 3, 2, 5), (5, 2, 3, 1), (2, 1, 1, 4))):
        layer, signal = filled(lab.AdaLNZero, seed + k, dim, n), noise(seed + 9 + k, batch, frames, 3 * n * dim)
        got, answer = cut_up(layer, signal)
        right = partial(parts_of, signal, layer.table, n)
        made = {message: partial(right, **how) for message, how in mistakes.items()}
        judge(f"the parts (branch, which, b, t, 1, d) of {answer.said}", got, right(), made)
    look(target=right()[0, :, 0, :, 0].flatten(1), yours=got[0, :, 0, :, 0].flatten(1).detach())


@exercise("AdaLNZero", points=2, hint="signal.float() + self.table.float()")
def test_modulation_owes(lab, seed):
    """float32 from half precision; gradients reach signal and table; views are taken"""
    layer, signal = filled(lab.AdaLNZero, seed, 4, 2).requires_grad_(), noise(seed, 2, 3, 24)
    theorems.owes(modulates, layer, signal, dtypes=[torch.bfloat16])
    got, answer = cut_up(layer, signal.clone().requires_grad_())
    theorems.learns(answer.said, got.square(), {"signal": answer.given["signal"], "table": layer.table})
    layer, signal = layer.bfloat16(), signal.bfloat16()
    judge("the parts of modulation(signal) from bfloat16", cut_up(layer, signal)[0], parts_of(signal, layer.table, 2),
          tolerance=1e-6, because="add in float32: bfloat16 rounds the sum")  # fmt: skip


def run(block, x, signal, text, text_mask=None, rotation=None, mask=None, cache=None, *, order=(0, 1, 2),
        steer=(0, 1, 2), alone=False, adds=True, parallel=False, gated=True):  # fmt: skip
    """Oracle of one block by its own layers: tokens and the attention's cache; and ways to do it wrong."""
    shift, scale, gate = parts_of(signal, block.modulation.table, 3).unbind(1)  # (3, B, T', 1, D) each
    total = x
    for k in order:
        h = x if parallel else total
        h = (normal(h) * (1 + scale[steer[k]]) + shift[steer[k]]).to(x.dtype)
        if k == 0 and alone:
            out = block.attention(h.flatten(0, 1))[0]
        elif k == 0:
            out, cache = block.attention(h.flatten(1, 2), rotation, mask, cache)
        else:
            out = block.cross_attention(h.flatten(1, 2), text, text_mask) if k == 1 else block.ffn(h)
        total = (total if adds else 0) + (gate[steer[k]] if gated else 1) * out.reshape(x.shape)
    return total, cache


def block_inputs(seed, frames=3, levels=None, batch=2, **wanted):
    x, text = noise(seed, batch, frames, 4, D).double(), noise(seed + 1, batch, 5, D).double()
    signal = noise(seed + 2, batch, levels or frames, 9 * D, scale=0.5).double()
    past = [noise(seed + 3 + k, batch, HEADS, 4, D // HEADS).double() for k in range(2)]
    made = {"text_mask": torch.arange(5) < torch.tensor([[2], [5], [3]])[:batch], "cache": KeyValues(*past),
            "rotation": turned((frames, 2, 2), D // HEADS, 1).to(torch.complex64),
            "mask": frame_causal_mask(frames, 4, 4 if "cache" in wanted else 0)}  # fmt: skip
    return x, signal, text, {name: made[name] for name in wanted}


@exercise("DiTBlock", points=5, needs=("AdaLNZero", "rotate"), hint="enter, network, leave: three times, in this order")
def test_block(lab, seed, look):
    """self-attention over all frames, cross-attention, feed-forward: normalised, steered, gated, added"""
    block = filled(lab.DiTBlock, seed, D, HEADS, 20)
    right = lambda *args, **given: run(block, *args, **given)[0]  # noqa: E731
    rows = [block_inputs(seed + 5 * k, **options) for k, options in enumerate(BLOCK_ROWS)]
    mistakes = ways(right, {
        "self-attention keeps the frames apart. All tokens of all frames are one sequence": {"alone": True},
        "the text is read before the tokens attend to each other. Self-attention comes first": {"order": (1, 0, 2)},
        "modulations are mixed up. Their order is self-attention, cross-attention, feed-forward": {"steer": (0, 2, 1)},
        "every branch reads the block's input. It should read what the branch before it left": {"parallel": True},
        "nothing is added to the tokens: leave takes the x from before the branch": {"adds": False},
        "the gates are not used: modulation.leave has them": {"gated": False},
        "the text's mask is not handed to the cross-attention": {"text_mask": None},
        "the rotation is not handed to the self-attention": {"rotation": None},
    })  # fmt: skip
    answers = blocks.table(block, rows, right, mistakes, part="tokens")
    look(target=right(*rows[0][:3])[0, :, 0], yours=answers[0].value[0, :, 0])


@exercise("DiTBlock", points=3, needs=("AdaLNZero", "rotate"), hint="out, cache = self.attention(…); return x, cache")
def test_block_owes(lab, seed):
    """the attention's cache comes back; closed gates are the identity; all weights learn"""
    block = filled(lab.DiTBlock, seed, D, HEADS, 20)
    for options in BLOCK_ROWS[1:4]:
        *args, given = block_inputs(seed, **options)
        answer = blocks(block, *args, **given)
        got, want = answer["cache"].value, run(block, *args, **given)[1]
        right = isinstance(got, KeyValues) and same(got.keys, want.keys) and same(got.values, want.values)
        assert right, f"cache of {answer.said} is not the one that self.attention gives back"
    x, signal, text, _ = block_inputs(seed)
    theorems.owes(blocks, block, x, signal, text, other=block_inputs(seed + 1, 4)[:3])
    answer = blocks(block.requires_grad_(), x, signal, text)["tokens"]
    theorems.learns(answer.said, answer.value.square(), dict(block.named_parameters()))
    blocks(block.bfloat16(), x.bfloat16(), signal.bfloat16(), text.bfloat16())
    block.requires_grad_(False).modulation.table.zero_()
    blocks(block.double(), x, 0 * signal, text)["tokens"].near(x, tolerance=0, because="here every gate is zero")


def told(model, x, timestep, text, encoder_attention_mask=None, is_causal=False, *,
         reads=normal, ends=normal, scale=1, theta=CONFIG["rope_theta"]):  # fmt: skip
    """Oracle of the whole model by its own layers, and ways to do it wrong."""
    _, channels, frames, height, width = x.shape
    h = model.patches_in(cut_out(x, (1, 2, 2))).unflatten(1, (frames, -1))
    time = model.time_in(timestep_features(timestep.reshape(len(x), -1), model.config.freq_dim).double())
    rotation = turned((frames, height // 2, width // 2), D // HEADS, 0, theta).to(torch.complex64)
    mask = frame_causal_mask(frames, h.shape[2]) if is_causal else None
    for block in model.blocks:
        h, _ = run(block, h, model.to_signal(time), model.text_in(reads(text)), encoder_attention_mask, rotation, mask)
    last = model.to_last_signal(time)[:, :, None].chunk(2, dim=-1)
    out = model.patches_out(ends(h) * (1 + last[scale]) + last[1 - scale])  # (B, T', S, C p p)
    out = out.unflatten(-1, (channels, 2, 2)).unflatten(2, (height // 2, -1))  # b t h w c p q
    return out.permute(0, 4, 1, 2, 5, 3, 6).reshape(x.shape)


def model_inputs(seed, batch=2, frames=3, per_frame=False, text_mask=False, **options):
    x, text = noise(seed, batch, 3, frames, 4, 6).double(), 2 * noise(seed + 1, batch, 4, 5).double() + 1
    timestep = uniform(seed + 2, batch, *([frames] if per_frame else []), low=0, high=1000)
    mask = {"encoder_attention_mask": torch.arange(4) < torch.tensor([[2], [4], [3]])[:batch]} if text_mask else {}
    return x, timestep, text, options | mask


@exercise("VideoDiT", needs=NEEDS, points=5, hint="The six steps of the docstring, one after the other.")
def test_model(lab, seed, look):
    """the velocity is that of the six steps, for one level per clip and one per frame, causal or not"""
    model = filled(lab.VideoDiT, seed, scale=0.3, **CONFIG)
    rows = [model_inputs(seed), model_inputs(seed + 3, 3, 2, True, text_mask=True),
            model_inputs(seed + 6, 1, 4, True, is_causal=True)]  # fmt: skip
    right = partial(told, model)
    mistakes = ways(right, {
        "the text's states go into self.text_in as they are. plain_norm comes first": {"reads": lambda text: text},
        "the last norm is missing": {"ends": lambda h: h},
        "self.to_last_signal is taken as scale, shift. It is shift, then scale": {"scale": 0},
        "the theta of the rotation is not the config's": {"theta": 100.0},
        "is_causal has no effect: the blocks get no mask": {"is_causal": False},
        "encoder_attention_mask does not reach the blocks": {"encoder_attention_mask": None},
    })  # fmt: skip
    answers = models.table(model, rows, right, mistakes, part="sample")
    look(target=right(*rows[0][:3])[0, 0, 0], yours=answers[0].value[0, 0, 0])


@exercise("VideoDiT", needs=NEEDS, points=3, hint="new_caches.append(cache) for each block; hand them in by zip")
def test_model_streams(lab, seed):
    """causal, pieces with caches give what the whole gives; on request the result is a tuple"""
    model = filled(lab.VideoDiT, seed, scale=0.3, **CONFIG)
    x, timestep, text, _ = model_inputs(seed, 2, 5, True)

    def pieces(counts=1):
        caches, found, at = None, [], 0
        for frames in (2, 1, 2):
            piece = x[:, :, at : at + frames], timestep[:, at : at + frames], text
            answer = models(model, *piece, caches=caches, frame_offset=counts * at, is_causal=True)
            caches, at = answer["caches"].value, at + frames
            right = isinstance(caches, list | tuple) and [type(cache) for cache in caches] == [KeyValues] * 2
            assert right, f"caches of {answer.said} should be one cache per block, as the blocks give them"
            found.append(answer["sample"].value)
        return torch.cat(found, dim=2)

    whole = models(model, x, timestep, text, is_causal=True)["sample"].value
    mistakes = {"frame_offset has no effect: it belongs into the rotation": partial(pieces, 0)}
    judge("the velocity in three pieces with caches, beside that of the whole clip,", pieces(), whole, mistakes)
    both = attempt("model(…, return_dict=False)", model, x, timestep, text, return_dict=False)
    right = type(both) is tuple and len(both) == 2 and same(both[0], told(model, x, timestep, text))
    assert right and len(both[1]) == 2, "model(…, return_dict=False) should be the tuple (sample, caches)"


@exercise("VideoDiT", needs=NEEDS, points=2, hint="self._check first; .to(dtype) before layers")
def test_model_owes(lab, seed):
    """fresh, the velocity is zero; gradients reach every weight; half precision; wrong shapes are refused"""
    (x, timestep, text, _), fresh = model_inputs(seed), attempt("VideoDiT(…)", lambda: lab.VideoDiT(**CONFIG))
    still = models(fresh, x.float(), timestep, text.float())["sample"]
    still.near(torch.zeros_like(x), tolerance=0, because="all gates of a fresh model are zero, and so is its velocity")
    model = filled(lab.VideoDiT, seed, scale=0.3, **CONFIG)
    theorems.owes(models, model, x, timestep, text, other=model_inputs(seed + 1, 3, 2)[:3], batch_of_one=False)
    answer = models(model.requires_grad_(), x, timestep, text)["sample"]
    theorems.learns(answer.said, answer.value.square(), dict(model.named_parameters()))
    half = model.bfloat16(), x.bfloat16(), text.bfloat16()
    near = [models(half[0], half[1], torch.full((2,), t), half[2])["sample"].value for t in (437.2, 438.6)]
    assert not same(*near), "in bfloat16, timesteps 437.2 and 438.6 give one velocity: their features are float32's"
    models.refuses(fresh, x[:, :2].float(), timestep, text.float(), because="there are 2 channels, the model has 3")
    models.refuses(fresh, x.float(), timestep[:1], text.float(), because="there are two clips and one timestep")
