"""Grader of lab 06.3: Open-Sora, read and reproduced.

Oracles: odds of levels, a list of all shapes, the block by frame and by place, names put together, frames one by one.
"""

import math
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from common.course.graders import Call, attempt, judge, number, stand_ins, tensor, theorems
from common.course.graders.values import distinct, noise, uniform
from common.models.open_sora import COMPUTED, NAMES, PUBLISHED
from common.models.stdit import frame_rotations

exercise = pytest.mark.exercise
shifts = Call("timestep_transform", {"t": "..."}, tensor("...", "same"))
counts = Call("count_parameters", gives=number(whole=True))
converts = Call("convert_keys")
blocks = Call("block", {"x": "b t s d", "signal": "b six d", "text": "b l d"}, tensor("b t s d", "same"),
              parameters=("x", "signal", "text"))  # fmt: skip


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments."""
    return {message: lambda *args, w=how, **given: oracle(*args, **given | w) for message, how in wrong.items()}


def latents_in_time(num_frames):
    return 1 + math.ceil((num_frames - 1) / 4) if num_frames < 17 else 5 * (num_frames // 17)


def shifted(t, height, width, num_frames, scale=1.0, *, length=latents_in_time, root=math.sqrt, long=math.sqrt,
            scaled=1, turn=1):  # fmt: skip
    """Oracle, by the odds of a level: they grow by the factor r. And ways to do it wrong."""
    r = (scale**scaled * root(height * width / 512**2) * long(length(num_frames))) ** turn
    return r * t.double() / (1 - t.double() + r * t.double())


SHIFT_ROWS = [(512, 512, 1, 1.0), (240, 426, 51, 1.0), (720, 1280, 102, 1.0), (64, 48, 9, 16.0), (144, 256, 16, 0.4),
              (512, 512, 17, 1.0), (300, 200, 33, 2.0), (96, 512, 34, 3.0), (64, 64, 2, 1.0), (256, 512, 6, 5.0),
              (256, 256, 5, 1.0), (1024, 640, 1, 0.7), (360, 640, 18, 1.0)]  # fmt: skip


@exercise("timestep_transform", points=3, hint="ratio * t / (1 + (ratio - 1) * t), with two square roots in ratio")
def test_shift(lab, seed, look):
    """the odds of a level grow with the roots of area and length, for pictures, short clips and long ones"""
    shapes = [((5,), (3, 2), (4,), (), (2, 1, 3))[k % 5] for k in range(len(SHIFT_ROWS))]
    levels = [uniform(seed + k, math.prod(shape), low=0.02, high=0.98).reshape(shape) for k, shape in enumerate(shapes)]
    rows = [(t, *row) for t, row in zip(levels, SHIFT_ROWS)]
    answers = shifts.table(lab, rows, shifted, ways(shifted, {
        "clips of 2 to 16 frames have L = 0, as in the published code. They have 1 + (num_frames - 1) / 4": {
            "length": lambda n: 5 * (n // 17) + (n == 1)},
        "scale is not used: it is a factor of r": {"scaled": 0},
        "the area enters as it is. It is its square root": {"root": lambda x: x},
        "the length enters as it is. It is its square root": {"long": lambda x: x},
        "the length has no effect": {"long": lambda x: 1},
        "L counts frames. It counts latents": {"length": lambda n: n},
        "from 17 frames on, L is 5 for each whole group of 17 frames": {"length": lambda n: 1 + math.ceil((n - 1) / 4)},
        "larger clips get less noise: r is upside down": {"turn": -1},
    }), because="it is r t / (1 + (r - 1) t)")  # fmt: skip
    look(target=shifted(*rows[1]), yours=answers[1].value)


@exercise("timestep_transform", points=1, hint="if num_frames < 1: raise ValueError(…); use math.sqrt for the numbers")
def test_shift_owes(lab, seed):
    """0 and 1 stay, the dtype too; a clip without frames is refused"""
    t = uniform(seed, 7, low=0, high=1)
    theorems.owes(shifts, lab, t, 64, 80, 9, dtypes=[torch.float64, torch.bfloat16], truth=shifted)
    for args in ((64, 80, 9), (720, 1280, 51)):
        shifts(lab, torch.tensor([0.0, 1.0]), *args).near(torch.tensor([0.0, 1.0]), because="0 and 1 stay")
    shifts.refuses(lab, t, 64, 64, 0, because="there are 0 frames")


def counted(c, *, bias=1, gains=True, table=True, fps=None, pairs=2, swapped=False, empty=True):
    """Oracle: the shapes of all weights of a `STDiT`, one by one, and ways to forget some."""
    dim, has_fps = c["dim"], c["has_fps"] if fps is None else fps
    ends = (c["out_channels"], c["in_channels"]) if swapped else (c["in_channels"], c["out_channels"])
    linear = lambda inputs, outputs: [(inputs, outputs), (bias * outputs,)]  # noqa: E731
    found = linear(4 * ends[0], dim) + linear(dim, 4 * ends[1]) + [(2, dim)] * table
    for _ in range(1 + has_fps):
        found += linear(c["freq_dim"], dim) + linear(dim, dim)
    found += linear(dim, 6 * dim) + linear(c["text_dim"], dim) + linear(dim, dim)
    found += [(c["num_text_tokens"], c["text_dim"])] * empty
    for _ in range(pairs * c["depth"]):
        found += [(6, dim)] * table + linear(dim, 3 * dim) + linear(dim, dim)
        found += [(dim // c["num_heads"],)] * 2 * gains
        found += linear(dim, dim) + linear(dim, 2 * dim) + linear(dim, dim)
        found += linear(dim, c["ffn_dim"]) + linear(c["ffn_dim"], dim)
    return sum(map(math.prod, found))


SMALL = {"in_channels": 3, "out_channels": 5, "dim": 24, "depth": 2, "num_heads": 3, "ffn_dim": 40, "text_dim": 7,
         "num_text_tokens": 6, "has_fps": True, "freq_dim": 10}  # fmt: skip


@exercise("count_parameters", points=3, hint="linear = lambda m, n: (m + 1) * n, once for every arrow of the docstring")
def test_count(lab):
    """every weight, bias, gain and table is counted, at the published size too"""
    changes = ({}, {"has_fps": False, "in_channels": 16}, {"num_text_tokens": 0, "depth": 5, "ffn_dim": 11},
               {"out_channels": 4, "num_heads": 1, "rope_theta": 50.0}, {"text_dim": 30, "freq_dim": 64},
               {"dim": 48, "num_heads": 4, "base_grid": 8})  # fmt: skip
    rows = [(SMALL | change, {}) for change in changes] + [(dict(PUBLISHED), {})]
    counts.table(lab, rows, counted, ways(counted, {
        "the biases are missing: a layer m -> n has m n weights and n biases": {"bias": 0},
        "the gains of the norms of queries and keys are missing": {"gains": False},
        "the tables are missing": {"table": False},
        "fps_in is counted whether the model has it or not": {"fps": True},
        "fps_in is not counted where the model has it": {"fps": False},
        "there are 2 depth blocks, a spatial and a temporal one per pair": {"pairs": 1},
        "in_channels and out_channels are swapped": {"swapped": True},
        "the empty text is missing": {"empty": False},
    }), tolerance=0, because="go through the arrows of the docstring one by one")  # fmt: skip


HEADS, D = 2, 24


def filled(kind, seed, *args):
    """The learner's block in double precision, every weight random."""
    return stand_ins.fill(attempt("STDiTBlock(…)", kind, *args), seed, 0.4).double().requires_grad_(False)


