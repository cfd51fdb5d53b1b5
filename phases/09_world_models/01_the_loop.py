# %% [markdown]
# # The world model loop
#
# About 20 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# A **world model** takes a state and an action and draws the next state. Feed it what it drew, ask for the next key,
# and it is a place. This page runs that loop with two small networks that ship with the course, `arcade-catch` and
# `arcade-rooms`. Beside them run the games that they learned from, whose rules are exact. So every claim here is
# measured: does the dream obey the keys, what does it make of chance, how long does it last, and is it fast enough?
#
# To play first and read later: `flipbook play catch`, `flipbook play rooms`.

# %% tags=["setup"]
import time

import matplotlib.pyplot as plt
import numpy as np
import torch

from common import show
from common.data.arcade import Catch, Rooms, arcade_recording, mixed_player, play
from common.data.arcade.rooms_player import RoomsScript
from common.evaluation.arcade_reader import UNKNOWN, read_catch, read_rooms
from common.evaluation.arcade_rules import rule_agreement
from common.pipelines.world import WorldModel
from common.runtime import limit_threads
from common.streaming.world import rollout, sample_next
from common.video import frames_to_clip

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 80
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "0.6"
FPS = 12
CATCH, ROOMS = WorldModel.from_pretrained("arcade-catch"), WorldModel.from_pretrained("arcade-rooms")


def seeded(seed):
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# ## What a world model is: the loop
#
# $$ s_{t+1} \sim p(s_{t+1} \mid s_t, a_t), \qquad \text{show } s_{t+1}, \text{ read } a_{t+1}, \text{ repeat.} $$
#
# That is all, and it is one line of code. What `step` is, an engine or a network, the loop does not care.

# %%
def live(step, keys):
    """Press a key, let the world go on, look: a frame for every key."""
    return np.stack([step(key) for key in keys])


recorded = play(Catch("test"), 5, 62, mixed_player("catch"), states=True)
keys = recorded.actions[1:]  # what was pressed from the second frame on
game = Catch("test")
game.set_state(recorded.states[1])
dream = CATCH.start(recorded.frames[:2], recorded.actions[:1], seed=0, num_steps=3, context_noise=0.2)


def engine_step(key):
    """The engine of the game as a world."""
    game.step(key)
    return game.frame()


truth, dreamed = live(engine_step, keys), live(dream.step, keys)
gap = np.zeros((len(truth), 32, 3, 3), dtype=np.uint8)
show.player(np.concatenate([truth, gap, dreamed], axis=2), FPS, width=320, max_bytes=45_000,
            caption="the game | the network, from the same two frames, on the same keys")  # fmt: skip

# %% [markdown]
# The network has seen two real frames. Everything after them it drew itself, from its own frames and the keys. A
# reader finds ball and paddle in the pixels of both:

# %%
real, made = read_catch(frames_to_clip(truth)), read_catch(frames_to_clip(dreamed))
first_serve = next(k for k in range(1, len(real)) if real[k].ball[1] < real[k - 1].ball[1])
paddle = np.array([a.paddle == b.paddle for a, b in zip(real, made)])
ball = np.array([a.ball == b.ball for a, b in zip(real, made)])
print(f"paddle at the very pixel: {paddle.mean():.0%} of {len(paddle)} frames")
print(f"ball at the very pixel:   {ball[:first_serve].mean():.0%} of the {first_serve} frames until a new ball comes,")
print(f"                          {ball[first_serve:].mean():.0%} of those after it")

# %% [markdown]
# **What to see.** As long as the future follows from the past, dream and game agree. A new ball begins at a random
# place with a random drift, and there they part. Neither is wrong. The formula has a $\sim$ in it and no $=$: a world
# model is a *generator*, and from then on each of the two plays its own game.
#
# **The state** is whatever the future depends on. In `catch` one frame is not enough: it does not show which way the
# ball drifts. Two frames do, so this network gets two. A policy that sees too little plays badly. A world model that
# sees too little invents.
#
# ### No one presses anything
#
# A video generator is often called a world model without actions. In probabilities, it is the mean over all keys that
# might have been pressed:
#
# $$ p(s_{t+1} \mid s_t) = \textstyle\sum_a \, p(a \mid s_t) \; p(s_{t+1} \mid s_t, a) . $$
#
# `arcade-catch` can be both. In training some samples were told no key (the null action). So ask it for the next frame
# without any key. *Before you run on:* the paddle was moving left. What does a model that is not told the key draw?

