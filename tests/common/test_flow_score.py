"""Motion scores by flow: units, cuts, and a camera that is told from what moves before it."""

import pytest
import torch

from common.data.sprites import SpriteData
from common.data.sprites.attributes import FPS, SIZE
from common.evaluation.flow_score import clip_flow, flow_score, global_motion, within_shots

B, T, H, W = 2, 5, 12, 20


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def affine(*shape):
    """An affine flow of each pair: shift, zoom, turn and shear."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, shape[-2]), torch.linspace(-1, 1, shape[-1]), indexing="ij")
    terms = noise(3, *shape[:-2], seed=4)[..., None, None]
    return terms[0] + terms[1] * x + terms[2] * y


# ---------------------------------------------------------------------------------------------------- the score


def test_the_score_is_in_heights_per_second():
    """3 pixels to the left and 4 down are 5; of 10 rows, at 8 frames per second: 4 heights per second"""
    flow = torch.tensor([-3.0, 4.0])[:, None, None, None].expand(2, 3, 10, 7)
    assert flow_score(flow, 8).item() == pytest.approx(4.0)


def test_a_batch_is_its_clips():
    flow = noise(B, 2, T, H, W)
    torch.testing.assert_close(flow_score(flow, 6.0), torch.stack([flow_score(clip, 6.0) for clip in flow]))
    assert flow_score(flow.double(), 6).dtype == torch.float64 and flow_score(flow.half(), 6).dtype == torch.float32


def test_what_is_not_valid_changes_nothing():
    flow, valid = noise(B, 2, T, H, W), noise(B, T, H, W, seed=1) > 0
    spoilt = torch.where(valid[:, None], flow, torch.nan)
    torch.testing.assert_close(flow_score(spoilt, 5, valid=valid), flow_score(flow, 5, valid=valid))
    lengths = flow.norm(dim=1)
    torch.testing.assert_close(flow_score(flow, 5, valid=valid)[1], lengths[1][valid[1]].mean() * 5 / H)


def test_the_truth_of_the_world_is_this_score():
    """The world of sprites knows its flow exactly, and calls this its motion score."""
    truth = SpriteData("test").truth(range(6))
    torch.testing.assert_close(flow_score(truth.flow, FPS), truth.motion_score, atol=1e-5, rtol=1e-4)
    assert truth.flow.shape[-1] == SIZE


def test_every_second_frame_at_half_the_rate_scores_alike():
    """as long as the motion is even: the flow is twice as long, and half as many frames come per second"""
    flow = noise(2, 1, H, W).expand(2, 4, H, W)
    torch.testing.assert_close(flow_score(2 * flow[:, ::2], 12), flow_score(flow, 24))


def test_a_clip_that_is_scaled_keeps_its_score():
    flow = noise(2, T, H, W)
    larger = torch.nn.functional.interpolate(3 * flow[None], scale_factor=(1, 3, 3))
    torch.testing.assert_close(flow_score(larger[0], 8), flow_score(flow, 8))


# ---------------------------------------------------------------------------------------------------- the camera's part


def test_global_motion_finds_an_affine_flow_behind_an_object():
    """objects on a third of the picture, with another motion in each pair, do not bend it"""
    camera = affine(B, 2, T, 24, 30)
    flow = camera.clone()
    flow[..., 4:16, 3:22] += 5 * noise(B, 2, T, 1, 1, seed=2)
    found = global_motion(flow)
    torch.testing.assert_close(found, camera, atol=2e-2, rtol=0)
    plain = (flow - flow.mean(dim=(-2, -1), keepdim=True)).abs().mean()
    assert (flow - found)[..., 20:, :].abs().max() < 2e-2 < plain  # least squares would leave something everywhere


def test_pairs_and_clips_are_fitted_apart():
    flow = affine(B, 2, T, H, W)
    changed = flow.clone()
    changed[1, :, 2] += 3 + noise(2, H, W, seed=3)
    moved = (global_motion(changed) - global_motion(flow)).abs().amax(dim=(1, 3, 4))
    assert moved[1, 2] > 1
    moved[1, 2] = 0
    assert moved.max() < 1e-4
    torch.testing.assert_close(global_motion(flow[0]), global_motion(flow)[0])


# ---------------------------------------------------------------------------------------------------- flow of a clip


def test_the_flow_of_a_clip_goes_from_each_frame_to_the_next():
    seen = []

    def compute(first, second):
        seen.append((first, second))
        return torch.stack([first[:, 0], second[:, 0]], dim=1)

    clip = noise(3, T, H, W)
    flow = clip_flow(clip, compute)
    assert flow.shape == (2, T - 1, H, W)
    assert torch.equal(flow[0], clip[0, :-1]) and torch.equal(flow[1], clip[0, 1:])


def test_pairs_across_a_cut_are_left_out():
    assert within_shots(7, [2, 5]).tolist() == [True, False, True, True, False, True]
    assert within_shots(3, ()).all()


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: flow_score(torch.zeros(3, T, H, W), 8), r"got \(3, 5, 12, 20\)"),
        (lambda: flow_score(torch.zeros(2, H, W), 8), r"\(2, T - 1, H, W\)"),
        (lambda: flow_score(torch.zeros(2, T, H, W), 0), "fps must be above 0, got 0"),
        (lambda: flow_score(torch.zeros(2, T, H, W), 8, valid=torch.ones(T, H)), r"valid must be \(5, 12, 20\)"),
        (lambda: flow_score(torch.zeros(2, T, H, W), 8, valid=torch.zeros(T, H, W) > 0), "no valid pixel"),
        (lambda: global_motion(torch.zeros(T, H, W)), "the flow of a clip"),
        (lambda: clip_flow(torch.zeros(3, 1, H, W), None), "at least 2 frames"),
    ],
)
def test_what_cannot_be_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
