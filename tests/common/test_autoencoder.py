"""The causal video autoencoder: nothing looks ahead, an image is a clip of one frame, pieces give the whole."""

import math

import pytest
import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

from common.layers import CausalConv3d, ChannelNorm, FactorizedBlock
from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.models.gaussian import DiagonalGaussian

NUM_PARAMETERS = {"ci": 85_008, "cpu": 1_739_632, "gpu": 5_609_392}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def vae() -> CausalVideoVAE:
    """A small one whose every weight counts: no block is the identity."""
    torch.manual_seed(0)
    model = CausalVideoVAE(**PRESETS["ci"]).eval().requires_grad_(False)
    for block in model.modules():
        if isinstance(block, FactorizedBlock):
            torch.nn.init.normal_(block.time.conv.weight, std=0.2)
    return model


@pytest.fixture(scope="module")
def clip() -> torch.Tensor:
    """`(2, 3, 13, 24, 16)`: 1 + 3 groups of frames, not square."""
    return torch.rand(2, 3, 13, 24, 16, generator=generator()) * 2 - 1


# ------------------------------------------------------------------------------------------------ layers


def test_the_convolution_is_torchs_with_the_first_frame_repeated_before():
    layer, x = CausalConv3d(3, 5, (3, 3, 3)), torch.randn(2, 3, 4, 6, 5, generator=generator())
    longer = torch.cat([x[:, :, :1], x[:, :, :1], x], dim=2)
    wanted = torch.nn.functional.conv3d(longer, layer.conv.weight, layer.conv.bias, padding=(0, 1, 1))
    assert torch.allclose(layer(x)[0], wanted, atol=1e-6)


@pytest.mark.parametrize("kernel", [(1, 3, 3), (2, 1, 3), (3, 3, 1), (4, 3, 3)])
def test_a_convolution_in_pieces(kernel):
    layer, x = CausalConv3d(3, 4, kernel), torch.randn(2, 3, 7, 6, 5, generator=generator())
    whole, last = layer(x)
    cache, pieces = None, []
    for piece in x.split([1, 4, 2], dim=2):
        out, cache = layer(piece, cache)
        pieces.append(out)
    assert torch.allclose(torch.cat(pieces, dim=2), whole, atol=1e-6)
    assert torch.equal(cache, last) and cache.shape[2] == kernel[0] - 1


@pytest.mark.parametrize("kernel", [(0, 3, 3), (3, 2, 3), (3, 3, 4)])
def test_kernels_that_cannot_be(kernel):
    with pytest.raises(ValueError, match=str(kernel[0])):
        CausalConv3d(3, 3, kernel)


def test_the_norm_gives_each_place_a_mean_square_of_one_in_float32():
    x = 7 * torch.randn(2, 6, 3, 4, 5, generator=generator())
    assert torch.allclose(ChannelNorm(6)(x).square().mean(dim=1), torch.ones(2, 3, 4, 5), atol=1e-4)
    huge = torch.full((1, 6, 1, 1, 1), 300.0, dtype=torch.float16)  # its square is more than float16 can hold
    assert torch.allclose(ChannelNorm(6)(huge).float(), torch.ones(1, 6, 1, 1, 1), atol=1e-3)


def test_a_fresh_block_is_the_identity():
    model = CausalVideoVAE(**PRESETS["ci"])
    x = torch.randn(2, 32, 3, 4, 5, generator=generator())
    assert torch.equal(model.encoder.coarse.blocks[0](x)[0], x)


# ------------------------------------------------------------------------------------------------ the distribution


def test_kl_of_known_distributions_on_five_axes():
    """A standard normal has none; a mean of 2 with variance 1 has 2 nats a number; each sample of a batch its own."""
    moments = torch.zeros(3, 8, 2, 3, 5)
    moments[1, :4] = 2.0
    assert torch.allclose(DiagonalGaussian(moments).kl(), torch.tensor([0.0, 2.0 * 4 * 2 * 3 * 5, 0.0]))


