"""The video tokenizer: causal, the same as a stream as in one piece, and at its beginning the VAE it comes from."""

import pytest
import torch

from common.data.sprites import SpriteData
from common.evaluation.reconstruction import clip_psnr
from common.layers.residual import FactorizedBlock
from common.models.autoencoder import CausalVideoVAE
from common.models.shipped import WeightsError
from common.models.streaming import decode_stream, encode_stream
from common.models.token_autoencoder import NATURAL_STD, PRESETS, CausalVideoFSQ
from common.training import KeyedNoise
from common.zoo.sprites_fsq import recipe
from common.zoo.sprites_fsq.measures import token_measures
from common.zoo.sprites_fsq.recipe import compute_loss

NUM_PARAMETERS = {"ci": 85_318, "cpu": 1_739_942, "gpu": 5_609_702}
LEVELS = [8, 5, 4]


def shaken(model):
    """Every weight counts: no block is the identity."""
    for k, module in enumerate(model.modules()):
        if isinstance(module, FactorizedBlock):
            generator = torch.Generator().manual_seed(k)
            for parameter in module.parameters():
                with torch.no_grad():
                    parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


@pytest.fixture(scope="module")
def tokenizer():
    torch.manual_seed(0)
    return shaken(CausalVideoFSQ(levels=LEVELS, latent_channels=6, **PRESETS["ci"]))


