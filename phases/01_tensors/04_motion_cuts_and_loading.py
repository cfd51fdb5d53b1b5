# %% [markdown]
# # Motion, cuts and the price of loading
#
# About 15 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# What a video has and a pile of pictures has not: things move, and now and then everything changes at once. Both can be
# measured, and the codec has measured both already. Then the bill: what it costs to get frames out of a file fast
# enough to keep a model busy.

# %% tags=["setup"]
import tempfile
import time
from pathlib import Path

import av
import matplotlib.pyplot as plt
import numpy as np
import torch

from common import show, video
from common.course.explore import explore
from common.data import clip_path, find_clip
from common.flow import lucas_kanade
from common.show.flow_wheel import flow_to_color
from common.video import frames_to_clip

FOLDER = tempfile.TemporaryDirectory()
DISK = Path(FOLDER.name)


def encode(path, frames, **options):
    """H.264 with any of x264's options, tagged BT.709."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={name: str(value) for name, value in options.items()})
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = 1, 1  # BT.709, limited range
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame)
            container.mux(stream.encode(picture.reformat(format="yuv420p", dst_colorspace="ITU709")))
        container.mux(stream.encode())
    return path


# %% [markdown]
# ## Motion as a signal
#
# A codec predicts each block of a frame from some place in another frame, and writes down *which* place: a **motion
# vector**. They are in the file, paid for already, and a decoder will hand them out. Here a shot is encoded so that
# every block looks exactly one frame back (no B frames, one reference), and PyAV is asked for its side data.

# %%
def motion_vectors(path):
    """For each frame: its picture (H, W, 3), and the codec's vectors, a structured array, or None for a keyframe."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"flags2": "+export_mvs"}
        for frame in container.decode(stream):
            vectors = frame.side_data.get("MOTION_VECTORS")
            yield frame.to_ndarray(format="rgb24"), None if vectors is None else vectors.to_ndarray()


def field(vectors, height, width):
    """Blocks to pixels: (2, H, W), how far the content moved since the frame before; nan where no vector is."""
    flow = np.full((2, height, width), np.nan, np.float32)
    for block in vectors:
        top, left = block["dst_y"] - block["h"] // 2, block["dst_x"] - block["w"] // 2
        rows, columns = slice(max(top, 0), top + block["h"]), slice(max(left, 0), left + block["w"])
        # the block came from dst + motion / scale, so it has moved by the opposite
        moved = -np.array([block["motion_x"], block["motion_y"]]) / block["motion_scale"]
        flow[:, rows, columns] = moved[:, None, None]
    return flow


shot = video.read_frames(clip_path("canopy_flight"), range(24), size=288)
one_back = encode(DISK / "one_back.mp4", shot, crf=18, bf=0, refs=1)
picture, vectors = list(motion_vectors(one_back))[12]
print(f"{len(vectors)} vectors in this frame; the first three:")
for block in vectors[:3]:
    dx, dy = (block[axis] / block["motion_scale"] for axis in ("motion_x", "motion_y"))
    size = f"{block['w']:>2} x {block['h']:<2}"
    print(f"  block of {size} around ({block['dst_x']}, {block['dst_y']}): comes from {dx:+.2f}, {dy:+.2f} pixels away")

# %% [markdown]
# **Optical flow** asks the same question for every pixel and with another aim: not "which place saves bytes?" but
# "where did this come from?". Lab 01.3 builds it; here its Lucas–Kanade runs beside the codec. Hue is the direction of
# motion, strength its length; grey are blocks that the codec coded afresh, without a vector. Pick a shot.

# %% tags=["demo"] draws="One shot as it moves; the vectors above belong to its middle."
show.player(shot[::2], fps=12, width=256, max_bytes=50_000, caption="canopy_flight: the bushes rush past underneath")

# %%
MOMENT = 12  # the frame to look at


def codec_and_flow(shot):
    """A frame, the codec's motion vectors as colours, and optical flow as colours, all on one scale."""
    frames = video.read_frames(clip_path(shot), range(MOMENT + 1), size=288)
    path = encode(DISK / "vectors.mp4", frames, crf=18, bf=0, refs=1)
    _, vectors = list(motion_vectors(path))[MOMENT]
    by_codec = field(vectors, *frames.shape[1:3])
    before, after = frames_to_clip(frames[-2:]).unbind(dim=1)  # (C, H, W) each
    by_flow = -lucas_kanade(after[None], before[None])[0]  # (2, H, W): from here back to where it was, reversed
    known = ~np.isnan(by_codec[0])
    longest = float(np.quantile(by_flow.norm(dim=0), 0.98))
    painted = flow_to_color(torch.from_numpy(np.nan_to_num(by_codec)), max_flow=longest)
    painted[~known] = 128
    moving = known & (by_flow.norm(dim=0).numpy() > 1)
    apart = np.median(np.hypot(*(by_codec - by_flow.numpy())[:, moving]))
    typical = by_flow.norm(dim=0).numpy()[moving]
    labels = ("the frame", f"vectors for {known.mean():.0%} of the pixels",
              f"optical flow; {apart:.1f} px apart, of {np.median(typical):.1f}")  # fmt: skip
    pictures = np.stack([frames[-1], painted, flow_to_color(by_flow, max_flow=longest)])
    return show.contact_sheet(pictures, labels=labels, width=320)


