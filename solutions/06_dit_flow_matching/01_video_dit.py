# %% [markdown]
# # Lab 06.1 · A DiT for video
#
# **What you will have at the end:** a diffusion transformer for video, part by part: patches, 3D RoPE, AdaLN-Zero, the
# block, the model. The weights that ship with the course load into *your* class, and your class draws clips of prompts.
#
# | | |
# |---|---|
# | time | about 90 minutes |
# | difficulty | ★★★★★ |
# | before this | [From a prompt to a clip](../../phases/06_dit_flow_matching/01_from_prompt_to_clip.ipynb) |
#
# | preset | clips drawn, `(T, H, W)` | steps of the sampler | training from scratch | all cells take about |
# |---|---|---|---|---|
# | `ci` | 4, (17, 64, 64) | 8 | 16 steps, loss only | 20 s |
# | `cpu` (default) | 12, (17, 64, 64) | 20 | 1000 steps, and a score | 4 min, 1 more the first time |
# | `gpu` | 96, (17, 64, 64) | 20 | 7000 steps, and a score | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import diffusers
import matplotlib.pyplot as plt
import torch
from diffusers.models.embeddings import get_3d_rotary_pos_embed

from common import show
from common.course import check
from common.data.sprites.attributes import FPS
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.models import peers
from common.models.gates import with_branch_closed
from common.models.time_positions import without_time_positions
from common.pipelines import TextToVideoPipeline
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.training.keyed_noise import KeyedNoise
from common.zoo.mini_arm import MODEL, MiniCoder, captioned_latents, compute_loss, measure_arm
from common.zoo.sprites_t2v.prompts import SHOWN, evaluation_prompts

limit_threads()
plt.rcParams["figure.dpi"] = 75
SIZE = preset()
NUM_CLIPS, STEPS = {"ci": (4, 8), "cpu": (12, 20), "gpu": (96, 20)}[SIZE]
MINI_STEPS, MINI_CLIPS = {"ci": (16, 64), "cpu": (1000, 3000), "gpu": (7000, 3000)}[SIZE]
BLUE, RUST = "#1f6f8b", "#b3541e"


def drawn(pipe, prompts, **options):
    """One clip per prompt, `(B, 3, 17, 64, 64)` in [-1, 1]; clip `i` begins with the noise of seed `i`."""
    pipe.set_progress_bar_config(disable=SIZE == "ci", leave=False)
    seeds = [torch.Generator().manual_seed(i) for i in range(len(prompts))]
    return pipe(prompts, generator=seeds, **{"num_inference_steps": STEPS} | options).frames


def playing(rows, width=80):
    """Clips side by side, each `(3, T, H, W)`, in a loop."""
    row = torch.cat(list(rows.values()), dim=3)
    return show.player(row, FPS, width=width * len(rows), max_bytes=40_000, caption=" | ".join(rows))


# %% [markdown]
# ## Where you are heading
#
# The library's model draws two prompts. At the end yours draws, with the same weights (8 M, `sprites-t2v`).

# %% tags=["demo"] draws="Two prompts, two clips."
PIPE = TextToVideoPipeline.from_pretrained("sprites-t2v")
DIT, VAE = PIPE.transformer.requires_grad_(False), PIPE.vae
playing(dict(zip(SHOWN[1:4:2], drawn(PIPE, SHOWN[1:4:2]))), width=160)

# %% [markdown]
# **Before you read on, a prediction.** A DiT learns *when* a frame is in one place only, a share of the rotation of
# queries and keys. Switch it off in the trained weights. Which goes first: the colour, the shape or the motion? And
# what does the clip become if you also shuffle the frames of the noise? Write it down. The end of this lab measures it.

# %% [markdown] about="patchify" difficulty=1 importance=4 minutes=5
# ## Patchify: from latents to tokens
#
# A transformer reads a sequence of vectors. Cut the latents into blocks and lay each one out: that is one `rearrange`.
#
# | quantity | shape | in `sprites-t2v` |
# |---|---|---|
# | `clip` | `(B, C, T, H, W)` | (1, 16, 5, 8, 8) |
# | `patch_size` | $(p_t, p_h, p_w)$ | (1, 2, 2) |
# | result | `(B, N, C · pt · ph · pw)` | (1, 80, 64) |

