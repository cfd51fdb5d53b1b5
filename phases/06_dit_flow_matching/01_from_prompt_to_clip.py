# %% [markdown]
# # From a prompt to a clip
#
# About 25 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# One sentence goes in, seventeen frames come out. This notebook follows a clip through every station on the way and
# stops at each to look: pixels, latents, tokens, noise levels, velocity, steps, latents, pixels. The models are small
# and ship with the course: `sprites-vae` (phase 05) and `sprites-t2v`, a transformer trained on captioned clips of a
# world of sprites. Large video models have the same stations; they differ in size, in data, and in how much language
# they know.

# %% tags=["setup"]
from itertools import pairwise

import matplotlib.pyplot as plt
import torch

from common import show
from common.data.sprites import SpriteData, caption
from common.data.sprites.attributes import FPS
from common.diffusion.paths import add_noise, flow_level, flow_target
from common.evaluation.sprite_reader import read_sprites
from common.layers.modulation import timestep_features
from common.layers.rope import rotate, rotations
from common.pipelines import TextToVideoPipeline
from common.runtime import limit_threads
from common.tensor_ops import patchify
from common.zoo.sprites_t2v.prompts import ONE_WORD, SHOWN

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 72
BLUE, OLIVE, RUST = "#1f6f8b", "#8a7a2f", "#b3541e"
GUIDANCE = 3.0  # the pipeline's own

pipe = TextToVideoPipeline.from_pretrained("sprites-t2v")
pipe.set_progress_bar_config(disable=True)
DIT, VAE = pipe.transformer, pipe.vae


def seeded(seed):
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# First the whole of it. No one drew the clip below: it is made of noise and of this sentence.

# %%
PROMPT = SHOWN[1]
made = pipe(PROMPT, generator=seeded(0)).frames[0]  # (3, 17, 64, 64) in [-1, 1]
show.player(made, FPS, width=160, caption=f"{PROMPT}: {made.shape[1]} frames, {FPS} per second")

# %% [markdown]
# Does it show what was asked for? This world has a **reader**, a program that measures a clip's pixels and says in
# words what it sees. It knows nothing of the prompt.

# %%
words = read_sprites(made[None])[0].words
print(f"asked: {PROMPT}\nread:  {caption(words) if words else 'not everything can be told'}")

# %% [markdown]
# ## From pixels to latents
#
# The transformer never sees a pixel. In training, a clip of the world first goes through the autoencoder, and each
# latent channel is brought to mean 0 and standard deviation 1, the scale of the noise that it will be mixed with.

# %%
world = SpriteData("test", num_objects=1).batch(range(8))
clips = world.clips()  # (8, 3, 17, 64, 64)
latents = VAE.normalize(VAE.encode(clips).latent_dist.mode())  # x0: (8, 16, 5, 8, 8)
print(f"pixels  {tuple(clips.shape[1:])}: {clips[0].numel():7,} numbers")
print(f"latents {tuple(latents.shape[1:])}:    {latents[0].numel():7,} numbers; ", end="")
print(f"mean {latents.mean():+.2f}, standard deviation {latents.std():.2f}")


def as_colours(latents):
    """Three of the channels of one latent frame, `(C, H', W')`, as red, green and blue; grey is 0."""
    return (latents[:3].permute(1, 2, 0) / 5 + 0.5).clamp(0, 1)


def rows_of_latents(rows, title, heads):
    """One row for each name, one column for each latent frame, `(C, T', H', W')`."""
    figure, axes = plt.subplots(len(rows), 5, figsize=(7.6, 1.45 * len(rows) + 0.65), layout="constrained")
    for line, (name, values) in zip(axes, rows.items()):
        for t, axis in enumerate(line):
            axis.imshow(values[:, t].permute(1, 2, 0) / 2 + 0.5 if len(values) == 3 else as_colours(values[:, t]))
            axis.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, fontsize=9)
    for axis, head in zip(axes[0], heads):
        axis.set_title(head, fontsize=9)
    figure.suptitle(title, fontsize=10)
    plt.show()


