# %% [markdown]
# # Lab 01.2 · The frame extractor
#
# **What you will have at the end:** the sampler that turns any video file into the tensor a model reads, written by
# you. You will also have seen, on real film, that the *rule* for choosing frames decides how much motion a model sees.
#
# | | |
# |---|---|
# | time | about 45 minutes |
# | difficulty | ★★☆☆☆ |
# | before this | the tutorial [A video is a tensor](../../phases/01_tensors/01_video_is_a_tensor.ipynb), 15 minutes |
# | the film | shots of *Big Buck Bunny*, © 2008 Blender Foundation, CC BY 3.0 |
#
# The whole notebook runs at one of three sizes. `cpu` is yours unless you set `FLIPBOOK_PRESET`.
#
# | preset | clip `(T, H, W)` | all cells take about |
# |---|---|---|
# | `ci` | (16, 90, 160) | 10 s |
# | `cpu` | (16, 144, 256) | 15 s |
# | `gpu` | (16, 288, 512) | 30 s |

# %% tags=["setup"]
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from common import show, video
from common.course import check
from common.data import clip_path, clips
from common.progress import progress_bar
from common.runtime import preset

NUM_FRAMES, HEIGHT = {"ci": (16, 90), "cpu": (16, 144), "gpu": (16, 288)}[preset()]
SLOW, FAST = "burrow", "leap"  # 6.0 s of waking up, 2.2 s of running and jumping

# %% [markdown]
# ## Where you are heading
#
# A film runs at 24 frames per second, and a model wants 16 frames in all. Which ones? Here is the finished sampler on a
# shot of the film, under two rules. **Evenly** spreads the 16 frames over the whole shot. At a **fixed rate** they are
# taken 8 per second.


# %% tags=["demo"] draws="One shot, two rules. Which rabbit hurries?"
def four_clips(sample):
    """Two shots, two rules: what a sampler `sample(path, num_frames, fps=..., size=...)` hands to a model."""
    taken = {}
    for name, kind in ((SLOW, "slow"), (FAST, "fast")):
        step = video.probe(clip_path(name)).duration / (NUM_FRAMES - 1)
        for fps, rule in ((None, f"evenly, one frame per {step:.2f} s"), (8, "at 8 fps, one frame per 0.125 s")):
            taken[f"{kind} shot, {rule}"] = sample(clip_path(name), NUM_FRAMES, fps=fps, size=HEIGHT)
    return taken


def playing(taken):
    """The slow shot under both rules, played at the same 8 fps."""
    evenly, at_rate, *_ = taken.values()
    caption = "The slow shot, 16 frames played at 8 fps. Left: taken evenly. Right: taken at 8 fps."
    return show.player(torch.cat([evenly, at_rate], dim=-1), fps=8, width=288, max_bytes=64_000, caption=caption)


playing(four_clips(video.sample_clip))

# %% [markdown]
# **Before you read on, a prediction.** In the slow shot a rabbit crawls out of his burrow for 6.0 s. In the fast one a
# squirrel leaps for 2.2 s, with about five times the motion *per second*. You take 16 frames evenly from each. By what
# factor does the fast shot still lead in motion *per step*, from one frame of the tensor to the next: more than five,
# about five, or less? Write your guess down. The end of this lab measures it.

# %% [markdown] about="even_indices" difficulty=1 importance=4 minutes=5
# ## N frames, evenly
#
# Uniform sampling is the simplest rule: the first frame, the last frame, and the rest spread evenly between them. With
# $n$ frames in the file and $N$ wanted,
#
# $$ i_k = \operatorname{round}\!\left( k \, \frac{n-1}{N-1} \right), \qquad k = 0 \dots N-1,
# \qquad i_0 = 0 \ \text{ if } N = 1. $$
#
# | quantity | example |
# |---|---|
# | `total`, $n$ | 48 frames, numbered 0 to 47 |
# | `num_frames`, $N$ | 4 |
# | result | `[0, 16, 31, 47]` |

# %% exercise="even_indices" from="common.video.sampling:even_indices"

# %% check="even_indices"

