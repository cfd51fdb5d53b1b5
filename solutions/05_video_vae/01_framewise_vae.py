# %% [markdown]
# # Lab 05.1 · A 2D VAE, frame by frame
#
# **What you will have at the end:** an image VAE run over video, frame by frame, and the measurement that shows what it
# costs: sensor noise that a video VAE averages away comes back as **flicker**.
#
# | | |
# |---|---|
# | time | about 50 minutes |
# | difficulty | ★★☆☆☆ |
# | before this | [A clip made small](../../phases/05_video_vae/01_latent_compression.ipynb), and `warp` of lab 01.3 |
# | the clips | sprites, whose true motion is known, and *Big Buck Bunny*, © 2008 Blender Foundation, CC BY 3.0 |
#
# | preset | clips `(T, H, W)` | how many | all cells take about |
# |---|---|---|---|
# | `ci` | (17, 64, 64) | 6 | 15 s |
# | `cpu` (default) | (17, 64, 64) | 24 | 50 s |
# | `gpu` | (17, 64, 64) | 96 | 3 min, on the processor |
#
# `FLIPBOOK_PRESET` chooses the preset. Nothing is trained here: both coders ship with the course.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import torch
from diffusers import AutoencoderKL, AutoencoderKLTemporalDecoder
from einops import rearrange, repeat

from common import show
from common.course import check
from common.data.film import FilmData
from common.data.sprites import SpriteData
from common.evaluation.reconstruction import clip_psnr, mean_frame
from common.flow import warp
from common.models.autoencoder import CausalVideoVAE
from common.models.frame_autoencoder import FrameAutoencoder
from common.models.image_vae import TINY, ImageVAE, load_image_vae
from common.progress import progress_bar
from common.runtime import limit_threads, preset

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 80
NUM_CLIPS = {"ci": 6, "cpu": 24, "gpu": 96}[preset()]
NUM_FRAMES, SIZE, FPS = 17, 64, 8
BLUE, RUST, GREY, OLIVE = "#1f6f8b", "#b3541e", "0.6", "#8a7a2f"

# %%
FRAMES = FrameAutoencoder.from_pretrained("sprites-frame-vae").float().eval()  # 2D: it codes each frame alone
VIDEO = CausalVideoVAE.from_pretrained("sprites-vae").float().eval()  # 3D: four frames become one latent
WORLD = SpriteData("test", NUM_FRAMES, SIZE)
CLIPS, TRUTH = WORLD.batch(range(NUM_CLIPS)).clips(), WORLD.truth(range(NUM_CLIPS))  # (B, 3, T, H, W) in [-1, 1]
NOISE = torch.randn(CLIPS.shape, generator=torch.Generator().manual_seed(0))


def mean_psnr(restored, target):
    """The mean over clips of each clip's PSNR, in dB."""
    return clip_psnr(restored, target, data_range=2).mean().item()


# %% [markdown]
# ## Where you are heading
#
# A picture is filmed for two seconds. Nothing moves, but the sensor adds a little noise to every frame, 6 levels of
# 255. Both coders have 1.74 million weights and spend nearly the same number of numbers on a clip. Below is what
# *changes* in the error that each of them makes, 32 times enlarged. Grey is calm.


# %% tags=["demo"] draws="What changes in the error, ×32. Left: frame by frame. Right: as video."
def trembling(restored, target, factor=32):
    """What changes in the error of each frame: the error minus its mean over time, enlarged, for viewing."""
    error = restored - target
    return (factor * (error - mean_frame(error))).clamp(-1, 1)


ONE = 4
still = repeat(CLIPS[ONE, :, 0], "c h w -> 1 c t h w", t=NUM_FRAMES)
noisy = still + NOISE[ONE : ONE + 1] * (2 * 6 / 255)
pair = [trembling(coder(noisy).sample, still)[0] for coder in (FRAMES, VIDEO)]
display(show.player(torch.cat(pair, dim=-1), fps=FPS, width=256, max_bytes=60_000, caption="frame by frame | as video"))
show.strips({"noisy": noisy[0], "frame by frame": pair[0], "as video": pair[1]}, num_frames=5, width=72)

# %% [markdown]
# **A prediction.** Noise of 3 levels: by what factor does the error of the frame coder change more, from frame to
# frame, than that of the video coder? And by what factor with *no* noise at all? Write both down. The plot at the
# end of this lab has the answers.

