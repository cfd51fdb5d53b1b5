# %% [markdown]
# # Lab 02.3 · A tiny video GAN, and how it collapses
#
# **What you will have at the end:** a generator of small clips, taught by two judges, one for pictures and one for
# motion, in a loop with two optimisers that you wrote; a measure that counts how much of its world it can make; a run
# that collapses while that measure falls; and two remedies, each measured over five seeds.
#
# | | |
# |---|---|
# | time | about 90 minutes |
# | difficulty | ★★★★☆ |
# | before this | [lab 01.3](../01_tensors/03_optical_flow.ipynb); convolutions, `autograd`, an optimiser |
# | the world | sprites: one large object that moves straight over black, 48 kinds |
#
# The whole notebook runs at one of three sizes. `cpu` is yours unless you set `FLIPBOOK_PRESET`.
#
# | preset | clips `(T, H, W)` | steps of each live run | all cells take about |
# |---|---|---|---|
# | `ci` | (6, 20, 20) | 40 | 30 s |
# | `cpu` | (6, 20, 20) | 800 | 9 min |
# | `gpu` | (6, 20, 20) | 4000 | 10 min |

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
from common.zoo import shelf

limit_threads()
WORLD = ModeData(num_frames=6, size=20)
NUM_STEPS = {"ci": 40, "cpu": 800, "gpu": 4000}[preset()]
NUM_READ = {"ci": 48, "cpu": 96, "gpu": 192}[preset()]  # clips that the reader reads to count modes
NUM_KEPT = {"ci": 480, "cpu": 1920, "gpu": 9600}[preset()]  # clips of the world to train on

# %% [markdown]
# ## Where you are heading
#
# Every clip below was made from 32 random numbers. First four clips of the world itself, then eight by the library's
# GAN of this lab, trained for longer than a notebook can wait. Each row is one clip, frame after frame, a quarter of a
# second apart.

# %% tags=["demo"]
def rows(clips, names):
    """One row of frames for each clip."""
    return show.strips(dict(zip(names, clips)), num_frames=6, width=72)


if shelf.has_weights("sprites-gan"):
    finished = VideoGAN.from_pretrained("sprites-gan").eval()
    made = finished.sample(NUM_READ, torch.Generator().manual_seed(3))
else:
    made = None
    print("The GAN's weights are not there; its recipe makes them: flipbook train sprites-gan")
few = torch.cat([WORLD.clips(range(4))] + ([] if made is None else [made[:8]]))
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
# world has 48 kinds of clip (3 shapes × 4 colours × 4 directions), all equally frequent; in a GAN's language they are
# its **modes**. The world's reader names the mode of a clip by measuring it, or says `None` where it cannot.
#
# With $n(m)$ samples of mode $m$ among $N$, $d(m)$ clips of the data among $D$, and $p(m)$ the part of the *known*
# samples that have mode $m$:
#
# | measure | formula | a collapsed generator | a perfect one |
# |---|---|---|---|
# | known | $\frac1N \sum_m n(m)$ over the data's modes | can be 1 | 1 |
# | coverage | modes with $n(m) > 0$ / modes of the data | 1/48 | 1 |
# | entropy | $-\sum_m p(m) \log p(m)$, natural logarithm | 0 | $\log 48 = 3.87$ |
# | recall | $\frac1D \sum_m \min\bigl(n(m) \frac DN,\; d(m)\bigr)$ | 1/48 | 1 |
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

# %% tags=["demo"]
def modes_of(clips):
    """The mode of each clip: shape, colour, direction; None where it could not be read."""
    return clip_modes(read_sprites(clips, WORLD.fps))


def count_picture(counts):
    """How many clips of each mode there are: a row for each shape and colour, a column for each direction."""
    order = list(dict.fromkeys(mode[:2] for mode in WORLD.modes))
    return np.array([[counts[(*look, motion)] for motion in ("left", "right", "up", "down")] for look in order])


test_world = ModeData(num_frames=6, size=20, split="test")
real, shown = test_world.clips(range(NUM_READ)), [test_world.mode(i) for i in range(NUM_READ)]
wanted = [WORLD.mode(i) for i in range(480)]  # the modes of the data to compare with
wrong = sum(a != b for a, b in zip(modes_of(real), shown))
print(f"the reader: {wrong} of {NUM_READ} new clips misread\n")
groups = {"the world itself": real} | ({} if made is None else {"the finished GAN": made})
figure, axes = plt.subplots(1, len(groups), figsize=(4.2 * len(groups), 4.2), layout="constrained", squeeze=False)
print(f"{'':20}{'known':>8}{'coverage':>10}{'effective modes':>17}{'recall':>8}")
for axis, (name, clips) in zip(axes[0], groups.items()):
    found = modes_of(clips)
    report = mode_report(found, wanted)
    print(f"{name:20}{report.known:8.2f}{report.coverage:10.2f}{report.effective_modes:17.1f}{report.recall:8.2f}")
    image = axis.imshow(count_picture(Counter(found)), cmap="magma", vmin=0, vmax=NUM_READ / 48 * 3, aspect="auto")
    axis.set_xticks(range(4), ["left", "right", "up", "down"])
    axis.set_yticks(range(12), [" ".join(reversed(mode[:2])) for mode in WORLD.modes[::4]], fontsize=8)
    axis.set_title(f"{name}: clips of each mode")
