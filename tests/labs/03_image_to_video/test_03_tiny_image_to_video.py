"""Grader of lab 03.3, a tiny image-to-video model.

Oracles in double precision: the layers written out with the learner's own weights, inflation name by name, the loss of
a model that is a formula. The outcome is judged with the shipped weights in the learner's parts.
"""

from functools import partial

import pytest
import torch
from einops import rearrange
from torch.nn import functional as F

from common.course.graders import Call, attempt, judge, mapping, outcomes, stand_ins, tensor, theorems
from common.course.graders.inflating import Formula, inflated, loss_of, models, moved_name
from common.course.graders.values import coins, noise, uniform
from common.zoo.sprites_svd.first_steps import assembled, coded, mean_loss
from common.zoo.sprites_svd.recipe import sparse

exercise = pytest.mark.exercise


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: partial(oracle, **how) for message, how in wrong.items()}


def built(lab, name, seed, *args):
    """The learner's layer in double precision, every weight random."""
    layer = attempt(f"{name}({', '.join(map(str, args))})", getattr(lab, name), *args)
    return stand_ins.fill(layer, seed, 0.4).double().requires_grad_(False)


def keeps_half(call, layer, *inputs):
    """From bfloat16, weights and all, only digits are lost, and the result is bfloat16."""
    right = call(layer, *inputs).value
    low = call(layer.bfloat16(), *(x.bfloat16() for x in inputs))
    low.near(right, tolerance=0.2, because="from bfloat16 only digits are lost")
    layer.double()


def whole_gradient(said, layer, **inputs):
    """The gradient that reaches the inputs is that of the values."""
    theorems.gradient_is_whole(said, lambda **given: [layer(*given.values())], inputs)


blends = Call("blender", takes={"spatial": "b t ...", "temporal": "b t ..."}, gives=tensor("b t ...", "same"),
              parameters=("spatial", "temporal", "image_only_indicator"))  # fmt: skip


def blended(mix, spatial, temporal, image_only_indicator=None, *, amount=torch.sigmoid, alone=lambda frame: frame != 0,
            spread=lambda frames: frames, picture=1.0):  # fmt: skip
    """Oracle, frame by frame, and ways to do it wrong."""
    alpha = torch.full(spatial.shape[:2], float(amount(torch.tensor(mix, dtype=torch.float64))), dtype=torch.float64)
    if image_only_indicator is not None:
        alpha[spread(alone(image_only_indicator))] = picture
    return torch.stack([torch.stack([alpha[b, t] * spatial[b, t].double() + (1 - alpha[b, t]) * temporal[b, t].double()
                                     for t in range(spatial.shape[1])]) for b in range(len(spatial))])  # fmt: skip


BLEND_MISTAKES = {
    "alpha is the temporal layer's share. It is the spatial's": {"amount": lambda m: (-m).sigmoid(), "picture": 0.0},
    "the mix factor itself is taken for alpha, which is its sigmoid": {"amount": lambda m: m},
    "the mix factor is not used": {"amount": lambda m: torch.tensor(0.5)},
    "the indicator is not used: such a frame is the spatial output": {"alone": lambda f: torch.zeros_like(f) > 0},
    "the indicator is turned around: true means a picture by itself": {"alone": lambda f: f == 0},
    "a picture by itself gets the temporal output. It gets the spatial one": {"picture": 0.0},
    "one picture makes its whole clip still": {"spread": lambda f: f.any(dim=1, keepdim=True).expand_as(f)},
}  # fmt: skip


@exercise("AlphaBlender", points=3, hint="alpha = sigmoid(mix_factor) of shape (B, T), 1 where the indicator is true")
def test_blender(lab, seed, look):
    """alpha of the spatial and 1 - alpha of the temporal output, frame by frame; a picture by itself stays as it is"""
    for mix in (0.8, -1.4):
        layer = attempt(f"AlphaBlender({mix})", lab.AlphaBlender, mix)
        inputs = [(noise(seed + k, *size), noise(seed + 9 + k, *size)) for k, size in
                  enumerate(((2, 4, 3, 5), (3, 2, 4, 1, 2), (3, 5), (1, 3, 2), (2, 4, 6)))]  # fmt: skip
        marks = [(coins(seed, 2, 4),), (torch.tensor([[0, 2], [-1, 0], [0, 0]]),), (), (),
                 (uniform(seed, 2, 4) * coins(seed + 1, 2, 4),)]  # fmt: skip
        rows, right = [pair + mark for pair, mark in zip(inputs, marks)], partial(blended, mix)
        because = "it is alpha of the spatial and 1 - alpha of the temporal output; of a picture alpha is 1"
        answers = blends.table(layer, rows, right, ways(right, BLEND_MISTAKES), because=because)
    look(target=right(*rows[0])[0].flatten(1).float(), yours=answers[0].value[0].flatten(1))