# %% [markdown] about="encode_frames" difficulty=1 importance=5 minutes=5
# ## Folding time into the batch
#
# An image VAE knows no time. So every frame becomes an image of its own: `(B, 3, T, H, W)` becomes `(B·T, 3, 1, H, W)`.
# Afterwards the latents are unfolded again. This is how Stable Diffusion's VAE codes video in AnimateDiff and in Stable
# Video Diffusion.
#
# | quantity | shape | six clips |
# |---|---|---|
# | `clips` | `(B, 3, T, H, W)` | (6, 3, 17, 64, 64) |
# | what the VAE gets | `(B·T, 3, 1, H, W)` | (102, 3, 1, 64, 64) |
# | result | `(B, C, T, H/8, W/8)` | (6, 5, 17, 8, 8) |

# %% exercise="encode_frames" from="common.models.frame_autoencoder:encode_frames"

# %% check="encode_frames"

# %% [markdown] hints="encode_frames"
# 1. Two axes become one, the VAE runs once, and one axis becomes two again. Which axis holds the clips, and which the
#    frames?
# 2. `rearrange(clips, "b c t h w -> (b t) c 1 h w")` folds. The way back needs one number that the folded tensor has
#    forgotten: `b=len(clips)`.
# 3. `posterior = vae.encode(images).latent_dist`. Without a generator take `posterior.mode()`, with one
#    `posterior.sample(generator)`. Then `rearrange(latents, "(b t) c 1 h w -> b c t h w", b=len(clips))`.

# %% [markdown] troubles="encode_frames"
# - **The shapes are right and the frames are scrambled.** `reshape` keeps the numbers in their old order, where
#   channels come before frames. Move the axes first, or let `rearrange` do it.
# - **Clips are mixed with each other.** You fold as `(t b)` and unfold as `(b t)`. Use the same order both times.

# %% [markdown] about="decode_frames" difficulty=1 importance=3 minutes=3
# ## Decoding frame by frame
#
# The way back: the decoder draws each latent as an image. Nothing is clamped, so that gradients can pass.

# %% exercise="decode_frames" from="common.models.frame_autoencoder:decode_frames"

# %% check="decode_frames"

# %% [markdown] hints="decode_frames"
# 1. It is the same folding, the other way round.
# 2. `vae.decode(folded).sample` is `(B·T, 3, 1, H, W)`.
# 3. `rearrange(latents, "b c t h w -> (b t) c 1 h w")`, decode, then `"(b t) c 1 h w -> b c t h w"` with
#    `b=len(latents)`.

# %% [markdown] troubles="decode_frames"
# - **It fails for latents of another number of channels.** The channels of latents and of pictures differ. Do not write
#   either number down.

# %% [markdown]
# Both coders at work on clips that move, and the error that each leaves, 8 times enlarged.


# %% tags=["demo"] draws="Above: the clip and both restorations. Below: both errors, ×8."
def by_frames(clips):
    """There and back with your two functions."""
    return decode_frames(FRAMES, encode_frames(FRAMES, clips))


def as_video(clips):
    """There and back with the video VAE: its most likely latents."""
    return VIDEO.decode(VIDEO.encode(clips).latent_dist.mode()).sample


CODERS = {"frame by frame": by_frames, "as video": as_video}
restored = {name: coder(CLIPS) for name, coder in CODERS.items()}
errors = [(8 * (clips - CLIPS)[ONE]).clamp(-1, 1) for clips in restored.values()]
above = torch.cat([CLIPS[ONE], *(clips[ONE] for clips in restored.values())], dim=-1)
caption = "the clip | frame by frame | as video"
display(show.player(above.clamp(-1, 1), fps=FPS, width=336, max_bytes=40_000, caption=caption))
caption = "error × 8: frame by frame | as video"
display(show.player(torch.cat(errors, dim=-1), fps=FPS, width=224, max_bytes=50_000, caption=caption))
for name, clips in restored.items():
    print(f"{name:15} {mean_psnr(clips, CLIPS):.1f} dB")

# %% [markdown]
# **What to see.** Both lose a little at edges, in the same places, and PSNR is nearly the same. By PSNR alone you would
# not pay for a video VAE. Hold that thought.
#
# ### The same call at real scale
#
# Your two functions run Stable Diffusion's VAE as they are. If its weights are on this machine, they are used here. If
# not, an untrained one of the same class shows the calls. The second line is Stable Video Diffusion's answer to
# flicker: it kept the frame-by-frame encoder and gave the *decoder* layers in time.


