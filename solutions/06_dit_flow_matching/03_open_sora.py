# %% [markdown]
# # Lab 06.3 · Read and reproduce Open-Sora
#
# **What you will have at the end:** a model of 1.2 billion weights, read from its source: counted from the
# configuration, its weights' names translated, its block and its timestep shift rebuilt. Then you replace one part of
# it, as its authors did from version 1.1 to 1.2, and measure what that was worth.
#
# | | |
# |---|---|
# | time | about 75 minutes |
# | difficulty | ★★★★★ |
# | before this | [06.1](01_video_dit.ipynb), [06.2](02_flow_matching.ipynb) |
# | the clips | the `mini` world: one disc on a plain field, 9 frames at 4 frames per second |
#
# | preset | clips `(T, H, W)` | clips read per coder | training steps | all cells take about |
# |---|---|---|---|---|
# | `ci` | (9, 64, 64) | 6 | 12 | 20 s |
# | `cpu` (default) | (9, 64, 64) | 96 | 300 | 3 min |
# | `gpu` | (9, 64, 64) | 384 | 3000 | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import json
import math
import re
from collections.abc import Callable, Mapping

import diffusers
import matplotlib.pyplot as plt
import torch
from einops import rearrange
from torch import nn

from common import show
from common.course import check, paths
from common.data.mini import MOTIONS, MiniSprites
from common.data.sprites import parse
from common.evaluation.motions import motion_shares
from common.evaluation.share import Share
from common.flow import fill_in
from common.layers.norm import plain_norm
from common.models.frame_autoencoder import decode_frames, encode_frames
from common.models.frame_reach import frame_reach
from common.models.interpolator import Interpolator
from common.models.open_sora import (
    BASE_AREA, COMPUTED, NAMES, PUBLISHED, empty_model, load_published, published_shapes,
)  # fmt: skip
from common.models.stdit import NUM_MODULATIONS, FactoredAttention, PlainCrossAttention, STDiT, close_temporal_blocks
from common.models.stdit_peer import pixart_block, pixart_forward
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.training.keyed_noise import KeyedNoise
from common.zoo.mini_arm import STDIT, MiniCoder, captioned_latents, compute_loss

limit_threads()
plt.rcParams["figure.dpi"] = 75
NUM_READ, STEPS, NUM_CLIPS = {"ci": (6, 12, 24), "cpu": (96, 300, 3000), "gpu": (384, 3000, 3000)}[preset()]
BLUE, RUST, GREEN, GREY = "#1f6f8b", "#b3541e", "#3a7d44", "0.6"

# %% [markdown]
# ## Where you are heading
#
# A transformer may have 48 tokens per clip, three latents of 16. Which three? Open-Sora 1.1 **kept some frames, coded
# each as an image, and dropped the rest**. Open-Sora 1.2 has a **VAE of videos**, whose latents hold all frames. Below,
# a real clip goes through both coders and back, before any generator has made a mistake.

# %% tags=["demo"] draws="One clip, and what two coders with the same 48 tokens make of it."
CLIPS = MiniSprites("test").batch(range(NUM_READ))
NUMBER = next(i for i, words in enumerate(CLIPS.captions) if parse(words).objects[0].motion == "orbit")
REAL = CLIPS.clips()[NUMBER : NUMBER + 1]
rows = {"the clip": REAL}
with torch.no_grad():
    for kind, name in (("video", "4x VAE of videos"), ("skipped", "kept frames, interpolated")):
        coder = MiniCoder(kind)
        rows[name] = coder.decode(coder.normalize(coder.encode(REAL)))
rows = {name: clip[0] for name, clip in rows.items()}
row = torch.cat(list(rows.values()), dim=3)
display(show.player(row, fps=4, width=288, max_bytes=30_000, caption=" | ".join(rows)))
show.strips(rows, num_frames=9, width=56, title=CLIPS.captions[NUMBER])

# %% [markdown]
# **Before you read on, a prediction.** Six motions: left, right, up, down, bounce and orbit. All of them can be told
# from the three kept frames alone. Which of them still can be after a good interpolator has filled the gaps? Write it
# down.

