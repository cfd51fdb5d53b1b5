"""A world model at play: a session is the rollout, and a log of keys replays it bit for bit."""

import copy

import numpy as np
import pytest
import torch

from common.models.world_unet import WorldUNet
from common.pipelines.world import WorldModel
from common.streaming.world import rollout

A, K = 5, 3  # actions, frames of the past
KEYS = [0, 1, 2, 3, 4, 4, 0, 2]


@pytest.fixture(scope="module")
def network() -> WorldUNet:
    torch.manual_seed(0)
    network = WorldUNet(A, K, height=16, width=24, channels=[16, 24, 32], num_blocks=[1, 1, 1], cond_channels=24)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    return network


@pytest.fixture(scope="module")
def world(network) -> WorldModel:
    return WorldModel(network, torch.float32)


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """Five frames: uint8 `(5, 16, 24, 3)`."""
    return np.random.default_rng(0).integers(0, 256, (5, 16, 24, 3), dtype=np.uint8)


def played(session, keys) -> np.ndarray:
    return np.stack([session.step(key) for key in keys])


def test_a_session_is_the_rollout(world, network, frames):
    session = world.start(frames, [1, 2, 3, 4], seed=3, context_noise=0.2)
    past = torch.from_numpy(frames[-K:]).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
    keys = torch.tensor([[3, 4, *KEYS]])
    noise = torch.Generator().manual_seed(3)
    made = torch.cat(list(rollout(network, past, keys, 2, context_noise=0.2, generator=noise)))
    due = ((made + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    assert np.array_equal(played(session, KEYS), due)
    assert np.array_equal(session.frame, due[-1])


def test_a_log_of_keys_replays_bit_for_bit_in_the_fast_type_too(network, frames):
    world = WorldModel(copy.deepcopy(network))
    one, two, other = (played(world.start(frames, [1, 2, 3, 4], seed), KEYS) for seed in (1, 1, 2))
    assert one.dtype == np.uint8 and one.shape == (len(KEYS), 16, 24, 3)
    assert np.array_equal(one, two) and not np.array_equal(one, other)


def test_settings_may_change_between_steps(world, frames):
    one, two = world.start(frames, [0] * 4), world.start(frames, [0] * 4)
    assert np.array_equal(one.step(1), two.step(1))
    one.num_steps = 3
    assert not np.array_equal(one.step(1), two.step(1))


def test_only_the_last_frames_and_the_keys_between_them_count(world, frames):
    other = frames.copy()
    other[: 5 - K] = 0
    one, two = world.start(frames, [1, 2, 3, 4]), world.start(other, [0, 0, 3, 4])
    assert np.array_equal(played(one, KEYS), played(two, KEYS))
    three = world.start(frames, [1, 2, 0, 4])
    assert not np.array_equal(played(one, KEYS), played(three, KEYS))


def test_a_key_for_the_last_frame_is_given_by_the_first_step(world, frames):
    one, two = world.start(frames, [1, 2, 3, 4]), world.start(frames, [1, 2, 3, 4, 0])
    assert np.array_equal(one.step(2), two.step(2))


def test_one_frame_is_enough_and_was_still_before(world, frames):
    one = world.start(frames[:1], [])
    two = world.start(frames[:1].repeat(K, axis=0), [0] * (K - 1))
    assert np.array_equal(one.frame, frames[0])
    assert np.array_equal(played(one, KEYS), played(two, KEYS))


def test_what_does_not_fit_is_refused_with_its_number(world, frames):
    with pytest.raises(ValueError, match=r"16, 24, 3\), got \(5, 16, 23, 3\)"):
        world.start(frames[:, :, 1:], [0] * 4)
    with pytest.raises(ValueError, match="float64"):
        world.start(frames / 255, [0] * 4)
    with pytest.raises(ValueError, match="5 frames, 2 actions"):
        world.start(frames, [0] * 2)
    session = world.start(frames, [0] * 4)
    for action in (-1, A):
        with pytest.raises(ValueError, match=f"0 to {A - 1}, got {action}"):
            session.step(action)
        with pytest.raises(ValueError, match=f"got {action}"):
            world.start(frames, [0, 0, 0, action])


def test_a_folder_of_weights_is_loaded(network, world, frames, tmp_path):
    network.float().save_pretrained(tmp_path)
    again = WorldModel.from_pretrained(tmp_path, torch.float32)
    assert (again.num_actions, again.context, again.height, again.width) == (A, K, 16, 24)
    one, two = world.start(frames, [0] * 4), again.start(frames, [0] * 4)
    assert np.array_equal(one.step(1), two.step(1))
