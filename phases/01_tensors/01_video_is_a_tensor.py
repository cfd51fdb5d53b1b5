# %% [markdown]
# # A video is a tensor
#
# About 15 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# An image is a block of numbers, rows by columns by colours. A video adds one axis, time, and with it two questions
# that every later chapter leans on: **in which order do the axes stand**, and **how much time lies between two
# neighbours** on the new one. Both look trivial. Both have cost people weeks, because getting them wrong raises no
# error: a network will train on a shredded video without a word.

# %% tags=["setup"]
import numpy as np
import torch
from einops import rearrange

from common import show, video
from common.course.explore import explore
from common.data import clip_path
from common.evaluation import motion_score

SLOW, FAST = "burrow", "leap"

# %% [markdown]
# ## Open a film
#
# A file on disk is not a tensor yet. It holds compressed packets and a few facts about them, which cost nothing to
# read.

# %%
path = clip_path(FAST)
info = video.probe(path)
print(f"{info.width} x {info.height} pixels, {info.num_frames} frames, {info.fps:g} a second, {info.duration:.2f} s")

frames = video.read_frames(path, range(0, 16), size=144)
print("frames:", frames.shape, frames.dtype, "from", frames.min(), "to", frames.max())
show.contact_sheet(frames[::2], fps=info.fps / 2)

# %%
CAPTION = "All sixteen frames, at a third of their speed"
show.player(frames, fps=info.fps / 3, width=256, max_bytes=50_000, caption=CAPTION)

# %% [markdown]
# A decoder hands out **frames first, channels last, in bytes**: `(T, H, W, C)`, `uint8`. That is the layout of
# pictures in memory and on a screen. It is the wrong order for a network, whose convolutions want channels in front of
# the axes that they slide over.

# %% [markdown]
# ## Shape conventions
#
# Five letters, and everyone orders them differently: **B**atch, **C**hannels, **T**ime, **H**eight, **W**idth.
#
# | order | who uses it | why |
# |---|---|---|
# | `(T, H, W, C)` | decoders, image files, matplotlib | one picture after the other, each ready to draw |
# | `(B, T, C, H, W)` | data loaders, image networks | merge `B` and `T` and it is a batch of images |
# | `(B, C, T, H, W)` | `Conv3d`, video VAEs, transformers | channels, then the axes that a 3D kernel slides over |
#
# **Flipbook uses `(B, C, T, H, W)` everywhere**, pixels and latents alike, floats in [-1, 1]. Frames-first bytes exist
# only at the edge, where files are read and written. One rule, so that no function has to guess.

# %%
clip = video.frames_to_clip(frames)  # (C, T, H, W)
batch = clip[None]  # (B, C, T, H, W), a batch of one
print("clip: ", tuple(clip.shape), clip.dtype, f"from {clip.min():.2f} to {clip.max():.2f}")
print("batch:", tuple(batch.shape))

conv = torch.nn.Conv3d(in_channels=3, out_channels=5, kernel_size=(3, 3, 3), padding=1)
print("after a 3D convolution:", tuple(conv(batch).shape), " (B, C_out, T, H, W)")

# %% [markdown]
# Now give the same layer the other common order and see what it says.

# %%
frames_second = rearrange(batch, "b c t h w -> b t c h w")  # (B, T, C, H, W)
try:
    conv(frames_second)
except RuntimeError as error:
    print("16 frames:", str(error).split(", but")[0][:110])

three = rearrange(batch[:, :, :3], "b c t h w -> b t c h w")  # with three frames ...
print(" 3 frames:", tuple(conv(three).shape), " no complaint at all")

# %% [markdown]
# Sixteen "channels" are noticed. **Three frames are not**: the layer takes time for colour and colour for time, and
# trains happily. This is why no test in this course uses sizes that are equal, and why code that writes the letters
# down (`rearrange(x, "b t c h w -> b c t h w")`) is worth its few extra characters.
#
# ### Reshape is not transpose
#
# The second classic keeps the shape right and the content wrong. `reshape` only re-reads the same row of numbers under
# new headings; moving an axis means moving numbers.

