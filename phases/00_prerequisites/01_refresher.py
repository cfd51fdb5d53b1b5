# %% [markdown]
# # Ten things to bring along
#
# About 25 minutes from end to end, and no one needs all of it. Each section has one idea, one equation, and something
# that runs and shows it. If you did [the diagnostic](../../labs/00_prerequisites/00_diagnostic.ipynb), its map has told
# you which sections to read.
#
# Everything here is about images, or smaller still. The course adds time.

# %% tags=["setup"]
import math
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import nn
from torch.utils.checkpoint import checkpoint

from common import show, video
from common.data import Motion, clip_path, flow_scene
from common.diffusion import (
    Guidance,
    add_noise,
    ddim,
    ddpm_level,
    edm_level,
    euler,
    flow_level,
    flow_levels,
    heun,
    last,
)
from common.diffusion.schedules import ddim_timesteps, ddpm_alphas_cumprod, karras_sigmas
from common.evaluation import end_point_error, psnr
from common.flow import lucas_kanade, warp
from common.layers.rope import rotate
from common.tensor_ops import patchify
from common.text import TextEncoder

plt.rcParams["figure.dpi"] = 84  # many pictures, one small file
RED, BLUE, GREY = "#b3541e", "#1f6f8b", "#8a8f96"


def seeded(seed):
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# ## The U-Net
#
# **Idea.** To see far with small convolutions, go down: halve the picture, work there, come up again. What is lost on
# the way down comes back through *skip connections*, which hand the fine features across:
#
# $$ h_{\text{up}} = \text{block}\big( \text{concat}( \text{upsample}(h_{\text{deep}}),\ h_{\text{skip}} ) \big). $$
#
# Attention compares every position with every other, so it sits on the low levels, where there are few.


# %%
class TinyUNet(nn.Module):
    """Four levels: down by stride, up by nearest pixels."""

    def __init__(self, widths=(16, 32, 64, 64)):
        super().__init__()
        self.first = nn.Conv2d(3, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(
            nn.Conv2d(deep + skip, skip, 3, padding=1) for skip, deep in reversed(list(pairwise(widths)))
        )
        self.last = nn.Conv2d(widths[0], 3, 3, padding=1)

    def forward(self, x, say=lambda *_: None):
        h, skips = F.silu(self.first(x)), []
        say("in", x, h)
        for layer in self.down:
            skips.append(h)
            h = F.silu(layer(h))
            say("down", skips[-1], h)
        for layer in self.up:
            merged = torch.cat([F.interpolate(h, scale_factor=2, mode="nearest"), skips.pop()], dim=1)
            h = F.silu(layer(merged))
            say("up", merged, h)
        return self.last(h)


def line(step, read, made):
    pairs = (made.shape[2] * made.shape[3]) ** 2
    shapes = f"reads {tuple(read.shape[1:])!s:14} makes {tuple(made.shape[1:])!s:14}"
    print(f"{step:5} {shapes} attention: {pairs:>12,} pairs")


torch.manual_seed(0)
unet = TinyUNet()
plain = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.SiLU(), *[
    layer for _ in range(6) for layer in (nn.Conv2d(16, 16, 3, padding=1), nn.SiLU())
], nn.Conv2d(16, 3, 3, padding=1))  # fmt: skip
_ = unet(torch.randn(1, 3, 48, 64, generator=seeded(0)), say=line)


# %%
def seen_from_the_middle(model):
    """How much each input pixel moves the output's middle one: the length of the gradient, (H, W)."""
    x = torch.randn(1, 3, 48, 64, generator=seeded(1)).requires_grad_()
    model(x)[0, :, 24, 32].sum().backward()
    return x.grad[0].norm(dim=0)


figure, axes = plt.subplots(1, 2, figsize=(8.5, 3.2), layout="constrained")
for axis, (name, model) in zip(axes, (("eight plain convolutions", plain), ("a U-Net with as many", unet))):
    reach = seen_from_the_middle(model)
    axis.imshow((reach / reach.max()).clamp(min=1e-5).log10(), cmap="magma", vmin=-4, vmax=0)
    axis.set_title(f"{name}: {(reach > 1e-6 * reach.max()).sum()} pixels seen", fontsize=10)
    axis.set(xticks=[], yticks=[])
