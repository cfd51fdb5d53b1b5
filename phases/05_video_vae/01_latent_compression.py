# %% [markdown]
# # A clip made small
#
# About 25 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# Nearly every large video generator works on **latents**: an autoencoder makes clips small, new ones are generated
# there, and its decoder draws them large again at the very end. This notebook opens such an autoencoder, `sprites-vae`,
# which ships with the course: what it keeps, what it loses, what it costs, and why it never looks ahead.

# %% tags=["setup"]
import io
import tempfile
import time
from fractions import Fraction

import av
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from common import show, video
from common.course.explore import explore
from common.data import clip_path, latent_cache
from common.data.film import FilmData
from common.data.sprites import SpriteData
from common.evaluation.reconstruction import Reconstruction, clip_psnr, static_pixels
from common.runtime import limit_threads
from common.zoo import from_pretrained

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 85
BLUE, OLIVE, RUST = "#1f6f8b", "#8a7a2f", "#b3541e"
FOLDER = tempfile.TemporaryDirectory()

VAE = from_pretrained("sprites-vae")
CHANNELS = VAE.config.latent_channels  # 16


def as_clips(pixels):
    """uint8 pixels as floats in [-1, 1]."""
    return pixels.float() / 127.5 - 1


def encode(clips):
    """`(B, 3, 1 + 4k, H, W)` to the most likely latents, `(B, C, 1 + k, H/8, W/8)`."""
    return VAE.encode(clips).latent_dist.mode()


def decode(latents):
    """The way back, held in [-1, 1] as a file would hold it."""
    return VAE.decode(latents).sample.clamp(-1, 1)


def psnr(restored, original):
    """Mean over the clips of each clip's PSNR, dB."""
    return clip_psnr(restored, original, data_range=2).mean().item()


# %% [markdown]
# ## Why latents are not optional
#
# Count what a generator has to produce. `sprites-vae` makes one latent frame of the first frame and one of every four
# after it, and of every 8 x 8 pixels one place with 16 numbers:

# %%
def latent_shape(num_frames, height, width):
    return CHANNELS, 1 + (num_frames - 1) // 4, height // 8, width // 8


CASES = {
    "64 x 64, 17 frames": (17, 64, 64),
    "256 x 256, 8 fps, 2 s": (17, 256, 256),
    "1280 x 720, 24 fps, 5 s": (121, 720, 1280),
    "1920 x 1080, 24 fps, 10 s": (241, 1080, 1920),
}
print(f"{'one clip':27}{'numbers':>10}{'latents':>9}{'fewer':>8}{'places':>12}{'fewer pairs of places':>24}")
for name, (num_frames, height, width) in CASES.items():
    pixels, (channels, t, h, w) = num_frames * height * width, latent_shape(num_frames, height, width)
    places = t * h * w
    print(f"{name:27}{3 * pixels / 1e6:8.2f} M{channels * places / 1e6:7.2f} M{3 * pixels / (channels * places):7.1f}x"
          f"{places:12,}{(pixels / places) ** 2:23,.0f}x")  # fmt: skip

# %% [markdown]
# The numbers shrink by 40 to 48. What decides is the last column. Attention compares every place with every other, and
# what it costs grows with the *pairs*: tens of thousands of times fewer than over pixels. Without latents there is no
# transformer over video at all; with them, and with patches of 2 x 2 places on top, 720p fits.
#
# Two remarks, since tables of this kind differ. The factor 4 · 8 · 8 · 3 / 16 = 48 is reached for long clips only: the
# first frame has a latent frame of its own. And it compares numbers: a pixel is a byte, a latent at least two
# (`float16`), so in bytes the factor is half of that.

# %% [markdown]
# ## Four times shorter, eight times smaller each way
#
# Layers that look over space *and* time can use what one frame alone does not show: that the next four are nearly the
# same. `sprites-vae` works on two grids. Every frame is cut into patches of 4 x 4 pixels, which a few convolutions look
# over: the fine grid. Then four frames and 2 x 2 patches become one place of the coarse grid, where most of the weights
# are. The decoder is the same the other way round.
#
# Now one clip. It is *held out*: no training ever saw a cyan cross.

