# %% [markdown]
# # The open models as they are
#
# About 15 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# Wan, HunyuanVideo, CogVideoX, Mochi, LTX-Video, Open-Sora: every few months another one, each with a table in which it
# wins. This page asks none of them how good it is. It asks what each *is*: how deep, how wide, how many tokens for a
# clip, how much arithmetic for one step, and how the words come in. Nothing is downloaded. Their configurations are
# public, diffusers has their classes, and a model on PyTorch's **meta device** has shapes and no numbers, so a
# 14-billion-parameter transformer is built, counted and even run here in a second.
#
# The list was collected in **November 2026** from the makers' repositories. Such lists age fast: check the date of any,
# this one included. What you learn to read off it ages slowly.

# %% tags=["setup"]
import warnings

import matplotlib.pyplot as plt
import torch
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel

from common.models.open_model_inputs import TINY, example_inputs, tiny_instance
from common.models.open_model_probes import probe
from common.models.open_models import OPEN_MODELS, describe, model_table
from common.runtime import limit_threads

limit_threads()
torch.set_grad_enabled(False)
warnings.filterwarnings("ignore", message="In CPU autocast")  # Mochi's rotary positions ask for float32
plt.rcParams["figure.dpi"] = 72
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "#9a9a9a"

# %% [markdown]
# First, how such a thing is counted. The class takes the published values, the weights exist as shapes alone.

# %%
with torch.device("meta"):
    wan = WanTransformer3DModel(num_attention_heads=40, attention_head_dim=128, num_layers=40, ffn_dim=13_824)
weights = list(wan.parameters())
size = sum(p.numel() for p in weights)
print(f"{size / 1e9:.2f} billion parameters in {len(weights):,} tensors, device: {weights[0].device}")
out = wan(**example_inputs(wan, grid=(21, 45, 80), text_length=512))[0]
print(f"and a forward pass for 81 frames of 720p gives {tuple(out.shape)}, all shape and no number")

# %% [markdown]
# ## The models of today
#
# *Before you run on:* which of these needs the most arithmetic for 5 seconds of 720p, the one with the most parameters?

# %%
rows = model_table(OPEN_MODELS, seconds=5, height=720, width=1280)
print("transformer     weights      parameters  layers   width  heads   VAE: T, H, W   fps   tokens, 5 s 720p")
for row in rows:
    model, layers = row.model, " + ".join(map(str, row.num_layers))
    ratios = " × ".join(map(str, model.ratios))
    print(f"{row.name:15} {model.released}  {row.num_parameters / 1e9:11.2f} B {layers:>8} {row.dim:7,} ", end="")
    print(f"{row.num_heads:5} {ratios:>15} {model.fps:6} {row.num_tokens:15,}")

# %% [markdown]
# *Weights*: month in which they came out. *Parameters*: of the transformer alone; text encoder and autoencoder come on
# top. *VAE*: frames, rows and columns per latent. *Tokens*: at the model's own frame rate, rounded to a clip that its
# autoencoder accepts, and with 720 rows cut to what fills whole tokens. CogVideoX-5B was trained on 720 × 480, so its
# row says what 720p *would* take. Open-Sora 2.0 has no class of its own in diffusers: it is counted with that of Flux,
# whose layout it has, without the small layer through which it is given a first frame.
#
# **What to see.** A width of 3,072 is everywhere, usually as 24 heads of 128. Fashion is a strong prior. The
# autoencoder decides more than the transformer: LTX-Video takes 8 × 32 × 32 pixels per latent and needs about a seventh
# of HunyuanVideo's tokens for the same five seconds. Where the arithmetic goes:

# %%
order = sorted(rows, key=lambda row: row.flops)
names, peta = [row.name for row in order], 1e15
figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.8), layout="constrained", sharey=True)
left.barh(names, [row.linear_flops / peta for row in order], color=BLUE, label="linear layers")
left.barh(names, [row.attention_flops / peta for row in order], left=[row.linear_flops / peta for row in order],
          color=RUST, label="attention")  # fmt: skip
left.set(xlabel="PFLOPs for one forward pass")
left.set_title("5 s of 720p, one step, no guidance", fontsize=10)
left.legend(frameon=False, fontsize=9, loc="lower right")
right.barh(names, [row.num_parameters / 1e9 for row in order], color=GREY)
right.set(xlabel="billion parameters")
right.set_title("Size of the transformer", fontsize=10)
plt.show()
for row in reversed(order):
    print(f"{row.name:15} {row.flops / peta:6.2f} PFLOPs, {row.attention_flops / row.flops:4.0%} of them attention")

# %% [markdown]
# **What to see.** The largest model is not the most expensive. Attention grows with the square of the tokens, and at
# 720p it is more than half of the work in all of them, and 85 % even in the smallest Wan. So "how many parameters?" is
# the wrong question about speed. Ask how many tokens, and how many steps: this is *one* forward pass, sampling takes 30
# to 50 of them, and guidance doubles that. At 0.4 PFLOPs per second, 40 % of what one H100 can do at best in bfloat16,
# 50 passes of HunyuanVideo take more than twenty minutes.
#
# How the bill grows with the picture:

