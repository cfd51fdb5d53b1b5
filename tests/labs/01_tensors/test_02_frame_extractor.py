"""Grader of lab 01.2, the frame extractor.

Every test has its own oracle: an exhaustive search, a closed form, or a clip whose frames carry their own number. The
library's parts are off limits while this file runs.
"""

from fractions import Fraction
from numbers import Integral

import av
import numpy as np
import pytest
import torch
from av.video.reformatter import VideoReformatter

from common.course.grader_tools import attempt, refuses
from common.data import clip_path
from common.video import VideoReader, read_frames

exercise = pytest.mark.exercise


# ---------------------------------------------------------------------------------------------- even_indices


def even_answer(lab, total, num_frames):
    """The learner's list, with everything but its values already checked."""
    got = attempt(f"even_indices({total}, {num_frames})", lab.even_indices, total, num_frames)
    assert isinstance(got, list), (
        f"even_indices({total}, {num_frames}) returned {type(got).__name__}; a plain list is asked for"
    )
    odd = [i for i in got if not isinstance(i, Integral)]
    assert not odd, (
        f"the list holds {type(odd[0]).__name__} ({odd[0]!r}) where whole numbers are asked for: "
        "round, then finish with .tolist()"
    )
    assert len(got) == num_frames, (
        f"even_indices({total}, {num_frames}) gave {len(got)} indices instead of {num_frames}: {got}"
    )
    return got


@exercise("even_indices", points=1, hint="Both ends belong to the sample: from frame 0 to frame total - 1.")
def test_even_ends(lab):
    """the first frame of the film comes first and the last frame comes last"""
    for total, num_frames in ((48, 4), (97, 5), (7, 7), (240, 2)):
        got = even_answer(lab, total, num_frames)
        said = f"even_indices({total}, {num_frames}) = {got}"
        assert got[0] == 0, f"{said} does not start with the first frame, 0"
        assert max(got) < total, (
            f"{said} asks for frame {max(got)}, which does not exist: {total} frames are numbered 0 to {total - 1}"
        )
        assert got[-1] == total - 1, (
            f"{said} never shows the last frame, {total - 1}: between N frames there are N - 1 steps"
        )


@exercise(
    "even_indices",
    points=2,
    hint="Compute every position from k itself, then round; .long() and int() cut the fraction off.",
)
def test_even_rounds(lab):
    """every index is the nearest frame to its exact position k (n - 1) / (N - 1)"""
    for total, num_frames in ((48, 4), (100, 7), (31, 12), (9, 4), (1001, 16), (14315, 33)):
        got = even_answer(lab, total, num_frames)
        exact = [Fraction(k * (total - 1), num_frames - 1) for k in range(num_frames)]
        cut_off = [int(x) for x in exact]
        assert got != cut_off, (
            f"even_indices({total}, {num_frames}) = {got}: the fractions are cut off (truncated), "
            "not rounded, so frames come early"
        )
        for k, (i, x) in enumerate(zip(got, exact)):
            assert abs(i - x) <= Fraction(1, 2), (
                f"even_indices({total}, {num_frames})[{k}] is {i}, "
                f"but the exact position is {float(x):.2f}: the steps are not even"
            )


@exercise(
    "even_indices", points=1, hint="linspace with one entry gives its start; a formula that divides by N - 1 does not."
)
def test_even_one_frame(lab):
    """one frame out of many is the first one"""
    for total in (1, 2, 37):
        got = even_answer(lab, total, 1)
        assert got == [0], f"even_indices({total}, 1) = {got}; with a single frame the answer is [0]"


@exercise("even_indices", points=1, hint="The formula holds for N > n too: frames repeat.")
def test_even_more_than_there_are(lab):
    """asking for more frames than there are repeats frames, in order"""
    got = even_answer(lab, 3, 8)
    assert set(got) == {0, 1, 2}, (
        f"even_indices(3, 8) = {got}: a film of three frames holds the frames 0, 1 and 2, each to be shown"
    )
    assert got == sorted(got), f"even_indices(3, 8) = {got} goes back in time"
    got = even_answer(lab, 1, 4)
    assert got == [0, 0, 0, 0], f"even_indices(1, 4) = {got}; a film of one frame can only repeat it"


