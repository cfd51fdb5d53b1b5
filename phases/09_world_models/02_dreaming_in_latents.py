# %% [markdown]
# # Dreaming in latents
#
# About 20 minutes. Run each cell with Shift+Enter, change things, run again: this is your copy.
#
# The dreams of the [first page](01_the_loop.ipynb) are pictures, and a picture costs milliseconds. A policy that
# *learns* in dreams needs millions of steps and looks at no picture. So the Dreamer line dreams in a small latent
# state. This page trains such a world model on `catch` before your eyes, looks at what it knows and does not know, and
# lets it imagine until there is something to learn from.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import numpy as np
import torch

from common import show
from common.data.arcade import Catch, CatchState
from common.data.arcade.catch import LAST_ROW, CatchScript, is_held_out
from common.data.arcade.players import RandomKeys
from common.models.categorical import categorical_kl
from common.models.rssm import PRESETS, RSSM, RSSMState, rssm_loss
from common.progress import progress_bar
from common.runtime import limit_threads
from common.training.returns import lambda_return

limit_threads()
plt.rcParams["figure.dpi"] = 80
BLUE, OLIVE, RUST, GREY = "#1f6f8b", "#8a7a2f", "#b3541e", "0.6"
DICE = torch.Generator().manual_seed(0)

# %% [markdown]
# ## The Dreamer line, seen as generation
#
# In one sentence (Hafner et al., Dreamer 2019, DreamerV2 2020, DreamerV3 2023): **learn a latent world model from what
# was seen, imagine in it, and train a policy on what was imagined.** How the policy learns belongs to a course on
# reinforcement learning. The first half is a video model without the video.
#
# Its network is the **recurrent state-space model** (RSSM). The state has two parts:
#
# | part | what it is | what it is for |
# |---|---|---|
# | $h_t$ | the state of a GRU, fed with the last state and the action | all that follows from the past |
# | $z_t$ | a few categorical variables, drawn | all that does not |
#
# Two networks guess $z_t$. The **posterior** $q(z_t \mid h_t, x_t)$ sees the observation. The **prior** $p(z_t \mid
# h_t)$ does not. Training pulls the two together (a KL divergence), and asks a decoder for $x_t$. To dream, draw from
# the prior, step the GRU, and again.
#
# Dreamer's observations are pictures, with a convolutional encoder and decoder around this core. Here they are five
# numbers, as a reader finds them in two frames: the ball's place and drift, the paddle, and whether a ball was just
# caught (+) or missed (−). So the core trains in seconds.

# %%
UNIT = 2.0  # pixels: what an error of 1 in the loss means


def observed(state):
    """Five numbers: ball x, ball y, paddle, drift, caught or missed."""
    ended = float(state.caught) - float(state.missed)
    places = [(state.ball_x - 15) / UNIT, (state.ball_y - 13.5) / UNIT, (state.paddle - 13) / UNIT]
    return [*places, 2.0 * state.drift, 4 * ended]


def recorded(split, num_plays, length):
    """Plays of random keys: observations `(N, T, 5)`, and the action that led to each."""
    game, player, plays, keys = Catch(split), RandomKeys(3), [], []
    for seed in range(num_plays):
        game.reset(seed), player.reset(seed)
        rows, actions = [], [0]
        for _ in range(length):
            rows.append(observed(game.state()))
            actions.append(player(None))
            game.step(actions[-1])
        plays.append(rows), keys.append(actions[:-1])
    return torch.tensor(plays), torch.tensor(keys)


PLAYS, KEYS = recorded("train", 40, 500)
torch.manual_seed(0)
WORLD = RSSM(**{**PRESETS["ci"], "observation_size": 5})
STEPS, BATCH, WINDOW, RATE = 300, 48, 12, 1.5e-2
optimizer = torch.optim.Adam(WORLD.parameters(), lr=RATE)
losses = []
for step in progress_bar(range(STEPS), desc="training the world model"):
    numbers = torch.randint(40, (BATCH, 1), generator=DICE)
    window = torch.randint(500 - WINDOW, (BATCH, 1), generator=DICE) + torch.arange(WINDOW)
    observations = PLAYS[numbers, window]
    seen, _ = WORLD.observe(observations, KEYS[numbers, window], DICE)
    loss = rssm_loss(seen, observations)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(WORLD.parameters(), 1.0)
    optimizer.param_groups[0]["lr"] = RATE * min(1, (step + 1) / 10) * (1 - step / STEPS)
    optimizer.step()
    losses.append(loss.item())
