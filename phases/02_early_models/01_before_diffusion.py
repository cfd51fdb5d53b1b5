# %% [markdown]
# # Before diffusion
#
# About 30 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# For ten years video was generated without diffusion. Hardly any of these models is in use, and nearly every one left
# an idea that works inside the systems of today. This page runs one of each kind, small, and asks each the same four
# questions: is it **sharp**, does it know **more than one** answer, **how long** does it hold, and what does a clip
# **cost**? The answers are in one table at the end.

# %% tags=["setup"]
import math
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.nn import functional as F

from common import show
from common.course.explore import explore
from common.data.digits import DigitData, handwritten
from common.data.film import FilmData
from common.data.sprites.modes import ModeData
from common.data.sprites.solo import SoloSprites
from common.evaluation.modes import clip_modes
from common.evaluation.sprite_reader import read_sprites
from common.flow import fill_in
from common.models.content_motion import swap_motion
from common.models.pixel_autoregressive import PRESETS, PixelVideoModel, bits
from common.progress import progress_bar
from common.runtime import limit_threads, preset
from common.zoo import from_pretrained

limit_threads()
torch.set_grad_enabled(False)
plt.rcParams["figure.dpi"] = 76
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "0.6"
ANSWERS = {}  # kind of model -> its four answers


def as_clips(pixels):
    """uint8 pixels as floats in [-1, 1]."""
    return pixels.float() / 127.5 - 1


