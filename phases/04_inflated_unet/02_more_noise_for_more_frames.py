# %% [markdown]
# # More noise for more frames
#
# About 15 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# Take the noise levels of an image model, train a video model at them, and it disappoints: clips that look washed out,
# or all alike. Nothing is wrong in the code. The same noise that hides a picture does not hide a clip, because a clip
# shows the picture many times. This page states that as a theorem, measures it on real latents, and turns it into a
# training schedule. Nothing is trained.

# %% tags=["setup"]
import math

import matplotlib.pyplot as plt
import torch
from einops import rearrange

from common import show
from common.data.sprites import SpriteData
from common.data.sprites.attributes import FPS
from common.diffusion.schedules import shift_levels
from common.runtime import limit_threads
from common.zoo import from_pretrained

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 75
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "#9a9a9a"
VAE, T = from_pretrained("sprites-vae"), 16


def seeded(seed):
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# ## See it first
#
# A clip under heavy noise, twice. On the left every frame has noise of its own, on the right one picture of noise is
# on all frames. Each single frame is equally noisy.
#
# *Before you run on:* on which side will you recognise the object while it plays?

# %%
world = SpriteData("test", num_objects=1)
SCENES = world.scenes(range(120))
DYNAMIC = [i for i, s in enumerate(SCENES) if s.camera == "still" and s.objects[0].motion != "still"]
PANNED = [i for i, s in enumerate(SCENES) if s.camera.startswith("pan")]
STILL = [i for i, s in enumerate(SCENES) if s.camera == "still" and s.objects[0].motion == "still"]
clip = world.batch(STILL[:1]).clips()[0, :, :T]  # (3, 16, 64, 64)
fresh = torch.randn(clip.shape, generator=seeded(0))
noisy = [(clip + 2.0 * noise) / 3 for noise in (fresh, fresh[:, :1].expand_as(fresh))]
show.player(
    torch.cat(noisy, dim=3).clamp(-1, 1), FPS, width=256, max_bytes=90_000, caption="fresh noise | frozen noise"
)

# %% [markdown]
# Your eye averages over a few frames. Fresh noise averages out, frozen noise does not. A denoiser that sees all frames
# does the same, and better. Video models draw fresh noise for every frame, so it is the left side that counts.
#
# ## The square root of T
#
# Average T frames of a still clip, each with independent noise of standard deviation σ. The picture stays. The noise
# of the average is
#
# $$ \text{std}\Big(\frac{1}{T} \sum_t \varepsilon_t\Big) = \frac{\sigma}{\sqrt T} . $$
#
# So a clip at level σ tells as much as *one* picture at σ / √T. Here are real latents, frame by frame, of that still
# clip: noise at four levels, averaged over 1, 4 and 16 frames, decoded.
#
# *Before you run on:* the bottom right picture is 16 frames at σ = 4. Which picture of the top row will it look like?

# %%
SIGMAS, COUNTS = (0.5, 1.0, 2.0, 4.0), (1, 4, 16)


def frame_latents(indices):
    """Normalised latents of the first T frames, each coded as a clip of one: `(N, T, 1024)`."""
    clips = world.batch(indices).clips()[:, :, :T]
    coded = VAE.encode(rearrange(clips, "n c t h w -> (n t) c 1 h w")).latent_dist.mode()
    return rearrange(VAE.normalize(coded), "(n t) c 1 h w -> n t (c h w)", t=T)


def decoded(latent):
    """A picture `(3, 64, 64)` of one latent frame of 1,024 numbers."""
    return VAE.decode(VAE.denormalize(latent.reshape(1, 16, 1, 8, 8))).sample[0, :, 0].clamp(-1, 1)


still = frame_latents(STILL[:1])[0]  # (T, 1024)
eps = torch.randn(still.shape, generator=seeded(1))
print(f"the frames of the still clip differ by {(still - still[:1]).abs().max():.0e}")
figure, axes = plt.subplots(3, 4, figsize=(5.4, 4.3), layout="constrained")
for line, count in zip(axes, COUNTS):
    for axis, sigma in zip(line, SIGMAS):
        average = (still + sigma * eps)[:count].mean(dim=0)
        axis.imshow(decoded(average).permute(1, 2, 0) / 2 + 0.5)
        axis.set(xticks=[], yticks=[], title=f"σ = {sigma}" if count == 1 else "")
    line[0].set_ylabel("1 frame" if count == 1 else f"mean of {count}", fontsize=9)
