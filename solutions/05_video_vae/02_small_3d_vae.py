# %% [markdown]
# # Lab 05.2 · Train a small 3D VAE
#
# **What you will have at the end:** a video autoencoder that you trained with your own parts: `(B, 3, 17, 64, 64)` goes
# in, `(B, 16, 5, 8, 8)` is kept, and the clip comes back. Almost every video generator of today starts from such a
# network, and this one is small enough for a laptop.
#
# | | |
# |---|---|
# | time | about 75 minutes, of which your machine trains 20 |
# | difficulty | ★★★★★ |
# | before this | [a clip made small](../../phases/05_video_vae/01_latent_compression.ipynb) |
# | the clips | sprites and film, 7 : 1 |
#
# | preset | clips `(T, H, W)` | your VAE trains for | all cells take about |
# |---|---|---|---|
# | `ci` | (17, 64, 64) | 10 steps, from the weights of second 60 | 20 s |
# | `cpu` (default) | (17, 64, 64) | 2,400 steps from scratch, 20 minutes of one core or more | 30 min |
# | `gpu` | (17, 64, 64) | 2,400 steps from scratch | not run |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import json
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

import common
from common import show
from common.course import check
from common.evaluation.reconstruction import clip_psnr, mean_frame
from common.models.autoencoder import CausalVideoVAE
from common.models.large_vaes import LARGE, tiny_vae
from common.runtime import cache_dir, limit_threads, preset
from common.training import read_log, read_weights, train
from common.training.budget import steps_in
from common.zoo.shelf import folder
from common.zoo.sprites_vae_minute.measures import mean_frame_psnr, mean_psnr, moving_clips
from common.zoo.sprites_vae_minute.recipe import RECIPE, step
from common.zoo.sprites_vae_minute.studies import WrongAxes, assembled, carried, go_on
from common.zoo.sprites_vae_minute.studies import draw_channels, draw_curve, draw_gradient_shares

limit_threads()
plt.rcParams["figure.dpi"] = 75
SIZE = preset()
NUM_CLIPS = {"ci": 12}.get(SIZE, 32)  # on which everything is measured
CONTROL_STEPS, CONTROL_BATCH = {"ci": (3, 1)}.get(SIZE, (60, 8))
PEER_SECONDS = {"ci": 0.4}.get(SIZE, 60)

# %% [markdown]
# ## Where you are heading
#
# A clip it was never trained on, and the same clip from 41 times fewer numbers. It is `sprites-vae`, the finished one.
# Yours has the same size, to the last weight.

# %% tags=["demo"] draws="A clip, and what the finished model restores from its latents."
SHIPPED = CausalVideoVAE.from_pretrained("sprites-vae").eval()
CLIPS = moving_clips(NUM_CLIPS)  # (N, 3, 17, 64, 64), held out, something moves in each
with torch.no_grad():
    latents = SHIPPED.encode(CLIPS[1:2]).latent_dist.mode()
    back = SHIPPED.decode(latents).sample.clamp(-1, 1)
shown = {"original": CLIPS[1], "restored": back[0]}
print(f"{tuple(CLIPS[1:2].shape)} is {CLIPS[0].numel():,} numbers, {tuple(latents.shape)} is {latents.numel():,}")
beside = torch.cat(list(shown.values()), dim=3)
display(show.player(beside, fps=8, width=320, max_bytes=40_000, caption=" | ".join(shown)))
show.strips(shown, num_frames=6, width=72)

# %% [markdown]
# **A prediction.** The cheapest rival is the *mean frame*: average a clip over time, and show that picture 17 times. It
# knows everything but motion. How long must one core train before the VAE beats it: one second, one minute, one hour?
# Write it down.

# %% [markdown] about="DiagonalGaussian" difficulty=1 importance=5 minutes=5
# ## The posterior and its KL divergence
#
# The encoder gives a mean $\mu$ and a variance $\sigma^2$ for every number of the latent. What these say is paid for in
# nats:
#
# $$ \mathrm{KL} = \tfrac12 \sum_{c, t, h, w} \bigl( \mu^2 + \sigma^2 - 1 - \log \sigma^2 \bigr) $$
#
# The sum takes the whole latent of one clip. Averaging over clips is the loss's business.
#
# | quantity | shape |
# |---|---|
# | `self.mean`, `self.std`, `self.logvar` | `(B, C, T, H, W)` |
# | result | `(B,)` |

