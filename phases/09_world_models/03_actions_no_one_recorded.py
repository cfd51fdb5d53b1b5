# %% [markdown]
# # Actions that no one recorded
#
# About 20 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# The web is full of people playing games, and nearly no one recorded their keys. A **latent action model** finds the
# actions in the frames alone. This page trains a dozen of them on `catch`, in half a second each, and asks the one
# question that decides whether they are of any use: does a code mean a key?

# %% tags=["setup"]
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from common import show
from common.data.arcade import Catch, CatchState, play
from common.data.arcade.catch import LAST_ROW
from common.data.arcade.dice import Dice
from common.evaluation.mutual_information import contingency, matched_accuracy, mutual_information
from common.runtime import limit_threads

limit_threads()
plt.rcParams["figure.dpi"] = 80
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "0.6"
KEYS = ("stay", "left", "right")

# %% [markdown]
# ## Latent action models
#
# Three parts, from Genie (Bruce et al. 2024):
#
# - The **encoder** sees two frames and says in a few numbers what happened between them.
# - The **bottleneck** allows K different answers and no more: the nearest of K vectors of a codebook (VQ).
# - The **decoder** sees the past and the code, and has to draw the next frame.
#
# The past already tells where everything is. So the code is best used for what the past does *not* tell, and in a game
# that should be the key.
#
# To see the idea at full speed, the frames here are three numbers each, as a reader finds them in the pixels: the
# place of the ball (x, y) and of the paddle. Lab 09.3 does it on pictures. The player of this recording presses a new
# random key in every frame.

# %%
class NewKeys:
    """A random key in every frame."""

    def reset(self, seed):
        self.dice = Dice(seed, 9)

    def __call__(self, state):
        return self.dice.below(3)


def pairs(split, count, length=200):
    """Three frames in a row while one ball falls, the key after the second, and which way the ball drifts."""
    rows, keys, drifts = [], [], []
    for seed in range(count):
        recorded = play(Catch(split), seed, length, NewKeys(), states=True)
        for t in range(1, length - 1):
            three = recorded.states[t - 1 : t + 2]
            if three[0].ball_y < three[1].ball_y < three[2].ball_y:
                rows.append([[one.ball_x, one.ball_y, one.paddle] for one in three])
                keys.append(recorded.actions[t])
                drifts.append(three[2].ball_x - three[1].ball_x + 1)
    return torch.tensor(rows, dtype=torch.float32), torch.tensor(np.array(keys)), torch.tensor(drifts)


(TRAIN, _, _), (TEST, PRESSED, DRIFT) = pairs("train", 20), pairs("test", 8)
moved = ((TEST[:, 2, 2] - TEST[:, 1, 2]) / 2 + 1).long()  # 0, 1, 2: which way the paddle went
CEILING = mutual_information(moved, PRESSED)
print(f"{len(TRAIN):,} pairs of frames to learn from, {len(TEST):,} to test with")
print(f"the key itself has {mutual_information(PRESSED, PRESSED):.2f} bits")
print(f"what the paddle does tells {CEILING:.2f} bits of it")

# %% [markdown]
# **The ceiling.** No model that sees frames can know more than the frames show. At the edge "left" looks like "stay",
# so even a perfect eye gets less than $\log_2 3 = 1.58$ bits. **Mutual information** says how many of these bits a
# code carries. It does not care about names, and that is what we need: code 2 may be "left" today and "right"
# tomorrow.
#
# Here is the whole model. Nothing in it sees a key.

# %%
def mlp(*sizes):
    """Linear layers with SiLU between them."""
    layers = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.SiLU())]
    return nn.Sequential(*layers[:-1])


