# %% [markdown]
# # Before diffusion
#
# About 30 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# For ten years video was generated without diffusion. Hardly any of these models is in use, and nearly every one left
# an idea that works inside the systems of today. This page runs one of each kind, small, and asks each the same four
# questions: is it **sharp**, does it know **more than one** answer, **how long** does it hold, and what does a clip
# **cost**? The answers stand in one table at the end.

# %% tags=["setup"]
import math
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.nn import functional as F
from tqdm import tqdm

from common import show
from common.data.digits import DigitData, handwritten
from common.data.film import FilmData
from common.data.sprites.modes import ModeData
from common.data.sprites.solo import SoloSprites
from common.models.pixel_autoregressive import PRESETS, PixelVideoModel, bits
from common.runtime import limit_threads, preset
from common.zoo import from_pretrained

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 85
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "0.6"
ANSWERS = {}  # kind of model -> its four answers


def as_clips(pixels):
    """uint8 pixels as floats in [-1, 1]."""
    return pixels.float() / 127.5 - 1


def contrast(clips):
    """How much neighbouring pixels differ, the mean over `(B, C, T, H, W)`, for each frame: `(T,)`."""
    down, across = clips.diff(dim=3).abs().mean(dim=(0, 1, 3, 4)), clips.diff(dim=4).abs().mean(dim=(0, 1, 3, 4))
    return down + across


def sharpness(made, real):
    """Contrast of each made frame over that of real clips: `(T,)`. 1 is as sharp as real, less is blur."""
    return contrast(made) / contrast(real).mean()


def distance(clips, others):
    """Root mean square difference of pairs of clips, the mean over pairs."""
    return (clips - others).square().flatten(1).mean(dim=1).sqrt().mean().item()


def held(sharp):
    """How many frames in a row are at least half and at most twice as sharp as real ones."""
    good = ((sharp > 0.5) & (sharp < 2)).tolist()
    return good.index(False) if False in good else len(good)


def seconds_of(call, repeats=3):
    """The fastest of a few calls, seconds."""
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return min(taken)


# %% [markdown]
# ## Predicting the next frames
#
# The first task was the plainest: here are ten frames, say the next ten. Nobody has to label anything, since the film
# itself holds the answer. Its classic small world is **Moving MNIST** (Srivastava et al. 2015): two handwritten digits
# that drift through a black square and bounce off its walls.

# %%
DIGITS = DigitData("test")
digits = DIGITS.batch(range(16)).clips()  # (16, 1, 20, 64, 64)
show.strips(
    {"ten frames to see": digits[0, :, :10], "ten frames to predict": digits[0, :, 10:]}, num_frames=10, width=72
)

# %% [markdown]
# *How is a prediction judged?* Nearly always by squared error, and this one choice decided how a decade of predictions
# looked. Take a digit in the middle of the picture that will go to one of eight sides, nobody knows which. One model
# guesses a side and draws a sharp digit there. Another draws the mean of all eight. Which has the smaller error?

# %%
eight = handwritten("test")[0][7].astype(np.float32) / 255  # (28, 28)
futures = []
for turn in range(8):
    picture = np.zeros((64, 64), dtype=np.float32)
    x, y = (round(18 + 14 * f(turn * math.pi / 4)) for f in (math.cos, math.sin))
    picture[y : y + 28, x : x + 28] = eight
    futures.append(torch.from_numpy(picture))
futures = torch.stack(futures)  # (8, 64, 64)
mean = futures.mean(dim=0)


def expected_error(guess):
    """Squared error, summed over the picture, against each of the futures: the mean."""
    return (futures - guess).square().sum(dim=(1, 2)).mean().item()


