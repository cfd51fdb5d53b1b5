# %% [markdown]
# # Lab 01.1 · The video loader benchmark
#
# **What you will have at the end:** a video sampler of your own that decodes no frame twice, a proof that it returns
# the right frames, and a fair benchmark of it against torchcodec, decord, PyAV, OpenCV and ffmpeg.
#
# | | |
# |---|---|
# | time | about 75 minutes |
# | difficulty | ★★☆☆☆ |
# | before this | the tutorial [A video is a tensor](../../phases/01_tensors/01_video_is_a_tensor.ipynb), 15 minutes |
# | the film | a shot of *Big Buck Bunny*, © 2008 Blender Foundation, CC BY 3.0 |
#
# The whole notebook runs at one of three sizes. `cpu` is yours unless you set `FLIPBOOK_PRESET`.
#
# | preset | clip `(T, H, W)` | out of | rounds | all cells take about |
# |---|---|---|---|---|
# | `ci` | (8, 360, 640) | 55 frames | 1 | 15 s |
# | `cpu` | (16, 360, 640) | 144 frames | 9 | 45 s |
# | `gpu` | (16, 360, 640) | 431 frames | 9 | 120 s |
#
# A loader that is not installed on your machine is named, with the reason, and left out.

# %% tags=["setup"]
import tempfile
from pathlib import Path

import numpy as np

from common import show, video
from common.course import check
from common.data import clip_path
from common.evaluation.timing import PaperMachine, time_as_they_come, time_one_by_one
from common.progress import progress_bar
from common.runtime import preset
from common.show.loading import draw_costs, draw_decoding, draw_timings
from common.video import plan
from common.video.peers import COUNTERS, PEERS, silenced
from common.video.stepping import Film
from common.video.trials import as_television, decode_everything, drop_frames

SHOT, NUM_FRAMES, ROUNDS = {"ci": ("gliding", 8, 1), "cpu": ("burrow", 16, 9), "gpu": ("film_cuts", 16, 9)}[preset()]
PATH = clip_path(SHOT)
FOLDER = tempfile.TemporaryDirectory()
DISK = Path(FOLDER.name)

# %% [markdown]
# ## Where you are heading
#
# A codec stores most frames as *changes* to others, and only now and then a **keyframe**, whole. To show frame 100, a
# decoder begins at the keyframe before it and works its way up. So the first question is not how fast a loader decodes
# but **how much it decodes for nothing**. Here are random frames of a shot, reached in three ways.

# %% tags=["demo"] draws="Red: asked for. Grey: decoded, darker when decoded several times."
with video.VideoReader(PATH) as reader:
    TOTAL, KEYFRAMES = len(reader), reader.keyframes
RANDOM = np.random.default_rng(1).choice(TOTAL, NUM_FRAMES, replace=False).tolist()
draw_decoding(RANDOM, KEYFRAMES, TOTAL, plan.decode_runs(RANDOM, KEYFRAMES))

# %% [markdown]
# You will build the third way. Then comes the harder half: showing that it is *right*, and timing it so that the result
# can be believed.
#
# **Before you read on, a prediction.** Six loaders read the same frames of the same file. How many of them return the
# same bytes? And with a file that came from a TV recorder? Write down both numbers. The proof below answers.

# %% [markdown] about="decode_runs" difficulty=2 importance=5 minutes=8
# ## The plan: seek, then decode in runs
#
# Let $K$ be the keyframes. To reach frame $i$, decoding starts at
#
# $$ k(i) = \max \{\, k \in K : k \le i \,\}. $$
#
# All wanted frames with the same $k(i)$ form one *run*: start at the keyframe, decode up to the last of them, and pick
# the others up on the way. Between two runs, seek. Then no frame is decoded twice.
#
# | quantity | example |
# |---|---|
# | `keyframes`, $K$ | `[0, 24, 48]`, the first is 0 |
# | `indices`, any order, repeats allowed | `[50, 3, 30, 3, 49]` |
# | result | `[(0, [3]), (24, [30]), (48, [49, 50])]` |

# %% exercise="decode_runs" from="common.video.plan:decode_runs"

# %% check="decode_runs"

