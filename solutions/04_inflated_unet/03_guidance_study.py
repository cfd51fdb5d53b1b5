# %% [markdown]
# # Lab 04.3 · Guidance by text and by image
#
# **What you will have at the end:** two knobs where there was one. A picture says *what*, a sentence says *what
# happens*, and you decide how much each counts. You measure the whole grid, find the settings that nothing else beats,
# and see what breaks when a knob is turned too far. Nothing is trained.
#
# | | |
# |---|---|
# | time | about 60 minutes |
# | difficulty | ★★★ |
# | before this | [From a prompt to a clip](../../phases/06_dit_flow_matching/01_from_prompt_to_clip.ipynb) |
#
# | preset | grid, picture × text | clips in each cell | steps of the sampler | all cells take about |
# |---|---|---|---|---|
# | `ci` | 3 × 3 | 3 | 6 | 20 s |
# | `cpu` (default) | 5 × 5 | 12 | 10 | 5 min |
# | `gpu` | 5 × 5 | 64 | 20 | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import json

import matplotlib.pyplot as plt
import numpy as np
import torch

from common import show
from common.course import check, paths
from common.data.sprites.attributes import FPS
from common.diffusion import flow_levels, frame_levels, last, stochastic
from common.pipelines import TextToVideoPipeline
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.zoo.sprites_t2v.conflict import conflicts, scores

limit_threads()
plt.rcParams["figure.dpi"] = 75
SIZE = preset()
NUM_CLIPS, STEPS = {"ci": (3, 6), "cpu": (12, 10), "gpu": (64, 20)}[SIZE]
SCALES = (0.0, 1.0, 4.0) if SIZE == "ci" else (0.0, 1.0, 2.0, 4.0, 7.0)


def playing(clips, width=80):
    """Clips side by side, name to `(3, T, H, W)`, in a loop."""
    row = torch.cat(list(clips.values()), dim=3)
    return show.player(row, FPS, width=width * len(clips), max_bytes=50_000, caption=" | ".join(clips))


# %% [markdown]
# ## Where you are heading
#
# The picture shows one colour, and the sentence asks for another. Same noise, same weights, same picture, same
# sentence. Only two numbers differ.

# %% tags=["demo"] draws="One picture, one sentence, three pairs of strengths."
PIPE = TextToVideoPipeline.from_pretrained("sprites-t2v")
PIPE.set_progress_bar_config(disable=True)
ASKS = conflicts(NUM_CLIPS)


rows = {}
for a, b in ((2, 0), (1, 1), (1, 4)):
    options = {"image_guidance_scale": a, "guidance_scale": b, "num_inference_steps": 12, "generator": [0]}
    rows[f"picture {a}, text {b}"] = PIPE(ASKS.prompts[:1], ASKS.pictures[:1], **options).frames[0]
print(f"The picture shows: {ASKS.shown[0].objects[0].color}. The sentence: {ASKS.prompts[0]!r}")
playing(rows, width=150)

# %% [markdown]
# **Before you read on, a prediction.** Turn the text up, and what gives way first: the picture's colour, or the calm of
# the motion? Turn the picture up instead: is there a strength at which the sentence is no longer heard? Write it down.

# %% [markdown] about="dual_guidance" difficulty=1 importance=5 minutes=5
# ## Two strengths
#
# **Classifier-free guidance** asks a model twice and goes on in the direction of the difference. With two conditions it
# asks three times: with neither ($\varnothing$), with the picture alone, with both. The path from neither to both has
# two legs, and each gets a strength:
#
# $$ v = v_\varnothing + g_\text{image} \, (v_\text{image} - v_\varnothing)
#    + g_\text{text} \, (v_\text{both} - v_\text{image}) . $$
#
# At (1, 1) that is `both`. With two equal strengths the middle drops out, and plain guidance is left.

# %% exercise="dual_guidance" from="common.diffusion.dual_guidance:dual_guidance"

# %% check="dual_guidance"

# %% [markdown] hints="dual_guidance"
# 1. Each difference is one leg of the way. Where does the second begin?
# 2. The picture's leg goes from `uncond` to `image`, the text's from `image` to `both`.
# 3. After the two `ValueError`s: `uncond + image_scale * (image - uncond) + text_scale * (both - image)`.

