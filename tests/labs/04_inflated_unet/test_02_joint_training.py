"""Grader of lab 04.2, joint image and video training.

Oracles: loops over pictures, frames and tokens; counts of pairs; orders read off the batches that come out.
"""

import itertools
import math
from functools import partial

import pytest
import torch

from common.course.graders import Call, attempt, judge, number, record, tensor, theorems
from common.course.graders.joining import (
    ONE_WAY,
    RATIO_MISTAKES,
    cast,
    due,
    ends,
    filled,
    looks,
    mistaken,
    mixed,
    orders,
    packed,
    scrambled,
    share,
    ways,
    weighed,
)  # fmt: skip
from common.course.graders.values import noise, uniform

exercise = pytest.mark.exercise


def places(given):
    frames = given.get("num_frames", 1)
    return {"m": -(-len(given["images"]) // max(frames, 1)), "t": frames}


packs = Call("images_as_clips", takes={"images": "n c h w"}, sizes=places, parameters=("images", "num_frames"),
             gives=record("object", clips=tensor("m c t h w", "same"), present=tensor("m t", torch.bool)))  # fmt: skip


PILES = ((7, 3), (5, 2), (4, 4), (3, 1), (2, 5), (1, 1))


@exercise("images_as_clips", points=3, hint='F.pad or torch.cat with zeros, then rearrange "(m t) c h w -> m c t h w"')
def test_images(lab, seed, look):
    """picture n is frame n mod T of clip n // T; what is left is zeros"""
    rows = [(noise(seed + k, n, 2, 3, 4), t) for k, (n, t) in enumerate(PILES)] + [(noise(seed, 4, 3, 2, 5),)]
    mistakes = {
        "channels and frames are mixed: the frames are not moved behind the channels": scrambled,
        "the pictures are dealt out in turn. The first T fill the first clip": partial(packed, turns=True),
        "the last picture is repeated. Places that are left hold zeros": partial(packed, fill=lambda x: x),
        "the empty places come first. They are the last ones": partial(packed, first=True),
    }
    because = "picture n is frame n mod T of clip n // T"
    answers = packs.table(lab, rows, packed, mistakes, part="clips", because=because, tolerance=0)
    look(target=packed(*rows[0])[0, 0], yours=answers[0].value[0, 0])


@exercise("images_as_clips", points=2, hint="torch.arange(N + missing) < N, cut into rows of T; check the input first")
def test_images_present(lab, seed):
    """`present` says which places a picture fills; dtypes are kept; what is no pile of pictures is refused"""
    rows = [(noise(seed + k, n, 2, 3, 4), t) for k, (n, t) in enumerate(PILES)]
    mistakes = ways(filled, {"it says which places are empty: turn it around": {"flip": True},
                             "every place is said to be filled": {"full": True}})  # fmt: skip
    packs.table(lab, rows, filled, mistakes, part="present", because="the first N places are filled", tolerance=0)
    images = noise(seed, 5, 2, 3, 4)
    theorems.owes(packs, lab, images, 3, other=(noise(seed + 1, 4, 2, 3, 4), 2))
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        low = images.to(dtype)
        packs(lab, low, 2)["clips"].near(packed(low, 2), tolerance=0, because="the dtype is that of the images")
    answer = packs(lab, images, 4)
    back = answer["clips"].value.movedim(2, 1)[answer["present"].value]
    judge("clips.movedim(2, 1)[present]", back, images, tolerance=0, because="it should be the pictures again")
    for wrong in ((images[0], 2), (images[None], 2), (images[:0], 2), (images, 0), (images, -1)):
        packs.refuses(lab, *wrong)


sees = Call("present_mask", takes={"is_image": "b t", "present": "b t"}, gives=tensor("b one n n", torch.bool),
            parameters=("is_image", "present", "tokens_per_frame"),
            sizes=lambda given: {"one": 1,
                                 "n": given["is_image"].shape[-1] * given.get("tokens_per_frame", 1)})  # fmt: skip


@exercise(
    "present_mask",
    points=4,
    hint="(of_clip[:, :, None] & of_clip[:, None, :]) | eye, with of_clip = present & ~is_image",
)
def test_mask(lab, seed, look):
    """frames of the clip see each other, pictures and empty places see themselves alone"""
    rows = [(*cast(seed + 3 * k, b, t), *s) for k, (b, t, *s) in enumerate(((1, 7, 1), (3, 5), (2, 6, 1)))]
    mistakes = {message: partial(looks, rule=rule) for message, rule in ONE_WAY.items()}
    mistakes["frames look only at frames before them. In the clip all see each other"] = partial(looks, over="causal")
    because = "it is True where both are present frames of the clip, or both are the same frame"
    answers = sees.table(lab, rows, looks, mistakes, because=because, tolerance=0)
    look(target=looks(*rows[0])[0, 0].float(), yours=answers[0].value[0, 0].float())


@exercise("present_mask", points=3, hint="repeat_interleave(tokens_per_frame, dim) along both axes, then [:, None]")
def test_mask_tokens(lab, seed):
    """a frame's tokens see and are seen alike; samples are apart; what does not fit is refused"""
    rows = [(*cast(seed + 3 * k, b, t), s) for k, (b, t, s) in enumerate(((2, 5, 3), (1, 6, 2), (3, 4, 4)))]
    mistakes = ways(looks, {
        "tokens are numbered place by place. They come frame by frame: repeat_interleave": {"tiled": True},
        "the tokens of a picture do not see each other": {"own_token": True},
    })  # fmt: skip
    because = "tokens come frame by frame, and those of a frame are treated alike"
    sees.table(lab, rows, looks, mistakes, because=because, tolerance=0)
    is_image, present = cast(seed + 5, 3, 4)
    theorems.owes(sees, lab, is_image, present, 2, other=(*cast(seed + 7, 2, 5), 3))
    theorems.batch_is_samples(sees, lab, is_image, present, 2)
    clip, whole = torch.zeros(2, 3, dtype=torch.bool), torch.ones(2, 3, dtype=torch.bool)
    sees(lab, clip, whole, 2).equal(torch.ones(2, 1, 6, 6, dtype=torch.bool), because="a whole clip sees all of itself")
    for wrong in ((is_image[0], present[0], 2), (is_image, present[:, :3], 2), (is_image, present[:2], 2),
                  (is_image[None], present[None], 2), (is_image, present, 0), (is_image, present, -2)):  # fmt: skip
        sees.refuses(lab, *wrong)


scalars = record("object", **{part: tensor("", torch.float32) for part in ("loss", "video", "image")})
losses = Call("loss_by_kind", takes={"error": "b c t h w", "is_image": "b t", "present": "b t"}, gives=scalars,
              parameters=("error", "is_image", "present", "image_weight"))  # fmt: skip


@exercise("loss_by_kind", points=3, hint="(frames * w).sum() / w.sum(), where w is 1 or image_weight")
def test_loss(lab, seed, look):
    """the loss is the weighted mean over present frames"""
    rows = [(*mistaken(seed, 2, 3, 4, 2, 3), 0.4), (*mistaken(seed + 9, 3, 2, 5, 3, 2), 2.5),
            (*mistaken(seed + 18, 1, 2, 7, 1, 2), {"image_weight": 0.0})]  # fmt: skip
    mistakes = ways(weighed, {
        "the weight is on frames of clips. It is for pictures": {"swap": True},
        "it is a mean of the two means. Take one weighted mean over all frames": {"by": "kinds"},
        "the two means are added. Take one weighted mean over all frames": {"by": "sum of kinds"},
        "it is divided by the number of frames. Divide by the sum of the weights": {"by": "count"},
        "places that nothing fills count in the denominator": {"by": "places"},
        "places that nothing fills count": {"absent": True},
        "errors are summed. A frame's error is a mean": {"total": True},
    }) | {"the weight is not used": lambda e, i, p, image_weight: weighed(e, i, p)}  # fmt: skip
    because = "it is the sum of w · error over the sum of w"
    answers = losses.table(lab, rows, weighed, mistakes, part="loss", because=because)
    losses.table(lab, [mistaken(seed + 2, 2, 3, 4, 2, 3)], weighed, part="loss", because="the weight is 1 by default")
    look(target=weighed(*rows[0])[None, None], yours=answers[0].value[None, None])


@exercise("loss_by_kind", points=2, hint="present & ~is_image for clips, present & is_image for pictures")
def test_loss_kinds(lab, seed):
    """`video` and `image` are plain means of their own frames, whatever the weight"""
    rows = [(*mistaken(seed, 2, 3, 4, 2, 3), 0.4), (*mistaken(seed + 9, 3, 2, 5, 3, 2), 2.5)]
    for part, other in (("video", "image"), ("image", "video")):
        oracle = partial(weighed, part=part)
        mistakes = ways(oracle, {"that is the mean of the other kind": {"part": other},
                                 "that is the mean over both kinds": {"both": True},
                                 "the image weight is on it": {"weigh": True},
                                 "places that nothing fills count": {"absent": True},
                                 "it is divided by all places": {"by": "places"}})  # fmt: skip
        losses.table(lab, rows, oracle, mistakes, part=part, because=f"it is the mean over the {part} frames")


@exercise("loss_by_kind", points=3, hint="masked_fill(~present, 0.0) first; float() first; 0 where the weights are 0")
def test_loss_owes(lab, seed):
    """what nothing fills never counts; a kind that is missing is 0; float32; gradients; what does not fit is refused"""
    error, is_image, present = mistaken(seed, 2, 3, 4, 2, 3)
    theorems.owes(losses, lab, error, is_image, present, other=mistaken(seed + 5, 1, 2, 6, 2, 2))
    for bad in (math.inf, math.nan):
        broken = error.movedim(2, 1).clone()
        broken[~present] = bad
        for part in ("loss", "video", "image"):
            answer, want = (
                losses(lab, broken.movedim(1, 2), is_image, present),
                weighed(error, is_image, present, part=part),
            )
            answer[part].near(want, because=f"an error of {bad} where nothing is counts nowhere")
    nothing, images, clips = torch.zeros_like(present), torch.ones_like(present), torch.zeros_like(present)
    whole = torch.ones_like(present)
    single = nothing.clone()
    single[1, 2] = True
    for kinds, there, weight in (
        (images, whole, 1.0), (clips, whole, 1.0), (images, whole, 0.0), (is_image, nothing, 1.0),
        (images, single, 0.25), (images, whole, 0.01), (images, single, 3.0),
    ):  # fmt: skip
        answer = losses(lab, error.double(), kinds, there, weight)
        for part in ("loss", "video", "image"):
            want = weighed(error, kinds, there, weight, part=part)
            answer[part].near(want, because="it is the sum of w · error over the sum of w, or 0 where no weight is")
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        low = (error * 9 + 200).to(dtype)
        for part in ("loss", "video", "image"):
            answer, want = losses(lab, low, is_image, present), weighed(low, is_image, present, part=part)
            answer[part].near(want, tolerance=2e-6, because="means are taken in float32")
    for part in ("loss", "video", "image"):
        asks = error.clone().requires_grad_()
        answer = losses(lab, asks, is_image, present, 0.4)[part]
        weights = torch.where(is_image, 0.4 if part == "loss" else 1.0, 1.0) * present
        weights = weights * {"loss": whole, "video": ~is_image, "image": is_image}[part]
        share = (weights / weights.sum() / error[0, :, 0].numel())[:, None, :, None, None].expand_as(error)
        answer.gradients({"error": share})
    for wrong in ((error[0], is_image, present), (error, is_image[:, :3], present[:, :3]),
                  (error, is_image, present[:1]), (error, is_image[0], present[0]), (error, is_image.mT, present.mT),
                  (error, is_image, present, -0.5)):  # fmt: skip
        losses.refuses(lab, *wrong)


mixing = Call("mix_batches", parameters=("num_clips", "num_pictures", "picture_ratio", "batch_size", "generator",
                                         "num_frames"))  # fmt: skip


@exercise("mix_batches", points=4, hint="due = floor(r · n · B + 1e-6) so far; the batch gets what is not yet given")
def test_mix_ratio(lab, seed, look):
    """after n batches, floor(r · n · B) sequences were pictures: what a batch cannot hold is owed to the next"""
    cases, found = ((0.125, 4), (0.3, 7), (0.6, 3), (0.45, 5)), {}
    for ratio, size in cases:
        said, batches = mixed(lab, 24, 11, 13, ratio, size, seed, 2)
        found[ratio, size] = list(itertools.accumulate(len(rows) for _, rows in batches))
    want = {(r, size): [due(r, n, size) for n in range(1, 25)] for r, size in cases}
    if found != want:
        for message, formulas in RATIO_MISTAKES.items():
            for formula in formulas:
                made = {(r, s): [formula(r, n, s) for n in range(1, 25)] for r, s in cases}
                assert found != made, f"{said}: {message}"
    for key, so_far in found.items():
        judge(f"pictures' sequences so far, batch by batch, at a ratio of {key[0]:g} of {key[1]},", so_far, want[key],
              because="after n batches it is floor(ratio · n · B + 1e-6)", tolerance=0)  # fmt: skip
    for ratio, size in ((0.29, 100), (0.57, 20), (0.0, 3), (1.0, 3)):
        said, batches = mixed(lab, 10, 11, 13, ratio, size, seed, 1)
        so_far = list(itertools.accumulate(len(rows) for _, rows in batches))
        judge(f"pictures' sequences so far in {said}", so_far, [due(ratio, n, size) for n in range(1, 11)],
              because="the 1e-6 is for ratios that a float holds a little too small", tolerance=0)  # fmt: skip
    look(target=torch.tensor(want[0.3, 7])[None].float(), yours=torch.tensor(found[0.3, 7])[None].float())


@exercise("mix_batches", points=4, hint="while True: yield from torch.randperm(count, generator=generator).tolist()")
def test_mix_orders(lab, seed):
    """clips and pictures are taken in random orders, each its own, without replacement; the seed decides them"""
    for num_clips, num_pictures, ratio, size, frames in (
        (17, 23, 0.4, 6, 3), (19, 19, 0.5, 4, 1), (13, 11, 0.5, 30, 4)
    ):  # fmt: skip
        said, batches = mixed(lab, 40, num_clips, num_pictures, ratio, size, seed, frames)
        clips = [n for some, _ in batches for n in some]
        pictures = [n for _, rows in batches for row in rows for n in row]
        by_kind = {"clips": orders(said, clips, num_clips, "clips"),
                   "pictures": orders(said, pictures, num_pictures, "pictures")}  # fmt: skip
        if num_clips == num_pictures:
            assert by_kind["clips"][0] != by_kind["pictures"][0], (
                f"{said}: clips and pictures have one order. Each has its own"
            )
        torch.manual_seed(seed + 1)
        assert mixed(lab, 6, num_clips, num_pictures, ratio, size, seed, frames)[1] == batches[:6], (
            f"{said}: a generator with the same seed gives other batches: let the generator decide alone"
        )
        assert mixed(lab, 6, num_clips, num_pictures, ratio, size, seed + 1, frames)[1] != batches[:6], (
            f"{said}: a generator with another seed gives the same batches"
        )
    theorems.leaves_random_numbers_alone(said, lambda: mixed(lab, 5, 9, 8, 0.5, 4, seed, 2))


@exercise("mix_batches", points=2, hint="Check in the function itself, and put the `yield` into an inner one.")
def test_mix_owes(lab, seed):
    """four pictures per sequence by default; empty kinds where none is asked for; nonsense is refused at the call"""
    _, batches = mixed(lab, 8, 5, 6, 0.5, 4, seed)
    assert all(len(row) == 4 for _, rows in batches for row in rows)
    mixed(lab, 5, 7, 0, 0.0, 3, seed)
    mixed(lab, 5, 0, 7, 1.0, 3, seed)
    first = torch.Generator().manual_seed(seed)
    one, two = (
        attempt("mix_batches(…)", lab.mix_batches, 12, 12, 0.5, 4, g)
        for g in (first, torch.Generator().manual_seed(seed))
    )
    both = [[next(order).clips.tolist() for order in (one, two)] for _ in range(6)]
    assert all(a == b for a, b in both), "two iterators that are read in turn disturb each other: keep no global state"
    because = "the call itself raises, before the first batch is asked for"
    for wrong in ((5, 6, -0.1, 4), (5, 6, 1.01, 4), (5, 6, 0.5, 0), (5, 6, 0.5, -3), (0, 6, 0.5, 4), (5, 0, 0.5, 4),
                  (0, 6, 0.0, 4), (5, 0, 1.0, 4)):  # fmt: skip
        mixing.refuses(lab, *wrong, torch.Generator().manual_seed(seed), because=because)
    for frames in (0, -1):
        mixing.refuses(lab, 5, 6, 0.5, 4, torch.Generator().manual_seed(seed), frames, because=because)


forgets = Call("forgetting", takes={"before": "n", "after": "n"},
               gives=record("object", before=number(), after=number(), lost=number(),
                            interval=record("tuple", low=number(), high=number())))  # fmt: skip


PAIRS = ((40, 0.9, 0.5), (25, 0.3, 0.8), (7, 0.5, 0.5), (120, 0.97, 0.9))


def asked(seed, count, before, after):
    return tuple(uniform(seed + k, count, low=0, high=1) < part for k, part in enumerate((before, after)))


@exercise("forgetting", points=3, hint="b = (before & ~after).sum(), c = (~before & after).sum(); lost is (b - c) / N")
def test_forgetting(lab, seed, look):
    """shares before and after, and their difference: what was lost"""
    rows = [asked(seed + 3 * k, *pairs) for k, pairs in enumerate(PAIRS)]
    forms = {"lost": ways(partial(share, part="lost"), {
        "the sign is turned: what was lost is positive": {"turned": True},
        "its sign is lost: a model can also learn": {"size": True},
        "only pairs that got worse count. Those that got better count against them": {"of_right": "only"},
        "it is a share of what was right before. It is a share of all questions": {"of_right": True}}),
        "before": {"before and after are swapped": partial(share, part="after")},
        "after": {"before and after are swapped": partial(share, part="before")}}  # fmt: skip
    forms["lost"]["halves are added to it. It is (b - c) / N"] = lambda a, b: float(ends(a, b, clip=False).mean())
    forms["lost"]["it is in percent. It is a share"] = lambda a, b: 100 * share(a, b, part="lost")
    for part, mistakes in forms.items():
        answers = forgets.table(lab, rows, partial(share, part=part), mistakes, part=part,
                                because="shares are of all N questions")  # fmt: skip
        assert all(type(one.value) is float for one in answers), f"{answers[0].said} should be a plain float"
    look(target=torch.stack(rows[0]).float(), yours=torch.stack(rows[0]).float())


@exercise("forgetting", points=4, hint="n = N + 2, b' = b + 1/2, c' = c + 1/2, d = (b' - c') / n; then clip to [-1, 1]")
def test_forgetting_interval(lab, seed):
    """the interval is Agresti and Min's for pairs, within [-1, 1]; what does not fit is refused"""
    rows = [asked(seed + 3 * k, *pairs) for k, pairs in enumerate(PAIRS)]
    mistakes = ways(ends, {
        "the answers are taken for unpaired": {"unpaired": True},
        "no halves are added: it has no width where nothing changes": {"half": 0.0, "more": 0},
        "n is N + 2": {"more": 0},
        "it has 1.645 standard errors, which is 90 %": {"z": 1.645},
        "it has one standard error, not 1.96": {"z": 1.0},
        "n d² is not subtracted": {"square": False},
        "its middle is `lost`. It is d, with the halves": {"centre": "lost"},
        "it is divided by √n once too often": {"root": True},
        "b and c are swapped": {"turned": True},
    })  # fmt: skip
    edges = [tuple(torch.tensor(one) for one in pair) for pair in
             (([True], [False]), ([False, False], [True, True]), ([True] * 6, [True] * 6),
              ([False] * 4, [False] * 4))]  # fmt: skip
    for some, wrong in (
        (rows, mistakes),
        (edges, ways(ends, {"it leaves [-1, 1]: clip its ends": {"clip": False}}) | mistakes),
    ):
        found = [forgets(lab, *row)["interval"] for row in some]
        got = [torch.tensor([float(one[name].value) for name in ("low", "high")]) for one in found]
        want = [ends(*row) for row in some]
        if any((one - other).abs().max() > 1e-5 for one, other in zip(got, want)):
            for message, way in wrong.items():
                near = all((one - way(*row)).abs().max() < 1e-5 for one, row in zip(got, some))
                assert not near, f"{found[0].said}: {message}"
        for one, value, right in zip(found, got, want):
            judge(one.said, value, right, because="it is d ± 1.96 · sqrt(b' + c' - n d²) / n")
            assert all(type(end) is float for end in one.value), f"{one.said} should hold plain floats"
    theorems.owes(forgets, lab, *rows[0], other=rows[1])
    before, after = rows[0]
    for bad in ((before, after[:-1]), (before[:0], after[:0]), (before[None], after[None]), (before, after[None]),
                (before[0], after[0])):  # fmt: skip
        forgets.refuses(lab, *bad)
