"""Grader of lab 01.1, the video loader benchmark.

Oracles: a search through all keyframes, a film on paper that counts what is done to it, pictures made to mislead, and
a clock that is wound by hand. No file is read.
"""

import statistics
import time
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch

from common.course.graders import Call, array, each, integers, judge, mapping, number, record, stand_ins, theorems

exercise = pytest.mark.exercise

STEADY = [0, 24, 48, 72, 96]
UNEVEN = [0, 5, 6, 17, 40, 41, 58]
runs_of = Call("decode_runs", gives=each(record("tuple", keyframe=number(whole=True), frames=integers())),
               parameters=("indices", "keyframes"))  # fmt: skip


def keyframe_of(index, keyframes):
    """Oracle: of the keyframes that are not later, the last."""
    return max(keyframe for keyframe in keyframes if keyframe <= index)


def runs_wanted(indices, keyframes, keyframe=keyframe_of):
    """Oracle: the wanted frames, sorted and without repeats, by keyframe. Another `keyframe` makes a mistake."""
    wanted = sorted(set(indices))
    starts = sorted({keyframe(i, keyframes) for i in wanted})
    return [(start, [i for i in wanted if keyframe(i, keyframes) == start]) for start in starts]


def times_decoded(runs, total=120):
    """How often each frame of the film is decoded, as a curve."""
    stretches = [set(range(keyframe, frames[-1] + 1)) for keyframe, frames in runs if len(frames)]
    return torch.tensor([sum(i in stretch for stretch in stretches) for i in range(total)], dtype=torch.float32)


@exercise("decode_runs", points=2, hint="The last keyframe that is not later: bisect_right(keyframes, i) - 1.")
def test_runs_start_at_the_keyframe_before(lab, seed):
    """each frame belongs to the last keyframe that is not later than it"""
    random, rows = np.random.default_rng(seed), []
    for keyframes, total in ((STEADY, 120), (UNEVEN, 70), ([0], 30)):
        singles = (*keyframes, total - 1, *(k - 1 for k in keyframes[1:]), *random.integers(0, total, 6).tolist())
        rows += [([i], keyframes) for i in singles]
    from_zero = partial(runs_wanted, keyframe=lambda index, keyframes: 0)
    mistakes = {"every run starts at frame 0, so frames are decoded for nothing": from_zero}
    because = "one wanted frame makes one run, and it starts at the last keyframe that is not later than the frame"
    runs_of.table(lab, rows, runs_wanted, mistakes, because=because)


@exercise("decode_runs", points=2, hint="Go through sorted(set(indices)); a new run begins where the keyframe changes.")
def test_runs_hold_all_frames_of_a_keyframe(lab, seed, look):
    """all wanted frames of one keyframe form one run, rising and without repeats, whatever order they come in"""
    random, asked = np.random.default_rng(seed), [100, 3, 49, 30, 3, 110, 60]
    look(target=times_decoded(runs_wanted(asked, STEADY)), yours=times_decoded(runs_of(lab, asked, STEADY).value))
    rows = [([50, 3, 30, 3, 49], STEADY), ([1, 30, 2, 31, 3], STEADY), ([23, 24, 47, 48], STEADY), (asked, STEADY)]
    rows += [(random.choice(66, 14, replace=False).tolist(), UNEVEN) for _ in range(5)]
    because = "the runs come in the order of the film, each with the wanted frames of its keyframe, rising, no repeats"
    runs_of.table(lab, rows, runs_wanted, because=because)


@exercise("decode_runs", points=2, hint="Start from the wanted frames. Check keyframes and the smallest index first.")
def test_runs_only_where_wanted(lab):
    """a keyframe without a wanted frame has no run; any sequence will do; nonsense is a ValueError"""
    rows = [([100], STEADY), ([], STEADY), ([], [0]), ([7, 7, 7], STEADY), ([0], STEADY)]
    runs_of.table(lab, rows, runs_wanted, because="only the keyframe of a wanted frame has a run")
    rows = [((50, 3, 30), tuple(STEADY)), (range(20, 30), range(0, 99, 24)), ((), (0, 9))]
    runs_of.table(lab, rows, runs_wanted, because="tuples and ranges of numbers will do")
    theorems.owes(runs_of, lab, [50, 3, 30, 3, 49], STEADY, other=([1, 2, 7], [0, 2]))
    for indices, keyframes in (([4, -2], [0, 24]), ([-1], [0]), ([4], []), ([4], [2, 24]), ([30], [2, 24])):
        runs_of.refuses(lab, indices, keyframes)