def run(block, x, signal, text, text_mask=None, rotation=None, noisy=None, clean_signal=None, *, axis=None, turns=None,
        reads=lambda x: x, gated=True, table=True, clean=True, part=(0, 1, 2)):  # fmt: skip
    """Oracle: groups of tokens one by one, rows frame by frame, by the block's own layers; and ways to do it wrong."""
    frames, kept = x.shape[1], 1 + (block.temporal if axis is None else axis)  # the axis that attention does not mix
    turn = rotation if block.temporal and turns is None else None

    def steered(h, branch, network):
        still = [[clean and noisy is not None and not noisy[b, t] for t in range(frames)] for b in range(len(x))]
        six = [clean_signal[b] if flag else signal[b] for b, flags in enumerate(still) for flag in flags]
        six = torch.stack(six).unflatten(0, (-1, frames)) + table * block.table
        shift, scale, gate = (six[:, :, None, 3 * branch + k] for k in part)  # (B, T', 1, D) each
        out = network(F.layer_norm(h, h.shape[-1:], eps=1e-6) * (1 + scale) + shift)
        return h + (gate if gated else 1) * out

    x = steered(x, 0, lambda h: torch.stack([block.attention(group, turn) for group in h.unbind(kept)], dim=kept))
    x = x + torch.stack([block.cross_attention(reads(frame), text, text_mask) for frame in x.unbind(1)], dim=1)
    return steered(x, 1, block.ffn)


