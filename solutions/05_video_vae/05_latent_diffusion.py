# %% [markdown]
# # Lab 05.5 · Diffusion on latents
#
# **What you will have at the end:** one diffusion transformer trained twice for equal processor time, once on pixels
# and once on latents. You will have measured what the latents buy, in steps per second and in clips that show what the
# prompt said.
#
# | | |
# |---|---|
# | time | about 60 minutes |
# | difficulty | ★★★★☆ |
# | before this | the tutorial [A clip made small](../../phases/05_video_vae/01_latent_compression.ipynb), 25 minutes |
# | the clips | the `mini` world: one disc on a plain field, 9 frames at 4 frames per second |
#
# | preset | clips `(T, H, W)` | clips to train on | each arm trains for | all cells take about |
# |---|---|---|---|---|
# | `ci` | (9, 64, 64) | 48 | 2 core-seconds | 20 s |
# | `cpu` (default) | (9, 64, 64) | 512 | 60 core-seconds | 5 min |
# | `gpu` | (9, 64, 64) | 512 | 60 core-seconds | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import torch
from einops import rearrange

from common import show
from common.course import check, paths
from common.data.mini import MiniSprites
from common.diffusion.paths import add_noise, flow_level
from common.evaluation.mini import mini_agreement
from common.evaluation.share import Share
from common.models.autoencoder import CausalVideoVAE
from common.models.dit import VideoDiT
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.text import TextEncoder
from common.training import KeyedNoise
from common.zoo.mini_arm import MODEL, MiniCoder, compute_loss, generate, generate_latents

limit_threads()
plt.rcParams["figure.dpi"] = 75
SIZES = {"ci": (48, 2, 8, 12), "cpu": (512, 60, 16, 96), "gpu": (512, 60, 16, 384)}
NUM_CLIPS, CORE_SECONDS, BATCH, NUM_READ = SIZES[preset()]
BLUE, RUST, GREEN, GREY = "#1f6f8b", "#b3541e", "#3a7d44", "0.6"


# %% [markdown]
# ## Where you are heading
#
# The same transformer, prompt and sampler. On the left it was trained on latents, on the right on pixels.

# %% tags=["demo"] draws="One prompt, two models: trained on latents, and on pixels."
ON_LATENTS = VideoDiT.from_pretrained("mini-video").eval()
ON_PIXELS = VideoDiT.from_pretrained("mini-pixels").eval()
PROMPTS = MiniSprites("test", num_frames=1, size=8).batch(range(400)).captions
asked = PROMPTS[5:6]
both = [generate(ON_LATENTS, MiniCoder("video"), asked), generate(ON_PIXELS, MiniCoder("pixels"), asked)]
display(show.player(torch.cat(both, dim=4)[0], fps=4, width=288, max_bytes=30_000, caption=f"“{asked[0]}”"))
show.strips({"trained on latents": both[0][0], "trained on pixels": both[1][0]}, num_frames=9, width=60)

# %% [markdown]
# **A prediction.** On latents a clip is 48 tokens. On pixels, in patches of 8×8, it is 576: 12 times as many. How many
# times slower is a training step: fewer than 12, about 12, or more? Write it down. You will measure it.

# %% [markdown] about="LatentStatistics" difficulty=1 importance=5 minutes=5
# ## Normalizing latents
#
# Diffusion mixes data with noise of standard deviation 1. So the data should have standard deviation 1 too, and an
# autoencoder does not care how large its latents are. We measure each channel over the training data, and rescale:
#
# $$ \tilde z_c = (z_c - \mu_c) / \sigma_c, \qquad z_c = \tilde z_c\, \sigma_c + \mu_c . $$
#
# Stable Diffusion has one number for all channels, `scaling_factor` 0.18215. Wan and other video models have a mean and
# a standard deviation for each: `latents_mean`, `latents_std`.
#
# | quantity | shape |
# |---|---|
# | `latents` | `(B, C, T', H', W')` |
# | `mean`, `std` | `(C,)` |

# %% exercise="LatentStatistics" from="common.diffusion.normalize:LatentStatistics" blank="fit, normalize, denormalize"

# %% check="LatentStatistics"