def test_kl_equals_torchs_and_on_pictures_diffusers():
    moments = torch.randn(3, 8, 5, 6, generator=generator())
    ours = DiagonalGaussian(moments)
    each = torch.distributions.kl_divergence(
        torch.distributions.Normal(ours.mean, ours.std), torch.distributions.Normal(0.0, 1.0)
    )
    assert torch.allclose(ours.kl(), each.sum(dim=(1, 2, 3)), rtol=1e-5)
    assert torch.allclose(ours.kl(), DiagonalGaussianDistribution(moments).kl(), rtol=1e-5)


def test_samples_have_the_mean_and_the_spread():
    mean, logvar = torch.full((1, 1, 4, 50, 50), 3.0), torch.full((1, 1, 4, 50, 50), 2 * math.log(0.5))
    moments = torch.cat([mean, logvar], dim=1)
    drawn = DiagonalGaussian(moments).sample(generator())
    assert abs(drawn.mean() - 3) < 0.02 and abs(drawn.std() - 0.5) < 0.02
    assert torch.equal(drawn, DiagonalGaussian(moments).sample(generator()))


# ------------------------------------------------------------------------------------------------ the autoencoder


@pytest.mark.parametrize("name", PRESETS)
def test_number_of_parameters(name):
    with torch.device("meta"):
        model = CausalVideoVAE(**PRESETS[name])
    assert sum(p.numel() for p in model.parameters()) == NUM_PARAMETERS[name]


def test_sizes(vae, clip):
    latents = vae.encode(clip).latent_dist.mode()
    assert latents.shape == (2, 16, 4, 3, 2)
    assert vae.decode(latents).sample.shape == clip.shape
    assert vae.decode(vae.encode(clip[:, :, :1]).latent_dist.mode()).sample.shape == (2, 3, 1, 24, 16)
    assert torch.equal(vae.encode(clip, return_dict=False)[0].mean, latents)


@pytest.mark.parametrize("frame", [0, 1, 4, 5, 8, 12])
def test_the_encoder_never_looks_ahead(vae, clip, frame):
    changed = clip.clone()
    changed[:, :, frame] += 0.3
    moved = (vae.encode(changed).latent_dist.mode() - vae.encode(clip).latent_dist.mode()).abs().amax(dim=(0, 1, 3, 4))
    first = (frame + 3) // 4  # the latent that holds this frame
    assert (moved[:first] == 0).all() and moved[first] > 1e-3


@pytest.mark.parametrize("latent", [0, 1, 3])
def test_the_decoder_never_looks_ahead(vae, clip, latent):
    latents = vae.encode(clip).latent_dist.mode()
    changed = latents.clone()
    changed[:, :, latent] += 0.3
    moved = (vae.decode(changed).sample - vae.decode(latents).sample).abs().amax(dim=(0, 1, 3, 4))  # (13,)
    first = max(0, 4 * latent - 3)
    assert (moved[:first] == 0).all() and moved[first] > 1e-4


def test_the_first_latent_is_the_images_own(vae, clip):
    alone = vae.encode(clip[:, :, :1]).latent_dist.mode()
    assert torch.allclose(vae.encode(clip).latent_dist.mode()[:, :, :1], alone, atol=1e-5)


@pytest.mark.parametrize("pieces", [[13], [1, 12], [5, 8], [1, 4, 4, 4], [9, 4]])
def test_encoding_in_pieces(vae, clip, pieces):
    caches, found = None, []
    for piece in clip.split(pieces, dim=2):
        dist, caches = vae.encode_chunk(piece, caches)
        found.append(dist.mode())
    assert torch.allclose(torch.cat(found, dim=2), vae.encode(clip).latent_dist.mode(), atol=1e-5)


@pytest.mark.parametrize("pieces", [[4], [1, 3], [1, 1, 1, 1], [2, 2]])
def test_decoding_in_pieces(vae, clip, pieces):
    latents = vae.encode(clip).latent_dist.mode()
    caches, found = None, []
    for piece in latents.split(pieces, dim=2):
        frames, caches = vae.decode_chunk(piece, caches)
        found.append(frames)
    assert torch.allclose(torch.cat(found, dim=2), vae.decode(latents).sample, atol=1e-5)