class LatentActions(nn.Module):
    """Encoder, codebook, decoder. Without codes (`num_codes=None`) the two numbers of the encoder pass as they are."""

    def __init__(self, num_codes=3, num_past=2, predictor=None):
        super().__init__()
        self.num_past, self.predictor = num_past, predictor
        self.encoder, self.decoder = mlp(3, 48, 2), mlp(3 * num_past + 2, 48, 48, 3)
        self.codebook = None if num_codes is None else nn.Parameter(torch.randn(num_codes, 2))

    def past(self, rows):
        """What the decoder sees: the last frame, and how it differs from the one before if it sees two."""
        now, before = rows[:, 1], rows[:, 0]
        return torch.cat([(now - 15) / 10, now - before][: self.num_past], dim=1)

    def expected(self, rows):
        """The change that the past alone foretells; 0 without a predictor."""
        return 0 if self.predictor is None else self.predictor(self.past(rows)).detach()

    def encode(self, rows, scale):
        """What happened between the last two frames, `(N, 2)`."""
        return self.encoder((rows[:, 2] - rows[:, 1] - self.expected(rows)) * scale)

    def quantize(self, z):
        """The number of the nearest code, the code with a straight-through gradient, and the loss that moves both."""
        if self.codebook is None:
            return torch.zeros(len(z), dtype=torch.long), z, 0
        index = torch.cdist(z, self.codebook).argmin(dim=1)
        code = self.codebook[index]
        loss = (code - z.detach()).square().sum(dim=1) + 0.25 * (z - code.detach()).square().sum(dim=1)
        return index, z + (code - z).detach(), loss.mean()

    def decode(self, rows, code):
        """The change to the next frame, `(N, 3)`."""
        return self.decoder(torch.cat([self.past(rows), code], dim=1)) + self.expected(rows)


def train(step, parameters, num_steps=260):
    """Adam on random batches; `step` gives the loss of a batch."""
    optimizer, dice = torch.optim.Adam(parameters, lr=1e-2), torch.Generator().manual_seed(0)
    for k in range(num_steps):
        optimizer.param_groups[0]["lr"] = 1e-2 * (1 - k / num_steps)
        loss = step(TRAIN[torch.randint(len(TRAIN), (256,), generator=dice)], k)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def fit(num_codes=3, num_past=2, ball=1.0, predictor=None):
    """A trained model. `ball` says how much a pixel of the ball counts, beside one of the paddle."""
    torch.manual_seed(0)
    model, scale = LatentActions(num_codes, num_past, predictor), torch.tensor([ball, ball, 1.0])

    def step(rows, k):
        z = model.encode(rows, scale)
        index, code, pull = model.quantize(z)
        if num_codes and k % 20 == 0 and k < 130:  # codes that no one uses are put where pairs are
            dead = torch.bincount(index, minlength=num_codes) < 5
            model.codebook.data[dead] = z.detach()[: int(dead.sum())]
        error = (model.decode(rows, code) - (rows[:, 2] - rows[:, 1])) * scale
        return error.square().sum(dim=1).mean() + pull

    parameters = [*model.encoder.parameters(), *model.decoder.parameters()]
    train(step, [*parameters, model.codebook] if num_codes else parameters)
    model.scale = scale
    return model.requires_grad_(False)


def codes_of(model):
    """The code of every test pair."""
    return model.quantize(model.encode(TEST, model.scale))[0]


coded = fit()
codes = codes_of(coded)
bits = mutual_information(codes, PRESSED)
print(f"the codes tell {bits:.2f} of {CEILING:.2f} bits")
print(f"matched one to one with keys, {matched_accuracy(codes, PRESSED):.0%} are right; "
      f"the movements themselves: {matched_accuracy(moved, PRESSED):.0%}")  # fmt: skip
print("\npairs with this code and this key\n        " + "".join(f"{key:>7}" for key in KEYS))
for number, row in enumerate(contingency(codes, PRESSED).tolist()):
    print(f"code {number}  " + "".join(f"{count:7}" for count in row))

# %% [markdown]
# **What to see.** Three codes, three movements. The one code that has all three keys in its row is "did not move".
#
# **Names cost little.** To *play*, someone has to say which code is which key. How many labelled pairs does that take?
# Each code gets the key that it was seen with most often:

# %%
for count in (3, 10, 30, 100):
    right = []
    for draw in range(40):
        order = torch.randperm(len(TEST), generator=torch.Generator().manual_seed(draw))
        told, rest = order[:count], order[count:]
        seen = torch.zeros(3, 3).index_put((codes[told], PRESSED[told]), torch.ones(count), accumulate=True)
        right.append((seen.argmax(dim=1)[codes[rest]] == PRESSED[rest]).float().mean().item())
    print(f"{count:3} labelled pairs: {np.mean(right):.0%} of the other keys are named right")

# %% [markdown]
# That is the promise: thousands of hours without keys, then a minute with them. And the decoder is a world already.
# Hold each code down from one state, and feed the decoder its own answer:

# %% tags=["demo"] draws="One past, three codes held down: a world whose keys no one named."
def painted(numbers):
    """Ball and paddle as the game draws them."""
    x, y, paddle = numbers.tolist()
    game = Catch()
    game.set_state(CatchState(int(min(max(x, 0), 30)), int(min(max(y, 0), LAST_ROW)), 0, int(min(max(paddle, 0), 26))))
    return game.frame()


def dream(model, code, length=14):
    """Frames of a world in which one code is held."""
    rows, frames = torch.tensor([[[9.0, 5.0, 12.0], [10.0, 6.0, 12.0], [0.0, 0.0, 0.0]]]), []
    for _ in range(length):
        then = (rows[0, 1] + model.decode(rows, code[None])[0]).round()
        frames.append(painted(then))
        rows = torch.stack([rows[0, 1], then, then])[None]
    return np.stack(frames)


gap = np.full((14, 32, 3, 3), 255, dtype=np.uint8)
row = [part for code in coded.codebook for part in (dream(coded, code), gap)][:-1]
show.player(np.concatenate(row, axis=2), 8, width=420, max_bytes=40_000, caption="code 0 | code 1 | code 2")

# %% [markdown]
# ### Why a bottleneck?
#
# Without it, the encoder may pass on everything that changed. Reconstruction becomes perfect and the code useless. The
# test is **transfer**: take the code of one pair and apply it to another past. The paddle should do what it did there.
# The ball should go on as it was going *here*.

# %%
free = fit(num_codes=None)
order = torch.randperm(len(TEST), generator=torch.Generator().manual_seed(1))
due = torch.tensor([1, 0, 2])[PRESSED[order]]  # how the key moves a paddle that has room
room = (TEST[:, 1, 2] >= 2) & (TEST[:, 1, 2] <= 24) & (moved[order] == due)
print(f"{'':22}{'error with its own code':>25}{'paddle obeys':>15}{'ball goes its own way':>24}")
for name, model in (("3 codes", coded), ("two numbers, no codes", free)):
    own = model.quantize(model.encode(TEST, model.scale))[1]
    error = (model.decode(TEST, own) - (TEST[:, 2] - TEST[:, 1])).square().sum(dim=1).mean()
    made = model.decode(TEST, own[order]).round()[room]
    paddle = made[:, 2] == (TEST[:, 2, 2] - TEST[:, 1, 2])[order][room]
    ball = made[:, 0] == (TEST[:, 2, 0] - TEST[:, 1, 0])[room]
    print(f"{name:22}{error:21.3f} px²{paddle.float().mean():15.0%}{ball.float().mean():24.0%}")

# %% [markdown]
# **What to see.** The free numbers have the smaller error and the worse transfer: they carry the ball along. A code
# that knows everything is a copy of the answer, not an action.
#
# ### A code goes to what changes most
#
# There are K answers and two things that one frame does not tell: the key and the ball's drift. The model does not
# know which of them *we* mean by an action. It takes what lowers its loss. Make the ball count more, as a larger ball
# would, with more pixels that change.
#
# *Before you run on:* with two frames of the past the drift is known. Does the code still go to the ball?