# %% [markdown] hints="even_indices"
# 1. Between the first and the last of $N$ frames there are $N - 1$ steps, and between frame 0 and frame $n-1$ there are
#    $n - 1$. How long is one step?
# 2. `torch.linspace(0, total - 1, num_frames)` has both ends and even steps. With one frame it gives the start, which
#    is what we want. Mind that `.long()` cuts the fraction off.
# 3. Check the two arguments first and raise `ValueError` naming the bad value. Then round every entry of the `linspace`
#    (`.round()`), turn it into integers and into a plain list (`.long().tolist()`). Use `dtype=torch.float64`, so that
#    long films come out exact.

# %% [markdown] troubles="even_indices"
# - **It asks for a frame that does not exist.** You count up to $n$. The last of $n$ frames has the number $n - 1$.
# - **Some frames come one too early.** Turning a float into an integer cuts the fraction off. Round first.
# - **The last frame of the film never comes.** $N$ frames have $N - 1$ steps between them. You divide by $N$.

# %% [markdown] about="fps_indices" difficulty=3 importance=5 minutes=12
# ## N frames at a fixed rate
#
# The second rule fixes the *time* between frames. We want the instants $t_k = \text{start} + k / \text{fps}$. A file
# holds frames with presentation timestamps $\tau_0 < \tau_1 < \dots$, and at the instant $t$ a screen shows the last
# frame that has already begun:
#
# $$ i_k = \max \{\, i : \tau_i \le t_k \,\}. $$
#
# Why not $i_k = \lfloor t_k \cdot 24 \rfloor$? Because nothing in a file promises a constant frame rate. Phones drop
# frames in the dark, screen recorders drop them when nothing moves, and the "24 fps" of such a file is only an average.
# **Time comes from timestamps, never from an index.**
#
# | quantity | shape, unit | example |
# |---|---|---|
# | `timestamps`, $\tau$ | `(n,)` seconds, rising, $\tau_0 = 0$ | `[0.0, 0.1, 0.2, 0.6, 0.7]` |
# | `fps`, `num_frames`, `start` | 1/s, count, seconds | `5.0`, `4`, `0.0` |
# | wanted instants $t_k$ | `(N,)` seconds | `[0.0, 0.2, 0.4, 0.6]` |
# | result | `N` indices | `[0, 2, 2, 3]` |
#
# Frame 2 appears twice: at 0.4 s the screen still shows it. Past the end there is nothing to show: an error.

# %% exercise="fps_indices" from="common.video.sampling:fps_indices"

# %% check="fps_indices"

# %% [markdown] hints="fps_indices"
# 1. Solve it for one instant first: how many timestamps are at or before $t_k$? The frame on screen is the last of
#    those.
# 2. `np.searchsorted(timestamps, t, side="right")` counts the entries that are `<= t`. The index is that count minus
#    one. Add a tolerance of a microsecond to `t`.
# 3. Compute all instants at once, `start + np.arange(num_frames) / fps`. The clip ends one frame after its last
#    timestamp: use the last gap, `timestamps[-1] - timestamps[-2]`, as that frame's duration. If the last instant is at
#    or past that end, raise `ValueError`. Do the same for `fps <= 0`, `num_frames < 1`, `start < 0` and an empty list
#    of timestamps.

# %% [markdown] troubles="fps_indices"
# - **I get frame 3 where frame 2 is expected.** You take the *nearest* timestamp, which may be in the future. A screen
#   cannot show a frame that has not begun.
# - **One frame in many is one too early.** `0.6000000000000001 <= 0.6` is false, so a timestamp that should be equal is
#   not. Compare with the tolerance.
# - **It drifts on long clips.** Adding `1 / fps` again and again piles up rounding errors. Compute `k / fps` afresh for
#   each $k$.
# - **A clip that is too short comes back without an error.** `searchsorted` repeats the last frame for ever. Compare
#   the last instant with the end of the clip.

# %% [markdown]
# ### Negative control: an index is not a time
#
# What if we had trusted the average rate? The slow shot goes through a make-believe screen recorder, which stores a
# frame only when the picture has changed, with its true timestamp. Then we sample the recording at 8 fps twice: by
# your `fps_indices`, and by the shortcut `index = time * average fps`. We hold the original film, so for every instant
# we know what the screen really showed.


