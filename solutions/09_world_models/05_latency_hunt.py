# %% [markdown]
# # Lab 09.5 · Real-time latency hunt
#
# **What you will have at the end:** the world of lab 09.2 in one step per frame, with all that is constant computed
# once, and sharp where one step of its teacher is grey. You will know where each millisecond went, and what it was
# worth.
#
# | | |
# |---|---|
# | time | about 70 minutes |
# | difficulty | ★★★★ |
# | before this | [09.2](02_gamengen_mini.ipynb) |
# | the game | `rooms`: 64×64 pixels, six keys |
#
# | preset | frames `(H, W)`, past | timed frames per arm | distillation in the lab | all cells take about |
# |---|---|---|---|---|
# | `ci` | (64, 64), 4 | 5 | 2 steps of 8 | 20 s |
# | `cpu` (default) | (64, 64), 4 | 30 | 100 steps of 16 | 4 min |
# | `gpu` | (64, 64), 4 | 30 | 1000 steps of 32 | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import json
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from common import show
from common.course import check, paths
from common.data.arcade import arcade_recording
from common.diffusion.consistency import HUBER, beside_truth, teacher_jump
from common.evaluation.latency import Latency, Pacing
from common.evaluation.sweep import pareto_front
from common.models.world_unet import WorldUNet
from common.pipelines.world import WorldModel
from common.runtime import limit_threads, preset
from common.show.curves import draw_curves
from common.streaming.world import corrupt_context, denoise, push, sample_next, world_sigmas
from common.training.short_run import short_run
from common.zoo.arcade_rooms_fast import study
from common.zoo.arcade_rooms_fast.measures import door_windows, draw_next, room_quality
from common.zoo.arcade_rooms_fast.windows import DoorWindows, opens

limit_threads()
plt.rcParams["figure.dpi"] = 70
ROUNDS, STEPS, BATCH, DOORS, DREAM = {
    "ci": (5, 2, 8, 6, 12), "cpu": (30, 100, 16, 48, 40), "gpu": (30, 1000, 32, 96, 80)}[preset()]  # fmt: skip
MEASURES = ("tiles", "whole", "player", "slime", "sharpness")


def seed(number):
    return torch.Generator().manual_seed(number)


def playing(rows, fps=10):
    """Clips side by side, each `(3, T, H, W)`, in a loop."""
    row = torch.cat(list(rows.values()), dim=3)
    return show.player(row, fps, width=160 * len(rows), max_bytes=14_000 * (1 + len(rows)), caption=" | ".join(rows))


def strips(rows):
    """Rows of pictures by name, each `(N, 3, H, W)`."""
    return show.strips({name: pictures.transpose(0, 1) for name, pictures in rows.items()}, width=64)


def table(rows, columns, width=32):
    """Rows of parts, 0 to 1, by name; `columns` is key -> heading."""
    print(" " * width + "".join(f"{word:>11}" for word in columns.values()))
    for name, row in rows.items():
        print(f"{name:{width}}" + "".join(f"{row[key]:11.0%}" if key in row else f"{'':11}" for key in columns))


# %% [markdown]
# ## Where you are heading
#
# A player walks through a door. No one can know which room is behind it. `arcade-rooms`, in one step per frame, draws
# the mean of all rooms, and needs some frames to make up its mind. Your student draws a room. It takes one step, too.

# %% tags=["demo"] draws="Through a door: the teacher, the student, and three more doors."
TEACHER = WorldUNet.from_pretrained("arcade-rooms").eval().requires_grad_(False)
STUDENT = WorldUNet.from_pretrained("arcade-rooms-fast").eval().requires_grad_(False)
BEHIND = door_windows(DOORS)  # four frames, the keys, and the game's own frame behind the door
WORLD, FAST = WorldModel.from_pretrained("arcade-rooms"), WorldModel.from_pretrained("arcade-rooms-fast", folded=True)
walks = {name: study.through_door(world, BEHIND, 1, DREAM) for name, world in (("teacher", WORLD), ("student", FAST))}
display(playing(walks))
strips({"before": BEHIND.clips()[:3, :, 3], "teacher, 1 step": draw_next(TEACHER, BEHIND, 1)[:3],
        "student, 1 step": draw_next(STUDENT, BEHIND, 1)[:3]})  # fmt: skip

