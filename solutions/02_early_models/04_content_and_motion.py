# %% [markdown]
# # Lab 02.4 · Content and motion apart
#
# **What you will have at the end:** a small autoencoder that holds *what* a clip shows in one code and *how it moves*
# in another, without ever having been told what either is; you exchange the motions of two clips, and a judge that
# knows no network says whether the swap did what it should.
#
# | | |
# |---|---|
# | time | about 70 minutes |
# | difficulty | ★★★☆☆ |
# | before this | [latent diffusion and VAEs](../../phases/00_prerequisites/01_refresher.ipynb) in the refresher |
# | the clips | sprites: one large object before a camera that stands still, 2 seconds at 4 frames a second |
#
# The whole notebook runs at one of three sizes. `cpu` is yours unless you set `FLIPBOOK_PRESET`.
#
# | preset | clips `(T, H, W)` | your VAE trains for | your prior trains for | all cells take about |
# |---|---|---|---|---|
# | `ci` | (9, 32, 32) | 25 steps, small | 250 steps | 25 s |
# | `cpu` | (9, 32, 32) | 600 steps | 3000 steps | 4 min |
# | `gpu` | (9, 32, 32) | 4000 steps | 6000 steps | not measured |

# %% tags=["setup"]
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.ticker import LogLocator, NullLocator
from tqdm import tqdm

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
from common.runtime import device, limit_threads, preset
from common.training import Settings, muon

limit_threads()
plt.rcParams["figure.dpi"] = 85
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
# Two clips that the model never saw, and each with the motion of the other. The autoencoder was trained on clips alone:
# no word for a shape, a colour or a motion ever reached it.

# %% tags=["demo"]
VAE = ContentMotionVAE.from_pretrained("sprites-content-motion").eval()
TEST = SoloSprites("test")
one, other = TEST.scenes([1, 7])
shown = {
    "one clip": clips_of([one]),
    "another": clips_of([other]),
    "the one, moving as the other": reference_swap(VAE, clips_of([one]), clips_of([other])),
    "the other, moving as the one": reference_swap(VAE, clips_of([other]), clips_of([one])),
}
show.strips({name: clip[0] for name, clip in shown.items()}, num_frames=NUM_FRAMES, width=64)

# %% [markdown]
# **What to see.** In the last two rows the background, the shape and its colour are those of one clip, and the path is
# that of the other, frame by frame. Nobody filmed these two. (Look closely, and the round dots have become squarish: a
# small decoder draws small things roughly.)
#
# MoCoGAN (2017) had this idea for a GAN: draw *one* content code for a clip and a *sequence* of motion codes, and let
# the generator see both at every frame. The same split in a VAE has a name, the disentangled sequential autoencoder
# (2018), and it trains by likelihood, which is what we do.
#
# **Before you read on, a prediction.** The model was trained on clips in which something *moves*. Now give it a clip in
# which nothing moves, and the motion of another. Will the still thing start to move, will a copy of it stay behind on
# the background, or will nothing move at all? Write it down; the signature result measures it.

# %% [markdown] about="SplitHeads" difficulty=2 importance=5 minutes=10
# ## The split
#
# A small convolutional network has looked at each frame by itself and says a row of features for it. From these rows
# come two kinds of codes:
#
# $$ \text{content} = W_c \Bigl( \frac1T \sum_t f_t \Bigr) + b_c \qquad\qquad \text{motion}_t = W_m f_t + b_m . $$
#
# The mean is the whole trick on the left side. It is the same for any order of the frames, so whatever the order says
# (left or right, up or down) is not in it. On the right side, a motion code knows its own frame and no other.
#
# | quantity | shape |
# |---|---|
# | `features`, $f_t$ | `(B, T, F)` |
# | moments of the content code: means, then log-variances | `(B, 2 Dc)` |
# | moments of the motion codes | `(B, 2 Dm, T)` |
#
# In the shipped model `F` = 128, `Dc` = 64, `Dm` = 4: a clip is 64 numbers, and 4 more for every frame.
#
# **Usual mistakes.** A sum in place of the mean: a longer clip gets a larger content. Taking the features of the first
# frame: then the content knows where the thing started. `reshape` in place of an exchange of axes, which has the right
# shape and mixes numbers with frames.

