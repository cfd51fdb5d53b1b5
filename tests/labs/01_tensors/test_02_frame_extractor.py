"""Grader of lab 01.2, the frame extractor.

Oracles: exact fractions, a walk through the film frame by frame, a loop over pixels, and films whose frames carry
their own number.
"""

import math
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from av.video.reformatter import VideoReformatter

from common.course.graders import Call, integers, judge, tensor, theorems, values
from common.data import clip_path
from common.video import VideoReader, read_frames

exercise = pytest.mark.exercise


even = Call("even_indices", gives=integers("n"), sizes=lambda given: {"n": given["num_frames"]})


def rounding(rule):
    """Oracle: the exact positions k (n - 1) / (N - 1), as fractions, made whole by a rule."""
    return lambda total, num_frames: [
        rule(Fraction(k * (total - 1), max(num_frames - 1, 1))) for k in range(num_frames)
    ]


@exercise("even_indices", points=1, hint="Both ends belong to the sample: from frame 0 to frame total - 1.")
def test_even_ends(lab):
    """the first frame of the film comes first and the last frame comes last"""
    for total, num_frames in ((48, 4), (97, 5), (7, 7), (240, 2), (2, 2)):
        answer = even(lab, total, num_frames)
        got, said = answer.value, answer.said
        assert got[0] == 0, f"{said} = {got} does not start with the first frame, 0"
        assert max(got) < total, f"{said} = {got} asks for frame {max(got)}, which does not exist"
        because = f"never shows the last frame, {total - 1}: between N frames there are N - 1 steps"
        assert got[-1] == total - 1, f"{said} = {got} {because}"


@exercise("even_indices", points=2, hint="Compute each position from k itself, then round to the nearest.")
def test_even_rounds(lab, look):
    """every index is the whole number nearest to its exact position k (n - 1) / (N - 1), halves to the even one"""
    about = "frame number of each of 9 samples, evenly from 101 frames"
    look(target=rounding(round)(101, 9), yours=even(lab, 101, 9).value, about=about)
    rows = [(48, 4), (101, 7), (31, 12), (10, 5), (1001, 16), (14315, 33), (500, 201), (30, 8), (20_000_003, 3)]
    mistakes = {
        "the fractions are cut off (truncated), not rounded, so frames come early": rounding(int),
        "positions are rounded up, so frames come late": rounding(math.ceil),
    }
    because = "each index is its own exact position, rounded to the nearest; here the steps are not even"
    even.table(lab, rows, rounding(round), mistakes, because=because, tolerance=0)
    halves = [(4, 3), (6, 5), (12, 9), (26, 11), (8, 3)]  # exact in any arithmetic
    mistakes = {
        "halves are rounded up. They go to the even neighbour": rounding(lambda x: math.floor(x + Fraction(1, 2))),
        "halves are rounded down. They go to the even neighbour": rounding(lambda x: math.ceil(x - Fraction(1, 2))),
    }
    even.table(lab, halves, rounding(round), mistakes, because="some of these positions are halves", tolerance=0)


@exercise("even_indices", points=3, hint="linspace with one entry gives its start. if num_frames < 1: raise ValueError")
def test_even_few(lab):
    """a single frame is the first one; more frames than there are repeat in order; none is a ValueError"""
    for total in (1, 2, 37):
        even(lab, total, 1).equal([0], because="with a single frame the answer is [0]")
    because = "each frame of the film should be shown, and no other: the formula holds when frames repeat"
    even.table(lab, [(3, 8), (1, 4), (5, 11)], rounding(round), because=because, tolerance=0)
    for total, num_frames in ((10, 0), (10, -3), (0, 4), (-7, 1), (0, 1)):
        even.refuses(lab, total, num_frames)


rate = Call("fps_indices", gives=integers("n"), sizes=lambda given: {"n": given["num_frames"]},
            parameters=("timestamps", "fps", "num_frames", "start"))  # fmt: skip