# %% exercise="DiagonalGaussian" from="common.models.gaussian:DiagonalGaussian" blank="kl"

# %% check="DiagonalGaussian"

# %% [markdown] hints="DiagonalGaussian"
# 1. First the divergence of every single number, in the shape of the mean. Then one sum per clip.
# 2. `self.std.square()` is the variance, `self.logvar` its logarithm.
# 3. `each = 0.5 * (self.mean.square() + self.std.square() - 1 - self.logvar)`, then `each.flatten(1).sum(dim=1)`.

# %% [markdown] troubles="DiagonalGaussian"
# - **The result has too many axes.** You name the axes to sum. `flatten(1)` takes all but the batch, however many.
# - **It is negative.** A divergence never is. Check the signs, and that $\sigma^2$ is there and not $\sigma$.

# %% [markdown]
# Now a trap that you no longer fall into. Here is diffusers' own class on the same moments. It was written for
# pictures, and its `kl()` sums axes 1, 2 and 3, whatever they are. The mean of what is left goes into the loss, and
# nothing fails.

# %% tags=["demo"] draws="Your divergence beside diffusers', for clips of three widths."
print(f"{'moments':24}{'diffusers: shape':>18}{'its mean':>12}{'yours':>12}{'times too small':>17}")
for width in (4, 8, 16):
    moments = torch.randn(2, 32, 5, 8, width, generator=torch.Generator().manual_seed(0))
    theirs, ours = DiagonalGaussianDistribution(moments).kl(), DiagonalGaussian(moments).kl()
    row = theirs.mean(), ours.mean(), ours.mean() / theirs.mean()
    print(f"{tuple(moments.shape)!s:24}{tuple(theirs.shape)!s:>18}{row[0]:12.0f}{row[1]:12.0f}{row[2]:17.1f}")

# %% [markdown]
# **What to see.** One axis is left over, the width. So the KL term is too small by the width of the latent, and a loss
# that was tuned on narrow clips means something else on wide ones.

# %% [markdown] about="reconstruction_loss" difficulty=2 importance=4 minutes=8
# ## The reconstruction loss, by clip
#
# Squared errors punish a model most on its hardest clips. One clip with a textured ground can weigh more than all the
# others together. Taking the root of each clip *before* the mean gives every clip its own scale:
#
# $$ L = \frac1B \sum_b \sqrt{\, m_b + 10^{-6} \,} \qquad m_b = \operatorname{mean}_{c, t, h, w} (\hat x_b - x_b)^2 $$
#
# | quantity | shape |
# |---|---|
# | `restored`, `target` | `(B, C, T, H, W)` |
# | result | a scalar |

# %% exercise="reconstruction_loss" from="common.training.vae:reconstruction_loss"

# %% check="reconstruction_loss"

# %% [markdown] hints="reconstruction_loss"
# 1. Two means, with a root between them. The first takes all axes but the batch.
# 2. Compare the shapes first: clips of different shapes would be broadcast without a word.
# 3. `squares = (restored.float() - target.float()).square()`, then `(squares.flatten(1).mean(dim=1) +
#    1e-6).sqrt().mean()`.

# %% [markdown] troubles="reconstruction_loss"
# - **The loss becomes nan.** The root has an infinite slope at 0. The 1e-6 belongs under it.
# - **It is right for one clip and wrong for more.** The root comes before the mean over clips.

# %% tags=["demo"] draws="How loud each clip is in the gradient, under two losses."
some = CLIPS[clip_psnr(mean_frame(CLIPS), CLIPS, data_range=2.0).argsort(descending=True)][::2][:6]
losses = {"mean squared error": torch.nn.functional.mse_loss, "yours, by clip": reconstruction_loss}
draw_gradient_shares(losses, some)

# %% [markdown]
# **What to see.** With squares the hardest clips speak loudest. By clip, all of them are heard alike.

