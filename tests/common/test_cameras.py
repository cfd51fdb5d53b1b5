"""Cameras: rays go where points come from, lines have one name, paths forget where in the world they were."""

import math

import pytest
import torch

from common.geometry import (
    camera_poses,
    camera_rays,
    intrinsics_of,
    invert_poses,
    plucker,
    project,
    relative_poses,
)

B, T, H, W = 2, 3, 5, 7


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def some_poses(seed=0, *leading):
    """Any poses at all: rotations that are not level, too."""
    q, r = torch.linalg.qr(noise(*leading, 3, 3, seed=seed))
    rotation = q * r.diagonal(dim1=-2, dim2=-1).sign()[..., None, :]
    rotation = rotation * rotation.det().sign()[..., None, None]
    poses = torch.eye(4, dtype=torch.float64).repeat(*leading, 1, 1)
    poses[..., :3, :3], poses[..., :3, 3] = rotation, noise(*leading, 3, seed=seed + 1)
    return poses


def some_intrinsics(*leading):
    k = torch.zeros(*leading, 3, 3, dtype=torch.float64)
    k[..., 0, 0], k[..., 1, 1] = 6 + noise(*leading, seed=5).abs(), 4 + noise(*leading, seed=6).abs()
    k[..., 0, 2], k[..., 1, 2], k[..., 2, 2] = 3.1, 2.9, 1
    return k


# ---------------------------------------------------------------------------------------------------- rays and pixels


def test_a_point_of_a_ray_is_seen_in_the_middle_of_its_pixel():
    """at every distance, for intrinsics and poses of each frame and clip"""
    k, poses = some_intrinsics(B, T), some_poses(1, B, T)
    origins, directions = camera_rays(k, poses, H, W)
    assert origins.shape == (B, 3, T) and directions.shape == (B, 3, T, H, W)
    torch.testing.assert_close(directions.norm(dim=1), torch.ones(B, T, H, W, dtype=torch.float64))
    for b in range(B):
        for t in range(T):
            points = origins[b, :, t, None, None] + 2.5 * directions[b, :, t]
            pixels, depth = project(points.flatten(1).T, k[b, t], poses[b, t : t + 1])
            rows, columns = torch.meshgrid(torch.arange(H) + 0.5, torch.arange(W) + 0.5, indexing="ij")
            due = torch.stack([columns, rows], dim=-1).reshape(1, H * W, 2).double()
            torch.testing.assert_close(pixels, due)
            assert (depth > 0).all()


def test_projection_is_opencvs():
    cv2 = pytest.importorskip("cv2")
    points, k, poses = noise(11, 3, seed=3) + torch.tensor([0.0, 0.0, 9.0]), some_intrinsics(), some_poses(7, T)
    poses[:, :3, :3] = camera_poses(noise(T, 3, seed=4), noise(T, seed=8) / 4, noise(T, seed=9) / 4)[:, :3, :3]
    ours, _ = project(points, k, poses)
    for t in range(T):
        to_camera = invert_poses(poses[t]).numpy()
        turn, _ = cv2.Rodrigues(to_camera[:3, :3])
        theirs, _ = cv2.projectPoints(points.numpy(), turn, to_camera[:3, 3], k.numpy(), None)
        torch.testing.assert_close(ours[t], torch.from_numpy(theirs[:, 0]), atol=1e-9, rtol=1e-9)


def test_a_ray_by_hand():
    """focal length of half a height: the top edge is 45 degrees up; x is to the right, y down, z forward"""
    _, directions = camera_rays(intrinsics_of(0.5, 2, 4), camera_poses(torch.zeros(1, 3)), 2, 4)
    due = torch.tensor([-1.5, -0.5, 1.0])  # pixel (0, 0): middle (0.5, 0.5) of 4 × 2, focal length 1 pixel
    torch.testing.assert_close(directions[:, 0, 0, 0], due / due.norm())
    torch.testing.assert_close(directions[:, 0, 1, 3], -due.mul(torch.tensor([1.0, 1.0, -1.0])) / due.norm())


def test_a_point_behind_the_camera_is_nowhere():
    pixels, depth = project(torch.tensor([[0.0, 0.0, -2.0]]), intrinsics_of(1.0, 8, 8), camera_poses(torch.zeros(1, 3)))
    assert pixels.isnan().all() and depth.item() == -2


def test_one_set_of_intrinsics_serves_all_frames():
    poses = some_poses(2, B, T)
    torch.testing.assert_close(
        camera_rays(some_intrinsics(), poses, H, W)[1],
        camera_rays(some_intrinsics().expand(B, T, 3, 3), poses, H, W)[1],
    )


def test_a_clip_without_a_batch_and_its_dtype():
    poses = camera_poses(torch.zeros(T, 3))
    origins, directions = camera_rays(intrinsics_of(1.0, H, W).double(), poses, H, W)
    assert origins.shape == (3, T) and plucker(origins, directions).shape == (6, T, H, W)
    assert directions.dtype == torch.float32
    assert torch.equal(directions[:, 0], directions[:, 2])


