# %% [markdown]
# # Lab 02.3 · A tiny video GAN, and how it collapses
#
# **What you will have at the end:** a GAN of small clips, with one discriminator for pictures, one for motion and a
# training step that you wrote; a count of the modes it can make; and a run that collapses while that count falls.
#
# | | |
# |---|---|
# | time | about 90 minutes |
# | difficulty | ★★★★☆ |
# | before this | [lab 01.3](../01_tensors/03_optical_flow.ipynb); convolutions, `autograd`, an optimizer |
# | the world | sprites: one large object that moves straight over black, 40 kinds |
#
# | preset | clips `(T, H, W)` | steps of each live run | all cells take about |
# |---|---|---|---|
# | `ci` | (6, 20, 20) | 60 | 30 s |
# | `cpu` (default) | (6, 20, 20) | 80 | 1 min |
# | `gpu` | (6, 20, 20) | 320 | 2 min |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import json
import math
from collections import Counter
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from einops import rearrange

from common import show
from common.course import check, paths
from common.data.sprites.modes import ModeData
from common.evaluation.frames_and_motion import frames_and_motion
from common.evaluation.modes import clip_modes
from common.evaluation.sprite_reader import read_sprites
from common.models.video_gan import PRESETS, VideoGAN
from common.progress import progress_bar
from common.runtime import limit_threads, preset, seed_everything
from common.show.curves import Bands, draw_bands
from common.show.maps import draw_maps
from common.training.adversarial_losses import generator_hinge_loss

limit_threads()
WORLD = ModeData(num_frames=6, size=20)
NUM_READ = {"ci": 48, "cpu": 96, "gpu": 192}[preset()]  # clips that the reader reads to count modes

# %% [markdown]
# ## Where you are heading
#
# A finished GAN made these clips, each from 32 random numbers. Below: two clips of the world and three made ones.


# %% tags=["demo"] draws="Sixteen clips that a GAN made up, playing; then two real ones, three made ones."
def playing(clips, rows, caption=""):
    """A small looping sheet of clips, with so many rows."""
    sheet = rearrange(clips, "(a b) c t h w -> c t (a h) (b w)", a=rows)
    return show.player(sheet, fps=4, width=256, max_bytes=25_000, caption=caption)


finished = VideoGAN.from_pretrained("sprites-gan").eval()
made = finished.sample(NUM_READ, torch.Generator().manual_seed(3))
display(playing(made[:16], rows=2))
few = {f"real · {' '.join(WORLD.mode(i))}": WORLD.clips([i])[0] for i in range(2)}
show.strips(few | {f"made · {k}": made[k] for k in range(3)}, num_frames=6, width=60)

# %% [markdown]
# The generator never saw a real clip. It only hears what its judges think of its own clips.
#
# **A prediction.** A generator makes perfect red circles that move left, and nothing else. An ideal judge looks at its
# clips one at a time. What can it say against any of them? Write it down. The collapse near the end is the test.

# %% [markdown] about="discriminator_hinge_loss" difficulty=1 importance=4 minutes=5
# ## The hinge loss
#
# A GAN has two players. The **generator** $G$ turns a latent $z$ into a clip. The **discriminator** $D$, the judge,
# gives a clip a score: high for real, low for made. With the hinge loss it pays
#
# $$ L_D = \operatorname{mean} \max\bigl(0,\, 1 - D(x)\bigr) + \operatorname{mean} \max\bigl(0,\, 1 + D(G(z))\bigr). $$
#
# A real clip above 1 and a made one below −1 cost nothing. The judge's strength goes into what is still in doubt.

# %% exercise="discriminator_hinge_loss" from="common.training.adversarial_losses:discriminator_hinge_loss"

# %% check="discriminator_hinge_loss"

# %% [markdown] hints="discriminator_hinge_loss"
# 1. `F.relu(x)` is $\max(0, x)$. Which sign does the score have, for each of the two kinds?
# 2. `F.relu(1 - real_scores).mean()`, and the mirror image for the others.
# 3. Check `scores.numel() == 0` for both and raise `ValueError` with the shape. Convert with
#    `scores.to(torch.promote_types(scores.dtype, torch.float32))`. Then add the two means.