def steepest(clips):
    """The largest hundredth of all steps between neighbouring pixels, its mean, for each frame: `(T,)`."""
    steps = torch.cat([clips.diff(dim=axis).flatten(3) for axis in (3, 4)], dim=3).abs().amax(dim=1)  # (B, T, N)
    return steps.topk(max(1, steps.shape[-1] // 100)).values.mean(dim=(0, 2))


def sharpness(made, real):
    """How steep the edges of each made frame are, over those of real clips: `(T,)`. Less than 1 is blur."""
    return steepest(made) / steepest(real).mean()


def distance(clips, others):
    """Root mean square difference of pairs of clips, the mean over pairs."""
    return (clips - others).square().flatten(1).mean(dim=1).sqrt().mean().item()


def held(sharp):
    """How many frames in a row are at least a third as sharp as real ones."""
    good = (sharp >= 1 / 3).tolist()
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
# The first task was the plainest: here are ten frames, say the next ten. No one has to label anything, since the film
# itself holds the answer. Its classic small world is **Moving MNIST** (Srivastava et al. 2015): two handwritten digits
# that drift through a black square and bounce off its walls.

# %%
DIGITS = DigitData("test")
digits = DIGITS.batch(range(16)).clips()  # (16, 1, 20, 64, 64)
show.strips(
    {"ten frames to see": digits[0, :, :10], "the ten that follow, to be predicted": digits[0, :, 10:]},
    num_frames=10,
    width=72,
)

# %% [markdown]
# *How is a prediction judged?* Nearly always by squared error, and this one choice decided how a decade of predictions
# looked. Take a digit in the middle of the picture that will go to one of eight sides, no one knows which. One model
# guesses a side and draws a sharp digit there. Another draws the mean of all eight. Which has the smaller error? Make
# up your mind, then drag the number of sides.

# %%
eight = handwritten("test")[0][7].astype(np.float32) / 255  # (28, 28)
FUTURES = []
for turn in (0, 4, 2, 6, 1, 5, 3, 7):
    picture = np.zeros((64, 64), dtype=np.float32)
    x, y = (round(18 + 14 * f(turn * math.pi / 4)) for f in (math.cos, math.sin))
    picture[y : y + 28, x : x + 28] = eight
    FUTURES.append(torch.from_numpy(picture))
FUTURES = torch.stack(FUTURES)  # (8, 64, 64)


def guess_or_mean(sides):
    """One future, a guess and the mean of all, with the mean squared error of both over all futures."""
    futures = FUTURES[:sides]
    mean = futures.mean(dim=0)
    guessing = (futures[:, None] - futures).square().sum(dim=(2, 3)).mean().item()  # every guess, every future
    averaging = (futures - mean).square().sum(dim=(1, 2)).mean().item()
    pictures = torch.stack([futures[0], futures[1], mean])[None] * 2 - 1  # (1, 3, 64, 64): three frames
    labels = ["one of the futures", f"a sharp guess: error {guessing:.1f}", f"the mean of all: error {averaging:.1f}"]
    return show.contact_sheet(pictures, columns=3, width=180, labels=labels)


explore(guess_or_mean, sides=[8, 4, 2])

# %% [markdown]
# **What to see.** The ghost wins, however many sides there are, and by a factor that is no accident: drawing a future
# at random costs, on average over all guesses and all futures, exactly twice what their mean does. (Write the error as
# distance to the mean plus spread: the mean pays the spread once, a guess pays it twice.) Whoever minimises squared
# error draws averages, and an average of pictures is a blur. *Deep multi-scale video prediction beyond mean square
# error* (Mathieu et al. 2015) named the problem, and everything below is an answer to it.
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
predicted = PREDICTOR(past, num_future=40).sample  # four times farther than it was trained
sharp = sharpness(predicted, digits)
error = ((predicted[:, :, :10] - future) / 2).square().sum(dim=(1, 3, 4)).mean(dim=0)
copied = ((past[:, :, -1:] - future) / 2).square().sum(dim=(1, 3, 4)).mean(dim=0)
figure, (first, second) = plt.subplots(1, 2, figsize=(9.2, 2.9), layout="constrained")
first.plot(range(1, 11), copied, color=GREY, marker="o", markersize=3, label="copying the last frame")
first.plot(range(1, 11), error, color=BLUE, marker="o", markersize=3, label="ConvLSTM")
first.set(xlabel="frames ahead", ylabel="squared error a frame", ylim=(0, None))
first.set_title("Error of the prediction", fontsize=10)
first.legend(fontsize=8)
second.plot(range(1, 41), sharp, color=BLUE)
second.axvline(10, color=GREY, linestyle=":")
second.axhline(1 / 3, color=RUST, linewidth=0.8, linestyle="--")
second.text(40, 0.345, "a third", color=RUST, ha="right", fontsize=8)
second.text(10.4, 0.02, "trained up to here", color="0.4", fontsize=8)
second.set(xlabel="frames ahead", ylabel="sharpness (1 is real)", ylim=(0, 0.6))
second.set_title("Sharpness of the prediction", fontsize=10)
plt.show()
show.strips({"the truth, ten frames": future[0], "predicted, the same ten": predicted[0, :, :10],
             "and on: every third of the next thirty": predicted[0, :, 10:40:3]}, num_frames=10, width=72)  # fmt: skip

# %% tags=["demo"] draws="Ten true frames, then forty of the model's own: watch them go."
whole = torch.cat([past, predicted], dim=2)[0]  # (1, 50, 64, 64)
CAPTION = "every second frame; from the sixth on, predicted"
show.player(whole[:, ::2], fps=5, width=128, max_bytes=16_000, caption=CAPTION)

# %% tags=["demo"] draws="Its four numbers for the table at the end."
ANSWERS["ConvLSTM"] = {
    "world": "digits, 64 x 64", "sharpness": sharp[:10].mean().item(), "diversity": 0.0,
    "held": held(sharp), "made": len(sharp),
    "seconds": seconds_of(lambda: PREDICTOR(past[:1], num_future=10)) * 16 / 10,
}  # fmt: skip
again = PREDICTOR(past, num_future=40).sample
print(f"squared error a frame: {error[0]:.0f} in the first, {error[9]:.0f} in the tenth; copying: {copied[9]:.0f}")
print(f"sharpness: {sharp[0]:.2f}, {sharp[9]:.2f}, and {sharp[39]:.2f} in the fortieth; "
      f"at least a third for {held(sharp)} frames")  # fmt: skip
print(f"two predictions of the same past differ by {distance(predicted, again):.0f}")

# %% [markdown]
# **What to see.** Far better than copying, and softer with every frame, because each prediction is read as if it were
# true. After forty frames a grey cloud is left. Yet nothing in this world is chance: the past says where both digits
# will be. The doubt is the model's own, about strokes and places that it does not know exactly, and its loss (here the
# cross-entropy of each pixel, which asks for the mean just as squared error does) has it draw this doubt as blur. It is
# fast, and has one answer.
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
film = as_clips(FilmData("test", 9, 64).batch(range(36)))  # (36, 3, 9, 64, 64)
moves = (film[:, :, 0] - film[:, :, 2]).abs().flatten(1).mean(dim=1)
film = film[moves.argsort()]  # what moves least first
first, truth, last = film[:, :, 0], film[:, :, 1], film[:, :, 2]
middle, average = INTERPOLATOR(first, last).clamp(-1, 1), (first + last) / 2


def psnr(made, real):
    """PSNR of each picture, dB, up to 60."""
    return 10 * torch.log10(4 / (made - real).square().flatten(1).mean(dim=1).clamp(min=4e-6))


print(f"{'the frame between':26}{'by averaging':>16}{'by the interpolator':>23}")
for name, part in (("little moves", slice(0, 12)), ("more", slice(12, 24)), ("most", slice(24, 36))):
    by_average, by_network = (psnr(made[part], truth[part]).mean() for made in (average, middle))
    print(f"{name:26}{by_average:13.1f} dB{by_network:20.1f} dB")
softness = [sharpness(made[12:, :, None], truth[12:, :, None]).item() for made in (average, middle)]
print(f"{'sharpness where it moves':26}{softness[0]:13.2f}{softness[1]:23.2f}")

# %% [markdown]
# Where little moves an average is hard to beat. Where something does, the network is nearer to the truth and sharper.
# Lab 02.2 puts it beside stronger rivals; against the best of them, a classical optical flow, it is about even.
#
# Asked again for the middles of the halves, it makes slow motion. How far apart may the ends be? Drag the gap:

# %%
SHOWN = (-1, 21)  # the clip that moves most, and one from the middle


def across(gap):
    """The middle of two frames that are `gap` frames apart, in two clips."""
    pictures, labels = [], []
    for k in SHOWN:
        begin, end, real = film[[k], :, 0], film[[k], :, gap], film[[k], :, gap // 2]
        guess, plain = INTERPOLATOR(begin, end).clamp(-1, 1), (begin + end) / 2
        pictures += [begin[0], real[0], plain[0], guess[0], end[0]]
        labels += ["first", "the truth", f"average: {psnr(plain, real).item():.1f} dB",
                   f"network: {psnr(guess, real).item():.1f} dB", f"last, {gap} frames later"]  # fmt: skip
    return show.contact_sheet(torch.stack(pictures, dim=1), columns=5, width=88, labels=labels)


explore(across, gap=[2, 4, 8])

# %%
moving, found = film[20:], {}
for halvings in (1, 2, 3):
    gap = 2**halvings
    made = fill_in(INTERPOLATOR, moving[:, :, 0], moving[:, :, gap], halvings).clamp(-1, 1)[:, :, 1:-1]
    real = moving[:, :, 1:gap]
    found[gap] = sharpness(made, real)
    quality = psnr(made.movedim(2, 1).flatten(0, 1), real.movedim(2, 1).flatten(0, 1)).mean()
    print(f"ends {gap} frames apart, {gap - 1} between: {quality:.1f} dB, sharpness {found[gap].mean():.2f}")
ANSWERS["interpolator"] = {
    "world": "film, 64 x 64", "sharpness": found[2].mean().item(), "diversity": 0.0,
    "held": held(found[8]), "made": 7, "seconds": seconds_of(lambda: INTERPOLATOR(first[:1], last[:1])) * 16,
}  # fmt: skip

# %% [markdown]
# **What to see.** With the gap the pictures stay rather sharp and become wrong: what belongs where is no longer found,
# and the middle tears. By squared error, which PSNR is made of, the double exposure is then often no worse, or better:
# the ghost again.
#
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
show.strips({f"sample {k}": made[k] for k in range(4)}, num_frames=num_frames, width=64)

# %% tags=["demo"] draws="How many kinds the world's reader finds, and the four numbers."
real = as_clips(ModeData(num_frames, size).batch(range(64)))
modes = {}
for name, clips in (("made", made), ("real", real)):
    words = clip_modes(read_sprites(clips, ModeData.fps), ("shape", "color", "motion"))
    modes[name] = [word for word in words if word is not None]
    print(f"64 {name} clips: the world's reader can name {len(modes[name])}; "
          f"{len(set(modes[name]))} different kinds among them")  # fmt: skip
ANSWERS["GAN"] = {
    "world": f"sprites, {size} x {size}", "sharpness": sharpness(made, real).mean().item(),
    "diversity": distance(made[:32], made[32:]) / distance(real[:32], real[32:]),
    "held": held(sharpness(made, real)), "made": num_frames,
    "seconds": seconds_of(lambda: GAN.sample(1)) * 16 / num_frames,
}  # fmt: skip
print(f"sharpness {ANSWERS['GAN']['sharpness']:.2f}; "
      f"two samples differ {ANSWERS['GAN']['diversity']:.2f} times as much as two real clips do")  # fmt: skip

# %% [markdown]
# **What to see.** One call makes a whole clip, and no two of these are alike. Nothing is blurred as a mean would be;
# the faults are of another kind: speckles, colours that run into each other, a shape that changes on the way. That
# there are many kinds is not to be taken for granted: lab 02.3 shows a run in which they become a few (*mode
# collapse*), and counts them. And a clip has the length and size that the generator was built for.
#
# **The two codes of MoCoGAN** survive without the game. Lab 02.4 trains them by likelihood: one code for what a clip
# shows, one for each frame's motion, so that two clips can exchange their motions.

# %%
SPLIT = from_pretrained("sprites-content-motion")
pair = SoloSprites("test").batch([1, 7]).clips()
swapped = swap_motion(SPLIT, content_of=pair, motion_of=pair.flip(0))
show.strips({"one": pair[0], "the other": pair[1], "the one, moving like the other": swapped[0],
             "the other, moving like the one": swapped[1]}, num_frames=5, width=96)  # fmt: skip

# %% tags=["demo"] draws="The exchange as it moves."
four = torch.cat([pair[0], pair[1], swapped[0], swapped[1]], dim=-1)  # (3, 9, 32, 128)
CAPTION = "two clips; the first with the second's motion; the second with the first's"
show.player(four, fps=4, width=256, max_bytes=20_000, caption=CAPTION)

# %% tags=["demo"] draws="Its four numbers for the table at the end."
real = SoloSprites("test").batch(range(100, 164)).clips()
content = SPLIT.encode(real).content.mode()
drawn = SPLIT.decode(content, SPLIT.prior.sample(64, 36, torch.Generator().manual_seed(0))).sample.clamp(-1, 1)
same_content = SPLIT.decode(
    content[:1].expand(64, -1), SPLIT.prior.sample(64, 9, torch.Generator().manual_seed(1))
).sample.clamp(-1, 1)
ANSWERS["content-motion VAE"] = {
    "world": "sprites, 32 x 32", "sharpness": sharpness(drawn[:, :, :9], real).mean().item(),
    "diversity": distance(same_content[:32], same_content[32:]) / distance(real[:32], real[32:]),
    "held": held(sharpness(drawn, real)), "made": drawn.shape[2],
    "seconds": seconds_of(lambda: SPLIT.decode(content[:1], SPLIT.prior.sample(1, 16))),
}  # fmt: skip
row = ANSWERS["content-motion VAE"]
print(f"one content with two drawn motions: the clips differ {row['diversity']:.2f} times as much as two real ones do")
print(f"36 frames drawn, four times as many as in training: sharpness {sharpness(drawn, real)[0]:.2f} in the first, "
      f"{sharpness(drawn, real)[-1]:.2f} in the last")  # fmt: skip

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
# one digit, 16 × 16 pixels, black or white, and the two frames before in place of the whole past. It trains while you
# watch.

# %%
SIZE = preset()
STEPS = {"ci": 150, "cpu": 800, "gpu": 4000}[SIZE]
SMALL = DigitData("train", num_frames=8, size=48, num_digits=1)
SMALL_TEST = DigitData("test", num_frames=8, size=48, num_digits=1)


def bilevel(data, indices):
    """Clips as black (0) and white (1), of a third of the size: int64 `(B, T, 16, 16)`."""
    return (F.avg_pool3d(data.batch(indices).clips(), (1, 3, 3))[:, 0] > -0.5).long()


torch.manual_seed(0)
PIXELS = PixelVideoModel(**PRESETS[SIZE])
optimizer = torch.optim.AdamW(PIXELS.parameters(), lr=8e-3)
with torch.enable_grad():
    for step in progress_bar(range(STEPS), desc="pixel model", unit="step"):
        optimizer.param_groups[0]["lr"] = 8e-3 * (1 - step / STEPS)
        loss = -PIXELS.log_prob(bilevel(SMALL, range(12 * step, 12 * step + 12))).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

# %% [markdown]
# What is a probability good for? It is a length. A clip of probability $p$ can be stored in $-\log_2 p$ bits, and two
# models can be compared by it without looking at a single sample. Beside ours, three ways to store a frame:

# %%
SIDE = 16
test, train = bilevel(SMALL_TEST, range(64)), bilevel(SMALL, range(64))
ours = bits(-PIXELS.log_prob(test)).mean(dim=0)  # (T,)
share = train.float().mean(dim=(0, 1)) * 0.98 + 0.01  # (16, 16): how often each place is white
alone = -(test * share.log2() + (1 - test) * (1 - share).log2()).sum(dim=(2, 3)).mean(dim=0)
stays = [(train[:, 1:][train[:, :-1] == level] == level).float().mean().item() for level in (0, 1)]
keep = torch.tensor(stays)[test[:, :-1]]  # probability that a pixel keeps its level
copies = -torch.where(test[:, 1:] == test[:, :-1], keep.log2(), (1 - keep).log2()).sum(dim=(2, 3)).mean(dim=0)
known = test[:1]
to_judge = seconds_of(lambda: PIXELS.log_prob(known)) / known.shape[1]
to_draw = seconds_of(lambda: PIXELS.sample(known[:, :2], 1), repeats=2)
drawn = PIXELS.sample(test[[1, 1, 1], :2], 6, torch.Generator().manual_seed(0))  # three answers to one question

figure, (axis, clock) = plt.subplots(1, 2, figsize=(9.2, 3.0), layout="constrained", width_ratios=(2.2, 1))
axis.axhline(SIDE * SIDE, color="black", linewidth=0.8, linestyle="--", label="a bit for each pixel")
axis.plot(alone, color=GREY, marker="o", label="each place by itself")
axis.plot(range(1, 8), copies, color=OLIVE, marker="o", label="as the frame before, but for flips")
axis.plot(ours, color=BLUE, marker="o", label="one pixel after the other")
axis.set(xlabel="frame", ylabel="bits a frame", yscale="log", ylim=(15, 400), yticks=(20, 50, 100, 200))
axis.yaxis.set_major_formatter("{x:.0f}")
axis.yaxis.set_minor_formatter("")
axis.set_title("Shortest description of a test frame: less is better", fontsize=10)
axis.legend(fontsize=7, ncols=2, loc="upper center")
bars = clock.bar(
    ["judge a frame\n(1 call)", f"draw one\n({SIDE * SIDE} calls)"], [to_judge, to_draw], color=[BLUE, RUST]
)
clock.bar_label(bars, [f"{1000 * to_judge:.1f} ms", f"{1000 * to_draw:.0f} ms"], fontsize=9)
clock.set(yscale="log", ylabel="seconds a frame", ylim=(to_judge / 3, to_draw * 4))
clock.set_title("The price on this machine", fontsize=10)
plt.show()
print(
    f"bits a frame: {SIDE * SIDE} raw, {alone[2:].mean():.0f} each place by itself, "
    f"{copies[1:].mean():.0f} by copying, {ours[2:].mean():.0f} by the pixel model "
    f"({ours[0]:.0f} in frame 0, {ours[1]:.0f} in frame 1)"
)

# %% [markdown]
# **What to see.** On the left an honest number for "it has understood that things move", which no other model on this
# page can give: the first frame is the dearest, since nothing is known; with frames before it, each costs less than
# what copying would. On the right the price. To *draw* a frame, each pixel must be drawn before the next can be
# computed: a call of the network a pixel. At 64 x 64 in colour a clip of 16 frames has 16 · 64 · 64 · 3 = 196,608
# values; a diffusion model takes about 50 calls for all of it.
#
# Two frames are given, six are drawn, three times:


# %%
def black_and_white(levels):
    return (2.0 * levels - 1)[None]  # (1, T, H, W)


rows = {f"answer {k + 1}": black_and_white(torch.cat([test[1, :2], drawn[k]])) for k in range(3)}
show.strips({"truth; frames 0 and 1 are given": black_and_white(test[1])} | rows, num_frames=8, width=72)

# %% tags=["demo"] draws="Its four numbers for the table at the end."
real, answers = (2.0 * test - 1)[:, None], (2.0 * drawn - 1)[:, None]  # (B, 1, T, H, W)
sharp = sharpness(answers, real)
ANSWERS["pixel model"] = {
    "world": "digits, 16 x 16, 1 bit", "sharpness": sharp.mean().item(),
    "diversity": distance(answers[:2], answers[1:]) / distance(real[:32], real[32:]),
    "held": held(sharp), "made": drawn.shape[1], "seconds": 16 * to_draw,
}  # fmt: skip
print(f"three answers, and they differ {ANSWERS['pixel model']['diversity']:.2f} times as much as two real clips do")

# %% [markdown]
# **What to see.** No grey anywhere: where the mean would blur, a draw decides. Each answer is another one. But a pixel
# drawn wrong is a fact for all that follow, and frame by frame the digit falls apart; so small a model, trained so
# briefly, shows it early. (Sharpness cannot see this: black and white are as steep as can be.)
#
# **What came back.** "The next piece, given all before it" is the recipe of language models, and it came back to video
# with larger pieces: tokens of a learned codebook (phase 5), whole frames and chunks made by diffusion (phase 8).
# Masked convolutions became causal attention. **What stopped it:** the price of a pixel, and drawn mistakes that the
# model never met in training.

# %% [markdown]
# ## What stopped them
#
# The four answers, measured on this page, in one table. Each model answered in its own world, so compare only what is
# far apart. *Sharpness*: how steep the edges are, 1 as in real clips. *Diversity*: how much two answers to one question
# differ, over how much two real clips do; 0 is one answer. *Held*: frames until an answer is less than a third as sharp
# as real, of those that were asked for. *Seconds*: for 16 frames of its size, on this machine.

# %% tags=["demo"] draws="Sharpness, diversity, length and time of every kind of model."
names = list(ANSWERS)
COLUMNS = {
    "sharpness\n(1 is real)": ("sharpness", lambda row: f"{row['sharpness']:.2f}"),
    "diversity\n(0 is one answer)": ("diversity", lambda row: f"{row['diversity']:.2f}"),
    "frames held\n(of those made)": ("held", lambda row: f"{row['held']} of {row['made']}"),
    "seconds a clip\n(16 frames, log scale)": ("seconds", lambda row: f"{row['seconds']:.2g}"),
}
figure, axes = plt.subplots(1, 4, figsize=(9.4, 3.0), layout="constrained", sharey=True)
for axis, (title, (key, write)) in zip(axes, COLUMNS.items()):
    values = [ANSWERS[name][key] for name in names]
    bars = axis.barh(names, values, color=RUST if key == "seconds" else BLUE, height=0.55)
    axis.bar_label(bars, [write(ANSWERS[name]) for name in names], padding=3, fontsize=9)
    axis.set_title(title, fontsize=10)
    axis.set(xticks=[], xlim=(0, 1.55 * max(values)))
    if key == "seconds":
        axis.set(xscale="log", xlim=(min(values) / 3, max(values) * 20), xticks=[])
        axis.xaxis.set_minor_locator(plt.NullLocator())
    axis.spines[["top", "right", "bottom"]].set_visible(False)
axes[0].set_yticks(range(len(names)), [f"{name}\n{ANSWERS[name]['world']}" for name in names], fontsize=9)
axes[0].invert_yaxis()
plt.show()

# %% [markdown]
# **What to see.** No row is good everywhere. Those with one answer are fast, and blur or can add nothing new. The GAN
# and the two codes have many answers and are fast, in worlds that are tiny and plain. The exact one has the fewest
# pixels and takes the longest. None of them takes a sentence. And no column says whether a clip is *right*: the pixel
# model's digits are as sharp as can be, and fall apart.
#
# Around 2022 three things came together, none of them made for video. **Diffusion** gave sharpness and many answers
# with a plain regression loss, without a game. **Latents** made high resolution affordable. And **models of text and
# images** made conditioning on a sentence something to download. Within a year video had moved there, and since about
# 2023 neither GANs nor purely recurrent models have been serious rivals for open-ended generation.
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
