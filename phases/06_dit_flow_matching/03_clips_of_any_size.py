# %% [markdown]
# # Clips of any size
#
# About 20 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# Phones film upright, films are wide, a meme lasts two seconds and a scene two minutes. For years models were trained
# on one size, and everything was cut to fit it. A transformer does not need that: to it a clip is a sequence of
# patches, and a sequence may be long or short. OpenAI's report on Sora (2024) put this near its top: train on clips as
# they are, and ask for any duration, resolution and aspect ratio. This page measures what that costs and how it is
# done.

# %% tags=["setup"]
import random
import time

import matplotlib.pyplot as plt
import torch
from einops import rearrange

from common.data.batching import fitting_bucket, lost_share, padding_share
from common.data.sprites import caption
from common.evaluation.sprite_reader import read_sprites
from common.layers import pack, rotations, unpack
from common.layers.modulation import timestep_features
from common.layers.norm import plain_norm
from common.pipelines import TextToVideoPipeline
from common.runtime import limit_threads
from common.tensor_ops import patchify

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 72
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "#9a9a9a"

pipe = TextToVideoPipeline.from_pretrained("sprites-t2v")
pipe.set_progress_bar_config(disable=True)
DIT = pipe.transformer


def seeded(seed):
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# ## One set of weights, any shape
#
# `sprites-t2v` was trained on one size: 17 frames of 64 × 64 pixels, 80 tokens. Nothing in its layers knows that
# number. The linear layers see one token at a time, attention takes as many as there are, and rotary positions have an
# angle for every place. So ask for other sizes.
#
# *Before you run on:* the size of the object is a word in the prompt. How large is a "large" star in a taller picture?

# %%
PROMPT = "a large red star moves right over a blue field"
SIZES = [(17, 64, 64), (17, 48, 80), (17, 96, 64), (33, 64, 64), (1, 64, 64)]  # the first is the one it was trained on
made = {}
for frames, height, width in SIZES:
    made[frames, height, width] = pipe(
        PROMPT, None, frames, height, width, num_inference_steps=10, generator=seeded(2)
    ).frames[0]

