# %% [markdown]
# # Lab 03.4 · Motion control
#
# **What you will have at the end:** a model with two dials, one for the object and one for the camera. You write how
# motion is scored, how scores become the **motion buckets** of Stable Video Diffusion, and how a network is told a
# number. Then you measure the dose–response: of this model, of Stable Video Diffusion's single dial, and of controls.
#
# | | |
# |---|---|
# | time | about 70 minutes |
# | difficulty | ★★★★ |
# | before this | [How much, and from where](../../phases/03_image_to_video/03_how_much_and_from_where.ipynb), 03.3 |
#
# | preset | clips (T, H, W) | pictures × doses measured | all cells take about |
# |---|---|---|---|
# | `ci` | (8, 64, 64) | 1 × 3 | 15 s |
# | `cpu` (default) | the same | 6 × 6 | 2 min |
# | `gpu` | the same | 24 × 6 | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import json
import math

import matplotlib.pyplot as plt
import torch
from diffusers.utils import logging
from torch import nn
from torch.nn import functional as F

from common import show
from common.course import check, paths
from common.data.sprites import caption
from common.data.sprites.truth import truth
from common.evaluation.motion_dose import DoseResponse
from common.models.inflated_model import InflatedUNet
from common.runtime import limit_threads, preset
from common.zoo.sprites_dose.clips import OBJECT, ManySpeeds, scores
from common.zoo.sprites_dose.recipe import animate, asked, ids_of, measured_speeds
from common.zoo.sprites_dose.study import DOSES, response, with_own_conditioning
from common.zoo.sprites_svd.recipe import FPS

limit_threads()
logging.set_verbosity_error()
plt.rcParams["figure.dpi"] = 75
BLUE, RUST, OLIVE, GREY = "#1f6f8b", "#b3541e", "#8a7a2f", "#9a9a9a"
NUM_PICTURES, USED = {"ci": (1, DOSES[::2]), "cpu": (6, DOSES), "gpu": (24, DOSES)}[preset()]


def playing(clips, width=150):
    """Clips side by side, name to `(3, T, H, W)`, in a loop."""
    row = torch.cat([F.pad(clip.cpu(), (0, 2), value=1.0) for clip in clips.values()], dim=3)
    return show.player(row, FPS, width=width * len(clips), max_bytes=55_000, caption=" | ".join(clips))


# %% [markdown]
# ## Where you are heading
#
# One picture, one sentence, the same noise. Only the dose differs: how far the object is told to go.

# %% tags=["demo"] draws="One picture at three doses, by the shipped weights."
MODEL = InflatedUNet.from_pretrained("sprites-dose")
PICTURE = asked(1, "object")
print(caption(PICTURE.scenes[0]))
heading = {dose: animate(MODEL, PICTURE, torch.tensor([[float(dose), 0.0]]))[0] for dose in (15, 128, 240)}
playing({f"object: {dose}": clip for dose, clip in heading.items()})

# %% [markdown]
# **Before you read on, a prediction.** Stable Video Diffusion has one dial, the motion bucket, made from one score of
# everything that moves. Say object and camera both move in a clip. You turn the dial down, to have a calmer object.
# What becomes calmer?

# %% [markdown] about="motion_scores" difficulty=3 importance=5 minutes=12
# ## Motion scores, of object and camera apart
#
# **Optical flow** says how far each pixel goes from a frame to the next. Its mean length is the usual **motion score**.
# It mixes two things that a user wants to set apart. With a mask of the object they can be told apart: the
# background's flow is the camera's doing, and the object's own motion is what it does beyond that.
#
# $$ s_{\text{camera}} = \frac{\text{fps}}{H} \; \overline{\lVert \bar f_{\text{out}} \rVert} , \qquad
# s_{\text{object}} = \frac{\text{fps}}{H} \; \overline{\lVert \bar f_{\text{in}} - \bar f_{\text{out}} \rVert} $$
#
# | quantity | shape | unit |
# |---|---|---|
# | flow | `(..., 2, T, H, W)` | pixels per frame |
# | masks | `(..., T, H, W)` | 0 to 1 |
# | scores | `(..., 2)` | heights per second |