# %% [markdown]
# **A prediction.** Five changes make a frame cheaper: no gradients, another memory layout, half precision, constants
# computed once, and one step in place of eight. Order them by what they save. Which of them changes what is *seen*?

# %% [markdown] about="measure_latency" difficulty=2 importance=5 minutes=5
# ## An honest stopwatch
#
# The first call loads code and memory, so **warm up**. Other programs run beside you, so take turns (**interleave**)
# and look at the **median**. A player feels the slow frames, so give the **95th percentile** too. And a thread more can
# be bought, so fix their number. The processor's own time, beside the wall clock, says what was waiting.

# %% exercise="measure_latency" from="common.evaluation.latency:measure_latency"

# %% check="measure_latency"

# %% [markdown] hints="measure_latency"
# 1. Two loops, rounds outside and tasks inside. What is different in the first `warm_up` rounds? And what must happen
#    to the threads if a task raises?
# 2. Keep two dictionaries of lists. Read `clock()` and `cpu_clock()`, call the task, read both again. Everything runs
#    in `try:`, and `torch.set_num_threads(before)` in `finally:`.
# 3. `Latency(statistics.median(wall[name]), float(np.quantile(wall[name], 0.95)), statistics.median(cpu[name]))`, with
#    times in milliseconds. The three refusals come before everything else.

# %% [markdown]
# Your stopwatch, on the world of lab 09.2. A screen of 60 hertz leaves 16.7 ms for everything.

# %% tags=["demo"] draws="Milliseconds per frame of the teacher, at one to eight steps."
SPENT = study.step_latency({f"{n} step(s)": (WORLD, n) for n in (1, 2, 3, 8)}, measure_latency, ROUNDS)
print(f"{'arcade-rooms':14}{'median':>9}{'p95':>9}{'cpu':>9}   ms per frame")
for name, one in SPENT.items():
    print(f"{name:14}{one.median:9.1f}{one.p95:9.1f}{one.cpu:9.1f}")

# %% [markdown]
# **What to see.** Steps add up. If `median` is far above `cpu`, this machine is busy with other things. Then only `cpu`
# compares well, and only `p95` tells what you would feel.

# %% [markdown] about="fold_film" difficulty=3 importance=3 minutes=12
# ## Constant folding: what never changes while you play
#
# In training, noise levels and actions differ from sample to sample. At play there is one game. A block's group norm
# and the FiLM after it,
#
# $$ y = \bigl(\gamma \, n(x) + \beta\bigr)\,(1 + \text{scale}(c)) + \text{shift}(c), $$
#
# are one affine map of $n(x)$, the plain normalization without weights. Its gain and its offset are affine in the
# signal $c$. So one small matrix product gives the gains and offsets of all blocks at once, and `F.group_norm` does the
# rest in a single pass over the pixels.

# %% exercise="fold_film" from="common.models.folded_world:fold_film"

# %% check="fold_film"

# %% [markdown] hints="fold_film"
# 1. Multiply the equation out. What multiplies $n(x)$, and what is added? Both contain `scale`, which is a
#    matrix times c plus a bias.
# 2. gain = γ (1 + scale), offset = β (1 + scale) + shift. With scale = W c + b: the gain's matrix is γ W, row by row,
#    and its bias is γ (1 + b).
# 3. `torch.cat([gain[:, None] * scale, offset[:, None] * scale + shift])` is the new weight, where scale and shift are
#    the two halves of `film.weight`. Likewise the bias, with 1 added to the scales.

# %% [markdown]
# The **ladder**: each rung keeps those before it. On the last one, your `fold_film` folds every block.