# %% [markdown] about="timestep_transform" difficulty=1 importance=4 minutes=6
# ## The timestep shift
#
# Neighbouring pixels of a large picture are alike, and so are neighbouring frames: averaging over them undoes noise. So
# at the same level a large clip is *easier to see through* than a small one. Open-Sora 1.2 gives it more noise:
#
# $$ t' = \frac{r\, t}{1 + (r - 1)\, t}, \qquad r = \text{scale} \cdot \sqrt{\frac{H W}{512^2}} \cdot \sqrt{L} . $$
#
# The odds $t / (1 - t)$ grow by the factor $r$: that is all it does. $L$ counts latents in time.

# %% exercise="timestep_transform" from="common.models.open_sora:timestep_transform"

# %% check="timestep_transform"

# %% [markdown] hints="timestep_transform"
# 1. Three cases for $L$, then two lines of arithmetic on numbers, then one on the tensor.
# 2. Half-open cases help: below 17 frames, `1 + math.ceil((num_frames - 1) / 4)` is right for a picture too.
# 3. `ratio = scale * math.sqrt(height * width / BASE_AREA) * math.sqrt(length)`, and
#    `return ratio * t / (1 + (ratio - 1) * t)`, after the `ValueError`.

# %% tags=["demo"] draws="The shift for a picture, two clips of Open-Sora, and a clip of ours."
t, (figure, axis) = torch.linspace(0, 1, 101), plt.subplots(figsize=(6.6, 3.4), layout="constrained")
sizes = {"720p, 102 frames": (720, 1280, 102), "240p, 51 frames": (240, 426, 51), "512 × 512 picture": (512, 512, 1),
         "ours: 64 × 64, 9 frames": (64, 64, 9)}  # fmt: skip
for (name, size), colour in zip(sizes.items(), (RUST, GREEN, GREY, BLUE)):
    axis.plot(t, timestep_transform(t, *size), color=colour, label=name)
axis.set(xlabel="level drawn or planned", ylabel="level used", title="The larger and longer, the more noise")
axis.legend(frameon=False)
plt.show()
middle = timestep_transform(torch.tensor([0.5]), 64, 64, 9).item()
print(f"our clips: r = {middle / (1 - middle):.2f}; scale = {4 * (1 - middle) / middle:.0f} would make it 4")

# %% [markdown]
# **What to see.** At 720p half of the levels are above 0.93. For our small clips the formula says *less* noise, and in
# 06.2 more noise was what helped. Its constants belong to one VAE and one base size: `scale` is there to be chosen.
#
# And a trap. In the published code $L$ is `num_frames // 17 * 5`, with an exception for pictures alone. For 16 frames
# that is 0: every level becomes 0, and a model is trained on clips without noise. No error says so.

# %% [markdown] about="count_parameters" difficulty=2 importance=4 minutes=10
# ## Reading a configuration
#
# Before you download five gigabytes: what is in there? All of it follows from eleven numbers.

# %%
dict(PUBLISHED)

# %% exercise="count_parameters" from="common.models.open_sora:count_parameters"

# %% check="count_parameters"

# %% [markdown] hints="count_parameters"
# 1. Write a helper for an arrow m -> n, and one line for each item of the docstring's list.
# 2. `linear = lambda inputs, outputs: (inputs + 1) * outputs`. A block's attention:
#    `linear(dim, 3 * dim) + linear(dim, dim) + 2 * (dim // config["num_heads"])`.
# 3. `2 * config["depth"] * block + ends + level + text`, where `level` has `(1 + bool(config["has_fps"]))` times the
#    two layers of an embedding.

# %% tags=["demo"] draws="Where the 1.2 billion weights are."
total, without = (count_parameters(PUBLISHED | change) for change in ({}, {"depth": 0}))
block = (total - without) / (2 * PUBLISHED["depth"])
feed = (total - count_parameters(PUBLISHED | {"ffn_dim": 0})) / 1e6
figure, axis = plt.subplots(figsize=(7.2, 1.9), layout="constrained")
parts = {"feed-forward": feed, "both attentions": (total - without) / 1e6 - feed, "all else": without / 1e6}
left = 0.0
for (name, millions), colour in zip(parts.items(), (BLUE, GREEN, RUST)):
    axis.barh(0, millions, left=left, color=colour, label=f"{name}: {millions:,.0f} M")
    left += millions