figure.colorbar(image, ax=axes, label=f"clips, of {NUM_READ}")
plt.show()

# %% [markdown]
# **What to see.** Even the world itself does not reach 48 effective modes and recall 1: so few clips never come out
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
# One judge looks at a single frame, sharp. It is given (`ImageDiscriminator` in `common.models.video_gan`), and it is
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
# | mean over time and picture | `(B, 2K)` |
# | `score`, without its last axis | `(B,)` |
#
# The layers are made in `__init__`, with **spectral norm** around them unless you say otherwise: each weight matrix is
# divided by its largest singular value, so that no layer makes a difference much larger than it was. You will see what
# that is worth.
#
# **Usual mistakes.** Averaging over time *before* the convolutions makes a judge for whom a film and its reverse are
# the same. `F.leaky_relu` has a slope of its own, 0.01. A sigmoid at the end belongs to another loss. The mean is over
# three axes, never over the batch: a clip's score is its own.

# %% exercise="VideoDiscriminator" from="common.models.video_gan:VideoDiscriminator" blank="forward"

# %% check="VideoDiscriminator"

# %% [markdown] hints="VideoDiscriminator"
# 1. Seven lines, one for each row of the table. Only the first and the last two need a thought.
# 2. `F.avg_pool3d(clips, (1, 2, 2))` averages 2 × 2 pixels and leaves time alone. `x.mean(dim=(2, 3, 4))` leaves batch
#    and channels.
# 3. `x = F.leaky_relu(self.first(x), SLOPE)`, the same for `second` and `third`; at the end
#    `self.score(x.mean(dim=(2, 3, 4)))[:, 0]`.

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
# ## Put it to work
#
# Your step, your judge, your penalty, your count. An `Arm` is one way to play: everything that the runs below have in
# common stands in `play`, everything in which they differ stands in `ARMS`.

# %%
@dataclass(frozen=True)
class Arm:
    """One way to play.

    Attributes:
        normalized: spectral norm in both judges.
        penalty: weight of the gradient penalty.
        pack: clips that the judges see side by side.
        branches: the judges.
        moves: of the generator, for each move of the judges.
        rate: learning rate of both.
    """

    normalized: bool = False
    penalty: float = 0.0
    pack: int = 1
    branches: tuple = ("image", "video")
    moves: int = 1
    rate: float = 3e-3


ARMS = {
    "no brake": Arm(),
    "gradient penalty": Arm(penalty=0.1),
    "spectral norm": Arm(normalized=True),
    "no video judge": Arm(normalized=True, penalty=0.1, branches=("image",)),
}
BATCH = 16


def play(arm, seed, pixels, num_steps, every):
    """Train from scratch; gives (steps done, the GAN) at first and after every `every` steps."""
    generator = seed_everything(seed)
    gan = VideoGAN(**PRESETS["ci"], branches=list(arm.branches), pack=arm.pack, normalized=arm.normalized)
    judges = gan.discriminators
    if "video" in judges.branches:  # yours
        judges.branches["video"] = VideoDiscriminator(3 * arm.pack, PRESETS["ci"]["judge_channels"], arm.normalized)
    optimizers = [torch.optim.Adam(p.parameters(), lr=arm.rate, betas=(0.0, 0.99)) for p in (gan.generator, judges)]
    yield 0, gan
    for step in range(1, num_steps + 1):
        chosen = torch.randint(len(pixels), (BATCH,), generator=generator)
        latents = torch.randn(1 + arm.moves, BATCH, gan.config.latent_dim, generator=generator)
        frames = torch.randint(WORLD.num_frames, (BATCH,), generator=generator)
        judge = partial(judges, frames=frames)
        adversarial_step(gan.generator, judge, optimizers, pixels[chosen].float() / 127.5 - 1, latents, arm.penalty)
        if step % every == 0 or step == num_steps:
            yield step, gan


def measures(gan, wanted, num_clips, seed=99):
    """Modes, frames and motion of clips by a GAN."""
    clips = gan.eval().sample(num_clips, torch.Generator().manual_seed(seed))
    gan.train()
    report = mode_report(clip_modes(read_sprites(clips, WORLD.fps)), wanted)
    at = torch.arange(num_clips) % WORLD.num_frames
    frames = clips[torch.arange(num_clips), :, at][:, :, None]  # (B, 3, 1, H, W): one frame of each
    looks = clip_modes(read_sprites(frames, WORLD.fps), ("shape", "color"))
    return {
        "known": report.known,
        "coverage": report.coverage,
        "effective_modes": report.effective_modes,
        "recall": report.recall,
        "frames": sum(look is not None for look in looks) / num_clips,
        "straightness": float(straightness(object_paths(clips)).mean()),
    }
