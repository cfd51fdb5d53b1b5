"""The diorama's geometry: depth, poses, intrinsics, flow and pixels tell one and the same story."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from common.data import sprites
from common.data.diorama import (
    MOVES,
    CameraMove,
    DioramaData,
    DioramaScene,
    camera_path,
    plane_homography,
    render,
    truth,
    unproject,
)
from common.data.diorama.moves import SPEEDS
from common.evaluation.reconstruction import clip_psnr
from common.flow import warp
from common.models.autoencoder import CausalVideoVAE

ONE = {move: CameraMove(**{move: SPEEDS[move][1]}) for move in MOVES}  # each move alone, at its fastest
MIXTURE = CameraMove(truck=-0.06, tilt=4.0, zoom=0.12)
CAMERAS = {**ONE, "mixture": MIXTURE, "still": CameraMove()}


@pytest.fixture(scope="module")
def scenes() -> list[DioramaScene]:
    """Two objects each; what the camera does is said by each test."""
    return DioramaData("test", num_objects=2).scenes(range(6))


def moved(scenes: list[DioramaScene], camera: CameraMove) -> list[DioramaScene]:
    return [replace(scene, camera=camera) for scene in scenes]


def project(points: torch.Tensor, intrinsics: torch.Tensor, camera_to_world: torch.Tensor):
    """Points `(..., 3, H, W)` to pixels `(..., 2, H, W)` and depths: written from the definition, apart from ours."""
    world_to_camera = torch.linalg.inv(camera_to_world.double())
    ones = torch.ones_like(points[..., :1, :, :])
    seen = torch.einsum("...ij,...jhw->...ihw", world_to_camera, torch.cat([points, ones], dim=-3).double())[
        ..., :3, :, :
    ]
    pixels = torch.einsum("...ij,...jhw->...ihw", intrinsics.double(), seen)
    return pixels[..., :2, :, :] / pixels[..., 2:, :, :], seen[..., 2, :, :]


def grid(size: int) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(size) + 0.5, torch.arange(size) + 0.5, indexing="ij")
    return torch.stack([x, y])


# ---- cameras


def test_the_first_camera_is_the_world_and_poses_are_rigid():
    path = camera_path(torch.stack([camera.speeds for camera in CAMERAS.values()]), torch.arange(9) / 4, 64, 64)
    identity = torch.eye(4, dtype=torch.float64)
    torch.testing.assert_close(path.camera_to_world[:, 0], identity.expand(len(CAMERAS), 4, 4))
    rotation = path.camera_to_world[..., :3, :3]
    torch.testing.assert_close(rotation @ rotation.mT, identity[:3, :3].expand_as(rotation))
    assert (rotation.det() > 0.999).all()


def test_moves_go_where_their_names_say_in_opencvs_axes():
    """x to the right, y down, z forward: what the camera does, in its own pose."""
    times = torch.tensor([0.0, 1.0])
    pose = {move: camera_path(camera.speeds, times, 64, 64).camera_to_world[1] for move, camera in ONE.items()}
    assert torch.equal(pose["zoom"], torch.eye(4, dtype=torch.float64))
    assert pose["truck"][:3, 3].tolist() == [0.16, 0, 0] and pose["dolly"][:3, 3].tolist() == [0, 0, 0.12]
    forward = {move: matrix[:3, 2] for move, matrix in pose.items()}
    assert forward["pan"][0] > 0.1 and forward["pan"][1] == 0  # to the right
    assert forward["tilt"][1] < -0.1 and forward["tilt"][0] == 0  # up, where y is negative
    assert pose["orbit"][0, 3] > 0.1 and forward["orbit"][0] < -0.1  # goes right, looks left
    to_middle = torch.tensor([0, 0, 0.75]) - pose["orbit"][:3, 3]
    torch.testing.assert_close(to_middle / to_middle.norm(), forward["orbit"])
    assert to_middle.norm().item() == pytest.approx(0.75)


def test_a_zoom_changes_the_intrinsics_alone_and_doubles_in_its_time():
    path = camera_path(CameraMove(zoom=np.log(2)).speeds, torch.tensor([0.0, 1.0]), 48, 64)
    first, second = path.intrinsics
    assert first.tolist() == [[48, 0, 32], [0, 48, 24], [0, 0, 1]]
    torch.testing.assert_close(second[:2, :2], 2 * first[:2, :2])
    assert torch.equal(second[:, 2], first[:, 2])


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
def test_a_planes_homography_is_projection(camera):
    path = camera_path(camera.speeds, torch.arange(5) / 4, 64, 64)
    planes = plane_homography(path.intrinsics, path.camera_to_world, 0.7)
    onto = torch.einsum("tij,jhw->tihw", planes, torch.cat([grid(64), torch.ones(1, 64, 64)]).double())
    points = torch.cat([onto[:, :2] / onto[:, 2:], torch.full((5, 1, 64, 64), 0.7)], dim=1)
    pixels, depth = project(points, path.intrinsics, path.camera_to_world)
    torch.testing.assert_close(pixels, grid(64).double().expand(5, 2, 64, 64), atol=1e-6, rtol=0)
    left = 0.7 - path.camera_to_world[:, 2, 3]
    torch.testing.assert_close(depth, left[:, None, None] / onto[:, 2], atol=1e-6, rtol=0)


# ---- depth, poses and flow are one geometry


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
def test_depth_times_ray_projected_into_the_next_frame_is_the_flow(scenes, camera):
    known = truth(moved(scenes, camera))
    points = unproject(known.depth[:, :-1], known.intrinsics[:, :-1], known.camera_to_world[:, :-1])
    pixels, _ = project(points, known.intrinsics[:, 1:], known.camera_to_world[:, 1:])
    flow = (pixels - grid(64)).transpose(1, 2).float()
    torch.testing.assert_close(flow, known.flow, atol=2e-3, rtol=0)


@pytest.mark.parametrize("move", [move for move in MOVES if move != "zoom"])  # a zoom has no pose
def test_world_to_camera_taken_for_camera_to_world_is_found(scenes, move):
    """The inverse of a pose is a pose too. Only together with the depth the mistake shows, and by pixels."""
    known = truth(moved(scenes, ONE[move]))
    off = {}
    for name, poses in {"right": known.camera_to_world, "inverse": known.camera_to_world.inverse()}.items():
        points = unproject(known.depth[:, :1], known.intrinsics[:, :1], poses[:, :1])
        pixels, _ = project(points, known.intrinsics[:, 1:2], poses[:, 1:2])
        off[name] = ((pixels - grid(64))[:, 0] - known.flow[:, :, 0]).norm(dim=1).mean()
    assert off["right"] < 1e-3 and off["inverse"] > 0.8


def test_points_of_things_do_not_move_in_the_world(scenes):
    """Every visible pixel of an object, unprojected in any frame, is on the object's plane; all else is on z = 1."""
    known = truth(moved(scenes, MIXTURE))
    z = unproject(known.depth, known.intrinsics, known.camera_to_world)[:, :, 2]  # (B, T, H, W)
    depths = torch.tensor([[1.0, *scene.depths] for scene in scenes])  # (B, 3)
    parts = torch.cat([1 - known.masks.sum(dim=1, keepdim=True), known.masks], dim=1)
    expected = torch.gather(depths, 1, parts.argmax(dim=1).flatten(1)).view_as(z)
    assert (z - expected).abs().max() < 1e-4


