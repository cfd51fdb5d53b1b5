"""Grader of lab 01.1, the video loader benchmark.

The oracles: a search through all keyframes, a film on paper that counts what is done to it, pictures made to mislead,
and a clock that is wound by hand. No file is read and no second passes.
"""

from numbers import Integral, Real

import numpy as np
import pytest

from common.course.grader_tools import attempt, refuses

exercise = pytest.mark.exercise


# ---------------------------------------------------------------------------------------------- decode_runs

STEADY = [0, 24, 48, 72, 96]
UNEVEN = [0, 5, 6, 17, 40, 41, 58]


def keyframe_before(index, keyframes):
    """Oracle: look at every keyframe, and keep the last one that is not later."""
    found = None
    for keyframe in keyframes:
        if keyframe <= index:
            found = keyframe
    return found


def runs_wanted(indices, keyframes):
    """Oracle: for each keyframe, the wanted frames that are its own."""
    runs = []
    for keyframe in keyframes:
        own = [i for i in sorted(set(indices)) if keyframe_before(i, keyframes) == keyframe]
        if own:
            runs.append((keyframe, own))
    return runs


def runs_answer(lab, indices, keyframes):
    """The learner's runs as plain numbers, with everything but their values checked; and the call in words."""
    said = f"decode_runs({indices}, {keyframes})"
    given, starts = list(indices), list(keyframes)
    got = attempt(said, lab.decode_runs, given, starts)
    assert given == list(indices) and starts == list(keyframes), (
        f"{said} changes the lists that it was given: work on copies, with sorted(...)"
    )
    assert isinstance(got, list), (
        f"{said} returned {type(got).__name__}; a list of pairs (keyframe, frames) is asked for"
    )
    for run in got:
        is_pair = isinstance(run, tuple | list) and len(run) == 2 and isinstance(run[0], Integral)
        assert is_pair and isinstance(run[1], tuple | list), (
            f"{said} holds {run!r}; each run is a pair: its keyframe's number, and the list of its frames"
        )
        odd = [i for i in run[1] if not isinstance(i, Integral)]
        assert not odd, f"{said}: frame numbers are whole numbers, but one of them is {odd[0]!r}"
    return said, [(int(keyframe), [int(i) for i in frames]) for keyframe, frames in got]


@exercise("decode_runs", points=2, hint="The last keyframe that is not later: bisect_right(keyframes, i) - 1.")
def test_runs_start_at_the_keyframe_before(lab, seed):
    """each frame belongs to the last keyframe that is not later than it"""
    random = np.random.default_rng(seed)
    for keyframes, total in ((STEADY, 120), (UNEVEN, 70), ([0], 30)):
        singles = [[i] for i in (*keyframes, total - 1, *random.integers(0, total, 6).tolist())]
        for indices in singles:
            said, got = runs_answer(lab, indices, keyframes)
            want = runs_wanted(indices, keyframes)
            assert len(got) == 1, f"{said} = {got}: one wanted frame makes one run"
            start, frame = got[0][0], indices[0]
            assert start in keyframes, f"{said} = {got}: frame {start} is no keyframe, nothing can start there"
            assert start <= frame, (
                f"{said} = {got}: keyframe {start} comes after frame {frame}, and nobody decodes backwards"
            )
            own = "it is a keyframe itself and starts its own run; " if frame in keyframes else ""
            assert start == want[0][0], (
                f"{said} = {got}: for frame {frame} decoding may start as late as {want[0][0]}: {own}from {start} on, "
                f"{want[0][0] - start} frames are decoded for nothing"
            )


@exercise("decode_runs", points=2, hint="Go through sorted(set(indices)); a new run begins where the keyframe changes.")
def test_runs_hold_all_frames_of_a_keyframe(lab, seed):
    """all wanted frames of one keyframe form one run, whatever order they come in"""
    random = np.random.default_rng(seed)
    cases = [([50, 3, 30, 3, 49], STEADY), ([1, 30, 2, 31, 3], STEADY), ([23, 24, 47, 48], STEADY)]
    cases += [(random.choice(66, 14, replace=False).tolist(), UNEVEN) for _ in range(5)]
    for indices, keyframes in cases:
        said, got = runs_answer(lab, indices, keyframes)
        want = runs_wanted(indices, keyframes)
        starts = [keyframe for keyframe, _ in got]
        twice = [k for k in starts if starts.count(k) > 1]
        assert not twice, (
            f"{said} = {got}: keyframe {twice[0]} has {starts.count(twice[0])} runs, so frames are decoded twice; "
            "sort before you group"
        )
        held = sorted({i for _, frames in got for i in frames})
        missing = sorted(set(indices) - set(held))
        assert not missing, f"{said} = {got}: frame {missing[0]} was asked for and is in no run"
        unasked = [i for i in held if i not in indices]
        assert not unasked, f"{said} = {got}: nobody asked for frame {unasked[0]}; a run names the wanted frames only"
        assert starts == sorted(starts), f"{said} = {got}: runs come in the order of the film, keyframe after keyframe"
        for (keyframe, frames), (_, wanted) in zip(got, want):
            assert frames == sorted(frames), (
                f"{said} = {got}: the frames of keyframe {keyframe} must rise: a decoder meets them in that order"
            )
            assert len(frames) == len(set(frames)), (
                f"{said} = {got}: a frame stands twice in the run of keyframe {keyframe}; decoding it once is enough "
                "(no repeats)"
            )
            assert frames == wanted, f"{said} = {got}: the frames of keyframe {keyframe} should be {wanted}"
        assert got == want, f"{said} should be {want}, not {got}"


