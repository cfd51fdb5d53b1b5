# %% [markdown]
# # Lab 09.2 · GameNGen in small
#
# **What you will have at the end:** a platformer with no game in it. A network draws the next frame from the last four
# and your keys. You play it in the browser while the rules of the real game audit every frame. Then it learns a game of
# your own.
#
# | | |
# |---|---|
# | time | about 80 minutes |
# | difficulty | ★★★★★ |
# | before this | [09.1](01_action_conditioned.ipynb) |
# | the game | `rooms`: 64×64 pixels, six keys; gravity, bricks, coins, a key, a door, a slime, a HUD |
#
# | preset | frames `(H, W)`, past | frames of a dream | your own game trains for | all cells take about |
# |---|---|---|---|---|
# | `ci` | (64, 64), 4 | 12 | 4 steps | 20 s |
# | `cpu` (default) | (64, 64), 4 | 48 | 240 steps | 4 min |
# | `gpu` | (64, 64), 4 | 200 | 3000 steps | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import json
import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
from diffusers.utils.torch_utils import randn_tensor
from einops import rearrange

from common import show
from common.course import check, paths
from common.data.arcade import Rooms, arcade_recording, mixed_player, play, record
from common.data.arcade import tiles as look
from common.data.arcade.dice import Dice
from common.data.arcade.players import Mixed, RandomKeys
from common.data.arcade.rooms import WALK
from common.diffusion import edm_loss
from common.diffusion.paths import add_noise, beside, edm_level
from common.evaluation.arcade_reader import RoomsReading, read_rooms, read_state
from common.evaluation.arcade_rules import PARTS, RuleAgreement, judge_new_room, judge_step
from common.models.world_unet import WorldUNet
from common.pipelines.world import WorldModel
from common.play import play as play_here
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.show.curves import draw_curves
from common.streaming.world import Generators, denoise, push, quantize, world_sigmas
from common.zoo.arcade_rooms.measures import dream
from common.zoo.arcade_rooms.study import samplers
from common.zoo.arcade_rooms.trials import begin, clip_of, doors, draw_verdicts, next_of, script_plays, told_and_untold

limit_threads()
plt.rcParams["figure.dpi"] = 65
DREAM, OWN_STEPS, BATCH = {"ci": (12, 4, 4), "cpu": (48, 240, 16), "gpu": (200, 3000, 64)}[preset()]


def seed(number):
    return torch.Generator().manual_seed(number)


def playing(rows):
    """Clips side by side, each `(3, T, H, W)`, in a loop."""
    row, size = torch.cat(list(rows.values()), dim=3), 1 + len(rows)
    return show.player(row, 15, width=160 * len(rows), max_bytes=14_000 * size, caption=" | ".join(rows))


# %% [markdown]
# ## Where you are heading
#
# The course's world model, `arcade-rooms`. Four real frames begin. After them, every frame is its own. A scripted
# player looks at the pixels and presses the keys.

# %% tags=["demo"] draws="Four frames of the game, then a dream."
TEST = arcade_recording("rooms", 4_000, "test")
WORLD = WorldModel.from_pretrained("arcade-rooms")  # in bfloat16, where the processor has it
NET = WORLD.model
dreamed = {"a dream of rooms": clip_of(script_plays(begin(WORLD, TEST, 0, 100), DREAM))}
display(playing(dreamed))
show.strips(dreamed, num_frames=5, width=64)

# %% [markdown]
# **A prediction.** Let such a dream run for 1,000 frames, about a minute. What breaks first: the walls, the coins in
# the HUD, the player, or the slime? And why that? Write it down. You will measure it.

# %% [markdown] about="corrupt_context" difficulty=1 importance=5 minutes=5
# ## Context corruption, against drift
#
# In training, the past is real. At play it is the model's own, with small mistakes in it, and they add up. **GameNGen**
# spoils the past on purpose in training, and tells the model by how much:
#
# $$ \tilde x = x_{t-K+1 \ldots t} + \lambda\,\epsilon, \quad \epsilon \sim \mathcal N(0, I), \qquad
# x_{t+1} \sim p_\theta(x_{t+1} \mid \tilde x, a, \lambda) . $$
#
# So it learns to repair what it reads. $\lambda$ is drawn anew for every sample.