# %% [markdown] about="FactorizedBlock" difficulty=3 importance=5 minutes=12
# ## The (2+1)D residual block
#
# A full 3×3×3 kernel costs $27\,C^2$ multiplications per place. Split into a 3×3 convolution over each frame and one of
# three frames over time, it costs $9\,C^2 + 3\,C^2$. What the two make is *added* to the input, so a fresh block does
# nothing, and gradients pass:
#
# $$ x \;\mapsto\; x + \text{time}\bigl(\text{SiLU}(\text{norm}_t(h))\bigr)
# \qquad h = \text{space}\bigl(\text{SiLU}(\text{norm}_s(x))\bigr) $$
#
# The convolutions are given. They look back and never ahead, and hand on a *cache* of past frames, with which a clip
# may come in pieces. How that works is the subject of lab 05.3. Here you only pass it through.
#
# | quantity | shape |
# |---|---|
# | `x` | `(B, C, T, H, W)` |
# | `self.space(h)`, `self.time(h, cache)` | a tuple: `(B, C, T, H, W)`, and a cache |
# | the cache of `self.time` | `(B, C, 2, H, W)`, or None at the beginning |

# %% exercise="FactorizedBlock" from="common.layers.residual:FactorizedBlock" blank="forward"

# %% check="FactorizedBlock"

# %% [markdown] hints="FactorizedBlock"
# 1. Four layers in a row, with `F.silu` after each norm. Then the input is added.
# 2. Both convolutions return two things. Of `self.space` the second is not needed.
# 3. `h, _ = self.space(F.silu(self.norm_space(x)))`, `h, cache = self.time(F.silu(self.norm_time(h)), cache)`, `return
#    x + h, cache`.

# %% [markdown] troubles="FactorizedBlock"
# - **A tuple has no attribute … .** A convolution gives its output *and* a cache.
# - **Whole clips are right, clips in pieces are not.** The given `cache` has to reach `self.time`.

# %% tags=["demo"] draws="One pixel of one frame changes: what moves, frame by frame."
torch.manual_seed(0)
pair = torch.randn(1, 6, 9, 15, 15).repeat(2, 1, 1, 1, 1)
pair[1, :, 3, 7, 7] += 1
figure, axes = plt.subplots(1, 3, figsize=(7.6, 2.4), layout="constrained", sharey=True)
for axis, name in zip(axes, ("what was changed", "after one block", "after two")):
    axis.imshow((pair[0] - pair[1]).abs().amax(dim=(0, 2)) > 1e-6, cmap="Blues", aspect="auto", origin="lower")
    axis.set(xlabel="column")
    axis.set_title(name, fontsize=10)
    layer = FactorizedBlock(6)
    torch.nn.init.normal_(layer.time.conv.weight, std=0.2)
    pair = layer(pair)[0].detach()
axes[0].set_ylabel("frame")
plt.show()

# %% [markdown]
# **What to see.** The change spreads to both sides in space, and in time only upwards: to later frames. Each block adds
# one column on either side and two frames.

# %% [markdown] about="Downsample" difficulty=3 importance=4 minutes=8
# ## Downsampling: space-time to depth
#
# Halving by a strided convolution throws numbers away unseen. Here nothing is lost before the network decides: the 4 ×
# 2 × 2 places of a cell become 16 times as many channels, and a 1×1×1 convolution, a plain matrix, mixes them.
#
# | quantity | shape |
# |---|---|
# | `x` | `(B, F, 4 T, 2 H, 2 W)` |
# | rearranged | `(B, 16 F, T, H, W)` |
# | result | `(B, K, T, H, W)` |

# %% exercise="Downsample" from="common.layers.resample:Downsample" blank="forward"

# %% check="Downsample"

# %% [markdown] hints="Downsample"
# 1. `rearrange` can split three axes and merge four in one line. The layer is a convolution already.
# 2. `(t pt)` splits an axis into cells `t` of `pt` neighbours. The order of the new channels is in the docstring.
# 3. `rearrange(x, "b c (t pt) (h ph) (w pw) -> b (c pt ph pw) t h w", pt=4, ph=2, pw=2)`, then `super().forward(x)`.

# %% [markdown] troubles="Downsample"
# - **The shape is right, the numbers are not.** `(t pt)` and `(pt t)` have the same size. Only the first keeps
#   neighbours together.

# %% [markdown] about="Upsample" difficulty=3 importance=4 minutes=6
# ## Upsampling: depth to space-time
#
# The mirror image: the matrix first, which makes 16 values per place and channel, then the rearrangement, which puts
# them where they belong. No checkerboards, as a transposed convolution would draw them: its kernels overlap, these
# cells do not.

