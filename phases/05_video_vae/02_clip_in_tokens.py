# %% [markdown]
# # A clip in whole numbers
#
# About 20 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# The latents of `sprites-vae` are floats. A **video tokenizer** gives whole numbers instead: every place of the
# latent grid holds one token out of a fixed codebook. Then a clip is a text in a foreign script, and what writes
# texts, an autoregressive transformer, can write clips. This notebook opens such a tokenizer, `sprites-fsq`, lays it
# beside the autoencoder that it was made from, and lets a small transformer write.

# %% tags=["setup"]
import math

import matplotlib.pyplot as plt
import torch

from common import show
from common.course.explore import explore
from common.data.mini import MiniSprites
from common.data.sprites import SpriteData
from common.evaluation.codebook import codebook_perplexity, codebook_usage, level_usage
from common.evaluation.mini import mini_agreement
from common.evaluation.reconstruction import clip_psnr
from common.layers.quantization import FSQ, indices_to_codes
from common.runtime import limit_threads
from common.text import TextEncoder
from common.zoo import from_pretrained
from common.zoo.mini_tokens.recipe import generate

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 85
BLUE, OLIVE, RUST = "#1f6f8b", "#8a7a2f", "#b3541e"

VAE, TOKENIZER, WRITER = (from_pretrained(name) for name in ("sprites-vae", "sprites-fsq", "mini-tokens"))
LEVELS, NUM_CODES = TOKENIZER.quantizer.levels, TOKENIZER.codebook_size


def psnr(restored, original):
    """Mean over the clips of each clip's PSNR, dB."""
    return clip_psnr(restored, original, data_range=2).mean().item()


# %% [markdown]
# ## Discrete and continuous latents
#
# A diffusion model moves floats towards the data, and every float may be a little wrong. A language model chooses the
# next symbol from a finite list, so its latents must be discrete. Three ways to make them so:
#
# - **VQ-VAE** (2017) learns K vectors, the codebook. A latent becomes the number of the nearest one. Only the vector
#   that was nearest learns anything, so vectors that are never nearest stay where they are: *dead codes*.
# - **FSQ** (finite scalar quantization, 2023) has no vectors. Every channel is squashed into a range and rounded to
#   one of a few levels. The codebook is the grid of all combinations.
# - **LFQ** (lookup-free quantization, MAGVIT-v2, 2023) is the extreme case: each channel keeps its sign, one bit. An
#   entropy term in the loss asks that all combinations occur.
#
# Rounding has slope 0 almost everywhere. All three therefore send the gradient *straight through*: forward the
# rounded value, backward as if nothing had been rounded.
#
# Below, the same 3,000 points of a plane are given 64 codes by VQ and by FSQ, and four by LFQ. FSQ gets them centred
# and scaled, as a trained encoder would give them. The vectors of VQ begin where the outputs of an untrained encoder
# were. Then the outputs moved, as they do in training, and the vectors get 300 steps to follow.

# %%
generator = torch.Generator().manual_seed(0)
points = torch.randn(3000, 2, generator=generator) * torch.tensor([1.2, 0.7]) + torch.tensor([0.8, 0.3])
vectors = torch.randn(64, 2, generator=generator) * 0.4 - torch.tensor([1.5, 1.5])
for _ in range(300):
    nearest = torch.cdist(points, vectors).argmin(dim=1)
    counts = torch.bincount(nearest, minlength=64)
    means = torch.zeros(64, 2).index_add(0, nearest, points) / counts.clamp(min=1)[:, None]
    vectors = torch.where(counts[:, None] > 0, vectors.lerp(means, 0.1), vectors)

TOY = {
    "VQ, 64 vectors": (torch.cdist(points, vectors).argmin(dim=1), 64),
    "FSQ, 8 x 8 levels": (FSQ((8, 8))((points - points.mean(dim=0)) / points.std(dim=0))[1], 64),
    "LFQ, 2 bits": (((points > 0) * torch.tensor([1, 2])).sum(dim=1), 4),
}
figure, axes = plt.subplots(1, 3, figsize=(9.4, 3.0), layout="constrained", sharey=True)
for axis, (name, (indices, size)) in zip(axes, TOY.items()):
    colours = torch.rand(size, 3, generator=torch.Generator().manual_seed(5))
    axis.scatter(*points.T, c=colours[indices].numpy(), s=3)
    used, perplexity = codebook_usage(indices, size) * size, codebook_perplexity(indices, size)
    axis.set(xticks=[], yticks=[])
    axis.set_title(f"{name}\n{used:.0f} codes used, perplexity {perplexity:.0f}", fontsize=10)
axes[0].scatter(*vectors.T, color="black", marker="x", s=22)
plt.show()

# %% [markdown]
# **What to see.** One colour is one code, a cross a vector of VQ. **Perplexity** is the number of codes that would be
# as rich if all were used equally often. Vectors that were never the nearest have not moved: they are dead. FSQ has
# nothing that could die: an encoder need only spread its outputs, and it gets a gradient for that. Real systems fight
# dead codes with restarts and extra losses, and with large codebooks they often lose.
#
# ## One clip, coded twice
#
# `sprites-fsq` is `sprites-vae`, weight for weight, trained on with FSQ in the middle: 6 channels with 8, 8, 8, 5, 5
# and 5 levels, 64,000 codes in all. Here is a held-out clip through both.