PHONE = [0.0, 0.1, 0.2, 0.6, 0.7, 1.3, 1.4, 1.5]  # seconds; two gaps where the phone dropped frames


def on_screen(timestamps, instant):
    """Oracle: go through the film until a frame begins after the instant."""
    return max(i for i, begin in enumerate(timestamps) if begin <= instant + 1e-6)


def shown(timestamps, fps, num_frames, start=0.0):
    """Oracle: the frame on screen at each moment."""
    return [on_screen(timestamps, start + k / fps) for k in range(num_frames)]


def next_frame(timestamps, fps, num_frames, start=0.0):
    """A mistake: the first frame at or after each moment."""
    last = len(timestamps) - 1
    return [min(last, int(np.searchsorted(timestamps, start + k / fps - 1e-6))) for k in range(num_frames)]


@exercise("fps_indices", points=2, hint="Frame k is wanted at start + k / fps.")
def test_fps_moments(lab):
    """the moments are start + k / fps: at the film's own rate every frame, at a third of it every third"""
    steady = {file_fps: np.arange(100) / file_fps for file_fps in (12, 24, 25, 30)}
    rows = [(steady[24], 8, 7), (steady[30], 10, 7), (steady[24], 24, 7), (steady[12], 24, 7), (steady[24], 5, 7)]
    mistakes = {
        "the frames are spread evenly over the film: fps is not used": lambda t, fps, n: np.linspace(0, 99, n).round(),
        "you take the frame that begins next. On screen is the last frame that has begun": next_frame,
    }
    fact = "moment k is start + k / fps, and on screen is the last frame that has begun"
    rate.table(lab, rows, shown, mistakes, because=fact, tolerance=0)
    rows = [(steady[25], 5, 7, 0.4), (steady[25], 5, 7, 1.01), (steady[25], 7, 7, 0.33), (steady[25], 7, 7, 1.19)]
    mistakes = {"`start` is not used: every moment counts from `start`": lambda t, fps, n, start: shown(t, fps, n)}
    rate.table(lab, rows, shown, mistakes, because=f"every moment counts from `start`: {fact}", tolerance=0)


@exercise("fps_indices", points=2, hint="Search the timestamps; never multiply a time by a frame rate to get an index.")
def test_fps_uses_timestamps(lab, look):
    """with dropped frames, the frame that is on screen at each moment"""
    average = (len(PHONE) - 1) / PHONE[-1]
    constant = "these indices assume a constant rate. The timestamps say when each frame begins"

    def by_average(whole):
        return lambda t, fps, n, start=0.0: [min(7, whole((start + k / fps) * average)) for k in range(n)]

    def nearest(timestamps, fps, num_frames, start=0.0):
        return [int(np.abs(np.asarray(timestamps) - start - k / fps).argmin()) for k in range(num_frames)]

    mistakes = {
        constant: by_average(int),
        f"{constant}, rounded": by_average(round),
        "you take the nearest frame, which can lie in the future. On screen is the last frame that has begun": nearest,
        "you take the frame that begins next. On screen is the last frame that has begun": next_frame,
    }
    about = "frame number at each moment, 10 per second, in a film that drops frames"
    look(target=shown(PHONE, 10.0, 15), yours=rate(lab, PHONE, 10.0, 15).value, about=about)
    rows = [(PHONE, 5.0, 7), (PHONE, 4.0, 6), (PHONE, 7.0, 10), (PHONE, 5.0, 5, 0.3), (PHONE, 5.0, 5, 0.55)]
    because = "this film drops frames: at each moment, counted from `start`, the last frame that has begun is on screen"
    rate.table(lab, rows, shown, mistakes, because=because, tolerance=0)


