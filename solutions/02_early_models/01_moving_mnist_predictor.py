# %% [markdown]
# # Lab 02.1 · The Moving MNIST predictor
#
# **What you will have at the end:** a network that watches ten frames of two digits drifting through a box and draws
# the next ten, its memory, its feedback and its loss written by you; and the reason why its pictures grow grey.
#
# | | |
# |---|---|
# | time | about 75 minutes |
# | difficulty | ★★★☆☆ |
# | before this | [lab 01.2, the frame extractor](../01_tensors/02_frame_extractor.ipynb); what an LSTM is |
# | the data | Moving MNIST on real digits: MNIST, Yann LeCun and Corinna Cortes, CC BY-SA 3.0 |
#
# The whole notebook runs at one of three sizes. `cpu` is yours unless you set `FLIPBOOK_PRESET`.
#
# | preset | what you train on, read → predict `(T, H, W)` | all cells take about |
# |---|---|---|
# | `ci` | (4, 32, 32) → (4, 32, 32) | 25 s |
# | `cpu` | (10, 64, 64) → (10, 64, 64) | 5 min |
# | `gpu` | (10, 64, 64) → (10, 64, 64) | 5 min |

# %% tags=["setup"]
import matplotlib.pyplot as plt
import torch
from torch.nn import functional as F
from tqdm import tqdm

from common import show
from common.course import check
from common.data.digits import DigitData
from common.evaluation import prediction as baselines
from common.evaluation.image import ssim
from common.models import convlstm as library
from common.runtime import device, preset
from common.training.muon import Muon

NUM_SHOWN = {"ci": 16, "cpu": 64, "gpu": 256}[preset()]  # clips of the test set that are measured
# what you train: shrunken how much, frames read, model, steps, clips a step
SHRINK, NUM_READ, SIZE, STEPS, BATCH = {
    "ci": (2, 4, "ci", 60, 8),
    "cpu": (1, 10, "ci", 250, 8),
    "gpu": (1, 10, "cpu", 2000, 32),
}[preset()]
BLUE, RED, GREY = "#1f6f8b", "#b5402a", "0.6"

# %% [markdown]
# ## The world, and where you are heading
#
# Two handwritten digits drift through a black square, each straight ahead at 3.6 pixels a frame, and bounce off its
# walls. They pass through each other; where they overlap the brighter pixel is seen. That is all: no camera, no light,
# no will. Since 2015 every model of video prediction has had to show itself here first.
#
# A network that ships with this course has seen the first ten frames of these clips, and no digit in them ever before.
# Above what came, below what it says would come:

# %% tags=["demo"]
clips = DigitData("test").batch(range(NUM_SHOWN)).clips()  # (B, 1, 20, 64, 64) in [-1, 1]
past, future = clips.chunk(2, dim=2)  # ten frames each
shipped = library.ConvLSTMPredictor.from_pretrained("digits-convlstm").eval()
with torch.no_grad():
    predicted = shipped(past, num_future=10).sample
rows = {}
for k in range(3):
    rows |= {f"clip {k}: what came": future[k], f"clip {k}: what was predicted": predicted[k]}
show.strips({"clip 0: the ten frames that were seen": past[0]} | rows, num_frames=10, width=64)

# %% [markdown]
# The digits go where they should and bounce where they should. And from frame to frame they turn softer, as if seen
# through frosted glass; most of all where two of them lie over each other when the watching ends (clips 1 and 2): what
# comes out of such a knot is hardly more than a cloud.
#
# **Before you read on, a prediction.** Suppose that a digit will be either here or two pixels further left, and nobody
# can know which. One painter draws it sharp, at one of the two places, and is right half of the time. Another draws
# both at half their brightness, a grey ghost that is never right. Whose squared error is lower in the long run? By how
# much? Write it down; a cell near the end measures it.

