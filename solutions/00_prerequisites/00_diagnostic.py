# %% [markdown]
# # The diagnostic · 00.1 to 00.12
#
# **What you will have at the end:** a map of what you know well and what to revise first, with links to read, from
# twelve short items that you answer here. Nothing in the course depends on it.
#
# | | |
# |---|---|
# | time | about 15 minutes if all of it is familiar; otherwise stop whenever you like |
# | difficulty | ★☆☆☆☆ |
# | before this | nothing; [Ten things to bring along](../../phases/00_prerequisites/01_refresher.ipynb) explains each |
# | your answers | stay on this machine, like all your progress: in `work/` |
#
# The items are small on purpose. Under the presets `ci`, `cpu` and `gpu` all cells take the same few seconds, on
# tensors such as `(B, C, H, W)` = (3, 2, 4, 5).
#
# Try each item **without looking anything up**. Leave what takes you over five minutes. An empty item costs nothing.

# %% tags=["setup"]
import math

import torch
import torch.nn.functional as F

from common.course import check
from common.course.diagnostic import EXAMPLE, knowledge_map

# %% [markdown]
# ## Where you are heading
#
# This is the map of a made-up learner who knows images well, has used diffusion as a tool, and did nine of the twelve.

# %% tags=["demo"] draws="What a map looks like: solid ideas, and two to revise first."
knowledge_map(EXAMPLE)

# %% [markdown]
# **A prediction.** Which two of these ten ideas will the map tell *you* to revise first? The last cell draws your own.

# %% [markdown] about="diffuse" difficulty=1 importance=5 minutes=2
# ## 00.1 · The forward process: from data to noise
#
# The forward process of diffusion (DDPM) turns a picture $x_0$ into noise. At time $t$ it has a closed form. Draw from
# it, using the standard normal noise $\epsilon$ that you are given.
#
# $$ q(x_t \mid x_0) = \mathcal N\!\left( \sqrt{\bar\alpha_t}\; x_0,\; (1 - \bar\alpha_t)\, I \right). $$

# %% exercise="diffuse"
def diffuse(x0: torch.Tensor, eps: torch.Tensor, alpha_bar: torch.Tensor) -> torch.Tensor:
    """Draw from q(x_t | x_0) of DDPM (Ho et al. 2020, arXiv:2006.11239, eq. 4).

    Args:
        x0: pictures `(B, C, H, W)`, float; left as they are.
        eps: standard normal noise of the same shape.
        alpha_bar: of each picture, `(B,)`, between 0 (noise) and 1 (data).

    Returns:
        The noisy pictures, `(B, C, H, W)`, in the dtype of `x0`.
    """
    ### BEGIN SOLUTION
    kept = alpha_bar[:, None, None, None]  # (B, 1, 1, 1)
    return kept.sqrt() * x0 + (1 - kept).sqrt() * eps  # (B, C, H, W)
    ### END SOLUTION

# %% check="diffuse"

# %% [markdown] hints="diffuse"
# 1. A draw is the mean plus the standard deviation times noise. Which of the two is in $\mathcal N(\cdot, \cdot)$?
# 2. `a = alpha_bar[:, None, None, None]` has the shape `(B, 1, 1, 1)` and broadcasts to `(B, C, H, W)`.
# 3. `a.sqrt() * x0` is the mean, and `(1 - a).sqrt()` is the factor of `eps`.

# %% [markdown] about="ddim_step" difficulty=2 importance=4 minutes=3
# ## 00.2 · One DDIM step
#
# A model predicts the noise $\epsilon$ in $x_t$. DDIM takes one step to a smaller time without drawing new noise. It
# computes the model's estimate of $x_0$ and adds the *same* $\epsilon$ again, at the noise level of the next time:
#
# $$ x_{\text{next}} = \sqrt{\bar\alpha_{\text{next}}}\; \hat x_0 + \sqrt{1 - \bar\alpha_{\text{next}}}\; \epsilon,
# \qquad \hat x_0 \text{ from } x_t = \sqrt{\bar\alpha}\, \hat x_0 + \sqrt{1 - \bar\alpha}\, \epsilon . $$

