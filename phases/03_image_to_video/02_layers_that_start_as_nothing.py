# %% [markdown]
# # Layers that start as nothing
#
# About 20 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# From 2022 to 2024 nearly every video model was an image model first. New layers along time were put between its
# layers, started so that they do *nothing*, and trained on clips. That is **temporal inflation**. Doing nothing, and
# yet being able to learn, is a small art. This page shows how it is done, how it goes wrong without an error message,
# and how the two best-known models of this kind do it: Stable Video Diffusion and AnimateDiff. What such layers see and
# cost is on the page [Layers that see time](../04_inflated_unet/01_layers_that_see_time.ipynb) of phase 04. Nothing is
# trained here.

# %% tags=["setup"]
import copy

import matplotlib.pyplot as plt
import torch
from diffusers.models.resnet import TemporalResnetBlock as FreshBlock
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.models.unets.unet_motion_model import MotionAdapter, UNetMotionModel
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel
from diffusers.utils import logging
from einops import rearrange
from huggingface_hub import try_to_load_from_cache
from torch import nn
from torch.nn import functional as F

from common import show
from common.data.sprites import SpriteData
from common.data.sprites.attributes import FPS
from common.evaluation.reconstruction import clip_psnr
from common.layers.temporal import TemporalResnetBlock
from common.models.frame_vae import FrameVAE
from common.models.inflated_model import at_spatial
from common.models.inflated_unet import inflate, inflate_unet, new_parameters, video_config, video_key
from common.pipelines.published import pipeline_class
from common.runtime import limit_threads
from common.zoo.sprites_image.recipe import UNET

limit_threads()
logging.set_verbosity_error()  # it warns of layers to keep in float32, and then names none
plt.rcParams["figure.dpi"] = 75
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "#9a9a9a"


def beside(*given, dim=3):
    """Clips `(3, T, H, W)` in a row, or with dim=2 in a column, and a white line between them."""
    gap = (0, 2) if dim == 3 else (0, 0, 0, 2)
    return torch.cat([F.pad(clip, gap, value=1.0) for clip in given], dim=dim)


def count(parameters):
    return sum(p.numel() for p in parameters)


# %% [markdown]
# ## (2+1)D that starts as the identity
#
# A convolution of 3 × 3 × 3 sees space and time at once and holds 27 C² weights. The **(2+1)D** pair, 1 × 3 × 3 and
# then 3 × 1 × 1, holds 9 C² + 3 C² = 12 C². Tran et al. (2018) spent what was saved: with M channels between the two,
# M chosen so that both have as many weights, there is one more nonlinearity for the same price.

# %%
C = 64
M = 27 * C * C // (9 * C + 3 * C)
KINDS = {
    "3×3×3": nn.Conv3d(C, C, 3, bias=False),
    "1×3×3, then 3×1×1": nn.Sequential(nn.Conv3d(C, C, (1, 3, 3), bias=False), nn.Conv3d(C, C, (3, 1, 1), bias=False)),
    f"the same with {M} between": nn.Sequential(
        nn.Conv3d(C, M, (1, 3, 3), bias=False), nn.Conv3d(M, C, (3, 1, 1), bias=False)
    ),
}
for name, layer in KINDS.items():
    print(f"{name:24} {count(layer.parameters()):8,} weights, {count(layer.parameters()) / C**2:5.2f} C²")

# %% [markdown]
# For inflation the pair has a better reason. Its first half *is* the image model's layer, weights and all. Only the
# second half is new. Two ways to let that start as nothing:
#
# - **In a row**: the temporal kernel is 1 in the middle and 0 before and after (a *Dirac* kernel), and x goes through.
# - **Beside it**: a residual branch, x + branch(x), whose last layer is zero.
#
# What if one does neither? Here is an image model, the decoder of `sprites-vae` on one frame at a time, with one
# temporal layer put into its middle.
#
# *Before you run on:* the layer is fresh and has the usual small random weights. Will you still see the object?

# %%
world = SpriteData("test", num_objects=1)
scene = next(s for s in world.scenes(range(200)) if s.objects[0].motion == "left" and s.objects[0].size == "large")
clip = world.batch([scene.index]).clips()  # (1, 3, 17, 64, 64)
IMAGE_VAE = FrameVAE.from_pretrained("sprites-vae")
with torch.no_grad():
    latents = IMAGE_VAE.encode(rearrange(clip, "1 c t h w -> t c h w")).latent_dist.mode()  # (17, 16, 8, 8)


