"""The split VAE: what a mean cannot know, what a bit costs, what a swap is; and the prior over its motion codes."""

import math

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

from common.models.content_motion import (
    PRESETS,
    ContentMotionVAE,
    EntangledVAE,
    changing_directions,
    negative_elbo,
    swap_motion,
    swap_motion_entangled,
)
from common.models.motion_prior import Mixture, MotionPrior, mixture_log_prob
from common.models.two_streams import SLOWLY, THING, USUAL

SMALL = {"content_dim": 6, "motion_dim": 3, "size": 16, "width": 8, "hidden_size": 20}


def randn(seed, *size):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


def clips(seed=0, batch=2, num_frames=5):
    return randn(seed, batch, 3, num_frames, 16, 16).clamp(-1, 1)


def with_places(model):
    """A fresh model puts its thing in the middle, whatever the code; this one has learned otherwise."""
    torch.nn.init.normal_(model.decoder.pose[-1].weight, std=1.0)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def vae():
    torch.manual_seed(0)
    return with_places(ContentMotionVAE(**SMALL))


@pytest.fixture(scope="module")
def entangled():
    torch.manual_seed(0)
    return with_places(EntangledVAE(**SMALL))


def moments(dist):
    return dist.mean, dist.logvar


# ------------------------------------------------------------------------------------------------ the split


def test_the_content_knows_neither_order_nor_number_of_frames(vae):
    sample, order = clips(), torch.tensor([4, 1, 0, 3, 2])
    codes, shuffled, twice = (
        vae.encode(sample),
        vae.encode(sample[:, :, order]),
        vae.encode(sample.repeat(1, 1, 2, 1, 1)),
    )
    for one, two, three in zip(moments(codes.content), moments(shuffled.content), moments(twice.content)):
        assert torch.allclose(one, two, atol=1e-5) and torch.allclose(one, three, atol=1e-5)
    for one, two in zip(moments(codes.motion), moments(shuffled.motion)):
        assert torch.allclose(one[..., order], two, atol=1e-5)


def test_a_motion_code_knows_its_own_frame_alone(vae):
    before = clips()
    after = before.clone()
    after[1, :, 2] = -after[1, :, 2]
    moved = (vae.encode(before).motion.mean - vae.encode(after).motion.mean).abs().amax(dim=1) > 1e-6
    assert moved.nonzero().tolist() == [[1, 2]]


def test_the_background_is_the_same_in_all_frames(vae):
    content, motion = randn(1, 2, 6), 3 * randn(2, 2, 3, 4)
    middle = vae.decoder.pose[-1].bias
    kept = middle.clone()
    try:
        middle[0] = 1e3  # the thing is far outside
        made = vae.decode(content, motion).sample
    finally:
        middle.copy_(kept)
    assert torch.equal(made, made[:, :, :1].expand_as(made))
    assert torch.allclose(made[:, :, 0], vae.decoder.ground(content))
    assert (vae.decode(content, motion).sample.diff(dim=2) != 0).any()


def test_a_thing_that_is_moved_looks_the_same(vae):
    """Moved by whole pixels, what is put there is the same, moved by whole pixels."""
    decoder, thing = vae.decoder, 3 * randn(5, 1, 4, THING, THING)
    line = (torch.arange(16) + 0.5) / 8 - 1
    places = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1)[None] / 0.3
    away = torch.tensor([3, -2]) * 2 / 16 / 0.3  # 3 pixels to the right, 2 up, of 16
    for here, there in zip(decoder.put(thing, places), decoder.put(thing, places - away)):
        assert torch.allclose(there[..., :-2, 3:], here[..., 2:, :-3], atol=1e-4)
        assert here.std() > 0.1


def test_before_anything_is_learned_the_thing_lies_in_the_middle_whatever_the_code():
    """So that a gradient reaches its place from every frame; a thing that begins outside of the frame stays there."""
    line = (torch.arange(16) + 0.5) / 8 - 1
    middle = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1) / USUAL
    for kind in (ContentMotionVAE, EntangledVAE):
        decoder = kind(**SMALL).decoder
        where_dim = decoder.pose[0].in_features
        assert torch.equal(decoder.places(3 * randn(0, 2, where_dim)), middle.expand(2, 16, 16, 2))


