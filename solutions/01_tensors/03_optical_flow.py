# %% [markdown]
# # Lab 01.3 · The optical flow visualizer
#
# **What you will have at the end:** a function that says for every pixel of a film where it goes in the next frame,
# written by you from a single equation, drawn in colour, and measured against scenes whose true motion is known to the
# last digit, beside two methods that people use.
#
# | | |
# |---|---|
# | time | about 60 minutes |
# | difficulty | ★★☆☆☆ |
# | before this | [lab 01.2, the frame extractor](02_frame_extractor.ipynb); a little linear algebra (a 2 × 2 system) |
# | the film | shots of *Big Buck Bunny*, © 2008 Blender Foundation, CC BY 3.0 |
#
# The whole notebook runs at one of three sizes. `cpu` is yours unless you set `FLIPBOOK_PRESET`.
#
# | preset | two frames `(T, H, W)` | all cells take about |
# |---|---|---|
# | `ci` | (2, 135, 240) | 8 s |
# | `cpu` | (2, 180, 320) | 10 s |
# | `gpu` | (2, 360, 640) | 25 s |

# %% tags=["setup"]
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from common import flow as library
from common import show, video
from common.course import check
from common.data import Motion, clip_path, exact_scenes, flow_scene
from common.runtime import preset

HEIGHT = {"ci": 135, "cpu": 180, "gpu": 360}[preset()]
PAIRS = {"canopy_flight": 30, "leap": 14, "butterfly": 50, "flower_sniff": 60}  # shot -> its frame t
WIDTHS = {2: 240, 4: 200, 5: 170}  # columns of a sheet -> pixels of each

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
# Four moments of the film: the frame, and its flow in colour. Which way something moves is its hue, how fast is how
# strong the colour is; white stands still. The little wheel is the key: its middle is no motion, and each colour lies
# in the direction in which it moves.

# %% tags=["demo"]
def film_pair(name):
    """Frames t and t + 1 of a shot, each `(1, 3, H, W)` in [-1, 1]."""
    frames = video.read_frames(clip_path(name), [PAIRS[name], PAIRS[name] + 1], size=HEIGHT)
    return video.frames_to_clip(frames)[None].unbind(dim=2)


def picture(image):
    """A `(1, 3, H, W)` as uint8 `(H, W, 3)`."""
    return video.clip_to_frames(image[0, :, None])[0]


def painted(flow, max_flow, paint):
    """A `(1, 2, H, W)` as uint8 `(H, W, 3)`, with the wheel in the corner."""
    out, size = paint(flow[0], max_flow=max_flow).copy(), HEIGHT // 4
    away = torch.linspace(-1, 1, size)
    wheel = torch.stack([away.expand(size, size), away[:, None].expand(size, size)])  # points outwards
    disc = (wheel.norm(dim=0) <= 1).numpy()
    out[-size:, -size:][disc] = paint(wheel, max_flow=1)[disc]
    return out


def rows(found, paint, names=PAIRS):
    """For each shot its frame, then its flow by each method; `found[name]` is a dict: method -> flow."""
    cells, labels = [], []
    for name in names:
        longest = [flow.norm(dim=1).flatten().quantile(0.99).item() for flow in found[name].values()]
        max_flow = float(np.median(longest))
        cells += [picture(film_pair(name)[0])] + [painted(flow, max_flow, paint) for flow in found[name].values()]
        labels += [name] + [f"{method} · full colour: {max_flow:.0f} px" for method in found[name]]
    columns = len(cells) // len(names)
    return show.contact_sheet(np.stack(cells), columns=columns, width=WIDTHS[columns], labels=labels)


rows({name: {"flow": library.lucas_kanade(*film_pair(name))} for name in PAIRS}, show.flow_to_color)

# %% [markdown]
# The bushes rush downwards under the squirrel that glides above them; the camera swings after the somersault, so that
# the whole meadow moves right while the squirrel turns; the butterfly's wing and the rabbit below it go different ways.
# No object was ever recognised. Everything came from brightness alone.
#
# **Before you read on, a prediction.** A wall is painted with slanted stripes, at 45°, and slides **to the right** by 2
# pixels a frame. You look at the middle of the wall, where there is nothing but stripes. Which motion will any method
# that looks at brightness report there: 2 pixels to the right, about 1.4 pixels across the stripes, or none? Write it
# down; the negative control near the end measures it.

