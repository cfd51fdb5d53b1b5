# %% [markdown]
# # Lab 05.3 · A causal 3D VAE
#
# **What you will have at the end:** the parts that make a video VAE causal, written by you and running on shipped
# weights. One picture is a clip of one frame, and a film is encoded while it plays, in memory that does not grow.
#
# | | |
# |---|---|
# | time, difficulty | about 60 minutes, ★★★★☆ |
# | before this | the tutorial [A clip made small](../../phases/05_video_vae/01_latent_compression.ipynb), 25 minutes |
# | the clips | sprites, 17 frames; shots of *Big Buck Bunny*, © 2008 Blender Foundation, CC BY 3.0 |
#
# | preset | sprites `(T, H, W)` | film `(T, H, W)` | all cells take about |
# |---|---|---|---|
# | `ci` | (17, 64, 64) | (65, 64, 112) | 10 s |
# | `cpu` (default) | (17, 64, 64) | (129, 144, 256) | 50 s |
# | `gpu` | (17, 64, 64) | (129, 288, 512) | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset. Nothing is trained here.

# %% tags=["setup"]
import time
from collections.abc import Callable, Iterable, Iterator

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn import functional as F

from common import show
from common.course import check
from common.data import clip_path
from common.data.sprites import SpriteData
from common.evaluation.causality import influence, reach_back
from common.evaluation.memory import PeakMemory
from common.evaluation.reconstruction import clip_psnr
from common.models import streaming
from common.models.gaussian import DiagonalGaussian
from common.models.inflation import inflate, mean_slices, middle_slice
from common.models.padding import repadded, replace_convs
from common.models.wan_vae import encode_pieces, load_wan_vae
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.show.influence import draw_influence
from common.video import VideoReader, frames_to_clip
from common.zoo import from_pretrained

limit_threads()
plt.rcParams["figure.dpi"] = 75
NUM_CLIPS, FILM_FRAMES, FILM_SIZE = {"ci": (8, 65, 64), "cpu": (32, 129, 144), "gpu": (128, 129, 288)}[preset()]
BLUE, RUST = "#1f6f8b", "#b3541e"