@exercise("fps_indices", points=2, hint="Compare with a microsecond of tolerance; compute moments as start + k / fps.")
def test_fps_tolerance(lab):
    """a frame that begins at the very moment, up to a microsecond, is on screen; a later one is not"""
    for file_fps, fps, start in ((30, 10, 0.1), (30, 30, 0.7), (24, 24, 1 / 3), (10, 10, 0.3), (59.94, 59.94, 0.0)):
        first, step = round(start * file_fps), round(file_fps / fps)
        rate(lab, np.arange(700) / file_fps, fps, 200, start).equal(
            [first + k * step for k in range(200)],
            because="each of these frames begins at that very moment, and rounding errors decide: compare with a "
            "tolerance, and do not add 1 / fps again and again",
        )
    for late, index in ((5e-7, 1), (1e-4, 0), (3e-3, 0)):
        timestamps = [0.0, 0.1 + late, 0.2 + late, 0.3 + late]
        because = f"the frames begin {late:g} s after the moments, and the tolerance is a microsecond"
        rate(lab, timestamps, 10, 3).equal([0, index, 1 + index], because=because)


@exercise("fps_indices", points=4, hint="end = timestamps[-1] + (timestamps[-1] - timestamps[-2]); one frame: 1 / fps.")
def test_fps_past_the_end(lab):
    """the last frame stays as long as the one before it did, a lone one for 1 / fps; then a ValueError"""
    steady, slow, quick = np.arange(24) / 12, [0.0, 0.1, 0.2, 1.0], [0.0, 0.5, 0.6]  # they end at 2.0, 1.8 and 0.7 s
    for timestamps, fps, num_frames, start, want in (
        (steady, 12, 24, 0.0, list(range(24))), (steady, 10, 1, 1.95, [23]), (slow, 2, 4, 0.0, [0, 2, 3, 3]),
        (quick, 10, 1, 0.69, [2]), ([0.0], 4, 1, 0.0, [0]),
    ):  # fmt: skip
        rate(lab, timestamps, fps, num_frames, start).equal(want, because="the last frame is still on screen then")
    for timestamps, end, fps, num_frames, start in (
        (steady, 2.0, 12, 25, 0.0), (steady, 2.0, 8, 8, 1.5), (steady, 2.0, 1, 1, 9.0), (steady, 2.0, 1, 3, 0.0),
        (steady, 2.0, 4, 1, 2.0), (slow, 1.8, 2, 5, 0.0), (quick, 0.7, 4, 4, 0.0), ([0.0], 0.25, 4, 2, 0.0),
    ):  # fmt: skip
        last = start + (num_frames - 1) / fps
        because = f"past the end: the film ends at {end:g} s, and a frame at {last:g} s is asked for"
        rate.refuses(lab, timestamps, fps, num_frames, start, because=because)
    timestamps = np.arange(50) / 25
    for fps, num_frames, start in ((0.0, 4, 0.0), (-8.0, 4, 0.0), (8.0, 0, 0.0), (8.0, -1, 0.0), (8.0, 4, -0.5)):
        rate.refuses(lab, timestamps, fps, num_frames, start)
    rate.refuses(lab, [], 8.0, 1)
    for kind in (np.asarray, tuple, list):
        rate(lab, kind(PHONE), 4, 5).equal(shown(PHONE, 4, 5), because=f"the timestamps come as {kind.__name__}")
    theorems.owes(rate, lab, np.asarray(PHONE), 4, 5, other=(timestamps, 5, 7), start=0.25)


to_clip = Call("frames_to_clip", takes={"frames": "t h w c"}, gives=tensor("c t h w", torch.float32), fresh=True)


@exercise("frames_to_clip", points=1, hint="(T, H, W, C) in, (C, T, H, W) out.")
def test_clip_shape(lab, seed):
    """channels first: (T, H, W, C) becomes (C, T, H, W), contiguous, with memory of its own"""
    for size in ((4, 5, 7, 1), (1, 5, 7, 3), (4, 5, 7, 4), (4, 1, 2, 3), (4, 5, 7, 3)):
        frames = values.bytes_(seed, *size)  # (T, H, W, C)
        answer = to_clip(lab, frames)
        assert answer.value.is_contiguous(), f"{answer.said} is not contiguous: finish with .contiguous()"
    theorems.owes(to_clip, lab, frames, other=(values.bytes_(seed + 1, *size),))


