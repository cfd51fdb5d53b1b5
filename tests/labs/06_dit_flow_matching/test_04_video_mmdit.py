"""Grader of lab 06.4, an MMDiT for video.

Oracles in double precision: masks token by token, attention head by head, block and model by the learner's own layers.
"""

import itertools
from functools import partial

import pytest
import torch
from torch.nn import functional as F

from common.course.graders import Call, attempt, record, stand_ins, tensor, theorems
from common.course.graders.values import coins, noise, same, uniform
from common.layers.modulation import timestep_features

exercise = pytest.mark.exercise
D, HEADS, L = 24, 2, 5
CONFIG = {"in_channels": 3, "patch_size": 2, "dim": D, "num_layers": 3, "num_heads": HEADS, "ffn_dim": 16,
          "text_dim": 7, "freq_dim": 8, "rope_theta": 30.0}  # fmt: skip
NEEDS = ("joint_mask", "JointAttention", "MMDiTBlock")
masks = Call("joint_mask", {"text_mask": "b l"}, tensor("b 1 1 n", torch.bool), fresh=True,
             sizes=lambda given: {"n": given["num_tokens"] + given["text_mask"].shape[1]})  # fmt: skip
attends = Call("attention", {"x": "b n d", "text": "b l d"},
               record("tuple", x=tensor("b n d", "same"), text=tensor("b l d", "same")))  # fmt: skip
blocks = Call("block", {"x": "b t s d", "text": "b l d", "signal": "b u g", "text_signal": "b 1 g"},
              record("tuple", x=tensor("b t s d", "same"), text=tensor("b l d", "same")))  # fmt: skip
models = Call("model", takes={"hidden_states": "b c t h w", "timestep": "...", "encoder_hidden_states": "b l e"},
              gives=record("object", sample=tensor("b c t h w", "same")))  # fmt: skip


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: lambda *args, w=how, **given: oracle(*args, **given | w) for message, how in wrong.items()}


def filled(kind, seed, *args, scale=0.5, **config):
    """The learner's module in double precision, every weight random."""
    made = attempt(f"{kind.__name__}(…)", kind, *args, **config)
    return stand_ins.fill(made, seed, scale).double().requires_grad_(False)


def normal(x):
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


def seen(text_mask, num_tokens, text_first=False, flips=False, video=True, alike=False):
    """Oracle, token by token; and ways to do it wrong."""
    rows = []
    for row in (text_mask[:1].expand(len(text_mask), -1) if alike else text_mask).tolist():
        parts = [video] * num_tokens, [bool(one) != flips for one in row]
        rows.append([*parts[1], *parts[0]] if text_first else [*parts[0], *parts[1]])
    return torch.tensor(rows, dtype=torch.bool)[:, None, None]


@exercise("joint_mask", points=3, hint="torch.cat of True for every video token and the text's mask; two new axes")
def test_mask(lab, seed, look):
    """all of the video and all words may be looked at, padding may not, each text's own"""
    rows = [(coins(seed, 3, 5), 4), (coins(seed + 1, 2, 7), 1), (coins(seed + 2, 1, 3), 6), (coins(seed + 3, 4, 2), 0),
            (coins(seed + 4, 2, 3).long(), 5), (coins(seed + 5, 2, 4).float(), 3)]  # fmt: skip
    mistakes = ways(seen, {
        "the words come before the video. In the joint sequence the video is first": {"text_first": True},
        "True and False are swapped: True says that a token may be looked at": {"flips": True, "video": False},
        "padding may be looked at and words may not": {"flips": True},
        "the video's tokens may not be looked at": {"video": False},
        "every text gets the mask of the first one": {"alike": True},
    })  # fmt: skip
    answers = masks.table(lab, rows, seen, mistakes, tolerance=0)
    look(target=seen(*rows[0])[:, 0, 0].float(), yours=answers[0].value[:, 0, 0].float())
    theorems.owes(masks, lab, *rows[0], other=rows[1])
    answer = masks(lab, torch.ones(2, 3, dtype=torch.bool, device="meta"), 4)
    assert answer.value.device.type == "meta", f"{answer.said} is on the device {answer.value.device}"


