"""The sprites' pixels and the truth about them: smooth edges, right occlusion, and a flow that moves frames onto each
other."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from common.data.sprites import (
    ObjectWords,
    SceneWords,
    SpriteData,
    SpriteObject,
    SpriteScene,
    draw_scenes,
    render,
    scene_of,
    truth,
)
from common.data.sprites.attributes import CAMERAS, COLORS, FPS, MOTIONS, SHAPES, shades
from common.data.sprites.paths import DIRECTIONS
from common.flow import warp

TEXTURES = ("stripes", "checkerboard", "dots")


@pytest.fixture(scope="module")
def scenes():
    return draw_scenes(range(48))


def scene(motion="still", camera="still", background="checkerboard", shape="circle", index=0):
    words = SceneWords((ObjectWords(shape, "red", "large", motion),), background, "blue", camera)
    return scene_of(words, index)


def frames_in_pairs(clips):
    """Frames now and next, `(B (T - 1), C, H, W)` each, from `(B, C, T, H, W)`."""
    frames = clips.transpose(1, 2)  # (B, T, C, H, W)
    return frames[:, :-1].flatten(0, 1), frames[:, 1:].flatten(0, 1)


# ------------------------------------------------------------------------------------------------ pixels


def test_a_batch_has_its_shape_its_range_and_its_captions(scenes):
    batch = render(scenes[:5], num_frames=9, size=32)
    assert batch.pixels.shape == (5, 3, 9, 32, 32) and batch.pixels.dtype == torch.uint8
    assert len(batch) == len(batch.captions) == 5 and batch.scenes == tuple(scenes[:5])
    clips = batch.clips()
    assert clips.dtype == torch.float32 and -1 <= clips.min() < -0.7 and 0.7 < clips.max() <= 1
    assert torch.equal(((clips + 1) * 127.5).round().to(torch.uint8), batch.pixels)


def test_a_clip_does_not_depend_on_its_neighbours_nor_on_how_long_it_is(scenes):
    whole = render(scenes).pixels
    for k in (0, 11, 47):
        assert torch.equal(render([scenes[k]]).pixels[0], whole[k])
    assert torch.equal(render(scenes, num_frames=5).pixels, whole[:, :, :5])


@pytest.mark.parametrize("size", [32, 64])
def test_edges_are_as_smooth_as_in_a_picture_of_eight_times_the_size_made_small(scenes, size):
    """The share of a pixel that is covered, counted in 64 parts, is what its colour shows."""
    fine = render(scenes[:16], num_frames=3, size=8 * size).pixels.float().flatten(0, 1)
    coarse = render(scenes[:16], num_frames=3, size=size).pixels.float().flatten(0, 1)
    off = (F.avg_pool3d(fine[:, None], (1, 8, 8))[:, 0] - coarse).abs()
    hard = (fine[..., 4::8, 4::8] - coarse).abs()  # what edges without any smoothing would be off
    assert off.mean() < 0.7 and off.mean() < hard.mean() / 6
    assert off.flatten()[::16].quantile(0.999) < 45  # tips and corners


def test_every_colour_stands_where_its_mask_says():
    """Where a mask is 1 there is the object's colour, exactly: also where two objects overlap."""
    scenes = draw_scenes(range(32), num_objects=2)
    pixels, known = render(scenes).pixels, truth(scenes)
    overlaps = 0
    for k, drawn in enumerate(scenes):
        for mask, item in zip(known.masks[k], drawn.objects):
            inside = pixels[k][:, mask == 1]  # (3, N)
            assert inside.shape[1] > 17 * 20
            assert (inside == torch.tensor(COLORS[item.color], dtype=torch.uint8)[:, None]).all()
        nothing = known.masks[k].sum(dim=0) == 0
        behind = pixels[k][:, nothing].float()
        dark, light = (torch.tensor(shade)[:, None] for shade in shades(drawn.background_color))
        assert ((behind >= dark - 1) & (behind <= light + 1)).all()
        overlaps += (known.masks[k].sum(dim=0) > 0).sum() < sum(_alone(drawn, item) for item in drawn.objects)
    assert overlaps > 2


def _alone(drawn, item):
    """Pixels that an object would touch without the other."""
    return (truth([replace(drawn, objects=(item,))]).masks > 0).sum()