# %% [markdown] hints="LatentStatistics"
# 1. Which four axes are averaged over, and which one is left?
# 2. `torch.std_mean(x, dim=(0, 2, 3, 4), correction=0)` gives both, the standard deviation first. To meet latents, a
#    `(C,)` needs three more axes behind it.
# 3. In `fit`: `std, mean = torch.std_mean(latents.float(), dim=(0, 2, 3, 4), correction=0)`, an error unless all
#    `latents.amax((0, 2, 3, 4)) > latents.amin((0, 2, 3, 4))`, `return cls(mean, std)`. In `normalize`:
#    `(latents - self.mean[:, None, None, None]) / self.std[:, None, None, None]`, and the reverse in `denormalize`.

# %% [markdown] troubles="LatentStatistics"
# - **The error says that sizes do not match.** `(C,)` meets the *last* axis. Give it three axes of size 1.
# - **The result is off by a little, and less so with more data.** Divide by N: `correction=0`.
# - **Means are large though the latents are normalized.** The mean is subtracted before the division, not after it.

# %% [markdown]
# Your statistics on the training clips. Then the reason for all this: noise at one level, added to raw latents and to
# normalized ones, and decoded.

# %% tags=["demo"] draws="How large each channel is, and one noise level on raw and on normalized latents."
VAE = CausalVideoVAE.from_pretrained("sprites-vae").float().eval()  # 9 frames to 3 latent frames, 8 times smaller
WORLD = MiniSprites().batch(range(NUM_CLIPS))  # what all arms are trained on
with torch.no_grad():
    LATENTS = torch.cat([VAE.encode(clips).latent_dist.mode() for clips in WORLD.clips().split(16)])
STATISTICS = LatentStatistics.fit(LATENTS)
NORMAL = STATISTICS.normalize(LATENTS)
figure, axis = plt.subplots(figsize=(7.2, 2.4), layout="constrained")
axis.bar(range(16), STATISTICS.std, color=BLUE, label="raw latents")
axis.axhline(1, color=RUST, label="the noise, and your normalized latents")
axis.set(xlabel="channel", ylabel="standard deviation", title="Most raw channels are small beside the noise")
axis.legend()
plt.show()
one, level = slice(3, 4), torch.full((1,), 0.3)
noise = torch.randn(NORMAL[one].shape, generator=torch.Generator().manual_seed(0))
mixed = lambda latents: add_noise(latents, noise, flow_level(level))  # noqa: E731
with torch.no_grad():
    rows = {
        "the clip": WORLD.clips()[3],
        "noise of level 0.3 on normalized latents": VAE.decode(STATISTICS.denormalize(mixed(NORMAL[one]))).sample[0],
        "noise of level 0.3 on raw latents": VAE.decode(mixed(LATENTS[one])).sample[0],
    }
print(f"raw channels: standard deviation from {STATISTICS.std.min():.2f} to {STATISTICS.std.max():.2f}")
show.strips({name: clip.clamp(-1, 1) for name, clip in rows.items()}, num_frames=5, width=64)

# %% [markdown]
# **What to see.** At level 0.3 the normalized latents are hardly hurt. In the raw ones everything but a trace of the
# disc has drowned. A model on raw latents sees noise at nearly all levels, and few levels are left to learn details
# from.

# %% [markdown] about="PixelCoder" difficulty=2 importance=3 minutes=8
# ## Patches of pixels
#
# Pixels should go through the very same transformer, loss and sampler. So we give them the shape of latents: each patch
# of 8×8 pixels of a frame becomes one vector of 192 numbers. ViT and DiT cut their inputs like this. Nothing is
# compressed: the number of numbers stays.
#
# | quantity | shape |
# |---|---|
# | `clips` | `(B, 3, T, H, W)` |
# | `latents` | `(B, 3 p p, T, H / p, W / p)` |

# %% exercise="PixelCoder" from="common.models.pixel_coder:PixelCoder" blank="encode, decode"

# %% check="PixelCoder"

# %% [markdown] hints="PixelCoder"
# 1. Row 19 of the picture is row 3 of patch 2: the axis `H` splits into patches, and rows inside a patch. So does `W`.
# 2. `rearrange` does it in one line: `(h row) (w column)` on the left, `(c row column)` on the right.
# 3. `rearrange(clips, "b c t (h row) (w column) -> b (c row column) t h w", row=p, column=p)`; in `decode` the two
#    sides are swapped. Before it: `if clips.shape[-2] % p or clips.shape[-1] % p: raise ValueError(...)`.

