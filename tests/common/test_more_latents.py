"""Growth of the bottleneck: the same reconstruction before training, and new channels that training can use."""

import pytest
import torch

from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.models.more_latents import with_more_latents


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = CausalVideoVAE(latent_channels=6, **PRESETS["ci"])
    for parameter in model.parameters():
        parameter.data += 0.02 * torch.randn(parameter.shape)
    return model


def test_a_grown_model_reconstructs_what_the_old_one_does_and_its_old_latents_are_the_same(model):
    grown, clip = with_more_latents(model, 10), torch.rand(2, 3, 5, 24, 16) * 2 - 1
    old, new = (one.encode(clip).latent_dist for one in (model, grown))
    assert new.mean.shape[1] == 10 and torch.equal(new.mean[:, :6], old.mean) and torch.equal(new.std[:, :6], old.std)
    assert torch.equal(grown.decode(new.mode()).sample, model.decode(old.mode()).sample)


def test_a_new_channels_signal_is_as_large_as_an_old_ones_and_so_is_its_noise(model):
    model.encoder.moments_out.conv.weight.data[:6] *= 7
    new = with_more_latents(model, 10).encode(torch.rand(2, 3, 5, 24, 16) * 2 - 1).latent_dist
    spread = new.mean.std(dim=(0, 2, 3, 4))  # (10,)
    assert 0.3 < spread[6:].mean() / spread[:6].mean() < 3
    assert torch.equal(new.std[:, 6:], new.std[:, :4])


def test_training_reaches_the_new_channels(model):
    """The decoder's weights on them are zero, and their gradient is not: after one step the encoder has one too."""
    grown, clip = with_more_latents(model, 10), torch.rand(2, 3, 5, 24, 16) * 2 - 1
    optimizer = torch.optim.SGD(grown.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        (grown(clip).sample - clip).square().mean().backward()
        optimizer.step()
    assert (grown.decoder.latents_in.conv.weight.grad[:, 6:].abs().amax(dim=(0, 2, 3, 4)) > 0).all()
    assert (grown.encoder.moments_out.conv.weight.grad[6:10].abs().amax(dim=(1, 2, 3, 4)) > 0).all()


def test_a_model_is_left_alone_and_never_shrinks(model):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    grown = with_more_latents(model, 6)
    grown.decoder.patches_out.conv.bias.data += 1
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    with pytest.raises(ValueError, match="5 are fewer"):
        with_more_latents(model, 5)