# %% exercise="patchify" from="common.tensor_ops:patchify"

# %% check="patchify"

# %% [markdown] hints="patchify"
# 1. In einops an axis in brackets is a product: `(t pt)` on the left splits the frames into blocks.
# 2. On the left `b c (t pt) (h ph) (w pw)`. On the right the blocks form one axis, what is inside a block another.
# 3. First the two `ValueError`s: `clip.ndim != 5`, and any `p < 1 or n % p`. Then `rearrange(clip, "b c (t pt) (h ph)
#    (w pw) -> b (t h w) (c pt ph pw)", pt=pt, ph=ph, pw=pw)`.

# %% [markdown] troubles="patchify"
# - **The shape is right and the numbers are not.** `reshape` cuts along memory, not along rows and columns.

# %% [markdown]
# Your tokens, put back by `unpatchify` (the same pattern, read from right to left), and once in another order.

# %% tags=["demo"] draws="The same 80 tokens, in their order and shuffled."
latents = drawn(PIPE, SHOWN[1:2], output_type="latent")
tokens = patchify(latents, (1, 2, 2))
shuffled = tokens[:, torch.randperm(80, generator=torch.Generator().manual_seed(0))]
rows = {"80 tokens, put back": tokens, "the same 80, shuffled": shuffled}
rows = {name: PIPE.decode(unpatchify(row, (1, 2, 2), (5, 8, 8)))[0] for name, row in rows.items()}
show.strips(rows, num_frames=5, width=72)

# %% [markdown]
# **What to see.** Nothing in a token says where it was. Attention sees a *set*, so positions must be told.

# %% [markdown] about="rotations" difficulty=4 importance=5 minutes=15
# ## 3D RoPE: the axis split and the angles
#
# **RoPE** tells positions by rotation. Of a head's numbers, taken in pairs, each pair is turned by an angle that grows
# with the token's place $m$. Pair $j$ of $n/2$ turns by
#
# $$ \text{angle}_j(m) = m \cdot \theta^{-2j/n}, \qquad \text{turn} = e^{i \, \text{angle}} . $$
#
# A token of a video has three places. `axis_dims(head_dim)` is the **axis split**: so many of a head's numbers tell the
# frame, row and column (24, 20 and 20 of 64). Each axis counts from its own pair 0.
#
# | quantity | shape | for `size=(5, 4, 4)`, `head_dim=64` |
# |---|---|---|
# | pairs of frame, row, column | $n/2$ each | 12, 10, 10 |
# | result | `(T' · H' · W', head_dim / 2)`, complex | (80, 32) |

# %% exercise="rotations" from="common.layers.rope:rotations"

# %% check="rotations"

# %% [markdown] hints="rotations"
# 1. Do one axis alone: a table of angles `(length, n / 2)`, place times speed. Then every token needs the row of its
#    frame, the row of its row and the row of its column, one after the other.
# 2. `speeds = theta ** (-torch.arange(0, n, 2, dtype=torch.float64) / n)`. Give the table the axes of the grid, for
#    rows `(1, H', 1, n / 2)`, and `expand` it to `(T', H', W', n / 2)`.
# 3. `torch.cat` the three along the last axis, `.flatten(0, 2)`, and `torch.polar(torch.ones_like(angle), angle)` is
#    $e^{i \, \text{angle}}$. Then `.to(torch.complex64).to(device)`. Only the frames' places begin at `frame_offset`.

# %% [markdown] troubles="rotations"
# - **The first pair of each axis is right, the others are not.** $n$ is the axis's own share, not `head_dim`.

# %% [markdown] about="rotate" difficulty=2 importance=5 minutes=8
# ## Rotating queries and keys
#
# A pair of numbers is a complex number, and turning it is a product. So for a query at place $m$ and a key at place $n$
# the score is
#
# $$ \mathrm{Re}\big( q \, e^{i m \omega} \; \overline{k \, e^{i n \omega}} \big) =
# \mathrm{Re}\big( q \bar k \; e^{i (m - n) \omega} \big) : $$
#
# only the distance $m - n$ is left. Nothing is added to the tokens, and values are not turned.

# %% exercise="rotate" from="common.layers.rope:rotate"

# %% check="rotate"