# %% [markdown] about="error_per_frame" difficulty=1 importance=4 minutes=8
# ## How wrong is a prediction?
#
# To compare with the literature we count as it counts. Bring pixels to the range 0 to 1, take the squared difference,
# and **sum** it over the channels and pixels of a frame; then take the mean over the samples:
#
# $$ e_t = \frac{1}{B} \sum_{b} \sum_{c, y, x} \left( \frac{\hat x_{bctyx} - x_{bctyx}}{r} \right)^2, $$
#
# where $r$ is the range of the pixels, 2 for our clips in [-1, 1]. The mean of $e_t$ over the frames is the "MSE" of
# every table about Moving MNIST. It is a sum over 4096 pixels, so it is no small number: a whole digit missing costs
# about 90. With absolute values in place of squares (`power=1`) it is the tables' "MAE".
#
# | quantity | shape, range |
# |---|---|
# | `preds`, `target` | `(B, C, T, H, W)`, in [-1, 1] when `data_range` is 2 |
# | `power` | 2 or 1 |
# | result | `(T,)`, one number a frame |
#
# **Usual mistakes.** A mean over the pixels gives numbers 4096 times too small. The range belongs inside the square:
# differences of clips in [-1, 1] are twice too large, their squares four times. Without `abs`, errors of power 1
# cancel.

# %% exercise="error_per_frame" from="common.evaluation.prediction:error_per_frame"

# %% check="error_per_frame"

# %% [markdown] hints="error_per_frame"
# 1. Nothing is summed over frames: the result keeps axis 2. All other axes go, three by a sum and one by a mean.
# 2. `(preds - target).abs() / data_range` first; then `.pow(power)`; then the sum over axes 1, 3 and 4.
# 3. `error.pow(power).sum(dim=(1, 3, 4)).mean(dim=0)`. Before that, convert to float32, and raise `ValueError` for
#    clips of different shapes and for a `data_range` that is not above 0.

# %% [markdown]
# What does somebody get who knows nothing of digits? Three ways to be lazy, and one that does not even look:

# %% tags=["demo"]
average = DigitData().batch(range(200)).clips().mean(dim=(0, 2), keepdim=True)  # of clips that are not in the test
lazy = {
    "the last frame again": baselines.copy_last(past, 10),
    "the last frame, moved on at constant velocity": baselines.constant_velocity(past, 10),
    "the mean of the ten frames": baselines.mean_of_past(past, 10),
    "the mean of all frames there are": average.expand_as(future),
}
print(f"{'squared error of a frame':48}{'1st':>8}{'5th':>8}{'10th':>8}{'mean':>9}")
for name, guess in (lazy | {"the network above": predicted}).items():
    errors = error_per_frame(guess, future, data_range=2)
    print(f"{name:48}{errors[0]:8.1f}{errors[4]:8.1f}{errors[9]:8.1f}{errors.mean():9.1f}")
show.strips({name: guess[0] for name, guess in lazy.items()}, num_frames=10, width=64)

# %% [markdown]
# **What to see.** The sharpest pictures have the worst numbers, and a picture of fog, the same for every clip, has the
# best of the four. Keep that in mind. One velocity for the whole picture is right for the next frame only when both
# digits happen to agree.
#
# ## A memory that is a picture
#
# To know where a digit goes one frame is not enough: something must be remembered. An LSTM remembers in a vector. Shi
# and colleagues (2015) made the vector a **picture**: at every place a hidden state $h$ and a memory $c$ of some
# channels, and every gate a convolution. A thing that moves can then be handed on from a place to its neighbour.