# %% [markdown] hints="decode_runs"
# 1. One frame first: of the keyframes that are not later than it, which one? And in which order do the frames have to
#    come so that those of one keyframe are neighbours?
# 2. `sorted(set(indices))` gives each frame once, in the order of the film. `bisect_right(keyframes, i)` counts the
#    keyframes that are `<= i`. The one you want is one place before that.
# 3. Check the arguments and raise `ValueError`. Then go through the sorted frames. Where the last run in your list has
#    another keyframe than this frame, append `(keyframe, [])`. Always append the frame to the list of the last run.

# %% [markdown] troubles="decode_runs"
# - **A run starts behind its frame.** You take the *nearest* keyframe. No decoder runs backwards.
# - **A keyframe is put into the run before.** It begins a run of its own: `bisect_right`, not `bisect_left`.
# - **One keyframe has two runs.** You group before you sort, and the frames between are decoded again.

# %% [markdown] about="decoded_per_asked" difficulty=2 importance=4 minutes=8
# ## The cost: frames decoded per frame asked for
#
# This cost is the same on every machine, busy or not, and it explains most of what a stopwatch will show. With $N$
# indices $i_1 \dots i_N$:
#
# $$ \text{scan} = \frac{\max_n i_n + 1}{N}, \qquad
#    \text{seek} = \frac{1}{N} \sum_{n} \big( i_n - k(i_n) + 1 \big), \qquad
#    \text{plan} = \frac{1}{N} \sum_{\text{runs}} \big( \text{last} - k + 1 \big). $$
#
# | quantity | example |
# |---|---|
# | `indices`, `keyframes` | `[50, 3, 30, 3, 49]`, `[0, 24, 48]` |
# | `how="scan"` | frames 0 to 50: 51 / 5 = 10.2 |
# | `how="seek"` | 3 + 4 + 7 + 4 + 2 = 20, over 5 = 4.0 |
# | `how="plan"` | 4 + 7 + 3 = 14, over 5 = 2.8 |

# %% exercise="decoded_per_asked" from="common.video.stepping:decoded_per_asked"

# %% check="decoded_per_asked"

# %% [markdown] hints="decoded_per_asked"
# 1. How many frames are there from keyframe $k$ to frame $i$, both included? All three ways are sums of that.
# 2. `decode_runs(indices, keyframes)` has done the work for "plan". For "seek" use it too, on one index at a time:
#    `decode_runs([i], keyframes)` has one run.
# 3. scan: `max(indices) + 1`. seek: the sum of `i - k + 1` over the indices. plan: the sum of `run[-1] - keyframe + 1`
#    over the runs. Divide by `len(indices)`. Raise `ValueError` for an empty list and for any other `how`.

# %% [markdown] troubles="decoded_per_asked"
# - **My numbers are a little too small.** From frame 48 to frame 50 are *three* frames.
# - **With a repeated frame they are too large.** A frame asked for twice counts twice: divide by the list's length.
# - **My scan is too expensive.** It stops at the last wanted frame and does not decode the rest of the film.

# %% tags=["demo"] draws="A keyframe every 24 frames. When does planning pay?"
GAP, LENGTH = 24, 144
draw_costs(decoded_per_asked, GAP, LENGTH)

# %% [markdown] about="read_planned" difficulty=3 importance=5 minutes=12
# ## The sampler
#
# Now carry the plan out. You get a `Film`: a file opened with PyAV, with just the three moves that you need. It is in
# `common/video/stepping.py`, 60 lines that show how a decoder is driven, and what a seek may miss.
#
# | move | what it does |
# |---|---|
# | `film.seek(keyframe)` | makes this keyframe the next frame to come out |
# | `film.next_frame()` | decodes one frame: `(number, frame)`, still as the file stores it |
# | `film.to_rgb(frame)` | its picture, `uint8 (H, W, 3)`, which costs about as much as decoding |
#
# The result is `uint8 (N, H, W, 3)`: picture $n$ is frame `indices[n]`.

# %% exercise="read_planned" from="common.video.stepping:read_planned"

# %% check="read_planned"