# %% [markdown] hints="rotate"
# 1. Make complex numbers of the last axis, multiply, go back.
# 2. `torch.view_as_complex` takes `(..., 2)`, contiguous. `unflatten(-1, (-1, 2))` makes the pairs.
# 3. `rotation[:, None]` is `(N, 1, head_dim / 2)` and meets `(B, N, num_heads, head_dim / 2)`. Back:
#    `torch.view_as_real(…).flatten(-2).to(x.dtype)`.

# %% [markdown] troubles="rotate"
# - **Every number is wrong.** Some models pair number j with number j + head_dim / 2. Here neighbours are a pair.

# %% [markdown]
# The same vector at every frame, turned by your two functions: its product with itself, d frames away. Language models
# take θ = 10,000, for thousands of places. A clip here has five.

# %% tags=["demo"] draws="Product by distance in frames, for two values of theta."
figure, axis = plt.subplots(figsize=(7.2, 2.7), layout="constrained")
for theta, colour in ((100.0, BLUE), (10_000.0, RUST)):
    turned = rotate(torch.ones(1, 21, 1, 64), rotations((21, 1, 1), 64, theta=theta))[0, :, 0]
    axis.plot(turned @ turned[0] / 64, color=colour, marker="o", markersize=4, label=f"θ = {theta:g}")
axis.axvspan(0, 4, color="0.92")
axis.set(xlabel="distance, latent frames", ylabel="product, part of the largest")
axis.set_title("What RoPE alone says of near and far. Grey: the five frames of a clip", fontsize=10)
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# **What to see.** With θ = 100 the product falls further within the grey: five frames are told apart more clearly.

# %% [markdown] about="AdaLNZero" difficulty=2 importance=5 minutes=10
# ## AdaLN-Zero
#
# How noisy are the latents? The noise level reaches every branch of every block as three vectors:
#
# $$ x \leftarrow x + \text{gate} \cdot
# \text{branch}\big( \mathrm{norm}(x) \, (1 + \text{scale}) + \text{shift} \big) . $$
#
# `Modulation` holds the three, and its methods `enter` and `leave` are this line. Your part gives one to each branch:
# a signal that all blocks share, plus a table of the block's own, cut into pieces. Signal and table begin at zero. So
# every gate does, and a fresh block is the identity.
#
# | quantity | shape |
# |---|---|
# | `signal` | `(B, T' or 1, num_branches · 3 · D)` |
# | `self.table` | `(num_branches · 3 · D,)` |
# | each shift, scale and gate | `(B, T' or 1, 1, D)` |

# %% exercise="AdaLNZero" from="common.layers.modulation:AdaLNZero" blank="forward"

# %% check="AdaLNZero"

# %% [markdown] hints="AdaLNZero"
# 1. Add in float32, then cut. Which of branch, part and D is outermost in the signal?
# 2. `rearrange(…, "b t (n three d) -> n three b t 1 d", n=self.num_branches, three=3)` has one entry per branch.
# 3. `[Modulation(*branch) for branch in parts]`: the order shift, scale, gate is that of its fields.

# %% [markdown] troubles="AdaLNZero"
# - **The shift of one branch is the scale of another.** `chunk(9)` is right if you take the chunks three by three.

# %% [markdown]
# A gate can also be closed by hand: your part in the shipped model, and one branch of *every* block silenced.

# %% tags=["demo"] draws="One prompt, with one branch of every block closed."
for block in DIT.blocks:
    own = AdaLNZero(DIT.config.dim, 3)
    own.load_state_dict(block.modulation.state_dict())
    block.modulation = own
rows = {}
for name, branch in (("all open", None), ("no self-attention", 0), ("no text", 1)):
    with with_branch_closed(DIT, branch):
        rows[name] = drawn(PIPE, SHOWN[3:4])[0]
show.strips(rows, num_frames=5, width=72, title=SHOWN[3])

# %% [markdown]
# **What to see.** Without the text there is still a picture, just not yours. Without self-attention there is none.

