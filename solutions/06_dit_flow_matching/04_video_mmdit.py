# %% [markdown]
# # Lab 06.4 · An MMDiT for video
#
# **What you will have at the end:** an MMDiT, the transformer of Stable Diffusion 3 and HunyuanVideo, part by part.
# Text and video are two streams in one attention. Your block computes what Stable Diffusion 3's does, your class draws
# with trained weights, and you will have seen an answer to a question on which the literature is split: does a joint
# stream bind words better?
#
# | | |
# |---|---|
# | time | about 75 minutes |
# | difficulty | ★★★★★ |
# | before this | [06.1](../../labs/06_dit_flow_matching/01_video_dit.ipynb), a DiT for video |
#
# | preset | pictures, `(T, H, W)` | training from scratch | all cells take about |
# |---|---|---|---|
# | `ci` | 64, (1, 64, 64) | 16 steps, loss only | 10 s |
# | `cpu` (default) | 3000, (1, 64, 64) | 400 steps, and a score | 45 s |
# | `gpu` | 3000, (1, 64, 64) | 1400 steps, and a score | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import json

import matplotlib.pyplot as plt
import torch
from einops import rearrange

from common import show
from common.course import check, paths
from common.data.mini.pairs import MiniPairs, PairWords
from common.evaluation.pairs import pair_accuracy
from common.evaluation.share import Share
from common.models.dit import DiTBlock
from common.models.sd3_peer import distance_from_sd3
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.show.curves import draw_curves
from common.training.keyed_noise import KeyedNoise
from common.zoo.mini_objectives import compute_loss
from common.zoo.pair_arm import MMDIT, arm_steps, captioned_pairs, frozen_text, generate_arm

limit_threads()
plt.rcParams["figure.dpi"] = 75
SIZE = preset()
STEPS, NUM_PICTURES = {"ci": (16, 64), "cpu": (400, 3000), "gpu": (1400, 3000)}[SIZE]
BLUE, OLIVE, RUST = "#1f6f8b", "#8a7a2f", "#b3541e"

# %% [markdown]
# ## The question
#
# Two captions with the same words, and what they ask for. A model that only knows *which* words a caption has draws a
# red and a cyan circle for both, and half of the time the wrong one is small. To **bind** words is to know which
# belongs to which.

# %% tags=["demo"] draws="Two captions with the same words, two pictures."
world = MiniPairs("held_out")
known, wanted = world.words(range(80)), PairWords("red", "cyan", "white")
drawn = world.batch([known.index(wanted), known.index(wanted.swapped)])
print(*drawn.captions, sep="\n")
show.strips({"small red": drawn.clips()[0], "small cyan": drawn.clips()[1]}, num_frames=1, width=110)

# %% [markdown]
# **Before you read on, a prediction.** Four models of equal size are trained on such pictures. Two read the text by
# cross-attention, two have a text stream. Of each, one gets *bare word embeddings* and one the states of the text
# encoder's third layer, in which words have read each other. Which of the four will bind? The end of this lab shows it.

# %% [markdown] about="joint_mask" difficulty=1 importance=5 minutes=5
# ## The padding mask
#
# Prompts of a batch are padded to one length. In joint attention a padding token is a token like any other, with keys
# that take their share of every softmax, until a mask hides it.
#
# | quantity | shape | here |
# |---|---|---|
# | `text_mask` | `(B, L)` | True for a word |
# | result | `(B, 1, 1, N + L)` | True for "may be looked at" |

# %% exercise="joint_mask" from="common.layers.joint_attention:joint_mask"

# %% check="joint_mask"

# %% [markdown] hints="joint_mask"
# 1. The video has no padding: N times True. The text's part is its own mask.
# 2. `torch.cat([…, …], dim=1)`, and two axes of size 1 for heads and for the tokens that look: `[:, None, None, :]`.
# 3. `text_mask.new_ones(len(text_mask), num_tokens, dtype=torch.bool)` is the video's part, `text_mask.bool()` the
#    text's.

# %% [markdown] troubles="joint_mask"
# - **Everything comes out as NaN later.** `scaled_dot_product_attention` takes True for "may look", the opposite of
#   `key_padding_mask` in `nn.MultiheadAttention`.