# %% exercise="corrupt_context" from="common.streaming.world:corrupt_context"

# %% check="corrupt_context"

# %% [markdown] hints="corrupt_context"
# 1. A sum. The level has one axis, the frames have five.
# 2. `level[:, None, None, None, None]` gives it the others. `beside(level, frames)` does the same.
# 3. `return frames + beside(level, frames) * eps`.

# %% [markdown] troubles="corrupt_context"
# - **The check says that inputs were changed.** `+=` writes into the frames. Make a new tensor.

# %% [markdown]
# Does the model use what it is told? Spoil real pasts, and tell it the true level, or "no noise".

# %% tags=["demo"] draws="One past at four levels; the next frame's PSNR, told the level and not told."
windows, levels = TEST.windows([(k, 40 + 30 * k) for k in range(8)], 5), (0.0, 0.2, 0.4, 0.7)
past = windows.clips()[:, :, :4]
eps = torch.randn(past.shape, generator=seed(0))
rows = {f"level {level}": corrupt_context(past, torch.full((8,), level), eps)[0].clamp(-1, 1) for level in levels}
display(show.strips(rows, num_frames=2, width=64))
told = told_and_untold(NET, windows.clips(), windows.actions, levels, corrupt_context)
draw_curves({name: (levels, values) for name, values in told.items()}, "The next frame, from a spoilt past",
            size=(6, 2.4), xlabel="level of the noise on the past, λ", ylabel="PSNR (dB)")  # fmt: skip

# %% [markdown]
# **What to see.** Where the curves part, the model trusts a past as far as it is told to. Where they do not, it sees
# the level by itself: nothing shows noise like a flat wall.

# %% [markdown] about="sample_next" difficulty=3 importance=5 minutes=15
# ## The next frame, in few steps
#
# `denoise` is EDM's $D$ of lab 09.1, around the shipped network. Noise becomes a frame along $dx/d\sigma = (x - D(x;
# \sigma)) / \sigma$, by Euler's steps. A player waits for each one, so there are only two or three, at the noise levels
# of Karras et al., with $\rho = 7$. `world_sigmas` gives them:
#
# $$ \sigma_i = \Bigl(\sigma_\text{max}^{1/\rho} + \tfrac{i}{n}\,\bigl(\sigma_\text{min}^{1/\rho} -
# \sigma_\text{max}^{1/\rho}\bigr)\Bigr)^{\rho}, \quad i < n, \qquad \sigma_n = 0 . $$
#
# What is shown is also what is remembered, so the frame is rounded to pixels that exist: `quantize`.

# %% exercise="sample_next" from="common.streaming.world:sample_next"

# %% check="sample_next"

# %% [markdown] hints="sample_next"
# 1. Three parts: spoil the past, walk down the levels, round. The level is told in every call, also where it is 0.
# 2. `level = past.new_full((len(past),), context_noise)`. The noise is `randn_tensor(past.shape, generator,
#    past.device, past.dtype)`. Draw eps after it. Walk `for sigma, after in pairwise(sigmas)`, from `sigmas[0] * eps`.
# 3. In the loop: `x0 = denoise(model, x, sigma.expand(len(x)), past, actions, level)`, then `x = x + (after - sigma) *
#    (x - x0) / sigma`. In the end `return quantize(x)`.

# %% [markdown] troubles="sample_next"
# - **With a seed the answer is another one.** The noise on the past is drawn first. Where there is none, draw none.
# - **The frame should be float32.** A sampler's state is float32, whatever the past is.

# %% [markdown]
# When are few steps too few? Where the future is open. Here a door opens, and behind it is any room.

# %% tags=["demo"] draws="Three doors: the frame before, and the frame behind in one, three and eight steps."
behind = TEST.windows(doors(TEST, 5, 3), 5)
past, columns = behind.clips()[:, :, :4], {"before": behind.clips()[:, :, 3]}
with torch.no_grad():
    for steps in (1, 3, 8):
        columns[f"{steps} step(s)"] = sample_next(NET, past, behind.actions, steps, generator=seed(0))
