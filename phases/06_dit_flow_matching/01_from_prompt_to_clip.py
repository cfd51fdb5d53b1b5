# %% [markdown]
# # From a prompt to a clip
#
# About 30 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# One sentence goes in, seventeen frames come out. This notebook follows a clip through every station on the way, and
# stops at each to look: pixels, latents, tokens, noise levels, velocity, steps, latents, pixels. The models are small and
# ship with the course: `sprites-vae` (phase 05) and `sprites-t2v`, a transformer that learned on this world's captions.
# Wan, HunyuanVideo or Sora have the same stations; they differ in size, in data, and in what a text encoder knows.

# %% tags=["setup"]
import time

import matplotlib.pyplot as plt
import torch
from einops import rearrange

from common import show
from common.course.explore import explore
from common.data.sprites import SpriteData
from common.data.sprites.attributes import FPS
from common.diffusion.paths import add_noise, flow_level
from common.diffusion.samplers import euler
from common.diffusion.schedules import flow_levels
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.layers.modulation import timestep_features
from common.layers.rope import rotate, rotations
from common.pipelines import TextToVideoPipeline
from common.runtime import limit_threads
from common.tensor_ops import patchify
from common.zoo.sprites_t2v.prompts import SHOWN, evaluation_prompts

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 85
BLUE, OLIVE, RUST = "#1f6f8b", "#8a7a2f", "#b3541e"

pipe = TextToVideoPipeline.from_pretrained("sprites-t2v")
pipe.set_progress_bar_config(disable=True)
DIT, VAE = pipe.transformer, pipe.vae


def seeded(seed):
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# First the whole of it. The prompt is a sentence of the world's grammar; the clip below it is made, not found.

# %%
PROMPT = SHOWN[1]
begin = time.perf_counter()
made = pipe(PROMPT, generator=seeded(0)).frames[0]  # (3, 17, 64, 64) in [-1, 1]
print(f"{tuple(made.shape)} in 20 steps; less than 15 s: {time.perf_counter() - begin < 15}")
print(f"the world's reader, which knows nothing of the prompt: {read_sprites(made[None])[0]}")
show.player(made, FPS, width=160, caption=PROMPT)

# %% [markdown]
# ## Pixels to latents
#
# The transformer never sees a pixel. A clip of the world first goes through the autoencoder, and each latent channel is
# brought to mean 0 and standard deviation 1, the scale of the noise that it will be mixed with.

# %%
world = SpriteData("test", num_objects=1).batch(range(8))
clips = world.clips()  # (8, 3, 17, 64, 64)
latents = VAE.normalize(VAE.encode(clips).latent_dist.mode())  # x0: (8, 16, 5, 8, 8)
print(world.captions[0])
print(f"pixels {tuple(clips.shape[1:])}, {clips[0].numel():,} numbers; latents {tuple(latents.shape[1:])}, {latents[0].numel():,}")
print(f"mean {latents.mean():+.2f}, standard deviation {latents.std():.2f}")

fig, axes = plt.subplots(2, 5, figsize=(8.6, 3.7), layout="constrained")
for t in range(5):
    axes[0, t].imshow((clips[0, :, 4 * t].permute(1, 2, 0) + 1) / 2)
    axes[0, t].set_title(f"frame {4 * t}", fontsize=10)
    axes[1, t].imshow((latents[0, :3, t].permute(1, 2, 0) / 5 + 0.5).clamp(0, 1))
    axes[1, t].set_title(f"latent {t}", fontsize=10)
for axis in axes.flat:
    axis.set(xticks=[], yticks=[])
fig.suptitle("A clip, and three of its sixteen latent channels as red, green and blue", fontsize=10)
plt.show()

# %% [markdown]
# ## Latents to tokens
#
# A transformer wants a sequence. Each latent frame is cut into patches of 2 × 2 places; a patch is 16 · 2 · 2 = 64
# numbers, and one linear layer makes a **token** of it. A token never spans two latent frames, so that each frame can
# have a noise level of its own; that will matter below.

