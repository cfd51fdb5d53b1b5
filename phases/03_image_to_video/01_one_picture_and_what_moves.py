# %% [markdown]
# # One picture, and what moves
#
# About 20 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# A text-to-video model has to invent everything: what there is, what it looks like, where it is, and how it moves. Give
# it the first frame, and all but the last is settled. That is why video models are easiest to learn from here. This
# page measures how much a picture settles, tells a short clip from a picture that merely breathes, and takes apart the
# three ways in which a network can be shown a picture. Nothing is trained.

# %% tags=["setup"]

import matplotlib.pyplot as plt
import torch
from einops import rearrange, repeat
from torch import nn
from torch.nn import functional as F

from common import show
from common.data import clips
from common.data.sprites import ObjectWords, SceneWords, caption, render, scene_of
from common.data.sprites.attributes import FPS
from common.diffusion.guidance import Guidance
from common.diffusion.paths import add_noise, flow_level
from common.diffusion.samplers import stochastic
from common.diffusion.schedules import flow_levels
from common.evaluation.flow_score import clip_flow, flow_score
from common.flow import dis, warp
from common.layers.temporal import Attention, frame_positions
from common.pipelines import TextToVideoPipeline
from common.runtime import limit_threads
from common.video import frames_to_clip, read_frames
from common.zoo.card import read_card
from common.zoo.shelf import folder

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 75
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "#9a9a9a"
PIPE = TextToVideoPipeline.from_pretrained("sprites-t2v")
PIPE.set_progress_bar_config(disable=True)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def beside(*given, dim=3):
    """Clips `(3, T, H, W)` in a row, or with dim=2 in a column, and a white line between them."""
    gap = (0, 2) if dim == 3 else (0, 0, 0, 2)
    return torch.cat([F.pad(clip, gap, value=1.0) for clip in given], dim=dim)


# %% [markdown]
# ## Text, picture or clip in
#
# | task | given | left to make |
# |---|---|---|
# | text to video (**T2V**) | a sentence | looks, places, motion |
# | image to video (**I2V**) | the first frame, often a sentence too | motion, and what comes into view |
# | video to video (**V2V**) | a clip and a sentence | new looks on the motion that is there |
#
# One small model can do all three. `sprites-t2v` draws from a sentence. For I2V its first frame is set to the picture
# and kept free of noise. For V2V a clip is covered with noise, only so much that its motion still shows through, and
# cleaned with another sentence (SDEdit, phase 07). Here each of them draws four clips, which differ in their noise
# alone.
#
# *Before you run on:* which task leaves the four most alike? And in which frame of it?

# %%
N, STEPS = 4, 8
star = ObjectWords(shape="star", color="yellow", size="large", motion="right")
scene = scene_of(SceneWords((star,), background="field", background_color="blue"), index=1)
true = render([scene]).clips()  # (1, 3, 17, 64, 64)
words = caption(scene)
other = words.replace("yellow", "red")


def from_clip(clip, prompt, strength=0.7):
    """V2V: noise on a clip's latents, and the sampler from there, with another sentence."""
    levels = flow_levels(2 * STEPS, 4.0)
    levels = levels[levels <= strength]
    x0 = PIPE.vae.normalize(PIPE.vae.encode(clip).latent_dist.mode()).expand(N, -1, -1, -1, -1)
    x = add_noise(x0, torch.randn(x0.shape, generator=seeded(0)), flow_level(levels[:1].expand(N)))
    texts = PIPE.encode_prompt([prompt] * N, [""] * N)
    for step in stochastic(Guidance(PIPE.velocity, *texts, 3.0), x, levels, 1.0, seeded(1)):
        x = step.sample
    return PIPE.decode(x)


options = {"num_inference_steps": STEPS, "generator": [0, 1, 2, 3]}
made = {
    "T2V": PIPE([words] * N, **options).frames,
    "I2V": PIPE([words] * N, true[0, :, 0], **options).frames,
    "V2V": from_clip(true, other),
}  # each (4, 3, 17, 64, 64)
print(f"T2V and I2V: {words}\nV2V: {other}")
rows = beside(*(beside(*four[:3]) for four in made.values()), dim=2)
show.player(rows[:, ::2], FPS / 2, width=288, max_bytes=50_000, caption="from above: T2V, I2V, V2V; three clips each")