# %% tags=["demo"] draws="One call of the network, rung by rung."
RUNGS = measure_latency(study.ladder("arcade-rooms-fast", WORLD.model.dtype, fold_film), ROUNDS)
figure, axis = plt.subplots(figsize=(7, 2.2), layout="constrained")
axis.barh([*RUNGS][::-1], [one.cpu for one in RUNGS.values()][::-1], color="#1f6f8b")
axis.set_title("One call of the network, one core", fontsize=10)
axis.set_xlabel("milliseconds of the processor's time")
plt.show()
for name, one in RUNGS.items():
    print(f"{name:16}{one.cpu:6.1f} ms, {RUNGS['with gradients'].cpu / one.cpu:.2f} times as fast as the first rung")

# %% [markdown]
# **What to see.** No single rung is worth as much as one denoising step less. *Half precision* pays where the processor
# computes in bfloat16; elsewhere it stays float32 here. *Folded* is your part, and costs nothing but thought.

# %% [markdown] about="frame_pacing" difficulty=2 importance=4 minutes=10
# ## The frame budget: what a screen makes of it
#
# A model of 18 ms is not a game of 55 frames per second. Frames travel to the browser and back, and a screen shows them
# at its refreshes. With one frame in flight, a frame that misses a refresh by a hair waits for the next one:
#
# | quantity | unit |
# |---|---|
# | compute, transport | ms per frame |
# | one refresh period | 1000 / `refresh_rate` ms |

# %% exercise="frame_pacing" from="common.evaluation.latency:frame_pacing"

# %% check="frame_pacing"

# %% [markdown] hints="frame_pacing"
# 1. How many refresh periods pass between asking for a frame and showing it? It is a whole number. Which is the least?
# 2. `math.ceil((spent + transport) / period)`, at least 1. Rounding: a frame that takes exactly three periods, in
#    floats.
# 3. `periods = [max(1, math.ceil((float(spent) + transport) / period - 1e-9)) for spent in compute]`, then
#    `Pacing(len(periods) * refresh_rate / sum(periods), sum(p > 1 for p in periods) / len(periods))`.

# %% [markdown]
# Frames per second that are seen, against milliseconds of the model, with 4 ms of transport (the player's WebSocket,
# measured on the course's machine).

# %% tags=["demo"] draws="A staircase: seen frames per second against compute time, on two screens."
compute = np.linspace(1, 60, 300)
curves = {f"{rate} Hz": (compute, [frame_pacing([ms], 4.0, rate).fps for ms in compute]) for rate in (60, 144)}
curves["no screen, no transport"] = (compute, 1000 / compute)
display(draw_curves(curves, "What is seen of a model's speed", marker=None, xlabel="compute, ms per frame",
                    ylabel="frames per second", ylim=(0, 150)))  # fmt: skip
for name, one in SPENT.items():
    print(f"teacher, {name:10}{one.cpu:6.1f} ms: {frame_pacing([one.cpu], 4.0).fps:.0f} frames per second are seen")

# %% [markdown]
# **What to see.** A staircase. Between two of its edges, faster code changes nothing. At an edge, a tenth of a
# millisecond decides. For 60 frames per second the model has what a refresh leaves after the transport.
#
# ## Where one step fails
#
# So it has to be one step. How bad is that? Wherever the next frame follows from the past, it isn't bad at all. Behind
# a door the future is open.

# %% tags=["demo"] draws="Rooms behind three doors, in one, three and eight steps, read by the exact reader."
GAME = BEHIND.clips()[:, :, -1]
rooms = {f"teacher, {n} step(s)": draw_next(TEACHER, BEHIND, n) for n in (1, 3, 8)} | {"the game": GAME}
display(strips({name: pictures[:3] for name, pictures in rooms.items()}))
table({name: room_quality(pictures) for name, pictures in rooms.items()}, dict(zip(MEASURES, MEASURES)))

