"""The reader of the sprites' world: right on what is rendered, right when it is spoilt, silent when it cannot tell."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from common.data.sprites import ObjectWords, SceneWords, SpriteData, caption, parse, render, scene_of
from common.evaluation.sprite_reader import (
    ATTRIBUTES,
    accuracy,
    agreement,
    chance_agreement,
    object_accuracy,
    read_sprites,
)

NUM_CLIPS = {"train": 60, "test": 60, "held_out": 60}
FIRST = 50_000  # the rules were chosen on clips with other numbers


def words_of(batch) -> list[SceneWords]:
    return [scene.words for scene in batch.scenes]


@pytest.fixture(scope="module")
def rendered():
    """Clips of all splits, and how they are read."""
    batches = [SpriteData(split).batch(range(FIRST, FIRST + count)) for split, count in NUM_CLIPS.items()]
    return batches, [read_sprites(batch.clips()) for batch in batches]


@pytest.fixture(scope="module")
def some():
    return SpriteData("test", num_objects=2).batch(range(FIRST, FIRST + 8))


@pytest.fixture(scope="module")
def chance():
    return chance_agreement(1, num_scenes=400)


# ------------------------------------------------------------------------------------------------ what was rendered


def test_every_attribute_of_a_rendered_clip_is_read(rendered):
    """At most one clip of these 180 may be misread; 99.5 % of thousands is the benchmark's."""
    batches, readings = rendered
    asked = [words for batch in batches for words in words_of(batch)]
    found = [reading for part in readings for reading in part]
    assert {len(words.objects) for words in asked} == {1, 2}
    rates = accuracy(asked, found)
    assert min(rates.values()) >= 1 - 1 / len(asked), rates


def test_a_reading_is_the_caption(rendered):
    batches, readings = rendered
    for scene, reading in zip(batches[0].scenes[:30], readings[0]):
        assert caption(reading.words) == caption(scene)


def test_what_a_judge_needs_besides_words_is_true(rendered):
    """Places within a pixel wherever half of the object is seen; radius within a twelfth; the camera's path."""
    batches, readings = rendered
    indices = range(FIRST, FIRST + 30)
    truth, seen_frames, frames = SpriteData("train").truth(indices), 0, 0
    for k, (scene, reading) in enumerate(zip(batches[0].scenes, readings[0][:30])):
        assert np.abs(reading.camera_middle - truth.camera_middle[k].numpy()).max() < 0.05
        assert np.abs(np.log(reading.camera_zoom / truth.camera_zoom[k].numpy())).max() < 0.06
        for j, item in enumerate(scene.objects):
            found = next(thing for thing in reading.objects if thing.color == item.color)
            left, _, right, _ = truth.boxes[k, j].T.numpy()
            area = truth.masks[k, j].sum(dim=(1, 2)).numpy()
            whole = area > 0.95 * area.max() * (right - left) ** 2 / (right - left).max() ** 2
            off = np.linalg.norm(found.positions - truth.positions[k, j].numpy(), axis=-1)[whole]
            seen_frames, frames = seen_frames + (off < 1).sum(), frames + whole.sum()
    assert frames > 300 and seen_frames > 0.97 * frames


def test_who_is_in_front_is_seen_where_they_overlap(rendered):
    batches, readings = rendered
    known = right = 0
    for batch, part in zip(batches, readings):
        for scene, reading in zip(batch.scenes, part):
            if reading.order_known:
                known += 1
                right += [item.color for item in scene.objects] == [item.color for item in reading.objects]
    assert known >= 10 and right >= 0.9 * known, (known, right)


@pytest.mark.parametrize("size, num_frames", [(32, 17), (32, 5), (128, 5)])
def test_other_sizes_can_be_read(size, num_frames):
    batch = SpriteData("test", num_frames, size).batch(range(FIRST, FIRST + 10))
    rates = accuracy(words_of(batch), read_sprites(batch.clips()))
    assert min(rates.values()) >= 9 / 10, rates


def test_the_number_of_clips_in_a_batch_changes_nothing(some):
    together, alone = read_sprites(some.clips()), [read_sprites(some.clips()[k : k + 1])[0] for k in range(3)]
    for first, second in zip(together, alone):
        assert first.words == second.words


# ------------------------------------------------------------------------------------------------ what was spoilt


