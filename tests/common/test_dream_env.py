"""The dream as an environment: gymnasium's five numbers, the same dream again, and a game through `GymGame`."""

import numpy as np
import pytest
import torch

from common.data.arcade.gym_game import GymGame
from common.models.dream_agent import PRESETS, DreamAgent
from common.zoo.catch_dream.dream_env import DreamEnv


@pytest.fixture
def env() -> DreamEnv:
    torch.manual_seed(0)
    agent = DreamAgent(**PRESETS["ci"])
    return DreamEnv(agent, torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1, most_steps=6)


def test_an_episode_has_frames_rewards_and_an_end(env):
    frame, info = env.reset(seed=3)
    assert frame.shape == (32, 32, 3) == env.observation_space.shape and frame.dtype == np.uint8 and info == {}
    steps = [env.step(k % 3) for k in range(6)]
    assert all(isinstance(reward, float) for _, reward, *_ in steps)
    assert np.array_equal(steps[-1][0], env.render())
    over = [terminated or truncated for _, _, terminated, truncated, _ in steps]
    assert over[-1] and not any(t and c for _, _, t, c, _ in steps)


def test_the_same_seed_and_actions_give_the_same_dream(env):
    def dreamt(seed):
        env.reset(seed=seed)
        return [env.step(1)[1] for _ in range(4)]  # what an untrained world draws may well be one frame

    first = dreamt(1)
    assert first == dreamt(1) and first != dreamt(2)


def test_refuses_actions_that_are_none(env):
    env.reset(seed=0)
    with pytest.raises(ValueError, match="0 to 2, got 3"):
        env.step(3)


def test_a_dream_is_a_game_like_any_other(env):
    game = GymGame(env, height=32, width=32)
    game.reset(1)
    assert len(game.actions) == 3 and game.frame().shape == (32, 32, 3)
    for _ in range(9):
        assert set(game.step(2)) <= {"reward", "penalty", "end"}


def test_it_is_an_environment_of_gymnasium(env):
    gymnasium = pytest.importorskip("gymnasium")
    assert isinstance(env, gymnasium.Env) and env.action_space.n == 3
    env.reset(seed=0)