@torch.no_grad()
def test_the_motion_code_is_read_as_a_middle_and_a_size(vae):
    decoder, pose = vae.decoder, vae.decoder.pose[-1]
    kept = pose.weight.clone(), pose.bias.clone()
    try:
        pose.weight.zero_()
        pose.bias.copy_(torch.tensor([0.5, -0.25, math.log(2)]) / SLOWLY)
        places = decoder.places(torch.zeros(1, 3))[0]  # (H, W, 2)
    finally:
        pose.weight.copy_(kept[0])
        pose.bias.copy_(kept[1])
    line = (torch.arange(16) + 0.5) / 8 - 1
    assert torch.allclose(places[..., 0], (line - 0.5).expand(16, 16))  # USUAL · 2 = 1: counted as it is
    assert torch.allclose(places[..., 1], (line + 0.25)[:, None].expand(16, 16))


def test_frames_are_decoded_one_by_one(vae):
    content, motion = randn(1, 2, 6), randn(2, 2, 3, 4)
    whole = vae.decode(content, motion).sample
    pieces = torch.cat([vae.decode(content, motion[..., t : t + 1]).sample for t in range(4)], dim=2)
    assert torch.allclose(whole, pieces, atol=1e-5)


def test_the_entangled_twin_is_of_the_same_size():
    sizes = {}
    for name, options in PRESETS.items():
        split, twin = ContentMotionVAE(**options).num_parameters(), EntangledVAE(**options).num_parameters()
        sizes[name] = split, twin
    assert sizes["cpu"] == (585639, 534107) and sizes["gpu"] == (1987911, 1953787)


def test_an_entangled_code_is_its_frames_own(entangled):
    sample, order = clips(), torch.tensor([4, 1, 0, 3, 2])
    codes = entangled.encode(sample).mode()
    assert codes.shape == (2, 9, 5)
    assert torch.allclose(entangled.encode(sample[:, :, order]).mode(), codes[..., order], atol=1e-5)
    frame = entangled.decode(codes[..., 3:4]).sample
    assert torch.allclose(entangled.decode(codes).sample[:, :, 3:4], frame, atol=1e-5)


def test_weights_travel_through_a_folder(vae, tmp_path):
    vae.save_pretrained(tmp_path)
    back = ContentMotionVAE.from_pretrained(tmp_path)
    assert torch.equal(back(clips()).sample, vae(clips()).sample)


def test_what_is_no_clip_is_refused(vae):
    for bad in (clips()[0], clips()[:, :2], randn(0, 1, 3, 2, 16, 24)):
        with pytest.raises(ValueError, match="clips are"):
            vae.encode(bad)
    with pytest.raises(ValueError, match="20"):
        ContentMotionVAE(**SMALL | {"size": 20})


# ------------------------------------------------------------------------------------------------ costs and swaps


def test_the_price_is_that_of_torch_distributions(vae):
    target, restored = clips(1, num_frames=3), clips(2, num_frames=3)
    codes = vae.encode(target)
    costs = negative_elbo(restored, target, codes, num_frames=9, pixel_std=0.3)
    pixels = (
        -Normal(restored, 0.3).log_prob(target).flatten(1).sum(1)
        + Normal(0.0, 0.3).log_prob(torch.zeros(3 * 3 * 256)).sum()
    )
    assert costs["pixels"] == pytest.approx(3 * pixels, rel=1e-3)
    for name, share, dist in (("content", 1, codes.content), ("motion", 3, codes.motion)):
        kl = kl_divergence(Normal(dist.mean, dist.std), Normal(0.0, 1.0)).flatten(1).sum(1)
        assert costs[name] == pytest.approx(share * kl, rel=1e-4)


def test_a_swap_with_itself_is_a_reconstruction_and_two_swaps_go_back(vae):
    a, b = clips(3), clips(4)
    assert torch.allclose(swap_motion(vae, a, a), vae(a).sample.clamp(-1, 1))
    assert swap_motion(vae, a, b[:, :, :3]).shape == (2, 3, 3, 16, 16)
    content = vae.encode(a).content.mode()
    assert torch.allclose(swap_motion(vae, a, b), vae.decode(content, vae.encode(b).motion.mode()).sample.clamp(-1, 1))