columns["the game's"] = behind.clips()[:, :, 4]
show.strips({name: x.transpose(0, 1) for name, x in columns.items()}, width=64)

# %% [markdown]
# **What to see.** One step from noise gives nearly the mean of all rooms: punished by squares, a model learns to be
# grey. Each further step settles more of it. No one knows which room comes, so the game's is only one of many.

# %% [markdown] about="rollout" difficulty=2 importance=5 minutes=8
# ## The rollout: its own past
#
# Free running is a loop around `sample_next`. The last K frames are a ring buffer: the newest comes in, the oldest goes
# (`push`). The noise on the past stays on at play. It hides small mistakes before the model can build on them.

# %% exercise="rollout" from="common.streaming.world:rollout"

# %% check="rollout"

# %% [markdown] hints="rollout"
# 1. With K = 4 and 6 actions there are 3 frames. Which four actions belong to the first of them?
# 2. Frame n is made with actions n … n + K - 1. `actions.unfold(1, K, 1).unbind(dim=1)` gives these windows.
# 3. In the loop: `frame = sample_next(model, past, window, num_steps, context_noise=…, generator=…)`, `yield frame`,
#    `past = push(past, frame)`.

# %% [markdown]
# A recorded play's keys steer your rollout, with and without noise on the past.

# %% tags=["demo"] draws="The game, and your rollout with the same keys."
there = TEST.windows([(2, 60)], DREAM + 4)
rows = {"the game": there.clips()[0, :, 4:]}
with torch.no_grad():
    for level in (0.2, 0.0):
        frames = rollout(NET, there.clips()[:, :, :4], there.actions, 3, context_noise=level, generator=seed(0))
        rows[f"your rollout, noise {level}"] = torch.cat(list(frames)).transpose(0, 1)
display(playing(rows))
show.strips(rows, num_frames=5, width=64)

# %% [markdown]
# **What to see.** At first all three agree. Later a dream may go its own way, and yet be a perfectly good game. PSNR
# would call it wrong from then on. It needs another judge.

# %% [markdown] about="rule_agreement" difficulty=4 importance=5 minutes=15
# ## One-step rule agreement
#
# The game itself is the judge. Read the state in frame t, set the engine to it, press the same key, and compare with
# what is read in frame t + 1. One mistake costs a frame or two, and then it is forgotten.
#
# | given to you | what it does |
# |---|---|
# | `read_rooms(clip)` | a `RoomsReading` per frame: player, tiles, HUD, slime, from pixels |
# | `read_state(now, before)` | the engine's state in frame `now`, or None without a player |
# | `Rooms().set_state(state)`, `.step(action)`, `.state()` | the engine; `step` gives the names of the events |
# | `judge_step(was, due, seen)` | four bools, as in `PARTS`: player, tiles, HUD, slime |
# | `judge_new_room(was, due, seen)` | likewise behind a door, where any whole room is right |

# %% exercise="rule_agreement" from="common.evaluation.arcade_rules:rule_agreement"

# %% check="rule_agreement"

# %% [markdown] hints="rule_agreement"
# 1. Three readings in a row make one verdict: the middle one is the state, the first gives it a velocity, and the last
#    is judged. Which action is pressed in the middle one?
# 2. `zip(readings, readings[1:], readings[2:], actions[1:])` gives before, now, then and action. Keep a list of
#    verdicts and a list of events.
# 3. `game.set_state(state)`, `events.append(game.step(action))`, and one of the judges with `(state, game.state(),
#    then)`. In the end `RuleAgreement(*np.array(steps, dtype=bool).T, events=tuple(events))`.

# %% [markdown] troubles="rule_agreement"
# - **Nothing agrees while the player jumps.** Without the frame before, a state has no velocity.
# - **Doors are always wrong.** The engine's new room is another one than the dream's. Ask the other judge.

# %% [markdown]
# Try the judge where the truth is known: a play of the game, and the same with faults that a dream may have.

