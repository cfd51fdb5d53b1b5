"""Clips of many shapes: the world, buckets, scaled positions, packed blocks, LoRA, and the model that joins them."""

import json

import pytest
import torch

from common.data.buckets import bucket_batches, nearest_bucket, num_tokens
from common.data.sprites import SpriteData, render
from common.data.sprites.shaped import ShapedSprites
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.layers.lora import LoRALinear, inject_lora, lora_state, merge_lora
from common.layers.rope import rotations
from common.layers.scaled_rope import scaled_rotations
from common.models.dit import PRESETS, VideoDiT
from common.models.shaped_dit import ShapedVideoDiT
from common.models.shipped import WeightsError
from common.zoo.shapes_study import OtherPlaces, shift_for
from common.zoo.sprites_t2v_shapes.clips import TRAINED, UNSEEN


@pytest.fixture
def base(tmp_path):
    """A folder with a small model whose gates are open."""
    torch.manual_seed(0)
    model = VideoDiT(**PRESETS["ci"])
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(tmp_path / "base")
    return str(tmp_path / "base")


def inputs(batch=2, size=(3, 6, 10), length=5):
    x, text = torch.randn(batch, 16, *size), torch.randn(batch, length, 384)
    return x, torch.linspace(200, 900, batch), text


def opened(model):
    """The model with a LoRA that does something."""
    for name, parameter in model.named_parameters():
        if name.endswith("lora_b"):
            torch.nn.init.normal_(parameter, std=0.1)
    return model.eval().requires_grad_(False)


def test_squares_are_drawn_as_ever_and_other_shapes_show_more_of_the_same():
    scenes = SpriteData("test").scenes(range(6))
    assert torch.equal(render(scenes, 5, 32, 32).pixels, render(scenes, 5, 32).pixels)
    wide = render(scenes, 5, 32, 64).pixels
    assert torch.equal(wide[..., 16:48], render(scenes, 5, 32).pixels), "the middle of a wide clip is the square"
    with pytest.raises(ValueError, match="nothing to render"):
        render(scenes, 5, 32, 0)


@pytest.mark.parametrize("shape", UNSEEN)
def test_a_clip_of_any_shape_can_be_read_and_says_what_the_square_said(shape):
    clips = ShapedSprites(*shape, "test", num_objects=1).batch(range(4))
    assert clips.captions == SpriteData("test", num_objects=1).batch(range(4)).captions
    assert accuracy([scene.words for scene in clips.scenes], read_sprites(clips.clips()))["all"] == 1


def test_no_training_clip_is_held_out_and_no_unseen_shape_is_trained():
    assert not set(TRAINED) & set(UNSEEN)
    for axis in range(3):
        trained = sorted(shape[axis] for shape in TRAINED)
        assert all(trained[0] <= shape[axis] <= trained[-1] for shape in UNSEEN)
    with pytest.raises(ValueError, match="split"):
        ShapedSprites(17, 64, 64, "all")


def test_tokens_buckets_and_batches():
    assert [num_tokens(shape) for shape in ((17, 64, 64), (1, 48, 80), (25, 96, 64))] == [80, 15, 168]
    with pytest.raises(ValueError, match="multiples of 16"):
        num_tokens((16, 64, 64))
    buckets = [(17, 64, 64), (17, 48, 80), (9, 128, 128)]
    assert nearest_bucket((40, 100, 170), buckets) == (17, 48, 80) and nearest_bucket((8, 64, 64), buckets) is None
    shapes = [TRAINED[k % 3] for k in range(50)]
    batches = bucket_batches(shapes, 400)
    assert sorted(k for batch in batches for k in batch) == list(range(50)) and batches == bucket_batches(shapes, 400)
    assert all(len({shapes[k] for k in batch}) == 1 for batch in batches)
    assert max(sum(num_tokens(shapes[k]) for k in batch) for batch in batches) <= 400


def test_the_square_keeps_its_places_and_a_finer_picture_lies_between_them():
    assert torch.equal(scaled_rotations((5, 4, 4), 64), rotations((5, 4, 4), 64))
    fine = scaled_rotations((1, 12, 12), 24).unflatten(0, (12, 12))[1::3, 1::3].flatten(0, 1)
    torch.testing.assert_close(fine, scaled_rotations((1, 4, 4), 24))
    with pytest.raises(ValueError, match="token"):
        scaled_rotations((1, 0, 4), 24)