# %% [markdown] troubles="PixelCoder"
# - **The pictures come back shuffled, in small squares.** The row inside the patch comes after the patch's row: `(h
#   row)`, not `(row h)`. With `(row h)` a patch is made of pixels that are far apart.
# - **The round trip is right, and the check is not.** Both ways have the same mistake. Compare the order of channels.

# %% [markdown]
# The two ways to write the same clip down:

# %% tags=["demo"] draws="The same clip for both arms: how many tokens, of how many numbers."
PIXELS = PixelCoder().encode(WORLD.clips())
print(f"{'':10}{'shape (C, T, H, W)':>20}{'numbers':>10}{'tokens':>8}{'numbers per token':>19}")
for name, x, patch in (("latents", NORMAL, 2), ("pixels", PIXELS, 1)):
    tokens = x[0, 0].numel() // patch**2
    print(f"{name:10}{tuple(x.shape[1:])!s:>20}{x[0].numel():>10,}{tokens:>8}{x[0].numel() // tokens:>19}")
order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
shuffled = PixelCoder().decode(PIXELS[one].flatten(3)[..., order].unflatten(3, (8, 8)))[0]
show.strips({"the clip": WORLD.clips()[3], "its patches, shuffled": shuffled}, num_frames=5, width=64)

# %% [markdown]
# **What to see.** A token on pixels is a small tile. The transformer gets the tiles and their places, and has to find
# out for itself that neighbouring tiles, and the same tile in the next frame, are nearly always alike. The autoencoder
# has learned that once, for all models that follow.

# %% [markdown] about="equal_time_run" difficulty=3 importance=4 minutes=12
# ## Equal processor time
#
# "Equal steps" would hide the point, because steps differ in price. "Equal minutes" depends on what else the machine is
# doing. So we count **core-seconds**, and let the arms take turns: at any moment they have used equal time, and what
# disturbs the machine disturbs all of them.

# %% exercise="equal_time_run" from="common.training.equal_time:equal_time_run"

# %% check="equal_time_run"

# %% [markdown] hints="equal_time_run"
# 1. Keep the time used by each arm in a dictionary. Who is next? When is everyone done?
# 2. `min(used, key=used.get)` is the arm with the least time, and the first of those that are equal. As long as the
#    least time is below `core_seconds`, someone is not done.
# 3. `name = min(used, key=used.get)`, `began = clock()`, `loss = steps[name]()`, `used[name] += clock() - began`, and
#    `curves[name].append((used[name], loss))`, while `min(used.values()) < core_seconds`.

# %% [markdown] troubles="equal_time_run"
# - **It never ends.** Stop when the *least* time has reached the goal, and compare with `<`.
# - **One arm gets everything at first.** Choose again after each step. A loop over arms, then over steps, is no turn.
# - **An arm is charged for the others.** Read the clock right before its step and right after it.

# %% [markdown]
# Three arms, all with the same blocks: on your normalized latents, on pixels, and on raw latents. Each step takes as
# many clips as the others' steps do.