# %% tags=["demo"] draws="Timestamps stay on the diagonal. The shortcut leaves it at once."
def record_screen(name, path):
    """Store a frame only when 1 % of the range has changed since the last one stored; returns the times of those."""
    with video.VideoReader(clip_path(name)) as reader:
        frames, times = reader.read(range(len(reader.timestamps)), size=HEIGHT), reader.timestamps
    kept = [0]
    for i in range(1, len(frames)):
        change = np.abs(frames[i].astype(np.int16) - frames[kept[-1]]).mean() / 255
        if change > 0.01 or i == len(frames) - 1:
            kept.append(i)
    video.write(path, frames[kept], fps=24, timestamps=times[kept])
    return len(frames), times[kept]


recording = Path(tempfile.mkdtemp()) / "recording.mp4"
num_original, stored_at = record_screen(SLOW, recording)
info = video.probe(recording)
print(f"{num_original} frames filmed, {info.num_frames} stored; the file says {info.fps:.1f} fps on average")

wanted = np.arange(46) / 8  # seconds
by_timestamp = stored_at[fps_indices(video.timestamps(recording), 8, len(wanted))]
by_index = stored_at[np.minimum((wanted * info.fps).astype(int), len(stored_at) - 1)]

figure, axis = plt.subplots(figsize=(8, 3.2), layout="constrained")
axis.plot(wanted, wanted, color="0.6", linestyle=":", label="what the screen showed")
axis.plot(wanted, by_timestamp, color="#1f6f8b", marker="o", markersize=3, label="by timestamps (yours)")
axis.plot(wanted, by_index, color="#b3541e", marker="o", markersize=3, label="by index and average fps")
axis.set(xlabel="instant asked for (s)", ylabel="instant you get (s)")
axis.set_title("Sampling a recording with dropped frames at 8 fps")
axis.legend(fontsize=9)
plt.show()
for rule, got in (("timestamps", by_timestamp), ("index", by_index)):
    print(f"by {rule}: {np.abs(got - wanted).mean():.2f} s off on average, {np.abs(got - wanted).max():.2f} s at worst")

# %% [markdown]
# **What to see.** By timestamps you get the frame that was on screen: the line runs along the diagonal and waits in
# steps where the recorder stored nothing. By index the lively beginning, of which many frames were stored, is stretched
# into slow motion, and the calm end rushes by. Nothing crashes, the tensor has the right shape, and a model would learn
# motion that never was.

# %% [markdown] about="frames_to_clip" difficulty=1 importance=5 minutes=5
# ## From frames to a clip
#
# A decoder returns bytes, frames first and channels last. A video model reads floats around zero, channels first,
# because that is what `Conv3d` takes. So two things change: the axes are moved, and $[0, 255]$ is mapped onto
# $[-1, 1]$,
#
# $$ x = \frac{\text{byte}}{127.5} - 1. $$
#
# | quantity | shape | type, range |
# |---|---|---|
# | `frames` | `(T, H, W, C)` | `uint8`, 0 to 255 |
# | result | `(C, T, H, W)` | `float32`, -1 to 1 |

# %% exercise="frames_to_clip" from="common.video.sampling:frames_to_clip"

# %% check="frames_to_clip"

# %% [markdown] hints="frames_to_clip"
# 1. Which axis of the result is which axis of the input? Write both shapes under each other with letters.
# 2. `einops.rearrange(x, "t h w c -> c t h w")` says it in one line, and `torch.from_numpy` makes a tensor out of the
#    array.
# 3. `clip = rearrange(torch.from_numpy(frames), "t h w c -> c t h w")`, then `.float() / 127.5 - 1`. Call
#    `.contiguous()`, so that what follows is fast.

# %% [markdown] troubles="frames_to_clip"
# - **My picture is shredded into coloured stripes.** `reshape` keeps the numbers in their old order and only renames
#   the axes. You want a *transpose*.
# - **My clip never goes below zero.** You divide by 255. That maps onto $[0, 1]$.
# - **Dark pixels come out bright.** You subtract while the numbers are still bytes, and they wrap around: `uint8` 0
#   minus 1 is 255. Convert to float first.
# - **It refuses a flipped array: negative strides.** Such a view runs backwards, and `from_numpy` cannot.
#   `np.ascontiguousarray` copies it into plain order.

