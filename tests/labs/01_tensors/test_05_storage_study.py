"""Grader of lab 01.5, the storage study.

Nothing here waits for a real disk or a real clock: files are made up, and time passes only when a store or a reader
says so. So every number has one right value, on every machine.
"""

import math
import warnings
from numbers import Real
from types import SimpleNamespace

import numpy as np
import pytest

from common.course.grader_tools import attempt, refuses

exercise = pytest.mark.exercise


class Clock:
    """Seconds that pass only when something says so."""

    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now

    def work(self, seconds):
        self.now += seconds


def number(said, got):
    """A plain number, or a failing test."""
    assert isinstance(got, Real) and not isinstance(got, bool), (
        f"{said} returned {type(got).__name__} ({str(got)[:60]}); one float is asked for"
    )
    return float(got)


# ------------------------------------------------------------------------------------------------- clip_psnr


@pytest.fixture
def no_library_psnr(monkeypatch):
    """The library's own PSNR is the answer to this exercise: while it is tested, it says so."""
    from common.evaluation import psnr

    def used(*args, **kwargs):
        from common.course.errors import AnswerKeyUsed

        raise AnswerKeyUsed.of("common.evaluation.psnr")

    monkeypatch.setattr(psnr, "__code__", used.__code__)
    monkeypatch.setattr(psnr, "__kwdefaults__", None)


def noisy_pair(num_frames=3, height=5, width=7, seed=0):
    """An original, and a copy with large errors in both directions."""
    draw = np.random.default_rng(seed)
    original = draw.integers(0, 256, (num_frames, height, width, 3), dtype=np.uint8)
    restored = draw.integers(0, 256, original.shape, dtype=np.uint8)
    return restored, original


def psnr_oracle(restored, original):
    """One value after the other, in Python's own whole numbers."""
    total = sum((int(y) - int(x)) ** 2 for y, x in zip(restored.ravel(), original.ravel()))
    return 10 * math.log10(255**2 * original.size / total)


def psnr_answer(lab, restored, original):
    copies = restored.copy(), original.copy()
    got = number("clip_psnr", attempt("clip_psnr of two clips", lab.clip_psnr, restored, original))
    assert all(np.array_equal(a, b) for a, b in zip(copies, (restored, original))), (
        "the arrays you were given have changed: work on a copy"
    )
    return got


@exercise("clip_psnr", points=2, hint="10 * log10(255**2 / mean squared error)")
def test_psnr_of_a_constant_error(lab, no_library_psnr):
    """every value wrong by d gives 20 log10(255 / d) decibels"""
    original = np.full((2, 3, 5, 3), 20, np.uint8)
    for error in (1, 10, 100, 235):
        got = psnr_answer(lab, original + np.uint8(error), original)
        want = 20 * math.log10(255 / error)
        close = math.isclose(got, want, abs_tol=1e-3)
        if not close and math.isclose(got, want / 2, abs_tol=1e-3):
            pytest.fail(f"every value off by {error} is {want:.2f} dB, you say {got:.2f}: the error has to be squared")
        if not close and math.isclose(got, want * math.log(10), abs_tol=1e-2):
            pytest.fail(f"every value off by {error} is {want:.2f} dB, not {got:.2f}: that is the natural logarithm")
        assert close, (
            f"every value off by {error} is {want:.2f} dB at a peak of 255, you say {got:.2f}: "
            "is the peak 255, the error squared, the logarithm to base 10?"
        )


@exercise("clip_psnr", points=2, hint="restored.astype(np.float64) - original")
def test_psnr_does_not_wrap(lab, seed, no_library_psnr):
    """errors in both directions and of every size: no wrapping around"""
    restored, original = noisy_pair(seed=seed)
    got, want = psnr_answer(lab, restored, original), psnr_oracle(restored, original)
    absolute = float(np.abs(restored.astype(np.float64) - original).mean())
    assert not math.isclose(got, 20 * math.log10(255 / absolute), abs_tol=1e-3), (
        f"a clip of random errors is at {want:.2f} dB, you say {got:.2f}: that is the mean of the absolute error. "
        "Square each error before the mean"
    )
    assert math.isclose(got, want, abs_tol=1e-2), (
        f"a clip of random errors is at {want:.2f} dB, you say {got:.2f}. Small integers wrap around, "
        "in the difference (uint8) or in its square (int16): convert to floats first"
    )
    low, high = np.zeros((1, 2, 3, 3), np.uint8), np.full((1, 2, 3, 3), 3, np.uint8)
    there, back = psnr_answer(lab, low, high), psnr_answer(lab, high, low)
    assert math.isclose(there, back, abs_tol=1e-6), (
        f"too dark by 3 gives {there:.2f} dB, too bright by 3 gives {back:.2f}: bytes wrap around in a difference"
    )


