# %% [markdown]
# # Lab 06.5 · Variable resolution
#
# **What you will have at the end:** a text-to-video model that was trained on one square, and draws wide clips and tall
# ones. You write what it takes: aspect-ratio buckets, batches by tokens, a scaled RoPE grid and packed sequences. Then
# you measure what the grid alone is worth, and begin a fine-tuning run on many shapes.
#
# | | |
# |---|---|
# | time | about 75 minutes |
# | difficulty | ★★★★★ |
# | before this | [Clips of any size](../../phases/06_dit_flow_matching/03_clips_of_any_size.ipynb), 06.1 |
#
# | preset | clips `(T, H, W)` | clips read per shape | training steps | all cells take about |
# |---|---|---|---|---|
# | `ci` | (17, 48, 80), (17, 96, 64) | 2 | 3 | 20 s |
# | `cpu` (default) | the same | 12 | 40 | 3 min |
# | `gpu` | the same | 96 | 400 | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch.nn import functional as F

from common import show
from common.course import check, paths
from common.data.buckets import Shape, num_tokens
from common.data.sprites.attributes import FPS
from common.data.sprites.shaped import ShapedSprites
from common.diffusion.losses import logit_normal
from common.evaluation.share import Share
from common.evaluation.sprite_reader import agreement, read_sprites
from common.layers.packing import Packed, unpack
from common.layers.rope import axis_dims, rotations
from common.models.shaped_dit import ShapedVideoDiT
from common.pipelines import TextToVideoPipeline
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.training.keyed_noise import KeyedNoise
from common.zoo.card import read_card
from common.zoo.shapes_study import shift_for
from common.zoo.shelf import folder as folder_of
from common.zoo.sprites_t2v.latents import encode_clip, read_with_mask
from common.zoo.sprites_t2v.prompts import SHOWN, evaluation_prompts
from common.zoo.sprites_t2v.recipe import compute_loss, pipeline

limit_threads()
plt.rcParams["figure.dpi"] = 75
NUM_READ, STEPS, NUM_CLIPS = {"ci": (2, 3, 4), "cpu": (12, 40, 24), "gpu": (96, 400, 96)}[preset()]
SQUARE, WIDE, TALL, LONG = (17, 64, 64), (17, 48, 80), (17, 96, 64), (25, 64, 64)
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "#9a9a9a"


def shape_text(shape):
    return " × ".join(map(str, shape))


def drawn(model, prompts, shape, **changed):
    """Clips `(B, 3, T, H, W)`, each from a noise of its own number, in ten steps."""
    noise = [torch.Generator().manual_seed(k) for k in range(len(prompts))]
    return pipeline(model)(prompts, None, *shape, num_inference_steps=10, generator=noise, **changed).frames


def side_by_side(clips, gap=4):
    """Clips `(3, T, H, W)` of several shapes in one, on white; a shorter one waits on its last frame."""
    frames, height = (max(clip.shape[axis] for clip in clips) for axis in (1, 2))
    padded = []
    for clip in clips:
        clip = torch.cat([clip, clip[:, -1:].expand(-1, frames - clip.shape[1], -1, -1)], dim=1)
        padded.append(F.pad(clip, (0, gap, 0, height - clip.shape[2]), value=1.0))
    return torch.cat(padded, dim=3)[..., :-gap]


# %% [markdown]
# ## Where you are heading
#
# One sentence in two shapes that no training clip had. Left, `sprites-t2v` as it learned 17 frames of 64 × 64. Right,
# *the same weights*, not one number changed, with positions that you are about to write.

# %% tags=["demo"] draws="One prompt in two shapes, with positions as they are and with scaled ones."
PIPE, PROMPT = TextToVideoPipeline.from_pretrained("sprites-t2v"), SHOWN[5]
BASE, VAE = PIPE.transformer, PIPE.vae
FINISHED = ShapedVideoDiT.placed("sprites-t2v")
pair = [side_by_side([drawn(model, [PROMPT], shape)[0] for shape in (WIDE, TALL)]) for model in (BASE, FINISHED)]
show.player(side_by_side(pair, gap=16), FPS, width=620, max_bytes=50_000, caption=f"{PROMPT}: as it is | scaled")

# %% [markdown]
# **Before you read on, a prediction.** In this world sizes are told in heights of the picture: a *large* circle is 0.37
# of them across. Ask the model of the square for 96 rows. Will its large circle be too large, too small, or right? The
# reader of the world will say.

