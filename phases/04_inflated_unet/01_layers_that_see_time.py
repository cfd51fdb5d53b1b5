# %% [markdown]
# # Layers that see time
#
# About 20 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# In 2022 there were good image models and no good video models. The quickest way from one to the other: keep the image
# U-Net, and put layers between its layers that look along time. Video LDM, AnimateDiff and Stable Video Diffusion are
# made that way. This page inflates a small U-Net, shows for each kind of layer what it can see, and counts what each
# costs. Nothing here is trained: all of it holds for any weights.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel
from einops import rearrange
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from common import show
from common.data.sprites import SpriteData
from common.data.sprites.attributes import FPS
from common.evaluation.reconstruction import clip_psnr
from common.layers.temporal import Attention, TemporalResnetBlock, TemporalTransformerBlock, frame_positions
from common.models.inflated_unet import LAST_OF_BRANCH, inflate_unet, new_parameters, video_config, video_key
from common.runtime import limit_threads
from common.zoo import from_pretrained
from common.zoo.sprites_image.recipe import UNET

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 75
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "#9a9a9a"
VAE = from_pretrained("sprites-vae")


def counted(model, *inputs):
    """FLOPs of one call by kind of operation. The math kernel, since the counter cannot look into a fused one."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(*inputs)
    return {str(kind).split(".")[-1]: flops for kind, flops in counter.get_flop_counts()["Global"].items()}


def fill(module, std=0.2):
    """Random numbers in place of the zeros that fresh layers end with."""
    for parameter in module.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=std)
    return module.eval()


# %% [markdown]
# ## Pixels or latents?
#
# A diffusion model runs once per step of the sampler, over everything it draws. So first: what does it draw? Either
# the pixels themselves, or the **latents** of an autoencoder, which are decoded once, at the end. The autoencoder
# `sprites-vae` makes 5 × 8 × 8 latents of 17 × 64 × 64 pixels.
#
# *Before you run on:* is anything lost that you can see?

# %%
world = SpriteData("test", num_objects=1)
moving = next(i for i, scene in enumerate(world.scenes(range(200)))
              if scene.objects[0].motion == "right" and scene.objects[0].size == "large"
              and scene.camera == "still")  # fmt: skip
clip = world.batch([moving]).clips()  # (1, 3, 17, 64, 64)
latents = VAE.encode(clip).latent_dist.mode()
restored = VAE.decode(latents).sample.clamp(-1, 1)
less = clip.numel() / latents.numel()
print(f"{clip.numel():,} numbers become {latents.numel():,}, {less:.1f} times fewer; ", end="")
print(f"decoded again: {clip_psnr(restored, clip, data_range=2).item():.1f} dB")
show.player(
    torch.cat([clip, restored], dim=4)[0], FPS, width=300, max_bytes=50_000, caption="the clip | its latents, decoded"
)

# %% [markdown]
# Now the price. Below is the same small image U-Net, for pixels (3 channels) and for latents (16), on every frame of a
# clip. The numbers are *counted*: the model runs on PyTorch's meta device, where tensors have shapes and no contents,
# and a counter adds up the operations.
#
# *Before you run on:* there are about 41 times fewer numbers. How many times fewer operations?


# %%
def unet_flops(channels, size):
    """FLOPs on one frame of `size` × `size`, and the part of them that is pairs of places in attention."""
    with torch.device("meta"):
        ends = {"in_channels": channels, "out_channels": channels}
        unet = UNet2DConditionModel(**UNET | ends | {"block_out_channels": (64, 96)})
        flops = counted(unet, torch.empty(1, channels, size, size), torch.zeros(1), torch.empty(1, 8, 384))
    return sum(flops.values()), flops["bmm"]


SIZES = (64, 128, 256, 512)
prices = {"pixels": [unet_flops(3, size) for size in SIZES], "latents": [unet_flops(16, size // 8) for size in SIZES]}
FRAMES = {"pixels": 17, "latents": 5}
print(f"{'':12}{'pixels':>12}{'of it pairs':>13}{'latents':>12}{'times fewer':>13}")
for size, (all_pixels, pairs), (all_latents, _) in zip(SIZES, *prices.values()):
    a, b = 17 * all_pixels, 5 * all_latents
    print(
        f"17×{size}×{size}".ljust(12) + f"{a / 1e9:9,.0f} G{pairs / all_pixels:13.0%}{b / 1e9:10,.1f} G{a / b:13,.0f}"
    )

figure, axis = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
for (name, values), colour in zip(prices.items(), (RUST, BLUE)):
    axis.loglog(SIZES, [FRAMES[name] * total / 1e9 for total, _ in values], color=colour, marker="o", label=name)
axis.set(xlabel="height and width of the clip, pixels", ylabel="GFLOPs per step of the sampler")
axis.set_title("One small U-Net on all frames of a clip of 17", fontsize=10)
axis.set_xticks(SIZES, SIZES)
axis.minorticks_off()
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# **What to see.** The advantage is far larger than the 41 and grows with the picture. Convolutions cost as much as
# there are places. Attention costs the *square* of it, and soon is nearly everything. Pixel models have two ways out:
# attention on the coarsest grids only, and cascades ([page 3](03_guidance_cascades_stills.ipynb)). Both were common
# until 2023. Beyond about 64 × 64 the rest of the field went to latents. What compression does to a clip is the
# subject of phase 05.
#
# ## The 3D U-Net
#
# A **U-Net** goes down to coarse grids and comes up again, and hands what it saw on the way down across to the way up.
# The **3D U-Net** has one more axis: a 3 × 3 kernel becomes 3 × 3 × 3 and sees the frame before and the frame after.
# Usually only rows and columns get coarser. Time keeps all its frames, since there are few.
#
# Can a 3D kernel begin with the weights of an image model? Two old answers. **Spread**: copy the 2D kernel three times
# and divide by three (I3D, 2017). **Centre**: put it in the middle, and zeros before and after. Here, the first layer
# of an image U-Net on latents of every frame, once of our clip and once of its first frame repeated.
#
# *Before you run on:* on a still clip both should agree with the image layer. Where may one of them fail?

# %%
torch.manual_seed(0)
UNET_2D = UNet2DConditionModel(**UNET | {"block_out_channels": (32, 32)}).eval()
each = VAE.encode(rearrange(clip, "1 c t h w -> t c 1 h w")).latent_dist.mode()  # every frame as a clip of one
clips = {"moving": rearrange(VAE.normalize(each), "t c 1 h w -> 1 c t h w")}  # (1, 16, 17, 8, 8)
clips["still"] = clips["moving"][:, :, :1].expand(-1, -1, 17, -1, -1)
flat = UNET_2D.conv_in.weight  # (32, 16, 3, 3)
KERNELS = {
    "spread": flat[:, :, None].repeat(1, 1, 3, 1, 1) / 3,
    "centre": torch.stack([torch.zeros_like(flat), flat, torch.zeros_like(flat)], dim=2),
    "random": torch.randn(32, 16, 3, 3, 3) * flat.std() / 3**0.5,
}
print("difference from the image layer, relative to its outputs")
print(f"{'':10}{'still, inside':>15}{'still, ends':>15}{'moving':>15}")
for name, kernel in KERNELS.items():
    off = {}
    for kind, x in clips.items():
        due = torch.stack([nn.functional.conv2d(x[:, :, t], flat, padding=1) for t in range(17)], dim=2)
        found = nn.functional.conv3d(x, kernel, padding=1)
        off[kind] = (found - due).square().mean(dim=(0, 1, 3, 4)).sqrt() / due.square().mean().sqrt()  # (T,)
    inside, ends = off["still"][1:-1].max(), off["still"][[0, -1]].max()
    print(f"{name:10}{inside:15.2f}{ends:15.2f}{off['moving'].mean():15.2f}")

# %% [markdown]
# **What to see.** *Spread* is right inside a still clip. At both ends a third of the kernel sees padding, and on a
# moving clip it is a blur over three frames. *Centre* is exact everywhere: at first it does not look at other frames
# at all, and learns to. Keep that idea. It is the one that lasted.
#
# ## (2+1)D: space and time apart
#
# Why one kernel of 27 weights per pair of channels? A kernel 1 × 3 × 3 for space and then one of 3 × 1 × 1 for time
# have 9 + 3 = 12. That is the **(2+1)D factorization**. It is cheaper, and better still, the space half *is* a layer
# of an image model. The time half is new. It starts as the identity: the last layer of each new branch is zero, and
# the branch is added to what was there.

# %%
video = inflate_unet(UNET_2D).eval()
for name, module in UNET_2D.named_modules():  # diffusers' two classes put different numbers below some square roots
    if isinstance(module, nn.GroupNorm):
        video.get_submodule(video_key(name)).eps = module.eps
x = rearrange(clips["moving"][:, :, ::4], "b c t h w -> b t c h w")  # (1, 5, 16, 8, 8)
states, level, ids = torch.randn(1, 6, 384), torch.tensor([0.2]), torch.tensor([[8.0, 60.0, 0.02]])
alone = torch.stack([UNET_2D(x[:, t], level, states).sample for t in range(5)], dim=1)
off = (video(x, level, states, ids).sample - alone).abs().max().item()
print(f"inflated, against the image model on every frame: largest difference {off:.0e}, "
      f"{'equal' if off <= 1e-5 else 'not equal'} to rounding")  # fmt: skip

wide = UNet2DConditionModel(**UNET | {"block_out_channels": (64, 96)})
inflated = UNetSpatioTemporalConditionModel(**video_config(wide))
tripled = []  # operations that a 3×3×3 kernel does in addition, on one frame
hooks = [m.register_forward_hook(lambda m, _, out: tripled.append(4 * out.numel() * m.weight[0].numel()))
         for m in wide.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]  # fmt: skip
one = sum(counted(wide, x[:, 0], level, states).values())
five = sum(counted(inflated, x, level, states, ids).values())
own = sum(p.numel() for p in wide.parameters())
kernels = sum(m.weight.numel() for m in wide.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3))
all_new = sum(p.numel() for p in inflated.parameters())
print(f"\n{'':34}{'parameters':>12}{'GFLOPs for 5 frames':>22}")
print(f"{'image U-Net, frame by frame':34}{own / 1e6:10.2f} M{5 * one / 1e9:20.2f}")
print(f"{'each 3×3 made 3×3×3':34}{(own + 2 * kernels) / 1e6:10.2f} M{5 * (one + sum(tripled)) / 1e9:20.2f}")
print(f"{'(2+1)D with temporal attention':34}{all_new / 1e6:10.2f} M{five / 1e9:20.2f}")

# %% [markdown]
# Equal at first, and cheaper than the 3D kernels although temporal attention is included. And it can learn about time:
# a zero at the end of a branch still has a gradient. To see what *could* pass, put random numbers where the zeros are,
# change one frame of the input, and look which frames of the output move. This is **perturbation**, the honest way to
# ask a network what sees what.


# %%
def who_moves(model):
    """How much each output frame moves when one input frame changes, `(changed, moved)`."""
    plain, rows = model(x, level, states, ids).sample, []
    for t in range(5):
        changed = x.clone()
        changed[:, t] += torch.randn(16, 8, 8, generator=torch.Generator().manual_seed(t))
        rows.append((model(changed, level, states, ids).sample - plain).square().mean(dim=(0, 2, 3, 4)).sqrt())
    return torch.stack(rows)


maps = {"as inflated": who_moves(video)}
for name, module in video.named_modules():
    if LAST_OF_BRANCH.search(name):
        fill(module, 0.05)
maps["with numbers in place of the zeros"] = who_moves(video)
figure, axes = plt.subplots(1, 2, figsize=(6.6, 3.0), layout="constrained")
for axis, (name, values) in zip(axes, maps.items()):
    picture = axis.imshow((values / values.max()).clamp(min=1e-7).log10(), cmap="Blues", vmin=-7, vmax=0)
    axis.set(xlabel="frame of the output", ylabel="frame that was changed")
    axis.set_title(name, fontsize=9)
figure.colorbar(picture, ax=axes, label="log10 of the movement")
plt.show()
print(f"new parameters: {sum(p.numel() for p in new_parameters(video).values()):,}")

# %% [markdown]
# **What to see.** A diagonal, then a full square. No setting of the *image* weights could ever fill it.
#
# ## Temporal attention
#
# A 3 × 1 × 1 convolution sees one frame to each side. **Temporal attention** sees all of them: every place is a
# sequence of T tokens of its own, and every frame attends to every frame, *at that place*. In code it is one line:
# what is not time becomes part of the batch.
#
# Five kinds of layer, random weights, one token changed (the cross).
#
# *Before you run on:* which of the five rows reach the last frame? Which reach another place there?

# %%
C, T, H, W = 32, 6, 5, 7
torch.manual_seed(1)
attention = fill(Attention(C, 4))
space, time = (nn.Conv3d(C, C, k, padding=p) for k, p in (((1, 3, 3), (0, 1, 1)), ((3, 1, 1), (1, 0, 0))))


def along(groups):
    """Attention inside groups of tokens; what is not named as a group is batch."""
    sizes = {"b": 1, "t": T, "h": H, "w": W}
    return lambda x: rearrange(attention(rearrange(x, f"b c t h w -> {groups} c")), f"{groups} c -> b c t h w", **sizes)


LAYERS = {
    "convolution 1×3×3": space,
    "attention in the frame": along("(b t) (h w)"),
    "convolution 3×1×1": time,
    "attention along time": along("(b h w) t"),
    "full attention": along("b (t h w)"),
}
grid = torch.randn(1, C, T, H, W)
nudged = grid.clone()
nudged[:, :, 1, 3, 2] += torch.randn(C)
figure, axes = plt.subplots(len(LAYERS), T, figsize=(7.0, 5.0), layout="constrained")
for k, (line, (name, layer)) in enumerate(zip(axes, LAYERS.items())):
    moved = ((layer(nudged) - layer(grid)).abs().amax(dim=1) > 1e-6)[0]  # (T, H, W)
    for t, axis in enumerate(line):
        axis.imshow(moved[t], cmap="Blues", vmin=0, vmax=1.5)
        axis.set(xticks=[], yticks=[], title="" if k else f"frame {t}")
    line[1].plot(2, 3, "x", color=RUST)
    line[0].set_ylabel(name.replace(" ", "\n", 1), fontsize=8)
    print(f"{name:24}{moved.sum():4} of {T * H * W} tokens move")
figure.suptitle("Blue: moves when the token at the cross is changed", fontsize=10)
plt.show()

# %% [markdown]
# **What to see.** Attention in the frame and attention along time are a sheet and a needle. One layer of each, and
# everything has met everything: first across the frame, then along time.
#
# Two things that this picture hides. The first is a leak. A real temporal block also has a **group norm**, whose mean
# and variance are taken over all frames and places:

# %%
block, told = fill(TemporalResnetBlock(C, 16)), torch.randn(1, T, 16)
moved = (block(nudged, told) - block(grid, told)).abs().amax(dim=1)[0]  # (T, H, W)
own_line = moved[:, 3, 2].max().item()
moved[:, 3, 2] = 0
print(f"temporal residual block: the token's own time line moves by up to {own_line:.2f}, "
      f"all other places by up to {moved.max():.3f}")  # fmt: skip

# %% [markdown]
# Through the norm every token hears a little of every other. It is a choice: norms per frame would not leak. For a
# clip it is harmless. For several still pictures packed into one "clip" it is a mistake ([page
# 3](03_guidance_cascades_stills.ipynb)).
#
# The second: attention has no order. Play a clip backward, and *without positions* each frame gets exactly what it got
# before. Left and right would be one motion.

# %%
torch.manual_seed(2)
layer = fill(TemporalTransformerBlock(C, 4, 16))
frames, prompt = torch.randn(1, T, H * W, C), torch.randn(1, 3, 16)
positions = frame_positions(T, C)[None, :, None]
for name, added in (("without positions", 0), ("with positions", positions)):
    backward = layer(frames.flip(1) + added, prompt).flip(1)
    off = (backward - layer(frames + added, prompt)).abs().max().item()
    print(f"{name:18} forward and backward are {'the same' if off < 1e-4 else 'different'}")

# %% [markdown]
# ### An object leaves its time line
#
# Temporal attention looks along a place, and objects do not stay in their places. Take one row of pixels of our clip
# and put its moments below each other:

# %%
covered = (clip[0, :, 0] - clip[0].median(dim=1).values).abs().amax(dim=0) > 0.2  # by the object, in the first frame
row = int(covered.sum(dim=1).argmax())
column = int(covered[row].nonzero().median())
lines = clip[0, :, :, row]  # (3, T, W)
same = int(((lines[:, :, column] - lines[:, :1, column]).abs().amax(dim=0) < 0.2).sum())
figure, axis = plt.subplots(figsize=(5.4, 3.2), layout="constrained")
axis.imshow(lines.permute(1, 2, 0) / 2 + 0.5, aspect="auto")
axis.axvline(column, color="black", linestyle="--", linewidth=1)
axis.text(column + 1, 15.8, "a time line", fontsize=9)
axis.set(xlabel="column, pixels", ylabel="frame")
axis.set_title(f"Row {row} of every frame: motion is a slanted band", fontsize=10)
plt.show()
print(f"the dashed time line shows what it showed at first in {same} of 17 frames")

# %% [markdown]
# **What to see.** Two frames of the object are on one time line only while it covers the place. After that, temporal
# attention compares the object with the background, and the *space* layers have to carry the news sideways. On a
# coarse grid objects stay longer. That is one reason why temporal layers work well in latents and deep in the U.
#
# ## Full attention and its price
#
# **Full spatiotemporal attention** makes one sequence of all T · H · W tokens. It follows an object anywhere in one
# layer. It compares all pairs of tokens, so its price is the square. Let a pattern cut N tokens into groups of G. Then
# it compares N · G pairs, and the two products inside attention take 4 · N · G · D operations at width D.
#
# *Before you run on:* 16 frames of 32 × 32 places. How many times more pairs does full attention compare than space
# and time in turn? And at 160 frames?


# %%
def pairs(num_frames, places):
    """Pairs compared: full attention, and factorised, one layer in space and one in time."""
    n = num_frames * places
    return {"full": n * n, "space, then time": n * places + n * num_frames}


def products(x):
    q = rearrange(x, "n (h d) c -> n c h d", h=1)
    return nn.functional.scaled_dot_product_attention(q, q, q)


tokens = torch.randn(1, T * H * W, C)
as_counted = (
    counted(attention, tokens)["bmm"],
    counted(attention, rearrange(tokens, "b (t s) c -> (b t) s c", t=T))["bmm"],
)
closed = 4 * (T * H * W) ** 2 * C, 4 * (T * H * W) * (H * W) * C
print(f"operations in closed form {closed[0]:,} and {closed[1]:,}; counted {as_counted[0]:,} and {as_counted[1]:,}\n")
for name, frames_, places in (
    ("16 × 32 × 32", 16, 1024),
    ("160 × 32 × 32", 160, 1024),
    ("5 s of 720p: 15 × 45 × 80", 15, 3600),
):
    full, split = pairs(frames_, places).values()
    print(
        f"{name:26} full {full / 1e6:11,.1f} M pairs, factorised {split / 1e6:8,.1f} M: {full / split:5.1f} times fewer"
    )

lengths = [1, 2, 4, 8, 16, 32, 64, 128, 256]
figure, axis = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
for name, colour in (("full", RUST), ("space, then time", BLUE)):
    axis.loglog(lengths, [pairs(t, 1024)[name] for t in lengths], color=colour, marker="o", label=name)
axis.set(xlabel="frames of 32 × 32 places", ylabel="pairs per layer")
axis.set_title("What attention compares", fontsize=10)
axis.set_xticks(lengths, lengths)
axis.minorticks_off()
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# **What to see.** With one frame the two hardly differ. From there, full attention gets four times dearer whenever the
# clip doubles, and factorised about twice. Factorised attention ruled 2023 and 2024 for that reason. Since then
# autoencoders have become strong enough that a clip is short in tokens, and large models pay for full attention. In
# between there are **windows**: boxes of tokens, moved by half a box in every second layer. Lab 04.5 compares them
# all.
#
# ## What you can now say
#
# - In latents a step costs far less than the count of numbers suggests, because attention pays by squares.
# - A 3D kernel can start from a 2D one. It is exact only if it starts without looking at other frames.
# - (2+1)D keeps the image layers as they are. New branches end in zeros, so the first output is the image model's.
# - Temporal attention sees all frames of one place, needs positions, and loses an object that moves on.
# - Full attention compares N² pairs, factorised attention N · (H · W + T).
#
# Next: why a clip needs [more noise than a picture](02_more_noise_for_more_frames.ipynb).
