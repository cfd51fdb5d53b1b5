# %% [markdown]
# # Lab 04.4 · Cascaded super-resolution
#
# **What you will have at the end:** a second, small diffusion model on top of the first. It takes a clip of 64 × 64
# and draws one of 128 × 128. You write how the small clip gets in, how it is made unreliable on purpose, the model and
# its sampler. Then you measure its edges against bicubic interpolation, on true clips and on clips that the first
# model drew.
#
# | | |
# |---|---|
# | time | about 75 minutes |
# | difficulty | ★★★★ |
# | before this | [Guidance, cascades, stills](../../phases/04_inflated_unet/03_guidance_cascades_stills.ipynb) |
#
# | preset | clips (T, H, W) | clips measured | training steps shown | all cells take about |
# |---|---|---|---|---|
# | `ci` | (17, 64, 64) to (17, 128, 128) | 2 | 4 | 15 s |
# | `cpu` (default) | the same | 8 | 20 | 1 min |
# | `gpu` | the same | 16 | 100 | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import json
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common import show
from common.course import check, paths
from common.data.sprites import render
from common.data.sprites.attributes import FPS
from common.diffusion import add_noise, euler, flow_level, flow_levels, last
from common.diffusion.super_resolution import Preconditioned
from common.evaluation.edges import edge_profiles, edge_scenes
from common.evaluation.reconstruction import clip_psnr
from common.layers.modulation import timestep_features
from common.layers.norm import plain_norm
from common.layers.rope import rotations
from common.models.shipped import Shipped
from common.models.super_resolution import NUM_BRANCHES, PRESETS, SuperResolutionOutput, UpscaleBlock
from common.pipelines import TextToVideoPipeline
from common.pipelines.latent_upscale import LatentUpscalePipeline, cascade
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.tensor_ops import append_dims, patchify, unpatchify
from common.zoo.card import read_card
from common.zoo.shelf import folder
from common.zoo.upscaler_measures import bicubic

limit_threads()
plt.rcParams["figure.dpi"] = 75
SIZE = preset()
NUM_CLIPS, TRAINING_STEPS = {"ci": (2, 4), "cpu": (8, 20), "gpu": (16, 100)}[SIZE]
STEPS = 3  # of the second model's sampler
PROMPT = "a large green cross orbits on purple stripes"


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def playing(clips, width=160):
    """Clips side by side, name to `(3, T, H, W)`, in a loop."""
    row = torch.cat(list(clips.values()), dim=3)
    return show.player(row, FPS, width=width * len(clips), max_bytes=55_000, caption=" | ".join(clips))


# %% [markdown]
# ## Where you are heading
#
# `sprites-t2v` draws 64 × 64 pixels. Left, its clip enlarged by bicubic interpolation. Right, the same clip redrawn by
# a second model, in three steps.

# %% tags=["demo"] draws="One prompt through two models, beside bicubic interpolation."
PIPE = TextToVideoPipeline.from_pretrained("sprites-t2v")
UPSCALER = LatentUpscalePipeline.from_pretrained("sprites-upscaler")
for pipe in (PIPE, UPSCALER):
    pipe.set_progress_bar_config(disable=True)
VAE = PIPE.vae
first = PIPE(PROMPT, num_inference_steps=12, generator=0, output_type="latent").frames  # (1, 16, 5, 8, 8)
heading = {"bicubic": bicubic(PIPE.decode(first))[0], "second model": UPSCALER(first, generator=0).frames[0]}
playing(heading, width=200)

# %% [markdown]
# **Before you read on, a prediction.** The second model is trained on true clips, made small. In use it gets what the
# first model drew: with frayed edges, a trembling arm, a shape that is not quite a cross. Will it believe them?