# %% exercise="motion_scores" from="common.evaluation.motion_dose:motion_scores"

# %% check="motion_scores"

# %% [markdown] hints="motion_scores"
# 1. First two mean vectors for each frame, `(..., 2, T)`: inside and outside. Only then lengths, then the mean over T.
# 2. A weighted mean: `(flow * outside).sum((-2, -1)) / outside.sum((-2, -1))`. `masks.unsqueeze(-4)` meets x and y.
# 3. A frame whose weights are all 0 has no mean. Give it a 0 (`clamp(min=…)` below the fraction), and leave it out when
#    you average over frames. At the end: times fps, divided by H.

# %% [markdown] troubles="motion_scores"
# - **Too large for a camera.** Is it the length of the mean, or the mean of the lengths? The vectors come first.

# %% tags=["demo"] draws="Your scores of 64 clips from their true flow, beside the speeds that they were drawn with."
SCENES = ManySpeeds("train").scenes(range(64))
TRUTH = truth(SCENES, 8)
found = motion_scores(TRUTH.flow, TRUTH.masks[:, 0, :-1], FPS)
speeds = scores(SCENES)
figure, axes = plt.subplots(1, 3, figsize=(8.4, 2.7), layout="constrained")
for k, (name, color) in enumerate((("object", BLUE), ("camera", RUST))):
    axes[k].scatter(speeds[:, k], found[:, k], s=14, color=color, linewidth=0)
    axes[k].plot([0, 0.5], [0, 0.5], color=GREY, linewidth=1)
    axes[k].set(title=name, xlabel="drawn with, heights per second", ylabel="your score" if not k else "")
axes[2].scatter(speeds[:, 0], TRUTH.motion_score, s=14, color=OLIVE, linewidth=0)
axes[2].set(title="one score for all", xlabel="speed of the object", ylabel="mean length of the flow")
plt.show()

# %% [markdown]
# **What to see.** Your two scores are the two speeds. The single score knows little of the object: it covers a tenth
# of the picture, and the background the rest. A slow pan outweighs a fast object.

# %% [markdown] about="MotionBuckets" difficulty=2 importance=5 minutes=10
# ## What is a motion bucket?
#
# Nine public threads ask it, and how to compute one for one's own clips. A **motion bucket** is a score's place among
# the scores of the training set, as a whole number from 0 to 255. The same clip has another bucket in other
# company. So it says nothing by itself: 127 means "faster than half of what this model has seen".
#
# $$ b(s) = \lfloor 256 \, p \rfloor , \qquad p = \text{part of the sample below } s $$

# %% exercise="MotionBuckets" from="common.evaluation.motion_dose:MotionBuckets" blank="bucket,score"

# %% check="MotionBuckets"

# %% [markdown] hints="MotionBuckets"
# 1. `torch.searchsorted(self.sorted, values)` counts how many of the sorted sample are below each value.
# 2. Whole numbers: `256 * below // len(self.sorted)`. Above all of the sample that would be 256, so clamp.
# 3. The way back: `place = (bucket + 0.5) / 256 * (N - 1)` lies between two of the sorted scores. Mix them by how far.

# %% tags=["demo"] draws="Scores of the training clips, and the buckets that they get."
SAMPLE = scores(ManySpeeds("train").scenes(range(2000)))
MOVING = SAMPLE[SAMPLE[:, 0] > 0, 0]
TOLD = MotionBuckets(MOVING)
figure, axes = plt.subplots(1, 3, figsize=(8.4, 2.5), layout="constrained")
axes[0].hist(MOVING.numpy(), bins=32, color=BLUE)
axes[0].set(xlabel="score, heights per second", ylabel="clips", title="Scores: slow ones abound")
axes[1].hist(TOLD.bucket(MOVING).numpy(), bins=32, color=RUST)
axes[1].set(xlabel="bucket", title="Buckets: all alike")
axes[2].plot(torch.arange(256), TOLD.score(torch.arange(256)), color=OLIVE)
axes[2].set(xlabel="bucket", ylabel="heights per second", title="The way back")
plt.show()
for value in (0.5, 1.0, 1.5):
    print(f"{value * OBJECT:.2f} heights per second is bucket {TOLD.bucket(torch.tensor(value * OBJECT))}")

