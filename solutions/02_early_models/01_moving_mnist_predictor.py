# %% [markdown]
# # Lab 02.1 · The Moving MNIST predictor
#
# **What you will have at the end:** a ConvLSTM that watches ten frames of two drifting digits and draws the next ten.
# Its memory, its feedback and its loss are yours, and you know why its pictures grow grey.
#
# | | |
# |---|---|
# | time | about 75 minutes |
# | difficulty | ★★★☆☆ |
# | before this | [lab 01.2, the frame extractor](../01_tensors/02_frame_extractor.ipynb); what an LSTM is |
# | the data | Moving MNIST on real digits: MNIST, Yann LeCun and Corinna Cortes, CC BY-SA 3.0 |
#
# | preset | what you train on, read → predict `(T, H, W)` | all cells take about |
# |---|---|---|
# | `ci` | (4, 32, 32) → (4, 32, 32) | 25 s |
# | `cpu` (default) | (10, 64, 64) → (10, 64, 64) | 5 min |
# | `gpu` | (10, 64, 64) → (10, 64, 64) | 5 min |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import torch
from torch.nn import functional as F

from common import show
from common.course import check
from common.data.digits import DigitData
from common.evaluation import prediction as baselines
from common.evaluation.image import ssim
from common.models import convlstm as library
from common.runtime import device, preset
from common.show.curves import draw_curves
from common.training.muon import Muon
from common.training.short_run import short_run

NUM_SHOWN = {"ci": 16, "cpu": 64, "gpu": 256}[preset()]  # clips of the test set; then what you train
NUMBERS = {"ci": (2, 4, "ci", 60, 8), "cpu": (1, 10, "ci", 250, 8), "gpu": (1, 10, "cpu", 2000, 32)}
SHRINK, NUM_READ, SIZE, STEPS, BATCH = NUMBERS[preset()]
BLUE, GREY = "#1f6f8b", "0.6"

# %% [markdown]
# ## The world, and where you are heading
#
# Two handwritten digits drift through a black square, straight ahead at 3.6 pixels per frame, and bounce off its walls.
# Since 2015 every model of video prediction has had to prove itself here first. A network that ships with this course
# saw the first ten frames of these clips, and none of these digits ever before. What will the next ten be?

# %% tags=["demo"] draws="What came, and the forecast: from frame to frame it turns softer."
clips = DigitData("test").batch(range(NUM_SHOWN)).clips()  # (B, 1, 20, 64, 64) in [-1, 1]
past, future = clips.chunk(2, dim=2)  # ten frames each
shipped = library.ConvLSTMPredictor.from_pretrained("digits-convlstm").eval()
with torch.no_grad():
    predicted = shipped(past, num_future=10).sample
rows = {}
for k in range(2):
    rows |= {f"clip {k}: what came": future[k], f"clip {k}: what was predicted": predicted[k]}
pair = torch.cat([clips[:1], torch.cat([past, predicted], dim=2)[:1]], dim=4)[0]
caption = "left: what came; right: ten frames seen, then ten predicted"
display(show.player(pair, fps=8, width=256, max_bytes=50_000, caption=caption))
show.strips({"clip 0: the ten frames that were seen": past[0]} | rows, num_frames=10, width=64)

# %% [markdown]
# **A prediction.** A digit will be either here or two pixels further left, and no one can know which. One painter draws
# it sharp, at one of the two places, and is right half of the time. Another draws both at half their brightness, a grey
# ghost that is never right. Whose squared error is lower in the long run? By how much? Write it down. The first picture
# after this exercise measures it.

# %% [markdown] about="error_per_frame" difficulty=1 importance=4 minutes=5
# ## Squared error per frame
#
# Published tables bring pixels to the range 0 to 1, **sum** the squared differences over a frame, and average samples:
#
# $$ e_t = \frac{1}{B} \sum_{b} \sum_{c, y, x} \left( \frac{\hat x_{bctyx} - x_{bctyx}}{r} \right)^2, $$
#
# where $r$ is the range of the pixels, 2 for our clips in [-1, 1]. A whole digit missing costs about 90.

# %% exercise="error_per_frame" from="common.evaluation.prediction:error_per_frame"

# %% check="error_per_frame"

# %% [markdown] hints="error_per_frame"
# 1. Nothing is summed over frames: the result keeps axis 2. All other axes go, three by a sum and one by a mean.
# 2. `(preds - target).abs() / data_range` first, then `.pow(power)`, then the sum over axes 1, 3 and 4.
# 3. `error.pow(power).sum(dim=(1, 3, 4)).mean(dim=0)`. Before that, convert to float32, and raise `ValueError` for
#    clips of different shapes and for a `data_range` that is not above 0.

