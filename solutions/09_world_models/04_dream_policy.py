# %% [markdown]
# # Lab 09.4 · World model for RL: a policy trained in the dream
#
# **What you will have at the end:** a policy that never touched the game, and plays it. It was trained in the dreams of
# a world model that has only ever seen random keys. You will also know how far its dream can be trusted.
#
# | | |
# |---|---|
# | time | about 80 minutes |
# | difficulty | ★★★★★ |
# | before this | [Dreaming in latents](../../phases/09_world_models/02_dreaming_in_latents.ipynb); 09.1 for the game |
# | the game | `catch`: 32×32 pixels, three keys. An episode is one ball, then a reward: +1 caught, −1 missed |
#
# | preset | frames `(T, H, W)` | a policy trains for | games per measurement | all cells take about |
# |---|---|---|---|---|
# | `ci` | (26, 32, 32) | 60 updates, three times | 64 | 20 s |
# | `cpu` (default) | (26, 32, 32) | 400 updates, three times | 512 | 2 min |
# | `gpu` | (26, 32, 32) | 1000 updates, three times | 2048 | not measured |
#
# `FLIPBOOK_PRESET` chooses the preset.

# %% tags=["setup"]
import json
from collections.abc import Callable
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common import show
from common.course import check, paths
from common.data.arcade.episodes import EPISODE, CatchEpisodes, Windows
from common.evaluation.catch_return import AgentPlayer, RandomPlayer, real_returns
from common.models.categorical import categorical_kl, straight_through_sample, uniform_mix
from common.models.dream_agent import DreamAgent, Imagined
from common.models.rssm import Observed, RSSMState, head
from common.models.shipped import Shipped
from common.runtime import limit_threads, preset
from common.show.curves import draw_curves
from common.training.actor_critic import alive
from common.training.short_run import short_run
from common.zoo.catch_dream.dream_env import DreamEnv
from common.zoo.catch_dream.measures import dream_returns, serve_states, way
from common.zoo.catch_dream.study import draw_study, first_frames, fresh_policy, painted, side_by_side, use_core

limit_threads()
plt.rcParams["figure.dpi"] = 75
STEPS, NUM_GAMES, LOOKS = {"ci": (60, 64, 2), "cpu": (400, 512, 4), "gpu": (1000, 2048, 4)}[preset()]


def seed(number):
    return torch.Generator().manual_seed(number)


def playing(rows, width=128):
    row = torch.cat(list(rows.values()), dim=3)
    return show.player(row, 10, width=width * len(rows), max_bytes=55_000, caption=" | ".join(rows))


# %% [markdown]
# ## Where you are heading
#
# The course's agent, `catch-dream`. On the left it plays the real game. On the right it is shown the same first frame.
# Everything after that is its own dream, in which it plays too.

# %% tags=["demo"] draws="Three balls in the game, and three dreams that begin alike."
AGENT = DreamAgent.from_pretrained("catch-dream").eval().requires_grad_(False)
rows = side_by_side(AGENT, real_returns(AgentPlayer(AGENT), 3), range(3))
display(playing(rows))
show.strips({name: clip[:, :EPISODE] for name, clip in rows.items()}, num_frames=9, width=64)

# %% [markdown]
# **A prediction.** Keys pressed at random catch about one ball in four. Its world model has seen nothing else. How many
# balls does a policy catch that was trained in such a world? And how many does it *dream* of catching? Write it down.

# %% [markdown] about="episode_windows" difficulty=2 importance=5 minutes=5
# ## Windows: what led to a frame, and where episodes end
#
# In a recording, action $a_t$ is pressed while $x_t$ is shown. A world model that follows play wants to know what *led*
# to each frame: action, reward, and whether the episode ended. Two bugs live here, and no loss shows them. Actions are
# off by one. Or a window reaches over the end of an episode, and a caught ball jumps back into the sky.
#
# | quantity | shape |
# |---|---|
# | `frames`; `actions`, `rewards`, `ends` | `(T, ...)`; `(T - 1,)` |
# | windows | `(N, L, ...)`; `(N, L)` |

# %% exercise="episode_windows" from="common.data.arcade.episodes:episode_windows"