plt.show()
for count in COUNTS:
    measured = (eps[:count].mean(dim=0)).std().item()
    print(f"noise left in the mean of {count:2} frames: {measured:.3f} σ, in theory {count**-0.5:.3f} σ")

# %% [markdown]
# **What to see.** Go down a row and one column to the right, and the picture is about as bad as before: four times the
# frames pay for twice the noise.
#
# ### Exact on a Gaussian
#
# "Tells as much" is a claim about the *best possible* denoiser, not about averages. For Gaussian data it is exact. Let
# a value x of variance s² be repeated T times. The best estimate of all frames from all noisy frames is linear, and
# its error is
#
# $$ \text{mse}_T(\sigma) = \frac{s^2 \sigma^2 / T}{s^2 + \sigma^2 / T} = \text{mse}_1(\sigma / \sqrt T) . $$
#
# The cell computes it the long way, from the T × T covariance K of the frames: the error per frame is the mean of the
# diagonal of K − K (K + σ² I)⁻¹ K. This works for *any* covariance, not only for a still clip. So take frames whose
# correlation falls by a factor ρ per frame, and ask how many times less noise **one** frame would need for the same
# error. The square of that factor is the **effective number of frames**.


# %%
def best_error(covariance, sigma):
    """Error per frame of the best linear denoiser that sees all frames, exact for Gaussian data."""
    noisy = covariance + sigma**2 * torch.eye(len(covariance), dtype=covariance.dtype)
    left = covariance - covariance @ torch.linalg.solve(noisy, covariance)
    return left.diagonal().mean().item()


def effective_frames(covariance, sigma):
    """T for a still clip, 1 for frames that know nothing of each other."""
    variance, error = covariance.diagonal().mean().item(), best_error(covariance, sigma)
    return sigma**2 * (1 / error - 1 / variance)  # σ² / σ₁², where mse₁(σ₁) is that error


def falling(rho, num_frames=T):
    """Covariance of frames of variance 1 whose correlation falls by a factor per frame."""
    k = torch.arange(num_frames, dtype=torch.float64)
    return rho ** (k[:, None] - k).abs()


gap = max(abs(best_error(falling(1.0), s) - (s**2 / T) / (1 + s**2 / T)) for s in (0.1, 0.5, 1, 3, 10))
draws = torch.randn(20_000, 1, generator=seeded(2))
seen = draws + 3 * torch.randn(20_000, T, generator=seeded(3))
tried = (seen.mean(dim=1, keepdim=True) / (1 + 9 / T) - draws).square().mean().item()
print(f"still: from the covariance against the formula, largest difference {gap:.0e}")
print(f"still, σ = 3, T = {T}: formula {(9 / T) / (1 + 9 / T):.3f}, 20,000 draws {tried:.3f}\n")
print("effective number of 16 frames at σ = " + "".join(f"{s:8}" for s in SIGMAS))
for rho in (1.0, 0.99, 0.9, 0.5, 0.0):
    print(f"{'correlation ' + str(rho):36}" + "".join(f"{effective_frames(falling(rho), s):8.1f}" for s in SIGMAS))

# %% [markdown]
# **What to see.** The first row is T and the last is 1, at every level. Between them the level matters: under little
# noise each frame is best believed by itself, under much noise even loosely related frames help.
#
# ## Real clips that move
#
# A still clip is the extreme case. What about an object that moves, or a camera that pans? Averaging is then a blur.
# The best linear denoiser does better, if we give it the true covariance of the frames. That can be measured: how much
# alike are latents t frames apart, at the same place?
#
# *Before you run on:* in which clips do 16 frames count for more, with a moving object or with a moving camera?