guessing, averaging = np.mean([expected_error(guess) for guess in futures]), expected_error(mean)
print(f"a guess is {guessing / averaging:.2f} times as wrong as the mean")
names = ["one future of eight", f"a sharp guess: error {guessing:.0f}", f"the mean of all: error {averaging:.0f}"]
cells = [
    (255 * part.numpy()).round().astype(np.uint8)[..., None].repeat(3, axis=-1)
    for part in (futures[5], futures[2], mean)
]
show.contact_sheet(np.stack(cells), columns=3, width=180, labels=names)

# %% [markdown]
# **What to see.** The ghost wins, and by a factor that is no accident: a sharp guess drawn from the futures costs
# exactly twice what their mean does. (Write the error as distance to the mean plus spread: the mean pays the spread
# once, a guess pays it twice.) Whoever minimises squared error draws averages, and an average of pictures is a blur.
# *Video prediction beyond mean square error* (Mathieu et al. 2015) named the problem, and everything below is an answer
# to it.
#
# **What came back.** Diffusion minimises squared error too. But it predicts the *noise*, and asks for the mean at each
# of many small steps, not for the whole future at once: the blur of each step is repaired by the next.

# %% [markdown]
# ## A memory that is a picture
#
# A recurrent network reads frame after frame and carries a state. In a **ConvLSTM** (Shi et al. 2015) the state is a
# stack of feature maps and every product is a convolution, so a kernel can carry along what moves. **PredRNN** (Wang et
# al. 2017) gave the memory a second way, up and down through the layers. Ours, `digits-convlstm`, has two cells; you
# write one in lab 02.1.

# %%
PREDICTOR = from_pretrained("digits-convlstm")
past, future = digits[:, :, :10], digits[:, :, 10:]
predicted = PREDICTOR(past, num_future=40).sample.clamp(-1, 1)  # four times farther than it was trained
sharp = sharpness(predicted, digits)
error = ((predicted[:, :, :10] - future) / 2).square().sum(dim=(1, 3, 4)).mean(dim=0)
copied = ((past[:, :, -1:] - future) / 2).square().sum(dim=(1, 3, 4)).mean(dim=0)
figure, (first, second) = plt.subplots(1, 2, figsize=(9.2, 2.9), layout="constrained")
first.plot(range(1, 11), copied, color=GREY, marker="o", markersize=3, label="copy the last frame")
first.plot(range(1, 11), error, color=BLUE, marker="o", markersize=3, label="ConvLSTM")
first.set(xlabel="frames ahead", ylabel="squared error a frame", ylim=(0, None), title="Error")
first.legend(fontsize=8)
second.plot(range(1, 41), sharp, color=BLUE)
second.axvline(10, color=GREY, linestyle=":")
second.set(
    xlabel="frames ahead", ylabel="sharpness (1 = real)", ylim=(0, None), title="Sharpness; trained up to the line"
)
plt.show()
show.strips({"truth": future[0], "predicted": predicted[0, :, :10], "and on": predicted[0, :, 10:40:3]},
            num_frames=10, width=72)  # fmt: skip

# %%
ANSWERS["ConvLSTM"] = {
    "world": "digits, 64 x 64", "sharpness": sharp[:10].mean().item(), "diversity": 0.0, "held": held(sharp),
    "seconds": seconds_of(lambda: PREDICTOR(past[:1], num_future=10)) * 16 / 10,
}  # fmt: skip
print(f"ten frames take {10 / 16 * ANSWERS['ConvLSTM']['seconds']:.2f} s; two runs on the same past differ by 0")

# %% [markdown]
# **What to see.** The error grows with every frame, because each prediction is read as if it were true. After a bounce
# that could have gone two ways the digits soften, and they never sharpen again. The model is fast and has one answer.
#
# **What came back.** A state carried from frame to frame, with a bounded cost however long the film: world models
# (phase 9) and streaming generators (phase 8) live on it. **What stopped it:** one answer, the mean of all, and a
# memory that has to hold everything.