def test_the_memory_of_a_stream_does_not_grow(vae):
    """After 5 frames and after 41, the caches hold as many numbers, and none is a view into a longer tensor."""
    sizes, caches = [], None
    for num_frames in (5, 36):
        _, caches = vae.encode_chunk(torch.rand(1, 3, num_frames, 16, 16), caches)
        sizes.append([(tensor.shape, tensor.untyped_storage().nbytes()) for stack in caches for tensor in stack])
    assert sizes[0] == sizes[1]


def test_a_latent_touches_its_neighbourhood_only(vae):
    """A stream can be cut in space too: far away nothing moves."""
    latents = torch.randn(1, 16, 2, 24, 4, generator=generator())
    changed = latents.clone()
    changed[..., 0, :] += 1.0
    moved = (vae.decode(changed).sample - vae.decode(latents).sample).abs().amax(dim=(0, 1, 2, 4))  # (192,)
    assert moved[0] > 1e-4 and (moved[96:] == 0).all()


@pytest.mark.parametrize(
    "shape, begins, said",
    [
        ((1, 3, 4, 16, 16), True, "1 \\+ 4k frames"),
        ((1, 3, 5, 16, 16), False, "4k frames"),
        ((1, 3, 5, 20, 16), True, "20 x 16"),
        ((1, 4, 5, 16, 16), True, "4, 5, 16, 16"),
        ((3, 5, 16, 16), True, "3, 5, 16, 16"),
    ],
)
def test_clips_of_other_sizes_are_refused(vae, shape, begins, said):
    caches = None if begins else vae.encode_chunk(torch.zeros(1, 3, 1, 16, 16))[1]
    with pytest.raises(ValueError, match=said):
        vae.encode_chunk(torch.zeros(shape), caches)


def test_normalized_latents_and_back(vae, clip):
    latents = vae.encode(clip).latent_dist.mode()
    with pytest.raises(ValueError, match="never measured"):
        vae.normalize(latents)
    mean, std = latents.mean(dim=(0, 2, 3, 4)), latents.std(dim=(0, 2, 3, 4))
    model = CausalVideoVAE(**PRESETS["ci"], latents_mean=mean.tolist(), latents_std=std.tolist())
    normal = model.normalize(latents)
    assert normal.mean(dim=(0, 2, 3, 4)).abs().max() < 1e-4 and (normal.std(dim=(0, 2, 3, 4)) - 1).abs().max() < 1e-3
    assert torch.allclose(model.denormalize(normal), latents, atol=1e-4)


def test_saved_and_loaded_it_is_the_same_to_the_bit(vae, clip, tmp_path):
    vae.save_pretrained(tmp_path)
    loaded = CausalVideoVAE.from_pretrained(tmp_path)
    public = [{k: v for k, v in model.config.items() if not k.startswith("_")} for model in (loaded, vae)]
    assert public[0] == public[1]
    assert torch.equal(loaded(clip).sample, vae(clip).sample)


def test_gradients_reach_every_weight():
    """And the output is not clamped, which would cut them off."""
    torch.manual_seed(0)
    model = CausalVideoVAE(**PRESETS["ci"])
    for block in model.modules():
        if isinstance(block, FactorizedBlock):
            torch.nn.init.normal_(block.time.conv.weight, std=0.2)
    clip = 4 * torch.rand(1, 3, 5, 16, 16, generator=generator())
    dist = model.encode(clip).latent_dist
    (model.decode(dist.sample(generator())).sample.square().mean() + dist.kl().mean()).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().max() > 0] == []


def test_a_few_steps_make_it_better():
    """Measured: the error of a fresh model falls by more than half in 60 steps on one clip of moving stripes."""
    torch.manual_seed(0)
    x, t = torch.arange(32.0).expand(5, 32, 32), torch.arange(5.0).reshape(5, 1, 1)
    clip = torch.stack([torch.sin(0.4 * x + colour - 0.5 * t) for colour in (0, 2, 4)])[None]  # (1, 3, 5, 32, 32)
    model = CausalVideoVAE(**PRESETS["ci"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    errors = []
    for _ in range(60):
        error = (model(clip).sample - clip).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        errors.append(float(error.detach()))
    assert errors[-1] < 0.5 * errors[0]
