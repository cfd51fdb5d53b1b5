# %% [markdown]
# # Lab 09.1 · Action-conditioned video
#
# **What you will have at the end:** a video model that obeys keys. From one past, three keys give three futures. You
# will have measured that the key is the cause, and caught a bug that no loss shows.
#
# | | |
# |---|---|
# | time | about 70 minutes |
# | difficulty | ★★★★★ |
# | before this | [05.5](../05_video_vae/05_latent_diffusion.ipynb) or any other lab with diffusion in it |
# | the game | `catch`: 32×32 pixels, a ball, a paddle, three keys; 500 frames per recorded play |
#
# | preset | frames `(H, W)`, past | a model of your own trains for | pasts in the measurement | all cells take about |
# |---|---|---|---|---|
# | `ci` | (32, 32), 2 | 140 steps, three times | 48 | 20 s |
# | `cpu` (default) | (32, 32), 2 | 500 steps, three times | 192 | 1 min |
# | `gpu` | (32, 32), 2 | 2000 steps, three times | 192 | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
from collections.abc import Callable
from functools import partial

import matplotlib.pyplot as plt
import torch
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common import show
from common.course import check
from common.data.arcade import Transitions, arcade_recording
from common.diffusion import edm_loss, euler, last
from common.diffusion.convert import edm_derivative
from common.diffusion.paths import add_noise, beside, edm_level
from common.diffusion.preconditioning import Preconditioning
from common.evaluation.catch_engine import catch_engine, free_windows
from common.evaluation.inverse_dynamics import fit_inverse_dynamics, told_is_seen
from common.models.world_parts import use_parts
from common.models.world_unet import WorldUNet, group_norm
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.streaming.world import quantize, rollout, world_sigmas
from common.tensor_ops import append_dims
from common.zoo.arcade_catch.measures import sign_right

limit_threads()
plt.rcParams["figure.dpi"] = 75
STEPS, NUM_PASTS = {"ci": (140, 48), "cpu": (500, 192), "gpu": (2000, 192)}[preset()]
KEYS, FPS = ("stay", "left", "right"), 12


def playing(rows, width=120):
    """Clips side by side, each `(3, T, H, W)`, in a loop."""
    row = torch.cat(list(rows.values()), dim=3)
    return show.player(row, FPS, width=width * len(rows), max_bytes=40_000, caption=" | ".join(rows))


# %% [markdown]
# ## Where you are heading
#
# The course's small world model, `arcade-catch`. It sees two frames and the keys, and draws the next frame. Then it
# sees its own frame. One past, three keys held down:

# %% tags=["demo"] draws="One past, three keys: three futures."
TRAIN, TEST = arcade_recording("catch", 20_000, window=4), arcade_recording("catch", 4_000, "test")
WORLD = WorldUNet.from_pretrained("arcade-catch").eval().requires_grad_(False)
begin = TEST.windows([(1, 40)], 2)
held = {}
for action, name in enumerate(KEYS):
    keys = torch.tensor([[int(begin.actions[0, 0]), *[action] * 11]])
    dream = rollout(WORLD, begin.clips(), keys, 3, generator=torch.Generator().manual_seed(0))
    held[f"{name}, held"] = torch.stack([frame[0] for frame in dream], dim=1)
display(playing(held))
show.strips(held, num_frames=11, width=64)

# %% [markdown]
# **A prediction.** A bug that published code has had: each frame is paired with the action *after* the one that made
# it. Is the loss of such a model much higher than that of the right one, a little, or the same? And what would you
# notice while playing? Write it down. You will train both.

# %% [markdown] about="transitions" difficulty=2 importance=5 minutes=6
# ## Transitions: which action belongs between which frames
#
# Recorded play is T frames and T − 1 actions. Action $a_t$ is pressed while $x_t$ is shown, and leads to $x_{t+1}$:
#
# $$ x_0 \xrightarrow{\;a_0\;} x_1 \xrightarrow{\;a_1\;} x_2 \xrightarrow{\;a_2\;} \cdots \qquad
# x_{t+1} \sim p\,(x_{t+1} \mid x_{t-K+1 \ldots t},\; a_{t-K+1 \ldots t}) . $$
#
# | quantity | shape |
# |---|---|
# | `clips`, `actions` | `(B, C, T, H, W)`, `(B, T - 1)` |
# | past, its actions, next frame | `(N, C, K, H, W)`, `(N, K)`, `(N, C, H, W)`, with N = B (T − K) |

