# %% [markdown]
# # Lab 01.4 · The scene-cut detector
#
# **What you will have at the end:** a shot boundary detector, written by you, that finds the cuts in a film and stays
# silent at flashes, fades, dissolves and whip pans. You measure its precision and recall on true cuts, and split a film
# into shots that hold its frames bit for bit.
#
# | | |
# |---|---|
# | time | about 65 minutes |
# | difficulty | ★★☆☆☆ |
# | before this | lab [01.2](02_frame_extractor.ipynb), for how frames are read |
# | the film | *Big Buck Bunny*, © 2008 Blender Foundation, CC BY 3.0 |
#
# The whole notebook runs at one of three sizes. `cpu` is yours unless you set `FLIPBOOK_PRESET`.
#
# | preset | what the detector looks at, `(T, H, W)` | all cells take about |
# |---|---|---|
# | `ci` | (431, 36, 64) | 15 s |
# | `cpu` | (431, 72, 128) | 30 s |
# | `gpu` | (431, 144, 256) | 40 s |

# %% tags=["setup"]
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from common import show, video
from common.course import check
from common.data import find_clip
from common.data.cut_course import cut_course, mix
from common.evaluation.cut_controls import best_floor, blurred_in_time, hard_histograms, split_errors
from common.progress import progress_bar
from common.runtime import preset
from common.show.cuts import around_cuts, draw_course, draw_distances, flagged
from common.video import cuts as library

SIZE = {"ci": 36, "cpu": 72, "gpu": 144}[preset()]  # shorter side of the pictures in which cuts are looked for
EXCERPT = find_clip("film_cuts")  # 431 frames of the film, six shots, true cuts known

# %% [markdown]
# ## Where you are heading
#
# A video model learns from clips, and a clip must not change its subject halfway. So the first step of any training
# pipeline is to find the cuts. Here is the finished detector on 18 seconds of film.

# %% tags=["demo"] draws="The last frame of each shot and, framed, the next one."
around_cuts(EXCERPT.path, library.detect_cuts(EXCERPT.path))

# %% [markdown]
# **Before you read on, a prediction.** The plainest detector calls every frame a cut that differs from the one before
# by more than a threshold. Suppose lightning lights up the middle of a shot for two frames. How many cuts does that
# detector report there: none, one or two? And in a 12-frame dissolve from one shot to the next, which has no hard cut
# at all? Write your guesses down. The obstacle course below decides.

# %% [markdown] about="shot_ranges" difficulty=1 importance=4 minutes=4
# ## From cuts to shots
#
# A warm-up. Cuts at $c_1 < c_2 < \dots < c_k$ divide $N$ frames into $k + 1$ shots. A shot is a half-open range
# `(start, stop)` and holds the frames `start` to `stop - 1`, as in Python's `range` and `VideoReader.stream`. The stop
# of one is the start of the next, so no frame is lost and none appears twice.
#
# | quantity | example |
# |---|---|
# | `cuts` | `[66, 197]` |
# | `num_frames`, $N$ | 431 |
# | result | `[(0, 66), (66, 197), (197, 431)]` |

# %% exercise="shot_ranges" from="common.video.cuts:shot_ranges"

# %% check="shot_ranges"

# %% [markdown] hints="shot_ranges"
# 1. Which numbers are edges of shots? The cuts, and two more.
# 2. `edges = [0, *cuts, num_frames]`, and a shot lies between two neighbours of that list.
# 3. `list(itertools.pairwise(edges))`, or `list(zip(edges, edges[1:]))`. If a start is not below its stop, the cuts do
#    not rise or lie outside: raise `ValueError` with the number. `num_frames` below 1 is a `ValueError` too.

# %% [markdown] troubles="shot_ranges"
# - **One frame is missing at each cut.** A cut's number is that of the first frame of the new shot.
# - **The last shot is missing.** Behind the last cut there is one more shot, up to $N$.
# - **A shot has no frames.** A cut at 0 or at $N$ makes an empty one. Refuse it.