torch.set_grad_enabled(False)
first, last = np.mean(losses[:20]), np.mean(losses[-20:])
print(f"{WORLD.num_parameters():,} parameters; loss {first:.1f} at first, {last:.1f} in the end")

# %% [markdown]
# ### What it cannot know
#
# The KL between posterior and prior is measured in nats: how much the observation told that the past had not. *Before
# you run on:* in which frames of `catch` will it be large?

# %%
LOOK = 12  # frames to see before anything is asked
TEST, PRESSED = recorded("test", 24, 140)
seen, _ = WORLD.observe(TEST, PRESSED, DICE)
surprise = categorical_kl(seen.posterior, seen.prior)  # (24, 140)
serve = torch.zeros_like(surprise, dtype=torch.bool)
serve[:, 1:] = TEST[:, 1:, 1] < TEST[:, :-1, 1]  # the ball is higher than before: a new one
figure, axis = plt.subplots(figsize=(8.4, 2.5), layout="constrained")
axis.plot(surprise[0], color=BLUE, linewidth=1.2)
for frame in serve[0].nonzero()[:, 0].tolist():
    axis.axvline(frame, color=RUST, linewidth=0.9, linestyle=":")
axis.set(xlabel="frame of a test play; dotted where a new ball comes", ylabel="KL, nats", xlim=(0, 139), ylim=(0, None))
plt.show()
bounce = torch.zeros_like(serve)
bounce[:, 1:] = (TEST[:, 1:, 3] != TEST[:, :-1, 3]) & ~serve[:, 1:]  # the drift has turned round
usual = ~serve & ~bounce & (torch.arange(140) >= LOOK)
print(f"a new ball: {surprise[serve].mean():.1f} nats")
print(f"a bounce off a wall: {surprise[bounce].mean():.1f}; any other frame: {surprise[usual].mean():.1f}")
serves = sum(not is_held_out(x, drift) for x in range(31) for drift in (-1, 0, 1))
print(f"(a fair draw of one of the {serves} serves in the training plays: {np.log(serves):.1f})")

# %% [markdown]
# **What to see.** A serve is news: the posterior has to say what the GRU could not know, and the price is about that
# of a fair draw. Other peaks are mostly bounces. They *do* follow from the past, and this small model has not learned
# the walls well. So the KL measures two things, the world's chance and the model's ignorance, and cannot tell them
# apart. DreamerV3 does not charge for the first nat (**free bits**), or $z$ would be squeezed to nothing.
#
# ### Imagination
#
# Look at twelve frames, then close the eyes: the keys are still pressed, no frame is looked at any more.

# %%
AHEAD = 26  # frames


def painted(numbers):
    """Five numbers as the game would draw them."""
    x, y, paddle = (round(float(value) * UNIT + middle) for value, middle in zip(numbers, (15, 13.5, 13)))
    game = Catch()
    game.set_state(CatchState(min(max(x, 0), 30), min(max(y, 0), LAST_ROW), 0, min(max(paddle, 0), 26)))
    return game.frame()


starts = [(play, first) for play, first in (serve.nonzero() + torch.tensor([0, -LOOK + 4])).tolist()
          if 0 <= first <= 140 - LOOK - AHEAD]  # fmt: skip
window = torch.tensor([[first] for _, first in starts]) + torch.arange(LOOK + AHEAD)
rows = torch.tensor([[play] for play, _ in starts])
truth, keys = TEST[rows, window], PRESSED[rows, window]
_, state = WORLD.observe(truth[:, :LOOK], keys[:, :LOOK], DICE)
dreams = WORLD.imagine(state, keys[:, LOOK:], DICE)  # (N, AHEAD, 5)
falling = ~(truth[:, 1:, 1] < truth[:, :-1, 1])[:, LOOK - 1 :].cumsum(dim=1).bool()  # no new ball since
error = (dreams - truth[:, LOOK:])[..., :3].abs() * UNIT
still = (truth[:, LOOK - 1 : LOOK] - truth[:, LOOK:])[..., :3].abs() * UNIT
print(f"{len(starts)} dreams; mean error in pixels until the next ball (and of a world that stands still)")
for k in (0, 4, 9, 14):
    fine = falling[:, k]
    ball, paddle = error[fine, k, 0].mean(), error[fine, k, 2].mean()
    print(f"{k + 1:2} frames ahead: ball {ball:4.1f} ({still[fine, k, 0].mean():.1f}), "
          f"height {error[fine, k, 1].mean():4.1f} ({still[fine, k, 1].mean():.1f}), "
          f"paddle {paddle:4.1f} ({still[fine, k, 2].mean():.1f})")  # fmt: skip

