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
# | `ci` | (16, 360, 640) | 106 frames | 3 | 20 s |
# | `cpu` | (16, 360, 640) | 144 frames | 9 | 45 s |
# | `gpu` | (16, 360, 640) | 431 frames | 9 | 120 s |
#
# A loader that is not installed on your machine is named, with the reason, and left out.

# %% tags=["setup"]
import statistics
import tempfile
import time
from bisect import bisect_right
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import av
import matplotlib.pyplot as plt
import numpy as np

from common import show, video
from common.course import check
from common.data import clip_path
from common.progress import progress_bar
from common.runtime import preset
from common.video import plan
from common.video.peers import PEERS, count_ffmpeg, count_pyav, in_fresh_process, silenced

SHOT, ROUNDS = {"ci": ("butterfly", 3), "cpu": ("burrow", 9), "gpu": ("film_cuts", 9)}[preset()]
NUM_FRAMES = 16
PATH = clip_path(SHOT)
FOLDER = tempfile.TemporaryDirectory()
DISK = Path(FOLDER.name)

# %% [markdown]
# ## Where you are heading
#
# A codec stores most frames as *changes* to others, and only now and then a **keyframe**, whole. To show frame 100, a
# decoder begins at the keyframe before it and works its way up. So the first question is not how fast a loader decodes
# but **how much it decodes for nothing**. Here are 16 random frames of a shot, reached in three ways.

# %% tags=["demo"] draws="Red: asked for. Grey: decoded, darker when decoded several times."
with video.VideoReader(PATH) as reader:
    TOTAL, KEYFRAMES = len(reader), reader.keyframes
RANDOM = np.random.default_rng(1).choice(TOTAL, NUM_FRAMES, replace=False).tolist()


def decode_map(indices, keyframes, make_runs):
    """How often each frame is decoded: from the start, for each index by itself, or by runs."""
    before = [max(k for k in keyframes if k <= i) for i in indices]
    ways = {
        "scan: from the start": [(0, max(indices))],
        "seek: for each frame": list(zip(before, indices)),
        "plan: in runs": [(keyframe, run[-1]) for keyframe, run in make_runs(indices, keyframes)],
    }
    _, axes = plt.subplots(3, 1, figsize=(10, 2.9), sharex=True, layout="constrained")
    for axis, (way, stretches) in zip(axes, ways.items()):
        count = np.zeros(TOTAL, int)
        for start, stop in stretches:
            count[start : stop + 1] += 1
        axis.imshow(count[None], aspect="auto", cmap="Greys", vmin=0, vmax=6, extent=(-0.5, TOTAL - 0.5, 0, 1))
        axis.vlines(indices, 0, 0.45, color="#c8321e", linewidth=2)
        axis.set_yticks([])
        axis.set_title(f"{way}: {count.sum()} frames decoded for {len(indices)}", fontsize=10, loc="left")
    axes[-1].set_xticks(keyframes if len(keyframes) < 12 else keyframes[::3])
    axes[-1].set_xlabel("frame number; the ticks are keyframes")
    plt.show()


decode_map(RANDOM, KEYFRAMES, plan.decode_runs)

# %% [markdown]
# You will build the third way. Then comes the harder half: showing that it is *right*, and timing it so that the result
# can be believed.
#
# **Before you read on, a prediction.** Six loaders read the same 16 frames of the same file. How many of them return
# the same bytes? And with a file that came from a TV recorder? Write down both numbers. The proof below answers.

# %% [markdown] about="decode_runs" difficulty=2 importance=5 minutes=8
# ## The plan: seek, then decode in runs
#
# Let $K$ be the keyframes. To reach frame $i$, decoding starts at
#
# $$ k(i) = \max \{\, k \in K : k \le i \,\}. $$
#
# All wanted frames with the same $k(i)$ form one *run*: start at the keyframe, decode up to the last of them, and pick
# the others up on the way. Between two runs, seek. Then no frame is decoded twice, and none behind the last wanted one
# of its run.
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
# 3. Check the arguments and raise `ValueError`. Then go through the sorted frames: if the last run in your list has
#    another keyframe than this frame, append `(keyframe, [])`. In any case append the frame to the list of the last
#    run.

