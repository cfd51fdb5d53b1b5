# %% [markdown]
# # Lab 04.5 · Attention patterns
#
# **What you will have at the end:** full, factorised and windowed attention for video, written by you, the price of
# each in closed form, its reach measured, and what five trained models make of them.
#
# | | |
# |---|---|
# | time | about 70 minutes |
# | difficulty | ★★★★ |
# | before this | attention with queries, keys and values |
# | the clips | the `mini` world: one disc on a plain field, 9 frames at 4 frames per second |
#
# | preset | clips `(T, H, W)` | your training run | clips read per pattern | all cells take about |
# |---|---|---|---|---|
# | `ci` | 20, (9, 64, 64) | 12 steps | 6 | 15 s |
# | `cpu` (default) | 3000, (9, 64, 64) | 200 steps | 64 | 3 min |
# | `gpu` | 3000, (9, 64, 64) | 1000 steps | 516 | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import json
import math
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import torch
from einops import rearrange
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from common import show
from common.course import check, paths
from common.evaluation.share import Share
from common.layers.attention_patterns import PATTERNS, PatternAttention
from common.models.latte_peer import distance_from_latte
from common.models.pattern_transformer import PatternTransformer
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.zoo.pattern_arm import (
    CORNER, GRID, SETTINGS, WINDOW, build_arm, compute_loss, moving_clips, moving_latents, pattern_recipe, read_moves,
)  # fmt: skip

limit_threads()
plt.rcParams["figure.dpi"] = 75
STEPS, NUM_CLIPS, NUM_READ = {"ci": (12, 20, 6), "cpu": (200, 3000, 64), "gpu": (1000, 3000, 516)}[preset()]
COLOURS = {"full": "#1f6f8b", "factorised": "#b3541e", "shifted": "#3a7d44", "windows": "0.55", "spatial": "#8a7a2f"}

# %% [markdown]
# ## Where you are heading
#
# A disc moves left, right, up or down. A clip is 144 tokens: 9 frames, each coded alone, of 4 × 4 patches. **Every
# token has to name the motion**, also those that never see the disc. Five models of equal size saw the same clips.
# They differ in one thing: **which tokens attend to which**.

# %% tags=["demo"] draws="A clip, and which tokens of five models name its motion. Green is right."
MODELS = {name: PatternTransformer.from_pretrained(f"mini-{name}").eval().requires_grad_(False) for name in COLOURS}


def marked(clip, right):
    """A clip `(3, 9, 64, 64)` in grey, its patches tinted green where their token is right, red where it is wrong."""
    green, red = torch.tensor([[-0.7, 0.5, -0.6], [0.7, -0.7, -0.7]])[..., None, None, None]
    tint = torch.where(right, green, red).repeat_interleave(16, 2).repeat_interleave(16, 3)
    return 0.5 * clip.mean(dim=0, keepdim=True) + 0.5 * tint


clips, coded, moves = moving_clips([8])
row = {"the clip": clips[0]} | {n: marked(clips[0], read_moves(m, coded, moves)[0]) for n, m in MODELS.items()}
sheet = rearrange(torch.stack(list(row.values())), "(i j) c t h w -> c t (i h) (j w)", i=2)
show.player(sheet, fps=4, width=420, max_bytes=50_000, caption=" | ".join(row))

# %% [markdown]
# **Before you read on, a prediction.** *Full*: all tokens attend to all. *Factorised*: a layer inside frames, then one
# along time at each place. *Windows*: boxes of 3 frames and 2 × 2 patches. *Shifted*: the same boxes, moved by half a
# box in every second layer. *Spatial*: inside frames alone. Think of the upper left corner of the middle frame. Under
# which patterns can it know where the disc is going?

# %% [markdown] about="attention_flops" difficulty=1 importance=5 minutes=5
# ## What attention costs
#
# Every pattern cuts N tokens into groups of G, and attention runs inside each group. A product of an $m \times n$ with
# an $n \times p$ matrix takes $2mnp$ FLOPs, so the layer takes
#
# $$ \underbrace{4 \cdot 2 N D^2}_{\text{projections to } q, k, v \text{ and output}} + \underbrace{2 \cdot 2 N G
# D}_{q k^\top \text{ and softmax} \cdot v} . $$
#
# N · G is the number of **pairs**. For full attention G is N, and the price grows with its square.

# %% exercise="attention_flops" from="common.layers.attention_patterns:attention_flops"

# %% check="attention_flops"

