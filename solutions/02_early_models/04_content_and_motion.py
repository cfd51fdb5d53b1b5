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
from collections import Counter

import torch

from common import show
from common.course import check
from common.data.sprites.solo import NUM_FRAMES, SoloSprites, draw, recombine
from common.evaluation.sprite_swap import motion_words, swap_scores
from common.evaluation.swap_table import best_cut, swap_table
from common.models import content_motion as library
from common.models.content_motion import PRESETS, ContentMotion, ContentMotionVAE, EntangledVAE
from common.runtime import device, limit_threads, preset
from common.show.curves import draw_curves
from common.training import Settings, muon
from common.training.short_run import short_run

limit_threads()
SIZE = preset()
NUMBERS = {"ci": (25, 250, 24), "cpu": (600, 3000, 128), "gpu": (4000, 6000, 512)}
VAE_STEPS, PRIOR_STEPS, NUM_PAIRS = NUMBERS[SIZE]


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
a, b = clips_of([one]), clips_of([other])
swaps = {"the one, moving as the other": library.swap_motion(VAE, a, b),
         "the other, moving as the one": library.swap_motion(VAE, b, a)}
shown = {"one clip": a, "another": b} | swaps
beside = torch.cat(list(shown.values()), dim=4)[0]
display(show.player(beside, fps=4, width=256, max_bytes=22_000, caption=" | ".join(shown)))
show.strips({name: clip[0] for name, clip in shown.items()}, num_frames=NUM_FRAMES, width=52)

# %% [markdown]
# **A prediction.** The model trained on clips in which something *moves*. Give it a clip in which nothing moves, and
# the motion of another. Will the still thing move, will a copy of it stay behind, or will nothing move at all? Write it
# down. The first picture after the swap shows it.

# %% [markdown] about="swap_motion" difficulty=1 importance=4 minutes=5
# ## Swapping motion codes
#
# Encode both clips, keep one's content and the other's motion, decode. Take the most likely codes, `mode()`: a draw
# would only add noise.

# %% exercise="swap_motion" from="common.models.content_motion:swap_motion"

# %% check="swap_motion"

# %% [markdown] hints="swap_motion"
# 1. Two encodings, one decoding. Which attribute of which encoding goes where?
# 2. `model.encode(clips)` has `.content` and `.motion`, each with `.mode()`.
# 3. `content = model.encode(content_of).content.mode()`, the same for the motion, and `return model.decode(content,
#    motion).sample.clamp(-1, 1)`, under `@torch.no_grad()`.

# %% [markdown] troubles="swap_motion"
# - **The result has the wrong length.** The motion codes decide it. The two clips may differ in length.
# - **Two calls give different clips.** You draw from the codes. `mode()` is the same every time.

# %% [markdown]
# Now the prediction: clips in which nothing moves, moved by your swap. The training data had none. If the still thing
# moves and leaves no copy behind, then its place was in the motion codes, which were swapped.