# %% [markdown] hints="read_planned"
# 1. For each run: go to its keyframe, and decode until the last frame of the run has come out. Where do you keep what
#    you meet on the way?
# 2. A dictionary from frame number to picture holds every wanted frame once. At the end, look each index up in it, in
#    the order asked for.
# 3. `for keyframe, run in decode_runs(indices, film.keyframes):`, `film.seek(keyframe)`, then `number, frame =
#    film.next_frame()` until `number` is `run[-1]`, and `if number in run: pictures[number] = film.to_rgb(frame)`.
#    Return `np.stack([pictures[i] for i in indices])`.

# %% [markdown] troubles="read_planned"
# - **The frames come back in the order of the film.** The shape is right, and every label in the batch belongs to
#   another picture. Look each index up at the end.
# - **It converts too many frames.** Call `to_rgb` for wanted frames only.
# - **It decodes one frame too many.** Stop when the last wanted frame of the run is out.

# %% tags=["demo"] draws="Your sampler at work: random frames, in the order asked for."
with Film(PATH) as mine:
    pictures = read_planned(mine, RANDOM)
print(f"{mine.num_decoded} frames decoded for {len(RANDOM)}")
show.contact_sheet(pictures, columns=8, width=96, labels=[f"frame {i}" for i in RANDOM])

# %% [markdown] about="compare_frames" difficulty=3 importance=5 minutes=12
# ## The proof
#
# A loader that returns other frames is not faster, it is wrong. So before any stopwatch, compare what came with the
# **whole film, decoded from its first frame to its last**. These are two different questions:
#
# 1. **Which frames are these?** A loader may return the right frame in other colours. So we ask by likeness, the
#    correlation of two grey pictures $a$ and $b$ minus their means, which does not see brightness and contrast:
#
#    $$ \text{likeness}(a, b) = \frac{\sum_p a_p b_p}{\sqrt{\sum_p a_p^2} \, \sqrt{\sum_p b_p^2}}. $$
#
# 2. **Are they the same to the bit?** The largest difference of any byte to the frame that was asked for.
#
# | quantity | shape |
# |---|---|
# | `frames`, what came | `uint8 (N, H, W, 3)` |
# | `film`, every frame in order | `uint8 (M, H, W, 3)` |
# | `indices`, what was asked for | N numbers |
# | result | `Proof(numbers, max_error)`: N numbers, and one whole number from 0 to 255 |

# %% exercise="compare_frames" from="common.evaluation.loading:compare_frames"

# %% check="compare_frames"

# %% [markdown] hints="compare_frames"
# 1. Make each picture a row of numbers with mean 0 and length 1. Then all likenesses at once are one matrix product.
# 2. `grey = pictures[:, ::step, ::step].mean(axis=-1).reshape(len(pictures), -1)`. Subtract its mean and divide by its
#    `np.linalg.norm`, both with `axis=1, keepdims=True`. Never divide by zero: `np.maximum(..., 1e-6)`.
# 3. `likeness = a @ b.T` is `(N, M)`, and `argmax(axis=1)` is the frame that came, unless `likeness[n, indices[n]]` is
#    within 1e-6 of the row's maximum. Then it is `indices[n]`. For the error turn bytes into `np.int16` before
#    subtracting, and take `np.abs(...).max()`.

# %% [markdown] troubles="compare_frames"
# - **The error is 254 where it should be 2.** Bytes wrap around: 3 - 5 is 254. Subtract in `int16`.
# - **One ruined frame in a hundred goes unnoticed.** You take the mean error. Take the largest.
# - **A brighter copy of frame 7 is taken for frame 90.** The smallest difference looks at brightness. The correlation
#   does not: subtract the mean and scale to length 1.
# - **A black frame gives NaN.** Its length is zero. Divide by at least 1e-6.

# %% [markdown]
# ## First the proof
#
# Every loader opens the file anew, as a data loader does for every clip. The code of each, ten lines or so, is in
# `common/video/peers.py`.
#
# | loader | the call that matters | how it gets to a frame |
# |---|---|---|
# | torchcodec | `VideoDecoder(path, seek_mode="exact").get_frames_at(indices)` | sorts, seeks by a table of frames |
# | decord | `VideoReader(path).get_batch(indices)` | seeks by a table of all frames |
# | PyAV, plainly | `container.seek(pts)`, then `container.decode()` until it comes | a seek for every single frame |
# | OpenCV | `capture.set(CAP_PROP_POS_FRAMES, i)`, `capture.read()` | a seek for every frame that is not the next |
# | ffmpeg pipe | `ffmpeg -i FILE -vf select=... -f rawvideo -` | scans from the start, in a process of its own |
# | torchvision | `torchvision.io.read_video(path)` | reads it all |
#
# There are three films: ours as it is, one from a recorder that drops frames in which little changes, so that its frame
# rate varies, and one from a TV recorder, a transport stream (`.ts`) without a table of frames that begins midway.