@exercise("AlphaBlender", points=2, hint="alpha.masked_fill(image_only_indicator.bool(), 1.0), then to(spatial)")
def test_blender_owes(lab, seed):
    """a picture by itself is exact, the mix factor learns, and dtypes are kept"""
    layer, spatial, temporal = lab.AlphaBlender(-0.9), noise(seed, 2, 4, 3, 5), 1e4 * noise(seed + 1, 2, 4, 3, 5)
    alone = coins(seed, 2, 4)
    answer = blends(layer, spatial, temporal, alone)
    judge(f"{answer.said}, where a frame is a picture by itself,", answer.value[alone], spatial[alone], tolerance=0,
          because="it is the spatial output exactly")  # fmt: skip
    theorems.owes(blends, layer, spatial, temporal, alone, other=(noise(seed, 3, 2, 4), noise(seed + 5, 3, 2, 4)),
                  dtypes=(torch.float64,), batch_of_one=False)  # fmt: skip
    run = lambda mix_factor, *x: torch.func.functional_call(layer, {"mix_factor": mix_factor}, (*x, alone))  # noqa: E731
    whole_gradient(answer.said, run, mix_factor=layer.mix_factor, spatial=spatial, temporal=temporal / 1e4)
    for dtype, tolerance in ((torch.float16, 2e-3), (torch.bfloat16, 2e-2)):
        low = spatial.to(dtype), (temporal / 1e4).to(dtype), alone
        blends(layer, *low).near(blended(-0.9, *low), tolerance=tolerance, because="only digits are lost")


resnets = Call("block", takes={"x": "b c t h w", "temb": "b t e"}, gives=tensor("b c t h w", "same"))


def each_frame(norm, x):
    return torch.stack([norm(x[:, :, t : t + 1]) for t in range(x.shape[2])], dim=2)[:, :, :, 0]


def residual(m, x, temb, *, norm=lambda n, x: n(x), act=(F.silu, F.silu, F.silu), told=lambda e: e, late=0.0, early=0.0,
             kept=lambda m, x: x, first="conv1", second="conv2"):  # fmt: skip
    """Oracle by the block's own layers, and ways to do it wrong."""
    e = rearrange(told(m.time_emb_proj(act[2](temb))), "b t c -> b c t 1 1")
    h = getattr(m, first)(act[0](norm(m.norm1, x + early * e))) + (1 - late - early) * e
    return kept(m, x) + getattr(m, second)(act[1](norm(m.norm2, h))) + late * e


same = lambda x: x  # noqa: E731
RESNET_MISTAKES = {
    "x is not added at the end: it is a residual block": {"kept": lambda m, x: 0},
    "norm1(x) is added at the end. Add x itself": {"kept": lambda m, x: m.norm1(x)},
    "every frame is normalised alone. Group norm takes all frames of a clip": {"norm": each_frame},
    "the first frame's embedding is added to all frames. Each has its own": {"told": lambda e: e[:, :1].expand_as(e)},
    "the embedding is added after conv2. It comes between the convolutions": {"late": 1.0},
    "the embedding is added before conv1. It comes after it": {"early": 1.0},
    "the embedding does not go through SiLU": {"act": (F.silu, F.silu, same)},
    "conv1 is used twice": {"second": "conv1"},
}  # fmt: skip


def clip(seed, batch=2, frames=5, height=3, width=4, channels=64):
    return noise(seed, batch, channels, frames, height, width).double(), noise(seed + 1, batch, frames, 7).double()


@exercise("TemporalResnetBlock", points=4, hint='h + rearrange(self.time_emb_proj(F.silu(temb)), "b t c -> b c t 1 1")')
def test_resnet(lab, seed, look):
    """norm, SiLU, convolution along time, the embedding of each frame, and the same again, beside x"""
    layer = built(lab, "TemporalResnetBlock", seed, 64, 7, 0.2)
    rows, right = [clip(seed), clip(seed + 2, 3, 2, 1, 2), clip(seed + 4, 1, 1)], partial(residual, layer)
    answers = resnets.table(layer, rows, right, ways(right, RESNET_MISTAKES), because="it is the docstring's formula")
    look(target=right(*rows[0])[0, :8].flatten(1).float(), yours=answers[0].value[0, :8].flatten(1).float())