# %% check="episode_windows"

# %% [markdown] hints="episode_windows"
# 1. Which frames are the last of an episode? With `ends` = (no, yes, no) it is frame 2. A window of three frames may
#    end with it. May it begin with it?
# 2. `is_last = torch.cat([ends.new_zeros(1), ends])`. A window is out if any of its frames but its last is one:
#    `is_last[:-1].unfold(0, length - 1, 1).any(dim=1)`.
# 3. `rows = (~crosses).nonzero() + torch.arange(length)` are the frames, `before = rows[:, :-1]` the steps. Then
#    `torch.cat([zeros, actions[before]], dim=1)` and likewise the others.

# %% [markdown]
# Your windows cut the 20,000 frames of random play into whole episodes.

# %% tags=["demo"] draws="One episode of random play."
EPISODES = CatchEpisodes(cut=episode_windows).windows
ended = EPISODES.rewards[:, -1]
print(f"{len(EPISODES)} episodes of {EPISODE} frames. Random keys caught {(ended > 0).float().mean():.0%}.")
show.strips({"an episode of random play": EPISODES[:1].clips()[0]}, num_frames=13, width=56)

# %% [markdown] about="RSSM" difficulty=4 importance=5 minutes=15
# ## The RSSM's step
#
# The **recurrent state-space model** keeps a state of two parts. A GRU carries $h$, which follows from the past. A
# categorical latent $z$ is drawn, for what does not follow. The **posterior** $q$ sees the frame $x$. The **prior** $p$
# has to guess without it.
#
# $$ h' = \text{GRU}\bigl(\text{in}[z, a],\; h\bigr), \qquad z' \sim q(z' \mid h', x) \;\text{ awake}, \qquad
# z' \sim p(z' \mid h') \;\text{ dreaming} . $$
#
# A draw has no gradient, so it borrows that of its probabilities (**straight-through**). One per cent of each
# distribution is uniform, so no class is ever impossible. Both are given, as `straight_through_sample` and
# `_distribution`.
#
# $x$ is not the picture but its two **profiles**: column sums and row sums, 192 numbers. A ball of four pixels hardly
# counts in a picture's squared error: a trial on pictures learned the paddle, and no ball. In a profile it is a bump.

# %% exercise="RSSM" from="common.models.rssm:RSSM" blank="step"

# %% check="RSSM"

# %% [markdown] hints="RSSM"
# 1. Four lines: the GRU's input, the GRU, the distributions, the draw. Which of the two h do the heads see?
# 2. `onehot = F.one_hot(action, self.config.num_actions).to(state.latent)`, then `self.inputs(torch.cat([state.latent,
#    onehot], dim=-1))` goes into `self.cell(…, state.deterministic)`.
# 3. `prior = self._distribution(self.prior_head(deterministic))`, and the posterior likewise from
#    `torch.cat([deterministic, observation], dim=-1)`. `straight_through_sample(…, generator)` gives `(B, L, C)`. The
#    state wants `b (l c)`.

# %% [markdown]
# Your step goes into the shipped world. It looks at one frame, closes its eyes, and the same keys are pressed in three
# dreams.

# %% tags=["demo"] draws="The game, and three dreams after one frame with the same keys."
use_core(AGENT, RSSM)
first, keys = EPISODES[40:41].clips()[:, :, 0].expand(3, -1, -1, -1), EPISODES.actions[40:41, 1:].expand(3, -1)
with torch.no_grad():
    state, features = serve_states(AGENT, first, seed(1)), []
    for action in keys.unbind(dim=1):
        state, _, _ = AGENT.core.step(state, action, generator=seed(len(features)))
        features.append(state.features)
dreamt = painted(AGENT, torch.stack(features, dim=1))
rows = {"the game": EPISODES[40:41].clips()[0, :, 1:]} | {f"dream {k + 1}": clip for k, clip in enumerate(dreamt)}
display(playing(rows))
show.strips(rows, num_frames=9, width=64)

# %% [markdown]
# **What to see.** The paddle goes where the game's goes: the keys say where. The balls part, because one frame does not
# show which way a ball drifts. That is what $z$ is for: each dream draws a drift, and stays with it.

