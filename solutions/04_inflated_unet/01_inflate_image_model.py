# %% [markdown]
# # Lab 04.1 · Inflate an image model
#
# **What you will have at the end:** a text-to-video model that was an image model. You put layers along time behind the
# layers of any U-Net, so that at first nothing changes. You find out how much more noise a clip needs than a picture,
# and write the loss. Then shipped weights draw clips in your layers, and you count how often a star stays a star.
#
# | | |
# |---|---|
# | time | about 75 minutes |
# | difficulty | ★★★★★ |
# | before this | 03.3, [More noise](../../phases/04_inflated_unet/02_more_noise_for_more_frames.ipynb) |
#
# | preset | clips (T, H, W) | clips measured | training steps shown | all cells take about |
# |---|---|---|---|---|
# | `ci` | (14, 64, 64) | 1 | 2 | 20 s |
# | `cpu` (default) | the same | 8 | 20 | 2 min |
# | `gpu` | the same | 32 | 60 | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import copy
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import matplotlib.pyplot as plt
import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.utils import logging
from einops import rearrange, repeat
from torch import nn
from torch.nn import functional as F

from common import show
from common.course import check
from common.layers.temporal import TemporalResnetBlock
from common.models.shipped import find
from common.models.video_unet import FrameCount, as_pictures, attention_in_time, conv_in_time
from common.pipelines.unet_text_to_video import UNetTextToVideoPipeline
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.tensor_ops import append_dims
from common.zoo.card import read_card
from common.zoo.shelf import folder
from common.zoo.sprites_svd.recipe import FPS, asked, captions
from common.zoo.sprites_unet_t2v.first_steps import assembled, coded, mean_loss, training_steps, with_layer
from common.zoo.sprites_unet_t2v.measures import made, row

limit_threads()
logging.set_verbosity_error()
plt.rcParams["figure.dpi"] = 75
BLUE, RUST, OLIVE, GREY = "#1f6f8b", "#b3541e", "#8a7a2f", "#9a9a9a"
NUM_CLIPS, TRAINING_STEPS, STEPS = {"ci": (1, 2, 8), "cpu": (8, 20, 12), "gpu": (32, 60, 12)}[preset()]


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def playing(clips, width=150):
    """Clips side by side, name to `(3, T, H, W)`, in a loop."""
    row = torch.cat([F.pad(clip.cpu(), (0, 2), value=1.0) for clip in clips.values()], dim=3)
    return show.player(row, FPS, width=width * len(clips), max_bytes=55_000, caption=" | ".join(clips))


# %% [markdown]
# ## Where you are heading
#
# One sentence, drawn three times by the shipped weights, each time from other noise. No picture is given.

# %% tags=["demo"] draws="Three clips of one sentence, by the shipped weights."
SENTENCE = "a large yellow star moves left over a blue field"
PIPE, ATTENDED = UNetTextToVideoPipeline.from_pretrained("sprites-unet-t2v"), {}
for name, module in PIPE.unet.named_modules():
    if name.endswith("temporal.attn1"):  # keep what reaches attention along time, for a look inside later on
        module.register_forward_pre_hook(lambda module, given, name=name: ATTENDED.update({name: (module, given[0])}))
heading = PIPE([SENTENCE] * {"ci": 1}.get(preset(), 3), num_inference_steps=STEPS, generator=0).frames
print(SENTENCE)
playing({f"noise {k}": clip for k, clip in enumerate(heading)})

# %% [markdown]
# **Before you read on, a prediction.** The image model can draw a yellow star over a blue field. Let it draw 14 frames,
# all from the **same noise**. In how many clips of ten does the content stay the same, and in how many does it move?

# %% [markdown] about="Conv2Plus1d" difficulty=2 importance=5 minutes=8
# ## (2+1)D: space first, then time
#
# A 3 × 3 × 3 convolution sees space and time at once. **(2+1)D convolution** splits it: a 2D layer on every frame, then
# a 1D layer on every place. The 2D layer can be one of an image model, with its weights. Only the 1D layer is new, and
# if it starts as the identity, the whole starts as the image model.
#
# | quantity | shape | here |
# |---|---|---|
# | x | `(B, C, T, H, W)` | (B, 64, 14, 8, 8) |
# | what the 2D layer gets | `(B T, C, H, W)` | a batch of pictures |
# | `temb`, the noise level of each frame | `(B, T, E)` | (B, 14, 256) |

# %% exercise="Conv2Plus1d" from="common.layers.two_plus_one:Conv2Plus1d" blank="forward"

# %% check="Conv2Plus1d"

