# %% [markdown]
# # Lab 01.3 · The optical flow visualizer
#
# **What you will have at the end:** dense optical flow, written by you from a single equation: for every pixel of a
# film, where it goes in the next frame. You draw it in colour and measure it on scenes whose true motion is known, next
# to two methods that people use.
#
# | | |
# |---|---|
# | time | about 70 minutes |
# | difficulty | ★★☆☆☆ |
# | before this | [lab 01.2, the frame extractor](02_frame_extractor.ipynb); a little linear algebra (a 2 × 2 system) |
# | the film | shots of *Big Buck Bunny*, © 2008 Blender Foundation, CC BY 3.0 |
#
# The whole notebook runs at one of three sizes. `cpu` is yours unless you set `FLIPBOOK_PRESET`.
#
# | preset | two frames `(T, H, W)` | all cells take about |
# |---|---|---|
# | `ci` | (2, 135, 240) | 15 s |
# | `cpu` | (2, 180, 320) | 10 s |
# | `gpu` | (2, 360, 640) | 45 s |

# %% tags=["setup"]
import numpy as np
import torch

from common import flow as library
from common import show, video
from common.course import check
from common.data import Motion, clip_path, exact_scenes, flow_scene
from common.data.stripes import sliding_stripes
from common.progress import progress_bar
from common.runtime import preset
from common.show.flow_sheets import beside_its_flow, draw_reach, flow_rows, picture, plain_motions

HEIGHT = {"ci": 135, "cpu": 180, "gpu": 360}[preset()]
PAIRS = {"canopy_flight": 30, "leap": 14, "butterfly": 50, "flower_sniff": 60}  # shot -> its frame t

# %% [markdown]
# ## The convention, once
#
# **Optical flow** is a vector at every pixel: what you see at $(x, y)$ in frame $t$ is at $(x + u, y + v)$ in frame
# $t+1$. Three things are agreed, here and everywhere in this course:
#
# | | |
# |---|---|
# | layout | `(2, H, W)`, a batch `(B, 2, H, W)`: $u$ along x (to the right), then $v$ along y (**down**) |
# | unit | pixels per frame |
# | direction | *forward*, from frame $t$ to frame $t+1$ |
#
# ## Where you are heading
#
# Four moments of the film, each with its flow. The hue says which way something moves, the strength of the colour how
# fast, and white stands still. The little wheel is the key: each colour points the way it moves.

# %% tags=["demo"] draws="Four frames and their flow. Find what moves against the rest."
FILM = {}  # shot -> frames t and t + 1, each (1, 3, H, W) in [-1, 1]
for name, t in PAIRS.items():
    frames = video.read_frames(clip_path(name), [t, t + 1], size=HEIGHT)
    FILM[name] = video.frames_to_clip(frames)[None].unbind(dim=2)
FIRST = {name: first for name, (first, _) in FILM.items()}
flow_rows(FIRST, {name: {"flow": library.lucas_kanade(*pair)} for name, pair in FILM.items()}, show.flow_to_color)

# %% [markdown]
# The bushes rush downwards under the gliding squirrel. The camera swings after the somersault, so the whole meadow
# moves right. No object was recognised: all of this came from brightness alone.
#
# **Before you read on, a prediction.** A wall is painted with slanted stripes, at 45°, and slides **to the right** by 2
# pixels per frame. You see nothing but stripes. What will a method that looks at brightness report: 2 pixels to the
# right, about 1.4 across the stripes, or none? Write it down. The second negative control measures it.

# %% [markdown] about="end_point_error" difficulty=1 importance=4 minutes=5
# ## How wrong is a flow?
#
# Where the truth $(u^*, v^*)$ is known, the **end-point error** (EPE) is the distance between where the flow says a
# pixel ends and where it does, averaged over the valid pixels:
#
# $$ \text{EPE} = \operatorname{mean}_{\text{valid } x, y} \sqrt{(u - u^*)^2 + (v - v^*)^2}. $$
#
# Its unit is pixels: one number per flow of a batch. The number to beat is the error of *no flow at all*, the mean
# length of the true motion. Pixels that are hidden in the next frame, or have left the picture, are not `valid`. What
# a flow holds there must not matter, not even if it is NaN.