# %%
held_out = SpriteData("held_out").batch(range(48))
clips = held_out.clips()  # (48, 3, 17, 64, 64)
clip = clips[:1]
tokens = TOKENIZER.tokenize(clip)
latents = VAE.encode(clip).latent_dist.mode()
print(held_out.captions[0])
print(f"latents of sprites-vae {tuple(latents.shape[1:])}: {latents.numel():,} floats")
print(f"tokens of sprites-fsq  {tuple(tokens.shape[1:])}: {tokens.numel():,} whole numbers below {NUM_CODES:,}")
print(f"the first row of the first frame: {tokens[0, 0, 0].tolist()}")
rows = {
    "original": clip,
    "sprites-vae": VAE.decode(latents).sample.clamp(-1, 1),
    "sprites-fsq": TOKENIZER.detokenize(tokens).clamp(-1, 1),
}
show.strips({f"{name}, {psnr(back, clip):.1f} dB" if name != "original" else name: back[0]
             for name, back in rows.items()}, num_frames=6, width=96)  # fmt: skip

# %% [markdown]
# The tokens look worse, and they are far smaller. To be fair, let the autoencoder pay less, too: round its latents
# coarsely enough that it looks just as bad. Rounded values are counted with the bits that an ideal packer needs for
# each channel by itself (its entropy), and so are the levels of the tokens.

# %%
some = clips[:16]


def entropy_bits(channels):
    """Bits per clip of an ideal code for each channel by itself: `(B, C, ...)`."""
    bits = 0.0
    for values in channels.movedim(1, 0):
        share = values.unique(return_counts=True)[1] / values.numel()
        bits -= (share * share.log2()).sum().item() * values[0].numel()
    return bits


def rounded(step):
    """Latents of `sprites-vae` in steps of a part of each channel's spread: what comes back, and its bits per clip."""
    levels = (VAE.normalize(normal_latents) / step).round()
    return VAE.decode(VAE.denormalize(levels * step)).sample.clamp(-1, 1), entropy_bits(levels)


normal_latents = VAE.encode(some).latent_dist.mode()
codes = TOKENIZER.encode(some).latent_dist.mode()
target = psnr(TOKENIZER.decode(codes).sample.clamp(-1, 1), some)
step = 1.0
for _ in range(3):  # the PSNR falls by about 6 dB when the step doubles
    back, bits = rounded(step)
    step *= 2 ** ((psnr(back, some) - target) / 6)
plain = psnr(VAE.decode(normal_latents).sample.clamp(-1, 1), some)
print(f"{'per clip of 17 frames, 16 clips':38}{'bits':>10}{'bytes':>9}{'PSNR':>10}")
for name, size, quality in (
    ("sprites-vae, float16", 16 * normal_latents[0].numel(), plain),
    (f"sprites-vae, steps of {step:.1f} spreads, packed", bits, psnr(back, some)),
    ("sprites-fsq, tokens as they are", math.log2(NUM_CODES) * tokens.numel(), target),
    ("sprites-fsq, packed", entropy_bits(codes), target),
):
    print(f"{name:38}{size:10,.0f}{size / 8:9,.0f}{quality:7.1f} dB")

# %% [markdown]
# A token is log2(64,000), close to 16 bits: what *one* float of the latent takes, of which every place has 16. Even
# when both are packed, and the floats rounded until they look as bad, the tokens are smaller. Rounding after the fact
# is a quantizer as well, only one that neither the encoder nor the decoder was trained for.
#
# ## The codes, drawn
#
# A token's number means nothing by its size: 63,999 is no more than 5. What means something are the levels that it is
# made of. Below, the first three channels of every token are drawn as red, green and blue, the other three under
# them. The last row marks the tokens that are another one than a moment before.

# %%
levels = indices_to_codes(tokens, LEVELS)[0] / 2 + 0.5  # (6, T', H', W') in [0, 1]
moved = torch.zeros(3, *tokens.shape[1:])
moved[:, 1:] = (tokens[0, 1:] != tokens[0, :-1]).float()
pixels = clip[0, :, ::4] / 2 + 0.5
figure, axes = plt.subplots(4, 5, figsize=(6.6, 5.2), layout="constrained")
names = ("frame", "channels\n0, 1, 2", "channels\n3, 4, 5", "changed")
for line, name, values in zip(axes, names, (pixels, levels[:3], levels[3:], moved)):
    for t, axis in enumerate(line):
        axis.imshow(values[:, t].permute(1, 2, 0).clamp(0, 1))
        axis.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, fontsize=9)
plt.show()
print(f"tokens that change from one moment to the next: {moved[0, 1:].mean():.0%}")

# %% [markdown]
# **What to see.** The scene is still there, in few colours. The first moment stands apart: it holds one frame, each
# later one four.
#
# Is the codebook used? Each bar is one level of one channel, counted over 48 held-out clips.

