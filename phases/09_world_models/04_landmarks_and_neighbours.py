# %% [markdown]
# # Landmarks and neighbours
#
# About 20 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# Genie, GameNGen, GAIA, Cosmos, Oasis: names of the same object, built for players, for cars and for robots. Their
# weights are too large for this page or not public. But three open ones have their classes in diffusers, and what a
# network depends on can be read off a tiny instance with random weights. Then the neighbours: one world model, and
# what reinforcement learning, robotics and multimodal models want of it.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import numpy as np
import torch

from common import show
from common.data.arcade import Catch, arcade_recording
from common.data.arcade.catch import LAST_ROW, CatchScript
from common.data.arcade.players import RandomKeys
from common.evaluation.arcade_reader import read_catch, read_catch_state
from common.models.open_worlds import (
    COSMOS_PARTS,
    TINY,
    camera_path,
    cosmos_reach,
    sana_change,
    skyreels_reach,
    tiny_world,
)
from common.pipelines.world import WorldModel
from common.runtime import limit_threads
from common.streaming.world import push, rollout, sample_next

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 80
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "0.6"
CATCH = WorldModel.from_pretrained("arcade-catch")

# %% [markdown]
# ## Genie, GameNGen, GAIA, Cosmos, Oasis
#
# Collected in **November 2026** from the papers and the makers' pages. Such lists age fast.
#
# | system | year | its world | what is pressed |
# |---|---|---|---|
# | World Models (Ha, Schmidhuber) | 2018 | a car race, a corner of Doom | steering |
# | GAIA-1, GAIA-2 (Wayve) | 2023, 2025 | driving | speed and steering, text, other cars |
# | Genie (DeepMind) | 2024 | platformers from web video | 8 latent actions |
# | GameNGen (Google) | 2024 | Doom | keys |
# | DIAMOND | 2024 | Atari, Counter-Strike | keys, mouse |
# | Oasis (Decart, Etched) | 2024 | a block world | keys, mouse |
# | Genie 2, Genie 3 (DeepMind) | 2024, 2025 | places from a picture or a text | keys, text |
# | Cosmos, Cosmos 3 (NVIDIA) | 2025, 2026 | robots, cars | robot actions, camera, text |
# | SANA-WM (NVIDIA) | 2026 | any place, from one picture | a camera's path |
# | Waypoint-1.5 (Overworld) | 2026 | places to walk in | keys, mouse |
#
# What each is remembered for: **World Models** trained a policy in its dream and took it back to the game. **GAIA-1**
# wrote driving films as a language model writes tokens, **GAIA-2** has several cameras that agree. **Genie** needed no
# recorded key. **GameNGen** ran in real time on one TPU and put noise on its past against drift. **DIAMOND** trained
# agents in dreams of pixels. **Oasis** was a diffusion transformer that anyone could play in the browser, with the
# weights of a smaller one (500 million) open. **Genie 3** reached 24 frames per second and minutes. **Cosmos** is a
# platform to train on, and Cosmos 3 has text, video, sound and actions in one network. **SANA-WM** draws a minute of
# 720p on one GPU. **Waypoint-1.5**, 1.2 billion weights, is open and made for gaming GPUs.
#
# The last column is all that makes these world models and not video models. And each solved the problem of its year:
# a policy, then pictures, then time without drift, then speed, then everything in one.
#
# ### What depends on what
#
# A world that can be played must not look ahead: the next key is not pressed yet. Change one input, and see which
# frames of the answer move. *Before you run on:* SkyReels-V2 has a noise level for every frame (**Diffusion
# Forcing**). Is that alone enough to play it?

# %%
for name in TINY:
    print(f"{name:31} {sum(p.numel() for p in tiny_world(name).parameters()):7,} parameters here")
START, FRAMES = arcade_recording("catch", 500, "test").windows([(0, 40)], 2), 6
actions = torch.tensor([[int(START.actions[0, 0]), *[0] * FRAMES]]).repeat(FRAMES + 1, 1)
for k in range(FRAMES):
    actions[k, 1 + k] = 2  # game k presses "right" at step k; the last game never
played = rollout(CATCH.model, START.clips().repeat(FRAMES + 1, 1, 1, 1, 1), actions, 2,
                 generator=[torch.Generator().manual_seed(0) for _ in range(FRAMES + 1)])  # fmt: skip
played = torch.stack(list(played), dim=2)  # (7, 3, 6, 32, 32)
ours = (played[:-1] - played[-1:]).abs().amax(dim=(1, 3, 4)) > 1e-3
PANELS = {
    "SkyReels-V2, no mask": (skyreels_reach(FRAMES), "frame changed"),
    "SkyReels-V2, blocks of 2": (skyreels_reach(FRAMES, frames_per_block=2), "frame changed"),
    "arcade-catch, played": (ours, "key changed"),
}
figure, axes = plt.subplots(1, 3, figsize=(9.0, 3.0), layout="constrained")
for axis, (name, (moved, what)) in zip(axes, PANELS.items()):
    axis.imshow(moved, cmap="Blues", vmin=0, vmax=1.4)
    axis.set(xlabel="frame of the answer", ylabel=what, xticks=range(FRAMES), yticks=range(FRAMES))
    axis.set_title(name, fontsize=10)
