"""The sprites' scenes and captions: what a number means, what is never shown, that no words are ambiguous."""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from common.data.sprites import (
    ObjectWords,
    SceneWords,
    caption,
    draw_scene,
    draw_scenes,
    is_held_out,
    paraphrases,
    parse,
    scene_of,
    truth,
    unknown_words,
)
from common.data.sprites.attributes import (
    BACKGROUNDS,
    CAMERAS,
    COLORS,
    FPS,
    HELD_OUT_COLORS,
    HELD_OUT_MOTIONS,
    MOTIONS,
    SHAPES,
    SIZES,
    shades,
)

NUM_SCENES = 1500


@pytest.fixture(scope="module")
def scenes():
    return {split: draw_scenes(range(NUM_SCENES), split=split) for split in ("train", "test", "held_out")}


# ------------------------------------------------------------------------------------------------ by number


def test_a_scene_depends_on_seed_split_and_index_alone():
    assert draw_scenes([7, 3, 7]) == [draw_scene(7), draw_scene(3), draw_scene(7)]
    others = [draw_scene(7), draw_scene(8), draw_scene(7, seed=1), draw_scene(7, split="test"),
              draw_scene(7, split="held_out")]  # fmt: skip
    assert len({replace(scene, index=0) for scene in others}) == len(others)


def test_a_number_means_the_same_scene_on_every_machine_and_in_every_version():
    """Whoever changes these words names other clips by the numbers that records, caches and weights were made with."""
    assert [caption(draw_scene(index)) for index in (0, 5, 10**12)] == [
        "a large cyan star grows over a red field",
        "a small blue circle stands still and a large white cross orbits over a yellow checkerboard, "
        "the camera pans left",
        "a small cyan circle moves up and a small black square bounces over a green checkerboard",
    ]
    assert caption(draw_scene(3, seed=2, split="held_out", num_objects=2)) == (
        "a small blue circle grows and a small black square moves left over a green field"
    )


@pytest.mark.parametrize("num_objects", [1, 2])
def test_the_number_of_objects_can_be_fixed(num_objects):
    assert {len(scene.objects) for scene in draw_scenes(range(30), num_objects=num_objects)} == {num_objects}


@pytest.mark.parametrize(
    "wrong", [{"index": -1}, {"seed": -1}, {"split": "validation"}, {"num_objects": 3}, {"num_objects": 0}]
)
def test_what_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        draw_scene(**{"index": 0, **wrong})


# ------------------------------------------------------------------------------------------------ the rules


def test_no_two_colours_in_a_scene_are_the_same(scenes):
    for scene in scenes["train"] + scenes["held_out"]:
        colors = [scene.background_color, *(item.color for item in scene.objects)]
        assert len(set(colors)) == len(colors)


def test_colours_are_far_from_each_other_and_from_every_mixture_of_two_others():
    """A blurred edge shows any mixture of the two colours beside it; none may look like a third."""
    rgb = {name: torch.tensor(value, dtype=torch.float32) for name, value in COLORS.items()}
    part = torch.linspace(0, 1, 51)[:, None]
    for a in rgb:
        for b in rgb:
            line = part * rgb[a] + (1 - part) * rgb[b]  # (51, 3)
            for c in rgb.keys() - {a, b}:
                assert (line - rgb[c]).norm(dim=1).min() > 55, (a, b, c)
    for name in COLORS:
        for shade in map(torch.tensor, shades(name)):
            assert min(COLORS, key=lambda other: (shade - rgb[other]).norm().item()) == name


def test_the_camera_moves_only_where_it_can_be_seen(scenes):
    moving = [scene for scene in scenes["train"] if scene.camera != "still"]
    assert len(moving) > NUM_SCENES / 4
    for scene in moving:
        assert scene.background != "field"
        if scene.camera.startswith("pan"):
            per_frame = scene.camera_speed / FPS / scene.period  # periods
            if scene.background == "stripes":
                per_frame *= torch.tensor(scene.angle).deg2rad().cos().item()
            assert 0.02 < abs(per_frame) < 1 / 3
        else:
            assert 1.3 < 2.718 ** (scene.camera_speed * 2) < 1.6  # in the two seconds of a clip


def test_every_object_is_whole_and_uncovered_in_the_first_frame_and_in_many(scenes):
    """Its mask is then the same as if it were alone, and its box lies inside the picture."""
    for scene in scenes["train"][:150]:
        together = truth([scene], size=32)
        for k, item in enumerate(scene.objects):
            alone = truth([replace(scene, objects=(item,))], size=32)
            left, top, right, bottom = alone.boxes[0, 0].unbind(-1)  # (T,) each
            inside = (torch.minimum(left, top) > -1e-3) & (torch.maximum(right, bottom) < 32 + 1e-3)
            uncovered = (together.masks[0, k] - alone.masks[0, 0]).abs().amax(dim=(1, 2)) < 1e-6
            clear = inside & uncovered
            assert clear[0] and clear.float().mean() > 0.4 and clear[:9].float().mean() > 0.4


def test_sizes_are_those_of_the_first_frame_and_far_apart(scenes):
    radii = {size: [item.radius for scene in scenes["train"] for item in scene.objects if item.size == size]
             for size in SIZES}  # fmt: skip
    assert min(radii["large"]) > 1.4 * max(radii["small"])


def test_held_out_pairs_are_each_used_once():
    assert HELD_OUT_COLORS.keys() == HELD_OUT_MOTIONS.keys() == set(SHAPES)
    assert len(set(HELD_OUT_COLORS.values())) == len(set(HELD_OUT_MOTIONS.values())) == len(SHAPES)
    assert set(HELD_OUT_COLORS.values()) <= COLORS.keys() and set(HELD_OUT_MOTIONS.values()) <= set(MOTIONS)