# %% [markdown] hints="Conv2Plus1d"
# 1. Three steps: clips to pictures, the 2D layer, pictures back to clips for the 1D layer.
# 2. `rearrange(x, "b c t h w -> (b t) c h w")`. The embeddings go the same way: `"b t e -> (b t) e"`.
# 3. On the way back C, H and W may have changed. B has not: `rearrange(h, "(b t) c h w -> b c t h w", b=len(x))`.

# %% [markdown] troubles="Conv2Plus1d"
# - **Only batches of one are right.** `(t b)` and `(b t)` differ in nothing else. In `(b t)` a clip's frames follow
#   each other.

# %% [markdown] about="TemporalAttention" difficulty=4 importance=5 minutes=15
# ## Attention along time
#
# A convolution reaches one frame to each side. In **temporal attention** every place is a sequence of its own, of T
# tokens, and each of them reads all of them. With a `context` the same layer reads the prompt instead: that is how the
# layers along time hear of "left".
#
# $$ \mathrm{softmax}\left(\frac{q k^\top}{\sqrt{d}}\right) v $$
#
# | quantity | shape | here |
# |---|---|---|
# | x | `(B, T, N, C)` | (B, 14, 16, 96) |
# | q, k, v of a head | `(B N, T, d)` | (16 B, 14, 12) |
# | context | `(B, L, D)` | (B, 64, 384) |

# %% exercise="TemporalAttention" from="common.layers.two_plus_one:TemporalAttention" blank="forward"

# %% check="TemporalAttention"

# %% [markdown] hints="TemporalAttention"
# 1. Bring x into the form in which each place is a sequence: `rearrange(x, "b t n c -> (b n) t c")`.
# 2. Keys and values come from these sequences, or from the context. A clip has N places, and each needs the states of
#    its own clip: `context.repeat_interleave(x.shape[2], dim=0)`.
# 3. `rearrange(q, "s l (h d) -> s h l d", h=self.num_heads)`, likewise k and v. `F.scaled_dot_product_attention` does
#    the formula. Then the heads go back into the channels, through `self.to_out[0]`, and the places out of the batch.

# %% [markdown] troubles="TemporalAttention"
# - **Close, but not equal.** Is it scaled by $\sqrt{d}$ of one head, or of all channels?
# - **Only batches of one are right.** `context.repeat(n, 1, 1)` gives the order (n b), and clips read others' prompts.