# %%
def arm(latents, model, seed=0):
    """A training step of the flow matching loss of the `mini` arms, as a function without arguments."""
    text = TextEncoder.installed()([*WORLD.captions, ""])
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.95), weight_decay=0.01, fused=True)
    drawn = iter(torch.randint(len(latents), (100_000, BATCH), generator=torch.Generator().manual_seed(seed)))

    def step():
        chosen = next(drawn).tolist()
        rows = [*chosen, len(latents)]  # the last text is empty
        batch = {"latents": latents[chosen], "states": text.states[rows], "mask": text.mask[rows]}
        loss = compute_loss(model, batch, KeyedNoise(seed, range(step.count * BATCH, (step.count + 1) * BATCH)))["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step.count += 1
        bar.update()
        return loss.item()

    step.count = 0
    return step


torch.manual_seed(0)
ARMS = {
    "latents": arm(NORMAL, VideoDiT(**MODEL)),
    "pixels": arm(PIXELS, VideoDiT(**MODEL | {"in_channels": PIXELS.shape[1], "patch_size": 1})),
    "raw latents": arm(LATENTS, VideoDiT(**MODEL)),
}
with progress_bar(desc="three arms in turn", unit="step") as bar:
    curves = equal_time_run(ARMS, CORE_SECONDS)

# %% tags=["demo"] draws="Steps per core-second, and the three losses against time."
rates = {name: len(curve) / curve[-1][0] for name, curve in curves.items()}
for name, rate in rates.items():
    print(f"{name:12}{rate:8.2f} steps of {BATCH} clips per core-second")
print(f"a step on pixels takes {rates['latents'] / rates['pixels']:.1f} times as long as one on latents")
figure, axis = plt.subplots(figsize=(7.2, 2.8), layout="constrained")
for (name, curve), color in zip(curves.items(), (BLUE, RUST, GREEN)):
    seconds, losses = zip(*curve)
    axis.plot(seconds, [loss / losses[0] for loss in losses], color=color, marker="o", markersize=3, label=name)
axis.set(xlabel="core-seconds of the arm", ylabel="loss / first loss", title="Equal time, and far from equal steps")
axis.legend()
plt.show()

# %% [markdown]
# **What to see.** The prediction: 12 times the tokens cost more than 12 times the time, since in attention every token
# meets every other one. And a trap: the lowest curve is that of the raw latents. There nearly everything in a noisy
# latent *is* noise, which is easy to predict. Losses on different data are errors of different things. What counts is
# what a clip shows, so we have to look at clips.

# %% [markdown] about="decode_and_read" difficulty=3 importance=5 minutes=12
# ## Judging latents in pixels
#
# What is compared must be the same for both arms, so it is read from pixels: does the clip show **one** object, with
# the colour **and** the motion of the prompt? The way there has three traps. The latents are normalized. A decoder
# needs far more memory than the transformer. And it leaves [-1, 1].
#
# `mini_agreement(captions, clips)` gives a dictionary for each clip, and its `"right"` is what counts. `Share(right,
# total)` is the count with its 95 % interval.

# %% exercise="decode_and_read" from="common.evaluation.mini:decode_and_read"

# %% check="decode_and_read"

# %% [markdown] hints="decode_and_read"
# 1. A loop over pieces of `batch_size`; in each piece three steps, then reading. Captions are cut as latents are.
# 2. `statistics.denormalize(latents[start : start + batch_size])`, then `decode`, then `.clamp(-1, 1)`. Add up
#    `row["right"]` over the rows of `mini_agreement`.
# 3. Under `@torch.no_grad()`: raise `ValueError` unless the lengths agree and are not 0. `for start in range(0,
#    len(latents), batch_size)`: `clips = decode(...).clamp(-1, 1)`, `right += sum(row["right"] for row in
#    mini_agreement(captions[piece], clips))`. At last `return Share(right, len(latents))`.

# %% [markdown] troubles="decode_and_read"
# - **Nothing is ever right, though the clips look good.** Are captions and clips of the same piece?
# - **Colours are off and edges are soft.** The latents were not denormalized.
# - **A wide interval.** There are few clips: 16 say little, 384 say it to a few points.

# %% [markdown]
# The shipped model on latents, read by your function. The control reads the same clips against the prompts of other
# clips: that is what luck gives.

# %% tags=["demo"] draws="How many clips are right: the shipped model, and what luck gives."
vae_statistics = LatentStatistics(torch.tensor(VAE.config.latents_mean), torch.tensor(VAE.config.latents_std))
decode = lambda z: VAE.decode(z).sample  # noqa: E731
asked = PROMPTS[:NUM_READ]
began = time.process_time()
made = generate_latents(ON_LATENTS, MiniCoder("video"), asked)
sampled = time.process_time()
print(f"right                      {decode_and_read(made, asked, vae_statistics, decode)}")
read = time.process_time()
print(f"against others' prompts    {decode_and_read(made, asked[1:] + asked[:1], vae_statistics, decode)}")
print(f"per clip: {1e3 * (sampled - began) / NUM_READ:.0f} core-ms of sampling, "
      f"{1e3 * (read - sampled) / NUM_READ:.0f} of decoding and reading")  # fmt: skip

# %% [markdown]
# ## The result to remember
#
# Seconds of training show a speed. What it is worth shows after minutes, so three arms were trained once, for longer,
# and their curves were stored. They have the same blocks, optimizer, prompts and sampler. Each point is the running
# mean of the weights, read on clips for test prompts. A curve ends where its run did.

# %% tags=["demo"] draws="Right clips against core-seconds: latents, pixels, and latents that were not normalized."
calibration = paths.find_lab("05.5").tests.parent / "calibration" / "05_latent_diffusion.json"
STUDY = json.loads(calibration.read_text())["study"]
figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.2), layout="constrained", sharey=True)
for (name, run), color in zip(STUDY.items(), (BLUE, RUST, GREEN)):
    for axis, column in zip(axes, ("color", "right")):
        seconds = [look["core_seconds"] for look in run["curve"]]
        percent = [100 * look[column] for look in run["curve"]]
        axis.plot(seconds, percent, color=color, marker="o", markersize=3, label=name)
    shares = [str(Share(run["end"][column], run["end"]["total"])) for column in ("color", "right")]
    print(f"{name:12} after {run['core_seconds']:3} core-seconds: colour {shares[0]:20} right {shares[1]}")