# %% exercise="end_point_error" from="common.evaluation.flow:end_point_error"

# %% check="end_point_error"

# %% [markdown] hints="end_point_error"
# 1. The channel axis is `-3`, with and without a batch. Sum the squares along it, then take the root.
# 2. Without `valid`: `.mean(dim=(-2, -1))`. With it: a sum over valid pixels, divided by how many there are.
# 3. `torch.where(valid, error, 0).sum(dim=(-2, -1)) / valid.sum(dim=(-2, -1))`. Before that, raise `ValueError` for
#    shapes that do not fit and for a flow that has no valid pixel at all.

# %% [markdown] troubles="end_point_error"
# - **My error is a bit too large everywhere.** You take the root of the mean. The root belongs to each pixel.
# - **My error is too small by a factor of about 1.4.** A mean over both channels halves the squares. Sum them.
# - **My error is NaN.** NaN times 0 is NaN, so a product with the mask does not remove it. Choose with `torch.where`.

# %% [markdown] about="flow_to_color" difficulty=2 importance=3 minutes=10
# ## Paint a flow
#
# Two numbers per pixel must become one colour: the **direction** is the hue, the **length** is the saturation. With the
# angle $\varphi$ of $(u, v)$ and $s = \min(\text{length} / \text{max\_flow},\, 1)$,
#
# $$ \text{colour} = (1 - s)\,\text{white} + s \cdot \text{hue}(\varphi). $$
#
# The hues come from the colour wheel of the Middlebury benchmark: red to the right, then yellow, green, cyan, blue,
# magenta and back, with more room between hues that the eye tells apart well. The six corners are given as
# `WHEEL_DEGREES` and `WHEEL_COLORS`. Between them the colour changes linearly.
#
# | quantity | shape, range | example |
# |---|---|---|
# | `flow` | `(2, H, W)` or `(B, 2, H, W)` | one pixel: `(0, 3)`, straight down |
# | angle | degrees, 0 to 360, clockwise on screen | 90 |
# | hue of 90° | between red (0°) and yellow (98.2°) | `(1, 0.917, 0)` |
# | result, `max_flow=6` | `uint8`, `(H, W, 3)` or `(B, H, W, 3)` | `(255, 244, 128)` |

# %% exercise="flow_to_color" from="common.show.flow_wheel:flow_to_color"

# %% check="flow_to_color"

# %% [markdown] hints="flow_to_color"
# 1. Three steps: an angle in degrees from 0 to 360, a hue for that angle, a mixture of white and hue. Set unknown
#    motions to zero first, so that they spoil nothing, and paint them black at the end.
# 2. `np.degrees(np.arctan2(y, x)) % 360` is the angle. `np.interp(angle, WHEEL_DEGREES, reds)` gives the red of every
#    angle, where `reds` are the first entries of `WHEEL_COLORS`. `zip(*WHEEL_COLORS)` gives reds, greens and blues.
# 3. `hue = np.stack([np.interp(angle, WHEEL_DEGREES, channel) for channel in zip(*WHEEL_COLORS)], axis=-1)`, then
#    `s = np.minimum(length / max_flow, 1)[..., None]` and `color = (1 - s) + s * hue`. If `max_flow` is None take
#    `length.max()`, or 1 when that is 0. At the end `(255 * color * known[..., None]).round().astype(np.uint8)`.

# %% [markdown] troubles="flow_to_color"
# - **Up and down are swapped, left and right are right.** On screen y points down, so "clockwise" comes for free.
#   Flipping the sign of $v$ "because y is up" mirrors the wheel.
# - **Red points down.** `arctan2` takes y first.
# - **Half of the wheel has one colour.** `arctan2` gives negative angles for half the circle. Take them modulo 360.
# - **A still flow comes out black or NaN.** The longest motion is 0, and you divide by it. Divide by 1 instead.
# - **The whole picture is black because of one pixel.** That motion is unknown (NaN). Set it to zero before you look
#   for the longest one, and paint it black at the end.