@exercise("decode_runs", points=1, hint="Start from the wanted frames, not from the keyframes.")
def test_runs_only_where_wanted(lab):
    """a keyframe that nobody needs has no run, and without wanted frames there is no run at all"""
    said, got = runs_answer(lab, [100], STEADY)
    assert got == [(96, [100])], (
        f"{said} = {got}: only keyframe 96 is needed; an empty run would cost a seek for nothing"
    )
    said, got = runs_answer(lab, [], STEADY)
    assert got == [], f"{said} = {got}: nothing is wanted, so there is no run: []"
    said, got = runs_answer(lab, [7, 7, 7], STEADY)
    assert got == [(0, [7])], f"{said} = {got}: the same frame three times is one frame to decode: [(0, [7])]"


@exercise(
    "decode_runs", points=1, hint="Check keyframes and the smallest index first: raise ValueError(f'... {index}')."
)
def test_runs_refuse_nonsense(lab):
    """a negative frame number, and keyframes that do not begin with frame 0, are a ValueError"""
    refuses("decode_runs([4, -2], [0, 24])", -2, lab.decode_runs, [4, -2], [0, 24])
    refuses("decode_runs([4], [])", None, lab.decode_runs, [4], [])
    refuses("decode_runs([4], [2, 24])", None, lab.decode_runs, [4], [2, 24])


# ---------------------------------------------------------------------------------------------- decoded_per_asked


def bill_wanted(indices, keyframes, how):
    """Oracle: walk frame by frame and count."""
    if how == "scan":
        walked = len(range(0, max(indices) + 1))
    elif how == "seek":
        walked = sum(len(range(keyframe_before(i, keyframes), i + 1)) for i in indices)
    else:
        walked = len({j for i in indices for j in range(keyframe_before(i, keyframes), i + 1)})
    return walked / len(indices)


def bill_answer(lab, indices, keyframes, how):
    said = f"decoded_per_asked({indices}, {keyframes}, {how!r})"
    got = attempt(said, lab.decoded_per_asked, list(indices), list(keyframes), how)
    assert isinstance(got, Real) and not isinstance(got, bool), f"{said} returned {got!r}; one number is asked for"
    return said, float(got)


def check_bills(lab, how, mistakes_of):
    """The bill has to be right in all cases; a mistake is named where it explains the answers to all of them.

    `mistakes_of(indices, keyframes)` gives pairs: what a known mistake would say, and words for it.
    """
    answers = [bill_answer(lab, indices, keyframes, how) for indices, keyframes in CASES]
    wants = [bill_wanted(indices, keyframes, how) for indices, keyframes in CASES]
    if np.allclose([got for _, got in answers], wants, rtol=0, atol=1e-9):
        return
    for mistakes in zip(*(mistakes_of(*case) + bill_mistakes(*case, how) for case in CASES)):
        if np.allclose([got for _, got in answers], [number for number, _ in mistakes], rtol=0, atol=1e-9):
            said, got = answers[0]
            pytest.fail(f"{said} = {got:.3f}, it should be {wants[0]:.3f}: {mistakes[0][1]}")
    for (said, got), want, (indices, _) in zip(answers, wants, CASES):
        assert abs(got - want) < 1e-9, (
            f"{said} should be {round(want * len(indices))} decoded / {len(indices)} asked = {want:.4f}, not {got:.4f}"
        )