# %%
many = torch.cat([TOKENIZER.tokenize(part) for part in clips.split(16)])  # (48, 5, 8, 8)
figure, axes = plt.subplots(1, 6, figsize=(9.4, 1.9), layout="constrained", sharey=True)
for channel, (axis, shares) in enumerate(zip(axes, level_usage(many, LEVELS))):
    axis.bar(range(len(shares)), shares, color=BLUE)
    axis.axhline(1 / len(shares), color=RUST, linewidth=1)
    axis.set(xticks=range(len(shares)), title=f"channel {channel}")
axes[0].set_ylabel("share")
plt.show()
for count in (3, 12, 48):
    part = many[:count]
    print(f"{count:2} clips, {part.numel():6,} tokens: {len(part.unique()):5,} different ones, "
          f"perplexity {codebook_perplexity(part, NUM_CODES):5,.0f}")  # fmt: skip

# %% [markdown]
# Every level occurs (the line is an equal share). Of 64,000 combinations a few clips can show only a few, so the
# perplexity grows with the number of clips. Compare tokenizers on the same number only. The card of `sprites-fsq`
# counts 5,000 clips.
#
# How much does one token matter? Replace some of them by others, drawn at random:

# %%
def wrong_tokens(part):
    """The clip, with this part of its tokens replaced."""
    generator = torch.Generator().manual_seed(0)
    hit = torch.rand(tokens.shape, generator=generator) < part
    other = torch.randint(NUM_CODES, tokens.shape, generator=generator)
    back = TOKENIZER.detokenize(torch.where(hit, other, tokens)).clamp(-1, 1)
    title = f"{int(hit.sum())} of {tokens.numel()} tokens are wrong: {psnr(back, clip):.1f} dB"
    return show.contact_sheet(back[0, :, ::4], columns=5, width=96, title=title)


explore(wrong_tokens, part=[0.003, 0.03, 0.3])

# %% [markdown]
# A wrong token is a wrong patch of 8 x 8 pixels, and a shadow of it in the frames after. A diffusion model is never
# quite right anywhere. A token model is exactly right or quite wrong.
#
# ## What tokens are for
#
# With tokens, a clip can be *written*. `mini-tokens` is an autoregressive transformer: it says how likely the next
# token is, given a text and all the tokens before it. Its world is `mini`: one disc in one of four colours, six
# motions, 9 frames, so 3 · 8 · 8 = 192 tokens. Two tricks keep it as small as the diffusion transformer of the same
# world:
#
# - 2 x 2 tokens are one position, so it writes 48 positions.
# - No layer has 64,000 outputs. A token is six digits, its levels, so a position has 24, drawn one after the other.
#
# The product of all these probabilities is the probability of the clip, and training makes it large for real clips:
# cross-entropy, as for any language model. So one can ask where a real clip surprises it. In bits per token, mean
# over 48 test clips:

# %%
real = MiniSprites("test").batch(range(48))
text = TextEncoder.installed()(list(real.captions))
written = torch.cat([TOKENIZER.encode(part).latent_dist.mode() for part in real.clips().split(16)])
nats = WRITER.negative_log_likelihood(written, text.states, text.mask)  # (48, 48 positions, 24 digits)
surprise = (nats.sum(dim=2).mean(dim=0) / math.log(2) / 4).reshape(3, 4, 4)
figure, axes = plt.subplots(1, 3, figsize=(7.4, 2.6), layout="constrained")
for axis, values, name in zip(axes, surprise, ("frame 0", "frames 1-4", "frames 5-8")):
    drawn = axis.imshow(values, cmap="YlOrBr", vmin=0, vmax=surprise.max())
    axis.set(xticks=[], yticks=[], title=f"{name}: {values.mean():.1f} bits")
figure.colorbar(drawn, label="bits per token")
plt.show()
print(f"{surprise.mean():.1f} bits per token, where log2(64,000) is {math.log2(NUM_CODES):.1f}")

# %% [markdown]
# Now let it write: six captions of the test split, six clips. The text enters twice, with and without, and the
# difference of the logits is doubled: classifier-free guidance, as in diffusion.

# %%
asked = list(MiniSprites("test", num_frames=1, size=8).batch(range(6)).captions)
made = generate(WRITER, asked)  # (6, 3, 9, 64, 64)
for caption, found in zip(asked, mini_agreement(asked, made)):
    print(f"colour {'yes' if found['color'] else 'no ':3}  motion {'yes' if found['motion'] else 'no ':3}  {caption}")
show.strips({f"{k}: {caption}": one for k, (caption, one) in enumerate(zip(asked, made))}, num_frames=9, width=64)

# %% [markdown]
# `mini-video` is the diffusion transformer of the same width and depth. The cards of both say how many clips are
# right of a few hundred, and after how many core-seconds of training.
#
# ## What you can now say
#
# - A tokenizer's latent is a grid of whole numbers. VQ looks them up, FSQ rounds to a grid, LFQ keeps signs.
# - Straight-through gradients let an encoder learn in front of a quantizer.
# - Levels used, codes used and perplexity say whether a codebook is used; perplexity depends on how many tokens were
#   counted.
# - At 16 bits per place much is lost that 16 floats keep. In exchange, a language model can write clips.