# %% [markdown] about="colour_histograms" difficulty=2 importance=4 minutes=10
# ## Colour histograms
#
# To tell two shots apart, we describe each frame by a short list of numbers and compare the lists. The classic
# descriptor forgets *where* things are and counts only *how much* there is of each level of red, green and blue: a
# **histogram**. On each channel lie $n$ levels, evenly from 0 to 255, and a value $v$ has the position
# $p = v\,(n-1)/255$, counted in levels.
#
# Most histograms now round: every value falls into the bin of one level. For cuts that is a trap. When a plain picture
# fades, all its pixels cross from one bin to the next *in the same frame*, and the histogram jumps although the picture
# hardly changed. So we use **soft bins**. With $i = \lfloor p \rfloor$,
#
# $$ \text{level } i \text{ gets } 1 - (p - i), \qquad \text{level } i + 1 \text{ gets } p - i. $$
#
# Summed over the pixels and divided by their number, these are fractions of the picture. Half the sum of absolute
# differences of two such lists, averaged over the channels, is the part of the picture that changed its level: 0 for
# nothing, 1 for everything.

# %% exercise="colour_histograms" from="common.video.cuts:colour_histograms"

# %% check="colour_histograms"

# %% [markdown] hints="colour_histograms"
# 1. Begin with one frame and one channel: `position`, the level `below`, and the `share` of the level above. To keep
#    255 in the list, let `below` be at most `bins - 2`. Its share is then 1.
# 2. `np.bincount(below.ravel(), (1 - share).ravel(), minlength=bins)` adds up what the levels below get. The levels
#    above get theirs in the same way, from `below + 1` and `share`.
# 3. `position = frames.astype(np.float32) * ((bins - 1) / 255)`, `below = np.minimum(position.astype(int), bins - 2)`,
#    `share = position - below`. Two loops, over frames and channels, are fine. Or add `bins * (3 * t + c)` to the
#    levels of frame t and channel c, count all at once, and reshape to `(T, 3, bins)`. Divide by `H * W`, end with
#    `.astype(np.float32)`. Check dtype, shape and `bins` first.

# %% [markdown] troubles="colour_histograms"
# - **My histogram jumps at 255, or an index is out of range.** The value 255 is the last level, and there is none above
#   it. Keep the level below at most at $n - 2$.
# - **The counts are wild.** Bytes times a number stay bytes: `uint8` 200 times 7 is 120. Convert to float first.
# - **Long pieces of film look pale.** You divide by the pixels of all frames. Divide by those of one.

# %% [markdown] about="block_features" difficulty=3 importance=3 minutes=12
# ## Block features: what is where
#
# A histogram does not notice when a shot changes and the colours stay: two views of the same meadow, say. The second
# description keeps the *place*, roughly. Lay a grid of 4 × 4 blocks over the picture, and take five means of each:
# red, green, blue, and how strong the edges are, across and down.
#
# | quantity | shape | range |
# |---|---|---|
# | `frames` | `(T, H, W, 3)`, `uint8` | 0 to 255 |
# | grey, the mean of the channels | `(T, H, W)` | 0 to 1 |
# | five values per pixel | `(T, H, W, 5)` | 0 to 1 |
# | one block, rows $\lfloor iH/4 \rfloor$ to $\lfloor (i+1)H/4 \rfloor - 1$ | `(T, 5)` after the mean | 0 to 1 |
# | result, block after block in reading order | `(T, 4 * 4 * 5)` | `float32`, 0 to 1 |

# %% exercise="block_features" from="common.video.cuts:block_features"

# %% check="block_features"

# %% [markdown] hints="block_features"
# 1. First make an array `(T, H, W, 5)` that holds the five values of every pixel. Then the blocks are slices of it.
# 2. `np.diff(grey, axis=2, append=grey[:, :, -1:])` has the width of `grey`, with 0 in the last column. For the rows it
#    is `axis=1` and `grey[:, -1:]`. Take `np.abs` of both.
# 3. `values = np.concatenate([pixels, right[..., None], below[..., None]], axis=-1)`. Then two loops, rows outside,
#    columns inside: `values[:, i * H // grid : (i + 1) * H // grid, j * W // grid : (j + 1) * W // grid].mean(axis=(1,
#    2))`, collected in a list, and `np.concatenate(blocks, axis=-1)`.

# %% [markdown] troubles="block_features"
# - **My edges are near zero everywhere.** A difference without its absolute value cancels: every edge up is answered by
#   an edge down.
# - **The shapes do not fit.** Between W pixels there are W - 1 steps. The last column needs a zero.
# - **A height that is no multiple of 4 goes wrong.** The remainder must not be lost: the last block ends at H.