# %% [markdown] about="DiTBlock" difficulty=3 importance=5 minutes=15
# ## The DiT block
#
# Three residual branches: self-attention over the tokens of *all* frames at once, the only place where frames meet,
# cross-attention to the text, feed-forward. Queries and keys go through **QK-norm**, then through your `rotate`.
#
# | quantity | shape |
# |---|---|
# | `x` | `(B, T', S, D)`, S tokens per frame |
# | `self.attention(tokens, rotation, mask, cache)` | `(B, T' · S, D)` in and out, and a cache |
# | `self.cross_attention(tokens, text, text_mask)` | `(B, T' · S, D)` in and out |

# %% exercise="DiTBlock" from="common.models.dit:DiTBlock" blank="forward"

# %% check="DiTBlock"

# %% [markdown] hints="DiTBlock"
# 1. Three times the same: enter, network, leave. Only the network differs.
# 2. `rearrange(own.enter(x), "b t s d -> b (t s) d")` goes in, `rearrange(out, "b (t s) d -> b t s d", t=num_frames)`
#    comes back. The feed-forward works on the last axis: no `rearrange`.
# 3. `own, cross, ffn = self.modulation(signal)`; `out, cache = self.attention(…, rotation, mask, cache)`; `x =
#    own.leave(x, …)`; the same with `self.cross_attention(…, text, text_mask)`; `return ffn.leave(x,
#    self.ffn(ffn.enter(x))), cache`.

# %% [markdown] troubles="DiTBlock"
# - **Frames do not see each other.** You attend with frames as a batch: `(b t) s d`. Here T' and S are one sequence.
# - **The result is right at first and drifts in streams.** The cache that the attention *returns* is the new one.

# %% [markdown]
# Is it the block that others use? Here is one of **Wan**, an open model, and yours with the same weights (without
# QK-norm, whose kind differs). Then change one token of a clip, in a shipped block, and see which tokens it reaches.

# %% tags=["demo"] draws="Which tokens one changed token reaches, without and with the block-causal mask."
print(f"Wan's block and yours agree to 1e-5: {peers.distance_from_wan(DiTBlock) < 1e-5}")
block = DiTBlock(256, 4, 896).requires_grad_(False)
block.load_state_dict(DIT.blocks[3].state_dict())
tokens = DIT.patches_in(patchify(latents, (1, 2, 2))).unflatten(1, (5, 16))
changed = tokens.clone()
changed[:, 2, 5] = 0
signal = DIT.to_signal(DIT.time_in(timestep_features(torch.tensor([[500.0]]), 256)))
turn, none, mask = rotations((5, 4, 4), 64), torch.zeros(1, 4, 256), frame_causal_mask(5, 16)
figure, axes = plt.subplots(2, 5, figsize=(7.2, 3.2), layout="constrained")
for line, name, seen in zip(axes, ("full attention", "block-causal"), (None, mask)):
    before, after = (block(t, signal, none, None, turn, seen)[0] for t in (tokens, changed))
    moved = (after - before)[0].norm(dim=-1).clamp(min=1e-6).log10().reshape(5, 4, 4)
    for t, axis in enumerate(line):
        axis.imshow(moved[t], vmin=moved.max() - 4, vmax=moved.max(), cmap="magma")
        axis.set(xticks=[], yticks=[], title=f"frame {t}")
    line[0].set_ylabel(name)
figure.suptitle("How much each token moves when one of frame 2 changes (dark to bright: 1 to 10,000)", fontsize=10)
plt.show()

# %% [markdown]
# **What to see.** With full attention one block is enough to reach every frame, past and future. Under the block-causal
# mask the past stays black: that is what makes streams possible (phase 9).

# %% [markdown] about="VideoDiT" difficulty=4 importance=5 minutes=20
# ## The model
#
# All that is left is the way through. The layers are made in `__init__`. `timestep_features`, `plain_norm` and
# `unpatchify` are given.
#
# | latents | tokens | embedding of the levels | signal | last signal |
# |---|---|---|---|---|
# | `(B, C, T', H', W')` | `(B, T', S, D)` | `(B, T' or 1, D)` | `(B, T' or 1, 9 D)` | `(B, T' or 1, 2 D)` |

# %% exercise="VideoDiT" from="common.models.dit:VideoDiT" blank="forward"

# %% check="VideoDiT"

