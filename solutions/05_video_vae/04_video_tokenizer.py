# %% [markdown]
# # Lab 05.4 · A MAGVIT-v2-style tokenizer
#
# **What you will have at the end:** 320 whole numbers are a clip. You write the two quantizers behind today's video
# tokenizers, FSQ and LFQ, and the measures by which they are judged. Then language models can have video.
#
# | | |
# |---|---|
# | time | about 75 minutes |
# | difficulty | ★★★★★ |
# | before this | lab 05.2, a small 3D VAE |
#
# | preset | clips measured, `(T, H, W)` | steps of each small run | all cells take about |
# |---|---|---|---|
# | `ci` | 12, (17, 64, 64) | 160 | 20 s |
# | `cpu` (default) | 64, (17, 64, 64) | 1,500 | 2 min |
# | `gpu` | 256, (17, 64, 64) | 1,500 | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import math
from functools import partial

import matplotlib.pyplot as plt
import torch
from diffusers import VQModel
from torch.nn import functional as F

from common import show
from common.course import check
from common.data.sprites import SpriteData
from common.evaluation.codebook import codebook_usage, level_usage
from common.evaluation.frechet import feature_statistics
from common.evaluation.reconstruction import clip_psnr, mean_frame
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.layers.quantization import LFQ, codes_to_indices
from common.models.autoencoder import CausalVideoVAE
from common.models.frame_autoencoder import FrameAutoencoder, encode_frames
from common.models.token_autoencoder import CausalVideoFSQ
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.zoo.sprites_fsq.patch_study import draw_steps, draw_tokens, mean_patch_psnr, pictures, sprite_patches
from common.zoo.sprites_fsq.patch_study import train_patches

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 75
SIZE = preset()
NUM_CLIPS, STEPS = {"ci": (12, 160), "cpu": (64, 1500), "gpu": (256, 1500)}[SIZE]
BLUE, RUST, GREY = "#1f6f8b", "#b3541e", "0.6"

# %% [markdown]
# ## Where you are heading
#
# `sprites-fsq` is the autoencoder of lab 05.2 with a **tokenizer's** latent: where `sprites-vae` has 16 floats, it has
# one of 64,000 codes. Here is a clip it was never trained on, what comes back, and all that was kept of it.

# %% tags=["demo"] draws="A clip and what 320 whole numbers restore of it; then the numbers, as colours."
TOKENIZER = CausalVideoFSQ.from_pretrained("sprites-fsq").float().eval()
LEVELS = TOKENIZER.quantizer.levels  # 8, 8, 8, 5, 5, 5
WORLD = SpriteData("held_out", 17, 64).batch(range(NUM_CLIPS))
CLIPS = WORLD.clips()  # (B, 3, 17, 64, 64) in [-1, 1]
ONE = 3
tokens = TOKENIZER.tokenize(CLIPS)  # (B, 5, 8, 8)
back = TOKENIZER.detokenize(tokens).clamp(-1, 1)
pair = torch.cat([CLIPS[ONE], back[ONE]], dim=3)
display(show.player(pair, fps=8, width=320, max_bytes=45_000, caption="original | from 320 whole numbers"))
print("the first of 5 latent frames, 8 rows of 8 tokens:")
print("\n".join(" ".join(f"{token:5d}" for token in row) for row in tokens[ONE, 0].tolist()))
codes = TOKENIZER.encode(CLIPS[ONE : ONE + 1]).latent_dist.codes[0]
draw_tokens(codes, "All 320 tokens: equal tokens have equal colours")

# %% [markdown]
# **A prediction.** A network learns to put pictures into 1,024 codes of ten signs. Nothing in its loss asks for
# variety. How many of the codes will it use: nearly all, about half, or one in a hundred? Your own run will say.