# %%
CHOSEN = [model for model in OPEN_MODELS if model.name in ("HunyuanVideo", "Wan 2.2 5B", "LTX-Video 2B")]
SIZES = {"240p": (240, 416), "480p": (480, 832), "720p": (720, 1280), "1080p": (1088, 1920)}
figure, axis = plt.subplots(figsize=(7.6, 3.2), layout="constrained")
for model, colour in zip(CHOSEN, (BLUE, OLIVE, RUST)):
    found = [describe(model, seconds=5, height=h, width=w) for h, w in SIZES.values()]
    axis.semilogy(list(SIZES), [row.flops / 1e12 for row in found], marker="o", color=colour, label=model.name)
    print(f"{model.name:13} 1080p costs {found[-1].flops / found[0].flops:4.0f} times as much as 240p")
axis.set(ylabel="TFLOPs for one forward pass")
axis.set_title("Five seconds at four sizes", fontsize=10)
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# **What to see.** From 240p to 1080p the picture has 21 times as many pixels. HunyuanVideo, which makes the most tokens
# of them, pays many times that: the square of attention rules. The stronger the autoencoder, the later it does.
#
# ## Six of them, running
#
# A table says what a model has. What it *does* is found out by changing one thing and looking at what moves. Below,
# tiny instances of six classes of diffusers, two blocks of each kind and 24 or 32 wide, with random weights. The
# architecture is the real one, line by line.

# %%
for name in TINY:
    model = tiny_instance(name)
    inputs = example_inputs(model, grid=(3, 2, 4), text_length=8)
    velocity = model(**inputs)[0]
    shapes = f"{tuple(inputs['hidden_states'].shape)} to {tuple(velocity.shape)}"
    print(f"{name:31} {sum(p.numel() for p in model.parameters()):7,} parameters, {shapes}")

# %% [markdown]
# The same clip of 3 × 2 × 4 tokens, in four layouts: channels first, frames first, tokens with places inside the model,
# tokens with places brought along. Half of the work of swapping one model for another is this.
#
# Four questions, each asked by changing one thing:
#
# *Before you run on:* in which of them can a word's state depend on the picture?

# %%
QUESTIONS = ("every token sees\nevery token", "the text is\nrewritten", "padding\nis seen", "order of text\nis read")
answers = {}
for name in TINY:
    found = probe(name)
    answers[name] = (found.reaches_all, found.rewrites_text, found.sees_padding, found.reads_order)

figure, axis = plt.subplots(figsize=(7.6, 3.2), layout="constrained")
shades = [[float(yes) for yes in line] for line in answers.values()]
axis.imshow(shades, cmap="Blues", vmin=-0.3, vmax=1.6, aspect="auto")
for k, line in enumerate(answers.values()):
    for j, yes in enumerate(line):
        axis.text(j, k, "yes" if yes else "no", ha="center", va="center", fontsize=10)
axis.set_xticks(range(4), QUESTIONS, fontsize=9)
axis.set_yticks(range(len(answers)), [name.replace("Transformer", "\nTransformer") for name in answers], fontsize=8)
axis.xaxis.tick_top()
axis.set_title("What tiny instances do", fontsize=10)
plt.show()

# %% [markdown]
# **What to see.**
#
# - *Every token sees every token* in all six: a nudge at the last frame's corner moves the first frame. None of these
#   is causal, and none has the factorised attention of 2023.
# - *The text is rewritten* where it is a stream of the attention (CogVideoX, Mochi, HunyuanVideo, Flux's layout) and
#   never where it is read by cross-attention (Wan, LTX-Video).
# - *Padding is seen* where the class takes no mask. Wan's users pad with zeros and CogVideoX's with the encoder's own
#   padding, because that is how the models were trained.
# - *The order of the text's states is read* by none: words get no places here. "Dog bites man" and "man bites dog"
#   differ only because the text encoder has put each word's neighbours into its state. Give these models bare word
#   embeddings, and both are one prompt.
#
# ## And the closed ones
#
# The weights of Sora, Veo, Kling, Runway's Gen models and Movie Gen are not public, and apart from Meta's long paper on
# Movie Gen their makers say little about size, data or cost. Any number that you read about the others is a guess, so
# this page has none.
#
# ## What you can now say
#
# - A video model's bill is tokens first: the autoencoder's ratios and the frame rate decide it before the transformer.
# - At 720p most of the arithmetic is attention; parameters say little about speed.
# - Two schools of text: cross-attention (Wan, LTX-Video) and joint attention (the other four).
# - A claim about an architecture can be tested in a second on a tiny instance.
#
# When the next model comes out, add an entry to `OPEN_MODELS` in `common/models/open_models.py` and run this page
# again. [Lab 06.1](../../labs/06_dit_flow_matching/01_video_dit.ipynb) puts the weights of a Wan block into one that
# you wrote.