# %% [markdown] hints="attention_flops"
# 1. Count one projection, then one product for all groups together. How many multiplications has one row of it?
# 2. N / G groups with two products of 2 G · G · D each are 4 N G D.
# 3. After the `ValueError`: `batch_size * (8 * num_tokens * dim**2 + 4 * num_tokens * group_size * dim)`.

# %% [markdown]
# At our size, and at that of a real model: 57 frames of 720p are 15 latents of 45 × 80 patches, or 54,000 tokens.

# %% tags=["demo"] draws="FLOPs of a layer at 144 tokens and at 54,000."
figure, axes = plt.subplots(1, 2, figsize=(9.6, 2.8), layout="constrained")
for axis, grid, window, dim in zip(axes, (GRID, (15, 45, 80)), (WINDOW, (5, 9, 10)), (32, 2048)):
    frames, places = grid[0], grid[1] * grid[2]
    sizes = {"full": frames * places, "space": places, "window": window[0] * window[1] * window[2], "time": frames}
    every = attention_flops(frames * places, 1, dim) - 4 * frames * places * dim  # what all of them have: projections
    for place, size in enumerate(sizes.values()):
        flops = attention_flops(frames * places, size, dim)
        axis.barh(place, flops / 1e9, color="#b3541e")
        axis.barh(place, every / 1e9, color="0.75")
        axis.text(flops / 1e9, place, f" {frames * places * size:,} pairs", va="center", fontsize=8)
    axis.set(xlim=(0, 1.6 * attention_flops(frames * places, frames * places, dim) / 1e9), xlabel="GFLOP per layer")
    axis.set_yticks(range(len(sizes)), [f"{name}, groups of {size:,}" for name, size in sizes.items()])
    axis.set_title(f"{frames * places:,} tokens of width {dim}; windows of {window}", fontsize=10)
    axis.invert_yaxis()
plt.show()

# %% [markdown]
# **What to see.** Grey are the projections, which every pattern has. At 54,000 tokens full attention is nearly all
# pairs, and any other pattern makes the layer many times cheaper. (The feed-forward network is not in it: about twice
# the grey part.)

# %% [markdown] about="factorised_attention" difficulty=2 importance=5 minutes=12
# ## Factorised attention
#
# A layer that attends inside frames, then one along time at each place: that is the factorised attention of
# TimeSformer, Latte and Open-Sora 1.2. All it takes is the right reshape. What is no part of the group is a batch.
#
# | quantity | shape |
# |---|---|
# | `q`, `k`, `v` | `(B, num_heads, T, H, W, head_dim)` |
# | axis "space" | groups of H · W tokens, T of them per clip |
# | axis "time" | groups of T tokens, H · W of them per clip |

# %% exercise="factorised_attention" from="common.layers.attention_patterns:factorised_attention"

# %% check="factorised_attention"

# %% [markdown] hints="factorised_attention"
# 1. `F.scaled_dot_product_attention` takes `(batch, heads, tokens, head_dim)`. Which axes are the tokens of a group?
# 2. For "space" `"b h t y x d -> (b t) h (y x) d"`, for "time" `"b h t y x d -> (b y x) h t d"`.
# 3. The way back needs sizes that `rearrange` cannot guess: take them from `q.shape` before you fold it.

# %% [markdown] troubles="factorised_attention"
# - **The shape is right and every number is wrong.** `reshape` keeps the order in memory. To bring time to the end the
#   axes have to move, which `rearrange` does.

# %% [markdown]
# diffusers has the class: `LatteTransformer3DModel`. Here is a small one with random weights, as it is, and then with
# *your* function between its projections.

# %% tags=["demo"] draws="Latte of diffusers with your attention in it."
print(f"Latte with your attention agrees to 1e-5: {distance_from_latte(factorised_attention) < 1e-5}")
swapped = {"space": "time", "time": "space"}
off = distance_from_latte(lambda q, k, v, axis: factorised_attention(q, k, v, swapped[axis]))
print(f"with space and time swapped it is off by {off:.0%} of its largest number")

# %% [markdown] about="windowed_attention" difficulty=4 importance=5 minutes=20
# ## Windows, and their shift
#
# A window is a box of tokens: some frames, some rows, some columns. Attention inside boxes costs little, and objects
# are where they were a frame ago. But a box never hears of the next one. So every second layer **shifts** the cuts:
# they come at the places s, s + w, s + 2w, …, and a piece of the axis is
#
# $$ \text{piece}(p) = \left\lfloor \frac{p - s}{w} \right\rfloor . $$
#
# The first and the last piece are then smaller. Boxes of several sizes do not fit into one tensor. Swin's trick: roll
# the grid by -s, so that both ends come together in one box of full size. They are no neighbours, so *inside that box*
# a mask keeps them apart.
#
# | quantity | shape | here |
# |---|---|---|
# | `q`, `k`, `v` | `(B, num_heads, T, H, W, head_dim)` | T, H, W = 9, 4, 4 |
# | `window`, `shift` | three numbers each | (3, 2, 2), (1, 1, 1) |
# | a batch of windows | `(B, num_heads · n, G, head_dim)`, n windows of G | n = 12, G = 12 |

