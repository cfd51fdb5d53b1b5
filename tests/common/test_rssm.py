"""The RSSM: observing is causal, imagination looks at nothing but its actions, the loss is what it says."""

import pytest
import torch

from common.models.categorical import kl_balance
from common.models.rssm import PRESETS, RSSM, rssm_loss

NUM_PARAMETERS = {"ci": 46_468, "cpu": 726_532}
B, T, L, C, O, A = 3, 5, 4, 6, 7, 2


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def model() -> RSSM:
    torch.manual_seed(0)
    return RSSM(observation_size=O, num_actions=A, hidden_size=16, num_latents=L, num_classes=C)


@pytest.fixture
def play():
    return torch.randn(B, T, O, generator=generator()), torch.randint(A, (B, T), generator=generator(1))


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_have_the_sizes_they_are_known_by(preset):
    assert RSSM(**PRESETS[preset]).num_parameters() == NUM_PARAMETERS[preset]


def test_observing_is_causal_and_imagining_starts_where_it_ends(model, play):
    observations, actions = play
    changed = observations.clone()
    changed[:, 3] += 1
    before, _ = model.observe(observations, actions, generator())
    after, _ = model.observe(changed, actions, generator())
    torch.testing.assert_close(after.predictions[:, :3], before.predictions[:, :3])
    torch.testing.assert_close(after.prior[:, :4], before.prior[:, :4])  # the prior of step 3 has not seen it
    assert (after.posterior[:, 3] - before.posterior[:, 3]).abs().max() > 1e-3


def test_imagination_obeys_actions_from_their_own_step_on(model, play):
    observations, actions = play
    _, state = model.observe(observations, actions, generator())
    pressed = torch.zeros(B, 4, dtype=torch.long)
    other = pressed.clone()
    other[:, 2] = 1
    first, second = (model.imagine(state, keys, generator()) for keys in (pressed, other))
    torch.testing.assert_close(first[:, :2], second[:, :2])
    assert (first[:, 2] - second[:, 2]).abs().max() > 1e-4


def test_the_loss_is_squared_error_and_kl(model, play):
    observations, actions = play
    seen, _ = model.observe(observations, actions, generator())
    error = (seen.predictions - observations).square().sum() / (B * T)
    torch.testing.assert_close(rssm_loss(seen, observations), error + kl_balance(seen.posterior, seen.prior))


def test_saves_and_loads(model, play, tmp_path):
    model.save_pretrained(tmp_path)
    loaded = RSSM.from_pretrained(tmp_path)
    first, _ = model.observe(*play, generator())
    second, _ = loaded.observe(*play, generator())
    torch.testing.assert_close(second.predictions, first.predictions)