def test_the_object_in_front_hides_the_one_behind():
    behind = SpriteObject("square", "red", "large", "still", radius=0.2, x=0.4, y=0.5)
    front = SpriteObject("circle", "white", "small", "still", radius=0.1, x=0.4, y=0.5)
    drawn = SpriteScene((behind, front), "field", "black")
    pixels, known = render([drawn], num_frames=1).pixels[0, :, 0], truth([drawn], num_frames=1)
    assert tuple(pixels[:, 32, 25]) == COLORS["white"] and tuple(pixels[:, 32, 15]) == COLORS["red"]
    assert known.masks[0, 0, 0, 32, 25] == 0 and known.masks[0, 1, 0, 32, 25] == 1
    swapped = render([replace(drawn, objects=(front, behind))], num_frames=1).pixels[0, :, 0]
    assert tuple(swapped[:, 32, 25]) == COLORS["red"]


@pytest.mark.parametrize("shape", SHAPES)
def test_boxes_are_tight_and_areas_alike(shape):
    item = SpriteObject(shape, "red", "large", "still", radius=0.2, x=0.5, y=0.45)
    known = truth([SpriteScene((item,), "field", "blue")], num_frames=1, size=256)
    mask, (left, top, right, bottom) = known.masks[0, 0, 0] > 0.5, known.boxes[0, 0, 0]
    rows, columns = mask.any(dim=1).nonzero(), mask.any(dim=0).nonzero()
    found = torch.stack([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]).squeeze()
    assert (found - torch.stack([left, top, right, bottom])).abs().max() < 2  # of 256: a tip has no width
    assert known.positions[0, 0, 0].tolist() == pytest.approx([128, 115.2], abs=1e-3)
    assert mask.sum() / (torch.pi * (0.2 * 256) ** 2) == pytest.approx(0.94, abs=0.07)


# ------------------------------------------------------------------------------------------------ motion


@pytest.mark.parametrize("motion", MOTIONS)
def test_objects_move_as_they_are_called(motion):
    for index in range(6):
        known = truth([scene(motion, index=index)])
        (x, y), box = known.positions[0, 0].unbind(-1), known.boxes[0, 0]
        width = box[:, 2] - box[:, 0]
        dx, dy = x.diff(), y.diff()
        assert (width[-1] / width[0] > 1.6) == (motion == "grow")
        if motion in DIRECTIONS:
            right, down = DIRECTIONS[motion]
            assert torch.allclose(dx, dx[:1]) and torch.allclose(dy, dy[:1], atol=1e-4)
            assert right * dx[0] + down * dy[0] > 1.5 and abs(down * dx[0] + right * dy[0]) < 1e-4
        elif motion == "bounce":
            assert dx.abs().max() < 1e-4 and 0.22 * 64 < y.max() - y.min() < 0.42 * 64
            assert (dy.diff() > 0).float().mean() > 0.6  # pulled down all the time, but for the moment of each bounce
        elif motion == "orbit":
            angle = torch.atan2(y - (y.max() + y.min()) / 2, x - (x.max() + x.min()) / 2)
            turned = torch.remainder(angle.diff() + torch.pi, 2 * torch.pi) - torch.pi
            assert turned.sum().abs() > 1.6 * torch.pi and len(turned.sign().unique()) == 1
        else:
            assert dx.abs().max() < 1e-4 and dy.abs().max() < 1e-4


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_camera_moves_everything_that_stands_still(camera):
    drawn = scene(camera=camera)
    known = truth([drawn])
    flow = known.flow[0]  # (2, T - 1, H, W)
    if camera == "still":
        assert flow.abs().max() == 0 and known.motion_score == 0
        assert (render([drawn]).pixels.diff(dim=2) == 0).all()
    elif camera.startswith("pan"):
        sign = 1 if camera == "pan_left" else -1  # the picture goes the other way
        assert torch.allclose(flow[0], torch.tensor(sign * drawn.camera_speed / FPS * 64), atol=1e-4)
        assert flow[1].abs().max() < 1e-4
        assert known.motion_score.item() == pytest.approx(drawn.camera_speed, rel=1e-4)
    else:
        towards = torch.arange(64) + 0.5 - 32  # from the middle of the picture
        factor = known.camera_zoom[0].diff() / known.camera_zoom[0, :-1]  # (T - 1,)
        assert (factor[0] > 0) == (camera == "zoom_in")
        assert torch.allclose(flow[0], factor[:, None, None] * towards, atol=1e-3)
        assert torch.allclose(flow[1], factor[:, None, None] * towards[:, None], atol=1e-3)


