# %% [markdown]
# # Lab 02.4 · Content and motion apart
#
# **What you will have at the end:** a disentangled video VAE: *what* a clip shows in one code, *how it moves* in
# another, without a single label. You swap the motions of two clips, and a judge that knows no network scores the swap.
#
# | | |
# |---|---|
# | time | about 70 minutes |
# | difficulty | ★★★☆☆ |
# | before this | [latent diffusion and VAEs](../../phases/00_prerequisites/01_refresher.ipynb) in the refresher |
# | the clips | sprites: one large object, a camera that stands still, 2 seconds at 4 frames per second |
#
# | preset | clips `(T, H, W)` | your VAE trains for | your prior trains for | all cells take about |
# |---|---|---|---|---|
# | `ci` | (9, 32, 32) | 25 steps, small | 250 steps | 25 s |
# | `cpu` (default) | (9, 32, 32) | 600 steps | 3000 steps | 4 min |
# | `gpu` | (9, 32, 32) | 4000 steps | 6000 steps | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.ticker import LogLocator, NullLocator

from common import show
from common.course import check
from common.data.sprites.solo import NUM_FRAMES, SoloSprites, draw, recombine
from common.evaluation.sprite_swap import motion_words, swap_scores
from common.models.content_motion import (
    PRESETS,
    ContentMotion,
    ContentMotionVAE,
    EntangledVAE,
    changing_directions,
    swap_motion_entangled,
)
from common.models.content_motion import swap_motion as reference_swap
from common.progress import progress_bar
from common.runtime import device, limit_threads, preset
from common.training import Settings, muon

limit_threads()
plt.rcParams["figure.dpi"] = 75
SIZE = preset()
VAE_STEPS = {"ci": 25, "cpu": 600, "gpu": 4000}[SIZE]
PRIOR_STEPS = {"ci": 250, "cpu": 3000, "gpu": 6000}[SIZE]
NUM_PAIRS = {"ci": 24, "cpu": 128, "gpu": 512}[SIZE]
BLUE, RUST, GREY = "#1f6f8b", "#b3541e", "0.6"


def clips_of(scenes):
    """Scenes as clips `(B, 3, T, 32, 32)` in [-1, 1]."""
    return draw(scenes).clips()


# %% [markdown]
# ## Where you are heading
#
# Here are two clips that the model never saw, and each with the motion of the other. No one filmed the last two.

# %% tags=["demo"] draws="Two clips, and the same two with their motions swapped."
VAE = ContentMotionVAE.from_pretrained("sprites-content-motion").eval()
TEST = SoloSprites("test")
one, other = TEST.scenes([1, 7])
shown = {
    "one clip": clips_of([one]),
    "another": clips_of([other]),
    "the one, moving as the other": reference_swap(VAE, clips_of([one]), clips_of([other])),
    "the other, moving as the one": reference_swap(VAE, clips_of([other]), clips_of([one])),
}
beside = torch.cat(list(shown.values()), dim=4)[0]
display(show.player(beside, fps=4, width=256, max_bytes=22_000, caption=" | ".join(shown)))
show.strips({name: clip[0] for name, clip in shown.items()}, num_frames=NUM_FRAMES, width=52)

# %% [markdown]
# MoCoGAN (2017) had this idea for a GAN: *one* content code per clip, and a *sequence* of motion codes. In a VAE the
# same split is called a disentangled sequential autoencoder (2018).
#
# **A prediction.** The model trained on clips in which something *moves*. Now give it a clip in which nothing moves,
# and the motion of another. Will the still thing move, will a copy of it stay behind, or will nothing move at all?
# Write it down. The first picture after the swap shows it.

# %% [markdown] about="swap_motion" difficulty=1 importance=4 minutes=5
# ## Swapping motion codes
#
# Encode both clips, keep one's content and the other's motion, decode. Take the most likely codes, `mode()`: a draw
# would only add noise.

# %% exercise="swap_motion" from="common.models.content_motion:swap_motion"

# %% check="swap_motion"

# %% [markdown] hints="swap_motion"
# 1. Two encodings, one decoding. Which attribute of which encoding goes where?
# 2. `model.encode(clips)` has `.content` and `.motion`, each with `.mode()`; `model.decode(content, motion).sample` is
#    the clip.
# 3. `content = model.encode(content_of).content.mode()`, `motion = model.encode(motion_of).motion.mode()`, and `return
#    model.decode(content, motion).sample.clamp(-1, 1)`, under `@torch.no_grad()`.