# %% [markdown]
# Now the same as a number: how far apart are the four, frame by frame? Their **spread** at a pixel is the standard
# deviation over the four clips. What is given cannot spread.

# %%
figure, axis = plt.subplots(figsize=(6.6, 3.0), layout="constrained")
for (name, four), colour in zip(made.items(), (RUST, BLUE, OLIVE)):
    spread = four.std(dim=0).square().mean(dim=(0, 2, 3)).sqrt() / 2  # (T,), parts of the range
    axis.plot(torch.arange(17) / FPS, spread, color=colour, marker="o", markersize=4, label=name)
    print(f"{name}: spread {spread[0]:.3f} in the first frame, {spread[-1]:.3f} in the last")
axis.set(xlabel="seconds", ylabel="spread, part of the range", ylim=(0, None))
axis.set_title("How much four clips of one request differ", fontsize=10)
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# **What to see.** T2V is undecided from the first frame to the last. I2V starts with none of it, and what it has not
# been told builds up with time: how fast, how far. V2V was told the whole motion, under a veil of noise, so it is a
# little unsure everywhere and does not drift.
#
# Does the picture make the model *better* as well? Its card counts, over 300 sentences, how often the world's reader
# finds in a clip what the sentence asked for:

# %%
card = read_card(folder("sprites-t2v")).measured["full"]
print(f"{'':12}{'from the sentence':>20}{'with the first frame':>22}")
for part in ("shape", "color", "size", "motion", "all"):
    print(f"{part:12}{card[f'one_object/{part}']:19.0%}{card[f'image/{part}']:21.0%}")

# %% [markdown]
# Hardly: this world's sentences name all there is, and looks are nearly always right anyway. Motion is the weak side of
# both rows, and a first frame says nothing about it. **A picture settles looks. It does not settle motion.** Real
# sentences leave far more open than ours do. The picture settles that too, and this is where I2V gains most.
#
# ### How much does the first frame already say?
#
# On real film. For each of the bundled shots, take the first frame as the guess for a later one, and ask which part of
# that frame's variance it explains. Then allow motion: let the pixels of the first frame move as the true flow says,
# and nothing else. As a control, take the first frame of another shot.
#
# *Before you run on:* after one second, what is most of the trouble: that things have *moved*, or that *new* things are
# there?

# %%
SHOTS = {shot.name: frames_to_clip(read_frames(shot.path, size=72)) for shot in clips()}  # (3, T, 72, 128), 24 fps
LATER = [1, 2, 4, 8, 16, 24, 36, 48]  # frames


def explained(guess, frames):
    """Part of the variance of pictures `(N, 3, H, W)` that a guess explains, `(N,)`, at least 0."""
    left = (frames - guess).square().sum(dim=(1, 2, 3))
    return (1 - left / (frames - frames.mean(dim=(2, 3), keepdim=True)).square().sum(dim=(1, 2, 3))).clamp(min=0)


def moved(first, frames):
    """The first picture, its pixels moved to where each of the later frames has them."""
    first = first.expand_as(frames)
    return warp(first, dis(frames, first))


curves = {"first frame, moved": [], "first frame as it is": [], "another shot's first frame": []}
starts = [shot[:, 0] for shot in SHOTS.values()]
for k, shot in enumerate(SHOTS.values()):
    frames = rearrange(shot[:, LATER], "c t h w -> t c h w")
    guesses = moved(shot[:, 0], frames), shot[:, 0], starts[k - 1]
    for values, guess in zip(curves.values(), guesses):
        values.append(explained(guess, frames))
