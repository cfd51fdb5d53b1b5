# %% [markdown]
# # Lab 02.2 · Frame interpolation
#
# **What you will have at the end:** a network that draws the frame between two frames of a film, with moving parts that
# you wrote; its score beside three methods that need no training; and its worst failures, each with a name.
#
# | | |
# |---|---|
# | time | about 75 minutes |
# | difficulty | ★★☆☆☆ |
# | before this | [lab 01.3, optical flow](../01_tensors/03_optical_flow.ipynb): what a flow means, backward warping |
# | the film | shots of *Big Buck Bunny*, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0 |
#
# | preset | training squares `(T, H, W)` | steps | film frames measured, (3, 96, 171) each | all cells take about |
# |---|---|---|---|---|
# | `ci` | (3, 32, 32) | 8 | 16 | 20 s |
# | `cpu` (default) | (3, 48, 48) | 400 | 137 | 3 min |
# | `gpu` | (3, 48, 48) | 4000 | 531 | 5 min |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import math

import torch
import torch.nn.functional as F

from common import flow as library
from common import show, zoo
from common.course import check
from common.data.between_scenes import disc_before_plane, sliding_fence
from common.data.triplets import TripletData, film_triplets
from common.evaluation.interpolation import picture_scores
from common.evaluation.interpolation_failures import worst_squares
from common.evaluation.interpolators import lead_over_mean, reach, score_methods
from common.models import interpolator as finished
from common.progress import progress_bar
from common.runtime import limit_threads, preset, seed_everything
from common.show.curves import draw_curves, draw_trends
from common.show.maps import draw_maps
from common.tensor_ops import from_uint8
from common.training import Settings, muon
from common.training.short_run import short_run
from common.zoo.card import read_card
from common.zoo.film_interpolator.recipe import compute_loss

SIZES = {"ci": (32, 8, 48, 1e-3), "cpu": (48, 400, 4, 3e-3), "gpu": (48, 4000, 1, 3e-3)}
SQUARE, STEPS, EVERY, LEARNING_RATE = SIZES[preset()]
WEIGHTS = "film-interpolator"
limit_threads()

# %% [markdown]
# ## Where you are heading
#
# Two frames of a shot, a sixth of a second apart, and the film's own frame midway. The mean of both shows everything
# that moves twice. The network finds where each pixel came from, and fetches it.


# %% tags=["demo"] draws="First, last, their mean, the network's middle, and the truth."
def sheet(pictures, labels, columns, width=150):
    """Pictures `(1, 3, H, W)` in reading order."""
    return show.contact_sheet(torch.cat(pictures).transpose(0, 1), columns=columns, width=width, labels=labels)


def decibels(picture, target):
    """PSNR of one picture, as a label says it."""
    return f"{picture_scores(picture, target)['psnr'].item():.1f} dB"


reference = finished.Interpolator.from_pretrained(WEIGHTS).eval().requires_grad_(False)
leap = film_triplets(("leap",), (2,)).pictures([10])
first, middle, last = leap
mean = library.average_frames(first, last)
made = reference(first, last)
clip = torch.cat([first, made, last]).clamp(-1, 1).transpose(0, 1)
display(show.player(clip, fps=6, max_bytes=40_000, caption="first, the network's middle, last"))
names = ["first", "last", f"mean · {decibels(mean, middle)}", f"network · {decibels(made, middle)}", "the truth"]
sheet([first, last, mean, made, middle], names, columns=5)

# %% [markdown]
# **A prediction.** A fence of equal stakes moves to the right, by exactly one stake and one gap from the first frame to
# the last. What will a method that looks for the best match put in the middle: the fence half a step further, the fence
# where it was, or a blur of both? Write it down. A cell near the end measures it.

# %% [markdown] about="fuse" difficulty=2 importance=5 minutes=5
# ## Occlusion: what one side hides
#
# An interpolator warps both frames to the middle and has two candidates for every pixel. Where they differ, something
# usually moved in front of something else, and one frame alone shows the background. Let $V_0, V_1$ say how visible a
# pixel is in either frame, from 0 to 1. At time $t$ (Super SloMo)
#
# $$ w_0 = (1 - t)\,(V_0 + \epsilon), \quad w_1 = t\,(V_1 + \epsilon), \qquad
#    \hat I_t = \frac{w_0\,\hat I_{0 \to t} + w_1\,\hat I_{1 \to t}}{w_0 + w_1}. $$
#
# $\epsilon$ is `FAINT`, a thousandth: where *neither* side sees a pixel, the mean by time remains.