# %% [markdown] about="nearest_bucket" difficulty=1 importance=4 minutes=6
# ## Aspect-ratio bucketing
#
# Clips come in every shape, batches in a few. Each clip goes to a **bucket**: made smaller, cropped and cut to fit.
# Which one? Not the largest: a tall film in a wide bucket is mostly lost. The aspect ratio comes before the pixels, by
# its logarithm: 2 : 1 is as far from the square as 1 : 2.

# %% exercise="nearest_bucket" from="common.data.buckets:nearest_bucket"

# %% check="nearest_bucket"

# %% [markdown] hints="nearest_bucket"
# 1. First a list of the buckets that fit. If it is empty, you know the answer. Then one `min` or `max`.
# 2. A `key` may be a tuple: the first entry decides, the next one only where the first are equal. A minus turns an
#    order around, and `min` takes the first of equals.
# 3. `min(fitting, key=lambda b: (-b[0], round(abs(log_aspect(shape) - log_aspect(b)), 9), -b[1] * b[2]))`.

# %% tags=["demo"] draws="A collection of clips of many shapes, and the buckets that they go to."
dice = torch.Generator().manual_seed(0)
HEIGHTS = (90, 120, 180, 240)
draws = torch.rand(300, 2, generator=dice).tolist()
COLLECTION = [(6 + int(54 * a), HEIGHTS[k % 4], round(HEIGHTS[k % 4] * 0.5 * 5**b)) for k, (a, b) in enumerate(draws)]
BUCKETS = [(frames, *side) for frames in (9, 17, 33) for side in ((64, 64), (48, 80), (96, 64), (64, 112), (128, 80))]
GIVEN = [nearest_bucket(shape, BUCKETS) for shape in COLLECTION]
figure, axis = plt.subplots(figsize=(7.4, 3.2), layout="constrained")
for k, side in enumerate(sorted({bucket[1:] for bucket in BUCKETS}, key=lambda side: side[1] / side[0])):
    members = [shape for shape, bucket in zip(COLLECTION, GIVEN) if bucket and bucket[1:] == side]
    axis.scatter([shape[2] / shape[1] for shape in members], [k] * len(members), s=14, color=BLUE, alpha=0.4)
    axis.plot(side[1] / side[0], k, "|", color=RUST, markersize=18, markeredgewidth=2)
    axis.text(2.55, k, f"{side[0]} × {side[1]}: {len(members)}", va="center", fontsize=9)
axis.set(xlabel="width / height of the clip", xlim=(0.45, 3.2), ylim=(-0.6, 4.6), yticks=[],
         title="Buckets (rust) and the clips in them")  # fmt: skip
plt.show()
print(f"{len(COLLECTION)} clips; {sum(bucket is None for bucket in GIVEN)} fit in no bucket: too short")

# %% [markdown] about="bucket_batches" difficulty=3 importance=5 minutes=15
# ## Batches of one shape, by tokens
#
# A batch comes from one bucket. But a fixed number of clips per batch would make some batches several times as heavy
# as others, in memory and in what they add to a gradient. So the **tokens** are held, and the number of clips follows:
# `max_tokens // num_tokens(shape)`.
#
# Shuffle twice. Clips before they are cut, or the same ones always meet. Then the batches, or all wide ones come first.

# %% exercise="bucket_batches" from="common.data.buckets:bucket_batches"

# %% check="bucket_batches"

# %% [markdown] hints="bucket_batches"
# 1. A dictionary from shape to the numbers of its clips. Then work shape by shape.
# 2. `torch.randperm(len(numbers), generator=generator)` shuffles. Slices of a list may reach beyond its end: the last
#    batch takes care of itself.
# 3. `size = max(1, max_tokens // num_tokens(shape))`, then `shuffled[s : s + size]` for s in `range(0, len(shuffled),
#    size)`; in the end `[batches[k] for k in torch.randperm(len(batches), generator=generator).tolist()]`.

# %% tags=["demo"] draws="Tokens per batch: eight clips at random with padding, and your buckets."
SHAPES = [bucket for bucket in GIVEN if bucket is not None]
order = torch.randperm(len(SHAPES), generator=dice).tolist()
random_batches = [order[start : start + 8] for start in range(0, len(order), 8)]
epoch = bucket_batches(SHAPES, 1280)
computed = {"8 clips at random, padded": [len(b) * max(num_tokens(SHAPES[k]) for k in b) for b in random_batches],
            "your buckets": [sum(num_tokens(SHAPES[k]) for k in b) for b in epoch]}  # fmt: skip