bill = Call("decoded_per_asked", gives=number(), parameters=("indices", "keyframes", "how"))
CASES = (([50, 3, 30, 3, 49], [0, 24, 48]), ([61, 2, 39, 16, 61, 7], UNEVEN), ([26, 30, 110, 44], STEADY),
         ([119, 118, 25], STEADY), ([5, 2, 9], [0]), ([61, 61, 61], UNEVEN),
         (list(range(120)), STEADY), ([72], STEADY))  # fmt: skip


def stretches_of(indices, keyframes, how):
    """Oracle: the stretches (first, last) of frames that are decoded."""
    if how == "scan":
        return [(0, max(indices))]
    if how == "seek":
        return [(keyframe_of(i, keyframes), i) for i in indices]
    return [(keyframe, run[-1]) for keyframe, run in runs_wanted(indices, keyframes)]


def bill_wanted(indices, keyframes, how):
    """Oracle: walk the stretches frame by frame and count."""
    return sum(len(range(first, last + 1)) for first, last in stretches_of(indices, keyframes, how)) / len(indices)


@exercise("decoded_per_asked", points=5, needs=("decode_runs",), hint="max(indices) + 1; sums of i - keyframe + 1.")
def test_bill_of_each_way(lab, look):
    """a scan decodes up to the latest wanted frame; a seek for each index from its keyframe; the plan each run once"""
    both = "both ends are decoded: from frame 48 to frame 50 there are three frames, not two"
    named = {
        "scan": {"a scan goes up to the *latest* wanted frame, max(indices)": lambda i, k, how: (i[-1] + 1) / len(i)},
        "seek": {"that is the plan. A seek shares nothing with others": lambda i, k, how: bill_wanted(i, k, "plan")},
        "plan": {
            "that is a seek for each index. A run's frames share the way": lambda i, k, how: bill_wanted(i, k, "seek"),
            "a run is decoded from its *keyframe* on, not from its first wanted frame":
                lambda i, k, how: sum(run[-1] - run[0] + 1 for _, run in runs_wanted(i, k)) / len(i),
        },
    }  # fmt: skip
    for how, mistakes in named.items():
        rows = [(*case, how) for case in CASES]
        mistakes[both] = lambda *row: bill_wanted(*row) - len(stretches_of(*row)) / len(row[0])
        because = "divide the frames decoded, wanted ones included, by the frames asked for, repeats included"
        answers = bill.table(lab, rows, bill_wanted, mistakes, because=because, tolerance=1e-9)
        truth, got = [bill_wanted(*row) for row in rows], [float(answer) for answer in answers]
        look(target=torch.tensor(truth), yours=torch.tensor(got))


@exercise("decoded_per_asked", points=2, needs=("decode_runs",), hint="Divide once. End with else: raise ValueError(…)")
def test_bill_at_the_ends(lab):
    """an earlier call changes nothing; no indices, or another way, is a ValueError that names it"""
    for how, other in (("plan", "seek"), ("seek", "scan"), ("scan", "plan")):
        theorems.owes(bill, lab, [50, 3, 30, 3, 49], STEADY, how, other=([9, 4], [0, 4], other))
    for how in ("scan", "seek", "plan"):
        bill.refuses(lab, [], [0, 24], how)
    for how in ("walk", "Scan", "plans", "", None):
        bill.refuses(lab, [3, 30], [0, 24], how, names=how)


class PaperFilm:
    """A film that exists only as a list of what was done to it. Its frames are known by their number."""

    def __init__(self, num_frames, keyframes, position=0, seed=0):
        self.num_frames, self.keyframes, self.position = num_frames, list(keyframes), position
        self.pictures = np.random.default_rng(seed).integers(0, 256, (num_frames, 5, 7, 3), dtype=np.uint8)
        self.seeks, self.decoded, self.converted, self.is_closed = [], [], [], False

    def __repr__(self):
        return f"film of {self.num_frames} frames, keyframes {self.keyframes}"

    def seek(self, keyframe):
        if keyframe not in self.keyframes:
            raise ValueError(f"frame {keyframe} is no keyframe; decoding can start at {self.keyframes}")
        self.seeks.append(keyframe)
        self.position = keyframe

    def next_frame(self):
        if self.position >= self.num_frames:
            raise StopIteration("the film is over")
        self.decoded.append(self.position)
        self.position += 1
        return self.position - 1, ("frame", self.position - 1)

    def to_rgb(self, frame):
        self.converted.append(frame[1])
        return self.pictures[frame[1]].copy()

    def close(self):
        self.is_closed = True


