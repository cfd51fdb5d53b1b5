# %% [markdown]
# # Lab 02.3 · A tiny video GAN, and how it collapses
#
# **What you will have at the end:** a generator of small clips, taught by two judges, one for pictures and one for
# motion, in a loop with two optimisers that you wrote; a measure that counts how much of its world it can make; a run
# that collapses while that measure falls; and three remedies, each measured over five seeds.
#
# | | |
# |---|---|
# | time | about 90 minutes |
# | difficulty | ★★★★☆ |
# | before this | [lab 01.3](../01_tensors/03_optical_flow.ipynb); convolutions, `autograd`, an optimiser |
# | the world | sprites: one large object that moves straight over black, 40 kinds |
#
# The whole notebook runs at one of three sizes. `cpu` is yours unless you set `FLIPBOOK_PRESET`.
#
# | preset | clips `(T, H, W)` | steps of each live run | all cells take about |
# |---|---|---|---|
# | `ci` | (6, 20, 20) | 60 | 30 s |
# | `cpu` | (6, 20, 20) | 80 | 1 min |
# | `gpu` | (6, 20, 20) | 320 | 2 min |

# %% tags=["setup"]
import json
import math
from collections import Counter
from dataclasses import dataclass
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from common import show
from common.course import check, paths
from common.data.sprites.modes import ModeData
from common.evaluation.modes import clip_modes
from common.evaluation.paths import object_paths, straightness
from common.evaluation.sprite_reader import read_sprites
from common.models.video_gan import PRESETS, VideoGAN
from common.runtime import limit_threads, preset, seed_everything
from common.training.adversarial_losses import generator_hinge_loss

limit_threads()
WORLD = ModeData(num_frames=6, size=20)
NUM_READ = {"ci": 48, "cpu": 96, "gpu": 192}[preset()]  # clips that the reader reads to count modes
NUM_KEPT = 1920  # clips of the world to train on

# %% [markdown]
# ## Where you are heading
#
# Every clip below was made from 32 random numbers. First four clips of the world itself, then eight by the library's
# GAN of this lab, trained for longer than a notebook can wait. Each row is one clip, frame after frame, a quarter of a
# second apart.

# %% tags=["demo"]
def rows(clips, names):
    """One row of frames for each clip."""
    return show.strips(dict(zip(names, clips)), num_frames=6, width=60)


finished = VideoGAN.from_pretrained("sprites-gan").eval()
made = finished.sample(NUM_READ, torch.Generator().manual_seed(3))
few = torch.cat([WORLD.clips(range(4)), made[:8]])
rows(few, [f"real · {' '.join(WORLD.mode(i))}" for i in range(4)] + [f"made · {k}" for k in range(8)])

# %% [markdown]
# The generator was never shown a clip. It hears only what the judges think of its own, and that is both the beauty of
# the idea and its trouble: nobody ever tells the generator what it has *left out*.
#
# **Before you read on, a prediction.** Suppose a generator makes perfect red circles that move left, and nothing else.
# An ideal judge looks at its clips one at a time. What can it say against any of them? And what would you let the judge
# look at instead? Write it down; the collapsed run near the end is the test.

# %% [markdown] about="mode_report" difficulty=2 importance=5 minutes=15
# ## Count what it makes
#
# Looking at a sheet of samples is how collapse goes unnoticed: each of them is fine. So count before you look. This
# world has 40 kinds of clip (2 shapes × 5 colours × 4 directions), all equally frequent; in a GAN's language they are
# its **modes**. The world's reader names the mode of a clip by measuring it, or says `None` where it cannot.
#
# With $n(m)$ samples of mode $m$ among $N$, $d(m)$ clips of the data among $D$, and $p(m)$ the part of the *known*
# samples that have mode $m$:
#
# | measure | formula | a collapsed generator | a perfect one |
# |---|---|---|---|
# | known | $\frac1N \sum_m n(m)$ over the data's modes | can be 1 | 1 |
# | coverage | modes with $n(m) > 0$ / modes of the data | 1/40 | 1 |
# | entropy | $-\sum_m p(m) \log p(m)$, natural logarithm | 0 | $\log 40 = 3.69$ |
# | recall | $\frac1D \sum_m \min\bigl(n(m) \frac DN,\; d(m)\bigr)$ | 1/40 | 1 |
#
# Coverage asks whether a mode is there *at all*, recall whether it is there *often enough*. $e^\text{entropy}$ is the
# number of equally frequent modes that would have this entropy, the **effective modes**: the curve of this lab.
#
# **Usual mistakes.** An unread sample (`None`), or one of a mode that the data does not have, is not known, and still
# counts in $N$. The $p(m)$ of the entropy sum to 1, so they are parts of the known samples. $N$ and $D$ may differ:
# recall compares frequencies, not counts. And where nothing is known, nothing may be divided by zero.