@exercise("frames_to_clip", points=2, hint="Move axes with rearrange or permute; reshape keeps the numbers' old order.")
def test_clip_keeps_pixels(lab, seed, look):
    """every pixel stays where it was: frame t, row h, column w, channel c"""
    film = read_frames(clip_path("leap"), [12, 16, 20], size=72)  # (T, H, W, C)
    look(target=film, yours=to_clip(lab, film).value)
    frames = values.distinct(seed, 2, 5, 7, 3).byte().numpy()
    right = torch.from_numpy(frames).permute(3, 0, 1, 2)

    def rank(clip):
        """Each pixel's place from dark to bright: the same for every rising map of the bytes."""
        return clip.double().flatten().argsort().argsort().reshape(clip.shape)

    shredded = torch.from_numpy(frames).reshape(3, 2, 5, 7)
    mistakes = {
        "the picture is shredded: reshape and view keep the numbers' old order": rank(shredded),
        "red and blue are swapped": rank(right.flip(0)),
        "the frames run backwards": rank(right.flip(1)),
        "the picture is upside down": rank(right.flip(2)),
        "the picture is mirrored": rank(right.flip(3)),
        "dark and bright are swapped": rank(255 - right.int()),
    }
    answer = to_clip(lab, frames)
    because = "the pixels' order from dark to bright has changed: move whole axes, as permute does"
    judge(f"the order of the pixels in {answer.said}", rank(answer.value), rank(right), mistakes, because=because)


@exercise("frames_to_clip", points=3, hint="x / 127.5 - 1, in floats. Look at frames.dtype and frames.ndim first.")
def test_clip_values(lab):
    """0 becomes -1, 255 becomes 1, straight between, for every clip; what is not uint8 (T, H, W, C) is a ValueError"""
    every_byte = np.arange(256, dtype=np.uint8).reshape(2, 16, 8, 1).repeat(3, axis=-1)  # (T, H, W, C)
    bright, dim = values.bytes_(1, 2, 3, 4, 3) // 4 + 190, np.full((2, 3, 4, 3), 51, np.uint8)

    def mapped(rule):
        return lambda frames: rule(torch.from_numpy(frames).permute(3, 0, 1, 2).double())

    mistakes = {
        "that is the range 0 to 1. Models here want -1 to 1": mapped(lambda x: x / 255),
        "the bytes are not scaled to -1 to 1": mapped(lambda x: x),
        "white should become 1: divide by 127.5, not 128, then subtract 1": mapped(lambda x: x / 128 - 1),
        "white should become 1: divide by 127.5, not 127, then subtract 1": mapped(lambda x: x / 127 - 1),
    }
    because = "the map is x / 127.5 - 1, the same for every clip, in floats (the arithmetic of bytes wraps around)"
    for rows in ([(bright,), (every_byte,)], [(dim,)]):
        to_clip.table(lab, rows, mapped(lambda x: x / 127.5 - 1), mistakes, because=because, tolerance=1e-6)
    for other in (dim[0], dim[None], dim / np.float32(255), dim.astype(np.int64), dim > 127):
        to_clip.refuses(lab, other)


motion = Call("motion_score", takes={"clip": "... c t h w"},
              gives=tensor("...", lambda dtype: torch.promote_types(dtype, torch.float32)))  # fmt: skip


def slow_motion(clip, data_range=2.0, fps=None):
    """Oracle: one step after the other, in double precision. clip (..., C, T, H, W)"""
    clip = clip.double()
    steps = [(clip.select(-3, t + 1) - clip.select(-3, t)).abs() for t in range(clip.shape[-3] - 1)]  # (..., C, H, W)
    score = torch.stack(steps).mean(dim=(0, -3, -2, -1)) / data_range
    return score if fps is None else score * fps


