"""The first training steps of `sprites-svd`: clips as the loss wants them, the same noise for all, a short loop."""

from types import SimpleNamespace

import pytest
import torch

from common.diffusion.image_to_video import i2v_loss
from common.layers import temporal
from common.models.inflated_model import InflatedUNet, as_image_model
from common.models.inflated_unet import inflate, new_parameters
from common.models.shipped import find
from common.zoo.sprites_image.recipe import RECIPE
from common.zoo.sprites_svd.first_steps import assembled, coded, hearing, mean_loss, training_steps
from common.zoo.sprites_svd.recipe import sparse

PARTS = SimpleNamespace(
    inflate=inflate, TemporalResnetBlock=temporal.TemporalResnetBlock, AlphaBlender=temporal.AlphaBlender,
    TemporalTransformerBlock=temporal.TemporalTransformerBlock,
)  # fmt: skip


@pytest.fixture(scope="module")
def given():
    return coded(sparse("large", 3))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return InflatedUNet.of(RECIPE.build_model("ci"), in_channels=32, num_frames=8)


def test_clips_come_with_their_first_frames_words_and_ids(given):
    assert given.x0.shape == (3, 16, 8, 8, 8) and torch.equal(given.picture, given.x0[:, :, 0])
    assert given.time_ids[:, 0].tolist() == [3, 3, 3] and given.no_states.shape == (1, *given.states.shape[1:])
    part = given.take(torch.tensor([2, 0]))
    assert torch.equal(part.states[0], given.states[2]) and part.no_states is given.no_states and len(part) == 2


def test_the_mean_loss_has_the_same_noise_for_every_model_and_drops_nothing(given):
    seen = []

    def loss(model, x0, eps, sigma, *rest):
        seen.append((eps, sigma, rest[-2:]))
        return torch.full((len(x0),), 2.0)

    assert mean_loss(loss, None, given, seed=4, num_draws=2) == mean_loss(loss, None, given, seed=4, num_draws=2) == 2
    assert all(torch.equal(*pair) for pair in zip(seen[0][:2], seen[2][:2])) and not torch.equal(seen[0][0], seen[1][0])
    sigmas = torch.cat([seen[0][1], seen[1][1]])
    assert len(sigmas.unique()) == 6 and not any(mask.any() for call in seen for mask in call[2])


def test_training_lowers_the_loss_and_leaves_what_is_frozen(given, model):
    frozen = {name: p.detach().clone() for name, p in model.named_parameters() if not p.requires_grad}
    before = mean_loss(i2v_loss, model, given)
    steps = list(training_steps(i2v_loss, model, given, num_steps=8))
    assert len(steps) == 8 and mean_loss(i2v_loss, model, given) < before
    assert all(torch.equal(model.get_parameter(name), kept) for name, kept in frozen.items())


def test_a_zero_at_the_end_hears_later_and_the_model_is_left_as_it_was(given, model):
    silent, x = as_image_model(model), torch.randn(1, 8, 32, 8, 8)
    names = [name for name in new_parameters(silent) if not name.startswith("conv_in")]
    before = {name: p.detach().clone() for name, p in silent.named_parameters()}
    loss = lambda: silent(x, torch.zeros(1), given.states[:1], given.time_ids[:1]).sample.square().mean()  # noqa: E731
    for parameter in silent.parameters():
        parameter.requires_grad_(True)
    first, second = hearing(silent, loss, names)
    assert 0 < first < second == len(names)
    assert all(torch.equal(p, before[name]) for name, p in silent.named_parameters())


def test_a_model_of_given_parts_is_the_image_model_with_their_layers(given):
    model = as_image_model(assembled(PARTS, weights=None))
    assert any(type(part) is temporal.TemporalResnetBlock for part in model.modules())
    image = InflatedUNet.of(find("sprites-image"), in_channels=32, num_frames=8).eval()
    x = torch.randn(1, 8, 32, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        both = [one(x, torch.zeros(1), given.states[:1], given.time_ids[:1]).sample for one in (model, image)]
    assert torch.allclose(*both, atol=1e-4) and model.config.num_frames == 8