@torch.no_grad()
def decoded(layer):
    """The clip decoded frame by frame, but for `layer` along time in the middle of the decoder."""

    def along_time(module, given, out):
        x = rearrange(out[0], "t c 1 h w -> 1 c t h w")  # (1, 128, 17, 8, 8)
        return rearrange(layer(x), "1 c t h w -> t c 1 h w"), out[1]

    hook = IMAGE_VAE.vae.decoder.coarse.register_forward_hook(along_time)
    pictures = IMAGE_VAE.decode(latents).sample.clamp(-1, 1)
    hook.remove()
    return rearrange(pictures, "t c h w -> 1 c t h w")


torch.manual_seed(0)
width, told = 128, torch.zeros(1, 17, 64)
dirac, fresh = (nn.Conv3d(width, width, (3, 1, 1), padding=(1, 0, 0)) for _ in range(2))
nn.init.dirac_(dirac.weight)
nn.init.zeros_(dirac.bias)
zeroed, fresh_block = TemporalResnetBlock(width, 64), FreshBlock(width, temb_channels=64)
LAYERS = {
    "image model alone": lambda x: x,
    "in a row, Dirac": dirac,
    "beside it, zero at the end": lambda x: zeroed(x, told),
    "in a row, fresh": fresh,
    "beside it, fresh": lambda x: fresh_block(x, told),
}
outputs = {name: decoded(layer) for name, layer in LAYERS.items()}
for name, found in outputs.items():
    off = (found - outputs["image model alone"]).abs().max().item()
    quality = clip_psnr(found, clip, data_range=2).item()
    print(f"{name:28} {quality:5.1f} dB, largest difference from the image model {off:.0e}")
shown = ["image model alone", "beside it, zero at the end", "beside it, fresh", "in a row, fresh"]
row = beside(*(outputs[name][0, :, ::2] for name in shown))
show.player(row, FPS / 2, width=440, max_bytes=55_000, caption=" | ".join(shown))

# %% [markdown]
# **What to see.** One fresh layer, and what the image model knew how to draw is damaged or gone. Training would have to
# learn it again, from fewer and worse pictures than the image model had. The two exact starts lose nothing.
#
# ### Zero, and yet alive
#
# A zero must not be where learning needs to pass. Take a branch x + γ · w₂(silu(w₁ x)), and ask which of its three
# weights hear of the loss: at the start, and again after one step of gradient descent.
#
# *Before you run on:* with w₂ *and* the gate γ at zero, how many steps until w₁ hears something?


# %%
def heard(zero_last, zero_gate):
    """Lengths of the gradients of w₁, w₂ and γ, at the start and after one step."""
    torch.manual_seed(0)
    first, last = (nn.Conv3d(8, 8, (3, 1, 1), padding=(1, 0, 0), bias=False) for _ in range(2))
    gate = nn.Parameter(torch.zeros(1) if zero_gate else torch.ones(1))
    if zero_last:
        nn.init.zeros_(last.weight)
    weights, x, target = [first.weight, last.weight, gate], torch.randn(2, 8, 5, 3, 4), torch.randn(2, 8, 5, 3, 4)
    rounds = []
    for _ in range(2):
        gradients = torch.autograd.grad((x + gate * last(F.silu(first(x))) - target).square().mean(), weights)
        rounds.append([g.norm().item() for g in gradients])
        with torch.no_grad():
            for weight, g in zip(weights, gradients):
                weight -= g
    return rounds


print(f"{'':22}{'at the start':>24}    {'after one step':>24}")
print(f"{'':22}" + f"{'w1':>8}{'w2':>8}{'γ':>8}    " * 2)
for name, zeros in {"no zero": (0, 0), "w2 zero": (1, 0), "γ zero": (0, 1), "w2 and γ zero": (1, 1)}.items():
    print(f"{name:22}" + "    ".join("".join(f"{g:8.4f}" for g in found) for found in heard(*zeros)))

# %% [markdown]
# **What to see.** With one zero, that weight itself hears of the loss, moves, and from the next step on everyone does.
# With two zeros in a row each waits for the other: the gradient of each is a product with the other in it. Nothing ever
# moves, the loss goes down by nothing, and no error is raised. It happens to careful people, who want to be *sure* that
# the branch is silent.
#
# ### The same for whole models
#
# A tiny image U-Net, made a video model in five ways. Two questions: how far is the fresh video model from the image
# model on every frame? And how many of the new tensors get a gradient, in the first step and in the second? A model
# that differs at first must repair damage, one without gradients can learn nothing.
#
# *Before you run on:* diffusers has the classes of both models. Do they start as the identity when you build one?

