# %% [markdown]
# # Steps, guidance, fresh noise
#
# About 15 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# The transformer of [the page before](01_from_prompt_to_clip.ipynb) only answers a question: at this noise level, which
# way is the clip? How often it is asked, how hard its answer is pushed, and what happens between two questions is the
# **sampler's** business. It is decided after training, costs nothing to change, and the same weights go from getting a
# path wrong to getting it right.

# %% tags=["setup"]
from itertools import pairwise

import torch

from common import show
from common.course.explore import explore
from common.data.sprites import SpriteData, parse
from common.data.sprites.attributes import FPS
from common.diffusion.schedules import flow_levels
from common.evaluation.reconstruction import clip_psnr
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.pipelines import TextToVideoPipeline
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.zoo.sprites_t2v.gallery import faults
from common.zoo.sprites_t2v.prompts import SHOWN, evaluation_prompts

limit_threads()
torch.set_grad_enabled(False)
GUIDANCE, SHIFT, PROMPT = 3.0, 4.0, SHOWN[1]  # the first two are the pipeline's own
# Clips that are counted further down, and steps for each.
NUM_COUNTED, COUNTED_STEPS = {"ci": (8, 8), "cpu": (16, 20), "gpu": (64, 20)}[preset()]

pipe = TextToVideoPipeline.from_pretrained("sprites-t2v")
pipe.set_progress_bar_config(disable=True)
asked, nothing = pipe.text_encoder([PROMPT]), pipe.text_encoder([""])


def seeded(seed):
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# ## How many steps?
#
# Euler's method walks from noise to a clip in equal steps. The same first noise each time; the decibels say how near a
# clip of fewer steps comes to that of twenty.
#
# *Before you run on:* what does a clip look like that was made in two steps?

# %%
clips = {n: pipe(PROMPT, generator=seeded(0), num_inference_steps=n, shift=1, eta=0).frames[0] for n in (2, 5, 20)}
straight = clips[20]
near = {n: clip_psnr(clip[None], straight[None], data_range=2).item() for n, clip in clips.items() if n < 20}
show.strips(
    {f"{n} steps: {near[n]:.1f} dB" if n in near else f"{n} steps": clip for n, clip in clips.items()},
    num_frames=5, width=72, title=PROMPT,
)  # fmt: skip

# %% [markdown]
# **What to see.** Two steps give a smear: the first answer is the *mean* of all clips that the caption allows, and one
# more step hardly leaves it. The way to a clip bends, and a few steps cut the corner.
#
# ## Fresh noise
#
# Euler's steps never look back. If the first ones put the object in places that do not quite make a path, the later
# ones sharpen it there. But a velocity says two things: what the clip is, and what the noise is. So let go of the
# noise. Take the model's estimate of the clip, add **fresh** noise of the next level, and ask again. What was wrong may
# be put right, since the noise that led there is gone. Paths are settled early, so spend more of the steps there:
# `shift` moves the levels towards noise.

# %%
LEVELS = flow_levels(20, SHIFT)


def velocity(x, s, text):
    return pipe.velocity(x, torch.full((len(x),), float(s)), text.states, text.mask)


def guided(x, s, scale):
    with_prompt, without = velocity(x, s, asked), velocity(x, s, nothing)
    return without + scale * (with_prompt - without)


def renewed(x, levels, scale, generator):
    """Noise to latents, with fresh noise after each step."""
    for s, after in pairwise(levels.tolist()):
        denoised = x - s * guided(x, s, scale)
        x = (1 - after) * denoised + after * torch.randn(x.shape, generator=generator)
    return x


generator = seeded(0)
noise = torch.randn(pipe.latents_shape(1, 17, 64, 64), generator=generator)
again = pipe.decode(renewed(noise, LEVELS, GUIDANCE, generator))[0]
made = pipe(PROMPT, generator=seeded(0)).frames[0]
print("levels: " + " ".join(f"{s:.2f}" for s in LEVELS.tolist()))
print(f"these eight lines are the library's sampler: {torch.allclose(again, made, atol=1e-3)}")
both = {"Euler's method": straight, "with fresh noise": again}
show.strips(both, num_frames=9, width=72, title="The same first noise, twenty steps each")

# %%
show.player(again, FPS, width=160, caption=f"{PROMPT}: {again.shape[1]} frames, {FPS} per second")

# %% [markdown]
# Both begin with the same noise and take as many steps. One clip says little, so count: in how many clips does the
# world's reader, a program that measures pixels and knows nothing of the prompt, see what was asked for? These are the
# prompts whose paths are hardest to get right, bounces and orbits.