read = Call("read_planned", gives=array("n h w c", np.uint8), parameters=("film", "indices"),
            sizes=lambda given: {"n": len(given["indices"]), "h": 5, "w": 7, "c": 3})  # fmt: skip
REQUESTS = (
    ([50, 3, 30, 49], [0, 24, 48], 60), ([41, 5, 17, 64, 40, 6, 12], UNEVEN, 65), ([119, 0, 95, 96, 24], STEADY, 120),
    ([30, 3, 30, 50, 3], [0, 24, 48], 60), ([7], [0], 9), ([8, 8], [0, 8], 9), ([97, 70, 98], STEADY, 100),
)  # fmt: skip


def after_reading(lab, seed=0):
    """Each request once, from a film that is at its beginning, in the middle, or at its end."""
    for n, (indices, keyframes, num_frames) in enumerate(REQUESTS):
        film = PaperFilm(num_frames, keyframes, position=(num_frames // 2, 0, num_frames)[n % 3], seed=seed)
        answer = read(lab, film, indices)
        assert film.keyframes == keyframes, f"{answer.said} changes film.keyframes"
        yield answer, film, indices, runs_wanted(indices, keyframes)


def once(said, numbers, allowed, verb, why):
    """Each number at most once, and none but the allowed ones."""
    twice = [i for i in numbers if numbers.count(i) > 1]
    assert not twice, f"{said} {verb} {twice[0]} more than once: {why}"
    spare = [i for i in numbers if i not in allowed]
    assert not spare, f"{said} {verb} {spare[0]} for nothing: {why}"


@exercise("read_planned", points=3, needs=("decode_runs",), hint="np.stack([pictures[i] for i in indices])")
def test_read_gives_the_frames_asked_for(lab, seed, look):
    """picture n is frame indices[n], in the order asked for; a frame asked for twice comes twice"""
    for answer, film, indices, _ in after_reading(lab, seed):
        look(target=film.pictures[indices], yours=answer.value)
        found = [np.flatnonzero((film.pictures == picture).all(axis=(1, 2, 3))) for picture in answer.value]
        got = [int(number[0]) if len(number) else "none of the film's" for number in found]
        starts = [keyframe_of(i, film.keyframes) for i in indices]
        mistakes = {
            "the frames come in the order of the film. Give them in the order asked for": sorted(indices),
            "each picture is the keyframe of its run, not the frame itself": starts,
        }
        because = "picture n is frame indices[n]"
        judge(f"the frames that come from {answer.said}", got, indices, mistakes, because=because)


@exercise("read_planned", points=5, needs=("decode_runs",), hint="Stop a run as soon as number == run[-1].")
def test_read_does_nothing_in_vain(lab):
    """one seek per run; no frame decoded twice or after its run's last wanted one; only wanted frames become RGB"""
    for answer, film, indices, runs in after_reading(lab):
        needed = [i for keyframe, run in runs for i in range(keyframe, run[-1] + 1)]
        why = f"{len(needed)} frames are enough, from each run's keyframe to its last wanted frame"
        once(answer.said, film.decoded, needed, "decodes frame", why)
        starts = [keyframe for keyframe, _ in runs]
        once(answer.said, film.seeks, starts, "seeks to frame", "one seek per run, to its keyframe")
        once(answer.said, film.converted, indices, "converts frame", "convert the wanted frames to RGB, and no other")
        assert not film.is_closed, f"{answer.said} closes the film. It was open when you got it, and stays open"


proof = Call("compare_frames", takes={"frames": "n h w c", "film": "m h w c"},
             gives=record("object", numbers=integers("n"), max_error=number(whole=True)),
             parameters=("frames", "film", "indices", "step"))  # fmt: skip


def scenery(num_frames=9, height=24, width=36, seed=0):
    """A film (T, H, W, 3): one scene and a good part of change in each frame, in differing brightness and contrast."""
    random = np.random.default_rng(seed)
    contrast = np.linspace(25, 75, num_frames).reshape(-1, 1, 1, 1)
    brightness = random.permutation(np.linspace(95, 160, num_frames)).reshape(-1, 1, 1, 1)
    scene, change = (random.uniform(-1, 1, (n, height, width, 1)) for n in (1, num_frames))
    tint = random.uniform(-0.2, 0.2, (num_frames, height, width, 3))
    return (brightness + contrast * (0.6 * scene + 0.5 * change + tint)).clip(0, 255).astype(np.uint8)


def largest(frames, film, indices, step=4):
    """Oracle: the largest difference of any byte, in whole numbers that do not wrap around."""
    return int(np.abs(frames.astype(np.int64) - film[indices].astype(np.int64)).max())


CAME = (
    ([3, 4, 5, 6], [4, 5, 6, 7]), ([0, 4, 8], [8, 4, 0]), ([1, 2, 3, 4, 5], [1, 2, 2, 4, 5]), ([5], [6]),
    ([7, 2, 2, 0, 8], [7, 2, 2, 0, 8]), ([2] * 12, [0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2]),
)  # fmt: skip


@exercise("compare_frames", points=3, hint="likeness.argmax(axis=1): which column, for each row?")
def test_proof_names_the_frames_that_came(lab, seed, look):
    """the frames that came are named by number, whatever was asked for; right frames have no difference"""
    film = scenery(seed=seed)
    rows = [(film[came], film, asked) for asked, came in CAME]
    for row, (asked, came) in zip(rows, CAME):
        answer = proof(lab, *row)
        look(target=film[came], yours=film[[i % len(film) for i in answer["numbers"].value]])
        mistakes = {"these are the frames that were asked for. Name those that came": asked} if asked != came else {}
        because = "the frame of the film with the highest correlation is the one that came"
        answer["numbers"].near(came, mistakes, because=because)
    proof.table(lab, rows, largest, part="max_error", because="any byte's largest difference to those asked for")
    theorems.owes(proof, lab, *rows[0], other=rows[1])


@exercise("compare_frames", points=2, hint="Subtract each picture's mean, then divide by its length; never by zero.")
def test_proof_sees_through_brightness_and_contrast(lab, seed):
    """the right frames, darker, brighter, with less contrast, are still the right frames; a negative is not"""
    film, looks = scenery(seed=seed), ((0.5, 10), (0.6, 95), (0.35, 160), (1.0, 7))
    changed = [np.clip(film * gain + offset, 0, 255).astype(np.uint8) for gain, offset in looks]
    gains, offsets = (np.resize(three, (9, 1, 1, 1)) for three in ([0.4, 0.8, 0.5], [40, 5, 100]))
    changed.append((film * gains + offsets).astype(np.uint8))  # each frame in another way
    because = "brightness and contrast must not count: subtract each picture's mean, then divide by its length"
    rows = [(frames, film, list(range(len(film)))) for frames in changed]
    proof.table(lab, rows, lambda frames, film, indices: indices, part="numbers", because=because)
    because = "a negative has likeness -1 with its picture, and a picture without contrast has likeness 0"
    two = np.concatenate([film[:1], np.full_like(film[:1], 90)])
    proof(lab, 255 - film[:1], two, [0])["numbers"].near([1], because=because)


@exercise("compare_frames", points=2, hint="np.abs(frames.astype(np.int16) - film[indices]).max()")
def test_proof_finds_the_largest_difference(lab, seed):
    """one byte off in one frame, up or down, on the grid or off it: the largest difference, not the mean"""
    rows, indices = [], [6, 1, 4]
    for (n, *place), before, after in (((1, 8, 4, 0), 120, 129), ((2, 3, 5, 2), 120, 113), ((0, 23, 35, 1), 0, 255),
                                       ((0, 1, 34, 2), 255, 0), ((2, 22, 2, 1), 90, 91)):  # fmt: skip
        film = scenery(seed=seed)
        film[(indices[n], *place)] = before
        frames = film[indices]
        frames[(n, *place)] = after
        rows.append((frames, film, indices))

    def measure(function, dtype=np.int64):
        return lambda frames, film, indices: int(function(frames.astype(dtype) - film[indices].astype(dtype)))

    mistakes = {
        "bytes wrap around: 3 - 5 is 254. Subtract in int16": measure(lambda off: np.abs(off).max(), np.uint8),
        "the mean hides a single wrong byte. The largest difference counts": measure(lambda off: np.abs(off).mean()),
        "differences downwards are missed. Take absolute values": measure(lambda off: off.max()),
        "only the grid is compared. Every row and column counts": measure(lambda off: np.abs(off[:, ::4, ::4]).max()),
    }
    proof.table(lab, rows, largest, mistakes, part="max_error", because="one byte is off by that much")


@exercise("compare_frames", points=2, hint="own = likeness[np.arange(N), indices]; it wins if own >= max - 1e-6.")
def test_proof_favours_the_frame_asked_for(lab, seed):
    """where it is as like as the best, to a millionth, the frame asked for counts as the one that came"""
    film = scenery(seed=seed)
    film[3:6] = film[3]  # nothing moves
    film[7:] = 16  # the end is black
    indices = [5, 4, 8, 7, 1]
    because = "frames 3 to 5 of this film are one picture, and the last two are black: the one asked for counts"
    answer = proof(lab, film[indices], film, indices)
    answer["numbers"].near(indices, because=because)
    answer["max_error"].near(0, because=because)
    because = "a picture without contrast has likeness 0 with every other, so the one asked for counts"
    proof(lab, np.full_like(film[:1], 200), film[[8, 0, 1]], [2])["numbers"].near([2], because=because)
    film = np.full((2, 6, 9, 3), 78, np.uint8)  # two pictures of 4 x 4 blocks that differ in one block
    film[:, ::2], film[:, :, ::2] = 178, 178
    for change, came, fact in (((1, 0, 0), 0, "less than a millionth"), ((1, 1, 1), 1, "five millionths")):
        film[1, 1, 1] = film[0, 1, 1] + np.uint8(change)
        large = film.repeat(4, axis=1).repeat(4, axis=2)
        because = f"these two differ by {fact} in likeness. To a millionth, the one asked for counts"
        proof(lab, large[1:], large, [0])["numbers"].near([came], because=because)


@exercise("compare_frames", points=3, hint="pictures[:, ::step, ::step].mean(axis=-1), for the likeness only.")
def test_proof_looks_at_all_channels_on_the_grid(lab, seed):
    """likeness is judged by the mean of the channels on every `step`-th row and column; other sizes are refused"""
    one, other = np.random.default_rng(seed).choice([-1, 1], (2, 24, 36))
    grey = np.stack([128 + 20 * one, 128 + 20 * other]).astype(np.int16)  # (2, H, W)
    film = np.repeat(grey[..., None], 3, axis=-1).astype(np.uint8)
    for gains, loses in ((1, 2), (0, 1), (2, 0)):
        frames = film[:1].astype(np.int16)
        frames[..., gains] += 80 * other
        frames[..., loses] -= 80 * other
        because = "one channel gains what another loses: give each channel the same weight"
        proof(lab, frames.astype(np.uint8), film, [0])["numbers"].near([0], because=because)
    film, indices = scenery(height=25, width=38, seed=seed), [2, 6]
    for options in ({"step": 5}, {"step": 3}, {}, {"step": 11}):
        step = options.get("step", 4)
        frames = film[[1, 7]]  # other frames, but the right ones on the grid
        frames[:, ::step, ::step] = film[indices][:, ::step, ::step]
        answer = proof(lab, frames, film, indices, **options)
        because = f"only rows and columns 0, {step}, {2 * step}, … count for the likeness"
        answer["numbers"].near(indices, because=because)
        answer["max_error"].near(largest(frames, film, indices), because="the difference counts everywhere")
    because = "a single pixel is left, and so no contrast: the frame asked for counts"
    proof(lab, film[[3]], film, [5], step=40)["numbers"].near([5], because=because)
    film = scenery()
    rows = [(film[:2], other, [0, 1]) for other in (film[:, :, :18], film[:, :1], film[:, :, :1], film[..., :1])]
    rows += [(film[:count], film, indices) for count, indices in ((3, [0, 1]), (1, [0, 1]), (2, [1]), (2, []))]
    for row in rows:
        proof.refuses(lab, *row)


timing = Call("time_fairly", sizes=lambda given: {"tasks": list(given["tasks"])},
              gives=mapping(record("object", median=number(), fastest=number(), slowest=number()), keys="tasks"),
              parameters=("tasks", "rounds", "clock"))  # fmt: skip


def timed(lab, costs, rounds, cold=0.0, tick=0.0):
    """The answer, and the clock by which each task takes its seconds; the first call of each is `cold`."""
    clock = stand_ins.Clock(tick=tick)
    answer = timing(lab, {name: clock.task(name, cold, *taken) for name, taken in costs.items()}, rounds, clock)
    assert clock.looks, f"{answer.said}: the clock that you were given is never read"
    return answer, clock


def order(events):
    return "".join("-" if event == ("clock",) else event[0] for event in events)


@exercise("time_fairly", points=2, hint="A loop over all tasks before the rounds, without a look at the clock.")
def test_timing_warms_up(lab):
    """each task is called once before the first look at the clock, and that call does not count"""
    costs = {"B": [0.2], "A": [0.1], "C": [0.4]}
    answer, clock = timed(lab, costs, 4, cold=7.0)
    because = "the first call of each task takes 7 s: the warm-up must not be timed"
    for name, part in product(costs, ("median", "slowest")):
        answer[name][part].near(costs[name][0], because=because)
    early, because = order(clock.log).split("-")[0], "each task is called once to warm up, in their order"
    judge(f"what {answer.said} calls before it reads the clock", early, "BAC", because=because)


@exercise("time_fairly", points=2, hint="names[r % n:] + names[:r % n] in round r.")
def test_timing_interleaves(lab, look):
    """in every round each task once, and each round starts with the next one"""
    for names, rounds in (("ABC", 5), ("DCBA", 4), ("AB", 3), ("CABD", 6), ("A", 2)):
        answer, clock = timed(lab, {name: [0.1] for name in names}, rounds)
        got = order(clock.calls[len(names) :])
        want = "".join(names[r % len(names) :] + names[: r % len(names)] for r in range(rounds))
        target, yours = (torch.tensor([float(names.index(name)) for name in text]) for text in (want, got))
        look(target=target, yours=yours)
        blocks = "".join(name * rounds for name in names)
        mistakes = {
            "all rounds of one task, then all of the next: a slow minute hits one of them": blocks,
            "the same task is always first. Round r starts with task number r": names * rounds,
        }
        because = "each round has every task once, and starts one task later than the round before"
        judge(f"the order of the timed calls in {answer.said}", got, want, mistakes, because=because)


@exercise("time_fairly", points=2, hint="statistics.median(seconds), min(seconds), max(seconds)")
def test_timing_takes_the_median(lab):
    """median, smallest and largest of the rounds; one hiccup moves none but the largest"""
    costs = {"A": [0.3, 9.0, 0.1, 0.25, 0.2], "B": [0.5, 0.9, 0.1, 0.6, 0.7]}
    even = "of an even number of times, the median is the mean of the two in the middle"
    for rounds in (5, 4, 2, 1):
        answer, _ = timed(lab, costs, rounds)
        for name, seconds in costs.items():
            taken = seconds[:rounds]
            mistakes = {"that is the mean, which one hiccup decides": statistics.mean(taken)}
            mistakes |= {even: statistics.median_high(taken), f"{even}, not the lower": statistics.median_low(taken)}
            because = f"{name} took {', '.join(map(str, taken))} s"
            answer[name]["median"].near(statistics.median(taken), mistakes, because=because)
            answer[name]["fastest"].near(min(taken), because=because)
            answer[name]["slowest"].near(max(taken), because=because)


@exercise("time_fairly", points=3, hint="begin = clock(); task(); taken = clock() - begin. Check the arguments first.")
def test_timing_reads_the_clock_around_each_call(lab):
    """the clock is read right before and right after each timed call; no tasks or rounds: ValueError, nothing is run"""
    answer, clock = timed(lab, {"A": [0.1], "B": [0.3]}, 3, tick=0.0002)
    got, because = order(clock.log), "two looks for each timed call, one right before it and one right after"
    judge(f"calls and looks at the clock (-) in {answer.said}", got, "AB-A--B--B--A--A--B-", because=because)
    answer["A"]["median"].near(0.1002, because="a look at this clock takes 0.0002 s")
    naps = []
    real = timing(lab, {"nap": lambda: naps.append(time.sleep(0.004))})
    assert real["nap"]["fastest"].value >= 0.003, f"a nap of 4 ms is timed as {real['nap']['fastest'].value:.6f} s"
    judge(f"the number of naps in {real.said}", len(naps), 6, because="one warm-up and 5 rounds are 6 calls")
    timing.refuses(lab, {}, 3)
    for rounds in (0, -2):
        clock = stand_ins.Clock()
        timing.refuses(lab, {"A": clock.task("A", 0.1)}, rounds, clock, names=rounds)
        assert not clock.calls, f"time_fairly with rounds={rounds} runs a task before it refuses: check first"