# %% [markdown] about="upsample_condition" difficulty=1 importance=4 minutes=6
# ## The small clip as a condition
#
# The second model draws in the latents of the same VAE, at twice the rows and columns. What it is given has to match
# what it draws, place by place. So the small clip is **enlarged**, coded again, and then **renormalised**: clips of two
# sizes have latents of different statistics, and each side gets its own mean and standard deviation per channel.
#
# | quantity | shape | here |
# |---|---|---|
# | small clip | `(B, C, T', H, W)` | (B, 3, 17, 64, 64) |
# | enlarged | `(B, C, T', 2H, 2W)` | (B, 3, 17, 128, 128) |
# | coded again, renormalised | `(B, C, T', H, W)` | (B, 16, 5, 16, 16) |

# %% exercise="upsample_condition" from="common.diffusion.super_resolution:upsample_condition"

# %% check="upsample_condition"

# %% [markdown] hints="upsample_condition"
# 1. `F.interpolate` enlarges pictures, `(N, C, H, W)`. What has to become of the frames?
# 2. `rearrange(latents, "b c t h w -> (b t) c h w")`, and back at the end. `mean[:, None, None]` meets `(N, C, H, W)`.
# 3. `torch.as_tensor(mean)` takes tensors and lists. Then `F.interpolate(frames, scale_factor=scale_factor,
#    mode="bilinear", align_corners=False)`, and `(large - mean) / std`.

# %% [markdown] troubles="upsample_condition"
# - **The number of frames is wrong.** `F.interpolate` on five axes enlarges time too.

# %%
NO_MEAN, NO_STD = [0.0] * 3, [1.0] * 3  # pixels have no statistics to mend


@torch.no_grad()
def coded_again(small):
    """Normalised latents of small clips to those of the same clips, enlarged."""
    large = upsample_condition(PIPE.decode(small), NO_MEAN, NO_STD)
    return VAE.normalize(VAE.encode(large).latent_dist.mode())


# %% tags=["demo"] draws="Two ways to enlarge, decoded; and how large latents are at two sizes."
SCENES = edge_scenes(NUM_CLIPS)
truth, given = (render(SCENES, 17, size).clips() for size in (128, 64))
with torch.no_grad():
    small, large = (VAE.normalize(VAE.encode(clips).latent_dist.mode()) for clips in (given, truth))
    again, latents_enlarged = coded_again(small), upsample_condition(small, [0.0] * 16, [1.0] * 16)
    shown = {"latents enlarged": latents_enlarged, "pixels enlarged, coded again": again, "drawn at 128": large}
    shown = {name: PIPE.decode(latents) for name, latents in shown.items()}
    interpolated = bicubic(PIPE.decode(small))
display(show.strips({name: clips[0] for name, clips in shown.items()}, num_frames=5, width=120))
for name, clips in shown.items():
    print(f"{name:30}{clip_psnr(clips, truth, data_range=2).mean():6.1f} dB")
ratio = small.std(dim=(0, 2, 3, 4)) / large.std(dim=(0, 2, 3, 4))
print(f"standard deviation at 64 over that at 128, by channel: {ratio.min():.2f} to {ratio.max():.2f}")

# %% [markdown]
# **What to see.** A latent is no pixel. It says what a patch of 8 × 8 looks like, and between two patches there is no
# half-way patch. So the *picture* is enlarged, and the VAE says it in its own words. The numbers of these words differ
# from size to size, in each channel in its own way.

# %% [markdown] about="augment_condition" difficulty=2 importance=5 minutes=8
# ## A condition that must not be trusted
#
# The remedy for the faults of the first model is **conditioning augmentation** (Ho et al. 2021): noise on the
# condition, with a level $a$ that is drawn anew for each training sample, and **told to the model**:
#
# $$ \tilde c = (1 - a) \, c + a \, \varepsilon , \qquad \text{told: } 1000 \, a . $$
#
# Noise covers small faults first. A model that has learned to read a noisy condition takes from it what is certain, and
# fills in the rest from what it knows of the world. And since it knows the level, it can trust a clean one.

# %% exercise="augment_condition" from="common.diffusion.super_resolution:augment_condition"

# %% check="augment_condition"

