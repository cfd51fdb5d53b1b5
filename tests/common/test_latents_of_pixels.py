"""What a diffusion model is given: normalised latents, or patches of pixels."""

import pytest
import torch

from common.data.mini import MiniSprites
from common.diffusion.normalize import LatentStatistics
from common.evaluation.mini import decode_and_read
from common.evaluation.share import Share
from common.models.autoencoder import CausalVideoVAE
from common.models.dit import VideoDiT
from common.models.pixel_coder import PixelCoder
from common.zoo.mini_arm import MODEL, pixel_model


def test_normalised_latents_have_mean_0_and_standard_deviation_1_and_come_back():
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(5, 3, 2, 4, 6, generator=generator) * torch.tensor([0.1, 1, 7])[:, None, None, None] + 3
    statistics = LatentStatistics.fit(latents)
    normal = statistics.normalize(latents)
    torch.testing.assert_close(normal.mean((0, 2, 3, 4)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normal.var((0, 2, 3, 4), correction=0), torch.ones(3))
    torch.testing.assert_close(statistics.denormalize(normal), latents)
    with pytest.raises(ValueError, match="channel 1"):
        LatentStatistics.fit(latents * torch.tensor([1.0, 0, 1])[:, None, None, None])


def test_the_shipped_statistics_normalise_as_the_autoencoder_does():
    vae, z = CausalVideoVAE.from_pretrained("sprites-vae"), torch.randn(2, 16, 3, 4, 5)
    statistics = LatentStatistics(torch.tensor(vae.config.latents_mean), torch.tensor(vae.config.latents_std))
    torch.testing.assert_close(statistics.normalize(z), vae.normalize(z))
    torch.testing.assert_close(statistics.denormalize(z), vae.denormalize(z))


def test_patches_of_pixels_are_the_patches_of_the_transformer():
    """A model on patches made before is the model that makes them itself."""
    torch.manual_seed(0)
    outside = VideoDiT(in_channels=12, patch_size=1, dim=16, num_layers=1, num_heads=1, ffn_dim=16, text_dim=8)
    inside = VideoDiT(in_channels=3, patch_size=2, dim=16, num_layers=1, num_heads=1, ffn_dim=16, text_dim=8)
    for weight in outside.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    state, coder = outside.state_dict(), PixelCoder(2)
    clips, level, text = torch.randn(2, 3, 2, 4, 6), torch.tensor([100.0, 700.0]), torch.randn(2, 5, 8)
    order = coder.encode(torch.arange(12.0).reshape(1, 3, 1, 2, 2)).flatten().long()
    assert order.tolist() == list(range(12))
    inside.load_state_dict(state)
    torch.testing.assert_close(
        coder.decode(outside(coder.encode(clips), level, text).sample), inside(clips, level, text).sample
    )


def test_no_pixel_is_lost_and_a_frame_that_does_not_divide_is_refused():
    clips = torch.arange(2 * 3 * 5 * 12 * 18).reshape(2, 3, 5, 12, 18)
    assert PixelCoder(6).encode(clips).shape == (2, 108, 5, 2, 3)
    assert torch.equal(PixelCoder(6).decode(PixelCoder(6).encode(clips)), clips)
    with pytest.raises(ValueError, match="8x8"):
        PixelCoder().encode(clips)


def test_pixels_cost_the_model_of_the_default_arm_no_blocks():
    with torch.device("meta"):
        pixels, latents = pixel_model(), VideoDiT(**MODEL)
    count = lambda model: sum(p.numel() for p in model.blocks.parameters())  # noqa: E731
    assert count(pixels) == count(latents)
    assert sum(p.numel() for p in pixels.parameters()) == 1_589_504


def test_decoded_clips_are_read_piece_by_piece_against_their_own_captions():
    batch, seen = MiniSprites("test").batch(range(5)), []
    statistics = LatentStatistics(torch.tensor([0.1, 0.2, 0.3]), torch.tensor([2.0, 0.5, 1.0]))

    def decode(latents):
        seen.append(len(latents))
        return latents * 1.5  # out of range

    latents = statistics.normalize(batch.clips() / 1.5)
    share = decode_and_read(latents, batch.captions, statistics, decode, batch_size=2)
    assert (share.right, share.total, seen) == (5, 5, [2, 2, 1])
    others = batch.captions[1:] + batch.captions[:1]
    assert decode_and_read(latents, others, statistics, decode).right == 0
    with pytest.raises(ValueError, match="4 captions for 5"):
        decode_and_read(latents, batch.captions[:4], statistics, decode)


def test_wilson_intervals_are_those_of_the_textbook():
    """Agresti, Coull 1998: 95 % intervals of 0 of 10 and 5 of 10."""
    assert Share(0, 10).interval == pytest.approx((0, 0.2775), abs=1e-3)
    assert Share(5, 10).interval == pytest.approx((0.2366, 0.7634), abs=1e-3)
    assert str(Share(10, 10)) == "100% (72% to 100%)"
    for right, total in ((3, 2), (-1, 4), (0, 0)):
        with pytest.raises(ValueError, match="no share"):
            Share(right, total)