# %% [markdown]
# **What to see.** The curve on the right is what no thread could say: what a step of the dial is worth. In this world a
# step multiplies the speed, since slow clips abound. With real clips it is whatever their scores say.

# %% [markdown] about="MicroConditioning" difficulty=3 importance=4 minutes=10
# ## Micro-conditioning: how a network is told a number
#
# Each number becomes **sinusoids**, slow and fast ones, so that near numbers look alike and far ones do not. Two
# linear layers turn them into a vector, which is added to the embedding of the noise level. Every layer hears of that.
#
# | quantity | shape | here |
# |---|---|---|
# | numbers: fps, bucket, noise, object, camera | `(B, K)` | (B, 5) |
# | sinusoids | `(B, K dim)` | (B, 1280) |
# | embedding | `(B, E)` | (B, 256) |

# %% exercise="MicroConditioning" from="common.layers.micro_conditioning:MicroConditioning" blank="forward"

# %% check="MicroConditioning"

# %% [markdown] hints="MicroConditioning"
# 1. n = dim / 2 speeds: `torch.exp(-math.log(10_000) * torch.arange(n) / n)`.
# 2. `ids.float()[..., None] * speeds` is `(B, K, n)`. Cosines first, then sines, along the last axis.
# 3. `.flatten(1)` puts number after number. Change the dtype to that of `self.linear_1.weight` before the layers.

# %% [markdown] troubles="MicroConditioning"
# - **Right for K = 1 only.** All cosines of all numbers first is another order: each number keeps its own together.

# %% [markdown]
# Yours has the names of diffusers' layers, so the shipped weights fit. Put it into the model, in place of diffusers'
# own two modules, and compare:

# %%
OWN = with_own_conditioning(MODEL, MicroConditioning)
doses = torch.tensor([[200.0, 30.0], [10.0, 0.0]])
noisy = torch.randn(2, 8, 32, 8, 8, generator=torch.Generator().manual_seed(0))
prompt = torch.randn(2, 5, 384, generator=torch.Generator().manual_seed(1))
with torch.no_grad():
    outputs = [model(noisy, torch.tensor([0.2, 0.5]), prompt, ids_of(doses, torch.full((2,), 0.02))).sample
               for model in (MODEL, OWN)]  # fmt: skip
print(f"largest difference of the two models' outputs: {(outputs[0] - outputs[1]).abs().max():.1e}")

# %% [markdown] about="dose_response" difficulty=3 importance=5 minutes=12
# ## Dose–response
#
# Is more asked, more done? The **rank correlation** says whether the order is right, picture by picture. The **slope**
# says whether twice the dose is twice the motion, and the **error** by how much the amount is missed.
#
# | quantity | shape | |
# |---|---|---|
# | asked | `(P, K)` | speeds, P pictures at K doses |
# | measured | `(P, K)` | speeds that came out |

# %% exercise="dose_response" from="common.evaluation.motion_dose:dose_response"

# %% check="dose_response"

# %% [markdown] hints="dose_response"
# 1. The rank of a value: how many of its row are below, plus half of how many are equal (itself too).
# 2. Ranks minus their mean, for both. The correlation is the sum of products over the root of the product of the sums
#    of squares. Take care of rows in which all responses are equal.
# 3. The slope, with x and y as logarithms minus their means over all pairs: `(x * y).sum() / x.square().sum()`.