explore(codec_and_flow, shot=["canopy_flight", "rope_skipping", "wing_dance"])

# %% [markdown]
# **What to see.** The two agree about what moves and where to, block by block against pixel by pixel; "apart" is the
# median distance between them, over what moves at all, beside the median length of that motion. They part in two
# places: where there is nothing to see (sky, shadow) any vector saves as many bytes as any other, and where something
# turns or comes into view the codec gives up and codes the block afresh. Codec vectors are *cheap and rough*; they
# serve to filter data sets for motion, where millions of clips rule out anything slower.

# %%
def seconds(run):
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def decode_only(path):
    with av.open(str(path)) as container:
        for _ in container.decode(video=0):
            pass


def vectors_only(path):
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.options = {"flags2": "+export_mvs"}
        for frame in container.decode(video=0):
            frame.side_data.get("MOTION_VECTORS")


pair = frames_to_clip(shot[12:14])
decode_only(one_back)  # the first call loads what later ones find ready
print(f"decode a frame              {seconds(lambda: decode_only(one_back)) / len(shot) * 1000:7.2f} ms")
print(f"decode it, with vectors     {seconds(lambda: vectors_only(one_back)) / len(shot) * 1000:7.2f} ms")
print(f"optical flow of one pair    {seconds(lambda: lucas_kanade(pair[None, :, 1], pair[None, :, 0])) * 1000:7.2f} ms")

# %% [markdown]
# ### Cuts
#
# At a cut the past explains nothing at all. The simplest detectors measure how much changes from frame to frame, in the
# pixels or in their histogram. The encoder has an opinion too: it puts a keyframe where prediction fails. Here is the
# bundled excerpt with its five true cuts.

# %%
excerpt = find_clip("film_cuts")
frames = video.read_frames(excerpt.path, size=90).astype(np.int16)
change = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3)) / 255  # (T - 1,)
grey = frames.mean(axis=-1)
histograms = np.stack([np.histogram(frame, bins=32, range=(0, 256))[0] for frame in grey]) / grey[0].size
distance = np.abs(np.diff(histograms, axis=0)).sum(axis=1) / 2  # (T - 1,): 0 the same, 1 nothing in common
with video.VideoReader(excerpt.path) as reader:
    keyframes = np.array(reader.keyframes)
regular = int(np.diff(keyframes).max())
early = keyframes[1:][np.diff(keyframes) < regular]
early = early[early < len(frames) - 1].tolist()

figure, axis = plt.subplots(figsize=(9, 3.4), layout="constrained")
axis.plot(range(1, len(frames)), change / change.max(), color="#1f6f8b", label="pixels")
axis.plot(range(1, len(frames)), -distance / distance.max(), color="#b3541e", label="histogram (downwards)")
for cut in excerpt.cuts:
    axis.axvline(cut, color="0.8", zorder=0)
axis.plot(keyframes, 0 * keyframes, linestyle="", marker="|", markersize=12, color="black", label="keyframes")
axis.set(xlabel="frame", ylabel="change / largest change")
axis.set_title("Six shots; grey lines are the true cuts")
axis.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
plt.show()
print("true cuts:                        ", list(excerpt.cuts))
print("the five largest changes of pixels:", sorted((np.argsort(change)[-5:] + 1).tolist()))
print("the five largest of histograms:   ", sorted((np.argsort(distance)[-5:] + 1).tolist()))
print(f"keyframes before their turn ({regular}):  ", early)

# %% [markdown]
# On this excerpt even the simplest score finds all five, *once it is told that there are five*. A threshold that also
# holds for flashes, fades and fast pans is the real work, and lab 01.4 does it. The keyframes know without being told;
# but another encoder, or a file cut on a fixed grid, would not have written them.

# %% [markdown]
# ## What loading costs
#
# One minute of 1080p is 9 GB of bytes (the [cost table](02_inside_a_video_file.ipynb)). No one stores data sets like
# that, so frames are **decoded on the fly**, while training. How fast is that, on one core of your machine?

# %%
def decode_rate(path):
    """Frames a second when all frames are read in order, and the pixels of one."""
    with video.VideoReader(path) as reader:
        took = seconds(lambda: [None for _ in reader.stream()])
        return reader.info.num_frames / took, reader.info.width * reader.info.height


rate, pixels = decode_rate(clip_path("rope_skipping"))
print(f"640 x 360: {rate:5.0f} frames a second, {rate / 24:.0f} times as fast as the film runs")
print(f"at the same cost a pixel, 1920 x 1080 comes at about {rate * pixels / (1920 * 1080):.0f} frames a second")
need = 8 * 16 / 0.5
print(f"a step of 8 clips x 16 frames every 0.5 s reads {need:.0f} frames a second, if none is decoded in vain")