# %% [markdown]
# **What to see.** In one step, half of the pixels are of no colour that the game has (*sharpness*). The slime is hardly
# ever there: it may be anywhere, so its mean is nowhere. More steps settle all of it, one call of the network each.
# (*Tiles* are readable ones. A *whole* room has nothing else, with one door and one key. A *player* is one who stands.)

# %% [markdown] about="consistency_loss" difficulty=4 importance=5 minutes=15
# ## Consistency distillation
#
# The teacher follows an ODE from noise to a frame. Along one path, noise and frame belong together. So the same noise
# always leads to the same room, and a student can learn to jump there **in one step**:
#
# $$ \mathcal L = d\bigl(f_\theta(x, \sigma_0),\; f^-(\hat x, \sigma_n)\bigr), \qquad \hat x = \text{the end of the
# teacher's way from } x, \qquad f(x, 0) = x . $$
#
# $f^-$ is a slow copy of the student. With $\sigma_n = 0$ the **boundary condition** takes its place. `teacher_jump`,
# which is given, goes the teacher's way.

# %% exercise="consistency_loss" from="common.diffusion.consistency:consistency_loss"

# %% check="consistency_loss"

# %% [markdown] hints="consistency_loss"
# 1. Two places on one path: x at the first level, and where the teacher comes to at the last. Who is asked where, and
#    with a gradient or without?
# 2. `there = teacher_jump(teacher, x, sigmas)`. If the last level is above 0, `there` becomes what `target` says of it,
#    under `torch.no_grad()`. A level for a batch is `sigmas[-1].expand(len(x))`.
# 3. `d = student(x, sigmas[0].expand(len(x))).float() - there`, and
#    `((d.square() + huber**2).sqrt() - huber).flatten(1).mean(dim=1)`.

# %% [markdown] troubles="consistency_loss"
# - **NaN at level 0.** The target was asked there, and EDM takes the logarithm of the level.
# - **The loss is one number.** Give one per sample. Who trains decides how they are added up.

# %% [markdown]
# A world on paper: the next frame is one number, −1 or 1. Your loss trains a tiny student, once with the teacher's
# noise and once, as a control, with noise of its own.

# %% tags=["demo"] draws="From noise to one number: the teacher in one step and in twenty, and two students."
places = torch.linspace(-12, 12, 300)[:, None]
answers = {f"teacher, {n} step(s)": teacher_jump(study.paper_world, places, world_sigmas(n, 5.0)) for n in (1, 20)}
answers["student"] = study.paper_student(consistency_loss, places, shared=True)
answers["student, other noise"] = study.paper_student(consistency_loss, places, shared=False)
draw_curves({name: (places.flatten(), y.flatten()) for name, y in answers.items()}, "The next number, by its noise",
            marker=None, xlabel="the noisy sample at level 5", ylabel="the answer")  # fmt: skip

# %% [markdown]
# **What to see.** One step of the teacher answers with the mean, whatever the noise. The whole way is a staircase: each
# noise has its number. With shared noise the student learns the staircase. With other noise the two are strangers, and
# all that can be learned is what is right for any noise.

# %% [markdown] about="self_rollout" difficulty=3 importance=5 minutes=10
# ## Self-rollout contexts: the student's own past
#
# At play, the past is the student's own. In distillation on recordings it is always real, so the student never meets
# its own mistakes. **Self Forcing** closes the gap: let it roll out, and ask the teacher what comes *then*. For such a
# past there is no true frame. There is always a teacher.

# %% exercise="self_rollout" from="common.streaming.self_rollout:self_rollout"

# %% check="self_rollout"

# %% [markdown] hints="self_rollout"
# 1. It is the rollout of lab 09.2, in one step, for some samples of a batch. Which frames does the result begin with?
# 2. Take `clip[chosen][:, :, :K]`, `actions[chosen]` and `eps[chosen]`. In a loop over k: a frame, then `push`. After K
#    frames, no real one is left in the past.
# 3. `frame = sample_next(model, past, pressed[:, k : k + K], 1, eps=noise[:, :, k])`, all under `torch.no_grad()`. The
#    result is `clip[:, :, K:].clone()`, and then `result[chosen] = past`. With none chosen the loop must not run.

