# %% [markdown]
# # How much, and from where
#
# About 25 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# A picture says what there is, a sentence says what happens. Two things are hard to put into words: *how much* should
# move, and *from where* we look at it. Video models take both as numbers. This page shows how the first is measured,
# and why one number is not enough for it. Then it builds the second, a camera as a ray for every pixel, and walks
# through the mistakes that make camera control fail in silence. All of it is exact or measured. Nothing is trained.

# %% tags=["setup"]
import math
from dataclasses import replace

import matplotlib.pyplot as plt
import torch
from torch.nn import functional as F

from common import show
from common.data import clip_path, clips, find_clip
from common.data.sprites import SpriteData, render, truth
from common.data.sprites.attributes import FPS
from common.evaluation import motion_score
from common.evaluation.flow_score import clip_flow, flow_score, global_motion, within_shots
from common.flow import dis
from common.geometry import camera_poses, camera_rays, intrinsics_of, invert_poses, plucker, project, relative_poses
from common.runtime import limit_threads
from common.video import frames_to_clip, read_frames

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 75
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "#9a9a9a"


def beside(*given, dim=3):
    """Clips `(3, T, H, W)` in a row, or with dim=2 in a column, and a white line between them."""
    gap = (0, 2) if dim == 3 else (0, 0, 0, 2)
    return torch.cat([F.pad(clip, gap, value=1.0) for clip in given], dim=dim)


def film(name, step=1):
    """A bundled shot as a clip, 72 rows high."""
    return frames_to_clip(read_frames(clip_path(name), size=72)[::step])


# %% [markdown]
# ## Motion scores and motion buckets
#
# A **motion score** is one number for how much moves in a clip. Two kinds are in use. One asks how much the *pixels*
# change from frame to frame. The other asks how *far* things go: the mean length of the **optical flow**. Data sets
# for video models are filtered by the second kind. In what unit? Pixels per frame would double when the clip is twice
# as large, and halve when it has twice as many frames. Heights of the picture per second stay.

# %%
shot = film("canopy_flight")
print(f"{'frames per second':>18}{'pixels per frame':>18}{'heights per second':>20}{'pixels change, per second':>27}")
for step in (1, 2, 4):
    part = shot[:, ::step]
    flow = clip_flow(part, dis)
    print(f"{24 // step:18}{flow.norm(dim=0).mean():18.2f}{flow_score(flow, 24 / step):20.2f}"
          f"{motion_score(part, fps=24 / step):27.2f}")  # fmt: skip

# %% [markdown]
# Now with a truth to compare. The world of sprites knows how every pixel moves. Below, clips of it: their true score
# against the flow that OpenCV reads from the pixels, and against the change of pixels.
#
# *Before you run on:* an object runs before a *plain* wall. Will the flow's score be right, too low or too high?

# %%
data = SpriteData("test", num_objects=1)
NUMBERS = range(48)
SCENES, PIXELS, TRUTH = data.scenes(NUMBERS), data.batch(NUMBERS).clips(), data.truth(NUMBERS)
plain = torch.tensor([s.background == "field" for s in SCENES])
by_flow = torch.stack([flow_score(clip_flow(clip, dis), FPS) for clip in PIXELS])
by_pixels = motion_score(PIXELS, fps=FPS)
figure, axes = plt.subplots(1, 2, figsize=(8.0, 3.2), layout="constrained")
RULERS = {"heights per second, from the pixels' flow": by_flow, "change of pixels per second": by_pixels}
for axis, (name, found) in zip(axes, RULERS.items()):
    for chosen, colour, label in ((~plain, BLUE, "textured background"), (plain, RUST, "plain background")):
        axis.scatter(TRUTH.motion_score[chosen], found[chosen], s=18, color=colour, alpha=0.7, linewidth=0, label=label)
    axis.set(xlabel="true score, heights per second", ylabel=name)