figure, axis = plt.subplots(figsize=(6.6, 3.2), layout="constrained")
for (name, values), colour in zip(curves.items(), (BLUE, RUST, GREY)):
    low, middle, high = torch.stack(values).quantile(torch.tensor([0.25, 0.5, 0.75]), dim=0)
    axis.plot([t / 24 for t in LATER], middle, color=colour, marker="o", markersize=4, label=name)
    axis.fill_between([t / 24 for t in LATER], low, high, color=colour, alpha=0.15, linewidth=0)
    print(f"{name:27} after 1/24 s {middle[0]:4.0%}, 1 s {middle[5]:4.0%}, 2 s {middle[7]:4.0%}")
one, two = (torch.stack(curves[name])[:, 5].median() for name in ("first frame as it is", "first frame, moved"))
print(f"after 1 s, motion gives back {(two - one) / (1 - one):.0%} of what the first frame misses")
axis.set(xlabel="seconds after the first frame", ylabel="explained variance", ylim=(0, 1.02))
axis.set_title("What the first frame says of later ones: 15 shots, median and quartiles", fontsize=10)
axis.legend(frameon=False, fontsize=9, loc="lower left")
plt.show()
pairs = sum(shot.num_frames - 48 for shot in clips())
print(f"15 shots are {pairs} pairs of a first frame and the two seconds after it, and not one caption was needed")

# %% [markdown]
# **What to see.** The upper curve is what a model can get from the picture if it knows the motion. What is above it has
# to be made up: what was hidden, or outside, or changed its light. In most shots that is the smaller part. So an I2V
# model has to learn where things go and what comes into view, and it may *copy* all the rest. Its training data are
# free as well: every clip is its own question and answer.
#
# ## Short clips and animated stills
#
# There are two products under the name of I2V. A **short clip**, two to five seconds in which something happens. And an
# **animated still**, a picture with a little life in it, clouds or hair or water, which often loops. One can fake the
# second without any model: let the pixels sway. Or zoom slowly into the picture, as documentary films do with
# photographs. Both of that, beside what the film did:

# %%
picture, NUM = SHOTS["burrow"][:, 0], 48
height, width = picture.shape[1:]
grid_y, grid_x = torch.meshgrid(torch.arange(height) / height, torch.arange(width) / height, indexing="ij")


def from_flow(flow):
    """A clip that moves one picture: frame t shows at each place what `flow[t]` points to."""
    return rearrange(warp(repeat(picture, "c h w -> t c h w", t=len(flow)), flow), "t c h w -> c t h w")


turn = 2 * torch.pi * torch.arange(NUM)[:, None, None] / 24  # one sway per second
sway = 1.5 * torch.sin(turn + 9 * grid_x) * (1 - grid_y)  # pixels, most at the top
towards = torch.arange(NUM)[:, None, None] / NUM * 0.15
STILLS = {
    "sways": from_flow(torch.stack([sway, 0 * sway], dim=1)),
    "zooms": from_flow(torch.stack([-(grid_x - grid_x.mean()) * towards, -(grid_y - 0.5) * towards], dim=1) * height),
}
row = beside(*STILLS.values(), SHOTS["burrow"][:, 48 : 48 + NUM])
show.player(row[:, ::4], 6, width=420, max_bytes=58_000, caption="sways | zooms | the film. (c) Blender Foundation")

# %% [markdown]
# Can they be told apart by numbers? Two of them can:
#
# - *Does motion come back?* Add up the flow at each place over the clip. The length of the sum over the sum of the
#   lengths is 1 where everything goes one way, and 0 where it returns.
# - *Is anything new?* The part of the last frames that the first frame, moved, does not explain.
#
# *Before you run on:* where are the three clips above in that plane?


# %%
def one_way(flow):
    """Net over travelled length of a flow `(2, T - 1, H, W)`: 1 if everything goes one way, 0 if it returns."""
    return (flow.sum(dim=1).norm(dim=0).sum() / flow.norm(dim=0).sum()).item()


def new_part(clip):
    """Part of the last frames that the first one does not explain, however it moves."""
    last = rearrange(clip[:, -4:], "c t h w -> t c h w")
    return 1 - explained(moved(clip[:, 0], last), last).mean().item()