# %%
held_out = SpriteData("held_out").batch(range(16))
sprites = held_out.clips()  # (16, 3, 17, 64, 64)
clip = sprites[:1]
latents = encode(clip)
restored = decode(latents)
print(f"{VAE.num_parameters() / 1e6:.1f} million weights, which is small")
print(held_out.captions[0])
print(f"{tuple(clip.shape)} to {tuple(latents.shape)} and back: {psnr(restored, clip):.1f} dB")
show.compare(clip[0], restored[0], labels=("original", "reconstruction"), num_frames=5, width=112)

# %% [markdown]
# And what stands between the two: 16 pictures of 8 x 8 for each of five moments. Each channel is drawn in its own units
# (minus its mean, by its standard deviation over the training clips): blue is more than usual, red is less.

# %%
def draw_latents(latents, title):
    """One column per channel, one row per latent frame; normalised latents `(C, T', H', W')`."""
    channels, num_frames = range(latents.shape[0]), latents.shape[1]
    figure, axes = plt.subplots(
        num_frames, len(channels), figsize=(0.56 * len(channels) + 0.5, 0.6 * num_frames + 0.45),
        layout="constrained", squeeze=False,
    )  # fmt: skip
    for t in range(num_frames):
        for axis, channel in zip(axes[t], channels):
            axis.imshow(latents[channel, t], cmap="RdBu", vmin=-3, vmax=3)
            axis.set(xticks=[], yticks=[])
            if t == 0:
                axis.set_title(f"{channel}", fontsize=9)
        axes[t, 0].set_ylabel("frame 0" if t == 0 else f"{4 * t - 3}-{4 * t}", fontsize=8)
    figure.suptitle(title, fontsize=10)
    plt.close(figure)
    return figure


draw_latents(VAE.normalize(latents)[0], "The channels (columns) at five moments (rows, with the frames they hold)")

# %% [markdown]
# **What to see.** The scene is still there, coarsely: many channels look like a thumbnail in which something moves.
# That is no accident. All layers are local, so a place of the latent holds its own 8 x 8 pixels and a little of what
# lies around. A generator profits: neighbours in the picture are neighbours in the latent.
#
# *What does a channel carry?* Correlate each with six plain measures of the same 8 x 8 pixels and four frames, over 24
# clips. Then let all sixteen together predict each measure by a linear formula.

# %%
mixed = torch.cat([SpriteData("test").batch(range(12)).clips(), as_clips(FilmData("test").batch(range(12)))])
mixed_latents = torch.cat([encode(part) for part in mixed.split(8)])


def cells(values):
    """Means over 4 frames and 8 x 8 pixels, without the first frame: `(B, 16, 64, 64)` to one row of numbers."""
    return F.avg_pool3d(values[:, None, -16:], (4, 8, 8)).flatten()


red, green, blue = mixed.unbind(1)  # (B, T, H, W) each
light = (red + green + blue) / 3
MEASURES = {
    "brightness": cells(light),
    "red - green": cells(red - green),
    "yellow - blue": cells((red + green) / 2 - blue),
    "upright edges": cells(F.pad(light.diff(dim=3).abs(), (0, 1))),
    "level edges": cells(F.pad(light.diff(dim=2).abs(), (0, 0, 0, 1))),
    "change in time": cells(light[:, 1:].sub(light[:, :-1]).abs()),
}
measured = torch.stack(list(MEASURES.values()), dim=1)  # (N, 6)
carried = mixed_latents[:, :, 1:].permute(0, 2, 3, 4, 1).reshape(-1, CHANNELS)  # (N, C), in the same order
together = torch.corrcoef(torch.cat([carried, measured], dim=1).T)[:CHANNELS, CHANNELS:].abs()  # (C, 6)

design = torch.cat([carried, torch.ones(len(carried), 1)], dim=1)
left = measured - design @ torch.linalg.lstsq(design, measured).solution
explained = 1 - left.var(dim=0) / measured.var(dim=0)