# %% [markdown]
# Three pasts of the recording, and what the untrained student makes of them. At first it is the teacher's copy.

# %% tags=["demo"] draws="Real pasts above, the student's own below."
WINDOWS = DoorWindows(arcade_recording("rooms", 10_000), 9)
batch = WINDOWS.batch([2, 6, 10])
clip, eps = batch.clips()[:, :, :8], torch.randn(3, 3, 4, 64, 64, generator=seed(0))
own = self_rollout(TEACHER, clip, batch.actions[:, :-1], eps, torch.ones(3, dtype=torch.bool))
show.strips({f"{kind} {n}": x[n] for n in range(3) for kind, x in (("real past", clip[:, :, 4:]), ("own past", own))},
            num_frames=4, width=64)  # fmt: skip

# %% [markdown]
# ## Distil it
#
# Half of the windows end behind a door. There the target is the teacher's way in eight steps, from the same noise.
# Elsewhere one step of the teacher is right: it is the target, or the true frame where the past is real.

# %%
NET = WorldUNet.from_pretrained("arcade-rooms").train()  # the student begins as its teacher
draws = seed(1)


def noise_like(x):
    return torch.randn(x.shape, generator=draws)


def distil_loss(step):
    batch = WINDOWS.batch(range(BATCH * step, BATCH * (step + 1)))
    clip, behind, own = batch.clips(), opens(batch), torch.rand(BATCH, generator=draws) < 0.25
    past = self_rollout(NET, clip[:, :, :8], batch.actions[:, :7], noise_like(clip[:, :, 4:8]), own)
    level, total = 0.3 * torch.rand(BATCH, generator=draws), 0
    past, x = corrupt_context(past, level, noise_like(past)), 5 * noise_like(clip[:, :, 8])
    for chosen, num_steps, counts in ((behind, 8, 1), (own & ~behind, 1, 4), (~own & ~behind, 0, 4)):
        if not chosen.any():
            continue
        given = {"past": past[chosen], "actions": batch.actions[chosen, -4:], "context_noise": level[chosen]}
        student, teacher = partial(denoise, NET, **given), partial(denoise, TEACHER, **given)
        if num_steps:
            loss = consistency_loss(student, student, teacher, x[chosen], world_sigmas(num_steps, 5.0))
        else:
            loss = beside_truth(student(x[chosen], torch.full((int(chosen.sum()),), 5.0)), clip[chosen, :, 8])
        total = total + counts * loss.sum() / BATCH
    return total


losses = short_run(torch.optim.AdamW(NET.parameters(), lr=4e-4), distil_loss, STEPS, max_grad_norm=1.0, desc="distil")

# %% tags=["demo"] draws="Three doors: before and after your distillation, and the student that ships."
models = {"teacher, 1 step": TEACHER, f"yours, after {STEPS} steps": NET.eval(), "arcade-rooms-fast": STUDENT}
rooms = {name: draw_next(model, BEHIND, 1) for name, model in models.items()} | {"the game": GAME}
display(strips({name: pictures[:3] for name, pictures in rooms.items()}))
table({name: room_quality(pictures) for name, pictures in rooms.items()}, dict(zip(MEASURES, MEASURES)))

# %% [markdown]
# **What to see.** Sharpness and tiles move first, within a few steps. A slime and a whole room take longer than a lab
# has time for: the student that ships took larger batches, and Muon in place of AdamW.
#
# ## The result to remember: cost and worth of a step
#
# From the course's record, every arm on the same doors, frames and dreams. The last three are equally long short runs.
# In *other noise* the teacher begins elsewhere than the student. In *real pasts* there are no self-rollouts.
# `pareto_front` is your part of lab 04.3.

