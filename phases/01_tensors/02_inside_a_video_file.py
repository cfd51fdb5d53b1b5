# %% [markdown]
# # Inside a video file
#
# About 15 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# A tensor of film is enormous, and a file of the same film is not. This notebook opens the file and looks at how that
# is done: what nearly nothing is lost of, what is thrown away on purpose, and which traces it leaves in the pictures
# that a model will learn from.

# %% tags=["setup"]
import tempfile
import time
from pathlib import Path

import av
import matplotlib.pyplot as plt
import numpy as np

from common import show, video
from common.course.explore import explore
from common.data import clip_path, clips

FOLDER = tempfile.TemporaryDirectory()
DISK = Path(FOLDER.name)


def psnr(restored, original):
    """dB, at a peak of 255; see lab 01.5 for the fine print."""
    error = np.mean((restored.astype(np.float64) - original) ** 2)
    return np.inf if error == 0 else 10 * np.log10(255**2 / error)


# %% [markdown]
# ## What a clip costs
#
# Count the numbers: width × height × 3 colours × frames a second × seconds. Then decide how many bytes each of them
# takes. Decoders hand out one byte (`uint8`); models compute in two (`bf16`) or four (`float32`).

# %%
CASES = {
    "256 x 256, 8 fps, 2 s": (256, 256, 8, 2),
    "512 x 512, 24 fps, 5 s": (512, 512, 24, 5),
    "1280 x 720, 24 fps, 5 s": (1280, 720, 24, 5),
    "1920 x 1080, 24 fps, 10 s": (1920, 1080, 24, 10),
    "1920 x 1080, 24 fps, 60 s": (1920, 1080, 24, 60),
}


def num_values(width, height, fps, seconds):
    return width * height * 3 * fps * seconds


print(f"{'one clip':26}{'frames':>7}{'values':>12}{'uint8':>12}{'bf16':>12}{'float32':>12}")
for name, (width, height, fps, seconds) in CASES.items():
    values = num_values(width, height, fps, seconds)
    sizes = "".join(f"{values * size / 1e6:>9,.1f} MB" for size in (1, 2, 4))
    print(f"{name:26}{fps * seconds:7}{values / 1e6:>10,.1f} M{sizes}")

# %% [markdown]
# The guide that this course grew out of prints the same table as 3.1 MB, 94 MB, 333 MB and 1.5 GB and says "all in
# fp32". **Recomputed, those are the bytes of `uint8`** (and 333 is 332); in `float32` each is four times as much. Its
# batch of eight clips of 1080p, "12 GB just for inputs", is 11.9 GB as bytes and 48 GB in `float32`. The mistake is
# worth remembering, because the conversion from bytes to floats is a line of code that no one thinks of as expensive.
#
# Everything multiplies. Drag the height of the picture and watch a batch of eight outgrow the memory of a card.

# %% tags=["demo"] draws="Memory of a batch of eight clips, by the height of the picture."
def batch_memory(height):
    """Gigabytes of a batch of eight 5-second clips at 24 fps, 16:9, before the first layer."""
    values = 8 * num_values(round(height * 16 / 9), height, 24, 5)
    figure, axis = plt.subplots(figsize=(7, 1.7), layout="constrained")
    for place, size in enumerate((1, 2, 4)):
        axis.barh(place, values * size / 1e9, color="#1f6f8b")
        axis.text(values * size / 1e9 + 0.3, place, f"{values * size / 1e9:.1f} GB", va="center", fontsize=9)
    axis.axvline(24, color="#b3541e", linestyle=":")
    axis.text(24.2, -0.4, "a card of 24 GB", color="#b3541e", fontsize=8)
    axis.set(yticks=range(3), yticklabels=["uint8", "bf16", "float32"], xlim=(0, 30), xlabel="GB, eight clips")
    plt.close(figure)
    return figure


explore(batch_memory, height=[256, 512, 720, 1080])

# %% [markdown]
# And memory is the kind part. A convolution's work grows with the number of values; attention compares every value with
# every other, so its work grows with the square.

# %%
print(f"{'doubled':22}{'values':>8}{'convolution':>13}{'attention over the clip':>25}")
for name, values, batch in (("height and width", 4, 1), ("frames", 2, 1), ("batch", 1, 2), ("all three", 8, 2)):
    print(f"{name:22}{values * batch:>7}x{values * batch:>12}x{values**2 * batch:>24}x")

# %% [markdown]
# "Doubling all three is 16 times the compute", says the guide, and for convolutions it is; for attention over the whole
# clip it is 128 times. That is why every model states its `(T, H, W)`, and why nearly all of them work on something
# smaller than pixels (phase 05). Files manage with far less than any line of this table. How?

# %% [markdown]
# ## Temporal redundancy
#
# Neighbouring frames are nearly the same picture. How nearly? Predict each frame by a copy of the one $k$ frames before
# it, and ask what share of the picture's variance is left unexplained.

# %%
SHOTS = {name: video.read_frames(clip_path(name), range(48), size=144) for name in ("glade", "rope_skipping", "leap")}
LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 36)