axes[0].set(xlabel="core-seconds", ylabel="% of clips", title="The colour of the prompt")
axes[1].set(xlabel="core-seconds", title="One object, its colour and its motion")
axes[1].legend()
plt.show()
spent = STUDY["pixels"]["curve"][-1]["core_seconds"]
near = min(STUDY["latents"]["curve"], key=lambda look: abs(look["core_seconds"] - spent))
print(f"after about {spent} core-seconds: latents {near['right']:.0%} right, "
      f"pixels {STUDY['pixels']['curve'][-1]['right']:.0%}")  # fmt: skip

# %% [markdown]
# **What to see.** On latents the colour is there within two core-minutes, and the motion comes minutes later. After
# nine core-minutes about half of the clips are right. On pixels the same nine minutes are enough for the field and for
# next to nothing else. The raw latents get the colour too, later, and next to no motion in the same time.
# Each point is read on few clips (48 on latents, 24 on pixels): trust gaps, not wiggles.
#
# ## Try it
#
# `GUIDANCE` 1 takes the prompt as it comes, more insists on it. **An ablation to run:** with `NUM_STEPS` at 4, which
# goes first, the colour or the motion?

# %% tags=["demo"] draws="Your own settings of the sampler, on the model that was trained on latents."
GUIDANCE, NUM_STEPS, FIRST = 1.0, 15, 20

asked = PROMPTS[FIRST : FIRST + 3]
made = generate_latents(ON_LATENTS, MiniCoder("video"), asked, NUM_STEPS, GUIDANCE)
with torch.no_grad():
    clips = decode(vae_statistics.denormalize(made)).clamp(-1, 1)
show.strips(dict(zip(asked, clips)), num_frames=9, width=60)

# %% [markdown] tags=["folded"]
# ## Honest limits
#
# - The autoencoder is free here. It was trained before, on richer sprites than these, and encoding the clips once is
#   not charged to the arm. Counting it, latents pay off when the autoencoder serves many models. It usually does.
# - Latents put a ceiling on everything: what the autoencoder cannot draw, the diffusion model cannot generate. Here the
#   round trip costs the reader nothing. On film it would (lab 05.1 measures it).
# - Pixels are not hopeless, only slow. Cascades (Imagen Video) and patches of 32×32 with a better target (JiT,
#   arXiv:2511.13720) train on pixels today. Patches of 8×8 in the arm of this lab were not tuned for pixels.
# - One seed per arm is drawn here. Two more on latents ended at 53 and 54 % (`benchmarks/mini_arm.md`). And it is a
#   world of 120 prompts and a transformer of 1.5 million weights.
#
# At real scale it is the same four parts. `WanPipeline` divides by `vae.config.latents_std` where you do, and
# `StableVideoDiffusionPipeline` has a trap: its conditioning latents are *not* multiplied by `scaling_factor`.

# %% [markdown]
# ## Yours now
#
# `LatentStatistics`, `PixelCoder`, `equal_time_run` and `decode_and_read` are parts of the library, and yours behave
# like them. Phase 6 opens the transformer itself, and compares its parts in this same small world.
#
# To read: *High-Resolution Image Synthesis with Latent Diffusion Models* (arXiv:2112.10752), section 4.1 and figure 6,
# asks this lab's question for images. *Align your Latents* (arXiv:2304.08818) takes the answer to video.
