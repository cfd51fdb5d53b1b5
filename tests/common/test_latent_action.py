"""The latent action model: who sees what, what the loss is made of, and what passes the bottleneck."""

import pytest
import torch

from common.models.latent_action import PRESETS, LatentActionModel, latent_action_loss, past_loss

COUNTS = {"ci": 33_222, "cpu": 264_758, "gpu": 4_031_150}


@pytest.fixture
def model() -> LatentActionModel:
    """A small one that draws something."""
    torch.manual_seed(0)
    model = LatentActionModel(num_codes=5, code_dim=3, **PRESETS["ci"])
    torch.nn.init.normal_(model.change_out.weight, std=0.1)
    return model.eval()


def films(seed: int, batch: int = 3, size: int = 16) -> torch.Tensor:
    return torch.rand(batch, 3, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("preset", COUNTS)
def test_presets_have_so_many_parameters(preset):
    assert sum(p.numel() for p in LatentActionModel(**PRESETS[preset]).parameters()) == COUNTS[preset]


def test_a_fresh_model_draws_the_last_frame_again():
    clip = films(0)
    found = latent_action_loss(LatentActionModel(**PRESETS["ci"]), clip)
    assert found.missed.item() == pytest.approx(1, abs=1e-5)


def test_the_next_frame_reaches_the_decoder_through_the_code_alone(model):
    """Another next frame with the same code gives the same picture."""
    clip = films(1, batch=1)
    codes = {}
    for seed in range(60):
        following = films(seed, batch=1)[:, :, 2]
        number = int(model.quantize(model.encode(clip[:, :, :2], following))[1])
        drawn = model(clip[:, :, :2], following)
        assert torch.allclose(codes.setdefault(number, drawn), drawn, atol=1e-5)
    free = LatentActionModel(num_codes=0, code_dim=3, **PRESETS["ci"])
    torch.nn.init.normal_(free.eval().change_out.weight, std=0.1)
    assert not torch.allclose(*(free(clip[:, :, :2], films(seed, batch=1)[:, :, 2]) for seed in (3, 4)), atol=1e-5)


def test_what_the_encoder_says_is_spread_over_a_batch(model):
    clip = films(2, batch=12)
    z = model.train().encode(clip[:, :, :2], clip[:, :, 2])
    assert torch.allclose(z.mean(dim=0), torch.zeros(3), atol=1e-5)
    assert torch.allclose(z.var(dim=0, unbiased=False), torch.ones(3), atol=0.05)


def test_a_crop_is_drawn_as_the_frame_is(model):
    """Away from the crop's edge: nothing in the decoder depends on the size of the picture."""
    clip, codes = films(8, batch=1, size=96), torch.randn(1, 3, generator=torch.Generator().manual_seed(0))
    whole = model.decode(clip[:, :, :2], codes)[..., 44:52, 44:52]
    crop = model.decode(clip[:, :, :2, 4:92, 4:92], codes)[..., 40:48, 40:48]
    assert torch.allclose(whole, crop, atol=1e-4)


def test_the_loss_is_the_missed_share_and_the_commitment(model):
    clip = films(3)
    found = latent_action_loss(model, clip, beta=0.7)
    drawn, last, due = model(clip[:, :, :2], clip[:, :, 2]), clip[:, :, 1], clip[:, :, 2]
    missed = (drawn - due).square().sum() / (last - due).square().sum()
    pull = (found.z - model.quantizer.codebook[found.indices]).square().sum() / len(clip)
    assert found.missed.item() == pytest.approx(missed.item()) and found.commitment.item() == pytest.approx(pull.item())
    assert found.loss.item() == pytest.approx((missed + 0.7 * pull).item())


def test_without_a_code_the_loss_is_that_of_a_code_of_zeros(model):
    clip = films(4)
    drawn, due = model.decode(clip[:, :, :2], torch.zeros(3, 3)), clip[:, :, 2]
    missed = (drawn - due).square().sum() / (clip[:, :, 1] - due).square().sum()
    assert past_loss(model, clip).item() == pytest.approx(missed.item())


def test_every_parameter_learns(model):
    latent_action_loss(model, films(4)).loss.backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())


def test_a_video_has_a_code_for_every_step_that_has_a_past(model):
    clip = films(5, batch=1, size=16)[0].repeat(1, 3, 1, 1)  # 9 frames
    codes = model.infer(clip, batch_size=3)
    assert codes.shape == (7,) and torch.equal(codes, model.infer(clip))
    alone = model.quantize(model.encode(clip[None, :, 4:6], clip[None, :, 6]))[1]
    assert codes[4] == alone


def test_saved_and_loaded_it_is_the_same(model, tmp_path):
    model.save_pretrained(tmp_path)
    clip, again = films(6), LatentActionModel.from_pretrained(tmp_path).eval()
    assert torch.equal(model(clip[:, :, :2], clip[:, :, 2]), again(clip[:, :, :2], clip[:, :, 2]))