# %% [markdown] troubles="dose_response"
# - **A NaN.** A row of equal responses has no spread: 0 / 0. The docstring says what it counts as.

# %% [markdown]
# ## The result to remember
#
# Test pictures, each at several doses, by the weights in your layer. Once only the object moves, once only the camera.

# %%
print(f"{'pictures: ' + str(NUM_PICTURES):18}{'rank correlation':>18}{'slope':>8}{'error':>8}")
CURVES = {}
for thing in ("object", "camera"):
    CURVES[thing] = response(OWN, thing, NUM_PICTURES, USED)
    found = dose_response(CURVES[thing]["asked"], CURVES[thing][thing])
    print(f"{thing + ' alone':18}{found.spearman:18.2f}{found.slope:8.2f}{found.error:8.0%}")

# %% tags=["demo"] draws="24 pictures at six doses, stored: this model, SVD's one dial, and two controls."
place = paths.find_lab("03.4").tests.parent / "calibration" / "04_motion_control.json"
STUDY = json.loads(place.read_text())["study"]
ARMS = {"two doses": BLUE, "sprites-svd, motion bucket": GREY, "one dose for all": OLIVE, "doses of other clips": RUST}
figure, axes = plt.subplots(1, 2, figsize=(9.4, 2.9), layout="constrained")
for axis, thing in zip(axes, ("object", "camera")):
    print(f"{thing + ' alone':26}{'rank correlation':>18}{'slope':>7}{'error':>7}{'asked':>15}{'measured':>15}")
    for name, color in ARMS.items():
        curve = {key: torch.tensor(values) for key, values in STUDY[name][thing].items()}
        found, told = dose_response(curve["asked"], curve[thing]), curve["asked"][0]
        came = curve[thing].median(dim=0).values
        print(f"{name:26}{found.spearman:18.2f}{found.slope:7.2f}{found.error:7.0%}"
              f"{told[0]:7.2f} to {told[-1]:.2f}{came[0]:7.2f} to {came[-1]:.2f}")  # fmt: skip
        axis.plot(told, came, "o-", color=color, markersize=4, label=name)
    line = curve["asked"][0]
    axis.plot(line, line, "--", color="black", linewidth=0.8, label="as asked")
    axis.set(title=f"{thing} alone", xlabel="asked, heights per second")
axes[0].set_ylabel("measured (median)")
axes[1].legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# Each model is asked what its doses mean in its own training clips; the last columns are the lowest and the highest.
#
# **What to see.** For the object, the blue line follows the dashed one, but for the fastest. The design of this lab
# asked for a rank correlation of 0.9 and an error of 25 %: the object meets both. The grey line is short: `sprites-svd`
# obeys its bucket, but all its training clips are about as fast. **A dial reaches as far as the clips that it was
# learned from.** A rank correlation does not see that, so look at the amounts too. Doses of other clips teach the model
# that the number means nothing: slope 0. Yet their rank correlation is far from 0, where the design asked for 0.2 at
# most. All doses start from the same noise, so even differences of a few thousandths have an order. And the camera's
# dial is heard more than obeyed: slow pans do not happen, fast ones reach a third, and its rank correlation stays below
# 0.9.
#
# ### One dial, two things
#
# Now both move, and one dose changes. Two doses on the left and in the middle. On the right the one dose for all, which
# had 350 steps of training instead of 1,000. So the table has two doses after 350 steps as well.

# %% tags=["demo"] draws="Object and camera both move: which of them follows the dose?"
PANELS = {"object's dose of two": ("two doses", "object dose"),
          "camera's dose of two": ("two doses", "camera dose"),
          "one dose for all": ("one dose for all", "both"),
          "object's of two, 350 steps": ("two doses, 350 steps", "object dose"),
          "camera's of two, 350 steps": ("two doses, 350 steps", "camera dose")}  # fmt: skip
