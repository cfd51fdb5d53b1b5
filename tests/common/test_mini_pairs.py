"""The world of pairs: what its splits show, its score, the text states that its arms read, and the arms."""

import pytest
import torch

from common.data.mini.pairs import HELD_OUT_PAIRS, PAIR_COLORS, MiniPairs, PairWords, pair_words
from common.evaluation.pairs import pair_accuracy, pair_agreement
from common.models.dit import VideoDiT
from common.text import TextEncoder
from common.text.layers import LayerStates
from common.zoo.pair_arm import ARMS, arm_steps, build_arm, frozen_text, generate_arm


def test_a_caption_and_its_swap_have_the_same_words():
    words = PairWords("red", "cyan", "white", small_first=False)
    assert words.caption == "a large cyan circle and a small red circle over a white field"
    assert sorted(words.caption.split()) == sorted(words.swapped.caption.split())
    assert words.swapped != words and words.swapped.swapped == words


def test_the_pairs_held_out_are_in_no_other_split_and_every_colour_is_in_each():
    splits = {split: pair_words(split) for split in ("train", "test", "held_out")}
    assert splits["train"] == splits["test"] and [len(words) for words in splits.values()] == [96, 96, 24]
    for split, words in splits.items():
        pairs = {frozenset((one.small, one.large)) for one in words}
        assert all((frozenset(pair) in pairs) == (split == "held_out") for pair in HELD_OUT_PAIRS)
        assert {one.small for one in words} == {one.large for one in words} == set(PAIR_COLORS)
        assert all(one.swapped in words for one in words)  # what a caption's words do not tell is even
    with pytest.raises(ValueError, match="validation"):
        MiniPairs("validation")


def test_pictures_are_named_by_number_and_show_what_they_say():
    batch = MiniPairs("test").batch([7, 3, 11, 5])
    assert batch.pixels.shape == (4, 3, 1, 64, 64)
    again = MiniPairs("test").batch([3])
    assert torch.equal(again.pixels[0], batch.pixels[1]) and again.captions[0] == batch.captions[1]
    assert not torch.equal(MiniPairs("train").batch([3]).pixels, again.pixels)
    with pytest.raises(ValueError, match="-1"):
        MiniPairs().words([-1])


def test_real_pictures_are_right_and_read_as_swapped_none_is():
    world, numbers = MiniPairs("held_out"), range(12)
    pictures, asked = world.batch(numbers).clips(), world.words(numbers)
    assert pair_accuracy(asked, pictures) == {"colors": 1, "right": 1, "field": 1, "binding": 1}
    assert pair_accuracy([words.swapped for words in asked], pictures) == {
        "colors": 1, "right": 0, "field": 1, "binding": 0}  # fmt: skip


def test_without_both_colours_nothing_is_right_and_binding_is_chance():
    asked = [PairWords("red", "cyan", "white"), PairWords("red", "green", "black")]
    shown = MiniPairs().batch([0])
    [drawn] = MiniPairs().words([0])
    pictures = torch.cat([torch.ones(1, 3, 1, 64, 64), shown.clips()])
    rows = pair_agreement([asked[0], PairWords(drawn.small, drawn.field, drawn.large)], pictures)
    assert [row["colors"] for row in rows] == [False, False] and rows[0]["right"] is False
    assert pair_accuracy(asked[:1], pictures[:1])["binding"] == 0.5
    with pytest.raises(ValueError, match="2 pictures"):
        pair_agreement(asked, pictures[:1])
    with pytest.raises(ValueError, match="no pictures"):
        pair_accuracy([], pictures[:0])


def test_after_layer_0_no_word_has_read_another_and_after_layer_3_all_have():
    captions = [PairWords(*colors, "white").caption for colors in (("red", "blue"), ("red", "green"))]
    for layer, alike in ((0, True), (3, False)):
        text = LayerStates(layer)(captions)
        same = (text.states[0] - text.states[1]).abs().amax(dim=1) < 1e-6  # (L,)
        other = [k for k, (a, b) in enumerate(zip(*(f"[ {caption} ]".split() for caption in captions))) if a != b]
        assert len(other) == 1 and not same[other[0]]
        assert bool(same.sum() == len(same) - 1) is alike
    assert torch.equal(text.states, TextEncoder.installed()(captions).states)  # layer 3 is the library's choice


def test_arms_of_one_size():
    sizes = {arm: sum(p.numel() for p in build_arm(arm).parameters()) for arm in ARMS}
    assert max(sizes.values()) < 1.005 * min(sizes.values())
    assert isinstance(build_arm("layer0-cross"), VideoDiT)


def test_a_frozen_text_is_read_by_every_block_as_it_came_in():
    torch.manual_seed(0)
    model = build_arm("layer0-mmdit").requires_grad_(False)
    for parameter in model.parameters():
        parameter.normal_(std=0.1)
    texts = []
    hooks = [block.register_forward_pre_hook(lambda _, args: texts.append(args[1])) for block in model.blocks]
    inputs = torch.randn(1, 16, 1, 8, 8), torch.tensor([500.0]), torch.randn(1, 5, 384)
    with frozen_text(model):
        model(*inputs)
    assert all(torch.equal(text, texts[0]) for text in texts)
    texts.clear()
    model(*inputs)
    assert not torch.equal(texts[-1], texts[0])
    for hook in hooks:
        hook.remove()


def test_the_way_ends_at_the_picture_and_a_seed_says_which_noise_it_starts_from():
    torch.manual_seed(0)
    model = build_arm("layer3-mmdit").eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter += 0.05 * torch.randn_like(parameter)
    asked = [PairWords("red", "cyan", "white"), PairWords("cyan", "red", "white")]
    made = generate_arm(model, "layer3-mmdit", asked, num_inference_steps=3)
    way = list(arm_steps(model, "layer3-mmdit", asked, num_inference_steps=3))
    assert [step.shape for step in way] == [(2, 3, 1, 64, 64)] * 3
    torch.testing.assert_close(way[-1], made)
    assert not torch.allclose(way[0], way[-1], atol=0.01)
    *_, second = arm_steps(model, "layer3-mmdit", asked[1:], num_inference_steps=3, seeds=[1])
    torch.testing.assert_close(second, made[1:], atol=1e-4, rtol=0)
    *_, other = arm_steps(model, "layer3-mmdit", asked[1:], num_inference_steps=3, seeds=[2])
    assert not torch.allclose(other, made[1:], atol=0.01)
