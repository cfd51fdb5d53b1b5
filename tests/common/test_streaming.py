"""Streaming encode and decode, inflation, and the instruments that look at them."""

import weakref

import pytest
import torch
from torch.nn import functional as F

from common.evaluation.causality import influence, reach_back
from common.evaluation.memory import PeakMemory
from common.layers import CausalConv3d, FactorizedBlock, causal_downsample, inflate_causal
from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.models.frame_autoencoder import PRESETS as FRAME_PRESETS
from common.models.frame_autoencoder import FrameAutoencoder, FrameBlock
from common.models.inflation import inflate, mean_slices, middle_slice
from common.models.padding import repadded
from common.models.streaming import decode_stream, encode_stream
from common.models.wan_vae import encode_pieces, load_wan_vae
from common.show.influence import draw_influence


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.fixture(scope="module")
def vae() -> CausalVideoVAE:
    """A small one whose every weight counts; its weights ask for gradients, as those of a model in training do."""
    torch.manual_seed(0)
    model = CausalVideoVAE(**PRESETS["ci"]).eval()
    for block in model.modules():
        if isinstance(block, FactorizedBlock):
            torch.nn.init.normal_(block.time.conv.weight, std=0.2)
    return model


# ------------------------------------------------------------------------------------------------ streams


def test_a_stream_gives_the_latents_and_the_frames_of_the_whole(vae):
    clip = noise(2, 3, 13, 16, 24)
    latents = list(encode_stream(vae, clip.unbind(2)))
    assert [z.shape[2] for z in latents] == [1, 1, 1, 1]
    with torch.no_grad():
        whole = vae.encode(clip).latent_dist.mode()
        assert torch.allclose(torch.cat(latents, dim=2), whole, atol=1e-5)
        frames = list(decode_stream(vae, latents))
        assert [piece.shape[2] for piece in frames] == [1, 4, 4, 4]
        assert torch.allclose(torch.cat(frames, dim=2), vae.decode(whole).sample, atol=1e-5)
    assert not latents[-1].requires_grad and not frames[-1].requires_grad


def test_a_stream_takes_no_frame_too_many_and_keeps_none(vae):
    taken, alive = [], []

    def frames():
        for index in range(41):
            frame = noise(1, 3, 16, 16, seed=index)
            taken.append(index)
            alive.append(weakref.ref(frame))
            yield frame

    most = 0
    for k, _ in enumerate(encode_stream(vae, frames())):
        assert len(taken) == 1 + 4 * k and torch.is_grad_enabled()
        most = max(most, sum(ref() is not None for ref in alive))
    assert k == 10 and most <= 6


def test_a_stream_that_ends_too_early_says_so_after_what_is_complete(vae):
    stream = encode_stream(vae, noise(1, 3, 7, 16, 16).unbind(2))
    assert [next(stream).shape[2], next(stream).shape[2]] == [1, 1]
    with pytest.raises(ValueError, match="2 frames into a group of 4"):
        next(stream)
    assert list(encode_stream(vae, [])) == []


def test_the_first_group_is_the_first_frame_alone():
    given = []

    def encoder(groups, caches):
        given.append(groups)
        return groups[:, :, ::4], "caches"

    clip = noise(1, 2, 5, 4, 4)
    causal_downsample(encoder, clip)
    assert torch.equal(given[0], clip[:, :, [0, 0, 0, 0, 1, 2, 3, 4]])
    causal_downsample(encoder, clip[:, :, 1:], "caches")
    assert torch.equal(given[1], clip[:, :, 1:])
    for num_frames, caches in ((4, None), (5, "caches"), (0, "caches"), (0, None)):
        with pytest.raises(ValueError, match=f"got {num_frames}"):
            causal_downsample(encoder, clip[:, :, :num_frames], caches)


def test_a_cache_is_a_copy_even_of_one_channel():
    _, cache = CausalConv3d(1, 1, (3, 1, 1))(noise(1, 1, 9, 4, 4))
    assert cache.untyped_storage().nbytes() == cache.numel() * 4


# ------------------------------------------------------------------------------------------------ inflation


def test_an_inflated_kernel_does_to_each_frame_what_it_did_to_a_picture():
    weight, clip = noise(5, 2, 3, 3), noise(1, 2, 6, 7, 8, seed=1)
    layer = CausalConv3d(2, 5, (4, 3, 3))
    layer.conv.weight.data, layer.conv.bias.data = inflate_causal(weight, 4), torch.zeros(5)
    each = torch.stack([F.conv2d(frame, weight, padding=1) for frame in clip.unbind(2)], dim=2)
    assert torch.allclose(layer(clip)[0], each, atol=1e-6)
    assert inflate_causal(weight, 1).shape == (5, 2, 1, 3, 3)
    for wrong in ((weight[0], 3), (weight, 0)):
        with pytest.raises(ValueError):
            inflate_causal(*wrong)