@exercise("TemporalResnetBlock", points=1, hint="no .detach(), no fixed dtype, nothing kept on self")
def test_resnet_owes(lab, seed):
    """samples are apart, all weights learn, half precision goes through"""
    layer, (x, temb) = built(lab, "TemporalResnetBlock", seed, 64, 7, 0.2), clip(seed)
    theorems.owes(resnets, layer, x, temb, other=clip(seed + 3, 3, 4))
    theorems.batch_is_samples(resnets, layer, x, temb)
    answer = resnets(layer.requires_grad_(), x, temb)
    theorems.learns(answer.said, answer.value.square(), dict(layer.named_parameters()))
    keeps_half(resnets, layer.requires_grad_(False), x, temb)
    whole_gradient(answer.said, layer, x=x, temb=temb)


transforms = Call("block", takes={"x": "b t n c", "context": "b l d"}, gives=tensor("b t n c", "same"))
ORDER = ("norm_in", "ff_in"), ("norm1", "attn1"), ("norm2", "attn2"), ("norm3", "ff")
ALONG = {"time": "(b n) t c", "place": "(b t) n c", "both": "b (t n) c"}


def transformed(m, x, context, *, order=ORDER, along="time", unnormed="", bare="", inside="", prompt=lambda c, b: c[b]):
    """Oracle, branch by branch, the prompt's one clip after the other; and ways to do it wrong."""
    sizes = dict(zip("btn", x.shape))
    for norm, name in order:
        h = x if norm in unnormed.split() else getattr(m, norm)(x)
        layer = getattr(m, name)
        if name == "attn1":
            made = rearrange(layer(rearrange(h, f"b t n c -> {ALONG[along]}")), f"{ALONG[along]} -> b t n c", **sizes)
        elif name == "attn2":
            made = torch.stack([layer(h[b].flatten(0, 1)[None], prompt(context, b)[None])[0].unflatten(0, h.shape[1:3])
                                for b in range(len(h))])  # fmt: skip
        else:
            made = layer(h)
        x = made if name in bare.split() else made + (h if name in inside.split() else x)
    return x


def told_of_others(context, b):
    return context[(b + 1) % len(context)]


TRANSFORMER_MISTAKES = {
    "attention runs along the places of a frame. It runs along the frames of a place": {"along": "place"},
    "all places of all frames see each other. A place sees itself alone": {"along": "both"},
    "the prompts reach other clips than their own": {"prompt": lambda c, b: c[(b + 1) % len(c)]},
    "the first prompt is told to every clip": {"prompt": lambda c, b: c[0]},
    "no branch has its residual": {"bare": "ff_in attn1 attn2 ff"},
    "the normalised values are added again. The residual is what came in": {"inside": "ff_in attn1 attn2 ff"},
    "cross-attention comes before self-attention": {"order": (ORDER[0], ORDER[2], ORDER[1], ORDER[3])},
    "ff and ff_in are swapped": {"order": (ORDER[3], ORDER[1], ORDER[2], ORDER[0])},
}  # fmt: skip


def tokens(seed, batch=2, frames=5, places=3, states=4):
    return noise(seed, batch, frames, places, 24).double(), noise(seed + 1, batch, states, 10).double()


@exercise(
    "TemporalTransformerBlock", points=5, hint='rearrange(x, "b t n c -> (b n) t c"), then four residual branches'
)
def test_transformer(lab, seed, look):
    """feed-forward, attention along time, attention to the clip's own prompt, feed-forward"""
    layer = built(lab, "TemporalTransformerBlock", seed, 24, 3, 10)
    rows, right = (
        [tokens(seed), tokens(seed + 2, 3, 2, 4, 1), tokens(seed + 4, 1, 1, 2, 6)],
        partial(transformed, layer),
    )
    mistakes = ways(right, TRANSFORMER_MISTAKES)
    answers = transforms.table(layer, rows, right, mistakes, because="it is the docstring's four lines")
    look(target=right(*rows[0])[0, :, 0].float(), yours=answers[0].value[0, :, 0].float())