# %% tags=["demo"] draws="Each frame's distance to the one before. The dotted lines are cuts."
def weigh(frames):
    """The two descriptions of each frame, scaled so that their sums of absolute differences are comparable."""
    histograms, features = colour_histograms(frames), block_features(frames)
    return histograms.reshape(len(frames), -1) / 6, features * (4 / features.shape[1])


def describe(path):
    """A film's descriptors by colour, and by place."""
    with video.VideoReader(path) as reader:
        pieces = [weigh(frames) for frames in reader.stream(chunk=64, size=SIZE)]
    return [np.concatenate(kind) for kind in zip(*pieces)]


colour, place = describe(EXCERPT.path)
draw_distances({"colour": colour, "place": place}, EXCERPT.cuts)

# %% [markdown] about="find_cuts" difficulty=4 importance=5 minutes=15
# ## The detection rule
#
# Now each frame $t$ has a descriptor, and $d(a, b)$, the sum of absolute differences, is the distance of two frames.
# A threshold on $d(t-1, t)$ alone would fire at every flash and in every whip pan. What makes a cut a cut? **The frames
# before it are alike, the frames after it are alike, and the two groups are not.** With a window of $w = 4$ frames on
# either side:
#
# $$ \text{between}_t = \min_{1 \le i \le w,\; 0 \le j < w} d(t-i,\, t+j), \qquad
# \text{within}_t = \tfrac12 \Big( \max_{1 \le m < w} d(t-m-1,\, t-m) + \max_{1 \le m < w} d(t+m-1,\, t+m) \Big), $$
#
# and a cut is at $t$ where $\text{between}_t > \text{floor}$ and $\text{between}_t > \text{ratio} \cdot
# \text{within}_t$.
#
# | event | between | within | |
# |---|---|---|---|
# | a cut | large | small | found |
# | a flash of up to 3 frames, even one that dies away | **small**: the picture comes back | often large | not found |
# | a fade, a dissolve | one small step | as large as the step | not found |
# | a whip pan, fast motion | one large step | **as large** | not found |
# | a still picture that starts to move | the first step | half of it or more | not found: ratio > 2 |

# %% exercise="find_cuts" from="common.video.cuts:find_cuts"

# %% check="find_cuts"

# %% [markdown] hints="find_cuts"
# 1. Write it with plain loops over t, i and j first, straight from the two formulas. Frames that do not exist (before
#    0, behind the end) are left out, and the maximum of no steps is 0. That already passes.
# 2. Without loops over t: `np.abs(descriptors[k:] - descriptors[:-k]).sum(axis=-1)` is the distance of every frame to
#    the one `k` later. The pair (i, i + k) belongs to all t with i = t - back, `1 <= back <= window` and `k - back <
#    window`.
# 3. Begin with `between = np.full(T, np.inf)`. For each gap `k` and each such `back`: `here = slice(back, back + T -
#    k)`, then `between[here] = np.minimum(between[here], distance)`. For within, let `step[t] = d(t-1, t)`. For `m = 1
#    ... window - 1`: `before[m:] = np.maximum(before[m:], step[:-m])` and `after[:-m] = np.maximum(after[:-m],
#    step[m:])`. Frame 0 is never a cut.

# %% [markdown] troubles="find_cuts"
# - **Nothing is ever found.** Your within contains the step from $t-1$ to $t$ itself.
# - **Every flash gives two cuts.** You take $d(t-1, t)$ in place of between. The minimum over pairs sees that the
#   picture comes back.
# - **All cuts are one too early.** A cut's number is that of the *first frame of the new shot*.

# %% [markdown] about="cut_scores" difficulty=3 importance=4 minutes=8
# ## Precision, recall, F1
#
# A found cut counts as a **hit** if a true one lies within one frame of it, and each true cut can be hit once. With $h$
# hits among $f$ found and $n$ true cuts,
#
# $$ \text{precision} = \frac{h}{f}, \qquad \text{recall} = \frac{h}{n}, \qquad F_1 = \frac{2h}{f + n}. $$
#
# | found | true | hits | precision, recall, F1 |
# |---|---|---|---|
# | 30, 77, 200 | 30, 76, 137 | 2 | 0.67, 0.67, 0.67 |
# | 29, 30, 31 | 30 | 1: the other two say the same again | 0.33, 1.00, 0.50 |
# | none | 30, 76 | 0 | 1.00, 0.00, 0.00 |

