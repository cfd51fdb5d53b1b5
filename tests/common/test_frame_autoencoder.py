"""The 2D autoencoder: no frame knows another, and what it shares with the video autoencoder is really the same."""

import pytest
import torch
from diffusers import AutoencoderKL

from common.models.autoencoder import CausalVideoVAE
from common.models.frame_autoencoder import (
    PRESETS,
    FrameAutoencoder,
    FrameBlock,
    decode_frames,
    encode_frames,
    equal_rate,
)
from common.models.image_vae import TINY, ImageVAE

NUM_PARAMETERS = {"ci": 86_042, "cpu": 1_741_354, "gpu": 5_416_154}


@pytest.fixture(scope="module")
def vae():
    """A small autoencoder whose every weight counts: no block is the identity."""
    torch.manual_seed(0)
    model = FrameAutoencoder(**PRESETS["ci"]).eval().requires_grad_(False)
    for module in model.modules():
        if isinstance(module, FrameBlock):
            torch.nn.init.normal_(module.second.weight, std=0.05)
    return model


@pytest.fixture(scope="module")
def clip():
    return torch.rand(2, 3, 6, 24, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("name", PRESETS)
def test_number_of_parameters(name):
    with torch.device("meta"):
        model = FrameAutoencoder(**PRESETS[name])
    assert sum(p.numel() for p in model.parameters()) == NUM_PARAMETERS[name]


def test_as_many_weights_and_numbers_per_clip_as_the_video_autoencoder():
    with torch.device("meta"):
        frames, video = FrameAutoencoder(), CausalVideoVAE()
        counts = [sum(p.numel() for p in model.parameters()) for model in (frames, video)]
        sizes = [model.encode(torch.zeros(1, 3, 17, 64, 64)).latent_dist.mode().numel() for model in (frames, video)]
    assert abs(counts[0] / counts[1] - 1) < 0.01
    assert sizes == [5440, 5120]


def test_fresh_blocks_are_the_identity():
    x = torch.randn(2, 6, 3, 4, 5)
    block = FrameBlock(6)
    assert not torch.equal(block(x), x)
    block.init_weights()
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("frame", [0, 3, 5])
def test_a_changed_frame_moves_its_own_latent_and_its_own_picture_alone(vae, clip, frame):
    changed, others = clip.clone(), [k for k in range(6) if k != frame]
    changed[:, :, frame] += 0.3
    latents = [vae.encode(each).latent_dist.mode() for each in (clip, changed)]
    pictures = [vae.decode(each).sample for each in latents]
    for before, after in (latents, pictures):
        moved = (after - before).abs().amax(dim=(0, 1, 3, 4))  # (T,)
        assert (moved[others] == 0).all() and moved[frame] > 1e-3


def test_a_clip_is_its_frames_one_by_one(vae, clip):
    assert vae.encode(clip).latent_dist.mode().shape == (2, 5, 6, 3, 2) and vae(clip).sample.shape == clip.shape
    latents = encode_frames(vae, clip)
    torch.testing.assert_close(latents, vae.encode(clip).latent_dist.mode())
    torch.testing.assert_close(decode_frames(vae, latents), vae.decode(latents).sample)


def test_a_video_autoencoder_frame_by_frame_has_the_latent_of_each_image(clip):
    torch.manual_seed(0)
    video = CausalVideoVAE(fine_channels=16, coarse_channels=32, num_coarse=1).eval().requires_grad_(False)
    latents = encode_frames(video, clip)
    assert latents.shape == (2, 16, 6, 3, 2) and decode_frames(video, latents).shape == clip.shape
    image = video.encode(clip[1:, :, 4:5]).latent_dist.mode()
    torch.testing.assert_close(latents[1:, :, 4:5], image)


def test_a_draw_comes_from_the_generator_and_differs_from_the_most_likely_latents(vae, clip):
    mode, (one, same, other) = encode_frames(vae, clip), [
        encode_frames(vae, clip, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    ]  # fmt: skip
    assert torch.equal(one, same) and not torch.equal(one, other) and not torch.equal(one, mode)


def test_equal_rate_of_the_models_that_ship_and_of_known_ones():
    assert equal_rate(17, 16) == FrameAutoencoder().config.latent_channels
    assert equal_rate(81, 16) == 4  # Wan and HunyuanVideo against Stable Diffusion
    assert equal_rate(121, 128, 8, 32) == 1  # LTX-Video
    assert equal_rate(1, 16) == 16 and equal_rate(9, 1) == 1
    with pytest.raises(ValueError, match="18"):
        equal_rate(18, 16)
    with pytest.raises(ValueError, match="at least 1"):
        equal_rate(0, 16)


def test_stable_diffusions_kind_of_vae_codes_frames_one_by_one():
    torch.manual_seed(0)
    images = AutoencoderKL(**TINY).eval().requires_grad_(False)
    clip = torch.rand(2, 3, 3, 16, 24) * 2 - 1
    latents = encode_frames(ImageVAE(images), clip)
    assert latents.shape == (2, 4, 3, 2, 3)
    torch.testing.assert_close(latents[1:, :, 2], images.encode(clip[1:, :, 2]).latent_dist.mode())
    torch.testing.assert_close(
        decode_frames(ImageVAE(images), latents)[:1, :, 1], images.decode(latents[:1, :, 1]).sample
    )


def test_normalised_latents_and_back(vae, clip):
    mean, std = torch.arange(5.0), torch.arange(1.0, 6.0)
    model = FrameAutoencoder(**PRESETS["ci"], latents_mean=mean.tolist(), latents_std=std.tolist())
    z = torch.randn(2, 5, 6, 3, 2)
    torch.testing.assert_close(model.normalize(z)[:, 3], (z[:, 3] - 3) / 4)
    torch.testing.assert_close(model.denormalize(model.normalize(z)), z)
    with pytest.raises(ValueError, match="never measured"):
        vae.normalize(z)


@pytest.mark.parametrize("shape", [(2, 3, 24, 16), (2, 4, 5, 24, 16), (2, 3, 5, 20, 16), (2, 3, 5, 24, 12)])
def test_another_size_is_refused(vae, shape):
    with pytest.raises(ValueError, match="multiples of 8"):
        vae.encode(torch.zeros(shape))