# %% exercise="SplitHeads" from="common.models.content_motion:SplitHeads" blank="forward"

# %% check="SplitHeads"

# %% [markdown] hints="SplitHeads"
# 1. `self.content` and `self.motion` are there. One of them gets a mean over an axis of the features, the other gets
#    the features as they are.
# 2. `features.mean(dim=1)` is `(B, F)`. A linear layer works on the last axis, so `self.motion(features)` is
#    `(B, T, 2 Dm)`, whose last two axes still have to change places.
# 3. `content = self.content(features.mean(dim=1))`, `motion = rearrange(self.motion(features), "b t d -> b d t")`, and
#    `return content, motion`.

# %% [markdown]
# Your heads in the shipped model: its weights fit into your class, because the layers have the same names. Then a test
# that any reader of the equation can predict: play a clip backwards, and compare the codes.

# %% tags=["demo"]
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
axis.set_title("The motion codes of one clip, four numbers a frame: steady growth is steady lines", fontsize=10)
plt.show()

# %% [markdown] about="negative_elbo" difficulty=3 importance=5 minutes=15
# ## What a bit costs
#
# The heads alone split nothing: colour *could* be written into every motion code. What keeps it out is its price. A VAE
# is trained to describe a clip as cheaply as it can, in nats (1 nat is 1.44 bits):
#
# $$ -\text{ELBO} = \underbrace{\sum_{t, \text{pixels}} \frac{(\hat x - x)^2}{2 \sigma^2}}_{\text{pixels}}
# + \underbrace{\mathrm{KL}(q(c) \,\|\, \mathcal N(0, I))}_{\text{content, once}}
# + \underbrace{\sum_t \mathrm{KL}(q(m_t) \,\|\, \mathcal N(0, I))}_{\text{motion, in every frame}} $$
#
# Say the colour takes 3 bits. In the content code it costs 3; in the motion codes of nine frames it costs 27. What
# never changes is cheaper in the content code, and that is the pressure which sorts the two.
#
# We need not look at all frames in every step: n frames drawn at random are enough, if what is summed over frames is
# multiplied by $T / n$. What is paid once is not.
#
# | quantity | shape |
# |---|---|
# | `restored`, `target` | `(B, 3, n, H, W)` |
# | `codes.content.kl()`, `codes.motion.kl()` | `(B,)` each, nats, summed over all numbers of the code |
# | each of the three costs | `(B,)`, nats a clip |
#
# **Usual mistakes.** The *mean* of the squared errors in place of the sum: the pixels then weigh three thousand times
# too little a frame, and the codes collapse to nothing. Multiplying the content's price by $T/n$ too. Forgetting the 2,
# or the square of $\sigma$.

# %% exercise="negative_elbo" from="common.models.content_motion:negative_elbo"

# %% check="negative_elbo"

# %% [markdown] hints="negative_elbo"
# 1. Three numbers a clip. `kl()` already sums over everything but the batch, so two of them are nearly there; ask of
#    each whether it grows with the number of frames that you look at.
# 2. `n = target.shape[2]`, and `num_frames / n` is how many frames of the clip each of them stands for. The squared
#    error is summed over all axes but the first: `.flatten(1).sum(dim=1)`.
# 3. `share = num_frames / target.shape[2]`; `pixels = share * squares / (2 * pixel_std**2)`; `content =
#    codes.content.kl()`; `motion = share * codes.motion.kl()`. Return them in a dictionary by these names.

# %% [markdown]
# Your price list, for the shipped model on 32 test clips:

# %% tags=["demo"]
some = TEST.scenes(range(32))
clips = clips_of(some)
with torch.no_grad():
    codes = VAE.encode(clips)
    generator = torch.Generator().manual_seed(0)
    restored = VAE.decode(codes.content.sample(generator), codes.motion.sample(generator)).sample
    costs = {name: cost.mean().item() for name, cost in
             negative_elbo(restored, clips, codes, num_frames=NUM_FRAMES).items()}  # fmt: skip
print(f"{'pixels':9}{costs['pixels']:7.0f} nats a clip")
print(f"{'content':9}{costs['content']:7.0f} nats a clip, paid once")
print(
    f"{'motion':9}{costs['motion']:7.0f} nats a clip: {costs['motion'] / NUM_FRAMES:.1f} in each of {NUM_FRAMES} frames"
)