def bill_mistakes(indices, keyframes, how):
    """What known mistakes would give for this call."""
    num_asked, want = len(indices), bill_wanted(indices, keyframes, how)
    num_decoded = want * num_asked
    stretches = {"scan": 1, "seek": num_asked, "plan": len({keyframe_before(i, keyframes) for i in indices})}[how]
    return [
        ((num_decoded - stretches) / num_asked, "both ends are decoded: from 48 to 50 are three frames, not two"),
        (num_decoded / len(set(indices)), "a frame asked for twice counts twice among those asked for"),
        (num_asked / num_decoded, "that is upside down: decoded divided by asked"),
        (num_decoded, "that is the number of frames decoded; divide by those asked for"),
        (num_decoded // num_asked, "the fraction is cut off: divide with /"),
        ((num_decoded - num_asked) / num_asked, "the wanted frames are decoded too, and count"),
    ]


CASES = (
    ([50, 3, 30, 3, 49], [0, 24, 48]),
    ([61, 2, 39, 16, 61, 7], UNEVEN),
    ([26, 30, 110, 44], STEADY),
    ([119, 118, 25], STEADY),
)


@exercise("decoded_per_asked", points=1, needs=("decode_runs",), hint="max(indices) + 1, over len(indices).")
def test_bill_of_a_scan(lab):
    """a scan decodes from frame 0 to the latest wanted frame, once"""

    def mistakes(indices, keyframes):
        return [
            ((indices[-1] + 1) / len(indices), "a scan goes up to the *latest* wanted frame, max(indices)"),
            (sum(i + 1 for i in indices) / len(indices), "one scan serves all indices; it is not repeated for each"),
        ]

    check_bills(lab, "scan", mistakes)


@exercise(
    "decoded_per_asked", points=2, needs=("decode_runs",), hint="The sum of i - keyframe + 1, an entry for each index."
)
def test_bill_of_a_seek_for_each(lab):
    """a seek for each index decodes from its keyframe to it, again and again"""

    def mistakes(indices, keyframes):
        once = sum(i - keyframe_before(i, keyframes) + 1 for i in set(indices)) / len(indices)
        goes_on, position = 0, float("inf")
        for i in indices:
            start = keyframe_before(i, keyframes)
            goes_on += i - (position if start <= position <= i else start - 1)
            position = i
        return [
            (once, "a seek for each index: a frame asked for twice is decoded twice"),
            (bill_wanted(indices, keyframes, "plan"), "that is the plan; a seek for each index shares nothing"),
            (goes_on / len(indices), "it goes back to the keyframe every time, also when the next index lies ahead"),
        ]

    check_bills(lab, "seek", mistakes)


@exercise(
    "decoded_per_asked", points=2, needs=("decode_runs",), hint="The sum of run[-1] - keyframe + 1 over decode_runs."
)
def test_bill_of_the_plan(lab):
    """the plan decodes each run once, from its keyframe to its last frame"""

    def mistakes(indices, keyframes):
        runs = runs_wanted(indices, keyframes)
        from_first, wanted = sum(run[-1] - run[0] + 1 for _, run in runs), sum(len(run) for _, run in runs)
        return [
            (from_first / len(indices), "a run is decoded from its *keyframe* on, not from its first wanted frame"),
            (bill_wanted(indices, keyframes, "seek"), "that is a seek for each index; a run's frames share the way"),
            (wanted / len(indices), "the frames between the wanted ones are decoded too"),
        ]

    check_bills(lab, "plan", mistakes)


@exercise(
    "decoded_per_asked", points=1, needs=("decode_runs",), hint="Sum over everything first, divide once at the end."
)
def test_bill_at_the_ends(lab):
    """a whole film costs one frame a frame by plan and by scan; a single keyframe costs one"""
    whole = list(range(120))
    for how in ("plan", "scan"):
        said, got = bill_answer(lab, whole, STEADY, how)
        said = said.replace(str(whole), "all 120 frames")
        assert abs(got - 1) < 1e-9, f"{said} should be 1.0, every frame decoded once for one asked; you say {got:.4f}"
    for how in ("plan", "seek"):
        said, got = bill_answer(lab, [72], STEADY, how)
        assert abs(got - 1) < 1e-9, (
            f"{said} should be 1.0: a keyframe is reached by decoding it alone; you say {got:.4f}"
        )


@exercise(
    "decoded_per_asked", points=1, needs=("decode_runs",), hint="End the if-chain with else: raise ValueError(...)."
)
def test_bill_refuses_nonsense(lab):
    """no indices, or a way that is none of the three, is a ValueError"""
    for how in ("scan", "seek", "plan"):
        refuses(f"decoded_per_asked([], [0, 24], {how!r})", None, lab.decoded_per_asked, [], [0, 24], how)
    refuses("decoded_per_asked([3], [0, 24], 'walk')", "walk", lab.decoded_per_asked, [3], [0, 24], "walk")


# ---------------------------------------------------------------------------------------------- read_planned


class PaperFrame:
    def __init__(self, number):
        self.pts = number


class PaperFilm:
    """A film that exists only as a list of what was done to it. It stands in the middle when it is handed over."""

    def __init__(self, num_frames, keyframes, seed=0):
        self.num_frames, self.keyframes = num_frames, list(keyframes)
        self.pictures = np.random.default_rng(seed).integers(0, 256, (num_frames, 5, 7, 3), dtype=np.uint8)
        self.num_decoded, self.position = 0, num_frames // 2
        self.seeks, self.decoded, self.converted, self.is_closed = [], [], [], False

    def seek(self, keyframe):
        if keyframe not in self.keyframes:
            raise ValueError(f"frame {keyframe} is no keyframe; decoding can start at {self.keyframes}")
        self.seeks.append(keyframe)
        self.position = keyframe

    def next_frame(self):
        if self.position >= self.num_frames:
            raise StopIteration("the film is over")
        number = self.position
        self.position += 1
        self.num_decoded += 1
        self.decoded.append(number)
        return number, PaperFrame(number)

    def to_rgb(self, frame):
        self.converted.append(frame.pts)
        return self.pictures[frame.pts].copy()

    def close(self):
        self.is_closed = True


REQUESTS = (
    ([50, 3, 30, 49], [0, 24, 48], 60),
    ([41, 5, 17, 64, 40, 6, 12], UNEVEN, 65),
    ([119, 0, 95, 96, 24], STEADY, 120),
)


def read_answer(lab, indices, keyframes, num_frames, seed=0):
    """The film after reading, and what was read, with everything but its values checked."""
    film = PaperFilm(num_frames, keyframes, seed)
    said = f"read_planned(film, {indices})"
    given = list(indices)
    got = attempt(f"{said} of {num_frames} frames with keyframes {keyframes}", lab.read_planned, film, given)
    assert given == list(indices), f"{said} changes the list of indices that it was given"
    assert isinstance(got, np.ndarray), f"{said} returned {type(got).__name__}; an array is asked for: np.stack(...)"
    want = (len(indices), *film.pictures.shape[1:])
    assert got.shape == want, f"{said} should have shape {want}, a picture for each index, not {got.shape}"
    assert got.dtype == np.uint8, f"{said} is {got.dtype}; bytes are asked for, uint8"
    return said, film, got


def which(picture, film):
    """The number of a picture of the paper film, or None."""
    found = np.flatnonzero((film.pictures == picture).all(axis=(1, 2, 3)))
    return int(found[0]) if len(found) else None


def compare_order(said, film, got, indices):
    came = [which(picture, film) for picture in got]
    if came == sorted(indices) != list(indices):
        pytest.fail(
            f"{said} hands the frames back in the order of the film, {came}; they were asked for in another order: "
            f"{indices}"
        )
    for place, (number, index) in enumerate(zip(came, indices)):
        assert number == index, f"{said}: picture {place} should be frame {index}, but it is frame {number}"


@exercise("read_planned", points=2, needs=("decode_runs",), hint="np.stack([pictures[i] for i in indices])")
def test_read_gives_the_frames_asked_for(lab, seed):
    """picture n is frame indices[n], in the order asked for"""
    for indices, keyframes, num_frames in REQUESTS:
        said, film, got = read_answer(lab, indices, keyframes, num_frames, seed)
        compare_order(said, film, got, indices)


@exercise("read_planned", points=1, needs=("decode_runs",), hint="Keep pictures in a dictionary: number -> picture.")
def test_read_repeats(lab, seed):
    """a frame asked for twice comes twice, and is decoded once"""
    indices = [30, 3, 30, 50, 3]
    said, film, got = read_answer(lab, indices, [0, 24, 48], 60, seed)
    compare_order(said, film, got, indices)
    twice = [i for i in set(film.decoded) if film.decoded.count(i) > 1]
    assert not twice, f"{said} decodes frame {min(twice)} {film.decoded.count(min(twice))} times; once is enough"


@exercise("read_planned", points=3, needs=("decode_runs",), hint="Stop a run as soon as number == run[-1].")
def test_read_decodes_no_frame_in_vain(lab):
    """no frame is decoded twice, none behind the last wanted one of its run, none before its keyframe"""
    for indices, keyframes, num_frames in REQUESTS:
        said, film, _ = read_answer(lab, indices, keyframes, num_frames)
        runs = runs_wanted(indices, keyframes)
        needed = {i for keyframe, run in runs for i in range(keyframe, run[-1] + 1)}
        twice = [i for i in set(film.decoded) if film.decoded.count(i) > 1]
        assert not twice, (
            f"{said} with keyframes {keyframes} decodes {len(film.decoded)} frames where {len(needed)} are enough: "
            f"frame {min(twice)} is decoded {film.decoded.count(min(twice))} times. One run, one way"
        )
        spare = sorted(set(film.decoded) - needed)
        assert not spare, (
            f"{said} with keyframes {keyframes} decodes {len(film.decoded)} frames where {len(needed)} are enough: "
            f"frame {spare[0]} is behind the last wanted frame of its run, or before its keyframe"
        )


@exercise(
    "read_planned", points=1, needs=("decode_runs",), hint="film.seek(keyframe) stands once at the head of each run."
)
def test_read_seeks_once_a_run(lab):
    """one seek for each run, to its keyframe"""
    for indices, keyframes, num_frames in REQUESTS:
        said, film, _ = read_answer(lab, indices, keyframes, num_frames)
        wanted = [keyframe for keyframe, _ in runs_wanted(indices, keyframes)]
        extra = [k for k in film.seeks if film.seeks.count(k) > 1 or k not in wanted]
        assert not extra, (
            f"{said} with keyframes {keyframes} seeks to {film.seeks}; one seek for each run is enough: {wanted}. "
            "A seek throws away what the decoder has begun"
        )


@exercise(
    "read_planned", points=1, needs=("decode_runs",), hint="if number in run: pictures[number] = film.to_rgb(frame)"
)
def test_read_converts_only_what_is_wanted(lab):
    """only wanted frames are turned into RGB, each once; and the film stays open"""
    for indices, keyframes, num_frames in REQUESTS:
        said, film, _ = read_answer(lab, [*indices, indices[0]], keyframes, num_frames)
        spare = [i for i in film.converted if i not in indices]
        assert not spare, (
            f"{said} turns {len(film.converted)} frames into RGB, frame {spare[0]} among them, which nobody asked for: "
            "converting costs as much as decoding"
        )
        twice = [i for i in film.converted if film.converted.count(i) > 1]
        assert not twice, f"{said} turns frame {twice[0]} into RGB {film.converted.count(twice[0])} times"
        assert not film.is_closed, f"{said} closes the film; it was open when you got it, and stays open"


# ---------------------------------------------------------------------------------------------- compare_frames


def scenery(num_frames=9, height=24, width=36, seed=0):
    """A film (T, H, W, 3): one scene and a good part of change in each frame, in differing brightness and contrast."""
    random = np.random.default_rng(seed)
    contrast = np.linspace(25, 75, num_frames).reshape(-1, 1, 1, 1)
    brightness = random.permutation(np.linspace(95, 160, num_frames)).reshape(-1, 1, 1, 1)
    scene, change = (random.uniform(-1, 1, (n, height, width, 1)) for n in (1, num_frames))
    tint = random.uniform(-0.2, 0.2, (num_frames, height, width, 3))
    return (brightness + contrast * (0.6 * scene + 0.5 * change + tint)).clip(0, 255).astype(np.uint8)


def proof_answer(lab, frames, film, indices, *step):
    """(numbers, max_error) of the learner, with everything but their values checked."""
    said = f"compare_frames(frames, film, {list(indices)}{''.join(f', step={s}' for s in step)})"
    before = frames.copy(), film.copy()
    got = attempt(said, lab.compare_frames, frames, film, list(indices), *step)
    assert (frames == before[0]).all() and (film == before[1]).all(), f"{said} changes the pictures it was given"
    assert isinstance(got, tuple) and len(got) == 2, f"{said} returned {type(got).__name__}; Proof(numbers, max_error)"
    numbers, max_error = got
    assert isinstance(numbers, list) and all(isinstance(i, Integral) for i in numbers), (
        f"{said}: numbers should be a list of whole numbers, not {numbers!r}; finish with .tolist()"
    )
    assert len(numbers) == len(frames), f"{said}: {len(frames)} frames came, but numbers has {len(numbers)} entries"
    assert isinstance(max_error, Integral), (
        f"{said}: max_error should be a whole number, not {max_error!r}; use int(...)"
    )
    return said, [int(i) for i in numbers], int(max_error)


@exercise("compare_frames", points=1, hint="film[indices] is what should have come.")
def test_proof_of_the_right_frames(lab, seed):
    """the right frames, in any order, with repeats: their own numbers, and no difference"""
    film = scenery(seed=seed)
    indices = [7, 2, 2, 0, 8]
    said, numbers, max_error = proof_answer(lab, film[indices], film, indices)
    assert numbers == indices, f"{said} of exactly these frames says that {numbers} came"
    assert max_error == 0, f"{said} of exactly these frames finds a difference of {max_error}; there is none"


@exercise("compare_frames", points=2, hint="likeness.argmax(axis=1): which column, for each row?")
def test_proof_names_the_frames_that_came(lab, seed):
    """other frames than those asked for are named by number"""
    film = scenery(seed=seed)
    for asked, came in (([3, 4, 5, 6], [4, 5, 6, 7]), ([0, 4, 8], [8, 4, 0]), ([1, 2, 3, 4, 5], [1, 2, 2, 4, 5])):
        said, numbers, max_error = proof_answer(lab, film[came], film, asked)
        assert numbers != asked, f"{said}: frames {came} came, but you say that all is well"
        assert numbers == came, f"{said}: frames {came} came, but you name {numbers}"
        assert max_error > 20, f"{said}: other frames came, and you find a largest difference of only {max_error}"


@exercise("compare_frames", points=2, hint="Subtract each picture's mean, then divide by its length; never by zero.")
def test_proof_sees_through_brightness_and_contrast(lab, seed):
    """the right frames, darker, brighter, flatter, are still the right frames"""
    film = scenery(seed=seed)
    indices = list(range(len(film)))
    for gain, offset in ((0.5, 10), (0.6, 95), (0.35, 160), (1.0, 7)):
        frames = np.clip(film * gain + offset, 0, 255).astype(np.uint8)
        said, numbers, _ = proof_answer(lab, frames, film, indices)
        greys = [x[:, ::4, ::4].mean(axis=-1).reshape(len(x), -1) for x in (frames, film)]
        nearest = np.abs(greys[0][:, None] - greys[1][None]).mean(axis=-1).argmin(axis=1).tolist()
        said = f"{said} of the right frames, each value times {gain} plus {offset},"
        if numbers != indices and numbers == nearest:
            pytest.fail(
                f"{said} says that {numbers} came: by smallest difference brightness decides; likeness is a correlation"
            )
        assert numbers == indices, (
            f"{said} says that {numbers} came: brightness and contrast must not count. Subtract each picture's mean, "
            "and divide by its length"
        )


@exercise("compare_frames", points=2, hint="np.abs(frames.astype(np.int16) - film[indices]).max()")
def test_proof_finds_the_largest_difference(lab, seed):
    """one byte off in one frame, up or down, on the grid or off it: the largest difference, not the mean"""
    film = scenery(seed=seed)
    indices = [6, 1, 4]
    for (n, row, column, channel), change in (((1, 8, 4, 0), 9), ((2, 3, 5, 2), -7), ((0, 23, 35, 1), 21)):
        frames = film[indices].copy()
        film_byte = 120
        film[indices[n], row, column, channel] = frames[n, row, column, channel] = film_byte
        frames[n, row, column, channel] = film_byte + change
        said, _, max_error = proof_answer(lab, frames, film, indices)
        place = f"one byte of row {row}, column {column} is off by {change}"
        if max_error in (256 - abs(change), 255 - abs(change)):
            pytest.fail(f"{said}: {place}, and you find {max_error}: bytes wrap around; subtract in int16")
        if max_error == 0:
            why = "look at every row and column, not at the grid" if row % 4 else "the mean and the rounding hide it"
            pytest.fail(f"{said}: {place}, and you find nothing ({why}); the largest difference counts")
        assert max_error == abs(change), f"{said}: {place}, so max_error is {abs(change)}, not {max_error}"


@exercise("compare_frames", points=1, hint="own = likeness[np.arange(N), indices]; it wins if own >= max - 1e-6.")
def test_proof_is_fair_where_the_picture_stands_still(lab, seed):
    """where several frames are alike, or without contrast, the one that was asked for counts as the one that came"""
    film = scenery(seed=seed)
    film[3:6] = film[3]  # nothing moves
    film[7:] = 16  # the end is black
    indices = [5, 4, 8, 7, 1]
    said, numbers, max_error = proof_answer(lab, film[indices], film, indices)
    still = "frames 3, 4 and 5 of this film are the same picture" if numbers[:2] != [5, 4] else "the last two are black"
    assert numbers == indices and max_error == 0, (
        f"{said} of exactly these frames says that {numbers} came ({still}): where the one asked for is as like as the "
        "best, it counts"
    )


@exercise("compare_frames", points=1, hint="Give way only where own >= max - 1e-6.")
def test_proof_tells_neighbours_apart(lab, seed):
    """in a film that hardly moves, the frame before or after is still another frame"""
    film = np.repeat(scenery(1, seed=seed), 7, axis=0)
    for number in range(7):
        film[number, 4 * (number % 6), 4 * (2 + number % 7)] += 2  # one small spot, elsewhere in each frame
    asked, came = [1, 2, 3, 4], [2, 3, 4, 5]
    said, numbers, _ = proof_answer(lab, film[came], film, asked)
    assert numbers == came, (
        f"{said}: in this film a frame is almost like the next, and frames {came} came; you say {numbers}. "
        "The one asked for counts only where it is as like as the best, to a millionth"
    )


@exercise("compare_frames", points=1, hint=".mean(axis=-1): the mean of red, green and blue.")
def test_proof_looks_at_all_channels_alike(lab, seed):
    """grey is the mean of red, green and blue: what one channel gains and another loses leaves it as it was"""
    random = np.random.default_rng(seed)
    one, other = random.choice([-1, 1], (2, 24, 36))
    grey = np.stack([128 + 20 * one, 128 + 20 * other]).astype(np.int16)  # (2, H, W)
    film = np.repeat(grey[..., None], 3, axis=-1).astype(np.uint8)
    for gains, loses in ((1, 2), (0, 1), (2, 0)):
        frames = film[:1].astype(np.int16)
        frames[..., gains] += 80 * other
        frames[..., loses] -= 80 * other
        said, numbers, _ = proof_answer(lab, frames.astype(np.uint8), film, [0])
        assert numbers == [0], (
            f"{said} names frame {numbers[0]}: the mean of red, green and blue is that of frame 0 everywhere. "
            "Give each channel the same weight"
        )


@exercise("compare_frames", points=1, hint="pictures[:, ::step, ::step] for the likeness only.")
def test_proof_looks_at_the_grid(lab, seed):
    """likeness is judged on every `step`-th row and column, the difference everywhere"""
    film = scenery(height=25, width=38, seed=seed)
    indices = [2, 6]
    for step in (5, 3):
        frames = film[[1, 7]].copy()  # other frames ...
        frames[:, ::step, ::step] = film[indices][:, ::step, ::step]  # ... but the right ones on the grid
        said, numbers, max_error = proof_answer(lab, frames, film, indices, step)
        assert numbers == indices, (
            f"{said}: on every {step}th row and column the frames are {indices}, you say {numbers}"
        )
        assert max_error > 20, f"{said}: off the grid everything differs, and you find {max_error} at most"


@exercise(
    "compare_frames", points=1, hint="Compare frames.shape[1:] with film.shape[1:], and len(indices) with len(frames)."
)
def test_proof_refuses_what_cannot_be_compared(lab):
    """pictures of another size, or another number of them, are a ValueError"""
    film = scenery()
    said = "compare_frames of frames 24 x 36 with a film of 24 x 18"
    refuses(said, None, lab.compare_frames, film[:2], film[:, :, :18], [0, 1])
    refuses(
        "compare_frames of 24 x 36 frames with a film of one row",
        None,
        lab.compare_frames,
        film[:2],
        film[:, :1],
        [0, 1],
    )
    refuses("compare_frames of 3 frames for 2 indices", None, lab.compare_frames, film[:3], film, [0, 1])
    refuses("compare_frames of 1 frame for 2 indices", None, lab.compare_frames, film[:1], film, [0, 1])


# ---------------------------------------------------------------------------------------------- time_fairly


class PaperClock:
    """A machine whose clock moves only when it works; it writes down every call and every look at the clock."""

    def __init__(self, costs, cold=0.0, look=0.0):
        self.costs = {name: list(seconds) for name, seconds in costs.items()}  # of each call after the first
        self.cold, self.look = cold, look
        self.now, self.log = 100.0, []

    def clock(self):
        self.now += self.look
        self.log.append("clock")
        return self.now

    def task(self, name):
        def run():
            calls = self.log.count(name)
            self.log.append(name)
            self.now += self.cold if calls == 0 else self.costs[name][(calls - 1) % len(self.costs[name])]

        return run

    def tasks(self):
        return {name: self.task(name) for name in self.costs}

    @property
    def calls(self):
        return [event for event in self.log if event != "clock"]


def timing_answer(lab, machine, rounds):
    """What the learner's stopwatch says, with everything but the numbers checked."""
    said = f"time_fairly of {len(machine.costs)} tasks, rounds={rounds}"
    got = attempt(said, lab.time_fairly, machine.tasks(), rounds, machine.clock)
    assert isinstance(got, dict), f"{said} returned {type(got).__name__}; a dictionary name -> Timing is asked for"
    assert list(got) == list(machine.costs), f"{said} should name {list(machine.costs)}, in that order, not {list(got)}"
    for name, timing in got.items():
        assert all(hasattr(timing, part) for part in ("median", "fastest", "slowest")), (
            f"{said}: {name!r} should have a Timing(median, fastest, slowest), not {timing!r}"
        )
    return said, got


@exercise("time_fairly", points=2, hint="A loop over all tasks before the rounds, without a look at the clock.")
def test_timing_warms_up(lab):
    """everybody is called once before the first look at the clock, and that call does not count"""
    machine = PaperClock({"B": [0.2], "A": [0.1], "C": [0.4]}, cold=7.0)
    said, got = timing_answer(lab, machine, 4)
    slow = [name for name, timing in got.items() if timing.slowest > 1 or timing.median > 1]
    assert not slow, (
        f"{said}: the first call of each takes 7 s, all others less than one; your {slow[0]!r} shows that first call: "
        "the warm-up must not be timed"
    )
    first_look = machine.log.index("clock") if "clock" in machine.log else 0
    early = machine.log[:first_look]
    assert sorted(early) == ["A", "B", "C"], (
        f"{said}: before the clock is first read, each task should be called once, to warm up; you call {early}"
    )
    assert early == ["B", "A", "C"], f"{said}: the warm-up goes through the tasks in their order, B A C, not {early}"
    for name in "ABC":
        num_calls = machine.calls.count(name)
        assert num_calls == 5, (
            f"{said}: one call to warm up and 4 timed ones are 5; {name!r} is called {num_calls} times"
        )


@exercise("time_fairly", points=2, hint="names[r % n:] + names[:r % n] in round r.")
def test_timing_interleaves(lab):
    """in every round everybody once, and each round starts with the next one"""
    for names, rounds in (("ABC", 5), ("DCBA", 4), ("AB", 3)):
        machine = PaperClock({name: [0.1] for name in names})
        said, _ = timing_answer(lab, machine, rounds)
        count = len(names)
        got = "".join(machine.calls[count:])
        want = "".join(names[(r + k) % count] for r in range(rounds) for k in range(count))
        if got == "".join(name * rounds for name in names):
            pytest.fail(
                f"{said}: you time {got}, all rounds of one and then of the next: a slow minute hits one of them"
            )
        if got == names * rounds:
            pytest.fail(f"{said}: you time {got}: {names[0]!r} is always first. Round r starts with task number r")
        each = [sorted(got[r * count : (r + 1) * count]) for r in range(rounds)]
        assert all(turn == sorted(names) for turn in each), (
            f"{said}: you time {got}; in every round each task should be timed once, as in {want}"
        )
        assert got == want, f"{said}: you time {got}; round after round, each starting one later, that would be {want}"


@exercise("time_fairly", points=2, hint="statistics.median(seconds), min(seconds), max(seconds)")
def test_timing_takes_the_median(lab):
    """median, smallest and largest of the rounds; one hiccup moves none but the largest"""
    costs = {"A": [0.3, 9.0, 0.1, 0.25, 0.2], "B": [0.5, 0.9, 0.1, 0.6, 0.7]}
    for rounds in (5, 4):
        machine = PaperClock(costs)
        said, got = timing_answer(lab, machine, rounds)
        for name, timing in got.items():
            taken = costs[name][:rounds]
            want = float(np.median(taken))
            for number, words in (
                (np.mean(taken), "that is the mean, which one hiccup decides; the median is asked for"),
                (min(taken), "that is the smallest; the median is asked for"),
                (sum(taken), "that is the sum of all rounds"),
                (taken[-1], "that is the last round only"),
                (sorted(taken)[rounds // 2], "of an even number, the median is the mean of the two in the middle"),
                (
                    sorted(taken)[(rounds - 1) // 2],
                    "of an even number, the median is the mean of the two in the middle",
                ),
            ):
                if abs(timing.median - number) < 1e-6 < abs(want - number):
                    pytest.fail(f"{said}: {name!r} took {taken}; median={timing.median:.3f}, not {want:.3f}: {words}")
            assert abs(timing.median - want) < 1e-6, (
                f"{said}: {name!r} took {taken}; the median is {want:.3f}, you say {timing.median:.3f}"
            )
            ends = (timing.fastest, timing.slowest)
            assert np.allclose(ends, (min(taken), max(taken))), (
                f"{said}: {name!r} took {taken}; fastest and slowest are {min(taken)} and {max(taken)}, not {ends}"
            )


@exercise("time_fairly", points=2, hint="begin = clock(); task(); taken = clock() - begin")
def test_timing_reads_the_clock_around_each_call(lab):
    """the clock that was given is read once right before and once right after each timed call"""
    machine = PaperClock({"A": [0.1], "B": [0.3]}, look=0.0002)
    said, got = timing_answer(lab, machine, 3)
    num_looks = machine.log.count("clock")
    assert num_looks, f"{said}: the clock that you were given is never read; the one of the machine tells other times"
    timed = machine.log[machine.log.index("clock") :]
    assert num_looks == 12, (
        f"{said}: 6 timed calls take 12 looks at the clock, one right before and one right after each; "
        f"you take {num_looks}"
    )
    pattern = [("clock" if event == "clock" else "call") for event in timed]
    assert pattern == ["clock", "call", "clock"] * 6, (
        f"{said}: each call stands between two looks at the clock of its own; yours go {' '.join(pattern[:9])} ..."
    )
    assert abs(got["A"].median - 0.1002) < 1e-6, f"{said}: 'A' takes 0.1002 s by this clock, not {got['A'].median:.6f}"


@exercise("time_fairly", points=1, hint="if rounds < 1: raise ValueError(f'... {rounds}')")
def test_timing_refuses_nonsense(lab):
    """no tasks, or no rounds, is a ValueError, and nothing is run"""
    refuses("time_fairly({}, 3)", None, lab.time_fairly, {}, 3)
    for rounds in (0, -2):
        machine = PaperClock({"A": [0.1]})
        refuses(
            f"time_fairly of one task, rounds={rounds}", rounds, lab.time_fairly, machine.tasks(), rounds, machine.clock
        )
        assert not machine.calls, f"time_fairly with rounds={rounds} runs a task before it refuses: check first"