def film_frames(name="rope_skipping", num_frames=FILM_FRAMES, size=FILM_SIZE):
    """A shot's frames, read from the file one at a time: `(1, 3, H, W)` each, rows and columns in eights."""
    with VideoReader(clip_path(name)) as reader:
        for frames in reader.stream(0, num_frames, chunk=1, size=size):
            frame = frames_to_clip(frames)[None, :, 0]
            yield frame[..., : frame.shape[-2] // 8 * 8, : frame.shape[-1] // 8 * 8]


# %% [markdown]
# ## Where you are heading
#
# A shot is encoded while it is read: one frame, one latent, then one latent for every four frames. The decoder draws
# each latent at once. No more than a few frames are ever in memory. (The weights learned from sprites and some film,
# at 64 rows. Fur is not their strength.)

# %% tags=["demo"] draws="The film as it is read, and as it comes back while it plays."
torch.set_grad_enabled(False)  # nothing is trained here
VAE = from_pretrained("sprites-vae")  # 1 + 4k frames to 1 + k latents, 8 times fewer rows and columns
latents = list(streaming.encode_stream(VAE, film_frames()))
decoded = torch.cat(list(streaming.decode_stream(VAE, latents)), dim=2).clamp(-1, 1)  # (1, 3, T, H, W)
film = torch.stack(list(film_frames()), dim=2)
print(f"{film.shape[2]} frames, {len(latents)} latents of {latents[0].numel():,} numbers each")
beside = torch.cat([film, decoded], dim=4)[0, :, :64:3]
display(show.player(beside, fps=8, width=360, max_bytes=58_000, caption="Left: the film. Right: encoded and decoded."))
show.strips({"the film": film[0], "encoded and decoded": decoded[0]}, num_frames=5, width=110)

# %% [markdown]
# **A prediction.** Frame 8 of a clip turns white. The clip is encoded and decoded by a causal VAE. Which of the frames
# that come back can differ: those from frame 8 on, some before it as well, or all of them? Write it down.

# %% [markdown] about="inflate_causal" difficulty=1 importance=3 minutes=5
# ## Inflating a 2D kernel
#
# A 3D kernel is a stack of 2D slices, one for each frame that it looks at. In a causal layer the frames are the past
# and the present, so the **last slice** meets the present frame:
#
# $$ y_t = \sum_{s=0}^{n-1} w_s * x_{t-(n-1)+s}. $$
#
# An image model can become a video model by *inflation*: its kernel goes into one slice, and the others begin at zero.
#
# | quantity | shape |
# |---|---|
# | `weight`, of the image model | `(C_out, C_in, kH, kW)` |
# | result | `(C_out, C_in, num_frames, kH, kW)` |

# %% exercise="inflate_causal" from="common.layers.causal_conv:inflate_causal"

# %% check="inflate_causal"

# %% [markdown] hints="inflate_causal"
# 1. Make a tensor of zeros with one more axis, then write into one of its slices.
# 2. `weight.new_zeros(c_out, c_in, num_frames, kh, kw)` keeps dtype and device. The present is `[:, :, -1]`.
# 3. Raise `ValueError` if `weight.ndim != 4` or `num_frames < 1`. Then `inflated[:, :, -1] = weight` and return it.
#    `torch.cat` of zeros and `weight[:, :, None]` along axis 2 does the same.

# %% [markdown] troubles="inflate_causal"
# - **A clip comes out one frame late.** The kernel is in the middle slice, which suits a layer that looks both ways.
# - **Everything that moves leaves a trail.** The kernel is spread over all slices, so the layer averages over time.

# %% [markdown]
# A whole image autoencoder, `sprites-frame-vae`, inflated by your function and in two other ways, with no training.

# %% tags=["demo"] draws="Only the last slice leaves an image model what it was."
IMAGE_VAE = from_pretrained("sprites-frame-vae")
SPRITES = SpriteData("held_out").batch(range(NUM_CLIPS)).clips()  # (B, 3, 17, 64, 64)
clip = SPRITES[:1]
by_frame = IMAGE_VAE(clip).sample.clamp(-1, 1)
rows = {"the clip": clip[0], "image model, frame by frame": by_frame[0]}
for name, kernel in {"last slice (yours)": inflate_causal, "middle slice": middle_slice, "mean": mean_slices}.items():
    made = inflate(IMAGE_VAE, 3, kernel)(clip).sample.clamp(-1, 1)
    rows[name] = made[0]
    print(f"{name:20} largest difference from the image model {(made - by_frame).abs().max():.2f}, "
          f"PSNR {clip_psnr(made, clip, data_range=2).item():.1f} dB")  # fmt: skip
show.strips(rows, num_frames=6, width=64)

# %% [markdown]
# **What to see.** With your kernels the video model *is* the image model, and training can go on from there. In the
# middle slice every layer is one frame late, and only the skip connections are on time. Open-Sora Plan compared these
# ways and kept the last slice, which it calls tail initialization.

# %% [markdown] about="CausalConv3d" difficulty=3 importance=5 minutes=18
# ## Causal convolution with a cache
#
# `Conv3d(padding=1)` pads both sides in time, so frame $t$ sees frame $t+1$. A causal convolution puts all the padding
# in front. What goes there? At the beginning of a clip, **copies of the first frame**: it is as if the first frame had
# always been there. Later, the **cache**: the last $n - 1$ frames that this layer has seen.
#
# $$ [\,\text{cache} \mid x\,] \;\to\; \text{convolution, no padding in time} \;\to\; y,
# \qquad \text{new cache} = \text{the last } n-1 \text{ frames of } [\,\text{cache} \mid x\,]. $$
#
# So a clip may come in pieces of any length, and the pieces give what the whole gives.
#
# | quantity | shape |
# |---|---|
# | `x` | `(B, C_in, T, H, W)` |
# | `cache`, in and out | `(B, C_in, n - 1, H, W)` |
# | what the convolution reads | `(B, C_in, n - 1 + T, H, W)` |
# | `y` | `(B, C_out, T, H, W)` |
#
# `self.conv` pads rows and columns only, and `self.num_past` is $n - 1$.

# %% exercise="CausalConv3d" from="common.layers.causal_conv:CausalConv3d" blank="forward"

# %% check="CausalConv3d"

# %% [markdown] hints="CausalConv3d"
# 1. Three lines do it: make a cache where there is none, put it in front of `x`, cut the new cache off the end of the
#    result.
# 2. `x[:, :, :1].expand(-1, -1, self.num_past, -1, -1)` are the copies. The new cache is cut from the *joined* tensor:
#    a piece may be shorter than the cache.
# 3. `x = torch.cat([cache, x], dim=2)`, `cache = x[:, :, x.shape[2] - self.num_past:].clone()`, and `return
#    self.conv(x), cache`.

# %% [markdown] troubles="CausalConv3d"
# - **Pieces of one frame go wrong, longer ones are right.** The new cache is cut from the piece alone. It is the end of
#   the old cache and the piece together.
# - **With a kernel of one frame the cache holds the whole clip.** `x[:, :, -0:]` is all of `x`. Count from the front.
# - **A still picture changes in its first frames.** The padding is zeros. Copies of the first frame belong there.
# - **Memory grows although the cache is small.** A slice is a view, and keeps the tensor that it was cut from. Copy it.

# %% [markdown]
# Who moves whom, in one layer? Change one frame, and mark every frame of the output that moves. White is exactly 0.

# %% tags=["demo"] draws="One layer: yours and a symmetric one, with the same weights."
torch.manual_seed(0)
mine = CausalConv3d(3, 8, (3, 3, 3))
symmetric = nn.Conv3d(3, 8, 3, padding=1)
symmetric.load_state_dict(mine.conv.state_dict())
layers = {"yours": lambda x: mine(x)[0], "Conv3d(padding=1)": symmetric}
maps = {name: influence(layer, clip[:, :, :9]) for name, layer in layers.items()}
draw_influence(maps, "frame of the output that moved")

# %% [markdown]
# **What to see.** Yours is empty below the diagonal: nothing that comes later moves anything earlier. The symmetric
# layer reaches one frame back. One frame does not sound like much. Wait for the whole network.

# %% [markdown] about="causal_downsample" difficulty=2 importance=5 minutes=10
# ## 1 + 4k frames, 1 + k latents
#
# The encoder makes one latent of every four frames. But the first latent must be that of a *picture*, or an image would
# not be a clip. So the first frame gets a group of its own:
#
# $$ x_0, \; x_1, x_2, \dots \quad\to\quad (x_0, x_0, x_0, x_0), \; (x_1, x_2, x_3, x_4), \; (x_5, \dots $$
#
# | | frames given | groups for the encoder | latents |
# |---|---|---|---|
# | a picture | 1 | 1 | 1 |
# | a clip | 17 | 5 | 5 |
# | its next piece | 8 | 2 | 2 |
#
# This is why video models ask for 17, 49, 81 or 121 frames.

# %% exercise="causal_downsample" from="common.layers.causal_conv:causal_downsample"

# %% check="causal_downsample"

# %% [markdown] hints="causal_downsample"
# 1. Only the beginning of a clip is special. How do you know that you are there, and how many copies of the first frame
#    are missing in its group?
# 2. `caches is None` is the beginning. `ratio - 1` copies go in front: `clip[:, :, :1].expand(-1, -1, ratio - 1, -1,
#    -1)`. Check the number of frames before that.
# 3. Refuse `T < 1`, and `(T - 1) % ratio != 0` at the beginning or `T % ratio != 0` later. Then `torch.cat([copies,
#    clip], dim=2)` at the beginning, and `return encoder(clip, caches)`.

# %% [markdown] troubles="causal_downsample"
# - **The first latent changes when frame 3 changes.** The first four frames share a group. The first has its own.
# - **Latents jump where two pieces meet.** The later pieces get copies of their first frame too. They have caches.
# - **A later piece is taken for the beginning.** Ask `caches is None`: an encoder may hand back an empty list.

# %% [markdown]
# Now put your parts into the shipped model. The weights fit, because the layers have the same names.

# %%
def your_conv(theirs):
    """Your layer with the weights of the library's."""
    yours = CausalConv3d(theirs.conv.in_channels, theirs.conv.out_channels, theirs.conv.kernel_size)
    yours.load_state_dict(theirs.state_dict())
    return yours


def your_chunk(sample, caches=None):
    """Encode a clip, or its next piece, by your parts."""
    moments, caches = causal_downsample(MINE.encoder, sample, caches)
    return DiagonalGaussian(moments), caches


MINE = replace_convs(VAE, your_conv).eval()
MINE.encode_chunk = your_chunk


def encode(model):
    """The model's encoder as a function of the clip: the most likely latents `(B, C, T', H', W')`."""
    return lambda clip: model.encode(clip).latent_dist.mode()


def psnr(model, clips):
    """Mean PSNR of what comes back, dB."""
    return clip_psnr(model(clips).sample.clamp(-1, 1), clips, data_range=2).mean().item()


# %% tags=["demo"] draws="A picture is a clip of one frame: same latent, good reconstruction."
pictures = SPRITES[:, :, :1]
gap = (encode(MINE)(SPRITES)[:, :, :1] - encode(MINE)(pictures)).abs().max()
print(f"first latent of a clip and latent of its first frame alone: largest difference {gap:.0e}")
print(f"PSNR of {NUM_CLIPS} clips of 17 frames {psnr(MINE, SPRITES):.1f} dB, "
      f"of their first frames as single pictures {psnr(MINE, pictures):.1f} dB")  # fmt: skip
restored = MINE(pictures[:6]).sample.clamp(-1, 1)
show.strips({"pictures": pictures[:6, :, 0].movedim(0, 1), "from your VAE": restored[:, :, 0].movedim(0, 1)},
            num_frames=6, width=72)  # fmt: skip

# %% [markdown] about="encode_stream" difficulty=3 importance=4 minutes=12
# ## Streaming encode
#
# A camera does not say how long the film will be. With caches you need not know: encode one frame and hand its latent
# out. Encode four more with the caches, hand the next latent out, and forget what you have handed out. In Python, this
# is a **generator**: it says `yield` where it hands something out, and goes on from there when asked for more.
#
# | taken from the stream | yielded |
# |---|---|
# | 1 frame, `(B, 3, H, W)` | 1 latent, `(B, C, 1, H', W')` |
# | 4 more, and so on | 1 more each time |

# %% exercise="encode_stream" from="common.models.streaming:encode_stream"

# %% check="encode_stream"

# %% [markdown] hints="encode_stream"
# 1. Go through `frames` and collect them in a list. How long must the list be for the first latent, and how long from
#    then on? Three things change on the way: the list, that length, the caches.
# 2. `torch.stack(group, dim=2)` makes a piece of a list of frames. `dist, caches = vae.encode_chunk(piece, caches)`,
#    then `yield dist.mode()`, with an empty list for the next group. If frames are left after the loop, raise
#    `ValueError`.
# 3. Begin with `group, caches, needed = [], None, 1`. After each latent `group, needed = [],
#    vae.temporal_compression_ratio`. Keep `@torch.no_grad()` above the function: it is switched on only while the
#    function itself runs.

# %% [markdown] troubles="encode_stream"
# - **It reads the whole film before the first latent.** `list(frames)` waits for the end, which may never come.
# - **Memory grows by every frame.** The weights ask for gradients, so each cache keeps the graph of all frames before.
#   Compute without gradients.
# - **Gradients are switched off in the loop that uses it.** `with torch.no_grad():` around a `yield` stays on while the
#   caller works. `@torch.no_grad()` above a generator does not.

# %% [markdown]
# The film again, straight from the file, through your stream. One-shot encoding of more and more frames is the
# **baseline**. Memory counts every tensor that is alive at once.


# %% tags=["demo"] draws="Memory and waiting time: one curve grows, yours does not."
def at_once(num_frames):
    yield encode(MINE)(torch.stack(list(film_frames(num_frames=num_frames)), dim=2))


WAYS = {"at once": at_once, "your stream": lambda num_frames: encode_stream(MINE, film_frames(num_frames=num_frames))}
lengths = [n for n in (5, 17, 33, 65, 97, 129) if n <= FILM_FRAMES]
memory, waiting, found = {name: [] for name in WAYS}, {name: [] for name in WAYS}, {}
for num_frames in progress_bar(lengths, desc="encoding", unit="length"):
    for name, way in WAYS.items():
        begin = time.process_time()
        with PeakMemory() as counted:
            latents = way(num_frames)
            found[name] = [next(latents)]
            waiting[name].append(time.process_time() - begin)
            found[name] = torch.cat([*found[name], *latents], dim=2)
        memory[name].append(counted.peak / 1e6)
whole, pieces = found.values()
print(f"{FILM_FRAMES} frames: largest difference between stream and one shot {(whole - pieces).abs().max():.0e}")
print(f"peak memory: {memory['at once'][-1]:.0f} MB at once, {memory['your stream'][-1]:.1f} MB as a stream")
figure, axes = plt.subplots(1, 2, figsize=(8.4, 2.9), layout="constrained")
for axis, numbers, label in zip(axes, (memory, waiting), ("peak memory (MB)", "CPU time to the first latent (s)")):
    for name, colour in zip(WAYS, (RUST, BLUE)):
        axis.plot(lengths, numbers[name], marker="o", color=colour, label=name)
    axis.set(xlabel="frames of the film", ylabel=label, ylim=(0, None))
axes[0].set_title("Memory against length", fontsize=10)
axes[1].set_title("Waiting against length", fontsize=10)
axes[0].legend(fontsize=9)
plt.show()

# %% [markdown]
# **What to see.** The stream gives the same latents, and its memory is flat: a film of two hours would need no more.
# At once, memory and waiting grow with the film.
#
# ## The result to remember
#
# The same weights under other padding. **Yours** is causal. The **baseline** is symmetric padding, half of it ahead.
# The **negative control** puts all of it behind the clip, where the last frame is repeated. One frame is changed at a
# time. Then the whole round trip, for the prediction. In the table, *first latent* is how far a clip's is from that of
# its first frame alone, and *as a stream* how far the stream's latents are from those of one shot.

# %% tags=["demo"] draws="Who moves whom in the whole network: white is exactly 0."
MODELS = {
    "yours, causal": MINE,
    "causal, zeros": repadded(VAE, "past", "constant"),
    "symmetric, copies": repadded(VAE, "both"),
    "symmetric, zeros": repadded(VAE, "both", "constant"),
    "control: behind the clip": repadded(VAE, "future"),
}
last_frame = 4 * torch.arange(5)  # the last frame that each latent may see
maps = {name: influence(encode(model), clip) for name, model in progress_bar(MODELS.items(), desc="disturbing")}
print(f"{'padding in time':25}{'reaches back':>14}{'first latent':>14}{'as a stream':>13}{'picture':>10}{'clip':>10}")
for name, model in MODELS.items():
    whole = encode(model)(SPRITES)
    first = (whole[:, :, :1] - encode(model)(pictures)).abs().max()
    pieces = (torch.cat(list(encode_stream(model, SPRITES.unbind(2))), dim=2) - whole).abs().max()
    print(f"{name:25}{reach_back(maps[name], last_frame):7d} frames{first:14.0e}{pieces:13.0e}"
          f"{psnr(model, pictures):7.1f} dB{psnr(model, SPRITES):7.1f} dB")  # fmt: skip
shown = ("yours, causal", "symmetric, copies", "control: behind the clip")
display(draw_influence({name: maps[name] for name in shown}, "latent that moved", width=2.7))
round_trip = influence(lambda clip: MINE(clip).sample, clip)
print(f"your encoder and decoder, one after the other, reach {reach_back(round_trip)} frames back:")
draw_influence({"your VAE, encoder and decoder": round_trip}, "frame that moved", width=4.2)

# %% [markdown]
# **What to see.** In your map every latent is untouched by what comes after its frames, exactly. With symmetric padding
# each layer looks only one step ahead, but four layers add up, and three of them step over latents of four frames. No
# stream can be encoded that way: it would have to wait for frames that are not there yet.
#
# Was your prediction right? Frame 8 shares a latent with frames 5, 6 and 7, and the decoder draws all four of it. So
# the round trip reaches back as far as the beginning of a group, and no further. A causal VAE is causal *in latents*.
#
# Two things may surprise you. Symmetric padding with *copies* gives a single picture the very same latent: there is
# nothing but copies either way. And *zeros*, in front or on both sides, hurt single pictures most. With copies a still
# picture stays still. With zeros it moves in its first frames, and the model must learn to live with that, as Wan's
# does. These weights never had to: their loss under other padding says nothing about what training could do.

# %% tags=["demo"] draws="One frame turns white: where it shows in the latents, and in the frames."
flash = clip.clone()
flash[:, :, 8] = 1.0
back = {"the clip": flash[0], "your VAE": MINE(flash).sample[0].clamp(-1, 1),
        "symmetric, copies": MODELS["symmetric, copies"](flash).sample[0].clamp(-1, 1)}  # fmt: skip
beside = torch.cat(list(back.values()), dim=3)
display(show.player(beside, fps=4, width=330, max_bytes=40_000, caption=" | ".join(back)))
show.strips(back, num_frames=17, width=44)

# %% [markdown]
# ## At real scale
#
# Wan 2.1's VAE has the same three ideas: causal convolutions, a first frame of its own, and a cache per layer
# (`_enc_feat_map`). Its `encode` *is* a stream: one frame, then four at a time. Same map, same test. Where the real
# weights are not on this machine, a small model of the same class with random weights shows the same, because
# causality is a matter of layers, not of training.

# %%
wan, trained = load_wan_vae()
small = F.interpolate(clip[0].movedim(1, 0), size=(32, 32)).movedim(0, 1)[None]  # (1, 3, 17, 32, 32)
whole = encode(wan)(small)
pieces = torch.cat(list(encode_pieces(wan, small.split([1, 4, 4, 4, 4], dim=2))), dim=2)
frames = [cache.shape[2] for cache in wan._enc_feat_map if torch.is_tensor(cache)]
print(f"Wan's class, {'trained' if trained else 'untrained'}: {small.shape[2]} frames to {whole.shape[2]} latents")
wan_map = influence(encode(wan), small)
print(f"as a stream, off by {(pieces - whole).abs().max():.0e}; reaches {reach_back(wan_map, last_frame)} frames back; "
      f"{len(frames)} caches of {min(frames)} or {max(frames)} frames each")  # fmt: skip
draw_influence({"Wan's VAE": wan_map, "yours": maps["yours, causal"]}, "latent that moved")

# %% [markdown]
# ## Try it
#
# Any shot, any size in eights. `flipbook reconstruct rope_skipping --mine` does it on the command line, by your parts.

# %%
SHOT, FRAMES, SIZE = "leap", 33, 96

latents = list(encode_stream(MINE, film_frames(SHOT, FRAMES, SIZE)))
back = torch.cat(list(streaming.decode_stream(MINE, latents)), dim=2).clamp(-1, 1)
original = torch.stack(list(film_frames(SHOT, FRAMES, SIZE)), dim=2)
print(f"{FRAMES} frames in {len(latents)} latents: {clip_psnr(back, original, data_range=2).item():.1f} dB")
show.strips({SHOT: original[0], "encoded and decoded": back[0]}, num_frames=5, width=110)

# %% [markdown] tags=["folded"]
# ## Going further
#
# **An ablation to run.** Inflate with more frames per kernel: does the last slice still leave the image model as it
# was? And does the middle slice get worse? Guess, then change `KERNEL_FRAMES`.

# %%
KERNEL_FRAMES = 5

for name, kernel in {"last slice": inflate_causal, "middle slice": middle_slice}.items():
    print(f"{name:14}{psnr(inflate(IMAGE_VAE, KERNEL_FRAMES, kernel), clip):6.1f} dB")

# %% [markdown]
# ## Honest limits
#
# - Causality costs something: a group cannot use the frames of the next one. A coder that looks both ways may do better
#   at equal size. IV-VAE (2024) looks both ways *within* a group. Nothing here measures that price.
# - Memory does not grow in the encoder and the decoder. The latents that you keep still need theirs.
# - The film is far from what these weights were trained on. Its numbers are about streaming, not about quality.
#
# ## What you have now
#
# `inflate_causal`, `CausalConv3d`, `causal_downsample` and `encode_stream` are parts of the library
# (`common.layers.causal_conv`, `common.models.streaming`), and yours do the same. Next: lab 05.4 turns latents into
# tokens, and phase 6 generates them.
#
# **Papers.** van den Oord et al., *WaveNet* (2016), arXiv 1609.03499, for causal convolution · Yu et al., *MAGVIT-v2*
# (2023), arXiv 2310.05737, for causal 3D tokenizers · Lin et al., *Open-Sora Plan* (2024), arXiv 2412.00131 · Wan Team,
# *Wan* (2025), arXiv 2503.20314, for the cache in chunks.