# %% exercise="Upsample" from="common.layers.resample:Upsample" blank="forward"

# %% check="Upsample"

# %% [markdown] hints="Upsample"
# 1. Read your `Downsample` from the bottom to the top.
# 2. `super().forward(x)` is `(B, 16 F, T, H, W)`.
# 3. `rearrange(super().forward(x), "b (c pt ph pw) t h w -> b c (t pt) (h ph) (w pw)", pt=4, ph=2, pw=2)`.

# %% [markdown] troubles="Upsample"
# - **Frames come out in a strange order.** The cell's frame is the *fast* axis: `(t pt)`.

# %% [markdown]
# ## Assembled
#
# Now put your classes into the library's model. Each layer keeps its weights and gets your `forward`. The shipped
# weights fit, and if your parts are right, the same clip comes back.


# %%
def my_vae(preset="cpu", posterior=DiagonalGaussian):
    """A fresh model: its blocks, its layers for down and up, and its posterior are yours."""
    return assembled((FactorizedBlock, Downsample, Upsample), posterior)


vae = my_vae().eval()
vae.load_state_dict(SHIPPED.state_dict())
with torch.no_grad():
    restored = vae.decode(vae.encode(CLIPS[1:2]).latent_dist.mode()).sample.clamp(-1, 1)
count = sum(type(m) in (FactorizedBlock, Downsample, Upsample) for m in vae.modules())
print(f"{count} layers are yours; the largest difference to the library's clip is {(restored - back).abs().max():.0e}")
show.strips({"original": CLIPS[1], "restored by your parts": restored[0]}, num_frames=6, width=72)

# %% [markdown] about="train_step" difficulty=4 importance=5 minutes=15
# ## One training step
#
# Encode, **draw**, decode, pay:
#
# $$ \text{loss} = L(\hat x, x) \;+\; \lambda \cdot \frac{1}{C\,T\,H\,W} \cdot \frac1B \sum_b \mathrm{KL}_b $$
#
# In nats per pixel value, $\lambda$ means the same for clips of any size. Then one move of the optimizer, with the
# length of the whole gradient limited.
#
# | quantity | shape |
# |---|---|
# | `model.encode(clips).latent_dist` | your `DiagonalGaussian` |
# | `.sample(generator)` | `(B, 16, 5, 8, 8)` |
# | `model.decode(z).sample` | `(B, 3, 17, 64, 64)` |
# | result | `{"loss": …, "error": …, "kl": …}`, floats |

# %% exercise="train_step" from="common.training.vae:train_step"

# %% check="train_step"

# %% [markdown] hints="train_step"
# 1. Five lines make the loss, four make the move. `clips[0].numel()` is C · T · H · W.
# 2. `optimizer.zero_grad()`, `loss.backward()`, `torch.nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)`,
#    `optimizer.step()`, in this order.
# 3. `error = reconstruction_loss(model.decode(dist.sample(generator)).sample, clips)`; `kl = dist.kl().mean() /
#    clips[0].numel()`; `loss = error + kl_weight * kl`. Return `.item()` of the three.

# %% [markdown] troubles="train_step"
# - **The KL term is thousands of times too large.** Divide by the numbers of one clip: nats per pixel value.
# - **The check says that the latents are the mode.** Without a draw the decoder never meets the noise that the KL term
#   pays for.
# - **The second step differs from the first.** Old gradients were still there: `zero_grad()` comes before `backward()`.

# %% [markdown]
# ## The run
#
# Everything in it is yours but the optimizer (Muon) and the loop, which shows the time left and keeps checkpoints: stop
# the kernel, and the cell goes on where it was. (To begin anew, delete `FOLDER`.) At `ci` it starts from second 60,
# and the learning rate falls to zero. The long run, measured once: 28.5 dB after 21 minutes of one core.