# %% [markdown] troubles="discriminator_hinge_loss"
# - **One easy sample pays for a hard one.** You take the mean before the hinge. Apply `relu` to every score first.
# - **The loss changes when I add more fake scores like the ones I have.** Real and fake scores have a mean each.
# - **The loss is inf in float16.** A sum of thousands of scores overflows. Convert to float32 first.

# %% [markdown] about="mode_report" difficulty=2 importance=5 minutes=15
# ## Mode collapse, counted
#
# A sheet of samples is where collapse goes unnoticed, because each sample is fine. So count before you look. This world
# has 40 kinds of clip (2 shapes × 5 colours × 4 directions), all equally frequent: its **modes**. A reader names the
# mode of a clip by measuring it, or says `None` where it cannot.
#
# | measure | the question | a collapsed generator | a perfect one |
# |---|---|---|---|
# | known | How many samples belong to this world? | can be 1 | 1 |
# | coverage | Is a mode there *at all*? | 1/40 | 1 |
# | entropy $-\sum_m p(m) \log p(m)$ | How evenly are the samples spread? | 0 | $\log 40 = 3.69$ |
# | recall $\frac1D \sum_m \min\bigl(n(m) \frac DN,\, d(m)\bigr)$ | Is a mode there *often enough*? | 1/40 | 1 |
#
# The docstring defines the symbols. $e^\text{entropy}$ is the number of equally frequent modes that would have this
# entropy. These **effective modes** are the curve of this lab.

# %% exercise="mode_report" from="common.evaluation.modes:mode_report"

# %% check="mode_report"

# %% [markdown] hints="mode_report"
# 1. Make two `Counter`s: one of the data's modes, and one of the samples' modes that are keys of the first.
# 2. `found.total()` is the number of known samples, `len(found)` the number of covered modes. For recall, scale each
#    count by `len(data) / len(samples)` before you compare it with the data's.
# 3. `entropy = sum(-n / num_known * math.log(n / num_known) for n in found.values())`. `recall = sum(min(n * scale,
#    wanted[m]) for m, n in found.items()) / len(data)`. Raise `ValueError` first: empty lists, a `None` in the data.

# %% [markdown] troubles="mode_report"
# - **ZeroDivisionError when nothing is known.** There are 0 known samples to divide by. Divide inside the sum.
# - **Entropy is too small when some samples are unread.** The $p(m)$ are fractions of the known samples, not of all.
# - **Recall rises when I draw more samples.** Scale $n(m)$ by $D / N$, where $N$ counts unread samples too.

# %% [markdown]
# Now measure the world itself, which gives the best numbers possible at this many clips, and the finished GAN.


# %%
def modes_of(clips):
    """The mode of each clip: shape, colour, direction; None where it could not be read."""
    return clip_modes(read_sprites(clips, WORLD.fps))


# %% tags=["demo"] draws="Clips of each mode: are any squares dark on the right?"
test_world = ModeData(num_frames=6, size=20, split="test")
real, truth = test_world.clips(range(NUM_READ)), [test_world.mode(i) for i in range(NUM_READ)]
wanted = [WORLD.mode(i) for i in range(480)]  # the modes of the data to compare with
wrong = sum(a != b for a, b in zip(modes_of(real), truth))
print(f"the reader: {wrong} of {NUM_READ} new clips misread\n")
print(f"{'':20}{'known':>8}{'coverage':>10}{'effective modes':>17}{'recall':>8}")
looks, ways, maps = list(dict.fromkeys(mode[:2] for mode in WORLD.modes)), ("left", "right", "up", "down"), {}
for name, clips in {"the world itself": real, "the finished GAN": made}.items():
    found = modes_of(clips)
    report = mode_report(found, wanted)
    print(f"{name:20}{report.known:8.2f}{report.coverage:10.2f}{report.effective_modes:17.1f}{report.recall:8.2f}")
    maps[name] = torch.tensor([[found.count((*look, way)) for way in ways] for look in looks])