# %% exercise="cut_scores" from="common.evaluation.cuts:cut_scores"

# %% check="cut_scores"

# %% [markdown] hints="cut_scores"
# 1. Sort both lists and go through them together, with one finger on each.
# 2. If the two fingers point at numbers close enough, that is a pair: both move on. If not, the smaller number has no
#    partner: its finger moves on.
# 3. `while i < len(found) and j < len(true)`: if `abs(found[i] - true[j]) <= tolerance`, add 1 to `hits`, `i` and `j`.
#    Otherwise add 1 to `i` if `found[i] < true[j]`, else to `j`. Then the three fractions, each with `if ... else 1.0`.

# %% [markdown] troubles="cut_scores"
# - **Recall is above 1.** Three claims near one true cut are one hit. Each true cut can be used once.
# - **Division by zero.** An empty list needs a thought of its own. Silence is not a lie: its precision is 1.
# - **One pair is missed when two cuts are close.** Pair them in order, the earliest with the earliest.

# %% [markdown]
# Put to work, first on the excerpt with its five true cuts.


# %% tags=["demo"] draws="Your rule on an easy film."
def report(found, true):
    print(f"{'':34}{'found':>6}{'precision':>11}{'recall':>8}{'F1':>6}")
    for name, cuts in found.items():
        print(f"{name:34}{len(cuts):6}" + "{:11.2f}{:8.2f}{:6.2f}".format(*cut_scores(cuts, true)))


report({"excerpt, five true cuts": find_cuts(np.concatenate([colour, place], axis=1))}, EXCERPT.cuts)

# %% [markdown]
# ## The result to remember: an obstacle course
#
# Five easy cuts prove little. So here is a film made to be hard, out of bundled shots: a flash of two frames, a fade to
# black and back, a plain title card that fades in, a dissolve of 12 frames, a whip pan, and the fastest shot we have.
# It has eight true cuts. At the last one the new shot is the old one mirrored, with exactly the same colours.

# %% tags=["demo"] draws="Five obstacles. Where would a threshold fire?"
COURSE = cut_course(SIZE)
film = COURSE.frames
looks = {"flash": slice(16, 26), "fade": slice(16, 44, 3), "card": slice(0, 40, 4)}
looks |= {"dissolve": slice(22, 42, 2), "whip pan": slice(12, 32, 2)}
show.strips({name: COURSE.pieces[name][frames] for name, frames in looks.items()}, num_frames=10, width=96)

# %% [markdown]
# The **baseline** is the plain threshold: your own rule with a window of 1, where `within` is 0 and the floor alone
# decides. It gets the best floor there is, found by trying all of them on this very film. Two **negative controls**
# break one idea each. One averages the descriptors over 8 frames, so that no border is sharp. The other counts colours
# in hard bins instead of soft ones.

# %% tags=["demo"] draws="Eight cuts are there. Who finds them, and what else?"
colour, place = (np.concatenate(kind) for kind in zip(*[weigh(film[i : i + 64]) for i in range(0, len(film), 64)]))
both = np.concatenate([colour, place], axis=1)

floor, found = {}, {}
for kind, descriptors in {"colour": colour, "place": place, "both": both}.items():
    floor[kind] = best_floor(find_cuts, descriptors, COURSE.cuts)
    found[f"{kind}, best plain threshold"] = find_cuts(descriptors, window=1, floor=floor[kind])
    found[f"{kind}, your rule"] = find_cuts(descriptors)
found["both, your rule, time blurred"] = find_cuts(blurred_in_time(both))
found["colour in hard bins, your rule"] = find_cuts(hard_histograms(film).reshape(len(film), -1) / 6)
report(found, COURSE.cuts)

# %% tags=["demo"] draws="Distance per frame. A new shot begins where the shade changes."
tracks = {name: found[name] for name in ("both, best plain threshold", "both, your rule")}
draw_course(both, dict(zip(COURSE.pieces, COURSE.starts)), floor["both"], tracks)

# %% tags=["demo"] draws="Above, orange: the best threshold reports a cut. Below, blue: your rule."
hard = [COURSE.part(name, first, 16) for name, first in {"flash": 12, "fade": 20, "dissolve": 24}.items()]
rows = [
    np.concatenate([flagged(*part, cuts, colour) for part in hard], axis=2)
    for cuts, colour in zip(tracks.values(), [(255, 120, 30), (40, 130, 255)])
]
show.player(np.concatenate(rows, axis=1), fps=8, width=320, max_bytes=60_000, caption="Flash, fade and dissolve.")

