"""Tiny instances of three open world models: what reaches what is a matter of masks and of one joint sequence."""

import numpy as np
import pytest
import torch

from common.models.open_worlds import TINY, camera_path, cosmos_reach, sana_change, skyreels_reach, tiny_world


@pytest.mark.parametrize("name", TINY)
def test_instances_are_tiny_and_follow_their_seed(name):
    first, again, other = tiny_world(name), tiny_world(name), tiny_world(name, seed=1)
    assert sum(p.numel() for p in first.parameters()) < 200_000
    for a, b, c in zip(first.parameters(), again.parameters(), other.parameters()):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
        assert not torch.equal(a, c)


def test_another_class_is_refused():
    with pytest.raises(ValueError, match="is none of"):
        tiny_world("WanTransformer3DModel")


def test_skyreels_sees_everything_until_its_mask_is_block_causal():
    assert skyreels_reach(6).all()
    block = torch.arange(6) // 2
    torch.testing.assert_close(skyreels_reach(6, frames_per_block=2), block[:, None] <= block)


def test_sana_hears_a_key_most_from_the_frame_on_in_which_it_is_pressed():
    assert sana_change("w-16", "w-16").max() == 0
    late = sana_change("w-32", "w-24,d-8")
    assert late[-1] > 4 * late[:-1].max()
    early = sana_change("w-32", "d-8,w-24")
    assert early.min() > late[:-1].max()


def test_keys_are_a_way_of_the_camera():
    forward = camera_path("w-4")
    assert forward.shape == (5, 4, 4)
    way = forward[-1, :3, 3]
    assert way[2] > 0 and np.allclose(way[:2], 0)
    back = camera_path("w-4,s-4")
    np.testing.assert_allclose(back[-1], np.eye(4), atol=1e-6)


def test_in_cosmos_every_kind_reaches_every_other():
    assert cosmos_reach().tolist() == [[True] * 3] * 4