# %% [markdown] about="ConvLSTMCell" difficulty=3 importance=5 minutes=15
# ## The cell
#
# One convolution looks at the input and the hidden state together and gives four pictures $i, f, g, o$, in this order:
#
# $$ i, f, g, o = W * [x, h] + b $$
# $$ c' = \sigma(f) \odot c + \sigma(i) \odot \tanh(g) \qquad\qquad h' = \sigma(o) \odot \tanh(c') $$
#
# Read it aloud: keep $\sigma(f)$ of what you knew, add $\sigma(i)$ of what you think now, and show $\sigma(o)$ of it.
# The memory itself passes through nothing but a multiplication and a sum, so gradients survive many frames. (The first
# paper also let the gates peek at $c$; most of what followed, and we, leave these *peepholes* out.)
#
# | quantity | shape |
# |---|---|
# | `x` | `(B, in_channels, H, W)` |
# | `state`: h, c | `(B, hidden_channels, H, W)` each; `None` for zeros |
# | `self.gates(...)` | `(B, 4 * hidden_channels, H, W)` |
# | result: h', c' | as `state` |
#
# **Usual mistakes.** The four parts in another order than the weights were made for: it trains, and no other weights
# fit. $\sigma$ where $\tanh$ belongs: the memory can then only grow. Showing the old memory in place of the new one.
# Returning `(c, h)`: the next step takes one for the other.

# %% exercise="ConvLSTMCell" from="common.models.convlstm:ConvLSTMCell" blank="forward"

# %% check="ConvLSTMCell"

# %% [markdown] hints="ConvLSTMCell"
# 1. Four lines: the state (zeros where there is none), the gates, the new memory, the new hidden state.
# 2. Zeros like the input: `x.new_zeros(len(x), self.hidden_channels, *x.shape[2:])`, once for h and once for c. The
#    gates: `self.gates(torch.cat([x, h], dim=1))`, then `.chunk(4, dim=1)`.
# 3. `c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)`, then `h = torch.sigmoid(o) * torch.tanh(c)`, and
#    `return h, c`. No in-place operations: the caller may still need the old state.

# %% [markdown]
# Your cell, before it has learned anything. A bright spot is shown once, at the first step; then the picture is black.
# What does the memory hold on to? The forget gate's bias is 1 in a fresh cell; beside it the same cell with a bias of
# -1.

# %% tags=["demo"]
def echoes(forget_bias, num_steps=8):
    """How much of the first glance is left in the memory, step by step: `(num_steps,)`."""
    torch.manual_seed(0)
    cell = ConvLSTMCell(1, 8)
    cell.init_weights()
    torch.nn.init.constant_(cell.gates.bias[8:16], forget_bias)
    spot = torch.zeros(1, 1, 15, 15)
    spot[..., 7, 7] = 4.0
    state, blank, left = cell(spot), cell(0 * spot), []
    for _ in range(num_steps):
        left.append((state[1] - blank[1]).norm().item())
        state, blank = cell(0 * spot, state), cell(0 * spot, blank)
    return torch.tensor(left)


with torch.no_grad():
    figure, axis = plt.subplots(figsize=(6, 2.8), layout="constrained")
    for bias, colour in ((1.0, BLUE), (-1.0, RED)):
        left = echoes(bias)
        axis.plot(left / left[0], color=colour, marker="o", markersize=4, label=f"forget bias {bias:+.0f}")
axis.set(xlabel="steps since the spot was seen", ylabel="of the memory left", ylim=(0, 1.05))
axis.set_title("What a fresh cell keeps of one glance")
axis.legend(fontsize=9)
plt.show()

# %% [markdown]
# **What to see.** With a bias of 1 about $\sigma(1) = 0.73$ of the memory survives each step, so that from the first
# day on gradients reach ten frames back. With -1 there is hardly anything left to learn from.