# %%
tokens = patchify(latents, (1, 2, 2))  # (B, T' · S, 64)
hidden = DIT.patches_in(tokens)
print(f"latents {tuple(latents.shape[1:])} to {tokens.shape[1]} patches of {tokens.shape[2]} numbers, then {hidden.shape[2]} each")
long = (1 + (121 - 1) // 4) * (720 // 16) * (1280 // 16)
print(f"5 s of 720p at 24 fps by the same rule: {long:,} tokens, {long**2 / 80**2:,.0f} times as many pairs")

# %% [markdown]
# The sequence has forgotten where each patch was. **Rotary positions** give it back without adding anything to the
# tokens: in each head, queries and keys are turned by angles that grow with t, with the row and with the column, each
# on numbers of its own. The product of a query with a key then depends on how far apart the two are. Here is a query at
# the middle of the clip, and the product with the *same* vector at every other place:

# %%
grid = (5, 4, 4)
head_dim = DIT.config.dim // DIT.config.num_heads
vector = torch.ones(1, 80, 1, head_dim)
turned = rotate(vector, rotations(grid, head_dim, theta=DIT.config.rope_theta))[0, :, 0]  # (80, head_dim)
middle = (2 * 4 + 1) * 4 + 1
likeness = (turned @ turned[middle] / head_dim).reshape(grid)
fig, axes = plt.subplots(1, 5, figsize=(8.6, 2.1), layout="constrained")
for t, axis in enumerate(axes):
    drawn = axis.imshow(likeness[t], cmap="viridis", vmin=likeness.min(), vmax=1)
    axis.set(xticks=[], yticks=[])
    axis.set_title(f"latent frame {t}", fontsize=10)
axes[2].plot(1, 1, "o", color="white")
fig.colorbar(drawn, ax=axes, label="product / largest")
fig.suptitle("What rotation alone says of near and far, seen from the white dot", fontsize=10)
plt.show()

# %% [markdown]
# **What to see.** Brightest at the dot, and darker with distance in all three directions. Nothing was learned for this:
# a longer or larger clip has angles too, which is why such models can be asked for other sizes.
#
# ## Noise levels
#
# Training takes a clip's latents x0, draws noise ε of the same shape and a level s, and mixes on a straight line:
#
# $$x_s = (1 - s)\, x_0 + s\, \varepsilon, \qquad \text{target: } v = \varepsilon - x_0 .$$
#
# The target is the direction of the line, the same at every s. Below, the mixture at five levels, decoded to pixels
# (a decoder was never trained on noise, so noise looks odd):

# %%
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
x0, eps = latents[:1], torch.randn(latents[:1].shape, generator=seeded(1))
mixed = {f"s = {s:.2f}": pipe.decode(add_noise(x0, eps, flow_level(torch.tensor([s]))))[0] for s in LEVELS}
show.strips(mixed, num_frames=5, width=88)

# %% [markdown]
# At s = 0.5 the eye still finds the object; at 0.75 hardly. So most of what is hard to guess is decided at high levels:
# where things are, what moves. Edges and colours follow at low ones.
#
# ## The model: a velocity
#
# Noisy latents, the level and the text's token states go in; a velocity comes out. Whoever knows x_s and the velocity
# knows what the model takes for the data: x_s - s v. That guess, decoded, shows what it believes at each level, when the
# noise is mixed with the latents of a clip whose caption it is told:

# %%
text = pipe.text_encoder(world.captions)
print(f"text: {text.states.shape[1]} token states of {text.states.shape[2]} numbers: {world.captions[0]!r}")


def velocity(x, s, i=slice(0, 1)):
    return pipe.velocity(x, s, text.states[i], text.mask[i])


believed = {"the clip": clips[0]}
for s in (0.3, 0.6, 0.9, 1.0):
    level = torch.tensor([s])
    x = add_noise(x0, eps, flow_level(level))
    believed[f"s = {s}"] = pipe.decode(x - s * velocity(x, level))[0]
show.strips(believed, num_frames=5, width=88)

# %% [markdown]
# **What to see.** With little noise the guess is the clip. At s = 1 there is nothing of the clip left in the input: the
# guess is the *mean* of all clips that the caption allows, and a mean of many places is a smear. The very first step of
# sampling goes towards that smear; each later step knows more.
#
# How large is the error at each level, beside a guess that knows only the mean?

# %%
shown = torch.linspace(0.05, 1, 12)
errors, naive = [], []
many_eps = torch.randn(latents.shape, generator=seeded(2))
for s in shown:
    level = s.expand(len(latents))
    x = add_noise(latents, many_eps, flow_level(level))
    target = many_eps - latents
    errors.append((velocity(x, level, slice(None)) - target).square().mean())
    slope = (s - (1 - s)) / (s**2 + (1 - s) ** 2)  # the best line through the mean if the latents were normal
    naive.append((slope * x - target).square().mean())
fig, axis = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
axis.plot(shown, naive, color=OLIVE, label="knows mean and spread only")
axis.plot(shown, errors, color=BLUE, marker="o", label="sprites-t2v")
axis.set(xlabel="noise level s", ylabel="mean squared error", ylim=(0, None), title="Error of the velocity, 8 clips")
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# Two ends are different problems. At s near 0 the noise is small and must be told from fine detail of the latents. At
# s near 1 the clip must be guessed from the text. Training draws levels most often in the middle (a logit-normal law).
#
# ### How the level gets in
#
# The level does not stand in the sequence. It steers each block from outside (**AdaLN-Zero**): of each branch it gives a
# scale and a shift for what goes in and a **gate** for what comes out. All gates were exactly zero before training, so
# that every block began as the identity. What are they now?

# %%
levels = torch.linspace(0, 1, 21)
signal = DIT.to_signal(DIT.time_in(timestep_features(1000 * levels[:, None], DIT.config.freq_dim)))
fig, axes = plt.subplots(1, 3, figsize=(8.8, 2.6), layout="constrained", sharey=True)
for branch, (axis, name) in enumerate(zip(axes, ("attention", "text", "feed-forward"))):
    for number, block in enumerate(DIT.blocks):
        gate = block.modulation(signal)[branch].gate.abs().mean(dim=-1).flatten()
        axis.plot(levels, gate, color=plt.cm.viridis(number / len(DIT.blocks)), label=f"block {number}")
    axis.set(xlabel="noise level s", title=name)
axes[0].set(ylabel="mean |gate|", ylim=(0, None))
axes[2].legend(frameon=False, fontsize=7)
plt.show()

# %% [markdown]
# **What to see.** Different blocks speak at different levels, and reading the text has its own curve.
#
# ## Steps
#
# Sampling walks the line backwards: ask for the velocity, go a little way against it, ask again. That is Euler's method,
# and it is a loop of three lines. **Guidance** asks twice, with the prompt and without, and goes further in the
# direction in which the prompt changes the answer. The strip shows what the model believes at some of twenty steps.

# %%
steps = list(pipe.steps([PROMPT], None, 17, 64, 64, 20, 4.0, "", 1.0, seeded(0), None))
strip = {
    f"step {step.index + 1}, s = {step.level.flatten()[0]:.2f}": pipe.decode(step.denoised)[0]
    for step in steps
    if step.index in (0, 1, 3, 7, 12, 19)
}
print(f"the last step is the clip from above: {torch.allclose(pipe.decode(steps[-1].sample)[0], made, atol=1e-4)}")
show.strips(strip, num_frames=5, width=88)

# %% [markdown]
# The place and the path are settled in the first steps; the rest sharpens. How many steps and how much guidance does it
# take? The world's reader counts how many of twelve clips show all that their prompts asked for.

# %%
ASKED = evaluation_prompts("one_object")[:12]
noise = torch.randn(pipe.latents_shape(12, 17, 64, 64), generator=seeded(0))


def all_right(num_steps, scale):
    frames = pipe(ASKED, latents=noise, num_inference_steps=num_steps, guidance_scale=scale).frames
    return accuracy(ASKED, read_sprites(frames))["all"]


print("steps, at guidance 4:   " + "   ".join(f"{n}: {all_right(n, 4.0):.0%}" for n in (2, 4, 10)))
print("guidance, at 10 steps:  " + "   ".join(f"{g:g}: {all_right(10, g):.0%}" for g in (1.0, 2.0, 8.0)))

# %% [markdown]
# ## Latents to pixels
#
# The last latents go through the decoder, once. Change one word at a time; the noise stays the same.

# %%
def with_words(size, color, shape):
    prompt = f"a {size} {color} {shape} moves left over a blue field"
    return show.contact_sheet(pipe(prompt, generator=seeded(0), num_inference_steps=10).frames[0], fps=FPS, columns=5)


explore(with_words, size=["small"], color=["red"], shape=["star"])

# %% [markdown]
# ## An image to begin with
#
# Each latent frame has a noise level of its own. So give the first frame, say that its level is 0 and keep it there: the
# same weights continue the picture. That is the whole of image to video here, because a quarter of the training was like
# this.

# %%
begun = pipe(list(world.captions[:2]), clips[:2, :, 0], generator=seeded(3)).frames
show.strips(
    {
        f"the world: {world.captions[0]}": clips[0],
        "from its first frame": begun[0],
        f"the world: {world.captions[1]}": clips[1],
        "from its first frame ": begun[1],
    },
    num_frames=5,
    width=112,
)

# %% [markdown]
# ## What you can now say
#
# - The stations: pixels, latents, tokens, noise levels, velocity, steps, latents, pixels. Large models have the same.
# - Training is regression: mix data and noise on a line, predict the line's direction.
# - A guess at s = 1 is a mean over all that the prompt allows; steps turn it into one clip.
# - Positions are rotations; the level steers by scale, shift and gate; the text is attended to.
# - A noise level for each frame makes text to video, image to video and streams one model.
#
# What it does not do: words outside the world's grammar mean nothing to it, a clip is two seconds long, and how often it
# is right stands, measured, on its card: `flipbook evaluate sprites-t2v`.