# %% [markdown]
# The last half-sentence is where loaders differ. A frame can only be decoded after those it is predicted from, back to
# a **keyframe**. So how often the encoder writes one decides what a random read costs. The same shot, with four
# distances between keyframes:

# %%
whole = video.read_frames(clip_path("flower_sniff"), size=180)
draw = np.random.default_rng(0)
wanted = draw.integers(0, len(whole), 24).tolist()
print(f"{'keyframe every':>16}{'bytes':>10}{'decoded for one frame':>24}{'a random frame':>17}")
for distance_between in (1, 12, 48, 250):
    path = encode(DISK / "keyframes.mp4", whole, crf=20, g=distance_between, sc_threshold=0)
    decoded, times = [], []
    for index in wanted:
        with video.VideoReader(path) as reader:
            times.append(seconds(lambda reader=reader, index=index: reader.read([index])))
            decoded.append(reader.num_decoded)
    print(
        f"{distance_between:>9} frames{path.stat().st_size / 1000:>7.0f} kB{np.mean(decoded):>24.1f}"
        f"{np.median(times) * 1000:>14.1f} ms"
    )

# %% [markdown]
# Every frame a keyframe: random reads are as fast as they get (the second frame decoded is the first one, at which the
# reader looks when it opens a file), and the file is several times larger. One keyframe for all: the smallest file, and
# each read decodes most of the film. Data sets for training are often re-encoded once with a keyframe every second or
# so. Lab 01.1 races whole loaders over this; [lab 01.5](../../labs/01_tensors/05_storage_study.ipynb) weighs disk
# against decoding.
#
# ### decord's idiom
#
# The reader you will meet most in other people's training code is decord. Loading a clip with it takes a few lines, and
# every one of them hides a choice.

# %%
try:
    import decord
except ImportError:  # there is no build of it for this machine
    decord = None

path = clip_path("burrow")
NUM_FRAMES = 16
if decord is not None:
    reader = decord.VideoReader(str(path), num_threads=1)
    indices = torch.linspace(0, len(reader) - 1, NUM_FRAMES).long().tolist()  # the usual line; .long() cuts off
    frames = reader.get_batch(indices).asnumpy()  # (T, H, W, 3), uint8; only these frames
    clip = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 127.5 - 1.0  # (T, C, H, W) in [-1, 1]
    print(f"{len(reader)} frames at {reader.get_avg_fps():g} fps on average; clip {tuple(clip.shape)}, {clip.dtype}")
    print("the same bytes as ours:", np.array_equal(frames, video.read_frames(path, indices)))
    rounded = video.even_indices(len(reader), NUM_FRAMES)
    late = sum(a != b for a, b in zip(indices, rounded))
    print(f"cut off: {indices}\nrounded: {rounded}\n{late} of {NUM_FRAMES} frames come one too early")
else:
    print("decord has no build for this machine; the lines above are how it is used.")

# %% [markdown]
# Three choices to notice. `get_batch` decodes only what is asked for: good. `.long()` cuts fractions off, so nearly
# half of the frames come one too early: round instead. And `permute(0, 3, 1, 2)` gives `(T, C, H, W)`, the order of a
# batch of images; a 3D convolution wants `(C, T, H, W)`. (With `decord.bridge.set_bridge("torch")` it returns tensors
# at once; that switches the whole process over, which a library should not do.)
#
# ### By frames, or by time
#
# "Sixteen frames" is not a rule yet. **Evenly by frame number** spreads them over the clip, so a longer clip looks
# faster. **Uniformly in time** takes one every $1/\text{fps}$ seconds, by timestamps, and motion keeps its speed.

# %%
by_number = video.sample_clip(path, 8, size=90)
by_time = video.sample_clip(path, 8, fps=8, size=90)
show.strips({"8 frames evenly over 6.0 s: a summary": by_number, "8 frames at 8 fps: one second, as it moved": by_time})

# %% [markdown]
# decord counts frames; `get_frame_timestamp` gives their times, if you ask. Ours is one call for either rule:
# `video.sample_clip(path, 16)` and `video.sample_clip(path, 16, fps=8)`, and the result is `(C, T, H, W)`. [Lab
# 01.2](../../labs/01_tensors/02_frame_extractor.ipynb) has you write it.
#
# ## What you can now say
#
# - The codec's motion vectors are a rough optical flow that costs next to nothing; flow proper asks about every pixel.
# - A cut is where nothing can be predicted: in pixel differences, in histograms, and in keyframes out of turn.
# - Decoding on the fly is how film is loaded, and the keyframes decide what a random read costs.
# - Round your indices, name your axes, and say whether you sample by number or by time.
#
# **Next:** [lab 01.1](../../labs/01_tensors/01_video_loader_benchmark.ipynb) races the loaders,
# [01.3](../../labs/01_tensors/03_optical_flow.ipynb) builds optical flow,
# [01.4](../../labs/01_tensors/04_scene_cuts.ipynb) finds cuts, and
# [01.5](../../labs/01_tensors/05_storage_study.ipynb) settles how to store it all.
#
# *Film: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0.*
