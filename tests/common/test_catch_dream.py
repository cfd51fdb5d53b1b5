"""`catch-dream`: what is trained by which loss, dreams judged by the game, fresh policies in an old world."""

import pytest
import torch

from common.data.arcade.episodes import EPISODE, CatchEpisodes
from common.evaluation.catch_return import RandomPlayer, real_returns
from common.models.dream_agent import PRESETS, DreamAgent
from common.models.rssm import RSSM
from common.zoo.catch_dream import measures
from common.zoo.catch_dream.losses import dreamt_losses, recorded_losses, starts_of, world_losses
from common.zoo.catch_dream.study import draw_study, first_frames, fresh_policy, side_by_side, use_core

POLICY = ("actor", "critic_head")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def windows():
    return CatchEpisodes(500).windows[:4]


@pytest.fixture
def agent() -> DreamAgent:
    torch.manual_seed(0)
    return DreamAgent(**PRESETS["ci"])


def trained(agent, loss) -> set[str]:
    """The parts of an agent that a loss moves."""
    loss.backward()
    return {name.split(".")[0] for name, p in agent.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}


def test_the_world_is_trained_by_its_own_loss_and_the_policy_by_the_dream(agent, windows):
    losses = world_losses(agent, windows, generator())
    assert set(losses) == {"profiles", "rewards", "ends", "kl"}
    assert trained(agent, sum(losses.values())) == {"core", "reward_head", "continue_head"}
    for find in (lambda: dreamt_losses(agent, starts_of(agent, windows, generator()), generator()),
                 lambda: recorded_losses(agent, windows, generator())):  # fmt: skip
        agent.zero_grad()
        losses = find()
        assert trained(agent, losses["actor"] + losses["critic"]) == set(POLICY)


def test_dreams_begin_wherever_an_episode_goes_on(agent, windows):
    assert len(starts_of(agent, windows, generator()).latent) == 4 * (EPISODE - 1)


def test_a_dreamt_return_counts_nothing_after_the_end(agent):
    first = torch.rand(3, 3, 32, 32, generator=generator()) * 2 - 1
    for head, value in ((agent.reward_head, 0.5), (agent.continue_head, -40.0)):
        torch.nn.init.zeros_(head[2].weight), torch.nn.init.constant_(head[2].bias, value)
    assert measures.dream_returns(agent, first).tolist() == pytest.approx([0.5] * 3)
    torch.nn.init.constant_(agent.continue_head[2].bias, 40.0)
    steps = EPISODE - 1 + measures.MARGIN
    assert measures.dream_returns(agent, first).tolist() == pytest.approx([0.5 * steps] * 3)


def test_the_way_from_random_to_optimal():
    assert [measures.way(real, -0.5) for real in (-0.5, 0.25, 1.0)] == pytest.approx([0, 0.5, 1])
    assert measures.best_return(40) == 1.0


def test_an_untrained_dream_foretells_nothing(agent, windows):
    found = measures.comes_true(agent, windows)
    assert found["paddle_15"] < 0.8 and 0 <= found["foretold"] <= 1 and 0 < found["always_missed"] <= 1


def test_a_fresh_policy_lives_in_the_same_world(agent):
    fresh, other = fresh_policy(agent, 1), fresh_policy(agent, 2)
    for (name, old), new in zip(agent.named_parameters(), fresh.parameters()):
        assert torch.equal(old, new) == (name.split(".")[0] not in POLICY) or name.endswith("bias")
    assert not torch.equal(fresh.actor[0].weight, other.actor[0].weight)
    assert torch.equal(fresh.actor[0].weight, fresh_policy(agent, 1).actor[0].weight)
    assert fresh.actor[0].weight.requires_grad and not fresh.core.cell.weight_hh.requires_grad


def test_another_class_in_the_core_has_the_same_weights(agent, windows):
    class Mine(RSSM):
        pass

    before = agent.observe(windows.observations(), windows.actions, generator()).features
    after = use_core(agent, Mine).observe(windows.observations(), windows.actions, generator()).features
    assert isinstance(agent.core, Mine)
    torch.testing.assert_close(after, before)


def test_games_and_dreams_side_by_side_begin_alike(agent):
    played = real_returns(RandomPlayer(), 3)
    rows = side_by_side(agent, played, [2, 0])
    assert [clip.shape for clip in rows.values()] == [(3, 2 * EPISODE, 32, 32)] * 2
    torch.testing.assert_close(rows["the game"][:, 0], first_frames(played)[2])


def test_the_picture_of_a_study_has_a_point_per_run():
    arms = {"dream": {"real": [0.9, 0.8], "dream": [1.0, 0.9]}, "real frames": {"real": [0.1, 0.2]}}
    figure = draw_study(arms, {"random": -0.5}, "title")
    drawn = [line.get_xdata() for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [len(points) for points in drawn] == [2, 2, 0, 2]
