"""`FrameVAE`: the video autoencoder on single pictures, with the interface of a pipeline's image VAE."""

import torch

from common.data.sprites.one_object import OneObject
from common.evaluation.image import psnr
from common.models.autoencoder import CausalVideoVAE
from common.models.frame_autoencoder import encode_frames
from common.models.frame_vae import FrameVAE


def pictures(count: int = 2) -> torch.Tensor:
    """`(N, 3, 64, 64)`: the middle frames of test clips."""
    return OneObject("test").batch(range(count)).clips()[:, :, 4]


def test_its_latents_are_those_of_clips_of_one_frame_normalised():
    vae, frames = CausalVideoVAE.from_pretrained("sprites-vae").eval(), pictures()
    found = FrameVAE(vae).encode(frames).latent_dist
    assert found.mode().shape == (2, 16, 8, 8)
    due = vae.normalize(encode_frames(vae, frames[:, :, None]))[:, :, 0]
    assert torch.equal(found.mode(), due)


def test_a_draw_has_the_spread_of_the_autoencoder_in_normalised_units():
    vae, frames = CausalVideoVAE.from_pretrained("sprites-vae").eval(), pictures(1)
    raw, found = vae.encode(frames[:, :, None]).latent_dist, FrameVAE(vae).encode(frames).latent_dist
    shifted = vae.normalize(raw.mean + raw.std) - vae.normalize(raw.mean)
    assert torch.allclose(found.std, shifted[:, :, 0], rtol=1e-3)


def test_decoding_gives_the_picture_back():
    vae, frames = FrameVAE.from_pretrained("sprites-vae"), pictures(4)
    with torch.no_grad():
        restored = vae(frames).sample.clamp(-1, 1)
    assert restored.shape == frames.shape
    assert psnr(restored[:, :, None], frames[:, :, None], data_range=2).mean() > 30


def test_pictures_are_decoded_alone():
    """Chunks and `num_frames`, which other decoders need, change nothing."""
    vae = FrameVAE.from_pretrained("sprites-vae")
    with torch.no_grad():
        latents = vae.encode(pictures(3)).latent_dist.mode()
        whole = vae.decode(latents, num_frames=3).sample
        alone = torch.cat([vae.decode(one[None], return_dict=False)[0] for one in latents])
    assert torch.allclose(whole, alone, atol=1e-5)


def test_it_says_to_pipelines_that_latents_are_eight_times_smaller_and_not_scaled():
    config = FrameVAE.from_pretrained("sprites-vae").config
    assert 2 ** (len(config.block_out_channels) - 1) == 8
    assert config.scaling_factor == 1