# %% exercise="mode_report" from="common.evaluation.modes:mode_report"

# %% check="mode_report"

# %% [markdown] hints="mode_report"
# 1. Two `Counter`s: one of the data's modes; one of the samples' modes, only those that are keys of the first.
#    Everything else is sums over them.
# 2. `found.total()` is the number of known samples, `len(found)` the number of covered modes. For recall, scale each
#    count by `len(data) / len(samples)` before you compare it with the data's.
# 3. `entropy = sum(-n / num_known * math.log(n / num_known) for n in found.values())` is 0 by itself where nothing is
#    found; `recall = sum(min(n * scale, wanted[m]) for m, n in found.items()) / len(data)`. Before everything, raise
#    `ValueError` for empty lists and for a `None` among the data, with its number.

# %% [markdown]
# Your measure on clips of the world itself, so that you know what the best possible numbers are at this many clips, and
# on the finished GAN. Before that, a fair question: can the reader read clips of 20 × 20 pixels at all?

# %%
def modes_of(clips):
    """The mode of each clip: shape, colour, direction; None where it could not be read."""
    return clip_modes(read_sprites(clips, WORLD.fps))


# %% tags=["demo"]
def count_picture(counts):
    """How many clips of each mode there are: a row for each shape and colour, a column for each direction."""
    order = list(dict.fromkeys(mode[:2] for mode in WORLD.modes))
    return np.array([[counts[(*look, motion)] for motion in ("left", "right", "up", "down")] for look in order])


test_world = ModeData(num_frames=6, size=20, split="test")
real, shown = test_world.clips(range(NUM_READ)), [test_world.mode(i) for i in range(NUM_READ)]
wanted = [WORLD.mode(i) for i in range(480)]  # the modes of the data to compare with
wrong = sum(a != b for a, b in zip(modes_of(real), shown))
print(f"the reader: {wrong} of {NUM_READ} new clips misread\n")
groups = {"the world itself": real, "the finished GAN": made}
figure, axes = plt.subplots(1, len(groups), figsize=(4.2 * len(groups), 4.2), layout="constrained", squeeze=False)
print(f"{'':20}{'known':>8}{'coverage':>10}{'effective modes':>17}{'recall':>8}")
for axis, (name, clips) in zip(axes[0], groups.items()):
    found = modes_of(clips)
    report = mode_report(found, wanted)
    print(f"{name:20}{report.known:8.2f}{report.coverage:10.2f}{report.effective_modes:17.1f}{report.recall:8.2f}")
    image = axis.imshow(count_picture(Counter(found)), cmap="magma", vmin=0, vmax=NUM_READ / 40 * 3, aspect="auto")
    axis.set_xticks(range(4), ["left", "right", "up", "down"])
    axis.set_yticks(range(10), [" ".join(reversed(mode[:2])) for mode in WORLD.modes[::4]], fontsize=8)
    axis.set_title(f"{name}: clips of each mode")
figure.colorbar(image, ax=axes, label=f"clips, of {NUM_READ}")
plt.show()

# %% [markdown]
# **What to see.** Even the world itself does not reach 40 effective modes and recall 1: so few clips never come out
# even. That is the ceiling; every number below is to be read against it.

# %% [markdown] about="discriminator_hinge_loss" difficulty=1 importance=4 minutes=5
# ## What the judge pays
#
# Two players. The **generator** $G$ turns a latent $z$ (32 normal numbers) into a clip. The **discriminator** $D$ gives
# a clip a score, any number: high for real, low for made. With the hinge loss it pays
#
# $$ L_D = \operatorname{mean} \max\bigl(0,\, 1 - D(x)\bigr) + \operatorname{mean} \max\bigl(0,\, 1 + D(G(z))\bigr). $$
#
# A real clip above 1 and a made one below −1 cost nothing and move nothing: the judge spends its strength on the cases
# that are still in doubt. The generator's loss has no hinge, $L_G = -\operatorname{mean} D(G(z))$, and is given.
#
# | quantity | shape |
# |---|---|
# | `real_scores`, `fake_scores` | any; their numbers may differ, each has a mean of its own |
# | result | `()`, float32 or better |
#
# **Usual mistakes.** The mean before the hinge lets one easy sample pay for a hard one. One mean over all scores weighs
# real and made by their numbers. A sum of thousands of float16 scores overflows: lift them to float32 first.