# %%
NAMES = ("left", "not at all", "right")
batch = arcade_recording("catch", 6_000, "test", window=4).batch(range(200))
frames = batch.clips()[:, :, 1:]  # (200, 3, 3, 32, 32): two to see, and the one that came
seen = read_catch(frames.transpose(1, 2).flatten(0, 1).transpose(0, 1))
places = np.array([one.paddle for one in seen]).reshape(-1, 3)
free = (places[:, 1] >= 2) & (places[:, 1] <= 24)  # away from the edges every key has an effect
before, after = np.sign(np.diff(places[free], axis=1)).T + 1  # 0, 1, 2: which way the paddle went
window, pressed = frames[free, :, :2], batch.actions[free, 1:]
told_nothing = CATCH.model.actions.drop(pressed, torch.ones(len(pressed), dtype=torch.bool))
drawn = {}
for name, told in (("told the key", pressed), ("told nothing", told_nothing)):
    made = read_catch(sample_next(CATCH.model, window, told, 3, generator=seeded(0)).transpose(0, 1))
    ways = [9 if one.paddle is None else np.sign(one.paddle - was) + 1 for one, was in zip(made, places[free, 1])]
    drawn[name] = np.array(ways)


def table(ways):
    """How often the paddle went each way, one row for each way that it came."""
    return np.array([[(ways[before == row] == column).mean() for column in range(3)] for row in range(3)])


figure, axes = plt.subplots(1, 2, figsize=(8.2, 2.7), layout="constrained", sharey=True)
for axis, (ways, title) in zip(axes, ((after, "recorded play"), (drawn["told nothing"], "drawn without a key"))):
    shares = table(ways)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1.3, aspect="auto")
    for (row, column), value in np.ndenumerate(shares):
        axis.text(column, row, f"{value:.0%}", ha="center", va="center")
    axis.set(xticks=range(3), xticklabels=NAMES, yticks=range(3), yticklabels=NAMES, xlabel="in the next frame")
    axis.set_title(title, fontsize=10)
axes[0].set_ylabel("it was moving")
plt.show()
for name, ways in drawn.items():
    print(f"{name}: the paddle goes the recorded way in {(ways == after).mean():.0%} of {free.sum()} frames")

# %% [markdown]
# **What to see.** Told the key, the network is right. Told nothing, it guesses as the recording has it: keys are held
# for a while, so a paddle that moved left mostly goes on to the left. Both are good models, of two different
# questions, and on recorded play their scores are close. So a score on recorded play says little about control. [Lab
# 09.1](../../labs/09_world_models/01_action_conditioned.ipynb) asks one past for all its futures instead.
#
# ### Chance: behind the door
#
# `rooms` is a platformer. Behind its door is a room that no one can foretell. Below, the last moment before a door
# opens, eight next frames from eight noises, and their mean, which is what a network trained by squared error draws.

# %%
for seed in range(20):
    walk = play(Rooms("test"), seed, 200, RoomsScript())
    doors = [t for t, names in enumerate(walk.events) if "door" in names]
    if doors:
        break
t = doors[0]
begin = frames_to_clip(walk.frames[t - 3 : t + 1])[None].repeat(8, 1, 1, 1, 1)  # (8, 3, 4, 64, 64)
pressed = torch.tensor(walk.actions[t - 3 : t + 1])[None].repeat(8, 1)
rooms = sample_next(ROOMS.model, begin, pressed, 3, generator=[seeded(k) for k in range(8)])
mean = rooms.mean(dim=0)
sheet = torch.stack([begin[0, :, -1], frames_to_clip(walk.frames[t + 1 : t + 2])[:, 0], *rooms[:5], mean], dim=1)
labels = ["before the door", "the game", *[f"noise {k}" for k in range(5)], "the mean of eight"]


def named(frames):
    """The part of the tiles that the reader can name."""
    return 1 - np.mean([one.tiles.count(UNKNOWN) / 56 for one in read_rooms(frames.transpose(0, 1))])


print(f"the reader names {named(rooms):.0%} of the tiles in the eight draws, {named(mean[None]):.0%} in their mean")
print(f"{len({one.tiles for one in read_rooms(rooms.transpose(0, 1))})} different rooms in 8 draws")
show.contact_sheet(sheet, columns=4, width=150, labels=labels)

# %% [markdown]
# **What to see.** Each draw decides on a room of its own. The mean decides on none. For everything that follows from
# the past a network trained by squared error would do, and would be faster. One door is enough to make the difference.
#
# ### How long does it last?
#
# From a real past every next frame has a truth to be compared with. A dream has none: after a second it is somewhere
# else. But its *rules* can be checked. Read the state in frame t, set the engine to it, press the same key, and
# compare the engine with frame t + 1. This **one-step rule agreement** is the audit of this phase.
#
# *Before you run on:* the network was trained with Gaussian noise on its past and told how much (**context
# corruption**, from GameNGen). Now it dreams twice, without noise and with some. Which dream keeps the rules longer?