axes[0].plot([0, 0.4], [0, 0.4], color=GREY, linewidth=1)
axes[0].set_title("How far things go", fontsize=10)
axes[1].set_title("How much pixels change", fontsize=10)
axes[0].legend(frameon=False, fontsize=9)
plt.show()
moving = TRUTH.motion_score > 0
for label, chosen in {"textured": moving & ~plain, "plain": moving & plain}.items():
    times = by_flow[chosen] / TRUTH.motion_score[chosen]
    print(f"{label:9} background: the flow's score is {times.median():.1f} times the true one in the middle clip")

# %% [markdown]
# **What to see.** Where there is texture, most points are near the line. A plain wall has nothing to hold on to, so the
# method fills it with the motion of the nearest edge, and the whole wall seems to run with the object. Flow is a guess
# where nothing can be seen. The change of pixels is a poor ruler anywhere. It counts contrast, and it saturates: in
# the table above it fell by more than half when frames were left out.
#
# ### Cuts
#
# Across a cut nothing moves, and the flow is long, since it finds some way to match two pictures that have nothing to
# do with each other. An excerpt of the film with five cuts:

# %%
CUTS = [-(-cut // 2) for cut in find_clip("film_cuts").cuts]  # at every second frame
excerpt = film("film_cuts", 2)
flow = clip_flow(excerpt, dis)
each = flow.norm(dim=0).mean(dim=(1, 2)) * 12 / 72  # of each pair, heights per second
figure, axis = plt.subplots(figsize=(7.4, 2.6), layout="constrained")
axis.plot(torch.arange(len(each)) / 12, each, color=BLUE, linewidth=1)
for k, cut in enumerate(CUTS):
    axis.axvline((cut - 1) / 12, color=RUST, linestyle="--", linewidth=1, label="cut" if not k else None)
axis.set(xlabel="seconds", ylabel="heights per second", ylim=(0, None))
axis.set_title("Flow from each frame to the next", fontsize=10)
axis.legend(frameon=False)
plt.show()
inside = within_shots(excerpt.shape[1], CUTS)
print(f"score of the excerpt {flow_score(flow, 12):.2f}, without the {len(CUTS)} pairs across cuts "
      f"{flow_score(flow[:, inside], 12):.2f}")  # fmt: skip
first, last = 0, []
for cut in [*CUTS, excerpt.shape[1]]:
    last.append(flow_score(flow[:, first : cut - 1], 12).item())
    first = cut
print("its shots one by one:", ", ".join(f"{score:.2f}" for score in last))

# %% [markdown]
# **What to see.** A handful of pairs out of two hundred changes the score, and the six shots in there have little in
# common anyway. Cut first (lab 01.4), then score each shot.
#
# ### Buckets
#
# Scores are crowded near zero, with a long tail. So a model is not told the score but its **bucket**: the rank of the
# score among all training clips, from 0 to 255. Then each bucket has as many examples as any other. Stable Video
# Diffusion has such a number, `motion_bucket_id`, 127 if you do not ask. How it was computed was not published, and
# users have asked again and again. This is the plain way to make one:

# %%
order = TRUTH.motion_score.sort().values


def bucket(score):
    """The share of training scores below this one, from 0 to 255."""
    return round(255 * (order < score).float().mean().item())


figure, axes = plt.subplots(1, 2, figsize=(7.6, 2.5), layout="constrained")
axes[0].hist(order, bins=24, color=BLUE)
axes[0].set(xlabel="true score, heights per second", ylabel="clips", title="The scores of the clips above")
axes[1].plot(order, [bucket(score) for score in order], color=BLUE)
axes[1].set(xlabel="true score, heights per second", ylabel="bucket", title="Their buckets")
plt.show()
for score in (0.0, 0.02, 0.1, 0.2):
    print(f"{score:.2f} heights per second is bucket {bucket(score)}")

# %% [markdown]
# **What to see.** The middle bucket is not the middle speed. And a bucket means something only for the data that it
# was made from: the same 127 is a slow pan in one model and a sprint in another. Lab 03.4 trains with buckets and
# draws the curve that matters, measured motion against asked motion.
#
# ## One number, two causes
#
# A score does not say *who* moves. Here are two clips with exactly the same true score. In one the object runs and the
# camera stands. In the other the camera creeps and the object stands.

# %%
runner = next(s for s in SCENES if s.objects[0].motion in ("left", "right") and s.objects[0].size == "large"
              and s.background != "field")  # fmt: skip
runner = replace(runner, camera="still", camera_speed=0.0)
score = truth([runner]).motion_score.item()
stander = replace(runner, objects=(replace(runner.objects[0], motion="still", speed=0.0),))
creeper = replace(stander, camera="pan_left", camera_speed=score)
pair = render([runner, creeper]).clips()
for name, scene in {"object moves": runner, "camera moves": creeper}.items():
    print(f"{name}: {truth([scene]).motion_score.item():.4f} heights per second; speed of what moves: "
          f"{scene.camera_speed or scene.objects[0].speed:.2f}")  # fmt: skip
CAPTION = "one score: the object moves | the camera moves"
show.player(beside(*pair), FPS, width=320, max_bytes=50_000, caption=CAPTION)

# %% [markdown]
# The object is some ten times faster, and is a tenth of the picture. **The score is a mean over pixels, so it mostly
# measures the camera.** Ask a model that learned from such scores for "little motion", and it learned that the camera
# should stand. Ask for much, and it pans, while people stand like statues.
#
# The remedy is two numbers. Most of the picture follows the camera. So fit a motion of six parameters to the flow (a
# shift, a zoom, a turn, a shear: **global motion**), by a fit that ignores a minority, and call what is left the
# objects' part. In the world of sprites the true parts are known.
#
# *Before you run on:* an object runs before a panning camera. How far off will the fit be?

# %%
standing = [replace(s, objects=tuple(replace(o, motion="still", speed=0.0) for o in s.objects)) for s in SCENES]
background, fitted = truth(standing).flow, global_motion(TRUTH.flow)
camera_true, camera_fit = flow_score(background, FPS), flow_score(fitted, FPS)
object_true, object_fit = flow_score(TRUTH.flow - background, FPS), flow_score(TRUTH.flow - fitted, FPS)
print(f"camera's part: off by {(camera_fit - camera_true).abs().median():.4f} in the middle clip, "
      f"{(camera_fit - camera_true).abs().max():.4f} in the worst")  # fmt: skip
print(f"objects' part: off by {(object_fit - object_true).abs().median():.4f} and "
      f"{(object_fit - object_true).abs().max():.4f}")  # fmt: skip
with_camera = torch.tensor([s.camera != "still" for s in SCENES])
share = camera_true[with_camera] / TRUTH.motion_score[with_camera]
print(f"where the camera moves, its part is {share.median():.0%} of the score")

rows = []
for clip in clips():
    flow = clip_flow(film(clip.name, 2)[:, :24], dis)
    whole = global_motion(flow)
    rows.append((clip.name, flow_score(whole, 12).item(), flow_score(flow - whole, 12).item()))
rows.sort(key=lambda row: sum(row[1:]))
figure, axis = plt.subplots(figsize=(7.2, 4.0), layout="constrained")
names = [name for name, *_ in rows]
axis.barh(names, [camera for _, camera, _ in rows], color=GREY, label="the camera's part")
axis.barh(names, [-objects for *_, objects in rows], color=BLUE, label="the objects' part")
axis.axvline(0, color="black", linewidth=0.8)
axis.set(xlabel="heights per second, objects to the left, camera to the right")
axis.set_title("Fifteen shots, two seconds each", fontsize=10)
axis.legend(frameon=False, fontsize=9)
plt.show()

# %% [markdown]
# **What to see.** In the world of sprites the fit is exact: cameras pan and zoom, and objects are small. In the film,
# shots that one number puts side by side differ in kind, and the split is not perfect. Where a character
# fills the frame, *it* is the majority, and becomes the "camera". Where a camera moves past things at several depths,
# as in `canopy_flight`, their flow is not of six parameters, and some of it is counted as objects. For such a camera
# one needs geometry.
#
# ## The camera as an input
#
# "The camera pans left" is a word. How far, how fast, around what? A **camera path** says it in numbers: for each
# frame a **pose**, where the camera is and which way it looks, and **intrinsics**, how long its lens is. Here is a
# small world, a floor and three boxes, and six paths through it.

# %%
T, SIZE = 12, 100
s = torch.linspace(0, 1, T)
ahead, zero = torch.zeros(T, 3), torch.zeros(T)
BOXES = {(0.0, 0.26, 1.6): (0.9, 0.3, 0.1), (-0.8, 0.26, 2.6): (0.3, 0.6, 0.9), (0.8, 0.26, 3.2): (0.9, 0.8, 0.2)}
HALF, FLOOR = 0.24, 0.5  # half a box's side, and where it stands: y points down
front = 1.6 - HALF  # of the first box
a = 0.6 * s  # radians, around a point 1.6 before the first camera
around = torch.stack([1.6 * a.sin(), zero, 1.6 - 1.6 * a.cos()], dim=1)
PATHS = {  # poses (T, 4, 4) and focal lengths (T,), in heights
    "truck": (camera_poses(torch.stack([0.7 * s, zero, zero], dim=1)), 1 + zero),
    "dolly": (camera_poses(torch.stack([zero, zero, 0.6 * s], dim=1)), 1 + zero),
    "pan": (camera_poses(ahead, yaw=0.4 * s), 1 + zero),
    "zoom": (camera_poses(ahead), 1 + s),
    "orbit": (camera_poses(around, yaw=-a), 1 + zero),
    "dolly and zoom": (camera_poses(torch.stack([zero, zero, -0.5 * front * s], dim=1)), 1 + 0.5 * s),
}


def drawn(poses, focal):
    """The world through a camera, `(3, T, SIZE, SIZE)`: for each pixel, what its ray meets first."""
    origins, d = camera_rays(intrinsics_of(focal, SIZE, SIZE), poses, SIZE, SIZE)
    o = origins[..., None, None]
    nearest = torch.where(d[1] > 0, (FLOOR - o[1]) / d[1], torch.inf)  # the floor, (T, SIZE, SIZE)
    x, _, z = o + nearest.clamp(max=1e3) * d
    clip = 0.9 - torch.exp(-nearest / 5) * (0.4 + 0.4 * ((x.floor() + z.floor()) % 2)).expand(3, -1, -1, -1)
    for middle, colour in BOXES.items():
        middle, colour = (torch.tensor(v)[:, None, None, None] for v in (middle, colour))
        sides = torch.stack([(middle - HALF - o) / d, (middle + HALF - o) / d])  # (2, 3, T, SIZE, SIZE)
        enter, leave = sides.amin(dim=0), sides.amax(dim=0).amin(dim=0)
        shade = torch.tensor([0.6, 1.0, 0.8])[enter.argmax(dim=0)]  # of a left or right, an upper, a front face
        enter = enter.amax(dim=0)
        hit = (enter > 0) & (enter < leave) & (enter < nearest)
        clip, nearest = torch.where(hit, 2 * shade * colour - 1, clip), torch.where(hit, enter, nearest)
    return clip


rows = [beside(*(drawn(*PATHS[name]) for name in list(PATHS)[k : k + 3])) for k in (0, 3)]
show.player(beside(*rows, dim=2), 6, width=3 * SIZE, max_bytes=58_000,
            caption="truck | dolly | pan, and below: zoom | orbit | dolly and zoom")  # fmt: skip

# %% [markdown]
# **What to see.** A *pan* turns the camera and a *zoom* lengthens the lens. Both only redraw what can be seen from one
# point. A *truck* (sideways) and a *dolly* (forward) move that point: near things pass far ones, which is **parallax**,
# and only parallax tells of depth. The last path does both at once: the camera goes back while the lens gets longer, so
# that the red box keeps its size, and everything behind it swells. Hitchcock used it for fear of heights.
# Change a path and run the cell again.
#
# ### A ray for every pixel
#
# Four numbers or twelve could name a pose. A network of convolutions does better with something that it can see *at
# each pixel*: the ray along which this pixel looks. With the intrinsics K and the pose (R, o), pixel (i, j) has the
# direction
#
# $$ d = R \, K^{-1} (i + 0.5, \; j + 0.5, \; 1)^T, \quad \text{made of length 1,} $$
#
# and starts at the camera's centre o. The half is the pixel's middle. Axes are those of OpenCV: x to the right, y
# *down*, z forward. **Plücker coordinates** make six numbers of it, (o × d, d). Why not simply (o, d)? Because a ray is
# a line, and a line has many points:

# %%
k = intrinsics_of(1.0, 4, 6)
origins, directions = camera_rays(k, PATHS["orbit"][0][-1:], 4, 6)
print("K for 4 × 6 pixels and a lens of one height:", k.tolist())
print(f"centre {[round(v, 3) for v in origins[:, 0].tolist()]}, pixel (0, 0) looks along "
      f"{[round(v, 3) for v in directions[:, 0, 0, 0].tolist()]}")  # fmt: skip
one = directions[:, :, :1, :1]
same = (plucker(origins + 3 * one[..., 0, 0], one) - plucker(origins, one)).abs().max().item()
print(f"3 further along that ray: o is off by {(3 * one).norm():.0f}, Plücker coordinates by {same:.0e}")

# %% [markdown]
# So the six numbers name what is *seen*, and not where on the way we are. As pictures, the last frame of each path:

# %%
NAMES = ("truck", "dolly", "pan", "zoom", "orbit")
figure, axes = plt.subplots(len(NAMES), 6, figsize=(7.4, 5.6), layout="constrained")
print(f"{'':8}{'moment, last frame':>20}{'direction, since the first':>28}")
for line, name in zip(axes, NAMES):
    poses, focal = PATHS[name]
    rays = plucker(*camera_rays(intrinsics_of(focal, 24, 24), relative_poses(poses), 24, 24))  # (6, T, 24, 24)
    for c, axis in enumerate(line):
        picture = axis.imshow(rays[c, -1], cmap="RdBu", vmin=-1, vmax=1)
        axis.set(xticks=[], yticks=[])
        if name == NAMES[0]:
            axis.set_title(f"{'o × d' if c < 3 else 'd'}, {'xyz'[c % 3]}", fontsize=9)
    line[0].set_ylabel(name, fontsize=9)
    moment = rays[:3, -1].norm(dim=0).mean()
    turned = (rays[3:, -1] - rays[3:, 0]).norm(dim=0).mean()
    print(f"{name:8}{moment:20.3f}{turned:28.3f}")
figure.colorbar(picture, ax=axes, shrink=0.5)
figure.suptitle("Plücker coordinates of the last frame: six channels for a network", fontsize=10)
plt.show()

# %% [markdown]
# **What to see.** The two halves divide the work. The *direction* changes when the camera turns or zooms. The *moment*
# is zero as long as it stays in its place, and grows when it moves: exactly the case with parallax.
#
# ### Three mistakes without an error message
#
# Public camera code is full of questions that end in one of these.
#
# **World to camera, or camera to world.** Both are 4 × 4 matrices, and data sets store either. The centre is the last
# column of *camera to world*. Take the other one for it:

# %%
figure, axes = plt.subplots(1, 3, figsize=(8.0, 2.7), layout="constrained")
turning = camera_poses(torch.stack([zero, zero, 0.8 * s], dim=1), yaw=0.9 * s)
TRIALS = {"truck": PATHS["truck"][0], "orbit": PATHS["orbit"][0], "dolly that turns": turning}
for axis, (name, right) in zip(axes, TRIALS.items()):
    wrong = invert_poses(right)
    for poses, colour, label in ((right, BLUE, "camera to world"), (wrong, RUST, "the inverse, taken for it")):
        place, forward = poses[::4, :3, 3], poses[::4, :3, 2]
        axis.plot(poses[:, 0, 3], poses[:, 2, 3], color=colour, linewidth=1)
        arrows = place[:, 0], place[:, 2], forward[:, 0], forward[:, 2]
        axis.quiver(*arrows, color=colour, scale=6, width=0.012, label=label)
    axis.set(xlabel="x", ylabel="z (forward)", xlim=(-1.3, 1.3), ylim=(-0.9, 1.3), aspect="equal")
    axis.set_title(name, fontsize=10)
    off = (right[-1, :3, 3] - wrong[-1, :3, 3]).norm()
    angle = math.degrees(torch.acos((right[-1, :3, 2] * wrong[-1, :3, 2]).sum().clamp(-1, 1)))
    print(f"{name:16} at the end: centre wrong by {off:.2f}, view wrong by {angle:.0f} degrees")
axes[0].legend(frameon=False, fontsize=8, loc="upper left")
figure.suptitle("Seen from above: where the camera is and looks", fontsize=10)
plt.show()

# %% [markdown]
# The wrong paths look perfectly sensible. A truck or an orbit goes the other way round, and only where moving and
# turning mix does it become odd. A network trained on wrong poses learns well, too, because the mistake is consistent.
# It is found only when someone else's path comes in.
#
# **Whose origin, whose unit.** A data set has its own origin and its own unit, often an arbitrary one. Poses are made
# **relative to the first camera**, and centres are divided by one length of the scene.

# %%
poses, focal = PATHS["orbit"]
k = intrinsics_of(focal, 24, 24)
elsewhere = camera_poses(torch.tensor([3.0, -1.0, 2.0]), yaw=1.0, pitch=0.3)  # the same path in another place
larger = poses.clone()
larger[:, :3, 3] *= 5  # the same path in a world in which all is five times as large
points = torch.tensor(list(BOXES))  # the boxes' middles
(small, depth), (large, _) = project(points, k, poses), project(5 * points, k, larger)
same_picture = (small - large)[depth > 0.1].abs().max()


def apart(a, b):
    """How far the rays of two paths are apart, a mean over pixels and frames."""
    return (plucker(*camera_rays(k, a, 24, 24)) - plucker(*camera_rays(k, b, 24, 24))).norm(dim=0).mean()


moved = elsewhere @ poses
print(f"the path elsewhere: rays apart by {apart(moved, poses):.2f}, "
      f"relative to the first camera by {apart(relative_poses(moved), relative_poses(poses)):.0e}")  # fmt: skip
print(f"the world five times as large: pictures off by {same_picture:.0e} pixels, rays by {apart(larger, poses):.2f}")
one_unit = apart(relative_poses(larger, scale=5 * 1.6), relative_poses(poses, scale=1.6))
print(f"    the same, with the distance of the first box as the unit: rays apart by {one_unit:.0e}")

# %% [markdown]
# The pictures cannot tell the two worlds apart, so no model could, and it should not be asked to. Which length? One
# that belongs to the *scene*, such as the distance of what is looked at. Dividing by the length of the *path* would
# make every path equally fast.
#
# **Whose axes.** OpenCV has y down and z forward. OpenGL and Blender have y up and look along −z. Unreal has z up, and
# counts centimetres. The columns of R must be changed to match, and a determinant of −1 afterwards means that a mirror
# has crept in. `invert_poses` and the others here refuse such a matrix.
#
# ### Who uses what
#
# | model | the camera goes in as | where |
# |---|---|---|
# | MotionCtrl (2023) | the 12 numbers of [R, t] for each frame | beside the input of temporal layers |
# | CameraCtrl (2024) | Plücker coordinates, six channels per frame | an encoder, added before temporal attention |
# | Wan Fun-Camera (2025) | Plücker coordinates, four frames folded into each latent frame | the control latents |
#
# An encoder that ends in zeros again starts as nothing. Lab 03.5 builds one and asks how exactly a model follows a path
# that it has never seen.
#
# ## What you can now say
#
# - A motion score has a unit: heights per second. Cut first, and distrust plain surfaces.
# - A bucket is a rank among training clips. It means nothing without them.
# - One score is mostly the camera's. Global motion and what is left are two numbers, and both are useful.
# - A camera is a pose and a lens. As Plücker coordinates it is six channels per frame: direction for turning and
#   zooming, moment for moving.
# - Camera to world, relative to the first camera, one unit, one set of axes. Each of these fails without a word.
#
# Next: the labs of this phase, or [phase 04](../04_inflated_unet/01_layers_that_see_time.ipynb).
