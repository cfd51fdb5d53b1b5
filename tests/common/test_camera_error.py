"""Camera error: speeds read from true clips are right, from decoded ones nearly, and from wrong ones they are not."""

import pytest
import torch

from common.data.diorama import MOVES, CameraMove, DioramaData
from common.evaluation.camera_error import camera_error, compare_speeds, picture_motion, read_camera_speeds
from common.models.autoencoder import CausalVideoVAE

LAB = ("truck", "zoom")


@pytest.fixture(scope="module")
def batch():
    return DioramaData("test", moves=LAB).batch(range(16))


@pytest.fixture(scope="module")
def found(batch):
    return read_camera_speeds(batch.clips())


def test_true_clips_are_read_right(batch, found):
    read = compare_speeds(found, batch.speeds)
    assert read.right_share == 1 and read.median_error < 0.02
    assert read.error[~read.error.isnan()].max() < 0.05
    assert torch.equal(found[:, [1, 2, 3, 5]], torch.zeros(16, 4)), "only what was looked for"


def test_held_out_pairs_are_read_right():
    pairs = DioramaData("held_out_pairs", moves=LAB).batch(range(6))
    read = camera_error(pairs.clips(), pairs.speeds)
    assert read.right_share == 1 and read.error.max() < 0.05


def test_decoded_clips_are_read_nearly_as_well(batch):
    vae = CausalVideoVAE.from_pretrained("sprites-vae")
    with torch.no_grad():
        decoded = vae.decode(vae.encode(batch.clips()[:8]).latent_dist.mode()).sample.clamp(-1, 1)
    read = camera_error(decoded, batch.speeds[:8])
    assert read.right_share == 1 and read.median_error < 0.04


@pytest.mark.parametrize("move", MOVES)
def test_each_move_is_read_where_it_is_looked_for(move):
    clips = DioramaData("held_out_speeds", moves=(move,)).batch(range(4))
    read = camera_error(clips.clips(), clips.speeds, moves=(move,))
    assert read.right_share == 1 and read.median_error < 0.04


def test_speeds_of_other_clips_are_wrong(batch, found):
    other = compare_speeds(found, batch.speeds.roll(1, dims=0))
    assert other.median_error > 0.5 and other.right_share < 0.6


def test_the_opposite_direction_is_wrong_as_with_the_inverse_of_every_pose(batch, found):
    """World-to-camera taken for camera-to-world turns every move round."""
    moving = batch.speeds.any(dim=1)
    read = compare_speeds(found[moving], -batch.speeds[moving])
    assert read.right_share == 0 and read.median_error == pytest.approx(2, abs=0.05)


def test_a_clip_that_stands_still_misses_all_motion_and_is_right_where_none_was_asked_for(batch):
    frozen = batch.clips()[:1, :, :1].expand(2, -1, 9, -1, -1)
    read = camera_error(frozen, torch.stack([CameraMove(truck=0.1).speeds, CameraMove().speeds]))
    assert read.right.tolist() == [False, True]
    assert read.error[0] == pytest.approx(1, abs=1e-3) and read.error[1].isnan()


def test_half_the_speed_is_half_the_motion(batch):
    """Frames of the same clips, said to be half as many a second."""
    read = camera_error(batch.clips()[:6], batch.speeds[:6], fps=2)
    assert read.median_error == pytest.approx(0.5, abs=0.02)


def test_noise_and_plain_pictures_are_not_read():
    clips = torch.stack([torch.rand(3, 9, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1,
                         torch.full((3, 9, 64, 64), 0.3)])  # fmt: skip
    read = camera_error(clips, torch.tensor([CameraMove(truck=0.1).speeds.tolist()] * 2))
    assert read.found.isnan().all() and not read.right.any() and read.error.isinf().all()


def test_a_move_at_speed_one_moves_the_picture_as_geometry_says():
    """A truck shifts all of it alike; a zoom moves a point by its distance from the middle, 0.408 heights mostly."""
    motion = dict(zip(MOVES, picture_motion().tolist()))
    assert motion["truck"] == pytest.approx(1, abs=1e-3)
    assert motion["zoom"] == pytest.approx((1 / 6) ** 0.5, abs=1e-3) == pytest.approx(motion["dolly"], abs=1e-3)
    assert motion["pan"] == pytest.approx(motion["tilt"], abs=1e-6) and 0.017 < motion["pan"] < 0.021


@pytest.mark.parametrize("moves", [("dolly", "zoom"), ("truck", "pan", "orbit"), (), ("roll",)])
def test_moves_that_one_plane_cannot_tell_apart_are_refused(moves, batch):
    with pytest.raises(ValueError):
        read_camera_speeds(batch.clips()[:1], moves)


def test_a_move_that_is_asked_for_must_be_looked_for(batch):
    with pytest.raises(ValueError, match="asked for pan"):
        camera_error(batch.clips()[:1], CameraMove(pan=5.0).speeds[None].float())
