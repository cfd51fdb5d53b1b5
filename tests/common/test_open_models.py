"""Open models by their published configurations: known sizes, the autoencoders' ratios, tiny runs."""

import pytest
import torch
from diffusers import (
    AutoencoderKLCogVideoX,
    AutoencoderKLHunyuanVideo,
    AutoencoderKLLTXVideo,
    AutoencoderKLMochi,
    AutoencoderKLWan,
)

from common.models.dit import VideoDiT
from common.models.open_model_inputs import TINY, example_inputs, tiny_instance
from common.models.open_models import OPEN_MODELS, build, count_flops, describe, model_table

MODELS = {model.name: model for model in OPEN_MODELS}
GRID = (3, 2, 4)


@pytest.fixture(scope="module")
def rows():
    return {row.name: row for row in model_table()}


def test_sizes_are_those_that_their_makers_state(rows):
    """In billions of parameters of the transformer: as published, to a tenth of the number in the name."""
    stated = {"CogVideoX-5B": 5, "Mochi 1": 10, "LTX-Video 2B": 2, "HunyuanVideo": 13, "Wan 2.1 1.3B": 1.3,
              "Wan 2.1 14B": 14, "Open-Sora 2.0": 11, "Wan 2.2 5B": 5}  # fmt: skip
    assert rows.keys() == stated.keys()
    for name, billions in stated.items():
        assert rows[name].num_parameters / 1e9 == pytest.approx(billions, rel=0.12), name
    assert rows["HunyuanVideo"].num_parameters == 12_821_012_544 and rows["HunyuanVideo"].num_layers == (20, 40)


def test_tokens_are_those_of_the_clip(rows):
    assert rows["Wan 2.1 14B"].num_tokens == 21 * 45 * 80  # 81 frames, as the model makes them
    assert rows["HunyuanVideo"].num_tokens == 31 * 45 * 80
    assert rows["Mochi 1"].num_tokens == 26 * 45 * 80
    assert rows["LTX-Video 2B"].num_tokens == 17 * 22 * 40  # 22.5 rows do not fit
    assert [MODELS[name].frames(5) for name in ("CogVideoX-5B", "Mochi 1", "Wan 2.2 5B")] == [41, 151, 121]


def test_operations_follow_from_tokens_width_and_depth(rows):
    """For Wan by hand: weights times tokens, and 4 N² D per block for self-attention, 4 N L D for the text."""
    row, model = rows["Wan 2.1 14B"], MODELS["Wan 2.1 14B"]
    n, d, layers = row.num_tokens, row.dim, row.num_layers[0]
    assert row.attention_flops == pytest.approx(layers * 4 * n * d * (n + model.text_length), rel=1e-6)
    ffn = 2 * d * 13_824
    per_token = layers * (4 * d * d + 2 * d * d + ffn)  # self-attention, queries and output of the text's, feed-forward
    assert row.linear_flops == pytest.approx(2 * n * per_token, rel=0.02)


@pytest.mark.parametrize("name", ["Mochi 1", "HunyuanVideo", "Wan 2.2 5B"])
def test_counting_few_blocks_is_counting_them_all(name):
    model = MODELS[name]
    depths = {part: 4 + number for number, part in enumerate(model.depths)}
    shallow = type(model)(**{**vars(model), "config": model.config | depths})
    row = describe(shallow, seconds=1, height=96, width=160)
    whole = count_flops(shallow, shallow.grid(shallow.frames(1), 96, 160))
    assert (row.linear_flops, row.attention_flops) == pytest.approx(whole, rel=1e-9)


def test_ratios_are_those_of_diffusers_autoencoders():
    with torch.device("meta"):
        found = {
            "CogVideoX-5B": (c := AutoencoderKLCogVideoX().config).temporal_compression_ratio,
            "HunyuanVideo": (h := AutoencoderKLHunyuanVideo().config).temporal_compression_ratio,
            "Mochi 1": (m := AutoencoderKLMochi()).temporal_compression_ratio,
            "LTX-Video 2B": (ltx := AutoencoderKLLTXVideo()).temporal_compression_ratio,
            "Wan 2.1 14B": (w := AutoencoderKLWan().config).scale_factor_temporal,
        }
    space = {"CogVideoX-5B": 2 ** (len(c.block_out_channels) - 1), "HunyuanVideo": h.spatial_compression_ratio,
             "Mochi 1": m.spatial_compression_ratio, "LTX-Video 2B": ltx.spatial_compression_ratio,
             "Wan 2.1 14B": w.scale_factor_spatial}  # fmt: skip
    for name, ratio in found.items():
        assert MODELS[name].ratios == (ratio, space[name], space[name]), name
    assert MODELS["Wan 2.1 1.3B"].ratios == MODELS["Open-Sora 2.0"].ratios == (4, 8, 8)


def test_entries_hold_only_what_differs_from_the_class_and_say_where_it_was_read():
    for model in OPEN_MODELS:
        defaults = build(type(model)(**{**vars(model), "config": {}}), num_layers=1).config
        assert all(defaults[name] != value for name, value in model.config.items() if name != "num_layers"), model.name
        assert "/" in model.source and 2024 <= int(model.released[:4]) <= 2026


@pytest.mark.parametrize("name", TINY)
def test_tiny_instances_run_and_every_input_reaches_the_output(name):
    model = tiny_instance(name)
    inputs = example_inputs(model, GRID, text_length=8)
    out = model(**inputs)[0]
    assert out.shape == inputs["hidden_states"].shape and out.isfinite().all()
    assert torch.equal(tiny_instance(name)(**inputs)[0], out)
    for part in ("hidden_states", "encoder_hidden_states", "timestep"):
        changed = model(**inputs | {part: 0.5 * inputs[part]})[0]
        assert (changed - out).abs().max() > 1e-4, part


def test_other_classes_have_no_example_inputs():
    with pytest.raises(ValueError, match="VideoDiT"):
        example_inputs(VideoDiT(dim=16, num_layers=1, num_heads=1, ffn_dim=16), GRID, 8)