# %% tags=["demo"] draws="A play of the game and three faulty ones, judged step by step."
true = play(Rooms("test"), 3, 70, mixed_player("rooms"))
stuck, bricked, keys = true.frames.copy(), true.frames.copy(), true.actions.tolist()
stuck[30:34], bricked[45, 8:16, 8:16] = stuck[29], look.PALETTE[look.TILES[look.BRICK]]
cases = {"the game": true.frames, "four frames stand still": stuck, "a brick too many in one frame": bricked}
judged = {name: rule_agreement(read_rooms(clip_of(frames)), keys) for name, frames in cases.items()}
judged["keys off by one"] = rule_agreement(read_rooms(clip_of(true.frames)), [0, *keys[:-1]])
draw_verdicts(judged)

# %% [markdown]
# **What to see.** Green is a frame that follows from the one before. A fault is red where it begins and where it ends.
# Keys off by one are red whenever the key changes, and a jump makes that worse.

# %% [markdown] about="WorldSession" difficulty=3 importance=5 minutes=10
# ## The session: one key in, one frame out
#
# A browser cannot hand you all keys in advance. So the loop is turned inside out: a session keeps the past, and each
# `step(action)` moves it by one frame. It is all that the player page calls.

# %% exercise="WorldSession" from="common.pipelines.world:WorldSession" blank="step"

# %% check="WorldSession"

# %% [markdown] hints="WorldSession"
# 1. It is one turn of your rollout's loop, with the past kept in `self`. When may `self` change at the earliest?
# 2. `actions = [*self.actions, self.world.checked(action)]` are K. The network wants them as int64 `(1, K)`.
# 3. `frame = sample_next(self.world.model, self.past, torch.tensor([actions], device=…), self.num_steps,
#    context_noise=self.context_noise, generator=self.generator)`. Then `self.past = push(self.past, frame)`,
#    `self.actions = actions[1:]`, and `return self.frame`.

# %% [markdown] troubles="WorldSession"
# - **After a wrong key the next frame differs.** Check the action before anything else happens.

# %% [markdown]
# Now sampler, loop and judge are yours. Below, your session is played, and the clock runs.

# %% tags=["demo"] draws="Your session, with a few keys, and the frames per second on this machine."
first = TEST.windows([(1, 20)], 4)
past, pressed = first.clips(), first.actions[0].tolist()
mine = WorldSession(WORLD, past, pressed, seed=0, num_steps=3, context_noise=0.2)
moves, began = ([5] * 8 + [2] * 6 + [4] * 8 + [1] * 6 + [3] * 8)[:DREAM], time.process_time()
shown = [mine.frame, *[mine.step(action) for action in moves]]
print(f"{len(moves) / (time.process_time() - began):.0f} frames per second of one core, at 3 steps per frame")
playing({"your session": clip_of(shown)})

# %% [markdown]
# **Play it.** In a terminal: `flipbook play rooms --mine`. The engine runs beside the dream (key E), and your judge
# counts as you go. Here in the notebook, with the library's parts:

# %%
PLAY = False  # True opens the player below this cell

if PLAY:
    display(play_here("rooms"))

# %% [markdown]
# ## The result to remember: what holds a dream together
#
# Dreams with one thing changed in each, before your judge. *Three steps* in place of one. *No noise on the past*, at
# play. *Frozen past*: it sees the first four frames for ever. *Shuffled keys*: it is told another game's. No model at
# all is in *the game itself* and *last frame again*.

# %% tags=["demo"] draws="Seven arms, judged on short dreams."
arms, plays = samplers(), record(Rooms("test"), mixed_player("rooms"), 2, 5, progress=False)
arms["as shipped"] = sample_next  # yours
print(f"{f'two games of {DREAM} frames':26}" + "".join(f"{part:>9}" for part in (*PARTS, "all")))
for name, sampler in arms.items():
    judged = [rule_agreement(d.readings, d.actions) for d in dream(NET, plays, 2, DREAM, sampler=sampler)]
    print(f"{name:26}" + "".join(f"{np.mean([j.rate(part) for j in judged]):9.0%}" for part in (*PARTS, "all")))