# %% [markdown] troubles="error_per_frame"
# - **My numbers are thousands of times too small.** That is a mean over the pixels. Sum them.
# - **My numbers are a few times too large.** The range belongs inside the square: with $r = 2$, squares shrink by 4.
# - **Errors of power 1 are almost zero.** Without `abs` they cancel.

# %% [markdown]
# Now the two painters, on real digits. The truth is at one of nine places, all equally likely. One painter draws the
# digit sharp at one of them, the other draws the mean of all.

# %% tags=["demo"] draws="Two painters: look at the ratio of their errors."
digit = future[:, :, :1]  # a frame of each clip, as it came
print(f"{'the digits may be':38}{'one sharp guess':>18}{'the grey mean':>16}{'ratio':>8}")
for spread in (1, 2, 4):
    places = [digit.roll((dy, dx), (-2, -1)) for dy in (-spread, 0, spread) for dx in (-spread, 0, spread)]
    ghost = torch.stack(places).mean(dim=0)
    sharp = torch.stack([error_per_frame(a, b, data_range=2) for a in places for b in places]).mean()
    soft = torch.stack([error_per_frame(ghost, b, data_range=2) for b in places]).mean()
    print(f"up to {spread} px off, nine places{'':13}{sharp:18.1f}{soft:16.1f}{sharp / soft:8.2f}")

# %% [markdown]
# **Exactly twice.** If the answer is drawn from the same futures as the truth, its error is the spread of both, $2
# \operatorname{Var}$. The mean's error is the spread of one, $\operatorname{Var}$. Punished by squares, a model learns
# to be grey. So how good must a *sharp* prediction be to be forgiven? Here is the last predicted frame beside sharp
# pictures that are a little wrong, and then four lazy forecasters, who know nothing of digits.

# %% tags=["demo"] draws="The smear, the smear made sharp, and the truth moved by a few pixels."
truth, blurred = future[:, :, -1:], predicted[:, :, -1:]
guesses = {"the network, as it is": blurred, "the network, black or white": torch.where(blurred > 0, 1.0, -1.0)}
guesses |= {f"the truth, {px} px to the right": truth.roll(px, -1) for px in (1, 2, 3, 4)}
print(f"{'the tenth frame':32}{'squared error':>15}{'SSIM':>8}")
for name, guess in guesses.items():
    error = error_per_frame(guess, truth, data_range=2).item()
    print(f"{name:32}{error:15.1f}{ssim(guess, truth, data_range=2).item():8.3f}")
cells = torch.cat([truth[0], *(guess[0] for guess in guesses.values())], dim=1)
show.contact_sheet(cells, columns=4, width=144, labels=["what came", *guesses])

# %% tags=["demo"] draws="Four lazy forecasts: the foggiest has the best number of the four."
average = DigitData().batch(range(200)).clips().mean(dim=(0, 2), keepdim=True)  # of clips that are not in the test
lazy = {
    "the last frame again": baselines.copy_last(past, 10),
    "the last frame, moved on at constant velocity": baselines.constant_velocity(past, 10),
    "the mean of the ten frames": baselines.mean_of_past(past, 10),
    "the mean of all frames there are": average.expand_as(future),
}
print(f"{'squared error per frame':48}{'1st':>8}{'5th':>8}{'10th':>8}{'mean':>9}")
for name, guess in (lazy | {"the network above": predicted}).items():
    errors = error_per_frame(guess, future, data_range=2)
    print(f"{name:48}{errors[0]:8.1f}{errors[4]:8.1f}{errors[9]:8.1f}{errors.mean():9.1f}")
show.strips({name: guess[0] for name, guess in lazy.items()}, num_frames=10, width=48)

# %% [markdown]
# **What to see.** The truth itself, whole and sharp, soon scores worse than the smear as it moves off, though anyone
# would call it the better picture. And the best of the lazy four is a picture of fog, the same for every clip.
# Predictors that train on squared error are asked the wrong question. GANs (lab 02.3) ask another.