@exercise("motion_score", points=3, hint="Mean of |x[..., 1:, :, :] - x[..., :-1, :, :]|, over data_range.")
def test_motion_formula(lab, seed):
    """the mean absolute difference of neighbouring frames over the data range: 0 for a still, 1 for flicker"""
    clip = values.noise(seed, 2, 5, 4, 7)

    def over(measure, power=1):
        """A mistake: another measure of the steps (C, T-1, H, W), over the range."""
        return lambda clip, data_range=2.0: measure(clip.double().diff(dim=1)) / data_range**power

    mistakes = {
        "data_range is not used": over(lambda steps: steps.abs().mean(), power=0),
        "it divides by 2, whatever data_range is": lambda clip, data_range=2.0: slow_motion(clip, 2.0),
        "5 frames have 4 steps, and you divide by the number of frames": over(lambda s: s.abs().mean() * 4 / 5),
        "differences are squared, and their absolute values are asked for": over(lambda s: s.square().mean()),
        "brightening and darkening cancel. Take absolute values before averaging": over(lambda s: s.mean()),
        "brightening and darkening cancel. Take absolute values first, not last": over(lambda s: s.mean().abs()),
        "that is a sum. The mean is asked for": over(lambda s: s.abs().sum()),
        "each frame is compared with the first one; only neighbours count": over(lambda s: s.cumsum(1).abs().mean()),
    }
    rows = [(clip, {"data_range": value}) for value in (2.0, 1.0, 255.0, 0.5)]
    because = "it is the mean of |differences| of neighbours along time, axis -3, over data_range"
    motion.table(lab, rows, slow_motion, mistakes, because=because)
    motion(lab, clip).near(slow_motion(clip), because="without data_range it is 2")
    motion(lab, clip[:, :2]).near(slow_motion(clip[:, :2]), because="two frames have one step")
    still = clip[:, :1].expand(2, 5, 4, 7).clone()
    motion(lab, still).near(0.0, because="a still clip does not move: take differences along time, axis -3")
    flicker = torch.ones(3, 6, 4, 5)
    flicker[:, ::2] = -1
    motion(lab, flicker).near(1.0, because="black-white-black-white changes by the whole range, 2, in each step")


@exercise("motion_score", points=1, hint="Average over the last four axes only: .mean(dim=(-4, -3, -2, -1)).")
def test_motion_batch(lab, seed, look):
    """a batch (B, C, T, H, W) gives one score per clip, the same as each clip alone"""
    batch = values.noise(seed, 4, 3, 5, 2, 6) * torch.tensor([0.1, 1, 2, 3]).reshape(4, 1, 1, 1, 1)
    look(target=slow_motion(batch), yours=motion(lab, batch).value, about="motion score of each clip of a batch")
    along_1 = batch.double().diff(dim=1).abs().mean(dim=(1, 2, 3, 4)) / 2
    mistakes = {
        "every clip of the batch has the mean of all": slow_motion(batch).mean().expand(4),
        "differences are taken along axis 1, which is colour in a batch. Time is axis -3 in both": along_1,
    }
    motion(lab, batch).near(slow_motion(batch), mistakes, because="each clip of the batch scores as it does alone")
    motion(lab, batch[:1]).near(slow_motion(batch[:1]), because="a batch of one clip gives one score, of shape (1,)")
    motion(lab, batch[2:, :1]).near(slow_motion(batch[2:, :1]), because="grey clips have one channel")
    theorems.owes(motion, lab, batch, data_range=2.0)