# %% [markdown]
# Your wheel, with the exact flow of three motions: a rotation, a zoom and a shift to the upper left. Say for each which
# is which before you read the label.

# %% tags=["demo"] draws="Three motions in your colours. Which is the zoom?"
motions = plain_motions(90, 135)
colours = np.stack([flow_to_color(motion, max_flow=1) for motion in motions.values()])
show.contact_sheet(colours, columns=4, width=180, labels=list(motions))

# %% [markdown] about="warp" difficulty=2 importance=5 minutes=10
# ## The backward warp
#
# What is a flow good for? It says where to find, in the *next* frame, what was here. So we can fetch it:
#
# $$ \text{warped}(x, y) = I_{t+1}\bigl(x + u(x, y),\; y + v(x, y)\bigr). $$
#
# If the flow is right, the next frame warped by it is this frame again. This is *backward* warping: every pixel of the
# result asks for exactly one place, so there are no holes. You will meet it again in frame interpolation, in losses
# for temporal consistency, and inside nearly every flow network.
#
# The place $(x + u, y + v)$ falls between pixels: mix the four around it **bilinearly**. It may fall outside the
# picture: take the **nearest pixel of the border**.
#
# | quantity | shape |
# |---|---|
# | `image`, frame $t+1$ | `(B, C, H, W)`, float |
# | `flow`, from $t$ to $t+1$ | `(B, 2, H, W)`, x then y, pixels |
# | result | `(B, C, H, W)`, differentiable in both |
#
# `F.grid_sample` does the mixing. It wants its places as a grid `(B, H, W, 2)`, x then y, counted from -1 to 1. With
# `align_corners=True` these are the *middles* of the first and the last pixel.

# %% exercise="warp" from="common.flow.warping:warp"

# %% check="warp"

# %% [markdown] hints="warp"
# 1. First the places in pixels: `x = columns + flow[:, 0]`, `y = rows + flow[:, 1]`, both `(B, H, W)`. The columns are
#    `torch.arange(width)`, the rows are `torch.arange(height)[:, None]`.
# 2. A place $x$ from 0 to $W - 1$ becomes $2x / (W - 1) - 1$. Stack x and y on a new *last* axis.
# 3. `F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=True)`. Check both shapes first
#    and raise `ValueError` naming them. For a picture one pixel wide divide by `max(width - 1, 1)`.

# %% [markdown] troubles="warp"
# - **My picture collapses to a few pixels.** The flow is a displacement, and the grid wants places. Add x and y.
# - **With a flow of zero the picture changes a little.** With `align_corners=False`, the default, everything lands half
#   a pixel off.
# - **The border turns black or grey.** `padding_mode` fills with zeros by default. Ask for the border.
# - **It moves the wrong way.** You fetch from $x - u$. It looks plausible until you measure it.
# - **A picture one pixel wide gives NaN.** $W - 1$ is zero there. Divide by at least 1.