@exercise("clip_psnr", points=2, hint="One mean over the whole clip, then one logarithm.")
def test_psnr_pools_the_clip(lab, no_library_psnr):
    """one ruined frame counts in full: the mean comes before the logarithm"""
    original = np.full((4, 3, 5, 3), 90, np.uint8)
    restored = original + np.uint8(1)
    restored[2] += np.uint8(100)
    got, want = psnr_answer(lab, restored, original), psnr_oracle(restored, original)
    frames = [psnr_oracle(y, x) for y, x in zip(restored, original)]
    averaged = sum(frames) / len(frames)
    assert not math.isclose(got, averaged, abs_tol=1e-2), (
        f"one of four frames is ruined, and you say {got:.2f} dB: that is the decibels averaged frame by frame. "
        f"Take the mean of the squared error over the whole clip first: {want:.2f} dB"
    )
    assert math.isclose(got, want, abs_tol=1e-2), (
        f"one of four frames is ruined: {want:.2f} dB, you say {got:.2f}. Every frame, row, column and colour counts"
    )
    red = original.copy()
    red[..., 0] += np.uint8(30)
    got, want = psnr_answer(lab, red, original), psnr_oracle(red, original)
    assert math.isclose(got, want, abs_tol=1e-2), (
        f"red alone off by 30 is {want:.2f} dB, you say {got:.2f}: all three colours count alike"
    )


@exercise("clip_psnr", points=1, hint="The peak is what a byte could hold, 255.")
def test_psnr_peak_is_255(lab, no_library_psnr):
    """a dark clip is measured against 255 too"""
    original = np.full((2, 3, 4, 3), 10, np.uint8)
    original[0, 0, 0] = 60
    got = psnr_answer(lab, original + np.uint8(5), original)
    want = 20 * math.log10(255 / 5)
    assert math.isclose(got, want, abs_tol=1e-2), (
        f"a dark clip (brightest value 60) off by 5 is {want:.2f} dB at a peak of 255, you say {got:.2f}: the peak is "
        "255, not the brightest value"
    )


