"""How `catch-dream` is trained: a world from recorded play, then a policy that never sees the game.

    flipbook train catch-dream                      stage "main": the world, on 20,000 frames of random keys
    flipbook train catch-dream --stage settle       from there: without free bits
    flipbook train catch-dream --stage policy       from there: actor and critic, in imagination alone

A free nat per frame is also the noise of the dream: the prior may be as vague as that at no cost. So stage settle takes
most of it back, once the latents are in use. A script that plays perfectly in the game, let into the dream after four
frames, caught 49 of 76 balls after stage main and 58 after stage settle.

DreamerV3 (arXiv:2301.04104) in small and offline: the world is finished before the policy begins, and no frame is
played by the policy. Left out because this game does without: symlog and two-hot rewards (all are -1, 0 or 1), a slow
copy of the critic, and the running mean of the return's spread.
"""

from functools import partial

import torch

from common.data.arcade.episodes import CatchEpisodes
from common.evaluation.catch_return import AgentPlayer, real_returns
from common.models.dream_agent import PRESETS, DreamAgent
from common.show import strips
from common.training import Recipe, Settings, Stage, muon
from common.zoo.catch_dream.losses import dreamt_losses, starts_of, world_losses
from common.zoo.catch_dream.measures import comes_true
from common.zoo.catch_dream.study import painted

NUM_FRAMES = {"ci": 1_000, "cpu": 20_000, "gpu": 20_000}
SIZES = PRESETS | {"gpu": PRESETS["cpu"]}


def draws(noise):
    """A generator for a whole batch, of its first sample's own."""
    return torch.Generator().manual_seed(int(noise.integers("draws", 2**62)[0]))


def world_loss(model, windows, noise):
    """Stage "main". "loss" is the sum of the parts."""
    losses = world_losses(model, windows, draws(noise))
    return {"loss": sum(losses.values()), **losses}


def settle_loss(model, windows, noise):
    """Stage "settle": hardly a free nat, and twice the pull on the prior."""
    losses = world_losses(model, windows, draws(noise), free_nats=0.1, dynamics=1.0)
    return {"loss": sum(losses.values()), **losses}


def policy_loss(model, windows, noise):
    """Stage "policy": dreams begin in every state of the episodes but the last."""
    generator = draws(noise)
    losses = dreamt_losses(model, starts_of(model, windows, generator), generator)
    return {"loss": losses["actor"] + losses["critic"], **losses}


def measure(model, preset):
    """The dream on test plays, and the policy in the real game."""
    count = {"ci": 4, "cpu": 128, "gpu": 128}[preset]
    found = comes_true(model, CatchEpisodes(500, "test").windows)
    return found | {"real": real_returns(AgentPlayer(model), count).mean}


def sheet(model, preset):
    """Two episodes, and below each what the posterior makes of every frame."""
    episodes = CatchEpisodes(500, "test").windows[torch.arange(2)]
    seen = model.observe(episodes.observations(), episodes.actions, torch.Generator().manual_seed(0))
    rows = {}
    for number, (clip, made) in enumerate(zip(episodes.clips(), painted(model, seen.features))):
        rows |= {f"episode {number}": clip, f"posterior {number}": made}
    return strips(rows, num_frames=13)


# Adam trains the first and the last layers, and the policy; Muon the rest.
ENDS = ("core.inputs.0", "posterior_head.0", "decoder.2", "reward_head.2", "continue_head.2", "actor", "critic_head")
SMALL = {"batch_size": 4, "learning_rate": 1e-3, "warmup_steps": 2, "betas": (0.9, 0.95), "ema_decay": 0.9}
USUAL = SMALL | {"decay": "linear", "decay_from": 0.5, "ema_decay": 0.98, "checkpoint_every": 50}
WORLD = USUAL | {"batch_size": 32, "learning_rate": 6e-3, "warmup_steps": 20, "max_grad_norm": 100.0}
SETTLE = WORLD | {"learning_rate": 5e-3, "decay_from": 0.2, "first_sample": 10**6}
POLICY = USUAL | {"batch_size": 4, "learning_rate": 3e-3, "warmup_steps": 20, "first_sample": 10**7}
RECIPE = Recipe(
    name="catch-dream",
    build_model=lambda preset: DreamAgent(**SIZES[preset]),
    data=lambda preset: CatchEpisodes(NUM_FRAMES[preset]),
    compute_loss=world_loss,
    optimizer=partial(muon, ends=ENDS),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=4, **SMALL),
                "cpu": Settings(steps=700, measure_every=350, **WORLD),
                "gpu": Settings(steps=4000, **WORLD | {"batch_size": 64}),
            }
        ),
        "settle": Stage(
            {
                "ci": Settings(steps=4, **SMALL),
                "cpu": Settings(steps=700, measure_every=350, **SETTLE),
                "gpu": Settings(steps=3000, **SETTLE | {"batch_size": 64}),
            },
            start="main",
            compute_loss=settle_loss,
        ),
        "policy": Stage(
            {
                "ci": Settings(steps=4, **SMALL),
                "cpu": Settings(steps=600, measure_every=200, **POLICY),
                "gpu": Settings(steps=3000, **POLICY | {"batch_size": 32}),
            },
            start="settle",
            compute_loss=policy_loss,
        ),
    },
    sheet=sheet,
    measure=measure,
)