# %% [markdown] hints="VideoDiT"
# 1. Write the six steps of the docstring as comments, then one to three lines under each.
# 2. `grid = (num_frames, height // p, width // p)`. A timestep `(B,)` becomes `(B, 1)`: `timestep[:, None]`. Blocks and
#    caches go together: `zip(self.blocks, caches or [None] * len(self.blocks))`.
# 3. The end: `shift, scale = self.to_last_signal(time)[:, :, None].float().chunk(2, dim=-1)`, then
#    `self.patches_out((plain_norm(x) * (1 + scale) + shift).to(dtype))`, then `rearrange(x, "b t s d -> b (t s) d")`
#    and `unpatchify(…, (1, p, p), (num_frames, height, width))`.

# %% [markdown] troubles="VideoDiT"
# - **The first piece of a stream is right, the second is not.** `frame_offset` belongs into the rotation.
# - **It says that dtypes differ.** Features and norms are float32. Bring them to the dtype of `hidden_states`.

# %% [markdown]
# ## The result to remember
#
# Your class, the shipped weights, prompts that were not trained on. **Baseline**: your class with fresh weights.
# **Negative control**: the same weights with the frames' share of your rotation switched off. The world's reader says
# in how many clips each attribute is as asked.

# %% tags=["demo"] draws="Your model beside the control and the baseline, scored and playing."
mine = VideoDiT.from_pretrained("sprites-t2v").eval().requires_grad_(False)
fresh = VideoDiT(**{name: mine.config[name] for name in ("dim", "num_layers", "num_heads", "ffn_dim")})
pipe, untrained = (TextToVideoPipeline(model, VAE) for model in (mine, fresh))
asked = evaluation_prompts("one_object")[:NUM_CLIPS]
results = {"your model": drawn(pipe, asked)}
with without_time_positions(mine):
    results["no positions in time"] = drawn(pipe, asked)
results["untrained"] = drawn(untrained, asked, num_inference_steps=1)  # with a velocity of zero, more are the same
still = fresh(torch.randn(1, 16, 5, 8, 8), torch.tensor([900.0]), torch.randn(1, 4, 384)).sample
print(f"largest velocity of fresh weights: {still.abs().max():.0f}")
WORDS = ("color", "shape", "background", "motion")
print(f"right, of {NUM_CLIPS} clips".ljust(24) + "".join(f"{word:>12}" for word in WORDS))
for name, clips in results.items():
    right = accuracy(asked, read_sprites(clips))
    print(f"{name:24}" + "".join(f"{right[word]:12.0%}" for word in WORDS))
display(playing({name: clips[0] for name, clips in results.items()}, width=96))
show.strips({f"{name}: {asked[0]}": clips[0] for name, clips in results.items()}, num_frames=9, width=60)

# %% [markdown]
# **What to see.** Your model draws what was asked. Without positions in time the thing and its colour are still there,
# and in most clips the motion is not. Fresh weights give back the noise: all gates are zero, and so is the velocity.
#
# **Theorem:** a DiT without positions in time is equivariant. Permute the frames of the noise, and the frames of
# the result are permuted, exactly. So any order of frames is as likely as the right one.

# %% tags=["demo"] draws="Noise in order and shuffled, its clips sorted back: with positions, then without."
ORDER = [3, 0, 4, 1, 2]
noise = torch.randn(1, 16, 5, 8, 8, generator=torch.Generator().manual_seed(0))
text = PIPE.text_encoder(SHOWN[1:2])


def both_orders(name):
    """Say whether one velocity is equivariant; draw from the noise and the shuffled noise, and sort the latter back."""
    both, back = (noise, noise[:, :, ORDER]), torch.tensor(ORDER).argsort()
    one, other = (mine(x, torch.tensor([900.0]), text.states, text.mask).sample for x in both)
    off = (other - one[:, :, ORDER]).abs().max() / one.abs().max()
    print(f"{name}: permuted noise gives the permuted velocity to 1e-5: {bool(off < 1e-5)}")
    one, other = (drawn(pipe, SHOWN[1:2], latents=x, eta=0, output_type="latent") for x in both)
    return {name: PIPE.decode(one)[0], f"{name}, shuffled, sorted": PIPE.decode(other[:, :, back])[0]}


rows = both_orders("with positions")
with without_time_positions(mine):
    rows |= both_orders("without")
display(playing(rows))
show.strips(rows, num_frames=5, width=60)