# %% [markdown] about="ConvLSTMCell" difficulty=3 importance=5 minutes=15
# ## The ConvLSTM cell
#
# To know where a digit goes, one frame is not enough: something must be remembered. An LSTM remembers in a vector. Shi
# and colleagues (2015) made the vector a **picture**. Every place has a hidden state $h$ and a memory $c$ of some
# channels, and every gate is a convolution, so a moving thing can be handed on from one place to its neighbour.
#
# One convolution looks at the input and the hidden state together and gives four pictures $i, f, g, o$, in this order:
#
# $$ i, f, g, o = W * [x, h] + b $$
# $$ c' = \sigma(f) \odot c + \sigma(i) \odot \tanh(g) \qquad\qquad h' = \sigma(o) \odot \tanh(c') $$
#
# Read it aloud: keep $\sigma(f)$ of what you knew, add $\sigma(i)$ of what you think now, and show $\sigma(o)$ of it.
# The memory passes through nothing but a multiplication and a sum, so gradients survive many frames. (Like most later
# models, we leave out the *peepholes* of the first paper, gates that look at $c$.)

# %% exercise="ConvLSTMCell" from="common.models.convlstm:ConvLSTMCell" blank="forward"

# %% check="ConvLSTMCell"

# %% [markdown] hints="ConvLSTMCell"
# 1. Four lines: the state (zeros where there is none), the gates, the new memory, the new hidden state.
# 2. Zeros like the input: `x.new_zeros(len(x), self.hidden_channels, *x.shape[2:])`, once for h and once for c. The
#    gates: `self.gates(torch.cat([x, h], dim=1))`, then `.chunk(4, dim=1)`.
# 3. `c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)`, then `h = torch.sigmoid(o) * torch.tanh(c)`, and
#    `return h, c`. No in-place operations: the caller may still need the old state.

# %% [markdown] troubles="ConvLSTMCell"
# - **It trains, but shipped weights do not fit.** The four parts are in another order than $i, f, g, o$.
# - **The memory only grows.** A $\sigma$ is where $\tanh(g)$ belongs, and $\sigma$ is never negative.
# - **The hidden state is one step late.** It shows the old memory. Use the new one, $c'$.
# - **The first step is right, the second is not.** `(c, h)` came back in place of `(h, c)`.

# %% [markdown]
# Your cell, before it has learned anything. A bright spot is shown once, then the picture is black. What does the
# memory hold on to? A fresh cell's forget gate has a bias of 1. Compare it with a bias of -1.


# %% tags=["demo"] draws="What two fresh cells keep of one glance, step by step."
@torch.no_grad()
def echoes(forget_bias, num_steps=8):
    """How much of the first glance is left in the memory, step by step."""
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
    return [each / left[0] for each in left]


curves = {f"forget bias {bias:+.0f}": echoes(bias) for bias in (1.0, -1.0)}
axes = {"xlabel": "steps since the spot was seen", "ylabel": "of the memory left", "ylim": (0, 1.05)}
draw_curves(curves, "What a fresh cell keeps of one glance", size=(6, 2.8), **axes)

# %% [markdown]
# With a bias of 1 about $\sigma(1) = 0.73$ of the memory survives each step. With -1 there is little to learn from.

# %% [markdown] about="scheduled_sampling" difficulty=2 importance=4 minutes=8
# ## Scheduled sampling
#
# To predict the next frame the network must read one. In use it is its own prediction. In training there is a choice:
#
# - **the truth, always** (*teacher forcing*): easy and fast to learn, but the network never meets its own mistakes, and
#   in use they pile up;
# - **its own prediction, always**: what it will be used for, but at first rubbish, which teaches little.
#
# *Scheduled sampling* (Bengio et al. 2015) begins with the one and ends with the other. A coin is thrown for each
# sample: below the `probability`, which falls during training, the network reads the truth, else the prediction.

# %% exercise="scheduled_sampling" from="common.models.convlstm:scheduled_sampling"

# %% check="scheduled_sampling"

# %% [markdown] hints="scheduled_sampling"
# 1. `coins < probability` says for each sample whether the truth is read, `(B,)`.
# 2. `torch.where(chosen, truth, predicted)` needs `chosen` with the axes of the frames: `append_dims(chosen, truth)`.
# 3. `return torch.where(append_dims(coins < probability, truth), truth, predicted)`. Before that, raise `ValueError`
#    naming the shapes if the frames differ, or if the coins are not `(B,)`.

# %% [markdown] troubles="scheduled_sampling"
# - **My frame shows both digits, each half bright.** You mix the two. Choose one of them.
# - **Truth and prediction alternate from pixel to pixel.** One coin per sample, not one per pixel.
# - **At probability 0 the truth still slips in.** Use `<`, not `<=`: a coin can be exactly 0.
# - **The forecaster learns nothing from its mistakes.** Do not detach the prediction: the gradient goes through it.