# %% exercise="fuse" from="common.flow.between:fuse"

# %% check="fuse"

# %% [markdown] hints="fuse"
# 1. Two weights `(B, 1, H, W)`, a weighted sum, a division by the sum of the weights. The masks broadcast.
# 2. `weight_first = (1 - time) * (visible_first.to(warped_first.dtype) + FAINT)`, and the mirror image.
# 3. `(weight_first * warped_first + weight_last * warped_last) / (weight_first + weight_last)`, after the errors.

# %% [markdown] troubles="fuse"
# - **Half-visible pixels turn grey.** The division by the sum of the weights is missing.
# - **Pixels that neither side sees come out black.** Give each side a weight of its own, not a mask and its complement.
# - **Everything is right at 1/2 and wrong at 1/4.** The nearer frame counts *more*: at 1/4 that is the first.

# %% [markdown]
# Here is what it is worth, where everything is known: a disc slides to the left in front of a plane that slides to the
# right. The flows and the visibility are exact. Each warped picture has a false piece of the disc where the disc was in
# the way. In the mean both ghosts remain, half as strong. With the masks they are gone.

# %% tags=["demo"] draws="A disc before a plane: find the ghosts beside it, and where they vanish."
scene = disc_before_plane()
both = torch.ones_like(scene.visible_first)
sides = library.warp(scene.first, scene.to_first), library.warp(scene.last, scene.to_last)
pictures = [*sides, fuse(*sides, both, both), fuse(*sides, scene.visible_first, scene.visible_last)]
names = ("the first, warped", "the last, warped", "their mean", "fused by visibility")
labels = [f"{name} · {decibels(picture, scene.middle)}" for name, picture in zip(names, pictures)]
sheet([*pictures, scene.middle], [*labels, "the truth"], columns=5)

# %% [markdown] about="warp_to_time" difficulty=2 importance=5 minutes=10
# ## Intermediate flow
#
# You have the flow from the first picture to the last, $F_{0 \to 1}$, and the one back, $F_{1 \to 0}$. But backward
# warping wants flows that start at time $t$. If neighbouring pixels move alike and evenly, the motion at a pixel is
# about the same at every moment. Then $F_{t \to 0}$ is about $-t\,F_{0 \to 1}$, or $t\,F_{1 \to 0}$. Super SloMo mixes
# both, and the nearer end counts more:
#
# $$ F_{t \to 0} = -(1 - t)\,t\,F_{0 \to 1} + t^2\,F_{1 \to 0}, \qquad
#    F_{t \to 1} = (1 - t)^2\,F_{0 \to 1} - t\,(1 - t)\,F_{1 \to 0}. $$
#
# Then each end is warped by the flow that *leads to it*. For one object that moves by $(8, 0)$, at $t = 1/4$, the first
# picture is fetched from $(-2, 0)$ and the last from $(6, 0)$. `warp` from lab 01.3 is here, as the library has it.

# %% exercise="warp_to_time" from="common.flow.between:warp_to_time"

# %% check="warp_to_time"

# %% [markdown] hints="warp_to_time"
# 1. First the two flows that start at `time`, then two calls of `warp`. Nothing needs a loop.
# 2. `to_first = -(1 - time) * time * forward + time**2 * backward`. At `time = 0`, `to_last` must be `forward`.
# 3. `return warp(first, to_first), warp(last, to_last)`, after a `ValueError` for a wrong time or for unequal shapes.

# %% [markdown] troubles="warp_to_time"
# - **Everything moves twice the wrong way.** The flows are crossed. The flow to the first picture warps the *first*.
# - **It passes at 1/2 and fails at 1/4.** Many wrong formulas are right at 1/2. Test at 1/4.
# - **Nothing moves at all.** With a plus in place of the first minus the two flows cancel.

# %% [markdown]
# With your two parts, a flow by OpenCV (DIS, 2016) is already an interpolator, and the baseline to beat. It lacks the
# masks, which no one gives us for a film, and a flow that was made for this. Both can be learned.