# %% tags=["demo"] draws="A clip that stood still, told to move: does a copy stay behind?"
standing = SoloSprites("test", motions=("still",)).scenes(range(NUM_PAIRS // 2))
moving = TEST.scenes(range(NUM_PAIRS, NUM_PAIRS + len(standing)))
for name, a, b in (("a still clip, told to move", standing, moving), ("a moving one, told to stand", moving, standing)):
    row = swap_scores(swap_motion(VAE, clips_of(a), clips_of(b)), a, b)
    print(f"{name:30} content stays {row['content']:4.0%}, motion follows {row['motion']:4.0%}")
still, told = clips_of(standing[:1]), swap_motion(VAE, clips_of(standing[:1]), clips_of(moving[:1]))
show.strips({"a still clip": still[0], "told to move": told[0]}, num_frames=5, width=64)

# %% [markdown] about="SplitHeads" difficulty=2 importance=5 minutes=10
# ## Content and motion codes
#
# A small convolutional network turns each frame, by itself, into a row of features $f_t$. Two kinds of codes follow:
#
# $$ \text{content} = W_c \Bigl( \frac1T \sum_t f_t \Bigr) + b_c \qquad\qquad \text{motion}_t = W_m f_t + b_m . $$
#
# The mean is the whole trick on the left. It is the same for any order of the frames, so it cannot hold what the order
# says (left or right, up or down). On the right, a motion code knows its own frame and no other. `features` are
# `(B, T, F)`. Content comes out as means and log-variances `(B, 2 Dc)`, motion as `(B, 2 Dm, T)`. In the shipped model
# `F` = 128, `Dc` = 64, `Dm` = 4: a clip is 64 numbers, plus 4 per frame.

# %% exercise="SplitHeads" from="common.models.content_motion:SplitHeads" blank="forward"

# %% check="SplitHeads"

# %% [markdown] hints="SplitHeads"
# 1. One of `self.content` and `self.motion` gets a mean over an axis of the features, the other takes them as they are.
# 2. `features.mean(dim=1)` is `(B, F)`. A linear layer works on the last axis, so `self.motion(features)` is
#    `(B, T, 2 Dm)`, whose last two axes must still be swapped.
# 3. `return self.content(features.mean(dim=1)), rearrange(self.motion(features), "b t d -> b d t")`.

# %% [markdown] troubles="SplitHeads"
# - **A longer clip gets a larger content.** That is a sum over frames. Take the mean.
# - **The content changes when the clip plays backwards.** You take the features of the first frame only.
# - **The motion has the right shape and wrong numbers.** `reshape` mixes numbers with frames. Swap the axes.

# %% [markdown]
# Your heads in the shipped model: its weights fit, because the names do. Play a clip backwards, and compare the codes.

# %% tags=["demo"] draws="The motion codes of one clip: steady growth gives steady lines."
heads = SplitHeads(VAE.config.hidden_size, VAE.config.content_dim, VAE.config.motion_dim)
heads.load_state_dict(VAE.heads.state_dict())
VAE.heads = heads
with torch.no_grad():
    clip = clips_of([one])
    forward, backward = VAE.encode(clip), VAE.encode(clip.flip(2))
content_moved = (forward.content.mode() - backward.content.mode()).abs().max()
motion_moved = (forward.motion.mode() - backward.motion.mode().flip(2)).abs().max()
print(f"played backwards: the content code moved by {content_moved:.0e}, the motion codes by {motion_moved:.0e}")
paths = {f"number {k}": path for k, path in enumerate(forward.motion.mode()[0])}
draw_curves(paths, "The motion codes of one clip, four numbers per frame", xlabel="frame", ylabel="motion code")

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
# by $T / n$. What is paid once is not. `restored` and `target` are `(B, 3, n, H, W)`, `codes.content.kl()` and
# `codes.motion.kl()` are `(B,)`, in nats and summed over all numbers of the code. Each of the three costs is `(B,)`.

# %% exercise="negative_elbo" from="common.models.content_motion:negative_elbo"

# %% check="negative_elbo"

# %% [markdown] hints="negative_elbo"
# 1. `kl()` already sums over everything but the batch. Ask of each cost whether it grows with the number of frames.
# 2. `num_frames / target.shape[2]` is how many frames of the clip each of them counts for. The squared error is summed
#    over all axes but the first: `.flatten(1).sum(dim=1)`.
# 3. `share = num_frames / target.shape[2]`; `pixels = share * squares / (2 * pixel_std**2)`; `content =
#    codes.content.kl()`; `motion = share * codes.motion.kl()`. Return them in a dictionary by these names.

# %% [markdown] troubles="negative_elbo"
# - **The codes collapse to nothing.** That is a *mean* of squared errors, thousands of times too small. Take the sum.
# - **The content cost changes with the number of frames I look at.** It is paid once. Leave $T/n$ out.
# - **The pixel cost is off by a constant factor.** Check the 2, and the square of $\sigma$.

# %% [markdown]
# Here is your price list, for the shipped model on 32 test clips. Then a fresh model trains with your parts. Each step
# draws four frames of each clip. (The shipped weights come from the same loop, run longer.)

# %% tags=["demo"] draws="What the shipped model pays for pixels, content and motion."
torch.manual_seed(0)
clips = clips_of(TEST.scenes(range(32)))
with torch.no_grad():
    codes = VAE.encode(clips)
    restored = VAE.decode(codes.content.sample(), codes.motion.sample()).sample
for name, cost in negative_elbo(restored, clips, codes, num_frames=NUM_FRAMES).items():
    print(f"{name:9}{cost.mean():7.0f} nats per clip of {NUM_FRAMES} frames")

# %%
torch.manual_seed(0)
mine = ContentMotionVAE(**PRESETS[SIZE]).to(device())
mine.heads = SplitHeads(mine.config.hidden_size, mine.config.content_dim, mine.config.motion_dim).to(device())
mine.init_weights()
settings = Settings(steps=VAE_STEPS, batch_size=16, learning_rate=5e-3, betas=(0.9, 0.95), weight_decay=0.01)
ends = ("encoder.layers.0", "heads", "pose", "code_in", "picture_out", "prior")  # Adam; the rest: Muon
optimizer = muon(mine, settings, ends=ends)
history = {"pixels": [], "content": [], "motion": []}


def loss_of(step):
    """The mean cost per pixel value of 16 new clips, seen in four frames each."""
    clips = SoloSprites().batch(range(16 * step, 16 * step + 16)).clips().to(device())
    frames = clips[:, :, torch.randperm(NUM_FRAMES)[:4]]
    codes = mine.encode(frames)
    restored = mine.decode(codes.content.sample(), codes.motion.sample()).sample
    costs = negative_elbo(restored, frames, codes, num_frames=NUM_FRAMES)
    for name, cost in costs.items():
        history[name].append(cost.mean().item())
    return sum(cost.mean() for cost in costs.values()) / clips[0].numel()


short_run(optimizer, loss_of, VAE_STEPS, decay=0, max_grad_norm=1.0, desc="your VAE")

# %% tags=["demo"] draws="The three costs, step by step, and what your VAE makes of a new clip."
display(draw_curves(history, "What your VAE pays", marker=None, xlabel="step", ylabel="nats per clip", yscale="log"))
a, b = clips_of([one]).to(device()), clips_of([other]).to(device())
with torch.no_grad():
    restored = mine(a).sample.clamp(-1, 1)
rows = {"one clip": a, f"restored, after {VAE_STEPS} steps": restored, "moving as the other": swap_motion(mine, a, b)}
show.strips({name: clip[0].cpu() for name, clip in rows.items()}, num_frames=5, width=64)

# %% [markdown]
# **What to see.** The codes are cheap at first, because they say nothing. A VAE buys bits when they save more than they
# cost: the colour of the ground first, then where the thing is and its colour. (At `ci` there is hardly more than a
# disc in the middle.) The pattern and the outline come last. The shipped weights had seven times the steps of `cpu`.

# %% [markdown] about="mixture_log_prob" difficulty=3 importance=4 minutes=10
# ## A mixture density for the next motion code
#
# A swap borrows its motion. To make *new* motions we need to know which sequences of motion codes are probable. One
# normal distribution will not do: a thing may go left or right, and the middle of the two is standing still. A
# **mixture** of K normals can say "left or right":
#
# $$ \log p(z_t) = \log \sum_k \pi_k \prod_d \mathcal N(z_{td};\, \mu_{kd}, \sigma_{kd}) $$
#
# $$ \log \mathcal N(z; \mu, \sigma) = -\tfrac12 \Bigl(\frac{z - \mu}{\sigma}\Bigr)^2 - \log \sigma
# - \tfrac12 \log 2\pi $$
#
# `mixture.logits`, with $\pi$ as their softmax, are `(B, T, K)`, `mean` and `log_std` `(B, T, K, D)`.

# %% exercise="mixture_log_prob" from="common.models.motion_prior:mixture_log_prob"

# %% check="mixture_log_prob"

# %% [markdown] hints="mixture_log_prob"
# 1. Bring `motion` to `(B, T, 1, D)`, so that it meets the K components. Then it is the logarithm of a normal density,
#    a sum over D, and a sum of probabilities over K.
# 2. `log_softmax(dim=-1)` of the logits are the logarithms of the shares. Add them to the components' log-densities.
# 3. `each = -0.5 * ((z - mean) / log_std.exp())**2 - log_std - 0.5 * log(2 π)`, then `logsumexp(logits.log_softmax(-1)
#    + each.sum(-1), dim=-1)`.

# %% [markdown] troubles="mixture_log_prob"
# - **It is right for K = 1 and wrong for more.** Sum over the numbers of a code *before* the mixture.
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
# before)` is given: a mixture for each state, whose `sample(generator)` is `(B, D, T)`.

# %% exercise="MotionPrior" from="common.models.motion_prior:MotionPrior" blank="forward,sample"

# %% check="MotionPrior"

# %% [markdown] hints="MotionPrior"
# 1. `forward`: put `self.start` in front, leave the last frame out, run `self.rnn`, read out. `sample`: a loop over the
#    frames that carries the last code and the state.
# 2. `before = torch.cat([self.start.expand(B, 1, -1), z[:, :-1]], dim=1)`; `states, _ = self.rnn(before)`. In the loop
#    `out, state = self.rnn(code, state)` with `code` of shape `(B, 1, D)` and `state` None at first.
# 3. In the loop: `drawn = self.read_out(out, code).sample(generator)` is `(B, D, 1)`. Append it, and give it back as
#    `code = rearrange(drawn, "b d t -> b t d")`. At the end `torch.cat(codes, dim=2)`.

# %% [markdown] troubles="MotionPrior"
# - **The likelihood is splendid and the samples are worthless.** Without the shift the network sees its own target.
# - **Frame 0 changes when the last frame changes.** `roll` brings it around. Put `self.start` in front.
# - **The sampled motion forgets where it was going.** The state starts anew in each frame. Carry it along.
# - **Every sample is the same.** You feed back the mean. Draw a code.

# %% [markdown]
# ## New motions
#
# Train your prior on the motion codes of the shipped VAE, which stays fixed.


# %%
def motion_codes(indices, split="train"):
    """The motion codes of clips, `(B, Dm, T)`."""
    with torch.no_grad():
        return VAE.encode(SoloSprites(split).batch(indices).clips()).motion.mode()


def train_prior(codes, steps=PRIOR_STEPS, num_components=8, seed=0):
    """A fresh prior of yours, trained on codes `(N, D, T)`."""
    torch.manual_seed(seed)
    prior = MotionPrior(codes.shape[1], {"ci": 64}.get(SIZE, 128), num_components)

    def compute_loss(step):
        batch = codes[torch.randint(len(codes), (64,))]
        return -mixture_log_prob(prior(batch), batch).mean()

    short_run(torch.optim.AdamW(prior.parameters(), lr=5e-3), compute_loss, steps, decay=0, desc="your prior")
    return prior


# %% tags=["demo"] draws="How surprising each frame is: watch the third."
known = torch.cat([motion_codes(range(k, k + 64)) for k in range(0, {"ci": 256}.get(SIZE, 4096), 64)])
unknown = motion_codes(range({"ci": 128}.get(SIZE, 256)), "test")
prior = train_prior(known)
with torch.no_grad():
    nats = -mixture_log_prob(prior(unknown), unknown).mean(dim=0)  # (T,): of each frame
    spread = unknown.mean(dim=(0, 2)), unknown.std(dim=(0, 2))
    blind = -torch.distributions.Normal(*spread).log_prob(unknown.movedim(1, 2)).sum(-1).mean(dim=0)
title = "How surprising is a frame's motion code? Lower is less; test clips"
draw_curves({"your prior": nats, "each frame by itself": blind}, title, xlabel="frame", ylabel="nats per frame")

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
    content_codes = VAE.encode(clips_of(TEST.scenes(range(NUM_PAIRS)))).content.mode()
    drawn = {name: VAE.decode(content_codes, motion).sample.clamp(-1, 1) for name, motion in ways.items()}
for name, made in drawn.items():
    words = [word for word in motion_words(made) if word]
    told = ", ".join(f"{n} {word}" for word, n in Counter(words).most_common())
    print(f"{name:22}{len(words) / NUM_PAIRS:5.0%} have a word: {told}")
rows = {f"{name}, {k + 1}": drawn[name][k] for name in drawn for k in range(2)}
side_by_side = torch.cat(list(rows.values()), dim=3)
display(show.player(side_by_side, fps=4, width=256, max_bytes=22_000, caption=" | ".join(rows)))
show.strips(rows, num_frames=NUM_FRAMES, width=48)

# %% [markdown]
# **What to see.** From your prior a thing goes on as it began, though some paths turn or tremble on the way. Drawn
# frame by frame it jumps about.
#
# ## The result to remember
#
# Pairs of test clips: one gives the content (shape, both colours, background, one object only), one the motion. The
# **reader** measures pixels to name them in what comes out. *The truth* is the swap as the world draws it: what is
# missing to 100 % is the reader's own error. *The split* is your `swap_motion` with the shipped weights. *Entangled* is
# a VAE with one code per frame: a swap takes the directions in which its codes change over time (Fisher's
# discriminant), as many as work best on these very pairs. The *baseline* is the clip that gives the content, unchanged.

# %% tags=["demo"] draws="Swaps, scored: compare the split with the entangled code, then look."
ENTANGLED = EntangledVAE.from_pretrained("sprites-entangled").eval()
contents, motions = TEST.scenes(range(NUM_PAIRS)), TEST.scenes(range(NUM_PAIRS, 2 * NUM_PAIRS))
first, second = clips_of(contents), clips_of(motions)
with torch.no_grad():
    batches = [SoloSprites().batch(range(k, k + 64)).clips() for k in (0, 64, 128)]
    trained_on = torch.cat([ENTANGLED.encode(batch).mode() for batch in batches])
cuts, tried = {}, {}
for count in {"ci": (8, 40, 64)}.get(SIZE, (2, 8, 16, 32, 40, 48, 56, 64)):
    changing = library.changing_directions(trained_on, count)
    cuts[count] = library.swap_motion_entangled(ENTANGLED, first, second, changing)
    tried[count] = swap_scores(cuts[count], contents, motions)
best = best_cut(tried)
truth = clips_of([recombine(*pair) for pair in zip(contents, motions)])
split = swap_motion(VAE, first, second)
results = {"the truth": truth, "the split": split, f"entangled, {best} directions": cuts[best]}
every = results | {"baseline: unchanged": first}
table = {name: swap_scores(made, contents, motions) for name, made in every.items()}
print(swap_table(table, f"{NUM_PAIRS} swaps", without_psnr="the truth"))

k = next((k for k, (a, b) in enumerate(zip(contents, motions)) if a.objects[0].motion != b.objects[0].motion), 0)
rows = {"gives the content": first[k], "gives the motion": second[k]} | {n: made[k] for n, made in results.items()}
show.strips(rows, num_frames=5, width=64)

# %% [markdown]
# **What to see.** With the split, what is shown stays and the motion follows. Without it there is no good place to cut:
# few directions carry too little of the motion, many carry the content along.
#
# ## Try it
#
# Any two clips by number, any length. With these two the end goes wrong: in 9 frames nothing could grow so large.

# %%
CONTENT, MOTION, LENGTH = 12, 31, 14

content_of = clips_of(TEST.scenes([CONTENT]))
longer = draw(TEST.scenes([MOTION]), num_frames=LENGTH).clips()
swapped = swap_motion(VAE, content_of, longer)
show.strips({"content": content_of[0], "motion": longer[0], "swapped": swapped[0]}, num_frames=LENGTH // 2, width=64)

# %% [markdown] tags=["folded"]
# ## Going further: where to cut an entangled code, and an ablation

# %% tags=["demo"] draws="Content and motion by the number of swapped directions."
curves = {what: (list(cuts), [100 * row[what] for row in tried.values()]) for what in ("content", "motion")}
where = {"xlabel": "directions taken from the other clip, of 68", "ylabel": "swaps that are right, %"}
draw_curves(curves, "Swaps of the entangled codes", ylim=(-5, 105), **where)

# %% [markdown]
# **An ablation to run.** How many components does the prior's mixture need? With one it must put the middle between
# left and right. Guess what that does to the two numbers, then run the cell and change `COMPONENTS`.

# %%
COMPONENTS = (1, 8)

for count in COMPONENTS:
    other = prior if count == 8 else train_prior(known, num_components=count)  # yours has 8
    with torch.no_grad():
        nats = -mixture_log_prob(other(unknown), unknown).mean().item()
        new = other.sample(NUM_PAIRS, NUM_FRAMES, torch.Generator().manual_seed(1))
        words = [word for word in motion_words(VAE.decode(content_codes, new).sample.clamp(-1, 1)) if word]
    print(f"K = {count}: {nats:6.2f} nats per frame, {len(words) / len(new):4.0%} of drawn motions have a word")

# %% [markdown]
# ## Honest limits
#
# - One large object, a camera that stands still. With two objects a motion code would have to say whose motion it is.
# - Nothing *proves* that such a split is found: without a label or a bias no method can promise it (Locatello et al.
#   2018). The biases here are the mean over frames, the price of a bit, the narrow motion code and the decoder.
# - Train on still clips as well, and expect it to break: what never moves is cheaper as *content*.
#
# ## Yours now
#
# All five parts are the library's, and now yours. `flipbook train sprites-content-motion --mine` trains such a VAE on
# what you wrote, and `--stage prior --mine` its prior. The idea came back inside diffusion: AnimateDiff adds motion
# modules to an image model, and CMD (2024) codes a clip as one content *picture* and a motion latent.
#
# **Next:** phase 3, where the content is a picture that you give. **To read:** *MoCoGAN* (Tulyakov et al. 2018,
# arXiv:1707.04993), the same split in a GAN; *Disentangled sequential autoencoder* (Li, Mandt 2018, arXiv:1803.02991);
# *Challenging common assumptions in the unsupervised learning of disentangled representations* (Locatello et al. 2018,
# arXiv:1811.12359); *World models* (Ha, Schmidhuber 2018, arXiv:1803.10122), for the mixture; *CMD* (Yu et al. 2024,
# arXiv:2403.14148).