figure, axis = plt.subplots(figsize=(8.5, 3.6), layout="constrained")
for (name, frames), colour in zip(SHOTS.items(), ("#1f6f8b", "#8a7a2f", "#b3541e")):
    pictures = frames.astype(np.float64)
    left = [np.mean((pictures[lag:] - pictures[:-lag]) ** 2) / pictures.var() for lag in LAGS]
    print(f"{name:14} a copy of the last frame leaves {left[0]:6.1%} of the variance, one a second old {left[8]:6.1%}")
    axis.plot(np.array(LAGS) / 24, left, marker="o", color=colour, label=name)
axis.set(xlabel="age of the frame that is copied (s)", ylabel="variance left over", ylim=(0, None))
axis.set_title("How fast the past goes stale")
axis.legend()
plt.show()

# %% [markdown]
# Above 1, a copy is worse than a flat picture of the mean colour: a second of `leap` is another scene. And look at
# `rope_skipping`: what is half a second old fits better than the last frame, because by then Bunny is back in the air.
#
# To a model this is waste: it reads nearly the same numbers again and again. To a codec it is a gift. The information
# that is *new* can be counted, as entropy: bits a value, if each is stored with the best possible code for its
# histogram.

# %%
def entropy(values):
    """Bits a value, of integers, each coded by itself."""
    counts = np.unique(values, return_counts=True)[1]
    share = counts / counts.sum()
    return -(share * np.log2(share)).sum()


print(f"{'bits a value':14}{'pixels':>9}{'minus left neighbour':>23}{'minus last frame':>19}")
for name, frames in SHOTS.items():
    whole = frames.astype(np.int16)
    across, in_time = np.diff(whole, axis=2), np.diff(whole, axis=0)
    print(f"{name:14}{entropy(whole):9.2f}{entropy(across):23.2f}{entropy(in_time):19.2f}")

two = SHOTS["leap"][20:22]
change = show.difference(two[:1], two[1:], factor=2)
labels = ("a frame of `leap`", "the next one", "what is new in it, twice enlarged")
show.contact_sheet(np.concatenate([two, change.frames]), labels=labels, width=300)

# %% [markdown]
# **What to see.** In the calm shots the last frame is the better prediction, by far; in `leap`, where the camera
# swings, the neighbour beside a pixel tells as much as the same place a moment ago. A codec does better than both
# columns: it looks for where the pixel *came from* (motion vectors, in the [next
# notebook](04_motion_cuts_and_loading.ipynb)).
#
# **A control.** Is it really the order in time that saves the bytes? The same 240 pictures, encoded once as 15 shots of
# 16 frames, and once dealt out in turn, so that no picture resembles the one before it.

# %%
shots = [video.read_frames(clip.path, range(16), size=144) for clip in clips()]
in_order = np.concatenate(shots)  # (240, H, W, 3)
dealt_out = np.stack(shots, axis=1).reshape(in_order.shape)  # frame 0 of each shot, then frame 1 of each, ...
for name, frames in (("shot by shot", in_order), ("dealt out", dealt_out)):
    path = video.write(DISK / "order.mp4", frames, 24)
    size = path.stat().st_size
    print(f"{name:14}{frames.nbytes / 1e6:6.1f} MB raw, {size / 1e3:6.0f} kB as H.264, {frames.nbytes / size:4.0f} x")

# %% [markdown]
# ## Codecs
#
# A codec is the pair of rules for writing and reading such a stream. All of the common ones work alike: cut the picture
# into blocks, predict each from its surroundings or from another frame, transform what is left over, **round it**, and
# pack the rounded numbers. Only the rounding loses anything, and a single knob, here `crf`, says how coarse it is. A
# later codec knows more ways to predict, and pays for them with computing.
#
# | codec | from | at home in | licence |
# |---|---|---|---|
# | H.264 (AVC) | 2003 | nearly everything ever made | patents, most of them close to their end |
# | H.265 (HEVC) | 2013 | phones' cameras, 4K television | patents |
# | VP9 | 2013 | web video | free |
# | AV1 | 2018 | web video, streaming | free |

# %%
CODECS = {
    "H.264": ("libx264", {"crf": "26"}),
    "HEVC": ("libx265", {"crf": "27", "x265-params": "log-level=none"}),
    "VP9": ("libvpx-vp9", {"crf": "40", "b:v": "0", "cpu-used": "4"}),
    "AV1": ("libsvtav1", {"crf": "40", "preset": "5"}),
}
film = video.read_frames(clip_path("wing_dance"), range(48), size=288)  # (48, 288, 512, 3)


def encode(path, frames, encoder, options):
    """Write RGB frames with any encoder, tagged BT.709. (`video.write` does it with more care.)"""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = 1, 1  # BT.709, limited range
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame)
            container.mux(stream.encode(picture.reformat(format="yuv420p", dst_colorspace="ITU709")))
        container.mux(stream.encode())