# %% [markdown] about="motion_score" difficulty=2 importance=3 minutes=8
# ## How much does it move?
#
# To compare the two rules we need a number. The plainest motion score is the mean absolute difference between
# neighbouring frames, as a fraction of the range $R$ that a pixel can span ($R = 2$ for clips in $[-1, 1]$):
#
# $$ m = \frac{1}{R} \; \operatorname{mean}_{c,t,h,w} \left| x_{c,\,t+1,\,h,\,w} - x_{c,\,t,\,h,\,w} \right|. $$
#
# That is motion *per step*. Multiplied by `fps`, the number of steps per second, it becomes motion *per second*.
#
# | quantity | shape | |
# |---|---|---|
# | `clip` | `(C, T, H, W)` or `(B, C, T, H, W)` | any float range |
# | `data_range`, $R$ | number | 2 for our clips |
# | result | `()` or `(B,)` | 0 for a still picture, at most 1 per step |

# %% exercise="motion_score" from="common.evaluation.temporal:motion_score"

# %% check="motion_score"

# %% [markdown] hints="motion_score"
# 1. Neighbours in time are the clip without its last frame and the clip without its first. Counted from the back, time
#    is always axis `-3`.
# 2. `x[..., 1:, :, :] - x[..., :-1, :, :]`, or `torch.diff(x, dim=-3)`, then `.abs()`.
# 3. Average over the last four axes, `.mean(dim=(-4, -3, -2, -1))`, so that a batch keeps its first axis. Divide by
#    `data_range`. If `fps` is given, multiply by it. One frame has no neighbour: raise `ValueError`.

# %% [markdown] troubles="motion_score"
# - **A clip that clearly moves scores zero.** Without the absolute value, what brightens cancels what darkens.
# - **It is right for one clip and wrong for a batch.** `dim=1` is time in one layout and channels in the other. Count
#   axes from the back.
# - **A batch gives one number.** You average over the clips too. Leave the first axis out of the mean.

# %% tags=["demo"] draws="Your score over the two shots: motion comes in bursts."
figure, axis = plt.subplots(figsize=(8.5, 2.8), layout="constrained")
for name, colour in ((SLOW, "#1f6f8b"), (FAST, "#b3541e")):
    clip = frames_to_clip(video.read_frames(clip_path(name), size=HEIGHT))
    scores = [motion_score(clip[:, t : t + 2], fps=24).item() for t in range(clip.shape[1] - 1)]
    axis.plot(np.arange(1, len(scores) + 1) / 24, scores, color=colour, label=name)
axis.set(xlabel="time (s)", ylabel="motion per second", ylim=(0, None))
axis.legend(fontsize=9)
plt.show()

# %% [markdown] about="sample_clip" difficulty=3 importance=5 minutes=10
# ## The sampler
#
# Now the parts become one: file in, clip out. Without `fps` the frames are spread evenly from `start` to the end. With
# `fps` they are taken at that rate from `start`.
#
# | quantity | shape, unit |
# |---|---|
# | `path` | a video file |
# | `num_frames`, `fps`, `start` | count, 1/s or `None`, seconds |
# | `size` | pixels of the shorter side, or `None` for the file's own |
# | result | `(C, T, H, W)`, `float32`, -1 to 1 |
#
# `VideoReader` opens the file. Its `timestamps` come from the container and cost no decoding, and
# `reader.read(indices, size=size)` decodes just those frames. Reading the whole film and picking frames afterwards
# would give the same clip, but one minute of 1080p is 9 GB.

# %% exercise="sample_clip" from="common.video.sampling:sample_clip"

# %% check="sample_clip"

