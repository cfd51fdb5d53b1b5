"""The dream agent: sizes, observing and following agree, imagination starts where it is told and looks at nothing."""

import pytest
import torch

from common.models.dream_agent import PRESETS, DreamAgent, imagine

B, T, O = 3, 4, 7
NUM_PARAMETERS = {"ci": 30_662, "cpu": 396_614}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def agent() -> DreamAgent:
    torch.manual_seed(0)
    return DreamAgent(observation_size=O, num_actions=2, hidden_size=12, num_latents=3, num_classes=4)


@pytest.fixture
def play():
    return torch.randn(B, T, O, generator=generator()), torch.randint(2, (B, T), generator=generator(1))


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_have_the_sizes_they_are_known_by(preset):
    assert DreamAgent(**PRESETS[preset]).num_parameters() == NUM_PARAMETERS[preset]


def test_following_frame_by_frame_is_observing(agent, play):
    observations, actions = play
    seen = agent.observe(observations, actions, generator())
    state, draws = agent.core.initial(B), generator()
    for t in range(T):
        state = agent.follow(observations[:, t], state, actions[:, t], draws)
        torch.testing.assert_close(state.features, seen.features[:, t])


def test_decoded_states_are_the_predictions(agent, play):
    seen = agent.observe(*play, generator())
    assert seen.predictions.shape == play[0].shape
    torch.testing.assert_close(agent.decode(seen.features), seen.predictions)


def test_features_and_state_are_the_same_numbers(agent, play):
    features = agent.observe(*play, generator()).features[:, -1]
    state = agent.state_of(features)
    assert state.latent.sum(dim=1).round().tolist() == [3] * B
    torch.testing.assert_close(state.features, features)


def test_heads_have_a_number_per_state_and_continues_are_probabilities(agent, play):
    features = agent.observe(*play, generator()).features
    for read in (agent.reward, agent.continues, agent.value):
        assert read(features).shape == (B, T)
    assert agent.continues(features).min() > 0 and agent.continues(features).max() < 1


def test_imagination_acts_on_each_state_and_steps_from_it(agent, play):
    start = agent.state_of(agent.observe(*play, generator()).features[:, -1].detach())
    dream = imagine(agent.core, agent.actor, start, 5, generator(3))
    assert dream.features.shape == (B, 6, 24) and dream.actions.shape == (B, 5) and not dream.features.requires_grad
    torch.testing.assert_close(dream.features[:, 0], start.features)
    draws, state = generator(3), start
    for t in range(5):
        chances = agent.actor(dream.features[:, t]).softmax(dim=-1)
        assert torch.equal(dream.actions[:, t], torch.multinomial(chances, 1, generator=draws)[:, 0])
        state, _, _ = agent.core.step(state, dream.actions[:, t], generator=draws)
        torch.testing.assert_close(dream.features[:, t + 1], state.features)


def test_saves_and_loads(agent, play, tmp_path):
    agent.save_pretrained(tmp_path)
    loaded = DreamAgent.from_pretrained(tmp_path)
    torch.testing.assert_close(loaded.observe(*play, generator()).features, agent.observe(*play, generator()).features)
