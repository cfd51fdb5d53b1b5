# %% [markdown]
# # Text and video in one attention
#
# About 15 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# In the transformer of [the first page](01_from_prompt_to_clip.ipynb) the video reads the text, and the text never
# learns of it: its states are the same in the first block and in the last, at pure noise and at the finished clip.
# Stable Diffusion 3 made the text a second stream that is read, reads, and is rewritten. Its **MMDiT**, the multi-modal
# diffusion transformer, is in HunyuanVideo, Mochi and Open-Sora 2.0. Here it is in ten lines, with what it costs and
# how it goes wrong.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import torch
from diffusers.models.attention_processor import Attention, JointAttnProcessor2_0
from einops import rearrange

from common.layers import JointAttention, MMDiTBlock
from common.models.dit import DiTBlock
from common.models.mmdit import PRESETS, MMVideoDiT
from common.models.open_models import OPEN_MODELS, build
from common.runtime import limit_threads
from common.text import TextEncoder

limit_threads()
torch.set_grad_enabled(False)
torch.manual_seed(0)
plt.rcParams["figure.dpi"] = 72
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "#9a9a9a"

# %% [markdown]
# ## MMDiT: two sets of weights, one softmax
#
# Words and patches are different things, so each stream has its own projections. Then all queries meet all keys: the
# two sequences are laid end to end, and one softmax shares each token's attention between video and text.


# %%
def joint_attention(video, text, layer):
    """`(B, N, D)` and `(B, L, D)` to the same, and the attention weights `(B, heads, N + L, N + L)`."""
    both = zip(layer.video(video), layer.text(text))  # queries, keys, values: each stream through its own weights
    q, k, v = (rearrange(torch.cat(pair, dim=1), "b n h d -> b h n d") for pair in both)
    weights = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    out = rearrange(weights @ v, "b h n d -> b n (h d)")
    return layer.video.to_out(out[:, : video.shape[1]]), layer.text.to_out(out[:, video.shape[1] :]), weights


layer = JointAttention(dim=64, num_heads=4)
video, words = torch.randn(1, 24, 64), torch.randn(1, 9, 64)
*by_hand, weights = joint_attention(video, words, layer)
apart = max((a - b).abs().max().item() for a, b in zip(by_hand, layer(video, words)))
print(f"by hand against the library: {apart:.0e}")

sd3 = Attention(64, added_kv_proj_dim=64, dim_head=16, heads=4, out_dim=64, bias=True, context_pre_only=False,
                qk_norm="layer_norm", eps=1e-6, processor=JointAttnProcessor2_0())  # fmt: skip
for stream, (q, k, v), out in (
    (layer.video, (sd3.to_q, sd3.to_k, sd3.to_v), sd3.to_out[0]),
    (layer.text, (sd3.add_q_proj, sd3.add_k_proj, sd3.add_v_proj), sd3.to_add_out),
):
    stream.to_qkv.weight.copy_(torch.cat([q.weight, k.weight, v.weight]))
    stream.to_qkv.bias.copy_(torch.cat([q.bias, k.bias, v.bias]))
    stream.to_out.load_state_dict(out.state_dict())
theirs = sd3(video, encoder_hidden_states=words)
apart = max((a - b).abs().max().item() for a, b in zip(theirs, layer(video, words)))
print(f"the library against Stable Diffusion 3's attention in diffusers, same weights: {apart:.0e}")

# %% [markdown]
# What is new becomes plain when the weights are drawn. On the left what self-attention and cross-attention have
# together, on the right joint attention.

# %%
mean = weights.mean(dim=(0, 1))
known = mean.clone()
known[24:] = float("nan")  # with cross-attention no word looks at anything
known[:24, :24] /= known[:24, :24].sum(dim=1, keepdim=True)  # two softmaxes, one for each kind of key
known[:24, 24:] /= known[:24, 24:].sum(dim=1, keepdim=True)
figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.9), layout="constrained")
for axis, values, title in zip(axes, (known, mean), ("self-attention and cross-attention", "joint attention")):
    axis.set_facecolor("#e8e8e8")
    drawn = axis.imshow(values, cmap="viridis", vmin=0, vmax=0.12)
    axis.axhline(23.5, color="white")
    axis.axvline(23.5, color="white")
    axis.set(xticks=[11.5, 28], xticklabels=["video", "text"], yticks=[11.5, 28], yticklabels=["video", "text"])
    axis.set(xlabel="is looked at", ylabel="looks")
    axis.set_title(title, fontsize=10)