# %% tags=["demo"] draws="Your two parts with a flow by OpenCV, at four moments."
first, middle, last = leap
ways = library.dis(first, last), library.dis(last, first)
seen, times = torch.ones_like(first[:, :1]), (0.25, 0.5, 0.75)
between = [fuse(*warp_to_time(first, last, *ways, time), seen, seen, time) for time in times]
print(f"the middle: {decibels(between[1], middle)}")
sheet([first, *between, last], ["first", "1/4", "1/2", "3/4", "last"], columns=5)

# %% [markdown] about="FeaturePyramid" difficulty=2 importance=4 minutes=10
# ## The shared feature pyramid
#
# A network that trained on motions of three pixels does not know motions of twelve. But in a picture of a quarter of
# the size twelve pixels *are* three. So FILM ("frame interpolation for large motion") looks at every size with the
# **same weights**. For that a pixel must be described alike at each size: `fine` sees 3×3 pixels, and `coarse` sees 3×3
# of what the fine one made and halves the size. A level has the fine features of *this* size and the coarse ones that
# come *from the size above*:
#
# | size | fine, $C_0$ channels | coarse, $C_1$ channels | features of this level |
# |---|---|---|---|
# | $H \times W$ | $f_0 = \text{SiLU}(\text{fine}(I_0))$ | | none |
# | $H/2 \times W/2$ | $f_1 = \text{SiLU}(\text{fine}(I_1))$ | $\text{SiLU}(\text{coarse}(f_0))$ | both, $C_0 + C_1$ |
# | $H/4 \times W/4$ | $f_2 = \text{SiLU}(\text{fine}(I_2))$ | $\text{SiLU}(\text{coarse}(f_1))$ | both, $C_0 + C_1$ |
#
# $I_1, I_2, …$ are the picture, `halve`d once, twice, …: `num_levels` sizes in all.

# %% exercise="FeaturePyramid" from="common.models.interpolator:FeaturePyramid" blank="forward"

# %% check="FeaturePyramid"

# %% [markdown] hints="FeaturePyramid"
# 1. Three lists: the pictures at `num_levels` sizes, the fine features of each, the coarse features of all but the
#    smallest. Then pair them up.
# 2. `sizes.append(halve(sizes[-1]))`, `num_levels - 1` times; `fine = [F.silu(self.fine(size)) for size in sizes]`.
# 3. `coarse = [F.silu(self.coarse(features)) for features in fine[:-1]]`, and the answer is
#    `[torch.cat(pair, dim=1) for pair in zip(fine[1:], coarse)]`.

# %% [markdown] troubles="FeaturePyramid"
# - **The first level is right and the smaller ones are not.** You halve the *features*. Halve the picture.
# - **Values below -0.3 appear.** SiLU never goes that low: it is missing after one of the layers.
# - **Fine texture flickers in the small sizes.** You take every other pixel without smoothing. Use `halve`.

# %% [markdown] about="matching_cost" difficulty=3 importance=5 minutes=15
# ## The cost volume
#
# A network that guesses a motion from two stacks of features must first learn to match. Hand it the matches instead.
# Look at a pixel of the picture **midway**. If something passes through it, evenly, with a motion of $(d_x, d_y)$ in
# half the time, it was at $(x - d_x, y - d_y)$ in the first picture and is at $(x + d_x, y + d_y)$ in the last:
#
# $$ \text{cost}_{d_x, d_y}(x, y) = \operatorname{mean}_c \bigl| A_c(x - d_x, y - d_y) - B_c(x + d_x, y + d_y) \bigr| $$
#
# No picture of the middle is needed, which is lucky, because there is none. With `radius` $r$, $d_x$ and $d_y$ go from
# $-r$ to $r$, and the result is `(B, (2r + 1)², H, W)`: dy slow, dx fast, no motion in the middle channel.

# %% exercise="matching_cost" from="common.flow.between:matching_cost"

# %% check="matching_cost"

# %% [markdown] hints="matching_cost"
# 1. Pad both pictures by `radius` on all sides, once, with `mode="replicate"`. Then every shift is a slice.
# 2. In a picture padded by $r$, $A(x - d_x, y - d_y)$ for all pixels at once is
#    `before[..., radius - dy : radius - dy + height, radius - dx : radius - dx + width]`.
# 3. In two loops, over dy and dx, append `(there - here).abs().mean(dim=1)`, and then `torch.stack(costs, dim=1)`.