# %% exercise="transitions" from="common.data.arcade.transitions:transitions"

# %% check="transitions"

# %% [markdown] hints="transitions"
# 1. With T = 4 and K = 2 a play gives two transitions. Write down by hand which frames and which actions each one has.
# 2. Transition n has the frames n … n + K − 1, the actions with the same numbers, and frame n + K.
#    `x.unfold(axis, K, 1)` gives all windows of length K, on a new axis at the end.
# 3. `clips[:, :, :-1].unfold(2, context, 1)` is `b c n h w k`, `actions.unfold(1, context, 1)` is `b n k`, and
#    `clips[:, :, context:]` is `b c n h w`. `rearrange` each, with `(b n)` in front.

# %% [markdown] troubles="transitions"
# - **The check says that the actions are off by one.** As many actions as past frames, with the same numbers.

# %% [markdown]
# Three of your transitions, where the key changes. Below them, how often the next action is the same one again.

# %% tags=["demo"] draws="Two frames of the past, the key, the next frame; and how long keys are held."
batch = TRAIN.windows([(k, 0) for k in range(8)], 500)
past, actions, target = transitions(batch.clips(), batch.actions, 2)
moves = (past[:, :, 1, 28:30] != target[:, :, 28:30]).flatten(1).any(dim=1)  # the paddle's rows
changes = (actions[:, 1] != actions[:, 0]) & (actions[:, 1] > 0) & moves
figure, axes = plt.subplots(3, 3, figsize=(5.2, 5.2), layout="constrained")
for line, row in zip(axes, changes.nonzero()[5:50:17, 0].tolist()):
    frames = (past[row, :, 0], past[row, :, 1], target[row])
    for axis, frame, name in zip(line, frames, ("$x_{t-1}$", f"$x_t$, then {KEYS[actions[row, 1]]}", "$x_{t+1}$")):
        axis.imshow((rearrange(frame, "c h w -> h w c") + 1) / 2)
        axis.set(xticks=[], yticks=[], title=name)
plt.show()
same = (batch.actions[:, 1:] == batch.actions[:, :-1]).float().mean()
print(f"In {same:.0%} of the frames the next action is the same one again.")

# %% [markdown]
# **What to see.** The paddle is 2 pixels further in the frame *after* the key. And keys are held: pairs that are off by
# one are right most of the time. That is why the bug survives.

# %% [markdown] about="ActionEmbedding" difficulty=2 importance=4 minutes=8
# ## Action embedding, and the null action
#
# A key is a number, and networks want vectors: a table with a row for each action. *When* a key was pressed matters
# too, so each of the K places has rows of its own. And every place has one row more, the **null action**: "you are not
# told". With it, some samples in training lose their actions (**action dropout**), and the same network also learns
# what happens without knowing the keys. "Stay" cannot do that job. It is a key like the others, and says that the
# paddle rests.
#
# $$ e = \sum_{k=0}^{K-1} E_k[a_k], \qquad a_k \in \{0, \ldots, A-1, \underbrace{A}_{\text{null}}\} $$

# %% exercise="ActionEmbedding" from="common.models.world_unet:ActionEmbedding" blank="forward, drop"

# %% check="ActionEmbedding"

# %% [markdown] hints="ActionEmbedding"
# 1. Where do the rows of place k begin? How many rows are before them?
# 2. `torch.arange(K) * (A + 1)` has the first row of each place. Added to `(B, K)` actions it gives rows of the table.
# 3. `self.table(place + actions).sum(dim=1)`, with `place` on the actions' device. In `drop`:
#    `actions.masked_fill(dropped[:, None], self.null)`.

# %% [markdown] troubles="ActionEmbedding"
# - **Some rows are never used, or the last place is out of range.** A place has A + 1 rows, not A.

# %% [markdown] about="FiLMBlock" difficulty=2 importance=5 minutes=8
# ## Modulation: FiLM in a residual block
#
# How does one vector steer a picture? **FiLM** scales and shifts whole channels, in every block, at every pixel alike:
#
# $$ h \leftarrow h \,(1 + \text{scale}) + \text{shift}, \qquad (\text{scale}, \text{shift}) = W \,\text{cond} + b . $$
#
# The signal `cond` is the sum of your action embedding and an embedding of the noise level, after SiLU. "1 +" makes
# zero mean "leave it". Where the paddle is, the network sees itself. Which way it should go, a channel tells it.