# %% exercise="windowed_attention" from="common.layers.attention_patterns:windowed_attention"

# %% check="windowed_attention"

# %% [markdown] hints="windowed_attention"
# 1. First without a shift: `(nt wt) (ny wy) (nx wx)` splits three axes at once. The windows can join the heads.
# 2. With a shift: `roll` by minus the shift before, by the shift after. For the mask, number the pieces of each axis,
#    `(torch.arange(n) - s) // w`, roll these numbers in the same way, and cut them into windows too.
# 3. `mask[n, i, j]` is True where the pieces of tokens i and j agree on all three axes. It is `(n, G, G)`. With windows
#    as `(h nt ny nx)` it is repeated for each head: `mask.repeat(num_heads, 1, 1)`.

# %% [markdown] troubles="windowed_attention"
# - **Right without a shift, wrong with one.** The output has to be rolled back, by plus the shift.
# - **The first frame sees the last.** That is the rolled box without its mask.
# - **"… FLOPs, at most …".** All scores were computed and then masked. Only pairs that are never computed are saved.

# %% [markdown]
# One layer, five kinds, all by your functions. In closed form, then as torch counts it. The counter sees nothing inside
# a fused kernel on a CPU and says 0 for the attention. With `SDPBackend.MATH` it sees the two products.