figure.colorbar(drawn, ax=axes, label="attention weight", shrink=0.8)
figure.suptitle("Who looks at whom: 24 video tokens, 9 words, random weights", fontsize=10)
plt.show()
print(f"of a video token's attention {mean[:24, 24:].sum(1).mean():.0%} goes to the text; 9 of 33 tokens are words")

# %% [markdown]
# **What to see.** The lower half is new: words look at words and at the video. The upper half has changed: video and
# text compete in one softmax. With nine words among 33 tokens the text gets its share. Among the 75,600 video tokens of
# a real clip it has to be found.
#
# ## The text is rewritten
#
# A whole MMDiT with its gates opened at random (fresh ones are zero, and nothing moves). Two different noisy clips, the
# same sentence: how far apart are the sentence's states after each block?

# %%
encoder = TextEncoder.installed()
text = encoder(["a small red star moves left over a blue field"])  # token states (1, L, 384)
model = MMVideoDiT(**PRESETS["cpu"]).eval()
for name, parameter in model.named_parameters():
    if "signal" in name or "patches_out" in name:
        parameter.add_(0.05 * torch.randn_like(parameter))

after = []
hooks = [block.register_forward_hook(lambda _, __, out: after.append(out[1])) for block in model.blocks]
clips, timestep = torch.randn(2, 16, 5, 8, 8), torch.full((2,), 700.0)
model(clips, timestep, text.states.expand(2, -1, -1), text.mask.expand(2, -1))
for hook in hooks:
    hook.remove()
distance = [((states[0] - states[1]).norm() / states.norm() * 2**0.5).item() for states in after]

figure, axis = plt.subplots(figsize=(7.6, 2.7), layout="constrained")
blocks = range(1, len(distance) + 1)
axis.plot(blocks, distance, marker="o", color=BLUE, label="MMDiT")
axis.plot(blocks, [0.0] * len(distance), marker="o", color=RUST, label="cross-attention")
axis.set(xlabel="after block", ylabel="relative distance", xticks=blocks, ylim=(-0.02, None))
axis.set_title("One sentence beside two different clips: how far its states drift apart", fontsize=10)
axis.legend(frameon=False)
plt.show()
print(f"the last block leaves the text alone: {distance[-1] == distance[-2]}")  # no one reads it again

# %% [markdown]
# **What to see.** From the first block on, the sentence depends on the clip that it describes. In the last block the
# line is flat: no one reads the text after it, so its second half is left out there.
#
# ## Padding must be masked
#
# Prompts of one batch are padded to one length, and large models pad to 226, 256 or 512 tokens whatever the prompt. In
# joint attention a padding token is a token: it has keys, it takes its share of every softmax, and it is rewritten
# along with the rest. A mask takes it out.
#
# *Before you run on:* ten words and 500 tokens of padding, no mask. How much of the answer is still about the prompt?

# %%
LENGTHS = (0, 4, 16, 64, 256)
clip, level = clips[:1], timestep[:1]
alone = model(clip, level, text.states, text.mask).sample
other = encoder(["a large blue ring orbits over green dots"])
prompt_matters = ((model(clip, level, other.states, other.mask).sample - alone).norm() / alone.norm()).item()
empty = encoder([""])  # its first state is what a sentence of no words begins with
with_mask, without = [], []
for n in LENGTHS:
    padded = torch.cat([text.states, empty.states[:, :1].expand(-1, n, -1)], dim=1)
    mask = torch.cat([text.mask, text.mask.new_zeros(1, n)], dim=1)
    for found, hidden in ((with_mask, mask), (without, None)):
        found.append(((model(clip, level, padded, hidden).sample - alone).norm() / alone.norm()).item())

figure, axis = plt.subplots(figsize=(7.6, 3.0), layout="constrained")
axis.plot(LENGTHS, without, marker="o", color=RUST, label="no mask")
axis.plot(LENGTHS, with_mask, marker="o", color=BLUE, label="masked")
axis.axhline(prompt_matters, color=GREY, linestyle="--", label="another prompt instead")
axis.set_xscale("symlog", linthresh=4)
axis.set(xlabel="padding tokens", ylabel="relative change of the velocity", xlim=(-0.3, None))
axis.set_xticks(LENGTHS, LENGTHS)
axis.set_title("The same prompt with more and more padding", fontsize=10)
axis.legend(frameon=False)
plt.show()
print(f"with the mask at most {max(with_mask):.0e}; without, {without[-1]:.2f}; another prompt, {prompt_matters:.2f}")