figure, axes = plt.subplots(len(SIZES), 5, figsize=(7.6, 8.2), layout="constrained")
for line, ((frames, height, width), clip) in zip(axes, made.items()):
    moments = sorted({round(k * (frames - 1) / 4) for k in range(5)})
    num_tokens = (1 + (frames - 1) // 4) * (height // 16) * (width // 16)
    for axis, moment in zip(line, moments):
        axis.imshow((clip[:, moment].permute(1, 2, 0) / 2 + 0.5).clamp(0, 1))
        axis.set_title(f"frame {moment}", fontsize=8)
    for axis in line:
        axis.set(xticks=[], yticks=[])
        axis.axis("on" if axis.images else "off")
    line[0].set_ylabel(f"{frames} × {height} × {width}\n{num_tokens} tokens", fontsize=9)
figure.suptitle(f"The same weights at five sizes: {PROMPT}", fontsize=10)
plt.show()

for size, clip in made.items():
    if size[0] > 1:
        words = read_sprites(clip[None])[0].words  # what a program sees that never read the prompt
        print(f"{' × '.join(map(str, size)):>13}: {caption(words) if words else 'not everything can be told'}")

# %% [markdown]
# **What to see.** Every size runs, without a change to one weight, and an image is simply a clip of one frame. That it
# *runs* is the architecture. That it is *right* is training: this model has only ever seen one shape, and outside it
# the world's reader finds a star that is too small for its taller picture, or cannot say what it sees. Sora's claim
# needs both, patches and a training set of all shapes. How much the second is worth is the question of lab 06.5.
#
# ## How long is the sequence?
#
# With an autoencoder that takes 4 frames and 8 × 8 pixels together, and patches of 2 × 2 latents, a token covers
# 4 · 16 · 16 pixels. That gives the length of any clip. Attention compares pairs of tokens, so its work grows with the
# square.


# %%
def num_tokens(seconds, height, width, fps=24):
    """Tokens of a clip; 0 seconds are one frame."""
    return (1 + round(seconds * fps / 4)) * (height // 16) * (width // 16)


PICTURES = {"240p": (240, 416), "480p": (480, 832), "720p": (720, 1280), "1080p": (1088, 1920)}
BUDGET = num_tokens(5, 480, 832)
seconds = [0.17 * 1.22**k for k in range(30)]
figure, axis = plt.subplots(figsize=(7.6, 3.6), layout="constrained")
for (name, size), colour in zip(PICTURES.items(), (GREY, OLIVE, BLUE, RUST)):
    axis.loglog(seconds, [num_tokens(s, *size) for s in seconds], color=colour, label=name)
    longest = max((s for s in seconds if num_tokens(s, *size) <= BUDGET), default=0)
    print(f"{name:>6}: an image is {num_tokens(0, *size):6,} tokens, 5 s are {num_tokens(5, *size):8,}; ", end="")
    print(f"within {BUDGET:,} tokens fit about {longest:.1f} s")
axis.axhline(BUDGET, color="black", linewidth=0.8, linestyle="--")
axis.text(0.18, 1.15 * BUDGET, f"{BUDGET:,} tokens: 5 s of 480p", fontsize=9)
axis.set(xlabel="duration, seconds (24 frames per second)", ylabel="tokens")
axis.set_title("One budget of tokens buys a long small clip or a short large one", fontsize=10)
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# **What to see.** Straight lines, one above the other, with a stair wherever a latent frame begins: duration and area
# are the same currency. A model trained on 5 s of 480p can, at the same cost per step, draw twenty seconds of 240p or
# less than one of 1080p.
#
# ## Three ways to make a batch
#
# A GPU wants one tensor per batch, and clips of different lengths do not make one. There are three ways out:
#
# - **Pad** every clip to the longest of its batch, and hide the padding behind a mask.
# - **Buckets**: a list of allowed sizes. A clip is cut to the largest that it fills, and a batch comes from one bucket.
#   Open-Sora and most public training code do this.
# - **Pack** clips end to end in one sequence, and let each attend to itself alone (NaViT's *Patch n' Pack*).
#
# *Before you run on:* take 400 clips with the mix of shapes that a crawl has. How much of a padded batch is padding?

# %%
dice = random.Random(0)
ASPECTS, HEIGHTS = ((16, 9), (9, 16), (1, 1), (4, 3), (12, 5)), (240, 360, 480, 720)
collected = []
for _ in range(400):
    (across, down), short = dice.choice(ASPECTS), dice.choice(HEIGHTS)
    height, width = (round(short * side / min(across, down)) for side in (down, across))
    collected.append((round(24 * dice.uniform(1, 10)), height, width))
FLAT = [(240, 416), (240, 240), (480, 832), (480, 480), (720, 1280), (720, 720)]
BUCKETS = [(1 + 4 * n, *size) for n in (5, 12, 24, 48) for h, w in FLAT for size in {(h, w), (w, h)}]
lengths = [(1 + (t - 1) // 4) * (h // 16) * (w // 16) for t, h, w in collected]
padding, sorted_padding = padding_share(lengths, 8), padding_share(sorted(lengths), 8)
lost = [lost_share(size, fitting_bucket(size, BUCKETS)) for size in collected]
seen = sum(n * (1 - share) for n, share in zip(lengths, lost)) / sum(lengths)

WAYS = ["pad", "pad, sorted\nby length", "buckets", "pack"]
useful, wasted, thrown = [1, 1, seen, 1], [p / (1 - p) for p in (padding, sorted_padding)] + [0, 0], [0, 0, 1 - seen, 0]
figure, axis = plt.subplots(figsize=(7.6, 3.2), layout="constrained")
axis.barh(WAYS, useful, color=BLUE, label="trained on")
axis.barh(WAYS, wasted, left=useful, color=RUST, label="padding: computed for nothing")
axis.barh(WAYS, thrown, left=useful, color="white", edgecolor=GREY, hatch="//", label="cut away: never seen")
axis.invert_yaxis()
axis.set(xlabel="tokens, as a part of those that the clips have")
axis.set_title(f"{len(collected)} clips of {len(set(collected))} sizes, batches of 8", fontsize=10)
axis.legend(frameon=False, fontsize=9)
plt.show()
print(f"padding is {padding:.0%} of what is computed; sorted by length {sorted_padding:.0%}")
print(f"buckets see {seen:.0%} of the tokens; {sum(share == 1 for share in lost)} clips fit into none")

# %% [markdown]
# **What to see.** Padding wastes more than it uses, unless clips are sorted, and then a batch is all short clips or all
# long ones. Buckets waste nothing and throw much away: what a clip has beyond its bucket's frames, rows and columns. A
# clip that is smaller than every bucket is dropped, in most code without a word. Packing keeps every token.
#
# ## Packed is equal to separate
#
# Packing is safe only if no clip notices the others. Three things belong to each clip alone: its places (rows, columns
# and frames count from 0 again), its attention (a **block-diagonal mask**) and its noise level. Here, three noisy clips
# of different sizes through all blocks of `sprites-t2v`, each alone and then as one sequence.

# %%
GRIDS = [(5, 4, 4), (2, 3, 6), (1, 5, 3)]  # tokens: frames, rows, columns
latents = [torch.randn(1, 16, t, 2 * h, 2 * w, generator=seeded(k)) for k, (t, h, w) in enumerate(GRIDS)]
text = pipe.text_encoder([PROMPT])
level = torch.tensor([[700.0]])
head_dim = DIT.config.dim // DIT.config.num_heads
places = [rotations(grid, head_dim, theta=DIT.config.rope_theta) for grid in GRIDS]
packed = pack([DIT.patches_in(patchify(x, (1, 2, 2)))[0] for x in latents])  # tokens (1, 131, D)


def through_the_blocks(tokens, rotation, mask):
    """Tokens `(1, N, D)` of one or of several clips, through all blocks and out: `(1, N, 64)`."""
    time_embedding = DIT.time_in(timestep_features(level, DIT.config.freq_dim))
    words, signal = DIT.text_in(plain_norm(text.states)), DIT.to_signal(time_embedding)
    x = tokens[:, None]  # all in one "frame": (1, 1, N, D)
    for block in DIT.blocks:
        x, _ = block(x, signal, words, text.mask, rotation, mask)
    shift, scale = DIT.to_last_signal(time_embedding)[:, :, None].chunk(2, dim=-1)
    return DIT.patches_out(plain_norm(x) * (1 + scale) + shift)[:, 0]


alone = [rearrange(DIT(x, level[0], text.states, text.mask).sample, "1 c t (h p) (w q) -> (t h w) (c p q)", p=2, q=2)
         for x in latents]  # fmt: skip
wrong_places = rotations((1, 1, sum(packed.lengths)), head_dim, theta=DIT.config.rope_theta)
TRIALS = {
    "packed": (torch.cat(places), packed.mask),
    "without the mask": (torch.cat(places), None),
    "places count on": (wrong_places, packed.mask),
}
for name, (rotation, mask) in TRIALS.items():
    together = unpack(through_the_blocks(packed.tokens, rotation, mask), packed.lengths)
    apart = max((a - b).abs().max().item() for a, b in zip(together, alone))
    verdict = "equal" if apart <= 1e-5 else "not equal"  # velocities are about 1
    print(f"{name:>17}: largest difference from each alone {apart:.1e}, {verdict}")

# %%
pairs = sum(n * n for n in packed.lengths) / sum(packed.lengths) ** 2
figure, axis = plt.subplots(figsize=(4.6, 4.2), layout="constrained")
axis.imshow(packed.mask, cmap="Blues", vmin=0, vmax=1.4)
for grid, start, n in zip(GRIDS, (0, packed.lengths[0], sum(packed.lengths[:2])), packed.lengths):
    middle = start + n / 2
    axis.text(middle, middle, " × ".join(map(str, grid)), ha="center", va="center", color="white", fontsize=7)
axis.set(xlabel="token that is looked at", ylabel="token that looks")
axis.set_title(f"Block-diagonal mask: {pairs:.0%} of the pairs are wanted", fontsize=10)
plt.show()

# %% [markdown]
# **What to see.** Packed and separate agree to rounding. Leave out the mask or let the places count on, and they do
# not: a clip then reads its neighbour, or believes it is a column in someone else's picture.
#
# The empty part of the square is the catch. A plain attention kernel computes every pair and throws the masked ones
# away. Measured, with ten short clips:

# %%
attention = DIT.blocks[0].attention
ten = pack([torch.randn(96, DIT.config.dim, generator=seeded(k)) for k in range(10)])


def milliseconds(run, times=8):
    run()
    start = time.process_time()
    for _ in range(times):
        run()
    return 1000 * (time.process_time() - start) / times


singles = unpack(ten.tokens, ten.lengths)
masked = milliseconds(lambda: attention(ten.tokens, mask=ten.mask))
separate = milliseconds(lambda: [attention(x[None]) for x in singles])
print(f"ten clips of 96 tokens, one attention layer: packed with a mask {masked:.1f} ms, one by one {separate:.1f} ms")
print(f"pairs that are computed: {sum(ten.lengths) ** 2:,} against {sum(n * n for n in ten.lengths):,}")

# %% [markdown]
# So packing needs kernels that skip empty blocks. FlashAttention's variable-length interface takes the lengths in place
# of a mask, and PyTorch's FlexAttention compiles a kernel from a rule. With them, packed costs what separate costs.
#
# ## What you can now say
#
# - Duration, resolution and aspect ratio are one number to a transformer: how many tokens.
# - That any size runs is the architecture; that any size looks right is the training data.
# - Padding computes for nothing, buckets throw away, packing keeps everything and needs a kernel that knows.
# - Packed clips share a sequence and nothing else: places, mask and noise level are each clip's own.
#
# Still open: a model that has learned 64 × 64 and is asked for more places than it ever saw. Scaled positions, and more
# noise for longer sequences, are the subject of lab 06.5. Next:
# [text and video in one attention](04_text_and_video_in_one_attention.ipynb).