def test_an_inflated_image_autoencoder_is_the_image_autoencoder_until_it_is_trained():
    torch.manual_seed(0)
    model = FrameAutoencoder(**FRAME_PRESETS["ci"]).eval().requires_grad_(False)
    for module in model.modules():
        if isinstance(module, FrameBlock):
            torch.nn.init.normal_(module.second.weight, std=0.05)
    clip = noise(1, 3, 5, 16, 24)
    video = inflate(model, 3)
    assert torch.allclose(video(clip).sample, model(clip).sample, atol=1e-5)
    assert sum(p.numel() for p in video.parameters()) > 2 * sum(p.numel() for p in model.parameters())
    for kernel in (middle_slice, mean_slices):
        assert not torch.allclose(inflate(model, 3, kernel)(clip).sample, model(clip).sample, atol=0.05)
    still = clip[:, :, :1].expand(-1, -1, 5, -1, -1)
    assert torch.allclose(inflate(model, 3, mean_slices)(still).sample, model(still).sample, atol=1e-5)


# ------------------------------------------------------------------------------------------------ instruments


def test_the_map_of_a_layer_is_its_kernel():
    layer = CausalConv3d(2, 3, (3, 1, 1))
    with torch.no_grad():
        layer.conv.weight.fill_(1.0)
    moved = influence(lambda clip: layer(clip)[0], noise(1, 2, 6, 4, 4), by=0.5)
    wanted = torch.zeros(6, 6)
    for lag in range(3):
        wanted += torch.diag(torch.ones(6 - lag), lag)
    wanted[0, :2] = torch.tensor([3.0, 2.0])  # the first frame is repeated before the clip
    assert torch.allclose(moved, wanted, atol=1e-5) and reach_back(moved) == 0
    assert reach_back(influence(lambda clip: clip.roll(-2, dims=2), noise(1, 2, 6, 4, 4))) == 2


def test_how_far_back_a_group_may_reach():
    moved = torch.zeros(9, 3)
    moved[4, 1] = moved[8, 2] = 1.0
    last = torch.tensor([0, 4, 8])
    assert reach_back(moved, last) == 0
    moved[7, 1] = 1.0
    assert reach_back(moved, last) == 3


def test_peak_memory_counts_what_is_alive_at_once():
    given = torch.zeros(1000)
    with PeakMemory() as memory:
        doubled = given + given
        view = doubled[:500]
        del doubled
        other = view + 1  # 500 numbers beside the 1000 that the view holds
        del view
        other = other * 2
    assert memory.peak == 4 * 1500
    with PeakMemory() as memory:
        given.view(10, 100).T.unbind(0)
    assert memory.peak == 0


def test_the_same_weights_under_other_padding(vae):
    """Padding the past is the causal layer; both sides reach back, and only zeros change what a picture gives."""
    clip, encode = noise(1, 3, 17, 16, 16), lambda model: lambda clip: model.encode(clip).latent_dist.mode()
    last = 4 * torch.arange(5)
    with torch.no_grad():
        whole, picture = encode(vae)(clip), encode(vae)(clip[:, :, :1])
        assert torch.equal(encode(repadded(vae, "past"))(clip), whole)
        assert torch.allclose(encode(repadded(vae, "both"))(clip[:, :, :1]), picture, atol=1e-5)
        assert not torch.allclose(encode(repadded(vae, "both", "constant"))(clip[:, :, :1]), picture, atol=1e-2)
    assert reach_back(influence(encode(vae), clip), last) == 0
    assert reach_back(influence(encode(repadded(vae, "both")), clip), last) >= 4
    for where, mode, streams in (("past", "replicate", True), ("past", "constant", True), ("both", "replicate", False)):
        model = repadded(vae, where, mode)
        pieces = torch.cat(list(encode_stream(model, clip.unbind(2))), dim=2)
        assert torch.allclose(pieces, encode(model)(clip).detach(), atol=1e-5) == streams


# ------------------------------------------------------------------------------------------------ Wan's VAE


def test_wans_encoder_is_a_stream_and_never_looks_ahead():
    wan, trained = load_wan_vae("flipbook/no-such-weights")
    assert not trained and not wan.training
    clip, encode = noise(1, 3, 9, 16, 16), lambda clip: wan.encode(clip).latent_dist.mode()
    with torch.no_grad():
        whole = encode(clip)
        assert torch.allclose(encode(clip[:, :, :1]), whole[:, :, :1], atol=1e-5)
    pieces = list(encode_pieces(wan, clip.split([1, 4, 4], dim=2)))
    assert torch.allclose(torch.cat(pieces, dim=2), whole, atol=1e-5)
    assert reach_back(influence(encode, clip), 4 * torch.arange(3)) == 0


def test_a_drawn_map_is_empty_where_nothing_moved():
    moved = torch.tensor([[1.0, 0.5], [0.0, 2.0], [0.0, 0.25]])
    figure = draw_influence({"one": moved, "other": 2 * moved}, "latent that moved")
    shown = figure.axes[0].images[0].get_array()
    assert shown.mask.tolist() == (moved == 0).tolist()
    assert [axis.get_title() for axis in figure.axes[:2]] == ["one", "other"]