# %% [markdown] about="scheduled_sampling" difficulty=2 importance=4 minutes=8
# ## What does a forecaster read?
#
# The network predicts one frame at a time, and for the next one it needs a frame to read. When it is used that is its
# own prediction, there is no other. In training there is a choice:
#
# - **the truth, always** (*teacher forcing*): easy, and it learns fast; but it never meets its own mistakes, and the
#   first time that it must live on them they pile up;
# - **its own prediction, always**: what it will be used for; but in the beginning the predictions are rubbish, and from
#   rubbish little can be learned.
#
# *Scheduled sampling* (Bengio et al. 2015) begins with the one and ends with the other. For each sample a coin is
# thrown: below the `probability` the truth is read, else the prediction; and the probability falls as training goes on.
#
# | quantity | shape, range |
# |---|---|
# | `truth`, `predicted` | `(B, C, H, W)` |
# | `probability` of the truth | a number, or `(B,)`, from 0 to 1 |
# | `coins` | `(B,)`, in [0, 1): thrown by the caller, so that a training can be repeated |
# | result | `(B, C, H, W)`, each sample whole from one of the two |
#
# **Usual mistakes.** One coin for the whole batch, or one for every pixel (a picture of both is a third thing that will
# never be met again). A mixture in the proportion of the probability, which is a ghost. `<=`, which reads the truth
# once in a while even at probability 0. Detaching the prediction: then nobody learns from having misled himself.

# %% exercise="scheduled_sampling" from="common.models.convlstm:scheduled_sampling"

# %% check="scheduled_sampling"

# %% [markdown] hints="scheduled_sampling"
# 1. `coins < probability` says for each sample whether the truth is read, `(B,)`, whether the probability is one number
#    or one a sample.
# 2. `torch.where(chosen, truth, predicted)` needs `chosen` with the axes of the frames: `(B, 1, 1, 1)`. The library's
#    `append_dims(chosen, truth)` gives it those.
# 3. `return torch.where(append_dims(coins < probability, truth), truth, predicted)`. Before that, raise `ValueError`
#    naming the shapes if the frames differ, or if the coins are not `(B,)`.

# %% [markdown] about="ConvLSTMPredictor" difficulty=4 importance=5 minutes=20
# ## Encoder and forecaster
#
# Now the whole. `step`, which is given, reads one frame and expects the next: patches of 4×4 pixels, a fine cell, a
# coarse cell that sees further, and back to pixels. What it returns are **logits** $z$; $\sigma(z)$ is the brightness
# that it expects, from 0 to 1, and `as_pixels` (given) brings that to [-1, 1]. You write what happens in time:
#
# | part | reads | expects |
# |---|---|---|
# | **encoder** | the T frames of the past, one after the other | frames 1, 2, …, T |
# | **forecaster** | its own last expectation, `num_future - 1` times | frames T + 1, …, T + `num_future` - 1 |
#
# (frames counted from 0). What the encoder expects at its last step is already the first frame of the future. All that
# passes from the one to the other is the **state**. With `truth` given, the forecaster reads
# `scheduled_sampling(…)` of the true frame and the predicted one: at its step $k$ these are the future's frame $k$ both
# times, and column $k$ of the coins.
#
# | quantity | shape |
# |---|---|
# | `past` | `(B, C, T, H, W)` in [-1, 1] |
# | `truth` | `(B, C, num_future, H, W)`, or `None` |
# | `coins` | `(B, num_future - 1)` |
# | `.logits` of the result | `(B, C, T - 1 + num_future, H, W)`: everything that was expected |
# | `.sample` of the result | `(B, C, num_future, H, W)` in [-1, 1]: the future alone |
#
# **Usual mistakes.** Reading the last frame of the past a second time: everything comes one frame late. Feeding back
# logits, or brightness from 0 to 1, where the network was shown pixels from -1 to 1. Starting the forecaster without
# the encoder's state: it has amnesia. Detaching the feedback: no lesson reaches back through it.

# %% exercise="ConvLSTMPredictor" from="common.models.convlstm:ConvLSTMPredictor" blank="forward"

# %% check="ConvLSTMPredictor"

# %% [markdown] hints="ConvLSTMPredictor"
# 1. Two loops, one after the other. Both call `expected, state = self.step(frame, state)` and keep `expected` in a
#    list. The first goes through `past.unbind(dim=2)`, the second runs `num_future - 1` times.
# 2. In the second loop the frame is `as_pixels(expected)`; where `truth` is given, it is
#    `scheduled_sampling(truth[:, :, k], frame, probability, coins[:, k])`.
# 3. At the end `logits = torch.stack(logits, dim=2)` and
#    `return PredictorOutput(sample=as_pixels(logits[:, :, -num_future:]), logits=logits)`.