# %% tags=["demo"] draws="Which frames move when one latent changes: one, or many."
def reached(decode, latents, frame=2):
    """The frames that move when the latent of one frame changes."""
    changed = latents.clone()
    changed[frame] += 1
    moved = (decode(changed) - decode(latents)).abs().amax(dim=(1, 2, 3))  # (T,)
    return [t for t, change in enumerate(moved) if change > 1e-6]


torch.manual_seed(0)
try:
    image_vae, which = load_image_vae(), "stabilityai/sd-vae-ft-mse"
except OSError:
    image_vae, which = ImageVAE(AutoencoderKL(**TINY).eval()), "an untrained AutoencoderKL, 25 thousand weights"
temporal = AutoencoderKLTemporalDecoder(block_out_channels=(32,) * 4, down_block_types=TINY["down_block_types"]).eval()
latents = encode_frames(image_vae, CLIPS[:1, :, :5])
shapes = " -> ".join(str(tuple(x.shape)) for x in (CLIPS[:1, :, :5], latents, decode_frames(image_vae, latents)))
print(f"{which}: {shapes}")
flat = rearrange(latents, "1 c t h w -> t c h w")
print("AutoencoderKL:                latent 2 reaches frames", reached(lambda z: image_vae.vae.decode(z).sample, flat))
print("AutoencoderKLTemporalDecoder: latent 2 reaches frames",
      reached(lambda z: temporal.decode(z, num_frames=5).sample, flat))  # fmt: skip

# %% [markdown] about="equal_rate" difficulty=2 importance=4 minutes=7
# ## Equal rate
#
# Who gets more numbers draws better pictures, so a comparison of two coders is fair only at **equal rate**: as many
# numbers per clip. A causal video VAE makes $1 + k$ latents of $T = 1 + k\,r$ frames, and a frame coder makes $T$. With
# $C$ channels at $s$ times fewer rows and columns on one side, and $C'$ channels at $f$ times fewer on the other,
#
# $$ C \,(1 + k)\, \frac{H}{s} \frac{W}{s} \;=\; C' \, T \, \frac{H}{f} \frac{W}{f} . $$
#
# Solve for $C'$. Channels are whole, so the nearest whole number has to do.
#
# | quantity | example |
# |---|---|
# | `num_frames`, $T$ | 17 |
# | `latent_channels`, $C$ | 16 |
# | `temporal_compression_ratio`, $r$ | 4 |
# | `spatial_compression_ratio`, $s$, and `frame_compression_ratio`, $f$ | 8 and 8 |
# | result, $C'$ | 5 (exactly: 4.71) |

# %% exercise="equal_rate" from="common.models.frame_autoencoder:equal_rate"

# %% check="equal_rate"

# %% [markdown] hints="equal_rate"
# 1. $k = (T - 1) / r$. Then $C' = C\,(1 + k)\,f^2 / (T\,s^2)$.
# 2. `k, rest = divmod(num_frames - 1, temporal_compression_ratio)`: a rest means that the clip has the wrong length.
# 3. Check that all five numbers are at least 1, and that there is no rest. Then `max(1, round(C * (1 + k) * f**2 / (T *
#    s**2)))`.

# %% [markdown] troubles="equal_rate"
# - **It says 4 where 5 is right.** You divide by $r$. The first frame has a latent of its own, which counts most in
#   short clips.
# - **It says 0.** Heavy compression can ask for less than half a channel. No coder has less than one.

# %% tags=["demo"] draws="What frame coders may spend beside known video VAEs."
KNOWN = {  # frames, channels, frames per latent, pixels per latent each way
    "sprites-vae": (17, 16, 4, 8), "CogVideoX": (49, 16, 4, 8), "Wan 2.1": (81, 16, 4, 8),
    "HunyuanVideo": (129, 16, 4, 8), "Mochi": (163, 12, 6, 8), "LTX-Video": (121, 128, 8, 32),
}  # fmt: skip
for name, sizes in KNOWN.items():
    print(f"{name:13} {sizes[0]:4} frames, {sizes[1]:3} channels: equal to {equal_rate(*sizes)} channels per frame")