# %% [markdown] about="JointAttention" difficulty=3 importance=5 minutes=15
# ## Joint attention: two sets of weights, one softmax
#
# Each stream makes queries, keys and values with weights of its own. Then the sequences are laid end to end:
#
# $$ \mathrm{softmax}\!\left( \frac{[q_v; q_t] \, [k_v; k_t]^\top}{\sqrt{d}} \right) [v_v; v_t] . $$
#
# So the video looks at the text, as in cross-attention. But the text looks too: at the video, and at itself.
#
# | quantity | shape |
# |---|---|
# | `self.video(x)`, `self.text(text)` | three times `(B, N or L, num_heads, head_dim)` |
# | `attend(q, seen, mask)` | `q` as above; `seen` is `KeyValues`, `(B, num_heads, N + L, head_dim)` |
# | result of `attend` | `(B, N + L, D)` |

# %% exercise="JointAttention" from="common.layers.joint_attention:JointAttention" blank="forward"

# %% check="JointAttention"

# %% [markdown] hints="JointAttention"
# 1. Get q, k, v from both streams, turn the video's q and k, and concatenate pair by pair along the axis of tokens.
# 2. `KeyValues` wants heads before tokens: `rearrange(part, "b n h d -> b h n d")` for keys and values. The queries
#    stay as they are.
# 3. `attend(q, KeyValues(keys, values), mask).split([x.shape[1], text.shape[1]], dim=1)`, and each part through its own
#    stream's `to_out`.

# %% [markdown] troubles="JointAttention"
# - **It says that rotation and tokens have different lengths.** Rotate before you concatenate: there are N places.
# - **The video is right and the text is not.** Both parts go through a `to_out`, and they are not the same one.

# %% [markdown]
# Your two functions together. One sentence of six words, once alone and once padded to twelve and more, by random
# weights: how far does the video's result move?

# %% tags=["demo"] draws="How far padding moves the video, with your mask and without."
torch.manual_seed(0)
layer = JointAttention(64, 4).requires_grad_(False)
video, words, padding = torch.randn(1, 16, 64), torch.randn(1, 6, 64), torch.randn(1, 1, 64)
alone = layer(video, words)[0]
LENGTHS = (0, 6, 12, 24, 48)
moved = {"no mask": [], "your mask": []}
for extra in LENGTHS:
    padded = torch.cat([words, padding.expand(-1, extra, -1)], dim=1)
    real = torch.arange(6 + extra)[None] < 6
    for name, mask in (("no mask", None), ("your mask", joint_mask(real, 16))):
        moved[name].append(((layer(video, padded, mask=mask)[0] - alone).norm() / alone.norm()).item())
draw_curves({name: (LENGTHS, values) for name, values in moved.items()},
            "The same six words with more and more padding", colors=(RUST, BLUE),
            xlabel="padding tokens", ylabel="relative change of the video")  # fmt: skip

# %% [markdown]
# **What to see.** With the mask the line is zero. Without it, padding soon drowns the words. (Some published models
# were trained without a mask. Run a model as it was trained.)

# %% [markdown] about="MMDiTBlock" difficulty=4 importance=5 minutes=20
# ## The MMDiT block
#
# Both streams have everything twice: AdaLN-Zero, weights of attention, feed-forward. They meet in the attention alone.
# After the last block no one reads the text, so half of it is left out there.
#
# | quantity | shape |
# |---|---|
# | `x` | `(B, T', S, D)`, S tokens per frame |
# | `text` | `(B, L, D)` |
# | `self.attention(tokens, text, rotation, mask)` | `(B, T' · S, D)` and `(B, L, D)`, in and out |

# %% exercise="MMDiTBlock" from="common.layers.joint_attention:MMDiTBlock" blank="forward"

# %% check="MMDiTBlock"

# %% [markdown] hints="MMDiTBlock"
# 1. Write the video's two branches as in 06.1. Then give the text the same two, with its own modulations and layers.
# 2. `lone = text[:, None]` makes a clip of one frame, which `enter` and `leave` understand. `[:, 0]` goes back.
# 3. `own, ffn = self.modulation(signal)`, `text_own, text_ffn = self.text_modulation(text_signal)`; `out, text_out =
#    self.attention(…, text_own.enter(lone)[:, 0], rotation, mask)`; then `own.leave(x, …)` and, unless `self.is_last`,
#    `text_own.leave(lone, text_out[:, None])`, and each stream's feed-forward in the same way.

# %% [markdown] troubles="MMDiTBlock"
# - **Shapes do not meet in `leave`.** A modulation is `(B, 1, 1, D)`: a text `(B, L, D)` would be read as B frames.
# - **The last block fails in `text_ffn`.** It has none. Return before you come to it, with the text as it came.