# %% exercise="discriminator_hinge_loss" from="common.training.adversarial_losses:discriminator_hinge_loss"

# %% check="discriminator_hinge_loss"

# %% [markdown] hints="discriminator_hinge_loss"
# 1. `F.relu(x)` is $\max(0, x)$. Which sign stands before the score, for each of the two kinds?
# 2. `F.relu(1 - real_scores).mean()`, and the mirror image for the others.
# 3. Check `scores.numel() == 0` for both and raise `ValueError` with the shape. Lift with
#    `scores.to(torch.promote_types(scores.dtype, torch.float32))`. Then add the two means.

# %% [markdown] about="VideoDiscriminator" difficulty=3 importance=5 minutes=15
# ## A judge for motion
#
# One judge looks at single frames, sharp. It is given (`ImageDiscriminator` in `common.models.video_gan`), and it is
# an ordinary image discriminator: it cannot know that frame 3 does not follow from frame 2. The other one is yours. It
# sees *all* frames at **half the size**: enough to follow a thing, too little to care about its edges. This division
# of labour is DVD-GAN's, and before it MoCoGAN's.
#
# | step | shape after it |
# |---|---|
# | the clip | `(B, C, T, H, W)` |
# | average 2 × 2 pixels | `(B, C, T, H/2, W/2)` |
# | `first`, leaky ReLU of slope `SLOPE` | `(B, K, T, H/4, W/4)` |
# | `second`, leaky ReLU | `(B, 2K, T/2, H/8, W/8)` |
# | `third`, leaky ReLU | the same |
# | sum over time and picture | `(B, 2K)` |
# | `score`, without its last axis | `(B,)` |
#
# The layers are made in `__init__`, with **spectral norm** around them unless you say otherwise: each weight matrix is
# divided by its largest singular value, so that no layer makes a difference much larger than it was. The GAN of this
# lab does without; its brake is the penalty of the next exercise.
#
# **Usual mistakes.** Averaging over time *before* the convolutions makes a judge for whom a film and its reverse are
# the same. `F.leaky_relu` has a slope of its own, 0.01. A sigmoid at the end belongs to another loss. The sum is over
# three axes, never over the batch: a clip's score is its own.

# %% exercise="VideoDiscriminator" from="common.models.video_gan:VideoDiscriminator" blank="forward"

# %% check="VideoDiscriminator"

# %% [markdown] hints="VideoDiscriminator"
# 1. Seven lines, one for each row of the table. Only the first and the last two need a thought.
# 2. `F.avg_pool3d(clips, (1, 2, 2))` averages 2 × 2 pixels and leaves time alone. `x.sum(dim=(2, 3, 4))` leaves batch
#    and channels.
# 3. `x = F.leaky_relu(self.first(x), SLOPE)`, the same for `second` and `third`; at the end
#    `self.score(x.sum(dim=(2, 3, 4)))[:, 0]`.

# %% [markdown] about="gradient_penalty" difficulty=3 importance=5 minutes=15
# ## A brake for the judge
#
# The generator learns from the *slope* of the judge's score: which way to change a clip so that the score rises. A
# judge that is too steep sends all clips to the same cliff. One remedy is to make steepness expensive, at the real
# clips $x$:
#
# $$ R_1 = \operatorname{mean}_x \bigl\lVert \nabla_{\!x}\, D(x) \bigr\rVert^2, \qquad L_D \leftarrow L_D +
# \tfrac{\gamma}{2} R_1. $$
#
# Here is what is unusual: the *loss* contains a gradient. So the slope itself must be computed as part of a graph that
# can be differentiated once more, in the judge's weights.
#
# | quantity | shape |
# |---|---|
# | `real` | `(B, ...)`, left as it is |
# | `discriminator(real)` | `(B,)` or `(B, number of branches)`: a sample's scores are added |
# | the slope | `(B, ...)` |
# | squared length of each sample's slope | `(B,)` |
# | result | `()` |
#
# **Usual mistakes.** Without `create_graph=True` the penalty is a number that no weight feels. Differentiating the
# *mean* score makes each slope $B$ times too small. `backward()` writes gradients into everything it meets;
# `torch.autograd.grad` gives you the one you ask for. And $\lVert\cdot\rVert^2$ is a sum within a sample.