# %% [markdown] troubles="decode_runs"
# - **A run starts behind its frame.** You take the *nearest* keyframe. No decoder runs backwards.
# - **A keyframe that is asked for lands in the run before.** It belongs to its own run: `bisect_right`, not
#   `bisect_left`.
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


# %% exercise="decoded_per_asked"
def decoded_per_asked(indices, keyframes, how):
    """What a way of reading costs: frames decoded per frame asked for.

    There are three ways:

        "scan"  decode from frame 0 up to the latest wanted frame, once, and pick the wanted ones on the way;
        "seek"  for each index as it comes, repeats too: go to its keyframe and decode up to it;
        "plan"  for each run of `decode_runs`: go to its keyframe and decode up to the last frame of the run.

    Args:
        indices: a list of wanted frame numbers, at least one, in any order; each entry counts as one frame asked for,
            also where it repeats another.
        keyframes: numbers of the frames at which decoding can start, rising, the first one 0.
        how: "scan", "seek" or "plan".

    Returns:
        Frames decoded, wanted ones included, divided by frames asked for: one number.

    Raises:
        ValueError: there are no indices, or `how` is none of the three (the message names it).
    """
    ### BEGIN SOLUTION
    if len(indices) == 0:
        raise ValueError("there are no indices: ask for at least one frame")
    if how == "scan":
        num_decoded = max(indices) + 1
    elif how == "seek":
        num_decoded = sum(i - keyframes[bisect_right(keyframes, i) - 1] + 1 for i in indices)
    elif how == "plan":
        num_decoded = sum(run[-1] - keyframe + 1 for keyframe, run in decode_runs(indices, keyframes))
    else:
        raise ValueError(f'how must be "scan", "seek" or "plan", got {how!r}')
    return num_decoded / len(indices)
    ### END SOLUTION


# %% check="decoded_per_asked"

# %% [markdown] hints="decoded_per_asked"
# 1. How many frames are there from keyframe $k$ to frame $i$, both included? All three ways are sums of that.
# 2. `decode_runs(indices, keyframes)` has done the work for "plan". For "seek" use it too, on one index at a time:
#    `decode_runs([i], keyframes)` has one run.
# 3. scan: `max(indices) + 1`. seek: the sum of `i - k + 1` over the indices. plan: the sum of `run[-1] - keyframe + 1`
#    over the runs. Divide by `len(indices)`. Raise `ValueError` for an empty list and for any other `how`.

# %% [markdown] troubles="decoded_per_asked"
# - **My numbers are a little too small.** From frame 48 to frame 50 are *three* frames.
# - **With a repeated frame they are too large.** A frame asked for twice counts twice: divide by the length of the
#   list.
# - **My scan is too expensive.** It stops at the last wanted frame and does not decode the rest of the film.

# %% tags=["demo"] draws="A keyframe every 24 frames. When does planning pay?"
GAP, LENGTH = 24, 144

draw, grid = np.random.default_rng(0), list(range(0, LENGTH, GAP))
counts = np.arange(1, LENGTH + 1, 4).tolist()
samples = {n: [draw.choice(LENGTH, n, replace=False).tolist() for _ in range(20)] for n in counts}
figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
for how, colour in (("scan", "0.55"), ("seek", "#b3541e"), ("plan", "#1f6f8b")):
    decoded = [np.mean([decoded_per_asked(wanted, grid, how) * n for wanted in samples[n]]) for n in counts]
    axis.plot(counts, decoded, color=colour, label=how)
axis.axhline(LENGTH, color="0.8", linewidth=1)
axis.set(xlabel="random frames asked for", ylabel="frames decoded", ylim=(0, 2.5 * LENGTH))
axis.legend()
plt.show()

# %% [markdown]
# ## A film in hand
#
# To carry out the plan you get a `Film`: a file opened with PyAV, with just the moves that you need. There is nothing
# to write here, but do read it. This is how a decoder is driven.