# %% exercise="FiLMBlock" from="common.models.world_unet:FiLMBlock" blank="forward"

# %% check="FiLMBlock"

# %% [markdown] hints="FiLMBlock"
# 1. Two halves of norm, SiLU and convolution. FiLM goes between the second norm and its SiLU.
# 2. `self.film(cond).chunk(2, dim=1)` gives scale and shift, `(B, C)` each. `append_dims(scale, h)` gives them the axes
#    of h.
# 3. `h = self.first(F.silu(self.norm_first(x)))`, then FiLM on `self.norm_second(h)`, then `self.fit(x) +
#    self.second(F.silu(h))`.

# %% [markdown] troubles="FiLMBlock"
# - **It is right with zero weights and wrong with others.** FiLM comes after the norm. Before it, the norm undoes it.

# %% [markdown]
# Both parts are yours now. Put them into the shipped model and let a recorded play's keys steer it. In the last row the
# same keys are dropped.

# %% tags=["demo"] draws="The game, your parts in the model, and the model without being told the keys."
use_parts(WORLD, FiLMBlock, ActionEmbedding)
play, rows = TEST.windows([(3, 24)], 42), {}
rows["the game"] = play.clips()[0, :, 2:]
untold = WORLD.actions.drop(play.actions, torch.tensor([True]))
for name, keys in (("your parts, the same keys", play.actions), ("no key told", untold)):
    dream = rollout(WORLD, play.clips()[:, :, :2], keys, 3, generator=torch.Generator().manual_seed(0))
    rows[name] = torch.stack([frame[0] for frame in dream], dim=1)
display(playing(rows))
show.strips(rows, num_frames=11, width=64)

# %% [markdown]
# **What to see.** With the keys the paddle goes where the game's does. The balls differ, because a serve is random. Not
# being told, the model makes up a player of its own.

# %% [markdown] about="edm_precondition" difficulty=4 importance=5 minutes=15
# ## Preconditioning: a raw network at every noise level
#
# The next frame is drawn by diffusion: noise is added to it, $x = x_0 + \sigma\,\epsilon$, and a denoiser learns the
# way back. Here σ runs from 0.002 to 5. No network likes inputs and targets whose size changes a thousandfold. **EDM**
# wraps the raw network $F$:
#
# $$ D(x; \sigma) = c_\text{skip}\, x + c_\text{out}\, F(c_\text{in}\, x,\; c_\text{noise}) . $$
#
# Find the factors, with the least possible $c_\text{out}$. Data has standard deviation $\sigma_\text{data}$, so $x$ has
# variance $\sigma^2 + \sigma_\text{data}^2$.
#
# | factor | what it is for |
# |---|---|
# | $c_\text{in}$ | the network's input has variance 1 |
# | $c_\text{skip}, c_\text{out}$ | its target $(x_0 - c_\text{skip} x) / c_\text{out}$ has variance 1 |
# | $c_\text{noise}$ | what the network is told: $\ln(\sigma) / 4$ |

# %% exercise="edm_precondition" from="common.diffusion.preconditioning:edm_precondition"

# %% check="edm_precondition"

# %% [markdown] hints="edm_precondition"
# 1. Begin with $c_\text{in}$: if $x$ has variance $v$, then $c\,x$ has variance $c^2 v$. For the others write down
#    $x_0 - c_\text{skip}\,x = (1 - c_\text{skip})\,x_0 - c_\text{skip}\,\sigma\,\epsilon$ and its variance.
# 2. That variance is $c_\text{out}^2 = (1 - c_\text{skip})^2 \sigma_\text{data}^2 + c_\text{skip}^2 \sigma^2$. Set its
#    derivative by $c_\text{skip}$ to zero.
# 3. $c_\text{skip} = \sigma_\text{data}^2 / (\sigma^2 + \sigma_\text{data}^2)$, $\;c_\text{out} = \sigma\,
#    \sigma_\text{data} / \sqrt{\sigma^2 + \sigma_\text{data}^2}$, $\;c_\text{in} = 1 / \sqrt{\sigma^2 +
#    \sigma_\text{data}^2}$.

