# %% [markdown]
# # Lab 09.3 · Latent actions (Genie)
#
# **What you will have at the end:** keys for a game whose keys no one recorded. A network watches video of `rooms` and
# invents eight codes for what the player does. You count in bits how much they mean, and against which ceiling. Then
# 200 labelled pairs give them names, and you play.
#
# | | |
# |---|---|
# | time | about 70 minutes |
# | difficulty | ★★★★★ |
# | before this | [09.1](01_action_conditioned.ipynb), and the tutorial *Actions that no one recorded* |
# | the game | `rooms`: 64×64 pixels, six keys; gravity, bricks, coins, and a slime that can be switched off |
#
# | preset | frames `(H, W)`, past | a model of your own trains for | steps in the measurement | all cells take about |
# |---|---|---|---|---|
# | `ci` | (64, 64), 2 | 24 steps, twice | 320 | 20 s |
# | `cpu` (default) | (64, 64), 2 | 400 steps, twice | 1500 | 2 min |
# | `gpu` | (64, 64), 2 | 4000 steps, twice | 4000 | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import json
import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from common import show
from common.course import check, paths
from common.data.arcade import Rooms
from common.data.arcade.fresh_keys import FreshKeys, fresh_recording
from common.evaluation.action_ceiling import outcomes
from common.evaluation.mutual_information import contingency, matched_accuracy
from common.models.latent_action import LatentActionLoss, LatentActionModel, past_loss
from common.models.world_unet import WorldUNet
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.show.curves import draw_curves
from common.zoo.rooms_latent_actions.crops import ChangeCrops
from common.zoo.rooms_latent_actions.measures import inferred
from common.zoo.rooms_latent_actions.steps import fresh_steps
from common.zoo.rooms_latent_actions.trials import dreams, held, keys_of, kmeans_codes, same_places, videos

limit_threads()
plt.rcParams["figure.dpi"] = 70
SIZES = {"ci": (24, 16, 320, 12), "cpu": (400, 32, 1500, 32), "gpu": (4000, 64, 4000, 64)}
STEPS, BATCH, NUM_STEPS, DREAM = SIZES[preset()]
KEYS = Rooms.actions


def playing(rows, width=110):
    """Clips side by side, each `(3, T, H, W)`, in a loop."""
    row = torch.cat(list(rows.values()), dim=3)
    return show.player(row, 8, width=width * len(rows), max_bytes=55_000, caption=" | ".join(rows))


# %% [markdown]
# ## Where you are heading
#
# The course's latent action model, `rooms-latent-actions`. It has watched video of `rooms`, and no key. One past, and
# each of its eight codes held down:

# %% tags=["demo"] draws="One past, eight codes: what does each of them mean?"
SHIPPED = LatentActionModel.from_pretrained("rooms-latent-actions").eval().requires_grad_(False)
TEST = fresh_steps(NUM_STEPS, with_slime=False)
standing = TEST.apart().nonzero()[:, 0].tolist()
START = TEST.clips()[min(standing, key=lambda n: abs(TEST.states[n].x - 29)), :, :2]  # in the middle of its room
worlds = {f"code {k}": clip for k, clip in enumerate(held(SHIPPED, START, 10))}
display(playing(worlds))
show.side_by_side(worlds, num_frames=3, width=88)

# %% [markdown]
# **A prediction.** There are six keys: stay, left, right, jump, jump left, jump right. No code can ever tell all six
# apart, however good the model. When do two keys look the same? Write down all cases that you can think of. You will
# measure what they cost.

# %% [markdown] about="vector_quantize" difficulty=1 importance=5 minutes=5
# ## Vector quantization, the bottleneck
#
# The encoder says in D numbers $z$ what happened between two frames. The **bottleneck** lets one of K answers pass: the
# nearest row of a codebook,
#
# $$ k = \arg\min_j \lVert z - e_j \rVert, \qquad \text{code} = e_k . $$
#
# `argmin` has no slope. The **straight-through** estimator lets the gradient pass as if nothing had been replaced:
# `z + (e - z).detach()` has the value of $e$ and the gradient of $z$.