# %% [markdown]
# ## The frames between
#
# Interpolation makes it easier: both ends are given, and only the way between is made up. **Super SloMo** (2018)
# estimates the motion, warps both pictures to the middle, and takes each pixel from the side on which it can be seen.
# **FILM** (2022) looks for large motions on small pictures with the same weights as for small ones. `film-interpolator`
# does both, in small; you write its parts in lab 02.2.

# %%
INTERPOLATOR = from_pretrained("film-interpolator")
film = as_clips(FilmData("test", 9, 64).batch(range(12)))  # (12, 3, 9, 64, 64)
ends = film[:, :, 0], film[:, :, 2]
middle = INTERPOLATOR(*ends).clamp(-1, 1)
average = (ends[0] + ends[1]) / 2


def psnr(made, real):
    """Mean over the pictures of each one's PSNR, dB."""
    return (10 * torch.log10(4 / (made - real).square().flatten(1).mean(dim=1))).mean().item()


print(
    f"the frame between: {psnr(average, film[:, :, 1]):.1f} dB by averaging, "
    f"{psnr(middle, film[:, :, 1]):.1f} dB by the interpolator"
)
pick = int((ends[0] - ends[1]).abs().flatten(1).mean(dim=1).argmax())
cells = torch.stack([ends[0][pick], film[pick, :, 1], average[pick], middle[pick], ends[1][pick]], dim=1)
show.contact_sheet(cells, columns=5, width=140, labels=["first", "the truth", "average", "interpolator", "last"])

# %% [markdown]
# Asked again and again it makes slow motion: between its own frames it puts new ones. What happens when the ends are
# farther apart?


# %%
def between(first, last, times):
    """Pictures at 1/2, then at 1/4 and 3/4, and so on, in order, ends left out."""
    if times == 0:
        return []
    center = INTERPOLATOR(first, last).clamp(-1, 1)
    return [*between(first, center, times - 1), center, *between(center, last, times - 1)]


gaps, sharp_at = (2, 4, 8), []
for gap in gaps:
    made = torch.stack(between(film[:, :, 0], film[:, :, gap], int(math.log2(gap))), dim=2)
    sharp_at.append(
        (
            sharpness(made, film).mean().item(),
            psnr(made.movedim(2, 1).flatten(0, 1), film[:, :, 1:gap].movedim(2, 1).flatten(0, 1)),
        )
    )
for gap, (sharp, quality) in zip(gaps, sharp_at):
    print(
        f"{gap - 1} frame{'s' * (gap > 2)} between two that are {gap} apart: {quality:.1f} dB, "
        f"{sharp:.2f} times as sharp as film"
    )
ANSWERS["interpolator"] = {
    "world": "film, 64 x 64", "sharpness": sharp_at[0][0], "diversity": 0.0,
    "held": max([gap - 1 for gap, (sharp, _) in zip(gaps, sharp_at) if sharp > 0.5], default=0),
    "seconds": seconds_of(lambda: INTERPOLATOR(ends[0][:1], ends[1][:1])) * 16,
}  # fmt: skip

# %% [markdown]
# **What came back.** Keyframes first, the way between later: a hierarchy that long video lives on (phase 8), and first
# and last frame as a condition (phase 7). **What stopped it:** nothing new can happen between two frames.

# %% [markdown]
# ## A game of two networks
#
# A blur is easy to tell from a film. So let a second network tell, and train the first to fool it: no error, no
# average. **VGAN** (2016) had two streams, a background that stands still and a foreground with a mask. **TGAN** drew a
# sequence of latents, one a frame. **MoCoGAN** (2017) held content and motion apart. **DVD-GAN** (2019) made the first
# clips that pass at a glance, with one discriminator for single frames and one for motion. **StyleGAN-V** (2021) gave
# time a continuous coordinate. `sprites-gan` has DVD-GAN's two judges; you train one in lab 02.3.

# %%
GAN = from_pretrained("sprites-gan")
made = GAN.sample(64, torch.Generator().manual_seed(0))  # (64, 3, T, H, W)
num_frames, size = made.shape[2], made.shape[-1]
show.strips({f"sample {k}": made[k] for k in range(4)}, num_frames=num_frames, width=96)