def blur(clips, passes):
    frames = clips.transpose(1, 2).flatten(0, 2)[:, None]
    weights = torch.tensor([1.0, 2.0, 1.0]) / 4
    for _ in range(passes):  # each adds a variance of half a pixel
        frames = F.pad(frames, (1, 1, 1, 1), mode="replicate")
        frames = F.conv2d(F.conv2d(frames, weights.view(1, 1, 1, 3)), weights.view(1, 1, 3, 1))
    return frames.reshape(clips.transpose(1, 2).shape).transpose(1, 2)


def noise(clips, std):
    return (clips + std * torch.randn(clips.shape, generator=torch.Generator().manual_seed(0))).clamp(-1, 1)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda clips: blur(clips, 4), id="blur"),
        pytest.param(lambda clips: noise(clips, 0.2), id="noise"),
        pytest.param(lambda clips: (clips + 0.15).clamp(-1, 1), id="brighter"),
        pytest.param(lambda clips: 0.85 * clips, id="paler"),
        pytest.param(lambda clips: noise(blur(clips, 2), 0.08), id="blur and noise"),
    ],
)
def test_it_reads_through_what_spoils_a_clip(some, spoil):
    rates = accuracy(words_of(some), read_sprites(spoil(some.clips())))
    assert min(rates.values()) >= 7 / 8, rates


def test_a_frame_that_is_lost_changes_no_word(some):
    clips = some.clips()
    clips[:, :, 5] = torch.randn(clips[:, :, 5].shape, generator=torch.Generator().manual_seed(1))
    clips[:, :, 9] = float("nan")
    rates = accuracy(words_of(some), read_sprites(clips))
    assert min(rates.values()) >= 7 / 8, rates


# ------------------------------------------------------------------------------------------------ what is no clip


GENERATOR = torch.Generator().manual_seed(0)
GARBAGE = {
    "noise": torch.randn(1, 3, 17, 64, 64, generator=GENERATOR),
    "clamped noise": torch.randn(1, 3, 17, 64, 64, generator=GENERATOR).clamp(-1, 1),
    "NaN": torch.full((1, 3, 17, 64, 64), float("nan")),
    "infinity": torch.full((1, 3, 17, 64, 64), float("inf")),
    "grey": torch.zeros(1, 3, 17, 64, 64),
    "one pixel": torch.zeros(1, 3, 1, 1, 1),
    "two red pixels": torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1, 1).expand(1, 3, 4, 1, 2),
    "two frames of two pixels": torch.randn(1, 3, 2, 1, 2, generator=GENERATOR),
    "tall": torch.randn(1, 3, 3, 200, 100, generator=GENERATOR),
}


@pytest.mark.parametrize("clip", GARBAGE.values(), ids=GARBAGE.keys())
@pytest.mark.filterwarnings("error")
def test_garbage_has_no_reading(clip):
    reading = read_sprites(clip)[0]
    assert reading.words is None
    assert not agreement("a small red star moves left over a blue field", reading)["all"]


@pytest.mark.filterwarnings("error")
def test_an_empty_stage_is_read_and_nothing_on_it():
    """A black clip is what it looks like, a black field; no caption agrees, since each names an object."""
    reading = read_sprites(torch.full((1, 3, 17, 64, 64), -1.0))[0]
    assert (reading.background, reading.background_color, reading.objects) == ("field", "black", ())
    found = agreement("a small red star moves left over a black field", reading)
    assert found["background"] and found["background_color"] and not found["num_objects"] and not found["shape"]


def test_one_frame_has_no_motion():
    reading = read_sprites(SpriteData("test", num_frames=1, num_objects=1).batch([FIRST]).clips())[0]
    assert reading.objects[0].shape and reading.objects[0].motion is None


def test_an_object_of_no_known_shape_is_not_named():
    clip = render([scene_of(parse("a large red circle stands still over a cyan field"))]).clips()
    ground = clip[:, :, :, :1, :1]
    red = clip[0, :, 0][:, (clip[0, 0, 0] - 222 / 127.5 + 1).abs() < 0.01][:, 0].view(1, 3, 1, 1, 1)
    clip = ground.expand_as(clip).clone()
    clip[..., 10:14, 8:56] = red  # a bar
    objects = read_sprites(clip)[0].objects
    assert [item.color for item in objects] == ["red"] and objects[0].shape is None


@pytest.mark.parametrize("shape", [(3, 17, 64, 64), (1, 1, 17, 64, 64), (1, 3, 0, 64, 64)])
def test_other_tensors_are_refused(shape):
    with pytest.raises(ValueError, match=r"\(B, 3, T, H, W\)"):
        read_sprites(torch.zeros(shape))