# %%
groups = {"an object moves": frame_latents(DYNAMIC[:8]), "the camera pans": frame_latents(PANNED[:8])}
mean = torch.cat([x.reshape(-1, 1024) for x in groups.values()]).mean(dim=0)
covariances = {"still": torch.full((T, T), (still - mean).square().mean().item(), dtype=torch.float64)}
for name, x in groups.items():
    centred = (x - mean).double()
    covariances[name] = torch.einsum("n t d, n u d -> t u", centred, centred) / (centred.shape[0] * 1024)

LEVELS = [2 ** (k / 2) for k in range(-6, 9)]
figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.2), layout="constrained")
for (name, covariance), colour in zip(covariances.items(), (BLUE, OLIVE, RUST)):
    deviation = covariance.diagonal().sqrt()
    alike = covariance / (deviation[:, None] * deviation)
    axes[0].plot([alike.diagonal(k).mean().item() for k in range(T)], color=colour, label=name)
    axes[1].semilogx(LEVELS, [effective_frames(covariance, s) for s in LEVELS], color=colour, label=name)
axes[0].set(xlabel="frames apart", ylabel="correlation of latents", ylim=(0, 1.05))
axes[1].set(xlabel="σ, data has about 1", ylabel="effective frames of 16", ylim=(0, 17))
axes[0].set_title("How alike frames are", fontsize=10)
axes[1].set_title("What 16 frames are worth", fontsize=10)
axes[0].legend(frameon=False, fontsize=9)
plt.show()
for name, covariance in covariances.items():
    worth = [effective_frames(covariance, s) for s in SIGMAS]
    print(f"{name:18}" + ", ".join(f"σ = {s}: {w:4.1f}" for s, w in zip(SIGMAS, worth)) + " frames")

# %% [markdown]
# **What to see.** With a still camera most places show the same background all the time, and under noise the clip is
# nearly worth a still one. A pan moves every place. Stripes and dots that have moved by one period are alike again,
# and even so only a few frames of 16 count.
#
# This denoiser knows *how alike* frames are and nothing else. A network can know more: where things go. Then every
# frame of a pan shows the same scene, only shifted. As the other extreme, give a denoiser *all* knowledge. It holds a
# library of clips, sees one of them under noise, and has to say which one. How much noise until it fails, with one
# frame and with all 16?

# %%
library = torch.cat(list(groups.values()))  # (16, T, 1024)


def recognised(frames, sigma, draws=16):
    """Part of noisy clips whose nearest clip of the library is the right one."""
    known, right = frames.reshape(len(frames), -1), []
    dice = seeded(4)
    for _ in range(draws):
        seen = known + sigma * torch.randn(known.shape, generator=dice)
        right.append((torch.cdist(seen, known).argmin(dim=1) == torch.arange(len(known))).float().mean())
    return torch.stack(right).mean().item()


fine = [2 ** (k / 2) for k in range(4, 17)]
found = {
    "one frame": [recognised(library[:, :1], s) for s in fine],
    "16 frames": [recognised(library, s) for s in fine],
}
half = {}
for name, values in found.items():  # the level at which half are recognised, on the line between two levels tried
    k = next(k for k, value in enumerate(values) if value < 0.5)
    part = (values[k - 1] - 0.5) / (values[k - 1] - values[k])
    half[name] = fine[k - 1] * (fine[k] / fine[k - 1]) ** part
figure, axis = plt.subplots(figsize=(6.0, 3.0), layout="constrained")
for (name, values), colour in zip(found.items(), (GREY, BLUE)):
    axis.semilogx(fine, values, color=colour, marker="o", markersize=4, label=name)
axis.axhline(1 / len(library), color="black", linewidth=0.8, linestyle=":")
axis.set(xlabel="σ", ylabel="clips recognised", ylim=(0, 1.05))
axis.set_title(f"Which of {len(library)} clips is it? Dotted: by luck", fontsize=10)
axis.legend(frameon=False)
plt.show()
print(f"half are recognised up to σ = {half['one frame']:.0f} with one frame, {half['16 frames']:.0f} with 16: "
      f"{half['16 frames'] / half['one frame']:.1f} times more noise; √16 is 4")  # fmt: skip