# %% [markdown] about="flow_to_color" difficulty=2 importance=3 minutes=10
# ## Paint a flow
#
# Before we compute motion we want to see it. Two numbers a pixel must become one colour. Nearly every paper uses the
# same picture: the **direction** is the hue, the **length** is the saturation. With the angle $\varphi$ of $(u, v)$ and
# $s = \min(\text{length} / \text{max\_flow},\, 1)$,
#
# $$ \text{colour} = (1 - s)\,\text{white} + s \cdot \text{hue}(\varphi). $$
#
# The hues stand on the wheel of the Middlebury benchmark: red to the right, then yellow, green, cyan, blue, magenta and
# back, with more room between hues that the eye tells apart well. The six corners are given, `WHEEL_DEGREES` and
# `WHEEL_COLORS`; between them the colour changes linearly.
#
# | quantity | shape, range | example |
# |---|---|---|
# | `flow` | `(2, H, W)` or `(B, 2, H, W)` | one pixel: `(0, 3)`, straight down |
# | angle | degrees, 0 to 360, clockwise on screen | 90 |
# | hue of 90° | between red (0°) and yellow (98.2°) | `(1, 0.917, 0)` |
# | result, `max_flow=6` | `uint8`, `(H, W, 3)` or `(B, H, W, 3)` | `(255, 244, 128)` |
#
# **Usual mistakes.** `arctan2` takes y first. On screen y points down, so "clockwise" comes for free: flipping the sign
# of $v$ "because y is up" mirrors the wheel. Angles from `arctan2` are negative for half the circle. A flow that stands
# still has no longest motion to divide by. And where the motion is not known (NaN) black is the custom.

# %% exercise="flow_to_color" from="common.show.flow_wheel:flow_to_color"

# %% check="flow_to_color"

# %% [markdown] hints="flow_to_color"
# 1. Three steps: an angle in degrees from 0 to 360, a hue for that angle, a mixture of white and hue. Set unknown
#    motions to zero first, so that they spoil nothing, and paint them black at the end.
# 2. `np.degrees(np.arctan2(y, x)) % 360` is the angle. `np.interp(angle, WHEEL_DEGREES, reds)` gives the red of every
#    angle, where `reds` are the first entries of `WHEEL_COLORS`; `zip(*WHEEL_COLORS)` hands you reds, greens and blues.
# 3. `hue = np.stack([np.interp(angle, WHEEL_DEGREES, channel) for channel in zip(*WHEEL_COLORS)], axis=-1)`, then
#    `s = np.minimum(length / max_flow, 1)[..., None]` and `color = (1 - s) + s * hue`. If `max_flow` is None take
#    `length.max()`, or 1 when that is 0. At the end `(255 * color * known[..., None]).round().astype(np.uint8)`.

# %% [markdown]
# Your wheel, with the exact flow of three motions: a picture that is turned, one that is zoomed into, one that is
# shifted to the upper left. Say for each which is which before you read the label.

# %% tags=["demo"]
y, x = torch.meshgrid(torch.linspace(-1, 1, 90), torch.linspace(-1.5, 1.5, 135), indexing="ij")
motions = {
    "the wheel itself: outwards": torch.stack([x, y]) * (torch.hypot(x, y) <= 1),
    "turned clockwise": torch.stack([-y, x]),
    "zoomed into": torch.stack([x, y]),
    "shifted to the upper left": torch.stack([torch.full_like(x, -0.8), torch.full_like(y, -0.6)]),
}
colours = [flow_to_color(motion, max_flow=1) for motion in motions.values()]
show.contact_sheet(np.stack(colours), columns=4, width=220, labels=list(motions))

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
# `F.grid_sample` does the mixing and is fast. It wants its places as a grid `(B, H, W, 2)`, x then y, counted from -1
# to 1; with `align_corners=True` these are the *middles* of the first and the last pixel.
#
# **Usual mistakes.** The flow is a displacement; the grid wants places, so x and y themselves must be added. With
# `align_corners=False`, the default, everything lands half a pixel off. `padding_mode` is black by default. And
# $x - u$ instead of $x + u$ moves the picture the wrong way, which looks plausible until you measure it.

# %% exercise="warp" from="common.flow.warping:warp"

# %% check="warp"