# %% [markdown] about="swap_motion" difficulty=1 importance=4 minutes=5
# ## The swap
#
# Encode both clips, keep one's content and the other's motion, decode. Take the most likely codes, `mode()`: a draw
# would add noise for nothing. The two clips may differ in length; the motion says how long the result is.
#
# | quantity | shape |
# |---|---|
# | `content_of` | `(B, 3, T, H, W)` |
# | `motion_of` | `(B, 3, T', H, W)` |
# | result | `(B, 3, T', H, W)`, held in [-1, 1], without a gradient |

# %% exercise="swap_motion" from="common.models.content_motion:swap_motion"

# %% check="swap_motion"

# %% [markdown] hints="swap_motion"
# 1. Two encodings, one decoding. Which attribute of which encoding goes where?
# 2. `model.encode(clips)` has `.content` and `.motion`, each with `.mode()`; `model.decode(content, motion).sample` is
#    the clip.
# 3. `content = model.encode(content_of).content.mode()`, `motion = model.encode(motion_of).motion.mode()`, and `return
#    model.decode(content, motion).sample.clamp(-1, 1)`, under `@torch.no_grad()`.

# %% [markdown]
# ## Train it yourself
#
# Now the parts are yours: the split and its price, in a fresh model, on fresh clips. Each step draws four frames of
# each clip, in random order. (The shipped weights come from the same loop, longer: `flipbook train
# sprites-content-motion`.)

# %% tags=["demo"]
torch.manual_seed(0)
mine = ContentMotionVAE(**PRESETS[SIZE]).to(device())
mine.heads = SplitHeads(mine.config.hidden_size, mine.config.content_dim, mine.config.motion_dim).to(device())
mine.init_weights()
settings = Settings(steps=VAE_STEPS, batch_size=16, learning_rate=5e-3, betas=(0.9, 0.95), weight_decay=0.01)
ends = ("encoder.layers.0", "heads", "pose", "code_in", "picture_out", "prior")  # Adam; the rest: Muon
optimizer = muon(mine, settings, ends=ends)
history = []
for step in tqdm(range(VAE_STEPS), desc="your VAE", unit="step"):
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
print(
    f"pixels: {history[:5, 0].mean() / 1e3:.0f} thousand nats a clip at first, "
    f"{history[-5:, 0].mean() / 1e3:.0f} thousand at last"
)

# %% tags=["demo"]
figure, axes = plt.subplots(1, 3, figsize=(9.2, 2.6), layout="constrained")
for axis, name, values in zip(axes, ("pixels", "content, once", "motion, all frames"), history.T):
    axis.plot(values, color=BLUE)
    axis.set(xlabel="step", yscale="log")
    axis.set_title(name, fontsize=10)
    axis.yaxis.set(major_locator=LogLocator(subs=(1, 2, 3, 5)), minor_locator=NullLocator(), major_formatter="{x:,g}")
axes[0].set_ylabel("nats a clip")
plt.show()

# %% [markdown]
# **What to see.** The codes are cheap at first, because they say nothing. As the pixels fall, the codes have to be paid
# for: a VAE buys bits when they save more than they cost. (At `ci` only the content has begun to.)
#
# And what does yours make of a clip it never saw, and of a swap?

# %% tags=["demo"]
a, b = clips_of([one]).to(device()), clips_of([other]).to(device())
with torch.no_grad():
    restored = mine(a).sample.clamp(-1, 1)
rows = {"one clip": a, f"restored, after {VAE_STEPS} steps": restored, "moving as the other": swap_motion(mine, a, b)}
show.strips({name: clip[0].cpu() for name, clip in rows.items()}, num_frames=5, width=64)

# %% [markdown]
# **What to see.** The bits are bought in the order of what they save. The colour of the ground comes first, then where
# the thing is and its colour. At `ci` there is neither yet: a disc in the middle, where every thing begins. Where `cpu`
# stops, the motion follows a swap already, and a star on dots is a blob on a plain ground. The pattern comes next and
# the outline last; the shipped weights had seven times as many steps.