figure, axis = plt.subplots(figsize=(8.6, 3.0), layout="constrained")
table = axis.imshow(together.T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
labels = [f"{name}  ({part:.0%})" for name, part in zip(MEASURES, explained.tolist())]
axis.set(xticks=range(CHANNELS), yticks=range(6), yticklabels=labels, xlabel="latent channel")
axis.set_title("Correlation of each channel with each measure; in brackets: what all explain together", fontsize=10)
figure.colorbar(table)
plt.show()

# %% [markdown]
# **What to see.** A few channels lean to one thing, brightness above all; most are mixtures. Little in the training
# asks for more: a decoder can undo any mixture. Together they carry brightness and colour so plainly that a linear
# formula reads them off. How *much* edge or change there is, whichever its sign and place, such a formula hardly finds.
#
# How many of the sixteen are needed? Drag the number of channels that are kept, the strongest directions first
# (principal components of the normalised latents); the others are set to their mean.

# %%
normal = VAE.normalize(mixed_latents)
directions = torch.linalg.eigh(torch.cov(normal.movedim(1, -1).reshape(-1, CHANNELS).T)).eigenvectors.flip(1)  # (C, C)
film = as_clips(FilmData("test").batch([6]))


def kept_channels(keep):
    """A sprites clip and one of film, decoded from the `keep` strongest directions."""
    basis = directions[:, :keep] @ directions[:, :keep].T
    pictures, labels = [], []
    for original in (clip, film):
        thin = torch.einsum("oc,bcthw->bothw", basis, VAE.normalize(encode(original)))
        back = decode(VAE.denormalize(thin))
        pictures += [original[0, :, 8:9], back[0, :, 8:9]]
        labels += ["original", f"{psnr(back, original):.1f} dB"]
    return show.contact_sheet(torch.cat(pictures, dim=1), labels=labels, columns=4, width=112)


explore(kept_channels, keep=[CHANNELS, CHANNELS // 2, CHANNELS // 4, CHANNELS // 8])

# %% [markdown]
# More channels, better pictures, less compression: the choice between 4, 8 and 16 is made once, and everything built on
# top has to live with it. Models of 2023 had 4; many since have 16.

# %% [markdown]
# ## Nothing looks ahead
#
# The encoder is *causal*: a latent depends on its own frames and on earlier ones, on none after them. Two things
# follow, both of them exact. **An image is a clip of one frame**, and the first latent of a clip is the latent of its
# first frame:

# %%
image = clip[:, :, :1]
gap = (encode(image) - latents[:, :, :1]).abs().max().item()
print(f"an image {tuple(image.shape)} has the latent {tuple(encode(image).shape)}")
print(f"largest difference from the clip's first latent: {gap:.1e}, of values up to {latents.abs().max():.1f}")

# %% [markdown]
# To see causality, disturb it. Replace one frame of the clip by a frame of another, and see which latents move; do this
# for each of the 17 frames. Then replace one latent, and see which frames of the decoded clip move.

# %%
changed_clips = clip.repeat(17, 1, 1, 1, 1)
for k in range(17):
    changed_clips[k, :, k] = sprites[1, :, k]
moved_latents = (torch.cat([encode(part) for part in changed_clips.split(9)]) - latents).abs().mean(dim=(1, 3, 4))

changed_latents, others = latents.repeat(5, 1, 1, 1, 1), encode(sprites[1:2])
for t in range(5):
    changed_latents[t, :, t] = others[0, :, t]
moved_frames = (decode(changed_latents) - restored).abs().mean(dim=(1, 3, 4))  # (5, 17)

figure, (first, second) = plt.subplots(1, 2, figsize=(9.4, 2.9), layout="constrained")
for axis, moved, names in (
    (first, moved_latents.T, ("frame that was replaced", "latent frame", "Encoder: which latents move")),
    (second, moved_frames, ("frame of the decoded clip", "latent that\nwas replaced", "Decoder: which frames move")),
):
    shown = torch.where(moved > 1e-5, moved, torch.nan)
    axis.set_facecolor("#e9e6dd")
    drawn = axis.imshow(shown / moved.max(), cmap="YlOrBr", aspect="auto", norm="log", vmin=1e-3, vmax=1)
    axis.set(xlabel=names[0], ylabel=names[1], xticks=range(0, 17, 2), yticks=range(5))
    axis.set_title(names[2], fontsize=10)
figure.colorbar(drawn, label="mean change / largest")
plt.show()

before_change = [moved_latents[k, : -(-k // 4)] for k in range(17)]  # frame k is in latent ceil(k / 4)
before_latent = [moved_frames[t, : max(0, 4 * t - 3)] for t in range(5)]
print(f"latents before the replaced frame moved by at most {torch.cat(before_change).max():.1e}")
print(f"frames before the replaced latent moved by at most {torch.cat(before_latent).max():.1e}")

# %% [markdown]
# **What to see.** Grey is *nothing at all*, but for the rounding of `float32`: a staircase with steps of four frames.
# What comes before the change knows nothing of it. What comes after does, less and less.
#
# **Streaming** follows. Whoever never looks ahead can work as the frames come. The encoder takes four frames at a time,
# hands on a *cache* (the last few values that its convolutions looked at), and forgets the rest. The same numbers come
# out, and the memory does not grow with the film:

# %%
frames = video.read_frames(clip_path("flower_sniff"), range(0, 97), size=64)
stream = video.frames_to_clip(frames)[None, :, :, :, 1:113]  # (1, 3, 97, 64, 112): rows and columns in eights
whole = encode(stream)


def cache_size(caches):
    """Bytes of everything that is handed on."""
    if isinstance(caches, torch.Tensor):
        return caches.numel() * caches.element_size()
    return sum(map(cache_size, caches))


pieces, caches, sizes = [], None, {}
for piece in (stream[:, :, :1], *stream[:, :, 1:].split(4, dim=2)):
    dist, caches = VAE.encode_chunk(piece, caches)
    pieces.append(dist.mode())
    sizes[sum(part.shape[2] for part in pieces)] = cache_size(caches)
gap = (torch.cat(pieces, dim=2) - whole).abs().max()
print(f"{stream.shape[2]} frames to {whole.shape[2]} latents, in {len(pieces)} pieces; largest difference {gap:.1e}")
print("cache after 1, 5, 20 and 25 latents: " + ", ".join(f"{sizes[k] / 1e3:.0f} kB" for k in (1, 5, 20, 25)))

caches, back = None, []
for piece in whole.split(1, dim=2):
    frames, caches = VAE.decode_chunk(piece, caches)
    back.append(frames.clamp(-1, 1))
back = torch.cat(back, dim=2)
gap = (back - decode(whole)).abs().max()
print(f"decoded latent by latent: largest difference {gap:.1e}; {psnr(back, stream):.1f} dB")
show.strips({"97 frames of a shot": stream[0], "encoded and decoded as they came": back[0]}, num_frames=5, width=150)

# %% [markdown]
# This shot is nearly six times longer than any clip in the training, and wider. Local layers do not mind.

# %% [markdown]
# ## Frame by frame
#
# The plain way to make video latents is to take an image autoencoder and code every frame by itself. Here the same
# weights can do both: a clip of one frame is an image. So compare: 17 frames coded as one clip, and as 17 images.

# %%
def by_frames(clips):
    """Each frame coded as an image; the same shapes as the clips."""
    images = clips.movedim(2, 1).flatten(0, 1)[:, :, None]  # (B T, 3, 1, H, W)
    restored = torch.cat([decode(encode(part)) for part in images.split(68)])
    return restored.squeeze(2).unflatten(0, (-1, clips.shape[2])).movedim(1, 2)


films = as_clips(FilmData("test").batch(range(8)))
print(f"{'':9}{'':15}{'latents':>9}{'PSNR':>10}{'change':>9}{'change of still pixels':>25}")
for name, clips in (("sprites", sprites[:8]), ("film", films)):
    for way, restore, count in (("as clips", lambda x: decode(encode(x)), 5), ("as 17 images", by_frames, 17)):
        found = Reconstruction()
        found.add(restore(clips), clips)
        result = found.result()
        still = f"{result['static_change']:.2f} of 255" if result.get("static_part", 0) > 0.01 else "(none is still)"
        print(f"{name:9}{way:15}{count:9}{result['psnr']:7.1f} dB{result['change_ratio']:8.2f}x{still:>25}")

# %% [markdown]
# Coding by frames spends more than three times the latents, and by PSNR alone one would say: well spent. *Change* is
# how much the reconstruction changes from frame to frame, as a multiple of what the original does: above 1 is flicker,
# below 1 is lost motion. The last column takes the pixels that never change in the original, and asks how much they
# change after all. A model that saw only images would have no reason to keep any of these right: each frame is rounded
# by itself, whatever the frame before it was rounded to.

# %% [markdown]
# ## Reconstruction and flicker
#
# Whatever the decoder trembles, no generator can take back. A number for a whole clip hides it; a map does not. Below,
# the mean change from one frame to the next, for each pixel, 20 times enlarged: in the original, in the clip as it
# comes back, and in the 17 images. Black never changes.

# %%
def is_calm(clip):
    """How many pixels never change; a clip with something in motion over a background that stands still."""
    part = static_pixels(clip[None]).float().mean().item()
    return part if part < 0.9 else 0.0


calm = max(sprites, key=is_calm)[None]
maps = {}
for name, frames in (("original", calm), ("as a clip", decode(encode(calm))), ("as 17 images", by_frames(calm))):
    change = frames[0].diff(dim=1).abs().mean(dim=(0, 1)) / 2  # (H, W), of the full range
    maps[name] = (20 * 255 * change).clamp(0, 255).to(torch.uint8)[..., None].expand(-1, -1, 3).numpy()
first_frame = ((calm[0, :, 0] + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
show.side_by_side({"the first frame": first_frame} | maps, width=200)

# %% [markdown]
# **What to see.** What lights up outside the path of the moving object is flicker: it was not in the original. Images
# have none where a whole neighbourhood keeps still, because equal frames are coded equally, and some around everything
# that moves. A clip may tremble anywhere, since its latents mix four frames and remember more; it has to *learn* to
# keep still. The loss that trained these weights has a term for just this: the difference of the changes from frame to
# frame.

# %% [markdown]
# ## Quality against size
#
# Is it good compression? Put it beside two honest rivals at the same number of bytes: **shrinking** the clip (averages
# over blocks, drawn large again by interpolation), and the **codecs**, JPEG for each frame and H.264 for the clip.
# Counted is what carries the pictures; containers and JPEG's tables are left out, which favours the codecs on clips
# this small. The latents count as `float16` first, and then rounded to steps of a part of each channel's spread, with
# the bytes that an ideal packer would need for each channel by itself (its entropy).

# %%
def shrunk(clips, frames, pixels):
    """Means over `frames` x `pixels` x `pixels`, rounded to bytes, enlarged again. The first frame has its own."""
    first, rest = clips[:, :, :1], clips[:, :, 1:]
    small = torch.cat([F.avg_pool3d(first, (1, pixels, pixels)), F.avg_pool3d(rest, (frames, pixels, pixels))], dim=2)
    small = ((small + 1) * 127.5).round() / 127.5 - 1
    parts = [F.interpolate(part, size=(count, 64, 64), mode="trilinear") for part, count in
             ((small[:, :, :1], 1), (small[:, :, 1:], clips.shape[2] - 1))]  # fmt: skip
    return torch.cat(parts, dim=2), small[0].numel()


def as_frames(clip):
    """`(3, T, H, W)` to uint8 `(T, H, W, 3)`."""
    return ((clip + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 3, 0).numpy()


def jpeg(clips, quality):
    restored, size = [], 0
    for clip in clips:
        frames = []
        for frame in as_frames(clip):
            buffer = io.BytesIO()
            Image.fromarray(frame).save(buffer, "JPEG", quality=quality, optimize=True, subsampling=0)
            size += len(buffer.getvalue()) - buffer.getvalue().index(b"\xff\xda")  # from the start of the scan
            frames.append(np.array(Image.open(buffer)))
        restored.append(video.frames_to_clip(np.stack(frames)))
    return torch.stack(restored), size / len(clips)


def h264(clips, crf):
    restored, size = [], 0
    for clip in clips:
        coder, reader = av.CodecContext.create("libx264", "w"), av.CodecContext.create("h264", "r")
        coder.width = coder.height = 64
        coder.pix_fmt, coder.time_base, coder.framerate = "yuv444p", Fraction(1, 8), 8
        coder.options = {"crf": str(crf), "preset": "veryslow", "x264-params": "threads=1:info=0"}
        pictures = [av.VideoFrame.from_ndarray(frame) for frame in as_frames(clip)]
        packets = [packet for picture in [*pictures, None] for packet in coder.encode(picture)]
        size += sum(packet.size for packet in packets)
        frames = [frame.to_ndarray(format="rgb24") for packet in [*packets, None] for frame in reader.decode(packet)]
        restored.append(video.frames_to_clip(np.stack(frames)))
    return torch.stack(restored), size / len(clips)


def rounded(clips, step):
    """Latents rounded to steps of `step` standard deviations, and the bytes of an ideal code for each channel."""
    levels = (VAE.normalize(encode(clips)) / step).round()
    bits = 0.0
    for channel in levels.movedim(1, 0):
        share = channel.unique(return_counts=True)[1] / channel.numel()
        bits += -(share * share.log2()).sum().item() * channel[0].numel()
    return decode(VAE.denormalize(levels * step)), bits / 8


RIVALS = {
    "shrunk": (lambda x, how: shrunk(x, *how), [(4, 8), (4, 4), (2, 4), (4, 2), (2, 2), (1, 2)], "#777777", "s"),
    "JPEG, each frame": (jpeg, [2, 5, 10, 30, 60, 85, 95], OLIVE, "^"),
    "H.264": (h264, [44, 38, 32, 26, 20, 14], RUST, "o"),
    "latents, rounded": (rounded, [4.0, 2.0, 1.0, 0.5, 0.25], BLUE, "D"),
}
raw = clip[0].numel()
figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.3), layout="constrained", sharey=True)
for axis, (name, clips) in zip(axes, (("sprites, held out", sprites[:6]), ("film, held out", films[:6]))):
    at_equal_bytes = {"original, 208,896 B": clips[0]}
    for rival, (restore, settings, colour, mark) in RIVALS.items():
        found = [restore(clips, how) for how in settings]
        axis.plot([raw / size for _, size in found], [psnr(back, clips) for back, _ in found], marker=mark,
                  color=colour, label=rival, markersize=5)  # fmt: skip
        back, size = min(found, key=lambda pair: abs(np.log(pair[1] / 2500)))
        at_equal_bytes[f"{rival.split(',')[0]}: {size:,.0f} B, {psnr(back[:1], clips[:1]):.1f} dB"] = back[0]
    plain = psnr(decode(encode(clips)), clips)
    axis.plot(raw / (2 * latents.numel()), plain, marker="*", color=BLUE, markersize=13, linestyle="none",
              label="latents, float16")  # fmt: skip
    axis.set(xscale="log", xlabel="times smaller than 8-bit pixels", title=name, ylim=(12, 50))
    print(f"{name:18} plain latents: {raw / (2 * latents.numel()):.1f} times smaller, {plain:.1f} dB")
axes[0].set_ylabel("PSNR (dB)")
axes[1].legend(fontsize=8)
plt.show()

# %% [markdown]
# And what that looks like: a clip of film at about 2,500 bytes, 80 times less than its pixels.

# %%
pictures = torch.cat([part[:, 8:9] for part in at_equal_bytes.values()], dim=1)
show.contact_sheet(pictures, labels=list(at_equal_bytes), columns=5, width=190)

# %% [markdown]
# **What to see.** Shrinking blurs. JPEG, which knows nothing of time, falls apart at this size. H.264 is the best:
# twenty years of care went into its packing, and none into the autoencoder's, whose `float16` wastes most of what it
# stores: rounded to half a standard deviation, the second diamond from the left, the latents lose little and need a
# fraction of the bytes.
#
# So why not generate H.264? Because its bytes mean nothing by themselves: flip one, and the rest of the clip is lost.
# Latents are a **grid of numbers, each in its place**: a small mistake in one is a small mistake in 8 x 8 pixels. That
# is what a diffusion model, which never gets a number exactly right, can live with. Try it:

# %%
def disturbed(noise):
    """The clip and the film, decoded from latents with noise of `noise` standard deviations on every number."""
    pictures, labels = [], []
    for original in (clip, film):
        z = VAE.normalize(encode(original))
        z = z + noise * torch.randn(z.shape, generator=torch.Generator().manual_seed(0))
        back = decode(VAE.denormalize(z))
        pictures.append(back[0, :, [0, 8]])
        labels += [f"frame {k}: {psnr(back[:, :, [k]], original[:, :, [k]]):.1f} dB" for k in (0, 8)]
    return show.contact_sheet(torch.cat(pictures, dim=1), labels=labels, columns=4, width=112)


explore(disturbed, noise=[0.1, 0.3, 1.0])

# %% [markdown]
# ## Trained with images, and in two stages
#
# The recipe of these weights is in `common/zoo/sprites_vae/recipe.py`. Every step codes clips and, from each of
# them, one frame by itself, as an image: the same layers serve both, and a frame from the middle of a clip is seen with
# nothing before it. How well does the same frame come back either way?

# %%
for name, clips in (("sprites", sprites[:8]), ("film", films)):
    middle = clips[:, :, 8:9]
    as_image, as_video = psnr(decode(encode(middle)), middle), psnr(decode(encode(clips))[:, :, 8:9], middle)
    print(f"{name:8} frame 8 of each clip: {as_image:.1f} dB coded as an image, {as_video:.1f} dB within its clip")

# %% [markdown]
# The generator comes in a **second stage**. The autoencoder is frozen then, so the latents of a training clip never
# change: they are computed once and kept on the disk. Any data set goes through any encoder that way, captions and all;
# the key says which data and which weights, so that latents of other weights are never mixed in.

# %%
data = SpriteData("train")
begin = time.perf_counter()
cache = latent_cache.fill(f"{FOLDER.name}/latents", data, lambda batch: VAE.normalize(encode(batch.clips())),
                          num_samples=32, encoder=latent_cache.weights_key(VAE), shard_size=16)  # fmt: skip
encoding = (time.perf_counter() - begin) / 32
cache.batch([0])
begin = time.perf_counter()
for start in range(0, 320, 8):
    batch = cache.batch(range(start, start + 8))
reading = (time.perf_counter() - begin) / 320
print(cache.key.split(" by ")[0])
print(f"batch.latents {tuple(batch.latents.shape)} {batch.latents.dtype}, and {batch.fields['captions'][0]!r}")
print(f"mean {batch.latents.float().mean():+.2f}, standard deviation {batch.latents.float().std():.2f}: those of noise")
print(f"reading is at least 50 times faster than drawing and encoding: {encoding > 50 * reading}")

# %% [markdown]
# `normalize` brought every channel to mean 0 and standard deviation 1 (the statistics are in the model's config): the
# noise of a diffusion model has that scale, and so should what it is mixed with.
#
# ## What you can now say
#
# - Latents shrink a clip 40 to 48 times in numbers, and the pairs that attention compares tens of thousands of times.
# - A latent is a small, smooth picture of its own place; no channel means one thing.
# - Causal: 1 + 4k frames to 1 + k latents; an image is a clip of one frame; pieces give what the whole gives.
# - Measure flicker where nothing moves, not only PSNR.
# - A codec packs better. Latents forgive mistakes, and that is why generators use them.
# - First the autoencoder, then, with it frozen and its latents on the disk, the generator.
#
# *Film: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0.*