def test_the_held_out_split_shows_what_training_never_does(scenes):
    pairs = {split: {(item.shape, word) for scene in drawn for item in scene.objects
                     for word in (item.color, "moves " + item.motion)} for split, drawn in scenes.items()}  # fmt: skip
    held_out = {(s, c) for s, c in HELD_OUT_COLORS.items()} | {(s, "moves " + m) for s, m in HELD_OUT_MOTIONS.items()}
    every = {(shape, word) for shape in SHAPES for word in [*COLORS, *("moves " + motion for motion in MOTIONS)]}
    assert pairs["train"] == pairs["test"] == every - held_out
    assert pairs["held_out"] == every
    assert all(map(is_held_out, scenes["held_out"])) and not any(map(is_held_out, scenes["train"]))


def test_every_word_is_drawn_about_as_often_as_the_others(scenes):
    """The rules reject some combinations more often than others; none becomes rare."""
    drawn = scenes["train"]
    objects = [item for scene in drawn for item in scene.objects]
    for words, values in [
        (SHAPES, [item.shape for item in objects]),
        (COLORS, [item.color for item in objects]),
        (SIZES, [item.size for item in objects]),
        (MOTIONS, [item.motion for item in objects]),
        (BACKGROUNDS, [scene.background for scene in drawn]),
        (COLORS, [scene.background_color for scene in drawn]),
        (CAMERAS[1:], [scene.camera for scene in drawn if scene.camera != "still"]),
        ((1, 2), [len(scene.objects) for scene in drawn]),
    ]:
        counts = Counter(values)
        assert all(counts[word] > 0.6 * len(values) / len(words) for word in words), counts


# ------------------------------------------------------------------------------------------------ captions


def one(shape="star", color="red", size="small", motion="left", background="field", ground="blue", camera="still"):
    return SceneWords((ObjectWords(shape, color, size, motion),), background, ground, camera)


EVERY_WORD = (
    [one(shape=shape) for shape in SHAPES]
    + [one(color=color, ground="blue" if color != "blue" else "red") for color in COLORS]
    + [one(size=size) for size in SIZES]
    + [one(motion=motion) for motion in MOTIONS]
    + [one(background=background, ground=ground) for background in BACKGROUNDS for ground in COLORS if ground != "red"]
    + [one(background="dots", camera=camera) for camera in CAMERAS]
)


def test_plain_captions_read_as_one_would_say_it():
    assert caption(one()) == "a small red star moves left over a blue field"
    two = SceneWords((*one().objects, ObjectWords("ring", "green", "large", "bounce")), "stripes", "blue", "pan_left")
    assert caption(two) == (
        "a large green ring bounces and a small red star moves left over blue stripes, the camera pans left"
    )


@pytest.mark.parametrize("words", EVERY_WORD, ids=caption)
def test_every_paraphrase_of_every_word_is_understood(words):
    captions = set(paraphrases(words))
    assert len(captions) >= 50
    assert {parse(text) for text in captions} == {words}


def test_every_paraphrase_of_two_objects_is_understood(scenes):
    two = [scene for scene in scenes["train"] if len(scene.objects) == 2][:8]
    for scene in two:
        captions = sorted(set(paraphrases(scene)))
        assert len(captions) > 2000
        assert all(parse(text) == scene.words for text in captions[::11])


def test_captions_of_all_splits_are_understood(scenes):
    for drawn in scenes.values():
        assert all(parse(caption(scene, scene.index)) == scene.words for scene in drawn)


def test_variants_are_fixed_by_their_number_and_use_all_paraphrases():
    words = one(background="dots", camera="zoom_in")
    drawn = [caption(words, variant) for variant in range(4000)]
    assert drawn == [caption(words, variant) for variant in range(4000)]
    assert set(drawn) == set(paraphrases(words))


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("a small orange star moves left over a blue field", "'orange'"),
        ("a small red star over a blue field", "one or two objects"),
        ("a small red star moves left", "one background"),
        ("a small red star moves left over a blue field over red dots", "one background"),
        ("a small red star moves left over blue dots, the camera pans left, the camera zooms in", "at most one motion"),
        ("a red small star moves left and a small red ring moves left over blue dots", "red small star"),
        ("", "one or two objects"),
    ],
)
def test_what_is_no_caption_is_refused_with_the_reason(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        parse(text)


def test_unknown_words_are_named_in_their_order():
    assert unknown_words("A small pink star, moves LEFT over a blue meadow.") == ["pink", "meadow"]
    assert not any(unknown_words(text) for words in EVERY_WORD for text in paraphrases(words))


def test_a_negative_variant_is_refused():
    with pytest.raises(ValueError, match="-1"):
        caption(one(), -1)


# ------------------------------------------------------------------------------------------------ prompts


@pytest.mark.parametrize("words", EVERY_WORD, ids=caption)
def test_a_prompt_gives_scenes_that_show_it(words):
    scenes = [scene_of(words, index) for index in range(3)]
    assert {scene.words for scene in scenes} == {words}
    assert len({scene.objects for scene in scenes}) == 3


def test_a_prompt_against_the_rules_is_refused():
    with pytest.raises(ValueError, match="blue, blue"):
        scene_of(one(color="blue"))
    with pytest.raises(ValueError, match="zoom_in"):
        scene_of(one(camera="zoom_in"))
    crowded = tuple(ObjectWords("star", color, "large", "grow") for color in ("red", "white"))
    with pytest.raises(ValueError, match="no room"):
        scene_of(SceneWords(crowded, "dots", "blue", "zoom_in"))