# %% [markdown]
# **What to see.** The flash is the highest peak of all, and it comes as two: one going in, one coming back. That was
# the prediction: two. The dissolve stays below the best threshold: none there. But the fade and the whip pan reach
# higher than the mirrored shot, so a threshold low enough for that one reports them, cut after cut. No threshold gets
# everything right. Your rule finds all eight and nothing else.
#
# Look at the rows of the table one by one. By colour alone, the mirrored shot cannot be found: its histogram is the
# same. With time blurred, the rule finds nothing, because a cut lives in one step. And hard bins see cuts in the title
# card, each time its blue changes bins.

# %% [markdown] about="split_film" difficulty=2 importance=4 minutes=8
# ## A film in pieces
#
# Each shot becomes a file. Two things may not happen: a frame at a border goes missing or appears twice, and the
# pictures get worse because they were encoded again. The first is a matter of counting. For the second we write
# **FFV1**, a lossless codec.
#
# | step | with |
# |---|---|
# | frames of one shot, a few at a time | `reader.stream(start, stop)`: arrays `(t, H, W, 3)` |
# | times of its frames, from 0.0 | `reader.timestamps[start:stop] - reader.timestamps[start]` |
# | a lossless file | `video.write(path, pictures, fps, codec="ffv1", timestamps=times)` |
#
# `write` takes any iterable of pictures `(H, W, 3)` and keeps one in memory: pass it a generator.

# %% exercise="split_film" from="common.video.cuts:split_film"

# %% check="split_film"

# %% [markdown] hints="split_film"
# 1. Open the film once. For each `(start, stop)` of `shot_ranges(cuts, len(reader))` call `write`.
# 2. `(picture for frames in reader.stream(start, stop) for picture in frames)` is a generator of single pictures.
# 3. `folder = Path(folder)`, `folder.mkdir(parents=True, exist_ok=True)`. In the loop: `target = folder /
#    f"shot_{len(files):03}.mkv"`, then `files.append(write(target, pictures, reader.info.fps, codec="ffv1",
#    timestamps=times))`. Return `files`.

# %% [markdown] troubles="split_film"
# - **The memory fills up on a long shot.** `reader.read(range(start, stop))` holds all of it. Pass a generator.
# - **The frames differ a little from the film's.** H.264 is smaller and no longer the same picture.
# - **A shot begins with minutes of nothing.** Set its times back to zero.

# %% [markdown]
# ## Split, and prove it
#
# The excerpt in six files. Two promises: the files together hold exactly the film's frames, and each frame is the same
# to the last bit. The **baseline** writes H.264 at its usual quality. The **negative control** writes the cuts down as
# seconds with one decimal ("at 2.8 s") and cuts there, as one does in a hurry.

# %% tags=["demo"] draws="Only one row has two zeros."
scratch = tempfile.TemporaryDirectory()
folder = Path(scratch.name)
lossless = folder / "lossless"
film = video.read_frames(EXCERPT.path)
ranges = shot_ranges(EXCERPT.cuts, len(film))
seconds = [round(cut / 24, 1) for cut in (0, *EXCERPT.cuts, len(film))]  # "the cut is at 2.8 s"
first_three = [(folder / f"{a}.mp4", film[a:b]) for a, b in ranges[:3]]
WAYS = {
    "your files": lambda: split_film(EXCERPT.path, EXCERPT.cuts, lossless),
    "H.264, the first three shots": lambda: [video.write(place, shot, fps=24) for place, shot in first_three],
}
ways = {"by tenths of seconds": [film[round(a * 24) : round(b * 24)] for a, b in pairwise(seconds)]}
for name, made in progress_bar(WAYS.items(), desc="writing", unit="way"):
    ways[name] = [video.read_frames(file) for file in made()]
print(f"{'':34}{'frames off':>10} {'largest difference':>18}")
for name, shots in ways.items():
    print(f"{name:34}" + "{:10} {:16}".format(*split_errors(shots, ranges, film)))
sizes = [sum(file.stat().st_size for file in kind) / 1e6 for kind in (lossless.iterdir(), [EXCERPT.path])]
print("your files: {:.1f} MB; the film they came from: {:.1f} MB".format(*sizes))
scratch.cleanup()