figure, axes = plt.subplots(1, 3, figsize=(9.0, 2.8), layout="constrained", sharey=True)
print(f"{'from the lowest to the highest dose':36}{'object':>14}{'camera':>16}   heights per second")
for k, (title, (name, key)) in enumerate(PANELS.items()):
    came = {thing: torch.tensor(STUDY[name][key][thing]).median(dim=0).values for thing in ("object", "camera")}
    print(f"{title:36}" + "  ".join(f"{speeds[0]:6.2f} to {speeds[-1]:.2f}" for speeds in came.values()))
    if k < len(axes):
        for thing, color in (("object", BLUE), ("camera", RUST)):
            axes[k].plot(STUDY["doses"], came[thing], "o-", color=color, label=thing, markersize=4)
        axes[k].set(title=title, xlabel="bucket told", ylim=(0, None))
axes[0].set_ylabel("heights per second (median)")
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# **What to see.** And your prediction? The one dial became a dial of the object: the camera hardly moves at any dose.
# Two doses pan more after as many steps, but are not apart yet: the object's moves the camera too. That takes the rest
# of the training. A calm object before a fast camera cannot be asked for with one dial at all. With two doses, the
# object's leaves the camera about where it is. The camera's does not keep to itself: the object should go along with
# the background, and lags behind, which counts as motion of its own.
#
# ## Try it
#
# Two doses of your own, from 0 to 255, for one of the test pictures.

# %%
NUMBER, OBJECT_DOSE, CAMERA_DOSE = 1, 40, 220

pictures = asked(NUMBER + 1, "both")
chosen = type(pictures)(pictures.pixels[NUMBER:], pictures.scenes[NUMBER:], (), pictures.fps)
tried = animate(OWN, chosen, torch.tensor([[float(OBJECT_DOSE), float(CAMERA_DOSE)]]))
print(caption(chosen.scenes[0]))
print("measured, object and camera:", ", ".join(f"{v:.2f}" for v in measured_speeds(tried)[0]), "heights per second")
playing({"the world": chosen.clips()[0], "yours": tried[0].cpu()})

# %% [markdown] tags=["folded"]
# ## Going further: the same at real scale
#
# Stable Video Diffusion's bucket is an argument of its pipeline. The scores of its training clips were never published,
# so the bucket of a clip of yours cannot be computed for it. For a model that you fine-tune yourself it can: with
# `MotionBuckets` on your own clips.


# %%
def animate_at_real_scale(image, bucket):
    """Stable Video Diffusion at one motion bucket. It needs the checkpoint and a GPU with 12 GB."""
    from diffusers import StableVideoDiffusionPipeline

    name = "stabilityai/stable-video-diffusion-img2vid-xt"
    pipe = StableVideoDiffusionPipeline.from_pretrained(name, torch_dtype=torch.float16, variant="fp16")
    pipe.enable_model_cpu_offload()
    return pipe(image, motion_bucket_id=bucket, decode_chunk_size=2).frames[0]


# %% [markdown]
# **Honest limits.** Cameras miss their doses, as the tables show: `sprites-svd` itself seldom pans, and 17 core-minutes
# did not change that. The design asked that objects go at most 0.3 times the median speed at the lowest dose. It is
# 0.45, and the doses measured here ask for no less than 0.47. The controls had a third of the training steps, or less,
# and half the pictures. One large object, pans and no zooms, eight frames: the card lists what else was left out.
#
# **Ablation.** Train with one constant bucket for all clips. What does the dial do then, and what does the motion do?
#
# ## What you now own
# `motion_scores`, `MotionBuckets` and `dose_response` of `common/evaluation/motion_dose.py`, and `MicroConditioning`.
# `flipbook evaluate sprites-dose --mine` measures with your `dose_response`.
#
# - Blattmann et al. (2023), *Stable Video Diffusion*, arXiv:2311.15127
# - Podell et al. (2023), *SDXL*, arXiv:2307.01952
# - Spearman (1904), *The Proof and Measurement of Association between Two Things*