# %%
torch.manual_seed(0)
IMAGE = UNet2DConditionModel(**UNET | {"block_out_channels": (32, 64)}).eval()
x, states = torch.randn(1, 5, 16, 8, 8), torch.randn(1, 6, 384)
level, ids, target = torch.tensor([0.2]), torch.tensor([[6.0, 127.0, 0.02]]), torch.randn(1, 5, 16, 8, 8)
with torch.no_grad():
    ALONE = torch.stack([IMAGE(x[:, t], level, states).sample for t in range(5)], dim=1)


def same_norms(video):
    """diffusers' two classes add different numbers below some square roots: here those of the image model."""
    for name, module in IMAGE.named_modules():
        if isinstance(module, nn.GroupNorm):
            video.get_submodule(video_key(name)).eps = module.eps
    return video


def svd(video):
    return video(x, level, states, ids).sample


def animatediff(video):
    out = video(rearrange(x, "b t c h w -> b c t h w"), level, states.repeat_interleave(5, dim=0)).sample
    return rearrange(out, "b c t h w -> b t c h w")


def adapter():
    torch.manual_seed(1)
    return MotionAdapter(block_out_channels=(32, 64), motion_layers_per_block=1, motion_num_attention_heads=4,
                         motion_max_seq_length=16)  # fmt: skip


def ends(model):
    return [module.proj_out for name, module in model.named_modules() if "motion_modules" in name
            and hasattr(module, "proj_in")]  # fmt: skip


def silent(model):
    """The motion modules of an adapter or of a model, each ending in zeros."""
    for layer in ends(model):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    return model


own = UNetSpatioTemporalConditionModel(**video_config(IMAGE))
own.load_state_dict(inflate(IMAGE.state_dict(), own.state_dict()))
own = same_norms(own.eval())
mixed = at_spatial(own)
for parameter in mixed.add_embedding.linear_2.parameters():
    nn.init.zeros_(parameter)  # the added ids go past the mix, to the image layers
STARTS = {
    "SVD's class, fresh": (own, svd),
    "SVD, mix at spatial": (mixed, svd),
    "SVD, zeros at the ends": (same_norms(inflate_unet(IMAGE).eval()), svd),
    "AnimateDiff's class, fresh": (UNetMotionModel.from_unet2d(IMAGE, adapter()).eval(), animatediff),
    "AnimateDiff, zeros at the ends": (UNetMotionModel.from_unet2d(IMAGE, silent(adapter())).eval(), animatediff),
}
IMAGE_NAMES = {video_key(name) for name in IMAGE.state_dict()} | set(IMAGE.state_dict())
print(f"{'':34}{'off the image model':>20}{'new tensors with a gradient: at first, then':>46}")
for name, (model, run) in STARTS.items():
    new = [p for key, p in model.named_parameters() if key not in IMAGE_NAMES]
    alive = []
    for step in range(2):
        out = run(model)
        gradients = torch.autograd.grad((out - target).square().mean(), new, allow_unused=True)
        alive.append(sum(g is not None and g.any().item() for g in gradients))
        if not step:
            off = ((out - ALONE).norm() / ALONE.norm()).item()
            with torch.no_grad():
                for parameter, g in zip(new, gradients):
                    parameter -= 0.1 * (0 if g is None else g)
    exact = "none" if off < 1e-5 else f"{off:.2f}"
    print(f"{name:34}{exact:>20}{alive[0]:26} and {alive[1]:3} of {len(new)}")
zero = [not layer.weight.any() for layer in ends(adapter())]
print(f"\noutput layers of a fresh adapter that are zero: {sum(zero)} of {len(zero)}")

# %% [markdown]
# **What to see.** Neither class starts as the identity: diffusers leaves that to checkpoints. Fresh layers get
# gradients everywhere, and start from a damaged image model. Setting Stable Video Diffusion's learned
# mix to "spatial only" is exact, and dead: the temporal side counts 1 − α = 0, in both directions. Zeros at the
# ends are exact, and the ends are alive. After one step, so is everything behind them.
#
# So before you train an inflated model, test two things in its first step: that it *is* the image model, and that a
# second step moves everything new. (And beware of an `apply(init)` after the zeros, which overwrites them.)
#
# ## Stable Video Diffusion and AnimateDiff
#
# Two answers to one question: what to do with a good image model.
#
# | | Stable Video Diffusion (2023) | AnimateDiff (2023) |
# |---|---|---|
# | image model | Stable Diffusion 2.1 | any checkpoint of Stable Diffusion 1.5 |
# | its weights | trained on, together with the new ones | frozen, so they can be exchanged later |
# | new layers | temporal residual blocks, temporal transformers, a learned mix | *motion modules* of self-attention |
# | first frame | concatenated, and one CLIP token | none |
# | sentence | none | read by the image model's layers alone |
# | told besides | frames per second, amount of motion, noise on the picture | nothing |
# | frames | 14, or 25 (XT) | 16, at most 32 |
#
# Often one reads that Stable Video Diffusion freezes its image model. The paper says that all weights were trained. Its
# forerunner, Video LDM, froze them.
#
# How large is the part that is new? The real sizes, counted on the meta device, where tensors have no contents:

# %%
with torch.device("meta"):
    sd15 = UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8)
    svd_xt, motion = UNetSpatioTemporalConditionModel(), MotionAdapter()
new = count(new_parameters(svd_xt).values())
SIZES = {
    "Stable Video Diffusion": (count(svd_xt.parameters()) - new, new),
    "AnimateDiff on SD 1.5": (count(sd15.parameters()), count(motion.parameters())),
}
figure, axis = plt.subplots(figsize=(6.6, 1.9), layout="constrained")
for k, (name, (old, added)) in enumerate(SIZES.items()):
    axis.barh(k, old / 1e6, color=GREY, label="image layers" if not k else None)
    axis.barh(k, added / 1e6, left=old / 1e6, color=BLUE, label="new layers" if not k else None)
    part = added / (old + added)
    print(f"{name:24} {old / 1e6:6.0f} M image layers, {added / 1e6:4.0f} M new: {part:.0%} of the whole")
axis.set(yticks=range(2), yticklabels=list(SIZES), xlabel="million parameters")
axis.set_title("Parameters of the U-Nets", fontsize=10)
axis.set_xlim(0, 2000)
axis.legend(frameon=False, fontsize=9)
plt.show()

# %% [markdown]
# ### A module for other people's models
#
# AnimateDiff's promise: train a motion module once, on one frozen base, and put it into any checkpoint that descends
# from that base. Thousands of people had trained such checkpoints, for looks that no video model had. The promise needs
# three things, which can be checked: the module's weights and the image model's are apart, the module alone is what is
# trained, and silent it changes no checkpoint at all.
#
# *Before you run on:* every pair of image layers gets a motion module after it. Does it read the sentence?

# %%
community = copy.deepcopy(IMAGE)  # someone's checkpoint: the same shapes, other weights
torch.manual_seed(2)
with torch.no_grad():
    for parameter in community.parameters():
        parameter += 0.1 * parameter.std(correction=0) * torch.randn_like(parameter)

with torch.no_grad():
    for name, checkpoint in {"the base": IMAGE, "a community checkpoint": community}.items():
        alone = torch.stack([checkpoint(x[:, t], level, states).sample for t in range(5)], dim=1)
        for kind, module in {"silent": silent(adapter()), "not silent": adapter()}.items():
            model = UNetMotionModel.from_unet2d(checkpoint, module).eval()
            off = (animatediff(model) - alone).abs().max().item()
            same = all(torch.equal(model.state_dict()[key], tensor) for key, tensor in checkpoint.state_dict().items())
            print(f"{name:24}{kind:12}: off by {off:7.1e}, image weights {'untouched' if same else 'changed'}")
model.freeze_unet2d_params()
trained = count(p for p in model.parameters() if p.requires_grad)
print(f"frozen, it trains {trained:,} parameters; the adapter has {count(adapter().parameters()):,}")


def readers(model, temporal):
    """Layers of a model that read the sentence: keys made of its states, 384 wide."""
    found = [name for name, module in model.named_modules() if name.endswith("to_k") and module.in_features == 384]
    return sum(("temporal" in name or "motion" in name) == temporal for name in found)


print(f"\n{'layers that read the sentence':34}{'spatial':>9}{'temporal':>10}")
for name in ("SVD, zeros at the ends", "AnimateDiff, zeros at the ends"):
    print(f"{name.partition(',')[0]:34}{readers(STARTS[name][0], False):9}{readers(STARTS[name][0], True):10}")

# %% [markdown]
# **What to see.** The promise holds, as far as the shapes go. Whether a module trained on one base moves another one
# *well* is a question for trained weights, and lab 03.2 asks it. And the module never reads the sentence: its attention
# sees one place along time. It hears of "jumps" only through what the image layers made of that word, and a model of
# still pictures has little use for it. In Stable Video Diffusion's class the temporal layers do have a cross-attention.
# There it looks at the picture's token; you could let it read words, and lab 03.3 does.
#
# A module is a few hundred million weights. For one more kind of motion, a pan or a zoom, the authors change it by a
# small low-rank addition, a **MotionLoRA**, learned from as few as fifty clips.
#
# ### Two errors that everyone meets
#
# The classes are strict about frames. `UNetMotionModel` wants the sentence's states once *per frame*, and a motion
# module knows no more positions than it was made with.