# %% [markdown] about="kl_balance" difficulty=3 importance=4 minutes=8
# ## KL balance and free bits
#
# Training pulls prior and posterior together. But a prior that learns to foretell is wanted, and a posterior that stops
# looking is not. So DreamerV3 splits the KL divergence in two, and lets only one side move in each (sg stops the
# gradient):
#
# $$ 0.5\, \max\bigl(1, \text{KL}(\text{sg}(q) \,\|\, p)\bigr) +
# 0.1\, \max\bigl(1, \text{KL}(q \,\|\, \text{sg}(p))\bigr) . $$
#
# The maximum is **free bits**: the first nat costs the same whether it is used or not, so nothing squeezes $z$ empty.

# %% exercise="kl_balance" from="common.models.categorical:kl_balance"

# %% check="kl_balance"

# %% [markdown] hints="kl_balance"
# 1. Two terms of equal value. Which of the two arguments is detached in which?
# 2. `categorical_kl(posterior.detach(), prior)` has an entry per place: the sum over L and C is done. Free nats are
#    `.clamp(min=…)` there.
# 3. `return (dynamics * to_prior + representation * to_posterior).mean()`.

# %% [markdown]
# What does your KL say about an episode? It is how much a frame told that the past had not.

# %% tags=["demo"] draws="The KL against the frame of the episode, and the free nat."
with torch.no_grad():
    seen = AGENT.observe(EPISODES[:128].observations(), EPISODES[:128].actions, seed(0))
news = categorical_kl(seen.posterior, seen.prior)
cost = [kl_balance(seen.posterior[:, t], seen.prior[:, t], dynamics=1.0, representation=0.0) for t in range(EPISODE)]
lines = {"KL(q ‖ p)": news.mean(dim=0).tolist(), "what it costs, with free bits": cost}
draw_curves(lines, "The first frames are news", size=(7.2, 2.5), xlabel="frame of the episode",
            ylabel="nats", marker=None)  # fmt: skip

# %% [markdown]
# **What to see.** The serve is news, and so is the second frame: it shows the drift. After that the game follows from
# the past. But what is free is also the noise of the dream: the prior may stay as vague as that. So this world was
# trained with a free nat first, and settled with a tenth of one.

# %% [markdown] about="imagine" difficulty=3 importance=5 minutes=10
# ## Imagination
#
# Now a policy sits in the dream. It sees the state, never a picture: $a_t \sim \pi(a \mid h_t, z_t)$. The action is
# pressed, the prior draws the next state, and so on for H steps. A thousand dreams at once are a few matrix products.

# %% exercise="imagine" from="common.models.dream_agent:imagine"

# %% check="imagine"

# %% [markdown] hints="imagine"
# 1. A loop of H steps: look at the state, draw an action, take the step. What is kept before the first step?
# 2. `actor(state.features).softmax(dim=-1)` are the probabilities. `torch.multinomial(…, 1, generator=generator)` gives
#    `(B, 1)`.
# 3. `state, _, _ = world.step(state, action, generator=generator)`; append `state.features` and `action`; in the end
#    `Imagined(torch.stack(features, dim=1), torch.stack(actions, dim=1))`, under `@torch.no_grad()`.

# %% [markdown]
# Four dreams by the shipped policy, and the rewards that the world promises.

# %% tags=["demo"] draws="Four dreams played by the policy, and the rewards in them."
first = EPISODES[8:12].clips()[:, :, 0]
dream = imagine(AGENT.core, AGENT.actor, serve_states(AGENT, first, seed(2)), EPISODE, seed(2))
with torch.no_grad():
    rewards, goes_on = AGENT.reward(dream.features[:, 1:]), AGENT.continues(dream.features[:, 1:])
    display(playing({f"dream {k + 1}": clip for k, clip in enumerate(painted(AGENT, dream.features))}))
lines = {f"dream {k + 1}": row.tolist() for k, row in enumerate(rewards * alive(goes_on))}
draw_curves(lines, "Rewards of the four dreams", size=(7.2, 2.2), xlabel="step", ylabel="reward", marker=None)