figure, axis = plt.subplots(figsize=(7.0, 4.2), layout="constrained")
print(f"{'':14}{'heights/s':>10}{'one way':>9}{'new':>7}")
for name, clip in (STILLS | {name: shot[:, :NUM] for name, shot in SHOTS.items()}).items():
    flow = clip_flow(clip, dis)
    x, y, score = one_way(flow), new_part(clip), flow_score(flow, 24).item()
    colour = RUST if name in STILLS else BLUE
    axis.scatter(x, max(y, 1e-3), s=30 + 400 * score, color=colour, alpha=0.5, linewidth=0)
    axis.set_xlim(0, 1.15)
    axis.annotate(name, (x, max(y, 1e-3)), fontsize=8, xytext=(3, 3), textcoords="offset points", color=colour)
    print(f"{name:14}{score:10.3f}{x:9.2f}{y:7.1%}")
axis.set(xlabel="does motion come back?  0 returns, 1 goes one way", ylabel="new in the last frames", yscale="log")
axis.set_title("Two seconds each. Larger: more motion. Red: one picture, moved", fontsize=10)
plt.show()

# %% [markdown]
# **What to see.** Both fakes have nothing new, and the sway returns while the zoom does not. Real shots spread over the
# plane, and those with the least motion are hardly more than animated stills. A model that is only ever judged by
# "does it look good, does it keep the picture" will end in that lower corner, since doing little is safe. So *how much*
# moves should be an input, and a measurement: [page 3](03_how_much_and_from_where.ipynb).
#
# ## Three ways to show a network a picture
#
# | | the picture becomes | and goes in by |
# |---|---|---|
# | **concatenation** | more channels of every frame | the first convolution |
# | **cross-attention** | tokens, many or one | keys and values that every place asks |
# | **modulation** (AdaLN) | one vector, as the noise level does | a scale and a shift of every channel |
#
# Four tiny layers with random weights: each of the three, and cross-attention twice, to one token per place and to a
# single token for the whole picture. One value of the picture is changed. Which places of the output notice?
#
# *Before you run on:* guess the number of places, out of 42, for each.

# %%
C, D, H, W = 8, 32, 6, 7
torch.manual_seed(0)
both, alone = nn.Conv2d(2 * C, D, 3, padding=1), nn.Conv2d(C, D, 3, padding=1)
many, single = Attention(D, 4, context_dim=C), Attention(D, 4, context_dim=C)
for layer in (many, single):
    nn.init.normal_(layer.to_out[0].weight, std=0.3)  # fresh, it is zero
    for part in (layer.to_q, layer.to_k):
        nn.init.normal_(part.weight, std=0.6)
to_scale_and_shift = nn.Linear(C, 2 * D)
for layer in (both, alone, many, single, to_scale_and_shift):
    layer.double()  # so that small differences can be told from rounding
places = frame_positions(H * W, C).double()


def asked(attention, x, tokens):
    h = rearrange(alone(x), "n d h w -> n (h w) d")
    return rearrange(h + attention(h, tokens), "n (h w) d -> n d h w", h=H)


def as_tokens(picture):
    return rearrange(picture, "n c h w -> n (h w) c")


def modulated(x, picture):
    scale, shift = to_scale_and_shift(picture.mean(dim=(2, 3)))[..., None, None].chunk(2, dim=1)
    return alone(x) * (1 + scale) + shift


WAYS = {
    "concatenation": lambda x, p: both(torch.cat([x, p], dim=1)),
    "cross-attention, a token per place": lambda x, p: asked(many, x, as_tokens(p) + places),
    "cross-attention, one token": lambda x, p: asked(single, x, p.mean(dim=(2, 3))[:, None]),
    "modulation": modulated,
}
noisy, given = torch.randn(2, 1, C, H, W).double()
changed = given.clone()
changed[:, :, 2, 4] += torch.randn(C)
figure, axes = plt.subplots(1, 4, figsize=(8.6, 2.5), layout="constrained")
for axis, (name, way) in zip(axes, WAYS.items()):
    moves = (way(noisy, changed) - way(noisy, given)).norm(dim=1)[0]  # (H, W)
    axis.imshow(moves / moves.max(), cmap="Blues", vmin=0, vmax=1.2)
    axis.plot(4, 2, "x", color=RUST)
    axis.set(xticks=[], yticks=[])
    axis.set_title(name.replace(", ", ",\n"), fontsize=9)
    print(f"{name:36} {int((moves > 1e-9).sum()):2} of {H * W} places notice")
