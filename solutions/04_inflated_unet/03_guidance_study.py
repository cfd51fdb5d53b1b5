# %% [markdown]
# # Lab 04.3 · Guidance by text and by image
#
# **What you will have at the end:** one sentence that says what the learner has built, and has seen.
#
# | | |
# |---|---|
# | time | about 20 minutes |
# | difficulty | ★★★☆☆ |
# | before this | the lab or the tutorial that comes before |
#
# The whole notebook runs at one of three sizes. `cpu` is yours unless you set `FLIPBOOK_PRESET`.
#
# | preset | clip `(T, H, W)` | steps |
# |---|---|---|
# | `ci` | (9, 32, 48) | 40 |
# | `cpu` | (17, 64, 96) | 100 |
# | `gpu` | (17, 128, 192) | 100 |

# %% tags=["setup"]
import torch
from tqdm import tqdm

from common import show
from common.course import check
from common.data import clip_path
from common.runtime import preset
from common.video import sample_clip

NUM_FRAMES, SIZE, NUM_STEPS = {"ci": (9, 32, 40), "cpu": (17, 64, 100), "gpu": (17, 128, 100)}[preset()]

# %% [markdown]
# ## Where you are heading
#
# The finished thing first: run the reference part, with shipped weights where there are any, and show the result.

# %% tags=["demo"]
clip = sample_clip(clip_path("leap"), NUM_FRAMES, fps=8, size=SIZE)  # (C, T, H, W)
show.contact_sheet(clip, fps=8)

# %% [markdown]
# **Before you read on, a prediction.** One question whose answer this lab measures. Write your guess down.

# %% [markdown] about="mean_frame" difficulty=1 importance=3 minutes=3
# ## The mean over time
#
# The idea in two sentences, then the equation,
#
# $$ \bar x_{c,h,w} = \frac{1}{T} \sum_t x_{c,t,h,w}, $$
#
# then a table of shapes.
#
# | quantity | shape |
# |---|---|
# | `clip`, $x$ | `(C, T, H, W)` |
# | result | `(C, 1, H, W)` |

# %% exercise="mean_frame"
def mean_frame(clip: torch.Tensor) -> torch.Tensor:
    """The mean over time, kept as a clip of one frame.

    Args:
        clip: float (C, T, H, W).

    Returns:
        (C, 1, H, W), in the clip's dtype, sharing no memory with it.

    Raises:
        ValueError: the clip has not four axes.
    """
    ### BEGIN SOLUTION
    if clip.ndim != 4:
        raise ValueError(f"clip must be (C, T, H, W), got {tuple(clip.shape)}")
    return clip.mean(dim=1, keepdim=True)
    ### END SOLUTION

# %% check="mean_frame"

# %% [markdown] hints="mean_frame"
# 1. Which axis is time?
# 2. `keepdim=True` keeps an axis of size 1.
# 3. Refuse other numbers of axes first, then `clip.mean(dim=1, keepdim=True)`.

# %% [markdown] about="remove_mean" difficulty=1 importance=3 minutes=4
# ## What moves
#
# The idea, the equation, the shapes, as above. Use the part that was just written.

# %% exercise="remove_mean"
def remove_mean(clip: torch.Tensor) -> torch.Tensor:
    """A clip without its mean frame: what does not move becomes 0.

    Args:
        clip: float (C, T, H, W).

    Returns:
        (C, T, H, W), in the clip's dtype; the clip itself is left alone.
    """
    ### BEGIN SOLUTION
    return clip - mean_frame(clip)
    ### END SOLUTION

# %% check="remove_mean"

# %% [markdown] hints="remove_mean"
# 1. You have the mean frame already.
# 2. An axis of size 1 is repeated by broadcasting.
# 3. `clip - mean_frame(clip)`.

# %% [markdown] about="fit_gain" difficulty=2 importance=3 minutes=8
# ## Something that learns
#
# A part that is trained or measured, in the seconds of the preset, with a progress bar.

# %% exercise="fit_gain"
def fit_gain(x: torch.Tensor, target: torch.Tensor, num_steps: int, learning_rate: float = 0.5) -> tuple[float, list]:
    """Gradient descent on one number: the gain g that brings `g * x` nearest to `target`, from g = 0.

    Args:
        x, target: float tensors of one shape.
        num_steps: steps of gradient descent on the mean squared error, at least 1.
        learning_rate: of each step.

    Returns:
        the gain after the last step, and the loss before each step.
    """
    ### BEGIN SOLUTION
    gain, losses = 0.0, []
    for _ in range(num_steps):
        error = gain * x - target
        losses.append(error.square().mean().item())
        gain -= learning_rate * 2 * (error * x).mean().item()
    return gain, losses
    ### END SOLUTION

# %% check="fit_gain"

# %% [markdown] hints="fit_gain"
# 1. What is the derivative of the mean of $(g x - y)^2$ with respect to $g$?
# 2. It is $2 \, \operatorname{mean}((g x - y) \, x)$.
# 3. Start at 0; in each step keep the loss, then subtract `learning_rate` times the derivative.

# %% [markdown]
# ## Assemble and run
#
# The learner's parts do something real here, with a progress bar.

# %% tags=["demo"]
moving = remove_mean(clip)
faded = 0.4 * moving
for _ in tqdm(range(1), desc="fitting", unit="run"):
    gain, losses = fit_gain(faded, moving, NUM_STEPS, learning_rate=5.0)

# %% [markdown]
# ## The result to remember
#
# The signature result beside a **baseline** and a **negative control**, with numbers. Say what to see.

# %% tags=["demo"]
print(f"gain found: {gain:.2f} (true: 2.50); baseline, no gain: 1.00")
show.strips({"what moves": moving, "faded": faded, "restored": gain * faded}, num_frames=5, width=96)

# %% [markdown]
# ## Try it
#
# Two or three knobs. **An ablation to run:** a question whose answer needs a run of this cell.

# %% tags=["demo"]
FADE = 0.4

print(f"gain for a fade of {FADE}: {fit_gain(FADE * moving, moving, NUM_STEPS, learning_rate=5.0)[0]:.2f}")

# %% [markdown]
# ## Honest limits
#
# - What this small version does not show, and what the real-scale one needs (name the code path).
#
# ## Yours now
#
# Which parts of the library the learner now owns, what comes next, and what to read.