# %% [markdown] hints="warp"
# 1. First the places in pixels: `x = columns + flow[:, 0]`, `y = rows + flow[:, 1]`, both `(B, H, W)`. The columns are
#    `torch.arange(width)`, the rows are `torch.arange(height)[:, None]`.
# 2. A place $x$ from 0 to $W - 1$ becomes $2x / (W - 1) - 1$. Stack x and y on a new *last* axis.
# 3. `F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=True)`. Check both shapes first
#    and raise `ValueError` naming them. For a picture one pixel wide divide by `max(width - 1, 1)`.

# %% [markdown] about="end_point_error" difficulty=1 importance=4 minutes=5
# ## How wrong is a flow?
#
# Where the truth $(u^*, v^*)$ is known, the **end-point error** is the distance between where the flow says a pixel
# ends and where it does, averaged over the valid pixels:
#
# $$ \text{EPE} = \operatorname{mean}_{\text{valid } x, y} \sqrt{(u - u^*)^2 + (v - v^*)^2}. $$
#
# Its unit is pixels, and the error of *no flow at all* is the mean length of the true motion: the number to beat. Some
# pixels have no answer, because what was there is hidden in the next frame or has left the picture. They are not
# `valid`, and what a flow holds there must not matter, not even if it is NaN.
#
# | quantity | shape |
# |---|---|
# | `flow`, `target` | `(2, H, W)` or `(B, 2, H, W)` |
# | `valid` | bool `(H, W)` or `(B, H, W)`, or `None` for all |
# | result | `()` or `(B,)`, pixels |
#
# **Usual mistakes.** The root belongs to each pixel, before the mean; a root of the mean is another measure. A mean
# over both channels halves the squares. Multiplying by the mask leaves NaN where it was: NaN times 0 is NaN.

# %% exercise="end_point_error" from="common.evaluation.flow:end_point_error"

# %% check="end_point_error"

# %% [markdown] hints="end_point_error"
# 1. The channel axis is `-3`, with and without a batch. Sum the squares along it, take the root: one distance a pixel.
# 2. Without `valid`: `.mean(dim=(-2, -1))`. With it: a sum over valid pixels, divided by how many there are.
# 3. `torch.where(valid, error, 0).sum(dim=(-2, -1)) / valid.sum(dim=(-2, -1))`. Before that, raise `ValueError` for
#    shapes that do not fit and for a flow that has no valid pixel at all.

# %% [markdown] about="lucas_kanade_step" difficulty=4 importance=5 minutes=15
# ## One equation, two unknowns
#
# Now the core. Assume that things keep their brightness while they move, and that the motion is small. Then the
# brightness at a place changes only because the picture's slope slides past it:
#
# $$ I_x\, u + I_y\, v + I_t = 0, $$
#
# with the slopes $I_x, I_y$ and the change $I_t = I_{t+1} - I_t$. One equation and two unknowns: a pixel alone cannot
# say where it goes. Lucas and Kanade (1981) let the pixels of a small window move together and take the motion that
# fits all their equations best. Least squares gives, at every pixel, a system of two equations,
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
#
# **Usual mistakes.** Averaging the slopes before multiplying them throws away what the window is for: the mean of
# products is not the product of means. The sign of the right side decides whether things move forward or backward.
# Slopes along the wrong axis swap $u$ and $v$.

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

# %% [markdown]
# One step, on scenes whose flow is exact: a smooth texture, known as a formula, slides to the right by more and more.
# The equation was derived for *small* motions. How small?

# %% tags=["demo"]
distances = np.arange(0.25, 8.1, 0.25)
middle, spread = [], []
for distance in distances:
    scene = flow_scene(64, 96, Motion(shift=(float(distance), 0.0)), generator=torch.Generator().manual_seed(1))
    u = lucas_kanade_step(scene.first, scene.second)[0, 0, 12:-12, 12:-12]
    middle.append(u.mean().item())
    spread.append(u.std().item())
middle, spread = np.array(middle), np.array(spread)
figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
axis.plot(distances, distances, color="0.6", linestyle=":", label="true motion")
axis.fill_between(distances, middle - spread, middle + spread, color="#1f6f8b", alpha=0.25, label="most pixels")
axis.plot(distances, middle, color="#1f6f8b", marker="o", markersize=3, label="one step, mean")
axis.set(xlabel="true motion to the right (px)", ylabel="measured (px)")
axis.set_title("One Lucas–Kanade step: the finest wave is 8 px long")
axis.legend(fontsize=9, loc="upper left")
plt.show()

