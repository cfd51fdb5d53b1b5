"""The diorama: scenes by number, splits that hold moves out, captions that name the move, a source like the others."""

import re
from collections import Counter
from itertools import combinations

import pytest
import torch
from torch.utils.data import DataLoader

from common.data.diorama import MOVES, CameraMove, DioramaData, DioramaScene, camera_path, caption, is_held_out, render
from common.data.diorama.captions import MOVE_NAMES, STILL_NAMES
from common.data.diorama.moves import HELD_OUT_BAND, HELD_OUT_PAIRS, MIXED, SPEEDS, speed_range
from common.data.diorama.scenes import APART, FAR, NEAR
from common.data.diorama.world import SPLITS
from common.data.latent_cache import fill
from common.data.sprites import is_held_out as sprite_held_out

SMALL = {"num_frames": 1, "size": 8}


@pytest.fixture(scope="module")
def scenes() -> dict[str, list[DioramaScene]]:
    return {split: DioramaData(split).scenes(range(400)) for split in SPLITS}


def made(scene: DioramaScene) -> tuple[str, ...]:
    return tuple(move for move, _ in scene.camera.words)


# ---- the moves of each split


def test_training_never_shows_a_pair_or_a_speed_that_is_held_out(scenes):
    for split in ("train", "test"):
        assert not any(is_held_out(scene.camera) for scene in scenes[split])
    assert all(is_held_out(scene.camera) for split in SPLITS if "held" in split for scene in scenes[split])
    assert {made(scene) for scene in scenes["held_out_pairs"]} == set(HELD_OUT_PAIRS)
    assert all(len(made(scene)) == 1 for scene in scenes["held_out_speeds"])


def test_training_shows_all_other_moves_and_pairs_in_all_directions(scenes):
    shown = {made(scene) for split in ("train", "test") for scene in scenes[split]}
    assert shown == {(), *((move,) for move in MOVES), *(set(combinations(MOVES, 2)) - set(HELD_OUT_PAIRS))}
    words = Counter(word for scene in scenes["train"] for word in scene.camera.words)
    assert set(words) == set(MOVE_NAMES) and min(words.values()) > max(words.values()) / 3


def test_each_move_is_in_one_held_out_pair_and_in_others_that_are_not():
    assert Counter(move for pair in HELD_OUT_PAIRS for move in pair) == Counter(MOVES)


def test_no_training_clip_has_a_held_out_speed_not_even_in_a_mixture():
    """In a mixture moves are slower, so all their speeds are below the band."""
    for move, (slow, fast) in SPEEDS.items():
        low, high = speed_range(move, HELD_OUT_BAND)
        assert slow < MIXED * fast < low < high < fast


def test_speeds_are_spread_over_the_whole_range_and_both_sides_of_the_band(scenes):
    for move, (slow, fast) in SPEEDS.items():
        alone = [abs(getattr(s.camera, move)) for s in scenes["train"] + scenes["test"] if made(s) == (move,)]
        parts = [(speed - slow) / (fast - slow) for speed in alone]
        assert len(parts) > 20 and min(parts) < 0.15 and max(parts) > 0.85
        assert not any(HELD_OUT_BAND[0] <= part <= HELD_OUT_BAND[1] for part in parts)
        assert len(set(alone)) == len(alone)


def test_a_data_set_can_have_some_moves_only():
    few = DioramaData("test", moves=("truck", "zoom"))
    assert {made(scene) for scene in few.scenes(range(60))} == {(), ("truck",), ("zoom",)}  # the pair is held out
    pairs = DioramaData("held_out_pairs", moves=("truck", "zoom"))
    assert {made(scene) for scene in pairs.scenes(range(20))} == {("truck", "zoom")}
    with pytest.raises(ValueError, match="no pair"):
        DioramaData("held_out_pairs", moves=("truck", "pan"))


# ---- scenes


def test_splits_share_no_scene(scenes):
    places = [{(s.sprites.objects[0].x, s.sprites.objects[0].y) for s in scenes[split]} for split in SPLITS]
    numbers = [{scene.index for scene in scenes[split]} for split in SPLITS]
    for sets in (places, numbers):
        assert len(set.union(*sets)) == len(SPLITS) * 400


def test_objects_stand_at_the_depths_of_the_design_and_apart(scenes):
    for scene in scenes["train"]:
        assert all(NEAR <= depth <= FAR for depth in scene.depths)
        assert all(far - near >= APART - 1e-9 for far, near in zip(scene.depths, scene.depths[1:]))
    assert {len(scene.depths) for scene in scenes["train"]} == {1, 2}
    first = scenes["train"][0].sprites
    for depths in ((0.5,) * (len(first.objects) + 1), (1.2,) * len(first.objects)):
        with pytest.raises(ValueError, match="depths"):
            DioramaScene(first, depths)


def test_what_models_of_sprites_never_saw_is_not_shown_here_either(scenes):
    assert not any(sprite_held_out(scene.sprites) for split in SPLITS for scene in scenes[split])
    for scene in scenes["train"]:
        colors = [scene.sprites.background_color, *(item.color for item in scene.sprites.objects)]
        assert len(set(colors)) == len(colors) and scene.sprites.background in ("checkerboard", "dots")


def test_objects_are_whole_at_first_and_stay_in_the_picture(scenes):
    known = DioramaData("train").truth(range(60))
    places = known.positions[known.present]  # (N, T, 2)
    assert ((places > 0) & (places < 64)).all()
    seen = known.masks.sum(dim=(-2, -1))[known.present]  # (N, T), pixels
    assert (seen[:, 0] > 0.85 * 3.14 * (0.115 * 64) ** 2 * 0.9).all() and (seen > 10).all()