# %%
MINUTE = CausalVideoVAE.from_pretrained("sprites-vae-minute").eval()
STAGE, START = ("settle", MINUTE.state_dict()) if SIZE == "ci" else ("long", None)
FOLDER = Path(tempfile.mkdtemp()) if SIZE == "ci" else cache_dir() / "runs" / "lab-05.2"
parts = {"build_model": my_vae, "step": partial(step, train_step=train_step), "sheet": None, "finish": None}
recipe = replace(RECIPE, name="my-vae", measure=lambda vae, _: {"psnr": mean_psnr(vae, CLIPS.to(vae.device))}, **parts)
where = "gpu" if SIZE == "gpu" else "cpu"
weights = train(recipe, where, stage=STAGE, folder=FOLDER, weights=START, quiet=SIZE == "ci")
mine = my_vae().eval()
mine.load_state_dict(read_weights(weights))
log = read_log(FOLDER)

# %% [markdown]
# ## The result to remember
#
# The same clip at second 0, at second 60, after your run, and from the shipped weights (four core-hours). The
# **baseline** is the mean frame. A PSNR of 6 dB more means errors half as large.

# %% tags=["demo"] draws="Your VAE between second 0 and the shipped one; then decibels over time."
torch.manual_seed(0)
stages = {"second 0": my_vae().eval(), "second 60": MINUTE, "yours": mine, "shipped": SHIPPED}
with torch.no_grad():
    rows = {"original": CLIPS[1], "mean frame": mean_frame(CLIPS[1:2])[0]}
    rows |= {name: model(CLIPS[1:2]).sample.clamp(-1, 1)[0] for name, model in stages.items()}
beside = torch.cat(list(rows.values()), dim=3)
display(show.player(beside, fps=8, width=480, max_bytes=55_000, caption=" | ".join(rows)))
display(show.strips(rows, num_frames=6, width=64))
line = mean_frame_psnr(CLIPS)
reached = {"second 60": mean_psnr(MINUTE, CLIPS), "yours": log[-1]["psnr"], "shipped": mean_psnr(SHIPPED, CLIPS)}
for name, psnr in {"mean frame (baseline)": line, **reached}.items():
    print(f"{name:24}{psnr:6.2f} dB  {psnr - line:+6.2f}")
record = json.loads((folder("sprites-vae-minute") / "record.json").read_text())  # what we measured
begin = 60 if SIZE == "ci" else 0
measured = [(begin + entry["cpu_seconds"], entry["psnr"]) for entry in log if "psnr" in entry]
draw_curve(record["curve"], measured, baseline=line, shipped=reached["shipped"])

# %% [markdown]
# **What to see.** The mean frame is beaten within the first minute or so, though it knows the still ground perfectly.
# The colours come first, then the ground, then outlines. What your run still lacks against the shipped weights is time,
# and the two terms of [their recipe](../../common/zoo/sprites_vae/card.md) that count the change from frame to frame.
#
# ## Negative controls
#
# The same step from the weights of second 60, with the KL term as it should be, with diffusers' sum over the wrong
# axes, and with 100 and 10,000 times its weight. A channel is **dead** when its mean no longer varies (variance below
# 0.01).


# %%
def control(kl_weight=3e-3, posterior=DiagonalGaussian):
    """A few steps from second 60: nats per number of each channel, which channels are alive, and the PSNR."""
    vae = my_vae(posterior=posterior)
    vae.load_state_dict(MINUTE.state_dict())
    go_on(vae, train_step, CONTROL_STEPS, CONTROL_BATCH, kl_weight=kl_weight)
    return carried(vae, CLIPS[:4])


# %% tags=["demo"] draws="What each latent channel carries, with the KL term right and wrong."
arms = {"as it should be": {}, "wrong axes": {"posterior": WrongAxes}, "100 times": {"kl_weight": 0.3}}
arms["10,000 times"] = {"kl_weight": 30.0}
nats = {}
print(f"{'the KL term':32}nats per number  dead channels     PSNR   (mean frame {mean_frame_psnr(CLIPS[:4]):.1f} dB)")
for name, options in arms.items():
    nats[name], alive, psnr = control(**options)
    print(f"{name:32}{nats[name].mean():15.2f}{int((~alive).sum()):8} of {len(alive)}{psnr:9.1f}")
for row in record["kl_weight"]:
    name = f"{row['times']:,} times, {row['steps']} steps"
    print(f"recorded: {name:22}{row['nats']:15.2f}{row['dead']:8} of 16{row['psnr']:9.1f}")
draw_channels(nats, f"What the channels carry, {CONTROL_STEPS} steps after second 60")