# %%
model = STARTS["AnimateDiff, zeros at the ends"][0]
long = torch.randn(1, 16, 17, 8, 8)  # one frame more than the 16 of this adapter
for what, call in {
    "states given once": lambda: model(long[:, :, :5], level, states),
    "17 frames, 16 positions": lambda: model(long, level, states.repeat_interleave(17, dim=0)),
}.items():
    try:
        with torch.no_grad():
            call()
    except (RuntimeError, ValueError) as error:
        print(f"{what}: {str(error).splitlines()[0]}")

# %% [markdown]
# Both are bare mismatches of sizes, and say nothing of frames. Now you know what they mean. The published adapter has
# 32 positions, and was trained on 16 frames: many more, or many fewer, and its clips fall apart.
#
# ## The real ones
#
# The calls below are those for the real models, and the classes are the ones that you have just seen from inside. They
# need the extra `models` and several gigabytes of weights, and a GPU to be fun. This page downloads nothing: where the
# files are in the cache of the Hugging Face Hub, the functions run. Where they are not, you are told.

# %%
SVD, BASE, MOTION = (
    "stabilityai/stable-video-diffusion-img2vid-xt", "emilianJR/epiCRealism", "guoyww/animatediff-motion-adapter-v1-5-2"
)  # fmt: skip


def animate_picture(picture, num_frames=25):
    """Stable Video Diffusion on a PIL picture: a list of frames."""
    pipe = pipeline_class("StableVideoDiffusionPipeline").from_pretrained(
        SVD, torch_dtype=torch.float16, variant="fp16", local_files_only=True
    )
    pipe.enable_model_cpu_offload()  # one part at a time is on the GPU
    pipe.unet.enable_forward_chunking()  # feed-forward layers in slices
    frames = pipe(
        picture.resize((1024, 576)),
        num_frames=num_frames,
        fps=7,  # the U-Net is told 6: it was trained that way
        motion_bucket_id=127,  # how much moves, 0 to 255
        noise_aug_strength=0.02,  # noise on the picture
        min_guidance_scale=1.0,  # of the first frame, rising to that of the last
        max_guidance_scale=3.0,
        decode_chunk_size=2,  # frames decoded at a time
        generator=torch.Generator().manual_seed(0),
    ).frames[0]
    return frames


def animate_checkpoint(prompt, num_frames=16):
    """AnimateDiff's module in a community checkpoint of Stable Diffusion 1.5: a list of frames."""
    from diffusers import DDIMScheduler

    module = MotionAdapter.from_pretrained(MOTION, torch_dtype=torch.float16, local_files_only=True)
    pipe = pipeline_class("AnimateDiffPipeline").from_pretrained(
        BASE, motion_adapter=module, torch_dtype=torch.float16, local_files_only=True
    )
    pipe.scheduler = DDIMScheduler.from_config(  # that of its training: another one gives grey blur
        pipe.scheduler.config, beta_schedule="linear", clip_sample=False, timestep_spacing="linspace", steps_offset=1
    )
    pipe.enable_model_cpu_offload()
    return pipe(prompt, num_frames=num_frames, guidance_scale=7.5, num_inference_steps=25).frames[0]


for name, files in {
    "animate_picture": {SVD: "unet/config.json"},
    "animate_checkpoint": {BASE: "unet/config.json", MOTION: "config.json"},
}.items():
    missing = [place for place, file in files.items() if not isinstance(try_to_load_from_cache(place, file), str)]
    print(f"{name}: " + (f"not here: {', '.join(missing)}" if missing else "the files are here, call it"))
for place in (SVD, BASE, MOTION):
    print(f"    hf download {place}")

# %% [markdown]
# Three surprises wait in those calls. `fps=7` is told to the network as 6. The first frame that comes out is *not* the
# picture that went in: it has been through the autoencoder, whose decoder blends frames. And the bucket is a number
# whose meaning was never published, which is where [the next page](03_how_much_and_from_where.ipynb) begins.
#
# ## What you can now say
#
# - (2+1)D has 12 C² weights where 3D has 27 C², and its first half is an image model's layer.
# - New layers start as nothing: a Dirac kernel in a row, or a zero at the end of a branch. Exact, and alive.
# - Two zeros in a row are dead for ever. So is a mix that is spatial only.
# - Fresh classes of diffusers do not start as the identity. Test it.
# - Stable Video Diffusion trains on and looks at a picture, AnimateDiff freezes the base and fits its descendants.