figure, axes = plt.subplots(1, 2, figsize=(8, 2.6), layout="constrained", sharey=True)
for axis, (name, tokens), colour in zip(axes, computed.items(), (RUST, BLUE)):
    axis.bar(range(len(tokens)), tokens, color=colour)
    axis.axhline(1280, color="black", linewidth=0.8, linestyle=":")
    axis.set(title=name, xlabel="batch")
axes[0].set_ylabel("tokens computed")
plt.show()
useful = sum(map(num_tokens, SHAPES))
for name, tokens in computed.items():
    print(f"{name:26} {len(tokens):3} batches, at most {max(tokens):,} tokens, {1 - useful / sum(tokens):.0%} padding")

# %% [markdown]
# **What to see.** Dotted is what fits. The short bars are remainders, one per shape, however large the data set.

# %% [markdown] about="scaled_rotations" difficulty=4 importance=5 minutes=15
# ## Scaled RoPE: the same place, whatever the grid
#
# `sprites-t2v` has only ever seen four rows and four columns of tokens. A picture of 96 rows has six. To RoPE the two
# new ones are *further away* than anything was in training. But the world did not grow: the picture got finer. So its
# rows are given places *between* the old ones. This is **position interpolation**.
#
# | `size` | rows at | columns at |
# |---|---|---|
# | (5, 4, 4), the trained square | 0, 1, 2, 3 | 0, 1, 2, 3 |
# | (5, 6, 4), 96 × 64 | −0.17, 0.5, … 3.17 | 0.5, 1.17, 1.83, 2.5 |
# | (5, 3, 5), 48 × 80 | 0.17, 1.5, 2.83 | −1.17, 0.17, … 4.17 |
#
# One factor for both axes: lengths of this world are heights. Frames keep their places: they are seconds.

# %% exercise="scaled_rotations" from="common.layers.scaled_rope:scaled_rotations"

# %% check="scaled_rotations"

# %% [markdown] hints="scaled_rotations"
# 1. Make three lists of places, as the docstring says, and print them for the sizes of the table.
# 2. From places to angles it is as in 06.1: `places[:, None] * speeds`, for each axis with its share of `axis_dims`,
#    and `reshape` to four axes so that the three can be `expand`ed to one grid.
# 3. `speeds = theta ** (-torch.arange(0, n, 2, dtype=torch.float64) / n)`; `angles.reshape(shape).expand(*size, -1)`
#    with `shape = [1, 1, 1, -1]` and `shape[axis] = len(places)`; `torch.cat(…, dim=-1).flatten(0, 2)`;
#    `torch.polar(torch.ones_like(angle), angle).to(torch.complex64)`.

# %% tags=["demo"] draws="Where the tokens of three shapes are, in places of the trained square."
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained", sharex=True, sharey=True)
for axis, (name, grid) in zip(axes, {"64 × 64": (1, 4, 4), "96 × 64": (1, 6, 4), "48 × 80": (1, 3, 5)}.items()):
    for how, colour, marker in (("as they are", RUST, "x"), ("scaled", BLUE, "o")):
        turned = (scaled_rotations if how == "scaled" else rotations)(grid, 64).angle()
        row, column = turned[:, 21] * 100**0.9, turned[:, 31] * 100**0.9  # the slowest pair of each axis, as places
        axis.plot(column, row, marker, color=colour, label=how, alpha=0.8)
    axis.add_patch(plt.Rectangle((-0.5, -0.5), 4, 4, fill=False, linestyle=":"))
    axis.set(title=name, xlabel="column's place", aspect="equal")
axes[0].set(ylabel="row's place", ylim=(5.6, -1.6), xlim=(-1.8, 5.2))
axes[0].legend(frameon=False, loc="lower right", fontsize=8)
plt.show()

# %% [markdown]
# **What to see.** Dotted is the square of the training. In rows, your places never leave it. To the sides a wide
# picture does: there is more world to the left and right than the model has ever seen.
#
# Now the shipped weights, with not one number changed, and your places. `rotation` is where a model asks for turns.


# %%
class Scaled(ShapedVideoDiT):
    """The shipped weights of a base, with your places."""

    def rotation(self, grid, device=None):
        head_dim = self.config.dim // self.config.num_heads
        return scaled_rotations(grid, head_dim, theta=self.config.rope_theta, device=device)


def right(asked, clips):
    """Which of the clips show all that was asked for, and which the size that was."""
    found = [agreement(words, reading) for words, reading in zip(asked, read_sprites(clips))]
    return [row["all"] for row in found], [row["size"] for row in found]