axis.set(yticks=[], xlabel="million weights", title=f"{total / 1e6:,.1f} million in {2 * PUBLISHED['depth']} blocks of "
         f"{block / 1e6:.1f} million")  # fmt: skip
axis.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.5))
plt.show()

# %% [markdown]
# **What to see.** The blocks are nearly all of it, and half of the blocks are temporal. Its authors say 1.1 B.

# %% [markdown] about="STDiTBlock" difficulty=5 importance=5 minutes=20
# ## The block: attention inside frames, then along time
#
# In 06.1 every token saw every other. For $T'$ frames of $S$ tokens that is $(T' S)^2$ pairs. **STDiT** takes turns: a
# *spatial* block attends inside each frame, the *temporal* block after it along time, at each place. Together that is
# $T' S^2 + S\, T'^2$ pairs. Both read the text.
#
# | quantity | shape | published |
# |---|---|---|
# | `x` | `(B, T', S, D)` | D = 1152 |
# | `signal`, from the noise level | `(B, 6, D)` | shift, scale, gate; twice |
# | `noisy` | `(B, T')` | False: this frame is given, at level 0 |
#
# The last row is how it animates a picture: the frame that is given has no noise, and its rows say so.

# %% exercise="STDiTBlock" from="common.models.stdit:STDiTBlock" blank="forward"

# %% check="STDiTBlock"

# %% [markdown] hints="STDiTBlock"
# 1. Begin with a spatial block, without `noisy`. Which axis do you merge into the batch?
# 2. `rows = (signal + self.table)[:, None, :, None]` is `(B, 1, 6, 1, D)`. With `noisy`, make the same of
#    `clean_signal` and take `torch.where(noisy[:, :, None, None, None], rows, clean)`. Then `rows.unbind(2)`.
# 3. `h = (plain_norm(x) * (1 + scale) + shift).to(x.dtype)`; temporal: `rearrange(h, "b t s d -> (b s) t d")`,
#    attention with `rotation`, and back; `x = x + (gate * h).to(x.dtype)`. Then the text with `"b t s d -> b (t s) d"`,
#    then `self.ffn` as the first branch.

# %% [markdown] troubles="STDiTBlock"
# - **The shapes are right, the numbers are not.** `reshape(B * S, T', D)` of `(B, T', S, D)` mixes places and frames.
#   `rearrange` moves the axis first.

# %% [markdown]
# Now *your* blocks in a model of 1.5 million weights. Who sees whom? One frame of the noise is changed, and the output
# compared. The control is how Open-Sora begins: the last layers of its temporal blocks are zero.


# %%
def build(temporal=True):
    """An `STDiT` of your blocks, with random gates; without `temporal`, its temporal blocks add nothing."""
    torch.manual_seed(0)
    model = STDiT(**STDIT)
    for blocks in (model.spatial_blocks, model.temporal_blocks):
        for k, block in enumerate(blocks):
            blocks[k] = STDiTBlock(STDIT["dim"], STDIT["num_heads"], STDIT["ffn_dim"], block.temporal)
            blocks[k].load_state_dict(block.state_dict())
    if not temporal:
        close_temporal_blocks(model)
    return model


# %% tags=["demo"] draws="Which frame of the output sees which frame of the input."
figure, axes = plt.subplots(1, 2, figsize=(7, 3.2), layout="constrained")
for axis, (name, temporal) in zip(axes, {"your blocks": True, "control: temporal blocks at zero": False}.items()):
    moved = frame_reach(build(temporal))
    axis.imshow(moved.sqrt(), cmap="magma", vmin=0)
    axis.set(xlabel="frame of the output", ylabel="frame that was changed", title=name)
    print(f"{name}: {int((moved > 0).sum())} of 25 pairs are connected")
plt.show()

# %% [markdown]
# **What to see.** Left, all frames see each other, by way of time alone. Right, a diagonal: five pictures that know
# nothing of each other. So Open-Sora's video training begins as the image model it came from, PixArt. Is it that?
# diffusers has PixArt's block. With QK-norm added and the same weights, it is your spatial block:

# %% tags=["demo"] draws="Your spatial block beside PixArt's of diffusers."
mine = STDiTBlock(48, 4, 96).double().requires_grad_(False)
nn.init.normal_(mine.table)
given = [torch.randn(shape).double() for shape in ((2, 3, 5, 48), (2, 6, 48), (2, 7, 48))]  # x, signal, text
off = (mine(*given) - pixart_forward(pixart_block(mine), *given)).abs().max()
print(f"BasicTransformerBlock agrees to 1e-5: {bool(off < 1e-5)}")

# %% [markdown] about="convert_keys" difficulty=4 importance=4 minutes=15
# ## Key conversion
#
# The published file has other names than our class. A converter is most of what "supports model X" means, and where it
# goes wrong: a weight that is named right and *ordered* wrong loads without an error.
#
# | theirs | ours |
# |---|---|
# | `spatial_blocks.3.attn.qkv.weight` | `spatial_blocks.3.attention.to_qkv.weight` |
# | `final_layer.linear.bias` | `patches_out.bias`, reordered, sign turned |
# | `rope.freqs` | none: it is computed |

# %% exercise="convert_keys" from="common.models.open_sora:convert_keys"

# %% check="convert_keys"

# %% [markdown] hints="convert_keys"
# 1. Split the name first, look its part up in `NAMES`, and put it together again. Handle the three tensors after that.
# 2. A regular expression cuts it: `re.fullmatch(r"((?:spatial|temporal)_blocks\.\d+\.)?(.*?)(\.weight|\.bias)?", name)`
#    has the groups block, part and end; `.groups("")` gives empty texts for those that are missing.
# 3. `tensor.flatten(1)` for the convolution. For both entries of the last layer
#    `-rearrange(tensor, "(h w c) ... -> (c h w) ...", h=2, w=2)`.

# %% [markdown]
# At full size, with no memory at all: the device `meta` has shapes and no numbers.

# %% tags=["demo"] draws="Whether the published file would fit, entry by entry; and the loader's answer."
state = {name: torch.empty(shape, device="meta") for name, shape in published_shapes().items()}
ours, made = empty_model().state_dict(), convert_keys(state)
fits = {name: tuple(part.shape) for name, part in made.items()} == {n: tuple(p.shape) for n, p in ours.items()}
print(f"{len(state)} entries, {len(made)} after conversion, {sum(p.numel() for p in made.values()):,} numbers")
print("names and shapes are those of our class:", fits)
try:
    load_published("models/OpenSora-STDiT-v3")
except FileNotFoundError as error:
    print(error)

# %% [markdown]
# With that folder on your machine `load_published` gives the real model. Its text encoder (T5 v1.1 XXL) and its VAE are
# files of their own, and nothing below was drawn by it.

# %% [markdown] about="SkippedFrames" difficulty=2 importance=5 minutes=10
# ## The part that was replaced
#
# The old coder: keep every fourth frame (Open-Sora kept every third), code them as images, and let an interpolator
# fill the gaps. `fill_in(between, first, last, num_halvings)` is given, from 02.2: the middle, then the middles of the
# halves, both ends included.
#
# | quantity | shape | here |
# |---|---|---|
# | `clips` | `(B, 3, 1 + (K - 1) stride, H, W)` | 9 frames |
# | `latents` | `(B, C, K, H', W')` | K = 3: frames 0, 4, 8 |

# %% exercise="SkippedFrames" from="common.models.skipped_frames:SkippedFrames" blank="encode, decode"

# %% check="SkippedFrames"

# %% [markdown] hints="SkippedFrames"
# 1. `encode` is a slice and a call. In `decode`, neighbours share a frame: who brings it?
# 2. Fill each gap without its last frame, `[:, :, :-1]`, join them, and add the last kept frame.
# 3. `kept = decode_frames(self.vae, latents)`; a list of `fill_in(self.between, kept[:, :, k], kept[:, :, k + 1],
#    self.num_halvings)[:, :, :-1]`; `torch.cat([*gaps, kept[:, :, -1:]], dim=2)`.

# %% [markdown]
# The swap is one line: three coders with the same 48 tokens. Real clips go in, so no generator is to blame.

# %%
VAE = MiniCoder().vae
FILM = Interpolator.from_pretrained("film-interpolator").eval().requires_grad_(False)
CODERS = {
    "video VAE": MiniCoder("video"),
    "skipped, FILM between": SkippedFrames(VAE, FILM),
    "skipped, mean between": SkippedFrames(VAE, lambda a, b: (a + b) / 2),
}