# %% [markdown] about="ConvLSTMPredictor" difficulty=4 importance=5 minutes=20
# ## Encoder and forecaster
#
# Now the whole network. `step`, which is given, reads one frame and expects the next: patches of 4×4 pixels, a fine
# cell, a coarse cell that sees further, and back to pixels. It returns **logits** $z$: $\sigma(z)$ is the brightness
# that it expects, from 0 to 1, and `as_pixels` (given) brings that to [-1, 1]. You write what happens in time:
#
# | part | reads | expects frames (from 0) |
# |---|---|---|
# | **encoder** | the T frames of the past, one after the other | 1, 2, …, T |
# | **forecaster** | its own last expectation, `num_future - 1` times | T + 1, …, T + `num_future` - 1 |
#
# What the encoder expects at its last step is already the first frame of the future. Only the **state** passes from one
# to the other. With `truth` given, the forecaster reads `scheduled_sampling(…)` of the true frame and the predicted
# one: its step $k$ uses frame $k$ of the future for both, and column $k$ of the coins.
#
# `.logits` of the result are all that was expected, `(B, C, T - 1 + num_future, H, W)`. `.sample` is the future alone,
# `(B, C, num_future, H, W)` in [-1, 1].

# %% exercise="ConvLSTMPredictor" from="common.models.convlstm:ConvLSTMPredictor" blank="forward"

# %% check="ConvLSTMPredictor"

# %% [markdown] hints="ConvLSTMPredictor"
# 1. Two loops, one after the other. Both call `expected, state = self.step(frame, state)` and keep `expected` in a
#    list. The first goes through `past.unbind(dim=2)`, the second runs `num_future - 1` times.
# 2. In the second loop the frame is `as_pixels(expected)`; where `truth` is given, it is
#    `scheduled_sampling(truth[:, :, k], frame, probability, coins[:, k])`.
# 3. At the end `logits = torch.stack(logits, dim=2)` and
#    `return PredictorOutput(sample=as_pixels(logits[:, :, -num_future:]), logits=logits)`.

# %% [markdown] troubles="ConvLSTMPredictor"
# - **Everything comes one frame late.** You read the last frame of the past a second time.
# - **The forecast fades or saturates after one frame.** You feed back logits, or brightness from 0 to 1. The network
#   reads pixels from -1 to 1: use `as_pixels`.
# - **The forecast is a cloud from the start.** The forecaster begins without the encoder's state.
# - **The gradient stops at the last frame.** Do not detach the feedback.

# %% [markdown]
# ### Negative control: amnesia
#
# The shipped weights fit into your classes. Put them in, and break one idea: the forecaster gets only the state of the
# last few frames.

# %% tags=["demo"] draws="What the network predicts from one frame, two, three, five and ten."
model = ConvLSTMPredictor.from_pretrained("digits-convlstm").eval()
with torch.no_grad():
    output = model(past, num_future=10)
expected = torch.sigmoid(output.logits[:, :, -10:])  # brightness, 0 to 1
own = error_per_frame(output.sample, future, data_range=2)
given = error_per_frame(predicted, future, data_range=2)
print(f"your code, the shipped weights: {own.mean():.1f}; the library's code: {given.mean():.1f}\n")
controls = {f"the last {n} frames" if n > 1 else "the last frame alone": past[:, :, -n:] for n in (1, 2, 3, 5, 10)}
with torch.no_grad():
    kept = {name: model(seen, num_future=10).sample for name, seen in controls.items()}
print(f"{'the encoder reads':26}{'1st':>8}{'5th':>8}{'10th':>8}{'mean':>9}")
for name, guess in kept.items():
    errors = error_per_frame(guess, future, data_range=2)
    print(f"{name:26}{errors[0]:8.1f}{errors[4]:8.1f}{errors[9]:8.1f}{errors.mean():9.1f}")
show.strips({"what came": future[0]} | {name: guess[0] for name, guess in kept.items()}, num_frames=10, width=52)

# %% [markdown]
# **What to see.** From one frame no one can tell which way a digit drifts, and the answer is a cloud. Each further
# frame sharpens the speed, and separates digits that overlap. The second five still help, though less than the first.