# %% [markdown]
# And the long run, from the course's record: the same arms under the same judge.

# %% tags=["demo"] draws="Agreement with the rules against time, and part by part."
study = json.loads((paths.find_lab("09.2").tests.parent / "calibration" / "02_gamengen_mini.json").read_text())
print(f"{study['num_games']} games of {study['num_frames']} frames per arm")
lines = {name: arm["curve"]["all"] for name, arm in study["arms"].items()}
parts = {part: study["arms"]["as shipped"]["curve"][part] for part in PARTS}
for title, values in (("Every arm, all parts together", lines), ("arcade-rooms, part by part", parts)):
    curves = {name: (study["width"] * (np.arange(len(row)) + 0.5), row) for name, row in values.items()}
    look_of = {"size": (9, 3), "marker": None, "colors": [f"C{k}" for k in range(len(curves))]}
    look_of |= {"legend": "center right", "xlim": (0, 1.4 * study["num_frames"])}
    display(draw_curves(curves, title, **look_of, xlabel="frame", ylabel="steps that obey"))
for name, arm in [(name, study["arms"][name]) for name in ("as shipped", "last frame again")]:
    print(f"{name}: one player at the end in {arm['present_end']:.0%} of the games; changes of the HUD "
          f"by the rules: {arm['num_hud_events']:.0f}, in the dream too: {arm['rule_hud_events']:.0%}")  # fmt: skip

# %% [markdown]
# **What to see.** *Last frame again* keeps its walls for ever and plays no game: nothing moves, so nothing happens.
# Read a rate beside its baselines, and look at what *happens*: coins taken, doors opened. Was your prediction right?
#
# ## Your own game
#
# What people ask first: can it learn *my* game? Here is one in 30 lines. Coins fall, and the player catches them. It
# looks and walks as in `rooms`, so the shipped weights know half of it. No key jumps here: that they must unlearn.
# **Change a rule, then run on.**


# %%
class Rain:
    """Coins fall from the sky; the player runs below and catches them. The eighth empties the row."""

    name, actions, palette = "rain", Rooms.actions, look.PALETTE

    def reset(self, seed):
        self.dice, self.x, self.caught = Dice(seed, 7), 29, 0
        self.column, self.y = self.dice.below(8), 8

    def step(self, action):
        self.x, self.y = min(max(self.x + WALK[action], 0), 58), self.y + 2
        caught = self.y > 40 and abs(8 * self.column + 1 - self.x) < 7
        if caught or self.y > 46:
            self.caught = (self.caught + caught) % 8
            self.column, self.y = self.dice.below(8), 8
        return ("coin",) if caught else ()

    def painting(self):
        hud = [look.NO_KEY] + [look.HAS_COIN] * self.caught + [look.NO_COIN] * (7 - self.caught)
        tiles = np.array([hud, *[[look.EMPTY] * 8] * 6, [look.BRICK] * 8])
        picture = look.TILES[tiles].swapaxes(1, 2).reshape(64, 64)
        picture[self.y : self.y + 8, 8 * self.column : 8 * self.column + 8] = look.TILES[look.COIN]
        np.copyto(picture[49:56, self.x : self.x + 6], look.PLAYER_PAINTING, where=look.PLAYER_MASK)
        return picture

    def frame(self):
        return look.PALETTE[self.painting()]

    def state(self):
        return self.x, self.column, self.y, self.caught, self.dice.state

    def set_state(self, state):
        self.x, self.column, self.y, self.caught, self.dice.state = state


def catcher(state):
    """A player that runs below the coin."""
    x, column = state[:2]
    return 1 if x > 8 * column + 2 else 2 if x < 8 * column else 0


# %% [markdown]
# Data from that player and from random keys, then training from `arcade-rooms`: EDM's loss, your corruption, the level
# told.