# %% [markdown] troubles="edm_precondition"
# - **Everything is right for sigma_data = 1 only.** Two of the factors need it in the numerator.

# %% [markdown]
# Your four factors around the network, and the sampler around that: this is a whole world model.


# %%
def denoise(x, sigma, model, past, actions):
    """The model's estimate of the next frame x0, from x = x0 + sigma · eps."""
    c_skip, c_out, c_in, c_noise = edm_precondition(sigma, model.config.sigma_data)
    raw = model(beside(c_in, x) * x, c_noise, past, actions, torch.zeros_like(sigma))  # no noise on the past
    return beside(c_skip, x) * x + beside(c_out, x) * raw


def next_frames(eps, past, actions, model, steps=3):
    """Euler steps from noise to the next frames, `(N, 3, H, W)`."""
    sigmas = world_sigmas(steps, model.config.sigma_max)
    estimate = partial(denoise, model=model, past=past, actions=actions)
    return quantize(last(euler(partial(edm_derivative, estimate), sigmas[0] * eps, sigmas)))


# %% tags=["demo"] draws="The factors against the noise level, and one frame denoised from four levels."
sigmas = torch.logspace(-2.5, 1, 60)
figure, axis = plt.subplots(figsize=(7.2, 2.5), layout="constrained")
for name, values in zip(("c_skip", "c_out", "c_in"), edm_precondition(sigmas, 0.5)):
    axis.plot(sigmas, values, label=name)
axis.set(xscale="log", xlabel="noise level σ", ylabel="factor", title="Little noise: x passes. Much: the network draws")
axis.legend()
plt.show()
levels = torch.tensor([0.1, 0.5, 2.0, 5.0])
past, actions, target = (x[:1].expand(4, *x.shape[1:]) for x in transitions(play.clips(), play.actions, 2))
noisy = add_noise(target, torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1)), edm_level(levels))
rows = {"noisy, at σ = 0.1, 0.5, 2, 5": noisy, "your denoiser's estimate": denoise(noisy, levels, WORLD, past, actions)}
show.strips({name: x.transpose(0, 1).clamp(-1, 1) for name, x in rows.items()}, width=96)

# %% [markdown]
# **What to see.** Even where x is all noise (σ = 5) the paddle is there: the past and the key say where. The ball is a
# new one, and its place is random. At much noise the estimate is the mean of all places; steps to lower levels choose
# one.

# %% [markdown] about="action_matrix" difficulty=3 importance=5 minutes=10
# ## The action matrix: one past, every future
#
# Does a key *cause* anything? On recorded play you cannot tell, because the past gives the key away: a paddle that
# moves left goes on to the left. So do an experiment. Take one past, with the same noise, and press each key in turn.
# What differs between the futures is due to the key alone.

# %% exercise="action_matrix" from="common.evaluation.inverse_dynamics:action_matrix"

# %% check="action_matrix"

# %% [markdown] hints="action_matrix"
# 1. For each action: copy the actions, replace the one that leads to the next frame, call the world.
# 2. The last of the K actions leads to the next frame: `pressed[:, -1] = action`. All calls get the same `eps`.
# 3. `futures.append(next_frame(eps, past, pressed))` for each action, `torch.stack(futures, dim=1)`, under
#    `@torch.no_grad()`.

# %% [markdown] troubles="action_matrix"
# - **The check says that inputs were changed.** `actions.clone()` before you write into it.

# %% [markdown]
# Pasts in which the paddle has room on both sides, so that every key has an effect of its own.

# %% tags=["demo"] draws="Three pasts, three keys each."
chosen = TEST.windows(free_windows(TEST, 3, NUM_PASTS), 3)
PAST, PRESSED, _ = transitions(chosen.clips(), chosen.actions, 2)
EPS = torch.randn(PAST[:, :, 0].shape, generator=torch.Generator().manual_seed(0))
shipped = action_matrix(partial(next_frames, model=WORLD), PAST, PRESSED, EPS, 3)
figure, axes = plt.subplots(3, 4, figsize=(7.2, 5.5), layout="constrained")
for line, now, futures in zip(axes, PAST[:, :, -1], shipped):
    for axis, frame, name in zip(line, (now, *futures), ("now", *KEYS)):
        axis.imshow((rearrange(frame, "c h w -> h w c") + 1) / 2)
        axis.set(xticks=[], yticks=[], title=name)