counts = [encode_frames(FRAMES, CLIPS[:1]).numel(), VIDEO.encode(CLIPS[:1]).latent_dist.mode().numel()]
print(f"Counted here: {counts[0]} numbers per clip frame by frame, {counts[1]} as video")

# %% [markdown]
# Stable Diffusion's VAE has 4 channels per frame. At the lengths that they are made for, Wan, HunyuanVideo and
# CogVideoX spend just as many numbers. So what do they buy with them?

# %% [markdown] about="change_of_error" difficulty=3 importance=5 minutes=15
# ## Change of error
#
# A coder may be wrong in two ways. If it draws an edge too soft in every frame, that is blur, and the eye forgives it.
# If the error changes from frame to frame, that is flicker. So look at the error $e = \hat x - x$, and at how it
# *changes*. What moves takes its blur along with it, so follow the true flow $v$:
#
# $$ \text{change} = \operatorname{mean} \bigl| \, e_{t+1}(p + v_t(p)) - e_t(p) \, \bigr| $$
#
# over channels and over all places $p$ of frame $t$ whose end can still be seen in frame $t + 1$. The unit is a level,
# 1/255 of the range of a pixel.
#
# | quantity | shape |
# |---|---|
# | `preds` $\hat x$, `target` $x$ | `(B, C, T, H, W)` |
# | `flow` $v$, or None where nothing moves | `(B, 2, T-1, H, W)` |
# | `visible`, or None for everywhere | `(B, T-1, H, W)` |
# | result | `(B,)` levels |
#
# `warp(image, flow)` of lab 01.3 takes `(N, C, H, W)` and `(N, 2, H, W)`: fold the pairs of frames into the batch.

# %% exercise="change_of_error" from="common.evaluation.flicker:change_of_error"

# %% check="change_of_error"

# %% [markdown] hints="change_of_error"
# 1. Get the error first, in levels. Then you have frames 0 to T-2 (now) and 1 to T-1 (after). Which of the two must be
#    warped, so that both are at the places of frame $t$?
# 2. `after` is warped: `warp(rearrange(after, "b c t h w -> (b t) c h w"), …)` with the flow folded alike, then
#    unfolded with `b=len(error)`. The range of a pixel has 255 levels, so multiply by `255 / data_range`.
# 3. `change = (after - now).abs().mean(dim=1)` is `(B, T-1, H, W)`. Without `visible`, take its mean over the last
#    three axes. With it, `(change * visible).sum(dim=(1, 2, 3)) / visible.sum(dim=(1, 2, 3))`. Refuse unequal shapes
#    and a single frame before all that.

# %% [markdown] troubles="change_of_error"
# - **It is half of what it should be.** Clips in [-1, 1] have a range of 2. One level is 2/255 of it.
# - **It is large although the coder is calm.** You warp frame $t$. The flow belongs to the places of frame $t$ and says
#   where to look in frame $t + 1$.
# - **One clip changes the result of another.** Places are counted per clip. Leave the batch out of every mean.

# %% [markdown]
# Your measure on clips that move, without any noise: this is the **control**. Beside it, the same without the flow.
# That number says more about how much the clip moves than about the coder. The last column draws its latents from the
# posterior, as training does, in place of the most likely ones, and its clips are still.

# %% tags=["demo"] draws="Change of error on clean clips; then what a draw adds."
ALONG = (TRUTH.flow, TRUTH.flow_visible)
stills = repeat(CLIPS[:, :, 0], "b c h w -> b c t h w", t=NUM_FRAMES)
drawn = {
    "frame by frame": decode_frames(FRAMES, encode_frames(FRAMES, stills, torch.Generator().manual_seed(0))),
    "as video": VIDEO.decode(VIDEO.encode(stills).latent_dist.sample(torch.Generator().manual_seed(0))).sample,
}
clean = {}
print(f"{'change of error, levels':24}{'clips that move':>17}{'no flow':>9}{'still, mode':>13}{'still, a draw':>15}")
for name, coder in CODERS.items():
    clean[name] = change_of_error(restored[name], CLIPS, *ALONG).mean()
    blind = change_of_error(restored[name], CLIPS).mean()
    calm, draw = (change_of_error(clips, stills).mean() for clips in (coder(stills), drawn[name]))
    print(f"{name:24}{clean[name]:17.2f}{blind:9.2f}{calm:13.2f}{draw:15.2f}")