# %% [markdown] troubles="dual_guidance"
# - **At (1, 1) the text counts twice.** The second leg begins at `image`, not at `uncond`.

# %% [markdown] about="hide_first_frame" difficulty=3 importance=5 minutes=12
# ## How to withhold a picture
#
# A text is withheld by an empty sentence. And a picture? In image-to-video it *is* the first latent frame: clean, at
# level 0, beside frames full of noise. To ask "and without it?", the first frame must look as it would in
# text-to-video, where all frames have the same level:
#
# $$ x_1 \leftarrow (1 - s) \, x_1 + s \, \varepsilon , \qquad \text{level}_1 \leftarrow s . $$
#
# | quantity | shape | here |
# |---|---|---|
# | `x` | `(B, C, T', H, W)` | (12, 16, 5, 8, 8), the first of 5 frames clean |
# | `level` | `(B, T')` | (0, s, s, s, s) |
# | `eps` | `(B, C, 1, H, W)` | the same noise at every step |
#
# Leave it clean, and the picture leaks into the answer that should not know it: the first leg is then zero.

# %% exercise="hide_first_frame" from="common.diffusion.dual_guidance:hide_first_frame"

# %% check="hide_first_frame"

# %% [markdown] hints="hide_first_frame"
# 1. Which level do the other frames have? It is the largest of the sample's row.
# 2. `s = level.amax(dim=1)` is `(B,)`. To meet `(B, C, 1, H, W)` it needs four more axes.
# 3. `first = (1 - share) * x[:, :, :1] + share * eps`, then `torch.cat([first, x[:, :, 1:]], dim=2)`, and
#    `s[:, None].repeat(1, x.shape[2])`.

# %% [markdown] troubles="hide_first_frame"
# - **Other samples change too.** Each has its own level.
# - **"inputs were changed".** `x[:, :, 0] = …` writes into the sampler's own latents. Build a new tensor.

# %% [markdown]
# Your function, three predictions. All frames but the first are pure noise: what does each take for the clean clip?

# %% tags=["demo"] draws="What the model believes with neither, with the picture, with both."
with torch.no_grad():
    text, nothing = PIPE.encode_prompt(ASKS.prompts[:1], [""])
    noise = torch.randn(1, 16, 5, 8, 8, generator=torch.Generator().manual_seed(3))
    picture = PIPE.encode_image(ASKS.pictures[:1])
    x = torch.cat([picture, noise[:, :, 1:]], dim=2)
    level = torch.tensor([[0.0, 1.0, 1.0, 1.0, 1.0]])
    hidden, one_level = hide_first_frame(x, level, noise[:, :, :1])
    asked = {"neither": (hidden, one_level, nothing), "picture": (x, level, nothing), "both": (x, level, text)}
    beliefs = {}
    for name, (clip, levels, words) in asked.items():
        velocity = PIPE.velocity(clip, levels, *words)
        beliefs[name] = PIPE.decode(clip - levels[:, None, :, None, None] * velocity)[0]
show.strips(beliefs, num_frames=9, width=60)

# %% [markdown]
# **What to see.** *Neither* sees the average of everything. *Picture* keeps the scene, and its object melts, since it
# does not know where that will go. *Both* drops the picture's colour at once: the sentence asks for another.

# %% [markdown]
# Put them together: one call of the model for all three predictions, your two functions around it, and a sampler.

# %%
def guided(text, nothing, eps, image_scale, text_scale, rescale=0.0):
    """The velocity with two strengths, as a sampler calls it."""

    def velocity(x, level):
        hidden, one_level = hide_first_frame(x, level, eps)
        words = [torch.cat([no, no, yes]) for no, yes in zip(nothing, text)]
        three = PIPE.velocity(torch.cat([hidden, x, x]), torch.cat([one_level, level, level]), *words)
        uncond, image, both = three.chunk(3)
        v = dual_guidance(uncond, image, both, image_scale, text_scale)
        return rescale_guidance(v, both, rescale) if rescale else v

    return velocity