# %% exercise="gradient_penalty" from="common.training.adversarial_losses:gradient_penalty"

# %% check="gradient_penalty"

# %% [markdown] hints="gradient_penalty"
# 1. You need samples of your own that ask for a gradient: `real.detach().requires_grad_(True)`. Then one call of
#    `torch.autograd.grad`.
# 2. Each sample's score depends on that sample alone, so the gradient of the *sum* of all scores holds each sample's
#    own slope. `torch.autograd.grad(output, input, create_graph=True)` returns a tuple.
# 3. `(slope,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)`, then
#    `slope.float().square().flatten(1).sum(dim=1).mean()`. For an empty batch raise `ValueError` with its shape.

# %% [markdown] about="adversarial_step" difficulty=4 importance=5 minutes=20
# ## One step, two optimisers
#
# Now the game. In one step the discriminator moves first, then the generator, against the discriminator *as it is now*:
#
# | | discriminator's move | generator's move |
# |---|---|---|
# | made from | `latents[0]` | `latents[1]`, and one more move for each further one |
# | loss | hinge loss + `penalty_weight` / 2 · penalty at `real` | `generator_hinge_loss` |
# | moves | the discriminator's weights | the generator's weights |
# | must not touch | the generator | the discriminator |
#
# Three calls make a move: `zero_grad()` empties the gradients, `backward()` *adds* to them, `step()` moves the weights.
# Each optimiser knows only its own player's weights, but `backward()` knows no players: it fills every `.grad` that it
# can reach. The generator's loss reaches through the judge.
#
# **Usual mistakes.** What the generator makes for the judge's move is *given*: make it without a graph, or detach it.
# Gradients of the other player's move must be gone before your own `backward()`. The generator's clips are judged anew
# after the judge has moved. And a loss that keeps its graph keeps all its memory: return it detached.

# %% exercise="adversarial_step" from="common.training.adversarial:adversarial_step"

# %% check="adversarial_step"

# %% [markdown] hints="adversarial_step"
# 1. Write the discriminator's move first and run the check. Then the generator's, in a loop over `latents[1:]`.
# 2. `with torch.no_grad(): fake = generator(latents[0])`. Then `loss`, `discriminator_optimizer.zero_grad()`,
#    `loss.backward()`, `discriminator_optimizer.step()`. In the generator's move the discriminator's `.grad` fills up
#    too: where in the next step is it emptied?
# 3. `penalty = gradient_penalty(discriminator, real) if penalty_weight else torch.zeros_like(loss)` and `loss = loss +
#    penalty_weight / 2 * penalty`. For each `z`: `generator_loss = generator_hinge_loss(discriminator(generator(z)))`,
#    its optimiser's `zero_grad()`, `backward()`, `step()`. Return the three scalars with `.detach()`.

# %% [markdown]
# ## Put it to work: let it collapse
#
# The finished GAN knows most of its world. Now *you* go on training it, with your step, your judge and your penalty,
# four ways from the same weights. The first is too fast: five times the learning rate with which the GAN was made,
# and no penalty. The others change one thing each. An `Arm` is one way to play; everything in which the four differ
# stands in `ARMS`.
#
# | arm | γ of the gradient penalty | learning rates: generator, judges |
# |---|---|---|
# | no brake | none | 0.008, 0.008 |
# | two time scales | none | 0.001, 0.008 |
# | small steps | none | 0.001, 0.001 |
# | penalty alone | 10 | 0.008, 0.008 |
#
# In the second only the generator is slowed down: its judges have time to notice what it is doing. In the third both
# are. The fourth keeps the speed and trusts the penalty, at thirty times the weight of the GAN's own training. Which
# of the three save the modes? Guess before you run.
#
# One number is new: **spread**, how much clips of different latents differ, as a part of how much the world's clips do
# (the standard deviation of each pixel over the clips, averaged over the pixels). A reader that can name nothing may
# have been given noise, each clip another, or one and the same odd clip every time. Spread tells which.