# %% exercise="vector_quantize" from="common.layers.vector_quantizer:vector_quantize"

# %% check="vector_quantize"

# %% [markdown] hints="vector_quantize"
# 1. Three lines: distances, the least of them, straight-through.
# 2. `torch.cdist(z, codebook)` is `(B, K)`.
# 3. `indices = torch.cdist(z.detach(), codebook.detach()).argmin(dim=1)`, and `z + (codebook[indices] - z).detach()`.

# %% [markdown] troubles="vector_quantize"
# - **A gradient reaches the codebook.** `codebook[indices]` belongs inside the `detach`.

# %% [markdown] about="VectorQuantizer" difficulty=3 importance=5 minutes=15
# ## The codebook: running means, and revival
#
# Where should the codes be? Each at the mean of the vectors that choose it. Over batches that is a running mean (EMA):
# how many chose it, $N_k$, and their sum, $m_k$, so $e_k = m_k / N_k$.
#
# This has a famous flaw. A code that begins far from all vectors is never chosen, so it never moves: **codebook
# collapse**. The cure is blunt. A code whose count falls below a limit is dead, and is put on a vector of the batch.
#
# | quantity | shape |
# |---|---|
# | `codebook` e, `counts` N, `sums` m | `(K, D)`, `(K,)`, `(K, D)` |
# | `z`, `indices`, `candidates` | `(B, D)`, `(B,)`, `(M, D)` |

# %% exercise="VectorQuantizer" from="common.layers.vector_quantizer:VectorQuantizer" blank="update"

# %% check="VectorQuantizer"

# %% [markdown] hints="VectorQuantizer"
# 1. First the two running means, then their ratio, then the dead. How do you add up the vectors of each code at once?
# 2. A one-hot matrix `(B, K)`: its column sums are n, and its transpose times z is s. `a.lerp_(b, 1 - γ)` is
#    γ a + (1 - γ) b, in place.
# 3. `dead = (self.counts < self.least).nonzero()[: len(candidates), 0]`, and then
#    `self.codebook[dead] = self.sums[dead] = candidates[: len(dead)]`, and `self.counts[dead] = 1.0`.

# %% [markdown] troubles="VectorQuantizer"
# - **Revived codes go straight back.** Their sums still hold the old place. Set all three buffers.

# %% [markdown]
# Your codebook, among eight clouds of points. All codes begin in the corner.

# %% tags=["demo"] draws="Eight clouds and eight codes, without and with revival."
angles, draw = torch.arange(8) * math.pi / 4, torch.Generator().manual_seed(0)
centres = 3 * torch.stack([angles.cos(), angles.sin()], dim=1)
figure, axes = plt.subplots(1, 2, figsize=(7, 3.4), layout="constrained")
for axis, least in zip(axes, (0.0, 0.1)):
    quantizer = VectorQuantizer(8, 2, decay=0.9, least=least)
    quantizer.codebook.copy_(4 + 0.1 * torch.randn(8, 2, generator=draw))
    quantizer.sums.copy_(quantizer.codebook)
    for _ in range(200):
        z = centres[torch.randint(8, (32,), generator=draw)] + 0.25 * torch.randn(32, 2, generator=draw)
        quantizer.update(z, vector_quantize(z, quantizer.codebook)[1], z[torch.randperm(32, generator=draw)])
    z = centres.repeat(30, 1) + 0.25 * torch.randn(240, 2, generator=draw)
    used = vector_quantize(z, quantizer.codebook)[1]
    axis.scatter(*z.T, c=used, cmap="tab10", s=8, alpha=0.5)
    axis.scatter(*quantizer.codebook.T, marker="*", s=130, c="black")
    axis.set(title=f"dead below {least}: {len(used.unique())} codes used", xlabel="z₁", ylabel="z₂")
plt.show()

# %% [markdown]
# **What to see.** Stars are codes, colours are who chose which. Without revival a few codes share all the clouds. With
# it all codes are used, though two may sit in one cloud: a code that is chosen at times never dies.