# %% [markdown] about="mixture_log_prob" difficulty=3 importance=4 minutes=10
# ## What motion comes next: a mixture
#
# A swap borrows its motion. To make *new* motions we need to know which sequences of motion codes are probable. MoCoGAN
# lets a recurrent network turn noise into motion codes; we let it say how probable each next code is. One normal
# distribution will not do: after the first frame a thing may go left or right, and the middle of the two is standing
# still. A **mixture** of K normals can say "left or right":
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
# | result | `(B, T)`, nats |
#
# **Usual mistakes.** The numbers of a code are summed *before* the mixture (a component explains a whole code), not
# after it. Logits are no log-probabilities yet. And `log(sum(exp(x)))` is $-\infty$ where a code lies far from all
# components; `torch.logsumexp` is not.

# %% exercise="mixture_log_prob" from="common.models.motion_prior:mixture_log_prob"

# %% check="mixture_log_prob"

# %% [markdown] hints="mixture_log_prob"
# 1. Bring `motion` to `(B, T, 1, D)`, so that it meets the K components. Then it is the logarithm of a normal density,
#    a sum over D, and a sum of probabilities over K.
# 2. `log_softmax(dim=-1)` of the logits are the logarithms of the shares. Add them to the components' log-densities
#    `(B, T, K)`, and `torch.logsumexp(…, dim=-1)` does the rest.
# 3. `each = -0.5 * ((z - mean) / log_std.exp())**2 - log_std - 0.5 * log(2 π)`, then `logsumexp(logits.log_softmax(-1)
#    + each.sum(-1), dim=-1)`.

# %% [markdown] about="MotionPrior" difficulty=4 importance=5 minutes=20
# ## What motion comes next: frame by frame
#
# A sequence is as probable as its frames, each given the frames *before* it:
#
# $$ p(z_1, \dots, z_T) = \prod_t p(z_t \mid z_1, \dots, z_{t-1}). $$
#
# A GRU reads the codes and its state after $t - 1$ codes says the mixture of the $t$-th. So the input is the codes
# **shifted by one frame**: at frame 0 it meets `self.start`, a learned vector, at frame $t$ the code of frame $t - 1$.
# Because all inputs are known in training, all frames are done in one call (*teacher forcing*).
#
# `sample` runs the same network frame by frame: draw a code, feed it back, keep the state. `self.read_out(states,
# before)` is given: a mixture for each state, whose means are steps away from the code before.
#
# | quantity | shape |
# |---|---|
# | `motion` | `(B, D, T)` |
# | what the GRU reads | `(B, T, D)`: start, $z_0$, …, $z_{T-2}$ |
# | `mixture.sample(generator)` | `(B, D, T)` |
# | `sample(num_clips, num_frames, generator)` | `(B, D, T)` |
#
# **Usual mistakes.** No shift: the network is shown what it should foretell, its likelihood is splendid and its samples
# are worthless. A `roll`: then frame 0 knows the last one. In `sample`: starting the state anew each frame (the motion
# forgets where it was going), or feeding back the mean, so that every sample is the same.

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

# %% [markdown]
# Train your prior on the motion codes of the shipped VAE, which keeps still. (It comes *after* the VAE, on purpose.
# Were it part of the price, a code that stands still would cost nearly nothing from the second frame on, and shape and
# colour could move into the motion code at the price of one frame.) It takes under a minute: the network is small, and
# so are the codes.


# %% tags=["demo"]
def motion_codes(indices, split="train"):
    """The motion codes of clips, `(B, Dm, T)`."""
    with torch.no_grad():
        return VAE.encode(SoloSprites(split).batch(indices).clips()).motion.mode()