# %% tags=["demo"] draws="What attention along time looks at, in the shipped model: first, middle and last layer."
LAYERS = [list(ATTENDED)[k] for k in (0, len(ATTENDED) // 2, -1)]


@torch.no_grad()
def looked_at(module, x):
    """The mean over places and heads of how much each frame reads of each frame: `(T, T)`."""
    h = rearrange(x, "b t n c -> (b n) t c")
    q, k = (rearrange(f(h), "s t (h d) -> s h t d", h=module.num_heads) for f in (module.to_q, module.to_k))
    return (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1).mean((0, 1))


figure, axes = plt.subplots(1, 3, figsize=(7.6, 2.9), layout="constrained")
for axis, name in zip(axes, LAYERS):
    drawn = axis.imshow(looked_at(*ATTENDED[name]), cmap="viridis", vmin=0)
    axis.set(title=name.split(".attentions")[0].removeprefix("unet."), xlabel="frame that is read")
    figure.colorbar(drawn, ax=axis, shrink=0.7)
axes[0].set_ylabel("frame that reads")
plt.show()

# %% [markdown]
# **What to see.** Each row adds up to one, and one in fourteen is what every frame would get if the layer looked at all
# alike. Where a stripe stands upright, all frames read the same few: that is how they agree on what they show.

# %% [markdown] about="inflate_unet" difficulty=4 importance=5 minutes=15
# ## Inflation: any image U-Net
#
# The image model is diffusers' `UNet2DConditionModel`, and its code stays as it is. You walk through a copy and put
# something else in the place of two kinds of layers: a (2+1)D layer around each **residual block**, attention along
# time behind each **transformer block**. What the image model had is **frozen**.
#
# | layer of the image model | makes way for |
# |---|---|
# | `ResnetBlock2D` | `conv(block)` |
# | `BasicTransformerBlock` | `attention(block)` |
# | everything else | stays, frozen |

# %% exercise="inflate_unet" from="common.models.video_unet:inflate_unet"

# %% check="inflate_unet"

# %% [markdown] hints="inflate_unet"
# 1. `copy.deepcopy(unet).requires_grad_(False)` is the copy. Freeze before you put new layers in.
# 2. List all blocks first, with `named_modules()`, and replace them then: a list that changes while you walk along it
#    would hand over blocks twice.
# 3. `inflated.set_submodule(name, conv(block))` puts a module at a name such as "down_blocks.0.resnets.1".

# %% [markdown] troubles="inflate_unet"
# - **The original changed.** Copy it first, blocks and all. Is its own `requires_grad` still what it was?

# %%
PARTS = SimpleNamespace(inflate_unet=inflate_unet, Conv2Plus1d=Conv2Plus1d, TemporalAttention=TemporalAttention)
IMAGE = UNet2DConditionModel.from_pretrained(find("sprites-image")).eval()
FRESH = assembled(PARTS, weights=None)  # the image model, inflated by your parts
NEW, FROZEN = (sum(p.numel() for p in FRESH.parameters() if p.requires_grad == new) for new in (True, False))
print(f"{NEW:,} new numbers, beside {FROZEN:,} of the image model, which are frozen")

# %% [markdown]
# ### Does it start as the image model?
#
# A noisy picture, shown as a still clip of eight frames: the image model does the same to all of them. What do three
# starts do? Yours. Layers with random weights at their ends, which is what a class makes by default. And
# I3D's way: every 3 × 3 kernel becomes 3 × 3 × 3, **repeated along time and divided by 3**. On a still clip that is the
# identity, or is it?


# %%
class MeanOfThree(nn.Module):
    """What a kernel that is repeated along time and divided by 3 does: the mean of three frames, zeros at both ends."""

    def forward(self, x, temb):
        return F.avg_pool3d(x, (3, 1, 1), stride=1, padding=(1, 0, 0))


class RandomEnd(TemporalResnetBlock):
    """A residual block along time whose last layer does not start at zero."""

    def __init__(self, block):
        super().__init__(block.out_channels, block.time_emb_proj.in_features)
        self.conv2.reset_parameters()

    def forward(self, x, temb):
        return super().forward(x, temb)


torch.manual_seed(0)
STARTS = {
    "yours": FRESH,
    "random ends": with_layer(PARTS, RandomEnd),
    "kernel / 3, as I3D": with_layer(PARTS, lambda block: MeanOfThree()),
}
still = repeat(torch.randn(1, 16, 8, 8, generator=seeded(0)), "b c h w -> b c t h w", t=8)
states = coded(asked("large", 1)).states
level = torch.tensor([0.1])
with torch.no_grad():
    alone = IMAGE(still[:, :, 0], level, states).sample
    off = {name: (model(still, level, states).sample - alone[:, :, None]).square().mean((0, 1, 3, 4)).sqrt()
           for name, model in STARTS.items()}  # fmt: skip
size = alone.square().mean().sqrt()
figure, axis = plt.subplots(figsize=(6.4, 2.6), layout="constrained")
for (name, values), color in zip(off.items(), (BLUE, GREY, RUST)):
    axis.plot(range(1, 9), 100 * values / size, "o-", color=color, label=name, markersize=4)
    print(f"{name:20} off by {values.max() / size:8.2%} of the output's size in the worst frame")
axis.set(xlabel="frame of a still clip", ylabel="off, % of the output", title="How far from the image model?")
axis.legend(fontsize=8)
plt.show()

# %% [markdown]
# **What to see.** Yours is the image model but for rounding. The mean of three frames would be, in a film without ends.
# But the first and the last frame have zeros beyond them, and every further layer carries the fault one frame inwards.
#
# ### The same function on Stable Diffusion 1.5
#
# On the device `meta` tensors have shapes and no numbers, so the real model fits on any laptop:

# %%
SD15 = {"sample_size": 64, "in_channels": 4, "out_channels": 4, "block_out_channels": (320, 640, 1280, 1280),
        "layers_per_block": 2, "cross_attention_dim": 768, "attention_head_dim": 8}  # from its config.json  # fmt: skip
with torch.device("meta"):
    sd15 = UNet2DConditionModel(**SD15)
frames = FrameCount()
video = inflate_unet(sd15, partial(conv_in_time, frames=frames), partial(attention_in_time, frames=frames))
added = sum(p.numel() for p in video.parameters() if p.requires_grad)
print(f"Stable Diffusion 1.5: {sum(p.numel() for p in sd15.parameters()) / 1e6:,.0f} million weights, frozen")
print(f"new layers along time: {added / 1e6:,.0f} million")
for kind in (ResnetBlock2D, BasicTransformerBlock):
    print(f"  behind {sum(isinstance(m, kind) for m in video.modules())} of the kind {kind.__name__}")

# %% [markdown] about="shift_sigma" difficulty=2 importance=4 minutes=6
# ## More noise for more frames
#
# On a clip where nothing moves, T noisy frames show one picture T times. Their mean has only $1 / \sqrt{T}$ of the
# noise. So at the same $\sigma$ a clip gives away more than a picture, and a model that trains at a picture's noise
# levels seldom has to decide anything by itself. The levels are **shifted**:
#
# $$ \sigma_T = \sigma \sqrt{T / T_0} $$

# %% exercise="shift_sigma" from="common.diffusion.video_loss:shift_sigma"

# %% check="shift_sigma"

# %% [markdown] hints="shift_sigma"
# 1. It is one multiplication. What should happen to sigma if the clip has four times the frames?
# 2. Refuse numbers of frames below 1, `base_frames` too, before anything is computed.
# 3. `sigma * math.sqrt(num_frames / base_frames)`. A float leaves the tensor's dtype as it is.

# %% tags=["demo"] draws="The error of the best denoiser, on still Gaussian clips: measured, at your levels."
SIGMAS = torch.logspace(-1, 1.3, 13)
figure, axes = plt.subplots(1, 2, figsize=(7.6, 2.8), layout="constrained", sharey=True)
for num_frames, color in ((1, GREY), (4, OLIVE), (16, RUST)):
    for axis, levels in zip(axes, (SIGMAS, shift_sigma(SIGMAS, num_frames))):
        pictures = torch.randn(2000, 1, generator=seeded(1))
        noise = torch.randn(2000, num_frames, len(levels), generator=seeded(2))
        seen = (pictures[..., None] + levels * noise).mean(dim=1)  # the mean of all frames knows all there is to know
        best = seen / (1 + levels**2 / num_frames)
        axis.semilogx(SIGMAS, (best - pictures).square().mean(dim=0), "o-", color=color, markersize=3,
                      label=f"T = {num_frames}")  # fmt: skip
axes[0].set(title="at sigma", xlabel="sigma", ylabel="mean square error")
axes[1].set(title="at shift_sigma(sigma, T)", xlabel="sigma, before the shift")
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# **What to see.** On the left, more frames make the same noise level easier. On the right, the three curves are one. It
# is exact for a still clip. A clip in which everything moves needs less of a shift, so this is the upper end.

# %% [markdown] about="video_loss" difficulty=3 importance=5 minutes=10
# ## The loss
#
# The model predicts **v**, a mix of noise and clip, from a noisy clip. All frames of a clip have one noise level and
# noise of their own. In one of ten samples the prompt is dropped, so that guidance has something to lead away from.
#
# $$ v = \frac{\varepsilon - \sigma x_0}{\sqrt{\sigma^2 + 1}} $$
#
# | quantity | shape | here |
# |---|---|---|
# | clips, noise | `(B, C, T, H', W')` | (B, 16, 14, 8, 8) |
# | levels, what is dropped | `(B,)` each | |
# | states of the prompts | `(B, L, D)` | (B, 64, 384) |

# %% exercise="video_loss" from="common.diffusion.video_loss:video_loss"

# %% check="video_loss"

# %% [markdown] hints="video_loss"
# 1. What the model is told, what it is shown, what it should say: three lines, and a fourth for the mean.
# 2. `append_dims(sigma, x0)` is sigma as `(B, 1, 1, 1, 1)`. `torch.where(drop_text[:, None, None], no_states, states)`.
# 3. The model's second argument is `sigma.log() / 4`, `(B,)`. At the end `.square().flatten(1).mean(dim=1)`.

# %% [markdown] troubles="video_loss"
# - **A shape error in the mask.** `(B,)` beside `(B, L, D)` lines up with D: `drop_text[:, None, None]`.

# %% [markdown]
# Everything is yours now. The first training steps from your start, on eight clips, with the image model frozen:

# %%
GIVEN = coded(asked("large", 8))
LEARNER = copy.deepcopy(FRESH)
before = mean_loss(video_loss, LEARNER, GIVEN)
steps = training_steps(video_loss, LEARNER, GIVEN, TRAINING_STEPS)
for _ in progress_bar(steps, total=TRAINING_STEPS, desc="training"):
    pass
print(f"loss {before:.4f} as the image model, {mean_loss(video_loss, LEARNER, GIVEN):.4f} after {TRAINING_STEPS} steps")

# %% [markdown]
# ## The result to remember
#
# The shipped weights in your layers, beside two baselines. **Frame by frame**: the image model draws every frame from
# noise of its own. **One noise**: it draws every frame from the same noise. `constant`: clips in which all frames
# show the same shape and colours. `flicker`: of all steps from a frame to the next, those at which one of them changes.

# %%
MODEL = assembled(PARTS)
CLIPS = asked("large", max(4, NUM_CLIPS))
ORDER = [2, 1, 0, *range(3, NUM_CLIPS)][:NUM_CLIPS]  # the first of them is the one that is played
CLIPS = replace(CLIPS, pixels=CLIPS.pixels[ORDER], scenes=[CLIPS.scenes[k] for k in ORDER])
PICTURES = as_pictures(MODEL)
ROWS = {"yours": made(MODEL, CLIPS, num_inference_steps=STEPS),
        "frame by frame": made(PICTURES, CLIPS, num_inference_steps=STEPS),
        "one noise": made(PICTURES, CLIPS, one_noise=True, num_inference_steps=STEPS)}  # fmt: skip
COLUMNS = "motion", "shape", "color", "constant", "flicker"
print(f"{f'clips: {NUM_CLIPS}':18}" + "".join(f"{name:>10}" for name in COLUMNS))
for name, clips in ROWS.items():
    found = row([scene.words for scene in CLIPS.scenes], clips)
    print(f"{name:18}" + "".join(f"{found[column]:10.0%}" for column in COLUMNS))
print(captions(CLIPS)[0])
playing({name: clips[0] for name, clips in ROWS.items()})

# %% tags=["demo"] draws="The same over all test clips, from the card of the shipped weights."
card = read_card(folder("sprites-unet-t2v")).measured["full"]
CARD_ROWS = {"sprites-unet-t2v": "large", "before training": "start/large", "frame by frame": "frame_by_frame/large",
             "one noise": "one_noise/large", "the world itself": "world/large",
             "any object, camera": "any"}  # fmt: skip
for name, place in CARD_ROWS.items():
    print(f"{name:18}" + "".join(f"{card[f'{place}/{column}']:10.0%}" for column in COLUMNS))

# %% [markdown]
# **What to see.** And your prediction? With one noise all frames are the same frame: constant for nothing, and still.
# Frame by frame the words are mostly right too, since every frame reads the same sentence. But each has an object of
# its own, in another place: nothing moves, it leaps. (Where the world asks for no motion, a still clip is right.) Only
# layers along time move one object as the sentence says, and not in every clip yet. In the card's table, yours changes
# a word half as often as frame by frame, and ten times as often as the world does.

# %% [markdown]
# ## Try it
#
# Any sentence of the world. More frames than 14? The layers take any number. What happens to the content then?

# %%
PROMPT, NUM_FRAMES = "a large red circle moves down over green dots", 14

tried = UNetTextToVideoPipeline(MODEL, PIPE.vae)(PROMPT, NUM_FRAMES, num_inference_steps=STEPS, generator=1)
playing({PROMPT: tried.frames[0]}, width=200)

# %% [markdown] tags=["folded"]
# ## Going further: the same at real scale
#
# diffusers has an inflation of its own, AnimateDiff's, with layers that were trained on millions of clips. It replaces
# the U-Net by another class; yours keeps the class and replaces its layers.


# %%
def inflate_stable_diffusion(name="stable-diffusion-v1-5/stable-diffusion-v1-5"):
    """Stable Diffusion 1.5 with AnimateDiff's layers along time. It needs both checkpoints and 8 GB of memory."""
    from diffusers import MotionAdapter, UNetMotionModel

    image_model = UNet2DConditionModel.from_pretrained(name, subfolder="unet")
    adapter = MotionAdapter.from_pretrained("guoyww/animatediff-motion-adapter-v1-5-2")
    return UNetMotionModel.from_unet2d(image_model, adapter)


# %% [markdown]
# **Honest limits.** The design of this lab asked for the right motion in 75 clips of 100, and constant content in 95.
# The card's table says what came of it: about half, and about three quarters. And the row *before training* says where
# it came from: the layers of `sprites-svd`, put in here as they are, move as often as asked. 27 core-minutes taught
# them to keep the content, and no motion. Moving cameras and small objects are worse. And `constant` is a mild judge:
# the sentence alone fixes most of what it looks at.
#
# **Ablation.** Train with `sigma` as it is for pictures, not shifted. Which of the columns falls first?
#
# ## What you now own
# `Conv2Plus1d`, `TemporalAttention`, `inflate_unet`, `shift_sigma` and `video_loss`, parts of the library. `flipbook
# train sprites-unet-t2v --mine` runs all five, `flipbook evaluate sprites-unet-t2v --mine` the first three.
#
# - Tran et al. (2018), *A Closer Look at Spatiotemporal Convolutions for Action Recognition*, arXiv:1711.11248
# - Singer et al. (2022), *Make-A-Video*, arXiv:2209.14792
# - Carreira & Zisserman (2017), *Quo Vadis, Action Recognition?* (I3D), arXiv:1705.07750