@torch.no_grad()
def drawn(image_scale, text_scale, generators=None, rescale=0.0, count=NUM_CLIPS, away_from=""):
    """The first clips of the conflict, `(count, 3, 17, 64, 64)`; clip `i` begins with the noise of seed `i`."""
    generators = generators or [torch.Generator().manual_seed(i) for i in range(count)]
    noise = torch.stack([torch.randn(16, 5, 8, 8, generator=g) for g in generators])
    texts = PIPE.encode_prompt(ASKS.prompts[:count], [away_from] * count)
    x = torch.cat([PIPE.encode_image(ASKS.pictures[:count]), noise[:, :, 1:]], dim=2)
    levels = frame_levels(flow_levels(STEPS, 4.0), 5, num_clean=1)
    velocity = guided(*texts, noise[:, :, :1], image_scale, text_scale, rescale)
    return PIPE.decode(last(stochastic(velocity, x, levels, 1.0, generators)))


one = drawn(2.0, 3.0, count=1)
options = {"image_guidance_scale": 2.0, "guidance_scale": 3.0, "num_inference_steps": STEPS}
theirs = PIPE(ASKS.prompts[:1], ASKS.pictures[:1], generator=[0], **options).frames
print(f"yours and the pipeline's, largest difference: {(one - theirs).abs().max():.0e}")

# %% [markdown] about="paired_sweep" difficulty=2 importance=4 minutes=10
# ## A grid, from the same noise
#
# Two settings are compared fairly when they differ in nothing else. So each cell of the grid draws the same clips from
# **the same noise**: paired samples. A generator that has been used once gives other numbers the second time. Each cell
# needs new ones with the old seeds.
#
# | quantity | shape |
# |---|---|
# | `rows`, `columns`, `seeds` | R, C and N of them |
# | `measure(row, column, generators)` | name to N values |
# | result | name to `(R, C, N)` |

# %% exercise="paired_sweep" from="common.evaluation.sweep:paired_sweep"

# %% check="paired_sweep"

# %% [markdown] hints="paired_sweep"
# 1. Two loops, rows outside. What must be made anew inside the inner one?
# 2. `[torch.Generator().manual_seed(seed) for seed in seeds]`. An iterator can be read once: make lists first.
# 3. Collect the cells in a list, then for each name `np.array([cell[name] for cell in cells]).reshape(R, C, N)`.

# %% [markdown] troubles="paired_sweep"
# - **The first cell is right, the others are not.** The generators went on from where the cell before left them.

# %% [markdown]
# ## The result to remember
#
# The whole grid, on your functions. **Baseline**: the cell (1, 1), the model as it was trained. **Negative control**:
# another clip's sentence.

# %%
cells = progress_bar(total=len(SCALES) ** 2, desc="your grid", unit="cell")


def measure(image_scale, text_scale, generators):
    cells.update()
    return scores(ASKS, drawn(image_scale, text_scale, generators))


grid = {name: values.mean(axis=-1) for name, values in paired_sweep(measure, SCALES, SCALES, range(NUM_CLIPS)).items()}

# %% tags=["demo"] draws="Your grid: whose colour wins, what moves, and how much."
TITLES = {"text": "the sentence's colour", "picture": "the picture's colour", "motion": "moves as asked",
          "change": "change per frame, of real clips'"}  # fmt: skip


def heat_maps(grid, scales, title):
    figure, axes = plt.subplots(1, 4, figsize=(12, 3.1), layout="constrained")
    for axis, (name, what) in zip(axes, TITLES.items()):
        values = np.array(grid[name])
        axis.imshow(values, origin="lower", cmap="viridis", vmin=0, vmax=max(1, values.max()))
        for (row, column), value in np.ndenumerate(values):
            shade = "white" if value < 0.6 * max(1, values.max()) else "black"
            axis.text(column, row, f"{value:.2f}", ha="center", va="center", color=shade, fontsize=8)
        axis.set(xticks=range(len(scales)), yticks=range(len(scales)), title=what, xlabel="strength of the text")
        axis.set_xticklabels([f"{scale:g}" for scale in scales])
        axis.set_yticklabels([f"{scale:g}" for scale in scales])
    axes[0].set_ylabel("strength of the picture")
    figure.suptitle(title, fontsize=11)
    plt.show()


heat_maps(grid, SCALES, f"Your grid: share of {NUM_CLIPS} clips per cell, {STEPS} steps")
one = SCALES.index(1.0)  # the baseline's row and column
best = np.unravel_index(grid["motion"].argmax(), grid["motion"].shape)
print(f"moves as asked: {grid['motion'][one, one]:.0%} at (1, 1), {grid['motion'][best]:.0%} at picture "
      f"{SCALES[best[0]]:g}, text {SCALES[best[1]]:g}")