# %% [markdown] about="prediction_loss" difficulty=2 importance=4 minutes=10
# ## What it is punished for
#
# Squared error is what we measure. We train on a relative of it. Take the brightness $x \in [0, 1]$ of a pixel for the
# probability that it is white, the expected brightness $p = \sigma(z)$ for the network's, and count the surprise in
# *nats*, the **cross-entropy**
#
# $$ \ell = -x \log p - (1 - x) \log (1 - p) = \log\left(1 + e^{z}\right) - x z. $$
#
# Both losses are smallest at the same answer: the **mean** of all that may come. But where the network is far off,
# squared error of $\sigma(z)$ is flat, and cross-entropy is not: it learns faster. The right-hand form is the one to
# write; the left one takes the logarithm of 0 as soon as the network is sure. (Put $p = 1 / (1 + e^{-z})$ in and see
# that both are the same.) Its first part has a name, *softplus*, and `F.softplus` computes it without an overflow.
#
# | quantity | shape, range |
# |---|---|
# | `logits` | `(B, C, T, H, W)`, any number |
# | `target` | the same, pixels in **[-1, 1]** |
# | result | a scalar: the mean over all pixels, float32 |
#
# **Usual mistakes.** Pixels in [-1, 1] are no probabilities: halve and shift them first. `log(sigmoid(z))` is $-\infty$
# at $z = -200$. A sum in place of the mean changes the scale of every gradient with the size of the batch.

# %% exercise="prediction_loss" from="common.models.convlstm:prediction_loss"

# %% check="prediction_loss"

# %% [markdown] hints="prediction_loss"
# 1. First `x = (target + 1) / 2`, in float32; the logits in float32 too. Raise `ValueError` if the shapes differ.
# 2. $\log(1 + e^z)$ written out overflows at $z = 100$; `F.softplus(z)` does not.
# 3. `(F.softplus(z) - x * z).mean()`.

# %% [markdown]
# ## Put it together: your parts, trained
#
# A loop of twenty lines. For the first half of the training the truth is faded out, then the forecaster stands on its
# own feet. The optimiser is Muon, which gives a weight matrix a step of equal size in all directions; on this network
# it needs a fraction of Adam's steps.

# %% tags=["demo"]
def batch(first, split="train", count=BATCH):
    """Clips `(count, 1, 2 NUM_READ, H, W)` with the numbers from `first` on, at the size of the training."""
    pixels = DigitData(split, num_frames=2 * NUM_READ).batch(range(first, first + count)).clips().to(device())
    return F.avg_pool3d(pixels, (1, SHRINK, SHRINK))