# %% [markdown] hints="augment_condition"
# 1. A level is one number or one per sample. Make it one per sample first: `torch.as_tensor(noise_level)`, `.expand`.
# 2. `append_dims(level, condition)` gives `(B,)` the axes to meet `(B, C, T', H, W)`.
# 3. `((1 - share) * condition + share * noise).to(condition.dtype), 1000 * level`, after the checks.

# %% [markdown] troubles="augment_condition"
# - **The wrong samples are noisy.** A `(B,)` tensor beside five axes lines up with the last one.

# %% tags=["demo"] draws="What is left of a condition at four levels, as the VAE would decode it."
with torch.no_grad():
    eps = torch.randn(first.shape, generator=seeded(1))
    blurred = {f"a = {a:g}": PIPE.decode(augment_condition(first, a, eps)[0])[0] for a in (0.0, 0.1, 0.2, 0.4)}
show.strips(blurred, num_frames=8, width=70)

# %% [markdown]
# **What to see.** Noise takes the small things first. At 0.4 you still know what it is and where. (The VAE was not made
# for noise. What the second model reads is the numbers, not this picture.)

# %% [markdown] about="SuperResolutionDiT" difficulty=4 importance=5 minutes=18
# ## The second model
#
# A DiT without a text. The condition needs no cross-attention: it is a picture in register, so it is **concatenated**
# along the channels, and each token sees its own piece of it. Two noise levels steer the blocks, the sample's and the
# condition's.
#
# | quantity | shape | here |
# |---|---|---|
# | noisy latents and condition | `(B, 2C, T', H, W)` | (B, 32, 5, 16, 16) |
# | tokens | `(B, N, D)` | (B, 320, 128) |
# | signal | `(B, 1, 6 D)` | shift, scale, gate of two branches |

# %% exercise="SuperResolutionDiT" from="common.models.super_resolution:SuperResolutionDiT" blank="forward"

# %% check="SuperResolutionDiT"

# %% [markdown] hints="SuperResolutionDiT"
# 1. It is the docstring's four steps. `torch.cat([…], dim=1)`, then `patchify(…, (1, p, p))`.
# 2. `embedding = self.embedding(self.time_in(…) + self.noise_level_in(…))`; the blocks want
#    `self.to_signal(embedding)[:, None]`.
# 3. `shift, scale = self.to_last_signal(embedding)[:, None].chunk(2, dim=-1)`, then
#    `self.patches_out(plain_norm(x) * (1 + scale) + shift)` and `unpatchify(x, (1, p, p), (T', H, W))`.

# %% [markdown] troubles="SuperResolutionDiT"
# - **A shape error in the attention.** The rotations are for tokens, H / p rows and W / p columns, not for latents.

# %% [markdown]
# The loss on your parts: flow matching, as in 06.1, with a noise level of the condition that is drawn for each sample.
# One thing is given. The condition is nearly the answer, so the network learns what is *missing*: `Preconditioned`
# takes the best linear guess from sample and condition, and adds the network's output, scaled to the guess's error. An
# untrained model, which says 0, then gives the condition back, and its loss is about 1.

# %%
STATISTICS = {of: UPSCALER.transformer.statistics(of) for of in ("condition", "sample")}


def upscaling_loss(model, coded, answer, generator, most_noise=0.5):
    """Flow matching on large latents; the condition has a noise level from 0 to `most_noise`."""
    condition = upsample_condition(coded, *STATISTICS["condition"], scale_factor=1)
    level = most_noise * torch.rand(len(coded), generator=generator)
    noisy, told = augment_condition(condition, level, torch.randn(condition.shape, generator=generator))
    s = torch.randn(len(coded), generator=generator).sigmoid()
    eps = torch.randn(answer.shape, generator=generator)
    said = Preconditioned(model)(add_noise(answer, eps, flow_level(s)), 1000 * s, noisy, told)
    return ((said.sample - (eps - answer)).square().flatten(1).mean(dim=1) / said.error).mean()