names = [" ".join(reversed(look)) for look in looks]
draw_maps(maps, columns=ways, rows=names, colorbar=f"clips, of {NUM_READ}", cmap="magma", size=(4.2, 4.2))

# %% [markdown]
# **What to see.** Even the world itself misses 40 effective modes, because with so few clips the counts are never even.
# Read every number below against this ceiling.

# %% [markdown] about="VideoDiscriminator" difficulty=3 importance=5 minutes=15
# ## A discriminator for motion
#
# The first judge looks at single frames at full resolution. It is given (`ImageDiscriminator`), and it cannot know that
# frame 3 does not follow from frame 2. The second is yours. It sees *all* frames at **half the size**: enough to follow
# a thing, too little to care about its edges (MoCoGAN, DVD-GAN).
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
# `__init__` makes the layers, with **spectral norm** unless you say otherwise: each weight matrix is divided by its
# largest singular value. The GAN of this lab does without. Its brake is the penalty of the next exercise.

# %% exercise="VideoDiscriminator" from="common.models.video_gan:VideoDiscriminator" blank="forward"

# %% check="VideoDiscriminator"

# %% [markdown] hints="VideoDiscriminator"
# 1. Seven lines, one for each row of the table. Only the first and the last two need a thought.
# 2. `F.avg_pool3d(clips, (1, 2, 2))` averages 2 × 2 pixels and leaves time alone.
# 3. `x = F.leaky_relu(self.first(x), SLOPE)`, the same for `second` and `third`. At the end, `self.score(x.sum(dim=(2,
#    3, 4)))[:, 0]`.

# %% [markdown] troubles="VideoDiscriminator"
# - **A clip and its reverse get the same score.** You average over time before the convolutions. Average rows and
#   columns only.
# - **Every score is slightly off.** `F.leaky_relu` has a default slope of 0.01. Pass `SLOPE`.
# - **All scores are between 0 and 1.** The hinge loss wants any number, so no sigmoid.
# - **A clip's score depends on its neighbours.** The sum must not include the batch: axes 2, 3 and 4 only.

# %% [markdown]
# ### Negative control: no judge for motion
#
# Is a second judge worth it? `sprites-gan-frames` is the finished GAN with its motion destroyed: in each frame the
# latent is rotated in a different way. Every single frame is as likely as before, and nothing joins two. Then it
# trained for 500 more steps with the image judge alone. Does the motion come back? **Frames** is the fraction of single
# frames that show one object of the world. **Straightness** is the distance from an object's first to its last place,
# divided by the length of its path: 1 for this world's motion.

# %% tags=["demo"] draws="Two rows with the motion judge, two without: follow one object."
alone = VideoGAN.from_pretrained("sprites-gan-frames").eval()
untrained = VideoGAN(**PRESETS["cpu"]).eval()
table = {"the world itself": real, "both judges": made}
for name, gan in {"no judge for motion": alone, "untrained": untrained}.items():
    table[name] = gan.sample(NUM_READ, torch.Generator().manual_seed(3))
print(f"{'':22}{'frames':>8}{'straightness':>14}{'clips whose motion is read':>28}")
for name, clips in table.items():
    frames, straight = frames_and_motion(clips, WORLD.fps)
    lawful = sum(mode is not None for mode in modes_of(clips)) / len(clips)
    print(f"{name:22}{frames:8.2f}{straight:14.2f}{lawful:28.2f}")
both = torch.cat([table["both judges"][:8], table["no judge for motion"][:8]])
display(playing(both, rows=2, caption="above: both judges; below: no judge for motion"))
pairs = {f"{name} · {k}": table[name][k] for name in ("both judges", "no judge for motion") for k in range(2)}
show.strips(pairs, num_frames=6, width=60)

# %% [markdown]
# **What to see.** No *single* frame of the lower rows is wrong, as the frames measure agrees. Only a measure of motion
# sees the difference.