# %% [markdown]
# **What to see.** The larger the weight, the less the channels say. In the recorded runs the weight times 100 took
# four fifths of the nats, and the picture did not suffer: a young VAE says more than it needs. Times 10,000 the
# picture falls below the mean frame. Dead in the strict sense takes longer than a minute, but what is left says next
# to nothing. The wrong axes are the quiet control: an eighth of the weight changes nothing that you would see in
# seconds, and no error tells you. That is why the first check asks for the shape.

# %% [markdown] tags=["folded"]
# ## Going further
#
# **Your VAE and Wan's, in equal core-seconds.** Both cut to the same number of weights, both trained by your step. The
# record is from [a benchmark](../../benchmarks/vae_peer.md) of 40 core-minutes per side. Some of its clips stand
# still, so its decibels are not those above. Wan's layers work at full resolution, ours behind patches of 4×4 pixels,
# so Wan gets far fewer steps out of the same time. It was made for film at 720p: the record says what is worth
# training on a laptop, not which design is better in the end. (Its decoder clamps to [-1, 1], where gradients end. The
# benchmark takes the clamp out.)

# %% tags=["demo"] draws="Equal core-seconds: your VAE and Wan's, cut to the same size."
SHORT = CLIPS[:1, :, :5]
for name, model in {"yours": my_vae(), "wan": AutoencoderKLWan(base_dim=13, z_dim=16, num_res_blocks=1)}.items():
    one_step = partial(train_step, model, torch.optim.Adam(model.parameters(), lr=1e-4), SHORT)
    print(f"{name:6}{steps_in(one_step, PEER_SECONDS):5} steps on 5 frames in {PEER_SECONDS} core-seconds")
peers = json.loads((Path(common.__file__).parents[1] / "benchmarks/results/vae_peer.json").read_text())["sides"]
for name, side in peers.items():
    seconds, psnr = side["core_seconds"], side["held_out/psnr"]
    print(f"recorded: {name:6}{side['steps']:5} steps of 8 clips of 17 frames in {seconds} s: {psnr:.1f} dB")

# %% [markdown]
# **The real ones have the same calls.** These are the VAEs of three large generators, with a few ten thousand random
# weights here. `load_vae` in `common.models.large_vaes` gets the real weights, from the hub or from a folder.

# %% tags=["demo"] draws="Three large models' VAEs, tiny: the same calls, the same shapes."
for name in LARGE:
    large = tiny_vae(name)
    with torch.no_grad():
        dist = large.encode(CLIPS[:1]).latent_dist
        clip = large.decode(dist.mode()).sample
    shapes = tuple(dist.mean.shape), tuple(clip.shape), tuple(dist.kl().shape)
    print("{:28}{} {}, and its kl() is {}".format(type(large).__name__, *shapes))

# %% [markdown]
# **Try it.** Change one thing and run again: `kl_weight` 0 (do the latents keep a scale?), `CONTROL_STEPS` (when does
# the first channel die?), a batch of one.
#
# **An ablation.** Take the square root out of `reconstruction_loss`. Which clips get better, which worse? The bar chart
# above says what to expect. A run of a minute says whether it is so.
#
# **Honest limits.** Only the first minute of the run from scratch was measured for this page, on a busy machine. A run
# with more terms in its loss had 30.9 dB after 40 core-minutes (the record above). Without bfloat16 in the processor a
# step takes nearly twice as long. The clips are 64 pixels wide and mostly drawn. Film comes back blurred, from the
# shipped weights too: with no perceptual and no adversarial loss, fine texture is averaged away. And a clip must have
# 1 + 4k frames. With other lengths large VAEs pad, and the padding shows as ghosts at the end.

# %% [markdown]
# ## What you own now
#
# `common.layers.FactorizedBlock`, `Downsample` and `Upsample`, `common.models.gaussian.DiagonalGaussian`,
# `common.training.vae`: with `--mine`, `flipbook reconstruct` runs on your parts. Next is lab 05.3, where nothing looks
# ahead: the causal convolution under your blocks.
#
# Papers: variational autoencoders (Kingma, Welling 2013, arXiv:1312.6114), (2+1)D convolutions (Tran et al. 2018,
# arXiv:1711.11248), active units (Burda et al. 2016, arXiv:1509.00519), patches before the first layer (LTX-Video 2025,
# arXiv:2501.00103), Wan (2025, arXiv:2503.20314).