plt.show()

# %% [markdown]
# **What to see.** Blue moved. Without a mask every frame of SkyReels-V2 depends on every other one, later ones too: a
# noise level per frame says how far to trust a frame, not whether to look. With its **block-causal** mask nothing
# looks ahead by more than its block of two frames. Oasis, Waypoint and the streaming models of phase 8 have causal
# masks like it, and a KV cache needs one. `arcade-catch` has no mask. It draws one frame at a time, so there is
# nothing ahead.
#
# ### How the keys get in
#
# `arcade-catch` adds a vector per key to the signal that scales and shifts its blocks. SANA-WM has no keys. Its
# pipeline turns a string of them into a **camera's path**, and the path into a ray for every patch of every frame:

# %%
STRINGS = ("w-32", "w-16,wl-16", "w-8,d-8,wl-16")
figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 2.9), layout="constrained")
for keys, colour in zip(STRINGS, (GREY, BLUE, RUST)):
    x, _, z = camera_path(keys)[:, :3, 3].T
    left.plot(x, z, color=colour, marker="o", markersize=2.5, label=keys)
left.set(xlabel="to the right", ylabel="forward", title="the camera's way, seen from above")
left.legend(frameon=False, fontsize=8)
for shift, keys, colour in ((-0.2, STRINGS[1], BLUE), (0.2, STRINGS[2], RUST)):
    right.bar(np.arange(5) + shift, sana_change(STRINGS[0], keys), width=0.36, color=colour, label=keys)
right.set(xticks=range(5), xticklabels=["0", "1-8", "9-16", "17-24", "25-32"], xlabel="frames in this latent")
right.set_title(f"change of SANA-WM's answer against {STRINGS[0]}", fontsize=10)
right.legend(frameon=False, fontsize=8)
plt.show()

# %% [markdown]
# **What to see.** The answer changes most from the latent on in which the keys differ. A little also changes before:
# this release is bidirectional, it draws a minute at once and is steered before it starts. With the published weights
# in a folder, on a large GPU: `SanaWMPipeline.from_pretrained(folder)(image, prompt, action="w-80,jw-40")`.
#
# A camera is one kind of action, and the only one that is in every video. What it cannot say is "jump", "open the
# door", "grip".
#
# ## Where it meets reinforcement learning, robotics and multimodal models
#
# **Reinforcement learning** wants an environment. A dream never breaks, is never late, and can begin anywhere. The
# question is whether it is *true* enough. A cheap and telling test is policy evaluation: take policies of different
# skill, let each play in the dream and in the game, and compare. *Before you run on:* will the dream flatter the bad
# players, the good ones, or no one?

# %%
class Sometimes:
    """For each new ball decides by chance: play well, or press random keys."""

    def __init__(self, skill, seed):
        self.skill, self.dice = skill, torch.Generator().manual_seed(seed)
        self.script, self.keys, self.height, self.good = CatchScript(), RandomKeys(3), 99, False
        self.keys.reset(seed)

    def __call__(self, state):
        if state is None:  # the reader sees no ball or no paddle
            return self.keys(None)
        if state.ball_y < self.height:
            self.good = torch.rand((), generator=self.dice).item() < self.skill
        self.height = state.ball_y
        return self.script(state) if self.good else self.keys(state)