# %%
both = Mixed(catcher, RandomKeys(6))
DATA = record(Rain(), both, max(4, OWN_STEPS // 4), 120)
HELD_OUT = record(Rain(), both, 8, 60, first=10_000, progress=False)
OWN = WorldUNet.from_pretrained("arcade-rooms").train()
optimizer, draws = torch.optim.AdamW(OWN.parameters(), lr=1e-3, betas=(0.9, 0.95)), seed(0)
for step in progress_bar(range(OWN_STEPS), desc="your own game", unit="step"):
    batch = DATA.batch(range(BATCH * step, BATCH * step + BATCH))  # five frames, four actions
    seen, target = batch.clips()[:, :, :4], batch.clips()[:, :, 4]
    level = 0.3 * torch.rand(BATCH, generator=draws)
    seen = corrupt_context(seen, level, torch.randn(seen.shape, generator=draws))
    sigma = (0.5 + 1.4 * torch.randn(BATCH, generator=draws)).exp()
    estimate = partial(denoise, OWN, past=seen, actions=batch.actions, context_noise=level)
    loss = edm_loss(estimate, target, torch.randn(target.shape, generator=draws), sigma, OWN.config.sigma_data).mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(OWN.parameters(), 1.0)
    optimizer.param_groups[0]["lr"] = 1e-3 * min(1, (step + 1) / 10) * (1 - step / OWN_STEPS)
    optimizer.step()
    optimizer.zero_grad()
OWN = OWN.eval().requires_grad_(False)

# %% tags=["demo"] draws="The next frame of your game, before and after; the game and a dream of it."
places = [(n % 8, 5 + 6 * (n // 8) + n) for n in range(16)]
for name, net in (("arcade-rooms as it is", NET), (f"after {OWN_STEPS} steps", OWN)):
    level, exact = next_of(net, HELD_OUT, places, sample_next)
    print(f"{name:24}{level:6.1f} dB, player at the very pixel in {exact:.0%}")
there = HELD_OUT.windows([(0, 0)], min(DREAM + 4, 60))
frames = rollout(OWN, there.clips()[:, :, :4], there.actions, 2, context_noise=0.2, generator=seed(0))
rows = {"your game": there.clips()[0, :, 4:], "the dream of it": torch.cat(list(frames)).transpose(0, 1)}
display(playing(rows))
show.strips(rows, num_frames=5, width=64)

# %% [markdown]
# **What to see.** At `ci`, four steps only prove that it runs. At `cpu`, compare the two lines: that no key jumps and
# that a coin falls is new to it. **Play it**: `play_here(WorldModel(OWN), game=Rain)`.
#
# ## Try it
#
# The player's two sliders, `STEPS` and `NOISE`, and keys of your own:

# %%
STEPS, NOISE, KEYS = 2, 0.4, [2] * 6 + [5] * 4 + [1] * 6

trial = WorldSession(WORLD, past, pressed, seed=1, num_steps=STEPS, context_noise=NOISE)
playing({f"{STEPS} steps, noise {NOISE}": clip_of([trial.frame, *[trial.step(key) for key in KEYS]])})

# %% [markdown] tags=["folded"]
# ## Going further
#
# - **GameNGen** (arXiv:2408.14837): Stable Diffusion 1.4 plays Doom, from 64 past frames with noise up to level 0.7.
# - **DIAMOND** (arXiv:2405.12399): EDM and three steps, as here. Its `src/play.py` fetches the weights.
# - **Oasis** and **Waypoint** are transformers with a KV cache. If that cache holds clean frames, they drift.
#
# **An ablation to run.** `flipbook train arcade-rooms --stage clean` goes on without noise on the past, and `squared`
# with squared error in place of diffusion. `common.zoo.arcade_rooms.study` judges both as `twins`.
#
# ## Honest limits
#
# - Four frames are all its memory. It knows that you have the key because the HUD shows it.
# - The judge needs an engine and an exact reader. No one has those for a street.
# - What these weights can do and where they fail is on the card of `arcade-rooms`.
#
# ## Yours now
#
# `flipbook play rooms --mine` runs your sampler, corruption, judge and session, and the blocks of lab 09.1.
#
# **Next:** 09.5, the same at 60 frames per second. **To read:** *GameNGen*, *DIAMOND*, *EDM* (arXiv:2206.00364).