# %%
moved = rearrange(torch.from_numpy(frames), "t h w c -> c t h w")
reread = torch.from_numpy(frames).reshape(moved.shape)
print("same shape:", moved.shape == reread.shape, "  same numbers in the same places:", torch.equal(moved, reread))
pictures = torch.stack([moved[:, 0], moved[:, 12], reread[:, 0], reread[:, 12]])  # (4, C, H, W)
labels = ["rearrange, frame 0", "rearrange, frame 12", "reshape, frame 0", "reshape, frame 12"]
show.contact_sheet(rearrange(pictures, "n c h w -> n h w c").numpy(), labels=labels, columns=4, width=220)

# %% [markdown]
# **What to see.** On the right the same bytes in the same shape: pixels of several frames, rows and colours woven into
# one another, a ghost of the film. A loss curve would still go down on this.

# %% [markdown]
# ## Frame rate
#
# Time is the one axis whose spacing is a choice. The same second of film is 24 pictures, or 12, or 3, and what changes
# is not only how many numbers there are: it is **how far things move from one frame to the next**, and that step is all
# that a model ever sees of speed.

# %%
RATES = (24, 12, 8, 4)
one_second = {fps: video.sample_clip(path, max(2, fps), fps=fps, size=144) for fps in RATES}  # one second each
for fps, second in one_second.items():
    print(f"{fps:>3} fps: motion {motion_score(second):.3f} a step, {motion_score(second, fps=fps):.2f} a second")

# %% [markdown]
# Read the two columns against each other. Motion per step grows as the rate falls, because each step is longer. It
# grows more slowly than the step, since a thing that has left its place cannot leave it twice: by 4 fps the pictures
# have little left to differ by. So the same film at another rate is *different data*: a model trained at 8 fps that is
# shown 24 fps sees everything in slow motion.

# %% tags=["demo"] draws="The same second of film, as a model of each rate takes it."
at_8 = torch.cat([one_second[8], one_second[24][:, :8]], dim=-1)  # (C, 8, H, 2 W)
CAPTION = "Left: eight frames at 8 fps, one second as it was. Right: the first eight of 24, shown at 8 fps: slow motion"
show.player(at_8, fps=8, width=320, max_bytes=50_000, caption=CAPTION)

# %% [markdown]
# Drag the rate and look at the distance between neighbouring pictures.

# %%
def neighbours(fps):
    """Two frames that are neighbours at this rate, and their difference, twice enlarged."""
    two = video.clip_to_frames(video.sample_clip(path, 2, fps=fps, start=0.5, size=144))
    change = show.difference(two[:1], two[1:], factor=2)
    labels = ("a frame", f"the next one at {fps} fps", "what changed (grey: nothing)")
    return show.contact_sheet(np.concatenate([two, change.frames]), labels=labels, width=220)


explore(neighbours, fps=[24, 12, 8, 4, 2])

# %% [markdown]
# Rates you will meet: 24 (film), 25 and 50 (European television), 30 and 60 (phones, the web, American television), and
# 8 to 16 inside video models, which cannot afford more. Some models take the rate as an input beside the text, so that
# one set of weights can be asked for slow and for fast motion.
#
# ### One average hides everything
#
# "24 fps" is often only an average. Phones drop frames in poor light, screen recorders drop them when nothing moves;
# the file then says *when* each frame begins, and only those timestamps tell the time. In this course an index is never
# turned into a time by dividing by a rate.

# %%
slow = video.probe(clip_path(SLOW))
times = video.timestamps(clip_path(SLOW))
gaps = np.diff(times)
print(f"{len(times)} timestamps, from {times[0]:.3f} s to {times[-1]:.3f} s")
print(f"gaps between {gaps.min() * 1000:.2f} and {gaps.max() * 1000:.2f} ms")
print("constant rate" if not slow.variable_frame_rate else "variable rate")

# %% [markdown]
# ## What you can now say
#
# - A clip is `(C, T, H, W)`, a batch `(B, C, T, H, W)`; bytes with frames first exist only where files are read and
#   written.
# - Wrong axis orders often raise no error. Write the letters down, and never let two sizes be equal in a test.
# - The frame rate decides how much moves between neighbours. The same film at another rate is different data.
# - Time comes from timestamps.
#
# **Next:** write the sampler that makes these choices, in [Lab 01.2, the frame
# extractor](../../labs/01_tensors/02_frame_extractor.ipynb).
#
# *Film: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0.*