# %% [markdown]
# The price of losing nothing is size. That is why pipelines usually write no shots at all. They keep the film and the
# list of `(start, stop)`, and read each shot with `reader.stream(start, stop)`, which gives the same frames.
#
# ## Try it
#
# Any film of yours will do. `source_path("big-buck-bunny")` is the whole film, once fetched.

# %%
FILM, WINDOW, RATIO, FLOOR = EXCERPT.path, 4, 2.5, 0.2

descriptors = np.concatenate(describe(FILM), axis=1)
numbers = find_cuts(descriptors, window=WINDOW, ratio=RATIO, floor=FLOOR)
print(f"{len(descriptors)} frames, {len(numbers)} cuts: {numbers[:12]}")
middles = [(start + stop) // 2 for start, stop in shot_ranges(numbers, len(descriptors))][:12]
show.contact_sheet(video.read_frames(FILM, middles, size=90), labels=[f"frame {i}" for i in middles])

# %% [markdown] tags=["folded"]
# ## Going further
#
# ### The whole film
#
# The same rule on all 14,315 frames of *Big Buck Bunny*, next to PySceneDetect, the tool that most pipelines use. The
# truth, 126 cuts, was labelled by eye. The script is `benchmarks/cuts.py`, and `benchmarks/cuts.md` says what was seen
# at each disagreement.
#
# | | found | false | missed | F1 |
# |---|---|---|---|---|
# | this lab's rule, colour and place | 125 | 1 | 2 | 0.988 |
# | the same by colour alone | 110 | 2 | 18 | 0.915 |
# | the same by place alone | 124 | 1 | 3 | 0.984 |
# | the best plain threshold, chosen on this film | 145 | 22 | 3 | 0.908 |
# | PySceneDetect 0.7, `ContentDetector`, its default | 134 | 12 | 4 | 0.938 |
# | PySceneDetect 0.7, `AdaptiveDetector` | 127 | 4 | 3 | 0.972 |
#
# Ours is wrong three times, in wild movement. PySceneDetect's default takes fades, passing hands and a whip pan for
# cuts. Two descriptions are better than one: place alone misses a cut between two views of the same rabbit, colour
# alone many cuts between shots of one scene.
#
# **An ablation to run.** Films whose frame rate was converted have one *mixed* frame at a cut, half old and half new.
# What does your rule make of that? Work out `between` and `within` on paper, for equal steps. Then run the cell, and
# find the smallest `TRY` (the share of the new shot in the mixed frame) at which the cut is found again.

# %%
TRY = 0.5

old, new = COURSE.pieces["flash"][:20], COURSE.pieces["dissolve"][-20:]
colour, place = weigh(np.concatenate([old, mix(old[-1:], new[:1], TRY), new]))
print(f"cuts with one frame mixed {TRY:.2f}: {find_cuts(np.concatenate([colour, place], axis=1))} (a hard cut: [20])")
print(f"by place alone, where a mixture lies halfway: {find_cuts(place)}")

# %% [markdown]
# **Honest limits.**
#
# - Only hard cuts are found. Where one shot dissolves or fades into the next, two shots come out as one.
# - Shots shorter than the window, four frames, are lost, and a burst of light longer than that looks like a shot.
# - The floor and the ratio were chosen while looking at this film. They are not delicate (the film's F1 stays between
#   0.984 and 0.992 for ratios from 2.2 to 3 at this floor), but another kind of film may want others.
# - 126 cuts of one animated film are not a benchmark. The usual ones hold hundreds of films. Learned detectors such as
#   TransNet V2 lead them, and see gradual transitions too.
#
# **Reading.** *Comparison of video shot boundary detection techniques* (Boreczky and Rowe 1996) compares histograms.
# *TransNet V2* (Souček and Lokoč 2020, arXiv:2008.04838) learns the task. *Panda-70M* (Chen et al. 2024,
# arXiv:2402.19479) and *Stable Video Diffusion* (arXiv:2311.15127) tell what cuts do to training data.

# %% [markdown]
# ## Yours now
#
# All six are parts of the library, and it can run on your versions: in a terminal, in the course's folder, `flipbook
# show holiday.mp4 --cuts --mine` draws a sheet with one frame per shot.
#
# **Next:** lab 01.5 asks what it costs to store clips.
#
# *Film: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0.*