# %%
GAMES, LENGTH = 3, 24
PLAYS = arcade_recording("rooms", 2_000, "test")
begun = PLAYS.windows([(k, 20) for k in range(GAMES)], 4 + LENGTH)
clips, pressed = begun.clips(), begun.actions
dreams, agreement = {}, {}
for level in (0.0, 0.2):
    noise = [seeded(k) for k in range(GAMES)]
    frames = list(rollout(ROOMS.model, clips[:, :, :4], pressed, 2, context_noise=level, generator=noise))
    dreams[level] = torch.cat([clips[:, :, :4], torch.stack(frames, dim=2)], dim=2)
    judged = [rule_agreement(read_rooms(one), keys.tolist()) for one, keys in zip(dreams[level], pressed)]
    agreement[level] = np.stack([one.all for one in judged])[:, 2:]  # steps that lead to a dreamed frame
quarters = {level: [part.mean() for part in np.array_split(found, 4, axis=1)] for level, found in agreement.items()}

figure, axis = plt.subplots(figsize=(7.2, 2.6), layout="constrained")
for shift, (level, colour) in zip((-0.2, 0.2), ((0.0, GREY), (0.2, BLUE))):
    axis.bar(np.arange(4) + shift, quarters[level], width=0.36, color=colour, label=f"noise on the past: {level:g}")
axis.set(xticks=range(4), xticklabels=[f"frames {6 * k + 1}-{6 * k + 6}" for k in range(4)], ylim=(0, 1.2))
axis.set_ylabel("share of steps that\nkeep every rule")
axis.legend(frameon=False, fontsize=9, loc="upper right", ncols=2)
plt.show()
for level, parts in quarters.items():
    print(f"noise {level:g}: " + ", ".join(f"{part:.0%}" for part in parts))

# %% tags=["demo"] draws="The first of these dreams as it moves, beside the game on the same keys."
pair = torch.cat([clips[0], torch.ones(3, 4 + LENGTH, 64, 4) * -1, dreams[0.2][0]], dim=3)
CAPTION = "the game | the dream, every second frame; the first four frames are real"
show.player(pair[:, ::2], FPS / 2, width=300, max_bytes=60_000, caption=CAPTION)

# %% [markdown]
# **What to see.** A step is wrong if anything is: player, tiles, HUD or slime. Errors feed on errors, because a
# network that only ever saw real pasts does not know what to do with a faulty one. Noise on the past makes both look
# alike, at the price of details. With three short games the two bars can come out either way. The card of
# `arcade-rooms` has the numbers over many frames, and what fails (`flipbook zoo arcade-rooms`).
#
# **At real scale.** [GameNGen](https://arxiv.org/abs/2408.14837) does this for Doom with Stable Diffusion 1.4,
# and stays stable for minutes. Oasis (Decart and Etched, 2024) is a diffusion transformer trained with a noise level
# for every frame (Diffusion Forcing), and puts noise on its own past at play. Genie 3 (DeepMind, 2025) keeps a place
# consistent for a few minutes. Drift is what all of them fight. Most such worlds have no engine to compare with, and
# then people judge.
#
# ## Under 50 ms per frame
#
# A film may take an hour per second. A game may not. At 20 frames per second each frame has 50 ms, and everything has
# to fit: read the key, draw, send the picture. Measured now, on this machine, on one core (processor time):

# %%
def milliseconds(call, repeats=3):
    """Median processor time of a call, after one to warm up."""
    call()
    taken = []
    for _ in range(repeats):
        began = time.process_time()
        call()
        taken.append(1000 * (time.process_time() - began))
    return float(np.median(taken))


def one_frame(world, size, num_steps, games=1):
    """A call that draws one frame of each of some games."""
    memory = torch.zeros(games, 3, world.context, size, size)
    buttons = torch.zeros(games, world.context, dtype=torch.long)
    return lambda: sample_next(world.model, memory, buttons, num_steps, generator=seeded(0))


STEPS = (1, 2, 3)
cost = {name: [milliseconds(one_frame(world, size, n)) for n in STEPS]
        for name, world, size in (("arcade-catch", CATCH, 32), ("arcade-rooms", ROOMS, 64))}  # fmt: skip