# %% [markdown] troubles="matching_cost"
# - **Only half the motion is found.** You move one of the two pictures. Both move, in opposite directions.
# - **Costs near the border are wrong.** `torch.roll` brings in the opposite border. The nearest border pixel counts.
# - **Every motion is found mirrored.** The signs are swapped.

# %% [markdown]
# The costs at three pixels that move to the right, by 4 pixels from first to last, so by $(2, 0)$ in half the time.

# %% tags=["demo"] draws="The darkest square is the best match; the cross is the truth."
y, x = torch.meshgrid(torch.arange(48) * 1.0, torch.arange(48) * 1.0, indexing="ij")
patterns = {
    "a corner": lambda x: ((x > 23.5) & (y > 23.5)) * 1.6 - 0.8,
    "an edge": lambda x: ((x + y) > 47.5) * 1.6 - 0.8,
    "stakes, 4 px apart": lambda x: 0.8 * torch.cos(2 * math.pi * x / 4),
}
maps = {}
for name, pattern in patterns.items():
    first, last = (pattern(x - moved)[None, None] for moved in (-2.0, 2.0))  # 4 px to the right in all
    cost = F.avg_pool2d(matching_cost(first, last, 3), 9, 1, 4)  # a pixel and its neighbourhood, (1, 49, 48, 48)
    maps[name] = cost[0, :, 24, 24].reshape(7, 7)
draw_maps(maps, mark=(2, 0), xlabel="dx (px, half the way)", ylabel="dy (px)", aspect="equal")

# %% [markdown]
# **What to see.** A corner has one answer. An edge has a valley of them: no one can see it slide along itself. The
# stakes fit again after every period. The surroundings must decide between equals.

# %% [markdown] about="Interpolator" difficulty=3 importance=5 minutes=20
# ## Coarse-to-fine motion, both ways
#
# `MotionStep` and `Refiner`, a few convolutions each, are given. You write `find_motion`, the loop that leads from two
# pictures to the flows from the picture midway to both of them, at half the size, `(B, 4, h, w)`: x and y to the first,
# then x and y to the last.
#
# | at each level, the smallest first | shape |
# |---|---|
# | flows and hidden state of the level below, at this size; at the very first, zeros | `(B, 4, h, w)`, `(B, K, h, w)` |
# | both pictures' features, each warped by its half of the flows: now both are midway | `(B, C, h, w)` |
# | `matching_cost` of the two, with `self.config.radius` | `(B, (2r + 1)², h, w)` |
# | `self.motion(before, after, cost, flows, hidden)` gives both back, corrected | `(B, 4, h, w)`, `(B, K, h, w)` |
#
# `enlarged(flows, size)` is given: it resizes flows and makes their vectors longer by as much. The hidden state is no
# motion and is only resized (`F.interpolate`, bilinear).

# %% exercise="Interpolator" from="common.models.interpolator:Interpolator" blank="find_motion"

# %% check="Interpolator"

# %% [markdown] hints="Interpolator"
# 1. `levels = list(zip(self.pyramid(first), self.pyramid(last)))` has the largest level first; walk it with `reversed`.
#    Before the loop make zeros of the smallest level's size.
# 2. In the loop, `size = before.shape[-2:]`, then `flows = enlarged(flows, size)` and
#    `hidden = F.interpolate(hidden, size=size, mode="bilinear")`. At the smallest level neither changes anything.
# 3. `before, after = warp(before, flows[:, :2]), warp(after, flows[:, 2:])`, then
#    `cost = matching_cost(before, after, self.config.radius)` and
#    `flows, hidden = self.motion(before, after, cost, flows, hidden)`. Return both after the loop.

# %% [markdown] troubles="Interpolator"
# - **Every motion is doubled.** `self.motion` returns flows, not corrections to them. Do not add them again.
# - **It gets worse from level to level.** Each level has features of its own. Do not warp what is warped already.
# - **Motions come out half as long at each level.** You resize flows as if they were pictures. Use `enlarged`.

# %% [markdown]
# ## Put it to work: train it
#
# A fresh model is a block matcher of the old kind: `MotionStep` begins with the mean of all small motions, weighted by
# how well they match. A **negative control** trains with it, the same network with the one idea taken out: its flows
# are always zero, so it may only repaint.