# %% [markdown] about="lucas_kanade_step" difficulty=4 importance=5 minutes=15
# ## One equation, two unknowns
#
# Now the core. Assume that things keep their brightness while they move, and that the motion is small. Then the
# brightness at a place changes only because the picture's slope slides past it. The **optical flow constraint**:
#
# $$ I_x\, u + I_y\, v + I_t = 0, $$
#
# with the image gradient $I_x, I_y$ and the change $I_t = I_{t+1} - I_t$. One equation and two unknowns: a pixel alone
# cannot say where it goes. Lucas and Kanade (1981) let the pixels of a small window move together and take the motion
# that fits all their equations best. Least squares gives, at every pixel, a system of two equations,
#
# $$ \begin{pmatrix} \langle I_x I_x \rangle + \lambda & \langle I_x I_y \rangle \\ \langle I_x I_y \rangle &
# \langle I_y I_y \rangle + \lambda \end{pmatrix} \begin{pmatrix} u \\ v \end{pmatrix} = - \begin{pmatrix} \langle I_x
# I_t \rangle \\ \langle I_y I_t \rangle \end{pmatrix}, $$
#
# where $\langle\cdot\rangle$ averages over colours and window (pixels that are not `valid` count as zero), and the
# small $\lambda$ (`damping`) keeps a patch without texture at rest. A matrix $\begin{pmatrix} a & b \\ b & d
# \end{pmatrix}$ has the inverse $\frac{1}{ad - b^2} \begin{pmatrix} d & -b \\ -b & a \end{pmatrix}$.
#
# | quantity | how | shape |
# |---|---|---|
# | `dx`, `dy` | half the difference of both neighbours, in the *average* of the two pictures | `(B, C, H, W)` |
# | `dt` | `second - first` | `(B, C, H, W)` |
# | five products | mean over the channels; zero where not `valid` | `(B, 5, H, W)` |
# | $\langle\cdot\rangle$ | `window_average(maps, window)`, which is given | `(B, 5, H, W)` |
# | result | $u$, $v$ | `(B, 2, H, W)` |

# %% exercise="lucas_kanade_step" from="common.flow.gradient:lucas_kanade_step"

# %% check="lucas_kanade_step"

# %% [markdown] hints="lucas_kanade_step"
# 1. Slopes first. Pad the average of the two pictures by one pixel on all sides (`F.pad(..., (1, 1, 1, 1),
#    mode="replicate")`), then the right neighbour is `[..., 1:-1, 2:]` and the left one `[..., 1:-1, :-2]`.
# 2. Stack the five products `dx*dx, dx*dy, dy*dy, dx*dt, dy*dt` on a new axis 1, take the mean over the channels (now
#    axis 2), multiply by `valid` if there is one, hand them to `window_average`, and take them apart with
#    `.unbind(dim=1)`: `xx, xy, yy, xt, yt`.
# 3. Add `damping` to `xx` and `yy`. Then `determinant = xx * yy - xy * xy`, `u = (xy * yt - yy * xt) / determinant`, `v
#    = (xy * xt - xx * yt) / determinant`.

# %% [markdown] troubles="lucas_kanade_step"
# - **Everything moves backwards.** The right side has a minus sign.
# - **u and v are swapped.** Your slopes lie along the wrong axes: x is the last one.
# - **Motion comes out twice or half as long.** The slope is *half* the difference of both neighbours.
# - **Patches with fine texture give nonsense.** You average the slopes before you multiply them. The mean of products
#   is not the product of means.

# %% [markdown]
# One step, on scenes whose flow is exact: a smooth texture, known as a formula, slides to the right by more and more.
# The equation was derived for *small* motions. How small?

# %% tags=["demo"] draws="How far can one step see? Watch where the band opens."
distances, measured = np.arange(0.25, 8.1, 0.25), []
for distance in distances:
    scene = flow_scene(64, 96, Motion(shift=(float(distance), 0.0)), generator=torch.Generator().manual_seed(1))
    measured.append(lucas_kanade_step(scene.first, scene.second)[0, 0, 12:-12, 12:-12])
draw_reach(distances, measured, "One Lucas–Kanade step: the finest wave is 8 px long")

# %% [markdown]
# **What to see.** Up to about one pixel every window says the same, and it is right. Then the windows begin to
# disagree, and from half a wave of the texture on (4 pixels) they are lost: the slope under a pixel says nothing about
# the hill that far away. Two ideas cure this.

