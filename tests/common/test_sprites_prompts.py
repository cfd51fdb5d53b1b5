"""Free prompts: what the world knows of them counts, and for every other word it has the nearest that it knows."""

import random
from itertools import product

import pytest

from common.data.sprites import SpriteData, caption, is_held_out, paraphrases, parse, unknown_words
from common.data.sprites.attributes import (
    COLORS,
    HELD_OUT_COLORS,
    HELD_OUT_MOTIONS,
    MOTIONS,
    SHAPES,
    ObjectWords,
    SceneWords,
)
from common.data.sprites.captions import MOTION_NAMES, VOCABULARY
from common.data.sprites.prompts import EXAMPLE, NothingKnown, read_prompt
from common.data.sprites.synonyms import FILLERS, LOOKALIKES, SYNONYMS
from common.data.sprites.vocabulary import (
    OWN_MEANING,
    PASSED_OVER,
    content_words,
    is_synonym,
    nearest,
    spelling_distance,
    suggestions,
    vocabulary,
)

SCENES = [scene.words for split in ("test", "held_out") for scene in SpriteData(split).scenes(range(60))]


def mean_of(text: str) -> SceneWords:
    return parse(read_prompt(text).caption)


# ------------------------------------------------------------------------------------------------ words


@pytest.mark.parametrize(
    "word, near",
    {
        "cirlce": "circle", "sqaure": "square", "traingle": "triangle", "bleu": "blue", "yelow": "yellow",
        "stirpes": "stripes", "rde": "red", "jumps": "bounces", "jumping": "bounces", "bouncing": "bounces",
        "circles": "circle", "hopping": "hops", "falling": "sinks", "ball": "circle", "balls": "circle",
        "tiny": "small", "violet": "purple", "spins": "orbits", "donut": "ring", "dragon": None, "fox": None,
        "cow": None, "elephant": None, "": None,
    }.items(),
)  # fmt: skip
def test_the_nearest_word(word, near):
    assert nearest(word) == near


def test_every_word_of_the_world_with_two_letters_swapped_is_found_again():
    """Unless the swap gives a word of its own, or the word is too short to tell."""
    for word in content_words():
        for i in range(1, len(word) - 1):
            wrong = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
            if len(word) > 4 and wrong not in VOCABULARY | OWN_MEANING:
                found = nearest(wrong)
                assert found == word or spelling_distance(wrong, found) <= 1, (wrong, found)


def test_the_distance_counts_changes():
    known = {("", ""): 0, ("circle", "cirlce"): 1, ("ring", "rings"): 1, ("star", "stir"): 1, ("ab", "ba"): 1,
             ("abc", ""): 3, ("ca", "abc"): 3, ("kitten", "sitting"): 3}  # fmt: skip
    for (a, b), distance in known.items():
        assert spelling_distance(a, b) == spelling_distance(b, a) == distance


def test_the_table_of_synonyms_leads_to_the_world_and_holds_none_of_its_words():
    words = [word for line in SYNONYMS.values() for word in line.split()]
    assert len(words) == len(set(words)) and not VOCABULARY & set(words)
    assert all(not unknown_words(known) for known in SYNONYMS)
    assert not set(FILLERS.split()) & set(words)
    assert all(nearest(word) == known for known, line in SYNONYMS.items() for word in line.split())


def test_words_of_their_own_are_no_misspellings():
    """Each looks like a word of the world, and is neither one nor a synonym. Misspellings still find theirs."""
    words = LOOKALIKES.split()
    assert len(words) == len(OWN_MEANING) > 400 and not OWN_MEANING & (PASSED_OVER | {"cirlce", "bleu", "larger"})
    assert [nearest(word) for word in words] == [None] * len(words) and not any(map(is_synonym, words))
    assert nearest("shines") is nearest("shining") is nearest("ships") is None and nearest("squaer") == "square"


@pytest.mark.parametrize(
    "text, means",
    [
        ("a light red star moves left", "a large red star moves left on a plain white background"),
        ("a green ring shines over the king at night", "a large green ring stands still on a plain white background"),
        (
            "a big red dot slides rightwards over grey squares",
            "a big red square moves right on a plain white background",
        ),
        ("people love the blue square", "a large blue square stands still on a plain white background"),
    ],
)
def test_everyday_words_move_and_colour_nothing(text, means):
    assert read_prompt(text).caption == means


def test_unknown_words_fit_on_a_line():
    many = {f"word{k}": None for k in range(30)}
    assert suggestions({"cirlce": "circle", "jumps": "bounces"}) == '"cirlce": circle? "jumps": bounces?'
    assert suggestions(many).count("nothing near") == 8 and suggestions(many).endswith("and 22 more")


def test_the_vocabulary_is_all_of_it():
    text = vocabulary()
    assert all(word in text for word in VOCABULARY - {"over", "on", "front", "and", "while", "in", "of"})


# ------------------------------------------------------------------------------------------------ prompts


def test_a_caption_is_read_as_it_is():
    for words in SCENES[:40]:
        for text in (caption(words), caption(words, 7)):
            reading = read_prompt(text)
            assert reading.is_caption and reading.caption == text and reading.outside == {}