# %%
class Motionless(Interpolator):
    """The same, except that nothing is ever moved."""

    def find_motion(self, first, last):
        flows, hidden = super().find_motion(first, last)
        return torch.zeros_like(flows), hidden


def train(model, batch_size=6):
    """Train on squares of film and sprites. The learning rate falls in the second half."""
    data = TripletData(SQUARE, 8)
    settings = Settings(steps=STEPS, batch_size=batch_size, learning_rate=LEARNING_RATE, betas=(0.9, 0.95))

    def loss_of(step):
        pixels = data.batch(range(step * batch_size, (step + 1) * batch_size))
        return compute_loss(model, pixels, noise=None)["loss"]

    short_run(muon(model, settings, ends=("_out",)), loss_of, STEPS, desc=type(model).__name__)


# %% tags=["demo"] draws="Two runs: the network that moves things, and the one that cannot."
unseen = from_uint8(TripletData(SQUARE, 8, seed=1).batch(range(24))).unbind(dim=2)
for kind in (Interpolator, Motionless):
    seed_everything(0)
    model = kind(**finished.PRESETS["ci"])
    before = lead_over_mean(model, *unseen)
    train(model)
    after = lead_over_mean(model, *unseen)
    print(f"{kind.__name__:13} above the mean of both frames: {before:5.2f} dB before, {after:5.2f} dB after")

# %% [markdown]
# **What to see.** The network that may move things is ahead before its first step, by matching alone, and training adds
# to it (hardly anything in the few steps of `ci`). The one that may not move stays near the mean, whatever it repaints.
#
# ## The result to remember: film that it never saw
#
# Your `Interpolator` takes the shipped weights, trained by the same loss on twelve other shots of the film and on
# sprites. The triplets are cut into thirds by how far things move from the first frame to the last.

# %% tags=["demo"] draws="Four methods on held-out film: compare small motion with large."
mine = Interpolator.from_pretrained(WEIGHTS).eval().requires_grad_(False)


def network(first, last):
    return mine(first, last).clamp(-1, 1)


METHODS = {"mean of both": library.average_frames, "DIS flow": library.dis_between,
           "minterpolate": library.minterpolate, "yours": network}
try:
    METHODS["FILM"] = library.load_film()
except FileNotFoundError:
    print("FILM is left out: its weights are not on this machine. library.load_film() says what to download.\n")

held_out = film_triplets(every=EVERY)
found = score_methods(METHODS, held_out, library.dis, watch=progress_bar)
print(f"{len(held_out)} triplets of {', '.join(sorted(set(held_out.names)))}\n\n{found.table()}")

# %% tags=["demo"] draws="Each dot one triplet: where does the mean fall behind?"
quality = {name: row["psnr"] for name, row in found.scores.items()}
lost = {name: 1 - row["ssim"] for name, row in found.scores.items()}
panels = {"Closer to the truth is higher": ("PSNR (dB)", quality), "Structure lost is lower": ("1 - SSIM", lost)}
colors = ("0.55", "#edae49", "#66a182", "#d1495b", "#00798c")
draw_trends(found.moved, panels, "how far things move, first to last (px)", colors=colors)

# %% [markdown]
# **What to see.** Where next to nothing moves, no method is much better than the mean. From about a pixel on the mean
# falls behind, most of all in structure. The network and DIS stay close together to the end: a flow that was tuned by
# hand for years is a strong opponent for 19 minutes of one processor core.
#
# ## Negative control: a fence
#
# Stakes 8 pixels apart move by 8 pixels from first to last: both frames look *exactly* alike. In the row above, the
# fence moves by 3 pixels, which can be seen.

# %% tags=["demo"] draws="Two fences: one moves by 3 pixels, one by a whole period."
rows, labels = [], []
for shift in (3.0, 8.0):
    first, middle, last = sliding_fence(shift)
    made = network(first, last)
    near = {"half a step on": (made - middle).abs().mean().item(), "where it was": (made - first).abs().mean().item()}
    said = min(near, key=near.get)
    print(f"moved by {shift:.0f} of 8 px: nearest to the fence {said} (on average {50 * near[said]:.1f} % off)")
    rows += [first, last, made, middle]
    labels += ["first", f"last: {shift:.0f} px on", f"yours · {decibels(made, middle)}", "the truth"]