print(f"On clean clips that move: frame by frame / as video = {clean['frame by frame'] / clean['as video']:.2f}")

# %% [markdown]
# **What to see.** On clean clips there is little between the two. And where nothing moves, the frame coder is
# *perfectly* calm: equal frames have equal latents. It is the video coder that has a tremor of its own. **A trap:**
# draw from the posterior, and the calm is gone, since every frame draws other noise. Reconstruct with `mode()`.

# %% [markdown] about="noise_response" difficulty=2 importance=5 minutes=10
# ## Noise response
#
# Film is not clean. A sensor adds new noise to every frame, and a coder that sees one frame cannot know what was there
# before. Measure it where every change is the coder's fault: repeat an image $x$, add noise of $\sigma$ levels,
#
# $$ y_t = x + \tfrac{2 \sigma}{255} \, \varepsilon_t , \qquad \varepsilon_t \sim \mathcal N(0, I), $$
#
# give $y$ to the coder, and compare with the *clean* $x$. All levels and all coders share the same $\varepsilon$, so
# that what differs is the coder.
#
# | quantity | shape |
# |---|---|
# | `images`, $x$ | `(B, C, H, W)` in [-1, 1] |
# | `noise`, $\varepsilon$ | `(B, C, T, H, W)` |
# | `levels`, $\sigma$ | L numbers |
# | result | `(L, B)` levels |

# %% exercise="noise_response" from="common.evaluation.flicker:noise_response"

# %% check="noise_response"

# %% [markdown] hints="noise_response"
# 1. For each level: a noisy still clip, there and back, and your `change_of_error` without a flow.
# 2. `stills = repeat(images, "b c h w -> b c t h w", t=noise.shape[2])`. A level is `2 / 255` in units of [-1, 1].
# 3. `rows = [change_of_error(restore(stills + noise * (2 * level / 255)), stills) for level in levels]`, and
#    `torch.stack(rows)`.

# %% [markdown] troubles="noise_response"
# - **A coder that does nothing scores 0.** You compare with the noisy clip. The target is the clean one.
# - **The number of frames is a puzzle.** It is that of the noise.

# %% [markdown]
# ## The result to remember
#
# Both coders, beside two **baselines**: the noisy frames as they are, and the mean over time, the calmest coder there
# can be.

# %% tags=["demo"] draws="Change of error against noise: both coders, both baselines."
LEVELS = (0, 1, 2, 3, 6)
METHODS = {"frame by frame": (by_frames, RUST), "as video": (as_video, BLUE), "the noisy frames": (lambda x: x, GREY),
           "mean over time": (mean_frame, OLIVE)}  # fmt: skip
response = {
    name: noise_response(restore, CLIPS[:, :, 0], NOISE, LEVELS)
    for name, (restore, _) in progress_bar(METHODS.items(), desc="measuring", unit="method")
}
figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.0), layout="constrained")
for axis, hidden in zip(axes, (None, "the noisy frames")):
    for name, (_, colour) in METHODS.items():
        if name == hidden:
            continue
        axis.plot(LEVELS, response[name].mean(dim=1), color=colour, marker="o", markersize=4, label=name)
    axis.set(xlabel="sensor noise (levels of 255)", ylabel="change of error (levels)")
axes[0].set_title("with the noise itself", fontsize=10)
axes[1].set_title("without it", fontsize=10)
axes[0].legend(fontsize=8)
plt.show()
print(f"{'':18}" + "".join(f"{f'noise {level}':>9}" for level in LEVELS) + f"{'PSNR, moving, noise 3':>24}")
for name, (restore, _) in METHODS.items():
    row = "".join(f"{value:9.2f}" for value in response[name].mean(dim=1))
    print(f"{name:18}{row}{mean_psnr(restore(CLIPS + NOISE * 6 / 255), CLIPS):21.1f} dB")
ratio = response["frame by frame"].mean(dim=1) / response["as video"].mean(dim=1)
print(f"{'frames / video':18}" + "".join(f"{value:9.2f}" for value in ratio))

# %% tags=["demo"] draws="Another clip, noise of 6 levels: what changes in the error, ×32."
other = stills[2:3]
pair = [trembling(coder(other + NOISE[2:3] * (2 * 6 / 255)), other)[0] for coder in CODERS.values()]
show.player(torch.cat(pair, dim=-1), fps=FPS, width=256, max_bytes=60_000, caption="frame by frame | as video")