# %% [markdown] about="gradient_penalty" difficulty=3 importance=5 minutes=15
# ## The gradient penalty
#
# The generator learns from the *slope* of the judge's score: how to change a clip so that the score rises. A judge that
# is too steep sends all clips to the same cliff. So make steepness expensive, at the real clips $x$:
#
# $$ R_1 = \operatorname{mean}_x \bigl\lVert \nabla_{\!x}\, D(x) \bigr\rVert^2, \qquad L_D \leftarrow L_D +
# \tfrac{\gamma}{2} R_1. $$
#
# The unusual thing is that the *loss* contains a gradient. So the slope itself must be part of a graph that can be
# differentiated once more, by the judge's weights. `discriminator(real)` is `(B,)` or `(B, number of branches)`, the
# slope has the shape of `real`, and the result is a scalar.

# %% exercise="gradient_penalty" from="common.training.adversarial_losses:gradient_penalty"

# %% check="gradient_penalty"

# %% [markdown] hints="gradient_penalty"
# 1. You need samples of your own that ask for a gradient: `real.detach().requires_grad_(True)`.
# 2. Each sample's score depends on that sample alone, so the gradient of the *sum* of all scores holds each sample's
#    own slope. `torch.autograd.grad(output, input, create_graph=True)` returns a tuple.
# 3. `(slope,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)`, then
#    `slope.float().square().flatten(1).sum(dim=1).mean()`. For an empty batch raise `ValueError` with its shape.

# %% [markdown] troubles="gradient_penalty"
# - **The penalty is right, and no weight learns from it.** Without `create_graph=True` it is a constant.
# - **It shrinks when the batch grows.** You differentiate the *mean* score. Differentiate the sum.
# - **My weights have a .grad afterwards.** `backward()` writes everywhere. Use `torch.autograd.grad`.
# - **It is off by a constant factor.** $\lVert\cdot\rVert^2$ is a sum within a sample. Take a mean over samples only.

# %% [markdown] about="adversarial_step" difficulty=4 importance=5 minutes=20
# ## The training step: two optimizers
#
# Now the game. In one step the discriminator moves first, then the generator, against the discriminator *as it is now*:
#
# | | discriminator's move | generator's move |
# |---|---|---|
# | made from | `latents[0]` | `latents[1]`, then one more move for each further one |
# | loss | hinge loss + `penalty_weight` / 2 · penalty | $-\operatorname{mean} D(G(z))$ (`generator_hinge_loss`) |
#
# Three calls make a move: `zero_grad()` empties the gradients, `backward()` *adds* to them, and `step()` moves the
# weights. `backward()` knows no players. It fills every `.grad` that it can reach, and the generator's loss reaches
# through the judge.

# %% exercise="adversarial_step" from="common.training.adversarial:adversarial_step"

# %% check="adversarial_step"

# %% [markdown] hints="adversarial_step"
# 1. Write the discriminator's move first and run the check. Then write the generator's, in a loop over `latents[1:]`.
# 2. `with torch.no_grad(): fake = generator(latents[0])`. Then `loss`, `discriminator_optimizer.zero_grad()`,
#    `loss.backward()`, `discriminator_optimizer.step()`.
# 3. `penalty = gradient_penalty(discriminator, real) if penalty_weight else torch.zeros_like(loss)` and `loss = loss +
#    penalty_weight / 2 * penalty`. For each `z`: `generator_loss = generator_hinge_loss(discriminator(generator(z)))`,
#    then the same three calls. Return the three scalars with `.detach()`.

# %% [markdown] troubles="adversarial_step"
# - **The first step is right, the second is not.** A gradient of an earlier move is still there, perhaps one that the
#   other player's loss left. Empty the gradients just before your own `backward()`.
# - **The generator's weights are off.** The judge's loss reaches through its clips. Make them under `torch.no_grad()`.
# - **The generator follows an old judge.** Score its clips again after the judge has moved.
# - **Memory grows with every step.** A loss that keeps its graph keeps everything in it. Return it detached.

# %% [markdown]
# ## Put it to work: let it collapse
#
# Now *you* train the finished GAN further, with your step, your judge and your penalty, in four ways. The first is too
# fast: no penalty, and five times the learning rate that made the GAN. Which of the three brakes saves the modes? Guess
# before you run. **Spread** is how much clips of different latents differ, relative to the world's clips.