figure.suptitle("How much each place moves when the picture changes at the cross", fontsize=10)
plt.show()

# %% [markdown]
# Concatenation is local: it tells each place what is *there*. The others tell everyone. How much can they tell? Count
# it: the output is a function of the picture's 336 numbers. The **rank of its Jacobian** says in how many independent
# directions the picture can move the output at all. The **effective rank** discounts those that hardly move it. Then
# shuffle the picture's places: is that noticed? And is what the picture adds the same at every place?


# %%
def singular_values(way):
    """Of the Jacobian of the output by the picture, by central differences."""
    step = 1e-4 * torch.eye(C * H * W).double().reshape(-1, C, H, W)
    frames = noisy.expand(len(step), -1, -1, -1)
    return torch.linalg.svdvals(((way(frames, given + step) - way(frames, given - step)) / 2e-4).flatten(1))


order = torch.randperm(H * W, generator=seeded(3))
shuffled = given.flatten(2)[:, :, order].reshape(given.shape)
print(f"{'':36}{'rank':>6}{'effective':>11}{'shuffled':>12}{'same everywhere':>17}")
for name, way in WAYS.items():
    values = singular_values(way)
    part = values.square() / values.square().sum()
    effective = (-(part * part.clamp(min=1e-300).log()).sum()).exp()
    off = ((way(noisy, shuffled) - way(noisy, given)).norm() / way(noisy, given).norm()).item()
    added = way(noisy, given) - way(noisy, torch.zeros_like(given))
    same = (added.std(dim=(2, 3)) / added.abs().mean()).max().item() < 1e-9
    rank, noticed = int((values > 1e-7 * values[0]).sum()), "notices" if off > 1e-9 else "no change"
    print(f"{name:36}{rank:6}{effective:11.0f}{noticed:>12}{'yes' if same else 'no':>17}")

# %% [markdown]
# **What to see.** Concatenation carries the whole picture. Attention to a token per place can too, but faintly: most of
# what arrives are a few blurred sums. (Learned weights and several layers sharpen it. Take the positions away from the
# tokens, and it cannot tell a picture from its shuffled pieces.) One token or one vector carries as many numbers as it
# has, and no places.
#
# The third row has a catch. Softmax over *one* token is 1, whoever asks. So queries and keys do nothing, and the same
# vector is added at every place: cross-attention to a single token **is** modulation, a shift. That is what Stable
# Video Diffusion does with its embedding of the picture, beside concatenation.
#
# | model | the first frame goes in by |
# |---|---|
# | Stable Video Diffusion | concatenation to every frame, and one CLIP token by cross-attention |
# | DynamiCrafter | concatenation, and many image tokens by cross-attention |
# | Wan 2.1, image to video | concatenation with a mask that says which frames are given, and CLIP's 257 tokens |
# | CogVideoX, image to video | concatenation |
# | `sprites-t2v` | a fourth way: it *is* the first latent frame, at noise level 0, and attention does the rest |
#
# In short: concatenate what must be kept exactly, cross-attend to what should be understood, modulate with what is one
# number.
#
# ## What you can now say
#
# - T2V, I2V and V2V differ in what is left to make. The spread of several answers shows it.
# - The first frame settles looks and not motion, and every clip is a training pair for it.
# - An animated still shows nothing new, and its motion often returns. A short clip shows something new.
# - Concatenation is local and complete. Cross-attention reaches everywhere. One token, or modulation, is the same news
#   for every place.
#
# Next: [layers that start as nothing](02_layers_that_start_as_nothing.ipynb).