SKILLS, GAMES, LENGTH = (0.0, 0.25, 0.5, 0.75, 1.0), 7, 82
players = [Sometimes(skill, 100 * k + game) for k, skill in enumerate(SKILLS) for game in range(GAMES)]
plays = arcade_recording("catch", 500 * GAMES, "test")
begin = plays.windows([(game, 3) for _ in SKILLS for game in range(GAMES)], 2)
past, pressed = begin.clips(), begin.actions[:, :1]
readings = [list(read_catch(clip)) for clip in past]
noise = [torch.Generator().manual_seed(k) for k in range(len(players))]
in_dream, ended, film = [[] for _ in SKILLS], [False] * len(players), []
for _ in range(LENGTH):
    states = [read_catch_state(seen[-1], seen[-2]) for seen in readings]
    for k, state in enumerate(states):
        lands = state is not None and state.ball_y == LAST_ROW
        if lands and not ended[k]:
            in_dream[k // GAMES].append(1 if state.caught else -1)
        ended[k] = lands
    keys = torch.tensor([[player(state)] for player, state in zip(players, states)])
    pressed = torch.cat([pressed, keys], dim=1)[:, -2:]
    frame = sample_next(CATCH.model, past, pressed, 2, context_noise=0.2, generator=noise)
    past = push(past, frame)
    film.append(frame[[GAMES, 2 * GAMES, -1]])
    for seen, reading in zip(readings, read_catch(frame.transpose(0, 1))):
        seen.append(reading)

in_game = [[] for _ in SKILLS]
for k, skill in enumerate(SKILLS):
    for seed in range(12):
        game, player = Catch("test"), Sometimes(skill, seed)
        game.reset(seed)
        for _ in range(300):
            in_game[k] += [{"catch": 1, "miss": -1}[event] for event in game.step(player(game.state()))]

figure, axis = plt.subplots(figsize=(4.6, 3.6), layout="constrained")
axis.plot([-1, 1], [-1, 1], color=GREY, linestyle=":")
for skill, real, dreamt in zip(SKILLS, in_game, in_dream):
    wide = 1.96 * np.std(dreamt) / len(dreamt) ** 0.5
    axis.errorbar(np.mean(real), np.mean(dreamt), yerr=wide, color=BLUE, marker="o", capsize=3)
    axis.annotate(f"{skill:.0%}", (np.mean(real), np.mean(dreamt)), (6, -10), textcoords="offset points", fontsize=9)
axis.set(xlabel="return per ball in the game", ylabel="in the dream", xlim=(-1.1, 1.15), ylim=(-1.1, 1.15))
axis.set_title("Policies by their share of balls played well", fontsize=10)
plt.show()
for skill, real, dreamt in zip(SKILLS, in_game, in_dream):
    print(f"{skill:4.0%} played well: {np.mean(real):+.2f} in the game ({len(real)} balls), "
          f"{np.mean(dreamt):+.2f} in the dream ({len(dreamt)})")  # fmt: skip

# %% tags=["demo"] draws="Three of the policies at play in the dream: 25 %, 50 % and 100 % of the balls played well."
rows = torch.stack(film, dim=2)  # (3, 3, T, 32, 32)
gap = torch.ones(3, LENGTH, 32, 3)
row = torch.cat([rows[0], gap, rows[1], gap, rows[2]], dim=3)
CAPTION = "25 % | 50 % | 100 %: dreams, no engine behind them (every second frame)"
show.player(row[:, 26::2], 8, width=420, max_bytes=60_000, caption=CAPTION)

# %% [markdown]
# **What to see.** The dream puts the policies in the right order, within the width of its few balls, and the dots lie
# near the diagonal. None of these policies was *trained* in the dream, though. One that is will look for its mistakes:
# a place where a ball fades counts as no miss. So a dream is a better judge of policies than it is a teacher, and a
# policy from a dream is tested in the game.
#
# **Robotics** has the same wish and more reason: a real arm is slow, breaks, and needs someone beside it. Driving
# models (GAIA) and Cosmos are made to train and to judge policies for cars and arms. There is no reader with exact
# rules for a kitchen, and contact (does the cup tip over?) is just what video models are worst at. So the dream's
# verdict is compared with a few real trials, as above.
#
# **Multimodal models** want one network for all of it. Cosmos 3 has text, video, actions and sound in one sequence. So
# one set of weights answers three questions, depending on what is given and what is noise:
#
# | given | asked for | its name | on these pages |
# |---|---|---|---|
# | frames, actions | next frames | `forward_dynamics` | a world model: [page 1](01_the_loop.ipynb) |
# | frames | the actions between | `inverse_dynamics` | an encoder: [page 3](03_actions_no_one_recorded.ipynb) |
# | a frame, a task in words | actions, frames | `policy` | a player: [page 2](02_dreaming_in_latents.ipynb) |
#
# In a tiny instance: change one kind of input, see which answers move.

# %%
reach = cosmos_reach()
figure, axis = plt.subplots(figsize=(4.6, 2.6), layout="constrained")
axis.imshow(reach, cmap="Blues", vmin=0, vmax=1.6, aspect="auto")
for (row, column), moved in np.ndenumerate(reach.numpy()):
    axis.text(column, row, "moves" if moved else "stays", ha="center", va="center", fontsize=9)
axis.set_xticks(range(3), ["video", "actions", "sound"])
axis.set_yticks(range(4), COSMOS_PARTS)
axis.set(ylabel="input changed", xlabel="answer")
axis.set_title("Cosmos 3, two layers, random weights", fontsize=10)
plt.show()

# %% [markdown]
# **What to see.** Everything reaches everything, as one attention over one sequence implies. The sound depends on the
# action: a world in which a dropped cup is seen *and* heard to fall. With weights on the machine, the same three tasks
# are one call:
#
# ```python
# from diffusers import Cosmos3OmniPipeline
# from diffusers.pipelines.cosmos.pipeline_cosmos3_omni import CosmosActionCondition
#
# pipe = Cosmos3OmniPipeline.from_pretrained(folder)  # Nano: 8 + 8 billion weights
# task = CosmosActionCondition(
#     mode="forward_dynamics", chunk_size=16, domain_name="pusht", image=frame, raw_actions=moves
# )
# clip = pipe(prompt, action=task)
# ```
#
# ## What you can now say
#
# - The landmarks differ in what is pressed, and each in the problem that it solved first.
# - Playable means causal: by a mask, or by drawing one frame at a time.
# - Actions come in as embeddings, as camera paths or as tokens.
# - A dream can rank policies. Trust it as far as it was compared with real trials.
# - World model, inverse dynamics and policy are three conditionals of one joint distribution.