@exercise("TemporalTransformerBlock", points=2, hint="a place is a sample of its own in self-attention: (b n) t c")
def test_transformer_owes(lab, seed):
    """a place sees itself alone, frames have no order yet, all weights learn"""
    layer, (x, context) = built(lab, "TemporalTransformerBlock", seed, 24, 3, 10), tokens(seed)
    theorems.owes(transforms, layer, x, context, other=tokens(seed + 3, 3, 4, 2))
    theorems.batch_is_samples(transforms, layer, x, context)
    theorems.moves(transforms, layer, x, context, change={"x": (0, 2, 1, 5)}, along="n", only=[1],
                   because="other places moved")  # fmt: skip
    because = "frames in another order give something else. This block knows no positions and has no mask"
    theorems.permutes(transforms, layer, x, context, along="t", order=[3, 0, 4, 2, 1], because=because)
    answer = transforms(layer.requires_grad_(), x, context)
    theorems.learns(answer.said, answer.value.square(), dict(layer.named_parameters()))
    keeps_half(transforms, layer.requires_grad_(False), x, context)
    whole_gradient(answer.said, layer, x=x, context=context)


inflates = Call("inflate", takes={}, gives=mapping(tensor(finite=False), keys="names"),
                sizes=lambda given: {"names": list(given["video_state"])})  # fmt: skip
INFLATE_MISTAKES = {
    "the residual blocks keep their fresh weights: resnets.i. is resnets.i.spatial_res_block. in the video model": {
        "moves": same},
    "only the first residual blocks have their weights: i may be any number": {
        "moves": lambda name: moved_name(name) if "resnets.0." in name else name},
    "only the blocks on the way down have their weights": {
        "moves": lambda name: moved_name(name) if name.startswith("down") else name},
    "the further input channels keep their fresh weights. They are zeros": {"others": "video"},
    "the further input channels have the image model's weights again. They are zeros": {"others": "tiled"},
    "the image model's weights are in the last input channels. They belong into the first": {"first": False},
    "what the image model does not have became zero. It stays as in video_state": {"new": 0},
}  # fmt: skip


@exercise("inflate", points=4, hint='re.sub(r"(resnets\\.\\d+\\.)", r"\\1spatial_res_block.", name) is the place')
def test_inflate(lab, seed):
    """every tensor of the image model finds its place, conv_in gets zeros, the rest stays as it was"""
    rows = [(*models(seed + 100 * extra, extra), {}) for extra in (5, 3, 0, 1)]
    image, video = models(seed + 7)
    rows.append(({name: image[name] for name in list(image)[1::2]}, video, {}))  # without conv_in, say
    inflates.table(lab, rows, inflated, ways(inflated, INFLATE_MISTAKES), tolerance=0,
                   because="the image model's tensors have their places, all others are as in video_state")  # fmt: skip


@exercise("inflate", points=3, hint="{name: tensor.clone() for …}, copy_ into it, ValueError where a place is missing")
def test_inflate_owes(lab, seed):
    """dtypes and devices are the video model's; no memory is shared; what does not fit is refused"""
    for dtypes in ((torch.float16, torch.float32), (torch.float32, torch.bfloat16)):
        image, video = models(seed, 4, *dtypes)
        answer = inflates(lab, image, video)
        for name, value in answer.value.items():
            assert value.dtype == dtypes[1], f"{name!r} of {answer.said} is {value.dtype}, in video_state {dtypes[1]}"
        answer.near({name: value.to(dtypes[1]) for name, value in inflated(image, video).items()}, tolerance=0)
    image, video = models(seed)
    kept = [{name: value.clone() for name, value in state.items()} for state in (image, video)]
    with torch.no_grad():
        for value in attempt("inflate(image_state, video_state)", lab.inflate, image, video).values():
            value.add_(1)
    for word, before, after in zip(("image_state", "video_state"), kept, (image, video)):
        assert all(torch.equal(before[name], after[name]) for name in before), (
            f"inflate(image_state, video_state) shares memory with {word}: copy the tensors"
        )
    far = [{name: value.to("meta") for name, value in state.items()} for state in (image, video)]
    for name, value in attempt("inflate of tensors on the device meta", lab.inflate, *far).items():
        assert value.is_meta and value.shape == video[name].shape, (
            f"{name!r} of tensors on meta is not on meta any more"
        )
    theirs = "down_blocks.0.attentions.0.proj_in.weight"
    for because, changed in {
        "the video model has no place for one tensor": {"mid_block.resnets.1.conv1.weight": (2, 2)},
        "one tensor has another shape in the video model": {theirs: (5, 4)},
        "one tensor has another shape, though it could be broadcast": {theirs: (1, 4)},
        "one tensor has fewer axes there": {theirs: (4, 4, 1)},
        "conv_in of the image model has more input channels": {"conv_in.weight": (6, 9, 3, 3)},
        "conv_in has more output channels in the image model": {"conv_in.weight": (7, 3, 3, 3)},
        "conv_in has another kernel": {"conv_in.weight": (6, 3, 1, 1)},
    }.items():
        broken = image | {name: noise(seed, *size) for name, size in changed.items()}
        inflates.refuses(lab, broken, video, because=because)


