"""A folded network gives what the network gives, in one game, and the player plays with it."""

import numpy as np
import pytest
import torch

from common.models.folded_world import FoldedWorldUNet
from common.models.world_unet import PRESETS, WorldUNet
from common.pipelines.world import WorldModel


@pytest.fixture
def model():
    """A small one, all of whose weights are at work."""
    torch.manual_seed(0)
    model = WorldUNet(context=3, **PRESETS["ci"]).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    return model


def given(batch=1):
    draws = torch.Generator().manual_seed(1)
    frames = torch.randn(batch, 3, 4, 16, 24, generator=draws)
    levels = torch.rand(2, batch, generator=draws)
    return frames[:, :, 0], levels[0], frames[:, :, 1:], torch.randint(7, (batch, 3), generator=draws), levels[1]


def test_the_same_answers_up_to_rounding(model):
    with torch.no_grad():
        due = model(*given())
        torch.testing.assert_close(FoldedWorldUNet(model)(*given()), due, rtol=1e-4, atol=1e-4)


def test_it_plays_one_game_alone_and_trains_none(model):
    folded = FoldedWorldUNet(model)
    assert not any(p.requires_grad for p in folded.parameters()) and folded.device == torch.device("cpu")
    with pytest.raises(ValueError, match="one game"):
        folded(*given(2))


def test_a_folded_world_plays_like_the_other(model):
    frames = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    plain, folded = (WorldModel(model, torch.float32, folded=how).start(frames, [1, 2], 3, 2, 0.2) for how in (0, 1))
    for action in (3, 0):
        off = np.abs(plain.step(action).astype(int) - folded.step(action).astype(int))
        assert off.max() <= 1