# %% [markdown] about="round_straight_through" difficulty=1 importance=5 minutes=4
# ## Rounding with a straight-through gradient
#
# A token is a rounded number. But rounding is a staircase: its slope is 0 nearly everywhere, so no gradient would get
# back to the encoder. The **straight-through estimator** rounds on the way forward, and on the way back acts as if
# nothing had happened:
#
# $$ y = \mathrm{round}(z), \qquad \frac{\partial y}{\partial z} := 1 $$

# %% exercise="round_straight_through" from="common.layers.quantization:round_straight_through"

# %% check="round_straight_through"

# %% [markdown] hints="round_straight_through"
# 1. Add something to `z` that makes it whole, and through which no gradient passes.
# 2. `.detach()` is a constant for the gradient. The value of `z.round() - z` is what `z` lacks.
# 3. `return z + (z.round() - z).detach()`.

# %% [markdown] troubles="round_straight_through"
# - **No gradient, or one of 0.** `z.round()` alone cuts it. `z` itself has to be in the sum, not detached.

# %% [markdown] about="bound" difficulty=3 importance=5 minutes=12
# ## FSQ: the bound
#
# **Finite scalar quantization** gives each channel a few levels. Squash the channel first, so that rounding gives
# exactly $L$ of them. For odd $L$ that is a tanh of half-width $(L-1)/2$. For even $L$ no grid of integers has its
# centre at 0, so the range is moved down by half a step, and the shift inside the tanh keeps 0 at 0. With
# $h = (L - 1)(1 + 10^{-3})/2$:
#
# $$ \mathrm{bound}(z) = h \tanh\bigl(z + \mathrm{artanh}(o / h)\bigr) - o \qquad o = \tfrac12 \text{ for even } L,
# \text{ else } 0 $$
#
# | quantity | shape |
# |---|---|
# | `z` | `(B, C, ...)`, channels on axis 1 |
# | `by_channel(z, levels)`, given | `(C, 1, ...)`, int64: the levels, ready to be broadcast |
# | result | `(B, C, ...)` |

# %% exercise="bound" from="common.layers.quantization:bound"

# %% check="bound"

# %% [markdown] hints="bound"
# 1. Get $L$ per channel from `by_channel`, then $h$ and $o$ of that shape, then the one line.
# 2. `counts = by_channel(z, levels)`, `half = (counts - 1).to(z) * (1 + EPSILON) / 2`. Which channels are even says
#    `counts % 2 == 0`.
# 3. `offset = torch.where(counts % 2 == 0, 0.5, 0.0).to(z)`, then `half * torch.tanh(z + torch.atanh(offset / half)) -
#    offset`.

# %% [markdown] troubles="bound"
# - **One level too many.** A width of $L/2$ has room for $L + 1$ whole numbers when $L$ is even. Take $(L - 1)/2$ and
#   move it by half a step.
# - **bound(0) is not 0.** The shift is inside the tanh, and it is $\mathrm{artanh}(o/h)$.

# %% tags=["demo"] draws="Your bound for 5 and for 8 levels, and the naive tanh."
draw_steps(
    {"L = 5": lambda z: bound(z, (5,)), "L = 8": lambda z: bound(z, (8,)), "naive, 4 tanh(z)": lambda z: 4 * z.tanh()},
    "Squashed, then rounded",
)

# %% [markdown]
# **What to see.** Yours have exactly 5 and 8 levels. The naive one, made for 8, has 9: its tokens would run out of the
# codebook. The lowest level of $L = 8$ is -4, the highest 3.

# %% [markdown] about="indices_to_codes" difficulty=3 importance=5 minutes=10
# ## From a whole number back to a code
#
# A place now has six digits of 8, 8, 8, 5, 5 and 5 levels. One number holds them all, as 345 holds 5, 4 and 3: the
# first channel is the lowest digit. `codes_to_indices` is given. It maps levels to digits from 0 on, and adds up
#
# $$ \text{index} = \sum_c d_c \prod_{j<c} L_j, \qquad d_c = \mathrm{code}_c \lfloor L_c / 2 \rfloor + \lfloor L_c / 2
# \rfloor . $$
#
# You write the way back: every clip that a language model ever writes goes through it.
#
# | quantity | shape | of one clip |
# |---|---|---|
# | `indices` | `(B, ...)`, int64 | (1, 5, 8, 8) |
# | result | `(B, C, ...)`, float32 in [-1, 1] | (1, 6, 5, 8, 8) |