# %%
real = as_clips(ModeData(num_frames, size).batch(range(64)))
ANSWERS["GAN"] = {
    "world": f"sprites, {size} x {size}", "sharpness": sharpness(made, real).mean().item(),
    "diversity": distance(made[:32], made[32:]) / distance(real[:32], real[32:]), "held": num_frames,
    "seconds": seconds_of(lambda: GAN.sample(1)) * 16 / num_frames,
}  # fmt: skip
print(f"two samples differ {ANSWERS['GAN']['diversity']:.2f} times as much as two real clips do")

# %% [markdown]
# **What to see.** Sharp, and in one call. That the samples differ as much as real clips is not to be taken for granted:
# lab 02.3 shows a run in which they become one and the same (*mode collapse*), while the loss looks fine. And a clip
# has the length that the generator was built for.
#
# **The two codes of MoCoGAN** survive without the game. Lab 02.4 trains them by likelihood: one code for what a clip
# shows, one for each frame's motion, so that two clips can exchange their motions.

# %%
SPLIT = from_pretrained("sprites-content-motion")
pair = SoloSprites("test").batch([1, 7]).clips()
codes = SPLIT.encode(pair)
swapped = SPLIT.decode(codes.content.mode().flip(0), codes.motion.mode()).sample.clamp(-1, 1)
show.strips({"one": pair[0], "another": pair[1], "the other's content, the one's motion": swapped[0],
             "the one's content, the other's motion": swapped[1]}, num_frames=9, width=96)  # fmt: skip

# %%
real = SoloSprites("test").batch(range(100, 164)).clips()
content = SPLIT.encode(real).content.mode()
drawn = SPLIT.decode(content, SPLIT.prior.sample(64, 36, torch.Generator().manual_seed(0))).sample.clamp(-1, 1)
same_content = SPLIT.decode(
    content[:1].expand(64, -1), SPLIT.prior.sample(64, 9, torch.Generator().manual_seed(1))
).sample.clamp(-1, 1)
ANSWERS["content-motion VAE"] = {
    "world": "sprites, 32 x 32", "sharpness": sharpness(drawn[:, :, :9], real).mean().item(),
    "diversity": distance(same_content[:32], same_content[32:]) / distance(real[:32], real[32:]),
    "held": held(sharpness(drawn, real)),
    "seconds": seconds_of(lambda: SPLIT.decode(content[:1], SPLIT.prior.sample(1, 16))),
}  # fmt: skip
print(
    "new motions for one content: clips differ "
    f"{ANSWERS['content-motion VAE']['diversity']:.2f} times as much as two real ones"
)

# %% [markdown]
# **What came back.** The discriminator, as an extra loss: it sharpens the decoders of latent video (phase 5) and
# distils slow samplers into fast ones (phases 8 and 10). Two streams and two codes: a frozen image model for what is
# seen, motion modules for how it moves (phases 3 and 4). **What stopped it:** a game has no loss that falls, collapse
# is silent, and every new size of clip was a new fight.

# %% [markdown]
# ## One pixel at a time
#
# There is a way without blur, without a game, and with an exact probability. By the chain rule *any* clip is as
# probable as its pixels, each given those before it:
#
# $$ p(\text{clip}) = \prod_t \prod_i p\bigl(x_{t,i} \mid x_{t,1}, \dots, x_{t,i-1},\; x_1, \dots, x_{t-1}\bigr). $$
#
# **Video Pixel Networks** (Kalchbrenner et al. 2016) learn just this. A masked convolution sees the rows above and what
# lies to the left, so one call says the probabilities of all pixels of a frame that is *known*. Ours is a miniature:
# one digit, 24 × 24 pixels, black or white, and the two frames before in place of the whole past. It trains while you
# watch.

