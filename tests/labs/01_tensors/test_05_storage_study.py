"""Grader of lab 01.5. Its forms and readers take the time and bytes that they are told, by a clock wound by hand."""

import math
import statistics
import time
import warnings
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from common.course.graders import Call, judge, mapping, number, record, stand_ins, text, theorems, values
from common.evaluation import psnr as library_psnr

exercise = pytest.mark.exercise


def curves(want, got):
    """Numbers to look at: the right ones and the learner's, as two curves."""
    return {"target": torch.tensor([float(x) for x in want]), "yours": torch.tensor([float(x) for x in got])}


psnr = Call("clip_psnr", takes={"restored": "t h w c", "original": "t h w c"}, gives=number(finite=False))


@pytest.fixture
def no_library_psnr(monkeypatch):
    """The library's own PSNR is the answer to this exercise: while it is tested, it says so."""

    def used(*args, **kwargs):
        from common.course.errors import AnswerKeyUsed

        raise AnswerKeyUsed.of("common.evaluation.psnr")

    monkeypatch.setattr(library_psnr, "__code__", used.__code__)
    monkeypatch.setattr(library_psnr, "__kwdefaults__", None)


def decibels(mean_square):
    return 10 * math.log10(255**2 / mean_square) if mean_square else math.inf


def psnr_wanted(restored, original):
    """Oracle, in whole numbers that hold every square."""
    return decibels(np.square(restored.astype(np.int64) - original).mean())


@exercise("clip_psnr", points=4, hint="10 * log10(255**2 / mean squared error), in floats")
def test_psnr_formula(lab, seed, no_library_psnr, look):
    """10 log10(255² / mean squared error), whatever the size, the sign and the brightness of the errors"""
    flat = np.full((2, 3, 5, 3), 20, np.uint8)
    dark = np.full((2, 3, 4, 3), 10, np.uint8)
    dark[0, 0, 0] = 60
    rows = [(flat + np.uint8(error), flat) for error in (1, 10, 100, 235)]
    rows += [(dark + np.uint8(5), dark), (dark[:1], dark[:1] + np.uint8(3)), (dark + np.uint8(3), dark)]
    noisy = values.bytes_(seed, 3, 5, 7, 3), values.bytes_(seed + 1, 3, 5, 7, 3)
    mistakes = {
        "that is the mean of the absolute error. Square each": lambda y, x: decibels(np.abs(y - 1.0 * x).mean() ** 2),
        "that is half of it: the peak is squared too, 255²": lambda y, x: psnr_wanted(y, x) / 2,
        "that is the natural logarithm. Decibels use base 10": lambda y, x: psnr_wanted(y, x) * math.log(10),
        "the peak is 255, not the brightest value": lambda y, x: psnr_wanted(y, x) + 20 * math.log10(x.max() / 255),
        "the peak is 255, not 1: these are bytes": lambda y, x: psnr_wanted(y, x) - 20 * math.log10(255),
        "bytes wrap around: 3 - 5 is 254. Use floats": lambda y, x: decibels(np.square((y - x).astype(float)).mean()),
    }
    because = "it is 10 log10(255² / mean squared error), in floats: small integers wrap around, also in a square"
    answers = psnr.table(lab, [noisy, *rows], psnr_wanted, mistakes, because=because)
    look(**curves([psnr_wanted(*row) for row in [noisy, *rows]], answers))
    theorems.owes(psnr, lab, *noisy, other=rows[0])


