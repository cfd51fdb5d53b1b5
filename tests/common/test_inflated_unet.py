"""Inflating an image U-Net: every tensor finds a place, and at first nothing changes."""

import pytest
import torch
from diffusers import UNet2DConditionModel, UNetSpatioTemporalConditionModel

from common.models.inflated_unet import inflate, inflate_unet, new_parameters, video_config, video_key
from common.zoo.sprites_image.recipe import CHANNELS, UNET

STABLE_DIFFUSION_2_1 = {  # of its published configuration, what matters here
    "sample_size": 96,
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "cross_attention_dim": 1024,
    "attention_head_dim": (5, 10, 20, 20),
    "use_linear_projection": True,
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
}


def image_model(**changed) -> UNet2DConditionModel:
    torch.manual_seed(0)
    return UNet2DConditionModel(**UNET | {"block_out_channels": CHANNELS["ci"], "sample_size": 4} | changed).eval()


def test_at_first_the_video_model_does_to_each_frame_what_the_image_model_does():
    unet, x = image_model(), torch.randn(2, 3, 16, 4, 4)
    video, states = inflate_unet(unet).eval(), torch.randn(2, 5, 384)
    for name, module in unet.named_modules():  # the two classes put 1e-5 and 1e-6 into different norms
        if isinstance(module, torch.nn.GroupNorm):
            video.get_submodule(video_key(name)).eps = module.eps
    level = torch.tensor([0.3, -0.4])
    with torch.no_grad():
        found = video(x, level, states, torch.tensor([[3.0, 60.0, 0.02], [7.0, 5.0, 0.1]])).sample
        due = [unet(x[:, k], level, states).sample for k in range(3)]
    assert torch.allclose(found, torch.stack(due, dim=1), atol=1e-5)


def test_channels_that_the_image_model_does_not_have_do_nothing_at_first():
    unet, x = image_model(), torch.randn(1, 2, 16, 4, 4)
    states, ids, level = torch.randn(1, 5, 384), torch.tensor([[3.0, 60.0, 0.02]]), torch.tensor([0.3])
    wide = inflate_unet(unet, in_channels=32).eval()
    with torch.no_grad():
        found = wide(torch.cat([x, torch.randn_like(x)], dim=2), level, states, ids).sample
        due = inflate_unet(unet).eval()(x, level, states, ids).sample
    assert torch.allclose(found, due, atol=1e-6)


def test_every_tensor_finds_a_place_and_the_rest_is_new():
    unet = image_model()
    video = inflate_unet(unet, in_channels=32)
    own, taken = video.state_dict(), {video_key(name) for name in unet.state_dict()}
    assert taken <= set(own)
    assert set(own) - taken == set(new_parameters(video)) - {"conv_in.weight", "conv_in.bias"}


def test_inflated_weights_are_the_image_model_s_in_their_places_and_else_those_that_were_there():
    own, before = image_model().state_dict(), inflate_unet(image_model(), in_channels=32).state_dict()
    before = {name: tensor + 1 for name, tensor in before.items()}
    found = inflate(own, before)
    places = {video_key(name): tensor for name, tensor in own.items()}
    assert list(found) == list(before)
    for name, tensor in found.items():
        if name == "conv_in.weight":
            assert torch.equal(tensor[:, :16], own[name]) and not tensor[:, 16:].any()
        else:
            assert torch.equal(tensor, places.get(name, before[name]))
    found["conv_in.bias"] += 1
    assert not torch.equal(found["conv_in.bias"], own["conv_in.bias"])  # no shared memory
    with pytest.raises(ValueError, match=r"conv_in.weight is \(32, 16, 3, 3\).*, \(32, 8, 3, 3\)"):
        inflate(own, before | {"conv_in.weight": torch.zeros(32, 8, 3, 3)})
    with pytest.raises(ValueError, match=r"has no other\.weight"):
        inflate(own | {"other.weight": torch.zeros(1)}, before)


def test_every_new_layer_learns():
    """A zero at the end of a branch stops the gradient behind it for one step, and not for ever."""
    video = inflate_unet(image_model(), in_channels=32)
    optimizer = torch.optim.SGD(new_parameters(video).values(), 0.5)
    x, states, ids = torch.randn(2, 3, 32, 4, 4), torch.randn(2, 5, 384), torch.tensor([[3.0, 60.0, 0.02]] * 2)
    due = torch.randn(2, 3, 16, 4, 4)
    for _ in range(4):
        optimizer.zero_grad()
        (video(x, torch.tensor([0.1, 0.4]), states, ids).sample - due).square().mean().backward()
        still = [name for name, parameter in new_parameters(video).items() if not parameter.grad.any()]
        optimizer.step()
    assert still == []


def test_the_shapes_of_stable_diffusion_2_1_fit():
    """On the meta device: 865.9 million numbers, none of which is there."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(**STABLE_DIFFUSION_2_1)
        video = UNetSpatioTemporalConditionModel(**video_config(unet, in_channels=8))
    own = {name: tensor.shape for name, tensor in video.state_dict().items()}
    tensors = unet.state_dict()
    assert sum(tensor.numel() for tensor in tensors.values()) == pytest.approx(865.9e6, rel=1e-3)
    assert all(own[video_key(name)] == tensor.shape for name, tensor in tensors.items() if name != "conv_in.weight")


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="use_linear_projection=True"):
        inflate_unet(image_model(use_linear_projection=False))
    with pytest.raises(ValueError, match="no spatio-temporal block for AttnDownBlock2D"):
        video_config(image_model(down_block_types=("AttnDownBlock2D", "CrossAttnDownBlock2D")))
    with pytest.raises(ValueError, match="reads 16 channels, the video model 8"):
        inflate_unet(image_model(), in_channels=8)
