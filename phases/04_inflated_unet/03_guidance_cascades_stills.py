# %% [markdown]
# # Guidance, cascades, stills
#
# About 20 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# Three things that every video model of this generation has around its U-Net. Two strengths of guidance where an image
# model has one. A second model that draws what the first could not, and has to be kept from trusting it. And still
# pictures in the training set, which a clip of one frame lets in by the front door.

# %% tags=["setup"]
from dataclasses import replace

import matplotlib.pyplot as plt
import torch
from einops import rearrange
from torch.nn import functional as F

from common import show
from common.data.sprites import SpriteData, render
from common.data.sprites.attributes import COLORS, FPS
from common.evaluation.reconstruction import clip_psnr
from common.layers.attention import SelfAttention
from common.layers.temporal import AlphaBlender, Attention, TemporalResnetBlock
from common.pipelines import TextToVideoPipeline
from common.runtime import limit_threads
from common.zoo.sprites_t2v.conflict import conflicts, scores

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 75
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "#9a9a9a"
PIPE = TextToVideoPipeline.from_pretrained("sprites-t2v")
PIPE.set_progress_bar_config(disable=True)
VAE = PIPE.vae


def seeded(seed):
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# ## Guidance with two strengths
#
# **Classifier-free guidance** goes further in the direction in which the condition pulls. A video model often has two
# conditions: a text, which says what happens, and a first frame, which says what there is. Each gets a strength:
#
# $$ v = v_\varnothing + g_\text{image} \, (v_\text{image} - v_\varnothing)
#    + g_\text{text} \, (v_\text{both} - v_\text{image}) . $$
#
# Here the two disagree: the picture shows one colour, the sentence asks for another.
#
# *Before you run on:* the text at strength 0.5 or at 4. Whose colour does the clip end in?

# %%
asks, made, won = conflicts(3), {}, {}
for text in (0.5, 4):
    options = {"image_guidance_scale": 2, "guidance_scale": text, "num_inference_steps": 6}
    clips = PIPE(asks.prompts, asks.pictures, generator=[0, 1, 2], **options).frames
    made[f"text {text}"], won[text] = clips[0], scores(asks, clips)
print(f"the picture shows {asks.shown[0].objects[0].color}, the sentence says: {asks.prompts[0]}")
for text, values in won.items():
    print(f"picture 2, text {text}: {int(values['text'].sum())} of 3 clips end in the sentence's colour, "
          f"{int(values['picture'].sum())} in the picture's")  # fmt: skip
show.player(torch.cat(list(made.values()), dim=3), FPS, width=280, max_bytes=50_000, caption=" | ".join(made))

# %% [markdown]
# That is the whole idea, and [lab 04.3](../../labs/04_inflated_unet/03_guidance_study.ipynb) has the rest: the grid of
# both strengths with paired noise, how to withhold a picture from a model, what breaks at the edges, and which
# settings nothing else beats. In short: much text guidance gives what was asked and burns contrast, much image
# guidance holds the first frame until little moves.
#
# ## Cascades
#
# Imagen Video (2022) draws 16 frames of 40 × 24 pixels, and six more models make them more and larger, in
# turns. Each model of such a **cascade** gets the clip before it as its condition. Small clips are cheap, so the first
# model can think hard about *what happens*. The later ones only add detail.
#
# Where does a cascade have to add? Here is a clip drawn at 64 pixels, beside what you get from a 32-pixel version by
# bicubic interpolation, which adds nothing.

# %%
data = SpriteData("test", num_objects=1)
drawn = [i for i, s in enumerate(data.scenes(range(60))) if s.camera == "still" and s.objects[0].motion != "still"][:6]
SCENES = data.scenes(drawn)
true = render(SCENES).clips()  # (6, 3, 17, 64, 64)


def frame_by_frame(clips, run):
    """`run` on pictures `(N, 3, H, W)`, for clips."""
    out = run(rearrange(clips, "b c t h w -> (b t) c h w"))
    return rearrange(out, "(b t) c h w -> b c t h w", b=len(clips))