# ---- parallax


def mean_flow(known, layer: int) -> torch.Tensor:
    """Mean horizontal flow of a layer in the first step, per scene; 0 is the background."""
    mask = known.masks[:, layer - 1, 0] == 1 if layer else known.masks[:, :, 0].sum(dim=1) == 0
    return torch.stack([flow[0, 0][chosen].mean() for flow, chosen in zip(known.flow, mask)])


def test_a_truck_moves_things_by_the_inverse_of_their_depths(scenes):
    known = truth(moved(scenes, ONE["truck"]))
    background = mean_flow(known, 0)
    torch.testing.assert_close(background, torch.full((6,), -0.16 / 4 * 64), atol=1e-3, rtol=0)
    for layer in (1, 2):
        nearer = 1 / torch.tensor([scene.depths[layer - 1] for scene in scenes])
        torch.testing.assert_close(mean_flow(known, layer) / background, nearer, atol=1e-3, rtol=0)


@pytest.mark.parametrize("move", ["pan", "tilt", "zoom"])
def test_turns_and_zooms_show_no_parallax(scenes, move):
    """The flow does not depend on what is there: it is the same as with nothing before the background."""
    known, empty = (truth(moved(s, ONE[move])) for s in (scenes, [without_objects(scene) for scene in scenes]))
    torch.testing.assert_close(known.flow, empty.flow, atol=1e-3, rtol=0)