# %%
@dataclass(frozen=True)
class Arm:
    """One way to train."""

    penalty: float = 0.0  # weight of the gradient penalty
    rates: tuple = (8e-3, 8e-3)  # learning rates of the generator and of the judges


ARMS = {"no brake": Arm(), "two time scales": Arm(rates=(1e-3, 8e-3)), "small steps": Arm(rates=(1e-3, 1e-3)),
        "penalty alone": Arm(penalty=10)}

def players(finished):
    """The finished GAN's weights, with your judge for motion among the players."""
    shape = {name: finished.config[name] for name in ("num_frames", "size", "channels", "judge_channels")}
    gan = VideoGAN(**shape, normalized=False)
    gan.discriminators.branches["video"] = VideoDiscriminator(3, shape["judge_channels"], normalized=False)
    gan.load_state_dict(finished.state_dict())
    return gan.train()


def play(arm, seed, finished, pixels, num_steps, every):
    """Train further. Yields (steps done, the GAN) before the first step and after every `every` steps."""
    generator = seed_everything(seed)
    gan = players(finished)
    judges = gan.discriminators
    optimizers = [
        torch.optim.Adam(player.parameters(), lr=rate, betas=(0.0, 0.99))
        for player, rate in zip((gan.generator, judges), arm.rates)
    ]
    yield 0, gan
    for step in range(1, num_steps + 1):
        chosen = torch.randint(len(pixels), (16,), generator=generator)
        latents = torch.randn(2, 16, gan.config.latent_dim, generator=generator)
        frames = torch.randint(WORLD.num_frames, (16, 3), generator=generator)
        real, judge = pixels[chosen].float() / 127.5 - 1, partial(judges, frames=frames)
        adversarial_step(gan.generator, judge, optimizers, real, latents, arm.penalty)
        if step % every == 0 or step == num_steps:
            yield step, gan


def spread(clips):
    """How much clips differ: the standard deviation over clips, averaged over pixels."""
    return float(clips.std(dim=0).mean())


WORLDS_SPREAD = spread(WORLD.clips(range(240)))


def count(gan, num_clips, wanted):
    """Your report on the modes of a GAN, always from the same latents, and its spread relative to the world's."""
    clips = gan.sample(num_clips, torch.Generator().manual_seed(99))
    return mode_report(modes_of(clips), wanted), spread(clips) / WORLDS_SPREAD


# %% tags=["demo"] draws="Your own runs: the effective modes before and after."
calibration = paths.find_lab("02.3").tests.parent / "calibration" / "03_tiny_video_gan.json"
study = json.loads(calibration.read_text())["study"]
usual = study["num_steps"]
lengths = {"ci": (60, 20), "cpu": (usual, study["every"]), "gpu": (4 * usual, study["every"])}
NUM_STEPS, EVERY = lengths[preset()]
LIVE = list(ARMS)[: 2 if preset() == "ci" else 4]
pixels = WORLD.batch(range(1920))  # clips to train on
curves, ends = {name: [] for name in LIVE}, {}
with progress_bar(total=len(LIVE) * NUM_STEPS, unit="step") as bar:
    for name in LIVE:
        bar.set_description(name)
        for step, gan in play(ARMS[name], 0, finished, pixels, NUM_STEPS, EVERY):
            curves[name].append((step, count(gan, NUM_READ, wanted)))
            bar.update(step and EVERY)
        ends[name] = gan.eval()
print(f"{'your runs, seed 0':20}{'steps':>6}{'known':>7}{'coverage':>10}{'effective modes':>17}{'recall':>8}  spread")
for name, curve in curves.items():
    for step, (report, width) in (curve[0], curve[-1]):
        print(f"{name:20}{step:6}{report.known:7.2f}{report.coverage:10.2f}", end="")
        print(f"{report.effective_modes:17.1f}{report.recall:8.2f}{width:8.2f}")

# %% [markdown]
# One run is an anecdote. The same code ran the same arms under five seeds.