@exercise(
    "motion_score", points=3, hint="score * fps when fps is given; .float() before subtracting; check shapes first."
)
def test_motion_per_second(lab, seed):
    """with fps per second; float32 from half precision; one frame, a range or a rate of 0: ValueError, not nan"""
    clip = values.noise(seed, 3, 6, 4, 5)
    mistakes = {
        "you divide by fps. There are fps steps per second, so multiply": lambda clip, fps: slow_motion(clip) / fps,
        "fps is not used: the score should be per second": lambda clip, fps: slow_motion(clip),
    }
    rows = [(clip, {"fps": fps}) for fps in (8, 23.976, 0.5)]
    motion.table(lab, rows, lambda clip, fps: slow_motion(clip, fps=fps), mistakes)
    for given in (clip.half(), clip.bfloat16(), clip.double()):
        because = f"the clip is {given.dtype}: convert to float32 before subtracting"
        motion(lab, given).near(slow_motion(given), tolerance=1e-6, because=because)
    clip = torch.zeros(3, 4, 5, 6)
    for other in (clip[:, :1], clip[0], clip[None, None], clip[None, :, :1]):
        motion.refuses(lab, other)
    for options in ({"data_range": 0.0}, {"data_range": -2.0}, {"fps": 0}, {"fps": 0.0}, {"fps": -8}):
        motion.refuses(lab, clip, **options)


sample = Call("sample_clip", gives=tensor("3 t h w", torch.float32), sizes=lambda given: {"t": given["num_frames"]},
              parameters=("path", "num_frames"))  # fmt: skip
NEEDS = ("even_indices", "fps_indices", "frames_to_clip")