@pytest.mark.parametrize("move", ["truck", "dolly", "orbit"])
def test_moves_from_place_to_place_do(scenes, move):
    known, empty = (truth(moved(s, ONE[move])) for s in (scenes, [without_objects(scene) for scene in scenes]))
    difference = (known.flow - empty.flow).norm(dim=1)  # (B, T - 1, H, W)
    objects = known.masks[:, :, :-1].sum(dim=1) > 0.99
    assert difference[objects].mean() > 0.2 and difference[known.masks[:, :, :-1].sum(dim=1) == 0].max() < 1e-3


def without_objects(scene: DioramaScene) -> DioramaScene:
    return DioramaScene(replace(scene.sprites, objects=()), (), scene.camera)


def test_a_zoom_scales_the_picture_about_its_middle_and_a_dolly_does_so_to_the_background_alone(scenes):
    """Both by the same factor for the background; objects grow more in a dolly: by the ratio of what is left."""
    times = 4  # frames after which it is looked at: one second
    zoomed = truth(moved(scenes, CameraMove(zoom=-np.log(1 - 0.12))))
    rolled = truth(moved(scenes, CameraMove(dolly=0.12)))
    start, middle = zoomed.positions[:, :, 0], 32
    torch.testing.assert_close(zoomed.positions[:, :, times], middle + (start - middle) / 0.88, atol=1e-2, rtol=0)
    depths = torch.tensor([scene.depths for scene in scenes])[..., None]
    farther = middle + (start - middle) * depths / (depths - 0.12)
    torch.testing.assert_close(rolled.positions[:, :, times], farther, atol=1e-2, rtol=0)
    in_picture = (farther - middle).abs().amax() > (start - middle).abs().amax() / 0.88
    assert in_picture, "nearer things move out faster than the background"


# ---- pixels


@pytest.mark.parametrize("camera", ["pan_left", "pan_right", "zoom_in", "zoom_out", "still"])
def test_the_first_frame_and_what_has_no_parallax_are_those_of_the_world_of_sprites(camera):
    """A sprites' pan is a truck past objects that stand on the background, and their zoom is a zoom."""
    flat = [s for s in sprites.draw_scenes(range(200), num_objects=2) if s.camera == camera][:6]
    speeds = {"pan_left": "truck", "pan_right": "truck", "zoom_in": "zoom", "zoom_out": "zoom"}
    peers = []
    for scene in flat:
        sign = -1 if camera in ("pan_left", "zoom_out") else 1
        move = CameraMove(**{speeds[camera]: sign * scene.camera_speed}) if camera != "still" else CameraMove()
        depths = (1 - 1e-7, 1 - 2e-7) if "pan" in camera else (0.9, 0.6)
        peers.append(DioramaScene(replace(scene, camera="still", camera_speed=0.0), depths, move))
    ours, theirs = render(peers, 17, 64, fps=8).pixels.int(), sprites.render(flat).pixels.int()
    assert (ours - theirs).abs().max() <= 1 and (ours != theirs).float().mean() < 0.01
    flow, expected = truth(peers, 17, 64, fps=8).flow, sprites.truth(flat).flow
    assert (flow - expected).abs().amax(dim=1).flatten().kthvalue(int(0.999 * flow[:, 0].numel())).values < 1e-3