# %% [markdown] about="lucas_kanade" difficulty=4 importance=5 minutes=15
# ## From coarse to fine: the image pyramid
#
# **Repeat.** After a step, warp the second picture back by the flow so far. What is left to explain is smaller. Take a
# step from the first picture to the warped one, add it to the flow, and so on.
#
# **Start small.** In a picture of half the size every motion is half as long. Halve both pictures a few times, solve
# the smallest, bring its flow to the next size, correct it there, up to the full size.
#
# | at each level | shape |
# |---|---|
# | the two pictures, `halve`d | `(B, C, h, w)` |
# | the flow from the level below, enlarged, **and its vectors made longer** | `(B, 2, h, w)` |
# | `num_iterations` times: warp, step, add | `(B, 2, h, w)` |
#
# Where the flow points out of the picture there is nothing to compare with, and wrong vectors would creep in from the
# border. Only the pixels of `points_inside(flow)`, which is given, are `valid` in a step.

# %% exercise="lucas_kanade" from="common.flow.gradient:lucas_kanade"

# %% check="lucas_kanade"

# %% [markdown] hints="lucas_kanade"
# 1. First the loop without a pyramid: a flow of zeros `(B, 2, H, W)`, then `num_iterations` times warp, step, add. Then
#    put it inside a loop over sizes, smallest first.
# 2. Keep the levels in a list of pairs, `levels.append((halve(a), halve(b)))`, and walk it with `reversed`. To enlarge,
#    `F.interpolate(flow, size=(height, width), mode="bilinear")`, then multiply channel 0 by `width / old_width` and
#    channel 1 by `height / old_height` (sizes need not be even, so this is not always exactly 2).
# 3. The inner loop: `flow = flow + lucas_kanade_step(first, warp(second, flow), valid=points_inside(flow),
#    window=window, damping=damping)`, with the `first` and `second` of that level.

# %% [markdown] troubles="lucas_kanade"
# - **Long motions come out half as long.** You enlarge the flow and do not multiply its vectors.
# - **More levels make it worse.** You replace the flow by the step. Add the step, or all levels below are forgotten.
# - **It runs away.** You warp the first picture, or warp by the negative flow, and the rest to explain grows.
# - **It fails on odd sizes.** A height of 45 is halved to 22 or 23. Enlarge to the size of the next pair, not by 2.

# %% [markdown]
# ## Put it to work: the exact scenes
#
# Five scenes of which every vector is known: two shifts, a rotation, a zoom, and a disc that moves in front of a plane
# and hides part of it. No motion is longer than 4 pixels. The peers are two methods from OpenCV. **Farnebäck** (2003)
# fits a parabola around each pixel and sees how it moved, and **DIS** (2016) matches patches and then refines. The
# baseline is *no flow at all*.

# %% tags=["demo"] draws="The end-point errors. Lower is better."
METHODS = {"Farnebäck": library.farneback, "DIS": library.dis, "yours": lucas_kanade}
try:
    METHODS["RAFT"] = library.load_raft()
except (ImportError, FileNotFoundError) as reason:
    print(f"RAFT, a network, is left out here. {reason}\n")