def smaller(pictures):
    return F.interpolate(pictures, scale_factor=0.5, mode="area")


def bicubic(pictures):
    return F.interpolate(pictures, scale_factor=2, mode="bicubic").clamp(-1, 1)


low = frame_by_frame(true, smaller)  # (6, 3, 17, 32, 32)
enlarged = frame_by_frame(low, bicubic)
error = (3 * (enlarged - true).abs()[0]).clamp(max=2) - 1  # black where nothing is missing
print(f"bicubic from 32 × 32: {clip_psnr(enlarged, true, data_range=2).mean():.1f} dB")
show.strips(
    {"drawn at 64 × 64": true[0], "bicubic from 32 × 32": enlarged[0], "what is missing, 3 times as bright": error},
    num_frames=6,
)

# %% [markdown]
# **What to see.** Nothing of the story is missing, only edges. A small diffusion model can draw those, with the small
# clip as its condition.
#
# ### The second model must not trust the first
#
# In training, the condition is a *true* clip made small. In use, it is what the first model drew, and that has faults:
# blur, trembling, a wrong spot. A second model that has seen only true ones believes every fault and sharpens it. The
# remedy is **conditioning augmentation** (Ho et al. 2021): add noise to the condition, in training and in use, and
# tell the model how much. At a level where the fault cannot be told from no fault, the two distributions are the same,
# and nothing that was learned on one can go wrong on the other.
#
# That sentence can be made exact. Take the true condition and the faulty one, in latents, at a distance d of each
# other. Under Gaussian noise σ, the best possible judge, who even knows both, is right with probability
#
# $$ \Phi\!\left(\frac{d}{2\sigma}\right) , $$
#
# half of the time if σ is large. So every fault has a level at which it is hidden. But so has the content!
#
# *Before you run on:* order them. Which is hidden first: a slight blur, the autoencoder's own error, the object 4
# pixels further right, another colour of it, another clip?


# %%
def coded(clips):
    """Normalised latents of enlarged conditions, `(N, 5120)`."""
    return VAE.normalize(VAE.encode(clips).latent_dist.mode()).flatten(1)


def blurred(clips):
    """Down by two once more and up again, half of it."""
    return 0.5 * clips + 0.5 * frame_by_frame(clips, lambda x: bicubic(smaller(x)))


def trembling(clips):
    """Every frame a little lighter or darker than it should be."""
    return clips + 0.06 * torch.randn(1, 1, clips.shape[2], 1, 1, generator=seeded(5))


def elsewhere(scenes):
    """The same scenes, each object 4 of 64 pixels further right."""
    return [replace(s, objects=tuple(replace(o, x=o.x + 4 / 64) for o in s.objects)) for s in scenes]


def recoloured(scenes):
    """The same scenes with another colour of the object, which is not the background's."""
    return [replace(s, objects=tuple(replace(o, color=next(c for c in COLORS if c not in (o.color, s.background_color)))
                                     for o in s.objects)) for s in scenes]  # fmt: skip


def as_condition(scenes):
    return frame_by_frame(render(scenes).clips(), lambda x: bicubic(smaller(x)))


base = coded(enlarged)
first_model = VAE.decode(VAE.encode(enlarged).latent_dist.mode()).sample.clamp(-1, 1)
CHANGES = {
    "autoencoder's error": (first_model, RUST),
    "slight blur": (blurred(enlarged), RUST),
    "trembling light": (trembling(enlarged), RUST),
    "object 4 pixels on": (as_condition(elsewhere(SCENES)), BLUE),
    "object's colour": (as_condition(recoloured(SCENES)), BLUE),
    "another clip": (enlarged.roll(1, dims=0), BLUE),
}
distance = {name: (coded(clips) - base).norm(dim=1) for name, (clips, _) in CHANGES.items()}
hidden_at = {name: (d / (2 * 0.6745)).median().item() for name, d in distance.items()}  # Φ(0.6745) = 3/4
order = sorted(hidden_at, key=hidden_at.get)
figure, axis = plt.subplots(figsize=(7.2, 3.0), layout="constrained")
axis.barh(order, [hidden_at[name] for name in order], color=[CHANGES[name][1] for name in order])
axis.set(xscale="log", xlabel="σ at which the best judge of a whole clip is right in 3 of 4 cases")
axis.set_title("Red: faults of a first model. Blue: what its clip says", fontsize=10)
plt.show()
for name in order:
    print(f"{name:22} hidden from σ = {hidden_at[name]:5.1f}")