# ---------------------------------------------------------------------------------------------------- Plücker


def test_plucker_names_the_line_and_not_a_point_on_it():
    """the moment, then the direction; further along the ray it is the same line, beside it another one"""
    origins, directions = noise(B, 3, T), torch.nn.functional.normalize(noise(B, 3, T, H, W, seed=1), dim=1)
    found = plucker(origins, directions)
    moment, direction = found.split(3, dim=1)
    assert torch.equal(direction, directions)
    torch.testing.assert_close((moment * direction).sum(dim=1), torch.zeros(B, T, H, W, dtype=torch.float64))
    one = directions[:, :, :, 2:3, 3:4]
    further = plucker(origins + 3 * one[..., 0, 0], one)
    torch.testing.assert_close(further, found[:, :, :, 2:3, 3:4])
    beside = plucker(origins + one[..., 0, 0].roll(1, dims=1), one)
    assert (beside - further).abs().max() > 0.1
    by_hand = torch.linalg.cross(origins[1, :, 2], directions[1, :, 2, 4, 6])
    torch.testing.assert_close(moment[1, :, 2, 4, 6], by_hand)


def test_at_the_origin_there_is_no_moment():
    """a camera that only turns or zooms, relative to its first frame"""
    poses = camera_poses(torch.zeros(T, 3), yaw=torch.linspace(0, 0.4, T))
    rays = plucker(*camera_rays(intrinsics_of(torch.linspace(1, 2, T), H, W), poses, H, W))
    assert rays[:3].abs().max() == 0 and (rays[3:, 0] - rays[3:, 2]).abs().max() > 0.1


# ---------------------------------------------------------------------------------------------------- relative poses


def test_a_path_moved_and_turned_as_a_whole_stays_the_same():
    poses, world = some_poses(3, B, T), some_poses(9)
    torch.testing.assert_close(relative_poses(world @ poses), relative_poses(poses))


def test_relative_poses_begin_with_the_identity_and_keep_the_steps():
    """between frames nothing is lost: pose t from pose s is what it was"""
    poses = some_poses(4, B, T)
    found = relative_poses(poses)
    torch.testing.assert_close(found[:, 0], torch.eye(4, dtype=torch.float64).expand(B, 4, 4))
    torch.testing.assert_close(invert_poses(found[:, 1]) @ found[:, 2], invert_poses(poses[:, 1]) @ poses[:, 2])


def test_the_scale_divides_the_centres_alone():
    poses, scale = some_poses(5, B, T), torch.tensor([2.0, 5.0], dtype=torch.float64)
    plain, scaled = relative_poses(poses), relative_poses(poses, scale)
    torch.testing.assert_close(scaled[..., :3, 3] * scale[:, None, None], plain[..., :3, 3])
    assert torch.equal(scaled[..., :3, :3], plain[..., :3, :3])
    larger = poses.clone()
    larger[..., :3, 3] *= 7  # the same world in another unit
    torch.testing.assert_close(relative_poses(larger, 14.0), relative_poses(poses, 2.0))


def test_inverting_twice_gives_the_pose_back():
    poses = some_poses(6, B, T)
    torch.testing.assert_close(invert_poses(poses), torch.linalg.inv(poses))
    torch.testing.assert_close(invert_poses(invert_poses(poses)), poses)


def test_a_pan_to_the_right_looks_right_and_a_tilt_up_looks_up():
    quarter = math.pi / 2
    poses = camera_poses(torch.zeros(2, 3), torch.tensor([quarter, 0.0]), torch.tensor([0.0, quarter]))
    forward = poses[:, :3, 2]
    torch.testing.assert_close(forward, torch.tensor([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]), atol=1e-6, rtol=0)
    level = camera_poses(noise(4, 3), noise(4, seed=1), noise(4, seed=2))
    assert level[:, 1, 0].abs().max() == 0  # its right axis has no part of up or down
    torch.testing.assert_close(level[:, :3, :3].det(), torch.ones(4, dtype=torch.float64))


# ---------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda p: camera_rays(torch.eye(4), p, H, W), r"intrinsics are \(\.\.\., 3, 3\)"),
        (lambda p: camera_rays(torch.eye(3), p[..., :3, :], H, W), r"poses are \(\.\.\., 4, 4\)"),
        (lambda p: camera_rays(torch.eye(3), p, 0, W), "height=0"),
        (lambda p: camera_rays(torch.eye(3), 2 * p, H, W), "scales, shears or mirrors"),
        (lambda p: invert_poses(p.mT), "scales, shears or mirrors"),
        (lambda p: relative_poses(p, 0.0), "a scale is a length above 0, got 0.0"),
        (lambda p: plucker(torch.zeros(3, T), torch.zeros(3, T + 1, H, W)), r"origins are \(\.\.\., 3, T\)"),
        (lambda p: project(torch.zeros(3), torch.eye(3), p), r"points are \(N, 3\)"),
        (lambda p: intrinsics_of(-1, H, W), "a focal length is above 0, got -1"),
    ],
)
def test_what_cannot_be_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call(some_poses(8, T))