# %% [markdown]
# **What to see.** The curve moves to the right by about √T, although these clips move. So √T is not only a fact about
# still clips. It is what a denoiser gains that understands the motion. A real one is between the linear one above and
# this one.
#
# ## The level a clip must be trained at
#
# Training draws a level for each clip, and most draws should fall where there is something to learn: where the
# answer is neither obvious nor hopeless. If clips are readable up to √T times more noise, this range moves, and the
# training levels must move along. In the sampler it matters twice. The first steps, from pure noise, decide what the
# clip is about. If training never hid that, those steps were never learned.
#
# EDM draws ln σ from a normal distribution with mean −1.2 and standard deviation 1.2. The rule for T equal frames: add
# ½ ln T to the mean.
#
# *Before you run on:* for which part of the draws is a still clip of 16 frames more hidden than shown (an error above
# half of its variance)?

# %%
MEAN, STD = -1.2, 1.2
variance = covariances["still"][0, 0].item()


def hidden_share(log_mean, num_frames):
    """Part of the training levels at which more than half of a still clip's variance is unknown: σ > s √T."""
    border = math.log(variance**0.5 * num_frames**0.5)
    return 0.5 * math.erfc((border - log_mean) / STD / 2**0.5)


shifted = MEAN + 0.5 * math.log(T)
print(f"a picture at the image model's levels:   hidden in {hidden_share(MEAN, 1):.1%} of the draws")
print(f"16 still frames at the same levels:      hidden in {hidden_share(MEAN, T):.1%}")
print(f"16 still frames, ½ ln T = {0.5 * math.log(T):.2f} added:    hidden in {hidden_share(shifted, T):.1%}")

where = torch.linspace(-5, 4, 200)
figure, axis = plt.subplots(figsize=(7.0, 3.3), layout="constrained")
for log_mean, colour, name in ((MEAN, GREY, "levels for images"), (shifted, BLUE, f"levels for {T} frames")):
    axis.fill_between(where, torch.exp(-0.5 * ((where - log_mean) / STD) ** 2), color=colour, alpha=0.35, label=name)
for count, colour, name in ((1, "0.3", "1 frame"), (T, RUST, f"{T} still frames")):
    unknown = torch.exp(2 * where) / count
    axis.plot(where, unknown / (variance + unknown), color=colour, label=f"unknown part, {name}")
axis.set(xlabel="ln σ", ylabel="part of the variance; density")
axis.set_title("The curve moves by ½ ln T to the right, and the levels with it", fontsize=10)
axis.legend(frameon=False, fontsize=8, loc="upper left")
plt.show()

# %% [markdown]
# In flow matching the same rule has another face. A level s between 0 and 1 mixes (1 − s) data with s noise, so the
# ratio of noise to data is s / (1 − s). The **shift** of Stable Diffusion 3 multiplies exactly that ratio:

# %%
s = torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9])
for shift in (1.0, T**0.5):
    moved = shift_levels(s, shift)
    ratio = (moved / (1 - moved)) / (s / (1 - s))
    levels = ", ".join(f"{level:.2f}" for level in moved)
    print(f"shift {shift:.0f}: levels {levels}; noise to data multiplied by {ratio.mean():.2f}, everywhere the same")

# %% [markdown]
# So "shift 4" and "add ½ ln 16 to the mean of ln σ" are one statement. SD3's authors derived theirs from a picture of
# one colour with more pixels: to the theorem it is all the same whether values repeat across pixels or across frames.
# That is also why larger pictures need more noise.
#
# **Honest limits.** √T is the most that there is. Latents that already compress time repeat less, because the
# autoencoder removed the repetition. T is then the number of *latent* frames, and the shift is smaller. Practice
# follows the direction and tunes the size: Stable Video Diffusion moves its levels up when it goes from images to
# video, and `sprites-t2v` samples its 5 latent frames with a shift of 4. Building this rule is part of lab 04.1.
#
# ## What you can now say
#
# - T frames with fresh noise at σ tell as much about a still clip as one picture at σ / √T. For a Gaussian it is
#   exact.
# - Moving clips gain less from frames that are merely alike, and up to √T from a denoiser that follows the motion.
# - Train a clip at more noise: ½ ln T on ln σ, or a shift of √T.
# - Frozen noise hides a clip as one picture would. Draw noise for every frame.
#
# Next: [guidance, cascades and stills](03_guidance_cascades_stills.ipynb).