# %% exercise="ddim_step"
def ddim_step(x: torch.Tensor, eps: torch.Tensor, alpha_bar: float, alpha_bar_next: float) -> torch.Tensor:
    """One deterministic step of DDIM (Song et al. 2020, arXiv:2010.02502, eq. 12 with sigma = 0).

    Args:
        x: noisy pictures `(B, C, H, W)` at `alpha_bar`, float; left as they are.
        eps: the noise that the model sees in them, the same shape.
        alpha_bar: here, above 0.
        alpha_bar_next: after the step; 1 is data.

    Returns:
        The pictures at `alpha_bar_next`, `(B, C, H, W)`, in the dtype of `x`.
    """
    ### BEGIN SOLUTION
    x0 = (x - math.sqrt(1 - alpha_bar) * eps) / math.sqrt(alpha_bar)  # (B, C, H, W)
    return math.sqrt(alpha_bar_next) * x0 + math.sqrt(1 - alpha_bar_next) * eps  # (B, C, H, W)
    ### END SOLUTION

# %% check="ddim_step"

# %% [markdown] hints="ddim_step"
# 1. Two lines: first $\hat x_0$, from where you are, then the noisy picture at the next time.
# 2. Solve $x_t = \sqrt{\bar\alpha}\, \hat x_0 + \sqrt{1 - \bar\alpha}\, \epsilon$ for $\hat x_0$.
# 3. `x0 = (x - math.sqrt(1 - alpha_bar) * eps) / math.sqrt(alpha_bar)`, then the forward process at `alpha_bar_next`.

# %% [markdown] about="guide" difficulty=1 importance=5 minutes=2
# ## 00.3 · Classifier-free guidance
#
# Classifier-free guidance runs the model twice, with the prompt and without, and goes further in the direction in which
# the prompt changes its answer. In this course $g$ is defined as in diffusers: $g = 0$ ignores the prompt, $g = 1$ is
# the prediction with the prompt, and more than that is guidance.

# %% exercise="guide"
def guide(uncond: torch.Tensor, cond: torch.Tensor, guidance_scale: float) -> torch.Tensor:
    """Classifier-free guidance (Ho, Salimans 2022, arXiv:2207.12598): 0 gives `uncond`, 1 gives `cond`.

    Args:
        uncond: the prediction without the prompt, `(B, C, H, W)`.
        cond: with it, the same shape.
        guidance_scale: at least 0; above 1 it goes beyond `cond`, in a straight line.

    Returns:
        The guided prediction, `(B, C, H, W)`, in the dtype of `cond`. Neither input is changed.
    """
    ### BEGIN SOLUTION
    return uncond + guidance_scale * (cond - uncond)  # (B, C, H, W)
    ### END SOLUTION

# %% check="guide"

# %% [markdown] hints="guide"
# 1. A straight line is at `uncond` for $g = 0$ and at `cond` for $g = 1$. Where is it for $g = 7$?
# 2. The prompt's direction is `cond - uncond`. How far along it, and from where?
# 3. Start at `uncond` and add `guidance_scale` times the direction.

# %% [markdown] about="from_velocity" difficulty=2 importance=5 minutes=3
# ## 00.4 · Flow matching: data and noise from a velocity
#
# Flow matching goes straight from data ($s = 0$) to noise ($s = 1$), and its model predicts the velocity $v$. From
# $x_s$ and $v$ you can compute both ends. Find them.
#
# $$ x_s = (1 - s)\, x_0 + s\, \epsilon, \qquad v = \frac{\mathrm d x_s}{\mathrm d s} = \epsilon - x_0 . $$