# %% [markdown]
# **What to see.** The frame coder's line starts at exactly 0 and is straight: whatever fraction of the noise its
# decoder lets through, it lets through at every level. The video coder starts higher, with its own tremor, and then
# hardly rises, because its latents average four frames. The lines cross between 1 and 3 levels. So "image VAEs flicker"
# is true of *noisy* film, and of clean animation it is not. Of the noise itself both coders let little more than a
# tenth through, since a frame's 12,288 numbers have to pass through about 300. But look at the PSNR: they buy that calm
# with blur, which costs more decibels than the noise did. The mean over time is calmest of all, and useless on clips
# that move.

# %% [markdown]
# ## On film
#
# Three shots that neither coder saw in training. The true flow is not known here, so the clips that move have PSNR
# only, and flicker is measured on stills.

# %% tags=["demo"] draws="Film: the window, frame by frame, as video; then both coders' numbers."
film = FilmData("test", NUM_FRAMES, SIZE).batch(range(NUM_CLIPS)).float() / 127.5 - 1
back = {name: coder(film).clamp(-1, 1) for name, coder in CODERS.items()}
LIVELY = film[:6].diff(dim=2).abs().mean(dim=(1, 2, 3, 4)).argmax()
caption = "film | frame by frame | as video"
display(show.player(torch.cat([film[LIVELY], *(clips[LIVELY] for clips in back.values())], dim=-1), fps=FPS, width=336,
                    max_bytes=60_000, caption=caption))  # fmt: skip
for name, coder in CODERS.items():
    zero, three, six = noise_response(coder, film[:, :, 0], NOISE, (0, 3, 6)).mean(dim=1)
    stills_say = f"stills with noise of 0, 3 and 6 levels: {zero:.2f}, {three:.2f}, {six:.2f}"
    print(f"{name:15} {mean_psnr(back[name], film):.1f} dB. Change of error, {stills_say}")
each = {name: clip_psnr(clips, film, data_range=2) for name, clips in (*back.items(), ("mean", mean_frame(film)))}
better = {name: (each[name] > each["mean"]).float().mean() for name in back}
print(*(f"{name}: better than the mean frame on {part:.0%} of the windows" for name, part in better.items()), sep="\n")

# %% [markdown]
# These two models were made for sprites. On film they blur, and a good part of the windows come back worse than their
# own mean frame. Under noise of 6 levels the order of the two is the same, and the factor is smaller.
#
# ## Try it

# %%
LEVEL, SHARED = 3, False  # SHARED: the same noise in every frame, such as the dirt on a lens

noise = NOISE[:, :, :1].expand_as(NOISE) if SHARED else NOISE
for name, coder in CODERS.items():
    print(f"{name:15} {noise_response(coder, CLIPS[:, :, 0], noise, [LEVEL])[0].mean():.2f} levels at noise {LEVEL}")

# %% [markdown] tags=["folded"]
# ## Going further
#
# **An ablation to run.** Where does the video coder's own tremor come from? Print the change of each pair of frames, on
# still clips without noise. Guess the period first.

# %%
pulse = (as_video(stills) - stills).diff(dim=2).abs().mean(dim=(0, 1, 3, 4)) * 127.5
print(" ".join(f"{value:.2f}" for value in pulse))

# %% [markdown]
# **Honest limits.** The video coder had six times as many minutes of training. The change of error counts every level
# alike, and the eye does not. On clips that move *and* have noise of 3 levels, errors at moving edges outweigh the
# noise, and the factor is small: measure it with `change_of_error(coder(CLIPS + NOISE * 6 / 255), CLIPS, *ALONG)`.
#
# **Reading.** *Align your Latents* (Blattmann et al. 2023, arXiv:2304.08818) finetunes the decoder of an image VAE on
# video, since its frames flicker otherwise. *Stable Video Diffusion* (arXiv:2311.15127) ships such a decoder.
# *Auto-Encoding Variational Bayes* (Kingma, Welling 2013, arXiv:1312.6114).

# %% [markdown]
# ## Yours now
#
# `encode_frames`, `decode_frames`, `equal_rate`, `change_of_error` and `noise_response` are parts of the library.
#
# **Next:** lab 05.2 trains a video VAE, which may average over time.
#
# *Film: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0.*