# %% [markdown] about="prediction_loss" difficulty=2 importance=4 minutes=10
# ## Cross-entropy, computed from logits
#
# We measure squared error, and train on a relative of it. Read the brightness $x \in [0, 1]$ of a pixel as the
# probability that it is white, and the expected brightness $p = \sigma(z)$ as the network's. The surprise in *nats* is
# the **cross-entropy**
#
# $$ \ell = -x \log p - (1 - x) \log (1 - p) = \log\left(1 + e^{z}\right) - x z. $$
#
# Both losses are smallest at the same answer: the **mean** of all that may come. But where the network is far off, the
# squared error of $\sigma(z)$ is flat and cross-entropy is not, so it learns faster. Write the right-hand form. The
# left one takes the logarithm of 0 as soon as the network is sure. (Put in $p = 1 / (1 + e^{-z})$ and see that both are
# the same.) Its first part is called *softplus*. The `target` comes as pixels in **[-1, 1]**.

# %% exercise="prediction_loss" from="common.models.convlstm:prediction_loss"

# %% check="prediction_loss"

# %% [markdown] hints="prediction_loss"
# 1. First `x = (target + 1) / 2`, in float32; the logits in float32 too. Raise `ValueError` if the shapes differ.
# 2. $\log(1 + e^z)$ written out overflows at $z = 100$; `F.softplus(z)` does not.
# 3. `(F.softplus(z) - x * z).mean()`.

# %% [markdown] troubles="prediction_loss"
# - **The loss is negative.** Pixels in [-1, 1] are not probabilities. Halve and shift them first.
# - **The loss is inf for confident logits.** `log(sigmoid(z))` is $-\infty$ at $z = -200$. Use softplus.
# - **Doubling the batch doubles the gradients.** That is a sum. Take the mean over all pixels.

# %% [markdown]
# ## Put it together: your parts, trained
#
# For the first half of the run the truth fades out, then the forecaster is on its own. The optimizer is Muon, which
# gives a weight matrix a step of equal size in all directions.


# %%
def batch(first, split="train", count=BATCH):
    """Clips `(count, 1, 2 NUM_READ, H, W)` with the numbers from `first` on, at the training size."""
    pixels = DigitData(split, num_frames=2 * NUM_READ).batch(range(first, first + count)).clips().to(device())
    return F.avg_pool3d(pixels, (1, SHRINK, SHRINK))


def train(model, truth_probability, steps=STEPS, learning_rate=5e-3):
    """Train, and return the loss of every step. `truth_probability(fraction done)` -> probability."""
    ends = [p for name, p in model.named_parameters() if p.ndim < 2 or "patches_out" in name]
    kernels = [p for name, p in model.named_parameters() if p.ndim >= 2 and "patches_out" not in name]
    generator = torch.Generator().manual_seed(0)

    def loss_of(step):
        seen, unseen = batch(step * BATCH).chunk(2, dim=2)
        coins = torch.rand(len(seen), NUM_READ - 1, generator=generator).to(seen.device)
        logits = model(seen, NUM_READ, unseen, truth_probability(step / steps), coins).logits
        return prediction_loss(logits, torch.cat([seen[:, :, 1:], unseen], dim=2))

    return short_run(Muon(kernels, ends, lr=learning_rate), loss_of, steps, max_grad_norm=1.0)


# %% tags=["demo"] draws="Your own network, after the first steps of its life."
torch.manual_seed(0)
mine = ConvLSTMPredictor(**library.PRESETS[SIZE]).to(device())
losses = train(mine, lambda done: max(0.0, 1 - 2 * done))
seen, unseen = batch(0, "test", 32).chunk(2, dim=2)
with torch.no_grad():
    guess = mine(seen, NUM_READ).sample
error = error_per_frame(guess, unseen, data_range=2)
reference = error_per_frame(baselines.mean_of_past(seen, NUM_READ), unseen, data_range=2)
print(f"after {STEPS} steps of {BATCH} clips: {error.mean():.1f}; the mean of the past: {reference.mean():.1f}")
show.strips({"what came": unseen[0].cpu(), "what you predicted": guess[0].cpu()}, num_frames=NUM_READ, width=64)

# %% [markdown]
# The shipped network has seen 42,216 clips, and learned nothing that yours could not.
#
# ## The result to remember: error, frame by frame
#
# One more curve comes for free. The network predicts $p$, the mean of all brightnesses $x$ that it considers possible.
# If it knows what it does not know, its squared error is, on average,
#
# $$ E (x - p)^2 = E\,x^2 - p^2 = p (1 - p) - E\,[x (1 - x)]. $$
#
# The first part is the grey of its own picture. The second is the soft edges of real digits, which can be measured on
# the frames it saw. So the picture itself says how wrong the network *thinks* it will be.