mean, std = (rearrange(values, "c -> c 1 1 1") for values in STATISTICS["sample"])
answer = (large - mean) / std
torch.manual_seed(0)
fresh = SuperResolutionDiT(**PRESETS["cpu"])
optimizer = torch.optim.AdamW(fresh.parameters(), lr=2e-3)
losses = []
for step in progress_bar(range(TRAINING_STEPS), desc="first steps"):
    loss = upscaling_loss(fresh, again[:2], answer[:2], seeded(step % 2))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

MODEL = SuperResolutionDiT.from_config(UPSCALER.transformer.config).eval()
MODEL.load_state_dict(UPSCALER.transformer.state_dict())  # the shipped weights, in your class
with torch.no_grad():
    shipped = sum(upscaling_loss(MODEL, again[:2], answer[:2], seeded(k)) for k in range(2)) / 2
print(f"fresh: {losses[0]:.2f}, after {len(losses)} steps {losses[-1]:.2f}; the shipped weights: {shipped:.2f}")
print(f"{sum(p.numel() for p in MODEL.parameters()):,} weights; sprites-t2v has "
      f"{sum(p.numel() for p in PIPE.transformer.parameters()):,}")

# %% [markdown] about="super_resolve" difficulty=3 importance=5 minutes=12
# ## Sampling, with the augmentation
#
# In use the condition is augmented too, with a level that you choose. Forgetting this is the most common mistake: the
# model is told that its condition is clean, and believes the first model's every fault. The noise on the condition is
# drawn **once**. From step to step only the sample changes.

# %% exercise="super_resolve" from="common.diffusion.super_resolution:super_resolve"

# %% check="super_resolve"

# %% [markdown] hints="super_resolve"
# 1. Three lines: augment, define a velocity, run a sampler.
# 2. `euler(velocity, x, levels)` is a generator of steps, and `last(…)` gives the sample after the last one. The
#    velocity gets x and the level `(B,)`.
# 3. `velocity = lambda x, s: model(x, 1000 * s, noisy, told).sample`, then
#    `last(euler(velocity, noise, flow_levels(num_inference_steps, shift)))`.

# %% [markdown] troubles="super_resolve"
# - **"level is not (B,)".** Levels by hand are single numbers: `.expand(len(x))`.

# %%
@torch.no_grad()
def enlarge(coded, noise_level, steps=STEPS, seed=0):
    """Latents of enlarged clips to clips with their details, on your functions."""
    condition = upsample_condition(coded, *STATISTICS["condition"], scale_factor=1)
    noise, condition_noise = torch.randn(2, *condition.shape, generator=seeded(seed))
    drawn = super_resolve(Preconditioned(MODEL), condition, noise, condition_noise, noise_level, steps)
    return UPSCALER.decode(MODEL.denormalize(drawn))


# %% tags=["demo"] draws="Your sampler: one step, and three, on a true clip."
ways = {
    "bicubic": interpolated,
    "condition": shown["pixels enlarged, coded again"],
    "one step": enlarge(again, 0.0, steps=1),
    f"{STEPS} steps": enlarge(again, 0.0),
    "drawn at 128": truth,
}
show.strips({name: clips[0] for name, clips in ways.items()}, num_frames=5, width=120)

# %% [markdown]
# **What to see.** One step from pure noise is the model's best guess before it has committed to anything: the **mean**
# of all clips that fit the condition. That is what regression learns. The steps after it choose.

# %% [markdown] about="edge_width" difficulty=3 importance=3 minutes=12
# ## How sharp is sharp
#
# "Sharper" needs a number. Optics has one, the **10–90 % rise distance**: walk across an edge, and count the pixels
# from 10 % to 90 % of the climb. Interpolation between pixels makes it finer than a pixel. And a profile may ring, as
# bicubic ones do, so *which* 10 % and which 90 % count has to be said.

# %% exercise="edge_width" from="common.evaluation.edges:edge_width"

# %% check="edge_width"