print(f"raw{film.nbytes / 1e3:13,.0f} kB")
for name, (encoder, options) in CODECS.items():
    path = DISK / f"{name}.mkv"
    begin = time.perf_counter()
    encode(path, film, encoder, options)
    written = time.perf_counter()
    restored = video.read_frames(path)
    read, size = time.perf_counter(), path.stat().st_size
    print(
        f"{name:6}{size / 1e3:10,.0f} kB  {film.nbytes / size:5.0f} x   PSNR {psnr(restored, film):.1f} dB   "
        f"written in {written - begin:.1f} s, read in {read - written:.2f} s"
    )

# %% [markdown]
# At the same quality, within a fifth of a decibel, the later three need fewer bytes, and time to find out how. The
# `crf` had to be chosen for each codec to get there, because the scales differ. (How to compare fairly, over many
# clips, is the work of [lab 01.5](../../labs/01_tensors/05_storage_study.ipynb).)
#
# ### What the damage looks like
#
# Public video is compressed hard, often several times over. Drag `crf` and look closely: lower is better, 18 is called
# visually lossless, 23 is usual, and web sites go far beyond that.

# %%
FRAME = 20


def damage(crf):
    """A detail of one frame: the original, what H.264 makes of it, and the difference, four times enlarged."""
    path = video.write(DISK / "damage.mp4", film[: FRAME + 4], 24, "h264", crf)
    restored = video.read_frames(path, [FRAME])
    size, detail = path.stat().st_size, (slice(None), slice(90, 234), slice(250, 442))
    before, after = film[FRAME : FRAME + 1][detail], restored[detail]
    wrong = show.difference(before, after, factor=4).frames
    labels = ("original", f"{film[: FRAME + 4].nbytes / size:.0f} times smaller", "difference x 4")
    return show.contact_sheet(np.concatenate([before, after, wrong]), labels=labels, width=288)


explore(damage, crf=[18, 28, 38, 46])

# %% tags=["demo"] draws="The same damage as it moves: watch the fur and the flat sky."
heavy = video.write(DISK / "heavy.mp4", film, 24, "h264", 38)
restored = video.read_frames(heavy)
beside = np.concatenate([film[:24:2], restored[:24:2]], axis=2)
show.player(beside, fps=12, width=320, max_bytes=60_000, caption="Left: the film. Right: H.264 at crf 38")

# %% [markdown]
# **What to see.** First the fine texture goes (fur turns into wool), then edges grow halos, then whole blocks become
# flat, and at the end the picture is made of patches. None of that is noise: it has structure, and the same structure
# in every file, so a model learns to draw it. Two traces can be measured.

# %%
def steps_by_column(frames, period=16):
    """Mean brightness step between neighbouring columns, by the column's place in a block of `period` pixels."""
    grey = frames.astype(np.float64).mean(axis=-1)  # (T, H, W)
    steps = np.abs(np.diff(grey, axis=2)).mean(axis=(0, 1))  # (W - 1,); entry x is the step from column x to x + 1
    return np.array([steps[place::period].mean() for place in range(period)])


with av.open(str(heavy)) as container:
    kinds = ["?IPBS"[min(int(frame.pict_type), 4)] for frame in container.decode(video=0)]

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
for name, frames, colour in (("original", film, "0.6"), ("H.264 at crf 38", restored, "#b3541e")):
    steps = steps_by_column(frames)
    left.plot(np.arange(1, 17), steps / steps.mean(), marker="o", color=colour, label=name)
left.set(xlabel="column within a block of 16", ylabel="step to its neighbour / mean", xticks=[4, 8, 12, 16])
left.set_title("The grid shows through")
left.legend(fontsize=9)
quality = [psnr(a, b) for a, b in zip(restored, film)]
right.plot(quality, color="0.8", zorder=0)
for kind, colour in (("I", "#b3541e"), ("P", "#1f6f8b"), ("B", "#8a7a2f")):
    places = [i for i, this in enumerate(kinds) if this == kind]
    right.scatter(places, [quality[i] for i in places], color=colour, s=22, label=f"{kind} frames")
right.set(xlabel="frame", ylabel="PSNR (dB)", ylim=(min(quality) - 0.1, max(quality) + 0.3))
right.set_title("Quality pulses with the kind of frame")
right.legend(fontsize=9, loc="upper center", ncols=3)
plt.show()

# %% [markdown]
# On the left: in the original one column differs from another by a few per cent; after compression the steps gather
# where blocks meet, most of all at the edge of the large blocks of 16. On the right: a keyframe (I) stands by itself
# and is coded well, P frames are predicted from the past, and B frames from both sides with the fewest bits of all. A
# model that is trained on such film learns a faint grid and a faint pulse. So data sets are filtered by bits per pixel,
# **downscaled** (two pixels into one hides most of a grid), and never re-encoded without need.

# %% [markdown]
# ## What you can now say
#
# - A clip's size is a product, in bytes, halves or floats; tables are worth recomputing.
# - Nearly everything in a frame was in the frame before. Codecs live on that, and models will too.
# - H.264, HEVC, VP9 and AV1 predict, transform and *round*. The rounding leaves a grid and a pulse that models learn.
#
# **Next:** the box around the codec, and the colours inside: [Boxes and colours](03_boxes_and_colours.ipynb).
#
# *Film: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0.*