# %% [markdown]
# **What to see.** The last two rows are the same clip, to rounding. The first two are not. (A latent frame holds four
# frames of video, so a little of the direction is *inside* it. The theorem is about the order of latent frames.)
#
# ## From scratch
#
# A fresh model of yours, 1.6 M weights, on the `mini` world: one circle, 4 colours, 6 motions.

# %%
torch.manual_seed(0)
coder, small = MiniCoder(), VideoDiT(**MODEL)
data = captioned_latents(coder, MINI_CLIPS)
optimizer = torch.optim.AdamW(small.parameters(), lr=2e-3, betas=(0.9, 0.95), weight_decay=0.01)
losses = []
for step in progress_bar(range(MINI_STEPS), desc="your DiT", unit="step"):
    chosen = range(16 * step, 16 * step + 16)
    loss = compute_loss(small, data.batch(chosen), KeyedNoise(0, chosen))["loss"]
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(f"loss: {sum(losses[:4]) / 4:.1f} at first, {sum(losses[-4:]) / 4:.1f} at last")
if SIZE != "ci":
    print({name: f"{value:.0%}" for name, value in measure_arm(small.eval(), coder, 48).items()})

# %% tags=["demo"] draws="The loss of your model, from scratch."
figure, axis = plt.subplots(figsize=(7.2, 2.4), layout="constrained")
axis.plot(losses, color=BLUE)
axis.axhline(2, color="0.6", linestyle=":")
axis.set(xlabel="step, 16 clips each", ylabel="squared error of the velocity", ylim=(0, None))
axis.set_title("Training from scratch. Dotted: the answer zero, with which it begins", fontsize=10)
plt.show()

# %% [markdown]
# ## Try it
#
# Any sentence of this world. With a `theta` of 10,000 the weights meet angles that they never saw.

# %%
PROMPT, THETA = SHOWN[2], 10_000.0

rows = {}
for theta in (THETA, 100.0):  # the last one is that of the weights
    mine.register_to_config(rope_theta=theta)
    rows[f"theta = {theta:g}"] = drawn(pipe, [PROMPT])[0]
show.strips(rows, num_frames=9, width=60)

# %% [markdown] tags=["folded"]
# ## Going further: the real ones
#
# The same call on diffusers' classes of **Wan** and **CogVideoX**, tiny and untrained. Real weights load by
# `WanTransformer3DModel.from_pretrained("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", subfolder="transformer")`. CogVideoX has
# frames before channels, and is *given* its rotations.

# %% tags=["demo"] draws="Two published classes, run in miniature."
latents, text, level = torch.randn(1, 16, 5, 8, 8), torch.randn(1, 8, 32), torch.tensor([500.0])
wan, cog = (getattr(diffusers, name)(**config) for name, config in peers.TINY.items())
turns = get_3d_rotary_pos_embed(16, ((0, 0), (4, 4)), (4, 4), 5)
outs = wan(latents, level, text), cog(latents.transpose(1, 2), text, level, image_rotary_emb=turns)
for model, out in zip((wan, cog), outs):
    print(f"{type(model).__name__:28} {model.num_parameters():7,} weights, velocity {tuple(out.sample.shape)}")

# %% [markdown]
# **An ablation.** Train twice, `MINI_STEPS = 1000`, once inside `with without_time_positions(small):`. What differs?
#
# ## Honest limits
#
# - Sprites, two seconds, 80 tokens. For 5 s of 720p it is 54,000, and attention is most of the cost.
# - The control switches positions off in weights that were trained with them. Two models of the `mini` world trained
#   for ten core-minutes each, seed 0 (`benchmarks/mini_arm.py --arm no-time`), say the same: of 384 clips, 53 % move as
#   asked with positions in time and 4 % without; the colour is right in 99 % of both.
#
# ## Yours now
#
# All six parts are the library's, and now yours: `flipbook generate "a small red star moves left over a blue field"
# --mine` draws with them, once this notebook is saved in `work/`.
#
# **Next:** 06.2, the loss that trained it. **To read:** *DiT* (arXiv:2212.09748), *RoFormer* (arXiv:2104.09864), *Wan*
# (arXiv:2503.20314), *CogVideoX* (arXiv:2408.06072).