# %% [markdown] hints="edge_width"
# 1. `(profiles - first) / (last - first)` runs from 0 to 1, also for an edge that falls.
# 2. `(heights >= 0.9).int().argmax(dim=1)` is the first pixel at 0.9 or above. Of the pixels before it, the last at 0.1
#    or below is the other place.
# 3. Between pixel k, at a, and pixel k + 1, at b, the line is at `height` at `k + (height - a) / (b - a)`. `gather`
#    takes one pixel from each row.

# %% [markdown] troubles="edge_width"
# - **Only rows with ringing are wrong.** The first time above 0.9, and then the last time below 0.1 *before* that.

# %% [markdown]
# ## The result to remember
#
# The same small latents, every way to enlarge them. **Baselines**: bicubic interpolation, the condition itself,
# decoded, and the model's mean.
# **Negative control**: the model with the condition of another clip.

# %%
ways["another clip's condition"] = enlarge(again.roll(1, dims=0), 0.0)
profiles = {name: edge_profiles(clips, SCENES) for name, clips in ways.items()}
for name, clips in ways.items():
    fits = name != "another clip's condition"  # in the control the edges are elsewhere
    width = f"{edge_width(profiles[name]).median():.2f} px" if fits else "-"
    score = f"{clip_psnr(clips, truth, data_range=2).mean():.1f} dB" if clips is not truth else "-"
    print(f"{name:26} {score:>9}   edges {width}")

# %% tags=["demo"] draws="Across one edge, and the clips."
figure, axis = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
COLORS = ("#9a9a9a", "#c9a227", "#8a7a2f", "#b3541e", "#1f6f8b")
for name, color in zip(ways, COLORS):
    axis.plot(torch.arange(-6, 6) + 0.5, profiles[name][0], "o-", color=color, label=name, markersize=3)
axis.set(xlabel="pixels from the edge", ylabel="from field (0) to object (1)", title="One profile, every way")
axis.legend(fontsize=8)
plt.show()
playing({name: ways[name][0] for name in ("bicubic", f"{STEPS} steps", "drawn at 128")})

# %% tags=["demo"] draws="The card's numbers, over more clips."
card = read_card(folder("sprites-upscaler")).measured["full"]
for name in ("bicubic", "coded", "one_step", "true", "vae", "other"):
    edge = f"{card[f'{name}/edge']:.2f} px" if f"{name}/edge" in card else "-"
    print(f"{name:10} {card[f'{name}/psnr']:5.1f} dB   edges {edge}")
print(f"{'drawn':10}            edges {card['drawn/edge']:.2f} px")

# %% [markdown]
# **What to see.** Two gains, and they are not the same one. Bicubic interpolation knows no edges. The VAE does: coding
# the blurred clip again already sharpens it, and wins most of the decibels. The second model goes on from there to
# `vae`, the sharpest that this VAE can write down at all. More steps than one win nothing here: a small clip of this
# world says nearly everything, so the mean is sharp already, and every further step only commits to what is uncertain.
# With another clip's condition it draws that other clip, so it listens.
#
# The design of this lab asked for 2 dB over bicubic, which the shipped weights reach, and for edges of 1.4 pixels. The
# VAE rules those out.

# %% [markdown]
# ## On the first model's faults
#
# True clips are what the second model was trained on. Now the cascade: clips that `sprites-t2v` drew. Turn the noise on
# the condition down to 0, and the first model is believed in everything.

# %%
with torch.no_grad():
    levels = (0.0, 0.2, 0.4)
    drawn = {f"a = {a:g}": enlarge(coded_again(first), a)[0] for a in levels}
playing({"bicubic": heading["bicubic"]} | drawn, width=130)

