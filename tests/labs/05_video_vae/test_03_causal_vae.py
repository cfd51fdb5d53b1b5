"""Grader of lab 05.3, a causal 3D VAE. Its oracle is torch's own convolution over frames that were joined by hand."""

import itertools
import weakref
from collections.abc import Iterable
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from common.course.graders import Call, attempt, instance, judge, record, stand_ins, tensor, theorems, values

exercise = pytest.mark.exercise


def padded(clip, front, behind=0, mode="replicate"):
    """A clip with copies of its first frame in front and of its last one behind, or with zeros (mode "constant")."""
    return functional.pad(clip, (0, 0, 0, 0, front, behind), mode=mode)


# ---------------------------------------------------------------------------------------------- inflate_causal

inflated = Call("inflate_causal", takes={"weight": "o i h w"}, gives=tensor("o i n h w", "same"),
                sizes=lambda given: {"n": given["num_frames"]}, parameters=("weight", "num_frames"))  # fmt: skip


def in_slice(weight, num_frames, place=-1):
    """Oracle, and ways to do it wrong: the picture's kernel in one slice, zeros in the others."""
    return torch.stack([weight if s == place % num_frames else 0 * weight for s in range(num_frames)], dim=2)


@exercise("inflate_causal", points=3, hint="new_zeros(…), then inflated[:, :, -1] = weight.")
def test_inflate_last_slice(lab, seed, look):
    """the picture's kernel is the last slice in time, and the others are zero"""
    rows = [(values.noise(seed + n, 2 + n, 3, 3, 5), n) for n in (3, 1, 2, 4, 7)]
    mistakes = {
        "the kernel is in the first slice, which meets the oldest frame": lambda w, n: in_slice(w, n, 0),
        "the kernel is in the middle slice, but a causal layer has no future": lambda w, n: in_slice(w, n, n // 2),
        "the kernel is spread over the slices: it averages over time": lambda w, n: torch.stack([w / n] * n, dim=2),
        "the kernel is in every slice. All but the last are zero": lambda w, n: torch.stack([w] * n, dim=2),
    }  # fmt: skip
    answers = inflated.table(lab, rows, in_slice, mistakes, because="the last is the picture's, the others are zero")
    look(target=in_slice(*rows[3])[0, 0, :, 1], yours=answers[3].value[0, 0, :, 1], about="row 1 of each slice")


@exercise("inflate_causal", points=1, hint="weight.new_zeros(…) has the weight's dtype and device.")
def test_inflate_owes(lab, seed):
    """dtype and device are the kernel's; memory layout and earlier calls do not matter"""
    weight = values.noise(seed, 3, 2, 4, 5)
    theorems.owes(inflated, lab, weight, 3, dtypes=(torch.float16, torch.float64), meta=True)


@exercise("inflate_causal", points=1, hint="if weight.ndim != 4 or num_frames < 1: raise ValueError(…)")
def test_inflate_refuses_nonsense(lab, seed):
    """no frames, or a kernel that is not of a 2D convolution: ValueError"""
    weight = values.noise(seed, 3, 2, 4, 5)
    for wrong, num_frames in ((weight, 0), (weight, -1), (weight[0], 3), (weight[0, 0], 3), (weight[:, :, None], 3)):
        inflated.refuses(lab, wrong, num_frames)


# ---------------------------------------------------------------------------------------------- CausalConv3d

IN, OUT = 3, 4
KERNELS = ((3, 3, 5), (2, 1, 3), (4, 3, 1), (1, 3, 3))
built = Call("CausalConv3d")
convolved = Call("layer", takes={"x": "b i t h w"}, parameters=("x", "cache"), fresh=True,
                 gives=record(output=tensor(f"b {OUT} t h w", "same"), cache=tensor(None, "same")))  # fmt: skip


def frames(seed, num_frames, batch=2):
    return values.noise(seed, batch, IN, num_frames, 5, 7).double()


def joined(x, cache, kernel):
    """What a layer reads: the past, then the clip."""
    return padded(x, kernel[0] - 1) if cache is None else torch.cat([cache, x], dim=2)


def past_of(read, kernel):
    """The last kernel - 1 frames, or as many as there are."""
    return read[:, :, max(0, read.shape[2] - kernel[0] + 1) :]


class Layers:
    """The learner's layers, one per kernel, in double precision; called with a clip and `kernel=`."""

    def __init__(self, lab, seed):
        self.made = {kernel: stand_ins.fill(built(lab, IN, OUT, kernel).value, seed).double() for kernel in KERNELS}

    def __call__(self, x, cache=None, kernel=KERNELS[0]):
        return self.made[kernel](x, cache)

    def truth(self, x, cache=None, kernel=KERNELS[0], read=joined):
        """Oracle: torch's convolution over what a layer reads; another `read` makes that in a wrong way."""
        conv, pad = self.made[kernel].conv, (0, kernel[1] // 2, kernel[2] // 2)
        return functional.conv3d(read(x, cache, kernel), conv.weight, conv.bias, padding=pad)


@exercise("CausalConv3d", points=4, hint="x[:, :, :1].expand(-1, -1, self.num_past, -1, -1) in front of x.")
def test_conv_begins(lab, seed, look):
    """without a cache, the past is made of copies of the first frame"""
    layers = Layers(lab, seed)
    mistakes = {
        "the past is filled with zeros. Copies of the first frame belong there, so that a still picture stays still":
            partial(layers.truth, read=lambda x, cache, kernel: padded(x, kernel[0] - 1, mode="constant")),
        "half of the padding is behind the clip: the layer looks ahead":
            partial(layers.truth, read=lambda x, cache, kernel: padded(x, (kernel[0] - 1) // 2, kernel[0] // 2)),
        "all of the padding is behind the clip: the layer looks at the future":
            partial(layers.truth, read=lambda x, cache, kernel: padded(x, 0, kernel[0] - 1)),
    }  # fmt: skip
    rows = [(frames(seed + t, t, batch), {"kernel": kernel}) for t, batch in ((6, 2), (1, 3)) for kernel in KERNELS]
    answers = convolved.table(layers, rows, layers.truth, mistakes, part="output", because="the past repeats frame 0")
    look(target=layers.truth(rows[0][0])[0, 0, :, 2].detach(), yours=answers[0].value[0, 0, :, 2].detach())


@exercise("CausalConv3d", points=3, hint="torch.cat([cache, x], dim=2), with the cache that is given.")
def test_conv_goes_on(lab, seed):
    """with a cache, the past is the cache, whatever it holds, also zeros"""
    layers = Layers(lab, seed)
    rows = [(frames(seed + t, t), times * frames(seed + 9, kernel[0] - 1), {"kernel": kernel})
            for t, times in ((5, 1), (1, 1), (2, 0)) for kernel in KERNELS[:3]]  # fmt: skip
    mistakes = {"the cache is not used: the piece begins anew": lambda x, cache, kernel: layers.truth(x, kernel=kernel)}
    convolved.table(layers, rows, layers.truth, mistakes, part="output", because="it goes on from the cache")


@exercise("CausalConv3d", points=3, hint="Cut it off the joined tensor: x[:, :, x.shape[2] - self.num_past :].clone()")
def test_conv_cache(lab, seed):
    """the new cache is a copy of the last kernel - 1 frames seen, also where a piece is shorter, or a kernel is 1"""
    layers = Layers(lab, seed)
    mistakes = {
        "the new cache is cut from the piece alone. A short piece leaves room for older frames":
            lambda x, cache, kernel: past_of(x, kernel),
        "x[:, :, -0:] is all of x. A kernel of one frame needs no past":
            lambda x, cache, kernel: x if kernel[0] == 1 else past_of(joined(x, cache, kernel), kernel),
        "the new cache holds outputs. The next piece is joined with inputs":
            lambda x, cache, kernel: past_of(layers.truth(x, cache, kernel), kernel),
    }  # fmt: skip
    rows = [(frames(seed, t), past, {"kernel": kernel})
            for kernel in KERNELS for past in (None, frames(seed + 9, kernel[0] - 1)) for t in (6, 5, 1)]  # fmt: skip
    convolved.table(layers, rows, lambda x, cache, kernel: past_of(joined(x, cache, kernel), kernel), mistakes,
                    part="cache", tolerance=0.0, because="it is the end of past and piece together")  # fmt: skip
    answer = convolved(built(lab, 1, OUT, (3, 1, 1)).value, values.noise(seed, 1, 1, 9, 5, 7))  # contiguous slices
    held = answer["cache"].value.untyped_storage().nbytes() // (4 * 5 * 7)
    assert held <= 2, f"the cache of {answer.said} keeps {held} frames in memory, not 2: a slice is a view. Copy it"


@exercise("CausalConv3d", points=3, hint="Is all of the padding in front, and the cache the end of the joined frames?")
def test_conv_streams(lab, seed):
    """a clip in pieces of any length gives what the whole gives, so no piece looks ahead"""
    layers = Layers(lab, seed)
    for kernel, pieces in itertools.product(KERNELS, ((1, 1, 1, 5), (3, 4, 1))):
        x, cache, parts = frames(seed, 8), None, []
        for piece in x.split(pieces, dim=2):
            output, cache = (part.value for part in convolved(layers, piece, cache, kernel=kernel))
            parts.append(output)
        whole = convolved(layers, x, kernel=kernel)["output"].value
        theorems.streams(whole, parts, axis=2, said=f"a clip of 8 frames in pieces of {pieces}, kernel {kernel}")


@exercise("CausalConv3d", points=2, hint="Nothing is detached in the output, and no clip touches another.")
def test_conv_owes(lab, seed):
    """gradients reach every frame, the cache and the weights; clips do not mix; memory layout does not matter"""
    layer, x, cache = Layers(lab, seed).made[KERNELS[0]], frames(seed, 5), frames(seed + 1, 2)
    for said, inputs in (("layer(x)", {"x": x}), ("layer(x, cache)", {"x": x, "cache": cache})):
        theorems.gradient_is_whole(said, lambda **given: [convolved(layer, *given.values())["output"].value], inputs)
    theorems.learns("layer(x)", layer(x)[0], dict(layer.named_parameters()))
    theorems.batch_is_samples(convolved, layer, x)
    theorems.owes(convolved, layer, x, cache, other=[frames(seed + 2, 2)], batch_of_one=False)
    convolved(layer.float(), x.float(), cache.float())


# ---------------------------------------------------------------------------------------------- causal_downsample

down = Call("causal_downsample", parameters=("encoder", "clip", "caches", "ratio"))


class Caches(list):
    """An encoder's caches. An encoder without memory has none of them, and they are falsy."""


def remembering(groups, caches, ratio):
    """An encoder whose latents remember: each is the weighted sum of its group, plus half of the latent before."""
    weights, before, latents = torch.linspace(0.3, 1.7, ratio).to(groups), (caches or [0.0])[0], []
    for group in groups.split(ratio, dim=2):
        before = torch.einsum("bcthw,t->bchw", group, weights[: group.shape[2]]) + 0.5 * before
        latents.append(before)
    return torch.stack(latents, dim=2), Caches([before])


def check_call(lab, clip, caches, ratio, groups, mistakes):
    """The encoder is called once, with these groups and the caches, and what it returns comes back."""
    calls, returns = [], (torch.ones(2), Caches(["new"]))

    def encoder(groups, caches):
        calls.append((groups, caches))
        return returns

    answer = down(lab, encoder, clip, caches, ratio=ratio)
    assert len(calls) == 1, f"{answer.said} calls the encoder {len(calls)} times. Once is enough: it takes all groups"
    assert calls[0][1] is caches, f"{answer.said} gives the encoder other caches than it was given"
    right = isinstance(answer.value, tuple) and list(map(id, answer.value)) == list(map(id, returns))
    assert right, f"{answer.said} should return what the encoder returns: latents and caches"
    judge(f"{answer.said}: what the encoder is given", calls[0][0], groups, mistakes, tolerance=0.0,
          because="the first frame fills a group of its own, and a later piece is left as it is")  # fmt: skip


@exercise("causal_downsample", points=3, hint="clip[:, :, :1].expand(-1, -1, ratio - 1, -1, -1) in front.")
def test_down_begins(lab, seed):
    """at the beginning the first frame is repeated until it fills a group, for any ratio"""
    for ratio, k in ((4, 2), (2, 3), (3, 1), (4, 0), (8, 1), (1, 4)):
        clip = values.noise(seed + k, 2, 3, 1 + ratio * k, 4, 5)
        mistakes = {
            "the first group is filled with zeros. Repeat the first frame": padded(clip, ratio - 1, mode="constant"),
            "the last frame is repeated behind the clip. Repeat the first, in front": padded(clip, 0, ratio - 1),
            "the encoder gets the clip as it is. The first frame needs a group of its own": clip,
            "the first frame is there once too often: ratio - 1 copies fill its group": padded(clip, ratio),
            "the first frame fills a group of 4, whatever the ratio": padded(clip, 3),
        }  # fmt: skip
        check_call(lab, clip, None, ratio, padded(clip, ratio - 1), mistakes)


@exercise("causal_downsample", points=2, hint="if caches is None: … ; then return encoder(clip, caches)")
def test_down_goes_on(lab, seed):
    """later pieces reach the encoder as they are, whatever the caches hold"""
    copies = "this is a later piece, for it has caches. It gets no copies of its first frame"
    for (ratio, k), caches in itertools.product(((4, 2), (3, 1), (2, 2)), (Caches(["old"]), Caches(), 0)):
        clip = values.noise(seed, 2, 3, ratio * k, 4, 5)
        check_call(lab, clip, caches, ratio, clip, {copies: padded(clip, ratio - 1)})


@exercise("causal_downsample", points=3, hint="The first frame has a group of its own; later pieces have caches.")
def test_down_is_causal(lab, seed, look):
    """the first latent sees the first frame alone, no latent sees later frames, and gradients reach all frames"""

    def latents(clip):
        return lab.causal_downsample(partial(remembering, ratio=3), clip, None, 3)[0]

    call = Call("causal_downsample", takes={"clip": "b c t h w"}, gives=tensor("b c k h w"))
    clip = values.noise(seed, 2, 3, 10, 4, 5).double()
    for t in range(10):
        theorems.moves(call, latents, clip, change={"clip": (slice(None), slice(None), t)}, along="k",
                       only=range(-(-t // 3), 4), because="a latent sees later frames than its own")  # fmt: skip
    answer = theorems.owes(call, latents, clip)
    theorems.gradient_is_whole(answer.said, lambda clip: [call(latents, clip).value], {"clip": clip})
    look(target=remembering(padded(clip, 2), None, 3)[0][0, 0, :, 2], yours=answer.value[0, 0, :, 2])


@exercise("causal_downsample", points=1, hint="(T - 1) % ratio at the beginning, T % ratio later; T of 0 never.")
def test_down_refuses_nonsense(lab, seed):
    """other numbers of frames than 1 + ratio k, or ratio k later: ValueError"""
    beginnings, pieces = {4: (0, 2, 4, 7, 8), 3: (0, 2, 3, 5), 1: (0,)}, {4: (0, 1, 5, 6), 3: (0, 1, 4), 1: (0,)}
    for caches, ratio in itertools.product((None, Caches(), Caches(["old"])), (4, 3, 1)):
        for count in (beginnings if caches is None else pieces)[ratio]:
            down.refuses(lab, partial(remembering, ratio=ratio), torch.zeros(1, 2, count, 4, 5), caches, ratio=ratio)


# ---------------------------------------------------------------------------------------------- encode_stream

streamed = Call("encode_stream", parameters=("vae", "frames"), gives=instance(Iterable, called="a generator"))
SAID = "encode_stream(vae, frames)"


class Vae(stand_ins.Keeps, torch.nn.Module, logs=("graded",)):
    """A causal autoencoder of one weight, which notes whether gradients are on."""

    def __init__(self, ratio=4):
        super().__init__()
        self.temporal_compression_ratio, self.encoder, self.graded = ratio, partial(remembering, ratio=ratio), []
        self.gain = torch.nn.Parameter(torch.tensor(0.7))

    def encode_chunk(self, piece, caches=None):
        ratio, begins = self.temporal_compression_ratio, caches is None
        assert piece.shape[2] % ratio == (1 % ratio if begins else 0), (
            f"{SAID} gives encode_chunk {piece.shape[2]} frames {'first' if begins else 'later'}, at {ratio} per latent"
        )
        self.graded.append(torch.is_grad_enabled())
        latents, caches = self.encoder(padded(piece, ratio - 1) if begins else piece, caches)
        mean = self.gain * latents
        return SimpleNamespace(mode=lambda: mean, sample=lambda generator=None: mean + 1), caches


def film(seed, num_frames):
    return list(values.noise(seed, num_frames, 2, 3, 4, 6))


def stream(lab, vae, frames):
    return iter(streamed(lab, vae, frames).value)


@exercise("encode_stream", points=4, hint="One frame for the first latent, then ratio of them; hand the caches on.")
def test_stream_latents(lab, seed, look):
    """each latent is that of the whole clip, one per yield, for any ratio and any iterable of frames"""
    for ratio, num_latents in ((3, 3), (2, 1), (1, 5), (4, 4)):
        vae, clip = Vae(ratio), film(seed, 1 + ratio * (num_latents - 1))
        truth = 0.7 * vae.encoder(padded(torch.stack(clip, dim=2), ratio - 1), None)[0]
        said = f"{SAID} with {len(clip)} frames, {ratio} per latent,"
        for given in (clip, tuple(clip), iter(clip), torch.stack(clip)):
            got = attempt(SAID, list, stream(lab, vae, given))
            shapes = [tuple(z.shape) if isinstance(z, torch.Tensor) else type(z).__name__ for z in got]
            right = shapes == [(2, 3, 1, 4, 6)] * num_latents
            assert right, f"{said} should yield {num_latents} latents of the shape (2, 3, 1, 4, 6), not {shapes}"
            judge(said, torch.cat(got, dim=2), truth, because="the latents are mode(), those of the whole clip")
    look(target=truth[0, 0, :, 2], yours=torch.cat(got, dim=2)[0, 0, :, 2].detach())


@exercise("encode_stream", points=3, hint="Go through frames with a for loop, and yield inside it.")
def test_stream_is_a_stream(lab, seed):
    """no frame is taken before the next latent needs it, and those of earlier latents are forgotten; it may go on"""
    taken: list = []

    def shown(k):
        assert k < 36, f"{SAID} takes {k} frames and wants more, but the stream may never end: yield as you go"
        picture = values.noise(seed + k, 2, 3, 4, 6)
        taken.append(weakref.ref(picture))
        return picture

    latents = stream(lab, Vae(3), map(shown, itertools.count()))
    for k in range(9):
        attempt(SAID, next, latents)
        assert len(taken) == 1 + 3 * k, f"{SAID} took {len(taken)} frames for {k + 1} latents. {1 + 3 * k} are enough"
        held = sum(picture() is not None for picture in taken)
        assert held <= 4, f"{SAID} still holds {held} frames after {k + 1} latents: forget them"


@exercise("encode_stream", points=2, hint="@torch.no_grad() above the function, no `with` around a yield.")
def test_stream_keeps_no_graph(lab, seed):
    """no gradients are computed inside, and the caller's gradients stay switched on between two latents"""
    vae = Vae()
    with torch.enable_grad():
        latents = stream(lab, vae, iter(film(seed, 9)))
        for _ in range(3):
            attempt(SAID, next, latents)
            assert torch.is_grad_enabled(), f"{SAID}: gradients are switched off for whoever takes a latent"
            assert not any(vae.graded), f"{SAID} computes gradients: the caches then keep every frame that ever came"


@exercise("encode_stream", points=2, hint="After the loop: if group: raise ValueError(…)")
def test_stream_ends(lab, seed):
    """ending within a group is a ValueError, after all complete latents; an empty stream gives nothing"""
    for ratio, num_frames, complete in ((4, 8, 2), (4, 3, 1), (3, 6, 2), (2, 6, 3)):
        why, got = f"{num_frames} frames, {ratio} per latent, end within a group", []
        streamed.refuses(lambda vae, frames, got=got: got.extend(lab.encode_stream(vae, frames)),
                         Vae(ratio), iter(film(seed, num_frames)), because=why)  # fmt: skip
        assert len(got) == complete, f"{why}: {complete} latents are complete, and {SAID} yields {len(got)}"
    assert attempt(SAID, list, stream(lab, Vae(), [])) == [], "an empty stream has no latents"
    one, other, alone = (stream(lab, Vae(), film(seed + k, 5)) for k in (0, 1, 0))
    parts = [attempt(SAID, next, latents) for latents in (one, other, one, alone, alone)]
    judge("with two streams at a time, the second latent of one", parts[2], parts[4])