# %% tags=["demo"] draws="The same grid, larger, measured once: 32 clips in each cell."
record = json.loads((paths.find_lab("04.3").tests.parent / "calibration" / "03_guidance_study.json").read_text())
heat_maps(record["grid"], record["scales"], f"Stored: {record['num_clips']} clips per cell, the same seeds in each")
half = 1.96 * (0.25 / record["num_clips"]) ** 0.5
print(f"a share of {record['num_clips']} clips is known to ± {half:.0%} at most; paired differences better")

# %% [markdown]
# **What to see.** In the stored grid, with a text of 0 hardly anything moves as asked, and the picture's colour stays
# as long as the picture counts at all. At 2 the sentence's colour has taken over. Go up the column of 1: the same
# sentence is outvoted by the picture, from 88 % against none to 34 against 56. And each knob has an end. At a text of
# 7 the clips flicker three to seven times as much as real ones, and few move as asked.

# %% tags=["demo"] draws="The control: another clip's sentence, live for one clip, stored for 32."
another = ASKS.prompts[1:] + ASKS.prompts[:1]
away = drawn(1.0, 4.0, count=1, away_from=another[0])[0]
display(playing({"as asked": drawn(1.0, 4.0, count=1)[0], "led away from another's": away}, width=120))
cell = [record["scales"].index(1.0), record["scales"].index(4.0)]
rows = {"as asked": {name: record["grid"][name][cell[0]][cell[1]] for name in TITLES}}
rows |= record["controls_at_picture_1_text_4"]
print(f"picture 1, text 4, {record['num_clips']} clips:".ljust(36) + "".join(f"{what:>16}" for what in list(TITLES)))
for name, row in rows.items():
    print(f"{name:36}" + "".join(f"{row[n]:16.2f}" if n == "change" else f"{row[n]:16.0%}" for n in TITLES))

# %% [markdown]
# **What to see.** Asked for another clip's sentence, next to none of the clips move as this one should, and the colour
# is luck. Led *away* from another's sentence, half still do what they are asked, and all flicker more: the empty
# sentence is the calm place to start from.

# %% [markdown] about="pareto_front" difficulty=2 importance=4 minutes=8
# ## The settings that nothing else beats
#
# More motion as asked, or a picture that is held: there is no best cell, but there are bad ones. One setting
# **dominates** another if it is at least as good at everything and better at something. What nothing dominates is the
# **Pareto front**.

# %% exercise="pareto_front" from="common.evaluation.sweep:pareto_front"

# %% check="pareto_front"

# %% [markdown] hints="pareto_front"
# 1. Compare every point with every other: `points[:, None] >= points` is `(N, N, D)`.
# 2. "At least as good along every axis" is `.all(axis=-1)`, "better along one" is `.any(axis=-1)` of `>`.
# 3. `~(as_good & better).any(axis=0)`: axis 0 has the ones that may beat a point, axis 1 the point.

# %% [markdown] troubles="pareto_front"
# - **Two equal points throw each other out.** Equal is not better: one axis needs a true `>`.

# %% tags=["demo"] draws="The stored grid as points; the front in colour."
scales, names = record["scales"], ("motion", "picture")
points = np.stack([np.array(record["grid"][name]).ravel() for name in names], axis=-1)
front = pareto_front(points)
figure, axis = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
axis.scatter(*points.T, color="0.75", label="dominated")
axis.scatter(*points[front].T, color="#b3541e", label="Pareto front")
labels = {}
for index in np.flatnonzero(front):
    strengths = [f"{scales[k]:g}" for k in divmod(index, len(scales))]
    labels.setdefault(tuple(points[index]), []).append(", ".join(strengths))
for place, cells_there in labels.items():
    axis.annotate(" / ".join(cells_there), place, xytext=(6, 4), textcoords="offset points", fontsize=8)
axis.set(xlabel="moves as asked, share of clips", ylabel="keeps the picture's colour", xlim=(-0.05, 1.1))
axis.set_title("Strengths of picture, text. Up and to the right is better", fontsize=10)
axis.legend(loc="center left")
plt.show()