def turned(size, head_dim, theta=100.0):
    """The places of a grid's tokens, one by one."""
    third, turns = 2 * (head_dim // 6), []
    for place in itertools.product(*map(range, size)):
        shares = zip(place, (head_dim - 2 * third, third, third))
        turns.append([m * theta ** (-2 * j / n) for m, n in shares for j in range(n // 2)])
    angle = torch.tensor(turns, dtype=torch.float64)
    return torch.polar(torch.ones_like(angle), angle).to(torch.complex64)


def turn(x, rotation):
    """`(B, N, h, d)`, neighbouring numbers turned together."""
    angle = rotation.angle().double()[:, None]
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()], dim=-1).flatten(-2)


def attended(layer, x, text, rotation=None, mask=None, *, turns=(0, 1), softmaxes=1, one_set=False,
             looks="all"):  # fmt: skip
    """Oracle, head by head: the results of both streams; and ways to do it wrong."""
    n, streams = x.shape[1], (layer.video, layer.video if one_set else layer.text)
    parts = [list(stream(tokens)) for stream, tokens in zip(streams, (x, text))]
    for k in turns if rotation is not None else ():
        parts[0][k] = turn(parts[0][k], rotation)
    q, k, v = (torch.cat(pair, dim=1) for pair in zip(*parts))
    heads = []
    for h in range(HEADS):
        scores = q[:, :, h] @ k[:, :, h].mT / q.shape[-1] ** 0.5
        allowed = torch.ones(1, 1, 1, 1).bool() if mask is None else mask
        hidden = ~allowed.expand(len(x), HEADS, *scores.shape[1:])[:, h].clone()
        if looks != "all":
            hidden[:, n:, slice(n, None) if looks == "cross" else slice(n)] = True
        cuts = scores.masked_fill(hidden, -torch.inf).tensor_split([n] if softmaxes == 2 else [], dim=-1)
        heads.append(torch.cat([cut.softmax(-1).nan_to_num() for cut in cuts], dim=-1) @ v[:, :, h])
    out = torch.cat(heads, dim=-1).split([n, text.shape[1]], dim=1)
    return [stream.to_out(part) for stream, part in zip(streams, out)]


def judged(call, where, rows, right, mistakes):
    """Several calls judged together by both streams: a mistake must explain every row."""
    answers = [call(where, *args, **given) for *args, given in rows]

    def fits(**how):
        wants = [right(*args, **given | how) for *args, given in rows]
        return [all(map(same, (one["x"].value, one["text"].value), want)) for one, want in zip(answers, wants)]

    good = fits()
    for message, how in mistakes.items() if not all(good) else ():
        assert not all(fits(**how)), f"{answers[good.index(False)].said}: {message}"
    for answer, (*args, given) in zip(answers, rows):
        for name, want in zip(("x", "text"), right(*args, **given)):
            answer[name].near(want)
    return answers


def joint_inputs(seed, batch=2, n=6, length=L, rotation=False, mask=None):
    x, text = noise(seed, batch, n, D).double(), noise(seed + 1, batch, length, D).double()
    given = {"rotation": turned((n // 2, 2, 1), D // HEADS)} if rotation else {}
    if mask == "padding":
        given["mask"] = seen(torch.arange(length) < torch.tensor([[2], [length], [3]])[:batch], n)
    elif mask == "each":  # one of its own for every head and every token that looks
        given["mask"] = coins(seed + 2, batch, HEADS, n + length, n + length) | torch.eye(n + length).bool()
    return x, text, given


@exercise("JointAttention", points=6, hint="torch.cat the two streams' q, k, v on the token axis; one attend; split")
def test_attention(lab, seed, look):
    """all tokens of both streams share one softmax; each stream has its own weights; the video alone is turned"""
    layer = filled(lab.JointAttention, seed, D, HEADS)
    rows = [joint_inputs(seed), joint_inputs(seed + 3, 3, 8, 4, rotation=True),
            joint_inputs(seed + 6, 2, 6, 7, rotation=True, mask="padding"),
            joint_inputs(seed + 9, 1, 4, 3, mask="each"), joint_inputs(seed + 12, 2, 2, 6, mask="padding")]  # fmt: skip
    right = partial(attended, layer)
    mistakes = {
        "video and text have a softmax each. One softmax goes over all keys together": {"softmaxes": 2},
        "the video's weights serve both streams. The text has its own": {"one_set": True},
        "the words look at the video alone. Every token looks at both streams": {"looks": "cross"},
        "the words look at the words alone. Every token looks at both streams": {"looks": "own"},
        "the mask has no effect": {"mask": None},
        "the rotation has no effect": {"rotation": None},
        "only the queries are turned: the keys are as well": {"turns": (0,)},
    }
    answers = judged(attends, layer, rows, right, mistakes)
    look(target=right(*rows[0][:2])[1][0], yours=answers[0]["text"].value[0])


@exercise("JointAttention", points=3, hint="Only self.video's queries and keys go through rotate.")
def test_attention_owes(lab, seed):
    """words have no order of their own; padding reaches no token; dtypes; every weight learns"""
    layer = filled(lab.JointAttention, seed, D, HEADS)
    x, text, given = joint_inputs(seed, rotation=True)
    order = [3, 0, 4, 1, 2]
    one, other = attends(layer, x, text, **given), attends(layer, x, text[:, order], **given)
    same_text = same(other["text"].value, one["text"].value[:, order]) and same(other["x"].value, one["x"].value)
    assert same_text, f"{one.said}: words in another order give another result. RoPE turns the video's tokens alone"
    x, text, given = joint_inputs(seed, mask="padding")
    changed = torch.cat([text[:1] + 7 * (torch.arange(L) >= 2)[:, None], text[1:]])  # the first text's padding
    one, other = attends(layer, x, text, **given), attends(layer, x, changed, **given)
    right = same(one["x"].value, other["x"].value) and same(one["text"].value[0, :2], other["text"].value[0, :2])
    assert right, f"{one.said}: padding of the first text was changed, and other tokens moved: the mask hides it"
    theorems.owes(attends, layer, x, text, other=joint_inputs(seed + 1, 3, 8, 4)[:2])
    answer = attends(layer.requires_grad_(), x, text)
    total = answer["x"].value.square().sum() + answer["text"].value.square().sum()
    theorems.learns(answer.said, total, dict(layer.named_parameters()))
    attends(layer.bfloat16().requires_grad_(False), x.bfloat16(), text.bfloat16())


def parts_of(signal, table):
    """`(2, 3, B, T' or 1, 1, D)`: of attention and feed-forward the shift, scale and gate."""
    total = (signal.float() + table.float()).to(signal.dtype).unflatten(-1, (2, 3, -1))
    return total.permute(2, 3, 0, 1, 4)[..., None, :]


def run(block, x, text, signal, text_signal, rotation=None, mask=None, *, stale=False, gated=True,
        enters=True, alone=False, own_ffn=True, tables=(0, 1), steer=(0, 1), stays=False):  # fmt: skip
    """Oracle of one block by its own layers: both streams; and ways to do it wrong."""
    layers = block.modulation, block.text_modulation
    signals = zip((signal, text_signal), tables)
    steers = [parts_of(one, layers[which].table)[list(steer)] for one, which in signals]
    begin = streams = [x, text[:, None]]
    frames = x.shape[1]
    for k in (0, 1):
        h = []
        for i, stream in enumerate(begin if stale else streams):
            shift, scale, _ = steers[i][k]
            h.append(normal(stream) * (1 + scale) + shift if enters or i == 0 else stream)
        if k == 0 and alone:
            out = attended(block.attention, h[0].flatten(0, 1), h[1][:, 0].repeat_interleave(frames, 0))
            out = out[0].reshape(x.shape), out[1][::frames, None]
        elif k == 0:
            out = attended(block.attention, h[0].flatten(1, 2), h[1][:, 0], rotation, mask)
            out = out[0].reshape(x.shape), out[1][:, None]
        else:
            out = block.ffn(h[0]), (block.text_ffn if own_ffn else block.ffn)(h[1])
        streams = [s + (steers[i][k][2] if gated else 1) * o for i, (s, o) in enumerate(zip(streams, out))]
    return streams[0], text if block.is_last or stays else streams[1][:, 0]


def block_inputs(seed, frames=3, levels=None, batch=2, length=L, rotation=False, mask=False):
    x, text = noise(seed, batch, frames, 4, D).double(), noise(seed + 1, batch, length, D).double()
    signal = noise(seed + 2, batch, levels or frames, 6 * D, scale=0.5).double()
    text_signal = noise(seed + 3, batch, 1, 6 * D, scale=0.5).double()
    given = {"rotation": turned((frames, 2, 2), D // HEADS)} if rotation else {}
    if mask:
        given["mask"] = seen(torch.arange(length) < torch.tensor([[2], [length], [3]])[:batch], frames * 4)
    return x, text, signal, text_signal, given


BLOCK_MISTAKES = {
    "the text is not modulated on its way in: text_modulation's enter does that": {"enters": False},
    "the text uses the video's modulation. It has its own, self.text_modulation": {"tables": (0, 0)},
    "attention keeps the frames apart. All tokens of all frames are one sequence": {"alone": True},
    "the feed-forward reads the block's input. It should read what the attention left": {"stale": True},
    "modulations are mixed up: the first is the attention's, the second the feed-forward's": {"steer": (1, 0)},
    "the text comes out as it came in. In the last block alone it does": {"stays": True},
    "the gates are not used: modulation.leave has them": {"gated": False},
    "the text goes through the video's feed-forward: it has text_ffn": {"own_ffn": False},
}


@exercise("MMDiTBlock", points=5, needs=("JointAttention",), hint="enter, network, leave; twice, in both streams")
def test_block(lab, seed, look):
    """joint attention, then feed-forward: each stream normalised, steered, gated and added by its own weights"""
    block = filled(lab.MMDiTBlock, seed, D, HEADS, 20)
    rows = [block_inputs(seed), block_inputs(seed + 5, 2, 1, 3, 4, rotation=True),
            block_inputs(seed + 10, 4, rotation=True, mask=True),
            block_inputs(seed + 15, 1, batch=1, length=3)]  # fmt: skip
    right = partial(run, block)
    answers = judged(blocks, block, rows, right, BLOCK_MISTAKES)
    look(target=right(*rows[0][:4])[1][0], yours=answers[0]["text"].value[0])


@exercise("MMDiTBlock", points=3, needs=("JointAttention",), hint="if self.is_last: return x, text")
def test_last_block(lab, seed):
    """the last block reads the text, modulated, and gives it back as it came"""
    block = filled(lab.MMDiTBlock, seed, D, HEADS, 20, is_last=True)
    rows = [block_inputs(seed, rotation=True), block_inputs(seed + 5, 2, 1, 3, 4, mask=True)]
    for *args, given in rows:
        answer = blocks(block, *args, **given)
        want, text = run(block, *args, **given)
        answer["text"].equal(text, because="after the last block no one reads the text: it comes out as it came in")
        answer["x"].near(want, because="the last block's video reads the text as in any other block")


@exercise("MMDiTBlock", points=2, needs=("JointAttention",), hint="Modulation.leave adds to the x before the branch.")
def test_block_owes(lab, seed):
    """closed gates are the identity; streams meet; half precision; every weight learns"""
    block = filled(lab.MMDiTBlock, seed, D, HEADS, 20)
    x, text, signal, text_signal, _ = block_inputs(seed)
    theorems.owes(blocks, block, x, text, signal, text_signal, other=block_inputs(seed + 1, 4)[:4])
    answer = blocks(block.requires_grad_(), x, text, signal, text_signal)
    total = answer["x"].value.square().sum() + answer["text"].value.square().sum()
    theorems.learns(answer.said, total, dict(block.named_parameters()))
    low = [value.bfloat16() for value in (x, text, signal, text_signal)]
    blocks(block.bfloat16().requires_grad_(False), *low)
    for layer in (block.double().modulation, block.text_modulation):
        layer.table.zero_()
    answer = blocks(block, x, text, 0 * signal, 0 * text_signal)
    answer["x"].near(x, tolerance=0, because="here every gate is zero")
    answer["text"].near(text, tolerance=0, because="here every gate is zero")


def cut_out(x):
    """Patches of (1, 2, 2), row by row: `(B, T', S, C · 4)`."""
    b, c, t, h, w = x.shape
    return x.reshape(b, c, t, h // 2, 2, w // 2, 2).permute(0, 2, 3, 5, 1, 4, 6).reshape(b, t, -1, 4 * c)


def told(model, x, timestep, text, encoder_attention_mask=None, *, reads=normal, ends=normal, scale=1, level="mean",
         theta=CONFIG["rope_theta"], rewritten=True, crossed=False):  # fmt: skip
    """Oracle of the whole model by its own layers, and ways to do it wrong."""
    _, channels, frames, height, width = x.shape
    h, words = model.patches_in(cut_out(x)), model.text_in(reads(text))
    time = model.time_in(timestep_features(timestep.reshape(len(x), -1), model.config.freq_dim).double())
    one = time.mean(1, keepdim=True) if level == "mean" else time[:, :1]
    layers = (model.to_signal, model.to_text_signal)[:: -1 if crossed else 1]
    signals = layers[0](time), layers[1](one)
    rotation = turned((frames, height // 2, width // 2), D // HEADS, theta)
    mask = None if encoder_attention_mask is None else seen(encoder_attention_mask, h.shape[1] * h.shape[2])
    for block in model.blocks:
        h, after = run(block, h, words, *signals, rotation, mask)
        words = after if rewritten else words
    last = model.to_last_signal(time)[:, :, None].chunk(2, dim=-1)
    out = model.patches_out(ends(h) * (1 + last[scale]) + last[1 - scale])  # (B, T', S, C p p)
    out = out.unflatten(-1, (channels, 2, 2)).unflatten(2, (height // 2, -1))  # b t h w c p q
    return out.permute(0, 4, 1, 2, 5, 3, 6).reshape(x.shape)


def model_inputs(seed, batch=2, frames=3, per_frame=False, mask=None):
    x, text = noise(seed, batch, 3, frames, 4, 6).double(), 2 * noise(seed + 1, batch, 4, 7).double() + 1
    timestep = uniform(seed + 2, batch, *([frames] if per_frame else []), low=0, high=1000)
    words = torch.arange(4) < torch.tensor([[2], [4], [3]])[:batch]
    return x, timestep, text, {} if mask is None else {"encoder_attention_mask": words.to(mask)}


@exercise("MMVideoDiT", needs=NEEDS, points=6, hint="The six steps of the docstring, one after the other.")
def test_model(lab, seed, look):
    """the velocity is that of the six steps, for one level per clip and one per frame, with padding or without"""
    model = filled(lab.MMVideoDiT, seed, scale=0.3, **CONFIG)
    rows = [model_inputs(seed), model_inputs(seed + 3, 3, 2, True, torch.bool), model_inputs(seed + 6, 1, 4, True),
            model_inputs(seed + 9, 2, 1, mask=torch.long)]  # fmt: skip
    right = partial(told, model)
    mistakes = ways(right, {
        "the text's states go into self.text_in as they are. plain_norm comes first": {"reads": lambda text: text},
        "the last norm is missing": {"ends": lambda h: h},
        "self.to_last_signal is taken as scale, shift. It is shift, then scale": {"scale": 0},
        "the theta of the rotation is not the config's": {"theta": 100.0},
        "encoder_attention_mask does not reach the blocks": {"encoder_attention_mask": None},
        "every block reads the text as it came in. A block hands on what it made of it": {"rewritten": False},
        "the text has the level of the first frame. It has that of the frames' mean embedding": {"level": "first"},
        "the two signals are swapped: to_signal is the video's, to_text_signal the text's": {"crossed": True},
    })  # fmt: skip
    answers = models.table(model, rows, right, mistakes, part="sample")
    look(target=right(*rows[0][:3])[0, 0, 0], yours=answers[0].value[0, 0, 0])


@exercise("MMVideoDiT", needs=NEEDS, points=4, hint="self._check first; .to(dtype) before layers; a tuple on request")
def test_model_owes(lab, seed):
    """fresh, the velocity is zero; gradients; half precision; a tuple on request; wrong shapes are refused"""
    (x, timestep, text, _), fresh = model_inputs(seed), attempt("MMVideoDiT(…)", lambda: lab.MMVideoDiT(**CONFIG))
    still = models(fresh, x.float(), timestep, text.float())["sample"]
    still.near(torch.zeros_like(x), tolerance=0, because="all gates of a fresh model are zero, and so is its velocity")
    model = filled(lab.MMVideoDiT, seed, scale=0.3, **CONFIG)
    theorems.owes(models, model, x, timestep, text, other=model_inputs(seed + 1, 3, 2)[:3], batch_of_one=False)
    found = attempt("model(…, return_dict=False)", model, x, timestep, text, return_dict=False)
    right = type(found) is tuple and len(found) == 1 and same(found[0], told(model, x, timestep, text))
    assert right, "model(…, return_dict=False) should be the tuple (sample,)"
    answer = models(model.requires_grad_(), x, timestep, text)["sample"]
    read = {name: one for name, one in model.named_parameters() if "2.attention.text.norm_q" not in name}
    theorems.learns(answer.said, answer.value.square(), read)
    half = model.bfloat16().requires_grad_(False), x.bfloat16(), text.bfloat16()
    near = [models(half[0], half[1], torch.full((2,), t), half[2])["sample"].value for t in (437.2, 438.6)]
    assert not same(*near), "in bfloat16, timesteps 437.2 and 438.6 give one velocity: their features are float32's"
    models.refuses(fresh, x[:, :2].float(), timestep, text.float(), because="there are 2 channels, the model has 3")
    models.refuses(fresh, x.float(), timestep[:1], text.float(), because="there are two clips and one timestep")