SCALED = Scaled.of("sprites-t2v").eval().requires_grad_(False)
ASKED = evaluation_prompts("one_object")[:NUM_READ]
STORED = json.loads((paths.find_lab("06.5").tests.parent / "calibration" / "05_variable_resolution.json").read_text())

# %% tags=["demo"] draws="Your places and places as they are, on the first prompts: how many clips are right."
for shape in (WIDE, TALL):
    for name, model in (("as they are", BASE), ("your places", SCALED)):
        all_right, size_right = right(ASKED, drawn(model, ASKED, shape))
        print(f"{shape_text(shape)} {name:12} all right {sum(all_right)} of {NUM_READ}, size {sum(size_right)}")

# %% [markdown]
# So few prove nothing. Here are stored clips, read by the reader of the world: all that was asked for, and the size
# alone, with 95 % intervals. **Negative controls:** places as they are; each *axis* scaled to the range of the square
# by itself; both by the root of the *area*, as Open-Sora does.

# %% tags=["demo"] draws="What is right in two unseen shapes, by how places are scaled."
NAMES = {"square": ("as they are", GREY), "by axis": ("by axis", OLIVE), "by area": ("by area", RUST),
         "scaled": ("by height: yours", BLUE)}  # fmt: skip
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained", sharey=True)
at_square = Share(*STORED["study"]["square"]["17x64x64"]["all"])
for axis, (what, title) in zip(axes, {"all": "all right", "size": "the size is right"}.items()):
    print(f"{title:20} {shape_text(WIDE):36} {shape_text(TALL)}")
    for k, (key, (name, colour)) in enumerate(NAMES.items()):
        shares = [Share(*STORED["study"][key][shape][what]) for shape in ("17x48x80", "17x96x64")]
        low, high = zip(*((max(0, s.value - s.interval[0]), max(0, s.interval[1] - s.value)) for s in shares))
        axis.bar([place + 0.2 * (k - 1.5) for place in range(2)], [s.value for s in shares], 0.18, color=colour,
                 label=name, yerr=(low, high), error_kw={"linewidth": 0.8})  # fmt: skip
        print(f"  {name:18}", *(f"{s!s:17} of {s.total} clips    " for s in shares))
    axis.set(xticks=range(2), xticklabels=[shape_text(WIDE), shape_text(TALL)], ylim=(0, 1))
    axis.set_title(title, fontsize=10)
axes[0].axhline(at_square.value, color="black", linewidth=0.8, linestyle=":")
axes[0].set_ylabel("part of the clips")
axes[1].legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1), fontsize=9)
plt.show()
print(f"dotted: the square, {shape_text(SQUARE)}, {at_square} of {at_square.total} clips")

# %% [markdown]
# **What to see.** Places as they are: objects come out small in a tall picture and large in a flat one. The model draws
# in tokens, and the reader measures in heights. Your places tell the model what a height is, and then most sizes are
# right, **without a step of training**. By axis and by area help less: a wide picture then is a square that was
# stretched, or one that was enlarged. Neither is what *this* world means by large.

# %% [markdown] about="pack" difficulty=2 importance=4 minutes=5
# ## Packing: one sequence, and a block-diagonal mask
#
# Buckets still throw away what does not fit. **Patch n' Pack** does not: clips of any shapes go end to end into one
# sequence of `(1, N, ...)` tokens, and a mask `(N, N)` keeps them apart: True for "may look".
# (`block_diagonal_mask(lengths, device)` is given. Or write it in two lines.)

# %% exercise="pack" from="common.layers.packing:pack"

# %% check="pack"

# %% [markdown] hints="pack"
# 1. `torch.cat`, one new axis in front, and the mask. The lengths are whole numbers in a list.
# 2. The mask by hand: `torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths))` names the owner of every
#    token, and `owner[:, None] == owner[None, :]` is it.
# 3. `Packed(tokens[None], block_diagonal_mask(lengths, tokens.device), lengths)`, after the `ValueError`.

# %% [markdown] about="packed_block" difficulty=5 importance=4 minutes=20
# ## A DiT block for packed clips
#
# What belongs to each clip alone? Its places, its text, its noise level. The places come with the tokens. The text is
# read clip by clip. And the noise level: AdaLN takes one signal per *frame*, and here frames of many sizes are in one
# sequence. So every token gets a signal of its own, as if it were a frame.
#
# | quantity | shape |
# |---|---|
# | tokens in the block | `(1, N, 1, D)`: N frames of one token |
# | signals | `(1, N, 9 D)` |
# | in `block.attention` | `(1, N, D)` |