def training(model, truth_probability, steps=STEPS, learning_rate=5e-3):
    """Train, and return the loss of every step. `truth_probability(part done)` -> probability."""
    ends = [p for name, p in model.named_parameters() if p.ndim < 2 or "patches_out" in name]
    kernels = [p for name, p in model.named_parameters() if p.ndim >= 2 and "patches_out" not in name]
    optimizer, losses = Muon(kernels, ends, lr=learning_rate), []
    generator = torch.Generator().manual_seed(0)
    for step in tqdm(range(steps), desc="training", unit="step", mininterval=1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * min(1.0, (step + 1) / 10, 2 * (1 - step / steps))  # up, level, down
        seen, unseen = batch(step * BATCH).chunk(2, dim=2)
        coins = torch.rand(len(seen), NUM_READ - 1, generator=generator).to(seen.device)
        logits = model(seen, NUM_READ, unseen, truth_probability(step / steps), coins).logits
        loss = prediction_loss(logits, torch.cat([seen[:, :, 1:], unseen], dim=2))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


torch.manual_seed(0)
mine = ConvLSTMPredictor(**library.PRESETS[SIZE]).to(device())
losses = training(mine, lambda done: max(0.0, 1 - 2 * done))
seen, unseen = batch(0, "test", 32).chunk(2, dim=2)
with torch.no_grad():
    guess = mine(seen, NUM_READ).sample
own = error_per_frame(guess, unseen, data_range=2)
reference = error_per_frame(baselines.mean_of_past(seen, NUM_READ), unseen, data_range=2)
print(f"after {STEPS} steps of {BATCH} clips, on digits never seen: {own.mean():.1f}; "
      f"the mean of the past: {reference.mean():.1f}")
show.strips({"what came": unseen[0].cpu(), "what you predicted": guess[0].cpu()}, num_frames=NUM_READ, width=64)

# %% [markdown]
# The shipped network has seen 42,216 clips, many more than yours, and learned nothing that yours could not. Its weights
# fit into your classes, because yours have the same names:

# %% tags=["demo"]
model = ConvLSTMPredictor.from_pretrained("digits-convlstm").eval()
with torch.no_grad():
    output = model(past, num_future=10)
expected = torch.sigmoid(output.logits[:, :, -10:])  # brightness, 0 to 1
own = error_per_frame(output.sample, future, data_range=2)
print(f"your code, the shipped weights: {own.mean():.1f}, where the library's code gave "
      f"{error_per_frame(predicted, future, data_range=2).mean():.1f}")

# %% [markdown]
# ## The result to remember: error, frame by frame
#
# One more curve comes for free. The network prints $p$, the mean of the brightness $x$ that it holds possible. If it
# knows what it does not know, its squared error is, on average,
#
# $$ E (x - p)^2 = E\,x^2 - p^2 = p (1 - p) - E\,[x (1 - x)]. $$
#
# The first part is the grey of its own picture. The second is grey that is no doubt at all: the soft edges of real
# digits, and these can be measured on the frames that were seen. So from the picture itself, without the truth, it can
# be read how wrong the network *thinks* it will be: count the grey, less that of the edges.

# %% tags=["demo"]
frames = torch.arange(1, 11)
grey = (expected * (1 - expected)).sum(dim=(1, 3, 4)).mean(dim=0)  # (10,)
bright = (past + 1) / 2
edges = (bright * (1 - bright)).sum(dim=(1, 3, 4)).mean()  # of frames that are known
figure, axis = plt.subplots(figsize=(9.5, 4), layout="constrained")
styles = {"the last frame again": ":", "the last frame, moved on at constant velocity": "-.",
          "the mean of the ten frames": "--", "the mean of all frames there are": (0, (1, 4))}
for name, style in styles.items():
    axis.plot(frames, error_per_frame(lazy[name], future, data_range=2), color=GREY, linestyle=style, label=name)
axis.plot(frames, own, color=BLUE, marker="o", label="the network")
axis.plot(frames, grey - edges, color=BLUE, linestyle="--", label="what its own grey says")
axis.set(xlabel="predicted frame", ylabel="squared error, summed over a frame", ylim=(0, None), xticks=frames)
axis.set_title(f"Error of each predicted frame, mean of {NUM_SHOWN} clips")
axis.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
plt.show()

# %% [markdown]
# **What to see.** The error grows from frame to frame, and the grey grows with it, nearly as much: the network knows
# how little it knows. It does not draw soft pictures because it cannot draw sharp ones. It draws what it believes, and
# it believes less and less. (Where the grey lies above the error, it doubts more than it must; below, it is too sure.)
#
# ## Why it blurs
#
# The world is exact: who knows a digit's place and speed to the last digit knows all. But ten frames of whole pixels
# say only so much; where two digits overlap one hides the other; and half a pixel of doubt before a wall is many after
# it. So the future is *many* futures, and a loss that counts squares has an opinion about what to say then. Here is the
# question from the beginning, on real digits. The truth is at one of several places, each as likely. One painter draws
# the digit sharp at one of them, the other the mean of all.

# %% tags=["demo"]
digit = future[:, :, :1]  # a frame of each clip, as it came
print(f"{'the digits may be':38}{'one sharp guess':>18}{'the grey mean':>16}{'ratio':>8}")
for spread in (1, 2, 4):
    places = [digit.roll((dy, dx), (-2, -1)) for dy in (-spread, 0, spread) for dx in (-spread, 0, spread)]
    ghost = torch.stack(places).mean(dim=0)
    sharp = torch.stack([error_per_frame(a, b, data_range=2) for a in places for b in places]).mean()
    soft = torch.stack([error_per_frame(ghost, b, data_range=2) for b in places]).mean()
    print(f"up to {spread} px off, nine places{'':13}{sharp:18.1f}{soft:16.1f}{sharp / soft:8.2f}")

# %% [markdown]
# **Exactly twice.** That is no accident: if the answer is drawn from the same futures as the truth, its error is the
# spread of both, $2 \operatorname{Var}$; the mean's error is the spread of one, $\operatorname{Var}$. Whoever is
# punished by squares learns to be grey.
#
# So how good would a *sharp* prediction have to be, to be forgiven? Below, the last predicted frame beside pictures
# that are perfectly sharp and a little wrong: the truth itself, moved by a few pixels; and the network's own picture
# with its grey taken out, every pixel black or white.

# %% tags=["demo"]
truth, blurred = future[:, :, -1:], output.sample[:, :, -1:]
guesses = {"the network, as it is": blurred, "the network, black or white": torch.where(blurred > 0, 1.0, -1.0)}
guesses |= {f"the truth, {px} px to the right": truth.roll(px, -1) for px in (1, 2, 3, 4)}
print(f"{'the tenth frame':32}{'squared error':>15}{'SSIM':>8}")
for name, guess in guesses.items():
    print(f"{name:32}{error_per_frame(guess, truth, data_range=2).item():15.1f}"
          f"{ssim(guess, truth, data_range=2).item():8.3f}")
cells = torch.cat([truth[0], *(guess[0] for guess in guesses.values())], dim=1)
show.contact_sheet(cells, columns=4, width=192, labels=["what came", *guesses])

# %% [markdown]
# **What to see.** Taking the grey out leaves a harder picture, a few strokes of it, and a worse number. And the truth
# itself, whole and sharp, scores worse than the smear as soon as it is two pixels off, though anybody would call it the
# better picture. By squared error a sharp wrong guess is the worst there is. This is what stopped predictors that are
# trained this way: not that they learn too little, but that they are asked the wrong question. GANs (lab 02.3) ask
# another; diffusion draws *one* of the futures, and is the reason why this course goes on.
#
# ## Negative control: amnesia
#
# Everything hangs on the state that the encoder hands over. Break only that: the same weights, the same last frame, and
# a forecaster that begins with nothing. A second control is milder: it may keep the state of the last frames only.

# %% tags=["demo"]
controls = {f"the last {n} frames" if n > 1 else "the last frame alone": past[:, :, -n:] for n in (1, 2, 3, 5, 10)}
with torch.no_grad():
    kept = {name: model(seen, num_future=10).sample for name, seen in controls.items()}
print(f"{'the encoder reads':26}{'1st':>8}{'5th':>8}{'10th':>8}{'mean':>9}")
for name, guess in kept.items():
    errors = error_per_frame(guess, future, data_range=2)
    print(f"{name:26}{errors[0]:8.1f}{errors[4]:8.1f}{errors[9]:8.1f}{errors.mean():9.1f}")
show.strips({"what came": future[0]} | {name: guess[0] for name, guess in kept.items()}, num_frames=10, width=64)

# %% [markdown]
# **What to see.** From one frame nobody can tell which way a digit drifts, and the answer is a cloud: as wrong as the
# mean of all frames there are. Each further frame sharpens the speed, and pulls apart digits that lie over each other.
# The second five still help, though less than the first.
#
# ## Try it
#
# One digit, or three (it was trained on two); more frames than it ever had to predict; another clip.

# %% tags=["demo"]
CLIP, NUM_DIGITS, NUM_FUTURE = 3, 3, 20

clip = DigitData("test", num_frames=10 + NUM_FUTURE, num_digits=NUM_DIGITS).batch([CLIP]).clips()
with torch.no_grad():
    guess = model(clip[:, :, :10], num_future=NUM_FUTURE).sample
errors = error_per_frame(guess, clip[:, :, 10:], data_range=2)
print(f"error of the first frame {errors[0]:.1f}, of the last {errors[-1]:.1f}")
show.strips({"what came": clip[0, :, 10:], "predicted": guess[0]}, num_frames=10, width=64)

# %% [markdown]
# **An ablation to run.** Three ways to train: the truth always, the truth faded out, never the truth. Which one
# predicts the *next* frame best, and which one the last? Guess first. Then run the cell; it trains three small networks
# for `ROUNDS` steps each. Then change `ROUNDS`: does the order stay?

# %% tags=["demo"]
ROUNDS = {"ci": 40, "cpu": 100, "gpu": 1000}[preset()]

ways = {"the truth, always": lambda done: 1.0, "the truth, faded out": lambda done: max(0.0, 1 - 2 * done),
        "never the truth": lambda done: 0.0}
seen, unseen = batch(0, "test", 32).chunk(2, dim=2)
print(f"{'trained on':24}{'next frame':>12}{'last frame':>12}")
for name, schedule in ways.items():
    torch.manual_seed(1)
    other = ConvLSTMPredictor(**library.PRESETS["ci"]).to(device())
    training(other, schedule, steps=ROUNDS)
    with torch.no_grad():
        errors = error_per_frame(other(seen, NUM_READ).sample, unseen, data_range=2)
    print(f"{name:24}{errors[0]:12.1f}{errors[-1]:12.1f}")

# %% [markdown]
# ## Honest limits
#
# - Ten frames of two digits on black are no film. What a ConvLSTM does with a street or a face is the same, and blurs
#   within three frames: there is more that nobody can know.
# - Published models are larger and are trained for days: a ConvLSTM of 15 million parameters reaches a squared error of
#   29.8 after two million clips (OpenSTL, arXiv:2306.11249), on the benchmark's own digits. Ours, at more than twice
#   that, has a seventeenth of the parameters, saw a fiftieth of the clips, and other digits; the numbers stand side by
#   side in [benchmarks/moving_mnist.md](../../benchmarks/moving_mnist.md), with what each cost. To train longer:
#   `flipbook train digits-convlstm --stage further`.
# - Our test set is fixed, and its digits are in no training clip, as the benchmark wants it; but it is not the
#   benchmark's file.
# - SSIM follows structure a little better than squared error does, and it too prefers fog to a sharp mistake of three
#   pixels.
#
# ## Yours now
#
# `error_per_frame`, `ConvLSTMCell`, `scheduled_sampling`, `ConvLSTMPredictor` and `prediction_loss` are parts of the
# library, and yours can stand in for them.
#
# **Next:** lab 02.2 is given both ends and fills in the middle, which leaves less to guess. The gap between training on
# truth and living on predictions comes back in phase 08, under the name of Self-Forcing; a state that sums up all that
# was seen comes back in the world models of phase 09. **To read:** *Convolutional LSTM network* (Shi et al. 2015,
# arXiv:1506.04214); *Unsupervised learning of video representations using LSTMs* (Srivastava et al. 2015,
# arXiv:1502.04681), which made the digits move; *Scheduled sampling* (Bengio et al. 2015, arXiv:1506.03099); *Deep
# multi-scale video prediction beyond mean square error* (Mathieu et al. 2015, arXiv:1511.05440), on the grey; *PredRNN*
# (Wang et al. 2021, arXiv:2103.09504).
#
# *Digits: MNIST, Yann LeCun and Corinna Cortes, CC BY-SA 3.0.*