# %%
SIZE = preset()
STEPS = {"ci": 80, "cpu": 400, "gpu": 2000}[SIZE]
SMALL = DigitData("train", num_frames=8, size=48, num_digits=1)
SMALL_TEST = DigitData("test", num_frames=8, size=48, num_digits=1)


def bilevel(data, indices):
    """Clips as black (0) and white (1), of half the size: int64 `(B, T, 24, 24)`."""
    return (F.avg_pool3d(data.batch(indices).clips(), (1, 2, 2))[:, 0] > -0.2).long()


torch.manual_seed(0)
PIXELS = PixelVideoModel(**PRESETS[SIZE])
optimizer = torch.optim.AdamW(PIXELS.parameters(), lr=4e-3)
begin = time.perf_counter()
with torch.enable_grad():
    for step in tqdm(range(STEPS), desc="pixel model", unit="step"):
        loss = -PIXELS.log_prob(bilevel(SMALL, range(8 * step, 8 * step + 8))).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        optimizer.param_groups[0]["lr"] = 4e-3 * (1 - step / STEPS)

# %% [markdown]
# What is a probability good for? It is a length. A clip of probability $p$ can be stored in $-\log_2 p$ bits, and two
# models can be compared by it without looking at a single sample. Beside ours, three ways to store a frame:

# %%
test, train = bilevel(SMALL_TEST, range(64)), bilevel(SMALL, range(64))
ours = bits(-PIXELS.log_prob(test)).mean(dim=0)  # (T,)
share = train.float().mean(dim=(0, 1)) * 0.98 + 0.01  # (24, 24): how often each place is white
alone = -(test * share.log2() + (1 - test) * (1 - share).log2()).sum(dim=(2, 3)).mean(dim=0)
stays = [(train[:, 1:][train[:, :-1] == level] == level).float().mean().item() for level in (0, 1)]
keep = torch.tensor(stays)[test[:, :-1]]  # probability that a pixel keeps its level
copies = -torch.where(test[:, 1:] == test[:, :-1], keep.log2(), (1 - keep).log2()).sum(dim=(2, 3)).mean(dim=0)
figure, axis = plt.subplots(figsize=(7.4, 3.0), layout="constrained")
axis.axhline(24 * 24, color="black", linewidth=0.8, linestyle="--", label="a bit for each pixel")
axis.plot(alone, color=GREY, marker="o", label="each place by itself")
axis.plot(range(1, 8), copies, color=OLIVE, marker="o", label="as the frame before, but for flips")
axis.plot(ours, color=BLUE, marker="o", label="one pixel after the other")
axis.set(xlabel="frame", ylabel="bits a frame", yscale="log")
axis.set_title("How long is the shortest description? Test clips, less is better", fontsize=10)
axis.legend(fontsize=8)
plt.show()
print(f"bits a frame: {24 * 24} raw, {alone[2:].mean():.0f} each place by itself, {copies[1:].mean():.0f} by copying, "
      f"{ours[2:].mean():.0f} by the pixel model (frame 0: {ours[0]:.0f}, frame 1: {ours[1]:.0f})")  # fmt: skip

# %% [markdown]
# **What to see.** The first frame is the dearest: nothing is known. With one frame seen the shape is known, but not the
# way; from the third on both are. An honest number for "it has understood that things move", which no other model on
# this page can give.
#
# Now the price. To *draw* a frame each pixel must be drawn before the next can be computed: a call of the network a
# pixel.

# %%
DRAWN = {"ci": 2, "cpu": 8, "gpu": 16}[SIZE]
beginning = test[:1, :2].repeat(3, 1, 1, 1)  # three answers to one question
begin = time.perf_counter()
drawn = PIXELS.sample(beginning, DRAWN, torch.Generator().manual_seed(0))
for_a_frame = (time.perf_counter() - begin) / DRAWN
at_once = seconds_of(lambda: PIXELS(test[:1, :3])) / 3
print(f"to judge a known frame: 1 call; to draw one: {24 * 24} calls, about {for_a_frame / at_once:.0f} times as long")
print(
    f"at 64 x 64 in colour a clip of 16 frames would take {16 * 64 * 64 * 3:,} calls; a diffusion model takes about 50"
)