# ------------------------------------------------------------------------------------------------ agreement


RED_STAR = ObjectWords("star", "red", "small", "left")
BLUE_RING = ObjectWords("ring", "blue", "large", "up")
SCENE = SceneWords((RED_STAR, BLUE_RING), "dots", "white")


def test_a_caption_agrees_with_itself_whoever_is_named_first():
    assert all(agreement(SCENE, replace(SCENE, objects=(BLUE_RING, RED_STAR))).values())
    assert all(agreement(caption(SCENE, 5), SCENE).values())


def test_swapped_colors_are_seen():
    """Both colours and both shapes are there, and yet no pairing of the objects makes them agree."""
    swapped = (replace(RED_STAR, color="blue"), replace(BLUE_RING, color="red"))
    found = agreement(SCENE, replace(SCENE, objects=swapped))
    wrong = {name for name, right in found.items() if not right}
    assert wrong == {"color", "binding", "all"}


@pytest.mark.parametrize("attribute, other", [("shape", "circle"), ("color", "green"), ("size", "large"),
                                              ("motion", "grow")])  # fmt: skip
def test_one_wrong_attribute_is_the_only_one(attribute, other):
    found = agreement(SCENE, replace(SCENE, objects=(replace(RED_STAR, **{attribute: other}), BLUE_RING)))
    wrong = {name for name, right in found.items() if not right}
    assert wrong == {attribute, "all"} | ({"binding"} if attribute in ("shape", "color") else set())


def test_a_missing_object_agrees_in_nothing_and_one_too_many_is_counted():
    one = replace(SCENE, objects=(RED_STAR,))
    missing, extra = agreement(SCENE, one), agreement(one, SCENE)
    assert not any(missing[name] for name in ("shape", "color", "size", "motion", "num_objects", "binding"))
    assert [name for name, right in extra.items() if not right] == ["num_objects", "all"]


def test_accuracy_counts_clips_and_wants_as_many_of_both():
    one = replace(SCENE, objects=(RED_STAR,))
    rates = accuracy([SCENE, one], [SCENE, SCENE])
    assert rates["shape"] == 1 and rates["num_objects"] == 0.5 == rates["all"]
    assert accuracy([SCENE, one], [SCENE, SCENE], num_objects=2)["all"] == 1
    with pytest.raises(ValueError, match="2 clips were asked for, 1"):
        accuracy([SCENE, one], [SCENE])
    with pytest.raises(ValueError, match="no clips"):
        accuracy([one], [SCENE], num_objects=2)


def test_objects_can_be_counted_in_place_of_clips():
    """Of four objects asked for one has another shape, and one is not there."""
    wrong = replace(SCENE, objects=(BLUE_RING, replace(RED_STAR, shape="circle")))
    one = replace(SCENE, objects=(RED_STAR,))
    assert object_accuracy([SCENE, SCENE], [wrong, one]) == {"shape": 0.5, "color": 0.75, "size": 0.75, "motion": 0.75}
    assert accuracy([SCENE, SCENE], [wrong, one])["shape"] == 0
    with pytest.raises(ValueError, match="2 clips were asked for, 1"):
        object_accuracy([SCENE, SCENE], [SCENE])


def test_chance_is_what_the_numbers_of_words_say(chance):
    """One object: a sixth of the shapes, half of the sizes, an eighth of the motions."""
    for name, expected in {"shape": 1 / 6, "size": 1 / 2, "motion": 1 / 8, "background_color": 1 / 8}.items():
        assert chance[name] == pytest.approx(expected, abs=0.05)
    assert chance["num_objects"] == 1 and chance["all"] < 0.01


def test_shuffled_captions_agree_as_often_as_random_ones(rendered, chance):
    """The control: the judge gives nothing away. (Of 180 clips, all turns of the list; 5 points in the benchmark.)"""
    batches, readings = rendered
    asked = [words for batch in batches for words in words_of(batch)]
    found = [reading for part in readings for reading in part]
    kept = [k for k, words in enumerate(asked) if len(words.objects) == 1]
    asked, found = [asked[k] for k in kept], [found[k] for k in kept]
    turns = [accuracy(asked[turn:] + asked[:turn], found) for turn in range(1, len(asked), 4)]
    for name in ATTRIBUTES:
        assert sum(row[name] for row in turns) / len(turns) == pytest.approx(chance[name], abs=0.08), name
