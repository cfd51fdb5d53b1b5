"""The MMDiT as a whole: it begins as zero, its text matters where it is not padding, and it saves and loads."""

import pytest
import torch

from common.models.mmdit import PRESETS, MMVideoDiT


@pytest.fixture
def model() -> MMVideoDiT:
    torch.manual_seed(0)
    model = MMVideoDiT(**PRESETS["ci"], text_dim=12, freq_dim=16).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.2)
    return model.requires_grad_(False)


def inputs():
    dice = torch.Generator().manual_seed(1)
    draw = lambda *shape: torch.randn(shape, generator=dice)  # noqa: E731
    return draw(2, 16, 3, 4, 6), torch.tensor([300.0, 900.0]), draw(2, 5, 12)


def test_a_fresh_model_predicts_zero_and_has_the_stated_size():
    model = MMVideoDiT(**PRESETS["ci"])
    x, timestep, _ = inputs()
    assert not model(x, timestep, torch.randn(2, 5, 384)).sample.any()
    sizes = {name: sum(p.numel() for p in MMVideoDiT(**preset).parameters()) for name, preset in PRESETS.items()}
    assert sizes == {"ci": 229_888, "cpu": 5_210_112, "gpu": 5_210_112}


def test_padding_changes_nothing_and_words_do(model):
    x, timestep, text = inputs()
    alone = model(x, timestep, text).sample
    mask = torch.arange(9).expand(2, -1) < 5
    padded = model(x, timestep, torch.cat([text, 7 * torch.ones(2, 4, 12)], dim=1), mask).sample
    torch.testing.assert_close(padded, alone, atol=1e-4, rtol=1e-4)
    assert (model(x, timestep, text.roll(1, 0)).sample - alone).abs().max() > 1e-2


def test_one_level_for_all_frames_is_the_same_level_in_each(model):
    x, timestep, text = inputs()
    torch.testing.assert_close(
        model(x, timestep[:, None].expand(-1, 3), text).sample, model(x, timestep, text).sample, atol=1e-4, rtol=1e-4
    )


def test_order_of_words_is_in_their_states_alone(model):
    """The text has no places: states in another order are the same text."""
    x, timestep, text = inputs()
    turned = model(x, timestep, text[:, [3, 1, 4, 0, 2]]).sample
    torch.testing.assert_close(turned, model(x, timestep, text).sample, atol=1e-4, rtol=1e-4)
    frames = model(x.flip(2), timestep, text).sample.flip(2)
    assert (frames - model(x, timestep, text).sample).abs().max() > 1e-2  # and frames have


def test_it_saves_and_loads(model, tmp_path):
    model.save_pretrained(tmp_path)
    x, timestep, text = inputs()
    assert torch.equal(
        MMVideoDiT.from_pretrained(tmp_path)(x, timestep, text, return_dict=False)[0],
        model(x, timestep, text).sample,
    )


@pytest.mark.parametrize(
    "latents, timestep", [((2, 8, 3, 4, 6), (2,)), ((2, 16, 4, 6), (2,)), ((2, 16, 3, 4, 6), (3,))]
)
def test_other_shapes_are_refused(model, latents, timestep):
    with pytest.raises(ValueError, match="latents"):
        model(torch.zeros(latents), torch.zeros(timestep), torch.zeros(2, 5, 12))