def train_prior(codes, steps=PRIOR_STEPS, num_components=8, seed=0):
    """A fresh prior of yours, trained on codes `(N, D, T)`."""
    torch.manual_seed(seed)
    prior = MotionPrior(codes.shape[1], {"ci": 64}.get(SIZE, 128), num_components)
    optimizer = torch.optim.AdamW(prior.parameters(), lr=5e-3)
    for _ in tqdm(range(steps), desc="your prior", unit="step"):
        batch = codes[torch.randint(len(codes), (64,))]
        loss = -mixture_log_prob(prior(batch), batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return prior


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
axis.set(xlabel="frame", ylabel="nats a frame")
axis.set_title("How surprising is a frame's motion code? Lower is less; test clips", fontsize=10)
axis.legend(fontsize=9, loc="center right")
plt.show()

# %% [markdown]
# **What to see.** The first frame may be anywhere. The second is near the first, but the direction is new. From the
# third on the network has seen which way things go, and little is left to say.
#
# ## New motions
#
# The content of one clip, and motions that nobody made: two drawn from your prior, and beside them the **negative
# control**, where each frame's code is drawn by itself. The reader is asked for a word for each of many.

# %% tags=["demo"]
generator = torch.Generator().manual_seed(5)
ways = {
    "your prior": prior.sample(NUM_PAIRS, NUM_FRAMES, generator),
    "each frame by itself": (spread[0] + spread[1] * torch.randn(NUM_PAIRS, NUM_FRAMES, len(spread[0]),
                                                                 generator=generator)).movedim(1, 2),
}  # fmt: skip
with torch.no_grad():
    contents = VAE.encode(clips_of(TEST.scenes(range(NUM_PAIRS)))).content.mode()
    drawn = {name: VAE.decode(contents, motion).sample.clamp(-1, 1) for name, motion in ways.items()}
for name, made in drawn.items():
    words = [word for word in motion_words(made) if word]
    counts = {word: words.count(word) for word in sorted(set(words), key=words.count, reverse=True)}
    print(
        f"{name:22}{len(words) / NUM_PAIRS:5.0%} have a word: " + ", ".join(f"{n} {word}" for word, n in counts.items())
    )
rows = {f"{name}, {k + 1}": drawn[name][k] for name in drawn for k in range({"your prior": 2}.get(name, 1))}
show.strips(rows, num_frames=NUM_FRAMES, width=64)

# %% [markdown]
# **What to see.** From your prior a thing goes on as it began. At `cpu` the reader had a word for three paths in four,
# at `ci`, after a twelfth of the steps, for one in five; the others turn or tremble on the way. Drawn frame by frame
# the thing jumps about, and no path had a word.
#
# ## The result to remember
#
# Pairs of test clips: one gives the content, one the motion. The **reader** of the world names shape, colour,
# background and motion in what comes out, by measuring pixels. Four rows:
#
# - **the truth**: the swap as the world itself draws it. What is missing to 100 % here is the reader's own error;
# - **the split**: your `swap_motion` with the shipped weights;
# - **entangled**: the same encoder and decoder, as many weights, as many steps, but one code a frame without a split.
#   It gets what linear algebra can give: the directions in which its codes change over time (Fisher's
#   discriminant), as many of them as serve it best on these very pairs;
# - **baseline**: the clip that gives the content, unchanged.

# %% tags=["demo"]
ENTANGLED = EntangledVAE.from_pretrained("sprites-entangled").eval()
contents, motions = TEST.scenes(range(NUM_PAIRS)), TEST.scenes(range(NUM_PAIRS, 2 * NUM_PAIRS))
first, second = clips_of(contents), clips_of(motions)
with torch.no_grad():
    trained_on = torch.cat(
        [ENTANGLED.encode(SoloSprites().batch(range(k, k + 64)).clips()).mode() for k in (0, 64, 128)]
    )
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
COLUMNS = {
    "shape": "shape",
    "color": "colour",
    "background": "ground",
    "content": "content",
    "motion": "motion",
    "both": "both",
}
print(f"{NUM_PAIRS} swaps".ljust(26) + "".join(f"{title:>10}" for title in COLUMNS.values()) + f"{'PSNR':>12}")
for name, row in table.items():
    psnr = "" if name == "the truth" else f"{row['psnr']:9.1f} dB"
    print(f"{name:26}" + "".join(f"{row[measure]:10.0%}" for measure in COLUMNS) + psnr)
print("content: shape, both colours and background, and one object only; motion: that of the other clip")

with torch.no_grad():
    whole = swap_scores(ENTANGLED(first).sample.clamp(-1, 1), contents, contents)
print(f"the entangled one, when it only restores: content {whole['content']:.0%}, motion {whole['motion']:.0%}")

# %% tags=["demo"]
figure, axis = plt.subplots(figsize=(7.2, 2.9), layout="constrained")
for what, color, begin in (("content", BLUE, 0), ("motion", RUST, 4)):
    axis.axhline(100 * table["the split"][what], color=color, linestyle=(begin, (4, 4)), linewidth=1.5)
    axis.plot(list(by_count), [100 * row[what] for _, row in by_count.values()], color=color, marker="o", label=what)
axis.set(xlabel="directions taken from the other clip, of 68", ylabel="swaps that are right, %", ylim=(-5, 105))
axis.set_title("Where should one cut an entangled code? Dashed: both, with the split", fontsize=10)
axis.legend(fontsize=9, ncols=2, loc="center", bbox_to_anchor=(0.35, 0.72))
plt.show()

# %% tags=["demo"]
k = next((k for k, (a, b) in enumerate(zip(contents, motions)) if a.objects[0].motion != b.objects[0].motion), 0)
rows = {"gives the content": first[k], "gives the motion": second[k]} | {n: made[k] for n, made in results.items()}
del rows["baseline: unchanged"]  # it is the first row
show.strips(rows, num_frames=5, width=64)

# %% [markdown]
# **What to see.** With the split, what is shown stays and the motion follows. Without it there is no good place to cut:
# few directions carry too little of the motion, many carry the content along, and the content is lost long before the
# motion arrives. The entangled code holds everything, for it restores clips; it holds it mixed.
#
# Now the prediction: clips in which nothing moves. In the training there were none.

# %% tags=["demo"]
STILL = SoloSprites("test", motions=("still",))
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
# The still thing moves, and no copy of it stays behind: where it stood was in its motion codes, which were exchanged.
#
# If you train on still clips as well, expect this to break: for such a clip it is cheaper to put the thing where it
# stands into the *content*, once, than to say its place in nine motion codes. What never moves is content, as far as
# any model can know. Leaving these clips out of the training is the one thing here that a label would have had to do.

# %% [markdown]
# ## What does each code know?
#
# A swap that works says that the decoder listens to the right code. Ask the codes themselves: a linear classifier
# learns to read each attribute off one of them, from 256 clips, and is tried on 128 others.


# %% tags=["demo"]
def attributes(scene):
    item = scene.objects[0]
    return {"shape": item.shape, "colour": item.color, "background": scene.background,
            "its colour": scene.background_color, "motion": item.motion}  # fmt: skip


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
print(
    f"{'the commonest word':20}"
    + "".join(f"{max(map(list_.count, set(list_))) / len(list_):13.0%}" for list_ in counts.values())
)

# %% [markdown]
# **What to see.** Colours, shape and background are in the content code, the kind of motion is in the motion codes. Not
# everything that a code holds lies there for a *linear* reader: the decoder finds all shapes in a code of which a
# linear classifier gets two thirds.
#
# Neither code is pure. A content code is a mean of features that see places, so it knows about where the thing was on
# the whole; and the motion codes betray something of the shape: the middle of a triangle is told two pixels lower than
# that of a ring, because its picture hangs so in the decoder. A swap hardly suffers, for the decoder cannot draw with
# the one or move with the other. Codes that *reveal nothing* about each other are a stronger wish than codes that can
# be *exchanged*.
#
# ## Between two codes
#
# Codes are points, and there is something between two of them. First from one **content** to another, on the same
# motion: each row is a clip. Then from one **motion** to another, with the same content.

# %% tags=["demo"]
a, b = VAE.encode(clips_of([one])), VAE.encode(clips_of([other]))
with torch.no_grad():
    rows = {}
    for part in np.linspace(0, 1, 5).tolist():
        content = torch.lerp(a.content.mode(), b.content.mode(), part)
        rows[f"content: {1 - part:.0%}, {part:.0%}"] = VAE.decode(content, a.motion.mode()).sample[0]
show.strips({name: row.clamp(-1, 1) for name, row in rows.items()}, num_frames=3, width=64)

# %% tags=["demo"]
with torch.no_grad():
    rows = {}
    for part in np.linspace(0, 1, 4).tolist():
        motion = torch.lerp(a.motion.mode(), b.motion.mode(), part)
        rows[f"motion: {1 - part:.0%} of the one, {part:.0%} of the other"] = VAE.decode(
            a.content.mode(), motion
        ).sample[0]
show.strips({name: row.clamp(-1, 1) for name, row in rows.items()}, num_frames=5, width=64)

# %% [markdown]
# **What to see.** Between two motions lie motions: the path changes, the thing does not. Between two contents, all on
# one path, the colours go from one to the other and the dots of the ground fade; the star stays a star for half of the
# way, and then it is a triangle. A VAE promises that codes near each other decode alike; it does not promise that
# halfway between a star and a triangle there is a shape.
#
# ## Try it
#
# Any two clips by number, any length: the motion may have another number of frames than any clip of the training. With
# these two the end goes wrong: for 9 frames of training nothing could grow so large, so no code says it.

# %% tags=["demo"]
CONTENT, MOTION, LENGTH = 12, 31, 14

content_of = clips_of(TEST.scenes([CONTENT]))
longer = draw(TEST.scenes([MOTION]), num_frames=LENGTH).clips()
show.strips({"content": content_of[0], "motion": longer[0], "swapped": swap_motion(VAE, content_of, longer)[0]},
            num_frames=LENGTH // 2, width=64)  # fmt: skip

# %% [markdown]
# **An ablation to run.** How many components does the prior's mixture need? With one it must put the middle between
# left and right. Guess what that does to the nats a frame and to the words, then run the cell; then change
# `COMPONENTS`.

# %% tags=["demo"]
COMPONENTS = (1, 8)

contents = VAE.encode(first).content.mode().detach()
for count in COMPONENTS:
    tried = prior if count == 8 else train_prior(known, num_components=count)  # yours has 8
    with torch.no_grad():
        nats = -mixture_log_prob(tried(unknown), unknown).mean().item()
        new = tried.sample(len(contents), NUM_FRAMES, torch.Generator().manual_seed(1))
        words = [word for word in motion_words(VAE.decode(contents, new).sample.clamp(-1, 1)) if word]
    print(f"K = {count}: {nats:6.2f} nats a frame, {len(words) / len(new):4.0%} of drawn motions have a word")

# %% [markdown]
# ## Honest limits
#
# - One large object before a camera that stands still. With two objects a motion code would have to say whose motion it
#   is; with a moving camera the background moves too, and one picture of it no longer serves.
# - Nothing *proves* that such a split is found: without a label or a bias no method can promise it (Locatello et al.
#   2018). Here the biases are the mean over frames, the price of a bit, the narrow motion code and a decoder in which
#   the motion code says where and the content code draws. Take them away one at a time and see.
# - Where the thing *is* belongs to the motion here, and so does how large it has grown. Somebody who wants "the same
#   walk from another starting point" would have to cut elsewhere.
# - The world is drawn. Faces and walking people were done by MoCoGAN and by the sequential autoencoders after it, at 64
#   × 64 and with much less exact results; for such clips there is no reader.
#
# At scale the idea came back inside diffusion. AnimateDiff keeps an image model for what is seen and adds modules for
# motion; CMD (2024) codes a clip as one content *picture* and a low-dimensional motion latent, and runs a diffusion
# model on each. In this course the next place is phase 4.
#
# ## Yours now
#
# `SplitHeads`, `negative_elbo`, `swap_motion`, `mixture_log_prob` and `MotionPrior` are parts of the library, and yours
# can stand in for them. To train such a VAE whole on what you wrote, and then its prior:
#
# ```console
# flipbook train sprites-content-motion --mine
# flipbook train sprites-content-motion --stage prior --mine
# ```
#
# **Next:** phase 3, where the content is a picture that you give. **To read:** *MoCoGAN* (Tulyakov et al. 2018,
# arXiv:1707.04993); *Disentangled sequential autoencoder* (Li, Mandt 2018, arXiv:1803.02991), this lab's closest
# relative; *Unsupervised learning of disentangled representations from video* (Denton, Birodkar 2017,
# arXiv:1705.10915); *Challenging common assumptions in the unsupervised learning of disentangled representations*
# (Locatello et al. 2018, arXiv:1811.12359); *World models* (Ha, Schmidhuber 2018, arXiv:1803.10122), where the mixture
# over a recurrent network comes from; *CMD* (Yu et al. 2024, arXiv:2403.14148).