# %% [markdown]
# **What to see.** Up to about one pixel every window says the same, and it is right. Then the windows begin to
# disagree, and from half a wave of the texture on (4 pixels) they are lost: the slope under a pixel says nothing about
# the hill that far away. Two ideas cure this.

# %% [markdown] about="lucas_kanade" difficulty=4 importance=5 minutes=15
# ## From coarse to fine
#
# **Repeat.** After a step, warp the second picture back by the flow so far. What is left to explain is smaller; a step
# from the first picture to the warped one is added to the flow, and so on.
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
# Where the flow points out of the picture there is nothing to compare with. `points_inside(flow)`, which is given, says
# where it does not; only those pixels are `valid` in that step. Leave this out and wrong vectors creep in from the
# border.
#
# **Usual mistakes.** A flow enlarged but not multiplied is half as long as it should be. Replacing the flow by the step
# instead of adding forgets all levels below. Warping the first picture (or warping by the negative flow) runs away from
# the truth.

# %% exercise="lucas_kanade" from="common.flow.gradient:lucas_kanade"

# %% check="lucas_kanade"

# %% [markdown] hints="lucas_kanade"
# 1. First the loop without a pyramid: a flow of zeros `(B, 2, H, W)`; then `num_iterations` times warp, step, add. Then
#    put it inside a loop over sizes, smallest first.
# 2. Keep the levels in a list of pairs, `levels.append((halve(a), halve(b)))`, and walk it with `reversed`. To enlarge,
#    `F.interpolate(flow, size=(height, width), mode="bilinear")`, then multiply channel 0 by `width / old_width` and
#    channel 1 by `height / old_height` (sizes need not be even, so this is not always exactly 2).
# 3. The inner loop: `flow = flow + lucas_kanade_step(first, warp(second, flow), valid=points_inside(flow),
#    window=window, damping=damping)`, with the `first` and `second` of that level.

# %% [markdown]
# ## Put it to work: the exact scenes
#
# Five scenes of which every vector is known: two shifts, a turn, a zoom, and a disc that moves before a plane, which
# hides part of it. No motion is longer than 4 pixels. Beside yours stand two methods from OpenCV: **Farnebäck** (2003),
# which fits a parabola around each pixel and sees how it moved, and **DIS** (2016), which matches patches and then
# refines. The baseline is *no flow at all*.

# %% tags=["demo"]
METHODS = {"Farnebäck": library.farneback, "DIS": library.dis, "yours": lucas_kanade}
try:
    METHODS["RAFT"] = library.load_raft()
except (ImportError, FileNotFoundError) as reason:
    print(f"RAFT, a network, is left out here. {reason}\n")