# %% exercise="packed_block" from="common.layers.packed_block:packed_block"

# %% check="packed_block"

# %% [markdown] hints="packed_block"
# 1. Write `DiTBlock.forward` from 06.1 beside it, and go through its three branches. Which lines change?
# 2. `packed = pack(clips)`, `x = packed.tokens[:, :, None]`, and `[:, :, 0]` wherever a network wants `(1, N, D)`. The
#    joined signals and rotations are a `torch.cat` each.
# 3. `pieces = unpack(cross.enter(x)[:, :, 0], packed.lengths)`; the cross-attention of each, `torch.cat`, and
#    `out[None, :, None]` into `cross.leave`. The end is `unpack(x[:, :, 0], packed.lengths)`.

# %% [markdown]
# Your block in place of the model's, in all seven layers. Three noisy clips of three shapes, each with its own text and
# its own noise level, in double precision: **packed is equal to separate**. Controls: no mask; and one text for all.

# %% tags=["demo"] draws="Largest difference between packed and separate, for your block and two broken ones."
noisy = [torch.randn(16, *size, generator=dice).double() for size in ((5, 6, 10), (5, 12, 8), (7, 8, 8))]
levels, words = torch.tensor([300.0, 600.0, 900.0]), PIPE.text_encoder(list(SHOWN[1:4]))
texts = [states[mask.bool()].double() for states, mask in zip(words.states, words.mask)]
exact = Scaled.of("sprites-t2v").double().requires_grad_(False)


def without_mask(block, clips, signals, texts, turns):
    """As if all clips were one: each token looks at all of them, and at all texts."""
    joined = [[torch.cat(part)] for part in (clips, signals, texts, turns)]
    return packed_block(block, *joined)[0].split([len(clip) for clip in clips])


def one_text(block, clips, signals, texts, turns):
    """The first text for all clips."""
    return packed_block(block, clips, signals, texts[:1] * len(texts), turns)


alone = [exact(x[None], level[None], text[None]).sample[0] for x, level, text in zip(noisy, levels, texts)]
for name, run in {"your block": packed_block, "no mask": without_mask, "one text for all": one_text}.items():
    found = exact.packed(noisy, levels, texts, run)
    apart = max((a - b).abs().max().item() for a, b in zip(found, alone))
    print(f"{name:17} largest difference {apart:.0e}: {'equal' if apart <= 1e-5 else 'not equal'}")