# %% [markdown]
# **What to see.** With the mask, padding changes nothing beyond rounding. Without it, a few dozen empty tokens move the
# answer further than another prompt does, in this untrained model. The mask is one line, the library's `joint_mask`:
# every video token may be looked at, and every word that is one. Some published models were trained *without* it. They
# have learned to live with their padding, and then masking it is what breaks them: run a model as it was trained.
#
# ## What it costs
#
# Two streams are two sets of weights. One block each at the same width, counted:

# %%
WIDTH, HEADS, FFN = 3072, 24, 4 * 3072


def millions(block):
    return sum(p.numel() for p in block.parameters()) / 1e6


with torch.device("meta"):  # shapes without numbers: nothing is allocated
    cross, joint = DiTBlock(WIDTH, HEADS, FFN), MMDiTBlock(WIDTH, HEADS, FFN)
shared = millions(joint) / 2  # one set of weights for both streams: a plain DiT on the two sequences laid end to end
PARTS = {
    "cross-attention": [millions(cross.attention), millions(cross.cross_attention), millions(cross.ffn)],
    "MMDiT": [millions(joint.attention), 0, millions(joint.ffn) + millions(joint.text_ffn)],
    "one set of weights": [millions(joint.attention) / 2, 0, millions(joint.ffn)],
}
figure, axis = plt.subplots(figsize=(7.6, 2.4), layout="constrained")
left = [0.0] * 3
for part, label, colour in zip(range(3), ("attention", "reading the text", "feed-forward"), (BLUE, OLIVE, RUST)):
    values = [parts[part] for parts in PARTS.values()]
    axis.barh(list(PARTS), values, left=left, color=colour, label=label)
    left = [a + b for a, b in zip(left, values)]
axis.invert_yaxis()
axis.set(xlabel="million parameters in one block", xlim=(0, 320))
axis.set_title(f"One block, {WIDTH:,} wide", fontsize=10)
axis.legend(frameon=False, fontsize=9)
plt.show()
print(f"cross-attention {millions(cross):.0f} M, MMDiT {millions(joint):.0f} M ", end="")
print(f"({millions(joint) / millions(cross):.2f} times), one set for both {shared:.0f} M")

hunyuan = build(next(model for model in OPEN_MODELS if model.name == "HunyuanVideo"))
double, single = (millions(part) for part in (hunyuan.transformer_blocks, hunyuan.single_transformer_blocks))
print(f"HunyuanVideo: 20 double blocks {double / 20:.0f} M each, 40 single blocks {single / 40:.0f} M each")

# %% [markdown]
# **What to see.** At equal width an MMDiT block has half as many parameters again as one with cross-attention. That is
# why HunyuanVideo, Flux and Open-Sora 2.0 keep two sets of weights for the first third of their blocks and let one set
# serve both streams after that. The extra *work* is small, since a prompt is a few hundred tokens among tens of
# thousands.
#
# ## Is it worth it?
#
# The literature is split. Stable Diffusion 3's authors found MMDiT ahead of a DiT with cross-attention, of a plain DiT
# and of a U-ViT (arXiv 2403.03206, section 5.2). DiT-Air (arXiv 2503.10618) repeated the comparison for images and
# found a plain DiT on the two sequences laid end to end on a par with MMDiT, and with weights shared between layers
# 66 % smaller, with little loss. Wan and LTX-Video, two of the most used open video models, have cross-attention.
#
# One argument for joint attention can be tested in small. *A red star and a blue ring* and *a blue star and a red ring*
# have the same words; what tells them apart is which belongs to which. If the text encoder has already written that
# into its states, nothing is left for text-to-text attention to do. If the states are bare word embeddings, only
# attention between words can find it out. Lab 06.4 is about that question.
#
# ## What you can now say
#
# - MMDiT: each modality has its own projections and feed-forward; one softmax over both.
# - The text is rewritten by the clip in every block; with cross-attention it never is.
# - Padding is a token like any other until it is masked.
# - Two streams cost half as many weights again, little work, and whether they pay is an open question.
#
# Next: [the open models as they are](05_the_open_models.ipynb).