# ---- captions


def test_the_plain_caption_names_objects_background_and_moves():
    [scene] = DioramaData("held_out_pairs", moves=("truck", "zoom"), num_objects=1).scenes([1])
    words = scene.camera.words
    said = " and ".join({"truck": "trucks", "zoom": "zooms"}[move] + f" {way}" for move, way in words)
    [item] = scene.sprites.objects
    assert caption(scene).startswith(f"a {item.size} {item.color} {item.shape} stands still over ")
    assert caption(scene).endswith(f", the camera {said}")


def test_every_caption_names_the_moves_of_its_clip_and_no_other(scenes):
    meanings = {phrase: words for words, phrases in MOVE_NAMES.items() for phrase in phrases}
    assert len(meanings) == 2 * len(MOVE_NAMES), "a phrase has one meaning"
    pattern = re.compile("|".join(sorted(meanings, key=len, reverse=True)))
    for split in SPLITS:
        for scene in scenes[split][:150]:
            for variant in (0, scene.index):
                said = caption(scene, variant).split("the camera ")[1].split(",")[0]
                assert {meanings[phrase] for phrase in pattern.findall(said)} == set(scene.camera.words)
                assert bool(scene.camera.words) != any(name in said for name in STILL_NAMES)
    with pytest.raises(ValueError, match="-1"):
        caption(scenes["train"][0], -1)


def test_captions_do_not_tell_the_speed(scenes):
    scene = next(scene for scene in scenes["train"] if made(scene) == ("truck",))
    faster = DioramaScene(scene.sprites, scene.depths, CameraMove(truck=1.5 * scene.camera.truck))
    assert caption(faster, 7) == caption(scene, 7)


# ---- a source like the others


def test_a_number_is_a_clip_whatever_it_is_asked_for_with():
    data = DioramaData()
    together, alone = data.batch([3, 8]), data.batch([8])
    assert torch.equal(together.pixels[1], alone.pixels[0]) and together.scenes[1] == alone.scenes[0]
    assert together.captions[1] == alone.captions[0] and torch.equal(together.speeds[1], alone.speeds[0])
    assert together.pixels.shape == (2, 3, 9, 64, 64) and together.fps == 4 and len(together) == 2
    assert DioramaData(size=32, num_frames=5).scenes([8]) == [alone.scenes[0]]
    assert not torch.equal(DioramaData("test").batch([8]).pixels, alone.pixels)
    for wrong in (-1, 2**40):
        with pytest.raises(ValueError, match=str(wrong)):
            data.batch([wrong])


def test_a_scene_means_the_same_on_every_machine_and_in_every_version():
    [scene] = DioramaData("train").scenes([5])
    assert (scene.camera.words, caption(scene), tuple(round(depth, 6) for depth in scene.depths)) == REMEMBERED


def test_frames_are_the_same_at_any_rate_and_number():
    """Speeds are per second: every second frame of eight a second is a frame of four a second."""
    slow, fast = DioramaData(num_frames=5), DioramaData(num_frames=9, fps=8)
    assert torch.equal(slow.batch(range(6)).pixels, fast.batch(range(6)).pixels[:, :, ::2])


@pytest.mark.parametrize(
    "wrong",
    [{"split": "held_out"}, {"moves": ()}, {"moves": ("truck", "roll")}, {"num_objects": 3}],
    ids=lambda wrong: str(wrong),
)
def test_what_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(ValueError):
        DioramaData(**wrong)


def test_a_clip_in_which_the_camera_comes_to_an_object_is_refused():
    scene = next(s for s in DioramaData().scenes(range(200)) if s.camera.words == (("dolly", "in"),))
    render([scene], num_frames=9)
    with pytest.raises(ValueError, match="comes to an object in frame"):
        render([scene], num_frames=90)


def test_a_data_loader_takes_it():
    loader = DataLoader(range(8), batch_size=4, collate_fn=DioramaData(**SMALL).batch)
    assert [batch.pixels.shape for batch in loader] == [(4, 3, 1, 8, 8)] * 2


def test_a_latent_cache_keeps_captions_and_cameras(tmp_path):
    data = DioramaData("test", num_frames=9, size=8)
    cache = fill(tmp_path, data, lambda batch: batch.clips().mean(dim=(3, 4)), 6, encoder="means", quiet=True)
    kept, batch = cache.batch(range(6)), data.batch(range(6))
    assert kept.fields["captions"] == batch.captions
    for name in ("speeds", "intrinsics", "camera_to_world"):
        torch.testing.assert_close(kept.fields[name], getattr(batch, name))
    path = camera_path(kept.fields["speeds"], torch.arange(9) / 4, 8, 8)  # what a longer clip's cache leaves out
    torch.testing.assert_close(path.camera_to_world.float(), batch.camera_to_world)
    keys = {
        DioramaData(**other).key for other in ({}, {"size": 32}, {"fps": 8}, {"moves": ("pan",)}, {"num_objects": 1})
    }
    assert len(keys) == 5, "another data set has another name"


REMEMBERED = (
    (("pan", "left"), ("orbit", "left")),
    "a large cyan circle stands still and a large yellow triangle stands still over a green checkerboard, "
    "the camera pans left and orbits left",
    (0.840953, 0.693864),
)
