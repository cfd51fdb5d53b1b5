"""The world of one formula that graders of phase 9 lean on: equal to the library's sampler where it should be."""

import numpy as np
import pytest
import torch

from common.course.graders import worlds
from common.evaluation.arcade_rules import rule_agreement
from common.pipelines.world import WorldSession
from common.streaming.world import denoise, quantize, rollout, sample_next, world_sigmas


def test_levels_and_denoiser_are_the_librarys():
    for n in (1, 3, 5):
        assert np.allclose(worlds.karras(n, 4.0), world_sigmas(n, 4.0), rtol=1e-5)
    world, past, actions = worlds.begun(0, 2, 3, 4, 5, 6, 5)
    x, level = torch.randn(2, 3, 5, 6, generator=worlds.generators(1)), torch.full((2,), 0.3)
    due = denoise(world, x, torch.full((2,), 1.7), past, actions, level)
    assert torch.allclose(worlds.denoised(world, x.double(), 1.7, past, actions, level).float(), due, atol=1e-5)
    assert len(world.calls) == 2 and world.calls[0][2].tolist() == pytest.approx([0.3, 0.3])
    assert torch.allclose(worlds.quantized(x), quantize(x))


def test_a_world_says_what_does_not_fit():
    world, past, actions = worlds.begun(0, 2, 3, 4, 5, 6, 5)
    level, x = torch.zeros(2), past[:, :, 0]
    with pytest.raises(AssertionError, match=r"past should have the shape \(2, 3, 4, 5, 6\)"):
        world(x, level, past[:, :, 1:], actions, level)
    with pytest.raises(AssertionError, match="int64"):
        world(x, level, past, actions.float(), level)


def test_every_input_of_a_world_matters():
    world, past, actions = worlds.begun(3, 2, 3, 4, 5, 6, 5)
    given = {"sample": past[:, :, 0], "c_noise": torch.ones(2), "past": past, "actions": actions,
             "context_noise": torch.ones(2)}  # fmt: skip
    usual = world(**given)
    for name, value in given.items():
        changed = (value + 1) % 5 if name == "actions" else value + 0.1
        assert not torch.allclose(world(**given | {name: changed}), usual)


def test_calls_by_seed_are_the_calls_themselves():
    world, past, actions = worlds.begun(1, 2, 3, 4, 5, 6, 5)
    one = worlds.seeded(sample_next)(world, past, actions, 2, 0.2, 7)
    assert torch.equal(one, sample_next(world, past, actions, 2, context_noise=0.2, generator=worlds.generators(7)))
    pressed = worlds.keys(2, 2, 6, 5)
    frames = worlds.rolled(rollout)(world, past, pressed, 2, 0.2, 7)
    assert frames.shape == (2, 3, 3, 5, 6) and torch.equal(worlds.draw((2, 3), worlds.generators((1, 2)))[1:],
                                                           worlds.draw((1, 3), worlds.generators(2)))  # fmt: skip
    world, past, before, pressed = worlds.sitting(1, 4, 5, 3)
    played = worlds.stepped(WorldSession)(world, past, before, pressed, 2, 0.2, 7)
    made = worlds.rolled(rollout)(world, past, torch.cat([before, pressed])[None], 2, 0.2, 7)
    assert torch.allclose(played, made[0].permute(0, 2, 3, 1), atol=1e-5)
    with pytest.raises(ValueError, match="5 actions, got 5"):
        worlds.arcade(world).checked(5)


def test_a_play_with_events_obeys_the_rules():
    readings, actions = worlds.eventful(0, 90)
    agreement = rule_agreement(readings, actions)
    assert agreement.all.all() and any("door" in events for events in agreement.events)