# %% [markdown]
# **What to see.** Faults and content are on one scale, the distance in latents. Blur and the autoencoder's error are
# hidden long before the story is: between them there is a window, and the augmentation belongs there. One fault is on
# the wrong side. Trembling light is small at every place, but it is at *every* place, and so it is further from the
# truth than another colour of the object. No noise hides it and keeps the story. That must be repaired in the first
# model.
#
# Note how large these levels are. The judge sees all 17 frames and knows what to look for, so a √T is in them
# ([page 2](02_more_noise_for_more_frames.ipynb)). To the eye, frame by frame, the story is gone much earlier:

# %%
LEVELS = (0.0, 0.5, 1.0, 2.0, 5.0)
noise, rows = torch.randn(1, 16, 5, 8, 8, generator=seeded(6)), {}
for sigma in LEVELS:
    latent = base[:1].reshape(1, 16, 5, 8, 8) + sigma * noise
    rows[f"σ = {sigma}"] = VAE.decode(VAE.denormalize(latent)).sample.clamp(-1, 1)[0]
show.strips(rows, num_frames=6, width=84, title="A condition under noise, decoded")

# %% [markdown]
# A network is no perfect judge either. So the levels in use are lower, around the spread of the data itself. One
# picks: little noise, and the second model follows the first closely, faults included. Much, and it makes up its own
# details. Stable Diffusion's upscaler has it as `noise_level`. **Frame interpolation** is the same thing along time:
# the condition is every fourth frame, and the model fills in between (Make-A-Video). Cascades became rare when latents
# became good. A decoder is, after all, a very strong last stage. Lab 04.4 builds one.
#
# ## A still is a clip of one frame
#
# Image sets are larger, sharper and better captioned than video sets. Trained on video alone, a model forgets what
# only pictures have shown it. So **joint training** mixes them, and to a video model a picture is a clip with T = 1.
# Does that simply work? What do the layers that see time make of one frame?
#
# *Before you run on:* temporal attention over one token. Is it the identity?

# %%
torch.manual_seed(0)
attention = Attention(32, 4).eval()
torch.nn.init.normal_(attention.to_out[0].weight, std=0.2)
alone = torch.randn(6, 1, 32)  # six places, one frame
straight = attention.to_out[0](attention.to_v(alone))
conv = torch.nn.Conv3d(32, 32, (3, 1, 1), padding=(1, 0, 0), bias=False)
one = torch.randn(1, 32, 1, 5, 6)
tap = torch.einsum("o i, b i t h w -> b o t h w", conv.weight[:, :, 1, 0, 0], one)
print(f"attention over one frame against its values alone: {(attention(alone) - straight).abs().max():.0e}")
print(f"3×1×1 convolution against its middle tap alone:     {(conv(one) - tap).abs().max():.0e}")
print(f"and against doing nothing, relative: attention {attention(alone).norm() / alone.norm():.2f}")

# %% [markdown]
# **No, it is not.** The softmax over one token is 1, so queries and keys drop out, and a linear map of the values is
# left. The convolution keeps its middle tap. After training, both *do* something to a picture, something that was
# learned on clips. Two schools: let it (the picture takes part in training these layers a little), or switch the
# temporal branch off for pictures. Stable Video Diffusion's blender has that switch, `image_only_indicator`: for such
# a frame its α is 1, and only the spatial layer counts.
#
# ### Several pictures in one batch with clips
#
# A batch needs one shape. A picture as T = 1 does not fit beside clips of 16 frames. The answer of Video Diffusion
# Models (2022): append single pictures to the frames of a clip, as if they were frames, and *mask* temporal attention
# so that a picture sees only itself. Here a "clip" of four frames and two pictures goes through each temporal layer.
# One picture is changed.
#
# *Before you run on:* with the mask in attention, who still moves? Think of the other temporal layers.