def test_all_directions_give_the_other_clip_and_none_the_mean(entangled):
    a, b = clips(3), clips(4)
    every = swap_motion_entangled(entangled, a, b, torch.eye(9))
    assert torch.allclose(every, entangled(b).sample.clamp(-1, 1), atol=1e-4)
    none = swap_motion_entangled(entangled, a, b, torch.zeros(9, 1))
    assert torch.allclose(none, none[:, :, :1].expand_as(none), atol=1e-5)


def test_planted_directions_are_found():
    basis = torch.linalg.qr(randn(5, 8, 8)).Q
    still, moving = randn(6, 200, 6, 1).expand(-1, -1, 7), 0.2 * randn(7, 200, 2, 7)  # what changes, changes little
    codes = torch.einsum("de,bet->bdt", basis, torch.cat([still, moving], dim=1))
    found = changing_directions(codes, 2)
    assert torch.allclose(found.T @ found, torch.eye(2), atol=1e-5)
    assert (basis[:, 6:].T @ found).det().abs().item() == pytest.approx(1, abs=1e-3)


# ------------------------------------------------------------------------------------------------ the prior


def test_the_mixture_is_that_of_torch_distributions():
    mixture, motion = Mixture(randn(0, 2, 4, 3), randn(1, 2, 4, 3, 5), randn(2, 2, 4, 3, 5)), 3 * randn(3, 2, 5, 4)
    peer = MixtureSameFamily(
        Categorical(logits=mixture.logits), Independent(Normal(mixture.mean, mixture.log_std.exp()), 1)
    )
    assert torch.allclose(mixture_log_prob(mixture, motion), peer.log_prob(motion.transpose(1, 2)), atol=1e-4)


def test_draws_have_the_mean_and_the_spread_of_their_mixture():
    mixture = Mixture(randn(0, 1, 2, 3), 2 * randn(1, 1, 2, 3, 2), 0.3 * randn(2, 1, 2, 3, 2))
    many = Mixture(*(part.expand(20_000, *part.shape[1:]) for part in (mixture.logits, mixture.mean, mixture.log_std)))
    drawn = many.sample(torch.Generator().manual_seed(0))  # (B, D, T)
    peer = MixtureSameFamily(
        Categorical(logits=mixture.logits), Independent(Normal(mixture.mean, mixture.log_std.exp()), 1)
    )
    assert torch.allclose(drawn.mean(0), peer.mean[0].T, atol=0.06)
    assert torch.allclose(drawn.var(0), peer.variance[0].T, rtol=0.05)


@torch.no_grad()
def test_the_prior_looks_back_alone():
    torch.manual_seed(1)
    prior, before = MotionPrior(3, 8, 4), randn(0, 2, 3, 6)
    for k in range(6):
        after = before.clone()
        after[1, :, k] += 1
        moved = (prior(before).mean - prior(after).mean).abs().amax(dim=(2, 3)) > 1e-6
        assert not moved[0].any() and moved[1].tolist() == [t > k for t in range(6)]


@torch.no_grad()
def test_samples_are_as_probable_as_the_prior_says():
    """The mean log-probability of its own samples is the prior's negative entropy, which a histogram finds too."""
    torch.manual_seed(2)
    prior = MotionPrior(1, 8, 3)
    prior.mixture.weight *= 4
    drawn = prior.sample(20_000, 2, torch.Generator().manual_seed(0))
    bins = torch.linspace(-12, 12, 241)
    centers = (bins[1:] + bins[:-1]) / 2
    first = Mixture(
        *(
            getattr(prior(drawn[:1]), name)[:, :1].expand(240, *([-1] * n))
            for name, n in (("logits", 2), ("mean", 3), ("log_std", 3))
        )
    )
    expected = mixture_log_prob(first, centers[:, None, None]).exp()[:, 0] * 0.1
    found = torch.histogram(drawn[:, 0, 0], bins).hist / len(drawn)
    assert expected.sum().item() == pytest.approx(1, abs=0.01)
    assert (found - expected).abs().sum() < 0.15