def black_and_white(levels):
    return (2.0 * levels - 1)[None].expand(3, -1, -1, -1)


shown = {
    f"answer {k + 1}": torch.cat([black_and_white(beginning[k]), black_and_white(drawn[k])], dim=1) for k in range(3)
}
show.strips(shown | {"truth": black_and_white(test[0, : 2 + DRAWN])}, num_frames=2 + DRAWN, width=72)

# %%
real = (2.0 * test - 1)[:, None]  # (B, 1, T, H, W)
answers = (2.0 * drawn - 1)[:, None]
sharp = sharpness(answers, real)
ANSWERS["pixel model"] = {
    "world": "digits, 24 x 24, 1 bit", "sharpness": sharp.mean().item(),
    "diversity": distance(answers[:1], answers[1:2]) / distance(real[:32], real[32:]),
    "held": held(sharp), "seconds": 16 * for_a_frame,
}  # fmt: skip

# %% [markdown]
# **What came back.** "The next piece, given all before it" is the recipe of language models, and it came back to video
# with larger pieces: tokens of a learned codebook (phase 5), whole frames and chunks made by diffusion (phase 8).
# Masked convolutions became causal attention. **What stopped it:** the price of a pixel, and drawn mistakes that the
# model never met in training.

# %% [markdown]
# ## What stopped them
#
# The four answers, measured on this page. They were given on different worlds, each model's own, so read along the rows
# and compare only what is far apart. *Sharpness*: contrast over that of real clips, 1 is right. *Diversity*: how much
# two answers to one question differ, over how much two real clips do; 0 is one answer. *Held*: frames until an answer
# is less than half as sharp as real, of those that were made. *Seconds*: for 16 frames, on this machine.

# %%
print(f"{'':22}{'world':26}{'sharpness':>10}{'diversity':>11}{'held':>7}{'s / 16 frames':>16}")
for name, row in ANSWERS.items():
    print(
        f"{name:22}{row['world']:26}{row['sharpness']:10.2f}{row['diversity']:11.2f}{row['held']:7}{row['seconds']:16.3f}"
    )

# %% [markdown]
# **What to see.** No row is good everywhere. Models that say one thing are fast and blur, or can add nothing. The game
# is sharp and short. The exact one is slow by orders of magnitude. And none of them takes a sentence.
#
# Around 2022 three things came together, none of them about video. **Diffusion** gave sharpness and many answers with a
# plain regression loss, without a game. **Latents** made high resolution affordable. And **models of text and images**
# made conditioning on a sentence something to download. Within a year video had moved there, and since about 2023
# neither GANs nor purely recurrent models have been serious rivals for open-ended generation.
#
# | line | its idea, and where it lives now | what stopped it |
# |---|---|---|
# | recurrent predictors | a state carried along: streaming, world models (8, 9) | one answer, the mean |
# | interpolation | both ends as a condition, keyframes first (7, 8) | nothing new between two frames |
# | GANs | the discriminator as a loss, distillation (5, 8, 10); content and motion apart (3, 4) | silent collapse |
# | pixel by pixel | the next piece given all before it: tokens, chunks (5, 8) | a call for every value |
#
# ## What you can now say
#
# - Squared error asks for the mean of all futures, and a sharp guess costs twice as much.
# - A predictor that reads its own output drifts; measure it as far out as you mean to use it.
# - Look at many samples: a GAN's loss does not tell when it has collapsed.
# - A likelihood compares models without a sample, and drawing from it one value at a time is slow.
# - The ideas were right. What was missing was a loss that is easy to minimise and does not average.
#
# *Film: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0. Digits: MNIST, Yann LeCun and
# Corinna Cortes, CC BY-SA 3.0.*