# %% [markdown] troubles="swap_motion"
# - **The result has the wrong length.** The motion codes decide it. The two clips may differ in length.
# - **Two calls give different clips.** You draw from the codes. `mode()` is the same every time.

# %% [markdown]
# Now the prediction: clips in which nothing moves, moved by your swap. The training data had none.

# %% tags=["demo"] draws="A clip that stood still, told to move: does a copy stay behind?"
STILL = SoloSprites("test", motions=("still",))
motions = TEST.scenes(range(NUM_PAIRS, 2 * NUM_PAIRS))
standing = STILL.scenes(range(NUM_PAIRS // 2))
moving = motions[: len(standing)]
for name, (a, b) in {
    "a still clip, told to move": (standing, moving),
    "a moving clip, told to stand": (moving, standing),
}.items():
    row = swap_scores(swap_motion(VAE, clips_of(a), clips_of(b)), a, b)
    print(f"{name:30} content stays {row['content']:4.0%}, motion follows {row['motion']:4.0%}")
still, told = clips_of(standing[:1]), swap_motion(VAE, clips_of(standing[:1]), clips_of(moving[:1]))
show.strips({"a still clip": still[0], "told to move": told[0]}, num_frames=5, width=64)

# %% [markdown]
# **What to see.** The still thing moves, and leaves no copy behind: its place was in the motion codes, which were
# swapped.

# %% [markdown] about="SplitHeads" difficulty=2 importance=5 minutes=10
# ## Content and motion codes
#
# A small convolutional network looks at each frame by itself and gives a row of features $f_t$ for it. From these rows
# come two kinds of codes:
#
# $$ \text{content} = W_c \Bigl( \frac1T \sum_t f_t \Bigr) + b_c \qquad\qquad \text{motion}_t = W_m f_t + b_m . $$
#
# The mean is the whole trick on the left. It is the same for any order of the frames, so it cannot hold what the order
# says (left or right, up or down). On the right, a motion code knows its own frame and no other.
#
# | quantity | shape |
# |---|---|
# | `features`, $f_t$ | `(B, T, F)` |
# | moments of the content code: means, then log-variances | `(B, 2 Dc)` |
# | moments of the motion codes | `(B, 2 Dm, T)` |
#
# In the shipped model `F` = 128, `Dc` = 64, `Dm` = 4: a clip is 64 numbers, plus 4 per frame.

# %% exercise="SplitHeads" from="common.models.content_motion:SplitHeads" blank="forward"

# %% check="SplitHeads"

# %% [markdown] hints="SplitHeads"
# 1. `self.content` and `self.motion` are there. One of them gets a mean over an axis of the features, the other gets
#    the features as they are.
# 2. `features.mean(dim=1)` is `(B, F)`. A linear layer works on the last axis, so `self.motion(features)` is `(B, T, 2
#    Dm)`, whose last two axes must still be swapped.
# 3. `content = self.content(features.mean(dim=1))`, `motion = rearrange(self.motion(features), "b t d -> b d t")`, and
#    `return content, motion`.

# %% [markdown] troubles="SplitHeads"
# - **A longer clip gets a larger content.** That is a sum over frames. Take the mean.
# - **The content changes when the clip plays backwards.** You take the features of the first frame only.
# - **The motion has the right shape and wrong numbers.** `reshape` mixes numbers with frames. Swap the axes.

# %% [markdown]
# Your heads in the shipped model: its weights fit, because the layers have the same names. Any reader of the equation
# can predict this test. Play a clip backwards, and compare the codes.

# %% tags=["demo"] draws="The motion codes of one clip: steady growth gives steady lines."
heads = SplitHeads(VAE.config.hidden_size, VAE.config.content_dim, VAE.config.motion_dim)
heads.load_state_dict(VAE.heads.state_dict())
VAE.heads = heads
with torch.no_grad():
    clip = clips_of([one])
    forward, backward = VAE.encode(clip), VAE.encode(clip.flip(2))
content_moved = (forward.content.mode() - backward.content.mode()).abs().max()
motion_moved = (forward.motion.mode() - backward.motion.mode().flip(2)).abs().max()
print(
    f"played backwards: the content code moved by {content_moved:.0e}, "
    f"the motion codes, read backwards, by {motion_moved:.0e}"
)
figure, axis = plt.subplots(figsize=(7.2, 2.8), layout="constrained")
for path in forward.motion.mode()[0]:
    axis.plot(path, marker="o", markersize=4)
axis.set(xlabel="frame", ylabel="motion code")
axis.set_title("The motion codes of one clip, four numbers per frame", fontsize=10)
plt.show()

# %% [markdown] about="negative_elbo" difficulty=3 importance=5 minutes=15
# ## The negative ELBO
#
# The heads alone split nothing: colour *could* be written into every motion code. What keeps it out is its price. A VAE
# learns to describe a clip as cheaply as it can, in nats (1 nat is 1.44 bits):
#
# $$ -\text{ELBO} = \underbrace{\sum_{t, \text{pixels}} \frac{(\hat x - x)^2}{2 \sigma^2}}_{\text{pixels}}
# + \underbrace{\mathrm{KL}(q(c) \,\|\, \mathcal N(0, I))}_{\text{content, once}}
# + \underbrace{\sum_t \mathrm{KL}(q(m_t) \,\|\, \mathcal N(0, I))}_{\text{motion, in every frame}} $$
#
# Say the colour takes 3 bits. In the content code it costs 3. In the motion codes of nine frames it costs 27. What
# never changes is cheaper in the content code, and this pressure sorts the two.
#
# A step need not look at all frames: n frames drawn at random are enough, if what is summed over frames is multiplied
# by $T / n$. What is paid once is not.
#
# | quantity | shape |
# |---|---|
# | `restored`, `target` | `(B, 3, n, H, W)` |
# | `codes.content.kl()`, `codes.motion.kl()` | `(B,)` each, nats, summed over all numbers of the code |
# | each of the three costs | `(B,)`, nats per clip |

# %% exercise="negative_elbo" from="common.models.content_motion:negative_elbo"

# %% check="negative_elbo"

# %% [markdown] hints="negative_elbo"
# 1. Three numbers per clip. `kl()` already sums over everything but the batch, so two of them are nearly there; ask of
#    each whether it grows with the number of frames that you look at.
# 2. `n = target.shape[2]`, and `num_frames / n` is how many frames of the clip each of them stands for. The squared
#    error is summed over all axes but the first: `.flatten(1).sum(dim=1)`.
# 3. `share = num_frames / target.shape[2]`; `pixels = share * squares / (2 * pixel_std**2)`; `content =
#    codes.content.kl()`; `motion = share * codes.motion.kl()`. Return them in a dictionary by these names.

# %% [markdown] troubles="negative_elbo"
# - **The codes collapse to nothing.** That is a *mean* of squared errors, about three thousand times too small per
#   frame. Take the sum.
# - **The content cost changes with the number of frames I look at.** It is paid once. Leave $T/n$ out.
# - **The pixel cost is off by a constant factor.** Check the 2, and the square of $\sigma$.

# %% [markdown]
# Here is your price list, for the shipped model on 32 test clips. Then the parts are yours: a fresh model, trained on
# fresh clips. Each step draws four frames of each clip, in random order. (The shipped weights come from the same loop,
# run longer.)

# %% tags=["demo"] draws="What the shipped model pays for pixels, content and motion."
some = TEST.scenes(range(32))
clips = clips_of(some)
with torch.no_grad():
    codes = VAE.encode(clips)
    generator = torch.Generator().manual_seed(0)
    restored = VAE.decode(codes.content.sample(generator), codes.motion.sample(generator)).sample
prices = negative_elbo(restored, clips, codes, num_frames=NUM_FRAMES)
costs = {name: cost.mean().item() for name, cost in prices.items()}
print(f"{'pixels':9}{costs['pixels']:7.0f} nats per clip")
print(f"{'content':9}{costs['content']:7.0f} nats per clip, paid once")
print(f"{'motion':9}{costs['motion']:7.0f} nats per clip, {costs['motion'] / NUM_FRAMES:.1f} per frame")

# %%
torch.manual_seed(0)
mine = ContentMotionVAE(**PRESETS[SIZE]).to(device())
mine.heads = SplitHeads(mine.config.hidden_size, mine.config.content_dim, mine.config.motion_dim).to(device())
mine.init_weights()
settings = Settings(steps=VAE_STEPS, batch_size=16, learning_rate=5e-3, betas=(0.9, 0.95), weight_decay=0.01)
ends = ("encoder.layers.0", "heads", "pose", "code_in", "picture_out", "prior")  # Adam; the rest: Muon
optimizer = muon(mine, settings, ends=ends)
history = []
for step in progress_bar(range(VAE_STEPS), desc="your VAE", unit="step"):
    clips = SoloSprites().batch(range(16 * step, 16 * step + 16)).clips().to(device())
    frames = clips[:, :, torch.randperm(NUM_FRAMES)[:4]]
    codes = mine.encode(frames)
    restored = mine.decode(codes.content.sample(), codes.motion.sample()).sample
    costs = negative_elbo(restored, frames, codes, num_frames=NUM_FRAMES)
    loss = sum(cost.mean() for cost in costs.values())
    (loss / clips[0].numel()).backward()
    torch.nn.utils.clip_grad_norm_(mine.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    history.append([cost.mean().item() for cost in costs.values()])
history = np.array(history)
first, last = history[:5, 0].mean() / 1e3, history[-5:, 0].mean() / 1e3
print(f"pixels: {first:.0f} thousand nats per clip at first, {last:.0f} thousand at last")

# %% tags=["demo"] draws="The three costs, step by step, and what your VAE makes of a new clip."
figure, axes = plt.subplots(1, 3, figsize=(9.2, 2.6), layout="constrained")
for axis, name, values in zip(axes, ("pixels", "content, once", "motion, all frames"), history.T):
    axis.plot(values, color=BLUE)
    axis.set(xlabel="step", yscale="log")
    axis.set_title(name, fontsize=10)
    axis.yaxis.set(major_locator=LogLocator(subs=(1, 2, 3, 5)), minor_locator=NullLocator(), major_formatter="{x:,g}")
axes[0].set_ylabel("nats per clip")
plt.show()
a, b = clips_of([one]).to(device()), clips_of([other]).to(device())
with torch.no_grad():
    restored = mine(a).sample.clamp(-1, 1)
rows = {"one clip": a, f"restored, after {VAE_STEPS} steps": restored, "moving as the other": swap_motion(mine, a, b)}
show.strips({name: clip[0].cpu() for name, clip in rows.items()}, num_frames=5, width=64)

# %% [markdown]
# **What to see.** The codes are cheap at first, because they say nothing. A VAE buys bits when they save more than they
# cost, in the order of what they save. The colour of the ground comes first, then where the thing is and its colour.
# (At `ci` there is hardly more than a disc in the middle.) The pattern comes next and the outline last. The shipped
# weights had seven times as many steps as `cpu`.

# %% [markdown] about="mixture_log_prob" difficulty=3 importance=4 minutes=10
# ## A mixture density for the next motion code
#
# A swap borrows its motion. To make *new* motions we need to know which sequences of motion codes are probable. One
# normal distribution will not do: after the first frame a thing may go left or right, and the middle of the two is
# standing still. A **mixture** of K normals can say "left or right":
#
# $$ \log p(z_t) = \log \sum_k \pi_k \prod_d \mathcal N(z_{td};\, \mu_{kd}, \sigma_{kd}) $$
#
# $$ \log \mathcal N(z; \mu, \sigma) = -\tfrac12 \Bigl(\frac{z - \mu}{\sigma}\Bigr)^2 - \log \sigma
# - \tfrac12 \log 2\pi $$
#
# | quantity | shape |
# |---|---|
# | `mixture.logits`: $\pi$ is their softmax | `(B, T, K)` |
# | `mixture.mean`, `mixture.log_std` | `(B, T, K, D)` |
# | `motion` | `(B, D, T)` |

# %% exercise="mixture_log_prob" from="common.models.motion_prior:mixture_log_prob"

# %% check="mixture_log_prob"

# %% [markdown] hints="mixture_log_prob"
# 1. Bring `motion` to `(B, T, 1, D)`, so that it meets the K components. Then it is the logarithm of a normal density,
#    a sum over D, and a sum of probabilities over K.
# 2. `log_softmax(dim=-1)` of the logits are the logarithms of the shares. Add them to the components' log-densities
#    `(B, T, K)`, and `torch.logsumexp(…, dim=-1)` does the rest.
# 3. `each = -0.5 * ((z - mean) / log_std.exp())**2 - log_std - 0.5 * log(2 π)`, then `logsumexp(logits.log_softmax(-1)
#    + each.sum(-1), dim=-1)`.

# %% [markdown] troubles="mixture_log_prob"
# - **It is right for K = 1 and wrong for more.** Sum over the numbers of a code *before* the mixture: one component
#   explains a whole code. And logits are not log-probabilities yet.
# - **It is -inf for a code far from all components.** `log(sum(exp(x)))` underflows. `torch.logsumexp` does not.

# %% [markdown] about="MotionPrior" difficulty=4 importance=5 minutes=20
# ## The autoregressive motion prior
#
# A sequence is as probable as its frames, each given the frames *before* it:
#
# $$ p(z_1, \dots, z_T) = \prod_t p(z_t \mid z_1, \dots, z_{t-1}). $$
#
# A GRU reads the codes, and its state after $t - 1$ codes gives the mixture of the $t$-th. So its input is the codes
# **shifted by one frame**: `self.start`, a learned vector, at frame 0, and the code of frame $t - 1$ at frame $t$. All
# inputs are known in training, so one call does all frames (*teacher forcing*).
#
# `sample` runs the same network frame by frame: draw a code, feed it back, keep the state. `self.read_out(states,
# before)` is given: a mixture for each state, whose means are steps away from the code before.
#
# | quantity | shape |
# |---|---|
# | what the GRU reads | `(B, T, D)`: start, $z_0$, …, $z_{T-2}$ |
# | `mixture.sample(generator)` | `(B, D, T)` |
# | `sample(num_clips, num_frames, generator)` | `(B, D, T)` |

# %% exercise="MotionPrior" from="common.models.motion_prior:MotionPrior" blank="forward,sample"

# %% check="MotionPrior"

# %% [markdown] hints="MotionPrior"
# 1. `forward`: bring `motion` to `(B, T, D)`, put `self.start` in front, leave the last frame out, run `self.rnn`, read
#    out. `sample`: a loop over the frames with two things that it carries, the last code and the state.
# 2. `before = torch.cat([self.start.expand(B, 1, -1), z[:, :-1]], dim=1)`; `states, _ = self.rnn(before)`;
#    `self.read_out(states, before)`. In the loop `out, state = self.rnn(code, state)` with `code` of shape `(B, 1, D)`
#    and `state` None at first.
# 3. In the loop: `drawn = self.read_out(out, code).sample(generator)` is `(B, D, 1)`; append it, and give it back as
#    `code = rearrange(drawn, "b d t -> b t d")`. At the end `torch.cat(codes, dim=2)`.

# %% [markdown] troubles="MotionPrior"
# - **The likelihood is splendid and the samples are worthless.** Without the shift the network sees its own target.
# - **Frame 0 changes when the last frame changes.** `roll` brings it around. Put `self.start` in front.
# - **The sampled motion forgets where it was going.** The state starts anew in each frame. Carry it along.
# - **Every sample is the same.** You feed back the mean. Draw a code.

# %% [markdown]
# ## New motions
#
# Train your prior on the motion codes of the shipped VAE, which stays fixed. (Were the prior part of the VAE's price, a
# code that stands still would cost nearly nothing from the second frame on, and shape and colour could move into it.)


# %%
def motion_codes(indices, split="train"):
    """The motion codes of clips, `(B, Dm, T)`."""
    with torch.no_grad():
        return VAE.encode(SoloSprites(split).batch(indices).clips()).motion.mode()


def train_prior(codes, steps=PRIOR_STEPS, num_components=8, seed=0):
    """A fresh prior of yours, trained on codes `(N, D, T)`."""
    torch.manual_seed(seed)
    prior = MotionPrior(codes.shape[1], {"ci": 64}.get(SIZE, 128), num_components)
    optimizer = torch.optim.AdamW(prior.parameters(), lr=5e-3)
    for _ in progress_bar(range(steps), desc="your prior", unit="step"):
        batch = codes[torch.randint(len(codes), (64,))]
        loss = -mixture_log_prob(prior(batch), batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return prior


# %% tags=["demo"] draws="How surprising each frame is: watch the third."
known = torch.cat([motion_codes(range(k, k + 64)) for k in range(0, {"ci": 256}.get(SIZE, 4096), 64)])
unknown = motion_codes(range({"ci": 128}.get(SIZE, 256)), "test")
prior = train_prior(known)
with torch.no_grad():
    nats = -mixture_log_prob(prior(unknown), unknown).mean(dim=0)  # (T,): of each frame
    spread = unknown.mean(dim=(0, 2)), unknown.std(dim=(0, 2))
    blind = -torch.distributions.Normal(*spread).log_prob(unknown.movedim(1, 2)).sum(-1).mean(dim=0)
figure, axis = plt.subplots(figsize=(7.2, 2.9), layout="constrained")
axis.plot(blind, color=GREY, linestyle=":", marker="o", label="each frame by itself")
axis.plot(nats, color=BLUE, marker="o", label="your prior")
axis.set(xlabel="frame", ylabel="nats per frame")
axis.set_title("How surprising is a frame's motion code? Lower is less; test clips", fontsize=10)
axis.legend(fontsize=9, loc="center right")
plt.show()

# %% [markdown]
# **What to see.** The first frame may be anywhere. The second is near the first, but its direction is new. From the
# third on the network has seen which way things go, and little is left to say.
#
# Now the content of one clip, with motions that no one made: drawn from your prior, and, as a **negative control**,
# with each frame's code drawn by itself. The world's reader looks for a word for each motion.

# %% tags=["demo"] draws="New motions: with your prior things keep going, without it they jump."
generator = torch.Generator().manual_seed(5)
noise = torch.randn(NUM_PAIRS, NUM_FRAMES, len(spread[0]), generator=generator)
ways = {
    "each frame by itself": (spread[0] + spread[1] * noise).movedim(1, 2),
    "your prior": prior.sample(NUM_PAIRS, NUM_FRAMES, generator),
}
with torch.no_grad():
    contents = VAE.encode(clips_of(TEST.scenes(range(NUM_PAIRS)))).content.mode()
    drawn = {name: VAE.decode(contents, motion).sample.clamp(-1, 1) for name, motion in ways.items()}
for name, made in drawn.items():
    words = [word for word in motion_words(made) if word]
    counts = {word: words.count(word) for word in sorted(set(words), key=words.count, reverse=True)}
    told = ", ".join(f"{n} {word}" for word, n in counts.items())
    print(f"{name:22}{len(words) / NUM_PAIRS:5.0%} have a word: {told}")
rows = {f"{name}, {k + 1}": drawn[name][k] for name in drawn for k in range(2)}
display(
    show.player(torch.cat(list(rows.values()), dim=3), fps=4, width=256, max_bytes=22_000, caption=" | ".join(rows))
)
show.strips(rows, num_frames=NUM_FRAMES, width=48)

# %% [markdown]
# **What to see.** From your prior a thing goes on as it began, though some paths turn or tremble on the way, more of
# them after fewer steps. Drawn frame by frame it jumps about.
#
# ## The result to remember
#
# Pairs of test clips: one gives the content, one the motion. The **reader** measures pixels to name shape, colour,
# background and motion in what comes out.
#
# - **the truth**: the swap as the world itself draws it. What is missing to 100 % is the reader's own error;
# - **the split**: your `swap_motion` with the shipped weights;
# - **entangled**: as many weights and steps, but one code per frame without a split. A swap takes the directions in
#   which its codes change over time (Fisher's discriminant), as many as work best on these very pairs;
# - **baseline**: the clip that gives the content, unchanged.

# %% tags=["demo"] draws="Swaps, scored: compare the split with the entangled code, then look."
ENTANGLED = EntangledVAE.from_pretrained("sprites-entangled").eval()
contents, motions = TEST.scenes(range(NUM_PAIRS)), TEST.scenes(range(NUM_PAIRS, 2 * NUM_PAIRS))
first, second = clips_of(contents), clips_of(motions)
with torch.no_grad():
    batches = [SoloSprites().batch(range(k, k + 64)).clips() for k in (0, 64, 128)]
    trained_on = torch.cat([ENTANGLED.encode(batch).mode() for batch in batches])
by_count = {}
for count in {"ci": (8, 40, 64)}.get(SIZE, (2, 8, 16, 32, 40, 48, 56, 64)):
    swapped = swap_motion_entangled(ENTANGLED, first, second, changing_directions(trained_on, count))
    by_count[count] = swapped, swap_scores(swapped, contents, motions)
best = max(by_count, key=lambda count: sum(by_count[count][1][what] for what in ("both", "content", "motion")))
results = {
    "the truth": clips_of([recombine(*pair) for pair in zip(contents, motions)]),
    "the split": swap_motion(VAE, first, second),
    f"entangled, {best} directions": by_count[best][0],
    "baseline: unchanged": first,
}
table = {name: swap_scores(made, contents, motions) for name, made in results.items()}
COLUMNS = ("shape", "color", "background", "content", "motion", "both")
print(f"{NUM_PAIRS} swaps".ljust(26) + "".join(f"{title:>12}" for title in COLUMNS) + f"{'PSNR':>12}")
for name, row in table.items():
    psnr = "" if name == "the truth" else f"{row['psnr']:9.1f} dB"
    print(f"{name:26}" + "".join(f"{row[measure]:12.0%}" for measure in COLUMNS) + psnr)
print("content: shape, both colours and background, and one object only; motion: that of the other clip")

k = next((k for k, (a, b) in enumerate(zip(contents, motions)) if a.objects[0].motion != b.objects[0].motion), 0)
rows = {"gives the content": first[k], "gives the motion": second[k]} | {n: made[k] for n, made in results.items()}
del rows["baseline: unchanged"]  # it is the first row
show.strips(rows, num_frames=5, width=64)

# %% [markdown]
# **What to see.** With the split, what is shown stays and the motion follows. Without it there is no good place to cut:
# few directions carry too little of the motion, many carry the content along.
#
# ## Try it
#
# Any two clips by number, any length. With these two the end goes wrong: in 9 frames of training nothing could grow so
# large, so no code says it.

# %%
CONTENT, MOTION, LENGTH = 12, 31, 14

content_of = clips_of(TEST.scenes([CONTENT]))
longer = draw(TEST.scenes([MOTION]), num_frames=LENGTH).clips()
swapped = swap_motion(VAE, content_of, longer)
rows = {"content": content_of[0], "motion": longer[0], "swapped": swapped[0]}
show.strips(rows, num_frames=LENGTH // 2, width=64)

# %% [markdown] tags=["folded"]
# ## Going further: where to cut, what each code knows, what lies between
#
# **Where should one cut an entangled code?** It restores clips, so it holds everything. It holds it mixed.

# %% tags=["demo"] draws="Content and motion by the number of swapped directions; dashed: the split."
with torch.no_grad():
    whole = swap_scores(ENTANGLED(first).sample.clamp(-1, 1), contents, contents)
print(f"the entangled one, when it only restores: content {whole['content']:.0%}, motion {whole['motion']:.0%}")
figure, axis = plt.subplots(figsize=(7.2, 2.9), layout="constrained")
for what, color, begin in (("content", BLUE, 0), ("motion", RUST, 4)):
    axis.axhline(100 * table["the split"][what], color=color, linestyle=(begin, (4, 4)), linewidth=1.5)
    axis.plot(list(by_count), [100 * row[what] for _, row in by_count.values()], color=color, marker="o", label=what)
axis.set(xlabel="directions taken from the other clip, of 68", ylabel="swaps that are right, %", ylim=(-5, 105))
axis.set_title("Dashed: both, with the split", fontsize=10)
axis.legend(fontsize=9, ncols=2, loc="center", bbox_to_anchor=(0.35, 0.72))
plt.show()

# %% [markdown]
# **What does each code know?** A linear classifier learns to read each attribute off one of the codes, from 256 clips,
# and is tested on 128 others. Neither code is pure: a content code averages features that see places, and motion codes
# betray something of the shape. A swap hardly suffers. Codes that *reveal nothing* about each other are a stronger wish
# than codes that can be *swapped*.


# %% tags=["demo"] draws="Accuracy of a linear reader on each of the two codes."
def attributes(scene):
    item = scene.objects[0]
    found = {"shape": item.shape, "colour": item.color, "background": scene.background}
    return found | {"its colour": scene.background_color, "motion": item.motion}


def read_linearly(codes, words, num_fit=256):
    """Accuracy, on the clips after the first `num_fit`, of ridge regression onto the words."""
    names = sorted(set(words))
    target = torch.tensor([[word == name for name in names] for word in words]).float()
    codes = (codes - codes[:num_fit].mean(0)) / codes[:num_fit].std(0).clamp(min=1e-3)
    codes = torch.cat([codes, torch.ones(len(codes), 1)], dim=1)
    fit = codes[:num_fit]
    weights = torch.linalg.solve(fit.T @ fit + 3.0 * torch.eye(fit.shape[1]), fit.T @ target[:num_fit])
    return ((codes[num_fit:] @ weights).argmax(1) == target[num_fit:].argmax(1)).float().mean().item()


scenes = TEST.scenes(range(1000, 1384))
with torch.no_grad():
    parts = [VAE.encode(clips_of(scenes[k : k + 64])) for k in range(0, len(scenes), 64)]
content = torch.cat([part.content.mode() for part in parts])
motion = torch.cat([part.motion.mode() for part in parts]).flatten(1)  # (N, Dm T)
words = [attributes(scene) for scene in scenes]
print(f"{'read off':20}" + "".join(f"{name:>13}" for name in words[0]))
for name, codes in {"the content code": content, "the motion codes": motion}.items():
    print(f"{name:20}" + "".join(f"{read_linearly(codes, [row[what] for row in words]):13.0%}" for what in words[0]))
counts = {what: [row[what] for row in words] for what in words[0]}
most = [max(map(column.count, set(column))) / len(column) for column in counts.values()]
print(f"{'the commonest word':20}" + "".join(f"{share:13.0%}" for share in most))

# %% [markdown]
# **What lies between two codes?** First from one *content* to another on the same motion, then from one *motion* to
# another with the same content. A VAE promises that codes near each other decode alike. It does not promise that there
# is a shape halfway between a star and a triangle.

# %% tags=["demo"] draws="Four contents on one motion, then four motions of one content."
a, b = VAE.encode(clips_of([one])), VAE.encode(clips_of([other]))
contents, motions = {}, {}
with torch.no_grad():
    for part in (0.0, 0.33, 0.67, 1.0):
        code = torch.lerp(a.content.mode(), b.content.mode(), part)
        contents[f"content: {part:.0%} of the other"] = VAE.decode(code, a.motion.mode()).sample[0].clamp(-1, 1)
    for part in (0.0, 0.33, 0.67, 1.0):
        code = torch.lerp(a.motion.mode(), b.motion.mode(), part)
        motions[f"motion: {part:.0%} of the other"] = VAE.decode(a.content.mode(), code).sample[0].clamp(-1, 1)
display(show.strips(contents, num_frames=3, width=48))
show.strips(motions, num_frames=5, width=48)

# %% [markdown]
# **An ablation to run.** How many components does the prior's mixture need? With one it must put the middle between
# left and right. Guess what that does to the nats per frame and to the words, then run the cell and change
# `COMPONENTS`.

# %%
COMPONENTS = (1, 8)

contents = VAE.encode(first).content.mode().detach()
for count in COMPONENTS:
    tried = prior if count == 8 else train_prior(known, num_components=count)  # yours has 8
    with torch.no_grad():
        nats = -mixture_log_prob(tried(unknown), unknown).mean().item()
        new = tried.sample(len(contents), NUM_FRAMES, torch.Generator().manual_seed(1))
        words = [word for word in motion_words(VAE.decode(contents, new).sample.clamp(-1, 1)) if word]
    print(f"K = {count}: {nats:6.2f} nats per frame, {len(words) / len(new):4.0%} of drawn motions have a word")

# %% [markdown]
# ## Honest limits
#
# - One large object, a camera that stands still. With two objects a motion code would have to say whose motion it is.
# - Nothing *proves* that such a split is found: without a label or a bias no method can promise it (Locatello et al.
#   2018). The biases here are the mean over frames, the price of a bit, the narrow motion code and the decoder.
# - Train on still clips as well, and expect it to break: what never moves is cheaper as *content*.
# - The world is drawn. MoCoGAN did faces and walking people, at 64 × 64, but for such clips there is no reader.
#
# ## Yours now
#
# All five parts are the library's, and now yours. `flipbook train sprites-content-motion --mine` trains such a VAE on
# what you wrote, and `--stage prior --mine` its prior. The idea came back inside diffusion: AnimateDiff adds motion
# modules to an image model, and CMD (2024) codes a clip as one content *picture* and a motion latent.
#
# **Next:** phase 3, where the content is a picture that you give. **To read:** *MoCoGAN* (Tulyakov et al. 2018,
# arXiv:1707.04993); *Disentangled sequential autoencoder* (Li, Mandt 2018, arXiv:1803.02991); *Challenging common
# assumptions in the unsupervised learning of disentangled representations* (Locatello et al. 2018, arXiv:1811.12359);
# *World models* (Ha, Schmidhuber 2018, arXiv:1803.10122), for the mixture; *CMD* (Yu et al. 2024, arXiv:2403.14148).