# %% tags=["demo"] draws="Who returns the right frames, of which file?"
TASKS = {
    f"first {NUM_FRAMES}": list(range(NUM_FRAMES)),
    f"{NUM_FRAMES} random": RANDOM,
    f"{NUM_FRAMES} even": video.even_indices(TOTAL, NUM_FRAMES),
    "every frame": list(range(TOTAL)),
}
SHORT = list(TASKS)[:3]


def count_mine(path, indices):
    """Your sampler, behind the same signature as the others: the frames, and how many were decoded for them."""
    with Film(path) as film:
        return read_planned(film, indices), film.num_decoded


LOADERS = {"yours": lambda path, indices: count_mine(path, indices)[0], "flipbook": video.read_frames}
LOADERS |= {name: peer.read for name, peer in PEERS.items() if not peer.absence}
FILES = {
    "the film, MP4": PATH,
    "dropped frames, MP4": drop_frames(PATH, DISK / "dropped.mp4"),
    "TV recorder, TS": as_television(PATH, DISK / "television.ts"),
}


def prove(read, path, film, indices):
    """The verdict on one loader and one file, in a few words."""
    try:
        with silenced():
            proof = compare_frames(read(path, indices), film, indices)
    except Exception as error:
        return f"raises {type(error).__name__}"
    num_right = sum(came == asked for came, asked in zip(proof.numbers, indices))
    return f"{num_right} of {len(indices)} right" + (", identical" if proof.max_error == 0 else "")


verdicts = {}
for label, path in FILES.items():
    film = decode_everything(path)
    indices = np.random.default_rng(2).choice(len(film), NUM_FRAMES, replace=False).tolist()
    if path == PATH:  # the frames of the race below
        indices = sorted({i for task in SHORT for i in TASKS[task]})
    verdicts[label] = {name: prove(read, path, film, indices) for name, read in LOADERS.items()}
for name, peer in PEERS.items():
    print(f"{name:12}", f"absent: {peer.absence}" if peer.absence else f"{peer.distribution} {peer.version}")
print(f"\n{'':12}" + "".join(f"{label:>28}" for label in FILES))
for name in LOADERS:
    print(f"{name:12}" + "".join(f"{verdicts[label][name]:>28}" for label in FILES))

# %% tags=["demo"] draws="Sixteen frames in a row. Left: asked for. Right: what came."
television, wanted = FILES["TV recorder, TS"], list(range(8, 24))
answers = {name: verdicts["TV recorder, TS"][name].split()[0] for name in LOADERS}
worst = min((name for name in answers if answers[name].isdigit()), key=lambda name: int(answers[name]))
with silenced():
    came = LOADERS[worst](television, wanted)
caption = f"The TV recording: the frames asked for, and those that {worst} returned."
show.player(np.concatenate([film[wanted], came], axis=2), fps=8, width=320, max_bytes=60_000, caption=caption)

# %% [markdown]
# **What to see.** On a well-behaved MP4 all are right, to the bit: they are built on the same decoders. Where frames
# were dropped, a loader that computes a time from a number and an average rate gets other frames. Here that is *PyAV
# used plainly*, and the plain use is wrong, not PyAV. In the transport stream a seek lands somewhere near, at a byte
# and not at a frame. Loaders that trust it give up, or return frames that are up to a second off, without a word. A
# model would train on them.
#
# ffmpeg scans from the start and cannot be fooled. `flipbook` reads all packets first, which costs a moment and decodes
# nothing, and so knows where it is. Your sampler uses `Film`, which compares where a seek landed with where it should
# have, and goes back to the start if need be.
#
# ## Why they will differ: the cost, counted
#
# Your second function next to what was really decoded. `flipbook` and your `Film` count, so does PyAV where we drive
# it, and ffmpeg reports at the end. The others do not say.