def test_a_fresh_lora_changes_nothing_and_a_merged_one_gives_the_same():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.GELU(), torch.nn.Linear(8, 4))
    x = torch.randn(3, 6)
    before = net(x)
    assert inject_lora(net, ["0", "2"], rank=2) == ["0", "2"] and torch.equal(net(x), before)
    assert {name for name, p in net.named_parameters() if p.requires_grad} == set(lora_state(net.state_dict()))
    opened(net)
    after = net(x)
    merge_lora(net)
    assert not any(isinstance(layer, LoRALinear) for layer in net)
    torch.testing.assert_close(net(x), after)
    assert (after - before).abs().max() > 1e-2
    with pytest.raises(ValueError, match="0 such linear layers"):
        inject_lora(net, ["to_qkv"], 2)


@torch.no_grad()
def test_in_the_square_a_fresh_one_is_its_base_and_elsewhere_it_is_not(base):
    plain, shaped = VideoDiT.from_pretrained(base).eval(), ShapedVideoDiT.of(base, rank=2).eval()
    for size, is_same in (((3, 8, 8), True), ((3, 6, 10), False)):
        x, timestep, text = inputs(size=size)
        gap = (plain(x, timestep, text).sample - shaped(x, timestep, text).sample).abs().max()
        assert (gap < 1e-5) == is_same, size
    torch.testing.assert_close(ShapedVideoDiT.placed(base)(x, timestep, text).sample, shaped(x, timestep, text).sample)
    shaped.register_to_config(scaled=False)
    torch.testing.assert_close(plain(x, timestep, text).sample, shaped(x, timestep, text).sample)
    with pytest.raises(ValueError, match="timestep"):
        shaped(x, timestep[:1], text)


@torch.no_grad()
def test_packed_clips_get_what_each_gets_alone(base):
    model = opened(ShapedVideoDiT.of(base, rank=2))
    sizes, lengths = ((3, 6, 10), (1, 8, 4), (2, 12, 8)), (5, 2, 7)
    latents = [torch.randn(16, *size) for size in sizes]
    texts = [torch.randn(length, 384) for length in lengths]
    levels = [torch.tensor(300.0), torch.tensor(900.0), torch.tensor([0.0, 500.0])]  # the last one per frame
    together = model.packed(latents, levels, texts)
    for found, x, level, text in zip(together, latents, levels, texts):
        torch.testing.assert_close(found, model(x[None], level[None], text[None]).sample[0], atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_file_holds_the_lora_alone_and_refuses_another_base(base, tmp_path):
    model, place = opened(ShapedVideoDiT.of(base, rank=2)), tmp_path / "shaped"
    model.save_pretrained(place)
    size = (place / "diffusion_pytorch_model.safetensors").stat().st_size
    assert size < 5 * sum(tensor.numel() for tensor in lora_state(model.state_dict()).values())
    again = ShapedVideoDiT.from_pretrained(str(place))
    given = inputs()
    torch.testing.assert_close(again(*given).sample, model(*given).sample, atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match="merged"):
        again.save_pretrained(tmp_path / "again")
    with pytest.raises(TypeError, match="subfolder"):
        ShapedVideoDiT.from_pretrained(str(place), subfolder="x")
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps(config | {"base_sha256": "0" * 64}))
    with pytest.raises(WeightsError, match="belongs to other weights"):
        ShapedVideoDiT.from_pretrained(str(place))
    (place / "config.json").write_text(json.dumps(config | {"rank": 3}))
    with pytest.raises(WeightsError, match="does not hold the LoRA"):
        ShapedVideoDiT.from_pretrained(str(place))
    assert ShapedVideoDiT.of(base, rank=2).config.base_sha256 == config["base_sha256"]


def test_the_other_places_of_the_study_and_its_shift(base):
    model, grid = OtherPlaces.placed(base), (3, 2, 8)
    wanted = {
        "axis": ([0, 1, 2], [0.5, 2.5], 3.25),
        "area": ([0, 1, 2], [1, 2], 5),
        "frames": ([0, 2, 4], [0.5, 2.5], 8.5),
    }
    for model.how, (frames, rows, last_column) in wanted.items():
        found = [places.tolist() for places in model.places(grid)]
        assert found[0] == frames and found[1] == rows and found[2][-1] == last_column
        assert model.rotation(grid).shape == (48, model.config.dim // model.config.num_heads // 2)
    assert shift_for((17, 64, 64)) == 4 and shift_for((17, 128, 128)) == 8