scenes = exact_scenes(HEIGHT * 4 // 5, HEIGHT)
errors = {}
for name, scene in progress_bar(scenes.items(), desc="measuring", unit="scene"):
    found = {"no flow": torch.zeros_like(scene.flow)}
    found |= {method: compute(scene.first, scene.second) for method, compute in METHODS.items()}
    errors[name] = {method: end_point_error(f, scene.flow, valid=scene.visible).item() for method, f in found.items()}

print(f"{'end-point error (px)':28}" + "".join(f"{method:>11}" for method in errors["shift"]) + "   yours / no flow")
for name, row in errors.items():
    print(f"{name:28}" + "".join(f"{error:11.2f}" for error in row.values()) + f"{row['yours'] / row['no flow']:18.2f}")

# %% tags=["demo"] draws="The disc by every method. Look at its edge."
scene = scenes["disc before a plane"]
flows = {"the truth": scene.flow, **{method: compute(scene.first, scene.second) for method, compute in METHODS.items()}}
cells = [picture(scene.first)] + [flow_to_color(flow[0], max_flow=4) for flow in flows.values()]
cells.append(np.where(scene.visible[0, ..., None], 255, 90).astype(np.uint8).repeat(3, axis=-1))
show.contact_sheet(np.stack(cells), columns=3, width=200, labels=["first frame", *flows, "grey: hidden in the second"])

# %% [markdown]
# **What to see.** A few hundredths of a pixel, and on rotations and zooms better than both peers: your step uses all
# three colours and the slopes of both frames. At the disc's edge all methods blur. A window that straddles an edge
# holds two motions and is asked for one.
#
# ## The result to remember: film
#
# Film has no ground truth. We can look at the picture, and we can measure how much of the change from frame to frame
# the flow *explains*: the mean difference between this frame and the next one warped back by the flow. Everything here
# is yours: the flow, the warp, the colours.

# %% tags=["demo"] draws="The same four moments, by three methods."
on_film = {}
print(f"{'left unexplained (% of range)':30}{'no flow':>11}" + "".join(f"{method:>11}" for method in METHODS))
for name, (first, second) in FILM.items():
    on_film[name] = {method: compute(first, second) for method, compute in METHODS.items()}
    left = [(warp(second, flow) - first).abs().mean().item() / 2 for flow in on_film[name].values()]
    plain = (second - first).abs().mean().item() / 2
    print(f"{name:30}{100 * plain:11.2f}" + "".join(f"{100 * share:11.2f}" for share in left))
flow_rows(FIRST, on_film, flow_to_color)

# %% tags=["demo"] draws="The somersault and your flow of it, in motion."
start = PAIRS["leap"] - 6
moving = video.frames_to_clip(video.read_frames(clip_path("leap"), range(start, start + 17), size=HEIGHT))
pair = beside_its_flow(moving, lucas_kanade, flow_to_color, max_flow=12)
show.player(pair, fps=8, width=320, max_bytes=64_000, caption="At a third of its speed. Full colour: 12 px per frame.")

# %% [markdown]
# **What to see.** Three authors tell the same story. Yours leaves the least unexplained, which is no medal: it
# minimizes just that, and pays with vectors that twitch in the flat sky behind the squirrel. Farnebäck and DIS smooth
# more. A small residual does not prove a flow. That is why the exact scenes came first.

# %% [markdown]
# ## Negative control 1: when brightness is not constant
#
# Everything rests on brightness constancy. Break only that: compare a frame of the film *with itself*, lit a little
# more. Nothing moves, so whatever is reported is wrong.

# %% tags=["demo"] draws="Every colour here is a motion that never was."
GAINS = (1.0, 1.02, 1.05, 1.1)
first = FIRST["leap"]
lit = {gain: ((first + 1) * gain - 1).clamp(-1, 1) for gain in GAINS}
ghosts = {method: {gain: compute(first, lit[gain]) for gain in GAINS} for method, compute in METHODS.items()}
print(f"{'mean motion reported (px)':28}" + "".join(f"{f'light ×{gain:g}':>14}" for gain in GAINS))
for method, found in ghosts.items():
    wrong = [end_point_error(flow, torch.zeros_like(flow)).item() for flow in found.values()]
    print(f"{method:28}" + "".join(f"{abs(error):14.2f}" for error in wrong))
brightest = {method: found[1.1] for method, found in ghosts.items()}
flow_rows({"the frame, ×1.1": lit[1.1]}, {"the frame, ×1.1": brightest}, flow_to_color)

# %% [markdown]
# **What to see.** A tenth more light, which the eye forgives, and yours reports storms. Where the slopes are weak, a
# small change of brightness needs a large motion to explain it. The peers nearly hold, because neither compares
# brightness itself: Farnebäck drops the constant of its parabola, DIS takes the mean out of each patch.
#
# ## Negative control 2: the aperture problem
#
# Now the prediction: slanted stripes that slide to the right by 2 pixels. The method is intact and the brightness is
# constant. What is missing is a second direction in the texture.

# %% tags=["demo"] draws="Four walls, all moving right by 2 px. What is measured?"
cells, labels = [], []
print("stripes    true (u, v)    measured (u, v)    only across the stripes")
for degrees in (0, 45, 75, 90):
    first, second = sliding_stripes(degrees, 0.0), sliding_stripes(degrees, 2.0)
    found = lucas_kanade(first, second, num_levels=1)
    u, v = (round(mean, 2) + 0.0 for mean in found[0, :, 20:-20, 20:-20].mean(dim=(1, 2)).tolist())  # no "-0.00"
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    print(f"{degrees:5}°     (2.00,  0.00)   ({u:5.2f}, {v:5.2f})       ({2 * cos * cos:5.2f}, {2 * cos * sin:5.2f})")
    cells += [picture(first), flow_to_color(found[0], max_flow=2.5)]
    labels += [f"stripes at {degrees}°", "measured flow"]
show.contact_sheet(np.stack(cells), columns=4, width=200, labels=labels)

# %% [markdown]
# **What to see.** Every wall moved to the right by 2 pixels. Measured is only the part *across* the stripes: at 45°
# that is $(1, 1)$, a length of 1.4, and at 90° nothing at all. Through a small opening (an *aperture*) no one can see a
# stripe slide along itself: the 2 × 2 matrix has an eigenvalue near zero. Our `damping` answers with the shortest
# motion that fits. A better method can only guess from further away.
#
# ## Try it
#
# Any two neighbouring frames of any shot (or a file of yours), with your knobs.

# %%
CLIP, FRAME = clip_path("rope_skipping"), 40
LEVELS, ITERATIONS, WINDOW = 4, 4, 13

clip = video.frames_to_clip(video.read_frames(CLIP, [FRAME, FRAME + 1], size=HEIGHT))[None]
first, second = clip.unbind(dim=2)
found = lucas_kanade(first, second, num_levels=LEVELS, num_iterations=ITERATIONS, window=WINDOW)
without, explained = (second - first).abs().mean(), (warp(second, found) - first).abs().mean()
print(f"unexplained: {50 * without:.2f} % without flow, {50 * explained:.2f} % with it")
show.side_by_side({"frame": picture(first), "flow": flow_to_color(found[0])})

# %% [markdown] tags=["folded"]
# ## Going further
#
# **An ablation to run.** What does one more level of the pyramid do to the motion that the smallest picture sees?
# Guess, then set `CLIP = clip_path("leap")` and `FRAME = 14` above, and run it with 1, 2, 3 and 4 levels.
#
# **Honest limits.**
#
# - Two motions in one window (an edge, a leaf before the sky) are blurred into one. Later methods are about this.
# - What is hidden in the next frame has no flow, and we return a number there all the same. Comparing the forward with
#   the backward flow finds such pixels, and `flipbook show --flow` does it.
# - A wing thinner than its own motion vanishes on the small levels, so the start is wrong and no step repairs it.
# - The scenes are smooth and hold no noise. Real benchmarks (Middlebury, Sintel, KITTI) are harder, and there learned
#   methods lead by far. **RAFT** (2020) compares *all* pairs of pixels and lets a recurrent network do what your loop
#   does. `common.flow.load_raft` loads it where its weights are on the machine, and then a column here says RAFT.
#
# **Reading.** *An iterative image registration technique* (Lucas, Kanade, IJCAI 1981) has the step. *A database and
# evaluation methodology for optical flow* (Baker et al., IJCV 2011) has the wheel and the error. The peers are
# Farnebäck (SCIA 2003), DIS (Kroeger et al. 2016, arXiv:1603.03590) and RAFT (Teed, Deng 2020, arXiv:2003.12039).

# %% [markdown]
# ## Yours now
#
# All five are parts of the library, and it can run on your versions. In a terminal, in the course's folder:
#
# ```console
# flipbook show holiday.mp4 --flow --mine
# ```
#
# **Next:** lab 01.4 finds the cuts, where no flow can exist.
#
# *Film: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0.*