# %% exercise="from_velocity"
def from_velocity(x: torch.Tensor, velocity: torch.Tensor, s: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Data and noise, from a place on the straight path and the velocity there (Lipman et al. 2022, arXiv:2210.02747).

    Args:
        x: (1 - s) x0 + s eps, `(B, C, H, W)`.
        velocity: eps - x0, the same shape.
        s: of each picture, `(B,)`: 0 is data, 1 is noise.

    Returns:
        x0 and eps, in this order, `(B, C, H, W)` each, in the dtype of `x`; finite at s = 0 and s = 1 too.
    """
    ### BEGIN SOLUTION
    s = s[:, None, None, None]  # (B, 1, 1, 1)
    return x - s * velocity, x + (1 - s) * velocity  # (B, C, H, W) each
    ### END SOLUTION

# %% check="from_velocity"

# %% [markdown] hints="from_velocity"
# 1. You walk a straight line with the velocity $v$. From $x_s$, how far is it back to $s = 0$, and on to $s = 1$?
# 2. Walking for a time $\Delta s$ moves you by $\Delta s \cdot v$. Back to the data is $\Delta s = -s$.
# 3. The noise is $1 - s$ ahead: `x + (1 - s) * velocity`. Give `s` the shape `(B, 1, 1, 1)` first.

# %% [markdown] about="edm_factors" difficulty=3 importance=3 minutes=4
# ## 00.5 · EDM preconditioning
#
# EDM writes a noisy picture as $x = x_0 + \sigma \epsilon$, where $\sigma$ runs from nearly 0 to 80. No network likes
# such a range, so the denoiser wraps a network $F$:
#
# $$ D(x, \sigma) = c_{\text{skip}}\, x + c_{\text{out}}\, F(c_{\text{in}}\, x). $$
#
# Three conditions fix the factors, for data of mean 0 and standard deviation $\sigma_{\text{data}}$. (1) The network's
# input, $c_{\text{in}} x$, has variance 1. (2) Its target, $(x_0 - c_{\text{skip}}\, x) / c_{\text{out}}$, has variance
# 1. (3) $c_{\text{out}}$ is as small as it can be, so that the network's errors count as little as possible.

# %% exercise="edm_factors"
def edm_factors(sigma: torch.Tensor, sigma_data: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """EDM's preconditioning (Karras et al. 2022, arXiv:2206.00364, table 1).

    Args:
        sigma: standard deviation of the noise of each picture, `(B,)`, above 0.
        sigma_data: standard deviation of the data.

    Returns:
        c_skip, c_out (positive) and c_in, in this order, `(B,)` each, in the dtype of `sigma`.
    """
    ### BEGIN SOLUTION
    total = (sigma**2 + sigma_data**2).sqrt()  # (B,), the standard deviation of x
    return sigma_data**2 / total**2, sigma * sigma_data / total, 1 / total
    ### END SOLUTION

# %% check="edm_factors"

# %% [markdown] hints="edm_factors"
# 1. Begin with $c_{\text{in}}$: the variance of $x = x_0 + \sigma \epsilon$ is $\sigma_{\text{data}}^2 + \sigma^2$.
# 2. $c_{\text{skip}}$ is the share of the data in the variance of $x$. What is left has variance $c_{\text{out}}^2$.
# 3. With `total = (sigma**2 + sigma_data**2).sqrt()`, $c_{\text{out}}$ is `sigma * sigma_data / total`.

# %% [markdown] about="latent_ratio" difficulty=1 importance=4 minutes=2
# ## 00.6 · The compression of a latent
#
# One number. An autoencoder for latent diffusion takes RGB pictures of 512 × 768 pixels to latents that have 4 channels
# and are 8 times smaller along each side. How many numbers of the picture are there for each number of the latent?
#
# $$ r = \frac{\text{numbers in the picture}}{\text{numbers in its latent}} $$

# %% exercise="latent_ratio"
def latent_ratio() -> float:
    """How many numbers of an RGB picture of 512 x 768 there are for each number of its latent.

    Returns:
        The ratio, for a latent with 4 channels that is 8 times smaller along each side; a plain number.
    """
    ### BEGIN SOLUTION
    picture, latent = 3 * 512 * 768, 4 * (512 // 8) * (768 // 8)
    return picture / latent
    ### END SOLUTION

# %% check="latent_ratio"

# %% [markdown] hints="latent_ratio"
# 1. Count both, channels included. How high and how wide is the latent?
# 2. The picture holds $3 \cdot 512 \cdot 768$ numbers, the latent $4 \cdot 64 \cdot 96$.
# 3. Along each side it is 8 times smaller, so 64 times in all, and 4 channels replace 3: $64 \cdot 3 / 4$.

# %% [markdown] about="token_counts" difficulty=2 importance=5 minutes=3
# ## 00.7 · Patchify: the tokens of a transformer
#
# Three numbers. A diffusion transformer cuts the latent of a clip, `(C, T, H, W)` = (8, 5, 32, 56), into blocks of 1
# frame, 2 rows and 2 columns, and makes a token of each (patchify). Full attention compares every token with every
# token, so it computes
#
# $$ \text{pairs} = N^2 \quad \text{for } N \text{ tokens.} $$

# %% exercise="token_counts"
def token_counts() -> tuple[int, int, int]:
    """A latent `(C, T, H, W)` = (8, 5, 32, 56) in blocks of 1 x 2 x 2 (DiT: Peebles, Xie 2022, arXiv:2212.09748).

    Returns:
        tokens, numbers in each, and the factor by which the pairs of full attention grow when frames, height and width
        all double. Whole numbers.
    """
    ### BEGIN SOLUTION
    tokens = (5 // 1) * (32 // 2) * (56 // 2)
    numbers = 8 * 1 * 2 * 2
    return tokens, numbers, (2 * 2 * 2) ** 2
    ### END SOLUTION

# %% check="token_counts"

# %% [markdown] hints="token_counts"
# 1. How many blocks fit along each of the three axes? A block holds all channels of its place.
# 2. $5 \cdot 16 \cdot 28$ blocks. In each, $8$ channels times $1 \cdot 2 \cdot 2$ places.
# 3. Eight times as many tokens make $8^2$ times as many pairs.

# %% [markdown] about="adaln_zero" difficulty=2 importance=4 minutes=4
# ## 00.8 · AdaLN-Zero: a block that starts as the identity
#
# In a diffusion transformer, AdaLN-Zero conditions every branch (attention or MLP) on the noise level by three vectors.
#
# $$ x \leftarrow x + g \odot \text{branch}\big( \text{norm}(x) \odot (1 + \gamma) + \beta \big) $$
#
# $\text{norm}$ is layer norm over the last axis, without weights of its own. When training begins, $\beta$, $\gamma$
# and $g$ are all zero, so the whole block is the identity.

# %% exercise="adaln_zero"
def adaln_zero(x: torch.Tensor, shift: torch.Tensor, scale: torch.Tensor, gate: torch.Tensor, branch) -> torch.Tensor:
    """One branch of a transformer block with AdaLN-Zero (Peebles, Xie 2022, arXiv:2212.09748).

    Args:
        x: tokens `(B, N, D)`.
        shift: added to the branch's input, `(B, D)`: the same for all tokens of a sample.
        scale: the normalised tokens are multiplied by 1 + scale, `(B, D)`.
        gate: the branch's output is multiplied by it, `(B, D)`.
        branch: a function of the modulated tokens; it is called once.

    Returns:
        x + gate · branch(norm(x) · (1 + scale) + shift), `(B, N, D)`, in the dtype of `x`; the norm is layer norm over
        D with eps 1e-6 added to the variance.
    """
    ### BEGIN SOLUTION
    normed = F.layer_norm(x, x.shape[-1:], eps=1e-6)  # (B, N, D)
    out = branch(normed * (1 + scale[:, None]) + shift[:, None])  # (B, N, D)
    return x + gate[:, None] * out
    ### END SOLUTION

# %% check="adaln_zero"

# %% [markdown] hints="adaln_zero"
# 1. Normalise, modulate, call the branch, add its gated output. `(B, D)` needs an axis in the middle to broadcast.
# 2. `F.layer_norm(x, x.shape[-1:], eps=1e-6)` is the norm without weights; `scale[:, None]` is `(B, 1, D)`.
# 3. `out = branch(normed * (1 + scale[:, None]) + shift[:, None])`, then `x + gate[:, None] * out`.

# %% [markdown] about="merge_skip" difficulty=2 importance=3 minutes=3
# ## 00.9 · The skip connection of a U-Net
#
# A U-Net goes down to few, deep pixels and comes up again. On each level of the way up, the deep features are doubled
# in size (*nearest*: every pixel becomes 2 × 2 equal ones) and concatenated with the skip connection, what the way down
# kept at this size:
#
# $$ h = \text{concat}\big( \text{upsample}(\text{deep}),\ \text{skip} \big). $$

# %% exercise="merge_skip"
def merge_skip(deep: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
    """What a level on the way up of a U-Net reads (Ronneberger et al. 2015, arXiv:1505.04597, figure 1).

    Args:
        deep: features from the level below, `(B, C, H, W)`.
        skip: features of the same level on the way down, `(B, S, 2H, 2W)`.

    Returns:
        `(B, C + S, 2H, 2W)`: `deep` with each pixel doubled along both sides (nearest), then `skip`, in their dtype.
    """
    ### BEGIN SOLUTION
    larger = F.interpolate(deep, scale_factor=2, mode="nearest")  # (B, C, 2H, 2W)
    return torch.cat([larger, skip], dim=1)  # (B, C + S, 2H, 2W)
    ### END SOLUTION

# %% check="merge_skip"

# %% [markdown] hints="merge_skip"
# 1. Make `deep` as large as `skip`, then put them together along the axis of the channels.
# 2. `F.interpolate(deep, scale_factor=2, mode="nearest")` doubles.
# 3. `torch.cat([larger, skip], dim=1)`, with `larger` first.

# %% [markdown] about="cross_attention" difficulty=3 importance=5 minutes=5
# ## 00.10 · Cross-attention with a padding mask
#
# Cross-attention lets the tokens of a picture gather information from the tokens of a text. One head computes
#
# $$ \text{out}_n = \sum_l a_{nl}\, v_l, \qquad a_{n \cdot} = \text{softmax}_l ( q_n \cdot k_l / \sqrt d ). $$
#
# Prompts differ in length, so short ones are padded, and a mask says which tokens are text. Padding must not count: the
# result is the same as if it were cut off.

# %% exercise="cross_attention"
def cross_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """One head of cross-attention to a padded text (Vaswani et al. 2017, arXiv:1706.03762, eq. 1).

    Args:
        q: `(B, N, d)`.
        k: `(B, L, d)`.
        v: `(B, L, e)`.
        mask: bool `(B, L)`, True for a token of the text, False for padding, at any place. Each text has a token.

    Returns:
        `(B, N, e)`, in the dtype of `q`: for each query the values of the text, weighted by softmax(q · k / √d). Scores
        of any size give finite results.
    """
    ### BEGIN SOLUTION
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])  # (B, N, L)
    scores = scores.masked_fill(~mask[:, None], -math.inf)
    return scores.softmax(dim=-1) @ v  # (B, N, e)
    ### END SOLUTION

# %% check="cross_attention"

# %% [markdown] hints="cross_attention"
# 1. Scores, mask, softmax, weighted sum: in this order. Over which of the two token axes must the weights add up to 1?
# 2. `q @ k.transpose(1, 2)` is `(B, N, L)`. What becomes 0 in a softmax is $-\infty$.
# 3. Divide by `math.sqrt(q.shape[-1])`, `masked_fill(~mask[:, None], -math.inf)`, `.softmax(dim=-1)`, times `v`.

# %% [markdown] about="accumulate_gradients" difficulty=3 importance=4 minutes=5
# ## 00.11 · Gradient accumulation
#
# Video fills memory fast. When a batch does not fit, it goes through in pieces and the gradients add up: *gradient
# accumulation*. Done right, the result equals the gradient of the whole batch,
#
# $$ \nabla_\theta\, \frac{1}{B} \sum_{b=1}^{B} \ell_b, \qquad \ell_b = \text{mean}\, ( f_\theta(x_b) - y_b )^2 . $$

# %% exercise="accumulate_gradients"
def accumulate_gradients(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, piece: int) -> None:
    """Leave the gradient of the whole batch's mean squared error in the parameters, with few samples at a time.

    Gradients that an earlier step left there do not count.

    Args:
        model: `(b, D)` to `(b, E)`; it treats each sample by itself. Its weights are not changed.
        x: `(B, D)`.
        y: `(B, E)`.
        piece: the most samples that may go through the model in one call; the last piece may be shorter.
    """
    ### BEGIN SOLUTION
    model.zero_grad()
    for some_x, some_y in zip(x.split(piece), y.split(piece)):
        loss = F.mse_loss(model(some_x), some_y)
        (loss * len(some_x) / len(x)).backward()
    ### END SOLUTION

# %% check="accumulate_gradients"

# %% [markdown] hints="accumulate_gradients"
# 1. Empty the gradients once, before the loop. In the loop: forward, loss, backward.
# 2. A piece's mean counts for as many samples as it has. What must it be multiplied by, so that all add up to the mean?
# 3. `x.split(piece)` gives the pieces, the last one shorter. Call `backward()` on
#    `F.mse_loss(model(some_x), some_y) * len(some_x) / len(x)`.

# %% [markdown] about="flow_error" difficulty=2 importance=3 minutes=4
# ## 00.12 · The end-point error of a flow
#
# Optical flow gives each pixel a displacement $(u, v)$ in pixels, from one frame to the next. The usual measure of an
# estimate is the end-point error: over the pixels $V$ whose truth is known, the mean distance between where it points
# and where the pixel went,
#
# $$ \text{EPE} = \frac{1}{|V|} \sum_{p \in V} \sqrt{ (u_p - u_p^*)^2 + (v_p - v_p^*)^2 }. $$

# %% exercise="flow_error"
def flow_error(flow: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """The end-point error of each flow, over its valid pixels.

    Args:
        flow: `(B, 2, H, W)`, x then y, in pixels.
        target: the true one, the same shape; elsewhere than in valid pixels it may hold anything, NaN included.
        valid: bool `(B, H, W)`: the pixels that count, at least one in each flow.

    Returns:
        `(B,)`: the mean length of the difference, in pixels, in the dtype of `flow`.
    """
    ### BEGIN SOLUTION
    lengths = (flow - target).square().sum(dim=1).sqrt()  # (B, H, W)
    return torch.where(valid, lengths, 0).sum(dim=(1, 2)) / valid.sum(dim=(1, 2))  # (B,)
    ### END SOLUTION

# %% check="flow_error"

# %% [markdown] hints="flow_error"
# 1. One length per pixel, `(B, H, W)`, then a mean per flow over the pixels that count.
# 2. `(flow - target).square().sum(dim=1).sqrt()` is the length. Divide the sum over the valid ones by their number.
# 3. NaN times 0 is NaN, so choose instead of multiplying: `torch.where(valid, lengths, 0).sum(dim=(1, 2))`.

# %% [markdown]
# ## Your map
#
# It comes from the results of the checks above, on this machine. Run it again whenever you have done another item.

# %% tags=["demo"] draws="Your own map, from the checks above."
knowledge_map()

# %% [markdown]
# **Solid** means that every item of the idea passes. **Revise first** means that you tried one and it does not pass, or
# that it passed after you had looked at the answer. Were the two from your prediction among them?
#
# ## Honest limits
#
# Twelve items cannot measure what you know. They show the usual misunderstandings. You may pass and know only the
# formula, or fail by a slip. Look at the section of the tutorial wherever you hesitated. **Next:** every item comes
# back in a lab. Begin with whatever the map says comes first, or lab 01.1 straight away.