@torch.no_grad()
def through(coder, clips=CLIPS):
    """Real clips, coded and decoded, at the full rate: motion to `Share`, and the clips."""
    pieces = []
    for clip in clips.clips().split(24):
        latents = coder.encode(clip)
        decoded = coder.decode(latents) if isinstance(coder, SkippedFrames) else VAE.decode(latents).sample
        pieces.append(decoded.clamp(-1, 1))
    made = torch.cat(pieces)
    return motion_shares(clips.captions, made), made


# %% tags=["demo"] draws="Motions that can still be read, per coder, in your clips and in 384."
STORED = json.loads((paths.find_lab("06.3").tests.parent / "calibration" / "03_open_sora.json").read_text())
SEEN = {name: through(coder) for name, coder in CODERS.items()}
for name, (shares, _) in SEEN.items():
    print(f"{name:24} of your {NUM_READ:3} clips {shares['all']}")


def bars(axis, rows, title):
    """Grouped bars with intervals: name to motion to `[right, total]`."""
    words = [*MOTIONS, "all"]
    for k, (name, counts) in enumerate(rows.items()):
        shares = [Share(*counts[word]) for word in words]
        low, high = zip(*((max(0, s.value - s.interval[0]), max(0, s.interval[1] - s.value)) for s in shares))
        places = [i + 0.8 * (k - (len(rows) - 1) / 2) / len(rows) for i in range(len(words))]
        axis.bar(places, [s.value for s in shares], 0.8 / len(rows), yerr=(low, high), label=name,
                 color=(BLUE, RUST, GREEN, GREY)[k], error_kw={"linewidth": 0.8})  # fmt: skip
        print(f"{name:24} of {shares[-1].total} clips {shares[-1]}; bounce {Share(*counts['bounce'])}")
    axis.set(xticks=range(len(words)), xticklabels=words, ylim=(0, 1.05), ylabel="part of the clips", title=title)
    axis.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=4, fontsize=8)


figure, axis = plt.subplots(figsize=(9, 3.4), layout="constrained")
bars(axis, STORED["coders"], "Real clips through each coder: is the motion still there?")
plt.show()
show.strips({name: made[NUMBER] for name, (_, made) in SEEN.items()}, num_frames=9, width=56)

# %% [markdown]
# **What to see.** Three frames hold each motion: read at *their* rate (grey), nearly all are right. What was between
# them is gone. The mean of two pictures is no motion, it is two ghosts. FILM does better, and still the disc fades or
# tears where it moved by more than its own width. Where FILM finds a way it is the straight one, so a bounce loses its
# bounce and an orbit its curve. The video VAE loses one clip of 384. **That is what the swap is worth before any
# generator is trained.**
#
# ## The swap, retrained
#
# Now generators. First yours: your blocks, your coder, a fresh model, and the loss of 06.2.