# %% exercise="indices_to_codes" from="common.layers.quantization:indices_to_codes"

# %% check="indices_to_codes"

# %% [markdown] hints="indices_to_codes"
# 1. How do you get the tens digit of 345? Divide by 10, forget the rest, and take what is left modulo 10.
# 2. Of channel $c$: `indices // worth % count`, where `worth` is the product of the levels before it. A loop over the
#    channels is fine.
# 3. First of all the range: `0 <= index < math.prod(levels)`. Then `digits = torch.stack([indices //
#    math.prod(levels[:c]) % levels[c] for c in range(len(levels))], dim=1)`. With `half = by_channel(digits, levels) //
#    2` the codes are `(digits - half).float() / half`.

# %% [markdown] troubles="indices_to_codes"
# - **Channels are in the wrong order.** The *first* channel is the lowest digit, here. A number as we write it has the
#   lowest digit last.
# - **All is off by a half, or too large.** Digits begin at 0, codes at -1: take away $\lfloor L/2 \rfloor$, then divide
#   by it.

# %% [markdown]
# With your `bound`, your rounding and your way back the shipped model runs. And numbers can be edited: the left half of
# one clip's tokens beside the right half of another's.


# %% tags=["demo"] draws="Two clips, and a third made of the left and right halves of their tokens."
def my_fsq(z, levels=LEVELS, rounding=round_straight_through):
    """Codes and tokens of `(B, C, ...)`, by your parts."""
    half = torch.tensor(levels).reshape(-1, *[1] * (z.ndim - 2)) // 2
    codes = rounding(bound(z, levels)) / half
    return codes, codes_to_indices(codes, levels)


def detokenize(numbers):
    """Tokens `(B, 5, 8, 8)` to clips, by your `indices_to_codes` and the shipped decoder."""
    return TOKENIZER.decode(indices_to_codes(numbers, LEVELS)).sample.clamp(-1, 1)


TOKENIZER.quantizer.forward = my_fsq
LEFT, RIGHT = 3, 6
mine = TOKENIZER.tokenize(CLIPS)
spliced = torch.cat([mine[LEFT, :, :, :4], mine[RIGHT, :, :, 4:]], dim=2)
shown = torch.cat(list(detokenize(torch.stack([mine[LEFT], mine[RIGHT], spliced]))), dim=3)
print(f"Your tokens are the library's: {torch.equal(mine, tokens)}")
show.player(shown, fps=8, width=480, max_bytes=55_000, caption="one clip | another | left of one, right of the other")

# %% [markdown]
# **What to see.** The seam is nearly clean: a token means something where it is, and its neighbours only help.

# %% [markdown] about="codebook_perplexity" difficulty=2 importance=4 minutes=6
# ## How much of a codebook is used
#
# A codebook of which only ten codes occur is no better than one of ten. *Usage* counts codes that occur at all.
# **Perplexity** weighs them: with the frequencies $p_k$ of the codes,
#
# $$ \text{perplexity} = \exp\Bigl( - \sum_k p_k \log p_k \Bigr) . $$
#
# `histogram(indices, size)` is given. It counts every code, and refuses numbers outside the codebook.

# %% exercise="codebook_perplexity" from="common.evaluation.codebook:codebook_perplexity"

# %% check="codebook_perplexity"

# %% [markdown] hints="codebook_perplexity"
# 1. Counts, then shares of the whole, then entropy, then exp. Which logarithm does exp undo?
# 2. A code that never occurs has $p = 0$, and $0 \log 0$ counts as 0. `torch.special.entr(p)` is $-p \log p$ with that
#    rule.
# 3. `counts = histogram(indices, size).double()`, then `float(torch.special.entr(counts / counts.sum()).sum().exp())`.