# %% [markdown] about="latent_action_loss" difficulty=3 importance=5 minutes=12
# ## The loss: draw the next frame through the bottleneck
#
# Who sees what decides everything. The **encoder** sees the past *and the next frame*. The **decoder** sees the past
# and the code, and has to draw the next frame. From the past it knows where everything is and how fast, so the code is
# left for what the past does not tell. The past has two frames: with one, the speed of a fall would go into the code.
#
# $$ L = \underbrace{\frac{\sum |\hat x - x_{t+1}|^2}{\sum |x_t - x_{t+1}|^2}}_{\text{missed share of the change}} +
# \;\beta \; \underbrace{\frac1B \sum_b \lVert z_b - \text{sg}[e_b] \rVert^2}_{\text{commitment}} . $$
#
# Divided by the change between the frames, the first term is 1 for "the last frame again" and 0 for perfect. "sg" is
# `detach`: the commitment pulls $z$ to its code and leaves the code alone.

# %% exercise="latent_action_loss" from="common.models.latent_action:latent_action_loss"

# %% check="latent_action_loss"

# %% [markdown] hints="latent_action_loss"
# 1. Four calls of the model's parts and two sums. What is the past, and what is the next frame?
# 2. `past, following = clip[:, :, :-1], clip[:, :, -1]`. The decoder gets the codes, never z.
# 3. `missed = (drawn - following).square().sum() / (past[:, :, -1] - following).square().sum()`, and `commitment = (z -
#    codes.detach()).square().sum(dim=1).mean()`.

# %% [markdown] troubles="latent_action_loss"
# - **The commitment's gradient is 0 or doubled.** Detach the codes, not z.

# %% [markdown]
# One thing more, from the tutorial: a code goes to the largest change that the decoder cannot foretell *yet*. At first
# that is falling and landing, and there it would stay. So `past_loss` also trains the decoder with a code of zeros, and
# `encode` sees how the next frame *differs* from what that foretells.
#
# The video is cut to 24×24 crops around a pixel that changes, whatever moves there. That is a seventh of the work.

# %%
VIDEO = ChangeCrops(fresh_recording(BATCH * 500, with_slime=False))  # no one looks at its keys