# %% tags=["setup"]
class Film:
    """A video file, one step at a time: go to a keyframe, decode the next frame, turn it into RGB.

    Attributes:
        keyframes: numbers of the frames at which decoding can start, rising, the first one 0.
        num_frames: how many frames there are.
        num_decoded: how many the decoder has put out so far.
    """

    def __init__(self, path):
        with video.VideoReader(path) as reader:
            self.keyframes, self.num_frames, times = reader.keyframes, len(reader), reader.timestamps
        self.path, self.num_decoded = path, 0
        self._open()
        self.pts = (times / float(self.stream.time_base)).round().astype(int) + (self.stream.start_time or 0)
        self.number_of = {int(pts): number for number, pts in enumerate(self.pts)}

    def seek(self, keyframe):
        """Make this keyframe the next frame to come out of `next_frame`."""
        if keyframe not in self.keyframes:
            raise ValueError(f"frame {keyframe} is no keyframe, and decoding can start at {self.keyframes}")
        self.container.seek(int(self.pts[keyframe]), stream=self.stream)
        if not self._arrives_at(keyframe):  # a container without a table of frames is searched by bytes, and missed
            self.container.close()
            self._open()
            self._arrives_at(keyframe)

    def next_frame(self):
        """Decode one frame: (number, frame). The frame is still as the file stores it: `to_rgb` gives its picture."""
        frame = next(self.frames)
        return self.number_of[frame.pts], frame

    def to_rgb(self, frame):
        """The picture of a decoded frame: uint8 (H, W, 3). This costs about as much as decoding it did."""
        return frame.to_ndarray(format="rgb24")

    def close(self):
        self.container.close()

    def _open(self):
        self.container = av.open(str(self.path))
        self.stream = self.container.streams.video[0]
        self.stream.thread_type = "AUTO"
        self.frames = self._decode()

    def _decode(self):
        for frame in self.container.decode(self.stream):
            self.num_decoded += 1
            yield frame

    def _arrives_at(self, keyframe):
        """Decode up to a keyframe and hold it ready; False if it does not come, or another behind it comes first."""
        self.frames = self._decode()
        for frame in self.frames:
            number = self.number_of.get(frame.pts, -1)
            if number >= keyframe:
                self.frames = chain([frame], self.frames)
                return number == keyframe
        return False


# %% [markdown] about="read_planned" difficulty=3 importance=5 minutes=12
# ## The sampler
#
# Now carry the plan out. A `Film` has three moves:
#
# | move | what it does |
# |---|---|
# | `film.seek(keyframe)` | makes this keyframe the next frame to come out |
# | `film.next_frame()` | decodes one frame: `(number, frame)`, still as the file stores it |
# | `film.to_rgb(frame)` | its picture, `uint8 (H, W, 3)`, which costs about as much as decoding |
#
# | quantity | shape |
# |---|---|
# | `indices` | N numbers, any order, repeats allowed |
# | result | `uint8 (N, H, W, 3)`, picture n is frame `indices[n]` |


# %% exercise="read_planned"
def read_planned(film, indices):
    """Reads frames of a film by number, by the runs of `decode_runs`: no frame is decoded twice.

    Uses `film.keyframes`, `film.seek`, `film.next_frame` and `film.to_rgb`. Seeks at most once for each run, to
    its keyframe; decodes no frame after the last wanted one of a run; turns each wanted frame into RGB once, and no
    other.

    Args:
        film: an open `Film`, at any position. It stays open.
        indices: a list of frame numbers, at least one, in any order; repeats are allowed. All lie in the film.

    Returns:
        uint8 (N, H, W, 3): picture n is frame `indices[n]`.
    """
    ### BEGIN SOLUTION
    pictures = {}
    for keyframe, run in decode_runs(indices, film.keyframes):
        film.seek(keyframe)
        wanted, number = set(run), -1
        while number < run[-1]:
            number, frame = film.next_frame()
            if number in wanted:
                pictures[number] = film.to_rgb(frame)
    return np.stack([pictures[i] for i in indices])
    ### END SOLUTION


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