def numbered_film(path, timestamps, height=32, width=48):
    """A lossless film: frame i is filled with the grey level 3 i + 10 and shown from `timestamps[i]` (seconds) on."""
    reformatter = VideoReformatter()  # one for all frames: making it costs more than using it
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=100)
        stream.width, stream.height, stream.pix_fmt = width, height, "bgr0"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        for i, seconds in enumerate(timestamps):
            picture = np.full((height, width, 3), 3 * i + 10, np.uint8)
            picture[: height // 2, :, 0] = 0  # the upper half has no red: rows and channels can be told apart
            frame = reformatter.reformat(av.VideoFrame.from_ndarray(picture, format="rgb24"), format="bgr0")
            frame.pts, frame.time_base = round(seconds * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def takes(answer, because, *choices):
    """The clip must hold just one of these choices of frames: their numbers are read off its green channel."""
    green = (answer.value[1].float().mean(dim=(-2, -1)) + 1) * 127.5  # (T,)
    got = [round((level - 10) / 3) for level in green.tolist()]
    assert got in choices, f"{answer.said} should hold the frames {choices[0]}, not {got}: {because}"


@pytest.fixture(scope="module")
def steady(tmp_path_factory):
    return numbered_film(tmp_path_factory.mktemp("films") / "steady.mkv", np.arange(60) / 20)


@pytest.fixture(scope="module")
def phone(tmp_path_factory):
    """Starts lively, then drops most frames, then is lively again."""
    timestamps = [*np.arange(20) / 20, 1.0, 1.5, 2.0, 2.5, *(2.6 + np.arange(20) / 20)]
    return numbered_film(tmp_path_factory.mktemp("films") / "phone.mkv", timestamps)


@exercise("sample_clip", points=2, needs=NEEDS, hint="frames_to_clip(reader.read(indices, size=size))")
def test_sample_is_a_clip(lab, steady):
    """float32 (C, T, H, W) in [-1, 1], upright; `size` is the shorter side; a path may be text"""
    for path, size, shape in ((steady, None, (32, 48)), (steady, 16, (16, 24)), (str(steady), 8, (8, 12))):
        answer = sample(lab, path, 5, size=size)
        got = answer.value
        because = f"a film of 48 x 32 pixels with size={size}: pass size on to the reader"
        judge(f"the shape of {answer.said}", list(got.shape), [3, 5, *shape], because=because)
        low, high = got.min().item(), got.max().item()
        assert low >= -1 and high <= 1, f"values run from {low:.2f} to {high:.2f}, outside [-1, 1]"
        red, because = got[0, :, : shape[0] // 2 - 1], "axes or channels are mixed up"
        assert (red + 1).abs().max() < 0.02, f"the upper half of this film has no red, and your clip has: {because}"


@exercise("sample_clip", points=5, needs=NEEDS, hint="fps_indices(reader.timestamps, …) with fps, else even_indices.")
def test_sample_frames(lab, steady, phone, look):
    """without fps frames spread evenly, first to last; with fps they follow the timestamps. On real film too"""
    film = clip_path("leap")  # 52 frames at 24 fps
    for options, indices in (({}, [0, 10, 20, 31, 41, 51]), ({"fps": 6, "start": 0.5}, [12, 16, 20, 24, 28, 32])):
        want = read_frames(film, indices, size=72)  # (T, H, W, C)
        answer = sample(lab, film, 6, size=72, **options)
        look(target=want, yours=answer.value)
        answer.near(torch.from_numpy(want).permute(3, 0, 1, 2) / 127.5 - 1, tolerance=0.02,
                    because=f"at 6 fps from 0.5 s, or evenly, the frames {indices} are on screen")  # fmt: skip
    takes(sample(lab, steady, 5), "spread them evenly over all 60 frames", [0, 15, 30, 44, 59])
    takes(sample(lab, steady, 1), "a single frame is the first one", [0])
    takes(sample(lab, steady, 6, fps=4), "is fps used? The film has 20 frames per second", [0, 5, 10, 15, 20, 25])
    because = "this film drops frames: use reader.timestamps, not an average rate"
    takes(sample(lab, phone, 8, fps=2.5), because, [0, 8, 16, 20, 21, 22, 22, 28])


@exercise("sample_clip", points=2, needs=NEEDS, hint="On screen at `start`: fps_indices(timestamps, 1, 1, start)[0].")
def test_sample_start(lab, steady, phone):
    """`start` moves both rules: at a rate from there, or evenly from there to the end"""
    takes(sample(lab, steady, 4, fps=5, start=1.0), "`start` must reach fps_indices", [20, 24, 28, 32])
    takes(sample(lab, steady, 4, start=1.5), "`start` counts without fps too", [30, 40, 49, 59])
    takes(sample(lab, steady, 4, start=2.9), "two frames are left from 2.9 s on, and they repeat", [58, 58, 59, 59])
    because = "find the frame on screen at `start` by its timestamp"
    takes(sample(lab, phone, 3, start=2.2), because, [22, 32, 43], [22, 33, 43])


@exercise("sample_clip", points=2, needs=NEEDS, hint="reader.read(indices) decodes just those frames.")
def test_sample_reads_little(lab, steady, monkeypatch):
    """only the wanted frames are read, and the file is closed; what the film does not hold is a ValueError"""
    asked, closed = [], []
    read, close = VideoReader.read, VideoReader.close
    streams = "sample_clip streams the whole film; read(indices) decodes just those frames"
    monkeypatch.setattr(VideoReader, "read", lambda self, some, **o: asked.extend(some) or read(self, some, **o))
    monkeypatch.setattr(VideoReader, "stream", lambda self, *a, **o: pytest.fail(streams))
    monkeypatch.setattr(VideoReader, "close", lambda self: closed.append(1) or close(self))
    sample(lab, steady, 4, fps=10)
    assert len(asked) <= 4, f"you read {len(asked)} frames to return 4: choose the indices first, then read only those"
    assert closed, "the file is left open: use `with VideoReader(path) as reader:`"
    sample.refuses(lab, steady, 20, fps=5, because="past the end: 20 frames at 5 fps are 4 s, and the film has 3 s")
    for start in (8.0, 3.5):
        sample.refuses(lab, steady, 4, start=start, because="past the end: the film ends at 3 s")
    for num_frames, options in ((0, {}), (4, {"fps": 0}), (4, {"fps": 0.0}), (4, {"fps": -2.0}), (4, {"start": -1.0}),
                                (4, {"fps": 5, "start": -1.0}), (4, {"size": 0})):  # fmt: skip
        sample.refuses(lab, steady, num_frames, **options)
    sample.refuses(lab, Path(steady).with_name("missing.mkv"), 4)