# %%
@dataclass(frozen=True)
class Arm:
    """One way to play.

    Attributes:
        penalty: weight of the gradient penalty.
        rates: learning rates of the generator and of the judges.
        moves: of the generator, for each move of the judges.
    """

    penalty: float = 0.0
    rates: tuple = (8e-3, 8e-3)
    moves: int = 1


ARMS = {
    "no brake": Arm(),
    "two time scales": Arm(rates=(1e-3, 8e-3)),
    "small steps": Arm(rates=(1e-3, 1e-3)),
    "penalty alone": Arm(penalty=10),
}
BATCH = 16


def players(finished):
    """The finished GAN's weights, with your judge for motion among the players."""
    shape = {name: finished.config[name] for name in ("num_frames", "size", "channels", "judge_channels")}
    gan = VideoGAN(**shape, normalized=False)
    gan.discriminators.branches["video"] = VideoDiscriminator(3, shape["judge_channels"], normalized=False)
    gan.load_state_dict(finished.state_dict())
    return gan.train()


def play(arm, seed, finished, pixels, num_steps, every):
    """Train on; gives (steps done, the GAN) before the first step and after every `every` steps."""
    generator = seed_everything(seed)
    gan = players(finished)
    judges = gan.discriminators
    optimizers = [
        torch.optim.Adam(player.parameters(), lr=rate, betas=(0.0, 0.99))
        for player, rate in zip((gan.generator, judges), arm.rates)
    ]
    yield 0, gan
    for step in range(1, num_steps + 1):
        chosen = torch.randint(len(pixels), (BATCH,), generator=generator)
        latents = torch.randn(1 + arm.moves, BATCH, gan.config.latent_dim, generator=generator)
        frames = torch.randint(WORLD.num_frames, (BATCH, 3), generator=generator)
        real, judge = pixels[chosen].float() / 127.5 - 1, partial(judges, frames=frames)
        adversarial_step(gan.generator, judge, optimizers, real, latents, arm.penalty)
        if step % every == 0 or step == num_steps:
            yield step, gan


def spread(clips):
    """How much clips differ from each other, on the average over their pixels."""
    return float(clips.std(dim=0).mean())


WORLDS_SPREAD = spread(WORLD.clips(range(240)))


def count(gan, num_clips, wanted):
    """Your report on the modes of a GAN, always of the same latents, and its spread as a part of the world's."""
    clips = gan.sample(num_clips, torch.Generator().manual_seed(99))
    return mode_report(modes_of(clips), wanted), spread(clips) / WORLDS_SPREAD


# %% tags=["demo"]
calibration = paths.find_lab("02.3").tests.parent / "calibration" / "03_tiny_video_gan.json"
study = json.loads(calibration.read_text())["study"]
lengths = {"ci": (60, 20), "cpu": (study["num_steps"], study["every"]), "gpu": (4 * study["num_steps"], study["every"])}
NUM_STEPS, EVERY = lengths[preset()]
LIVE = list(ARMS)[: 2 if preset() == "ci" else 4]
pixels = WORLD.batch(range(NUM_KEPT))
curves, ends = {name: [] for name in LIVE}, {}
with tqdm(total=len(LIVE) * NUM_STEPS, unit="step") as bar:
    for name in LIVE:
        bar.set_description(name)
        for step, gan in play(ARMS[name], 0, finished, pixels, NUM_STEPS, EVERY):
            curves[name].append((step, count(gan, NUM_READ, wanted)))
            bar.update(step and EVERY)
        ends[name] = gan.eval()
print(f"{'your runs, seed 0':20}{'steps':>6}{'known':>7}{'coverage':>10}{'effective modes':>17}{'recall':>8}  spread")
for name, curve in curves.items():
    for step, (report, width) in (curve[0], curve[-1]):
        print(f"{name:20}{step:6}{report.known:7.2f}{report.coverage:10.2f}"
              f"{report.effective_modes:17.1f}{report.recall:8.2f}{width:8.2f}")

# %% [markdown]
# One run is an anecdote: another seed, another story. The same four arms, by the same code, were run under five seeds;
# the numbers are in the folder `calibration` beside this lab's grader, with the script that made them.

# %% tags=["demo"]
COLORS = dict(zip(ARMS, ("#b03a2e", "#1f6f8b", "#3a7d44", "#c28e0e")))


def stored(arm, measure):
    """Steps, and the measure under every seed, `(seeds, steps)`."""
    runs = study["arms"][arm].values()
    return [point["step"] for point in next(iter(runs))], np.array([[p[measure] for p in run] for run in runs])


figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
for axis, measure, label in zip(axes, ("effective_modes", "recall"), ("effective modes (of 40)", "recall")):
    for name in ARMS:
        steps, values = stored(name, measure)
        axis.fill_between(steps, values.min(axis=0), values.max(axis=0), color=COLORS[name], alpha=0.2)
        axis.plot(steps, values.mean(axis=0), color=COLORS[name], label=f"{name}, mean of {len(values)} seeds")
        if name in curves:
            mine = [(step, getattr(report, measure)) for step, (report, _) in curves[name] if step <= steps[-1]]
            axis.plot(*zip(*mine), color=COLORS[name], linestyle=":", label=f"{name}, your run")
    axis.axhline(study["world"][measure], color="0.6", linestyle="--", label="the world itself, as many clips")
    axis.set(xlabel="steps after the finished GAN", ylabel=label, ylim=(0, None))
axes[0].set_title("How many modes are left")
axes[1].set_title("How much of the data finds its match")
figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
plt.show()
print(f"at the end, mean of {len(study['arms']['no brake'])} seeds (least – most)")
print(f"{'':20}{'effective modes':>20}{'recall':>22}{'coverage':>22}{'spread':>22}")
for name in ARMS:
    ends_of = (stored(name, measure)[1][:, -1] for measure in ("effective_modes", "recall", "coverage", "spread"))
    told = [f"{x.mean():.2f} ({x.min():.2f} – {x.max():.2f})" for x in ends_of]
    print(f"{name:20}{told[0]:>20}" + "".join(f"{text:>22}" for text in told[1:]))

# %% [markdown]
# **What to see.** Bands reach from the worst seed to the best. Without a brake the modes go, in most seeds to the last
# one, and recall with them. Both ways of slowing down keep nearly all; which of the two is better, five seeds cannot
# say for certain. The penalty alone is a remedy with a price: at this speed it loses nearly everything within 20 steps
# and wins more than half of it back. A brake on the judges does not slow the generator.
#
# ## The result to remember
#
# The finished GAN, and two of your live runs of it: without a brake, and with a generator that moves more slowly than
# its judges. Row k of each has the same latent. When a GAN has collapsed, its rows differ no more: whatever number you
# put in, the same clip comes out, and it need not be one of the world's. It may even be empty.

# %% tags=["demo"]
latents = torch.randn(4, 32, generator=torch.Generator().manual_seed(5))
shown = {}
for name, gan in {"finished": finished, **{name: ends[name] for name in LIVE[:2]}}.items():
    with torch.no_grad():
        clips = gan(latents).sample
    shown |= {f"{name} · latent {k}": clip for k, clip in enumerate(clips)}
show.strips(shown, num_frames=6, width=60)

# %% [markdown]
# ## Negative control: no judge for motion
#
# Break only one idea: the second judge. `sprites-gan-frames` is the finished GAN with its motion taken out: each frame
# listens to the latent turned by a rotation of its own. Turned normal numbers are normal numbers, so every single frame
# is as likely as before, and nothing joins two of them. Then it was trained on for 500 steps with the image judge
# alone. Does the motion come back? Two measures, of frames and of motion. **Frames**: the part of single frames in
# which the reader finds one object of the world. **Straightness**: how far the object gets from first to last frame,
# over the length of its way; 1 for this world's motion, and whatever it may be for a thing that jumps about.

# %% tags=["demo"]
def frames_and_motion(clips):
    """The part of single frames that show one object of the world, and the mean straightness of the paths."""
    at = torch.arange(len(clips)) % clips.shape[2]
    frames = clips[torch.arange(len(clips)), :, at][:, :, None]  # (B, 3, 1, H, W): one frame of each clip
    looks = clip_modes(read_sprites(frames, WORLD.fps), ("shape", "color"))
    return sum(look is not None for look in looks) / len(clips), float(straightness(object_paths(clips)).mean())


alone = VideoGAN.from_pretrained("sprites-gan-frames").eval()
untrained = VideoGAN(**PRESETS["cpu"]).eval()
table = {"the world itself": real, "both judges": made}
table |= {name: gan.sample(NUM_READ, torch.Generator().manual_seed(3)) for name, gan in
          (("no judge for motion", alone), ("untrained", untrained))}  # fmt: skip