sheet(rows, labels, columns=4)

# %% [markdown]
# **What to see.** With 8 pixels nothing has happened, as far as any picture tells. The fence stays where it was, and
# the truth, half a step on, is missed. That answers the prediction. No better network helps, because the information is
# not there. (Wheels that turn backwards in films are the same thing.)
#
# ## Try it: slow motion
#
# The network knows the middle alone, so `library.fill_in` asks it for the middles of the halves, and so on.

# %%
SHOT, FRAME, STEP, HALVINGS = "leap", 30, 2, 2
BETWEEN = network  # or library.dis_between, or library.average_frames

first, _, last = film_triplets((SHOT,), (STEP,)).pictures([FRAME - STEP])
slow = library.fill_in(BETWEEN, first, last, HALVINGS)[0]  # (3, 2^HALVINGS + 1, H, W)
show.player(slow, fps=8, width=240, max_bytes=50_000)

# %% [markdown] tags=["folded"]
# ## Going further: all triplets, the worst failures, an ablation
#
# An average hides what an eye sees first. So here are the model's scores on all triplets, as its card has them, and the
# squares of 24 pixels with the largest error. Three signs are measured in each square, using the *true* middle: how far
# things move, which fraction is **hidden** in one of the two frames, and how much the square is **like itself** a few
# pixels further. The sign that stands out gives the name.

# %% tags=["demo"] draws="The worst spots, each with the sign that stands out."
card = read_card(zoo.folder(WEIGHTS)).measured["full"]
for method in ("", "_dis", "_average", "_minterpolate"):
    psnr, ssim = card[f"film/psnr{method}"], card[f"film/ssim{method}"]
    print(f"all triplets: {psnr:5.2f} dB, SSIM {ssim:.3f} ({method[1:] or 'the shipped weights'})")
rows, labels = [], []
for failure in worst_squares(network, held_out, library.dis, every=2):
    first, middle, last = held_out.pictures([failure.index])
    print(f"{held_out.names[failure.index]:11} frame {held_out.frames[failure.index]:3}: {failure}")
    rows += [failure.crop(picture) for picture in (first, last, network(first, last), middle)]
    labels += ["first", "last", f"yours: {failure.cause}", "the truth"]
sheet(rows, labels, columns=4, width=120)

# %% [markdown]
# **What to see.** Where something fast covers and uncovers what is behind it, the network takes pieces from both sides,
# and they do not fit. Where the motion is longer than the smallest level can follow, two faint copies remain.
#
# **An ablation to run.** All levels share their weights, so the same weights run with more levels, or fewer. How long a
# motion can each follow? One frame of the film slides as a whole. Guess the rule, then change `LEVELS`.

# %%
LEVELS = (2, 3, 4, 5)

still = film_triplets(("wing_dance",), (1,)).pictures([0])[0]  # (1, 3, 96, 171)
distances = [2, 4, 8, 12, 16, 24, 32]
curves = {}
for count in LEVELS:
    model = Interpolator.from_pretrained(WEIGHTS, num_levels=count).eval()
    curves[f"{count} levels"] = distances, reach(model, still, distances, size=(64, 96))
where = {"xlabel": "the whole picture slides by (px, first to last)", "ylabel": "PSNR (dB)", "xscale": "log"}
draw_curves(curves, "Each level doubles what can be followed", ticks=distances, size=(6, 3), **where)

# %% [markdown]
# ## Honest limits
#
# - A network of a quarter of a million numbers, one cartoon. FILM has 34 million, trained on the 51,312 triplets of
#   Vimeo-90K, with a loss for texture. A row or a curve here says FILM only if its published weights ran.
# - Motion is taken to be straight and even. A ball at the top of its arc is put too low.
# - PSNR likes blur. Trust your eye and the crops.
#
# ## Yours now
#
# All five parts are the library's, and now yours. Models that make long videos from keyframes (phase 8) are
# interpolators, with diffusion in the place of your refiner. **Next:** lab 02.3, where no one gives the last frame, or
# the first.
#
# **To read:** *Super SloMo* (Jiang et al. 2018, arXiv:1712.00080), the two formulas; *FILM* (Reda et al. 2022,
# arXiv:2202.04901), shared scales; *BMBC* (Park et al. 2020, arXiv:2007.12622), costs midway.