# %% tags=["demo"] draws="Frames decoded per frame asked for. Find your sampler's line."
print(f"{'decoded per frame asked for':30}" + "".join(f"{task:>12}" for task in SHORT))
for how in ("scan", "seek", "plan"):
    bills = [decoded_per_asked(TASKS[task], KEYFRAMES, how) for task in SHORT]
    print(f"  {'by the rule, ' + how:28}" + "".join(f"{bill:>12.1f}" for bill in bills))
for name, count in {"yours": count_mine, **COUNTERS}.items():
    if name in LOADERS:
        counted = [count(PATH, TASKS[task])[1] / len(TASKS[task]) for task in SHORT]
        print(f"  {'counted, ' + name:28}" + "".join(f"{ratio:>12.1f}" for ratio in counted))

# %% [markdown]
# **What to see.** The **baselines** are PyAV used plainly, a seek for each frame, and the scan of the ffmpeg pipe. Your
# plan decodes less than either. The film is short, which is kind to the scan: over the whole of *Big Buck Bunny* it
# would decode about 900 frames for each of 16, the plan about 55. Two counts differ from the rule. Some are a little
# higher, because a decoder that works on several frames at once puts out a few extra. And `flipbook` decodes *fewer*
# than the plan: most B-frames are not used by any other frame, and it leaves those out.

# %% [markdown] about="time_fairly" difficulty=2 importance=5 minutes=10
# ## The stopwatch
#
# The easiest way to win a benchmark is to run second. The first loader reads the file from the disk, starts threads and
# loads libraries, and the others find it all in memory. If the machine is busy for two seconds, the one that runs then
# has lost. Three rules take care of that:
#
# | rule | against |
# |---|---|
# | **warm up**: call every task once, untimed | the first one pays for all |
# | **interleave**: every task once per round, each round from another start | a slow minute for one of them only |
# | **median** of the rounds | one hiccup decides |

# %% exercise="time_fairly" from="common.evaluation.timing:time_fairly"

# %% check="time_fairly"

# %% [markdown] hints="time_fairly"
# 1. Two loops inside each other: rounds outside, tasks inside. Which of the three rules is that?
# 2. In round `r` the order of the names is `names[r % n:] + names[:r % n]`. Keep a list of seconds for each name.
# 3. Warm up with a loop of its own. Around each timed call: `begin = clock()`, the call, `seconds[name].append(clock()
#    - begin)`. At the end `Timing(statistics.median(s), min(s), max(s))` for each. Check `tasks` and `rounds` first.

# %% [markdown] troubles="time_fairly"
# - **The second task always wins.** You time the warm-up, or there is none.
# - **A slow minute hits one task only.** You run all rounds of A, then all rounds of B. Swap the two loops.
# - **One hiccup decides.** With a *mean*, a single pause of 2 s makes ten runs of 0.1 s look like 0.3 s.
# - **One task's overhead lands in another's time.** Read the clock right before and right after each call.

# %% [markdown]
# ## The negative control: one loader against itself
#
# How do you know that a stopwatch is fair? Let it time **the same thing under four names**. Any winner is the
# stopwatch's invention. This machine exists on paper. The task takes 0.10 s, and the very first call 0.25 s longer.
# From 1.0 s to 3.0 s a neighbour makes it half as slow again, and at 4.0 s something stops the world for 1.2 s.

# %% tags=["demo"] draws="Four names, one task. Only a fair stopwatch sees no winner."
STOPWATCHES = {"once, as they come": time_as_they_come, "one by one, mean": time_one_by_one, "yours": time_fairly}
print(f"{'the same task, four times':32}{'A':>8}{'B':>8}{'C':>8}{'D':>8}   'winner' by")
for label, stopwatch in STOPWATCHES.items():
    machine = PaperMachine()
    timed = stopwatch(dict.fromkeys("ABCD", machine.work), 11, machine.clock)
    medians = [timed[name].median for name in "ABCD"]
    print(f"{label:32}" + "".join(f"{m:>8.3f}" for m in medians) + f"{max(medians) / min(medians):>10.2f} x")

# %% [markdown]
# Twofold and more, out of nothing.
#
# ## The result to remember: the race
#
# Only loaders that returned the right frames, to the bit, are timed, by *your* stopwatch. Opening the file counts.