# %% tags=["demo"] draws="Your sampler at work: 16 random frames, in the order asked for."
mine = Film(PATH)
pictures = read_planned(mine, RANDOM)
print(f"{mine.num_decoded} frames decoded for {len(RANDOM)}")
mine.close()
show.contact_sheet(pictures, columns=8, width=96, labels=[f"frame {i}" for i in RANDOM])

# %% [markdown] about="compare_frames" difficulty=3 importance=5 minutes=12
# ## The proof
#
# A loader that returns other frames is not faster, it is wrong. So before any stopwatch, compare what came with the
# **whole film, decoded from its first frame to its last**. These are two different questions:
#
# 1. **Which frames are these?** A loader may return the right frame in other colours, so we ask by likeness. The
#    correlation of two grey pictures does not depend on brightness and contrast. With $a$ and $b$ the grey values minus
#    their means,
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


# %% tags=["setup"]
class Proof(NamedTuple):
    """Which frames came, by number, and by how much they differ from those asked for, in levels of 255."""

    numbers: list
    max_error: int


# %% exercise="compare_frames"
def compare_frames(frames, film, indices, step=4):
    """Compares what a loader returned with the whole film: which frames are they, and are they the same to the bit?

    The likeness of two pictures is the correlation of their grey values: the mean of the three channels, on every
    `step`-th row and column (from the first on), minus its mean over the picture, scaled to length 1. A picture without
    contrast has likeness 0 with every other. The arrays may have any memory layout; none of them is changed.

    Args:
        frames: uint8 (N, H, W, 3), what came.
        film: uint8 (M, H, W, 3), every frame of the film in order.
        indices: a list of N numbers from 0 to M - 1, what was asked for.
        step: distance of the rows and columns to look at for the likeness, to save time.

    Returns:
        `Proof(numbers, max_error)`.
        `numbers`: a list; for each frame that came, the number of the film's frame that is most like it. Where the one
        asked for is as like as the best, give or take a millionth, it counts as the one that came.
        `max_error`: an int from 0 to 255; the largest difference, up or down, of any byte of `frames` to the same byte
        of the frames asked for. Here every row and column counts.

    Raises:
        ValueError: `frames` and `film` have pictures of different shapes, or there are not as many indices as frames.
    """
    ### BEGIN SOLUTION
    if frames.shape[1:] != film.shape[1:]:
        raise ValueError(f"pictures of one shape are needed, got {frames.shape[1:]} and {film.shape[1:]}")
    if len(indices) != len(frames):
        raise ValueError(f"{len(indices)} frames were asked for, and {len(frames)} came")
    asked = np.asarray(indices)  # (N,)
    units = []
    for pictures in (frames, film):
        grey = pictures[:, ::step, ::step].mean(axis=-1).reshape(len(pictures), -1)  # (T, pixels)
        grey = grey - grey.mean(axis=1, keepdims=True)
        units.append(grey / np.maximum(np.linalg.norm(grey, axis=1, keepdims=True), 1e-6))
    likeness = units[0] @ units[1].T  # (N, M)
    own = likeness[np.arange(len(asked)), asked]  # (N,)
    numbers = np.where(own >= likeness.max(axis=1) - 1e-6, asked, likeness.argmax(axis=1))
    difference = np.abs(frames.astype(np.int16) - film[asked])  # (N, H, W, 3)
    return Proof(numbers.tolist(), int(difference.max()))
    ### END SOLUTION


# %% check="compare_frames"

# %% [markdown] hints="compare_frames"
# 1. Make each picture a row of numbers with mean 0 and length 1. Then all likenesses at once are one matrix product.
# 2. `grey = pictures[:, ::step, ::step].mean(axis=-1).reshape(len(pictures), -1)`. Subtract `grey.mean(axis=1,
#    keepdims=True)`, divide by `np.linalg.norm(grey, axis=1, keepdims=True)`, but never by zero (`np.maximum(...,
#    1e-6)`).
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
# There are three films. One is ours as it is. One went through a recorder that drops frames in which little changes, so
# its frame rate varies. One is as a TV recorder stores it, in a transport stream (`.ts`), which has no table of frames
# and begins in the middle of things.

