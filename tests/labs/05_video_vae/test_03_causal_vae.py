"""Grader of lab 05.3, a causal 3D VAE.

Oracles: torch's own convolution over frames that were joined by hand, and stand-ins for encoders that note what they
are given. The library's parts of this lab are off limits while this file runs.
"""

import itertools
import weakref
from functools import partial

import pytest
import torch
from torch.nn import functional

from common.course.graders import Call, anything, attempt, judge, record, stand_ins, tensor, theorems, values

exercise = pytest.mark.exercise


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
        "the kernel is in the first slice, which meets the oldest frame. The present meets the last":
            partial(in_slice, place=0),
        "the kernel is in the middle slice. A causal layer has no future, so its present is the last slice":
            lambda w, n: in_slice(w, n, n // 2),
        "the kernel is spread over the slices: the layer would average over time":
            lambda w, n: torch.stack([w / n] * n, dim=2),
        "the kernel is in every slice. All but the last are zero": lambda w, n: torch.stack([w] * n, dim=2),
    }  # fmt: skip
    because = "the last slice is the picture's kernel, all others are zero"
    answers = inflated.table(lab, rows, in_slice, mistakes, because=because)
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
convolved = Call("layer", takes={"x": "b i t h w"}, parameters=("x", "cache"), fresh=True,
                 sizes=lambda given: {"o": OUT},
                 gives=record("tuple", output=tensor("b o t h w", "same"), cache=tensor(None, "same")))  # fmt: skip