print(f"{'':22}{'frames':>8}{'straightness':>14}{'clips whose motion is read':>28}")
for name, clips in table.items():
    frames, straight = frames_and_motion(clips)
    lawful = sum(mode is not None for mode in modes_of(clips)) / len(clips)
    print(f"{name:22}{frames:8.2f}{straight:14.2f}{lawful:28.2f}")
pairs = {f"{name} · {k}": table[name][k] for name in ("both judges", "no judge for motion") for k in range(3)}
show.strips(pairs, num_frames=6, width=60)

# %% [markdown]
# **What to see.** Look at any *single* frame of the lower rows: nothing is wrong with it, and the frames measure
# agrees. The image judge has no way to know what came before. Only what lies between the frames gives it away, and
# only a measure of motion sees that.
#
# ## Try it
#
# One arm of your own, from the finished GAN. Does the penalty help once the generator is half as fast as its judges?
# How much faster may it become until its modes go? And the opposite of two time scales, a generator faster than its
# judges?

# %% tags=["demo"]
PENALTY, RATES, STEPS = 10, (4e-3, 8e-3), {"ci": 10, "cpu": 80, "gpu": 320}[preset()]

for step, gan in play(Arm(PENALTY, RATES), 1, finished, pixels, STEPS, STEPS):
    report, width = count(gan.eval(), NUM_READ, wanted)
    gan.train()
    print(f"step {step}: {report.effective_modes:.1f} effective modes, recall {report.recall:.2f}, spread {width:.2f}")

# %% [markdown]
# **An ablation to run.** The loss curve is no help. Log `adversarial_step`'s two losses in `play` for "no brake" and
# for "two time scales", and guess from the curves alone which one is losing its modes. Then look at the counts. Can
# you find any function of the losses that falls when the effective modes fall?
#
# ## The prediction
#
# Perfect red circles that move left, and nothing else: an ideal judge of single clips finds nothing wrong with any of
# them. Its only lever is frequency. So many red circles among the made clips make red circles suspicious, the
# generator runs to the next kind, and the judge after it: the two can chase each other through the modes forever. A
# brake slows the chase down until the generator has time to spread. Another way is to let the judge look at several
# clips *at once*, so that twins give themselves away: PacGAN does that, and `VideoGAN(pack=2)` here.
#
# ## Honest limits
#
# - Collapse here is *provoked*, with learning rates that nobody would choose, so that it happens in minutes. In large
#   GANs it comes by itself, after days, and nobody knows beforehand when.
# - The count needs a reader that knows the world. For real film there is none. What is used instead (precision and
#   recall in a feature space, Kynkäänniemi et al. 2019) leans on a network's idea of what is alike.
# - 40 modes, equally frequent, are a kind world. Rare modes are lost first, and with five clips of a mode in the
#   count nobody would notice.
# - Six frames. What the judge for motion sees grows with the clip, and so does what it costs; DVD-GAN (2019), at up
#   to 256 × 256 pixels and up to 48 frames, was trained on pods of TPUs. The code path at a larger size is the same:
#   `flipbook train sprites-gan --preset gpu`.
#
# ## Yours now
#
# `discriminator_hinge_loss`, `gradient_penalty`, `VideoDiscriminator`, `adversarial_step` and `mode_report` are parts
# of the library. The adversarial loss did not die with the GANs: the autoencoders of phase 5 and the one-step
# students of phase 10 are trained with one, beside other losses that keep it from running away. Counting what a model
# makes stays with you to the end of the course.
#
# **Next:** lab 02.4 splits the latent in two, one code for what a thing is and one for how it moves. **To read:**
# *GANs* (Goodfellow et al. 2014, arXiv:1406.2661); *Geometric GAN* (Lim, Ye 2017, arXiv:1705.02894), the hinge;
# *Which training methods for GANs do actually converge?* (Mescheder et al. 2018, arXiv:1801.04406), the penalty;
# *Spectral normalization* (Miyato et al. 2018, arXiv:1802.05957); *two time scales* (Heusel et al. 2017,
# arXiv:1706.08500); *PacGAN* (Lin et al. 2017, arXiv:1712.04086); *MoCoGAN* (Tulyakov et al. 2017, arXiv:1707.04993)
# and *DVD-GAN* (Clark et al. 2019, arXiv:1907.06571), the two judges; *VGAN* (Vondrick et al. 2016,
# arXiv:1609.02612), where it began.