figure, axis = plt.subplots(figsize=(7.2, 2.7), layout="constrained")
for shift, (name, colour) in zip((-0.2, 0.2), (("arcade-catch", OLIVE), ("arcade-rooms", BLUE))):
    axis.bar(np.arange(3) + shift, cost[name], width=0.36, color=colour, label=name)
for rate in (20, 30, 60):
    axis.axhline(1000 / rate, color=RUST, linewidth=0.9, linestyle="--")
    axis.text(2.62, 1000 / rate, f"{rate} fps", color=RUST, va="center", fontsize=9)
axis.set(xticks=range(3), xticklabels=["1 step", "2 steps", "3 steps"], ylabel="ms per frame", xlim=(-0.5, 2.6))
axis.set_ylim(0, 1.35 * max(50, *cost["arcade-rooms"]))
axis.legend(frameon=False, fontsize=9, loc="upper left", ncols=2)
plt.show()
for name, times in cost.items():
    print(f"{name}: " + ", ".join(f"{n} step{'s' * (n > 1)} {ms:.1f} ms" for n, ms in zip(STEPS, times)))

# %% [markdown]
# The cost is the number of *steps* times the cost of a pass through the network. So the first way to speed is fewer
# steps, and the second a smaller network. What do fewer steps cost? From a real past, the next frame of `rooms`:

# %%
windows = PLAYS.windows([(k % 4, 30 + 20 * k) for k in range(20)], 5)
past, pressed, due = windows.clips()[:, :, :4], windows.actions, windows.clips()[:, :, 4]
true = read_rooms(due.transpose(0, 1))
for n in STEPS:
    made = sample_next(ROOMS.model, past, pressed, n, generator=seeded(0))
    psnr = 10 * torch.log10(4 / (made - due).square().mean())
    readings = read_rooms(made.transpose(0, 1))
    exact = np.mean([a.num_players == 1 and a.player == b.player for a, b in zip(readings, true)])
    print(f"{n} step{'s' if n > 1 else ' '}  PSNR {psnr:.1f} dB, player at the very pixel in {exact:.0%} of the frames")

pass_ms = cost["arcade-rooms"][0]
print(f"\n{'rate':>8}{'per frame':>12}{'without transport':>20}{'passes of arcade-rooms that fit':>34}")
for rate in (12, 20, 30, 60):
    left = 1000 / rate - 4
    print(f"{rate:4} fps{1000 / rate:9.1f} ms{left:17.1f} ms{int(left // pass_ms):34}")

# %% [markdown]
# **What to see.** By PSNR one step does about as well as three. PSNR rewards the mean, and where only one future is
# possible the mean is right. Behind the door it is grey, so a fast model needs few steps *and* sharp draws. That is
# **few-step distillation** (consistency models, DMD), and lab 09.5.
#
# The 4 ms are what a round trip between a server and a browser took when we measured it, through a WebSocket. Through
# a notebook's kernel it was 90 ms: over budget before anything is drawn. Measure the whole way, not only the network.
#
# **Latency is not throughput.** Eight games drawn together:

# %%
together = milliseconds(one_frame(ROOMS, 64, 1, games=8), repeats=1)
print(f"1 game:  a frame after {pass_ms:5.1f} ms, {1000 / pass_ms:4.0f} frames per second in all")
print(f"8 games: a frame after {together:5.1f} ms, {8000 / together:4.0f} frames per second in all")

# %% [markdown]
# A batch makes better use of the processor, and every player waits longer. Training in a dream wants throughput. A
# person wants latency.
#
# **At real scale.** GameNGen takes four denoising steps and reaches 20 frames per second on one TPU. Oasis makes 20 on
# an H100, Genie 3 24 frames per second at 720p. [DIAMOND](https://arxiv.org/abs/2405.12399)'s Counter-Strike runs at
# about 10 on an RTX 3090. Waypoint-1.5 (Overworld, 2026), with 1.2 billion parameters and distilled by its own
# rollouts, is made for 60 on gaming GPUs. Their three means are those of phase 8: fewer steps by distillation, a
# **KV cache** so that a frame of the past is computed once, and an autoencoder so that the network draws few numbers.
#
# ## What you can now say
#
# - A world model is $p(s_{t+1} \mid s_t, a_t)$ in a loop. A video generator is its mean over the keys.
# - Where chance decides, a good one draws one of the futures and not their mean.
# - Dreams have no truth, but rules: read, step the engine, compare.
# - The frame budget is steps × cost of a pass + transport, and 50 ms is little.
#
# Next: [a dream that is no picture](02_dreaming_in_latents.ipynb). To build this page's loop:
# [lab 09.1](../../labs/09_world_models/01_action_conditioned.ipynb).