# %% [markdown]
# Is it the block that others use? Stable Diffusion 3's, with the same weights, beside yours. Then change *one word*,
# and see who moves within one block: in yours, and in a DiT block with cross-attention.

# %% tags=["demo"] draws="Who moves in one block when one word changes, and when one patch does."
print(f"Stable Diffusion 3's block and yours agree to 1e-5: {distance_from_sd3(MMDiTBlock) < 1e-5}")
torch.manual_seed(0)
tokens, words = torch.randn(1, 1, 16, 64), torch.randn(1, 8, 64)
other_words, other_tokens = words.clone(), tokens.clone()
other_words[:, 2], other_tokens[:, 0, 5] = torch.randn(64), torch.randn(64)
joint, cross = (kind(64, 4, 128).requires_grad_(False) for kind in (MMDiTBlock, DiTBlock))
run = {"MMDiT": lambda x, text: joint(x, text, torch.ones(1, 1, 384), torch.ones(1, 1, 384)),
       "cross-attention": lambda x, text: (cross(x, torch.ones(1, 1, 576), text)[0], text)}  # fmt: skip
figure, axes = plt.subplots(2, 2, figsize=(7.6, 3.4), layout="constrained")
for line, (name, block) in zip(axes, run.items()):
    before = torch.cat([block(tokens, words)[0][0, 0], block(tokens, words)[1][0]])
    for axis, (what, changed) in zip(line, {"word 2": (tokens, other_words), "patch 5": (other_tokens, words)}.items()):
        x, text = block(*changed)
        moved = (torch.cat([x[0, 0], text[0]]) - before).norm(dim=-1)
        axis.bar(range(24), moved, color=[BLUE] * 16 + [RUST] * 8)
        axis.set(yscale="symlog", ylim=(0, 20), xticks=[7.5, 19.5], xticklabels=["16 patches", "8 words"])
        axis.set_yticks([0, 1, 10], [0, 1, 10])
        axis.set_title(f"{name}: {what} is changed", fontsize=10)
figure.supylabel("how far each token moves", fontsize=10)
plt.show()

# %% [markdown]
# **What to see.** In your block a changed word moves the *other words*, and so does a changed patch. With
# cross-attention the words never move, apart from the one that was changed.

# %% [markdown] about="MMVideoDiT" difficulty=4 importance=5 minutes=20
# ## The model
#
# The way through is that of 06.1, with two streams. The text has no frames, so it gets one noise level: that of the
# mean embedding.
#
# | latents | tokens | text | signal | text's signal |
# |---|---|---|---|---|
# | `(B, C, T', H', W')` | `(B, T', S, D)` | `(B, L, D)` | `(B, T' or 1, 6 D)` | `(B, 1, 6 D)` |

# %% exercise="MMVideoDiT" from="common.models.mmdit:MMVideoDiT" blank="forward"

# %% check="MMVideoDiT"

# %% [markdown] hints="MMVideoDiT"
# 1. Write the six steps of the docstring as comments, then one to three lines under each.
# 2. `grid = (num_frames, height // p, width // p)`, a timestep `(B,)` becomes `(B, 1)`, and the text's level is
#    `time.mean(dim=1, keepdim=True)`. The mask needs N, which is T' · S.
# 3. The loop is `x, text = block(x, text, signal, text_signal, rotation, mask)`. The end: `shift, scale =
#    self.to_last_signal(time)[:, :, None].float().chunk(2, dim=-1)`, then `self.patches_out((plain_norm(x) *
#    (1 + scale) + shift).to(dtype))`, then `rearrange` to `(B, T' · S, …)` and `unpatchify`.

# %% [markdown] troubles="MMVideoDiT"
# - **It is right with one level per clip and wrong with one per frame.** The text's signal has no axis of frames.
# - **It says that dtypes differ.** Features and norms are float32. Bring them to the dtype of `hidden_states`.

# %% [markdown]
# ## Your class, our weights
#
# `mini-pairs` is an MMDiT of 0.77 M weights that saw 3,000 such pictures, never with red and cyan together. It loads
# into your class, and your code draws. Above, four pictures of *a small red circle and a large cyan circle over a black
# field*. Below, the colours swapped, from the same four noises.