rows_of_latents(
    {"pixels": clips[0, :, ::4], "latents": latents[0]},
    f"{world.captions[0]}\nBelow, three of its sixteen latent channels, drawn as red, green and blue",
    ["frame 0", "frames 1-4", "frames 5-8", "frames 9-12", "frames 13-16"],
)

# %% [markdown]
# **What to see.** The latents are small and still a picture: the object is where it was. Each latent frame but the
# first holds four frames, the last of which is drawn above it.
#
# ## From latents to tokens
#
# A transformer wants a sequence. Each latent frame is cut into patches of 2 × 2 places, 16 · 2 · 2 = 64 numbers each,
# and one linear layer makes a **token** of every patch: that is a DiT's way in. On the way out, another linear layer
# makes 64 numbers of each token. A token never spans two latent frames here, so that each frame can have a noise
# level of its own.

# %%
tokens = patchify(latents, (1, 2, 2))  # (B, T' · S, 64), here 5 · 16 tokens
hidden = DIT.patches_in(tokens)
print(f"{tuple(latents.shape[1:])} to {tokens.shape[1]} patches of {tokens.shape[2]} numbers, then {hidden.shape[2]}")

figure, axis = plt.subplots(figsize=(7.6, 2.9), layout="constrained")
drawn = axis.imshow(tokens[0].T, cmap="RdBu", vmin=-3, vmax=3, aspect="auto", interpolation="nearest")
for t in range(1, 5):
    axis.axvline(16 * t - 0.5, color="black", linewidth=1)
axis.set(xlabel="place in the sequence; a black line where a new latent frame begins", ylabel="number in the patch")
axis.set_title("The clip from above as the transformer gets it: 80 columns", fontsize=10)
figure.colorbar(drawn, label="value")
plt.show()