# %% [markdown] troubles="codebook_perplexity"
# - **It is nan.** Zero times minus infinity. Leave out the codes that never occur.

# %% tags=["demo"] draws="Perplexity of the shipped tokenizer over ever more clips; then its levels."
print(f"{'clips':>6}{'tokens':>8}{'codes used':>12}{'perplexity':>12}")
for count in (1, 3, NUM_CLIPS // 2, NUM_CLIPS):
    some, size = tokens[:count], math.prod(LEVELS)
    print(f"{count:6}{some.numel():8}{codebook_usage(some, size) * size:12.0f}{codebook_perplexity(some, size):12.0f}")
figure, axes = plt.subplots(1, 6, figsize=(7.6, 2), layout="constrained", sharey=True)
for channel, (axis, shares) in enumerate(zip(axes, level_usage(tokens, LEVELS))):
    axis.bar(range(len(shares)), shares, color=BLUE)
    axis.set(xlabel="level", xticks=[0, len(shares) - 1])
    axis.set_title(f"channel {channel}", fontsize=9)
axes[0].set_ylabel("share of tokens")
figure.suptitle(f"How often each level occurs, {NUM_CLIPS} clips", fontsize=10)
plt.show()

# %% [markdown]
# **What to see.** All levels of all channels are in use, and no loss asked for that. The perplexity still grows with
# the clips: so few say little about 64,000 codes. On how many clips it was measured belongs to the number.

# %% [markdown] about="lfq_entropy_loss" difficulty=4 importance=5 minutes=18
# ## LFQ and its entropy loss
#
# **Lookup-free quantization**, MAGVIT-v2's way, keeps only the sign of each channel: $C$ channels make $2^C$ codes.
# Signs alone are a trap. A code that is rare trains no decoder, and so stays rare. A pair of entropies mends it. Say
# how near the codes are, $q(c \mid z) \propto \exp(-|z - c|^2 / \tau)$, and ask that each place be sure, but all
# together be diverse:
#
# $$ L = \mathbb{E}\,\bigl[ H(q(z)) \bigr] \;-\; \gamma \, H\bigl( \mathbb{E}\,[ q(z) ] \bigr) $$
#
# | quantity | shape |
# |---|---|
# | `z` | `(B, C, ...)`: N places in all |
# | logits of the bits, $4 z_c / \tau$ | `(N, C)` |
# | `code_probabilities(logits)`, given | `(N, 2^C)`: every code's probability |
# | result | `EntropyLoss(per_sample, of_mean, loss)`, scalars |

# %% exercise="lfq_entropy_loss" from="common.layers.quantization:lfq_entropy_loss"

# %% check="lfq_entropy_loss"

# %% [markdown] hints="lfq_entropy_loss"
# 1. First make places rows: axis 1 goes to the end, all others become one. Then every row has a distribution over the
#    codes. Two entropies are asked for: the mean of the rows' own, and that of the mean row.
# 2. `logits = 4 * z.float().movedim(1, -1).flatten(0, -2) / temperature`, and `q = code_probabilities(logits)`. The
#    entropy of a row is the sum of `torch.special.entr(q)`.
# 3. `per_sample = torch.special.entr(q.clamp(min=1e-30)).sum(dim=1).mean()`, `of_mean =
#    torch.special.entr(q.mean(dim=0).clamp(min=1e-30)).sum()`. The clamp is for the gradient: at 0 the slope of entr is
#    infinite. Return `EntropyLoss(per_sample, of_mean, per_sample - gamma * of_mean)`.

# %% [markdown] troubles="lfq_entropy_loss"
# - **It is nan for large z.** Sure bits have probabilities of 0, and $0 \log 0$ counts as 0.
# - **Both entropies are equal.** In one of them the mean over places comes first, in the other the entropy does.

# %% [markdown]
# ## Assembled: five small tokenizers
#
# A small network puts each 8×8 patch of a frame into one of about 1,000 codes. Five times the same network, first
# weights and batches. Only what makes the token differs: **FSQ** with your parts, the same with plain rounding, **LFQ**
# with your entropy loss, without it, and with its second sign turned round. LFQ also gets VQ's *commitment* term, which
# keeps $z$ near its code.


# %%
def fsq(z, rounding=round_straight_through):
    """8 · 5 · 5 · 5 = 1,000 codes, and no loss of its own."""
    codes, indices = my_fsq(z, (8, 5, 5, 5), rounding)
    return codes, indices, 0.0


def lfq(z, weight=0.1, gamma=1.0):
    """10 signs, 1,024 codes; commitment and your entropy loss."""
    z = F.normalize(z, dim=1) * z.shape[1] ** 0.5  # as long as a code
    codes, indices = LFQ(10)(z)
    return codes, indices, 0.25 * F.mse_loss(z, codes.detach()) + weight * lfq_entropy_loss(z, gamma=gamma).loss


ARMS = {  # name: quantizer, channels, codes
    "FSQ": (fsq, 4, 1000), "FSQ, plain rounding": (partial(fsq, rounding=torch.round), 4, 1000),
    "LFQ": (lfq, 10, 1024), "LFQ, no entropy loss": (partial(lfq, weight=0.0), 10, 1024),
    "LFQ, sign turned": (partial(lfq, gamma=-1.0), 10, 1024),
}  # fmt: skip
CUT, HELD_OUT = sprite_patches(64), sprite_patches(16, "held_out")  # (N, 192)
bar = progress_bar(ARMS.items(), desc="training", unit="run")
RUNS = {name: train_patches(quantize, width, CUT, HELD_OUT, STEPS) for name, (quantize, width, _) in bar}

# %% tags=["demo"] draws="The five runs: decibels, codes, and how far the encoder moved; then six frames."
print(f"{'':22}{'PSNR, dB':>9}{'usage':>9}{'perplexity':>12}{'encoder moved by':>18}")
print(f"{'one code, mean patch':22}{mean_patch_psnr(CUT, HELD_OUT):9.1f}{0.1:8.1f}%{1:12}")
for name, run in RUNS.items():
    size = ARMS[name][2]
    usage, perplexity = 100 * codebook_usage(run.tokens, size), codebook_perplexity(run.tokens, size)
    print(f"{name:22}{run.psnr:9.1f}{usage:8.1f}%{perplexity:12.1f}{run.moved:18.3f}")
frames = {name: pictures(run.restored, 64, 64)[:, 1::5].clamp(-1, 1) for name, run in RUNS.items()}
show.strips({"original": pictures(HELD_OUT, 64, 64)[:, 1::5]} | frames, num_frames=6, width=72)

# %% [markdown]
# **What to see.** With plain rounding the encoder does not move by a hair, and the result is the mean patch: nothing
# was learned. LFQ without its entropy loss uses one or two codes in a hundred, and details go. With the sign turned it
# ends near a single code. FSQ needs no loss of its own: its grid is the variety. How was your prediction?

# %% [markdown] about="frechet_distance" difficulty=3 importance=4 minutes=12
# ## Fréchet distance
#
# PSNR asks for each pixel. **FID** asks whether restored pictures *look like* pictures: a network turns both sets into
# features, each set is taken for a normal distribution, and the distance of the two has a closed form:
#
# $$ d^2 = |\mu_1 - \mu_2|^2 + \mathrm{tr} \bigl( \Sigma_1 + \Sigma_2
# - 2\, (\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2})^{1/2} \bigr) $$
#
# The root of a symmetric matrix is $V \sqrt{\lambda}\, V^\top$, from its eigenvalues and eigenvectors.

# %% exercise="frechet_distance" from="common.evaluation.frechet:frechet_distance"

# %% check="frechet_distance"

# %% [markdown] hints="frechet_distance"
# 1. Of the last term only the trace is needed, and the trace of a root is the sum of the roots of the eigenvalues.
# 2. `values, vectors = torch.linalg.eigh(cov1)` gives `root = vectors * values.clamp(min=0).sqrt() @ vectors.T`. All in
#    double precision.
# 3. `between = root @ cov2 @ root`, `trace = torch.linalg.eigvalsh(between).clamp(min=0).sqrt().sum()`, then
#    `(mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * trace`, as a float, and not below 0.

# %% [markdown] troubles="frechet_distance"
# - **It is nan for some covariances.** Rounding makes eigenvalues of -1e-17. Clamp them before the root.
# - **It is right for diagonal matrices only.** `cov.sqrt()` takes the root of every entry. That is another matrix.

# %% [markdown]
# ## The result to remember
#
# Four ways to keep a clip. Its **KL twin** `sprites-vae` has the same encoder and decoder and 16 floats where
# `sprites-fsq` has a token, counted here at 16 bits each. The **baselines** keep the mean frame, or the mean colour.
# The reader of the world says how many clips still show all that their captions say. Features for the Fréchet distance
# are latents of the frame coder of lab 05.1.

# %% tags=["demo"] draws="Four coders on clips never trained on; then what each gives back."
TWIN = CausalVideoVAE.from_pretrained("sprites-vae").float().eval()
FEATURES = FrameAutoencoder.from_pretrained("sprites-frame-vae").float().eval()
moving = (CLIPS.diff(dim=2) != 0).flatten(1).any(dim=1)
ASKED = [scene.words for scene, moves in zip(WORLD.scenes, moving.tolist()) if moves]
MOVING = CLIPS[moving]
ROWS = {  # name: bits per clip, clips
    "original": (MOVING[0].numel() * 8, MOVING),
    "sprites-vae (KL twin)": (5 * 8 * 8 * 16 * 16, torch.cat([TWIN(part).sample for part in MOVING.split(16)])),
    "sprites-fsq": (tokens[0].numel() * math.log2(math.prod(LEVELS)), detokenize(tokens[moving])),
    "mean frame": (64 * 64 * 3 * 8, mean_frame(MOVING)),
    "mean colour": (3 * 8, MOVING.mean(dim=(2, 3, 4), keepdim=True).expand_as(MOVING)),
}


def statistics(clips):
    """Mean and covariance of the frame coder's latents: one vector of 5 numbers for each place of each frame."""
    return feature_statistics(encode_frames(FEATURES, clips).movedim(1, -1).flatten(0, -2))


truth, bar = statistics(MOVING), progress_bar(ROWS.items(), desc="reading", unit="row")
READ = {name: accuracy(ASKED, read_sprites(clips.clamp(-1, 1)))["all"] for name, (_, clips) in bar}
print(f"{len(MOVING)} clips that move{'bits':>24}{'PSNR, dB':>10}{'all read':>10}{'Fréchet':>10}")
for name, (bits, clips) in ROWS.items():
    clips = clips.clamp(-1, 1)
    psnr, distance = clip_psnr(clips, MOVING, data_range=2).mean(), frechet_distance(*truth, *statistics(clips))
    print(f"{name:23}{bits:18,.0f}{psnr:10.1f}{100 * READ[name]:9.0f}%{distance:10.3f}")
some = {name: clips[1].clamp(-1, 1) for name, (_, clips) in ROWS.items()}
beside = torch.cat(list(some.values())[:4], dim=3)
display(show.player(beside, fps=8, width=480, max_bytes=55_000, caption=" | ".join(list(some)[:4])))
show.strips(some, num_frames=6, width=72)

# %% [markdown]
# **What to see.** 320 tokens are 16 times fewer bits than the twin's floats and 19 times fewer than *one* frame of
# pixels, and they carry the motion. The price is in the table too: some decibels against the twin, seen at edges and in
# textures. The mean frame has a fair PSNR and shows no motion at all: hence the reader.

# %% [markdown] tags=["folded"]
# ## Going further
#
# **A peer.** `vector-quantize-pytorch` is the library that most tokenizer code uses. Where it is installed, its FSQ
# runs the same small study. We tried version 1.32 at `ci`: 1,000 of 1,000 tokens and the run's decibels were equal.

# %% tags=["demo"] draws="The peer's tokens beside yours, and its run."
try:
    from vector_quantize_pytorch import FSQ as PeerFSQ
except ImportError:
    print("vector-quantize-pytorch is not installed here: pip install vector-quantize-pytorch")
else:
    peer = PeerFSQ([8, 5, 5, 5])
    z = 2 * torch.randn(1000, 4, generator=torch.Generator().manual_seed(0))
    print(f"equal tokens: {100 * (peer(z[None])[1][0] == my_fsq(z, (8, 5, 5, 5))[1]).float().mean():.1f} %")
    run = train_patches(lambda z: (*(x[0] for x in peer(z[None])), 0.0), 4, CUT, HELD_OUT, STEPS)
    print(f"peer {run.psnr:.1f} dB, yours {RUNS['FSQ'].psnr:.1f} dB")

# %% [markdown]
# **The real ones.** NVIDIA's Cosmos tokenizers of type DV have the very levels of `sprites-fsq`, 64,000 codes, at
# 4×8×8, 8×8×8 and 8×16×16. They come as TorchScript: `torch.jit.load("encoder.jit")` gives indices and codes of a clip,
# and `decoder.jit` takes the indices. VidTok has FSQ models with up to 262,144 codes, and reports 29.16 dB against
# 29.64 dB of its KL twin with 4 channels. Open-MAGVIT2 is LFQ with $2^{18}$ codes. Diffusers has the older kind, a
# *learned* codebook whose nearest vector is looked up. This is its class, tiny and untrained.

# %% tags=["demo"] draws="diffusers' VQModel, tiny: latents, tokens, and a picture."
torch.manual_seed(0)
vq = VQModel(block_out_channels=(32,), latent_channels=4, num_vq_embeddings=256).eval()
latents = vq.encode(CLIPS[:1, :, 0]).latents
_, _, (_, _, looked_up) = vq.quantize(latents)
restored = vq.decode(latents).sample
print(f"picture {tuple(CLIPS[:1, :, 0].shape)}, {looked_up.numel()} tokens of 256, picture {tuple(restored.shape)}")

# %% [markdown]
# **Try it.** In the five runs: `weight` 0.01 and 1 (how much entropy is too much?), `temperature` 0.1, LFQ without
# `F.normalize`, FSQ with levels (3, 3, 3, 3, 3, 4). **An ablation.** Drop the commitment term from *LFQ, no entropy
# loss*. Does the codebook still collapse? A run of seconds says so.
#
# **Honest limits.** The small study has flat pictures and one patch per token: its ranking of FSQ and LFQ says little
# about 18 bits at scale. `sprites-fsq` ([card](../../common/zoo/sprites_fsq/card.md)) was trained for a core-hour.
# It took a loss that counts objects more until the reader found everything in 90 % of 512 held-out clips. Its twin is
# 3.9 dB ahead (VidTok's has four floats per place, ours sixteen). Its perplexity over 5,000 clips is 17,800. And our
# Fréchet distance has 5 features of our own coder. FID has 2,048 of Inception, over thousands of clips.

# %% [markdown]
# ## What you own now
#
# `common.layers.quantization`, `common.evaluation.codebook` and `common.evaluation.frechet`: with `--mine`, `flipbook
# reconstruct 3 --weights sprites-fsq` runs on your quantizer. Next is lab 05.5: diffusion, on continuous latents.
#
# Papers: MAGVIT-v2 and LFQ (Yu et al. 2023, arXiv:2310.05737), FSQ (Mentzer et al. 2023, arXiv:2309.15505),
# straight-through (Bengio et al. 2013, arXiv:1308.3432), VQ-VAE (van den Oord et al. 2017, arXiv:1711.00937), FID
# (Heusel et al. 2017, arXiv:1706.08500), VidTok (2024, arXiv:2412.13061), Cosmos (NVIDIA 2025, arXiv:2501.03575).
