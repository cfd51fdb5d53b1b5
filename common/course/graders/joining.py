"""Oracles of lab 04.2: pictures packed one by one, masks token by token, losses frame by frame, counts of pairs.

Each has keyword arguments that make a mistake, for messages that name it.
"""

import itertools
import math
from functools import partial

import torch

from common.course.graders.calls import attempt
from common.course.graders.values import coins, noise, uniform


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: partial(oracle, **how) for message, how in wrong.items()}


def packed(images, num_frames=1, *, turns=False, fill=torch.zeros_like, first=False):
    """Oracle: one picture after the other, and ways to do it wrong."""
    count = -(-len(images) // num_frames)
    clips = fill(images[-1:]).expand(count * num_frames, -1, -1, -1).clone()
    skip = count * num_frames - len(images) if first else 0
    for n, image in enumerate(images, start=skip):
        clips[n] = image
    if turns:
        return torch.stack([clips[m::count] for m in range(count)]).movedim(2, 1)
    return torch.stack([clips[m * num_frames :][:num_frames] for m in range(count)]).movedim(2, 1)


def filled(images, num_frames=1, *, flip=False, full=False):
    count = -(-len(images) // num_frames)
    rows = [[full or (m * num_frames + t < len(images)) for t in range(num_frames)] for m in range(count)]
    return torch.tensor(rows) ^ flip


def scrambled(images, num_frames=1):
    """The axes are cut anew without being moved."""
    clips = packed(images, num_frames)
    return clips.movedim(2, 1).reshape(clips.shape)


def by_frames(image_i, image_j, there_i, there_j, same):
    """Whether frame i may look at frame j, as the docstring has it."""
    return same or (there_i and there_j and not image_i and not image_j)


def looks(is_image, present, tokens_per_frame=1, *, rule=by_frames, tiled=False, own_token=False, over=None):
    """Oracle: every token at every token, and ways to do it wrong."""
    (batch, frames), s = is_image.shape, tokens_per_frame
    out = torch.zeros(batch, 1, frames * s, frames * s, dtype=torch.bool)
    frame = [n % frames if tiled else n // s for n in range(frames * s)]
    for b, i, j in itertools.product(range(batch), range(frames * s), range(frames * s)):
        f, g = frame[i], frame[j]
        if own_token and f == g and i != j and (is_image[b, f] or not present[b, f]):
            continue
        out[b, 0, i, j] = rule(is_image[b, f], is_image[b, g], present[b, f], present[b, g], f == g)
        if over == "causal":
            out[b, 0, i, j] &= f >= g
    return out


ONE_WAY = {
    "packed pictures see each other: each is alone": lambda a, b, p, q, same: same or (p and q and a == b),
    "pictures look at the clip. They see themselves alone": lambda a, b, p, q, same: same or (p and q and not b),
    "the clip looks at pictures. Each is seen by itself alone": lambda a, b, p, q, same: same or (p and q and not a),
    "`is_image` is not used: pictures and clip all see each other": lambda a, b, p, q, same: same or (p and q),
    "places that nothing fills take part: `present` is not used": lambda a, b, p, q, same: same or not (a or b),
    "places that nothing fills are seen by others": lambda a, b, p, q, same: same or (p and not a and not b),
    "places that nothing fills look at others": lambda a, b, p, q, same: same or (q and not a and not b),
    "a place that nothing fills sees nothing, and its softmax is not a number. It sees itself":
        lambda a, b, p, q, same: (p and q) and (same or not (a or b)),
    "a picture does not see itself": lambda a, b, p, q, same: (same and not a) or (p and q and not a and not b),
    "the mask says who may not look. True is for who may": lambda *given: not by_frames(*given),
}  # fmt: skip


def cast(seed, batch, frames):
    """Which frames are pictures and which places are filled, all four kinds of them in the batch."""
    is_image, present = coins(seed, batch, frames), uniform(seed + 1, batch, frames, low=0, high=1) < 0.75
    for k, (one, other) in enumerate(((True, True), (False, True), (False, True), (True, False), (False, False))):
        is_image.view(-1)[k], present.view(-1)[k] = one, other
    return is_image, present


def weighed(
    error,
    is_image,
    present,
    image_weight=1.0,
    *,
    part="loss",
    swap=False,
    by=None,
    absent=False,
    total=False,
    both=False,
    weigh=False,
):
    """Oracle: frame by frame, and ways to do it wrong."""
    top, bottom, sums = 0.0, 0.0, {True: [0.0, 0], False: [0.0, 0]}
    for b, t in itertools.product(*map(range, is_image.shape)):
        image = bool(is_image[b, t])
        if not (present[b, t] or absent):
            continue
        if part != "loss" and image != (part == "image") and not both:
            continue
        frame = error[b, :, t].double()
        value = float(frame.sum() if total else frame.mean())
        weight = 1.0 if part != "loss" or image == swap else float(image_weight)
        top, bottom = top + weight * value, bottom + weight
        sums[image] = [sums[image][0] + value, sums[image][1] + 1]
    means = {kind: value / max(count, 1) for kind, (value, count) in sums.items()}
    if by == "kinds":
        return torch.tensor((means[False] + image_weight * means[True]) / (1 + image_weight))
    if by == "sum of kinds":
        return torch.tensor(means[False] + image_weight * means[True])
    if by == "count":
        return torch.tensor(top / max(sums[True][1] + sums[False][1], 1))
    if by == "places":
        return torch.tensor(top / is_image.numel())
    return torch.tensor((image_weight if weigh else 1.0) * top / bottom if bottom else 0.0)


def mistaken(seed, batch, channels, frames, height, width):
    """Squared errors that differ from frame to frame, and three kinds of places."""
    size = uniform(seed + 4, batch, 1, frames, 1, 1, low=0.2, high=3.0)
    return noise(seed, batch, channels, frames, height, width).square() * size, *cast(seed + 1, batch, frames)


def orders(said, taken, count, kind):
    """The orders that numbers were taken in, each checked to be one of all samples."""
    outside = [n for n in taken if not 0 <= n < count]
    assert not outside, f"{said} takes number {outside[0] if outside else ''} of {count} {kind}"
    epochs = [taken[k : k + count] for k in range(0, len(taken) - count + 1, count)]
    if any(len({*epoch}) < count for epoch in epochs):
        why = "each is taken once before one is taken again: without replacement"
        if len({*epochs[0]}) == count:
            why = "once each was taken a new order begins, in the middle of a batch too, and nothing is left out"
        raise AssertionError(f"{said}: the {kind} come {taken[: 2 * count]}…. {why[0].upper()}{why[1:]}")
    numbers, doubled = list(range(count)), 2 * epochs[0]
    turned = any(doubled[k : k + count] == numbers for k in range(count))
    assert not turned, f"{said}: the {kind} come in the order of their numbers, not a random one"
    assert epochs[0] != epochs[1], f"{said}: the {kind} come in the same order again. Draw a new one each time"
    return epochs


def share(before, after, *, part, turned=False, size=False, of_right=False):
    """Oracle of the plain shares."""
    rows = list(zip(before.tolist(), after.tolist()))
    if part != "lost":
        return sum(row[part == "after"] for row in rows) / len(rows)
    lost = sum(a - b for a, b in rows)
    lost = -lost if turned else abs(lost) if size else sum(a and not b for a, b in rows) if of_right == "only" else lost
    return lost / (max(sum(before.tolist()), 1) if of_right is True else len(rows))


def ends(before, after, *, half=0.5, more=2, z=1.96, square=True, centre=None, unpaired=False, root=False, clip=True,
         turned=False):  # fmt: skip
    """Oracle: Agresti and Min's interval from the counts of pairs, and ways to do it wrong."""
    rows = list(zip(before.tolist(), after.tolist()))
    b, c, total = rows.count((True, False)) + half, rows.count((False, True)) + half, len(rows) + more
    b, c = (c, b) if turned else (b, c)
    d = (b - c) / total
    spread = math.sqrt(max(b + c - (total * d * d if square else 0), 0)) / total
    if unpaired:
        p, q = (share(before, after, part=part) for part in ("before", "after"))
        d, spread = p - q, math.sqrt((p * (1 - p) + q * (1 - q)) / len(rows))
    middle = share(before, after, part="lost") if centre == "lost" else d
    half_width = z * spread / (math.sqrt(total) if root else 1)
    low, high = middle - half_width, middle + half_width
    return torch.tensor([max(-1.0, low), min(1.0, high)] if clip else [low, high])


def mixed(lab, count, num_clips, num_pictures, ratio, size, seed, *frames):
    """The first batches of the learner's `mix_batches` as lists of numbers, each checked for its form."""
    more = "".join(f", {value}" for value in frames)
    said, t = f"mix_batches({num_clips}, {num_pictures}, {ratio:g}, {size}, …{more})", frames[0] if frames else 4
    generator = torch.Generator().manual_seed(seed)
    order = attempt(said, lab.mix_batches, num_clips, num_pictures, ratio, size, generator, *frames)
    assert hasattr(order, "__next__"), f"{said} is a {type(order).__name__}. It should be an iterator of batches"
    found = []
    for n in range(count):
        one = f"batch {n} of {said}"
        batch = attempt(one, next, order, None)
        assert batch is not None, f"{said} ends after {n} batches. It has no end"
        for name, form in (("clips", "(K,)"), ("pictures", f"(P, {t})")):
            got = getattr(batch, name, None)
            assert isinstance(got, torch.Tensor), f"{one} has no tensor `{name}`: give a MixedBatch"
            assert got.dtype == torch.int64, f"`{name}` of {one} should be int64, not {got.dtype}"
            right = got.ndim == 1 if name == "clips" else got.ndim == 2 and got.shape[1] == t
            assert right, f"`{name}` of {one} should be {form}, not {tuple(got.shape)}"
        total = len(batch.clips) + len(batch.pictures)
        assert total == size, f"{one} has {total} sequences, clips and rows of pictures together. It should have {size}"
        found.append((batch.clips.tolist(), batch.pictures.tolist()))
    return said, found


def due(ratio, n, size):
    """Sequences of pictures in the first n batches."""
    return math.floor(ratio * n * size + 1e-6)


RATIO_MISTAKES = {
    "every batch is rounded by itself, so the ratio is lost: what is missing is owed to the next": [
        lambda r, n, size, to=to: n * to(r * size) for to in (math.floor, round, math.ceil)
    ],
    "what is owed is rounded to the nearest. Round down": [lambda r, n, size: round(r * n * size)],
    "what is owed is rounded up. Round down": [lambda r, n, size: math.ceil(r * n * size - 1e-6)],
    "the ratio is that of the clips": [
        lambda r, n, size: n * size - math.ceil(r * n * size - 1e-6),
        lambda r, n, size: n * size - due(r, n, size),
        lambda r, n, size: due(1 - r, n, size),
    ],
    "it counts the batches from the wrong number: after n batches n · B sequences are out": [
        lambda r, n, size: due(r, n - 1, size),
        lambda r, n, size: due(r, n + 1, size),
    ],
}  # message -> formulas of the sequences of pictures so far