# %% tags=["demo"] draws="Your class draws both captions, from noise to picture."
trained = MMVideoDiT.from_pretrained("mini-pairs").eval().requires_grad_(False)
asked = [PairWords("red", "cyan", "black")] * 4 + [PairWords("cyan", "red", "black")] * 4
way = list(arm_steps(trained, "layer3-mmdit", asked, seeds=[0, 1, 2, 3] * 2))  # each (8, 3, 1, 64, 64)
sheet = torch.stack([rearrange(step[:, :, 0], "(row noise) c h w -> c (row h) (noise w)", row=2) for step in way], 1)
counts = pair_accuracy(asked, way[-1])
print(f"{8 * counts['right']:.0f} of 8 have both colours on the right circles")
still = sheet[:, -1:].expand(-1, 6, -1, -1)  # the last picture stays for a while
show.player(torch.cat([sheet, still], dim=1), fps=4, width=320, max_bytes=50_000,
            caption="Above: small red, large cyan. Below: small cyan, large red. A frame per sampling step.")

# %% [markdown]
# **What to see.** The field is there at once, then come blobs of colour, and the two circles last. From the same noise
# the two captions draw different pictures. Where one fails, it is mostly the small circle that is missing.

# %% [markdown]
# ## Your model learns
#
# Fresh weights of your class on the pairs, with bare word embeddings. A video of one frame is a picture: binding is
# about words, and a still is three times cheaper than a clip of nine frames.

# %%
torch.manual_seed(0)
small = MMVideoDiT(**MMDIT)
data = captioned_pairs(0, NUM_PICTURES)
optimizer = torch.optim.AdamW(small.parameters(), lr=2e-3, betas=(0.9, 0.95), weight_decay=0.01)
losses = []
for step in progress_bar(range(STEPS), desc="your MMDiT", unit="step"):
    chosen = range(32 * step, 32 * step + 32)
    loss = compute_loss(small, data.batch(chosen), KeyedNoise(0, chosen))["loss"]
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(f"loss: {sum(losses[:4]) / 4:.1f} at first, {sum(losses[-4:]) / 4:.1f} at last")
if SIZE != "ci":
    words = MiniPairs("test").words(range(48))
    found = pair_accuracy(words, generate_arm(small.eval(), "layer0-mmdit", words))
    print({name: f"{value:.0%}" for name, value in found.items()})

# %% tags=["demo"] draws="The loss of your model, from scratch."
figure, axis = plt.subplots(figsize=(7.2, 2.4), layout="constrained")
axis.plot(losses, color=BLUE)
axis.axhline(data.latents.square().mean() + 1, color="0.6", linestyle=":")
axis.set(xlabel="step, 32 pictures each", ylabel="squared error of the velocity", ylim=(0, None))
axis.set_title("Training from scratch. Dotted: the answer zero, with which it begins", fontsize=10)
plt.show()

# %% [markdown]
# ## The result to remember
#
# The four models of the prediction, trained once (`benchmarks/pair_arms.py`): the same pictures, captions, noise and
# number of steps, 0.77 M weights each. A fifth is a control. **Colours**: the picture shows the two colours asked for.
# **Binding**: of those pictures, the small circle has the small circle's colour; chance is half. **Right**: both, of
# all pictures. **Negative control**: the same pictures, read against the captions of others.

# %% tags=["demo"] draws="Colours while training; at the end binding, with intervals."
STUDY = json.loads((paths.root() / "benchmarks" / "results" / "pair_arms.json").read_text())
LOOKS = {"layer0-mmdit": (BLUE, "-"), "layer0-cross": (RUST, "-"), "layer3-mmdit": (BLUE, "--"),
         "layer3-cross": (RUST, "--"), "layer3-frozen": (OLIVE, "--")}  # fmt: skip
figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.2), layout="constrained", sharey=True)
for place, one in enumerate(STUDY):
    (colour, line), found = LOOKS[one["arm"]], one["end"]
    axes[0].plot(*zip(*[look[:2] for look in one["curve"]]), color=colour, linestyle=line, label=one["arm"])
    shares = {name: {split: Share(*found[split][name][:2]) for split in ("test", "held_out")}
              for name in ("colors", "binding")}  # fmt: skip
    for shift, marker, share in zip((-0.12, 0.12), "os", shares["binding"].values()):
        low, high = share.interval
        axes[1].plot([place + shift] * 2, [low, high], color=colour)
        axes[1].plot(place + shift, share.value, marker, color=colour)
    shown = {"colours": ("test", "colors"), "binding": ("test", "binding"), "pairs held out": ("held_out", "binding"),
             "right": ("test", "right"), "control": ("test", "shuffled")}  # fmt: skip
    print(f"{one['arm']:13}", *(f"{name} {Share(*found[x][y][:2])!s:17}" for name, (x, y) in shown.items()))