# %% [markdown]
# **What to see.** The sentence asks for both, another colour *and* a motion. Whoever wants the motion in the picture's
# colour pays: no setting has nearly all of one and much of the other.

# %% [markdown] about="rescale_guidance" difficulty=3 importance=3 minutes=10
# ## Too strong: give the size back
#
# Guidance makes predictions longer, not only different. **Guidance rescale** gives each sample the standard deviation
# that the prediction with every condition had, in part:
#
# $$ \hat v = v \, \frac{\sigma(v_\text{both})}{\sigma(v)} , \qquad v' = \varphi \, \hat v + (1 - \varphi) \, v . $$

# %% exercise="rescale_guidance" from="common.diffusion.dual_guidance:rescale_guidance"

# %% check="rescale_guidance"

# %% [markdown] hints="rescale_guidance"
# 1. One number per sample: over which axes is the standard deviation taken?
# 2. `x.flatten(1).std(dim=1)` is `(B,)`. It must meet `(B, ...)`: `.reshape(-1, *[1] * (guided.ndim - 1))`.
# 3. In float32 at least: `exact = torch.promote_types(guided.dtype, torch.float32)`. Where the standard deviation of
#    `guided` is 0 the factor is 1: `torch.where(std > 0, wanted / std, 1)`.

# %% [markdown] troubles="rescale_guidance"
# - **nan for a constant sample.** 0 / 0. Choose with `torch.where`.

# %% tags=["demo"] draws="The largest text, plain and rescaled: two clips, and the stored numbers."
far = {f"rescale {share:g}": drawn(1.0, 7.0, rescale=share, count=1)[0] for share in (0.0, record["rescale"])}
display(playing(far, width=120))
display(show.strips(far, num_frames=9, width=60))
print(f"text {scales[-1]:g}, {record['num_clips']} clips per row:   moves as asked    change, of real clips'")
for k, scale in enumerate(scales):
    plain, tamed = record["grid"], record["rescaled_at_the_largest_text"]
    motion, change = ((plain[name][k][-1], tamed[name][k]) for name in ("motion", "change"))
    print(f"   picture {scale:<4g}  {motion[0]:20.0%} -> {motion[1]:.0%} {change[0]:18.1f} -> {change[1]:.1f}")

# %% [markdown]
# **What to see.** A text of 7 ruined the clips, and not because it points the wrong way. It was only too long. With its
# size given back, more than half move as asked again, about as many as at a text of 2.

# %% [markdown]
# ## Try it
#
# Any two strengths, any rescale. Below 1 a condition counts for less than it did in training.

# %%
IMAGE_SCALE, TEXT_SCALE, RESCALE = 3.0, 2.0, 0.0

chosen = drawn(IMAGE_SCALE, TEXT_SCALE, rescale=RESCALE, count=1)[0]
playing({"your strengths": chosen, "(1, 1)": drawn(1, 1, count=1)[0]}, width=120)

# %% [markdown] tags=["folded"]
# ## Going further: what each strength means elsewhere
#
# InstructPix2Pix (arXiv:2211.09800), from which the formula is, walks image first. Walk text first, and the same two
# numbers mean something else. Open-Sora 2 asks for 7.5 and 3.0, and lets the picture's strength oscillate.
# DynamiCrafter calls it `--multiple_cond_cfg`. In diffusers it is `image_guidance_scale`, and `guidance_rescale`.
#
# **An ablation.** Hide the first frame with new noise at every step. Does the grid change?

# %% [markdown]
# ## Honest limits
#
# - The first frame itself is never at risk: this model is *given* it, clean, at every step. What the picture's strength
#   decides is how long the rest of the clip remembers it.
# - Three predictions per step cost half as much again as two.
# - One world, one model, and a conflict made on purpose. Where picture and sentence agree, there is less to win.
#
# ## Yours now
#
# `flipbook generate "a small red star moves left over a blue field" --image picture.png --image-guidance 2 --mine` runs
# on your functions, once this notebook is saved in `work/`.
#
# **Next:** 04.4, a second model that makes the picture larger. **To read:** *InstructPix2Pix* (arXiv:2211.09800),
# *Common Diffusion Noise Schedules and Sample Steps are Flawed* (arXiv:2305.08891).