# %%
def attend_by_kind(kind, q, k, v, window=WINDOW):
    """Attention of one layer, by your functions."""
    if kind in ("space", "time"):
        return factorised_attention(q, k, v, kind)
    if kind == "full":
        return windowed_attention(q, k, v, q.shape[2:5])
    return windowed_attention(q, k, v, window, [w // 2 if kind == "shifted window" else 0 for w in window])


SIZES = {"full": 144, "space": 16, "time": 9, "window": 12, "shifted window": 12}

# %% tags=["demo"] draws="The closed form beside what torch counts, and a mask over everything."
x = torch.zeros(1, *GRID, 32)


def count(run, *args):
    with torch.no_grad(), FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        run(*args)
    return counter.get_total_flops()


for kind, size in SIZES.items():
    layer = PatternAttention(32, 2, kind, WINDOW)
    layer.attend = attend_by_kind
    print(f"{kind:15} closed form {attention_flops(144, size, 32):>10,}   counted {count(layer, x):>10,}")
masked = PatternAttention(32, 2)
everything = torch.ones(144, 144, dtype=torch.bool).tril()
masked.attend = lambda kind, q, k, v, window: F.scaled_dot_product_attention(
    q.flatten(2, 4), k.flatten(2, 4), v.flatten(2, 4), everything).unflatten(2, GRID)  # fmt: skip
print(f"{'a mask':15} half of all pairs hidden:           counted {count(masked, x):>10,}")

# %% [markdown]
# **What to see.** Both columns agree to the last digit. The last line hides half of the pairs by a mask, and costs as
# much as full attention: what a mask hides has been computed.
#
# Windows of 12 cost about what frames and time lines do, of 16 and 9. What they can *know* is not the same.

# %% [markdown] about="reach" difficulty=3 importance=5 minutes=15
# ## Reach
#
# After how many layers can a token have heard of another one? You could reason about it. Or you change one token and
# look who moves: the **receptive field by perturbation**, which works for every pattern and needs no theory of it.

# %% exercise="reach" from="common.layers.reach:reach"

# %% check="reach"

# %% [markdown] hints="reach"
# 1. For one token i: two clips, the plain one and the changed one. Run both through one layer at a time.
# 2. All N changed clips fit into one batch: `x.repeat(N, 1, 1)`, then `changed[i, i] += change` for every i.
# 3. `moved = ((changed - plain).abs() > tolerance).any(dim=-1)`, and where it moved and `found` is still infinite, the
#    number of the layer. The diagonal at the end: `found.fill_diagonal_(0)`.

# %% [markdown] troubles="reach"
# - **Nothing ever moves.** Adding one constant to all numbers of a token is what a layer norm takes out.
# - **Far tokens seem not to move.** Their differences are small, not zero. Stay in double precision.

# %% tags=["demo"] draws="How many layers until the first token is heard of elsewhere."
torch.manual_seed(0)
tokens, change = torch.randn(144, 8).double(), torch.randn(8).double()


def stack(pattern, depth=6):
    """Layers x + attention(x) of a pattern, by your functions, with random weights."""
    layers = []
    for k in range(depth):
        layer = PatternAttention(8, 1, PATTERNS[pattern][k % len(PATTERNS[pattern])], WINDOW).double()
        layer.attend = attend_by_kind
        layers.append(lambda x, layer=layer: x + layer(x.unflatten(1, GRID)).flatten(1, 3))
    return layers


REACH = {pattern: reach(stack(pattern), tokens, change) for pattern in PATTERNS}
figure, axes = plt.subplots(len(PATTERNS), 1, figsize=(9, 5.6), layout="constrained")
for axis, (name, found) in zip(axes, REACH.items()):
    sheet = rearrange(found[0], "(t y x) -> y (t x)", t=9, y=4)  # the row of token 0: first frame, upper left corner
    picture = axis.imshow(sheet, cmap="viridis_r", vmin=0, vmax=6)
    axis.set_xticks([4 * t - 0.5 for t in range(1, 9)], [])
    axis.set_yticks([])
    axis.grid(axis="x", color="white")
    axis.set_ylabel(name, rotation=0, ha="right", va="center")
    met = found[found.isfinite()]
    print(f"{name:11} {found.isfinite().float().mean():5.0%} of all pairs meet, the last in layer {met.max():.0f}")
figure.colorbar(picture, ax=axes, label="layers; white: never")
figure.suptitle("From the corner of the first frame to every token of nine frames", fontsize=11)
plt.show()

# %% [markdown]
# **What to see.** The picture is the clip, frame by frame. *Full* meets all at once. *Factorised* needs two layers:
# along the frame, then along time. *Shifted windows* need as many as it takes to walk from box to box. *Spatial* and
# *windows* never leave their group, however many layers there are. No training changes that. It is a theorem about
# what such a model can know.

# %% [markdown]
# ## Your functions in a model that learns
#
# Tokens meet in the attention and nowhere else. Of each of its 2 × 2 places a token gets one number: how far the
# latent is from the median of its frame. So colours do not matter. Each clip is shown forward and backward: backward,
# left is right. The loss is the cross-entropy of every token:

# %%
torch.manual_seed(0)
small = build_arm("factorised").attend_with(attend_by_kind)
data = moving_latents(NUM_CLIPS)
optimizer = pattern_recipe("factorised").optimizer(small, SETTINGS["cpu"])
losses = []
for step in progress_bar(range(STEPS), desc="your attention", unit="step"):
    loss = compute_loss(small, data.batch(range(8 * step, 8 * step + 8)))["loss"]
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(f"loss: {sum(losses[:4]) / 4:.2f} at first, {sum(losses[-4:]) / 4:.2f} at last; by luck {math.log(4):.2f}")

# %% [markdown]
# Weights of the study load into the same class, and the attention is yours:

# %% tags=["demo"] draws="Trained weights, your attention, new clips forward and backward."
clips, coded, moves = moving_clips(range(NUM_READ))
for name, model in MODELS.items():
    right = read_moves(model.attend_with(attend_by_kind), coded, moves)
    corner = Share(int(right[:, *CORNER].sum()), len(right))
    print(f"{name:11} corner of the middle frame {corner!s:19} all tokens {right.float().mean():.0%}")

# %% [markdown]
# ## The result to remember
#
# All five, trained once (`benchmarks/pattern_arms.py`): the same clips in the same order, the same number of steps,
# weights of equal shapes; three seeds for *full* and *factorised*, one for the others. The test: 516 clips that were
# not trained on, and the same backward. **Negative control**: *spatial*. Its middle frame is the same picture both
# ways, so of the two it is right about one at most.

# %% tags=["demo"] draws="Where tokens know the motion, and what that costs."
STUDY = json.loads((paths.root() / "benchmarks" / "results" / "pattern_arms.json").read_text())
last = {name: max(one["steps"] for one in STUDY if one["pattern"] == name) for name in COLOURS}
figure, axes = plt.subplots(len(COLOURS), 1, figsize=(9, 5), layout="constrained")
for axis, name in zip(axes, COLOURS):
    one = next(one for one in STUDY if one["pattern"] == name and one["steps"] == last[name])
    sheet = rearrange(torch.tensor(one["tokens"]), "(t y x) -> y (t x)", t=9, y=4)
    picture = axis.imshow(sheet, cmap="magma", vmin=0.25, vmax=1)
    axis.set_xticks([4 * t - 0.5 for t in range(1, 9)], [])
    axis.set_yticks([])
    axis.grid(axis="x", color="white")
    axis.set_ylabel(name, rotation=0, ha="right", va="center")
figure.colorbar(picture, ax=axes, label="part of the clips; luck is 0.25")
figure.suptitle("How often each token is right: nine frames of 4 × 4 patches", fontsize=11)
plt.show()
figure, axis = plt.subplots(figsize=(8, 3.2), layout="constrained")
labels = []
for place, (name, steps) in enumerate([("full", 200), ("full", 114), *((n, 200) for n in list(COLOURS)[1:])]):
    runs = [one for one in STUDY if (one["pattern"], one["steps"]) == (name, steps)]
    for shift, one in zip((0, 0.12, -0.12), runs):
        mean, low, high = one["clips"]
        axis.plot([place + shift] * 2, [low, high], color=COLOURS[name])
        axis.plot(place + shift, mean, "o", color=COLOURS[name], markersize=4)
    spent = runs[0]["flops"] * 3 * runs[0]["batch_size"] * steps / 1e9  # backward costs twice the forward pass
    labels.append(f"{name}\n{steps} steps\n{spent:.0f} GFLOP")
    corner = Share(*(sum(one["corner"][k] for one in runs) for k in (0, 1)))
    pairs = f"{sum(one['both_ways'] for one in runs)} of {corner.total // 2}"
    print(f"{name:10} {steps} steps | corner right {corner!s:20} | both ways {pairs}")
axis.axhline(0.25, color="0.7", linestyle=":")
axis.set_xticks(range(len(labels)), labels, fontsize=9)
axis.set(ylabel="part of the tokens that are right", ylim=(0, 1.03), title="A dot per seed, with its interval")
plt.show()

# %% [markdown]
# **What to see.** *Factorised* knows the motion at every token, with all three seeds, for little more than half of the
# FLOPs of *full*. *Full* is behind at equal steps, further behind at equal FLOPs, and its seeds differ by more than
# any interval says. It sees all that *factorised* sees, and 200 steps were too few to use it. *Shifted windows* know
# the motion too. Without the shift each box knows what passed through it, and the others guess. *Spatial* is at luck
# in the middle frame, and never right both ways. Towards the ends it is better than luck without seeing any motion: a
# disc that begins at the right edge will hardly go right.

# %% [markdown]
# ## Try it
#
# Trained weights under another pattern than their own: the shapes fit, and nothing complains. **An ablation to run:**
# here the two layers of *factorised* come in the other order. What do the weights of *full* make of `("space",
# "time")`?

# %%
WEIGHTS, KINDS = "factorised", ("time", "space")

other = build_arm(WEIGHTS).eval().requires_grad_(False).attend_with(attend_by_kind)
other.load_state_dict(MODELS[WEIGHTS].state_dict())
for k, block in enumerate(other.blocks):
    block.attention.kind = KINDS[k % len(KINDS)]
right = read_moves(other, coded, moves)
print(f"weights of {WEIGHTS}, layers {' and '.join(KINDS)}: {right.float().mean():.0%} of all tokens are right")

# %% [markdown] tags=["folded"]
# ## Going further: where you meet them
#
# *Full*: Wan, HunyuanVideo, CogVideoX. *Factorised*: Latte, Open-Sora 1.2, every inflated U-Net of this phase.
# *Shifted windows*: Video Swin, Open-Sora 1.3. Some models mix kinds. What is the reach of five window layers and a
# full one? Ask `reach`.

# %% [markdown]
# ## Honest limits
#
# - These models read, they do not draw. What a token cannot know it cannot draw, but knowing is not drawing. A
#   diffusion model of 0.3 million weights, tried first, showed no motion after 600 steps.
# - Colours were taken out, motions are straight, and runs took seconds: one slice of one world, so easy that whoever
#   can know does know.
# - What a pattern saves shows at tens of thousands of tokens, not at 144.
#
# ## Yours now
#
# All four functions are the library's, and now yours. The arms: `common/zoo/pattern_arm.py`, and the cards of
# `mini-full` and its neighbours in `common/zoo`.
#
# **Next:** 05.1, which makes clips small first: the other way to pay less. **To read:** *TimeSformer*
# (arXiv:2102.05095), *Video Swin* (arXiv:2106.13230), *Latte* (arXiv:2401.03048).