axes[0].set(xlabel="steps, 32 pictures each", ylabel="part of the pictures", ylim=(-0.02, 1.02), title="Both colours")
axes[0].legend(frameon=False, fontsize=9)
axes[1].axhline(0.5, color="0.6", linestyle=":")
axes[1].set(xticks=range(len(STUDY)), title="Binding at the end (squares: pairs never trained)")
axes[1].set_xticklabels([one["arm"].replace("-", "\n") for one in STUDY])
plt.show()

# %% [markdown]
# **What to see.** With bare word embeddings both kinds learn the words, and *neither* binds them: every interval holds
# one half. With states of layer 3 both kinds bind. So here it is the text encoder that binds.
#
# Between the two kinds there is no winner. The MMDiT binds more often where both colours are there, also for pairs of
# colours that it never saw together. But both colours are there less often, and ever less from step 600 on, so of all
# pictures fewer are right. The second control, `layer3-frozen`, is an MMDiT trained without rewriting: every block
# reads the text as it came in. It binds no more often than cross-attention does. So in this run the MMDiT's lead in
# binding comes from words that change. But the hope that they would bind *bare* words, since they can read each other,
# did not come true.

# %% [markdown]
# ## Try it
#
# The trained weights in your class, on a caption of yours and on the same words swapped. About half of the pictures are
# right. Your own small model draws too: `small`, with `"layer0-mmdit"`. The arms drew both circles from about step 400.
#
# **An ablation to run:** draw inside `with frozen_text(trained):`. Then no word reads another one.

# %%
ASKED, GUIDANCE = PairWords("red", "cyan", "black"), 3.0

pictures = generate_arm(trained, "layer3-mmdit", [ASKED, ASKED.swapped], guidance_scale=GUIDANCE)
show.strips({f"small {ASKED.small}": pictures[0], f"small {ASKED.large}": pictures[1]}, num_frames=1, width=110)

# %%
for one in STUDY:
    if "frozen" in one["end"]:
        frozen = {name: Share(*one["end"]["frozen"][name][:2]) for name in ("colors", "binding", "field")}
        print(f"{one['arm']}, text frozen: " + ", ".join(f"{name} {share}" for name, share in frozen.items()))

# %% [markdown] tags=["folded"]
# ## Going further: the real ones
#
# Stable Diffusion 3's block is `diffusers.models.attention.JointTransformerBlock`. HunyuanVideo has such blocks for its
# first third, then blocks in which one set of weights serves both streams. CogVideoX has one set of weights in all its
# attentions, and a modulation for each stream. Tiny instances of these classes run in
# [the open models as they are](../../phases/06_dit_flow_matching/05_the_open_models.ipynb).

# %% [markdown]
# ## Honest limits
#
# - One seed and about 95 core-seconds per model: 1,400 steps of 32 pictures, 0.77 M weights. Longer runs may bind bare
#   words. Stable Diffusion 3's comparison ran on real images, with far larger models.
# - Stills. The model is one for video, and 06.1's theorem holds for it, but no motion was trained here.
# - "Binding" leaves out pictures that miss a colour, and these are no random part. Of the first 96 of `layer3-mmdit` 41
#   miss one, and in 39 of them the reader sees a single object in the *large* circle's colour. Compare "right" as well.
# - In the trained `layer3-mmdit`, freezing the text (the numbers above) costs colours and fields too: weights that were
#   trained with a text stream need it. `layer3-frozen` was *trained* with a frozen text, and is the fairer control.
#
# ## Yours now
#
# `joint_mask`, `JointAttention`, `MMDiTBlock` and `MMVideoDiT` are the library's, and now yours. How the arms were
# trained: `common/zoo/pair_arm.py` and `benchmarks/pair_arms.py`. The weights: `common/zoo/mini_pairs/card.md`.
#
# **Next:** 06.5, clips of any size. **To read:** *Stable Diffusion 3* (arXiv:2403.03206), sections 4 and 5;
# *HunyuanVideo* (arXiv:2412.03603); *DiT-Air* (arXiv:2503.10618), which finds a plain DiT on a par with MMDiT.