# %% tags=["demo"] draws="Who returns the right frames, of which file?"
TASKS = {
    "first 16": list(range(NUM_FRAMES)),
    "16 random": RANDOM,
    "16 even": video.even_indices(TOTAL, NUM_FRAMES),
    "every frame": list(range(TOTAL)),
}
SHORT = list(TASKS)[:3]


def read_mine(path, indices):
    """Your sampler, behind the same signature as the others."""
    film = Film(path)
    try:
        return read_planned(film, indices)
    finally:
        film.close()


LOADERS = {"yours": read_mine, "flipbook": video.read_frames}
LOADERS |= {name: peer.read for name, peer in PEERS.items() if not peer.absence}


def drop_frames(source, path):
    """A recording with a varying rate: a frame is kept when 2 % of the range has changed since the last one kept."""
    with video.VideoReader(source) as reader:
        frames, times = reader.read(range(len(reader)), size=240), reader.timestamps
    kept = [0]
    for i in range(1, len(frames)):
        if np.abs(frames[i].astype(np.int16) - frames[kept[-1]]).mean() > 0.02 * 255:
            kept.append(i)
    return video.write(path, frames[kept], fps=24, timestamps=times[kept])


def as_television(source, path):
    """The packets as they are, from the second keyframe on, in a transport stream: nothing is decoded or coded."""
    with av.open(str(source)) as film, av.open(str(path), "w") as copy:
        stream = copy.add_stream_from_template(film.streams.video[0])
        num_keyframes = 0
        for packet in film.demux(film.streams.video[0]):
            num_keyframes += packet.is_keyframe
            if num_keyframes >= 2 and packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    return path


FILES = {
    "the film, MP4": PATH,
    "dropped frames, MP4": drop_frames(PATH, DISK / "dropped.mp4"),
    "TV recorder, TS": as_television(PATH, DISK / "television.ts"),
}