# %%
def train(model, data):
    """Losses of a model that learns the velocity of the latents in `data`."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.95), weight_decay=0.01)
    losses = []
    for step in progress_bar(range(STEPS), desc="STDiT", unit="step"):
        chosen = range(16 * step, 16 * step + 16)
        loss = compute_loss(model, data.batch([i % NUM_CLIPS for i in chosen]), KeyedNoise(0, chosen))["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


LOSSES = train(build(), captioned_latents(MiniCoder("video"), NUM_CLIPS))
print(f"loss {sum(LOSSES[:4]) / 4:.2f} at first, {sum(LOSSES[-4:]) / 4:.2f} at last; zero is worth about 2")

# %% [markdown]
# A minute of training draws nothing yet. The stored runs had longer, each the same number of core-seconds, with all
# else equal: on latents of the video VAE, and on latents of skipped frames. The control is the first one's weights with
# temporal blocks at zero. A run that is not stored is not listed.

# %% tags=["demo"] draws="Curves of the stored runs, and their motions at the end."
NAMED = {"stdit-video": "video VAE", "stdit-skipped": "skipped, FILM between", "stdit-apart": "trained without time"}
figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained", width_ratios=(1, 1.7))
for run, colour in zip(STORED["arms"], (BLUE, RUST, GREEN)):
    seconds, _, colors, motions = zip(*run["curve"])
    axes[0].plot(seconds, motions, color=colour, marker="o", markersize=3)
    axes[0].plot(seconds, colors, color=colour, linestyle=":")
axes[0].set(xlabel="core-seconds", ylabel="part of 24 clips", title="Motion (dotted: colour) while training")
arms = {NAMED[run["arm"]]: run["end"]["test"]["motions"] for run in STORED["arms"]}
rows = {name: rates["full"] for name, rates in arms.items()} | {"control: temporal at zero": STORED["closed"]}
bars(axes[1], rows, "Drawn clips at the full rate")
plt.show()
for name, rates in arms.items():
    print(f"{name:24} its frames 0, 4 and 8 alone, at a quarter of the rate: {Share(*rates['kept']['all'])}")

# %% [markdown]
# **What to see.** First the control: without time no clip has a motion, only pictures. In the same seconds the run on
# video latents learned some motions, and the run on skipped frames next to none. It is not the interpolator alone: read
# by themselves, its frames 0, 4 and 8 show few motions too (printed). And its coder's bars, above, are the most that it
# could ever reach: zero for bounce. Colour comes first, motion late: these runs are short.
#
# ## Try it
#
# `NUM_HALVINGS` is how coarsely frames are skipped: 0 keeps all nine, 3 keeps two. **An ablation to run:** where does
# each motion break, and what does it cost in tokens?

# %%
NUM_HALVINGS = 1

(shares, made), kept = through(SkippedFrames(VAE, FILM, NUM_HALVINGS)), 8 // 2**NUM_HALVINGS + 1
print(f"{kept} kept frames, {16 * kept} tokens:", {word: str(share) for word, share in shares.items()})
show.strips({"the clip": REAL[0], f"{kept} frames kept": made[NUMBER]}, num_frames=9, width=56)

# %% [markdown] tags=["folded"]
# ## Going further: relatives
#
# No class of diffusers is STDiT. **Latte** is the nearest: spatial and temporal blocks by turns, from PixArt as well,
# without QK-norm and rotation. It runs here in miniature, untrained. Version 1.3 of Open-Sora has attention in windows
# and a 16-channel VAE. Version 2.0 is another model, an MMDiT, the subject of 06.4.

# %% tags=["demo"] draws="Latte, run in miniature."
latte = diffusers.LatteTransformer3DModel(num_attention_heads=2, attention_head_dim=12, in_channels=4, out_channels=8,
    num_layers=2, patch_size=2, sample_size=8, caption_channels=32, cross_attention_dim=24, video_length=5,
    norm_type="ada_norm_single", activation_fn="gelu-approximate", attention_bias=True, num_embeds_ada_norm=1000,
    norm_elementwise_affine=False)  # fmt: skip
with torch.no_grad():
    out = latte(torch.randn(1, 4, 5, 8, 8), timestep=torch.tensor([500]), encoder_hidden_states=torch.randn(1, 7, 32))
print(f"{type(latte).__name__}: {latte.num_parameters():,} weights, output {tuple(out.sample.shape)}")

# %% [markdown] tags=["folded"]
# ## Honest limits
#
# - One seed per arm, 1.5 M weights, and fewer core-seconds than the other arms of this world had: none is near its end.
# - Frames 0, 4, 8 of a clip at 4 per second are a second apart. Open-Sora's were an eighth of one, where straight lines
#   go further. In a slower world skipping would cost less.
# - The VAE here codes images and videos with the same weights. Open-Sora changed from one trained network to another.
# - The trained arms do not use the timestep shift: all have the levels of `mini-video`.
# - In the published last layer, frames of level 0 are normalised and modulated twice. Ours are once: no one uses what
#   comes out there.

# %% [markdown]
# ## Yours now
#
# A block, a shift, a converter, a count and a coder, all five parts of the library. The arms: `benchmarks/mini_arm.py
# --arm stdit-video`.
#
# **Next:** 06.4, where text and video attend jointly. **To read:** Open-Sora's reports (`docs/report_03.md` in its
# repository; arXiv:2412.20404), *PixArt-α* (arXiv:2310.00426), *Latte* (arXiv:2401.03048).