# %% [markdown] hints="sample_clip"
# 1. Open the file with `with VideoReader(path) as reader:`, decide on a list of indices, read them, convert them. Three
#    of the four steps are functions you have written.
# 2. For the fixed rate: `fps_indices(reader.timestamps, fps, num_frames, start)`. For evenly: the frame on screen at
#    `start` is what `fps_indices` gives for a single frame. Call it `first`.
# 3. Evenly from `first`: `[first + i for i in even_indices(len(reader.timestamps) - first, num_frames)]`. Then `return
#    frames_to_clip(reader.read(indices, size=size))`.

# %% [markdown] troubles="sample_clip"
# - **Evenly, the start changes nothing.** The even indices count from the frame on screen at `start`, not from frame 0.
# - **The last frame is not the film's last.** Spread over the frames that are left after `first`, then add `first`.

# %% [markdown]
# ## Put it to work
#
# Your five parts now measure the bundled film, shot by shot. For each rule we compare two numbers: the motion *per
# step* in the 16 frames that the model gets, and the *pace* of the scene, the motion per second in those same seconds
# of film at the full 24 fps. Their ratio is a time: how much film goes by in one step of the tensor.


# %% tags=["demo"] draws="A progress bar: every bundled shot, under three rules."
def pace(path, seconds):
    """Motion per second of the first `seconds` of a shot, at the film's own 24 fps."""
    return motion_score(sample_clip(path, int(seconds * 24), fps=24, size=HEIGHT), fps=24).item()


SHOTS = {clip.name: video.probe(clip.path).duration for clip in clips()}  # name -> seconds
evenly, at_rate, first = {}, {}, {}  # name -> motion per step
ratio_evenly, ratio_at_rate = {}, {}  # name -> motion per step / pace, in seconds
for name, seconds in progress_bar(SHOTS.items(), desc="measuring", unit="shot"):
    path = clip_path(name)
    evenly[name] = motion_score(sample_clip(path, NUM_FRAMES, size=HEIGHT)).item()
    at_rate[name] = motion_score(sample_clip(path, NUM_FRAMES, fps=8, size=HEIGHT)).item()
    first[name] = motion_score(sample_clip(path, NUM_FRAMES, fps=24, size=HEIGHT)).item()
    ratio_evenly[name] = evenly[name] / pace(path, seconds)
    ratio_at_rate[name] = at_rate[name] / pace(path, NUM_FRAMES / 8)

# %% tags=["demo"] draws="One dot per shot. Which rule keeps a constant step?"
figure, axis = plt.subplots(figsize=(8, 3.4), layout="constrained")
lengths = np.array(list(SHOTS.values()))
span = np.linspace(lengths.min(), lengths.max(), 50)
for ratios, colour, rule, step in (
    (ratio_evenly, "#b3541e", "evenly", span / (NUM_FRAMES - 1)),
    (ratio_at_rate, "#1f6f8b", "at 8 fps", np.full_like(span, 1 / 8)),
):
    axis.scatter(lengths, list(ratios.values()), color=colour, s=45, label=f"{NUM_FRAMES} frames {rule}, measured")
    axis.plot(span, step, color=colour, linestyle=":", label=f"time between two frames, {rule}")
axis.set(xlabel="length of the shot (s)", ylabel="motion per step / pace (s)", ylim=(0, None))
axis.set_title("How much film goes by from one frame of the clip to the next")
axis.legend(fontsize=9)
plt.show()

# %% [markdown]
# **What to see.** *Evenly*, the step grows with the length of the shot, so in a long shot everything looks faster than
# it is. *At a fixed rate* the dots stay level, and motion in the tensor means motion in the scene. Both lie below their
# dotted line. A thing that has left its place cannot leave it again, so pictures far apart differ less than all the
# small steps between them added up.
#
# ## The result to remember
#
# The two shots again, now through *your* sampler. By what factor does the fast shot lead in the tensor, and by what
# factor in those same seconds of film? The **baseline** is what a careless loader does: the first 16 frames as they
# come.