# %%
def is_curved(prompt):
    return parse(prompt).objects[0].motion in ("bounce", "orbit")


ASKED = [prompt for prompt in evaluation_prompts("one_object") if is_curved(prompt)][:NUM_COUNTED]
SEEN = ("shape", "color", "size", "motion", "background")


def count(**sampler):
    generators = [seeded(k) for k in range(len(ASKED))]
    frames = pipe(ASKED, generator=generators, num_inference_steps=COUNTED_STEPS, **sampler).frames
    right = accuracy(ASKED, read_sprites(frames))
    return "".join(f"{round(len(ASKED) * right[name]):>12}" for name in SEEN)


SAMPLERS = {"Euler's method": {"shift": 1, "eta": 0}, "with fresh noise": {}}
bar = progress_bar(SAMPLERS.items(), desc="counting", unit="sampler")
counts = {name: count(**options) for name, options in bar}
print(f"right, of {len(ASKED)}        " + "".join(f"{name:>12}" for name in SEEN))
for name, line in counts.items():
    print(f"{name:20}{line}")

# %% [markdown]
# **What to see.** Which object it is and what is behind it come out either way. What goes wrong is the path. The stored
# copy of this page counts eight clips of eight steps, which prove little: a difference of one or two means nothing, and
# eight steps leave little time to mend a path. With sixteen clips of twenty steps (preset `cpu`) the motion was right
# in 8 with Euler's method and in 13 with fresh noise. There is a price: the clips of one prompt become more alike. The
# counts on hundreds of prompts, and on combinations of colour and shape that no training clip shows, come from
# `flipbook evaluate sprites-t2v`.
#
# ## How much guidance?
#
# Guidance asks twice, with the prompt and without, and goes further in the direction in which the prompt changes the
# answer. Drag it:


# %%
def stronger(scale):
    clip = pipe(PROMPT, generator=seeded(0), num_inference_steps=8, guidance_scale=scale).frames[0]
    return show.strips({f"guidance {scale:g}": clip}, num_frames=5, width=72)


explore(stronger, scale=[1.0, 3.0, 8.0])

# %% [markdown]
# 1 is no guidance. A little makes shapes plainer. Too much exaggerates, and with fresh noise each step exaggerates what
# the last one made, until nothing is left.
#
# In your copy, write sentences of your own, here or with `flipbook generate`. Words that the world does not have get
# the nearest that it has, and a sentence of which it knows nothing is refused with its vocabulary.
#
# ## An image to begin with
#
# Each latent frame has a noise level of its own. So give the first frame, say that its level is 0, and keep it so:
# the same weights continue the picture. That is image to video; in a quarter of the training's clips the first frame
# was given.

# %%
CHOSEN = 3
world = SpriteData("test", num_objects=1).batch(range(8))
clip = world.clips()[CHOSEN]  # (3, 17, 64, 64)
given = clip[:, 0]
begun = pipe(world.captions[CHOSEN], given, generator=seeded(3), output_type="latent").frames
first_latent = pipe.vae.normalize(pipe.vae.encode(given[None, :, None]).latent_dist.mode())[0, :, 0]
kept = torch.allclose(begun[0, :, 0], first_latent, atol=1e-4)
print(f"the first latent is as it was given, through all steps: {kept}")
frames = pipe.decode(begun)
first = clip_psnr(frames[:, :, :1], given[None, :, None], data_range=2).item()
print(f"the first frame against the image given: {first:.1f} dB")
objections = faults({world.captions[CHOSEN]: frames[0]})
print("the reader: " + ("; ".join(objections) or "the clip shows what was asked, in every frame"))
show.strips(
    {f"the world: {world.captions[CHOSEN]}": clip, "made from its first frame": frames[0]},
    num_frames=9, width=72,
)  # fmt: skip

# %% [markdown]
# **What to see.** The first frame is the given one, as well as the autoencoder can draw it. What follows need not be
# what the world did: the caption allows many continuations, and this is one. It is also a straight path, the easy
# case. Set `CHOSEN = 0`, an orbit: with this seed the triangle leaves the picture on one side, is gone in two frames,
# and comes back elsewhere. A strip of a few frames can hide that, so the cell asks the reader, which sees all of them.
#
# ## What you can now say
#
# - A sampler is a loop around a trained model; changing it costs no training.
# - Few steps cut the corner of a bent path. Fresh noise lets later steps mend what earlier ones got wrong.
# - `shift` spends the steps where paths are settled, at high noise.
# - A noise level for each frame makes text to video and image to video one model.
#
# Next: [clips of any size](03_clips_of_any_size.ipynb).