def block_inputs(seed, frames=3, places=5, batch=2, **wanted):
    x, text = noise(seed, batch, frames, places, D).double(), noise(seed + 1, batch, 4, D).double()
    signal, clean = (noise(seed + 2 + k, batch, 6, D, scale=0.7).double() for k in range(2))
    some = (torch.arange(frames) + torch.arange(batch)[:, None]) % 3 > 0
    made = {"text_mask": torch.arange(4) < torch.tensor([[2], [4], [3]])[:batch],
            "rotation": frame_rotations(frames, D // HEADS), "noisy": some, "clean_signal": clean}  # fmt: skip
    return x, signal, text, {name: made[name] for name in wanted}


# A rotation has a row per frame. Inside a frame it would fit only where there are as many places: the last row.
BLOCK_ROWS = ({"text_mask": 1, "frames": 1, "batch": 1}, {"frames": 4, "places": 2, "rotation": 1},
              {"batch": 3, "places": 4, "rotation": 1, "noisy": 1, "clean_signal": 1, "text_mask": 1},
              {"frames": 5, "rotation": 1})  # fmt: skip
WRONG = {
    "the gates are not used": {"gated": False},
    "self.table is not added to the signal": {"table": False},
    "frames of level 0 do not take their rows from clean_signal": {"clean": False},
    "the cross-attention reads x as it is, without a norm": {"reads": lambda x: F.layer_norm(x, x.shape[-1:])},
    "the order of the rows is shift, scale, gate. Scale and shift are swapped here": {"part": (1, 0, 2)},
}


@exercise("STDiTBlock", points=4, hint='"b t s d -> (b t) s d" inside frames, "b t s d -> (b s) t d" along time')
@pytest.mark.parametrize("temporal", [False, True], ids=["spatial", "temporal"])
def test_block(lab, seed, look, temporal):
    """attention inside each frame or along time, cross-attention, feed-forward; steered by frame, gated, added"""
    block = filled(lab.STDiTBlock, seed, D, HEADS, 20, temporal)
    rows = [block_inputs(seed + 5 * k, **options) for k, options in enumerate(BLOCK_ROWS)]
    right = partial(run, block)
    mistakes = ways(right, WRONG | {
        "a temporal block attends inside each frame. It attends along time, at each place" if temporal else
        "a spatial block attends along time. It attends inside each frame": {"axis": not temporal, "turns": False},
        "the rotation is not used: the block cannot tell one frame from another": {"turns": False},
    })  # fmt: skip
    answers = blocks.table(block, rows, right, mistakes)
    look(target=right(*rows[1][:3], **rows[1][3])[0, :, 0], yours=answers[1].value[0, :, 0])


@exercise("STDiTBlock", points=2, hint=".to(x.dtype) after a product with rows of the signal")
def test_block_owes(lab, seed):
    """samples stay apart; half precision stays; all weights learn"""
    for temporal in (False, True):
        block = filled(lab.STDiTBlock, seed, D, HEADS, 20, temporal)
        *args, given = block_inputs(seed, rotation=1)
        theorems.owes(blocks, block, *args, other=block_inputs(seed + 1, 4)[:3])
        answer = blocks(block.requires_grad_(), *args, **given)
        theorems.learns(answer.said, answer.value.square(), dict(block.named_parameters()))
        low = [value.bfloat16() for value in args]
        blocks(block.bfloat16(), low[0], args[1].float(), low[2], rotation=given["rotation"])


def all_names(depth):
    """Their name to ours, of every entry: weight and bias, but for tables, gains and the empty text."""
    found, block = {}, list(NAMES)[list(NAMES).index("scale_shift_table") :]
    for theirs, ours in NAMES.items():
        ends = [""] if theirs.endswith(("table", "y_embedding")) else [".weight", ".bias"][: 2 - ("norm" in theirs)]
        heads = [f"{kind}_blocks.{i}." for kind in ("spatial", "temporal") for i in range(depth)]
        heads = heads if theirs in block else [""]
        found |= {head + theirs + end: head + ours + end for head in heads for end in ends}
    return found


def state_of(seed, depth=2, dim=6, channels=3, out=5, dtype=torch.float32):
    """A small state dictionary of theirs, in a random order."""
    names = [*all_names(depth), *COMPUTED]
    state = {}
    for k in torch.randperm(len(names), generator=torch.Generator().manual_seed(seed)).tolist():
        shape = {"x_embedder.proj.weight": (dim, channels, 1, 2, 2), "final_layer.linear.weight": (4 * out, dim),
                 "final_layer.linear.bias": (4 * out,)}.get(names[k], (2, k + 1))  # fmt: skip
        state[names[k]] = distinct(seed + k, *shape).to(dtype) + 1
    return state


def converted(state, *, rows=(2, 0, 1), sign=-1, only="patches_out", conv=(0, 1, 2, 3, 4)):
    """Oracle; and ways to do it wrong."""
    found, names = {}, all_names(28)
    for name, part in state.items():
        if name in COMPUTED:
            continue
        ours = names[name]
        if ours == "patches_in.weight":
            part = part.permute(conv).reshape(len(part), -1)
        if ours.startswith(only):
            end, size = part.shape[1:], len(part) // 4
            part = part.reshape(2, 2, size, *end).permute(*rows, *range(3, 3 + len(end))).reshape(4 * size, *end)
        found[ours] = sign * part if ours.startswith("patches_out") else part
    return found


def convert(lab, state):
    """The call in words, and what it gave: a dictionary of tensors with the right names, in the right order."""
    said, given = f"convert_keys(a state of {len(state)} entries)", {name: part.clone() for name, part in state.items()}
    got, want = attempt(said, lab.convert_keys, given), converted(state)
    kept = list(given) == list(state) and all(p.is_meta or torch.equal(given[name], p) for name, p in state.items())
    assert kept, f"{said} changed the state that it was given: work on a copy"
    assert isinstance(got, dict), f"{said} returned {type(got).__name__}. It should return a dictionary"
    lacks, extra = [name for name in want if name not in got], [name for name in got if name not in want]
    assert not lacks, f"{said} lacks {lacks[0]!r}: it has {len(got)} entries, and {len(want)} are due"
    why = "which is in COMPUTED" if set(extra) & set(COMPUTED) else "which is no name of a STDiT"
    assert not extra, f"{said} has the entry {extra[0]!r}, {why}"
    assert list(got) == list(want), f"{said}: the entries are not in the order of the state"
    for name, part in want.items():
        (shape, dtype), found = ((tuple(x.shape), x.dtype) for x in (part, got[name]))
        assert found == (shape, dtype), f"{name} of {said} should be {shape}, {dtype}, not {found[0]}, {found[1]}"
    return said, got


@exercise("convert_keys", points=4, hint="Cut a name into block, part and end: re.fullmatch, or removesuffix and split")
def test_convert(lab, seed):
    """every name becomes ours; the patch convolution is a matrix; the last rows are reordered and change sign"""
    some = {name: part for k, (name, part) in enumerate(state_of(seed + 2).items()) if k % 3}
    for state in (state_of(seed), state_of(seed + 1, 12, 4, 2, 3, torch.bfloat16), some, {}):
        said, got = convert(lab, state)
        judge(said, got, converted(state), {
            "the last layer's sign is not turned. Theirs predicts x0 - eps, ours eps - x0": converted(state, sign=1),
            "the last layer's rows keep their order. Theirs is row, column, channel; ours is channel, row, column":
                converted(state, rows=(0, 1, 2)),
            "the last layer's rows come as channel, column, row": converted(state, rows=(2, 1, 0)),
            "the bias of the last layer is not reordered": converted(state, only="patches_out.weight"),
            "the patch convolution comes channel last": converted(state, conv=(0, 2, 3, 4, 1)),
        }, tolerance=0)  # fmt: skip


@exercise("convert_keys", points=2, hint="raise ValueError(name) where the part is not in NAMES")
def test_convert_owes(lab):
    """the published shapes on the meta device; foreign names are refused"""
    shapes = {"final_layer.linear.weight": (32, 1152), "x_embedder.proj.weight": (1152, 4, 1, 2, 2),
              "temporal_blocks.27.attn.qkv.weight": (3456, 1152), "y_embedder.y_embedding": (300, 4096)}  # fmt: skip
    convert(lab, {name: torch.empty(shape, device="meta") for name, shape in shapes.items()})
    for name in ("spatial_blocks.3.norm1.weight", "final_layer.adaLN_modulation.1.bias", "pos_embed", "attn.qkv.gain"):
        given = {"t_block.1.bias": torch.zeros(3), name: torch.zeros(2)}
        converts.refuses(lab, given, names=name, because=f"{name} is no weight of STDiT3")


class Coder:
    """A VAE of images: latents of half the width, known to the last number."""

    def encode(self, images):
        assert images.shape[2] == 1, f"a VAE of images got {tuple(images.shape)}"
        mode = images[..., ::2] * 3 - images[..., 1::2]
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: mode, sample=lambda generator=None: mode + 1))

    def decode(self, latents):
        assert latents.shape[2] == 1, f"a VAE of images got {tuple(latents.shape)}"
        return SimpleNamespace(sample=torch.cat([latents, 5 * latents**2], dim=-1))


