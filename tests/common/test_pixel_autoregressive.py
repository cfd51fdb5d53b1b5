"""The pixel model: a true probability, no look ahead, and samples from just that probability."""

import itertools
import math

import pytest
import torch

from common.models.pixel_autoregressive import PRESETS, MaskedConv2d, PixelVideoModel, bits, to_levels


def make(seed=0, spread=3.0, **options):
    torch.manual_seed(seed)
    model = PixelVideoModel(**({"width": 8, "num_layers": 2} | options))
    with torch.no_grad():
        model.logits_out.weight *= spread
    return model


def clips(seed, *size, levels=2):
    return torch.randint(levels, size, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_the_probabilities_of_all_pictures_add_up_to_one():
    model = make(num_levels=3)
    every = torch.tensor(list(itertools.product(range(3), repeat=6))).reshape(-1, 1, 2, 3)  # all 2 x 3 frames
    assert model.log_prob(every).exp().sum().item() == pytest.approx(1, abs=1e-4)
    before = clips(1, 1, 2, 2, 3, levels=3).expand(len(every), -1, -1, -1)
    after = model.log_prob(torch.cat([before, every], dim=1))[:, -1]
    assert after.exp().sum().item() == pytest.approx(1, abs=1e-4)
    assert after.exp().std() > 1e-5, "all frames equally probable would add up to one as well"


@torch.no_grad()
def test_a_pixel_moves_no_logit_at_or_before_it():
    model, before = make(), clips(2, 2, 4, 6, 7)
    height, width = 6, 7
    for t, y, x in ((0, 0, 0), (1, 3, 4), (2, 5, 6), (3, 2, 0)):
        after = before.clone()
        after[1, t, y, x] = 1 - after[1, t, y, x]
        moved = (model(before) - model(after)).abs().amax(dim=1) > 0  # (B, T, H, W)
        order = torch.arange(4 * height * width).reshape(4, height, width)
        place = order[t, y, x]
        assert not moved[0].any() and not moved[1][order <= place].any()
        last = (t, y, x) == (3, height - 1, width - 1)
        assert last or moved[1][order > place].any()


@torch.no_grad()
def test_the_past_is_two_frames():
    model, before = make(), clips(3, 1, 5, 5, 5)
    after = before.clone()
    after[0, 1] = 1 - after[0, 1]
    moved = (model(before) - model(after)).abs().amax(dim=(0, 1, 3, 4)) > 0
    assert moved.tolist() == [False, True, True, True, False]


@torch.no_grad()
def test_samples_come_as_often_as_they_are_probable():
    model = make(5, spread=30.0)
    beginning = clips(4, 1, 1, 2, 2).expand(4000, -1, -1, -1)  # two rows: what is begun changes on the way
    drawn = model.sample(beginning, 1, torch.Generator().manual_seed(0))[:, 0].reshape(-1, 4)
    every = torch.tensor(list(itertools.product(range(2), repeat=4))).reshape(-1, 1, 2, 2)
    expected = model.log_prob(torch.cat([beginning[: len(every)], every], dim=1))[:, 1].exp()
    found = torch.bincount(drawn @ torch.tensor([8, 4, 2, 1]), minlength=16) / len(drawn)
    assert expected.std() > 0.02
    assert (found - expected).abs().max() < 4 * (0.25 / len(drawn)) ** 0.5


def test_the_mask_is_the_raster_order():
    first, later = MaskedConv2d(1, 1, 3, sees_itself=False), MaskedConv2d(1, 1, 3, sees_itself=True)
    assert first.mask.tolist() == [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert later.mask.tolist() == [[1, 1, 1], [1, 1, 0], [0, 0, 0]]
    assert not first.state_dict().keys() & {"mask"}


def test_bits_and_levels():
    assert bits(torch.tensor(math.log(8.0))).item() == pytest.approx(3)
    values = torch.tensor([-1.0, -0.6, 0.1, 0.6, 1.0]).reshape(1, 1, 1, 1, 5)
    assert to_levels(values, 4).flatten().tolist() == [0, 0, 2, 3, 3]
    assert to_levels(values, 2).flatten().tolist() == [0, 0, 1, 1, 1]


@pytest.mark.parametrize("bad", [clips(0, 2, 3, 4), clips(0, 1, 2, 3, 4).float(), clips(0, 1, 2, 3, 4) + 1])
def test_what_is_no_clip_of_levels_is_refused(bad):
    with pytest.raises(ValueError, match=r"levels|clips"):
        make()(bad)


def test_the_presets():
    assert {name: PixelVideoModel(**options).num_parameters() for name, options in PRESETS.items()} == {
        "ci": 10194,
        "cpu": 25682,
        "gpu": 766754,
    }