def train(num_codes, code_dim):
    """A small model with your codebook and your loss. No codes (0): whatever the encoder says passes."""
    torch.manual_seed(0)
    model, missed = LatentActionModel(num_codes, code_dim, channels=[16, 32]), []
    if num_codes:
        model.quantizer = VectorQuantizer(num_codes, code_dim)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, betas=(0.9, 0.95))
    for step in progress_bar(range(STEPS), desc=f"{num_codes} codes of {code_dim} numbers", unit="step"):
        clip = VIDEO.batch(range(BATCH * step, BATCH * step + BATCH)).clips()
        found = latent_action_loss(model, clip)
        (found.loss + past_loss(model, clip)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.param_groups[0]["lr"] = 4e-3 * min(1, (step + 1) / 20) * (1 - step / STEPS)
        optimizer.step()
        optimizer.zero_grad()
        if num_codes:
            z = found.z.detach()
            model.quantizer.update(z, found.indices, z[torch.randperm(len(z))])
        missed.append(found.missed.item())
    return model.eval().requires_grad_(False), missed


(OWN, own_missed), (FREE, free_missed) = train(8, 2), train(0, 64)

# %% tags=["demo"] draws="What each model misses of the change between frames, over training."
smooth = np.ones(8) / 8
curves = {"8 codes": own_missed, "64 free numbers": free_missed}
curves = {name: np.convolve(values, smooth, "valid").tolist() for name, values in curves.items()}
draw_curves(curves, "What your models miss of the change", marker=None, size=(6.4, 2.4), xlabel="step",
            ylabel="missed share")  # fmt: skip

# %% [markdown]
# **What to see.** Which of the two misses less in the end? Keep it in mind: a model without a bottleneck looks better
# by its loss.

# %% [markdown] about="entropy" difficulty=2 importance=4 minutes=8
# ## Entropy, and the Miller-Madow correction
#
# Do codes mean keys? **Mutual information** says how many bits a code tells of the key, whatever the names:
#
# $$ I(\text{code}; \text{key}) = H(\text{code}) + H(\text{key}) - H(\text{code}, \text{key}) . $$
#
# Each $H$ is an entropy of counts. From few samples entropies come out too small, and the joint one, with its many
# cells, most of all. So independent variables seem to share information. **Miller and Madow** add what is missing, to
# first order: with N samples and m values that came up,
#
# $$ H = -\sum_i p_i \log_2 p_i + \frac{m - 1}{2 N \ln 2} . $$

# %% exercise="entropy" from="common.evaluation.mutual_information:entropy"

# %% check="entropy"

# %% [markdown] hints="entropy"
# 1. Zeros first: 0 · log 0 is 0, and torch says nan. What is m?
# 2. `seen = counts[counts > 0].double()` has length m and sum N.
# 3. `share = seen / seen.sum()`, then `float(-(share * share.log2()).sum() + (len(seen) - 1) / (2 * seen.sum() *
#    math.log(2)))`.

# %%
def bits(codes, keys):
    """Mutual information with your entropy."""
    table = contingency(codes, keys)
    return entropy(table.sum(dim=1)) + entropy(table.sum(dim=0)) - entropy(table)


# %% [markdown]
# Five kinds of codes for the same test steps. *k-means* clusters the frame differences. *Untrained* is the same network
# with fresh weights. *What keys came to* is by the game itself: a "left" into a wall came to "stay", and a "jump left"
# in the air came to "left".

# %% tags=["demo"] draws="Bits per kind of code, and which code goes with which key."
torch.manual_seed(1)
fresh = LatentActionModel(8, 2, channels=[16, 32]).eval()
spread = fresh.encode(TEST.clips()[:64, :, :2], TEST.clips()[:64, :, 2]).detach()
fresh.quantizer.codebook.copy_(spread[torch.randperm(64)[:8]])  # codes where its vectors are
CODES = {"what keys came to": TEST.effects(), "rooms-latent-actions": inferred(SHIPPED, TEST)[0],
         "yours, from scratch": inferred(OWN, TEST)[0],
         "k-means": kmeans_codes(fresh_steps(NUM_STEPS, "train", with_slime=False), TEST, 8),
         "untrained": inferred(fresh, TEST)[0]}  # fmt: skip
for name, codes in CODES.items():
    print(f"{name:24}{bits(codes, TEST.actions):5.2f} bits, matched {matched_accuracy(codes, TEST.actions):4.0%}")
figure, axes = plt.subplots(1, 3, figsize=(9, 3), layout="constrained")
for axis, name in zip(axes, ("what keys came to", "rooms-latent-actions", "k-means")):
    axis.imshow(contingency(CODES[name], TEST.actions), cmap="Blues", aspect="auto")
    axis.set(xticks=range(6), yticks=range(int(CODES[name].max()) + 1), title=name, ylabel="code")
    axis.set_xticks(range(6), KEYS, rotation=40, fontsize=8)
plt.show()

# %% [markdown]
# **What to see.** A dark cell alone in its row is a code that means one key. Two codes may share a key: bits do not
# mind, and matched accuracy does, so report both. At `cpu`, yours is up with the shipped one. Even what the keys came
# to does not tell all bits of the six keys. Why?

# %% [markdown] about="action_ceiling" difficulty=4 importance=5 minutes=15
# ## The ceiling: what can be seen at all
#
# A wall to the left, and "left" looks like "stay". In the air, "jump" does nothing. No model can learn what no frame
# shows, so a score needs a **ceiling**. The game gives it exactly: set the engine to a state, try all six keys, and see
# which frames are equal (`outcomes`).
#
# The player of these videos draws every key anew, with known probabilities $p_a$, whatever the state. Then Bayes gives
# the bits that the next frame $X'$ tells of the key $A$:
#
# $$ I(A; X' \mid S) = H(A) - H(A \mid X', S) = H(X' \mid S) = \operatorname*{mean}_{s} \Bigl(-\sum_{x} q_s(x) \log_2
# q_s(x)\Bigr), \qquad q_s(x) = \sum_{a \,:\, s \xrightarrow{a} x} p_a . $$

# %% exercise="action_ceiling" from="common.evaluation.action_ceiling:action_ceiling"

# %% check="action_ceiling"

# %% [markdown] hints="action_ceiling"
# 1. One state first: six keys, four different frames. What is the chance of each frame?
# 2. For every action, the chance of *its* frame: add up the chances of all actions with the same number in the row.
#    `outcomes[:, :, None] == outcomes[:, None, :]` says which those are.
# 3. `shared = (alike * chances).sum(dim=2)` is $q$ of each action's frame, `(N, A)`. Then $-\sum_a p_a \log_2 q_a$, and
#    the mean over states. Leave out actions with $p_a = 0$.

# %% [markdown] troubles="action_ceiling"
# - **Too high.** Two actions with one frame are one outcome: its chance is added up before the logarithm.

# %% tags=["demo"] draws="Three states, what six keys lead to, and every kind of code against the ceiling."
kinds = [TEST.apart(), TEST.outcomes.amax(dim=1) == 2, TEST.outcomes.amax(dim=1) == 1]
figure, axes = plt.subplots(1, 3, figsize=(7.5, 3), layout="constrained")
for axis, kind in zip(axes, kinds):
    n = int(kind.nonzero()[1, 0])
    axis.imshow(TEST.pixels[n, :, 1].permute(1, 2, 0))
    told = action_ceiling(TEST.outcomes[n : n + 1], TEST.probabilities)
    axis.set(xticks=[], yticks=[], title=f"{int(TEST.outcomes[n].max()) + 1} frames, {told:.2f} bits")
plt.show()
CEILING = action_ceiling(TEST.outcomes, TEST.probabilities)
print(f"the keys: {bits(TEST.actions, TEST.actions):.2f} bits; the ceiling: {CEILING:.2f} bits")
for name, codes in CODES.items():
    print(f"{name:24}{bits(codes, TEST.actions) / CEILING:5.0%} of the ceiling")

# %% [markdown]
# **What to see.** The ceiling is for an eye that knows the state, too. What the keys came to is a little below it:
# "stay" alone does not say whether there was a wall. Was your list of cases complete?

# %% [markdown] about="name_codes" difficulty=2 importance=5 minutes=6
# ## Names: 200 labelled pairs
#
# To play, someone has to say which code is which key. A few pairs with known keys do it: each code gets the key that it
# was seen with most often.

# %% exercise="name_codes" from="common.evaluation.code_names:name_codes"

# %% check="name_codes"

# %% [markdown] hints="name_codes"
# 1. A table with a row per code and a column per action, then the largest entry of each row.
# 2. `torch.bincount(codes * A + actions, minlength=K * A).view(K, A)`. Rows of zeros need the totals instead.
# 3. `counts = torch.where(counts.sum(dim=1, keepdim=True) > 0, counts, counts.sum(dim=0))`, and its `argmax(dim=1)`.
#    The `ValueError` comes before all that.

# %% [markdown]
# ## The result to remember: a video becomes a game
#
# Take videos whose keys are hidden. Your chain turns them into keys: encoder, codebook, names. Now press these keys in
# `arcade-rooms`, the world model of lab 09.2. Does its dream follow the video?

# %% tags=["demo"] draws="A video, and dreams: with its true keys, with inferred ones, and with another video's."
NAMES = name_codes(CODES["rooms-latent-actions"][:200], TEST.actions[:200], 8)
print("codes 0 to 7 are: " + ", ".join(KEYS[k] for k in NAMES.tolist()))
WORLD = WorldUNet.from_pretrained("arcade-rooms").eval().requires_grad_(False)
clips, true = videos(fresh_recording(64 * 8, "test", with_slime=False, first=70_000), range(4), DREAM + 4)
found = torch.stack([keys_of(SHIPPED, NAMES, clip) for clip in clips])
pressed = {"true keys": true, "inferred keys": found, "another video's keys": true.roll(1, dims=0)}
shown = {"the video": clips[0]}
for name, keys in pressed.items():
    dreamed = dreams(WORLD, clips, keys)
    same = same_places(dreamed, clips, 4)
    print(f"{name:22} player at the video's pixel in {same.mean():.0%} of the frames")
    shown[name] = dreamed[0]
display(playing(shown, 150))
show.strips(shown, num_frames=6, width=64)

# %% [markdown]
# **What to see.** Keys that no one recorded steer the dream along the video, and another video's keys do not. They do
# not last as long as the true ones: after one wrong key on the ground the two players part for good.
#
# Now the control. Does the code mean an *action*, or is it a copy of the answer? Take the code of one step, and apply
# it to **another past**, in which the player falls at another speed. Below, the course's record: models of the shipped
# size and equal training. *Without foresight* means that `encode` sees the whole change and there is no `past_loss`.

# %% tags=["demo"] draws="Every arm: bits, matched, missed, and codes in other pasts."
record = paths.find_lab("09.3").tests.parent / "calibration" / "03_latent_actions.json"
study = json.loads(record.read_text())["study"]
print(f"{'':35}{'of ceiling':>11}{'matched':>9}{'missed':>8}{'own past':>10}{'other past':>12}")
for name, arm in study["arms"].items():
    row = "".join(f"{arm[key]:{width}.0%}" if key in arm else " " * width
                  for key, width in (("of_ceiling", 11), ("matched", 9), ("missed", 8), ("own", 10), ("transfer", 12)))
    print(f"{name:35}{row}")

# %% [markdown]
# **What to see.** The numbers miss least of their own frame. In a past of another speed they fail, *without foresight*:
# they carry along how fast *that* player fell. Codes have no room for a speed, so they transfer. With foresight even
# numbers transfer in part, since what the past foretells never reaches them: it is a second bottleneck, and it also
# lifts the codes' bits.
#
# No arm reaches 85 % of the ceiling. What the keys came to is little above it, and jumps to the side are so rare that
# they share their codes with walking.
#
# And the slime? A crawling slime can be foretold, and it turns at random in few frames. So a model trained with slimes
# loses nothing. One that has never seen them takes them for someone's doing, and its bits fall.
#
# ## Try it
#
# A code of your choice. `PAST` may be any two frames, such as `TEST.clips()[40, :, :2]`.

# %%
CODE, FRAMES, PAST = 5, 8, START

one = held(SHIPPED, PAST, FRAMES)[CODE]
show.strips({f"code {CODE} is {KEYS[int(NAMES[CODE])]}": one}, num_frames=FRAMES, width=64)

# %% [markdown] tags=["folded"]
# ## Going further
#
# - **Genie** (arXiv:2402.15391) has 11 billion parameters and 8 codes, few enough for a person's hands. At play its
#   encoder is gone: a dynamics model takes the codes.
# - **LAPA** (arXiv:2410.11758) trains robot policies on the codes of human video, and then on a little robot data.
# - **TinyWorlds** is Genie in small for one GPU, and hides parts of the past so that the decoder heeds the code.
# - What a latent action model learns is close to a PCA of the changes (arXiv:2506.15691). So the largest change wins,
#   whoever made it.
#
# **An ablation to run.** FSQ in place of VQ: `FSQ([3, 3])` of lab 05.4 has nine codes and nothing to revive. Put it
# into `model.quantizer`, leave out the `update`, and train.
#
# ## Honest limits
#
# - The player of the videos presses a new key in every frame. People hold keys. Then the past foretells the key, and
#   the code becomes "as before" or "changed".
# - One player, one size, one art. In real video the camera moves.
# - The ceiling needs an engine.
#
# ## Yours now
#
# `flipbook evaluate rooms-latent-actions --mine` measures the shipped weights with your parts, and `flipbook train
# rooms-latent-actions --mine` trains with them.
#
# **Next:** 09.4, a policy that learns in a dream. **To read:** *VQ-VAE* (arXiv:1711.00937), *Genie*, *LAPA*.