class Layers:
    """The learner's layers, one per kernel, in double precision; called with a clip and `kernel=`."""

    def __init__(self, lab, seed):
        self.made = {}
        for kernel in KERNELS:
            layer = attempt(f"CausalConv3d({IN}, {OUT}, {kernel})", lab.CausalConv3d, IN, OUT, kernel)
            self.made[kernel] = stand_ins.fill(layer, seed).double()

    def __call__(self, x, cache=None, kernel=KERNELS[0]):
        return self.made[kernel](x, cache)

    def convolve(self, x, cache=None, kernel=KERNELS[0], read=None):
        """Oracle: torch's convolution over what a layer reads; `read` makes that in a wrong way."""
        conv, pad = self.made[kernel].conv, (0, kernel[1] // 2, kernel[2] // 2)
        return functional.conv3d((read or joined)(x, cache, kernel), conv.weight, conv.bias, padding=pad)

    def made_of(self, wrong):
        """Message to the output of a layer that reads something wrong."""
        return {message: partial(self.convolve, read=read) for message, read in wrong.items()}


def frames(seed, num_frames, batch=2):
    return values.noise(seed, batch, IN, num_frames, 5, 7).double()


def joined(x, cache=None, kernel=KERNELS[0]):
    """What a layer reads: the past, then the clip."""
    return torch.cat([x[:, :, [0] * (kernel[0] - 1)] if cache is None else cache, x], dim=2)


def picked(start):
    """Ways to read it wrong: `start(n, T)` numbers the frames, and out of range is the nearest."""

    def read(x, cache, kernel):
        wanted = torch.tensor(start(kernel[0] - 1, x.shape[2]), dtype=torch.long)
        return x[:, :, wanted.clamp(0, x.shape[2] - 1)]

    return read


@exercise("CausalConv3d", points=4, hint="x[:, :, :1].expand(-1, -1, self.num_past, -1, -1) in front of x.")
def test_conv_begins(lab, seed, look):
    """without a cache, the past is made of copies of the first frame"""
    layers = Layers(lab, seed)
    wrong = {
        "the past is filled with zeros. Copies of the first frame belong there, so that a still picture stays still":
            lambda x, cache, kernel: torch.cat([0 * x[:, :, [0] * (kernel[0] - 1)], x], dim=2),
        "half of the padding is behind the clip: the layer looks ahead":
            picked(lambda n, t: range(-(n // 2), t + n - n // 2)),
        "all of the padding is behind the clip: the layer looks at the future": picked(lambda n, t: range(t + n)),
        "the past mirrors the frames that follow: it looks ahead": picked(lambda n, t: [*range(n, 0, -1), *range(t)]),
        "the past is made of copies of the last frame": picked(lambda n, t: [*[t] * n, *range(t)]),
    }  # fmt: skip
    rows = [(frames(seed + t, t, batch), {"kernel": kernel}) for t, batch in ((6, 2), (1, 3)) for kernel in KERNELS]
    answers = convolved.table(layers, rows, layers.convolve, layers.made_of(wrong), part="output",
                              because="copies of frame 0 are the past")  # fmt: skip
    look(target=layers.convolve(rows[0][0])[0, 0, :, 2].detach(), yours=answers[0].value[0, 0, :, 2].detach())


@exercise("CausalConv3d", points=3, hint="torch.cat([cache, x], dim=2), with the cache that is given.")
def test_conv_goes_on(lab, seed):
    """with a cache, the past is the cache, whatever it holds, also zeros"""
    layers = Layers(lab, seed)
    wrong = {
        "the cache is not used: the past is made of copies of this piece's first frame":
            lambda x, cache, kernel: joined(x, None, kernel),
        "the cache is used backwards": lambda x, cache, kernel: joined(x, cache.flip(2), kernel),
        "the cache is behind the piece. It is what came before": lambda x, cache, kernel: torch.cat([x, cache], dim=2),
    }  # fmt: skip
    rows = [(frames(seed + t, t), times * frames(seed + 9, kernel[0] - 1), {"kernel": kernel})
            for t, times in ((5, 1), (1, 1), (2, 0)) for kernel in KERNELS[:3]]  # fmt: skip
    because = "it goes on from the cache"
    convolved.table(layers, rows, layers.convolve, layers.made_of(wrong), part="output", because=because)


def last_seen(x, cache=None, kernel=KERNELS[0]):
    """Oracle: the end of what the layer reads."""
    return joined(x, cache, kernel)[:, :, x.shape[2] :]


@exercise("CausalConv3d", points=3, hint="Cut it off the joined tensor: x[:, :, x.shape[2] - self.num_past :].clone()")
def test_conv_cache(lab, seed):
    """the new cache is a copy of the last kernel - 1 frames seen, also where a piece is shorter, or a kernel is 1"""
    layers = Layers(lab, seed)
    mistakes = {
        "the new cache is cut from the piece alone. A short piece leaves room for older frames":
            lambda x, cache=None, kernel=None: x[:, :, max(0, x.shape[2] - kernel[0] + 1) :],
        "x[:, :, -0:] is all of x. A kernel of one frame needs no past":
            lambda x, cache=None, kernel=None: last_seen(x, cache, kernel) if kernel[0] > 1 else x,
        "the new cache has the first frames that were read. The last ones come before the next piece":
            lambda x, cache=None, kernel=None: joined(x, cache, kernel)[:, :, : kernel[0] - 1],
        "the new cache holds outputs. The next piece is joined with inputs":
            lambda x, cache=None, kernel=None: (
                layers.convolve(x, cache, kernel)[:, :, max(0, x.shape[2] - kernel[0] + 1) :]),
    }  # fmt: skip
    rows = [(frames(seed, t), *([frames(seed + 9, kernel[0] - 1)] if goes_on else []), {"kernel": kernel})
            for t, goes_on in ((6, False), (5, True), (1, False), (1, True)) for kernel in KERNELS]  # fmt: skip
    convolved.table(layers, rows, last_seen, mistakes, part="cache", tolerance=0.0,
                    because="it is the last kernel - 1 frames of the past and the piece together")  # fmt: skip
    for channels in (2, 1):  # of one clip of one channel a slice in time is contiguous: .contiguous() copies nothing
        layer = stand_ins.fill(lab.CausalConv3d(channels, OUT, (3, 1, 1)), seed)
        answer = convolved(layer, values.noise(seed, 1, channels, 9, 5, 7))
        held = answer["cache"].value.untyped_storage().nbytes() // (4 * channels * 5 * 7)
        assert held <= 2, f"the cache of {answer.said} keeps {held} frames in memory, not 2: a slice is a view. Copy it"


@exercise("CausalConv3d", points=3, hint="Is all of the padding in front, and the cache the end of the joined frames?")
def test_conv_streams(lab, seed):
    """change frame k and nothing before it moves; a clip in pieces of any length gives what the whole gives"""
    layers = Layers(lab, seed)
    alone = Call("layer", takes={"x": "b i t h w"}, gives=tensor("b o t h w"), sizes=lambda given: {"o": OUT})
    for k in (0, 3, 6):
        theorems.moves(alone, lambda x: layers(x)[0], frames(seed, 7), change={"x": (slice(None), slice(None), k)},
                       along="t", only=range(k, 7), must=range(k, min(k + 3, 7)), tolerance=0.0,
                       because="they come before it, so the layer looks ahead")  # fmt: skip
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
    layers, x, cache = Layers(lab, seed), frames(seed, 5), frames(seed + 1, 2)
    layer = layers.made[KERNELS[0]]
    theorems.gradient_is_whole("layer(x)", lambda x: [convolved(layer, x)["output"].value], {"x": x})
    theorems.gradient_is_whole("layer(x, cache)", lambda x, cache: [convolved(layer, x, cache)["output"].value],
                               {"x": x, "cache": cache})  # fmt: skip
    output = convolved(layer, x)["output"]
    theorems.learns(output.said, output.value, dict(layer.named_parameters()))
    theorems.batch_is_samples(convolved, layer, x)
    theorems.owes(convolved, layer, x, cache, other=[frames(seed + 2, 2)], batch_of_one=False)
    convolved(layer.float(), x.float(), cache.float())


# ---------------------------------------------------------------------------------------------- causal_downsample

down = Call("causal_downsample", parameters=("encoder", "clip", "caches", "ratio"), gives=anything())


class Caches(list):
    """An encoder's caches. An encoder without memory has none of them, and they are falsy."""


class Encoder:
    """Latents that remember: each is the weighted sum of its group, plus half of the latent before."""

    def __init__(self, ratio):
        self.ratio, self.weights = ratio, torch.linspace(0.3, 1.7, ratio)

    def __call__(self, groups, caches):
        before, latents = (caches[0] if caches else 0.0), []
        for group in groups.split(self.ratio, dim=2):
            before = torch.einsum("bcthw,t->bchw", group, self.weights[: group.shape[2]].to(group)) + 0.5 * before
            latents.append(before)
        return torch.stack(latents, dim=2), Caches([before])


def groups_given(lab, clip, caches, ratio):
    """What the encoder was given, after a look at how it was called and what came back."""
    given, returns = [], (torch.ones(2), Caches(["new"]))

    def encoder(groups, caches):
        given.append((groups, caches))
        return returns

    answer = down(lab, encoder, clip, caches, ratio=ratio)
    assert len(given) == 1, f"{answer.said} calls the encoder {len(given)} times. Once is enough: it takes all groups"
    assert given[0][1] is caches, f"{answer.said} gives the encoder other caches than it was given"
    right = isinstance(answer.value, tuple) and len(answer.value) == 2
    assert right and answer.value[0] is returns[0] and answer.value[1] is returns[1], (
        f"{answer.said} should return what the encoder returns: latents and caches"
    )
    return answer.said, given[0][0]


def begun(clip, ratio, fill=lambda clip: clip[:, :, :1], behind=False):
    """The groups at the beginning; and ways to do it wrong."""
    copies = [fill(clip)] * (ratio - 1)
    return torch.cat([clip, *copies] if behind else [*copies, clip], dim=2)


@exercise("causal_downsample", points=3, hint="clip[:, :, :1].expand(-1, -1, ratio - 1, -1, -1) in front.")
def test_down_begins(lab, seed):
    """at the beginning the first frame is repeated until it fills a group, for any ratio"""
    for ratio, k in ((4, 2), (2, 3), (3, 1), (4, 0), (8, 1), (1, 4)):
        clip = values.noise(seed + k, 2, 3, 1 + ratio * k, 4, 5)
        said, got = groups_given(lab, clip, None, ratio)
        mistakes = {
            "the first group is filled with zeros. Repeat the first frame":
                begun(clip, ratio, lambda c: 0 * c[:, :, :1]),
            "the last frame is repeated behind the clip. The first latent then sees more than the first frame":
                begun(clip, ratio, lambda c: c[:, :, -1:], behind=True),
            "the encoder gets the clip as it is. The first frame needs a group of its own": clip,
            "the first frame is there once too often: ratio - 1 copies fill its group":
                torch.cat([clip[:, :, :1], begun(clip, ratio)], dim=2),
            "the first frame fills a group of 4, whatever the ratio": begun(clip, 4),
        }  # fmt: skip
        judge(f"{said}: what the encoder is given", got, begun(clip, ratio), mistakes, tolerance=0.0,
              because="it is the first frame, ratio times, then the rest")  # fmt: skip


@exercise("causal_downsample", points=2, hint="if caches is None: … ; then return encoder(clip, caches)")
def test_down_goes_on(lab, seed):
    """later pieces reach the encoder as they are, whatever the caches hold"""
    copies = "this is a later piece, for it has caches. It gets no copies of its first frame"
    for (ratio, k), caches in itertools.product(((4, 2), (3, 1), (2, 2)), (Caches(["old"]), Caches(), 0)):
        clip = values.noise(seed, 2, 3, ratio * k, 4, 5)
        said, got = groups_given(lab, clip, caches, ratio)
        judge(f"{said}: what the encoder is given", got, clip, {copies: begun(clip, ratio)}, tolerance=0.0)


@exercise("causal_downsample", points=3, hint="The first frame has a group of its own; later pieces have caches.")
def test_down_is_causal(lab, seed, look):
    """the first latent is the picture's own, no latent sees later frames, and pieces give what the whole gives"""

    def run(clip, caches=None):
        return attempt(said, lab.causal_downsample, Encoder(3), clip, caches, 3)

    clip, said = values.noise(seed, 2, 3, 10, 4, 5).double(), "causal_downsample of 10 frames, 3 per latent"
    whole, caches, parts = run(clip)[0], None, []
    judge(f"{said}: the first latent", whole[:, :, :1], run(clip[:, :, :1])[0], because="it is that of frame 0 alone")
    for k in range(1, 10):
        changed = clip.clone()
        changed[:, :, k] += 1.0
        moved = (run(changed)[0] - whole).abs().amax(dim=(0, 1, 3, 4))
        assert (moved[: -(-k // 3)] == 0).all(), f"{said}: frame {k} was changed, and an earlier latent moved"
    for piece in clip.split([1, 6, 3], dim=2):
        part, caches = run(piece, caches)
        parts.append(part)
    theorems.streams(whole, parts, axis=2, said=said)
    theorems.gradient_is_whole(said, lambda clip: [run(clip)[0]], {"clip": clip})
    theorems.owes(Call("causal_downsample", gives=tensor("b c k h w")), lambda clip: run(clip)[0], clip)
    look(target=Encoder(3)(begun(clip, 3), None)[0][0, 0, :, 2], yours=whole[0, 0, :, 2])


@exercise("causal_downsample", points=1, hint="(T - 1) % ratio at the beginning, T % ratio later; T of 0 never.")
def test_down_refuses_nonsense(lab, seed):
    """other numbers of frames than 1 + ratio k, or ratio k later: ValueError"""
    beginnings, pieces = {4: (0, 2, 4, 7, 8), 3: (0, 2, 3, 5), 1: (0,)}, {4: (0, 1, 5, 6), 3: (0, 1, 4), 1: (0,)}
    for caches, ratio in itertools.product((None, Caches(), Caches(["old"])), (4, 3, 1)):
        for count in (beginnings if caches is None else pieces)[ratio]:
            down.refuses(lab, Encoder(ratio), torch.zeros(1, 2, count, 4, 5), caches, ratio=ratio)


# ---------------------------------------------------------------------------------------------- encode_stream

streamed = Call("encode_stream", parameters=("vae", "frames"), gives=anything())
SAID = "encode_stream(vae, frames)"


class Vae(torch.nn.Module):
    """A causal autoencoder of one weight, which notes whether gradients are on."""

    def __init__(self, ratio=4):
        super().__init__()
        self.temporal_compression_ratio, self.encoder, self.graded = ratio, Encoder(ratio), []
        self.gain = torch.nn.Parameter(torch.tensor(0.7))

    def encode_chunk(self, piece, caches=None):
        ratio, begins = self.temporal_compression_ratio, caches is None
        assert piece.shape[2] % ratio == (1 % ratio if begins else 0), (
            f"{SAID} gives encode_chunk {piece.shape[2]} frames {'first' if begins else 'later'}, at {ratio} per latent"
        )
        self.graded.append(torch.is_grad_enabled())
        latents, caches = self.encoder(begun(piece, ratio) if begins else piece, caches)
        return Distribution(self.gain * latents), caches


class Distribution:
    """What `encode_chunk` returns: only its mode is the latents."""

    def __init__(self, mean):
        self.mode, self.sample = lambda: mean, lambda generator=None: mean + 1


def film(seed, num_frames):
    return list(values.noise(seed, num_frames, 2, 3, 4, 6))


def stream(lab, vae, frames):
    """The latents as an iterator."""
    answer = streamed(lab, vae, frames)
    assert hasattr(answer.value, "__iter__"), f"{SAID} gives {type(answer.value).__name__}. It should yield latents"
    return iter(answer.value)


@exercise("encode_stream", points=4, hint="One frame for the first latent, then ratio of them; hand the caches on.")
def test_stream_latents(lab, seed, look):
    """each latent is that of the whole clip, one per yield, for any ratio and any iterable of frames"""
    for ratio, num_latents in ((4, 4), (3, 3), (2, 1), (1, 5)):
        vae, clip = Vae(ratio), film(seed, 1 + ratio * (num_latents - 1))
        groups = begun(torch.stack(clip, dim=2), ratio)
        truth = 0.7 * vae.encoder(groups, None)[0]
        apart = torch.cat([0.7 * vae.encoder(group, None)[0] for group in groups.split(ratio, dim=2)], dim=2)
        for given in (clip, tuple(clip), iter(clip), torch.stack(clip)):
            got = attempt(SAID, list, stream(lab, vae, given))
            shapes = [tuple(z.shape) if isinstance(z, torch.Tensor) else type(z).__name__ for z in got]
            assert shapes == [(2, 3, 1, 4, 6)] * num_latents, (
                f"{SAID} with {len(clip)} frames, {ratio} per latent, should yield {num_latents} latents of shape "
                f"(2, 3, 1, 4, 6), not {shapes}"
            )
            mistakes = {"the caches are not handed on: every latent is encoded as if it were the first": apart}
            judge(f"{SAID} with {len(clip)} frames, {ratio} per latent,", torch.cat(got, dim=2), truth, mistakes,
                  because="the latents are mode(), those of the whole clip")  # fmt: skip
        if ratio == 4:
            look(target=truth[0, 0, :, 2].detach(), yours=torch.cat(got, dim=2)[0, 0, :, 2].detach())


@exercise("encode_stream", points=3, hint="Go through frames with a for loop, and yield inside it.")
def test_stream_is_a_stream(lab, seed):
    """no frame is taken before the next latent needs it, and those of earlier latents are forgotten; it may go on"""
    for ratio in (4, 3):
        alive: list = []

        def endless(alive=alive, most=12 * ratio):
            for frame in itertools.count():
                assert frame < most, (
                    f"{SAID} has taken {frame} frames and wants more, but the stream may never end. Yield each latent "
                    "as soon as its frames are there"
                )
                picture = values.noise(seed + frame, 2, 3, 4, 6)
                alive.append(weakref.ref(picture))
                yield picture

        latents = stream(lab, Vae(ratio), endless())
        for k in range(9):
            attempt(SAID, next, latents)
            assert len(alive) == 1 + ratio * k, (
                f"{SAID} took {len(alive)} frames for {k + 1} latents. {1 + ratio * k} are enough"
            )
            held = sum(picture() is not None for picture in alive)
            assert held <= ratio + 2, f"{SAID} still holds {held} frames after {k + 1} latents: forget them"


@exercise("encode_stream", points=2, hint="@torch.no_grad() above the function, no `with` around a yield.")
def test_stream_keeps_no_graph(lab, seed):
    """no gradients are computed inside, and the caller's gradients stay switched on between two latents"""
    vae = Vae()
    with torch.enable_grad():
        latents = stream(lab, vae, iter(film(seed, 9)))
        for _ in range(3):
            latent = attempt(SAID, next, latents)
            assert torch.is_grad_enabled(), (
                f"{SAID}: gradients are switched off for whoever takes a latent. A `with` block stays open while the "
                "generator waits. Put @torch.no_grad() above the function"
            )
            assert not latent.requires_grad and not any(vae.graded), (
                f"{SAID} computes gradients: the caches then keep every frame that ever came. Switch them off"
            )


@exercise("encode_stream", points=2, hint="After the loop: if group: raise ValueError(…)")
def test_stream_ends(lab, seed):
    """ending within a group is a ValueError, after all complete latents; an empty stream gives nothing"""
    for ratio, num_frames, complete in ((4, 8, 2), (4, 3, 1), (3, 6, 2), (2, 6, 3)):
        said = f"{SAID} with {num_frames} frames, {ratio} per latent, which end within a group,"
        latents, got = stream(lab, Vae(ratio), film(seed, num_frames)), []

        def refuses(latents=latents, got=got):
            try:
                got.extend(latent for latent in latents)
            except ValueError:
                return True

        refused = attempt(SAID, refuses)
        assert refused, f"{said} should raise ValueError, and it yields {len(got)} latents"
        assert len(got) == complete, f"{said} yields {len(got)} latents before the error. {complete} are complete"
    assert attempt(SAID, list, stream(lab, Vae(), [])) == [], "an empty stream has no latents"
    one, other = (stream(lab, Vae(), film(seed + k, 5)) for k in (0, 1))
    parts = [attempt(SAID, next, latents) for latents in (one, other, one)]
    alone = attempt(SAID, list, stream(lab, Vae(), film(seed, 5)))
    judge("with two streams at a time, the second latent of one", parts[2], alone[1])