lengths = [x[0].numel() // 4 for x in noisy]
print(f"{sum(lengths)} tokens packed; padded to the longest, {len(lengths) * max(lengths)}")

# %% [markdown]
# ## Train on many shapes
#
# Places are not all. A token of 48 rows holds larger parts of an object than one of 64, and no one has shown the model
# second 3. So the weights are fine-tuned: a LoRA beside every matrix of every block, on clips of the world drawn in
# several shapes. Here your batches, for a moment, with the loss of `sprites-t2v`.


# %%
def trained(shapes, steps):
    """A model with your places and a fresh LoRA, trained on clips of these shapes in your batches; and its losses."""
    torch.manual_seed(0)
    model = Scaled.of("sprites-t2v")
    clips = [ShapedSprites(*shape, "test", num_objects=1).batch(range(150, 150 + NUM_CLIPS)) for shape in shapes]
    with torch.no_grad():
        latents = [VAE.normalize(encode_clip(VAE, batch)) for batch in clips]
    every = [shape for shape in shapes for _ in range(NUM_CLIPS)]
    plan = [numbers for seed in range(steps) for numbers in bucket_batches(every, 480, seed)]
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer, losses = torch.optim.AdamW(weights, lr=1e-3), []
    for step, numbers in enumerate(progress_bar(plan[:steps], desc="LoRA", unit="step")):
        which, chosen = numbers[0] // NUM_CLIPS, [number % NUM_CLIPS for number in numbers]
        captions = [clips[which].captions[k] for k in chosen]
        batch = {"latents": latents[which][chosen]} | read_with_mask(PIPE.text_encoder, [*captions, ""])
        noise = KeyedNoise(0, range(100 * step, 100 * step + len(chosen)))
        loss = compute_loss(model, batch, noise, logit_normal)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model.eval(), losses


model, losses = trained([(17, 48, 64), (9, 64, 80)], STEPS)
print(f"{sum(p.numel() for p in model.parameters() if p.requires_grad) / 1e6:.1f} M weights of the LoRA are trained, "
      f"{len(losses)} steps, loss {losses[0]:.2f} … {losses[-1]:.2f}")  # fmt: skip

# %% [markdown]
# `flipbook train sprites-t2v-shapes` makes that run longer, on ten shapes, in batches of 1,280 tokens. Half an hour of
# one core gave the shipped LoRA. Its card, beside your places without any training:

# %% tags=["demo"] draws="The shipped LoRA in three unseen shapes, beside the scaled grid alone."
card = read_card(folder_of("sprites-t2v-shapes")).measured["full"]
shown = lambda name: str(Share(round(64 * card[f"{name}/all"]), 64))  # noqa: E731
print(f"{'all right':14} your places alone      with the LoRA          with the LoRA, places as they are")
for shape, name in ((WIDE, "17x48x80"), (TALL, "17x96x64")):
    alone = Share(*STORED["study"]["scaled"][name]["all"])
    print(f"{shape_text(shape):14} {alone!s:22} {shown(name):22} {shown(f'unscaled/{name}')}")
alone = [Share(*STORED["study"][key]["25x64x64"]["all"]) for key in ("square", "frames scaled")]
print(f"{shape_text(LONG):14} {alone[0]!s:22} {shown('25x64x64')}")
print(f"{'':14} {alone[1]} with places in time scaled into those of 17 frames")

# %% [markdown]
# **What to see.** The intervals of the first two columns overlap in every row. The tall picture and the long clip may
# gain, the wide one may lose: half an hour was not enough to tell. Sure is that without scaled places the LoRA is lost:
# it has learned *with* them. What is saved is the LoRA alone, with the checksum of its base. On any other base it is
# refused:

# %% tags=["demo"] draws="What a saved LoRA says when it meets another base."
with tempfile.TemporaryDirectory() as folder:
    model.save_pretrained(folder)
    file, size = Path(folder) / "config.json", sum(path.stat().st_size for path in Path(folder).iterdir())
    file.write_text(json.dumps(json.loads(file.read_text()) | {"base_sha256": "of another file"}))
    try:
        Scaled.from_pretrained(folder)
    except OSError as error:
        print(f"{size / 1e6:.1f} MB, and: … {str(error).partition(' ')[2]}")

# %% [markdown]
# ## Try it
#
# Any multiples of 16, and 1, 5, 9 … frames. **An ablation to run:** go beyond all that was trained, 112 × 112 or 41
# frames. And **shift by tokens**: more tokens, more noise. With 4 times the root of the ratio of tokens the sampler
# stays longer at the high levels. Does it help here?

# %%
WORDS, SHAPE, SHIFT = PROMPT, (17, 64, 96), 4.0

clip = drawn(SCALED, [WORDS], SHAPE, shift=SHIFT)
print(WORDS, "· all right:", agreement(WORDS, read_sprites(clip)[0])["all"])
print(f"by tokens the shift would be {shift_for(SHAPE):.2f}")
show.player(clip[0], FPS, width=3 * SHAPE[2], max_bytes=40_000, caption=shape_text(SHAPE))

# %% [markdown] tags=["folded"]
# ## Honest limits
#
# - Your places make more than twice as many clips right. They do not make a square of a wide picture: the dotted line
#   is not reached, and neither the LoRA nor 25 frames show a gain that so few clips could prove.
# - One base, the shipped `sprites-t2v`. The intervals are those of clips, not of training runs.
# - Places are heights because *this* world is told in heights. Wan leaves places as they are, Open-Sora scales them by
#   the area. With photographs no reader says who is right.
# - On a CPU a packed sequence is slower than its clips: all pairs are computed, and most are masked. FlexAttention or a
#   kernel for variable lengths computes the squares alone.

# %% [markdown]
# ## Yours now
#
# Buckets, batches, a scaled grid, packing: five parts of the library. `flipbook generate PROMPT --height 48 --width 80`
# draws with scaled places, with `--mine` with yours.
#
# At real scale: `WanTransformer3DModel` has places up to `rope_max_seq_len`; Open-Sora's buckets and NaViT's packing
# (arXiv:2307.06304) are those of this page; Stable Diffusion 3 (arXiv:2403.03206) shifts by tokens.
#
# **Next:** phase 07, where the text is not the only one that steers. **To read:** position interpolation
# (arXiv:2306.15595); RIFLEx, against repetition in longer clips (arXiv:2502.15894).
