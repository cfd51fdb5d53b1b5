"""The doubles of lab 09.4's grader: known to the last bit, and every input of theirs matters."""

import pytest
import torch

from common.course.graders import dreams, values
from common.models.dream_agent import imagine
from common.models.rssm import RSSM, RSSMState


def test_a_numbered_play_shows_its_numbers():
    frames, actions, rewards, ends = dreams.numbered_play(2, 7, (1, 4), (2, 3))
    assert frames[:, 1, 2].tolist() == list(range(20, 27)) and len(actions) == len(rewards) == len(ends) == 6
    assert ends.nonzero()[:, 0].tolist() == [1, 4] and (actions[1:] != actions[:-1]).all()


def test_moments_are_steps_that_an_rssm_can_take():
    for seen in (True, False):
        for rssm, *moment in dreams.moments(RSSM, 0, seen):
            h, z, prior, posterior = dreams.by_step(rssm, *moment)
            assert h.dtype == torch.float64 and z.shape == moment[1].shape
            assert torch.equal(prior, posterior) != seen


def test_every_input_of_a_formula_matters():
    world, actor, h, z, *_ = dreams.asleep(0, 4, 3, 5, 2, 3)
    state, action = RSSMState(h, z), torch.tensor([0, 1, 2, 0])
    usual = world.step(state, action, generator=values.generators(1))[0].features
    for changed in ((RSSMState(h + 1, z), action, 1), (RSSMState(h, z + 1), action, 1), (state, 2 - action, 1),
                    (state, action, 2)):  # fmt: skip
        other = world.step(*changed[:2], generator=values.generators(changed[2]))[0].features
        assert not torch.allclose(other, usual)
    assert actor(state.features).shape == (4, 3)


def test_a_formula_says_what_does_not_fit():
    world, actor, h, z, *_ = dreams.asleep(0, 4, 3, 5, 2, 3)
    with pytest.raises(AssertionError, match="no observation"):
        world.step(RSSMState(h, z), torch.zeros(4, dtype=torch.long), h)
    with pytest.raises(AssertionError, match="int64"):
        world.step(RSSMState(h, z), torch.zeros(4))
    with pytest.raises(AssertionError, match="features"):
        actor(h[None])


def test_dreaming_by_seed_is_dreaming():
    world, actor, h, z, horizon, seed = dreams.asleep(3, 4, 3, 5, 2, 6)
    found = dreams.dreaming(imagine)(world, actor, h, z, horizon, seed)
    due = imagine(world, actor, RSSMState(h, z), horizon, values.generators(seed))
    assert torch.equal(found.features, due.features) and torch.equal(found.actions, due.actions)