@exercise("even_indices", points=1, hint="if num_frames < 1: raise ValueError(f'... {num_frames}')")
def test_even_refuses_nonsense(lab):
    """no frames wanted, or none there, is a ValueError that names the value"""
    for total, num_frames, bad in ((10, 0, 0), (10, -3, -3), (0, 4, 0), (-7, 1, -7)):
        refuses(f"even_indices({total}, {num_frames})", bad, lab.even_indices, total, num_frames)


# ---------------------------------------------------------------------------------------------- fps_indices

PHONE = [0.0, 0.1, 0.2, 0.6, 0.7, 1.3, 1.4, 1.5]  # seconds; two gaps where the phone dropped frames


def on_screen(timestamps, instant):
    """Oracle: go through the film until a frame begins after the instant."""
    shown = 0
    for i, begin in enumerate(timestamps):
        if begin <= instant + 1e-6:
            shown = i
    return shown


def fps_answer(lab, timestamps, fps, num_frames, start=0.0):
    said = f"fps_indices(..., fps={fps:g}, num_frames={num_frames}, start={start:g})"
    got = attempt(said, lab.fps_indices, np.asarray(timestamps), fps, num_frames, start)
    assert isinstance(got, list), f"{said} returned {type(got).__name__}; a plain list is asked for"
    odd = [i for i in got if not isinstance(i, Integral)]
    assert not odd, (
        f"the list holds {type(odd[0]).__name__} ({odd[0]!r}) where whole numbers are asked for: "
        "round, then finish with .tolist()"
    )
    assert len(got) == num_frames, f"{said} gave {len(got)} indices instead of {num_frames}: {got}"
    return got