losses = Call("i2v_loss", takes={"x0": "b c t h w", "eps": "b c t h w", "sigma": "b", "picture": "b c h w",
                                 "states": "b l d", "time_ids": "b i", "no_states": "1 l d", "drop_picture": "b",
                                 "drop_text": "b"},
              gives=tensor("b", torch.float32),
              parameters=("model", "x0", "eps", "sigma", "picture", "states", "time_ids", "no_states", "drop_picture",
                          "drop_text"))  # fmt: skip


no = torch.zeros_like
LOSS_MISTAKES = {
    "no picture is dropped: show zeros where drop_picture is true": {"drops": lambda p, t: (no(p), t)},
    "no prompt is dropped: tell no_states where drop_text is true": {"drops": lambda p, t: (p, no(t))},
    "drop_picture and drop_text are swapped": {"drops": lambda p, t: (t, p)},
    "both are turned around: true means dropped": {"drops": lambda p, t: (~p, ~t)},
    "one true drops both. A sample may lose its picture and keep its prompt": {"drops": lambda p, t: (p | t, p | t)},
    "a dropped prompt is told as zeros. It is no_states": {"empty": no},
    "the weight (sigma² + 1) / sigma² is missing": {"weight": torch.ones_like},
    "the weight is that of sigma_data = 0.5. It is 1 here": {"weight": lambda s: (s**2 + 0.25) / (s / 2) ** 2},
}  # fmt: skip


def asked(seed, batch=4, frames=3, height=2, width=3, drops=None):
    size = batch, 5, frames, height, width
    drops = torch.tensor([[1, 1, 0, 0], [1, 0, 1, 0]]).bool() if drops is None else torch.tensor(drops).bool()
    return (Formula(), noise(seed, *size), noise(seed + 1, *size), uniform(seed + 2, batch, low=0.3, high=3.0),
            noise(seed + 3, batch, 5, height, width), noise(seed + 4, batch, 6, 4), noise(seed + 5, batch, 3),
            1.5 * noise(seed + 6, 1, 6, 4), *drops)  # fmt: skip


@exercise("i2v_loss", points=5, hint="masked_fill and torch.where make what is shown and told; edm_loss does the rest")
def test_loss(lab, seed, look):
    """EDM's loss at sigma_data = 1, with zeros for dropped pictures and no_states for dropped prompts"""
    rows = [asked(seed), asked(seed + 9, 3, 2, 3, 2, [[0, 1, 0], [0, 1, 1]]), asked(seed + 20, 1, 4, 2, 2, [[0], [0]]),
            asked(seed + 30, 2, 1, 2, 3, [[1, 0], [0, 1]])]  # fmt: skip
    because = "it is the weighted mean square of D(x) - x0, with zeros and no_states for what is dropped"
    answers = losses.table(lab, rows, loss_of, ways(loss_of, LOSS_MISTAKES), because=because, tolerance=2e-5)
    look(target=loss_of(*rows[0]).float(), yours=answers[0].value.detach())


@exercise("i2v_loss", points=2, hint="no torch.no_grad() here; torch.where makes new tensors and leaves the old ones")
def test_loss_owes(lab, seed):
    """samples are apart, inputs stay as they are, and a gradient reaches the model"""
    row = asked(seed)
    theorems.owes(losses, lab, *row, other=asked(seed + 3))
    theorems.batch_is_samples(losses, lab, *row)
    answer = losses(lab, *row)
    theorems.learns(answer.said, answer.value, dict(row[0].named_parameters()))


@exercise("i2v_loss", points=3, needs=("AlphaBlender", "TemporalResnetBlock", "TemporalTransformerBlock", "inflate"),
          hint="Run the checks of the other exercises: this one puts all of your parts together.")  # fmt: skip
def test_your_model_denoises(lab, seed):
    """the shipped weights in your layers, behind your inflation, by your loss"""
    said = "i2v_loss of sprites-svd in a model of your parts"
    model = attempt("a model of your parts", assembled, lab)
    found = attempt(said, mean_loss, lab.i2v_loss, model, coded(sparse("large", 4)), seed % 5)
    outcomes.load(__file__)["denoises"].judge(said, found)