# A frame that is nearer to the second, and knows which is which. A plain function of a grader is closed to answers.
crooked = partial(lambda gain, a, b: gain * a + 0.6 * b + 0.1 * a * b, 0.3)


def kept_latents(clips, stride, first=0):
    chosen = range(first, clips.shape[2], stride)
    return torch.stack([3 * clips[:, :, k, :, ::2] - clips[:, :, k, :, 1::2] for k in chosen], dim=2)


def filled_in(latents, halvings, blend=False, swap=False):
    """Oracle: frame by frame, from the neighbours at twice the distance."""
    kept, stride = torch.cat([latents, 5 * latents**2], dim=-1), 2**halvings
    last, half = (kept.shape[2] - 1) * stride, stride // 2
    if blend:
        return F.interpolate(kept, (last + 1, *kept.shape[3:]), mode="trilinear", align_corners=True)
    frames = {k * stride: kept[:, :, k] for k in range(kept.shape[2])}
    while half:
        for i in range(half, last, 2 * half):
            ends = frames[i - half], frames[i + half]
            frames[i] = crooked(*(reversed(ends) if swap else ends))
        half //= 2
    return torch.stack([frames[i] for i in range(last + 1)], dim=2)


encodes, decodes = (Call(name, {axis: "b c t h w"}, tensor(f"b c {out}", "same"), sizes=lambda given: {})
                    for name, axis, out in (("encode", "clips", "k h v"), ("decode", "latents", "n h u")))  # fmt: skip