def test_a_caption_with_filling_words_keeps_its_meaning():
    """`the` for `a`, words between and other punctuation: no longer a caption, and the same scene."""
    for words in SCENES:
        text = caption(words).replace("a ", "the ").replace(", ", " - ")
        assert parse(read_prompt(f"Please draw {text} very slowly!").caption) == words, text


def test_every_paraphrase_keeps_its_meaning_without_grammar():
    words = SceneWords((ObjectWords("cross", "red", "small", "orbit"),), "dots", "blue", "pan_left")
    for text in sorted(set(paraphrases(words)))[::7]:
        assert mean_of(f"there is {text}") == words, text


def test_attributes_come_in_any_order():
    assert mean_of("triangle, blue, big, jumping, on red stripes") == mean_of(
        "a large blue triangle bounces on red stripes"
    )
    assert mean_of("a ring that is small and green and rises") == mean_of("a small green ring rises over a white field")


def test_words_outside_do_not_spoil_the_others():
    """A word that means nothing, anywhere in a caption, changes nothing of the scene."""
    dice = random.Random(0)
    for words in SCENES:
        text = caption(words).split()
        for _ in range(2):
            text.insert(dice.randrange(len(text) + 1), dice.choice(["zebra", "wonderful", "xylophone"]))
        reading = read_prompt(" ".join(text))
        assert reading.outside and set(reading.outside.values()) == {None}
        found = parse(reading.caption)
        assert found.background_color == words.background_color and len(found.objects) == len(words.objects)
        assert {(o.shape, o.color) for o in found.objects} == {(o.shape, o.color) for o in words.objects}, text


@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_not_said_is_filled_in_and_what_is_said_stays(shape, motion):
    said = caption(SceneWords((ObjectWords(shape, "cyan", "small", motion),), "field", "red"), 0).split(" over ")[0]
    found = mean_of(said)
    assert found.objects == (ObjectWords(shape, "cyan", "small", motion),) and found.background_color != "cyan"
    bare = mean_of(shape)
    assert bare.objects[0].shape == shape and bare.objects[0].color != bare.background_color


@pytest.mark.parametrize("color", COLORS)
def test_an_object_that_is_filled_in_can_be_seen(color):
    for text in (f"{color}", f"something {color}", f"a ring on {color}", f"{color} dots", f"a star and a {color} ring"):
        found = mean_of(text)
        shown = [item.color for item in found.objects]
        assert len({*shown, found.background_color}) == len(shown) + 1, text


def test_the_prompts_own_words_are_kept():
    assert (
        read_prompt("a little white hoop that hops").caption == "a little white hoop hops on a plain black background"
    )
    assert read_prompt("the big plus sign glides left over a red field").caption == (
        "a big blue plus sign glides left over a red field"
    )


def test_what_is_filled_in_is_nothing_that_training_holds_out():
    """Whatever attributes are left open, unless those that are said are held out together."""
    for shape, color, motion in product(["", *SHAPES], ["", *COLORS], MOTIONS):
        words = mean_of(f"{color} {shape} {MOTION_NAMES[motion][0]}")
        if is_held_out(words):
            assert HELD_OUT_COLORS.get(shape) == color or HELD_OUT_MOTIONS.get(shape) == motion


def test_two_objects_keep_their_own_words():
    found = mean_of("a tiny red star jumps and a huge blue ring falls on black")
    assert found.objects == (
        ObjectWords("ring", "blue", "large", "down"),
        ObjectWords("star", "red", "small", "bounce"),
    )
    assert (found.background, found.background_color) == ("field", "black")
    assert len(mean_of("a star, a ring, a cross and a square").objects) == 2  # the world has no more


def test_the_camera_is_understood():
    asked = {
        "zoom out from a star": "zoom_out",
        "a star, the camera slowly pans to the right": "pan_right",
        "the view does not move, a star grows": "still",
    }
    assert {text: mean_of(text).camera for text in asked} == asked


@pytest.mark.parametrize(
    "text", ["", "!", "hello world", "the quick brown fox", "a cat jumping", "it moves", "a dragon flying over the sea",
             "people love the night", "the king and his friend fight", "bright lights, bring a bottle",
             "ein roter Stern", "红色的星星"],
)  # fmt: skip
def test_a_prompt_of_which_nothing_is_known_is_refused(text):
    with pytest.raises(NothingKnown) as error:
        read_prompt(text)
    assert vocabulary() in str(error.value) and EXAMPLE in str(error.value) and repr(text) in str(error.value)


def test_what_is_seen_fills_what_is_open_and_nothing_else():
    from common.data.sprites import render, scene_of
    from common.evaluation.sprite_reader import read_sprites

    scene = scene_of(parse("a small cyan square sinks on red dots"))
    seen = read_sprites(render([scene], num_frames=1).clips().expand(-1, -1, 5, -1, -1))[0]
    assert read_prompt("it rises slowly, going up", seen).caption == "a small cyan square rises over red dots"
    assert read_prompt("a green star moves left", seen).caption == "a small green star moves left over red dots"