# %% tags=["demo"] draws="Compare the two columns on the right: they should agree."
print(f"{'':18}motion per step        fast / slow")
print(f"{'rule':18}{'slow':>8}{'fast':>8}   in the clip   in the film")
for rule, scores, seconds in (
    ("evenly", evenly, SHOTS),
    ("at 8 fps", at_rate, dict.fromkeys(SHOTS, NUM_FRAMES / 8)),
    ("first 16 frames", first, dict.fromkeys(SHOTS, NUM_FRAMES / 24)),
):
    film = [pace(clip_path(name), seconds[name]) for name in (SLOW, FAST)]  # motion per second, the same seconds
    seen = scores[FAST] / scores[SLOW]
    print(f"{rule:18}{scores[SLOW]:8.3f}{scores[FAST]:8.3f}{seen:14.1f}{film[1] / film[0]:14.1f}")
taken = four_clips(sample_clip)
show.strips({name: clip[:, ::2] for name, clip in taken.items()}, num_frames=NUM_FRAMES // 2, width=72)

# %% tags=["demo"] draws="The slow shot again, through your sampler."
playing(taken)

# %% [markdown]
# Evenly, most of the lead is gone: the 6.0 s shot is squeezed into the same 15 steps as the 2.2 s shot, so it looks
# nearly three times as fast as it is. That was the prediction: less. At 8 fps most of the lead survives, and what is
# lost is what large steps always lose. The baseline keeps the lead, but shows 0.67 s of film.
#
# Neither rule is wrong. Evenly answers "what happens in this clip?" and suits retrieval and captions. A fixed rate
# answers "how do things move?" and suits generation. That is why video models state their fps with their `(T, H, W)`.

# %% [markdown]
# ## Try it
#
# Three knobs. Any file will do for `CLIP`, your own holiday videos included.

# %%
CLIP, FPS, START = clip_path("rope_skipping"), 6, 0.0

length = video.probe(CLIP).duration - START
clip = sample_clip(CLIP, min(12, int(length * FPS)), fps=FPS, start=START, size=HEIGHT)
print("(C, T, H, W) =", tuple(clip.shape))
print(f"motion: {motion_score(clip).item():.3f} per step, {motion_score(clip, fps=FPS).item():.2f} per second")
show.contact_sheet(clip, fps=FPS, start=START, width=96)

# %% [markdown] tags=["folded"]
# ## Going further
#
# **An ablation to run.** How many frames must you take *evenly* from the slow shot for its motion per step to equal
# that at 8 fps? Work it out on paper first. Then find it by running the cell with other numbers.

# %%
TRY = 16

print(f"{TRY} frames evenly: {motion_score(sample_clip(clip_path(SLOW), TRY, size=HEIGHT)).item():.4f} per step")
whole = sample_clip(clip_path(SLOW), int(SHOTS[SLOW] * 8), fps=8, size=HEIGHT)
print(f"at 8 fps to the end: {motion_score(whole).item():.4f} per step")

# %% [markdown]
# **Honest limits.**
#
# - A difference of pixels is not motion. A flash of light scores, and a grey wall sliding past a grey wall does not.
#   Lab 01.3 measures displacement, with optical flow.
# - A shot is not a film. Spread evenly over a whole film, 16 frames come from 16 scenes. Lab 01.4 finds the cuts first.
# - Speed played no part here. `VideoReader` decodes from the keyframe before each frame you ask for. Lab 01.1 measures
#   what that costs and what other readers do.
# - At scale the same code runs in a data loader over millions of files. `common.data.ClipDataset` takes windows from
#   many clips, and `common.video.VideoReader.stream` reads films that do not fit in memory.
#
# **Reading.** *Temporal Segment Networks* (Wang et al. 2016, arXiv:1608.00859) samples a whole video sparsely.
# *SlowFast Networks* (Feichtenhofer et al. 2019, arXiv:1812.03982) uses two rates at once. *Stable Video Diffusion*
# (Blattmann et al. 2023, arXiv:2311.15127) feeds fps and motion to the model.

# %% [markdown]
# ## Yours now
#
# `even_indices`, `fps_indices`, `frames_to_clip`, `motion_score` and `sample_clip` are parts of the library, and the
# library can run on your versions. In a terminal, in the course's folder:
#
# ```console
# flipbook show holiday.mp4 --mine
# ```
#
# **Next:** lab 01.3 measures where each pixel goes.
#
# *Film: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0.*