# %% tags=["demo"] draws="A progress bar: four tasks, every loader."
in_the_race = {name: read for name, read in LOADERS.items() if verdicts["the film, MP4"][name].endswith("identical")}
print("not timed, since the frames were wrong:", ", ".join(LOADERS.keys() - in_the_race.keys()) or "none")

results = {}
for task, indices in progress_bar(TASKS.items(), desc="racing", unit="task"):
    calls = {name: (lambda read=read, indices=indices: read(PATH, indices)) for name, read in in_the_race.items()}
    if task == "every frame":
        calls.pop("PyAV", None)  # a seek for every single frame takes its time, and the answer is known
    results[task] = time_fairly(calls, ROUNDS if len(indices) < TOTAL else max(1, ROUNDS // 2))

# %% tags=["demo"] draws="Orange is yours. Shorter is faster."
draw_timings(results, {task: len(indices) for task, indices in TASKS.items()}, highlight="yours")

# %% tags=["demo"] draws="One loader under two names, on your machine."
twins = time_fairly({name: (lambda: video.read_frames(PATH, range(NUM_FRAMES))) for name in "AB"}, 2 * ROUNDS + 1)
a, b = (1e3 * twins[name].median for name in "AB")
print(f"A {a:.0f} ms, B {b:.0f} ms, the 'winner' by {max(a, b) / min(a, b):.2f} x")

# %% [markdown]
# What remains is the smallest difference that this stopwatch can see here. Smaller ones in the plot mean nothing.
#
# ## Try it
#
# Three knobs: a film of yours, how many frames, and in which order ("even", "random" or "first").

# %%
CLIP, NUM, PICK = PATH, 16, "even"

with video.VideoReader(CLIP) as reader:
    total, keyframes = len(reader), reader.keyframes
shuffled = np.random.default_rng(0).permutation(total)[:NUM].tolist()
picked = {"even": video.even_indices(total, NUM), "random": shuffled, "first": list(range(NUM))}[PICK]
for how in ("scan", "seek", "plan"):
    print(f"{how}: {decoded_per_asked(picked, keyframes, how):6.1f} frames decoded per frame asked for")
racers = {name: (lambda read=read: read(CLIP, picked)) for name, read in LOADERS.items() if name != "PyAV"}
for name, timing in sorted(time_fairly(racers, max(1, ROUNDS // 3)).items(), key=lambda row: row[1].median):
    print(f"{name:12} {1e3 * timing.median:6.0f} ms")

# %% [markdown] tags=["folded"]
# ## Going further
#
# **An ablation to run.** When does planning stop paying? In the plot below your second exercise, at how many random
# frames out of 144 does the plan decode half the film? Open that cell, and try `GAP = 6` and `GAP = 72`.
#
# **Honest limits.**
#
# - The film is small, and in the memory of the machine. From a slow disk or network, opening and seeking weigh more
#   than decoding, and a scan, which reads in order, looks better than here.
# - Two or three cores, no GPU. torchcodec and decord can decode on one. With a hundred streams that decides.
# - Your sampler is one thread that plans. `common.video.VideoReader` adds what a real one needs: damaged and rotated
#   files, frames that can be left out, and a second decoder where the parts are far apart.
# - "Identical" means: identical, given the same tags. Where a file does not say in which colours it was made, loaders
#   guess, and the guesses differ: [Boxes and colours](../../phases/01_tensors/03_boxes_and_colours.ipynb).
# - On the whole film at 1280 x 720 the race is `benchmarks/decode.py` (`flipbook data fetch big-buck-bunny` first).
#
# **Reading.** *ITU-T H.264*, clause 3, says what an IDR picture is, a place to start. *Rigorous Benchmarking in
# Reasonable Time* (Kalibera and Jones, ISMM 2013) says how many rounds are enough.

# %% [markdown]
# ## Yours now
#
# All five are parts of the library. Its reader reads by the plan of `decode_runs`, and with `--mine` by yours:
#
# ```console
# flipbook show holiday.mp4 --mine
# ```
#
# `time_fairly` and `compare_frames` are worth keeping. The next time you read that A is faster than B, ask which frames
# B returned, and which ran first.
#
# **Next:** lab 01.2, which decides *which* frames to ask for.
#
# *Film: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0.*
