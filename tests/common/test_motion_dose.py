"""Scores, buckets and dose–response against counting, numpy and the world's own truth; diffusers' conditioning."""

import numpy as np
import pytest
import torch
from diffusers.models.embeddings import TimestepEmbedding, Timesteps

from common.data.sprites.truth import truth
from common.evaluation.motion_dose import MotionBuckets, dose_response, motion_scores
from common.layers.micro_conditioning import MicroConditioning
from common.zoo.sprites_dose.clips import NUM_FRAMES, ManySpeeds, buckets, scores, speeds_of


def test_scores_of_the_worlds_flow_are_its_speeds():
    scenes = [scene for scene in ManySpeeds("train").scenes(range(24)) if scene.background != "stripes"]
    exact = truth(scenes, NUM_FRAMES)
    found = motion_scores(exact.flow, exact.masks[:, 0, :-1], 8)
    assert (found - scores(scenes)).abs().max() < 0.03  # a pixel of the mask's edge is partly background
    assert torch.allclose(motion_scores(2 * exact.flow, exact.masks[:, 0, :-1], 4), found)


def test_frames_that_do_not_count_are_left_out():
    flow, masks = torch.zeros(2, 2, 4, 4), torch.zeros(2, 4, 4)
    flow[0], flow[0, :, :2] = 1.0, 3.0
    masks[1, :2] = 1.0  # in the first frame there is no object
    assert torch.allclose(motion_scores(flow, masks, 4), torch.tensor([2.0, (1.0 + 2.0) / 2]))
    assert torch.equal(motion_scores(flow, torch.ones(2, 4, 4), 4)[1], torch.tensor(0.0))
    with pytest.raises(ValueError, match="frames per second"):
        motion_scores(flow, masks, 0)


def test_buckets_are_used_alike_and_lead_back():
    sample = torch.randn(5120, generator=torch.Generator().manual_seed(0)).exp()
    told = MotionBuckets(sample)
    assert torch.equal(torch.bincount(told.bucket(sample)), torch.full((256,), 20))
    assert torch.equal(told.bucket(told.score(torch.arange(256))), torch.arange(256))
    assert told.bucket(torch.tensor([-1.0, 1e6])).tolist() == [0, 255]
    due = np.quantile(sample.numpy(), (np.arange(256) + 0.5) / 256)
    assert np.allclose(told.score(torch.arange(256)).numpy(), due, rtol=1e-5)
    with pytest.raises(ValueError, match="0 to 255"):
        told.score(torch.tensor([256]))
    with pytest.raises(ValueError, match="some scores"):
        MotionBuckets(torch.zeros(0))


def test_the_recipes_buckets_are_quantiles_of_its_speeds():
    moving = scores(ManySpeeds("train").scenes(range(2000)))
    for k in range(2):
        values = moving[moving[:, k] > 0]
        own = buckets(values)[:, k]
        assert (MotionBuckets(values[:, k]).bucket(values[:, k]) - own).abs().max() < 12
    assert torch.allclose(speeds_of(buckets(moving)), moving, atol=1e-4)


def ranks(row):
    _, inverse, counts = np.unique(row, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def test_dose_response_is_numpys():
    generator = torch.Generator().manual_seed(0)
    asked = torch.rand(5, 6, generator=generator) + 0.1
    measured = (asked + torch.rand(5, 6, generator=generator)).mul(4).round() / 4
    found = dose_response(asked, measured)
    rhos = [np.corrcoef(ranks(a), ranks(m))[0, 1] for a, m in zip(asked.numpy(), measured.numpy())]
    assert found.spearman == pytest.approx(np.median(rhos))
    x, y = asked.double().log().flatten().numpy(), measured.double().clamp(min=1e-3).log().flatten().numpy()
    assert found.slope == pytest.approx(np.polyfit(x, y, 1)[0])
    assert dose_response(asked, asked) == pytest.approx((1.0, 1.0, 0.0))
    assert dose_response(asked, torch.ones(5, 6)).spearman == 0
    with pytest.raises(ValueError, match="K ≥ 2"):
        dose_response(asked[:, :1], measured[:, :1])


@torch.no_grad()
def test_conditioning_is_diffusers():
    torch.manual_seed(0)
    ours, waves, theirs = MicroConditioning(5, 32, 12), Timesteps(32, True, 0), TimestepEmbedding(5 * 32, 12)
    ids = torch.tensor([[7, 127, 0.02, 200.0, 30.0], [7, 0, 0.5, 1, 255]])
    assert not ours(ids).any()
    for parameter in ours.parameters():
        torch.nn.init.normal_(parameter)
    theirs.load_state_dict(ours.state_dict())
    assert torch.allclose(ours(ids), theirs(waves(ids.flatten()).reshape(2, -1)), atol=1e-5)
    with pytest.raises(ValueError, match="ids are"):
        ours(ids[:, :3])