# %% tags=["demo"] draws="Milliseconds against sharpness behind doors; then every arm in numbers."
record = json.loads((paths.find_lab("09.5").tests.parent / "calibration" / "05_latency_hunt.json").read_text())
points = {name: (arm["cpu"], 100 * arm["door/sharpness"]) for name, arm in record["arms"].items()}
front = pareto_front(np.array([(-cost, worth) for cost, worth in points.values()]))
display(study.draw_front(points, front, "Cost and worth of a step", "sharp pixels behind doors, %"))
words = {f"door/{name}": name for name in MEASURES}
words |= {"next/exact": "exact", "dream/one_player": "one player", "dream/rule_all": "rules"}
table(record["arms"] | {"the game": {f"door/{key}": value for key, value in record["game"].items()}}, words, 26)
print(f"{record['num_doors']} doors, {record['num_windows']} other frames, {record['num_games']} dreams of "
      f"{record['num_frames']} frames")  # fmt: skip

# %% [markdown]
# **What to see.** Behind doors, one step of the student is worth nearly three of the teacher. *Other noise* fails: for
# a noise that says nothing, the best answer is the most likely tile in every place, so no room has a player or a slime.
#
# Now the dreams, in the last two columns. Frame by frame the student is as exact as its teacher, and its dreams are no
# better. A sharp room is a decision, and half of them were decided without the one player who stands. Until one
# appears, no rule is kept. Nor have self-rollouts paid yet: *real pasts* dreams no worse. With so few games such
# numbers jump by ten points from chance alone, and these runs are short. Was your prediction right?
#
# ## Try it
#
# A screen, a way to the browser, a number of steps. When is the student too slow?

# %%
STEPS_PER_FRAME, TRANSPORT, REFRESH_RATE = 1, 4.0, 60

spent = study.step_latency({"trial": (FAST, STEPS_PER_FRAME)}, measure_latency, ROUNDS)["trial"]
for name, ms in (("median", spent.median), ("p95", spent.p95), ("processor alone", spent.cpu)):
    seen = frame_pacing([ms], TRANSPORT, REFRESH_RATE)
    print(f"{name:16}{ms:6.1f} ms per frame: {seen.fps:.0f} frames per second are seen")

# %% [markdown]
# **Play it.** `flipbook play arcade-rooms-fast --mine` runs your folded network; move *Clock* to 60. With `--speed` it
# is measured instead, by your stopwatch. In JupyterLab, both work in a terminal.
#
# **An ablation to run.** `flipbook train arcade-rooms-fast --stage unshared` and `--stage real` are the two controls.
# Each takes about three minutes of one core.

# %% [markdown] tags=["folded"]
# ## Going further
#
# - **DMD** (arXiv:2311.18828) matches distributions instead of paths, with a second network that knows what the student
#   draws. Self Forcing and CausVid use it for video. It needs no shared noise, and three networks in memory.
# - **rCM** and **TurboDiffusion** join both for big video models; `FlowMatchLCMScheduler`, `TCDScheduler` and
#   `HeliosDMDScheduler` of diffusers sample such students.
# - **`torch.compile`** fuses the small operations that are left. It needs a C++ compiler on your machine.
# - **Several steps of a student** renew the noise after each one. Euler's steps, as in the player, were never trained.
#
# ## Honest limits
#
# - These are 64×64 pixels with a decoder that costs nothing. Latency claims of big models often leave their decoder
#   out.
# - The teacher's rooms are the ceiling: what it does not know to draw, the student does not learn.
# - The controls ran for minutes. Self Forcing trains for hours on GPUs, and rolls out whole videos.
# - The stopwatch measures this machine, with all that runs on it. `cpu` is what compares.
#
# ## Yours now
#
# `flipbook train arcade-rooms-fast --mine` distils with your loss and your self-rollouts.
#
# **To read:** *Consistency models* (arXiv:2303.01469), *Improved techniques* for them (arXiv:2310.14189), *Self
# Forcing* (arXiv:2506.08009).
