"""Grader of lab 04.1, Inflate an image model.

Oracles in double precision: a (2+1)D layer picture by picture, attention place by place and head by head, a U-Net's
blocks by their names, the loss sample by sample. The outcome is judged with the shipped weights in the learner's parts.
"""

from dataclasses import replace
from functools import partial

import pytest
import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.resnet import ResnetBlock2D
from torch import nn

from common.course.graders import Call, attempt, judge, outcomes, stand_ins, tensor, theorems
from common.course.graders.unets import (
    Behind,
    Formula,
    InTime,
    Pictures,
    attended,
    frames_of_frame,
    in_order,
    loss_of,
    small_unet,
)
from common.course.graders.values import coins, noise, uniform
from common.zoo.sprites_svd.recipe import asked as clips_of
from common.zoo.sprites_unet_t2v.first_steps import assembled, coded, mean_loss

exercise = pytest.mark.exercise


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: partial(oracle, **how) for message, how in wrong.items()}


layers = Call("layer", takes={"x": "b c t h w", "temb": "b t e"}, gives=tensor("b d t i w", "same"),
              sizes=lambda given: {"d": 2, "i": given["x"].shape[3] // 2})  # fmt: skip
LAYER_MISTAKES = {
    "the pictures of the batch are counted (t b): a clip's frames follow each other, (b t)": {"order": "t b"},
    "the embeddings are counted (t b) and the pictures (b t): they belong together": {"swap": True},
    "the 1D layer is not used": {"late": False},
    "every picture gets the embedding of its clip's first frame": {"told": lambda e: e[:, :1].expand_as(e)},
    "every picture gets the mean of its clip's embeddings. Each has its own": {
        "told": lambda e: e.mean(1, keepdim=True).expand_as(e)},
    "the 2D layer is told nothing: it gets the embeddings too": {"told": torch.zeros_like},
}  # fmt: skip


def clip(seed, batch=2, frames=3, height=4, width=3):
    return noise(seed, batch, 3, frames, height, width).double(), noise(seed + 1, batch, frames, 5).double()


@exercise("Conv2Plus1d", points=4, hint='rearrange(x, "b c t h w -> (b t) c h w"), spatial, back, temporal')
def test_conv(lab, seed, look):
    """every frame through the 2D layer as a picture, then every clip through the 1D layer"""
    spatial, temporal = Pictures().requires_grad_(False), InTime().requires_grad_(False)
    layer = attempt("Conv2Plus1d(spatial, temporal)", lab.Conv2Plus1d, spatial, temporal)
    rows = [clip(seed), clip(seed + 2, 3, 2, 6, 1), clip(seed + 4, 1, 4), clip(seed + 6, 2, 1), clip(seed + 8, 3, 3, 3)]
    right = partial(in_order, Pictures(), InTime())
    answers = layers.table(layer, rows, right, ways(right, LAYER_MISTAKES), because="it is temporal(spatial(x))")
    look(target=right(*rows[0])[0].flatten(1).detach().float(), yours=answers[0].value[0].flatten(1).float())
    for name, part in (("spatial", spatial), ("temporal", temporal)):
        before = part.calls
        layers(layer, *rows[0])
        assert part.calls == before + 1, (
            f"{name} was called {part.calls - before} times for a batch of 2 clips: it is called once, with all of them"
        )


@exercise("Conv2Plus1d", points=1, hint="no .detach(), nothing kept on self, views and other dtypes go through")
def test_conv_owes(lab, seed):
    """both layers learn, samples are apart, dtypes are kept"""
    layer, (x, temb) = lab.Conv2Plus1d(Pictures(), InTime()), clip(seed)
    theorems.owes(layers, layer, x, temb, other=clip(seed + 3, 3, 2))
    theorems.batch_is_samples(layers, layer, x, temb)
    answer = layers(layer, x, temb)
    theorems.learns(answer.said, answer.value.square(), dict(layer.named_parameters()))
    theorems.gradient_is_whole(answer.said, lambda x, temb: [layer(x, temb)], {"x": x, "temb": temb})
    layers(layer, x.bfloat16(), temb.bfloat16()).near(
        answer.value.detach(), tolerance=0.1, because="only digits are lost"
    )


attends = Call("attention", takes={"x": "b t n c", "context": "b l d"}, gives=tensor("b t n c", "same"))


ATTENTION_MISTAKES = {
    "all places of all frames are read. A place reads itself alone, in all frames": {"along": "all"},
    "places read the prompts of other clips than their own": {"prompt": lambda c, b, k: c[k % len(c)]},
    "the first prompt is told to every clip": {"prompt": lambda c, b, k: c[0]},
    "a head has every num_heads-th channel. Head 0 has the first d": {"heads": "strided"},
    "it is scaled by the root of all channels. d is that of one head": {"scale": 24},
    "it is not scaled": {"scale": 1},
    "a frame sees only earlier ones. There is no mask": {"mask": True},
    "the last layer, to_out[0], is missing": {"out": False},
    "x is added. That is the caller's part": {"residual": True},
    "the softmax runs over the queries. It runs over what is read": {"softmax_over": -2},
}  # fmt: skip


def built(lab, seed, context_dim=None):
    """The learner's layer in double precision, every weight random."""
    layer = attempt("TemporalAttention(24, 3)", lab.TemporalAttention, 24, 3, *[context_dim][: context_dim is not None])
    return stand_ins.fill(layer, seed, 0.4).double().requires_grad_(False)


def tokens(seed, batch=2, frames=4, places=3, states=None, dim=24):
    x = noise(seed, batch, frames, places, 24).double()
    return (x,) if states is None else (x, noise(seed + 1, batch, states, dim).double())


@exercise("TemporalAttention", points=4, hint='rearrange(x, "b t n c -> (b n) t c"), heads as "s l (h d) -> s h l d"')
def test_attention(lab, seed, look):
    """each place reads itself in all frames: softmax of q · k / sqrt(d), times v, through to_out[0]"""
    layer = built(lab, seed)
    rows = [tokens(seed), tokens(seed + 2, 3, 2, 4), tokens(seed + 4, 1, 5, 1), tokens(seed + 6, 1, 1, 3)]
    right = partial(attended, layer)
    mistakes = ways(right, ATTENTION_MISTAKES) | {
        "attention runs along the places of a frame. It runs along the frames of a place": partial(
            frames_of_frame, layer
        )
    }
    answers = attends.table(layer, rows, right, mistakes, because="it is the docstring's formula, place by place")
    look(target=right(*rows[0])[0, :, 0].float(), yours=answers[0].value[0, :, 0].float())


@exercise(
    "TemporalAttention", points=3, hint="context.repeat_interleave(x.shape[2], dim=0): each place, its clip's states"
)
def test_attention_to_the_prompt(lab, seed):
    """with a context, every place of every frame reads the states of its own clip"""
    layer = built(lab, seed, 10)
    rows = [tokens(seed, 2, 4, 3, 5, 10), tokens(seed + 2, 3, 2, 2, 2, 10), tokens(seed + 4, 1, 3, 4, 1, 10),
            tokens(seed + 6, 2, 3, 1, 3, 10)]  # fmt: skip
    right = partial(attended, layer)
    attends.table(layer, rows, right, ways(right, ATTENTION_MISTAKES), because="keys and values come from the context")


@exercise("TemporalAttention", points=2, hint="no mask, no positions, no fixed dtype; contiguous or not")
def test_attention_owes(lab, seed):
    """frames have no order, places are apart, all weights learn, half precision goes through"""
    layer, (x,) = built(lab, seed), tokens(seed)
    theorems.owes(attends, layer, x, other=tokens(seed + 3, 3, 5, 2))
    theorems.batch_is_samples(attends, layer, x)
    theorems.moves(attends, layer, x, change={"x": (0, 2, 1, 5)}, along="n", only=[1], because="other places moved")
    because = "frames in another order give something else. Attention knows no positions and has no mask"
    theorems.permutes(attends, layer, x, along="t", order=[3, 0, 2, 1], because=because)
    answer = attends(layer.requires_grad_(), x)
    theorems.learns(answer.said, answer.value.square(), dict(layer.named_parameters()))
    theorems.gradient_is_whole(answer.said, lambda x: [layer(x)], {"x": x})
    layer.requires_grad_(False).bfloat16()
    attends(layer, x.bfloat16()).near(
        answer.value.detach(), tolerance=0.2, because="from bfloat16 only digits are lost"
    )


def inflated(lab, unet, seen=None):
    """What the learner's function makes of a U-Net, and what it handed over."""
    seen = [] if seen is None else seen
    make = lambda kind: lambda block: seen.append((kind, block)) or Behind(block)  # noqa: E731
    return attempt("inflate_unet(unet, conv, attention)", lab.inflate_unet, unet, make("conv"), make("attention")), seen


KINDS = {"conv": ResnetBlock2D, "attention": BasicTransformerBlock}


@exercise("inflate_unet", points=5, hint="deepcopy, freeze, list all blocks, then set_submodule for each of them")
def test_inflate(lab, seed):
    """every block makes way once, the rest computes as before, and only what is new is trained"""
    unet = small_unet(seed)
    names = {kind: [n for n, m in unet.named_modules() if isinstance(m, c)] for kind, c in KINDS.items()}
    found, seen = inflated(lab, unet)
    said = "inflate_unet(unet, conv, attention)"
    assert type(found) is type(unet), f"{said} is a {type(found).__name__}: it is a copy of the U-Net, of its own class"
    for kind, c in KINDS.items():
        given = [block for what, block in seen if what == kind]
        wrong = [type(block).__name__ for block in given if not isinstance(block, c)]
        assert not wrong, f"{said} handed {kind} a {wrong[0]}: it gets each {c.__name__}"
        assert len(given) == len({id(b) for b in given}), f"{said} handed a block to {kind} more than once"
        assert len(given) == len(names[kind]), (
            f"{said} handed {len(given)} blocks to {kind}: the U-Net has {len(names[kind])} of the kind {c.__name__}"
        )
        for name in names[kind]:
            there = dict(found.named_modules()).get(name)
            assert isinstance(there, Behind), f"at {name} there is a {type(there).__name__}, not what {kind} gave"
            same = unet.get_submodule(name).state_dict()
            for n, p in there.block.state_dict().items():
                assert torch.equal(p, same[n]), f"what {kind} gave is at {name}, and holds another block's weights"
    new = {n for n, _ in found.named_parameters() if n[-7:] == ".weight" and isinstance(
        found.get_submodule(n[:-7]), Behind)}  # fmt: skip
    new |= {n for n, _ in found.named_parameters() if ".more." in n}
    for name, parameter in found.named_parameters():
        due = name in new
        because = "it is new, and was made to be trained" if due else "it is the image model's" if (
            not name.endswith(".held")) else "it was made with requires_grad = False"  # fmt: skip
        assert parameter.requires_grad == due, f"{name} has requires_grad = {parameter.requires_grad}: {because}"
    with torch.no_grad():
        for module in found.modules():
            if isinstance(module, Behind):
                module.weight.fill_(1.0)
        inputs = noise(seed, 2, 3, 4, 4), torch.tensor([0.3, 1.0]), noise(seed + 1, 2, 5, 6)
        judge(f"{said}, whose new layers do nothing,", found(*inputs).sample, unet(*inputs).sample, tolerance=1e-6,
              because="it is the image model then")  # fmt: skip


@exercise("inflate_unet", points=3, hint="copy.deepcopy(unet) first; ValueError if there is no block at all")
def test_inflate_owes(lab, seed):
    """the original stays as it is, mode and device are kept, a U-Net without blocks is refused"""
    unet = small_unet(seed)
    modules, state = dict(unet.named_modules()), {n: t.clone() for n, t in unet.state_dict().items()}
    flags = [p.requires_grad for p in unet.parameters()]
    found, seen = inflated(lab, unet)
    said = "inflate_unet(unet, conv, attention)"
    assert dict(unet.named_modules()) == modules, f"{said} put other layers into the U-Net that it was given: copy it"
    assert [p.requires_grad for p in unet.parameters()] == flags, (
        f"{said} changed requires_grad of the U-Net it was given"
    )
    own = {p.data_ptr() for p in unet.parameters()}
    shared = [n for n, p in found.named_parameters() if p.data_ptr() in own and p.numel()]
    assert not shared, f"{said} shares memory with the U-Net that it was given: {shared[0]}"
    assert not {id(b) for _, b in seen} & {id(m) for m in modules.values()}, (
        f"{said} handed over the original's blocks. They are the copy's"
    )
    assert all(torch.equal(t, state[n]) for n, t in unet.state_dict().items()), f"{said} changed the U-Net's weights"
    for training in (False, True):
        again, _ = inflated(lab, unet.train(training))
        assert again.training == training, (
            f"{said} is in {'evaluation' if training else 'training'} mode, unlike the U-Net"
        )
        modes = {m.training for m in again.modules() if not isinstance(m, Behind)}
        assert modes == {training}, f"{said}: some of its layers are in another mode than the U-Net"
    far, _ = inflated(lab, small_unet(seed).to("meta"))
    assert {p.device.type for n, p in far.named_parameters() if ".more." not in n and ".held" not in n} == {"meta"}, (
        f"{said} of a U-Net on the device meta is not on meta any more"
    )
    bare = small_unet(seed)
    for part in ("down_blocks", "up_blocks"):
        setattr(bare, part, nn.ModuleList())
    bare.mid_block = None
    refused = Call("inflate_unet")
    refused.refuses(lab, bare, Behind, Behind, because="there is neither a residual nor a transformer block in it")
    bare.mid_block = nn.ModuleList([ResnetBlock2D(in_channels=8, temb_channels=4, groups=4)])
    assert len(inflated(lab, bare)[1]) == 1, f"{said} of a U-Net with one kind of block alone should go through"


shifts = Call("shift_sigma", takes={"sigma": "..."}, gives=tensor("...", "same"), fresh=True,
              parameters=("sigma", "num_frames", "base_frames"))  # fmt: skip


def shifted(sigma, num_frames, base_frames=1, *, power=0.5, base=True):
    """Oracle, and ways to do it wrong."""
    return sigma.double() * (num_frames / (base_frames if base else 1)) ** power


SHIFT_MISTAKES = {
    "sigma grows with the frames themselves. It grows with their square root": {"power": 1.0},
    "sigma becomes smaller with more frames. They need more noise": {"power": -0.5},
    "base_frames is not used": {"base": False},
    "nothing is shifted": {"power": 0.0},
}


@exercise("shift_sigma", points=3, hint="sigma * math.sqrt(num_frames / base_frames), ValueError below 1")
def test_shift(lab, seed, look):
    """sigma times the square root of the ratio of frames; fewer than one frame is refused"""
    rows = [(uniform(seed, 5, low=0.1, high=9.0), 16), (uniform(seed + 1, 2, 3, low=0.1, high=9.0).double(), 14, 4),
            (torch.tensor(0.7), 2), (uniform(seed + 2, 4, low=0.1, high=2.0), 3, 12),
            (torch.tensor([1.5]), 7, 7)]  # fmt: skip
    answers = shifts.table(
        lab, rows, shifted, ways(shifted, SHIFT_MISTAKES), because="the levels are times sqrt(T / T0)"
    )
    look(target=shifted(*rows[0]).float(), yours=answers[0].value)
    low = torch.tensor([0.5, 2.0], dtype=torch.bfloat16)
    replace(shifts, fresh=False)(lab, low, 4).near(
        2 * low.float(), tolerance=1e-2, because="it is in the dtype of sigma"
    )
    for frames in ((0, 1), (-4, 1), (4, 0), (4, -1), (-4, -1), (0, 0)):
        shifts.refuses(lab, torch.ones(2), *frames, because="a number of frames is below 1")


losses = Call("video_loss", takes={"x0": "b c t h w", "eps": "b c t h w", "sigma": "b", "states": "b l d",
                                   "no_states": "1 l d", "drop_text": "b"}, gives=tensor("b", torch.float32),
              parameters=("model", "x0", "eps", "sigma", "states", "no_states", "drop_text"))  # fmt: skip
LOSS_MISTAKES = {
    "no prompt is dropped: tell no_states where drop_text is true": {"drops": torch.zeros_like},
    "drop_text is turned around: true means dropped": {"drops": lambda d: ~d},
    "one true drops all prompts of the batch": {"drops": lambda d: d.any().expand_as(d)},
    "a dropped prompt is told as zeros. It is no_states": {"empty": torch.zeros_like},
    "the noisy clip is not divided by sqrt(sigma² + 1)": {"shown": lambda x, s: x},
    "the noisy clip is divided by sigma² + 1. It is the root": {"shown": lambda x, s: x / (s**2 + 1)},
    "the model is told sigma. It is told ln(sigma) / 4": {"told": lambda s: s},
    "the model is told ln(sigma). It is told a quarter of it": {"told": torch.log},
    "the target is the noise. It is v": {"target": lambda x, e, s: e},
    "v has the other sign": {"target": lambda x, e, s: (s * x - e) / (s**2 + 1).sqrt()},
    "the target is not divided by sqrt(sigma² + 1)": {"target": lambda x, e, s: e - s * x},
    "in v, sigma is at the noise. It is at the clip": {"target": lambda x, e, s: (s * e - x) / (s**2 + 1).sqrt()},
    "the weight (sigma² + 1) / sigma² is there twice. An error of v has it already": {
        "weight": lambda s: (s**2 + 1) / s**2},
}  # fmt: skip


def asked(seed, batch=4, frames=3, height=2, width=3, drops=(1, 0, 0, 1)):
    size = batch, 5, frames, height, width
    return (Formula(), noise(seed, *size), noise(seed + 1, *size), uniform(seed + 2, batch, low=0.3, high=3.0),
            noise(seed + 3, batch, 6, 4), 1.5 * noise(seed + 4, 1, 6, 4), torch.tensor(drops).bool())  # fmt: skip


@exercise("video_loss", points=5, hint="told, shown, v, then the mean of its squared error over all axes but the first")
def test_loss(lab, seed, look):
    """the mean square error of v, one number per sample, with no_states for dropped prompts"""
    rows = [asked(seed), asked(seed + 9, 3, 2, 3, 2, (0, 1, 0)), asked(seed + 20, 1, 4, 2, 2, (1,)),
            asked(seed + 30, 2, 1, 2, 3, (0, 0))]  # fmt: skip
    because = "it is the mean over C, T, H' and W' of (v - (eps - sigma · x0) / s)²"
    answers = losses.table(lab, rows, loss_of, ways(loss_of, LOSS_MISTAKES), because=because, tolerance=2e-5)
    look(target=loss_of(*rows[0]).float(), yours=answers[0].value.detach())
    model = Formula()
    losses(lab, model, *rows[0][1:])
    assert model.calls == 1, f"video_loss called the model {model.calls} times: it is called once, with the whole batch"
    losses.refuses(
        lab, *rows[0][:3], uniform(seed, 4, 1, low=0.3, high=2.0), *rows[0][4:], because="sigma is (B, 1) here"
    )
    losses.refuses(lab, *rows[0][:3], torch.tensor(0.5), *rows[0][4:], because="sigma has no axes here")
    losses.refuses(lab, *rows[0][:3], torch.ones(1), *rows[0][4:], because="sigma is (1,) for four clips")


@exercise("video_loss", points=2, hint="no torch.no_grad() here; torch.where makes new tensors and leaves the old ones")
def test_loss_owes(lab, seed):
    """samples are apart, inputs stay as they are, and a gradient reaches the model"""
    row = asked(seed)
    theorems.owes(losses, lab, *row, other=asked(seed + 3, drops=tuple(coins(seed, 4).int().tolist())))
    theorems.batch_is_samples(losses, lab, *row)
    answer = losses(lab, *row)
    theorems.learns(answer.said, answer.value, dict(row[0].named_parameters()))


@exercise("video_loss", points=3, needs=("Conv2Plus1d", "TemporalAttention", "inflate_unet"),
          hint="Run the checks of the other exercises: this one puts all of your parts together.")  # fmt: skip
def test_your_model_denoises(lab, seed):
    """the shipped weights in your layers, behind your inflation, by your loss"""
    said = "video_loss of sprites-unet-t2v in a model of your parts"
    model = attempt("a model of your parts", assembled, lab)
    found = attempt(said, mean_loss, lab.video_loss, model, coded(clips_of("large", 4)), seed % 5)
    outcomes.load(__file__)["denoises"].judge(said, found)