scenes = exact_scenes(HEIGHT * 4 // 5, HEIGHT)
errors = {name: {"no flow": 0.0} for name in scenes}
for name, scene in tqdm(scenes.items(), desc="measuring", unit="scene"):
    for method, compute in {"no flow": lambda first, second: torch.zeros_like(first[:, :2]), **METHODS}.items():
        found = compute(scene.first, scene.second)
        errors[name][method] = end_point_error(found, scene.flow, valid=scene.visible).item()

print(f"{'end-point error (px)':28}" + "".join(f"{method:>11}" for method in errors["shift"]) + "   yours / no flow")
for name, row in errors.items():
    print(f"{name:28}" + "".join(f"{error:11.2f}" for error in row.values()) + f"{row['yours'] / row['no flow']:18.2f}")

# %% tags=["demo"]
scene = scenes["disc before a plane"]
flows = {"the truth": scene.flow, **{method: compute(scene.first, scene.second) for method, compute in METHODS.items()}}
cells = [picture(scene.first)] + [flow_to_color(flow[0], max_flow=4) for flow in flows.values()]
cells.append(np.where(scene.visible[0, ..., None], 255, 90).astype(np.uint8).repeat(3, axis=-1))
labels = ["first frame", *flows, "grey: hidden in the second frame"]
show.contact_sheet(np.stack(cells), columns=3, width=230, labels=labels)

# %% [markdown]
# **What to see.** A few hundredths of a pixel, on turns and zooms better than both peers: your step uses all three
# colours and the slopes of both frames. At the disc's edge all methods blur, because a window that straddles an edge
# holds two motions and is asked for one.
#
# ## The result to remember: film
#
# Film has no true flow to compare with. What can be looked at is the picture; what can be measured is how much of the
# change from frame to frame the flow *explains*: the mean difference between this frame and the next one warped back by
# the flow. Everything here is yours: the flow, the warp, the colours.

# %% tags=["demo"]
on_film = {}
print(f"{'left unexplained (% of range)':30}{'no flow':>11}" + "".join(f"{method:>11}" for method in METHODS))
for name in PAIRS:
    first, second = film_pair(name)
    on_film[name] = {method: compute(first, second) for method, compute in METHODS.items()}
    left = [(warp(second, flow) - first).abs().mean().item() / 2 for flow in on_film[name].values()]
    plain = (second - first).abs().mean().item() / 2
    print(f"{name:30}{100 * plain:11.2f}" + "".join(f"{100 * share:11.2f}" for share in left))
rows(on_film, flow_to_color)

# %% [markdown]
# **What to see.** The same story from three authors. Yours leaves the least unexplained, which is no medal: it
# minimizes just that, and pays with vectors that twitch where there is nothing to see, in the flat sky behind the
# squirrel. Farnebäck and DIS smooth more. A small residual does not prove a flow; that is why the exact scenes came
# first.
#
# ## Negative control 1: when brightness is not constant
#
# Everything rests on "things keep their brightness". Break only that: a frame of the film *against itself*, where
# nothing moves at all, but the second copy is lit a little more. The true flow is zero everywhere, so whatever is
# reported is wrong.

# %% tags=["demo"]
GAINS = (1.0, 1.02, 1.05, 1.1)
first = film_pair("leap")[0]
lit = {gain: ((first + 1) * gain - 1).clamp(-1, 1) for gain in GAINS}
ghosts = {method: {gain: compute(first, lit[gain]) for gain in GAINS} for method, compute in METHODS.items()}
print(f"{'mean motion reported (px)':28}" + "".join(f"{f'light ×{gain:g}':>14}" for gain in GAINS))
for method, found in ghosts.items():
    wrong = [end_point_error(flow, torch.zeros_like(flow)).item() for flow in found.values()]
    print(f"{method:28}" + "".join(f"{abs(error):14.2f}" for error in wrong))
cells = [picture(first), picture(lit[1.1])] + [flow_to_color(found[1.1][0], max_flow=8) for found in ghosts.values()]
labels = ["a frame", "the same, ×1.1", *(f"{method}, ×1.1" for method in ghosts)]
show.contact_sheet(np.stack(cells), columns=len(cells), width=WIDTHS[5], labels=labels)

# %% [markdown]
# **What to see.** A tenth more light, which the eye forgives, and yours reports storms: where the slopes are
# weak, a small change of brightness needs a large motion to explain it. The peers nearly hold, because neither compares
# brightness itself: Farnebäck drops the constant of its parabola, DIS takes the mean out of each patch. Where lamps
# flicker or a shot fades, plain Lucas–Kanade sees motion that never was.
#
# ## Negative control 2: the aperture
#
# Now the prediction: slanted stripes that slide to the right by 2 pixels. The method is intact, the brightness is
# constant. What is missing is a second direction in the texture.

# %% tags=["demo"]
def stripes(degrees, shift, height=72, width=108, wavelength=18):
    """Stripes whose brightness changes along `degrees`, `shift` pixels to the right, `(1, 3, H, W)`."""
    y, x = torch.meshgrid(torch.arange(height) * 1.0, torch.arange(width) * 1.0, indexing="ij")
    along = (x - shift) * math.cos(math.radians(degrees)) + y * math.sin(math.radians(degrees))
    return (0.8 * torch.cos(2 * math.pi / wavelength * along)).expand(1, 3, height, width)


cells, labels = [], []
print("stripes    true (u, v)    measured (u, v)    only across the stripes")
for degrees in (0, 45, 75, 90):
    first, second = stripes(degrees, 0.0), stripes(degrees, 2.0)
    found = lucas_kanade(first, second, num_levels=1)
    u, v = (round(mean, 2) + 0.0 for mean in found[0, :, 20:-20, 20:-20].mean(dim=(1, 2)).tolist())  # no "-0.00"
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    print(f"{degrees:5}°     (2.00,  0.00)   ({u:5.2f}, {v:5.2f})       ({2 * cos * cos:5.2f}, {2 * cos * sin:5.2f})")
    cells += [picture(first), flow_to_color(found[0], max_flow=2.5)]
    labels += [f"stripes at {degrees}°", "measured flow"]
show.contact_sheet(np.stack(cells), columns=4, width=200, labels=labels)

# %% [markdown]
# **What to see.** Every wall moved to the right by 2 pixels. Measured is only the part *across* the stripes: at 45°
# that is $(1, 1)$, a length of 1.4; at 90° nothing at all. Through a small opening (an *aperture*) nobody can see a
# stripe slide along itself: the 2 × 2 matrix has one eigenvalue near zero. Our `damping` answers with the shortest
# motion that fits. A better method cannot know more either; it can only guess from further away.
#
# ## Try it
#
# Any two neighbouring frames of any shot (or a file of yours), with your knobs.

# %% tags=["demo"]
CLIP, FRAME = clip_path("rope_skipping"), 40
LEVELS, ITERATIONS, WINDOW = 4, 4, 13

clip = video.frames_to_clip(video.read_frames(CLIP, [FRAME, FRAME + 1], size=HEIGHT))[None]
first, second = clip.unbind(dim=2)
found = lucas_kanade(first, second, num_levels=LEVELS, num_iterations=ITERATIONS, window=WINDOW)
print(f"longest motion: {found.norm(dim=1).max().item():.1f} px")
print(f"unexplained: {50 * (second - first).abs().mean():.2f} % without flow, "
      f"{50 * (warp(second, found) - first).abs().mean():.2f} % with it")
show.side_by_side({"frame": picture(first), "flow": flow_to_color(found[0])})

# %% [markdown]
# **An ablation to run.** How long a motion can the method follow with 1, 2, 3 and 4 levels? Guess the rule first (what
# does one more level do to the motion that the smallest picture sees?), then run the cell, then change `LONGEST` and
# the number of iterations.

# %% tags=["demo"]
LONGEST, REPEATS = 16, 4

distances = np.linspace(0.5, LONGEST, 12)
figure, axis = plt.subplots(figsize=(7, 3.8), layout="constrained")
for num_levels in (1, 2, 3, 4):
    found = []
    for distance in distances:
        motion = Motion(shift=(0.8 * float(distance), -0.6 * float(distance)))
        scene = flow_scene(72, 96, motion, generator=torch.Generator().manual_seed(3))
        flow = lucas_kanade(scene.first, scene.second, num_levels=num_levels, num_iterations=REPEATS)
        found.append(end_point_error(flow, scene.flow, valid=scene.visible).item())
    axis.plot(distances, found, marker="o", markersize=3, label=f"{num_levels} level{'s' * (num_levels > 1)}")
axis.plot(distances, distances, color="0.6", linestyle=":", label="no flow at all")
axis.set(xlabel="true motion (px)", ylabel="end-point error (px)", ylim=(0, LONGEST))
axis.set_title("Each level follows longer motions")
axis.legend(fontsize=9)
plt.show()

# %% [markdown]
# ## Honest limits
#
# - Two motions in one window (an edge, a leaf before the sky) are blurred into one. Methods after 1981 are mostly about
#   this.
# - What is hidden in the next frame has no flow. We print a number there all the same; comparing the forward with the
#   backward flow finds such pixels, and `flipbook show --flow` does it.
# - A wing thinner than its own motion vanishes on the small levels, so the start is wrong and no step repairs it.
# - The scenes are smooth and hold no noise. Real benchmarks (Middlebury, Sintel, KITTI) are harder, and there a learned
#   method leads by far. **RAFT** (2020) compares *all* pairs of pixels and lets a recurrent network do what your loop
#   does: look up, correct, repeat. `common.flow.load_raft` loads it through torchvision where its weights are on the
#   machine; on this page it drew a picture only if a column says RAFT.
#
# ## Yours now
#
# `flow_to_color`, `warp`, `end_point_error`, `lucas_kanade_step` and `lucas_kanade` are parts of the library, and yours
# can stand in for them. In a terminal, in the course's folder:
#
# ```console
# flipbook show holiday.mp4 --flow --mine
# ```
#
# **Next:** lab 01.4 finds the cuts, where no flow can exist. **To read:** *An iterative image registration technique*
# (Lucas, Kanade, IJCAI 1981), the step; *A database and evaluation methodology for optical flow* (Baker et al., IJCV
# 2011), the wheel and the error; *Two-frame motion estimation based on polynomial expansion* (Farnebäck, SCIA 2003);
# *Fast optical flow using dense inverse search* (Kroeger et al. 2016, arXiv:1603.03590); *RAFT* (Teed, Deng 2020,
# arXiv:2003.12039).
#
# *Film: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0.*