figure.suptitle("Which input pixels the middle of the output depends on (brighter: more)", fontsize=10)
plt.show()

# %% [markdown]
# **What to see.** Both pass through eight convolutions of 3 × 3. The plain stack sees 17 × 17 pixels, the U-Net nearly
# four times as many, and depends most on the pixels nearby: those come through the skips. On its lowest level attention
# costs 4096 times less than on its highest.

# %% [markdown]
# ## Transformers and attention
#
# **Idea.** Each token asks a question (a query), every token holds an answer (a value) under a label (a key), and what
# comes back is a mixture of answers, weighted by how well question and label agree:
#
# $$ \text{out}_n = \sum_m \text{softmax}_m\!\left( \frac{q_n \cdot k_m}{\sqrt d} \right) v_m . $$
#
# In *self*-attention all three come from the same tokens, in *cross*-attention keys and values come from elsewhere,
# such as a text. Two things follow. The equation does not know any order: where a token stands must be told. And if the
# entries of $q$ and $k$ have variance 1, their product has variance $d$, hence the root.

# %%
d, N = 64, 24
tokens = torch.randn(1, N, d, generator=seeded(0))
order = torch.randperm(N, generator=seeded(1))
together = F.scaled_dot_product_attention(tokens, tokens, tokens)
shuffled = F.scaled_dot_product_attention(tokens[:, order], tokens[:, order], tokens[:, order])
print("shuffled tokens give the same results, shuffled:", torch.allclose(together[:, order], shuffled, atol=1e-5))

q, k = torch.randn(2, 4096, d, generator=seeded(2))
for name, scale in (("q · k", 1), ("q · k / √d", math.sqrt(d))):
    scores = q[:64] @ k[:64].T / scale
    most = scores.softmax(-1).amax(-1).mean()
    width = (q * k).sum(-1).div(scale).std()
    print(f"{name:11} standard deviation {width:.1f}; the largest of 64 weights is {most:.2f}")

