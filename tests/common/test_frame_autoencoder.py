"""The 2D autoencoder: no frame knows another, and what it shares with the video autoencoder is really the same."""

import pytest
import torch

from common.models.autoencoder import CausalVideoVAE
from common.models.frame_autoencoder import (
    PRESETS,
    FrameAutoencoder,
    FrameBlock,
    decode_frames,
    encode_frames,
)

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