def test_masks_move_with_the_flow(scenes):
    """Each object's mask in the next frame, fetched along the flow, is its mask in this one: but for hidden parts."""
    known = truth(scenes, size=64)
    flow, visible = known.flow.transpose(1, 2).flatten(0, 1), known.flow_visible.flatten(0, 1)
    for k in range(2):
        now, then = known.masks[:, k, :-1].flatten(0, 1)[:, None], known.masks[:, k, 1:].flatten(0, 1)[:, None]
        off = (warp(then, flow) - now).abs()[:, 0]
        assert off[visible].mean() < 0.006
        assert (now - then).abs()[:, 0][visible].mean() > 4 * off[visible].mean()


def test_warping_by_the_flow_gives_each_frame_back(scenes):
    """The finer the picture, the closer: what is left is what bilinear mixing blurs at the edges."""
    left = {}
    for size in (64, 192):
        known = truth(scenes[:16], num_frames=5, size=size)
        now, then = frames_in_pairs(render(scenes[:16], num_frames=5, size=size).clips())
        flow, visible = known.flow.transpose(1, 2).flatten(0, 1), known.flow_visible.flatten(0, 1)
        moving = visible & (flow.norm(dim=1) > 0.2)
        left[size] = _off(now, warp(then, flow), moving)
        assert left[size] < _off(now, then, moving) / 3.5
        assert left[size] < _off(now, warp(then, -flow), moving) / 5
        assert left[size] < _off(now, warp(then, flow + 0.5), moving) / 2  # half a pixel more is seen at once
        assert _off(now, warp(then, flow), ~visible) > 10 * left[size]  # there something else has come into view
    assert left[192] < left[64] / 2


def _off(a, b, where):
    return (a - b).abs().mean(dim=1)[where].mean().item()


@pytest.mark.parametrize("background", TEXTURES)
@pytest.mark.parametrize("camera", CAMERAS[1:])
def test_a_moving_camera_changes_every_textured_picture(background, camera):
    """A reader must see it: each frame differs from the last one, and the shift explains the difference."""
    for index in range(4):
        drawn = scene(camera=camera, background=background, index=index)
        pixels = render([drawn], size=32).clips()
        now, then = frames_in_pairs(pixels)
        assert (now - then).abs().mean(dim=(1, 2, 3)).min() > 0.01


def test_a_missing_object_has_no_place_and_no_mask(scenes):
    known = truth(scenes, num_frames=2, size=16)
    lonely = torch.tensor([len(drawn.objects) == 1 for drawn in scenes])
    assert torch.equal(known.present, torch.stack([torch.ones_like(lonely), ~lonely], dim=1))
    assert torch.equal(known.positions[:, 1].isnan().all(dim=(1, 2)), lonely)
    assert torch.equal(known.boxes.isnan().any(dim=(2, 3)), ~known.present)
    assert known.masks[lonely, 1].abs().max() == 0


# ------------------------------------------------------------------------------------------------ the data set


def test_a_sample_is_named_by_its_number():
    data = SpriteData(num_frames=5, size=32)
    whole = data.batch(range(10, 18))
    halves = [data.batch([10, 12, 14, 16]), data.batch([11, 13, 15, 17])]
    for k, half in enumerate(halves):
        assert torch.equal(half.pixels, whole.pixels[k::2]) and half.captions == whole.captions[k::2]
    assert not torch.equal(SpriteData("test", 5, 32).batch(range(10, 18)).pixels, whole.pixels)
    assert torch.equal(data.truth([11]).masks, truth([whole.scenes[1]], 5, 32).masks)


def test_what_cannot_be_rendered_is_refused(scenes):
    for wrong in ({"scenes": []}, {"num_frames": 0}, {"size": 0}):
        with pytest.raises(ValueError, match="nothing to render"):
            render(**{"scenes": scenes[:1], **wrong})
    with pytest.raises(ValueError, match="validation"):
        SpriteData("validation")