@pytest.fixture(scope="module")
def clip():
    return torch.rand(2, 3, 9, 24, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("name", PRESETS)
def test_number_of_parameters(name):
    with torch.device("meta"):
        model = CausalVideoFSQ(**PRESETS[name])
    assert model.num_parameters() == NUM_PARAMETERS[name]
    assert model.codebook_size == 64_000


@torch.no_grad()
def test_a_clip_becomes_whole_numbers_and_comes_back(tokenizer, clip):
    tokens = tokenizer.tokenize(clip)
    assert tokens.shape == (2, 3, 3, 2)
    assert tokens.dtype == torch.int64
    assert tokens.min() >= 0 and tokens.max() < 160
    assert len(tokens.unique()) > 1
    assert torch.equal(tokenizer.detokenize(tokens), tokenizer(clip).sample)


@torch.no_grad()
def test_there_is_nothing_to_draw(tokenizer, clip):
    dist = tokenizer.encode(clip).latent_dist
    assert torch.equal(dist.sample(torch.Generator().manual_seed(3)), dist.mode())
    assert tokenizer.encode(clip, return_dict=False)[0].mode().shape == (2, 3, 3, 3, 2)


@torch.no_grad()
@pytest.mark.parametrize("changed", [1, 4, 5, 8])
def test_no_token_depends_on_a_later_frame(tokenizer, clip, changed):
    other = clip.clone()
    other[:, :, changed] = -other[:, :, changed]
    first = -(-changed // 4)  # frame k is in latent ceil(k / 4)
    before, after = (tokenizer.tokenize(x) for x in (clip, other))
    assert torch.equal(before[:, :first], after[:, :first])
    assert not torch.equal(before[:, first:], after[:, first:])


@torch.no_grad()
def test_a_stream_gives_the_tokens_and_frames_of_the_whole(tokenizer, clip):
    codes = torch.cat(list(encode_stream(tokenizer, clip.unbind(2))), dim=2)
    assert torch.equal(codes, tokenizer.encode(clip).latent_dist.mode())
    frames = torch.cat(list(decode_stream(tokenizer, codes.split(1, dim=2))), dim=2)
    torch.testing.assert_close(frames, tokenizer.decode(codes).sample, atol=1e-5, rtol=0)


def test_gradients_reach_the_encoder_through_the_quantizer(tokenizer, clip):
    tokenizer.zero_grad()
    noise = KeyedNoise(0, [0, 1], torch.device("cpu"))
    parts = compute_loss(tokenizer, ((clip + 1) * 127.5).to(torch.uint8), noise)
    assert set(parts) == {"loss", "error", "change", "still", "image"}
    parts["loss"].backward()
    assert tokenizer.encoder.patches_in.weight.grad.abs().max() > 0
    tokenizer.zero_grad()


@torch.no_grad()
def test_from_vae_copies_every_weight_and_fits_the_two_matrices():
    torch.manual_seed(2)
    vae = shaken(CausalVideoVAE(latent_channels=6, **PRESETS["ci"]))
    clips = torch.rand(3, 3, 5, 32, 24) * 2 - 1
    model = CausalVideoFSQ.from_vae(vae, clips, [16, 15, 16, 15, 16, 15]).eval()
    for part in ("encoder", "decoder"):
        ours, theirs = (getattr(one, part).state_dict() for one in (model, vae))
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    z = vae.encode(clips).latent_dist.mode()  # (B, C, T', H', W')
    moments, _ = vae.encoder(torch.cat([clips[:, :, :1].expand(-1, -1, 3, -1, -1), clips], dim=2))
    inside = model.quant_conv(moments).movedim(1, -1).flatten(0, -2)
    torch.testing.assert_close(torch.cov(inside.T), NATURAL_STD**2 * torch.eye(6), atol=1e-2, rtol=0)
    restored = model.post_quant_conv(model.encode(clips).latent_dist.mode())
    assert (restored - z).var() < 0.05 * z.var()  # with so many levels little is lost


@torch.no_grad()
def test_from_vae_keeps_the_strongest_directions():
    torch.manual_seed(3)
    vae = shaken(CausalVideoVAE(latent_channels=6, **PRESETS["ci"]))
    clips = torch.rand(3, 3, 5, 32, 24) * 2 - 1
    z = vae.encode(clips).latent_dist.mode()
    values = torch.linalg.eigvalsh(torch.cov(z.movedim(1, -1).flatten(0, -2).T))
    model = CausalVideoFSQ.from_vae(vae, clips, [33, 33]).eval()
    restored = model.post_quant_conv(model.encode(clips).latent_dist.mode())
    lost = (restored - z).square().mean(dim=(0, 2, 3, 4)).sum()
    assert lost == pytest.approx(values[:-2].sum().item(), rel=0.15)


@pytest.mark.parametrize("shape", [(1, 3, 5, 20, 16), (1, 1, 5, 16, 16), (1, 3, 6, 16, 16)])
def test_a_clip_of_another_size_is_an_error(tokenizer, shape):
    with pytest.raises(ValueError, match=r"\(1, |got 6"):
        tokenizer.tokenize(torch.zeros(shape))


def test_the_weights_of_the_autoencoder_are_not_taken_for_a_tokenizers():
    with pytest.raises(WeightsError, match="CausalVideoVAE"):
        CausalVideoFSQ.from_pretrained("sprites-vae")


def test_token_measures_count_levels_and_codes():
    found = token_measures(torch.tensor([0, 0, 1, 8]), LEVELS)
    assert found["tokens/levels_used"] == 2 + 2 + 1
    assert found["tokens/rarest_level"] == 0
    assert found["tokens/codes_used"] == pytest.approx(3)
    assert found["tokens/perplexity"] == pytest.approx(2**1.5)


@torch.no_grad()
def test_the_recipe_begins_as_the_shipped_autoencoder(monkeypatch):
    monkeypatch.setattr(recipe, "NUM_FITTED", 8)
    model, vae = recipe.build_model("cpu"), CausalVideoVAE.from_pretrained("sprites-vae").float()
    assert all(torch.equal(a, b) for a, b in zip(model.decoder.parameters(), vae.decoder.parameters()))
    clips = SpriteData("held_out").batch(range(2)).clips()
    assert clip_psnr(model.eval()(clips).sample.clamp(-1, 1), clips, data_range=2).mean() > 20  # before the first step