@pytest.mark.parametrize("camera", [*MOVES, "mixture"])
def test_warping_by_the_flow_gives_each_frame_back(scenes, camera):
    chosen = moved(scenes, CAMERAS[camera])
    clips, known = render(chosen, size=128).clips(), truth(chosen, size=128)
    flow, visible = known.flow.transpose(1, 2).flatten(0, 1), known.flow_visible.flatten(0, 1)
    now, then = clips[:, :, :-1].transpose(1, 2).flatten(0, 1), clips[:, :, 1:].transpose(1, 2).flatten(0, 1)

    def off(flow, where):
        return (warp(then, flow) - now).abs().mean(dim=1)[where].mean()

    moving = visible & (flow.norm(dim=1) > 0.5)
    left = off(flow, moving)
    assert left < 0.012  # of a range of 2: bilinear mixing, and the pixels that hold an edge
    assert off(-flow, moving) > 5 * left and off(flow + 0.7, moving) > 2 * left
    if camera in ("truck", "dolly", "orbit"):
        hidden = ~known.flow_visible.flatten(0, 1)
        assert off(flow, hidden) > 5 * left  # there something else has come into view


@pytest.mark.parametrize("camera", [ONE["pan"], ONE["orbit"], MIXTURE, CameraMove(pan=20.0, tilt=15.0)])
def test_edges_are_smooth_to_a_part_of_a_pixel_under_perspective_too(scenes, camera):
    """Frames of twelve times the size, averaged down, are the frames: coverage is the area, not a sample."""
    chosen = moved(scenes[:3], camera)
    ours = render(chosen, 9, 32).pixels[:, :, ::4].float()
    fine = render(chosen, 9, 384).pixels[:, :, ::4].float()
    averaged = torch.nn.functional.avg_pool3d(fine.flatten(0, 1), (1, 12, 12)).view_as(ours)
    off = (ours - averaged).abs()
    sampled = fine[..., 6::12, 6::12]  # one sample of each pixel: jagged
    assert off.mean() < 2.0 and off.mean() < (sampled - averaged).abs().mean() / 4


def test_the_nearer_object_hides_the_farther_one():
    first = sprites.draw_scenes([0], num_objects=1)[0]
    [item] = first.objects
    behind, before = replace(item, x=0.5, y=0.5, motion="still"), replace(item, x=0.5, y=0.5, motion="still")
    two = replace(first, objects=(behind, replace(before, radius=0.6 * item.radius)), camera="still", camera_speed=0.0)
    known = truth([DioramaScene(two, (0.9, 0.6), CameraMove(truck=0.1))])
    covered = known.masks[0, 1] == 1
    assert (known.masks[0, 0][covered] == 0).all() and covered.any()
    torch.testing.assert_close(known.depth[0][covered], torch.full((int(covered.sum()),), 0.6))


def test_objects_that_move_do_so_in_the_world(scenes):
    """An object's own motion and the camera's add up; a truck beside it at its speed keeps it where it is."""
    [item, _] = scenes[0].sprites.objects
    walks = replace(scenes[0].sprites, objects=(replace(item, motion="right", speed=0.2, x=0.4),))
    known = truth([DioramaScene(walks, (0.8,), CameraMove(truck=0.2 * 0.8))])
    torch.testing.assert_close(known.positions[0, 0], known.positions[0, 0, :1].expand(9, 2), atol=1e-4, rtol=0)
    inside = known.masks[0, 0, :-1] == 1
    assert known.flow[0][:, inside].abs().max() < 1e-4


def test_scores_and_speeds_are_those_of_the_clip(scenes):
    known = truth(moved(scenes, ONE["truck"]))
    score = known.flow.norm(dim=1).mean(dim=(1, 2, 3)) * 4 / 64
    torch.testing.assert_close(known.motion_score, score)
    assert torch.allclose(known.speeds, ONE["truck"].speeds.float().expand(6, 6))
    still = truth(moved(scenes, CameraMove()))
    assert still.motion_score.abs().max() < 1e-12 and torch.equal(still.depth[:, 0], still.depth[:, -1])


def test_the_autoencoder_of_sprites_knows_this_world():
    """Frame by frame, as image models code it, one object. Measured: 34.0 dB on 24 clips."""
    vae = CausalVideoVAE.from_pretrained("sprites-vae")
    frames = DioramaData("test", num_objects=1).batch(range(8)).clips()[:, :, ::4]  # (8, 3, 3, 64, 64)
    frames = frames.transpose(1, 2).flatten(0, 1)[:, :, None]  # (24, 3, 1, 64, 64)
    with torch.no_grad():
        back = vae.decode(vae.encode(frames).latent_dist.mode()).sample.clamp(-1, 1)
    assert clip_psnr(back, frames, data_range=2.0).mean() > 33