# %%
SIZES = (1, 2, 4)
torch.manual_seed(0)
predictor = mlp(6, 48, 48, 3)
seer = LatentActions(predictor=predictor)
train(lambda rows, k: (predictor(seer.past(rows)) - (rows[:, 2] - rows[:, 1])).square().sum(dim=1).mean(),
      predictor.parameters(), num_steps=900)  # fmt: skip
ARMS = {
    "one frame of the past": {"num_past": 1},
    "two frames": {"num_past": 2},
    "two frames, and the encoder sees\nonly what they do not foretell": {"predictor": predictor},
}
found = {}
for name, options in ARMS.items():
    numbers = [codes_of(fit(ball=size, **options)) for size in SIZES]
    found[name] = [(mutual_information(one, PRESSED), mutual_information(one, DRIFT)) for one in numbers]

figure, axes = plt.subplots(1, 3, figsize=(9.4, 2.9), layout="constrained", sharey=True)
for axis, (name, values) in zip(axes, found.items()):
    key, drift = zip(*values)
    axis.axhline(CEILING, color=GREY, linestyle=":", linewidth=1)
    axis.plot(range(3), key, color=BLUE, marker="o", label="with the key")
    axis.plot(range(3), drift, color=RUST, marker="s", label="with the ball's drift")
    axis.set(xticks=range(3), xticklabels=SIZES, ylim=(-0.05, 1.7))
    axis.set_xlabel("weight of a pixel of the ball")
    axis.set_title(name, fontsize=9)
axes[0].set_ylabel("bits in the code")
axes[0].text(0.05, CEILING + 0.04, "ceiling of the key", color="0.4", fontsize=8)
axes[0].legend(frameon=False, fontsize=8, loc="center left")
plt.show()
for name, values in found.items():
    plain = name.replace("\n", " ")
    print(f"{plain}: key " + ", ".join(f"{key:.2f}" for key, _ in values) + " bits")

# %% [markdown]
# **What to see.** Below some weight the code is the key, above it the code is the ball, and there is no warning: the
# loss falls in both cases. Two frames move the border and do not remove it. In the first steps of training the decoder
# cannot foretell the ball yet, so the code goes there, and it stays. Take away first what the past foretells, and what
# is left is the key.
#
# So "action" in a latent action model means *the largest change that the past does not explain*. In `rooms` the slime
# turns at random, and in real video there are other cars, leaves and a moving camera. Lab 09.3 measures that fall with
# the slime on and off. Remedies in use are the one above, masks, a few labels, and more frames of the past.
#
# ### How many codes?

# %%
for count in (2, 3, 6, 12):
    used = codes if count == 3 else codes_of(fit(num_codes=count))
    bits, accuracy = mutual_information(used, PRESSED), matched_accuracy(used, PRESSED)
    print(f"{count:2} codes, {len(used.unique()):2} used: {bits:.2f} bits, matched one to one {accuracy:.0%}")

# %% [markdown]
# **What to see.** Too few codes cannot hold all keys. With too many, mutual information stays high and *matched
# accuracy* falls: several codes share one key and split it by something else. A player wants few keys that always mean
# the same. Report both numbers.
#
# **At real scale.** [Genie](https://arxiv.org/abs/2402.15391) has 11 billion parameters, learned from about 30,000
# hours of platformer videos without keys, and uses 8 codes: few enough for a person's hands. At play its encoder is
# not needed, only the codebook. [LAPA](https://arxiv.org/abs/2410.11758) trains robot policies on latent actions and
# then fine-tunes them on a small set with real ones. Cosmos 3 calls the encoder's task *inverse dynamics*, and one
# network does both ([next page](04_landmarks_and_neighbours.ipynb)).
#
# ## What you can now say
#
# - Encoder, bottleneck, decoder: the code is what the past does not tell.
# - Judge codes by mutual information against the *ceiling* that frames allow, and by matched accuracy.
# - Without a bottleneck the code is a copy of the answer. Transfer shows it, the loss does not.
# - A code goes to the largest unexplained change, which need not be anyone's action.