# %% tags=["demo"] draws="Error per predicted frame, and the error that the network expects of itself."
frames = torch.arange(1, 11)
grey = (expected * (1 - expected)).sum(dim=(1, 3, 4)).mean(dim=0)  # (10,)
bright = (past + 1) / 2
edges = (bright * (1 - bright)).sum(dim=(1, 3, 4)).mean()  # of frames that are known
figure, axis = plt.subplots(figsize=(9.5, 4), layout="constrained")
for name, style in zip(lazy, (":", "-.", "--", (0, (1, 4)))):
    axis.plot(frames, error_per_frame(lazy[name], future, data_range=2), color=GREY, linestyle=style, label=name)
axis.plot(frames, own, color=BLUE, marker="o", label="the network")
axis.plot(frames, grey - edges, color=BLUE, linestyle="--", label="what its own grey says")
axis.set(xlabel="predicted frame", ylabel="squared error, summed over a frame", ylim=(0, None), xticks=frames)
axis.set_title(f"Error of each predicted frame, mean of {NUM_SHOWN} clips")
axis.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
plt.show()

# %% [markdown]
# **What to see.** The error grows from frame to frame, and the grey grows with it, nearly as much: the network knows
# how little it knows. It can draw sharp pictures. It draws what it believes, and it believes less and less.
#
# ## Try it: one digit, or three, more frames, another clip

# %%
CLIP, NUM_DIGITS, NUM_FUTURE = 3, 3, 20

clip = DigitData("test", num_frames=10 + NUM_FUTURE, num_digits=NUM_DIGITS).batch([CLIP]).clips()
with torch.no_grad():
    guess = model(clip[:, :, :10], num_future=NUM_FUTURE).sample
errors = error_per_frame(guess, clip[:, :, 10:], data_range=2)
print(f"error of the first frame {errors[0]:.1f}, of the last {errors[-1]:.1f}")
beside = torch.cat([clip[0, :, 10:], guess[0]], dim=3)
show.player(beside, fps=8, width=256, max_bytes=50_000, caption="left: what came; right: predicted")

# %% [markdown] tags=["folded"]
# ## Going further: an ablation
#
# Three ways to train: the truth always, the truth faded out, never the truth. Which one predicts the *next* frame best,
# and which one the last? Guess first. Then change `ROUNDS`: does the order stay?

# %%
ROUNDS = {"ci": 40, "cpu": 100, "gpu": 1000}[preset()]

ways = {"the truth, always": lambda done: 1.0, "the truth, faded out": lambda done: max(0.0, 1 - 2 * done),
        "never the truth": lambda done: 0.0}
seen, unseen = batch(0, "test", 32).chunk(2, dim=2)
print(f"{'trained on':24}{'next frame':>12}{'last frame':>12}")
for name, schedule in ways.items():
    torch.manual_seed(1)
    other = ConvLSTMPredictor(**library.PRESETS["ci"]).to(device())
    train(other, schedule, steps=ROUNDS)
    with torch.no_grad():
        errors = error_per_frame(other(seen, NUM_READ).sample, unseen, data_range=2)
    print(f"{name:24}{errors[0]:12.1f}{errors[-1]:12.1f}")

# %% [markdown]
# ## Honest limits
#
# - Ten frames of two digits on black are not a film. On a street or a face a ConvLSTM blurs within three frames.
# - Published models are larger and train for days: a ConvLSTM of 15 million parameters reaches 29.8 (OpenSTL,
#   arXiv:2306.11249). Ours reaches more than twice that, with a fiftieth of the clips: see
#   [benchmarks/moving_mnist.md](../../benchmarks/moving_mnist.md). To train longer: `flipbook train digits-convlstm
#   --stage further`. No test digit is in a training clip, but this is not the benchmark's file.
#
# ## Yours now
#
# All five parts are the library's, and now yours. **Next:** lab 02.2 is given both ends and fills in the middle. The
# gap between training on truth and living on predictions returns in phase 08 as Self-Forcing.
#
# **To read:** *Convolutional LSTM network* (Shi et al. 2015, arXiv:1506.04214); *Scheduled sampling* (Bengio et al.
# 2015, arXiv:1506.03099); *Unsupervised learning of video representations using LSTMs* (Srivastava et al. 2015,
# arXiv:1502.04681); *Deep multi-scale video prediction* (Mathieu et al. 2015, arXiv:1511.05440), on the grey.