# %% tags=["demo"] draws="Four arms, five seeds each: which curves fall, and which come back?"
panels = {}
for title, measure in (("How many modes are left", "effective_modes"), ("How much of the data has a match", "recall")):
    runs, single = {}, {}
    for name in ARMS:
        points = list(study["arms"][name].values())  # one list per seed
        runs[name] = [point["step"] for point in points[0]], [[point[measure] for point in run] for run in points]
        mine = [(step, getattr(report, measure)) for step, (report, _) in curves.get(name, []) if step <= usual]
        single |= {name: tuple(zip(*mine))} if mine else {}
    panels[title] = Bands(measure.replace("_", " "), runs, single, ("the world itself", study["world"][measure]))
draw_bands(panels, "steps after the finished GAN", colors=("#b03a2e", "#1f6f8b", "#3a7d44", "#c28e0e"))

# %% [markdown]
# **What to see.** Bands reach from the worst seed to the best. Without a brake the modes go, in most seeds to the last
# one. Both ways of slowing down keep nearly all. The penalty alone loses nearly everything within 20 steps and wins
# more than half of it back: a brake on the judges does not slow the generator.
#
# ## The result to remember
#
# The finished GAN, and two of your runs. Column k of each has the same latent. When a GAN has collapsed, the same clip
# comes out whatever number goes in. It need not be one of the world's, and may even be empty.

# %% tags=["demo"] draws="Same latents, three GANs: in a collapsed one all columns look alike."
latents = torch.randn(4, 32, generator=torch.Generator().manual_seed(5))
shown = {}
for name, gan in {"finished": finished, **{name: ends[name] for name in LIVE[:2]}}.items():
    with torch.no_grad():
        shown[name] = gan(latents).sample
display(playing(torch.cat(list(shown.values())), rows=len(shown), caption="from above: " + ", ".join(shown)))
strips = {f"{name} · latent {k}": clips[k] for name, clips in shown.items() for k in range(2)}
show.strips(strips, num_frames=6, width=48)

# %% [markdown]
# **The prediction.** An ideal judge of single clips finds nothing wrong with any red circle. Its only lever is
# frequency: so many red circles make red circles suspicious, the generator runs to the next kind, and the judge
# follows. A brake gives the generator time to spread out. Or the judge looks at several clips *at once*, so that twins
# give themselves away: PacGAN does, and `VideoGAN(pack=2)` here.
#
# ## Try it
#
# How much faster may the generator become until its modes go?

# %%
PENALTY, RATES, STEPS = 10, (4e-3, 8e-3), {"ci": 10, "cpu": 80, "gpu": 320}[preset()]

for step, gan in play(Arm(PENALTY, RATES), 1, finished, pixels, STEPS, STEPS):
    report, width = count(gan.eval(), NUM_READ, wanted)
    gan.train()
    print(f"step {step}: {report.effective_modes:.1f} effective modes, recall {report.recall:.2f}, spread {width:.2f}")

# %% [markdown] tags=["folded"]
# ## Going further: an ablation
#
# The loss curve is no help. Log the two losses of `adversarial_step` in `play` for "no brake" and for "two time
# scales", and guess from the curves alone which one is losing its modes. Then look at the counts. Can you find any
# function of the losses that falls when the effective modes fall?

# %% [markdown]
# ## Honest limits
#
# - Collapse here is *provoked*, with learning rates that no one would choose. In large GANs it comes by itself.
# - The count needs a reader that knows the world. For real video there are precision and recall in a feature space.
#
# ## Yours now
#
# All five parts are the library's, and now yours. The adversarial loss outlived the GANs: see phases 5 and 10.
#
# **Next:** lab 02.4 splits the latent in two, one code for what a thing is and one for how it moves. **To read:**
# *GANs* (Goodfellow 2014, arXiv:1406.2661); the hinge (Lim, Ye 2017, arXiv:1705.02894); two time scales (Heusel et al.
# 2017, arXiv:1706.08500); the two judges (*DVD-GAN*, Clark et al. 2019, arXiv:1907.06571); *PacGAN* (Lin et al. 2017,
# arXiv:1712.04086); the penalty (Mescheder 2018, arXiv:1801.04406).