# %% tags=["demo"] draws="Two models with equal steps, measured once: clips with faults whose truth is known."
place = paths.find_lab("04.4").tests.parent / "calibration" / "04_cascaded_super_resolution.json"
study = json.loads(place.read_text())
for name, arm, level in (
    ("bicubic", "augmented", "bicubic"),
    ("trained without augmentation", "trusting", "0"),
    ("augmented in training, forgotten in use", "augmented", "0"),
    ("augmented, a = 0.2", "augmented", "0.2"),
    ("augmented, a = 0.4", "augmented", "0.4"),
    ("augmented, trained longer, a = 0.2", "shipped", "0.2"),
    ("augmented, trained longer, a = 0.4", "shipped", "0.4"),
):
    print(f"{name:42}{study['psnr'][arm][level]:6.2f} dB")
print(f"({study['clips']} clips whose last part sprites-t2v has drawn)")
print(f"generated clips, change from frame to frame, of bicubic's: {card['generated/change_ratio']:.2f} with a = 0.2, "
      f"{card['forgotten/change_ratio']:.2f} without")
print(f"shape as asked: {card['generated/shape']:.0%}, bicubic {card['bicubic/shape']:.0%}")

# %% [markdown]
# **What to see.** No shape is lost, and the clip is as calm as bicubic's, within a tenth. And the remedy? **Here it
# wins nothing.** The two models are equal on faults. Noise in use costs decibels, and least with the shipped weights,
# which have learned longest to read through it. All are behind bicubic there. The faults of `sprites-t2v` are mostly
# things in a wrong place, and a sharp edge in a wrong place costs more than a blurred one. Noise hides what is small.
# For faults of the texture, which real cascades have and this world has not, it is what made them work (*Imagen
# Video*).

# %% [markdown]
# ## Try it
#
# Any sentence, any noise on the condition, any number of steps. `cascade` is the whole chain in one call.

# %%
NOISE_LEVEL, UPSCALE_STEPS, SENTENCE = 0.2, 4, "a small red star moves left over a blue field"

options = {"num_inference_steps": 8, "noise_level": NOISE_LEVEL, "num_upscale_steps": UPSCALE_STEPS}
chosen = cascade(PIPE, UPSCALER, SENTENCE, generator=1, **options).frames[0]
playing({SENTENCE: chosen}, width=200)

# %% [markdown] tags=["folded"]
# ## Going further: upscalers at real scale
#
# `StableDiffusionUpscalePipeline` is this lab's model for pictures: the condition is concatenated, noisy, and its
# `noise_level` is told to the U-Net as a class label. Imagen Video has six such stages. `LTXLatentUpsamplePipeline`
# goes another way. A convolutional network maps small latents to large ones in one step, as regression does, and a few
# steps of the first model itself draw the details. Its latents go from (16, 5, 8, 8) to (16, 5, 16, 16) too:

# %% tags=["demo"] draws="The latent upsampler of LTX-Video at toy size, with random weights."
from diffusers.pipelines.ltx.modeling_latent_upsampler import LTXLatentUpsamplerModel

peer = LTXLatentUpsamplerModel(in_channels=16, mid_channels=32, num_blocks_per_stage=1, dims=3)
with torch.no_grad():
    print(f"{tuple(first.shape)} to {tuple(peer(first).shape)}, {sum(p.numel() for p in peer.parameters()):,} weights")

# %% [markdown]
# **An ablation.** Draw the condition's noise anew at every step. What becomes of the calm of the clip, and why?
#
# ## Honest limits
#
# - In this world a small clip says nearly everything: what is left to invent is where an edge runs inside a pixel. For
#   faces or leaves the second model has to make up texture, and one step, the mean, is grey there.
# - It cannot repair what the story got wrong. A cross that has lost an arm for three frames stays so.
# - One VAE for both sizes. It was trained at 64 pixels, and its own limit at 128 is in the card as `vae/`.
#
# ## Yours now
#
# `flipbook generate "a large green cross orbits on purple stripes" --upscale --mine` draws 128 × 128 on your functions,
# once this notebook is saved in `work/`.
#
# **Next:** 04.5, who may look at whom. **To read:** *Cascaded Diffusion Models for High
# Fidelity Image Generation* (arXiv:2106.15282), *Imagen Video* (arXiv:2210.02303).