# %% tags=["demo"] draws="What happened, and two dreams of it: twelve frames are seen, the rest is imagined."
chosen = int(error[:, :12, 0].mean(dim=1).argsort()[len(starts) // 2])  # neither the best nor the worst
again = WORLD.imagine(state, keys[:, LOOK:], DICE)
shown = []
for future in (truth[chosen, LOOK:], dreams[chosen], again[chosen]):
    frames = [painted(row) for row in torch.cat([truth[chosen, :LOOK], future])]
    shown += [np.stack(frames), np.full((LOOK + AHEAD, 32, 3, 3), 255, dtype=np.uint8)]
CAPTION = "the game | a dream | another dream of the same past"
show.player(np.concatenate(shown[:-1], axis=2), 8, width=420, max_bytes=50_000, caption=CAPTION)

# %% [markdown]
# **What to see.** The dream follows the keys, and the ball falls as it was falling, more vaguely with every frame.
# When the next ball comes, every dream serves its own. Vague is not useless: a policy must know *that* the ball comes
# down on the left, and not at which pixel.
#
# ### From imagined rewards to something to learn from: λ-returns
#
# A policy needs to know the **return** of a state: the rewards that will follow, later ones counting less (γ per
# step). There are two sources, both doubtful. The dream's own rewards get vague. And a **critic**, a function that
# estimates the return, is rough from the start. The λ-return mixes them:
#
# $$ R_t = r_t + \gamma \, \big( (1 - \lambda) \, v_{t+1} + \lambda \, R_{t+1} \big), \qquad R_H = v_H . $$
#
# λ = 0 trusts the critic after one step, λ = 1 trusts the dream to its end. Here is a critic that is least squares on
# random features of the state, fitted to the λ-returns of imagined play. No real frame is used after the start.

# %%
GAMMA, HORIZON = 0.95, 16
features = WORLD.config.hidden_size + WORLD.config.num_latents * WORLD.config.num_classes
MIX, SHIFT = torch.randn(features, 256, generator=DICE) / 8, torch.randn(256, generator=DICE)


def basis(state_features):
    """Random features for a linear critic."""
    return torch.cat([(state_features @ MIX + SHIFT).relu(), torch.ones(*state_features.shape[:-1], 1)], dim=-1)


def imagined(state, keys):
    """Features `(B, H + 1, …)` of a dream, and its rewards `(B, H)`: +1 for a catch, -1 for a miss."""
    states = [state.features]
    for key in keys.unbind(dim=1):
        state, _, _ = WORLD.step(state, key, generator=DICE)
        states.append(state.features)
    states = torch.stack(states, dim=1)
    return states, WORLD.decoder(states[:, 1:])[..., 4] / 4


def fit_critic(trace, start, rounds=6):
    """Weights of the critic, by a few rounds of least squares on λ-returns."""
    keys = torch.randint(3, (len(start.latent), 1), generator=DICE).repeat(1, HORIZON)
    other = torch.randint(3, keys.shape, generator=DICE)
    keys = torch.where(torch.rand(keys.shape, generator=DICE) < 0.15, other, keys)
    states, rewards = imagined(start, keys)
    inputs, weights = basis(states), torch.zeros(257)
    for _ in range(rounds):
        returns = lambda_return(rewards, inputs @ weights, torch.ones_like(rewards), discount=GAMMA, trace=trace)
        flat = inputs[:, :-1].flatten(0, 1)
        weights = torch.linalg.solve(flat.T @ flat + 10 * torch.eye(257), flat.T @ returns.flatten())
    return weights


firsts = torch.randint(500 - WINDOW, (384, 1), generator=DICE) + torch.arange(WINDOW)
numbers = torch.randint(40, (384, 1), generator=DICE)
_, START = WORLD.observe(PLAYS[numbers, firsts], KEYS[numbers, firsts], DICE)
CRITICS = {trace: fit_critic(trace, START) for trace in (0.0, 0.5, 0.95, 1.0)}

# What really came: discounted rewards of the recorded plays, for states with 60 frames after them.
rewards = TEST[..., 4] / 4
real = torch.zeros_like(rewards)
for k in reversed(range(139)):
    real[:, k] = rewards[:, k + 1] + GAMMA * real[:, k + 1]
places = torch.arange(LOOK - 1, 80, 3)
estimates = {trace: [] for trace in CRITICS}
critic_alone = {trace: [] for trace in CRITICS}
for place in places.tolist():
    _, state = WORLD.observe(TEST[:, place - LOOK + 1 : place + 1], PRESSED[:, place - LOOK + 1 : place + 1], DICE)
    states, dreamt = imagined(state, PRESSED[:, place + 1 : place + 1 + HORIZON])
    for trace, weights in CRITICS.items():
        values = basis(states) @ weights
        returns = lambda_return(dreamt, values, torch.ones_like(dreamt), discount=GAMMA, trace=trace)
        estimates[trace].append(returns[:, 0]), critic_alone[trace].append(values[:, 0])


def correlation(guesses):
    """With the returns that really came."""
    return torch.corrcoef(torch.stack([torch.stack(guesses, dim=1).flatten(), real[:, places].flatten()]))[0, 1].item()


print("correlation with the return that really came, over", real[:, places].numel(), "states")
for trace in CRITICS:
    mixed, alone = correlation(estimates[trace]), correlation(critic_alone[trace])
    print(f"λ = {trace:4}: λ-return {mixed:.2f}, its critic alone {alone:.2f}")

# %% [markdown]
# **What to see.** All of them know something of what really came, and none knows much: this dream is vague, and a ball
# or two later the keys have decided everything. With so vague a dream the λ hardly matters. The differences between
# the rows are about as large as chance makes them (± 0.04). DreamerV3, whose dreams are better, uses λ = 0.95 and 15
# steps.
#
# ### Acting on it
#
# The plainest policy that follows: hold each key for four imagined steps, add what the critic says of the end, and
# press the best one. It has never seen a game being played well.

# %%
def value_of_keys(state, weights, draws=8, hold=4):
    """The value of holding each key, mean over a few dreams: `(B, 3)`."""
    repeat = 3 * draws
    state = RSSMState(state.deterministic.repeat_interleave(repeat, 0), state.latent.repeat_interleave(repeat, 0))
    keys = torch.arange(3).repeat_interleave(draws).repeat(len(state.latent) // repeat)
    states, dreamt = imagined(state, keys[:, None].repeat(1, hold))
    discounts = GAMMA ** torch.arange(hold)
    total = (dreamt * discounts).sum(dim=1) + GAMMA**hold * (basis(states[:, -1]) @ weights)
    return total.reshape(-1, 3, draws).mean(dim=2)


def returns_in_the_game(policy, num_games=32, length=110):
    """Catches minus misses per ball, in the real game, test serves."""
    games, state, results = [Catch("test") for _ in range(num_games)], WORLD.initial(num_games), []
    for seed, game in enumerate(games):
        game.reset(seed)
    keys = torch.zeros(num_games, dtype=torch.long)
    for _ in range(length):
        state, _, _ = WORLD.step(state, keys, torch.tensor([observed(game.state()) for game in games]), DICE)
        keys = policy(state, games)
        for game, key in zip(games, keys.tolist()):
            results += [{"catch": 1, "miss": -1}[event] for event in game.step(key)]
    return np.array(results)


script = CatchScript()
POLICIES = {
    "random keys": lambda state, games: torch.randint(3, (len(games),), generator=DICE),
    "by the dream": lambda state, games: value_of_keys(state, CRITICS[0.95]).argmax(dim=1),
    "the best player": lambda state, games: torch.tensor([script(game.state()) for game in games]),
}
for name, policy in POLICIES.items():
    results = returns_in_the_game(policy)
    wide = 1.96 * results.std() / len(results) ** 0.5
    print(f"{name:16} {results.mean():+.2f} ± {wide:.2f} per ball, over {len(results)} balls")

# %% [markdown]
# **What to see.** A catch is +1, a miss −1. A few seconds of training on keys pressed at random are enough to play
# clearly better than at random, and not enough to play well. Lab 09.4 trains longer, with an actor and a continuation
# head, and measures what this page leaves out: how much a policy learns to use the dream's *mistakes*.
#
# **At real scale.** [DreamerV3](https://arxiv.org/abs/2301.04104) plays more than 150 tasks with one setting of its
# numbers, and was the first to find a diamond in Minecraft without being shown how. Its dreams are latents, decoded
# for people to look at only. [DIAMOND](https://arxiv.org/abs/2405.12399) goes the other way and dreams in pixels by
# diffusion, as on the first page, because a small thing that a latent forgets can be the ball.
#
# ## What you can now say
#
# - Dreamer in one sentence: learn a latent world, imagine in it, train a policy on what was imagined.
# - RSSM: a GRU for what follows, a categorical draw for what does not. The KL says how much was news.
# - The prior dreams. Errors grow with the horizon, so dreams are short and begin at real states.
# - λ-returns mix the dream's rewards with a critic.
