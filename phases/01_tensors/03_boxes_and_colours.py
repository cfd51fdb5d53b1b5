# %% [markdown]
# # Boxes and colours
#
# About 10 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# Two things about a video file that are settled before any model sees it, and that a wrong guess about breaks without
# an error: what box the film is in, and in which colours it is written.

# %% tags=["setup"]
import os
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from common import show, video
from common.course.explore import explore
from common.data import clip_path
from common.video.peers import PEERS
from common.video.trials import colour_errors

os.environ["SVT_LOG"] = "1"  # else the AV1 encoder talks at length
FOLDER = tempfile.TemporaryDirectory()
DISK = Path(FOLDER.name)


def psnr(restored, original):
    """dB, at a peak of 255; see lab 01.5 for the fine print."""
    error = np.mean((restored.astype(np.float64) - original) ** 2)
    return np.inf if error == 0 else 10 * np.log10(255**2 / error)


# %% [markdown]
# ## Containers and codecs
#
# `.mp4`, `.mkv`, `.mov` and `.webm` are **boxes**: they hold packets, timestamps, sound, subtitles. What the packets
# mean is the codec's business. To change the box, the packets are moved and nothing is decoded.

# %%
def put_into(source, target):
    """Move the packets of a video stream into another box; no frame is decoded."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:  # the last, empty packet has no time
                packet.stream = stream
                new.mux(packet)


source = clip_path("wing_dance")
reference = video.read_frames(source)
height, width = reference.shape[1:3]
print(f"{'box':8}{'bytes':>9}{'moved in':>12}   codec   frames identical")
for suffix in (".mp4", ".mov", ".mkv", ".ts"):
    target = DISK / f"boxed{suffix}"
    begin = time.perf_counter()
    put_into(source, target)
    seconds = time.perf_counter() - begin
    same = np.array_equal(video.read_frames(target), reference)
    print(f"{suffix:8}{target.stat().st_size:9,}{1000 * seconds:9.1f} ms   {video.probe(target).codec:8}{same}")

# %% [markdown]
# Four boxes, one film. The other way round, one box holds many codecs, and the name of a file proves nothing:

# %%
QUIET = {"libx265": {"x265-params": "log-level=none"}}  # else it talks
for encoder in ("libx264", "libx265", "libsvtav1"):
    with av.open(str(DISK / "same_name.mp4"), "w") as container:
        stream = container.add_stream(encoder, rate=24, options=QUIET.get(encoder))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in reference[:8]:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode())
    print(f"same_name.mp4 holds {video.probe(DISK / 'same_name.mp4').codec}")
(DISK / "boxed.mkv").rename(DISK / "renamed.mp4")
info = video.probe(DISK / "renamed.mp4")
print(f"renamed.mp4 is a {info.container} box with {info.codec} in it")

# %% [markdown]
# When a program "cannot play mp4", it is nearly always the codec that it does not know. Ask the file (`video.probe`),
# never its name.

# %% [markdown]
# ## Colour spaces
#
# Models want red, green and blue. Codecs keep **brightness and two colour differences**, called Y, U and V (or Y, Cb,
# Cr), because the eye sees fine detail in brightness alone. In 4:2:0, which is nearly all video, U and V have half the
# width and half the height: 1.5 values per pixel instead of 3.

# %%
with av.open(str(source)) as container:
    stored = next(container.decode(video=0))
planes = stored.to_ndarray()  # yuv420p: the rows of Y, then those of U and V, one below the other
y = planes[:height]
u, v = planes[height:].reshape(2, height // 2, width // 2)
print(f"{stored.format.name}: Y {y.shape}, U {u.shape}, V {v.shape}, {planes.size / (height * width)} values a pixel")
strong_u, strong_v = ((128 + 2.0 * (plane - 128.0)).clip(0, 255).astype(np.uint8) for plane in (u, v))
grey = {"Y: brightness": y, "U, contrast x 2: blue?": strong_u, "V, contrast x 2: red?": strong_v}
show.side_by_side(
    {"RGB": reference[0]} | {name: plane[..., None].repeat(3, axis=-1) for name, plane in grey.items()}, width=240
)

# %% [markdown]
# How much colour detail can go before you notice? Drag the factor by which colour is shrunk. In the middle the colour
# is reduced and the brightness is whole; on the right, for comparison, it is the other way round.

# %%
TO_YUV = np.array([[0.2126, 0.7152, 0.0722], [-0.1146, -0.3854, 0.5], [0.5, -0.4542, -0.0458]])  # BT.709


def coarse(plane, factor):
    """Averages over squares of `factor` pixels, at the old size."""
    height, width = (side // factor * factor for side in plane.shape)
    squares = plane[:height, :width].reshape(height // factor, factor, width // factor, factor).mean(axis=(1, 3))
    return squares.repeat(factor, axis=0).repeat(factor, axis=1)


def shrink(picture, factor, which):
    """A picture with the planes `which` (0 is Y, 1 is U, 2 is V) coarser by `factor`."""
    yuv = picture @ TO_YUV.T
    planes = [coarse(yuv[..., i], factor) if i in which else yuv[..., i] for i in range(3)]
    height, width = (side // factor * factor for side in picture.shape[:2])
    rgb = np.stack([plane[:height, :width] for plane in planes], axis=-1) @ np.linalg.inv(TO_YUV).T
    return rgb.round().clip(0, 255).astype(np.uint8)


def less_colour(factor):
    """A detail of one frame: whole, with coarse colour, and with coarse brightness."""
    picture = reference[20, 100:292, 300:556]
    only_colour, only_brightness = shrink(picture, factor, (1, 2)), shrink(picture, factor, (0,))
    labels = ("original", f"colour / {factor}: {psnr(only_colour, picture):.1f} dB",
              f"brightness / {factor}: {psnr(only_brightness, picture):.1f} dB")  # fmt: skip
    return show.contact_sheet(np.stack([picture, only_colour, only_brightness]), labels=labels, width=288)


explore(less_colour, factor=[2, 4, 8])

# %% [markdown]
# **What to see.** Colour at a quarter of the width still passes; brightness at half does not. (Colour / 2 costs next to
# nothing here because this film has been through 4:2:0 before: what was lost then cannot be lost again.)
#
# The eye forgives; a number does not, and neither does film that a computer drew. The worst case is thin coloured
# lines: below, red and blue stripes one pixel wide go through a codec in its *lossless* mode. What is lost, is lost by
# 4:2:0 and by the rounding of the conversion.

# %%
stripes = np.zeros((4, 64, 96, 3), np.uint8)
stripes[:, :, 0::2, 0] = 255
stripes[:, :, 1::2, 2] = 255
for name, frames in (("film, 640 x 360", reference[:16]), ("stripes, one pixel wide", stripes)):
    restored = video.read_frames(video.write(DISK / "lossless.mp4", frames, 24, "h264", 0))
    print(f"{name:25} through lossless H.264 in 4:2:0: {psnr(restored, frames):.1f} dB")

# %% [markdown]
# ### Which matrix?
#
# One more trap. The matrix between YUV and RGB is BT.601 in old television, BT.709 in HD, BT.2020 beyond, and a file
# need not say which; nor whether brightness runs from 16 to 235 ("limited") or from 0 to 255. A reader that guesses
# wrongly raises no error. It shifts every colour in your data set.

# %%
def read_as(matrix, color_range):
    return stored.reformat(format="rgb24", src_colorspace=matrix, dst_colorspace=matrix, src_color_range=color_range,
                           dst_color_range="JPEG").to_ndarray()  # fmt: skip


right_way = read_as("ITU709", "MPEG")
ways = {"BT.709, limited: right": right_way, "read as BT.601": read_as("ITU601", "MPEG"),
        "read as full range": read_as("ITU709", "JPEG")}  # fmt: skip
for name, picture in ways.items():
    shift = (picture.astype(int) - right_way).mean(axis=(0, 1))
    print(f"{name:24} mean shift in red, green, blue: " + " ".join(f"{value:+5.1f}" for value in shift))
show.side_by_side(ways, width=320)

# %% [markdown]
# `common.video` reads what the stream says and decides by the height of the picture where it says nothing (576 lines or
# fewer are taken for BT.601, as television had it). And even the right matrix rounds: the fast conversion that decoders
# use (ours, PyAV's and decord's, which agree to the bit) comes out up to three levels from exact arithmetic, and darker
# rather than brighter. Once, that is invisible. Lab 01.5 shows what it does to film that goes round eight times.
#
# ### What do loaders guess?
#
# Films of twelve known colours and 720 lines, made with one matrix and range or another. Some say so, some do not. The
# table has the worst error of each loader on this machine, in levels of 255.

# %% tags=["demo"] draws="Where the file says nothing, loaders differ."
loaders = {"flipbook": video.read_frames} | {name: peer.read for name, peer in PEERS.items() if not peer.absence}
errors = {name: colour_errors(read, DISK / "colours.mp4") for name, read in loaders.items()}
print(f"{'':12}" + "".join(f"{case:>18}" for case in errors["flipbook"]))
for name, row in errors.items():
    print(f"{name:12}" + "".join(f"{error:>18.0f}" for error in row.values()))

# %% [markdown]
# Where the file says how it was made, all are within the two or three levels that rounding takes. Where it does not,
# FFmpeg's guess is always BT.601, and every loader built on it inherits that. `flipbook` goes by the height, which is
# right for nearly all film of 720 lines and wrong for the fourth column. No loader notices a full range that is kept
# secret. When you mix loaders between training and evaluation, check the tags first.
#
# ## What you can now say
#
# - The box (`.mp4`) is not the codec (H.264). Moving packets between boxes costs nothing and loses nothing.
# - Video is stored as brightness and half-size colour: 1.5 values per pixel.
# - Know the matrix and the range, or every colour shifts.
#
# **Next:** where things move, where shots end, and what reading all this costs: [Motion, cuts and the price of
# loading](04_motion_cuts_and_loading.ipynb).
#
# *Film: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0.*