long = (1 + (121 - 1) // 4) * (720 // 16) * (1280 // 16)
print(f"5 s of 720p at 24 fps by the same rule: {long:,} tokens, and {(long / 80) ** 2:,.0f} times as many pairs")

# %% [markdown]
# **What to see.** The pattern of the background repeats from frame to frame; what changes is the object. Attention
# may compare any column with any other, within a frame and across.
#
# The last line is why video models are expensive: attention works on *pairs* of tokens.
#
# ### Where is a token?
#
# The sequence has forgotten where each patch was. **Rotary positions** tell it without adding anything to the tokens:
# in each head, queries and keys are turned by angles that grow with the frame, with the row and with the column,
# about a third of the numbers for each. The product of a query with a key then depends on how far apart the two are,
# on nothing else.
#
# *Before you run on:* take the same vector at every place and turn each copy by its place. Which place has the
# largest product with the one at the white dot?

# %%
grid = (5, 4, 4)
head_dim = DIT.config.dim // DIT.config.num_heads
copies = torch.ones(1, 80, 1, head_dim)
turned = rotate(copies, rotations(grid, head_dim, theta=DIT.config.rope_theta))[0, :, 0]  # (80, head_dim)
middle = (2 * 4 + 1) * 4 + 1  # frame 2, row 1, column 1
likeness = (turned @ turned[middle] / head_dim).reshape(grid)
figure, axes = plt.subplots(1, 5, figsize=(7.6, 2.0), layout="constrained")
for t, axis in enumerate(axes):
    drawn = axis.imshow(likeness[t], cmap="viridis", vmin=likeness.min(), vmax=1)
    axis.set(xticks=[], yticks=[])
    axis.set_title(f"latent frame {t}", fontsize=9)
axes[2].plot(1, 1, "o", color="white")
figure.colorbar(drawn, ax=axes, label="product,\npart of the largest")
figure.suptitle("What rotation alone says of near and far, seen from the white dot", fontsize=10)
plt.show()

# %% [markdown]
# **What to see.** Brightest at the dot, darker with distance in all three directions, the same to either side.
# Nothing was learned for this, and a longer or wider clip has angles too.
#
# ## Noise levels
#
# Training takes a clip's latents x₀, draws noise ε of the same shape and a level s, and mixes them on a straight
# line:
#
# $$x_s = (1 - s)\, x_0 + s\, \varepsilon, \qquad \text{target: } v = \varepsilon - x_0 .$$
#
# The target is the direction of that line, the same at every s: this is *rectified flow*. Below, the mixture at four
# levels, decoded to pixels. (The decoder was never trained on noise, so noise has colours of its own.)

# %%
x0, eps = latents[:1], torch.randn(latents[:1].shape, generator=seeded(1))
mixed = {
    f"s = {s:g}": pipe.decode(add_noise(x0, eps, flow_level(torch.tensor([s]))))[0] for s in (0.25, 0.5, 0.75, 1.0)
}
show.strips(mixed, num_frames=5, width=64, title="Latents mixed with noise, decoded")

# %% [markdown]
# Large and plain things survive more noise than small ones. So there is an order in what a model has to decide: at
# high levels what is where and what moves, at low ones edges and shades.
#
# ## The model answers: a velocity
#
# Three things go in: noisy latents, the level, and the text as the states that a *frozen* text encoder has for its
# tokens. One thing comes out, a velocity of the shape of the latents.

# %%
text = pipe.text_encoder(world.captions)
print(f"8 captions: {tuple(text.states.shape)}, as many token states as the longest has tokens, 384 numbers each")


def velocity(x, s, texts=text):
    """What the transformer says; the level `s` is one number for all."""
    return pipe.velocity(x, torch.full((len(x),), float(s)), texts.states[: len(x)], texts.mask[: len(x)])


answer = velocity(add_noise(x0, eps, flow_level(torch.tensor([0.6]))), 0.6)
rows_of_latents(
    {"noisy, s = 0.6": add_noise(x0, eps, flow_level(torch.tensor([0.6])))[0], "target": flow_target(x0, eps)[0],
     "answer": answer[0], "answer - target": (answer - flow_target(x0, eps))[0]},
    "A velocity, in three of its sixteen channels", [f"latent frame {t}" for t in range(5)],
)  # fmt: skip

# %% [markdown]
# **What to see.** The target looks like noise, because most of it is: ε minus a calm picture. The answer is nearly
# the same, and what is left over (grey is nothing) is where the object is. To find ε in a mixture is to find x₀:
# from x_s and v follows the model's estimate of the clip, x_s - s v.
#
# *Before you run on:* at s = 1 the input is noise alone; the caption is all that the model knows. What is its
# estimate of the clip?

# %%
believed = {f"the clip: {world.captions[0]}": clips[0]}
for s in (0.5, 0.9, 1.0):
    x = add_noise(x0, eps, flow_level(torch.tensor([s])))
    believed[f"the model's estimate at s = {s:g}"] = pipe.decode(x - s * velocity(x, s))[0]
show.strips(believed, num_frames=5, width=72)

# %% [markdown]
# **What to see.** Where half is noise, the guess is nearly the clip. At s = 1 it is the *mean* of all clips that the
# caption allows: right where they all agree, a smear where they do not. That is what a squared error asks for. The
# first step of sampling goes towards this smear, and every later step knows more.
#
# How large is the error at each level? The model is compared with a guess that knows only that latents have mean 0 and
# standard deviation 1, with the same weights without a caption, and, as a control, with the same weights and the
# captions of *other* clips.

# %%
shown = torch.linspace(0.05, 1, 8).tolist()
some, noises = latents[:6], torch.randn(latents[:6].shape, generator=seeded(2))
others = type(text)(text.states[:6].roll(1, 0), text.mask[:6].roll(1, 0))
nothing = pipe.text_encoder([""] * 6)
errors = {"mean and spread": [], "captions of others": [], "no caption": [], "own caption": []}
for s in shown:
    x = add_noise(some, noises, flow_level(torch.full((6,), s)))
    best_line = (2 * s - 1) / (s**2 + (1 - s) ** 2) * x  # E[eps - x0 | x_s], were both standard normal
    for name, guess in zip(errors, (best_line, *(velocity(x, s, texts) for texts in (others, nothing, text)))):
        errors[name].append((guess - flow_target(some, noises)).square().mean().item())

figure, axis = plt.subplots(figsize=(7.6, 3.0), layout="constrained")
for (name, values), colour, line in zip(errors.items(), (OLIVE, RUST, BLUE, BLUE), "--:-"):
    axis.plot(shown, values, color=colour, linestyle=line, marker="o", markersize=4, label=name)
axis.set(xlabel="noise level s", ylabel="mean squared error", ylim=(0, None), xlim=(0, 1.02))
axis.set_title("Error of the velocity, 6 clips of the test split", fontsize=10)
figure.legend(loc="outside right center", frameon=False)
plt.show()
gain = [without - own for without, own in zip(errors["no caption"], errors["own caption"])]
print(f"what the caption takes off: {gain[0]:.2f} at s = {shown[0]:g}, {gain[-2]:.2f} at s = {shown[-2]:.2f}")
better = all(own < naive for naive, own in zip(errors["mean and spread"][:-1], errors["own caption"]))
print("better than mean and spread below s = 1:", better)

# %% [markdown]
# **What to see.** Two ends, two problems. At small s the noise is faint and must be told from fine detail; what is in
# the clip can be seen, and the caption adds little. At high s there is less and less to see, and the caption says
# what is missing. A wrong caption hurts everywhere: the model believes what it is told, even where it could see
# otherwise. So a model that is meant to follow its prompt must be good at high levels, and a recipe may train there
# more often.
#
# ### How the level gets in
#
# The level is no token. It steers each block from outside: for each branch (attention, reading the text,
# feed-forward) a small network gives a scale and a shift for what goes in, and a **gate** for what comes out. This is
# **AdaLN-Zero**; all gates were exactly zero before training, so that every block began as the identity. How wide are
# they now, and which of the three does the level move?

# %%
levels = torch.linspace(0, 1, 21)
signal = DIT.to_signal(DIT.time_in(timestep_features(1000 * levels[:, None], DIT.config.freq_dim)))
steered = [block.modulation(signal) for block in DIT.blocks]  # of each block its three branches, each (21, 1, 1, D)
numbers = range(1, len(steered) + 1)
figure, (left, right) = plt.subplots(1, 2, figsize=(8.0, 2.9), layout="constrained")
for branch, (name, colour) in enumerate(zip(("attention", "reading the text", "feed-forward"), (BLUE, OLIVE, RUST))):
    left.plot(numbers, [block[branch].gate[10].abs().mean() for block in steered], marker="o", color=colour, label=name)
left.set(xlabel="block", ylabel="mean size", ylim=(0, None), xticks=numbers)
left.set_title("Gates at s = 0.5", fontsize=10)
for name, colour in zip(("shift", "scale", "gate"), (BLUE, OLIVE, RUST)):
    every = torch.stack([getattr(branch, name).flatten(1) for block in steered for branch in block])  # (21, 21, D)
    right.plot(levels, (every - every[:, 10:11]).abs().mean(dim=(0, 2)), color=colour, label=name)
right.set(xlabel="noise level s", ylabel="mean difference", ylim=(0, None))
right.set_title("Difference from s = 0.5, all blocks", fontsize=10)
for axis in (left, right):
    axis.legend(frameon=False, fontsize=9)
plt.show()

# %% [markdown]
# **What to see.** The gates have opened, in late blocks wider than in early ones. What they let through is steered by
# the level, a little here and a little there: one set of weights is in effect a family of networks, one for each
# level.
#
# ## Steps
#
# Sampling walks the line backwards: ask for the velocity, go a little way against it, ask again. That is Euler's
# method. **Guidance** asks twice at each step, with the prompt and without (in training about every tenth clip had no
# caption), and goes further in the direction in which the prompt changes the answer. The whole sampler:

# %%
asked = pipe.text_encoder([PROMPT])


def guided(x, s, scale):
    with_prompt, without = velocity(x, s, asked), velocity(x, s, nothing)
    return without + scale * (with_prompt - without)


def euler(x, num_steps, scale):
    """Noise to latents: of each step the level, the clip as the model sees it, the sample."""
    for s, after in pairwise(torch.linspace(1, 0, num_steps + 1).tolist()):
        v = guided(x, s, scale)
        denoised, x = x - s * v, x + (after - s) * v
        yield s, denoised, x


noise = torch.randn(pipe.latents_shape(1, 17, 64, 64), generator=seeded(0))
steps = list(euler(noise, 20, GUIDANCE))
by_hand = pipe.decode(steps[-1][2])[0]
straight = pipe(PROMPT, generator=seeded(0), shift=1, eta=0).frames[0]
print(f"the library's clip, with Euler's method: {torch.allclose(by_hand, straight, atol=1e-3)}")

KEPT = (0, 1, 3, 7, 19)
strip = {f"step {k + 1} of 20, s = {steps[k][0]:.2f}": pipe.decode(steps[k][1])[0] for k in KEPT}
show.strips(strip, num_frames=5, width=72, title="The model's estimate of the clip, step by step")

# %% [markdown]
# **What to see.** The first guess is a smear, made more extreme by guidance. Then there is one object in one place.
# Place and path are settled in the first steps, the others sharpen.
#
# ## Latents to pixels
#
# The last latents go through the decoder, once, and that is the clip. To see that the words decide, keep the noise
# and change one thing in the sentence:

# %%
changed = pipe(ONE_WORD, generator=[seeded(0) for _ in ONE_WORD]).frames
show.strips({PROMPT: made} | dict(zip(ONE_WORD, changed)), num_frames=5, width=52)

# %% [markdown]
# In your copy, write sentences of your own, here or with `flipbook generate`. A prompt that the shipped table of text
# states does not hold is read by the text encoder that `learn` installed.
#
# ## The whole pipeline, once more
#
# | station | what | shape here |
# |---|---|---|
# | text encoder | prompt to token states, frozen | `(L, 384)` |
# | noise | where sampling begins | `(16, 5, 8, 8)` |
# | patches | 2 × 2 places to a token | `(80, 64)` |
# | blocks | attention, reading, feed-forward, steered by the level | `(80, 256)` |
# | velocity | back to latents | `(16, 5, 8, 8)` |
# | sampler | against the velocity, with guidance, 20 times | `(16, 5, 8, 8)` |
# | decoder | latents to pixels | `(3, 17, 64, 64)` |
#
# The course's own sampler adds **fresh noise** in each step, and one set of weights also continues a given picture:
# both are on [the next page](02_steps_and_fresh_noise.ipynb).
#
# ## What you can now say
#
# - Training is regression: mix data and noise on a line, predict the line's direction.
# - A guess at s = 1 is a mean over all that the prompt allows; steps turn it into one clip.
# - Positions are rotations; the level steers by scale, shift and gate; the text is attended to.
# - The caption says most where there is least to see; guidance goes further in the direction in which it points.
#
# Build this transformer yourself, part by part: [lab 06.1](../../labs/06_dit_flow_matching/01_video_dit.ipynb).
#
# What this one does not do: words outside its world mean nothing to it, a clip lasts two seconds, and two objects are
# harder for it than one. How often it is right is on its card, measured: `flipbook zoo`.