@exercise("clip_psnr", points=1, hint="if mean_squared_error == 0: return float('inf')")
def test_psnr_of_identical_clips(lab, no_library_psnr):
    """nothing lost is infinity, without an error or a warning"""
    same = noisy_pair()[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = psnr_answer(lab, same, same.copy())
    assert got == math.inf, f"identical clips are at infinity dB, you say {got}"


@exercise("clip_psnr", points=1, hint="Compare the shapes first; numpy would stretch one array over the other.")
def test_psnr_refuses_other_shapes(lab, no_library_psnr):
    """clips of different shapes are a ValueError, also where numpy would broadcast"""
    restored, original = noisy_pair(num_frames=3)
    for wrong in (restored[:1], restored[:, :4], restored[..., :1]):
        said = f"clip_psnr of shapes {wrong.shape} and {original.shape}"
        refuses(said, wrong.shape, lab.clip_psnr, wrong, original)
    wide, long = np.zeros((1, 4, 6, 3), np.uint8), np.zeros((4, 1, 6, 3), np.uint8)  # numpy pairs them
    refuses(f"clip_psnr of shapes {wide.shape} and {long.shape}", wide.shape, lab.clip_psnr, wide, long)


# ------------------------------------------------------------------------------------------------ store_clip


class FakeDisk:
    """A form of storage that takes the time it is told, writes a file of the size it is told, and damages frames."""

    def __init__(self, clock, store_seconds=0.25, num_bytes=777, damage=(0, 0, 0, 40)):
        self.clock, self.store_seconds, self.num_bytes, self.damage = clock, store_seconds, num_bytes, damage
        self.stores, self.loads, self.events = [], [], []
        self.form = SimpleNamespace(name="make-believe", suffix=".fake", store=self.store, load=self.load)

    def store(self, path, frames):
        self.stores.append(path)
        self.events.append("store")
        self.frames = np.array(frames)
        # a file that is written again costs less: whoever stores twice measures something else
        self.clock.work(self.store_seconds if len(self.stores) == 1 else self.store_seconds / 10)
        with open(path, "wb") as file:
            file.write(bytes(self.num_bytes))

    def load(self, path, indices=None):
        with open(path, "rb"):
            self.loads.append(path)
        self.events.append("load")
        self.clock.work(7.0)
        damaged = self.frames.astype(np.int64)
        damaged += np.resize(self.damage, len(damaged)).reshape(-1, 1, 1, 1)
        damaged = damaged.clip(0, 255).astype(np.uint8)
        return damaged if indices is None else damaged[indices]


def four_frames():
    return np.random.default_rng(3).integers(0, 200, (4, 5, 7, 3), dtype=np.uint8)


def store_answer(lab, folder, name="0007", **options):
    clock = Clock()
    disk = FakeDisk(clock, **options)
    frames = four_frames()
    got = attempt(
        "store_clip(form, frames, folder, name, clock)", lab.store_clip, disk.form, frames, folder, name, clock
    )
    assert isinstance(got, lab.Stored), f"store_clip returned {type(got).__name__}; a `Stored` is asked for"
    assert disk.stores, "nothing was stored: call form.store(path, frames)"
    return got, disk, frames


@exercise("store_clip", points=1, hint="folder / (name + form.suffix)")
def test_store_makes_the_file(lab, tmp_path):
    """the clip is stored once, whole, under its name and the form's suffix, and stays there"""
    got, disk, frames = store_answer(lab, tmp_path, name="clip.05")
    want = tmp_path / "clip.05.fake"
    stored_at = [str(path) for path in disk.stores]
    assert len(disk.stores) == 1, f"the clip was stored {len(disk.stores)} times; once is asked for"
    assert stored_at == [str(want)], f"the file should be {want.name!r} in the folder, you stored {stored_at[0]!r}"
    assert want.exists(), "the file is gone again; it has to stay, the reads come later"
    assert np.array_equal(disk.frames, frames), "form.store was given other frames than those to store"
    assert disk.frames.dtype == np.uint8, (
        f"form.store was given {disk.frames.dtype}; store the bytes as they are, floats take four times the disk"
    )
    assert got.form == "make-believe", f"`form` should be the form's name, 'make-believe', you say {got.form!r}"


@exercise("store_clip", points=2, hint="path.stat().st_size, after storing")
def test_store_counts_the_file(lab, tmp_path):
    """bytes on disk are the file's, bytes in memory the array's"""
    (tmp_path / "0006.fake").write_bytes(bytes(1000))
    for num_bytes in (777, 12_345):
        got, _, frames = store_answer(lab, tmp_path, num_bytes=num_bytes)
        assert got.num_bytes != num_bytes + 1000, (
            f"the file has {num_bytes} bytes on disk, you say {got.num_bytes}: that is all the folder holds"
        )
        assert got.num_bytes == num_bytes, f"the file has {num_bytes} bytes on disk, you say {got.num_bytes}" + (
            ": that is the array in memory" if got.num_bytes == frames.nbytes else ""
        )
        assert got.raw_bytes == frames.nbytes, (
            f"a clip {frames.shape} of bytes takes {frames.nbytes} bytes in memory, raw_bytes says {got.raw_bytes}"
        )


@exercise("store_clip", points=2, hint="begin = clock(); form.store(path, frames); seconds = clock() - begin")
def test_store_times_the_writing_alone(lab, tmp_path):
    """the clock runs while the clip is stored and not while it is read back"""
    for seconds in (0.25, 1.5):
        got, _, _ = store_answer(lab, tmp_path, store_seconds=seconds)
        assert not math.isclose(got.write_seconds, seconds + 7.0, abs_tol=1e-6), (
            f"storing took {seconds} s and reading back 7 s; write_seconds says {got.write_seconds}: "
            "stop the clock before reading back"
        )
        assert not math.isclose(got.write_seconds, seconds * 1000, rel_tol=1e-6), (
            f"storing took {seconds} s, write_seconds says {got.write_seconds}: that is milliseconds"
        )
        assert math.isclose(got.write_seconds, seconds, abs_tol=1e-6), (
            f"storing took {seconds} s by the clock you were given, write_seconds says {got.write_seconds}: "
            "read `clock()` right before and right after form.store, and no other clock"
        )


@exercise("store_clip", points=2, needs=("clip_psnr",), hint="clip_psnr(form.load(path), frames)")
def test_store_judges_what_comes_back(lab, tmp_path):
    """quality is that of all frames that the file gives back"""
    for damage in ((0, 0, 0, 40), (3, 1, 9, 5), (25, 0, 0, 0)):
        got, disk, frames = store_answer(lab, tmp_path, damage=damage)
        assert disk.loads, "the clip was never loaded again: its quality is that of form.load(path), not a guess"
        want = psnr_oracle(disk.load(disk.stores[0]), frames)
        assert not (math.isinf(got.psnr)), (
            f"the frames come back damaged by {damage}, and psnr says {got.psnr}: "
            "compare all frames that form.load(path) gives back with `frames`"
        )
        assert math.isclose(got.psnr, want, abs_tol=1e-2), (
            f"the four frames come back off by {damage}: {want:.2f} dB over the whole clip, psnr says {got.psnr:.2f}"
        )


# -------------------------------------------------------------------------------------------- random_read_ms


def race(lab, costs, requests, clock=None):
    """The learner's result, and the calls in order: (name, clip, frame). `costs[name](calls so far)` is in seconds."""
    clock = clock or Clock()
    calls = []

    def reader(name):
        def read(clip, frame):
            calls.append((name, clip, frame))
            clock.work(costs[name](calls))

        return read

    reads = {name: reader(name) for name in costs}
    said = f"random_read_ms of {len(costs)} readers and {len(requests)} requests"
    got = attempt(said, lab.random_read_ms, reads, list(requests), clock)
    assert isinstance(got, dict), f"{said} returned {type(got).__name__}; a dict name -> milliseconds is asked for"
    assert list(got) == list(costs), f"{said}: the names should be {list(costs)}, in that order, not {list(got)}"
    return {name: number(f"the time of {name!r}", ms) for name, ms in got.items()}, calls


REQUESTS = [(3, 5), (0, 2), (8, 11), (3, 1), (6, 0), (1, 4)]


def constant(seconds):
    return lambda calls: seconds


def timed_calls(lab, names="ABC", requests=REQUESTS):
    """The calls behind the warm-up, in rounds of one request each, once their number is right."""
    _, calls = race(lab, {name: constant(0.001) for name in names}, requests)
    want = len(names) * (len(requests) + 1)
    assert len(calls) == want, (
        f"{len(names)} readers, {len(requests)} requests and one warm-up each are {want} reads, you made {len(calls)}"
    )
    behind = calls[len(names) :]
    return calls[: len(names)], [behind[i : i + len(names)] for i in range(0, len(behind), len(names))]


@exercise("random_read_ms", points=1, hint="1000 * median of the seconds")
def test_race_in_milliseconds(lab):
    """readers of constant speed: their times, in milliseconds"""
    got, _ = race(lab, {"slow": constant(0.5), "fast": constant(0.002), "middle": constant(0.03)}, REQUESTS)
    for name, want in (("slow", 500.0), ("fast", 2.0), ("middle", 30.0)):
        assert math.isclose(got[name], want, rel_tol=1e-6), (
            f"a reader that takes {want / 1000} s each time should be at {want} ms, you say {got[name]}: "
            "each read is timed by itself, with the clock you were given"
        )


@exercise("random_read_ms", points=1, hint="Before the race: reads[name](*requests[0]) for every name.")
def test_race_warms_up(lab):
    """every reader answers the first request once before anything is timed"""

    def cold_start(name):
        return lambda calls: 9.0 if [call[0] for call in calls].count(name) == 1 else 0.001

    got, _ = race(lab, {name: cold_start(name) for name in "AB"}, REQUESTS[:1])
    assert max(got.values()) < 1000, (
        f"the first read of each reader takes 9 s, all later ones 1 ms; you say {got} ms: "
        "the warm-up is missing, or is timed. Let every reader answer once before the race, off the clock"
    )
    warm, _ = timed_calls(lab)
    assert sorted(warm) == sorted((name, *REQUESTS[0]) for name in "ABC"), (
        f"the race should begin with requests[0], {REQUESTS[0]}, once by every reader, untimed; it began with {warm}"
    )


@exercise("random_read_ms", points=2, hint="The outer loop is over requests, the inner one over readers.")
def test_race_is_interleaved(lab):
    """each request is answered by every reader before the next one comes"""
    _, rounds = timed_calls(lab)
    for i, (made, request) in enumerate(zip(rounds, REQUESTS)):
        names = [call[0] for call in made]
        assert sorted(names) == list("ABC"), (
            f"request {i} should go to A, B and C before the next one comes; the calls there are {made}: "
            "the readers run one after the other, not interleaved, so a machine that slows down hits only the last"
        )
        asked = {call[1:] for call in made}
        assert asked == {request}, f"request {i} is {request} for every reader; you asked for {sorted(asked)}"


@exercise("random_read_ms", points=2, hint="names[i % n:] + names[:i % n]")
def test_race_takes_turns_at_being_first(lab):
    """request i begins with reader i modulo n and goes round"""
    _, rounds = timed_calls(lab)
    orders = ["".join(call[0] for call in made) for made in rounds]
    want = ["ABC", "BCA", "CAB"] * 2
    assert len(set(orders)) > 1, (
        f"every round has the order {orders[0]}: the same reader is always first. Rotate: {' '.join(want)}"
    )
    assert orders == want, f"the rounds should go {' '.join(want)}, yours go {' '.join(orders)}"


@exercise("random_read_ms", points=2, hint="np.median of each reader's times; not the mean, not the fastest")
def test_race_takes_the_median(lab):
    """one hiccup does not count, and neither does one lucky read"""
    times = iter([0.0, 0.010, 5.000, 0.012, 0.001, 0.011, 0.013, 0.014])  # the first is the warm-up
    got, _ = race(lab, {"A": lambda calls: next(times)}, [*REQUESTS, (2, 2)])
    said = f"reads of 10, 5000, 12, 1, 11, 13 and 14 ms: the median is 12 ms, you say {got['A']:.4g}"
    assert not math.isclose(got["A"], 5061 / 7, rel_tol=1e-6), f"{said}: that is the mean, which one hiccup decides"
    assert not math.isclose(got["A"], 1.0, rel_tol=1e-6), f"{said}: that is the fastest"
    assert math.isclose(got["A"], 12.0, rel_tol=1e-6), said
    times = iter([0.0, 0.010, 0.020, 0.060, 0.030])
    got, _ = race(lab, {"A": lambda calls: next(times)}, REQUESTS[:4])
    assert math.isclose(got["A"], 25.0, rel_tol=1e-6), (
        f"reads of 10, 20, 60 and 30 ms: the median of an even number is the mean of the two in the middle, 25 ms, "
        f"you say {got['A']:.4g}"
    )


@exercise("random_read_ms", points=1, hint="if not reads or not requests: raise ValueError")
def test_race_refuses_nothing(lab):
    """no readers, or no requests, is a ValueError"""
    refuses("random_read_ms without readers", None, lab.random_read_ms, {}, REQUESTS, Clock())
    refuses("random_read_ms without requests", None, lab.random_read_ms, {"A": lambda clip, frame: None}, [], Clock())


# ------------------------------------------------------------------------------------------------- summarise


def measured(lab, form, raw_bytes, num_bytes, milliseconds, psnr):
    return lab.Stored(form, raw_bytes, num_bytes, milliseconds / 1000, psnr)


def study(lab):
    """Two forms, mixed, clips of very different size."""
    return [
        measured(lab, "zebra", 1_000_000, 1_000, 10, 40.0),
        measured(lab, "apple", 1_000_000, 1_000_128, 1, math.inf),
        measured(lab, "zebra", 1_000_000, 100_000, 400, 30.0),
        measured(lab, "zebra", 9_000_000, 60_000, 20, 35.0),
        measured(lab, "apple", 9_000_000, 9_000_128, 3, math.inf),
        measured(lab, "zebra", 3_000_000, 39_000, 30, 34.0),
    ]


def table_answer(lab, measurements=None):
    measurements = study(lab) if measurements is None else measurements
    got = attempt(f"summarise of {len(measurements)} measurements", lab.summarise, list(measurements))
    assert isinstance(got, dict), f"summarise returned {type(got).__name__}; a dict name -> `Row` is asked for"
    for name, row in got.items():
        assert isinstance(row, lab.Row), f"the line of {name!r} is {type(row).__name__}; a `Row` is asked for"
    return got


@exercise("summarise", points=1, hint="One list for each form, in the order in which forms first appear.")
def test_table_has_one_row_a_form(lab):
    """one line for each form, whatever it is called, in order of appearance"""
    got = table_answer(lab)
    assert list(got) == ["zebra", "apple"], (
        f"the measurements hold the forms zebra and apple, first seen in that order; your table has {list(got)}"
    )
    counts = {name: row.num_clips for name, row in got.items()}
    assert counts == {"zebra": 4, "apple": 2}, f"zebra has 4 clips and apple 2, num_clips says {counts}"


@exercise("summarise", points=2, hint="sum of raw bytes / sum of bytes on disk")
def test_table_divides_sums(lab):
    """compression is the sum of raw bytes over the sum of bytes on disk"""
    got = table_answer(lab)["zebra"]
    want = 14_000_000 / 200_000
    mean_of_ratios = (1000 + 10 + 150 + 3_000_000 / 39_000) / 4
    said = f"14 MB became 0.2 MB, a factor of {want:g}; compression says {got.compression:.4g}"
    assert not math.isclose(got.compression, mean_of_ratios, rel_tol=1e-3), f"{said}: the mean of the ratios"
    assert not math.isclose(got.compression, 1 / want, rel_tol=1e-3), f"{said}: upside down"
    assert math.isclose(got.compression, want, rel_tol=1e-6), f"{said}: divide the sums"


@exercise("summarise", points=1, hint="1 MB is 10**6 bytes.")
def test_table_adds_up_the_disk(lab):
    """megabytes are all the files of a form together, 10**6 bytes each"""
    for name, want in (("zebra", 0.2), ("apple", 10.000256)):
        got = table_answer(lab)[name].megabytes
        said = f"the files of {name} have {want:g} MB in all, megabytes says {got:.6g}"
        assert not math.isclose(got, want * 1e6 / 2**20, rel_tol=1e-6), f"{said}: 1 MB is 10**6 bytes here, not 2**20"
        assert math.isclose(got, want, rel_tol=1e-6), said


@exercise("summarise", points=1, hint="1000 * np.median(seconds)")
def test_table_takes_the_median_time(lab):
    """the time to write is the median, in milliseconds"""
    got = table_answer(lab)["zebra"].write_ms
    said = f"clips were written in 10, 400, 20 and 30 ms: the median is 25 ms, write_ms says {got:.4g}"
    assert not math.isclose(got, 115, rel_tol=1e-6), f"{said}: that is the mean, which one slow clip decides"
    assert not math.isclose(got, 0.025, rel_tol=1e-6), f"{said}: that is seconds"
    assert math.isclose(got, 25, rel_tol=1e-6), said


@exercise("summarise", points=2, hint="np.mean of the PSNRs, and min of them")
def test_table_quality(lab):
    """quality is the mean over clips, and the worst clip is the lowest"""
    got = table_answer(lab)
    zebra = got["zebra"]
    assert math.isclose(zebra.psnr, 34.75, abs_tol=1e-6), (
        f"clips of 40, 30, 35 and 34 dB: their mean is 34.75 dB, psnr says {zebra.psnr:.4f}"
    )
    assert math.isclose(zebra.worst_psnr, 30.0, abs_tol=1e-6), (
        f"clips of 40, 30, 35 and 34 dB: the worst is the lowest, 30 dB, worst_psnr says {zebra.worst_psnr:.4f}"
    )
    apple = got["apple"]
    assert apple.psnr == apple.worst_psnr == math.inf, (
        f"a form that loses nothing is at infinity dB, your table says {apple.psnr} and {apple.worst_psnr}"
    )


@exercise("summarise", points=1, hint="Work with the clips that are there, however many.")
def test_table_of_one(lab):
    """a single measurement is its own summary"""
    got = table_answer(lab, [measured(lab, "one", 500, 250, 4, 20.0)])["one"]
    want = lab.Row(1, 0.00025, 2.0, 4.0, 20.0, 20.0)
    for field in ("num_clips", "megabytes", "compression", "write_ms", "psnr", "worst_psnr"):
        mine, theirs = getattr(got, field), getattr(want, field)
        assert math.isclose(mine, theirs, rel_tol=1e-6), f"of a single clip, {field} should be {theirs}, not {mine}"


# ------------------------------------------------------------------------------------------ bytes_at_quality

CURVE = ([8000, 1000, 4000, 16000], [40, 30, 36, 47])  # bytes, dB; not in order


def curve_answer(lab, num_bytes, psnrs, target):
    said = f"bytes_at_quality({num_bytes}, {psnrs}, {target})"
    given = list(num_bytes), list(psnrs)
    got = number(said, attempt(said, lab.bytes_at_quality, num_bytes, psnrs, target))
    assert (list(num_bytes), list(psnrs)) == given, f"{said} changed the lists it was given: work on copies"
    return got, said


def geometric(low, high, part):
    return low ** (1 - part) * high**part


@exercise("bytes_at_quality", points=1, hint="At a measured point, its own bytes.")
def test_curve_goes_through_its_points(lab):
    """at a measured quality, the measured bytes; the ends belong to the curve"""
    for num_bytes, psnr in zip(*CURVE):
        got, said = curve_answer(lab, *map(list, CURVE), psnr)
        assert math.isclose(got, num_bytes, rel_tol=1e-6), (
            f"{said}: at {psnr} dB {num_bytes} bytes were measured, you say {got:.6g}. "
            "Is the curve sorted by quality, and the logarithm undone?"
        )
    got, said = curve_answer(lab, [500], [33.5], 33.5)
    assert math.isclose(got, 500, rel_tol=1e-6), f"{said}: the one point there is has 500 bytes, you say {got:.6g}"


@exercise("bytes_at_quality", points=2, hint="np.interp over the logarithm of the bytes, then np.exp")
def test_curve_is_straight_in_the_logarithm(lab):
    """between two points, straight on a logarithmic axis"""
    for target, low, high, part in ((33, 1000, 4000, 0.5), (31.5, 1000, 4000, 0.25), (37, 4000, 8000, 0.25)):
        got, said = curve_answer(lab, *map(list, CURVE), target)
        want = geometric(low, high, part)
        assert not math.isclose(got, low + part * (high - low), rel_tol=1e-6), (
            f"{said} is {want:.1f}, you say {got:.1f}: that is straight in the bytes, not in their logarithm"
        )
        said = f"{said} is {want:.1f}, between {low} and {high}; you say {got:.1f}"
        assert got not in (low, high), f"{said}: the nearest point, not between the two"
        assert math.isclose(got, want, rel_tol=1e-6), said


@exercise("bytes_at_quality", points=2, hint="order = np.argsort(psnrs) sorts both alike.")
def test_curve_in_any_order(lab):
    """the order of the settings does not matter, and pairs stay pairs"""
    want = geometric(4000, 8000, 0.5)
    for order in ((0, 1, 2, 3), (3, 2, 1, 0), (1, 2, 0, 3), (2, 0, 3, 1)):
        num_bytes, psnrs = ([column[i] for i in order] for column in CURVE)
        got, said = curve_answer(lab, num_bytes, psnrs, 38)
        assert math.isclose(got, want, rel_tol=1e-6), (
            f"{said} is {want:.1f} in any order of the points, you say {got:.1f}: sort by quality first"
        )
    got, said = curve_answer(lab, [900, 1000, 4000], [34, 30, 38], 31)
    want = geometric(1000, 900, 0.25)
    assert math.isclose(got, want, rel_tol=1e-6), (
        f"{said} is {want:.1f}, you say {got:.1f}: a setting may cost less and look better; bytes and PSNR of a point "
        "belong together, so sort both by quality, not each by itself"
    )


@exercise("bytes_at_quality", points=2, hint="if not min(psnrs) <= target <= max(psnrs): raise ValueError")
def test_curve_ends(lab):
    """outside the measured range there is no answer: ValueError that names the target"""
    for target in (29.5, 47.5, 3.5):
        said = f"the curve runs from 30 to 47 dB; bytes_at_quality(..., {target})"
        refuses(said, target, lab.bytes_at_quality, *map(list, CURVE), target)


@exercise("bytes_at_quality", points=1, hint="Compare the lengths first.")
def test_curve_refuses_nonsense(lab):
    """lists of different length, or empty ones, are a ValueError"""
    refuses("bytes_at_quality with 2 sizes and 3 qualities", None, lab.bytes_at_quality, [1, 2], [30, 31, 32], 30.5)
    refuses("bytes_at_quality with 4 sizes and 3 qualities", None, lab.bytes_at_quality, [1, 2, 3, 4], [30, 31, 32], 31)
    refuses("bytes_at_quality of an empty curve", None, lab.bytes_at_quality, [], [], 30)