def decode_everything(path):
    """Every frame of a file, in order, by nothing but a decoder that starts at the beginning."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


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
        indices = [*TASKS["first 16"], *TASKS["16 random"], *TASKS["16 even"]]
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
def count_mine(path, indices):
    film = Film(path)
    read_planned(film, indices)
    film.close()
    return film.num_decoded


def count_flipbook(path, indices):
    with video.VideoReader(path) as reader:
        reader.read(indices)
        return reader.num_decoded


COUNTERS = {"yours": count_mine, "flipbook": count_flipbook, "PyAV": lambda *args: count_pyav(*args)[1]}
if "ffmpeg pipe" in LOADERS:
    COUNTERS["ffmpeg pipe"] = lambda *args: count_ffmpeg(*args)[1]
print(f"{'decoded per frame asked for':30}" + "".join(f"{task:>12}" for task in SHORT))
for how in ("scan", "seek", "plan"):
    bills = [decoded_per_asked(TASKS[task], KEYFRAMES, how) for task in SHORT]
    print(f"  {'by the rule, ' + how:28}" + "".join(f"{bill:>12.1f}" for bill in bills))
for name, count in COUNTERS.items():
    counted = [count(PATH, TASKS[task]) / len(TASKS[task]) for task in SHORT]
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
#
# The clock is an argument, so the harness can be tested on a machine that exists on paper only.


# %% tags=["setup"]
class Timing(NamedTuple):
    """How long one call took, over all rounds, in seconds."""

    median: float
    fastest: float
    slowest: float


# %% exercise="time_fairly"
def time_fairly(tasks, rounds=5, clock=time.perf_counter):
    """Times several tasks side by side, so that none has an advantage.

    First each task is called once, in their order, and not timed. Then come the rounds: in each, every task is timed
    once. Round r (0, 1, ...) begins with task number r, counted from 0 and around again after the last, and goes on in
    their order, around to the one before it: with three tasks A B C, then B C A, C A B, A B C, ...

    Args:
        tasks: dictionary, name -> function of no arguments; at least one. What it returns is dropped.
        rounds: how often each is timed, at least 1.
        clock: tells the time in seconds. Read once right before and once right after each timed call, and at no other
            moment.

    Returns:
        Dictionary, name -> `Timing(median, fastest, slowest)` of its `rounds` times, in the order of `tasks`. Of an
        even number of times the median is the mean of the two in the middle.

    Raises:
        ValueError: there are no tasks, or `rounds` is below 1 (the message names it). Then no task is called.
    """
    ### BEGIN SOLUTION
    if not tasks:
        raise ValueError("there are no tasks to time")
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}")
    names = list(tasks)
    seconds = {name: [] for name in names}
    for name in names:
        tasks[name]()
    for first in range(rounds):
        for step in range(len(names)):
            name = names[(first + step) % len(names)]
            begin = clock()
            tasks[name]()
            seconds[name].append(clock() - begin)
    return {name: Timing(statistics.median(taken), min(taken), max(taken)) for name, taken in seconds.items()}
    ### END SOLUTION


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
# stopwatch's invention. This machine exists on paper. The task takes 0.10 s, and the very first call 0.25 s longer
# (cold). From 1.0 s to 3.0 s a neighbour makes everything half as slow again, and at 4.0 s something stops the world
# for 1.2 s. Three stopwatches look at it.


# %% tags=["demo"] draws="Four names, one task. Only a fair stopwatch sees no winner."
class PaperMachine:
    """A machine whose every second is known: cold at first, slow for a while, one hiccup."""

    def __init__(self):
        self.now, self.is_cold, self.hiccup = 0.0, True, 4.0

    def clock(self):
        return self.now

    def work(self):
        seconds = 0.15 if 1.0 <= self.now < 3.0 else 0.10
        if self.is_cold:
            seconds, self.is_cold = seconds + 0.25, False
        if self.now < self.hiccup <= self.now + seconds:
            seconds += 1.2
        self.now += seconds


def first_come(tasks, rounds, clock):
    """The biased stopwatch: each once, as they come, the first one cold."""
    return {name: Timing(*[taken] * 3) for name, [taken] in ((n, seconds_of(t, 1, clock)) for n, t in tasks.items())}


def one_by_one(tasks, rounds, clock):
    """The other biased stopwatch: all rounds of one, then all of the next; the mean."""
    taken = {name: seconds_of(task, rounds, clock) for name, task in tasks.items()}
    return {name: Timing(statistics.mean(s), min(s), max(s)) for name, s in taken.items()}


def seconds_of(task, rounds, clock):
    taken = []
    for _ in range(rounds):
        begin = clock()
        task()
        taken.append(clock() - begin)
    return taken


print(f"{'the same task, four times':32}{'A':>8}{'B':>8}{'C':>8}{'D':>8}   'winner' by")
for label, stopwatch in (("once, as they come", first_come), ("one by one, mean", one_by_one), ("yours", time_fairly)):
    machine = PaperMachine()
    timed = stopwatch(dict.fromkeys("ABCD", machine.work), 11, machine.clock)
    medians = [timed[name].median for name in "ABCD"]
    print(f"{label:32}" + "".join(f"{m:>8.3f}" for m in medians) + f"{max(medians) / min(medians):>10.2f} x")

# %% [markdown]
# Twofold and more, out of nothing.
#
# ## The result to remember: the race
#
# Only loaders that returned the right frames of this file, to the bit, are timed, by *your* stopwatch. Opening the file
# is part of it.

# %% tags=["demo"] draws="A progress bar: four tasks, every loader."
in_the_race = {}
for name, read in LOADERS.items():
    if verdicts["the film, MP4"][name].endswith("identical"):
        in_the_race[name] = read
    else:
        print(f"{name} did not return the frames it was asked for, and is not timed")

results = {}
for task, indices in progress_bar(TASKS.items(), desc="racing", unit="task"):
    calls = {name: (lambda read=read, indices=indices: read(PATH, indices)) for name, read in in_the_race.items()}
    if task == "every frame":  # a seek for every single frame takes its time, and the answer is known
        calls.pop("PyAV", None)
    results[task] = time_fairly(calls, ROUNDS if len(indices) < TOTAL else max(1, ROUNDS // 2))

# %% tags=["demo"] draws="Orange is yours. Shorter is faster."
figure, axes = plt.subplots(1, 4, figsize=(11, 3.2), sharey=True, layout="constrained")
order = list(in_the_race)[::-1]
for axis, (task, timings) in zip(axes, results.items()):
    for row, name in enumerate(order):
        colour = "#b3541e" if name == "yours" else "#1f6f8b"
        if name not in timings:
            axis.text(0, row, " not run", va="center", color="0.5", fontsize=9)
            continue
        low, middle, high = timings[name].fastest, timings[name].median, timings[name].slowest
        axis.barh(row, middle * 1e3, color=colour, height=0.6)
        axis.plot([low * 1e3, high * 1e3], [row, row], color="0.2", linewidth=1)
        rate = len(TASKS[task]) / middle
        axis.text(high * 1e3, row, f"  {rate:,.0f}/s", va="center", fontsize=8)
    axis.set_title(task, fontsize=10)
    axis.set_xlabel("ms per clip, median")
    axis.set_xlim(0, 1.35e3 * max(timing.slowest for timing in timings.values()))
axes[0].set_yticks(range(len(order)), order)
figure.suptitle("Bar: median. Line: fastest to slowest. Number: frames per second", fontsize=10)
plt.show()

# %% tags=["demo"] draws="One loader under two names, on your machine."
first, second = in_fresh_process(PATH, 16)
twins = time_fairly({name: (lambda: video.read_frames(PATH, range(16))) for name in "AB"}, 2 * ROUNDS + 1)
print(f"once, as they come: A {1e3 * first:.0f} ms, B {1e3 * second:.0f} ms, the 'winner' by {first / second:.2f} x")
medians = sorted(timing.median for timing in twins.values())
a, b = (1e3 * twins[name].median for name in "AB")
print(f"yours:              A {a:.0f} ms, B {b:.0f} ms, the 'winner' by {medians[1] / medians[0]:.2f} x")

# %% [markdown]
# What remains in the last line is the smallest difference that this stopwatch can see here. Smaller ones in the plot
# mean nothing. The biased stopwatch met a loader that had just been started, in a process of its own, as in a script
# that times each loader once.
#
# ## Try it
#
# Three knobs: a film of yours, how many frames, and in which order.

# %%
CLIP, NUM, PICK = clip_path("film_cuts"), 16, "even"  # "even", "random", "first"

with video.VideoReader(CLIP) as reader:
    total, keyframes = len(reader), reader.keyframes
picks = {
    "even": video.even_indices(total, NUM),
    "random": np.random.default_rng(0).choice(total, NUM, replace=False).tolist(),
    "first": list(range(NUM)),
}
for how in ("scan", "seek", "plan"):
    print(f"{how}: {decoded_per_asked(picks[PICK], keyframes, how):6.1f} frames decoded per frame asked for")
racers = {name: (lambda read=read: read(CLIP, picks[PICK])) for name, read in LOADERS.items() if name != "PyAV"}
for name, timing in sorted(time_fairly(racers, max(1, ROUNDS // 3)).items(), key=lambda row: row[1].median):
    print(f"{name:12} {1e3 * timing.median:6.0f} ms")

# %% [markdown] tags=["folded"]
# ## Going further
#
# ### The same frame in other colours
#
# A file stores brightness and two colour differences. To get RGB back a decoder must know by which **matrix** (BT.601
# for standard definition, BT.709 for high) and **range** (16 to 235, or 0 to 255) they were made. Mostly the file says
# so. What if it does not? Twelve known colours, in films of 720 lines.

# %% tags=["demo"] draws="The worst error of each loader, in levels of 255."
COLOURS = np.array(
    [
        [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)],
        [(255, 255, 0), (0, 255, 255), (255, 0, 255), (0, 0, 0)],
        [(200, 120, 60), (60, 120, 200), (30, 90, 30), (128, 128, 128)],
    ],
    np.uint8,
)
MATRIX = {"BT.601": 5, "BT.709": 1}  # as ITU-T H.273 numbers them
LIMITED, FULL = 1, 2


def colour_film(path, matrix, color_range, is_tagged):
    """Six frames of the twelve colours, 720 lines, made with this matrix and range; the file says so or not."""
    picture = COLOURS.repeat(240, axis=0).repeat(64, axis=1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": "1", "preset": "ultrafast"})
        stream.height, stream.width, stream.pix_fmt = *picture.shape[:2], "yuv420p"
        if is_tagged:
            stream.codec_context.colorspace, stream.codec_context.color_range = MATRIX[matrix], color_range
        for i in range(6):
            spaces = {"src_colorspace": MATRIX[matrix], "dst_colorspace": MATRIX[matrix]}
            ranges = {"src_color_range": FULL, "dst_color_range": color_range}
            frame = av.VideoFrame.from_ndarray(picture).reformat(format="yuv420p", **spaces, **ranges)
            frame.pts, frame.time_base = i, Fraction(1, 24)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def colours_seen(read, path):
    """What a loader makes of the twelve colours: float (3, 4, 3), the mean over the middle of each patch."""
    [picture] = read(path, [3])
    return picture.reshape(3, 240, 4, 64, 3)[:, 60:180, :, 16:48].mean(axis=(1, 3))


CASES = {
    "709, said": ("BT.709", LIMITED, True),
    "601, said": ("BT.601", LIMITED, True),
    "709, unsaid": ("BT.709", LIMITED, False),
    "601, unsaid": ("BT.601", LIMITED, False),
    "709 full, said": ("BT.709", FULL, True),
    "709 full, unsaid": ("BT.709", FULL, False),
}
seen = {}
for case, arguments in CASES.items():
    path = colour_film(DISK / "colours.mp4", *arguments)
    with silenced():
        seen[case] = {name: colours_seen(read, path) for name, read in LOADERS.items()}
print(f"{'':12}" + "".join(f"{case:>18}" for case in CASES))
for name in LOADERS:
    errors = [np.abs(seen[case][name] - COLOURS).max() for case in CASES]
    print(f"{name:12}" + "".join(f"{error:>18.0f}" for error in errors))

# %% [markdown]
# **What to see.** Where the file says how it was made, all are within the two or three levels that rounding takes.
# Where it does not, a loader has to guess, and the guesses differ. FFmpeg's own is always BT.601, and every loader
# built on it inherits that. `flipbook` goes by the height, as TV sets do: up to 576 lines BT.601, above BT.709. That is
# right for nearly all film of 720 lines, and wrong for the fourth column: no rule can be right for both. No loader
# notices a full range that is kept secret. So "identical frames" means: identical, given the same tags. When you mix
# loaders between training and evaluation, check the tags first.
#
# **An ablation to run.** When does planning stop paying? In the plot below your second exercise, at how many random
# frames out of 144 does the plan decode half the film? Open that cell, and try `GAP = 6` and `GAP = 72`.
#
# **Honest limits.**
#
# - The film is small, and in the memory of the machine. From a slow disk or network, opening and seeking weigh more
#   than decoding, and a scan, which reads in order, looks better than here.
# - Two or three cores, no GPU. torchcodec and decord can decode on one, and with a hundred streams at a time that
#   decides.
# - torchcodec in its default setting reads all packets when it opens a file. `seek_mode="approximate"` skips that,
#   which is faster for long files and right for those with a steady rate.
# - Your sampler is one thread that plans. `common.video.VideoReader` adds what a real one needs: files that begin in
#   the middle, damaged and rotated ones, frames that can be left out, and a second decoder where the parts are far
#   apart.
# - On the whole film at 1280 x 720, where keyframes are up to 250 frames apart, the race is `benchmarks/decode.py`. It
#   needs the film (`flipbook data fetch big-buck-bunny`).
#
# **Reading.** *ITU-T H.264*, clause 3, says what an IDR picture is, a place to start. *ITU-T H.273* numbers matrices
# and ranges. *Rigorous Benchmarking in Reasonable Time* (Kalibera and Jones, ISMM 2013) says how many rounds are
# enough.

# %% [markdown]
# ## Yours now
#
# `decode_runs` is the plan by which the library's reader reads. With `--mine`, every frame is fetched by yours:
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