# %% [markdown]
# **What to see.** Nothing, nothing, and then plus or minus one. How does a key in step 3 learn of it?

# %% [markdown] about="lambda_return" difficulty=3 importance=5 minutes=10
# ## λ-returns
#
# A dream of 15 steps often stops before the ball is down. So a **critic** $v$ estimates what would come after. The
# λ-return mixes what was dreamt with what the critic says, from the last step to the first:
#
# $$ R_t = r_t + \gamma\, c_t \bigl((1 - \lambda)\, v_{t+1} + \lambda\, R_{t+1}\bigr), \qquad R_H = v_H . $$
#
# $c_t$ is the probability that the episode goes on after step t. The commonest bug is the bootstrap: step t leads to
# state t + 1, so the critic is asked about *that* state. There are H rewards and H + 1 values.

# %% exercise="lambda_return" from="common.training.returns:lambda_return"

# %% check="lambda_return"

# %% [markdown] hints="lambda_return"
# 1. With H = 1 there is one return. Write it down: which of the two values is in it?
# 2. Begin with `result = values[:, -1]` and walk `for step in reversed(range(H))`. What is `result` before and after a
#    step?
# 3. `mixed = (1 - trace) * values[:, step + 1] + trace * result`, `result = rewards[:, step] + discount *
#    continues[:, step] * mixed`. Turn the list round in the end.

# %% [markdown]
# The first of those dreams with three λ, and the shipped critic.

# %% tags=["demo"] draws="λ-returns of one dream, for three λ, and what the critic says alone."
with torch.no_grad():
    values = AGENT.value(dream.features)
lines = {f"λ = {trace}": lambda_return(rewards, values, goes_on, trace=trace)[0].tolist() for trace in (0.0, 0.95, 1.0)}
draw_curves(lines | {"the critic alone": values[0, :-1].tolist()}, "Dream 1: returns from every step on",
            size=(7.2, 2.6), xlabel="step", ylabel="return", marker=None)  # fmt: skip

# %% [markdown] about="actor_loss" difficulty=4 importance=5 minutes=12
# ## REINFORCE, with entropy and scaled returns
#
# Three keys cannot be differentiated. **REINFORCE** does not try: it makes an action more likely by as much as it went
# better than the critic expected.
#
# $$ \mathcal L = - \frac{1}{BH} \sum w_t \left( \text{sg}\Bigl(\frac{R_t - v_t}{S}\Bigr) \ln \pi(a_t \mid s_t) +
# \eta\, \text{H}\bigl[\pi(\cdot \mid s_t)\bigr] \right), \qquad S = \max\bigl(1, P_{95}(R) - P_5(R)\bigr) . $$
#
# The entropy bonus keeps the policy curious. Dividing by the spread $S$ of the returns makes one $\eta$ fit games of
# every scale, and the 1 keeps it from blowing up noise where nothing happens. $w_t$ is how much of the dream is left:
# states after its end count nothing.

# %% exercise="actor_loss" from="common.training.actor_critic:actor_loss"

# %% check="actor_loss"

# %% [markdown] hints="actor_loss"
# 1. Four quantities at each place: ln π of all actions, ln π of the one that was pressed, the entropy, the advantage.
# 2. `log_policy = logits.log_softmax(dim=-1)`. `log_policy.gather(-1, actions[..., None])[..., 0]` picks. The entropy
#    is `-(log_policy.exp() * log_policy).sum(dim=-1)`.
# 3. `low, high = torch.quantile(returns.detach(), returns.new_tensor([0.05, 0.95]))`, divide by `(high -
#    low).clamp(min=1.0)`, `.detach()` the advantage, and take `-(weights.detach() * (…)).mean()`.

# %% [markdown]
# ## Train in the dream
#
# A fresh actor and critic, the shipped world, and no frame of the game: dreams begin in the states of the random play.


# %%
def update(agent, features, actions, rewards, goes_on):
    """The loss of actor and critic for H steps, wherever they come from."""
    values, weights = agent.value(features), alive(goes_on)
    returns = lambda_return(rewards, values.detach(), goes_on)
    actor = actor_loss(agent.actor(features[:, :-1]), actions, returns, values[:, :-1], weights, entropy=5e-3)
    return actor + 0.5 * (weights * (values[:, :-1] - returns).square()).mean()