speeds = 100.0 ** (-torch.arange(0, d, 2) / d)
turns = torch.polar(torch.ones(N, d // 2), torch.arange(N)[:, None] * speeds)  # rotary: one angle a place and pair
same = torch.randn(d, generator=seeded(3)).expand(1, N, 1, d)  # one and the same token at every place
turned = rotate(same, turns)[0, :, 0]

figure, axes = plt.subplots(1, 2, figsize=(8.5, 3.4), layout="constrained")
for axis, (name, vectors) in zip(axes, (("without positions", same[0, :, 0]), ("with rotary positions", turned))):
    axis.imshow(vectors @ vectors.T / d, cmap="RdBu_r", vmin=-1.3, vmax=1.3)
    axis.set(title=f"q · k, {name}", xlabel="key at place m", ylabel="query at place n")
plt.show()

# %% [markdown]
# **What to see.** Left, one token repeated: every place looks like every other. Right, the same token with its query
# and key turned by an angle that grows with the place (RoPE). The product depends on how far apart two places are and
# on nothing else: the picture is constant along its diagonals.
#
# A *vision transformer* is this on patches of a picture; the section on DiT cuts them.

# %% [markdown]
# ## Diffusion on images
#
# **Idea.** Learn to undo noise. The forward process mixes data with Gaussian noise until nothing else is left,
#
# $$ x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon, $$
#
# and a model is trained to say which $\epsilon$ is in $x_t$, $\min_\theta \| \epsilon_\theta(x_t, t) - \epsilon \|^2$.
# The best possible answer is a mean over everything that could have been there. With data in the plane that mean can be
# written down, so nothing has to be trained here: our "data" are eight small clouds on a ring, red or blue, and the
# model below is the *perfect* one.

# %%
ANGLES = torch.arange(8) * math.pi / 4
CENTRES = 1.4 * torch.stack([ANGLES.cos(), ANGLES.sin()], dim=-1)  # (8, 2)
SPREAD = 0.12
IS_RED = torch.arange(8) < 4


def perfect(x, signal, noise, allowed):
    """The means of x0 and eps given x = signal · x0 + noise · eps, when x0 comes from the allowed clouds.

    x: (B, 2). signal, noise: (B,). allowed: bool (B, 8).
    """
    a, b = signal[:, None], noise[:, None]
    variance = a**2 * SPREAD**2 + b**2  # of each noisy cloud, (B, 1)
    away = x[:, None] - a[..., None] * CENTRES  # (B, 8, 2)
    fits = (-away.square().sum(-1) / (2 * variance)).masked_fill(~allowed, -math.inf).softmax(-1)  # (B, 8)
    off = (fits[..., None] * away).sum(1)  # (B, 2)
    return fits @ CENTRES + a * SPREAD**2 / variance * off, b / variance * off


ALPHAS = ddpm_alphas_cumprod(1000, "linear")
EVERY, RED_ONLY = torch.ones(8, dtype=torch.bool), IS_RED  # what "no prompt" and the prompt "red" allow


def draw_data(num, seed):
    which = torch.randint(8, (num,), generator=seeded(seed))
    return CENTRES[which] + SPREAD * torch.randn(num, 2, generator=seeded(seed + 1)), IS_RED[which]


def clouds(axis, points, colour, title):
    axis.scatter(*points.T, s=3, c=colour, linewidths=0)
    axis.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
    axis.set_title(title, fontsize=9)


x0, red = draw_data(200, 0)
colours = np.where(red, RED, BLUE)
eps = torch.randn(200, 2, generator=seeded(5))
figure, axes = plt.subplots(1, 5, figsize=(9.5, 2.2), layout="constrained")
for axis, t in zip(axes, (0, 100, 250, 500, 999)):
    noisy = add_noise(x0, eps, ddpm_level(torch.full((200,), t), ALPHAS))
    clouds(axis, noisy, colours, f"t = {t}, ᾱ = {ALPHAS[t]:.2g}")
figure.suptitle("Forward: the same 200 points under more and more noise", fontsize=10)
plt.show()

# %% [markdown]
# Backward, DDIM takes the noise off in a few steps and draws none afresh (DDPM does, and needs more steps).
# **Classifier-free guidance** asks the model twice, with the prompt ("red") and without, and goes further in the
# direction that the prompt makes: $\epsilon_{\text{uncond}} + g\, (\epsilon_{\text{cond}} - \epsilon_{\text{uncond}})$.


# %%
def predict(x, timestep, allowed):
    return perfect(x, *ddpm_level(timestep, ALPHAS), allowed)[1]


start = torch.randn(600, 2, generator=seeded(7))
figure, axes = plt.subplots(1, 5, figsize=(9.5, 2.2), layout="constrained")
for axis, (steps, scale) in zip(axes, ((2, 1), (10, 1), (50, 1), (50, 3), (50, 10))):
    model = Guidance(predict, [RED_ONLY.expand(600, 8)], [EVERY.expand(600, 8)], scale)
    made = last(ddim(model, start, ddim_timesteps(steps, 1000), ALPHAS))
    near = (made[:, None] - CENTRES).norm(dim=-1)
    on_data = (near.amin(1) < 3 * SPREAD).float().mean()
    painted = np.where(IS_RED[near.argmin(1)], RED, BLUE)
    clouds(axis, made, painted, f"{steps} steps, g = {scale}\n{on_data:.0%} on data")
    shares = [f"{(near.argmin(1) == cloud).float().mean():4.0%}" for cloud in range(4)]
    print(f"{steps:>2} steps, g = {scale:>2}: share of the samples in each of the four red clouds", *shares)
plt.show()

# %% [markdown]
# **What to see.** The prompt is "red", the four clouds of the upper half. Two steps are too few: the perfect model's
# first answer is a mean of all that is possible, and means lie between the clouds. With fifty steps the points are
# where the data are, a quarter in each red cloud. Guidance shuns whatever could also be without the prompt: the two
# outer clouds, which have blue neighbours, thin out at $g = 3$ and are as good as empty at $g = 10$. The prompt is
# obeyed more surely, and the samples grow alike; that is the bargain of every guidance scale.

# %% [markdown]
# ## Sigma and flow matching
#
# **Idea.** DDPM's path is one of many. All are $x = a\, x_0 + b\, \epsilon$, and what matters is only the ratio of
# noise to signal, $\sigma = b / a$. EDM keeps $a = 1$ and lets $b = \sigma$ grow; flow matching goes straight,
#
# $$ x_s = (1 - s)\, x_0 + s\, \epsilon, \qquad v = \frac{\mathrm d x_s}{\mathrm d s} = \epsilon - x_0, $$
#
# and its model predicts the velocity $v$. Who knows $x$ and one of $x_0$, $\epsilon$, $v$ knows the others, so the same
# perfect model serves on every path.


# %%
def on_path(level_of, kind):
    """The perfect model as a function of x and a path's own level, predicting what the path's sampler wants."""

    def model(x, level):
        at = level_of(level)
        x0, eps = perfect(x, *at, EVERY.expand(len(x), 8))
        return {"velocity": eps - x0, "dx/dsigma": (x - x0) / level[:, None]}[kind]

    return model


def end(steps, name):
    """Samples from the same noise by one of three samplers with so many calls of the model."""
    if name == "DDIM":
        calls = ddim(lambda x, t: predict(x, t, EVERY.expand(len(x), 8)), start, ddim_timesteps(steps, 1000), ALPHAS)
    elif name == "flow matching, Euler":
        calls = euler(on_path(flow_level, "velocity"), start, flow_levels(steps))
    else:
        sigmas = karras_sigmas((steps + 1) // 2, 0.002, 80.0)
        calls = heun(on_path(edm_level, "dx/dsigma"), 80.0 * start, sigmas)
    return last(calls)


figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3), layout="constrained")
s = torch.linspace(0.001, 0.999, 200)
for name, ratio, place, colour in (
    ("flow matching", s / (1 - s), s, RED),
    ("DDPM, linear betas", ((1 - ALPHAS) / ALPHAS).sqrt(), torch.linspace(0, 1, 1000), BLUE),
):
    left.semilogy(place, ratio, color=colour, label=name)
sigmas = karras_sigmas(40, 0.002, 80.0)[:-1]
left.semilogy(torch.linspace(1, 0, 40), sigmas, "o", ms=3, color=GREY, label="EDM's 40 steps")
left.set(xlabel="along the path, from data to noise", ylabel="σ = noise / signal", ylim=(1e-3, 1e3))
left.legend(fontsize=8)
budgets = (4, 8, 16, 32, 64)
for name, colour in (("DDIM", BLUE), ("flow matching, Euler", RED), ("EDM, Heun", GREY)):
    exact = end(400, name)
    right.loglog(budgets, [(end(n, name) - exact).norm(dim=-1).mean() for n in budgets], "o-", color=colour, label=name)
right.set(xlabel="calls of the model", ylabel="mean distance from the exact end")
right.set_xticks(budgets, map(str, budgets))
right.minorticks_off()
right.legend(fontsize=8)
plt.show()

# %% [markdown]
# **What to see.** Left: three paths through the same noise levels at different speeds. That is all that a *schedule*
# is. Right: how far the end of a path is from where very many steps lead. All get there. With few calls the straight
# path is ahead by far; Heun's second order, at two calls per step, catches up once its steps are short, from the 80
# standard deviations where EDM begins. Flow matching won over video because its path is the simplest to write, to train
# and to shift towards noise, which large clips need.
#
# EDM also wraps its network so that it reads and answers numbers of variance 1 at every σ,
# $D(x, \sigma) = c_{\text{skip}} x + c_{\text{out}} F(c_{\text{in}} x)$; item 00.5 derives the factors.

# %% [markdown]
# ## Latent diffusion
#
# **Idea.** Most of a picture's numbers are detail that a decoder can fill in. So train an autoencoder first,
#
# $$ z = E(x), \quad \hat x = D(z), \qquad \frac{\text{numbers in } x}{\text{numbers in } z} \approx 48, $$
#
# freeze it, and let the diffusion model see nothing but $z$. Here is the smallest autoencoder there is: a *linear* one,
# which keeps 4 numbers of each block of 8 × 8 RGB pixels, the best 4 by principal components of other frames.


# %%
def blocks(frames):
    """(N, 3, H, W) to a row of 192 numbers for each block of 8 x 8."""
    return rearrange(frames, "n c (h p) (w q) -> n h w (c p q)", p=8, q=8)


def load(name, num):
    clip = video.sample_clip(clip_path(name), num, size=144)[..., :144, :256]
    return rearrange(clip, "c t h w -> t c h w")


train = torch.cat([load(name, 4) for name in ("bunny_rises", "canopy_flight", "flower_sniff", "leap", "wing_dance")])
rows = blocks(train).flatten(0, 2)
mean = rows.mean(0)
_, spread, axes_of = torch.linalg.svd(rows - mean, full_matrices=False)


def autoencode(picture, channels):
    z = (blocks(picture) - mean) @ axes_of[:channels].T  # (N, H / 8, W / 8, channels): the latent
    back = z @ axes_of[:channels] + mean
    return z, rearrange(back, "n h w (c p q) -> n c (h p) (w q)", c=3, p=8, q=8).clamp(-1, 1)


picture = load("butterfly", 1)
shown = {"the picture": picture}
for channels in (2, 4, 16):
    z, back = autoencode(picture, channels)
    quality = psnr(back, picture, data_range=2.0).mean()
    shown[f"{channels} numbers a block, {picture.numel() / z.numel():.0f} times smaller, {quality:.1f} dB"] = back
show.contact_sheet(torch.stack([p[0] for p in shown.values()], dim=1), labels=list(shown), columns=2, width=300)

# %% [markdown]
# **What to see.** With 4 numbers a block, 48 times fewer in all, a linear map keeps light and colour and loses every
# detail smaller than a block. A trained VAE with the same 4 channels does far better, because its decoder has learned
# what fur and leaves look like; phase 5 builds one. What a VAE adds besides: its latents are noisy draws from $\mathcal
# N(\mu, \sigma^2)$ kept close to a standard normal distribution, so that the space between them is filled and a
# diffusion model finds numbers of its own size.

# %% [markdown]
# ## DiT and tokenizers
#
# **Idea.** Cut the latent into patches, make each a token, and a transformer can be the denoiser (DiT). The noise level
# steers each block by AdaLN-Zero,
#
# $$ x \leftarrow x + g \odot \text{branch}\big( \text{norm}(x) \odot (1 + \gamma) + \beta \big), $$
#
# with $\beta, \gamma, g$ computed from it and zero at first: a new block is the identity, however deep the stack.

# %%
latent = torch.randn(2, 4, 5, 32, 56, generator=seeded(0))  # (B, C, T, H, W)
for size in ((1, 2, 2), (1, 4, 4), (5, 2, 2)):
    tokens = patchify(latent, size)
    num, held = tokens.shape[1:]
    print(f"patches of {size}: {num:5} tokens of {held:3} numbers, {num**2:>10,} pairs")

torch.manual_seed(1)
branches = [nn.Sequential(nn.Linear(16, 64), nn.GELU(), nn.Linear(64, 16)) for _ in range(24)]
for name, gate in (
    ("AdaLN-Zero as it starts, gate 0", 0.0),
    ("every gate at 1", 1.0),
    ("no gate and no residual", None),
):
    h = tokens = patchify(latent, (1, 2, 2))
    for branch in branches:
        out = branch(F.layer_norm(h, (16,)))
        h = out if gate is None else h + gate * out
    alike = torch.corrcoef(torch.stack([h.flatten(), tokens.flatten()]))[0, 1]
    print(f"24 blocks, {name:31}: what comes out correlates {alike:.2f} with what went in")

# %% [markdown]
# The other use of tokens: *discrete* ones, for models that predict the next token as language models do. **VQ-VAE**
# snaps a latent to the nearest entry of a learned codebook. **FSQ** rounds each of its few numbers to a few levels, so
# that the codebook is a grid and nothing can go unused; **LFQ** is the same with two levels, a sign for each number.
# All copy the gradient straight through the rounding: $\text{round}(z) \to z + \text{stopgrad}(\text{round}(z) - z)$.

# %%
z = 0.55 * torch.randn(500, 2, generator=seeded(4))
codebook = 1.6 * torch.rand(35, 2, generator=seeded(9)) - 0.8
codebook[-12:] += torch.tensor([2.5, 2.5])  # entries that started far away: no latent ever chooses them


def vq(z):
    chosen = torch.cdist(z, codebook).argmin(1)
    return codebook[chosen], chosen


def fsq(z, levels=(7, 5)):
    half = torch.tensor([(n - 1) / 2 for n in levels])
    rounded = (half * z.tanh()).round()
    return (rounded / half).atanh().clamp(-1.6, 1.6), ((rounded + half) * torch.tensor([1, levels[0]])).sum(1).long()


def lfq(z):
    return z.sign() * z.abs().mean(), ((z > 0) * torch.tensor([1, 2])).sum(1)


figure, axes = plt.subplots(1, 3, figsize=(8.5, 2.9), layout="constrained")
for axis, (name, size, quantize) in zip(axes, (("VQ", 35, vq), ("FSQ, 7 x 5", 35, fsq), ("LFQ, 2 signs", 4, lfq))):
    values, code = quantize(z)
    axis.scatter(*z.T, c=(code * 7) % 20, cmap="tab20", vmin=0, vmax=19, s=4, linewidths=0)
    axis.scatter(*values.T, c="black", s=9)
    axis.set(xlim=(-1.7, 1.7), ylim=(-1.7, 1.7), xticks=[], yticks=[], aspect="equal")
    axis.set_title(f"{name}: {len(code.unique())} of {size} codes used, {math.log2(size):.1f} bits", fontsize=9)
plt.show()

# %% [markdown]
# **What to see.** Colours are codes, black dots what they stand for. Twelve of VQ's entries began far from all latents:
# no latent chooses them, so they get no gradient, and a third of the codebook stays dead. FSQ's grid lies where the
# latents are by construction, and all but a few corners of it are in use, without any extra loss.

# %% [markdown]
# ## Text conditioning
#
# **Idea.** Understanding language is another model's work. A text encoder that was trained elsewhere and stays *frozen*
# turns a prompt into a state for each token, and the video model attends to them:
#
# $$ \text{prompt} \ \longrightarrow\ (c_1, \dots, c_L), \quad c_l \in \mathbb R^{D}. $$
#
# Prompts differ in length, so a batch is padded and a mask says what is text. While training, the prompt is replaced by
# the empty one now and then (about one time in ten): that is where guidance gets its unconditional prediction from. The
# course ships the states of some hundred prompts, so these need no encoder.

# %%
PROMPTS = [
    "a large yellow circle bounces over a green field",
    "a big red disc hops over a yellow dotted background",
    "a small red star moves left over a blue field",
    "a large yellow triangle orbits over white dots",
    "",
]
text = TextEncoder(weights=None)(PROMPTS)
print("states (B, L, D):", tuple(text.states.shape))
print("tokens of each prompt, start and end included:", text.mask.sum(1).tolist())


def state_of(number, word):
    """The state of one word of a prompt (every word here is one token; token 0 marks the start)."""
    return text.states[number, 1 + PROMPTS[number].split().index(word)]


words = [(0, "circle"), (1, "disc"), (2, "star"), (3, "triangle"),
         (0, "bounces"), (1, "hops"), (2, "moves"), (3, "orbits"),
         (0, "yellow"), (3, "yellow"), (1, "red"), (2, "red")]  # fmt: skip
table = F.normalize(torch.stack([state_of(*word) for word in words]), dim=-1)
table = F.normalize(table - table.mean(0), dim=-1)
for letter, prompt in zip("ABCD", PROMPTS):
    print(f"{letter}: {prompt}")
alike = F.cosine_similarity(state_of(0, "yellow"), state_of(3, "yellow"), dim=0)
print(f"the two states of yellow have a cosine of {alike:.2f}")
figure, axis = plt.subplots(figsize=(5, 4.1), layout="constrained")
image = axis.imshow(table @ table.T, cmap="RdBu_r", vmin=-1, vmax=1)
labels = [f"{word} ({'ABCD'[number]})" for number, word in words]
axis.set_xticks(range(len(words)), labels, rotation=60, ha="right", fontsize=8)
axis.set_yticks(range(len(words)), labels, fontsize=8)
axis.set_title("How alike the states of words are, in prompts A to D", fontsize=10)
figure.colorbar(image)
plt.show()

# %% [markdown]
# **What to see.** Nothing has told this encoder about our sprites. Yet motions resemble motions and colours colours;
# the names of shapes are a looser group. The two *yellow* are nearly alike and not the same: a state knows a little of
# its sentence, which helps a model to tell what is yellow.

# %% [markdown]
# ## PyTorch at work
#
# **Idea.** Video is limited by memory before it is limited by anything else, so know where it goes. For a model with
# $P$ parameters under Adam, mixed precision costs about
#
# $$ \underbrace{4P}_{\text{weights}} + \underbrace{4P}_{\text{gradients}} + \underbrace{8P}_{\text{Adam}}
# \ \text{bytes} \; + \; \text{activations}, $$
#
# and the activations grow with the clip. **DDP** gives every GPU all of it and a share of the batch; **FSDP** splits
# the first three among the GPUs and gathers weights layer by layer. *Activation checkpointing* keeps only each block's
# input and computes the rest again when it is needed.

# %%
print(
    "half precision: 1 + 0.001 is",
    (torch.tensor(1.0) + 0.001).item(),
    "in float32,",
    (torch.tensor(1.0, dtype=torch.bfloat16) + 0.001).item(),
    "in bfloat16 (8 bits of fraction):",
)
print("    so weights and sums stay in float32, and only products run in 16 bits (autocast)")
small = torch.tensor([1e-5, 1e-7, 1e-9])
print("gradients of", [f"{g:.0e}" for g in small.tolist()], "in float16:", [f"{g:.0e}" for g in small.half().tolist()])
print("    times 65536 first (loss scaling):  ", [f"{g / 65536:.0e}" for g in (small * 65536).half().tolist()])
print("    in bfloat16, which has float32's range:", [f"{g:.0e}" for g in small.bfloat16().tolist()])

billion = 1e9
print(f"\n{'':26}{'1 GPU':>10}{'8 x DDP':>10}{'8 x FSDP':>10}   (GB on each GPU, without activations)")
for size in (0.1, 1.3, 14):
    whole = 16 * size * billion / 1e9
    print(f"a model of {size:>4} billion{'':9}{whole:>10.1f}{whole:>10.1f}{whole / 8:>10.1f}")


# %%
def kept_for_backward(run):
    """Bytes that autograd keeps from the forward pass, each tensor once."""
    kept = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = run()
    weights = {p.untyped_storage().data_ptr() for block in stack for p in block.parameters()}
    return sum(size for place, size in kept.items() if place not in weights), out


stack = [nn.Sequential(nn.LayerNorm(64), nn.Linear(64, 256), nn.GELU(), nn.Linear(256, 64)) for _ in range(8)]


def through(x, thrifty):
    for block in stack:
        x = x + (checkpoint(block, x, use_reentrant=False) if thrifty else block(x))
    return x


for frames in (1, 4, 16):
    x = torch.randn(frames * 64, 64, generator=seeded(0)).requires_grad_()
    plainly, _ = kept_for_backward(lambda x=x: through(x, False))
    thrifty, _ = kept_for_backward(lambda x=x: through(x, True))
    kept, less = plainly / 2**20, thrifty / 2**20
    print(f"{frames:>2} frames of 64 tokens through 8 blocks: {kept:5.1f} MiB kept, {less:4.1f} MiB with checkpoints")

# %% [markdown]
# **What to see.** Parameters are a fixed price, and FSDP divides it. Activations are the variable one: 16 times the
# frames, 16 times the memory, before attention has been counted. Checkpoints cut them by the work inside a block, for
# one more forward pass. When even that is too much, send the batch through in pieces and add up the gradients (item
# 00.11).

# %% [markdown]
# ## Optical flow
#
# **Idea.** Between two frames every pixel goes somewhere. Flow is that displacement $(u, v)$, in pixels, for each of
# them:
#
# $$ I_{t+1}\big( x + u(x, y),\; y + v(x, y) \big) \approx I_t(x, y). $$
#
# Fetching each pixel of the second frame from where the flow points (*backward warping*) gives the first frame again,
# wherever it is still to be seen. Here is a scene whose flow is known exactly: a plane that shifts, and before it a
# disc that moves another way.

# %%
scene = flow_scene(96, 144, Motion(shift=(3.0, 1.0)), disc=Motion(shift=(-5.0, 2.0)), generator=seeded(3))
back = warp(scene.second, scene.flow)
missed = (back - scene.first).abs().mean(dim=1, keepdim=True).expand(-1, 3, -1, -1).clamp(max=1) * 2 - 1
wheel = torch.from_numpy(show.flow_to_color(scene.flow[0])).permute(2, 0, 1)[None] / 127.5 - 1
sheet = {"frame t": scene.first, "frame t + 1": scene.second, "true flow: hue is direction": wheel,
         "t + 1, fetched back by the flow": back, "what that misses (white)": missed,
         "hidden in t + 1 (black)": scene.visible[:, None].float().expand(-1, 3, -1, -1) * 2 - 1}  # fmt: skip
found = lucas_kanade(scene.first, scene.second)
for name, flow in (("standing still", torch.zeros_like(scene.flow)), ("Lucas-Kanade", found)):
    print(f"end-point error of {name:14}: {end_point_error(flow, scene.flow, valid=scene.visible)[0]:.2f} pixels")
show.contact_sheet(torch.stack([p[0] for p in sheet.values()], dim=1), labels=list(sheet), columns=3, width=190)

# %% [markdown]
# **What to see.** The warp misses where there is nothing to fetch: where the disc has covered the plane, and at the
# edge over which the plane has left the picture. No flow can help there. That is *occlusion*. Flow is used in this
# course to measure motion (does the clip move, does it flicker?), to filter data, and as a control signal.

# %% [markdown]
# ## One equation, three families
#
# **Idea.** Everything later models one distribution,
#
# $$ p(\text{video} \mid \text{text}, \text{image}, \text{audio}, \dots), $$
#
# and three families do it: denoise all latents at once (*latent diffusion*), predict discrete tokens one after the
# other (*autoregressive*), or go forward chunk by chunk and denoise inside each (*hybrid*).


# %% tags=["demo"] draws="In which order each of the three families makes a clip."
def draw_family(axis, title, order, caption):
    """A grid of time x space; the number in a cell says when it is made."""
    latest = max(1, order(2, 5))
    for row in range(3):
        for t in range(6):
            step = order(row, t)
            colour = plt.cm.viridis(0.8 * step / latest)
            axis.add_patch(plt.Rectangle((t, 2 - row), 0.92, 0.92, color=colour, linewidth=0))
            axis.text(t + 0.46, 2.46 - row, str(step + 1), ha="center", va="center", color="white", fontsize=8)
    axis.set(xlim=(-0.1, 6), ylim=(-0.1, 3.1), xticks=[], yticks=[], aspect="equal", xlabel=caption)
    axis.set_title(title, fontsize=10)
    for side in axis.spines.values():
        side.set_visible(False)


figure, axes = plt.subplots(1, 3, figsize=(10, 2.5), layout="constrained")
draw_family(axes[0], "latent diffusion", lambda row, t: 0, "all at once, in some 50 passes\nSora, Veo, Movie Gen, Wan")
draw_family(axes[1], "autoregressive tokens", lambda row, t: 3 * t + row, "one pass a token\nCogVideo, VideoPoet")
draw_family(axes[2], "hybrid", lambda row, t: t // 2, "chunk by chunk, some passes each\nDiffusion Forcing, CausVid")
figure.suptitle("In which order a clip is made (across: time; down: space)", fontsize=10)
plt.show()


# %%
def price(seconds):
    """What a clip of 1280 x 720 at 24 fps costs, for a VAE of 8 x 8 x 4 with patches of 2 x 2."""
    frames = 24 * seconds
    values, latent_frames = frames * 3 * 720 * 1280, 1 + (frames - 1) // 4
    tokens = latent_frames * (720 // 16) * (1280 // 16)
    size = f"{values / 1e6:5.0f} million values, {tokens:>7,} tokens"
    print(f"{seconds:>3} s: {size}, {tokens**2 / 1e9:>6,.1f} billion pairs a layer")


for seconds in (1, 5, 20):
    price(seconds)

# %% [markdown]
# **What to see.** The model is rarely what stops you: frames, height and width multiply, and attention squares the
# product. Twice as much of all three is 8 times the tokens and 64 times the pairs. Almost every idea in this course is
# a way around that one line.
#
# ## Where to go from here
#
# [The diagnostic](../../labs/00_prerequisites/00_diagnostic.ipynb) asks twelve short questions about these ten sections
# and draws what to revise first. If nothing here was new, go straight to
# [A video is a tensor](../01_tensors/01_video_is_a_tensor.ipynb).
#
# *Film: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0.*