plt.show()

# %% [markdown]
# **What to see.** The ball is the same in all three futures. The paddle is not.

# %% [markdown] about="action_confusion" difficulty=2 importance=5 minutes=8
# ## Inverse dynamics as the judge
#
# Looking at 48 pasts gets tiring. **Inverse dynamics** turns the question round: from two frames, which action was it?
# Train a small network on real frames, where the answer is known. Then ask it about dreams. If it sees the key that was
# told, the key did what it does in the game. Count what it sees, in a table: told in rows, seen in columns.

# %% exercise="action_confusion" from="common.evaluation.inverse_dynamics:action_confusion"

# %% check="action_confusion"

# %% [markdown] hints="action_confusion"
# 1. The probe takes pairs. Every future of a past is paired with the same last frame.
# 2. `last[:, None].expand_as(matrix)`, then both to `(b a) c h w`. The probe's largest logit is what it sees.
# 3. `F.one_hot(logits.argmax(dim=1), num_actions).float()`, back to `b told seen` by `rearrange`, `.mean(dim=0)`, under
#    `@torch.no_grad()`.

# %% [markdown] troubles="action_confusion"
# - **Everything is mixed up.** `(b a)` on the way in and on the way out: b is outermost.

# %%
PROBE = fit_inverse_dynamics(TRAIN, len(KEYS), steps=120)
REAL = action_matrix(catch_engine, PAST, PRESSED, EPS, 3)  # the game itself, at the same pasts: real frames

# %% [markdown]
# ## The result to remember
#
# Now from scratch: your transitions, embedding, blocks and preconditioning, in a tiny model of the lowest eight rows,
# where the paddle is. Three models, equal but for the pairing. **Off by one**: each frame with the action after the
# right one. **Shuffled**: with the actions of another play.


# %%
def train(pair, seed=0):
    """A small world of the paddle's strip. `pair` says which actions go with which frames."""
    torch.manual_seed(seed)
    model = WorldUNet(3, 2, 8, 32, channels=[16, 24, 32], num_blocks=[1, 1, 1], cond_channels=32)
    model = use_parts(model, FiLMBlock, ActionEmbedding)
    optimizer = torch.optim.AdamW(model.parameters(), lr=8e-3, betas=(0.9, 0.95))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: min(1, (k + 1) / 20) * (1 - k / STEPS))
    losses = []
    for step in progress_bar(range(STEPS), desc="from scratch", unit="step"):
        batch = TRAIN.batch(range(16 * step, 16 * step + 16))  # four frames, three actions
        past, pressed, target = transitions(*pair(batch.clips()[:, :, :, 24:], batch.actions), 2)
        pressed = model.actions.drop(pressed, torch.rand(16) < 0.05)
        sigma = (1 + 1.4 * torch.randn(16)).exp()
        estimate = partial(denoise, model=model, past=past, actions=pressed)
        loss = edm_loss(estimate, target, torch.randn_like(target), sigma).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        losses.append(loss.item())
    return model.eval().requires_grad_(False), losses


PAIRS = {
    "right": lambda clips, actions: (clips[:, :, :-1], actions[:, :-1]),
    "off by one": lambda clips, actions: (clips[:, :, :-1], actions[:, 1:]),
    "shuffled": lambda clips, actions: (clips[:, :, :-1], actions[torch.randperm(len(actions)), :-1]),
}
ARMS = {name: train(pair) for name, pair in PAIRS.items()}


# %% tags=["demo"] draws="Eight worlds, judged: a table, and what is seen in four."
def strip(eps, past, actions, model):
    """A model of the strip as a world of whole frames: the rest stays as it is."""
    frames = past[:, :, -1].clone()
    frames[:, :, 24:] = next_frames(eps[:, :, 24:], past[:, :, :, 24:], actions, model, steps=1)
    return frames