def in_a_dream(agent, draws, states, horizon=15, ends=True, batch=96):
    """An update from fresh dreams."""
    starts = states[:, :-1].flatten(0, 1)
    begin = agent.state_of(starts[torch.randint(len(starts), (batch,), generator=draws)])
    dream = imagine(agent.core, agent.actor, begin, horizon, draws)
    with torch.no_grad():
        rewards, goes_on = agent.reward(dream.features[:, 1:]), agent.continues(dream.features[:, 1:])
    return update(agent, dream.features, dream.actions, rewards, goes_on if ends else torch.ones_like(goes_on))


def trained(agent, loss, number=0, looks=LOOKS):
    """A fresh policy, trained; and after each part of the run its real and its dreamt return."""
    agent, draws, curve = fresh_policy(agent, number), seed(number), []
    optimizer = torch.optim.AdamW([*agent.actor.parameters(), *agent.critic_head.parameters()], lr=3e-3)
    for _ in range(looks):
        short_run(optimizer, lambda step: loss(agent, draws), STEPS // looks, decay=0, max_grad_norm=1.0)
        curve.append(judged(agent))
    return agent, curve


def judged(agent):
    """Real returns and dreamt returns from the same serves."""
    real = real_returns(AgentPlayer(agent), NUM_GAMES)
    return real, dream_returns(agent, first_frames(real)).mean().item()


# %% [markdown]
# Three arms, equal but for where the steps come from. **In the dream**: yours. **On real frames**: the same update on
# the recorded steps themselves, the very frames that the world was made of. **In a shuffled dream**: yours, in a world
# that was trained with the keys of other episodes.

# %%
SHUFFLED = DreamAgent.from_pretrained("catch-dream-shuffled").eval().requires_grad_(False)
SOME = EPISODES[:240]


def lived(agent):
    """The posterior's states in random play, `(240, 26, F)`. All but the last of an episode are starts of dreams."""
    return agent.observe(SOME.observations(), SOME.actions, seed(0)).features.detach()


def on_real_frames(agent, draws, features, batch=58):
    """An update from recorded steps, as many as a dream has."""
    rows = torch.randint(len(features), (batch,), generator=draws)
    windows = SOME[rows]
    return update(agent, features[rows], windows.actions[:, 1:], windows.rewards[:, 1:], windows.continues[:, 1:])


ARMS = {
    "in the dream": trained(AGENT, partial(in_a_dream, states=lived(AGENT))),
    "on real frames": trained(AGENT, partial(on_real_frames, features=lived(AGENT))),
    "in a shuffled dream": trained(SHUFFLED, partial(in_a_dream, states=lived(SHUFFLED))),
}

# %% [markdown]
# ## The result to remember
#
# Returns per ball, from serves that no training episode has. *The way* is how far a policy has come from random keys
# to the best player, who catches every ball. *Exploited* is the return that a policy dreams of, minus the real one.

# %% tags=["demo"] draws="Real and dreamt returns of your three policies, and of random keys."
RANDOM = real_returns(RandomPlayer(), NUM_GAMES)
print(f"{'':26}{'real return':>22}{'the way':>10}{'dreamt':>9}{'exploited':>11}")
judged_arms = {"random keys": [(RANDOM, None)], "catch-dream, as shipped": [judged(AGENT)]}
for name, looks in (judged_arms | {name: curve for name, (_, curve) in ARMS.items()}).items():
    (real, dreamt), (low, high) = looks[-1], looks[-1][0].interval()
    words = f"{name:26}{real.mean:+8.2f} ({low:+.2f} to {high:+.2f}){way(real.mean, RANDOM.mean):10.0%}"
    print(words + ("" if dreamt is None or "real" in name else f"{dreamt:+9.2f}{dreamt - real.mean:+11.2f}"))
steps = [STEPS * (k + 1) // LOOKS for k in range(LOOKS)]
lines = {f"{name}, real": (steps, [real.mean for real, _ in curve]) for name, (_, curve) in ARMS.items()}
lines["in the dream, dreamt"] = (steps, [dreamt for _, dreamt in ARMS["in the dream"][1]])
draw_curves(lines, "While the policies train", size=(7.6, 2.9), xlabel="updates", ylabel="return per ball")

# %% [markdown]
# Your policy, in the game and in its dream:

# %% tags=["demo"] draws="Three balls in the game and three in the dream, by your policy."
mine = ARMS["in the dream"][0]
playing(side_by_side(mine, real_returns(AgentPlayer(mine), 3), range(3)))

# %% [markdown]
# One run is an anecdote. From the course's record, ten runs per arm: the same world, another seed of the policy.

# %% tags=["demo"] draws="Ten runs per arm: dreamt and real returns."
study = json.loads((paths.find_lab("09.4").tests.parent / "calibration" / "04_dream_policy.json").read_text())["study"]
for name, arm in study["arms"].items():
    print(f"{name:22} the way, mean of {len(arm['real'])} runs: {way(np.mean(arm['real']), study['random']):.0%}")
draw_study(study["arms"], {"best player": 1.0, "random keys": study["random"]}, f"{study['steps']} updates per run")

# %% [markdown]
# **What to see.** At `ci`, so few updates only prove that it runs: look at the ten runs. Policies from the dream play
# well in a game that they have never seen, and better than what the real frames teach by themselves. The shuffled dream
# looks as real and teaches nothing: in it, no key does anything. Above zero, *exploited* is what a policy wins by its
# world's mistakes: see the weakest runs. Below, the dream is the harder game: in it a ball may jump, and that costs.
#
# ## Try it
#
# What does a longer or shorter dream buy, and what does it cost? Look at both numbers. Without `ENDS` no dream is ever
# over: the policy also collects what the world makes up after the ball is down.

# %%
HORIZON, ENDS, NUMBER = 4, True, 1

other = partial(in_a_dream, states=lived(AGENT), horizon=HORIZON, ends=ENDS)
_, [(real, dreamt)] = trained(AGENT, other, NUMBER, looks=1)
print(f"dreams of {HORIZON} steps: {real.mean:+.2f} in the game, {dreamt:+.2f} dreamt")

# %% [markdown] tags=["folded"]
# ## Going further
#
# **The dream as an environment.** `DreamEnv` is the world with gymnasium's `reset` and `step`, in forty lines:

# %%
env = DreamEnv(AGENT, EPISODES[:64].clips()[:, :, 0])
frame, _ = env.reset(seed=3)
shown, total, over = [frame], 0.0, False
while not over:
    frame, reward, terminated, truncated, _ = env.step(len(shown) // 4 % 3)
    shown, total, over = [*shown, frame], total + reward, terminated or truncated
print(f"an episode of {len(shown)} frames, its return {total:+.2f}")
show.player(np.stack(shown), 10, width=130, max_bytes=20_000, caption="keys by the clock, frames by the dream")

# %% [markdown]
# - **DreamerV3** (arXiv:2301.04104) adds what this game does without: symlog and two-hot rewards of any size, a slow
#   copy of the critic, a running mean of S. And its policy goes on playing, so its world learns from ever better play.
# - **DIAMOND** (arXiv:2405.12399) trains its actor-critic in frames drawn by diffusion, and **Dreamer 4**
#   (arXiv:2509.24527) offline, as you did, in a transformer.
#
# **An ablation to run.** What do free bits do to a dream? Train a policy in the world of stage `main`, before `settle`.
#
# ## Honest limits
#
# - `catch` is a small game: a rule of one line plays it. Profiles tell everything only where so little is in sight.
#   Dreamer has convolutions on both ends, and patience.
# - One world. How much ten worlds would differ, these numbers do not say: the seeds are those of policies.
# - Random keys visit every state of `catch`. No world model knows a room that no one entered.
#
# ## Yours now
#
# `flipbook train catch-dream --mine` trains a world on your windows and your KL. `--stage policy` goes on with your
# imagination, returns and loss. `flipbook evaluate catch-dream --mine` measures the shipped agent on your step.
#
# **Next:** 09.5, worlds in real time. **To read:** *Dreamer* (arXiv:1912.01603), *DreamerV3*.