# %%
is_picture = torch.tensor([False, False, False, False, True, True])
present = (~is_picture[:, None] & ~is_picture) | torch.eye(6, dtype=torch.bool)  # who may look at whom
masked = SelfAttention(32, 4).eval()
block = TemporalResnetBlock(32, 16).eval()
torch.nn.init.normal_(block.conv2.weight, std=0.2)
blender, told, indicator = AlphaBlender(), torch.randn(1, 6, 16), is_picture[None]
x = torch.randn(1, 32, 6, 4, 5)
changed = x.clone()
changed[:, :, 4] += torch.randn(32, 4, 5)


def in_time(layer, mask=None):
    """Attention along time at each place."""

    def run(x):
        rows = rearrange(x, "b c t h w -> (b h w) t c")
        return rearrange(layer(rows, mask=mask)[0], "(h w) t c -> 1 c t h w", h=4)

    return run


def blended(x):
    """Spatial layer (here: none), temporal residual block, and the blender with its indicator."""
    frames, temporal = (rearrange(part, "b c t h w -> b t c h w") for part in (x, block(x, told)))
    return rearrange(blender(frames, temporal, indicator), "b t c h w -> b c t h w")


TRIALS = {
    "attention, no mask": in_time(masked),
    "attention, masked": in_time(masked, present),
    "convolution and norm": lambda x: block(x, told),
    "the same, α = 1 for pictures": blended,
}
moves = torch.stack([(run(changed) - run(x)).abs().amax(dim=(0, 1, 3, 4)) for run in TRIALS.values()])  # (4, 6)
figure, axes = plt.subplots(1, 2, figsize=(8.4, 2.7), layout="constrained", width_ratios=(1, 2))
axes[0].imshow(present, cmap="Blues", vmin=0, vmax=1.5)
axes[0].set(xlabel="is looked at", ylabel="looks")
axes[0].set_title("The mask: 4 frames, 2 pictures", fontsize=10)
axes[1].imshow(moves.clamp(min=1e-7).log10(), cmap="Blues", vmin=-7, vmax=1, aspect="auto")
for (row, column), value in zip(((r, c) for r in range(4) for c in range(6)), moves.flatten()):
    axes[1].text(column, row, "" if value < 1e-6 else f"{value:.2g}", ha="center", va="center", fontsize=8,
                 color="white" if value > 1e-2 else "black")  # fmt: skip
axes[1].set_xticks(range(6), [*(f"frame {t}" for t in range(4)), "picture", "picture"], fontsize=8)
axes[1].set_yticks(range(4), list(TRIALS), fontsize=8)
axes[1].set_title("How much each moves when the first picture changes", fontsize=10)
plt.show()

# %% [markdown]
# **What to see.** The mask does its work: no one else moves. A temporal *convolution* knows nothing of that mask, and
# the group norm behind it averages over all frames, so everyone moves. The indicator saves the other picture,
# which then takes nothing from the temporal branch. It does not save the *clip*: its frames still hear the picture
# through norm and convolution. So models with temporal convolutions put pictures into batches of their own, as clips
# with T = 1. Models with attention alone may pack them.
#
# How many pictures? What is forgotten without them? That needs training runs, and is lab 04.2.
#
# ## What you can now say
#
# - Two conditions, two strengths: text against picture, and each breaks something when it is too large.
# - A cascade decides the story small, and adds detail later. Its second stage is trained on noisy conditions.
# - The right noise hides the first model's faults and leaves its story. With d their distance in latents, σ is about
#   d.
# - A picture is a clip of one frame, and a temporal layer does something to it even so.
# - Packed pictures need a mask in every layer that sees time. A norm is one of them.
#
# Next: lab 04.3, which you can do now, or phase 05, where the latents come from.