dropped = WORLD.actions.drop(PRESSED, torch.ones(len(PRESSED), dtype=torch.bool))
worlds = {
    "the game": REAL,
    "arcade-catch": shipped,
    "  no key told": action_matrix(lambda eps, past, _: next_frames(eps, past, dropped, WORLD), PAST, PRESSED, EPS, 3),
    "  the last frame again": PAST[:, None, :, -1].expand_as(REAL),
}
for name, (model, _) in ARMS.items():
    worlds[name] = action_matrix(partial(strip, model=model), PAST, PRESSED, EPS, 3)
    if name == "off by one":
        swapped = lambda eps, past, actions: strip(eps, past, actions.flip(1), model)  # noqa: B023, E731
        worlds["  its two keys swapped"] = action_matrix(swapped, PAST, PRESSED, EPS, 3)
tables = {name: action_confusion(PROBE, PAST[:, :, -1], matrix) for name, matrix in worlds.items()}
print(f"{'':24}{'paddle as told':>16}{'key seen':>10}{'loss':>8}")
for name, matrix in worlds.items():
    loss = f"{sum(ARMS[name][1][-40:]) / 40:8.2f}" if name in ARMS else ""
    print(f"{name:24}{sign_right(PAST[:, :, -1], matrix):16.0%}{told_is_seen(tables[name]):10.0%}{loss}")
figure, axes = plt.subplots(1, 4, figsize=(7.6, 2.4), layout="constrained")
for axis, name in zip(axes, ("arcade-catch", *ARMS)):
    axis.imshow(tables[name], vmin=0, vmax=1, cmap="Blues")
    axis.set(xticks=range(3), yticks=range(3), xticklabels=KEYS, yticklabels=KEYS, title=name, xlabel="seen")
axes[0].set_ylabel("told")
plt.show()

# %% [markdown]
# **What to see.** A diagonal: the keys rule. Equal rows: whatever you press, the same happens. The right pairing and
# the one that is off by one have about the same loss, and only one of the two can be played. The other has learned that
# the *earlier* of its keys moves the paddle. Swap them, and it obeys: it lags by one frame.
#
# ## Try it
#
# A dream by your own keys, frame by frame: s, l and r.

# %%
MOVES, PLAY, FIRST = "rrrrrrllllllllssssrrrrssss", 2, 30

begin = TEST.windows([(PLAY, FIRST)], 2)
keys = torch.tensor([[int(begin.actions[0, 0]), *("slr".index(move) for move in MOVES)]])
dream = rollout(WORLD, begin.clips(), keys, 3, generator=torch.Generator().manual_seed(0))
show.player(torch.cat(list(dream)).transpose(0, 1), FPS, width=256, max_bytes=40_000, caption=MOVES)

# %% [markdown] tags=["folded"]
# ## Going further: the real ones
#
# - **DIAMOND** (arXiv:2405.12399): our recipe at full size, with four past frames and adaptive group norm.
# - **GameNGen** (arXiv:2408.14837): Stable Diffusion with keys in place of words plays Doom. Lab 09.2.
# - **Oasis**: a diffusion transformer. Its `generate.py` once had the bug (etched-ai/open-oasis, issue 20).
# - **Genie** (arXiv:2402.15391): no actions were recorded, so it infers them. Lab 09.3.
# - **Cosmos** (arXiv:2501.03575): `CosmosActionCondition(mode=…)` in diffusers. `"forward_dynamics"` is your world,
#   `"inverse_dynamics"` your judge. **SANA-WM** takes words: `SanaWMPipeline(…)(action="w-80,jw-40")`.
#
# A video VAE that is four times smaller in time puts four actions on a latent frame: pooled, concatenated or summed.
#
# **An ablation to run.** Pair each frame with the action *before* the right one: `clips[:, :, 1:], actions[:, :-1]`.
# What can such a model know of the key that you press now?
#
# ## Honest limits
#
# - The three models from scratch draw a quarter of the picture.
# - One step ahead, from real pasts. A thousand frames of its own are the question of lab 09.2.
# - A key in `catch` acts at once. Where it acts later, two frames are not enough for the judge.
#
# ## Yours now
#
# `flipbook evaluate arcade-catch --mine` measures the shipped weights on your parts, and `flipbook train arcade-catch
# --mine` trains with them. `flipbook play catch` lets you play the dream.
#
# **Next:** 09.2, a world that lasts. **To read:** *EDM* (arXiv:2206.00364), *FiLM* (arXiv:1709.07871), *DIAMOND*.