@exercise("fps_indices", points=1, hint="Frame k is wanted at start + k / fps.")
def test_fps_steady(lab):
    """a steady film: at its own rate every frame, at a third of it every third, at twice the rate every frame twice"""
    for file_fps, fps in ((24, 8), (30, 10), (25, 5), (24, 24), (12, 24)):
        got = fps_answer(lab, np.arange(80) / file_fps, fps, 9)
        want = [k * file_fps // fps for k in range(9)]
        assert got == want, f"at {fps} fps from a {file_fps} fps film I expect {want}, not {got}"


@exercise("fps_indices", points=2, hint="Search the timestamps; never multiply a time by a frame rate to get an index.")
def test_fps_uses_timestamps(lab):
    """with dropped frames, the frame that is on screen at each instant"""
    for fps in (5.0, 4.0, 7.0):
        on_screen_at_each_instant(lab, fps)


def on_screen_at_each_instant(lab, fps):
    num_frames = int(1.5 * fps)
    got = fps_answer(lab, PHONE, fps, num_frames)
    wanted = [k / fps for k in range(num_frames)]
    want = [on_screen(PHONE, t) for t in wanted]
    average = (len(PHONE) - 1) / PHONE[-1]
    by_index = [[min(len(PHONE) - 1, whole(t * average)) for t in wanted] for whole in (int, round)]
    if got != want and got in by_index:
        pytest.fail(
            f"{got}: these indices assume a constant rate. This file drops frames; "
            f"its timestamps {PHONE} say when each frame begins"
        )
    nearest = [int(np.abs(np.asarray(PHONE) - t).argmin()) for t in wanted]
    if got != want and got == nearest:
        pytest.fail(
            f"{got}: you take the nearest frame, which can lie in the future. "
            f"On screen is the last frame that has begun: {want}"
        )
    for k, (i, j) in enumerate(zip(got, want)):
        assert i == j, f"at {wanted[k]:.3f} s frame {j} is on screen (timestamps {PHONE}), but you take frame {i}"


@exercise(
    "fps_indices",
    points=1,
    hint="Compare with a small tolerance, such as a microsecond; compute instants as start + k / fps.",
)
def test_fps_tolerates_rounding(lab):
    """instants that fall exactly on a frame take that frame, in spite of floating point"""
    for file_fps, fps, start in (
        (30, 10, 0.1),
        (30, 30, 0.7),
        (24, 24, 1 / 3),
        (10, 10, 0.3),
        (60000 / 1001, 60000 / 1001, 0.0),
    ):
        timestamps = np.arange(700) / file_fps
        first = round(start * file_fps)
        step = round(file_fps / fps)
        got = fps_answer(lab, timestamps, fps, 200, start)
        late = [k for k, i in enumerate(got) if i != first + k * step]
        assert not late, (
            f"sample {late[0]} at {start + late[0] / fps:.6f} s should be frame {first + late[0] * step}, "
            "which begins at that very instant, "
            f"but you take frame {got[late[0]]}: rounding errors decide; "
            "compare with a tolerance, and do not add 1 / fps again and again"
        )


@exercise(
    "fps_indices",
    points=1,
    hint="A microsecond is enough; a tolerance of milliseconds takes frames that have not begun.",
)
def test_fps_small_tolerance(lab):
    """a frame that begins a few milliseconds later is not on screen yet"""
    timestamps = np.arange(200) / 100
    got = fps_answer(lab, timestamps, 10, 5, 0.097)
    want = [9, 19, 29, 39, 49]
    assert got == want, (
        f"from 0.097 s at 10 fps (timestamps 0.00, 0.01, ...) I expect {want}, not {got}: "
        "the next frame begins 3 ms later"
    )


@exercise("fps_indices", points=1, hint="The instants are start + k / fps, not k / fps.")
def test_fps_start(lab):
    """sampling begins at `start`, also in the middle of a frame, and in a film that drops frames"""
    steady = np.arange(100) / 25
    for timestamps, fps, starts in (
        (steady, 5, (0.0, 0.4, 1.01, 1.999)),
        (steady, 7, (0.33, 1.19)),
        (PHONE, 5, (0.3, 0.55)),
    ):
        for start in starts:
            got = fps_answer(lab, timestamps, fps, 5, start)
            want = [on_screen(timestamps, start + k / fps) for k in range(5)]
            film = "a steady 25 fps film" if timestamps is steady else f"timestamps {timestamps}"
            assert got == want, (
                f"{film}: with start={start} s at {fps} fps I expect {want}, not {got}: "
                "every instant counts from `start`"
            )


@exercise(
    "fps_indices",
    points=2,
    hint="The film ends one frame after its last timestamp; an instant at or past that end has no frame.",
)
def test_fps_past_the_end(lab):
    """past the end there is nothing to show: ValueError, but the last frame may be used while it is on screen"""
    timestamps = np.arange(24) / 12  # 2 seconds: the last frame is on screen from 1.917 s to 2.0 s
    got = fps_answer(lab, timestamps, 12, 24)
    assert got[-1] == 23, f"24 frames at 12 fps are exactly this film, but your last index is {got[-1]}"
    got = fps_answer(lab, timestamps, 10, 1, 1.95)
    assert got == [23], f"at 1.95 s the last frame, 23, is on screen, but you take {got}"
    for fps, num_frames, start in ((12, 25, 0.0), (8, 8, 1.5), (1, 1, 9.0)):
        last = start + (num_frames - 1) / fps
        said = f"past the end: the film ends at 2.0 s, and a frame at {last:.2f} s"
        refuses(said, None, lab.fps_indices, timestamps, fps, num_frames, start)


@exercise("fps_indices", points=1, hint="timestamps[-1] - timestamps[-2]; a clip of one frame lasts 1 / fps.")
def test_fps_last_frame_stays(lab):
    """the last frame stays as long as the one before it did, and a clip of one frame lasts 1 / fps"""
    timestamps = [0.0, 0.1, 0.2, 1.0]  # the last frame stays from 1.0 s to 1.8 s
    got = fps_answer(lab, timestamps, 2, 4)
    assert got == [0, 2, 3, 3], (
        f"timestamps {timestamps}: at 0, 0.5, 1.0 and 1.5 s the frames [0, 2, 3, 3] are on screen, not {got}"
    )
    refuses(
        "past the end: the last frame stays until 1.8 s, and a frame at 2.0 s", None, lab.fps_indices, timestamps, 2, 5
    )
    got = fps_answer(lab, [0.0], 4, 1)
    assert got == [0], f"a clip of a single frame shows it: [0], not {got}"
    refuses("past the end: a single frame lasts 1 / fps, and a second one", None, lab.fps_indices, [0.0], 4, 2)


@exercise("fps_indices", points=1, hint="Check each argument before using it.")
def test_fps_refuses_nonsense(lab):
    """a rate, count or start that makes no sense is a ValueError that names the value"""
    timestamps = np.arange(50) / 25
    for fps, num_frames, start, bad in ((0.0, 4, 0.0, 0), (-8.0, 4, 0.0, -8), (8.0, 0, 0.0, 0), (8.0, 4, -0.5, -0.5)):
        said = f"fps_indices(..., fps={fps}, num_frames={num_frames}, start={start})"
        refuses(said, bad, lab.fps_indices, timestamps, fps, num_frames, start)
    refuses("fps_indices([], ...) of a film without frames", None, lab.fps_indices, [], 8.0, 1)


# ---------------------------------------------------------------------------------------------- frames_to_clip


def colourful(num_frames=3, height=5, width=7, seed=0):
    """(T, H, W, C) bytes, every one drawn at random: no axis can be mistaken for another."""
    return np.random.default_rng(seed).integers(0, 256, (num_frames, height, width, 3), dtype=np.uint8)


def clip_answer(lab, frames):
    before = frames.copy()
    got = attempt(f"frames_to_clip of uint8 frames {frames.shape}", lab.frames_to_clip, frames)
    assert torch.is_tensor(got), f"expected a torch tensor, got {type(got).__name__}"
    assert (frames == before).all(), "the frames you were given have changed: work on a copy"
    return got


@exercise("frames_to_clip", points=1, hint="(T, H, W, C) in, (C, T, H, W) out.")
def test_clip_shape(lab):
    """channels first: (T, H, W, C) becomes (C, T, H, W)"""
    got = clip_answer(lab, colourful(num_frames=4))
    named = {
        (4, 3, 5, 7): "(T, C, H, W): frames still come first",
        (4, 5, 7, 3): "(T, H, W, C): as it came",
        (3, 4, 7, 5): "(C, T, W, H): height and width are swapped",
    }
    shape = tuple(got.shape)
    assert shape == (3, 4, 5, 7), (
        f"frames of shape (4, 5, 7, 3) should give (3, 4, 5, 7), not {shape} {named.get(shape, '')}".rstrip()
    )
    got = clip_answer(lab, colourful(num_frames=2)[..., :1])
    assert tuple(got.shape) == (1, 2, 5, 7), (
        f"grey frames (2, 5, 7, 1) have one channel: they should give (1, 2, 5, 7), not {tuple(got.shape)}"
    )


@exercise(
    "frames_to_clip",
    points=2,
    hint="Move axes with rearrange or permute; reshape leaves the numbers in their old order.",
)
def test_clip_keeps_pixels(lab, seed, look):
    """every pixel stays where it was: frame t, row h, column w, channel c"""
    frames = colourful(num_frames=4, height=5, width=7, seed=seed)
    got = clip_answer(lab, frames)
    if tuple(got.shape) != (3, 4, 5, 7):
        pytest.fail(f"expected shape (3, 4, 5, 7), got {tuple(got.shape)}")
    order = torch.from_numpy(frames).permute(3, 0, 1, 2).double()
    film = read_frames(clip_path("leap"), [12, 16, 20], size=72)  # (T, H, W, C)
    look(target=film, yours=clip_answer(lab, film))
    # compare the order alone: whatever affine map was used, larger bytes must map to larger numbers
    ranks_off = (got.double().flatten()[order.flatten().argsort(stable=True)].diff() < -1e-6).any().item()
    shredded = torch.equal(
        got.double().flatten().argsort(stable=True), torch.from_numpy(frames).double().flatten().argsort(stable=True)
    )
    assert not shredded, (
        "the shape is right but the picture is shredded: reshape/view keeps the numbers in their old "
        "order. Transpose the axes"
    )
    flipped = got.double().flip(0).flatten()[order.flatten().argsort(stable=True)].diff().min().item() > -1e-6
    assert not flipped, "red and blue are swapped: the channels of the result are in reverse order"
    assert not ranks_off, "pixels do not lie where they were: some position (c, t, h, w) holds another pixel's value"


@exercise("frames_to_clip", points=2, hint="x / 127.5 - 1, after turning the bytes into floats.")
def test_clip_values(lab):
    """0 becomes -1, 255 becomes 1, and the map between is straight"""
    ramp = np.arange(256, dtype=np.uint8).reshape(2, 16, 8, 1).repeat(3, axis=-1)  # (T, H, W, C): every byte once
    got = clip_answer(lab, ramp)
    assert got.dtype == torch.float32, f"expected float32, got {got.dtype}"
    low, high = got.min().item(), got.max().item()
    if abs(low) < 1e-6 and abs(high - 1) < 0.01:
        pytest.fail(f"your values run from {low:.3g} to {high:.3g}: that is the range 0 to 1. Models here want -1 to 1")
    if high > 2:
        pytest.fail(f"your values run from {low:.3g} to {high:.3g}: the bytes were not scaled to -1 to 1")
    for name, byte, want, reason in (
        ("black", 0, -1, "with bytes, subtracting wraps around; convert first"),
        ("white", 255, 1, "divide by 127.5, then subtract 1"),
    ):
        values = got.flatten(1)[:, -1 if byte else 0]  # one a channel, equal unless pixels have moved
        worst = values[(values - want).abs().argmax()].item()
        assert abs(worst - want) < 1e-6, f"{name} (byte {byte}) should become {want}, not {worst:.4f}: {reason}"
    dim = clip_answer(lab, np.full((2, 3, 4, 3), 51, np.uint8))
    assert (dim + 0.6).abs().max() < 1e-6, (
        f"a clip of nothing but 51s should be -0.6 everywhere, not {dim.flatten()[0].item():.4f}: "
        "the map is the same for every clip, whatever its darkest and brightest pixels are"
    )
    straight = torch.linspace(-1, 1, 256)
    off = (got.reshape(3, -1) - straight).abs().max().item()
    assert off < 1e-5, f"the map from bytes to [-1, 1] is not straight: off by up to {off:.4f}"


@exercise("frames_to_clip", points=1, hint="Look at frames.dtype and frames.ndim first.")
def test_clip_refuses_other_input(lab):
    """what is not uint8 (T, H, W, C) is a ValueError that says what it was"""
    refuses("frames_to_clip of one picture of shape (5, 7, 3)", "5, 7, 3", lab.frames_to_clip, colourful()[0])
    refuses("frames_to_clip of float32 frames", "float32", lab.frames_to_clip, colourful() / np.float32(255))


# ---------------------------------------------------------------------------------------------- motion_score


def motion_answer(lab, clip, **options):
    said = ", ".join([f"motion_score(clip {tuple(clip.shape)}", *(f"{k}={v}" for k, v in options.items())]) + ")"
    got = attempt(said, lab.motion_score, clip, **options)
    assert clip.ndim == 5 or np.ndim(got) == 0, (
        f"{said} has shape {tuple(np.shape(got))}; one clip has one score, a scalar ()"
    )
    return got


@exercise("motion_score", points=1, hint="Neighbouring frames: x[..., 1:, :, :] and x[..., :-1, :, :].")
def test_motion_known(lab):
    """a still picture scores 0; black-white flicker scores 1 a step"""
    still = torch.rand(3, 1, 4, 6).expand(3, 5, 4, 6).clone()
    got = float(motion_answer(lab, still, data_range=2.0))
    assert abs(got) < 1e-7, (
        f"a still clip should score 0, not {got:.4f}: differences must be taken along time (axis -3)"
    )
    flicker = torch.ones(3, 6, 4, 5)
    flicker[:, ::2] = -1
    got = float(motion_answer(lab, flicker, data_range=2.0))
    assert abs(abs(got) - 0.2) > 1e-6, (
        "black-white-black-white scores 1 step of 5: brightening and darkening cancel. "
        "Take absolute values before averaging"
    )
    default = float(motion_answer(lab, flicker))
    assert abs(default - got) < 1e-6, (
        f"without data_range the score is {default:.4f}, with data_range=2 it is {got:.4f}; 2 is the default"
    )
    if abs(got - 2) < 1e-6:
        pytest.fail(
            "black-white-black-white should score 1 a step, not 2: divide by data_range "
            "(and do not square: the absolute difference is asked for)"
        )
    assert abs(got - 1) < 1e-5, f"black-white-black-white should score 1 a step, the whole range, not {got:.4f}"


@exercise("motion_score", points=2, hint="Mean of |differences| over channels, steps, rows, columns.")
def test_motion_formula(lab, seed):
    """the mean absolute difference of neighbouring frames over the data range"""
    clip = torch.randn(2, 5, 4, 7, generator=torch.Generator().manual_seed(seed))
    total, count = 0.0, 0
    for t in range(4):
        total += (clip[:, t + 1].double() - clip[:, t].double()).abs().sum().item()
        count += clip[:, t].numel()
    for data_range in (2.0, 1.0, 255.0):
        want = total / count / data_range
        got = float(motion_answer(lab, clip, data_range=data_range))
        if abs(got - total / count) < 1e-6 and data_range != 1:
            pytest.fail(
                f"with data_range={data_range} the score is {want:.4f}; you return {got:.4f}, "
                "which forgets to divide by data_range"
            )
        if abs(got * 5 / 4 - want) < 1e-5 * max(1, want):
            pytest.fail(
                f"expected {want:.4f}, got {got:.4f}: 5 frames have 4 steps; you divide by the number of frames"
            )
        squared = (clip.diff(dim=1) ** 2).mean().item()
        if (
            min(
                abs(got - squared / data_range),
                abs(got - squared / data_range**2),
                abs(got - squared**0.5 / data_range),
            )
            < 1e-6
        ):
            pytest.fail(
                f"expected {want:.4f}, got {got:.4f}: that is the squared difference; "
                "the absolute difference is asked for"
            )
        assert abs(got - want) < 1e-5 * max(1, want), (
            f"with data_range={data_range} the score should be {want:.5f}, not {got:.5f}"
        )


@exercise(
    "motion_score", points=1, hint="Only neighbours count: the difference of frame 0 and frame 3 is not asked for."
)
def test_motion_only_neighbours(lab):
    """one changed frame in the middle counts twice: once when it comes, once when it goes"""
    clip = torch.zeros(3, 7, 4, 5)
    clip[:, 3] = 1.0
    want = 2 * 1.0 / 6 / 2.0
    got = float(motion_answer(lab, clip, data_range=2.0))
    assert abs(got - want) < 1e-6, (
        f"one odd frame among seven is 2 of 6 steps with half the range: {want:.4f}. You return {got:.4f}"
    )


@exercise("motion_score", points=1, hint="Average over the last four axes only: .mean(dim=(-4, -3, -2, -1)).")
def test_motion_batch(lab, seed):
    """a batch (B, C, T, H, W) gives one score a clip, the same as each clip alone"""
    batch = torch.randn(4, 3, 5, 2, 6, generator=torch.Generator().manual_seed(seed)) * torch.tensor(
        [0.1, 1, 2, 3]
    ).view(4, 1, 1, 1, 1)
    got = motion_answer(lab, batch, data_range=2.0)
    assert torch.is_tensor(got), f"expected a tensor of shape (4,), got {type(got).__name__}"
    assert got.shape == (4,), (
        f"a batch of 4 clips should give a score of shape (4,), one for each clip, not {tuple(got.shape)}"
    )
    for b in range(4):
        alone = float(motion_answer(lab, batch[b], data_range=2.0))
        assert abs(got[b].item() - alone) < 1e-5, (
            f"clip {b} scores {got[b].item():.4f} in the batch and {alone:.4f} alone"
        )


@exercise("motion_score", points=1, hint="score * fps when fps is given.")
def test_motion_per_second(lab, seed):
    """with fps the score is per second: the step score times fps"""
    clip = torch.randn(3, 6, 4, 5, generator=torch.Generator().manual_seed(seed))
    step = float(motion_answer(lab, clip, data_range=2.0))
    for fps in (8, 23.976):
        got = float(motion_answer(lab, clip, data_range=2.0, fps=fps))
        if abs(got - step / fps) < 1e-6:
            pytest.fail(f"with fps={fps} you divide by fps; there are fps steps in a second, so multiply")
        assert abs(got - step * fps) < 1e-4, (
            f"{step:.4f} a step at {fps} fps is {step * fps:.4f} per second, not {got:.4f}"
        )


@exercise(
    "motion_score",
    points=1,
    hint="if clip.shape[-3] < 2: raise ValueError(...), and the same for ndim, data_range and fps",
)
def test_motion_refuses_nonsense(lab):
    """one frame has no neighbour: ValueError, not nan; the same for another number of axes, a range or a rate of 0"""
    clip = torch.zeros(3, 4, 5, 6)
    refuses("motion_score of a clip with 1 frame", 1, lab.motion_score, clip[:, :1], data_range=2.0)
    refuses("motion_score of a tensor of shape (4, 5, 6)", "4, 5, 6", lab.motion_score, clip[0], data_range=2.0)
    refuses("motion_score with data_range=0.0", 0, lab.motion_score, clip, data_range=0.0)
    refuses("motion_score with fps=-8", -8, lab.motion_score, clip, data_range=2.0, fps=-8)


# ---------------------------------------------------------------------------------------------- sample_clip


def numbered_film(path, timestamps, height=32, width=48):
    """A lossless film: frame i is filled with the grey level 3 i + 10 and shown from `timestamps[i]` (seconds) on."""
    reformatter = VideoReformatter()  # one for all frames: making it costs more than using it
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=100)
        stream.width, stream.height, stream.pix_fmt = width, height, "bgr0"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        for i, seconds in enumerate(timestamps):
            picture = np.full((height, width, 3), 3 * i + 10, np.uint8)
            picture[: height // 2, :, 0] = 0  # the upper half has no red: height and channel order can be told
            frame = reformatter.reformat(av.VideoFrame.from_ndarray(picture, format="rgb24"), format="bgr0")
            frame.pts, frame.time_base = round(seconds * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def numbers(clip):
    """Read the frame numbers back off a clip (C, T, H, W)."""
    green = (clip[1].float().mean(dim=(-2, -1)) + 1) * 127.5
    return [round((g.item() - 10) / 3) for g in green]


def sample_answer(lab, path, num_frames, **options):
    said = ", ".join([f"sample_clip({path.name!r}", str(num_frames), *(f"{k}={v}" for k, v in options.items())]) + ")"
    got = attempt(said, lab.sample_clip, path, num_frames, **options)
    assert torch.is_tensor(got), f"sample_clip returned {type(got).__name__}; a clip (C, T, H, W) is asked for"
    assert got.ndim == 4 and got.shape[0] == 3, f"expected a clip (3, T, H, W), got shape {tuple(got.shape)}"
    assert got.shape[1] == num_frames, f"{num_frames} frames were asked for; the clip has shape {tuple(got.shape)}"
    return got


@pytest.fixture(scope="module")
def steady(tmp_path_factory):
    return numbered_film(tmp_path_factory.mktemp("films") / "steady.mkv", np.arange(60) / 20)


@pytest.fixture(scope="module")
def phone(tmp_path_factory):
    """Starts lively, then drops most frames, then is lively again."""
    timestamps = [*np.arange(20) / 20, 1.0, 1.5, 2.0, 2.5, *(2.6 + np.arange(20) / 20)]
    return numbered_film(tmp_path_factory.mktemp("films") / "phone.mkv", timestamps)


@exercise(
    "sample_clip",
    points=1,
    needs=("even_indices", "fps_indices", "frames_to_clip"),
    hint="frames_to_clip(reader.read(indices, size=size))",
)
def test_sample_is_a_clip(lab, steady):
    """float32 (C, T, H, W) in [-1, 1], the picture upright"""
    got = sample_answer(lab, steady, 5)
    assert got.shape == (3, 5, 32, 48), f"a film of 48 x 32 pixels should give (3, 5, 32, 48), not {tuple(got.shape)}"
    assert got.dtype == torch.float32, f"expected float32, got {got.dtype}"
    assert got.min() >= -1 and got.max() <= 1, f"values run from {got.min():.2f} to {got.max():.2f}, outside [-1, 1]"
    assert (got[0, :, :16] + 1).abs().max() < 0.02, (
        "the upper half of this film has no red, but your clip shows some there: axes or channels are mixed up"
    )


@exercise(
    "sample_clip",
    points=2,
    needs=("even_indices", "fps_indices", "frames_to_clip"),
    hint="Without fps: even_indices over the frames of the file.",
)
def test_sample_evenly(lab, steady):
    """without fps the frames are spread evenly, first to last"""
    got = numbers(sample_answer(lab, steady, 5))
    want = [0, 15, 30, 44, 59]
    assert got == want, f"5 frames evenly from 60 should be the frames {want}, not {got}"


@exercise(
    "sample_clip",
    points=2,
    needs=("even_indices", "fps_indices", "frames_to_clip"),
    hint="With fps: fps_indices(reader.timestamps, fps, num_frames, start).",
)
def test_sample_at_fps(lab, steady, phone):
    """with fps the frames follow the timestamps, also in a film that drops frames"""
    got = numbers(sample_answer(lab, steady, 6, fps=4))
    assert got == [0, 5, 10, 15, 20, 25], (
        f"6 frames at 4 fps from a 20 fps film should be [0, 5, 10, 15, 20, 25], not {got}: is fps used?"
    )
    got = numbers(sample_answer(lab, phone, 8, fps=2.5))
    want = [0, 8, 16, 20, 21, 22, 22, 28]
    assert got == want, (
        f"8 frames at 2.5 fps from a film with dropped frames should be {want}, not {got}: "
        "use reader.timestamps, not an average rate"
    )


@exercise(
    "sample_clip",
    points=2,
    needs=("even_indices", "fps_indices", "frames_to_clip"),
    hint="The frame on screen at `start` is fps_indices(timestamps, 1, 1, start)[0].",
)
def test_sample_start(lab, steady, phone):
    """`start` moves both rules: at a rate from there, or evenly from there to the end"""
    got = numbers(sample_answer(lab, steady, 4, fps=5, start=1.0))
    assert got == [20, 24, 28, 32], (
        f"4 frames at 5 fps from 1.0 s should be [20, 24, 28, 32], not {got}: `start` must reach fps_indices"
    )
    got = numbers(sample_answer(lab, steady, 4, start=1.5))
    assert got == [30, 40, 49, 59], (
        f"4 frames evenly from 1.5 s to the end should be [30, 40, 49, 59], not {got}: `start` counts without fps too"
    )
    got = numbers(sample_answer(lab, phone, 3, start=2.2))
    assert got == [22, 32, 43] or got == [22, 33, 43], (
        f"3 frames evenly from 2.2 s should be [22, 32, 43], not {got}: "
        "find the frame on screen at `start` by its timestamp"
    )


@exercise(
    "sample_clip",
    points=1,
    needs=("even_indices", "fps_indices", "frames_to_clip"),
    hint="Look at the pictures below: which frames of the film did you take?",
)
def test_sample_real_film(lab, look):
    """on real film: exactly the frames that are on screen, in both rules"""
    film = clip_path("leap")  # 52 frames at 24 fps
    for options, indices in (({}, [0, 10, 20, 31, 41, 51]), ({"fps": 6, "start": 0.5}, [12, 16, 20, 24, 28, 32])):
        want = read_frames(film, indices, size=72)  # (T, H, W, C)
        got = sample_answer(lab, film, 6, size=72, **options)
        look(target=want, yours=got)
        assert got.shape == (3, 6, 72, 128), f"expected (3, 6, 72, 128), got {tuple(got.shape)}"
        off = (got.permute(1, 2, 3, 0) - (torch.from_numpy(want).float() / 127.5 - 1)).abs().amax(dim=(1, 2, 3))  # (T,)
        wrong = [k for k in range(6) if off[k] > 0.02]
        rule = f"at 6 fps from 0.5 s ({film.name})" if options else f"evenly ({film.name})"
        assert not wrong, f"6 frames {rule} are the frames {indices}; your picture {wrong[0]} is another one"


@exercise(
    "sample_clip",
    points=1,
    needs=("even_indices", "fps_indices", "frames_to_clip"),
    hint="Pass size on to reader.read.",
)
def test_sample_size(lab, steady):
    """`size` is the shorter side of the clip, the shape of the picture kept"""
    got = sample_answer(lab, steady, 3, size=16)
    assert got.shape == (3, 3, 16, 24), (
        f"size=16 on a 48 x 32 film should give (3, 3, 16, 24), not {tuple(got.shape)}: pass size on to the reader"
    )


@exercise(
    "sample_clip",
    points=1,
    needs=("even_indices", "fps_indices", "frames_to_clip"),
    hint="reader.read(indices) decodes just those frames.",
)
def test_sample_reads_little(lab, steady, monkeypatch):
    """only the wanted frames are read, and the file is closed again"""
    asked, closed = [], []
    read, close = VideoReader.read, VideoReader.close
    monkeypatch.setattr(
        VideoReader, "read", lambda self, indices, **o: asked.extend(indices) or read(self, indices, **o)
    )
    monkeypatch.setattr(
        VideoReader,
        "stream",
        lambda self, *a, **o: pytest.fail(
            "sample_clip streams the whole film; read(indices) decodes just those frames"
        ),
    )
    monkeypatch.setattr(VideoReader, "close", lambda self: closed.append(1) or close(self))
    sample_answer(lab, steady, 4, fps=10)
    assert len(asked) <= 4, f"you read {len(asked)} frames to return 4: choose the indices first, then read only those"
    assert closed, "the file is left open: use `with VideoReader(path) as reader:`"


@exercise(
    "sample_clip",
    points=1,
    needs=("even_indices", "fps_indices", "frames_to_clip"),
    hint="Let the ValueError of fps_indices pass through.",
)
def test_sample_past_the_end(lab, steady):
    """more than the film holds at that rate, or a start behind its end, is a ValueError"""
    refuses(
        "past the end: 20 frames at 5 fps are 4 s, the film has 3 s; sample_clip",
        None,
        lab.sample_clip,
        steady,
        20,
        fps=5,
    )
    refuses(
        "past the end: the film has 3 s; sample_clip(..., 4, start=8.0)", None, lab.sample_clip, steady, 4, start=8.0
    )