@exercise("clip_psnr", points=3, hint="One mean over the whole clip, then one logarithm; infinity where it is 0.")
def test_psnr_pools_the_clip(lab, no_library_psnr):
    """every frame, row, column and colour counts alike; nothing lost is infinity, without an error or a warning"""
    original = np.full((4, 3, 5, 3), 90, np.uint8)
    ruined, red = original + np.uint8(1), original + np.uint8(1)
    ruined[2] += np.uint8(100)
    red[..., 0] += np.uint8(30)
    frames = "the decibels of the frames are averaged. Average the squared error over the whole clip"
    mistakes = {frames: lambda y, x: statistics.mean(map(psnr_wanted, y, x))}
    because = "one frame of four is ruined: it counts in full"
    psnr.table(lab, [(ruined, original)], psnr_wanted, mistakes, because=because)
    psnr.table(lab, [(red, original)], psnr_wanted, because="red alone is far off: all three colours count alike")
    for place in ((0, 0, 0, 0), (3, 2, 4, 2), (1, 2, 0, 1)):
        spot = original.copy()
        spot[place] += np.uint8(90)
        psnr(lab, spot, original).near(psnr_wanted(spot, original), because="a single value is off: each one counts")
    for clip in (values.bytes_(3, 2, 5, 7, 3), np.zeros((1, 2, 3, 3), np.uint8)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            psnr(lab, clip, clip.copy()).near(math.inf, because="identical clips are at infinity")


@exercise("clip_psnr", points=2, hint="Compare the shapes first; NumPy would stretch one array over the other.")
def test_psnr_refuses_other_shapes(lab, no_library_psnr):
    """clips of different shapes are a ValueError that names both, also where NumPy would broadcast"""
    clip, wide, tall = values.bytes_(0, 3, 5, 7, 3), np.zeros((1, 4, 6, 3), np.uint8), np.zeros((4, 1, 6, 3), np.uint8)
    for pair in ((clip[:1], clip), (clip, clip[:, :4]), (clip[..., :1], clip), (wide, tall), (clip[0], clip[:1])):
        for other in pair:
            psnr.refuses(lab, *pair, names=other.shape)


store = Call("store_clip", parameters=("form", "frames", "folder", "name", "clock"),
             gives=record("object", form=text(), raw_bytes=number(whole=True), num_bytes=number(whole=True),
                          write_seconds=number(), psnr=number(finite=False)))  # fmt: skip


class MadeUpForm:
    """A form of storage that takes the time it is told, writes a file of the size it is told, and damages frames."""

    name, suffix = "made up", ".fake"

    def __init__(self, seconds=0.25, num_bytes=777, damage=(0, 0, 0, 40), clock=None):
        self.clock, self.num_bytes, self.damage = clock or stand_ins.Clock(), num_bytes, damage
        self.store = self.clock.task("store", seconds, seconds / 10, does=self._store)  # again is quicker
        self.load = self.clock.task("load", 7.0, does=self._load)

    def _store(self, path, frames):
        self.frames = np.array(frames)
        with open(path, "wb") as file:
            file.write(bytes(self.num_bytes))

    def _load(self, path, indices=None):
        with open(path, "rb"):
            damage = np.resize(self.damage, len(self.frames)).reshape(-1, 1, 1, 1)
        frames = (self.frames + damage).clip(0, 255).astype(np.uint8)
        return frames if indices is None else frames[indices]


def stored(lab, folder, name="0007", **options):
    """The answer, the form with its clock, and the frames that went in."""
    form, frames = MadeUpForm(**options), values.bytes_(3, 4, 5, 7, 3) // 2
    answer = store(lab, form, frames, folder, name, form.clock)
    assert any(event[0] == "store" for event in form.clock.calls), f"{answer.said} stores nothing: call form.store"
    return answer, form, frames


@exercise("store_clip", points=1, hint="folder / (name + form.suffix)")
def test_store_makes_the_file(lab, tmp_path):
    """the clip is stored once, whole, under its name and the form's suffix, and stays there"""
    for name in ("clip.05", "0007"):
        answer, form, frames = stored(lab, tmp_path, name)
        paths = [str(event[1]) for event in form.clock.calls if event[0] == "store"]
        judge(f"the number of times that {answer.said} stores", len(paths), 1, because="once is enough")
        target = tmp_path / f"{name}.fake"
        assert paths[0] == str(target), (
            f"{answer.said} should make the file {target.name!r} in the folder, not {paths[0]!r}"
        )
        assert target.exists(), f"the file of {answer.said} is gone again. It has to stay: the reads come later"
        assert form.frames.dtype == np.uint8, f"{answer.said} stores {form.frames.dtype}: store the bytes as they are"
        judge(f"the frames that {answer.said} stores", form.frames, frames, because="store the frames as they are")
        answer["form"].equal("made up", because="that is the form's name")


@exercise("store_clip", points=2, hint="path.stat().st_size, after storing")
def test_store_counts_the_file(lab, tmp_path):
    """bytes on disk are the file's, bytes in memory the array's"""
    (tmp_path / "0006.fake").write_bytes(bytes(1000))
    for num_bytes in (777, 12_345, 0):
        answer, _, frames = stored(lab, tmp_path, num_bytes=num_bytes)
        mistakes = {
            "that is the array in memory. The length of the file on disk is asked for": frames.nbytes,
            "that is all that the folder holds": num_bytes + 1000,
        }
        answer["num_bytes"].near(num_bytes, mistakes, tolerance=0, because="the bytes of the file on disk")
        answer["raw_bytes"].near(frames.nbytes, tolerance=0, because="one byte per value, colours included")


@exercise("store_clip", points=2, hint="begin = clock(); form.store(path, frames); seconds = clock() - begin")
def test_store_times_the_writing_alone(lab, tmp_path):
    """the clock runs while the clip is stored and not while it is read back; by default it is the real one"""
    because = "read `clock()` right before and right after form.store, and no other clock"
    for seconds in (0.25, 1.5, 0.0):
        answer, form, _ = stored(lab, tmp_path, seconds=seconds)
        assert form.clock.looks, f"{answer.said}: the clock that you were given is never read"
        mistakes = {
            "the 7 s of reading back are in it. Stop the clock before that": seconds + 7.0,
            "that is in milliseconds. Seconds are asked for": 1000 * seconds,
        }
        answer["write_seconds"].near(seconds, mistakes, because=because)
    form = MadeUpForm()
    real = store(lab, form, values.bytes_(3, 4, 5, 7, 3), tmp_path, "real")
    assert 0 < real["write_seconds"].value < 5, f"write_seconds is {real['write_seconds'].value} by default"


@exercise("store_clip", points=2, needs=("clip_psnr",), hint="clip_psnr(form.load(path), frames)")
def test_store_judges_what_comes_back(lab, tmp_path, look):
    """quality is that of all frames that the file gives back"""
    want, got = [], []
    for damage in ((0, 0, 0, 40), (3, 1, 9, 5), (25, 0, 0, 0), (0, 2, 0, 0), (0,)):
        answer, form, frames = stored(lab, tmp_path, damage=damage)
        assert any(event[0] == "load" for event in form.clock.calls), (
            f"{answer.said} never loads the clip again: its quality is that of form.load(path)"
        )
        want, got = [*want, psnr_wanted(form._load(tmp_path / "0007.fake"), frames)], [*got, answer["psnr"].value]
        because = f"the four frames come back off by {damage}: compare all of them with `frames`"
        answer["psnr"].near(want[-1], because=because)
    look(**curves(want, got))


read_ms = Call("random_read_ms", gives=mapping(number(), keys="reads"), parameters=("reads", "requests", "clock"),
               sizes=lambda given: {"reads": list(given["reads"])})  # fmt: skip
REQUESTS = [(3, 5), (0, 2), (8, 11), (3, 5), (6, 0), (1, 4)]  # one of them twice


def race(lab, seconds, requests=REQUESTS, tick=0.0):
    """The answer, and the clock; reader `name` takes `seconds[name]` in its calls, the first one to warm up."""
    clock = stand_ins.Clock(tick=tick)
    answer = read_ms(lab, {name: clock.task(name, *taken) for name, taken in seconds.items()}, requests, clock)
    assert clock.looks, f"{answer.said}: the clock that you were given is never read"
    return answer, clock


def calls_in_turn(lab, names, requests):
    """The answer, the warm-up's calls, and the calls after it, once their number is right."""
    answer, clock = race(lab, {name: [0.001] for name in names}, requests)
    num_calls = len(names) * (len(requests) + 1)
    because = f"{len(requests)} requests and one warm-up for each of {len(names)} readers"
    judge(f"the number of reads in {answer.said}", len(clock.calls), num_calls, because=because)
    return answer, clock.calls[: len(names)], clock.calls[len(names) :]


@exercise("random_read_ms", points=1, hint="1000 * median of the seconds")
def test_race_in_milliseconds(lab):
    """each read is timed by itself, in milliseconds; by default with the real clock"""
    for tick in (0.0, 0.0003):
        answer, _ = race(lab, {"slow": [0.5], "fast": [0.002], "middle": [0.03]}, tick=tick)
        for name, seconds in (("slow", 0.5), ("fast", 0.002), ("middle", 0.03)):
            mistakes = {"that is in seconds. Milliseconds are asked for": seconds + tick}
            because = f"each of its reads takes {seconds} s: time each read by itself, with the clock that is given"
            answer[name].near(1000 * (seconds + tick), mistakes, because=because)

    def nap(clip, frame):
        time.sleep(0.004)

    real = read_ms(lab, {"nap": nap}, REQUESTS[:2])
    assert real["nap"].value >= 3, f"naps of 4 ms are timed as {real['nap'].value:.4f} ms"


@exercise("random_read_ms", points=1, hint="Before the race: reads[name](*requests[0]) for every name.")
def test_race_warms_up(lab):
    """every reader answers the first request once before anything is timed"""
    answer, _ = race(lab, {"A": [9.0, 0.001], "B": [9.0, 0.003]}, REQUESTS[:1])
    for name, ms in (("A", 1.0), ("B", 3.0)):
        because = "the first read of each reader takes 9 s: let each answer once before the race, off the clock"
        answer[name].near(ms, because=because)
    answer, warm_up, _ = calls_in_turn(lab, "ABC", REQUESTS)
    because = "every reader answers requests[0] once, before the race"
    judge(f"the first calls in {answer.said}", sorted(warm_up), [(name, 3, 5) for name in "ABC"], because=because)


@exercise("random_read_ms", points=4, hint="Requests outside, readers inside: names[i % n:] + names[:i % n]")
def test_race_is_interleaved(lab, look):
    """each request is answered by every reader before the next one comes; request i begins with reader i modulo n"""
    because = "each request is answered by every reader before the next one comes, reader i modulo n first"
    for names, n, requests in (("ABC", 3, REQUESTS), ("BA", 2, REQUESTS[:5]), ("DACB", 4, REQUESTS),
                               ("DACB", 4, REQUESTS[:2]), ("A", 1, REQUESTS)):  # fmt: skip
        answer, _, calls = calls_in_turn(lab, names, requests)
        one_by_one = [(name, *request) for name in names for request in requests]
        assert calls != one_by_one or n == 1, (
            f"{answer.said}: the readers run one after the other, so a machine that slows down hits only the last"
        )
        want = [(names[(i + k) % n], *request) for i, request in enumerate(requests) for k in range(n)]
        look(**curves([names.index(call[0]) for call in want], [names.index(call[0]) for call in calls]))
        for i, request in enumerate(requests):
            turn, said = slice(i * n, i * n + n), f"the calls for request {i}, {request}, in {answer.said}"
            mistakes = {"the same reader is always first": [(name, *request) for name in names]}
            judge(said, calls[turn], want[turn], mistakes, because=because)


@exercise("random_read_ms", points=3, hint="np.median of each reader's times. Nothing to read: ValueError.")
def test_race_takes_the_median(lab):
    """one hiccup does not count, and neither does one lucky read; no readers, or no requests, is a ValueError"""
    times = {"A": [0.010, 5.000, 0.012, 0.001, 0.011, 0.013], "B": [0.010, 0.020, 0.060, 0.030, 0.035, 0.001]}
    even = "of an even number of times, the median is the mean of the two in the middle"
    for count in (5, 6, 4, 2, 1):
        answer, _ = race(lab, {name: [0.0, *seconds] for name, seconds in times.items()}, REQUESTS[:count])
        for name, seconds in times.items():
            taken = [1000 * x for x in seconds[:count]]
            mistakes = {
                "that is the mean, which one hiccup decides": statistics.mean(taken),
                "that is the fastest read": min(taken),
                even: statistics.median_high(taken),
            }
            because = f"{name} took {', '.join(f'{x:g}' for x in taken)} ms"
            answer[name].near(statistics.median(taken), mistakes, because=because)
    clock = stand_ins.Clock()
    read_ms.refuses(lab, {}, REQUESTS, clock)
    read_ms.refuses(lab, {"A": clock.task("A", 0.1)}, [], clock)
    read_ms.refuses(lab, {}, [], clock)


FIELDS = ("num_clips", "megabytes", "compression", "write_ms", "psnr", "worst_psnr")
summary = Call("summarise", parameters=("measurements",),
               gives=mapping(record("object", **{name: number(finite=False) for name in FIELDS}), keys="forms"),
               sizes=lambda given: {"forms": list(dict.fromkeys(m.form for m in given["measurements"]))})  # fmt: skip


def studies(lab):
    """Measurements of several forms, mixed, of clips of very different size; and of one, and of none."""
    rows = [
        ("zebra", 1_000_000, 1_000, 0.010, 40.0), ("apple", 1_000_000, 1_000_128, 0.001, math.inf),
        ("zebra", 1_000_000, 100_000, 0.400, 30.0), ("zebra", 9_000_000, 60_000, 0.020, 35.0),
        ("apple", 9_000_000, 9_000_128, 0.003, math.inf), ("zebra", 3_000_000, 39_000, 0.030, 34.0),
    ]  # fmt: skip
    more = [("", 500, 250, 0.004, 20.0), ("apple", 70, 100, 0.0, 21.5), ("", 800, 900, 0.5, math.inf)]
    return [[lab.Stored(*row) for row in study] for study in (rows, rows[2:] + more, more[:1], more, [])]


def judge_field(lab, field, truth, mistakes, because):
    """One field of the table, for every form of every study; `truth` and `mistakes` get one form's clips as arrays."""
    for measurements in studies(lab):
        answer = summary(lab, measurements)
        for form in dict.fromkeys(m.form for m in measurements):
            clips = [vars(m) for m in measurements if m.form == form]
            group = SimpleNamespace(**{name: np.array([clip[name] for clip in clips]) for name in clips[0]})
            made = {message: mistake(group) for message, mistake in mistakes.items()}
            answer[form][field].near(truth(group), made, tolerance=1e-9, because=because)


@exercise("summarise", points=1, hint="One list for each form, in the order in which forms first appear.")
def test_table_has_one_row_per_form(lab, look):
    """one row per form, whatever it is called, in order of appearance"""
    judge_field(lab, "num_clips", lambda g: len(g.form), {}, "count the clips of this form")
    [study, *_] = studies(lab)
    theorems.owes(summary, lab, study, other=(study[3:],))
    answer = summary(lab, study)
    look(**curves([70, 10 / 10.000256], [answer[form]["compression"].value for form in ("zebra", "apple")]))


@exercise("summarise", points=3, hint="sum of raw bytes / sum of bytes on disk; 1 MB is 10**6 bytes")
def test_table_adds_up_before_it_divides(lab):
    """compression is the sum of raw bytes over the sum of bytes on disk, and megabytes are 10**6 bytes"""
    mistakes = {
        "that is the mean of the clips' ratios. Divide the sums": lambda g: (g.raw_bytes / g.num_bytes).mean(),
        "that is upside down: raw bytes over bytes on disk": lambda g: g.num_bytes.sum() / g.raw_bytes.sum(),
    }
    because = "all clips of the form together: the sum of raw bytes over the sum of bytes on disk"
    judge_field(lab, "compression", lambda g: g.raw_bytes.sum() / g.num_bytes.sum(), mistakes, because)
    mistakes = {"1 MB is 10**6 bytes here, not 2**20": lambda g: g.num_bytes.sum() / 2**20}
    because = "the files of this form all together, on disk"
    judge_field(lab, "megabytes", lambda g: g.num_bytes.sum() / 1e6, mistakes, because)


@exercise("summarise", points=4, hint="np.mean of the PSNRs, and min of them; 1000 * np.median(seconds)")
def test_table_time_and_quality(lab):
    """the time to write is the median, in milliseconds; quality the mean, and the worst clip the lowest"""
    mistakes = {
        "that is the mean, which one slow clip decides": lambda g: 1000 * g.write_seconds.mean(),
        "that is in seconds. Milliseconds are asked for": lambda g: np.median(g.write_seconds),
    }
    because = "the median of the times to write, in milliseconds"
    judge_field(lab, "write_ms", lambda g: 1000 * np.median(g.write_seconds), mistakes, because)
    mistakes = {"that is the median. The mean over the clips is asked for": lambda g: statistics.median(g.psnr)}
    because = "the mean over the clips, which is infinite where one of them is"
    judge_field(lab, "psnr", lambda g: g.psnr.mean(), mistakes, because)
    judge_field(lab, "worst_psnr", lambda g: g.psnr.min(), {}, "the worst clip is the lowest")


quality = Call("bytes_at_quality", gives=number(), parameters=("num_bytes", "psnrs", "target"))
CURVE = ([8000, 1000, 4000, 16000], [40, 30, 36, 47])  # bytes, dB; not in order


def bytes_wanted(num_bytes, psnrs, target, there=math.log, back=math.exp):
    """Oracle: straight lines between the sorted points, in the logarithm."""
    qualities, sizes = zip(*sorted(zip(psnrs, num_bytes)))
    return back(np.interp(target, qualities, list(map(there, sizes))))


@exercise("bytes_at_quality", points=3, hint="np.interp over the logarithm of the bytes, then np.exp")
def test_curve_is_straight_in_the_logarithm(lab, look):
    """at a measured quality the measured bytes; between two points, straight on a logarithmic axis"""
    rows = [(*CURVE, target) for target in CURVE[1]] + [([500], [33.5], 33.5), ([0.5, 0.25], [0.0, -3.0], 0.0)]
    because = "that many bytes were measured there. Is the curve sorted by quality, and the logarithm undone?"
    quality.table(lab, rows, bytes_wanted, because=because, tolerance=1e-6)
    rows = [(*CURVE, target) for target in (33, 31.5, 37, 39.9, 41, 46, 30.001)]
    mistakes = {
        "that is straight in the bytes, not in their logarithm": partial(bytes_wanted, there=float, back=float),
        "that is the nearest measured point. Interpolate": lambda b, q, at: b[np.abs(np.subtract(q, at)).argmin()],
    }
    because = "straight between the two neighbours, with the logarithm of the bytes on the other axis"
    answers = quality.table(lab, rows, bytes_wanted, mistakes, because=because, tolerance=1e-6)
    look(**curves([bytes_wanted(*row) for row in rows], answers))
    theorems.owes(quality, lab, *CURVE, 33, other=([3, 9], [1, 2], 1.5))


@exercise("bytes_at_quality", points=2, hint="order = np.argsort(psnrs) sorts both alike.")
def test_curve_in_any_order(lab):
    """the order of the settings does not matter, and pairs stay pairs"""
    orders = [[3, 2, 1, 0], [1, 2, 0, 3], [2, 0, 3, 1]]
    rows = [([CURVE[0][i] for i in order], [CURVE[1][i] for i in order], 38) for order in orders]
    rows += [([900, 1000, 4000], [34, 30, 38], 31), ([900, 4000, 1000], [34, 38, 30], 33.5)]
    mistakes = {
        "sort the points by quality first": lambda b, q, at: math.exp(np.interp(at, q, np.log(b))),
        "the lists are sorted each by itself": lambda b, q, at: bytes_wanted(sorted(b), sorted(q), at),
    }
    because = "a setting may cost less and look better: bytes and PSNR of a point belong together, sorted by quality"
    quality.table(lab, rows, bytes_wanted, mistakes, because=because, tolerance=1e-6)


@exercise("bytes_at_quality", points=3, hint="if not min(psnrs) <= target <= max(psnrs): raise ValueError")
def test_curve_ends(lab):
    """outside the measured range, which the message names, and for lists that are no pairs: ValueError"""
    for target in (29.5, 47.5, 3.5, 29.999, -36.0):
        quality.refuses(lab, *CURVE, target, names=target, because="the curve runs from 30 to 47 dB")
    quality.refuses(lab, [500], [33.5], 33.25, names=33.25)
    quality.refuses(lab, [500, 900], [33.5, 40.5], 0, because="the curve runs from 33.5 to 40.5 dB")
    for num_bytes, psnrs in (([1, 2], [30, 31, 32]), ([1, 2, 3, 4], [30, 31, 32]), ([], []), ([1], []), ([], [30.5])):
        quality.refuses(lab, num_bytes, psnrs, 30.5)