@exercise("SkippedFrames", points=2, hint="(T - 1) % stride first, then clips[:, :, :: self.stride]")
def test_encode(lab, seed):
    """the frames 0, stride, 2 stride, … as images; a clip whose last frame would be lost is refused"""
    for k, (halvings, frames) in enumerate(((2, 9), (1, 7), (0, 4), (3, 9), (2, 1))):
        coder = attempt("SkippedFrames(…)", lab.SkippedFrames, Coder(), crooked, halvings)
        clips = noise(seed + k, 2 + k % 2, 3, frames, 4, 6)
        want, late = (kept_latents(clips, 2**halvings, first) for first in (0, min(2**halvings, frames) - 1))
        encodes(coder.encode, clips).near(want, {
            "frames are taken from another one on. The first frame is kept": late,
            "the latents are drawn. They are the most likely ones": want + 1,
        }, because="the kept frames are 0, stride, 2 stride, …")  # fmt: skip
    for halvings, frames in ((2, 8), (2, 12), (1, 6)):
        encode = lab.SkippedFrames(Coder(), crooked, halvings).encode
        encodes.refuses(encode, noise(seed, 1, 3, frames, 4, 6), because="the last frame would be lost")


@exercise("SkippedFrames", points=4, hint="fill_in for each pair of neighbours, without its last frame; then the last")
def test_decode(lab, seed, look):
    """kept frames as the VAE gives them, and every gap filled by halves; nothing twice, nothing clamped"""
    for k, (halvings, count) in enumerate(((1, 4), (3, 2), (0, 3), (2, 1), (2, 3))):
        coder = attempt("SkippedFrames(…)", lab.SkippedFrames, Coder(), crooked, halvings)
        latents = noise(seed + k, 2 + k % 2, 3, count, 4, 3)
        answer = decodes(coder.decode, latents).near(filled_in(latents, halvings), {
            "the frames between are a blend of the kept ones: `between` makes them": filled_in(latents, halvings, True),
            "`between` gets the later frame first": filled_in(latents, halvings, swap=True),
        }, because="each frame midway is `between` its two neighbours, the middle of a gap first")  # fmt: skip
    look(target=filled_in(latents, halvings)[0, 0].flatten(1), yours=answer.value[0, 0].flatten(1))
    theorems.owes(decodes, lab.SkippedFrames(Coder(), crooked, 1).decode, latents)
